/* Values: the data that goes into and comes out of primitives, without Lua.
 *
 * A value is a null, a boolean, a 64-bit integer, a double, a string of bytes, a list or a map with
 * string keys in order. Every value lives in an arena and is freed with it; values are never freed
 * one by one. A value may be shared between containers of one arena, never between arenas.
 *
 * A pointer returned by mb_list_add or mb_map_put stays valid until the next value is added to the
 * same container: build depth first.
 */
#ifndef MOONBOOK_VALUE_H
#define MOONBOOK_VALUE_H

#include <moonbook/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mb_arena mb_arena;
typedef struct mb_value mb_value;

typedef enum mb_type {
  MB_TYPE_NULL = 0,
  MB_TYPE_BOOLEAN,
  MB_TYPE_INTEGER,
  MB_TYPE_NUMBER, /* a double; only where an integer will not do */
  MB_TYPE_STRING, /* text, UTF-8 */
  MB_TYPE_BLOB,   /* bytes; base64 in JSON, a string in Lua */
  MB_TYPE_LIST,
  MB_TYPE_MAP
} mb_type;

/* Makes an arena that will hold at most `limit` bytes (0: no limit). NULL when memory has run out.
 * Free with mb_arena_free. */
mb_arena *mb_arena_new(size_t limit);
void mb_arena_free(mb_arena *arena);

/* Makes values. Each returns NULL when memory has run out; the arena owns the result, and copies
 * the bytes it is given. */
mb_value *mb_value_new(mb_arena *arena); /* null */
mb_value *mb_value_new_map(mb_arena *arena);
mb_value *mb_value_new_list(mb_arena *arena);
mb_value *mb_value_new_string(mb_arena *arena, const char *text);

/* Sets a value that is already there. Return 0, or -1 when memory has run out (only the ones that
 * copy bytes can fail). */
void mb_value_set_null(mb_value *value);
void mb_value_set_boolean(mb_value *value, bool boolean);
void mb_value_set_integer(mb_value *value, int64_t integer);
void mb_value_set_number(mb_value *value, double number);
int mb_value_set_string(mb_arena *arena, mb_value *value, const char *text);
int mb_value_set_bytes(mb_arena *arena, mb_value *value, mb_type type, const void *data,
                       size_t size); /* type: MB_TYPE_STRING or MB_TYPE_BLOB */
void mb_value_set_list(mb_value *value);
void mb_value_set_map(mb_value *value);

/* Adds a null at the end of a list and returns it, to be set; NULL when memory has run out. */
mb_value *mb_list_add(mb_arena *arena, mb_value *list);

/* Returns the value of `key` in a map, adding a null if it is new; NULL when memory has run out.
 * The key is copied. */
mb_value *mb_map_put(mb_arena *arena, mb_value *map, const char *key);
mb_value *mb_map_put_sized(mb_arena *arena, mb_value *map, const char *key, size_t size);

/* Copies a whole value into an arena. Returns 0, or -1 when memory has run out. */
int mb_value_copy(mb_arena *arena, mb_value *out, const mb_value *from);

/* Marks a value (and so its text) as secret: it prints as "[secret]" and becomes a secret in Lua.
 */
void mb_value_set_secret(mb_value *value, bool secret);
bool mb_value_is_secret(const mb_value *value);

/* Reads a value. Each accepts NULL and the wrong type, and then returns null, false, 0 or "". */
mb_type mb_value_type(const mb_value *value);
const char *mb_type_name(mb_type type); /* "string"; static */
bool mb_value_boolean(const mb_value *value);
int64_t mb_value_integer(const mb_value *value); /* of a double: truncated, saturating */
double mb_value_number(const mb_value *value);
const char *mb_value_string(const mb_value *value);              /* NUL-terminated, borrowed */
const char *mb_value_bytes(const mb_value *value, size_t *size); /* may hold NULs, borrowed */

/* Items of a list, or entries of a map. `mb_map_get` returns NULL for a missing key; keys compare
 * exactly. */
size_t mb_value_count(const mb_value *value);
mb_value *mb_list_at(const mb_value *list, size_t index);
mb_value *mb_map_get(const mb_value *map, const char *key);
mb_value *mb_map_get_sized(const mb_value *map, const char *key, size_t size);
const char *mb_map_key_at(const mb_value *map, size_t index);
mb_value *mb_map_value_at(const mb_value *map, size_t index);

/* Deep equality; an integer equals a double of the same value. */
bool mb_value_equal(const mb_value *a, const mb_value *b);

/* Parses JSON text (the whole of it; at most 100 levels deep) into a new value of `arena`.
 * Integers that fit stay 64-bit integers. Returns 0, or -1 with the line and column in the error.
 */
int mb_value_from_json(mb_arena *arena, mb_value **out, const char *text, size_t size,
                       mb_error *error);

/* Writes JSON into memory of `arena`, NUL-terminated. `indent`: spaces per level, 0 for one line.
 * Secrets are written as "[secret]" unless `reveal`. NULL when memory has run out. */
char *mb_value_to_json(mb_arena *arena, const mb_value *value, int indent, bool reveal);

#ifdef __cplusplus
}
#endif
#endif
