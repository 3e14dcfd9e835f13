/* Importing botocore's data folder, for mbmodel alone. */
#ifndef MB_AWS_TOOLS_IMPORT_H
#define MB_AWS_TOOLS_IMPORT_H

#include "base/arena.h"
#include <moonbook/error.h>

/* Writes OUT/<namespace>.model for one service folder of DATA, its newest API version. Unknown
 * constructs are told on standard error. 0, or -1. */
int mb_tool_import(const char *data, const char *out, const char *service, mb_error *error);
/* Writes OUT/partitions.json. */
int mb_tool_import_partitions(const char *data, const char *out, mb_error *error);
/* The names of the service folders of DATA, sorted. */
int mb_tool_services(mb_arena *arena, const char *data, char ***out, size_t *count,
                     mb_error *error);
/* Writes a whole file, by way of a temporary one beside it. 0, or -1. */
int mb_tool_write(const char *path, const void *data, size_t size, mb_error *error);

#endif
