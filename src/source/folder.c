/* Folders as places: other people's files, read within bounds and never through a link that leads
 * out. */
#include "source/internal.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char *real_place(const mb_system *system, mb_arena *arena, const char *path) {
  const char *root = path[0] == '/' && system->root ? system->root : "";
  return mb_arena_printf(arena, "%s%s", root, path);
}

static int path_fail(const char *path, int code, mb_error *error) {
  char reason[128];
  if (code == ENOMEM)
    return mb_error_memory(error);
  return mb_error_set(error, MB_ERROR_IO, "CannotRead", "%s: %s", path,
                      strerror_r(code, reason, sizeof reason));
}

mb_path_kind mb_path_look(const mb_system *system, const char *path) {
  char full[PATH_MAX];
  const char *root = path[0] == '/' && system->root ? system->root : "";
  struct stat about;
  size_t room = strlen(root);
  if (room + strlen(path) >= sizeof full) {
    errno = ENAMETOOLONG;
    return MB_PATH_UNREADABLE;
  }
  memcpy(full, root, room);
  memcpy(full + room, path, strlen(path) + 1);
  if (stat(full, &about) != 0)
    return errno == ENOENT || errno == ENOTDIR ? MB_PATH_ABSENT : MB_PATH_UNREADABLE;
  return S_ISDIR(about.st_mode) ? MB_PATH_FOLDER : MB_PATH_OTHER;
}

/* ---- one file ---- */

static bool lies_within(const char *base, const char *path) {
  size_t size = strlen(base);
  if (strcmp(base, "/") == 0)
    return true;
  return strncmp(base, path, size) == 0 && path[size] == '/';
}

/* Resolves both paths and refuses one that leaves `base`. 1 when the file is absent. */
static int resolve_within(const char *base, const char *path, char out[PATH_MAX], const char *shown,
                          mb_error *error) {
  char real_base[PATH_MAX];
  struct stat about;
  if (!realpath(path, out))
    return errno == ENOENT || errno == ENOTDIR ? 1 : path_fail(shown, errno, error);
  if (!realpath(base, real_base) || stat(out, &about) != 0)
    return path_fail(shown, errno, error);
  if (!lies_within(real_base, out)) {
    mb_error_set(error, MB_ERROR_REFUSED, "LinkLeadsOut",
                 "%s is a link that leads out of its folder", shown);
    return mb_error_next(error, "put a copy of the file in its place");
  }
  if (!S_ISREG(about.st_mode))
    return mb_error_set(error, MB_ERROR_USAGE, "NotAFile", "%s is not a plain file", shown);
  return 0;
}

static int read_file(const mb_place *place, mb_arena *arena, const char *base, const char *relative,
                     const char **out, size_t *size, mb_error *error) {
  char resolved[PATH_MAX];
  const char *folder = mb_path_join(arena, place->root, base);
  const char *shown = folder ? mb_path_join(arena, folder, relative) : NULL;
  char *path = shown ? real_place(place->system, arena, shown) : NULL;
  char *path_base = path ? real_place(place->system, arena, folder) : NULL;
  if (!path_base)
    return mb_error_memory(error);
  int status = resolve_within(path_base, path, resolved, shown, error);
  if (status != 0)
    return status;
  mb_system plain = *place->system;
  plain.root = ""; /* it is part of the resolved path */
  char *text = NULL;
  if (mb_read_file(&plain, arena, resolved, MB_SOURCE_FILE_LIMIT, &text, size, error) != 0)
    return -1;
  *out = text;
  return 0;
}

/* ---- one folder ---- */

static int compare_names(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

typedef struct name_list {
  const char **items;
  size_t count, capacity;
} name_list;

static int add_name(mb_arena *arena, name_list *list, const char *name) {
  if (list->count == list->capacity) {
    size_t capacity = list->capacity ? list->capacity * 2 : 32;
    const char **items =
        mb_arena_grow(arena, list->items, list->capacity * sizeof *items, capacity * sizeof *items);
    if (!items)
      return -1;
    list->items = items;
    list->capacity = capacity;
  }
  /* Grown lists must be the newest allocation to grow in place, so names are copied after. */
  const char *copy = mb_arena_strdup(arena, name);
  if (!copy)
    return -1;
  list->items[list->count++] = copy;
  return 0;
}

static int read_names(DIR *folder, mb_arena *arena, const char *path, size_t limit, name_list *list,
                      mb_error *error) {
  for (;;) {
    errno = 0;
    const struct dirent *entry = readdir(folder);
    if (!entry)
      return errno == 0 ? 0 : path_fail(path, errno, error);
    if (entry->d_name[0] == '.')
      continue;
    if (list->count == limit) {
      mb_error_set(error, MB_ERROR_USAGE, "FolderTooLarge",
                   "%s holds more than %zu files, which no folder of runbooks does", path, limit);
      return mb_error_next(error, "name folders of runbooks in MOONBOOK_PATH");
    }
    if (add_name(arena, list, entry->d_name) != 0)
      return mb_error_memory(error);
  }
}

static int list_names(const mb_place *place, mb_arena *arena, const char *path, size_t limit,
                      const char ***out, size_t *count, mb_error *error) {
  const char *shown = mb_path_join(arena, place->root, path);
  char *real = shown ? real_place(place->system, arena, shown) : NULL;
  if (!real)
    return mb_error_memory(error);
  DIR *folder = opendir(real);
  if (!folder)
    return path_fail(shown, errno, error);
  name_list list = {.items = NULL};
  int status = read_names(folder, arena, shown, limit, &list, error);
  closedir(folder);
  if (status != 0)
    return -1;
  if (list.count > 1)
    qsort(list.items, list.count, sizeof *list.items, compare_names);
  *out = list.items;
  *count = list.count;
  return 0;
}

static mb_path_kind look(const mb_place *place, mb_arena *arena, const char *path,
                         mb_error *error) {
  const char *whole = mb_path_join(arena, place->root, path);
  if (!whole) {
    mb_error_memory(error);
    return MB_PATH_UNREADABLE;
  }
  mb_path_kind kind = mb_path_look(place->system, whole);
  if (kind == MB_PATH_UNREADABLE)
    path_fail(whole, errno, error);
  return kind;
}

const mb_place_kind mb_place_folder = {
    .look = look, .names = list_names, .read = read_file, .may_be_empty = true};
