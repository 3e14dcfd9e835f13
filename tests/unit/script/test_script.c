/* A script as the run sees it: loading, calling, stopping, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "script/script.h"
#include <cmocka.h>
#include <string.h>

typedef struct fixture {
  int64_t now;
  mb_transport transport;
  mb_system system;
  mb_engine engine;
  mb_script *script;
  mb_arena *arena;
  int started, cancelled; /* calls of test.hang */
  int finished;           /* call_finished events */
  char last_code[96];
  int turns; /* of the transport; stops at some */
  int stop_at_turn;
  bool stop_now;
} fixture;

static int64_t fake_monotonic(void *payload) {
  return ((fixture *)payload)->now;
}

static bool fake_wait(void *payload, int64_t until_ns) {
  fixture *f = payload;
  if (++f->turns == f->stop_at_turn) {
    mb_script_stop(f->script, f->stop_now);
    return true; /* time stands still while it is asked */
  }
  if (until_ns == INT64_MAX)
    return false;
  if (until_ns > f->now)
    f->now = until_ns;
  return true;
}

static int fake_start(void *payload, mb_transfer *transfer, const mb_http_request *request) {
  (void)payload, (void)transfer, (void)request;
  return -1;
}

static void fake_cancel(void *payload, mb_transfer *transfer) {
  (void)payload, (void)transfer;
}

static void fire(void *payload) {
  mb_call *call = payload;
  mb_call_set_state(call, NULL, NULL);
  mb_call_succeed(call, NULL);
}

/* Takes ten seconds. */
static void start_hang(mb_call *call, void *payload) {
  fixture *f = payload;
  mb_loop *loop = mb_call_engine(call)->loop;
  f->started++;
  mb_call_set_state(call, mb_loop_timer(loop, f->now + INT64_C(10000000000), fire, call), NULL);
}

static void cancel_hang(mb_call *call, void *payload) {
  ((fixture *)payload)->cancelled++;
  mb_timer_cancel(mb_call_state(call));
  mb_call_set_state(call, NULL, NULL);
}

static const mb_primitive hang = {.name = "test.hang",
                                  .summary = "Takes ten seconds",
                                  .results = "Nothing",
                                  .effect = MB_EFFECT_READS,
                                  .recovery = MB_RECOVERY_PURE,
                                  .since = "0.1.0",
                                  .start = start_hang,
                                  .cancel = cancel_hang};

/* The same, and it writes. */
static const mb_primitive hold = {.name = "test.hold",
                                  .summary = "Takes ten seconds and writes",
                                  .results = "Nothing",
                                  .effect = MB_EFFECT_WRITES,
                                  .recovery = MB_RECOVERY_CONVERGE,
                                  .since = "0.1.0",
                                  .start = start_hang,
                                  .cancel = cancel_hang};

static int permit(void *payload, const mb_binding *binding, const mb_value *args, int step,
                  const char *where, mb_arena *arena, const mb_value **instead, mb_error *error) {
  (void)payload, (void)binding, (void)args, (void)step, (void)where, (void)arena;
  (void)instead, (void)error;
  return 0;
}

static void call_finished(void *payload, uint64_t call, const mb_binding *binding, double seconds,
                          int attempts, const char *request_id, const mb_error *error) {
  fixture *f = payload;
  f->finished++;
  strcpy(f->last_code, error ? error->code : "ok");
  (void)call, (void)binding, (void)seconds, (void)attempts, (void)request_id;
}

static int set_up(void **state) {
  static fixture f;
  static const mb_settings_options settings;
  mb_error error;
  memset(&f, 0, sizeof f);
  f.now = 1000000000;
  f.transport = (mb_transport){&f, fake_start, fake_cancel, fake_wait};
  f.system.payload = &f;
  f.system.monotonic_ns = fake_monotonic;
  f.system.transport = &f.transport;
  f.arena = mb_arena_new(0);
  if (mb_engine_init(&f.engine, &f.system, &settings, 0, &error) != 0 ||
      mb_engine_add(&f.engine, &hang, &f, &error) != 0 ||
      mb_engine_add(&f.engine, &hold, &f, &error) != 0)
    return -1;
  const mb_script_hooks hooks = {.payload = &f, .permit = permit, .call_finished = call_finished};
  mb_script_options options = {.engine = &f.engine, .hooks = &hooks};
  f.script = mb_script_new(&options, &error);
  *state = &f;
  return f.script ? 0 : -1;
}

static int tear_down(void **state) {
  fixture *f = *state;
  mb_script_free(f->script);
  mb_engine_dispose(&f->engine);
  mb_arena_free(f->arena);
  return 0;
}

static void load(fixture *f, const char *text) {
  mb_error error;
  if (mb_script_load(f->script, "r.lua", text, strlen(text), &error) != 0)
    fail_msg("%s", error.message);
}

static void load_fails(fixture *f, const char *text, mb_error_kind kind, const char *message) {
  mb_error error;
  mb_error_clear(&error);
  assert_int_equal(mb_script_load(f->script, "r.lua", text, strlen(text), &error), -1);
  if (error.kind != kind || !strstr(error.message, message))
    fail_msg("%s: %s", mb_error_kind_name(error.kind), error.message);
}

static int call_plan(fixture *f, const mb_value **result, mb_error *error) {
  mb_error_clear(error);
  return mb_script_call(f->script, "plan", NULL, NULL, 0, f->arena, result, error);
}

static void a_runbook_returns_known_functions(void **state) {
  fixture *f = *state;
  load_fails(f, "return 5", MB_ERROR_USAGE, "does not return a table");
  load_fails(f, "local x = 1", MB_ERROR_USAGE, "does not return a table");
  load_fails(f, "return {}", MB_ERROR_USAGE, "empty table");
  load_fails(f, "return { aply = function() end }", MB_ERROR_USAGE, "did you mean 'apply'?");
  load_fails(f, "return { plan = 5 }", MB_ERROR_USAGE, "not a function");
  load_fails(f, "return { function() end }", MB_ERROR_USAGE, "not a name");
  load_fails(f, "local x = = 1", MB_ERROR_SCRIPT, "unexpected symbol");
  load_fails(f, "return { plan = nothing }", MB_ERROR_SCRIPT, "unknown name \"nothing\"");
  load(f, "return { plan = function() end, verify = function() end }");
  assert_true(mb_script_has(f->script, "plan"));
  assert_true(mb_script_has(f->script, "verify"));
  assert_false(mb_script_has(f->script, "apply"));
}

static void only_text_of_a_bounded_size_is_loaded(void **state) {
  fixture *f = *state;
  static char large[(1 << 20) + 64];
  mb_error error;
  load_fails(f, "\x1bLua", MB_ERROR_SCRIPT, "binary chunk");
  load_fails(f, "return {} end end os.execute('x')", MB_ERROR_SCRIPT, "<eof> expected");
  memset(large, ' ', sizeof large);
  assert_int_equal(mb_script_load(f->script, "r.lua", large, sizeof large, &error), -1);
  assert_non_null(strstr(error.message, "larger than 1 MiB"));
  /* A constructor as long as the source may be ends, well or with the memory limit. */
  memcpy(large, "return {", 8);
  for (size_t i = 8; i + 64 < sizeof large; i += 2)
    memcpy(large + i, "1,", 2);
  large[(1 << 20) - 1] = '}';
  load_fails(f, "", MB_ERROR_USAGE, "does not return a table");
  assert_int_equal(mb_script_load(f->script, "r.lua", large, 1 << 20, &error), -1);
  assert_non_null(strstr(error.message, "not a name"));
}

static void calls_get_arguments_and_give_results(void **state) {
  fixture *f = *state;
  mb_error error;
  const mb_value *result = NULL;
  load(f, "return { plan = function(run, a, b) return { run.name, a.x, b } end }");
  mb_value *run = mb_value_new_map(f->arena);
  mb_value_set_string(f->arena, mb_map_put(f->arena, run, "name"), "n");
  mb_value *a = mb_value_new_map(f->arena);
  mb_value_set_integer(mb_map_put(f->arena, a, "x"), 7);
  const mb_value *args[] = {a, mb_value_new_string(f->arena, "text")};
  assert_int_equal(mb_script_call(f->script, "plan", run, args, 2, f->arena, &result, &error), 0);
  assert_string_equal(mb_value_to_json(f->arena, result, 0, true), "[\"n\",7,\"text\"]");
  assert_int_equal(mb_script_call(f->script, "undo", run, args, 2, f->arena, &result, &error), -1);
  assert_int_equal(error.kind, MB_ERROR_NOT_FOUND);
  assert_null(result);
}

static void a_stop_waits_for_the_write_in_flight(void **state) {
  fixture *f = *state;
  mb_error error;
  load(f, "return { plan = function() together{ function() sleep(1) end, function() test.hold() "
          "test.hold() end } end }");
  f->stop_at_turn = 1;
  assert_int_equal(call_plan(f, NULL, &error), -1);
  assert_int_equal(error.kind, MB_ERROR_CANCELLED);
  assert_int_equal(f->started, 1);
  assert_int_equal(f->cancelled, 0);
  assert_string_equal(f->last_code, "ok");
  assert_true(f->now >= INT64_C(11000000000));
}

static void a_stop_abandons_a_read(void **state) {
  fixture *f = *state;
  mb_error error;
  load(f, "return { plan = function() test.hang() end }");
  f->stop_at_turn = 1;
  assert_int_equal(call_plan(f, NULL, &error), -1);
  assert_int_equal(error.kind, MB_ERROR_CANCELLED);
  assert_int_equal(f->cancelled, 1);
  assert_true(f->now < INT64_C(11000000000));
}

static void a_stop_now_abandons_the_call(void **state) {
  fixture *f = *state;
  mb_error error;
  load(f, "return { plan = function() pcall(test.hold) pcall(test.hold) end }");
  f->stop_at_turn = 1;
  f->stop_now = true;
  assert_int_equal(call_plan(f, NULL, &error), -1);
  assert_int_equal(error.kind, MB_ERROR_CANCELLED);
  assert_int_equal(f->cancelled, 1);
  assert_string_equal(f->last_code, "Cancelled");
  assert_int_equal(call_plan(f, NULL, &error), -1); /* and it stays stopped */
  assert_int_equal(error.kind, MB_ERROR_CANCELLED);
  assert_int_equal(f->started, 1);
}

static void a_sleep_is_ended_by_a_stop(void **state) {
  fixture *f = *state;
  mb_error error;
  load(f, "return { plan = function() sleep(1) sleep(1e9) end }");
  f->stop_at_turn = 2;
  assert_int_equal(call_plan(f, NULL, &error), -1);
  assert_int_equal(error.kind, MB_ERROR_CANCELLED);
}

static void limits_end_only_this_script(void **state) {
  fixture *f = *state;
  mb_error error;
  mb_script *other;
  const mb_script_options options = {.engine = &f->engine, .instruction_limit = 100000};
  const char text[] = "return { plan = function()\n while true do pcall(error) end end }";
  other = mb_script_new(&options, &error);
  assert_non_null(other);
  assert_int_equal(mb_script_load(other, "r.lua", text, sizeof text - 1, &error), 0);
  assert_int_equal(mb_script_call(other, "plan", NULL, NULL, 0, f->arena, NULL, &error), -1);
  assert_int_equal(error.kind, MB_ERROR_LIMIT);
  assert_string_equal(error.code, "InstructionLimit");
  assert_string_equal(error.where, "r.lua:2");
  assert_true(mb_script_instructions(other) < 110000);
  mb_script_free(other);
  load(f, "return { plan = function() return 1 end }");
  assert_int_equal(call_plan(f, NULL, &error), 0);
  assert_true(mb_script_peak_memory(f->script) > 10000);
}

static void memory_that_was_let_go_can_be_used_again(void **state) {
  fixture *f = *state;
  mb_error error;
  const mb_value *result;
  load(f,
       "return { plan = function() local n = 0 for i = 1, 300 do local s = ('x'):rep(1000000) .. "
       "i n = n + #s end return n end }");
  assert_int_equal(call_plan(f, &result, &error), 0);
  assert_true(mb_value_integer(result) > 300000000);
  assert_true(mb_script_peak_memory(f->script) <= (size_t)64 << 20);
}

static void freeing_a_script_cancels_nothing_that_is_gone(void **state) {
  fixture *f = *state;
  mb_error error;
  load(f, "return { plan = function() test.hang() error('after') end }");
  assert_int_equal(call_plan(f, NULL, &error), -1);
  assert_string_equal(error.message, "after");
  assert_string_equal(error.where, "r.lua:1");
  assert_int_equal(f->finished, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_runbook_returns_known_functions),
      TEST(only_text_of_a_bounded_size_is_loaded),
      TEST(calls_get_arguments_and_give_results),
      TEST(a_stop_waits_for_the_write_in_flight),
      TEST(a_stop_abandons_a_read),
      TEST(a_stop_now_abandons_the_call),
      TEST(a_sleep_is_ended_by_a_stop),
      TEST(limits_end_only_this_script),
      TEST(memory_that_was_let_go_can_be_used_again),
      TEST(freeing_a_script_cancels_nothing_that_is_gone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
