/* moonbook sim: serves a simulated AWS on loopback until it is told to stop. */
#include "cli.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { USUAL_PORT = 4566, HISTORY = 3600 /* seconds */ };

static mb_sim *serving; /* what a signal stops; set before handlers are installed */

static void stop_serving(int number) {
  (void)number;
  mb_sim_stop(serving);
}

static void catch_signals(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = stop_serving;
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGHUP, &action, NULL);
}

/* ---- options ---- */

static int read_port(const cli_options *options, int *port, mb_error *error) {
  const char *text = options->port;
  *port = USUAL_PORT;
  if (text == NULL) {
    return 0;
  }
  if (*text == '\0' || strlen(text) > 5 || strspn(text, "0123456789") != strlen(text) ||
      strtol(text, NULL, 10) > 65535) {
    return mb_error_set(error, MB_ERROR_USAGE, "BadFlag",
                        "--port: \"%s\" is not a port; 0 to 65535, 0 for any free one", text);
  }
  *port = (int)strtol(text, NULL, 10);
  return 0;
}

/* "12.5" without the locale's comma. 0, or -1. */
static int parse_speed(const char *text, double *out) {
  double number = 0, unit = 1;
  size_t digits = 0;
  bool fraction = false;
  for (; *text; text++) {
    if (*text == '.' && !fraction) {
      fraction = true;
    } else if (*text >= '0' && *text <= '9') {
      unit = fraction ? unit / 10 : unit;
      number = fraction ? number + (*text - '0') * unit : number * 10 + (*text - '0');
      digits++;
    } else {
      return -1;
    }
  }
  *out = number;
  return digits > 0 && number > 0 && number <= 1e6 ? 0 : -1;
}

static int read_speed(const cli_options *options, mb_sim_options *out, mb_error *error) {
  const char *text = options->speed;
  out->clock = MB_SIM_CLOCK_REAL;
  if (text == NULL) {
    return 0;
  }
  if (strcmp(text, "step") == 0) {
    out->clock = MB_SIM_CLOCK_STEP;
  } else if (strcmp(text, "instant") == 0) {
    out->clock = MB_SIM_CLOCK_JUMP;
  } else if (parse_speed(text, &out->speed)) {
    return mb_error_set(error, MB_ERROR_USAGE, "BadFlag",
                        "--speed: \"%s\" is neither a number up to 1000000, nor step, nor instant",
                        text);
  }
  return 0;
}

static int read_options(const cli_options *options, mb_sim_options *out, int *port,
                        mb_error *error) {
  out->scenario = options->scenario;
  out->state = options->state;
  out->secret_access_key = options->strict ? MB_SIM_SECRET_ACCESS_KEY : NULL;
  if (cli_read_seed(options, &out->seed, error) || read_port(options, port, error) ||
      read_speed(options, out, error)) {
    return -1;
  }
  /* Clients ask for "the last hour" by their own clock, so the world had one before it is served.
   * One that only moves when told to starts the same every time. */
  out->start = out->clock != MB_SIM_CLOCK_STEP ? (double)time(NULL) - HISTORY : 0;
  return 0;
}

/* Lets the world come to the present. */
static int catch_up(mb_sim *sim, const mb_sim_options *options, mb_error *error) {
  double behind = (double)time(NULL) - mb_sim_now(sim);
  return options->clock != MB_SIM_CLOCK_STEP && behind > 0 ? mb_sim_advance(sim, behind, error) : 0;
}

/* ---- the command ---- */

static void say_where(int port, void *payload) {
  const cli_options *options = payload;
  if (options->output == CLI_OUTPUT_NDJSON) {
    printf("{\"endpoint\":\"http://127.0.0.1:%d\",\"port\":%d}\n", port, port);
  } else {
    printf("A simulated AWS listens on http://127.0.0.1:%d. Point clients at it:\n\n"
           "  export AWS_ENDPOINT_URL=http://127.0.0.1:%d\n"
           "  export AWS_ACCESS_KEY_ID=%s\n"
           "  export AWS_SECRET_ACCESS_KEY=%s\n"
           "  export AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1\n\n"
           "An AWS CLI older than 2.13 wants --endpoint-url http://127.0.0.1:%d as well.\n"
           "GET http://127.0.0.1:%d/_moonbook/ lists what can be done to the world. Ctrl-C stops "
           "it.\n",
           port, port, MB_SIM_ACCESS_KEY_ID, MB_SIM_SECRET_ACCESS_KEY, port, port);
  }
  fflush(stdout);
}

int cli_sim(const cli_options *options) {
  mb_sim_options sim_options = MB_SIM_OPTIONS_INIT;
  mb_error error;
  int port;
  mb_error_clear(&error);
  int failed = read_options(options, &sim_options, &port, &error);
  if (!failed) {
    failed = mb_sim_new(&serving, &sim_options, &error);
  }
  if (!failed) {
    failed = catch_up(serving, &sim_options, &error);
  }
  if (!failed) {
    catch_signals();
    failed = mb_sim_serve(serving, port, NULL, say_where, (void *)(uintptr_t)options, &error);
  }
  if (failed) {
    cli_report_error(&error);
  }
  mb_sim *done = serving;
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  signal(SIGHUP, SIG_DFL);
  mb_sim_free(done);
  return failed ? mb_verdict_exit_code(mb_verdict_of_error(&error)) : CLI_OK;
}
