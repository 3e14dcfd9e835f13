/* Runs: resolving one, executing it, and what it came to (moonbook/run.h). */
#include "run/run_internal.h"

#include "base/memory.h"
#include "base/text.h"
#include "call/call.h"
#include "run/args.h"
#include "run/fields.h"

#include <stdio.h>
#include <string.h>

/* ---- resolving ---------------------------------------------------------------------------------
 */

/* "20261123-140000-9f3c2a": sorts by time, and is short enough to be read aloud. */
static int make_id(mb_run *run, mb_error *error) {
  const mb_system *system = &run->host->system;
  unsigned char bytes[3];
  int year, month, day, hour, minute, second;
  if (system->random(system->payload, bytes, sizeof bytes) != 0) {
    return mb_error_set(error, MB_ERROR_INTERNAL, "NoRandom", "the system gives no random bytes");
  }
  mb_time_civil(mb_wall_ns(system) / 1000000000, &year, &month, &day, &hour, &minute, &second);
  snprintf(run->id, sizeof run->id, "%04d%02d%02d-%02d%02d%02d-%02x%02x%02x", year % 10000,
           month % 100, day % 100, hour % 100, minute % 100, second % 100, bytes[0], bytes[1],
           bytes[2]);
  return 0;
}

static int resolve_environment(mb_run *run, const char *name, mb_error *error) {
  mb_value *environment = NULL;
  if (name == NULL) {
    return 0;
  }
  if (mb_project_environment(&run->host->project, run->arena, name, &environment, error) != 0) {
    return -1;
  }
  run->environment = environment;
  return 0;
}

static int expand_list(mb_run *run, const mb_value *from, mb_value **out, mb_error *error) {
  *out = mb_value_new_list(run->arena);
  for (size_t i = 0; *out != NULL && i < mb_value_count(from); i++) {
    const char *text = NULL;
    mb_value *item = mb_list_add(run->arena, *out);
    if (item == NULL ||
        mb_args_expand(run->arena, run->args, mb_value_string(mb_list_at(from, i)), &text) != 0 ||
        mb_value_set_string(run->arena, item, text) != 0) {
      return mb_error_memory(error);
    }
  }
  return *out == NULL ? mb_error_memory(error) : 0;
}

/* The host of a URL, without user and port; the text itself when it is no URL. NULL: no memory. */
static const char *host_of(mb_arena *arena, const char *text) {
  const char *start = strstr(text, "://");
  start = start == NULL ? text : start + 3;
  size_t size = strcspn(start, "/?#");
  const char *at = memchr(start, '@', size);
  if (at != NULL) {
    size -= (size_t)(at + 1 - start);
    start = at + 1;
  }
  const char *close = *start == '[' ? memchr(start, ']', size) : NULL;
  const char *colon = memchr(close == NULL ? start : close, ':',
                             size - (size_t)((close == NULL ? start : close) - start));
  return mb_arena_strndup(arena, start, colon == NULL ? size : (size_t)(colon - start));
}

/* An entry such as "{health_url}" allows the host of the URL that the operator gave, if one was. */
static int expand_hosts(mb_run *run, mb_error *error) {
  mb_value *list = mb_value_new_list(run->arena);
  if (list == NULL) {
    return mb_error_memory(error);
  }
  for (size_t i = 0; i < mb_value_count(run->manifest.hosts); i++) {
    const char *pattern = mb_value_string(mb_list_at(run->manifest.hosts, i));
    const char *text = NULL;
    if (mb_args_expand(run->arena, run->args, pattern, &text) != 0 ||
        (text = host_of(run->arena, text)) == NULL) {
      return mb_error_memory(error);
    }
    if (strchr(pattern, '{') != NULL && (*text == 0 || *text == '(' || *text == '*')) {
      continue; /* the argument has no value, or one that would open more than it names */
    }
    mb_value *item = mb_list_add(run->arena, list);
    if (item == NULL || mb_value_set_string(run->arena, item, text) != 0) {
      return mb_error_memory(error);
    }
  }
  run->hosts = list;
  return 0;
}

/* What must be typed: for what destroys always, for what writes in a protected environment. */
static int choose_phrase(mb_run *run, mb_error *error) {
  bool severe = run->manifest.effect == MB_EFFECT_DESTROYS ||
                mb_value_boolean(mb_map_get(run->environment, "protected"));
  if (!severe) {
    return 0;
  }
  const char *pattern = run->manifest.confirm != NULL ? run->manifest.confirm : run->manifest.name;
  return mb_args_expand(run->arena, run->args, pattern, &run->phrase) != 0 ? mb_error_memory(error)
                                                                           : 0;
}

static int put_info(mb_run *run, mb_error *error) {
  mb_arena *arena = run->arena;
  mb_value *info = mb_value_new_map(arena);
  const mb_value *environment = mb_map_get(run->environment, "environment");
  const mb_value *app = mb_map_get(run->environment, "app");
  if (info == NULL || mb_put_text(arena, info, "id", run->id) != 0 ||
      mb_put_text(arena, info, "name", run->manifest.name) != 0 ||
      mb_put_text(arena, info, "version", run->manifest.version) != 0 ||
      mb_put_text(arena, info, "environment",
                  environment == NULL ? NULL : mb_value_string(environment)) != 0 ||
      mb_put_text(arena, info, "app", app == NULL ? NULL : mb_value_string(app)) != 0) {
    return mb_error_memory(error);
  }
  mb_value *started = mb_map_put(arena, info, "started");
  if (started == NULL) {
    return mb_error_memory(error);
  }
  mb_value_set_number(started, (double)mb_wall_ns(&run->host->system) / 1e9);
  mb_value *names = mb_map_put(arena, info, "names");
  if (names == NULL) {
    return mb_error_memory(error);
  }
  mb_value_set_map(names);
  const mb_value *known = mb_map_get(run->environment, "names");
  if (known != NULL && mb_value_copy(arena, names, known) != 0) {
    return mb_error_memory(error);
  }
  run->info = info;
  return 0;
}

static int resolve(mb_run *run, const mb_run_options *options, mb_error *error) {
  mb_value *changes = NULL;
  if (mb_host_find_runbook(run->host, run->arena, options->runbook, &run->bundle, &run->manifest,
                           error) != 0 ||
      resolve_environment(run, options->environment, error) != 0 ||
      mb_args_resolve(&run->manifest, run->arena, options->args, options->args_are_text,
                      run->environment, &run->args, error) != 0 ||
      mb_host_engine(run->host, run->environment, &run->engine, error) != 0 ||
      mb_manifest_check_uses(&run->manifest, run->arena, run->engine, error) != 0 ||
      make_id(run, error) != 0 || put_info(run, error) != 0 || expand_hosts(run, error) != 0 ||
      choose_phrase(run, error) != 0 ||
      expand_list(run, run->manifest.changes, &changes, error) != 0) {
    return -1;
  }
  run->changes = changes;
  return 0;
}

static int check_options(const mb_run_options *options, mb_error *error) {
  if (options->version != MB_RUN_OPTIONS_VERSION) {
    return mb_error_set(error, MB_ERROR_USAGE, "BadOptions",
                        "mb_run_options has version %u; expected %d", options->version,
                        MB_RUN_OPTIONS_VERSION);
  }
  if (options->runbook == NULL || *options->runbook == 0) {
    mb_error_set(error, MB_ERROR_USAGE, "BadOptions", "no runbook was named");
    return mb_error_next(error, "\"moonbook list\" lists them");
  }
  return 0;
}

int mb_run_new(mb_run **out, mb_host *host, const mb_run_options *options, mb_error *error) {
  *out = NULL;
  if (check_options(options, error) != 0) {
    return -1;
  }
  mb_run *run = mb_alloc_zero(1, sizeof *run);
  if (run == NULL || (run->arena = mb_arena_new(0)) == NULL) {
    mb_free(run);
    return mb_error_memory(error);
  }
  run->host = host;
  run->options = *options;
  run->step_log = mb_value_new_list(run->arena);
  run->failed_checks = mb_value_new_list(run->arena);
  if (run->step_log == NULL || run->failed_checks == NULL) {
    mb_run_free(run);
    return mb_error_memory(error);
  }
  if (resolve(run, options, error) != 0) {
    mb_run_free(run);
    return -1;
  }
  *out = run;
  return 0;
}

void mb_run_free(mb_run *run) {
  if (run == NULL) {
    return;
  }
  mb_script *script = atomic_load(&run->script);
  if (script != NULL) {
    mb_script_free(script);
  }
  if (run->script_before != NULL) {
    mb_script_free(run->script_before);
  }
  mb_arena_free(run->arena);
  mb_free(run);
}

/* ---- executing ---------------------------------------------------------------------------------
 */

/* The region is known once the shared files are read. */
static int learn_region(mb_run *run, mb_error *error) {
  const mb_settings *settings = mb_aws_settings(run->engine->aws, error);
  if (settings == NULL) {
    return -1;
  }
  return mb_put_text(run->arena, run->info, "region", settings->region) != 0
             ? mb_error_memory(error)
             : 0;
}

void mb_run_set_deadline(mb_run *run) {
  double seconds = run->options.timeout_seconds > 0 ? run->options.timeout_seconds
                                                    : run->manifest.timeout_seconds;
  run->deadline_ns = INT64_MAX;
  if (seconds > 0 && seconds < 1e9) {
    run->deadline_ns = mb_loop_now(run->engine->loop) + (int64_t)(seconds * 1e9);
  }
}

/* Whoever listens was not told everything: that must not pass as success. */
static void admit_lost_events(mb_run *run) {
  if (run->event_lost && mb_verdict_exit_code(run->end.verdict) == 0) {
    mb_error_memory(&run->end.error);
    run->end.verdict = MB_VERDICT_INTERNAL;
    run->end.message =
        "Memory ran out while the run was being reported; what is above is incomplete.";
  }
}

mb_verdict mb_run_execute(mb_run *run) {
  mb_error error;
  mb_error_clear(&error);
  if (run->executed || run->host->running) {
    mb_run_end(run, MB_VERDICT_INTERNAL,
               "A run can be executed once, and not from inside another.");
    return run->end.verdict;
  }
  run->executed = true;
  run->host->running = true;
  run->started_ns = mb_loop_now(run->engine->loop);
  mb_run_set_deadline(run);
  if (learn_region(run, &error) != 0) {
    mb_run_end_error(run, &error);
  }
  mb_run_tell_started(run);
  if (run->end.verdict == MB_VERDICT_NONE) {
    const mb_value *hosts = mb_engine_hosts(run->engine);
    mb_engine_set_hosts(run->engine, run->hosts);
    mb_run_phases(run);
    mb_engine_set_hosts(run->engine, hosts);
  }
  admit_lost_events(run);
  mb_run_tell_finished(run);
  if (run->event_lost) { /* perhaps that very event, the one that matters most */
    admit_lost_events(run);
    run->event_lost = false;
    mb_run_tell_finished(run);
  }
  run->host->running = false;
  return run->end.verdict;
}

void mb_run_cancel(mb_run *run) {
  int before = atomic_fetch_add(&run->cancels, 1);
  mb_script *script = atomic_load(&run->script);
  if (script != NULL) {
    mb_script_stop(script, before > 0 || atomic_load(&run->writes) == 0);
  }
}

/* ---- what it came to ---------------------------------------------------------------------------
 */

mb_verdict mb_run_verdict(const mb_run *run) {
  return run->end.verdict;
}

const mb_error *mb_run_error(const mb_run *run) {
  return &run->end.error;
}

const char *mb_run_message(const mb_run *run) {
  return run->end.verdict == MB_VERDICT_NONE || run->end.message == NULL
             ? mb_verdict_summary(run->end.verdict)
             : run->end.message;
}

const mb_value *mb_run_result(const mb_run *run) {
  return run->result;
}
