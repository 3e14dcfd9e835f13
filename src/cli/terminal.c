/* Writing to people: colours, the status line, questions, and text that cannot steer a terminal. */
#include "cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool colour_out, colour_err, status_shown;

static bool set_and_not_empty(const char *name) {
  const char *value = getenv(name);
  return value != NULL && *value != '\0';
}

bool cli_is_terminal(FILE *stream) {
  return isatty(fileno(stream)) != 0;
}

static bool wants_colour(FILE *stream, const char *choice) {
  if (choice && strcmp(choice, "always") == 0) {
    return true;
  }
  if (choice && strcmp(choice, "never") == 0) {
    return false;
  }
  if (set_and_not_empty("NO_COLOR") || set_and_not_empty("MOONBOOK_NO_COLOR")) {
    return false;
  }
  if (set_and_not_empty("CLICOLOR_FORCE")) {
    return true;
  }
  const char *term = getenv("TERM");
  return cli_is_terminal(stream) && term != NULL && strcmp(term, "dumb") != 0;
}

void cli_terminal_init(const cli_options *options) {
  colour_out = wants_colour(stdout, options->color);
  colour_err = wants_colour(stderr, options->color);
}

static const char *style_code(FILE *stream, cli_style style) {
  static const char *const codes[] = {"", "\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[33m"};
  bool colour = stream == stdout ? colour_out : colour_err;
  return colour ? codes[style] : "";
}

/* How many bytes at `at` are one well-formed UTF-8 character that is harmless to show; 0 if not. */
static size_t printable_character(const unsigned char *at) {
  if (at[0] < 0x80) {
    return at[0] >= 0x20 && at[0] != 0x7f;
  }
  size_t size = at[0] >= 0xf0 && at[0] < 0xf5 ? 4 : at[0] >= 0xe0 ? 3 : at[0] >= 0xc2 ? 2 : 0;
  if (size == 0 || at[0] >= 0xf5) {
    return 0;
  }
  for (size_t i = 1; i < size; i++) {
    if ((at[i] & 0xc0) != 0x80) {
      return 0;
    }
  }
  /* C1 controls (U+0080 to U+009F) and the characters that reorder text (U+202A to U+202E, U+2066
   * to U+2069, U+200E, U+200F) are data too, and must not act. */
  if (size == 2 && at[0] == 0xc2 && at[1] < 0xa0) {
    return 0;
  }
  if (at[0] == 0xe2 && at[1] == 0x80 && (at[2] >= 0xaa || at[2] == 0x8e || at[2] == 0x8f)) {
    return at[2] <= 0xae || at[2] == 0x8e || at[2] == 0x8f ? 0 : size;
  }
  if (at[0] == 0xe2 && at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9) {
    return 0;
  }
  return size;
}

static void put_safely(FILE *stream, const char *text) {
  const unsigned char *at = (const unsigned char *)text;
  while (*at) {
    size_t size = printable_character(at);
    if (size > 0) {
      fwrite(at, 1, size, stream);
      at += size;
    } else if (*at == '\n' || *at == '\t') {
      fputc(*at++, stream);
    } else {
      fprintf(stream, "\\x%02x", *at++);
    }
  }
}

void cli_put(FILE *stream, cli_style style, const char *text) {
  const char *code = style_code(stream, style);
  fputs(code, stream);
  put_safely(stream, text);
  if (*code) {
    fputs("\033[0m", stream);
  }
}

void cli_printf(FILE *stream, cli_style style, const char *format, ...) {
  char text[4096];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  cli_put(stream, style, text);
}

int cli_width(FILE *stream) {
  struct winsize size;
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 20) {
    return size.ws_col;
  }
  return 100;
}

void cli_status(FILE *stream, const char *text) {
  if (!cli_is_terminal(stream)) {
    return;
  }
  char line[512];
  int width = cli_width(stream) - 1;
  snprintf(line, sizeof line, "%.*s", width < (int)sizeof line ? width : (int)sizeof line - 1,
           text);
  fputs("\r\033[K", stream);
  cli_put(stream, CLI_DIM, line);
  fflush(stream);
  status_shown = true;
}

void cli_status_clear(FILE *stream) {
  if (status_shown) {
    fputs("\r\033[K", stream);
    status_shown = false;
  }
}

const char *cli_duration(char *out, size_t size, double seconds) {
  if (!(seconds >= 0)) {
    seconds = 0;
  }
  if (seconds < 60) {
    snprintf(out, size, seconds < 10 ? "%.1fs" : "%.0fs", seconds);
  } else if (seconds < 3600) {
    snprintf(out, size, "%dm %02ds", (int)seconds / 60, (int)seconds % 60);
  } else {
    snprintf(out, size, "%ldh %02ldm", (long)seconds / 3600, (long)seconds % 3600 / 60);
  }
  return out;
}

const char *cli_ask(const char *question, char *answer, size_t size) {
  if (!isatty(STDIN_FILENO) || !cli_is_terminal(stderr)) {
    return NULL;
  }
  cli_status_clear(stderr);
  cli_put(stderr, CLI_BOLD, question);
  fflush(stderr);
  if (fgets(answer, (int)size, stdin) == NULL) {
    fputc('\n', stderr);
    return NULL;
  }
  answer[strcspn(answer, "\r\n")] = '\0';
  return answer;
}
