/* The machine through its seams: an mb_system with every hole filled in. */
#ifndef MB_BASE_SYSTEM_H
#define MB_BASE_SYSTEM_H

#include "base/arena.h"
#include <moonbook/host.h>

/* Copies `given` (NULL: all real) with the real functions in every empty place, except
 * `transport`, which stays NULL for the loop to fill. */
void mb_system_complete(mb_system *out, const mb_system *given);

int64_t mb_wall_ns(const mb_system *system);
int64_t mb_monotonic_ns(const mb_system *system);
double mb_random_unit(const mb_system *system); /* [0,1) */
/* "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx"; out has 37 bytes. 0, or -1. */
int mb_uuid(const mb_system *system, char out[37]);
/* The variable's value, or NULL when it is unset or empty. */
const char *mb_getenv(const mb_system *system, const char *name);

/* Reads a whole file (below `root` when the path is absolute) into the arena, NUL-terminated.
 * Returns 0; -1 with kind NOT_FOUND when there is no such file, IO or USAGE (too large) else. */
int mb_read_file(const mb_system *system, mb_arena *arena, const char *path, size_t limit,
                 char **out, size_t *size, mb_error *error);

#endif
