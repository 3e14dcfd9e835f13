/* Composed primitives: made of others, with a body in Lua. Each declares itself in a data file
 * lua/moonbook/primitives/NAMESPACE/NAME.lua, which is read when the primitive is first asked for:
 *
 *     return {
 *       summary = "Says why a deployment failed",
 *       arguments = { { name = "cluster", type = "string", required = true, doc = "the cluster" }
 * }, results = "a map {...}", calls = { "ecs.describe_services" },  -- what its body may call, all
 * of which only reads module = "moonbook.explain", ["function"] = "deployment", waits = true, -- it
 * waits for something, so it has no deadline since = "0.1.0",
 *     }
 */
#include "base/arena.h"
#include "base/embedded.h"
#include "base/text.h"
#include "call/call.h"
#include "call/registry.h"
#include <stdio.h>
#include <string.h>

#define FOLDER  "lua/moonbook/primitives/"
#define SUFFIX  ".lua"
#define DEEPEST 8 /* composed of composed of ... */

/* ---- names ---- */

/* "ecs" and "explain" of ".../primitives/ecs/explain.lua"; false when it is not of that form. */
static bool split_path(const char *path, const char **space, size_t *space_size, const char **verb,
                       size_t *verb_size) {
  *space = path + strlen(FOLDER);
  const char *slash = strchr(*space, '/');
  if (!slash || strchr(slash + 1, '/') || !mb_text_ends(path, SUFFIX))
    return false;
  *space_size = (size_t)(slash - *space);
  *verb = slash + 1;
  *verb_size = strlen(*verb) - strlen(SUFFIX);
  return true;
}

/* Those that are part of the binary, when there is Lua to read and run them. */
static const mb_embedded_file *files_below(const mb_engine *engine, const char *prefix,
                                           size_t *count) {
  *count = 0;
  return engine->read_data ? mb_embedded_below(prefix, count) : NULL;
}

const char *mb_composed_space(mb_engine *engine, size_t index) {
  size_t count;
  const mb_embedded_file *files = files_below(engine, FOLDER, &count);
  const char *space, *verb;
  size_t space_size, verb_size;
  if (index >= count || !split_path(files[index].path, &space, &space_size, &verb, &verb_size))
    return NULL;
  return mb_arena_strndup(engine->registry->arena, space, space_size);
}

long mb_composed_names(mb_engine *engine, const char *name_space, const char **names) {
  size_t count;
  char prefix[128];
  snprintf(prefix, sizeof prefix, FOLDER "%.63s/", name_space);
  const mb_embedded_file *files = files_below(engine, prefix, &count);
  for (size_t i = 0; names && i < count; i++) {
    const char *space, *verb;
    size_t space_size, verb_size;
    if (!split_path(files[i].path, &space, &space_size, &verb, &verb_size))
      return -1;
    names[i] = mb_arena_printf(engine->registry->arena, "%.*s.%.*s", (int)space_size, space,
                               (int)verb_size, verb);
    if (!names[i])
      return -1;
  }
  return (long)count;
}

static const mb_embedded_file *find_file(const char *name) {
  char path[192];
  size_t size = mb_name_space_size(name);
  int wrote =
      snprintf(path, sizeof path, FOLDER "%.*s/%s" SUFFIX, (int)size, name, name + size + 1);
  return wrote > 0 && (size_t)wrote < sizeof path ? mb_embedded_find(path) : NULL;
}

/* ---- one declaration ---- */

typedef struct reading {
  mb_engine *engine;
  mb_arena *arena;
  const char *path;
  const mb_value *data;
  mb_error *error;
} reading;

static int bad(const reading *from, const char *field, const char *problem) {
  return mb_error_set(from->error, MB_ERROR_INTERNAL, "BadDeclaration", "%s: %s %s", from->path,
                      field, problem);
}

static int read_text(const reading *from, const mb_value *map, const char *field,
                     const char **out) {
  const mb_value *value = mb_map_get(map, field);
  *out = mb_value_string(value);
  if (mb_value_type(value) != MB_TYPE_STRING || !**out || strpbrk(*out, "\r\n"))
    return bad(from, field, "must be one line of text");
  return 0;
}

static mb_argument_type type_named(const char *name) {
  for (int type = MB_ARGUMENT_STRING; type <= MB_ARGUMENT_ANY; type++) {
    if (strcmp(mb_argument_type_name((mb_argument_type)type), name) == 0)
      return (mb_argument_type)type;
  }
  return (mb_argument_type)0;
}

static int read_argument(const reading *from, const mb_value *map, mb_argument *out) {
  const char *type;
  if (read_text(from, map, "name", &out->name) != 0 || read_text(from, map, "type", &type) != 0 ||
      read_text(from, map, "doc", &out->doc) != 0)
    return -1;
  out->type = type_named(type);
  out->required = mb_value_boolean(mb_map_get(map, "required"));
  return out->type ? 0 : bad(from, out->name, "has a type that no argument has");
}

static int read_arguments(const reading *from, const mb_argument **out) {
  const mb_value *list = mb_map_get(from->data, "arguments");
  size_t count = mb_value_count(list);
  mb_argument *arguments = mb_arena_zero(from->arena, (count + 1) * sizeof *arguments);
  if (!arguments)
    return mb_error_memory(from->error);
  for (size_t i = 0; i < count; i++) {
    if (read_argument(from, mb_list_at(list, i), &arguments[i]) != 0)
      return -1;
  }
  *out = arguments;
  return 0;
}

/* ---- what it calls ---- */

/* A list of texts without repeats. */
typedef struct text_set {
  mb_arena *arena;
  const char **items;
  size_t count, capacity;
} text_set;

static int add_text(text_set *set, const char *text) {
  for (size_t i = 0; i < set->count; i++) {
    if (strcmp(set->items[i], text) == 0)
      return 0;
  }
  if (set->count + 1 >= set->capacity) { /* the last place is for NULL */
    size_t capacity = set->capacity ? set->capacity * 2 : 16;
    const char **items = mb_arena_zero(set->arena, capacity * sizeof *items);
    if (!items)
      return -1;
    if (set->count)
      memcpy(items, set->items, set->count * sizeof *items);
    set->items = items;
    set->capacity = capacity;
  }
  set->items[set->count++] = text;
  return 0;
}

static int add_texts(text_set *set, const char *const *texts) {
  for (; texts && *texts; texts++) {
    if (add_text(set, *texts) != 0)
      return -1;
  }
  return 0;
}

static int add_call(const reading *from, const char *name, text_set *calls, text_set *actions) {
  const mb_binding *binding = mb_engine_find(from->engine, name, from->error);
  if (!binding)
    return -1;
  if (binding->primitive.effect != MB_EFFECT_READS)
    return bad(from, name, "does more than read");
  if (add_text(calls, binding->primitive.name) != 0 ||
      add_texts(actions, binding->primitive.iam_actions) != 0 ||
      (binding->composition && add_texts(calls, binding->composition->calls) != 0))
    return mb_error_memory(from->error);
  return 0;
}

static int read_calls(const reading *from, mb_composition *out, mb_primitive *primitive) {
  const mb_value *list = mb_map_get(from->data, "calls");
  text_set calls = {.arena = from->arena}, actions = {.arena = from->arena};
  if (mb_value_count(list) == 0)
    return bad(from, "calls", "must name what it calls");
  for (size_t i = 0; i < mb_value_count(list); i++) {
    if (add_call(from, mb_value_string(mb_list_at(list, i)), &calls, &actions) != 0)
      return -1;
  }
  out->calls = calls.items;
  primitive->iam_actions = actions.items;
  return 0;
}

/* ---- the whole ---- */

/* For whoever starts it without Lua. */
static void start_without_lua(mb_call *call, void *payload) {
  (void)payload;
  mb_error error;
  mb_error_set(&error, MB_ERROR_INTERNAL, "NeedsLua", "%s is written in Lua and runs there only",
               mb_call_binding(call)->primitive.name);
  mb_call_fail(call, &error);
}

static int read_declaration(const reading *from, mb_binding *out, mb_composition *composition) {
  mb_primitive *primitive = &out->primitive;
  bool waits = mb_value_boolean(mb_map_get(from->data, "waits"));
  primitive->effect = MB_EFFECT_READS;
  primitive->recovery = waits ? MB_RECOVERY_WAIT : MB_RECOVERY_READ;
  primitive->start = start_without_lua;
  if (read_text(from, from->data, "summary", &primitive->summary) != 0 ||
      read_text(from, from->data, "results", &primitive->results) != 0 ||
      read_text(from, from->data, "since", &primitive->since) != 0 ||
      read_text(from, from->data, "module", &composition->module) != 0 ||
      read_text(from, from->data, "function", &composition->function) != 0 ||
      read_arguments(from, &primitive->arguments) != 0 ||
      read_calls(from, composition, primitive) != 0)
    return -1;
  out->composition = composition;
  return 0;
}

static int declare(mb_engine *engine, const mb_embedded_file *file, const char *name,
                   mb_binding **out, mb_error *error) {
  mb_arena *arena = engine->registry->arena;
  mb_value *data = NULL;
  mb_binding *binding = mb_arena_zero(arena, sizeof *binding);
  mb_composition *composition = mb_arena_zero(arena, sizeof *composition);
  if (!binding || !composition || !(binding->primitive.name = mb_arena_strdup(arena, name)))
    return mb_error_memory(error);
  if (engine->read_data(arena, file->path, file->data, file->size, &data, error) != 0)
    return -1;
  reading from = {engine, arena, file->path, data, error};
  if (read_declaration(&from, binding, composition) != 0)
    return -1;
  if (mb_registry_put(engine->registry, binding) != 0)
    return mb_error_memory(error);
  *out = binding;
  return 0;
}

mb_binding *mb_composed_find(mb_engine *engine, const char *name, mb_error *error) {
  const mb_embedded_file *file = engine->read_data ? find_file(name) : NULL;
  mb_binding *binding = NULL;
  if (!file)
    return NULL;
  if (engine->registry->composing == DEEPEST) {
    mb_error_set(error, MB_ERROR_INTERNAL, "BadDeclaration", "%s: composed of itself", file->path);
    return NULL;
  }
  engine->registry->composing++;
  if (declare(engine, file, name, &binding, error) != 0)
    binding = NULL;
  engine->registry->composing--;
  return binding;
}
