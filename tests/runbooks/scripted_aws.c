/* An AWS that says what a spec tells it to. */
#include "runbooks/scripted_aws.h"

#include "aws/codec/codec.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void note_problem(scripted_aws *aws, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void note_problem(scripted_aws *aws, const char *format, ...) {
  va_list arguments;
  if (aws->problem[0] != 0) {
    return;
  }
  va_start(arguments, format);
  vsnprintf(aws->problem, sizeof aws->problem, format, arguments);
  va_end(arguments);
}

/* ---- comparing ---------------------------------------------------------------------------------
 */

static bool list_contains(const mb_value *got, const mb_value *wanted) {
  if (mb_value_count(got) != mb_value_count(wanted)) {
    return false;
  }
  for (size_t i = 0; i < mb_value_count(wanted); i++) {
    if (!value_contains(mb_list_at(got, i), mb_list_at(wanted, i))) {
      return false;
    }
  }
  return true;
}

bool value_contains(const mb_value *got, const mb_value *wanted) {
  if (mb_value_type(wanted) == MB_TYPE_LIST) {
    return list_contains(got, wanted);
  }
  if (mb_value_type(wanted) != MB_TYPE_MAP) {
    return mb_value_equal(got, wanted);
  }
  for (size_t i = 0; i < mb_value_count(wanted); i++) {
    if (!value_contains(mb_map_get(got, mb_map_key_at(wanted, i)), mb_map_value_at(wanted, i))) {
      return false;
    }
  }
  return true;
}

/* ---- which operation ---------------------------------------------------------------------------
 */

static const struct {
  const char *signing, *model;
} services[] = {{"ecs", "ecs"},
                {"elasticloadbalancing", "elbv2"},
                {"ssm", "ssm"},
                {"application-autoscaling", "application_autoscaling"},
                {"sts", "sts"},
                {"ec2", "ec2"},
                {"iam", "iam"},
                {"ecr", "ecr"},
                {"logs", "logs"},
                {"monitoring", "cloudwatch"},
                {"secretsmanager", "secretsmanager"}};

/* The model of the service that a request was signed for:
 * ".../20261123/eu-west-1/ecs/aws4_request". NULL for a request without a signature. */
static const mb_model *model_of(const mb_http_request *request) {
  const char *authorization = mb_headers_get(&request->headers, "Authorization");
  const char *end = authorization == NULL ? NULL : strstr(authorization, "/aws4_request");
  if (end == NULL) {
    return NULL;
  }
  const char *start = end;
  while (start > authorization && start[-1] != '/') {
    start--;
  }
  for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
    if (strlen(services[i].signing) == (size_t)(end - start) &&
        strncmp(services[i].signing, start, (size_t)(end - start)) == 0) {
      return mb_model_find(services[i].model);
    }
  }
  return NULL;
}

/* ---- answers -----------------------------------------------------------------------------------
 */

static bool has_ended(const scripted_aws *aws, const scripted_answer *answer) {
  if (answer->over || (answer->times > 0 && answer->used >= answer->times)) {
    return true;
  }
  return answer->seconds > 0 && answer->used > 0 &&
         (double)(aws->fake->monotonic_ns - answer->first_ns) / 1e9 >= answer->seconds;
}

/* The first answer for the operation that is not used up yet. */
static scripted_answer *find_answer(scripted_aws *aws, const char *operation, const char *url) {
  for (size_t i = 0; i < aws->count; i++) {
    scripted_answer *answer = &aws->answers[i];
    const mb_value *wanted = mb_map_get(answer->entry, "url");
    if (strcmp(answer->operation, operation) != 0 ||
        (wanted != NULL && url != NULL && strcmp(mb_value_string(wanted), url) != 0)) {
      continue;
    }
    answer->over = has_ended(aws, answer);
    if (!answer->over) {
      answer->first_ns = answer->used == 0 ? aws->fake->monotonic_ns : answer->first_ns;
      answer->used++;
      return answer;
    }
  }
  note_problem(aws, "the runbook asked for %s %s once more than the spec has answers", operation,
               url == NULL ? "" : url);
  return NULL;
}

static void check_input(scripted_aws *aws, const scripted_answer *answer, mb_arena *arena,
                        const mb_value *input) {
  const mb_value *wanted = mb_map_get(answer->entry, "input");
  if (wanted != NULL && !value_contains(input, wanted)) {
    note_problem(aws, "%s was asked with %s, the spec expects %s", answer->operation,
                 mb_value_to_json(arena, input, 0, true), mb_value_to_json(arena, wanted, 0, true));
  }
}

static int encode(scripted_aws *aws, const mb_codec *codec, mb_arena *arena,
                  const mb_operation *operation, const scripted_answer *answer,
                  mb_http_response *out) {
  const mb_value *failure = mb_map_get(answer->entry, "error");
  mb_error error;
  mb_error_clear(&error);
  int status =
      failure != NULL
          ? mb_codec_encode_error(codec, arena, operation,
                                  mb_value_string(mb_map_get(failure, "code")),
                                  mb_value_string(mb_map_get(failure, "message")),
                                  (int)mb_value_integer(mb_map_get(failure, "status")), NULL,
                                  "fake-request", out, &error)
          : mb_codec_encode_response(codec, arena, operation, mb_map_get(answer->entry, "output"),
                                     "fake-request", out, &error);
  if (status != 0) {
    note_problem(aws, "the answer to %s cannot be sent: %s", answer->operation, error.message);
  }
  return status;
}

static int answer_aws(scripted_aws *aws, const mb_model *model, const mb_http_request *request,
                      mb_arena *arena, mb_transfer_result *out) {
  mb_codec codec = {.model = model, .system = &aws->fake->system};
  mb_service service;
  mb_error error;
  mb_value *input = mb_value_new(arena);
  const mb_operation *operation = mb_codec_route(&codec, request);
  mb_error_clear(&error);
  if (operation == NULL || input == NULL ||
      mb_codec_decode_request(&codec, arena, operation, request, input, &error) != 0) {
    note_problem(aws, "a request to %s cannot be read: %s", request->url, error.message);
    return -1;
  }
  mb_model_service(model, &service);
  const char *name =
      mb_arena_printf(arena, "%s.%s", service.namespace_, mb_model_text(model, operation->snake));
  scripted_answer *answer = name == NULL ? NULL : find_answer(aws, name, NULL);
  if (answer == NULL) {
    return -1;
  }
  check_input(aws, answer, arena, input);
  if (mb_map_get(answer->entry, "network") != NULL) {
    return fake_fail(out, MB_ERROR_NETWORK, mb_value_string(mb_map_get(answer->entry, "network")));
  }
  return encode(aws, &codec, arena, operation, answer, &out->response);
}

static int answer_http(scripted_aws *aws, const mb_http_request *request, mb_arena *arena,
                       mb_transfer_result *out) {
  scripted_answer *answer = find_answer(aws, "http.get", request->url);
  if (answer == NULL) {
    return -1;
  }
  if (mb_map_get(answer->entry, "network") != NULL) {
    return fake_fail(out, MB_ERROR_NETWORK, mb_value_string(mb_map_get(answer->entry, "network")));
  }
  return fake_reply(arena, out, (int)mb_value_integer(mb_map_get(answer->entry, "status")), NULL,
                    mb_value_string(mb_map_get(answer->entry, "body")));
}

static int answer_request(void *payload, const mb_http_request *request, mb_arena *arena,
                          mb_transfer_result *out) {
  scripted_aws *aws = payload;
  const mb_model *model = model_of(request);
  return model == NULL ? answer_http(aws, request, arena, out)
                       : answer_aws(aws, model, request, arena, out);
}

/* ---- reading and finishing ---------------------------------------------------------------------
 */

static void read_answer(scripted_aws *aws, scripted_answer *answer, const mb_value *entry) {
  static const char *const known[] = {"operation", "input", "output", "error", "times",  "seconds",
                                      "optional",  "url",   "status", "body",  "network"};
  for (size_t i = 0; i < mb_value_count(entry); i++) {
    const char *key = mb_map_key_at(entry, i);
    bool found = false;
    for (size_t k = 0; key != NULL && k < sizeof known / sizeof known[0]; k++) {
      found = found || strcmp(known[k], key) == 0;
    }
    if (!found) {
      note_problem(aws, "an answer has the unknown field %s", key == NULL ? "?" : key);
    }
  }
  const mb_value *times = mb_map_get(entry, "times");
  answer->entry = entry;
  answer->operation = mb_value_string(mb_map_get(entry, "operation"));
  answer->seconds = mb_value_number(mb_map_get(entry, "seconds"));
  answer->optional = mb_value_boolean(mb_map_get(entry, "optional"));
  answer->times = times != NULL ? mb_value_integer(times) : answer->seconds > 0 ? 0 : 1;
  if (*answer->operation == 0) {
    note_problem(aws, "an answer names no operation");
  }
}

void scripted_init(scripted_aws *aws, fake_machine *fake, mb_arena *arena,
                   const mb_value *answers) {
  *aws = (scripted_aws){.fake = fake, .arena = arena, .count = mb_value_count(answers)};
  aws->answers = mb_arena_zero(arena, (aws->count + 1) * sizeof *aws->answers);
  if (aws->answers == NULL) {
    aws->count = 0;
    note_problem(aws, "out of memory");
  }
  for (size_t i = 0; i < aws->count; i++) {
    read_answer(aws, &aws->answers[i], mb_list_at(answers, i));
  }
  fake->answer = answer_request;
  fake->payload = aws;
}

void scripted_finish(scripted_aws *aws) {
  for (size_t i = 0; i < aws->count; i++) {
    const scripted_answer *answer = &aws->answers[i];
    if (answer->optional) {
      continue;
    }
    if (answer->used == 0 || (answer->times > 0 && answer->used < answer->times)) {
      note_problem(aws, "answer %zu (%s) was asked for %lld times, expected %s%lld", i + 1,
                   answer->operation, (long long)answer->used, answer->times > 0 ? "" : "at least ",
                   (long long)(answer->times > 0 ? answer->times : 1));
    }
  }
}
