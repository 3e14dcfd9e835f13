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

/* Ends every call without a callback; for mb_engine_dispose. */
void mb_calls_drop(struct mb_registry *registry);

#endif
