/* moonbook list and moonbook show. */
#include "cli.h"

#include <string.h>

enum { NAME, VERSION, EFFECT, SOURCE, COLUMNS };
static const char *const columns[COLUMNS] = {"name", "version", "effect", "source"};

static const char *cell(const mb_value *row, size_t column, char *out, size_t size) {
  bool shadowed = column == SOURCE && cli_flag(row, "shadowed");
  snprintf(out, size, "%s%s", cli_text(row, columns[column]), shadowed ? " (shadowed)" : "");
  return out;
}

static int width_of(const char *text) {
  return cli_columns(text, strlen(text));
}

static void measure(const mb_value *rows, int *widths) {
  char text[256];
  for (size_t c = 0; c < COLUMNS; c++) {
    widths[c] = (int)strlen(columns[c]);
    for (size_t i = 0; i < mb_value_count(rows); i++) {
      int width = width_of(cell(mb_list_at(rows, i), c, text, sizeof text));
      widths[c] = width > widths[c] ? width : widths[c];
    }
  }
}

static void put_column(cli_style style, const char *text, int width) {
  cli_put(stdout, style, text);
  printf("%*s", width - width_of(text) + 2, "");
}

/* What is left of a terminal's width for the summary. A place that takes too much of it is left
 * out: `show` tells it. */
static int room_for_summary(int *widths) {
  enum { COMFORTABLE = 24, LEAST = 12 };
  int room = cli_width(stdout) - 1;
  for (size_t c = 0; c < COLUMNS; c++) {
    room -= widths[c] + 2;
  }
  if (room < COMFORTABLE) {
    room += widths[SOURCE] + 2;
    widths[SOURCE] = 0;
  }
  return room < LEAST ? LEAST : room;
}

static void put_summary(cli_style style, const char *text, int room) {
  char cut[512];
  cli_put(stdout, style, room > 0 ? cli_cut(cut, sizeof cut, text, room) : text);
  fputc('\n', stdout);
}

static void list_row(const mb_value *row, const int *widths, int room) {
  char text[256];
  const char *broken = cli_text(row, "error");
  bool shadowed = cli_flag(row, "shadowed");
  put_column(*broken    ? CLI_BAD
             : shadowed ? CLI_DIM
                        : CLI_BOLD,
             cli_text(row, "name"), widths[NAME]);
  if (*broken) {
    cli_line line = cli_line_start(stdout, 0, widths[NAME] + 2);
    line.column = widths[NAME] + 2;
    cli_line_add(&line, CLI_PLAIN, "does not load: ");
    cli_line_add(&line, CLI_PLAIN, broken);
    cli_line_end(&line);
    return;
  }
  for (size_t c = VERSION; c < COLUMNS && widths[c] > 0; c++) {
    put_column(shadowed || c == SOURCE ? CLI_DIM : CLI_PLAIN, cell(row, c, text, sizeof text),
               widths[c]);
  }
  put_summary(shadowed ? CLI_DIM : CLI_PLAIN, cli_text(row, "summary"), room);
}

static void list_header(const int *widths, int room) {
  for (size_t c = 0; c < COLUMNS && widths[c] > 0; c++) {
    put_column(CLI_DIM, columns[c], widths[c]);
  }
  put_summary(CLI_DIM, "summary", room);
}

int cli_list(const cli_options *options) {
  int code = CLI_OK;
  mb_host *host = cli_host(options, &code);
  if (host == NULL) {
    return code;
  }
  mb_arena *arena = mb_arena_new(0);
  const mb_value *rows = NULL;
  mb_error error;
  mb_error_memory(&error);
  if (arena == NULL || mb_host_list_runbooks(host, arena, &rows, &error)) {
    cli_report_error(&error);
    code = mb_verdict_exit_code(mb_verdict_of_error(&error));
  }
  int widths[COLUMNS];
  measure(rows, widths);
  int room = cli_is_terminal(stdout) ? room_for_summary(widths) : 0;
  if (options->output == CLI_OUTPUT_TEXT && cli_is_terminal(stdout)) {
    list_header(widths, room); /* not into pipes: it is no runbook */
  }
  for (size_t i = 0; i < mb_value_count(rows); i++) {
    const mb_value *row = mb_list_at(rows, i);
    if (options->output == CLI_OUTPUT_NDJSON) {
      cli_print_json(row, false, 0);
    } else {
      list_row(row, widths, room);
    }
    if (mb_map_get(row, "error")) {
      code = CLI_USAGE;
    }
  }
  mb_arena_free(arena);
  mb_host_free(host);
  return code;
}

static void show_field(const char *title, const char *text) {
  if (*text) {
    cli_labelled(stdout, 0, CLI_DIM, title, text);
  }
}

static void show_list(const char *title, const mb_value *list) {
  for (size_t i = 0; i < mb_value_count(list); i++) {
    show_field(i == 0 ? title : "", mb_value_string(mb_list_at(list, i)));
  }
}

static void add_default(cli_line *line, const mb_value *argument) {
  const mb_value *otherwise = mb_map_get(argument, "default");
  char period[32];
  if (mb_value_type(otherwise) == MB_TYPE_NULL) {
    return;
  }
  mb_arena *arena = mb_arena_new(0);
  bool time = strcmp(cli_text(argument, "type"), "duration") == 0;
  cli_line_add(line, CLI_DIM, " (default ");
  cli_line_add(line, CLI_DIM,
               time ? cli_period(period, sizeof period, mb_value_number(otherwise))
                    : cli_value_text(arena, otherwise));
  cli_line_add(line, CLI_DIM, ")");
  mb_arena_free(arena);
}

static void add_choices(cli_line *line, const mb_value *choices) {
  for (size_t i = 0; i < mb_value_count(choices); i++) {
    cli_line_add(line, CLI_DIM, i == 0 ? ": " : ", ");
    cli_line_add(line, CLI_PLAIN, mb_value_string(mb_list_at(choices, i)));
  }
}

static void argument_left(const mb_value *argument, bool flags, char *out, size_t size) {
  snprintf(out, size, "%s%s %s", flags ? "--" : "", cli_text(argument, "name"),
           cli_text(argument, "type"));
  for (char *at = out; flags && *at && *at != ' '; at++) {
    *at = *at == '_' ? '-' : *at;
  }
}

static void show_argument(const mb_value *argument, const char *left, int width) {
  enum { INDENT = 2 };
  const char *type = cli_text(argument, "type"), *doc = cli_text(argument, "doc");
  cli_line line = cli_line_start(stdout, INDENT, INDENT + width + 2);
  char padded[128];
  snprintf(padded, sizeof padded, "%-*s", width + 1, left);
  cli_line_add(&line, CLI_PLAIN, padded);
  if (strncmp(doc, type, strlen(doc)) != 0) {
    cli_line_add(&line, CLI_PLAIN, " ");
    cli_line_add(&line, CLI_PLAIN, doc);
  }
  add_choices(&line, mb_map_get(argument, "choices"));
  bool setting = *cli_text(argument, "setting") != 0;
  if (cli_flag(argument, "required")) {
    cli_line_add(&line, CLI_WARN, setting ? " (required; --env gives it)" : " (required)");
  } else if (setting) {
    cli_line_add(&line, CLI_DIM, " (--env gives it)");
  }
  add_default(&line, argument);
  cli_line_end(&line);
}

void cli_show_arguments(const mb_value *arguments, bool flags) {
  enum { WIDEST = 38 };
  int width = 0;
  char left[128];
  for (size_t i = 0; i < mb_value_count(arguments); i++) {
    argument_left(mb_list_at(arguments, i), flags, left, sizeof left);
    int wide = width_of(left);
    width = wide > width && wide <= WIDEST ? wide : width;
  }
  for (size_t i = 0; i < mb_value_count(arguments); i++) {
    argument_left(mb_list_at(arguments, i), flags, left, sizeof left);
    show_argument(mb_list_at(arguments, i), left, width);
  }
}

static void show_files(const mb_value *files) {
  for (size_t i = 0; i < mb_value_count(files); i++) {
    cli_printf(stdout, CLI_BOLD, "\n-- %s\n", mb_map_key_at(files, i));
    cli_put(stdout, CLI_PLAIN, mb_value_string(mb_map_value_at(files, i)));
  }
}

/* What somebody would type to run it. */
static void show_usage(const mb_value *runbook) {
  const mb_value *arguments = mb_map_get(runbook, "args");
  bool settings = false;
  cli_line line = cli_line_start(stdout, 0, CLI_LABEL);
  cli_line_add(&line, CLI_DIM, "run      ");
  cli_line_add(&line, CLI_PLAIN, "moonbook run ");
  cli_line_add(&line, CLI_PLAIN, cli_text(runbook, "name"));
  for (size_t i = 0; i < mb_value_count(arguments); i++) {
    const mb_value *argument = mb_list_at(arguments, i);
    char left[128];
    settings = settings || *cli_text(argument, "setting");
    if (!cli_flag(argument, "required") || *cli_text(argument, "setting")) {
      continue;
    }
    argument_left(argument, true, left, sizeof left);
    cli_line_add(&line, CLI_PLAIN, " ");
    cli_line_add(&line, CLI_PLAIN, left);
  }
  cli_line_add(&line, CLI_PLAIN, settings ? " --env NAME" : "");
  cli_line_end(&line);
}

static void show_head(const mb_value *runbook) {
  cli_put(stdout, CLI_BOLD, cli_text(runbook, "name"));
  cli_printf(stdout, CLI_PLAIN, " %s\n%s\n\n", cli_text(runbook, "version"),
             cli_text(runbook, "summary"));
  show_usage(runbook);
  show_field("kind", cli_text(runbook, "kind"));
  show_field("effect", cli_text(runbook, "effect"));
  show_field("source", cli_text(runbook, "source"));
  show_list("changes", mb_map_get(runbook, "changes"));
  show_field("confirm", cli_text(runbook, "confirm"));
  show_list("uses", mb_map_get(runbook, "uses"));
  show_list("hosts", mb_map_get(runbook, "hosts"));
  show_list("iam", mb_map_get(runbook, "iam"));
  const mb_value *arguments = mb_map_get(runbook, "args");
  if (mb_value_count(arguments) > 0) {
    cli_put(stdout, CLI_DIM, "\narguments\n");
    cli_show_arguments(arguments, true);
  }
}

/* On a terminal the source comes first: what most people look for is then still on the screen. */
static void show_runbook(const mb_value *runbook, bool source) {
  const mb_value *files = mb_map_get(runbook, "files");
  if (source && cli_is_terminal(stdout)) {
    show_files(files);
    printf("\n");
  }
  show_head(runbook);
  if (source && !cli_is_terminal(stdout)) {
    show_files(files);
  }
}

int cli_show_one(mb_host *host, const cli_options *options, const char *name, bool source,
                 mb_error *error) {
  mb_arena *arena = mb_arena_new(0);
  if (arena == NULL) {
    return mb_error_memory(error);
  }
  const mb_value *runbook = NULL;
  int failed = mb_host_describe_runbook(host, arena, name, &runbook, error);
  if (!failed && options->output == CLI_OUTPUT_NDJSON) {
    cli_print_json(runbook, false, 0);
  } else if (!failed) {
    show_runbook(runbook, source);
  }
  mb_arena_free(arena);
  return failed;
}

int cli_show(const cli_options *options) {
  mb_error error;
  if (options->word_count < 2) {
    mb_error_set(&error, MB_ERROR_USAGE, "MissingName", "show what?");
    mb_error_next(&error, "moonbook show NAME; moonbook list gives the names");
    cli_report_error(&error);
    return CLI_USAGE;
  }
  int code = CLI_OK;
  mb_host *host = cli_host(options, &code);
  if (host == NULL) {
    return code;
  }
  if (cli_show_one(host, options, options->words[1], true, &error)) {
    cli_report_error(&error);
    code = mb_verdict_exit_code(mb_verdict_of_error(&error));
  }
  mb_host_free(host);
  return code;
}
