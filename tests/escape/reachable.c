/* Prints everything a runbook can get hold of: the environment of chunks, the metatable of strings,
 * of null, of secrets and of errors, and from there every key, metatable and upvalue of functions.
 * The list is compared with reachable.txt: what is not on it must not be there. */
#include "script/state.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct walk {
  const void *seen[4096];
  size_t count;
  mb_buffer out;
} walk;

static bool is_new(walk *w, const void *pointer) {
  for (size_t i = 0; i < w->count; i++)
    if (w->seen[i] == pointer)
      return false;
  if (w->count == 4096)
    exit(2);
  w->seen[w->count++] = pointer;
  return true;
}

static void visit(lua_State *L, walk *w, const char *path, int depth);

static void visit_table(lua_State *L, walk *w, const char *path, int depth) {
  char below[512];
  lua_Integer count = mb_lua_push_sorted_keys(L, -1);
  for (lua_Integer i = 1; i <= count; i++) {
    size_t size;
    lua_rawgeti(L, -1, i);
    mb_lua_tostring(L, -1, &size);
    snprintf(below, sizeof below, "%s.%s", path, lua_tostring(L, -1));
    lua_settop(L, -2);
    lua_rawget(L, -3);
    visit(L, w, below, depth + 1);
    lua_settop(L, -2);
  }
  lua_settop(L, -2);
  if (lua_getmetatable(L, -1)) {
    snprintf(below, sizeof below, "%s<metatable>", path);
    visit(L, w, below, depth + 1);
    lua_settop(L, -2);
  }
}

/* The value is on top. */
static void visit(lua_State *L, walk *w, const char *path, int depth) {
  luaL_checkstack(L, 10, "walk");
  int type = lua_type(L, -1);
  bool shared = type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TUSERDATA;
  if (depth > 40)
    exit(2);
  mb_buffer_addf(&w->out, "%s %s%s\n", path, luaL_typename(L, -1),
                 type == LUA_TFUNCTION && !lua_iscfunction(L, -1) ? " in Lua" : "");
  if (!shared || !is_new(w, lua_topointer(L, -1)))
    return;
  if (type == LUA_TTABLE) {
    visit_table(L, w, path, depth);
  } else if (type == LUA_TFUNCTION) {
    char below[512];
    for (int i = 1; lua_getupvalue(L, -1, i); i++) {
      snprintf(below, sizeof below, "%s<upvalue %d>", path, i);
      visit(L, w, below, depth + 1);
      lua_settop(L, -2);
    }
  } else if (lua_getmetatable(L, -1)) {
    char below[512];
    snprintf(below, sizeof below, "%s<metatable>", path);
    visit(L, w, below, depth + 1);
    lua_settop(L, -2);
  }
}

static int walk_all(lua_State *L) {
  walk *w = lua_touserdata(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &mb_key_env);
  visit(L, w, "env", 0);
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  visit(L, w, "string", 0);
  mb_lua_push_null(L);
  visit(L, w, "null", 0);
  mb_lua_push_secret(L, "x", 1);
  visit(L, w, "secret", 0);
  mb_error error;
  mb_error_set(&error, MB_ERROR_AWS, "C", "m");
  mb_lua_push_error(L, &error);
  visit(L, w, "error", 0);
  /* What Lua itself would fall back to: nothing may be in the globals of the state. */
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  visit(L, w, "state", 0);
  static const int types[] = {LUA_TNIL,      LUA_TBOOLEAN, LUA_TNUMBER,
                              LUA_TFUNCTION, LUA_TTHREAD,  LUA_TLIGHTUSERDATA};
  lua_settop(L, 0);
  lua_pushnil(L);
  lua_pushboolean(L, 1);
  lua_pushinteger(L, 1);
  lua_pushcfunction(L, walk_all);
  lua_pushthread(L);
  lua_pushlightuserdata(L, w);
  for (int i = 1; i <= 6; i++)
    if (lua_getmetatable(L, i))
      mb_buffer_addf(&w->out, "a metatable of every %s\n", lua_typename(L, types[i - 1]));
  return 0;
}

static char *read_list(const char *path) {
  static char text[65536];
  FILE *file = fopen(path, "rb");
  if (!file)
    return NULL;
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  return text;
}

int main(int argc, char **argv) {
  static const mb_settings_options settings;
  static walk w;
  mb_engine engine;
  mb_error error;
  mb_buffer_init(&w.out, 1 << 20);
  if (mb_engine_init(&engine, NULL, &settings, 0, &error) != 0)
    return 2;
  mb_script_options options = {.engine = &engine};
  mb_script *script = mb_script_new(&options, &error);
  if (!script || mb_script_protect(script, walk_all, &w, &error) != 0) {
    fprintf(stderr, "%s\n", error.message);
    return 2;
  }
  mb_script_free(script);
  mb_engine_dispose(&engine);
  const char *wanted = argc > 1 ? read_list(argv[1]) : NULL;
  bool same = wanted && strcmp(wanted, mb_buffer_text(&w.out)) == 0;
  if (!same)
    printf("%s", mb_buffer_text(&w.out));
  mb_buffer_dispose(&w.out);
  return same ? 0 : 1;
}
