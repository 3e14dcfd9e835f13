/* moonbook help: commands, runbooks, namespaces, primitives, exit codes. */
#include "cli.h"

#include <string.h>

static int help_overview(void) {
  cli_put(stdout, CLI_BOLD, "moonbook");
  printf(" runs operations runbooks in Lua over AWS.\n\n");
  for (const cli_command *command = cli_commands; command->name; command++) {
    cli_line line = cli_line_start(stdout, 2, 14);
    char padded[16];
    snprintf(padded, sizeof padded, "%-12s", command->name);
    cli_line_add(&line, CLI_BOLD, padded);
    cli_line_add(&line, CLI_PLAIN, command->summary);
    cli_line_end(&line);
  }
  printf("\nStart with\n"
         "  moonbook list                             the runbooks there are\n"
         "  moonbook show validate/service            what one does, needs and may change\n"
         "  moonbook run validate/service --env dev   run it\n"
         "\n"
         "More\n"
         "  moonbook help COMMAND                     the flags of a command\n"
         "  moonbook help validate/service            the arguments of a runbook\n"
         "  moonbook help primitives                  what runbooks and `call` can use\n"
         "  moonbook help ecs.update_service          one of them\n"
         "  moonbook help exit-codes                  every way a run can end\n");
  return CLI_OK;
}

static int help_command(const cli_command *command) {
  printf("moonbook %s\n%s\n\n", command->usage, command->summary);
  cli_options_print_help(stdout, command->name);
  if (strcmp(command->name, "run") == 0) {
    printf("\nAny other --NAME VALUE is an argument of the runbook; moonbook help RUNBOOK lists "
           "them.\n");
  } else if (strcmp(command->name, "call") == 0) {
    printf("\nAny other --NAME VALUE is an argument of the primitive, repeated for a list; a value "
           "that\n"
           "is a structure is written as JSON. moonbook help ecs.describe_services lists them.\n");
  } else if (strcmp(command->name, CLI_SIM_RECORD) == 0) {
    printf(
        "\nIt only reads, and never the value of a secret or parameter; moonbook show sim/record "
        "lists the IAM\n"
        "actions that it needs. moonbook run NAME --sim=FILE rehearses on the world, moonbook sim "
        "--scenario FILE\n"
        "serves it.\n");
  }
  return CLI_OK;
}

static int help_exit_codes(const cli_options *options) {
  for (int v = MB_VERDICT_DONE; v <= MB_VERDICT_LAST; v++) {
    mb_verdict verdict = (mb_verdict)v;
    if (options->output == CLI_OUTPUT_NDJSON) {
      printf("{\"verdict\":\"%s\",\"exit_code\":%d}\n", mb_verdict_name(verdict),
             mb_verdict_exit_code(verdict));
    } else {
      printf("%4d  %-22s %s\n", mb_verdict_exit_code(verdict), mb_verdict_name(verdict),
             mb_verdict_summary(verdict));
    }
  }
  return CLI_OK;
}

static int longest(const mb_value *list) {
  int width = 0;
  for (size_t i = 0; i < mb_value_count(list); i++) {
    int columns = (int)strlen(cli_text(mb_list_at(list, i), "name"));
    width = columns > width ? columns : width;
  }
  return width;
}

static void show_namespaces(const mb_value *list) {
  int width = longest(list);
  size_t total = 0;
  for (size_t i = 0; i < mb_value_count(list); i++) {
    const mb_value *row = mb_list_at(list, i);
    size_t count = (size_t)cli_number(row, "count");
    total += count;
    cli_printf(stdout, CLI_BOLD, "%-*s ", width, cli_text(row, "name"));
    cli_printf(stdout, CLI_PLAIN, "%5zu  %s\n", count, cli_text(row, "summary"));
  }
  printf("%-*s %5zu  in all; moonbook help NAME lists those of one\n", width, "", total);
}

static void show_namespace(const mb_value *help) {
  const mb_value *primitives = mb_map_get(help, "primitives");
  int width = longest(primitives);
  cli_put(stdout, CLI_BOLD, cli_text(help, "name"));
  cli_printf(stdout, CLI_PLAIN, "  %s\n\n", cli_text(help, "summary"));
  for (size_t i = 0; i < mb_value_count(primitives); i++) {
    const mb_value *row = mb_list_at(primitives, i);
    bool reads = strcmp(cli_text(row, "effect"), "reads") == 0;
    cli_printf(stdout, CLI_PLAIN, "%-*s  ", width, cli_text(row, "name"));
    cli_printf(stdout, reads ? CLI_DIM : CLI_PLAIN, "%s\n", cli_text(row, "effect"));
  }
  printf("\nmoonbook help %s.NAME shows what one takes and gives.\n", cli_text(help, "name"));
}

static void show_line(const char *title, const char *text) {
  if (*text) {
    cli_labelled(stdout, 0, CLI_DIM, title, text);
  }
}

static void show_primitive(const mb_value *help) {
  cli_put(stdout, CLI_BOLD, cli_text(help, "name"));
  cli_printf(stdout, CLI_PLAIN, "\n%s\n\n", cli_text(help, "summary"));
  show_line("effect", cli_text(help, "effect"));
  show_line("recovery", cli_text(help, "recovery"));
  show_line("since", cli_text(help, "since"));
  const mb_value *iam = mb_map_get(help, "iam");
  for (size_t i = 0; i < mb_value_count(iam); i++) {
    show_line(i == 0 ? "iam" : "", mb_value_string(mb_list_at(iam, i)));
  }
  const mb_value *arguments = mb_map_get(help, "arguments");
  if (mb_value_count(arguments) > 0) {
    cli_put(stdout, CLI_DIM, "\narguments\n");
    cli_show_arguments(arguments, false);
  }
  cli_put(stdout, CLI_DIM, "\nresults\n");
  cli_line line = cli_line_start(stdout, 2, 2);
  cli_line_add(&line, CLI_PLAIN, cli_text(help, "results"));
  cli_line_end(&line);
}

static void show_help(const cli_options *options, const mb_value *help) {
  if (options->output == CLI_OUTPUT_NDJSON) {
    cli_print_json(help, false, 0);
  } else if (mb_value_type(help) == MB_TYPE_LIST) {
    show_namespaces(help);
  } else if (mb_map_get(help, "primitives")) {
    show_namespace(help);
  } else {
    show_primitive(help);
  }
}

static int help_primitive(mb_host *host, const cli_options *options, const char *name,
                          mb_error *error) {
  mb_arena *arena = mb_arena_new(0);
  if (arena == NULL) {
    return mb_error_memory(error);
  }
  const mb_value *help = NULL;
  int failed = mb_host_help(host, arena, name, &help, error);
  if (!failed) {
    show_help(options, help);
  }
  mb_arena_free(arena);
  return failed;
}

/* "primitives" lists the namespaces; a name with a slash is a runbook's. */
static int help_named(const cli_options *options, const char *name) {
  int code = CLI_OK;
  mb_host *host = cli_host(options, &code);
  if (host == NULL) {
    return code;
  }
  mb_error error;
  bool runbook = strchr(name, '/') != NULL;
  bool everything = strcmp(name, "primitives") == 0;
  int failed = runbook ? cli_show_one(host, options, name, false, &error)
                       : help_primitive(host, options, everything ? "" : name, &error);
  if (failed) {
    cli_report_error(&error);
    code = mb_verdict_exit_code(mb_verdict_of_error(&error));
  }
  mb_host_free(host);
  return code;
}

int cli_help(const cli_options *options) {
  const char *name = options->word_count > 1 ? options->words[1] : NULL;
  if (name == NULL) {
    return help_overview();
  }
  for (const cli_command *command = cli_commands; command->name; command++) {
    if (strcmp(command->name, name) == 0) {
      return help_command(command);
    }
  }
  return strcmp(name, "exit-codes") == 0 ? help_exit_codes(options) : help_named(options, name);
}
