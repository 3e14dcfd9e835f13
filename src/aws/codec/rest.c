/* HTTP bindings, written: paths, queries, headers and payloads of rest-json and rest-xml. */
#include "aws/codec/internal.h"
#include <string.h>

static const char *body_type(const mb_coding *c) {
  return c->service.protocol == MB_PROTOCOL_REST_JSON ? "application/json" : "application/xml";
}

/* ---- the path ---- */

const mb_member *mb_rest_member(const mb_coding *c, const mb_shape *shape, mb_location location,
                                const char *wire, size_t size) {
  const mb_member *members = mb_model_members(c->model, shape);
  for (uint32_t i = 0; i < shape->member_count; i++) {
    const char *name = mb_coding_text(c, members[i].wire);
    if (members[i].location == location && strlen(name) == size && memcmp(name, wire, size) == 0) {
      return &members[i];
    }
  }
  return NULL;
}

static int add_label(mb_coding *c, mb_buffer *out, const mb_shape *shape, const mb_value *input,
                     const char *label, size_t size) {
  bool greedy = size > 0 && label[size - 1] == '+';
  size -= greedy;
  const mb_member *member =
      shape != NULL ? mb_rest_member(c, shape, MB_LOCATION_URI, label, size) : NULL;
  const mb_value *value = member != NULL ? mb_coding_get(c, input, member) : NULL;
  if (value == NULL) {
    return mb_error_set(c->error, MB_ERROR_USAGE, "MissingArgument",
                        "%s: this is required: it is part of the request's path",
                        member != NULL ? mb_coding_name(c, member) : "an unknown member");
  }
  mb_buffer text;
  mb_buffer_init(&text, MB_CODEC_HEAD_MAXIMUM);
  int result = mb_scalar_write(c, &text, member, value, MB_TIMESTAMP_ISO);
  if (text.failed) {
    result = mb_error_memory(c->error);
  } else if (result == 0 && text.size == 0) {
    result = mb_error_set(c->error, MB_ERROR_USAGE, "InvalidArgument",
                          "%s: this must not be empty: it is part of the request's path",
                          mb_coding_name(c, member));
  } else if (result == 0) {
    mb_text_add_uri(out, text.data, text.size, greedy ? "/" : "");
  }
  mb_buffer_dispose(&text);
  return result;
}

/* Where the path template begins. S3's endpoint rules put the bucket into the endpoint, as a host
 * label or as the first part of its path, so the request's own path leaves it out. */
static const char *path_template(const mb_coding *c, const mb_operation *operation) {
  static const char bucket[] = "/{Bucket}";
  const char *uri = mb_coding_text(c, operation->uri);
  if (strcmp(c->service.service_id, "S3") == 0 && mb_text_starts(uri, bucket)) {
    uri += sizeof(bucket) - 1;
  }
  return uri;
}

static int expand_path(mb_coding *c, mb_buffer *out, const mb_operation *operation,
                       const mb_shape *shape, const mb_value *input) {
  const char *at = path_template(c, operation);
  if (*at != '/') {
    mb_buffer_add_char(out, '/');
  }
  while (*at != '\0' && *at != '?') {
    const char *close = *at == '{' ? strchr(at, '}') : NULL;
    if (close == NULL) {
      mb_buffer_add_char(out, *at++);
      continue;
    }
    if (add_label(c, out, shape, input, at + 1, (size_t)(close - at - 1)) != 0) {
      return -1;
    }
    at = close + 1;
  }
  return 0;
}

static int write_path(mb_coding *c, const mb_operation *operation, const mb_shape *shape,
                      const mb_value *input, mb_http_request *out) {
  mb_buffer path;
  mb_buffer_init(&path, MB_CODEC_HEAD_MAXIMUM);
  int result = expand_path(c, &path, operation, shape, input);
  char *taken = mb_coding_take(c, &path, NULL);
  out->path = taken;
  return result != 0 || taken == NULL ? -1 : 0;
}

/* ---- the query ---- */

static int add_parameter(mb_coding *c, mb_buffer *out, const char *name, const mb_member *ref,
                         const mb_value *value) {
  mb_buffer text;
  if (mb_value_type(value) == MB_TYPE_NULL) {
    return 0;
  }
  mb_buffer_init(&text, MB_CODEC_HEAD_MAXIMUM);
  int result = mb_scalar_write(c, &text, ref, value, MB_TIMESTAMP_ISO);
  if (text.failed) {
    result = mb_error_memory(c->error);
  } else if (result == 0) {
    mb_buffer_add_text(out, out->size > 0 ? "&" : "");
    mb_text_add_uri(out, name, strlen(name), "");
    mb_buffer_add_char(out, '=');
    mb_text_add_uri(out, mb_buffer_text(&text), text.size, "");
  }
  mb_buffer_dispose(&text);
  return result;
}

static int add_parameters(mb_coding *c, mb_buffer *out, const char *name, const mb_member *ref,
                          const mb_value *value) {
  const mb_shape *shape = mb_coding_shape(c, ref);
  if (shape->type != MB_SHAPE_LIST) {
    return add_parameter(c, out, name, ref, value);
  }
  if (!mb_coding_is_list(value)) {
    return mb_coding_expected(c, mb_coding_name(c, ref), "a list", value);
  }
  const mb_member *item = mb_model_members(c->model, shape);
  for (size_t i = 0; i < value->count; i++) {
    if (add_parameter(c, out, name, item, mb_list_at(value, i)) != 0) {
      return -1;
    }
  }
  return 0;
}

/* Whether a parameter of that name is given by a member of its own; such a one wins over a map. */
static bool is_explicit(const mb_coding *c, const mb_shape *shape, const mb_value *input,
                        const mb_entry *entry) {
  const mb_member *members = mb_model_members(c->model, shape);
  for (uint32_t i = 0; i < shape->member_count; i++) {
    if (members[i].location == MB_LOCATION_QUERY &&
        mb_coding_shape(c, &members[i])->type != MB_SHAPE_MAP &&
        strcmp(mb_coding_text(c, members[i].wire), entry->key) == 0 &&
        mb_coding_get(c, input, &members[i]) != NULL) {
      return true;
    }
  }
  return false;
}

static int add_map(mb_coding *c, mb_buffer *out, const mb_shape *shape, const mb_value *input,
                   const mb_member *ref, const mb_value *map) {
  if (!mb_coding_is_map(map)) {
    return mb_coding_expected(c, mb_coding_name(c, ref), "a map", map);
  }
  const mb_member *item = mb_model_members(c->model, mb_coding_shape(c, ref)) + 1;
  for (size_t i = 0; i < map->count; i++) {
    const mb_entry *entry = &map->as.entries[i];
    if (!is_explicit(c, shape, input, entry) &&
        add_parameters(c, out, entry->key, item, &entry->value) != 0) {
      return -1;
    }
  }
  return 0;
}

/* First the members with a name of their own, then the maps. */
static int add_query(mb_coding *c, mb_buffer *out, const mb_shape *shape, const mb_value *input,
                     bool maps) {
  for (size_t i = 0; mb_value_type(input) == MB_TYPE_MAP && i < input->count; i++) {
    const mb_entry *entry = &input->as.entries[i];
    const mb_member *member = mb_coding_entry(c, shape, entry);
    if (member == NULL || member->location != MB_LOCATION_QUERY ||
        entry->value.type == MB_TYPE_NULL ||
        (mb_coding_shape(c, member)->type == MB_SHAPE_MAP) != maps) {
      continue;
    }
    int result =
        maps ? add_map(c, out, shape, input, member, &entry->value)
             : add_parameters(c, out, mb_coding_text(c, member->wire), member, &entry->value);
    if (result != 0) {
      return -1;
    }
  }
  return 0;
}

static int write_query(mb_coding *c, const mb_operation *operation, const mb_shape *shape,
                       const mb_value *input, mb_http_request *out) {
  const char *constant = strchr(mb_coding_text(c, operation->uri), '?');
  mb_buffer query;
  mb_buffer_init(&query, MB_CODEC_HEAD_MAXIMUM);
  mb_buffer_add_text(&query, constant != NULL ? constant + 1 : "");
  int result = 0;
  if (shape != NULL && (add_query(c, &query, shape, input, false) != 0 ||
                        add_query(c, &query, shape, input, true) != 0)) {
    result = -1;
  }
  char *taken = mb_coding_take(c, &query, NULL);
  out->query = taken;
  return result != 0 || taken == NULL ? -1 : 0;
}

/* ---- headers ---- */

/* An item of a list: quoted when it holds what separates items. */
static void add_quoted_item(mb_buffer *out, const char *text, size_t size) {
  if (memchr(text, ',', size) == NULL && memchr(text, '"', size) == NULL) {
    mb_buffer_add(out, text, size);
    return;
  }
  mb_buffer_add_char(out, '"');
  for (size_t i = 0; i < size; i++) {
    if (text[i] == '"' || text[i] == '\\') {
      mb_buffer_add_char(out, '\\');
    }
    mb_buffer_add_char(out, text[i]);
  }
  mb_buffer_add_char(out, '"');
}

static int add_item(mb_coding *c, mb_buffer *out, const mb_member *item, const mb_value *value) {
  if (mb_coding_shape(c, item)->type != MB_SHAPE_STRING) {
    return mb_scalar_write(c, out, item, value, MB_TIMESTAMP_HTTP);
  }
  mb_buffer text;
  mb_buffer_init(&text, MB_CODEC_HEAD_MAXIMUM);
  int result = mb_scalar_write(c, &text, item, value, MB_TIMESTAMP_HTTP);
  if (text.failed) {
    result = mb_error_memory(c->error);
  } else if (result == 0) {
    add_quoted_item(out, mb_buffer_text(&text), text.size);
  }
  mb_buffer_dispose(&text);
  return result;
}

static int add_list(mb_coding *c, mb_buffer *out, const mb_member *ref, const mb_value *value) {
  if (!mb_coding_is_list(value)) {
    return mb_coding_expected(c, mb_coding_name(c, ref), "a list", value);
  }
  const mb_member *item = mb_model_members(c->model, mb_coding_shape(c, ref));
  bool first = true;
  for (size_t i = 0; i < value->count; i++) {
    const mb_value *element = mb_list_at(value, i);
    if (mb_value_type(element) == MB_TYPE_NULL) {
      continue;
    }
    mb_buffer_add_text(out, first ? "" : ", ");
    first = false;
    if (add_item(c, out, item, element) != 0) {
      return -1;
    }
  }
  return 0;
}

/* JSON in a header travels as base64. */
static int add_json_value(mb_coding *c, mb_buffer *out, const mb_member *ref,
                          const mb_value *value) {
  mb_buffer text;
  mb_buffer_init(&text, MB_CODEC_HEAD_MAXIMUM);
  int result = mb_scalar_write(c, &text, ref, value, MB_TIMESTAMP_HTTP);
  if (text.failed) {
    result = mb_error_memory(c->error);
  } else if (result == 0) {
    mb_text_add_base64(out, mb_buffer_text(&text), text.size);
  }
  mb_buffer_dispose(&text);
  return result;
}

static int header_text(mb_coding *c, mb_buffer *out, const mb_member *ref, const mb_value *value) {
  const mb_shape *shape = mb_coding_shape(c, ref);
  if (shape->type == MB_SHAPE_LIST) {
    return add_list(c, out, ref, value);
  }
  bool json = ((ref->flags & MB_MEMBER_JSON_VALUE) | (shape->flags & MB_SHAPE_JSON_VALUE)) != 0;
  return json ? add_json_value(c, out, ref, value)
              : mb_scalar_write(c, out, ref, value, MB_TIMESTAMP_HTTP);
}

static int write_header(mb_coding *c, mb_headers *headers, const char *name, const mb_member *ref,
                        const mb_value *value) {
  mb_buffer text;
  mb_buffer_init(&text, MB_CODEC_HEAD_MAXIMUM);
  int result = header_text(c, &text, ref, value);
  size_t size = 0;
  char *taken = mb_coding_take(c, &text, &size);
  if (result != 0 || taken == NULL) {
    return -1;
  }
  if (strlen(taken) != size) {
    return mb_error_set(c->error, MB_ERROR_USAGE, "InvalidArgument",
                        "the value for the header %s holds a NUL", name);
  }
  return mb_coding_header(c, headers, name, taken);
}

static int write_prefixed(mb_coding *c, mb_headers *headers, const mb_member *ref,
                          const mb_value *map) {
  if (!mb_coding_is_map(map)) {
    return mb_coding_expected(c, mb_coding_name(c, ref), "a map", map);
  }
  const mb_member *item = mb_model_members(c->model, mb_coding_shape(c, ref)) + 1;
  for (size_t i = 0; i < map->count; i++) {
    const mb_entry *entry = &map->as.entries[i];
    const char *prefix = (ref->flags & MB_MEMBER_HAS_WIRE) != 0 ? mb_coding_text(c, ref->wire) : "";
    char *name = mb_arena_printf(c->arena, "%s%s", prefix, entry->key);
    if (name == NULL) {
      return mb_error_memory(c->error);
    }
    if (entry->value.type != MB_TYPE_NULL &&
        write_header(c, headers, name, item, &entry->value) != 0) {
      return -1;
    }
  }
  return 0;
}

int mb_rest_write_headers(mb_coding *c, const mb_shape *shape, const mb_value *value,
                          mb_headers *headers) {
  for (size_t i = 0; mb_value_type(value) == MB_TYPE_MAP && i < value->count; i++) {
    const mb_entry *entry = &value->as.entries[i];
    const mb_member *member = mb_coding_entry(c, shape, entry);
    if (member == NULL || entry->value.type == MB_TYPE_NULL) {
      continue;
    }
    int result = 0;
    if (member->location == MB_LOCATION_HEADER) {
      result = write_header(c, headers, mb_coding_text(c, member->wire), member, &entry->value);
    } else if (member->location == MB_LOCATION_HEADERS) {
      result = write_prefixed(c, headers, member, &entry->value);
    }
    if (result != 0) {
      return -1;
    }
  }
  return 0;
}

/* ---- the body ---- */

typedef struct rest_body {
  const char *data;
  size_t size;
  const char *type; /* NULL: none is sent unless a member gives one */
} rest_body;

static int take_body(mb_coding *c, mb_buffer *buffer, int result, const char *type,
                     rest_body *out) {
  out->data = mb_coding_take(c, buffer, &out->size);
  out->type = type;
  return result != 0 || out->data == NULL ? -1 : 0;
}

/* The name of a payload's root element. The models write a member's own name as its locationName
 * where the service gave none, so such a one says nothing, except with a namespace beside it: then
 * someone wrote it. */
static const char *payload_root(const mb_coding *c, const mb_member *payload,
                                const mb_shape *shape) {
  bool repeated = payload->wire == payload->name ||
                  strcmp(mb_coding_text(c, payload->wire), mb_coding_text(c, payload->name)) == 0;
  if ((payload->flags & MB_MEMBER_HAS_WIRE) != 0 && (!repeated || payload->xml_namespace != 0)) {
    return mb_coding_text(c, payload->wire);
  }
  return mb_coding_text(c, shape->xml_name != 0 ? shape->xml_name : shape->name);
}

static int write_structured(mb_coding *c, mb_buffer *out, const mb_member *payload,
                            const mb_shape *shape, const mb_value *value) {
  if (c->service.protocol == MB_PROTOCOL_REST_JSON) {
    return mb_json_body_write_member(c, out, payload, value);
  }
  if (shape->type != MB_SHAPE_STRUCTURE || !mb_coding_is_map(value)) {
    return mb_coding_expected(c, mb_coding_name(c, payload), "a map", value);
  }
  bool own = payload->xml_namespace != 0;
  mb_place here = {c->at, mb_coding_name(c, payload), 0};
  c->at = &here;
  int result = mb_xml_body_write(
      c, out, payload_root(c, payload, shape),
      mb_coding_text(c, own ? payload->xml_namespace : shape->xml_namespace),
      mb_coding_text(c, own ? payload->xml_prefix : shape->xml_prefix), shape, value);
  c->at = here.up;
  return result;
}

static int write_payload(mb_coding *c, const mb_member *payload, const mb_value *value,
                         rest_body *out) {
  const mb_shape *shape = mb_coding_shape(c, payload);
  mb_buffer buffer;
  if (value == NULL) {
    bool empty = c->service.protocol == MB_PROTOCOL_REST_JSON &&
                 shape->type == MB_SHAPE_STRUCTURE &&
                 (shape->flags & (MB_SHAPE_UNION | MB_SHAPE_EVENT_STREAM)) == 0;
    *out = empty ? (rest_body){"{}", 2, body_type(c)} : (rest_body){0};
    return 0;
  }
  if (shape->type == MB_SHAPE_BLOB) {
    bool typed = c->service.protocol == MB_PROTOCOL_REST_JSON;
    *out = (rest_body){.type = typed ? "application/octet-stream" : NULL};
    return mb_scalar_blob(c, payload, value, &out->data, &out->size);
  }
  mb_buffer_init(&buffer, MB_CODEC_BODY_MAXIMUM);
  if (shape->type == MB_SHAPE_STRING) {
    int result = mb_scalar_write(c, &buffer, payload, value, MB_TIMESTAMP_DEFAULT);
    return take_body(c, &buffer, result, "text/plain", out);
  }
  int result = write_structured(c, &buffer, payload, shape, value);
  return take_body(c, &buffer, result, body_type(c), out);
}

static bool has_body_members(const mb_coding *c, const mb_shape *shape) {
  for (uint32_t i = 0; i < shape->member_count; i++) {
    if (mb_model_members(c->model, shape)[i].location == MB_LOCATION_BODY) {
      return true;
    }
  }
  return false;
}

static bool gives_body(const mb_coding *c, const mb_shape *shape, const mb_value *value) {
  for (size_t i = 0; mb_value_type(value) == MB_TYPE_MAP && i < value->count; i++) {
    const mb_entry *entry = &value->as.entries[i];
    const mb_member *member = mb_coding_entry(c, shape, entry);
    if (entry->value.type != MB_TYPE_NULL &&
        (member == NULL || member->location == MB_LOCATION_BODY)) {
      return true;
    }
  }
  return false;
}

static int write_members_json(mb_coding *c, const mb_shape *shape, const mb_value *value,
                              rest_body *out) {
  if (!has_body_members(c, shape) && !gives_body(c, shape, value)) {
    *out = (rest_body){0};
    return 0;
  }
  mb_buffer buffer;
  mb_buffer_init(&buffer, MB_CODEC_BODY_MAXIMUM);
  int result = mb_json_body_write(c, &buffer, shape, value, true);
  return take_body(c, &buffer, result, body_type(c), out);
}

/* `root` and `xmlns` are what the operation calls its input; a shape's own name comes first. */
static int write_members_xml(mb_coding *c, const mb_shape *shape, const mb_value *value,
                             mb_text root, mb_text xmlns, mb_text prefix, rest_body *out) {
  *out = (rest_body){0};
  if (!gives_body(c, shape, value)) {
    return 0;
  }
  mb_text name = shape->xml_name != 0 ? shape->xml_name : root != 0 ? root : shape->name;
  bool own = xmlns != 0;
  mb_buffer buffer;
  mb_buffer_init(&buffer, MB_CODEC_BODY_MAXIMUM);
  int result = mb_xml_body_write(c, &buffer, mb_coding_text(c, name),
                                 mb_coding_text(c, own ? xmlns : shape->xml_namespace),
                                 mb_coding_text(c, own ? prefix : shape->xml_prefix), shape, value);
  return take_body(c, &buffer, result, body_type(c), out);
}

static int check_names(mb_coding *c, const mb_shape *shape, const mb_value *value) {
  for (size_t i = 0; mb_value_type(value) == MB_TYPE_MAP && i < value->count; i++) {
    const mb_entry *entry = &value->as.entries[i];
    bool json = c->service.protocol == MB_PROTOCOL_REST_JSON && c->codec->allow_unknown;
    if (entry->value.type != MB_TYPE_NULL && !json && mb_coding_entry(c, shape, entry) == NULL) {
      return mb_coding_unknown(c, shape, entry->key, entry->key);
    }
  }
  return 0;
}

static int write_body(mb_coding *c, const mb_shape *shape, const mb_value *value, mb_text root,
                      mb_text xmlns, mb_text prefix, rest_body *out) {
  if (check_names(c, shape, value) != 0) {
    return -1;
  }
  if (shape->payload != MB_NO_INDEX) {
    const mb_member *payload = mb_model_member_at(c->model, shape->payload);
    return write_payload(c, payload, mb_coding_get(c, value, payload), out);
  }
  return c->service.protocol == MB_PROTOCOL_REST_JSON
             ? write_members_json(c, shape, value, out)
             : write_members_xml(c, shape, value, root, xmlns, prefix, out);
}

int mb_rest_write_request(mb_coding *c, const mb_operation *operation, const mb_value *input,
                          mb_http_request *out) {
  const mb_shape *shape =
      operation->input != MB_NO_INDEX ? mb_model_shape(c->model, operation->input) : NULL;
  if (write_path(c, operation, shape, input, out) != 0 ||
      write_query(c, operation, shape, input, out) != 0) {
    return -1;
  }
  rest_body body = {0};
  if (shape != NULL &&
      (mb_rest_write_headers(c, shape, input, &out->headers) != 0 ||
       write_body(c, shape, input, operation->input_name, operation->input_namespace,
                  operation->input_prefix, &body) != 0)) {
    return -1;
  }
  out->body = body.data;
  out->body_size = body.size;
  if (body.type == NULL || mb_headers_get(&out->headers, "Content-Type") != NULL) {
    return 0;
  }
  return mb_coding_header(c, &out->headers, "Content-Type", body.type);
}

/* ---- responses ---- */

static int response_status(const mb_coding *c, const mb_operation *operation, const mb_shape *shape,
                           const mb_value *output) {
  for (uint32_t i = 0; shape != NULL && i < shape->member_count; i++) {
    const mb_member *member = &mb_model_members(c->model, shape)[i];
    int64_t status = mb_value_integer(mb_coding_get(c, output, member));
    if (member->location == MB_LOCATION_STATUS && status >= 200 && status <= 599) {
      return (int)status;
    }
  }
  return operation->response_status != 0 ? (int)operation->response_status : 200;
}

int mb_rest_write_response(mb_coding *c, const mb_operation *operation, const mb_value *output,
                           mb_http_response *out) {
  const mb_shape *shape =
      operation->output != MB_NO_INDEX ? mb_model_shape(c->model, operation->output) : NULL;
  out->status = response_status(c, operation, shape, output);
  rest_body body = {0};
  if (shape != NULL && (mb_rest_write_headers(c, shape, output, &out->headers) != 0 ||
                        write_body(c, shape, output, 0, 0, 0, &body) != 0)) {
    return -1;
  }
  out->body = body.data != NULL ? body.data : "";
  out->body_size = body.size;
  if (body.type == NULL || mb_headers_get(&out->headers, "Content-Type") != NULL) {
    return 0;
  }
  return mb_coding_header(c, &out->headers, "Content-Type", body.type);
}
