/* What can be called, as data: namespaces, a namespace's primitives, one primitive. */
#include "base/arena.h"
#include "base/text.h"
#include "call/declare.h"
#include "call/registry.h"
#include <string.h>

#define MOST_NAMESPACES 512

static int put_text(mb_arena *arena, mb_value *map, const char *key, const char *text) {
  mb_value *value = mb_map_put(arena, map, key);
  return value && mb_value_set_string(arena, value, text) == 0 ? 0 : -1;
}

/* ---- every namespace ---- */

static size_t namespace_count(mb_engine *engine, const char *name) {
  bool memory = false;
  const mb_namespace *space = mb_namespace_find(engine, name, strlen(name), &memory);
  if (!space)
    return 0;
  size_t composed = (size_t)mb_composed_names(engine, name, NULL);
  if (space->model)
    return mb_model_operation_count(space->model) + mb_model_waiter_count(space->model) + composed;
  return mb_engine_names(engine, name, NULL, 0);
}

static int help_namespaces(mb_engine *engine, mb_arena *arena, mb_value *out) {
  const char *names[MOST_NAMESPACES];
  size_t count = mb_engine_namespaces(engine, names, MOST_NAMESPACES);
  mb_value_set_list(out);
  for (size_t i = 0; i < count && i < MOST_NAMESPACES; i++) {
    mb_value *item = mb_list_add(arena, out);
    if (!item)
      return -1;
    mb_value_set_map(item);
    if (put_text(arena, item, "name", names[i]) != 0 ||
        put_text(arena, item, "summary", mb_engine_namespace_summary(engine, names[i])) != 0)
      return -1;
    mb_value *number = mb_map_put(arena, item, "count");
    if (!number)
      return -1;
    mb_value_set_integer(number, (int64_t)namespace_count(engine, names[i]));
  }
  return 0;
}

/* ---- one namespace ---- */

static const mb_waiter *waiter_of(const mb_model *model, const char *verb) {
  for (size_t i = 0; mb_text_starts(verb, MB_WAITER_PREFIX) && i < mb_model_waiter_count(model);
       i++) {
    const mb_waiter *waiter = mb_model_waiter_at(model, i);
    if (strcmp(mb_model_text(model, waiter->snake), verb + strlen(MB_WAITER_PREFIX)) == 0)
      return waiter;
  }
  return NULL;
}

/* Summary and effect without the whole declaration: a namespace can hold hundreds. */
static int put_short(mb_engine *engine, mb_arena *arena, mb_value *item, const mb_namespace *space,
                     const char *name) {
  const char *verb = name + strlen(space->name) + 1;
  const mb_operation *operation = space->model ? mb_model_operation(space->model, verb) : NULL;
  const mb_waiter *waiter = space->model && !operation ? waiter_of(space->model, verb) : NULL;
  if (waiter)
    operation = mb_model_waiter_operation(space->model, waiter);
  const char *summary = NULL;
  mb_effect effect = MB_EFFECT_READS;
  if (operation) {
    summary = mb_declare_summary(arena, space->model, operation, waiter);
    effect = mb_operation_effect(space->model, operation);
  } else {
    const mb_binding *binding = mb_engine_find(engine, name, NULL);
    summary = binding ? binding->primitive.summary : NULL;
    effect = binding ? binding->primitive.effect : effect;
  }
  if (!summary || put_text(arena, item, "name", name) != 0 ||
      put_text(arena, item, "summary", summary) != 0)
    return -1;
  return put_text(arena, item, "effect", mb_effect_name(effect));
}

static int help_namespace(mb_engine *engine, mb_arena *arena, mb_namespace *space, mb_value *out) {
  mb_value_set_map(out);
  if (mb_namespace_fill(engine, space) != 0 || put_text(arena, out, "name", space->name) != 0 ||
      put_text(arena, out, "summary", space->summary) != 0)
    return -1;
  mb_value *list = mb_map_put(arena, out, "primitives");
  if (!list)
    return -1;
  mb_value_set_list(list);
  for (size_t i = 0; i < space->count; i++) {
    mb_value *item = mb_list_add(arena, list);
    if (!item)
      return -1;
    mb_value_set_map(item);
    if (put_short(engine, arena, item, space, space->names[i]) != 0)
      return -1;
  }
  return 0;
}

/* ---- one primitive ---- */

static int put_arguments(mb_arena *arena, mb_value *out, const mb_primitive *primitive) {
  mb_value *list = mb_map_put(arena, out, "arguments");
  if (!list)
    return -1;
  mb_value_set_list(list);
  for (const mb_argument *a = primitive->arguments; a && a->name; a++) {
    mb_value *item = mb_list_add(arena, list);
    if (!item)
      return -1;
    mb_value_set_map(item);
    if (put_text(arena, item, "name", a->name) != 0 ||
        put_text(arena, item, "type", mb_argument_type_name(a->type)) != 0)
      return -1;
    mb_value *required = mb_map_put(arena, item, "required");
    if (!required)
      return -1;
    mb_value_set_boolean(required, a->required);
    if (put_text(arena, item, "doc", a->doc) != 0)
      return -1;
  }
  return 0;
}

static int put_actions(mb_arena *arena, mb_value *out, const mb_primitive *primitive) {
  mb_value *list = mb_map_put(arena, out, "iam");
  if (!list)
    return -1;
  mb_value_set_list(list);
  for (const char *const *at = primitive->iam_actions; at && *at; at++) {
    mb_value *item = mb_list_add(arena, list);
    if (!item || mb_value_set_string(arena, item, *at) != 0)
      return -1;
  }
  return 0;
}

/* What a composed primitive calls. */
static int put_calls(mb_arena *arena, mb_value *out, const mb_composition *composition) {
  mb_value *list = composition ? mb_map_put(arena, out, "calls") : NULL;
  if (!composition || !list)
    return composition ? -1 : 0;
  mb_value_set_list(list);
  for (const char *const *at = composition->calls; *at; at++) {
    mb_value *item = mb_list_add(arena, list);
    if (!item || mb_value_set_string(arena, item, *at) != 0)
      return -1;
  }
  return 0;
}

static int help_primitive(mb_arena *arena, const mb_binding *binding, mb_value *out) {
  const mb_primitive *primitive = &binding->primitive;
  mb_value_set_map(out);
  if (put_text(arena, out, "name", primitive->name) != 0 ||
      put_text(arena, out, "summary", primitive->summary) != 0 ||
      put_text(arena, out, "effect", mb_effect_name(primitive->effect)) != 0 ||
      put_text(arena, out, "recovery", mb_recovery_name(primitive->recovery)) != 0 ||
      put_text(arena, out, "since", primitive->since) != 0 ||
      put_actions(arena, out, primitive) != 0 || put_calls(arena, out, binding->composition) != 0 ||
      put_arguments(arena, out, primitive) != 0)
    return -1;
  return put_text(arena, out, "results", primitive->results);
}

int mb_engine_help(mb_engine *engine, mb_arena *arena, const char *name, mb_value *out,
                   mb_error *error) {
  if (!name || !*name)
    return help_namespaces(engine, arena, out) == 0 ? 0 : mb_error_memory(error);
  if (!strchr(name, '.')) {
    bool memory = false;
    mb_namespace *space = mb_namespace_find(engine, name, strlen(name), &memory);
    if (space)
      return help_namespace(engine, arena, space, out) == 0 ? 0 : mb_error_memory(error);
    return memory ? mb_error_memory(error) : mb_name_unknown(engine, name, error);
  }
  const mb_binding *binding = mb_engine_find(engine, name, error);
  if (!binding)
    return -1;
  return help_primitive(arena, binding, out) == 0 ? 0 : mb_error_memory(error);
}
