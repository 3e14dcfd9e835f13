/* http.get against a network that is not there: results, limits, what it refuses to reach. */
#include "call/call.h"
#include "support/fake_transport.h"
#include "support/sweep.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

typedef struct stage {
  fake_machine fake;
  mb_engine engine;
  mb_arena *arena;
  int ends;
  bool failed;
  mb_error error;
  const mb_value *result;
} stage;

static int set_up(void **state) {
  static stage s;
  mb_error error;
  memset(&s, 0, sizeof s);
  fake_init(&s.fake);
  s.arena = mb_arena_new(0);
  *state = &s;
  return mb_engine_init(&s.engine, &s.fake.system, NULL, 0, &error) == 0 && s.arena ? 0 : -1;
}

static int tear_down(void **state) {
  stage *s = *state;
  mb_engine_dispose(&s->engine);
  mb_arena_free(s->arena);
  fake_dispose(&s->fake);
  return 0;
}

static void on_end(mb_call *call, const mb_value *result, const mb_error *error, void *payload) {
  stage *s = payload;
  s->ends++;
  s->failed = error != NULL;
  s->result = result;
  if (error)
    s->error = *error;
}

static const mb_value *json(stage *s, const char *text) {
  mb_value *value;
  mb_error error;
  assert_int_equal(mb_value_from_json(s->arena, &value, text, strlen(text), &error), 0);
  return value;
}

static void get(stage *s, const char *args) {
  mb_error error;
  const mb_binding *binding = mb_engine_find(&s->engine, "http.get", &error);
  const mb_value *value = json(s, args);
  mb_call_options options = {.on_end = on_end, .payload = s};
  assert_non_null(binding);
  if (mb_call_check(&s->engine, binding, s->arena, value, &error) != 0)
    fail_msg("%s", error.message);
  s->ends = 0;
  mb_error_clear(&s->error);
  mb_call_start(&s->engine, binding, s->arena, value, &options);
  while (s->ends == 0 && mb_loop_turn(s->engine.loop, INT64_MAX)) {
  }
  assert_int_equal(s->ends, 1);
}

static void play(stage *s, const fake_step *steps, size_t count) {
  fake_forget_requests(&s->fake);
  fake_play(&s->fake, steps, count);
}

static void expect_refusal(stage *s, const char *args, const char *code) {
  fake_forget_requests(&s->fake);
  get(s, args);
  assert_true(s->failed);
  assert_int_equal(s->error.kind, MB_ERROR_REFUSED);
  assert_string_equal(s->error.code, code);
  assert_string_equal(s->error.operation, "http.get");
  assert_int_equal(s->fake.request_count, 0);
}

static const char *text_of(stage *s, const char *key) {
  return mb_value_string(mb_map_get(s->result, key));
}

/* ---- results ---- */

static void an_answer_is_a_result(void **state) {
  stage *s = *state;
  static const fake_step steps[] = {{.status = 200,
                                     .body = "{\"ok\":true}",
                                     .headers = "Content-Type: application/json\nX-A: 1\nx-a: 2"}};
  play(s, steps, 1);
  s->fake.latency_ns = 250000000;
  get(s, "{\"url\":\"http://Example.com/health\",\"headers\":{\"X-Probe\":\"moonbook\"}}");
  assert_false(s->failed);
  assert_int_equal(mb_value_integer(mb_map_get(s->result, "status")), 200);
  assert_string_equal(text_of(s, "body"), "{\"ok\":true}");
  assert_string_equal(text_of(s, "url"), "http://example.com/health");
  assert_false(mb_value_boolean(mb_map_get(s->result, "truncated")));
  assert_true(mb_value_number(mb_map_get(s->result, "seconds")) == 0.25);
  const mb_value *headers = mb_map_get(s->result, "headers");
  assert_string_equal(mb_value_string(mb_map_get(headers, "content-type")), "application/json");
  assert_string_equal(mb_value_string(mb_map_get(headers, "x-a")), "1, 2");
  assert_string_equal(s->fake.requests[0].url, "http://example.com/health");
  assert_string_equal(s->fake.requests[0].method, "GET");
  assert_string_equal(fake_header(&s->fake.requests[0], "X-Probe"), "moonbook");
}

static void an_error_status_is_a_result(void **state) {
  stage *s = *state;
  static const fake_step steps[] = {{.status = 503, .body = "down", .forever = true}};
  play(s, steps, 1);
  get(s, "{\"url\":\"http://example.com/\"}");
  assert_false(s->failed);
  assert_int_equal(mb_value_integer(mb_map_get(s->result, "status")), 503);
}

static void an_unexpected_status_is_an_error_when_asked_for(void **state) {
  stage *s = *state;
  static const fake_step steps[] = {{.status = 503, .body = "down \x1b[31m", .forever = true}};
  play(s, steps, 1);
  get(s, "{\"url\":\"http://example.com/\",\"expect_status\":503}");
  assert_false(s->failed);
  get(s, "{\"url\":\"http://example.com/\",\"expect_status\":200}");
  assert_true(s->failed);
  assert_string_equal(s->error.code, "UnexpectedStatus");
  assert_int_equal(s->error.status, 503);
  assert_non_null(strstr(s->error.message, "answered 503, expected 200"));
  assert_null(strchr(s->error.message, '\x1b'));
}

static void a_failed_connection_is_an_error(void **state) {
  stage *s = *state;
  static const fake_step steps[] = {{.failure = MB_ERROR_NETWORK, .code = "ConnectionRefused"}};
  play(s, steps, 1);
  get(s, "{\"url\":\"http://example.com/\"}");
  assert_true(s->failed);
  assert_int_equal(s->error.kind, MB_ERROR_NETWORK);
  assert_true(s->error.retryable);
  assert_string_equal(s->error.endpoint, "http://example.com/");
}

static void silence_ends_at_the_timeout(void **state) {
  stage *s = *state;
  static const fake_step steps[] = {{.silence = true}};
  play(s, steps, 1);
  int64_t before = s->fake.monotonic_ns;
  get(s, "{\"url\":\"http://example.com/\",\"timeout\":\"5s\"}");
  assert_int_equal(s->error.kind, MB_ERROR_TIMEOUT);
  assert_true(s->fake.monotonic_ns - before == INT64_C(5000000000));
  assert_int_equal(s->fake.cancelled, 1);
}

static void a_long_body_is_cut(void **state) {
  stage *s = *state;
  static char body[300 << 10];
  memset(body, 'a', sizeof body - 1);
  memcpy(body + (256 << 10) - 1, "\xc3\xa4", 2); /* stands across the limit */
  const fake_step steps[] = {{.status = 200, .body = body}};
  play(s, steps, 1);
  get(s, "{\"url\":\"http://example.com/\"}");
  assert_false(s->failed);
  assert_true(mb_value_boolean(mb_map_get(s->result, "truncated")));
  size_t size;
  mb_value_bytes(mb_map_get(s->result, "body"), &size);
  assert_int_equal(size, (256 << 10) - 1);
  assert_int_equal(mb_value_type(mb_map_get(s->result, "body")), MB_TYPE_STRING);
}

static void bytes_that_are_no_text_stay_bytes(void **state) {
  stage *s = *state;
  static const fake_step steps[] = {{.status = 200, .body = "\xff\xfe\x80"}};
  play(s, steps, 1);
  get(s, "{\"url\":\"http://example.com/\"}");
  assert_int_equal(mb_value_type(mb_map_get(s->result, "body")), MB_TYPE_BLOB);
}

/* ---- what may be reached ---- */

static void only_named_hosts_are_reached(void **state) {
  stage *s = *state;
  static const fake_step steps[] = {{.status = 200, .body = "", .forever = true}};
  fake_play(&s->fake, steps, 1);
  mb_engine_set_hosts(&s->engine, json(s, "[\"example.com\",\"*.example.org\"]"));
  get(s, "{\"url\":\"http://example.com/\"}");
  assert_false(s->failed);
  get(s, "{\"url\":\"https://a.example.org/\"}");
  assert_false(s->failed);
  expect_refusal(s, "{\"url\":\"http://example.net/\"}", "HostNotAllowed");
  assert_non_null(strstr(s->error.message, "hosts"));
  expect_refusal(s, "{\"url\":\"http://example.com.example.net/\"}", "HostNotAllowed");
  mb_engine_set_hosts(&s->engine, json(s, "[]"));
  expect_refusal(s, "{\"url\":\"http://example.com/\"}", "HostNotAllowed");
  mb_engine_set_hosts(&s->engine, json(s, "{\"a\":1}"));
  expect_refusal(s, "{\"url\":\"http://example.com/\"}", "HostNotAllowed");
}

static void metadata_addresses_are_never_reached(void **state) {
  stage *s = *state;
  static const fake_step steps[] = {{.status = 200, .body = "", .forever = true}};
  fake_play(&s->fake, steps, 1);
  mb_engine_set_hosts(&s->engine, json(s, "[\"169.254.169.254\",\"*.internal\",\"localhost\"]"));
  expect_refusal(s, "{\"url\":\"http://169.254.169.254/latest/meta-data/\"}", "AddressRefused");
  expect_refusal(s, "{\"url\":\"http://2852039166/\"}", "AddressRefused");
  mb_engine_set_hosts(&s->engine, NULL);
  expect_refusal(s, "{\"url\":\"http://169.254.170.2/v2/credentials/x\"}", "AddressRefused");
  expect_refusal(s, "{\"url\":\"http://[fd00:ec2::23]/v1/credentials\"}", "AddressRefused");
}

static void the_credentials_endpoint_is_never_reached(void **state) {
  stage *s = *state;
  static const fake_step steps[] = {{.status = 200, .body = "", .forever = true}};
  fake_play(&s->fake, steps, 1);
  fake_setenv(&s->fake, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9911/creds");
  expect_refusal(s, "{\"url\":\"http://127.0.0.1:9911/creds\"}", "AddressRefused");
  expect_refusal(s, "{\"url\":\"http://127.1:9911/other\"}", "AddressRefused");
  get(s, "{\"url\":\"http://127.0.0.1:9912/\"}");
  assert_false(s->failed);
}

/* ---- redirects ---- */

static void a_redirect_is_a_result_unless_asked_for(void **state) {
  stage *s = *state;
  static const fake_step steps[] = {
      {.status = 302, .body = "", .headers = "Location: http://169.254.169.254/"}};
  play(s, steps, 1);
  get(s, "{\"url\":\"http://example.com/\"}");
  assert_false(s->failed);
  assert_int_equal(mb_value_integer(mb_map_get(s->result, "status")), 302);
  assert_int_equal(s->fake.request_count, 1);
}

static void headers_stay_with_their_origin(void **state) {
  stage *s = *state;
  static const fake_step steps[] = {
      {.status = 301, .body = "", .headers = "Location: /there"},
      {.status = 307, .body = "", .headers = "Location: https://other.com/x"},
      {.status = 200, .body = "end"}};
  play(s, steps, 3);
  get(s, "{\"url\":\"https://example.com/a\",\"follow_redirects\":true,"
         "\"headers\":{\"Authorization\":\"Bearer canary\"}}");
  assert_false(s->failed);
  assert_string_equal(text_of(s, "body"), "end");
  assert_string_equal(text_of(s, "url"), "https://other.com/x");
  assert_int_equal(s->fake.request_count, 3);
  assert_non_null(fake_header(&s->fake.requests[0], "Authorization"));
  assert_string_equal(s->fake.requests[1].url, "https://example.com/there");
  assert_non_null(fake_header(&s->fake.requests[1], "Authorization"));
  assert_null(fake_header(&s->fake.requests[2], "Authorization"));
}

static void redirect_to(stage *s, const char *headers, const char *code) {
  const fake_step steps[] = {{.status = 302, .body = "", .headers = headers, .forever = true}};
  play(s, steps, 1);
  get(s, "{\"url\":\"https://example.com/\",\"follow_redirects\":true}");
  assert_true(s->failed);
  assert_string_equal(s->error.code, code);
}

static void each_hop_is_judged(void **state) {
  stage *s = *state;
  mb_engine_set_hosts(&s->engine, json(s, "[\"example.com\"]"));
  redirect_to(s, "Location: https://169.254.169.254/latest", "AddressRefused");
  assert_int_equal(s->fake.request_count, 1);
  redirect_to(s, "Location: https://evil.com/", "HostNotAllowed");
  assert_int_equal(s->fake.request_count, 1);
  redirect_to(s, "Location: http://example.com/", "InsecureRedirect");
  redirect_to(s, "Location: file:///etc/passwd", "BadUrl");
  redirect_to(s, "Location: /again", "TooManyRedirects");
  assert_int_equal(s->fake.request_count, 6);
}

/* ---- requests ---- */

static void refuse_header(stage *s, const char *headers) {
  char args[512] = "{\"url\":\"http://example.com/\",\"headers\":";
  strcat(args, headers);
  strcat(args, "}");
  fake_forget_requests(&s->fake);
  get(s, args);
  assert_true(s->failed);
  assert_int_equal(s->error.kind, MB_ERROR_USAGE);
  assert_string_equal(s->error.code, "BadHeader");
  assert_int_equal(s->fake.request_count, 0);
}

static void headers_cannot_smuggle(void **state) {
  refuse_header(*state, "{\"X-A\":\"1\\r\\nHost: evil\"}");
  refuse_header(*state, "{\"X-A\":\"1\\nX-B: 2\"}");
  refuse_header(*state, "{\"X-A\":\"1\\u0000\"}");
  refuse_header(*state, "{\"X-A\\r\\nX-B\":\"1\"}");
  refuse_header(*state, "{\"X A\":\"1\"}");
  refuse_header(*state, "{\"\":\"1\"}");
  refuse_header(*state, "{\"X-A\":1}");
  refuse_header(*state, "{\"hOsT\":\"internal.example.com\"}");
  refuse_header(*state, "{\"Content-Length\":\"5\"}");
  refuse_header(*state, "{\"transfer-encoding\":\"chunked\"}");
  refuse_header(*state, "{\"PROXY-Authorization\":\"x\"}");
}

static void a_url_with_a_hidden_end_is_refused(void **state) {
  stage *s = *state;
  get(s, "{\"url\":\"http://example.com\\u0000.evil.com/\"}");
  assert_true(s->failed);
  assert_string_equal(s->error.code, "BadUrl");
}

/* ---- memory ---- */

static int answer(void *payload, const mb_http_request *request, mb_arena *arena,
                  mb_transfer_result *out) {
  bool first = strstr(request->url, "/first") != NULL;
  return fake_reply(arena, out, first ? 302 : 200, first ? "Location: /second" : "X-A: 1", "body");
}

static void get_once(void *payload) {
  stage *s = payload;
  mb_error error;
  mb_engine engine;
  static const char text[] = "{\"url\":\"http://example.com/first\",\"timeout\":\"5s\","
                             "\"follow_redirects\":true,\"headers\":{\"X-A\":\"1\"}}";
  mb_arena *arena = mb_arena_new(0);
  mb_value *args = NULL;
  if (arena && mb_engine_init(&engine, &s->fake.system, NULL, 0, &error) == 0) {
    const mb_binding *binding = mb_engine_find(&engine, "http.get", &error);
    mb_call_options options = {.on_end = on_end, .payload = s};
    s->ends = 0;
    if (binding && mb_value_from_json(arena, &args, text, sizeof text - 1, &error) == 0 &&
        mb_call_check(&engine, binding, arena, args, &error) == 0) {
      mb_call_start(&engine, binding, arena, args, &options);
      while (s->ends == 0 && mb_loop_turn(engine.loop, INT64_MAX)) {
      }
      assert_int_equal(s->ends, 1);
    }
    mb_engine_dispose(&engine);
  }
  mb_arena_free(arena);
}

static void every_refused_allocation_is_survived(void **state) {
  stage *s = *state;
  s->fake.answer = answer;
  assert_true(sweep_run(get_once, s) > 10);
  assert_false(s->failed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(an_answer_is_a_result),
      TEST(an_error_status_is_a_result),
      TEST(an_unexpected_status_is_an_error_when_asked_for),
      TEST(a_failed_connection_is_an_error),
      TEST(silence_ends_at_the_timeout),
      TEST(a_long_body_is_cut),
      TEST(bytes_that_are_no_text_stay_bytes),
      TEST(only_named_hosts_are_reached),
      TEST(metadata_addresses_are_never_reached),
      TEST(the_credentials_endpoint_is_never_reached),
      TEST(a_redirect_is_a_result_unless_asked_for),
      TEST(headers_stay_with_their_origin),
      TEST(each_hop_is_judged),
      TEST(headers_cannot_smuggle),
      TEST(a_url_with_a_hidden_end_is_refused),
      TEST(every_refused_allocation_is_survived),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
