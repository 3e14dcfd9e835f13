/* Scalars: numbers, times and blobs to the text that forms, XML, headers and labels carry, and
 * back. */
#include "aws/codec/internal.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Years -9999 to 9999, the range the calendar forms can write. */
#define TIME_LEAST    (-377705116800.0)
#define TIME_GREATEST 253402300799.999

/* Doubles at or beyond this do not fit 64 bits. */
#define INTEGER_END 9223372036854775808.0

bool mb_scalar_integer(const mb_value *value, int64_t *out) {
  if (mb_value_type(value) == MB_TYPE_INTEGER) {
    *out = value->as.integer;
    return true;
  }
  if (mb_value_type(value) != MB_TYPE_NUMBER) {
    return false;
  }
  double number = value->as.number;
  if (!(number >= -INTEGER_END && number < INTEGER_END) || floor(number) != number) {
    return false;
  }
  *out = (int64_t)number;
  return true;
}

static bool named_number(const char *text, size_t size, double *out) {
  if (size == 3 && memcmp(text, "NaN", 3) == 0) {
    *out = (double)NAN;
  } else if (size == 8 && memcmp(text, "Infinity", 8) == 0) {
    *out = (double)INFINITY;
  } else if (size == 9 && memcmp(text, "-Infinity", 9) == 0) {
    *out = -(double)INFINITY;
  } else {
    return false;
  }
  return true;
}

bool mb_scalar_number(const mb_value *value, double *out) {
  switch (mb_value_type(value)) {
  case MB_TYPE_INTEGER:
    *out = (double)value->as.integer;
    return true;
  case MB_TYPE_NUMBER:
    *out = value->as.number;
    return true;
  case MB_TYPE_STRING:
    return named_number(value->as.bytes.data, value->as.bytes.size, out);
  default:
    return false;
  }
}

bool mb_scalar_time(const mb_value *value, double *out) {
  mb_type type = mb_value_type(value);
  if (type == MB_TYPE_STRING) {
    if (mb_time_parse(value->as.bytes.data, value->as.bytes.size, out) != 0) {
      return false;
    }
  } else if (type == MB_TYPE_INTEGER || type == MB_TYPE_NUMBER) {
    *out = mb_value_number(value);
  } else {
    return false;
  }
  return *out >= TIME_LEAST && *out <= TIME_GREATEST;
}

mb_timestamp_format mb_scalar_format(const mb_coding *c, const mb_member *ref,
                                     mb_timestamp_format fallback) {
  if (ref->format != MB_TIMESTAMP_DEFAULT) {
    return (mb_timestamp_format)ref->format;
  }
  const mb_shape *shape = mb_coding_shape(c, ref);
  return shape->format != MB_TIMESTAMP_DEFAULT ? (mb_timestamp_format)shape->format : fallback;
}

void mb_scalar_add_time(mb_buffer *out, const mb_value *value, double seconds,
                        mb_timestamp_format format) {
  if (format == MB_TIMESTAMP_HTTP) {
    mb_time_add(out, floor(seconds), MB_TIME_HTTP); /* the form has no fraction */
  } else if (format == MB_TIMESTAMP_ISO) {
    mb_time_add(out, seconds, MB_TIME_ISO8601);
  } else if (mb_value_type(value) == MB_TYPE_INTEGER) {
    mb_buffer_addf(out, "%" PRId64, value->as.integer);
  } else {
    mb_time_add(out, seconds, MB_TIME_EPOCH);
  }
}

void mb_scalar_add_number(mb_buffer *out, const mb_value *value, double number) {
  if (mb_value_type(value) == MB_TYPE_INTEGER) {
    mb_buffer_addf(out, "%" PRId64, value->as.integer);
  } else if (isnan(number)) {
    mb_buffer_add_text(out, "NaN");
  } else if (isinf(number)) {
    mb_buffer_add_text(out, number > 0 ? "Infinity" : "-Infinity");
  } else {
    mb_json_write_number(out, number);
  }
}

int mb_scalar_blob(mb_coding *c, const mb_member *ref, const mb_value *value, const char **data,
                   size_t *size) {
  mb_type type = mb_value_type(value);
  if (type != MB_TYPE_STRING && type != MB_TYPE_BLOB) {
    return mb_coding_expected(c, mb_coding_name(c, ref), "bytes", value);
  }
  *data = mb_value_bytes(value, size);
  if (type == MB_TYPE_BLOB || !c->codec->blobs_are_base64) {
    return 0;
  }
  int result = mb_coding_base64(c, value->as.bytes.data, value->as.bytes.size, data, size);
  return result <= 0 ? result
                     : mb_error_set(c->error, MB_ERROR_USAGE, "InvalidArgument",
                                    "%s: this is not base64", mb_coding_name(c, ref));
}

void mb_scalar_set_time(mb_value *out, double seconds) {
  if (seconds >= -INTEGER_END && seconds < INTEGER_END && floor(seconds) == seconds) {
    mb_value_set_integer(out, (int64_t)seconds);
  } else {
    mb_value_set_number(out, seconds);
  }
}

static int write_blob(mb_coding *c, mb_buffer *out, const mb_member *ref, const mb_value *value) {
  const char *data;
  size_t size;
  if (mb_scalar_blob(c, ref, value, &data, &size) != 0) {
    return -1;
  }
  mb_text_add_base64(out, data, size);
  return 0;
}

static int write_string(mb_coding *c, mb_buffer *out, const mb_member *ref, const mb_value *value) {
  mb_type type = mb_value_type(value);
  if (type == MB_TYPE_STRING || type == MB_TYPE_BLOB) {
    mb_buffer_add(out, value->as.bytes.data, value->as.bytes.size);
    return 0;
  }
  if ((ref->flags & MB_MEMBER_JSON_VALUE) != 0) {
    mb_json_write_value(out, value, 0, true);
    return 0;
  }
  return mb_coding_expected(c, mb_coding_name(c, ref), "a string", value);
}

static int write_integer(mb_coding *c, mb_buffer *out, const mb_member *ref,
                         const mb_value *value) {
  int64_t integer;
  if (!mb_scalar_integer(value, &integer)) {
    return mb_coding_expected(c, mb_coding_name(c, ref), "an integer", value);
  }
  mb_buffer_addf(out, "%" PRId64, integer);
  return 0;
}

static int write_number(mb_coding *c, mb_buffer *out, const mb_member *ref, const mb_value *value) {
  double number;
  if (!mb_scalar_number(value, &number)) {
    return mb_coding_expected(c, mb_coding_name(c, ref), "a number", value);
  }
  mb_scalar_add_number(out, value, number);
  return 0;
}

static int write_time(mb_coding *c, mb_buffer *out, const mb_member *ref, const mb_value *value,
                      mb_timestamp_format fallback) {
  double seconds;
  if (!mb_scalar_time(value, &seconds)) {
    return mb_coding_expected(c, mb_coding_name(c, ref), "a time (seconds since 1970, or a date)",
                              value);
  }
  mb_scalar_add_time(out, value, seconds, mb_scalar_format(c, ref, fallback));
  return 0;
}

int mb_scalar_write(mb_coding *c, mb_buffer *out, const mb_member *ref, const mb_value *value,
                    mb_timestamp_format fallback) {
  switch ((mb_shape_type)mb_coding_shape(c, ref)->type) {
  case MB_SHAPE_STRING:
    return write_string(c, out, ref, value);
  case MB_SHAPE_BLOB:
    return write_blob(c, out, ref, value);
  case MB_SHAPE_BOOLEAN:
    if (mb_value_type(value) != MB_TYPE_BOOLEAN) {
      return mb_coding_expected(c, mb_coding_name(c, ref), "true or false", value);
    }
    mb_buffer_add_text(out, value->as.boolean ? "true" : "false");
    return 0;
  case MB_SHAPE_INTEGER:
  case MB_SHAPE_LONG:
    return write_integer(c, out, ref, value);
  case MB_SHAPE_FLOAT:
  case MB_SHAPE_DOUBLE:
    return write_number(c, out, ref, value);
  case MB_SHAPE_TIMESTAMP:
    return write_time(c, out, ref, value, fallback);
  case MB_SHAPE_DOCUMENT:
    mb_json_write_value(out, value, 0, true);
    return 0;
  default:
    return mb_coding_expected(c, mb_coding_name(c, ref), "a plain value", value);
  }
}

static int read_blob(mb_coding *c, const mb_member *ref, const char *text, size_t size,
                     mb_value *out) {
  const char *data;
  size_t data_size;
  int result = mb_coding_base64(c, text, size, &data, &data_size);
  if (result != 0) {
    return result < 0 ? -1
                      : mb_coding_unreadable(c, "%s is not base64", mb_coding_text(c, ref->wire));
  }
  mb_value_borrow(out, MB_TYPE_BLOB, data, data_size);
  return 0;
}

static int read_boolean(const char *text, size_t size, mb_value *out) {
  if (size == 4 && memcmp(text, "true", 4) == 0) {
    mb_value_set_boolean(out, true);
  } else if (size == 5 && memcmp(text, "false", 5) == 0) {
    mb_value_set_boolean(out, false);
  } else {
    return -1;
  }
  return 0;
}

static int read_number(const char *text, size_t size, mb_value *out) {
  double number;
  if (!named_number(text, size, &number) && mb_parse_number(text, size, &number) != 0) {
    return -1;
  }
  mb_value_set_number(out, number);
  return 0;
}

static int read_integer(const char *text, size_t size, mb_value *out) {
  int64_t integer;
  if (mb_parse_integer(text, size, &integer) != 0) {
    mb_value number;
    if (read_number(text, size, &number) != 0 || !mb_scalar_integer(&number, &integer)) {
      return -1;
    }
  }
  mb_value_set_integer(out, integer);
  return 0;
}

static int read_time(const char *text, size_t size, mb_value *out) {
  double seconds;
  if (mb_time_parse(text, size, &seconds) != 0) {
    return -1;
  }
  mb_scalar_set_time(out, seconds);
  return 0;
}

static int read_plain(mb_coding *c, const mb_shape *shape, const char *text, size_t size,
                      mb_value *out) {
  switch ((mb_shape_type)shape->type) {
  case MB_SHAPE_BOOLEAN:
    return read_boolean(text, size, out);
  case MB_SHAPE_INTEGER:
  case MB_SHAPE_LONG:
    return read_integer(text, size, out);
  case MB_SHAPE_FLOAT:
  case MB_SHAPE_DOUBLE:
    return read_number(text, size, out);
  case MB_SHAPE_TIMESTAMP:
    return read_time(text, size, out);
  default:
    return -1;
  }
}

static void trim(const char **text, size_t *size) {
  while (*size > 0 && strchr(" \t\r\n", **text) != NULL && **text != '\0') {
    (*text)++;
    (*size)--;
  }
  while (*size > 0 && (*text)[*size - 1] != '\0' && strchr(" \t\r\n", (*text)[*size - 1]) != NULL) {
    (*size)--;
  }
}

int mb_scalar_read(mb_coding *c, const mb_member *ref, const char *text, size_t size,
                   mb_value *out) {
  const mb_shape *shape = mb_coding_shape(c, ref);
  mb_value_set_null(out);
  if (shape->type == MB_SHAPE_STRING) {
    return mb_value_set_bytes(c->arena, out, MB_TYPE_STRING, text, size) == 0
               ? 0
               : mb_error_memory(c->error);
  }
  trim(&text, &size);
  if (shape->type == MB_SHAPE_BLOB) {
    return read_blob(c, ref, text, size, out);
  }
  if (size > 0 && read_plain(c, shape, text, size, out) != 0) {
    static const char *const nouns[] = {
        [MB_SHAPE_BOOLEAN] = "true or false", [MB_SHAPE_INTEGER] = "an integer",
        [MB_SHAPE_LONG] = "an integer",       [MB_SHAPE_FLOAT] = "a number",
        [MB_SHAPE_DOUBLE] = "a number",       [MB_SHAPE_TIMESTAMP] = "a time",
        [MB_SHAPE_DOCUMENT] = "a plain value"};
    return mb_coding_unreadable(c, "%s is not %s", mb_coding_text(c, ref->wire),
                                nouns[shape->type] != NULL ? nouns[shape->type] : "a plain value");
  }
  return 0;
}
