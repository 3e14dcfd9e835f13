/* What runbooks steer with: step, together, each, sleep, wait_until, attempt, pcall, xpcall. Each
 * that waits or catches is written as continuations, so that a primitive inside may yield. */
#include "base/system.h"
#include "script/state.h"
#include <string.h>

#define EACH_LIMIT 16

/* ---- catching ---- */

/* A task that runs has no children it waits for; any left belong to code that has failed. */
void mb_lua_caught(lua_State *L) {
  mb_script *script = mb_script_of(L);
  if (script->fatal)
    mb_lua_raise_fatal(L);
  if (script->current && script->current->co == L) {
    mb_error why;
    mb_error_set(&why, MB_ERROR_CANCELLED, "Cancelled", "the task that had started it failed");
    mb_task_cancel_below(script, script->current, &why);
  }
}

static bool went_well(int status) {
  return status == LUA_OK || status == LUA_YIELD;
}

static int pcall_done(lua_State *L, int status, lua_KContext context) {
  (void)context;
  if (!went_well(status)) {
    mb_lua_caught(L);
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
  }
  return lua_gettop(L);
}

static int flow_pcall(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, 1);
  lua_insert(L, 1);
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, pcall_done);
  return pcall_done(L, status, 0);
}

static int xpcall_handled(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  return lua_gettop(L);
}

/* The handler runs after unwinding, under every limit: inside a raised limit it could loop for
 * ever, as hooks are off there. */
static int xpcall_done(lua_State *L, int status, lua_KContext context) {
  (void)context;
  if (went_well(status)) {
    lua_pushboolean(L, 1);
    lua_replace(L, 1);
    return lua_gettop(L);
  }
  mb_lua_caught(L);
  lua_pushboolean(L, 0);
  lua_insert(L, 1); /* false, handler, error */
  lua_callk(L, 1, LUA_MULTRET, 0, xpcall_handled);
  return xpcall_handled(L, LUA_OK, 0);
}

static int flow_xpcall(lua_State *L) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushvalue(L, 2);
  lua_remove(L, 2);
  lua_insert(L, 1);
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, xpcall_done);
  return xpcall_done(L, status, 0);
}

/* attempt(f, ...): what f gives, or nil and the error as a table. */
static int attempt_done(lua_State *L, int status, lua_KContext context) {
  (void)context;
  if (went_well(status))
    return lua_gettop(L) - 1;
  mb_lua_caught(L);
  mb_lua_normalise_error(L, L);
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}

static int flow_attempt(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushcfunction(L, mb_lua_error_handler);
  lua_insert(L, 1);
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, 0, attempt_done);
  return attempt_done(L, status, 0);
}

/* ---- steps ---- */

static int step_done(lua_State *L, int status, lua_KContext context) {
  (void)context;
  mb_script *script = mb_script_of(L);
  mb_task *task = script->current;
  if (went_well(status)) {
    mb_task_end_step(task, NULL);
    return lua_gettop(L) - 1;
  }
  if (script->fatal) {
    mb_task_end_step(task, &script->fatal_error);
    mb_lua_raise_fatal(L);
  }
  mb_lua_caught(L);
  mb_error error;
  mb_lua_normalise_error(L, L);
  mb_lua_read_error(L, -1, &error);
  mb_task_end_step(task, &error);
  return lua_error(L);
}

static void begin_step(lua_State *L, mb_task *task, const char *name) {
  mb_script *script = task->script;
  char where[256];
  mb_error error;
  mb_error_clear(&error);
  mb_lua_where(L, where, sizeof where);
  int number = ++script->step_count;
  if (script->hooks.step_begin)
    number = script->hooks.step_begin(script->hooks.payload, name, where, &error);
  if (number < 0)
    mb_lua_raise(L, &error);
  mb_text_copy(task->step_name, sizeof task->step_name, name);
  task->step = number;
  task->owns_step = true;
  task->step_started = mb_monotonic_ns(&script->engine->system);
}

static int flow_step(lua_State *L) {
  mb_task *task = mb_lua_task(L, "step");
  if (lua_type(L, 1) != LUA_TSTRING || !lua_isfunction(L, 2))
    return luaL_error(L, "step takes a name and a function: step(\"Move the service\", function() "
                         "... end)");
  if (task->step != 0)
    return luaL_error(L, "a step cannot begin inside another step");
  lua_settop(L, 2);
  begin_step(L, task, lua_tostring(L, 1));
  lua_pushcfunction(L, mb_lua_error_handler);
  lua_replace(L, 1);
  int status = lua_pcallk(L, 0, LUA_MULTRET, 1, 0, step_done);
  return step_done(L, status, 0);
}

/* ---- together, each ---- */

enum { FRAME_SOURCE = 1, FRAME_FUNCTION, FRAME_KEYS, FRAME_RESULTS, FRAME_GROUP };

/* Lies in the frame of the waiting function, with the tables above; owns nothing. */
typedef struct task_group {
  lua_Integer count, next, running, limit;
  bool by_name, each;
} task_group;

static void start_child(lua_State *L, mb_task *task, task_group *group) {
  lua_Integer index = ++group->next;
  mb_task *child = mb_task_new(L, task->script, task, index);
  int arguments = 0;
  if (!lua_checkstack(child->co, 4))
    luaL_error(L, "not enough memory");
  if (group->each) {
    lua_pushvalue(L, FRAME_FUNCTION);
    lua_rawgeti(L, FRAME_SOURCE, index);
    lua_pushinteger(L, index);
    arguments = 2;
  } else if (group->by_name) {
    lua_rawgeti(L, FRAME_KEYS, index);
    lua_rawget(L, FRAME_SOURCE);
  } else {
    lua_rawgeti(L, FRAME_SOURCE, index);
  }
  lua_xmove(L, child->co, arguments + 1);
  mb_task_start(child, arguments);
  group->running++;
}

static int raise_from_child(lua_State *L, mb_task *child) {
  lua_xmove(child->co, L, 1);
  mb_lua_normalise_error(L, child->co);
  mb_lua_caught(L); /* ends the other children; this one too, so its stack is read before */
  return lua_error(L);
}

static void keep_result(lua_State *L, const task_group *group, mb_task *child) {
  if (group->by_name)
    lua_rawgeti(L, FRAME_KEYS, child->index);
  else
    lua_pushinteger(L, child->index);
  if (lua_gettop(child->co) == 0) {
    lua_pushnil(L);
  } else {
    lua_settop(child->co, 1); /* the first result counts */
    lua_xmove(child->co, L, 1);
  }
  lua_rawset(L, FRAME_RESULTS);
}

/* Takes the children that have ended, up to one that failed: that one is returned and stays. */
static mb_task *collect(lua_State *L, mb_task *task, task_group *group) {
  while (task->done_first) {
    mb_task *child = task->done_first;
    if (child->status != LUA_OK)
      return child;
    task->done_first = child->next_done;
    if (!task->done_first)
      task->done_last = NULL;
    keep_result(L, group, child);
    group->running--;
    mb_error why;
    mb_error_set(&why, MB_ERROR_CANCELLED, "Cancelled", "the task that had started it has ended");
    mb_task_cancel_below(task->script, child, &why);
    mb_task_free(child);
  }
  return NULL;
}

static int group_turn(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  mb_task *task = mb_script_of(L)->current;
  lua_settop(L, FRAME_GROUP);
  task_group *group = lua_touserdata(L, FRAME_GROUP);
  task->waits_for_children = false;
  mb_task *failed = collect(L, task, group);
  /* What a sibling is changing just then has its answer waited for: nobody could tell afterwards
   * whether it was changed. */
  if (failed && mb_task_hold_below(task->script, task))
    return mb_lua_wait(L, task, 0, group_turn);
  if (failed)
    return raise_from_child(L, failed);
  while (group->running < group->limit && group->next < group->count)
    start_child(L, task, group);
  if (group->running == 0) {
    lua_pushvalue(L, FRAME_RESULTS);
    return 1;
  }
  task->waits_for_children = true;
  return mb_lua_wait(L, task, 0, group_turn);
}

/* Lays out the frame; the source is at 1, the function or nil at 2, and `keys` of them at 3. */
static int run_group(lua_State *L, const task_group *wanted) {
  lua_createtable(L, 0, 0);
  task_group *group = lua_newuserdatauv(L, sizeof *group, 0);
  *group = *wanted;
  if (group->count == 0) {
    lua_pushvalue(L, FRAME_RESULTS);
    return 1;
  }
  mb_lua_caught(L); /* nothing of an earlier, failed group may be left */
  return group_turn(L, LUA_OK, 0);
}

static int flow_together(lua_State *L) {
  mb_lua_task(L, "together");
  lua_settop(L, 1);
  mb_lua_see_through(L, 1);
  if (!lua_istable(L, 1))
    return luaL_error(L, "together takes a table of functions: together{ first, second }");
  lua_pushnil(L);
  task_group group = {.limit = MB_SCRIPT_TASKS_MAX};
  group.count = mb_lua_push_sorted_keys(L, 1);
  for (lua_Integer i = 1; i <= group.count; i++) {
    bool name = lua_rawgeti(L, FRAME_KEYS, i) == LUA_TSTRING;
    bool number = lua_isinteger(L, -1) && lua_tointeger(L, -1) == i;
    if (i == 1)
      group.by_name = name;
    if (!(group.by_name ? name : number))
      return luaL_error(L, "together takes a list of functions or a map of them, not a mixture");
    if (lua_rawget(L, 1) != LUA_TFUNCTION)
      return luaL_error(L, "together takes functions; number %d is a %s", (int)i,
                        luaL_typename(L, -1));
    lua_settop(L, FRAME_KEYS);
  }
  return run_group(L, &group);
}

static lua_Integer each_limit(lua_State *L, int index) {
  if (lua_isnoneornil(L, index))
    return EACH_LIMIT;
  luaL_checktype(L, index, LUA_TTABLE);
  lua_pushliteral(L, "limit");
  lua_rawget(L, index);
  lua_Integer limit = lua_isnil(L, -1) ? EACH_LIMIT : lua_tointeger(L, -1);
  if (limit < 1 || limit > MB_SCRIPT_TASKS_MAX)
    luaL_error(L, "the limit of each must be a whole number from 1 to %d", MB_SCRIPT_TASKS_MAX);
  lua_settop(L, -2);
  return limit;
}

static int flow_each(lua_State *L) {
  mb_lua_task(L, "each");
  lua_settop(L, 3);
  mb_lua_see_through(L, 1);
  if (!lua_istable(L, 1) || !lua_isfunction(L, 2))
    return luaL_error(L, "each takes a list, a function and maybe { limit = n }");
  task_group group = {
      .each = true, .limit = each_limit(L, 3), .count = (lua_Integer)lua_rawlen(L, 1)};
  lua_settop(L, 2);
  lua_pushnil(L);
  return run_group(L, &group);
}

/* ---- sleep, wait_until ---- */

static int slept(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 0;
}

static int flow_sleep(lua_State *L) {
  mb_task *task = mb_lua_task(L, "sleep");
  double seconds = mb_lua_duration(L, 1, "the time to sleep");
  return mb_lua_sleep(L, task, (int64_t)(seconds * 1e9), 0, slept);
}

enum { WAIT_CHECK = 1, WAIT_STATE };

typedef struct waiting {
  int64_t started, deadline, every;
  double timeout;
  char what[200];
} waiting;

static int wait_look(lua_State *L, int status, lua_KContext context);

static void tell_progress(lua_State *L, mb_script *script, const waiting *wait) {
  char message[512];
  if (!script->hooks.progress || script->progress_lines++ >= MB_SCRIPT_LINES_MAX)
    return;
  const char *detail =
      lua_type(L, WAIT_STATE + 2) == LUA_TSTRING ? lua_tostring(L, WAIT_STATE + 2) : "";
  snprintf(message, sizeof message, "waiting for %s%s%.250s", wait->what, detail[0] ? ": " : "",
           detail);
  script->hooks.progress(script->hooks.payload, message, NULL);
}

static int wait_timed_out(lua_State *L, const waiting *wait) {
  mb_error error;
  mb_error_set(&error, MB_ERROR_TIMEOUT, "Timeout", "gave up waiting for %s after %.0f seconds",
               wait->what, wait->timeout);
  return mb_lua_raise(L, &error);
}

static int wait_answered(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  mb_script *script = mb_script_of(L);
  const waiting *wait = lua_touserdata(L, WAIT_STATE);
  if (lua_toboolean(L, WAIT_STATE + 1))
    return lua_gettop(L) - WAIT_STATE;
  int64_t now = mb_loop_now(script->engine->loop);
  if (now >= wait->deadline)
    return wait_timed_out(L, wait);
  tell_progress(L, script, wait);
  int64_t left = wait->deadline - now;
  return mb_lua_sleep(L, mb_lua_task(L, "wait_until"), left < wait->every ? left : wait->every, 0,
                      wait_look);
}

static int wait_look(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  lua_settop(L, WAIT_STATE);
  lua_pushvalue(L, WAIT_CHECK);
  lua_callk(L, 0, LUA_MULTRET, 0, wait_answered);
  return wait_answered(L, LUA_OK, 0);
}

static double wait_option(lua_State *L, const char *name, double otherwise) {
  char what[64];
  snprintf(what, sizeof what, "'%s' of wait_until", name);
  lua_pushstring(L, name);
  lua_rawget(L, 1);
  double seconds = lua_isnil(L, -1) ? otherwise : mb_lua_duration(L, -1, what);
  lua_settop(L, -2);
  return seconds;
}

static void check_wait_names(lua_State *L) {
  static const char *const names[] = {"check", "every", "timeout", "what"};
  lua_Integer count = mb_lua_push_sorted_keys(L, 1);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, -1, i);
    const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "?";
    bool known = false;
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++)
      known = known || strcmp(name, names[n]) == 0;
    if (!known)
      luaL_error(L, "wait_until has no option '%s'; it takes check, every, timeout and what", name);
    lua_settop(L, -2);
  }
  lua_settop(L, 1);
}

static int flow_wait_until(lua_State *L) {
  mb_task *task = mb_lua_task(L, "wait_until");
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  check_wait_names(L);
  double every = wait_option(L, "every", 5);
  double timeout = wait_option(L, "timeout", 600);
  if (every < 0.01)
    return luaL_error(L, "'every' of wait_until must be at least 0.01 seconds");
  lua_pushliteral(L, "what");
  lua_rawget(L, 1);
  lua_pushliteral(L, "check");
  if (lua_rawget(L, 1) != LUA_TFUNCTION)
    return luaL_error(L, "wait_until needs check = function() ... end");
  waiting *wait = lua_newuserdatauv(L, sizeof *wait, 0);
  wait->started = mb_loop_now(task->script->engine->loop);
  wait->timeout = timeout;
  wait->deadline = wait->started + (int64_t)(timeout * 1e9);
  wait->every = (int64_t)(every * 1e9);
  mb_text_copy(wait->what, sizeof wait->what,
               lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "a condition");
  lua_remove(L, 2);
  lua_remove(L, 1); /* check and state are left */
  return wait_look(L, LUA_OK, 0);
}

static const mb_lua_function flow_functions[] = {
    {"pcall", flow_pcall}, {"xpcall", flow_xpcall},         {"attempt", flow_attempt},
    {"step", flow_step},   {"together", flow_together},     {"each", flow_each},
    {"sleep", flow_sleep}, {"wait_until", flow_wait_until}, {NULL, NULL},
};

void mb_lua_add_flow(lua_State *L) {
  mb_lua_add_functions(L, flow_functions);
}
