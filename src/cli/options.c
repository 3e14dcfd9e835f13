/* Reading the command line. Flags of the command itself come from one table; any other --name is an
 * argument of the runbook or primitive. */
#include "cli.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef enum flag_kind {
  FLAG_TEXT,
  FLAG_NAME, /* text that is not empty, as an unset shell variable is */
  FLAG_BOOL,
  FLAG_DURATION,
  FLAG_OUTPUT,
  FLAG_COLOR,
  FLAG_MORE,
  FLAG_LESS,
  FLAG_OPTIONAL /* --flag, or --flag=VALUE */
} flag_kind;

typedef struct flag {
  const char *name;
  char letter;
  flag_kind kind;
  size_t offset;
  const char *value; /* how help names the value */
  const char *commands;
  const char *doc;
} flag;

#define AT(field) offsetof(cli_options, field)
#define HOSTED    "run list show help call check"

static const flag flags[] = {
    {"env", 'e', FLAG_NAME, AT(environment), "NAME", "run call record",
     "environment of moonbook.lua to work in"},
    {"yes", 'y', FLAG_BOOL, AT(yes), NULL, "run",
     "go on without the question; a phrase still needs --confirm"},
    {"confirm", 0, FLAG_TEXT, AT(confirm), "PHRASE", "run",
     "answer to a runbook that asks for a phrase"},
    {"plan", 0, FLAG_BOOL, AT(plan), NULL, "run",
     "show what would be done and stop; nothing is written"},
    {"undo", 0, FLAG_BOOL, AT(undo), NULL, "run",
     "undo, without a question, what was done when the run then fails"},
    {"cluster", 0, FLAG_NAME, AT(cluster), "NAME", "record", "the cluster, unless --env gives it"},
    {"service", 0, FLAG_NAME, AT(service), "NAME", "record", "the service, unless --env gives it"},
    {"out", 'o', FLAG_NAME, AT(out), "FILE|-", "record",
     "where to write the world (else standard output)"},
    {"with-environment", 0, FLAG_BOOL, AT(with_environment), NULL, "record",
     "keep the values of environment variables, which may hold secrets"},
    {"history", 0, FLAG_NAME, AT(history), "NUMBER", "record",
     "how many past deployments to read (else 30)"},
    {"timeout", 0, FLAG_DURATION, AT(timeout_seconds), "DURATION", "run call record",
     "end after so long, e.g. 90s, 15m"},
    {"no-input", 0, FLAG_BOOL, AT(no_input), NULL, "run",
     "never ask; fail and name the flag instead"},
    {"profile", 0, FLAG_NAME, AT(profile), "NAME", "run call record",
     "AWS profile (else AWS_PROFILE)"},
    {"region", 0, FLAG_NAME, AT(region), "NAME", "run call record",
     "AWS region (else AWS_REGION, the profile)"},
    {"endpoint-url", 0, FLAG_NAME, AT(endpoint_url), "URL", "run call record",
     "send every AWS call there (else AWS_ENDPOINT_URL[_SERVICE])"},
    {"output", 'o', FLAG_OUTPUT, AT(output), "text|ndjson", HOSTED " sim",
     "how results are written"},
    {"verbose", 'v', FLAG_MORE, AT(verbosity), NULL, "run",
     "show calls; twice: their arguments too"},
    {"quiet", 'q', FLAG_LESS, AT(verbosity), NULL, "run record",
     "show the verdict only; of a recording, what could not be read"},
    {"input", 0, FLAG_TEXT, AT(input), "JSON|@FILE|-", "call", "all arguments as one JSON object"},
    {"all", 0, FLAG_BOOL, AT(all_pages), NULL, "call",
     "follow every page of a listing and merge them"},
    {"show-secrets", 0, FLAG_BOOL, AT(show_secrets), NULL, "call",
     "print secret members instead of [secret]"},
    {"settings", 0, FLAG_TEXT, AT(settings), "FILE", HOSTED " record",
     "project settings (else ./moonbook.lua)"},
    {"runbooks", 0, FLAG_TEXT, AT(runbook_path), "DIRS", HOSTED,
     "folders of runbooks, or REPOSITORY@REF, ':' between (else MOONBOOK_PATH)"},
    {"color", 0, FLAG_COLOR, AT(color), "auto|always|never", HOSTED " sim record",
     "colours (NO_COLOR and CLICOLOR_FORCE are honoured)"},
    {"sim", 0, FLAG_OPTIONAL, AT(sim), "[=SCENARIO]", "run call",
     "in a simulated AWS, in this process and in no time"},
    {"scenario", 0, FLAG_NAME, AT(scenario), "NAME|FILE", "sim", "what the world holds at first"},
    {"seed", 0, FLAG_NAME, AT(seed), "NUMBER", "run call sim test",
     "same seed, same simulated world (else 1)"},
    {"port", 0, FLAG_NAME, AT(port), "NUMBER", "sim", "where to listen on 127.0.0.1 (else 4566)"},
    {"speed", 0, FLAG_NAME, AT(speed), "NUMBER|step|instant", "sim",
     "how fast its clock runs: 10 is ten times; step: only when told to"},
    {"state", 0, FLAG_NAME, AT(state), "FILE", "run call sim",
     "keep the simulated world there between runs"},
    {"strict", 0, FLAG_BOOL, AT(strict), NULL, "sim", "verify signatures"},
    {"help", 'h', FLAG_BOOL, AT(help), NULL, HOSTED " sim record test version", "show this help"},
};
enum { FLAG_COUNT = sizeof flags / sizeof *flags };

static bool has_word(const char *list, const char *word) {
  size_t size = strlen(word);
  for (const char *at = list; (at = strstr(at, word)) != NULL; at += size) {
    bool starts = at == list || at[-1] == ' ';
    if (starts && (at[size] == ' ' || at[size] == '\0')) {
      return true;
    }
  }
  return false;
}

/* The table's word for a command: "sim record" is its last one. */
static const char *table_word(const char *command) {
  const char *space = command ? strchr(command, ' ') : NULL;
  return space ? space + 1 : command;
}

static const char *command_of(const cli_options *options) {
  return options->word_count ? table_word(options->words[0]) : NULL;
}

/* Before the command's name every flag may stand, but those of one command that others take for
 * arguments. */
static bool belongs_to(const flag *f, const char *command) {
  return command ? has_word(f->commands, command) : strcmp(f->commands, "record") != 0;
}

void cli_options_print_help(FILE *out, const char *command_name) {
  const char *command = table_word(command_name);
  for (size_t i = 0; i < FLAG_COUNT; i++) {
    const flag *f = &flags[i];
    if (!has_word(f->commands, command)) {
      continue;
    }
    char left[64];
    snprintf(left, sizeof left, "%s--%s%s%s", f->letter ? "" : "    ", f->name,
             f->value && f->kind != FLAG_OPTIONAL ? " " : "", f->value ? f->value : "");
    if (f->letter) {
      fprintf(out, "  -%c, %-28s %s\n", f->letter, left, f->doc);
    } else {
      fprintf(out, "  %-32s %s\n", left, f->doc);
    }
  }
}

static const flag *find_flag(const char *name, size_t size) {
  for (size_t i = 0; i < FLAG_COUNT; i++) {
    if (strlen(flags[i].name) == size && memcmp(flags[i].name, name, size) == 0) {
      return &flags[i];
    }
  }
  return NULL;
}

/* The command's flag of a letter; of two commands' flags a letter may be. */
static const flag *find_letter(char letter, const char *command) {
  for (size_t i = 0; i < FLAG_COUNT; i++) {
    if (flags[i].letter == letter && letter != '\0' && belongs_to(&flags[i], command)) {
      return &flags[i];
    }
  }
  return NULL;
}

/* "90", "90s", "15m", "2h" to seconds. 0, or -1. */
static int parse_duration(const char *text, double *out) {
  char *end = NULL;
  double number = strtod(text, &end);
  double unit = *end == '\0' || strcmp(end, "s") == 0 ? 1
                : strcmp(end, "m") == 0               ? 60
                : strcmp(end, "h") == 0               ? 3600
                                                      : -1;
  if (end == text || unit < 0 || !(number > 0) || number > 1e7) {
    return -1;
  }
  *out = number * unit;
  return 0;
}

static int set_output(cli_options *out, const char *value, mb_error *error) {
  if (strcmp(value, "text") == 0) {
    out->output = CLI_OUTPUT_TEXT;
  } else if (strcmp(value, "ndjson") == 0) {
    out->output = CLI_OUTPUT_NDJSON;
  } else {
    return mb_error_set(error, MB_ERROR_USAGE, "BadFlag",
                        "--output: \"%s\" is not a format; there are text and ndjson", value);
  }
  return 0;
}

static int check_color(const char *value, mb_error *error) {
  static const char *const choices[] = {"auto", "always", "never"};
  for (size_t i = 0; i < 3; i++) {
    if (strcmp(value, choices[i]) == 0) {
      return 0;
    }
  }
  return mb_error_set(error, MB_ERROR_USAGE, "BadFlag",
                      "--color: \"%s\" is none of auto, always, never", value);
}

static int set_flag(cli_options *out, const flag *f, const char *value, mb_error *error) {
  char *at = (char *)out + f->offset;
  switch (f->kind) {
  case FLAG_NAME:
  case FLAG_COLOR:
    if (f->kind == FLAG_COLOR && check_color(value, error)) {
      return -1;
    }
    if (*value == '\0') {
      return mb_error_set(error, MB_ERROR_USAGE, "BadFlag", "--%s is empty", f->name);
    }
    memcpy(at, &value, sizeof value);
    return 0;
  case FLAG_TEXT:
  case FLAG_OPTIONAL:
    memcpy(at, &value, sizeof value);
    return 0;
  case FLAG_BOOL:
    *(bool *)(void *)at = true;
    return 0;
  case FLAG_MORE:
    ++*(int *)(void *)at;
    return 0;
  case FLAG_LESS:
    *(int *)(void *)at = -1;
    return 0;
  case FLAG_OUTPUT:
    return set_output(out, value, error);
  case FLAG_DURATION:
    if (parse_duration(value, (double *)(void *)at)) {
      return mb_error_set(error, MB_ERROR_USAGE, "BadFlag",
                          "--%s: \"%s\" is not a duration; write 90s, 15m or 2h", f->name, value);
    }
    return 0;
  }
  return 0;
}

static bool takes_value(const flag *f) {
  return f->kind == FLAG_TEXT || f->kind == FLAG_NAME || f->kind == FLAG_COLOR ||
         f->kind == FLAG_DURATION || f->kind == FLAG_OUTPUT;
}

/* Commands whose unknown flags are arguments of what they run. */
static bool passes_arguments(const char *command) {
  return command && (strcmp(command, "run") == 0 || strcmp(command, "call") == 0);
}

static int unknown_flag(const char *command, const char *name, mb_error *error) {
  const char *names[FLAG_COUNT];
  size_t count = 0;
  for (size_t i = 0; i < FLAG_COUNT; i++) {
    if (belongs_to(&flags[i], table_word(command))) {
      names[count++] = flags[i].name;
    }
  }
  const char *near = mb_text_nearest(name, names, count);
  mb_error_set(error, MB_ERROR_USAGE, "UnknownFlag", "--%s is not a flag of moonbook%s%s%s%s%s",
               name, command ? " " : "", command ? command : "", near ? "; did you mean --" : "",
               near ? near : "", near ? "?" : "");
  return mb_error_next(error, "moonbook help%s%s lists the flags", command ? " " : "",
                       command ? command : "");
}

static int add_named(cli_options *out, const char *name, const char *value, mb_error *error) {
  cli_named *grown = realloc(out->named, (out->named_count + 1) * sizeof *grown);
  if (grown == NULL) {
    return mb_error_memory(error);
  }
  out->named = grown;
  out->named[out->named_count++] = (cli_named){name, value};
  return 0;
}

static int add_word(cli_options *out, const char *word, mb_error *error) {
  if (out->word_count == sizeof out->words / sizeof *out->words) {
    return mb_error_set(error, MB_ERROR_USAGE, "TooManyWords", "\"%s\" is one word too many", word);
  }
  /* `sim record` is a command of its own, also in `help sim record`. */
  const char *before = out->word_count ? out->words[out->word_count - 1] : "";
  bool named = out->word_count == 1 || (out->word_count == 2 && strcmp(out->words[0], "help") == 0);
  if (named && strcmp(before, "sim") == 0 && strcmp(word, "record") == 0) {
    out->words[out->word_count - 1] = CLI_SIM_RECORD;
    return 0;
  }
  out->words[out->word_count++] = word;
  return 0;
}

/* One "--name", "--name=value" or "--name value". `argv[*at]` is it; may move on to the value. */
static int parse_long(cli_options *out, int argc, char **argv, int *at, mb_error *error) {
  char *name = argv[*at] + 2;
  char *equals = strchr(name, '=');
  size_t size = equals ? (size_t)(equals - name) : strlen(name);
  const char *command = command_of(out);
  if (command == NULL && strcmp(name, "version") == 0) {
    return add_word(out, name, error);
  }
  const flag *f = find_flag(name, size);
  bool ours = f && belongs_to(f, command);
  if (!ours && !passes_arguments(command)) {
    if (equals) {
      *equals = '\0';
    }
    return unknown_flag(out->word_count ? out->words[0] : NULL, name, error);
  }
  const char *value = equals ? equals + 1 : NULL;
  bool next_is_value = *at + 1 < argc && strncmp(argv[*at + 1], "--", 2) != 0;
  if (!ours) {
    if (equals) {
      *equals = '\0';
    }
    if (value == NULL && next_is_value) {
      value = argv[++*at];
    }
    return add_named(out, name, value, error);
  }
  if (takes_value(f) && value == NULL) {
    if (*at + 1 >= argc) {
      return mb_error_set(error, MB_ERROR_USAGE, "BadFlag", "--%s needs a value (%s)", f->name,
                          f->value);
    }
    value = argv[++*at];
  }
  if (f->kind == FLAG_OPTIONAL) {
    return set_flag(out, f, value ? value : "", error);
  }
  if (!takes_value(f) && equals) {
    return mb_error_set(error, MB_ERROR_USAGE, "BadFlag", "--%s takes no value", f->name);
  }
  return set_flag(out, f, value, error);
}

static int parse_short(cli_options *out, int argc, char **argv, int *at, mb_error *error) {
  const char *command = command_of(out);
  for (const char *letter = argv[*at] + 1; *letter; letter++) {
    const flag *f = find_letter(*letter, command);
    if (f == NULL) {
      return mb_error_set(error, MB_ERROR_USAGE, "UnknownFlag", "-%c is not a flag of moonbook%s%s",
                          *letter, command ? " " : "", command ? out->words[0] : "");
    }
    const char *value = NULL;
    if (takes_value(f)) {
      if (letter[1] || *at + 1 >= argc) {
        return mb_error_set(error, MB_ERROR_USAGE, "BadFlag", "-%c needs a value after it (%s)",
                            *letter, f->value);
      }
      value = argv[++*at];
    }
    if (set_flag(out, f, value, error)) {
      return -1;
    }
  }
  return 0;
}

/* Says where the flags are explained, unless something better has been said. */
static int fail_parse(const cli_options *out, mb_error *error) {
  if (*error->next != '\0' || error->kind == MB_ERROR_MEMORY) {
    return -1;
  }
  const char *command = out->word_count ? out->words[0] : "";
  return mb_error_next(error, "moonbook help%s%.40s explains the flags", *command ? " " : "",
                       command);
}

int cli_options_parse(cli_options *out, int argc, char **argv, mb_error *error) {
  memset(out, 0, sizeof *out);
  out->argc = argc;
  out->argv = argv;
  for (int i = 1; i < argc; i++) {
    int failed;
    if (strncmp(argv[i], "--", 2) == 0 && argv[i][2] != '\0') {
      failed = parse_long(out, argc, argv, &i, error);
    } else if (argv[i][0] == '-' && argv[i][1] != '\0' && argv[i][1] != '-') {
      failed = parse_short(out, argc, argv, &i, error);
    } else {
      failed = add_word(out, argv[i], error);
    }
    if (failed) {
      return fail_parse(out, error);
    }
  }
  return 0;
}

void cli_options_dispose(cli_options *options) {
  free(options->named);
  options->named = NULL;
}
