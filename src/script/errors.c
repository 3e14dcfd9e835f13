/* Errors on their way between C and Lua: mb_error to a table with fields and __tostring, and
 * whatever a script raised back to mb_error, with the runbook's line. */
#include "script/state.h"
#include <string.h>

const char mb_key_error = 'e';

/* ---- where ---- */

/* Fills `ar` with the innermost frame of the runbook itself, or of any Lua code if there is none.
 */
static bool find_frame(lua_State *stack, lua_Debug *found) {
  const mb_script *script = mb_script_of(stack);
  bool any = false;
  lua_Debug ar;
  for (int level = 0; level < 200 && lua_getstack(stack, level, &ar); level++) {
    lua_getinfo(stack, "Sl", &ar);
    if (ar.currentline < 0)
      continue;
    if (strcmp(ar.source + 1, script->chunk_name) == 0) {
      *found = ar;
      return true;
    }
    if (!any)
      *found = ar;
    any = true;
  }
  return any;
}

static void where_in(lua_State *stack, char *out, size_t size) {
  lua_Debug ar;
  out[0] = '\0';
  if (find_frame(stack, &ar))
    snprintf(out, size, "%.200s:%d", ar.source + 1, ar.currentline);
}

void mb_lua_where(lua_State *L, char *out, size_t size) {
  where_in(L, out, size);
}

/* Lua puts "file:line: " before messages. It goes when `where` says the same; the line of a module
 * that the runbook called stays in the message. */
static const char *strip_position(lua_State *stack, const char *message) {
  lua_Debug ar;
  char prefix[LUA_IDSIZE + 16];
  if (!find_frame(stack, &ar))
    return message;
  int size = snprintf(prefix, sizeof prefix, "%s:%d: ", ar.short_src, ar.currentline);
  return strncmp(message, prefix, (size_t)size) == 0 ? message + size : message;
}

/* ---- to Lua ---- */

static int error_tostring(lua_State *L) {
  mb_error error;
  luaL_checktype(L, 1, LUA_TTABLE);
  mb_lua_read_error(L, 1, &error);
  lua_settop(L, 0);
  if (error.operation[0])
    lua_pushfstring(L, "%s: ", error.operation);
  if (error.code[0] && strcmp(error.code, "ScriptError") != 0)
    lua_pushfstring(L, "%s: ", error.code);
  lua_pushstring(L, error.message);
  if (error.request_id[0])
    lua_pushfstring(L, " (request %s)", error.request_id);
  lua_concat(L, lua_gettop(L));
  return 1;
}

void mb_lua_open_errors(lua_State *L) {
  lua_createtable(L, 0, 3);
  lua_pushcfunction(L, error_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushliteral(L, "error");
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &mb_key_error);
}

static void set_text(lua_State *L, const char *name, const char *text) {
  if (!text[0])
    return;
  lua_pushstring(L, name);
  lua_pushstring(L, text);
  lua_rawset(L, -3);
}

static void set_count(lua_State *L, const char *name, int number) {
  if (number == 0)
    return;
  lua_pushstring(L, name);
  lua_pushinteger(L, number);
  lua_rawset(L, -3);
}

void mb_lua_push_error(lua_State *L, const mb_error *error) {
  luaL_checkstack(L, 5, "an error");
  lua_createtable(L, 0, 12);
  set_text(L, "kind", mb_error_kind_name(error->kind));
  set_text(L, "code", error->code);
  set_text(L, "message", error->message);
  set_text(L, "next", error->next);
  set_text(L, "operation", error->operation);
  set_text(L, "where", error->where);
  set_text(L, "region", error->region);
  set_text(L, "endpoint", error->endpoint);
  set_text(L, "request_id", error->request_id);
  set_count(L, "status", error->status);
  set_count(L, "attempts", error->attempts);
  lua_pushliteral(L, "retryable");
  lua_pushboolean(L, error->retryable);
  lua_rawset(L, -3);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &mb_key_error);
  lua_setmetatable(L, -2);
}

static void set_where(lua_State *L, lua_State *stack) {
  char where[256];
  lua_pushliteral(L, "where");
  bool known = lua_rawget(L, -2) != LUA_TNIL;
  lua_settop(L, -2);
  if (known)
    return;
  where_in(stack, where, sizeof where);
  set_text(L, "where", where);
}

int mb_lua_raise(lua_State *L, const mb_error *error) {
  mb_lua_push_error(L, error);
  set_where(L, L);
  return lua_error(L);
}

/* ---- from Lua ---- */

static bool is_error_table(lua_State *L, int index) {
  if (!lua_istable(L, index) || !lua_getmetatable(L, index))
    return false;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &mb_key_error);
  bool same = lua_rawequal(L, -1, -2);
  lua_settop(L, -3);
  return same;
}

static void normalise_text(lua_State *L, lua_State *stack) {
  mb_error error;
  const char *text = lua_tostring(L, -1);
  if (strcmp(text, "not enough memory") == 0) {
    if (mb_script_of(L)->limit_was_hit)
      mb_error_set(&error, MB_ERROR_LIMIT, "MemoryLimit",
                   "the script needs more memory than it may use");
    else
      mb_error_memory(&error);
  } else {
    mb_error_set(&error, MB_ERROR_SCRIPT, "ScriptError", "%s", strip_position(stack, text));
  }
  where_in(stack, error.where, sizeof error.where);
  mb_lua_push_error(L, &error);
}

void mb_lua_normalise_error(lua_State *L, lua_State *stack) {
  luaL_checkstack(L, 6, "an error");
  if (mb_lua_is_fatal(L, -1))
    return;
  if (lua_istable(L, -1)) {
    /* A table of the script's own stays what it is; it only learns its line. */
    if (is_error_table(L, -1) || !luaL_getmetafield(L, -1, "__metatable"))
      set_where(L, stack);
    else
      lua_settop(L, -2);
    return;
  }
  if (lua_type(L, -1) == LUA_TSTRING || lua_type(L, -1) == LUA_TNUMBER) {
    lua_pushvalue(L, -1); /* lua_tostring would change a number in place */
    normalise_text(L, stack);
    lua_replace(L, -3);
    lua_settop(L, -2);
    return;
  }
  mb_error error;
  mb_error_set(&error, MB_ERROR_SCRIPT, "ScriptError",
               "error() was called with a %s instead of a message", luaL_typename(L, -1));
  where_in(stack, error.where, sizeof error.where);
  mb_lua_push_error(L, &error);
  lua_replace(L, -2);
}

int mb_lua_error_handler(lua_State *L) {
  lua_settop(L, 1);
  mb_lua_normalise_error(L, L);
  return 1;
}

static void get_text(lua_State *L, const char *name, char *out, size_t size) {
  lua_pushstring(L, name);
  if (lua_rawget(L, -2) == LUA_TSTRING)
    mb_text_copy(out, size, lua_tostring(L, -1));
  lua_settop(L, -2);
}

static int get_count(lua_State *L, const char *name) {
  lua_pushstring(L, name);
  lua_rawget(L, -2);
  lua_Integer number = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
  lua_settop(L, -2);
  return number > 0 && number < 1000000 ? (int)number : 0;
}

static mb_error_kind get_kind(lua_State *L) {
  char name[32] = "";
  get_text(L, "kind", name, sizeof name);
  for (int kind = MB_ERROR_INTERNAL; kind <= MB_ERROR_IO; kind++)
    if (strcmp(name, mb_error_kind_name((mb_error_kind)kind)) == 0)
      return (mb_error_kind)kind;
  return MB_ERROR_SCRIPT;
}

/* Reads raw fields only: nothing of the script runs here. The kind, which decides the exit code,
 * is believed of our own tables alone. */
void mb_lua_read_error(lua_State *L, int index, mb_error *error) {
  mb_error_clear(error);
  error->kind = MB_ERROR_SCRIPT;
  if (!lua_istable(L, index)) {
    mb_error_set(error, MB_ERROR_SCRIPT, "ScriptError", "an error without a message");
    return;
  }
  bool ours = is_error_table(L, index);
  lua_pushvalue(L, index);
  if (ours)
    error->kind = get_kind(L);
  mb_text_copy(error->code, sizeof error->code, "ScriptError");
  get_text(L, "code", error->code, sizeof error->code);
  get_text(L, "message", error->message, sizeof error->message);
  get_text(L, "next", error->next, sizeof error->next);
  get_text(L, "operation", error->operation, sizeof error->operation);
  get_text(L, "where", error->where, sizeof error->where);
  get_text(L, "region", error->region, sizeof error->region);
  get_text(L, "endpoint", error->endpoint, sizeof error->endpoint);
  get_text(L, "request_id", error->request_id, sizeof error->request_id);
  error->status = get_count(L, "status");
  error->attempts = get_count(L, "attempts");
  lua_pushliteral(L, "retryable");
  lua_rawget(L, -2);
  error->retryable = lua_toboolean(L, -1);
  lua_settop(L, -3);
  if (!error->message[0])
    mb_text_copy(error->message, sizeof error->message,
                 "error() was called with a table that has no message");
}
