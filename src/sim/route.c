/* Whose request is it? By target, by the scope of the signature, by the action and version of a
 * form, by the host's name. */
#include "sim/route.h"
#include <string.h>

static const char *header(const mb_http_request *request, const char *name) {
  const char *value = mb_headers_get(&request->headers, name);
  return value ? value : "";
}

static const sim_service *by_target(const mb_sim *sim, const char *target) {
  const char *dot = strrchr(target, '.');
  size_t size = dot ? (size_t)(dot - target) : 0;
  for (size_t i = 0; dot && i < sim->service_count; i++) {
    const char *prefix = sim->services[i].about.target_prefix;
    if (strlen(prefix) == size && memcmp(prefix, target, size) == 0)
      return &sim->services[i];
  }
  return NULL;
}

static const mb_operation *operation_of(const sim_service *service, const mb_http_request *request,
                                        mb_protocol protocol) {
  mb_codec codec = {.model = service->model, .protocol = protocol};
  return mb_codec_route(&codec, request);
}

/* Several models may share a signing name: the one that has the operation is meant. */
static const sim_service *by_scope(const mb_sim *sim, const char *name,
                                   const mb_http_request *request) {
  const sim_service *found = NULL;
  for (size_t i = 0; *name && i < sim->service_count; i++) {
    const sim_service *service = &sim->services[i];
    if (strcmp(service->about.signing_name, name) != 0)
      continue;
    if (operation_of(service, request, mb_sim_protocol(service, request)))
      return service;
    found = found ? found : service;
  }
  return found;
}

bool mb_sim_is_form(const mb_http_request *request) {
  return mb_text_starts(header(request, "Content-Type"), "application/x-www-form-urlencoded");
}

mb_protocol mb_sim_protocol(const sim_service *service, const mb_http_request *request) {
  bool query = service->about.query_mode && !*header(request, "X-Amz-Target");
  return query ? MB_PROTOCOL_QUERY : service->about.protocol;
}

/* Finds "Version=..." in a form. */
static bool has_version(const char *form, size_t size, const char *version) {
  size_t length = strlen(version);
  for (const char *end = form + size; form < end;) {
    const char *stop = memchr(form, '&', (size_t)(end - form));
    stop = stop ? stop : end;
    if ((size_t)(stop - form) == length + 8 && memcmp(form, "Version=", 8) == 0)
      return memcmp(form + 8, version, length) == 0;
    form = stop + (stop < end);
  }
  return false;
}

static const sim_service *by_form(const mb_sim *sim, const mb_http_request *request) {
  bool body = request->body_size > 0;
  const char *form = body ? request->body : request->query;
  size_t size = body ? request->body_size : strlen(form);
  for (size_t i = 0; i < sim->service_count; i++) {
    const sim_service *service = &sim->services[i];
    mb_protocol protocol = service->about.query_mode ? MB_PROTOCOL_QUERY : service->about.protocol;
    bool speaks = protocol == MB_PROTOCOL_QUERY || protocol == MB_PROTOCOL_EC2;
    if (speaks && has_version(form, size, service->about.api_version) &&
        operation_of(service, request, protocol))
      return service;
  }
  return NULL;
}

/* "ecs.eu-west-1.amazonaws.com": the labels before the region are the endpoint's prefix. */
static const sim_service *by_host(const mb_sim *sim, const char *host) {
  if (!strstr(host, ".amazonaws.com"))
    return NULL;
  for (size_t i = 0; i < sim->service_count; i++) {
    const char *prefix = sim->services[i].about.endpoint_prefix;
    size_t size = strlen(prefix);
    const char *region = host + size + 1;
    if (size && mb_text_starts(host, prefix) && host[size] == '.' &&
        (mb_text_starts(region, "amazonaws.com") ||
         strncmp(region + strcspn(region, "."), ".amazonaws.com", 14) == 0))
      return &sim->services[i];
  }
  return NULL;
}

const sim_service *mb_sim_find_service(const mb_sim *sim, const mb_http_request *request,
                                       const sim_signature *signature) {
  const char *target = header(request, "X-Amz-Target");
  const sim_service *found = *target ? by_target(sim, target) : NULL;
  if (!found && signature->present)
    found = by_scope(sim, signature->service, request);
  if (!found && !*target && (mb_sim_is_form(request) || strstr(request->query, "Action=")))
    found = by_form(sim, request);
  return found ? found : by_host(sim, header(request, "Host"));
}
