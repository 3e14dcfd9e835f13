/* Values between C and Lua. What becomes what is decided here once; docs/lua-values.md says it for
 * people. Tables are read raw: no metamethod of a script ever runs during a conversion. */
#include "base/memory.h"
#include "script/state.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char mb_key_null = 'n';
const char mb_key_target = 't';
const char mb_key_list = 'l';

/* ---- null ---- */

static int null_tostring(lua_State *L) {
  lua_pushliteral(L, "null");
  return 1;
}

void mb_lua_open_values(lua_State *L) {
  lua_newuserdatauv(L, 0, 0);
  lua_createtable(L, 0, 3);
  lua_pushcfunction(L, null_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushliteral(L, "null");
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &mb_key_null);
}

void mb_lua_push_null(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &mb_key_null);
}

static bool is_null(lua_State *L, int index) {
  mb_lua_push_null(L);
  bool same = lua_rawequal(L, -1, index < 0 ? index - 1 : index);
  lua_settop(L, -2);
  return same;
}

/* ---- to Lua ---- */

typedef struct pushing {
  lua_State *L;
  bool readonly;
  bool secret; /* inside a container that is secret */
  bool plain;  /* a secret is text like any other */
} pushing;

static void push_any(pushing *push, const mb_value *value, int depth);

static void push_text(pushing *push, const mb_value *value) {
  size_t size;
  const char *text = mb_value_bytes(value, &size);
  if (!push->plain && (push->secret || value->secret))
    mb_lua_push_secret(push->L, text, size);
  else
    lua_pushlstring(push->L, text, size);
}

static void push_list(pushing *push, const mb_value *value, int depth) {
  lua_State *L = push->L;
  lua_createtable(L, (int)value->count, 0);
  for (uint32_t i = 0; i < value->count; i++) {
    push_any(push, &value->as.items[i], depth + 1);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  if (value->count == 0) { /* so that it goes out as a list again */
    lua_pushboolean(L, 1);
    lua_rawsetp(L, -2, &mb_key_list);
  }
}

static void push_map(pushing *push, const mb_value *value, int depth) {
  lua_State *L = push->L;
  lua_createtable(L, 0, (int)value->count);
  for (uint32_t i = 0; i < value->count; i++) {
    const mb_entry *entry = &value->as.entries[i];
    if (entry->value.type == MB_TYPE_NULL)
      continue; /* an absent member and one that is null are both nil */
    lua_pushlstring(L, entry->key, entry->key_size);
    push_any(push, &entry->value, depth + 1);
    lua_rawset(L, -3);
  }
}

static void push_container(pushing *push, const mb_value *value, int depth) {
  if (depth >= MB_SCRIPT_DEPTH_MAX)
    luaL_error(push->L, "a value is nested more than %d levels deep", MB_SCRIPT_DEPTH_MAX);
  bool before = push->secret;
  push->secret = before || value->secret;
  if (value->type == MB_TYPE_LIST)
    push_list(push, value, depth);
  else
    push_map(push, value, depth);
  push->secret = before;
  if (push->readonly)
    mb_lua_make_readonly(push->L, "this table");
}

/* Recursion is bounded by MB_SCRIPT_DEPTH_MAX in push_container. */
static void push_any(pushing *push, const mb_value *value, int depth) {
  lua_State *L = push->L;
  luaL_checkstack(L, 8, "a value");
  switch (mb_value_type(value)) {
  case MB_TYPE_NULL:
    mb_lua_push_null(L);
    break;
  case MB_TYPE_BOOLEAN:
    lua_pushboolean(L, mb_value_boolean(value));
    break;
  case MB_TYPE_INTEGER:
    lua_pushinteger(L, mb_value_integer(value));
    break;
  case MB_TYPE_NUMBER:
    lua_pushnumber(L, mb_value_number(value));
    break;
  case MB_TYPE_STRING:
  case MB_TYPE_BLOB:
    push_text(push, value);
    break;
  case MB_TYPE_LIST:
  case MB_TYPE_MAP:
    push_container(push, value, depth);
    break;
  }
}

void mb_lua_push_value(lua_State *L, const mb_value *value) {
  pushing push = {.L = L};
  if (!value || mb_value_type(value) == MB_TYPE_NULL)
    lua_pushnil(L);
  else
    push_any(&push, value, 0);
}

void mb_lua_push_plain(lua_State *L, const mb_value *value) {
  pushing push = {.L = L, .plain = true};
  if (!value || mb_value_type(value) == MB_TYPE_NULL)
    lua_pushnil(L);
  else
    push_any(&push, value, 0);
}

void mb_lua_push_readonly(lua_State *L, const mb_value *value) {
  pushing push = {.L = L, .readonly = true};
  if (!value || mb_value_type(value) == MB_TYPE_NULL)
    lua_pushnil(L);
  else
    push_any(&push, value, 0);
}

/* ---- read-only tables ---- */

static int readonly_newindex(lua_State *L) {
  const char *what = lua_tostring(L, lua_upvalueindex(1));
  const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2);
  return luaL_error(L, "%s is read-only: cannot set '%s'", what, key);
}

static int readonly_len(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)lua_rawlen(L, lua_upvalueindex(1)));
  return 1;
}

void mb_lua_make_readonly(lua_State *L, const char *what) {
  luaL_checkstack(L, 6, "a table");
  lua_createtable(L, 0, 0);
  lua_createtable(L, 0, 5);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "__index");
  lua_pushvalue(L, -3);
  lua_rawsetp(L, -2, &mb_key_target);
  lua_pushvalue(L, -3);
  lua_pushcclosure(L, readonly_len, 1);
  lua_setfield(L, -2, "__len");
  lua_pushstring(L, what);
  lua_pushcclosure(L, readonly_newindex, 1);
  lua_setfield(L, -2, "__newindex");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_replace(L, -2);
}

void mb_lua_see_through(lua_State *L, int index) {
  int table = lua_absindex(L, index);
  if (!lua_istable(L, table) || !lua_getmetatable(L, table))
    return;
  if (lua_rawgetp(L, -1, &mb_key_target) == LUA_TTABLE) {
    lua_replace(L, table);
    lua_settop(L, -2);
  } else {
    lua_settop(L, -3);
  }
}

/* ---- from Lua ---- */

typedef struct reading {
  lua_State *L;
  mb_arena *arena;
  size_t nodes;
  char path[512];
  size_t path_size;
  const void *above[MB_SCRIPT_DEPTH_MAX]; /* tables that the one being read lies in */
} reading;

static void read_any(reading *read, mb_value *out, int depth);

static _Noreturn void fail(reading *read, const char *problem) {
  luaL_error(read->L, "%s%s", read->path, problem);
  abort(); /* luaL_error does not return; the compiler does not know */
}

static void no_memory(reading *read) {
  mb_error error;
  mb_error_memory(&error);
  size_t limit = mb_script_of(read->L)->memory_limit;
  if (mb_arena_used(read->arena) > limit / 2) /* arenas are given the script's limit */
    mb_error_set(&error, MB_ERROR_LIMIT, "MemoryLimit",
                 "a value is larger than the %zu MiB it may be", limit >> 20);
  mb_lua_raise(read->L, &error);
}

/* Adds ".name" or "[1]" to the path; what does not fit is left out. Returns the old length. */
static size_t path_push(reading *read, const char *format, const char *name, long long number) {
  size_t before = read->path_size;
  size_t room = sizeof read->path - before;
  int size = name ? snprintf(read->path + before, room, format, name)
                  : snprintf(read->path + before, room, format, number);
  if (size > 0)
    read->path_size = (size_t)size < room ? before + (size_t)size : sizeof read->path - 1;
  return before;
}

static void path_pop(reading *read, size_t before) {
  read->path_size = before;
  read->path[before] = '\0';
}

static void read_list(reading *read, mb_value *out, lua_Integer count, int depth) {
  lua_State *L = read->L;
  mb_value_set_list(out);
  for (lua_Integer i = 1; i <= count; i++) {
    mb_value *item = mb_list_add(read->arena, out);
    if (!item)
      no_memory(read);
    size_t before = path_push(read, "[%lld]", NULL, (long long)i);
    lua_rawgeti(L, -2, i); /* below the keys */
    read_any(read, item, depth + 1);
    lua_settop(L, -2);
    path_pop(read, before);
  }
}

static void read_map(reading *read, mb_value *out, lua_Integer count, int depth) {
  lua_State *L = read->L;
  mb_value_set_map(out);
  for (lua_Integer i = 1; i <= count; i++) {
    size_t size;
    lua_rawgeti(L, -1, i);
    const char *key = lua_tolstring(L, -1, &size);
    if (memchr(key, '\0', size) || !mb_utf8_valid(key, size))
      fail(read, " has a key that is not text");
    mb_value *item = mb_map_put_sized(read->arena, out, key, size);
    if (!item)
      no_memory(read);
    size_t before = path_push(read, read->path_size ? ".%.100s" : "%.100s", key, 0);
    lua_rawget(L, -3);
    read_any(read, item, depth + 1);
    lua_settop(L, -2);
    path_pop(read, before);
  }
}

/* A table whose sorted keys are on top: is it a list, a map, or a mistake? */
static bool keys_make_a_list(reading *read, lua_Integer count) {
  lua_State *L = read->L;
  lua_rawgeti(L, -1, 1);
  bool list = lua_type(L, -1) == LUA_TNUMBER;
  lua_settop(L, -2);
  for (lua_Integer i = 1; i <= count; i++) {
    int type = lua_rawgeti(L, -1, i);
    bool hole = list && type == LUA_TNUMBER && !(lua_isinteger(L, -1) && lua_tointeger(L, -1) == i);
    lua_settop(L, -2);
    if (hole) {
      path_push(read, "[%lld]", NULL, (long long)i);
      fail(read, " is missing: a list must run from 1 without holes");
    }
    if (type != LUA_TNUMBER && type != LUA_TSTRING)
      fail(read, " has a key that is neither a name nor a number");
    if ((type == LUA_TNUMBER) != list)
      fail(read, " has both numbers and names as keys: make it a list or a map");
  }
  return list;
}

static void read_table(reading *read, mb_value *out, int depth) {
  lua_State *L = read->L;
  if (depth >= MB_SCRIPT_DEPTH_MAX)
    fail(read, " is nested too deeply");
  lua_pushvalue(L, -1);
  mb_lua_see_through(L, -1);
  const void *self = lua_topointer(L, -1);
  for (int i = 0; i < depth; i++)
    if (read->above[i] == self)
      fail(read, " contains itself");
  read->above[depth] = self;
  lua_Integer count = mb_lua_push_sorted_keys(L, -1);
  if (count == 0) {
    bool list = lua_rawgetp(L, -2, &mb_key_list) != LUA_TNIL;
    lua_settop(L, -2);
    if (list)
      mb_value_set_list(out);
    else
      mb_value_set_map(out);
  } else if (keys_make_a_list(read, count)) {
    read_list(read, out, count, depth);
  } else {
    read_map(read, out, count, depth);
  }
  lua_settop(L, -3);
}

static void read_text(reading *read, mb_value *out, const char *text, size_t size) {
  mb_type type = mb_utf8_valid(text, size) ? MB_TYPE_STRING : MB_TYPE_BLOB;
  if (mb_value_set_bytes(read->arena, out, type, text, size) != 0)
    no_memory(read);
}

static void read_userdata(reading *read, mb_value *out) {
  size_t size;
  const char *secret = mb_lua_to_secret(read->L, -1, &size);
  if (secret) {
    read_text(read, out, secret, size);
    mb_value_set_secret(out, true);
  } else if (is_null(read->L, -1)) {
    mb_value_set_null(out);
  } else {
    fail(read, " cannot be passed on: it is not data");
  }
}

/* Reads the Lua value on top. Recursion is bounded by MB_SCRIPT_DEPTH_MAX in read_table. */
static void read_any(reading *read, mb_value *out, int depth) {
  lua_State *L = read->L;
  luaL_checkstack(L, 10, "a value");
  mb_lua_tick(L, 1);
  if (++read->nodes > mb_script_of(L)->nodes_limit)
    fail(read, " is too large: more than 500,000 parts");
  size_t size;
  const char *text;
  switch (lua_type(L, -1)) {
  case LUA_TNIL:
    mb_value_set_null(out);
    break;
  case LUA_TBOOLEAN:
    mb_value_set_boolean(out, lua_toboolean(L, -1));
    break;
  case LUA_TNUMBER:
    if (lua_isinteger(L, -1))
      mb_value_set_integer(out, lua_tointeger(L, -1));
    else if (isfinite(lua_tonumber(L, -1)))
      mb_value_set_number(out, lua_tonumber(L, -1));
    else
      fail(read, " is not a finite number");
    break;
  case LUA_TSTRING:
    text = lua_tolstring(L, -1, &size);
    read_text(read, out, text, size);
    break;
  case LUA_TTABLE:
    read_table(read, out, depth);
    break;
  case LUA_TUSERDATA:
    read_userdata(read, out);
    break;
  default:
    lua_pushfstring(L, " is a %s, not data", luaL_typename(L, -1));
    fail(read, lua_tostring(L, -1));
  }
}

mb_value *mb_lua_read_value(lua_State *L, int index, mb_arena *arena, const char *label) {
  reading read = {.L = L, .arena = arena};
  mb_text_copy(read.path, sizeof read.path, label);
  read.path_size = strlen(read.path);
  mb_value *out = mb_value_new(arena);
  if (!out)
    no_memory(&read);
  luaL_checkstack(L, 4, "a value");
  lua_pushvalue(L, index);
  read_any(&read, out, 0);
  lua_settop(L, -2);
  return out;
}

/* ---- arenas ---- */

int mb_lua_with_arena(lua_State *L, lua_CFunction function) {
  luaL_checkstack(L, 4, "a value");
  mb_arena *arena = mb_arena_new(mb_script_of(L)->memory_limit);
  if (!arena) {
    mb_error error;
    mb_error_memory(&error);
    return mb_lua_raise(L, &error);
  }
  int count = lua_gettop(L);
  lua_pushcfunction(L, mb_lua_error_handler);
  lua_insert(L, 1);
  lua_pushcfunction(L, function);
  lua_insert(L, 2);
  lua_pushlightuserdata(L, arena);
  lua_insert(L, 3);
  int status = lua_pcall(L, count + 1, LUA_MULTRET, 1);
  mb_arena_free(arena);
  if (status != LUA_OK)
    return lua_error(L);
  return lua_gettop(L) - 1;
}
