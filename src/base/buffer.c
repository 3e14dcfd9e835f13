/* Bounded buffers of bytes. */
#include "base/buffer.h"
#include "base/format.h"
#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

void mb_buffer_init(mb_buffer *buffer, size_t maximum) {
  *buffer = (mb_buffer)MB_BUFFER_INIT(maximum);
}

static void release(mb_buffer *buffer) {
  mb_free(buffer->data);
  buffer->data = NULL;
  buffer->size = 0;
  buffer->capacity = 0;
}

void mb_buffer_dispose(mb_buffer *buffer) {
  release(buffer);
  buffer->failed = false;
  buffer->too_large = false;
}

void mb_buffer_clear(mb_buffer *buffer) {
  buffer->failed = false;
  buffer->too_large = false;
  buffer->size = 0;
  if (buffer->data) {
    buffer->data[0] = '\0';
  }
}

static void fail(mb_buffer *buffer, bool too_large) {
  release(buffer);
  buffer->failed = true;
  buffer->too_large = too_large;
}

/* Makes room for `size` bytes more and the NUL. */
static bool reserve(mb_buffer *buffer, size_t size) {
  if (buffer->failed) {
    return false;
  }
  if (size > buffer->maximum || buffer->size > buffer->maximum - size ||
      buffer->size + size > SIZE_MAX / 4) {
    fail(buffer, true);
    return false;
  }
  size_t needed = buffer->size + size + 1;
  if (needed <= buffer->capacity) {
    return true;
  }
  size_t capacity = buffer->capacity ? buffer->capacity * 2 : 128;
  if (capacity < needed) {
    capacity = needed;
  }
  char *data = mb_realloc(buffer->data, capacity);
  if (!data) {
    fail(buffer, false);
    return false;
  }
  buffer->data = data;
  buffer->capacity = capacity;
  return true;
}

void mb_buffer_add(mb_buffer *buffer, const void *data, size_t size) {
  if (!reserve(buffer, size)) {
    return;
  }
  if (size) {
    memcpy(buffer->data + buffer->size, data, size);
  }
  buffer->size += size;
  buffer->data[buffer->size] = '\0';
}

void mb_buffer_add_text(mb_buffer *buffer, const char *text) {
  mb_buffer_add(buffer, text, strlen(text));
}

void mb_buffer_add_char(mb_buffer *buffer, char c) {
  mb_buffer_add(buffer, &c, 1);
}

void mb_buffer_addf(mb_buffer *buffer, const char *format, ...) {
  char small[256];
  va_list arguments;
  va_start(arguments, format);
  int length = mb_format_text(small, sizeof small, format, arguments);
  va_end(arguments);
  if (length < 0) {
    fail(buffer, false);
    return;
  }
  if ((size_t)length < sizeof small) {
    mb_buffer_add(buffer, small, (size_t)length);
    return;
  }
  if (reserve(buffer, (size_t)length)) {
    va_start(arguments, format);
    mb_format_text(buffer->data + buffer->size, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->size += (size_t)length;
  }
}

void mb_buffer_truncate(mb_buffer *buffer, size_t size) {
  if (size < buffer->size) {
    buffer->size = size;
    buffer->data[size] = '\0';
  }
}

void mb_buffer_refuse(mb_buffer *buffer) {
  fail(buffer, true);
}

const char *mb_buffer_text(const mb_buffer *buffer) {
  return buffer->data ? buffer->data : "";
}
