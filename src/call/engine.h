/* The engine: everything a primitive needs to run, and the table of primitives. One per host. */
#ifndef MB_CALL_ENGINE_H
#define MB_CALL_ENGINE_H

#include "aws/client.h"
#include "loop/loop.h"
#include <moonbook/primitive.h>

typedef struct mb_engine {
  mb_system system; /* complete */
  mb_loop *loop;
  mb_aws *aws;
  struct mb_registry *registry;
  double call_timeout_seconds;
  /* Reads a data file written in Lua; set by whoever has Lua, for the declarations of composed
   * primitives. NULL: there are none. */
  int (*read_data)(mb_arena *arena, const char *chunk_name, const char *source, size_t size,
                   mb_value **out, mb_error *error);
} mb_engine;

int mb_engine_init(mb_engine *engine, const mb_system *system, const mb_settings_options *settings,
                   double call_timeout_seconds, mb_error *error);
void mb_engine_dispose(mb_engine *engine);

/* The body of a primitive that is made of others: a function of a Lua module. What it calls only
 * reads. */
typedef struct mb_composition {
  const char *module;       /* as require() takes it */
  const char *function;     /* takes the table of arguments */
  const char *const *calls; /* the primitives it may call, composed ones included; ends with NULL */
} mb_composition;

/* A primitive with what stands behind it. Those of services are made from the models when they are
 * first asked for, and composed ones from their files; nothing lists them twice. */
typedef struct mb_binding {
  mb_primitive primitive;
  void *payload;
  const mb_composition *composition; /* of a composed primitive, else NULL */
  const mb_model *model;             /* of a service operation or waiter, else NULL */
  const mb_operation *operation;     /* of a service operation or waiter, else NULL */
  const mb_waiter *waiter;           /* of "ecs.wait_for_services_stable", else NULL */
  bool pages;                        /* the operation is a listing that can be followed */
} mb_binding;

/* Finds "ecs.describe_services", "http.get", "ecs.wait_for_services_stable". On failure the error
 * (NOT_FOUND) suggests the nearest name. The binding lives as long as the engine. */
const mb_binding *mb_engine_find(mb_engine *engine, const char *name, mb_error *error);

/* Adds a curated or an embedder's primitive; every field of the declaration is checked. */
int mb_engine_add(mb_engine *engine, const mb_primitive *primitive, void *payload, mb_error *error);

/* Namespaces, and the full names ("ecs.describe_services") within one, in order. `names` may be
 * NULL. Return how many there are, 0 also when memory has run out. The text lives as long as the
 * engine. */
size_t mb_engine_namespaces(mb_engine *engine, const char **names, size_t capacity);
size_t mb_engine_names(mb_engine *engine, const char *name_space, const char **names,
                       size_t capacity);
/* A namespace's one-line summary ("ECS, 77 operations"), or "". Lives as long as the engine. */
const char *mb_engine_namespace_summary(mb_engine *engine, const char *name_space);

/* What mb_host_help says (moonbook/host.h). */
int mb_engine_help(mb_engine *engine, mb_arena *arena, const char *name, mb_value *out,
                   mb_error *error);

/* "reads", "once": as help and events write them. Static. */
const char *mb_effect_name(mb_effect effect);
const char *mb_recovery_name(mb_recovery recovery);
/* "string", "list of strings": as help writes them. Static. */
const char *mb_argument_type_name(mb_argument_type type);

/* The curated primitives of src/primitives, ending with NULL. */
extern const mb_primitive *const mb_curated_primitives[];

/* What their namespaces are for; the last has a NULL name. */
typedef struct mb_namespace_doc {
  const char *name, *summary;
} mb_namespace_doc;
extern const mb_namespace_doc mb_curated_namespaces[];

#endif
