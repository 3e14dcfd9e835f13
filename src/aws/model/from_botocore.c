/* Reading botocore's documents into a draft. Sections that are missing are empty: tests bring
 * models of a few shapes. Keys that are not known are told as warnings, because each might change
 * what goes over the wire. */
#include "aws/model/botocore.h"

#include "aws/model/builder.h"
#include "aws/model/names.h"
#include "base/json.h"

#include <stdio.h>
#include <string.h>

const char *mb_botocore_string(const mb_value *map, const char *key) {
  const mb_value *value = mb_map_get(map, key);
  return mb_value_type(value) == MB_TYPE_STRING ? mb_value_string(value) : NULL;
}

bool mb_botocore_true(const mb_value *map, const char *key) {
  return mb_value_boolean(mb_map_get(map, key));
}

mb_text mb_botocore_text(mb_botocore *in, const mb_value *map, const char *key) {
  return mb_draft_string(in->draft, mb_botocore_string(map, key));
}

mb_text mb_botocore_json(mb_botocore *in, const mb_value *value) {
  if (!value)
    return 0;
  mb_json_write_value(&in->scratch, value, 0, true);
  return mb_draft_buffer(in->draft, &in->scratch);
}

void mb_botocore_namespace(mb_botocore *in, const mb_value *map, mb_text *uri, mb_text *prefix) {
  const mb_value *value = mb_map_get(map, "xmlNamespace");
  if (mb_value_type(value) == MB_TYPE_MAP) {
    *uri = mb_botocore_text(in, value, "uri");
    *prefix = mb_botocore_text(in, value, "prefix");
  } else if (mb_value_type(value) == MB_TYPE_STRING) {
    *uri = mb_draft_string(in->draft, mb_value_string(value));
  }
}

bool mb_botocore_listed(const char *name, const char *const *names) {
  for (; *names; names++)
    if (strcmp(*names, name) == 0)
      return true;
  return false;
}

void mb_botocore_warn_unknown(mb_botocore *in, const mb_value *map, const char *const *known,
                              const char *where, const char *name) {
  for (size_t i = 0; in->warnings && i < mb_value_count(map); i++) {
    const char *key = mb_map_key_at(map, i);
    if (!mb_botocore_listed(key, known))
      mb_buffer_addf(in->warnings, "%s %s: unknown key %s\n", where, name, key);
  }
}

int mb_botocore_fail(mb_botocore *in, const char *format, ...) {
  char message[512];
  va_list list;
  va_start(list, format);
  vsnprintf(message, sizeof message, format, list);
  va_end(list);
  return mb_error_set(in->error, MB_ERROR_USAGE, "InvalidModel", "%s", message);
}

/* ---- metadata -------------------------------------------------------------------------------- */

static const char *const known_metadata[] = {"apiVersion",
                                             "auth",
                                             "endpointPrefix",
                                             "protocol",
                                             "protocols",
                                             "serviceId",
                                             "serviceFullName",
                                             "serviceAbbreviation",
                                             "signatureVersion",
                                             "signingName",
                                             "uid",
                                             "jsonVersion",
                                             "targetPrefix",
                                             "xmlNamespace",
                                             "protocolSettings",
                                             "globalEndpoint",
                                             "awsQueryCompatible",
                                             "checksumFormat",
                                             "ripServiceName",
                                             NULL};

static const struct {
  const char *name;
  mb_protocol protocol;
} protocols[] = {{"json", MB_PROTOCOL_JSON},         {"rest-json", MB_PROTOCOL_REST_JSON},
                 {"rest-xml", MB_PROTOCOL_REST_XML}, {"query", MB_PROTOCOL_QUERY},
                 {"ec2", MB_PROTOCOL_EC2},           {"smithy-rpc-v2-cbor", MB_PROTOCOL_CBOR}};

static bool list_has(const mb_value *list, const char *text) {
  for (size_t i = 0; i < mb_value_count(list); i++)
    if (strcmp(mb_value_string(mb_list_at(list, i)), text) == 0)
      return true;
  return false;
}

/* The first of our own order among those the service speaks. */
static int choose_protocol(mb_botocore *in, const mb_value *metadata) {
  const mb_value *spoken = mb_map_get(metadata, "protocols");
  const char *single = mb_botocore_string(metadata, "protocol");
  bool several = mb_value_count(spoken) > 0;
  for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
    const char *name = protocols[i].name;
    if (several ? list_has(spoken, name) : (single && strcmp(single, name) == 0)) {
      in->draft->protocol = protocols[i].protocol;
      break;
    }
  }
  if (in->draft->protocol == 0)
    return mb_botocore_fail(in, "metadata: no protocol that is known (it names %s)",
                            single ? single : "none");
  if (list_has(spoken, "query") && in->draft->protocol != MB_PROTOCOL_QUERY)
    in->draft->flags |= MB_SERVICE_QUERY_MODE;
  return 0;
}

static void read_service_auth(mb_botocore *in, const mb_value *metadata) {
  const char *first = mb_value_string(mb_list_at(mb_map_get(metadata, "auth"), 0));
  const char *version = mb_botocore_string(metadata, "signatureVersion");
  if (strcmp(first, "smithy.api#noAuth") == 0)
    in->draft->flags |= MB_SERVICE_UNSIGNED;
  in->bearer = strcmp(first, "smithy.api#httpBearerAuth") == 0 ||
               (*first == '\0' && version && strcmp(version, "bearer") == 0);
}

static int read_metadata(mb_botocore *in, const mb_value *metadata) {
  static const struct {
    const char *key;
    mb_service_text place;
  } texts[] = {{"serviceId", MB_SERVICE_ID},
               {"endpointPrefix", MB_SERVICE_ENDPOINT_PREFIX},
               {"signingName", MB_SERVICE_SIGNING_NAME},
               {"targetPrefix", MB_SERVICE_TARGET_PREFIX},
               {"apiVersion", MB_SERVICE_API_VERSION},
               {"jsonVersion", MB_SERVICE_JSON_VERSION}};
  mb_text *service = in->draft->service;
  mb_text unused = 0;
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    service[texts[i].place] = mb_botocore_text(in, metadata, texts[i].key);
  if (service[MB_SERVICE_SIGNING_NAME] == 0)
    service[MB_SERVICE_SIGNING_NAME] = service[MB_SERVICE_ENDPOINT_PREFIX];
  mb_botocore_namespace(in, metadata, &service[MB_SERVICE_XML_NAMESPACE], &unused);
  if (mb_map_get(metadata, "awsQueryCompatible"))
    in->draft->flags |= MB_SERVICE_QUERY_COMPATIBLE;
  read_service_auth(in, metadata);
  mb_botocore_warn_unknown(in, metadata, known_metadata, "metadata", "");
  return choose_protocol(in, metadata);
}

/* ---- paginators ------------------------------------------------------------------------------ */

static const char *const known_paginator[] = {
    "input_token",  "output_token",       "limit_key",      "result_key",
    "more_results", "non_aggregate_keys", "py_input_token", NULL};

/* A string, or several of them newline-separated. */
static mb_text read_expressions(mb_botocore *in, const mb_value *map, const char *key) {
  const mb_value *value = mb_map_get(map, key);
  if (mb_value_type(value) != MB_TYPE_LIST)
    return mb_botocore_text(in, map, key);
  for (size_t i = 0; i < mb_value_count(value); i++) {
    if (i > 0)
      mb_buffer_add_char(&in->scratch, '\n');
    mb_buffer_add_text(&in->scratch, mb_value_string(mb_list_at(value, i)));
  }
  return mb_draft_buffer(in->draft, &in->scratch);
}

static void read_paginators(mb_botocore *in, const mb_value *document) {
  const mb_value *entries = mb_map_get(document, "pagination");
  for (size_t i = 0; i < mb_value_count(entries); i++) {
    const mb_value *entry = mb_map_value_at(entries, i);
    const char *name = mb_map_key_at(entries, i);
    mb_paginator_source source = {
        {read_expressions(in, entry, "input_token"), read_expressions(in, entry, "output_token"),
         read_expressions(in, entry, "result_key"), read_expressions(in, entry, "more_results"),
         read_expressions(in, entry, "limit_key"),
         read_expressions(in, entry, "non_aggregate_keys")}};
    mb_draft_add_paginator(in->draft, name)->source = source;
    mb_botocore_warn_unknown(in, entry, known_paginator, "paginator", name);
  }
}

/* ---- waiters --------------------------------------------------------------------------------- */

static const char *const known_waiter[] = {"delay",       "maxAttempts",   "operation", "acceptors",
                                           "description", "documentation", NULL};
static const char *const known_acceptor[] = {"matcher", "state", "expected", "argument", NULL};

/* The enumerator of a word, 0 when it is none of them. */
static uint8_t enumerator(const mb_value *map, const char *key, const char *const *names) {
  const char *word = mb_botocore_string(map, key);
  return word ? (uint8_t)(mb_name_position(names, word, strlen(word)) + 1) : 0;
}

static int read_acceptor(mb_botocore *in, const mb_value *entry, const char *waiter) {
  mb_acceptor acceptor = {.matcher = enumerator(entry, "matcher", mb_matcher_names),
                          .state = enumerator(entry, "state", mb_state_names),
                          .argument = mb_botocore_text(in, entry, "argument"),
                          .expected = mb_botocore_json(in, mb_map_get(entry, "expected"))};
  if (acceptor.matcher == 0 || acceptor.state == 0)
    return mb_botocore_fail(in, "waiter %s: an acceptor has an unknown matcher or state", waiter);
  mb_acceptor *made = mb_draft_add_acceptor(in->draft);
  made->matcher = acceptor.matcher;
  made->state = acceptor.state;
  made->argument = acceptor.argument;
  made->expected = acceptor.expected;
  mb_botocore_warn_unknown(in, entry, known_acceptor, "waiter", waiter);
  return 0;
}

static int read_waiters(mb_botocore *in, const mb_value *document) {
  const mb_value *entries = mb_map_get(document, "waiters");
  for (size_t i = 0; i < mb_value_count(entries); i++) {
    const mb_value *entry = mb_map_value_at(entries, i);
    const mb_value *acceptors = mb_map_get(entry, "acceptors");
    const char *name = mb_map_key_at(entries, i);
    int64_t delay = mb_value_integer(mb_map_get(entry, "delay"));
    int64_t attempts = mb_value_integer(mb_map_get(entry, "maxAttempts"));
    if (delay < 0 || delay > UINT32_MAX || attempts < 1 || attempts > UINT32_MAX)
      return mb_botocore_fail(in, "waiter %s: delay or maxAttempts is out of range", name);
    mb_text operation = mb_botocore_text(in, entry, "operation");
    mb_draft_waiter *waiter = mb_draft_add_waiter(in->draft, name);
    waiter->record.operation = operation;
    waiter->record.delay_seconds = (uint32_t)delay;
    waiter->record.max_attempts = (uint32_t)attempts;
    for (size_t a = 0; a < mb_value_count(acceptors); a++)
      if (read_acceptor(in, mb_list_at(acceptors, a), name) != 0)
        return -1;
    mb_botocore_warn_unknown(in, entry, known_waiter, "waiter", name);
  }
  return 0;
}

/* ---- endpoint rules -------------------------------------------------------------------------- */

/* Copies a ruleset without its prose. Deep values come from a reader that bounds depth. */
static int copy_without_prose(mb_botocore *in, mb_value *out, const mb_value *from) {
  if (mb_value_type(from) == MB_TYPE_LIST) {
    mb_value_set_list(out);
    for (size_t i = 0; i < mb_value_count(from); i++) {
      mb_value *item = mb_list_add(in->arena, out);
      if (!item || copy_without_prose(in, item, mb_list_at(from, i)) != 0)
        return -1;
    }
    return 0;
  }
  if (mb_value_type(from) != MB_TYPE_MAP)
    return mb_value_copy(in->arena, out, from);
  mb_value_set_map(out);
  for (size_t i = 0; i < mb_value_count(from); i++) {
    const char *key = mb_map_key_at(from, i);
    const mb_value *value = mb_map_value_at(from, i);
    if (strcmp(key, "documentation") == 0 && mb_value_type(value) == MB_TYPE_STRING)
      continue;
    mb_value *entry = mb_map_put(in->arena, out, key);
    if (!entry || copy_without_prose(in, entry, value) != 0)
      return -1;
  }
  return 0;
}

static int read_rules(mb_botocore *in, const mb_value *document) {
  if (!document)
    return 0;
  mb_value *rules = mb_value_new(in->arena);
  if (!rules || copy_without_prose(in, rules, document) != 0)
    return mb_error_memory(in->error);
  in->draft->service[MB_SERVICE_RULES] = mb_botocore_json(in, rules);
  return 0;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static const char *const known_documents[] = {"version",       "metadata",
                                              "operations",    "shapes",
                                              "documentation", "clientContextParams",
                                              "deprecated",    "deprecatedMessage",
                                              "examples",      NULL};

static int parse(mb_botocore *in, mb_value **out, const char *what, const char *text, size_t size) {
  mb_error error = {0};
  *out = NULL;
  if (!text)
    return 0;
  if (mb_value_from_json(in->arena, out, text, size, &error) != 0) {
    if (error.kind == MB_ERROR_MEMORY)
      return mb_error_memory(in->error);
    return mb_botocore_fail(in, "%s: %s", what, error.message);
  }
  if (mb_value_type(*out) != MB_TYPE_MAP)
    return mb_botocore_fail(in, "%s: the document is not an object", what);
  return 0;
}

static int read_documents(mb_botocore *in, const mb_model_documents *from) {
  mb_value *service, *paginators, *waiters, *rules;
  if (parse(in, &service, "service", from->service, from->service_size) != 0 ||
      parse(in, &paginators, "paginators", from->paginators, from->paginators_size) != 0 ||
      parse(in, &waiters, "waiters", from->waiters, from->waiters_size) != 0 ||
      parse(in, &rules, "endpoint rules", from->rules, from->rules_size) != 0)
    return -1;
  mb_botocore_warn_unknown(in, service, known_documents, "service", from->name_space);
  in->draft->service[MB_SERVICE_NAMESPACE] = mb_draft_string(in->draft, from->name_space);
  in->draft->service[MB_SERVICE_BOTOCORE] = mb_draft_string(in->draft, from->botocore);
  if (read_metadata(in, mb_map_get(service, "metadata")) != 0 ||
      mb_botocore_shapes(in, mb_map_get(service, "shapes")) != 0 ||
      mb_botocore_operations(in, mb_map_get(service, "operations")) != 0)
    return -1;
  read_paginators(in, paginators);
  if (read_waiters(in, waiters) != 0)
    return -1;
  return read_rules(in, rules);
}

static int read_and_pack(mb_botocore *in, const mb_model_documents *from, mb_buffer *out) {
  if (read_documents(in, from) != 0)
    return -1;
  return mb_draft_pack(in->draft, out, in->warnings, in->error);
}

static int with_draft(mb_botocore *in, const mb_model_documents *from, mb_buffer *out) {
  in->draft = mb_draft_new();
  in->arena = mb_arena_new(0);
  mb_buffer_init(&in->scratch, MB_MODEL_SIZE_LIMIT);
  int result = in->draft && in->arena ? read_and_pack(in, from, out) : mb_error_memory(in->error);
  mb_buffer_dispose(&in->scratch);
  mb_arena_free(in->arena);
  mb_draft_free(in->draft);
  return result;
}

int mb_model_from_botocore(mb_buffer *out, const char *name_space, const char *botocore,
                           const char *service, size_t service_size, const char *paginators,
                           size_t paginators_size, const char *waiters, size_t waiters_size,
                           const char *rules, size_t rules_size, mb_buffer *warnings,
                           mb_error *error) {
  mb_model_documents documents = {.name_space = name_space,
                                  .botocore = botocore,
                                  .service = service,
                                  .service_size = service_size,
                                  .paginators = paginators,
                                  .paginators_size = paginators_size,
                                  .waiters = waiters,
                                  .waiters_size = waiters_size,
                                  .rules = rules,
                                  .rules_size = rules_size};
  mb_botocore in = {.warnings = warnings, .error = error};
  return with_draft(&in, &documents, out);
}
