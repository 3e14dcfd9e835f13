/* One HTTP exchange as data: what the codecs build and read, and what the transport carries. */
#ifndef MB_LOOP_HTTP_H
#define MB_LOOP_HTTP_H

#include "base/arena.h"
#include "base/buffer.h"

typedef struct mb_header {
  const char *name; /* as sent; compared without regard to case */
  const char *value;
} mb_header;

typedef struct mb_headers {
  mb_header *items;
  size_t count, capacity;
} mb_headers;

/* Adds a header, copying both into the arena. Refuses CR, LF and NUL in either (-1). */
int mb_headers_add(mb_arena *arena, mb_headers *headers, const char *name, const char *value);
int mb_headers_add_sized(mb_arena *arena, mb_headers *headers, const char *name, size_t name_size,
                         const char *value, size_t value_size);
/* Replaces every header of that name, or adds it. */
int mb_headers_set(mb_arena *arena, mb_headers *headers, const char *name, const char *value);
void mb_headers_remove(mb_headers *headers, const char *name);
/* The first of that name, or NULL. */
const char *mb_headers_get(const mb_headers *headers, const char *name);

/* A request. All text lives in the arena it was built in. */
typedef struct mb_http_request {
  const char *method;
  const char *url;         /* scheme://host[:port]path[?query]; set once the endpoint is known */
  const char *path;        /* percent-encoded, starts with '/' */
  const char *query;       /* percent-encoded, without '?'; "" for none */
  const char *host_prefix; /* to put before the host ("data-"), or NULL */
  mb_headers headers;
  const void *body;
  size_t body_size;
} mb_http_request;

typedef struct mb_http_response {
  int status;
  mb_headers headers;
  const char *body; /* NUL-terminated */
  size_t body_size;
} mb_http_response;

#endif
