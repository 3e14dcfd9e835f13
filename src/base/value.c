/* Values: making, reading, comparing and copying them. Containers double; a large map carries an
 * index so that hostile documents cannot make look-ups quadratic. */
#include "base/value.h"

#include <math.h>
#include <string.h>

/* In front of every entry array. `slots` holds numbers of entries plus one, 0 for a free slot, and
 * covers the first `indexed` entries. */
typedef struct map_head {
  uint32_t *slots;
  uint32_t slot_count; /* a power of two, or 0 */
  uint32_t indexed;
} map_head;

enum { MAP_HEAD = 16, INDEX_FROM = 32, FIRST_CAPACITY = 4 };
_Static_assert(sizeof(map_head) <= MAP_HEAD, "the head fits in front of the entries");

static map_head *head_of(const mb_value *map) {
  return (map_head *)(void *)((char *)map->as.entries - MAP_HEAD);
}

/* ---- making ---- */

mb_value *mb_value_new(mb_arena *arena) {
  return mb_arena_zero(arena, sizeof(mb_value));
}

mb_value *mb_value_new_map(mb_arena *arena) {
  mb_value *value = mb_value_new(arena);
  if (value) {
    mb_value_set_map(value);
  }
  return value;
}

mb_value *mb_value_new_list(mb_arena *arena) {
  mb_value *value = mb_value_new(arena);
  if (value) {
    mb_value_set_list(value);
  }
  return value;
}

mb_value *mb_value_new_string(mb_arena *arena, const char *text) {
  mb_value *value = mb_value_new(arena);
  return value && mb_value_set_string(arena, value, text) == 0 ? value : NULL;
}

static void reset(mb_value *value, mb_type type) {
  memset(value, 0, sizeof *value);
  value->type = (uint8_t)type;
}

void mb_value_set_null(mb_value *value) {
  reset(value, MB_TYPE_NULL);
}

void mb_value_set_boolean(mb_value *value, bool boolean) {
  reset(value, MB_TYPE_BOOLEAN);
  value->as.boolean = boolean;
}

void mb_value_set_integer(mb_value *value, int64_t integer) {
  reset(value, MB_TYPE_INTEGER);
  value->as.integer = integer;
}

void mb_value_set_number(mb_value *value, double number) {
  reset(value, MB_TYPE_NUMBER);
  value->as.number = number;
}

void mb_value_set_list(mb_value *value) {
  reset(value, MB_TYPE_LIST);
}

void mb_value_set_map(mb_value *value) {
  reset(value, MB_TYPE_MAP);
}

void mb_value_borrow(mb_value *value, mb_type type, const char *data, size_t size) {
  reset(value, type);
  value->as.bytes.data = data;
  value->as.bytes.size = size;
}

int mb_value_set_bytes(mb_arena *arena, mb_value *value, mb_type type, const void *data,
                       size_t size) {
  char *copy = mb_arena_strndup(arena, data, size);
  if (!copy) {
    return -1;
  }
  mb_value_borrow(value, type, copy, size);
  return 0;
}

int mb_value_set_string(mb_arena *arena, mb_value *value, const char *text) {
  return mb_value_set_bytes(arena, value, MB_TYPE_STRING, text, strlen(text));
}

void mb_value_set_secret(mb_value *value, bool secret) {
  if (value) {
    value->secret = secret;
  }
}

bool mb_value_is_secret(const mb_value *value) {
  return value && value->secret;
}

/* ---- containers ---- */

/* The capacity after the present one, or 0 when the count cannot grow. */
static uint32_t next_capacity(uint32_t capacity) {
  if (capacity == 0) {
    return FIRST_CAPACITY;
  }
  return capacity > UINT32_MAX / 2 ? 0 : capacity * 2;
}

mb_value *mb_list_add(mb_arena *arena, mb_value *list) {
  if (!list || list->type != MB_TYPE_LIST) {
    return NULL;
  }
  if (list->count == list->capacity) {
    uint32_t capacity = next_capacity(list->capacity);
    mb_value *items = capacity == 0
                          ? NULL
                          : mb_arena_grow(arena, list->as.items, list->count * sizeof *items,
                                          capacity * sizeof *items);
    if (!items) {
      return NULL;
    }
    list->as.items = items;
    list->capacity = capacity;
  }
  mb_value *added = &list->as.items[list->count++];
  mb_value_set_null(added);
  return added;
}

static int grow_map(mb_arena *arena, mb_value *map) {
  uint32_t capacity = next_capacity(map->capacity);
  if (capacity == 0) {
    return -1;
  }
  char *old = map->as.entries ? (char *)map->as.entries - MAP_HEAD : NULL;
  char *block = mb_arena_grow(arena, old, old ? MAP_HEAD + map->count * sizeof(mb_entry) : 0,
                              MAP_HEAD + capacity * sizeof(mb_entry));
  if (!block) {
    return -1;
  }
  if (!old) {
    memset(block, 0, MAP_HEAD);
  }
  map->as.entries = (mb_entry *)(void *)(block + MAP_HEAD);
  map->capacity = capacity;
  return 0;
}

mb_value *mb_map_add_static(mb_arena *arena, mb_value *map, const char *key, size_t size) {
  if (!map || map->type != MB_TYPE_MAP || size > UINT32_MAX) {
    return NULL;
  }
  if (map->count == map->capacity && grow_map(arena, map) != 0) {
    return NULL;
  }
  mb_entry *entry = &map->as.entries[map->count++];
  entry->key = key;
  entry->key_size = (uint32_t)size;
  mb_value_set_null(&entry->value);
  return &entry->value;
}

static bool entry_is(const mb_entry *entry, const char *key, size_t size) {
  return entry->key_size == size && (size == 0 || memcmp(entry->key, key, size) == 0);
}

/* The table's address differs from run to run, which makes collisions hard to prepare. */
static uint32_t hash_key(const map_head *head, const char *key, size_t size) {
  uint64_t hash = (uint64_t)(uintptr_t)head->slots ^ 0x9e3779b97f4a7c15u;
  for (size_t i = 0; i < size; i++) {
    hash = (hash ^ (unsigned char)key[i]) * 0x100000001b3u;
    hash ^= hash >> 29;
  }
  hash *= 0xbf58476d1ce4e5b9u;
  return (uint32_t)(hash >> 32);
}

static void index_entry(map_head *head, const mb_entry *entries, uint32_t number) {
  uint32_t mask = head->slot_count - 1;
  uint32_t at = hash_key(head, entries[number].key, entries[number].key_size) & mask;
  while (head->slots[at] != 0) {
    at = (at + 1) & mask;
  }
  head->slots[at] = number + 1;
}

/* Brings the index up to date. Without memory there is simply none, and look-ups go one by one. */
static void index_map(mb_arena *arena, mb_value *map) {
  map_head *head = head_of(map);
  /* Never more than half full: a probe ends at an empty slot. */
  if (head->slot_count / 2 < map->capacity || head->indexed > map->count) {
    uint32_t slot_count = INDEX_FROM * 2;
    while (slot_count / 2 < map->capacity && slot_count <= UINT32_MAX / 4) {
      slot_count *= 2;
    }
    uint32_t *slots = mb_arena_zero(arena, (size_t)slot_count * sizeof *slots);
    head->slots = slots;
    head->slot_count = slots ? slot_count : 0;
    head->indexed = 0;
  }
  while (head->slot_count != 0 && head->indexed < map->count) {
    index_entry(head, map->as.entries, head->indexed);
    head->indexed++;
  }
}

static mb_entry *find_entry(const mb_value *map, const char *key, size_t size) {
  uint32_t from = 0;
  if (map->count >= INDEX_FROM) {
    const map_head *head = head_of(map);
    if (head->slot_count != 0 && head->indexed <= map->count) {
      uint32_t mask = head->slot_count - 1;
      uint32_t at = hash_key(head, key, size) & mask;
      for (; head->slots[at] != 0; at = (at + 1) & mask) {
        mb_entry *entry = &map->as.entries[head->slots[at] - 1];
        if (entry_is(entry, key, size)) {
          return entry;
        }
      }
      from = head->indexed;
    }
  }
  for (uint32_t i = from; i < map->count; i++) {
    if (entry_is(&map->as.entries[i], key, size)) {
      return &map->as.entries[i];
    }
  }
  return NULL;
}

mb_value *mb_map_get_sized(const mb_value *map, const char *key, size_t size) {
  if (!map || map->type != MB_TYPE_MAP || map->count == 0) {
    return NULL;
  }
  mb_entry *entry = find_entry(map, key, size);
  return entry ? &entry->value : NULL;
}

mb_value *mb_map_get(const mb_value *map, const char *key) {
  return mb_map_get_sized(map, key, strlen(key));
}

mb_value *mb_map_put_sized(mb_arena *arena, mb_value *map, const char *key, size_t size) {
  if (!map || map->type != MB_TYPE_MAP) {
    return NULL;
  }
  if (map->count >= INDEX_FROM) {
    index_map(arena, map);
  }
  mb_value *found = mb_map_get_sized(map, key, size);
  if (found) {
    return found;
  }
  char *copy = mb_arena_strndup(arena, key, size);
  return copy ? mb_map_add_static(arena, map, copy, size) : NULL;
}

mb_value *mb_map_put(mb_arena *arena, mb_value *map, const char *key) {
  return mb_map_put_sized(arena, map, key, strlen(key));
}

/* ---- reading ---- */

mb_type mb_value_type(const mb_value *value) {
  return value ? (mb_type)value->type : MB_TYPE_NULL;
}

const char *mb_type_name(mb_type type) {
  static const char *const names[] = {"null",   "boolean", "integer", "number",
                                      "string", "blob",    "list",    "map"};
  return (size_t)type < sizeof names / sizeof names[0] ? names[type] : "unknown";
}

bool mb_value_boolean(const mb_value *value) {
  return mb_value_type(value) == MB_TYPE_BOOLEAN && value->as.boolean;
}

/* 2^63 is exact as a double; NaN fails every comparison and gives 0. */
static int64_t integer_of_double(double number) {
  if (number >= 9223372036854775808.0) {
    return INT64_MAX;
  }
  if (number <= -9223372036854775808.0) {
    return INT64_MIN;
  }
  return number == number ? (int64_t)number : 0;
}

int64_t mb_value_integer(const mb_value *value) {
  switch (mb_value_type(value)) {
  case MB_TYPE_INTEGER:
    return value->as.integer;
  case MB_TYPE_NUMBER:
    return integer_of_double(value->as.number);
  default:
    return 0;
  }
}

double mb_value_number(const mb_value *value) {
  switch (mb_value_type(value)) {
  case MB_TYPE_INTEGER:
    return (double)value->as.integer;
  case MB_TYPE_NUMBER:
    return value->as.number;
  default:
    return 0;
  }
}

const char *mb_value_bytes(const mb_value *value, size_t *size) {
  mb_type type = mb_value_type(value);
  if (type != MB_TYPE_STRING && type != MB_TYPE_BLOB) {
    *size = 0;
    return "";
  }
  *size = value->as.bytes.size;
  return value->as.bytes.data;
}

const char *mb_value_string(const mb_value *value) {
  size_t size;
  return mb_value_bytes(value, &size);
}

static bool is_container(const mb_value *value) {
  mb_type type = mb_value_type(value);
  return type == MB_TYPE_LIST || type == MB_TYPE_MAP;
}

size_t mb_value_count(const mb_value *value) {
  return is_container(value) ? value->count : 0;
}

mb_value *mb_list_at(const mb_value *list, size_t index) {
  if (mb_value_type(list) != MB_TYPE_LIST || index >= list->count) {
    return NULL;
  }
  return &list->as.items[index];
}

const char *mb_map_key_at(const mb_value *map, size_t index) {
  if (mb_value_type(map) != MB_TYPE_MAP || index >= map->count) {
    return NULL;
  }
  return map->as.entries[index].key;
}

mb_value *mb_map_value_at(const mb_value *map, size_t index) {
  if (mb_value_type(map) != MB_TYPE_MAP || index >= map->count) {
    return NULL;
  }
  return &map->as.entries[index].value;
}

/* ---- whole trees ---- */

static int copy_depth(mb_arena *arena, mb_value *out, const mb_value *from, int depth);

static int copy_list(mb_arena *arena, mb_value *out, const mb_value *from, int depth) {
  mb_value_set_list(out);
  for (uint32_t i = 0; i < from->count; i++) {
    mb_value *item = mb_list_add(arena, out);
    if (!item || copy_depth(arena, item, &from->as.items[i], depth) != 0) {
      return -1;
    }
  }
  return 0;
}

static int copy_map(mb_arena *arena, mb_value *out, const mb_value *from, int depth) {
  mb_value_set_map(out);
  for (uint32_t i = 0; i < from->count; i++) {
    const mb_entry *entry = &from->as.entries[i];
    char *key = mb_arena_strndup(arena, entry->key, entry->key_size);
    mb_value *value = key ? mb_map_add_static(arena, out, key, entry->key_size) : NULL;
    if (!value || copy_depth(arena, value, &entry->value, depth) != 0) {
      return -1;
    }
  }
  return 0;
}

static int copy_depth(mb_arena *arena, mb_value *out, const mb_value *from, int depth) {
  int failed = 0;
  if (depth >= MB_VALUE_DEPTH) {
    return -1;
  }
  switch (mb_value_type(from)) {
  case MB_TYPE_NULL:
    mb_value_set_null(out);
    break;
  case MB_TYPE_BOOLEAN:
  case MB_TYPE_INTEGER:
  case MB_TYPE_NUMBER:
    *out = *from;
    break;
  case MB_TYPE_STRING:
  case MB_TYPE_BLOB:
    failed = mb_value_set_bytes(arena, out, (mb_type)from->type, from->as.bytes.data,
                                from->as.bytes.size);
    break;
  case MB_TYPE_LIST:
    failed = copy_list(arena, out, from, depth + 1);
    break;
  case MB_TYPE_MAP:
    failed = copy_map(arena, out, from, depth + 1);
    break;
  }
  if (failed) {
    mb_value_set_null(out);
    return -1;
  }
  mb_value_set_secret(out, mb_value_is_secret(from));
  return 0;
}

int mb_value_copy(mb_arena *arena, mb_value *out, const mb_value *from) {
  return copy_depth(arena, out, from, 0);
}

static bool equal_depth(const mb_value *a, const mb_value *b, int depth);

static bool equal_numbers(const mb_value *a, const mb_value *b) {
  if (a->type == b->type) {
    return a->type == MB_TYPE_INTEGER ? a->as.integer == b->as.integer
                                      : a->as.number == b->as.number;
  }
  const mb_value *integer = a->type == MB_TYPE_INTEGER ? a : b;
  double number = a->type == MB_TYPE_INTEGER ? b->as.number : a->as.number;
  /* Compared as integers: as doubles, neighbours beyond 2^53 would be equal. */
  return number >= -9223372036854775808.0 && number < 9223372036854775808.0 &&
         number == trunc(number) && (int64_t)number == integer->as.integer;
}

static bool equal_lists(const mb_value *a, const mb_value *b, int depth) {
  if (a->count != b->count) {
    return false;
  }
  for (uint32_t i = 0; i < a->count; i++) {
    if (!equal_depth(&a->as.items[i], &b->as.items[i], depth)) {
      return false;
    }
  }
  return true;
}

static bool equal_maps(const mb_value *a, const mb_value *b, int depth) {
  if (a->count != b->count) {
    return false;
  }
  for (uint32_t i = 0; i < a->count; i++) {
    const mb_entry *entry = &a->as.entries[i];
    const mb_value *other = mb_map_get_sized(b, entry->key, entry->key_size);
    if (!other || !equal_depth(&entry->value, other, depth)) {
      return false;
    }
  }
  return true;
}

static bool is_number(mb_type type) {
  return type == MB_TYPE_INTEGER || type == MB_TYPE_NUMBER;
}

static bool equal_depth(const mb_value *a, const mb_value *b, int depth) {
  mb_type type = mb_value_type(a);
  mb_type other = mb_value_type(b);
  if (depth >= MB_VALUE_DEPTH) {
    return false;
  }
  if (is_number(type) && is_number(other)) {
    return equal_numbers(a, b);
  }
  if (type != other) {
    return false;
  }
  switch (type) {
  case MB_TYPE_BOOLEAN:
    return a->as.boolean == b->as.boolean;
  case MB_TYPE_STRING:
  case MB_TYPE_BLOB:
    return a->as.bytes.size == b->as.bytes.size &&
           memcmp(a->as.bytes.data, b->as.bytes.data, a->as.bytes.size) == 0;
  case MB_TYPE_LIST:
    return equal_lists(a, b, depth + 1);
  case MB_TYPE_MAP:
    return equal_maps(a, b, depth + 1);
  default:
    return true;
  }
}

bool mb_value_equal(const mb_value *a, const mb_value *b) {
  return equal_depth(a, b, 0);
}
