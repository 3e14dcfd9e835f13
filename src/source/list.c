/* Every bundle of every place. A folder that cannot be read is an entry that says why: a runbook
 * that silently is not there would let a farther one of the same name run in its place. */
#include "base/text.h"
#include "source/internal.h"
#include <stdlib.h>
#include <string.h>

#define DEEPEST_NAME   4                  /* parts of a runbook's name */
#define LARGEST_FOLDER 4096               /* names in one folder */
#define MOST_LOOKED_AT 20000              /* names in one place, all levels */
#define MOST_BYTES     ((size_t)64 << 20) /* of the runbooks of one place */

typedef struct scan {
  mb_arena *arena;
  const mb_place *place;  /* open */
  const mb_place *copied; /* for the bundles, which outlive their source */
  mb_bundle *items;
  size_t count, capacity;
  size_t looked_at, bytes;
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
  *bundle = (mb_bundle){.name = name, .major = major, .place = s->copied, .path = ""};
  bundle->origin = s->copied->origin;
  return bundle;
}

/* Turns what went wrong into the entry's problem. Without memory there is no list at all. */
static int set_problem(scan *s, mb_bundle *bundle, const char *where, const mb_error *problem,
                       mb_error *error) {
  if (problem->kind == MB_ERROR_MEMORY || !bundle)
    return mb_error_memory(error);
  bundle->problem = mb_arena_printf(s->arena, "%s%s%s", problem->message,
                                    *problem->next ? "; " : "", problem->next);
  bundle->manifest = bundle->runbook = NULL;
  bundle->manifest_chunk = bundle->runbook_chunk = where;
  return bundle->problem ? 0 : mb_error_memory(error);
}

static int add_problem(scan *s, const char *folder, const mb_error *problem, mb_error *error) {
  return set_problem(s, add_bundle(s, folder, 0), folder, problem, error);
}

/* ---- one place ---- */

static int add_path_problem(scan *s, const char *path, const mb_error *problem, mb_error *error) {
  const char *shown = mb_place_show(s->copied, s->arena, path);
  return shown ? add_problem(s, shown, problem, error) : mb_error_memory(error);
}

static bool is_too_large(scan *s, mb_error *problem) {
  if (s->looked_at > MOST_LOOKED_AT)
    mb_error_set(problem, MB_ERROR_USAGE, "FolderTooLarge",
                 "%s holds more than %d files, which no folder of runbooks does", s->copied->origin,
                 MOST_LOOKED_AT);
  else if (s->bytes > MOST_BYTES)
    mb_error_set(problem, MB_ERROR_USAGE, "FolderTooLarge",
                 "%s holds more than %zu MiB of runbooks", s->copied->origin, MOST_BYTES >> 20);
  else
    return false;
  return true;
}

static int add_version(scan *s, const char *name, int major, const char *path, mb_error *error) {
  mb_error problem;
  mb_bundle *bundle = add_bundle(s, name, major);
  if (!bundle)
    return mb_error_memory(error);
  bundle->path = path;
  mb_error_clear(&problem);
  if (mb_bundle_read(s->place, s->arena, bundle, &problem) != 0) {
    const char *shown = mb_place_show(s->copied, s->arena, path);
    return shown ? set_problem(s, bundle, shown, &problem, error) : mb_error_memory(error);
  }
  s->bytes += bundle->manifest_size + bundle->runbook_size;
  return is_too_large(s, &problem) ? add_path_problem(s, "", &problem, error) : 0;
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
  const char *path = mb_path_join(s->arena, folder, entry);
  if (!path)
    return mb_error_memory(error);
  mb_error_clear(&problem);
  mb_path_kind kind = s->place->kind->look(s->place, s->arena, path, &problem);
  if (kind == MB_PATH_UNREADABLE)
    return add_path_problem(s, path, &problem, error);
  if (kind != MB_PATH_FOLDER)
    return 0;
  if (major >= 0)
    return add_version(s, name, major, path, error);
  const char *longer = mb_path_join(s->arena, name, entry);
  return longer ? walk(s, path, longer, depth + 1, error) : mb_error_memory(error);
}

/* Goes at most DEEPEST_NAME levels down. */
static int walk(scan *s, const char *folder, const char *name, int depth, mb_error *error) {
  const char **names = NULL;
  size_t count = 0;
  mb_error problem;
  mb_error_clear(&problem);
  if (s->place->kind->names(s->place, s->arena, folder, LARGEST_FOLDER, &names, &count, &problem) !=
      0)
    return add_path_problem(s, folder, &problem, error);
  s->looked_at += count;
  if (is_too_large(s, &problem))
    return add_path_problem(s, "", &problem, error);
  for (size_t i = 0; i < count && !is_too_large(s, &problem); i++) {
    if (look_at(s, folder, name, names[i], depth, error) != 0)
      return -1;
  }
  return 0;
}

static int scan_open_place(scan *s, mb_error *error) {
  mb_error problem;
  mb_error_clear(&problem);
  size_t start = s->count;
  mb_path_kind kind = s->place->kind->look(s->place, s->arena, "", &problem);
  if (kind == MB_PATH_FOLDER && walk(s, "", "", 0, error) != 0)
    return -1;
  if (kind == MB_PATH_ABSENT || kind == MB_PATH_OTHER)
    mb_error_set(&problem, MB_ERROR_NOT_FOUND, "NoSuchFolder", "%s, named in MOONBOOK_PATH, is %s",
                 s->copied->origin, kind == MB_PATH_ABSENT ? "not there" : "not a folder");
  else if (kind == MB_PATH_FOLDER && s->count == start && !s->place->kind->may_be_empty)
    mb_error_set(&problem, MB_ERROR_NOT_FOUND, "NoRunbooks",
                 "%s holds no runbooks: there is no folder NAME/vMAJOR in it", s->copied->origin);
  else if (kind == MB_PATH_FOLDER)
    return 0;
  return add_path_problem(s, "", &problem, error);
}

static int scan_place(scan *s, mb_place *place, mb_arena *of_source, mb_error *error) {
  mb_error problem;
  mb_error_clear(&problem);
  int status = mb_place_open(place, of_source, &problem);
  s->place = place;
  s->copied = mb_place_copy(s->arena, place);
  s->looked_at = s->bytes = 0;
  if (!s->copied)
    return mb_error_memory(error);
  return status != 0 ? add_path_problem(s, "", &problem, error) : scan_open_place(s, error);
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

static void end_place(scan *s, size_t start) {
  if (s->count > start + 1)
    qsort(s->items + start, s->count - start, sizeof *s->items, compare_bundles);
  mark_shadowed(s->items, start, s->count);
}

int mb_source_list(mb_source *source, mb_arena *arena, mb_bundle **out, size_t *count,
                   mb_error *error) {
  scan s = {.arena = arena};
  for (size_t i = 0; i < source->count; i++) {
    size_t start = s.count;
    if (scan_place(&s, &source->places[i], source->arena, error) != 0)
      return -1;
    end_place(&s, start);
  }
  *out = s.items;
  *count = s.count;
  return 0;
}
