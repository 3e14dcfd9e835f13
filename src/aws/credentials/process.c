/* credential_process: a program of the user's that prints credentials. It is run without a shell,
 * so the command line is split here the way a shell would split it, and nothing in it is expanded.
 */
#include "aws/credentials/provider.h"
#include "base/text.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define TIMEOUT_MS   60000
#define OUTPUT_LIMIT ((size_t)64 << 10)
#define MAX_WORDS    64

static int claims(const mb_provider_context *context, const char *profile, char *why,
                  size_t why_size, mb_error *error) {
  if (mb_settings_get(context->settings, profile, "credential_process"))
    return 1;
  snprintf(why, why_size, "profile %s has no credential_process", profile);
  return 0;
}

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Copies one word, quotes and backslashes undone, and moves `*at` past it. The word never gets
 * longer than what it was read from. False when a quote is left open. */
static bool take_word(const char **at, char *out) {
  char quote = 0;
  const char *c = *at;
  for (; *c && (quote || !is_space(*c)); c++) {
    if (quote ? *c == quote : (*c == '\'' || *c == '"')) {
      quote = quote ? 0 : *c;
    } else if (*c == '\\' && quote != '\'' && c[1] && (!quote || c[1] == '"' || c[1] == '\\')) {
      *out++ = *++c;
    } else {
      *out++ = *c;
    }
  }
  *out = '\0';
  *at = c;
  return quote == 0;
}

static int split(mb_arena *arena, const char *line, const char **argv, mb_error *error) {
  size_t count = 0;
  const char *at = line + strspn(line, " \t\r\n");
  while (*at && count < MAX_WORDS) {
    char *word = mb_arena_alloc(arena, strlen(at) + 1);
    if (!word)
      return mb_error_memory(error);
    if (!take_word(&at, word))
      return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials",
                          "a quotation mark is never closed");
    argv[count++] = word;
    at += strspn(at, " \t\r\n");
  }
  argv[count] = NULL;
  if (*at)
    return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials", "it has more than %d words",
                        MAX_WORDS);
  return 0;
}

/* A program's own words, on one line and not too many of them. */
static void quote_words(const char *errors, char *out, size_t out_size) {
  mb_buffer text = MB_BUFFER_INIT(8192);
  size_t size = strnlen(errors, 1000);
  while (size > 0 && is_space(errors[size - 1]))
    size--;
  mb_text_add_printable(&text, errors, size, false);
  mb_text_copy(out, out_size, text.size ? mb_buffer_text(&text) : "nothing on its error output");
  mb_buffer_dispose(&text);
}

static int check_status(int status, const char *errors, mb_error *error) {
  char words[600];
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return 0;
  quote_words(errors ? errors : "", words, sizeof words);
  if (WIFEXITED(status))
    return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials",
                        "it ended with exit code %d and said: %s", WEXITSTATUS(status), words);
  return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials", "it was ended by signal %d",
                      WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

/* The version is a number and it is 1; nothing is read of another. */
static int check_version(const mb_document *document, mb_error *error) {
  double version;
  if (mb_document_number(document, "Version", &version) && version == 1)
    return 0;
  return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials",
                      "what it printed does not have \"Version\": 1");
}

static int read_output(char *output, mb_credentials *out, mb_error *error) {
  mb_document *document = NULL;
  if (mb_credentials_read_document(&document, output, strlen(output), "it", error) != 0)
    return -1;
  int status = check_version(document, error);
  if (status == 0)
    status = mb_credentials_from_document(document, "SessionToken", "it", out, error);
  mb_document_free(document);
  return status;
}

/* What is left for it: it is waited for, and nothing else goes on meanwhile. */
static int time_for(const mb_fetch *fetch) {
  int64_t deadline = fetch->context->deadline_ns;
  int64_t left = (deadline - mb_loop_now(fetch->context->loop)) / 1000000;
  if (deadline == 0 || left > TIMEOUT_MS)
    return TIMEOUT_MS;
  return left > 1 ? (int)left : 1;
}

static int tell_not_run(const char *program, int timeout_ms, int code, mb_error *error) {
  char room[128];
  if (code == ETIMEDOUT)
    return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials",
                        "it did not end within %.1f seconds and was stopped", timeout_ms / 1000.0);
  if (code == EMSGSIZE)
    return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials",
                        "it printed more than %zu KiB", OUTPUT_LIMIT >> 10);
  if (code == ENOMEM)
    return mb_error_memory(error);
  return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials",
                      "'%.200s' could not be started: %s", program,
                      code ? strerror_r(code, room, sizeof room) : "no reason was given");
}

static int run(mb_fetch *fetch, const char *line, mb_credentials *out, mb_error *error) {
  const mb_system *system = fetch->context->system;
  const char *argv[MAX_WORDS + 1];
  const char *output = NULL, *errors = NULL;
  int status = 0;
  int timeout_ms = time_for(fetch);
  if (split(fetch->arena, line, argv, error) != 0)
    return -1;
  if (!argv[0])
    return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials", "it names no program");
  errno = 0;
  if (system->spawn(system->payload, argv, timeout_ms, OUTPUT_LIMIT, fetch->arena, &output, &errors,
                    &status) != 0)
    return tell_not_run(argv[0], timeout_ms, errno, error);
  if (check_status(status, errors, error) != 0)
    return -1;
  char *text = (char *)(uintptr_t)output; /* in the arena, where a secret must not stay */
  if (!output)
    return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials", "it printed nothing");
  if (read_output(text, out, error) != 0)
    return -1;
  const char *account = mb_settings_get(fetch->context->settings, fetch->profile, "aws_account_id");
  if (*out->account_id || !account)
    return 0;
  return MB_CREDENTIALS_SET(out->account_id, account, "aws_account_id", "the profile", error);
}

static int fetch_process(mb_fetch *fetch, mb_credentials *out, mb_error *error) {
  const char *line =
      mb_settings_get(fetch->context->settings, fetch->profile, "credential_process");
  mb_error problem;
  snprintf(out->source, sizeof out->source, "credential_process of profile %s", fetch->profile);
  if (run(fetch, line, out, &problem) == 0)
    return 0;
  if (problem.kind == MB_ERROR_MEMORY)
    return mb_error_memory(error);
  mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials", "credential_process of profile %s: %s",
               fetch->profile, problem.message);
  return mb_error_next(error, "run the command by hand: %.300s", line);
}

const mb_provider mb_provider_process = {
    .name = "credential_process", .claims = claims, .fetch = fetch_process};
