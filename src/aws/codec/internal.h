/* What the codec's files share: one coding job, the scalars, and the bodies of each protocol. */
#ifndef MB_AWS_CODEC_INTERNAL_H
#define MB_AWS_CODEC_INTERNAL_H

#include "aws/codec/codec.h"
#include "aws/codec/xml_read.h"
#include "base/json.h"
#include "base/text.h"

#define MB_CODEC_BODY_MAXIMUM ((size_t)256 << 20)
#define MB_CODEC_HEAD_MAXIMUM ((size_t)1 << 20) /* path, query or one header */
#define MB_CODEC_DEPTH        100

/* Where in a value we are; the innermost is at hand, `up` leads outwards. */
typedef struct mb_place {
  const struct mb_place *up;
  const char *name; /* NULL: an index */
  size_t index;
} mb_place;

/* The place as text, "services[2].name"; cut when very long. Dispose of `buffer` afterwards. */
const char *mb_place_text(mb_buffer *buffer, const mb_place *at);

/* One value being turned into bytes or back. */
typedef struct mb_coding {
  const mb_codec *codec;
  const mb_model *model;
  mb_arena *arena;
  mb_error *error;
  mb_service service;
  const mb_place *at; /* what an XML body is being written from; NULL: the whole value */
  int depth;          /* of the value being written or read */
  bool server;        /* the bytes being read are a request: a fault in them is the sender's */
} mb_coding;

void mb_coding_init(mb_coding *c, const mb_codec *codec, mb_arena *arena, mb_error *error);

static inline const char *mb_coding_text(const mb_coding *c, mb_text text) {
  return mb_model_text(c->model, text);
}
static inline const mb_shape *mb_coding_shape(const mb_coding *c, const mb_member *ref) {
  return mb_model_shape(c->model, ref->shape);
}

/* The name a member has in values. */
const char *mb_coding_name(const mb_coding *c, const mb_member *member);
/* A member's value in a map in either spelling; NULL when absent or null. */
const mb_value *mb_coding_get(const mb_coding *c, const mb_value *map, const mb_member *member);
/* Adds a null for a member to a map being decoded. NULL (with the error set) without memory. */
mb_value *mb_coding_add(mb_coding *c, mb_value *map, const mb_member *member);
/* Adds a key that is not the model's, copied. */
mb_value *mb_coding_add_key(mb_coding *c, mb_value *map, const char *key, size_t size);
mb_value *mb_coding_add_item(mb_coding *c, mb_value *list);

/* Lua cannot tell an empty list from an empty map: each stands for the other. */
bool mb_coding_is_map(const mb_value *value);
bool mb_coding_is_list(const mb_value *value);

/* Finds the member an input's key means. NULL when the shape has none; `*skip` is set when the
 * entry is not to be sent (a null). */
const mb_member *mb_coding_entry(const mb_coding *c, const mb_shape *shape, const mb_entry *entry);

/* The errors. All return -1. */
int mb_coding_expected(mb_coding *c, const char *what, const char *expected, const mb_value *got);
int mb_coding_unreadable(mb_coding *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Goes one level down: -1 (with the error set) when that is too deep. Pair with `c->depth--`. */
int mb_coding_descend(mb_coding *c);
int mb_coding_unknown(mb_coding *c, const mb_shape *shape, const char *where, const char *key);

/* Moves a finished buffer into the arena (NUL-terminated), wiping it. NULL with the error set. */
char *mb_coding_take(mb_coding *c, mb_buffer *buffer, size_t *size);
/* Decodes base64 into the arena. 0; 1 when the text is none; -1 with the error set. */
int mb_coding_base64(mb_coding *c, const char *text, size_t size, const char **data,
                     size_t *data_size);
int mb_coding_header(mb_coding *c, mb_headers *headers, const char *name, const char *value);

/* ---- scalar.c ---- */

bool mb_scalar_integer(const mb_value *value, int64_t *out); /* integral doubles included */
bool mb_scalar_number(const mb_value *value, double *out);   /* "NaN" and its friends included */
bool mb_scalar_time(const mb_value *value, double *out);     /* number or text */
mb_timestamp_format mb_scalar_format(const mb_coding *c, const mb_member *ref,
                                     mb_timestamp_format fallback);
void mb_scalar_add_time(mb_buffer *out, const mb_value *value, double seconds,
                        mb_timestamp_format format);
void mb_scalar_add_number(mb_buffer *out, const mb_value *value, double number);
int mb_scalar_blob(mb_coding *c, const mb_member *ref, const mb_value *value, const char **data,
                   size_t *size);
void mb_scalar_set_time(mb_value *out, double seconds);
/* The text of a scalar in forms, XML, headers and labels. 0, or -1. */
int mb_scalar_write(mb_coding *c, mb_buffer *out, const mb_member *ref, const mb_value *value,
                    mb_timestamp_format fallback);
/* The reverse. An empty text for anything but a string or a blob leaves null. */
int mb_scalar_read(mb_coding *c, const mb_member *ref, const char *text, size_t size,
                   mb_value *out);

/* ---- secret.c ---- */

/* Whether a value reached through `ref` is sensitive. */
bool mb_secret_member(const mb_coding *c, const mb_member *ref);
void mb_secret_mark(mb_value *value, bool inherited);
/* Takes the mark off values of a structure that the model calls sensitive and that are not. */
void mb_secret_relax(const mb_coding *c, const mb_shape *shape, mb_value *structure);

/* ---- json_body.c ---- */

/* `only_body`: skip members that travel elsewhere (rest-json). */
int mb_json_body_write(mb_coding *c, mb_buffer *out, const mb_shape *shape, const mb_value *value,
                       bool only_body);
int mb_json_body_write_member(mb_coding *c, mb_buffer *out, const mb_member *ref,
                              const mb_value *value);
/* Reads a structure's members into `out`, a map; an empty body gives no members. */
int mb_json_body_read(mb_coding *c, const mb_shape *shape, const char *body, size_t size,
                      mb_value *out);
int mb_json_body_read_member(mb_coding *c, const mb_member *ref, const char *body, size_t size,
                             mb_value *out);

/* ---- form.c, form_read.c ---- */

int mb_form_write_request(mb_coding *c, const mb_operation *operation, const mb_value *input,
                          mb_http_request *out);
int mb_form_read_request(mb_coding *c, const mb_operation *operation, const char *body, size_t size,
                         mb_value *out);
/* The name of a member in a form. `ec2` names get a capital first letter. */
void mb_form_add_name(const mb_coding *c, mb_buffer *out, const mb_member *member);
/* The name of the elements of a flattened list. */
const char *mb_flat_name(const mb_coding *c, const mb_member *ref, const mb_shape *list);
bool mb_is_flat(const mb_shape *shape, const mb_member *ref);

/* ---- xml_body.c ---- */

int mb_xml_body_write(mb_coding *c, mb_buffer *out, const char *root, const char *xmlns,
                      const char *prefix, const mb_shape *shape, const mb_value *value);
/* Only the members, without an element around them. */
int mb_xml_body_write_members(mb_coding *c, mb_buffer *out, const mb_shape *shape,
                              const mb_value *value);
int mb_xml_body_read(mb_coding *c, const mb_shape *shape, const mb_xml_node *node, mb_value *out);
void mb_xml_escape(mb_buffer *out, const char *text, size_t size, bool attribute);

/* ---- compress.c ---- */

/* Puts a finished request's body into gzip if the model allows it and the body is large enough. */
int mb_compress_request(mb_coding *c, const mb_operation *operation, mb_http_request *out);
/* Gives the request as it was before it was packed in gzip: a copy that shares what did not change.
 */
int mb_decompress_request(mb_coding *c, const mb_operation *operation, const mb_http_request *in,
                          mb_http_request *out);

/* ---- rest.c, rest_read.c, rest_route.c ---- */

int mb_rest_write_request(mb_coding *c, const mb_operation *operation, const mb_value *input,
                          mb_http_request *out);
int mb_rest_read_request(mb_coding *c, const mb_operation *operation,
                         const mb_http_request *request, mb_value *out);
int mb_rest_write_response(mb_coding *c, const mb_operation *operation, const mb_value *output,
                           mb_http_response *out);
int mb_rest_read_response(mb_coding *c, const mb_operation *operation,
                          const mb_http_response *response, mb_value *out);
/* The members of a structure that travel in headers and the status; for responses and errors. */
int mb_rest_read_headers(mb_coding *c, const mb_shape *shape, const mb_headers *headers, int status,
                         mb_value *out);
int mb_rest_write_headers(mb_coding *c, const mb_shape *shape, const mb_value *value,
                          mb_headers *headers);
int mb_rest_read_body(mb_coding *c, const mb_shape *shape, const char *body, size_t size,
                      mb_value *out);
int mb_rest_add_item(mb_coding *c, const mb_member *item, const char *text, size_t size,
                     mb_value *out);
/* The member bound to a label, parameter or header of that name, or NULL. */
const mb_member *mb_rest_member(const mb_coding *c, const mb_shape *shape, mb_location location,
                                const char *wire, size_t size);
const mb_operation *mb_rest_route(const mb_coding *c, const mb_http_request *request);
/* Decodes %XX (and '+' as a space when `form`) into the arena. NULL with the error set. */
char *mb_coding_percent(mb_coding *c, const char *text, size_t size, bool form, size_t *out_size);

#endif
