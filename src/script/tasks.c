/* Tasks: every function that runs at the same time as others is a coroutine. A task waits by
 * yielding, for its primitive, a timer or the tasks it started; run_ready resumes it. This is the
 * only place that resumes, and mb_lua_wait the only one that yields. */
#include "base/system.h"
#include "script/state.h"
#include <math.h>
#include <string.h>

const char mb_key_threads = 'T';

/* ---- making and ending ---- */

static void task_link(mb_script *script, mb_task *task) {
  task->next = script->tasks;
  if (script->tasks)
    script->tasks->previous = task;
  script->tasks = task;
  script->task_count++;
}

mb_task *mb_task_new(lua_State *L, mb_script *script, mb_task *parent, lua_Integer index) {
  if (script->task_count >= MB_SCRIPT_TASKS_MAX)
    luaL_error(L, "more than %d tasks at once", MB_SCRIPT_TASKS_MAX);
  if (parent && parent->depth + 1 >= MB_SCRIPT_NEST_MAX)
    luaL_error(L, "tasks that start tasks are nested more than %d deep", MB_SCRIPT_NEST_MAX);
  luaL_checkstack(L, 4, "a task");
  mb_task *task = mb_alloc_zero(1, sizeof *task);
  if (!task) {
    mb_error error;
    mb_error_memory(&error);
    mb_lua_raise(L, &error);
    return NULL;
  }
  task->script = script;
  task->parent = parent;
  task->index = index;
  task->state = MB_TASK_WAITING;
  if (parent) {
    task->depth = parent->depth + 1;
    task->step = parent->step;
  }
  task_link(script, task); /* from here on the script owns it, whatever is raised below */
  lua_rawgetp(L, LUA_REGISTRYINDEX, &mb_key_threads);
  lua_State *co = lua_newthread(L);
  lua_rawsetp(L, -2, task);
  lua_settop(L, -2);
  task->co = co;
  mb_script_watch(co);
  return task;
}

void mb_task_end_step(mb_task *task, const mb_error *error) {
  if (!task->owns_step)
    return;
  mb_script *script = task->script;
  double seconds = (double)(mb_monotonic_ns(&script->engine->system) - task->step_started) / 1e9;
  int step = task->step;
  task->owns_step = false;
  task->step = 0;
  if (script->hooks.step_end)
    script->hooks.step_end(script->hooks.payload, step, task->step_name, seconds, error);
}

static void remove_ready(mb_script *script, mb_task *task) {
  mb_task *before = NULL;
  for (mb_task *at = script->ready_first; at; before = at, at = at->next_ready) {
    if (at != task)
      continue;
    if (before)
      before->next_ready = at->next_ready;
    else
      script->ready_first = at->next_ready;
    if (script->ready_last == at)
      script->ready_last = before;
    return;
  }
}

void mb_task_free(mb_task *task) {
  mb_script *script = task->script;
  lua_State *L = script->L;
  if (task->state == MB_TASK_READY)
    remove_ready(script, task);
  mb_timer_cancel(task->timer);
  if (task->pending)
    mb_pending_free(task->pending);
  if (task->co) { /* sets an entry that is there to nil: needs no memory, cannot raise */
    lua_rawgetp(L, LUA_REGISTRYINDEX, &mb_key_threads);
    lua_pushnil(L);
    lua_rawsetp(L, -2, task);
    lua_settop(L, -2);
  }
  if (task->previous)
    task->previous->next = task->next;
  else
    script->tasks = task->next;
  if (task->next)
    task->next->previous = task->previous;
  script->task_count--;
  mb_free(task);
}

static bool lies_below(const mb_task *task, const mb_task *ancestor) {
  if (!ancestor)
    return true;
  for (const mb_task *at = task->parent; at; at = at->parent)
    if (at == ancestor)
      return true;
  return false;
}

/* A task is always newer than its parent, so the list gives children first. The hooks that are
 * called cannot start tasks. */
void mb_task_cancel_below(mb_script *script, mb_task *ancestor, const mb_error *why) {
  for (mb_task *task = script->tasks, *next; task; task = next) {
    next = task->next;
    if (!lies_below(task, ancestor))
      continue;
    mb_task_end_step(task, why);
    mb_task_free(task);
  }
  if (ancestor)
    ancestor->done_first = ancestor->done_last = NULL;
}

/* ---- the queue ---- */

static void enqueue(mb_task *task) {
  mb_script *script = task->script;
  task->state = MB_TASK_READY;
  task->next_ready = NULL;
  if (script->ready_last)
    script->ready_last->next_ready = task;
  else
    script->ready_first = task;
  script->ready_last = task;
}

void mb_task_start(mb_task *task, int argument_count) {
  task->argument_count = argument_count;
  enqueue(task);
}

void mb_task_wake(mb_task *task) {
  while (task->held_by)
    task = task->held_by;
  if (task->state == MB_TASK_WAITING)
    enqueue(task);
}

bool mb_task_hold_below(mb_script *script, mb_task *ancestor) {
  bool writes = false;
  for (mb_task *task = script->tasks; task; task = task->next) {
    if (!lies_below(task, ancestor))
      continue;
    if (task->state == MB_TASK_READY) {
      remove_ready(script, task);
      task->state = MB_TASK_WAITING;
    }
    mb_timer_cancel(task->timer);
    task->timer = NULL;
    task->held_by = ancestor;
    writes = writes || (task->pending && mb_pending_must_finish(task->pending));
  }
  return writes;
}

static mb_task *dequeue(mb_script *script) {
  mb_task *task = script->ready_first;
  if (!task)
    return NULL;
  script->ready_first = task->next_ready;
  if (!script->ready_first)
    script->ready_last = NULL;
  task->next_ready = NULL;
  return task;
}

static void task_ended(mb_task *task, int status) {
  mb_task *parent = task->parent;
  task->state = MB_TASK_DONE;
  task->status = status;
  if (!parent)
    return;
  if (parent->done_last)
    parent->done_last->next_done = task;
  else
    parent->done_first = task;
  parent->done_last = task;
  if (parent->waits_for_children)
    mb_task_wake(parent);
}

static void resume(mb_script *script, mb_task *task) {
  int results = 0;
  int arguments = task->argument_count;
  task->argument_count = 0;
  task->state = MB_TASK_RUNNING;
  script->current = task;
  script->slice_start = mb_monotonic_ns(&script->engine->system);
  int status = lua_resume(task->co, script->L, arguments, &results);
  script->current = NULL;
  if (status != LUA_YIELD)
    task_ended(task, status);
  else if (task->state == MB_TASK_RUNNING)
    task_ended(task, LUA_OK); /* nothing yields but mb_lua_wait, which sets the state */
}

static void run_ready(mb_script *script, const mb_task *root) {
  while (root->state != MB_TASK_DONE && !script->fatal && !atomic_load(&script->stop)) {
    mb_task *task = dequeue(script);
    if (!task)
      return;
    resume(script, task);
  }
}

/* ---- the loop ---- */

static bool writes_in_flight(const mb_script *script) {
  for (const mb_task *task = script->tasks; task; task = task->next)
    if (task->pending && mb_pending_must_finish(task->pending))
      return true;
  return false;
}

static int stop_tasks(mb_script *script, mb_error *error) {
  while (atomic_load(&script->stop) < 2 && writes_in_flight(script))
    if (!mb_loop_turn(script->engine->loop, INT64_MAX))
      break;
  if (!script->fatal) {
    script->fatal = true;
    mb_error_set(&script->fatal_error, MB_ERROR_CANCELLED, "Cancelled", "stopped on request");
  }
  mb_task_cancel_below(script, NULL, &script->fatal_error);
  if (error)
    *error = script->fatal_error;
  return -1;
}

static int run_until(mb_script *script, mb_task *root, mb_error *error) {
  for (;;) {
    run_ready(script, root);
    if (script->fatal && script->fatal_error.kind != MB_ERROR_CANCELLED) {
      if (error)
        *error = script->fatal_error;
      return -1;
    }
    if (root->state == MB_TASK_DONE && !script->fatal)
      return 0;
    if (atomic_load(&script->stop) || script->fatal)
      return stop_tasks(script, error);
    if (!mb_loop_turn(script->engine->loop, INT64_MAX) && !script->ready_first &&
        !atomic_load(&script->stop))
      return mb_error_set(error, MB_ERROR_INTERNAL, "Deadlock",
                          "every task waits, and nothing is under way");
  }
}

int mb_script_run_tasks(mb_script *script, mb_task *root, mb_error *error) {
  locale_t before = mb_script_enter(script);
  int result = run_until(script, root, error);
  mb_script_leave(script, before);
  return result;
}

/* ---- waiting ---- */

mb_task *mb_lua_task(lua_State *L, const char *what) {
  mb_script *script = mb_script_of(L);
  if (script->loading)
    luaL_error(L,
               "%s cannot be used while the file is loaded: call it inside plan, apply, verify, "
               "diagnose or undo",
               what);
  if (!script->current || script->current->co != L || !lua_isyieldable(L))
    luaL_error(L,
               "%s cannot wait here: not inside the function given to table.sort or "
               "string.gsub, nor in __tostring",
               what);
  mb_lua_check_limits(L);
  return script->current;
}

int mb_lua_wait(lua_State *L, mb_task *task, lua_KContext context, lua_KFunction continuation) {
  task->state = MB_TASK_WAITING;
  return lua_yieldk(L, 0, context, continuation);
}

static void timer_fired(void *payload) {
  mb_task *task = payload;
  task->timer = NULL;
  mb_task_wake(task);
}

int mb_lua_sleep(lua_State *L, mb_task *task, int64_t ns, lua_KContext context,
                 lua_KFunction continuation) {
  mb_loop *loop = task->script->engine->loop;
  task->timer = mb_loop_timer(loop, mb_loop_now(loop) + ns, timer_fired, task);
  if (!task->timer) {
    mb_error error;
    mb_error_memory(&error);
    return mb_lua_raise(L, &error);
  }
  return mb_lua_wait(L, task, context, continuation);
}

double mb_lua_duration(lua_State *L, int index, const char *what) {
  double seconds = -1;
  if (lua_type(L, index) == LUA_TNUMBER)
    seconds = lua_tonumber(L, index);
  else if (lua_type(L, index) != LUA_TSTRING ||
           mb_parse_duration(lua_tostring(L, index), &seconds) != 0)
    luaL_error(L, "%s must be seconds, or text such as \"90s\", \"15m\" or \"2h\"", what);
  if (!(seconds >= 0 && seconds <= 1e9))
    luaL_error(L, "%s must lie between 0 and 1e9 seconds", what);
  return seconds;
}
