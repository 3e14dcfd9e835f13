/* Reading botocore's documents: operations. */
#include "aws/model/botocore.h"

#include <string.h>

static const char *const known_operation[] = {"name",
                                              "http",
                                              "input",
                                              "output",
                                              "errors",
                                              "documentation",
                                              "documentationUrl",
                                              "idempotent",
                                              "readonly",
                                              "endpoint",
                                              "httpChecksum",
                                              "httpChecksumRequired",
                                              "staticContextParams",
                                              "operationContextParams",
                                              "deprecated",
                                              "deprecatedMessage",
                                              "deprecatedSince",
                                              "endpointdiscovery",
                                              "endpointoperation",
                                              "authtype",
                                              "auth",
                                              "unsignedPayload",
                                              "requestcompression",
                                              "alias",
                                              NULL};
static const char *const known_http[] = {"method", "requestUri", "responseCode", NULL};
static const char *const known_reference[] = {"shape",         "locationName",  "xmlNamespace",
                                              "resultWrapper", "documentation", NULL};
static const char *const known_endpoint[] = {"hostPrefix", NULL};
static const char *const known_error_reference[] = {"shape", "documentation", "exception",
                                                    "error", "fault",         NULL};

/* {"Param": {"value": x}} or {"Param": {"path": x}} to {"Param": x}. */
static mb_text read_context(mb_botocore *in, const mb_value *params, const char *key) {
  mb_value *plain = mb_value_new_map(in->arena);
  if (mb_value_count(params) == 0)
    return 0;
  for (size_t i = 0; plain && i < mb_value_count(params); i++) {
    const mb_value *from = mb_map_get(mb_map_value_at(params, i), key);
    mb_value *to = mb_map_put(in->arena, plain, mb_map_key_at(params, i));
    if (!to || (from && mb_value_copy(in->arena, to, from) != 0))
      plain = NULL;
  }
  if (!plain)
    in->draft->failed = true;
  return mb_botocore_json(in, plain);
}

/* The first way to authenticate that is known decides; what an operation does not say, its service
 * does. */
static uint32_t read_auth(const mb_botocore *in, const mb_value *given) {
  const char *type = mb_botocore_string(given, "authtype");
  const mb_value *list = mb_map_get(given, "auth");
  for (size_t i = 0; i < mb_value_count(list); i++) {
    const char *name = mb_value_string(mb_list_at(list, i));
    if (strcmp(name, "smithy.api#noAuth") == 0)
      return MB_OPERATION_UNSIGNED;
    if (strcmp(name, "smithy.api#httpBearerAuth") == 0)
      return MB_OPERATION_BEARER;
    if (strncmp(name, "aws.auth#sigv4", 14) == 0)
      return 0;
  }
  if (type && strcmp(type, "none") == 0)
    return MB_OPERATION_UNSIGNED;
  if (type && strcmp(type, "bearer") == 0)
    return MB_OPERATION_BEARER;
  if (type && strcmp(type, "v4-unsigned-body") == 0)
    return MB_OPERATION_UNSIGNED_PAYLOAD;
  return in->bearer ? MB_OPERATION_BEARER : 0;
}

static uint32_t read_flags(const mb_botocore *in, const mb_value *given) {
  uint32_t flags = read_auth(in, given);
  if (mb_botocore_true(given, "readonly"))
    flags |= MB_OPERATION_READ_ONLY;
  if (mb_botocore_true(given, "idempotent"))
    flags |= MB_OPERATION_IDEMPOTENT;
  if (mb_botocore_true(given, "unsignedPayload"))
    flags |= MB_OPERATION_UNSIGNED_PAYLOAD;
  if (mb_botocore_true(given, "deprecated"))
    flags |= MB_OPERATION_DEPRECATED;
  if (mb_botocore_true(given, "httpChecksumRequired") ||
      mb_botocore_true(mb_map_get(given, "httpChecksum"), "requestChecksumRequired"))
    flags |= MB_OPERATION_CHECKSUM_REQUIRED;
  if (mb_map_get(given, "requestcompression"))
    flags |= MB_OPERATION_COMPRESS;
  return flags;
}

static void read_http(mb_botocore *in, mb_operation *record, const mb_value *http) {
  const char *method = mb_botocore_string(http, "method");
  const char *uri = mb_botocore_string(http, "requestUri");
  int64_t status = mb_value_integer(mb_map_get(http, "responseCode"));
  if (method)
    record->method = mb_draft_string(in->draft, method);
  if (uri)
    record->uri = mb_draft_string(in->draft, uri);
  if (status > 0 && status < 1000)
    record->response_status = (uint32_t)status;
}

static void read_bodies(mb_botocore *in, mb_draft_operation *made, const mb_value *given) {
  const mb_value *input = mb_map_get(given, "input"), *output = mb_map_get(given, "output");
  mb_operation *record = &made->record;
  record->input = mb_botocore_text(in, input, "shape");
  record->output = mb_botocore_text(in, output, "shape");
  record->input_name = mb_botocore_text(in, input, "locationName");
  mb_botocore_namespace(in, input, &record->input_namespace, &record->input_prefix);
  record->result_wrapper = mb_botocore_text(in, output, "resultWrapper");
}

static int add_errors(mb_botocore *in, const char *name, const mb_value *errors) {
  for (size_t i = 0; i < mb_value_count(errors); i++) {
    const mb_value *reference = mb_list_at(errors, i);
    const char *shape = mb_botocore_string(reference, "shape");
    if (!shape)
      return mb_botocore_fail(in, "operation %s: an error without a shape", name);
    mb_draft_add_error(in->draft, shape);
    mb_botocore_warn_unknown(in, reference, known_error_reference, "error of operation", name);
  }
  return 0;
}

static void warn(mb_botocore *in, const char *name, const mb_value *given) {
  static const struct {
    const char *key;
    const char *const *known;
  } parts[] = {{"http", known_http},
               {"input", known_reference},
               {"output", known_reference},
               {"endpoint", known_endpoint}};
  mb_botocore_warn_unknown(in, given, known_operation, "operation", name);
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    mb_botocore_warn_unknown(in, mb_map_get(given, parts[i].key), parts[i].known, "operation",
                             name);
}

static int add_operation(mb_botocore *in, const char *name, const mb_value *given) {
  mb_draft_operation *made = mb_draft_add_operation(in->draft, name);
  mb_operation *record = &made->record;
  record->flags = read_flags(in, given);
  read_http(in, record, mb_map_get(given, "http"));
  read_bodies(in, made, given);
  record->host_prefix = mb_botocore_text(in, mb_map_get(given, "endpoint"), "hostPrefix");
  record->static_context = read_context(in, mb_map_get(given, "staticContextParams"), "value");
  record->operation_context = read_context(in, mb_map_get(given, "operationContextParams"), "path");
  record->checksum = mb_botocore_json(in, mb_map_get(given, "httpChecksum"));
  warn(in, name, given);
  return add_errors(in, name, mb_map_get(given, "errors"));
}

int mb_botocore_operations(mb_botocore *in, const mb_value *operations) {
  for (size_t i = 0; i < mb_value_count(operations); i++)
    if (add_operation(in, mb_map_key_at(operations, i), mb_map_value_at(operations, i)) != 0)
      return -1;
  return 0;
}
