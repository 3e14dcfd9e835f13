/* AWS Signature Version 4, header and query form (spec/aws-client.md 2.1). */
#ifndef MB_AWS_SIGN_SIGV4_H
#define MB_AWS_SIGN_SIGV4_H

#include "base/arena.h"
#include "loop/http.h"
#include <moonbook/error.h>

typedef struct mb_signing {
  const char *access_key_id;
  const char *secret_access_key;
  const char *session_token; /* NULL or "": none */
  const char *region;
  const char *service;      /* signing name */
  int64_t time;             /* seconds since 1970, skew already applied */
  bool double_encode;       /* every service but S3 */
  bool normalize;           /* collapse dot segments and slashes; every service but S3 */
  bool content_sha256;      /* send X-Amz-Content-SHA256 (S3 always) */
  const char *payload_hash; /* NULL: hash the body; else e.g. "UNSIGNED-PAYLOAD" */
  bool omit_session_token;  /* query form: add the token after signing */
  int64_t expires;          /* query form: seconds */
} mb_signing;

/* What signing went through, for tests and -vvv; may be NULL where it is not wanted. */
typedef struct mb_signing_trace {
  const char *canonical_request;
  const char *string_to_sign;
  const char *signature;
} mb_signing_trace;

/* The derived key of (secret, day, region, service), kept between calls. Wipe with
 * mb_signing_key_dispose. */
typedef struct mb_signing_key {
  char scope[192]; /* what it was derived for, "" at first */
  unsigned char secret_hash[32];
  unsigned char key[32];
} mb_signing_key;
void mb_signing_key_dispose(mb_signing_key *key);

/* Signs in headers: sets X-Amz-Date, X-Amz-Security-Token, X-Amz-Content-SHA256 where asked, and
 * Authorization, replacing older ones. The request needs `url` or a Host header, and method, path,
 * query, headers, body. `cache` may be NULL. */
int mb_sigv4_sign(mb_arena *arena, mb_http_request *request, const mb_signing *signing,
                  mb_signing_key *cache, mb_signing_trace *trace, mb_error *error);

/* Signs in the query string (a presigned URL): extends `query` and `url`. */
int mb_sigv4_presign(mb_arena *arena, mb_http_request *request, const mb_signing *signing,
                     mb_signing_key *cache, mb_signing_trace *trace, mb_error *error);

#endif
