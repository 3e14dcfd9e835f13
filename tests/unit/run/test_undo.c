/* Undoing: when undo() is called, what it may do, and what the run is said to have come to. */
#include "unit/run/fence.h"

#define PLAN                                                                                       \
  "function r.plan() return { was = fence.look_at{}.colour, next = \"moonbook run paint/over\" } " \
  "end\n"
#define PAINTS    "function r.apply() step(\"Paint\", function() fence.paint_it{} end) end\n"
#define CHECKS(x) "function r.verify() check(\"same\", " x ") end\n"
#define UNDOES                                                                                     \
  "function r.undo(run, args, plan)\n"                                                             \
  "  step(\"Paint back\", function() fence.paint_it{} end)\n"                                      \
  "  return { message = \"it is \" .. plan.was .. \" again.\" } end\n"

static void begin(run_trial *trial, const char *runbook, mb_run_options options) {
  options.assume_yes = true;
  set_up(trial, MANIFEST_WRITES, runbook);
  execute(trial, options);
}

/* Compares what the run came to, and the number of writes, and frees the trial. */
static void expect_end(run_trial *trial, mb_verdict verdict, const char *message, const char *undo,
                       int writes) {
  if (mb_run_verdict(trial->run) != verdict || strcmp(mb_run_message(trial->run), message) != 0) {
    fail_msg("got %s: %s\nexpected %s: %s", mb_verdict_name(mb_run_verdict(trial->run)),
             mb_run_message(trial->run), mb_verdict_name(verdict), message);
  }
  assert_string_equal(told(trial, "undo"), undo);
  assert_int_equal(writes_made, writes);
  tear_down(trial);
}

static void expect_with_undo(const char *runbook, mb_verdict verdict, const char *message,
                             const char *undo, int writes) {
  run_trial trial;
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.undo = true;
  begin(&trial, runbook, options);
  expect_end(&trial, verdict, message, undo, writes);
}

/* ---- when it is called -------------------------------------------------------------------------
 */

static void it_follows_a_check_that_fails_in_verify(void **state) {
  expect_with_undo(BOOK(PLAN PAINTS CHECKS("false") UNDOES), MB_VERDICT_FAILED_UNDONE,
                   "1 of 1 checks failed: same. Undone: it is red again.", "\"done\"", 2);
}

static void it_follows_an_error_of_apply(void **state) {
  expect_with_undo(BOOK(PLAN "function r.apply()\n"
                             "step(\"Paint\", function() fence.paint_it{} end)\n"
                             "step(\"Break\", function() fence.break_it{} end) end\n" UNDOES),
                   MB_VERDICT_FAILED_UNDONE, "no brush for you. Undone: it is red again.",
                   "\"done\"", 2);
}

static void it_follows_a_verdict_of_failure(void **state) {
  expect_with_undo(
      BOOK(PLAN PAINTS "function r.verify() return { verdict = \"failed\" } end\n" UNDOES),
      MB_VERDICT_FAILED_UNDONE, "It failed. Undone: it is red again.", "\"done\"", 2);
}

static void success_is_not_undone(void **state) {
  expect_with_undo(BOOK(PLAN PAINTS CHECKS("true") UNDOES), MB_VERDICT_DONE,
                   "paint/fence: done, 1 check passed.", "null", 1);
}

static void what_wrote_nothing_is_not_undone(void **state) {
  expect_with_undo(
      BOOK(PLAN "function r.apply() step(\"x\", function() error(\"oh\", 0) end) end\n" UNDOES),
      MB_VERDICT_SCRIPT_ERROR, "oh.", "null", 0);
}

/* ECS, another person, or the runbook itself has decided what runs now. */
static void an_end_that_somebody_else_decided_is_not_undone(void **state) {
  static const mb_verdict verdicts[] = {MB_VERDICT_ROLLED_BACK,   MB_VERDICT_SUPERSEDED,
                                        MB_VERDICT_STOPPED,       MB_VERDICT_PAUSED,
                                        MB_VERDICT_FAILED_UNDONE, MB_VERDICT_UNDO_INCOMPLETE};
  for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
    char book[1000];
    snprintf(book, sizeof book,
             BOOK(PLAN PAINTS
                  "function r.verify() return { verdict = \"%s\", message = \"m\" } end\n" UNDOES),
             mb_verdict_name(verdicts[i]));
    expect_with_undo(book, verdicts[i], "m", "null", 1);
  }
}

static void a_plan_is_not_undone(void **state) {
  run_trial trial;
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.undo = options.plan_only = true;
  begin(&trial, BOOK(PLAN PAINTS UNDOES), options);
  expect_end(&trial, MB_VERDICT_DONE, "paint/fence: planned; nothing was written.", "null", 0);
}

static void without_the_option_nothing_is_undone(void **state) {
  run_trial trial;
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  begin(&trial,
        BOOK(PLAN PAINTS "function r.verify() return { verdict = \"failed\", message = \"m\",\n"
                         "next = \"moonbook run ask/why\" } end\n" UNDOES),
        options);
  assert_string_equal(told(&trial, "next"),
                      "[\"moonbook run ask/why\",\"moonbook run paint/over\"]");
  expect_end(&trial, MB_VERDICT_FAILED, "m", "\"skipped\"", 1);
}

static void the_option_is_refused_when_the_runbook_cannot_undo(void **state) {
  expect_with_undo(BOOK(PLAN PAINTS), MB_VERDICT_USAGE,
                   "paint/fence has no undo(), so that nothing would be undone if it failed.",
                   "null", 0);
}

static void a_runbook_that_reads_has_no_undo(void **state) {
  expect(MANIFEST_READS("monitor", ""), BOOK("function r.verify() end function r.undo() end"),
         MB_VERDICT_SCRIPT_ERROR, "has undo(), but its manifest says effect = \"reads\"");
}

/* ---- asking ------------------------------------------------------------------------------------
 */

typedef struct operator_asked {
  bool yes;
  int times;
  char ending[1000];
} operator_asked;

static bool answer_undo(const mb_value *ending, void *payload) {
  operator_asked *asked = payload;
  mb_arena *arena = mb_arena_new(0);
  asked->times++;
  snprintf(asked->ending, sizeof asked->ending, "%s", mb_value_to_json(arena, ending, 0, false));
  mb_arena_free(arena);
  return asked->yes;
}

#define ASKED_BOOK                                                                                 \
  BOOK(PLAN PAINTS "function r.verify() return { verdict = \"failed\", message = \"m\",\n"         \
                   "cause = \"wet\", evidence = { \"l\" } } end\n" UNDOES)

static void an_operator_is_told_how_it_ended_and_asked(void **state) {
  run_trial trial;
  operator_asked asked = {.yes = true};
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.ask_undo = answer_undo;
  options.undo_payload = &asked;
  begin(&trial, ASKED_BOOK, options);
  assert_int_equal(asked.times, 1);
  assert_string_equal(asked.ending, "{\"verdict\":\"failed\",\"exit_code\":22,\"message\":\"m\","
                                    "\"cause\":\"wet\",\"evidence\":[\"l\"]}");
  expect_end(&trial, MB_VERDICT_FAILED_UNDONE, "m. Undone: it is red again.", "\"done\"", 2);
}

static void an_operators_no_leaves_it_as_it_is(void **state) {
  run_trial trial;
  operator_asked asked = {.yes = false};
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.ask_undo = answer_undo;
  options.undo_payload = &asked;
  begin(&trial, ASKED_BOOK, options);
  expect_end(&trial, MB_VERDICT_FAILED, "m", "\"skipped\"", 1);
}

static void nobody_is_asked_when_it_is_wanted_already(void **state) {
  run_trial trial;
  operator_asked asked = {.yes = false};
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.undo = true;
  options.ask_undo = answer_undo;
  options.undo_payload = &asked;
  begin(&trial, ASKED_BOOK, options);
  assert_int_equal(asked.times, 0);
  expect_end(&trial, MB_VERDICT_FAILED_UNDONE, "m. Undone: it is red again.", "\"done\"", 2);
}

/* ---- what it comes to --------------------------------------------------------------------------
 */

#define FAILS    PLAN PAINTS CHECKS("false")
#define BEFORE   "1 of 1 checks failed: same. The undo is incomplete: "
#define ONE_STEP " Of the run, step 1 \"Paint\" is done."

static void an_undo_that_raises_is_incomplete(void **state) {
  expect_with_undo(BOOK(FAILS "function r.undo()\n"
                              "step(\"One\", function() fence.paint_it{} end)\n"
                              "step(\"Two\", function() fence.break_it{} end) end\n"),
                   MB_VERDICT_UNDO_INCOMPLETE,
                   BEFORE "no brush for you." ONE_STEP " Of the undo, step 2 \"One\" is done, step "
                          "3 \"Two\" failed.",
                   "\"incomplete\"", 2);
}

static void an_undo_with_a_failed_check_is_incomplete(void **state) {
  expect_with_undo(BOOK(FAILS "function r.undo() check(\"red\", true) check(\"dry\", false) end\n"),
                   MB_VERDICT_UNDO_INCOMPLETE, BEFORE "1 of 2 checks failed: dry." ONE_STEP,
                   "\"incomplete\"", 1);
}

static void an_undo_that_says_it_failed_is_incomplete(void **state) {
  expect_with_undo(
      BOOK(FAILS "function r.undo() return { verdict = \"rolled_back\", message = \"n\" } end\n"),
      MB_VERDICT_UNDO_INCOMPLETE, BEFORE "n." ONE_STEP, "\"incomplete\"", 1);
}

static void an_undo_that_returns_no_table_is_incomplete(void **state) {
  expect_with_undo(BOOK(FAILS "function r.undo() return true end\n"), MB_VERDICT_UNDO_INCOMPLETE,
                   BEFORE "paint/fence: undo() returned a boolean; expected a table." ONE_STEP,
                   "\"incomplete\"", 1);
}

static void an_undo_that_says_nothing_is_an_undo(void **state) {
  expect_with_undo(BOOK(FAILS "function r.undo() end\n"), MB_VERDICT_FAILED_UNDONE,
                   "1 of 1 checks failed: same. What it had done was undone.", "\"done\"", 1);
}

static void an_undo_may_find_nothing_to_do(void **state) {
  expect_with_undo(
      BOOK(FAILS "function r.undo()\n"
                 "return { verdict = \"nothing_to_do\", message = \"it is red\" } end\n"),
      MB_VERDICT_FAILED_UNDONE, "1 of 1 checks failed: same. Nothing was left to undo: it is red.",
      "\"done\"", 1);
}

static void an_undo_writes_inside_steps_only(void **state) {
  expect_with_undo(BOOK(FAILS "function r.undo() fence.paint_it{} end\n"),
                   MB_VERDICT_UNDO_INCOMPLETE,
                   BEFORE "fence.paint_it writes, and it is called outside a step." ONE_STEP,
                   "\"incomplete\"", 1);
}

static void why_it_was_undone_is_still_told(void **state) {
  run_trial trial;
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.undo = true;
  begin(&trial,
        BOOK(PLAN PAINTS "function r.verify() return { verdict = \"failed\", message = \"m\",\n"
                         "cause = \"wet\", evidence = { \"l\", \"l\" }, details = { n = 1 },\n"
                         "next = \"moonbook run ask/why\" } end\n"
                         "function r.undo() return { cause = \"other\", evidence = { \"l\" },\n"
                         "details = { n = 2 } } end\n"),
        options);
  assert_string_equal(told(&trial, "cause"), "\"wet\"");
  assert_string_equal(told(&trial, "evidence"), "[\"l\",\"l\",\"of the undo:\",\"l\"]");
  assert_string_equal(told(&trial, "details"), "{\"n\":1}");
  assert_string_equal(told(&trial, "next"), "[\"moonbook run ask/why\"]");
  tear_down(&trial);
}

static void an_incomplete_undo_names_both_errors_and_what_is_left_to_do(void **state) {
  run_trial trial;
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.undo = true;
  begin(&trial,
        BOOK(PLAN PAINTS "function r.verify() error(\"first\", 0) end\n"
                         "function r.undo()\n"
                         "step(\"Break\", function() fence.break_it{} end) end\n"),
        options);
  assert_non_null(strstr(told(&trial, "error"), "\"message\":\"first\""));
  assert_non_null(strstr(told(&trial, "undo_error"), "\"code\":\"AccessDenied\""));
  assert_string_equal(told(&trial, "next"), "[\"moonbook run paint/over\"]");
  assert_int_equal(mb_run_error(trial.run)->kind, MB_ERROR_SCRIPT);
  tear_down(&trial);
}

/* What apply() left in variables is gone whenever its script had to end: so it always is. */
static void undo_finds_a_runbook_freshly_loaded(void **state) {
  expect_with_undo(
      BOOK("local painted = 0\n" PLAN "function r.apply() painted = painted + 1\n"
           "step(\"Paint\", function() fence.paint_it{} end) end\n" CHECKS(
               "false") "function r.undo() return { message = painted .. \" left\" } end\n"),
      MB_VERDICT_FAILED_UNDONE, "1 of 1 checks failed: same. Undone: 0 left.", "\"done\"", 1);
}

/* ---- stopped, out of time, at a limit ----------------------------------------------------------
 */

#define WAITS                                                                                      \
  "function r.apply() step(\"Paint\", function() fence.paint_it{} end)\n"                          \
  "progress(\"drying\") sleep(3600) end\n"

static void run_cancelled(run_trial *trial, const char *runbook, const char *at, int times) {
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.undo = options.assume_yes = true;
  set_up(trial, MANIFEST_WRITES, runbook);
  trial->cancel_at = at;
  trial->cancel_times = times;
  execute(trial, options);
}

static void a_run_that_was_stopped_is_undone(void **state) {
  run_trial trial;
  run_cancelled(&trial, BOOK(PLAN WAITS UNDOES), "progress", 1);
  expect_end(&trial, MB_VERDICT_FAILED_UNDONE,
             "paint/fence was cancelled in apply. Undone: it is red again.", "\"done\"", 2);
}

static void who_stops_twice_leaves_at_once(void **state) {
  run_trial trial;
  run_cancelled(&trial, BOOK(PLAN WAITS UNDOES), "progress", 2);
  expect_end(&trial, MB_VERDICT_CANCELLED,
             "paint/fence was cancelled in apply. What it had begun stays as it is: step 1 "
             "\"Paint\" is done.",
             "\"skipped\"", 1);
}

/* The first request to stop within the undo stops it between two calls. */
static void an_undo_that_was_stopped_is_incomplete(void **state) {
  run_trial trial;
  run_cancelled(&trial,
                BOOK(FAILS "function r.undo()\n"
                           "step(\"One\", function() fence.paint_it{} end)\n"
                           "log.info(\"half\")\n"
                           "step(\"Two\", function() fence.paint_it{} end) end\n"),
                "log", 1);
  expect_end(&trial, MB_VERDICT_UNDO_INCOMPLETE,
             BEFORE "paint/fence was cancelled in undo." ONE_STEP
                    " Of the undo, step 2 \"One\" is done.",
             "\"incomplete\"", 2);
}

static void run_for_a_minute(run_trial *trial, const char *runbook) {
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.undo = true;
  options.timeout_seconds = 60;
  begin(trial, runbook, options);
}

static void a_run_out_of_time_leaves_its_undo_as_much_again(void **state) {
  run_trial trial;
  run_for_a_minute(&trial, BOOK(PLAN WAITS "function r.undo() sleep(50) end\n"));
  expect_end(&trial, MB_VERDICT_FAILED_UNDONE,
             "paint/fence ran out of time in apply. What it had done was undone.", "\"done\"", 1);
}

static void an_undo_out_of_time_is_incomplete(void **state) {
  run_trial trial;
  run_for_a_minute(&trial, BOOK(PLAN WAITS "function r.undo() sleep(3600) end\n"));
  assert_true(mb_value_number(mb_map_get(trial.finished, "seconds")) < 121);
  expect_end(&trial, MB_VERDICT_UNDO_INCOMPLETE,
             "paint/fence ran out of time in apply. The undo is incomplete: paint/fence ran out of "
             "time in undo." ONE_STEP,
             "\"incomplete\"", 1);
}

static void a_run_at_a_limit_is_undone(void **state) {
  run_trial trial;
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.undo = true;
  begin(&trial,
        BOOK(PLAN
             "function r.apply() step(\"Paint\", function() fence.paint_it{} end)\n"
             "local t = {} while true do t[#t + 1] = (\"x\"):rep(100000) .. #t end end\n" UNDOES),
        options);
  assert_int_equal(mb_run_error(trial.run)->kind, MB_ERROR_LIMIT);
  assert_non_null(strstr(mb_run_message(trial.run), "Undone: it is red again."));
  assert_int_equal(mb_run_verdict(trial.run), MB_VERDICT_FAILED_UNDONE);
  assert_int_equal(writes_made, 2);
  tear_down(&trial);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_follows_a_check_that_fails_in_verify),
      cmocka_unit_test(it_follows_an_error_of_apply),
      cmocka_unit_test(it_follows_a_verdict_of_failure),
      cmocka_unit_test(success_is_not_undone),
      cmocka_unit_test(what_wrote_nothing_is_not_undone),
      cmocka_unit_test(an_end_that_somebody_else_decided_is_not_undone),
      cmocka_unit_test(a_plan_is_not_undone),
      cmocka_unit_test(without_the_option_nothing_is_undone),
      cmocka_unit_test(the_option_is_refused_when_the_runbook_cannot_undo),
      cmocka_unit_test(a_runbook_that_reads_has_no_undo),
      cmocka_unit_test(an_operator_is_told_how_it_ended_and_asked),
      cmocka_unit_test(an_operators_no_leaves_it_as_it_is),
      cmocka_unit_test(nobody_is_asked_when_it_is_wanted_already),
      cmocka_unit_test(an_undo_that_raises_is_incomplete),
      cmocka_unit_test(an_undo_with_a_failed_check_is_incomplete),
      cmocka_unit_test(an_undo_that_says_it_failed_is_incomplete),
      cmocka_unit_test(an_undo_that_returns_no_table_is_incomplete),
      cmocka_unit_test(an_undo_that_says_nothing_is_an_undo),
      cmocka_unit_test(an_undo_may_find_nothing_to_do),
      cmocka_unit_test(an_undo_writes_inside_steps_only),
      cmocka_unit_test(why_it_was_undone_is_still_told),
      cmocka_unit_test(an_incomplete_undo_names_both_errors_and_what_is_left_to_do),
      cmocka_unit_test(undo_finds_a_runbook_freshly_loaded),
      cmocka_unit_test(a_run_that_was_stopped_is_undone),
      cmocka_unit_test(who_stops_twice_leaves_at_once),
      cmocka_unit_test(an_undo_that_was_stopped_is_incomplete),
      cmocka_unit_test(a_run_out_of_time_leaves_its_undo_as_much_again),
      cmocka_unit_test(an_undo_out_of_time_is_incomplete),
      cmocka_unit_test(a_run_at_a_limit_is_undone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
