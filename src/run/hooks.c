/* What the host decides and hears while Lua code runs: which primitives may be called and when,
 * steps, checks, and everything that becomes an event. */
#include "run/run_internal.h"

#include <stdio.h>
#include <string.h>

/* ---- permission --------------------------------------------------------------------------------
 */

static int refuse(mb_error *error, const char *code, const char *where, const char *text,
                  const char *next) {
  mb_error_set(error, MB_ERROR_REFUSED, code, "%s", text);
  if (error != NULL && where != NULL) {
    size_t size = strlen(where);
    size = size < sizeof error->where - 1 ? size : sizeof error->where - 1;
    memcpy(error->where, where, size);
    error->where[size] = 0;
  }
  return mb_error_next(error, "%s", next);
}

static int refuse_undeclared(const mb_run *run, const mb_primitive *primitive, const char *where,
                             mb_error *error) {
  char text[400];
  char next[400];
  snprintf(text, sizeof text, "%s does not declare %s in its `uses`", run->manifest.name,
           primitive->name);
  snprintf(next, sizeof next, "Add \"%s\" to `uses` in %s, if it is meant to.", primitive->name,
           run->manifest.file);
  return refuse(error, "UndeclaredPrimitive", where, text, next);
}

/* Where changes are made, each in a step. */
static bool may_change(const mb_run *run) {
  return run->phase == MB_PHASE_APPLY || run->phase == MB_PHASE_UNDO;
}

static int permit_write(const mb_run *run, const mb_primitive *primitive, int step,
                        const char *where, mb_error *error) {
  char text[400];
  if (run->options.plan_only) {
    snprintf(text, sizeof text, "%s %s, and this run only plans", primitive->name,
             mb_effect_name(primitive->effect));
    return refuse(error, "WriteInPlan", where, text, "Leave out --plan to let it write.");
  }
  if (!may_change(run)) {
    snprintf(text, sizeof text, "%s %s, and %s() may only read", primitive->name,
             mb_effect_name(primitive->effect), mb_phase_name(run->phase));
    return refuse(error, "WriteOutsideApply", where, text,
                  "Move it into a step of apply() or undo().");
  }
  if (step == 0) {
    snprintf(text, sizeof text, "%s %s, and it is called outside a step", primitive->name,
             mb_effect_name(primitive->effect));
    return refuse(error, "WriteOutsideStep", where, text,
                  "Put it into step(\"What it does\", function() ... end).");
  }
  return 0;
}

static int permit(void *payload, const mb_binding *binding, const mb_value *args, int step,
                  const char *where, mb_arena *arena, const mb_value **instead, mb_error *error) {
  const mb_run *run = payload;
  const mb_primitive *primitive = &binding->primitive;
  if (!mb_manifest_allows(&run->manifest, primitive)) {
    return refuse_undeclared(run, primitive, where, error);
  }
  if (primitive->effect != MB_EFFECT_READS) {
    return permit_write(run, primitive, step, where, error);
  }
  return 0;
}

/* ---- calls -------------------------------------------------------------------------------------
 */

static void call_started(void *payload, uint64_t call, const mb_binding *binding,
                         const mb_value *args, const char *where) {
  mb_run *run = payload;
  mb_event_draft draft;
  run->calls++;
  run->last_call = call + run->call_offset;
  if (binding->primitive.effect != MB_EFFECT_READS) {
    atomic_fetch_add(&run->writes, 1);
    run->writes_in_flight++;
  }
  mb_event_open(&draft, run);
  mb_event_integer(&draft, "call", (int64_t)run->last_call);
  mb_event_text(&draft, "operation", binding->primitive.name);
  mb_event_text(&draft, "effect", mb_effect_name(binding->primitive.effect));
  mb_event_value(&draft, "args", args);
  mb_event_text(&draft, "where", where);
  mb_event_send(&draft, MB_EVENT_CALL_STARTED);
}

static void call_finished(void *payload, uint64_t call, const mb_binding *binding, double seconds,
                          int attempts, const char *request_id, const mb_error *error) {
  mb_run *run = payload;
  mb_event_draft draft;
  if (binding->primitive.effect != MB_EFFECT_READS) {
    run->writes_in_flight--;
  }
  mb_event_open(&draft, run);
  mb_event_integer(&draft, "call", (int64_t)(call + run->call_offset));
  mb_event_text(&draft, "operation", binding->primitive.name);
  mb_event_text(&draft, "effect", mb_effect_name(binding->primitive.effect));
  mb_event_boolean(&draft, "ok", error == NULL);
  mb_event_number(&draft, "seconds", seconds);
  mb_event_integer(&draft, "attempts", attempts);
  if (request_id != NULL && *request_id != 0) {
    mb_event_text(&draft, "request_id", request_id);
  }
  mb_event_error(&draft, "error", error);
  mb_event_send(&draft, MB_EVENT_CALL_FINISHED);
}

/* ---- steps and checks --------------------------------------------------------------------------
 */

static int step_begin(void *payload, const char *name, const char *where, mb_error *error) {
  mb_run *run = payload;
  mb_event_draft draft;
  if (!may_change(run)) {
    char text[300];
    snprintf(text, sizeof text, "step(\"%s\") is in %s(), and steps belong in apply() and undo()",
             name, mb_phase_name(run->phase));
    return refuse(error, "StepOutsideApply", where, text,
                  "Read without a step, or move the step into apply().");
  }
  mb_value *entry = mb_list_add(run->arena, run->step_log);
  if (entry == NULL) {
    return mb_error_memory(error);
  }
  mb_value_set_map(entry);
  if (mb_put_text(run->arena, entry, "name", name) != 0) {
    return mb_error_memory(error);
  }
  run->steps++;
  mb_event_open(&draft, run);
  mb_event_integer(&draft, "step", run->steps);
  mb_event_text(&draft, "name", name);
  mb_event_text(&draft, "where", where);
  mb_event_send(&draft, MB_EVENT_STEP_STARTED);
  return run->steps;
}

static void step_end(void *payload, int step, const char *name, double seconds,
                     const mb_error *error) {
  mb_run *run = payload;
  mb_event_draft draft;
  mb_value *entry = step > 0 ? mb_list_at(run->step_log, (size_t)step - 1) : NULL;
  bool stopped = error != NULL && error->kind == MB_ERROR_CANCELLED;
  mb_value *ok = entry == NULL || stopped ? NULL : mb_map_put(run->arena, entry, "ok");
  if (ok != NULL) {
    mb_value_set_boolean(ok, error == NULL);
  } else if (!stopped) { /* a step that was stopped has neither been done nor failed */
    run->event_lost = true;
  }
  mb_event_open(&draft, run);
  mb_event_integer(&draft, "step", step);
  mb_event_text(&draft, "name", name);
  mb_event_number(&draft, "seconds", seconds);
  mb_event_boolean(&draft, "ok", error == NULL);
  mb_event_error(&draft, "error", error);
  mb_event_send(&draft, MB_EVENT_STEP_FINISHED);
}

static void note_failed_check(mb_run *run, const char *name) {
  mb_value *entry = mb_list_add(run->arena, run->failed_checks);
  run->checks_failed++;
  if (entry == NULL || mb_value_set_string(run->arena, entry, name) != 0) {
    run->event_lost = true;
  }
}

static void check(void *payload, const char *name, bool ok, const char *message,
                  const mb_value *evidence) {
  mb_run *run = payload;
  mb_event_draft draft;
  if (ok) {
    run->checks_passed++;
  } else {
    note_failed_check(run, name);
  }
  mb_event_open(&draft, run);
  mb_event_text(&draft, "name", name);
  mb_event_boolean(&draft, "ok", ok);
  mb_event_text(&draft, "message", message);
  mb_event_value(&draft, "evidence", evidence);
  mb_event_send(&draft, MB_EVENT_CHECK);
}

/* ---- words -------------------------------------------------------------------------------------
 */

static void write_log(void *payload, const char *level, const char *message,
                      const mb_value *fields) {
  mb_event_draft draft;
  mb_event_open(&draft, payload);
  mb_event_text(&draft, "level", level);
  mb_event_text(&draft, "message", message);
  mb_event_value(&draft, "fields", fields);
  mb_event_send(&draft, MB_EVENT_LOG);
}

static void progress(void *payload, const char *message, const mb_value *fields) {
  mb_event_draft draft;
  mb_event_open(&draft, payload);
  mb_event_text(&draft, "message", message);
  for (size_t i = 0; i < mb_value_count(fields); i++) {
    const char *key = mb_map_key_at(fields, i);
    if (key != NULL && strcmp(key, "message") != 0) {
      mb_event_value(&draft, key, mb_map_value_at(fields, i));
    }
  }
  mb_event_send(&draft, MB_EVENT_PROGRESS);
}

static void show_table(void *payload, const mb_value *columns, const mb_value *rows) {
  mb_event_draft draft;
  mb_event_open(&draft, payload);
  mb_event_value(&draft, "columns", columns);
  mb_event_value(&draft, "rows", rows);
  mb_event_send(&draft, MB_EVENT_TABLE);
}

/* ---- asking ------------------------------------------------------------------------------------
 */

bool mb_run_ask(mb_run *run, const mb_value *plan, const mb_value *changes, const char *phrase) {
  if (run->options.assume_yes) {
    return true;
  }
  if (run->options.confirm == NULL) {
    return false;
  }
  int64_t before = mb_loop_now(run->engine->loop);
  bool yes = run->options.confirm(plan, changes, phrase, run->options.confirm_payload);
  mb_run_extend(run, mb_loop_now(run->engine->loop) - before);
  return yes;
}

static bool ask_question(void *payload, const char *question) {
  mb_run *run = payload;
  mb_value *lines = mb_value_new_list(run->arena);
  mb_value *line = lines == NULL ? NULL : mb_list_add(run->arena, lines);
  if (line == NULL || mb_value_set_string(run->arena, line, question) != 0) {
    run->event_lost = true;
    return false;
  }
  return mb_run_ask(run, NULL, lines, NULL);
}

static int find_module(void *payload, const char *name, mb_arena *arena, const char **source,
                       size_t *size, const char **chunk_name, mb_error *error) {
  mb_run *run = payload;
  return mb_source_module(run->host->source, arena, &run->bundle, name, source, size, chunk_name,
                          error);
}

mb_script_hooks mb_run_hooks(mb_run *run) {
  return (mb_script_hooks){
      .payload = run,
      .permit = permit,
      .call_started = call_started,
      .call_finished = call_finished,
      .step_begin = step_begin,
      .step_end = step_end,
      .check = check,
      .log = write_log,
      .progress = progress,
      .table = show_table,
      .confirm = ask_question,
      .module = find_module,
  };
}
