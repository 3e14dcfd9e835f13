/* Checking arguments against a declaration: unknown, missing and mistyped ones are told apart, and
 * each message says what would have been right. */
#include "call/arguments.h"

#include "base/text.h"
#include "base/value.h"
#include "call/call.h"
#include "call/registry.h"
#include <math.h>
#include <string.h>

const char *mb_argument_type_name(mb_argument_type type) {
  switch (type) {
  case MB_ARGUMENT_STRING:
    return "string";
  case MB_ARGUMENT_INTEGER:
    return "integer";
  case MB_ARGUMENT_NUMBER:
    return "number";
  case MB_ARGUMENT_BOOLEAN:
    return "boolean";
  case MB_ARGUMENT_DURATION:
    return "duration";
  case MB_ARGUMENT_LIST:
    return "list";
  case MB_ARGUMENT_STRINGS:
    return "list of strings";
  case MB_ARGUMENT_MAP:
    return "map";
  case MB_ARGUMENT_ANY:
    return "any";
  }
  return "unknown";
}

const mb_argument *mb_arguments_find(const mb_primitive *primitive, const char *name) {
  for (const mb_argument *a = primitive->arguments; a && a->name; a++) {
    if (strcmp(a->name, name) == 0)
      return a;
  }
  return NULL;
}

/* ---- types ---- */

static bool is_text(const mb_value *value) {
  mb_type type = mb_value_type(value);
  return type == MB_TYPE_STRING || type == MB_TYPE_BLOB;
}

static bool is_integer(const mb_value *value) {
  if (mb_value_type(value) == MB_TYPE_INTEGER)
    return true;
  double number = mb_value_number(value);
  return mb_value_type(value) == MB_TYPE_NUMBER && floor(number) == number &&
         fabs(number) <= 9007199254740992.0;
}

static bool is_number(const mb_value *value) {
  mb_type type = mb_value_type(value);
  return type == MB_TYPE_INTEGER || (type == MB_TYPE_NUMBER && isfinite(mb_value_number(value)));
}

/* An empty table of Lua is a list and a map at once. */
static bool is_container(const mb_value *value, mb_type wanted) {
  mb_type type = mb_value_type(value);
  if (type == wanted)
    return true;
  return (type == MB_TYPE_LIST || type == MB_TYPE_MAP) && mb_value_count(value) == 0;
}

static bool is_list_of_text(const mb_value *value) {
  if (!is_container(value, MB_TYPE_LIST))
    return false;
  for (size_t i = 0; i < mb_value_count(value); i++) {
    if (!is_text(mb_list_at(value, i)))
      return false;
  }
  return true;
}

/* Seconds of a duration, or -1. */
static double duration_seconds(const mb_value *value) {
  double seconds = -1;
  if (mb_value_type(value) == MB_TYPE_STRING) {
    size_t size;
    const char *text = mb_value_bytes(value, &size);
    if (strlen(text) != size || mb_parse_duration(text, &seconds) != 0)
      return -1;
  } else if (is_number(value)) {
    seconds = mb_value_number(value);
  }
  return seconds >= 0 && seconds <= MB_LONGEST_SECONDS ? seconds : -1;
}

static bool type_fits(mb_argument_type type, const mb_value *value) {
  switch (type) {
  case MB_ARGUMENT_STRING:
    return is_text(value);
  case MB_ARGUMENT_INTEGER:
    return is_integer(value);
  case MB_ARGUMENT_NUMBER:
    return is_number(value);
  case MB_ARGUMENT_BOOLEAN:
    return mb_value_type(value) == MB_TYPE_BOOLEAN;
  case MB_ARGUMENT_DURATION:
    return duration_seconds(value) >= 0;
  case MB_ARGUMENT_LIST:
    return is_container(value, MB_TYPE_LIST);
  case MB_ARGUMENT_STRINGS:
    return is_list_of_text(value);
  case MB_ARGUMENT_MAP:
    return is_container(value, MB_TYPE_MAP);
  case MB_ARGUMENT_ANY:
    return true;
  }
  return false;
}

/* ---- messages ---- */

static int wrong_type(const mb_primitive *primitive, const mb_argument *argument,
                      const mb_value *value, mb_error *error) {
  mb_error_set(error, MB_ERROR_USAGE, "WrongType", "%s: \"%s\" expects a %s, got a %s",
               primitive->name, argument->name, mb_argument_type_name(argument->type),
               mb_type_name(mb_value_type(value)));
  if (argument->type == MB_ARGUMENT_DURATION)
    return mb_error_next(error,
                         "give seconds (90) or text such as \"90s\", \"15m\", \"2h\"; "
                         "not below 0 and not above %.0f seconds",
                         MB_LONGEST_SECONDS);
  return mb_error_next(error, "%s: %s", argument->name, argument->doc);
}

static int unknown_argument(const mb_primitive *primitive, const char *name, mb_error *error) {
  char quoted[96];
  const char *best = NULL;
  size_t distance = SIZE_MAX;
  for (const mb_argument *a = primitive->arguments; a && a->name; a++)
    mb_text_nearer(name, a->name, &best, &distance);
  mb_error_set(error, MB_ERROR_USAGE, "UnknownArgument", "%s has no argument \"%s\"",
               primitive->name, mb_name_quote(quoted, sizeof quoted, name));
  if (best)
    return mb_error_next(error, "did you mean \"%s\"?", best);
  return mb_error_next(error, "\"moonbook help %s\" lists its arguments", primitive->name);
}

static int missing_argument(const mb_primitive *primitive, const mb_argument *argument,
                            mb_error *error) {
  mb_error_set(error, MB_ERROR_USAGE, "MissingArgument", "%s needs \"%s\" (%s)", primitive->name,
               argument->name, mb_argument_type_name(argument->type));
  return mb_error_next(error, "%s: %s", argument->name, argument->doc);
}

static int check_given(const mb_primitive *primitive, const mb_value *args, mb_error *error) {
  for (size_t i = 0; i < mb_value_count(args); i++) {
    const char *name = mb_map_key_at(args, i);
    const mb_value *value = mb_map_value_at(args, i);
    const mb_argument *argument = mb_arguments_find(primitive, name);
    if (!argument)
      return unknown_argument(primitive, name, error);
    if (mb_value_type(value) != MB_TYPE_NULL && !type_fits(argument->type, value))
      return wrong_type(primitive, argument, value, error);
  }
  return 0;
}

static int no_map(const mb_primitive *primitive, const mb_value *args, mb_error *error) {
  mb_error_set(error, MB_ERROR_USAGE, "WrongType", "%s takes named arguments, got a %s",
               primitive->name, mb_type_name(mb_value_type(args)));
  return mb_error_next(error, "call it as %s{name = value}", primitive->name);
}

int mb_arguments_check(const mb_primitive *primitive, const mb_value *args, mb_error *error) {
  if (mb_value_type(args) != MB_TYPE_NULL && !is_container(args, MB_TYPE_MAP))
    return no_map(primitive, args, error);
  if (mb_value_type(args) == MB_TYPE_MAP && check_given(primitive, args, error) != 0)
    return -1;
  for (const mb_argument *a = primitive->arguments; a && a->name; a++) {
    if (a->required && mb_value_type(mb_map_get(args, a->name)) == MB_TYPE_NULL)
      return missing_argument(primitive, a, error);
  }
  return 0;
}

/* ---- converting ---- */

static bool is_duration_text(const mb_primitive *primitive, const char *name,
                             const mb_value *value) {
  if (mb_value_type(value) != MB_TYPE_STRING)
    return false;
  const mb_argument *argument = mb_arguments_find(primitive, name);
  return argument && argument->type == MB_ARGUMENT_DURATION;
}

int mb_arguments_convert(mb_arena *arena, const mb_primitive *primitive, const mb_value *args,
                         const mb_value **out) {
  *out = args;
  bool any = false;
  for (size_t i = 0; mb_value_type(args) == MB_TYPE_MAP && i < mb_value_count(args); i++)
    any = any || is_duration_text(primitive, mb_map_key_at(args, i), mb_map_value_at(args, i));
  if (!any)
    return 0;
  mb_value *copy = mb_value_new_map(arena);
  for (size_t i = 0; copy && i < mb_value_count(args); i++) {
    const char *name = mb_map_key_at(args, i);
    const mb_value *value = mb_map_value_at(args, i);
    mb_value *put = mb_map_put(arena, copy, name);
    if (!put)
      return -1;
    *put = *value; /* shares text and items: both live in `arena` */
    if (is_duration_text(primitive, name, value))
      mb_value_set_number(put, duration_seconds(value));
  }
  *out = copy;
  return copy ? 0 : -1;
}

mb_value *mb_arguments_of_operation(mb_arena *arena, const mb_value *args) {
  mb_value *copy = mb_value_new_map(arena);
  for (size_t i = 0; copy && mb_value_type(args) == MB_TYPE_MAP && i < mb_value_count(args); i++) {
    const char *name = mb_map_key_at(args, i);
    if (strcmp(name, MB_ARGUMENT_DELAY) == 0 || strcmp(name, MB_ARGUMENT_ATTEMPTS) == 0)
      continue;
    mb_value *put = mb_map_put(arena, copy, name);
    if (!put)
      return NULL;
    *put = *mb_map_value_at(args, i);
  }
  return copy;
}

/* ---- operations: the codec knows their members ---- */

static int check_wait(const mb_binding *binding, const mb_value *args, mb_error *error) {
  static const char *const own[] = {MB_ARGUMENT_DELAY, MB_ARGUMENT_ATTEMPTS};
  for (size_t i = 0; i < 2; i++) {
    const mb_argument *argument = mb_arguments_find(&binding->primitive, own[i]);
    const mb_value *value = mb_map_get(args, own[i]);
    if (mb_value_type(value) == MB_TYPE_NULL)
      continue;
    if (!type_fits(argument->type, value))
      return wrong_type(&binding->primitive, argument, value, error);
    if (i == 1 && (mb_value_integer(value) < 1 || mb_value_integer(value) > 1000000)) {
      mb_error_set(error, MB_ERROR_USAGE, "WrongValue", "%s: \"%s\" must be from 1 to 1000000",
                   binding->primitive.name, own[i]);
      return -1;
    }
  }
  return 0;
}

static int check_operation(mb_engine *engine, const mb_binding *binding, mb_arena *arena,
                           const mb_value *args, mb_error *error) {
  if (mb_value_type(args) != MB_TYPE_NULL && !is_container(args, MB_TYPE_MAP))
    return no_map(&binding->primitive, args, error);
  if (mb_value_type(args) != MB_TYPE_MAP)
    args = NULL;
  if (binding->waiter) {
    if (check_wait(binding, args, error) != 0)
      return -1;
    args = mb_arguments_of_operation(arena, args);
    if (!args)
      return mb_error_memory(error);
  }
  mb_codec codec = {.model = binding->model, .system = &engine->system, .names = MB_NAMES_SNAKE};
  return mb_codec_validate(&codec, binding->operation, args, error);
}

int mb_call_check(mb_engine *engine, const mb_binding *binding, mb_arena *arena,
                  const mb_value *args, mb_error *error) {
  int status = binding->operation ? check_operation(engine, binding, arena, args, error)
                                  : mb_arguments_check(&binding->primitive, args, error);
  if (status != 0 && error)
    mb_text_copy(error->operation, sizeof error->operation, binding->primitive.name);
  return status;
}

void mb_call_mark_secrets(mb_engine *engine, const mb_binding *binding, mb_value *args) {
  mb_codec codec = {.model = binding->model, .system = &engine->system, .names = MB_NAMES_SNAKE};
  if (binding->operation)
    mb_codec_mark_secrets(&codec, binding->operation, args);
}
