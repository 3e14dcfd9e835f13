/* A runbook's table: columns as wide as what is in them. */
#include "cli.h"

#include <string.h>

enum { TABLE_COLUMNS = 16, INDENT = 2, GAP = 2 };

const char *cli_value_text(mb_arena *arena, const mb_value *value) {
  if (mb_value_type(value) == MB_TYPE_NULL) {
    return "";
  }
  const char *text = mb_value_type(value) == MB_TYPE_STRING && !mb_value_is_secret(value)
                         ? mb_value_string(value)
                     : arena ? mb_value_to_json(arena, value, 0, false)
                             : NULL;
  return text ? text : "?";
}

/* Writes a cell on one line, whatever is in it, and returns its width; only measures for NULL. */
static int put_cell(FILE *stream, const char *text) {
  int columns = 0;
  while (*text) {
    size_t size = strcspn(text, "\r\n\t");
    columns += cli_columns(text, size);
    if (stream) {
      cli_put_safely(stream, text, size);
    }
    text += size;
    if (*text) {
      text++;
      columns++;
      if (stream) {
        fputc(' ', stream);
      }
    }
  }
  return columns;
}

static void measure(mb_arena *arena, const mb_value *row, size_t count, int *widths) {
  for (size_t c = 0; c < count; c++) {
    int width = put_cell(NULL, cli_value_text(arena, mb_list_at(row, c)));
    widths[c] = width > widths[c] ? width : widths[c];
  }
}

static void show_row(mb_arena *arena, const mb_value *row, size_t count, const int *widths,
                     cli_style style) {
  printf("%*s", INDENT, "");
  for (size_t c = 0; c < count; c++) {
    cli_style_begin(stdout, style);
    int width = put_cell(stdout, cli_value_text(arena, mb_list_at(row, c)));
    cli_style_end(stdout, style);
    printf("%*s", c + 1 < count ? widths[c] - width + GAP : 0, "");
  }
  printf("\n");
}

void cli_show_table(const mb_value *data) {
  int widths[TABLE_COLUMNS] = {0};
  const mb_value *columns = mb_map_get(data, "columns"), *rows = mb_map_get(data, "rows");
  size_t count = mb_value_count(columns);
  count = count > TABLE_COLUMNS ? TABLE_COLUMNS : count;
  mb_arena *arena = mb_arena_new(0);
  measure(arena, columns, count, widths);
  for (size_t r = 0; r < mb_value_count(rows); r++) {
    measure(arena, mb_list_at(rows, r), count, widths);
  }
  show_row(arena, columns, count, widths, CLI_BOLD);
  for (size_t r = 0; r < mb_value_count(rows); r++) {
    show_row(arena, mb_list_at(rows, r), count, widths, CLI_PLAIN);
  }
  mb_arena_free(arena);
}
