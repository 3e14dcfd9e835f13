/* What the files of this folder share. */
#ifndef MB_SOURCE_INTERNAL_H
#define MB_SOURCE_INTERNAL_H

#include "source/source.h"

#define MB_SOURCE_FILE_LIMIT ((size_t)1 << 20)
#define MB_SOURCE_STOCK      "stock"
#define MB_SOURCE_RUNBOOKS   "runbooks/" /* of the embedded files */

struct mb_source {
  const mb_system *system;
  mb_arena *arena;
  const char **folders;
  size_t count;
};

/* ---- files.c ---- */

typedef enum mb_path_kind {
  MB_PATH_ABSENT,
  MB_PATH_FOLDER,
  MB_PATH_OTHER,
  MB_PATH_UNREADABLE /* errno says why */
} mb_path_kind;

/* What stands at a path, links followed. */
mb_path_kind mb_path_look(const mb_system *system, const char *path);

/* Fills `error` with what the system said about a path. Returns -1. */
int mb_path_fail(const char *path, int code, mb_error *error);

/* Reads `base`/`relative`, which must be a plain file that lies within `base` once every link is
 * followed. Returns 1 when there is no such file, 0, or -1. */
int mb_read_within(const mb_system *system, mb_arena *arena, const char *base, const char *relative,
                   const char **out, size_t *size, mb_error *error);

/* The names in a folder, sorted, without hidden ones; at most `limit`. 0, or -1. */
int mb_folder_names(const mb_system *system, mb_arena *arena, const char *path, size_t limit,
                    const char ***out, size_t *count, mb_error *error);

/* ---- bundle.c ---- */

/* "v12" to 12; -1 when it is not the name of a version's folder. */
int mb_version_folder(const char *name);
/* Whether `size` bytes can be one part of a runbook's name. */
bool mb_name_part(const char *text, size_t size);
/* Reads manifest and runbook of a bundle whose name, major, origin and folder are set. 0, or -1. */
int mb_bundle_read(const mb_system *system, mb_arena *arena, mb_bundle *bundle, mb_error *error);

#endif
