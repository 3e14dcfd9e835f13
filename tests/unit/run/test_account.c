/* What a runbook says beside its verdict: cause, evidence, details. */
#include "unit/run/fence.h"

/* Runs it and compares fields of the last event, written as JSON. */
static void expect_account(const char *runbook, mb_verdict verdict, const char *cause,
                           const char *evidence, const char *details) {
  run_trial trial;
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.assume_yes = true;
  set_up(&trial, MANIFEST_WRITES, runbook);
  execute(&trial, options);
  assert_int_equal(mb_run_verdict(trial.run), verdict);
  assert_string_equal(told(&trial, "cause"), cause);
  assert_string_equal(told(&trial, "evidence"), evidence);
  assert_string_equal(told(&trial, "details"), details);
  tear_down(&trial);
}

#define PAINTS "function r.apply() step(\"Paint\", function() fence.paint_it{} end) end\n"
#define ACCOUNT                                                                                    \
  "cause = \"wet_paint\", evidence = { \"one\", \"two\" }, details = { depth = { 1, 2 } }"

static void a_verdict_may_carry_cause_evidence_and_details(void **state) {
  expect_account(
      BOOK("function r.apply() return { verdict = \"failed\", message = \"m\", " ACCOUNT " } end"),
      MB_VERDICT_FAILED, "\"wet_paint\"", "[\"one\",\"two\"]", "{\"depth\":[1,2]}");
  expect_account(
      BOOK(PAINTS "function r.verify() return { verdict = \"rolled_back\", " ACCOUNT " } end"),
      MB_VERDICT_ROLLED_BACK, "\"wet_paint\"", "[\"one\",\"two\"]", "{\"depth\":[1,2]}");
  expect_account(BOOK(PAINTS "function r.diagnose() return { findings = {}, " ACCOUNT " } end"),
                 MB_VERDICT_DONE, "\"wet_paint\"", "[\"one\",\"two\"]", "{\"depth\":[1,2]}");
}

static void a_refusal_by_the_plan_may_carry_them_too(void **state) {
  expect_account(
      BOOK("function r.plan() return { refuse = \"it rains\", " ACCOUNT " } end\n" PAINTS),
      MB_VERDICT_REFUSED_BY_PLAN, "\"wet_paint\"", "[\"one\",\"two\"]", "{\"depth\":[1,2]}");
  expect_account(BOOK("function r.plan() return { nothing_to_do = \"red\", evidence = { \"l\" } } "
                      "end\n" PAINTS),
                 MB_VERDICT_NOTHING_TO_DO, "null", "[\"l\"]", "null");
}

/* A plan that goes on may use the names for what it likes: they are no account of an end. */
static void a_plan_that_goes_on_accounts_for_nothing(void **state) {
  expect_account(BOOK("function r.plan() return { evidence = 5, cause = \"x\" } end\n" PAINTS),
                 MB_VERDICT_DONE, "null", "null", "null");
}

static void an_error_is_not_explained_by_what_was_said_before_it(void **state) {
  expect_account(BOOK("function r.apply() return { " ACCOUNT " } end\n"
                      "function r.verify() error(\"broken\") end"),
                 MB_VERDICT_SCRIPT_ERROR, "null", "null", "{\"depth\":[1,2]}");
}

static void an_account_of_the_wrong_type_is_a_mistake(void **state) {
  expect(MANIFEST_WRITES, BOOK("function r.apply() return { cause = 5 } end"),
         MB_VERDICT_SCRIPT_ERROR, "`cause` as an integer; expected a string");
  expect(MANIFEST_WRITES, BOOK("function r.apply() return { cause = \"The paint is wet\" } end"),
         MB_VERDICT_SCRIPT_ERROR, "`cause` as \"The paint is wet\"; expected a short code");
  expect(MANIFEST_WRITES, BOOK("function r.apply() return { cause = \"\" } end"),
         MB_VERDICT_SCRIPT_ERROR, "expected a short code");
  expect(MANIFEST_WRITES, BOOK("function r.apply() return { evidence = \"line\" } end"),
         MB_VERDICT_SCRIPT_ERROR, "`evidence` as a string; expected a list of lines");
  expect(MANIFEST_WRITES, BOOK("function r.apply() return { evidence = { \"a\", 2 } } end"),
         MB_VERDICT_SCRIPT_ERROR, "`evidence` with an integer as line 2; expected a string");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_verdict_may_carry_cause_evidence_and_details),
      cmocka_unit_test(a_refusal_by_the_plan_may_carry_them_too),
      cmocka_unit_test(a_plan_that_goes_on_accounts_for_nothing),
      cmocka_unit_test(an_error_is_not_explained_by_what_was_said_before_it),
      cmocka_unit_test(an_account_of_the_wrong_type_is_a_mistake),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
