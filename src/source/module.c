/* Modules for require(): from the bundle itself, from MOONBOOK_PATH, from the binary. */
#include "base/text.h"
#include "source/internal.h"
#include <string.h>

#define LONGEST_NAME 200

typedef struct wanted {
  mb_source *source;
  mb_arena *arena;
  const char *path; /* "lib/text.lua" */
  const char **text;
  size_t *size;
  const char **chunk;
} wanted;

static bool is_module_name(const char *name) {
  size_t size = strlen(name);
  if (size == 0 || size > LONGEST_NAME || name[0] == '.' || name[size - 1] == '.' ||
      strstr(name, ".."))
    return false;
  for (size_t i = 0; i < size; i++) {
    char c = name[i];
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.'))
      return false;
  }
  return true;
}

static int bad_name(const char *name, mb_error *error) {
  mb_buffer shown = MB_BUFFER_INIT(1024);
  size_t size = strlen(name);
  mb_text_add_printable(&shown, name, size < 100 ? size : 100, false);
  mb_error_set(error, MB_ERROR_USAGE, "BadModuleName", "\"%s\" cannot be the name of a module",
               mb_buffer_text(&shown));
  mb_buffer_dispose(&shown);
  return mb_error_next(error, "names are of a-z, 0-9 and _, with dots between parts: \"lib.text\"");
}

static char *module_path(mb_arena *arena, const char *name) {
  char *path = mb_arena_printf(arena, "%s.lua", name);
  for (char *at = path; path && at < path + strlen(name); at++)
    *at = *at == '.' ? '/' : *at;
  return path;
}

/* Each of these returns 1 when the module is not there, 0, or -1. */

static int read_of_place(const wanted *w, mb_place *place, mb_arena *of_place, const char *base,
                         mb_error *error) {
  if (mb_place_open(place, of_place, error) != 0)
    return -1;
  int status = place->kind->read(place, w->arena, base, w->path, w->text, w->size, error);
  if (status != 0)
    return status;
  const char *path = mb_path_join(w->arena, base, w->path);
  *w->chunk = path ? mb_place_show(place, w->arena, path) : NULL;
  return *w->chunk ? 0 : mb_error_memory(error);
}

static int read_of_bundle(const wanted *w, const mb_bundle *bundle, mb_error *error) {
  if (!bundle)
    return 1;
  mb_place place = *bundle->place;
  int status = read_of_place(w, &place, w->arena, bundle->path, error);
  mb_place_close(&place);
  return status;
}

static int read_of_path(const wanted *w, mb_error *error) {
  int status = 1;
  mb_source *source = w->source;
  for (size_t i = 0; status == 1 && i < source->count; i++)
    status = read_of_place(w, &source->places[i], source->arena, "lua", error);
  return status;
}

static int read_of_library(const wanted *w, mb_error *error) {
  mb_place library;
  mb_place_stock_library(w->source->system, &library);
  return read_of_place(w, &library, w->arena, "lua", error);
}

static int unknown_module(const char *name, const char *path, mb_error *error) {
  mb_error_set(error, MB_ERROR_NOT_FOUND, "UnknownModule", "there is no module \"%s\"", name);
  if (mb_text_starts(path, "lib/"))
    return mb_error_next(error, "looked for %s in the runbook's own folder", path);
  return mb_error_next(error,
                       "looked for lua/%s in the places of MOONBOOK_PATH and in moonbook itself; "
                       "a runbook's own modules are called \"lib.NAME\"",
                       path);
}

int mb_source_module(mb_source *source, mb_arena *arena, const mb_bundle *bundle, const char *name,
                     const char **text, size_t *size, const char **chunk_name, mb_error *error) {
  if (!is_module_name(name))
    return bad_name(name, error);
  wanted w = {.source = source, .arena = arena, .text = text, .size = size, .chunk = chunk_name};
  w.path = module_path(arena, name);
  if (!w.path)
    return mb_error_memory(error);
  int status = 1;
  if (mb_text_starts(w.path, "lib/"))
    status = read_of_bundle(&w, bundle, error);
  else if ((status = read_of_path(&w, error)) == 1)
    status = read_of_library(&w, error);
  return status == 1 ? unknown_module(name, w.path, error) : status;
}
