/* Settings: who wins where several places speak, and what a mistake in them says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/config/settings.h"
#include "support/fake_transport.h"
#include <string.h>

static fake_machine fake;

static int open_machine(void **state) {
  fake_init(&fake);
  fake_setenv(&fake, "HOME", "/home/me");
  return 0;
}

static int close_machine(void **state) {
  fake_dispose(&fake);
  return 0;
}

static void load(mb_settings *settings, const mb_settings_options *options) {
  mb_error error;
  if (mb_settings_load(settings, &fake.system, options, &error) != 0)
    fail_msg("%s", error.message);
}

static mb_error refuse(const mb_settings_options *options) {
  mb_settings settings;
  mb_error error;
  assert_int_equal(mb_settings_load(&settings, &fake.system, options, &error), -1);
  return error;
}

#define assert_contains(text, part)                                                                \
  do {                                                                                             \
    if (!strstr((text), (part)))                                                                   \
      fail_msg("'%s' does not hold '%s'", (text), (part));                                         \
  } while (0)

static void nothing_set_gives_defaults(void **state) {
  mb_settings settings;
  load(&settings, NULL);
  assert_string_equal(settings.profile, "default");
  assert_false(settings.profile_explicit);
  assert_null(settings.values);
  assert_null(settings.region);
  assert_null(settings.ca_bundle);
  assert_false(settings.use_fips);
  assert_int_equal(settings.max_attempts, 0);
  assert_string_equal(settings.sts_regional_endpoints, "regional");
  assert_null(mb_settings_endpoint(&settings, &fake.system, "ECS"));
  mb_settings_dispose(&settings);
}

static void no_home_means_no_files(void **state) {
  mb_settings settings;
  fake_setenv(&fake, "HOME", NULL);
  load(&settings, NULL);
  assert_null(settings.config_path);
  mb_settings_dispose(&settings);
}

static void explicit_beats_environment_beats_profile(void **state) {
  mb_settings settings;
  mb_settings_options options = {.region = "ap-south-1"};
  fake_write_file(&fake, "/home/me/.aws/config", "[default]\nregion = eu-north-1\n");
  load(&settings, NULL);
  assert_string_equal(settings.region, "eu-north-1");
  mb_settings_dispose(&settings);
  fake_setenv(&fake, "AWS_DEFAULT_REGION", "us-east-2");
  load(&settings, NULL);
  assert_string_equal(settings.region, "us-east-2");
  mb_settings_dispose(&settings);
  fake_setenv(&fake, "AWS_REGION", "us-west-2");
  load(&settings, NULL);
  assert_string_equal(settings.region, "us-west-2");
  mb_settings_dispose(&settings);
  load(&settings, &options);
  assert_string_equal(settings.region, "ap-south-1");
  mb_settings_dispose(&settings);
}

static void the_profile_comes_from_options_then_environment(void **state) {
  mb_settings settings;
  mb_settings_options options = {.profile = "c"};
  fake_write_file(&fake, "/home/me/.aws/config",
                  "[profile a]\nregion=r-a\n[profile b]\nregion=r-b\n[profile c]\nregion=r-c\n");
  fake_setenv(&fake, "AWS_DEFAULT_PROFILE", "a");
  load(&settings, NULL);
  assert_string_equal(settings.region, "r-a");
  mb_settings_dispose(&settings);
  fake_setenv(&fake, "AWS_PROFILE", "b");
  load(&settings, NULL);
  assert_string_equal(settings.region, "r-b");
  assert_false(settings.profile_explicit);
  mb_settings_dispose(&settings);
  load(&settings, &options);
  assert_string_equal(settings.region, "r-c");
  assert_true(settings.profile_explicit);
  mb_settings_dispose(&settings);
}

static void a_profile_that_does_not_exist_is_refused_with_a_suggestion(void **state) {
  fake_write_file(&fake, "/home/me/.aws/config", "[profile staging]\nregion=x\n");
  fake_setenv(&fake, "AWS_PROFILE", "stagin");
  mb_error error = refuse(NULL);
  assert_int_equal(error.kind, MB_ERROR_USAGE);
  assert_string_equal(error.code, "UnknownProfile");
  assert_contains(error.message, "'stagin'");
  assert_contains(error.message, "AWS_PROFILE");
  assert_contains(error.next, "'staging'");
}

static void the_files_may_be_named_by_variables(void **state) {
  mb_settings settings;
  fake_write_file(&fake, "/etc/aws.conf", "[default]\nregion = eu-south-1\nca_bundle=/ca.pem\n");
  fake_write_file(&fake, "/home/me/keys", "[default]\naws_access_key_id = A\n");
  fake_setenv(&fake, "AWS_CONFIG_FILE", "/etc/aws.conf");
  fake_setenv(&fake, "AWS_SHARED_CREDENTIALS_FILE", "~/keys");
  load(&settings, NULL);
  assert_string_equal(settings.region, "eu-south-1");
  assert_string_equal(settings.ca_bundle, "/ca.pem");
  assert_string_equal(mb_settings_get(&settings, "default", "aws_access_key_id"), "A");
  mb_settings_dispose(&settings);
}

static void a_malformed_file_is_an_error_that_names_it(void **state) {
  fake_write_file(&fake, "/home/me/.aws/config", "[default\nregion = x\n");
  mb_error error = refuse(NULL);
  assert_int_equal(error.kind, MB_ERROR_USAGE);
  assert_contains(error.message, ".aws/config");
}

static void a_boolean_that_is_neither_is_refused_by_name(void **state) {
  mb_settings settings;
  fake_setenv(&fake, "AWS_USE_FIPS_ENDPOINT", "TRUE");
  load(&settings, NULL);
  assert_true(settings.use_fips);
  mb_settings_dispose(&settings);
  fake_setenv(&fake, "AWS_USE_FIPS_ENDPOINT", "maybe");
  mb_error error = refuse(NULL);
  assert_string_equal(error.code, "BadSetting");
  assert_contains(error.message, "AWS_USE_FIPS_ENDPOINT is 'maybe'");
}

static void attempts_must_be_a_number_that_makes_sense(void **state) {
  mb_settings settings;
  static const char *const bad[] = {"0", "-1", "many", "1e3", "101"};
  fake_setenv(&fake, "AWS_MAX_ATTEMPTS", "7");
  load(&settings, NULL);
  assert_int_equal(settings.max_attempts, 7);
  mb_settings_dispose(&settings);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    fake_setenv(&fake, "AWS_MAX_ATTEMPTS", bad[i]);
    assert_contains(refuse(NULL).message, "AWS_MAX_ATTEMPTS");
  }
}

static void the_size_to_compress_from_must_be_one_that_services_take(void **state) {
  mb_settings settings;
  static const char *const bad[] = {"0", "-1", "1048577", "10k", "99999999999999999999"};
  load(&settings, NULL);
  assert_int_equal(settings.compress_minimum, 10240);
  assert_false(settings.disable_compression);
  mb_settings_dispose(&settings);
  fake_write_file(&fake, "/home/me/.aws/config",
                  "[default]\nrequest_min_compression_size_bytes = 1048576\n"
                  "disable_request_compression = true\n");
  load(&settings, NULL);
  assert_int_equal(settings.compress_minimum, 1048576);
  assert_true(settings.disable_compression);
  mb_settings_dispose(&settings);
  fake_setenv(&fake, "AWS_DISABLE_REQUEST_COMPRESSION", "FALSE");
  fake_setenv(&fake, "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", "1");
  load(&settings, NULL);
  assert_int_equal(settings.compress_minimum, 1);
  assert_false(settings.disable_compression);
  mb_settings_dispose(&settings);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    fake_setenv(&fake, "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", bad[i]);
    mb_error error = refuse(NULL);
    assert_string_equal(error.code, "BadSetting");
    assert_contains(error.message, "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES");
    assert_contains(error.message, "from 1 to 1048576");
  }
}

/* ---- endpoints ---- */

static const char services_config[] = "[default]\n"
                                      "endpoint_url = http://profile\n"
                                      "services = local\n"
                                      "[services local]\n"
                                      "elastic_load_balancing_v2 =\n"
                                      "  endpoint_url = http://section\n";

static const char elb[] = "Elastic Load Balancing v2";

static void assert_endpoint(const mb_settings_options *options, const char *service,
                            const char *expected) {
  mb_settings settings;
  load(&settings, options);
  const char *url = mb_settings_endpoint(&settings, &fake.system, service);
  if (expected)
    assert_string_equal(url, expected);
  else
    assert_null(url);
  mb_settings_dispose(&settings);
}

static void endpoints_are_overridden_in_order(void **state) {
  mb_settings_options options = {.endpoint_url = "http://explicit"};
  fake_write_file(&fake, "/home/me/.aws/config", services_config);
  assert_endpoint(NULL, "ECS", "http://profile");
  assert_endpoint(NULL, elb, "http://section");
  fake_setenv(&fake, "AWS_ENDPOINT_URL", "http://all");
  assert_endpoint(NULL, "ECS", "http://all");
  assert_endpoint(NULL, elb, "http://all");
  fake_setenv(&fake, "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2", "http://one");
  assert_endpoint(NULL, "ECS", "http://all");
  assert_endpoint(NULL, elb, "http://one");
  assert_endpoint(&options, elb, "http://explicit");
}

static void ignoring_configured_endpoints_spares_only_the_explicit_one(void **state) {
  mb_settings_options options = {.endpoint_url = "http://explicit"};
  fake_write_file(&fake, "/home/me/.aws/config", services_config);
  fake_setenv(&fake, "AWS_ENDPOINT_URL", "http://all");
  fake_setenv(&fake, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
  assert_endpoint(NULL, "ECS", NULL);
  assert_endpoint(NULL, elb, NULL);
  assert_endpoint(&options, elb, "http://explicit");
}

static void a_services_section_that_does_not_exist_is_refused(void **state) {
  fake_write_file(&fake, "/home/me/.aws/config", "[default]\nservices = lokal\n");
  mb_error error = refuse(NULL);
  assert_string_equal(error.code, "UnknownServicesSection");
  assert_contains(error.message, "lokal");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_machine, close_machine)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(nothing_set_gives_defaults),
      TEST(no_home_means_no_files),
      TEST(explicit_beats_environment_beats_profile),
      TEST(the_profile_comes_from_options_then_environment),
      TEST(a_profile_that_does_not_exist_is_refused_with_a_suggestion),
      TEST(the_files_may_be_named_by_variables),
      TEST(a_malformed_file_is_an_error_that_names_it),
      TEST(a_boolean_that_is_neither_is_refused_by_name),
      TEST(attempts_must_be_a_number_that_makes_sense),
      TEST(the_size_to_compress_from_must_be_one_that_services_take),
      TEST(endpoints_are_overridden_in_order),
      TEST(ignoring_configured_endpoints_spares_only_the_explicit_one),
      TEST(a_services_section_that_does_not_exist_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
