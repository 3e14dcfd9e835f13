/* moonbook test: runs the specs of runbooks, each in a simulated world of its own. A spec is data:
 * what the world is like, what is run, and how it must end (docs/runbooks.md). */
#include "cli.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FOLDERS_DEEP = 16, FILES_MOST = 4096, FILE_LIMIT = 1024 * 1024 };

static const char suffix[] = ".spec.lua";

typedef struct tally {
  int passed, failed;
} tally;

/* ---- finding the files ---- */

typedef struct file_list {
  char *paths[FILES_MOST];
  size_t count;
} file_list;

static bool is_spec(const char *name) {
  size_t size = strlen(name), tail = sizeof suffix - 1;
  return size > tail && strcmp(name + size - tail, suffix) == 0;
}

static int add_file(file_list *list, const char *path, mb_error *error) {
  if (list->count == FILES_MOST) {
    return mb_error_set(error, MB_ERROR_USAGE, "TooManySpecs", "more than %d files of specs",
                        FILES_MOST);
  }
  list->paths[list->count] = strdup(path);
  return list->paths[list->count++] ? 0 : mb_error_memory(error);
}

static int find_files(file_list *list, const char *path, int depth, mb_error *error);

static int find_below(file_list *list, const char *folder, int depth, mb_error *error) {
  DIR *directory = opendir(folder);
  int failed = 0;
  if (directory == NULL) {
    return mb_error_set(error, MB_ERROR_IO, "UnreadableFolder", "%s: %s", folder, strerror(errno));
  }
  for (struct dirent *entry; !failed && (entry = readdir(directory)) != NULL;) {
    char path[4096];
    bool hidden = entry->d_name[0] == '.'; /* and so neither "." nor ".." */
    int length = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    if (!hidden && length > 0 && (size_t)length < sizeof path) {
      failed = find_files(list, path, depth + 1, error);
    }
  }
  closedir(directory);
  return failed;
}

static int find_files(file_list *list, const char *path, int depth, mb_error *error) {
  struct stat about;
  if (lstat(path, &about) != 0) {
    return mb_error_set(error, MB_ERROR_NOT_FOUND, "NoSuchFile", "%s: %s", path, strerror(errno));
  }
  if (S_ISDIR(about.st_mode)) {
    return depth < FOLDERS_DEEP ? find_below(list, path, depth, error) : 0;
  }
  return (depth == 0 || is_spec(path)) && S_ISREG(about.st_mode) ? add_file(list, path, error) : 0;
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ---- what a run came to ---- */

typedef struct recorder {
  mb_arena *arena;
  mb_value *outcome;
  bool failed; /* memory ran out */
  mb_run *run;
  int64_t call_count, cancel_at_call; /* 0: is not cancelled */
  bool yes;                           /* what the operator answers */
} recorder;

static mb_value *put(recorder *r, mb_value *map, const char *key) {
  mb_value *place = r->failed ? NULL : mb_map_put(r->arena, map, key);
  r->failed = place == NULL;
  return place;
}

static void put_text(recorder *r, mb_value *map, const char *key, const char *text) {
  mb_value *place = put(r, map, key);
  if (place && mb_value_set_string(r->arena, place, text)) {
    r->failed = true;
  }
}

/* Places in a map move when it grows: each is filled before the next is made. */
static void put_number(recorder *r, const char *key, double number) {
  mb_value *place = put(r, r->outcome, key);
  if (place) {
    mb_value_set_number(place, number);
  }
}

static mb_value *container(recorder *r, const char *key, void (*make)(mb_value *value)) {
  mb_value *place = put(r, r->outcome, key);
  if (place && mb_value_type(place) == MB_TYPE_NULL) {
    make(place);
  }
  return place;
}

/* A check that is made several times has failed if it failed once. */
static void record_check(recorder *r, const mb_value *data) {
  mb_value *checks = container(r, "checks", mb_value_set_map);
  const char *name = cli_text(data, "name");
  bool failed_before = checks && strcmp(cli_text(checks, name), "fail") == 0;
  if (checks && !failed_before) {
    put_text(r, checks, name, cli_flag(data, "ok") ? "pass" : "fail");
  }
}

static void record_text(recorder *r, const char *key, const char *text) {
  mb_value *list = container(r, key, mb_value_set_list);
  mb_value *item = list ? mb_list_add(r->arena, list) : NULL;
  if (item == NULL || mb_value_set_string(r->arena, item, text)) {
    r->failed = true;
  }
}

static void record_write(recorder *r, const mb_value *data) {
  if (strcmp(cli_text(data, "effect"), "reads") == 0 || !cli_flag(data, "ok")) {
    return;
  }
  record_text(r, "writes", cli_text(data, "operation"));
}

static void record_copy(recorder *r, const char *key, const mb_value *from) {
  mb_value *place = from ? put(r, r->outcome, key) : NULL;
  if (place && mb_value_copy(r->arena, place, from)) {
    r->failed = true;
  }
}

static void record_end(recorder *r, const mb_value *data) {
  put_text(r, r->outcome, "verdict", cli_text(data, "verdict"));
  put_text(r, r->outcome, "message", cli_text(data, "message"));
  if (*cli_text(data, "cause")) {
    put_text(r, r->outcome, "cause", cli_text(data, "cause"));
  }
  record_copy(r, "evidence", mb_map_get(data, "evidence"));
  record_copy(r, "result", mb_map_get(data, "result"));
  put_text(r, r->outcome, "error", cli_text(mb_map_get(data, "error"), "code"));
  put_number(r, "seconds", cli_number(data, "seconds"));
  put_number(r, "exit_code", cli_number(data, "exit_code"));
  put_number(r, "calls", cli_number(data, "calls"));
}

static void record(const mb_event *event, void *payload) {
  recorder *r = payload;
  if (event->type == MB_EVENT_CHECK) {
    record_check(r, event->data);
    record_text(r, "lines", cli_text(event->data, "message"));
  } else if (event->type == MB_EVENT_LOG || event->type == MB_EVENT_PROGRESS) {
    record_text(r, "lines", cli_text(event->data, "message"));
  } else if (event->type == MB_EVENT_STEP_STARTED) {
    record_text(r, "steps", cli_text(event->data, "name"));
  } else if (event->type == MB_EVENT_CALL_STARTED) {
    if (++r->call_count == r->cancel_at_call) {
      mb_run_cancel(r->run);
    }
  } else if (event->type == MB_EVENT_CALL_FINISHED) {
    record_write(r, event->data);
  } else if (event->type == MB_EVENT_RUN_FINISHED) {
    record_end(r, event->data);
  }
}

static bool answer(const mb_value *plan, const mb_value *changes, const char *phrase,
                   void *payload) {
  recorder *r = payload;
  (void)plan;
  (void)changes;
  if (phrase) {
    put_text(r, r->outcome, "phrase", phrase);
  }
  return r->yes;
}

/* ---- one spec ---- */

/* The folder that holds the runbook of ".../NAME/vMAJOR/tests/FILE", so that a spec finds the
 * runbook it lies beside; NULL when the file lies elsewhere. */
static char *folder_of_runbooks(const char *file, const char *name) {
  char *path = realpath(file, NULL);
  char *tests = path ? strstr(path, "/tests/") : NULL;
  for (char *next; tests && (next = strstr(tests + 1, "/tests/")) != NULL;) {
    tests = next;
  }
  char *version = NULL;
  if (tests) {
    *tests = '\0';
    version = strrchr(path, '/');
  }
  size_t size = strcspn(name, "@");
  bool fits = version && version[1] == 'v' && (size_t)(version - path) > size + 1 &&
              strncmp(version - size, name, size) == 0 && version[-(ptrdiff_t)size - 1] == '/';
  if (!fits) {
    free(path);
    return NULL;
  }
  version[-(ptrdiff_t)size - 1] = '\0';
  return path;
}

/* Without memory, or before the run had begun to speak, the outcome is the error alone. */
static void record_refusal(recorder *r, const mb_error *error) {
  mb_verdict verdict = mb_verdict_of_error(error);
  put_text(r, r->outcome, "verdict", mb_verdict_name(verdict));
  put_text(r, r->outcome, "message", error->message);
  put_text(r, r->outcome, "error", error->code);
  put_number(r, "exit_code", mb_verdict_exit_code(verdict));
  put_number(r, "seconds", 0);
  put_number(r, "calls", 0);
}

/* The fields of `run` are those that docs/runbooks.md lists. */
static int check_run(const mb_value *what, mb_error *error) {
  static const char *const known[] = {"runbook", "args",           "plan_only",
                                      "undo",    "answer",         "environment",
                                      "timeout", "cancel_at_call", "settings"};
  size_t count = sizeof known / sizeof *known, found = 0;
  for (size_t i = 0; i < count; i++) {
    found += mb_map_get(what, known[i]) != NULL;
  }
  const mb_value *says = mb_map_get(what, "answer");
  bool text = says && mb_value_type(says) == MB_TYPE_STRING;
  if (text && strcmp(mb_value_string(says), "nobody") != 0) {
    return mb_error_set(error, MB_ERROR_USAGE, "BadSpec",
                        "run.answer: expected true, false or \"nobody\"");
  }
  return found == mb_value_count(what)
             ? 0
             : mb_error_set(error, MB_ERROR_USAGE, "BadSpec",
                            "run: it has a field that there is not; there are runbook, args, "
                            "plan_only, undo, answer, environment, timeout, cancel_at_call, "
                            "settings");
}

/* The path of the settings that a spec names, seen from the spec's own folder; "" for none. */
static int find_settings(char *out, size_t size, const char *file, const mb_value *what,
                         mb_error *error) {
  const char *slash = strrchr(file, '/'), *name = cli_text(what, "settings");
  int folder = slash && *name && *name != '/' ? (int)(slash - file) + 1 : 0;
  int length = snprintf(out, size, "%.*s%s", folder, file, name);
  return length >= 0 && (size_t)length < size
             ? 0
             : mb_error_set(error, MB_ERROR_USAGE, "BadSpec", "run.settings: the path is too long");
}

static int run_in_world(recorder *r, mb_sim *sim, const cli_options *options, const char *file,
                        const mb_value *what, mb_error *error) {
  mb_host_options host_options = MB_HOST_OPTIONS_INIT;
  const char *name = mb_value_string(mb_map_get(what, "runbook"));
  char *folder = folder_of_runbooks(file, name);
  host_options.system = mb_sim_system(sim);
  host_options.runbook_path = options->runbook_path ? options->runbook_path : folder;
  mb_host *host = NULL;
  const mb_value *says = mb_map_get(what, "answer");
  bool nobody = says && mb_value_type(says) == MB_TYPE_STRING; /* there is nobody to ask */
  char settings[4096];
  if (check_run(what, error) || find_settings(settings, sizeof settings, file, what, error)) {
    free(folder);
    return -1;
  }
  host_options.settings = settings;
  r->yes = says == NULL || cli_flag(what, "answer");
  r->cancel_at_call = (int64_t)cli_number(what, "cancel_at_call");
  mb_run_options run_options = MB_RUN_OPTIONS_INIT;
  run_options.runbook = name;
  run_options.args = mb_map_get(what, "args");
  run_options.plan_only = cli_flag(what, "plan_only");
  run_options.undo = cli_flag(what, "undo");
  run_options.environment = *cli_text(what, "environment") ? cli_text(what, "environment") : NULL;
  run_options.timeout_seconds = cli_number(what, "timeout");
  run_options.confirm = nobody ? NULL : answer;
  run_options.confirm_payload = r;
  run_options.on_event = record;
  run_options.event_payload = r;
  int failed = mb_host_new(&host, &host_options, error);
  if (!failed && mb_run_new(&r->run, host, &run_options, error) == 0) {
    mb_run_execute(r->run);
  } else if (!failed) {
    record_refusal(r, error);
  }
  mb_run_free(r->run);
  mb_host_free(host);
  free(folder);
  return failed;
}

/* What of `expect` of this run did not come true: a list of lines. */
static int judge(recorder *r, mb_sim *sim, const mb_value *spec, const mb_value **failures,
                 mb_error *error) {
  mb_value *args = mb_value_new_map(r->arena);
  mb_value *expect = args ? mb_map_put(r->arena, args, "expect") : NULL;
  const mb_value *given = mb_map_get(spec, "expect"), *verdict = NULL;
  if (expect == NULL || (given && mb_value_copy(r->arena, expect, given))) {
    return mb_error_memory(error);
  }
  mb_value *outcome = mb_map_put(r->arena, args, "outcome");
  if (outcome == NULL || r->failed || mb_value_copy(r->arena, outcome, r->outcome)) {
    return mb_error_memory(error);
  }
  int failed = mb_sim_control(sim, r->arena, "spec_judge", args, &verdict, error);
  *failures = mb_map_get(verdict, "failures");
  return failed;
}

/* Has the world do what `world` of a spec or of one of its runs says, by the given command. `each`
 * is what "$each" stands for there, or NULL. */
static int prepare(mb_arena *arena, mb_sim *sim, const char *command, const mb_value *spec,
                   const mb_value *each, mb_error *error) {
  const mb_value *world = mb_map_get(spec, "world");
  mb_value *args = mb_value_new_map(arena);
  mb_value *place = args && world ? mb_map_put(arena, args, "world") : NULL;
  if (args == NULL || (world && (place == NULL || mb_value_copy(arena, place, world)))) {
    return mb_error_memory(error);
  }
  place = each ? mb_map_put(arena, args, "each") : NULL;
  if (each && (place == NULL || mb_value_copy(arena, place, each))) {
    return mb_error_memory(error);
  }
  return mb_sim_control(sim, arena, command, args, NULL, error);
}

/* Adds lines to others, each with the number of the run it is about. */
static int add_failures(mb_arena *arena, mb_value *all, const mb_value *some, size_t run,
                        mb_error *error) {
  for (size_t i = 0; i < mb_value_count(some); i++) {
    char line[4096];
    mb_value *place = mb_list_add(arena, all);
    snprintf(line, sizeof line, "run %zu: %s", run, mb_value_string(mb_list_at(some, i)));
    if (place == NULL || mb_value_set_string(arena, place, line)) {
      return mb_error_memory(error);
    }
  }
  return 0;
}

/* A spec, or one of its runs: `run` is done in the world as it is, and `expect` judged. */
static int rehearse_run(mb_arena *arena, mb_sim *sim, const cli_options *options, const char *file,
                        const mb_value *spec, const mb_value **failures, mb_error *error) {
  recorder r = {.arena = arena, .outcome = mb_value_new_map(arena)};
  const mb_value *what = mb_map_get(spec, "run");
  if (r.outcome == NULL) {
    return mb_error_memory(error);
  }
  if (!*cli_text(what, "runbook")) {
    return mb_error_set(error, MB_ERROR_USAGE, "BadSpec",
                        "run.runbook: the runbook's name is missing");
  }
  return run_in_world(&r, sim, options, file, what, error) || judge(&r, sim, spec, failures, error);
}

/* The runs of a spec, one after the other in the same world. How a run without `expect` ends is
 * not looked at; the last one needs it. */
static int rehearse_runs(mb_arena *arena, mb_sim *sim, const cli_options *options, const char *file,
                         const mb_value *runs, const mb_value *each, const mb_value **failures,
                         mb_error *error) {
  mb_value *all = mb_value_new_list(arena);
  size_t count = mb_value_count(runs);
  int failed = all ? 0 : mb_error_memory(error);
  if (mb_map_get(mb_list_at(runs, count - 1), "expect") == NULL) {
    return mb_error_set(error, MB_ERROR_USAGE, "BadSpec",
                        "runs: the last one needs 'expect', or nothing would be tested");
  }
  for (size_t i = 0; !failed && i < count; i++) {
    const mb_value *run = mb_list_at(runs, i), *lines = NULL;
    failed = prepare(arena, sim, "spec_next_run", run, each, error) ||
             rehearse_run(arena, sim, options, file, run, &lines, error);
    if (!failed && mb_map_get(run, "expect")) {
      failed = add_failures(arena, all, lines, i + 1, error);
    }
  }
  *failures = all;
  return failed;
}

/* The path of a recorded world that a spec names, seen from the spec's own folder. */
static int find_recorded(char *out, size_t size, const char *file, const mb_value *spec,
                         const char **scenario, mb_error *error) {
  const mb_value *named = mb_map_get(spec, "recorded");
  const char *slash = strrchr(file, '/'), *name = mb_value_string(named);
  if (named == NULL) {
    return 0;
  }
  int folder = *name == '/' || slash == NULL ? 0 : (int)(slash - file) + 1;
  int length = snprintf(out, size, "%.*s%s", folder, file, name);
  if (*name == '\0' || length < 0 || (size_t)length >= size) {
    return mb_error_set(error, MB_ERROR_USAGE, "BadSpec",
                        "recorded: expected the path of a file that moonbook sim record wrote");
  }
  *scenario = out;
  return 0;
}

static int rehearse(mb_arena *arena, const cli_options *options, const char *file,
                    const mb_value *spec, const mb_value *each, const mb_value **failures,
                    mb_error *error) {
  mb_sim_options sim_options = MB_SIM_OPTIONS_INIT;
  mb_sim *sim = NULL;
  const mb_value *runs = mb_map_get(spec, "runs");
  if (runs &&
      (mb_value_count(runs) == 0 || mb_map_get(spec, "run") || mb_map_get(spec, "expect"))) {
    return mb_error_set(error, MB_ERROR_USAGE, "BadSpec",
                        "runs: expected a list of runs, and no 'run' or 'expect' beside it");
  }
  char recorded[4096];
  int failed = cli_read_seed(options, &sim_options.seed, error) ||
               find_recorded(recorded, sizeof recorded, file, spec, &sim_options.scenario, error) ||
               mb_sim_new(&sim, &sim_options, error) ||
               prepare(arena, sim, "spec_prepare", spec, each, error);
  if (!failed) {
    failed = runs ? rehearse_runs(arena, sim, options, file, runs, each, failures, error)
                  : rehearse_run(arena, sim, options, file, spec, failures, error);
  }
  mb_sim_free(sim);
  return failed ? -1 : 0;
}

static void tell(const char *file, const mb_value *spec, const mb_value *each,
                 const mb_value *failures, const mb_error *error, tally *count) {
  bool good = error == NULL && mb_value_count(failures) == 0;
  count->passed += good;
  count->failed += !good;
  cli_printf(stdout, good ? CLI_GOOD : CLI_BAD, "%s %d - ", good ? "ok" : "not ok",
             count->passed + count->failed);
  cli_printf(stdout, CLI_PLAIN, "%s: %s", file, cli_text(spec, "name"));
  if (each) {
    cli_printf(stdout, CLI_PLAIN, " [%g]", mb_value_number(each));
  }
  cli_printf(stdout, CLI_PLAIN, "\n");
  for (size_t i = 0; i < mb_value_count(failures); i++) {
    cli_printf(stdout, CLI_PLAIN, "#   %s\n", mb_value_string(mb_list_at(failures, i)));
  }
  if (error) {
    cli_printf(stdout, CLI_PLAIN, "#   %s\n", error->message);
  }
}

static int test_once(const cli_options *options, const char *file, const mb_value *spec,
                     const mb_value *each, tally *count, mb_error *error) {
  mb_arena *arena = mb_arena_new(0);
  const mb_value *failures = NULL;
  if (arena == NULL) {
    return mb_error_memory(error);
  }
  int failed = rehearse(arena, options, file, spec, each, &failures, error);
  tell(file, spec, each, failures, failed ? error : NULL, count);
  mb_arena_free(arena);
  return 0;
}

/* A spec with `each` is tested once for each of its numbers. */
static int test_spec(const cli_options *options, const char *file, const mb_value *spec,
                     tally *count, mb_error *error) {
  const mb_value *each = mb_map_get(spec, "each");
  if (each == NULL) {
    return test_once(options, file, spec, NULL, count, error);
  }
  int failed = 0;
  if (mb_value_count(each) == 0) {
    return mb_error_set(error, MB_ERROR_USAGE, "BadSpec",
                        "%s: %s: each: expected a list of numbers", file, cli_text(spec, "name"));
  }
  for (size_t i = 0; !failed && i < mb_value_count(each); i++) {
    failed = test_once(options, file, spec, mb_list_at(each, i), count, error);
  }
  return failed;
}

/* ---- files ---- */

static int read_file(const char *path, char **out, size_t *size, mb_error *error) {
  FILE *file = fopen(path, "rb");
  *out = malloc(FILE_LIMIT);
  *size = file && *out ? fread(*out, 1, FILE_LIMIT, file) : 0;
  bool broken = file == NULL || ferror(file) || *size == FILE_LIMIT;
  if (file) {
    fclose(file);
  }
  if (*out == NULL) {
    return mb_error_memory(error);
  }
  return broken ? mb_error_set(error, MB_ERROR_IO, "UnreadableFile", "%s: %s", path,
                               file ? "it is larger than 1 MiB" : strerror(errno))
                : 0;
}

static int test_file(const cli_options *options, const char *path, tally *count, mb_error *error) {
  mb_arena *arena = mb_arena_new(0);
  char *text = NULL;
  size_t size = 0;
  const mb_value *specs = NULL;
  int failed = arena ? read_file(path, &text, &size, error) : mb_error_memory(error);
  if (!failed) {
    failed = mb_read_data(arena, path, text, size, &specs, error);
  }
  if (!failed && (mb_value_type(specs) != MB_TYPE_LIST || mb_value_count(specs) == 0)) {
    failed = mb_error_set(error, MB_ERROR_USAGE, "BadSpec", "%s: expected a list of specs", path);
  }
  for (size_t i = 0; !failed && i < mb_value_count(specs); i++) {
    failed = test_spec(options, path, mb_list_at(specs, i), count, error);
  }
  free(text);
  mb_arena_free(arena);
  return failed;
}

int cli_test(const cli_options *options) {
  static file_list list;
  mb_error error;
  tally count = {0, 0};
  const char *path = options->word_count > 1 ? options->words[1] : ".";
  int failed = find_files(&list, path, 0, &error);
  qsort(list.paths, list.count, sizeof *list.paths, by_name);
  if (!failed && list.count == 0) {
    failed = mb_error_set(&error, MB_ERROR_NOT_FOUND, "NoSpecs", "there is no file *%s below %s",
                          suffix, path);
    mb_error_next(&error, "docs/runbooks.md says what a spec is; runbooks/*/*/v*/tests have some");
  }
  for (size_t i = 0; i < list.count; i++) {
    failed = failed ? failed : test_file(options, list.paths[i], &count, &error);
    free(list.paths[i]);
  }
  if (failed) {
    cli_report_error(&error);
  }
  printf("%d passed, %d failed, 0 skipped\n", count.passed, count.failed);
  return failed ? mb_verdict_exit_code(mb_verdict_of_error(&error))
                : mb_verdict_exit_code(count.failed ? MB_VERDICT_CHECK_FAILED : MB_VERDICT_DONE);
}
