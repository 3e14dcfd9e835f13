/* One bundle: its name's rules and its two files, from a folder or from the binary. */
#include "base/embedded.h"
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

/* ---- from the binary ---- */

static int read_embedded(mb_arena *arena, const mb_bundle *bundle, const char *file,
                         const char **text, size_t *size, const char **chunk, mb_error *error) {
  char *path =
      mb_arena_printf(arena, MB_SOURCE_RUNBOOKS "%s/v%d/%s", bundle->name, bundle->major, file);
  *chunk = path ? mb_arena_printf(arena, MB_SOURCE_STOCK ":%s", path + strlen(MB_SOURCE_RUNBOOKS))
                : NULL;
  if (!*chunk)
    return mb_error_memory(error);
  const mb_embedded_file *found = mb_embedded_find(path);
  if (found) {
    *text = found->data;
    *size = found->size;
  }
  return 0;
}

/* ---- from a folder ---- */

static int read_file(const mb_system *system, mb_arena *arena, const mb_bundle *bundle,
                     const char *file, const char **text, size_t *size, const char **chunk,
                     mb_error *error) {
  *chunk = mb_arena_printf(arena, "%s/%s", bundle->folder, file);
  if (!*chunk)
    return mb_error_memory(error);
  return mb_read_within(system, arena, bundle->folder, file, text, size, error) < 0 ? -1 : 0;
}

int mb_bundle_read(const mb_system *system, mb_arena *arena, mb_bundle *bundle, mb_error *error) {
  if (!bundle->folder) {
    if (read_embedded(arena, bundle, "manifest.lua", &bundle->manifest, &bundle->manifest_size,
                      &bundle->manifest_chunk, error) != 0)
      return -1;
    return read_embedded(arena, bundle, "runbook.lua", &bundle->runbook, &bundle->runbook_size,
                         &bundle->runbook_chunk, error);
  }
  if (read_file(system, arena, bundle, "manifest.lua", &bundle->manifest, &bundle->manifest_size,
                &bundle->manifest_chunk, error) != 0)
    return -1;
  return read_file(system, arena, bundle, "runbook.lua", &bundle->runbook, &bundle->runbook_size,
                   &bundle->runbook_chunk, error);
}
