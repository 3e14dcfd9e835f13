/* Codecs: values to bytes and back, driven by the model. Both directions from the start: a client
 * encodes requests and decodes responses, a server (the simulator, and the tests' fake AWS) decodes
 * requests and encodes responses, through the same tables.
 */
#ifndef MB_AWS_CODEC_CODEC_H
#define MB_AWS_CODEC_CODEC_H

#include "aws/model/model.h"
#include "base/system.h"
#include "loop/http.h"

/* Which spelling of member names values use. Input is accepted in both. */
typedef enum mb_names { MB_NAMES_SNAKE = 0, MB_NAMES_MODEL } mb_names;

typedef struct mb_codec {
  const mb_model *model;
  const mb_system *system; /* for idempotency tokens */
  mb_names names;
  bool allow_unknown;    /* let unknown members through to the wire as they are (json only) */
  mb_protocol protocol;  /* 0: the model's; QUERY for a service that also speaks query */
  bool blobs_are_base64; /* strings given for blobs are base64 (JSON input of `moonbook call`) */
  /* Request bodies of this size and more are sent in gzip where the model says that the service
   * takes them so; 0: none is. */
  size_t compress_minimum;
} mb_codec;

/* Checks an input against its shape: required members, unknown members (with the nearest name),
 * types, integer ranges, minimum lengths, union arity, empty labels. The message gives the path:
 * "services[2]: expected a string, got a number". 0, or -1 with kind USAGE. */
int mb_codec_validate(const mb_codec *codec, const mb_operation *operation, const mb_value *input,
                      mb_error *error);

/* Marks what the model calls sensitive in an input as secret, so that whoever is told of the call
 * is not told that. What is sent stays the same. */
void mb_codec_mark_secrets(const mb_codec *codec, const mb_operation *operation, mb_value *input);

/* Fills idempotency tokens that are absent. 0, or -1 when memory has run out. */
int mb_codec_fill_tokens(const mb_codec *codec, mb_arena *arena, const mb_operation *operation,
                         mb_value *input, mb_error *error);

/* Builds method, path, query, headers, body and host prefix of a request (not the URL). `input` is
 * a map, or NULL for no input. */
int mb_codec_encode_request(const mb_codec *codec, mb_arena *arena, const mb_operation *operation,
                            const mb_value *input, mb_http_request *out, mb_error *error);

/* Reads a successful response. Error kind NETWORK, code "UnreadableResponse", when the body is not
 * what the protocol says. */
int mb_codec_decode_response(const mb_codec *codec, mb_arena *arena, const mb_operation *operation,
                             const mb_http_response *response, mb_value *out, mb_error *error);

/* An error answer, normalised (spec/aws-client.md 2.7). */
typedef struct mb_service_error {
  const char *code;       /* as a client should compare it */
  const char *shape_name; /* the modelled exception's name, or "" */
  const char *message;    /* "" when there is none */
  const char *request_id; /* "" when there is none */
  const char *host_id;    /* S3's x-amz-id-2, or "" */
  const mb_shape *shape;  /* the modelled exception, or NULL */
  mb_value fields;        /* its members, a map */
} mb_service_error;

/* Reads an error answer; any body whatever gives a sensible result. 0, or -1 when memory has run
 * out. */
int mb_codec_decode_error(const mb_codec *codec, mb_arena *arena, const mb_operation *operation,
                          const mb_http_response *response, mb_service_error *out, mb_error *error);

/* Whether a 200 is an error after all: S3 answers CopyObject, CompleteMultipartUpload and a few
 * more with an <Error> in the body once it has begun to answer. To be treated as a 500. */
bool mb_codec_is_hidden_error(const mb_codec *codec, const mb_http_response *response);

/* The request id among the headers of any response, "" when there is none (decode_error also looks
 * into the body). */
const char *mb_codec_request_id(const mb_codec *codec, const mb_http_response *response);

/* ---- the server's side ---- */

/* Which operation a request asks for; `body` is needed for the query protocols. NULL when none. */
const mb_operation *mb_codec_route(const mb_codec *codec, const mb_http_request *request);
int mb_codec_decode_request(const mb_codec *codec, mb_arena *arena, const mb_operation *operation,
                            const mb_http_request *request, mb_value *out, mb_error *error);
int mb_codec_encode_response(const mb_codec *codec, mb_arena *arena, const mb_operation *operation,
                             const mb_value *output, const char *request_id, mb_http_response *out,
                             mb_error *error);
/* `code` may be an exception's shape name or its code; `fields` adds modelled members (NULL: none);
 * `status` 0 takes the model's, else 400. */
int mb_codec_encode_error(const mb_codec *codec, mb_arena *arena, const mb_operation *operation,
                          const char *code, const char *message, int status, const mb_value *fields,
                          const char *request_id, mb_http_response *out, mb_error *error);

#endif
