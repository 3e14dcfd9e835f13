/* Secrets in Lua: a value that concatenates and compares but does not print; and the text that
 * people get to see of any value. */
#include "script/state.h"
#include <string.h>

const char mb_key_secret = 's';
const char mb_key_id = 'i';
const char mb_key_function_ids = 'f';

#define HIDDEN "[secret]"

typedef struct secret_text {
  size_t size;
  char bytes[];
} secret_text;

static bool has_metatable(lua_State *L, int index, const char *key) {
  if (!lua_getmetatable(L, index))
    return false;
  lua_rawgetp(L, LUA_REGISTRYINDEX, key);
  bool same = lua_rawequal(L, -1, -2);
  lua_settop(L, -3);
  return same;
}

const char *mb_lua_to_secret(lua_State *L, int index, size_t *size) {
  if (lua_type(L, index) != LUA_TUSERDATA || !has_metatable(L, index, &mb_key_secret))
    return NULL;
  const secret_text *secret = lua_touserdata(L, index);
  *size = secret->size;
  return secret->bytes;
}

static secret_text *push_blank(lua_State *L, size_t size) {
  if (size > MB_SCRIPT_STRING_MAX)
    luaL_error(L, "a secret is longer than 16 MiB");
  secret_text *secret = lua_newuserdatauv(L, sizeof *secret + size + 1, 0);
  secret->size = size;
  memset(secret->bytes, 0, size + 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &mb_key_secret);
  lua_setmetatable(L, -2);
  return secret;
}

void mb_lua_push_secret(lua_State *L, const char *text, size_t size) {
  secret_text *secret = push_blank(L, size);
  if (size)
    memcpy(secret->bytes, text, size);
}

static int secret_tostring(lua_State *L) {
  lua_pushliteral(L, HIDDEN);
  return 1;
}

static const char *part_of(lua_State *L, int index, size_t *size) {
  const char *text = mb_lua_to_secret(L, index, size);
  if (!text && (lua_type(L, index) == LUA_TSTRING || lua_type(L, index) == LUA_TNUMBER))
    text = lua_tolstring(L, index, size);
  if (!text)
    luaL_error(L, "cannot join a secret with a %s", luaL_typename(L, index));
  return text;
}

static int secret_concat(lua_State *L) {
  size_t left_size, right_size;
  const char *left = part_of(L, 1, &left_size);
  const char *right = part_of(L, 2, &right_size);
  secret_text *joined = push_blank(L, left_size + right_size);
  memcpy(joined->bytes, left, left_size);
  memcpy(joined->bytes + left_size, right, right_size);
  return 1;
}

static int secret_eq(lua_State *L) {
  size_t a_size, b_size;
  const char *a = mb_lua_to_secret(L, 1, &a_size);
  const char *b = mb_lua_to_secret(L, 2, &b_size);
  lua_pushboolean(L, a && b && a_size == b_size && memcmp(a, b, a_size) == 0);
  return 1;
}

/* Finalizers of the host's own: scripts cannot reach this table. */
static int secret_gc(lua_State *L) {
  secret_text *secret = lua_touserdata(L, 1);
  volatile char *bytes = secret->bytes;
  for (size_t i = 0; i < secret->size; i++)
    bytes[i] = 0;
  return 0;
}

static const mb_lua_function secret_methods[] = {
    {"__tostring", secret_tostring},
    {"__concat", secret_concat},
    {"__eq", secret_eq},
    {"__gc", secret_gc},
    {NULL, NULL},
};

void mb_lua_open_secrets(lua_State *L) {
  lua_createtable(L, 0, 6);
  mb_lua_add_functions(L, secret_methods);
  lua_pushliteral(L, "secret");
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &mb_key_secret);
  lua_createtable(L, 0, 0);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &mb_key_function_ids);
}

/* ---- text for people ---- */

/* A table's number is kept in the table, a function's in a table of the registry; both are given
 * when first asked for, so they are the same in every process. */
static lua_Integer id_of(lua_State *L, int index) {
  mb_script *script = mb_script_of(L);
  bool table = lua_istable(L, index);
  if (table)
    lua_pushvalue(L, index);
  else
    lua_rawgetp(L, LUA_REGISTRYINDEX, &mb_key_function_ids);
  if (table) {
    lua_rawgetp(L, -1, &mb_key_id);
  } else {
    lua_pushvalue(L, index);
    lua_rawget(L, -2);
  }
  lua_Integer id = lua_tointeger(L, -1);
  lua_settop(L, -2);
  if (id == 0) {
    id = ++script->next_id;
    if (!table)
      lua_pushvalue(L, index);
    lua_pushinteger(L, id);
    if (table)
      lua_rawsetp(L, -2, &mb_key_id);
    else
      lua_rawset(L, -3);
  }
  lua_settop(L, -2);
  return id;
}

static const char *by_metamethod(lua_State *L, int index, size_t *size) {
  lua_pushvalue(L, index);
  lua_call(L, 1, 1);
  if (mb_lua_to_secret(L, -1, size)) {
    lua_pushliteral(L, HIDDEN);
    lua_replace(L, -2);
  }
  if (lua_type(L, -1) != LUA_TSTRING)
    luaL_error(L, "__tostring must return a string");
  return lua_tolstring(L, -1, size);
}

const char *mb_lua_tostring(lua_State *L, int index, size_t *size) {
  int at = lua_absindex(L, index);
  luaL_checkstack(L, 8, "text");
  if (luaL_getmetafield(L, at, "__tostring"))
    return by_metamethod(L, at, size);
  switch (lua_type(L, at)) {
  case LUA_TNIL:
    lua_pushliteral(L, "nil");
    break;
  case LUA_TBOOLEAN:
    lua_pushstring(L, lua_toboolean(L, at) ? "true" : "false");
    break;
  case LUA_TNUMBER:
  case LUA_TSTRING:
    lua_pushvalue(L, at);
    break;
  default:
    lua_pushfstring(L, "%s: %I", luaL_typename(L, at), (LUAI_UACINT)id_of(L, at));
  }
  return lua_tolstring(L, -1, size);
}
