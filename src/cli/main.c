/* The moonbook command. */
#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

const cli_command cli_commands[] = {
    {"run", "run NAME [--ARGUMENT VALUE ...]", "run a runbook", cli_run, 1},
    {"list", "list", "list the runbooks there are", cli_list, 0},
    {"show", "show NAME", "show a runbook: arguments, effects, permissions, source", cli_show, 1},
    {"call", "call NAMESPACE.PRIMITIVE [--ARGUMENT VALUE ...]",
     "call one primitive, JSON in and out", cli_call, 1},
    {"help", "help [COMMAND | RUNBOOK | NAMESPACE[.PRIMITIVE] | exit-codes]",
     "explain a command, a runbook or a primitive", cli_help, 1},
    {"check", "check PATH", "check a runbook's folder without running it", cli_check, 1},
    {"test", "test [PATH]", "run the specs of runbooks on simulated worlds", cli_test, 1},
    {"sim", "sim", "serve a simulated AWS on this machine", cli_sim, 0},
    {CLI_SIM_RECORD, "sim record [--env NAME | --cluster NAME --service NAME] [-o FILE]",
     "read a live service into a world for the simulator", cli_record, 0},
    {"version", "version", "print the version", cli_version, 0},
    {NULL, NULL, NULL, NULL, 0},
};

static const cli_command *find_command(const char *name) {
  for (const cli_command *command = cli_commands; command->name; command++) {
    if (strcmp(command->name, name) == 0) {
      return command;
    }
  }
  return NULL;
}

static int unknown_command(const char *name) {
  const char *names[16];
  size_t count = 0;
  for (const cli_command *command = cli_commands; command->name; command++) {
    names[count++] = command->name;
  }
  const char *near = mb_text_nearest(name, names, count);
  mb_error error;
  mb_error_set(&error, MB_ERROR_USAGE, "UnknownCommand", "\"%s\" is not a command%s%s%s", name,
               near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
  mb_error_next(&error, "moonbook help lists the commands; moonbook run NAME runs a runbook");
  cli_report_error(&error);
  return CLI_USAGE;
}

static int run_command(cli_options *options) {
  if (options->word_count == 0) {
    if (!options->help) {
      cli_options usage = *options;
      cli_help(&usage);
      return CLI_USAGE;
    }
    return cli_help(options);
  }
  const cli_command *command = find_command(options->words[0]);
  if (command == NULL) {
    return unknown_command(options->words[0]);
  }
  if (options->help) {
    cli_options about = *options;
    about.words[0] = "help";
    /* `run NAME --help` is about NAME; `run --help` about the command. */
    about.words[1] = options->word_count > 1 ? options->words[1] : command->name;
    about.word_count = 2;
    return cli_help(&about);
  }
  if (options->word_count - 1 > command->operands) {
    mb_error error;
    mb_error_set(&error, MB_ERROR_USAGE, "TooManyWords", "\"%s\" is one word too many",
                 options->words[command->operands + 1]);
    mb_error_next(&error, "usage: moonbook %s", command->usage);
    cli_report_error(&error);
    return CLI_USAGE;
  }
  return command->run(options);
}

/* Output that did not arrive must not look like success. */
static int finish_output(int code) {
  errno = 0;
  bool failed = ferror(stdout) != 0;
  if (fflush(stdout) == 0 && !failed) {
    return code;
  }
  mb_error error;
  mb_error_set(&error, MB_ERROR_IO, "CannotWrite", "standard output could not be written%s%s",
               errno ? ": " : "", errno ? strerror(errno) : "");
  mb_error_next(&error,
                "what was done is done, but not all of it was shown: check where the output "
                "goes");
  cli_report_error(&error);
  return code != CLI_OK ? code : CLI_INTERNAL;
}

int main(int argc, char **argv) {
  /* A reader that has gone away is a failed write, reported where it happens. */
  signal(SIGPIPE, SIG_IGN);
  cli_options options;
  mb_error error;
  int code;
  if (cli_options_parse(&options, argc, argv, &error)) {
    cli_terminal_init(&options);
    cli_report_error(&error);
    code = CLI_USAGE;
  } else {
    cli_terminal_init(&options);
    code = run_command(&options);
    code = cli_rehearsal_end(code);
  }
  cli_options_dispose(&options);
  return finish_output(code);
}
