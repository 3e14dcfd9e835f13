/* Service operations and waiters through a network that is not there. */
#include "base/text.h"
#include "call/call.h"
#include "support/fake_transport.h"
#include "support/sweep.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

typedef struct stage {
  fake_machine fake;
  mb_engine engine;
  mb_arena *arena;
  int ends;
  bool failed;
  mb_error error;
  const mb_value *result;
  char request_id[96];
  int attempts;
  int looks;
  char last_look[64];
} stage;

static const mb_settings_options settings = {.region = "eu-west-1",
                                             .endpoint_url = "http://127.0.0.1:4566"};

static int set_up(void **state) {
  static stage s;
  mb_error error;
  memset(&s, 0, sizeof s);
  fake_init(&s.fake);
  s.fake.random_counts = true;
  fake_setenv(&s.fake, "AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
  fake_setenv(&s.fake, "AWS_SECRET_ACCESS_KEY", "secret");
  s.arena = mb_arena_new(0);
  *state = &s;
  return s.arena && mb_engine_init(&s.engine, &s.fake.system, &settings, 0, &error) == 0 ? 0 : -1;
}

static int tear_down(void **state) {
  stage *s = *state;
  mb_engine_dispose(&s->engine);
  mb_arena_free(s->arena);
  fake_dispose(&s->fake);
  return 0;
}

static void on_end(mb_call *call, const mb_value *result, const mb_error *error, void *payload) {
  stage *s = payload;
  s->ends++;
  s->failed = error != NULL;
  s->result = result;
  if (error)
    s->error = *error;
  mb_text_copy(s->request_id, sizeof s->request_id, mb_call_request_id(call));
  s->attempts = mb_call_attempts(call);
}

static void on_progress(const char *message, void *payload) {
  stage *s = payload;
  s->looks++;
  mb_text_copy(s->last_look, sizeof s->last_look, message);
}

static const mb_value *json(stage *s, const char *text) {
  mb_value *value;
  mb_error error;
  assert_int_equal(mb_value_from_json(s->arena, &value, text, strlen(text), &error), 0);
  return value;
}

static mb_call *start(stage *s, const char *name, const char *args, bool pages) {
  mb_error error;
  const mb_binding *binding = mb_engine_find(&s->engine, name, &error);
  const mb_value *value = json(s, args);
  mb_call_options options = {
      .pages = pages, .on_end = on_end, .on_progress = on_progress, .payload = s};
  assert_non_null(binding);
  if (mb_call_check(&s->engine, binding, s->arena, value, &error) != 0)
    fail_msg("%s", error.message);
  s->ends = 0;
  mb_error_clear(&s->error);
  return mb_call_start(&s->engine, binding, s->arena, value, &options);
}

static void run(stage *s, const char *name, const char *args, bool pages) {
  start(s, name, args, pages);
  while (s->ends == 0 && mb_loop_turn(s->engine.loop, INT64_MAX)) {
  }
  assert_int_equal(s->ends, 1);
}

static void succeed(stage *s, const char *name, const char *args) {
  run(s, name, args, false);
  if (s->failed)
    fail_msg("%s: %s", name, s->error.message);
}

static void check_fails(stage *s, const char *name, const char *args, const char *about) {
  mb_error error;
  mb_error_clear(&error);
  const mb_binding *binding = mb_engine_find(&s->engine, name, &error);
  assert_non_null(binding);
  assert_int_equal(mb_call_check(&s->engine, binding, s->arena, json(s, args), &error), -1);
  assert_int_equal(error.kind, MB_ERROR_USAGE);
  assert_string_equal(error.operation, name);
  if (!strstr(error.message, about))
    fail_msg("%s does not say \"%s\"", error.message, about);
}

#define PLAY(s, ...)                                                                               \
  const fake_step steps_[] = {__VA_ARGS__};                                                        \
  fake_forget_requests(&(s)->fake);                                                                \
  fake_play(&(s)->fake, steps_, sizeof steps_ / sizeof *steps_)

/* ---- one call ---- */

static void members_are_snake_case_both_ways(void **state) {
  stage *s = *state;
  PLAY(s, {.operation = "ListTasks",
           .status = 200,
           .headers = "x-amzn-RequestId: id-1",
           .body = "{\"taskArns\":[\"arn:1\"]}"});
  succeed(s, "ecs.list_tasks", "{\"cluster\":\"c\",\"desired_status\":\"STOPPED\"}");
  assert_string_equal(mb_value_string(mb_list_at(mb_map_get(s->result, "task_arns"), 0)), "arn:1");
  assert_int_equal(s->fake.request_count, 1);
  assert_non_null(strstr(s->fake.requests[0].body, "\"desiredStatus\":\"STOPPED\""));
  assert_non_null(fake_header(&s->fake.requests[0], "Authorization"));
  assert_string_equal(s->request_id, "id-1");
  assert_int_equal(s->attempts, 1);
}

static void wrong_arguments_send_nothing(void **state) {
  stage *s = *state;
  check_fails(s, "ecs.list_tasks", "{\"clutser\":\"c\"}", "clutser");
  check_fails(s, "ecs.describe_services", "{}", "services");
  check_fails(s, "ecs.update_service", "{\"service\":1}", "service");
  check_fails(s, "ecs.list_tasks", "[1]", "named arguments");
  check_fails(s, "ecs.list_tasks", "\"x\"", "named arguments");
  assert_int_equal(s->fake.request_count, 0);
}

static void a_service_error_names_the_primitive(void **state) {
  stage *s = *state;
  PLAY(s, {.status = 400,
           .headers = "x-amzn-RequestId: id-2",
           .body = "{\"__type\":\"AccessDeniedException\",\"message\":\"not you\"}"});
  run(s, "ecs.list_clusters", "{}", false);
  assert_true(s->failed);
  assert_int_equal(s->error.kind, MB_ERROR_DENIED);
  assert_string_equal(s->error.operation, "ecs.list_clusters");
  assert_string_equal(s->error.code, "AccessDeniedException");
  assert_string_equal(s->request_id, "id-2");
}

static void a_retry_sends_the_same_token(void **state) {
  stage *s = *state;
  PLAY(s, {.status = 500, .body = "{}"},
       {.status = 200, .body = "{\"service\":{\"serviceName\":\"s\"}}"});
  succeed(s, "ecs.create_service", "{\"service_name\":\"s\"}");
  assert_int_equal(s->fake.request_count, 2);
  assert_int_equal(s->attempts, 2);
  const char *token = strstr(s->fake.requests[0].body, "\"clientToken\":\"");
  assert_non_null(token);
  assert_int_equal(strcspn(token + 15, "\""), 36);
  assert_string_equal(s->fake.requests[0].body, s->fake.requests[1].body);
}

static void a_given_token_is_kept(void **state) {
  stage *s = *state;
  PLAY(s, {.status = 200, .body = "{}", .forever = true});
  succeed(s, "ecs.create_service", "{\"service_name\":\"s\",\"client_token\":\"mine\"}");
  assert_non_null(strstr(s->fake.requests[0].body, "\"clientToken\":\"mine\""));
  succeed(s, "ecs.create_service", "{\"service_name\":\"s\",\"clientToken\":\"mine\"}");
  assert_non_null(strstr(s->fake.requests[1].body, "\"clientToken\":\"mine\""));
  assert_null(strstr(strstr(s->fake.requests[1].body, "clientToken") + 1, "clientToken"));
}

static void reads_get_no_token(void **state) {
  stage *s = *state;
  PLAY(s, {.status = 200, .body = "{\"services\":[]}"});
  succeed(s, "ecs.describe_services", "{\"services\":[\"a\"]}");
  assert_null(strstr(s->fake.requests[0].body, "oken"));
}

static void pages_are_merged(void **state) {
  stage *s = *state;
  PLAY(s, {.status = 200, .body = "{\"clusterArns\":[\"a\"],\"nextToken\":\"t\"}"},
       {.status = 200, .body = "{\"clusterArns\":[\"b\"]}"});
  run(s, "ecs.list_clusters", "{}", true);
  assert_false(s->failed);
  assert_int_equal(mb_value_count(mb_map_get(s->result, "cluster_arns")), 2);
  assert_int_equal(s->fake.request_count, 2);
}

/* ---- answers of 200 that are none ---- */

static void failures_are_not_success(void **state) {
  stage *s = *state;
  PLAY(s, {.status = 200,
           .headers = "x-amzn-RequestId: id-3",
           .body = "{\"services\":[{\"serviceName\":\"b\"}],\"failures\":[{\"arn\":\"arn:a\","
                   "\"reason\":\"MISSING\"}]}"});
  run(s, "ecs.describe_services", "{\"services\":[\"a\",\"b\"]}", false);
  assert_true(s->failed);
  assert_int_equal(s->error.kind, MB_ERROR_AWS);
  assert_string_equal(s->error.code, "MISSING");
  assert_non_null(strstr(s->error.message, "arn:a"));
  assert_string_equal(s->error.request_id, "id-3");
  assert_int_equal(s->error.status, 200);
}

static void a_task_that_was_started_is_not_lost_with_the_answer(void **state) {
  stage *s = *state;
  PLAY(s, {.status = 200,
           .body = "{\"tasks\":[{\"taskArn\":\"arn:task/1\"}],\"failures\":[{\"reason\":"
                   "\"RESOURCE:CPU\",\"detail\":\"none left\"}]}"});
  run(s, "ecs.run_task", "{\"task_definition\":\"t\",\"count\":2}", false);
  assert_true(s->failed);
  assert_string_equal(s->error.code, "RESOURCE:CPU");
  assert_non_null(strstr(s->error.message, "none left"));
  assert_non_null(strstr(s->error.message, "arn:task/1"));
}

static void failed_entries_are_not_success(void **state) {
  stage *s = *state;
  PLAY(s,
       {.status = 200,
        .body = "{\"FailedEntryCount\":1,\"FailedEntries\":[{\"TargetId\":\"t\",\"ErrorCode\":"
                "\"ConcurrentModification\",\"ErrorMessage\":\"again\"}]}"},
       {.status = 200, .body = "{\"FailedEntryCount\":1,\"Entries\":[{\"ErrorCode\":\"X\"}]}"},
       {.status = 200, .body = "{\"FailedEntryCount\":0,\"Entries\":[{\"EventId\":\"1\"}]}"});
  run(s, "events.put_targets", "{\"rule\":\"r\",\"targets\":[{\"id\":\"t\",\"arn\":\"a\"}]}",
      false);
  assert_true(s->failed);
  assert_string_equal(s->error.code, "ConcurrentModification");
  run(s, "events.put_events", "{\"entries\":[{\"source\":\"s\"}]}", false);
  assert_true(s->failed);
  assert_string_equal(s->error.code, "PartialFailure");
  run(s, "events.put_events", "{\"entries\":[{\"source\":\"s\"}]}", false);
  assert_false(s->failed);
}

static void an_empty_list_of_failures_is_success(void **state) {
  stage *s = *state;
  PLAY(s, {.status = 200, .body = "{\"services\":[],\"failures\":[]}"});
  succeed(s, "ecs.describe_services", "{\"services\":[\"a\"]}");
}

/* ---- waiters ---- */

#define UNSTABLE                                                                                   \
  "{\"services\":[{\"status\":\"ACTIVE\",\"deployments\":[{},{}],\"runningCount\":1,"              \
  "\"desiredCount\":1}]}"
#define STABLE                                                                                     \
  "{\"services\":[{\"status\":\"ACTIVE\",\"deployments\":[{}],\"runningCount\":1,"                 \
  "\"desiredCount\":1}]}"

static void a_wait_says_where_it_stands(void **state) {
  stage *s = *state;
  PLAY(s, {.status = 200, .body = UNSTABLE}, {.status = 200, .body = UNSTABLE},
       {.status = 200, .body = STABLE});
  int64_t before = s->fake.monotonic_ns;
  run(s, "ecs.wait_for_services_stable",
      "{\"services\":[\"a\"],\"delay\":\"2s\",\"max_attempts\":10}", false);
  assert_false(s->failed);
  assert_int_equal(s->fake.request_count, 3);
  assert_int_equal(s->looks, 2);
  assert_string_equal(s->last_look, "attempt 2 of 10");
  assert_true(s->fake.monotonic_ns - before >= INT64_C(4000000000));
  assert_null(strstr(s->fake.requests[0].body, "delay"));
  assert_null(strstr(s->fake.requests[0].body, "ttempts"));
}

static void a_wait_gives_up_after_its_attempts(void **state) {
  stage *s = *state;
  PLAY(s, {.status = 200, .body = UNSTABLE, .forever = true});
  run(s, "ecs.wait_for_services_stable", "{\"services\":[\"a\"],\"delay\":1,\"max_attempts\":3}",
      false);
  assert_true(s->failed);
  assert_int_equal(s->error.kind, MB_ERROR_TIMEOUT);
  assert_string_equal(s->error.code, "WaiterTimeout");
  assert_string_equal(s->error.operation, "ecs.wait_for_services_stable");
  assert_int_equal(s->fake.request_count, 3);
}

static void a_wait_is_not_cut_at_the_deadline_of_a_call(void **state) {
  stage *s = *state;
  PLAY(s, {.status = 200, .body = UNSTABLE, .forever = true});
  int64_t before = s->fake.monotonic_ns;
  run(s, "ecs.wait_for_services_stable", "{\"services\":[\"a\"]}", false);
  assert_string_equal(s->error.code, "WaiterTimeout");
  assert_int_equal(s->fake.request_count, 40);
  assert_true(s->fake.monotonic_ns - before >= INT64_C(39) * 15 * 1000000000);
}

static void a_wait_sees_failures_itself(void **state) {
  stage *s = *state;
  PLAY(s, {.status = 200,
           .body = "{\"services\":[],\"failures\":[{\"arn\":\"a\",\"reason\":\"MISSING\"}]}"});
  run(s, "ecs.wait_for_services_stable", "{\"services\":[\"a\"]}", false);
  assert_string_equal(s->error.code, "WaiterFailed");
  assert_int_equal(s->fake.request_count, 1);
}

static void wrong_arguments_of_a_wait_are_named(void **state) {
  stage *s = *state;
  const char *name = "ecs.wait_for_services_stable";
  check_fails(s, name, "{\"services\":[\"a\"],\"delay\":\"soon\"}", "delay");
  check_fails(s, name, "{\"services\":[\"a\"],\"delay\":-1}", "delay");
  check_fails(s, name, "{\"services\":[\"a\"],\"max_attempts\":0}", "max_attempts");
  check_fails(s, name, "{\"services\":[\"a\"],\"max_attempts\":\"3\"}", "max_attempts");
  check_fails(s, name, "{\"delay\":1}", "services");
  check_fails(s, name, "{\"services\":[\"a\"],\"dealy\":1}", "dealy");
  check_fails(s, "ecs.describe_services", "{\"services\":[\"a\"],\"delay\":1}", "delay");
}

/* ---- cancelling ---- */

static void a_call_can_be_cancelled_while_it_is_sent(void **state) {
  stage *s = *state;
  PLAY(s, {.silence = true, .forever = true});
  mb_call *call = start(s, "ecs.list_clusters", "{}", false);
  while (s->fake.under_way == 0 && mb_loop_turn(s->engine.loop, s->fake.monotonic_ns + 1000000)) {
    if (s->fake.request_count > 0)
      break;
  }
  assert_non_null(call);
  mb_call_cancel(call);
  assert_int_equal(s->ends, 0);
  assert_int_equal(s->fake.under_way, 0);
  assert_false(mb_loop_turn(s->engine.loop, INT64_MAX));
}

static void a_wait_can_be_cancelled_between_looks(void **state) {
  stage *s = *state;
  PLAY(s, {.status = 200, .body = UNSTABLE, .forever = true});
  mb_call *call = start(s, "ecs.wait_for_services_stable", "{\"services\":[\"a\"]}", false);
  while (s->looks < 2)
    mb_loop_turn(s->engine.loop, INT64_MAX);
  mb_call_cancel(call);
  size_t requests = s->fake.request_count;
  assert_false(mb_loop_turn(s->engine.loop, INT64_MAX));
  assert_int_equal(s->fake.request_count, requests);
  assert_int_equal(s->ends, 0);
}

static void a_call_ends_at_its_deadline(void **state) {
  stage *s = *state;
  PLAY(s, {.silence = true, .forever = true});
  int64_t before = s->fake.monotonic_ns;
  run(s, "ecs.list_clusters", "{}", false);
  assert_true(s->failed);
  assert_int_equal(s->error.kind, MB_ERROR_TIMEOUT);
  assert_true(s->fake.monotonic_ns - before <= INT64_C(120000000000));
}

static void dispose_ends_what_is_under_way(void **state) {
  stage *s = *state;
  PLAY(s, {.silence = true, .forever = true});
  start(s, "ecs.list_clusters", "{}", false);
  start(s, "ecs.wait_for_services_stable", "{\"services\":[\"a\"]}", false);
  mb_engine_dispose(&s->engine);
  assert_int_equal(s->ends, 0);
  mb_error error;
  assert_int_equal(mb_engine_init(&s->engine, &s->fake.system, &settings, 0, &error), 0);
}

/* ---- memory ---- */

static int answer(void *payload, const mb_http_request *request, mb_arena *arena,
                  mb_transfer_result *out) {
  return fake_reply(arena, out, 200, "x-amzn-RequestId: 1",
                    "{\"service\":{\"serviceName\":\"s\"},\"failures\":[]}");
}

static void call_once(void *payload) {
  stage *s = payload;
  static const char text[] = "{\"service_name\":\"s\"}";
  mb_error error;
  mb_engine engine;
  mb_arena *arena = mb_arena_new(0);
  mb_value *args = NULL;
  mb_error_clear(&error);
  if (arena && mb_engine_init(&engine, &s->fake.system, &settings, 0, &error) == 0) {
    const mb_binding *binding = mb_engine_find(&engine, "ecs.create_service", &error);
    mb_call_options options = {.on_end = on_end, .payload = s};
    s->ends = 0;
    if (binding && mb_value_from_json(arena, &args, text, sizeof text - 1, &error) == 0 &&
        mb_call_check(&engine, binding, arena, args, &error) == 0) {
      mb_call_start(&engine, binding, arena, args, &options);
      while (s->ends == 0 && mb_loop_turn(engine.loop, INT64_MAX)) {
      }
      assert_int_equal(s->ends, 1);
    } else {
      assert_int_equal(error.kind, MB_ERROR_MEMORY);
    }
    mb_engine_dispose(&engine);
  }
  mb_arena_free(arena);
}

static void every_refused_allocation_is_survived(void **state) {
  stage *s = *state;
  s->fake.answer = answer;
  assert_true(sweep_run(call_once, s) > 10);
  assert_false(s->failed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(members_are_snake_case_both_ways),
      TEST(wrong_arguments_send_nothing),
      TEST(a_service_error_names_the_primitive),
      TEST(a_retry_sends_the_same_token),
      TEST(a_given_token_is_kept),
      TEST(reads_get_no_token),
      TEST(pages_are_merged),
      TEST(failures_are_not_success),
      TEST(a_task_that_was_started_is_not_lost_with_the_answer),
      TEST(failed_entries_are_not_success),
      TEST(an_empty_list_of_failures_is_success),
      TEST(a_wait_says_where_it_stands),
      TEST(a_wait_gives_up_after_its_attempts),
      TEST(a_wait_is_not_cut_at_the_deadline_of_a_call),
      TEST(a_wait_sees_failures_itself),
      TEST(wrong_arguments_of_a_wait_are_named),
      TEST(a_call_can_be_cancelled_while_it_is_sent),
      TEST(a_wait_can_be_cancelled_between_looks),
      TEST(a_call_ends_at_its_deadline),
      TEST(dispose_ends_what_is_under_way),
      TEST(every_refused_allocation_is_survived),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
