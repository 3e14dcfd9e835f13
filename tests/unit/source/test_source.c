/* Sources of runbooks: what is found, what is listed, what is refused. */
#include "base/embedded.h"
#include "base/memory.h"
#include "base/text.h"
#include "source/source.h"
#include "support/sweep.h"
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct stage {
  mb_system system;
  char root[64];
  mb_arena *arena;
} stage;

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk) {
  return remove(path);
}

static int set_up(void **state) {
  static stage s;
  memset(&s, 0, sizeof s);
  mb_system_complete(&s.system, NULL);
  strcpy(s.root, "/tmp/moonbook-source-XXXXXX");
  if (!mkdtemp(s.root))
    return -1;
  s.system.root = s.root;
  s.arena = mb_arena_new(0);
  *state = &s;
  return s.arena ? 0 : -1;
}

static int tear_down(void **state) {
  stage *s = *state;
  mb_arena_free(s->arena);
  return nftw(s->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void real_path(stage *s, const char *path, char out[512]) {
  snprintf(out, 512, "%s%s", s->root, path);
}

static void make_folders(stage *s, const char *path) {
  char full[512];
  real_path(s, path, full);
  for (char *at = full + strlen(s->root) + 1; (at = strchr(at, '/')) != NULL; at++) {
    *at = 0;
    mkdir(full, 0700);
    *at = '/';
  }
}

static void write_file(stage *s, const char *path, const char *text) {
  char full[512];
  make_folders(s, path);
  real_path(s, path, full);
  FILE *file = fopen(full, "wb");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

static void write_bundle(stage *s, const char *folder, const char *text) {
  char path[512];
  snprintf(path, sizeof path, "%s/manifest.lua", folder);
  write_file(s, path, text);
  snprintf(path, sizeof path, "%s/runbook.lua", folder);
  write_file(s, path, "return {}");
}

static void link_to(stage *s, const char *target, const char *path) {
  char full[512];
  make_folders(s, path);
  real_path(s, path, full);
  assert_int_equal(symlink(target, full), 0);
}

static mb_source *open_source(stage *s, const char *path) {
  mb_error error;
  mb_source *source = mb_source_new(&s->system, path, &error);
  assert_non_null(source);
  return source;
}

static mb_bundle found(stage *s, const char *path, const char *name, int major) {
  mb_bundle bundle;
  mb_error error;
  mb_source *source = open_source(s, path);
  if (mb_source_find(source, s->arena, name, major, &bundle, &error) != 0)
    fail_msg("%s: %s", name, error.message);
  mb_source_free(source);
  return bundle;
}

static mb_error missed(stage *s, const char *path, const char *name, int major) {
  mb_bundle bundle;
  mb_error error;
  mb_source *source = open_source(s, path);
  mb_error_clear(&error);
  assert_int_equal(mb_source_find(source, s->arena, name, major, &bundle, &error), -1);
  mb_source_free(source);
  return error;
}

/* ---- finding ---- */

static void the_nearest_source_wins(void **state) {
  stage *s = *state;
  write_bundle(s, "/near/deploy/own/v1", "near");
  write_bundle(s, "/far/deploy/own/v1", "far");
  write_bundle(s, "/far/deploy/own/v3", "far 3");
  mb_bundle bundle = found(s, "/near:/far", "deploy/own", 0);
  assert_string_equal(bundle.manifest, "near");
  assert_int_equal(bundle.major, 1);
  assert_string_equal(bundle.name, "deploy/own");
  assert_string_equal(bundle.origin, "/near");
  assert_string_equal(bundle.manifest_chunk, "/near/deploy/own/v1/manifest.lua");
  assert_string_equal(bundle.runbook, "return {}");
  assert_string_equal(found(s, "/far:/near", "deploy/own", 0).manifest, "far 3");
}

static void a_major_can_be_asked_for(void **state) {
  stage *s = *state;
  write_bundle(s, "/near/a/v1", "one");
  write_bundle(s, "/near/a/v2", "two");
  write_bundle(s, "/near/a/v10", "ten");
  write_bundle(s, "/far/a/v4", "four");
  assert_string_equal(found(s, "/near:/far", "a", 0).manifest, "ten");
  assert_string_equal(found(s, "/near:/far", "a", -1).manifest, "ten");
  assert_string_equal(found(s, "/near:/far", "a", 2).manifest, "two");
  assert_string_equal(found(s, "/near:/far", "a@1", 0).manifest, "one");
  assert_string_equal(found(s, "/near:/far", "a@2.7.1", 0).manifest, "two");
  assert_string_equal(found(s, "/near:/far", "a@4", 0).manifest, "four");
}

static void a_missing_version_names_what_there_is(void **state) {
  stage *s = *state;
  write_bundle(s, "/near/a/v1", "one");
  write_bundle(s, "/near/a/v2", "two");
  mb_error error = missed(s, "/near", "a@3", 0);
  assert_int_equal(error.kind, MB_ERROR_NOT_FOUND);
  assert_string_equal(error.code, "UnknownVersion");
  assert_non_null(strstr(error.next, "a@1, a@2"));
}

static void a_missing_name_suggests_the_nearest(void **state) {
  stage *s = *state;
  write_bundle(s, "/near/deploy/zeppelin/v1", "x");
  mb_error error = missed(s, "/near", "deploy/zepelin", 0);
  assert_int_equal(error.kind, MB_ERROR_NOT_FOUND);
  assert_non_null(strstr(error.next, "deploy/zeppelin"));
}

static void names_that_are_paths_are_refused(void **state) {
  stage *s = *state;
  static const char *const bad[] = {
      "",    "..",   "../near/a", "/near/a",    "a/",           "a//b",   "a/../b",
      "./a", "A",    "a b",       "a\n",        "a@",           "a@x",    "a@-1",
      "-a",  "a/.b", "a\\b",      "a@99999999", "lua/\xc3\xa4", "\x1b[2J"};
  write_bundle(s, "/near/a/v1", "x");
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    mb_error error = missed(s, "/near", bad[i], 0);
    assert_int_equal(error.kind, MB_ERROR_NOT_FOUND);
    assert_null(strchr(error.message, '\x1b'));
  }
}

static void a_missing_file_is_left_to_the_reader(void **state) {
  stage *s = *state;
  write_file(s, "/near/a/v1/runbook.lua", "return {}");
  mb_bundle bundle = found(s, "/near", "a", 0);
  assert_null(bundle.manifest);
  assert_string_equal(bundle.manifest_chunk, "/near/a/v1/manifest.lua");
  assert_string_equal(bundle.runbook, "return {}");
}

static void a_link_out_of_the_folder_is_refused(void **state) {
  stage *s = *state;
  char secret[512];
  write_file(s, "/secret", "canary");
  real_path(s, "/secret", secret);
  write_file(s, "/near/a/v1/manifest.lua", "x");
  link_to(s, secret, "/near/a/v1/runbook.lua");
  mb_error error = missed(s, "/near", "a", 0);
  assert_int_equal(error.kind, MB_ERROR_REFUSED);
  assert_string_equal(error.code, "LinkLeadsOut");
  write_file(s, "/near/b/v1/manifest.lua", "x");
  link_to(s, "../../../secret", "/near/b/v1/runbook.lua");
  assert_string_equal(missed(s, "/near", "b", 0).code, "LinkLeadsOut");
  write_file(s, "/near/c/v10/runbook.lua", "sibling");
  write_file(s, "/near/c/v1/manifest.lua", "x");
  link_to(s, "../v10/runbook.lua", "/near/c/v1/runbook.lua");
  assert_string_equal(missed(s, "/near", "c", 1).code, "LinkLeadsOut");
}

static void a_link_within_the_folder_is_followed(void **state) {
  stage *s = *state;
  write_file(s, "/near/a/v1/manifest.lua", "x");
  write_file(s, "/near/a/v1/real.lua", "return 1");
  link_to(s, "real.lua", "/near/a/v1/runbook.lua");
  assert_string_equal(found(s, "/near", "a", 0).runbook, "return 1");
}

static void what_is_no_plain_file_is_refused(void **state) {
  stage *s = *state;
  char full[512];
  write_file(s, "/near/a/v1/manifest.lua", "x");
  real_path(s, "/near/a/v1/runbook.lua", full);
  assert_int_equal(mkfifo(full, 0600), 0);
  assert_string_equal(missed(s, "/near", "a", 0).code, "NotAFile");
}

static void a_file_beyond_a_mebibyte_is_refused(void **state) {
  stage *s = *state;
  char full[512];
  write_bundle(s, "/near/a/v1", "x");
  real_path(s, "/near/a/v1/runbook.lua", full);
  assert_int_equal(truncate(full, 1 << 20), 0);
  assert_int_equal(found(s, "/near", "a", 0).runbook_size, 1 << 20);
  assert_int_equal(truncate(full, (1 << 20) + 1), 0);
  assert_string_equal(missed(s, "/near", "a", 0).code, "FileTooLarge");
}

static void an_unreadable_folder_does_not_let_a_farther_one_answer(void **state) {
  stage *s = *state;
  write_bundle(s, "/far/a/v1", "far");
  link_to(s, "loop", "/near/loop");
  link_to(s, "../near/loop", "/near/a");
  assert_int_equal(missed(s, "/near:/far", "a", 0).kind, MB_ERROR_IO);
}

/* ---- the stock set ---- */

static void every_stock_runbook_is_found_and_listed(void **state) {
  stage *s = *state;
  mb_source *source = open_source(s, NULL);
  mb_bundle *bundles = NULL;
  size_t count = 0, manifests = 0, below = 0;
  mb_error error;
  assert_int_equal(mb_source_list(source, s->arena, &bundles, &count, &error), 0);
  const mb_embedded_file *files = mb_embedded_below("runbooks/", &below);
  for (size_t i = 0; i < below; i++)
    manifests += mb_text_ends(files[i].path, "/manifest.lua");
  assert_int_equal(count, manifests);
  for (size_t i = 0; i < count; i++) {
    mb_bundle bundle;
    assert_string_equal(bundles[i].origin, "stock");
    assert_non_null(bundles[i].manifest);
    assert_null(bundles[i].problem);
    assert_int_equal(
        mb_source_find(source, s->arena, bundles[i].name, bundles[i].major, &bundle, &error), 0);
    assert_ptr_equal(bundle.manifest, bundles[i].manifest);
    assert_true(mb_text_starts(bundle.manifest_chunk, "stock:"));
  }
  mb_source_free(source);
}

static void a_folder_shadows_the_stock_set(void **state) {
  stage *s = *state;
  mb_source *source = open_source(s, "");
  mb_bundle *bundles = NULL;
  size_t count = 0;
  mb_error error;
  char folder[256];
  assert_int_equal(mb_source_list(source, s->arena, &bundles, &count, &error), 0);
  mb_source_free(source);
  if (count == 0)
    skip();
  snprintf(folder, sizeof folder, "/near/%s/v%d", bundles[0].name, bundles[0].major);
  write_bundle(s, folder, "mine");
  assert_string_equal(found(s, "/near", bundles[0].name, 0).manifest, "mine");
}

/* ---- listing ---- */

static const mb_bundle *entry(const mb_bundle *bundles, size_t count, const char *name, int major,
                              const char *origin) {
  for (size_t i = 0; i < count; i++) {
    if (strcmp(bundles[i].name, name) == 0 && bundles[i].major == major &&
        strcmp(bundles[i].origin, origin) == 0)
      return &bundles[i];
  }
  fail_msg("not listed: %s v%d of %s", name, major, origin);
  return NULL;
}

static const mb_bundle *list(stage *s, const char *path, size_t *count) {
  mb_bundle *bundles = NULL;
  mb_error error;
  mb_source *source = open_source(s, path);
  assert_int_equal(mb_source_list(source, s->arena, &bundles, count, &error), 0);
  mb_source_free(source);
  return bundles;
}

static void lists_are_in_order_and_say_what_is_shadowed(void **state) {
  stage *s = *state;
  size_t count;
  write_bundle(s, "/near/z/v1", "x");
  write_bundle(s, "/near/a/b/c/v10", "x");
  write_bundle(s, "/near/a/b/c/v2", "x");
  write_bundle(s, "/far/z/v1", "x");
  write_bundle(s, "/far/z/v2", "x");
  write_file(s, "/near/lua/v1/manifest.lua", "not a runbook");
  write_file(s, "/near/a/b/c/v2/tests/v1/manifest.lua", "not a runbook");
  write_file(s, "/near/.git/v1/manifest.lua", "not a runbook");
  write_file(s, "/near/a/readme.txt", "not a runbook");
  const mb_bundle *b = list(s, "/near:/far", &count);
  assert_true(count >= 5);
  assert_string_equal(b[0].name, "a/b/c");
  assert_int_equal(b[0].major, 2);
  assert_int_equal(b[1].major, 10);
  assert_string_equal(b[2].name, "z");
  assert_string_equal(b[2].origin, "/near");
  assert_false(b[2].shadowed);
  assert_string_equal(b[3].origin, "/far");
  assert_true(b[3].shadowed);
  assert_int_equal(b[4].major, 2);
  assert_false(b[4].shadowed);
  for (size_t i = 5; i < count; i++)
    assert_string_equal(b[i].origin, "stock");
}

static void a_folder_that_is_not_there_is_listed_with_its_problem(void **state) {
  stage *s = *state;
  size_t count;
  write_file(s, "/plain", "x");
  write_bundle(s, "/far/z/v1", "x");
  const mb_bundle *b = list(s, "/absent:/plain:/far", &count);
  assert_non_null(strstr(entry(b, count, "/absent", 0, "/absent")->problem, "not there"));
  assert_non_null(strstr(entry(b, count, "/plain", 0, "/plain")->problem, "not a folder"));
  assert_null(entry(b, count, "z", 1, "/far")->problem);
}

static void a_bundle_that_cannot_be_read_is_listed_with_its_problem(void **state) {
  stage *s = *state;
  size_t count;
  char secret[512];
  write_file(s, "/secret", "canary");
  real_path(s, "/secret", secret);
  link_to(s, secret, "/near/a/v1/manifest.lua");
  const mb_bundle *b = list(s, "/near", &count);
  const mb_bundle *bad = entry(b, count, "a", 1, "/near");
  assert_non_null(strstr(bad->problem, "leads out"));
  assert_null(bad->manifest);
}

static void an_endless_folder_is_not_walked(void **state) {
  stage *s = *state;
  size_t count;
  link_to(s, "..", "/near/a/up");
  write_bundle(s, "/near/b/v1", "x");
  const mb_bundle *b = list(s, "/near", &count);
  assert_null(entry(b, count, "b", 1, "/near")->problem);
  assert_true(count < 1000);
}

static void parts_of_the_path_may_be_empty_and_end_in_slashes(void **state) {
  stage *s = *state;
  write_bundle(s, "/near/a/v1", "x");
  assert_string_equal(found(s, "::/near//:", "a", 0).origin, "/near");
}

/* ---- a given folder ---- */

static void a_folder_is_opened_as_it_is(void **state) {
  stage *s = *state;
  mb_bundle bundle;
  mb_error error;
  write_bundle(s, "/work/deploy/own/v3", "x");
  assert_int_equal(mb_source_open(&s->system, s->arena, "/work/deploy/own/v3/", &bundle, &error),
                   0);
  assert_string_equal(bundle.name, "");
  assert_int_equal(bundle.major, 3);
  assert_string_equal(bundle.manifest, "x");
  assert_int_equal(mb_source_open(&s->system, s->arena, "/work/deploy/own", &bundle, &error), 0);
  assert_int_equal(bundle.major, 0);
  assert_null(bundle.manifest);
  assert_int_equal(mb_source_open(&s->system, s->arena, "/absent", &bundle, &error), -1);
  assert_int_equal(error.kind, MB_ERROR_NOT_FOUND);
  assert_int_equal(mb_source_open(&s->system, s->arena, "", &bundle, &error), -1);
  assert_int_equal(
      mb_source_open(&s->system, s->arena, "/work/deploy/own/v3/manifest.lua", &bundle, &error),
      -1);
  assert_int_equal(error.kind, MB_ERROR_USAGE);
}

/* ---- modules ---- */

static int module(stage *s, const mb_bundle *bundle, const char *name, const char **text,
                  const char **chunk, mb_error *error) {
  size_t size;
  mb_source *source = open_source(s, "/near:/far");
  mb_error_clear(error);
  int status = mb_source_module(source, s->arena, bundle, name, text, &size, chunk, error);
  if (status == 0)
    assert_int_equal(size, strlen(*text));
  mb_source_free(source);
  return status;
}

static void modules_come_from_the_bundle_and_the_path(void **state) {
  stage *s = *state;
  const char *text, *chunk;
  mb_error error;
  write_bundle(s, "/near/a/v1", "x");
  write_file(s, "/near/a/v1/lib/own.lua", "own");
  write_file(s, "/near/a/v1/lib/deep/er.lua", "deeper");
  write_file(s, "/near/a/v1/secret.lua", "not a module");
  write_file(s, "/far/lua/team/shared.lua", "far");
  write_file(s, "/near/lua/team/shared.lua", "near");
  mb_bundle bundle = found(s, "/near", "a", 0);
  assert_int_equal(module(s, &bundle, "lib.own", &text, &chunk, &error), 0);
  assert_string_equal(text, "own");
  assert_string_equal(chunk, "/near/a/v1/lib/own.lua");
  assert_int_equal(module(s, &bundle, "lib.deep.er", &text, &chunk, &error), 0);
  assert_int_equal(module(s, &bundle, "team.shared", &text, &chunk, &error), 0);
  assert_string_equal(text, "near");
  assert_int_equal(module(s, &bundle, "secret", &text, &chunk, &error), -1);
  assert_int_equal(module(s, NULL, "lib.own", &text, &chunk, &error), -1);
  assert_int_equal(error.kind, MB_ERROR_NOT_FOUND);
}

static void module_names_cannot_leave(void **state) {
  stage *s = *state;
  static const char *const bad[] = {
      "",     ".",    "..",      "../../etc/passwd", "lib/own",      "/etc",    "lib..own",
      ".lib", "lib.", "Lib.own", "lib.a b",          "lib.\xc3\xa4", "lib.a-b", "lib.\n"};
  const char *text, *chunk;
  mb_error error;
  write_bundle(s, "/near/a/v1", "x");
  write_file(s, "/near/a/v1/lib/own.lua", "own");
  mb_bundle bundle = found(s, "/near", "a", 0);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(module(s, &bundle, bad[i], &text, &chunk, &error), -1);
    assert_string_equal(error.code, "BadModuleName");
  }
}

static void a_module_that_is_a_link_out_is_refused(void **state) {
  stage *s = *state;
  const char *text, *chunk;
  char secret[512];
  mb_error error;
  write_file(s, "/secret.lua", "canary");
  real_path(s, "/secret.lua", secret);
  write_bundle(s, "/near/a/v1", "x");
  link_to(s, secret, "/near/a/v1/lib/out.lua");
  link_to(s, secret, "/near/lua/out.lua");
  mb_bundle bundle = found(s, "/near", "a", 0);
  assert_int_equal(module(s, &bundle, "lib.out", &text, &chunk, &error), -1);
  assert_string_equal(error.code, "LinkLeadsOut");
  assert_int_equal(module(s, &bundle, "out", &text, &chunk, &error), -1);
  assert_string_equal(error.code, "LinkLeadsOut");
}

/* ---- memory ---- */

static void list_once(void *payload) {
  stage *s = payload;
  mb_error error;
  mb_bundle *bundles = NULL, bundle;
  size_t count = 0;
  mb_arena *arena = mb_arena_new(0);
  mb_source *source = arena ? mb_source_new(&s->system, "/near:/absent", &error) : NULL;
  mb_error_clear(&error);
  if (source && (mb_source_list(source, arena, &bundles, &count, &error) != 0 ||
                 mb_source_find(source, arena, "deploy/a", 0, &bundle, &error) != 0))
    assert_int_equal(error.kind, MB_ERROR_MEMORY);
  mb_source_free(source);
  mb_arena_free(arena);
}

static void every_refused_allocation_is_survived(void **state) {
  stage *s = *state;
  char path[64];
  for (int i = 0; i < 60; i++) {
    snprintf(path, sizeof path, "/near/deploy/a%.*s/v%d", i % 3, "xyz", i);
    write_bundle(s, path, "return { name = \"deploy/a\" }");
  }
  assert_true(sweep_run(list_once, s) > 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(the_nearest_source_wins),
      TEST(a_major_can_be_asked_for),
      TEST(a_missing_version_names_what_there_is),
      TEST(a_missing_name_suggests_the_nearest),
      TEST(names_that_are_paths_are_refused),
      TEST(a_missing_file_is_left_to_the_reader),
      TEST(a_link_out_of_the_folder_is_refused),
      TEST(a_link_within_the_folder_is_followed),
      TEST(what_is_no_plain_file_is_refused),
      TEST(a_file_beyond_a_mebibyte_is_refused),
      TEST(an_unreadable_folder_does_not_let_a_farther_one_answer),
      TEST(every_stock_runbook_is_found_and_listed),
      TEST(a_folder_shadows_the_stock_set),
      TEST(lists_are_in_order_and_say_what_is_shadowed),
      TEST(a_folder_that_is_not_there_is_listed_with_its_problem),
      TEST(a_bundle_that_cannot_be_read_is_listed_with_its_problem),
      TEST(an_endless_folder_is_not_walked),
      TEST(parts_of_the_path_may_be_empty_and_end_in_slashes),
      TEST(a_folder_is_opened_as_it_is),
      TEST(modules_come_from_the_bundle_and_the_path),
      TEST(module_names_cannot_leave),
      TEST(a_module_that_is_a_link_out_is_refused),
      TEST(every_refused_allocation_is_survived),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
