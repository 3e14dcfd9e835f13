/* HTTP bindings, read: headers, status and body of answers, and the bodies of requests. */
#include "aws/codec/internal.h"
#include <string.h>
#include <strings.h>

/* ---- headers ---- */

static size_t skip_blank(const char *text, size_t at, size_t size) {
  while (at < size && (text[at] == ' ' || text[at] == '\t')) {
    at++;
  }
  return at;
}

int mb_rest_add_item(mb_coding *c, const mb_member *item, const char *text, size_t size,
                     mb_value *out) {
  mb_value *value = mb_coding_add_item(c, out);
  return value != NULL ? mb_scalar_read(c, item, text, size, value) : -1;
}

/* A quoted item from behind its opening quote. Returns the place behind the closing one. */
static size_t unquote(const char *text, size_t at, size_t size, mb_buffer *out) {
  while (at < size && text[at] != '"') {
    if (text[at] == '\\' && at + 1 < size) {
      at++;
    }
    mb_buffer_add_char(out, text[at++]);
  }
  return at + (at < size);
}

static int read_quoted(mb_coding *c, const mb_member *item, const char *text, size_t size,
                       size_t *at, mb_value *out) {
  mb_buffer plain;
  mb_buffer_init(&plain, size + 1);
  *at = unquote(text, *at + 1, size, &plain);
  int result = plain.failed ? mb_error_memory(c->error)
                            : mb_rest_add_item(c, item, mb_buffer_text(&plain), plain.size, out);
  mb_buffer_dispose(&plain);
  const char *comma = memchr(text + *at, ',', size - *at);
  *at = comma != NULL ? (size_t)(comma - text) + 1 : size;
  return result;
}

/* Where an item that began at `at` ends. A date of the HTTP form holds a comma of its own. */
static size_t item_end(const char *text, size_t at, size_t size, bool dates) {
  size_t end = at;
  for (int commas = dates ? 2 : 1; end < size; end++) {
    if (text[end] == ',' && --commas == 0) {
      break;
    }
  }
  return end;
}

static int read_list(mb_coding *c, const mb_member *ref, const char *text, mb_value *out) {
  const mb_member *item = mb_model_members(c->model, mb_coding_shape(c, ref));
  bool dates = mb_coding_shape(c, item)->type == MB_SHAPE_TIMESTAMP &&
               mb_scalar_format(c, item, MB_TIMESTAMP_HTTP) == MB_TIMESTAMP_HTTP;
  size_t size = strlen(text);
  size_t at = skip_blank(text, 0, size);
  mb_value_set_list(out);
  while (at < size) {
    if (text[at] == '"') {
      if (read_quoted(c, item, text, size, &at, out) != 0) {
        return -1;
      }
    } else {
      size_t end = item_end(text, at, size, dates);
      size_t stop = end;
      while (stop > at && (text[stop - 1] == ' ' || text[stop - 1] == '\t')) {
        stop--;
      }
      if (mb_rest_add_item(c, item, text + at, stop - at, out) != 0) {
        return -1;
      }
      at = end + 1;
    }
    at = skip_blank(text, at < size ? at : size, size);
  }
  return 0;
}

static int read_json_value(mb_coding *c, const mb_member *ref, const char *text, mb_value *out) {
  const char *data;
  size_t size;
  int result = mb_coding_base64(c, text, strlen(text), &data, &size);
  if (result != 0) {
    return result < 0 ? -1
                      : mb_coding_unreadable(c, "the header %s is not base64",
                                             mb_coding_text(c, ref->wire));
  }
  mb_value_borrow(out, MB_TYPE_STRING, data, size);
  return 0;
}

static int read_header(mb_coding *c, const mb_member *ref, const char *text, mb_value *out) {
  const mb_shape *shape = mb_coding_shape(c, ref);
  bool json = ((ref->flags & MB_MEMBER_JSON_VALUE) | (shape->flags & MB_SHAPE_JSON_VALUE)) != 0;
  int result = shape->type == MB_SHAPE_LIST ? read_list(c, ref, text, out)
               : json                       ? read_json_value(c, ref, text, out)
                                            : mb_scalar_read(c, ref, text, strlen(text), out);
  if (result == 0) {
    mb_secret_mark(out, mb_secret_member(c, ref));
  }
  return result;
}

static int read_prefixed(mb_coding *c, const mb_member *ref, const mb_headers *headers,
                         mb_value *out) {
  const char *prefix = (ref->flags & MB_MEMBER_HAS_WIRE) != 0 ? mb_coding_text(c, ref->wire) : "";
  const mb_member *item = mb_model_members(c->model, mb_coding_shape(c, ref)) + 1;
  size_t size = strlen(prefix);
  mb_value_set_map(out);
  for (size_t i = 0; i < headers->count; i++) {
    const mb_header *header = &headers->items[i];
    if (strncasecmp(header->name, prefix, size) != 0) {
      continue;
    }
    mb_value *value = mb_coding_add_key(c, out, header->name + size, strlen(header->name + size));
    if (value == NULL || read_header(c, item, header->value, value) != 0) {
      return -1;
    }
  }
  return 0;
}

static int read_from_head(mb_coding *c, const mb_member *member, const mb_headers *headers,
                          int status, mb_value *out) {
  const char *text = NULL;
  if (member->location == MB_LOCATION_HEADER) {
    text = mb_headers_get(headers, mb_coding_text(c, member->wire));
  }
  bool given = text != NULL || member->location == MB_LOCATION_HEADERS ||
               (member->location == MB_LOCATION_STATUS && status != 0);
  if (!given) {
    return 0;
  }
  mb_value *value = mb_coding_add(c, out, member);
  if (value == NULL) {
    return -1;
  }
  if (member->location == MB_LOCATION_STATUS) {
    mb_value_set_integer(value, status);
    return 0;
  }
  return member->location == MB_LOCATION_HEADERS ? read_prefixed(c, member, headers, value)
                                                 : read_header(c, member, text, value);
}

int mb_rest_read_headers(mb_coding *c, const mb_shape *shape, const mb_headers *headers, int status,
                         mb_value *out) {
  const mb_member *members = mb_model_members(c->model, shape);
  for (uint32_t i = 0; i < shape->member_count; i++) {
    if (read_from_head(c, &members[i], headers, status, out) != 0) {
      return -1;
    }
  }
  return 0;
}

/* ---- bodies ---- */

static int read_xml(mb_coding *c, const char *body, size_t size, const mb_xml_node **root) {
  const char *problem;
  unsigned long line;
  *root = mb_xml_read(c->arena, body, size, &problem, &line);
  if (*root != NULL) {
    return 0;
  }
  return problem != NULL ? mb_coding_unreadable(c, "line %lu: %s", line, problem)
                         : mb_error_memory(c->error);
}

static int read_structured(mb_coding *c, const mb_member *payload, const char *body, size_t size,
                           mb_value *out) {
  if (c->service.protocol == MB_PROTOCOL_REST_JSON) {
    return mb_json_body_read_member(c, payload, body, size, out);
  }
  const mb_xml_node *root;
  if (read_xml(c, body, size, &root) != 0) {
    return -1;
  }
  return mb_xml_body_read(c, mb_coding_shape(c, payload), root, out);
}

static int read_payload(mb_coding *c, const mb_member *payload, const char *body, size_t size,
                        mb_value *out) {
  const mb_shape *shape = mb_coding_shape(c, payload);
  if (size == 0 || (shape->flags & MB_SHAPE_EVENT_STREAM) != 0) {
    return 0;
  }
  mb_value *value = mb_coding_add(c, out, payload);
  if (value == NULL) {
    return -1;
  }
  if (shape->type == MB_SHAPE_BLOB || shape->type == MB_SHAPE_STRING) {
    mb_type type = shape->type == MB_SHAPE_BLOB ? MB_TYPE_BLOB : MB_TYPE_STRING;
    if (mb_value_set_bytes(c->arena, value, type, body, size) != 0) {
      return mb_error_memory(c->error);
    }
    mb_secret_mark(value, mb_secret_member(c, payload));
    return 0;
  }
  if (c->service.protocol == MB_PROTOCOL_REST_XML && shape->type != MB_SHAPE_STRUCTURE) {
    return mb_coding_unreadable(c, "%s is modelled as a payload that XML cannot carry",
                                mb_coding_text(c, payload->name));
  }
  return read_structured(c, payload, body, size, value);
}

static bool expects_body(const mb_coding *c, const mb_shape *shape) {
  for (uint32_t i = 0; i < shape->member_count; i++) {
    uint8_t location = mb_model_members(c->model, shape)[i].location;
    if (location == MB_LOCATION_BODY ||
        (!c->server && (location == MB_LOCATION_QUERY || location == MB_LOCATION_URI))) {
      return true; /* an answer has no query: a member bound there lies in the body */
    }
  }
  return false;
}

int mb_rest_read_body(mb_coding *c, const mb_shape *shape, const char *body, size_t size,
                      mb_value *out) {
  if (shape->payload != MB_NO_INDEX) {
    return read_payload(c, mb_model_member_at(c->model, shape->payload), body, size, out);
  }
  if (size == 0 || !expects_body(c, shape)) {
    return 0;
  }
  if (c->service.protocol == MB_PROTOCOL_REST_JSON) {
    return mb_json_body_read(c, shape, body, size, out);
  }
  const mb_xml_node *root;
  return read_xml(c, body, size, &root) == 0 ? mb_xml_body_read(c, shape, root, out) : -1;
}

int mb_rest_read_response(mb_coding *c, const mb_operation *operation,
                          const mb_http_response *response, mb_value *out) {
  if (operation->output == MB_NO_INDEX) {
    return 0;
  }
  const mb_shape *shape = mb_model_shape(c->model, operation->output);
  if (mb_rest_read_body(c, shape, response->body, response->body_size, out) != 0) {
    return -1;
  }
  return mb_rest_read_headers(c, shape, &response->headers, response->status, out);
}
