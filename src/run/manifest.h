/* A runbook's manifest: what it is called, what it needs, takes and may do. */
#ifndef MB_RUN_MANIFEST_H
#define MB_RUN_MANIFEST_H

#include "call/engine.h"
#include "source/source.h"

typedef enum mb_arg_type {
  MB_ARG_STRING = 1,
  MB_ARG_INTEGER,
  MB_ARG_NUMBER,
  MB_ARG_BOOLEAN,
  MB_ARG_DURATION, /* seconds, from a number or text such as "15m" */
  MB_ARG_STRINGS,  /* a list of strings; "a,b" as text */
  MB_ARG_CHOICE    /* one of `choices` */
} mb_arg_type;

typedef struct mb_arg {
  const char *name;
  const char *type_name;
  mb_arg_type type;
  bool required;
  bool secret;
  const char *doc;
  const char *setting; /* what of the environment gives it when nobody else does, or NULL */
  const mb_value *default_value; /* of its type already, or NULL */
  const mb_value *choices;       /* list of text, or NULL */
} mb_arg;

typedef struct mb_manifest {
  const char *file; /* for messages */
  const char *name;
  const char *version;
  int major;
  int64_t level; /* `moonbook`: the API level it needs */
  const char *summary;
  const char *kind;
  mb_effect effect;
  const mb_value *uses;  /* list of text; may be NULL */
  mb_value *implied;     /* list of text: what the composed primitives among them call; see below */
  const mb_value *hosts; /* list of text; may be NULL */
  const mb_value *changes; /* list of text with {argument}; may be NULL */
  const char *confirm;     /* what a person types, with {argument}; or NULL */
  double timeout_seconds;  /* 0: none */
  mb_arg *args;
  size_t arg_count;
} mb_manifest;

/* Reads and checks the manifest of a bundle; text and values live in `arena`. Errors are USAGE and
 * name file and field. */
int mb_manifest_read(mb_manifest *out, mb_arena *arena, const mb_bundle *bundle, mb_error *error);

/* Checks `uses` against what there is: unknown primitives, wildcards that match nothing, and
 * primitives that do more than `effect` says. Fills in `implied`, in `arena`. */
int mb_manifest_check_uses(mb_manifest *manifest, mb_arena *arena, mb_engine *engine,
                           mb_error *error);

/* Whether `uses` allows a primitive: by its name, by a wildcard if it only reads, or because a
 * composed one calls it. */
bool mb_manifest_allows(const mb_manifest *manifest, const mb_primitive *primitive);

/* Whether `name` matches "ecs.describe_*". A pattern without a star matches itself. */
bool mb_uses_match(const char *pattern, const char *name);

/* The arguments as a list of maps {name, type, required, default?, choices?, doc, secret,
 * setting?}. NULL when memory has run out. */
mb_value *mb_manifest_describe_args(const mb_manifest *manifest, mb_arena *arena);

/* Splits "NAME", "NAME@1" or "NAME@1.2.0" into the name, the major version (0: any) and the exact
 * version (NULL: any). */
int mb_runbook_name_split(mb_arena *arena, const char *text, const char **name, int *major,
                          const char **version, mb_error *error);

#endif
