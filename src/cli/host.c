/* The host that the commands work with, made from the command line. */
#include "cli.h"

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
  if (mb_host_new(&host, &host_options, &error)) {
    cli_report_error(&error);
    *exit_code = mb_verdict_exit_code(mb_verdict_of_error(&error));
    return NULL;
  }
  return host;
}
