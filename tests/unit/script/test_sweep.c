/* Every allocation of a script's life fails once: nothing crashes, nothing leaks, and the error
 * says memory. The leak half is the address sanitizer's, and the count of blocks held. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"
#include "script/script.h"
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

typedef struct meter {
  long allocations, fail_at; /* 0: never */
  long held;
} meter;

static void *metered(void *payload, void *pointer, size_t size) {
  meter *m = payload;
  if (size == 0) {
    m->held -= pointer != NULL;
    free(pointer);
    return NULL;
  }
  m->allocations++;
  if (m->fail_at && m->allocations == m->fail_at)
    return NULL;
  void *moved = realloc(pointer, size);
  m->held += moved && !pointer;
  return moved;
}

static meter the_meter;

static void start_echo(mb_call *call, void *payload) {
  (void)payload;
  mb_call_succeed(call, mb_call_argument(call, "value"));
}

static const mb_argument echo_arguments[] = {{"value", MB_ARGUMENT_ANY, false, "Anything"}, {0}};
static const mb_primitive echo = {
    .name = "test.echo",
    .summary = "Gives back what it was given",
    .arguments = echo_arguments,
    .results = "The value",
    .effect = MB_EFFECT_READS,
    .recovery = MB_RECOVERY_PURE,
    .since = "0.1.0",
    .start = start_echo,
};

static int permit(void *payload, const mb_binding *binding, const mb_value *args, int step,
                  const char *where, mb_arena *arena, const mb_value **instead, mb_error *error) {
  (void)payload, (void)binding, (void)args, (void)step, (void)where, (void)arena;
  (void)instead, (void)error;
  return 0;
}

static const char source[] =
    "return { plan = function(run, args)\n"
    "  local got = test.echo{ value = { a = { 1, 2 }, s = ('x'):rep(100) } }\n"
    "  local r = together{ function() sleep(0) return 1 end, function() return got.a[2] end }\n"
    "  local keys = {}\n"
    "  for k in pairs{ b = 1, a = 2, c = 3 } do keys[#keys + 1] = k end\n"
    "  log.info('x', { r = r }) check('c', true, 'm', keys)\n"
    "  attempt(function() error('caught') end)\n"
    "  step('s', function() test.echo{ value = json.encode(got) } end)\n"
    "  return { r = r, text = ('abc'):gsub('%w', '%0%0') }\n"
    "end }\n";

/* 0 when all went well; -1 with the error. */
static int live(mb_engine *engine, mb_error *error) {
  mb_script_hooks hooks = {.permit = permit};
  mb_script_options options = {.engine = engine, .hooks = &hooks};
  mb_script *script = mb_script_new(&options, error);
  if (!script)
    return -1;
  mb_arena *arena = mb_arena_new(0);
  const mb_value *result = NULL;
  int status = arena ? mb_script_load(script, "a.lua", source, sizeof source - 1, error)
                     : mb_error_memory(error);
  if (status == 0)
    status = mb_script_call(script, "plan", NULL, NULL, 0, arena, &result, error);
  if (status == 0)
    assert_int_equal(mb_value_count(result), 2);
  mb_arena_free(arena);
  mb_script_free(script);
  return status;
}

static void every_allocation_may_fail(void **state) {
  static const mb_settings_options settings;
  mb_engine engine;
  mb_error error;
  long failures = 0;
  (void)state;
  assert_int_equal(mb_engine_init(&engine, NULL, &settings, 0, &error), 0);
  assert_int_equal(mb_engine_add(&engine, &echo, NULL, &error), 0);
  mb_error_clear(&error);
  if (live(&engine, &error) != 0) /* also fills the engine's own caches */
    fail_msg("%s: %s", error.code, error.message);
  for (long n = 1;; n++) {
    long held = the_meter.held;
    the_meter.allocations = 0;
    the_meter.fail_at = n;
    mb_error_clear(&error);
    int status = live(&engine, &error);
    bool reached = the_meter.allocations >= n;
    the_meter.fail_at = 0;
    assert_int_equal(the_meter.held, held);
    if (status != 0) {
      failures++;
      if (error.kind != MB_ERROR_MEMORY)
        fail_msg("allocation %ld: %s %s", n, error.code, error.message);
    }
    if (!reached) {
      assert_int_equal(status, 0);
      break;
    }
  }
  assert_true(failures > 50);
  mb_engine_dispose(&engine);
}

static void every_allocation_of_a_data_file_may_fail(void **state) {
  static const char text[] = "return { name = 'x', list = { 1, 2, { a = 'b' } } }";
  (void)state;
  for (long n = 1;; n++) {
    long held = the_meter.held;
    mb_error error;
    mb_value *out = NULL;
    mb_arena *arena = mb_arena_new(0);
    the_meter.allocations = 0;
    the_meter.fail_at = n;
    int status = mb_script_read_data(arena, "m.lua", text, sizeof text - 1, &out, &error);
    bool reached = the_meter.allocations >= n;
    the_meter.fail_at = 0;
    mb_arena_free(arena);
    assert_int_equal(the_meter.held, held);
    if (status != 0)
      assert_int_equal(error.kind, MB_ERROR_MEMORY);
    if (!reached) {
      assert_int_equal(status, 0);
      break;
    }
  }
}

int main(void) {
  const mb_allocator allocator = {&the_meter, metered};
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(every_allocation_of_a_data_file_may_fail),
  };
  mb_set_allocator(&allocator);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
