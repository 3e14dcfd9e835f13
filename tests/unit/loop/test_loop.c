/* Timers, waking, and the loop in virtual time over a transport of the test's own. */
#include "base/arena.h"
#include "loop/loop.h"
#include "unit/check.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

/* ---- a machine whose clock only the transport moves ---- */

typedef struct fake {
  int64_t now;
  mb_transfer *waiting[4];
  int64_t answer_at[4];
  int count;
  int cancelled;
  int64_t delay; /* of an answer; negative: never */
  bool refuse;
  size_t body_size;
} fake;

static int64_t fake_now(void *payload) {
  return ((fake *)payload)->now;
}

static int fake_start(void *payload, mb_transfer *transfer, const mb_http_request *request) {
  fake *of = payload;
  assert_string_equal(request->method, "GET");
  if (of->refuse) {
    return -1;
  }
  of->waiting[of->count] = transfer;
  of->answer_at[of->count++] = of->delay < 0 ? INT64_MAX : of->now + of->delay;
  return 0;
}

static void fake_drop(fake *of, int index) {
  of->count--;
  for (int i = index; i < of->count; i++) {
    of->waiting[i] = of->waiting[i + 1];
    of->answer_at[i] = of->answer_at[i + 1];
  }
}

static void fake_cancel(void *payload, mb_transfer *transfer) {
  fake *of = payload;
  for (int i = 0; i < of->count; i++) {
    if (of->waiting[i] == transfer) {
      fake_drop(of, i);
      of->cancelled++;
      return;
    }
  }
  fail_msg("cancelled what was not under way");
}

static bool fake_wait(void *payload, int64_t until) {
  fake *of = payload;
  int next = -1;
  for (int i = 0; i < of->count; i++) {
    if (of->answer_at[i] < until && (next < 0 || of->answer_at[i] < of->answer_at[next])) {
      next = i;
    }
  }
  if (next < 0) {
    assert_true(until != INT64_MAX); /* it would wait for ever */
    of->now = until > of->now ? until : of->now;
    return of->count > 0;
  }
  mb_transfer *transfer = of->waiting[next];
  mb_transfer_result result = {.sent = true, .response = {.status = 200}};
  char *body = mb_arena_zero(mb_transfer_arena(transfer), of->body_size + 1);
  result.response.body = body;
  result.response.body_size = of->body_size;
  of->now = of->answer_at[next];
  fake_drop(of, next);
  mb_transfer_finish(transfer, &result);
  return true;
}

typedef struct bench {
  fake fake;
  mb_transport transport;
  mb_system system;
  mb_loop *loop;
  mb_arena *arena;
  mb_http_request request;
  char log[200];
} bench;

static int make_bench(void **state) {
  bench *of = calloc(1, sizeof *of);
  *state = of;
  of->transport = (mb_transport){&of->fake, fake_start, fake_cancel, fake_wait};
  of->fake.now = 1000;
  mb_system given = {.payload = &of->fake, .monotonic_ns = fake_now, .transport = &of->transport};
  mb_system_complete(&of->system, &given);
  of->loop = mb_loop_new(&of->system, NULL);
  of->arena = mb_arena_new(0);
  of->request = (mb_http_request){.method = "GET", .url = "http://fake/"};
  return of->loop && of->arena ? 0 : -1;
}

static int drop_bench(void **state) {
  bench *of = *state;
  mb_loop_free(of->loop);
  mb_arena_free(of->arena);
  free(of);
  return 0;
}

typedef struct note {
  bench *of;
  const char *text;
  mb_timer *cancel;
  int64_t again; /* sets itself again so often */
  mb_transfer_result result;
  int calls;
} note;

static void write_note(void *payload) {
  note *at = payload;
  at->calls++;
  strcat(at->of->log, at->text);
  if (at->cancel) {
    mb_timer_cancel(at->cancel);
    at->cancel = NULL;
  }
  if (at->again > 0) {
    at->again--;
    assert_non_null(mb_loop_timer(at->of->loop, at->of->fake.now, write_note, at));
  }
}

static void keep_result(const mb_transfer_result *result, void *payload) {
  note *at = payload;
  at->result = *result;
  at->calls++;
}

static void turn_to_the_end(bench *of) {
  for (int turns = 0; mb_loop_turn(of->loop, INT64_MAX); turns++) {
    assert_true(turns < 1000);
  }
}

static void timers_fire_in_order_of_time_then_age(void **state) {
  bench *of = *state;
  note notes[6] = {{of, "a", NULL, 0, {0}, 0}, {of, "b", NULL, 0, {0}, 0},
                   {of, "c", NULL, 0, {0}, 0}, {of, "d", NULL, 0, {0}, 0},
                   {of, "e", NULL, 0, {0}, 0}, {of, "f", NULL, 0, {0}, 0}};
  static const int64_t times[] = {5000, 3000, 4000, 3000, 6000, 3000};
  for (int i = 0; i < 6; i++) {
    assert_non_null(mb_loop_timer(of->loop, times[i], write_note, &notes[i]));
  }
  turn_to_the_end(of);
  assert_string_equal(of->log, "bdfcae");
  assert_true(of->fake.now == 6000);
}

static void cancelled_timers_do_not_fire(void **state) {
  bench *of = *state;
  note notes[3] = {
      {of, "a", NULL, 0, {0}, 0}, {of, "b", NULL, 0, {0}, 0}, {of, "c", NULL, 0, {0}, 0}};
  mb_loop_timer(of->loop, 2000, write_note, &notes[0]);
  notes[0].cancel = mb_loop_timer(of->loop, 2000, write_note, &notes[1]);
  mb_loop_timer(of->loop, 3000, write_note, &notes[2]);
  mb_timer_cancel(NULL);
  turn_to_the_end(of);
  assert_string_equal(of->log, "ac");
}

static void timers_of_many_sizes_stay_sorted(void **state) {
  enum { COUNT = 500 };
  bench *of = *state;
  static note notes[COUNT];
  mb_timer *timers[COUNT];
  unsigned seed = 7;
  for (int i = 0; i < COUNT; i++) {
    seed = seed * 1103515245u + 12345u;
    notes[i] = (note){.of = of, .text = ""};
    timers[i] = mb_loop_timer(of->loop, 2000 + (seed >> 16) % 1000, write_note, &notes[i]);
  }
  for (int i = 0; i < COUNT; i += 3) {
    mb_timer_cancel(timers[i]);
  }
  int64_t before = 0;
  while (mb_loop_turn(of->loop, INT64_MAX)) {
    assert_true(of->fake.now > before);
    before = of->fake.now;
  }
  for (int i = 0; i < COUNT; i++) {
    assert_int_equal(notes[i].calls, i % 3 != 0);
  }
}

static void timer_that_sets_itself_again_lets_others_run(void **state) {
  bench *of = *state;
  note forever = {of, "x", NULL, 5, {0}, 0};
  note other = {of, "o", NULL, 0, {0}, 0};
  mb_loop_timer(of->loop, 1000, write_note, &forever);
  mb_loop_timer(of->loop, 1000, write_note, &other);
  assert_true(mb_loop_turn(of->loop, INT64_MAX));
  assert_string_equal(of->log, "xo");
  turn_to_the_end(of);
  assert_string_equal(of->log, "xoxxxxx");
}

static void idle_loop_says_so(void **state) {
  bench *of = *state;
  assert_false(mb_loop_turn(of->loop, INT64_MAX));
  assert_true(mb_loop_turn(of->loop, 9000));
  assert_true(of->fake.now == 9000);
}

static void deadline_of_a_turn_is_kept(void **state) {
  bench *of = *state;
  note late = {of, "l", NULL, 0, {0}, 0};
  mb_loop_timer(of->loop, 50000, write_note, &late);
  assert_true(mb_loop_turn(of->loop, 20000));
  assert_true(of->fake.now == 20000);
  assert_string_equal(of->log, "");
}

static void answers_come_in_virtual_time(void **state) {
  bench *of = *state;
  note got = {.of = of};
  mb_loop_counts counts;
  of->fake.delay = 7000;
  of->fake.body_size = 3;
  assert_non_null(
      mb_loop_transfer(of->loop, of->arena, &of->request, NULL, keep_result, &got, NULL));
  assert_int_equal(got.calls, 0);
  turn_to_the_end(of);
  assert_int_equal(got.calls, 1);
  assert_int_equal(got.result.failed, 0);
  assert_int_equal(got.result.response.status, 200);
  assert_int_equal(got.result.response.body_size, 3);
  assert_true(of->fake.now == 8000);
  mb_loop_get_counts(of->loop, &counts);
  assert_true(counts.requests == 1 && counts.connections == 0);
}

static void deadline_ends_a_transfer(void **state) {
  bench *of = *state;
  note got = {.of = of};
  mb_transfer_options options = {.deadline_ns = 5000};
  of->fake.delay = 7000;
  mb_loop_transfer(of->loop, of->arena, &of->request, &options, keep_result, &got, NULL);
  turn_to_the_end(of);
  assert_int_equal(got.calls, 1);
  assert_int_equal(got.result.error.kind, MB_ERROR_TIMEOUT);
  assert_string_equal(got.result.error.code, "DeadlinePassed");
  assert_int_equal(of->fake.cancelled, 1);
  assert_true(of->fake.now == 5000);
}

static void silence_ends_a_transfer(void **state) {
  bench *of = *state;
  note got = {.of = of};
  mb_transfer_options options = {.idle_timeout_ms = 2000};
  of->fake.delay = -1;
  mb_loop_transfer(of->loop, of->arena, &of->request, &options, keep_result, &got, NULL);
  turn_to_the_end(of);
  assert_int_equal(got.result.error.kind, MB_ERROR_TIMEOUT);
  assert_true(of->fake.now == 1000 + 2000 * (int64_t)1000000);
}

static void cancelled_transfer_calls_nobody(void **state) {
  bench *of = *state;
  note got = {.of = of};
  mb_transfer *transfer =
      mb_loop_transfer(of->loop, of->arena, &of->request, NULL, keep_result, &got, NULL);
  mb_transfer_cancel(transfer);
  assert_false(mb_loop_turn(of->loop, INT64_MAX));
  assert_int_equal(got.calls, 0);
  assert_int_equal(of->fake.cancelled, 1);
}

static void refused_request_is_told_from_the_next_turn(void **state) {
  bench *of = *state;
  note got = {.of = of};
  of->fake.refuse = true;
  assert_non_null(
      mb_loop_transfer(of->loop, of->arena, &of->request, NULL, keep_result, &got, NULL));
  assert_int_equal(got.calls, 0);
  turn_to_the_end(of);
  assert_int_equal(got.result.error.kind, MB_ERROR_NETWORK);
}

static void limit_holds_for_transports_too(void **state) {
  bench *of = *state;
  note got = {.of = of};
  mb_transfer_options options = {.response_limit = 10};
  of->fake.body_size = 11;
  mb_loop_transfer(of->loop, of->arena, &of->request, &options, keep_result, &got, NULL);
  turn_to_the_end(of);
  assert_int_equal(got.result.error.kind, MB_ERROR_LIMIT);
}

static void loop_ends_with_things_under_way(void **state) {
  bench *of = *state;
  note got = {.of = of};
  of->fake.delay = -1;
  mb_loop_transfer(of->loop, of->arena, &of->request, NULL, keep_result, &got, NULL);
  mb_loop_timer(of->loop, 5000, write_note, &got);
  mb_loop_free(of->loop);
  assert_int_equal(of->fake.cancelled, 1);
  of->loop = mb_loop_new(&of->system, NULL);
}

/* ---- the real clock ---- */

static mb_loop *signalled;

static void wake_from_signal(int number) {
  (void)number;
  mb_loop_wake(signalled);
}

static void *wake_from_thread(void *payload) {
  mb_loop_wake(payload);
  return NULL;
}

static void wake_ends_a_wait(void **state) {
  mb_system system;
  pthread_t thread;
  (void)state;
  mb_system_complete(&system, NULL);
  mb_loop *loop = mb_loop_new(&system, NULL);
  int64_t far = mb_loop_now(loop) + (int64_t)3600 * 1000000000;
  mb_loop_wake(loop); /* before the wait */
  assert_true(mb_loop_turn(loop, far));
  pthread_create(&thread, NULL, wake_from_thread, loop);
  assert_true(mb_loop_turn(loop, far));
  pthread_join(thread, NULL);
  signalled = loop;
  struct sigaction action = {.sa_handler = wake_from_signal};
  struct sigaction before;
  sigaction(SIGALRM, &action, &before);
  alarm(1);
  assert_true(mb_loop_turn(loop, far));
  sigaction(SIGALRM, &before, NULL);
  assert_true(mb_loop_now(loop) < far);
  mb_loop_free(loop);
}

static int use_loop(void *payload) {
  fake machine = {.now = 1000};
  mb_transport transport = {&machine, fake_start, fake_cancel, fake_wait};
  mb_system given = {.payload = &machine, .monotonic_ns = fake_now, .transport = &transport};
  mb_system system;
  bench *of = payload;
  note got = {.of = of};
  mb_system_complete(&system, &given);
  mb_arena *arena = mb_arena_new(0);
  mb_loop *loop = arena ? mb_loop_new(&system, NULL) : NULL;
  int result = loop ? 0 : -1;
  for (int i = 0; i < 20 && result == 0; i++) {
    got.text = "";
    result = mb_loop_timer(loop, 2000, write_note, &got) ? 0 : -1;
  }
  mb_transfer *transfer = NULL;
  if (result == 0) {
    transfer = mb_loop_transfer(loop, arena, &of->request, NULL, keep_result, &got, NULL);
  }
  result = transfer ? 0 : -1;
  if (loop) {
    mb_loop_free(loop);
  }
  mb_arena_free(arena);
  return result;
}

static void every_allocation_may_fail(void **state) {
  check_allocation_failures(use_loop, *state);
}

#define with_bench(name) cmocka_unit_test_setup_teardown(name, make_bench, drop_bench)

int main(void) {
  const struct CMUnitTest tests[] = {
      with_bench(timers_fire_in_order_of_time_then_age),
      with_bench(cancelled_timers_do_not_fire),
      with_bench(timers_of_many_sizes_stay_sorted),
      with_bench(timer_that_sets_itself_again_lets_others_run),
      with_bench(idle_loop_says_so),
      with_bench(deadline_of_a_turn_is_kept),
      with_bench(answers_come_in_virtual_time),
      with_bench(deadline_ends_a_transfer),
      with_bench(silence_ends_a_transfer),
      with_bench(cancelled_transfer_calls_nobody),
      with_bench(refused_request_is_told_from_the_next_turn),
      with_bench(limit_holds_for_transports_too),
      with_bench(loop_ends_with_things_under_way),
      cmocka_unit_test(wake_ends_a_wait),
      with_bench(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
