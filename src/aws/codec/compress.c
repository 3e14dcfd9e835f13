/* Request bodies in gzip: packed for the operations whose model says that the service takes them
 * so, and unpacked on the server's side. */
#define ZLIB_CONST
#include "aws/codec/internal.h"
#include "base/memory.h"
#include "base/text.h"
#include <string.h>
#include <zlib.h>

#define GZIP_WINDOW (MAX_WBITS + 16) /* 16 more asks zlib for gzip's head and tail */
#define GZIP_MEMORY 8                /* zlib's own choice */
#define PIECE_SIZE  ((size_t)16 << 10)

/* What cannot be made smaller grows by a few bytes per block of it. */
#define COMPRESSED_MAXIMUM (MB_CODEC_BODY_MAXIMUM + (MB_CODEC_BODY_MAXIMUM >> 8))

static void *take_memory(void *payload, uInt count, uInt size) {
  return mb_alloc_zero(count, size);
}

static void give_memory(void *payload, void *pointer) {
  mb_free(pointer);
}

static int fail(mb_coding *c, int status, const z_stream *stream) {
  if (status == Z_MEM_ERROR) {
    return mb_error_memory(c->error);
  }
  mb_error_set(c->error, MB_ERROR_INTERNAL, "CompressionFailed",
               "zlib could not compress the request's body (%d): %s", status,
               stream->msg != NULL ? stream->msg : "it gives no reason");
  return mb_error_next(c->error, "set AWS_DISABLE_REQUEST_COMPRESSION=true to send it as it is");
}

static int write_gzip(mb_coding *c, mb_buffer *out, const char *data, size_t size) {
  char piece[PIECE_SIZE];
  z_stream stream = {.zalloc = take_memory, .zfree = give_memory};
  int status = deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
                            Z_DEFAULT_STRATEGY);
  if (status != Z_OK) {
    return fail(c, status, &stream);
  }
  stream.next_in = (const Bytef *)data;
  stream.avail_in = (uInt)size;
  do {
    stream.next_out = (Bytef *)piece;
    stream.avail_out = (uInt)sizeof(piece);
    status = deflate(&stream, Z_FINISH);
    mb_buffer_add(out, piece, sizeof(piece) - stream.avail_out);
  } while (status == Z_OK && !out->failed);
  int result = status == Z_STREAM_END || out->failed ? 0 : fail(c, status, &stream);
  deflateEnd(&stream);
  return result;
}

/* Encodings stand in the order in which they were applied: ours comes last. */
static int add_encoding(mb_coding *c, mb_headers *headers) {
  const char *given = mb_headers_get(headers, "Content-Encoding");
  if (given == NULL || *given == '\0') {
    return mb_coding_header(c, headers, "Content-Encoding", "gzip");
  }
  char *both = mb_arena_printf(c->arena, "%s, gzip", given);
  return both != NULL ? mb_coding_header(c, headers, "Content-Encoding", both)
                      : mb_error_memory(c->error);
}

int mb_compress_request(mb_coding *c, const mb_operation *operation, mb_http_request *out) {
  size_t minimum = c->codec->compress_minimum;
  if ((operation->flags & MB_OPERATION_COMPRESS) == 0 || minimum == 0 || out->body_size < minimum) {
    return 0;
  }
  if (out->body_size > MB_CODEC_BODY_MAXIMUM) {
    return mb_error_set(c->error, MB_ERROR_USAGE, "RequestTooLarge",
                        "the message is larger than %zu bytes", MB_CODEC_BODY_MAXIMUM);
  }
  mb_buffer packed;
  mb_buffer_init(&packed, COMPRESSED_MAXIMUM);
  if (write_gzip(c, &packed, out->body, out->body_size) != 0) {
    mb_buffer_dispose(&packed);
    return -1;
  }
  out->body = mb_coding_take(c, &packed, &out->body_size);
  return out->body != NULL ? add_encoding(c, &out->headers) : -1;
}

/* ---- the server's side ---- */

static bool ends_in_gzip(const mb_headers *headers) {
  const char *encoding = mb_headers_get(headers, "Content-Encoding");
  size_t size = encoding != NULL ? strlen(encoding) : 0;
  return size >= 4 && mb_text_equal_ci(encoding + size - 4, "gzip");
}

static int refuse_body(mb_coding *c, const char *why) {
  return mb_error_set(c->error, MB_ERROR_USAGE, "UnreadableRequest",
                      "the request's body is not what its Content-Encoding says: %s", why);
}

static int read_gzip(mb_coding *c, mb_buffer *out, const char *data, size_t size) {
  char piece[PIECE_SIZE];
  z_stream stream = {.zalloc = take_memory, .zfree = give_memory};
  if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK) {
    return mb_error_memory(c->error);
  }
  stream.next_in = (const Bytef *)data;
  stream.avail_in = (uInt)size;
  int status = Z_OK;
  while (status == Z_OK && !out->failed) {
    stream.next_out = (Bytef *)piece;
    stream.avail_out = (uInt)sizeof(piece);
    status = inflate(&stream, Z_NO_FLUSH);
    mb_buffer_add(out, piece, sizeof(piece) - stream.avail_out);
  }
  inflateEnd(&stream);
  if (out->too_large) {
    return refuse_body(c, "it is too large when unpacked");
  }
  if (status == Z_MEM_ERROR || out->failed) {
    return mb_error_memory(c->error);
  }
  return status == Z_STREAM_END ? 0 : refuse_body(c, "it is not gzip, or was cut");
}

int mb_decompress_request(mb_coding *c, const mb_operation *operation, const mb_http_request *in,
                          mb_http_request *out) {
  *out = *in;
  /* Elsewhere the encoding is that of what is stored, an S3 object say, and stays. */
  bool packed = (operation->flags & MB_OPERATION_COMPRESS) != 0 && ends_in_gzip(&in->headers);
  if (!packed || in->body_size == 0) {
    return 0;
  }
  if (in->body_size > MB_CODEC_BODY_MAXIMUM) {
    return refuse_body(c, "it is too large");
  }
  mb_buffer plain;
  mb_buffer_init(&plain, MB_CODEC_BODY_MAXIMUM);
  if (read_gzip(c, &plain, in->body, in->body_size) != 0) {
    mb_buffer_dispose(&plain);
    return -1;
  }
  out->body = mb_coding_take(c, &plain, &out->body_size);
  return out->body != NULL ? 0 : -1;
}
