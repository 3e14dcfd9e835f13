/* Reading numbers and durations, the same in every locale. */
#include "base/format.h"
#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

int mb_parse_integer(const char *text, size_t size, int64_t *out) {
  size_t at = 0;
  bool negative = size > 0 && text[0] == '-';
  if (size > 0 && (text[0] == '-' || text[0] == '+')) {
    at = 1;
  }
  if (at == size) {
    return -1;
  }
  uint64_t most = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
  uint64_t value = 0;
  for (; at < size; at++) {
    unsigned digit = (unsigned)(unsigned char)text[at] - '0';
    if (digit > 9 || value > (most - digit) / 10) {
      return -1;
    }
    value = value * 10 + digit;
  }
  *out = negative ? (int64_t)(0 - value) : (int64_t)value;
  return 0;
}

/* True for decimal notation: a sign, digits with a point among them, an exponent. Refuses what
 * strtod reads besides: white space, hexadecimal, "nan(...)". */
static bool is_decimal(const char *text, size_t size) {
  size_t at = 0;
  size_t digits = 0;
  if (at < size && (text[at] == '-' || text[at] == '+')) {
    at++;
  }
  for (bool point = false; at < size; at++) {
    if (text[at] == '.' && !point) {
      point = true;
    } else if (text[at] >= '0' && text[at] <= '9') {
      digits++;
    } else {
      break;
    }
  }
  if (digits == 0 || at == size) {
    return digits > 0;
  }
  if (text[at] != 'e' && text[at] != 'E') {
    return false;
  }
  at++;
  if (at < size && (text[at] == '-' || text[at] == '+')) {
    at++;
  }
  digits = at;
  while (at < size && text[at] >= '0' && text[at] <= '9') {
    at++;
  }
  return at == size && at > digits;
}

static bool is_word(const char *text, size_t size, const char *word) {
  return size == strlen(word) && memcmp(text, word, size) == 0;
}

int mb_parse_number(const char *text, size_t size, double *out) {
  char small[128];
  if (is_word(text, size, "NaN") || is_word(text, size, "Infinity")) {
    *out = text[0] == 'N' ? (double)NAN : (double)INFINITY;
    return 0;
  }
  if (is_word(text, size, "-Infinity")) {
    *out = -(double)INFINITY;
    return 0;
  }
  if (!is_decimal(text, size)) {
    return -1;
  }
  char *copy = size < sizeof small ? small : mb_alloc(size + 1);
  if (!copy) {
    return -1;
  }
  memcpy(copy, text, size);
  copy[size] = '\0';
  *out = mb_format_read_double(copy, NULL);
  if (copy != small) {
    mb_free(copy);
  }
  return 0;
}

int mb_parse_duration(const char *text, double *seconds) {
  static const struct {
    const char *suffix;
    double seconds;
  } units[] = {{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"", 1}};
  size_t size = strspn(text, "0123456789.");
  double number;
  if (mb_parse_number(text, size, &number) != 0 || !isfinite(number)) {
    return -1;
  }
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
    if (strcmp(text + size, units[i].suffix) == 0) {
      *seconds = number * units[i].seconds;
      return 0;
    }
  }
  return -1;
}
