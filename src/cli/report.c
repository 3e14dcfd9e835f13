/* Errors and results as the command prints them. */
#include "cli.h"

#include <string.h>

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

int cli_print_json(const mb_value *value, bool reveal, int indent) {
  mb_arena *arena = mb_arena_new(0);
  char *text = arena ? mb_value_to_json(arena, value, indent, reveal) : NULL;
  mb_error error;
  if (text == NULL) {
    mb_error_memory(&error);
    cli_report_error(&error);
  } else {
    fputs(text, stdout);
    fputc('\n', stdout);
  }
  mb_arena_free(arena);
  return text ? 0 : -1;
}
