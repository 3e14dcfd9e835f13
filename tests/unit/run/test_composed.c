/* Primitives whose body is Lua: declared, allowed and called like any other. */
#include "support/fake_transport.h"

#include "base/embedded.h"
#include <moonbook/moonbook.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef struct composed_trial {
  fake_machine fake;
  mb_host *host;
  mb_arena *arena;
  mb_error error;
} composed_trial;

static void set_up(composed_trial *trial, const char *manifest, const char *runbook) {
  memset(trial, 0, sizeof *trial);
  fake_init(&trial->fake);
  fake_setenv(&trial->fake, "AWS_REGION", "eu-west-1");
  if (manifest != NULL) {
    fake_write_file(&trial->fake, "/books/look/service/v1/manifest.lua", manifest);
    fake_write_file(&trial->fake, "/books/look/service/v1/runbook.lua", runbook);
  }
  mb_host_options options = MB_HOST_OPTIONS_INIT;
  options.system = &trial->fake.system;
  options.settings = "";
  options.runbook_path = "/books";
  trial->arena = mb_arena_new(0);
  if (mb_host_new(&trial->host, &options, &trial->error) != 0) {
    fail_msg("%s", trial->error.message);
  }
}

static void tear_down(composed_trial *trial) {
  mb_host_free(trial->host);
  mb_arena_free(trial->arena);
  fake_dispose(&trial->fake);
}

/* "ecs.explain" of "lua/moonbook/primitives/ecs/explain.lua". */
static void name_of(char *out, size_t size, const char *path) {
  const char *folder = "lua/moonbook/primitives/";
  snprintf(out, size, "%s", path + strlen(folder));
  out[strlen(out) - strlen(".lua")] = 0;
  *strchr(out, '/') = '.';
}

static void every_declaration_can_be_read(void **state) {
  composed_trial trial;
  set_up(&trial, NULL, NULL);
  size_t count;
  const mb_embedded_file *files = mb_embedded_below("lua/moonbook/primitives/", &count);
  assert_true(count > 0);
  for (size_t i = 0; i < count; i++) {
    char name[128];
    const mb_value *help = NULL;
    name_of(name, sizeof name, files[i].path);
    if (mb_host_help(trial.host, trial.arena, name, &help, &trial.error) != 0) {
      fail_msg("%s: %s", name, trial.error.message);
    }
    assert_string_equal(mb_value_string(mb_map_get(help, "effect")), "reads");
    assert_true(mb_value_count(mb_map_get(help, "calls")) > 0);
    assert_true(mb_value_count(mb_map_get(help, "iam")) > 0);
  }
  tear_down(&trial);
}

static void a_namespace_lists_its_composed_primitives(void **state) {
  composed_trial trial;
  const mb_value *help = NULL;
  bool found = false;
  set_up(&trial, NULL, NULL);
  assert_int_equal(mb_host_help(trial.host, trial.arena, "ecs", &help, &trial.error), 0);
  const mb_value *list = mb_map_get(help, "primitives");
  for (size_t i = 0; i < mb_value_count(list); i++) {
    const mb_value *name = mb_map_get(mb_list_at(list, i), "name");
    found = found || strcmp(mb_value_string(name), "ecs.follow_deployment") == 0;
  }
  assert_true(found);
  tear_down(&trial);
}

static void arguments_are_checked_against_the_declaration(void **state) {
  composed_trial trial;
  const mb_value *result = NULL;
  mb_value *args;
  set_up(&trial, NULL, NULL);
  assert_int_equal(mb_value_from_json(trial.arena, &args, "{\"clutser\":\"a\"}", 15, NULL), 0);
  assert_int_equal(mb_host_call(trial.host, trial.arena, "ecs.follow_deployment", args, false,
                                &result, &trial.error),
                   -1);
  assert_int_equal(trial.error.kind, MB_ERROR_USAGE);
  assert_non_null(strstr(trial.error.message, "clutser"));
  tear_down(&trial);
}

#define MANIFEST                                                                                   \
  "return { name = \"look/service\", version = \"1.0.0\", moonbook = 1, summary = \"Look\","       \
  "kind = \"monitor\", effect = \"reads\", uses = { \"ecs.follow_deployment\" } }"

/* What a call that nobody answers says is enough: a refused one says something else. */
static mb_error error_of_calling(const char *call) {
  composed_trial trial;
  char runbook[300];
  snprintf(runbook, sizeof runbook, "return { verify = function() %s end }", call);
  set_up(&trial, MANIFEST, runbook);
  mb_run *run = NULL;
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.runbook = "look/service";
  assert_int_equal(mb_run_new(&run, trial.host, &options, &trial.error), 0);
  mb_run_execute(run);
  mb_error error = *mb_run_error(run);
  mb_run_free(run);
  tear_down(&trial);
  return error;
}

static void using_one_allows_what_it_calls(void **state) {
  mb_error error = error_of_calling("ecs.describe_services { services = { 'a' } }");
  assert_string_not_equal(error.code, "UndeclaredPrimitive");
}

static void using_one_allows_nothing_else(void **state) {
  mb_error error = error_of_calling("ecs.list_clusters {}");
  assert_string_equal(error.code, "UndeclaredPrimitive");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_declaration_can_be_read),
      cmocka_unit_test(a_namespace_lists_its_composed_primitives),
      cmocka_unit_test(arguments_are_checked_against_the_declaration),
      cmocka_unit_test(using_one_allows_what_it_calls),
      cmocka_unit_test(using_one_allows_nothing_else),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
