/* What libcurl's failures mean, in plain words. */
#ifndef MB_LOOP_TROUBLE_H
#define MB_LOOP_TROUBLE_H

#include "loop/curl_api.h"
#include <stdint.h>

/* "host:port" of a URL, the port filled in, the user left out. */
#define MB_PLACE_SIZE 256
void mb_url_place(const char *url, char out[MB_PLACE_SIZE]);

typedef struct mb_trouble {
  CURLcode code;
  const char *meaning; /* libcurl's own text for the code */
  const char *detail;  /* what libcurl noted, or "" */
  long system_error;   /* errno of the connection, or 0 */
  const char *url;
  int64_t connect_timeout_ms;
  const char *trust_file; /* NULL when TLS trusts no single file */
} mb_trouble;

/* Fills `error` with MB_ERROR_NETWORK, _TIMEOUT or _MEMORY. Returns -1. */
int mb_trouble_tell(const mb_trouble *trouble, mb_error *error);

#endif
