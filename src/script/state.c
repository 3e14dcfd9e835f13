/* A script's life: making the state, loading a runbook, calling its functions, closing. */
#include "script/state.h"
#include "base/system.h"
#include <string.h>

static const char *const known_functions[] = {"plan", "apply", "verify", "diagnose", "undo"};
#define KNOWN_COUNT (sizeof known_functions / sizeof known_functions[0])

mb_script *mb_script_of(lua_State *L) {
  mb_script *script;
  memcpy(&script, lua_getextraspace(L), sizeof script);
  return script;
}

locale_t mb_script_enter(mb_script *script) {
  return uselocale(script->locale);
}

void mb_script_leave(mb_script *script, locale_t before) {
  (void)script;
  uselocale(before);
}

/* ---- protected entry ---- */

typedef struct taking {
  lua_State *from;
  mb_error *error;
} taking;

static int take_error_body(lua_State *L) {
  taking *take = lua_touserdata(L, 1);
  mb_lua_normalise_error(L, take->from); /* the error object is on top */
  mb_lua_read_error(L, -1, take->error);
  return 0;
}

static void memory_error(const mb_script *script, mb_error *error) {
  if (!script->limit_was_hit) {
    mb_error_memory(error);
    return;
  }
  mb_error_set(error, MB_ERROR_LIMIT, "MemoryLimit",
               "the script needs more than the %zu MiB of memory it may use",
               script->memory_limit >> 20);
  mb_error_next(error, "keep less at once, or raise the memory limit of the run");
}

void mb_script_take_error(mb_script *script, lua_State *from, int status, mb_error *error) {
  mb_error scratch;
  if (!error)
    error = &scratch;
  mb_error_clear(error);
  if (script->fatal) {
    *error = script->fatal_error;
    lua_settop(from, -2);
    return;
  }
  if (status == LUA_ERRMEM) {
    memory_error(script, error);
    mb_lua_where(from, error->where, sizeof error->where);
    lua_settop(from, -2);
    return;
  }
  lua_State *L = script->L;
  taking take = {from, error};
  script->memory_limit += MB_SCRIPT_ERROR_RESERVE;
  if (from != L)
    lua_xmove(from, L, 1);
  lua_pushcfunction(L, take_error_body);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, &take);
  lua_insert(L, -2);
  bool taken = lua_pcall(L, 2, 0, 0) == LUA_OK;
  script->memory_limit -= MB_SCRIPT_ERROR_RESERVE;
  if (taken)
    return;
  lua_settop(L, -2);
  memory_error(script, error);
}

/* The host comes in: the time until the next primitive begins. */
static void begin_slice(mb_script *script) {
  if (script->clock)
    script->slice_start = mb_monotonic_ns(script->clock);
}

int mb_script_protect(mb_script *script, lua_CFunction function, void *context, mb_error *error) {
  lua_State *L = script->L;
  locale_t before = mb_script_enter(script);
  int base = lua_gettop(L);
  begin_slice(script);
  lua_pushcfunction(L, mb_lua_error_handler);
  lua_pushcfunction(L, function);
  lua_pushlightuserdata(L, context);
  int status = lua_pcall(L, 1, 0, base + 1);
  if (status != LUA_OK)
    mb_script_take_error(script, L, status, error);
  lua_settop(L, base);
  mb_script_leave(script, before);
  return status == LUA_OK ? 0 : -1;
}

/* ---- making and closing ---- */

static int open_errors_body(lua_State *L) {
  mb_lua_open_errors(L);
  return 0;
}

static int open_all_body(lua_State *L) {
  mb_lua_open_values(L);
  mb_lua_open_secrets(L);
  mb_lua_open_sandbox(L);
  return 0;
}

static mb_script *script_alloc(mb_error *error) {
  mb_script *script = mb_alloc_zero(1, sizeof *script);
  if (!script) {
    mb_error_memory(error);
    return NULL;
  }
  script->memory_limit = (size_t)64 << 20;
  script->instruction_limit = 500000000u;
  script->slice_ns = INT64_C(10000000000);
  script->nodes_limit = MB_SCRIPT_NODES_MAX;
  script->string_limit = MB_SCRIPT_STRING_MAX;
  atomic_init(&script->stop, 0);
  script->locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  if (script->locale != (locale_t)0)
    script->L = lua_newstate(mb_script_allocate, script);
  if (!script->L) {
    mb_error_memory(error);
    mb_script_free(script);
    return NULL;
  }
  memcpy(lua_getextraspace(script->L), &script, sizeof script);
  mb_script_watch(script->L);
  return script;
}

mb_script *mb_script_bare(mb_error *error) {
  mb_script *script = script_alloc(error);
  if (script && mb_script_protect(script, open_errors_body, NULL, error) != 0) {
    mb_script_free(script);
    return NULL;
  }
  return script;
}

int mb_script_open(mb_script *script, mb_error *error) {
  return mb_script_protect(script, open_all_body, NULL, error);
}

/* Fills the generator's state from one number (splitmix64), so that no seed gives all zeros. */
static void seed_random(mb_script *script, uint64_t seed) {
  for (int i = 0; i < 4; i++) {
    seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    script->random_state[i] = z ^ (z >> 31);
  }
}

mb_script *mb_script_new(const mb_script_options *options, mb_error *error) {
  mb_script *script = mb_script_bare(error);
  if (!script)
    return NULL;
  script->engine = options->engine;
  script->clock = script->engine ? &script->engine->system : NULL;
  if (options->hooks)
    script->hooks = *options->hooks;
  if (options->memory_limit)
    script->memory_limit = options->memory_limit;
  if (options->instruction_limit)
    script->instruction_limit = options->instruction_limit;
  if (options->slice_seconds > 0 && options->slice_seconds < 1e9)
    script->slice_ns = (int64_t)(options->slice_seconds * 1e9);
  seed_random(script, options->seed);
  if (mb_script_open(script, error) != 0) {
    mb_script_free(script);
    return NULL;
  }
  return script;
}

static void cancelled_error(mb_error *error) {
  mb_error_set(error, MB_ERROR_CANCELLED, "Cancelled", "stopped on request");
}

void mb_script_free(mb_script *script) {
  if (!script)
    return;
  mb_error why;
  cancelled_error(&why);
  mb_task_cancel_below(script, NULL, &why);
  if (script->L)
    lua_close(script->L);
  if (script->locale != (locale_t)0)
    freelocale(script->locale);
  mb_free(script);
}

void mb_script_stop(mb_script *script, bool now) {
  int wanted = now ? 2 : 1;
  if (atomic_load(&script->stop) < wanted)
    atomic_store(&script->stop, wanted);
  if (script->engine && script->engine->loop)
    mb_loop_wake(script->engine->loop);
}

size_t mb_script_peak_memory(const mb_script *script) {
  return script->memory_peak;
}

uint64_t mb_script_instructions(const mb_script *script) {
  return script->instructions;
}

/* ---- loading ---- */

typedef struct loading {
  mb_script *script;
  const char *chunk_name, *source;
  size_t size;
} loading;

/* Splits "name:12: text", as the parser writes it, into the line and the text. */
static const char *split_message(const char *message, long *line) {
  for (const char *at = strchr(message, ':'); at; at = strchr(at + 1, ':')) {
    const char *p = at + 1;
    long number = 0;
    while (*p >= '0' && *p <= '9' && number < 100000000)
      number = number * 10 + (*p++ - '0');
    if (p > at + 1 && p[0] == ':' && p[1] == ' ') {
      *line = number;
      return p + 2;
    }
  }
  *line = 0;
  return message;
}

static int raise_syntax(lua_State *L, const char *chunk_name) {
  mb_error error;
  long line;
  const char *message = lua_tostring(L, -1);
  const char *text = split_message(message ? message : "", &line);
  mb_error_set(&error, MB_ERROR_SCRIPT, "SyntaxError", "%s", text);
  snprintf(error.where, sizeof error.where, "%.200s:%ld", chunk_name, line);
  return mb_lua_raise(L, &error);
}

void mb_lua_load_text(lua_State *L, const char *chunk_name, const char *source, size_t size) {
  if (size > MB_SCRIPT_SOURCE_MAX)
    luaL_error(L, "%s is larger than 1 MiB", chunk_name);
  const char *name = lua_pushfstring(L, "@%s", chunk_name);
  int status = luaL_loadbufferx(L, source, size, name, "t");
  if (status == LUA_ERRMEM)
    lua_error(L);
  if (status != LUA_OK)
    raise_syntax(L, chunk_name);
  lua_pushvalue(L, -3);
  if (!lua_setupvalue(L, -2, 1)) /* a chunk that names no global still has its environment */
    lua_settop(L, -2);
  lua_replace(L, -3);
  lua_settop(L, -2);
}

static int usage(lua_State *L, const loading *load, const char *next, const char *message) {
  mb_error error;
  mb_error_set(&error, MB_ERROR_USAGE, "BadRunbook", "%s %s", load->chunk_name, message);
  mb_error_next(&error, "%s", next);
  return mb_lua_raise(L, &error);
}

static bool is_known(const char *name) {
  for (size_t i = 0; i < KNOWN_COUNT; i++)
    if (strcmp(known_functions[i], name) == 0)
      return true;
  return false;
}

static void check_runbook(lua_State *L, const loading *load) {
  const char *next = "end the file with: return { plan = plan, apply = apply, verify = verify }";
  if (!lua_istable(L, -1))
    usage(L, load, next, "does not return a table of functions");
  lua_Integer count = mb_lua_push_sorted_keys(L, -1);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, -1, i);
    if (lua_type(L, -1) != LUA_TSTRING)
      usage(L, load, next, "returns a table with a key that is not a name");
    const char *name = lua_tostring(L, -1);
    if (!is_known(name)) {
      const char *near = mb_text_nearest(name, known_functions, KNOWN_COUNT);
      lua_pushfstring(L,
                      near ? "returns an unknown function '%s': did you mean '%s'?"
                           : "returns an unknown function '%s'; known are plan, apply, verify, "
                             "diagnose and undo",
                      name, near);
      usage(L, load, next, lua_tostring(L, -1));
    }
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -4) != LUA_TFUNCTION) {
      lua_pushfstring(L, "returns '%s', which is not a function", name);
      usage(L, load, next, lua_tostring(L, -1));
    }
    lua_settop(L, -3);
  }
  if (count == 0)
    usage(L, load, next, "returns an empty table");
  lua_settop(L, -2);
}

static int load_body(lua_State *L) {
  loading *load = lua_touserdata(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &mb_key_env);
  mb_lua_load_text(L, load->chunk_name, load->source, load->size);
  lua_call(L, 0, 1);
  check_runbook(L, load);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &mb_key_runbook);
  return 0;
}

int mb_script_load(mb_script *script, const char *chunk_name, const char *source, size_t size,
                   mb_error *error) {
  if (script->loaded)
    return mb_error_set(error, MB_ERROR_INTERNAL, "AlreadyLoaded",
                        "this script has loaded a runbook already");
  loading load = {script, chunk_name, source, size};
  mb_text_copy(script->chunk_name, sizeof script->chunk_name, chunk_name);
  script->loading++;
  int result = mb_script_protect(script, load_body, &load, error);
  script->loading--;
  script->loaded = result == 0;
  return result;
}

typedef struct asking {
  const char *name;
  bool found;
} asking;

static int has_body(lua_State *L) {
  asking *ask = lua_touserdata(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &mb_key_runbook);
  lua_pushstring(L, ask->name);
  ask->found = lua_rawget(L, -2) == LUA_TFUNCTION;
  return 0;
}

bool mb_script_has(const mb_script *script, const char *function) {
  asking ask = {function, false};
  mb_error ignored; /* out of memory while asking: the call itself will say so */
  if (!script->loaded || mb_script_protect((mb_script *)script, has_body, &ask, &ignored) != 0)
    return false;
  return ask.found;
}

/* ---- calling ---- */

typedef struct calling {
  mb_script *script;
  const char *function;
  const mb_value *run;
  const mb_value *const *args;
  size_t arg_count;
  mb_arena *arena;
  const mb_value *result;
  mb_task *root;
} calling;

static int call_body(lua_State *L) {
  calling *call = lua_touserdata(L, 1);
  mb_task *task = mb_task_new(L, call->script, NULL, 0);
  call->root = task;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &mb_key_runbook);
  lua_pushstring(L, call->function);
  lua_rawget(L, -2);
  luaL_checkstack(L, (int)call->arg_count + 4, "arguments");
  if (!lua_checkstack(task->co, (int)call->arg_count + 4))
    return luaL_error(L, "not enough memory");
  mb_lua_push_readonly(L, call->run);
  for (size_t i = 0; i < call->arg_count; i++)
    mb_lua_push_value(L, call->args[i]);
  lua_xmove(L, task->co, (int)call->arg_count + 2);
  mb_task_start(task, (int)call->arg_count + 1);
  return 0;
}

/* "nil and why", as attempt() gives it and functions of Lua return it, is a failure: the reason,
 * moved to the top, is raised, so that it is not lost. */
static int raise_returned(lua_State *L, const char *function) {
  size_t size;
  if (lua_istable(L, -1))
    return lua_error(L);
  const char *reason = mb_lua_tostring(L, -1, &size);
  return luaL_error(L, "%s returned nil and \"%s\": return a table, or raise an error", function,
                    reason);
}

static int result_body(lua_State *L) {
  calling *call = lua_touserdata(L, 1);
  lua_State *co = call->root->co;
  if (lua_gettop(co) == 0)
    return 0;
  if (lua_gettop(co) > 1 && lua_isnil(co, 1) && !lua_isnil(co, 2)) {
    lua_settop(co, 2);
    lua_xmove(co, L, 1);
    return raise_returned(L, call->function);
  }
  lua_settop(co, 1); /* a runbook's function gives one value */
  lua_xmove(co, L, 1);
  if (lua_isnil(L, -1))
    return 0;
  char label[64];
  snprintf(label, sizeof label, "the result of %.40s", call->function);
  call->result = mb_lua_read_value(L, -1, call->arena, label);
  return 0;
}

static int finish_call(mb_script *script, calling *call, mb_error *error) {
  mb_task *root = call->root;
  if (root->status == LUA_OK)
    return mb_script_protect(script, result_body, call, error);
  locale_t before = mb_script_enter(script);
  mb_script_take_error(script, root->co, root->status, error);
  mb_script_leave(script, before);
  return -1;
}

static int run_call(mb_script *script, calling *call, mb_error *error) {
  if (mb_script_protect(script, call_body, call, error) != 0)
    return -1;
  if (mb_script_run_tasks(script, call->root, error) != 0)
    return -1;
  return finish_call(script, call, error);
}

int mb_script_call(mb_script *script, const char *function, const mb_value *run,
                   const mb_value *const *args, size_t arg_count, mb_arena *arena,
                   const mb_value **result, mb_error *error) {
  if (result)
    *result = NULL;
  if (script->calling)
    return mb_error_set(error, MB_ERROR_INTERNAL, "Nested", "the script is already being called");
  if (!mb_script_has(script, function))
    return mb_error_set(error, MB_ERROR_NOT_FOUND, "NoFunction", "the runbook has no '%s'",
                        function);
  if (arg_count > 16)
    return mb_error_set(error, MB_ERROR_INTERNAL, "TooManyArguments", "at most 16 arguments");
  if (script->fatal) {
    if (error)
      *error = script->fatal_error;
    return -1;
  }
  calling call = {script, function, run, args, arg_count, arena, NULL, NULL};
  script->calling = true;
  int status = run_call(script, &call, error);
  script->calling = false;
  mb_error why;
  cancelled_error(&why);
  mb_task_cancel_below(script, NULL, &why);
  if (status == 0 && result)
    *result = call.result;
  return status;
}
