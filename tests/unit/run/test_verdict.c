/* The table of verdicts: names and exit codes are a promise, so they are written out here again. */
#include <moonbook/run.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void names_and_exit_codes_stay(void **state) {
  static const struct {
    mb_verdict verdict;
    const char *name;
    int exit_code;
  } rows[] = {
      {MB_VERDICT_DONE, "done", 0},
      {MB_VERDICT_NOTHING_TO_DO, "nothing_to_do", 0},
      {MB_VERDICT_INTERNAL, "internal", 1},
      {MB_VERDICT_USAGE, "usage", 2},
      {MB_VERDICT_CREDENTIALS, "credentials", 4},
      {MB_VERDICT_DENIED, "denied", 5},
      {MB_VERDICT_CHECK_FAILED, "check_failed", 10},
      {MB_VERDICT_FAILED_UNDONE, "failed_undone", 20},
      {MB_VERDICT_UNDO_INCOMPLETE, "undo_incomplete", 21},
      {MB_VERDICT_FAILED, "failed", 22},
      {MB_VERDICT_ROLLED_BACK, "rolled_back", 23},
      {MB_VERDICT_SUPERSEDED, "superseded", 24},
      {MB_VERDICT_STOPPED, "stopped", 25},
      {MB_VERDICT_REFUSED_BY_PLAN, "refused_by_plan", 30},
      {MB_VERDICT_PAUSED, "paused", 31},
      {MB_VERDICT_REFUSED_BY_OPERATOR, "refused_by_operator", 32},
      {MB_VERDICT_LOCKED, "locked", 33},
      {MB_VERDICT_TIMED_OUT, "timed_out", 40},
      {MB_VERDICT_SCRIPT_ERROR, "script_error", 41},
      {MB_VERDICT_LIMIT, "limit", 42},
      {MB_VERDICT_UNAVAILABLE, "unavailable", 75},
      {MB_VERDICT_CANCELLED, "cancelled", 130},
  };
  assert_int_equal(sizeof rows / sizeof rows[0], MB_VERDICT_LAST);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_string_equal(mb_verdict_name(rows[i].verdict), rows[i].name);
    assert_int_equal(mb_verdict_exit_code(rows[i].verdict), rows[i].exit_code);
    assert_true(strlen(mb_verdict_summary(rows[i].verdict)) > 10);
  }
}

static void only_done_and_nothing_to_do_exit_with_0(void **state) {
  for (int verdict = MB_VERDICT_NONE; verdict <= MB_VERDICT_LAST; verdict++) {
    bool good = verdict == MB_VERDICT_DONE || verdict == MB_VERDICT_NOTHING_TO_DO;
    assert_int_equal(mb_verdict_exit_code((mb_verdict)verdict) == 0, good);
  }
}

static mb_verdict verdict_of(mb_error_kind kind, int status, bool retryable) {
  mb_error error;
  mb_error_set(&error, kind, "X", "x");
  error.status = status;
  error.retryable = retryable;
  return mb_verdict_of_error(&error);
}

static void every_error_has_its_verdict(void **state) {
  assert_int_equal(verdict_of(MB_ERROR_CREDENTIALS, 0, false), MB_VERDICT_CREDENTIALS);
  assert_int_equal(verdict_of(MB_ERROR_DENIED, 400, false), MB_VERDICT_DENIED);
  assert_int_equal(verdict_of(MB_ERROR_NETWORK, 0, true), MB_VERDICT_UNAVAILABLE);
  assert_int_equal(verdict_of(MB_ERROR_THROTTLED, 400, true), MB_VERDICT_UNAVAILABLE);
  assert_int_equal(verdict_of(MB_ERROR_AWS, 400, false), MB_VERDICT_FAILED);
  assert_int_equal(verdict_of(MB_ERROR_AWS, 503, true), MB_VERDICT_UNAVAILABLE);
  assert_int_equal(verdict_of(MB_ERROR_AWS, 500, false), MB_VERDICT_UNAVAILABLE);
  assert_int_equal(verdict_of(MB_ERROR_TIMEOUT, 0, false), MB_VERDICT_TIMED_OUT);
  assert_int_equal(verdict_of(MB_ERROR_CANCELLED, 0, false), MB_VERDICT_CANCELLED);
  assert_int_equal(verdict_of(MB_ERROR_LIMIT, 0, false), MB_VERDICT_LIMIT);
  assert_int_equal(verdict_of(MB_ERROR_SCRIPT, 0, false), MB_VERDICT_SCRIPT_ERROR);
  assert_int_equal(verdict_of(MB_ERROR_REFUSED, 0, false), MB_VERDICT_SCRIPT_ERROR);
  assert_int_equal(verdict_of(MB_ERROR_CHECK, 0, false), MB_VERDICT_CHECK_FAILED);
  assert_int_equal(verdict_of(MB_ERROR_USAGE, 0, false), MB_VERDICT_USAGE);
  assert_int_equal(verdict_of(MB_ERROR_NOT_FOUND, 0, false), MB_VERDICT_USAGE);
  assert_int_equal(verdict_of(MB_ERROR_MEMORY, 0, false), MB_VERDICT_INTERNAL);
  assert_int_equal(verdict_of(MB_ERROR_INTERNAL, 0, false), MB_VERDICT_INTERNAL);
}

/* Nobody answering is the network's trouble; time that somebody set is another matter. */
static void silence_is_not_a_wait_that_ran_out(void **state) {
  mb_error error;
  mb_error_set(&error, MB_ERROR_TIMEOUT, "ConnectTimeout", "no connection within 3 seconds");
  assert_int_equal(mb_verdict_of_error(&error), MB_VERDICT_UNAVAILABLE);
  mb_error_set(&error, MB_ERROR_TIMEOUT, "NoAnswer", "it was silent for 60 seconds");
  assert_int_equal(mb_verdict_of_error(&error), MB_VERDICT_UNAVAILABLE);
  mb_error_set(&error, MB_ERROR_TIMEOUT, "DeadlinePassed", "the time given was used up");
  assert_int_equal(mb_verdict_of_error(&error), MB_VERDICT_TIMED_OUT);
  mb_error_set(&error, MB_ERROR_TIMEOUT, "WaiterTimeout", "it has not come about");
  assert_int_equal(mb_verdict_of_error(&error), MB_VERDICT_TIMED_OUT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_and_exit_codes_stay),
      cmocka_unit_test(only_done_and_nothing_to_do_exit_with_0),
      cmocka_unit_test(every_error_has_its_verdict),
      cmocka_unit_test(silence_is_not_a_wait_that_ran_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
