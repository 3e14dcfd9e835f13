/* The moonbook command: what its files share. It uses the public headers only, as any embedder
 * would. */
#ifndef MB_CLI_CLI_H
#define MB_CLI_CLI_H

#include <moonbook/moonbook.h>
#include <stdio.h>

/* Exit codes that are not a run's verdict. */
enum { CLI_OK = 0, CLI_INTERNAL = 1, CLI_USAGE = 2 };

typedef enum cli_output { CLI_OUTPUT_TEXT, CLI_OUTPUT_NDJSON } cli_output;

/* An argument that is the runbook's or the primitive's, not the command's: --name value. */
typedef struct cli_named {
  const char *name;
  const char *value; /* NULL: given without a value */
} cli_named;

typedef struct cli_options {
  const char *words[8]; /* what stands without a dash: command, then its operands */
  size_t word_count;
  cli_named *named; /* in the order given; freed with cli_options_dispose */
  size_t named_count;
  const char *endpoint_url, *profile, *region, *settings, *runbook_path, *environment;
  const char *confirm, *input, *color;
  cli_output output;
  double timeout_seconds;
  int verbosity; /* -1 quiet, 0, 1, 2 */
  bool yes, plan, no_input, all_pages, show_secrets, help;
} cli_options;

/* ---- options.c ---- */
int cli_options_parse(cli_options *out, int argc, char **argv, mb_error *error);
void cli_options_dispose(cli_options *options);
void cli_options_print_help(FILE *out, const char *command); /* the flags a command knows */

/* ---- commands, each returning the exit code ---- */
int cli_run(const cli_options *options);
int cli_list(const cli_options *options);
int cli_show(const cli_options *options);
int cli_help(const cli_options *options);
int cli_call(const cli_options *options);
int cli_check(const cli_options *options);
int cli_version(const cli_options *options);

typedef struct cli_command {
  const char *name, *usage, *summary;
  int (*run)(const cli_options *options);
  size_t operands; /* most words after the command's name */
} cli_command;
extern const cli_command cli_commands[]; /* ends with a NULL name */

/* Makes the host that every command but `version` works with. NULL after printing the error. */
mb_host *cli_host(const cli_options *options, int *exit_code);

/* ---- cmd_list.c: shared by `show NAME` and `help NAME` ---- */
void cli_show_arguments(const mb_value *arguments);
/* Prints one runbook, with its source if asked. 0, or -1. */
int cli_show_one(mb_host *host, const cli_options *options, const char *name, bool source,
                 mb_error *error);

/* ---- terminal.c ---- */
/* Colours are off unless the stream is a terminal that wants them (spec/operator-ux.md 4.1). */
void cli_terminal_init(const cli_options *options);
bool cli_is_terminal(FILE *stream);
typedef enum cli_style { CLI_PLAIN, CLI_BOLD, CLI_DIM, CLI_GOOD, CLI_BAD, CLI_WARN } cli_style;
/* Writes text with everything that could steer a terminal made visible. */
void cli_put(FILE *stream, cli_style style, const char *text);
void cli_printf(FILE *stream, cli_style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A line that the next output replaces; only on terminals, ignored elsewhere. */
void cli_status(FILE *stream, const char *text);
void cli_status_clear(FILE *stream);
int cli_width(FILE *stream);
/* "3m 12s", "0.4s" */
const char *cli_duration(char *out, size_t size, double seconds);
/* Asks on the terminal; NULL when there is nobody to ask or input ended. */
const char *cli_ask(const char *question, char *answer, size_t size);

/* ---- report.c ---- */
/* Says on stderr what failed, why and what to do next. */
void cli_report_error(const mb_error *error);
/* Prints a value as JSON on stdout. Returns 0, or -1 when it cannot be written. */
int cli_print_json(const mb_value *value, bool reveal, int indent);

/* Short cuts for maps. */
const char *cli_text(const mb_value *map, const char *key);
double cli_number(const mb_value *map, const char *key);
bool cli_flag(const mb_value *map, const char *key);

/* ---- events_text.c, events_json.c ---- */
typedef struct cli_view {
  int verbosity;
  char last_progress[512];
  int64_t last_progress_ns;
  int depth;
} cli_view;
void cli_show_event_text(const mb_event *event, void *view);
void cli_show_event_json(const mb_event *event, void *view);

#endif
