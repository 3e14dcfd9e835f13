/* Lua: one sandboxed state per run, its tasks, its limits, and the one place where primitives are
 * called from Lua. Nothing outside this folder includes Lua's headers.
 */
#ifndef MB_SCRIPT_SCRIPT_H
#define MB_SCRIPT_SCRIPT_H

#include "call/call.h"

typedef struct mb_script mb_script;

/* What the run decides and hears. `step` is the number of the step in which the calling task is, 0
 * for none; `where` is "file:line" of the runbook. Every hook but `permit` may be NULL. */
typedef struct mb_script_hooks {
  void *payload;
  /* Asked before a primitive is started. 0 to go on; -1 with an error (REFUSED) to raise it. A hook
   * that sets *instead (a value in `arena`) answers in the primitive's place. */
  int (*permit)(void *payload, const mb_binding *binding, const mb_value *args, int step,
                const char *where, mb_arena *arena, const mb_value **instead, mb_error *error);
  void (*call_started)(void *payload, uint64_t call, const mb_binding *binding,
                       const mb_value *args, const char *where);
  void (*call_finished)(void *payload, uint64_t call, const mb_binding *binding, double seconds,
                        int attempts, const char *request_id, const mb_error *error);
  /* A step begins: gives its number (from 1), or -1 with an error. */
  int (*step_begin)(void *payload, const char *name, const char *where, mb_error *error);
  void (*step_end)(void *payload, int step, const char *name, double seconds,
                   const mb_error *error);
  void (*check)(void *payload, const char *name, bool ok, const char *message,
                const mb_value *evidence);
  void (*log)(void *payload, const char *level, const char *message, const mb_value *fields);
  void (*progress)(void *payload, const char *message, const mb_value *fields);
  void (*table)(void *payload, const mb_value *columns, const mb_value *rows);
  bool (*confirm)(void *payload, const char *question);
  /* Finds a module's source for require(); names are checked already. 0, or -1. */
  int (*module)(void *payload, const char *name, mb_arena *arena, const char **source, size_t *size,
                const char **chunk_name, mb_error *error);
} mb_script_hooks;

typedef struct mb_script_options {
  mb_engine *engine;
  const mb_script_hooks *hooks; /* copied */
  size_t memory_limit;          /* bytes of the Lua state; 0: 64 MiB */
  uint64_t instruction_limit;   /* 0: 500 million */
  double slice_seconds;         /* longest stretch between two primitives; 0: 10 */
  uint64_t seed;                /* of math.random */
} mb_script_options;

mb_script *mb_script_new(const mb_script_options *options, mb_error *error);
void mb_script_free(mb_script *script); /* cancels calls under way */

/* Loads a runbook's source (text only) and keeps the table of functions it returns. Primitives are
 * absent while it loads. Errors: SCRIPT with the line, USAGE when it does not return a table of
 * functions with known names (plan, apply, verify, diagnose, undo). */
int mb_script_load(mb_script *script, const char *chunk_name, const char *source, size_t size,
                   mb_error *error);
bool mb_script_has(const mb_script *script, const char *function);

/* Calls one of the runbook's functions with (run, ...args) as the first task, turning the loop
 * until it and every task it started has ended. `run` is a map that the script sees read-only. The
 * result (a table of plain data, or nil) is made in `arena`. Errors are the ones raised: a
 * primitive's error comes back whole, with `where`. `*stopped` of mb_script_stop gives CANCELLED.
 */
int mb_script_call(mb_script *script, const char *function, const mb_value *run,
                   const mb_value *const *args, size_t arg_count, mb_arena *arena,
                   const mb_value **result, mb_error *error);

/* Asks a running mb_script_call to end with CANCELLED, at the next primitive or tick. Reads and
 * waits under way are abandoned, writes are waited for unless `now`. From a signal handler or
 * another thread. After a stop, and after a limit, the script calls nothing more: make a new one.
 */
void mb_script_stop(mb_script *script, bool now);

/* The most memory the state has held, in bytes, and instructions run so far. */
size_t mb_script_peak_memory(const mb_script *script);
uint64_t mb_script_instructions(const mb_script *script);

/* Reads a data file written in Lua (a manifest, moonbook.lua): a chunk that returns a table of
 * plain data, run in an empty state with no library, text only, at most 64 KiB and 100,000
 * instructions. The error names file and line. */
int mb_script_read_data(mb_arena *arena, const char *chunk_name, const char *source, size_t size,
                        mb_value **out, mb_error *error);

/* Compiles without running, for `moonbook check`. When `names` is not NULL, adds to that list every
 * {name, line} that the source calls in the form namespace.primitive. */
int mb_script_check(mb_arena *arena, const char *chunk_name, const char *source, size_t size,
                    mb_value *names, mb_error *error);

#endif
