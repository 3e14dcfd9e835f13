/* moonbook sim record: reads a live service by the stock runbook sim/record, and writes what came
 * of it where the simulator can load it. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUNBOOK "sim/record"

/* ---- what was called ---- */

enum { OPERATIONS_MOST = 128 };

typedef struct tally {
  struct {
    char name[96];
    int count;
  } operations[OPERATIONS_MOST];
  size_t count;
  int calls;
} tally;

static void count_call(tally *calls, const char *operation) {
  size_t i = 0;
  while (i < calls->count && strcmp(calls->operations[i].name, operation) != 0) {
    i++;
  }
  if (i == OPERATIONS_MOST) {
    return; /* the total is right all the same */
  }
  if (i == calls->count) {
    snprintf(calls->operations[i].name, sizeof calls->operations[i].name, "%s", operation);
    calls->count++;
  }
  calls->operations[i].count++;
}

static void on_event(const mb_event *event, void *payload) {
  tally *calls = payload;
  if (event->type == MB_EVENT_CALL_FINISHED) {
    calls->calls++;
    count_call(calls, cli_text(event->data, "operation"));
  } else if (event->type == MB_EVENT_LOG && strcmp(cli_text(event->data, "level"), "warn") == 0) {
    cli_labelled(stderr, 0, CLI_WARN, "warn", cli_text(event->data, "message"));
  }
}

static int by_name(const void *a, const void *b) {
  return strcmp(a, b); /* the name comes first in each */
}

static void show_calls(tally *calls) {
  qsort(calls->operations, calls->count, sizeof *calls->operations, by_name);
  for (size_t i = 0; i < calls->count; i++) {
    cli_printf(stderr, CLI_PLAIN, "%6d  %s\n", calls->operations[i].count,
               calls->operations[i].name);
  }
}

/* ---- the file ---- */

static int cannot_write(const char *path, mb_error *error) {
  mb_error_set(error, MB_ERROR_IO, "CannotWrite", "the world was not written to %s: %s", path,
               strerror(errno));
  return mb_error_next(error, "name a file in a folder that can be written with -o");
}

static int write_all(int file, const char *text, size_t size) {
  while (size > 0) {
    ssize_t written = write(file, text, size);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return -1;
    }
    text += written;
    size -= (size_t)written;
  }
  return 0;
}

/* Whole or not at all, and for nobody else to read: what is no secret to us may be one to others.
 * mkstemp gives the mode 0600. */
static int write_file(const char *path, const char *text, mb_error *error) {
  char temporary[4096];
  int length = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
  if (length < 0 || (size_t)length >= sizeof temporary) {
    errno = ENAMETOOLONG;
    return cannot_write(path, error);
  }
  int file = mkstemp(temporary);
  if (file < 0) {
    return cannot_write(path, error);
  }
  int failed = write_all(file, text, strlen(text)) || write_all(file, "\n", 1) || fsync(file);
  int kept = errno;
  if (close(file) != 0 && !failed) {
    failed = -1;
    kept = errno;
  }
  if (!failed && rename(temporary, path) == 0) {
    return 0;
  }
  errno = failed ? kept : errno;
  cannot_write(path, error);
  unlink(temporary);
  return -1;
}

static int write_world(mb_arena *arena, const cli_options *options, const mb_value *world,
                       mb_error *error) {
  char *text = mb_value_to_json(arena, world, 1, false);
  if (text == NULL) {
    return mb_error_memory(error);
  }
  if (options->out && strcmp(options->out, "-") != 0) {
    return write_file(options->out, text, error);
  }
  puts(text);
  return 0;
}

/* ---- the run ---- */

static int put_text(mb_arena *arena, mb_value *args, const char *name, const char *text,
                    mb_error *error) {
  mb_value *place = text ? mb_map_put(arena, args, name) : NULL;
  return text && (place == NULL || mb_value_set_string(arena, place, text)) ? mb_error_memory(error)
                                                                            : 0;
}

static mb_value *arguments(mb_arena *arena, const cli_options *options, mb_error *error) {
  mb_value *args = mb_value_new_map(arena);
  if (args == NULL) {
    mb_error_memory(error);
    return NULL;
  }
  return put_text(arena, args, "cluster", options->cluster, error) ||
                 put_text(arena, args, "service", options->service, error) ||
                 put_text(arena, args, "history", options->history, error) ||
                 put_text(arena, args, "with_environment",
                          options->with_environment ? "true" : NULL, error)
             ? NULL
             : args;
}

static void say_what_came(const cli_options *options, const mb_run *run, const mb_value *world,
                          tally *calls) {
  if (options->verbosity < 0) {
    return;
  }
  fflush(stdout);
  cli_printf(stderr, CLI_PLAIN, "%d calls, all of them reads:\n", calls->calls);
  show_calls(calls);
  cli_printf(stderr, CLI_PLAIN, "%s", mb_run_message(run));
  cli_printf(stderr, CLI_PLAIN, " Values of environment variables are %s.\n",
             cli_text(world, "environment"));
  if (options->out && strcmp(options->out, "-") != 0) {
    cli_printf(stderr, CLI_PLAIN,
               "next     moonbook run validate/service --sim=%s --cluster %s --service %s\n",
               options->out, cli_text(world, "cluster"), cli_text(world, "service"));
  }
}

/* What a run without an error of its own came to: refused, or out of time. */
static int not_recorded(const mb_run *run, mb_error *error) {
  const mb_error *problem = mb_run_error(run);
  if (problem->kind != MB_OK) {
    *error = *problem;
    return -1;
  }
  return mb_error_set(error, MB_ERROR_CHECK, mb_verdict_name(mb_run_verdict(run)), "%s",
                      mb_run_message(run));
}

static mb_verdict record(mb_host *host, mb_arena *arena, const cli_options *options,
                         mb_error *error) {
  static tally calls;
  mb_run_options run_options = MB_RUN_OPTIONS_INIT;
  run_options.runbook = RUNBOOK;
  run_options.args = arguments(arena, options, error);
  run_options.args_are_text = true;
  run_options.environment = options->environment;
  run_options.on_event = on_event;
  run_options.event_payload = &calls;
  run_options.timeout_seconds = options->timeout_seconds;
  mb_run *run = NULL;
  if (run_options.args == NULL || mb_run_new(&run, host, &run_options, error)) {
    return mb_verdict_of_error(error);
  }
  mb_verdict verdict = mb_run_execute(run);
  const mb_value *world = mb_map_get(mb_run_result(run), "world");
  if (verdict != MB_VERDICT_DONE) {
    not_recorded(run, error);
  } else if (write_world(arena, options, world, error)) {
    verdict = mb_verdict_of_error(error);
  } else {
    say_what_came(options, run, world, &calls);
  }
  mb_run_free(run);
  return verdict;
}

/* A flag of the server says nothing of a recording. */
static int refuse_flags_of_sim(const cli_options *options, mb_error *error) {
  if (options->port || options->speed || options->state || options->scenario || options->strict) {
    return mb_error_set(error, MB_ERROR_USAGE, "BadFlag",
                        "sim record serves nothing: it takes no --port, --speed, --state, "
                        "--scenario or --strict");
  }
  return 0;
}

int cli_record(const cli_options *options) {
  mb_error error;
  mb_error_clear(&error);
  if (refuse_flags_of_sim(options, &error)) {
    cli_report_error(&error);
    return CLI_USAGE;
  }
  cli_options stock = *options;
  stock.runbook_path = ""; /* no runbook of this name from elsewhere */
  int code = CLI_OK;
  mb_host *host = cli_host(&stock, &code);
  if (host == NULL) {
    return code;
  }
  mb_arena *arena = mb_arena_new(0);
  if (arena == NULL) {
    mb_error_memory(&error);
    code = CLI_INTERNAL;
  } else {
    code = mb_verdict_exit_code(record(host, arena, options, &error));
  }
  if (error.kind != MB_OK) {
    cli_report_error(&error);
  }
  mb_arena_free(arena);
  mb_host_free(host);
  return code;
}
