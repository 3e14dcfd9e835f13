/* moonbook.lua: the project's environments and the names of what runs in them. Data only.
 *
 *     return {
 *       app = "aistudio",
 *       environments = {
 *         dev = { region = "us-west-2" },
 *         prod = { region = "us-west-2", profile = "prod", cluster = "main" },
 *       },
 *     }
 */
#ifndef MB_RUN_SETTINGS_H
#define MB_RUN_SETTINGS_H

#include "base/system.h"
#include <moonbook/value.h>

typedef struct mb_project {
  const char *file;     /* for messages; NULL: there is no settings file */
  const mb_value *data; /* what the file returned, checked; NULL: nothing */
} mb_project;

/* Reads and checks the file at `path` (NULL: ./moonbook.lua when there is one; "": none). */
int mb_project_read(mb_project *out, mb_arena *arena, const mb_system *system, const char *path,
                    mb_error *error);

/* One environment as a map {environment, app?, protected, region?, profile?, endpoint_url?, names},
 * every name expanded. Unknown environments are USAGE with the nearest one. */
int mb_project_environment(const mb_project *project, mb_arena *arena, const char *name,
                           mb_value **out, mb_error *error);

/* Whether an argument's `setting` may be called so: a name below `names`, "region", "app" or
 * "environment". */
bool mb_setting_known(const char *name);
/* Every such name, ending with NULL. */
const char *const *mb_setting_names(void);
/* The value of a setting in an environment's map, or NULL. */
const mb_value *mb_setting_value(const mb_value *environment, const char *name);

#endif
