/* What the files of this folder share. */
#ifndef MB_SOURCE_INTERNAL_H
#define MB_SOURCE_INTERNAL_H

#include "source/source.h"

#define MB_SOURCE_FILE_LIMIT ((size_t)1 << 20)
#define MB_SOURCE_STOCK      "stock"

typedef enum mb_path_kind {
  MB_PATH_ABSENT,
  MB_PATH_FOLDER,
  MB_PATH_OTHER,
  MB_PATH_UNREADABLE /* the error says why */
} mb_path_kind;

typedef struct mb_place mb_place;

/* A kind of place that runbooks come from. To add one: a file with an mb_place_kind, and a line in
 * place.c that says how it is written. Paths are relative to the place, "" is its top, and parts
 * are plain names: callers see to that. */
typedef struct mb_place_kind {
  /* NULL: there is nothing to open. `arena` lives as long as the place. 0, or -1. */
  int (*open)(mb_place *place, mb_arena *arena, mb_error *error);
  void (*close)(mb_place *place);
  mb_path_kind (*look)(const mb_place *place, mb_arena *arena, const char *path, mb_error *error);
  /* The names in a folder without hidden ones; more than `limit` are an error. 0, or -1. */
  int (*names)(const mb_place *place, mb_arena *arena, const char *path, size_t limit,
               const char ***out, size_t *count, mb_error *error);
  /* Reads `base`/`relative`, a plain file that must not lead out of `base`, of at most
   * MB_SOURCE_FILE_LIMIT bytes. Returns 1 when there is no such file, 0, or -1. */
  int (*read)(const mb_place *place, mb_arena *arena, const char *base, const char *relative,
              const char **out, size_t *size, mb_error *error);
  bool may_be_empty; /* else a place without runbooks is a mistake that lists tell */
} mb_place_kind;

struct mb_place {
  const mb_place_kind *kind;
  const mb_system *system;
  const char *root;   /* the folder, the repository, the prefix of embedded files */
  const char *origin; /* as lists show it */
  const char *prefix; /* before a path in messages: "/near/", "stock:" */
  const char *ref;    /* git: as given */
  const char *below;  /* git: the subfolder, or "" */
  char commit[41];    /* git: what `ref` was when it was first opened; no other is read then */
  void *handle;       /* of an open place, the kind's own */
};

extern const mb_place_kind mb_place_folder;
extern const mb_place_kind mb_place_git;
extern const mb_place_kind mb_place_stock;

struct mb_source {
  const mb_system *system;
  mb_arena *arena;
  mb_place *places; /* nearest first; the last one is the stock set */
  size_t count;
};

/* ---- place.c ---- */

/* Takes the next place off a list separated by ':'; it is not yet opened. Returns 1 when there is
 * none left, 0, or -1 when memory runs out. */
int mb_place_next(const mb_system *system, mb_arena *arena, const char **list, mb_place *out);
/* The place that a whole text means, not yet opened. 0, or -1 when memory runs out. */
int mb_place_make(const mb_system *system, mb_arena *arena, const char *text, mb_place *out);
/* Opens a place unless it is open. 0, or -1. */
int mb_place_open(mb_place *place, mb_arena *arena, mb_error *error);
void mb_place_close(mb_place *place);
/* A closed copy that needs nothing but its arena; NULL when memory runs out. */
mb_place *mb_place_copy(mb_arena *arena, const mb_place *place);
/* "a/b" of "a" and "b"; either may be empty. NULL when memory runs out. */
char *mb_path_join(mb_arena *arena, const char *base, const char *name);
/* How messages name a path of the place. NULL when memory runs out. */
const char *mb_place_show(const mb_place *place, mb_arena *arena, const char *path);

/* ---- folder.c ---- */

/* What stands at a path of the machine, links followed. With MB_PATH_UNREADABLE errno says why. */
mb_path_kind mb_path_look(const mb_system *system, const char *path);

/* ---- stock.c ---- */

void mb_place_stock_runbooks(const mb_system *system, mb_place *out);
void mb_place_stock_library(const mb_system *system, mb_place *out);

/* ---- bundle.c ---- */

/* "v12" to 12; -1 when it is not the name of a version's folder. */
int mb_version_folder(const char *name);
/* Whether `size` bytes can be one part of a runbook's name. */
bool mb_name_part(const char *text, size_t size);
/* Reads manifest and runbook of a bundle whose path is set from a place that is open. 0, or -1. */
int mb_bundle_read(const mb_place *place, mb_arena *arena, mb_bundle *bundle, mb_error *error);

#endif
