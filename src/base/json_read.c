/* The JSON reader: strict RFC 8259 syntax, tolerant of bad text inside strings. Strings without
 * escapes are handed out as they lie in the input. */
#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"

#include <string.h>

enum {
  STATE_VALUE,      /* a value must follow */
  STATE_FIRST_ITEM, /* a value or ']' */
  STATE_FIRST_KEY,  /* a key or '}' */
  STATE_AFTER,      /* ',' or the closing bracket */
  STATE_DONE,       /* the outermost value has ended */
  STATE_FAILED
};

void mb_json_reader_init(mb_json_reader *reader, mb_arena *arena, const char *text, size_t size) {
  memset(reader, 0, sizeof *reader);
  reader->start = reader->at = text;
  reader->end = text + size;
  reader->arena = arena;
  reader->state = STATE_VALUE;
}

static mb_json_token fail(mb_json_reader *reader, const char *problem) {
  reader->state = STATE_FAILED;
  reader->problem = problem;
  return MB_JSON_ERROR;
}

static void skip_space(mb_json_reader *reader) {
  const char *at = reader->at;
  while (at < reader->end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')) {
    at++;
  }
  reader->at = at;
}

/* What follows once a value has ended. */
static void value_ended(mb_json_reader *reader) {
  reader->state = reader->depth == 0 ? STATE_DONE : STATE_AFTER;
}

/* ---- strings ---- */

/* True when one of the eight bytes is a quote, a backslash, a control character or not ASCII. */
static bool word_is_special(const char *at) {
  const uint64_t ones = 0x0101010101010101u;
  uint64_t word;
  memcpy(&word, at, sizeof word);
  uint64_t quote = word ^ (ones * '"');
  uint64_t slash = word ^ (ones * '\\');
  uint64_t found = (quote - ones) | (slash - ones) | (word - ones * 0x20) | word;
  return (found & (ones * 0x80)) != 0;
}

static const char *skip_plain(const char *at, const char *end) {
  while (end - at >= 8 && !word_is_special(at)) {
    at += 8;
  }
  while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20 &&
         (unsigned char)*at < 0x80) {
    at++;
  }
  return at;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Four hexadecimal digits, or -1. */
static int32_t read_hex4(const char *at, const char *end) {
  int32_t value = 0;
  if (end - at < 4) {
    return -1;
  }
  for (int i = 0; i < 4; i++) {
    int digit = hex_digit(at[i]);
    if (digit < 0) {
      return -1;
    }
    value = value * 16 + digit;
  }
  return value;
}

/* The length of the escape at `at` (a backslash), or 0 when it is none. */
static size_t escape_length(const char *at, const char *end) {
  if (end - at < 2) {
    return 0;
  }
  if (at[1] == 'u') {
    return read_hex4(at + 2, end) < 0 ? 0 : 6;
  }
  return at[1] != '\0' && strchr("\"\\/bfnrt", at[1]) ? 2 : 0;
}

typedef struct string_scan {
  const char *close; /* the closing quote */
  bool escapes;
  size_t bad; /* bytes that are not UTF-8 */
} string_scan;

/* Checks the string that starts at reader->at (after its quote). NULL, or what is wrong. */
static const char *scan_string(mb_json_reader *reader, string_scan *scan) {
  const char *at = reader->at;
  const char *end = reader->end;
  *scan = (string_scan){NULL, false, 0};
  for (;;) {
    at = skip_plain(at, end);
    size_t length = 1;
    if (at < end && *at == '"') {
      scan->close = at;
      return NULL;
    }
    if (at < end && *at == '\\') {
      scan->escapes = true;
      length = escape_length(at, end);
    } else if (at < end && (unsigned char)*at >= 0x80) {
      length = mb_utf8_read(at, (size_t)(end - at), NULL);
      if (length == 0) {
        scan->bad++;
        length = 1;
      }
    } else {
      reader->at = at;
      return at == end ? "a string does not end" : "a control character in a string";
    }
    if (length == 0) {
      reader->at = at;
      return "an escape that JSON does not know";
    }
    at += length;
  }
}

static char plain_escape(char c) {
  switch (c) {
  case 'b':
    return '\b';
  case 'f':
    return '\f';
  case 'n':
    return '\n';
  case 'r':
    return '\r';
  case 't':
    return '\t';
  default:
    return c;
  }
}

/* Decodes \uXXXX, and the second half of a surrogate pair. Returns where it ends. */
static const char *decode_unicode(const char *at, const char *close, char **out) {
  uint32_t point = (uint32_t)read_hex4(at + 2, close);
  at += 6;
  if (point >= 0xd800 && point <= 0xdfff) {
    int32_t low = -1;
    if (point <= 0xdbff && close - at >= 6 && at[0] == '\\' && at[1] == 'u') {
      low = read_hex4(at + 2, close);
    }
    if (low >= 0xdc00 && low <= 0xdfff) {
      point = 0x10000 + ((point - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
      at += 6;
    } else {
      point = 0xfffd;
    }
  }
  *out += mb_utf8_write(*out, point);
  return at;
}

/* Decodes a string that scan_string has checked. */
static char *decode(const char *at, const char *close, char *out) {
  while (at < close) {
    const char *plain = skip_plain(at, close);
    memcpy(out, at, (size_t)(plain - at));
    out += plain - at;
    at = plain;
    if (at == close) {
      break;
    }
    if (*at == '\\' && at[1] == 'u') {
      at = decode_unicode(at, close, &out);
    } else if (*at == '\\') {
      *out++ = plain_escape(at[1]);
      at += 2;
    } else {
      size_t length = mb_utf8_read(at, (size_t)(close - at), NULL);
      if (length == 0) {
        out += mb_utf8_write(out, 0xfffd);
        length = 1;
      } else {
        memcpy(out, at, length);
        out += length;
      }
      at += length;
    }
  }
  *out = '\0';
  return out;
}

static const char *decode_into_arena(mb_json_reader *reader, const string_scan *scan) {
  size_t raw = (size_t)(scan->close - reader->at);
  /* Escapes only shrink; a bad byte becomes three. */
  size_t room = raw + 2 * scan->bad + 1;
  char *out = mb_arena_alloc(reader->arena, room);
  if (!out) {
    return "out of memory";
  }
  char *end = decode(reader->at, scan->close, out);
  reader->size = (size_t)(end - out);
  reader->text = mb_arena_grow(reader->arena, out, room, reader->size + 1);
  reader->text_owned = true;
  return NULL;
}

/* Reads the string whose opening quote is at reader->at. NULL, or what is wrong. */
static const char *read_string(mb_json_reader *reader) {
  string_scan scan;
  reader->at++;
  const char *problem = scan_string(reader, &scan);
  if (problem) {
    return problem;
  }
  reader->text = reader->at;
  reader->size = (size_t)(scan.close - reader->at);
  reader->text_owned = false;
  if ((scan.escapes || scan.bad) && !reader->skipping) {
    problem = decode_into_arena(reader, &scan);
  }
  reader->at = scan.close + 1;
  return problem;
}

/* ---- numbers and words ---- */

static const char *skip_digits(const char *at, const char *end) {
  while (at < end && *at >= '0' && *at <= '9') {
    at++;
  }
  return at;
}

/* The end of the number at `at`, or NULL when the syntax is not JSON's. */
static const char *scan_number(const char *at, const char *end, bool *whole) {
  *whole = true;
  if (at < end && *at == '-') {
    at++;
  }
  const char *digits = at;
  at = skip_digits(at, end);
  if (at == digits || (*digits == '0' && at - digits > 1)) {
    return NULL;
  }
  if (at < end && *at == '.') {
    *whole = false;
    digits = ++at;
    at = skip_digits(at, end);
    if (at == digits) {
      return NULL;
    }
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    *whole = false;
    at++;
    if (at < end && (*at == '+' || *at == '-')) {
      at++;
    }
    digits = at;
    at = skip_digits(at, end);
    if (at == digits) {
      return NULL;
    }
  }
  return at;
}

static mb_json_token read_number(mb_json_reader *reader) {
  bool whole;
  const char *close = scan_number(reader->at, reader->end, &whole);
  if (!close) {
    return fail(reader, "a number that JSON does not allow");
  }
  reader->raw = reader->at;
  reader->raw_size = (size_t)(close - reader->at);
  if (whole && mb_parse_integer(reader->raw, reader->raw_size, &reader->integer) == 0) {
    reader->at = close;
    reader->number = (double)reader->integer;
    value_ended(reader);
    return MB_JSON_INTEGER;
  }
  if (mb_parse_number(reader->raw, reader->raw_size, &reader->number) != 0) {
    return fail(reader, "a number that cannot be read");
  }
  reader->at = close;
  value_ended(reader);
  return MB_JSON_NUMBER;
}

static mb_json_token read_word(mb_json_reader *reader, const char *word, mb_json_token token) {
  size_t size = strlen(word);
  if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, word, size) != 0) {
    return fail(reader, "something that is no JSON value");
  }
  reader->at += size;
  value_ended(reader);
  return token;
}

/* ---- structure ---- */

static mb_json_token open_container(mb_json_reader *reader, bool object) {
  if (reader->depth >= MB_JSON_DEPTH) {
    return fail(reader, "nested too deeply");
  }
  reader->stack[reader->depth++] = object ? '{' : '[';
  reader->at++;
  reader->state = object ? STATE_FIRST_KEY : STATE_FIRST_ITEM;
  return object ? MB_JSON_OBJECT : MB_JSON_ARRAY;
}

static mb_json_token close_container(mb_json_reader *reader) {
  reader->at++;
  reader->depth--;
  value_ended(reader);
  return reader->stack[reader->depth] == '{' ? MB_JSON_OBJECT_END : MB_JSON_ARRAY_END;
}

static mb_json_token read_value(mb_json_reader *reader) {
  switch (reader->at < reader->end ? *reader->at : '\0') {
  case '{':
    return open_container(reader, true);
  case '[':
    return open_container(reader, false);
  case '"': {
    const char *problem = read_string(reader);
    if (problem) {
      return fail(reader, problem);
    }
    value_ended(reader);
    return MB_JSON_STRING;
  }
  case 't':
    return read_word(reader, "true", MB_JSON_TRUE);
  case 'f':
    return read_word(reader, "false", MB_JSON_FALSE);
  case 'n':
    return read_word(reader, "null", MB_JSON_NULL);
  case '-':
  case '0':
  case '1':
  case '2':
  case '3':
  case '4':
  case '5':
  case '6':
  case '7':
  case '8':
  case '9':
    return read_number(reader);
  default:
    return fail(reader, reader->at == reader->end ? "the text ends too early"
                                                  : "something that is no JSON value");
  }
}

/* Reads a key and the colon after it. */
static mb_json_token read_key(mb_json_reader *reader) {
  if (reader->at == reader->end || *reader->at != '"') {
    return fail(reader, reader->at == reader->end ? "the text ends too early"
                                                  : "a key in quotes must stand here");
  }
  const char *problem = read_string(reader);
  if (problem) {
    return fail(reader, problem);
  }
  skip_space(reader);
  if (reader->at == reader->end || *reader->at != ':') {
    return fail(reader, "a ':' must follow a key");
  }
  reader->at++;
  reader->state = STATE_VALUE;
  return MB_JSON_KEY;
}

static mb_json_token read_after(mb_json_reader *reader) {
  bool object = reader->stack[reader->depth - 1] == '{';
  char c = reader->at < reader->end ? *reader->at : '\0';
  if (c == (object ? '}' : ']')) {
    return close_container(reader);
  }
  if (c != ',') {
    return fail(reader, reader->at == reader->end ? "the text ends too early"
                        : object                  ? "a ',' or '}' must stand here"
                                                  : "a ',' or ']' must stand here");
  }
  reader->at++;
  skip_space(reader);
  return object ? read_key(reader) : read_value(reader);
}

mb_json_token mb_json_next(mb_json_reader *reader) {
  if (reader->state == STATE_FAILED) {
    return MB_JSON_ERROR;
  }
  skip_space(reader);
  char c = reader->at < reader->end ? *reader->at : '\0';
  switch (reader->state) {
  case STATE_FIRST_ITEM:
    return c == ']' ? close_container(reader) : read_value(reader);
  case STATE_FIRST_KEY:
    return c == '}' ? close_container(reader) : read_key(reader);
  case STATE_AFTER:
    return read_after(reader);
  case STATE_DONE:
    return reader->at == reader->end ? MB_JSON_END
                                     : fail(reader, "text after the end of the value");
  default:
    return read_value(reader);
  }
}

int mb_json_skip(mb_json_reader *reader, mb_json_token first) {
  if (first != MB_JSON_OBJECT && first != MB_JSON_ARRAY) {
    return first == MB_JSON_ERROR ? -1 : 0;
  }
  int outside = reader->depth - 1;
  mb_json_token token = first;
  reader->skipping = true;
  while (reader->depth > outside && token != MB_JSON_ERROR) {
    token = mb_json_next(reader);
  }
  reader->skipping = false;
  return token == MB_JSON_ERROR ? -1 : 0;
}

/* ---- whole values ---- */

static int store_string(mb_json_reader *reader, mb_value *out) {
  if (reader->text_owned) {
    mb_value_borrow(out, MB_TYPE_STRING, reader->text, reader->size);
    return 0;
  }
  return mb_value_set_bytes(reader->arena, out, MB_TYPE_STRING, reader->text, reader->size);
}

static int out_of_memory(mb_json_reader *reader) {
  fail(reader, "out of memory");
  return -1;
}

static int read_list(mb_json_reader *reader, mb_value *out) {
  mb_json_token token;
  mb_value_set_list(out);
  while ((token = mb_json_next(reader)) != MB_JSON_ARRAY_END) {
    mb_value *item = token == MB_JSON_ERROR ? NULL : mb_list_add(reader->arena, out);
    if (!item) {
      return token == MB_JSON_ERROR ? -1 : out_of_memory(reader);
    }
    if (mb_json_read_value(reader, token, item) != 0) {
      return -1;
    }
  }
  return 0;
}

/* Of keys that occur twice the last one counts. */
static int read_map(mb_json_reader *reader, mb_value *out) {
  mb_json_token token;
  mb_value_set_map(out);
  while ((token = mb_json_next(reader)) == MB_JSON_KEY) {
    mb_value *value = mb_map_put_sized(reader->arena, out, reader->text, reader->size);
    if (!value) {
      return out_of_memory(reader);
    }
    if (mb_json_read_value(reader, mb_json_next(reader), value) != 0) {
      return -1;
    }
  }
  return token == MB_JSON_OBJECT_END ? 0 : -1;
}

/* Recursion is bounded by MB_JSON_DEPTH. */
int mb_json_read_value(mb_json_reader *reader, mb_json_token first, mb_value *out) {
  switch (first) {
  case MB_JSON_OBJECT:
    return read_map(reader, out);
  case MB_JSON_ARRAY:
    return read_list(reader, out);
  case MB_JSON_STRING:
    return store_string(reader, out) == 0 ? 0 : out_of_memory(reader);
  case MB_JSON_INTEGER:
    mb_value_set_integer(out, reader->integer);
    return 0;
  case MB_JSON_NUMBER:
    mb_value_set_number(out, reader->number);
    return 0;
  case MB_JSON_TRUE:
  case MB_JSON_FALSE:
    mb_value_set_boolean(out, first == MB_JSON_TRUE);
    return 0;
  case MB_JSON_NULL:
    mb_value_set_null(out);
    return 0;
  default:
    return -1;
  }
}

int mb_json_fail(const mb_json_reader *reader, mb_error *error) {
  size_t line = 1;
  size_t column = 1;
  if (reader->problem && strcmp(reader->problem, "out of memory") == 0) {
    return mb_error_memory(error);
  }
  for (const char *at = reader->start; at < reader->at; at++) {
    if (*at == '\n') {
      line++;
      column = 1;
    } else if (((unsigned char)*at & 0xc0) != 0x80) {
      column++;
    }
  }
  return mb_error_set(error, MB_ERROR_USAGE, "InvalidJson",
                      "invalid JSON at line %zu, column %zu: %s", line, column,
                      reader->problem ? reader->problem : "not what was expected");
}

int mb_value_from_json(mb_arena *arena, mb_value **out, const char *text, size_t size,
                       mb_error *error) {
  mb_json_reader reader;
  *out = NULL;
  mb_value *value = mb_value_new(arena);
  if (!value) {
    return mb_error_memory(error);
  }
  mb_json_reader_init(&reader, arena, text, size);
  if (mb_json_read_value(&reader, mb_json_next(&reader), value) != 0 ||
      mb_json_next(&reader) != MB_JSON_END) {
    return mb_json_fail(&reader, error);
  }
  *out = value;
  return 0;
}
