/* Signatures, the receiving side: what a request claims, and whether its signature is the one that
 * the secret gives for the headers it names. */
#include "aws/sign/sigv4.h"
#include "sim/internal.h"
#include <string.h>

#define ALGORITHM "AWS4-HMAC-SHA256"

/* ---- reading ---- */

/* The decoded value of a query parameter; "" when absent, NULL without memory. */
static const char *query_value(mb_arena *arena, const char *query, const char *name) {
  size_t name_size = strlen(name);
  for (const char *at = query; at && *at;) {
    size_t part = strcspn(at, "&");
    if (part > name_size && at[name_size] == '=' && memcmp(at, name, name_size) == 0)
      return mb_sim_decode(arena, at + name_size + 1, part - name_size - 1);
    at += part + (at[part] == '&');
  }
  return "";
}

/* "NAME=value" within "Credential=..., SignedHeaders=..., Signature=...". */
static const char *authorization_value(mb_arena *arena, const char *text, const char *name) {
  size_t size = strlen(name);
  for (const char *at = text; (at = strstr(at, name)) != NULL; at += size) {
    bool starts = at == text || at[-1] == ' ' || at[-1] == ',';
    if (starts && at[size] == '=')
      return mb_arena_strndup(arena, at + size + 1, strcspn(at + size + 1, ", "));
  }
  return "";
}

/* "KEY/20260101/eu-west-1/ecs/aws4_request" into its parts. */
static int split_credential(mb_arena *arena, const char *credential, sim_signature *out) {
  const char **parts[] = {&out->access_key, &out->day, &out->region, &out->service};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    size_t size = strcspn(credential, "/");
    *parts[i] = mb_arena_strndup(arena, credential, size);
    if (!*parts[i])
      return -1;
    credential += size + (credential[size] == '/');
  }
  return 0;
}

int mb_sim_read_signature(mb_arena *arena, const mb_http_request *request, sim_signature *out,
                          mb_error *error) {
  const char *header = mb_headers_get(&request->headers, "Authorization");
  const char *credential;
  *out = (sim_signature){.access_key = "", .day = "", .region = "", .service = ""};
  out->signed_headers = out->signature = "";
  if (header && mb_text_starts(header, ALGORITHM)) {
    out->present = true;
    credential = authorization_value(arena, header, "Credential");
    out->signed_headers = authorization_value(arena, header, "SignedHeaders");
    out->signature = authorization_value(arena, header, "Signature");
  } else {
    credential = query_value(arena, request->query, "X-Amz-Credential");
    out->present = out->presigned = credential && *credential;
    out->signed_headers = query_value(arena, request->query, "X-Amz-SignedHeaders");
    out->signature = query_value(arena, request->query, "X-Amz-Signature");
  }
  if (!credential || !out->signed_headers || !out->signature ||
      split_credential(arena, credential, out))
    return mb_error_memory(error);
  return 0;
}

/* ---- checking ---- */

/* Only the headers that take part, as the sender signed them. */
static int signed_headers(mb_arena *arena, const mb_http_request *request, const char *names,
                          mb_headers *out) {
  for (const char *at = names; *at;) {
    size_t size = strcspn(at, ";");
    for (size_t i = 0; i < request->headers.count; i++) {
      const mb_header *header = &request->headers.items[i];
      char *name = mb_arena_strndup(arena, at, size);
      if (!name)
        return -1;
      if (mb_text_equal_ci(header->name, name) &&
          mb_headers_add(arena, out, header->name, header->value))
        return -1;
    }
    at += size + (at[size] == ';');
  }
  return 0;
}

/* The query without what presigning added. */
static const char *unsigned_query(mb_arena *arena, const char *query) {
  static const char *const added[] = {
      "X-Amz-Algorithm=", "X-Amz-Credential=", "X-Amz-Date=",
      "X-Amz-Expires=",   "X-Amz-Signature=",  "X-Amz-SignedHeaders=",
  };
  char *out = mb_arena_alloc(arena, strlen(query) + 1);
  if (!out)
    return NULL;
  size_t used = 0;
  for (const char *at = query; *at;) {
    size_t size = strcspn(at, "&");
    bool drop = false;
    for (size_t i = 0; i < sizeof added / sizeof *added; i++)
      drop = drop || strncmp(at, added[i], strlen(added[i])) == 0;
    if (!drop) {
      if (used)
        out[used++] = '&';
      memcpy(out + used, at, size);
      used += size;
    }
    at += size + (at[size] == '&');
  }
  out[used] = '\0';
  return out;
}

/* Compares in a time that does not depend on where the texts differ. */
static bool same_signature(const char *a, const char *b) {
  size_t size = strlen(a);
  unsigned difference = 0;
  if (strlen(b) != size)
    return false;
  for (size_t i = 0; i < size; i++)
    difference |= (unsigned char)(a[i] ^ b[i]);
  return difference == 0;
}

/* The hash that the sender says it signed: taken as it is when it stands for no body. */
static const char *stated_hash(const mb_http_request *request, bool presigned) {
  const char *stated = mb_headers_get(&request->headers, "X-Amz-Content-SHA256");
  if (stated && (strcmp(stated, "UNSIGNED-PAYLOAD") == 0 || mb_text_starts(stated, "STREAMING-")))
    return stated;
  return presigned && !stated ? "UNSIGNED-PAYLOAD" : NULL;
}

int mb_sim_check_signature(mb_arena *arena, const mb_http_request *request,
                           const sim_signature *signature, const char *secret, mb_error *error) {
  mb_http_request copy = *request;
  mb_signing_trace trace = {0};
  double time;
  const char *date = signature->presigned ? query_value(arena, request->query, "X-Amz-Date")
                                          : mb_headers_get(&request->headers, "X-Amz-Date");
  const char *query = signature->presigned ? unsigned_query(arena, request->query) : request->query;
  copy.headers = (mb_headers){0};
  if (!query || (signature->presigned && !date) ||
      signed_headers(arena, request, signature->signed_headers, &copy.headers))
    return mb_error_memory(error);
  if (!date || mb_time_parse(date, strlen(date), &time) || !*signature->access_key ||
      !mb_headers_get(&copy.headers, "Host"))
    return 0;
  copy.query = query;
  copy.url = NULL;
  bool s3 = strcmp(signature->service, "s3") == 0;
  mb_signing signing = {.access_key_id = signature->access_key,
                        .secret_access_key = secret,
                        .session_token = mb_headers_get(&copy.headers, "X-Amz-Security-Token"),
                        .region = signature->region,
                        .service = signature->service,
                        .time = (int64_t)time,
                        .double_encode = !s3,
                        .normalize = !s3,
                        .content_sha256 =
                            mb_headers_get(&copy.headers, "X-Amz-Content-SHA256") != NULL,
                        .payload_hash = stated_hash(request, signature->presigned)};
  const char *expires =
      signature->presigned ? query_value(arena, request->query, "X-Amz-Expires") : "60";
  if (!expires || mb_parse_integer(expires, strlen(expires), &signing.expires))
    return expires ? 0 : mb_error_memory(error);
  mb_error problem;
  mb_error_clear(&problem);
  int failed = signature->presigned
                   ? mb_sigv4_presign(arena, &copy, &signing, NULL, &trace, &problem)
                   : mb_sigv4_sign(arena, &copy, &signing, NULL, &trace, &problem);
  if (failed && problem.kind == MB_ERROR_MEMORY)
    return mb_error_memory(error);
  return !failed && same_signature(signature->signature, trace.signature) ? 1 : 0;
}
