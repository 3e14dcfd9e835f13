/* Reading botocore's documents: shapes, members and operations. */
#include "aws/model/botocore.h"

#include "aws/model/names.h"

#include <string.h>

typedef struct key_flag {
  const char *key;
  uint16_t flag;
} key_flag;

static uint16_t read_flags(const mb_value *map, const key_flag *flags, size_t count) {
  uint16_t found = 0;
  for (size_t i = 0; i < count; i++)
    if (mb_botocore_true(map, flags[i].key))
      found |= flags[i].flag;
  return found;
}

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- members --------------------------------------------------------------------------------- */

static const key_flag member_flags[] = {{"idempotencyToken", MB_MEMBER_IDEMPOTENCY_TOKEN},
                                        {"flattened", MB_MEMBER_FLATTENED},
                                        {"xmlAttribute", MB_MEMBER_XML_ATTRIBUTE},
                                        {"streaming", MB_MEMBER_STREAMING},
                                        {"jsonvalue", MB_MEMBER_JSON_VALUE},
                                        {"hostLabel", MB_MEMBER_HOST_LABEL},
                                        {"deprecated", MB_MEMBER_DEPRECATED},
                                        {"eventpayload", MB_MEMBER_EVENT_PAYLOAD},
                                        {"eventheader", MB_MEMBER_EVENT_HEADER},
                                        {"sensitive", MB_MEMBER_SENSITIVE}};

static const char *const known_member[] = {"shape",
                                           "documentation",
                                           "location",
                                           "locationName",
                                           "idempotencyToken",
                                           "flattened",
                                           "xmlAttribute",
                                           "xmlNamespace",
                                           "streaming",
                                           "jsonvalue",
                                           "hostLabel",
                                           "deprecated",
                                           "deprecatedMessage",
                                           "deprecatedSince",
                                           "eventpayload",
                                           "eventheader",
                                           "contextParam",
                                           "queryName",
                                           "timestampFormat",
                                           "sensitive",
                                           "box",
                                           "enum",
                                           NULL};

/* The position of a string among the words, 0 (and a warning) when it is none of them. */
static uint8_t read_word(mb_botocore *in, const mb_value *map, const char *key,
                         const char *const *words, const char *where) {
  const char *word = mb_botocore_string(map, key);
  if (!word)
    return 0;
  int at = mb_name_position(words, word, strlen(word));
  if (at < 0 && in->warnings)
    mb_buffer_addf(in->warnings, "%s: unknown %s %s\n", where, key, word);
  return at < 0 ? 0 : (uint8_t)at;
}

static mb_text context_param(mb_botocore *in, const mb_value *reference) {
  return mb_botocore_text(in, mb_map_get(reference, "contextParam"), "name");
}

static void add_member(mb_botocore *in, const char *name, const mb_value *reference,
                       const char *where, bool required) {
  const char *wire = mb_botocore_string(reference, "locationName");
  mb_draft_member *member = mb_draft_add_member(in->draft, name);
  mb_member *record = &member->record;
  record->shape = mb_botocore_text(in, reference, "shape");
  record->flags = read_flags(reference, member_flags, COUNT_OF(member_flags));
  record->location = read_word(in, reference, "location", mb_location_names, where);
  record->format = read_word(in, reference, "timestampFormat", mb_timestamp_format_names, where);
  record->query_name = mb_botocore_text(in, reference, "queryName");
  record->context_param = context_param(in, reference);
  mb_botocore_namespace(in, reference, &record->xml_namespace, &record->xml_prefix);
  if (required)
    record->flags |= MB_MEMBER_REQUIRED;
  if (wire) {
    record->flags |= MB_MEMBER_HAS_WIRE;
    record->wire = mb_draft_string(in->draft, wire);
  }
  mb_botocore_warn_unknown(in, reference, known_member, where, name);
}

static bool is_required(const mb_value *shape, const char *name) {
  const mb_value *required = mb_map_get(shape, "required");
  for (size_t i = 0; i < mb_value_count(required); i++)
    if (strcmp(mb_value_string(mb_list_at(required, i)), name) == 0)
      return true;
  return false;
}

static void add_members(mb_botocore *in, uint8_t type, const char *name, const mb_value *shape) {
  const mb_value *members = mb_map_get(shape, "members");
  if (type == MB_SHAPE_LIST) {
    add_member(in, "member", mb_map_get(shape, "member"), name, false);
  } else if (type == MB_SHAPE_MAP) {
    add_member(in, "key", mb_map_get(shape, "key"), name, false);
    add_member(in, "value", mb_map_get(shape, "value"), name, false);
  } else if (type == MB_SHAPE_STRUCTURE) {
    for (size_t i = 0; i < mb_value_count(members); i++) {
      const char *key = mb_map_key_at(members, i);
      add_member(in, key, mb_map_value_at(members, i), name, is_required(shape, key));
    }
  }
}

/* ---- shapes ---------------------------------------------------------------------------------- */

static const key_flag shape_flags[] = {
    {"union", MB_SHAPE_UNION},         {"sensitive", MB_SHAPE_SENSITIVE},
    {"flattened", MB_SHAPE_FLATTENED}, {"exception", MB_SHAPE_ERROR},
    {"streaming", MB_SHAPE_STREAMING}, {"eventstream", MB_SHAPE_EVENT_STREAM},
    {"wrapper", MB_SHAPE_WRAPPER},     {"jsonvalue", MB_SHAPE_JSON_VALUE},
    {"sparse", MB_SHAPE_SPARSE}};

static const char *const known_shape[] = {"type",
                                          "members",
                                          "member",
                                          "key",
                                          "value",
                                          "required",
                                          "documentation",
                                          "enum",
                                          "min",
                                          "max",
                                          "pattern",
                                          "sensitive",
                                          "exception",
                                          "error",
                                          "fault",
                                          "retryable",
                                          "locationName",
                                          "xmlNamespace",
                                          "flattened",
                                          "payload",
                                          "streaming",
                                          "eventstream",
                                          "event",
                                          "box",
                                          "deprecated",
                                          "deprecatedMessage",
                                          "deprecatedSince",
                                          "wrapper",
                                          "union",
                                          "document",
                                          "timestampFormat",
                                          "synthetic",
                                          "xmlOrder",
                                          "requiresLength",
                                          "jsonvalue",
                                          "sparse",
                                          NULL};
static const char *const known_error[] = {"code", "httpStatusCode", "senderFault", "fault", NULL};

static uint8_t shape_type(const mb_value *shape) {
  static const struct {
    const char *name;
    mb_shape_type type;
  } others[] = {{"character", MB_SHAPE_STRING},
                {"byte", MB_SHAPE_INTEGER},
                {"short", MB_SHAPE_INTEGER},
                {"bigInteger", MB_SHAPE_LONG},
                {"bigDecimal", MB_SHAPE_DOUBLE}};
  const char *name = mb_botocore_string(shape, "type");
  if (!name)
    return 0;
  int at = mb_name_position(mb_shape_type_names, name, strlen(name));
  if (at + 1 == MB_SHAPE_STRUCTURE && mb_botocore_true(shape, "document"))
    return MB_SHAPE_DOCUMENT;
  if (at >= 0)
    return (uint8_t)(at + 1);
  for (size_t i = 0; i < COUNT_OF(others); i++)
    if (strcmp(others[i].name, name) == 0)
      return (uint8_t)others[i].type;
  return 0;
}

static void read_error_facts(mb_botocore *in, mb_shape *record, const mb_value *shape) {
  const mb_value *error = mb_map_get(shape, "error");
  const mb_value *retryable = mb_map_get(shape, "retryable");
  int64_t status = mb_value_integer(mb_map_get(error, "httpStatusCode"));
  if (mb_value_type(error) == MB_TYPE_MAP) {
    record->flags |= MB_SHAPE_ERROR;
    record->error_code = mb_botocore_text(in, error, "code");
    record->error_status = status > 0 && status < 1000 ? (uint32_t)status : 0;
    if (mb_botocore_true(error, "senderFault"))
      record->flags |= MB_SHAPE_SENDER_FAULT;
    mb_botocore_warn_unknown(in, error, known_error, "error",
                             mb_draft_string_at(in->draft, record->name));
  }
  if (mb_value_type(retryable) == MB_TYPE_MAP)
    record->flags |= MB_SHAPE_RETRYABLE;
  if (mb_botocore_true(retryable, "throttling"))
    record->flags |= MB_SHAPE_THROTTLING;
}

static void read_minimum(mb_shape *record, const mb_value *shape) {
  const mb_value *min = mb_map_get(shape, "min");
  if (mb_value_type(min) != MB_TYPE_INTEGER && mb_value_type(min) != MB_TYPE_NUMBER)
    return;
  record->min = mb_value_integer(min);
  record->flags |= MB_SHAPE_HAS_MIN;
}

static int add_shape(mb_botocore *in, const char *name, const mb_value *shape) {
  uint8_t type = shape_type(shape);
  if (type == 0)
    return mb_botocore_fail(in, "shape %s: unknown or missing type", name);
  mb_draft_shape *made = mb_draft_add_shape(in->draft, name);
  mb_shape *record = &made->record;
  record->type = type;
  record->flags = read_flags(shape, shape_flags, COUNT_OF(shape_flags));
  record->format = read_word(in, shape, "timestampFormat", mb_timestamp_format_names, name);
  record->xml_name = mb_botocore_text(in, shape, "locationName");
  mb_botocore_namespace(in, shape, &record->xml_namespace, &record->xml_prefix);
  made->payload = mb_botocore_text(in, shape, "payload");
  read_error_facts(in, record, shape);
  read_minimum(record, shape);
  mb_botocore_warn_unknown(in, shape, known_shape, "shape", name);
  add_members(in, type, name, shape);
  return 0;
}

int mb_botocore_shapes(mb_botocore *in, const mb_value *shapes) {
  for (size_t i = 0; i < mb_value_count(shapes); i++)
    if (add_shape(in, mb_map_key_at(shapes, i), mb_map_value_at(shapes, i)) != 0)
      return -1;
  return 0;
}
