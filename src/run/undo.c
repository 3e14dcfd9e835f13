/* Undoing: what follows when a run that has written ended badly and its runbook has undo(). */
#include "run/run_internal.h"

#include <string.h>

#define MESSAGE_LIMIT 16384

/* Ends that call for an undo. Not those where ECS or a person has decided what runs now: an undo
 * would act against them. Nor those where the runbook has undone, or tried to, by itself. */
static bool calls_for_undo(mb_verdict verdict) {
  switch (verdict) {
  case MB_VERDICT_NONE:
  case MB_VERDICT_DONE:
  case MB_VERDICT_NOTHING_TO_DO:
  case MB_VERDICT_ROLLED_BACK:
  case MB_VERDICT_SUPERSEDED:
  case MB_VERDICT_STOPPED:
  case MB_VERDICT_PAUSED:
  case MB_VERDICT_FAILED_UNDONE:
  case MB_VERDICT_UNDO_INCOMPLETE:
    return false;
  default:
    return true;
  }
}

/* ---- whether it is wanted ----------------------------------------------------------------------
 */

static bool ask(mb_run *run) {
  mb_event_draft ending = {.run = run, .arena = run->arena, .data = mb_value_new_map(run->arena)};
  if (run->options.ask_undo == NULL || ending.data == NULL) {
    return false;
  }
  mb_event_ending(&ending);
  if (ending.failed) {
    return false;
  }
  return run->options.ask_undo(ending.data, run->options.undo_payload);
}

/* Who asked a second time to stop wants to leave, and so does who asks while being asked. */
static bool is_wanted(mb_run *run, int *cancels) {
  *cancels = atomic_load(&run->cancels);
  return *cancels < 2 && (run->options.undo || ask(run)) && atomic_load(&run->cancels) == *cancels;
}

/* ---- undoing -----------------------------------------------------------------------------------
 */

/* A script of its own, whatever became of the first: undo() finds the same in every case. The first
 * stays, for mb_run_cancel may have it in hand. From here on requests to stop are counted anew;
 * one that came since it was decided to undo means that it is not. */
static int prepare(mb_run *run, int cancels, mb_error *error) {
  mb_script *before = atomic_load(&run->script);
  run->phase = MB_PHASE_UNDO;
  run->timed_out = false;
  run->undo_from = mb_value_count(run->step_log);
  run->call_offset = run->last_call;
  run->checks_passed = run->checks_failed = 0;
  int failed = mb_run_load(run, error);
  if (atomic_load(&run->script) != before) {
    run->script_before = before;
  }
  mb_value *checks = mb_value_new_list(run->arena);
  if (failed == 0 && checks == NULL) {
    failed = mb_error_memory(error);
  }
  run->failed_checks = checks != NULL ? checks : run->failed_checks;
  if (atomic_exchange(&run->cancels, 0) != cancels && failed == 0) {
    failed =
        mb_error_set(error, MB_ERROR_CANCELLED, "Cancelled", "cancelled before the undo began");
  }
  mb_run_set_deadline(run);
  return failed;
}

static void undo(mb_run *run, int cancels) {
  const mb_value *result = NULL;
  mb_error error;
  mb_error_clear(&error);
  if (prepare(run, cancels, &error) != 0) {
    mb_run_end_error(run, &error);
    return;
  }
  if (mb_run_call_phase(run, MB_PHASE_UNDO, 2, &result) != 0) {
    return;
  }
  mb_run_take_outcome(run, result);
  mb_run_take_checks(run);
  if (run->end.verdict == MB_VERDICT_NONE) {
    run->end.verdict = MB_VERDICT_DONE;
  }
}

/* ---- what it came to ---------------------------------------------------------------------------
 */

static bool contains(const mb_value *list, const mb_value *item) {
  for (size_t i = 0; i < mb_value_count(list); i++) {
    if (mb_value_equal(mb_list_at(list, i), item)) {
      return true;
    }
  }
  return false;
}

static int append(mb_run *run, mb_value *out, const mb_value *list, bool once) {
  for (size_t i = 0; i < mb_value_count(list); i++) {
    const mb_value *item = mb_list_at(list, i);
    if (once && contains(out, item)) {
      continue;
    }
    mb_value *place = mb_list_add(run->arena, out);
    if (place == NULL || mb_value_copy(run->arena, place, item) != 0) {
      return -1;
    }
  }
  return 0;
}

/* Both lists in one; `once`: of equal items only the first. NULL: there is nothing in either. */
static const mb_value *join(mb_run *run, const mb_value *first, const mb_value *second, bool once) {
  if (mb_value_count(first) == 0 || mb_value_count(second) == 0) {
    return mb_value_count(first) > 0 ? first : second;
  }
  mb_value *out = mb_value_new_list(run->arena);
  if (out == NULL || append(run, out, first, once) != 0 || append(run, out, second, once) != 0) {
    run->event_lost = true;
    return first;
  }
  return out;
}

/* The lines of the undo, under a line that says whose they are. */
static const mb_value *mark(mb_run *run, const mb_value *evidence) {
  if (mb_value_count(evidence) == 0) {
    return NULL;
  }
  mb_value *out = mb_value_new_list(run->arena);
  mb_value *line = out == NULL ? NULL : mb_list_add(run->arena, out);
  if (line == NULL || mb_value_set_string(run->arena, line, "of the undo:") != 0) {
    run->event_lost = true;
    return evidence;
  }
  return join(run, out, evidence, false);
}

static void add_sentence(mb_buffer *text, const char *sentence) {
  size_t size = strlen(sentence);
  mb_buffer_add_text(text, sentence);
  bool ends = size > 0 && strchr(".!?", sentence[size - 1]) != NULL;
  mb_buffer_add_text(text, ends || size == 0 ? "" : ".");
}

static void describe(mb_buffer *text, const mb_run *run, const mb_ending *undone, bool complete) {
  const mb_ending *before = &run->before_undo;
  add_sentence(text, before->sentence != NULL ? before->sentence : before->message);
  if (complete) {
    const char *lead = undone->message == NULL ? " What it had done was undone."
                       : undone->verdict == MB_VERDICT_NOTHING_TO_DO ? " Nothing was left to undo: "
                                                                     : " Undone: ";
    mb_buffer_add_text(text, lead);
    add_sentence(text, undone->message != NULL ? undone->message : "");
    return;
  }
  mb_buffer_add_text(text, " The undo is incomplete: ");
  add_sentence(text, undone->message != NULL ? undone->message : "");
  mb_run_add_steps(text, run, " Of the run,", 0, run->undo_from);
  mb_run_add_steps(text, run, " Of the undo,", run->undo_from, mb_value_count(run->step_log));
}

/* How the run ended is still why it was undone: cause, evidence and error are told as they were,
 * and what the undo has to say comes after them. */
static void conclude(mb_run *run) {
  mb_buffer text = MB_BUFFER_INIT(MESSAGE_LIMIT);
  mb_ending undone = run->end;
  const mb_ending *before = &run->before_undo;
  bool complete = undone.verdict == MB_VERDICT_DONE || undone.verdict == MB_VERDICT_NOTHING_TO_DO ||
                  undone.verdict == MB_VERDICT_FAILED_UNDONE;
  run->undo = complete ? "done" : "incomplete";
  run->undo_error = undone.error;
  run->end = *before;
  run->end.verdict = complete ? MB_VERDICT_FAILED_UNDONE : MB_VERDICT_UNDO_INCOMPLETE;
  run->end.cause = before->cause != NULL ? before->cause : undone.cause;
  run->end.details = before->details != NULL ? before->details : undone.details;
  run->end.evidence = join(run, before->evidence, mark(run, undone.evidence), false);
  run->end.next = undone.next != NULL ? undone.next : before->next;
  if (!complete) { /* what the plan named undoes by hand what undo() did not */
    run->end.next =
        join(run, undone.next, join(run, run->next_after_writes, before->next, true), true);
  }
  describe(&text, run, &undone, complete);
  mb_run_set_message(run,
                     text.failed ? mb_verdict_summary(run->end.verdict) : mb_buffer_text(&text));
  mb_buffer_dispose(&text);
}

void mb_run_undo(mb_run *run) {
  int cancels = 0;
  if (!run->has_undo || run->options.plan_only || atomic_load(&run->writes) == 0 ||
      !calls_for_undo(run->end.verdict)) {
    return;
  }
  if (!is_wanted(run, &cancels)) {
    run->undo = "skipped";
    run->end.next = join(run, run->end.next, run->next_after_writes, true);
    return;
  }
  run->before_undo = run->end;
  memset(&run->end, 0, sizeof run->end);
  undo(run, cancels);
  conclude(run);
}
