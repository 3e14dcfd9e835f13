/* Places: which kind a text means, and what is the same for all kinds. */
#include "base/text.h"
#include "source/internal.h"
#include <string.h>

/* ---- reading what was given ---- */

/* Where the '@' of PATH@REF stands in a text, or its size when it is a folder's path. Folders may
 * have an '@' in their names, and refs as well: what is there decides, the shortest path first.
 * False when memory runs out. */
static bool find_ref(const mb_system *system, mb_arena *arena, const char *text, size_t size,
                     size_t *out) {
  const char *first = memchr(text, '@', size);
  *out = size;
  if (!first || first == text)
    return true;
  char *path = mb_arena_strndup(arena, text, size);
  if (!path || mb_path_look(system, path) == MB_PATH_FOLDER)
    return path != NULL;
  *out = (size_t)(first - text);
  for (char *at = path + *out; at; at = strchr(at + 1, '@')) {
    *at = 0;
    if (mb_path_look(system, path) == MB_PATH_FOLDER) {
      *out = (size_t)(at - path);
      return true;
    }
    *at = '@';
  }
  return true;
}

/* Whether what follows PATH@REF in a list is its subfolder and not the next place. */
static bool is_subfolder(const char *text, size_t size) {
  static const char *const places[] = {"/", "./", "../"};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    if (mb_text_starts(text, places[i]))
      return false;
  }
  bool is_dots = text[0] == '.' && (size == 1 || (size == 2 && text[1] == '.'));
  return size > 0 && !is_dots && !memchr(text, '@', size);
}

/* A path without the slashes at its end. */
static const char *copy_path(mb_arena *arena, const char *text, size_t size) {
  while (size > 1 && text[size - 1] == '/')
    size--;
  return mb_arena_strndup(arena, text, size);
}

static int make_folder(mb_arena *arena, const char *text, size_t size, mb_place *out) {
  out->kind = &mb_place_folder;
  out->root = out->origin = copy_path(arena, text, size);
  out->prefix = out->root ? mb_arena_printf(arena, "%s/", out->root) : NULL;
  return out->prefix ? 0 : -1;
}

static int make_git(mb_arena *arena, const char *text, size_t size, size_t at, mb_place *out) {
  const char *ref = text + at + 1;
  size_t rest = size - at - 1;
  const char *colon = memchr(ref, ':', rest);
  size_t ref_size = colon ? (size_t)(colon - ref) : rest;
  const char *below = ref + ref_size + (colon != NULL);
  out->kind = &mb_place_git;
  out->root = copy_path(arena, text, at);
  out->ref = mb_arena_strndup(arena, ref, ref_size);
  out->below = copy_path(arena, below, (size_t)(text + size - below));
  if (!out->root || !out->ref || !out->below)
    return -1;
  out->origin = *out->below ? mb_arena_printf(arena, "%s@%s:%s", out->root, out->ref, out->below)
                            : mb_arena_printf(arena, "%s@%s", out->root, out->ref);
  out->prefix = !out->origin  ? NULL
                : *out->below ? mb_arena_printf(arena, "%s/", out->origin)
                              : mb_arena_printf(arena, "%s:", out->origin);
  return out->prefix ? 0 : -1;
}

static int make(mb_arena *arena, const char *text, size_t size, size_t at, mb_place *out) {
  return at == size ? make_folder(arena, text, size, out) : make_git(arena, text, size, at, out);
}

int mb_place_make(const mb_system *system, mb_arena *arena, const char *text, mb_place *out) {
  size_t at, size = strlen(text);
  *out = (mb_place){.system = system};
  return find_ref(system, arena, text, size, &at) ? make(arena, text, size, at, out) : -1;
}

int mb_place_next(const mb_system *system, mb_arena *arena, const char **list, mb_place *out) {
  size_t at, size;
  const char *text = *list + strspn(*list, ":");
  size = strcspn(text, ":");
  *out = (mb_place){.system = system};
  if (size == 0)
    return 1;
  if (!find_ref(system, arena, text, size, &at))
    return -1;
  bool is_folder = at == size;
  if (!is_folder && text[size] == ':') {
    size_t more = strcspn(text + size + 1, ":");
    size += is_subfolder(text + size + 1, more) ? 1 + more : 0;
  }
  *list = text + size;
  return make(arena, text, size, is_folder ? size : at, out);
}

/* ---- all kinds ---- */

int mb_place_open(mb_place *place, mb_arena *arena, mb_error *error) {
  if (place->handle || !place->kind->open)
    return 0;
  return place->kind->open(place, arena, error);
}

void mb_place_close(mb_place *place) {
  if (place->handle)
    place->kind->close(place);
  place->handle = NULL;
}

static bool copy_text(mb_arena *arena, const char **text) {
  if (*text)
    *text = mb_arena_strdup(arena, *text);
  return *text != NULL;
}

mb_place *mb_place_copy(mb_arena *arena, const mb_place *place) {
  mb_place *copy = mb_arena_alloc(arena, sizeof *copy);
  if (!copy)
    return NULL;
  *copy = *place;
  copy->handle = NULL;
  if (!copy_text(arena, &copy->root) || !copy_text(arena, &copy->origin) ||
      !copy_text(arena, &copy->prefix) || (place->ref && !copy_text(arena, &copy->ref)) ||
      (place->below && !copy_text(arena, &copy->below)))
    return NULL;
  return copy;
}

char *mb_path_join(mb_arena *arena, const char *base, const char *name) {
  return mb_arena_printf(arena, "%s%s%s", base, *base && *name ? "/" : "", name);
}

const char *mb_place_show(const mb_place *place, mb_arena *arena, const char *path) {
  return *path ? mb_arena_printf(arena, "%s%s", place->prefix, path)
               : mb_arena_strdup(arena, place->origin);
}
