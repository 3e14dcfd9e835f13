/* Names of namespaces and primitives, in order, and what to say about a name that is unknown. */
#include "base/memory.h"
#include "base/text.h"
#include "call/declare.h"
#include "call/registry.h"
#include <stdlib.h>
#include <string.h>

#define MAXIMUM_NAME 63 /* bytes of a namespace's name */

const char *mb_name_quote(char *out, size_t out_size, const char *name) {
  mb_buffer buffer = MB_BUFFER_INIT(4096);
  size_t size = strlen(name);
  mb_text_add_printable(&buffer, name, size < 256 ? size : 256, false);
  const char *shown = buffer.failed ? "?" : mb_buffer_text(&buffer);
  if (!mb_text_copy(out, out_size, shown)) {
    mb_text_copy(out, out_size - 3, shown); /* cuts between characters */
    memcpy(out + strlen(out), "...", sizeof "...");
  }
  mb_buffer_dispose(&buffer);
  return out;
}

static int compare_names(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool in_space(const char *name, const char *space) {
  size_t size = strlen(space);
  return strncmp(name, space, size) == 0 && name[size] == '.';
}

/* Of the primitives that are no service's operation or waiter. */
static size_t count_added(mb_engine *engine, const char *space) {
  const struct mb_registry *registry = engine->registry;
  size_t count = (size_t)mb_composed_names(engine, space, NULL);
  for (size_t i = 0; i < registry->added_count; i++)
    count += in_space(registry->added[i]->primitive.name, space);
  return count;
}

static bool has_added(const struct mb_registry *registry, const char *space) {
  for (size_t i = 0; i < registry->added_count; i++) {
    if (in_space(registry->added[i]->primitive.name, space))
      return true;
  }
  return false;
}

/* ---- one namespace ---- */

static const char *curated_summary(const char *name) {
  for (const mb_namespace_doc *doc = mb_curated_namespaces; doc->name; doc++) {
    if (strcmp(doc->name, name) == 0)
      return doc->summary;
  }
  return NULL;
}

static const char *make_summary(mb_arena *arena, const mb_namespace *space, size_t added) {
  const char *curated = curated_summary(space->name);
  if (curated)
    return mb_arena_strdup(arena, curated);
  if (!space->model)
    return mb_arena_printf(arena, "%zu %s", added, added == 1 ? "primitive" : "primitives");
  mb_service service;
  mb_model_service(space->model, &service);
  size_t operations = mb_model_operation_count(space->model);
  size_t waiters = mb_model_waiter_count(space->model);
  if (waiters == 0)
    return mb_arena_printf(arena, "%s, %zu operations", service.service_id, operations);
  return mb_arena_printf(arena, "%s, %zu operations, %zu waiter%s", service.service_id, operations,
                         waiters, waiters == 1 ? "" : "s");
}

static mb_namespace *make_namespace(mb_engine *engine, const char *name, const mb_model *model,
                                    size_t added) {
  struct mb_registry *registry = engine->registry;
  mb_namespace *space = mb_arena_zero(registry->arena, sizeof *space);
  if (!space)
    return NULL;
  space->name = mb_arena_strdup(registry->arena, name);
  space->model = model;
  space->summary = space->name ? make_summary(registry->arena, space, added) : NULL;
  if (!space->summary)
    return NULL;
  space->next = registry->namespaces;
  registry->namespaces = space;
  return space;
}

static const mb_model *model_named(const char *name) {
  const mb_model *model = mb_model_find(name);
  if (!model)
    return NULL;
  mb_service service; /* mb_model_find takes "sso-oidc" too, which is not how we call it */
  mb_model_service(model, &service);
  return strcmp(service.namespace_, name) == 0 ? model : NULL;
}

mb_namespace *mb_namespace_find(mb_engine *engine, const char *name, size_t size, bool *memory) {
  char copy[MAXIMUM_NAME + 1];
  if (size == 0 || size > MAXIMUM_NAME)
    return NULL;
  memcpy(copy, name, size);
  copy[size] = 0;
  for (mb_namespace *at = engine->registry->namespaces; at; at = at->next) {
    if (strcmp(at->name, copy) == 0)
      return at;
  }
  const mb_model *model = model_named(copy);
  size_t added = count_added(engine, copy);
  if (!model && added == 0)
    return NULL;
  mb_namespace *space = make_namespace(engine, copy, model, added);
  *memory = space == NULL;
  return space;
}

static int add_model_names(mb_arena *arena, mb_namespace *space, const char **names) {
  for (size_t i = 0; i < mb_model_operation_count(space->model); i++) {
    const mb_operation *operation = mb_model_operation_at(space->model, i);
    char *name =
        mb_arena_printf(arena, "%s.%s", space->name, mb_model_text(space->model, operation->snake));
    if (!name)
      return -1;
    names[space->count++] = name;
  }
  for (size_t i = 0; i < mb_model_waiter_count(space->model); i++) {
    const mb_waiter *waiter = mb_model_waiter_at(space->model, i);
    char *name = mb_arena_printf(arena, "%s." MB_WAITER_PREFIX "%s", space->name,
                                 mb_model_text(space->model, waiter->snake));
    if (!name)
      return -1;
    names[space->count++] = name;
  }
  return 0;
}

int mb_namespace_fill(mb_engine *engine, mb_namespace *space) {
  struct mb_registry *registry = engine->registry;
  if (space->names)
    return 0;
  size_t total = count_added(engine, space->name);
  if (space->model)
    total += mb_model_operation_count(space->model) + mb_model_waiter_count(space->model);
  const char **names = mb_arena_alloc(registry->arena, (total + 1) * sizeof *names);
  if (!names)
    return -1;
  space->count = 0;
  if (space->model && add_model_names(registry->arena, space, names) != 0)
    return -1;
  for (size_t i = 0; i < registry->added_count; i++) {
    if (in_space(registry->added[i]->primitive.name, space->name))
      names[space->count++] = registry->added[i]->primitive.name;
  }
  long composed = mb_composed_names(engine, space->name, names + space->count);
  if (composed < 0)
    return -1;
  space->count += (size_t)composed;
  qsort(names, space->count, sizeof *names, compare_names);
  space->names = names;
  return 0;
}

/* ---- listing ---- */

/* Adds the namespaces of added primitives that are no service's. The table is in name order, so
 * those of one namespace stand together, and `last` is enough to see a repeat. */
static size_t add_added_spaces(mb_engine *engine, const char **names, size_t capacity,
                               size_t count) {
  const struct mb_registry *registry = engine->registry;
  const char *last = NULL;
  for (size_t i = 0; i < registry->added_count; i++) {
    const char *name = registry->added[i]->primitive.name;
    if (last && in_space(name, last))
      continue;
    bool memory = false;
    mb_namespace *space = mb_namespace_find(engine, name, mb_name_space_size(name), &memory);
    if (!space)
      continue;
    last = space->name;
    if (space->model)
      continue;
    if (names && count < capacity)
      names[count] = space->name;
    count++;
  }
  return count;
}

/* Adds the namespaces that hold nothing but composed primitives. The files are in order of their
 * paths, so a repeat follows at once. */
static size_t add_composed_spaces(mb_engine *engine, const char **names, size_t capacity,
                                  size_t count) {
  const char *last = "";
  for (size_t i = 0;; i++) {
    const char *name = mb_composed_space(engine, i);
    if (!name)
      return count;
    if (strcmp(name, last) == 0)
      continue;
    last = name;
    if (model_named(name) || has_added(engine->registry, name))
      continue;
    if (names && count < capacity)
      names[count] = name;
    count++;
  }
}

size_t mb_engine_namespaces(mb_engine *engine, const char **names, size_t capacity) {
  size_t count = mb_model_names(names, capacity);
  count = add_added_spaces(engine, names, capacity, count);
  count = add_composed_spaces(engine, names, capacity, count);
  if (names)
    qsort(names, count < capacity ? count : capacity, sizeof *names, compare_names);
  return count;
}

size_t mb_engine_names(mb_engine *engine, const char *name_space, const char **names,
                       size_t capacity) {
  bool memory = false;
  mb_namespace *space = mb_namespace_find(engine, name_space, strlen(name_space), &memory);
  if (!space || mb_namespace_fill(engine, space) != 0)
    return 0;
  for (size_t i = 0; names && i < space->count && i < capacity; i++)
    names[i] = space->names[i];
  return space->count;
}

const char *mb_engine_namespace_summary(mb_engine *engine, const char *name_space) {
  bool memory = false;
  mb_namespace *space = mb_namespace_find(engine, name_space, strlen(name_space), &memory);
  return space ? space->summary : "";
}

/* ---- unknown names ---- */

static const char *nearest_space(mb_engine *engine, const char *name) {
  const char *names[128];
  size_t count = mb_engine_namespaces(engine, names, sizeof names / sizeof *names);
  return mb_text_nearest(
      name, names, count < sizeof names / sizeof *names ? count : sizeof names / sizeof *names);
}

static int unknown_space(mb_engine *engine, const char *name, mb_error *error) {
  char quoted[96], space[MAXIMUM_NAME + 1];
  size_t size = strcspn(name, ".");
  size = size < MAXIMUM_NAME ? size : MAXIMUM_NAME;
  memcpy(space, name, size);
  space[size] = 0;
  for (char *at = space; *at; at++) /* people write ECS, and sso-oidc as AWS does */
    *at = *at == '-' ? '_' : *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
  const char *near = nearest_space(engine, space);
  mb_error_set(error, MB_ERROR_NOT_FOUND, "UnknownPrimitive",
               strchr(name, '.') ? "there is no primitive \"%s\": no such service or namespace"
                                 : "there is no service or namespace \"%s\"",
               mb_name_quote(quoted, sizeof quoted, name));
  if (near)
    return mb_error_next(
        error, "did you mean \"%s\"? \"moonbook help primitives\" lists the namespaces", near);
  return mb_error_next(error, "\"moonbook help primitives\" lists the namespaces");
}

static const char *nearest_name(mb_engine *engine, mb_namespace *space, const char *name) {
  const char *verb = name + strlen(space->name) + 1;
  const mb_operation *operation = space->model ? mb_model_operation(space->model, verb) : NULL;
  if (mb_namespace_fill(engine, space) != 0)
    return NULL;
  const char *best = NULL;
  size_t distance = SIZE_MAX;
  for (size_t i = 0; i < space->count; i++) {
    const char *candidate = space->names[i] + strlen(space->name) + 1;
    if (operation && strcmp(candidate, mb_model_text(space->model, operation->snake)) == 0)
      return candidate; /* asked for as AWS spells it */
    mb_text_nearer(verb, candidate, &best, &distance);
  }
  return best;
}

static int unknown_in_space(mb_engine *engine, mb_namespace *space, const char *name,
                            mb_error *error) {
  char quoted[96];
  const char *near = nearest_name(engine, space, name);
  mb_error_set(error, MB_ERROR_NOT_FOUND, "UnknownPrimitive", "there is no primitive \"%s\"",
               mb_name_quote(quoted, sizeof quoted, name));
  if (near)
    return mb_error_next(error, "did you mean \"%s.%s\"? \"moonbook help %s\" lists them",
                         space->name, near, space->name);
  return mb_error_next(error, "\"moonbook help %s\" lists what there is", space->name);
}

int mb_name_unknown(mb_engine *engine, const char *name, mb_error *error) {
  bool memory = false;
  const char *dot = strchr(name, '.');
  if (!dot)
    return unknown_space(engine, name, error);
  mb_namespace *space = mb_namespace_find(engine, name, (size_t)(dot - name), &memory);
  if (memory)
    return mb_error_memory(error);
  return space ? unknown_in_space(engine, space, name, error) : unknown_space(engine, name, error);
}
