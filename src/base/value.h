/* The inside of mb_value, for the code that walks large trees: codecs, Lua conversion, JSON. */
#ifndef MB_BASE_VALUE_H
#define MB_BASE_VALUE_H

#include "base/arena.h"
#include <moonbook/value.h>

/* Copying, comparing and writing stop at this many levels: trees made in C or Lua may be deeper
 * than what the JSON reader accepts. A copy then fails, and a comparison finds the trees unequal.
 */
#define MB_VALUE_DEPTH 200

typedef struct mb_entry mb_entry;

struct mb_value {
  uint8_t type; /* mb_type */
  uint8_t secret;
  uint32_t count;    /* items or entries */
  uint32_t capacity; /* of the container */
  union {
    bool boolean;
    int64_t integer;
    double number;
    struct {
      const char *data; /* NUL after the last byte */
      size_t size;
    } bytes;
    mb_value *items;
    mb_entry
        *entries; /* made by mb_map_* only, never put in another order: an index may cover it */
  } as;
};

struct mb_entry {
  const char *key; /* NUL-terminated; may be static (a model's string) */
  uint32_t key_size;
  mb_value value;
};

/* Adds an entry without looking for an older one of the same name and without copying the key,
 * which must outlive the arena. For decoders that know their keys. NULL when memory has run out. */
mb_value *mb_map_add_static(mb_arena *arena, mb_value *map, const char *key, size_t size);

/* Sets a string without copying it; `data[size]` must be NUL and outlive the arena. */
void mb_value_borrow(mb_value *value, mb_type type, const char *data, size_t size);

#endif
