/* Finding one bundle: by name in the places, nearest first, or in a folder of its own. */
#include "base/memory.h"
#include "base/text.h"
#include "source/internal.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_NAME_FOLDER 1024 /* versions and other things beside each other */

/* ---- life ---- */

static int split_places(mb_source *source, const char *path) {
  size_t most = 2;
  int status;
  for (const char *at = path; *at; at++)
    most += *at == ':';
  source->places = mb_arena_alloc(source->arena, most * sizeof *source->places);
  if (!source->places)
    return -1;
  while ((status = mb_place_next(source->system, source->arena, &path,
                                 &source->places[source->count])) == 0)
    source->count++;
  mb_place_stock_runbooks(source->system, &source->places[source->count++]);
  return status == 1 ? 0 : -1;
}

mb_source *mb_source_new(const mb_system *system, const char *path, mb_error *error) {
  mb_arena *arena = mb_arena_new(0);
  mb_source *source = arena ? mb_arena_zero(arena, sizeof *source) : NULL;
  if (source) {
    source->system = system;
    source->arena = arena;
    if (split_places(source, path ? path : "") == 0)
      return source;
  }
  mb_arena_free(arena);
  mb_error_memory(error);
  return NULL;
}

void mb_source_free(mb_source *source) {
  if (!source)
    return;
  for (size_t i = 0; i < source->count; i++)
    mb_place_close(&source->places[i]);
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

/* The first place that could not be read as a whole: what was wanted may be there. */
static const char *first_problem(const mb_bundle *bundles, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (bundles[i].problem && bundles[i].major == 0 &&
        strcmp(bundles[i].name, bundles[i].origin) == 0)
      return bundles[i].problem;
  }
  return NULL;
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
    const char *problem = first_problem(bundles, count);
    if (problem)
      mb_error_next(error, "%s", problem);
    else if (best)
      mb_error_next(error, "did you mean \"%s\"? \"moonbook list\" lists them", best);
    else
      mb_error_next(error, "\"moonbook list\" lists what there is, MOONBOOK_PATH says where to "
                           "look");
  }
  mb_buffer_dispose(&versions);
  return -1;
}

/* ---- one place ---- */

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

static int fill_bundle(const mb_place *place, mb_arena *arena, mb_bundle *out, mb_error *error) {
  const mb_place *copy = mb_place_copy(arena, place);
  if (!copy || !out->path)
    return mb_error_memory(error);
  out->place = copy;
  out->origin = copy->origin;
  return mb_bundle_read(place, arena, out, error);
}

/* Returns 1 when this place does not have it, 0, or -1: a place that cannot be read must not let a
 * farther one answer. */
static int find_in_place(mb_place *place, mb_arena *of_source, mb_arena *arena, const char *name,
                         int major, mb_bundle *out, mb_error *error) {
  const char **names = NULL;
  size_t count = 0;
  if (mb_place_open(place, of_source, error) != 0)
    return -1;
  mb_path_kind kind = place->kind->look(place, arena, name, error);
  if (kind != MB_PATH_FOLDER)
    return kind == MB_PATH_UNREADABLE ? -1 : 1;
  if (place->kind->names(place, arena, name, LARGEST_NAME_FOLDER, &names, &count, error) != 0)
    return -1;
  int found = pick_version(names, count, major);
  if (found < 0)
    return 1;
  *out = (mb_bundle){.name = name, .major = found};
  out->path = mb_arena_printf(arena, "%s/v%d", name, found);
  return fill_bundle(place, arena, out, error);
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
    status = find_in_place(&source->places[i], source->arena, arena, plain, major, out, error);
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

/* Without the machine's help: the last part of a path. */
static int major_of_path(const char *path) {
  const char *last = strrchr(path, '/');
  int major = mb_version_folder(last ? last + 1 : path);
  return major > 0 ? major : 0;
}

static int open_place(mb_place *place, mb_arena *arena, mb_bundle *out, mb_error *error) {
  if (mb_place_open(place, arena, error) != 0)
    return -1;
  mb_path_kind kind = place->kind->look(place, arena, "", error);
  if (kind == MB_PATH_UNREADABLE)
    return -1;
  if (kind != MB_PATH_FOLDER) {
    mb_error_set(error, kind == MB_PATH_ABSENT ? MB_ERROR_NOT_FOUND : MB_ERROR_USAGE,
                 "NoSuchFolder", "%s is %s", place->origin,
                 kind == MB_PATH_ABSENT ? "not there" : "not a folder");
    return mb_error_next(error, "give the folder of a runbook's version, such as "
                                "runbooks/deploy/restart/v1");
  }
  *out = (mb_bundle){.name = "", .path = ""};
  out->major = place->below ? major_of_path(place->below)
                            : major_of_folder(place->system, arena, place->root);
  return fill_bundle(place, arena, out, error);
}

int mb_source_open(const mb_system *system, mb_arena *arena, const char *folder, mb_bundle *out,
                   mb_error *error) {
  mb_place place;
  if (mb_place_make(system, arena, folder, &place) != 0)
    return mb_error_memory(error);
  int status = open_place(&place, arena, out, error);
  mb_place_close(&place);
  return status;
}
