/* The simulator in process: a call's whole way from value to value through the world, the clock,
 * and what is wrong on the way. */
#include "loop/loop.h"
#include "sim/internal.h"
#include "unit/sim/rehearsal.h"

#define CREATE "{\"cluster_name\":\"prod\"}"

/* ---- calls ---- */

static void a_call_goes_the_whole_way(void **state) {
  (void)state;
  rehearsal r;
  rehearsal_begin(&r, NULL);
  rehearsal_gives(&r, "ecs.create_cluster", CREATE);
  const char *cluster = "arn:aws:ecs:eu-west-1:123456789012:cluster/prod";
  assert_string_equal(mb_value_string(mb_map_get(mb_map_get(r.result, "cluster"), "cluster_arn")),
                      cluster);
  assert_non_null(strstr(rehearsal_gives(&r, "ecs.list_clusters", "{}"), cluster));
  rehearsal_end(&r);
}

static void an_error_is_the_services_own(void **state) {
  (void)state;
  rehearsal r;
  rehearsal_begin(&r, NULL);
  assert_int_equal(
      rehearsal_call(&r, "ecs.describe_services", "{\"cluster\":\"no\",\"services\":[\"x\"]}"), -1);
  assert_string_equal(r.error.code, "ClusterNotFoundException");
  assert_string_equal(r.error.message, "Cluster not found.");
  assert_int_equal(r.error.status, 400);
  assert_int_equal(strlen(r.error.request_id), 36);
  assert_int_equal(r.error.attempts, 1);
  rehearsal_end(&r);
}

static void what_is_not_simulated_is_named(void **state) {
  (void)state;
  rehearsal r;
  rehearsal_begin(&r, NULL);
  assert_int_equal(rehearsal_call(&r, "acm.list_certificates", "{}"), -1);
  assert_string_equal(r.error.code, "NotSimulated");
  assert_non_null(strstr(r.error.message, "acm.list_certificates"));
  rehearsal_end(&r);
}

static char *trace_of(uint64_t seed) {
  rehearsal r;
  mb_sim_options options = MB_SIM_OPTIONS_INIT;
  options.seed = seed;
  rehearsal_begin(&r, &options);
  mb_buffer text = MB_BUFFER_INIT(1 << 20);
  mb_buffer_add_text(&text, rehearsal_gives(&r, "sts.get_session_token", "{}"));
  mb_buffer_add_text(&text, rehearsal_gives(&r, "ecs.create_cluster", CREATE));
  rehearsal_call(&r, "ecs.describe_services", "{\"cluster\":\"no\",\"services\":[\"x\"]}");
  mb_buffer_add_text(&text, r.error.request_id);
  char *copy = strdup(mb_buffer_text(&text));
  mb_buffer_dispose(&text);
  rehearsal_end(&r);
  return copy;
}

static void the_same_seed_gives_the_same_bytes(void **state) {
  (void)state;
  char *first = trace_of(7), *again = trace_of(7), *other = trace_of(8);
  assert_string_equal(first, again);
  assert_string_not_equal(first, other);
  free(first);
  free(again);
  free(other);
}

/* Profiles and endpoints that a project names lead to the real AWS. */
static void settings_lead_nowhere_else(void **state) {
  (void)state;
  rehearsal r;
  char path[] = "/tmp/moonbook-settings-XXXXXX";
  rehearsal_begin(&r, NULL);
  mb_host_free(r.host);
  close(mkstemp(path));
  FILE *file = fopen(path, "w");
  fputs("return { environments = { prod = { region = 'us-east-2', profile = 'of-prod',"
        " endpoint_url = 'http://127.0.0.1:1' } } }",
        file);
  fclose(file);
  mb_host_options options = MB_HOST_OPTIONS_INIT;
  options.system = mb_sim_system(r.sim);
  options.settings = path;
  options.environment = "prod";
  assert_int_equal(mb_host_new(&r.host, &options, &r.error), 0);
  assert_non_null(strstr(rehearsal_gives(&r, "sts.get_caller_identity", "{}"), "123456789012"));
  unlink(path);
  rehearsal_end(&r);
}

/* ---- the clock ---- */

static void note(void *payload) {
  *(bool *)payload = true;
}

/* Were it to sleep, the test would run into its time limit. */
static void waiting_jumps_to_what_comes_next(void **state) {
  (void)state;
  rehearsal r;
  rehearsal_begin(&r, NULL);
  double before = mb_sim_now(r.sim);
  mb_system system;
  mb_system_complete(&system, mb_sim_system(r.sim));
  mb_loop *loop = mb_loop_new(&system, &r.error);
  assert_non_null(loop);
  bool fired = false;
  assert_non_null(mb_loop_timer(loop, mb_loop_now(loop) + INT64_C(900000000000), note, &fired));
  while (!fired) {
    assert_true(mb_loop_turn(loop, INT64_MAX));
  }
  assert_true(mb_sim_now(r.sim) >= before + 900 && mb_sim_now(r.sim) < before + 900.001);
  assert_false(mb_loop_turn(loop, INT64_MAX));
  mb_loop_free(loop);
  rehearsal_end(&r);
}

static void the_world_follows_the_clock(void **state) {
  (void)state;
  rehearsal r;
  rehearsal_begin(&r, NULL);
  assert_int_equal(mb_sim_advance(r.sim, 3600.5, &r.error), 0);
  assert_int_equal(mb_sim_control(r.sim, r.arena, "now", NULL, &r.result, &r.error), 0);
  double now = mb_value_number(mb_map_get(r.result, "now"));
  assert_true(now >= 1767225600 + 3600.5 - 1e-5 && now <= 1767225600 + 3600.5 + 1e-5);
  assert_int_equal(mb_sim_advance(r.sim, -1, &r.error), -1);
  assert_string_equal(r.error.code, "BadDuration");
  rehearsal_end(&r);
}

static void a_command_may_move_the_clock(void **state) {
  (void)state;
  rehearsal r;
  rehearsal_begin(&r, NULL);
  mb_value *args;
  assert_int_equal(mb_value_from_json(r.arena, &args, "{\"time\":\"60s\"}", 14, &r.error), 0);
  double before = mb_sim_now(r.sim);
  assert_int_equal(mb_sim_control(r.sim, r.arena, "advance", args, &r.result, &r.error), 0);
  double moved = mb_sim_now(r.sim) - before;
  assert_true(moved > 59.9999 && moved < 60.0001);
  assert_int_equal(mb_sim_control(r.sim, r.arena, "nope", NULL, &r.result, &r.error), -1);
  assert_non_null(strstr(r.error.message, "there is no command 'nope'"));
  rehearsal_end(&r);
}

/* ---- faults of the API ---- */

#define RULE(text) "require('sim.faults').rule(world, { " text " })"

static void latency_is_simulated_time(void **state) {
  (void)state;
  rehearsal r;
  rehearsal_begin_with(&r, RULE("kind = 'latency', seconds = 25"));
  double before = mb_sim_now(r.sim);
  rehearsal_gives(&r, "ecs.list_clusters", "{}");
  double passed = mb_sim_now(r.sim) - before;
  assert_true(passed > 25 && passed < 26);
  rehearsal_end(&r);
}

static void a_reset_is_a_network_error(void **state) {
  (void)state;
  rehearsal r;
  rehearsal_begin_with(&r, RULE("kind = 'reset'"));
  assert_int_equal(rehearsal_call(&r, "ecs.list_clusters", "{}"), -1);
  assert_int_equal(r.error.kind, MB_ERROR_NETWORK);
  assert_string_equal(r.error.code, "ConnectionLost");
  assert_int_equal(r.error.attempts, 3);
  rehearsal_end(&r);
}

static void one_truncated_answer_is_asked_for_again(void **state) {
  (void)state;
  rehearsal r;
  rehearsal_begin_with(&r, RULE("kind = 'truncate', bytes = 5, count = 1"));
  rehearsal_gives(&r, "ecs.list_clusters", "{}");
  rehearsal_end(&r);
}

static void throttling_lasts_as_long_as_it_is_told(void **state) {
  (void)state;
  rehearsal r;
  rehearsal_begin_with(&r, RULE("kind = 'throttle'"));
  assert_int_equal(rehearsal_call(&r, "ecs.list_clusters", "{}"), -1);
  assert_int_equal(r.error.kind, MB_ERROR_THROTTLED);
  rehearsal_end(&r);
}

/* ---- scenarios and state ---- */

static int new_with(const char *scenario, const char *state_file, mb_error *error) {
  mb_sim *sim = NULL;
  mb_sim_options options = MB_SIM_OPTIONS_INIT;
  options.scenario = scenario;
  options.state = state_file;
  mb_error_clear(error);
  int result = mb_sim_new(&sim, &options, error);
  mb_sim_free(sim);
  return result;
}

static void write_file(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

static void what_is_wrong_in_a_scenario_is_named(void **state) {
  (void)state;
  mb_error error;
  char path[] = "/tmp/moonbook-scenario-XXXXXX.lua";
  close(mkstemps(path, 4));
  write_file(path, "local x = 1\nadvance{ time = x.y.z }\n");
  assert_int_equal(new_with(path, NULL, &error), -1);
  assert_non_null(strstr(error.where, ".lua:2"));
  unlink(path);
  assert_int_equal(new_with("no_such_scenario", NULL, &error), -1);
  assert_string_equal(error.code, "NoScenario");
  assert_int_equal(new_with("/nowhere/at/all.lua", NULL, &error), -1);
  assert_string_equal(error.code, "NoSuchFile");
}

static void a_world_survives_in_a_file(void **state) {
  (void)state;
  rehearsal r;
  char path[] = "/tmp/moonbook-state-XXXXXX";
  close(mkstemp(path));
  unlink(path);
  mb_sim_options options = MB_SIM_OPTIONS_INIT;
  options.state = path;
  rehearsal_begin(&r, &options);
  rehearsal_gives(&r, "ecs.create_cluster", CREATE);
  assert_int_equal(mb_sim_advance(r.sim, 120, &r.error), 0);
  double then = mb_sim_now(r.sim);
  assert_int_equal(mb_sim_save(r.sim, &r.error), 0);
  rehearsal_end(&r);
  rehearsal_begin(&r, &options);
  assert_true(mb_sim_now(r.sim) > then - 1e-3 && mb_sim_now(r.sim) < then + 1e-3);
  assert_non_null(strstr(rehearsal_gives(&r, "ecs.list_clusters", "{}"), "cluster/prod"));
  rehearsal_end(&r);
  unlink(path);
}

static void a_file_that_is_no_state_is_refused(void **state) {
  (void)state;
  static const char *const texts[] = {"", "{", "[]", "{\"moonbook_sim\": 2, \"world\": {}}",
                                      "{\"moonbook_sim\": 1, \"world\": 5}"};
  mb_error error;
  char path[] = "/tmp/moonbook-state-XXXXXX";
  close(mkstemp(path));
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    write_file(path, texts[i]);
    assert_int_equal(new_with(NULL, path, &error), -1);
    assert_string_equal(error.code, "BadState");
    assert_non_null(strstr(error.message, path));
  }
  unlink(path);
}

/* ---- memory ---- */

static int one_call(void *payload) {
  rehearsal *r = payload;
  mb_error_clear(&r->error);
  mb_arena *arena = mb_arena_new(0);
  const mb_value *result;
  int status =
      arena ? mb_host_call(r->host, arena, "ecs.list_clusters", NULL, false, &result, &r->error)
            : -1;
  if (status != 0 && arena) {
    assert_int_equal(r->error.kind, MB_ERROR_MEMORY);
  }
  mb_arena_free(arena);
  return status;
}

static void memory_may_run_out_during_a_call(void **state) {
  (void)state;
  rehearsal r;
  rehearsal_begin(&r, NULL);
  check_allocation_failures(one_call, &r);
  rehearsal_gives(&r, "ecs.list_clusters", "{}");
  rehearsal_end(&r);
}

/* Making a world takes too many allocations to refuse each in turn: the first ones, then ever
 * fewer. */
static void memory_may_run_out_while_a_world_is_made(void **state) {
  (void)state;
  long *left = failing_allocations_left();
  mb_allocator allocator = {left, failing_reallocate};
  mb_sim_options options = MB_SIM_OPTIONS_INIT;
  mb_sim *sim = NULL;
  mb_error error;
  options.scenario = "service";
  mb_set_allocator(&allocator);
  long refused = 0;
  for (long number = 0; sim == NULL; number += 1 + number / 8) {
    *left = number;
    mb_error_clear(&error);
    int result = mb_sim_new(&sim, &options, &error);
    assert_true(result == 0 || (sim == NULL && error.kind == MB_ERROR_MEMORY));
    refused += result != 0;
    assert_true(refused < 1000);
  }
  *left = -1;
  mb_sim_free(sim);
  mb_set_allocator(NULL);
  assert_true(refused > 50);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_call_goes_the_whole_way),
      cmocka_unit_test(an_error_is_the_services_own),
      cmocka_unit_test(what_is_not_simulated_is_named),
      cmocka_unit_test(the_same_seed_gives_the_same_bytes),
      cmocka_unit_test(settings_lead_nowhere_else),
      cmocka_unit_test(waiting_jumps_to_what_comes_next),
      cmocka_unit_test(the_world_follows_the_clock),
      cmocka_unit_test(a_command_may_move_the_clock),
      cmocka_unit_test(latency_is_simulated_time),
      cmocka_unit_test(a_reset_is_a_network_error),
      cmocka_unit_test(one_truncated_answer_is_asked_for_again),
      cmocka_unit_test(throttling_lasts_as_long_as_it_is_told),
      cmocka_unit_test(what_is_wrong_in_a_scenario_is_named),
      cmocka_unit_test(a_world_survives_in_a_file),
      cmocka_unit_test(a_file_that_is_no_state_is_refused),
      cmocka_unit_test(memory_may_run_out_during_a_call),
      cmocka_unit_test(memory_may_run_out_while_a_world_is_made),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
