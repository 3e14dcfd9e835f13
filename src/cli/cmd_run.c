/* moonbook run: plans, asks, runs and follows one runbook, and exits with its verdict's code. */
#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* ---- signals -----------------------------------------------------------------------------------
 */

static mb_run *running; /* what a signal stops; set before handlers are installed */
static volatile sig_atomic_t writes_under_way;
static volatile sig_atomic_t undoes; /* a stop now leads to an undo */
static volatile sig_atomic_t undoing;

/* Says at once what happens and what the next press does: the operator must not have to guess. */
static void say(const char *text) {
  ssize_t written = write(STDERR_FILENO, text, strlen(text));
  (void)written; /* there is nobody else to tell */
}

static void stop_running(int number) {
  (void)number;
  int before = errno;
  cli_signals_seen = cli_signals_seen + 1;
  if (cli_signals_seen > 1) {
    say(undoing ? "\nleaving the undo at once\n" : "\nleaving at once\n");
  } else if (undoing) {
    say("\nstopping the undo when the call under way is answered; press Ctrl-C again to leave at "
        "once\n");
  } else if (undoes) {
    say(writes_under_way > 0 ? "\nstopping when the write under way is answered, then undoing; "
                             : "\nstopping, then undoing; ");
    say("press Ctrl-C again to leave at once, with nothing undone\n");
  } else if (writes_under_way > 0) {
    say("\nstopping when the write under way is answered; press Ctrl-C again to leave at once\n");
  } else {
    say("\nstopping\n");
  }
  if (running) {
    mb_run_cancel(running);
  }
  errno = before;
}

/* A signal that was ignored when we began stays so: under nohup, or behind a shell's `&`, the run
 * is meant to go on. */
static void catch_signal(int number, const struct sigaction *action) {
  struct sigaction before;
  if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
    sigaction(number, action, NULL);
  }
}

static void catch_signals(mb_run *run) {
  running = run;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = run ? stop_running : SIG_DFL;
  catch_signal(SIGINT, &action);
  catch_signal(SIGTERM, &action);
  catch_signal(SIGHUP, &action);
}

/* A call counts as a write from its start to its end; the number of writes fits in few bits. */
static void count_writes(const mb_event *event, bool undo) {
  bool writes = strcmp(cli_text(event->data, "effect"), "reads") != 0;
  if (event->type == MB_EVENT_CALL_STARTED && writes) {
    writes_under_way = writes_under_way + 1;
    undoes = undo;
  } else if (event->type == MB_EVENT_CALL_FINISHED && writes && writes_under_way > 0) {
    writes_under_way = writes_under_way - 1;
  }
}

/* The undo is stopped as a run is, from the first signal on. */
static void note_undo(const mb_event *event) {
  if (event->type == MB_EVENT_PHASE_STARTED &&
      strcmp(cli_text(event->data, "phase"), "undo") == 0) {
    cli_signals_seen = 0;
    undoing = 1;
  }
}

static void on_event(const mb_event *event, void *payload) {
  cli_view *view = payload;
  count_writes(event, view->options->undo);
  note_undo(event);
  if (view->options->output == CLI_OUTPUT_NDJSON) {
    cli_show_event_json(event, view);
  } else {
    cli_show_event_text(event, view);
  }
}

/* ---- arguments ---------------------------------------------------------------------------------
 */

/* "--desired-count 3" becomes {desired_count = "3"}; a repeated argument becomes a list. */
static int collect_arguments(mb_arena *arena, const cli_options *options, mb_value **out,
                             mb_error *error) {
  *out = mb_value_new_map(arena);
  for (size_t i = 0; *out && i < options->named_count; i++) {
    char name[128];
    snprintf(name, sizeof name, "%s", options->named[i].name);
    for (char *at = name; *at; at++) {
      *at = *at == '-' ? '_' : *at;
    }
    const char *text = options->named[i].value ? options->named[i].value : "true";
    mb_value *old = mb_map_get(*out, name);
    mb_value *place = old ? old : mb_map_put(arena, *out, name);
    if (old && mb_value_type(old) != MB_TYPE_LIST) {
      const char *before = mb_value_string(old); /* stays in the arena */
      mb_value_set_list(old);
      mb_value *item = mb_list_add(arena, old);
      if (item == NULL || mb_value_set_string(arena, item, before)) {
        return mb_error_memory(error);
      }
    }
    if (old) {
      place = mb_list_add(arena, old);
    }
    if (place == NULL || mb_value_set_string(arena, place, text)) {
      return mb_error_memory(error);
    }
  }
  return *out ? 0 : mb_error_memory(error);
}

/* ---- asking ------------------------------------------------------------------------------------
 */

/* Asks, unless nobody is there; then remembers the flag that would have answered. */
static const char *ask(cli_view *view, const char *question, const char *flag, char *answer,
                       size_t size) {
  if (view->options->no_input || !cli_can_ask()) {
    view->unanswered = flag;
    view->why = view->options->no_input
                    ? "it must be confirmed, and --no-input says not to ask"
                    : "it must be confirmed, and there is no terminal to ask on";
    return NULL;
  }
  cli_status_pause(true);
  const char *typed = cli_ask(question, 0, answer, size);
  cli_status_pause(false);
  return typed;
}

/* A phrase is asked for where a yes given by habit, or to a script, would cost too much. */
static bool confirm_phrase(cli_view *view, const char *phrase) {
  char question[512], answer[512];
  const char *typed = view->options->confirm;
  if (typed == NULL) {
    snprintf(question, sizeof question, "Type %s to go on: ", phrase);
    typed = ask(view, question, "--confirm", answer, sizeof answer);
  }
  if (typed == NULL) {
    snprintf(view->phrase, sizeof view->phrase, "%s", phrase);
    return false;
  }
  if (strcmp(typed, phrase) != 0) {
    view->why = "the phrase is not the one that was asked for";
    return false;
  }
  return true;
}

/* The plan has been shown by PLAN_READY; a question of the runbook's own has not. */
static void show_question(cli_view *view, const mb_value *lines) {
  bool plan = view->plan_shown;
  view->plan_shown = false;
  for (size_t i = 0; !plan && i < mb_value_count(lines); i++) {
    cli_put(stderr, CLI_BOLD, mb_value_string(mb_list_at(lines, i)));
    fputc('\n', stderr);
  }
}

static bool is_yes(const char *typed) {
  return typed != NULL &&
         (strcmp(typed, "y") == 0 || strcmp(typed, "Y") == 0 || strcmp(typed, "yes") == 0);
}

static bool confirm_plan(const mb_value *plan, const mb_value *changes, const char *phrase,
                         void *payload) {
  (void)plan;
  cli_view *view = payload;
  if (view->options->yes && phrase == NULL) {
    return true;
  }
  show_question(view, changes);
  if (phrase) {
    return confirm_phrase(view, phrase);
  }
  char answer[64];
  return is_yes(ask(view, "Go on? [y/N] ", "--yes", answer, sizeof answer));
}

/* How it ended comes before the question: nobody can answer without. Who has said that there are to
 * be no questions is not asked. A signal is often why it ended; only a further one is an answer. */
static bool confirm_undo(const mb_value *ending, void *payload) {
  cli_view *view = payload;
  char answer[64];
  int signals = cli_signals_seen;
  if (view->options->yes || view->options->no_input || !cli_can_ask() || signals > 1) {
    return false;
  }
  cli_status_pause(true);
  fflush(stdout);
  cli_line line = cli_line_start(stderr, 0, 2);
  cli_line_add(&line, CLI_BAD, cli_text(ending, "verdict"));
  cli_line_add(&line, CLI_PLAIN, ": ");
  cli_line_add(&line, CLI_PLAIN, cli_text(ending, "message"));
  cli_line_end(&line);
  cli_show_account(stderr, ending);
  const char *typed = cli_ask("Undo what was done? [y/N] ", signals, answer, sizeof answer);
  cli_status_pause(false);
  view->undo_asked = true;
  return is_yes(typed);
}

/* The text view tells this below its verdict. */
static void say_what_was_missing(const cli_view *view) {
  if (view->unanswered == NULL || view->options->output == CLI_OUTPUT_TEXT) {
    return;
  }
  char command[4096];
  mb_error error;
  mb_error_set(&error, MB_ERROR_REFUSED, "NobodyToAsk", "%s", view->why);
  mb_error_next(&error, "%s",
                cli_again(command, sizeof command, view->options, view->unanswered,
                          *view->phrase ? view->phrase : NULL));
  cli_report_error(&error);
}

/* ---- the command -------------------------------------------------------------------------------
 */

static mb_verdict execute(mb_host *host, mb_arena *arena, const cli_options *options,
                          mb_error *error) {
  cli_view view = {.options = options, .verbosity = options->verbosity};
  mb_value *args = NULL;
  if (collect_arguments(arena, options, &args, error)) {
    return MB_VERDICT_INTERNAL;
  }
  mb_run_options run_options = MB_RUN_OPTIONS_INIT;
  run_options.runbook = options->words[1];
  run_options.args = args;
  run_options.args_are_text = true;
  run_options.environment = options->environment;
  run_options.plan_only = options->plan;
  run_options.confirm = confirm_plan;
  run_options.confirm_payload = &view;
  run_options.undo = options->undo;
  run_options.ask_undo = confirm_undo;
  run_options.undo_payload = &view;
  run_options.on_event = on_event;
  run_options.event_payload = &view;
  run_options.timeout_seconds = options->timeout_seconds;
  mb_run *run;
  if (mb_run_new(&run, host, &run_options, error)) {
    return mb_verdict_of_error(error);
  }
  catch_signals(run);
  if (options->output == CLI_OUTPUT_TEXT && options->verbosity >= 0) {
    cli_status_start();
  }
  mb_verdict verdict = mb_run_execute(run);
  cli_status_stop();
  catch_signals(NULL);
  say_what_was_missing(&view);
  mb_run_free(run);
  cli_view_dispose(&view);
  return verdict;
}

int cli_run(const cli_options *options) {
  mb_error error;
  mb_error_clear(&error);
  if (options->word_count < 2) {
    mb_error_set(&error, MB_ERROR_USAGE, "MissingName", "run what?");
    mb_error_next(&error, "moonbook run NAME; moonbook list gives the names");
    cli_report_error(&error);
    return CLI_USAGE;
  }
  int code = CLI_OK;
  mb_host *host = cli_host(options, &code);
  if (host == NULL) {
    return code;
  }
  mb_arena *arena = mb_arena_new(0);
  if (arena == NULL) {
    mb_error_memory(&error);
    code = CLI_INTERNAL;
  } else {
    code = mb_verdict_exit_code(execute(host, arena, options, &error));
  }
  if (error.kind != MB_OK) {
    cli_report_error(&error);
  }
  mb_arena_free(arena);
  mb_host_free(host);
  return code;
}
