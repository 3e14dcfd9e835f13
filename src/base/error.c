/* Filling errors: bounded, never failing, safe when the new text is made from the old. */
#include "base/format.h"
#include "base/text.h"
#include <moonbook/error.h>

#include <string.h>

void mb_error_clear(mb_error *error) {
  if (error) {
    memset(error, 0, sizeof *error);
  }
}

/* Formats into `out`, cut at a character boundary, on one line. */
static void format_line(char *out, size_t size, const char *format, va_list arguments) {
  /* One byte more than fits tells the cut that there was more. */
  char text[2200];
  int length = mb_format_text(text, sizeof text, format, arguments);
  if (length < 0) {
    text[0] = '\0';
  }
  for (char *at = text; *at; at++) {
    if (*at == '\n' || *at == '\r' || *at == '\t') {
      *at = ' ';
    }
  }
  mb_text_copy(out, size, text);
}

int mb_error_set(mb_error *error, mb_error_kind kind, const char *code, const char *format, ...) {
  if (!error) {
    return -1;
  }
  char message[sizeof error->message];
  char code_copy[sizeof error->code];
  va_list arguments;
  va_start(arguments, format);
  format_line(message, sizeof message, format, arguments);
  va_end(arguments);
  mb_text_copy(code_copy, sizeof code_copy, code ? code : "");
  mb_error_clear(error);
  error->kind = kind;
  memcpy(error->code, code_copy, sizeof code_copy);
  memcpy(error->message, message, strlen(message) + 1);
  return -1;
}

int mb_error_next(mb_error *error, const char *format, ...) {
  if (!error) {
    return -1;
  }
  char next[sizeof error->next];
  va_list arguments;
  va_start(arguments, format);
  format_line(next, sizeof next, format, arguments);
  va_end(arguments);
  memcpy(error->next, next, strlen(next) + 1);
  return -1;
}

int mb_error_memory(mb_error *error) {
  return mb_error_set(error, MB_ERROR_MEMORY, "OutOfMemory", "out of memory");
}

const char *mb_error_kind_name(mb_error_kind kind) {
  switch (kind) {
  case MB_OK:
    return "ok";
  case MB_ERROR_INTERNAL:
    return "internal";
  case MB_ERROR_MEMORY:
    return "memory";
  case MB_ERROR_USAGE:
    return "usage";
  case MB_ERROR_NOT_FOUND:
    return "not_found";
  case MB_ERROR_CREDENTIALS:
    return "credentials";
  case MB_ERROR_DENIED:
    return "denied";
  case MB_ERROR_AWS:
    return "aws";
  case MB_ERROR_THROTTLED:
    return "throttled";
  case MB_ERROR_NETWORK:
    return "network";
  case MB_ERROR_TIMEOUT:
    return "timeout";
  case MB_ERROR_CANCELLED:
    return "cancelled";
  case MB_ERROR_SCRIPT:
    return "script";
  case MB_ERROR_LIMIT:
    return "limit";
  case MB_ERROR_REFUSED:
    return "refused";
  case MB_ERROR_CHECK:
    return "check";
  case MB_ERROR_IO:
    return "io";
  }
  return "unknown";
}
