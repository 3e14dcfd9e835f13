/* Bounded buffers of bytes. A buffer is born with its maximum; an append that does not fit, or
 * finds no memory, marks the buffer failed and frees what it held, and every later append is a
 * no-op: so builders append freely and check once, at the end. */
#ifndef MB_BASE_BUFFER_H
#define MB_BASE_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct mb_buffer {
  char *data; /* always NUL-terminated once anything was appended; NULL before */
  size_t size;
  size_t capacity;
  size_t maximum;
  bool failed;    /* sticky */
  bool too_large; /* failed because of the maximum, not for want of memory */
} mb_buffer;

#define MB_BUFFER_INIT(maximum_bytes)                                                              \
  { .maximum = (maximum_bytes) }

void mb_buffer_init(mb_buffer *buffer, size_t maximum);
void mb_buffer_dispose(mb_buffer *buffer);
void mb_buffer_clear(mb_buffer *buffer); /* empties and forgets a failure; keeps the memory */
void mb_buffer_add(mb_buffer *buffer, const void *data, size_t size);
void mb_buffer_add_text(mb_buffer *buffer, const char *text);
void mb_buffer_add_char(mb_buffer *buffer, char c);
void mb_buffer_addf(mb_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void mb_buffer_truncate(mb_buffer *buffer, size_t size);
void mb_buffer_refuse(mb_buffer *buffer); /* marks it failed and too large, by the caller's rule */
const char *mb_buffer_text(const mb_buffer *buffer); /* "" when empty */

#endif
