/* A run as a person reads it: results on stdout, what is under way in a status line on terminals,
 * plain lines elsewhere (spec/operator-ux.md 4.2). */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

enum { INDENT = 2 };

static void labelled(cli_style style, const char *label, const char *text) {
  cli_labelled(stdout, INDENT, style, label, text);
}

/* A map as "key=text  key=text", after what the line has already. */
static void add_map(cli_line *line, const mb_value *map) {
  mb_arena *arena = mb_arena_new(0);
  for (size_t i = 0; i < mb_value_count(map); i++) {
    cli_line_pair(line, mb_map_key_at(map, i), cli_value_text(arena, mb_map_value_at(map, i)));
  }
  mb_arena_free(arena);
}

/* ---- the beginning -----------------------------------------------------------------------------
 */

static const mb_value *argument_named(const mb_value *arguments, const char *name) {
  for (size_t i = 0; i < mb_value_count(arguments); i++) {
    if (strcmp(cli_text(mb_list_at(arguments, i), "name"), name) == 0) {
      return mb_list_at(arguments, i);
    }
  }
  return NULL;
}

/* What was chosen for this run; what every run has unless told otherwise is for -v. */
static void show_arguments(const cli_view *view, const mb_value *data) {
  const mb_value *args = mb_map_get(data, "args");
  cli_line line = {0};
  mb_arena *arena = mb_arena_new(0);
  size_t shown = 0;
  for (size_t i = 0; i < mb_value_count(args); i++) {
    const mb_value *about = argument_named(mb_map_get(data, "arguments"), mb_map_key_at(args, i));
    const mb_value *value = mb_map_value_at(args, i);
    char period[32];
    if (view->verbosity < 1 && cli_flag(about, "is_default")) {
      continue;
    }
    bool time = strcmp(cli_text(about, "type"), "duration") == 0 && !mb_value_is_secret(value);
    if (shown++ == 0) {
      line = cli_line_start(stdout, INDENT, INDENT + CLI_LABEL);
      cli_line_add(&line, CLI_DIM, "with     ");
    }
    cli_line_pair(&line, mb_map_key_at(args, i),
                  time ? cli_period(period, sizeof period, mb_value_number(value))
                       : cli_value_text(arena, value));
  }
  mb_arena_free(arena);
  if (shown > 0) {
    cli_line_end(&line);
  }
}

static void show_place(const cli_view *view, const mb_value *data) {
  const mb_value *target = mb_map_get(data, "target");
  const char *world = view->options->sim ? "a simulated AWS" : "";
  const char *parts[] = {world, cli_text(data, "environment"), cli_text(target, "region"),
                         cli_text(target, "endpoint")};
  char text[1024] = "";
  for (size_t i = 0, used = 0; i < sizeof parts / sizeof *parts && used < sizeof text; i++) {
    if (*parts[i]) {
      used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? "  " : "", parts[i]);
    }
  }
  if (*text) {
    labelled(CLI_DIM, "in", text);
  }
}

static void run_started(const cli_view *view, const mb_value *data) {
  cli_line line = cli_line_start(stdout, 0, INDENT);
  cli_line_add(&line, CLI_BOLD, cli_text(data, "runbook"));
  cli_line_add(&line, CLI_PLAIN, " ");
  cli_line_add(&line, CLI_PLAIN, cli_text(data, "version"));
  cli_line_add(&line, CLI_PLAIN, ": ");
  cli_line_add(&line, CLI_PLAIN, cli_text(data, "summary"));
  cli_line_end(&line);
  show_arguments(view, data);
  show_place(view, data);
}

static void phase_started(cli_view *view, const mb_value *data) {
  const char *phase = cli_text(data, "phase");
  if (view->verbosity > 0 || !cli_status_live()) {
    cli_printf(stdout, CLI_DIM, "%s\n", phase);
  }
  if (*cli_text(data, "message") && !view->undo_asked) {
    labelled(CLI_WARN, phase, cli_text(data, "message"));
  }
  snprintf(view->phase, sizeof view->phase, "%s", phase);
  cli_status_what(phase);
}

static void plan_ready(cli_view *view, const mb_value *data) {
  const mb_value *changes = mb_map_get(data, "changes");
  for (size_t i = 0; i < mb_value_count(changes); i++) {
    labelled(CLI_WARN, i == 0 ? "plan" : "", mb_value_string(mb_list_at(changes, i)));
  }
  view->plan_shown = true;
}

/* ---- steps and calls ---------------------------------------------------------------------------
 */

static void step_started(const mb_value *data) {
  char text[512];
  snprintf(text, sizeof text, "%d  %s", (int)cli_number(data, "step"), cli_text(data, "name"));
  labelled(CLI_BOLD, "step", text);
  cli_status_what(cli_text(data, "name"));
}

/* A step that was stopped has neither been done nor failed. */
static void step_finished(const cli_view *view, const mb_value *data) {
  char duration[32], text[512];
  bool ok = cli_flag(data, "ok");
  bool stopped = strcmp(cli_text(mb_map_get(data, "error"), "kind"), "cancelled") == 0;
  cli_line line = cli_line_start(stdout, INDENT, INDENT + CLI_LABEL);
  cli_line_add(&line,
               ok        ? CLI_GOOD
               : stopped ? CLI_WARN
                         : CLI_BAD,
               ok        ? "done     "
               : stopped ? "stopped  "
                         : "FAILED   ");
  snprintf(text, sizeof text, "%d  %s", (int)cli_number(data, "step"), cli_text(data, "name"));
  cli_line_add(&line, CLI_PLAIN, text);
  cli_line_add(&line, CLI_DIM, "  ");
  cli_line_add(&line, CLI_DIM,
               cli_duration(duration, sizeof duration, cli_number(data, "seconds")));
  cli_line_end(&line);
  cli_status_what(view->phase);
}

static void call_started(const mb_value *data) {
  cli_line line = cli_line_start(stdout, INDENT, INDENT + CLI_LABEL);
  cli_line_add(&line, CLI_DIM, "call     ");
  cli_line_add(&line, CLI_DIM, cli_text(data, "operation"));
  add_map(&line, mb_map_get(data, "args"));
  cli_line_end(&line);
}

static void call_finished(const mb_value *data) {
  char text[256], duration[32];
  bool ok = cli_flag(data, "ok");
  int attempts = (int)cli_number(data, "attempts");
  cli_line line = cli_line_start(stdout, INDENT, INDENT + CLI_LABEL);
  cli_style style = ok ? CLI_DIM : CLI_WARN;
  cli_line_add(&line, style, "answer   ");
  cli_line_add(&line, style, cli_text(data, "operation"));
  cli_line_add(&line, style, " ");
  cli_line_add(&line, style, ok ? "ok" : cli_text(mb_map_get(data, "error"), "code"));
  snprintf(text, sizeof text, " %s",
           cli_duration(duration, sizeof duration, cli_number(data, "seconds")));
  cli_line_add(&line, style, text);
  snprintf(text, sizeof text, ", %d attempts", attempts);
  cli_line_add(&line, CLI_WARN, attempts > 1 ? text : "");
  cli_line_add(&line, CLI_DIM, "  ");
  cli_line_add(&line, CLI_DIM, cli_text(data, "request_id"));
  cli_line_end(&line);
}

/* ---- checks ------------------------------------------------------------------------------------
 */

static void remember_failure(cli_view *view, const char *text) {
  if (view->failed == 0) {
    view->lines_since_failure = 0;
  }
  if (view->failed < CLI_FAILURES) {
    view->failures[view->failed] = strdup(text); /* NULL: it is not told twice */
  }
  view->failed++;
}

static void check_made(cli_view *view, const mb_value *data) {
  char text[2048];
  bool ok = cli_flag(data, "ok");
  const char *message = cli_text(data, "message");
  snprintf(text, sizeof text, "%s%s%s", cli_text(data, "name"), *message ? ": " : "", message);
  labelled(ok ? CLI_GOOD : CLI_BAD, ok ? "pass" : "FAIL", text);
  const mb_value *evidence = mb_map_get(data, "evidence");
  if (!ok && mb_value_type(evidence) != MB_TYPE_NULL) {
    mb_arena *arena = mb_arena_new(0);
    labelled(CLI_DIM, "", cli_value_text(arena, evidence));
    mb_arena_free(arena);
  }
  if (!ok) {
    remember_failure(view, text);
  }
}

/* Failed checks again below the verdict, when the first of them has gone off the screen. */
static void repeat_failures(const cli_view *view) {
  size_t screen = cli_is_terminal(stdout) ? (size_t)cli_height(stdout) - 4 : 20;
  if (view->failed == 0 || view->lines_since_failure < screen) {
    return;
  }
  size_t kept = view->failed < CLI_FAILURES ? view->failed : CLI_FAILURES;
  for (size_t i = 0; i < kept; i++) {
    if (view->failures[i]) {
      labelled(CLI_BAD, "FAIL", view->failures[i]);
    }
  }
  if (view->failed > kept) {
    char text[64];
    snprintf(text, sizeof text, "and %zu more", view->failed - kept);
    labelled(CLI_BAD, "", text);
  }
}

void cli_view_dispose(cli_view *view) {
  for (size_t i = 0; i < CLI_FAILURES; i++) {
    free(view->failures[i]);
  }
}

/* ---- words -------------------------------------------------------------------------------------
 */

static void log_line(const mb_value *data) {
  const char *level = cli_text(data, "level");
  char padded[CLI_LABEL + 1];
  cli_style style = strcmp(level, "error") == 0  ? CLI_BAD
                    : strcmp(level, "warn") == 0 ? CLI_WARN
                                                 : CLI_DIM;
  cli_line line = cli_line_start(stdout, INDENT, INDENT + CLI_LABEL);
  snprintf(padded, sizeof padded, "%-*s", CLI_LABEL, level);
  cli_line_add(&line, style, padded);
  cli_line_add(&line, CLI_PLAIN, cli_text(data, "message"));
  add_map(&line, mb_map_get(data, "fields"));
  cli_line_end(&line);
}

/* A command is one line, to be copied. */
static void labelled_command(const char *label, const char *command) {
  cli_line line = cli_line_start(stdout, INDENT, INDENT + CLI_LABEL);
  char padded[CLI_LABEL + 1];
  line.width = 0;
  snprintf(padded, sizeof padded, "%-*s", CLI_LABEL, label);
  cli_line_add(&line, CLI_DIM, padded);
  cli_line_add(&line, CLI_PLAIN, command);
  cli_line_end(&line);
}

static void finding_shown(const cli_view *view, const mb_value *data) {
  const char *treatment = cli_text(data, "treatment");
  cli_line line = cli_line_start(stdout, INDENT, INDENT + CLI_LABEL);
  cli_line_add(&line, CLI_WARN, "finding  ");
  cli_line_add(&line, CLI_BOLD, cli_text(data, "cause"));
  cli_line_add(&line, CLI_DIM, "  ");
  mb_arena *arena = mb_arena_new(0);
  cli_line_add(&line, CLI_DIM, cli_value_text(arena, mb_map_get(data, "confidence")));
  cli_line_end(&line);
  const mb_value *evidence = mb_map_get(data, "evidence");
  for (size_t i = 0; i < mb_value_count(evidence); i++) {
    const mb_value *item = mb_value_type(evidence) == MB_TYPE_LIST ? mb_list_at(evidence, i)
                                                                   : mb_map_value_at(evidence, i);
    labelled(CLI_DIM, "", cli_value_text(arena, item));
  }
  if (mb_value_type(evidence) == MB_TYPE_STRING) {
    labelled(CLI_DIM, "", cli_value_text(arena, evidence));
  }
  mb_arena_free(arena);
  char command[4096];
  if (*treatment) {
    labelled_command("treat", cli_next_command(command, sizeof command, view->options, treatment));
  }
}

/* Plain output tells what has changed; that nothing has is for the heartbeat. */
static void progress_made(const mb_value *data) {
  const char *message = cli_text(data, "message");
  if (cli_status_message(message) && !cli_status_live()) {
    cli_output_line();
    labelled(CLI_DIM, "", message);
  }
}

/* ---- the end -----------------------------------------------------------------------------------
 */

static void show_next(const cli_view *view, const mb_value *data) {
  const mb_value *next = mb_map_get(data, "next");
  const char *const hints[] = {cli_text(mb_map_get(data, "error"), "next"),
                               cli_text(mb_map_get(data, "undo_error"), "next")};
  char command[4096];
  const char *label = "next";
  for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
    if (*hints[i]) {
      labelled(CLI_DIM, label, hints[i]);
      label = "";
    }
  }
  for (size_t i = 0; i < mb_value_count(next); i++) {
    labelled_command(label, cli_next_command(command, sizeof command, view->options,
                                             mb_value_string(mb_list_at(next, i))));
    label = "";
  }
  if (view->unanswered) {
    labelled_command(label, cli_again(command, sizeof command, view->options, view->unanswered,
                                      *view->phrase ? view->phrase : NULL));
  }
}

/* Where an error came from, for whoever looks into it. Being stopped comes from nowhere. */
static void show_error(const mb_value *error, const char *first_label) {
  static const char *const shown[] = {"code",   "operation",  "where",
                                      "region", "request_id", "endpoint"};
  const char *labels[] = {first_label, "call", "at", "region", "request", "endpoint"};
  bool cancelled = strcmp(cli_text(error, "kind"), "cancelled") == 0;
  for (size_t i = 0; !cancelled && i < sizeof shown / sizeof *shown; i++) {
    if (*cli_text(error, shown[i])) {
      labelled(CLI_DIM, labels[i], cli_text(error, shown[i]));
    }
  }
}

static void show_undo(const cli_view *view, const mb_value *data) {
  show_error(mb_map_get(data, "undo_error"), "undo");
  if (strcmp(cli_text(data, "undo"), "skipped") == 0) {
    labelled(CLI_DIM, "undo",
             view->undo_asked      ? "was not wanted"
             : view->options->undo ? "was not begun: told twice to stop"
                                   : "was not run; --undo runs it when a run fails");
  }
}

static void run_finished(cli_view *view, const mb_value *data) {
  char duration[32], text[128];
  int code = (int)cli_number(data, "exit_code"), calls = (int)cli_number(data, "calls");
  cli_line line = cli_line_start(stdout, 0, INDENT);
  cli_line_add(&line, code == 0 ? CLI_GOOD_END : CLI_BAD, cli_text(data, "verdict"));
  cli_line_add(&line, CLI_PLAIN, ": ");
  cli_line_add(&line, CLI_PLAIN, cli_text(data, "message"));
  snprintf(text, sizeof text, "  (%s, %d call%s, exit code %d)",
           cli_duration(duration, sizeof duration, cli_number(data, "seconds")), calls,
           calls == 1 ? "" : "s", code);
  cli_line_add(&line, CLI_DIM, text);
  cli_line_end(&line);
  cli_show_account(stdout, data);
  repeat_failures(view);
  show_error(mb_map_get(data, "error"), "code");
  show_undo(view, data);
  if (view->why) {
    labelled(CLI_DIM, "why", view->why);
  }
  show_next(view, data);
}

static bool is_shown(const cli_view *view, const mb_event *event) {
  switch (event->type) {
  case MB_EVENT_CALL_STARTED:
    return view->verbosity >= 2;
  case MB_EVENT_CALL_FINISHED:
    return view->verbosity >= 1;
  case MB_EVENT_LOG:
    return view->verbosity >= 1 || strcmp(cli_text(event->data, "level"), "debug") != 0;
  case MB_EVENT_PROGRESS: /* writes by itself, if at all */
  case MB_EVENT_PHASE_FINISHED:
    return false;
  default:
    return true;
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
    plan_ready(view, data);
    break;
  case MB_EVENT_STEP_STARTED:
    step_started(data);
    break;
  case MB_EVENT_STEP_FINISHED:
    step_finished(view, data);
    break;
  case MB_EVENT_CALL_STARTED:
    call_started(data);
    break;
  case MB_EVENT_CALL_FINISHED:
    call_finished(data);
    break;
  case MB_EVENT_CHECK:
    check_made(view, data);
    break;
  case MB_EVENT_LOG:
    log_line(data);
    break;
  case MB_EVENT_TABLE:
    cli_show_table(data);
    break;
  case MB_EVENT_FINDING:
    finding_shown(view, data);
    break;
  case MB_EVENT_RUN_FINISHED:
    cli_status_what("");
    run_finished(view, data);
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
  cli_output_begin();
  if (event->type == MB_EVENT_PROGRESS) {
    progress_made(event->data);
  } else if (is_shown(view, event)) {
    view->lines_since_failure++;
    cli_output_line();
    show_event(view, event);
  }
  cli_output_end();
}
