/* Reading tables of a person's files: every problem names the file and the field, and an unknown
 * field is answered with the nearest known one. */
#ifndef MB_RUN_FIELDS_H
#define MB_RUN_FIELDS_H

#include "base/arena.h"
#include <moonbook/error.h>
#include <moonbook/value.h>

/* A name that a table may hold. `list` of names ends with NULL. */
int mb_fields_known(const mb_value *map, const char *file, const char *path,
                    const char *const *known, mb_error *error);

/* Each reads an optional field into *out, leaving it alone when the field is absent. -1 when it has
 * the wrong type. `path` is put before the name in messages ("args[2]."). */
int mb_field_text(const mb_value *map, const char *file, const char *path, const char *name,
                  const char **out, mb_error *error);
int mb_field_boolean(const mb_value *map, const char *file, const char *path, const char *name,
                     bool *out, mb_error *error);
/* A list of text: *out is the list itself, or NULL when it is absent. */
int mb_field_texts(const mb_value *map, const char *file, const char *path, const char *name,
                   const mb_value **out, mb_error *error);

/* Fills `error` with USAGE "BadField": FILE: PATHNAME: formatted problem. Returns -1. */
int mb_field_fail(mb_error *error, const char *file, const char *path, const char *name,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));

/* "a string", "a list", for "expected ..., got ...". Static. */
const char *mb_type_phrase(const mb_value *value);
/* An empty list and an empty map are the same table in Lua. */
bool mb_value_is_list(const mb_value *value);
bool mb_value_is_map(const mb_value *value);

/* Replaces every {name} of `template` by what `look_up` gives for it. NULL when memory has run out,
 * or with *unknown set to the name that nobody knows. */
char *mb_expand(mb_arena *arena, const char *template_text,
                const char *(*look_up)(void *payload, const char *name), void *payload,
                const char **unknown);

#endif
