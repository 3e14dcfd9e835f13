/* Runs end to end, without AWS: an embedder's own primitives stand for reading and writing. */
#include "unit/run/fence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- the phases --------------------------------------------------------------------------------
 */

static void a_whole_run_tells_its_events_in_order(void **state) {
  run_trial trial;
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.assume_yes = true;
  set_up(&trial, MANIFEST_WRITES,
         BOOK("function r.plan() return { was = fence.look_at{}.colour } end\n"
              "function r.apply(run, args, plan) step(\"Paint\", function() fence.paint_it{} end)\n"
              "  return { was = plan.was } end\n"
              "function r.verify(run, args, plan, applied) check(\"same\", applied.was == "
              "plan.was) return { n = 1 } end"));
  execute(&trial, options);
  assert_int_equal(mb_run_verdict(trial.run), MB_VERDICT_DONE);
  assert_string_equal(mb_run_message(trial.run), "paint/fence: done, 1 check passed.");
  assert_string_equal(trial.log,
                      "run_started phase_started call_started call_finished phase_finished "
                      "plan_ready phase_started step_started call_started call_finished "
                      "step_finished phase_finished phase_started check phase_finished "
                      "run_finished ");
  assert_int_equal(mb_value_integer(mb_map_get(mb_run_result(trial.run), "n")), 1);
  assert_int_equal(writes_made, 1);
  tear_down(&trial);
}

static void a_plan_may_refuse_or_find_nothing_to_do(void **state) {
  expect(MANIFEST_WRITES,
         BOOK("function r.plan() return { refuse = \"it rains\" } end function r.apply() end"),
         MB_VERDICT_REFUSED_BY_PLAN, "it rains");
  expect(MANIFEST_WRITES,
         BOOK("function r.plan() return { nothing_to_do = \"it is red\" } end "
              "function r.apply() end"),
         MB_VERDICT_NOTHING_TO_DO, "it is red");
  expect(MANIFEST_WRITES,
         BOOK("function r.plan() return { refuse = 5 } end function r.apply() end"),
         MB_VERDICT_SCRIPT_ERROR, "`refuse` as an integer");
  assert_int_equal(writes_made, 0);
}

static void a_runbook_may_name_outcomes_only(void **state) {
  expect(MANIFEST_WRITES,
         BOOK("function r.apply() return { verdict = \"rolled_back\", message = \"m\" } end"),
         MB_VERDICT_ROLLED_BACK, "m");
  expect(MANIFEST_WRITES,
         BOOK("function r.apply() return { verdict = \"stopped\", message = \"m\" } end"),
         MB_VERDICT_STOPPED, "m");
  expect(MANIFEST_WRITES,
         BOOK("function r.apply() return { verdict = \"paused\", message = \"m\" } end"),
         MB_VERDICT_PAUSED, "m");
  expect(MANIFEST_WRITES,
         BOOK("function r.apply() return { verdict = \"failed_undone\", message = \"m\" } end"),
         MB_VERDICT_FAILED_UNDONE, "m");
  expect(MANIFEST_WRITES,
         BOOK("function r.apply() return { verdict = \"undo_incomplete\", message = \"m\" } end"),
         MB_VERDICT_UNDO_INCOMPLETE, "m");
  expect(MANIFEST_WRITES,
         BOOK("function r.apply() return { verdict = \"denied\", message = \"m\" } end"),
         MB_VERDICT_SCRIPT_ERROR, "the verdict \"denied\"; a runbook may say done,");
  expect(MANIFEST_WRITES,
         BOOK("function r.apply() return { verdict = \"locked\", message = \"m\" } end"),
         MB_VERDICT_SCRIPT_ERROR, "timed_out, check_failed");
}

static void a_failed_check_outweighs_a_verdict_of_success(void **state) {
  expect(MANIFEST_READS("validate", ""),
         BOOK("function r.verify() check(\"a\", false) return { verdict = \"done\" } end"),
         MB_VERDICT_CHECK_FAILED, "1 of 1 checks failed: a.");
  expect(MANIFEST_READS("validate", ""),
         BOOK("function r.verify() check(\"a\", false) check(\"b\", true)\n"
              "return { verdict = \"nothing_to_do\" } end"),
         MB_VERDICT_CHECK_FAILED, "1 of 2 checks failed: a.");
}

static void a_validation_without_checks_proves_nothing(void **state) {
  expect(MANIFEST_READS("validate", ""), BOOK("function r.verify() end"), MB_VERDICT_CHECK_FAILED,
         "made no check at all");
  expect(MANIFEST_READS("monitor", ""), BOOK("function r.verify() end"), MB_VERDICT_DONE, "done");
  expect(MANIFEST_READS("validate", ""), BOOK("function r.plan() end"), MB_VERDICT_CHECK_FAILED,
         "made no check at all");
  expect(MANIFEST_READS("validate", ""), BOOK("function r.diagnose() return {} end"),
         MB_VERDICT_CHECK_FAILED, "made no check at all");
}

/* `return attempt(...)` and `return nil, "why"` are how Lua says that something went wrong. */
static void an_error_that_is_returned_is_not_success(void **state) {
  expect(MANIFEST_WRITES,
         BOOK("function r.apply()\n"
              "return attempt(step, \"x\", function() fence.break_it{} end) end"),
         MB_VERDICT_DENIED, "no brush for you");
  expect(MANIFEST_WRITES,
         BOOK("function r.plan() return nil, \"it rains\" end\n"
              "function r.apply() step(\"x\", function() fence.paint_it{} end) end"),
         MB_VERDICT_SCRIPT_ERROR, "plan returned nil and \"it rains\"");
  assert_int_equal(writes_made, 0);
}

static void what_is_no_table_is_not_taken_for_success(void **state) {
  expect(MANIFEST_WRITES,
         BOOK("function r.plan() return \"refuse\" end\n"
              "function r.apply() step(\"x\", function() fence.paint_it{} end) end"),
         MB_VERDICT_SCRIPT_ERROR, "plan() returned a string; expected a table");
  assert_int_equal(writes_made, 0);
  expect(MANIFEST_READS("monitor", ""), BOOK("function r.verify() return false end"),
         MB_VERDICT_SCRIPT_ERROR, "verify() returned a boolean; expected a table");
  expect(MANIFEST_READS("troubleshoot", ""), BOOK("function r.diagnose() return \"rust\" end"),
         MB_VERDICT_SCRIPT_ERROR, "diagnose() returned a string; expected a table");
}

static void a_check_that_fails_in_apply_stops_before_verify(void **state) {
  expect(MANIFEST_WRITES,
         BOOK("function r.apply() check(\"dry\", false) end\n"
              "function r.verify() error(\"verify ran\") end"),
         MB_VERDICT_CHECK_FAILED, "dry");
}

static void findings_need_a_cause(void **state) {
  run_trial trial;
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  set_up(&trial, MANIFEST_READS("troubleshoot", ""),
         BOOK("function r.diagnose() return { findings = { { cause = \"rust\" } } } end"));
  execute(&trial, options);
  assert_int_equal(mb_run_verdict(trial.run), MB_VERDICT_DONE);
  assert_non_null(strstr(trial.log, "finding "));
  tear_down(&trial);
  expect(MANIFEST_READS("troubleshoot", ""),
         BOOK("function r.diagnose() return { { reason = \"rust\" } } end"),
         MB_VERDICT_SCRIPT_ERROR, "a finding without a `cause`");
}

/* ---- permissions -------------------------------------------------------------------------------
 */

static void undeclared_primitives_are_refused_with_their_line(void **state) {
  run_trial trial;
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  set_up(&trial, MANIFEST_READS("monitor", ""), BOOK("function r.verify()\n fence.look_at{}\nend"));
  execute(&trial, options);
  assert_int_equal(mb_run_verdict(trial.run), MB_VERDICT_SCRIPT_ERROR);
  assert_int_equal(mb_run_error(trial.run)->kind, MB_ERROR_REFUSED);
  assert_non_null(strstr(mb_run_message(trial.run), "does not declare fence.look_at"));
  assert_non_null(strstr(mb_run_error(trial.run)->where, "runbook.lua:3"));
  assert_null(strstr(trial.log, "call_started"));
  tear_down(&trial);
}

static void writes_are_refused_outside_a_step_of_apply(void **state) {
  expect(MANIFEST_WRITES, BOOK("function r.plan() fence.paint_it{} end function r.apply() end"),
         MB_VERDICT_SCRIPT_ERROR, "fence.paint_it writes, and plan() may only read");
  expect(MANIFEST_WRITES, BOOK("function r.apply() fence.paint_it{} end"), MB_VERDICT_SCRIPT_ERROR,
         "outside a step");
  expect(MANIFEST_WRITES, BOOK("function r.apply() end function r.verify() fence.paint_it{} end"),
         MB_VERDICT_SCRIPT_ERROR, "verify() may only read");
  expect(MANIFEST_WRITES,
         BOOK("function r.plan() step(\"x\", function() fence.paint_it{} end) end "
              "function r.apply() end"),
         MB_VERDICT_SCRIPT_ERROR, "steps belong in apply()");
  expect(MANIFEST_WRITES,
         BOOK("function r.plan() attempt(fence.paint_it, {}) end function r.apply() end"),
         MB_VERDICT_DONE, "done");
  assert_int_equal(writes_made, 0);
}

static void a_manifest_that_reads_may_not_use_writes(void **state) {
  run_trial trial;
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  set_up(&trial, MANIFEST_READS("monitor", "\"fence.paint_it\""), BOOK("function r.verify() end"));
  options.runbook = "paint/fence";
  assert_int_equal(mb_run_new(&trial.run, trial.host, &options, &trial.error), -1);
  assert_int_equal(trial.error.kind, MB_ERROR_USAGE);
  assert_non_null(strstr(trial.error.message,
                         "manifest.lua: uses: item 1: fence.paint_it writes, but `effect` is "));
  tear_down(&trial);
}

static void functions_must_be_those_of_the_manifest(void **state) {
  expect(MANIFEST_READS("monitor", ""), BOOK("function r.apply() end"), MB_VERDICT_SCRIPT_ERROR,
         "has apply(), but its manifest says effect = \"reads\"");
  expect(MANIFEST_WRITES, BOOK("function r.verify() end"), MB_VERDICT_SCRIPT_ERROR,
         "has no apply()");
  expect(MANIFEST_WRITES, "return 5", MB_VERDICT_USAGE, "");
  expect(MANIFEST_WRITES, "return {", MB_VERDICT_SCRIPT_ERROR, "");
}

static void a_failed_write_says_which_steps_were_done(void **state) {
  expect(MANIFEST_WRITES,
         BOOK("function r.apply()\n"
              "step(\"One\", function() fence.paint_it{} end)\n"
              "step(\"Two\", function() fence.break_it{} end) end"),
         MB_VERDICT_DENIED,
         "no brush for you. What it had begun stays as it is: step 1 \"One\" is done, step 2 "
         "\"Two\" failed.");
}

/* ---- cancellation, time, operators -------------------------------------------------------------
 */

static void cancelled_before_the_first_write_ends_at_once(void **state) {
  run_trial trial;
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.assume_yes = true;
  set_up(&trial, MANIFEST_WRITES,
         BOOK("function r.plan() sleep(3600) end\n"
              "function r.apply() step(\"x\", function() fence.paint_it{} end) end"));
  trial.cancel_at = "phase_started";
  execute(&trial, options);
  assert_int_equal(mb_run_verdict(trial.run), MB_VERDICT_CANCELLED);
  assert_int_equal(writes_made, 0);
  tear_down(&trial);
}

static void cancelled_at_the_plan_writes_nothing(void **state) {
  run_trial trial;
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.assume_yes = true;
  set_up(&trial, MANIFEST_WRITES,
         BOOK("function r.apply() step(\"x\", function() fence.paint_it{} end) end"));
  trial.cancel_at = "plan_ready";
  execute(&trial, options);
  assert_int_equal(mb_run_verdict(trial.run), MB_VERDICT_CANCELLED);
  assert_int_equal(writes_made, 0);
  tear_down(&trial);
}

static void a_timeout_is_not_an_interrupt(void **state) {
  run_trial trial;
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.timeout_seconds = 60;
  set_up(&trial, MANIFEST_READS("monitor", ""), BOOK("function r.verify() sleep(\"2h\") end"));
  int64_t before = trial.fake.monotonic_ns;
  execute(&trial, options);
  assert_int_equal(mb_run_verdict(trial.run), MB_VERDICT_TIMED_OUT);
  assert_true(trial.fake.monotonic_ns - before < INT64_C(61) * 1000000000);
  assert_non_null(strstr(mb_run_message(trial.run), "ran out of time in verify"));
  tear_down(&trial);
}

static bool think_for_an_hour(const mb_value *plan, const mb_value *changes, const char *phrase,
                              void *payload) {
  fake_machine *fake = payload;
  assert_string_equal(mb_value_string(mb_list_at(changes, 0)), "Paints the fence");
  assert_null(phrase);
  fake->monotonic_ns += INT64_C(3600) * 1000000000;
  return true;
}

static void an_operators_time_is_not_the_runs(void **state) {
  run_trial trial;
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.timeout_seconds = 60;
  options.confirm = think_for_an_hour;
  set_up(&trial, MANIFEST_WRITES,
         BOOK("function r.apply() sleep(30) step(\"x\", function() fence.paint_it{} end) end"));
  options.confirm_payload = &trial.fake;
  execute(&trial, options);
  assert_int_equal(mb_run_verdict(trial.run), MB_VERDICT_DONE);
  assert_int_equal(writes_made, 1);
  tear_down(&trial);
}

static void without_anybody_to_ask_a_write_is_refused(void **state) {
  run_trial trial;
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  set_up(&trial, MANIFEST_WRITES,
         BOOK("function r.apply() step(\"x\", function() fence.paint_it{} end) end"));
  execute(&trial, options);
  assert_int_equal(mb_run_verdict(trial.run), MB_VERDICT_REFUSED_BY_OPERATOR);
  assert_int_equal(writes_made, 0);
  tear_down(&trial);
}

/* ---- the host ----------------------------------------------------------------------------------
 */

static void check_names_undeclared_uses_with_their_line(void **state) {
  run_trial trial;
  const mb_value *findings = NULL;
  mb_arena *arena = mb_arena_new(0);
  set_up(&trial, MANIFEST_READS("monitor", ""),
         BOOK("function r.verify()\n  local x = fence.look_at{}\n  fence.lok_at{}\nend"));
  assert_int_equal(
      mb_host_check_runbook(trial.host, arena, "/books/paint/fence/v1", &findings, &trial.error),
      0);
  assert_int_equal(mb_value_count(findings), 2);
  const mb_value *first = mb_list_at(findings, 0);
  assert_int_equal(mb_value_integer(mb_map_get(first, "line")), 3);
  assert_non_null(strstr(mb_value_string(mb_map_get(first, "message")), "fence.look_at"));
  const mb_value *second = mb_list_at(findings, 1);
  assert_int_equal(mb_value_integer(mb_map_get(second, "line")), 4);
  assert_non_null(strstr(mb_value_string(mb_map_get(second, "message")), "fence.lok_at"));
  mb_arena_free(arena);
  tear_down(&trial);
}

static void a_runbook_is_listed_and_described(void **state) {
  run_trial trial;
  const mb_value *list = NULL;
  const mb_value *book = NULL;
  mb_arena *arena = mb_arena_new(0);
  set_up(&trial, MANIFEST_WRITES, BOOK("function r.apply() end"));
  assert_int_equal(mb_host_list_runbooks(trial.host, arena, &list, &trial.error), 0);
  assert_string_equal(mb_value_string(mb_map_get(mb_list_at(list, 0), "name")), "paint/fence");
  assert_int_equal(
      mb_host_describe_runbook(trial.host, arena, "paint/fence@1", &book, &trial.error), 0);
  assert_string_equal(mb_value_string(mb_map_get(book, "effect")), "writes");
  assert_int_equal(mb_value_count(mb_map_get(book, "uses")), 3);
  assert_int_equal(
      mb_host_describe_runbook(trial.host, arena, "paint/fence@1.0.1", &book, &trial.error), -1);
  assert_int_equal(trial.error.kind, MB_ERROR_NOT_FOUND);
  assert_int_equal(mb_host_describe_runbook(trial.host, arena, "paint/fens", &book, &trial.error),
                   -1);
  assert_int_equal(trial.error.kind, MB_ERROR_NOT_FOUND);
  mb_arena_free(arena);
  tear_down(&trial);
}

static void a_primitive_is_called_from_c(void **state) {
  run_trial trial;
  const mb_value *result = NULL;
  mb_arena *arena = mb_arena_new(0);
  set_up(&trial, MANIFEST_WRITES, BOOK("function r.apply() end"));
  assert_int_equal(
      mb_host_call(trial.host, arena, "fence.look_at", NULL, false, &result, &trial.error), 0);
  assert_string_equal(mb_value_string(mb_map_get(result, "colour")), "red");
  assert_int_equal(
      mb_host_call(trial.host, arena, "fence.break_it", NULL, false, &result, &trial.error), -1);
  assert_int_equal(trial.error.kind, MB_ERROR_DENIED);
  assert_int_equal(
      mb_host_call(trial.host, arena, "fence.look", NULL, false, &result, &trial.error), -1);
  assert_int_equal(trial.error.kind, MB_ERROR_NOT_FOUND);
  assert_int_equal(mb_host_add_primitive(trial.host, &look, NULL, &trial.error), -1);
  mb_arena_free(arena);
  tear_down(&trial);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_whole_run_tells_its_events_in_order),
      cmocka_unit_test(a_plan_may_refuse_or_find_nothing_to_do),
      cmocka_unit_test(a_runbook_may_name_outcomes_only),
      cmocka_unit_test(a_failed_check_outweighs_a_verdict_of_success),
      cmocka_unit_test(a_validation_without_checks_proves_nothing),
      cmocka_unit_test(an_error_that_is_returned_is_not_success),
      cmocka_unit_test(what_is_no_table_is_not_taken_for_success),
      cmocka_unit_test(a_check_that_fails_in_apply_stops_before_verify),
      cmocka_unit_test(findings_need_a_cause),
      cmocka_unit_test(undeclared_primitives_are_refused_with_their_line),
      cmocka_unit_test(writes_are_refused_outside_a_step_of_apply),
      cmocka_unit_test(a_manifest_that_reads_may_not_use_writes),
      cmocka_unit_test(functions_must_be_those_of_the_manifest),
      cmocka_unit_test(a_failed_write_says_which_steps_were_done),
      cmocka_unit_test(cancelled_before_the_first_write_ends_at_once),
      cmocka_unit_test(cancelled_at_the_plan_writes_nothing),
      cmocka_unit_test(a_timeout_is_not_an_interrupt),
      cmocka_unit_test(an_operators_time_is_not_the_runs),
      cmocka_unit_test(without_anybody_to_ask_a_write_is_refused),
      cmocka_unit_test(check_names_undeclared_uses_with_their_line),
      cmocka_unit_test(a_runbook_is_listed_and_described),
      cmocka_unit_test(a_primitive_is_called_from_c),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
