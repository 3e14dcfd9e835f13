/* Runs one Lua case and compares how it ended with what its first line says:
 *
 *     -- expect: ok                       the function returned
 *     -- expect: error TEXT               a plain error whose message holds TEXT
 *     -- expect: KIND CODE                an error of that kind and code, "limit TimeLimit"
 *
 * A second line "-- clock: real" runs it under the real clock, with one second between two
 * primitives; otherwise time is virtual and waits take none. A line "-- log: TEXT" (any number of
 * them, in order, at the top) says what the run must have reported: see the hooks below.
 *
 * The file is a runbook; its `plan` is called. A hang is ended by an alarm. */
#include "base/memory.h"
#include "base/text.h"
#include "script/script.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

typedef struct bench {
  int64_t now;
  mb_transport transport;
  mb_system system;
  mb_engine engine;
  mb_script *script;
  mb_buffer seen; /* what the hooks were told, a line each */
  int steps;
} bench;

/* ---- virtual time ---- */

static int64_t fake_monotonic(void *payload) {
  return ((bench *)payload)->now;
}

static int64_t fake_wall(void *payload) {
  return ((bench *)payload)->now + INT64_C(1700000000000000000);
}

static bool fake_wait(void *payload, int64_t until_ns) {
  bench *b = payload;
  if (until_ns == INT64_MAX)
    return false;
  if (until_ns > b->now)
    b->now = until_ns;
  return true;
}

static int fake_start(void *payload, mb_transfer *transfer, const mb_http_request *request) {
  (void)payload, (void)transfer, (void)request;
  return -1; /* no case reaches the network */
}

static void fake_cancel(void *payload, mb_transfer *transfer) {
  (void)payload, (void)transfer;
}

/* ---- hooks ---- */

static void add_value(bench *b, const mb_value *value) {
  mb_arena *arena = mb_arena_new(0);
  char *json = value && arena ? mb_value_to_json(arena, value, 0, false) : NULL;
  if (json)
    mb_buffer_addf(&b->seen, " %s", json);
  mb_arena_free(arena);
}

static int permit(void *payload, const mb_binding *binding, const mb_value *args, int step,
                  const char *where, mb_arena *arena, const mb_value **instead, mb_error *error) {
  bench *b = payload;
  if (strcmp(binding->primitive.name, "test.instead") == 0) {
    mb_value *value = mb_value_new_string(arena, "made up");
    *instead = value;
    return value ? 0 : mb_error_memory(error);
  }
  if (binding->primitive.effect != MB_EFFECT_READS && step == 0)
    return mb_error_set(error, MB_ERROR_REFUSED, "WriteOutsideStep", "%s writes outside a step",
                        binding->primitive.name);
  (void)args, (void)where, (void)b;
  return 0;
}

static void call_started(void *payload, uint64_t call, const mb_binding *binding,
                         const mb_value *args, const char *where) {
  bench *b = payload;
  mb_buffer_addf(&b->seen, "call %llu %s", (unsigned long long)call, binding->primitive.name);
  add_value(b, args);
  mb_buffer_add_text(&b->seen, "\n");
  (void)where;
}

static void call_finished(void *payload, uint64_t call, const mb_binding *binding, double seconds,
                          int attempts, const char *request_id, const mb_error *error) {
  bench *b = payload;
  mb_buffer_addf(&b->seen, "ended %llu %s\n", (unsigned long long)call, error ? error->code : "ok");
  (void)binding, (void)seconds, (void)attempts, (void)request_id;
}

static int step_begin(void *payload, const char *name, const char *where, mb_error *error) {
  bench *b = payload;
  if (strcmp(name, "refused") == 0)
    return mb_error_set(error, MB_ERROR_REFUSED, "NoStep", "no such step today");
  mb_buffer_addf(&b->seen, "step %d %s\n", ++b->steps, name);
  (void)where;
  return b->steps;
}

static void step_end(void *payload, int step, const char *name, double seconds,
                     const mb_error *error) {
  bench *b = payload;
  mb_buffer_addf(&b->seen, "step %d ended %s\n", step, error ? error->message : "ok");
  (void)name, (void)seconds;
}

static void check(void *payload, const char *name, bool ok, const char *message,
                  const mb_value *evidence) {
  bench *b = payload;
  mb_buffer_addf(&b->seen, "check %s %s %s", name, ok ? "ok" : "failed", message);
  add_value(b, evidence);
  mb_buffer_add_text(&b->seen, "\n");
}

static void log_line(void *payload, const char *level, const char *message,
                     const mb_value *fields) {
  bench *b = payload;
  mb_buffer_addf(&b->seen, "%s %.2000s", level, message);
  add_value(b, fields);
  mb_buffer_add_text(&b->seen, "\n");
}

static void progress(void *payload, const char *message, const mb_value *fields) {
  bench *b = payload;
  mb_buffer_addf(&b->seen, "progress %s", message);
  add_value(b, fields);
  mb_buffer_add_text(&b->seen, "\n");
}

static void show_table(void *payload, const mb_value *columns, const mb_value *rows) {
  bench *b = payload;
  mb_buffer_add_text(&b->seen, "table");
  add_value(b, columns);
  add_value(b, rows);
  mb_buffer_add_text(&b->seen, "\n");
}

static bool confirm(void *payload, const char *question) {
  mb_buffer_addf(&((bench *)payload)->seen, "confirm %s\n", question);
  return strcmp(question, "yes?") == 0;
}

static int module(void *payload, const char *name, mb_arena *arena, const char **source,
                  size_t *size, const char **chunk_name, mb_error *error) {
  static const char *const modules[][2] = {
      {"good", "local M = {} function M.double(x) return 2 * x end return M"},
      {"broken", "local x = = 1"},
      {"failing", "local x = nil\nreturn x.y"},
      {"raising", "local M = {}\nfunction M.f() error('inside') end\nreturn M"},
      {"silent", "local x = 1"},
      {"cycle_a", "return require 'cycle_b'"},
      {"cycle_b", "return require 'cycle_a'"},
      {"greedy", "pairs = nil return {}"},
      {"calling", "return test.echo{ value = 1 }"},
      {"bytecode", "\x1bLua"},
  };
  for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
    if (strcmp(modules[i][0], name) != 0)
      continue;
    *source = modules[i][1];
    *size = strlen(modules[i][1]);
    *chunk_name = mb_arena_printf(arena, "modules/%s.lua", name);
    return *chunk_name ? 0 : mb_error_memory(error);
  }
  (void)payload;
  return mb_error_set(error, MB_ERROR_NOT_FOUND, "NoModule", "there is no module '%s'", name);
}

static const mb_script_hooks hooks = {
    .permit = permit,
    .call_started = call_started,
    .call_finished = call_finished,
    .step_begin = step_begin,
    .step_end = step_end,
    .check = check,
    .log = log_line,
    .progress = progress,
    .table = show_table,
    .confirm = confirm,
    .module = module,
};

/* ---- primitives ---- */

static void start_echo(mb_call *call, void *payload) {
  (void)payload;
  mb_call_succeed(call, mb_call_argument(call, "value"));
}

static void start_secret(mb_call *call, void *payload) {
  mb_value *value = mb_value_new_string(mb_call_arena(call), "hunter2");
  mb_value_set_secret(value, true);
  mb_call_succeed(call, value);
  (void)payload;
}

/* Says what it got, with whether it was secret. */
static void start_inspect(mb_call *call, void *payload) {
  const mb_value *value = mb_call_argument(call, "value");
  mb_arena *arena = mb_call_arena(call);
  char *json = mb_value_to_json(arena, value, 0, true);
  char *text = mb_arena_printf(arena, "%s%s%s", mb_type_name(mb_value_type(value)),
                               mb_value_is_secret(value) ? " secret " : " ", json ? json : "");
  mb_call_succeed(call, mb_value_new_string(arena, text ? text : ""));
  (void)payload;
}

static void start_fail(mb_call *call, void *payload) {
  mb_error error;
  mb_error_set(&error, MB_ERROR_DENIED, "AccessDenied", "you may not");
  mb_error_next(&error, "ask for it");
  error.status = 403;
  error.retryable = true;
  mb_call_fail(call, &error);
  (void)payload;
}

static void start_nulls(mb_call *call, void *payload) {
  static const char text[] = "{\"list\":[1,null,3],\"gone\":null,\"empty\":[],\"none\":{},"
                             "\"big\":9007199254740993,\"half\":0.5}";
  mb_value *value = NULL;
  mb_error error;
  if (mb_value_from_json(mb_call_arena(call), &value, text, sizeof text - 1, &error) != 0)
    mb_call_fail(call, &error);
  else
    mb_call_succeed(call, value);
  (void)payload;
}

static void fire(void *payload) {
  mb_call *call = payload;
  const mb_value *fail = mb_call_argument(call, "fail");
  mb_error error;
  mb_call_set_state(call, NULL, NULL);
  if (!fail) {
    mb_call_succeed(call, mb_call_argument(call, "value"));
    return;
  }
  mb_error_set(&error, MB_ERROR_AWS, "Failed", "%s", mb_value_string(fail));
  mb_call_fail(call, &error);
}

static void start_wait(mb_call *call, void *payload) {
  mb_engine *engine = mb_call_engine(call);
  double seconds = mb_value_number(mb_call_argument(call, "seconds"));
  mb_timer *timer =
      mb_loop_timer(engine->loop, mb_loop_now(engine->loop) + (int64_t)(seconds * 1e9), fire, call);
  mb_call_set_state(call, timer, NULL);
  (void)payload;
}

static void cancel_wait(mb_call *call, void *payload) {
  mb_timer_cancel(mb_call_state(call));
  mb_call_set_state(call, NULL, NULL);
  (void)payload;
}

static void start_stop(mb_call *call, void *payload) {
  bench *b = payload;
  mb_script_stop(b->script, false);
  mb_call_succeed(call, NULL);
}

static const mb_argument value_argument[] = {{"value", MB_ARGUMENT_ANY, false, "What to give back"},
                                             {0}};
static const mb_argument wait_arguments[] = {
    {"seconds", MB_ARGUMENT_DURATION, true, "How long"},
    {"value", MB_ARGUMENT_ANY, false, "What to give back"},
    {"fail", MB_ARGUMENT_STRING, false, "Fail with this message"},
    {0}};

#define PRIMITIVE(NAME, ARGUMENTS, EFFECT, START, CANCEL)                                          \
  {                                                                                                \
    .name = NAME, .summary = "For tests", .arguments = ARGUMENTS, .results = "What it was given",  \
    .effect = EFFECT,                                                                              \
    .recovery = (EFFECT) == MB_EFFECT_READS ? MB_RECOVERY_PURE : MB_RECOVERY_CONVERGE,             \
    .since = "0.1.0", .start = START, .cancel = CANCEL                                             \
  }

static const mb_primitive primitives[] = {
    PRIMITIVE("test.echo", value_argument, MB_EFFECT_READS, start_echo, NULL),
    PRIMITIVE("test.inspect", value_argument, MB_EFFECT_READS, start_inspect, NULL),
    PRIMITIVE("test.write", value_argument, MB_EFFECT_WRITES, start_echo, NULL),
    PRIMITIVE("test.slow_write", wait_arguments, MB_EFFECT_WRITES, start_wait, cancel_wait),
    PRIMITIVE("test.secret", NULL, MB_EFFECT_READS, start_secret, NULL),
    PRIMITIVE("test.nulls", NULL, MB_EFFECT_READS, start_nulls, NULL),
    PRIMITIVE("test.fail", NULL, MB_EFFECT_READS, start_fail, NULL),
    PRIMITIVE("test.instead", NULL, MB_EFFECT_READS, start_fail, NULL),
    PRIMITIVE("test.stop", NULL, MB_EFFECT_READS, start_stop, NULL),
    PRIMITIVE("test.wait", wait_arguments, MB_EFFECT_READS, start_wait, cancel_wait),
};

/* ---- running ---- */

static int prepare(bench *b, bool real_clock, mb_error *error) {
  static const mb_settings_options settings;
  mb_buffer_init(&b->seen, (size_t)64 << 20);
  if (!real_clock) {
    b->now = 1000000000;
    b->system.payload = b;
    b->system.monotonic_ns = fake_monotonic;
    b->system.wall_ns = fake_wall;
    b->transport = (mb_transport){b, fake_start, fake_cancel, fake_wait};
    b->system.transport = &b->transport;
  }
  if (mb_engine_init(&b->engine, &b->system, &settings, 0, error) != 0)
    return -1;
  for (size_t i = 0; i < sizeof primitives / sizeof primitives[0]; i++)
    if (mb_engine_add(&b->engine, &primitives[i], b, error) != 0)
      return -1;
  mb_script_hooks mine = hooks;
  mine.payload = b;
  mb_script_options options = {.engine = &b->engine,
                               .hooks = &mine,
                               .seed = 7,
                               .instruction_limit = real_clock ? UINT64_C(1) << 50 : 0,
                               .slice_seconds = real_clock ? 1 : 0};
  b->script = mb_script_new(&options, error);
  return b->script ? 0 : -1;
}

static int run(bench *b, const char *name, const char *source, size_t size, mb_error *error) {
  static const char run_json[] = "{\"name\":\"case\",\"args\":{\"list\":[1,2,3],\"who\":\"me\"}}";
  mb_arena *arena = mb_arena_new(0);
  mb_value *run_value = NULL;
  const mb_value *result = NULL;
  int status = mb_value_from_json(arena, &run_value, run_json, sizeof run_json - 1, error);
  if (status == 0)
    status = mb_script_load(b->script, name, source, size, error);
  const mb_value *args[] = {mb_map_get(run_value, "args")};
  if (status == 0)
    status = mb_script_call(b->script, "plan", run_value, args, 1, arena, &result, error);
  if (status == 0 && result) {
    mb_buffer_add_text(&b->seen, "result");
    add_value(b, result);
    mb_buffer_add_text(&b->seen, "\n");
  }
  mb_arena_free(arena);
  return status;
}

static char *read_all(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  char *text = malloc((size_t)4 << 20);
  if (!file || !text)
    exit(2);
  *size = fread(text, 1, ((size_t)4 << 20) - 1, file);
  text[*size] = '\0';
  fclose(file);
  return text;
}

/* The rest of the line that begins with `prefix`, looking from *at on; moves *at behind it. */
static bool header(const char **at, const char *prefix, char *out, size_t size) {
  size_t length = strlen(prefix);
  if (strncmp(*at, prefix, length) != 0)
    return false;
  const char *end = strchr(*at, '\n');
  snprintf(out, size, "%.*s", (int)(end - *at - (ptrdiff_t)length), *at + length);
  *at = end + 1;
  return true;
}

static bool ended_as_expected(const char *expect, int status, const mb_error *error) {
  char kind_and_code[160];
  if (strcmp(expect, "ok") == 0)
    return status == 0;
  if (status == 0)
    return false;
  if (strncmp(expect, "error ", 6) == 0)
    return (error->kind == MB_ERROR_SCRIPT || error->kind == MB_ERROR_USAGE) &&
           strstr(error->message, expect + 6) != NULL;
  snprintf(kind_and_code, sizeof kind_and_code, "%s %s", mb_error_kind_name(error->kind),
           error->code);
  return strcmp(kind_and_code, expect) == 0;
}

static bool saw_in_order(const char *at, const char *seen) {
  char line[4096];
  while (header(&at, "-- log: ", line, sizeof line)) {
    const char *found = strstr(seen, line);
    if (!found) {
      fprintf(stderr, "not reported (in this order): %s\n", line);
      return false;
    }
    seen = found + strlen(line);
  }
  return true;
}

int main(int argc, char **argv) {
  static bench b;
  char expect[512] = "", clock[32] = "virtual";
  mb_error error;
  size_t size;
  if (argc != 2)
    return 2;
  alarm(60);
  mb_error_clear(&error);
  char *source = read_all(argv[1], &size);
  const char *at = source;
  if (!header(&at, "-- expect: ", expect, sizeof expect)) {
    fprintf(stderr, "%s does not begin with -- expect:\n", argv[1]);
    return 2;
  }
  header(&at, "-- clock: ", clock, sizeof clock);
  int status = prepare(&b, strcmp(clock, "real") == 0, &error);
  if (status == 0)
    status =
        run(&b, strrchr(argv[1], '/') ? strrchr(argv[1], '/') + 1 : argv[1], source, size, &error);
  bool good =
      ended_as_expected(expect, status, &error) && saw_in_order(at, mb_buffer_text(&b.seen));
  if (!good)
    fprintf(stderr, "expected: %s\nended: %s %s at %s: %s\nreported:\n%.5000s\n", expect,
            status ? mb_error_kind_name(error.kind) : "ok", error.code, error.where, error.message,
            mb_buffer_text(&b.seen));
  else if (getenv("SHOW"))
    printf("%s %s %s: %s\n%.3000s\n", argv[1], error.code, error.where, error.message,
           mb_buffer_text(&b.seen));
  mb_script_free(b.script);
  mb_engine_dispose(&b.engine);
  mb_buffer_dispose(&b.seen);
  free(source);
  return good ? 0 : 1;
}
