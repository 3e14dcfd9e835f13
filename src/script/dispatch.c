/* The one place where primitives are called from Lua: namespaces, arguments, permission, waiting,
 * results and errors. */
#include "base/system.h"
#include "call/arguments.h"
#include "script/state.h"
#include <string.h>

const char mb_key_namespaces = 'N';

/* A primitive under way. It hangs on its task, so that whatever is raised nothing leaks. */
struct mb_pending {
  mb_task *task;
  mb_arena *arena; /* arguments and result */
  const mb_binding *binding;
  mb_value *args;
  mb_call *call; /* NULL before it starts and once it has ended */
  bool started, done, failed;
  const mb_value *result;
  mb_error error;
  uint64_t number;
  int64_t started_ns;
};

static void report_end(mb_pending *pending, int attempts, const char *request_id,
                       const mb_error *error) {
  mb_script *script = pending->task->script;
  double seconds = (double)(mb_monotonic_ns(&script->engine->system) - pending->started_ns) / 1e9;
  if (script->hooks.call_finished)
    script->hooks.call_finished(script->hooks.payload, pending->number, pending->binding, seconds,
                                attempts, request_id, error);
}

bool mb_pending_must_finish(const mb_pending *pending) {
  return pending->call && pending->binding->primitive.effect != MB_EFFECT_READS;
}

void mb_pending_free(mb_pending *pending) {
  if (pending->call) {
    mb_error error;
    int attempts = mb_call_attempts(pending->call);
    mb_call_cancel(pending->call);
    mb_error_set(&error, MB_ERROR_CANCELLED, "Cancelled", "abandoned while it was under way");
    mb_text_copy(error.operation, sizeof error.operation, pending->binding->primitive.name);
    report_end(pending, attempts, "", &error);
  }
  pending->task->pending = NULL;
  mb_arena_free(pending->arena);
  mb_free(pending);
}

static mb_pending *pending_new(lua_State *L, mb_task *task, const mb_binding *binding) {
  if (task->pending)
    mb_pending_free(task->pending); /* left by an error that was caught */
  mb_pending *pending = mb_alloc_zero(1, sizeof *pending);
  mb_arena *arena = pending ? mb_arena_new(task->script->memory_limit) : NULL;
  if (!arena) {
    mb_error error;
    mb_free(pending);
    mb_error_memory(&error);
    mb_lua_raise(L, &error);
    return NULL;
  }
  pending->task = task;
  pending->arena = arena;
  pending->binding = binding;
  task->pending = pending;
  return pending;
}

/* ---- the end of a call ---- */

static void call_ended(mb_call *call, const mb_value *result, const mb_error *error,
                       void *payload) {
  mb_pending *pending = payload;
  const char *request_id = mb_call_request_id(call);
  pending->call = NULL;
  pending->done = true;
  pending->result = result;
  pending->failed = error != NULL;
  if (error)
    pending->error = *error;
  if (error && !error->operation[0])
    mb_text_copy(pending->error.operation, sizeof pending->error.operation,
                 pending->binding->primitive.name);
  report_end(pending, mb_call_attempts(call), request_id, error ? &pending->error : NULL);
  mb_task_wake(pending->task);
}

static void on_progress(const char *message, void *payload) {
  const mb_pending *pending = payload;
  mb_script *script = pending->task->script;
  if (script->hooks.progress && script->progress_lines++ < MB_SCRIPT_LINES_MAX)
    script->hooks.progress(script->hooks.payload, message, NULL);
}

/* An answer that lists failures is an error whose field `output` holds all of the answer. */
static int raise_failure(lua_State *L, mb_pending *pending) {
  mb_lua_push_error(L, &pending->error);
  mb_lua_normalise_error(L, L); /* adds the line */
  if (pending->result) {
    lua_pushliteral(L, "output");
    mb_lua_push_value(L, pending->result);
    lua_rawset(L, -3);
  }
  mb_pending_free(pending);
  return lua_error(L);
}

/* Pushes the result of the current task's primitive, or raises its error. */
static void finish(lua_State *L) {
  mb_pending *pending = mb_script_of(L)->current->pending;
  lua_settop(L, 0);
  if (pending->failed)
    raise_failure(L, pending);
  mb_lua_push_value(L, pending->result);
}

static int finish_call(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  finish(L);
  mb_pending_free(mb_script_of(L)->current->pending);
  return 1;
}

/* ---- the start of a call ---- */

static int raise_for(lua_State *L, const mb_binding *binding, mb_error *error) {
  if (!error->operation[0])
    mb_text_copy(error->operation, sizeof error->operation, binding->primitive.name);
  return mb_lua_raise(L, error);
}

static mb_value *read_args(lua_State *L, mb_pending *pending, int index) {
  if (lua_isnoneornil(L, index)) {
    mb_value *empty = mb_value_new_map(pending->arena);
    mb_error error;
    if (!empty) {
      mb_error_memory(&error);
      raise_for(L, pending->binding, &error);
    }
    return empty;
  }
  return mb_lua_read_value(L, index, pending->arena, "");
}

/* True when the hook answered in the primitive's place: pending->result is set. */
static bool ask_permit(lua_State *L, mb_pending *pending, const char *where) {
  mb_script *script = pending->task->script;
  const mb_value *instead = NULL;
  mb_error error;
  mb_error_clear(&error);
  if (!script->hooks.permit)
    return false;
  if (script->hooks.permit(script->hooks.payload, pending->binding, pending->args,
                           pending->task->step, where, pending->arena, &instead, &error) != 0)
    raise_for(L, pending->binding, &error);
  pending->result = instead;
  return instead != NULL;
}

static void start(mb_pending *pending, const char *where, bool pages) {
  mb_script *script = pending->task->script;
  mb_call_options options = {
      .pages = pages, .on_progress = on_progress, .on_end = call_ended, .payload = pending};
  pending->number = ++script->call_count;
  pending->started_ns = mb_monotonic_ns(&script->engine->system);
  if (script->hooks.call_started)
    script->hooks.call_started(script->hooks.payload, pending->number, pending->binding,
                               pending->args, where);
  mb_call *call =
      mb_call_start(script->engine, pending->binding, pending->arena, pending->args, &options);
  if (!pending->done)
    pending->call = call;
}

/* Takes the arguments at `index` and checks them; `where` is the caller's line. */
static mb_pending *prepare(lua_State *L, mb_task *task, const mb_binding *binding, int index,
                           char *where, size_t where_size) {
  mb_error error;
  mb_pending *pending = pending_new(L, task, binding);
  pending->args = read_args(L, pending, index);
  mb_error_clear(&error);
  if (mb_call_check(task->script->engine, binding, pending->arena, pending->args, &error) != 0)
    raise_for(L, binding, &error);
  mb_call_mark_secrets(task->script->engine, binding, pending->args);
  mb_lua_where(L, where, where_size);
  return pending;
}

static int dispatch(lua_State *L, const mb_binding *binding, int index, bool pages,
                    lua_KFunction continuation) {
  char where[256];
  mb_task *task = mb_lua_task(L, binding->primitive.name);
  mb_pending *pending = prepare(L, task, binding, index, where, sizeof where);
  if (ask_permit(L, pending, where))
    return continuation(L, LUA_OK, 0);
  start(pending, where, pages);
  if (pending->done)
    return continuation(L, LUA_OK, 0);
  return mb_lua_wait(L, task, 0, continuation);
}

/* ---- composed primitives ---- */

static int finish_composed(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 1;
}

static void push_function(lua_State *L, const mb_composition *composition) {
  mb_lua_require(L, composition->module);
  if (!lua_istable(L, -1) || lua_getfield(L, -1, composition->function) != LUA_TFUNCTION)
    luaL_error(L, "the module '%s' has no function '%s'", composition->module,
               composition->function);
  lua_replace(L, -2);
}

/* Its body runs in the caller's task: the calls it makes are waited for, allowed and told of like
 * any other. */
static int call_composed(lua_State *L, const mb_binding *binding) {
  char where[256];
  mb_task *task = mb_lua_task(L, binding->primitive.name);
  mb_pending *pending = prepare(L, task, binding, 1, where, sizeof where);
  const mb_value *args = NULL;
  mb_error error;
  if (ask_permit(L, pending, where))
    return finish_call(L, LUA_OK, 0);
  if (mb_arguments_convert(pending->arena, &binding->primitive, pending->args, &args) != 0) {
    mb_error_memory(&error);
    return raise_for(L, binding, &error);
  }
  lua_settop(L, 0);
  push_function(L, binding->composition);
  mb_lua_push_value(L, args);
  mb_pending_free(pending);
  lua_callk(L, 1, 1, 0, finish_composed);
  return 1;
}

static int primitive_call(lua_State *L) {
  const mb_binding *binding = lua_touserdata(L, lua_upvalueindex(1));
  if (lua_gettop(L) > 1 || !(lua_isnoneornil(L, 1) || lua_istable(L, 1)))
    return luaL_error(L, "%s takes one table of named arguments: %s{ name = value, ... }",
                      binding->primitive.name, binding->primitive.name);
  if (binding->composition)
    return call_composed(L, binding);
  return dispatch(L, binding, 1, false, finish_call);
}

/* ---- pages ---- */

static const mb_binding *check_primitive(lua_State *L, int index, const char *what) {
  if (lua_tocfunction(L, index) != primitive_call)
    luaL_error(L,
               "%s takes a primitive and its arguments: %s(ecs.list_services, { cluster = ... })",
               what, what);
  lua_getupvalue(L, index, 1);
  const mb_binding *binding = lua_touserdata(L, -1);
  lua_settop(L, -2);
  if (!binding->pages)
    luaL_error(L, "%s gives everything at once: it has no pages", binding->primitive.name);
  if (!lua_isnoneornil(L, index + 1))
    luaL_checktype(L, index + 1, LUA_TTABLE);
  return binding;
}

/* all(primitive, args): every page, merged. */
static int call_all(lua_State *L) {
  const mb_binding *binding = check_primitive(L, 1, "all");
  return dispatch(L, binding, 2, true, finish_call);
}

/* Keeps the arguments of the next page, or false, in the iterator's upvalue. */
static int finish_page(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  mb_error error;
  finish(L);
  mb_pending *pending = mb_script_of(L)->current->pending;
  mb_error_clear(&error);
  mb_value *next = mb_value_new_map(pending->arena);
  bool more =
      next && mb_aws_next_page(pending->arena, pending->binding->model, pending->binding->operation,
                               pending->args, pending->result, next, &error);
  if (!next)
    mb_error_memory(&error);
  if (error.kind != MB_OK)
    return raise_for(L, pending->binding, &error);
  if (more)
    mb_lua_push_value(L, next);
  else
    lua_pushboolean(L, 0);
  lua_replace(L, lua_upvalueindex(2));
  mb_pending_free(pending);
  return 1;
}

static int next_page(lua_State *L) {
  const mb_binding *binding = lua_touserdata(L, lua_upvalueindex(1));
  if (lua_isboolean(L, lua_upvalueindex(2)))
    return 0;
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(2));
  return dispatch(L, binding, 1, false, finish_page);
}

/* pages(primitive, args): `for page in pages(...) do`. */
static int call_pages(lua_State *L) {
  const mb_binding *binding = check_primitive(L, 1, "pages");
  lua_settop(L, 2);
  lua_pushlightuserdata(L, (void *)(uintptr_t)binding);
  if (lua_isnil(L, 2))
    lua_createtable(L, 0, 0);
  else
    lua_pushvalue(L, 2);
  lua_pushcclosure(L, next_page, 2);
  return 1;
}

static const mb_lua_function call_functions[] = {
    {"all", call_all}, {"pages", call_pages}, {NULL, NULL}};

void mb_lua_add_calls(lua_State *L) {
  mb_lua_add_functions(L, call_functions);
}

/* ---- namespaces ---- */

/* __index of a namespace: finds the primitive and remembers its function. */
static int namespace_index(lua_State *L) {
  mb_script *script = mb_script_of(L);
  const char *space = lua_tostring(L, lua_upvalueindex(1));
  mb_error error;
  if (lua_type(L, 2) != LUA_TSTRING)
    return luaL_error(L, "%s has primitives by name only", space);
  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL)
    return 1;
  const char *name = lua_pushfstring(L, "%s.%s", space, lua_tostring(L, 2));
  mb_error_clear(&error);
  const mb_binding *binding = mb_engine_find(script->engine, name, &error);
  if (!binding)
    return mb_lua_raise(L, &error);
  lua_pushlightuserdata(L, (void *)(uintptr_t)binding);
  lua_pushcclosure(L, primitive_call, 1);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, lua_upvalueindex(2));
  return 1;
}

static int namespace_newindex(lua_State *L) {
  return luaL_error(L, "%s is read-only", lua_tostring(L, lua_upvalueindex(1)));
}

static void push_proxy(lua_State *L, const char *name) {
  lua_createtable(L, 0, 0);
  lua_createtable(L, 0, 4);
  lua_pushstring(L, name);
  lua_createtable(L, 0, 0);
  lua_pushcclosure(L, namespace_index, 2);
  lua_setfield(L, -2, "__index");
  lua_pushstring(L, name);
  lua_pushcclosure(L, namespace_newindex, 1);
  lua_setfield(L, -2, "__newindex");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
}

static bool namespace_exists(mb_script *script, const char *name) {
  const char *names[512];
  size_t capacity = sizeof names / sizeof names[0];
  size_t count = mb_engine_namespaces(script->engine, names, capacity);
  for (size_t i = 0; i < count && i < capacity; i++)
    if (strcmp(names[i], name) == 0)
      return true;
  return false;
}

bool mb_lua_push_namespace(lua_State *L, const char *name) {
  luaL_checkstack(L, 8, "a namespace");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &mb_key_namespaces);
  lua_pushstring(L, name);
  lua_rawget(L, -2);
  if (lua_isnil(L, -1)) {
    if (!mb_script_of(L)->engine || !namespace_exists(mb_script_of(L), name)) {
      lua_settop(L, -3);
      return false;
    }
    push_proxy(L, name);
    lua_replace(L, -2);
    lua_pushstring(L, name);
    lua_pushvalue(L, -2);
    lua_rawset(L, -4);
  }
  lua_replace(L, -2);
  return true;
}
