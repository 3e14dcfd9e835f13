/* The canonical form of a request: what Signature Version 4 hashes. */
#ifndef MB_AWS_SIGN_CANONICAL_H
#define MB_AWS_SIGN_CANONICAL_H

#include "aws/sign/sigv4.h"

/* The headers that take part, sorted by name; those of one name keep their order. */
typedef struct mb_signed_headers {
  const mb_header **items;
  size_t count;
  const char *names; /* "host;x-amz-date" */
} mb_signed_headers;

/* Picks and sorts the headers to sign. `skip_token` leaves X-Amz-Security-Token out. */
int mb_signed_headers_collect(mb_arena *arena, const mb_headers *headers, bool skip_token,
                              mb_signed_headers *out);

/* Builds the canonical request in one piece of the arena; `query` is as sent on the wire. */
int mb_canonical_request(mb_arena *arena, const mb_http_request *request, const char *query,
                         const mb_signing *signing, const mb_signed_headers *headers,
                         const char *payload_hash, const char **out, size_t *out_size);

/* The host part of a URL as a Host header has it: lower case, no user, no default port. NULL with
 * the error set when the URL has none. */
const char *mb_canonical_host(mb_arena *arena, const char *url, mb_error *error);

#endif
