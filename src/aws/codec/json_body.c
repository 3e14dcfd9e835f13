/* JSON bodies: json 1.0 and 1.1, and the bodies of rest-json. Reading goes in one pass from the
 * pull reader to values; keys are borrowed from the model. */
#include "aws/codec/internal.h"
#include <inttypes.h>
#include <string.h>

/* ---- writing ---- */

static int write_unknown(mb_coding *c, mb_buffer *out, const mb_shape *shape,
                         const mb_entry *entry) {
  if (!c->codec->allow_unknown) {
    return mb_coding_unknown(c, shape, entry->key, entry->key);
  }
  mb_json_write_string(out, entry->key, entry->key_size);
  mb_buffer_add_char(out, ':');
  mb_json_write_value(out, &entry->value, 0, true);
  return 0;
}

static int write_entry(mb_coding *c, mb_buffer *out, const mb_shape *shape, const mb_entry *entry,
                       const mb_member *member, bool *first) {
  if (!*first) {
    mb_buffer_add_char(out, ',');
  }
  *first = false;
  if (member == NULL) {
    return write_unknown(c, out, shape, entry);
  }
  const char *wire = mb_coding_text(c, member->wire);
  mb_json_write_string(out, wire, strlen(wire));
  mb_buffer_add_char(out, ':');
  return mb_json_body_write_member(c, out, member, &entry->value);
}

int mb_json_body_write(mb_coding *c, mb_buffer *out, const mb_shape *shape, const mb_value *value,
                       bool only_body) {
  bool first = true;
  mb_buffer_add_char(out, '{');
  for (size_t i = 0; mb_value_type(value) == MB_TYPE_MAP && i < value->count; i++) {
    const mb_entry *entry = &value->as.entries[i];
    const mb_member *member = mb_coding_entry(c, shape, entry);
    if (entry->value.type == MB_TYPE_NULL ||
        (only_body && member != NULL && member->location != MB_LOCATION_BODY)) {
      continue;
    }
    if (write_entry(c, out, shape, entry, member, &first) != 0) {
      return -1;
    }
  }
  mb_buffer_add_char(out, '}');
  return 0;
}

static int write_list(mb_coding *c, mb_buffer *out, const mb_member *ref, const mb_shape *shape,
                      const mb_value *value) {
  if (!mb_coding_is_list(value)) {
    return mb_coding_expected(c, mb_coding_name(c, ref), "a list", value);
  }
  const mb_member *item = mb_model_members(c->model, shape);
  mb_buffer_add_char(out, '[');
  for (size_t i = 0; i < value->count; i++) {
    if (i > 0) {
      mb_buffer_add_char(out, ',');
    }
    if (mb_json_body_write_member(c, out, item, mb_list_at(value, i)) != 0) {
      return -1;
    }
  }
  mb_buffer_add_char(out, ']');
  return 0;
}

static int write_map(mb_coding *c, mb_buffer *out, const mb_member *ref, const mb_shape *shape,
                     const mb_value *value) {
  if (!mb_coding_is_map(value)) {
    return mb_coding_expected(c, mb_coding_name(c, ref), "a map", value);
  }
  const mb_member *item = mb_model_members(c->model, shape) + 1;
  mb_buffer_add_char(out, '{');
  for (size_t i = 0; i < value->count; i++) {
    const mb_entry *entry = &value->as.entries[i];
    if (i > 0) {
      mb_buffer_add_char(out, ',');
    }
    mb_json_write_string(out, entry->key, entry->key_size);
    mb_buffer_add_char(out, ':');
    if (mb_json_body_write_member(c, out, item, &entry->value) != 0) {
      return -1;
    }
  }
  mb_buffer_add_char(out, '}');
  return 0;
}

/* Text that JSON wants quoted: strings, blobs, calendar times, numbers that are not. */
static int write_quoted(mb_coding *c, mb_buffer *out, const mb_member *ref, const mb_value *value) {
  mb_buffer text;
  mb_buffer_init(&text, MB_CODEC_BODY_MAXIMUM);
  int result = mb_scalar_write(c, &text, ref, value, MB_TIMESTAMP_EPOCH);
  if (text.failed) {
    result = mb_error_memory(c->error);
  } else if (result == 0) {
    mb_json_write_string(out, mb_buffer_text(&text), text.size);
  }
  mb_buffer_dispose(&text);
  return result;
}

static int write_string(mb_coding *c, mb_buffer *out, const mb_member *ref, const mb_value *value) {
  mb_type type = mb_value_type(value);
  if (type == MB_TYPE_STRING || type == MB_TYPE_BLOB) {
    mb_json_write_string(out, value->as.bytes.data, value->as.bytes.size);
    return 0;
  }
  return write_quoted(c, out, ref, value);
}

static int write_number(mb_coding *c, mb_buffer *out, const mb_member *ref, const mb_value *value) {
  double number;
  if (!mb_scalar_number(value, &number)) {
    return mb_coding_expected(c, mb_coding_name(c, ref), "a number", value);
  }
  if (mb_value_type(value) == MB_TYPE_INTEGER) {
    mb_buffer_addf(out, "%" PRId64, value->as.integer);
  } else {
    mb_json_write_number(out, number);
  }
  return 0;
}

static int write_container(mb_coding *c, mb_buffer *out, const mb_member *ref,
                           const mb_shape *shape, const mb_value *value) {
  if (mb_coding_descend(c) != 0) {
    return -1;
  }
  int result;
  if (shape->type == MB_SHAPE_LIST) {
    result = write_list(c, out, ref, shape, value);
  } else if (shape->type == MB_SHAPE_MAP) {
    result = write_map(c, out, ref, shape, value);
  } else if (!mb_coding_is_map(value)) {
    result = mb_coding_expected(c, mb_coding_name(c, ref), "a map", value);
  } else {
    result = mb_json_body_write(c, out, shape, value, false);
  }
  c->depth--;
  return result;
}

int mb_json_body_write_member(mb_coding *c, mb_buffer *out, const mb_member *ref,
                              const mb_value *value) {
  const mb_shape *shape = mb_coding_shape(c, ref);
  if (mb_value_type(value) == MB_TYPE_NULL) {
    mb_buffer_add_text(out, "null");
    return 0;
  }
  switch ((mb_shape_type)shape->type) {
  case MB_SHAPE_STRUCTURE:
  case MB_SHAPE_LIST:
  case MB_SHAPE_MAP:
    return write_container(c, out, ref, shape, value);
  case MB_SHAPE_STRING:
    return write_string(c, out, ref, value);
  case MB_SHAPE_FLOAT:
  case MB_SHAPE_DOUBLE:
    return write_number(c, out, ref, value);
  case MB_SHAPE_DOCUMENT:
    mb_json_write_value(out, value, 0, true);
    return 0;
  case MB_SHAPE_TIMESTAMP:
    if (mb_scalar_format(c, ref, MB_TIMESTAMP_EPOCH) != MB_TIMESTAMP_EPOCH) {
      return write_quoted(c, out, ref, value);
    }
    return mb_scalar_write(c, out, ref, value, MB_TIMESTAMP_EPOCH);
  case MB_SHAPE_BLOB:
    return write_quoted(c, out, ref, value);
  default:
    return mb_scalar_write(c, out, ref, value, MB_TIMESTAMP_EPOCH);
  }
}

/* ---- reading ---- */

typedef struct json_reading {
  mb_coding *c;
  mb_json_reader reader;
} json_reading;

static int read_any(json_reading *r, mb_json_token token, const mb_member *ref, bool secret,
                    mb_value *out);

static int malformed(json_reading *r) {
  mb_error detail;
  mb_json_fail(&r->reader, &detail);
  if (detail.kind == MB_ERROR_MEMORY) {
    return mb_error_memory(r->c->error);
  }
  return mb_coding_unreadable(r->c, "%s", detail.message);
}

static int wrong(json_reading *r, const mb_member *ref, const char *expected) {
  return mb_coding_unreadable(r->c, "%s is not %s", mb_coding_text(r->c, ref->wire), expected);
}

static int skip(json_reading *r, mb_json_token token) {
  return mb_json_skip(&r->reader, token) == 0 ? 0 : malformed(r);
}

/* Reads a value that the model does not describe. */
static int read_free(json_reading *r, mb_json_token token, mb_value *out) {
  return mb_json_read_value(&r->reader, token, out) == 0 ? 0 : malformed(r);
}

static int read_string(json_reading *r, mb_value *out) {
  if (r->reader.text_owned) {
    mb_value_borrow(out, MB_TYPE_STRING, r->reader.text, r->reader.size);
    return 0;
  }
  return mb_value_set_bytes(r->c->arena, out, MB_TYPE_STRING, r->reader.text, r->reader.size) == 0
             ? 0
             : mb_error_memory(r->c->error);
}

static int read_unknown_member(json_reading *r, const mb_shape *shape, const char *key, size_t size,
                               mb_value *out) {
  bool keep = (shape->flags & MB_SHAPE_UNION) != 0 && !(size == 6 && memcmp(key, "__type", 6) == 0);
  mb_value *value = keep ? mb_coding_add_key(r->c, out, key, size) : NULL;
  mb_json_token token = mb_json_next(&r->reader);
  if (!keep) {
    return skip(r, token);
  }
  return value != NULL ? read_free(r, token, value) : -1;
}

static int read_known_member(json_reading *r, const mb_member *member, bool secret, mb_value *out) {
  mb_json_token token = mb_json_next(&r->reader);
  if (token == MB_JSON_NULL ||
      (mb_coding_shape(r->c, member)->flags & MB_SHAPE_EVENT_STREAM) != 0) {
    return skip(r, token);
  }
  mb_value *value = mb_coding_add(r->c, out, member);
  return value != NULL ? read_any(r, token, member, secret, value) : -1;
}

static int read_structure(json_reading *r, const mb_shape *shape, bool secret, mb_value *out) {
  mb_value_set_map(out);
  for (;;) {
    mb_json_token token = mb_json_next(&r->reader);
    if (token == MB_JSON_OBJECT_END) {
      mb_secret_relax(r->c, shape, out);
      return 0;
    }
    if (token != MB_JSON_KEY) {
      return malformed(r);
    }
    const char *key = r->reader.text;
    size_t size = r->reader.size;
    const mb_member *member = mb_model_member_by_wire(r->c->model, shape, key, size);
    int result = member != NULL ? read_known_member(r, member, secret, out)
                                : read_unknown_member(r, shape, key, size, out);
    if (result != 0) {
      return -1;
    }
  }
}

static int read_list(json_reading *r, const mb_shape *shape, bool secret, mb_value *out) {
  const mb_member *item = mb_model_members(r->c->model, shape);
  mb_value_set_list(out);
  for (;;) {
    mb_json_token token = mb_json_next(&r->reader);
    if (token == MB_JSON_ARRAY_END) {
      return 0;
    }
    if (token == MB_JSON_ERROR) {
      return malformed(r);
    }
    mb_value *value = mb_coding_add_item(r->c, out);
    if (value == NULL) {
      return -1;
    }
    if (token != MB_JSON_NULL && read_any(r, token, item, secret, value) != 0) {
      return -1;
    }
  }
}

static int read_map(json_reading *r, const mb_shape *shape, bool secret, mb_value *out) {
  const mb_member *item = mb_model_members(r->c->model, shape) + 1;
  bool sparse = (shape->flags & MB_SHAPE_SPARSE) != 0;
  mb_value_set_map(out);
  for (;;) {
    mb_json_token token = mb_json_next(&r->reader);
    if (token == MB_JSON_OBJECT_END) {
      return 0;
    }
    if (token != MB_JSON_KEY) {
      return malformed(r);
    }
    const char *key = r->reader.text;
    size_t size = r->reader.size;
    token = mb_json_next(&r->reader);
    if (token == MB_JSON_NULL && !sparse) {
      continue;
    }
    mb_value *value = mb_coding_add_key(r->c, out, key, size);
    if (value == NULL) {
      return -1;
    }
    if (token != MB_JSON_NULL && read_any(r, token, item, secret, value) != 0) {
      return -1;
    }
  }
}

static int read_number(json_reading *r, mb_json_token token, const mb_member *ref,
                       const mb_shape *shape, mb_value *out) {
  if (token == MB_JSON_STRING) {
    return mb_scalar_read(r->c, ref, r->reader.text, r->reader.size, out);
  }
  if (token != MB_JSON_INTEGER && token != MB_JSON_NUMBER) {
    return wrong(r, ref, "a number");
  }
  if (shape->type == MB_SHAPE_TIMESTAMP) {
    if (token == MB_JSON_INTEGER) {
      mb_value_set_integer(out, r->reader.integer);
    } else {
      mb_scalar_set_time(out, r->reader.number);
    }
    return 0;
  }
  mb_value_set_number(out, r->reader.number);
  if (shape->type == MB_SHAPE_FLOAT || shape->type == MB_SHAPE_DOUBLE) {
    return 0;
  }
  int64_t integer = r->reader.integer;
  if (token == MB_JSON_NUMBER && !mb_scalar_integer(out, &integer)) {
    return wrong(r, ref, "an integer");
  }
  mb_value_set_integer(out, integer);
  return 0;
}

/* A string in the model. Some services send a bare number or a structure where a string is
 * modelled: its text is kept rather than the whole answer refused. */
static int read_text(json_reading *r, mb_json_token token, const mb_member *ref, mb_value *out) {
  switch (token) {
  case MB_JSON_STRING:
    return read_string(r, out);
  case MB_JSON_INTEGER:
  case MB_JSON_NUMBER:
    return mb_scalar_read(r->c, ref, r->reader.raw, r->reader.raw_size, out);
  case MB_JSON_TRUE:
  case MB_JSON_FALSE:
    mb_value_borrow(out, MB_TYPE_STRING, token == MB_JSON_TRUE ? "true" : "false",
                    token == MB_JSON_TRUE ? 4 : 5);
    return 0;
  default:
    return wrong(r, ref, "a string");
  }
}

static int read_boolean(json_reading *r, mb_json_token token, const mb_member *ref, mb_value *out) {
  if (token == MB_JSON_TRUE || token == MB_JSON_FALSE) {
    mb_value_set_boolean(out, token == MB_JSON_TRUE);
    return 0;
  }
  if (token == MB_JSON_STRING) {
    return mb_scalar_read(r->c, ref, r->reader.text, r->reader.size, out);
  }
  return wrong(r, ref, "true or false");
}

static int read_scalar(json_reading *r, mb_json_token token, const mb_member *ref,
                       const mb_shape *shape, mb_value *out) {
  switch ((mb_shape_type)shape->type) {
  case MB_SHAPE_STRING:
    return read_text(r, token, ref, out);
  case MB_SHAPE_BLOB:
    return token == MB_JSON_STRING ? mb_scalar_read(r->c, ref, r->reader.text, r->reader.size, out)
                                   : wrong(r, ref, "base64 text");
  case MB_SHAPE_BOOLEAN:
    return read_boolean(r, token, ref, out);
  default:
    return read_number(r, token, ref, shape, out);
  }
}

static int read_any(json_reading *r, mb_json_token token, const mb_member *ref, bool secret,
                    mb_value *out) {
  const mb_shape *shape = mb_coding_shape(r->c, ref);
  if (token == MB_JSON_ERROR) {
    return malformed(r);
  }
  secret = secret || mb_secret_member(r->c, ref);
  switch ((mb_shape_type)shape->type) {
  case MB_SHAPE_STRUCTURE:
    return token == MB_JSON_OBJECT ? read_structure(r, shape, secret, out)
                                   : wrong(r, ref, "an object");
  case MB_SHAPE_LIST:
    return token == MB_JSON_ARRAY ? read_list(r, shape, secret, out) : wrong(r, ref, "an array");
  case MB_SHAPE_MAP:
    return token == MB_JSON_OBJECT ? read_map(r, shape, secret, out) : wrong(r, ref, "an object");
  case MB_SHAPE_DOCUMENT:
    return read_free(r, token, out);
  default:
    break;
  }
  if (read_scalar(r, token, ref, shape, out) != 0) {
    return -1;
  }
  mb_secret_mark(out, secret);
  return 0;
}

static int expect_end(json_reading *r) {
  return mb_json_next(&r->reader) == MB_JSON_END ? 0 : malformed(r);
}

static bool is_blank(const char *body, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (body[i] != ' ' && body[i] != '\n' && body[i] != '\r' && body[i] != '\t') {
      return false;
    }
  }
  return true;
}

int mb_json_body_read(mb_coding *c, const mb_shape *shape, const char *body, size_t size,
                      mb_value *out) {
  mb_value_set_map(out);
  if (is_blank(body, size)) {
    return 0;
  }
  json_reading r = {.c = c};
  mb_json_reader_init(&r.reader, c->arena, body, size);
  mb_json_token token = mb_json_next(&r.reader);
  if (token == MB_JSON_NULL) {
    return expect_end(&r);
  }
  if (token != MB_JSON_OBJECT) {
    return token == MB_JSON_ERROR ? malformed(&r)
                                  : mb_coding_unreadable(c, "the body is not a JSON object");
  }
  bool secret = (shape->flags & MB_SHAPE_SENSITIVE) != 0;
  return read_structure(&r, shape, secret, out) == 0 ? expect_end(&r) : -1;
}

int mb_json_body_read_member(mb_coding *c, const mb_member *ref, const char *body, size_t size,
                             mb_value *out) {
  json_reading r = {.c = c};
  mb_json_reader_init(&r.reader, c->arena, body, size);
  mb_json_token token = mb_json_next(&r.reader);
  if (token == MB_JSON_NULL) {
    mb_value_set_null(out);
    return expect_end(&r);
  }
  return read_any(&r, token, ref, false, out) == 0 ? expect_end(&r) : -1;
}
