/* The JSON writer. */
#include "base/format.h"
#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"

#include <math.h>
#include <string.h>

static bool is_plain(unsigned char c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void write_escape(mb_buffer *out, unsigned char c) {
  static const char digits[] = "0123456789abcdef";
  char text[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
  switch (c) {
  case '"':
  case '\\':
    text[1] = (char)c;
    break;
  case '\b':
    text[1] = 'b';
    break;
  case '\f':
    text[1] = 'f';
    break;
  case '\n':
    text[1] = 'n';
    break;
  case '\r':
    text[1] = 'r';
    break;
  case '\t':
    text[1] = 't';
    break;
  default:
    mb_buffer_add(out, text, 6);
    return;
  }
  mb_buffer_add(out, text, 2);
}

/* What is not UTF-8 becomes U+FFFD: the output is JSON whatever the input. */
void mb_json_write_string(mb_buffer *out, const char *text, size_t size) {
  size_t at = 0;
  mb_buffer_add_char(out, '"');
  while (at < size) {
    size_t plain = at;
    while (plain < size && is_plain((unsigned char)text[plain])) {
      plain++;
    }
    mb_buffer_add(out, text + at, plain - at);
    at = plain;
    if (at == size) {
      break;
    }
    if ((unsigned char)text[at] < 0x80) {
      write_escape(out, (unsigned char)text[at++]);
      continue;
    }
    size_t length = mb_utf8_read(text + at, size - at, NULL);
    mb_buffer_add(out, length ? text + at : "\xef\xbf\xbd", length ? length : 3);
    at += length ? length : 1;
  }
  mb_buffer_add_char(out, '"');
}

void mb_json_write_number(mb_buffer *out, double number) {
  char text[MB_FORMAT_DOUBLE_SIZE];
  if (isnan(number)) {
    mb_buffer_add_text(out, "\"NaN\"");
  } else if (isinf(number)) {
    mb_buffer_add_text(out, number < 0 ? "\"-Infinity\"" : "\"Infinity\"");
  } else {
    mb_buffer_add(out, text, mb_format_double(text, number));
  }
}

static void write_integer(mb_buffer *out, int64_t integer) {
  char text[MB_FORMAT_INTEGER_SIZE];
  mb_buffer_add(out, text, mb_format_integer(text, integer));
}

static void write_break(mb_buffer *out, int indent, int depth) {
  static const char spaces[] = "                                ";
  if (indent <= 0) {
    return;
  }
  mb_buffer_add_char(out, '\n');
  size_t left = (size_t)indent * (size_t)depth;
  while (left > 0 && !out->failed) {
    size_t part = left < sizeof spaces - 1 ? left : sizeof spaces - 1;
    mb_buffer_add(out, spaces, part);
    left -= part;
  }
}

static void write_depth(mb_buffer *out, const mb_value *value, int indent, bool reveal, int depth);

static void write_list(mb_buffer *out, const mb_value *list, int indent, bool reveal, int depth) {
  mb_buffer_add_char(out, '[');
  for (uint32_t i = 0; i < list->count && !out->failed; i++) {
    if (i > 0) {
      mb_buffer_add_char(out, ',');
    }
    write_break(out, indent, depth + 1);
    write_depth(out, &list->as.items[i], indent, reveal, depth + 1);
  }
  if (list->count > 0) {
    write_break(out, indent, depth);
  }
  mb_buffer_add_char(out, ']');
}

static void write_map(mb_buffer *out, const mb_value *map, int indent, bool reveal, int depth) {
  mb_buffer_add_char(out, '{');
  for (uint32_t i = 0; i < map->count && !out->failed; i++) {
    const mb_entry *entry = &map->as.entries[i];
    if (i > 0) {
      mb_buffer_add_char(out, ',');
    }
    write_break(out, indent, depth + 1);
    mb_json_write_string(out, entry->key, entry->key_size);
    mb_buffer_add_text(out, indent > 0 ? ": " : ":");
    write_depth(out, &entry->value, indent, reveal, depth + 1);
  }
  if (map->count > 0) {
    write_break(out, indent, depth);
  }
  mb_buffer_add_char(out, '}');
}

static void write_blob(mb_buffer *out, const mb_value *blob) {
  mb_buffer_add_char(out, '"');
  mb_text_add_base64(out, blob->as.bytes.data, blob->as.bytes.size);
  mb_buffer_add_char(out, '"');
}

/* Recursion is bounded by MB_VALUE_DEPTH; a deeper tree fails the buffer as too large. */
static void write_depth(mb_buffer *out, const mb_value *value, int indent, bool reveal, int depth) {
  if (mb_value_is_secret(value) && !reveal) {
    mb_buffer_add_text(out, "\"[secret]\"");
    return;
  }
  if (depth >= MB_VALUE_DEPTH) {
    mb_buffer_refuse(out);
    return;
  }
  switch (mb_value_type(value)) {
  case MB_TYPE_NULL:
    mb_buffer_add_text(out, "null");
    break;
  case MB_TYPE_BOOLEAN:
    mb_buffer_add_text(out, value->as.boolean ? "true" : "false");
    break;
  case MB_TYPE_INTEGER:
    write_integer(out, value->as.integer);
    break;
  case MB_TYPE_NUMBER:
    mb_json_write_number(out, value->as.number);
    break;
  case MB_TYPE_STRING:
    mb_json_write_string(out, value->as.bytes.data, value->as.bytes.size);
    break;
  case MB_TYPE_BLOB:
    write_blob(out, value);
    break;
  case MB_TYPE_LIST:
    write_list(out, value, indent, reveal, depth);
    break;
  case MB_TYPE_MAP:
    write_map(out, value, indent, reveal, depth);
    break;
  }
}

void mb_json_write_value(mb_buffer *out, const mb_value *value, int indent, bool reveal) {
  write_depth(out, value, indent, reveal, 0);
}

char *mb_value_to_json(mb_arena *arena, const mb_value *value, int indent, bool reveal) {
  mb_buffer out = MB_BUFFER_INIT(SIZE_MAX / 4);
  mb_json_write_value(&out, value, indent, reveal);
  char *text = out.failed ? NULL : mb_arena_strndup(arena, mb_buffer_text(&out), out.size);
  mb_buffer_dispose(&out);
  return text;
}
