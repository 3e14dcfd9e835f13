/* The host: settings, credentials, connections, runbook sources and primitives of one embedder.
 *
 *     mb_host_options options = MB_HOST_OPTIONS_INIT;
 *     mb_host *host;
 *     mb_error error;
 *     if (mb_host_new(&host, &options, &error)) ...
 *
 * A host and everything made from it belong to one thread; several hosts may live in several
 * threads. Nothing touches the network until a primitive is called.
 */
#ifndef MOONBOOK_HOST_H
#define MOONBOOK_HOST_H

#include <moonbook/error.h>
#include <moonbook/primitive.h>
#include <moonbook/value.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mb_host mb_host;
struct mb_transport; /* how requests travel; the real one is libcurl's */

/* The machine as the library sees it. Tests and simulators put their own in; every NULL means the
 * real thing. The struct and all it points at must outlive the host. */
typedef struct mb_system {
  void *payload;                                          /* handed to every function below */
  int64_t (*wall_ns)(void *payload);                      /* nanoseconds since 1970-01-01 UTC */
  int64_t (*monotonic_ns)(void *payload);                 /* never goes back */
  int (*random)(void *payload, void *out, size_t size);   /* 0, or -1 */
  const char *(*getenv)(void *payload, const char *name); /* NULL when unset; borrowed */
  const char *root; /* put before every absolute path that is read; NULL: "" */
  /* Runs a program without a shell and collects what it prints in the arena, where it is
   * overwritten once it was read, for it may hold secrets; fills `status` as waitpid does. Returns
   * 0, or -1 with errno: ETIMEDOUT, EMSGSIZE (it printed more) or why it did not start. For
   * credential_process. */
  int (*spawn)(void *payload, const char *const *argv, int timeout_ms, size_t output_limit,
               mb_arena *arena, const char **output, const char **errors, int *status);
  struct mb_transport *transport;
  bool simulated; /* not the real AWS: profiles and endpoints of the settings are passed over */
} mb_system;

/* Memory comes from these when set; call before anything else, once per process. `reallocate` gets
 * (payload, NULL, size) to allocate and (payload, pointer, 0) to free. Not thread-safe. */
typedef struct mb_allocator {
  void *payload;
  void *(*reallocate)(void *payload, void *pointer, size_t size);
} mb_allocator;
void mb_set_allocator(const mb_allocator *allocator);

typedef struct mb_host_options {
  unsigned version;        /* MB_HOST_OPTIONS_VERSION */
  const mb_system *system; /* NULL: the real one */
  const char *profile;     /* AWS profile; NULL: AWS_PROFILE, else "default" */
  const char *region;      /* NULL: environment, else the profile's */
  const char
      *endpoint_url;    /* for every service; NULL: AWS_ENDPOINT_URL[_SERVICE], else AWS's own */
  const char *settings; /* path of moonbook.lua; NULL: ./moonbook.lua when it is there; "": none */
  const char *environment;     /* of the settings: where mb_host_call calls; NULL: none */
  const char *runbook_path;    /* folders and PATH@REF, ':' between; NULL: MOONBOOK_PATH */
  double call_timeout_seconds; /* deadline of one AWS call, attempts included; 0: 120 */
  uint64_t instruction_limit;  /* of one run's Lua code; 0: 500 million */
  size_t memory_limit;         /* bytes of one run's Lua state; 0: 64 MiB */
  double slice_seconds;        /* longest stretch of Lua between two primitives; 0: 10 */
} mb_host_options;
#define MB_HOST_OPTIONS_VERSION 1
#define MB_HOST_OPTIONS_INIT                                                                       \
  { .version = MB_HOST_OPTIONS_VERSION }

/* Makes a host. Reads the settings file if there is one, nothing else. Copies what it needs from
 * `options`, except `system`. Free with mb_host_free. */
int mb_host_new(mb_host **out, const mb_host_options *options, mb_error *error);
void mb_host_free(mb_host *host);

/* Adds a primitive of the embedder's own, in a namespace of its own. The declaration is borrowed
 * for the host's life; `payload` is handed to its functions. -1 when a field is missing or the name
 * is taken. */
int mb_host_add_primitive(mb_host *host, const mb_primitive *primitive, void *payload,
                          mb_error *error);

/* Calls one primitive and waits for it. `args` is a map (NULL: none). `pages`: follow every page of
 * a listing and merge them. The result is made in `arena`. */
int mb_host_call(mb_host *host, mb_arena *arena, const char *primitive, const mb_value *args,
                 bool pages, const mb_value **result, mb_error *error);

/* Every runbook there is: a list of maps {name, version, summary, kind, effect, source}, nearest
 * source first where a name occurs twice (`shadowed` is then true of the later ones); one that does
 * not load has `error`. */
int mb_host_list_runbooks(mb_host *host, mb_arena *arena, const mb_value **out, mb_error *error);

/* One runbook: a map {name, version, moonbook, summary, kind, effect, source, uses, hosts, args,
 * changes, iam: list of IAM actions, files: map of text by file name}. */
int mb_host_describe_runbook(mb_host *host, mb_arena *arena, const char *name, const mb_value **out,
                             mb_error *error);

/* Checks a runbook folder without running it: manifest, syntax, names of primitives, undeclared
 * uses. Gives a list of {severity: error or warning, file, line, message}; empty when all is well.
 */
int mb_host_check_runbook(mb_host *host, mb_arena *arena, const char *path, const mb_value **out,
                          mb_error *error);

/* Reads data written as a Lua table (`return { ... }`), as manifests and moonbook.lua are: nothing
 * in it can run. `name` is the file's, for messages, which give the line. */
int mb_read_data(mb_arena *arena, const char *name, const char *text, size_t size,
                 const mb_value **out, mb_error *error);

/* What can be called. `name` NULL or "": the namespaces, a list of {name, summary, count}.
 * "ecs": {name, summary, primitives: list of {name, summary, effect}}. "ecs.update_service":
 * {name, summary, effect, recovery, since, iam, arguments: list of {name, type, required, doc},
 * results}. */
int mb_host_help(mb_host *host, mb_arena *arena, const char *name, const mb_value **out,
                 mb_error *error);

/* The project's settings as moonbook.lua gives them, a map; {} when there is no such file. With an
 * environment's name, that environment's, names expanded. Owned by the host. */
int mb_host_settings(mb_host *host, mb_arena *arena, const char *environment, const mb_value **out,
                     mb_error *error);

#ifdef __cplusplus
}
#endif
#endif
