/* Request compression: when a body is put into gzip, and that it is the same body then. */
#include "unit/check.h"

#include "aws/codec/codec.h"
#include "aws/model/builder.h"
#include "base/digest.h"
#include "base/text.h"
#include <stdio.h>
#include <zlib.h>

static const char document[] =
    "{\"version\":\"2.0\",\"metadata\":{\"apiVersion\":\"2026-01-01\",\"endpointPrefix\":\"packs\","
    "\"serviceId\":\"Packs\",\"protocol\":\"rest-json\"},\"operations\":{"
    "\"Put\":{\"name\":\"Put\",\"http\":{\"method\":\"POST\",\"requestUri\":\"/put\"},"
    "\"input\":{\"shape\":\"In\"},\"requestcompression\":{\"encodings\":[\"gzip\"]}},"
    "\"PutChecked\":{\"name\":\"PutChecked\",\"http\":{\"method\":\"POST\",\"requestUri\":\"/c\"},"
    "\"input\":{\"shape\":\"In\"},\"httpChecksumRequired\":true,"
    "\"requestcompression\":{\"encodings\":[\"gzip\"]}},"
    "\"PutPlain\":{\"name\":\"PutPlain\",\"http\":{\"method\":\"POST\",\"requestUri\":\"/plain\"},"
    "\"input\":{\"shape\":\"In\"}}},\"shapes\":{"
    "\"In\":{\"type\":\"structure\",\"members\":{\"encoding\":{\"shape\":\"String\","
    "\"location\":\"header\",\"locationName\":\"Content-Encoding\"},"
    "\"data\":{\"shape\":\"String\"}}},\"String\":{\"type\":\"string\"}}}";

static mb_buffer packed;
static mb_arena *arena;
static mb_codec codec;
static mb_error error;

static int open_model(void **state) {
  mb_buffer_init(&packed, (size_t)1 << 20);
  arena = mb_arena_new(0);
  assert_non_null(arena);
  if (mb_model_from_botocore(&packed, "packs", "0", document, strlen(document), NULL, 0, NULL, 0,
                             NULL, 0, NULL, &error) != 0) {
    fail_msg("%s", error.message);
  }
  codec = (mb_codec){.model = mb_model_open(packed.data, packed.size)};
  assert_non_null(codec.model);
  return 0;
}

static int close_model(void **state) {
  mb_arena_free(arena);
  mb_buffer_dispose(&packed);
  return 0;
}

/* An input whose body is exactly `size` bytes: {"data":"..."}. Its letters do not repeat soon. */
static const mb_value *input_of(size_t size, const char *encoding) {
  static const size_t around = sizeof "{\"data\":\"\"}" - 1;
  uint32_t seed = 1;
  mb_value *input = mb_value_new_map(arena);
  char *data = mb_arena_alloc(arena, size);
  assert_non_null(input);
  assert_non_null(data);
  assert_true(size >= around);
  for (size_t i = 0; i < size - around; i++) {
    seed = seed * 1664525u + 1013904223u;
    data[i] = (char)('0' + (seed >> 16) % 75);
    data[i] = data[i] == '\\' ? '~' : data[i];
  }
  mb_value_borrow(mb_map_put(arena, input, "data"), MB_TYPE_STRING, data, size - around);
  if (encoding != NULL) {
    mb_value_set_string(arena, mb_map_put(arena, input, "encoding"), encoding);
  }
  return input;
}

static mb_http_request encode(const char *operation, const mb_value *input, size_t minimum) {
  mb_http_request request;
  codec.compress_minimum = minimum;
  if (mb_codec_encode_request(&codec, arena, mb_model_operation(codec.model, operation), input,
                              &request, &error) != 0) {
    fail_msg("%s", error.message);
  }
  return request;
}

static const char *encoding_of(const mb_http_request *request) {
  return mb_headers_get(&request->headers, "Content-Encoding");
}

/* Fails unless `request` carries, in gzip, exactly the body of `plain`. */
static void assert_inflates_to(const mb_http_request *request, const mb_http_request *plain) {
  size_t size = plain->body_size + 1;
  char *out = mb_arena_alloc(arena, size);
  z_stream stream = {.next_in = (Bytef *)(uintptr_t)request->body,
                     .avail_in = (uInt)request->body_size,
                     .next_out = (Bytef *)out,
                     .avail_out = (uInt)size};
  assert_non_null(out);
  assert_int_equal(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
  assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
  assert_int_equal(stream.avail_in, 0);
  assert_int_equal(stream.total_out, plain->body_size);
  assert_memory_equal(out, plain->body, plain->body_size);
  inflateEnd(&stream);
}

static void a_body_is_compressed_from_the_minimum_on(void **state) {
  const mb_value *input = input_of(10240, NULL);
  mb_http_request plain = encode("put", input, 10241);
  assert_int_equal(plain.body_size, 10240);
  assert_null(encoding_of(&plain));
  mb_http_request request = encode("put", input, 10240);
  assert_string_equal(encoding_of(&request), "gzip");
  assert_true(request.body_size < plain.body_size);
  assert_inflates_to(&request, &plain);
}

static void nothing_is_compressed_unless_asked_for(void **state) {
  mb_http_request request = encode("put", input_of(100000, NULL), 0);
  assert_int_equal(request.body_size, 100000);
  assert_null(encoding_of(&request));
}

static void nothing_is_compressed_that_the_model_does_not_name(void **state) {
  mb_http_request request = encode("put_plain", input_of(100000, NULL), 1);
  assert_int_equal(request.body_size, 100000);
  assert_null(encoding_of(&request));
}

static void gzip_stands_after_a_given_encoding(void **state) {
  mb_http_request request = encode("put", input_of(20000, "custom"), 10240);
  assert_string_equal(encoding_of(&request), "custom, gzip");
  request = encode("put", input_of(100, "custom"), 10240);
  assert_string_equal(encoding_of(&request), "custom");
}

static void bodies_of_every_size_come_out_whole(void **state) {
  static const size_t sizes[] = {11, 12, 1000, 16384, 30000, 1000000};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    const mb_value *input = input_of(sizes[i], NULL);
    mb_http_request plain = encode("put", input, 0);
    mb_http_request request = encode("put", input, 1);
    assert_string_equal(encoding_of(&request), "gzip");
    assert_inflates_to(&request, &plain);
  }
}

static void the_same_body_gives_the_same_bytes(void **state) {
  const mb_value *input = input_of(20000, NULL);
  mb_http_request first = encode("put", input, 1);
  mb_http_request second = encode("put", input, 1);
  assert_int_equal(first.body_size, second.body_size);
  assert_memory_equal(first.body, second.body, first.body_size);
}

static void a_checksum_is_that_of_the_compressed_bytes(void **state) {
  unsigned char digest[16];
  mb_buffer text = MB_BUFFER_INIT(64);
  mb_http_request request = encode("put_checked", input_of(20000, NULL), 1);
  assert_string_equal(encoding_of(&request), "gzip");
  assert_int_equal(mb_md5(request.body, request.body_size, digest), 0);
  mb_text_add_base64(&text, digest, sizeof digest);
  assert_string_equal(mb_headers_get(&request.headers, "Content-MD5"), mb_buffer_text(&text));
  mb_buffer_dispose(&text);
}

typedef struct hunger {
  const mb_value *input;
  size_t limit;
} hunger;

static int compress_hungrily(void *payload) {
  const hunger *h = payload;
  mb_http_request request;
  mb_error why = {.kind = MB_ERROR_MEMORY};
  mb_arena *own = mb_arena_new(h->limit);
  const mb_operation *operation = mb_model_operation(codec.model, "put");
  int result =
      own != NULL ? mb_codec_encode_request(&codec, own, operation, h->input, &request, &why) : -1;
  if (result != 0) {
    assert_int_equal(why.kind, MB_ERROR_MEMORY);
  } else {
    assert_string_equal(encoding_of(&request), "custom, gzip");
  }
  mb_arena_free(own);
  return result;
}

/* ---- the server's side ---- */

static int decode(const char *operation, const mb_http_request *request, mb_value *out) {
  return mb_codec_decode_request(&codec, arena, mb_model_operation(codec.model, operation), request,
                                 out, &error);
}

static void a_server_reads_what_a_client_packed(void **state) {
  const mb_value *input = input_of(20000, NULL);
  mb_http_request request = encode("Put", input, 1);
  mb_value out;
  assert_int_equal(decode("Put", &request, &out), 0);
  assert_true(mb_value_equal(mb_map_get(&out, "data"), mb_map_get(input, "data")));
}

static void spoilt_gzip_is_refused_by_a_server(void **state) {
  mb_http_request request = encode("Put", input_of(20000, NULL), 1);
  mb_value out;
  request.body_size /= 2;
  assert_int_equal(decode("Put", &request, &out), -1);
  assert_string_equal(error.code, "UnreadableRequest");
  request.body = "not gzip at all";
  request.body_size = strlen(request.body);
  assert_int_equal(decode("Put", &request, &out), -1);
  assert_string_equal(error.code, "UnreadableRequest");
}

static void failed_allocations_are_survived(void **state) {
  hunger h = {.input = input_of(60000, "custom")};
  codec.compress_minimum = 1;
  check_allocation_failures(compress_hungrily, &h);
}

static void a_full_arena_is_survived(void **state) {
  hunger h = {.input = input_of(60000, "custom"), .limit = 64};
  codec.compress_minimum = 1;
  while (compress_hungrily(&h) != 0) {
    h.limit += 512;
    assert_true(h.limit < 1 << 20);
  }
  assert_true(h.limit > 60000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_model, close_model)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_body_is_compressed_from_the_minimum_on),
      TEST(nothing_is_compressed_unless_asked_for),
      TEST(nothing_is_compressed_that_the_model_does_not_name),
      TEST(gzip_stands_after_a_given_encoding),
      TEST(bodies_of_every_size_come_out_whole),
      TEST(the_same_body_gives_the_same_bytes),
      TEST(a_checksum_is_that_of_the_compressed_bytes),
      TEST(a_server_reads_what_a_client_packed),
      TEST(spoilt_gzip_is_refused_by_a_server),
      TEST(failed_allocations_are_survived),
      TEST(a_full_arena_is_survived),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
