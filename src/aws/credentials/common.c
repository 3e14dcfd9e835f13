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

static int set_expiration(const mb_document *document, const char *from, mb_credentials *out,
                          mb_error *error) {
  const char *text = mb_document_text(document, "Expiration");
  if (!*text || mb_time_parse(text, strlen(text), &out->expires) == 0)
    return 0;
  return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials",
                      "%s gave the expiration '%.60s', which is not a time", from, text);
}

int mb_credentials_from_document(const mb_document *document, const char *token_key,
                                 const char *from, mb_credentials *out, mb_error *error) {
  static const char *const needed[] = {"AccessKeyId", "SecretAccessKey"};
  for (size_t i = 0; i < 2; i++) {
    if (*mb_document_text(document, needed[i]))
      continue;
    const char *message = mb_document_text(document, "Message");
    return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials", "%s gave no %s%s%.200s", from,
                        needed[i], *message ? ", but said: " : "", message);
  }
  if (MB_CREDENTIALS_SET(out->access_key_id, mb_document_text(document, "AccessKeyId"),
                         "AccessKeyId", from, error) != 0 ||
      MB_CREDENTIALS_SET(out->secret_access_key, mb_document_text(document, "SecretAccessKey"),
                         "SecretAccessKey", from, error) != 0 ||
      MB_CREDENTIALS_SET(out->session_token, mb_document_text(document, token_key), token_key, from,
                         error) != 0 ||
      MB_CREDENTIALS_SET(out->account_id, mb_document_text(document, "AccountId"), "AccountId",
                         from, error) != 0)
    return -1;
  return set_expiration(document, from, out, error);
}

int mb_credentials_read_document(mb_document **out, char *text, size_t size, const char *from,
                                 mb_error *error) {
  mb_error problem;
  int status = mb_document_read(out, text, size, &problem);
  mb_wipe(text, size);
  if (status == 0)
    return 0;
  if (problem.kind == MB_ERROR_MEMORY)
    return mb_error_memory(error);
  return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials", "%s gave %s (%zu bytes)", from,
                      problem.message, size);
}
