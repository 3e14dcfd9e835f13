/* Transfers over libcurl, against a server on the loopback. */
#include "base/arena.h"
#include "loop/loop.h"
#include "unit/check.h"
#include "unit/loop/server.h"

typedef struct bench {
  server server;
  mb_system system;
  mb_loop *loop;
} bench;

static int make_bench(void **state) {
  bench *of = calloc(1, sizeof *of);
  *state = of;
  mb_system_complete(&of->system, NULL);
  of->loop = mb_loop_new(&of->system, NULL);
  return of->loop && server_start(&of->server) ? 0 : -1;
}

static int drop_bench(void **state) {
  bench *of = *state;
  mb_loop_free(of->loop);
  server_stop(&of->server);
  free(of);
  return 0;
}

typedef struct exchange {
  mb_arena *arena;
  mb_http_request request;
  mb_transfer_options options;
  mb_transfer *transfer;
  mb_transfer_result result;
  int calls;
} exchange;

static void keep_result(const mb_transfer_result *result, void *payload) {
  exchange *of = payload;
  of->result = *result;
  of->calls++;
}

static void prepare(bench *with, exchange *of, const char *method, const char *path) {
  memset(of, 0, sizeof *of);
  of->arena = mb_arena_new(0);
  of->request.method = method;
  of->request.url = mb_arena_printf(of->arena, "http://127.0.0.1:%d%s", with->server.port, path);
}

static void start(bench *with, exchange *of) {
  mb_error error = {0};
  of->transfer =
      mb_loop_transfer(with->loop, of->arena, &of->request, &of->options, keep_result, of, &error);
  if (!of->transfer) {
    fail_msg("%s", error.message);
  }
}

static void finish(bench *with, exchange *of) {
  while (of->calls == 0) {
    assert_true(mb_loop_turn(with->loop, INT64_MAX));
  }
  assert_int_equal(of->calls, 1);
}

static void run(bench *with, exchange *of, const char *method, const char *path) {
  prepare(with, of, method, path);
  start(with, of);
  finish(with, of);
}

static void check_error(bench *with, const char *path, mb_error_kind kind, const char *text) {
  exchange of;
  run(with, &of, "GET", path);
  assert_int_equal(of.result.failed, -1);
  assert_int_equal(of.result.error.kind, kind);
  assert_non_null(strstr(of.result.error.message, text));
  assert_true(of.result.sent);
  assert_int_equal(of.result.response.status, 0);
  assert_string_equal(of.result.response.body, "");
  mb_arena_free(of.arena);
}

static mb_loop_counts counts_of(bench *with) {
  mb_loop_counts counts;
  mb_loop_get_counts(with->loop, &counts);
  return counts;
}

static void answer_arrives_whole(void **state) {
  exchange of;
  run(*state, &of, "GET", "/ok");
  assert_int_equal(of.result.failed, 0);
  assert_true(of.result.sent);
  assert_int_equal(of.result.response.status, 200);
  assert_string_equal(of.result.response.body, "hello");
  assert_int_equal(of.result.response.body_size, 5);
  assert_string_equal(mb_headers_get(&of.result.response.headers, "x-test"), "yes");
  mb_arena_free(of.arena);
}

static void large_answer_arrives_whole(void **state) {
  exchange of;
  run(*state, &of, "GET", "/large");
  assert_int_equal(of.result.response.body_size, 3000000);
  for (size_t i = 0; i < of.result.response.body_size; i++) {
    assert_int_equal(of.result.response.body[i], 'L');
  }
  assert_int_equal(of.result.response.body[3000000], 0);
  mb_arena_free(of.arena);
}

static void request_goes_out_as_it_was_built(void **state) {
  bench *with = *state;
  exchange of;
  char body[20000];
  memset(body, 'b', sizeof body);
  prepare(with, &of, "PUT", "/echo/../a/./b%2Fc//d?x=%20&y");
  of.request.body = body;
  of.request.body_size = sizeof body;
  mb_headers_add(of.arena, &of.request.headers, "X-Amz-Date", "now");
  mb_headers_add(of.arena, &of.request.headers, "X-Empty", "");
  mb_headers_add(of.arena, &of.request.headers, "Content-Length", "20000");
  start(with, &of);
  finish(with, &of);
  assert_int_equal(of.result.failed, 0);
  const char *sent = of.result.response.body;
  static const char line[] = "PUT /echo/../a/./b%2Fc//d?x=%20&y HTTP/1.1\r\n";
  assert_memory_equal(sent, line, sizeof line - 1);
  assert_non_null(strstr(sent, "\r\nX-Amz-Date: now\r\n"));
  assert_non_null(strstr(sent, "\r\nX-Empty:\r\n"));
  assert_non_null(strstr(sent, "\r\nContent-Length: 20000\r\n"));
  assert_null(strstr(sent, "Content-Type"));
  assert_null(strstr(sent, "Expect"));
  assert_null(strstr(sent, "Accept"));
  assert_int_equal(strlen(strstr(sent, "\r\n\r\n") + 4), 20000);
  mb_arena_free(of.arena);
}

/* One handle serves all of these in turn; nothing of one may stick to the next. */
static void methods_do_not_stick(void **state) {
  static const char *const methods[] = {"POST", "GET", "HEAD", "DELETE",
                                        "PUT",  "GET", "POST", "PATCH"};
  bench *with = *state;
  for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
    exchange of;
    bool head = strcmp(methods[i], "HEAD") == 0;
    prepare(with, &of, methods[i], head ? "/head" : "/echo");
    if (i == 0) {
      of.request.body = "payload";
      of.request.body_size = 7;
    }
    start(with, &of);
    finish(with, &of);
    assert_int_equal(of.result.failed, 0);
    assert_int_equal(of.result.response.status, 200);
    if (head) {
      assert_int_equal(of.result.response.body_size, 0);
    } else {
      size_t size = strlen(methods[i]);
      assert_memory_equal(of.result.response.body, methods[i], size);
      assert_int_equal(of.result.response.body[size], ' ');
      assert_int_equal(strstr(of.result.response.body, "payload") != NULL, i == 0);
    }
    mb_arena_free(of.arena);
  }
  assert_true(counts_of(with).connections == 1);
}

static void calls_one_by_one_share_one_connection(void **state) {
  bench *with = *state;
  for (int i = 0; i < 1000; i++) {
    exchange of;
    run(with, &of, "POST", "/ok");
    assert_int_equal(of.result.failed, 0);
    mb_arena_free(of.arena);
  }
  assert_true(counts_of(with).requests == 1000);
  assert_true(counts_of(with).connections == 1);
  assert_true(counts_of(with).resent == 0);
  assert_int_equal(with->server.connections, 1);
}

static void calls_at_once_open_no_more_connections_than_calls(void **state) {
  enum { COUNT = 32 };
  bench *with = *state;
  static exchange calls[COUNT];
  for (int round = 0; round < 5; round++) {
    for (int i = 0; i < COUNT; i++) {
      prepare(with, &calls[i], "GET", "/ok");
      start(with, &calls[i]);
    }
    for (int i = 0; i < COUNT; i++) {
      finish(with, &calls[i]);
      assert_int_equal(calls[i].result.failed, 0);
      mb_arena_free(calls[i].arena);
    }
  }
  assert_true(counts_of(with).connections <= COUNT);
  assert_true(counts_of(with).requests == 5 * COUNT);
}

static void dead_connection_is_replaced(void **state) {
  bench *with = *state;
  for (int i = 0; i < 10; i++) {
    exchange of;
    run(with, &of, "GET", "/once");
    assert_int_equal(of.result.failed, 0);
    assert_string_equal(of.result.response.body, "once");
    mb_arena_free(of.arena);
  }
  assert_int_equal(atomic_load(&with->server.requests), 10);
}

static void refused_connection_is_named(void **state) {
  bench *with = *state;
  exchange of;
  prepare(with, &of, "GET", "/");
  of.request.url = "http://127.0.0.1:1/path?secret=x";
  start(with, &of);
  finish(with, &of);
  assert_int_equal(of.result.error.kind, MB_ERROR_NETWORK);
  assert_string_equal(of.result.error.message, "connection refused by 127.0.0.1:1");
  assert_string_equal(of.result.error.endpoint, "http://127.0.0.1:1/path");
  assert_true(of.result.error.retryable);
  assert_false(of.result.sent);
  assert_true(strlen(of.result.error.next) > 0);
  mb_arena_free(of.arena);
}

static void unusable_urls_are_refused(void **state) {
  static const char *const urls[] = {"ftp://127.0.0.1/x", "file:///etc/passwd",
                                     "http://",           "",
                                     "http://a b/",       "http://user:word@127.0.0.1:1/"};
  bench *with = *state;
  for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
    exchange of;
    prepare(with, &of, "GET", "/");
    of.request.url = urls[i];
    start(with, &of);
    finish(with, &of);
    assert_int_equal(of.result.failed, -1);
    assert_int_equal(of.result.error.kind, MB_ERROR_NETWORK);
    assert_false(of.result.sent);
    mb_arena_free(of.arena);
  }
}

static void closing_without_an_answer_is_an_error(void **state) {
  check_error(*state, "/close", MB_ERROR_NETWORK, "closed the connection without an answer");
}

static void truncated_answers_are_errors(void **state) {
  check_error(*state, "/truncate", MB_ERROR_NETWORK, "before the answer was complete");
  check_error(*state, "/cut-chunk", MB_ERROR_NETWORK, "before the answer was complete");
}

static void garbage_is_not_http(void **state) {
  check_error(*state, "/garbage", MB_ERROR_NETWORK, "not HTTP");
}

static void announced_size_is_refused_at_once(void **state) {
  check_error(*state, "/announced", MB_ERROR_LIMIT, "larger than 67108864 bytes");
}

static void endless_body_is_bounded(void **state) {
  bench *with = *state;
  exchange of;
  prepare(with, &of, "GET", "/endless");
  of.options.response_limit = 100000;
  start(with, &of);
  finish(with, &of);
  assert_int_equal(of.result.error.kind, MB_ERROR_LIMIT);
  assert_true(mb_arena_used(of.arena) < 1000000);
  mb_arena_free(of.arena);
}

static void endless_headers_are_bounded(void **state) {
  bench *with = *state;
  exchange of;
  run(with, &of, "GET", "/headers");
  assert_int_equal(of.result.failed, -1);
  assert_int_equal(of.result.error.kind, MB_ERROR_LIMIT);
  assert_true(mb_arena_used(of.arena) < 2000000);
  mb_arena_free(of.arena);
}

static void full_arena_is_an_error_of_memory(void **state) {
  bench *with = *state;
  exchange of;
  prepare(with, &of, "GET", "/large");
  mb_arena_free(of.arena);
  of.arena = mb_arena_new(500000);
  of.request.url = mb_arena_printf(of.arena, "http://127.0.0.1:%d/large", with->server.port);
  start(with, &of);
  finish(with, &of);
  assert_int_equal(of.result.error.kind, MB_ERROR_MEMORY);
  mb_arena_free(of.arena);
}

static void deadline_ends_a_hanging_call(void **state) {
  bench *with = *state;
  exchange of;
  prepare(with, &of, "GET", "/hang");
  of.options.deadline_ns = mb_loop_now(with->loop) + 200 * 1000000;
  start(with, &of);
  finish(with, &of);
  assert_int_equal(of.result.error.kind, MB_ERROR_TIMEOUT);
  assert_string_equal(of.result.error.code, "DeadlinePassed");
  assert_true(mb_loop_now(with->loop) >= of.options.deadline_ns);
  mb_arena_free(of.arena);
}

static void silence_ends_a_hanging_call(void **state) {
  bench *with = *state;
  exchange of;
  prepare(with, &of, "GET", "/hang");
  of.options.idle_timeout_ms = 200;
  start(with, &of);
  finish(with, &of);
  assert_int_equal(of.result.error.kind, MB_ERROR_TIMEOUT);
  assert_non_null(strstr(of.result.error.message, "silent for 0.2 seconds"));
  assert_true(of.result.sent);
  mb_arena_free(of.arena);
}

static void cancelled_call_calls_nobody(void **state) {
  bench *with = *state;
  exchange hanging;
  exchange other;
  prepare(with, &hanging, "GET", "/hang");
  start(with, &hanging);
  run(with, &other, "GET", "/ok");
  mb_transfer_cancel(hanging.transfer);
  assert_false(mb_loop_turn(with->loop, INT64_MAX));
  assert_int_equal(hanging.calls, 0);
  mb_arena_free(hanging.arena);
  mb_arena_free(other.arena);
  run(with, &other, "GET", "/ok"); /* the handle serves again */
  assert_int_equal(other.result.failed, 0);
  mb_arena_free(other.arena);
}

static void cancel_from_a_callback(const mb_transfer_result *result, void *payload) {
  exchange *of = payload;
  keep_result(result, of);
  mb_transfer_cancel(of[1].transfer);
}

static void calls_may_be_cancelled_from_callbacks(void **state) {
  bench *with = *state;
  exchange calls[2];
  prepare(with, &calls[0], "GET", "/ok");
  prepare(with, &calls[1], "GET", "/hang");
  start(with, &calls[1]);
  assert_non_null(mb_loop_transfer(with->loop, calls[0].arena, &calls[0].request, NULL,
                                   cancel_from_a_callback, &calls[0], NULL));
  finish(with, &calls[0]);
  assert_false(mb_loop_turn(with->loop, INT64_MAX));
  assert_int_equal(calls[1].calls, 0);
  mb_arena_free(calls[0].arena);
  mb_arena_free(calls[1].arena);
}

static void loop_ends_with_calls_under_way(void **state) {
  bench *with = *state;
  exchange of;
  prepare(with, &of, "GET", "/hang");
  start(with, &of);
  mb_loop_turn(with->loop, mb_loop_now(with->loop));
  mb_loop_free(with->loop);
  assert_int_equal(of.calls, 0);
  mb_arena_free(of.arena);
  with->loop = mb_loop_new(&with->system, NULL);
}

static void redirects_are_followed_only_on_demand(void **state) {
  bench *with = *state;
  exchange of;
  run(with, &of, "GET", "/redirect");
  assert_int_equal(of.result.response.status, 302);
  assert_string_equal(of.result.response.body, "old");
  mb_arena_free(of.arena);
  prepare(with, &of, "GET", "/redirect");
  of.options.follow_redirects = true;
  start(with, &of);
  finish(with, &of);
  assert_int_equal(of.result.response.status, 200);
  assert_string_equal(of.result.response.body, "hello");
  assert_null(mb_headers_get(&of.result.response.headers, "X-First"));
  assert_true(counts_of(with).resent == 0);
  mb_arena_free(of.arena);
}

static void interim_answers_leave_nothing(void **state) {
  exchange of;
  run(*state, &of, "GET", "/interim");
  assert_int_equal(of.result.response.status, 200);
  assert_string_equal(of.result.response.body, "hi");
  assert_null(mb_headers_get(&of.result.response.headers, "X-Hint"));
  mb_arena_free(of.arena);
}

static void trailer_does_not_pass_for_a_status(void **state) {
  exchange of;
  run(*state, &of, "GET", "/trailer");
  assert_int_equal(of.result.failed, 0);
  assert_int_equal(of.result.response.status, 200);
  mb_arena_free(of.arena);
}

static const char *proxy_environment(void *payload, const char *name) {
  return strcmp(name, "http_proxy") == 0 ? payload : NULL;
}

static void proxy_comes_from_the_given_environment(void **state) {
  bench *with = *state;
  char proxy[64];
  exchange of;
  snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", with->server.port);
  mb_system given = {.payload = proxy, .getenv = proxy_environment};
  mb_system system;
  mb_system_complete(&system, &given);
  mb_loop *own = with->loop;
  with->loop = mb_loop_new(&system, NULL);
  prepare(with, &of, "GET", "/");
  of.request.url = "http://service.invalid/echo";
  start(with, &of);
  finish(with, &of);
  /* The server takes what follows the first space for the path, so it closes without an answer. */
  assert_string_equal(of.result.error.code, "NoAnswer");
  mb_arena_free(of.arena);
  prepare(with, &of, "GET", "/ok");
  of.options.no_proxy = true;
  start(with, &of);
  finish(with, &of);
  assert_string_equal(of.result.response.body, "hello");
  mb_arena_free(of.arena);
  mb_loop_free(with->loop);
  with->loop = own;
}

static int exchange_once(void *payload) {
  bench *with = payload;
  mb_loop *loop = mb_loop_new(&with->system, NULL);
  mb_arena *arena = mb_arena_new(0);
  exchange of = {.arena = arena, .request = {.method = "GET"}};
  int result = -1;
  if (loop && arena) {
    of.request.url = mb_arena_printf(arena, "http://127.0.0.1:%d/ok", with->server.port);
    if (of.request.url &&
        mb_loop_transfer(loop, arena, &of.request, NULL, keep_result, &of, NULL)) {
      while (of.calls == 0) {
        assert_true(mb_loop_turn(loop, INT64_MAX));
      }
      result = of.result.failed;
    }
  }
  mb_loop_free(loop);
  mb_arena_free(arena);
  return result;
}

/* Not only our own allocations: libcurl's come from the same place. */
static void every_allocation_may_fail(void **state) {
  assert_int_equal(exchange_once(*state), 0); /* libcurl is loaded */
  check_allocation_failures(exchange_once, *state);
}

#define with_bench(name) cmocka_unit_test_setup_teardown(name, make_bench, drop_bench)

int main(void) {
  const struct CMUnitTest tests[] = {
      with_bench(answer_arrives_whole),
      with_bench(large_answer_arrives_whole),
      with_bench(request_goes_out_as_it_was_built),
      with_bench(methods_do_not_stick),
      with_bench(calls_one_by_one_share_one_connection),
      with_bench(calls_at_once_open_no_more_connections_than_calls),
      with_bench(dead_connection_is_replaced),
      with_bench(refused_connection_is_named),
      with_bench(unusable_urls_are_refused),
      with_bench(closing_without_an_answer_is_an_error),
      with_bench(truncated_answers_are_errors),
      with_bench(garbage_is_not_http),
      with_bench(announced_size_is_refused_at_once),
      with_bench(endless_body_is_bounded),
      with_bench(endless_headers_are_bounded),
      with_bench(full_arena_is_an_error_of_memory),
      with_bench(deadline_ends_a_hanging_call),
      with_bench(silence_ends_a_hanging_call),
      with_bench(cancelled_call_calls_nobody),
      with_bench(calls_may_be_cancelled_from_callbacks),
      with_bench(loop_ends_with_calls_under_way),
      with_bench(redirects_are_followed_only_on_demand),
      with_bench(interim_answers_leave_nothing),
      with_bench(trailer_does_not_pass_for_a_status),
      with_bench(proxy_comes_from_the_given_environment),
      with_bench(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
