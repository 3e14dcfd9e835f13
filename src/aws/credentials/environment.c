/* Credentials in environment variables. */
#include "aws/credentials/provider.h"
#include "base/text.h"
#include <string.h>

static int claims(const mb_provider_context *context, const char *profile, char *why,
                  size_t why_size, mb_error *error) {
  if (context->settings->profile_explicit) {
    mb_text_copy(why, why_size, "left out, because a profile was chosen explicitly");
    return 0;
  }
  if (mb_getenv(context->system, "AWS_ACCESS_KEY_ID"))
    return 1;
  mb_text_copy(why, why_size, "AWS_ACCESS_KEY_ID is not set");
  return 0;
}

static int fill(const mb_system *system, const char *key_id, const char *secret,
                mb_credentials *out, mb_error *error) {
  static const char from[] = "the environment";
  const char *token = mb_getenv(system, "AWS_SESSION_TOKEN");
  const char *account = mb_getenv(system, "AWS_ACCOUNT_ID");
  if (!token)
    token = mb_getenv(system, "AWS_SECURITY_TOKEN"); /* the name it had long ago */
  if (MB_CREDENTIALS_SET(out->access_key_id, key_id, "AWS_ACCESS_KEY_ID", from, error) != 0 ||
      MB_CREDENTIALS_SET(out->secret_access_key, secret, "AWS_SECRET_ACCESS_KEY", from, error) !=
          0 ||
      MB_CREDENTIALS_SET(out->session_token, token ? token : "", "AWS_SESSION_TOKEN", from,
                         error) != 0)
    return -1;
  return MB_CREDENTIALS_SET(out->account_id, account ? account : "", "AWS_ACCOUNT_ID", from, error);
}

static int fetch(mb_fetch *fetch, mb_credentials *out, mb_error *error) {
  const mb_system *system = fetch->context->system;
  const char *key_id = mb_getenv(system, "AWS_ACCESS_KEY_ID");
  const char *secret = mb_getenv(system, "AWS_SECRET_ACCESS_KEY");
  const char *expires = mb_getenv(system, "AWS_CREDENTIAL_EXPIRATION");
  if (!key_id || !secret) {
    const char *missing = key_id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID";
    mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials", "%s is not set%s", missing,
                 key_id ? ", though AWS_ACCESS_KEY_ID is" : "");
    return mb_error_next(error, "set %s", missing);
  }
  if (expires && mb_time_parse(expires, strlen(expires), &out->expires) != 0)
    return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials",
                        "AWS_CREDENTIAL_EXPIRATION is '%.60s', which is not a time", expires);
  mb_text_copy(out->source, sizeof out->source, "environment variables");
  return fill(system, key_id, secret, out, error);
}

const mb_provider mb_provider_environment = {
    .name = "environment variables", .claims = claims, .fetch = fetch};
