/* Reading and checking manifests. */
#include "run/manifest.h"

#include "base/text.h"
#include "run/args.h"
#include "run/fields.h"
#include "run/settings.h"
#include "script/script.h"

#include <moonbook/version.h>
#include <stdio.h>
#include <string.h>

#define ARG_LIMIT 64

static const char *const manifest_fields[] = {
    "name",  "version", "moonbook", "summary", "kind",    "effect", "uses",
    "hosts", "args",    "changes",  "timeout", "confirm", NULL};
static const char *const arg_fields[] = {"name", "type",   "required", "default", "choices",
                                         "doc",  "secret", "setting",  NULL};
static const char *const kinds[] = {"deploy", "validate", "troubleshoot", "rollback", "monitor",
                                    "scale",  "secure",   "maintain",     NULL};
static const char *const type_names[] = {"string",   "integer", "number", "boolean",
                                         "duration", "strings", "choice", NULL};

/* Flags of the command: an argument of that name could not be given there. */
static const char *const flags[] = {
    "all",      "color",        "confirm", "endpoint_url", "env",     "help",   "input",
    "no_input", "output",       "plan",    "profile",      "quiet",   "region", "runbooks",
    "settings", "show_secrets", "timeout", "undo",         "verbose", "yes",    NULL};

static size_t count_names(const char *const *names) {
  size_t count = 0;
  while (names[count] != NULL) {
    count++;
  }
  return count;
}

/* The index of `text` in `names`, or -1 with an error that lists them. */
static int pick_name(const char *file, const char *path, const char *field, const char *text,
                     const char *const *names, mb_error *error) {
  char all[256] = "";
  size_t used = 0;
  for (int i = 0; names[i] != NULL; i++) {
    if (strcmp(names[i], text) == 0) {
      return i;
    }
    used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i == 0 ? "" : ", ", names[i]);
    if (used >= sizeof all) {
      used = sizeof all - 1;
    }
  }
  const char *nearest = mb_text_nearest(text, names, count_names(names));
  mb_field_fail(error, file, path, field, "\"%s\" is not one of %s", text, all);
  return nearest == NULL ? -1 : mb_error_next(error, "Did you mean \"%s\"?", nearest);
}

/* ---- the fields that every manifest has --------------------------------------------------------
 */

static int require_text(const mb_value *map, const char *file, const char *path, const char *name,
                        const char **out, mb_error *error) {
  *out = NULL;
  if (mb_field_text(map, file, path, name, out, error) != 0) {
    return -1;
  }
  if (*out == NULL || **out == 0) {
    return mb_field_fail(error, file, path, name, "is required");
  }
  return 0;
}

static bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* "deploy/restart": words of a-z 0-9 _ - joined by single slashes. */
static bool is_runbook_name(const char *name) {
  bool in_word = false;
  for (const char *at = name; *at != 0; at++) {
    if (*at == '/' && !in_word) {
      return false;
    }
    if (*at != '/' && !is_name_char(*at)) {
      return false;
    }
    in_word = *at != '/';
  }
  return in_word;
}

static bool read_digits(const char **at, int *out) {
  int value = 0;
  const char *start = *at;
  while (**at >= '0' && **at <= '9' && *at - start < 6) {
    value = value * 10 + (*(*at)++ - '0');
  }
  *out = value;
  return *at != start && !(**at >= '0' && **at <= '9') && !(*start == '0' && *at - start > 1);
}

/* "1.2.0", nothing before or after. */
static bool read_version(const char *text, int *major) {
  int minor, patch;
  return read_digits(&text, major) && *text++ == '.' && read_digits(&text, &minor) &&
         *text++ == '.' && read_digits(&text, &patch) && *text == 0;
}

static int read_identity(mb_manifest *out, const mb_value *map, const mb_bundle *bundle,
                         mb_error *error) {
  const char *file = out->file;
  if (require_text(map, file, "", "name", &out->name, error) != 0 ||
      require_text(map, file, "", "version", &out->version, error) != 0 ||
      require_text(map, file, "", "summary", &out->summary, error) != 0) {
    return -1;
  }
  if (!is_runbook_name(out->name)) {
    return mb_field_fail(error, file, "", "name",
                         "\"%s\" is not words of a-z, 0-9, _ and - joined by /", out->name);
  }
  if (bundle->name != NULL && *bundle->name != 0 && strcmp(out->name, bundle->name) != 0) {
    return mb_field_fail(error, file, "", "name", "says \"%s\", but the folder is \"%s\"",
                         out->name, bundle->name);
  }
  if (!read_version(out->version, &out->major)) {
    return mb_field_fail(error, file, "", "version", "\"%s\" is not of the form 1.2.0",
                         out->version);
  }
  if (bundle->major > 0 && out->major != bundle->major) {
    return mb_field_fail(error, file, "", "version", "is %s, but the folder is v%d", out->version,
                         bundle->major);
  }
  return 0;
}

static int read_level(mb_manifest *out, const mb_value *map, mb_error *error) {
  const mb_value *level = mb_map_get(map, "moonbook");
  if (level == NULL) {
    return mb_field_fail(error, out->file, "", "moonbook", "is required");
  }
  if (mb_value_type(level) != MB_TYPE_INTEGER || mb_value_integer(level) < 1) {
    return mb_field_fail(error, out->file, "", "moonbook", "expected an API level from 1, got %s",
                         mb_type_phrase(level));
  }
  out->level = mb_value_integer(level);
  if (out->level > MB_API_LEVEL) {
    mb_field_fail(error, out->file, "", "moonbook", "needs API level %lld; this one has %d",
                  (long long)out->level, MB_API_LEVEL);
    return mb_error_next(error, "Install a newer moonbook.");
  }
  return 0;
}

static int read_kind(mb_manifest *out, const mb_value *map, mb_error *error) {
  static const char *const effects[] = {"reads", "writes", "destroys", NULL};
  const char *effect = NULL;
  if (require_text(map, out->file, "", "kind", &out->kind, error) != 0 ||
      require_text(map, out->file, "", "effect", &effect, error) != 0 ||
      pick_name(out->file, "", "kind", out->kind, kinds, error) < 0) {
    return -1;
  }
  int index = pick_name(out->file, "", "effect", effect, effects, error);
  if (index < 0) {
    return -1;
  }
  out->effect = (mb_effect)(MB_EFFECT_READS + index);
  return 0;
}

static int read_timeout(mb_manifest *out, const mb_value *map, mb_error *error) {
  const mb_value *value = mb_map_get(map, "timeout");
  if (value == NULL) {
    return 0;
  }
  if (mb_duration_of_value(value, &out->timeout_seconds) != 0 || !(out->timeout_seconds > 0)) {
    return mb_field_fail(error, out->file, "", "timeout",
                         "expected a duration such as \"15m\" or a number of seconds");
  }
  return 0;
}

/* ---- arguments ---------------------------------------------------------------------------------
 */

static bool is_arg_name(const char *name) {
  if (!((*name >= 'a' && *name <= 'z') || *name == '_')) {
    return false;
  }
  for (; *name != 0; name++) {
    if (!is_name_char(*name) || *name == '-') {
      return false;
    }
  }
  return true;
}

static int read_choices(mb_arg *arg, const mb_value *map, const char *file, const char *path,
                        mb_error *error) {
  if (mb_field_texts(map, file, path, "choices", &arg->choices, error) != 0) {
    return -1;
  }
  if (arg->type == MB_ARG_CHOICE && mb_value_count(arg->choices) == 0) {
    return mb_field_fail(error, file, path, "choices", "is required of a choice");
  }
  if (arg->choices != NULL && arg->type != MB_ARG_CHOICE && arg->type != MB_ARG_STRING) {
    return mb_field_fail(error, file, path, "choices", "only a string or a choice has choices");
  }
  return 0;
}

static int read_setting(mb_arg *arg, const mb_value *map, const char *file, const char *path,
                        mb_error *error) {
  if (mb_field_text(map, file, path, "setting", &arg->setting, error) != 0) {
    return -1;
  }
  if (arg->setting == NULL) {
    return 0;
  }
  if (arg->type != MB_ARG_STRING) {
    return mb_field_fail(error, file, path, "setting", "only a string comes from the settings");
  }
  return pick_name(file, path, "setting", arg->setting, mb_setting_names(), error) < 0 ? -1 : 0;
}

static int read_default(mb_arg *arg, mb_arena *arena, const mb_value *map, const char *file,
                        const char *path, mb_error *error) {
  const mb_value *value = mb_map_get(map, "default");
  if (value == NULL) {
    return 0;
  }
  if (arg->required) {
    return mb_field_fail(error, file, path, "default", "a required argument has no default");
  }
  mb_error problem;
  mb_error_clear(&problem);
  if (mb_arg_convert(arg, arena, value, false, &arg->default_value, &problem) != 0) {
    return problem.kind == MB_ERROR_MEMORY
               ? mb_error_memory(error)
               : mb_field_fail(error, file, path, "default", "%s", problem.message);
  }
  return 0;
}

static int read_arg(mb_arg *arg, mb_arena *arena, const mb_value *map, const char *file,
                    const char *path, mb_error *error) {
  if (mb_value_type(map) != MB_TYPE_MAP) {
    return mb_field_fail(error, file, path, "name", "expected a table, got %s",
                         mb_type_phrase(map));
  }
  if (mb_fields_known(map, file, path, arg_fields, error) != 0 ||
      require_text(map, file, path, "name", &arg->name, error) != 0 ||
      require_text(map, file, path, "type", &arg->type_name, error) != 0 ||
      require_text(map, file, path, "doc", &arg->doc, error) != 0 ||
      mb_field_boolean(map, file, path, "required", &arg->required, error) != 0 ||
      mb_field_boolean(map, file, path, "secret", &arg->secret, error) != 0) {
    return -1;
  }
  if (!is_arg_name(arg->name)) {
    return mb_field_fail(error, file, path, "name", "\"%s\" is not a name in snake_case",
                         arg->name);
  }
  for (size_t i = 0; flags[i] != NULL; i++) {
    if (strcmp(flags[i], arg->name) == 0) {
      return mb_field_fail(error, file, path, "name",
                           "\"%s\" is a flag of the command; choose another name", arg->name);
    }
  }
  int type = pick_name(file, path, "type", arg->type_name, type_names, error);
  if (type < 0) {
    return -1;
  }
  arg->type = (mb_arg_type)(MB_ARG_STRING + type);
  if (read_choices(arg, map, file, path, error) != 0 ||
      read_setting(arg, map, file, path, error) != 0) {
    return -1;
  }
  return read_default(arg, arena, map, file, path, error);
}

static int read_args(mb_manifest *out, mb_arena *arena, const mb_value *map, mb_error *error) {
  const mb_value *list = mb_map_get(map, "args");
  if (list == NULL) {
    return 0;
  }
  if (!mb_value_is_list(list) || mb_value_count(list) > ARG_LIMIT) {
    return mb_field_fail(error, out->file, "", "args", "expected a list of at most %d tables",
                         ARG_LIMIT);
  }
  size_t count = mb_value_count(list);
  out->args = mb_arena_zero(arena, (count + 1) * sizeof *out->args);
  if (out->args == NULL) {
    return mb_error_memory(error);
  }
  for (size_t i = 0; i < count; i++) {
    char path[32];
    snprintf(path, sizeof path, "args[%zu].", i + 1);
    if (read_arg(&out->args[i], arena, mb_list_at(list, i), out->file, path, error) != 0) {
      return -1;
    }
    for (size_t other = 0; other < i; other++) {
      if (strcmp(out->args[other].name, out->args[i].name) == 0) {
        return mb_field_fail(error, out->file, path, "name", "\"%s\" is there twice",
                             out->args[i].name);
      }
    }
    out->arg_count = i + 1;
  }
  return 0;
}

/* ---- what it may do ----------------------------------------------------------------------------
 */

bool mb_uses_match(const char *pattern, const char *name) {
  const char *star = strchr(pattern, '*');
  if (star == NULL) {
    return strcmp(pattern, name) == 0;
  }
  return strncmp(pattern, name, (size_t)(star - pattern)) == 0;
}

bool mb_manifest_allows(const mb_manifest *manifest, const mb_primitive *primitive) {
  for (size_t i = 0; i < mb_value_count(manifest->uses); i++) {
    const char *pattern = mb_value_string(mb_list_at(manifest->uses, i));
    if (strchr(pattern, '*') != NULL && primitive->effect != MB_EFFECT_READS) {
      continue;
    }
    if (mb_uses_match(pattern, primitive->name)) {
      return true;
    }
  }
  for (size_t i = 0; i < mb_value_count(manifest->implied); i++) {
    if (strcmp(mb_value_string(mb_list_at(manifest->implied, i)), primitive->name) == 0) {
      return true;
    }
  }
  return false;
}

/* "ecs.describe_services", or "ecs.describe_*" with one star at the end. */
static bool is_use(const char *text) {
  const char *dot = strchr(text, '.');
  const char *star = strchr(text, '*');
  return dot != NULL && dot != text && dot[1] != 0 &&
         (star == NULL || (star > dot && star[1] == 0));
}

static int read_uses(mb_manifest *out, const mb_value *map, mb_error *error) {
  if (mb_field_texts(map, out->file, "", "uses", &out->uses, error) != 0) {
    return -1;
  }
  for (size_t i = 0; i < mb_value_count(out->uses); i++) {
    const char *text = mb_value_string(mb_list_at(out->uses, i));
    if (!is_use(text)) {
      mb_field_fail(error, out->file, "", "uses", "item %zu: \"%s\" is not a primitive", i + 1,
                    text);
      return mb_error_next(error, "Write \"ecs.update_service\", or \"ecs.describe_*\" for reads.");
    }
  }
  return 0;
}

/* Whether any reading primitive matches; unknown namespaces have none. */
static bool wildcard_matches(mb_engine *engine, mb_arena *arena, const char *pattern) {
  const char *dot = strchr(pattern, '.');
  const char *name_space = mb_arena_strndup(arena, pattern, (size_t)(dot - pattern));
  if (name_space == NULL) {
    return false;
  }
  size_t count = mb_engine_names(engine, name_space, NULL, 0);
  const char **names = mb_arena_alloc(arena, (count + 1) * sizeof *names);
  if (names == NULL) {
    return false;
  }
  count = mb_engine_names(engine, name_space, names, count);
  for (size_t i = 0; i < count; i++) {
    const char *last = strrchr(names[i], '.');
    const char *name = last == NULL ? names[i] : last + 1;
    if (strncmp(name, dot + 1, strlen(dot + 1) - 1) == 0) {
      return true;
    }
  }
  return false;
}

/* A composed primitive brings the right to what it is made of, all of which only reads. */
static int add_implied(mb_manifest *manifest, mb_arena *arena, const mb_binding *binding,
                       mb_error *error) {
  const char *const *calls = binding->composition == NULL ? NULL : binding->composition->calls;
  for (; calls != NULL && *calls != NULL; calls++) {
    mb_value *item = mb_list_add(arena, manifest->implied);
    if (item == NULL || mb_value_set_string(arena, item, *calls) != 0) {
      return mb_error_memory(error);
    }
  }
  return 0;
}

static int check_use(mb_manifest *manifest, mb_engine *engine, mb_arena *arena, size_t index,
                     const char *use, mb_error *error) {
  if (strchr(use, '*') != NULL) {
    return wildcard_matches(engine, arena, use)
               ? 0
               : mb_field_fail(error, manifest->file, "", "uses",
                               "item %zu: nothing is called \"%s\"", index, use);
  }
  mb_error problem;
  mb_error_clear(&problem);
  const mb_binding *binding = mb_engine_find(engine, use, &problem);
  if (binding == NULL) {
    mb_field_fail(error, manifest->file, "", "uses", "item %zu: %s", index, problem.message);
    return *problem.next == 0 ? -1 : mb_error_next(error, "%s", problem.next);
  }
  if (binding->primitive.effect > manifest->effect) {
    mb_field_fail(error, manifest->file, "", "uses", "item %zu: %s %s, but `effect` is \"%s\"",
                  index, use, mb_effect_name(binding->primitive.effect),
                  mb_effect_name(manifest->effect));
    return mb_error_next(error, "Say effect = \"%s\", or leave it out of `uses`.",
                         mb_effect_name(binding->primitive.effect));
  }
  return add_implied(manifest, arena, binding, error);
}

int mb_manifest_check_uses(mb_manifest *manifest, mb_arena *arena, mb_engine *engine,
                           mb_error *error) {
  manifest->implied = mb_value_new_list(arena);
  int status = manifest->implied == NULL ? mb_error_memory(error) : 0;
  for (size_t i = 0; status == 0 && i < mb_value_count(manifest->uses); i++) {
    status = check_use(manifest, engine, arena, i + 1,
                       mb_value_string(mb_list_at(manifest->uses, i)), error);
  }
  return status;
}

/* ---- the whole ---------------------------------------------------------------------------------
 */

int mb_manifest_read(mb_manifest *out, mb_arena *arena, const mb_bundle *bundle, mb_error *error) {
  mb_value *map = NULL;
  *out = (mb_manifest){.file = bundle->manifest_chunk};
  if (bundle->problem != NULL) {
    return mb_error_set(error, MB_ERROR_IO, "UnreadableSource", "%s", bundle->problem);
  }
  if (bundle->manifest == NULL) {
    return mb_error_set(error, MB_ERROR_USAGE, "NoManifest", "%s: the file is missing", out->file);
  }
  if (mb_script_read_data(arena, bundle->manifest_chunk, bundle->manifest, bundle->manifest_size,
                          &map, error) != 0) {
    return -1;
  }
  if (!mb_value_is_map(map)) {
    return mb_error_set(error, MB_ERROR_USAGE, "BadField", "%s: expected it to return a table",
                        out->file);
  }
  if (mb_fields_known(map, out->file, "", manifest_fields, error) != 0 ||
      read_identity(out, map, bundle, error) != 0 || read_level(out, map, error) != 0 ||
      read_kind(out, map, error) != 0 || read_uses(out, map, error) != 0 ||
      read_args(out, arena, map, error) != 0 || read_timeout(out, map, error) != 0 ||
      mb_field_texts(map, out->file, "", "hosts", &out->hosts, error) != 0 ||
      mb_field_texts(map, out->file, "", "changes", &out->changes, error) != 0 ||
      mb_field_text(map, out->file, "", "confirm", &out->confirm, error) != 0) {
    return -1;
  }
  if (out->effect != MB_EFFECT_READS && mb_value_count(out->changes) == 0) {
    return mb_field_fail(error, out->file, "", "changes",
                         "is required of a runbook that writes: lines that say what changes");
  }
  return mb_args_check_templates(out, error);
}

int mb_runbook_name_split(mb_arena *arena, const char *text, const char **name, int *major,
                          const char **version, mb_error *error) {
  const char *at = strchr(text, '@');
  *major = 0;
  *version = NULL;
  *name = at == NULL ? text : mb_arena_strndup(arena, text, (size_t)(at - text));
  if (*name == NULL) {
    return mb_error_memory(error);
  }
  if (at == NULL) {
    return 0;
  }
  const char *digits = at + 1;
  if (read_digits(&digits, major) && *digits == 0 && *major > 0) {
    return 0;
  }
  if (read_version(at + 1, major)) {
    *version = at + 1;
    return 0;
  }
  return mb_error_set(error, MB_ERROR_USAGE, "BadVersion",
                      "\"%s\": after @ comes a major version (@1) or a full one (@1.2.0)", text);
}

static int describe_arg(const mb_arg *arg, mb_arena *arena, mb_value *out) {
  struct {
    const char *key, *text;
  } texts[] = {
      {"name", arg->name}, {"type", arg->type_name}, {"doc", arg->doc}, {"setting", arg->setting}};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    mb_value *value = texts[i].text == NULL ? NULL : mb_map_put(arena, out, texts[i].key);
    if (texts[i].text != NULL &&
        (value == NULL || mb_value_set_string(arena, value, texts[i].text) != 0)) {
      return -1;
    }
  }
  mb_value *required = mb_map_put(arena, out, "required");
  if (required == NULL) {
    return -1;
  }
  mb_value_set_boolean(required, arg->required);
  mb_value *secret = mb_map_put(arena, out, "secret");
  if (secret == NULL) {
    return -1;
  }
  mb_value_set_boolean(secret, arg->secret);
  if (arg->default_value != NULL) {
    mb_value *copy = mb_map_put(arena, out, "default");
    if (copy == NULL || mb_value_copy(arena, copy, arg->default_value) != 0) {
      return -1;
    }
  }
  if (arg->choices != NULL) {
    mb_value *copy = mb_map_put(arena, out, "choices");
    if (copy == NULL || mb_value_copy(arena, copy, arg->choices) != 0) {
      return -1;
    }
  }
  return 0;
}

mb_value *mb_manifest_describe_args(const mb_manifest *manifest, mb_arena *arena) {
  mb_value *list = mb_value_new_list(arena);
  for (size_t i = 0; list != NULL && i < manifest->arg_count; i++) {
    mb_value *item = mb_list_add(arena, list);
    if (item == NULL) {
      return NULL;
    }
    mb_value_set_map(item);
    if (describe_arg(&manifest->args[i], arena, item) != 0) {
      return NULL;
    }
  }
  return list;
}
