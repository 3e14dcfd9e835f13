/* Commands to type next, complete enough to be copied. */
#include "cli.h"

#include <string.h>

typedef struct writer {
  char *out;
  size_t size, used;
} writer;

static void put(writer *to, const char *text, size_t size) {
  for (size_t i = 0; i < size && to->used + 1 < to->size; i++) {
    to->out[to->used++] = text[i];
  }
  to->out[to->used] = '\0';
}

static bool is_plain(const char *text) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              "_-+=.,/:@%";
  return *text != '\0' && strspn(text, plain) == strlen(text);
}

/* A word as a shell reads it. */
static void put_word(writer *to, const char *text) {
  if (to->used > 0) {
    put(to, " ", 1);
  }
  if (is_plain(text)) {
    put(to, text, strlen(text));
    return;
  }
  put(to, "'", 1);
  for (const char *at = text; *at; at++) {
    if (*at == '\'') {
      put(to, "'\\''", 4);
    } else {
      put(to, at, 1);
    }
  }
  put(to, "'", 1);
}

const char *cli_again(char *out, size_t size, const cli_options *options, const char *flag,
                      const char *value) {
  writer to = {out, size, 0};
  out[0] = '\0';
  put_word(&to, "moonbook");
  for (int i = 1; i < options->argc; i++) {
    if (strcmp(options->argv[i], "--no-input") != 0) {
      put_word(&to, options->argv[i]);
    }
  }
  put_word(&to, flag);
  if (value) {
    put_word(&to, value);
  }
  return out;
}

/* Whether a command has the flag already. */
static bool names_flag(const char *command, const char *flag) {
  size_t size = strlen(flag);
  for (const char *at = command; (at = strstr(at, flag)) != NULL; at += size) {
    if (at > command && at[-1] == ' ' && (at[size] == ' ' || at[size] == '=' || !at[size])) {
      return true;
    }
  }
  return false;
}

const char *cli_next_command(char *out, size_t size, const cli_options *options,
                             const char *command) {
  const struct {
    const char *flag, *value;
  } where[] = {
      {"--env", options->environment},   {"--profile", options->profile},
      {"--region", options->region},     {"--endpoint-url", options->endpoint_url},
      {"--settings", options->settings}, {"--runbooks", options->runbook_path},
      {"--state", options->state},
  };
  writer to = {out, size, 0};
  out[0] = '\0';
  put(&to, command, strlen(command));
  bool ours =
      strncmp(command, "moonbook run ", 13) == 0 || strncmp(command, "moonbook call ", 14) == 0;
  for (size_t i = 0; ours && i < sizeof where / sizeof *where; i++) {
    if (where[i].value && !names_flag(command, where[i].flag)) {
      put_word(&to, where[i].flag);
      put_word(&to, where[i].value);
    }
  }
  /* What follows a rehearsal is one as well, and must not reach the real AWS. */
  if (ours && options->sim && !names_flag(command, "--sim")) {
    char flag[1024];
    snprintf(flag, sizeof flag, "--sim%s%s", *options->sim ? "=" : "", options->sim);
    put_word(&to, flag);
  }
  return out;
}
