/* The retry policy: what is retried, what it costs, how long it waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/retry.h"

static void assert_seconds(double actual, double expected) {
  double off = actual - expected;
  if (off < -1e-9 || off > 1e-9)
    fail_msg("%.9f s instead of %.9f s", actual, expected);
}

static void throttling_is_known_by_code_not_by_429(void **state) {
  assert_int_equal(mb_retry_classify(429, "Something", NULL), MB_RETRY_NO);
  assert_int_equal(mb_retry_classify(400, "ThrottlingException", NULL), MB_RETRY_THROTTLED);
  assert_int_equal(mb_retry_classify(503, "SlowDown", NULL), MB_RETRY_THROTTLED);
  assert_int_equal(mb_retry_classify(400, "EC2ThrottledException", NULL), MB_RETRY_THROTTLED);
  assert_int_equal(mb_retry_classify(400, "throttling", NULL), MB_RETRY_NO);
}

static void some_server_errors_are_transient(void **state) {
  assert_int_equal(mb_retry_classify(500, "x", NULL), MB_RETRY_TRANSIENT);
  assert_int_equal(mb_retry_classify(501, "x", NULL), MB_RETRY_NO);
  assert_int_equal(mb_retry_classify(502, "x", NULL), MB_RETRY_TRANSIENT);
  assert_int_equal(mb_retry_classify(503, "x", NULL), MB_RETRY_TRANSIENT);
  assert_int_equal(mb_retry_classify(504, "x", NULL), MB_RETRY_TRANSIENT);
  assert_int_equal(mb_retry_classify(505, "x", NULL), MB_RETRY_NO);
  assert_int_equal(mb_retry_classify(400, "RequestTimeout", NULL), MB_RETRY_TRANSIENT);
  assert_int_equal(mb_retry_classify(400, "IDPCommunicationError", NULL), MB_RETRY_TRANSIENT);
  assert_int_equal(mb_retry_classify(400, "ClientException", NULL), MB_RETRY_NO);
}

static void the_model_may_call_an_error_retryable(void **state) {
  mb_shape plain = {.flags = MB_SHAPE_ERROR};
  mb_shape retryable = {.flags = MB_SHAPE_ERROR | MB_SHAPE_RETRYABLE};
  mb_shape throttling = {.flags = MB_SHAPE_ERROR | MB_SHAPE_RETRYABLE | MB_SHAPE_THROTTLING};
  assert_int_equal(mb_retry_classify(400, "x", &plain), MB_RETRY_NO);
  assert_int_equal(mb_retry_classify(400, "x", &retryable), MB_RETRY_TRANSIENT);
  assert_int_equal(mb_retry_classify(400, "x", &throttling), MB_RETRY_THROTTLED);
}

static void delays_double_from_the_base_of_their_class(void **state) {
  assert_seconds(mb_retry_delay(MB_RETRY_TRANSIENT, "ecs", 1, 1, NULL), 0.05);
  assert_seconds(mb_retry_delay(MB_RETRY_TRANSIENT, "ecs", 2, 1, NULL), 0.1);
  assert_seconds(mb_retry_delay(MB_RETRY_TRANSIENT, "ecs", 3, 1, NULL), 0.2);
  assert_seconds(mb_retry_delay(MB_RETRY_THROTTLED, "ecs", 1, 1, NULL), 1);
  assert_seconds(mb_retry_delay(MB_RETRY_THROTTLED, "ecs", 3, 1, NULL), 4);
  assert_seconds(mb_retry_delay(MB_RETRY_TRANSIENT, "dynamodb", 1, 1, NULL), 0.025);
  assert_seconds(mb_retry_delay(MB_RETRY_THROTTLED, "dynamodb", 1, 1, NULL), 1);
  assert_seconds(mb_retry_delay(MB_RETRY_TRANSIENT, "ecs", 2, 0.5, NULL), 0.05);
}

static void a_delay_never_exceeds_twenty_seconds(void **state) {
  assert_seconds(mb_retry_delay(MB_RETRY_THROTTLED, "ecs", 6, 1, NULL), 20);
  assert_seconds(mb_retry_delay(MB_RETRY_THROTTLED, "ecs", 1000000, 1, NULL), 20);
}

static void the_servers_hint_is_kept_within_five_seconds_of_the_backoff(void **state) {
  assert_seconds(mb_retry_delay(MB_RETRY_TRANSIENT, "ecs", 1, 1, "1500"), 1.5);
  assert_seconds(mb_retry_delay(MB_RETRY_TRANSIENT, "ecs", 1, 1, "0"), 0.05);
  assert_seconds(mb_retry_delay(MB_RETRY_TRANSIENT, "ecs", 1, 1, "10000"), 5.05);
  assert_seconds(mb_retry_delay(MB_RETRY_TRANSIENT, "ecs", 1, 1, "9223372036854775807"), 5.05);
  assert_seconds(mb_retry_delay(MB_RETRY_TRANSIENT, "ecs", 1, 1, "-1"), 0.05);
  assert_seconds(mb_retry_delay(MB_RETRY_TRANSIENT, "ecs", 1, 1, "1.5"), 0.05);
  assert_seconds(mb_retry_delay(MB_RETRY_TRANSIENT, "ecs", 1, 1, "soon"), 0.05);
  assert_seconds(mb_retry_delay(MB_RETRY_TRANSIENT, "ecs", 1, 1, ""), 0.05);
}

static void the_quota_is_spent_by_retries_and_filled_by_successes(void **state) {
  mb_retry_quota quota = {MB_RETRY_QUOTA};
  assert_int_equal(mb_retry_cost(MB_RETRY_TRANSIENT), 14);
  assert_int_equal(mb_retry_cost(MB_RETRY_THROTTLED), 5);
  assert_true(mb_retry_take(&quota, 14));
  assert_int_equal(quota.available, 486);
  mb_retry_give(&quota, 0);
  assert_int_equal(quota.available, 487);
  mb_retry_give(&quota, 14);
  assert_int_equal(quota.available, 500);
  mb_retry_give(&quota, 14);
  assert_int_equal(quota.available, 500);
}

static void an_empty_quota_refuses_and_takes_nothing(void **state) {
  mb_retry_quota quota = {13};
  assert_false(mb_retry_take(&quota, 14));
  assert_int_equal(quota.available, 13);
  assert_true(mb_retry_take(&quota, 5));
  assert_int_equal(quota.available, 8);
}

static void dynamodb_gets_four_attempts_unless_told_otherwise(void **state) {
  assert_int_equal(mb_retry_max_attempts("ecs", 0), 3);
  assert_int_equal(mb_retry_max_attempts("dynamodb", 0), 4);
  assert_int_equal(mb_retry_max_attempts("dynamodb", 2), 2);
  assert_int_equal(mb_retry_max_attempts("ecs", 7), 7);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(throttling_is_known_by_code_not_by_429),
      cmocka_unit_test(some_server_errors_are_transient),
      cmocka_unit_test(the_model_may_call_an_error_retryable),
      cmocka_unit_test(delays_double_from_the_base_of_their_class),
      cmocka_unit_test(a_delay_never_exceeds_twenty_seconds),
      cmocka_unit_test(the_servers_hint_is_kept_within_five_seconds_of_the_backoff),
      cmocka_unit_test(the_quota_is_spent_by_retries_and_filled_by_successes),
      cmocka_unit_test(an_empty_quota_refuses_and_takes_nothing),
      cmocka_unit_test(dynamodb_gets_four_attempts_unless_told_otherwise),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
