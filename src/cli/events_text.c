/* A run as a person reads it: results on stdout, a status line on terminals, plain lines elsewhere.
 * Plain output prints progress when it changes and at least every 30 seconds while it does not
 * (spec/operator-ux.md 4.2). */
#include "cli.h"

#include <string.h>

static const int64_t heartbeat_ns = 30 * INT64_C(1000000000);

static void indent(const cli_view *view) {
  printf("%*s", view->depth * 2, "");
}

static void show_map_line(const mb_value *map) {
  for (size_t i = 0; i < mb_value_count(map); i++) {
    const mb_value *value = mb_map_value_at(map, i);
    mb_arena *arena = mb_arena_new(0);
    const char *text = mb_value_type(value) == MB_TYPE_STRING && !mb_value_is_secret(value)
                           ? mb_value_string(value)
                       : arena ? mb_value_to_json(arena, value, 0, false)
                               : "";
    cli_printf(stdout, CLI_DIM, "  %s=", mb_map_key_at(map, i));
    cli_put(stdout, CLI_PLAIN, text ? text : "");
    mb_arena_free(arena);
  }
}

static void run_started(cli_view *view, const mb_value *data) {
  const mb_value *target = mb_map_get(data, "target");
  cli_printf(stdout, CLI_BOLD, "%s", cli_text(data, "runbook"));
  cli_printf(stdout, CLI_PLAIN, " %s: %s\n", cli_text(data, "version"), cli_text(data, "summary"));
  printf(" ");
  show_map_line(mb_map_get(data, "args"));
  show_map_line(target);
  printf("\n");
  view->depth = 1;
}

static void plan_ready(const mb_value *data) {
  const mb_value *changes = mb_map_get(data, "changes");
  for (size_t i = 0; i < mb_value_count(changes); i++) {
    cli_put(stdout, CLI_WARN, i == 0 ? "  will     " : "           ");
    cli_printf(stdout, CLI_PLAIN, "%s\n", mb_value_string(mb_list_at(changes, i)));
  }
}

static void step_started(cli_view *view, const mb_value *data) {
  char text[256];
  snprintf(text, sizeof text, "%d  %s", (int)cli_number(data, "step"), cli_text(data, "name"));
  indent(view);
  cli_put(stdout, CLI_BOLD, "step     ");
  cli_printf(stdout, CLI_PLAIN, "%s\n", text);
  cli_status(stdout, text);
}

static void step_finished(cli_view *view, const mb_value *data) {
  char duration[32];
  bool ok = cli_flag(data, "ok");
  indent(view);
  cli_put(stdout, ok ? CLI_GOOD : CLI_BAD, ok ? "done     " : "FAILED   ");
  cli_printf(stdout, CLI_PLAIN, "%d  %s", (int)cli_number(data, "step"), cli_text(data, "name"));
  cli_printf(stdout, CLI_DIM, "  %s\n",
             cli_duration(duration, sizeof duration, cli_number(data, "seconds")));
}

static void call_started(cli_view *view, const mb_value *data) {
  if (view->verbosity < 2) {
    return;
  }
  indent(view);
  cli_printf(stdout, CLI_DIM, "call     %s", cli_text(data, "operation"));
  show_map_line(mb_map_get(data, "args"));
  printf("\n");
}

static void call_finished(cli_view *view, const mb_value *data) {
  if (view->verbosity < 1) {
    return;
  }
  char duration[32];
  bool ok = cli_flag(data, "ok");
  const mb_value *error = mb_map_get(data, "error");
  indent(view);
  cli_printf(stdout, ok ? CLI_DIM : CLI_WARN, "answer   %s %s %s", cli_text(data, "operation"),
             ok ? "ok" : cli_text(error, "code"),
             cli_duration(duration, sizeof duration, cli_number(data, "seconds")));
  if (cli_number(data, "attempts") > 1) {
    cli_printf(stdout, CLI_WARN, ", %d attempts", (int)cli_number(data, "attempts"));
  }
  cli_printf(stdout, CLI_DIM, "  %s\n", cli_text(data, "request_id"));
}

static void check_made(cli_view *view, const mb_value *data) {
  /* A check has three endings: passed, failed, and not checked at all, which is never a pass. */
  const char *state = cli_text(data, "state");
  bool skipped = strcmp(state, "skipped") == 0;
  bool ok = cli_flag(data, "ok");
  indent(view);
  cli_put(stdout,
          skipped ? CLI_WARN
          : ok    ? CLI_GOOD
                  : CLI_BAD,
          skipped ? "skipped  "
          : ok    ? "pass     "
                  : "FAIL     ");
  cli_printf(stdout, CLI_PLAIN, "%s", cli_text(data, "name"));
  const char *message = cli_text(data, "message");
  if (*message) {
    cli_printf(stdout, CLI_PLAIN, ": %s", message);
  }
  printf("\n");
}

static void progress_made(cli_view *view, const mb_event *event) {
  const char *message = cli_text(event->data, "message");
  bool changed = strncmp(view->last_progress, message, sizeof view->last_progress - 1) != 0;
  if (cli_is_terminal(stdout)) {
    char text[512];
    snprintf(text, sizeof text, "  %s", message);
    cli_status(stdout, text);
  } else if (changed || event->wall_ns - view->last_progress_ns >= heartbeat_ns) {
    indent(view);
    cli_printf(stdout, CLI_DIM, "%s %s\n", changed ? "        " : "still:  ", message);
    view->last_progress_ns = event->wall_ns;
  }
  snprintf(view->last_progress, sizeof view->last_progress, "%s", message);
}

static void log_line(cli_view *view, const mb_value *data) {
  const char *level = cli_text(data, "level");
  bool debug = strcmp(level, "debug") == 0;
  if (debug && view->verbosity < 1) {
    return;
  }
  cli_style style = strcmp(level, "error") == 0  ? CLI_BAD
                    : strcmp(level, "warn") == 0 ? CLI_WARN
                                                 : CLI_DIM;
  indent(view);
  cli_printf(stdout, style, "%-8s ", level);
  cli_put(stdout, CLI_PLAIN, cli_text(data, "message"));
  show_map_line(mb_map_get(data, "fields"));
  printf("\n");
}

static void cell_text(const mb_value *cell, char *out, size_t size) {
  mb_arena *arena = mb_arena_new(0);
  const char *text = mb_value_type(cell) == MB_TYPE_STRING && !mb_value_is_secret(cell)
                         ? mb_value_string(cell)
                     : arena && cell ? mb_value_to_json(arena, cell, 0, false)
                                     : "";
  snprintf(out, size, "%s", text ? text : "");
  mb_arena_free(arena);
}

enum { TABLE_COLUMNS = 16, CELL = 160 };

static void table_widths(const mb_value *data, size_t columns, int *widths) {
  char text[CELL];
  const mb_value *rows = mb_map_get(data, "rows");
  for (size_t c = 0; c < columns; c++) {
    widths[c] = (int)strlen(mb_value_string(mb_list_at(mb_map_get(data, "columns"), c)));
    for (size_t r = 0; r < mb_value_count(rows); r++) {
      cell_text(mb_list_at(mb_list_at(rows, r), c), text, sizeof text);
      int width = (int)strlen(text);
      widths[c] = width > widths[c] ? width : widths[c];
    }
  }
}

static void table_shown(cli_view *view, const mb_value *data) {
  int widths[TABLE_COLUMNS];
  const mb_value *columns = mb_map_get(data, "columns"), *rows = mb_map_get(data, "rows");
  size_t count = mb_value_count(columns);
  count = count > TABLE_COLUMNS ? TABLE_COLUMNS : count;
  table_widths(data, count, widths);
  indent(view);
  for (size_t c = 0; c < count; c++) {
    cli_printf(stdout, CLI_BOLD, "%-*s  ", widths[c], mb_value_string(mb_list_at(columns, c)));
  }
  for (size_t r = 0; r < mb_value_count(rows); r++) {
    printf("\n");
    indent(view);
    for (size_t c = 0; c < count; c++) {
      char text[CELL];
      cell_text(mb_list_at(mb_list_at(rows, r), c), text, sizeof text);
      cli_printf(stdout, CLI_PLAIN, "%-*s  ", widths[c], text);
    }
  }
  printf("\n");
}

static void finding_shown(cli_view *view, const mb_value *data) {
  indent(view);
  cli_put(stdout, CLI_WARN, "finding  ");
  cli_printf(stdout, CLI_BOLD, "%s", cli_text(data, "cause"));
  cli_printf(stdout, CLI_DIM, "  %s\n", cli_text(data, "confidence"));
  const char *treatment = cli_text(data, "treatment");
  if (*treatment) {
    indent(view);
    cli_printf(stdout, CLI_PLAIN, "         treat with: %s\n", treatment);
  }
}

static void run_finished(const mb_value *data) {
  char duration[32];
  const char *verdict = cli_text(data, "verdict");
  int code = (int)cli_number(data, "exit_code");
  const mb_value *error = mb_map_get(data, "error"), *next = mb_map_get(data, "next");
  cli_put(stdout, code == 0 ? CLI_GOOD : CLI_BAD, verdict);
  cli_printf(stdout, CLI_PLAIN, ": %s", cli_text(data, "message"));
  cli_printf(stdout, CLI_DIM, "  (%s, %d calls, exit code %d)\n",
             cli_duration(duration, sizeof duration, cli_number(data, "seconds")),
             (int)cli_number(data, "calls"), code);
  static const char *const shown[] = {"code", "operation", "where", "request_id", "endpoint"};
  for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
    const char *text = cli_text(error, shown[i]);
    if (*text) {
      cli_printf(stdout, CLI_DIM, "  %-10s ", shown[i]);
      cli_printf(stdout, CLI_PLAIN, "%s\n", text);
    }
  }
  for (size_t i = 0; i < mb_value_count(next); i++) {
    cli_put(stdout, CLI_DIM, i == 0 ? "  next       " : "             ");
    cli_printf(stdout, CLI_PLAIN, "%s\n", mb_value_string(mb_list_at(next, i)));
  }
}

static void phase_started(cli_view *view, const mb_value *data) {
  char text[64];
  snprintf(text, sizeof text, "  %s ...", cli_text(data, "phase"));
  if (view->verbosity > 0 || !cli_is_terminal(stdout)) {
    cli_printf(stdout, CLI_DIM, "%s\n", cli_text(data, "phase"));
  } else {
    cli_status(stdout, text);
  }
}

static void show_event(cli_view *view, const mb_event *event) {
  const mb_value *data = event->data;
  switch (event->type) {
  case MB_EVENT_RUN_STARTED:
    run_started(view, data);
    break;
  case MB_EVENT_PHASE_STARTED:
    phase_started(view, data);
    break;
  case MB_EVENT_PLAN_READY:
    plan_ready(data);
    break;
  case MB_EVENT_STEP_STARTED:
    step_started(view, data);
    break;
  case MB_EVENT_STEP_FINISHED:
    step_finished(view, data);
    break;
  case MB_EVENT_CALL_STARTED:
    call_started(view, data);
    break;
  case MB_EVENT_CALL_FINISHED:
    call_finished(view, data);
    break;
  case MB_EVENT_CHECK:
    check_made(view, data);
    break;
  case MB_EVENT_LOG:
    log_line(view, data);
    break;
  case MB_EVENT_TABLE:
    table_shown(view, data);
    break;
  case MB_EVENT_FINDING:
    finding_shown(view, data);
    break;
  case MB_EVENT_RUN_FINISHED:
    run_finished(data);
    break;
  case MB_EVENT_PROGRESS:
  case MB_EVENT_PHASE_FINISHED:
    break;
  }
}

void cli_show_event_text(const mb_event *event, void *payload) {
  cli_view *view = payload;
  if (view->verbosity < 0 && event->type != MB_EVENT_RUN_FINISHED) {
    return;
  }
  if (event->type == MB_EVENT_PROGRESS) {
    progress_made(view, event);
  } else {
    cli_status_clear(stdout);
    show_event(view, event);
  }
  fflush(stdout);
}
