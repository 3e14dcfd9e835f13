/* Credentials that have to be asked for: the container endpoint, and roles through STS. */
#include "client_world.h"

#define OK_BODY "{\"clusters\":[],\"failures\":[]}"
#define CONTAINER_OK                                                                               \
  "{\"AccessKeyId\":\"FROMTASK\",\"SecretAccessKey\":\"s\",\"Token\":\"task-token\","              \
  "\"Expiration\":\"2026-11-23T20:00:00Z\"}"

static world w;

static int open_world(void **state) {
  memset(&w, 0, sizeof w);
  fake_init(&w.fake);
  fake_setenv(&w.fake, "AWS_REGION", "eu-west-1");
  fake_setenv(&w.fake, "HOME", "/home/me");
  world_open_with(&w, NULL);
  return 0;
}

static int close_world(void **state) {
  world_close(&w);
  return 0;
}

static void reopen(void) {
  mb_aws_free(w.aws);
  mb_loop_free(w.loop);
  mb_arena_free(w.arena);
  fake_forget_requests(&w.fake);
  world_open_with(&w, NULL);
}

static void config(const char *text) {
  fake_write_file(&w.fake, "/home/me/.aws/config", text);
  reopen();
}

static mb_error refused(void) {
  const mb_aws_result *result = world_describe(&w);
  assert_true(result->failed);
  assert_int_equal(result->error.kind, MB_ERROR_CREDENTIALS);
  assert_string_equal(result->error.code, "NoCredentials");
  return result->error;
}

static const fake_request *last_request(void) {
  return &w.fake.requests[w.fake.request_count - 1];
}

static void assert_ok(void) {
  const mb_aws_result *result = world_describe(&w);
  if (result->failed)
    fail_msg("%s", result->error.message);
}

/* ---- container ---- */

static const fake_step container_steps[] = {
    {.operation = "DescribeClusters", .status = 200, .body = OK_BODY, .forever = true},
    {.status = 200, .body = CONTAINER_OK, .forever = true}};

static void a_tasks_role_is_asked_for_once(void **state) {
  fake_setenv(&w.fake, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/x?a=1");
  fake_play(&w.fake, container_steps, 2);
  assert_ok();
  assert_ok();
  assert_int_equal(w.fake.request_count, 3);
  assert_string_equal(w.fake.requests[0].method, "GET");
  assert_string_equal(w.fake.requests[0].url, "http://169.254.170.2/v2/credentials/x?a=1");
  assert_null(fake_header(&w.fake.requests[0], "Authorization"));
  assert_contains(fake_header(last_request(), "Authorization"), "Credential=FROMTASK/");
  assert_string_equal(fake_header(last_request(), "X-Amz-Security-Token"), "task-token");
}

static void many_calls_share_one_fetch(void **state) {
  mb_aws_request request = world_request(&w, "ecs", "describe_clusters", NULL);
  fake_setenv(&w.fake, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x");
  fake_play(&w.fake, container_steps, 2);
  for (int i = 0; i < 5; i++)
    assert_non_null(mb_aws_start(w.aws, w.arena, &request, world_on_end, &w));
  while (w.ends < 5 && mb_loop_turn(w.loop, INT64_MAX)) {
  }
  assert_int_equal(w.ends, 5);
  assert_int_equal(w.fake.request_count, 6);
}

static void the_full_uri_sends_the_token_of_the_file_read_anew(void **state) {
  fake_setenv(&w.fake, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/c");
  fake_setenv(&w.fake, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "not this one");
  fake_setenv(&w.fake, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/var/token");
  fake_write_file(&w.fake, "/var/token", "first");
  fake_play(&w.fake, container_steps, 2);
  assert_ok();
  assert_string_equal(fake_header(&w.fake.requests[0], "Authorization"), "first");
  fake_write_file(&w.fake, "/var/token", "second");
  w.fake.monotonic_ns += 5 * 3600 * SECOND + 55 * 60 * SECOND;
  w.fake.wall_ns += 5 * 3600 * SECOND + 55 * 60 * SECOND;
  fake_forget_requests(&w.fake);
  assert_int_equal(world_describe(&w)->failed, false);
  assert_string_equal(fake_header(&w.fake.requests[0], "Authorization"), "second");
}

static void plain_http_goes_only_to_known_addresses(void **state) {
  static const char *const good[] = {"http://localhost:8080/c",   "http://127.0.0.1/c",
                                     "http://127.9.9.9:1/c",      "http://169.254.170.2/c",
                                     "http://[fd00:ec2::23]/c",   "http://[::1]:99/c",
                                     "https://anything.example/c"};
  static const char *const bad[] = {"http://example.com/c",
                                    "http://169.254.170.2.evil.example/c",
                                    "http://127.0.0.1.evil.example/c",
                                    "http://169.254.170.2@evil.example/c",
                                    "http://evil.example#@169.254.170.2/",
                                    "http://169.254.169.254/c",
                                    "ftp://localhost/c",
                                    "/c",
                                    "http:///c",
                                    "http://local host/c"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    fake_setenv(&w.fake, "AWS_CONTAINER_CREDENTIALS_FULL_URI", good[i]);
    reopen();
    fake_play(&w.fake, container_steps, 2);
    assert_ok();
    assert_string_equal(w.fake.requests[0].url, good[i]);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    fake_setenv(&w.fake, "AWS_CONTAINER_CREDENTIALS_FULL_URI", bad[i]);
    reopen();
    assert_contains(refused().message, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    assert_int_equal(w.fake.request_count, 0);
  }
}

static void a_relative_uri_cannot_change_the_host(void **state) {
  fake_setenv(&w.fake, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ".evil.example/");
  assert_contains(refused().message, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  assert_int_equal(w.fake.request_count, 0);
}

static void a_line_break_in_the_token_is_refused(void **state) {
  fake_setenv(&w.fake, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x");
  fake_setenv(&w.fake, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\r\nHost: evil");
  assert_contains(refused().message, "line break");
  assert_int_equal(w.fake.request_count, 0);
}

static void the_endpoint_is_asked_three_times_a_second_apart(void **state) {
  static const fake_step steps[] = {
      {.failure = MB_ERROR_NETWORK, .code = "ConnectionRefused"},
      {.status = 500, .body = "oops"},
      {.silence = true},
  };
  fake_setenv(&w.fake, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x");
  fake_play(&w.fake, steps, 3);
  int64_t start = w.fake.monotonic_ns;
  mb_error error = refused();
  assert_contains(error.message, "attempt 3 of 3");
  assert_contains(error.message, "container endpoint: failed");
  assert_int_equal(w.fake.request_count, 3);
  assert_true(w.fake.requests[1].at_ns - w.fake.requests[0].at_ns >= SECOND);
  assert_true(w.fake.monotonic_ns - start < 5 * SECOND);
}

static void an_answer_that_is_not_one_plain_document_is_refused(void **state) {
  static const char *const bad[] = {
      CONTAINER_OK " more",
      CONTAINER_OK CONTAINER_OK,
      "[" CONTAINER_OK "]",
      "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Token\":\"a\",\"Token\":\"b\"}",
      "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Token\":\"a\\u0000b\"}",
      "{\"AccessKeyId\":\"A\",\"secretAccessKey\":\"s\",\"Token\":\"a\"}",
      "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":5,\"Token\":\"a\"}"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    const fake_step step = {.status = 200, .body = bad[i], .forever = true};
    fake_setenv(&w.fake, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x");
    reopen();
    fake_play(&w.fake, &step, 1);
    assert_contains(refused().message, "it gave ");
  }
}

static void a_refusal_is_quoted_and_not_repeated(void **state) {
  static const fake_step steps[] = {{.status = 403, .body = "{\"message\":\"no such task\"}"}};
  fake_setenv(&w.fake, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x");
  fake_play(&w.fake, steps, 1);
  mb_error error = refused();
  assert_contains(error.message, "HTTP status 403: no such task");
  assert_int_equal(w.fake.request_count, 1);
}

/* ---- roles ---- */

static const char two_hops[] = "[default]\nrole_arn=arn:aws:iam::111111111111:role/Outer\n"
                               "source_profile=middle\nexternal_id=ext\nduration_seconds=900\n"
                               "[profile middle]\nrole_arn=arn:aws:iam::222222222222:role/Inner\n"
                               "source_profile=base\nrole_session_name=mine\n"
                               "duration_seconds=an hour\n"
                               "[profile base]\naws_access_key_id=BASE\naws_secret_access_key=s\n";

#define ASSUMED(key)                                                                               \
  "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>"     \
  "<AssumedRoleUser><Arn>arn:aws:sts::111111111111:assumed-role/R/s</Arn>"                         \
  "<AssumedRoleId>x:s</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>" key             \
  "</AccessKeyId><SecretAccessKey>s2</SecretAccessKey><SessionToken>t-" key                        \
  "</SessionToken><Expiration>2026-11-23T15:00:00Z</Expiration></Credentials>"                     \
  "</AssumeRoleResult></AssumeRoleResponse>"

static void two_roles_are_assumed_one_through_the_other(void **state) {
  static const fake_step steps[] = {
      {.operation = "AssumeRole", .status = 200, .body = ASSUMED("INNER")},
      {.operation = "AssumeRole", .status = 200, .body = ASSUMED("OUTER")},
      {.operation = "DescribeClusters", .status = 200, .body = OK_BODY, .forever = true}};
  config(two_hops);
  fake_play(&w.fake, steps, 3);
  assert_ok();
  assert_ok();
  assert_int_equal(w.fake.request_count, 4);
  const fake_request *first = &w.fake.requests[0], *second = &w.fake.requests[1];
  assert_string_equal(first->url, "https://sts.eu-west-1.amazonaws.com/");
  assert_contains(fake_header(first, "Authorization"), "Credential=BASE/");
  assert_contains(first->body, "RoleArn=arn%3Aaws%3Aiam%3A%3A222222222222%3Arole%2FInner");
  assert_contains(first->body, "RoleSessionName=mine");
  assert_null(strstr(first->body, "DurationSeconds"));
  assert_contains(fake_header(second, "Authorization"), "Credential=INNER/");
  assert_string_equal(fake_header(second, "X-Amz-Security-Token"), "t-INNER");
  assert_contains(second->body, "RoleSessionName=moonbook-1795442400");
  assert_contains(second->body, "ExternalId=ext");
  assert_contains(second->body, "DurationSeconds=900");
  assert_contains(fake_header(&w.fake.requests[2], "Authorization"), "Credential=OUTER/");
}

static void a_role_that_is_denied_says_which_and_why(void **state) {
  static const fake_step steps[] = {
      {.operation = "AssumeRole", .status = 200, .body = ASSUMED("INNER")},
      {.operation = "AssumeRole",
       .status = 403,
       .body = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
               "<Message>not authorized to perform: sts:AssumeRole on it</Message></Error>"
               "<RequestId>r-5</RequestId></ErrorResponse>"}};
  config(two_hops);
  fake_play(&w.fake, steps, 2);
  mb_error error = refused();
  assert_contains(error.message, "role/Outer of profile default");
  assert_contains(error.message, "AccessDenied");
  assert_contains(error.next, "sts:AssumeRole");
  assert_string_equal(error.request_id, "r-5");
}

static void a_profile_may_be_its_own_source_when_it_has_keys(void **state) {
  static const fake_step steps[] = {
      {.operation = "AssumeRole", .status = 200, .body = ASSUMED("ROLE")},
      {.status = 200, .body = OK_BODY}};
  config("[default]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=default\n"
         "aws_access_key_id=SELF\naws_secret_access_key=s\n");
  fake_play(&w.fake, steps, 2);
  assert_ok();
  assert_contains(fake_header(&w.fake.requests[0], "Authorization"), "Credential=SELF/");
  assert_contains(fake_header(&w.fake.requests[1], "Authorization"), "Credential=ROLE/");
}

static void in_a_source_profile_keys_come_before_its_role(void **state) {
  static const fake_step steps[] = {
      {.operation = "AssumeRole", .status = 200, .body = ASSUMED("ROLE")},
      {.status = 200, .body = OK_BODY}};
  config("[default]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=b\n"
         "[profile b]\nrole_arn=arn:aws:iam::1:role/b\nsource_profile=c\n"
         "aws_access_key_id=B\naws_secret_access_key=s\n"
         "[profile c]\naws_access_key_id=C\naws_secret_access_key=s\n");
  fake_play(&w.fake, steps, 2);
  assert_ok();
  assert_contains(fake_header(&w.fake.requests[0], "Authorization"), "Credential=B/");
}

static void a_role_may_start_from_the_environment_or_the_container(void **state) {
  static const fake_step steps[] = {
      {.operation = "AssumeRole", .status = 200, .body = ASSUMED("ROLE")},
      {.operation = "DescribeClusters", .status = 200, .body = OK_BODY},
      {.status = 200, .body = CONTAINER_OK}};
  mb_settings_options options = {.profile = "r"};
  fake_setenv(&w.fake, "AWS_ACCESS_KEY_ID", "FROMENV");
  fake_setenv(&w.fake, "AWS_SECRET_ACCESS_KEY", "s");
  fake_setenv(&w.fake, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x");
  for (int i = 0; i < 2; i++) {
    config(i == 0
               ? "[profile r]\nrole_arn=arn:aws:iam::1:role/r\ncredential_source=Environment\n"
               : "[profile r]\nrole_arn=arn:aws:iam::1:role/r\ncredential_source=EcsContainer\n");
    mb_aws_free(w.aws);
    mb_error error;
    w.aws = mb_aws_new(w.loop, &options, &error);
    fake_play(&w.fake, steps, 3);
    assert_ok();
    assert_contains(fake_header(&w.fake.requests[i], "Authorization"),
                    i == 0 ? "Credential=FROMENV/" : "Credential=FROMTASK/");
  }
}

static void mistakes_in_role_profiles_are_named(void **state) {
  static const char *const cases[][2] = {
      {"[default]\nrole_arn=a\n", "neither source_profile nor credential_source"},
      {"[default]\nrole_arn=a\nsource_profile=b\ncredential_source=Environment\n", "both"},
      {"[default]\nrole_arn=a\nsource_profile=gone\n", "no such profile"},
      {"[default]\nrole_arn=a\nsource_profile=default\n", "default -> default"},
      {"[default]\nrole_arn=a\nsource_profile=b\n[profile b]\nrole_arn=b\nsource_profile=c\n"
       "[profile c]\nrole_arn=c\nsource_profile=b\n",
       "default -> b -> c -> b"},
      {"[default]\nrole_arn=a\nsource_profile=b\naws_access_key_id=x\naws_secret_access_key=y\n"
       "[profile b]\nrole_arn=b\nsource_profile=default\n",
       "default -> b -> default"},
      {"[default]\nrole_arn=a\nsource_profile=b\n[profile b]\nregion=x\n",
       "says nothing about credentials"},
      {"[default]\nrole_arn=a\nsource_profile=b\n[profile b]\naws_access_key_id=x\n",
       "has no aws_secret_access_key"},
      {"[default]\nrole_arn=a\nsource_profile=b\n[profile b]\naws_secret_access_key=x\n",
       "has no aws_access_key_id"},
      {"[default]\nrole_arn=a\ncredential_source=Moon\n", "Moon"},
      {"[default]\nrole_arn=a\ncredential_source=Ec2InstanceMetadata\n", "not supported yet"},
      {"[default]\nrole_arn=a\nsource_profile=b\nmfa_serial=m\n[profile b]\nregion=x\n",
       "mfa_serial"},
      {"[default]\nrole_arn=a\nsource_profile=b\n[profile b]\nrole_arn=b\n"
       "web_identity_token_file=/t\n",
       "web identity"},
      {"[default]\nrole_arn=a\nsource_profile=b\n[profile b]\nsso_session=c\n", "single sign-on"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    config(cases[i][0]);
    assert_contains(refused().message, cases[i][1]);
    assert_int_equal(w.fake.request_count, 0);
  }
}

/* ---- taking it back ---- */

static void a_call_can_be_cancelled_while_credentials_are_fetched(void **state) {
  static const fake_step steps[] = {{.silence = true, .forever = true}};
  mb_aws_request request = world_request(&w, "ecs", "list_clusters", NULL);
  fake_setenv(&w.fake, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x");
  fake_play(&w.fake, steps, 1);
  mb_aws_call *call = mb_aws_start(w.aws, w.arena, &request, world_on_end, &w);
  assert_non_null(call);
  mb_aws_cancel(call);
  while (mb_loop_turn(w.loop, INT64_MAX)) {
  }
  assert_int_equal(w.ends, 0);
}

static void a_deadline_ends_a_call_that_waits_for_credentials(void **state) {
  static const fake_step steps[] = {{.silence = true, .forever = true}};
  mb_aws_request request = world_request(&w, "ecs", "list_clusters", NULL);
  fake_setenv(&w.fake, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x");
  fake_play(&w.fake, steps, 1);
  request.deadline_ns = w.fake.monotonic_ns + SECOND;
  mb_aws_start(w.aws, w.arena, &request, world_on_end, &w);
  const mb_aws_result *result = world_run(&w);
  assert_int_equal(result->error.kind, MB_ERROR_TIMEOUT);
  assert_int_equal(result->error.attempts, 0);
}

static void a_client_can_be_freed_in_the_middle_of_a_role(void **state) {
  static const fake_step steps[] = {
      {.operation = "AssumeRole", .status = 200, .body = ASSUMED("INNER")},
      {.silence = true, .forever = true}};
  config(two_hops);
  mb_aws_request request = world_request(&w, "ecs", "list_clusters", NULL);
  fake_play(&w.fake, steps, 2);
  mb_aws_start(w.aws, w.arena, &request, world_on_end, &w);
  while (w.fake.request_count < 2)
    assert_true(mb_loop_turn(w.loop, INT64_MAX));
  mb_aws_free(w.aws);
  w.aws = NULL;
  assert_int_equal(w.fake.under_way, 0);
  assert_int_equal(w.ends, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_tasks_role_is_asked_for_once),
      TEST(many_calls_share_one_fetch),
      TEST(the_full_uri_sends_the_token_of_the_file_read_anew),
      TEST(plain_http_goes_only_to_known_addresses),
      TEST(a_relative_uri_cannot_change_the_host),
      TEST(a_line_break_in_the_token_is_refused),
      TEST(the_endpoint_is_asked_three_times_a_second_apart),
      TEST(an_answer_that_is_not_one_plain_document_is_refused),
      TEST(a_refusal_is_quoted_and_not_repeated),
      TEST(two_roles_are_assumed_one_through_the_other),
      TEST(a_role_that_is_denied_says_which_and_why),
      TEST(a_profile_may_be_its_own_source_when_it_has_keys),
      TEST(in_a_source_profile_keys_come_before_its_role),
      TEST(a_role_may_start_from_the_environment_or_the_container),
      TEST(mistakes_in_role_profiles_are_named),
      TEST(a_call_can_be_cancelled_while_credentials_are_fetched),
      TEST(a_deadline_ends_a_call_that_waits_for_credentials),
      TEST(a_client_can_be_freed_in_the_middle_of_a_role),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
