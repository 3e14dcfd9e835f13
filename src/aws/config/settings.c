/* Reading the settings: which files, which profile, and who wins when several places speak. */
#include "aws/config/settings.h"
#include "aws/config/profile.h"
#include "base/memory.h"
#include "base/text.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FILE_LIMIT ((size_t)4 << 20)

#define MAX_ATTEMPTS_MOST     100
#define COMPRESS_MINIMUM      10240
#define COMPRESS_MINIMUM_MOST 1048576

/* One loading of settings, so that the steps below need not pass five things around. */
typedef struct loader {
  mb_settings *settings;
  const mb_system *system;
  mb_arena *arena;
  mb_error *error;
} loader;

/* ---- the files ---- */

/* The path a variable names, else `fallback` below the home folder. "~/" at the start means home.
 * NULL with no error when there is no home to look in. */
static int find_path(loader *load, const char *variable, const char *fallback, const char **out) {
  const char *path = mb_getenv(load->system, variable);
  const char *home = mb_getenv(load->system, "HOME");
  *out = NULL;
  if (path && !mb_text_starts(path, "~/"))
    *out = mb_arena_strdup(load->arena, path);
  else if (home)
    *out = mb_arena_printf(load->arena, "%s/%s", home, path ? path + 2 : fallback);
  else
    return 0;
  return *out ? 0 : mb_error_memory(load->error);
}

/* A file that is not there is no error: its text is NULL. */
static int read_optional(loader *load, const char *path, char **text, size_t *size) {
  mb_error problem;
  *text = NULL;
  *size = 0;
  if (!path || mb_read_file(load->system, load->arena, path, FILE_LIMIT, text, size, &problem) == 0)
    return 0;
  *text = NULL;
  *size = 0;
  if (problem.kind == MB_ERROR_NOT_FOUND)
    return 0;
  if (load->error)
    *load->error = problem;
  return -1;
}

static int load_files(loader *load) {
  mb_settings *settings = load->settings;
  char *config, *credentials;
  size_t config_size, credentials_size;
  if (find_path(load, "AWS_CONFIG_FILE", ".aws/config", &settings->config_path) != 0 ||
      find_path(load, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials",
                &settings->credentials_path) != 0 ||
      read_optional(load, settings->config_path, &config, &config_size) != 0 ||
      read_optional(load, settings->credentials_path, &credentials, &credentials_size) != 0)
    return -1;
  if (mb_profiles_parse(load->arena, config, config_size, settings->config_path, credentials,
                        credentials_size, settings->credentials_path, &settings->profiles,
                        load->error) != 0)
    return -1;
  /* Keys in the credentials file come before a credential_process, keys in the config file after:
   * so it has to be known where they stand. */
  return mb_profiles_parse(load->arena, NULL, 0, NULL, credentials, credentials_size,
                           settings->credentials_path, &settings->credentials_profiles,
                           load->error);
}

/* ---- the profile ---- */

const mb_value *mb_settings_profile(const mb_settings *settings, const char *profile) {
  return profile ? mb_map_get(mb_map_get(&settings->profiles, "profiles"), profile) : NULL;
}

const char *mb_settings_get(const mb_settings *settings, const char *profile, const char *key) {
  const mb_value *value = mb_map_get(mb_settings_profile(settings, profile), key);
  if (mb_value_type(value) != MB_TYPE_STRING || !*mb_value_string(value))
    return NULL;
  return mb_value_string(value);
}

static int refuse_unknown_profile(loader *load, const char *name, const char *chosen_by) {
  const mb_settings *settings = load->settings;
  const mb_value *profiles = mb_map_get(&settings->profiles, "profiles");
  const char *nearest = NULL;
  size_t distance = SIZE_MAX;
  for (size_t i = 0; i < mb_value_count(profiles); i++)
    mb_text_nearer(name, mb_map_key_at(profiles, i), &nearest, &distance);
  mb_error_set(load->error, MB_ERROR_USAGE, "UnknownProfile",
               "there is no AWS profile '%s' (chosen by %s) in %s or %s", name, chosen_by,
               settings->config_path ? settings->config_path : "the config file",
               settings->credentials_path ? settings->credentials_path : "the credentials file");
  if (nearest)
    return mb_error_next(load->error, "did you mean '%s'?", nearest);
  return mb_error_next(load->error, "add the profile to the file, or choose another");
}

static int choose_profile(loader *load, const mb_settings_options *options) {
  mb_settings *settings = load->settings;
  const char *chosen_by = NULL, *name = NULL;
  if (options && options->profile && *options->profile) {
    name = options->profile;
    chosen_by = "--profile";
    settings->profile_explicit = true;
  } else if ((name = mb_getenv(load->system, "AWS_PROFILE"))) {
    chosen_by = "AWS_PROFILE";
  } else if ((name = mb_getenv(load->system, "AWS_DEFAULT_PROFILE"))) {
    chosen_by = "AWS_DEFAULT_PROFILE";
  }
  settings->profile = mb_arena_strdup(load->arena, name ? name : "default");
  if (!settings->profile)
    return mb_error_memory(load->error);
  settings->values = mb_settings_profile(settings, settings->profile);
  if (!settings->values && name && strcmp(name, "default") != 0)
    return refuse_unknown_profile(load, name, chosen_by);
  return 0;
}

/* ---- single settings ---- */

/* Environment, then profile: the raw text and where it came from; NULL when neither has it. */
static const char *find_text(const loader *load, const char *variable, const char *key,
                             const char **from) {
  const char *text = mb_getenv(load->system, variable);
  *from = variable;
  if (text)
    return text;
  *from = key;
  return key ? mb_settings_get(load->settings, load->settings->profile, key) : NULL;
}

static int take_text(loader *load, const char *explicit, const char *variable, const char *key,
                     const char **out) {
  const char *from;
  const char *text = explicit && *explicit ? explicit : find_text(load, variable, key, &from);
  *out = text ? mb_arena_strdup(load->arena, text) : NULL;
  return text && !*out ? mb_error_memory(load->error) : 0;
}

static int take_boolean(loader *load, const char *variable, const char *key, bool *out) {
  const char *from;
  const char *text = find_text(load, variable, key, &from);
  *out = false;
  if (!text || mb_text_equal_ci(text, "false"))
    return 0;
  if (!mb_text_equal_ci(text, "true")) {
    mb_error_set(load->error, MB_ERROR_USAGE, "BadSetting",
                 "%s is '%s' (profile %s), which is neither true nor false", from, text,
                 load->settings->profile);
    return mb_error_next(load->error, "set it to true or false, or remove it");
  }
  *out = true;
  return 0;
}

/* Leaves `*out`, the default, when the number is not set. `advice` says what to set it to. */
static int take_number(loader *load, const char *variable, const char *key, int64_t most,
                       const char *advice, int64_t *out) {
  const char *from;
  const char *text = find_text(load, variable, key, &from);
  int64_t number;
  if (!text)
    return 0;
  if (mb_parse_integer(text, strlen(text), &number) != 0 || number < 1 || number > most) {
    mb_error_set(load->error, MB_ERROR_USAGE, "BadSetting",
                 "%s is '%s' (profile %s), which is not a whole number from 1 to %" PRId64, from,
                 text, load->settings->profile, most);
    return mb_error_next(load->error, "set it to %s", advice);
  }
  *out = number;
  return 0;
}

static int take_max_attempts(loader *load) {
  int64_t number = 0;
  if (take_number(load, "AWS_MAX_ATTEMPTS", "max_attempts", MAX_ATTEMPTS_MOST,
                  "the attempts wanted in all, for example 3", &number) != 0)
    return -1;
  load->settings->max_attempts = (int)number;
  return 0;
}

static int take_compression(loader *load) {
  mb_settings *settings = load->settings;
  int64_t minimum = COMPRESS_MINIMUM;
  if (take_boolean(load, "AWS_DISABLE_REQUEST_COMPRESSION", "disable_request_compression",
                   &settings->disable_compression) != 0 ||
      take_number(load, "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
                  "request_min_compression_size_bytes", COMPRESS_MINIMUM_MOST,
                  "the size in bytes from which request bodies are compressed, for example 10240",
                  &minimum) != 0)
    return -1;
  settings->compress_minimum = (size_t)minimum;
  return 0;
}

static int take_region(loader *load, const mb_settings_options *options) {
  mb_settings *settings = load->settings;
  const char *explicit = options ? options->region : NULL;
  if (take_text(load, explicit, "AWS_REGION", NULL, &settings->region) != 0)
    return -1;
  if (settings->region)
    return 0;
  return take_text(load, NULL, "AWS_DEFAULT_REGION", "region", &settings->region);
}

/* A profile that names a services section must find it: a misspelt name would otherwise send the
 * calls to the wrong place without a word. */
static int check_services_section(loader *load) {
  const mb_settings *settings = load->settings;
  const char *name = mb_settings_get(settings, settings->profile, "services");
  if (!name || mb_map_get(mb_map_get(&settings->profiles, "services"), name))
    return 0;
  mb_error_set(load->error, MB_ERROR_USAGE, "UnknownServicesSection",
               "profile %s says services = %s, but %s has no section [services %s]",
               settings->profile, name,
               settings->config_path ? settings->config_path : "the config file", name);
  return mb_error_next(load->error, "add the section, or remove the line from the profile");
}

static int take_settings(loader *load, const mb_settings_options *options) {
  mb_settings *settings = load->settings;
  if (take_region(load, options) != 0 ||
      take_text(load, NULL, "AWS_CA_BUNDLE", "ca_bundle", &settings->ca_bundle) != 0 ||
      take_text(load, NULL, "AWS_SDK_UA_APP_ID", "sdk_ua_app_id", &settings->app_id) != 0 ||
      take_text(load, NULL, "AWS_STS_REGIONAL_ENDPOINTS", "sts_regional_endpoints",
                &settings->sts_regional_endpoints) != 0 ||
      take_boolean(load, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint", &settings->use_fips) != 0 ||
      take_boolean(load, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint",
                   &settings->use_dualstack) != 0 ||
      take_boolean(load, "AWS_DISABLE_HOST_PREFIX_INJECTION", "disable_host_prefix_injection",
                   &settings->disable_host_prefix) != 0 ||
      take_boolean(load, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls",
                   &settings->ignore_endpoint_urls) != 0 ||
      take_max_attempts(load) != 0 || take_compression(load) != 0)
    return -1;
  if (!settings->sts_regional_endpoints)
    settings->sts_regional_endpoints = "regional";
  if (options && options->endpoint_url && *options->endpoint_url) {
    settings->endpoint_url = mb_arena_strdup(load->arena, options->endpoint_url);
    if (!settings->endpoint_url)
      return mb_error_memory(load->error);
  }
  return check_services_section(load);
}

int mb_settings_load(mb_settings *out, const mb_system *system, const mb_settings_options *options,
                     mb_error *error) {
  memset(out, 0, sizeof *out);
  out->arena = mb_arena_new(0);
  if (!out->arena)
    return mb_error_memory(error);
  loader load = {.settings = out, .system = system, .arena = out->arena, .error = error};
  if (load_files(&load) == 0 && choose_profile(&load, options) == 0 &&
      take_settings(&load, options) == 0)
    return 0;
  mb_settings_dispose(out);
  return -1;
}

void mb_settings_dispose(mb_settings *settings) {
  mb_arena_free(settings->arena);
  memset(settings, 0, sizeof *settings);
}

/* ---- endpoints ---- */

/* "Elastic Load Balancing v2" to "ELASTIC_LOAD_BALANCING_V2", or in lower case. */
static bool spell_service(char *out, size_t out_size, const char *service_id, bool upper) {
  size_t size = strlen(service_id);
  if (size >= out_size)
    return false;
  for (size_t i = 0; i < size; i++) {
    char c = service_id[i];
    if (c == ' ' || c == '-')
      c = '_';
    else if (upper && c >= 'a' && c <= 'z')
      c = (char)(c - 'a' + 'A');
    else if (!upper && c >= 'A' && c <= 'Z')
      c = (char)(c - 'A' + 'a');
    out[i] = c;
  }
  out[size] = '\0';
  return true;
}

static const char *endpoint_of_section(const mb_settings *settings, const char *service_id) {
  char name[128];
  const char *section = mb_settings_get(settings, settings->profile, "services");
  if (!section || !spell_service(name, sizeof name, service_id, false))
    return NULL;
  const mb_value *services = mb_map_get(mb_map_get(&settings->profiles, "services"), section);
  const char *url = mb_value_string(mb_map_get(mb_map_get(services, name), "endpoint_url"));
  return *url ? url : NULL;
}

const char *mb_settings_endpoint(const mb_settings *settings, const mb_system *system,
                                 const char *service_id) {
  char name[128], variable[160];
  const char *url;
  if (settings->endpoint_url || settings->ignore_endpoint_urls)
    return settings->endpoint_url;
  if (spell_service(name, sizeof name, service_id, true)) {
    snprintf(variable, sizeof variable, "AWS_ENDPOINT_URL_%s", name);
    if ((url = mb_getenv(system, variable)))
      return url;
  }
  if ((url = mb_getenv(system, "AWS_ENDPOINT_URL")))
    return url;
  if ((url = endpoint_of_section(settings, service_id)))
    return url;
  return mb_settings_get(settings, settings->profile, "endpoint_url");
}
