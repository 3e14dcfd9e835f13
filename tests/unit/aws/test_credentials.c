/* The credentials chain: who decides, what is refused, what a failure says, and refreshing. */
#include "client_world.h"

#define OK_BODY "{\"clusters\":[],\"failures\":[]}"

static world w;

static const fake_step always_ok[] = {{.status = 200, .body = OK_BODY, .forever = true}};

/* A client without credentials in the environment. */
static int open_world(void **state) {
  memset(&w, 0, sizeof w);
  fake_init(&w.fake);
  fake_setenv(&w.fake, "AWS_REGION", "eu-west-1");
  fake_setenv(&w.fake, "HOME", "/home/me");
  fake_play(&w.fake, always_ok, 1);
  world_open_with(&w, NULL);
  return 0;
}

static int close_world(void **state) {
  world_close(&w);
  return 0;
}

static void reopen(const char *profile) {
  mb_settings_options options = {.profile = profile};
  mb_aws_free(w.aws);
  mb_loop_free(w.loop);
  mb_arena_free(w.arena);
  world_open_with(&w, &options);
}

static void set_keys(void) {
  fake_setenv(&w.fake, "AWS_ACCESS_KEY_ID", "FROMENV");
  fake_setenv(&w.fake, "AWS_SECRET_ACCESS_KEY", "secret");
}

static void config(const char *text) {
  fake_write_file(&w.fake, "/home/me/.aws/config", text);
}

static void credentials(const char *text) {
  fake_write_file(&w.fake, "/home/me/.aws/credentials", text);
}

/* Makes a call and expects it to be signed with this key. */
static void assert_key(const char *key) {
  char expected[200];
  const mb_aws_result *result = world_describe(&w);
  if (result->failed)
    fail_msg("%s", result->error.message);
  const fake_request *last = &w.fake.requests[w.fake.request_count - 1];
  snprintf(expected, sizeof expected, "Credential=%s/", key);
  assert_contains(fake_header(last, "Authorization"), expected);
}

static mb_error refused(void) {
  const mb_aws_result *result = world_describe(&w);
  assert_true(result->failed);
  assert_int_equal(result->error.kind, MB_ERROR_CREDENTIALS);
  assert_string_equal(result->error.code, "NoCredentials");
  return result->error;
}

/* ---- who decides ---- */

static void without_any_the_error_names_every_provider_and_why(void **state) {
  mb_error error = refused();
  assert_contains(error.message, "environment variables: AWS_ACCESS_KEY_ID is not set");
  assert_contains(error.message, "role: profile default has no role_arn");
  assert_contains(error.message, "web identity: ");
  assert_contains(error.message, "single sign-on: ");
  assert_contains(error.message,
                  "shared credentials file: /home/me/.aws/credentials has no profile default");
  assert_contains(error.message, "aws login: ");
  assert_contains(error.message, "credential_process: ");
  assert_contains(error.message, "container endpoint: neither ");
  assert_contains(error.message, "EC2 instance metadata: not asked: not supported yet");
  assert_contains(error.next, "AWS_ACCESS_KEY_ID");
  assert_string_equal(error.operation, "ecs.describe_clusters");
  assert_int_equal(w.fake.request_count, 0);
}

static void the_environment_comes_before_the_files(void **state) {
  credentials("[default]\naws_access_key_id=FROMFILE\naws_secret_access_key=s\n");
  set_keys();
  assert_key("FROMENV");
}

static void aws_profile_in_the_environment_leaves_the_keys_there_first(void **state) {
  credentials("[dev]\naws_access_key_id=FROMFILE\naws_secret_access_key=s\n");
  fake_setenv(&w.fake, "AWS_PROFILE", "dev");
  set_keys();
  assert_key("FROMENV");
}

static void an_explicit_profile_removes_the_environment(void **state) {
  credentials("[dev]\naws_access_key_id=FROMFILE\naws_secret_access_key=s\n");
  set_keys();
  reopen("dev");
  assert_key("FROMFILE");
}

static void a_key_without_its_secret_stops_the_chain(void **state) {
  credentials("[default]\naws_access_key_id=FROMFILE\naws_secret_access_key=s\n");
  fake_setenv(&w.fake, "AWS_ACCESS_KEY_ID", "FROMENV");
  assert_contains(refused().message, "AWS_SECRET_ACCESS_KEY is not set");
  fake_setenv(&w.fake, "AWS_ACCESS_KEY_ID", NULL);
  credentials("[default]\naws_access_key_id=FROMFILE\n");
  reopen(NULL);
  assert_contains(refused().message, "profile default in /home/me/.aws/credentials has no "
                                     "aws_secret_access_key");
}

static void the_session_token_is_sent_and_signed(void **state) {
  set_keys();
  fake_setenv(&w.fake, "AWS_SECURITY_TOKEN", "older");
  fake_setenv(&w.fake, "AWS_SESSION_TOKEN", "token");
  assert_key("FROMENV");
  assert_string_equal(fake_header(&w.fake.requests[0], "X-Amz-Security-Token"), "token");
  assert_contains(fake_header(&w.fake.requests[0], "Authorization"), "x-amz-security-token");
}

static void keys_in_the_credentials_file_beat_a_process_and_those_in_config_do_not(void **state) {
  w.fake.spawn_output = "{\"Version\":1,\"AccessKeyId\":\"FROMPROC\",\"SecretAccessKey\":\"s\"}";
  config("[default]\ncredential_process = /bin/get keys\n"
         "aws_access_key_id=FROMCONFIG\naws_secret_access_key=s\n");
  assert_key("FROMPROC");
  assert_string_equal(w.fake.spawned, "/bin/get|keys");
  credentials("[default]\naws_access_key_id=FROMFILE\naws_secret_access_key=s\n");
  reopen(NULL);
  assert_key("FROMFILE");
}

static void keys_in_the_config_file_are_found(void **state) {
  config("[profile dev]\naws_access_key_id=FROMCONFIG\naws_secret_access_key=s\n");
  reopen("dev");
  assert_key("FROMCONFIG");
}

static void what_is_not_supported_yet_is_refused_by_name(void **state) {
  static const char *const cases[][2] = {
      {"[default]\nrole_arn=arn:aws:iam::1:role/r\nweb_identity_token_file=/t\n", "web identity"},
      {"[default]\nsso_session=corp\n[sso-session corp]\nsso_region=x\n", "single sign-on"},
      {"[default]\nsso_start_url=https://x\nsso_account_id=1\n", "single sign-on"},
      {"[default]\nlogin_session=arn:aws:iam::1:user/u\n", "aws login"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    config(cases[i][0]);
    reopen(NULL);
    mb_error error = refused();
    assert_contains(error.message, cases[i][1]);
    assert_contains(error.message, "not supported yet");
  }
}

static void a_web_identity_in_the_environment_is_refused_by_name(void **state) {
  fake_setenv(&w.fake, "AWS_WEB_IDENTITY_TOKEN_FILE", "/t");
  assert_contains(refused().message, "AWS_WEB_IDENTITY_TOKEN_FILE");
}

/* ---- credential_process ---- */

static void run_process(const char *line, const char *output) {
  char text[512];
  snprintf(text, sizeof text, "[default]\ncredential_process = %s\n", line);
  config(text);
  w.fake.spawn_output = output;
  reopen(NULL);
}

static void keep_account(const mb_credentials *credentials, const mb_error *error, void *payload) {
  snprintf(payload, 16, "%s", credentials->account_id);
}

#define PROCESS_OK                                                                                 \
  "{\"Version\":1,\"AccessKeyId\":\"FROMPROC\",\"SecretAccessKey\":\"s\",\"SessionToken\":\"t\"}"

static void words_are_split_as_a_shell_would_and_nothing_is_expanded(void **state) {
  run_process("/opt/a\\ b --x='$HOME *' \"say \\\"hi\\\" \\n\" ''", PROCESS_OK);
  assert_key("FROMPROC");
  assert_string_equal(w.fake.spawned, "/opt/a b|--x=$HOME *|say \"hi\" \\n|");
}

static void an_open_quote_is_told(void **state) {
  run_process("get 'keys", PROCESS_OK);
  mb_error error = refused();
  assert_contains(error.message, "credential_process of profile default");
  assert_contains(error.message, "never closed");
}

static void a_process_that_fails_is_quoted(void **state) {
  w.fake.spawn_status = 3 << 8;
  w.fake.spawn_errors = "token expired\n\x1b[31mrun login\n";
  run_process("get", "");
  mb_error error = refused();
  assert_contains(error.message, "exit code 3");
  assert_contains(error.message, "token expired");
  assert_null(strchr(error.message, '\x1b'));
  assert_null(strchr(error.message, '\n'));
}

static void a_process_must_print_what_it_should(void **state) {
  static const char *const bad[] = {
      "",
      "{",
      "[]",
      "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\"}",
      "{\"Version\":2,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\"}",
      "{\"Version\":\"1\",\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\"}",
      "{\"version\":1,\"accessKeyId\":\"A\",\"secretAccessKey\":\"s\"}",
      "{\"Version\":1,\"AccessKeyId\":\"A\"}",
      "{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\"} more",
      "{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Expiration\":\"soon\"}",
      "{\"Version\":1,\"AccessKeyId\":7,\"SecretAccessKey\":\"s\"}",
      "{\"Version\":1,\"accessKeyId\":\"A\",\"SecretAccessKey\":\"s\"}",
      "{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":[\"s\"]}",
      "{\"Version\":1.5,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\"}",
      "{\"Version\":true,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\"}",
      "{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\\u0000t\"}",
      "{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"AccessKeyId\":\"B\"}",
      "{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"\xff\"}"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    run_process("get", bad[i]);
    assert_contains(refused().message, "credential_process of profile default");
  }
}

static void a_process_without_an_account_takes_the_profiles(void **state) {
  mb_error error;
  w.fake.spawn_output = PROCESS_OK;
  config("[default]\ncredential_process = get\naws_account_id = 123456789012\n");
  assert_key("FROMPROC");
  mb_credentials_chain *chain = mb_aws_chain(w.aws, &error);
  char account[16] = "";
  assert_null(mb_credentials_get(chain, false, keep_account, account));
  assert_string_equal(account, "123456789012");
}

static void fresh_credentials_that_have_expired_are_an_error(void **state) {
  run_process("get", "{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\","
                     "\"Expiration\":\"2026-11-23T13:59:59Z\"}");
  assert_contains(refused().message, "already expired");
}

static void keys_that_do_not_fit_are_refused_not_cut(void **state) {
  char key[400];
  memset(key, 'A', sizeof key - 1);
  key[sizeof key - 1] = '\0';
  set_keys();
  fake_setenv(&w.fake, "AWS_ACCESS_KEY_ID", key);
  assert_contains(refused().message, "bytes long");
}

/* ---- refreshing ---- */

static void advance(double seconds) {
  int64_t ns = (int64_t)(seconds * 1e9);
  w.fake.monotonic_ns += ns;
  w.fake.wall_ns += ns;
}

static void refresh_follows_the_two_windows(void **state) {
  run_process("get", "{\"Version\":1,\"AccessKeyId\":\"FIRST\",\"SecretAccessKey\":\"s\","
                     "\"Expiration\":\"2026-11-23T15:00:00Z\"}");
  assert_key("FIRST");
  w.fake.spawn_output = "{\"Version\":1,\"AccessKeyId\":\"SECOND\",\"SecretAccessKey\":\"s\","
                        "\"Expiration\":\"2026-11-23T16:00:00Z\"}";
  advance(44 * 60);
  assert_key("FIRST");
  w.fake.spawn_status = 1 << 8; /* beside the calls, a failure is not heard of */
  advance(2 * 60);
  w.fake.spawned[0] = '\0';
  assert_key("FIRST");
  assert_string_equal(w.fake.spawned, "get");
  advance(5 * 60); /* nine minutes left: now it is */
  assert_contains(refused().message, "exit code 1");
  w.fake.spawn_status = 0;
  assert_key("SECOND");
}

static void a_short_lived_set_is_not_fetched_for_every_call(void **state) {
  run_process("get", "{\"Version\":1,\"AccessKeyId\":\"SHORT\",\"SecretAccessKey\":\"s\","
                     "\"Expiration\":\"2026-11-23T14:05:00Z\"}");
  assert_key("SHORT");
  w.fake.spawned[0] = '\0';
  advance(30);
  assert_key("SHORT");
  assert_string_equal(w.fake.spawned, "");
  advance(31);
  assert_key("SHORT");
  assert_string_equal(w.fake.spawned, "get");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(without_any_the_error_names_every_provider_and_why),
      TEST(the_environment_comes_before_the_files),
      TEST(aws_profile_in_the_environment_leaves_the_keys_there_first),
      TEST(an_explicit_profile_removes_the_environment),
      TEST(a_key_without_its_secret_stops_the_chain),
      TEST(the_session_token_is_sent_and_signed),
      TEST(keys_in_the_credentials_file_beat_a_process_and_those_in_config_do_not),
      TEST(keys_in_the_config_file_are_found),
      TEST(what_is_not_supported_yet_is_refused_by_name),
      TEST(a_web_identity_in_the_environment_is_refused_by_name),
      TEST(words_are_split_as_a_shell_would_and_nothing_is_expanded),
      TEST(an_open_quote_is_told),
      TEST(a_process_that_fails_is_quoted),
      TEST(a_process_must_print_what_it_should),
      TEST(a_process_without_an_account_takes_the_profiles),
      TEST(fresh_credentials_that_have_expired_are_an_error),
      TEST(keys_that_do_not_fit_are_refused_not_cut),
      TEST(refresh_follows_the_two_windows),
      TEST(a_short_lived_set_is_not_fetched_for_every_call),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
