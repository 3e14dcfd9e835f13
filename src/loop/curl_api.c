/* Loading libcurl. */
#include "loop/curl_api.h"
#include "base/memory.h"
#include "base/shared.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

static mb_curl_api api;
static bool loaded;
static pthread_mutex_t load_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- libcurl's memory ---- */

static atomic_uint failures;

static void *counted(void *pointer) {
  if (!pointer) {
    atomic_fetch_add(&failures, 1);
  }
  return pointer;
}

static void *curl_alloc(size_t size) {
  return counted(mb_alloc(size));
}

static void *curl_realloc(void *pointer, size_t size) {
  return counted(mb_realloc(pointer, size));
}

static char *curl_strdup(const char *text) {
  return counted(mb_strdup(text));
}

static void *curl_calloc(size_t count, size_t size) {
  return counted(mb_alloc_zero(count, size));
}

unsigned mb_curl_memory_failures(void) {
  return atomic_load(&failures);
}

/* ---- loading ---- */

/* The name of the first function that is missing, or NULL. */
static const char *find_symbols(void *library) {
  const mb_symbol wanted[] = {
      {"curl_easy_init", &api.easy_init},
      {"curl_easy_cleanup", &api.easy_cleanup},
      {"curl_easy_setopt", &api.easy_setopt},
      {"curl_easy_getinfo", &api.easy_getinfo},
      {"curl_easy_strerror", &api.easy_strerror},
      {"curl_multi_init", &api.multi_init},
      {"curl_multi_cleanup", &api.multi_cleanup},
      {"curl_multi_setopt", &api.multi_setopt},
      {"curl_multi_add_handle", &api.multi_add_handle},
      {"curl_multi_remove_handle", &api.multi_remove_handle},
      {"curl_multi_perform", &api.multi_perform},
      {"curl_multi_poll", &api.multi_poll},
      {"curl_multi_info_read", &api.multi_info_read},
      {"curl_multi_strerror", &api.multi_strerror},
  };
  return mb_shared_find(library, wanted, sizeof wanted / sizeof wanted[0]);
}

static int fail_load(mb_error *error, const char *what) {
  mb_error_set(error, MB_ERROR_INTERNAL, "NoLibcurl", "libcurl cannot be used: %s", what);
  return mb_error_next(error, "install libcurl 7.88 or newer (the package libcurl4)");
}

static int load(mb_error *error) {
  CURLcode (*init)(long, curl_malloc_callback, curl_free_callback, curl_realloc_callback,
                   curl_strdup_callback, curl_calloc_callback);
  const curl_version_info_data *(*version)(CURLversion);
  const mb_symbol more[] = {{"curl_global_init_mem", &init}, {"curl_version_info", &version}};
  const char *why;
  void *library = mb_shared_open("libcurl.so.4", &why);
  if (!library) {
    return fail_load(error, why);
  }
  if (find_symbols(library) || mb_shared_find(library, more, sizeof more / sizeof more[0])) {
    return fail_load(error, "it lacks functions that are needed");
  }
  if (version(CURLVERSION_NOW)->version_num < 0x075800) {
    return fail_load(error, "it is older than 7.88");
  }
  CURLcode code =
      init(CURL_GLOBAL_DEFAULT, curl_alloc, mb_free, curl_realloc, curl_strdup, curl_calloc);
  if (code == CURLE_OUT_OF_MEMORY) {
    return mb_error_memory(error);
  }
  return code == CURLE_OK ? 0 : fail_load(error, api.easy_strerror(code));
}

const mb_curl_api *mb_curl_load(mb_error *error) {
  pthread_mutex_lock(&load_lock);
  if (!loaded) {
    loaded = load(error) == 0;
  }
  bool usable = loaded;
  pthread_mutex_unlock(&load_lock);
  return usable ? &api : NULL;
}
