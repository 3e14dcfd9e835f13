/* Checking, converting and completing the arguments of a run. */
#include "run/args.h"

#include "base/text.h"
#include "run/fields.h"
#include "run/settings.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int mb_duration_of_value(const mb_value *value, double *seconds) {
  switch (mb_value_type(value)) {
  case MB_TYPE_INTEGER:
  case MB_TYPE_NUMBER:
    *seconds = mb_value_number(value);
    break;
  case MB_TYPE_STRING:
    if (mb_parse_duration(mb_value_string(value), seconds) != 0) {
      return -1;
    }
    break;
  default:
    return -1;
  }
  return isfinite(*seconds) && *seconds >= 0 ? 0 : -1;
}

/* ---- one value ---------------------------------------------------------------------------------
 */

static int wrong_type(const mb_arg *arg, const char *expected, const mb_value *given,
                      mb_error *error) {
  if (mb_value_type(given) == MB_TYPE_STRING && !arg->secret && !mb_value_is_secret(given)) {
    return mb_error_set(error, MB_ERROR_USAGE, "BadArgument", "expected %s, got \"%s\"", expected,
                        mb_value_string(given));
  }
  return mb_error_set(error, MB_ERROR_USAGE, "BadArgument", "expected %s, got %s", expected,
                      mb_type_phrase(given));
}

static int convert_integer(const mb_arg *arg, const mb_value *given, bool are_text, mb_value *out,
                           mb_error *error) {
  size_t size = 0;
  int64_t integer = 0;
  if (mb_value_type(given) == MB_TYPE_INTEGER) {
    mb_value_set_integer(out, mb_value_integer(given));
    return 0;
  }
  if (are_text && mb_value_type(given) == MB_TYPE_STRING) {
    const char *text = mb_value_bytes(given, &size);
    if (mb_parse_integer(text, size, &integer) == 0) {
      mb_value_set_integer(out, integer);
      return 0;
    }
  }
  return wrong_type(arg, "an integer", given, error);
}

static int convert_number(const mb_arg *arg, const mb_value *given, bool are_text, mb_value *out,
                          mb_error *error) {
  mb_type type = mb_value_type(given);
  double number = mb_value_number(given);
  size_t size = 0;
  bool ok = type == MB_TYPE_INTEGER || type == MB_TYPE_NUMBER;
  if (are_text && type == MB_TYPE_STRING) {
    const char *text = mb_value_bytes(given, &size);
    ok = mb_parse_number(text, size, &number) == 0;
  }
  if (!ok || !isfinite(number)) {
    return wrong_type(arg, "a number", given, error);
  }
  mb_value_set_number(out, number);
  return 0;
}

static int convert_boolean(const mb_arg *arg, const mb_value *given, bool are_text, mb_value *out,
                           mb_error *error) {
  const char *text = mb_value_string(given);
  if (mb_value_type(given) == MB_TYPE_BOOLEAN) {
    mb_value_set_boolean(out, mb_value_boolean(given));
    return 0;
  }
  if (are_text && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)) {
    mb_value_set_boolean(out, strcmp(text, "true") == 0);
    return 0;
  }
  return wrong_type(arg, "true or false", given, error);
}

static int convert_duration(const mb_arg *arg, const mb_value *given, mb_value *out,
                            mb_error *error) {
  double seconds = 0;
  if (mb_duration_of_value(given, &seconds) != 0) {
    return wrong_type(arg, "a duration such as 90s, 15m or 2h", given, error);
  }
  mb_value_set_number(out, seconds);
  return 0;
}

/* Text: UTF-8 without NUL, so that what is shown is what is sent. */
static bool is_text(const mb_value *value) {
  size_t size = 0;
  const char *text = mb_value_bytes(value, &size);
  return mb_value_type(value) == MB_TYPE_STRING && memchr(text, 0, size) == NULL &&
         mb_utf8_valid(text, size);
}

static int convert_string(const mb_arg *arg, mb_arena *arena, const mb_value *given, mb_value *out,
                          mb_error *error) {
  if (!is_text(given)) {
    return wrong_type(arg, "a string", given, error);
  }
  const char *text = mb_value_string(given);
  if (arg->choices == NULL) {
    return mb_value_set_string(arena, out, text) != 0 ? mb_error_memory(error) : 0;
  }
  const char *best = NULL;
  size_t distance = SIZE_MAX;
  char all[512] = "";
  size_t used = 0;
  for (size_t i = 0; i < mb_value_count(arg->choices); i++) {
    const char *choice = mb_value_string(mb_list_at(arg->choices, i));
    if (strcmp(choice, text) == 0) {
      return mb_value_set_string(arena, out, text) != 0 ? mb_error_memory(error) : 0;
    }
    mb_text_nearer(text, choice, &best, &distance);
    int wrote = snprintf(all + used, sizeof all - used, "%s%s", i == 0 ? "" : ", ", choice);
    used = used + (size_t)wrote < sizeof all ? used + (size_t)wrote : sizeof all - 1;
  }
  wrong_type(arg, "one of its choices", given, error);
  return best != NULL ? mb_error_next(error, "Did you mean \"%s\"? The choices are %s.", best, all)
                      : mb_error_next(error, "The choices are %s.", all);
}

static int split_strings(mb_arena *arena, const char *text, mb_value *out) {
  while (*text != 0) {
    size_t size = strcspn(text, ",");
    mb_value *item = mb_list_add(arena, out);
    if (item == NULL || mb_value_set_bytes(arena, item, MB_TYPE_STRING, text, size) != 0) {
      return -1;
    }
    text += size;
    text += *text == ',';
  }
  return 0;
}

static int convert_strings(const mb_arg *arg, mb_arena *arena, const mb_value *given, bool are_text,
                           mb_value *out, mb_error *error) {
  mb_value_set_list(out);
  if (are_text && is_text(given)) {
    return split_strings(arena, mb_value_string(given), out) != 0 ? mb_error_memory(error) : 0;
  }
  if (!mb_value_is_list(given)) {
    return wrong_type(arg, "a list of strings", given, error);
  }
  for (size_t i = 0; i < mb_value_count(given); i++) {
    const mb_value *item = mb_list_at(given, i);
    if (!is_text(item)) {
      return wrong_type(arg, "a list of strings", item, error);
    }
    mb_value *copy = mb_list_add(arena, out);
    if (copy == NULL || mb_value_copy(arena, copy, item) != 0) {
      return mb_error_memory(error);
    }
  }
  return 0;
}

static int convert_into(const mb_arg *arg, mb_arena *arena, const mb_value *given, bool are_text,
                        mb_value *out, mb_error *error) {
  switch (arg->type) {
  case MB_ARG_INTEGER:
    return convert_integer(arg, given, are_text, out, error);
  case MB_ARG_NUMBER:
    return convert_number(arg, given, are_text, out, error);
  case MB_ARG_BOOLEAN:
    return convert_boolean(arg, given, are_text, out, error);
  case MB_ARG_DURATION:
    return convert_duration(arg, given, out, error);
  case MB_ARG_STRINGS:
    return convert_strings(arg, arena, given, are_text, out, error);
  case MB_ARG_STRING:
  case MB_ARG_CHOICE:
    break;
  }
  return convert_string(arg, arena, given, out, error);
}

int mb_arg_convert(const mb_arg *arg, mb_arena *arena, const mb_value *given, bool are_text,
                   const mb_value **out, mb_error *error) {
  mb_value *value = mb_value_new(arena);
  if (value == NULL) {
    return mb_error_memory(error);
  }
  if (convert_into(arg, arena, given, are_text, value, error) != 0) {
    return -1;
  }
  mb_value_set_secret(value, arg->secret || mb_value_is_secret(given));
  *out = value;
  return 0;
}

/* ---- all of them -------------------------------------------------------------------------------
 */

static const mb_arg *find_arg(const mb_manifest *manifest, const char *name) {
  for (size_t i = 0; i < manifest->arg_count; i++) {
    if (strcmp(manifest->args[i].name, name) == 0) {
      return &manifest->args[i];
    }
  }
  return NULL;
}

static int unknown_argument(const mb_manifest *manifest, const char *name, mb_error *error) {
  const char *best = NULL;
  size_t distance = SIZE_MAX;
  char all[400] = "";
  size_t used = 0;
  for (size_t i = 0; i < manifest->arg_count; i++) {
    const char *known = manifest->args[i].name;
    mb_text_nearer(name, known, &best, &distance);
    int wrote = snprintf(all + used, sizeof all - used, "%s%s", i == 0 ? "" : ", ", known);
    used = used + (size_t)wrote < sizeof all ? used + (size_t)wrote : sizeof all - 1;
  }
  mb_error_set(error, MB_ERROR_USAGE, "UnknownArgument", "%s has no argument \"%s\"",
               manifest->name, name);
  if (manifest->arg_count == 0) {
    return mb_error_next(error, "It takes no arguments.");
  }
  return best != NULL ? mb_error_next(error, "Did you mean \"%s\"? It takes %s.", best, all)
                      : mb_error_next(error, "It takes %s.", all);
}

static int missing_argument(const mb_manifest *manifest, const mb_arg *arg,
                            const mb_value *environment, mb_error *error) {
  mb_error_set(error, MB_ERROR_USAGE, "MissingArgument", "%s needs the argument \"%s\": %s",
               manifest->name, arg->name, arg->doc);
  if (arg->setting != NULL && environment == NULL) {
    return mb_error_next(
        error, "Give --%s, or --env with an environment of moonbook.lua that has it.", arg->name);
  }
  return mb_error_next(error, "Give --%s.", arg->name);
}

static int bad_argument(const mb_manifest *manifest, const mb_arg *arg, const mb_error *problem,
                        mb_error *error) {
  if (problem->kind == MB_ERROR_MEMORY) {
    return mb_error_memory(error);
  }
  mb_error_set(error, MB_ERROR_USAGE, "BadArgument", "argument \"%s\" of %s: %s", arg->name,
               manifest->name, problem->message);
  return *problem->next == 0
             ? mb_error_next(error, "\"moonbook show %s\" lists its arguments.", manifest->name)
             : mb_error_next(error, "%s", problem->next);
}

/* The value an argument has: given, from the settings, its default; NULL for none. */
static int value_of(const mb_manifest *manifest, const mb_arg *arg, mb_arena *arena,
                    const mb_value *given, bool are_text, const mb_value *environment,
                    const mb_value **out, mb_error *error) {
  const mb_value *from = mb_map_get(given, arg->name);
  bool as_text = are_text;
  if (mb_value_type(from) == MB_TYPE_NULL && arg->setting != NULL) {
    from = mb_setting_value(environment, arg->setting);
    as_text = false;
  }
  *out = arg->default_value;
  if (mb_value_type(from) == MB_TYPE_NULL) {
    return 0;
  }
  mb_error problem;
  mb_error_clear(&problem);
  if (mb_arg_convert(arg, arena, from, as_text, out, &problem) != 0) {
    return bad_argument(manifest, arg, &problem, error);
  }
  /* An unset variable of a shell looks like this, and to ECS an empty name means "default". */
  if (arg->required && mb_value_type(*out) == MB_TYPE_STRING && *mb_value_string(*out) == 0) {
    mb_error_set(&problem, MB_ERROR_USAGE, "BadArgument", "it is empty, and it is required");
    return bad_argument(manifest, arg, &problem, error);
  }
  return 0;
}

int mb_args_resolve(const mb_manifest *manifest, mb_arena *arena, const mb_value *given,
                    bool are_text, const mb_value *environment, mb_value **out, mb_error *error) {
  if (given != NULL && !mb_value_is_map(given)) {
    return mb_error_set(error, MB_ERROR_USAGE, "BadArgument",
                        "the arguments of %s are %s; expected a map by name", manifest->name,
                        mb_type_phrase(given));
  }
  for (size_t i = 0; i < mb_value_count(given); i++) {
    if (find_arg(manifest, mb_map_key_at(given, i)) == NULL) {
      return unknown_argument(manifest, mb_map_key_at(given, i), error);
    }
  }
  mb_value *result = mb_value_new_map(arena);
  if (result == NULL) {
    return mb_error_memory(error);
  }
  for (size_t i = 0; i < manifest->arg_count; i++) {
    const mb_arg *arg = &manifest->args[i];
    const mb_value *value = NULL;
    if (value_of(manifest, arg, arena, given, are_text, environment, &value, error) != 0) {
      return -1;
    }
    if (value == NULL && arg->required) {
      return missing_argument(manifest, arg, environment, error);
    }
    mb_value *put = value == NULL ? NULL : mb_map_put(arena, result, arg->name);
    if (value != NULL && (put == NULL || mb_value_copy(arena, put, value) != 0)) {
      return mb_error_memory(error);
    }
  }
  *out = result;
  return 0;
}

/* ---- text with {argument} ----------------------------------------------------------------------
 */

typedef struct lookup {
  mb_arena *arena;
  const mb_value *args;
} lookup;

static const char *look_up_argument(void *payload, const char *name) {
  const lookup *known = payload;
  const mb_value *value = mb_map_get(known->args, name);
  if (value == NULL || mb_value_is_secret(value)) {
    return value == NULL ? "(none)" : "[secret]";
  }
  if (mb_value_type(value) == MB_TYPE_STRING) {
    return mb_value_string(value);
  }
  return mb_value_to_json(known->arena, value, 0, false);
}

int mb_args_expand(mb_arena *arena, const mb_value *args, const char *template_text,
                   const char **out) {
  lookup known = {arena, args};
  const char *unknown = NULL;
  *out = mb_expand(arena, template_text, look_up_argument, &known, &unknown);
  return *out == NULL ? -1 : 0;
}

static int check_template(const mb_manifest *manifest, const char *field, const char *text,
                          mb_error *error) {
  const char *at = text;
  while (at != NULL && (at = strchr(at, '{')) != NULL) {
    char name[64];
    size_t size = strcspn(at + 1, "}");
    if (at[1 + size] == 0 || size == 0 || size >= sizeof name) {
      return mb_field_fail(error, manifest->file, "", field, "\"%s\": a { without its }", text);
    }
    memcpy(name, at + 1, size);
    name[size] = 0;
    if (find_arg(manifest, name) == NULL) {
      mb_error problem;
      unknown_argument(manifest, name, &problem);
      mb_field_fail(error, manifest->file, "", field, "\"%s\": %s", text, problem.message);
      return mb_error_next(error, "%s", problem.next);
    }
    at += size + 2;
  }
  return 0;
}

static int check_templates(const mb_manifest *manifest, const char *field, const mb_value *list,
                           mb_error *error) {
  for (size_t i = 0; i < mb_value_count(list); i++) {
    if (check_template(manifest, field, mb_value_string(mb_list_at(list, i)), error) != 0) {
      return -1;
    }
  }
  return 0;
}

int mb_args_check_templates(const mb_manifest *manifest, mb_error *error) {
  if (check_templates(manifest, "changes", manifest->changes, error) != 0 ||
      check_templates(manifest, "hosts", manifest->hosts, error) != 0) {
    return -1;
  }
  return check_template(manifest, "confirm", manifest->confirm, error);
}
