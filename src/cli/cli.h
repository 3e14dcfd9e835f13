/* The moonbook command: what its files share. It uses the public headers only, as any embedder
 * would. */
#ifndef MB_CLI_CLI_H
#define MB_CLI_CLI_H

#include <moonbook/moonbook.h>
#include <signal.h>
#include <stdio.h>

/* Exit codes that are not a run's verdict. */
enum { CLI_OK = 0, CLI_INTERNAL = 1, CLI_USAGE = 2 };

typedef enum cli_output { CLI_OUTPUT_TEXT, CLI_OUTPUT_NDJSON } cli_output;

#define CLI_SIM_RECORD "sim record" /* the one command of two words */

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
  int argc;      /* the command line itself, to say what else could be typed */
  char **argv;
  const char *sim; /* NULL: the real AWS; "": the usual scenario */
  const char *scenario, *seed, *port, *speed, *state;
  bool strict;
  bool yes, plan, undo, no_input, all_pages, show_secrets, help;
  const char *cluster, *service, *history, *out; /* of `sim record` */
  bool with_environment;
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
int cli_sim(const cli_options *options);
int cli_record(const cli_options *options);
int cli_test(const cli_options *options);

typedef struct cli_command {
  const char *name, *usage, *summary;
  int (*run)(const cli_options *options);
  size_t operands; /* most words after the command's name */
} cli_command;
extern const cli_command cli_commands[]; /* ends with a NULL name */

/* Makes the host that every command but `version` works with. NULL after printing the error. */
mb_host *cli_host(const cli_options *options, int *exit_code);
/* Frees the simulator that a host was made on, once the host is gone, and keeps its world when
 * --state says where; harmless without one. Gives the exit code: `code`, or another when it was not
 * kept. */
int cli_rehearsal_end(int code);
/* Reads --seed. 0, or -1. */
int cli_read_seed(const cli_options *options, uint64_t *seed, mb_error *error);

/* ---- cmd_list.c: shared by `show NAME` and `help NAME` ---- */
/* `flags`: as they are typed, --desired-count, not as Lua names them. */
void cli_show_arguments(const mb_value *arguments, bool flags);
/* Prints one runbook, with its source if asked. 0, or -1. */
int cli_show_one(mb_host *host, const cli_options *options, const char *name, bool source,
                 mb_error *error);

/* ---- terminal.c ---- */
/* Colours are off unless the stream is a terminal that wants them (spec/operator-ux.md 4.1). */
void cli_terminal_init(const cli_options *options);
bool cli_is_terminal(FILE *stream);
bool cli_is_live(FILE *stream); /* a terminal that can rewrite a line */
int cli_width(FILE *stream);
int cli_height(FILE *stream);
typedef enum cli_style {
  CLI_PLAIN,
  CLI_BOLD,
  CLI_DIM,
  CLI_GOOD,
  CLI_BAD,
  CLI_GOOD_END, /* the verdict */
  CLI_WARN
} cli_style;
void cli_style_begin(FILE *stream, cli_style style);
void cli_style_end(FILE *stream, cli_style style);
/* Writes text with everything that could steer a terminal made visible. */
void cli_put_safely(FILE *stream, const char *text, size_t size);
void cli_put(FILE *stream, cli_style style, const char *text);
void cli_printf(FILE *stream, cli_style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool cli_can_ask(void);                        /* there is somebody to ask */
extern volatile sig_atomic_t cli_signals_seen; /* how many times we were asked to stop */
/* Asks on the terminal; NULL when input ended or a signal came, more than the `signals` that are
 * known. */
const char *cli_ask(const char *question, int signals, char *answer, size_t size);

/* ---- text.c ---- */
/* The size of the character at `at` if it is well-formed UTF-8 and harmless to show, else 0; and
 * the columns that it, or its escape, takes. */
size_t cli_character(const char *at, int *columns);
int cli_columns(const char *text, size_t size);
/* Writes JSON, with what would act on a terminal escaped as JSON escapes it. */
void cli_put_json(FILE *stream, const char *json);
/* As much of a text as fits, with "..." for the rest. */
const char *cli_cut(char *out, size_t size, const char *text, int columns);

/* A line that wraps between words at a terminal's edge, and nowhere else. What follows a line break
 * within the text is set below its beginning. */
typedef struct cli_line {
  FILE *stream;
  int column, hanging;
  int width; /* 0: does not wrap */
} cli_line;
cli_line cli_line_start(FILE *stream, int indent, int hanging);
void cli_line_add(cli_line *line, cli_style style, const char *text);
/* "key=text" that stays together, two spaces after what stands before. */
void cli_line_pair(cli_line *line, const char *key, const char *text);
void cli_line_end(cli_line *line);
/* "pass     desired tasks run": a word in a column of its own, then text. */
enum { CLI_LABEL = 9 };
void cli_labelled(FILE *stream, int indent, cli_style style, const char *label, const char *text);

/* How long something took: "340ms", "4.2s", "3m 12s"; and a time as it is written in arguments:
 * "20m", "90s". */
const char *cli_duration(char *out, size_t size, double seconds);
const char *cli_period(char *out, size_t size, double seconds);

/* ---- status.c: what is under way ---- */
void cli_status_start(void);
void cli_status_stop(void);
void cli_status_pause(bool paused); /* while a question is open */
bool cli_status_live(void);         /* there is a line that is redrawn */
/* Everything a run writes is written between these two; _line before a line of output. */
void cli_output_begin(void);
void cli_output_line(void);
void cli_output_end(void);
/* Between them: what has been begun (restarts the clock), and how it stands. */
void cli_status_what(const char *what);
bool cli_status_message(const char *message); /* whether it is another one */

/* ---- report.c ---- */
/* Says on stderr what failed, why and what to do next. */
void cli_report_error(const mb_error *error);
/* What stands below a verdict: the `cause` and the lines of `evidence` in `data`, as many as a
 * person reads. */
void cli_show_account(FILE *stream, const mb_value *data);
/* Prints a value as JSON on stdout. Returns 0, or -1 when it cannot be written. */
int cli_print_json(const mb_value *value, bool reveal, int indent);

/* Short cuts for maps. */
const char *cli_text(const mb_value *map, const char *key);
double cli_number(const mb_value *map, const char *key);
bool cli_flag(const mb_value *map, const char *key);

/* ---- commands.c: commands to type next ---- */
/* What was typed, with more flags at its end, quoted for a shell. */
const char *cli_again(char *out, size_t size, const cli_options *options, const char *flag,
                      const char *value);
/* A command that a runbook names, with the flags of this run that say where: environment, profile,
 * region ... Text that is no command stays as it is. */
const char *cli_next_command(char *out, size_t size, const cli_options *options,
                             const char *command);

/* ---- events_text.c, events_json.c, tables.c ---- */
enum { CLI_FAILURES = 32 };
typedef struct cli_view {
  const cli_options *options;
  int verbosity;
  char phase[16];               /* the one under way */
  bool undo_asked;              /* whether to undo: how the run ended has been shown */
  bool plan_shown;              /* and nobody asked about it yet */
  const char *unanswered;       /* the flag that would have answered, when nobody could be asked */
  char phrase[512];             /* what had to be typed; "": nothing */
  const char *why;              /* why it was not confirmed, or NULL */
  char *failures[CLI_FAILURES]; /* failed checks, to be told again at the end */
  size_t failed;
  size_t lines_since_failure;
} cli_view;
void cli_show_event_text(const mb_event *event, void *view);
void cli_show_event_json(const mb_event *event, void *view);
void cli_view_dispose(cli_view *view);
void cli_show_table(const mb_value *data);
/* Text as it is, anything else as JSON; a secret as "[secret]". In `arena`; never NULL. */
const char *cli_value_text(mb_arena *arena, const mb_value *value);

#endif
