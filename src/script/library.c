/* A Lua state that keeps modules of our own alive between calls. The sandbox's libraries are reused
 * whole; what only a run can answer (sleep, now, step and their kin) is taken out again. */
#include "script/library.h"
#include "base/digest.h"
#include "script/state.h"
#include <string.h>

#define LIBRARY_MEMORY    ((size_t)512 << 20)
#define LIBRARY_STRING    ((size_t)160 << 20)
#define LIBRARY_SLICE     30.0
#define TRACE_FRAMES      12
#define LIBRARY_ARGUMENTS 16

struct mb_library {
  mb_script *script;
  mb_system system; /* the real clock, for the time limit */
};

/* ---- making ---- */

/* What needs a run, its tasks or its primitives. */
static const char *const run_only[] = {
    "now",   "sleep",    "wait_until", "step", "together", "each", "confirm",
    "check", "progress", "table_of",   "all",  "pages",    NULL,
};

static int take_out_body(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &mb_key_globals);
  for (const char *const *name = run_only; *name; name++) {
    lua_pushstring(L, *name);
    lua_pushnil(L);
    lua_rawset(L, -3);
  }
  return 0;
}

/* ---- the native module ---- */

static int push_hex(lua_State *L, const unsigned char *digest, size_t size) {
  static const char digits[] = "0123456789abcdef";
  char hex[2 * MB_SHA256_SIZE];
  for (size_t i = 0; i < size; i++) {
    hex[2 * i] = digits[digest[i] >> 4];
    hex[2 * i + 1] = digits[digest[i] & 15];
  }
  lua_pushlstring(L, hex, 2 * size);
  return 1;
}

static const char *digest_input(lua_State *L, size_t *size) {
  mb_error error;
  luaL_checktype(L, 1, LUA_TSTRING);
  if (mb_digest_load(&error) != 0)
    mb_lua_raise(L, &error);
  return lua_tolstring(L, 1, size);
}

static int native_sha256(lua_State *L) {
  size_t size;
  unsigned char digest[MB_SHA256_SIZE];
  const char *text = digest_input(L, &size);
  if (mb_sha256(text, size, digest) != 0)
    return luaL_error(L, "OpenSSL gives no SHA-256");
  return push_hex(L, digest, sizeof digest);
}

static int native_md5(lua_State *L) {
  size_t size;
  unsigned char digest[16];
  const char *text = digest_input(L, &size);
  if (mb_md5(text, size, digest) != 0)
    return luaL_error(L, "OpenSSL gives no MD5");
  return push_hex(L, digest, sizeof digest);
}

static int add_native_body(lua_State *L) {
  static const mb_lua_function functions[] = {
      {"sha256", native_sha256}, {"md5", native_md5}, {NULL, NULL}};
  const char *name = lua_touserdata(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &mb_key_modules);
  lua_pushstring(L, name);
  lua_createtable(L, 0, 2);
  mb_lua_add_functions(L, functions);
  lua_rawset(L, -3);
  return 0;
}

/* ---- opening ---- */

static int open_library(mb_library *library, const mb_library_options *options, mb_error *error) {
  mb_script *script = library->script;
  double slice = options->slice_seconds;
  mb_system_complete(&library->system, NULL);
  script->clock = &library->system;
  script->hooks.module = options->module;
  script->hooks.payload = options->payload;
  script->memory_limit = options->memory_limit ? options->memory_limit : LIBRARY_MEMORY;
  script->instruction_limit = UINT64_MAX;
  script->string_limit = LIBRARY_STRING;
  script->nodes_limit = SIZE_MAX; /* the memory of the arena and of the state bound it */
  script->slice_ns = (int64_t)((slice > 0 && slice < 1e9 ? slice : LIBRARY_SLICE) * 1e9);
  if (mb_script_open(script, error) != 0)
    return -1;
  if (mb_script_protect(script, take_out_body, NULL, error) != 0)
    return -1;
  void *native = (void *)(uintptr_t)options->native_module;
  return native ? mb_script_protect(script, add_native_body, native, error) : 0;
}

mb_library *mb_library_new(const mb_library_options *options, mb_error *error) {
  mb_library *library = mb_alloc_zero(1, sizeof *library);
  if (!library) {
    mb_error_memory(error);
    return NULL;
  }
  library->script = mb_script_bare(error);
  if (!library->script || open_library(library, options, error) != 0) {
    mb_library_free(library);
    return NULL;
  }
  return library;
}

void mb_library_free(mb_library *library) {
  if (!library)
    return;
  mb_script_free(library->script);
  mb_free(library);
}

/* ---- tracebacks ---- */

/* Pushes " (called from a:1, b:2)" of the frames above the innermost one, or "". */
static void push_trace(lua_State *L) {
  lua_Debug ar;
  int frames = 0;
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  for (int level = 1; frames <= TRACE_FRAMES && lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Sl", &ar);
    if (ar.currentline < 0 || frames++ == 0)
      continue; /* C, and the line that `where` names already */
    luaL_addstring(&text, frames == 2 ? " (called from " : ", ");
    lua_pushfstring(L, "%s:%d", ar.source + 1, ar.currentline);
    luaL_addvalue(&text);
  }
  luaL_addstring(&text, frames > 1 ? ")" : "");
  luaL_pushresult(&text);
}

/* The message handler of calls: as everywhere, and the way that led there. */
static int trace_handler(lua_State *L) {
  mb_lua_error_handler(L);
  if (!lua_istable(L, 1))
    return 1;
  lua_pushliteral(L, "message");
  if (lua_rawget(L, 1) == LUA_TSTRING) {
    push_trace(L);
    lua_concat(L, 2);
    lua_pushliteral(L, "message");
    lua_insert(L, -2);
    lua_rawset(L, 1);
  }
  lua_settop(L, 1);
  return 1;
}

/* Calls `function` with `context`, giving errors their trace. The error goes on as it is. */
static int call_traced(lua_State *L, lua_CFunction function, void *context) {
  lua_pushcfunction(L, trace_handler);
  int handler = lua_gettop(L);
  lua_pushcfunction(L, function);
  lua_pushlightuserdata(L, context);
  if (lua_pcall(L, 1, 0, handler) != LUA_OK)
    return lua_error(L);
  return 0;
}

/* ---- calling ---- */

typedef struct library_call {
  const char *module, *name;
  const mb_value *const *args;
  size_t arg_count;
  mb_arena *arena;
  const mb_value *result;
} library_call;

/* Pushes what a module returned, loading it the first time. [0, +1, e] */
static void push_module(lua_State *L, const char *name) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &mb_key_modules);
  lua_pushstring(L, name);
  bool loaded = lua_rawget(L, -2) == LUA_TTABLE;
  lua_replace(L, -2);
  if (loaded)
    return;
  lua_settop(L, -2);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &mb_key_globals);
  lua_pushliteral(L, "require");
  lua_rawget(L, -2);
  lua_replace(L, -2);
  lua_pushstring(L, name);
  lua_call(L, 1, 1);
}

static int call_inner(lua_State *L) {
  library_call *call = lua_touserdata(L, 1);
  luaL_checkstack(L, LIBRARY_ARGUMENTS + 8, "a call");
  push_module(L, call->module);
  if (!lua_istable(L, -1))
    return luaL_error(L, "the module '%s' returns no table", call->module);
  lua_pushstring(L, call->name);
  if (lua_rawget(L, -2) != LUA_TFUNCTION)
    return luaL_error(L, "the module '%s' has no function '%s'", call->module, call->name);
  for (size_t i = 0; i < call->arg_count; i++)
    mb_lua_push_plain(L, call->args[i]);
  lua_call(L, (int)call->arg_count, 1);
  if (lua_isnil(L, -1))
    return 0;
  char label[96];
  snprintf(label, sizeof label, "the result of %.80s", call->name);
  call->result = mb_lua_read_value(L, -1, call->arena, label);
  return 0;
}

static int call_body(lua_State *L) {
  return call_traced(L, call_inner, lua_touserdata(L, 1));
}

/* A state that ran into a limit was left in the middle of something: it answers nothing more. */
static int check_alive(const mb_library *library, mb_error *error) {
  if (!library->script->fatal)
    return 0;
  if (error)
    *error = library->script->fatal_error;
  return -1;
}

int mb_library_call(mb_library *library, const char *module, const char *name,
                    const mb_value *const *args, size_t arg_count, mb_arena *arena,
                    const mb_value **result, mb_error *error) {
  library_call call = {module, name, args, arg_count, arena, NULL};
  if (result)
    *result = NULL;
  if (arg_count > LIBRARY_ARGUMENTS)
    return mb_error_set(error, MB_ERROR_INTERNAL, "TooManyArguments", "at most %d arguments",
                        LIBRARY_ARGUMENTS);
  if (check_alive(library, error) != 0 ||
      mb_script_protect(library->script, call_body, &call, error) != 0)
    return -1;
  if (result)
    *result = call.result;
  return 0;
}

/* ---- files of the user's ---- */

typedef struct library_file {
  const char *chunk_name, *source;
  size_t size;
  const char *module; /* whose functions are globals, or NULL */
} library_file;

/* __index of a file's globals: the module's functions, then the base library. */
static int file_index(lua_State *L) {
  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
    return 1;
  lua_pushvalue(L, 2);
  lua_gettable(L, lua_upvalueindex(2));
  return 1;
}

static void push_file_globals(lua_State *L, const char *module) {
  lua_createtable(L, 0, 8);
  lua_createtable(L, 0, 2);
  if (module)
    push_module(L, module);
  else
    lua_createtable(L, 0, 0);
  luaL_checktype(L, -1, LUA_TTABLE);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &mb_key_env);
  lua_pushcclosure(L, file_index, 2);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
}

static int file_inner(lua_State *L) {
  library_file *file = lua_touserdata(L, 1);
  push_file_globals(L, file->module);
  mb_lua_load_text(L, file->chunk_name, file->source, file->size);
  lua_call(L, 0, 0);
  return 0;
}

static int file_body(lua_State *L) {
  return call_traced(L, file_inner, lua_touserdata(L, 1));
}

int mb_library_run(mb_library *library, const char *chunk_name, const char *source, size_t size,
                   const char *globals_module, mb_error *error) {
  library_file file = {chunk_name, source, size, globals_module};
  if (check_alive(library, error) != 0)
    return -1;
  mb_text_copy(library->script->chunk_name, sizeof library->script->chunk_name, chunk_name);
  int result = mb_script_protect(library->script, file_body, &file, error);
  library->script->chunk_name[0] = '\0';
  return result;
}
