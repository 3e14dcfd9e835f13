/* The table of primitives: what engine.c, names.c and declare.c share and nobody else sees. */
#ifndef MB_CALL_REGISTRY_H
#define MB_CALL_REGISTRY_H

#include "call/engine.h"

/* A namespace as help shows it, made when first asked for. */
typedef struct mb_namespace mb_namespace;
struct mb_namespace {
  mb_namespace *next;
  const char *name;
  const mb_model *model; /* NULL: a curated or an embedder's namespace */
  const char *summary;
  const char **names; /* full names, in order; NULL until asked for */
  size_t count;
};

struct mb_registry {
  mb_arena *arena;    /* owns bindings and their text */
  mb_binding **slots; /* by name, open addressing, a power of two */
  size_t capacity, count;
  mb_binding **added; /* curated and embedder's ones, in name order */
  size_t added_count, added_capacity;
  mb_namespace *namespaces;
  const mb_value *hosts; /* borrowed; NULL: any */
  mb_call *calls;        /* under way, and cancelled ones whose work nobody can stop */
  int composing;         /* declarations of composed primitives being read, one for another */
};

/* Puts a binding into the table. Its name must be new. 0, or -1 when memory has run out. */
int mb_registry_put(struct mb_registry *registry, mb_binding *binding);

/* How many bytes of `name` are its namespace; 0 when the name is not of the form "a.b". */
size_t mb_name_space_size(const char *name);

/* The namespace of that name (`size` bytes), or NULL when there is none. Sets `*memory` when it is
 * NULL for want of memory. */
mb_namespace *mb_namespace_find(mb_engine *engine, const char *name, size_t size, bool *memory);

/* Fills in the names of a namespace. 0, or -1 when memory has run out. */
int mb_namespace_fill(mb_engine *engine, mb_namespace *space);

/* Ends the error with what was probably meant. */
int mb_name_unknown(mb_engine *engine, const char *name, mb_error *error);

/* Copies what may be hostile into a small buffer, made printable and cut. Returns `out`. */
const char *mb_name_quote(char *out, size_t out_size, const char *name);

/* ---- composed.c: primitives whose body is Lua, one file each below lua/moonbook/primitives ----
 */

/* The composed primitive of that name, declared when first asked for. NULL when there is none, and
 * then *error is left alone, or when its file is bad. */
mb_binding *mb_composed_find(mb_engine *engine, const char *name, mb_error *error);
/* How many there are in a namespace; fills in their full names when `names` is not NULL, in memory
 * of the registry. -1 when that has run out. */
long mb_composed_names(mb_engine *engine, const char *name_space, const char **names);
/* The namespace of the composed primitive with that index, over all of them; NULL behind the last.
 */
const char *mb_composed_space(mb_engine *engine, size_t index);

/* Ends every call without a callback; for mb_engine_dispose. */
void mb_calls_drop(struct mb_registry *registry);

#endif
