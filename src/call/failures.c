/* Answers of 200 that are none: several services answer "success" and list what failed. An
 * unchecked failure must stop a run, so such an answer is an error that names what failed and why.
 */
#include "call/failures.h"

#include "base/buffer.h"
#include "base/text.h"
#include <string.h>

#define SHOWN 5 /* failures, and things that were done, in one message */

static const char *const list_names[] = {"failures", "failed", "failed_entries", "errors", NULL};

/* Where services put the code, the message and the thing in question, first found first. */
static const char *const code_keys[] = {"reason", "failure_code", "error_code", "code", NULL};
static const char *const message_keys[] = {"detail",        "failure_reason", "failure_description",
                                           "error_message", "message",        NULL};
static const char *const subject_keys[] = {
    "arn", "failure_resource", "target_id", "secret_id", "resource_id", "repository_name",
    "key", "layer_digest",     "image_id",  NULL};
static const char *const image_keys[] = {"image_tag", "image_digest", NULL};

static const char *first_text(const mb_value *map, const char *const *keys) {
  for (; *keys; keys++) {
    const char *text = mb_value_string(mb_map_get(map, *keys));
    if (*text)
      return text;
  }
  return "";
}

static bool is_failure_list(const char *name, const mb_value *value) {
  if (mb_value_type(value) != MB_TYPE_LIST || mb_value_count(value) == 0)
    return false;
  for (const char *const *at = list_names; *at; at++) {
    if (strcmp(*at, name) == 0)
      return true;
  }
  return mb_text_starts(name, "unsuccessful") || mb_text_starts(name, "failed_");
}

static const mb_value *find_list(const mb_value *output) {
  for (size_t i = 0; i < mb_value_count(output); i++) {
    if (is_failure_list(mb_map_key_at(output, i), mb_map_value_at(output, i)))
      return mb_map_value_at(output, i);
  }
  return NULL;
}

static const char *failure_text(const mb_value *failure, const char *const *keys) {
  const char *text = first_text(failure, keys);
  if (!*text)
    text = first_text(mb_map_get(failure, "error"), keys); /* ec2 nests them */
  return text;
}

static const char *subject_text(const mb_value *failure) {
  const char *text = first_text(failure, subject_keys);
  return *text ? text : first_text(mb_map_get(failure, "image_id"), image_keys);
}

static void add_failure(mb_buffer *out, const mb_value *failure) {
  const char *subject = subject_text(failure);
  const char *code = failure_text(failure, code_keys);
  const char *message = failure_text(failure, message_keys);
  mb_buffer_addf(out, "%s%s%s", subject, *subject ? ": " : "", *code ? code : "failed");
  if (*message)
    mb_buffer_addf(out, " (%s)", message);
}

/* What was done all the same must not be lost with the answer: a task that was started runs on. */
static void add_done(mb_buffer *out, const mb_value *output) {
  size_t shown = 0;
  for (size_t i = 0; i < mb_value_count(output); i++) {
    const mb_value *list = mb_map_value_at(output, i);
    if (mb_value_type(list) != MB_TYPE_LIST || is_failure_list(mb_map_key_at(output, i), list))
      continue;
    for (size_t k = 0; k < mb_value_count(list) && shown < SHOWN; k++) {
      static const char *const keys[] = {"task_arn", "service_arn", "arn", NULL};
      const char *arn = first_text(mb_list_at(list, k), keys);
      if (*arn)
        mb_buffer_addf(out, "%s%s", shown++ ? ", " : "; done all the same: ", arn);
    }
  }
}

static void describe(mb_buffer *out, const mb_binding *binding, const mb_value *output,
                     const mb_value *list, int64_t count) {
  size_t listed = mb_value_count(list);
  for (size_t i = 0; i < listed && i < SHOWN; i++) {
    mb_buffer_add_text(out, i ? "; " : "");
    add_failure(out, mb_list_at(list, i));
  }
  if (listed == 0)
    mb_buffer_addf(out, "%lld entries failed", (long long)count);
  else if (listed > SHOWN)
    mb_buffer_addf(out, "; and %zu more", listed - SHOWN);
  if (binding->primitive.effect != MB_EFFECT_READS)
    add_done(out, output);
}

bool mb_failures_find(const mb_binding *binding, const mb_aws_result *result, mb_error *error) {
  const mb_value *output = result->output;
  if (mb_value_type(output) != MB_TYPE_MAP)
    return false;
  const mb_value *list = find_list(output);
  int64_t count = mb_value_integer(mb_map_get(output, "failed_entry_count"));
  if (!list && count <= 0)
    return false;
  const char *code = failure_text(mb_list_at(list, 0), code_keys);
  mb_buffer text = MB_BUFFER_INIT(sizeof error->message);
  describe(&text, binding, output, list, count);
  mb_error_set(error, MB_ERROR_AWS, *code ? code : "PartialFailure", "%s",
               text.failed ? "part of what was asked for failed" : mb_buffer_text(&text));
  mb_buffer_dispose(&text);
  mb_error_next(error, strcmp(code, "MISSING") == 0
                           ? "check the name, the cluster and the region"
                           : "the service answered with success but lists these failures");
  mb_text_copy(error->operation, sizeof error->operation, binding->primitive.name);
  mb_text_copy(error->request_id, sizeof error->request_id,
               result->request_id ? result->request_id : "");
  error->status = result->status;
  error->attempts = result->attempts;
  return true;
}
