/* The terminal: whether there is one, its colours, its width, and questions. */
#include "cli.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool colour_out, colour_err;

static bool set_and_not_empty(const char *name) {
  const char *value = getenv(name);
  return value != NULL && *value != '\0';
}

bool cli_is_terminal(FILE *stream) {
  return isatty(fileno(stream)) != 0;
}

/* A terminal that can go back and rewrite a line. */
bool cli_is_live(FILE *stream) {
  const char *term = getenv("TERM");
  return cli_is_terminal(stream) && term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
}

static bool wants_colour(FILE *stream, const char *choice) {
  if (choice && strcmp(choice, "auto") != 0) {
    return strcmp(choice, "always") == 0;
  }
  if (set_and_not_empty("NO_COLOR") || set_and_not_empty("MOONBOOK_NO_COLOR")) {
    return false;
  }
  return set_and_not_empty("CLICOLOR_FORCE") || cli_is_live(stream);
}

void cli_terminal_init(const cli_options *options) {
  colour_out = wants_colour(stdout, options->color);
  colour_err = wants_colour(stderr, options->color);
  /* A line at a time: what two processes write to one file must not mix within a line. */
  setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
}

static const char *style_code(FILE *stream, cli_style style) {
  static const char *const codes[] = {"",           "\033[1m",    "\033[2m", "\033[32m",
                                      "\033[1;31m", "\033[1;32m", "\033[33m"};
  bool colour = stream == stdout ? colour_out : colour_err;
  return colour ? codes[style] : "";
}

void cli_style_begin(FILE *stream, cli_style style) {
  fputs(style_code(stream, style), stream);
}

void cli_style_end(FILE *stream, cli_style style) {
  if (*style_code(stream, style)) {
    fputs("\033[0m", stream);
  }
}

void cli_put_safely(FILE *stream, const char *text, size_t size) {
  for (size_t at = 0; at < size;) {
    int columns;
    size_t bytes = cli_character(text + at, &columns);
    if (bytes > 0 && bytes <= size - at) {
      fwrite(text + at, 1, bytes, stream);
      at += bytes;
    } else if (text[at] == '\n' || text[at] == '\t') {
      fputc(text[at++], stream);
    } else {
      fprintf(stream, "\\x%02x", (unsigned char)text[at++]);
    }
  }
}

void cli_put(FILE *stream, cli_style style, const char *text) {
  size_t size = strlen(text);
  bool newline = size > 0 && text[size - 1] == '\n';
  cli_style_begin(stream, style);
  cli_put_safely(stream, text, size - newline);
  cli_style_end(stream, style);
  if (newline) {
    fputc('\n', stream);
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

static bool window(FILE *stream, struct winsize *size) {
  return ioctl(fileno(stream), TIOCGWINSZ, size) == 0;
}

int cli_width(FILE *stream) {
  struct winsize size;
  return window(stream, &size) && size.ws_col >= 20 ? size.ws_col : 100;
}

int cli_height(FILE *stream) {
  struct winsize size;
  return window(stream, &size) && size.ws_row >= 5 ? size.ws_row : 24;
}

bool cli_can_ask(void) {
  return isatty(STDIN_FILENO) && cli_is_terminal(stderr);
}

volatile sig_atomic_t cli_signals_seen;

/* Waits until there is something to read. A signal that comes just before the wait must end it too,
 * so signals are only let in while it lasts. False: a signal came. */
static bool wait_for_answer(int signals) {
  sigset_t stops, before;
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  sigemptyset(&stops);
  sigaddset(&stops, SIGINT);
  sigaddset(&stops, SIGTERM);
  sigaddset(&stops, SIGHUP);
  sigprocmask(SIG_BLOCK, &stops, &before);
  bool ready = cli_signals_seen <= signals && ppoll(&input, 1, NULL, &before) > 0;
  sigprocmask(SIG_SETMASK, &before, NULL);
  return ready;
}

const char *cli_ask(const char *question, int signals, char *answer, size_t size) {
  fflush(stdout);
  cli_put(stderr, CLI_BOLD, question);
  fflush(stderr);
  if (!wait_for_answer(signals) || fgets(answer, (int)size, stdin) == NULL) {
    clearerr(stdin);
    fputc('\n', stderr);
    return NULL;
  }
  answer[strcspn(answer, "\r\n")] = '\0';
  return answer;
}
