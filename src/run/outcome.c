/* From what happened to a verdict and one sentence about it. */
#include "run/run_internal.h"

#include "run/fields.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_LIMIT 8192
#define CAUSE_LIMIT   64

/* The verdicts that a runbook itself may name, for what it saw happen. The others are the host's to
 * give. */
static const mb_verdict runbook_verdicts[] = {
    MB_VERDICT_DONE,          MB_VERDICT_NOTHING_TO_DO,   MB_VERDICT_FAILED,
    MB_VERDICT_FAILED_UNDONE, MB_VERDICT_UNDO_INCOMPLETE, MB_VERDICT_ROLLED_BACK,
    MB_VERDICT_SUPERSEDED,    MB_VERDICT_STOPPED,         MB_VERDICT_PAUSED,
    MB_VERDICT_TIMED_OUT,     MB_VERDICT_CHECK_FAILED};
#define RUNBOOK_VERDICT_COUNT (sizeof runbook_verdicts / sizeof runbook_verdicts[0])

void mb_run_set_message(mb_run *run, const char *text) {
  const char *copy = mb_arena_strdup(run->arena, text);
  run->end.message = copy != NULL ? copy : mb_verdict_summary(run->end.verdict);
}

void mb_run_end(mb_run *run, mb_verdict verdict, const char *format, ...) {
  char text[2500];
  va_list arguments;
  if (run->end.verdict != MB_VERDICT_NONE) {
    return;
  }
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  run->end.verdict = verdict;
  mb_run_set_message(run, text);
}

/* ---- errors ------------------------------------------------------------------------------------
 */

void mb_run_add_steps(mb_buffer *text, const mb_run *run, const char *lead, size_t from,
                      size_t to) {
  for (size_t i = from; i < to; i++) {
    const mb_value *step = mb_list_at(run->step_log, i);
    const mb_value *ok = mb_map_get(step, "ok");
    const char *state = ok == NULL ? "was under way" : mb_value_boolean(ok) ? "is done" : "failed";
    mb_buffer_addf(text, "%s step %zu \"%s\" %s", i == from ? lead : ",", i + 1,
                   mb_value_string(mb_map_get(step, "name")), state);
  }
  if (from < to) {
    mb_buffer_add_text(text, ".");
  }
}

static mb_verdict verdict_in_run(const mb_run *run, const mb_error *error) {
  if (error->kind == MB_ERROR_CANCELLED && run->timed_out) {
    return MB_VERDICT_TIMED_OUT;
  }
  mb_verdict verdict = mb_verdict_of_error(error);
  /* "Unavailable" promises that trying again is safe, which a begun write takes away. */
  return verdict == MB_VERDICT_UNAVAILABLE && atomic_load(&run->writes) > 0 ? MB_VERDICT_FAILED
                                                                            : verdict;
}

static void describe_error(mb_buffer *text, const mb_run *run, mb_verdict verdict,
                           const mb_error *error) {
  if (verdict == MB_VERDICT_TIMED_OUT && run->timed_out) {
    mb_buffer_addf(text, "%s ran out of time in %s.", run->manifest.name,
                   mb_phase_name(run->phase));
  } else if (verdict == MB_VERDICT_CANCELLED) {
    bool writes = run->manifest.effect != MB_EFFECT_READS;
    mb_buffer_addf(text, "%s was cancelled in %s%s.", run->manifest.name, mb_phase_name(run->phase),
                   writes && atomic_load(&run->writes) == 0 ? "; nothing was written" : "");
  } else {
    mb_buffer_add_text(text, error->message);
    size_t size = strlen(error->message);
    mb_buffer_add_text(text, size > 0 && error->message[size - 1] == '.' ? "" : ".");
  }
}

/* Which steps were done and which were under way, when anything may have been changed. What an undo
 * did is told with all the rest (undo.c). */
static void describe_steps(mb_buffer *text, const mb_run *run) {
  if (atomic_load(&run->writes) > 0 && run->phase != MB_PHASE_UNDO) {
    mb_run_add_steps(text, run, " What it had begun stays as it is:", 0,
                     mb_value_count(run->step_log));
  }
}

void mb_run_end_error(mb_run *run, const mb_error *error) {
  mb_buffer text = MB_BUFFER_INIT(MESSAGE_LIMIT);
  if (run->end.verdict != MB_VERDICT_NONE) {
    return;
  }
  run->end.error = *error;
  run->end.cause = NULL; /* what an earlier function said is no account of this error */
  run->end.evidence = NULL;
  run->end.verdict = verdict_in_run(run, error);
  describe_error(&text, run, run->end.verdict, error);
  run->end.sentence = text.failed ? NULL : mb_arena_strdup(run->arena, mb_buffer_text(&text));
  describe_steps(&text, run);
  mb_run_set_message(run, text.failed ? error->message : mb_buffer_text(&text));
  mb_buffer_dispose(&text);
}

/* ---- what the runbook returned -----------------------------------------------------------------
 */

static void bad_return(mb_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void bad_return(mb_run *run, const char *format, ...) {
  char text[600];
  mb_error error;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  mb_error_set(&error, MB_ERROR_SCRIPT, "BadReturn", "%s: %s() returned %s", run->manifest.name,
               mb_phase_name(run->phase), text);
  mb_error_next(&error, "docs/runbooks.md says what each function may return.");
  mb_run_end_error(run, &error);
}

/* Whether a function returned a table. Nothing at all is fine; anything else is a mistake that must
 * not pass for success, and ends the run. */
static bool is_table(mb_run *run, const mb_value *result) {
  if (mb_value_type(result) != MB_TYPE_NULL && !mb_value_is_map(result) &&
      !mb_value_is_list(result)) {
    bad_return(run, "%s; expected a table", mb_type_phrase(result));
  }
  return mb_value_is_map(result);
}

/* A field that must be text when it is there. A secret is none: this text is for everybody's eyes.
 * -1 after ending the run. */
static int read_text(mb_run *run, const mb_value *map, const char *key, const char **out) {
  const mb_value *value = mb_map_get(map, key);
  *out = NULL;
  if (mb_value_type(value) == MB_TYPE_NULL) {
    return 0;
  }
  if (mb_value_type(value) != MB_TYPE_STRING || mb_value_is_secret(value)) {
    bad_return(run, "`%s` as %s; expected a string", key,
               mb_value_is_secret(value) ? "a secret" : mb_type_phrase(value));
    return -1;
  }
  *out = mb_value_string(value);
  return 0;
}

static bool is_code(const char *text) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz_0123456789";
  size_t size = strlen(text);
  return size > 0 && size <= CAUSE_LIMIT && *text >= 'a' && *text <= 'z' &&
         strspn(text, letters) == size;
}

/* `cause`: a code that programs compare and people look up. -1 after ending the run. */
static int read_cause(mb_run *run, const mb_value *map) {
  const char *cause = NULL;
  if (read_text(run, map, "cause", &cause) != 0) {
    return -1;
  }
  if (cause != NULL && !is_code(cause)) {
    bad_return(run, "`cause` as \"%.80s\"; expected a short code such as image_not_found", cause);
    return -1;
  }
  run->end.cause = cause != NULL ? cause : run->end.cause;
  return 0;
}

/* A field that must be a list of lines when it is there; *out is left alone when it is not. -1
 * after ending the run. */
static int read_lines(mb_run *run, const mb_value *map, const char *key, const mb_value **out) {
  const mb_value *value = mb_map_get(map, key);
  if (mb_value_type(value) == MB_TYPE_NULL) {
    return 0;
  }
  if (!mb_value_is_list(value)) {
    bad_return(run, "`%s` as %s; expected a list of lines", key, mb_type_phrase(value));
    return -1;
  }
  for (size_t i = 0; i < mb_value_count(value); i++) {
    const mb_value *line = mb_list_at(value, i);
    if (mb_value_type(line) != MB_TYPE_STRING) {
      bad_return(run, "`%s` with %s as line %zu; expected a string", key, mb_type_phrase(line),
                 i + 1);
      return -1;
    }
  }
  *out = value;
  return 0;
}

static int read_evidence(mb_run *run, const mb_value *map) {
  const mb_value *lines = run->end.evidence;
  if (read_lines(run, map, "evidence", &lines) != 0) {
    return -1;
  }
  run->end.evidence = mb_value_count(lines) > 0 ? lines : NULL;
  return 0;
}

/* `next`: one command or a list of them. -1 after ending the run. */
static int read_next(mb_run *run, const mb_value *map) {
  const mb_value *value = mb_map_get(map, "next");
  if (mb_value_type(value) == MB_TYPE_NULL) {
    return 0;
  }
  if (mb_value_type(value) == MB_TYPE_STRING) {
    mb_value *list = mb_value_new_list(run->arena);
    mb_value *item = list == NULL ? NULL : mb_list_add(run->arena, list);
    if (item == NULL || mb_value_copy(run->arena, item, value) != 0) {
      mb_error error;
      mb_error_memory(&error);
      mb_run_end_error(run, &error);
      return -1;
    }
    run->end.next = list;
    return 0;
  }
  if (!mb_value_is_list(value)) {
    bad_return(run, "`next` as %s; expected a list of commands", mb_type_phrase(value));
    return -1;
  }
  run->end.next = value;
  return 0;
}

/* What may stand beside a verdict: cause, evidence, details, next. -1 after ending the run. */
static int read_account(mb_run *run, const mb_value *map) {
  if (read_cause(run, map) != 0 || read_evidence(run, map) != 0 || read_next(run, map) != 0) {
    return -1;
  }
  const mb_value *details = mb_map_get(map, "details");
  run->end.details = mb_value_type(details) != MB_TYPE_NULL ? details : run->end.details;
  return 0;
}

void mb_run_take_plan(mb_run *run, const mb_value *plan) {
  const char *nothing = NULL;
  const char *refuse = NULL;
  if (!is_table(run, plan) || read_text(run, plan, "nothing_to_do", &nothing) != 0 ||
      read_text(run, plan, "refuse", &refuse) != 0) {
    return;
  }
  if (refuse != NULL) {
    if (read_account(run, plan) == 0) {
      mb_run_end(run, MB_VERDICT_REFUSED_BY_PLAN, "%s", refuse);
    }
  } else if (nothing != NULL) {
    if (read_account(run, plan) == 0) {
      mb_run_end(run, MB_VERDICT_NOTHING_TO_DO, "%s", nothing);
    }
  } else if (read_next(run, plan) == 0 &&
             read_lines(run, plan, "changes", &run->changes) == 0) { /* else the manifest's */
    run->next_after_writes = run->end.next;
    run->end.next = NULL;
  }
}

/* The verdict of that name, or NONE after ending the run because no runbook may give it. */
static mb_verdict find_runbook_verdict(mb_run *run, const char *name) {
  char all[400] = "";
  size_t used = 0;
  for (size_t i = 0; i < RUNBOOK_VERDICT_COUNT; i++) {
    const char *known = mb_verdict_name(runbook_verdicts[i]);
    if (strcmp(known, name) == 0) {
      return runbook_verdicts[i];
    }
    int wrote = snprintf(all + used, sizeof all - used, "%s%s", i == 0 ? "" : ", ", known);
    used = used + (size_t)wrote < sizeof all ? used + (size_t)wrote : sizeof all - 1;
  }
  bad_return(run, "the verdict \"%s\"; a runbook may say %s", name, all);
  return MB_VERDICT_NONE;
}

void mb_run_take_outcome(mb_run *run, const mb_value *result) {
  const char *name = NULL;
  const char *message = NULL;
  if (!is_table(run, result) || read_text(run, result, "verdict", &name) != 0 ||
      read_text(run, result, "message", &message) != 0 || read_account(run, result) != 0) {
    return;
  }
  mb_verdict verdict = name == NULL ? MB_VERDICT_DONE : find_runbook_verdict(run, name);
  if (verdict == MB_VERDICT_DONE && message != NULL) {
    run->end.message = message;
  }
  /* A failed check outweighs anything that would exit with 0. */
  if (verdict != MB_VERDICT_DONE &&
      (run->checks_failed == 0 || mb_verdict_exit_code(verdict) != 0)) {
    mb_run_end(run, verdict, "%s", message != NULL ? message : mb_verdict_summary(verdict));
    if (message == NULL && verdict == MB_VERDICT_FAILED) {
      run->end.sentence = "It failed."; /* the summary goes on to say what stays changed */
    }
  }
}

void mb_run_take_checks(mb_run *run) {
  mb_buffer names = MB_BUFFER_INIT(MESSAGE_LIMIT);
  if (run->end.verdict != MB_VERDICT_NONE || run->checks_failed == 0) {
    return;
  }
  for (size_t i = 0; i < mb_value_count(run->failed_checks); i++) {
    mb_buffer_addf(&names, "%s%s", i == 0 ? "" : ", ",
                   mb_value_string(mb_list_at(run->failed_checks, i)));
  }
  mb_run_end(run, MB_VERDICT_CHECK_FAILED, "%zu of %zu checks failed: %s.", run->checks_failed,
             run->checks_failed + run->checks_passed,
             names.failed ? "(too many to name)" : mb_buffer_text(&names));
  mb_buffer_dispose(&names);
}

void mb_run_end_done(mb_run *run) {
  if (run->end.verdict != MB_VERDICT_NONE) {
    return;
  }
  if (run->end.message != NULL) {
    run->end.verdict = MB_VERDICT_DONE;
  } else if (run->checks_passed > 0) {
    mb_run_end(run, MB_VERDICT_DONE, "%s: done, %zu check%s passed.", run->manifest.name,
               run->checks_passed, run->checks_passed == 1 ? "" : "s");
  } else {
    mb_run_end(run, MB_VERDICT_DONE, "%s: done.", run->manifest.name);
  }
}
