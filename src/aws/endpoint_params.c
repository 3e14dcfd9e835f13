/* Where a call goes: the parameters of the endpoint rules, the resolved endpoints that are kept,
 * and the signature they ask for (spec/aws-client.md 2.4). */
#include "aws/client_internal.h"
#include "aws/jmespath/jmespath.h"
#include "base/memory.h"
#include "base/text.h"
#include <string.h>

#define KEPT_TARGETS                                                                               \
  64 /* per service; more are resolved afresh each time (S3 keys are parameters) */

/* ---- services ---- */

/* Whether what follows the host is no port number: http://host:99999, http://host:http. */
static bool has_bad_port(const char *host) {
  size_t size = strcspn(host, "/");
  const char *bracket = memchr(host, ']', size);
  const char *colon = bracket ? bracket + 1 : memchr(host, ':', size);
  int64_t port;
  if (!colon || colon == host + size)
    return false;
  return *colon != ':' ||
         mb_parse_integer(colon + 1, (size_t)(host + size - colon - 1), &port) != 0 || port < 1 ||
         port > 65535;
}

static int check_custom_endpoint(const mb_service_entry *entry, mb_error *error) {
  const char *url = entry->custom_endpoint;
  const char *host = !url                              ? NULL
                     : mb_text_starts(url, "http://")  ? url + 7
                     : mb_text_starts(url, "https://") ? url + 8
                                                       : "";
  if (!url ||
      (*host && *host != '/' && strcspn(url, " \t\r\n@?#") == strlen(url) && !has_bad_port(host)))
    return 0;
  mb_error_set(error, MB_ERROR_USAGE, "BadEndpoint",
               "the endpoint configured for %s, '%s', is not a URL that can be called",
               entry->service.namespace_, url);
  return mb_error_next(error, "write it as http://host:port or https://host");
}

static int fill_entry(mb_aws *aws, mb_service_entry *entry, const mb_model *model,
                      mb_error *error) {
  size_t partitions_size = 0;
  entry->model = model;
  mb_model_service(model, &entry->service);
  entry->arena = mb_arena_new(0);
  if (!entry->arena)
    return mb_error_memory(error);
  const char *url = mb_settings_endpoint(&aws->settings, aws->system, entry->service.service_id);
  if (url && !(entry->custom_endpoint = mb_arena_strdup(entry->arena, url)))
    return mb_error_memory(error);
  if (check_custom_endpoint(entry, error) != 0)
    return -1;
  const char *partitions = mb_model_partitions(&partitions_size);
  const char *rules = entry->service.endpoint_rules;
  entry->ruleset =
      mb_ruleset_new(entry->arena, rules, strlen(rules), partitions, partitions_size, error);
  return entry->ruleset ? 0 : -1;
}

void mb_aws_service_free(mb_service_entry *entry) {
  if (!entry)
    return;
  for (mb_target *target = entry->targets; target; target = target->next)
    mb_signing_key_dispose(target->signing_key);
  mb_signing_key_dispose(&entry->signing_key);
  mb_arena_free(entry->arena);
  mb_free(entry);
}

int mb_aws_service(mb_aws *aws, const mb_model *model, mb_service_entry **out, mb_error *error) {
  for (mb_service_entry *entry = aws->services; entry; entry = entry->next) {
    if (entry->model == model) {
      *out = entry;
      return 0;
    }
  }
  mb_service_entry *entry = mb_alloc_zero(1, sizeof *entry);
  if (!entry)
    return mb_error_memory(error);
  if (fill_entry(aws, entry, model, error) != 0) {
    mb_aws_service_free(entry);
    return -1;
  }
  entry->next = aws->services;
  aws->services = entry;
  *out = entry;
  return 0;
}

/* ---- parameters that come from the call ---- */

static int put_copy(mb_arena *arena, mb_value *map, const char *key, const mb_value *from,
                    mb_error *error) {
  mb_value *value = mb_map_put(arena, map, key);
  return value && mb_value_copy(arena, value, from) == 0 ? 0 : mb_error_memory(error);
}

static int add_members(mb_arena *arena, const mb_aws_request *request, mb_value *context,
                       mb_error *error) {
  const mb_model *model = request->model;
  const mb_shape *shape = request->operation->input == MB_NO_INDEX
                              ? NULL
                              : mb_model_shape(model, request->operation->input);
  const mb_member *members = shape ? mb_model_members(model, shape) : NULL;
  for (uint32_t i = 0; shape && i < shape->member_count; i++) {
    if (!members[i].context_param)
      continue;
    const mb_value *value = mb_map_get(request->input, mb_model_text(model, members[i].snake));
    if (!value)
      value = mb_map_get(request->input, mb_model_text(model, members[i].name));
    if (mb_value_type(value) == MB_TYPE_NULL)
      continue;
    if (put_copy(arena, context, mb_model_text(model, members[i].context_param), value, error))
      return -1;
  }
  return 0;
}

static int add_static(mb_arena *arena, const char *json, mb_value *context, mb_error *error) {
  mb_value *document;
  if (mb_value_from_json(arena, &document, json, strlen(json), error) != 0)
    return -1;
  for (size_t i = 0; i < mb_value_count(document); i++) {
    if (put_copy(arena, context, mb_map_key_at(document, i), mb_map_value_at(document, i), error))
      return -1;
  }
  return 0;
}

static int add_expressions(mb_arena *arena, const char *json, const mb_value *input,
                           mb_value *context, mb_error *error) {
  mb_value *document, found;
  if (mb_value_from_json(arena, &document, json, strlen(json), error) != 0)
    return -1;
  for (size_t i = 0; i < mb_value_count(document); i++) {
    const char *expression = mb_value_string(mb_map_value_at(document, i));
    mb_jmespath *compiled = mb_jmespath_compile(arena, expression, error);
    if (!compiled || mb_jmespath_search(compiled, arena, input, &found, error) != 0)
      return -1;
    if (mb_value_type(&found) != MB_TYPE_NULL &&
        put_copy(arena, context, mb_map_key_at(document, i), &found, error) != 0)
      return -1;
  }
  return 0;
}

/* The most particular source wins: what the operation always says over what the input says. */
static int collect_context(mb_arena *arena, const mb_aws_request *request, mb_value *context,
                           mb_error *error) {
  const char *expressions = mb_model_text(request->model, request->operation->operation_context);
  const char *fixed = mb_model_text(request->model, request->operation->static_context);
  mb_value_set_map(context);
  if (request->input && *expressions &&
      add_expressions(arena, expressions, request->input, context, error) != 0)
    return -1;
  if (request->input && add_members(arena, request, context, error) != 0)
    return -1;
  return *fixed ? add_static(arena, fixed, context, error) : 0;
}

/* ---- parameters that come from the settings ---- */

static int put_boolean(mb_arena *arena, mb_value *params, const char *key, bool boolean,
                       mb_error *error) {
  mb_value *value = mb_map_put(arena, params, key);
  if (!value)
    return mb_error_memory(error);
  mb_value_set_boolean(value, boolean);
  return 0;
}

static int put_text(mb_arena *arena, mb_value *params, const char *key, const char *text,
                    mb_error *error) {
  mb_value *value = mb_map_put(arena, params, key);
  return value && mb_value_set_string(arena, value, text) == 0 ? 0 : mb_error_memory(error);
}

/* Loopback, or a literal address: names below it do not exist. `authority` is host[:port]. */
static bool is_local(const char *authority) {
  size_t size = strcspn(authority, ":");
  if (*authority == '[' || (size == 9 && strncmp(authority, "localhost", 9) == 0))
    return true;
  if (size > 10 && strncmp(authority + size - 10, ".localhost", 10) == 0)
    return true;
  return strspn(authority, "0123456789.") == size;
}

static const char *after_scheme(const char *url) {
  const char *colon = strstr(url, "://");
  return colon ? colon + 3 : url;
}

/* One bucket is a name below the endpoint's host, unless there can be no names below it. */
static bool path_style(const mb_aws *aws, const mb_service_entry *entry) {
  const mb_value *s3 = mb_map_get(aws->settings.values, "s3");
  const char *style = mb_value_string(mb_map_get(s3, "addressing_style"));
  return strcmp(style, "path") == 0 ||
         (entry->custom_endpoint && is_local(after_scheme(entry->custom_endpoint)));
}

static int add_settings(const mb_aws *aws, mb_arena *arena, const mb_service_entry *entry,
                        const char *region, mb_value *params, mb_error *error) {
  const mb_settings *settings = &aws->settings;
  if (put_text(arena, params, "Region", region, error) != 0 ||
      put_boolean(arena, params, "UseFIPS", settings->use_fips, error) != 0 ||
      put_boolean(arena, params, "UseDualStack", settings->use_dualstack, error) != 0)
    return -1;
  if (entry->custom_endpoint &&
      put_text(arena, params, "Endpoint", entry->custom_endpoint, error) != 0)
    return -1;
  if (strcmp(entry->service.namespace_, "sts") == 0)
    return put_boolean(arena, params, "UseGlobalEndpoint",
                       strcmp(settings->sts_regional_endpoints, "legacy") == 0, error);
  if (strcmp(entry->service.namespace_, "s3") == 0)
    return put_boolean(arena, params, "ForcePathStyle", path_style(aws, entry), error);
  return 0;
}

/* ---- from endpoint to target ---- */

/* Takes the first scheme we speak. None listed: sigv4 with the model's own words. */
static int choose_scheme(const mb_endpoint *endpoint, mb_target *target, mb_error *error) {
  const mb_value *schemes = mb_map_get(endpoint->properties, "authSchemes");
  for (size_t i = 0; i < mb_value_count(schemes); i++) {
    const mb_value *scheme = mb_list_at(schemes, i);
    const char *name = mb_value_string(mb_map_get(scheme, "name"));
    if (strcmp(name, "none") == 0) {
      target->unsigned_ = true;
      return 0;
    }
    if (strcmp(name, "sigv4") != 0)
      continue;
    const char *signing_name = mb_value_string(mb_map_get(scheme, "signingName"));
    const char *region = mb_value_string(mb_map_get(scheme, "signingRegion"));
    if (*signing_name)
      target->signing_name = signing_name;
    if (*region)
      target->signing_region = region;
    target->double_encode &= !mb_value_boolean(mb_map_get(scheme, "disableDoubleEncoding"));
    return 0;
  }
  if (mb_value_count(schemes) == 0)
    return 0;
  return mb_error_set(
      error, MB_ERROR_USAGE, "UnsupportedSigning",
      "the endpoint %s wants requests signed with %s, which moonbook does not speak", endpoint->url,
      mb_value_string(mb_map_get(mb_list_at(schemes, 0), "name")));
}

static int split_url(mb_arena *arena, const char *url, mb_target *target, mb_error *error) {
  const char *authority = after_scheme(url);
  size_t authority_size = strcspn(authority, "/");
  const char *path = authority + authority_size;
  size_t path_size = strlen(path);
  while (path_size > 0 && path[path_size - 1] == '/')
    path_size--;
  if (authority == url || authority_size == 0 || strcspn(url, "?#@ ") != strlen(url))
    return mb_error_set(error, MB_ERROR_USAGE, "BadEndpoint",
                        "the endpoint rules gave '%s', which is not a URL that can be called", url);
  target->secure = mb_text_starts(url, "https://");
  target->scheme = mb_arena_strndup(arena, url, (size_t)(authority - url));
  target->authority = mb_arena_strndup(arena, authority, authority_size);
  target->base_path = mb_arena_strndup(arena, path, path_size);
  if (!target->scheme || !target->authority || !target->base_path)
    return mb_error_memory(error);
  target->local = is_local(target->authority);
  return 0;
}

static mb_target *make_target(mb_arena *arena, mb_service_entry *entry, const char *region,
                              const mb_endpoint *endpoint, mb_error *error) {
  mb_target *target = mb_arena_zero(arena, sizeof *target);
  if (!target) {
    mb_error_memory(error);
    return NULL;
  }
  target->signing_name = entry->service.signing_name;
  target->signing_region = strcmp(region, "aws-global") == 0 ? "us-east-1" : region;
  target->double_encode = strcmp(entry->service.namespace_, "s3") != 0;
  target->headers = endpoint->headers;
  target->signing_key = &entry->signing_key;
  if (choose_scheme(endpoint, target, error) != 0 ||
      split_url(arena, endpoint->url, target, error) != 0)
    return NULL;
  return target;
}

static mb_target *resolve(mb_aws *aws, mb_arena *arena, mb_service_entry *entry, const char *region,
                          const mb_value *context, mb_error *error) {
  mb_value params;
  mb_endpoint endpoint = {0};
  mb_value_set_map(&params);
  if (add_settings(aws, arena, entry, region, &params, error) != 0)
    return NULL;
  for (size_t i = 0; i < mb_value_count(context); i++) {
    if (put_copy(arena, &params, mb_map_key_at(context, i), mb_map_value_at(context, i), error))
      return NULL;
  }
  if (mb_ruleset_resolve(entry->ruleset, arena, &params, &endpoint, error) != 0)
    return NULL;
  return make_target(arena, entry, region, &endpoint, error);
}

/* ---- the region ---- */

/* A region ends up in a host name, so only what a host label can hold is let through. */
static bool region_is_sane(const char *region) {
  size_t size = strlen(region);
  return size > 0 && size < 64 && region[0] != '-' &&
         strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
}

static int choose_region(const mb_aws *aws, const mb_service_entry *entry,
                         const mb_aws_request *request, const char **out, mb_error *error) {
  const char *name = entry->service.namespace_;
  const char *region = request->region && *request->region ? request->region : aws->settings.region;
  /* These two have one endpoint for a whole partition, so a region is no condition. */
  if (!region && (strcmp(name, "iam") == 0 || strcmp(name, "sts") == 0))
    region = "aws-global";
  *out = region;
  if (!region) {
    mb_error_set(error, MB_ERROR_USAGE, "NoRegion", "no AWS region is set");
    return mb_error_next(error, "set AWS_REGION, pass --region, or add region = ... to profile %s",
                         aws->settings.profile);
  }
  if (region_is_sane(region))
    return 0;
  mb_error_set(error, MB_ERROR_USAGE, "BadRegion", "'%.80s' cannot be the name of an AWS region",
               region);
  return mb_error_next(error, "regions look like eu-west-1");
}

/* ---- looking up ---- */

static mb_target *find_kept(mb_service_entry *entry, const char *key) {
  for (mb_target *target = entry->targets; target; target = target->next) {
    if (strcmp(target->key, key) == 0)
      return target;
  }
  return NULL;
}

static int make_key(mb_arena *arena, const char *region, const mb_value *context,
                    const char **out) {
  *out = region;
  if (mb_value_count(context) == 0)
    return 0;
  const char *json = mb_value_to_json(arena, context, 0, true);
  *out = json ? mb_arena_printf(arena, "%s %s", region, json) : NULL;
  return *out ? 0 : -1;
}

/* Copies a resolved target out of a call's arena. NULL when memory has run out. */
static mb_target *keep_target(mb_service_entry *entry, const mb_target *from, const char *key) {
  mb_arena *arena = entry->arena;
  mb_target *kept = mb_arena_alloc(arena, sizeof *kept);
  mb_value *headers = from->headers ? mb_value_new(arena) : NULL;
  if (!kept || (from->headers && (!headers || mb_value_copy(arena, headers, from->headers) != 0)))
    return NULL;
  *kept = *from;
  kept->headers = headers;
  kept->key = mb_arena_strdup(arena, key);
  kept->scheme = mb_arena_strdup(arena, from->scheme);
  kept->authority = mb_arena_strdup(arena, from->authority);
  kept->base_path = mb_arena_strdup(arena, from->base_path);
  kept->signing_name = mb_arena_strdup(arena, from->signing_name);
  kept->signing_region = mb_arena_strdup(arena, from->signing_region);
  kept->signing_key = mb_arena_zero(arena, sizeof *kept->signing_key);
  if (!kept->key || !kept->scheme || !kept->authority || !kept->base_path || !kept->signing_name ||
      !kept->signing_region || !kept->signing_key)
    return NULL;
  kept->next = entry->targets;
  entry->targets = kept;
  entry->target_count++;
  return kept;
}

int mb_aws_target(mb_aws *aws, mb_arena *arena, mb_service_entry *entry,
                  const mb_aws_request *request, mb_target **out, mb_error *error) {
  const char *region, *key;
  mb_value context;
  if (choose_region(aws, entry, request, &region, error) != 0 ||
      collect_context(arena, request, &context, error) != 0)
    return -1;
  if (make_key(arena, region, &context, &key) != 0)
    return mb_error_memory(error);
  *out = find_kept(entry, key);
  if (*out)
    return 0;
  mb_target *target = resolve(aws, arena, entry, region, &context, error);
  if (!target)
    return -1;
  *out = entry->target_count < KEPT_TARGETS ? keep_target(entry, target, key) : target;
  return *out ? 0 : mb_error_memory(error);
}
