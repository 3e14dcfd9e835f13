/* moonbook version. Loads nothing and makes no host: scripts ask for it often. */
#include "cli.h"

int cli_version(const cli_options *options) {
  if (options->output == CLI_OUTPUT_NDJSON) {
    printf("{\"version\":\"%s\",\"api_level\":%d}\n", mb_version(), MB_API_LEVEL);
  } else {
    printf("moonbook %s (runbook API level %d)\n", mb_version(), MB_API_LEVEL);
  }
  return CLI_OK;
}
