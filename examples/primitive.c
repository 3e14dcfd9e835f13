/* Adds a primitive of one's own, and runs a runbook that calls it.
 *
 *     cc primitive.c $(pkg-config --cflags --libs moonbook) -o primitive
 *     ./primitive examples/runbooks friday
 *
 * A primitive is a declaration and a function that starts the work. Everything else follows from
 * the declaration: arguments are checked, `help` describes it, and a runbook must name it in
 * `uses`. */
#include <moonbook/moonbook.h>
#include <stdio.h>
#include <string.h>

/* calendar.is_frozen: may we deploy on this day? A real one would ask a calendar, and end the call
 * later, from its answer; this one knows at once. */
static void start_is_frozen(mb_call *call, void *payload) {
  const char *day = mb_value_string(mb_call_argument(call, "day"));
  const char *frozen_day = payload;
  mb_arena *arena = mb_call_arena(call); /* results are made here */
  mb_value *result = mb_value_new_map(arena);
  mb_value *frozen = result == NULL ? NULL : mb_map_put(arena, result, "frozen");
  if (frozen == NULL) {
    mb_error error;
    mb_error_memory(&error);
    mb_call_fail(call, &error);
    return;
  }
  mb_value_set_boolean(frozen, strcmp(day, frozen_day) == 0);
  mb_call_succeed(call, result);
}

static const mb_argument is_frozen_arguments[] = {
    {.name = "day", .type = MB_ARGUMENT_STRING, .required = true, .doc = "name of a weekday"},
    {.name = NULL},
};

static const mb_primitive is_frozen = {
    .name = "calendar.is_frozen",
    .summary = "Says whether deployments are frozen on a day",
    .arguments = is_frozen_arguments,
    .results = "frozen: a boolean",
    .effect = MB_EFFECT_READS,
    .recovery = MB_RECOVERY_READ,
    .since = "0.1.0",
    .start = start_is_frozen,
};

static int fail(const mb_error *error) {
  fprintf(stderr, "%s %s\n", error->message, error->next);
  return mb_verdict_exit_code(mb_verdict_of_error(error));
}

static int run_freeze(mb_host *host, const char *day, mb_error *error) {
  mb_arena *arena = mb_arena_new(0);
  mb_value *args = arena == NULL ? NULL : mb_value_new_map(arena);
  mb_value *value = args == NULL ? NULL : mb_map_put(arena, args, "day");
  int status = 1;
  if (value != NULL && mb_value_set_string(arena, value, day) == 0) {
    mb_run_options options = MB_RUN_OPTIONS_INIT;
    options.runbook = "first/freeze";
    options.args = args;
    mb_run *run;
    if (mb_run_new(&run, host, &options, error) != 0) {
      status = fail(error);
    } else {
      status = mb_verdict_exit_code(mb_run_execute(run));
      printf("%s\n", mb_run_message(run));
      mb_run_free(run);
    }
  }
  mb_arena_free(arena);
  return status;
}

int main(int count, char **arguments) {
  static char frozen_day[] = "friday"; /* what our primitive needs to know */
  if (count != 3) {
    fprintf(stderr, "primitive FOLDER DAY\n");
    return 2;
  }
  mb_host_options options = MB_HOST_OPTIONS_INIT;
  options.runbook_path = arguments[1];
  mb_host *host;
  mb_error error;
  if (mb_host_new(&host, &options, &error) != 0) {
    return fail(&error);
  }
  int status = mb_host_add_primitive(host, &is_frozen, frozen_day, &error) != 0
                   ? fail(&error)
                   : run_freeze(host, arguments[2], &error);
  mb_host_free(host);
  return status;
}
