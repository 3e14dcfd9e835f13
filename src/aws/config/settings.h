/* What the environment, the shared files and the embedder say about calling AWS, each setting with
 * the precedence explicit, environment, profile, default (spec/aws-client.md 2.3). */
#ifndef MB_AWS_CONFIG_SETTINGS_H
#define MB_AWS_CONFIG_SETTINGS_H

#include "base/system.h"
#include "base/value.h"

typedef struct mb_settings_options {
  const char *profile, *region, *endpoint_url; /* explicit ones, or NULL */
} mb_settings_options;

typedef struct mb_settings {
  mb_arena *arena;               /* owns everything below */
  mb_value profiles;             /* of mb_profiles_parse: both files merged */
  mb_value credentials_profiles; /* the same of the credentials file alone */
  const char *config_path, *credentials_path;
  const char *profile;      /* the name in force, "default" at least */
  bool profile_explicit;    /* chosen by the embedder or a flag */
  const mb_value *values;   /* the profile's own map, or NULL when there is none */
  const char *region;       /* or NULL */
  const char *endpoint_url; /* explicit one, or NULL */
  const char *ca_bundle;    /* or NULL */
  const char *app_id;
  bool use_fips, use_dualstack, disable_host_prefix;
  bool ignore_endpoint_urls;
  int max_attempts; /* 0: the mode's default */
  bool disable_compression;
  size_t compress_minimum; /* request bodies below this size are never compressed */
  const char *sts_regional_endpoints;
} mb_settings;

/* Reads environment and files. The files are read once, here. */
int mb_settings_load(mb_settings *out, const mb_system *system, const mb_settings_options *options,
                     mb_error *error);
void mb_settings_dispose(mb_settings *settings);

/* The endpoint configured for a service (by serviceId), or NULL for AWS's own: explicit,
 * AWS_ENDPOINT_URL_<ID>, AWS_ENDPOINT_URL, the profile's services section, the profile. */
const char *mb_settings_endpoint(const mb_settings *settings, const mb_system *system,
                                 const char *service_id);
/* A profile's map, or NULL when there is no such profile. */
const mb_value *mb_settings_profile(const mb_settings *settings, const char *profile);
/* A text property of a profile, or NULL when it is absent or empty. */
const char *mb_settings_get(const mb_settings *settings, const char *profile, const char *key);

#endif
