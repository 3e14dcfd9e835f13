/* libcurl through pointers: it takes some 30 libraries and 6 ms to load, which only those pay who
 * send a request. */
#ifndef MB_LOOP_CURL_API_H
#define MB_LOOP_CURL_API_H

#define CURL_DISABLE_TYPECHECK
#define CURL_NO_OLDIES
#include <curl/curl.h>
#include <moonbook/error.h>

typedef struct mb_curl_api {
  CURL *(*easy_init)(void);
  void (*easy_cleanup)(CURL *);
  CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
  CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
  const char *(*easy_strerror)(CURLcode);
  CURLM *(*multi_init)(void);
  CURLMcode (*multi_cleanup)(CURLM *);
  CURLMcode (*multi_setopt)(CURLM *, CURLMoption, ...);
  CURLMcode (*multi_add_handle)(CURLM *, CURL *);
  CURLMcode (*multi_remove_handle)(CURLM *, CURL *);
  CURLMcode (*multi_perform)(CURLM *, int *);
  CURLMcode (*multi_poll)(CURLM *, struct curl_waitfd[], unsigned, int, int *);
  CURLMsg *(*multi_info_read)(CURLM *, int *);
  const char *(*multi_strerror)(CURLMcode);
} mb_curl_api;

/* Loads libcurl unless that was done, and has it allocate as the library does. Thread-safe. It is
 * never unloaded. NULL with what is missing. */
const mb_curl_api *mb_curl_load(mb_error *error);

/* How often libcurl was refused memory. It also says "out of memory" of what is larger than it
 * cares to keep; the two are told apart by this. */
unsigned mb_curl_memory_failures(void);

#endif
