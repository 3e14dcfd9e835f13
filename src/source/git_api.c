/* Loading libgit2. */
#include "source/git_api.h"
#include "base/shared.h"

#include <pthread.h>
#include <stdbool.h>

static mb_git_api api;
static bool loaded;
static pthread_mutex_t load_lock = PTHREAD_MUTEX_INITIALIZER;

/* The name of the first function that is missing, or NULL. */
static const char *find_symbols(void *library) {
  const mb_symbol wanted[] = {
      {"git_libgit2_init", &api.library_init},
      {"git_libgit2_shutdown", &api.library_shutdown},
      {"git_error_last", &api.error_last},
      {"git_repository_open_ext", &api.repository_open},
      {"git_repository_free", &api.repository_free},
      {"git_repository_commondir", &api.repository_folder},
      {"git_repository_odb", &api.repository_odb},
      {"git_odb_free", &api.odb_free},
      {"git_odb_read_header", &api.odb_read_header},
      {"git_odb_exists_prefix", &api.odb_find_prefix},
      {"git_oid_fromstrn", &api.oid_from_text},
      {"git_oid_tostr", &api.oid_to_text},
      {"git_reference_dwim", &api.reference_find},
      {"git_reference_target", &api.reference_target},
      {"git_reference_free", &api.reference_free},
      {"git_reference_list", &api.reference_list},
      {"git_strarray_dispose", &api.list_dispose},
      {"git_tag_lookup", &api.tag_find},
      {"git_tag_target_id", &api.tag_target_id},
      {"git_tag_free", &api.tag_free},
      {"git_commit_lookup", &api.commit_find},
      {"git_commit_tree_id", &api.commit_tree_id},
      {"git_commit_free", &api.commit_free},
      {"git_tree_lookup", &api.tree_find},
      {"git_tree_free", &api.tree_free},
      {"git_tree_entrycount", &api.tree_count},
      {"git_tree_entry_byindex", &api.tree_at},
      {"git_tree_entry_byname", &api.tree_get},
      {"git_tree_entry_name", &api.entry_name},
      {"git_tree_entry_id", &api.entry_id},
      {"git_tree_entry_filemode", &api.entry_mode},
      {"git_blob_lookup", &api.blob_find},
      {"git_blob_free", &api.blob_free},
      {"git_blob_rawcontent", &api.blob_content},
      {"git_blob_rawsize", &api.blob_size},
  };
  return mb_shared_find(library, wanted, sizeof wanted / sizeof wanted[0]);
}

static int fail_load(mb_error *error, const char *what) {
  mb_error_set(error, MB_ERROR_INTERNAL, "NoLibgit2", "libgit2 cannot be used: %s", what);
  return mb_error_next(error, "install the library that this moonbook was built for, %s",
                       MB_GIT2_SONAME);
}

static int load(mb_error *error) {
  int (*version)(int *, int *, int *);
  int major = 0, minor = 0, revision = 0;
  const mb_symbol more[] = {{"git_libgit2_version", &version}};
  const char *why;
  void *library = mb_shared_open(MB_GIT2_SONAME, &why);
  if (!library)
    return fail_load(error, why);
  if (find_symbols(library) || mb_shared_find(library, more, 1))
    return fail_load(error, "it lacks functions that are needed");
  version(&major, &minor, &revision);
  if (major != LIBGIT2_VER_MAJOR || minor != LIBGIT2_VER_MINOR)
    return fail_load(error, "it has another version than the one moonbook was built for");
  return 0;
}

const mb_git_api *mb_git_load(mb_error *error) {
  pthread_mutex_lock(&load_lock);
  if (!loaded)
    loaded = load(error) == 0;
  bool usable = loaded;
  pthread_mutex_unlock(&load_lock);
  return usable ? &api : NULL;
}
