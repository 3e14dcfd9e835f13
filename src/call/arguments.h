/* Arguments against declarations. */
#ifndef MB_CALL_ARGUMENTS_H
#define MB_CALL_ARGUMENTS_H

#include "call/engine.h"

/* The longest duration an argument may have, in seconds: about thirty years, so that sums of
 * nanoseconds stay far from the end of 64 bits. */
#define MB_LONGEST_SECONDS 1e9

/* Checks a map (NULL: nothing given) against what the primitive declares. 0, or -1 with USAGE. */
int mb_arguments_check(const mb_primitive *primitive, const mb_value *args, mb_error *error);

/* The declared argument of that name, or NULL. */
const mb_argument *mb_arguments_find(const mb_primitive *primitive, const char *name);

/* `args` with the text of durations turned into seconds: `args` itself when there is none. NULL in
 * *out stays NULL. 0, or -1 when memory has run out. */
int mb_arguments_convert(mb_arena *arena, const mb_primitive *primitive, const mb_value *args,
                         const mb_value **out);

/* A shallow copy of a map without the arguments that are a waiter's own (delay, max_attempts).
 * NULL when memory has run out. */
mb_value *mb_arguments_of_operation(mb_arena *arena, const mb_value *args);

#define MB_ARGUMENT_DELAY    "delay"
#define MB_ARGUMENT_ATTEMPTS "max_attempts"

#endif
