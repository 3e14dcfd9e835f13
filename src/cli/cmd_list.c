/* moonbook list and moonbook show. */
#include "cli.h"

#include <string.h>

static void list_row(const mb_value *row) {
  const char *broken = cli_text(row, "error");
  if (*broken) {
    cli_printf(stdout, CLI_BAD, "%-26s ", cli_text(row, "name"));
    cli_printf(stdout, CLI_PLAIN, "does not load: %s\n", broken);
    return;
  }
  bool shadowed = cli_flag(row, "shadowed");
  cli_printf(stdout, shadowed ? CLI_DIM : CLI_BOLD, "%-26s ", cli_text(row, "name"));
  cli_printf(stdout, CLI_PLAIN, "%-8s %-9s %-48s ", cli_text(row, "version"),
             cli_text(row, "effect"), cli_text(row, "summary"));
  cli_printf(stdout, CLI_DIM, "%s%s\n", cli_text(row, "source"), shadowed ? " (shadowed)" : "");
}

int cli_list(const cli_options *options) {
  int code = CLI_OK;
  mb_host *host = cli_host(options, &code);
  if (host == NULL) {
    return code;
  }
  mb_arena *arena = mb_arena_new(0);
  const mb_value *rows = NULL;
  mb_error error;
  mb_error_memory(&error);
  if (arena == NULL || mb_host_list_runbooks(host, arena, &rows, &error)) {
    cli_report_error(&error);
    code = mb_verdict_exit_code(mb_verdict_of_error(&error));
  }
  for (size_t i = 0; i < mb_value_count(rows); i++) {
    const mb_value *row = mb_list_at(rows, i);
    if (options->output == CLI_OUTPUT_NDJSON) {
      cli_print_json(row, false, 0);
    } else {
      list_row(row);
    }
    if (mb_map_get(row, "error")) {
      code = CLI_USAGE;
    }
  }
  mb_arena_free(arena);
  mb_host_free(host);
  return code;
}

static void show_list(const char *title, const mb_value *list) {
  for (size_t i = 0; i < mb_value_count(list); i++) {
    cli_printf(stdout, CLI_DIM, "%-10s ", i == 0 ? title : "");
    cli_printf(stdout, CLI_PLAIN, "%s\n", mb_value_string(mb_list_at(list, i)));
  }
}

static void show_field(const char *title, const char *text) {
  if (*text) {
    cli_printf(stdout, CLI_DIM, "%-10s ", title);
    cli_printf(stdout, CLI_PLAIN, "%s\n", text);
  }
}

void cli_show_arguments(const mb_value *arguments) {
  for (size_t i = 0; i < mb_value_count(arguments); i++) {
    const mb_value *argument = mb_list_at(arguments, i);
    const char *type = cli_text(argument, "type");
    char left[96];
    snprintf(left, sizeof left, "--%s %s", cli_text(argument, "name"), type);
    cli_printf(stdout, CLI_PLAIN, "  %-40s ", left);
    if (strncmp(cli_text(argument, "doc"), type, strlen(cli_text(argument, "doc"))) != 0) {
      cli_put(stdout, CLI_PLAIN, cli_text(argument, "doc"));
    }
    if (cli_flag(argument, "required")) {
      cli_put(stdout, CLI_WARN, " (required)");
    }
    const mb_value *otherwise = mb_map_get(argument, "default");
    if (mb_value_type(otherwise) == MB_TYPE_STRING) {
      cli_printf(stdout, CLI_DIM, " (default %s)", mb_value_string(otherwise));
    } else if (mb_value_type(otherwise) == MB_TYPE_BOOLEAN) {
      cli_printf(stdout, CLI_DIM, " (default %s)", mb_value_boolean(otherwise) ? "true" : "false");
    } else if (otherwise && mb_value_type(otherwise) != MB_TYPE_NULL) {
      cli_printf(stdout, CLI_DIM, " (default %g)", mb_value_number(otherwise));
    }
    fputc('\n', stdout);
  }
}

static void show_files(const mb_value *files) {
  for (size_t i = 0; i < mb_value_count(files); i++) {
    cli_printf(stdout, CLI_BOLD, "\n-- %s\n", mb_map_key_at(files, i));
    cli_put(stdout, CLI_PLAIN, mb_value_string(mb_map_value_at(files, i)));
  }
}

static void show_runbook(const mb_value *runbook, bool source) {
  cli_printf(stdout, CLI_BOLD, "%s", cli_text(runbook, "name"));
  cli_printf(stdout, CLI_PLAIN, " %s\n%s\n\n", cli_text(runbook, "version"),
             cli_text(runbook, "summary"));
  show_field("kind", cli_text(runbook, "kind"));
  show_field("effect", cli_text(runbook, "effect"));
  show_field("source", cli_text(runbook, "source"));
  show_list("changes", mb_map_get(runbook, "changes"));
  show_list("uses", mb_map_get(runbook, "uses"));
  show_list("hosts", mb_map_get(runbook, "hosts"));
  show_list("iam", mb_map_get(runbook, "iam"));
  const mb_value *arguments = mb_map_get(runbook, "args");
  if (mb_value_count(arguments) > 0) {
    cli_put(stdout, CLI_DIM, "\narguments\n");
    cli_show_arguments(arguments);
  }
  if (source) {
    show_files(mb_map_get(runbook, "files"));
  }
}

int cli_show_one(mb_host *host, const cli_options *options, const char *name, bool source,
                 mb_error *error) {
  mb_arena *arena = mb_arena_new(0);
  if (arena == NULL) {
    return mb_error_memory(error);
  }
  const mb_value *runbook = NULL;
  int failed = mb_host_describe_runbook(host, arena, name, &runbook, error);
  if (!failed && options->output == CLI_OUTPUT_NDJSON) {
    cli_print_json(runbook, false, 0);
  } else if (!failed) {
    show_runbook(runbook, source);
  }
  mb_arena_free(arena);
  return failed;
}

int cli_show(const cli_options *options) {
  mb_error error;
  if (options->word_count < 2) {
    mb_error_set(&error, MB_ERROR_USAGE, "MissingName", "show what?");
    mb_error_next(&error, "moonbook show NAME; moonbook list gives the names");
    cli_report_error(&error);
    return CLI_USAGE;
  }
  int code = CLI_OK;
  mb_host *host = cli_host(options, &code);
  if (host == NULL) {
    return code;
  }
  if (cli_show_one(host, options, options->words[1], true, &error)) {
    cli_report_error(&error);
    code = mb_verdict_exit_code(mb_verdict_of_error(&error));
  }
  mb_host_free(host);
  return code;
}
