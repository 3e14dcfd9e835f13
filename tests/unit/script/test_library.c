/* A library state: modules of our own that stay alive between calls, and files of the user's. */
#include "base/arena.h"
#include "script/library.h"
#include "unit/check.h"
#include <stdio.h>

typedef struct module_text {
  const char *name, *text;
} module_text;

static const module_text modules[] = {
    {"sim.count",
     "local native = require 'sim.native'\n"
     "local M, total = {}, 0\n"
     "function M.add(n) total = total + n return { total = total } end\n"
     "function M.echo(v) return v end\n"
     "function M.digest(t) return native.sha256(t) .. native.md5(t) end\n"
     "function M.fail() return M.inner() end\n"
     "function M.inner() local t = nil return t.x end\n"
     "function M.raise() error({ code = 'Odd', message = 'so it is' }) end\n"
     "function M.spin() while true do end end\n"
     "function M.big() return ('x'):rep(1 << 25) end\n"
     "function M.hoard() local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end end\n"
     "function M.total() return total end\n"
     "function M.text(s) return s .. '!' end\n"
     "return M"},
    {"sim.broken", "local x = = 1"},
    {"sim.empty", "local x = 1"},
};

static int find_module(void *payload, const char *name, mb_arena *arena, const char **source,
                       size_t *size, const char **chunk_name, mb_error *error) {
  (void)payload;
  for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
    if (strcmp(modules[i].name, name) != 0) {
      continue;
    }
    *source = modules[i].text;
    *size = strlen(modules[i].text);
    *chunk_name = mb_arena_printf(arena, "%s.lua", name);
    return *chunk_name ? 0 : mb_error_memory(error);
  }
  return mb_error_set(error, MB_ERROR_NOT_FOUND, "NoModule", "there is no module '%s'", name);
}

static const mb_library_options usual = {.module = find_module, .native_module = "sim.native"};

typedef struct fixture {
  mb_library *library;
  mb_arena *arena;
  mb_error error;
  const mb_value *result;
} fixture;

static void open_with(fixture *f, const mb_library_options *options) {
  mb_error_clear(&f->error);
  f->result = NULL;
  f->arena = mb_arena_new(0);
  f->library = mb_library_new(options, &f->error);
  assert_non_null(f->library);
}

static void close_it(fixture *f) {
  mb_library_free(f->library);
  mb_arena_free(f->arena);
}

/* Calls sim.count's function with one argument in JSON, or none. */
static int call(fixture *f, const char *name, const char *json) {
  mb_value *value = NULL;
  if (json) {
    assert_int_equal(mb_value_from_json(f->arena, &value, json, strlen(json), &f->error), 0);
  }
  const mb_value *args[] = {value};
  return mb_library_call(f->library, "sim.count", name, args, json ? 1 : 0, f->arena, &f->result,
                         &f->error);
}

static void gives(fixture *f, const char *name, const char *json, const char *expected) {
  if (call(f, name, json) != 0) {
    fail_msg("%s: %s", f->error.where, f->error.message);
  }
  assert_string_equal(mb_value_to_json(f->arena, f->result, 0, true), expected);
}

static void modules_keep_their_state(void **state) {
  (void)state;
  fixture f;
  open_with(&f, &usual);
  gives(&f, "add", "2", "{\"total\":2}");
  gives(&f, "add", "40", "{\"total\":42}");
  gives(&f, "echo", "{\"a\":[1,2.5,\"x\",true,[]]}", "{\"a\":[1,2.5,\"x\",true,[]]}");
  close_it(&f);
}

static void a_secret_arrives_as_text(void **state) {
  (void)state;
  fixture f;
  open_with(&f, &usual);
  mb_value *secret = mb_value_new_string(f.arena, "s3cret");
  mb_value_set_secret(secret, true);
  const mb_value *args[] = {secret};
  assert_int_equal(
      mb_library_call(f.library, "sim.count", "text", args, 1, f.arena, &f.result, &f.error), 0);
  assert_string_equal(mb_value_string(f.result), "s3cret!");
  close_it(&f);
}

static void digests_are_known_ones(void **state) {
  (void)state;
  fixture f;
  open_with(&f, &usual);
  gives(&f, "digest", "\"abc\"",
        "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        "900150983cd24fb0d6963f7d28e17f72\"");
  close_it(&f);
}

static void an_error_names_its_line_and_the_way_there(void **state) {
  (void)state;
  fixture f;
  open_with(&f, &usual);
  assert_int_equal(call(&f, "inner", NULL), -1);
  assert_int_equal(f.error.kind, MB_ERROR_SCRIPT);
  assert_string_equal(f.error.where, "sim.count.lua:7");
  assert_int_equal(call(&f, "raise", NULL), -1);
  assert_string_equal(f.error.code, "Odd");
  assert_non_null(strstr(f.error.message, "so it is"));
  const char *file =
      "local function deep() local t t.x = 1 end\nlocal function mid() deep() return "
      "1 end\nmid()\n";
  assert_int_equal(mb_library_run(f.library, "my.lua", file, strlen(file), "sim.count", &f.error),
                   -1);
  assert_string_equal(f.error.where, "my.lua:1");
  assert_non_null(strstr(f.error.message, "called from my.lua:2, my.lua:3"));
  close_it(&f);
}

static void what_is_missing_is_named(void **state) {
  (void)state;
  fixture f;
  open_with(&f, &usual);
  assert_int_equal(call(&f, "absent", NULL), -1);
  assert_non_null(strstr(f.error.message, "has no function 'absent'"));
  const char *const names[][2] = {{"sim.nowhere", "there is no module 'sim.nowhere'"},
                                  {"sim.broken", "unexpected symbol near '='"},
                                  {"sim.empty", "returns nothing"}};
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(
        mb_library_call(f.library, names[i][0], "x", NULL, 0, f.arena, &f.result, &f.error), -1);
    assert_non_null(strstr(f.error.message, names[i][1]));
  }
  close_it(&f);
}

static void a_call_that_spins_is_ended(void **state) {
  (void)state;
  fixture f;
  mb_library_options options = usual;
  options.slice_seconds = 0.05;
  open_with(&f, &options);
  assert_int_equal(call(&f, "spin", NULL), -1);
  assert_int_equal(f.error.kind, MB_ERROR_LIMIT);
  assert_string_equal(f.error.code, "TimeLimit");
  /* It was left in the middle of something. */
  assert_int_equal(call(&f, "total", NULL), -1);
  assert_string_equal(f.error.code, "TimeLimit");
  close_it(&f);
}

static void memory_is_bounded(void **state) {
  (void)state;
  fixture f;
  mb_library_options options = usual;
  options.memory_limit = (size_t)4 << 20;
  open_with(&f, &options);
  assert_int_equal(call(&f, "hoard", NULL), -1);
  assert_int_equal(f.error.kind, MB_ERROR_LIMIT);
  gives(&f, "add", "1", "{\"total\":1}");
  close_it(&f);
}

/* A runbook's strings end at 16 MiB; layers of images are longer. */
static void strings_may_be_long(void **state) {
  (void)state;
  fixture f;
  size_t size = 0;
  open_with(&f, &usual);
  const char *file = "assert(#echo(('x'):rep(1 << 12)) == 4096)";
  assert_int_equal(mb_library_run(f.library, "my.lua", file, strlen(file), "sim.count", &f.error),
                   0);
  char *long_text = malloc((size_t)20 << 20);
  memset(long_text, 'y', (size_t)20 << 20);
  mb_value *text = mb_value_new(f.arena);
  assert_int_equal(mb_value_set_bytes(f.arena, text, MB_TYPE_STRING, long_text, (size_t)20 << 20),
                   0);
  free(long_text);
  const mb_value *args[] = {text};
  assert_int_equal(
      mb_library_call(f.library, "sim.count", "echo", args, 1, f.arena, &f.result, &f.error), 0);
  mb_value_bytes(f.result, &size);
  assert_int_equal(size, (size_t)20 << 20);
  close_it(&f);
}

static void a_file_sees_the_module_and_keeps_its_globals(void **state) {
  (void)state;
  fixture f;
  open_with(&f, &usual);
  const char *file = "mine = 5\nassert(mine == 5)\nassert(add(10).total == 10)\n"
                     "assert(require('sim.count').total() == 10)\n";
  assert_int_equal(mb_library_run(f.library, "my.lua", file, strlen(file), "sim.count", &f.error),
                   0);
  const char *other = "return mine";
  assert_int_equal(
      mb_library_run(f.library, "other.lua", other, strlen(other), "sim.count", &f.error), -1);
  assert_non_null(strstr(f.error.message, "unknown name \"mine\""));
  close_it(&f);
}

static void what_needs_a_run_is_absent(void **state) {
  (void)state;
  fixture f;
  open_with(&f, &usual);
  const char *const names[] = {"now()",     "sleep(1)",      "step('x', print)",   "confirm('x')",
                               "os.time()", "io.write('x')", "ecs.list_clusters{}"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    mb_error_clear(&f.error);
    assert_int_equal(
        mb_library_run(f.library, "my.lua", names[i], strlen(names[i]), NULL, &f.error), -1);
    assert_int_equal(f.error.kind, MB_ERROR_SCRIPT);
  }
  close_it(&f);
}

static int open_and_call(void *payload) {
  (void)payload;
  mb_error error;
  mb_error_clear(&error);
  int result = -1;
  mb_library *library = mb_library_new(&usual, &error);
  mb_arena *arena = mb_arena_new(0);
  mb_value *number = arena ? mb_value_new(arena) : NULL;
  if (library && number) {
    mb_value_set_integer(number, 3);
    const mb_value *args[] = {number};
    const mb_value *out;
    result = mb_library_call(library, "sim.count", "add", args, 1, arena, &out, &error);
  }
  if (result != 0 && library && number) {
    assert_int_equal(error.kind, MB_ERROR_MEMORY);
  }
  mb_arena_free(arena);
  mb_library_free(library);
  return result;
}

static void memory_may_run_out_anywhere(void **state) {
  (void)state;
  check_allocation_failures(open_and_call, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(modules_keep_their_state),
      cmocka_unit_test(a_secret_arrives_as_text),
      cmocka_unit_test(digests_are_known_ones),
      cmocka_unit_test(an_error_names_its_line_and_the_way_there),
      cmocka_unit_test(what_is_missing_is_named),
      cmocka_unit_test(a_call_that_spins_is_ended),
      cmocka_unit_test(memory_is_bounded),
      cmocka_unit_test(strings_may_be_long),
      cmocka_unit_test(a_file_sees_the_module_and_keeps_its_globals),
      cmocka_unit_test(what_needs_a_run_is_absent),
      cmocka_unit_test(memory_may_run_out_anywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
