/* Commits of git repositories as places. Everything is read from the object database: nothing is
 * checked out, the work tree does not count, and no remote is asked. A repository is other people's
 * data: sizes are asked for before an object is read, links and submodules are refused, and git's
 * own check of who owns the repository stays on. */
#include "base/memory.h"
#include "base/text.h"
#include "source/git_api.h"
#include "source/internal.h"
#include "source/loose.h"
#include <string.h>

#define LARGEST_TREE   ((size_t)4 << 20)
#define LARGEST_COMMIT ((size_t)1 << 20)
#define MOST_TAGS      8 /* that lead to one another */
#define LONGEST_ENTRY  255
#define COMMIT_DIGITS  40
#define FEWEST_DIGITS  7 /* of a shortened commit id */

typedef struct repository {
  const mb_git_api *api;
  git_repository *git;
  git_odb *objects;
  git_oid top; /* the tree of the place's top folder */
} repository;

/* ---- what went wrong ---- */

#define WORDS 800

/* What libgit2 said last, fit to be shown. False when memory ran out. */
static bool take_words(const mb_git_api *api, char out[WORDS]) {
  const git_error *last = api->error_last();
  const char *text = last && last->message ? last->message : "libgit2 gave no reason";
  mb_buffer words = MB_BUFFER_INIT(WORDS);
  mb_text_add_printable(&words, text, strnlen(text, WORDS - 1), false);
  mb_text_copy(out, WORDS, mb_buffer_text(&words));
  mb_buffer_dispose(&words);
  return !last || last->klass != GIT_ERROR_NOMEMORY;
}

static int git_fail(const mb_git_api *api, const char *where, mb_error *error) {
  char words[WORDS];
  if (!take_words(api, words))
    return mb_error_memory(error);
  return mb_error_set(error, MB_ERROR_IO, "CannotRead", "%s: %s", where, words);
}

static int owner_fail(const mb_git_api *api, const mb_place *place, const char *path,
                      mb_error *error) {
  char words[WORDS];
  if (!take_words(api, words))
    return mb_error_memory(error);
  mb_error_set(error, MB_ERROR_REFUSED, "OwnerRefused",
               "%s belongs to another user, and git refuses such repositories (libgit2: %s)",
               place->root, words);
  return mb_error_next(error, "if you trust it: git config --global --add safe.directory %s", path);
}

/* libgit2 1.5 says that safe.directory was not found when it looked for an exception in vain. */
static bool is_owner_refusal(const mb_git_api *api, int code) {
  const git_error *last = api->error_last();
  return code == GIT_EOWNER || (code == GIT_ENOTFOUND && last && last->klass == GIT_ERROR_CONFIG);
}

static int open_fail(const mb_git_api *api, const mb_place *place, const char *path, int code,
                     mb_error *error) {
  if (is_owner_refusal(api, code))
    return owner_fail(api, place, path, error);
  if (code != GIT_ENOTFOUND)
    return git_fail(api, place->root, error);
  bool there = mb_path_look(place->system, place->root) != MB_PATH_ABSENT;
  mb_error_set(error, MB_ERROR_NOT_FOUND, "NoRepository", "%s is %s", place->root,
               there ? "not a git repository" : "not there");
  return mb_error_next(error, "PATH@REF wants the top folder of a repository, or a bare one; its "
                              "subfolder goes behind: PATH@REF:SUBFOLDER");
}

typedef struct suggestion {
  const char *best;
  size_t distance;
} suggestion;

static void consider(suggestion *nearest, const char *ref, const char *name) {
  static const char *const prefixes[] = {"refs/tags/", "refs/heads/", "refs/remotes/"};
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
    if (mb_text_starts(name, prefixes[i]))
      mb_text_nearer(ref, name + strlen(prefixes[i]), &nearest->best, &nearest->distance);
  }
}

static int unknown_ref(const repository *of, const mb_place *place, mb_error *error) {
  git_strarray refs = {NULL, 0};
  suggestion nearest = {NULL, SIZE_MAX};
  mb_error_set(error, MB_ERROR_NOT_FOUND, "UnknownRef",
               "%s has no tag, branch or commit called \"%s\"", place->root, place->ref);
  if (of->api->reference_list(&refs, of->git) != 0)
    return mb_error_next(error, "git -C %s tag lists its tags", place->root);
  for (size_t i = 0; i < refs.count; i++)
    consider(&nearest, place->ref, refs.strings[i]);
  if (nearest.best) {
    mb_buffer name = MB_BUFFER_INIT(1024);
    mb_text_add_printable(&name, nearest.best, strnlen(nearest.best, 200), false);
    mb_error_next(error, "did you mean \"%s\"?", mb_buffer_text(&name));
    mb_buffer_dispose(&name);
  } else {
    mb_error_next(error, "git -C %s tag lists its tags; git fetch brings those of its remote",
                  place->root);
  }
  of->api->list_dispose(&refs);
  return -1;
}

/* ---- objects ---- */

/* Objects are asked for their size before they are read: a small pack may hold a huge one. */
static int check_object(const repository *of, const git_oid *id, size_t limit, const char *shown,
                        git_object_t *type, mb_error *error) {
  size_t size = 0;
  char digits[COMMIT_DIGITS + 1];
  of->api->oid_to_text(digits, sizeof digits, id);
  if (mb_loose_check(of->api->repository_folder(of->git), digits, limit, shown, error) != 0)
    return -1;
  if (of->api->odb_read_header(&size, type, of->objects, id) != 0)
    return git_fail(of->api, shown, error);
  if (size > limit)
    return mb_error_set(error, MB_ERROR_USAGE, "FileTooLarge", "%s is larger than %zu bytes", shown,
                        limit);
  return 0;
}

/* ---- from a ref to a tree ---- */

static size_t count_hex(const char *text) {
  size_t size = strspn(text, "0123456789abcdef");
  return text[size] == 0 && size >= FEWEST_DIGITS && size <= COMMIT_DIGITS ? size : 0;
}

/* Each of these returns what libgit2 does. */

static int find_by_digits(const repository *of, const char *digits, size_t size, git_oid *out) {
  git_oid id;
  int code = of->api->oid_from_text(&id, digits, size);
  return code == 0 ? of->api->odb_find_prefix(out, of->objects, &id, size) : code;
}

static int find_by_name(const repository *of, const char *name, git_oid *out) {
  git_reference *reference = NULL;
  int code = of->api->reference_find(&reference, of->git, name);
  const git_oid *target = code == 0 ? of->api->reference_target(reference) : NULL;
  if (target)
    *out = *target;
  of->api->reference_free(reference);
  return code == 0 && !target ? GIT_ENOTFOUND : code;
}

/* A whole id first, then names, then what may be the start of an id: as git itself does. */
static int find_id(const repository *of, const char *ref, git_oid *out) {
  size_t digits = count_hex(ref);
  if (digits == COMMIT_DIGITS)
    return find_by_digits(of, ref, digits, out);
  int code = find_by_name(of, ref, out);
  if (digits && (code == GIT_ENOTFOUND || code == GIT_EINVALIDSPEC))
    code = find_by_digits(of, ref, digits, out);
  return code;
}

static int find_object(const repository *of, const mb_place *place, git_oid *out, mb_error *error) {
  int code = find_id(of, *place->commit ? place->commit : place->ref, out);
  if (code == 0)
    return 0;
  if (code == GIT_ENOTFOUND || code == GIT_EINVALIDSPEC)
    return unknown_ref(of, place, error);
  if (code != GIT_EAMBIGUOUS)
    return git_fail(of->api, place->origin, error);
  mb_error_set(error, MB_ERROR_USAGE, "AmbiguousRef",
               "%s has more than one object whose id starts with %s", place->root, place->ref);
  return mb_error_next(error, "give more digits of it");
}

static int follow_tag(const repository *of, const mb_place *place, git_oid *id, mb_error *error) {
  git_tag *tag = NULL;
  if (of->api->tag_find(&tag, of->git, id) != 0)
    return git_fail(of->api, place->origin, error);
  *id = *of->api->tag_target_id(tag);
  of->api->tag_free(tag);
  return 0;
}

/* Tags may lead to tags. */
static int find_commit(const repository *of, const mb_place *place, git_oid *id, git_commit **out,
                       mb_error *error) {
  git_object_t type = GIT_OBJECT_TAG;
  if (find_object(of, place, id, error) != 0)
    return -1;
  for (int i = 0; i <= MOST_TAGS; i++) {
    if (check_object(of, id, LARGEST_COMMIT, place->origin, &type, error) != 0)
      return -1;
    if (type != GIT_OBJECT_TAG)
      break;
    if (follow_tag(of, place, id, error) != 0)
      return -1;
  }
  if (type == GIT_OBJECT_COMMIT)
    return of->api->commit_find(out, of->git, id) == 0 ? 0
                                                       : git_fail(of->api, place->origin, error);
  return mb_error_set(error, MB_ERROR_USAGE, "NoCommit", "\"%s\" of %s is not a commit", place->ref,
                      place->root);
}

/* ---- trees ---- */

static int open_tree(const repository *of, const git_oid *id, const char *shown, git_tree **out,
                     mb_error *error) {
  git_object_t type;
  if (check_object(of, id, LARGEST_TREE, shown, &type, error) != 0)
    return -1;
  return of->api->tree_find(out, of->git, id) == 0 ? 0 : git_fail(of->api, shown, error);
}

typedef struct entry {
  git_oid id;
  git_filemode_t mode;
} entry;

/* Links and submodules are not followed, and not passed over: what they stand for might have been
 * meant. */
static int check_mode(const entry *at, const char *shown, mb_error *error) {
  if (at->mode != GIT_FILEMODE_LINK && at->mode != GIT_FILEMODE_COMMIT)
    return 0;
  bool is_link = at->mode == GIT_FILEMODE_LINK;
  mb_error_set(error, MB_ERROR_REFUSED, is_link ? "LinkInRepository" : "SubmoduleInRepository",
               "%s leads through a %s, which is not followed in a repository", shown,
               is_link ? "symbolic link" : "submodule");
  return mb_error_next(error, is_link ? "commit a copy of what it leads to in its place"
                                      : "name the submodule's own repository in MOONBOOK_PATH");
}

/* Goes one name down. 1 when there is no such entry, 0, or -1. */
static int step_down(const repository *of, entry *at, const char *name, const char *shown,
                     mb_error *error) {
  git_tree *tree = NULL;
  if (at->mode != GIT_FILEMODE_TREE)
    return 1;
  if (open_tree(of, &at->id, shown, &tree, error) != 0)
    return -1;
  const git_tree_entry *found = of->api->tree_get(tree, name);
  if (found)
    *at = (entry){*of->api->entry_id(found), of->api->entry_mode(found)};
  of->api->tree_free(tree);
  return found ? check_mode(at, shown, error) : 1;
}

/* What stands at a path. 1 when nothing does, 0, or -1. */
static int find_entry(const repository *of, const char *path, const char *shown, entry *out,
                      mb_error *error) {
  int status = 0;
  *out = (entry){of->top, GIT_FILEMODE_TREE};
  while (status == 0 && *path) {
    char name[LONGEST_ENTRY + 1];
    size_t size = strcspn(path, "/");
    if (size == 0 || size > LONGEST_ENTRY)
      return 1;
    memcpy(name, path, size);
    name[size] = 0;
    path += size + (path[size] == '/');
    status = step_down(of, out, name, shown, error);
  }
  return status;
}

static int go_to_subfolder(repository *of, const mb_place *place, mb_error *error) {
  entry found;
  int status = find_entry(of, place->below, place->origin, &found, error);
  if (status < 0)
    return -1;
  if (status == 1 || found.mode != GIT_FILEMODE_TREE) {
    mb_error_set(error, MB_ERROR_NOT_FOUND, "NoSuchFolder", "%s@%s has no folder \"%s\"",
                 place->root, place->ref, place->below);
    return mb_error_next(error,
                         "name a folder of that commit; in a list of places, one of its own "
                         "is written ./%s",
                         place->below);
  }
  of->top = found.id;
  return 0;
}

/* ---- opening ---- */

static int keep_commit(repository *of, mb_place *place, mb_arena *arena, const git_oid *commit,
                       mb_error *error) {
  if (go_to_subfolder(of, place, error) != 0)
    return -1;
  if (*place->commit)
    return 0;
  char id[COMMIT_DIGITS + 1];
  of->api->oid_to_text(id, sizeof id, commit);
  const char *origin = mb_arena_printf(arena, "%s (commit %.12s)", place->origin, id);
  if (!origin)
    return mb_error_memory(error);
  memcpy(place->commit, id, sizeof id);
  place->origin = origin;
  return 0;
}

static int check_ref(const mb_place *place, mb_error *error) {
  if (*place->ref)
    return 0;
  mb_error_set(error, MB_ERROR_USAGE, "NoRef", "%s names no tag, branch or commit", place->origin);
  return mb_error_next(error, "write PATH@REF, such as %s@v1.0.0", place->root);
}

static int open_repository(repository *of, mb_place *place, mb_arena *arena, mb_error *error) {
  const char *root = place->root[0] == '/' && place->system->root ? place->system->root : "";
  const char *path = mb_arena_printf(arena, "%s%s", root, place->root);
  git_commit *commit = NULL;
  git_oid id;
  if (!path)
    return mb_error_memory(error);
  if (check_ref(place, error) != 0)
    return -1;
  int code = of->api->repository_open(&of->git, path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
  if (code != 0)
    return open_fail(of->api, place, path, code, error);
  if (of->api->repository_odb(&of->objects, of->git) != 0)
    return git_fail(of->api, place->root, error);
  if (find_commit(of, place, &id, &commit, error) != 0)
    return -1;
  of->top = *of->api->commit_tree_id(commit);
  of->api->commit_free(commit);
  return keep_commit(of, place, arena, &id, error);
}

static void close_repository(mb_place *place) {
  repository *of = place->handle;
  of->api->odb_free(of->objects);
  of->api->repository_free(of->git);
  of->api->library_shutdown();
  mb_free(of);
}

static int open_place(mb_place *place, mb_arena *arena, mb_error *error) {
  const mb_git_api *api = mb_git_load(error);
  repository *of = api ? mb_alloc_zero(1, sizeof *of) : NULL;
  if (!of)
    return api ? mb_error_memory(error) : -1;
  of->api = api;
  if (api->library_init() < 0) {
    mb_free(of);
    return mb_error_set(error, MB_ERROR_INTERNAL, "NoLibgit2", "libgit2 could not be started");
  }
  place->handle = of;
  if (open_repository(of, place, arena, error) == 0)
    return 0;
  mb_place_close(place);
  return -1;
}

/* ---- reading ---- */

static mb_path_kind look(const mb_place *place, mb_arena *arena, const char *path,
                         mb_error *error) {
  entry found;
  const char *shown = mb_place_show(place, arena, path);
  int status =
      shown ? find_entry(place->handle, path, shown, &found, error) : mb_error_memory(error);
  if (status < 0)
    return MB_PATH_UNREADABLE;
  return status == 1                       ? MB_PATH_ABSENT
         : found.mode == GIT_FILEMODE_TREE ? MB_PATH_FOLDER
                                           : MB_PATH_OTHER;
}

/* `out` has room for every entry. Names that hold a '/' are no names; git makes none. */
static int copy_names(const mb_git_api *api, const git_tree *tree, size_t entries, mb_arena *arena,
                      const char **out, size_t *count) {
  *count = 0;
  for (size_t i = 0; i < entries; i++) {
    const char *name = api->entry_name(api->tree_at(tree, i));
    if (name[0] == '.' || strchr(name, '/'))
      continue;
    out[*count] = mb_arena_strdup(arena, name);
    if (!out[(*count)++])
      return -1;
  }
  return 0;
}

static int list_tree(const repository *of, mb_arena *arena, const git_oid *id, const char *shown,
                     size_t limit, const char ***out, size_t *count, mb_error *error) {
  git_tree *tree = NULL;
  if (open_tree(of, id, shown, &tree, error) != 0)
    return -1;
  int status = 0;
  size_t entries = of->api->tree_count(tree);
  if (entries > limit) {
    status = mb_error_set(error, MB_ERROR_USAGE, "FolderTooLarge",
                          "%s holds more than %zu files, which no folder of runbooks does", shown,
                          limit);
    mb_error_next(error, "name the folder of runbooks: PATH@REF:SUBFOLDER");
  } else {
    *out = mb_arena_alloc(arena, (entries + 1) * sizeof **out);
    if (!*out || copy_names(of->api, tree, entries, arena, *out, count) != 0)
      status = mb_error_memory(error);
  }
  of->api->tree_free(tree);
  return status;
}

static int list_names(const mb_place *place, mb_arena *arena, const char *path, size_t limit,
                      const char ***out, size_t *count, mb_error *error) {
  entry found;
  const char *shown = mb_place_show(place, arena, path);
  if (!shown)
    return mb_error_memory(error);
  int status = find_entry(place->handle, path, shown, &found, error);
  if (status < 0)
    return -1;
  if (status == 1 || found.mode != GIT_FILEMODE_TREE)
    return mb_error_set(error, MB_ERROR_NOT_FOUND, "NoSuchFolder", "%s is not a folder", shown);
  return list_tree(place->handle, arena, &found.id, shown, limit, out, count, error);
}

static int read_blob(const repository *of, mb_arena *arena, const git_oid *id, const char *shown,
                     const char **out, size_t *size, mb_error *error) {
  git_blob *blob = NULL;
  git_object_t type;
  if (check_object(of, id, MB_SOURCE_FILE_LIMIT, shown, &type, error) != 0)
    return -1;
  if (of->api->blob_find(&blob, of->git, id) != 0)
    return git_fail(of->api, shown, error);
  size_t count = (size_t)of->api->blob_size(blob);
  *out = mb_arena_strndup(arena, of->api->blob_content(blob), count);
  *size = count;
  of->api->blob_free(blob);
  return *out ? 0 : mb_error_memory(error);
}

static int read_file(const mb_place *place, mb_arena *arena, const char *base, const char *relative,
                     const char **out, size_t *size, mb_error *error) {
  entry found;
  const char *path = mb_path_join(arena, base, relative);
  const char *shown = path ? mb_place_show(place, arena, path) : NULL;
  if (!shown)
    return mb_error_memory(error);
  int status = find_entry(place->handle, path, shown, &found, error);
  if (status != 0)
    return status;
  if (found.mode == GIT_FILEMODE_TREE)
    return mb_error_set(error, MB_ERROR_USAGE, "NotAFile", "%s is not a plain file", shown);
  return read_blob(place->handle, arena, &found.id, shown, out, size, error);
}

const mb_place_kind mb_place_git = {.open = open_place,
                                    .close = close_repository,
                                    .look = look,
                                    .names = list_names,
                                    .read = read_file};
