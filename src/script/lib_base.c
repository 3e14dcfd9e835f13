/* The base functions of runbooks. Written here rather than taken from Lua's own library: pairs is
 * in a fixed order, tostring shows no address, setmetatable lets no finalizer or weak table
 * through. */
#include "script/state.h"
#include <string.h>

const char mb_key_private = 'p';
const char mb_key_original = 'o';

static int base_type(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushstring(L, luaL_typename(L, 1));
  return 1;
}

static int base_assert(lua_State *L) {
  luaL_checkany(L, 1);
  if (lua_toboolean(L, 1))
    return lua_gettop(L);
  lua_remove(L, 1);
  if (lua_gettop(L) == 0)
    return luaL_error(L, "assertion failed");
  lua_settop(L, 1);
  return lua_error(L);
}

static int base_error(lua_State *L) {
  lua_Integer level = luaL_optinteger(L, 2, 1);
  lua_settop(L, 1);
  if (lua_type(L, 1) == LUA_TSTRING && level > 0 && level < 1000) {
    luaL_where(L, (int)level);
    lua_insert(L, 1);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int base_tostring(lua_State *L) {
  size_t size;
  luaL_checkany(L, 1);
  mb_lua_tostring(L, 1, &size);
  return 1;
}

/* ---- tonumber ---- */

static int digit_of(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'Z')
    return c - 'A' + 10;
  return 99;
}

static bool read_in_base(const char *text, size_t size, int base, lua_Integer *out) {
  lua_Unsigned value = 0;
  size_t at = 0;
  bool negative = size > 0 && text[0] == '-';
  if (negative)
    at++;
  if (at == size)
    return false;
  for (; at < size; at++) {
    int digit = digit_of(text[at]);
    if (digit >= base)
      return false;
    value = value * (lua_Unsigned)base + (lua_Unsigned)digit;
  }
  *out = (lua_Integer)(negative ? 0u - value : value);
  return true;
}

static int base_tonumber(lua_State *L) {
  size_t size;
  luaL_checkany(L, 1);
  if (!lua_isnoneornil(L, 2)) {
    lua_Integer base = luaL_checkinteger(L, 2), value;
    luaL_argcheck(L, base >= 2 && base <= 36, 2, "a base is 2 to 36");
    luaL_checktype(L, 1, LUA_TSTRING);
    const char *text = lua_tolstring(L, 1, &size);
    if (size <= 64 && read_in_base(text, size, (int)base, &value)) {
      lua_pushinteger(L, value);
      return 1;
    }
  } else if (lua_type(L, 1) == LUA_TNUMBER) {
    lua_settop(L, 1);
    return 1;
  } else if (lua_type(L, 1) == LUA_TSTRING) {
    const char *text = lua_tolstring(L, 1, &size);
    if (size <= 400 && lua_stringtonumber(L, text) == size + 1)
      return 1;
  }
  lua_pushnil(L);
  return 1;
}

/* ---- walking ---- */

static int ipairs_next(lua_State *L) {
  lua_Integer index = luaL_checkinteger(L, 2);
  index = luaL_intop(+, index, 1);
  lua_pushinteger(L, index);
  return lua_geti(L, 1, index) == LUA_TNIL ? 1 : 2;
}

static int base_ipairs(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushcfunction(L, ipairs_next);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 0);
  return 3;
}

/* Upvalues: the table, its keys, how far we are. Keys that were removed meanwhile are skipped. */
static int pairs_next(lua_State *L) {
  lua_Integer at = lua_tointeger(L, lua_upvalueindex(3));
  for (;;) {
    at++;
    lua_settop(L, 0);
    if (lua_rawgeti(L, lua_upvalueindex(2), at) == LUA_TNIL)
      return 1;
    lua_pushvalue(L, 1);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
      break;
    mb_lua_tick(L, 1);
  }
  lua_pushinteger(L, at);
  lua_replace(L, lua_upvalueindex(3));
  return 2;
}

static int base_pairs(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  mb_lua_see_through(L, 1);
  mb_lua_push_sorted_keys(L, 1);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, pairs_next, 3);
  return 1;
}

/* next(t) gives the first key and value in the order of pairs, to see whether a table is empty. */
static int base_next(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  if (!lua_isnoneornil(L, 2))
    return luaL_error(L, "next takes a table alone; walk it with pairs()");
  lua_settop(L, 1);
  mb_lua_see_through(L, 1);
  mb_lua_push_sorted_keys(L, 1);
  if (lua_rawgeti(L, 2, 1) == LUA_TNIL)
    return 1;
  lua_pushvalue(L, -1);
  lua_rawget(L, 1);
  return 2;
}

static int base_select(lua_State *L) {
  int count = lua_gettop(L);
  if (lua_type(L, 1) == LUA_TSTRING && strcmp(lua_tostring(L, 1), "#") == 0) {
    lua_pushinteger(L, count - 1);
    return 1;
  }
  lua_Integer from = luaL_checkinteger(L, 1);
  if (from < 0)
    from = count + from;
  else if (from > count)
    from = count;
  luaL_argcheck(L, from >= 1, 1, "there are not so many values");
  return count - (int)from;
}

/* ---- raw access ---- */

static int base_rawequal(lua_State *L) {
  luaL_checkany(L, 1);
  luaL_checkany(L, 2);
  lua_pushboolean(L, lua_rawequal(L, 1, 2));
  return 1;
}

static int base_rawlen(lua_State *L) {
  int type = lua_type(L, 1);
  luaL_argexpected(L, type == LUA_TTABLE || type == LUA_TSTRING, 1, "table or string");
  lua_pushinteger(L, (lua_Integer)lua_rawlen(L, 1));
  return 1;
}

static int base_rawget(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  lua_settop(L, 2);
  lua_rawget(L, 1);
  return 1;
}

/* ---- metatables ---- */

/* What of a metatable counts. Absent on purpose: __gc (finalizers run with the hooks off), __mode
 * (weak tables show when memory was collected), __close, __pairs. */
static const char *const events[] = {
    "__index", "__newindex", "__call", "__tostring", "__name", "__metatable", "__len",
    "__eq",    "__lt",       "__le",   "__concat",   "__unm",  "__add",       "__sub",
    "__mul",   "__div",      "__mod",  "__pow",      "__idiv", "__band",      "__bor",
    "__bxor",  "__shl",      "__shr",  "__bnot",
};

static const char *const refused_events[] = {"__gc", "__mode", "__close"};

static void refuse_events(lua_State *L, int metatable) {
  for (size_t i = 0; i < sizeof refused_events / sizeof refused_events[0]; i++) {
    lua_pushstring(L, refused_events[i]);
    if (lua_rawget(L, metatable) != LUA_TNIL)
      luaL_error(L, "a metatable cannot have %s in a runbook", refused_events[i]);
    lua_settop(L, -2);
  }
}

/* Pushes the private copy of a metatable, brought up to date. Only the copy is in force, so that
 * nothing can be put into a metatable after it was looked over. One copy per metatable. */
static void push_private(lua_State *L, int metatable) {
  if (lua_rawgetp(L, metatable, &mb_key_private) != LUA_TTABLE) {
    lua_settop(L, -2);
    lua_createtable(L, 0, 6);
    lua_pushvalue(L, metatable);
    lua_rawsetp(L, -2, &mb_key_original);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, metatable, &mb_key_private);
  }
  for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
    lua_pushstring(L, events[i]);
    lua_pushvalue(L, -1);
    lua_rawget(L, metatable);
    lua_rawset(L, -3);
  }
}

static int base_setmetatable(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, lua_istable(L, 2) || lua_isnil(L, 2), 2, "nil or table");
  lua_settop(L, 2);
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
    return luaL_error(L, "cannot change a protected metatable");
  if (lua_isnil(L, 2)) {
    lua_setmetatable(L, 1);
    return 1;
  }
  if (luaL_getmetafield(L, 2, "__metatable") != LUA_TNIL)
    return luaL_error(L, "a protected table cannot be a metatable");
  refuse_events(L, 2);
  push_private(L, 2);
  lua_setmetatable(L, 1);
  lua_settop(L, 1);
  return 1;
}

static int base_getmetatable(lua_State *L) {
  luaL_checkany(L, 1);
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
    return 1;
  if (!lua_istable(L, 1) || !lua_getmetatable(L, 1)) {
    lua_pushnil(L);
    return 1;
  }
  lua_rawgetp(L, -1, &mb_key_original);
  return 1;
}

static const mb_lua_function base_functions[] = {
    {"type", base_type},
    {"assert", base_assert},
    {"error", base_error},
    {"tostring", base_tostring},
    {"tonumber", base_tonumber},
    {"ipairs", base_ipairs},
    {"pairs", base_pairs},
    {"next", base_next},
    {"select", base_select},
    {"rawequal", base_rawequal},
    {"rawlen", base_rawlen},
    {"rawget", base_rawget},
    {"setmetatable", base_setmetatable},
    {"getmetatable", base_getmetatable},
    {NULL, NULL},
};

void mb_lua_add_base(lua_State *L) {
  mb_lua_add_functions(L, base_functions);
}
