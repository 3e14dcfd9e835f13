/* A request that is no AWS call, as the world is told of it. */
#include "base/digest.h"
#include "sim/internal.h"
#include <string.h>

static int hex_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  c = (char)(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *mb_sim_decode(mb_arena *arena, const char *text, size_t size) {
  char *out = mb_arena_alloc(arena, size + 1);
  size_t used = 0;
  for (size_t at = 0; out && at < size; at++) {
    bool escape = text[at] == '%' && size - at > 2 && hex_value(text[at + 1]) >= 0 &&
                  hex_value(text[at + 2]) >= 0;
    out[used++] =
        escape ? (char)(hex_value(text[at + 1]) * 16 + hex_value(text[at + 2])) : text[at];
    at += escape ? 2 : 0;
  }
  if (out)
    out[used] = '\0';
  return out;
}

static int put_text(mb_arena *arena, mb_value *map, const char *key, const char *text) {
  mb_value *value = mb_map_put(arena, map, key);
  return value && mb_value_set_string(arena, value, text) == 0 ? 0 : -1;
}

static mb_value *put_map(mb_arena *arena, mb_value *map, const char *key) {
  mb_value *value = mb_map_put(arena, map, key);
  if (value)
    mb_value_set_map(value);
  return value;
}

static int add_query(mb_arena *arena, mb_value *map, const char *query) {
  mb_value *out = put_map(arena, map, "query");
  for (const char *at = query; out && *at;) {
    size_t size = strcspn(at, "&");
    size_t name_size = strcspn(at, "=&");
    char *name = mb_sim_decode(arena, at, name_size);
    bool empty = name_size == size;
    char *value = mb_sim_decode(arena, at + name_size + !empty, size - name_size - !empty);
    if (!name || !value || (*name && put_text(arena, out, name, value)))
      return -1;
    at += size + (at[size] == '&');
  }
  return out ? 0 : -1;
}

static int add_headers(mb_arena *arena, mb_value *map, const mb_headers *headers) {
  mb_value *out = put_map(arena, map, "headers");
  for (size_t i = 0; out && i < headers->count; i++) {
    char *name = mb_arena_strdup(arena, headers->items[i].name);
    for (char *at = name; at && *at; at++)
      *at = *at >= 'A' && *at <= 'Z' ? (char)(*at + ('a' - 'A')) : *at;
    if (!name || put_text(arena, out, name, headers->items[i].value))
      return -1;
  }
  return out ? 0 : -1;
}

/* With the digest by which registries name what they are sent. */
static int add_body(mb_arena *arena, mb_value *map, const mb_http_request *request) {
  unsigned char digest[MB_SHA256_SIZE];
  const char *body = request->body_size ? request->body : "";
  mb_value *size = mb_map_put(arena, map, "body_size");
  if (!size || mb_sha256(body, request->body_size, digest))
    return -1;
  mb_value_set_integer(size, (int64_t)request->body_size);
  mb_buffer hex = MB_BUFFER_INIT(128);
  mb_text_add_hex(&hex, digest, sizeof digest);
  int failed = hex.failed || put_text(arena, map, "body_sha256", mb_buffer_text(&hex));
  mb_buffer_dispose(&hex);
  mb_value *bytes = failed ? NULL : mb_map_put(arena, map, "body");
  return bytes ? mb_value_set_bytes(arena, bytes, MB_TYPE_BLOB, body, request->body_size) : -1;
}

const mb_value *mb_sim_describe_request(mb_arena *arena, const mb_http_request *request,
                                        const char *access_key, mb_error *error) {
  const char *host = mb_headers_get(&request->headers, "Host");
  if (mb_digest_load(error))
    return NULL;
  mb_value *map = mb_value_new_map(arena);
  if (map && put_text(arena, map, "method", request->method) == 0 &&
      put_text(arena, map, "path", request->path) == 0 &&
      put_text(arena, map, "host", host ? host : "") == 0 &&
      put_text(arena, map, "access_key", access_key) == 0 &&
      add_query(arena, map, request->query) == 0 &&
      add_headers(arena, map, &request->headers) == 0 && add_body(arena, map, request) == 0)
    return map;
  mb_error_memory(error);
  return NULL;
}
