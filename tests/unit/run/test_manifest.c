/* Manifests and arguments: what is accepted, and that every complaint names file and field. */
#include "run/args.h"
#include "run/manifest.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GOOD                                                                                       \
  "name = \"deploy/restart\", version = \"1.2.0\", moonbook = 1, summary = \"Restart\", "          \
  "kind = \"deploy\", effect = \"writes\", uses = { \"ecs.update_service\" }, "                    \
  "changes = { \"Restarts {cluster}\" },"
#define CLUSTER "{ name = \"cluster\", type = \"string\", doc = \"the cluster\" },"

static int read_text(mb_manifest *out, mb_arena *arena, const char *text, mb_error *error) {
  mb_bundle bundle = {.name = "deploy/restart",
                      .major = 1,
                      .manifest = text,
                      .manifest_size = strlen(text),
                      .manifest_chunk = "m.lua"};
  mb_error_clear(error);
  return mb_manifest_read(out, arena, &bundle, error);
}

static void a_good_manifest_is_read(void **state) {
  mb_arena *arena = mb_arena_new(0);
  mb_manifest manifest;
  mb_error error;
  const char *text =
      "return { " GOOD "confirm = \"{cluster}\", timeout = \"15m\", hosts = { \"*.example.com\" },"
      "args = { { name = \"cluster\", type = \"string\", required = true, "
      "doc = \"which\", setting = \"cluster\" },"
      "{ name = \"wait\", type = \"duration\", default = \"2m\", doc = \"d\" } } }";
  int status = read_text(&manifest, arena, text, &error);
  assert_string_equal(error.message, "");
  assert_int_equal(status, 0);
  assert_string_equal(manifest.name, "deploy/restart");
  assert_int_equal(manifest.major, 1);
  assert_int_equal(manifest.effect, MB_EFFECT_WRITES);
  assert_true(fabs(manifest.timeout_seconds - 900) < 1e-9);
  assert_int_equal(manifest.arg_count, 2);
  assert_string_equal(manifest.args[0].setting, "cluster");
  assert_true(fabs(mb_value_number(manifest.args[1].default_value) - 120) < 1e-9);
  mb_arena_free(arena);
}

typedef struct complaint {
  const char *text;
  const char *message; /* must occur in the message */
  const char *next;    /* must occur in what to do next, or NULL */
} complaint;

static void every_complaint_names_file_and_field(void **state) {
  static const complaint rows[] = {
      {"return 5", "m.lua", NULL},
      {"return {}", "m.lua: name: is required", NULL},
      {"return { name = 5 }", "m.lua: name: expected a string, got an integer", NULL},
      {"return { " GOOD " efect = 1 }", "m.lua: efect: unknown field", "\"effect\""},
      {"return { name = \"deploy/other\", version = \"1.0.0\", summary = \"s\" }",
       "m.lua: name: says \"deploy/other\", but the folder is \"deploy/restart\"", NULL},
      {"return { name = \"Deploy\", version = \"1.0.0\", summary = \"s\" }", "m.lua: name:", NULL},
      {"return { name = \"deploy/restart\", version = \"1.0\", summary = \"s\" }",
       "m.lua: version: \"1.0\" is not of the form 1.2.0", NULL},
      {"return { name = \"deploy/restart\", version = \"2.0.0\", summary = \"s\" }",
       "m.lua: version: is 2.0.0, but the folder is v1", NULL},
      {"return { name = \"deploy/restart\", version = \"1.0.0\", summary = \"s\" }",
       "m.lua: moonbook: is required", NULL},
      {"return { name = \"deploy/restart\", version = \"1.0.0\", summary = \"s\", moonbook = 99 }",
       "needs API level 99", "newer moonbook"},
      {"return { name = \"deploy/restart\", version = \"1.0.0\", summary = \"s\", moonbook = 1, "
       "kind = \"deplyo\", effect = \"reads\" }",
       "m.lua: kind: \"deplyo\" is not one of deploy, validate", "\"deploy\""},
      {"return { name = \"deploy/restart\", version = \"1.0.0\", summary = \"s\", moonbook = 1, "
       "kind = \"deploy\", effect = \"wirtes\" }",
       "m.lua: effect: \"wirtes\" is not one of reads, writes, destroys", NULL},
      {"return { name = \"deploy/restart\", version = \"1.0.0\", summary = \"s\", moonbook = 1, "
       "kind = \"deploy\", effect = \"writes\" }",
       "m.lua: changes: is required", NULL},
      {"return { " GOOD "args = { " CLUSTER " }, hosts = 5 }",
       "m.lua: hosts: expected a list of strings, got an integer", NULL},
      {"return { " GOOD "args = { { name = \"cluster\" } } }", "m.lua: args[1].type: is required",
       NULL},
      {"return { " GOOD "args = { " CLUSTER CLUSTER " } }",
       "m.lua: args[2].name: \"cluster\" is there twice", NULL},
      {"return { " GOOD "args = { { name = \"timeout\", type = \"duration\", doc = \"d\" } } }",
       "m.lua: args[1].name: \"timeout\" is a flag of the command", NULL},
      {"return { " GOOD "args = { { name = \"cluster\", type = \"strng\", doc = \"d\" } } }",
       "m.lua: args[1].type: \"strng\" is not one of", "\"string\""},
      {"return { " GOOD "args = { { name = \"cluster\", type = \"integer\", doc = \"d\", "
       "default = \"x\" } } }",
       "m.lua: args[1].default: expected an integer, got \"x\"", NULL},
      {"return { " GOOD "args = { { name = \"cluster\", type = \"choice\", doc = \"d\" } } }",
       "m.lua: args[1].choices: is required of a choice", NULL},
      {"return { " GOOD "args = { { name = \"cluster\", type = \"string\", doc = \"d\", "
       "setting = \"clustr\" } } }",
       "m.lua: args[1].setting: \"clustr\"", "\"cluster\""},
      {"return { " GOOD "}", "m.lua: changes: \"Restarts {cluster}\"", NULL},
      {"return { " GOOD "args = { " CLUSTER " }, timeout = \"soon\" }", "m.lua: timeout:", NULL},
      {"return { name = \"deploy/restart\", version = \"1.0.0\", summary = \"s\", moonbook = 1, "
       "kind = \"deploy\", effect = \"reads\", uses = { \"ecs\" } }",
       "m.lua: uses: item 1: \"ecs\" is not a primitive", NULL},
      {"return { name = \"deploy/restart\", version = \"1.0.0\", summary = \"s\", moonbook = 1, "
       "kind = \"deploy\", effect = \"reads\", uses = { \"ecs.*_service\" } }",
       "m.lua: uses: item 1:", NULL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    mb_arena *arena = mb_arena_new(0);
    mb_manifest manifest;
    mb_error error;
    assert_int_equal(read_text(&manifest, arena, rows[i].text, &error), -1);
    assert_int_equal(error.kind, MB_ERROR_USAGE);
    if (strstr(error.message, rows[i].message) == NULL ||
        (rows[i].next != NULL && strstr(error.next, rows[i].next) == NULL)) {
      fail_msg("row %zu: got \"%s\" / \"%s\", expected \"%s\" / \"%s\"", i, error.message,
               error.next, rows[i].message, rows[i].next == NULL ? "" : rows[i].next);
    }
    mb_arena_free(arena);
  }
}

static void wildcards_allow_reads_only(void **state) {
  mb_arena *arena = mb_arena_new(0);
  mb_manifest manifest;
  mb_error error;
  const char *text = "return { name = \"deploy/restart\", version = \"1.0.0\", summary = \"s\", "
                     "moonbook = 1, kind = \"deploy\", effect = \"reads\", "
                     "uses = { \"ecs.*\", \"sns.publish\" } }";
  assert_int_equal(read_text(&manifest, arena, text, &error), 0);
  mb_primitive read = {.name = "ecs.describe_services", .effect = MB_EFFECT_READS};
  mb_primitive write = {.name = "ecs.update_service", .effect = MB_EFFECT_WRITES};
  mb_primitive named = {.name = "sns.publish", .effect = MB_EFFECT_WRITES};
  mb_primitive other = {.name = "ecr.describe_images", .effect = MB_EFFECT_READS};
  assert_true(mb_manifest_allows(&manifest, &read));
  assert_false(mb_manifest_allows(&manifest, &write));
  assert_true(mb_manifest_allows(&manifest, &named));
  assert_false(mb_manifest_allows(&manifest, &other));
  mb_arena_free(arena);
}

/* ---- arguments ---------------------------------------------------------------------------------
 */

static const char arguments_manifest[] =
    "return { name = \"deploy/restart\", version = \"1.0.0\", summary = \"s\", moonbook = 1, "
    "kind = \"deploy\", effect = \"reads\", args = {"
    "{ name = \"cluster\", type = \"string\", required = true, setting = \"cluster\", doc = \"c\" "
    "},"
    "{ name = \"count\", type = \"integer\", default = 1, doc = \"c\" },"
    "{ name = \"ratio\", type = \"number\", doc = \"c\" },"
    "{ name = \"force\", type = \"boolean\", doc = \"c\" },"
    "{ name = \"wait\", type = \"duration\", doc = \"c\" },"
    "{ name = \"tags\", type = \"strings\", doc = \"c\" },"
    "{ name = \"colour\", type = \"choice\", choices = { \"red\", \"green\" }, doc = \"c\" },"
    "{ name = \"token\", type = \"string\", secret = true, doc = \"c\" } } }";

static const char *resolve_json(mb_arena *arena, const char *given, bool are_text,
                                const char *environment, mb_error *error) {
  mb_manifest manifest;
  mb_value *args = NULL;
  mb_value *env = NULL;
  mb_value *out = NULL;
  assert_int_equal(read_text(&manifest, arena, arguments_manifest, error), 0);
  assert_int_equal(mb_value_from_json(arena, &args, given, strlen(given), error), 0);
  if (environment != NULL) {
    assert_int_equal(mb_value_from_json(arena, &env, environment, strlen(environment), error), 0);
  }
  if (mb_args_resolve(&manifest, arena, args, are_text, env, &out, error) != 0) {
    return NULL;
  }
  return mb_value_to_json(arena, out, 0, false);
}

static void arguments_are_typed_and_completed(void **state) {
  static const struct {
    const char *given;
    bool are_text;
    const char *environment;
    const char *expected;
  } rows[] = {
      {"{\"cluster\":\"a\"}", false, NULL, "{\"cluster\":\"a\",\"count\":1}"},
      {"{}", false, "{\"names\":{\"cluster\":\"x-dev\"}}", "{\"cluster\":\"x-dev\",\"count\":1}"},
      {"{\"cluster\":\"mine\"}", true, "{\"names\":{\"cluster\":\"x-dev\"}}",
       "{\"cluster\":\"mine\",\"count\":1}"},
      {"{\"cluster\":\"a\",\"count\":\"7\",\"force\":\"true\"}", true, NULL,
       "{\"cluster\":\"a\",\"count\":7,\"force\":true}"},
      {"{\"cluster\":\"a\",\"tags\":\"x,y\"}", true, NULL,
       "{\"cluster\":\"a\",\"count\":1,\"tags\":[\"x\",\"y\"]}"},
      {"{\"cluster\":\"a\",\"tags\":[\"x\"],\"colour\":\"red\"}", false, NULL,
       "{\"cluster\":\"a\",\"count\":1,\"tags\":[\"x\"],\"colour\":\"red\"}"},
      {"{\"cluster\":\"a\",\"token\":\"hush\"}", true, NULL,
       "{\"cluster\":\"a\",\"count\":1,\"token\":\"[secret]\"}"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    mb_arena *arena = mb_arena_new(0);
    mb_error error;
    const char *got =
        resolve_json(arena, rows[i].given, rows[i].are_text, rows[i].environment, &error);
    if (got == NULL) {
      fail_msg("row %zu: %s", i, error.message);
    }
    assert_string_equal(got, rows[i].expected);
    mb_arena_free(arena);
  }
}

static void bad_arguments_are_refused_by_name(void **state) {
  static const struct {
    const char *given;
    bool are_text;
    const char *message, *next;
  } rows[] = {
      {"{}", false, "needs the argument \"cluster\"", "--env"},
      {"{\"clutser\":\"a\"}", false, "has no argument \"clutser\"", "\"cluster\""},
      {"{\"cluster\":5}", false, "\"cluster\" of deploy/restart: expected a string, got an integer",
       NULL},
      {"{\"cluster\":\"a\",\"count\":\"7\"}", false, "expected an integer, got \"7\"", NULL},
      {"{\"cluster\":\"a\",\"count\":\"many\"}", true, "expected an integer, got \"many\"", NULL},
      {"{\"cluster\":\"a\",\"count\":\"7x\"}", true, "expected an integer", NULL},
      {"{\"cluster\":\"a\",\"force\":\"yes\"}", true, "expected true or false, got \"yes\"", NULL},
      {"{\"cluster\":\"a\",\"wait\":\"soon\"}", true, "expected a duration", NULL},
      {"{\"cluster\":\"a\",\"wait\":-1}", false, "expected a duration", NULL},
      {"{\"cluster\":\"a\",\"colour\":\"gren\"}", true, "expected one of its choices", "\"green\""},
      {"{\"cluster\":\"a\\u0000b\"}", true, "expected a string", NULL},
      {"[\"a\"]", false, "expected a map by name", NULL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    mb_arena *arena = mb_arena_new(0);
    mb_error error;
    assert_null(resolve_json(arena, rows[i].given, rows[i].are_text, NULL, &error));
    assert_int_equal(error.kind, MB_ERROR_USAGE);
    if (strstr(error.message, rows[i].message) == NULL ||
        (rows[i].next != NULL && strstr(error.next, rows[i].next) == NULL)) {
      fail_msg("row %zu: got \"%s\" / \"%s\"", i, error.message, error.next);
    }
    mb_arena_free(arena);
  }
}

static void a_secret_is_not_in_the_complaint_about_it(void **state) {
  mb_arena *arena = mb_arena_new(0);
  mb_arg arg = {.name = "token", .type = MB_ARG_INTEGER, .secret = true};
  const mb_value *out = NULL;
  mb_error error;
  mb_value *given = mb_value_new_string(arena, "hunter2");
  assert_int_equal(mb_arg_convert(&arg, arena, given, true, &out, &error), -1);
  assert_null(strstr(error.message, "hunter2"));
  mb_arena_free(arena);
}

static void versions_are_split_from_names(void **state) {
  static const struct {
    const char *text, *name;
    int major;
    const char *version;
    int status;
  } rows[] = {
      {"deploy/restart", "deploy/restart", 0, NULL, 0},
      {"deploy/restart@1", "deploy/restart", 1, NULL, 0},
      {"deploy/restart@1.2.0", "deploy/restart", 1, "1.2.0", 0},
      {"deploy/restart@", NULL, 0, NULL, -1},
      {"deploy/restart@0", NULL, 0, NULL, -1},
      {"deploy/restart@1.2", NULL, 0, NULL, -1},
      {"deploy/restart@v1", NULL, 0, NULL, -1},
      {"deploy/restart@99999999999", NULL, 0, NULL, -1},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    mb_arena *arena = mb_arena_new(0);
    const char *name = NULL;
    const char *version = NULL;
    int major = 0;
    mb_error error;
    assert_int_equal(mb_runbook_name_split(arena, rows[i].text, &name, &major, &version, &error),
                     rows[i].status);
    if (rows[i].status == 0) {
      assert_string_equal(name, rows[i].name);
      assert_int_equal(major, rows[i].major);
      assert_true((version == NULL) == (rows[i].version == NULL));
    }
    mb_arena_free(arena);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_good_manifest_is_read),
      cmocka_unit_test(every_complaint_names_file_and_field),
      cmocka_unit_test(wildcards_allow_reads_only),
      cmocka_unit_test(arguments_are_typed_and_completed),
      cmocka_unit_test(bad_arguments_are_refused_by_name),
      cmocka_unit_test(a_secret_is_not_in_the_complaint_about_it),
      cmocka_unit_test(versions_are_split_from_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
