/* The phases of a run, in order: plan, confirm, apply, verify, diagnose; and undo, if it must be.
 */
#include "run/run_internal.h"

#include "run/fields.h"

#include <stdio.h>
#include <string.h>

const char *mb_phase_name(mb_phase phase) {
  switch (phase) {
  case MB_PHASE_NONE:
    break;
  case MB_PHASE_PLAN:
    return "plan";
  case MB_PHASE_APPLY:
    return "apply";
  case MB_PHASE_VERIFY:
    return "verify";
  case MB_PHASE_DIAGNOSE:
    return "diagnose";
  case MB_PHASE_UNDO:
    return "undo";
  }
  return "loading";
}

/* ---- time and cancellation ---------------------------------------------------------------------
 */

static void time_is_up(void *payload) {
  mb_run *run = payload;
  run->timer = NULL;
  run->timed_out = true;
  /* A write whose answer is still to come is waited for: its own deadline bounds it. */
  mb_script_stop(atomic_load(&run->script), run->writes_in_flight == 0);
}

static int start_timer(mb_run *run, mb_error *error) {
  if (run->deadline_ns == INT64_MAX) {
    return 0;
  }
  run->timer = mb_loop_timer(run->engine->loop, run->deadline_ns, time_is_up, run);
  return run->timer == NULL ? mb_error_memory(error) : 0;
}

void mb_run_extend(mb_run *run, int64_t nanoseconds) {
  if (run->deadline_ns == INT64_MAX) {
    return;
  }
  run->deadline_ns += nanoseconds;
  if (run->timer == NULL) {
    return;
  }
  mb_timer *later = mb_loop_timer(run->engine->loop, run->deadline_ns, time_is_up, run);
  if (later != NULL) { /* else the earlier end stays: no memory is no reason to run on */
    mb_timer_cancel(run->timer);
    run->timer = later;
  }
}

static void stop_timer(mb_run *run) {
  mb_timer_cancel(run->timer);
  run->timer = NULL;
}

/* Ends the run when it was cancelled while no Lua code ran. */
static bool is_cancelled(mb_run *run) {
  if (atomic_load(&run->cancels) == 0 || run->end.verdict != MB_VERDICT_NONE) {
    return run->end.verdict != MB_VERDICT_NONE;
  }
  mb_error error;
  mb_error_set(&error, MB_ERROR_CANCELLED, "Cancelled", "the run was cancelled");
  mb_run_end_error(run, &error);
  return true;
}

/* ---- one phase ---------------------------------------------------------------------------------
 */

static void tell_phase(mb_run *run, mb_event_type type, int64_t since_ns) {
  mb_event_draft draft;
  mb_event_open(&draft, run);
  mb_event_text(&draft, "phase", mb_phase_name(run->phase));
  if (run->phase == MB_PHASE_UNDO && type == MB_EVENT_PHASE_STARTED) {
    mb_event_text(&draft, "verdict", mb_verdict_name(run->before_undo.verdict));
    mb_event_text(&draft, "message",
                  run->before_undo.sentence != NULL ? run->before_undo.sentence
                                                    : run->before_undo.message);
  }
  if (type == MB_EVENT_PHASE_FINISHED) {
    mb_event_number(&draft, "seconds", (double)(mb_loop_now(run->engine->loop) - since_ns) / 1e9);
  }
  mb_event_send(&draft, type);
}

int mb_run_call_phase(mb_run *run, mb_phase phase, size_t arg_count, const mb_value **result) {
  const mb_value *args[3] = {run->args, run->plan, run->applied};
  mb_error error;
  mb_error_clear(&error);
  *result = NULL;
  run->phase = phase;
  int64_t since = mb_loop_now(run->engine->loop);
  tell_phase(run, MB_EVENT_PHASE_STARTED, since);
  int status = start_timer(run, &error);
  if (status == 0) {
    status = mb_script_call(atomic_load(&run->script), mb_phase_name(phase), run->info, args,
                            arg_count, run->arena, result, &error);
  }
  stop_timer(run);
  tell_phase(run, MB_EVENT_PHASE_FINISHED, since);
  if (status != 0) {
    mb_run_end_error(run, &error);
  }
  return status;
}

/* ---- plan and confirmation ---------------------------------------------------------------------
 */

static void tell_plan(mb_run *run) {
  mb_event_draft draft;
  mb_event_open(&draft, run);
  mb_event_value(&draft, "plan", run->plan);
  mb_event_value(&draft, "changes", run->changes);
  mb_event_send(&draft, MB_EVENT_PLAN_READY);
}

static bool has(const mb_run *run, mb_phase phase) {
  return mb_script_has(atomic_load(&run->script), mb_phase_name(phase));
}

static void plan(mb_run *run) {
  if (has(run, MB_PHASE_PLAN) && mb_run_call_phase(run, MB_PHASE_PLAN, 1, &run->plan) != 0) {
    return;
  }
  mb_run_take_plan(run, run->plan);
  mb_run_take_checks(run);
  if (run->end.verdict != MB_VERDICT_NONE) {
    return;
  }
  tell_plan(run);
  if (run->options.plan_only) {
    mb_run_end(run, MB_VERDICT_DONE, "%s: planned; nothing was written.", run->manifest.name);
  }
}

static void confirm(mb_run *run) {
  if (mb_run_ask(run, run->plan, run->changes, run->phrase) || is_cancelled(run)) {
    return;
  }
  if (run->options.confirm == NULL) {
    mb_run_end(run, MB_VERDICT_REFUSED_BY_OPERATOR,
               "%s %s, and nobody was there to confirm it; give --yes to go on without a question.",
               run->manifest.name, mb_effect_name(run->manifest.effect));
    return;
  }
  mb_run_end(run, MB_VERDICT_REFUSED_BY_OPERATOR, "%s was not confirmed; nothing was written.",
             run->manifest.name);
}

/* ---- apply, verify, diagnose -------------------------------------------------------------------
 */

static void apply(mb_run *run) {
  confirm(run);
  if (is_cancelled(run) || mb_run_call_phase(run, MB_PHASE_APPLY, 2, &run->applied) != 0) {
    return;
  }
  mb_run_take_outcome(run, run->applied);
  mb_run_take_checks(run);
}

/* A validation that checked nothing has proved nothing. */
static void require_checks(mb_run *run) {
  if (run->end.verdict == MB_VERDICT_NONE && strcmp(run->manifest.kind, "validate") == 0 &&
      run->checks_passed + run->checks_failed == 0) {
    mb_run_end(run, MB_VERDICT_CHECK_FAILED, "%s made no check at all, so nothing is proved.",
               run->manifest.name);
  }
}

static void verify(mb_run *run) {
  if (mb_run_call_phase(run, MB_PHASE_VERIFY, 3, &run->result) != 0) {
    return;
  }
  mb_run_take_outcome(run, run->result);
  mb_run_take_checks(run);
}

static int tell_finding(mb_run *run, const mb_value *finding) {
  mb_event_draft draft;
  if (mb_value_type(mb_map_get(finding, "cause")) != MB_TYPE_STRING) {
    mb_error error;
    mb_error_set(&error, MB_ERROR_SCRIPT, "BadReturn",
                 "%s: diagnose() returned a finding without a `cause`", run->manifest.name);
    mb_run_end_error(run, &error);
    return -1;
  }
  mb_event_open(&draft, run);
  for (size_t i = 0; i < mb_value_count(finding); i++) {
    mb_event_value(&draft, mb_map_key_at(finding, i), mb_map_value_at(finding, i));
  }
  mb_event_send(&draft, MB_EVENT_FINDING);
  return 0;
}

static void diagnose(mb_run *run) {
  if (mb_run_call_phase(run, MB_PHASE_DIAGNOSE, 2, &run->result) != 0) {
    return;
  }
  const mb_value *findings =
      mb_value_type(run->result) == MB_TYPE_MAP ? mb_map_get(run->result, "findings") : run->result;
  for (size_t i = 0; i < mb_value_count(findings); i++) {
    if (tell_finding(run, mb_list_at(findings, i)) != 0) {
      return;
    }
  }
  mb_run_take_outcome(run, run->result);
  mb_run_take_checks(run);
}

/* ---- the whole ---------------------------------------------------------------------------------
 */

int mb_run_load(mb_run *run, mb_error *error) {
  mb_script_hooks hooks = mb_run_hooks(run);
  uint64_t seed = 0;
  const mb_system *system = &run->engine->system;
  if (system->random(system->payload, &seed, sizeof seed) != 0) {
    return mb_error_set(error, MB_ERROR_INTERNAL, "NoRandom", "the system gives no random bytes");
  }
  mb_script_options options = {.engine = run->engine,
                               .hooks = &hooks,
                               .memory_limit = run->host->options.memory_limit,
                               .instruction_limit = run->host->options.instruction_limit,
                               .slice_seconds = run->host->options.slice_seconds,
                               .seed = seed};
  mb_script *script = mb_script_new(&options, error);
  if (script == NULL) {
    return -1;
  }
  atomic_store(&run->script, script);
  if (run->bundle.runbook == NULL) {
    return mb_error_set(error, MB_ERROR_SCRIPT, "NoRunbook", "%s: the file is missing",
                        run->bundle.runbook_chunk);
  }
  return mb_script_load(script, run->bundle.runbook_chunk, run->bundle.runbook,
                        run->bundle.runbook_size, error);
}

/* The functions must be those that the manifest promises. */
static int check_functions(const mb_run *run, mb_error *error) {
  bool reads = run->manifest.effect == MB_EFFECT_READS;
  const char *file = run->bundle.runbook_chunk;
  if (reads && has(run, MB_PHASE_APPLY)) {
    return mb_error_set(error, MB_ERROR_SCRIPT, "BadRunbook",
                        "%s has apply(), but its manifest says effect = \"reads\"", file);
  }
  if (!reads && !has(run, MB_PHASE_APPLY)) {
    return mb_error_set(error, MB_ERROR_SCRIPT, "BadRunbook",
                        "%s has no apply(), but its manifest says effect = \"%s\"", file,
                        mb_effect_name(run->manifest.effect));
  }
  if (reads && !has(run, MB_PHASE_VERIFY) && !has(run, MB_PHASE_DIAGNOSE) &&
      !has(run, MB_PHASE_PLAN)) {
    return mb_error_set(error, MB_ERROR_SCRIPT, "BadRunbook",
                        "%s has none of plan(), verify() and diagnose()", file);
  }
  if (reads && has(run, MB_PHASE_UNDO)) {
    return mb_error_set(error, MB_ERROR_SCRIPT, "BadRunbook",
                        "%s has undo(), but its manifest says effect = \"reads\"", file);
  }
  if (run->options.undo && !has(run, MB_PHASE_UNDO)) {
    mb_error_set(error, MB_ERROR_USAGE, "CannotUndo",
                 "%s has no undo(), so that nothing would be undone if it failed",
                 run->manifest.name);
    return mb_error_next(error, "leave out --undo");
  }
  return 0;
}

static void go_through(mb_run *run) {
  mb_error error;
  mb_error_clear(&error);
  if (is_cancelled(run)) {
    return;
  }
  if (mb_run_load(run, &error) != 0 || check_functions(run, &error) != 0) {
    mb_run_end_error(run, &error);
    return;
  }
  run->has_undo = has(run, MB_PHASE_UNDO);
  if (!is_cancelled(run)) {
    plan(run);
  }
  if (has(run, MB_PHASE_APPLY) && !is_cancelled(run)) {
    apply(run);
  }
  if (has(run, MB_PHASE_VERIFY) && !is_cancelled(run)) {
    verify(run);
  }
  if (has(run, MB_PHASE_DIAGNOSE) && !is_cancelled(run)) {
    diagnose(run);
  }
  require_checks(run);
  mb_run_end_done(run);
}

void mb_run_phases(mb_run *run) {
  go_through(run);
  mb_run_undo(run);
}
