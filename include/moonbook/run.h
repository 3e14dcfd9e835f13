/* Runs: planning, confirming, executing and judging one runbook. */
#ifndef MOONBOOK_RUN_H
#define MOONBOOK_RUN_H

#include <moonbook/event.h>
#include <moonbook/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How a run can end. The list is closed, and neither a name nor an exit code changes once released;
 * docs/exit-codes.md is generated from the same table. */
typedef enum mb_verdict {
  MB_VERDICT_NONE = 0, /* the run has not ended */
  MB_VERDICT_DONE,
  MB_VERDICT_NOTHING_TO_DO,
  MB_VERDICT_INTERNAL,
  MB_VERDICT_USAGE,       /* unknown runbook or bad arguments */
  MB_VERDICT_CREDENTIALS, /* missing or expired */
  MB_VERDICT_DENIED,      /* by AWS */
  MB_VERDICT_CHECK_FAILED,
  MB_VERDICT_FAILED,          /* an error ended it; what had been changed stays changed */
  MB_VERDICT_FAILED_UNDONE,   /* failed, and undone by us */
  MB_VERDICT_UNDO_INCOMPLETE, /* failed, and the undo failed too */
  MB_VERDICT_ROLLED_BACK,     /* by ECS itself */
  MB_VERDICT_SUPERSEDED,      /* by another deployment */
  MB_VERDICT_STOPPED,         /* somebody stopped the deployment */
  MB_VERDICT_REFUSED_BY_PLAN,
  MB_VERDICT_PAUSED, /* it waits at a pause for a decision */
  MB_VERDICT_REFUSED_BY_OPERATOR,
  MB_VERDICT_LOCKED,
  MB_VERDICT_TIMED_OUT, /* while the thing waited for was still running */
  MB_VERDICT_SCRIPT_ERROR,
  MB_VERDICT_LIMIT,       /* script limit: time, memory, instructions */
  MB_VERDICT_UNAVAILABLE, /* network down, service failing, throttled: safe to try again */
  MB_VERDICT_CANCELLED,
  MB_VERDICT_LAST = MB_VERDICT_CANCELLED
} mb_verdict;

const char *mb_verdict_name(mb_verdict verdict);    /* "check_failed"; static */
const char *mb_verdict_summary(mb_verdict verdict); /* one sentence; static */
int mb_verdict_exit_code(mb_verdict verdict);
/* The verdict an error of this kind leads to when it ends a run or a single call. MB_OK: done. */
mb_verdict mb_verdict_of_error(const mb_error *error);

/* Asked when the plan is ready and the runbook is about to write. `plan` is what plan() returned
 * (NULL: nothing), `changes` a list of lines that say what will change, `phrase` what a person must
 * type for a destructive runbook ("cluster/service"), or NULL when a yes is enough. Returns true to
 * go on. It may block. */
typedef bool (*mb_confirm_callback)(const mb_value *plan, const mb_value *changes,
                                    const char *phrase, void *payload);

/* Asked when a run that has written ended badly and its runbook can undo. `ending` is a map of how
 * it ended, with the fields of MB_EVENT_RUN_FINISHED: verdict, exit_code, message, cause?,
 * evidence?, error?. Returns true to undo. It may block. */
typedef bool (*mb_undo_callback)(const mb_value *ending, void *payload);

typedef struct mb_run_options {
  unsigned version;     /* MB_RUN_OPTIONS_VERSION */
  const char *runbook;  /* "deploy/restart", "deploy/restart@1", "deploy/restart@1.2.0" */
  const mb_value *args; /* a map of arguments by name; text for a typed argument is converted when
                           `args_are_text`, as a command line's is */
  bool args_are_text;
  const char *environment;     /* a name in moonbook.lua's `environments`, or NULL */
  bool plan_only;              /* stop after plan(); nothing is written */
  bool assume_yes;             /* do not ask */
  mb_confirm_callback confirm; /* NULL with neither flag above: a writing runbook is refused */
  void *confirm_payload;
  mb_event_callback on_event; /* NULL: nobody listens */
  void *event_payload;
  double timeout_seconds; /* for the whole run; 0: the manifest's, else none. An undo gets as much
                             again. */
  bool undo;              /* undo without asking when a run that has written ends badly; refused
                             (USAGE) when the runbook has no undo() */
  mb_undo_callback ask_undo; /* NULL without `undo`: nothing is undone */
  void *undo_payload;
} mb_run_options;
#define MB_RUN_OPTIONS_VERSION 1
#define MB_RUN_OPTIONS_INIT                                                                        \
  { .version = MB_RUN_OPTIONS_VERSION }

typedef struct mb_run mb_run;

/* Resolves the runbook and checks its manifest and the arguments; touches no network. The run
 * borrows nothing from `options` but the callbacks and their payloads. Returns 0 and the run, to be
 * freed with mb_run_free; or -1, with an error of kind NOT_FOUND or USAGE. */
int mb_run_new(mb_run **out, mb_host *host, const mb_run_options *options, mb_error *error);

/* Plans, confirms, applies, verifies, and undoes when it must; returns when the run has ended,
 * whatever way. Call once. */
mb_verdict mb_run_execute(mb_run *run);

/* Asks a run to stop; may be called from a signal handler or another thread. Before the first write
 * the run ends at once; after it, the call in flight finishes first. A second request abandons that
 * too, and nothing is undone then. During an undo the count begins again: the first request stops
 * it when the call in flight has finished. */
void mb_run_cancel(mb_run *run);

/* What the run ended with. The error is of kind MB_OK unless an error ended it. Owned by the run.
 */
mb_verdict mb_run_verdict(const mb_run *run);
const mb_error *mb_run_error(const mb_run *run);
const char *mb_run_message(const mb_run *run); /* the verdict in one sentence about this run */
const mb_value *
mb_run_result(const mb_run *run); /* what verify() or diagnose() returned, or NULL */

void mb_run_free(mb_run *run);

#ifdef __cplusplus
}
#endif
#endif
