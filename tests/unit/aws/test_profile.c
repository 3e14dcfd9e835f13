/* Profile files beyond the published suite: what people really write, and what is hostile. */
#include "aws/config/profile.h"
#include "unit/check.h"

#include <stdio.h>

static mb_arena *arena;

static int make_arena(void **state) {
  arena = mb_arena_new(64u * 1024 * 1024);
  return arena ? 0 : -1;
}

static int free_arena(void **state) {
  mb_arena_free(arena);
  return 0;
}

static int try_parse(const char *config, const char *credentials, mb_value *out, mb_error *error) {
  memset(error, 0, sizeof *error);
  return mb_profiles_parse(arena, config, config ? strlen(config) : 0, "/home/me/.aws/config",
                           credentials, credentials ? strlen(credentials) : 0,
                           "/home/me/.aws/credentials", out, error);
}

static void expect(const char *config, const char *credentials, const char *wanted) {
  mb_error error;
  mb_value out, *value;
  if (try_parse(config, credentials, &out, &error))
    fail_msg("%s", error.message);
  assert_int_equal(mb_value_from_json(arena, &value, wanted, strlen(wanted), &error), 0);
  if (!mb_value_equal(&out, value))
    fail_msg("expected %s\ngot %s", wanted, mb_value_to_json(arena, &out, 0, true));
}

static void no_files_give_empty_sections(void **state) {
  expect(NULL, NULL, "{\"profiles\":{},\"sso-session\":{},\"services\":{}}");
}

static void services_sections_hold_nested_values(void **state) {
  expect(
      "[services local]\necs =\n  endpoint_url = http://localhost:1\n  x = y\ns3 =\n"
      "  endpoint_url = http://localhost:2\n[profile dev]\nservices = local\n",
      NULL,
      "{\"profiles\":{\"dev\":{\"services\":\"local\"}},\"sso-session\":{},\"services\":{\"local\":"
      "{\"ecs\":{\"endpoint_url\":\"http://localhost:1\",\"x\":\"y\"},"
      "\"s3\":{\"endpoint_url\":\"http://localhost:2\"}}}}");
}

static void indented_comments_are_no_values(void **state) {
  expect("[default]\n  # first\nregion = eu-west-1\n    ; not a continuation\noutput = json\n",
         NULL,
         "{\"profiles\":{\"default\":{\"region\":\"eu-west-1\",\"output\":\"json\"}},"
         "\"sso-session\":{},\"services\":{}}");
}

static void byte_order_mark_and_quoted_names_are_read(void **state) {
  expect("\xef\xbb\xbf[profile \"my team\"]\na=1\n", "['x y']\nb=2\n",
         "{\"profiles\":{\"my team\":{\"a\":\"1\"},\"x y\":{\"b\":\"2\"}},\"sso-session\":{},"
         "\"services\":{}}");
}

static void other_sections_are_skipped_with_all_they_hold(void **state) {
  expect("[plugins]\nanything goes\n  = here\n[toplevel x]\na\n[default]\na=1\n", NULL,
         "{\"profiles\":{\"default\":{\"a\":\"1\"}},\"sso-session\":{},\"services\":{}}");
}

static void plain_default_of_the_config_merges_with_the_credentials(void **state) {
  expect("[default]\nregion=r\naws_access_key_id=old\n", "[default]\naws_access_key_id=new\n",
         "{\"profiles\":{\"default\":{\"region\":\"r\",\"aws_access_key_id\":\"new\"}},"
         "\"sso-session\":{},\"services\":{}}");
}

static void a_later_plain_value_replaces_nested_ones(void **state) {
  expect("[default]\ns3 =\n a = b\ns3 = plain\n", NULL,
         "{\"profiles\":{\"default\":{\"s3\":\"plain\"}},\"sso-session\":{},\"services\":{}}");
  expect("[default]\ns3 = plain\ns3 =\n a = b\n", NULL,
         "{\"profiles\":{\"default\":{\"s3\":{\"a\":\"b\"}}},\"sso-session\":{},\"services\":{}}");
}

static void secrets_are_marked_as_such(void **state) {
  mb_error error;
  mb_value out;
  assert_int_equal(try_parse(NULL,
                             "[d]\naws_access_key_id=AKID\nAWS_Secret_Access_Key=s\n more\n"
                             "aws_session_token=t\n",
                             &out, &error),
                   0);
  const mb_value *profile = mb_map_get(mb_map_get(&out, "profiles"), "d");
  assert_false(mb_value_is_secret(mb_map_get(profile, "aws_access_key_id")));
  assert_true(mb_value_is_secret(mb_map_get(profile, "aws_session_token")));
  const mb_value *secret = mb_map_get(profile, "aws_secret_access_key");
  assert_true(mb_value_is_secret(secret));
  assert_string_equal(mb_value_string(secret), "s\nmore");
}

static void errors_name_file_and_line_and_no_secret(void **state) {
  static const char *const rows[] = {
      "[d]\naws_secret_access_key: hunter2\n",
      "[d]\n\n= hunter2\n",
      "[d\naws_secret_access_key = hunter2\n",
      "\naws_secret_access_key = hunter2\n",
      "[d]\n hunter2\n",
      "[d]\ns3 =\n hunter2\n",
  };
  static const int lines[] = {2, 3, 1, 2, 2, 3};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    mb_error error;
    mb_value out;
    char where[64];
    assert_int_equal(try_parse(NULL, rows[i], &out, &error), -1);
    snprintf(where, sizeof where, "/home/me/.aws/credentials, line %d: ", lines[i]);
    assert_int_equal(error.kind, MB_ERROR_USAGE);
    assert_non_null(strstr(error.message, where));
    assert_null(strstr(error.message, "hunter2"));
    assert_true(error.next[0] != '\0');
  }
}

static void odd_brackets_are_errors_or_nothing(void **state) {
  static const char *const bad[] = {"[", "[ ", "[#]", "[a] x", "[a;]"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    mb_error error;
    mb_value out;
    assert_int_equal(try_parse(NULL, bad[i], &out, &error), -1);
    assert_non_null(strstr(error.message, "Section definition must end with ']'"));
  }
  expect("[]\n[profile]\n[profile ]\n[ ]\n[\"]\n[profile \"\"]\n", "[]\n['']\n",
         "{\"profiles\":{},\"sso-session\":{},\"services\":{}}");
}

static void nul_bytes_do_not_end_the_file(void **state) {
  static const char text[] = "[d]\na\0b = 1\nc = x\0y\n";
  mb_error error;
  mb_value out;
  size_t size;
  assert_int_equal(
      mb_profiles_parse(arena, NULL, 0, NULL, text, sizeof text - 1, NULL, &out, &error), 0);
  const mb_value *profile = mb_map_get(mb_map_get(&out, "profiles"), "d");
  assert_int_equal(mb_value_count(profile), 1);
  assert_memory_equal(mb_value_bytes(mb_map_get(profile, "c"), &size), "x\0y", 3);
  assert_int_equal(size, 3);
}

/* A quarter of a million lines that continue one value: memory must not grow with their square. */
static void endless_continuations_stay_cheap(void **state) {
  enum { LINES = 250000 };
  mb_error error;
  mb_value out;
  size_t size;
  char *text = malloc(16 + 3 * LINES);
  assert_non_null(text);
  size_t used = (size_t)sprintf(text, "[d]\na = x\n");
  for (int i = 0; i < LINES; i++, used += 3)
    memcpy(text + used, " x\n", 3);
  text[used] = '\0';
  mb_arena *small = mb_arena_new(8u * 1024 * 1024);
  assert_non_null(small);
  assert_int_equal(mb_profiles_parse(small, NULL, 0, NULL, text, used, NULL, &out, &error), 0);
  mb_value_bytes(mb_map_get(mb_map_get(mb_map_get(&out, "profiles"), "d"), "a"), &size);
  assert_int_equal(size, 2 * LINES + 1);
  mb_arena_free(small);
  free(text);
}

static int parse_once(void *limit) {
  static const char config[] =
      "[default]\na=1\n more\n[profile x]\ns3 =\n a = b\n[sso-session s]\nq=r\n";
  static const char credentials[] = "[x]\nb=2\n";
  mb_error error = {0};
  mb_value out;
  mb_arena *own = mb_arena_new(*(const size_t *)limit);
  if (!own)
    return -1;
  int result = mb_profiles_parse(own, config, sizeof config - 1, NULL, credentials,
                                 sizeof credentials - 1, NULL, &out, &error);
  if (result)
    assert_int_equal(error.kind, MB_ERROR_MEMORY);
  mb_arena_free(own);
  return result;
}

static void every_allocation_of_parsing_may_fail(void **state) {
  size_t unlimited = 0;
  check_allocation_failures(parse_once, &unlimited);
  check_arena_limits(parse_once);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_files_give_empty_sections),
      cmocka_unit_test(services_sections_hold_nested_values),
      cmocka_unit_test(indented_comments_are_no_values),
      cmocka_unit_test(byte_order_mark_and_quoted_names_are_read),
      cmocka_unit_test(other_sections_are_skipped_with_all_they_hold),
      cmocka_unit_test(plain_default_of_the_config_merges_with_the_credentials),
      cmocka_unit_test(a_later_plain_value_replaces_nested_ones),
      cmocka_unit_test(secrets_are_marked_as_such),
      cmocka_unit_test(errors_name_file_and_line_and_no_secret),
      cmocka_unit_test(odd_brackets_are_errors_or_nothing),
      cmocka_unit_test(nul_bytes_do_not_end_the_file),
      cmocka_unit_test(endless_continuations_stay_cheap),
      cmocka_unit_test(every_allocation_of_parsing_may_fail),
  };
  return cmocka_run_group_tests(tests, make_arena, free_arena);
}
