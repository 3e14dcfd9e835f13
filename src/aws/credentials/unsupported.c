/* Ways to get credentials that moonbook knows of and does not take yet. A profile that asks for one
 * is refused by name: silently going on to the next provider would act as somebody else. */
#include "aws/credentials/provider.h"
#include "base/text.h"
#include <stdio.h>

static int refuse(const char *what, const char *profile, mb_error *error) {
  mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials",
               "profile %s gets its credentials by %s, which is not supported yet", profile, what);
  return mb_error_next(error,
                       "get keys another way, for example with 'aws configure "
                       "export-credentials --profile %s --format env'",
                       profile);
}

static int fetch_nothing(mb_fetch *fetch, mb_credentials *out, mb_error *error) {
  return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials",
                      "this way to get credentials is not supported yet");
}

/* The first of `keys` that the profile has, or NULL. */
static const char *find_key(const mb_settings *settings, const char *profile,
                            const char *const *keys) {
  for (; *keys; keys++) {
    if (mb_settings_get(settings, profile, *keys))
      return *keys;
  }
  return NULL;
}

static int claims_web_identity(const mb_provider_context *context, const char *profile, char *why,
                               size_t why_size, mb_error *error) {
  const mb_settings *settings = context->settings;
  if (mb_settings_get(settings, profile, "web_identity_token_file"))
    return refuse("a web identity token (web_identity_token_file)", profile, error);
  /* The variables speak for the whole process, not for a profile that a role starts from. */
  bool asked_for_itself = profile == settings->profile && !settings->profile_explicit;
  if (asked_for_itself && mb_getenv(context->system, "AWS_WEB_IDENTITY_TOKEN_FILE")) {
    mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials",
                 "AWS_WEB_IDENTITY_TOKEN_FILE asks for credentials by a web identity token, which "
                 "is not supported yet");
    return mb_error_next(error, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or choose a "
                                "profile that has keys");
  }
  snprintf(why, why_size, "profile %s has no web_identity_token_file", profile);
  return 0;
}

static int claims_sso(const mb_provider_context *context, const char *profile, char *why,
                      size_t why_size, mb_error *error) {
  static const char *const keys[] = {"sso_session", "sso_start_url", "sso_account_id",
                                     "sso_role_name", NULL};
  if (find_key(context->settings, profile, keys))
    return refuse("single sign-on (sso_session or sso_start_url)", profile, error);
  snprintf(why, why_size, "profile %s has no sso_session", profile);
  return 0;
}

static int claims_login(const mb_provider_context *context, const char *profile, char *why,
                        size_t why_size, mb_error *error) {
  if (mb_settings_get(context->settings, profile, "login_session"))
    return refuse("'aws login' (login_session)", profile, error);
  snprintf(why, why_size, "profile %s has no login_session", profile);
  return 0;
}

static int claims_instance(const mb_provider_context *context, const char *profile, char *why,
                           size_t why_size, mb_error *error) {
  mb_text_copy(why, why_size, "not asked: not supported yet");
  return 0;
}

const mb_provider mb_provider_web_identity = {
    .name = "web identity", .claims = claims_web_identity, .fetch = fetch_nothing};
const mb_provider mb_provider_sso = {
    .name = "single sign-on", .claims = claims_sso, .fetch = fetch_nothing};
const mb_provider mb_provider_login = {
    .name = "aws login", .claims = claims_login, .fetch = fetch_nothing};
const mb_provider mb_provider_instance = {
    .name = "EC2 instance metadata", .claims = claims_instance, .fetch = fetch_nothing};
