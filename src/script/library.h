/* A Lua state for code of our own that is not a runbook: the simulated services of lua/sim. It has
 * the sandbox's libraries and its own require(), no primitives, no tasks and no instruction limit.
 */
#ifndef MB_SCRIPT_LIBRARY_H
#define MB_SCRIPT_LIBRARY_H

#include "base/system.h"
#include "base/value.h"

typedef struct mb_library mb_library;

typedef struct mb_library_options {
  /* Finds a module's source for require("sim.ecs"). 0, or -1. */
  int (*module)(void *payload, const char *name, mb_arena *arena, const char **source, size_t *size,
                const char **chunk_name, mb_error *error);
  void *payload;
  /* A module of this name has what Lua lacks: sha256(text) and md5(text), in hex. NULL: none. */
  const char *native_module;
  size_t memory_limit;  /* 0: 512 MiB */
  double slice_seconds; /* longest single call, real time; 0: 30 */
} mb_library_options;

mb_library *mb_library_new(const mb_library_options *options, mb_error *error);
void mb_library_free(mb_library *library);

/* Calls function `name` of the table that module `module` returns. Arguments and result are plain
 * data. Errors are SCRIPT with the line, and a traceback in the message. */
int mb_library_call(mb_library *library, const char *module, const char *name,
                    const mb_value *const *args, size_t arg_count, mb_arena *arena,
                    const mb_value **result, mb_error *error);

/* Runs a file of the user's (a scenario) in the same state, its globals apart, with `globals` (a
 * module's table) visible to it. */
int mb_library_run(mb_library *library, const char *chunk_name, const char *source, size_t size,
                   const char *globals_module, mb_error *error);

#endif
