/* Every bundle of every source. A folder that cannot be read is an entry that says why: a runbook
 * that silently is not there would let a farther one of the same name run in its place. */
#include "base/embedded.h"
#include "base/text.h"
#include "source/internal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEEPEST_NAME   4     /* parts of a runbook's name */
#define LARGEST_FOLDER 4096  /* names in one folder */
#define MOST_LOOKED_AT 20000 /* names in one folder of MOONBOOK_PATH, all levels */

typedef struct scan {
  const mb_system *system;
  mb_arena *arena;
  const char *origin;
  mb_bundle *items;
  size_t count, capacity;
  size_t looked_at;
} scan;

static mb_bundle *add_bundle(scan *s, const char *name, int major) {
  if (s->count == s->capacity) {
    size_t capacity = s->capacity ? s->capacity * 2 : 16;
    mb_bundle *items =
        mb_arena_grow(s->arena, s->items, s->capacity * sizeof *items, capacity * sizeof *items);
    if (!items)
      return NULL;
    s->items = items;
    s->capacity = capacity;
  }
  mb_bundle *bundle = &s->items[s->count++];
  *bundle = (mb_bundle){.name = name, .major = major, .origin = s->origin};
  return bundle;
}

/* Turns what went wrong into the entry's problem. Without memory there is no list at all. */
static int set_problem(scan *s, mb_bundle *bundle, const char *where, const mb_error *problem,
                       mb_error *error) {
  if (problem->kind == MB_ERROR_MEMORY || !bundle)
    return mb_error_memory(error);
  bundle->problem = mb_arena_strdup(s->arena, problem->message);
  bundle->manifest = bundle->runbook = NULL;
  bundle->manifest_chunk = bundle->runbook_chunk = where;
  return bundle->problem ? 0 : mb_error_memory(error);
}

static int add_problem(scan *s, const char *folder, const mb_error *problem, mb_error *error) {
  return set_problem(s, add_bundle(s, folder, 0), folder, problem, error);
}

/* ---- a folder of MOONBOOK_PATH ---- */

static int add_version(scan *s, const char *name, int major, const char *folder, mb_error *error) {
  mb_error problem;
  mb_bundle *bundle = add_bundle(s, name, major);
  if (!bundle)
    return mb_error_memory(error);
  bundle->folder = folder;
  mb_error_clear(&problem);
  if (mb_bundle_read(s->system, s->arena, bundle, &problem) != 0)
    return set_problem(s, bundle, folder, &problem, error);
  return 0;
}

static int walk(scan *s, const char *folder, const char *name, int depth, mb_error *error);

static int look_at(scan *s, const char *folder, const char *name, const char *entry, int depth,
                   mb_error *error) {
  mb_error problem;
  int major = depth > 0 ? mb_version_folder(entry) : -1;
  if (major < 0 && (depth == DEEPEST_NAME || !mb_name_part(entry, strlen(entry))))
    return 0;
  if (depth == 0 && strcmp(entry, "lua") == 0)
    return 0; /* modules */
  const char *path = mb_arena_printf(s->arena, "%s/%s", folder, entry);
  if (!path)
    return mb_error_memory(error);
  mb_path_kind kind = mb_path_look(s->system, path);
  if (kind == MB_PATH_UNREADABLE) {
    mb_path_fail(path, errno, &problem);
    return add_problem(s, path, &problem, error);
  }
  if (kind != MB_PATH_FOLDER)
    return 0;
  if (major >= 0)
    return add_version(s, name, major, path, error);
  const char *longer = *name ? mb_arena_printf(s->arena, "%s/%s", name, entry) : entry;
  return longer ? walk(s, path, longer, depth + 1, error) : mb_error_memory(error);
}

/* Goes at most DEEPEST_NAME levels down. */
static int walk(scan *s, const char *folder, const char *name, int depth, mb_error *error) {
  const char **names = NULL;
  size_t count = 0;
  mb_error problem;
  mb_error_clear(&problem);
  if (mb_folder_names(s->system, s->arena, folder, LARGEST_FOLDER, &names, &count, &problem) != 0)
    return add_problem(s, folder, &problem, error);
  s->looked_at += count;
  if (s->looked_at > MOST_LOOKED_AT) {
    mb_error_set(&problem, MB_ERROR_USAGE, "FolderTooLarge",
                 "%s holds more than %d files, which no folder of runbooks does", s->origin,
                 MOST_LOOKED_AT);
    return add_problem(s, s->origin, &problem, error);
  }
  for (size_t i = 0; i < count && s->looked_at <= MOST_LOOKED_AT; i++) {
    if (look_at(s, folder, name, names[i], depth, error) != 0)
      return -1;
  }
  return 0;
}

static int scan_folder(scan *s, const char *given, mb_error *error) {
  mb_error problem;
  const char *folder = mb_arena_strdup(s->arena, given); /* lists outlive their source */
  if (!folder)
    return mb_error_memory(error);
  s->origin = folder;
  s->looked_at = 0;
  mb_path_kind kind = mb_path_look(s->system, folder);
  if (kind == MB_PATH_FOLDER)
    return walk(s, folder, "", 0, error);
  if (kind == MB_PATH_UNREADABLE)
    mb_path_fail(folder, errno, &problem);
  else
    mb_error_set(&problem, MB_ERROR_NOT_FOUND, "NoSuchFolder", "%s, named in MOONBOOK_PATH, is %s",
                 folder, kind == MB_PATH_ABSENT ? "not there" : "not a folder");
  return add_problem(s, folder, &problem, error);
}

/* ---- the stock set ---- */

/* "deploy/restart/v1/manifest.lua" to its name and major; false for any other file. */
static bool split_path(scan *s, const char *path, const char **name, int *major) {
  const char *file = strrchr(path, '/');
  if (!file || strcmp(file, "/manifest.lua") != 0)
    return false;
  char *folder = mb_arena_strndup(s->arena, path, (size_t)(file - path));
  char *version = folder ? strrchr(folder, '/') : NULL;
  if (!version)
    return false;
  *version = 0;
  *major = mb_version_folder(version + 1);
  *name = folder;
  return *major >= 0;
}

static int scan_stock(scan *s, mb_error *error) {
  size_t count = 0;
  const mb_embedded_file *files = mb_embedded_below(MB_SOURCE_RUNBOOKS, &count);
  s->origin = MB_SOURCE_STOCK;
  for (size_t i = 0; i < count; i++) {
    const char *name;
    int major;
    if (!split_path(s, files[i].path + strlen(MB_SOURCE_RUNBOOKS), &name, &major))
      continue;
    mb_bundle *bundle = add_bundle(s, name, major);
    if (!bundle || mb_bundle_read(s->system, s->arena, bundle, error) != 0)
      return mb_error_memory(error);
  }
  return 0;
}

/* ---- all of them ---- */

static int compare_bundles(const void *a, const void *b) {
  const mb_bundle *left = a, *right = b;
  int order = strcmp(left->name, right->name);
  return order ? order : (left->major > right->major) - (left->major < right->major);
}

static void mark_shadowed(mb_bundle *items, size_t start, size_t count) {
  for (size_t i = start; i < count; i++) {
    for (size_t k = 0; k < start && !items[i].shadowed; k++)
      items[i].shadowed = items[k].major == items[i].major &&
                          strcmp(items[k].name, items[i].name) == 0 && !items[i].problem;
  }
}

static void end_source(scan *s, size_t start) {
  if (s->count > start + 1)
    qsort(s->items + start, s->count - start, sizeof *s->items, compare_bundles);
  mark_shadowed(s->items, start, s->count);
}

int mb_source_list(mb_source *source, mb_arena *arena, mb_bundle **out, size_t *count,
                   mb_error *error) {
  scan s = {.system = source->system, .arena = arena};
  for (size_t i = 0; i < source->count; i++) {
    size_t start = s.count;
    if (scan_folder(&s, source->folders[i], error) != 0)
      return -1;
    end_source(&s, start);
  }
  size_t start = s.count;
  if (scan_stock(&s, error) != 0)
    return -1;
  end_source(&s, start);
  *out = s.items;
  *count = s.count;
  return 0;
}
