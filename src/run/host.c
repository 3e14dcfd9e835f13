/* The host: settings, engines, runbook sources and the embedder's primitives (moonbook/host.h). */
#include "run/host_internal.h"
#include "script/script.h"

#include "base/memory.h"
#include "base/text.h"
#include "call/call.h"

#include <string.h>

int mb_put_text(mb_arena *arena, mb_value *map, const char *key, const char *text) {
  if (text == NULL) {
    return 0;
  }
  mb_value *value = mb_map_put(arena, map, key);
  return value == NULL ? -1 : mb_value_set_string(arena, value, text);
}

/* ---- making and freeing ------------------------------------------------------------------------
 */

static int copy_text(mb_arena *arena, const char **out, const char *text) {
  *out = text == NULL ? NULL : mb_arena_strdup(arena, text);
  return text != NULL && *out == NULL ? -1 : 0;
}

static int copy_options(mb_host *host, const mb_host_options *options, mb_error *error) {
  host->options = *options;
  if (copy_text(host->arena, &host->options.profile, options->profile) != 0 ||
      copy_text(host->arena, &host->options.region, options->region) != 0 ||
      copy_text(host->arena, &host->options.endpoint_url, options->endpoint_url) != 0 ||
      copy_text(host->arena, &host->options.settings, options->settings) != 0 ||
      copy_text(host->arena, &host->options.environment, options->environment) != 0 ||
      copy_text(host->arena, &host->options.runbook_path, options->runbook_path) != 0) {
    return mb_error_memory(error);
  }
  return 0;
}

static int check_version(const mb_host_options *options, mb_error *error) {
  if (options->version != MB_HOST_OPTIONS_VERSION) {
    return mb_error_set(error, MB_ERROR_USAGE, "BadOptions",
                        "mb_host_options has version %u; expected %d", options->version,
                        MB_HOST_OPTIONS_VERSION);
  }
  return 0;
}

int mb_host_new(mb_host **out, const mb_host_options *options, mb_error *error) {
  const mb_host_options none = MB_HOST_OPTIONS_INIT;
  *out = NULL;
  if (options == NULL) {
    options = &none;
  }
  if (check_version(options, error) != 0) {
    return -1;
  }
  mb_host *host = mb_alloc_zero(1, sizeof *host);
  if (host == NULL || (host->arena = mb_arena_new(0)) == NULL) {
    mb_free(host);
    return mb_error_memory(error);
  }
  mb_system_complete(&host->system, options->system);
  if (copy_options(host, options, error) != 0 ||
      mb_project_read(&host->project, host->arena, &host->system, host->options.settings, error) !=
          0) {
    mb_host_free(host);
    return -1;
  }
  const char *path = host->options.runbook_path;
  host->source = mb_source_new(
      &host->system, path != NULL ? path : mb_getenv(&host->system, "MOONBOOK_PATH"), error);
  if (host->source == NULL) {
    mb_host_free(host);
    return -1;
  }
  *out = host;
  return 0;
}

void mb_host_free(mb_host *host) {
  if (host == NULL) {
    return;
  }
  for (host_engine *at = host->engines; at != NULL; at = at->next) {
    mb_engine_dispose(&at->engine);
  }
  if (host->source != NULL) {
    mb_source_free(host->source);
  }
  mb_arena_free(host->arena);
  mb_free(host);
}

/* ---- engines -----------------------------------------------------------------------------------
 */

static bool same_text(const char *a, const char *b) {
  return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The explicit option, else the environment's, else NULL. */
static const char *choose(const char *explicit_text, const mb_value *environment, const char *key) {
  if (explicit_text != NULL) {
    return explicit_text;
  }
  const mb_value *value = mb_map_get(environment, key);
  return value == NULL ? NULL : mb_value_string(value);
}

static int add_engine(mb_host *host, const mb_settings_options *wanted, mb_engine **out,
                      mb_error *error) {
  host_engine *made = mb_arena_zero(host->arena, sizeof *made);
  if (made == NULL || copy_text(host->arena, &made->settings.profile, wanted->profile) != 0 ||
      copy_text(host->arena, &made->settings.region, wanted->region) != 0 ||
      copy_text(host->arena, &made->settings.endpoint_url, wanted->endpoint_url) != 0) {
    return mb_error_memory(error);
  }
  if (mb_engine_init(&made->engine, &host->system, &made->settings,
                     host->options.call_timeout_seconds, error) != 0) {
    return -1;
  }
  made->engine.read_data = mb_script_read_data;
  for (host_primitive *at = host->primitives; at != NULL; at = at->next) {
    if (mb_engine_add(&made->engine, at->primitive, at->payload, error) != 0) {
      mb_engine_dispose(&made->engine);
      return -1;
    }
  }
  made->next = host->engines;
  host->engines = made;
  *out = &made->engine;
  return 0;
}

int mb_host_engine(mb_host *host, const mb_value *environment, mb_engine **out, mb_error *error) {
  mb_settings_options wanted = {
      .profile = choose(host->options.profile, environment, "profile"),
      .region = choose(host->options.region, environment, "region"),
      .endpoint_url = choose(host->options.endpoint_url, environment, "endpoint_url"),
  };
  if (host->system.simulated) {
    wanted.profile = wanted.endpoint_url = NULL; /* of the real AWS */
  }
  for (host_engine *at = host->engines; at != NULL; at = at->next) {
    if (same_text(at->settings.profile, wanted.profile) &&
        same_text(at->settings.region, wanted.region) &&
        same_text(at->settings.endpoint_url, wanted.endpoint_url)) {
      *out = &at->engine;
      return 0;
    }
  }
  return add_engine(host, &wanted, out, error);
}

int mb_host_add_primitive(mb_host *host, const mb_primitive *primitive, void *payload,
                          mb_error *error) {
  mb_engine *engine = NULL;
  if (mb_host_engine(host, NULL, &engine, error) != 0) {
    return -1;
  }
  host_primitive *added = mb_arena_zero(host->arena, sizeof *added);
  if (added == NULL) {
    return mb_error_memory(error);
  }
  /* Every engine has the same primitives; the first one to refuse decides. */
  for (host_engine *at = host->engines; at != NULL; at = at->next) {
    if (mb_engine_add(&at->engine, primitive, payload, error) != 0) {
      return -1;
    }
  }
  added->primitive = primitive;
  added->payload = payload;
  host_primitive **end = &host->primitives;
  while (*end != NULL) {
    end = &(*end)->next;
  }
  *end = added;
  return 0;
}

/* ---- one call ----------------------------------------------------------------------------------
 */

typedef struct waiting {
  mb_arena *arena;
  bool ended;
  bool failed;
  mb_error error;
  const mb_value *result;
} waiting;

static void call_ended(mb_call *call, const mb_value *result, const mb_error *error,
                       void *payload) {
  waiting *wait = payload;
  wait->ended = true;
  wait->result = result; /* lives in the arena that was given to mb_call_start */
  if (error != NULL) {
    wait->failed = true;
    wait->error = *error;
  }
}

/* The engine for the environment that the options name, or for none. */
static int chosen_engine(mb_host *host, mb_arena *arena, mb_engine **out, mb_error *error) {
  mb_value *environment = NULL;
  if (host->options.environment != NULL &&
      mb_project_environment(&host->project, arena, host->options.environment, &environment,
                             error) != 0) {
    return -1;
  }
  return mb_host_engine(host, environment, out, error);
}

int mb_host_call(mb_host *host, mb_arena *arena, const char *primitive, const mb_value *args,
                 bool pages, const mb_value **result, mb_error *error) {
  mb_engine *engine = NULL;
  *result = NULL;
  if (chosen_engine(host, arena, &engine, error) != 0) {
    return -1;
  }
  const mb_binding *binding = mb_engine_find(engine, primitive, error);
  if (binding == NULL) {
    return -1;
  }
  if (mb_call_check(engine, binding, arena, args, error) != 0) {
    return -1;
  }
  if (binding->composition != NULL) {
    return mb_host_call_composed(host, engine, arena, binding, args, result, error);
  }
  waiting wait = {.arena = arena};
  mb_call_options options = {
      .pages = pages, .blobs_are_base64 = true, .on_end = call_ended, .payload = &wait};
  mb_call *call = mb_call_start(engine, binding, arena, args, &options);
  while (!wait.ended && call != NULL) {
    if (!mb_loop_turn(engine->loop, INT64_MAX) && !wait.ended) {
      mb_call_cancel(call);
      return mb_error_set(error, MB_ERROR_INTERNAL, "CallLost",
                          "%s neither ended nor left anything to wait for", primitive);
    }
  }
  if (!wait.ended) {
    return mb_error_set(error, MB_ERROR_INTERNAL, "CallLost", "%s did not end", primitive);
  }
  if (wait.failed) {
    if (error != NULL) {
      *error = wait.error;
    }
    return -1;
  }
  *result = wait.result;
  return 0;
}

/* ---- help and settings -------------------------------------------------------------------------
 */

int mb_host_help(mb_host *host, mb_arena *arena, const char *name, const mb_value **out,
                 mb_error *error) {
  mb_engine *engine = NULL;
  mb_value *value = mb_value_new(arena);
  *out = NULL;
  if (value == NULL) {
    return mb_error_memory(error);
  }
  if (mb_host_engine(host, NULL, &engine, error) != 0 ||
      mb_engine_help(engine, arena, name, value, error) != 0) {
    return -1;
  }
  *out = value;
  return 0;
}

int mb_host_settings(mb_host *host, mb_arena *arena, const char *environment, const mb_value **out,
                     mb_error *error) {
  mb_value *value = NULL;
  *out = NULL;
  if (environment != NULL) {
    if (mb_project_environment(&host->project, arena, environment, &value, error) != 0) {
      return -1;
    }
  } else {
    value = mb_value_new_map(arena);
    if (value == NULL ||
        (host->project.data != NULL && mb_value_copy(arena, value, host->project.data) != 0)) {
      return mb_error_memory(error);
    }
  }
  *out = value;
  return 0;
}

int mb_read_data(mb_arena *arena, const char *name, const char *text, size_t size,
                 const mb_value **out, mb_error *error) {
  mb_value *value = NULL;
  *out = NULL;
  if (mb_script_read_data(arena, name, text, size, &value, error) != 0) {
    return -1;
  }
  *out = value;
  return 0;
}
