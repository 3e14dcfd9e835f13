/* libgit2 through pointers: it takes 4 to 12 ms to load, which only those pay who name a
 * repository. */
#ifndef MB_SOURCE_GIT_API_H
#define MB_SOURCE_GIT_API_H

#include <git2.h>
#include <moonbook/error.h>

typedef struct mb_git_api {
  int (*library_init)(void); /* counted; each needs a shutdown */
  int (*library_shutdown)(void);
  const git_error *(*error_last)(void);
  int (*repository_open)(git_repository **, const char *, unsigned, const char *);
  void (*repository_free)(git_repository *);
  const char *(*repository_folder)(const git_repository *); /* of what work trees share */
  int (*repository_odb)(git_odb **, git_repository *);
  void (*odb_free)(git_odb *);
  int (*odb_read_header)(size_t *, git_object_t *, git_odb *, const git_oid *);
  int (*odb_find_prefix)(git_oid *, git_odb *, const git_oid *, size_t);
  int (*oid_from_text)(git_oid *, const char *, size_t);
  char *(*oid_to_text)(char *, size_t, const git_oid *);
  int (*reference_find)(git_reference **, git_repository *, const char *);
  const git_oid *(*reference_target)(const git_reference *);
  void (*reference_free)(git_reference *);
  int (*reference_list)(git_strarray *, git_repository *);
  void (*list_dispose)(git_strarray *);
  int (*tag_find)(git_tag **, git_repository *, const git_oid *);
  const git_oid *(*tag_target_id)(const git_tag *);
  void (*tag_free)(git_tag *);
  int (*commit_find)(git_commit **, git_repository *, const git_oid *);
  const git_oid *(*commit_tree_id)(const git_commit *);
  void (*commit_free)(git_commit *);
  int (*tree_find)(git_tree **, git_repository *, const git_oid *);
  void (*tree_free)(git_tree *);
  size_t (*tree_count)(const git_tree *);
  const git_tree_entry *(*tree_at)(const git_tree *, size_t);
  const git_tree_entry *(*tree_get)(const git_tree *, const char *);
  const char *(*entry_name)(const git_tree_entry *);
  const git_oid *(*entry_id)(const git_tree_entry *);
  git_filemode_t (*entry_mode)(const git_tree_entry *);
  int (*blob_find)(git_blob **, git_repository *, const git_oid *);
  void (*blob_free)(git_blob *);
  const void *(*blob_content)(const git_blob *);
  git_object_size_t (*blob_size)(const git_blob *);
} mb_git_api;

/* Loads libgit2 unless that was done. Thread-safe. It is never unloaded, and it keeps its own
 * memory: what it allocates may outlive a change of ours. NULL with what is missing. */
const mb_git_api *mb_git_load(mb_error *error);

#endif
