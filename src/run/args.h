/* A run's arguments: given values checked and converted against the manifest, the rest taken from
 * the environment's settings and the defaults. */
#ifndef MB_RUN_ARGS_H
#define MB_RUN_ARGS_H

#include "run/manifest.h"

/* Converts one given value to the argument's type. `are_text`: a command line's, where everything
 * is text. The result is in `arena`. The error (USAGE) speaks of the value only: "expected an
 * integer, got \"many\"". */
int mb_arg_convert(const mb_arg *arg, mb_arena *arena, const mb_value *given, bool are_text,
                   const mb_value **out, mb_error *error);

/* The map of arguments that a runbook gets: every known one that has a value. `environment` is of
 * mb_project_environment, or NULL. Unknown names and missing required ones are USAGE. */
int mb_args_resolve(const mb_manifest *manifest, mb_arena *arena, const mb_value *given,
                    bool are_text, const mb_value *environment, mb_value **out, mb_error *error);

/* Expands {argument} in text of the manifest. -1 when memory has run out. */
int mb_args_expand(mb_arena *arena, const mb_value *args, const char *template_text,
                   const char **out);

/* Checks that `changes`, `confirm` and `hosts` only name arguments that exist. */
int mb_args_check_templates(const mb_manifest *manifest, mb_error *error);

/* Seconds of a number, or of text such as "15m". 0, or -1. */
int mb_duration_of_value(const mb_value *value, double *seconds);

#endif
