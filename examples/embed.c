/* Runs a runbook from a C program and prints what happens, one line per event.
 *
 *     cc embed.c $(pkg-config --cflags --libs moonbook) -o embed
 *     ./embed examples/runbooks first/hello name=world
 *
 * The exit code is the run's own. */
#include <moonbook/moonbook.h>
#include <stdio.h>
#include <string.h>

/* Called for each event, in order, from mb_run_execute. `data` is a map that lives until we return.
 */
static void print_event(const mb_event *event, void *payload) {
  (void)payload; /* event_payload of the run's options; we gave none */
  mb_arena *arena = mb_arena_new(0);
  char *json = arena == NULL ? NULL : mb_value_to_json(arena, event->data, 0, false);
  printf("%s %s\n", mb_event_type_name(event->type), json == NULL ? "(no memory)" : json);
  mb_arena_free(arena);
}

/* "name=value" becomes an argument; the host converts text to the type that the manifest says. */
static int add_argument(mb_arena *arena, mb_value *args, const char *text) {
  const char *equals = strchr(text, '=');
  if (equals == NULL) {
    return -1;
  }
  mb_value *value = mb_map_put_sized(arena, args, text, (size_t)(equals - text));
  return value == NULL ? -1 : mb_value_set_string(arena, value, equals + 1);
}

static int report(const mb_error *error) {
  fprintf(stderr, "%s\n", error->message);
  if (error->next[0] != 0) {
    fprintf(stderr, "%s\n", error->next);
  }
  return mb_verdict_exit_code(mb_verdict_of_error(error));
}

static int run(mb_host *host, const char *runbook, const mb_value *args) {
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.runbook = runbook;
  options.args = args;
  options.args_are_text = true;
  options.assume_yes = true; /* a program of yours would ask somebody: see mb_confirm_callback */
  options.on_event = print_event;

  mb_run *run;
  mb_error error;
  if (mb_run_new(&run, host, &options, &error) != 0) {
    return report(&error);
  }
  mb_verdict verdict = mb_run_execute(run);
  printf("%s: %s\n", mb_verdict_name(verdict), mb_run_message(run));
  mb_run_free(run);
  return mb_verdict_exit_code(verdict);
}

int main(int count, char **arguments) {
  if (count < 3) {
    fprintf(stderr, "embed FOLDER RUNBOOK [name=value...]\n");
    return 2;
  }
  mb_arena *arena = mb_arena_new(0);
  mb_value *args = arena == NULL ? NULL : mb_value_new_map(arena);
  int status = args == NULL ? 1 : 0;
  for (int i = 3; status == 0 && i < count; i++) {
    if (add_argument(arena, args, arguments[i]) != 0) {
      fprintf(stderr, "%s: expected name=value\n", arguments[i]);
      status = 2;
    }
  }
  if (status == 0) {
    mb_host_options options = MB_HOST_OPTIONS_INIT;
    options.runbook_path = arguments[1]; /* the stock runbooks are there as well */
    mb_host *host;
    mb_error error;
    if (mb_host_new(&host, &options, &error) != 0) {
      status = report(&error);
    } else {
      status = run(host, arguments[2], args);
      mb_host_free(host);
    }
  }
  mb_arena_free(arena);
  return status;
}
