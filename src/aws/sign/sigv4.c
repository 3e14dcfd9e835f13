/* AWS Signature Version 4: derives the key, signs the canonical request, and puts the signature
 * into headers or into the query string. Knows nothing of services; what differs between them comes
 * in mb_signing. */
#include "aws/sign/sigv4.h"

#include "aws/sign/canonical.h"
#include "base/digest.h"
#include "base/text.h"
#include <string.h>

#define ALGORITHM "AWS4-HMAC-SHA256"

/* One signature on its way. */
typedef struct signature {
  mb_arena *arena;
  const mb_signing *signing;
  char stamp[17];         /* 20261123T140000Z */
  const char *scope;      /* 20261123/eu-west-1/ecs/aws4_request */
  const char *credential; /* access key / scope */
  const char *payload_hash;
  char hex[2 * MB_SHA256_SIZE + 1];
} signature;

static void hex_of(char out[2 * MB_SHA256_SIZE + 1], const unsigned char digest[MB_SHA256_SIZE]) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < MB_SHA256_SIZE; i++) {
    out[2 * i] = digits[digest[i] >> 4];
    out[2 * i + 1] = digits[digest[i] & 15];
  }
  out[2 * MB_SHA256_SIZE] = '\0';
}

static int hash_failed(mb_error *error) {
  return mb_error_set(error, MB_ERROR_INTERNAL, "DigestFailed",
                      "The request could not be signed: SHA-256 failed");
}

/* ---- key ---- */

void mb_signing_key_dispose(mb_signing_key *key) {
  if (key)
    mb_wipe(key, sizeof *key);
}

static int hmac_text(unsigned char key[MB_SHA256_SIZE], const char *text) {
  unsigned char next[MB_SHA256_SIZE];
  if (mb_hmac_sha256(key, MB_SHA256_SIZE, text, strlen(text), next))
    return -1;
  memcpy(key, next, sizeof next);
  mb_wipe(next, sizeof next);
  return 0;
}

/* key = HMAC(HMAC(HMAC(HMAC("AWS4" secret, day), region), service), "aws4_request") */
static int derive_key(const signature *work, unsigned char key[MB_SHA256_SIZE], mb_error *error) {
  const mb_signing *signing = work->signing;
  size_t size = strlen(signing->secret_access_key);
  char day[9];
  memcpy(day, work->stamp, 8);
  day[8] = '\0';
  char *start = mb_arena_alloc(work->arena, size + 5);
  if (!start)
    return mb_error_memory(error);
  memcpy(start, "AWS4", 4);
  memcpy(start + 4, signing->secret_access_key, size);
  int result = mb_hmac_sha256(start, size + 4, day, 8, key);
  mb_wipe(start, size + 5);
  if (result || hmac_text(key, signing->region) || hmac_text(key, signing->service) ||
      hmac_text(key, "aws4_request"))
    return hash_failed(error);
  return 0;
}

/* The derived key: from the cache while day, region, service and secret are the same. The secret is
 * kept as its hash alone. */
static int find_key(const signature *work, mb_signing_key *cache, unsigned char key[MB_SHA256_SIZE],
                    mb_error *error) {
  unsigned char secret[MB_SHA256_SIZE];
  const char *text = work->signing->secret_access_key;
  if (!cache || strlen(work->scope) >= sizeof cache->scope)
    return derive_key(work, key, error);
  if (mb_sha256(text, strlen(text), secret))
    return hash_failed(error);
  if (strcmp(cache->scope, work->scope) != 0 ||
      memcmp(cache->secret_hash, secret, sizeof secret) != 0) {
    cache->scope[0] = '\0';
    if (derive_key(work, cache->key, error))
      return -1;
    memcpy(cache->secret_hash, secret, sizeof secret);
    memcpy(cache->scope, work->scope, strlen(work->scope) + 1);
  }
  memcpy(key, cache->key, MB_SHA256_SIZE);
  return 0;
}

/* ---- what both forms share ---- */

static int check_text(const char *what, const char *text, mb_error *error) {
  const unsigned char *c = (const unsigned char *)text;
  while (c && *c > ' ' && *c != 0x7f)
    c++;
  if (c && c != (const unsigned char *)text && !*c)
    return 0;
  mb_error_set(error, MB_ERROR_CREDENTIALS, "InvalidCredentials",
               c && *c ? "The %s holds white space or a control character" : "The %s is empty",
               what);
  return mb_error_next(error, "Check for a line break or a blank copied along with it");
}

static int check_signing(const mb_signing *signing, mb_error *error) {
  if (check_text("access key id", signing->access_key_id, error) ||
      check_text("secret access key", signing->secret_access_key, error) ||
      check_text("signing region", signing->region, error) ||
      check_text("signing name of the service", signing->service, error))
    return -1;
  if (signing->session_token && *signing->session_token)
    return check_text("session token", signing->session_token, error);
  return 0;
}

static int hash_payload(signature *work, const mb_http_request *request, mb_error *error) {
  unsigned char digest[MB_SHA256_SIZE];
  if (work->signing->payload_hash) {
    work->payload_hash = work->signing->payload_hash;
    return 0;
  }
  if (mb_sha256(request->body_size ? request->body : "", request->body_size, digest))
    return hash_failed(error);
  char *hex = mb_arena_alloc(work->arena, 2 * MB_SHA256_SIZE + 1);
  if (!hex)
    return mb_error_memory(error);
  hex_of(hex, digest);
  work->payload_hash = hex;
  return 0;
}

/* Makes sure there is a Host header: it is signed, and must go out byte for byte as signed. */
static int ensure_host(mb_arena *arena, mb_http_request *request, mb_error *error) {
  if (mb_headers_get(&request->headers, "Host"))
    return 0;
  const char *host = mb_canonical_host(arena, request->url, error);
  if (!host)
    return -1;
  if (mb_headers_set(arena, &request->headers, "Host", host))
    return mb_error_memory(error);
  return 0;
}

static int start_signature(signature *work, mb_arena *arena, mb_http_request *request,
                           const mb_signing *signing, mb_error *error) {
  work->arena = arena;
  work->signing = signing;
  if (check_signing(signing, error) || mb_digest_load(error) || ensure_host(arena, request, error))
    return -1;
  mb_time_amz(work->stamp, signing->time);
  work->scope = mb_arena_printf(arena, "%.8s/%s/%s/aws4_request", work->stamp, signing->region,
                                signing->service);
  work->credential =
      work->scope ? mb_arena_printf(arena, "%s/%s", signing->access_key_id, work->scope) : NULL;
  if (!work->credential)
    return mb_error_memory(error);
  return hash_payload(work, request, error);
}

/* Hashes and signs; leaves the signature in work->hex. */
static int finish_signature(signature *work, mb_signing_key *cache, const char *canonical,
                            size_t canonical_size, mb_signing_trace *trace, mb_error *error) {
  unsigned char digest[MB_SHA256_SIZE], key[MB_SHA256_SIZE];
  char hex[2 * MB_SHA256_SIZE + 1];
  if (mb_sha256(canonical, canonical_size, digest))
    return hash_failed(error);
  hex_of(hex, digest);
  char *to_sign =
      mb_arena_printf(work->arena, ALGORITHM "\n%s\n%s\n%s", work->stamp, work->scope, hex);
  if (!to_sign)
    return mb_error_memory(error);
  if (find_key(work, cache, key, error))
    return -1;
  int failed = mb_hmac_sha256(key, sizeof key, to_sign, strlen(to_sign), digest);
  mb_wipe(key, sizeof key);
  if (failed)
    return hash_failed(error);
  hex_of(work->hex, digest);
  if (trace) {
    trace->canonical_request = canonical;
    trace->string_to_sign = to_sign;
    trace->signature = mb_arena_strdup(work->arena, work->hex);
    if (!trace->signature)
      return mb_error_memory(error);
  }
  return 0;
}

static int sign_request(signature *work, const mb_http_request *request, const char *query,
                        const mb_signed_headers *headers, mb_signing_key *cache,
                        mb_signing_trace *trace, mb_error *error) {
  const char *canonical;
  size_t size;
  if (mb_canonical_request(work->arena, request, query, work->signing, headers, work->payload_hash,
                           &canonical, &size))
    return mb_error_memory(error);
  return finish_signature(work, cache, canonical, size, trace, error);
}

static bool has_token(const mb_signing *signing) {
  return signing->session_token && *signing->session_token;
}

/* ---- header form ---- */

/* Puts the headers that are signed along; older ones of a former attempt are replaced. */
static int set_headers(signature *work, mb_headers *headers) {
  const mb_signing *signing = work->signing;
  mb_headers_remove(headers, "Authorization");
  mb_headers_remove(headers, "X-Amz-Security-Token");
  if (has_token(signing) &&
      mb_headers_set(work->arena, headers, "X-Amz-Security-Token", signing->session_token))
    return -1;
  if (mb_headers_set(work->arena, headers, "X-Amz-Date", work->stamp))
    return -1;
  if (!signing->content_sha256)
    return 0;
  return mb_headers_set(work->arena, headers, "X-Amz-Content-SHA256", work->payload_hash);
}

int mb_sigv4_sign(mb_arena *arena, mb_http_request *request, const mb_signing *signing,
                  mb_signing_key *cache, mb_signing_trace *trace, mb_error *error) {
  signature work;
  mb_signed_headers headers;
  if (start_signature(&work, arena, request, signing, error))
    return -1;
  if (set_headers(&work, &request->headers) ||
      mb_signed_headers_collect(arena, &request->headers, signing->omit_session_token, &headers))
    return mb_error_memory(error);
  if (sign_request(&work, request, request->query ? request->query : "", &headers, cache, trace,
                   error))
    return -1;
  char *value = mb_arena_printf(arena, ALGORITHM " Credential=%s, SignedHeaders=%s, Signature=%s",
                                work.credential, headers.names, work.hex);
  if (!value || mb_headers_set(arena, &request->headers, "Authorization", value))
    return mb_error_memory(error);
  return 0;
}

/* ---- query form ---- */

/* "&X-Amz-Security-Token=..." or "". */
static const char *token_parameter(mb_arena *arena, const mb_signing *signing) {
  if (!has_token(signing))
    return "";
  mb_buffer text = MB_BUFFER_INIT(64 * 1024);
  mb_buffer_add_text(&text, "&X-Amz-Security-Token=");
  mb_text_add_uri(&text, signing->session_token, strlen(signing->session_token), "");
  const char *copy = text.failed ? NULL : mb_arena_strndup(arena, text.data, text.size);
  mb_buffer_dispose(&text);
  return copy;
}

/* Everything but token and signature, in the order it is sent. */
static const char *query_parameters(const signature *work, const char *query, const char *names) {
  mb_buffer text = MB_BUFFER_INIT(1024 * 1024);
  mb_buffer_add_text(&text, query);
  if (*query)
    mb_buffer_add_char(&text, '&');
  mb_buffer_add_text(&text, "X-Amz-Algorithm=" ALGORITHM "&X-Amz-Credential=");
  mb_text_add_uri(&text, work->credential, strlen(work->credential), "");
  mb_buffer_addf(&text, "&X-Amz-Date=%s&X-Amz-SignedHeaders=", work->stamp);
  mb_text_add_uri(&text, names, strlen(names), "");
  mb_buffer_addf(&text, "&X-Amz-Expires=%lld", (long long)work->signing->expires);
  const char *copy = text.failed ? NULL : mb_arena_strndup(work->arena, text.data, text.size);
  mb_buffer_dispose(&text);
  return copy;
}

/* The URL with its query replaced. */
static const char *url_with_query(mb_arena *arena, const char *url, const char *query) {
  int size = (int)strcspn(url, "?#");
  return mb_arena_printf(arena, "%.*s?%s", size, url, query);
}

static int set_query(signature *work, mb_http_request *request, const char *unsigned_query) {
  const char *query =
      mb_arena_printf(work->arena, "%s&X-Amz-Signature=%s", unsigned_query, work->hex);
  if (!query)
    return -1;
  if (request->url) {
    const char *url = url_with_query(work->arena, request->url, query);
    if (!url)
      return -1;
    request->url = url;
  }
  request->query = query;
  return 0;
}

int mb_sigv4_presign(mb_arena *arena, mb_http_request *request, const mb_signing *signing,
                     mb_signing_key *cache, mb_signing_trace *trace, mb_error *error) {
  static const char *const replaced[] = {"Authorization", "X-Amz-Date", "X-Amz-Security-Token",
                                         "X-Amz-Content-SHA256"};
  signature work;
  mb_signed_headers headers;
  if (signing->expires < 1 || signing->expires > 7 * 24 * 3600)
    return mb_error_set(error, MB_ERROR_USAGE, "InvalidExpiry",
                        "A presigned URL must be valid for 1 to 604800 seconds, not %lld",
                        (long long)signing->expires);
  if (start_signature(&work, arena, request, signing, error))
    return -1;
  for (size_t i = 0; i < sizeof replaced / sizeof *replaced; i++)
    mb_headers_remove(&request->headers, replaced[i]);
  if (mb_signed_headers_collect(arena, &request->headers, false, &headers))
    return mb_error_memory(error);
  const char *query = query_parameters(&work, request->query ? request->query : "", headers.names);
  const char *token = token_parameter(arena, signing);
  const char *whole = query && token ? mb_arena_printf(arena, "%s%s", query, token) : NULL;
  if (!whole)
    return mb_error_memory(error);
  if (sign_request(&work, request, signing->omit_session_token ? query : whole, &headers, cache,
                   trace, error))
    return -1;
  return set_query(&work, request, whole) ? mb_error_memory(error) : 0;
}
