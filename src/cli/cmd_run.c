/* moonbook run: plans, asks, runs and follows one runbook, and exits with its verdict's code. */
#include "cli.h"

#include <signal.h>
#include <string.h>

static mb_run *running; /* what a signal stops; set before handlers are installed */

static void stop_running(int number) {
  (void)number;
  if (running) {
    mb_run_cancel(running);
  }
}

static void catch_signals(mb_run *run) {
  running = run;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = run ? stop_running : SIG_DFL;
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGHUP, &action, NULL);
}

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

/* ---- asking ---- */

typedef struct asking {
  const cli_options *options;
  const char *missing; /* the flag that would have answered, when nobody could be asked */
} asking;

static bool confirm_phrase(asking *state, const char *phrase) {
  if (state->options->confirm) {
    return strcmp(state->options->confirm, phrase) == 0;
  }
  char question[512], answer[512];
  snprintf(question, sizeof question, "Type %s to go on: ", phrase);
  const char *typed = state->options->no_input ? NULL : cli_ask(question, answer, sizeof answer);
  if (typed == NULL) {
    state->missing = "--confirm";
    return false;
  }
  return strcmp(typed, phrase) == 0;
}

static bool confirm_plan(const mb_value *plan, const mb_value *changes, const char *phrase,
                         void *payload) {
  (void)plan;
  (void)changes; /* shown already, by the PLAN_READY event */
  asking *state = payload;
  if (phrase) {
    return confirm_phrase(state, phrase);
  }
  char answer[64];
  const char *typed =
      state->options->no_input ? NULL : cli_ask("Go on? [y/N] ", answer, sizeof answer);
  if (typed == NULL) {
    state->missing = "--yes";
    return false;
  }
  return strcmp(typed, "y") == 0 || strcmp(typed, "Y") == 0 || strcmp(typed, "yes") == 0;
}

static void say_what_was_missing(const asking *state) {
  if (state->missing == NULL) {
    return;
  }
  mb_error error;
  mb_error_set(&error, MB_ERROR_REFUSED, "NobodyToAsk",
               "this runbook changes things, and there is no terminal to ask on");
  mb_error_next(&error,
                strcmp(state->missing, "--yes") == 0
                    ? "add --yes to go on without asking, or --plan to see what would be done"
                    : "add --confirm PHRASE with the phrase the runbook asks for");
  cli_report_error(&error);
}

/* ---- the command ---- */

static mb_verdict execute(mb_host *host, mb_arena *arena, const cli_options *options,
                          mb_error *error) {
  asking state = {options, NULL};
  cli_view view = {.verbosity = options->verbosity};
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
  run_options.assume_yes = options->yes;
  run_options.confirm = confirm_plan;
  run_options.confirm_payload = &state;
  run_options.on_event =
      options->output == CLI_OUTPUT_NDJSON ? cli_show_event_json : cli_show_event_text;
  run_options.event_payload = &view;
  run_options.timeout_seconds = options->timeout_seconds;
  mb_run *run;
  if (mb_run_new(&run, host, &run_options, error)) {
    return mb_verdict_of_error(error);
  }
  catch_signals(run);
  mb_verdict verdict = mb_run_execute(run);
  catch_signals(NULL);
  say_what_was_missing(&state);
  mb_run_free(run);
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
