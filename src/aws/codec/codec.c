/* The codec's front: which protocol a service speaks decides who writes and reads. */
#include "aws/codec/internal.h"
#include "base/digest.h"
#include <string.h>

static const mb_value no_input = {.type = MB_TYPE_MAP};

static const mb_shape *shape_at(const mb_coding *c, uint32_t index) {
  return index != MB_NO_INDEX ? mb_model_shape(c->model, index) : NULL;
}

int mb_codec_fill_tokens(const mb_codec *codec, mb_arena *arena, const mb_operation *operation,
                         mb_value *input, mb_error *error) {
  mb_coding c;
  mb_coding_init(&c, codec, arena, error);
  const mb_shape *shape = shape_at(&c, operation->input);
  for (uint32_t i = 0; shape != NULL && i < shape->member_count; i++) {
    const mb_member *member = &mb_model_members(c.model, shape)[i];
    if ((member->flags & MB_MEMBER_IDEMPOTENCY_TOKEN) == 0 || mb_coding_get(&c, input, member)) {
      continue;
    }
    char token[37];
    if (mb_uuid(codec->system, token) != 0) {
      return mb_error_set(error, MB_ERROR_INTERNAL, "NoRandomness",
                          "the system gives no random bytes for an idempotency token");
    }
    mb_value *value = mb_map_put(arena, input, mb_coding_name(&c, member));
    if (value == NULL || mb_value_set_string(arena, value, token) != 0) {
      return mb_error_memory(error);
    }
  }
  return 0;
}

/* ---- host prefix ---- */

static bool is_host_label(const char *text) {
  size_t size = strlen(text);
  for (size_t i = 0; i < size; i++) {
    bool alnum = (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z') ||
                 (text[i] >= '0' && text[i] <= '9');
    if (!alnum && text[i] != '-' && text[i] != '.') {
      return false;
    }
  }
  return size > 0 && size <= 63;
}

static int add_host_label(mb_coding *c, mb_buffer *out, const mb_shape *shape,
                          const mb_value *input, const char *label, size_t size) {
  const mb_member *member = shape != NULL ? mb_model_member(c->model, shape, label, size) : NULL;
  const char *text = member != NULL ? mb_value_string(mb_coding_get(c, input, member)) : "";
  if (!is_host_label(text)) {
    return mb_error_set(c->error, MB_ERROR_USAGE, "InvalidArgument",
                        "%s: it becomes part of the host name, so it must be 1 to 63 letters, "
                        "digits, hyphens or dots",
                        member != NULL ? mb_coding_name(c, member) : "an unknown member");
  }
  mb_buffer_add_text(out, text);
  return 0;
}

static int expand_prefix(mb_coding *c, mb_buffer *out, const mb_operation *operation,
                         const mb_value *input) {
  const char *at = mb_coding_text(c, operation->host_prefix);
  const mb_shape *shape = shape_at(c, operation->input);
  while (*at != '\0') {
    const char *close = *at == '{' ? strchr(at, '}') : NULL;
    if (close == NULL) {
      mb_buffer_add_char(out, *at++);
      continue;
    }
    if (add_host_label(c, out, shape, input, at + 1, (size_t)(close - at - 1)) != 0) {
      return -1;
    }
    at = close + 1;
  }
  return 0;
}

static int write_host_prefix(mb_coding *c, const mb_operation *operation, const mb_value *input,
                             mb_http_request *out) {
  if (operation->host_prefix == 0) {
    return 0;
  }
  mb_buffer text;
  mb_buffer_init(&text, 1024);
  int result = expand_prefix(c, &text, operation, input);
  out->host_prefix = mb_coding_take(c, &text, NULL);
  return result != 0 || out->host_prefix == NULL ? -1 : 0;
}

/* ---- requests ---- */

static int json_headers(mb_coding *c, mb_headers *headers) {
  const char *version = *c->service.json_version != '\0' ? c->service.json_version : "1.0";
  char *type = mb_arena_printf(c->arena, "application/x-amz-json-%s", version);
  return type != NULL ? mb_coding_header(c, headers, "Content-Type", type)
                      : mb_error_memory(c->error);
}

static int write_json_request(mb_coding *c, const mb_operation *operation, const mb_value *input,
                              mb_http_request *out) {
  char *target = mb_arena_printf(c->arena, "%s.%s", c->service.target_prefix,
                                 mb_coding_text(c, operation->name));
  if (target == NULL) {
    return mb_error_memory(c->error);
  }
  if (mb_coding_header(c, &out->headers, "X-Amz-Target", target) != 0 ||
      json_headers(c, &out->headers) != 0 ||
      (c->service.query_compatible &&
       mb_coding_header(c, &out->headers, "x-amzn-query-mode", "true") != 0)) {
    return -1;
  }
  mb_buffer body;
  mb_buffer_init(&body, MB_CODEC_BODY_MAXIMUM);
  const mb_shape *shape = shape_at(c, operation->input);
  int result = 0;
  if (shape != NULL) {
    result = mb_json_body_write(c, &body, shape, input, false);
  } else {
    mb_buffer_add_text(&body, "{}");
  }
  out->body = mb_coding_take(c, &body, &out->body_size);
  return result != 0 || out->body == NULL ? -1 : 0;
}

/* An operation that demands a checksum and names no algorithm of its own wants MD5. */
static int add_content_md5(mb_coding *c, const mb_operation *operation, mb_http_request *out) {
  unsigned char digest[16];
  if ((operation->flags & MB_OPERATION_CHECKSUM_REQUIRED) == 0 || operation->checksum != 0 ||
      mb_headers_get(&out->headers, "Content-MD5") != NULL) {
    return 0;
  }
  if (mb_digest_load(c->error) != 0) {
    return -1;
  }
  if (mb_md5(out->body != NULL ? out->body : "", out->body_size, digest) != 0) {
    return mb_error_set(c->error, MB_ERROR_INTERNAL, "NoDigest",
                        "OpenSSL computes no MD5 here, and %s asks for a Content-MD5 header",
                        mb_coding_text(c, operation->name));
  }
  mb_buffer text;
  mb_buffer_init(&text, 64);
  mb_text_add_base64(&text, digest, sizeof(digest));
  char *value = mb_coding_take(c, &text, NULL);
  return value != NULL ? mb_coding_header(c, &out->headers, "Content-MD5", value) : -1;
}

static int not_spoken(mb_coding *c) {
  return mb_error_set(c->error, MB_ERROR_USAGE, "ProtocolNotSpoken",
                      "the service %s speaks only a protocol that moonbook does not",
                      c->service.namespace_);
}

static int write_request(mb_coding *c, const mb_operation *operation, const mb_value *input,
                         mb_http_request *out) {
  switch (c->service.protocol) {
  case MB_PROTOCOL_JSON:
    return write_json_request(c, operation, input, out);
  case MB_PROTOCOL_QUERY:
  case MB_PROTOCOL_EC2:
    return mb_form_write_request(c, operation, input, out);
  case MB_PROTOCOL_REST_JSON:
  case MB_PROTOCOL_REST_XML:
    return mb_rest_write_request(c, operation, input, out);
  default:
    return not_spoken(c);
  }
}

int mb_codec_encode_request(const mb_codec *codec, mb_arena *arena, const mb_operation *operation,
                            const mb_value *input, mb_http_request *out, mb_error *error) {
  mb_coding c;
  mb_coding_init(&c, codec, arena, error);
  *out = (mb_http_request){.path = "/", .query = ""};
  out->method = mb_coding_text(&c, operation->method);
  if (input == NULL) {
    input = &no_input;
  }
  if (!mb_coding_is_map(input)) {
    return mb_coding_expected(&c, "the input", "a map", input);
  }
  if (write_host_prefix(&c, operation, input, out) != 0 ||
      write_request(&c, operation, input, out) != 0 ||
      mb_compress_request(&c, operation, out) != 0) {
    return -1;
  }
  return add_content_md5(&c, operation, out);
}

static int read_request(mb_coding *c, const mb_operation *operation, const mb_http_request *request,
                        mb_value *out) {
  const mb_shape *shape = shape_at(c, operation->input);
  switch (c->service.protocol) {
  case MB_PROTOCOL_JSON:
    return shape == NULL ? 0 : mb_json_body_read(c, shape, request->body, request->body_size, out);
  case MB_PROTOCOL_QUERY:
  case MB_PROTOCOL_EC2:
    if (request->body_size == 0 && request->query != NULL) {
      return mb_form_read_request(c, operation, request->query, strlen(request->query), out);
    }
    return mb_form_read_request(c, operation, request->body, request->body_size, out);
  case MB_PROTOCOL_REST_JSON:
  case MB_PROTOCOL_REST_XML:
    return mb_rest_read_request(c, operation, request, out);
  default:
    return not_spoken(c);
  }
}

int mb_codec_decode_request(const mb_codec *codec, mb_arena *arena, const mb_operation *operation,
                            const mb_http_request *request, mb_value *out, mb_error *error) {
  mb_coding c;
  mb_coding_init(&c, codec, arena, error);
  c.server = true;
  mb_value_set_map(out);
  mb_http_request plain;
  if (mb_decompress_request(&c, operation, request, &plain) != 0) {
    return -1;
  }
  return read_request(&c, operation, &plain, out);
}

/* ---- responses ---- */

/* Where a query answer's members lie: under <OpResult>, when there is such an element. */
static const mb_xml_node *find_result(mb_coding *c, const mb_operation *operation,
                                      const mb_xml_node *root) {
  const char *wrapper = mb_coding_text(c, operation->result_wrapper);
  const mb_xml_node *found = *wrapper != '\0' ? mb_xml_child(root, wrapper) : NULL;
  const char *name = mb_coding_text(c, operation->name);
  size_t size = strlen(name);
  for (const mb_xml_node *node = root->first; found == NULL && node != NULL; node = node->next) {
    if (strncmp(node->name, name, size) == 0 && strcmp(node->name + size, "Result") == 0) {
      found = node;
    }
  }
  return found != NULL ? found : root;
}

static int read_xml_response(mb_coding *c, const mb_operation *operation,
                             const mb_http_response *response, mb_value *out) {
  const mb_shape *shape = shape_at(c, operation->output);
  if (shape == NULL || response->body_size == 0) {
    return 0;
  }
  const char *problem;
  unsigned long line;
  const mb_xml_node *root =
      mb_xml_read(c->arena, response->body, response->body_size, &problem, &line);
  if (root == NULL) {
    return problem != NULL ? mb_coding_unreadable(c, "line %lu: %s", line, problem)
                           : mb_error_memory(c->error);
  }
  if (c->service.protocol == MB_PROTOCOL_QUERY) {
    root = find_result(c, operation, root);
  }
  return mb_xml_body_read(c, shape, root, out);
}

int mb_codec_decode_response(const mb_codec *codec, mb_arena *arena, const mb_operation *operation,
                             const mb_http_response *response, mb_value *out, mb_error *error) {
  mb_coding c;
  mb_coding_init(&c, codec, arena, error);
  const mb_shape *shape = shape_at(&c, operation->output);
  mb_value_set_map(out);
  switch (c.service.protocol) {
  case MB_PROTOCOL_JSON:
    return shape == NULL ? 0
                         : mb_json_body_read(&c, shape, response->body, response->body_size, out);
  case MB_PROTOCOL_QUERY:
  case MB_PROTOCOL_EC2:
    return read_xml_response(&c, operation, response, out);
  case MB_PROTOCOL_REST_JSON:
  case MB_PROTOCOL_REST_XML:
    return mb_rest_read_response(&c, operation, response, out);
  default:
    return not_spoken(&c);
  }
}

static int write_json_response(mb_coding *c, const mb_operation *operation, const mb_value *output,
                               mb_http_response *out) {
  mb_buffer body;
  mb_buffer_init(&body, MB_CODEC_BODY_MAXIMUM);
  const mb_shape *shape = shape_at(c, operation->output);
  int result = 0;
  if (shape != NULL) {
    result = mb_json_body_write(c, &body, shape, output, false);
  } else {
    mb_buffer_add_text(&body, "{}");
  }
  out->body = mb_coding_take(c, &body, &out->body_size);
  if (result != 0 || out->body == NULL) {
    return -1;
  }
  return json_headers(c, &out->headers);
}

static void open_response(mb_coding *c, mb_buffer *out, const char *name) {
  mb_buffer_addf(out, "<%sResponse", name);
  if (*c->service.xml_namespace != '\0') {
    mb_buffer_add_text(out, " xmlns=\"");
    mb_xml_escape(out, c->service.xml_namespace, strlen(c->service.xml_namespace), true);
    mb_buffer_add_char(out, '"');
  }
  mb_buffer_add_char(out, '>');
}

static int add_result(mb_coding *c, mb_buffer *out, const mb_operation *operation,
                      const mb_value *output) {
  const mb_shape *shape = shape_at(c, operation->output);
  const char *wrapper = mb_coding_text(c, operation->result_wrapper);
  const char *rest = "";
  if (*wrapper == '\0' && shape != NULL && c->codec->protocol == MB_PROTOCOL_QUERY) {
    wrapper = mb_coding_text(c, operation->name); /* the model is of the other protocol */
    rest = "Result";
  }
  bool wrapped = c->service.protocol == MB_PROTOCOL_QUERY && *wrapper != '\0';
  if (wrapped) {
    mb_buffer_addf(out, "<%s%s>", wrapper, rest);
  }
  if (shape != NULL && mb_xml_body_write_members(c, out, shape, output) != 0) {
    return -1;
  }
  if (wrapped) {
    mb_buffer_addf(out, "</%s%s>", wrapper, rest);
  }
  return 0;
}

static int write_xml_response(mb_coding *c, const mb_operation *operation, const mb_value *output,
                              const char *request_id, mb_http_response *out) {
  const char *name = mb_coding_text(c, operation->name);
  bool ec2 = c->service.protocol == MB_PROTOCOL_EC2;
  mb_buffer body;
  mb_buffer_init(&body, MB_CODEC_BODY_MAXIMUM);
  open_response(c, &body, name);
  mb_buffer_add_text(&body, ec2 ? "<requestId>" : "");
  if (ec2) {
    mb_xml_escape(&body, request_id, strlen(request_id), false);
    mb_buffer_add_text(&body, "</requestId>");
  }
  int result = add_result(c, &body, operation, output);
  if (!ec2) {
    mb_buffer_add_text(&body, "<ResponseMetadata><RequestId>");
    mb_xml_escape(&body, request_id, strlen(request_id), false);
    mb_buffer_add_text(&body, "</RequestId></ResponseMetadata>");
  }
  mb_buffer_addf(&body, "</%sResponse>", name);
  out->body = mb_coding_take(c, &body, &out->body_size);
  if (result != 0 || out->body == NULL) {
    return -1;
  }
  return mb_coding_header(c, &out->headers, "Content-Type", "text/xml;charset=UTF-8");
}

int mb_codec_encode_response(const mb_codec *codec, mb_arena *arena, const mb_operation *operation,
                             const mb_value *output, const char *request_id, mb_http_response *out,
                             mb_error *error) {
  mb_coding c;
  mb_coding_init(&c, codec, arena, error);
  *out = (mb_http_response){.status = 200, .body = ""};
  output = output != NULL ? output : &no_input;
  request_id = request_id != NULL ? request_id : "";
  if (!mb_coding_is_map(output)) {
    return mb_coding_expected(&c, "the output", "a map", output);
  }
  int result;
  switch (c.service.protocol) {
  case MB_PROTOCOL_JSON:
    result = write_json_response(&c, operation, output, out);
    break;
  case MB_PROTOCOL_QUERY:
  case MB_PROTOCOL_EC2:
    result = write_xml_response(&c, operation, output, request_id, out);
    break;
  case MB_PROTOCOL_REST_JSON:
  case MB_PROTOCOL_REST_XML:
    result = mb_rest_write_response(&c, operation, output, out);
    break;
  default:
    return not_spoken(&c);
  }
  return result != 0 || *request_id == '\0'
             ? result
             : mb_coding_header(&c, &out->headers, "x-amzn-RequestId", request_id);
}

const char *mb_codec_request_id(const mb_codec *codec, const mb_http_response *response) {
  static const char *const names[] = {"x-amzn-requestid", "x-amz-request-id", "x-amz-requestid"};
  (void)codec;
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    const char *found = mb_headers_get(&response->headers, names[i]);
    if (found != NULL && *found != '\0') {
      return found;
    }
  }
  return "";
}

/* ---- routing ---- */

static const mb_operation *route_target(const mb_coding *c, const mb_http_request *request) {
  const char *target = mb_headers_get(&request->headers, "X-Amz-Target");
  const char *dot = target != NULL ? strrchr(target, '.') : NULL;
  size_t prefix = strlen(c->service.target_prefix);
  if (dot == NULL || (size_t)(dot - target) != prefix ||
      memcmp(target, c->service.target_prefix, prefix) != 0) {
    return NULL;
  }
  return mb_model_operation(c->model, dot + 1);
}

/* The value of "Action" among the pairs of a form; false when it is not there or too long. */
static bool find_action(const char *form, size_t size, char *out, size_t capacity) {
  const char *end = form + size;
  while (form < end) {
    const char *stop = memchr(form, '&', (size_t)(end - form));
    stop = stop != NULL ? stop : end;
    if ((size_t)(stop - form) > 7 && memcmp(form, "Action=", 7) == 0) {
      size_t length = (size_t)(stop - form) - 7;
      if (length >= capacity) {
        return false;
      }
      memcpy(out, form + 7, length);
      out[length] = '\0';
      return true;
    }
    form = stop + (stop < end);
  }
  return false;
}

static const mb_operation *route_action(const mb_coding *c, const mb_http_request *request) {
  char action[128];
  const char *query = request->query != NULL ? request->query : "";
  if (!(request->body_size > 0 &&
        find_action(request->body, request->body_size, action, sizeof(action))) &&
      !find_action(query, strlen(query), action, sizeof(action))) {
    return NULL;
  }
  const mb_operation *operation = mb_model_operation(c->model, action);
  bool exact = operation != NULL && strcmp(mb_coding_text(c, operation->name), action) == 0;
  return exact ? operation : NULL;
}

const mb_operation *mb_codec_route(const mb_codec *codec, const mb_http_request *request) {
  mb_coding c;
  mb_coding_init(&c, codec, NULL, NULL);
  switch (c.service.protocol) {
  case MB_PROTOCOL_JSON:
    return route_target(&c, request);
  case MB_PROTOCOL_QUERY:
  case MB_PROTOCOL_EC2:
    return route_action(&c, request);
  case MB_PROTOCOL_REST_JSON:
  case MB_PROTOCOL_REST_XML:
    return mb_rest_route(&c, request);
  default:
    return NULL;
  }
}
