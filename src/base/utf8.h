/* UTF-8, byte by byte. */
#ifndef MB_BASE_UTF8_H
#define MB_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The length of the well-formed sequence at `text` (at most `size` bytes), or 0 when there is none:
 * stray and missing continuation bytes, overlong forms, surrogates, beyond U+10FFFF. Fills `point`
 * unless it is NULL. */
size_t mb_utf8_read(const char *text, size_t size, uint32_t *point);
/* Writes a code point; `out` has 4 bytes. Returns the length. */
size_t mb_utf8_write(char *out, uint32_t point);

#endif
