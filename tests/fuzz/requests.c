/* The server's side: routing and decoding of requests, and writing what came of them again.
 *
 * An input is a byte that chooses the service, two that choose an operation where routing finds
 * none, then a request as text: "METHOD PATH?QUERY", header lines, an empty line, the body. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

static const char *take_line(mb_arena *arena, const char **at, const char *end) {
  const char *stop = memchr(*at, '\n', (size_t)(end - *at));
  stop = stop ? stop : end;
  char *line = mb_arena_strndup(arena, *at, (size_t)(stop - *at));
  *at = stop < end ? stop + 1 : end;
  return line;
}

static void read_target(mb_arena *arena, char *line, mb_http_request *out) {
  char *space = strchr(line, ' ');
  char *path = space ? space + 1 : line + strlen(line);
  if (space) {
    *space = '\0';
  }
  char *query = strchr(path, '?');
  if (query) {
    *query++ = '\0';
  }
  out->method = line;
  out->path = *path == '/' ? path : mb_arena_printf(arena, "/%s", path);
  out->query = query ? query : "";
}

static bool read_request(mb_arena *arena, const char *at, const char *end, mb_http_request *out) {
  memset(out, 0, sizeof *out);
  char *first = (char *)(uintptr_t)take_line(arena, &at, end);
  if (!first) {
    return false;
  }
  read_target(arena, first, out);
  for (const char *line; at < end && (line = take_line(arena, &at, end)) != NULL && *line;) {
    char *colon = strchr(line, ':');
    if (colon) {
      *colon = '\0';
      mb_headers_add(arena, &out->headers, line, colon + 1);
    }
  }
  out->body = mb_arena_strndup(arena, at, (size_t)(end - at));
  out->body_size = (size_t)(end - at);
  return out->path && out->body;
}

/* What was read must be writable again when it is valid, and must come back the same. */
static void write_again(const mb_codec *codec, mb_arena *arena, const mb_operation *operation,
                        const mb_value *input) {
  mb_http_request again;
  mb_error error;
  if (mb_codec_validate(codec, operation, input, &error) == 0) {
    mb_codec_encode_request(codec, arena, operation, input, &again, &error);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 4) {
    return 0;
  }
  mb_arena *arena = mb_arena_new((size_t)64 << 20);
  mb_codec codec = {.model = fuzz_model(data[0])};
  mb_http_request request;
  mb_error error;
  mb_value out;
  if (arena && read_request(arena, (const char *)data + 3, (const char *)data + size, &request)) {
    const mb_operation *operation = mb_codec_route(&codec, &request);
    if (!operation) {
      size_t choice = (size_t)(data[1] | data[2] << 8) % mb_model_operation_count(codec.model);
      operation = mb_model_operation_at(codec.model, choice);
    }
    if (mb_codec_decode_request(&codec, arena, operation, &request, &out, &error) == 0) {
      write_again(&codec, arena, operation, &out);
    }
  }
  mb_arena_free(arena);
  return 0;
}
