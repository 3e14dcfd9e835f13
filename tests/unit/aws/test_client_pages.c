/* Listings and waiters. */
#include "client_world.h"

static world w;

static int open_world(void **state) {
  world_init(&w);
  return 0;
}

static int close_world(void **state) {
  world_close(&w);
  return 0;
}

/* ---- pages ---- */

static const mb_aws_result *list(const char *service, const char *operation, const char *input) {
  mb_aws_request request = world_request(&w, service, operation, input);
  mb_aws_start_pages(w.aws, w.arena, &request, world_on_end, &w);
  return world_run(&w);
}

static void pages_are_merged_in_order_and_the_token_is_gone(void **state) {
  static const fake_step steps[] = {
      {.status = 200, .body = "{\"clusterArns\":[\"a\",\"b\"],\"nextToken\":\"1\"}"},
      {.status = 200, .body = "{\"clusterArns\":[],\"nextToken\":\"2\"}"},
      {.status = 500, .body = ""},
      {.status = 200, .headers = "x-amzn-requestid: last", .body = "{\"clusterArns\":[\"c\"]}"}};
  fake_play(&w.fake, steps, 4);
  const mb_aws_result *result = list("ecs", "list_clusters", "{\"maxResults\":2}");
  if (result->failed)
    fail_msg("%s", result->error.message);
  assert_string_equal(mb_value_to_json(w.arena, result->output, 0, true),
                      "{\"cluster_arns\":[\"a\",\"b\",\"c\"]}");
  assert_int_equal(result->attempts, 4);
  assert_string_equal(result->request_id, "last");
  assert_string_equal(w.fake.requests[0].body, "{\"maxResults\":2}");
  assert_contains(w.fake.requests[1].body, "\"nextToken\":\"1\"");
  assert_contains(w.fake.requests[3].body, "\"nextToken\":\"2\"");
  assert_contains(w.fake.requests[3].body, "\"maxResults\":2");
  assert_contains(fake_header(&w.fake.requests[0], "User-Agent"), "m/E,C ");
}

static void an_empty_token_ends_a_listing(void **state) {
  static const fake_step steps[] = {
      {.status = 200, .body = "{\"clusterArns\":[\"a\"],\"nextToken\":\"\"}"}};
  fake_play(&w.fake, steps, 1);
  assert_false(list("ecs", "list_clusters", NULL)->failed);
  assert_int_equal(w.fake.request_count, 1);
}

static void a_token_that_repeats_is_an_error(void **state) {
  static const fake_step steps[] = {
      {.status = 200, .body = "{\"clusterArns\":[\"a\"],\"nextToken\":\"1\"}", .forever = true}};
  fake_play(&w.fake, steps, 1);
  const mb_aws_result *result = list("ecs", "list_clusters", NULL);
  assert_true(result->failed);
  assert_string_equal(result->error.code, "RepeatedToken");
  assert_string_equal(result->error.operation, "ecs.list_clusters");
  assert_int_equal(w.fake.request_count, 2);
}

static void an_error_on_a_later_page_is_the_listings_error(void **state) {
  static const fake_step steps[] = {
      {.status = 200, .body = "{\"clusterArns\":[\"a\"],\"nextToken\":\"1\"}"},
      {.status = 400, .body = "{\"__type\":\"InvalidParameterException\",\"message\":\"m\"}"}};
  fake_play(&w.fake, steps, 2);
  const mb_aws_result *result = list("ecs", "list_clusters", NULL);
  assert_string_equal(result->error.code, "InvalidParameterException");
  assert_int_equal(result->attempts, 2);
}

static void what_has_no_pages_is_refused(void **state) {
  const mb_aws_result *result = list("ecs", "describe_clusters", NULL);
  assert_int_equal(result->error.kind, MB_ERROR_USAGE);
  assert_string_equal(result->error.code, "NotPaginated");
  assert_int_equal(w.fake.request_count, 0);
}

static void a_listing_that_says_there_is_no_more_ends(void **state) {
  static const fake_step steps[] = {
      {.status = 200,
       .body = "<ListUsersResponse><ListUsersResult><Users><member><UserName>a</UserName></member>"
               "</Users><IsTruncated>true</IsTruncated><Marker>m</Marker></ListUsersResult>"
               "</ListUsersResponse>"},
      {.status = 200,
       .body = "<ListUsersResponse><ListUsersResult><Users><member><UserName>b</UserName></member>"
               "</Users><IsTruncated>false</IsTruncated><Marker>left over</Marker>"
               "</ListUsersResult></ListUsersResponse>"}};
  fake_play(&w.fake, steps, 2);
  const mb_aws_result *result = list("iam", "list_users", NULL);
  if (result->failed)
    fail_msg("%s", result->error.message);
  assert_int_equal(mb_value_count(mb_map_get(result->output, "users")), 2);
  assert_contains(w.fake.requests[1].body, "Marker=m");
}

static void the_next_page_keeps_the_inputs_own_spelling(void **state) {
  mb_aws_request request =
      world_request(&w, "ecs", "list_clusters", "{\"nextToken\":\"0\",\"maxResults\":5}");
  mb_value *output = NULL, next;
  mb_error error;
  mb_value_from_json(w.arena, &output, "{\"next_token\":\"1\"}", 18, NULL);
  assert_true(mb_aws_next_page(w.arena, request.model, request.operation, request.input, output,
                               &next, &error));
  assert_string_equal(mb_value_to_json(w.arena, &next, 0, true),
                      "{\"nextToken\":\"1\",\"maxResults\":5}");
  mb_value_from_json(w.arena, &output, "{\"next_token\":null}", 19, NULL);
  assert_false(mb_aws_next_page(w.arena, request.model, request.operation, request.input, output,
                                &next, &error));
  assert_int_equal(error.kind, MB_OK);
}

/* ---- waiters ---- */

static int looks_told;

static void on_look(int attempt, const mb_value *output, void *payload) {
  assert_ptr_equal(payload, &w);
  looks_told = attempt;
}

static const mb_waiter *find_waiter(const mb_model *model, const char *name) {
  for (size_t i = 0; i < mb_model_waiter_count(model); i++) {
    if (strcmp(mb_model_text(model, mb_model_waiter_at(model, i)->snake), name) == 0)
      return mb_model_waiter_at(model, i);
  }
  fail_msg("there is no waiter %s", name);
  return NULL;
}

static const mb_aws_result *wait_for(const char *service, const char *name, const char *input,
                                     mb_wait_options options, int64_t deadline_ns) {
  const mb_model *model = mb_model_find(service);
  const mb_waiter *waiter = find_waiter(model, name);
  mb_error error;
  mb_value *value = NULL;
  assert_int_equal(mb_value_from_json(w.arena, &value, input, strlen(input), &error), 0);
  mb_aws_request request = {.input = value, .deadline_ns = deadline_ns};
  looks_told = 0;
  options.on_look = on_look;
  mb_aws_start_wait(w.aws, w.arena, model, waiter, &request, &options, world_on_end, &w);
  return world_run(&w);
}

#define SERVICES "{\"cluster\":\"c\",\"services\":[\"s\"]}"
#define TASKS    "{\"cluster\":\"c\",\"tasks\":[\"t\"]}"

static const mb_wait_options as_modelled;

static void a_waiter_looks_until_it_is_so(void **state) {
  static const fake_step steps[] = {
      {.status = 200,
       .body = "{\"failures\":[],\"tasks\":[{\"lastStatus\":\"PENDING\"},"
               "{\"lastStatus\":\"RUNNING\"}]}"},
      {.status = 200, .body = "{\"failures\":[],\"tasks\":[]}"},
      {.status = 200, .body = "{\"failures\":[],\"tasks\":[{\"lastStatus\":\"RUNNING\"}]}"}};
  fake_play(&w.fake, steps, 3);
  const mb_aws_result *result = wait_for("ecs", "tasks_running", TASKS, as_modelled, 0);
  if (result->failed)
    fail_msg("%s", result->error.message);
  assert_int_equal(w.fake.request_count, 3);
  assert_int_equal(looks_told, 2);
  assert_true(w.fake.requests[1].at_ns - w.fake.requests[0].at_ns == 6 * SECOND + MS);
  assert_int_equal(mb_value_count(mb_map_get(result->output, "tasks")), 1);
  assert_contains(fake_header(&w.fake.requests[0], "User-Agent"), "m/E,B ");
}

static void a_state_that_never_succeeds_ends_the_wait_at_once(void **state) {
  static const fake_step steps[] = {
      {.status = 200, .body = "{\"failures\":[],\"tasks\":[{\"lastStatus\":\"STOPPED\"}]}"}};
  fake_play(&w.fake, steps, 1);
  const mb_aws_result *result = wait_for("ecs", "tasks_running", TASKS, as_modelled, 0);
  assert_true(result->failed);
  assert_string_equal(result->error.code, "WaiterFailed");
  assert_contains(result->error.message, "tasks_running will not come about");
  assert_contains(result->error.message, "STOPPED");
}

static void a_wait_ends_after_its_looks(void **state) {
  static const fake_step steps[] = {
      {.status = 200, .body = "{\"failures\":[],\"tasks\":[]}", .forever = true}};
  mb_wait_options options = {.delay_seconds = 2.5, .max_attempts = 4};
  fake_play(&w.fake, steps, 1);
  const mb_aws_result *result = wait_for("ecs", "tasks_running", TASKS, options, 0);
  assert_string_equal(result->error.code, "WaiterTimeout");
  assert_int_equal(result->error.kind, MB_ERROR_TIMEOUT);
  assert_int_equal(w.fake.request_count, 4);
  assert_int_equal(looks_told, 4);
  assert_true(w.fake.requests[1].at_ns - w.fake.requests[0].at_ns == 2500 * MS + MS);
}

static void a_wait_ends_at_its_deadline(void **state) {
  static const fake_step steps[] = {
      {.status = 200, .body = "{\"failures\":[],\"tasks\":[]}", .forever = true}};
  fake_play(&w.fake, steps, 1);
  int64_t deadline = w.fake.monotonic_ns + 10 * SECOND;
  const mb_aws_result *result = wait_for("ecs", "tasks_running", TASKS, as_modelled, deadline);
  assert_string_equal(result->error.code, "WaiterTimeout");
  assert_int_equal(w.fake.request_count, 2);
  assert_true(w.fake.monotonic_ns <= deadline);
}

static void an_error_the_waiter_does_not_know_is_final(void **state) {
  static const fake_step steps[] = {
      {.status = 400, .body = "{\"__type\":\"ClusterNotFoundException\",\"message\":\"m\"}"}};
  fake_play(&w.fake, steps, 1);
  const mb_aws_result *result = wait_for("ecs", "services_stable", SERVICES, as_modelled, 0);
  assert_string_equal(result->error.code, "ClusterNotFoundException");
  assert_int_equal(w.fake.request_count, 1);
}

static void an_error_may_be_what_is_waited_for(void **state) {
  static const fake_step steps[] = {
      {.status = 200, .body = "{\"Table\":{\"TableStatus\":\"DELETING\"}}"},
      {.status = 400, .body = "{\"__type\":\"ResourceNotFoundException\",\"message\":\"m\"}"}};
  fake_play(&w.fake, steps, 2);
  const mb_aws_result *result =
      wait_for("dynamodb", "table_not_exists", "{\"table_name\":\"tab\"}", as_modelled, 0);
  if (result->failed)
    fail_msg("%s", result->error.message);
  assert_int_equal(w.fake.request_count, 2);
}

static void a_broken_wire_is_not_what_is_waited_for(void **state) {
  static const fake_step steps[] = {
      {.failure = MB_ERROR_NETWORK, .code = "ConnectionRefused", .forever = true}};
  fake_play(&w.fake, steps, 1);
  const mb_aws_result *result =
      wait_for("dynamodb", "table_not_exists", "{\"table_name\":\"tab\"}", as_modelled, 0);
  assert_true(result->failed);
  assert_string_equal(result->error.code, "ConnectionRefused");
}

static void a_wait_can_be_cancelled_between_two_looks(void **state) {
  static const fake_step steps[] = {
      {.status = 200, .body = "{\"failures\":[],\"tasks\":[]}", .forever = true}};
  const mb_model *model = mb_model_find("ecs");
  mb_value *input = NULL;
  fake_play(&w.fake, steps, 1);
  mb_value_from_json(w.arena, &input, TASKS, strlen(TASKS), NULL);
  mb_aws_request request = {.input = input};
  mb_aws_call *call = mb_aws_start_wait(w.aws, w.arena, model, find_waiter(model, "tasks_running"),
                                        &request, NULL, world_on_end, &w);
  assert_true(mb_loop_turn(w.loop, INT64_MAX));
  mb_aws_cancel(call);
  assert_false(mb_loop_turn(w.loop, INT64_MAX));
  assert_int_equal(w.ends, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(pages_are_merged_in_order_and_the_token_is_gone),
      TEST(an_empty_token_ends_a_listing),
      TEST(a_token_that_repeats_is_an_error),
      TEST(an_error_on_a_later_page_is_the_listings_error),
      TEST(what_has_no_pages_is_refused),
      TEST(a_listing_that_says_there_is_no_more_ends),
      TEST(the_next_page_keeps_the_inputs_own_spelling),
      TEST(a_waiter_looks_until_it_is_so),
      TEST(a_state_that_never_succeeds_ends_the_wait_at_once),
      TEST(a_wait_ends_after_its_looks),
      TEST(a_wait_ends_at_its_deadline),
      TEST(an_error_the_waiter_does_not_know_is_final),
      TEST(an_error_may_be_what_is_waited_for),
      TEST(a_broken_wire_is_not_what_is_waited_for),
      TEST(a_wait_can_be_cancelled_between_two_looks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
