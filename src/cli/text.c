/* Text for people: what is safe to show, how wide it is, and lines that wrap. */
#include "cli.h"

#include <string.h>

/* ---- characters --------------------------------------------------------------------------------
 */

/* The code point of the well-formed UTF-8 sequence at `at`, and its size; 0 when it is malformed.
 */
static size_t decode(const unsigned char *at, unsigned *code) {
  static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (at[0] < 0x80) {
    *code = at[0];
    return 1;
  }
  size_t size = at[0] >= 0xf0 && at[0] < 0xf5   ? 4
                : at[0] >= 0xe0 && at[0] < 0xf0 ? 3
                : at[0] >= 0xc2 && at[0] < 0xe0 ? 2
                                                : 0;
  *code = at[0] & (0xffu >> (size + 1));
  for (size_t i = 1; i < size; i++) {
    if ((at[i] & 0xc0) != 0x80) {
      return 0;
    }
    *code = *code << 6 | (at[i] & 0x3f);
  }
  bool surrogate = *code >= 0xd800 && *code <= 0xdfff;
  return size == 0 || *code < least[size] || surrogate || *code > 0x10ffff ? 0 : size;
}

/* Controls act on a terminal, and the characters that reorder text make it read as what it is not.
 */
static bool is_harmful(unsigned code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x200e || code == 0x200f ||
         code == 0x2028 || code == 0x2029 || (code >= 0x202a && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

/* Two columns for what East Asian fonts and emoji take, none for marks that join what stands
 * before. */
static int columns_of(unsigned code) {
  bool joins = (code >= 0x300 && code <= 0x36f) || code == 0x200b || code == 0x200d ||
               (code >= 0xfe00 && code <= 0xfe0f);
  bool wide = (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) ||
              (code >= 0xac00 && code <= 0xd7a3) || (code >= 0xf900 && code <= 0xfaff) ||
              (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60) ||
              (code >= 0x1f300 && code <= 0x1faff) || (code >= 0x20000 && code <= 0x3fffd);
  return joins ? 0 : wide ? 2 : 1;
}

size_t cli_character(const char *at, int *columns) {
  unsigned code = 0;
  size_t size = decode((const unsigned char *)at, &code);
  if (size == 0 || is_harmful(code)) {
    *columns = 4; /* "\x1b" */
    return 0;
  }
  *columns = columns_of(code);
  return size;
}

int cli_columns(const char *text, size_t size) {
  int total = 0;
  for (size_t at = 0; at < size;) {
    int columns;
    size_t bytes = cli_character(text + at, &columns);
    total += columns;
    at += bytes ? bytes : 1;
  }
  return total;
}

/* JSON itself escapes the controls of ASCII but DEL, and none beyond. Those that are harmful all
 * have four digits. */
void cli_put_json(FILE *stream, const char *json) {
  const char *plain = json;
  for (const char *at = json; *at;) {
    unsigned code = 0;
    size_t size = (unsigned char)*at < 0x7f ? 0 : decode((const unsigned char *)at, &code);
    if (size > 0 && is_harmful(code)) {
      fwrite(plain, 1, (size_t)(at - plain), stream);
      fprintf(stream, "\\u%04x", code);
      plain = at + size;
    }
    at += size > 0 ? size : 1;
  }
  fputs(plain, stream);
}

const char *cli_cut(char *out, size_t size, const char *text, int columns) {
  int used = 0, width;
  size_t keep = 0, room = size - sizeof "\xe2\x80\xa6";
  for (size_t at = 0; text[at];) {
    size_t bytes = cli_character(text + at, &width);
    bytes = bytes ? bytes : 1;
    if (used + width > columns || at + bytes > room) {
      memcpy(out, text, keep);
      memcpy(out + keep, "\xe2\x80\xa6", sizeof "\xe2\x80\xa6");
      return out;
    }
    at += bytes;
    used += width;
    keep = used < columns && at <= room ? at : keep;
  }
  snprintf(out, size, "%s", text);
  return out;
}

/* ---- lines that wrap ---------------------------------------------------------------------------
 */

cli_line cli_line_start(FILE *stream, int indent, int hanging) {
  cli_line line = {.stream = stream, .hanging = hanging, .column = indent};
  line.width = cli_is_terminal(stream) ? cli_width(stream) : 0;
  fprintf(stream, "%*s", indent, "");
  return line;
}

static void next_line(cli_line *line) {
  fprintf(line->stream, "\n%*s", line->hanging, "");
  line->column = line->hanging;
}

/* A word stays whole even when it is wider than the terminal, so that it can be copied. */
static void put_word(cli_line *line, const char *word, size_t size, size_t spaces) {
  int columns = cli_columns(word, size);
  bool wraps = line->width > 0 && line->column > line->hanging &&
               line->column + (int)spaces + columns >= line->width && columns > 0;
  if (wraps) {
    next_line(line);
    spaces = 0;
  }
  fprintf(line->stream, "%*s", (int)spaces, "");
  cli_put_safely(line->stream, word, size);
  line->column += (int)spaces + columns;
}

void cli_line_add(cli_line *line, cli_style style, const char *text) {
  cli_style_begin(line->stream, style);
  while (*text) {
    size_t spaces = strspn(text, " \t");
    text += spaces;
    size_t size = strcspn(text, " \t\r\n");
    if (size > 0 || *text == 0) {
      put_word(line, text, size, spaces);
    }
    text += size;
    size_t breaks = strspn(text, "\r\n");
    /* Text from elsewhere must not begin a line of its own: that would look like one of ours. */
    if (breaks > 0 && text[breaks]) {
      next_line(line);
    }
    text += breaks;
  }
  cli_style_end(line->stream, style);
}

void cli_line_pair(cli_line *line, const char *key, const char *text) {
  int columns = cli_columns(key, strlen(key)) + 1 + cli_columns(text, strcspn(text, " \r\n\t"));
  if (line->width > 0 && line->column > line->hanging &&
      line->column + 2 + columns >= line->width) {
    next_line(line);
  } else if (line->column > line->hanging) {
    cli_line_add(line, CLI_DIM, "  ");
  }
  cli_style_begin(line->stream, CLI_DIM);
  cli_put_safely(line->stream, key, strlen(key));
  fputc('=', line->stream);
  cli_style_end(line->stream, CLI_DIM);
  line->column += cli_columns(key, strlen(key)) + 1;
  size_t first = strcspn(text, " \r\n\t"); /* stays with its key */
  cli_put_safely(line->stream, text, first);
  line->column += cli_columns(text, first);
  cli_line_add(line, CLI_PLAIN, text + first);
}

void cli_line_end(cli_line *line) {
  fputc('\n', line->stream);
}

void cli_labelled(FILE *stream, int indent, cli_style style, const char *label, const char *text) {
  cli_line line = cli_line_start(stream, indent, indent + CLI_LABEL);
  char padded[64];
  snprintf(padded, sizeof padded, "%-*s", CLI_LABEL - 1, label);
  cli_line_add(&line, style, padded);
  cli_line_add(&line, CLI_PLAIN, " ");
  cli_line_add(&line, CLI_PLAIN, text);
  cli_line_end(&line);
}

/* ---- numbers -----------------------------------------------------------------------------------
 */

const char *cli_duration(char *out, size_t size, double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) {
    seconds = 0;
  }
  if (seconds < 1) {
    snprintf(out, size, "%dms", (int)(seconds * 1000));
  } else if (seconds < 10) {
    snprintf(out, size, "%d.%ds", (int)seconds, (int)(seconds * 10) % 10);
  } else if (seconds < 60) {
    snprintf(out, size, "%ds", (int)seconds);
  } else if (seconds < 3600) {
    snprintf(out, size, "%dm %02ds", (int)seconds / 60, (int)seconds % 60);
  } else {
    snprintf(out, size, "%ldh %02ldm", (long)seconds / 3600, (long)seconds % 3600 / 60);
  }
  return out;
}

const char *cli_period(char *out, size_t size, double seconds) {
  long whole = seconds >= 0 && seconds < 1e9 ? (long)seconds : -1;
  if (whole < 0 || (double)whole != seconds) {
    snprintf(out, size, "%gs", seconds);
  } else if (whole >= 3600 && whole % 3600 == 0) {
    snprintf(out, size, "%ldh", whole / 3600);
  } else if (whole >= 60 && whole % 60 == 0) {
    snprintf(out, size, "%ldm", whole / 60);
  } else {
    snprintf(out, size, "%lds", whole);
  }
  return out;
}
