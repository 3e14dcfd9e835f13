/* Building and sending events. */
#include "run/run_internal.h"

#include "base/system.h"

#include <string.h>

static const struct {
  mb_event_type type;
  const char *name;
} event_types[] = {
    {MB_EVENT_RUN_STARTED, "run_started"},
    {MB_EVENT_PHASE_STARTED, "phase_started"},
    {MB_EVENT_PHASE_FINISHED, "phase_finished"},
    {MB_EVENT_PLAN_READY, "plan_ready"},
    {MB_EVENT_STEP_STARTED, "step_started"},
    {MB_EVENT_STEP_FINISHED, "step_finished"},
    {MB_EVENT_CALL_STARTED, "call_started"},
    {MB_EVENT_CALL_FINISHED, "call_finished"},
    {MB_EVENT_CHECK, "check"},
    {MB_EVENT_PROGRESS, "progress"},
    {MB_EVENT_LOG, "log"},
    {MB_EVENT_TABLE, "table"},
    {MB_EVENT_FINDING, "finding"},
    {MB_EVENT_RUN_FINISHED, "run_finished"},
};

const char *mb_event_type_name(mb_event_type type) {
  for (size_t i = 0; i < sizeof event_types / sizeof event_types[0]; i++) {
    if (event_types[i].type == type) {
      return event_types[i].name;
    }
  }
  return "unknown";
}

/* ---- drafts ------------------------------------------------------------------------------------
 */

void mb_event_open(mb_event_draft *draft, mb_run *run) {
  *draft = (mb_event_draft){.run = run};
  if (run->options.on_event == NULL) {
    return;
  }
  draft->arena = mb_arena_new(0);
  draft->data = draft->arena == NULL ? NULL : mb_value_new_map(draft->arena);
  draft->failed = draft->data == NULL;
}

/* The place of a new field; NULL when nobody listens or memory has run out. */
static mb_value *put_field(mb_event_draft *draft, const char *key) {
  if (draft->data == NULL || draft->failed) {
    return NULL;
  }
  mb_value *value = mb_map_put(draft->arena, draft->data, key);
  draft->failed = value == NULL;
  return value;
}

void mb_event_text(mb_event_draft *draft, const char *key, const char *text) {
  mb_value *value = text == NULL ? NULL : put_field(draft, key);
  if (value != NULL && mb_value_set_string(draft->arena, value, text) != 0) {
    draft->failed = true;
  }
}

void mb_event_integer(mb_event_draft *draft, const char *key, int64_t integer) {
  mb_value *value = put_field(draft, key);
  if (value != NULL) {
    mb_value_set_integer(value, integer);
  }
}

void mb_event_number(mb_event_draft *draft, const char *key, double number) {
  mb_value *value = put_field(draft, key);
  if (value != NULL) {
    mb_value_set_number(value, number);
  }
}

void mb_event_boolean(mb_event_draft *draft, const char *key, bool boolean) {
  mb_value *value = put_field(draft, key);
  if (value != NULL) {
    mb_value_set_boolean(value, boolean);
  }
}

void mb_event_value(mb_event_draft *draft, const char *key, const mb_value *from) {
  mb_value *value = from == NULL ? NULL : put_field(draft, key);
  if (value != NULL && mb_value_copy(draft->arena, value, from) != 0) {
    draft->failed = true;
  }
}

static int put_number(mb_arena *arena, mb_value *out, const char *key, int64_t number) {
  mb_value *value = number == 0 ? NULL : mb_map_put(arena, out, key);
  if (value != NULL) {
    mb_value_set_integer(value, number);
  }
  return number != 0 && value == NULL ? -1 : 0;
}

int mb_error_to_value(mb_arena *arena, mb_value *out, const mb_error *error) {
  const struct {
    const char *key, *text;
  } texts[] = {{"kind", mb_error_kind_name(error->kind)},
               {"code", error->code},
               {"message", error->message},
               {"next", error->next},
               {"operation", error->operation},
               {"where", error->where},
               {"region", error->region},
               {"endpoint", error->endpoint},
               {"request_id", error->request_id}};
  mb_value_set_map(out);
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    if (*texts[i].text != 0 && mb_put_text(arena, out, texts[i].key, texts[i].text) != 0) {
      return -1;
    }
  }
  if (put_number(arena, out, "status", error->status) != 0 ||
      put_number(arena, out, "attempts", error->attempts) != 0) {
    return -1;
  }
  mb_value *retryable = mb_map_put(arena, out, "retryable");
  if (retryable == NULL) {
    return -1;
  }
  mb_value_set_boolean(retryable, error->retryable);
  return 0;
}

void mb_event_error(mb_event_draft *draft, const char *key, const mb_error *error) {
  mb_value *value = error == NULL || error->kind == MB_OK ? NULL : put_field(draft, key);
  if (value != NULL && mb_error_to_value(draft->arena, value, error) != 0) {
    draft->failed = true;
  }
}

void mb_event_ending(mb_event_draft *draft) {
  const mb_ending *end = &draft->run->end;
  mb_event_text(draft, "verdict", mb_verdict_name(end->verdict));
  mb_event_integer(draft, "exit_code", mb_verdict_exit_code(end->verdict));
  mb_event_text(draft, "message", end->message);
  mb_event_text(draft, "cause", end->cause);
  mb_event_value(draft, "evidence", end->evidence);
  mb_event_value(draft, "details", end->details);
  mb_event_error(draft, "error", &end->error);
}

void mb_event_send(mb_event_draft *draft, mb_event_type type) {
  mb_run *run = draft->run;
  if (run->options.on_event == NULL) {
    return;
  }
  run->sequence++;
  if (draft->failed) {
    run->event_lost = true;
  } else {
    mb_event event = {.type = type,
                      .wall_ns = mb_wall_ns(&run->engine->system),
                      .sequence = run->sequence,
                      .data = draft->data};
    run->options.on_event(&event, run->options.event_payload);
  }
  mb_arena_free(draft->arena);
  draft->arena = NULL;
}

/* ---- the first and the last --------------------------------------------------------------------
 */

static void add_target(mb_event_draft *draft, mb_run *run) {
  mb_value *target = put_field(draft, "target");
  if (target == NULL) {
    return;
  }
  mb_value_set_map(target);
  const char *endpoint = run->host->options.endpoint_url;
  if (endpoint == NULL) {
    const mb_value *given = mb_map_get(run->environment, "endpoint_url");
    endpoint = given == NULL ? NULL : mb_value_string(given);
  }
  const mb_value *region = mb_map_get(run->info, "region");
  if (mb_put_text(draft->arena, target, "region",
                  region == NULL ? NULL : mb_value_string(region)) != 0 ||
      mb_put_text(draft->arena, target, "endpoint", endpoint) != 0) {
    draft->failed = true;
  }
}

static bool is_default(mb_arena *arena, const mb_value *value, const mb_arg *arg) {
  if (arg->default_value == NULL) {
    return false;
  }
  const char *is = mb_value_to_json(arena, value, 0, true);
  const char *was = mb_value_to_json(arena, arg->default_value, 0, true);
  return is != NULL && was != NULL && strcmp(is, was) == 0;
}

/* What is known of each argument that has a value, so that a listener can write it as a person
 * would and leave out what is as always. */
static void add_arguments(mb_event_draft *draft, const mb_run *run) {
  mb_value *list = put_field(draft, "arguments");
  if (list == NULL) {
    return;
  }
  mb_value_set_list(list);
  for (size_t i = 0; i < run->manifest.arg_count; i++) {
    const mb_arg *arg = &run->manifest.args[i];
    const mb_value *value = mb_map_get(run->args, arg->name);
    if (value == NULL) {
      continue;
    }
    mb_value *item = mb_list_add(draft->arena, list);
    if (item == NULL) {
      draft->failed = true;
      return;
    }
    mb_value_set_map(item);
    mb_value *flag = NULL;
    if (mb_put_text(draft->arena, item, "name", arg->name) != 0 ||
        mb_put_text(draft->arena, item, "type", arg->type_name) != 0 ||
        (flag = mb_map_put(draft->arena, item, "is_default")) == NULL) {
      draft->failed = true;
      return;
    }
    mb_value_set_boolean(flag, is_default(draft->arena, value, arg));
  }
}

void mb_run_tell_started(mb_run *run) {
  mb_event_draft draft;
  mb_event_open(&draft, run);
  mb_event_text(&draft, "run", run->id);
  mb_event_text(&draft, "runbook", run->manifest.name);
  mb_event_text(&draft, "version", run->manifest.version);
  mb_event_text(&draft, "summary", run->manifest.summary);
  mb_event_text(&draft, "kind", run->manifest.kind);
  mb_event_text(&draft, "effect", mb_effect_name(run->manifest.effect));
  mb_event_value(&draft, "environment", mb_map_get(run->info, "environment"));
  mb_event_value(&draft, "args", run->args);
  add_arguments(&draft, run);
  add_target(&draft, run);
  mb_event_send(&draft, MB_EVENT_RUN_STARTED);
}

/* What the end itself names; else, when a write was begun and it ended badly, what the plan named.
 */
static const mb_value *next_commands(mb_run *run) {
  bool left_behind = atomic_load(&run->writes) > 0 && mb_verdict_exit_code(run->end.verdict) != 0 &&
                     run->end.verdict != MB_VERDICT_FAILED_UNDONE;
  return run->end.next == NULL && left_behind ? run->next_after_writes : run->end.next;
}

void mb_run_tell_finished(mb_run *run) {
  mb_event_draft draft;
  if (run->told_finished) {
    return;
  }
  double seconds = (double)(mb_monotonic_ns(&run->engine->system) - run->started_ns) / 1e9;
  mb_event_open(&draft, run);
  mb_event_ending(&draft);
  mb_event_number(&draft, "seconds", seconds);
  mb_event_integer(&draft, "calls", (int64_t)run->calls);
  mb_event_value(&draft, "result", run->result);
  mb_event_text(&draft, "undo", run->undo);
  mb_event_error(&draft, "undo_error", &run->undo_error);
  mb_value *next = put_field(&draft, "next");
  const mb_value *commands = next_commands(run);
  if (next != NULL) {
    mb_value_set_list(next);
    if (commands != NULL && mb_value_copy(draft.arena, next, commands) != 0) {
      draft.failed = true;
    }
  }
  run->told_finished = !draft.failed;
  mb_event_send(&draft, MB_EVENT_RUN_FINISHED);
}
