/* The conformance runner: public suites of test cases run against the library, one subcommand per
 * suite. Prints TAP; see mbconf.c for the command line. */
#ifndef MBCONF_H
#define MBCONF_H

#include "base/arena.h"
#include <stdbool.h>

typedef struct mbconf_report {
  int passed, failed, skipped;
} mbconf_report;

/* Prints the line of one case; `format` says what went wrong and is printed only if `ok` is false.
 */
void mbconf_case(mbconf_report *report, const char *id, bool ok, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void mbconf_skip(mbconf_report *report, const char *id, const char *reason);

/* Prints the plan and the last line. Returns the exit code: 0 when cases ran and none failed. */
int mbconf_finish(mbconf_report *report);

/* A whole file, NUL-terminated, in the arena. NULL after a message on stderr. */
char *mbconf_read(mb_arena *arena, const char *path, size_t *size);
/* A file as JSON. NULL after a message on stderr. */
mb_value *mbconf_read_json(mb_arena *arena, const char *path);
/* "stem" of "folder/stem.json"; in the arena. NULL when memory has run out. */
char *mbconf_stem(mb_arena *arena, const char *path);

/* The suites; each gets its own arguments, without its name, and returns the exit code. */
int mbconf_endpoint(int argc, char **argv);
int mbconf_jmespath(int argc, char **argv);
int mbconf_profile(int argc, char **argv);
int mbconf_protocol(int argc, char **argv);
int mbconf_sigv4(int argc, char **argv);

#endif
