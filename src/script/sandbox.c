/* What a runbook can name: one table, built up from nothing. Names that people know from elsewhere
 * and that are absent on purpose say what to use instead. */
#include "script/state.h"
#include <string.h>

const char mb_key_env = 'E', mb_key_globals = 'G', mb_key_modules = 'M', mb_key_runbook = 'R';

/* ---- helpers of the libraries ---- */

void mb_lua_add_functions(lua_State *L, const mb_lua_function *functions) {
  for (; functions->name; functions++) {
    lua_pushcfunction(L, functions->function);
    lua_setfield(L, -2, functions->name);
  }
}

void mb_lua_pick(lua_State *L, const char *const *names) {
  for (; *names; names++) {
    lua_pushstring(L, *names);
    lua_pushvalue(L, -1);
    lua_rawget(L, -3);
    lua_rawset(L, -4);
  }
  lua_settop(L, -2);
}

/* ---- what is absent ---- */

typedef struct absent {
  const char *name;   /* "os.time", or "os.*" for whatever else is asked of it */
  const char *advice; /* or NULL */
} absent;

static const absent absents[] = {
    {"os.time", "use now()"},
    {"os.clock", "use now()"},
    {"os.date", "use now(), which gives seconds since 1970"},
    {"os.getenv", "declare an argument in the manifest"},
    {"os.exit", "return from the function, or raise an error"},
    {"os.execute", "a runbook cannot start programs: use a primitive"},
    {"os.*", "a runbook reaches the machine through primitives only"},
    {"io.popen", "a runbook cannot start programs: use a primitive"},
    {"io.write", "use log.info() or print()"},
    {"io.*", "a runbook reaches files through primitives only"},
    {"debug.traceback", "errors name their line by themselves"},
    {"debug.*", NULL},
    {"package.*", "use require()"},
    {"coroutine.*", "use together{} or each() to do things at the same time"},
    {"load", "a runbook is one text: put the code in a function, or in a module for require()"},
    {"loadstring", "put the code in a function, or in a module for require()"},
    {"loadfile", "use require()"},
    {"dofile", "use require()"},
    {"collectgarbage", "memory is looked after"},
    {"rawset", "assign to the field"},
    {"warn", "use log.warn()"},
    {"_G", "name the function itself"},
    {"_VERSION", NULL},
    {"unpack", "use table.unpack()"},
    {"setfenv", NULL},
    {"getfenv", NULL},
    {"module", "return a table from the module's file"},
    {"string.dump", NULL},
    {"string.pack", "use the encoders of the primitives"},
    {"string.unpack", "use the decoders of the primitives"},
    {"string.packsize", NULL},
    {"string.gfind", "use string.gmatch()"},
    {"math.randomseed", "the run has its seed already, so that it can be repeated"},
    {"math.pow", "use x ^ y"},
    {"table.getn", "use #list"},
    {"table.foreach", "use pairs()"},
};
#define ABSENT_COUNT (sizeof absents / sizeof absents[0])

static const char *const stub_names[] = {"os", "io", "debug", "package", "coroutine", NULL};

static const absent *find_absent(const char *name) {
  for (size_t i = 0; i < ABSENT_COUNT; i++)
    if (strcmp(absents[i].name, name) == 0)
      return &absents[i];
  return NULL;
}

static int raise_absent(lua_State *L, const char *name, const absent *entry) {
  mb_error error;
  mb_error_set(&error, MB_ERROR_SCRIPT, "NotAvailable", "%s is not available in runbooks%s%s", name,
               entry->advice ? ": " : "", entry->advice ? entry->advice : "");
  return mb_lua_raise(L, &error);
}

static int raise_unknown(lua_State *L, const char *what, const char *name, const char *prefix,
                         const char *near) {
  mb_error error;
  mb_error_set(&error, MB_ERROR_SCRIPT, "UnknownName", "%s \"%.200s%.200s\"%s%s%s%s", what, prefix,
               name, near ? ": did you mean " : "", near ? prefix : "", near ? near : "",
               near ? "?" : "");
  return mb_lua_raise(L, &error);
}

/* __index of os, io and the like. */
static int stub_index(lua_State *L) {
  char name[128];
  const char *library = lua_tostring(L, lua_upvalueindex(1));
  const char *field = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
  snprintf(name, sizeof name, "%s.%.100s", library, field);
  const absent *entry = find_absent(name);
  if (entry)
    return raise_absent(L, name, entry);
  char any[32];
  snprintf(any, sizeof any, "%s.*", library);
  entry = find_absent(any);
  return raise_absent(L, name, entry ? entry : &absents[0]);
}

/* ---- nearest names ---- */

typedef struct nearest {
  const char *best;
  size_t distance;
} nearest;

/* Looks through the names of a table, in order: of two that are as near the same one is named in
 * every process. The strings stay, as the tables are constant. */
static void look_in_table(lua_State *L, int table, const char *name, nearest *near) {
  lua_Integer count = mb_lua_push_sorted_keys(L, table);
  for (lua_Integer i = 1; i <= count; i++) {
    if (lua_rawgeti(L, -1, i) == LUA_TSTRING)
      mb_text_nearer(name, lua_tostring(L, -1), &near->best, &near->distance);
    lua_settop(L, -2);
  }
  lua_settop(L, -2);
}

static void look_in_namespaces(lua_State *L, const char *name, nearest *near) {
  const char *names[512];
  size_t capacity = sizeof names / sizeof names[0];
  mb_engine *engine = mb_script_of(L)->engine;
  size_t count = engine ? mb_engine_namespaces(engine, names, capacity) : 0;
  for (size_t i = 0; i < count && i < capacity; i++)
    mb_text_nearer(name, names[i], &near->best, &near->distance);
}

/* __index of a library's real table: a name it does not have. */
static int library_missing(lua_State *L) {
  char name[160];
  const char *library = lua_tostring(L, lua_upvalueindex(1));
  if (lua_type(L, 2) != LUA_TSTRING)
    return luaL_error(L, "%s has functions by name only", library);
  const char *field = lua_tostring(L, 2);
  snprintf(name, sizeof name, "%s.%.100s", library, field);
  const absent *entry = find_absent(name);
  if (entry)
    return raise_absent(L, name, entry);
  nearest near = {NULL, SIZE_MAX};
  look_in_table(L, lua_upvalueindex(2), field, &near);
  snprintf(name, sizeof name, "%s.", library);
  return raise_unknown(L, "there is no", field, name, near.best);
}

/* Sets what happens when the library on top is asked for a name it does not have. */
static void guard_library(lua_State *L, const char *name) {
  lua_createtable(L, 0, 1);
  lua_pushstring(L, name);
  lua_pushvalue(L, -3);
  lua_pushcclosure(L, library_missing, 2);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
}

/* ---- the environment of chunks ---- */

/* __index of the globals: a name that is none of ours. A namespace of primitives is remembered. */
static int global_missing(lua_State *L) {
  if (lua_type(L, 2) != LUA_TSTRING)
    return luaL_error(L, "globals have names");
  const char *name = lua_tostring(L, 2);
  const absent *entry = find_absent(name);
  if (entry)
    return raise_absent(L, name, entry);
  if (mb_lua_push_namespace(L, name)) {
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -2);
    lua_rawset(L, lua_upvalueindex(1));
    return 1;
  }
  nearest near = {NULL, SIZE_MAX};
  look_in_table(L, lua_upvalueindex(1), name, &near);
  look_in_namespaces(L, name, &near);
  return raise_unknown(L, "unknown name", name, "", near.best);
}

static int global_assigned(lua_State *L) {
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
  mb_error error;
  mb_error_set(&error, MB_ERROR_SCRIPT, "GlobalAssignment",
               "\"%.200s\" is not declared: runbooks have no globals of their own", name);
  mb_error_next(&error, "write 'local' before the first assignment, or 'local function'");
  return mb_lua_raise(L, &error);
}

/* Wraps the globals on top into the environment of chunks: an empty table that reads from them. */
static void wrap_globals(lua_State *L) {
  int globals = lua_gettop(L);
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, globals);
  lua_pushcclosure(L, global_missing, 1);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, globals);
  lua_createtable(L, 0, 0);
  lua_createtable(L, 0, 3);
  lua_pushvalue(L, globals);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, global_assigned);
  lua_setfield(L, -2, "__newindex");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &mb_key_env);
}

/* ---- require ---- */

static bool is_module_name(const char *name, size_t size) {
  if (size == 0 || size > 100 || name[0] == '.' || name[size - 1] == '.')
    return false;
  for (size_t i = 0; i < size; i++) {
    char c = name[i];
    bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    if (!plain || (c == '.' && name[i - 1] == '.'))
      return false;
  }
  return true;
}

/* Stack: arena, name. Runs the module and gives its value. */
static int require_body(lua_State *L) {
  mb_script *script = mb_script_of(L);
  const char *source, *chunk_name, *name = lua_tostring(L, 2);
  size_t size;
  mb_error error;
  mb_error_clear(&error);
  if (!script->hooks.module)
    return luaL_error(L, "there is no module '%s'", name);
  if (script->hooks.module(script->hooks.payload, name, lua_touserdata(L, 1), &source, &size,
                           &chunk_name, &error) != 0)
    return mb_lua_raise(L, &error);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &mb_key_env);
  mb_lua_load_text(L, chunk_name, source, size);
  lua_call(L, 0, 1);
  if (!lua_toboolean(L, -1))
    return luaL_error(L, "the module '%s' returns nothing: end its file with 'return M'", name);
  return 1;
}

static int require_protected(lua_State *L) {
  return mb_lua_with_arena(L, require_body);
}

/* A module that is being loaded is marked with false, to see a cycle. */
static int sandbox_require(lua_State *L) {
  mb_script *script = mb_script_of(L);
  size_t size;
  const char *name = luaL_checklstring(L, 1, &size);
  if (!is_module_name(name, size))
    return luaL_error(L, "a module's name is made of a-z, 0-9, _ and single dots");
  lua_settop(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &mb_key_modules);
  lua_pushvalue(L, 1);
  if (lua_rawget(L, 2) == LUA_TBOOLEAN && !lua_toboolean(L, -1))
    return luaL_error(L, "the module '%s' requires itself, through others or directly", name);
  if (!lua_isnil(L, -1))
    return 1;
  lua_settop(L, 2);
  lua_pushvalue(L, 1);
  lua_pushboolean(L, 0);
  lua_rawset(L, 2);
  lua_pushcfunction(L, mb_lua_error_handler);
  lua_pushcfunction(L, require_protected);
  lua_pushvalue(L, 1);
  script->loading++;
  int status = lua_pcall(L, 1, 1, 3);
  script->loading--;
  lua_pushvalue(L, 1);
  if (status == LUA_OK)
    lua_pushvalue(L, 4);
  else
    lua_pushnil(L);
  lua_rawset(L, 2);
  if (status != LUA_OK)
    return lua_error(L);
  return 1;
}

void mb_lua_require(lua_State *L, const char *name) {
  lua_pushcfunction(L, sandbox_require);
  lua_pushstring(L, name);
  lua_call(L, 1, 1);
}

/* ---- putting it together ---- */

typedef struct library {
  const char *name;
  void (*push)(lua_State *L);
} library;

static const library libraries[] = {
    {"string", mb_lua_push_string_library}, {"table", mb_lua_push_table_library},
    {"math", mb_lua_push_math_library},     {"utf8", mb_lua_push_utf8_library},
    {"json", mb_lua_push_json_library},     {"log", mb_lua_push_log_library},
};

static void add_libraries(lua_State *L) {
  for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
    libraries[i].push(L);
    guard_library(L, libraries[i].name);
    mb_lua_make_readonly(L, libraries[i].name);
    lua_setfield(L, -2, libraries[i].name);
  }
}

static void add_stubs(lua_State *L) {
  for (const char *const *name = stub_names; *name; name++) {
    lua_createtable(L, 0, 0);
    lua_createtable(L, 0, 3);
    lua_pushstring(L, *name);
    lua_pushcclosure(L, stub_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, *name);
    lua_pushcclosure(L, stub_index, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, *name);
  }
}

static void add_registry_table(lua_State *L, const char *key) {
  lua_createtable(L, 0, 0);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void mb_lua_open_sandbox(lua_State *L) {
  add_registry_table(L, &mb_key_threads);
  add_registry_table(L, &mb_key_modules);
  add_registry_table(L, &mb_key_namespaces);
  lua_createtable(L, 0, 48);
  mb_lua_add_base(L);
  mb_lua_add_flow(L);
  mb_lua_add_report(L);
  mb_lua_add_calls(L);
  lua_pushcfunction(L, sandbox_require);
  lua_setfield(L, -2, "require");
  mb_lua_push_null(L);
  lua_setfield(L, -2, "null");
  add_libraries(L);
  add_stubs(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &mb_key_globals);
  wrap_globals(L);
  lua_settop(L, -2);
}
