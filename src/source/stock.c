/* The stock set: runbooks and modules that are part of the binary. */
#include "base/embedded.h"
#include "source/internal.h"
#include <string.h>

static const mb_embedded_file *files_below(const mb_place *place, mb_arena *arena, const char *path,
                                           size_t *skip, size_t *count) {
  char *prefix = mb_arena_printf(arena, "%s%s%s", place->root, path, *path ? "/" : "");
  *skip = prefix ? strlen(prefix) : 0;
  *count = 0;
  return prefix ? mb_embedded_below(prefix, count) : NULL;
}

static mb_path_kind look(const mb_place *place, mb_arena *arena, const char *path,
                         mb_error *error) {
  size_t skip, count;
  const mb_embedded_file *files = files_below(place, arena, path, &skip, &count);
  if (skip == 0) {
    mb_error_memory(error);
    return MB_PATH_UNREADABLE;
  }
  return files || !*path ? MB_PATH_FOLDER : MB_PATH_ABSENT;
}

static int list_names(const mb_place *place, mb_arena *arena, const char *path, size_t limit,
                      const char ***out, size_t *count, mb_error *error) {
  size_t skip, files_count, size = 0;
  const mb_embedded_file *files = files_below(place, arena, path, &skip, &files_count);
  const char **names = mb_arena_alloc(arena, (files_count + 1) * sizeof *names);
  if (skip == 0 || !names)
    return mb_error_memory(error);
  *count = 0;
  for (size_t i = 0; i < files_count; i++) {
    const char *name = files[i].path + skip;
    /* Files of one folder stand together, for the table is in byte order. */
    if (*count > 0 && strncmp(name, names[*count - 1], size) == 0 &&
        (name[size] == '/' || name[size] == 0))
      continue;
    size = strcspn(name, "/");
    names[*count] = mb_arena_strndup(arena, name, size);
    if (!names[(*count)++])
      return mb_error_memory(error);
  }
  *out = names;
  return 0;
}

static int read_file(const mb_place *place, mb_arena *arena, const char *base, const char *relative,
                     const char **out, size_t *size, mb_error *error) {
  const char *path = mb_path_join(arena, base, relative);
  char *whole = path ? mb_arena_printf(arena, "%s%s", place->root, path) : NULL;
  if (!whole)
    return mb_error_memory(error);
  const mb_embedded_file *found = mb_embedded_find(whole);
  if (!found)
    return 1;
  *out = found->data;
  *size = found->size;
  return 0;
}

const mb_place_kind mb_place_stock = {
    .look = look, .names = list_names, .read = read_file, .may_be_empty = true};

void mb_place_stock_runbooks(const mb_system *system, mb_place *out) {
  *out = (mb_place){.kind = &mb_place_stock,
                    .system = system,
                    .root = "runbooks/",
                    .origin = MB_SOURCE_STOCK,
                    .prefix = MB_SOURCE_STOCK ":"};
}

void mb_place_stock_library(const mb_system *system, mb_place *out) {
  *out = (mb_place){
      .kind = &mb_place_stock, .system = system, .root = "", .origin = "moonbook", .prefix = ""};
}
