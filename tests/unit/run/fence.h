/* A fence to look at and to paint: runs end to end, without AWS, on primitives of an embedder's own
 * that stand for reading and writing. For the test programs of this folder. */
#ifndef TESTS_UNIT_RUN_FENCE_H
#define TESTS_UNIT_RUN_FENCE_H

#include "support/fake_transport.h"

#include <moonbook/moonbook.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- the embedder's primitives -----------------------------------------------------------------
 */

static int writes_made;

static inline void start_look(mb_call *call, void *payload) {
  mb_value *result = mb_value_new_map(mb_call_arena(call));
  mb_value *colour = result == NULL ? NULL : mb_map_put(mb_call_arena(call), result, "colour");
  if (colour == NULL || mb_value_set_string(mb_call_arena(call), colour, "red") != 0) {
    mb_error error;
    mb_error_memory(&error);
    mb_call_fail(call, &error);
    return;
  }
  mb_call_succeed(call, result);
}

static inline void start_paint(mb_call *call, void *payload) {
  writes_made++;
  mb_call_succeed(call, NULL);
}

static inline void start_break(mb_call *call, void *payload) {
  mb_error error;
  mb_error_set(&error, MB_ERROR_DENIED, "AccessDenied", "no brush for you");
  mb_call_fail(call, &error);
}

static const mb_primitive look = {.name = "fence.look_at",
                                  .summary = "Says what colour the fence has",
                                  .results = "colour",
                                  .effect = MB_EFFECT_READS,
                                  .recovery = MB_RECOVERY_READ,
                                  .since = "0.1.0",
                                  .start = start_look};
static const mb_primitive paint = {.name = "fence.paint_it",
                                   .summary = "Paints the fence",
                                   .results = "nothing",
                                   .effect = MB_EFFECT_WRITES,
                                   .recovery = MB_RECOVERY_CONVERGE,
                                   .since = "0.1.0",
                                   .start = start_paint};
static const mb_primitive fail_to_paint = {.name = "fence.break_it",
                                           .summary = "Always fails",
                                           .results = "nothing",
                                           .effect = MB_EFFECT_WRITES,
                                           .recovery = MB_RECOVERY_CONVERGE,
                                           .since = "0.1.0",
                                           .start = start_break};

/* ---- one run -----------------------------------------------------------------------------------
 */

typedef struct run_trial {
  fake_machine fake;
  mb_host *host;
  mb_run *run;
  mb_error error;
  char log[8000]; /* one event type a line */
  mb_arena *arena;
  mb_value *finished; /* data of the last event */
  const char *cancel_at;
  int cancel_times; /* at that event; 0: once */
  int64_t calls;    /* begun; each must have the next number */
  int events_in_order;
  uint64_t sequence;
} run_trial;

static inline void note(const mb_event *event, void *payload) {
  run_trial *trial = payload;
  const char *name = mb_event_type_name(event->type);
  size_t used = strlen(trial->log);
  snprintf(trial->log + used, sizeof trial->log - used, "%s ", name);
  trial->events_in_order = trial->events_in_order && event->sequence == trial->sequence + 1;
  trial->sequence = event->sequence;
  if (event->type == MB_EVENT_RUN_FINISHED &&
      mb_value_copy(trial->arena, trial->finished, event->data) != 0) {
    fail();
  }
  if (event->type == MB_EVENT_CALL_STARTED) {
    assert_int_equal(mb_value_integer(mb_map_get(event->data, "call")), ++trial->calls);
  }
  if (trial->cancel_at != NULL && strcmp(name, trial->cancel_at) == 0) {
    int times = trial->cancel_times > 0 ? trial->cancel_times : 1;
    while (times-- > 0) {
      mb_run_cancel(trial->run);
    }
  }
}

#define MANIFEST_WRITES                                                                            \
  "return { name = \"paint/fence\", version = \"1.0.0\", moonbook = 1, summary = \"Paint\","       \
  "kind = \"maintain\", effect = \"writes\", uses = { \"fence.look_at\", \"fence.paint_it\","      \
  "\"fence.break_it\" }, changes = { \"Paints the fence\" } }"
#define MANIFEST_READS(kind, uses)                                                                 \
  "return { name = \"paint/fence\", version = \"1.0.0\", moonbook = 1, summary = \"Look\","        \
  "kind = \"" kind "\", effect = \"reads\", uses = { " uses " } }"

static inline void set_up(run_trial *trial, const char *manifest, const char *runbook) {
  memset(trial, 0, sizeof *trial);
  trial->events_in_order = 1;
  trial->arena = mb_arena_new(0);
  trial->finished = mb_value_new_map(trial->arena);
  writes_made = 0;
  fake_init(&trial->fake);
  fake_setenv(&trial->fake, "AWS_REGION", "eu-west-1");
  fake_write_file(&trial->fake, "/books/paint/fence/v1/manifest.lua", manifest);
  fake_write_file(&trial->fake, "/books/paint/fence/v1/runbook.lua", runbook);
  mb_host_options options = MB_HOST_OPTIONS_INIT;
  options.system = &trial->fake.system;
  options.settings = "";
  options.runbook_path = "/books";
  if (mb_host_new(&trial->host, &options, &trial->error) != 0 ||
      mb_host_add_primitive(trial->host, &look, NULL, &trial->error) != 0 ||
      mb_host_add_primitive(trial->host, &paint, NULL, &trial->error) != 0 ||
      mb_host_add_primitive(trial->host, &fail_to_paint, NULL, &trial->error) != 0) {
    fail_msg("%s", trial->error.message);
  }
}

static inline void execute(run_trial *trial, mb_run_options options) {
  options.runbook = "paint/fence";
  options.on_event = note;
  options.event_payload = trial;
  if (mb_run_new(&trial->run, trial->host, &options, &trial->error) != 0) {
    fail_msg("%s %s", trial->error.message, trial->error.next);
  }
  mb_run_execute(trial->run);
  assert_true(trial->events_in_order);
}

static inline void tear_down(run_trial *trial) {
  mb_run_free(trial->run);
  mb_host_free(trial->host);
  mb_arena_free(trial->arena);
  fake_dispose(&trial->fake);
}

/* A field of the last event, as JSON; "null" when it is not there. */
static inline const char *told(const run_trial *trial, const char *field) {
  return mb_value_to_json(trial->arena, mb_map_get(trial->finished, field), 0, false);
}

/* Runs it with yes to everything and compares the verdict and a part of the message. */
static inline void expect(const char *manifest, const char *runbook, mb_verdict verdict,
                          const char *message) {
  run_trial trial;
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.assume_yes = true;
  set_up(&trial, manifest, runbook);
  execute(&trial, options);
  const char *said = mb_run_message(trial.run);
  if (mb_run_verdict(trial.run) != verdict || strstr(said, message) == NULL) {
    fail_msg("got %s: %s (%s)\nexpected %s: %s", mb_verdict_name(mb_run_verdict(trial.run)), said,
             mb_run_error(trial.run)->where, mb_verdict_name(verdict), message);
  }
  tear_down(&trial);
}

#define BOOK(body) "local r = {}\n" body "\nreturn r\n"

#endif
