/* The canonical form of a request: path, query and headers brought into the one shape that both
 * sides of a signature compute. Everything is written through a bounded writer into a block whose
 * size is worked out beforehand, so that signing costs one allocation per part. */
#include "aws/sign/canonical.h"

#include "base/text.h"
#include <stdlib.h>
#include <string.h>

/* Never signed: proxies and the transport add, drop or rewrite these. */
static const char *const unsigned_names[] = {
    "authorization",
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
};

typedef struct writer {
  char *start, *at, *end;
  bool overflow;
} writer;

static int writer_init(writer *out, mb_arena *arena, size_t size) {
  out->start = mb_arena_alloc(arena, size + 1);
  out->at = out->start;
  out->end = out->start ? out->start + size : NULL;
  out->overflow = false;
  return out->start ? 0 : -1;
}

static void write_char(writer *out, char c) {
  if (out->at == out->end) {
    out->overflow = true;
    return;
  }
  *out->at++ = c;
}

static void write_bytes(writer *out, const char *data, size_t size) {
  if ((size_t)(out->end - out->at) < size) {
    out->overflow = true;
    return;
  }
  memcpy(out->at, data, size);
  out->at += size;
}

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool is_unreserved(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte a %XX stands for, or -1. */
static int escaped_byte(const char *at, const char *end) {
  if (end - at < 3 || at[0] != '%')
    return -1;
  int high = hex_digit(at[1]), low = hex_digit(at[2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static void write_encoded(writer *out, unsigned char c) {
  static const char digits[] = "0123456789ABCDEF";
  if (is_unreserved(c)) {
    write_char(out, (char)c);
    return;
  }
  write_char(out, '%');
  write_char(out, digits[c >> 4]);
  write_char(out, digits[c & 15]);
}

/* ---- path ---- */

/* Collapses slashes and dot segments into `out`, which has room for `size` bytes; returns the new
 * size. A slash at the end survives. */
static size_t normalize_path(char *out, const char *path, size_t size) {
  size_t used = 0;
  for (size_t at = 0; at < size;) {
    size_t end = at;
    while (end < size && path[end] != '/')
      end++;
    size_t length = end - at;
    if (length == 2 && path[at] == '.' && path[at + 1] == '.') {
      while (used > 0 && out[--used] != '/')
        ;
    } else if (length > 0 && !(length == 1 && path[at] == '.')) {
      out[used++] = '/';
      memcpy(out + used, path + at, length);
      used += length;
    }
    at = end + 1;
  }
  if (size > 0 && path[size - 1] == '/' && used > 0)
    out[used++] = '/';
  return used;
}

/* With `keep_escapes` a %XX stays what it is (S3 signs the path as sent); else its % is encoded
 * once more. */
static void write_path(writer *out, const char *path, size_t size, bool keep_escapes) {
  if (size == 0 || path[0] != '/')
    write_char(out, '/');
  for (size_t i = 0; i < size; i++) {
    if (path[i] == '/' || (keep_escapes && escaped_byte(path + i, path + size) >= 0))
      write_char(out, path[i]);
    else
      write_encoded(out, (unsigned char)path[i]);
  }
}

static int add_path(writer *out, mb_arena *arena, const char *path, const mb_signing *signing) {
  size_t size = strlen(path);
  if (signing->normalize) {
    char *normal = mb_arena_alloc(arena, size + 1);
    if (!normal)
      return -1;
    size = normalize_path(normal, path, size);
    path = normal;
  }
  write_path(out, path, size, !signing->double_encode);
  return 0;
}

/* ---- query ---- */

typedef struct query_pair {
  const char *key, *value;
  size_t key_size, value_size;
} query_pair;

static int compare_bytes(const char *a, size_t a_size, const char *b, size_t b_size) {
  int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
  return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int compare_pairs(const void *left, const void *right) {
  const query_pair *a = left, *b = right;
  int order = compare_bytes(a->key, a->key_size, b->key, b->key_size);
  return order ? order : compare_bytes(a->value, a->value_size, b->value, b->value_size);
}

/* Writes one key or value in its only canonical spelling: what is escaped is decoded first, so that
 * %7e, %7E and ~ come out alike, as they do on the receiving side. */
static size_t write_query_part(writer *out, const char *at, const char *end) {
  const char *before = out->at;
  while (at < end) {
    int byte = escaped_byte(at, end);
    write_encoded(out, byte >= 0 ? (unsigned char)byte : (unsigned char)*at);
    at += byte >= 0 ? 3 : 1;
  }
  return (size_t)(out->at - before);
}

static size_t count_pairs(const char *query) {
  size_t count = 1;
  for (; *query; query++)
    count += *query == '&';
  return count;
}

/* Splits and encodes into `pairs`, whose text goes to `text`. Returns how many there are. */
static size_t split_query(const char *query, query_pair *pairs, writer *text) {
  size_t count = 0;
  const char *end = query + strlen(query);
  for (const char *at = query; at < end;) {
    const char *stop = memchr(at, '&', (size_t)(end - at));
    stop = stop ? stop : end;
    if (stop > at) {
      const char *equals = memchr(at, '=', (size_t)(stop - at));
      query_pair *pair = &pairs[count++];
      pair->key = text->at;
      pair->key_size = write_query_part(text, at, equals ? equals : stop);
      pair->value = text->at;
      pair->value_size = equals ? write_query_part(text, equals + 1, stop) : 0;
    }
    at = stop + 1;
  }
  return count;
}

static int add_query(writer *out, mb_arena *arena, const char *query) {
  if (!*query)
    return 0;
  writer text;
  query_pair *pairs = mb_arena_alloc(arena, count_pairs(query) * sizeof *pairs);
  if (!pairs || writer_init(&text, arena, 3 * strlen(query)))
    return -1;
  size_t count = split_query(query, pairs, &text);
  if (count > 1)
    qsort(pairs, count, sizeof *pairs, compare_pairs);
  for (size_t i = 0; i < count; i++) {
    if (i > 0)
      write_char(out, '&');
    write_bytes(out, pairs[i].key, pairs[i].key_size);
    write_char(out, '=');
    write_bytes(out, pairs[i].value, pairs[i].value_size);
  }
  return text.overflow ? -1 : 0;
}

/* ---- headers ---- */

static int compare_names(const char *a, const char *b) {
  while (*a && lower(*a) == lower(*b)) {
    a++;
    b++;
  }
  return (unsigned char)lower(*a) - (unsigned char)lower(*b);
}

static int compare_headers(const void *left, const void *right) {
  const mb_header *a = *(const mb_header *const *)left, *b = *(const mb_header *const *)right;
  int order = compare_names(a->name, b->name);
  return order ? order : (a > b) - (a < b); /* both lie in one array: this is order of appearance */
}

static bool is_signed(const char *name, bool skip_token) {
  if (skip_token && compare_names(name, "x-amz-security-token") == 0)
    return false;
  for (size_t i = 0; i < sizeof unsigned_names / sizeof *unsigned_names; i++)
    if (compare_names(name, unsigned_names[i]) == 0)
      return false;
  return true;
}

static void write_lower(writer *out, const char *text) {
  for (; *text; text++)
    write_char(out, lower(*text));
}

/* Writes "host;x-amz-date", each name once. */
static int join_names(mb_arena *arena, mb_signed_headers *headers) {
  size_t size = 0;
  for (size_t i = 0; i < headers->count; i++)
    size += strlen(headers->items[i]->name) + 1;
  writer out;
  if (writer_init(&out, arena, size))
    return -1;
  for (size_t i = 0; i < headers->count; i++) {
    const char *name = headers->items[i]->name;
    if (i > 0 && compare_names(name, headers->items[i - 1]->name) == 0)
      continue;
    if (i > 0)
      write_char(&out, ';');
    write_lower(&out, name);
  }
  *out.at = '\0';
  headers->names = out.start;
  return 0;
}

int mb_signed_headers_collect(mb_arena *arena, const mb_headers *headers, bool skip_token,
                              mb_signed_headers *out) {
  out->count = 0;
  out->items = mb_arena_alloc(arena, (headers->count + 1) * sizeof *out->items);
  if (!out->items)
    return -1;
  for (size_t i = 0; i < headers->count; i++)
    if (is_signed(headers->items[i].name, skip_token))
      out->items[out->count++] = &headers->items[i];
  if (out->count > 1)
    qsort(out->items, out->count, sizeof *out->items, compare_headers);
  return join_names(arena, out);
}

static bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Trims, and makes one space of every run of white space (folded lines included). */
static void write_value(writer *out, const char *value) {
  bool gap = false, any = false;
  for (; *value; value++) {
    if (is_space(*value)) {
      gap = any;
      continue;
    }
    if (gap)
      write_char(out, ' ');
    gap = false;
    any = true;
    write_char(out, *value);
  }
}

static void add_headers(writer *out, const mb_signed_headers *headers) {
  for (size_t i = 0; i < headers->count; i++) {
    const mb_header *header = headers->items[i];
    if (i > 0 && compare_names(header->name, headers->items[i - 1]->name) == 0) {
      write_char(out, ',');
    } else {
      if (i > 0)
        write_char(out, '\n');
      write_lower(out, header->name);
      write_char(out, ':');
    }
    write_value(out, header->value);
  }
  if (headers->count > 0)
    write_char(out, '\n');
}

/* ---- the whole ---- */

/* No part can come out longer than this. */
static size_t request_bound(const mb_http_request *request, const char *query,
                            const mb_signed_headers *headers, const char *payload_hash) {
  size_t size = strlen(request->method) + 4 * strlen(query);
  size += request->path ? 3 * strlen(request->path) : 0;
  size += strlen(headers->names) + strlen(payload_hash) + 16;
  for (size_t i = 0; i < headers->count; i++)
    size += strlen(headers->items[i]->name) + strlen(headers->items[i]->value) + 4;
  return size;
}

int mb_canonical_request(mb_arena *arena, const mb_http_request *request, const char *query,
                         const mb_signing *signing, const mb_signed_headers *headers,
                         const char *payload_hash, const char **out, size_t *out_size) {
  writer text;
  if (writer_init(&text, arena, request_bound(request, query, headers, payload_hash)))
    return -1;
  write_bytes(&text, request->method, strlen(request->method));
  write_char(&text, '\n');
  if (add_path(&text, arena, request->path ? request->path : "", signing))
    return -1;
  write_char(&text, '\n');
  if (add_query(&text, arena, query))
    return -1;
  write_char(&text, '\n');
  add_headers(&text, headers);
  write_char(&text, '\n');
  write_bytes(&text, headers->names, strlen(headers->names));
  write_char(&text, '\n');
  write_bytes(&text, payload_hash, strlen(payload_hash));
  if (text.overflow)
    return -1;
  *text.at = '\0';
  *out = text.start;
  *out_size = (size_t)(text.at - text.start);
  return 0;
}

static const char *after_scheme(const char *url) {
  const char *mark = strstr(url, "://");
  return mark ? mark + 3 : url;
}

static bool is_default_port(const char *url, const char *port, size_t size) {
  if (mb_text_starts(url, "https://"))
    return size == 3 && memcmp(port, "443", 3) == 0;
  return mb_text_starts(url, "http://") && size == 2 && memcmp(port, "80", 2) == 0;
}

const char *mb_canonical_host(mb_arena *arena, const char *url, mb_error *error) {
  const char *start = url ? after_scheme(url) : "";
  size_t size = strcspn(start, "/?#");
  for (size_t i = size; i > 0; i--) {
    if (start[i - 1] == '@') {
      start += i;
      size -= i;
      break;
    }
  }
  const char *bracket = memchr(start, ']', size);
  const char *from = bracket ? bracket : start;
  const char *colon = memchr(from, ':', size - (size_t)(from - start));
  if (colon) {
    const char *port = colon + 1;
    size_t port_size = size - (size_t)(port - start);
    if (port_size == 0 || is_default_port(url, port, port_size))
      size = (size_t)(colon - start);
  }
  if (size == 0) {
    mb_error_set(error, MB_ERROR_USAGE, "InvalidEndpoint",
                 "The request cannot be signed: its URL \"%.200s\" has no host", url ? url : "");
    mb_error_next(error, "Give the endpoint as https://host[:port]");
    return NULL;
  }
  char *host = mb_arena_strndup(arena, start, size);
  if (!host)
    mb_error_memory(error);
  for (char *c = host; c && *c; c++)
    *c = lower(*c);
  return host;
}
