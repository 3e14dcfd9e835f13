/* Formatting and number reading that do not depend on the locale the embedder has set. */
#ifndef MB_BASE_FORMAT_H
#define MB_BASE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* vsnprintf and strtod as in the C locale. */
int mb_format_text(char *out, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));
double mb_format_read_double(const char *text, char **end);

/* The shortest text that reads back as `number`, which must be finite. Returns its length. */
#define MB_FORMAT_DOUBLE_SIZE 32
size_t mb_format_double(char out[MB_FORMAT_DOUBLE_SIZE], double number);

/* An integer in decimal, NUL-terminated. Returns its length. */
#define MB_FORMAT_INTEGER_SIZE 24
size_t mb_format_integer(char out[MB_FORMAT_INTEGER_SIZE], long long number);

#endif
