/* The table library: raw lengths, bounded loops that count as instructions, a stable sort. */
#include "script/state.h"

/* A table's own length; a read-only table may be read, not changed. */
static lua_Integer list_at(lua_State *L, int index, bool write) {
  luaL_checktype(L, index, LUA_TTABLE);
  if (write && luaL_getmetafield(L, index, "__newindex") != LUA_TNIL)
    luaL_argerror(L, index, "this table cannot be changed");
  mb_lua_see_through(L, index);
  return (lua_Integer)lua_rawlen(L, index);
}

static int table_insert(lua_State *L) {
  lua_Integer size = list_at(L, 1, true);
  lua_Integer at = size + 1;
  switch (lua_gettop(L)) {
  case 2:
    break;
  case 3:
    at = luaL_checkinteger(L, 2);
    luaL_argcheck(L, at >= 1 && at <= size + 1, 2, "position out of bounds");
    for (lua_Integer i = size; i >= at; i--) {
      mb_lua_tick(L, 1);
      lua_rawgeti(L, 1, i);
      lua_rawseti(L, 1, i + 1);
    }
    break;
  default:
    return luaL_error(L, "table.insert takes a list, maybe a position, and a value");
  }
  lua_rawseti(L, 1, at);
  return 0;
}

static int table_remove(lua_State *L) {
  lua_Integer size = list_at(L, 1, true);
  lua_Integer at = luaL_optinteger(L, 2, size);
  if (size == 0 && (at == 0 || at == 1)) {
    lua_pushnil(L);
    return 1;
  }
  luaL_argcheck(L, at >= 1 && at <= size + 1, 2, "position out of bounds");
  lua_rawgeti(L, 1, at);
  for (lua_Integer i = at; i < size; i++) {
    mb_lua_tick(L, 1);
    lua_rawgeti(L, 1, i + 1);
    lua_rawseti(L, 1, i);
  }
  if (at <= size) {
    lua_pushnil(L);
    lua_rawseti(L, 1, size);
  }
  return 1;
}

static void check_range(lua_State *L, lua_Integer from, lua_Integer to) {
  if (from <= to && (from < 0 ? to >= LUA_MAXINTEGER + from : to - from >= LUA_MAXINTEGER))
    luaL_error(L, "too many values");
}

static int table_concat(lua_State *L) {
  lua_Integer size = list_at(L, 1, false);
  size_t separator_size;
  const char *separator = luaL_optlstring(L, 2, "", &separator_size);
  lua_Integer from = luaL_optinteger(L, 3, 1);
  lua_Integer to = luaL_optinteger(L, 4, size);
  luaL_Buffer buffer;
  size_t total = 0;
  check_range(L, from, to);
  luaL_buffinit(L, &buffer);
  for (lua_Integer i = from; i <= to; i++) {
    size_t part;
    lua_rawgeti(L, 1, i);
    if (lua_type(L, -1) != LUA_TSTRING && lua_type(L, -1) != LUA_TNUMBER)
      return luaL_error(L, "cannot join the %s at index %I into text", luaL_typename(L, -1),
                        (LUAI_UACINT)i);
    lua_tolstring(L, -1, &part);
    total += part + separator_size;
    mb_lua_tick(L, 1 + part / 64);
    if (total > mb_script_of(L)->string_limit)
      return luaL_error(L, "the text would be longer than %d MiB",
                        (int)(mb_script_of(L)->string_limit >> 20));
    luaL_addvalue(&buffer);
    if (i != to)
      luaL_addlstring(&buffer, separator, separator_size);
    else
      break; /* i + 1 may not exist */
  }
  luaL_pushresult(&buffer);
  return 1;
}

static int table_pack(lua_State *L) {
  int count = lua_gettop(L);
  lua_createtable(L, count, 1);
  lua_insert(L, 1);
  for (int i = count; i >= 1; i--)
    lua_rawseti(L, 1, i);
  lua_pushinteger(L, count);
  lua_setfield(L, 1, "n");
  return 1;
}

static int table_unpack(lua_State *L) {
  lua_Integer size = list_at(L, 1, false);
  lua_Integer from = luaL_optinteger(L, 2, 1);
  lua_Integer to = luaL_optinteger(L, 3, size);
  if (from > to)
    return 0;
  lua_Unsigned count = (lua_Unsigned)to - (lua_Unsigned)from;
  if (count >= 100000 || !lua_checkstack(L, (int)count + 1))
    return luaL_error(L, "too many values to unpack");
  mb_lua_tick(L, (size_t)count);
  for (lua_Unsigned i = 0; i <= count; i++)
    lua_rawgeti(L, 1, from + (lua_Integer)i);
  return (int)count + 1;
}

static int table_move(lua_State *L) {
  lua_Integer from = luaL_checkinteger(L, 2);
  lua_Integer to = luaL_checkinteger(L, 3);
  lua_Integer at = luaL_checkinteger(L, 4);
  int target = lua_isnoneornil(L, 5) ? 1 : 5;
  list_at(L, target, true);
  list_at(L, 1, false);
  if (to < from) {
    lua_pushvalue(L, target);
    return 1;
  }
  check_range(L, from, to);
  lua_Integer count = to - from + 1;
  luaL_argcheck(L, at <= LUA_MAXINTEGER - count + 1, 4, "too many values");
  bool forward = at > to || at <= from || (target != 1 && !lua_rawequal(L, 1, target));
  for (lua_Integer n = 0; n < count; n++) {
    lua_Integer i = forward ? n : count - 1 - n;
    mb_lua_tick(L, 1);
    lua_rawgeti(L, 1, from + i);
    lua_rawseti(L, target, at + i);
  }
  lua_pushvalue(L, target);
  return 1;
}

/* ---- sort ---- */

/* Whether the value on top must come before the one below it. Pops neither. */
static bool comes_first(lua_State *L) {
  mb_lua_tick(L, 2);
  if (lua_isnil(L, 2))
    return lua_compare(L, -1, -2, LUA_OPLT);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_pushvalue(L, -4);
  lua_call(L, 2, 1);
  bool before = lua_toboolean(L, -1);
  lua_settop(L, -2);
  return before;
}

/* Merges [from, middle) and [middle, to) of the table at `source` into the one at `target`. */
static void merge(lua_State *L, int source, int target, lua_Integer from, lua_Integer middle,
                  lua_Integer to) {
  lua_Integer left = from, right = middle;
  for (lua_Integer out = from; out < to; out++) {
    bool take_right = left >= middle;
    if (left < middle && right < to) {
      lua_rawgeti(L, source, left);
      lua_rawgeti(L, source, right);
      take_right = comes_first(L);
      lua_settop(L, -3);
    }
    lua_rawgeti(L, source, take_right ? right++ : left++);
    lua_rawseti(L, target, out);
  }
}

/* A merge sort: stable, and with a comparison that lies it still ends with the same values. */
static int table_sort(lua_State *L) {
  lua_Integer size = list_at(L, 1, true);
  if (!lua_isnoneornil(L, 2))
    luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  lua_createtable(L, size < 1000000 ? (int)size : 0, 0);
  int source = 1, target = 3;
  for (lua_Integer width = 1; width < size; width *= 2) {
    for (lua_Integer from = 1; from <= size; from += 2 * width) {
      lua_Integer middle = from + width <= size + 1 ? from + width : size + 1;
      lua_Integer to = middle + width <= size + 1 ? middle + width : size + 1;
      merge(L, source, target, from, middle, to);
      mb_lua_tick(L, 1);
    }
    int swap = source;
    source = target;
    target = swap;
  }
  for (lua_Integer i = 1; source != 1 && i <= size; i++) {
    lua_rawgeti(L, source, i);
    lua_rawseti(L, 1, i);
  }
  return 0;
}

static const mb_lua_function table_functions[] = {
    {"insert", table_insert}, {"remove", table_remove},
    {"concat", table_concat}, {"pack", table_pack},
    {"unpack", table_unpack}, {"move", table_move},
    {"sort", table_sort},     {NULL, NULL},
};

void mb_lua_push_table_library(lua_State *L) {
  lua_createtable(L, 0, 8);
  mb_lua_add_functions(L, table_functions);
}
