/* Calls that fail and are tried again: how often, how long apart, at what cost, and when not. */
#include "client_world.h"

#define OK_BODY   "{\"clusters\":[],\"failures\":[]}"
#define THROTTLED "{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}"

static world w;

static int open_world(void **state) {
  world_init(&w);
  return 0;
}

static int close_world(void **state) {
  world_close(&w);
  return 0;
}

/* Milliseconds between two requests, without the answer's latency. */
static int64_t pause_before(size_t request) {
  return (w.fake.requests[request].at_ns - w.fake.requests[request - 1].at_ns - w.fake.latency_ns +
          MS / 2) /
         MS;
}

static void a_transient_error_is_retried_and_the_cost_given_back(void **state) {
  static const fake_step steps[] = {{.status = 500, .body = ""}, {.status = 200, .body = OK_BODY}};
  fake_play(&w.fake, steps, 2);
  const mb_aws_result *result = world_describe(&w);
  assert_false(result->failed);
  assert_int_equal(result->attempts, 2);
  assert_int_equal(w.fake.request_count, 2);
  assert_int_equal(pause_before(1), 50);
  assert_int_equal(w.aws->quota.available, 500);
  assert_string_equal(fake_header(&w.fake.requests[0], "amz-sdk-invocation-id"),
                      fake_header(&w.fake.requests[1], "amz-sdk-invocation-id"));
  assert_contains(fake_header(&w.fake.requests[1], "amz-sdk-request"), "attempt=2; max=3");
  assert_contains(fake_header(&w.fake.requests[1], "amz-sdk-request"), "ttl=20261123T140100Z");
}

static void a_storm_of_500s_ends_after_three_attempts(void **state) {
  static const fake_step steps[] = {{.status = 503, .body = "<html>busy</html>", .forever = true}};
  fake_play(&w.fake, steps, 1);
  const mb_aws_result *result = world_describe(&w);
  assert_true(result->failed);
  assert_int_equal(w.fake.request_count, 3);
  assert_int_equal(pause_before(1), 50);
  assert_int_equal(pause_before(2), 100);
  assert_int_equal(result->error.kind, MB_ERROR_AWS);
  assert_int_equal(result->error.status, 503);
  assert_int_equal(result->error.attempts, 3);
  assert_true(result->error.retryable);
  assert_string_equal(result->error.operation, "ecs.describe_clusters");
  assert_int_equal(w.aws->quota.available, 500 - 2 * 14);
}

static void throttling_waits_longer_and_costs_less(void **state) {
  static const fake_step steps[] = {{.status = 400, .body = THROTTLED, .forever = true}};
  fake_play(&w.fake, steps, 1);
  const mb_aws_result *result = world_describe(&w);
  assert_int_equal(result->error.kind, MB_ERROR_THROTTLED);
  assert_string_equal(result->error.code, "ThrottlingException");
  assert_string_equal(result->error.message, "Rate exceeded");
  assert_int_equal(w.fake.request_count, 3);
  assert_int_equal(pause_before(1), 1000);
  assert_int_equal(pause_before(2), 2000);
  assert_int_equal(w.aws->quota.available, 490);
  mb_aws_counts counts;
  mb_aws_get_counts(w.aws, &counts);
  assert_int_equal(counts.throttled, 3);
  assert_int_equal(counts.retries, 2);
  assert_int_equal(counts.attempts, 3);
}

static void the_servers_hint_is_followed(void **state) {
  static const fake_step steps[] = {
      {.status = 500, .headers = "x-amz-retry-after: 700", .body = ""},
      {.status = 200, .body = OK_BODY}};
  fake_play(&w.fake, steps, 2);
  assert_false(world_describe(&w)->failed);
  assert_int_equal(pause_before(1), 700);
}

static void an_empty_quota_stops_retries_and_says_so(void **state) {
  static const fake_step steps[] = {{.status = 500, .body = "", .forever = true}};
  fake_play(&w.fake, steps, 1);
  w.aws->quota.available = 20;
  const mb_aws_result *result = world_describe(&w);
  assert_int_equal(w.fake.request_count, 2);
  assert_int_equal(w.aws->quota.available, 6);
  assert_contains(result->error.message, "not tried again");
}

static void a_first_success_adds_one_to_the_quota(void **state) {
  static const fake_step steps[] = {{.status = 200, .body = OK_BODY}};
  fake_play(&w.fake, steps, 1);
  w.aws->quota.available = 100;
  assert_false(world_describe(&w)->failed);
  assert_int_equal(w.aws->quota.available, 101);
}

static void a_clients_mistake_is_not_retried(void **state) {
  static const fake_step steps[] = {
      {.status = 400,
       .headers = "x-amzn-requestid: r-9",
       .body = "{\"__type\":\"com.amazonaws#ClusterNotFoundException\",\"message\":\"no such\\n "
               "one\"}"}};
  fake_play(&w.fake, steps, 1);
  const mb_aws_result *result = world_describe(&w);
  assert_int_equal(w.fake.request_count, 1);
  assert_string_equal(result->error.code, "ClusterNotFoundException");
  assert_string_equal(result->error.message, "no such one");
  assert_string_equal(result->error.request_id, "r-9");
  assert_string_equal(result->error.region, "eu-west-1");
  assert_string_equal(result->error.endpoint, "https://ecs.eu-west-1.amazonaws.com");
  assert_false(result->error.retryable);
}

static void a_broken_connection_is_retried(void **state) {
  static const fake_step steps[] = {{.failure = MB_ERROR_NETWORK, .code = "ConnectionLost"},
                                    {.failure = MB_ERROR_TIMEOUT, .code = "NoAnswer"},
                                    {.status = 200, .body = OK_BODY}};
  fake_play(&w.fake, steps, 3);
  assert_false(world_describe(&w)->failed);
  assert_int_equal(w.fake.request_count, 3);
}

static void an_answer_too_large_is_not_retried(void **state) {
  static const fake_step steps[] = {{.failure = MB_ERROR_LIMIT, .code = "AnswerTooLarge"}};
  fake_play(&w.fake, steps, 1);
  assert_int_equal(world_describe(&w)->error.kind, MB_ERROR_LIMIT);
  assert_int_equal(w.fake.request_count, 1);
}

static void a_host_that_cannot_be_found_points_at_the_region(void **state) {
  static const fake_step steps[] = {
      {.failure = MB_ERROR_NETWORK, .code = "HostNotFound", .forever = true}};
  mb_aws_request request = world_request(&w, "ecs", "list_clusters", NULL);
  fake_play(&w.fake, steps, 1);
  request.region = "eu-wset-1";
  mb_aws_start(w.aws, w.arena, &request, world_on_end, &w);
  const mb_aws_result *result = world_run(&w);
  assert_int_equal(result->error.kind, MB_ERROR_NETWORK);
  assert_string_equal(result->error.region, "eu-wset-1");
  assert_contains(result->error.next, "'eu-wset-1' is an AWS region");
}

static void silence_is_broken_off_and_retried(void **state) {
  static const fake_step steps[] = {{.silence = true}, {.status = 200, .body = OK_BODY}};
  fake_play(&w.fake, steps, 2);
  assert_false(world_describe(&w)->failed);
  assert_int_equal(w.fake.cancelled, 1);
  assert_true(w.fake.requests[1].at_ns - w.fake.requests[0].at_ns >= 60 * SECOND);
}

static void the_number_of_attempts_can_be_set(void **state) {
  static const fake_step steps[] = {{.status = 500, .body = "", .forever = true}};
  fake_play(&w.fake, steps, 1);
  fake_setenv(&w.fake, "AWS_MAX_ATTEMPTS", "6");
  assert_int_equal(world_describe(&w)->attempts, 6);
  assert_contains(fake_header(&w.fake.requests[0], "amz-sdk-request"), "max=6");
}

static void dynamodb_is_tried_four_times_after_shorter_pauses(void **state) {
  static const fake_step steps[] = {{.status = 500, .body = "", .forever = true}};
  fake_play(&w.fake, steps, 1);
  const mb_aws_result *result = world_call(&w, "dynamodb", "list_tables", NULL);
  assert_int_equal(result->attempts, 4);
  assert_int_equal(pause_before(1), 25);
  assert_int_equal(pause_before(3), 100);
}

static void a_damaged_answer_of_dynamodb_is_asked_for_again(void **state) {
  static const fake_step steps[] = {
      {.status = 200, .headers = "x-amz-crc32: 1", .body = "{\"TableNames\":[\"bad\"]}"},
      {.status = 200, .headers = "x-amz-crc32: 2745614147", .body = "{}"}};
  fake_play(&w.fake, steps, 2);
  const mb_aws_result *result = world_call(&w, "dynamodb", "list_tables", NULL);
  assert_false(result->failed);
  assert_int_equal(result->attempts, 2);
}

static void every_attempt_carries_the_same_token(void **state) {
  static const fake_step steps[] = {{.status = 500, .body = ""},
                                    {.status = 200, .body = "{\"tasks\":[],\"failures\":[]}"}};
  fake_play(&w.fake, steps, 2);
  w.fake.random_counts = true;
  const mb_aws_result *result = world_call(&w, "ecs", "run_task", "{\"task_definition\":\"app\"}");
  assert_false(result->failed);
  assert_contains(w.fake.requests[0].body, "\"clientToken\":\"");
  assert_string_equal(w.fake.requests[0].body, w.fake.requests[1].body);
}

/* ---- garbage ---- */

static void garbage_in_a_200_is_an_unreadable_answer(void **state) {
  static const char *const bodies[] = {"{\"clusters\":[", "<html>", "[1]", "{\"clusters\":7}",
                                       "\x01\x02"};
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    fake_step steps[] = {{.status = 200, .headers = "x-amzn-requestid: r-7", .body = bodies[i]}};
    fake_forget_requests(&w.fake);
    fake_play(&w.fake, steps, 1);
    const mb_aws_result *result = world_describe(&w);
    if (!result->failed)
      fail_msg("'%s' was read", bodies[i]);
    assert_int_equal(result->error.kind, MB_ERROR_NETWORK);
    assert_string_equal(result->error.request_id, "r-7");
    assert_int_equal(result->error.status, 200);
    assert_int_equal(w.fake.request_count, 1);
  }
}

/* ---- clock skew ---- */

static void a_wrong_clock_is_corrected_once_for_all_later_calls(void **state) {
  static const fake_step steps[] = {
      {.status = 403,
       .headers = "Date: Mon, 23 Nov 2026 14:30:00 GMT",
       .body = "{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature expired\"}"},
      {.status = 200, .body = OK_BODY, .forever = true}};
  fake_play(&w.fake, steps, 2);
  const mb_aws_result *result = world_describe(&w);
  assert_false(result->failed);
  assert_int_equal(result->attempts, 2);
  assert_string_equal(fake_header(&w.fake.requests[0], "X-Amz-Date"), "20261123T140000Z");
  assert_string_equal(fake_header(&w.fake.requests[1], "X-Amz-Date"), "20261123T143000Z");
  assert_false(world_describe(&w)->failed);
  assert_string_equal(fake_header(&w.fake.requests[2], "X-Amz-Date"), "20261123T143000Z");
}

static void a_wrong_key_is_not_taken_for_a_wrong_clock(void **state) {
  static const fake_step steps[] = {
      {.status = 403,
       .headers = "Date: Mon, 23 Nov 2026 14:03:00 GMT",
       .body = "{\"__type\":\"SignatureDoesNotMatch\",\"message\":\"wrong\"}",
       .forever = true}};
  fake_play(&w.fake, steps, 1);
  const mb_aws_result *result = world_describe(&w);
  assert_int_equal(w.fake.request_count, 1);
  assert_int_equal(result->error.kind, MB_ERROR_CREDENTIALS);
}

static void a_clock_that_stays_wrong_does_not_loop(void **state) {
  static const fake_step steps[] = {
      {.status = 403,
       .headers = "Date: Mon, 23 Nov 2026 18:00:00 GMT",
       .body = "{\"__type\":\"RequestTimeTooSkewed\",\"message\":\"skewed\"}",
       .forever = true}};
  fake_play(&w.fake, steps, 1);
  const mb_aws_result *result = world_describe(&w);
  assert_int_equal(w.fake.request_count, 2);
  assert_string_equal(result->error.code, "RequestTimeTooSkewed");
  assert_contains(result->error.next, "clock is 14400 seconds behind AWS's");
}

static void an_absurd_date_corrects_nothing(void **state) {
  static const char *const dates[] = {"Date: Fri, 31 Dec 9999 23:59:59 GMT", "Date: never",
                                      "Date: Thu, 01 Jan 1970 00:00:00 GMT"};
  for (size_t i = 0; i < 3; i++) {
    fake_step steps[] = {{.status = 403,
                          .headers = dates[i],
                          .body = "{\"__type\":\"RequestExpired\"}",
                          .forever = true}};
    fake_play(&w.fake, steps, 1);
    assert_true(world_describe(&w)->failed);
    assert_true(w.aws->skew_ns == 0);
  }
}

/* ---- expired tokens ---- */

static void an_expired_token_is_refreshed_once(void **state) {
  static const fake_step steps[] = {
      {.status = 400, .body = "{\"__type\":\"ExpiredTokenException\",\"message\":\"expired\"}"},
      {.status = 200, .body = OK_BODY}};
  fake_play(&w.fake, steps, 2);
  fake_setenv(&w.fake, "AWS_SESSION_TOKEN", "old");
  mb_aws_request request = world_request(&w, "ecs", "list_clusters", NULL);
  mb_aws_start(w.aws, w.arena, &request, world_on_end, &w);
  fake_setenv(&w.fake, "AWS_SESSION_TOKEN", "new");
  const mb_aws_result *result = world_run(&w);
  assert_false(result->failed);
  assert_string_equal(fake_header(&w.fake.requests[0], "X-Amz-Security-Token"), "old");
  assert_string_equal(fake_header(&w.fake.requests[1], "X-Amz-Security-Token"), "new");
}

static void a_token_that_stays_expired_is_an_error(void **state) {
  static const fake_step steps[] = {
      {.status = 400, .body = "{\"__type\":\"ExpiredTokenException\"}", .forever = true}};
  fake_play(&w.fake, steps, 1);
  const mb_aws_result *result = world_describe(&w);
  assert_int_equal(w.fake.request_count, 2);
  assert_int_equal(result->error.kind, MB_ERROR_CREDENTIALS);
  assert_string_equal(result->error.code, "ExpiredTokenException");
}

/* ---- deadlines ---- */

static const mb_aws_result *describe_within(int64_t ns) {
  mb_aws_request request = world_request(&w, "ecs", "list_clusters", NULL);
  request.deadline_ns = w.fake.monotonic_ns + ns;
  mb_aws_start(w.aws, w.arena, &request, world_on_end, &w);
  return world_run(&w);
}

static void a_deadline_ends_a_call_that_gets_no_answer(void **state) {
  static const fake_step steps[] = {{.silence = true, .forever = true}};
  fake_play(&w.fake, steps, 1);
  int64_t start = w.fake.monotonic_ns;
  const mb_aws_result *result = describe_within(5 * SECOND);
  assert_int_equal(result->error.kind, MB_ERROR_TIMEOUT);
  assert_int_equal(result->error.attempts, 1);
  assert_true(w.fake.monotonic_ns - start == 5 * SECOND);
  assert_int_equal(w.fake.cancelled, 1);
}

static void a_deadline_counts_over_all_attempts(void **state) {
  static const fake_step steps[] = {{.status = 400, .body = THROTTLED, .forever = true}};
  fake_play(&w.fake, steps, 1);
  int64_t start = w.fake.monotonic_ns;
  const mb_aws_result *result = describe_within(2 * SECOND);
  assert_int_equal(result->error.kind, MB_ERROR_TIMEOUT);
  assert_contains(result->error.message, "Rate exceeded");
  assert_int_equal(result->error.attempts, 2);
  assert_true(w.fake.monotonic_ns - start <= 2 * SECOND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_transient_error_is_retried_and_the_cost_given_back),
      TEST(a_storm_of_500s_ends_after_three_attempts),
      TEST(throttling_waits_longer_and_costs_less),
      TEST(the_servers_hint_is_followed),
      TEST(an_empty_quota_stops_retries_and_says_so),
      TEST(a_first_success_adds_one_to_the_quota),
      TEST(a_clients_mistake_is_not_retried),
      TEST(a_broken_connection_is_retried),
      TEST(an_answer_too_large_is_not_retried),
      TEST(a_host_that_cannot_be_found_points_at_the_region),
      TEST(silence_is_broken_off_and_retried),
      TEST(the_number_of_attempts_can_be_set),
      TEST(dynamodb_is_tried_four_times_after_shorter_pauses),
      TEST(a_damaged_answer_of_dynamodb_is_asked_for_again),
      TEST(every_attempt_carries_the_same_token),
      TEST(garbage_in_a_200_is_an_unreadable_answer),
      TEST(a_wrong_clock_is_corrected_once_for_all_later_calls),
      TEST(a_wrong_key_is_not_taken_for_a_wrong_clock),
      TEST(a_clock_that_stays_wrong_does_not_loop),
      TEST(an_absurd_date_corrects_nothing),
      TEST(an_expired_token_is_refreshed_once),
      TEST(a_token_that_stays_expired_is_an_error),
      TEST(a_deadline_ends_a_call_that_gets_no_answer),
      TEST(a_deadline_counts_over_all_attempts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
