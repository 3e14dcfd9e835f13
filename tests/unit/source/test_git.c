/* Commits of git repositories as sources: what is read, what is refused, what is said. The
 * repositories are made with the git command. */
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

static stage s;

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk) {
  return remove(path);
}

/* Runs a command of the shell in the stage's folder. */
static void sh(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void sh(const char *format, ...) {
  char line[2048], command[1900];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(command, sizeof command, format, arguments);
  va_end(arguments);
  snprintf(line, sizeof line, "set -e; cd %s; { %s; } >out 2>&1 || { cat out >&2; exit 1; }",
           s.root, command);
  if (system(line) != 0)
    fail_msg("failed: %s", command);
}

/* What the last command printed, without its line's end. */
static const char *printed(void) {
  static char text[128];
  char path[128];
  snprintf(path, sizeof path, "%s/out", s.root);
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  size_t size = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[size] = 0;
  text[strcspn(text, "\n")] = 0;
  return text;
}

static void write_bundle(const char *folder, const char *text) {
  sh("mkdir -p .%s; printf '%%s' '%s' >.%s/manifest.lua; printf 'return {}' >.%s/runbook.lua",
     folder, text, folder, folder);
}

static void commit(const char *tag) {
  sh("cd repo; git add -A; git commit -qm x; git tag %s", tag);
}

static int set_up(void **state) {
  memset(&s, 0, sizeof s);
  mb_system_complete(&s.system, NULL);
  strcpy(s.root, "/tmp/moonbook-git-XXXXXX");
  if (!mkdtemp(s.root))
    return -1;
  s.system.root = s.root;
  s.arena = mb_arena_new(0);
  setenv("HOME", s.root, 1);
  setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
  unsetenv("XDG_CONFIG_HOME");
  unsetenv("GIT_DIR");
  sh("git config --global user.name t; git config --global user.email t@example.com; "
     "git config --global init.defaultBranch main; git init -q repo");
  write_bundle("/repo/deploy/own/v1", "one");
  commit("v1.0.0");
  return s.arena ? 0 : -1;
}

static int tear_down(void **state) {
  mb_arena_free(s.arena);
  return nftw(s.root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static mb_source *open_source(const char *path) {
  mb_error error;
  mb_source *source = mb_source_new(&s.system, path, &error);
  assert_non_null(source);
  return source;
}

static mb_bundle found(const char *path, const char *name) {
  mb_bundle bundle;
  mb_error error;
  mb_source *source = open_source(path);
  if (mb_source_find(source, s.arena, name, 0, &bundle, &error) != 0)
    fail_msg("%s of %s: %s", name, path, error.message);
  mb_source_free(source);
  return bundle;
}

static mb_error missed(const char *path, const char *name) {
  mb_bundle bundle;
  mb_error error;
  mb_source *source = open_source(path);
  mb_error_clear(&error);
  assert_int_equal(mb_source_find(source, s.arena, name, 0, &bundle, &error), -1);
  mb_source_free(source);
  return error;
}

static const mb_bundle *list(const char *path, size_t *count) {
  mb_bundle *bundles = NULL;
  mb_error error;
  mb_source *source = open_source(path);
  assert_int_equal(mb_source_list(source, s.arena, &bundles, count, &error), 0);
  mb_source_free(source);
  return bundles;
}

static const mb_bundle *listed(const char *path, const char *name) {
  size_t count;
  const mb_bundle *bundles = list(path, &count);
  for (size_t i = 0; i < count; i++) {
    if (strcmp(bundles[i].name, name) == 0)
      return &bundles[i];
  }
  fail_msg("%s is not listed of %s", name, path);
  return NULL;
}

static void assert_contains(const char *text, const char *part) {
  if (!strstr(text, part))
    fail_msg("\"%s\" is not in \"%s\"", part, text);
}

/* ---- which commit ---- */

static void a_tag_a_branch_and_a_commit_name_what_is_read(void **state) {
  char path[128], id[64];
  sh("cd repo; git branch old; git rev-parse HEAD");
  strcpy(id, printed());
  write_bundle("/repo/deploy/own/v1", "two");
  commit("v2.0.0");
  assert_string_equal(found("/repo@v1.0.0", "deploy/own").manifest, "one");
  assert_string_equal(found("/repo@v2.0.0", "deploy/own").manifest, "two");
  assert_string_equal(found("/repo@old", "deploy/own").manifest, "one");
  assert_string_equal(found("/repo@main", "deploy/own").manifest, "two");
  assert_string_equal(found("/repo@HEAD", "deploy/own").manifest, "two");
  snprintf(path, sizeof path, "/repo@%s", id);
  assert_string_equal(found(path, "deploy/own").manifest, "one");
  snprintf(path, sizeof path, "/repo@%.9s", id);
  assert_string_equal(found(path, "deploy/own").manifest, "one");
}

static void an_annotated_tag_leads_to_its_commit(void **state) {
  sh("cd repo; git tag -a -m x release/2026; git tag -a -m y again release/2026");
  assert_string_equal(found("/repo@release/2026", "deploy/own").manifest, "one");
  assert_string_equal(found("/repo@again", "deploy/own").manifest, "one");
}

static void the_origin_shows_the_commit(void **state) {
  char origin[256];
  sh("cd repo; git rev-parse --short=12 HEAD");
  snprintf(origin, sizeof origin, "/repo@v1.0.0 (commit %s)", printed());
  mb_bundle bundle = found("/repo@v1.0.0", "deploy/own");
  assert_string_equal(bundle.origin, origin);
  assert_string_equal(bundle.manifest_chunk, "/repo@v1.0.0:deploy/own/v1/manifest.lua");
  assert_string_equal(listed("/repo@v1.0.0", "deploy/own")->origin, origin);
}

static void the_work_tree_and_the_index_do_not_count(void **state) {
  write_bundle("/repo/deploy/own/v1", "changed");
  write_bundle("/repo/deploy/own/v2", "new");
  sh("cd repo; git add deploy/own/v2");
  mb_bundle bundle = found("/repo@main", "deploy/own");
  assert_string_equal(bundle.manifest, "one");
  assert_int_equal(bundle.major, 1);
}

static void a_bare_repository_will_do(void **state) {
  sh("git clone -q --bare repo bare.git; rm -r repo");
  assert_string_equal(found("/bare.git@v1.0.0", "deploy/own").manifest, "one");
}

static void packed_objects_and_refs_are_read(void **state) {
  sh("cd repo; git gc -q; test ! -e .git/refs/tags/v1.0.0");
  assert_string_equal(found("/repo@v1.0.0", "deploy/own").manifest, "one");
}

static void a_source_stays_at_the_commit_it_found(void **state) {
  mb_bundle bundle, later;
  mb_error error;
  const char *text, *chunk;
  size_t size;
  sh("mkdir -p repo/deploy/own/v1/lib; printf old >repo/deploy/own/v1/lib/x.lua");
  commit("v1.1.0");
  mb_source *source = open_source("/repo@main");
  assert_int_equal(mb_source_find(source, s.arena, "deploy/own", 0, &bundle, &error), 0);
  sh("printf new >repo/deploy/own/v1/lib/x.lua");
  write_bundle("/repo/deploy/own/v1", "two");
  commit("v2.0.0");
  assert_int_equal(mb_source_find(source, s.arena, "deploy/own", 0, &later, &error), 0);
  assert_string_equal(later.manifest, "one");
  assert_int_equal(
      mb_source_module(source, s.arena, &bundle, "lib.x", &text, &size, &chunk, &error), 0);
  assert_string_equal(text, "old");
  mb_source_free(source);
  source = open_source("/repo@main"); /* and so does the bundle, with another source */
  assert_int_equal(
      mb_source_module(source, s.arena, &bundle, "lib.x", &text, &size, &chunk, &error), 0);
  assert_string_equal(text, "old");
  mb_source_free(source);
}

/* ---- how a place is written ---- */

static void a_subfolder_follows_the_ref(void **state) {
  write_bundle("/repo/ops/runbooks/a/v3", "below");
  commit("v2");
  mb_bundle bundle = found("/repo@v2:ops/runbooks/", "a");
  assert_string_equal(bundle.manifest, "below");
  assert_true(mb_text_starts(bundle.origin, "/repo@v2:ops/runbooks (commit "));
  assert_string_equal(bundle.runbook_chunk, "/repo@v2:ops/runbooks/a/v3/runbook.lua");
  assert_string_equal(missed("/repo@v2:ops/runbooks", "deploy/own").code, "UnknownRunbook");
  mb_error error = missed("/repo@v2:ops/absent", "a");
  assert_string_equal(error.code, "NoSuchFolder");
  assert_contains(error.message, "/repo@v2 has no folder \"ops/absent\"");
  assert_contains(error.next, "./ops/absent");
  assert_string_equal(missed("/repo@v2:ops/runbooks/a/v3/manifest.lua", "a").code, "NoSuchFolder");
  assert_string_equal(missed("/repo@v2:../repo", "a").code, "UnknownRunbook");
  assert_string_equal(missed("/repo@v2:ops/../ops", "a").code, "NoSuchFolder");
}

static void what_starts_as_a_path_is_the_next_place(void **state) {
  write_bundle("/far/a/v1", "far");
  assert_string_equal(found("/repo@v1.0.0:/far", "a").manifest, "far");
  assert_string_equal(found("/repo@v1.0.0::/far", "deploy/own").manifest, "one");
  assert_string_equal(found("/far:/repo@v1.0.0", "deploy/own").manifest, "one");
  assert_contains(listed("/repo@v1.0.0:./absent", "./absent")->problem, "not there");
  assert_contains(listed("/repo@v1.0.0:../absent", "../absent")->problem, "not there");
  assert_contains(listed("/repo@v1.0.0::absent", "absent")->problem, "not there");
  assert_contains(listed("/repo@v1.0.0:absent", "/repo@v1.0.0:absent")->problem, "no folder");
  assert_string_equal(listed("/repo@v1.0.0:deploy:/far", "own")->manifest, "one");
  assert_string_equal(listed("/repo@v1.0.0:deploy:/far", "a")->manifest, "far");
  sh("git clone -q repo other");
  write_bundle("/other/b/v1", "other");
  sh("cd other; git add -A; git commit -qm x; git tag v7");
  assert_string_equal(found("/repo@v1.0.0:/other@v7", "b").manifest, "other");
  assert_string_equal(found("/other@v7:/repo@v1.0.0:deploy:/far", "own").manifest, "one");
}

static void folders_and_refs_may_have_an_at_in_their_names(void **state) {
  write_bundle("/me@corp/runbooks/a/v1", "plain");
  assert_string_equal(found("/me@corp/runbooks", "a").origin, "/me@corp/runbooks");
  sh("mv repo me@corp/repo; cd me@corp/repo; git tag pkg@1.0.0");
  assert_string_equal(found("/me@corp/repo@v1.0.0", "deploy/own").manifest, "one");
  assert_string_equal(found("/me@corp/repo@pkg@1.0.0", "deploy/own").manifest, "one");
}

static void a_version_can_be_opened_for_checking(void **state) {
  mb_bundle bundle;
  mb_error error;
  assert_int_equal(
      mb_source_open(&s.system, s.arena, "/repo@v1.0.0:deploy/own/v1", &bundle, &error), 0);
  assert_string_equal(bundle.manifest, "one");
  assert_string_equal(bundle.name, "");
  assert_int_equal(bundle.major, 1);
  assert_int_equal(mb_source_open(&s.system, s.arena, "/repo@v1.0.0:nothing", &bundle, &error), -1);
  assert_int_equal(error.kind, MB_ERROR_NOT_FOUND);
}

/* ---- what is not there ---- */

static void an_unknown_ref_suggests_the_nearest(void **state) {
  mb_error error = missed("/repo@v1.0.1", "deploy/own");
  assert_int_equal(error.kind, MB_ERROR_NOT_FOUND);
  assert_string_equal(error.code, "UnknownRef");
  assert_contains(error.message, "/repo has no tag, branch or commit called \"v1.0.1\"");
  assert_contains(error.next, "\"v1.0.0\"");
  assert_contains(listed("/repo@v1.0.1", "/repo@v1.0.1")->problem, "mean \"v1.0.0\"");
  assert_contains(missed("/repo@mian", "deploy/own").next, "\"main\"");
  assert_contains(missed("/repo@something-else-altogether", "deploy/own").next, "tag lists");
}

static void expressions_are_not_refs(void **state) {
  static const char *const bad[] = {"HEAD~0",  "HEAD^",      "HEAD^{tree}", "@{0}",     "main@{0}",
                                    "../main", "main..main", "0000000",     "deadbeef", "v1.0.0 ",
                                    "-x",      "refs",       "v1.0.0^{}",   "*",        "\x1b[31m",
                                    "HEAD~3",  ".",          "main.lock",   "/"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char path[64];
    snprintf(path, sizeof path, "/repo@%s", bad[i]);
    mb_error error = missed(path, "deploy/own");
    assert_string_equal(error.code, "UnknownRef");
  }
  assert_string_equal(missed("/repo@", "deploy/own").code, "NoRef");
}

static void a_ref_that_is_no_commit_is_refused(void **state) {
  sh("cd repo; git tag tree HEAD^{tree}");
  assert_string_equal(missed("/repo@tree", "deploy/own").code, "NoCommit");
}

static void what_is_no_repository_is_told(void **state) {
  sh("mkdir plain");
  mb_error error = missed("/plain@v1", "deploy/own");
  assert_int_equal(error.kind, MB_ERROR_NOT_FOUND);
  assert_contains(error.message, "/plain is not a git repository");
  assert_contains(missed("/absent@v1", "deploy/own").message, "/absent is not there");
  assert_contains(missed("/repo/deploy@v1.0.0", "own").message, "not a git repository");
  assert_contains(listed("/plain@v1", "/plain@v1")->problem, "not a git repository");
}

static void an_empty_repository_has_no_head(void **state) {
  sh("git init -q empty");
  assert_string_equal(missed("/empty@HEAD", "deploy/own").code, "UnknownRef");
  assert_string_equal(missed("/empty@main", "deploy/own").code, "UnknownRef");
}

static void a_commit_without_runbooks_is_told(void **state) {
  sh("cd repo; git rm -rq deploy; echo x >readme");
  commit("bare");
  mb_error error = missed("/repo@bare", "deploy/own");
  assert_string_equal(error.code, "UnknownRunbook");
  assert_contains(error.next, "holds no runbooks");
  size_t count;
  const mb_bundle *bundles = list("/repo@bare", &count);
  assert_contains(bundles[0].problem, "holds no runbooks");
  assert_true(mb_text_starts(bundles[0].name, "/repo@bare (commit "));
}

static void a_repository_of_another_user_is_refused_until_trusted(void **state) {
  if (geteuid() != 0)
    skip();
  sh("chown -R 12345 repo");
  mb_error error = missed("/repo@v1.0.0", "deploy/own");
  assert_contains(error.message, "belongs to another user");
  assert_contains(error.message, "libgit2: ");
  assert_int_equal(error.kind, MB_ERROR_REFUSED);
  assert_contains(error.next, "safe.directory");
  sh("git config --global --add safe.directory %s/repo", s.root);
  assert_string_equal(found("/repo@v1.0.0", "deploy/own").manifest, "one");
}

static void a_broken_repository_does_not_let_a_farther_place_answer(void **state) {
  write_bundle("/far/deploy/own/v1", "far");
  sh("cd repo; git rev-parse HEAD^{tree}");
  sh("cd repo/.git/objects; rm -f %.2s/%s", printed(), printed() + 2);
  mb_error error = missed("/repo@v1.0.0:/far", "deploy/own");
  assert_int_equal(error.kind, MB_ERROR_IO);
  assert_int_equal(missed("/repo@nothing:/far", "deploy/own").kind, MB_ERROR_NOT_FOUND);
}

static void tags_of_tags_are_followed_so_far(void **state) {
  sh("cd repo; git tag -a -m x t0; for i in $(seq 1 12); do git tag -a -m x t$i t$((i-1)); done");
  sh("cd repo; git rev-parse t3");
  char path[256];
  snprintf(path, sizeof path, "/repo@%s", printed()); /* a tag's own id */
  assert_string_equal(found(path, "deploy/own").manifest, "one");
  assert_string_equal(found("/repo@t5", "deploy/own").manifest, "one");
  assert_string_equal(missed("/repo@t12", "deploy/own").code, "NoCommit");
}

/* ---- hostile trees ---- */

static void an_object_that_was_cut_short_is_refused(void **state) {
  static const char *const sizes[] = {"0", "1", "10", "$((n / 2))", "$((n - 1))"};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    sh("rm -rf bent; cp -r repo bent; cd bent; id=$(git rev-parse HEAD:deploy); "
       "f=.git/objects/$(echo $id | cut -c1-2)/$(echo $id | cut -c3-); chmod u+w $f; "
       "n=$(stat -c %%s $f); truncate -s %s $f",
       sizes[i]);
    mb_error error = missed("/bent@main", "deploy/own");
    assert_int_equal(error.kind, MB_ERROR_IO);
    assert_contains(error.message, "damaged");
  }
}

/* A loose object whose content is longer, or shorter, than its header says. */
static void an_object_that_lies_about_its_size_is_refused(void **state) {
  static const char *const objects[] = {"HEAD", "HEAD:", "HEAD:deploy/own/v1/manifest.lua"};
  for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
    for (int lie = -2; lie <= 2; lie += 4) {
      sh("rm -rf bent; cp -r repo bent; cd bent; id=$(git rev-parse %s); "
         "f=.git/objects/$(echo $id | cut -c1-2)/$(echo $id | cut -c3-); chmod u+w $f; "
         "{ printf '%%s %%s\\0' $(git cat-file -t $id) $(($(git cat-file -s $id) + %d)); "
         "git cat-file $(git cat-file -t $id) $id; } >plain; "
         "python3 -c 'import sys,zlib; sys.stdout.buffer.write(zlib.compress("
         "open(\"plain\",\"rb\").read()))' >$f",
         objects[i], lie);
      mb_error error = missed("/bent@main", "deploy/own");
      assert_int_equal(error.kind, MB_ERROR_IO);
      assert_contains(error.message, "damaged");
    }
  }
}

static void links_are_refused(void **state) {
  sh("cd repo; mkdir -p a/v1 c; echo x >a/v1/manifest.lua; ln -s /etc/passwd a/v1/runbook.lua; "
     "ln -s deploy b; ln -s ../a/v1 c/v1");
  commit("links");
  assert_string_equal(missed("/repo@links", "a").code, "LinkInRepository");
  assert_string_equal(missed("/repo@links", "b/own").code, "LinkInRepository");
  assert_string_equal(missed("/repo@links", "c").code, "LinkInRepository");
  assert_string_equal(missed("/repo@links:b", "own").code, "LinkInRepository");
  assert_contains(listed("/repo@links", "a")->problem, "symbolic link");
  assert_contains(listed("/repo@links", "/repo@links:c/v1")->problem, "symbolic link");
  assert_null(listed("/repo@links", "deploy/own")->problem);
}

static void submodules_are_refused(void **state) {
  sh("cd repo; id=$(git rev-parse HEAD); "
     "git update-index --add --cacheinfo 160000,$id,sub --cacheinfo 160000,$id,a/v1; "
     "git commit -qm x; git tag subs");
  assert_string_equal(missed("/repo@subs", "sub/own").code, "SubmoduleInRepository");
  assert_string_equal(missed("/repo@subs", "a").code, "SubmoduleInRepository");
  assert_contains(listed("/repo@subs", "/repo@subs:sub")->problem, "submodule");
}

static void a_file_beyond_a_mebibyte_is_refused(void **state) {
  sh("cd repo; truncate -s 1048576 deploy/own/v1/runbook.lua");
  commit("large");
  assert_int_equal(found("/repo@large", "deploy/own").runbook_size, 1 << 20);
  sh("cd repo; truncate -s 1048577 deploy/own/v1/runbook.lua");
  commit("larger");
  assert_string_equal(missed("/repo@larger", "deploy/own").code, "FileTooLarge");
  assert_contains(listed("/repo@larger", "deploy/own")->problem, "larger than");
}

static void a_folder_in_place_of_a_file_is_refused(void **state) {
  sh("cd repo; mkdir -p a/v1/manifest.lua; echo x >a/v1/manifest.lua/x");
  commit("odd");
  assert_string_equal(missed("/repo@odd", "a").code, "NotAFile");
}

static void one_large_tree_seen_many_times_is_bounded(void **state) {
  size_t count;
  sh("cd repo; truncate -s 1048576 big; f=$(git hash-object -w big); "
     "v=$(printf '100644 blob %%s\\tmanifest.lua\\n100644 blob %%s\\trunbook.lua\\n' $f $f | git "
     "mktree); "
     "n=$(seq 1 4000 | sed \"s|.*|040000 tree $v\\tv&|\" | git mktree); "
     "t=$(seq 1 100 | sed \"s|.*|040000 tree $n\\ta&|\" | git mktree); "
     "git tag bomb $(git commit-tree -m x $t)");
  const mb_bundle *bundles = list("/repo@bomb", &count);
  assert_true(count < 100);
  size_t problems = 0;
  for (size_t i = 0; i < count; i++)
    problems += bundles[i].problem != NULL && strstr(bundles[i].problem, "MiB") != NULL;
  assert_int_equal(problems, 1);
}

static void a_folder_of_too_many_files_is_refused(void **state) {
  sh("cd repo; f=$(git hash-object -w deploy/own/v1/manifest.lua); "
     "n=$(seq 1 5000 | sed \"s|.*|100644 blob $f\\tx&|\" | git mktree); "
     "t=$(printf '040000 tree %%s\\ta\\n' $n | git mktree); git tag wide $(git commit-tree -m x "
     "$t)");
  assert_string_equal(missed("/repo@wide", "a").code, "FolderTooLarge");
  assert_contains(listed("/repo@wide", "/repo@wide:a")->problem, "more than");
}

static void names_that_are_none_are_passed_over(void **state) {
  size_t count;
  sh("cd repo; v=$(git rev-parse HEAD:deploy/own); "
     "t=$(printf '040000 tree %%s\\tUPPER\\n040000 tree %%s\\t.hidden\\n040000 tree %%s\\ta b\\n"
     "040000 tree %%s\\tgood\\n' $v $v $v $v | git mktree); git tag odd $(git commit-tree -m x "
     "$t)");
  const mb_bundle *bundles = list("/repo@odd", &count);
  assert_string_equal(bundles[0].name, "good");
  assert_string_equal(bundles[1].origin, "stock");
}

/* ---- modules, shadowing ---- */

static int module(const char *path, const mb_bundle *bundle, const char *name, const char **text,
                  const char **chunk, mb_error *error) {
  size_t size;
  mb_source *source = open_source(path);
  mb_error_clear(error);
  int status = mb_source_module(source, s.arena, bundle, name, text, &size, chunk, error);
  if (status == 0)
    assert_int_equal(size, strlen(*text));
  mb_source_free(source);
  return status;
}

static void modules_come_from_the_same_commit(void **state) {
  const char *text, *chunk;
  mb_error error;
  sh("cd repo; mkdir -p deploy/own/v1/lib lua/team; printf own >deploy/own/v1/lib/own.lua; "
     "printf shared >lua/team/shared.lua; ln -s team/shared.lua lua/link.lua");
  commit("v2");
  sh("cd repo; printf changed >lua/team/shared.lua; rm deploy/own/v1/lib/own.lua");
  mb_bundle bundle = found("/repo@v2", "deploy/own");
  assert_int_equal(module("/repo@v2", &bundle, "lib.own", &text, &chunk, &error), 0);
  assert_string_equal(text, "own");
  assert_string_equal(chunk, "/repo@v2:deploy/own/v1/lib/own.lua");
  assert_int_equal(module("/repo@v2", &bundle, "team.shared", &text, &chunk, &error), 0);
  assert_string_equal(text, "shared");
  assert_string_equal(chunk, "/repo@v2:lua/team/shared.lua");
  assert_int_equal(module("/repo@v2", &bundle, "lib.absent", &text, &chunk, &error), -1);
  assert_string_equal(error.code, "UnknownModule");
  assert_int_equal(module("/repo@v2", &bundle, "link", &text, &chunk, &error), -1);
  assert_string_equal(error.code, "LinkInRepository");
  assert_int_equal(module("/repo@v2", &bundle, "moonbook.health", &text, &chunk, &error), 0);
  assert_string_equal(chunk, "lua/moonbook/health.lua");
}

static void a_repository_shadows_the_stock_set_and_is_shadowed_by_what_is_nearer(void **state) {
  size_t count, seen = 0;
  const mb_bundle *stock = list("", &count);
  if (count == 0)
    skip();
  char folder[256];
  const char *name = stock[0].name;
  snprintf(folder, sizeof folder, "/repo/%s/v%d", name, stock[0].major);
  write_bundle(folder, "mine");
  commit("mine");
  assert_string_equal(found("/repo@mine", name).manifest, "mine");
  snprintf(folder, sizeof folder, "/near/%s/v%d", name, stock[0].major);
  write_bundle(folder, "near");
  assert_string_equal(found("/near:/repo@mine", name).manifest, "near");
  const mb_bundle *bundles = list("/near:/repo@mine", &count);
  for (size_t i = 0; i < count; i++) {
    if (strcmp(bundles[i].name, name) == 0 && bundles[i].major == stock[0].major)
      assert_int_equal(bundles[i].shadowed, seen++ > 0);
  }
  assert_int_equal(seen, 3);
}

/* ---- memory ---- */

static void use_once(void *payload) {
  mb_error error;
  mb_bundle *bundles = NULL, bundle;
  size_t count = 0, size;
  const char *text, *chunk;
  mb_arena *arena = mb_arena_new(0);
  mb_source *source = arena ? mb_source_new(&s.system, "/repo@many:sub:/repo@none", &error) : NULL;
  mb_error_clear(&error);
  if (source &&
      (mb_source_list(source, arena, &bundles, &count, &error) != 0 ||
       mb_source_find(source, arena, "deploy/own", 0, &bundle, &error) != 0 ||
       mb_source_module(source, arena, &bundle, "lib.x", &text, &size, &chunk, &error) != 0))
    assert_int_equal(error.kind, MB_ERROR_MEMORY);
  mb_source_free(source);
  mb_arena_free(arena);
}

static void every_refused_allocation_is_survived(void **state) {
  sh("cd repo; mkdir sub; mv deploy sub/; mkdir sub/deploy/own/v1/lib; echo x "
     ">sub/deploy/own/v1/lib/x.lua; "
     "for i in $(seq 2 60); do cp -r sub/deploy/own/v1 sub/deploy/own/v$i; done");
  commit("many");
  assert_true(sweep_run(use_once, NULL) > 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_tag_a_branch_and_a_commit_name_what_is_read),
      TEST(an_annotated_tag_leads_to_its_commit),
      TEST(the_origin_shows_the_commit),
      TEST(the_work_tree_and_the_index_do_not_count),
      TEST(a_bare_repository_will_do),
      TEST(packed_objects_and_refs_are_read),
      TEST(a_source_stays_at_the_commit_it_found),
      TEST(a_subfolder_follows_the_ref),
      TEST(what_starts_as_a_path_is_the_next_place),
      TEST(folders_and_refs_may_have_an_at_in_their_names),
      TEST(a_version_can_be_opened_for_checking),
      TEST(an_unknown_ref_suggests_the_nearest),
      TEST(expressions_are_not_refs),
      TEST(a_ref_that_is_no_commit_is_refused),
      TEST(what_is_no_repository_is_told),
      TEST(an_empty_repository_has_no_head),
      TEST(a_commit_without_runbooks_is_told),
      TEST(a_repository_of_another_user_is_refused_until_trusted),
      TEST(a_broken_repository_does_not_let_a_farther_place_answer),
      TEST(tags_of_tags_are_followed_so_far),
      TEST(an_object_that_was_cut_short_is_refused),
      TEST(an_object_that_lies_about_its_size_is_refused),
      TEST(links_are_refused),
      TEST(submodules_are_refused),
      TEST(a_file_beyond_a_mebibyte_is_refused),
      TEST(a_folder_in_place_of_a_file_is_refused),
      TEST(one_large_tree_seen_many_times_is_bounded),
      TEST(a_folder_of_too_many_files_is_refused),
      TEST(names_that_are_none_are_passed_over),
      TEST(modules_come_from_the_same_commit),
      TEST(a_repository_shadows_the_stock_set_and_is_shadowed_by_what_is_nearer),
      TEST(every_refused_allocation_is_survived),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
