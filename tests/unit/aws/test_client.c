/* One call: what goes out, what comes back, and what an error says. */
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

static void a_call_is_signed_sent_and_decoded(void **state) {
  static const fake_step steps[] = {
      {.operation = "DescribeClusters",
       .status = 200,
       .headers = "x-amzn-requestid: r-1",
       .body =
           "{\"clusters\":[{\"clusterName\":\"prod\",\"runningTasksCount\":3}],\"failures\":[]}"}};
  fake_play(&w.fake, steps, 1);
  const mb_aws_result *result = world_describe(&w);
  if (result->failed)
    fail_msg("%s: %s", result->error.code, result->error.message);
  const mb_value *cluster = mb_list_at(mb_map_get(result->output, "clusters"), 0);
  assert_string_equal(mb_value_string(mb_map_get(cluster, "cluster_name")), "prod");
  assert_int_equal(mb_value_integer(mb_map_get(cluster, "running_tasks_count")), 3);
  assert_string_equal(result->request_id, "r-1");
  assert_int_equal(result->attempts, 1);
  assert_int_equal(result->status, 200);

  const fake_request *request = &w.fake.requests[0];
  assert_string_equal(request->url, "https://ecs.eu-west-1.amazonaws.com/");
  assert_string_equal(request->method, "POST");
  assert_string_equal(request->body, "{\"clusters\":[\"prod\"]}");
  assert_contains(fake_header(request, "Authorization"),
                  "Credential=AKIDEXAMPLE/20261123/eu-west-1/ecs/aws4_request");
  assert_contains(fake_header(request, "Authorization"), "amz-sdk-invocation-id;amz-sdk-request");
  assert_string_equal(fake_header(request, "X-Amz-Date"), "20261123T140000Z");
  assert_string_equal(fake_header(request, "amz-sdk-request"), "attempt=1; max=3");
  assert_int_equal(strlen(fake_header(request, "amz-sdk-invocation-id")), 36);
  assert_null(fake_header(request, "X-Amz-Security-Token"));
  assert_contains(fake_header(request, "User-Agent"), "moonbook/0.1.0 ua/2.1 os/linux#");
  assert_contains(fake_header(request, "User-Agent"), " m/E cfg/retry-mode#standard");
}

/* ---- where a call goes ---- */

#define OK_BODY "{\"clusters\":[],\"failures\":[]}"

static const fake_step always_ok[] = {{.status = 200, .body = OK_BODY, .forever = true}};

static mb_error refused(const char *service, const char *operation, const char *input) {
  const mb_aws_result *result = world_call(&w, service, operation, input);
  assert_true(result->failed);
  return result->error;
}

static void without_a_region_a_call_says_how_to_set_one(void **state) {
  fake_setenv(&w.fake, "AWS_REGION", NULL);
  mb_error error = refused("ecs", "list_clusters", NULL);
  assert_int_equal(error.kind, MB_ERROR_USAGE);
  assert_string_equal(error.code, "NoRegion");
  assert_contains(error.next, "AWS_REGION");
  assert_int_equal(w.fake.request_count, 0);
}

static void a_region_that_cannot_be_one_reaches_no_host_name(void **state) {
  static const char *const bad[] = {"eu west", "evil.example/", "-x", "a@b", "EU", "a#"};
  fake_play(&w.fake, always_ok, 1);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    mb_aws_request request = world_request(&w, "ecs", "list_clusters", NULL);
    request.region = bad[i];
    mb_aws_start(w.aws, w.arena, &request, world_on_end, &w);
    assert_string_equal(world_run(&w)->error.code, "BadRegion");
  }
  assert_int_equal(w.fake.request_count, 0);
}

static void global_services_sign_for_their_own_region(void **state) {
  static const fake_step steps[] = {
      {.status = 200,
       .body = "<ListUsersResponse><ListUsersResult><Users/></ListUsersResult></ListUsersResponse>",
       .forever = true}};
  fake_play(&w.fake, steps, 1);
  fake_setenv(&w.fake, "AWS_REGION", NULL);
  const mb_aws_result *result = world_call(&w, "iam", "list_users", NULL);
  if (result->failed)
    fail_msg("%s", result->error.message);
  assert_string_equal(w.fake.requests[0].url, "https://iam.amazonaws.com/");
  assert_contains(fake_header(&w.fake.requests[0], "Authorization"), "/us-east-1/iam/");
}

static void a_configured_endpoint_is_called_and_the_path_kept(void **state) {
  fake_play(&w.fake, always_ok, 1);
  fake_setenv(&w.fake, "AWS_ENDPOINT_URL_ECS", "http://127.0.0.1:4566/base/");
  assert_false(world_describe(&w)->failed);
  assert_string_equal(w.fake.requests[0].url, "http://127.0.0.1:4566/base/");
  assert_contains(fake_header(&w.fake.requests[0], "Authorization"), "/eu-west-1/ecs/");
  assert_contains(fake_header(&w.fake.requests[0], "User-Agent"), "m/E,N ");
}

static void an_endpoint_that_is_no_url_is_refused(void **state) {
  fake_setenv(&w.fake, "AWS_ENDPOINT_URL", "localhost:4566");
  mb_error error = refused("ecs", "list_clusters", NULL);
  assert_int_equal(error.kind, MB_ERROR_USAGE);
  assert_contains(error.message, "localhost:4566");
}

static void fips_with_a_configured_endpoint_is_the_rules_own_error(void **state) {
  fake_setenv(&w.fake, "AWS_ENDPOINT_URL", "http://127.0.0.1:1");
  fake_setenv(&w.fake, "AWS_USE_FIPS_ENDPOINT", "true");
  mb_error error = refused("ecs", "list_clusters", NULL);
  assert_string_equal(error.code, "EndpointError");
  assert_contains(error.message, "FIPS");
}

static void a_host_prefix_is_put_before_real_hosts_only(void **state) {
  static const char input[] = "{\"namespace_name\":\"n\",\"service_name\":\"s\"}";
  static const fake_step steps[] = {{.status = 200, .body = "{}", .forever = true}};
  fake_play(&w.fake, steps, 1);
  assert_false(world_call(&w, "servicediscovery", "discover_instances", input)->failed);
  assert_string_equal(w.fake.requests[0].url,
                      "https://data-servicediscovery.eu-west-1.amazonaws.com/");
  mb_aws_free(w.aws);
  mb_error error;
  fake_setenv(&w.fake, "AWS_ENDPOINT_URL", "http://localhost:5000");
  w.aws = mb_aws_new(w.loop, NULL, &error);
  assert_false(world_call(&w, "servicediscovery", "discover_instances", input)->failed);
  assert_string_equal(w.fake.requests[1].url, "http://localhost:5000/");
}

static void a_bucket_is_part_of_the_host_or_the_path_but_not_of_both(void **state) {
  static const char input[] = "{\"bucket\":\"my-bucket\",\"key\":\"a b/c\"}";
  static const fake_step steps[] = {{.status = 200, .body = "data", .forever = true}};
  fake_play(&w.fake, steps, 1);
  const mb_aws_result *result = world_call(&w, "s3", "get_object", input);
  if (result->failed)
    fail_msg("%s", result->error.message);
  assert_string_equal(w.fake.requests[0].url,
                      "https://my-bucket.s3.eu-west-1.amazonaws.com/a%20b/c");
  assert_non_null(fake_header(&w.fake.requests[0], "X-Amz-Content-SHA256"));
  mb_aws_free(w.aws);
  mb_error error;
  fake_setenv(&w.fake, "AWS_ENDPOINT_URL", "http://localhost:5000");
  w.aws = mb_aws_new(w.loop, NULL, &error);
  assert_false(world_call(&w, "s3", "get_object", input)->failed);
  assert_string_equal(w.fake.requests[1].url, "http://localhost:5000/my-bucket/a%20b/c");
}

static void an_s3_error_behind_a_200_is_an_error(void **state) {
  static const fake_step steps[] = {
      {.status = 200,
       .body = "<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code><Message>oops</Message>"
               "</Error>",
       .forever = true}};
  fake_play(&w.fake, steps, 1);
  const mb_aws_result *result = world_call(
      &w, "s3", "copy_object", "{\"bucket\":\"my-bucket\",\"key\":\"k\",\"copy_source\":\"b/k\"}");
  assert_string_equal(result->error.code, "InternalError");
  assert_int_equal(w.fake.request_count, 3);
}

static void a_bucket_in_another_region_says_where_it_is(void **state) {
  static const fake_step steps[] = {
      {.status = 301,
       .headers = "x-amz-bucket-region: us-west-2",
       .body = "<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>"}};
  fake_play(&w.fake, steps, 1);
  const mb_aws_result *result =
      world_call(&w, "s3", "get_object", "{\"bucket\":\"my-bucket\",\"key\":\"k\"}");
  assert_string_equal(result->error.code, "PermanentRedirect");
  assert_contains(result->error.next, "us-west-2");
  assert_int_equal(w.fake.request_count, 1);
}

static void an_object_that_looks_like_an_error_is_an_object(void **state) {
  static const fake_step steps[] = {{.status = 200, .body = "<Error>not one</Error>"}};
  fake_play(&w.fake, steps, 1);
  assert_false(
      world_call(&w, "s3", "get_object", "{\"bucket\":\"my-bucket\",\"key\":\"k\"}")->failed);
}

static void s3_bodies_carry_a_checksum(void **state) {
  static const fake_step steps[] = {{.status = 200, .body = "", .forever = true}};
  fake_play(&w.fake, steps, 1);
  assert_false(
      world_call(&w, "s3", "put_object", "{\"bucket\":\"my-bucket\",\"key\":\"k\",\"body\":\"{}\"}")
          ->failed);
  assert_string_equal(fake_header(&w.fake.requests[0], "x-amz-checksum-crc32"), "o6a/Qw==");
  assert_string_equal(fake_header(&w.fake.requests[0], "x-amz-sdk-checksum-algorithm"), "CRC32");
  assert_true(mb_crc32("123456789", 9) == 0xcbf43926);
}

static void the_rules_run_once_per_place(void **state) {
  fake_play(&w.fake, always_ok, 1);
  for (int i = 0; i < 5; i++)
    assert_false(world_describe(&w)->failed);
  assert_int_equal(w.aws->services->target_count, 1);
  mb_aws_request request = world_request(&w, "ecs", "list_clusters", NULL);
  request.region = "us-east-2";
  mb_aws_start(w.aws, w.arena, &request, world_on_end, &w);
  assert_false(world_run(&w)->failed);
  assert_int_equal(w.aws->services->target_count, 2);
  assert_string_equal(w.fake.requests[5].url, "https://ecs.us-east-2.amazonaws.com/");
}

/* ---- who may call ---- */

static void unsigned_operations_need_no_credentials(void **state) {
  static const fake_step steps[] = {
      {.status = 200,
       .body = "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult/>"
               "</AssumeRoleWithWebIdentityResponse>"}};
  fake_setenv(&w.fake, "AWS_ACCESS_KEY_ID", NULL);
  fake_play(&w.fake, steps, 1);
  const mb_aws_result *result =
      world_call(&w, "sts", "assume_role_with_web_identity",
                 "{\"role_arn\":\"arn:aws:iam::123456789012:role/r\",\"role_session_name\":\"me\","
                 "\"web_identity_token\":\"token\"}");
  if (result->failed)
    fail_msg("%s", result->error.message);
  assert_null(fake_header(&w.fake.requests[0], "Authorization"));
}

static void denied_names_the_action_to_allow(void **state) {
  static const fake_step steps[] = {
      {.status = 400,
       .body = "{\"__type\":\"AccessDeniedException\",\"message\":\"User: arn:x is not authorized "
               "to perform: ecs:DescribeClusters on resource: arn:y\"}"},
      {.status = 400, .body = "{\"__type\":\"AccessDeniedException\"}"}};
  fake_play(&w.fake, steps, 2);
  const mb_aws_result *result = world_describe(&w);
  assert_int_equal(result->error.kind, MB_ERROR_DENIED);
  assert_contains(result->error.next, "allow ecs:DescribeClusters to");
  assert_contains(world_describe(&w)->error.next, "allow ecs:DescribeClusters to");
  assert_int_equal(w.fake.request_count, 2);
}

static void a_wrong_input_is_refused_before_anything_is_read(void **state) {
  mb_error error = refused("ecs", "describe_clusters", "{\"clusterz\":[]}");
  assert_int_equal(error.kind, MB_ERROR_USAGE);
  assert_string_equal(error.operation, "ecs.describe_clusters");
  assert_false(w.aws->loaded);
}

/* ---- taking it back ---- */

static void a_call_can_be_cancelled_while_it_waits_for_an_answer(void **state) {
  static const fake_step steps[] = {{.silence = true}};
  mb_aws_request request = world_request(&w, "ecs", "list_clusters", NULL);
  fake_play(&w.fake, steps, 1);
  mb_aws_call *call = mb_aws_start(w.aws, w.arena, &request, world_on_end, &w);
  assert_int_equal(w.fake.under_way, 1);
  mb_aws_cancel(call);
  assert_int_equal(w.fake.under_way, 0);
  assert_false(mb_loop_turn(w.loop, INT64_MAX));
  assert_int_equal(w.ends, 0);
}

static void a_call_can_be_cancelled_between_two_attempts(void **state) {
  static const fake_step steps[] = {{.status = 500, .body = "", .forever = true}};
  mb_aws_request request = world_request(&w, "ecs", "list_clusters", NULL);
  fake_play(&w.fake, steps, 1);
  mb_aws_call *call = mb_aws_start(w.aws, w.arena, &request, world_on_end, &w);
  assert_true(mb_loop_turn(w.loop, INT64_MAX));
  assert_int_equal(w.aws->counts.retries, 1);
  mb_aws_cancel(call);
  assert_false(mb_loop_turn(w.loop, INT64_MAX));
  assert_int_equal(w.fake.request_count, 1);
  assert_int_equal(w.ends, 0);
}

static void freeing_the_client_takes_back_every_call(void **state) {
  static const fake_step steps[] = {{.silence = true, .forever = true}};
  mb_aws_request request = world_request(&w, "ecs", "list_clusters", NULL);
  fake_play(&w.fake, steps, 1);
  for (int i = 0; i < 3; i++)
    mb_aws_start(w.aws, w.arena, &request, world_on_end, &w);
  mb_aws_start_pages(w.aws, w.arena, &request, world_on_end, &w);
  assert_int_equal(w.fake.under_way, 4);
  mb_aws_free(w.aws);
  w.aws = NULL;
  assert_int_equal(w.fake.under_way, 0);
  assert_int_equal(w.ends, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_call_is_signed_sent_and_decoded),
      TEST(without_a_region_a_call_says_how_to_set_one),
      TEST(a_region_that_cannot_be_one_reaches_no_host_name),
      TEST(global_services_sign_for_their_own_region),
      TEST(a_configured_endpoint_is_called_and_the_path_kept),
      TEST(an_endpoint_that_is_no_url_is_refused),
      TEST(fips_with_a_configured_endpoint_is_the_rules_own_error),
      TEST(a_host_prefix_is_put_before_real_hosts_only),
      TEST(a_bucket_is_part_of_the_host_or_the_path_but_not_of_both),
      TEST(an_s3_error_behind_a_200_is_an_error),
      TEST(a_bucket_in_another_region_says_where_it_is),
      TEST(an_object_that_looks_like_an_error_is_an_object),
      TEST(s3_bodies_carry_a_checksum),
      TEST(the_rules_run_once_per_place),
      TEST(unsigned_operations_need_no_credentials),
      TEST(denied_names_the_action_to_allow),
      TEST(a_wrong_input_is_refused_before_anything_is_read),
      TEST(a_call_can_be_cancelled_while_it_waits_for_an_answer),
      TEST(a_call_can_be_cancelled_between_two_attempts),
      TEST(freeing_the_client_takes_back_every_call),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
