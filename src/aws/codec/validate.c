/* Checking an input against its shape before anything is sent, with messages that name the place.
 */
#include "aws/codec/internal.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

static int check(mb_coding *c, const mb_place *at, const mb_member *ref, const mb_value *value);

static int expected(mb_coding *c, const mb_place *at, const char *what, const mb_value *got) {
  mb_buffer text;
  int result = mb_coding_expected(c, mb_place_text(&text, at), what, got);
  mb_buffer_dispose(&text);
  return result;
}

static int invalid(mb_coding *c, const mb_place *at, const char *code, const char *problem) {
  mb_buffer text;
  mb_error_set(c->error, MB_ERROR_USAGE, code, "%s: %s", mb_place_text(&text, at), problem);
  mb_buffer_dispose(&text);
  return -1;
}

static int too_small(mb_coding *c, const mb_place *at, const char *what, int64_t least) {
  mb_buffer text;
  mb_error_set(c->error, MB_ERROR_USAGE, "InvalidArgument", "%s: %s must be at least %" PRId64,
               mb_place_text(&text, at), what, least);
  mb_buffer_dispose(&text);
  return -1;
}

static int check_least(mb_coding *c, const mb_place *at, const mb_shape *shape, int64_t size,
                       const char *what) {
  bool bound = (shape->flags & MB_SHAPE_HAS_MIN) != 0;
  return bound && size < shape->min ? too_small(c, at, what, shape->min) : 0;
}

/* ---- structures ---- */

static int missing(mb_coding *c, const mb_place *up, const mb_member *member) {
  mb_place here = {up, mb_coding_name(c, member), 0};
  return invalid(c, &here, "MissingArgument", "this is required");
}

static int check_required(mb_coding *c, const mb_place *at, const mb_shape *shape,
                          const mb_value *value) {
  const mb_member *members = mb_model_members(c->model, shape);
  for (uint32_t i = 0; i < shape->member_count; i++) {
    bool required = (members[i].flags & MB_MEMBER_REQUIRED) != 0 &&
                    (members[i].flags & MB_MEMBER_IDEMPOTENCY_TOKEN) == 0;
    if (required && mb_coding_get(c, value, &members[i]) == NULL) {
      return missing(c, at, &members[i]);
    }
  }
  return 0;
}

/* The same member in both spellings would be sent twice. */
static bool given_twice(const mb_coding *c, const mb_value *value, const mb_entry *entry,
                        const mb_member *member) {
  const char *snake = mb_coding_text(c, member->snake);
  return strcmp(entry->key, snake) != 0 && mb_map_get(value, snake) != NULL;
}

static int check_entry(mb_coding *c, const mb_place *at, const mb_shape *shape,
                       const mb_value *value, const mb_entry *entry) {
  mb_place here = {at, entry->key, 0};
  const mb_member *member = mb_coding_entry(c, shape, entry);
  if (member == NULL) {
    if (c->codec->allow_unknown) {
      return 0;
    }
    mb_buffer text;
    mb_coding_unknown(c, shape, mb_place_text(&text, &here), entry->key);
    mb_buffer_dispose(&text);
    return -1;
  }
  if (given_twice(c, value, entry, member)) {
    return invalid(c, &here, "InvalidArgument", "this is given twice, in two spellings");
  }
  return entry->value.type != MB_TYPE_NULL ? check(c, &here, member, &entry->value) : 0;
}

static size_t count_set(const mb_value *map) {
  size_t count = 0;
  for (size_t i = 0; mb_value_type(map) == MB_TYPE_MAP && i < map->count; i++) {
    count += map->as.entries[i].value.type != MB_TYPE_NULL;
  }
  return count;
}

static int check_structure(mb_coding *c, const mb_place *at, const mb_shape *shape,
                           const mb_value *value) {
  if (!mb_coding_is_map(value)) {
    return expected(c, at, "a map", value);
  }
  for (size_t i = 0; i < value->count; i++) {
    if (check_entry(c, at, shape, value, &value->as.entries[i]) != 0) {
      return -1;
    }
  }
  if ((shape->flags & MB_SHAPE_UNION) != 0 && count_set(value) != 1) {
    return invalid(c, at, "InvalidArgument", "exactly one member must be given");
  }
  return check_required(c, at, shape, value);
}

/* ---- containers ---- */

static int check_list(mb_coding *c, const mb_place *at, const mb_shape *shape,
                      const mb_value *value) {
  if (!mb_coding_is_list(value)) {
    return expected(c, at, "a list", value);
  }
  const mb_member *item = mb_model_members(c->model, shape);
  for (size_t i = 0; i < value->count; i++) {
    mb_place here = {at, NULL, i};
    const mb_value *element = mb_list_at(value, i);
    if (mb_value_type(element) != MB_TYPE_NULL && check(c, &here, item, element) != 0) {
      return -1;
    }
  }
  return check_least(c, at, shape, (int64_t)value->count, "the number of items");
}

static int check_map(mb_coding *c, const mb_place *at, const mb_shape *shape,
                     const mb_value *value) {
  if (!mb_coding_is_map(value)) {
    return expected(c, at, "a map", value);
  }
  const mb_member *item = mb_model_members(c->model, shape) + 1;
  for (size_t i = 0; i < value->count; i++) {
    const mb_entry *entry = &value->as.entries[i];
    mb_place here = {at, entry->key, 0};
    if (entry->value.type != MB_TYPE_NULL && check(c, &here, item, &entry->value) != 0) {
      return -1;
    }
  }
  return check_least(c, at, shape, (int64_t)value->count, "the number of entries");
}

/* ---- scalars ---- */

static int64_t count_characters(const char *text, size_t size) {
  int64_t count = 0;
  for (size_t i = 0; i < size; i++) {
    count += ((unsigned char)text[i] & 0xC0) != 0x80;
  }
  return count;
}

static int check_string(mb_coding *c, const mb_place *at, const mb_member *ref,
                        const mb_shape *shape, const mb_value *value) {
  mb_type type = mb_value_type(value);
  if ((ref->flags & MB_MEMBER_JSON_VALUE) != 0) {
    return 0; /* any value: it travels as JSON text */
  }
  if (type != MB_TYPE_STRING && type != MB_TYPE_BLOB) {
    return expected(c, at, "a string", value);
  }
  if (ref->location == MB_LOCATION_URI && value->as.bytes.size == 0) {
    return invalid(c, at, "InvalidArgument",
                   "this must not be empty: it is part of the request's path");
  }
  int64_t size = count_characters(value->as.bytes.data, value->as.bytes.size);
  return check_least(c, at, shape, size, "the length");
}

static int check_integer(mb_coding *c, const mb_place *at, const mb_shape *shape,
                         const mb_value *value) {
  int64_t integer;
  if (!mb_scalar_integer(value, &integer)) {
    bool fraction = mb_value_type(value) == MB_TYPE_NUMBER;
    return fraction ? invalid(c, at, "InvalidArgument",
                              "expected an integer, got a number that is not whole or too large")
                    : expected(c, at, "an integer", value);
  }
  if (shape->type == MB_SHAPE_INTEGER && (integer < INT32_MIN || integer > INT32_MAX)) {
    return invalid(c, at, "InvalidArgument", "the number does not fit 32 bits");
  }
  return check_least(c, at, shape, integer, "the number");
}

static int check_number(mb_coding *c, const mb_place *at, const mb_shape *shape,
                        const mb_value *value) {
  double number;
  if (!mb_scalar_number(value, &number)) {
    return expected(c, at, "a number", value);
  }
  bool bound = (shape->flags & MB_SHAPE_HAS_MIN) != 0;
  return bound && number < (double)shape->min ? too_small(c, at, "the number", shape->min) : 0;
}

static int check_blob(mb_coding *c, const mb_place *at, const mb_shape *shape,
                      const mb_value *value) {
  mb_type type = mb_value_type(value);
  if (type != MB_TYPE_STRING && type != MB_TYPE_BLOB) {
    return expected(c, at, "bytes", value);
  }
  return check_least(c, at, shape, (int64_t)value->as.bytes.size, "the length");
}

static int check_plain(mb_coding *c, const mb_place *at, const mb_member *ref,
                       const mb_shape *shape, const mb_value *value) {
  double seconds;
  switch ((mb_shape_type)shape->type) {
  case MB_SHAPE_STRING:
    return check_string(c, at, ref, shape, value);
  case MB_SHAPE_BLOB:
    return check_blob(c, at, shape, value);
  case MB_SHAPE_BOOLEAN:
    return mb_value_type(value) == MB_TYPE_BOOLEAN ? 0 : expected(c, at, "true or false", value);
  case MB_SHAPE_INTEGER:
  case MB_SHAPE_LONG:
    return check_integer(c, at, shape, value);
  case MB_SHAPE_FLOAT:
  case MB_SHAPE_DOUBLE:
    return check_number(c, at, shape, value);
  case MB_SHAPE_TIMESTAMP:
    return mb_scalar_time(value, &seconds)
               ? 0
               : expected(c, at, "a time (seconds since 1970, or a date)", value);
  default:
    return 0;
  }
}

static int check(mb_coding *c, const mb_place *at, const mb_member *ref, const mb_value *value) {
  const mb_shape *shape = mb_coding_shape(c, ref);
  if (shape->type != MB_SHAPE_STRUCTURE && shape->type != MB_SHAPE_LIST &&
      shape->type != MB_SHAPE_MAP) {
    return check_plain(c, at, ref, shape, value);
  }
  if (mb_coding_descend(c) != 0) {
    return -1;
  }
  int result = shape->type == MB_SHAPE_STRUCTURE ? check_structure(c, at, shape, value)
               : shape->type == MB_SHAPE_LIST    ? check_list(c, at, shape, value)
                                                 : check_map(c, at, shape, value);
  c->depth--;
  return result;
}

int mb_codec_validate(const mb_codec *codec, const mb_operation *operation, const mb_value *input,
                      mb_error *error) {
  static const mb_value nothing = {.type = MB_TYPE_MAP};
  mb_coding c;
  mb_coding_init(&c, codec, NULL, error);
  input = input != NULL ? input : &nothing;
  if (operation->input == MB_NO_INDEX) {
    if (mb_coding_is_map(input) && input->count == 0) {
      return 0;
    }
    return mb_error_set(error, MB_ERROR_USAGE, "UnknownArgument", "%s takes no arguments",
                        mb_coding_text(&c, operation->name));
  }
  if (!mb_coding_is_map(input)) {
    return mb_coding_expected(&c, "the input", "a map", input);
  }
  return check_structure(&c, NULL, mb_model_shape(c.model, operation->input), input);
}
