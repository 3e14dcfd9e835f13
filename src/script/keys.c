/* The order of a table's keys: numbers, then strings by their bytes, then booleans. Lua's own order
 * follows addresses and differs from process to process; a run must not. */
#include "script/state.h"
#include <string.h>

enum { RANK_NUMBER, RANK_STRING, RANK_BOOLEAN, RANK_OTHER };

typedef struct sort_key {
  int rank;
  bool whole;
  lua_Integer integer;
  lua_Number number;
  const char *text; /* held by the table of keys */
  size_t size;
  lua_Integer position; /* in the unsorted list */
} sort_key;

static int compare_numbers(const sort_key *a, const sort_key *b) {
  if (a->whole && b->whole)
    return a->integer < b->integer ? -1 : a->integer > b->integer;
  if (a->number < b->number)
    return -1;
  if (a->number > b->number)
    return 1;
  return (int)b->whole - (int)a->whole; /* 2^53 and its float neighbour */
}

static int compare_keys(const sort_key *a, const sort_key *b) {
  if (a->rank != b->rank)
    return a->rank < b->rank ? -1 : 1;
  if (a->rank == RANK_NUMBER)
    return compare_numbers(a, b);
  if (a->rank != RANK_STRING)
    return a->integer < b->integer ? -1 : a->integer > b->integer;
  size_t shorter = a->size < b->size ? a->size : b->size;
  int order = memcmp(a->text, b->text, shorter);
  if (order != 0)
    return order;
  return a->size < b->size ? -1 : a->size > b->size;
}

static void sift_down(sort_key *keys, size_t root, size_t count) {
  for (;;) {
    size_t child = 2 * root + 1;
    if (child >= count)
      return;
    if (child + 1 < count && compare_keys(&keys[child], &keys[child + 1]) < 0)
      child++;
    if (compare_keys(&keys[root], &keys[child]) >= 0)
      return;
    sort_key swap = keys[root];
    keys[root] = keys[child];
    keys[child] = swap;
    root = child;
  }
}

/* Heap sort: no memory, no recursion, no bad input. */
static void sort_keys(sort_key *keys, size_t count) {
  for (size_t i = count / 2; i-- > 0;)
    sift_down(keys, i, count);
  for (size_t i = count; i-- > 1;) {
    sort_key swap = keys[0];
    keys[0] = keys[i];
    keys[i] = swap;
    sift_down(keys, 0, i);
  }
}

/* Pushes the keys in Lua's order; `*sorted` when that is 1, 2, 3 and nothing else. */
static lua_Integer collect_keys(lua_State *L, int table, bool *sorted) {
  lua_Integer count = 0;
  *sorted = true;
  lua_createtable(L, (int)(lua_rawlen(L, table) < 1000000 ? lua_rawlen(L, table) : 0), 0);
  int keys = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lua_settop(L, -2);
    if (lua_islightuserdata(L, -1))
      continue;
    count++;
    mb_lua_tick(L, 1);
    if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) != count)
      *sorted = false;
    lua_pushvalue(L, -1);
    lua_rawseti(L, keys, count);
  }
  return count;
}

static void read_key(lua_State *L, sort_key *key, lua_Integer position) {
  key->position = position;
  switch (lua_type(L, -1)) {
  case LUA_TNUMBER:
    key->rank = RANK_NUMBER;
    key->whole = lua_isinteger(L, -1);
    key->integer = lua_tointeger(L, -1);
    key->number = lua_tonumber(L, -1);
    break;
  case LUA_TSTRING:
    key->rank = RANK_STRING;
    key->text = lua_tolstring(L, -1, &key->size);
    break;
  case LUA_TBOOLEAN:
    key->rank = RANK_BOOLEAN;
    key->integer = lua_toboolean(L, -1);
    break;
  default:
    key->rank = RANK_OTHER;
    key->integer = 0;
  }
}

lua_Integer mb_lua_push_sorted_keys(lua_State *L, int index) {
  bool sorted;
  int table = lua_absindex(L, index);
  luaL_checkstack(L, 8, "keys");
  lua_Integer count = collect_keys(L, table, &sorted);
  if (sorted || count < 2)
    return count;
  int unsorted = lua_gettop(L);
  sort_key *keys = lua_newuserdatauv(L, (size_t)count * sizeof *keys, 0);
  memset(keys, 0, (size_t)count * sizeof *keys);
  lua_Integer others = 0;
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, unsorted, i);
    read_key(L, &keys[i - 1], i);
    others += keys[i - 1].rank == RANK_OTHER;
    lua_settop(L, -2);
  }
  if (others > 1)
    luaL_error(L, "cannot walk a table with several keys that are tables or functions: they have "
                  "no order; keep them in a list");
  mb_lua_tick(L, (size_t)count * 8);
  sort_keys(keys, (size_t)count);
  lua_createtable(L, count < 1000000 ? (int)count : 0, 0);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, unsorted, keys[i - 1].position);
    lua_rawseti(L, -2, i);
  }
  lua_replace(L, unsorted);
  lua_settop(L, unsorted);
  return count;
}
