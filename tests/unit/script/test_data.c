/* Data files, and looking at a runbook without running it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "script/script.h"
#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_text(mb_arena *arena, const char *text, size_t size, mb_value **out,
                     mb_error *error) {
  mb_error_clear(error);
  return mb_script_read_data(arena, "app/manifest.lua", text, size, out, error);
}

static void reads_as(const char *text, const char *json) {
  mb_error error;
  mb_value *value = NULL;
  mb_arena *arena = mb_arena_new(0);
  if (read_text(arena, text, strlen(text), &value, &error) != 0)
    fail_msg("%s: %s", error.where, error.message);
  assert_string_equal(mb_value_to_json(arena, value, 0, true), json);
  mb_arena_free(arena);
}

static void fails_with(const char *text, size_t size, mb_error_kind kind, const char *message) {
  mb_error error;
  mb_value *value = NULL;
  mb_arena *arena = mb_arena_new(0);
  assert_int_equal(read_text(arena, text, size, &value, &error), -1);
  if (error.kind != kind || !strstr(error.message, message))
    fail_msg("%s %s %s: %s", mb_error_kind_name(error.kind), error.code, error.where,
             error.message);
  assert_true(strncmp(error.where, "app/manifest.lua", 16) == 0 ||
              strstr(error.message, "64 KiB") != NULL);
  mb_arena_free(arena);
}

static void plain_data_is_read(void **state) {
  (void)state;
  reads_as("return { name = 'x', n = 3, h = 0.5, ok = true, list = { 'a', 'b' }, empty = {} }",
           "{\"empty\":{},\"h\":0.5,\"list\":[\"a\",\"b\"],\"n\":3,\"name\":\"x\",\"ok\":true}");
  reads_as("local base = 'a' .. 1\nreturn { base .. '-dev', 2 ^ 2 }", "[\"a1-dev\",4]");
  reads_as("local function f(x) return x + 1 end return { f(1) }", "[2]");
}

static void what_is_not_data_is_refused(void **state) {
  (void)state;
  const char *const cases[][2] = {
      {"return { f = function() end }", "f is a function, not data"},
      {"return 5", "must return a table"},
      {"local x = 1", "must return a table"},
      {"return { 1, nil, 3 }", "[2] is missing"},
      {"return { a = { [true] = 1 } }", "a has a key"},
      {"local t = {} t.t = t return t", "t contains itself"},
      {"return { a = 0/0 }", "a is not a finite number"},
      {"return {", "unexpected symbol near <eof>"},
      {"return { print('x') }", "attempt to call a nil value"},
      {"return { ('x'):rep(3) }", "attempt to index a string value"},
      {"return { string.rep('x', 3) }", "attempt to index a nil value"},
      {"return { os.getenv('HOME') }", "attempt to index a nil value"},
      {"return setmetatable({}, {})", "attempt to call a nil value"},
      {"error('x')", "attempt to call a nil value"},
      {"return { require 'x' }", "attempt to call a nil value"},
      {"local function f() return f() + 1 end return { f() }", "stack overflow"},
  };
  for (size_t i = 0; i + 1 < sizeof cases / sizeof cases[0]; i++)
    fails_with(cases[i][0], strlen(cases[i][0]), MB_ERROR_USAGE, cases[i][1]);
}

static void data_files_are_limited(void **state) {
  (void)state;
  const char loop[] = "while true do end";
  fails_with(loop, sizeof loop - 1, MB_ERROR_LIMIT, "instructions");
  const char bomb[] = "local s = 'xxxxxxxxxxxxxxxx' while true do s = s .. s end";
  fails_with(bomb, sizeof bomb - 1, MB_ERROR_LIMIT, "memory");
  const char deep[] = "local t = {} for i = 1, 200 do t = { t } end return t";
  fails_with(deep, sizeof deep - 1, MB_ERROR_USAGE, "nested too deeply");
  const char bytecode[] = "\x1bLua\x54";
  fails_with(bytecode, sizeof bytecode - 1, MB_ERROR_USAGE, "binary chunk");
  char *large = malloc(70000);
  assert_non_null(large);
  memset(large, ' ', 70000);
  fails_with(large, 70000, MB_ERROR_USAGE, "64 KiB");
  free(large);
}

static void errors_of_data_files_name_the_line(void **state) {
  mb_error error;
  mb_value *value;
  const char text[] = "return {\n  a = 1,\n  b = nothing.x,\n}";
  mb_arena *arena = mb_arena_new(0);
  (void)state;
  assert_int_equal(read_text(arena, text, sizeof text - 1, &value, &error), -1);
  assert_string_equal(error.where, "app/manifest.lua:3");
  const char syntax[] = "return {\n  a = = 1\n}";
  assert_int_equal(read_text(arena, syntax, sizeof syntax - 1, &value, &error), -1);
  assert_string_equal(error.where, "app/manifest.lua:2");
  assert_int_equal(error.kind, MB_ERROR_USAGE);
  mb_arena_free(arena);
}

static void every_cut_of_a_data_file_is_handled(void **state) {
  const char text[] = "local a = 'x' .. 1 -- note\nreturn { [\"k\"] = [[long]], n = 0x1F, { a } }";
  (void)state;
  for (size_t size = 0; size < sizeof text; size++) {
    mb_error error;
    mb_value *value = NULL;
    mb_arena *arena = mb_arena_new(0);
    int status = read_text(arena, text, size, &value, &error);
    if (status != 0)
      assert_true(error.message[0] != '\0');
    else
      assert_non_null(value);
    mb_arena_free(arena);
  }
}

/* ---- check ---- */

static void uses_are(const char *text, const char *json) {
  mb_error error;
  mb_arena *arena = mb_arena_new(0);
  mb_value *names = mb_value_new_list(arena);
  if (mb_script_check(arena, "r.lua", text, strlen(text), names, &error) != 0)
    fail_msg("%s", error.message);
  assert_string_equal(mb_value_to_json(arena, names, 0, true), json);
  mb_arena_free(arena);
}

static void primitives_used_are_listed_with_lines(void **state) {
  (void)state;
  uses_are("local a = ecs.list_services{}\n\nreturn { plan = function(run, args)\n"
           "  all(ecr.describe_images, { x = args.name })\nend }",
           "[{\"name\":\"ecs.list_services\",\"line\":1},"
           "{\"name\":\"ecr.describe_images\",\"line\":4}]");
  uses_are(
      "-- ecs.a{}\n--[[ ecs.b{}\n]] --[==[ ]] ecs.c{} ]==]\nlocal s = 'ecs.d' .. \"ecs.e\\\"\" "
      ".. [[ecs.f]]\nx.y = ecs . g { }",
      "[{\"name\":\"x.y\",\"line\":5},{\"name\":\"ecs.g\",\"line\":5}]");
  uses_are(
      "local t, u <const> = {}, {}\nlocal function f(p, q) return t.x, u.x, p.x, q.x, f.x end\n"
      "for i, v in pairs(t) do print(i.x, v.x) end\nfor n = 1, 2 do print(n.x) end\n"
      "string.format('x') log.info('x') json.encode{} return a.b.c, d:e().f, t.ecs.g, 1.5, '' "
      "..z.w",
      "[{\"name\":\"a.b\",\"line\":5},{\"name\":\"z.w\",\"line\":5}]");
  uses_are("return { plan = function() end }", "[]");
}

static void syntax_errors_name_the_line(void **state) {
  mb_error error;
  mb_arena *arena = mb_arena_new(0);
  const char text[] = "local a\nlocal = 5";
  (void)state;
  assert_int_equal(mb_script_check(arena, "r.lua", text, sizeof text - 1, NULL, &error), -1);
  assert_string_equal(error.where, "r.lua:2");
  assert_string_equal(error.code, "SyntaxError");
  assert_int_equal(error.kind, MB_ERROR_SCRIPT);
  mb_arena_free(arena);
}

/* A locale whose decimal mark is a comma changes nothing; skipped where there is none. */
static void numbers_ignore_the_locale(void **state) {
  (void)state;
  const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "de_DE.utf8"};
  bool set = false;
  for (size_t i = 0; i < 4 && !set; i++)
    set = setlocale(LC_ALL, names[i]) != NULL;
  reads_as("return { 1.5 .. '', 2.25 }", "[\"1.5\",2.25]");
  setlocale(LC_ALL, "C");
  if (!set)
    skip();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(plain_data_is_read),
      cmocka_unit_test(what_is_not_data_is_refused),
      cmocka_unit_test(data_files_are_limited),
      cmocka_unit_test(errors_of_data_files_name_the_line),
      cmocka_unit_test(every_cut_of_a_data_file_is_handled),
      cmocka_unit_test(primitives_used_are_listed_with_lines),
      cmocka_unit_test(syntax_errors_name_the_line),
      cmocka_unit_test(numbers_ignore_the_locale),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
