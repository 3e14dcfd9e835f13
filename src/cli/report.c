/* Errors and results as the command prints them. */
#include "cli.h"

#include <string.h>

enum { EVIDENCE_LINES = 60 }; /* that a person reads through */

const char *cli_text(const mb_value *map, const char *key) {
  return mb_value_string(mb_map_get(map, key));
}

double cli_number(const mb_value *map, const char *key) {
  return mb_value_number(mb_map_get(map, key));
}

bool cli_flag(const mb_value *map, const char *key) {
  return mb_value_boolean(mb_map_get(map, key));
}

static void report_field(const char *name, const char *value) {
  if (value && *value) {
    cli_labelled(stderr, 2, CLI_DIM, name, value);
  }
}

static void report_answer(const mb_error *error) {
  char text[512];
  const char *plural = error->attempts == 1 ? "" : "s";
  if (error->status > 0) {
    snprintf(text, sizeof text, "HTTP %d after %d attempt%s%s%s", error->status, error->attempts,
             plural, *error->request_id ? ", request id " : "", error->request_id);
    report_field("answer", text);
  } else if (error->attempts > 0) {
    snprintf(text, sizeof text, "none after %d attempt%s", error->attempts, plural);
    report_field("answer", text);
  }
}

void cli_report_error(const mb_error *error) {
  fflush(stdout);
  cli_line line = cli_line_start(stderr, 0, 2);
  cli_line_add(&line, CLI_BAD, "error: ");
  cli_line_add(&line, CLI_PLAIN, error->message);
  cli_line_end(&line);
  report_field("at", error->where);
  report_field("code", error->code);
  report_field("call", error->operation);
  report_answer(error);
  report_field("region", error->region);
  report_field("endpoint", error->endpoint);
  report_field("next", error->next);
}

/* A line of evidence may be indented itself; what does not fit goes on a little further in. */
static void show_line(FILE *stream, const char *text) {
  int inner = (int)strspn(text, " ");
  inner = inner < CLI_LABEL ? inner : CLI_LABEL;
  cli_line line = cli_line_start(stream, 2 + CLI_LABEL, 2 + CLI_LABEL + inner + 2);
  cli_line_add(&line, CLI_PLAIN, text);
  cli_line_end(&line);
}

void cli_show_account(FILE *stream, const mb_value *data) {
  const mb_value *evidence = mb_map_get(data, "evidence");
  size_t count = mb_value_count(evidence);
  size_t shown = count <= EVIDENCE_LINES ? count : EVIDENCE_LINES;
  mb_arena *arena = mb_arena_new(0);
  if (*cli_text(data, "cause")) {
    cli_line line = cli_line_start(stream, 2, 2 + CLI_LABEL);
    cli_line_add(&line, CLI_DIM, "cause    ");
    cli_line_add(&line, CLI_DIM, cli_text(data, "cause"));
    cli_line_end(&line);
  }
  for (size_t i = 0; i < shown; i++) {
    show_line(stream, cli_value_text(arena, mb_list_at(evidence, i)));
  }
  if (count > shown) {
    char text[80];
    snprintf(text, sizeof text, "\xe2\x80\xa6 and %zu more (--output ndjson has all)",
             count - shown);
    show_line(stream, text);
  }
  mb_arena_free(arena);
}

int cli_print_json(const mb_value *value, bool reveal, int indent) {
  mb_arena *arena = mb_arena_new(0);
  char *text = arena ? mb_value_to_json(arena, value, indent, reveal) : NULL;
  mb_error error;
  if (text == NULL) {
    mb_error_memory(&error);
    cli_report_error(&error);
  } else {
    cli_put_json(stdout, text);
    fputc('\n', stdout);
  }
  mb_arena_free(arena);
  return text ? 0 : -1;
}
