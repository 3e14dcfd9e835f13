/* Loading libmicrohttpd. */
#include "sim/httpd.h"
#include "base/shared.h"

#include <pthread.h>
#include <stdbool.h>

static mb_httpd_api api;
static bool loaded;
static pthread_mutex_t load_lock = PTHREAD_MUTEX_INITIALIZER;

/* The name of the first function that is missing, or NULL. */
static const char *find_symbols(void *library) {
  const mb_symbol wanted[] = {
      {"MHD_start_daemon", &api.start_daemon},
      {"MHD_stop_daemon", &api.stop_daemon},
      {"MHD_run", &api.run},
      {"MHD_get_timeout", &api.get_timeout},
      {"MHD_get_daemon_info", &api.get_daemon_info},
      {"MHD_get_connection_info", &api.get_connection_info},
      {"MHD_get_connection_values", &api.get_connection_values},
      {"MHD_create_response_from_buffer", &api.create_response_from_buffer},
      {"MHD_create_response_from_callback", &api.create_response_from_callback},
      {"MHD_add_response_header", &api.add_response_header},
      {"MHD_queue_response", &api.queue_response},
      {"MHD_destroy_response", &api.destroy_response},
      {"MHD_suspend_connection", &api.suspend_connection},
      {"MHD_resume_connection", &api.resume_connection},
  };
  return mb_shared_find(library, wanted, sizeof wanted / sizeof wanted[0]);
}

static int load(mb_error *error) {
  const char *why;
  void *library = mb_shared_open("libmicrohttpd.so.12", &why);
  if (!library) {
    mb_error_set(error, MB_ERROR_INTERNAL, "NoMicrohttpd", "libmicrohttpd cannot be loaded: %s",
                 why);
    return mb_error_next(error, "install libmicrohttpd (the package libmicrohttpd12)");
  }
  const char *missing = find_symbols(library);
  if (missing)
    return mb_error_set(error, MB_ERROR_INTERNAL, "NoMicrohttpd",
                        "libmicrohttpd.so.12 has no function %s", missing);
  loaded = true;
  return 0;
}

const mb_httpd_api *mb_httpd_load(mb_error *error) {
  pthread_mutex_lock(&load_lock);
  int result = loaded ? 0 : load(error);
  pthread_mutex_unlock(&load_lock);
  return result == 0 ? &api : NULL;
}
