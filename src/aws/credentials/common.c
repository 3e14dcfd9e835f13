/* Filling and wiping credentials. */
#include "aws/credentials/provider.h"
#include "base/digest.h"
#include "base/text.h"
#include <string.h>

void mb_credentials_wipe(mb_credentials *credentials) {
  mb_wipe(credentials, sizeof *credentials);
}

int mb_credentials_set(char *out, size_t out_size, const char *text, const char *name,
                       const char *from, mb_error *error) {
  size_t size = strlen(text);
  if (size < out_size) {
    memcpy(out, text, size + 1);
    return 0;
  }
  return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials",
                      "%s of %s is %zu bytes long, and at most %zu can be right", name, from, size,
                      out_size - 1);
}

/* A member's text; "" when it is null or absent. */
static const char *text_of(const mb_value *document, const char *key) {
  return mb_value_string(mb_map_get(document, key));
}

static void wipe_text(const mb_value *document, const char *key) {
  size_t size = 0;
  const char *text = mb_value_bytes(mb_map_get(document, key), &size);
  if (size > 0)
    mb_wipe((void *)(uintptr_t)text, size);
}

static int set_expiration(const mb_value *document, const char *from, mb_credentials *out,
                          mb_error *error) {
  const char *text = text_of(document, "Expiration");
  if (!*text || mb_time_parse(text, strlen(text), &out->expires) == 0)
    return 0;
  return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials",
                      "%s gave the expiration '%.60s', which is not a time", from, text);
}

static int fill_from_document(const mb_value *document, const char *token_key, const char *from,
                              mb_credentials *out, mb_error *error) {
  static const char *const needed[] = {"AccessKeyId", "SecretAccessKey"};
  if (mb_value_type(document) != MB_TYPE_MAP)
    return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials",
                        "%s gave JSON that is not an object", from);
  for (size_t i = 0; i < 2; i++) {
    if (*text_of(document, needed[i]))
      continue;
    const char *message = text_of(document, "Message");
    return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials", "%s gave no %s%s%.200s", from,
                        needed[i], *message ? ", but said: " : "", message);
  }
  if (MB_CREDENTIALS_SET(out->access_key_id, text_of(document, "AccessKeyId"), "AccessKeyId", from,
                         error) != 0 ||
      MB_CREDENTIALS_SET(out->secret_access_key, text_of(document, "SecretAccessKey"),
                         "SecretAccessKey", from, error) != 0 ||
      MB_CREDENTIALS_SET(out->session_token, text_of(document, token_key), token_key, from,
                         error) != 0 ||
      MB_CREDENTIALS_SET(out->account_id, text_of(document, "AccountId"), "AccountId", from,
                         error) != 0)
    return -1;
  return set_expiration(document, from, out, error);
}

int mb_credentials_from_json(mb_arena *arena, char *text, size_t size, const char *token_key,
                             const char *from, mb_credentials *out, mb_error *error) {
  mb_value *document = NULL;
  mb_error problem;
  int status;
  if (mb_value_from_json(arena, &document, text, size, &problem) != 0) {
    mb_wipe(text, size);
    if (problem.kind == MB_ERROR_MEMORY)
      return mb_error_memory(error);
    return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials",
                        "%s gave an answer that is not JSON (%zu bytes)", from, size);
  }
  status = fill_from_document(document, token_key, from, out, error);
  wipe_text(document, "SecretAccessKey");
  wipe_text(document, token_key);
  mb_wipe(text, size);
  return status;
}
