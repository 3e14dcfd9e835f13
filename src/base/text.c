/* Comparing, copying, escaping and suggesting text. */
#include "base/text.h"
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool mb_text_equal_ci(const char *a, const char *b) {
  while (*a && lower(*a) == lower(*b)) {
    a++;
    b++;
  }
  return lower(*a) == lower(*b);
}

bool mb_text_starts(const char *text, const char *prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool mb_text_ends(const char *text, const char *suffix) {
  size_t size = strlen(text);
  size_t tail = strlen(suffix);
  return size >= tail && memcmp(text + size - tail, suffix, tail) == 0;
}

bool mb_text_copy(char *out, size_t out_size, const char *text) {
  size_t size = strlen(text);
  if (out_size == 0) {
    return false;
  }
  bool whole = size < out_size;
  if (!whole) {
    size = out_size - 1;
    /* Back to the start of the character that the cut would split. */
    while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80) {
      size--;
    }
  }
  memcpy(out, text, size);
  out[size] = '\0';
  return whole;
}

/* ---- what a terminal may see ---- */

/* Characters that move the cursor, hide text or turn its order round. */
static bool is_treacherous(uint32_t point) {
  return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x061c || point == 0x200e ||
         point == 0x200f || (point >= 0x2028 && point <= 0x202e) ||
         (point >= 0x2066 && point <= 0x2069) || (point >= 0xe0000 && point <= 0xe007f);
}

static void add_visible(mb_buffer *out, uint32_t point) {
  if (point == '\n') {
    mb_buffer_add_text(out, "\\n");
  } else if (point == '\r') {
    mb_buffer_add_text(out, "\\r");
  } else if (point < 0x80) {
    mb_buffer_addf(out, "\\x%02x", (unsigned)point);
  } else {
    mb_buffer_addf(out, "\\u{%x}", (unsigned)point);
  }
}

void mb_text_add_printable(mb_buffer *out, const char *text, size_t size, bool keep_newlines) {
  size_t at = 0;
  while (at < size && !out->failed) {
    uint32_t point;
    size_t length = mb_utf8_read(text + at, size - at, &point);
    if (length == 0) {
      mb_buffer_addf(out, "\\x%02x", (unsigned char)text[at]);
      at++;
      continue;
    }
    if (!is_treacherous(point) || point == '\t' || (point == '\n' && keep_newlines)) {
      mb_buffer_add(out, text + at, length);
    } else {
      add_visible(out, point);
    }
    at += length;
  }
}

/* ---- encodings ---- */

static bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

void mb_text_add_uri(mb_buffer *out, const char *text, size_t size, const char *keep) {
  static const char digits[] = "0123456789ABCDEF";
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)text[i];
    if (is_unreserved(text[i]) || (c != '\0' && keep && strchr(keep, c))) {
      mb_buffer_add_char(out, text[i]);
    } else {
      char code[3] = {'%', digits[c >> 4], digits[c & 15]};
      mb_buffer_add(out, code, sizeof code);
    }
  }
}

void mb_text_add_hex(mb_buffer *out, const void *data, size_t size) {
  static const char digits[] = "0123456789abcdef";
  const unsigned char *bytes = data;
  for (size_t i = 0; i < size; i++) {
    char pair[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
    mb_buffer_add(out, pair, sizeof pair);
  }
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void mb_text_add_base64(mb_buffer *out, const void *data, size_t size) {
  const unsigned char *bytes = data;
  for (size_t i = 0; i < size && !out->failed; i += 3) {
    size_t left = size - i;
    uint32_t group = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                     (left > 2 ? (uint32_t)bytes[i + 2] : 0);
    char text[4] = {base64_digits[group >> 18], base64_digits[group >> 12 & 63],
                    left > 1 ? base64_digits[group >> 6 & 63] : '=',
                    left > 2 ? base64_digits[group & 63] : '='};
    mb_buffer_add(out, text, sizeof text);
  }
}

static int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') {
    return c - 'A';
  }
  if (c >= 'a' && c <= 'z') {
    return c - 'a' + 26;
  }
  if (c >= '0' && c <= '9') {
    return c - '0' + 52;
  }
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int mb_base64_decode(mb_arena *arena, const char *text, size_t size, const char **out,
                     size_t *out_size) {
  size_t padding = 0;
  while (padding < 2 && padding < size && text[size - 1 - padding] == '=') {
    padding++;
  }
  size_t digits = size - padding;
  if (digits % 4 == 1 || (padding > 0 && size % 4 != 0)) {
    return -1;
  }
  char *decoded = mb_arena_alloc(arena, digits / 4 * 3 + 3);
  if (!decoded) {
    return -1;
  }
  size_t made = 0;
  uint32_t group = 0;
  for (size_t i = 0; i < digits; i++) {
    int digit = base64_digit(text[i]);
    if (digit < 0) {
      return -1;
    }
    group = group << 6 | (uint32_t)digit;
    if (i % 4 != 0) {
      decoded[made++] = (char)(group >> (6 - 2 * (i % 4)) & 0xff);
    }
  }
  decoded[made] = '\0';
  *out = decoded;
  *out_size = made;
  return 0;
}

/* ---- suggestions ---- */

enum { NEAREST_LENGTH = 96 };

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

/* Edit distance in which two neighbours that changed places count once, case not at all. */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size) {
  size_t rows[3][NEAREST_LENGTH + 1];
  size_t *before = rows[0];
  size_t *previous = rows[1];
  size_t *current = rows[2];
  for (size_t j = 0; j <= b_size; j++) {
    before[j] = previous[j] = j;
  }
  for (size_t i = 1; i <= a_size; i++) {
    current[0] = i;
    for (size_t j = 1; j <= b_size; j++) {
      size_t cost = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
      current[j] = least(least(previous[j], current[j - 1]) + 1, previous[j - 1] + cost);
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1])) {
        current[j] = least(current[j], before[j - 2] + 1);
      }
    }
    size_t *oldest = before;
    before = previous;
    previous = current;
    current = oldest;
  }
  return previous[b_size];
}

void mb_text_nearer(const char *text, const char *candidate, const char **best,
                    size_t *best_distance) {
  size_t size = strlen(text);
  size_t other = strlen(candidate);
  size_t bound = size < 4 ? 1 : size / 3;
  size_t apart = size > other ? size - other : other - size;
  if (size > NEAREST_LENGTH || other > NEAREST_LENGTH || apart > bound) {
    return;
  }
  size_t found = distance(text, size, candidate, other);
  if (found <= bound && found < size && found < *best_distance) {
    *best = candidate;
    *best_distance = found;
  }
}

const char *mb_text_nearest(const char *text, const char *const *names, size_t count) {
  const char *best = NULL;
  size_t best_distance = SIZE_MAX;
  for (size_t i = 0; i < count; i++) {
    mb_text_nearer(text, names[i], &best, &best_distance);
  }
  return best;
}
