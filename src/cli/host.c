/* The host that the commands work with, made from the command line: on the real machine, or with
 * --sim on a simulated one. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static mb_sim *rehearsal; /* outlives the host */

int cli_read_seed(const cli_options *options, uint64_t *seed, mb_error *error) {
  const char *text = options->seed;
  *seed = 0;
  if (text == NULL) {
    return 0;
  }
  char *end = NULL;
  unsigned long long number = strtoull(text, &end, 10);
  if (strspn(text, "0123456789") != strlen(text) || *text == '\0' || number == 0 ||
      number > INT64_MAX) {
    return mb_error_set(error, MB_ERROR_USAGE, "BadFlag",
                        "--seed: \"%s\" is not a whole number from 1 on", text);
  }
  *seed = number;
  return 0;
}

int cli_rehearsal_end(int code) {
  mb_error error;
  mb_error_clear(&error);
  if (rehearsal != NULL && mb_sim_save(rehearsal, &error)) {
    cli_report_error(&error);
    code = code == CLI_OK ? mb_verdict_exit_code(mb_verdict_of_error(&error)) : code;
  }
  mb_sim_free(rehearsal);
  rehearsal = NULL;
  return code;
}

static int begin_rehearsal(const cli_options *options, mb_error *error) {
  mb_sim_options sim_options = MB_SIM_OPTIONS_INIT;
  sim_options.scenario = *options->sim ? options->sim : "service";
  sim_options.region = options->region;
  sim_options.state = options->state;
  return cli_read_seed(options, &sim_options.seed, error)
             ? -1
             : mb_sim_new(&rehearsal, &sim_options, error);
}

static mb_host *give_up(const mb_error *error, int *exit_code) {
  cli_report_error(error);
  *exit_code = mb_verdict_exit_code(mb_verdict_of_error(error));
  return NULL;
}

mb_host *cli_host(const cli_options *options, int *exit_code) {
  mb_host_options host_options = MB_HOST_OPTIONS_INIT;
  host_options.profile = options->profile;
  host_options.region = options->region;
  host_options.endpoint_url = options->endpoint_url;
  host_options.environment = options->environment;
  host_options.settings = options->settings;
  host_options.runbook_path = options->runbook_path;
  host_options.call_timeout_seconds = options->timeout_seconds;
  mb_host *host;
  mb_error error;
  mb_error_clear(&error);
  if (options->state && !options->sim) {
    mb_error_set(&error, MB_ERROR_USAGE, "BadFlag",
                 "--state keeps a simulated world, and needs --sim");
    return give_up(&error, exit_code);
  }
  if (options->sim) {
    if (begin_rehearsal(options, &error)) {
      return give_up(&error, exit_code);
    }
    host_options.system = mb_sim_system(rehearsal);
    host_options.profile = host_options.endpoint_url = NULL; /* of the real AWS */
  }
  return mb_host_new(&host, &host_options, &error) ? give_up(&error, exit_code) : host;
}
