/* Error answers, normalised: whatever the body, there is a code, and nothing hides the status. */
#include "aws/codec/internal.h"
#include <stdio.h>
#include <string.h>

#define MESSAGE_MAXIMUM 1024 /* of a body that is no error document */

typedef struct error_reading {
  mb_coding c;
  const mb_operation *operation;
  const mb_http_response *response;
  mb_service_error *out;
} error_reading;

static int out_of_memory(error_reading *r) {
  return mb_error_memory(r->c.error);
}

/* The bare name in "namespace#Name:http://explanation". */
static const char *bare_code(mb_arena *arena, const char *text) {
  const char *hash = strchr(text, '#');
  const char *colon = strchr(text, ':');
  if (hash != NULL && (colon == NULL || hash < colon)) {
    text = hash + 1;
  }
  colon = strchr(text, ':');
  size_t size = colon != NULL ? (size_t)(colon - text) : strlen(text);
  while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t')) {
    size--;
  }
  return mb_arena_strndup(arena, text, size);
}

static bool is_called(const mb_coding *c, const mb_shape *shape, const char *code) {
  return strcmp(mb_coding_text(c, shape->error_code), code) == 0 ||
         strcmp(mb_coding_text(c, shape->name), code) == 0;
}

static const mb_shape *find_among(const mb_coding *c, const mb_operation *operation,
                                  const char *code) {
  for (uint32_t i = 0; operation != NULL && i < operation->error_count; i++) {
    const mb_shape *shape = mb_model_error_at(c->model, operation, i);
    if (is_called(c, shape, code)) {
      return shape;
    }
  }
  return NULL;
}

/* Services also answer with exceptions that only their other operations declare. */
static const mb_shape *find_shape(const mb_coding *c, const mb_operation *operation,
                                  const char *code) {
  const mb_shape *found = *code != '\0' ? find_among(c, operation, code) : NULL;
  return found != NULL || *code == '\0' ? found
                                        : mb_model_error_by_code(c->model, code, strlen(code));
}

static int set_code(error_reading *r, const char *raw) {
  const char *code = bare_code(r->c.arena, raw);
  if (code == NULL) {
    return out_of_memory(r);
  }
  r->out->code = code;
  r->out->shape = find_shape(&r->c, r->operation, code);
  if (r->out->shape != NULL) {
    r->out->shape_name = mb_coding_text(&r->c, r->out->shape->name);
  }
  return 0;
}

/* The header of services that used to speak query: "Code;Fault", the code as query clients know it.
 * The modelled name stays beside it. */
static int apply_query_code(error_reading *r) {
  const char *header = mb_headers_get(&r->response->headers, "x-amzn-query-error");
  const char *semicolon = header != NULL ? strchr(header, ';') : NULL;
  if (semicolon == NULL || semicolon == header || strchr(semicolon + 1, ';') != NULL) {
    return 0;
  }
  r->out->code = mb_arena_strndup(r->c.arena, header, (size_t)(semicolon - header));
  return r->out->code != NULL ? 0 : out_of_memory(r);
}

/* ---- bodies ---- */

/* Members that cannot be read are left out: the code and message stand without them. */
static int drop_fields(error_reading *r, const mb_error *why) {
  mb_value_set_map(&r->out->fields);
  return why->kind == MB_ERROR_MEMORY ? out_of_memory(r) : 0;
}

static const char *first_text(const mb_value *body, const char *const *names, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const mb_value *value = mb_map_get(body, names[i]);
    if (mb_value_type(value) == MB_TYPE_STRING && value->as.bytes.size > 0) {
      return value->as.bytes.data;
    }
  }
  return "";
}

static int read_json(error_reading *r, const char *header_code) {
  static const char *const rpc[] = {"__type", "code", "Code", "error"};
  static const char *const rest[] = {"code", "Code", "__type", "error"};
  static const char *const messages[] = {"message", "Message", "errorMessage", "error_description"};
  mb_value *body;
  mb_error ignored;
  if (mb_value_from_json(r->c.arena, &body, r->response->body, r->response->body_size, &ignored) !=
      0) {
    return ignored.kind == MB_ERROR_MEMORY ? out_of_memory(r) : 1;
  }
  if (mb_value_type(body) != MB_TYPE_MAP) {
    return 1;
  }
  const char *const *names = r->c.service.protocol == MB_PROTOCOL_REST_JSON ? rest : rpc;
  r->out->message = first_text(body, messages, 4);
  if (set_code(r, *header_code != '\0' ? header_code : first_text(body, names, 4)) != 0) {
    return -1;
  }
  if (r->out->shape == NULL) {
    return 0;
  }
  mb_error inner;
  mb_coding fields = r->c;
  fields.error = &inner;
  int result = mb_json_body_read(&fields, r->out->shape, r->response->body, r->response->body_size,
                                 &r->out->fields);
  return result == 0 ? 0 : drop_fields(r, &inner);
}

static const mb_xml_node *error_node(const mb_xml_node *root) {
  if (strcmp(root->name, "Error") == 0) {
    return root;
  }
  const mb_xml_node *errors = mb_xml_child(root, "Errors");
  return mb_xml_child(errors != NULL ? errors : root, "Error");
}

static const char *either(const char *first, const char *second) {
  return *first != '\0' ? first : second;
}

static int read_xml(error_reading *r, const char *header_code) {
  const char *problem;
  unsigned long line;
  const mb_xml_node *root =
      mb_xml_read(r->c.arena, r->response->body, r->response->body_size, &problem, &line);
  const mb_xml_node *node = root != NULL ? error_node(root) : NULL;
  if (root == NULL && problem == NULL) {
    return out_of_memory(r);
  }
  if (node == NULL) {
    return 1;
  }
  r->out->message = either(mb_xml_child_text(node, "Message"), mb_xml_child_text(node, "message"));
  if (*r->out->request_id == '\0') {
    const char *outer =
        either(mb_xml_child_text(root, "RequestId"), mb_xml_child_text(root, "RequestID"));
    r->out->request_id = either(outer, mb_xml_child_text(node, "RequestId"));
  }
  if (*r->out->host_id == '\0') {
    r->out->host_id = mb_xml_child_text(node, "HostId");
  }
  if (set_code(r, either(mb_xml_child_text(node, "Code"), header_code)) != 0) {
    return -1;
  }
  if (r->out->shape == NULL) {
    return 0;
  }
  mb_error inner;
  mb_coding fields = r->c;
  fields.error = &inner;
  int result = mb_xml_body_read(&fields, r->out->shape, node, &r->out->fields);
  return result == 0 ? 0 : drop_fields(r, &inner);
}

/* ---- bodies that are no error document ---- */

static const char *status_text(int status) {
  static const struct {
    int status;
    const char *text;
  } texts[] = {{301, "Moved Permanently"},
               {304, "Not Modified"},
               {307, "Temporary Redirect"},
               {400, "Bad Request"},
               {401, "Unauthorized"},
               {403, "Forbidden"},
               {404, "Not Found"},
               {405, "Method Not Allowed"},
               {408, "Request Timeout"},
               {409, "Conflict"},
               {412, "Precondition Failed"},
               {413, "Content Too Large"},
               {416, "Range Not Satisfiable"},
               {429, "Too Many Requests"},
               {500, "Internal Server Error"},
               {502, "Bad Gateway"},
               {503, "Service Unavailable"},
               {504, "Gateway Timeout"}};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    if (texts[i].status == status) {
      return texts[i].text;
    }
  }
  return "";
}

/* The <title> of a page that some proxy or load balancer answered with. */
static bool find_title(const char *body, const char **title, size_t *size) {
  const char *open = strcasestr(body, "<title>");
  const char *close = open != NULL ? strcasestr(open, "</title>") : NULL;
  if (close == NULL) {
    return false;
  }
  *title = open + strlen("<title>");
  *size = (size_t)(close - *title);
  return true;
}

static int read_plain(error_reading *r) {
  const char *text = r->response->body != NULL ? r->response->body : "";
  size_t size = strnlen(text, r->response->body_size);
  find_title(text, &text, &size);
  while (size > 0 && strchr(" \t\r\n", text[size - 1]) != NULL) {
    size--;
  }
  if (size == 0) {
    r->out->message = status_text(r->response->status);
    return 0;
  }
  mb_buffer message;
  mb_buffer_init(&message, (size_t)MESSAGE_MAXIMUM * 16);
  mb_text_add_printable(&message, text, size < MESSAGE_MAXIMUM ? size : MESSAGE_MAXIMUM, false);
  r->out->message = mb_coding_take(&r->c, &message, NULL);
  if (r->out->message == NULL) {
    r->out->message = "";
    return -1;
  }
  return 0;
}

static bool speaks_xml(const mb_coding *c) {
  return c->service.protocol == MB_PROTOCOL_QUERY || c->service.protocol == MB_PROTOCOL_EC2 ||
         c->service.protocol == MB_PROTOCOL_REST_XML;
}

static int read_body(error_reading *r) {
  const char *header = mb_headers_get(&r->response->headers, "x-amzn-errortype");
  int result = 1;
  header = header != NULL ? header : "";
  if (r->response->body_size > 0) {
    result = speaks_xml(&r->c) ? read_xml(r, header) : read_json(r, header);
  }
  if (result <= 0) {
    return result;
  }
  return set_code(r, header) == 0 ? read_plain(r) : -1;
}

/* Exceptions model "message" where services send "Message" and the reverse. */
static int add_message_field(error_reading *r) {
  if (r->out->shape == NULL || *r->out->message == '\0') {
    return 0;
  }
  static const char *const names[] = {"message", "Message"};
  for (size_t i = 0; i < 2; i++) {
    const mb_member *member =
        mb_model_member_by_wire(r->c.model, r->out->shape, names[i], strlen(names[i]));
    if (member == NULL || mb_coding_get(&r->c, &r->out->fields, member) != NULL) {
      continue;
    }
    mb_value *value = mb_coding_add(&r->c, &r->out->fields, member);
    if (value == NULL || mb_value_set_string(r->c.arena, value, r->out->message) != 0) {
      return out_of_memory(r);
    }
  }
  return 0;
}

static int finish(error_reading *r) {
  bool rest = r->c.service.protocol == MB_PROTOCOL_REST_JSON ||
              r->c.service.protocol == MB_PROTOCOL_REST_XML;
  if (rest && r->out->shape != NULL &&
      mb_rest_read_headers(&r->c, r->out->shape, &r->response->headers, r->response->status,
                           &r->out->fields) != 0) {
    return -1;
  }
  if (add_message_field(r) != 0 || apply_query_code(r) != 0) {
    return -1;
  }
  if (*r->out->code == '\0') {
    r->out->code = mb_arena_printf(r->c.arena, "%d", r->response->status);
  }
  return r->out->code != NULL ? 0 : out_of_memory(r);
}

int mb_codec_decode_error(const mb_codec *codec, mb_arena *arena, const mb_operation *operation,
                          const mb_http_response *response, mb_service_error *out,
                          mb_error *error) {
  error_reading r = {.operation = operation, .response = response, .out = out};
  mb_coding_init(&r.c, codec, arena, error);
  *out = (mb_service_error){.code = "", .shape_name = "", .message = ""};
  mb_value_set_map(&out->fields);
  out->request_id = mb_codec_request_id(codec, response);
  const char *host = mb_headers_get(&response->headers, "x-amz-id-2");
  out->host_id = host != NULL ? host : "";
  return read_body(&r) == 0 ? finish(&r) : -1;
}

bool mb_codec_is_hidden_error(const mb_codec *codec, const mb_http_response *response) {
  mb_service service;
  mb_model_service(codec->model, &service);
  if (service.protocol != MB_PROTOCOL_REST_XML || response->status != 200 ||
      response->body_size == 0) {
    return false;
  }
  const char *at = response->body + strspn(response->body, " \t\r\n");
  if (strncmp(at, "<?xml", 5) == 0) {
    const char *end = strstr(at, "?>");
    at = end != NULL ? end + 2 + strspn(end + 2, " \t\r\n") : at;
  }
  return strncmp(at, "<Error>", 7) == 0;
}
