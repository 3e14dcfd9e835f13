/* The verdicts: the one table of how a run can end, and which error leads to which of them. Names
 * and exit codes never change once released; docs/exit-codes.md is made from this table. */
#include <moonbook/run.h>

#include <stddef.h>
#include <string.h>

typedef struct verdict_row {
  mb_verdict verdict;
  const char *name;
  int exit_code;
  const char *summary;
} verdict_row;

static const verdict_row verdicts[] = {
    {MB_VERDICT_NONE, "none", 1, "The run has not ended."},
    {MB_VERDICT_DONE, "done", 0, "Everything was done, and every check made passed."},
    {MB_VERDICT_NOTHING_TO_DO, "nothing_to_do", 0, "It was already so; nothing was changed."},
    {MB_VERDICT_INTERNAL, "internal", 1, "moonbook itself failed."},
    {MB_VERDICT_USAGE, "usage", 2, "Unknown runbook, bad arguments or a malformed file."},
    {MB_VERDICT_CREDENTIALS, "credentials", 4, "AWS credentials are missing, expired or unusable."},
    {MB_VERDICT_DENIED, "denied", 5, "AWS denied a call; the message names the action."},
    {MB_VERDICT_CHECK_FAILED, "check_failed", 10, "A check failed."},
    {MB_VERDICT_FAILED, "failed", 22, "It failed; what had been changed stays changed."},
    {MB_VERDICT_FAILED_UNDONE, "failed_undone", 20,
     "It failed, and what it had changed was undone."},
    {MB_VERDICT_UNDO_INCOMPLETE, "undo_incomplete", 21, "It failed, and the undo failed as well."},
    {MB_VERDICT_ROLLED_BACK, "rolled_back", 23, "ECS rolled the deployment back by itself."},
    {MB_VERDICT_SUPERSEDED, "superseded", 24, "Another deployment took this one's place."},
    {MB_VERDICT_STOPPED, "stopped", 25, "Somebody stopped the deployment."},
    {MB_VERDICT_REFUSED_BY_PLAN, "refused_by_plan", 30, "The plan found a reason not to go on."},
    {MB_VERDICT_PAUSED, "paused", 31, "It waits at a pause for somebody's decision."},
    {MB_VERDICT_REFUSED_BY_OPERATOR, "refused_by_operator", 32, "The plan was not confirmed."},
    {MB_VERDICT_LOCKED, "locked", 33, "Another run holds the lock on this target."},
    {MB_VERDICT_TIMED_OUT, "timed_out", 40, "Time ran out while what it waited for was under way."},
    {MB_VERDICT_SCRIPT_ERROR, "script_error", 41,
     "The runbook has an error or broke its manifest."},
    {MB_VERDICT_LIMIT, "limit", 42,
     "The runbook used more time, memory or instructions than it may."},
    {MB_VERDICT_UNAVAILABLE, "unavailable", 75, "AWS could not be reached or failed; try again."},
    {MB_VERDICT_CANCELLED, "cancelled", 130, "It was cancelled."},
};

static const verdict_row *find_verdict(mb_verdict verdict) {
  for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
    if (verdicts[i].verdict == verdict) {
      return &verdicts[i];
    }
  }
  return &verdicts[0];
}

const char *mb_verdict_name(mb_verdict verdict) {
  return find_verdict(verdict)->name;
}

const char *mb_verdict_summary(mb_verdict verdict) {
  return find_verdict(verdict)->summary;
}

int mb_verdict_exit_code(mb_verdict verdict) {
  return find_verdict(verdict)->exit_code;
}

/* An error answer of a service: one that says the service is at fault may pass, any other will come
 * again. */
static mb_verdict verdict_of_answer(const mb_error *error) {
  return error->status >= 500 || error->retryable ? MB_VERDICT_UNAVAILABLE : MB_VERDICT_FAILED;
}

/* Nobody answered at all: the network's trouble, whereas other timeouts end a time that was given.
 */
static bool is_silence(const mb_error *error) {
  return strcmp(error->code, "ConnectTimeout") == 0 || strcmp(error->code, "NoAnswer") == 0;
}

mb_verdict mb_verdict_of_error(const mb_error *error) {
  switch (error->kind) {
  case MB_OK:
    return MB_VERDICT_DONE;
  case MB_ERROR_USAGE:
  case MB_ERROR_NOT_FOUND:
    return MB_VERDICT_USAGE;
  case MB_ERROR_CREDENTIALS:
    return MB_VERDICT_CREDENTIALS;
  case MB_ERROR_DENIED:
    return MB_VERDICT_DENIED;
  case MB_ERROR_AWS:
    return verdict_of_answer(error);
  case MB_ERROR_THROTTLED:
  case MB_ERROR_NETWORK:
    return MB_VERDICT_UNAVAILABLE;
  case MB_ERROR_TIMEOUT:
    return is_silence(error) ? MB_VERDICT_UNAVAILABLE : MB_VERDICT_TIMED_OUT;
  case MB_ERROR_CANCELLED:
    return MB_VERDICT_CANCELLED;
  case MB_ERROR_SCRIPT:
  case MB_ERROR_REFUSED:
    return MB_VERDICT_SCRIPT_ERROR;
  case MB_ERROR_LIMIT:
    return MB_VERDICT_LIMIT;
  case MB_ERROR_CHECK:
    return MB_VERDICT_CHECK_FAILED;
  case MB_ERROR_IO:
    return MB_VERDICT_FAILED;
  case MB_ERROR_INTERNAL:
  case MB_ERROR_MEMORY:
    break;
  }
  return MB_VERDICT_INTERNAL;
}
