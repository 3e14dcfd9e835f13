/* The string library but for patterns: Lua's own pure functions, and our own rep and format. */
#include "script/state.h"
#include <string.h>

/* Linear in text that is at most 16 MiB long. */
static const char *const string_names[] = {"byte",    "char", "len",   "lower",
                                           "reverse", "sub",  "upper", NULL};

static int string_rep(lua_State *L) {
  size_t size, separator_size;
  const char *text = luaL_checklstring(L, 1, &size);
  lua_Integer count = luaL_checkinteger(L, 2);
  const char *separator = luaL_optlstring(L, 3, "", &separator_size);
  if (count <= 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  if (size + separator_size == 0)
    count = 1;
  else if ((lua_Unsigned)count > mb_script_of(L)->string_limit / (size + separator_size))
    return luaL_error(L, "the text would be longer than %d MiB",
                      (int)(mb_script_of(L)->string_limit >> 20));
  luaL_Buffer buffer;
  size_t total = (size_t)count * size + (size_t)(count - 1) * separator_size;
  mb_lua_tick(L, total / 64 + 1);
  char *out = luaL_buffinitsize(L, &buffer, total);
  size_t filled = size + (count > 1 ? separator_size : 0);
  memcpy(out, text, size);
  memcpy(out + size, separator, filled - size);
  while (filled < total) { /* doubles what is there: few copies however short the text */
    size_t part = filled < total - filled ? filled : total - filled;
    memcpy(out + filled, out, part);
    filled += part;
  }
  luaL_pushresultsize(&buffer, total);
  return 1;
}

/* ---- format ---- */

/* Readies argument `index` for one conversion: text instead of an address, the text of a secret
 * (then the whole result is secret). */
static bool prepare_argument(lua_State *L, int index, char conversion) {
  size_t size;
  const char *secret = mb_lua_to_secret(L, index, &size);
  if (conversion == 'p')
    luaL_error(L, "string.format has no %%p in runbooks: addresses differ in every run");
  if (conversion != 's')
    return false;
  luaL_checkany(L, index);
  if (secret)
    lua_pushlstring(L, secret, size);
  else
    mb_lua_tostring(L, index, &size);
  lua_replace(L, index);
  return secret != NULL;
}

/* string.format checks widths and argument types itself; its upvalue is Lua's own. */
static int string_format(lua_State *L) {
  size_t size;
  const char *format = luaL_checklstring(L, 1, &size);
  bool secret = false;
  int argument = 1;
  mb_lua_tick(L, size / 16);
  for (size_t i = 0; i < size; i++) {
    if (format[i] != '%' || ++i >= size || format[i] == '%')
      continue;
    i += strspn(format + i, "-+ #0123456789.");
    if (i >= size)
      break;
    secret = prepare_argument(L, ++argument, format[i]) || secret;
  }
  int count = lua_gettop(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, count, 1);
  if (secret) {
    const char *text = lua_tolstring(L, 1, &size);
    mb_lua_push_secret(L, text, size);
  }
  return 1;
}

/* Every string shares this; the table of functions is the real one, and nothing can reach it but to
 * read: its metatable says false when asked. */
static void set_string_metatable(lua_State *L) {
  lua_pushliteral(L, "");
  lua_createtable(L, 0, 2);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_settop(L, -2);
}

void mb_lua_push_string_library(lua_State *L) {
  lua_createtable(L, 0, 16);
  lua_pushcfunction(L, luaopen_string);
  lua_call(L, 0, 1);
  lua_pushliteral(L, "format");
  lua_pushliteral(L, "format");
  lua_rawget(L, -3);
  lua_pushcclosure(L, string_format, 1);
  lua_rawset(L, -4);
  mb_lua_pick(L, string_names);
  lua_pushcfunction(L, string_rep);
  lua_setfield(L, -2, "rep");
  mb_lua_add_functions(L, mb_lua_pattern_functions);
  set_string_metatable(L);
}
