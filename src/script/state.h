/* The inside of mb_script, shared by the files of this folder.
 *
 * Two rules keep Lua's jumps from leaking anything. Every entry into Lua is protected: the host
 * comes in through mb_script_protect or lua_resume alone. And nothing in C that needs freeing is
 * held in a local variable across a Lua function that may raise: it hangs on the script, on a task,
 * or mb_lua_with_arena frees it.
 *
 * Comments of the form [-1, +2, e] say what a function does to the Lua stack: how many values it
 * pops, how many it pushes, and `e` when it may raise. */
#ifndef MB_SCRIPT_STATE_H
#define MB_SCRIPT_STATE_H

#include "base/memory.h"
#include "base/text.h"
#include "base/value.h"
#include "script/lua_api.h"
#include "script/script.h"
#include <locale.h>
#include <stdatomic.h>

#define MB_TICK_COUNT           200 /* instructions between two looks at the limits */
#define MB_SCRIPT_STRING_MAX    ((size_t)16 << 20) /* bytes of one string */
#define MB_SCRIPT_SOURCE_MAX    ((size_t)1 << 20)
#define MB_SCRIPT_DEPTH_MAX     100 /* nesting of values that go in or out */
#define MB_SCRIPT_NODES_MAX     500000
#define MB_SCRIPT_LINES_MAX     10000 /* log lines, progress lines, checks: each */
#define MB_SCRIPT_LINE_MAX      65536
#define MB_SCRIPT_TASKS_MAX     10000
#define MB_SCRIPT_NEST_MAX      32 /* together inside together */
#define MB_SCRIPT_ERROR_RESERVE ((size_t)256 << 10)

typedef struct mb_task mb_task;
typedef struct mb_pending mb_pending;

struct mb_script {
  lua_State *L;
  mb_engine *engine;      /* NULL in the bare states of data files, and in libraries */
  const mb_system *clock; /* of the time limit; NULL: there is none */
  mb_script_hooks hooks;
  locale_t locale; /* "C": numbers are written the same under every locale of the embedder */

  size_t memory_limit, memory_used, memory_peak;
  bool limit_was_hit; /* the last refused allocation was refused by our own limit */

  uint64_t instruction_limit, instructions;
  int64_t countdown; /* ticks of C loops left until the limits are looked at again */
  int64_t slice_ns, slice_start;
  size_t string_limit; /* bytes of one string */
  size_t nodes_limit;  /* parts of one value read from Lua */
  uint64_t random_state[4];

  bool fatal; /* nothing may catch an error any more */
  mb_error fatal_error;
  atomic_int stop; /* 0, 1: at the next chance, 2: also abandon calls in flight */

  int loading; /* above 0 while a chunk's top level runs: primitives are absent */
  bool loaded, calling;
  char chunk_name[256]; /* of the runbook: its lines are the ones errors name */

  mb_task *tasks; /* newest first */
  mb_task *ready_first, *ready_last;
  mb_task *current;
  size_t task_count;
  uint64_t call_count;
  int step_count; /* numbers steps when no hook does */
  unsigned log_lines, progress_lines, check_count, table_count;
  lua_Integer next_id; /* of tables and functions that were turned into text */
};

/* The script a Lua state belongs to. */
mb_script *mb_script_of(lua_State *L);

/* Keys of the registry and of hidden entries in script tables. A script can make no light userdata,
 * so it can neither read nor write an entry under one; iteration skips them. */
extern const char mb_key_env, mb_key_globals, mb_key_namespaces, mb_key_modules, mb_key_runbook,
    mb_key_threads, mb_key_function_ids, mb_key_null, mb_key_secret, mb_key_error;
extern const char mb_key_id;       /* in a table: its number in tostring */
extern const char mb_key_private;  /* in a metatable: the private copy that is in force */
extern const char mb_key_original; /* in that copy: the metatable it was made from */
extern const char mb_key_target;   /* in a read-only proxy's metatable: the table behind it */
extern const char mb_key_list;     /* in an empty table: it came from a list */

/* ---- state.c ---- */
mb_script *mb_script_bare(mb_error *error); /* no library; limits are set by the caller */
int mb_script_open(mb_script *script, mb_error *error); /* gives a bare one the libraries */
/* Calls `function` with `context` as its only argument, protected and under the "C" locale. */
int mb_script_protect(mb_script *script, lua_CFunction function, void *context, mb_error *error);
/* Reads the error object on top of `from`, which ended with `status`, and pops it. Never raises. */
void mb_script_take_error(mb_script *script, lua_State *from, int status, mb_error *error);
locale_t mb_script_enter(mb_script *script);
void mb_script_leave(mb_script *script, locale_t before);
/* Compiles text and pushes the function, its environment set to the value on top. [-1, +1, e] */
void mb_lua_load_text(lua_State *L, const char *chunk_name, const char *source, size_t size);

/* ---- limits.c ---- */
void *mb_script_allocate(void *payload, void *pointer, size_t old_size, size_t new_size);
void mb_script_watch(lua_State *L);           /* sets the hook of a new Lua thread */
void mb_lua_tick(lua_State *L, size_t steps); /* C loops call this; raises at a limit. [0, 0, e] */
/* Raises the end that nothing can catch when it is due: limit, stop, or already dying. */
void mb_lua_check_limits(lua_State *L);
_Noreturn void mb_lua_raise_fatal(lua_State *L);

/* ---- errors.c ---- */
void mb_lua_open_errors(lua_State *L);                       /* [0, 0, e] */
void mb_lua_push_error(lua_State *L, const mb_error *error); /* [0, +1, e] */
int mb_lua_raise(lua_State *L, const mb_error *error);       /* adds `where` unless it is set */
/* Turns the error object on top into an error table, looking for its line in `stack`. [-1, +1, e]
 */
void mb_lua_normalise_error(lua_State *L, lua_State *stack);
int mb_lua_error_handler(lua_State *L); /* a message handler that does the same */
void mb_lua_read_error(lua_State *L, int index, mb_error *error); /* of an error table */
/* "file:line" of the innermost frame of the runbook, else of any Lua code, else "". */
void mb_lua_where(lua_State *L, char *out, size_t size);
bool mb_lua_is_fatal(lua_State *L, int index);

/* ---- values.c ---- */
void mb_lua_open_values(lua_State *L);                       /* [0, 0, e] */
void mb_lua_push_value(lua_State *L, const mb_value *value); /* [0, +1, e] */
void mb_lua_push_readonly(lua_State *L, const mb_value *value);
void mb_lua_push_plain(lua_State *L, const mb_value *value); /* secrets as ordinary text */
void mb_lua_push_null(lua_State *L);
/* Makes a value of the Lua value at `index`; `label` begins the path in errors. [0, 0, e] */
mb_value *mb_lua_read_value(lua_State *L, int index, mb_arena *arena, const char *label);
/* Wraps the table on top in a read-only proxy; `what` names it in errors. [-1, +1, e] */
void mb_lua_make_readonly(lua_State *L, const char *what);
/* Replaces a read-only proxy at `index` by the table behind it. [0, 0, -] */
void mb_lua_see_through(lua_State *L, int index);
/* Runs `function` with an arena (light userdata) put before the arguments on the stack, frees the
 * arena, and gives back what it returned or raises what it raised. */
int mb_lua_with_arena(lua_State *L, lua_CFunction function);

/* ---- keys.c ---- */
/* Pushes the list of a table's keys in the order of pairs(), and returns how many. [0, +1, e] */
lua_Integer mb_lua_push_sorted_keys(lua_State *L, int index);

/* ---- secrets.c ---- */
void mb_lua_open_secrets(lua_State *L); /* [0, 0, e] */
void mb_lua_push_secret(lua_State *L, const char *text, size_t size);
const char *mb_lua_to_secret(lua_State *L, int index, size_t *size); /* NULL: not a secret */
/* Text for people: never runs out of the sandbox, never shows an address or a secret. [0, +1, e] */
const char *mb_lua_tostring(lua_State *L, int index, size_t *size);

/* To be called wherever an error was caught: goes on raising when the script must end, and ends the
 * tasks that the failed code had started. [0, 0, e] */
void mb_lua_caught(lua_State *L);

/* ---- the libraries: each pushes its table or adds to the table on top ---- */
typedef struct mb_lua_function {
  const char *name;
  lua_CFunction function;
} mb_lua_function;
void mb_lua_add_functions(lua_State *L, const mb_lua_function *functions); /* [0, 0, e] */
/* Copies the named functions (a list ending with NULL) of the table on top into the one below it,
 * and pops the one on top. */
void mb_lua_pick(lua_State *L, const char *const *names);
void mb_lua_add_base(lua_State *L);
void mb_lua_push_string_library(lua_State *L);
void mb_lua_push_table_library(lua_State *L);
void mb_lua_push_math_library(lua_State *L);
void mb_lua_push_utf8_library(lua_State *L);
void mb_lua_push_json_library(lua_State *L);
void mb_lua_push_log_library(lua_State *L);
void mb_lua_add_flow(lua_State *L);
void mb_lua_add_report(lua_State *L);
void mb_lua_add_calls(lua_State *L);
void mb_lua_open_sandbox(lua_State *L);
void mb_lua_require(lua_State *L, const char *name); /* what require() gives. [0, +1, e] */

/* find, match, gmatch and gsub. */
extern const mb_lua_function mb_lua_pattern_functions[];

/* ---- dispatch.c ---- */
/* Pushes the proxy of a namespace; false (and nothing) when there is none of that name. */
bool mb_lua_push_namespace(lua_State *L, const char *name);
void mb_pending_free(mb_pending *pending); /* cancels its call when it is still under way */
/* A call under way that may change something: a polite stop waits for its answer. */
bool mb_pending_must_finish(const mb_pending *pending);

/* ---- tasks.c ---- */
typedef enum mb_task_state {
  MB_TASK_READY,
  MB_TASK_RUNNING,
  MB_TASK_WAITING,
  MB_TASK_DONE
} mb_task_state;

struct mb_task {
  mb_script *script;
  lua_State *co;
  mb_task *next, *previous;
  mb_task *next_ready;
  mb_task *parent;                 /* waits for it in together() or each() */
  mb_task *done_first, *done_last; /* children that have ended and wait to be collected */
  mb_task *next_done;
  lua_Integer index; /* place in the parent's results */
  int depth;
  mb_task_state state;
  int status; /* what lua_resume said, once done */
  int argument_count;
  bool waits_for_children;
  mb_task *held_by; /* goes on no more; what it waits for wakes that one instead */

  int step; /* 0: in none */
  bool owns_step;
  char step_name[256];
  int64_t step_started;

  mb_pending *pending; /* the task's primitive */
  mb_timer *timer;
};

/* A new task whose coroutine is empty: push a function and arguments there, then mb_task_start.
 * Raises when there are too many. */
mb_task *mb_task_new(lua_State *L, mb_script *script, mb_task *parent, lua_Integer index);
void mb_task_start(mb_task *task, int argument_count);
void mb_task_wake(mb_task *task); /* makes a waiting task ready */
void mb_task_free(mb_task *task);
/* Lets no task below `ancestor` go on. True while a call of theirs that may change something is
 * under way: its end wakes `ancestor`. */
bool mb_task_hold_below(mb_script *script, mb_task *ancestor);
/* Ends every task below `ancestor` (NULL: every task), newest first. */
void mb_task_cancel_below(mb_script *script, mb_task *ancestor, const mb_error *why);
void mb_task_end_step(mb_task *task, const mb_error *error);
/* The task of the running coroutine; raises where waiting is impossible. */
mb_task *mb_lua_task(lua_State *L, const char *what);
int mb_lua_wait(lua_State *L, mb_task *task, lua_KContext context, lua_KFunction continuation);
int mb_lua_sleep(lua_State *L, mb_task *task, int64_t ns, lua_KContext context,
                 lua_KFunction continuation);
/* Runs ready tasks and turns the loop until `root` has ended. 0, or -1 with a fatal error. */
int mb_script_run_tasks(mb_script *script, mb_task *root, mb_error *error);

/* Reads a duration, seconds or "90s", at `index`; raises unless it is 0 to 1e9 seconds. */
double mb_lua_duration(lua_State *L, int index, const char *what);

#endif
