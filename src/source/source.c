/* Finding one bundle: by name in the sources, nearest first, or in a folder of its own. */
#include "base/embedded.h"
#include "base/memory.h"
#include "base/text.h"
#include "source/internal.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_NAME_FOLDER 1024 /* versions and other things beside each other */

/* ---- life ---- */

static int split_folders(mb_source *source, const char *path) {
  size_t most = 1;
  for (const char *at = path; *at; at++)
    most += *at == ':';
  source->folders = mb_arena_alloc(source->arena, most * sizeof *source->folders);
  if (!source->folders)
    return -1;
  while (*path) {
    size_t size = strcspn(path, ":"), kept = size;
    while (kept > 1 && path[kept - 1] == '/')
      kept--;
    if (kept > 0) {
      const char *folder = mb_arena_strndup(source->arena, path, kept);
      if (!folder)
        return -1;
      source->folders[source->count++] = folder;
    }
    path += size + (path[size] == ':');
  }
  return 0;
}

mb_source *mb_source_new(const mb_system *system, const char *path, mb_error *error) {
  mb_arena *arena = mb_arena_new(0);
  mb_source *source = arena ? mb_arena_zero(arena, sizeof *source) : NULL;
  if (source) {
    source->system = system;
    source->arena = arena;
    if (split_folders(source, path ? path : "") == 0)
      return source;
  }
  mb_arena_free(arena);
  mb_error_memory(error);
  return NULL;
}

void mb_source_free(mb_source *source) {
  if (source)
    mb_arena_free(source->arena);
}

/* ---- names ---- */

/* Splits "deploy/restart@1.2.0". -1 when it cannot be a runbook's name. */
static int read_name(mb_arena *arena, const char *text, const char **name, int *major) {
  size_t size = strcspn(text, "@");
  if (text[size] == '@' && *major <= 0) {
    int64_t number;
    size_t digits = strcspn(text + size + 1, ".");
    if (digits > 6 || mb_parse_integer(text + size + 1, digits, &number) != 0 || number < 0)
      return -1;
    *major = (int)number;
  } else if (text[size] != '@' && *major <= 0) {
    *major = -1;
  }
  for (size_t at = 0; at <= size;) {
    size_t part = 0;
    while (at + part < size && text[at + part] != '/')
      part++;
    if (!mb_name_part(text + at, part))
      return -1;
    at += part + 1;
  }
  *name = mb_arena_strndup(arena, text, size);
  return 0;
}

static int bad_name(const char *text, mb_error *error) {
  mb_buffer shown = MB_BUFFER_INIT(1024);
  size_t size = strlen(text);
  mb_text_add_printable(&shown, text, size < 100 ? size : 100, false);
  mb_error_set(error, MB_ERROR_NOT_FOUND, "UnknownRunbook", "\"%s\" is not the name of a runbook",
               mb_buffer_text(&shown));
  mb_buffer_dispose(&shown);
  return mb_error_next(error, "names look like deploy/restart or deploy/restart@1; \"moonbook "
                              "list\" lists them");
}

static int unknown_name(mb_source *source, mb_arena *arena, const char *name, int major,
                        mb_error *error) {
  mb_bundle *bundles = NULL;
  size_t count = 0, distance = SIZE_MAX;
  const char *best = NULL;
  if (mb_source_list(source, arena, &bundles, &count, error) != 0)
    return -1;
  mb_buffer versions = MB_BUFFER_INIT(256);
  for (size_t i = 0; i < count; i++) {
    if (strcmp(bundles[i].name, name) == 0 && !bundles[i].shadowed)
      mb_buffer_addf(&versions, "%s%s@%d", versions.size ? ", " : "", name, bundles[i].major);
    else if (!bundles[i].problem)
      mb_text_nearer(name, bundles[i].name, &best, &distance);
  }
  if (versions.size > 0) {
    mb_error_set(error, MB_ERROR_NOT_FOUND, "UnknownVersion", "there is no %s@%d", name, major);
    mb_error_next(error, "there is %s", mb_buffer_text(&versions));
  } else {
    mb_error_set(error, MB_ERROR_NOT_FOUND, "UnknownRunbook", "there is no runbook \"%s\"", name);
    if (best)
      mb_error_next(error, "did you mean \"%s\"? \"moonbook list\" lists them", best);
    else
      mb_error_next(error, "\"moonbook list\" lists what there is, MOONBOOK_PATH says where to "
                           "look");
  }
  mb_buffer_dispose(&versions);
  return -1;
}

/* ---- one source ---- */

/* The wanted major (-1: the highest) among the versions in a folder; -1 when there is none. */
static int pick_version(const char **names, size_t count, int wanted) {
  int best = -1;
  for (size_t i = 0; i < count; i++) {
    int major = mb_version_folder(names[i]);
    if (major >= 0 && (wanted < 0 ? major > best : major == wanted))
      best = major;
  }
  return best;
}

/* Returns 1 when this folder does not have it, 0, or -1: a folder that cannot be read must not let
 * a farther one answer. */
static int find_in_folder(mb_source *source, mb_arena *arena, const char *folder, const char *name,
                          int major, mb_bundle *out, mb_error *error) {
  const char **names = NULL;
  size_t count = 0;
  const char *path = mb_arena_printf(arena, "%s/%s", folder, name);
  if (!path)
    return mb_error_memory(error);
  mb_path_kind kind = mb_path_look(source->system, path);
  if (kind == MB_PATH_UNREADABLE)
    return mb_path_fail(path, errno, error);
  if (kind != MB_PATH_FOLDER)
    return 1;
  if (mb_folder_names(source->system, arena, path, LARGEST_NAME_FOLDER, &names, &count, error) != 0)
    return -1;
  int found = pick_version(names, count, major);
  if (found < 0)
    return 1;
  *out = (mb_bundle){.name = name, .major = found};
  out->origin = mb_arena_strdup(arena, folder);
  out->folder = mb_arena_printf(arena, "%s/v%d", path, found);
  if (!out->origin || !out->folder)
    return mb_error_memory(error);
  return mb_bundle_read(source->system, arena, out, error);
}

static int stock_version(mb_arena *arena, const char *name, int wanted, mb_error *error) {
  int best = -1;
  size_t count = 0;
  const char *prefix = mb_arena_printf(arena, MB_SOURCE_RUNBOOKS "%s/v", name);
  if (!prefix) {
    mb_error_memory(error);
    return -2;
  }
  const mb_embedded_file *files = mb_embedded_below(prefix, &count);
  for (size_t i = 0; i < count; i++) {
    char version[16];
    const char *at = files[i].path + strlen(prefix) - 1;
    size_t size = strcspn(at, "/");
    if (size >= sizeof version)
      continue;
    memcpy(version, at, size);
    version[size] = 0;
    const char *single = version;
    int major = pick_version(&single, 1, wanted);
    best = major > best ? major : best;
  }
  return best;
}

static int find_in_stock(mb_source *source, mb_arena *arena, const char *name, int major,
                         mb_bundle *out, mb_error *error) {
  int found = stock_version(arena, name, major, error);
  if (found < 0)
    return found == -1 ? 1 : -1;
  *out = (mb_bundle){.name = name, .major = found, .origin = MB_SOURCE_STOCK};
  return mb_bundle_read(source->system, arena, out, error);
}

int mb_source_find(mb_source *source, mb_arena *arena, const char *name, int major, mb_bundle *out,
                   mb_error *error) {
  const char *plain = NULL;
  if (read_name(arena, name, &plain, &major) != 0)
    return bad_name(name, error);
  if (!plain)
    return mb_error_memory(error);
  int status = 1;
  for (size_t i = 0; status == 1 && i < source->count; i++)
    status = find_in_folder(source, arena, source->folders[i], plain, major, out, error);
  if (status == 1)
    status = find_in_stock(source, arena, plain, major, out, error);
  return status == 1 ? unknown_name(source, arena, plain, major, error) : status;
}

/* ---- a given folder ---- */

/* The major of a folder called vMAJOR, also when it is given as "." or through a link. */
static int major_of_folder(const mb_system *system, mb_arena *arena, const char *folder) {
  char real[PATH_MAX];
  const char *root = folder[0] == '/' && system->root ? system->root : "";
  const char *place = mb_arena_printf(arena, "%s%s", root, folder);
  if (!place || !realpath(place, real))
    return 0;
  const char *last = strrchr(real, '/');
  int major = mb_version_folder(last ? last + 1 : real);
  return major > 0 ? major : 0;
}

int mb_source_open(const mb_system *system, mb_arena *arena, const char *folder, mb_bundle *out,
                   mb_error *error) {
  size_t size = strlen(folder);
  while (size > 1 && folder[size - 1] == '/')
    size--;
  const char *path = mb_arena_strndup(arena, folder, size);
  if (!path)
    return mb_error_memory(error);
  mb_path_kind kind = size ? mb_path_look(system, path) : MB_PATH_ABSENT;
  if (kind == MB_PATH_UNREADABLE)
    return mb_path_fail(path, errno, error);
  if (kind != MB_PATH_FOLDER) {
    mb_error_set(error, kind == MB_PATH_ABSENT ? MB_ERROR_NOT_FOUND : MB_ERROR_USAGE,
                 "NoSuchFolder", "%s is %s", path,
                 kind == MB_PATH_ABSENT ? "not there" : "not a folder");
    return mb_error_next(error, "give the folder of a runbook's version, such as "
                                "runbooks/deploy/restart/v1");
  }
  *out = (mb_bundle){.name = "", .origin = path, .folder = path};
  out->major = major_of_folder(system, arena, path);
  return mb_bundle_read(system, arena, out, error);
}
