/* Where runbooks come from: the places named in MOONBOOK_PATH, nearest first, then the stock set in
 * the binary. A place is a folder, or a commit of a git repository written PATH@REF or
 * PATH@REF:SUBFOLDER. A runbook is a folder NAME/vMAJOR with manifest.lua and runbook.lua. */
#ifndef MB_SOURCE_SOURCE_H
#define MB_SOURCE_SOURCE_H

#include "base/system.h"

typedef struct mb_source mb_source;

/* `path`: places separated by ':'; NULL or "" for none. What follows the ':' after a PATH@REF is
 * its subfolder, unless it is empty, starts with "/", "./" or "../", or holds an '@' itself. Places
 * that do not exist are reported by mb_source_list, not here; a repository is first opened when
 * something is looked for in it. */
mb_source *mb_source_new(const mb_system *system, const char *path, mb_error *error);
void mb_source_free(mb_source *source);

/* One runbook as found; text lives in the arena. */
typedef struct mb_bundle {
  const char *name;             /* "deploy/restart" */
  int major;                    /* of the folder */
  const char *origin;           /* "stock", the folder, or "PATH@REF (commit 0123456789ab)" */
  const struct mb_place *place; /* where its files are, and below which path of it */
  const char *path;
  const char *problem;  /* why it cannot be read, or NULL; only mb_source_list gives such entries,
                           and those for a whole folder have its path as their name */
  const char *manifest; /* NULL: the file is missing */
  size_t manifest_size;
  const char
      *manifest_chunk; /* name for messages: path, or "stock:deploy/restart/v1/manifest.lua" */
  const char *runbook; /* NULL: the file is missing */
  size_t runbook_size;
  const char *runbook_chunk;
  bool shadowed; /* a nearer source has the same name and major */
} mb_bundle;

/* Finds name[@MAJOR[.x.y]] (or with `major` above 0); without a major the highest of the nearest
 * source that has the name. NOT_FOUND suggests the nearest name. */
int mb_source_find(mb_source *source, mb_arena *arena, const char *name, int major, mb_bundle *out,
                   mb_error *error);
/* Reads the bundle in a given folder, or PATH@REF:FOLDER (for `moonbook check PATH`). Its name is
 * "", for only the manifest knows it, and its major 0 unless the folder is called vMAJOR. */
int mb_source_open(const mb_system *system, mb_arena *arena, const char *folder, mb_bundle *out,
                   mb_error *error);
/* Every bundle, nearest source first, in name order within one. Places and folders that cannot
 * be read are entries with a problem. */
int mb_source_list(mb_source *source, mb_arena *arena, mb_bundle **out, size_t *count,
                   mb_error *error);
/* A module for require(), named in [a-z0-9_.] without empty parts; `bundle` may be NULL: from the
 * bundle's own folder ("lib/x.lua" as "lib.x"), then lua/ of the places of MOONBOOK_PATH, then the
 * library in the binary ("moonbook.text"). */
int mb_source_module(mb_source *source, mb_arena *arena, const mb_bundle *bundle, const char *name,
                     const char **text, size_t *size, const char **chunk_name, mb_error *error);

#endif
