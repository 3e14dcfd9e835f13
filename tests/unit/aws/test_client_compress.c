/* Calls with large bodies: what goes out is compressed, signed as it goes out, and the same in
 * every attempt; settings can forbid it. */
#include "client_world.h"

#include "base/text.h"
#include <zlib.h>

static world w;

static int open_world(void **state) {
  world_init(&w);
  return 0;
}

static int close_world(void **state) {
  world_close(&w);
  return 0;
}

static const fake_step always_ok[] = {{.status = 200, .body = "{}", .forever = true}};

/* Metrics as input of put_metric_data, so many that the body is about 60 bytes times `count`. */
static const char *metrics(size_t count) {
  mb_buffer text = MB_BUFFER_INIT((size_t)1 << 20);
  mb_buffer_add_text(&text, "{\"namespace\":\"Deploys\",\"metric_data\":[");
  for (size_t i = 0; i < count; i++)
    mb_buffer_addf(&text, "%s{\"metric_name\":\"metric-%zu\",\"value\":%zu,\"unit\":\"Count\"}",
                   i ? "," : "", i, i * i);
  mb_buffer_add_text(&text, "]}");
  const char *copy = mb_arena_strdup(w.arena, mb_buffer_text(&text));
  mb_buffer_dispose(&text);
  assert_non_null(copy);
  return copy;
}

static const fake_request *put(size_t count) {
  const mb_aws_result *result = world_call(&w, "cloudwatch", "put_metric_data", metrics(count));
  if (result->failed)
    fail_msg("%s: %s", result->error.code, result->error.message);
  return &w.fake.requests[w.fake.request_count - 1];
}

static const char *inflated(const fake_request *request, size_t *size) {
  enum { ROOM = 1 << 20 };
  char *out = mb_arena_alloc(w.arena, ROOM);
  z_stream stream = {.next_in = (Bytef *)request->body,
                     .avail_in = (uInt)request->body_size,
                     .next_out = (Bytef *)out,
                     .avail_out = ROOM};
  assert_non_null(out);
  assert_int_equal(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
  assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
  assert_int_equal(stream.avail_in, 0);
  *size = stream.total_out;
  inflateEnd(&stream);
  return out;
}

/* Signs what went out once more, from its own bytes. */
static const char *signature_over(const fake_request *sent) {
  mb_error error;
  mb_http_request again = {.method = sent->method,
                           .url = sent->url,
                           .path = "/",
                           .query = "",
                           .body = sent->body,
                           .body_size = sent->body_size};
  mb_signing signing = {.access_key_id = "AKIDEXAMPLE",
                        .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                        .region = "eu-west-1",
                        .service = "monitoring",
                        .double_encode = true,
                        .normalize = true};
  double seconds;
  char time[32];
  const char *date = fake_header(sent, "X-Amz-Date"); /* 20261123T140000Z */
  assert_int_equal(strlen(date), 16);
  snprintf(time, sizeof time, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", date, date + 4, date + 6, date + 9,
           date + 11, date + 13);
  assert_int_equal(mb_time_parse(time, strlen(time), &seconds), 0);
  signing.time = (int64_t)seconds;
  for (size_t i = 0; i < sent->header_count; i++)
    assert_int_equal(
        mb_headers_add(w.arena, &again.headers, sent->headers[2 * i], sent->headers[2 * i + 1]), 0);
  if (mb_sigv4_sign(w.arena, &again, &signing, NULL, NULL, &error) != 0)
    fail_msg("%s", error.message);
  return mb_headers_get(&again.headers, "Authorization");
}

static void large_metrics_go_out_compressed_and_signed(void **state) {
  size_t size;
  fake_play(&w.fake, always_ok, 1);
  const fake_request *sent = put(400);
  const char *body = inflated(sent, &size);
  assert_string_equal(fake_header(sent, "Content-Encoding"), "gzip");
  assert_true(size > 10240);
  assert_true(sent->body_size < size / 2);
  assert_memory_equal(body, "{\"Namespace\":\"Deploys\",\"MetricData\":[{", 38);
  assert_memory_equal(body + size - 3, "}]}", 3);
  assert_string_equal(fake_header(sent, "Authorization"), signature_over(sent));
  assert_contains(fake_header(sent, "Authorization"), "content-encoding;");
}

static void small_metrics_go_out_as_they_are(void **state) {
  fake_play(&w.fake, always_ok, 1);
  const fake_request *sent = put(4);
  assert_null(fake_header(sent, "Content-Encoding"));
  assert_memory_equal(sent->body, "{\"Namespace\"", 12);
  assert_string_equal(fake_header(sent, "Authorization"), signature_over(sent));
}

static void every_attempt_carries_the_same_compressed_bytes(void **state) {
  static const fake_step steps[] = {{.status = 500, .body = ""}, {.status = 200, .body = "{}"}};
  fake_play(&w.fake, steps, 2);
  put(400);
  assert_int_equal(w.fake.request_count, 2);
  const fake_request *first = &w.fake.requests[0], *second = &w.fake.requests[1];
  assert_string_equal(fake_header(second, "Content-Encoding"), "gzip");
  assert_int_equal(first->body_size, second->body_size);
  assert_memory_equal(first->body, second->body, first->body_size);
  assert_string_equal(fake_header(second, "Authorization"), signature_over(second));
}

static void compression_can_be_switched_off(void **state) {
  fake_play(&w.fake, always_ok, 1);
  fake_setenv(&w.fake, "AWS_DISABLE_REQUEST_COMPRESSION", "true");
  const fake_request *sent = put(400);
  assert_null(fake_header(sent, "Content-Encoding"));
  assert_true(sent->body_size > 10240);
  assert_memory_equal(sent->body, "{\"Namespace\"", 12);
}

static void the_minimum_can_be_set(void **state) {
  size_t size;
  fake_play(&w.fake, always_ok, 1);
  fake_setenv(&w.fake, "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", "100");
  const fake_request *sent = put(4);
  assert_string_equal(fake_header(sent, "Content-Encoding"), "gzip");
  inflated(sent, &size);
  assert_in_range(size, 100, 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(large_metrics_go_out_compressed_and_signed),
      TEST(small_metrics_go_out_as_they_are),
      TEST(every_attempt_carries_the_same_compressed_bytes),
      TEST(compression_can_be_switched_off),
      TEST(the_minimum_can_be_set),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
