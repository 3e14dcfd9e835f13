/* Lists of headers. */
#include "loop/http.h"
#include "base/text.h"

#include <stdint.h>
#include <string.h>

static bool breaks_line(const char *text, size_t size) {
  return memchr(text, '\r', size) || memchr(text, '\n', size) || memchr(text, '\0', size);
}

static int grow(mb_arena *arena, mb_headers *headers) {
  size_t capacity = headers->capacity ? headers->capacity * 2 : 16;
  if (capacity > SIZE_MAX / 2 / sizeof(mb_header)) {
    return -1;
  }
  mb_header *items = mb_arena_grow(arena, headers->items, headers->capacity * sizeof *items,
                                   capacity * sizeof *items);
  if (!items) {
    return -1;
  }
  headers->items = items;
  headers->capacity = capacity;
  return 0;
}

int mb_headers_add_sized(mb_arena *arena, mb_headers *headers, const char *name, size_t name_size,
                         const char *value, size_t value_size) {
  if (name_size == 0 || breaks_line(name, name_size) || breaks_line(value, value_size)) {
    return -1;
  }
  char *name_copy = mb_arena_strndup(arena, name, name_size);
  char *value_copy = mb_arena_strndup(arena, value, value_size);
  if (!name_copy || !value_copy ||
      (headers->count == headers->capacity && grow(arena, headers) != 0)) {
    return -1;
  }
  headers->items[headers->count++] = (mb_header){name_copy, value_copy};
  return 0;
}

int mb_headers_add(mb_arena *arena, mb_headers *headers, const char *name, const char *value) {
  return mb_headers_add_sized(arena, headers, name, strlen(name), value, strlen(value));
}

int mb_headers_set(mb_arena *arena, mb_headers *headers, const char *name, const char *value) {
  /* Added before the old ones go, so that a failure leaves the list as it was. */
  if (mb_headers_add(arena, headers, name, value) != 0) {
    return -1;
  }
  mb_header added = headers->items[--headers->count];
  mb_headers_remove(headers, name);
  headers->items[headers->count++] = added;
  return 0;
}

void mb_headers_remove(mb_headers *headers, const char *name) {
  size_t kept = 0;
  for (size_t i = 0; i < headers->count; i++) {
    if (!mb_text_equal_ci(headers->items[i].name, name)) {
      headers->items[kept++] = headers->items[i];
    }
  }
  headers->count = kept;
}

const char *mb_headers_get(const mb_headers *headers, const char *name) {
  for (size_t i = 0; i < headers->count; i++) {
    if (mb_text_equal_ci(headers->items[i].name, name)) {
      return headers->items[i].value;
    }
  }
  return NULL;
}
