/* The life of a call of a declared primitive: arguments, ends, deadlines, cancellation. */
#include "base/memory.h"
#include "call/call.h"
#include "support/fake_transport.h"
#include "support/sweep.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* ---- a machine, an engine, what was heard ---- */

typedef struct stage {
  fake_machine fake;
  mb_engine engine;
  mb_arena *arena;
  int ends;
  bool failed;
  mb_error error;
  const mb_value *result;
  int released, cancelled;
  mb_call *kept; /* the call of a primitive that left work under way */
} stage;

static void on_end(mb_call *call, const mb_value *result, const mb_error *error, void *payload) {
  stage *s = payload;
  s->ends++;
  s->failed = error != NULL;
  s->result = result;
  if (error)
    s->error = *error;
}

static stage *now; /* the primitives below have no payload of their own in every test */

static void release(void *state) {
  now->released++;
  mb_free(state);
}

static int keep_state(mb_call *call) {
  void *state = mb_alloc(16);
  if (!state) {
    mb_error error;
    mb_error_memory(&error);
    mb_call_fail(call, &error);
    return -1;
  }
  mb_call_set_state(call, state, release);
  return 0;
}

static void start_echo(mb_call *call, void *payload) {
  if (keep_state(call) != 0)
    return;
  mb_arena *arena = mb_call_arena(call);
  mb_value *result = mb_value_new_map(arena);
  mb_value *text = result ? mb_map_put(arena, result, "text") : NULL;
  mb_value *wait = text ? mb_map_put(arena, result, "wait") : NULL;
  if (!wait || mb_value_set_string(arena, mb_map_get(result, "text"),
                                   mb_value_string(mb_call_argument(call, "text"))) != 0) {
    mb_error error;
    mb_error_memory(&error);
    mb_call_fail(call, &error);
    return;
  }
  mb_value_set_number(wait, mb_value_number(mb_call_argument(call, "wait")));
  mb_call_succeed(call, result);
}

static void start_twice(mb_call *call, void *payload) {
  mb_error error;
  mb_error_set(&error, MB_ERROR_AWS, "First", "the first end");
  mb_call_fail(call, &error);
  mb_call_succeed(call, NULL);
}

static void start_later(mb_call *call, void *payload) {
  if (keep_state(call) == 0)
    now->kept = call;
}

static void cancel_later(mb_call *call, void *payload) {
  now->cancelled++;
  mb_call_succeed(call, NULL); /* must not be heard */
}

static const mb_argument echo_arguments[] = {
    {"text", MB_ARGUMENT_STRING, true, "what to say"},
    {"wait", MB_ARGUMENT_DURATION, false, "a duration"},
    {"count", MB_ARGUMENT_INTEGER, false, "a whole number"},
    {"share", MB_ARGUMENT_NUMBER, false, "a number"},
    {"loud", MB_ARGUMENT_BOOLEAN, false, "a boolean"},
    {"names", MB_ARGUMENT_STRINGS, false, "a list of strings"},
    {"items", MB_ARGUMENT_LIST, false, "a list"},
    {"tags", MB_ARGUMENT_MAP, false, "a map"},
    {"other", MB_ARGUMENT_ANY, false, "anything"},
    {NULL, MB_ARGUMENT_ANY, false, NULL}};

static const mb_argument later_arguments[] = {
    {"timeout", MB_ARGUMENT_DURATION, false, "how long it may take"},
    {NULL, MB_ARGUMENT_ANY, false, NULL}};

#define DECLARE(name_, start_, cancel_, arguments_)                                                \
  {                                                                                                \
    .name = (name_), .summary = "A primitive of the tests", .arguments = (arguments_),             \
    .results = "what it was given", .effect = MB_EFFECT_READS, .recovery = MB_RECOVERY_READ,       \
    .since = "0.1.0", .start = (start_), .cancel = (cancel_)                                       \
  }

static const mb_primitive primitives[] = {
    DECLARE("test.echo", start_echo, NULL, echo_arguments),
    DECLARE("test.twice", start_twice, NULL, NULL),
    DECLARE("test.later", start_later, cancel_later, later_arguments),
    DECLARE("test.stuck", start_later, NULL, NULL),
};

static int add_primitives(mb_engine *engine, mb_error *error) {
  for (size_t i = 0; i < sizeof primitives / sizeof *primitives; i++) {
    if (mb_engine_add(engine, &primitives[i], NULL, error) != 0)
      return -1;
  }
  return 0;
}

static int set_up(void **state) {
  static stage s;
  static const mb_settings_options options = {.region = "eu-west-1"};
  mb_error error;
  memset(&s, 0, sizeof s);
  now = &s;
  fake_init(&s.fake);
  if (mb_engine_init(&s.engine, &s.fake.system, &options, 0, &error) != 0 ||
      add_primitives(&s.engine, &error) != 0)
    return -1;
  s.arena = mb_arena_new(0);
  *state = &s;
  return s.arena ? 0 : -1;
}

static int tear_down(void **state) {
  stage *s = *state;
  mb_engine_dispose(&s->engine);
  mb_arena_free(s->arena);
  fake_dispose(&s->fake);
  return 0;
}

static const mb_binding *find(stage *s, const char *name) {
  mb_error error;
  const mb_binding *binding = mb_engine_find(&s->engine, name, &error);
  assert_non_null(binding);
  return binding;
}

static const mb_value *json(stage *s, const char *text) {
  mb_value *value;
  mb_error error;
  assert_int_equal(mb_value_from_json(s->arena, &value, text, strlen(text), &error), 0);
  return value;
}

static mb_call *start(stage *s, const char *name, const char *args) {
  mb_call_options options = {.on_end = on_end, .payload = s};
  const mb_binding *binding = find(s, name);
  const mb_value *value = json(s, args);
  mb_error error;
  assert_int_equal(mb_call_check(&s->engine, binding, s->arena, value, &error), 0);
  return mb_call_start(&s->engine, binding, s->arena, value, &options);
}

/* ---- arguments ---- */

static void accept(stage *s, const char *args) {
  mb_error error;
  assert_int_equal(mb_call_check(&s->engine, find(s, "test.echo"), s->arena, json(s, args), &error),
                   0);
}

static void refuse(stage *s, const char *args, const char *code, const char *about) {
  mb_error error;
  mb_error_clear(&error);
  assert_int_equal(mb_call_check(&s->engine, find(s, "test.echo"), s->arena, json(s, args), &error),
                   -1);
  assert_int_equal(error.kind, MB_ERROR_USAGE);
  assert_string_equal(error.code, code);
  assert_string_equal(error.operation, "test.echo");
  assert_non_null(strstr(error.message, about));
}

static void right_arguments_are_taken(void **state) {
  accept(*state, "{\"text\":\"x\"}");
  accept(*state, "{\"text\":\"x\",\"wait\":\"90s\",\"count\":3,\"share\":0.5,\"loud\":true,"
                 "\"names\":[\"a\",\"b\"],\"items\":[1,\"a\"],\"tags\":{\"a\":1},\"other\":[]}");
  accept(*state, "{\"text\":\"x\",\"wait\":null,\"count\":4.0,\"share\":2,\"names\":{},"
                 "\"tags\":[]}");
}

static void wrong_arguments_are_named(void **state) {
  refuse(*state, "{}", "MissingArgument", "\"text\"");
  refuse(*state, "[]", "MissingArgument", "\"text\"");
  refuse(*state, "{\"text\":null}", "MissingArgument", "\"text\"");
  refuse(*state, "[1]", "WrongType", "named arguments");
  refuse(*state, "\"x\"", "WrongType", "named arguments");
  refuse(*state, "{\"text\":1}", "WrongType", "\"text\"");
  refuse(*state, "{\"text\":\"x\",\"count\":1.5}", "WrongType", "\"count\"");
  refuse(*state, "{\"text\":\"x\",\"count\":1e300}", "WrongType", "\"count\"");
  refuse(*state, "{\"text\":\"x\",\"loud\":1}", "WrongType", "\"loud\"");
  refuse(*state, "{\"text\":\"x\",\"names\":[\"a\",1]}", "WrongType", "\"names\"");
  refuse(*state, "{\"text\":\"x\",\"items\":{\"a\":1}}", "WrongType", "\"items\"");
  refuse(*state, "{\"text\":\"x\",\"tags\":[1]}", "WrongType", "\"tags\"");
  refuse(*state, "{\"text\":\"x\",\"wait\":\"soon\"}", "WrongType", "\"wait\"");
  refuse(*state, "{\"text\":\"x\",\"wait\":-1}", "WrongType", "\"wait\"");
  refuse(*state, "{\"text\":\"x\",\"wait\":1e12}", "WrongType", "\"wait\"");
  refuse(*state, "{\"text\":\"x\",\"wait\":\"90s\\u0000\"}", "WrongType", "\"wait\"");
  refuse(*state, "{\"text\":\"x\",\"\\u001b[31m\":1}", "UnknownArgument", "no argument");
}

static void unknown_argument_suggests_the_nearest(void **state) {
  stage *s = *state;
  mb_error error;
  const mb_value *args = json(s, "{\"text\":\"x\",\"cuont\":1}");
  assert_int_equal(mb_call_check(&s->engine, find(s, "test.echo"), s->arena, args, &error), -1);
  assert_non_null(strstr(error.next, "\"count\""));
}

static void an_escape_in_a_name_is_not_printed(void **state) {
  stage *s = *state;
  mb_error error;
  const mb_value *args = json(s, "{\"\\u001b[2J\":1}");
  assert_int_equal(mb_call_check(&s->engine, find(s, "test.echo"), s->arena, args, &error), -1);
  assert_null(strchr(error.message, '\x1b'));
}

static void duration_text_arrives_as_seconds(void **state) {
  stage *s = *state;
  assert_null(start(s, "test.echo", "{\"text\":\"hi\",\"wait\":\"15m\"}"));
  assert_int_equal(s->ends, 1);
  assert_false(s->failed);
  assert_string_equal(mb_value_string(mb_map_get(s->result, "text")), "hi");
  assert_true(mb_value_number(mb_map_get(s->result, "wait")) == 900.0);
}

/* ---- ends ---- */

static void an_end_inside_start_is_told_once(void **state) {
  stage *s = *state;
  assert_null(start(s, "test.echo", "{\"text\":\"hi\"}"));
  assert_int_equal(s->ends, 1);
  assert_int_equal(s->released, 1);
}

static void the_first_of_two_ends_counts(void **state) {
  stage *s = *state;
  assert_null(start(s, "test.twice", "{}"));
  assert_int_equal(s->ends, 1);
  assert_true(s->failed);
  assert_string_equal(s->error.code, "First");
  assert_string_equal(s->error.operation, "test.twice");
}

static void a_later_end_is_told_once(void **state) {
  stage *s = *state;
  assert_non_null(start(s, "test.later", "{}"));
  assert_int_equal(s->ends, 0);
  mb_call_succeed(s->kept, NULL);
  assert_int_equal(s->ends, 1);
  assert_int_equal(s->released, 1);
  assert_int_equal(s->cancelled, 0);
  assert_false(mb_loop_turn(s->engine.loop, INT64_MAX)); /* no timer is left behind */
}

static void a_cancelled_call_tells_nothing(void **state) {
  stage *s = *state;
  mb_call *call = start(s, "test.later", "{}");
  mb_call_cancel(call);
  assert_int_equal(s->ends, 0);
  assert_int_equal(s->cancelled, 1);
  assert_int_equal(s->released, 1);
  assert_false(mb_loop_turn(s->engine.loop, INT64_MAX));
}

static void one_cancelled_call_leaves_the_others(void **state) {
  stage *s = *state;
  mb_call *first = start(s, "test.later", "{}");
  mb_call *second = start(s, "test.later", "{}");
  mb_call *third = start(s, "test.later", "{}");
  mb_call_cancel(second);
  mb_call_succeed(first, NULL);
  mb_call_succeed(third, NULL);
  assert_int_equal(s->ends, 2);
  assert_int_equal(s->released, 3);
}

static void unstoppable_work_is_an_error_and_its_late_end_is_dropped(void **state) {
  stage *s = *state;
  assert_null(start(s, "test.stuck", "{}"));
  assert_int_equal(s->ends, 1);
  assert_true(s->failed);
  assert_int_equal(s->error.kind, MB_ERROR_INTERNAL);
  assert_string_equal(s->error.code, "NotCancellable");
  assert_int_equal(s->released, 0);
  assert_null(mb_call_argument(s->kept, "anything"));
  mb_value *late = mb_value_new_string(mb_call_arena(s->kept), "too late");
  mb_call_succeed(s->kept, late);
  assert_int_equal(s->ends, 1);
  assert_int_equal(s->released, 1);
}

static void dispose_stops_what_is_under_way(void **state) {
  stage *s = *state;
  start(s, "test.later", "{}");
  start(s, "test.stuck", "{}");
  s->ends = 0;
  mb_engine_dispose(&s->engine);
  assert_int_equal(s->ends, 0);
  assert_int_equal(s->cancelled, 1);
  assert_int_equal(s->released, 2);
  mb_error error;
  assert_int_equal(mb_engine_init(&s->engine, &s->fake.system, NULL, 0, &error), 0);
}

/* ---- deadlines ---- */

static double seconds_until_end(stage *s) {
  int64_t before = s->fake.monotonic_ns;
  while (s->ends == 0 && mb_loop_turn(s->engine.loop, INT64_MAX)) {
  }
  return (double)(s->fake.monotonic_ns - before) / 1e9;
}

static void expect_timeout(stage *s, double seconds) {
  assert_true(seconds_until_end(s) == seconds);
  assert_int_equal(s->ends, 1);
  assert_int_equal(s->error.kind, MB_ERROR_TIMEOUT);
  assert_string_equal(s->error.operation, "test.later");
  assert_int_equal(s->cancelled, 1);
  assert_int_equal(s->released, 1);
}

static void a_call_has_two_minutes(void **state) {
  stage *s = *state;
  start(s, "test.later", "{}");
  expect_timeout(s, 120);
}

static void an_argument_called_timeout_bounds_the_call(void **state) {
  stage *s = *state;
  start(s, "test.later", "{\"timeout\":\"5s\"}");
  expect_timeout(s, 5);
  assert_non_null(strstr(s->error.message, "5 seconds"));
}

static void the_nearer_deadline_counts(void **state) {
  stage *s = *state;
  mb_call_options options = {.on_end = on_end, .payload = s, .timeout_seconds = 2};
  const mb_value *args = json(s, "{\"timeout\":60}");
  assert_non_null(mb_call_start(&s->engine, find(s, "test.later"), s->arena, args, &options));
  expect_timeout(s, 2);
}

/* ---- memory ---- */

static void call_once(void *payload) {
  stage *s = payload;
  mb_error error;
  mb_engine engine;
  mb_arena *arena = mb_arena_new(0);
  s->ends = 0;
  if (!arena)
    return;
  if (mb_engine_init(&engine, &s->fake.system, NULL, 0, &error) != 0) {
    mb_arena_free(arena);
    assert_int_equal(error.kind, MB_ERROR_MEMORY);
    return;
  }
  static const char text[] = "{\"text\":\"hi\",\"wait\":\"15m\"}";
  mb_value *args = NULL;
  const mb_binding *binding = NULL;
  mb_error_clear(&error);
  if (add_primitives(&engine, &error) == 0 &&
      (binding = mb_engine_find(&engine, "test.echo", &error)) != NULL &&
      mb_value_from_json(arena, &args, text, sizeof text - 1, &error) == 0 &&
      mb_call_check(&engine, binding, arena, args, &error) == 0) {
    mb_call_options options = {.on_end = on_end, .payload = s};
    assert_null(mb_call_start(&engine, binding, arena, args, &options));
    assert_int_equal(s->ends, 1);
    if (s->failed)
      assert_int_equal(s->error.kind, MB_ERROR_MEMORY);
    options.payload = s;
    s->ends = 0;
    binding = mb_engine_find(&engine, "test.later", &error);
    mb_call *call = binding ? mb_call_start(&engine, binding, arena, NULL, &options) : NULL;
    if (call)
      mb_call_cancel(call);
    else if (binding)
      assert_int_equal(s->ends, 1);
  } else {
    assert_int_equal(error.kind, MB_ERROR_MEMORY);
  }
  mb_engine_dispose(&engine);
  mb_arena_free(arena);
}

static void every_refused_allocation_is_survived(void **state) {
  long runs = sweep_run(call_once, *state);
  assert_true(runs > 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(right_arguments_are_taken),
      TEST(wrong_arguments_are_named),
      TEST(unknown_argument_suggests_the_nearest),
      TEST(an_escape_in_a_name_is_not_printed),
      TEST(duration_text_arrives_as_seconds),
      TEST(an_end_inside_start_is_told_once),
      TEST(the_first_of_two_ends_counts),
      TEST(a_later_end_is_told_once),
      TEST(a_cancelled_call_tells_nothing),
      TEST(one_cancelled_call_leaves_the_others),
      TEST(unstoppable_work_is_an_error_and_its_late_end_is_dropped),
      TEST(dispose_stops_what_is_under_way),
      TEST(a_call_has_two_minutes),
      TEST(an_argument_called_timeout_bounds_the_call),
      TEST(the_nearer_deadline_counts),
      TEST(every_refused_allocation_is_survived),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
