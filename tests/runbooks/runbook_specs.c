/* Runs the specs of runbooks: a run against a scripted AWS on a virtual clock, and what must come
 * of it. One file of specs per argument; TAP on stdout; exit 0 only when all is as the specs say.
 *
 *     runbook_specs runbooks/deploy/preflight/v1/tests/specs.lua
 *
 * docs/runbooks.md says what a spec may hold. */
#include "runbooks/scripted_aws.h"

#include "base/system.h"
#include "script/script.h"

#include <moonbook/moonbook.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What a run told, as far as specs ask for it. */
typedef struct observation {
  mb_arena *arena;
  mb_run *run;
  mb_value *calls;    /* operations, runs of the same one told once */
  mb_value *writes;   /* writing operations, each time */
  mb_value *steps;    /* names */
  mb_value *checks;   /* map of name: whether every check of that name passed */
  mb_value *lines;    /* log, progress, finding and evidence text */
  mb_value *finished; /* data of the last event */
  int64_t cancel_at_call, call_count;
} observation;

static void add_text(mb_arena *arena, mb_value *list, const char *text) {
  mb_value *item = mb_list_add(arena, list);
  if (item != NULL) {
    (void)mb_value_set_string(arena, item, text);
  }
}

static void observe_call(observation *seen, const mb_value *data) {
  const char *name = mb_value_string(mb_map_get(data, "operation"));
  size_t count = mb_value_count(seen->calls);
  const char *last = count == 0 ? "" : mb_value_string(mb_list_at(seen->calls, count - 1));
  if (strcmp(last, name) != 0) {
    add_text(seen->arena, seen->calls, name);
  }
  if (strcmp(mb_value_string(mb_map_get(data, "effect")), "reads") != 0) {
    add_text(seen->arena, seen->writes, name);
  }
  if (++seen->call_count == seen->cancel_at_call) {
    mb_run_cancel(seen->run);
  }
}

static void observe_check(observation *seen, const mb_value *data) {
  const char *name = mb_value_string(mb_map_get(data, "name"));
  const mb_value *before = mb_map_get(seen->checks, name);
  bool ok =
      mb_value_boolean(mb_map_get(data, "ok")) && (before == NULL || mb_value_boolean(before));
  mb_value *put = mb_map_put(seen->arena, seen->checks, name);
  if (put != NULL) {
    mb_value_set_boolean(put, ok);
  }
}

static void add_lines(observation *seen, const mb_value *lines) {
  for (size_t i = 0; i < mb_value_count(lines); i++) {
    add_text(seen->arena, seen->lines, mb_value_string(mb_list_at(lines, i)));
  }
}

static void observe(const mb_event *event, void *payload) {
  observation *seen = payload;
  switch (event->type) {
  case MB_EVENT_CALL_STARTED:
    observe_call(seen, event->data);
    break;
  case MB_EVENT_STEP_STARTED:
    add_text(seen->arena, seen->steps, mb_value_string(mb_map_get(event->data, "name")));
    break;
  case MB_EVENT_CHECK:
    observe_check(seen, event->data);
    add_text(seen->arena, seen->lines, mb_value_string(mb_map_get(event->data, "message")));
    break;
  case MB_EVENT_LOG:
  case MB_EVENT_PROGRESS:
    add_text(seen->arena, seen->lines, mb_value_string(mb_map_get(event->data, "message")));
    break;
  case MB_EVENT_FINDING:
    add_text(seen->arena, seen->lines, mb_value_string(mb_map_get(event->data, "cause")));
    break;
  case MB_EVENT_RUN_FINISHED:
    (void)mb_value_copy(seen->arena, seen->finished, event->data);
    add_lines(seen, mb_map_get(event->data, "evidence"));
    break;
  default:
    break;
  }
}

/* ---- one spec ----------------------------------------------------------------------------------
 */

typedef struct runbook_spec {
  mb_arena *arena;
  const char *runbook;
  const mb_value *data;
  char problem[4000];
} runbook_spec;

static void fail(runbook_spec *spec, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void fail(runbook_spec *spec, const char *format, ...) {
  va_list arguments;
  if (spec->problem[0] != 0) {
    return;
  }
  va_start(arguments, format);
  vsnprintf(spec->problem, sizeof spec->problem, format, arguments);
  va_end(arguments);
}

static const mb_value *expected(const runbook_spec *spec, const char *field) {
  return mb_map_get(mb_map_get(spec->data, "expect"), field);
}

static void compare(runbook_spec *spec, const char *what, const mb_value *got) {
  const mb_value *wanted = expected(spec, what);
  if (wanted == NULL || (mb_value_count(wanted) == 0 && mb_value_count(got) == 0)) {
    return;
  }
  if (!mb_value_equal(got, wanted)) {
    fail(spec, "%s: got %s, expected %s", what, mb_value_to_json(spec->arena, got, 0, true),
         mb_value_to_json(spec->arena, wanted, 0, true));
  }
}

static void compare_lines(runbook_spec *spec, const mb_value *lines) {
  const mb_value *wanted = expected(spec, "lines");
  for (size_t i = 0; i < mb_value_count(wanted); i++) {
    const char *text = mb_value_string(mb_list_at(wanted, i));
    bool found = false;
    for (size_t k = 0; k < mb_value_count(lines); k++) {
      found = found || strstr(mb_value_string(mb_list_at(lines, k)), text) != NULL;
    }
    if (!found) {
      fail(spec, "no line says \"%s\"; the lines are %s", text,
           mb_value_to_json(spec->arena, lines, 0, true));
    }
  }
}

static void compare_text(runbook_spec *spec, const char *what, const char *got) {
  const mb_value *wanted = expected(spec, what);
  if (wanted != NULL && strstr(got, mb_value_string(wanted)) == NULL) {
    fail(spec, "%s: \"%s\" does not say \"%s\"", what, got, mb_value_string(wanted));
  }
}

static void compare_verdict(runbook_spec *spec, mb_verdict verdict, const char *message) {
  const char *wanted = mb_value_string(expected(spec, "verdict"));
  const mb_value *exit_code = expected(spec, "exit_code");
  if (strcmp(mb_verdict_name(verdict), wanted) != 0) {
    fail(spec, "verdict: got %s (%s), expected %s", mb_verdict_name(verdict), message, wanted);
  }
  if (exit_code == NULL || mb_value_integer(exit_code) != mb_verdict_exit_code(verdict)) {
    fail(spec, "exit_code: got %d, the spec says %lld", mb_verdict_exit_code(verdict),
         (long long)mb_value_integer(exit_code));
  }
  compare_text(spec, "message", message);
}

static void compare_seconds(runbook_spec *spec, double seconds) {
  const mb_value *least = expected(spec, "seconds_at_least");
  const mb_value *most = expected(spec, "seconds_at_most");
  if (least != NULL && seconds < mb_value_number(least)) {
    fail(spec, "it took %.1f virtual seconds, expected at least %.1f", seconds,
         mb_value_number(least));
  }
  if (most != NULL && seconds > mb_value_number(most)) {
    fail(spec, "it took %.1f virtual seconds, expected at most %.1f", seconds,
         mb_value_number(most));
  }
}

static void compare_run(runbook_spec *spec, const observation *seen, mb_run *run, double seconds) {
  compare_verdict(spec, mb_run_verdict(run), mb_run_message(run));
  compare(spec, "checks", seen->checks);
  compare(spec, "calls", seen->calls);
  compare(spec, "writes", seen->writes);
  compare(spec, "steps", seen->steps);
  compare(spec, "cause", mb_map_get(seen->finished, "cause"));
  compare_lines(spec, seen->lines);
  compare_text(spec, "error", mb_run_error(run)->message);
  compare_text(spec, "where", mb_run_error(run)->where);
  compare_seconds(spec, seconds);
  const mb_value *result = expected(spec, "result");
  if (result != NULL && !value_contains(mb_run_result(run), result)) {
    fail(spec, "result: got %s", mb_value_to_json(spec->arena, mb_run_result(run), 0, true));
  }
  const char *told = mb_value_string(mb_map_get(seen->finished, "verdict"));
  if (strcmp(told, mb_verdict_name(mb_run_verdict(run))) != 0) {
    fail(spec, "the last event says %s", told);
  }
}

static bool answer_no(const mb_value *plan, const mb_value *changes, const char *phrase,
                      void *payload) {
  const char **seen = payload;
  *seen = phrase;
  return false;
}

static mb_run_options run_options(const runbook_spec *spec, observation *seen,
                                  const char **phrase) {
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  const mb_value *environment = mb_map_get(spec->data, "environment");
  const char *confirm = mb_value_string(mb_map_get(spec->data, "confirm"));
  options.runbook = spec->runbook;
  options.args = mb_map_get(spec->data, "args");
  options.environment = environment == NULL ? NULL : mb_value_string(environment);
  options.plan_only = mb_value_boolean(mb_map_get(spec->data, "plan_only"));
  options.undo = mb_value_boolean(mb_map_get(spec->data, "undo"));
  options.timeout_seconds = mb_value_number(mb_map_get(spec->data, "timeout"));
  /* confirm: absent says yes; "no" says no; "nobody" has nobody to ask. */
  options.assume_yes = *confirm == 0;
  options.confirm = strcmp(confirm, "no") == 0 ? answer_no : NULL;
  options.confirm_payload = phrase;
  options.on_event = observe;
  options.event_payload = seen;
  return options;
}

static void execute(runbook_spec *spec, mb_host *host, fake_machine *fake) {
  observation seen = {.arena = spec->arena,
                      .calls = mb_value_new_list(spec->arena),
                      .writes = mb_value_new_list(spec->arena),
                      .steps = mb_value_new_list(spec->arena),
                      .checks = mb_value_new_map(spec->arena),
                      .lines = mb_value_new_list(spec->arena),
                      .finished = mb_value_new_map(spec->arena),
                      .cancel_at_call = mb_value_integer(mb_map_get(spec->data, "cancel_at_call"))};
  const char *phrase = NULL;
  mb_run_options options = run_options(spec, &seen, &phrase);
  mb_error error;
  mb_error_clear(&error);
  int64_t before = fake->monotonic_ns;
  if (mb_run_new(&seen.run, host, &options, &error) != 0) {
    compare_verdict(spec, mb_verdict_of_error(&error), error.message);
    return;
  }
  mb_run_execute(seen.run);
  compare_run(spec, &seen, seen.run, (double)(fake->monotonic_ns - before) / 1e9);
  if (phrase != NULL) {
    compare_text(spec, "phrase", phrase);
  } else if (expected(spec, "phrase") != NULL) {
    fail(spec, "nothing had to be typed");
  }
  mb_run_free(seen.run);
}

static void set_up_machine(fake_machine *fake, const runbook_spec *spec) {
  const mb_value *settings = mb_map_get(spec->data, "settings");
  fake_init(fake);
  fake->random_counts = true;
  fake_setenv(fake, "AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
  fake_setenv(fake, "AWS_SECRET_ACCESS_KEY", "example");
  fake_setenv(fake, "AWS_REGION", "eu-west-1");
  if (settings != NULL) {
    fake_write_file(fake, "/project/moonbook.lua", mb_value_string(settings));
  }
}

static void run_spec(runbook_spec *spec, const mb_value *path) {
  fake_machine fake;
  scripted_aws aws;
  mb_host *host = NULL;
  mb_error error;
  mb_error_clear(&error);
  set_up_machine(&fake, spec);
  scripted_init(&aws, &fake, spec->arena, mb_map_get(spec->data, "answers"));
  mb_host_options options = MB_HOST_OPTIONS_INIT;
  options.system = &fake.system;
  options.settings = mb_map_get(spec->data, "settings") == NULL ? "" : "/project/moonbook.lua";
  options.runbook_path = path == NULL ? "" : mb_value_string(path);
  if (mb_host_new(&host, &options, &error) != 0) {
    fail(spec, "no host: %s", error.message);
  } else {
    execute(spec, host, &fake);
  }
  scripted_finish(&aws);
  if (aws.problem[0] != 0 && spec->problem[0] == 0) {
    fail(spec, "%s", aws.problem);
  } else if (aws.problem[0] != 0) {
    size_t used = strlen(spec->problem);
    snprintf(spec->problem + used, sizeof spec->problem - used, "; %s", aws.problem);
  }
  mb_host_free(host);
  fake_dispose(&fake);
}

/* ---- files of specs ----------------------------------------------------------------------------
 */

typedef struct spec_file {
  mb_arena *arena;
  const char *runbook;
  const mb_value *path;  /* of runbooks, or NULL: the stock ones */
  const mb_value *specs; /* list */
} spec_file;

static int read_file(spec_file *out, mb_arena *arena, const char *name) {
  mb_system system;
  char *text = NULL;
  size_t size = 0;
  mb_value *data = NULL;
  mb_error error;
  mb_system_complete(&system, NULL);
  mb_error_clear(&error);
  if (mb_read_file(&system, arena, name, 64 * 1024, &text, &size, &error) != 0 ||
      mb_script_read_data(arena, name, text, size, &data, &error) != 0) {
    printf("Bail out! %s\n", error.message);
    return -1;
  }
  *out = (spec_file){arena, mb_value_string(mb_map_get(data, "runbook")), mb_map_get(data, "path"),
                     mb_map_get(data, "specs")};
  if (*out->runbook == 0 || mb_value_count(out->specs) == 0) {
    printf("Bail out! %s: needs `runbook` and `specs`\n", name);
    return -1;
  }
  return 0;
}

static int run_file(const char *name, int *number) {
  spec_file file;
  int failed = 0;
  mb_arena *arena = mb_arena_new(0);
  if (arena == NULL || read_file(&file, arena, name) != 0) {
    mb_arena_free(arena);
    return 1;
  }
  for (size_t i = 0; i < mb_value_count(file.specs); i++) {
    runbook_spec spec = {
        .arena = arena, .runbook = file.runbook, .data = mb_list_at(file.specs, i)};
    const char *title = mb_value_string(mb_map_get(spec.data, "name"));
    run_spec(&spec, file.path);
    printf("%sok %d - %s: %s\n", spec.problem[0] == 0 ? "" : "not ", ++*number, file.runbook,
           title);
    if (spec.problem[0] != 0) {
      printf("#   %s\n", spec.problem);
      failed++;
    }
  }
  mb_arena_free(arena);
  return failed;
}

int main(int count, char **arguments) {
  int number = 0;
  int failed = 0;
  if (count < 2) {
    fprintf(stderr, "runbook_specs FILE...\n");
    return 2;
  }
  for (int i = 1; i < count; i++) {
    failed += run_file(arguments[i], &number);
  }
  printf("1..%d\n", number);
  return failed == 0 ? 0 : 1;
}
