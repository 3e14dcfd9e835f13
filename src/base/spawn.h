/* Running a program and collecting what it prints. */
#ifndef MB_BASE_SPAWN_H
#define MB_BASE_SPAWN_H

#include "base/arena.h"

/* The real `spawn` of mb_system. The program is found along PATH, gets no input, no descriptors and
 * a process group of its own. Returns 0 once it has ended; -1 with errno when it could not be
 * started, ran longer than `timeout_ms` (ETIMEDOUT), printed more than `output_limit` bytes to
 * either stream (EMSGSIZE) or memory ran out (ENOMEM): it is then no longer running. */
int mb_spawn_real(void *payload, const char *const *argv, int timeout_ms, size_t output_limit,
                  mb_arena *arena, const char **output, const char **errors, int *status);

#endif
