/* moonbook check PATH: finds mistakes in a runbook without running it. */
#include "cli.h"

#include <string.h>

static void print_finding(const mb_value *finding) {
  bool bad = strcmp(cli_text(finding, "severity"), "error") == 0;
  int line = (int)cli_number(finding, "line");
  char number[16];
  cli_line out = cli_line_start(stdout, 0, 2);
  snprintf(number, sizeof number, "%d:", line);
  cli_line_add(&out, CLI_BOLD, cli_text(finding, "file"));
  cli_line_add(&out, CLI_BOLD, ":");
  cli_line_add(&out, CLI_BOLD, line > 0 ? number : "");
  cli_line_add(&out, bad ? CLI_BAD : CLI_WARN, " ");
  cli_line_add(&out, bad ? CLI_BAD : CLI_WARN, cli_text(finding, "severity"));
  cli_line_add(&out, CLI_PLAIN, ": ");
  cli_line_add(&out, CLI_PLAIN, cli_text(finding, "message"));
  cli_line_end(&out);
}

static int report(const cli_options *options, const mb_value *findings) {
  size_t errors = 0, count = mb_value_count(findings);
  for (size_t i = 0; i < count; i++) {
    const mb_value *finding = mb_list_at(findings, i);
    errors += strcmp(cli_text(finding, "severity"), "error") == 0;
    if (options->output == CLI_OUTPUT_NDJSON) {
      cli_print_json(finding, false, 0);
    } else {
      print_finding(finding);
    }
  }
  if (options->output == CLI_OUTPUT_TEXT) {
    cli_printf(stdout, errors ? CLI_BAD : CLI_GOOD, "%zu error%s, %zu warning%s\n", errors,
               errors == 1 ? "" : "s", count - errors, count - errors == 1 ? "" : "s");
  }
  return errors ? CLI_USAGE : CLI_OK;
}

int cli_check(const cli_options *options) {
  mb_error error;
  if (options->word_count < 2) {
    mb_error_set(&error, MB_ERROR_USAGE, "MissingPath", "check what?");
    mb_error_next(&error, "moonbook check PATH, the folder with manifest.lua and runbook.lua");
    cli_report_error(&error);
    return CLI_USAGE;
  }
  int code = CLI_OK;
  mb_host *host = cli_host(options, &code);
  if (host == NULL) {
    return code;
  }
  mb_arena *arena = mb_arena_new(0);
  const mb_value *findings = NULL;
  mb_error_memory(&error);
  if (arena == NULL || mb_host_check_runbook(host, arena, options->words[1], &findings, &error)) {
    cli_report_error(&error);
    code = mb_verdict_exit_code(mb_verdict_of_error(&error));
  } else {
    code = report(options, findings);
  }
  mb_arena_free(arena);
  mb_host_free(host);
  return code;
}
