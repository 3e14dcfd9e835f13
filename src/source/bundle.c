/* One bundle: its name's rules and its two files. */
#include "base/text.h"
#include "source/internal.h"
#include <string.h>

int mb_version_folder(const char *name) {
  int64_t major;
  size_t size = strlen(name);
  if (name[0] != 'v' || size < 2 || size > 7 || (name[1] == '0' && size > 2))
    return -1;
  for (size_t i = 1; i < size; i++) {
    if (name[i] < '0' || name[i] > '9')
      return -1;
  }
  return mb_parse_integer(name + 1, size - 1, &major) == 0 ? (int)major : -1;
}

bool mb_name_part(const char *text, size_t size) {
  if (size == 0 || size > 64 || text[0] == '-' || text[0] == '_')
    return false;
  for (size_t i = 0; i < size; i++) {
    char c = text[i];
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
      return false;
  }
  return true;
}

static int read_one(const mb_place *place, mb_arena *arena, const char *folder, const char *file,
                    const char **text, size_t *size, const char **chunk, mb_error *error) {
  const char *path = mb_path_join(arena, folder, file);
  *chunk = path ? mb_place_show(place, arena, path) : NULL;
  if (!*chunk)
    return mb_error_memory(error);
  return place->kind->read(place, arena, folder, file, text, size, error) < 0 ? -1 : 0;
}

int mb_bundle_read(const mb_place *place, mb_arena *arena, mb_bundle *bundle, mb_error *error) {
  if (read_one(place, arena, bundle->path, "manifest.lua", &bundle->manifest,
               &bundle->manifest_size, &bundle->manifest_chunk, error) != 0)
    return -1;
  return read_one(place, arena, bundle->path, "runbook.lua", &bundle->runbook,
                  &bundle->runbook_size, &bundle->runbook_chunk, error);
}
