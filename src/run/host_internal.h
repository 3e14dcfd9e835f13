/* The inside of a host, for this folder. */
#ifndef MB_RUN_HOST_INTERNAL_H
#define MB_RUN_HOST_INTERNAL_H

#include "call/engine.h"
#include "run/manifest.h"
#include "run/settings.h"
#include "source/source.h"
#include <moonbook/host.h>

/* Environments differ in region, profile and endpoint, so a host has one engine for each such
 * triple in use, made when first asked for. */
typedef struct host_engine {
  struct host_engine *next;
  mb_settings_options settings; /* text in the host's arena, or NULL */
  mb_engine engine;
} host_engine;

typedef struct host_primitive {
  struct host_primitive *next;
  const mb_primitive *primitive;
  void *payload;
} host_primitive;

struct mb_host {
  mb_arena *arena; /* copies of the options, the settings, engines */
  mb_system system;
  mb_host_options options; /* text in `arena` */
  mb_source *source;
  mb_project project;
  host_engine *engines;
  host_primitive *primitives; /* the embedder's own, in the order in which they came */
  bool running;               /* a run executes: events must not start another */
};

/* The engine for an environment of mb_project_environment (NULL: none). Explicit options of the
 * host win over the environment's. */
int mb_host_engine(mb_host *host, const mb_value *environment, mb_engine **out, mb_error *error);

/* Finds a runbook by "NAME[@VERSION]" and reads its manifest. */
int mb_host_find_runbook(mb_host *host, mb_arena *arena, const char *name, mb_bundle *bundle,
                         mb_manifest *manifest, mb_error *error);

/* Calls a composed primitive, whose arguments were checked, in a Lua state of its own. */
int mb_host_call_composed(mb_host *host, mb_engine *engine, mb_arena *arena,
                          const mb_binding *binding, const mb_value *args, const mb_value **result,
                          mb_error *error);

/* Puts text into a map. -1 when memory has run out; `text` NULL does nothing. */
int mb_put_text(mb_arena *arena, mb_value *map, const char *key, const char *text);

#endif
