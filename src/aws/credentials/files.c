/* Static keys in a profile: of the shared credentials file, and of the config file. Two providers,
 * because a credential_process comes between them. */
#include "aws/credentials/provider.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

/* One of the two keys is enough to claim: half a pair is a mistake to tell, not to walk past. */
static bool has_either_key(const mb_value *profile) {
  return *mb_value_string(mb_map_get(profile, "aws_access_key_id")) ||
         *mb_value_string(mb_map_get(profile, "aws_secret_access_key"));
}

static int claims(const mb_value *profile, const char *name, const char *path, char *why,
                  size_t why_size) {
  if (has_either_key(profile))
    return 1;
  if (!path)
    mb_text_copy(why, why_size, "there is no home folder to look in");
  else if (!profile)
    snprintf(why, why_size, "%s has no profile %s", path, name);
  else
    snprintf(why, why_size, "profile %s has no keys in %s", name, path);
  return 0;
}

static int claims_credentials(const mb_provider_context *context, const char *profile, char *why,
                              size_t why_size, mb_error *error) {
  const mb_settings *settings = context->settings;
  const mb_value *profiles = mb_map_get(&settings->credentials_profiles, "profiles");
  return claims(mb_map_get(profiles, profile), profile, settings->credentials_path, why, why_size);
}

static int claims_config(const mb_provider_context *context, const char *profile, char *why,
                         size_t why_size, mb_error *error) {
  const mb_settings *settings = context->settings;
  return claims(mb_settings_profile(settings, profile), profile, settings->config_path, why,
                why_size);
}

static int fetch_from(mb_fetch *fetch, const char *path, mb_credentials *out, mb_error *error) {
  const mb_settings *settings = fetch->context->settings;
  const char *profile = fetch->profile;
  const char *key_id = mb_settings_get(settings, profile, "aws_access_key_id");
  const char *secret = mb_settings_get(settings, profile, "aws_secret_access_key");
  const char *token = mb_settings_get(settings, profile, "aws_session_token");
  const char *account = mb_settings_get(settings, profile, "aws_account_id");
  if (!key_id || !secret) {
    mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials", "profile %s in %s has no %s",
                 profile, path, key_id ? "aws_secret_access_key" : "aws_access_key_id");
    return mb_error_next(error, "add the missing line to the profile");
  }
  snprintf(out->source, sizeof out->source, "profile %s (%s)", profile, path);
  if (MB_CREDENTIALS_SET(out->access_key_id, key_id, "aws_access_key_id", path, error) != 0 ||
      MB_CREDENTIALS_SET(out->secret_access_key, secret, "aws_secret_access_key", path, error) !=
          0 ||
      MB_CREDENTIALS_SET(out->session_token, token ? token : "", "aws_session_token", path,
                         error) != 0)
    return -1;
  return MB_CREDENTIALS_SET(out->account_id, account ? account : "", "aws_account_id", path, error);
}

static int fetch_credentials(mb_fetch *fetch, mb_credentials *out, mb_error *error) {
  return fetch_from(fetch, fetch->context->settings->credentials_path, out, error);
}

static int fetch_config(mb_fetch *fetch, mb_credentials *out, mb_error *error) {
  return fetch_from(fetch, fetch->context->settings->config_path, out, error);
}

const mb_provider mb_provider_credentials_file = {
    .name = "shared credentials file", .claims = claims_credentials, .fetch = fetch_credentials};
const mb_provider mb_provider_config_file = {
    .name = "keys in the config file", .claims = claims_config, .fetch = fetch_config};
