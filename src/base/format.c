/* Numbers and printf-style text as in the C locale, whatever setlocale was told. */
#include "base/format.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_locale(void) {
  c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* The C locale is built in, so newlocale has nothing to allocate; if it fails all the same, the
 * current locale is used. */
static locale_t get_locale(void) {
  pthread_once(&c_locale_once, make_locale);
  return c_locale;
}

int mb_format_text(char *out, size_t size, const char *format, va_list arguments) {
  locale_t locale = get_locale();
  locale_t previous = locale ? uselocale(locale) : (locale_t)0;
  int length = vsnprintf(out, size, format, arguments);
  if (previous) {
    uselocale(previous);
  }
  return length;
}

double mb_format_read_double(const char *text, char **end) {
  locale_t locale = get_locale();
  return locale ? strtod_l(text, end, locale) : strtod(text, end);
}

static int format_digits(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int format_digits(char *out, size_t size, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = mb_format_text(out, size, format, arguments);
  va_end(arguments);
  return length;
}

size_t mb_format_double(char out[MB_FORMAT_DOUBLE_SIZE], double number) {
  if (fabs(number) < 1e15 && number == floor(number) && !(number == 0 && signbit(number))) {
    return mb_format_integer(out, (long long)number);
  }
  int length = 0;
  /* Fifteen digits always survive, and trailing zeros are left out; numbers next to zero hold
   * fewer. */
  for (int digits = fabs(number) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
    length = format_digits(out, MB_FORMAT_DOUBLE_SIZE, "%.*g", digits, number);
    if (digits == 17 || mb_format_read_double(out, NULL) == number) {
      break;
    }
  }
  return length > 0 ? (size_t)length : 0;
}

size_t mb_format_integer(char out[MB_FORMAT_INTEGER_SIZE], long long number) {
  char digits[MB_FORMAT_INTEGER_SIZE];
  size_t count = 0;
  size_t length = 0;
  unsigned long long rest =
      number < 0 ? 0 - (unsigned long long)number : (unsigned long long)number;
  do {
    digits[count++] = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (number < 0) {
    out[length++] = '-';
  }
  while (count > 0) {
    out[length++] = digits[--count];
  }
  out[length] = '\0';
  return length;
}
