/* A pull reader and a writer of JSON that go straight from and to values. cJSON serves documents
 * that hold credentials; this serves payloads and data files: 64-bit integers stay exact, NULs
 * survive, and a codec can read a megabyte without building a tree twice. */
#ifndef MB_BASE_JSON_H
#define MB_BASE_JSON_H

#include "base/buffer.h"
#include "base/value.h"

#define MB_JSON_DEPTH 100 /* levels; deeper text is refused (spec/sandbox.md 3.3) */

typedef enum mb_json_token {
  MB_JSON_ERROR = 0,
  MB_JSON_END, /* the text ended where it should */
  MB_JSON_OBJECT,
  MB_JSON_OBJECT_END,
  MB_JSON_ARRAY,
  MB_JSON_ARRAY_END,
  MB_JSON_KEY,    /* `text`, `size`: decoded */
  MB_JSON_STRING, /* `text`, `size`: decoded */
  MB_JSON_INTEGER,
  MB_JSON_NUMBER, /* a fraction, an exponent, or an integer beyond 64 bits */
  MB_JSON_TRUE,
  MB_JSON_FALSE,
  MB_JSON_NULL
} mb_json_token;

typedef struct mb_json_reader {
  const char *start, *at, *end;
  mb_arena *arena; /* decoded strings that hold escapes go here */
  int depth;
  unsigned char stack[MB_JSON_DEPTH + 1]; /* '{' or '[' per level */
  unsigned char state;
  bool skipping;    /* strings are checked, not decoded */
  const char *text; /* of KEY and STRING: not NUL-terminated unless `text_owned` */
  size_t size;
  bool text_owned; /* text lies in the arena, NUL-terminated (else it points into the input) */
  int64_t integer;
  double number;   /* also set for INTEGER */
  const char *raw; /* text of a number as written */
  size_t raw_size;
  const char *problem; /* why MB_JSON_ERROR; static */
} mb_json_reader;

void mb_json_reader_init(mb_json_reader *reader, mb_arena *arena, const char *text, size_t size);
mb_json_token mb_json_next(mb_json_reader *reader);
/* Skips the value whose first token was just read. 0, or -1 on a syntax error. */
int mb_json_skip(mb_json_reader *reader, mb_json_token first);
/* Reads the value whose first token was just read into `out`. 0, or -1. */
int mb_json_read_value(mb_json_reader *reader, mb_json_token first, mb_value *out);
/* Fills `error` (MB_ERROR_USAGE, "InvalidJson") with the problem, line and column. Returns -1. */
int mb_json_fail(const mb_json_reader *reader, mb_error *error);

void mb_json_write_string(mb_buffer *out, const char *text, size_t size);
/* Shortest text that reads back as the same double; "NaN", "Infinity" as quoted strings. */
void mb_json_write_number(mb_buffer *out, double number);
void mb_json_write_value(mb_buffer *out, const mb_value *value, int indent, bool reveal);

#endif
