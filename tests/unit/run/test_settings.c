/* moonbook.lua: names of environments, and complaints that name file and field. */
#include "run/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *nothing_set(void *payload, const char *name) {
  return NULL;
}

static int read_project(mb_project *out, mb_arena *arena, const char *text, mb_error *error) {
  char path[] = "/tmp/moonbook-settings-XXXXXX";
  mb_system given = {.getenv = nothing_set};
  mb_system system;
  int file = mkstemp(path);
  assert_true(file >= 0);
  assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
  close(file);
  mb_system_complete(&system, &given);
  mb_error_clear(error);
  int status = mb_project_read(out, arena, &system, path, error);
  unlink(path);
  return status;
}

static const char *environment_json(mb_arena *arena, const char *text, const char *name,
                                    mb_error *error) {
  mb_project project;
  mb_value *out = NULL;
  if (read_project(&project, arena, text, error) != 0) {
    fail_msg("%s", error->message);
  }
  if (mb_project_environment(&project, arena, name, &out, error) != 0) {
    return NULL;
  }
  return mb_value_to_json(arena, out, 0, false);
}

static void names_are_those_of_the_guide(void **state) {
  mb_arena *arena = mb_arena_new(0);
  mb_error error;
  const char *got = environment_json(
      arena, "return { app = \"aistudio\", environments = { dev = { region = \"us-west-2\" } } }",
      "dev", &error);
  assert_non_null(got);
  assert_string_equal(
      got,
      "{\"environment\":\"dev\",\"app\":\"aistudio\",\"region\":\"us-west-2\","
      "\"protected\":false,\"names\":{\"cluster\":\"aistudio-dev\",\"service\":\"aistudio-dev\","
      "\"repository\":\"aistudio-dev\",\"log_group\":\"/ecs/aistudio-dev\","
      "\"dashboard\":\"aistudio-ecs-dev\",\"parameter_prefix\":\"/aistudio/dev\","
      "\"alb_dns_parameter\":\"/aistudio/dev/alb-dns-name\","
      "\"repository_uri_parameter\":\"/aistudio/dev/ecr-repository-uri\"}}");
  mb_arena_free(arena);
}

static void names_can_be_overridden(void **state) {
  mb_arena *arena = mb_arena_new(0);
  mb_error error;
  const char *got = environment_json(
      arena,
      "return { app = \"a\", names = { cluster = \"shared-{env}\", log_group = \"/l/{service}\" },"
      "environments = { prod = { service = \"web\", endpoint_url = \"http://localhost:1\","
      "profile = \"p\", parameter_prefix = \"/x\" } } }",
      "prod", &error);
  assert_non_null(got);
  assert_non_null(strstr(got, "\"cluster\":\"shared-prod\""));
  assert_non_null(strstr(got, "\"service\":\"web\""));
  assert_non_null(strstr(got, "\"log_group\":\"/l/web\""));
  assert_non_null(strstr(got, "\"alb_dns_parameter\":\"/x/alb-dns-name\""));
  assert_non_null(strstr(got, "\"endpoint_url\":\"http://localhost:1\""));
  assert_non_null(strstr(got, "\"profile\":\"p\""));
  assert_non_null(strstr(got, "\"protected\":true"));
  mb_arena_free(arena);
}

static void names_that_need_an_app_are_absent_without_one(void **state) {
  mb_arena *arena = mb_arena_new(0);
  mb_error error;
  const char *got = environment_json(
      arena, "return { environments = { dev = { cluster = \"c\" } } }", "dev", &error);
  assert_non_null(got);
  assert_non_null(strstr(got, "\"names\":{\"cluster\":\"c\"}"));
  mb_arena_free(arena);
}

static void complaints_name_file_and_field(void **state) {
  static const struct {
    const char *text, *message, *next;
  } rows[] = {
      {"return 5", "must return a table", NULL},
      {"return { ap = \"x\" }", ": ap: unknown field", "\"app\""},
      {"return { app = 5 }", ": app: expected a string, got an integer", NULL},
      {"return { environments = { dev = { regoin = \"x\" } } }",
       ": environments.dev.regoin: unknown field", "\"region\""},
      {"return { environments = { dev = { region = true } } }",
       ": environments.dev.region: expected a string, got a boolean", NULL},
      {"return { environments = { dev = 5 } }", ": environments.dev: expected a table", NULL},
      {"return { environments = { dev = { cluster = \"\" } } }",
       ": environments.dev.cluster: is empty", NULL},
      {"return { names = { clustr = \"x\" } }", ": names.clustr: unknown field", "\"cluster\""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    mb_arena *arena = mb_arena_new(0);
    mb_project project;
    mb_error error;
    assert_int_equal(read_project(&project, arena, rows[i].text, &error), -1);
    assert_int_equal(error.kind, MB_ERROR_USAGE);
    if (strstr(error.message, rows[i].message) == NULL ||
        strstr(error.message, "moonbook-settings") == NULL ||
        (rows[i].next != NULL && strstr(error.next, rows[i].next) == NULL)) {
      fail_msg("row %zu: \"%s\" / \"%s\"", i, error.message, error.next);
    }
    mb_arena_free(arena);
  }
}

static void an_unknown_environment_is_answered_with_the_nearest(void **state) {
  mb_arena *arena = mb_arena_new(0);
  mb_error error;
  assert_null(
      environment_json(arena, "return { environments = { staging = {} } }", "stagin", &error));
  assert_int_equal(error.kind, MB_ERROR_USAGE);
  assert_non_null(strstr(error.next, "staging"));
  assert_null(environment_json(
      arena, "return { environments = { dev = { cluster = \"{app}-x\" } } }", "dev", &error));
  assert_non_null(strstr(error.message, "{app}"));
  mb_arena_free(arena);
}

static void a_named_file_must_exist(void **state) {
  mb_arena *arena = mb_arena_new(0);
  mb_system system;
  mb_project project;
  mb_error error;
  mb_system_complete(&system, NULL);
  assert_int_equal(mb_project_read(&project, arena, &system, "/tmp/no/such/moonbook.lua", &error),
                   -1);
  assert_int_equal(error.kind, MB_ERROR_NOT_FOUND);
  assert_int_equal(mb_project_read(&project, arena, &system, "", &error), 0);
  assert_null(project.data);
  mb_arena_free(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_are_those_of_the_guide),
      cmocka_unit_test(names_can_be_overridden),
      cmocka_unit_test(names_that_need_an_app_are_absent_without_one),
      cmocka_unit_test(complaints_name_file_and_field),
      cmocka_unit_test(an_unknown_environment_is_answered_with_the_nearest),
      cmocka_unit_test(a_named_file_must_exist),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
