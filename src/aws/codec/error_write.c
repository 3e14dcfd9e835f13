/* Error answers, written: what a server says when it refuses. */
#include "aws/codec/internal.h"
#include <string.h>

typedef struct error_writing {
  mb_coding *c;
  const mb_shape *shape; /* the modelled exception, or NULL */
  const char *code;      /* as it goes on the wire */
  const char *message;
  const char *request_id;
  const mb_value *fields; /* a map */
  bool sender;
} error_writing;

static const mb_shape *find_shape(const mb_coding *c, const mb_operation *operation,
                                  const char *code) {
  for (uint32_t i = 0; operation != NULL && i < operation->error_count; i++) {
    const mb_shape *shape = mb_model_error_at(c->model, operation, i);
    if (strcmp(mb_coding_text(c, shape->name), code) == 0 ||
        strcmp(mb_coding_text(c, shape->error_code), code) == 0) {
      return shape;
    }
  }
  return NULL;
}

/* The name under which the exception models its message: "message", "Message", or neither. */
static const char *message_name(const mb_coding *c, const mb_shape *shape) {
  static const char *const names[] = {"message", "Message"};
  for (size_t i = 0; shape != NULL && i < 2; i++) {
    if (mb_model_member_by_wire(c->model, shape, names[i], strlen(names[i])) != NULL) {
      return names[i];
    }
  }
  return "message";
}

static bool gives_message(const error_writing *w) {
  const mb_member *member = NULL;
  if (w->shape != NULL) {
    const char *name = message_name(w->c, w->shape);
    member = mb_model_member_by_wire(w->c->model, w->shape, name, strlen(name));
  }
  return member != NULL && mb_coding_get(w->c, w->fields, member) != NULL;
}

static void add_json_pair(mb_buffer *out, const char *name, const char *value) {
  mb_json_write_string(out, name, strlen(name));
  mb_buffer_add_char(out, ':');
  mb_json_write_string(out, value, strlen(value));
}

static int write_json(error_writing *w, mb_buffer *out, bool typed) {
  bool own = gives_message(w);
  mb_buffer_add_char(out, '{');
  if (typed) {
    add_json_pair(out, "__type", w->code);
  }
  if (!own && *w->message != '\0') {
    mb_buffer_add_text(out, typed ? "," : "");
    add_json_pair(out, message_name(w->c, w->shape), w->message);
  }
  if (w->shape == NULL || w->fields->count == 0) {
    mb_buffer_add_char(out, '}');
    return 0;
  }
  mb_buffer fields;
  mb_buffer_init(&fields, MB_CODEC_BODY_MAXIMUM);
  int result = mb_json_body_write(w->c, &fields, w->shape, w->fields, true);
  if (fields.failed) {
    result = mb_error_memory(w->c->error);
  } else if (result == 0 && fields.size > 2) {
    mb_buffer_add_text(out, out->size > 1 ? "," : "");
    mb_buffer_add(out, fields.data + 1, fields.size - 1); /* without its opening brace */
  } else {
    mb_buffer_add_char(out, '}');
  }
  mb_buffer_dispose(&fields);
  return result;
}

static void add_element(mb_buffer *out, const char *name, const char *text) {
  mb_buffer_addf(out, "<%s>", name);
  mb_xml_escape(out, text, strlen(text), false);
  mb_buffer_addf(out, "</%s>", name);
}

static int add_xml_error(error_writing *w, mb_buffer *out, bool typed) {
  mb_buffer_add_text(out, "<Error>");
  if (typed) {
    add_element(out, "Type", w->sender ? "Sender" : "Receiver");
  }
  add_element(out, "Code", w->code);
  if (!gives_message(w)) {
    add_element(out, "Message", w->message);
  }
  int result = w->shape != NULL ? mb_xml_body_write_members(w->c, out, w->shape, w->fields) : 0;
  return result;
}

static void add_xmlns(error_writing *w, mb_buffer *out) {
  if (*w->c->service.xml_namespace != '\0') {
    mb_buffer_add_text(out, " xmlns=\"");
    mb_xml_escape(out, w->c->service.xml_namespace, strlen(w->c->service.xml_namespace), true);
    mb_buffer_add_char(out, '"');
  }
}

static int write_xml(error_writing *w, mb_buffer *out) {
  if (w->c->service.protocol == MB_PROTOCOL_EC2) {
    mb_buffer_add_text(out, "<Response><Errors>");
    int result = add_xml_error(w, out, false);
    mb_buffer_add_text(out, "</Error></Errors>");
    add_element(out, "RequestID", w->request_id);
    mb_buffer_add_text(out, "</Response>");
    return result;
  }
  if (strcmp(w->c->service.service_id, "S3") == 0) { /* the one service without an envelope */
    int result = add_xml_error(w, out, false);
    add_element(out, "RequestId", w->request_id);
    mb_buffer_add_text(out, "</Error>");
    return result;
  }
  mb_buffer_add_text(out, "<ErrorResponse");
  add_xmlns(w, out);
  mb_buffer_add_char(out, '>');
  int result = add_xml_error(w, out, true);
  mb_buffer_add_text(out, "</Error>");
  add_element(out, "RequestId", w->request_id);
  mb_buffer_add_text(out, "</ErrorResponse>");
  return result;
}

static int write_body(error_writing *w, mb_http_response *out) {
  mb_buffer body;
  mb_buffer_init(&body, MB_CODEC_BODY_MAXIMUM);
  bool json = w->c->service.protocol == MB_PROTOCOL_JSON;
  bool rest_json = w->c->service.protocol == MB_PROTOCOL_REST_JSON;
  int result = json || rest_json ? write_json(w, &body, json) : write_xml(w, &body);
  out->body = mb_coding_take(w->c, &body, &out->body_size);
  if (result != 0 || out->body == NULL) {
    return -1;
  }
  if (json || rest_json) {
    char *type =
        json ? mb_arena_printf(w->c->arena, "application/x-amz-json-%s", w->c->service.json_version)
             : mb_arena_strdup(w->c->arena, "application/json");
    return type != NULL ? mb_coding_header(w->c, &out->headers, "Content-Type", type)
                        : mb_error_memory(w->c->error);
  }
  return mb_coding_header(w->c, &out->headers, "Content-Type", "text/xml");
}

static int write_headers(error_writing *w, mb_http_response *out) {
  mb_coding *c = w->c;
  bool rest =
      c->service.protocol == MB_PROTOCOL_REST_JSON || c->service.protocol == MB_PROTOCOL_REST_XML;
  if (rest && w->shape != NULL &&
      mb_rest_write_headers(c, w->shape, w->fields, &out->headers) != 0) {
    return -1;
  }
  if (c->service.protocol == MB_PROTOCOL_REST_JSON &&
      mb_coding_header(c, &out->headers, "x-amzn-ErrorType", w->code) != 0) {
    return -1;
  }
  if (c->service.query_compatible) {
    const char *query = w->shape != NULL && w->shape->error_code != 0
                            ? mb_coding_text(c, w->shape->error_code)
                            : w->code;
    char *value = mb_arena_printf(c->arena, "%s;%s", query, w->sender ? "Sender" : "Receiver");
    if (value == NULL) {
      return mb_error_memory(c->error);
    }
    if (mb_coding_header(c, &out->headers, "x-amzn-query-error", value) != 0) {
      return -1;
    }
  }
  return *w->request_id != '\0'
             ? mb_coding_header(c, &out->headers, "x-amzn-RequestId", w->request_id)
             : 0;
}

/* XML protocols send the code of an exception, the JSON ones its shape's name. */
static const char *wire_code(const mb_coding *c, const mb_shape *shape, const char *code) {
  if (shape == NULL) {
    return code;
  }
  bool json =
      c->service.protocol == MB_PROTOCOL_JSON || c->service.protocol == MB_PROTOCOL_REST_JSON;
  return mb_coding_text(c, !json && shape->error_code != 0 ? shape->error_code : shape->name);
}

int mb_codec_encode_error(const mb_codec *codec, mb_arena *arena, const mb_operation *operation,
                          const char *code, const char *message, int status, const mb_value *fields,
                          const char *request_id, mb_http_response *out, mb_error *error) {
  static const mb_value none = {.type = MB_TYPE_MAP};
  mb_coding c;
  mb_coding_init(&c, codec, arena, error);
  const mb_shape *shape = find_shape(&c, operation, code);
  error_writing w = {.c = &c,
                     .shape = shape,
                     .code = wire_code(&c, shape, code),
                     .message = message != NULL ? message : "",
                     .request_id = request_id != NULL ? request_id : "",
                     .fields = fields != NULL ? fields : &none};
  if (status == 0) {
    status = shape != NULL && shape->error_status != 0 ? (int)shape->error_status : 400;
  }
  w.sender = status < 500;
  *out = (mb_http_response){.status = status, .body = ""};
  return write_body(&w, out) == 0 ? write_headers(&w, out) : -1;
}
