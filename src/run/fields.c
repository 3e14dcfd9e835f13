/* Reading tables of a person's files, with messages that name the file and the field. */
#include "run/fields.h"

#include "base/buffer.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int mb_field_fail(mb_error *error, const char *file, const char *path, const char *name,
                  const char *format, ...) {
  char problem[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(problem, sizeof problem, format, arguments);
  va_end(arguments);
  return mb_error_set(error, MB_ERROR_USAGE, "BadField", "%s: %s%s: %s", file, path, name, problem);
}

const char *mb_type_phrase(const mb_value *value) {
  switch (mb_value_type(value)) {
  case MB_TYPE_NULL:
    return "nothing";
  case MB_TYPE_BOOLEAN:
    return "a boolean";
  case MB_TYPE_INTEGER:
    return "an integer";
  case MB_TYPE_NUMBER:
    return "a number";
  case MB_TYPE_STRING:
    return "a string";
  case MB_TYPE_BLOB:
    return "bytes";
  case MB_TYPE_LIST:
    return "a list";
  case MB_TYPE_MAP:
    return "a table of names";
  }
  return "something else";
}

bool mb_value_is_list(const mb_value *value) {
  mb_type type = mb_value_type(value);
  return type == MB_TYPE_LIST || (type == MB_TYPE_MAP && mb_value_count(value) == 0);
}

bool mb_value_is_map(const mb_value *value) {
  mb_type type = mb_value_type(value);
  return type == MB_TYPE_MAP || (type == MB_TYPE_LIST && mb_value_count(value) == 0);
}

static bool is_known(const char *name, const char *const *known) {
  for (size_t i = 0; known[i] != NULL; i++) {
    if (strcmp(known[i], name) == 0) {
      return true;
    }
  }
  return false;
}

static size_t count_names(const char *const *names) {
  size_t count = 0;
  while (names[count] != NULL) {
    count++;
  }
  return count;
}

int mb_fields_known(const mb_value *map, const char *file, const char *path,
                    const char *const *known, mb_error *error) {
  for (size_t i = 0; i < mb_value_count(map); i++) {
    const char *name = mb_map_key_at(map, i);
    if (name == NULL || is_known(name, known)) {
      continue;
    }
    const char *nearest = mb_text_nearest(name, known, count_names(known));
    mb_field_fail(error, file, path, name, "unknown field");
    return nearest == NULL ? -1 : mb_error_next(error, "Did you mean \"%s\"?", nearest);
  }
  return 0;
}

int mb_field_text(const mb_value *map, const char *file, const char *path, const char *name,
                  const char **out, mb_error *error) {
  const mb_value *value = mb_map_get(map, name);
  if (mb_value_type(value) == MB_TYPE_NULL) {
    return 0;
  }
  if (mb_value_type(value) != MB_TYPE_STRING) {
    return mb_field_fail(error, file, path, name, "expected a string, got %s",
                         mb_type_phrase(value));
  }
  size_t size = 0;
  const char *text = mb_value_bytes(value, &size);
  if (memchr(text, 0, size) != NULL || !mb_utf8_valid(text, size)) {
    return mb_field_fail(error, file, path, name, "expected text, got bytes that are not UTF-8");
  }
  *out = text;
  return 0;
}

int mb_field_boolean(const mb_value *map, const char *file, const char *path, const char *name,
                     bool *out, mb_error *error) {
  const mb_value *value = mb_map_get(map, name);
  if (mb_value_type(value) == MB_TYPE_NULL) {
    return 0;
  }
  if (mb_value_type(value) != MB_TYPE_BOOLEAN) {
    return mb_field_fail(error, file, path, name, "expected true or false, got %s",
                         mb_type_phrase(value));
  }
  *out = mb_value_boolean(value);
  return 0;
}

int mb_field_texts(const mb_value *map, const char *file, const char *path, const char *name,
                   const mb_value **out, mb_error *error) {
  const mb_value *value = mb_map_get(map, name);
  *out = NULL;
  if (mb_value_type(value) == MB_TYPE_NULL) {
    return 0;
  }
  if (!mb_value_is_list(value)) {
    return mb_field_fail(error, file, path, name, "expected a list of strings, got %s",
                         mb_type_phrase(value));
  }
  for (size_t i = 0; i < mb_value_count(value); i++) {
    const mb_value *item = mb_list_at(value, i);
    if (mb_value_type(item) != MB_TYPE_STRING) {
      return mb_field_fail(error, file, path, name, "item %zu: expected a string, got %s", i + 1,
                           mb_type_phrase(item));
    }
  }
  *out = value;
  return 0;
}

/* Copies the name between the braces at `open` into the arena; NULL when there is no closing one.
 */
static char *name_in_braces(mb_arena *arena, const char *open, const char **after) {
  const char *close = strchr(open, '}');
  if (close == NULL) {
    return NULL;
  }
  *after = close + 1;
  return mb_arena_strndup(arena, open + 1, (size_t)(close - open - 1));
}

char *mb_expand(mb_arena *arena, const char *template_text,
                const char *(*look_up)(void *payload, const char *name), void *payload,
                const char **unknown) {
  mb_buffer text = MB_BUFFER_INIT(4096);
  const char *at = template_text;
  char *result = NULL;
  *unknown = NULL;
  while (*at != 0) {
    size_t plain = strcspn(at, "{");
    mb_buffer_add(&text, at, plain);
    at += plain;
    if (*at == 0) {
      break;
    }
    const char *after = NULL;
    const char *name = name_in_braces(arena, at, &after);
    const char *value = name == NULL ? NULL : look_up(payload, name);
    if (value == NULL) {
      *unknown = name == NULL ? at : name;
      goto done;
    }
    mb_buffer_add_text(&text, value);
    at = after;
  }
  if (!text.failed) {
    result = mb_arena_strdup(arena, mb_buffer_text(&text));
  }
done:
  mb_buffer_dispose(&text);
  return result;
}
