/* Requests and answers of every protocol, there and back, and what hostile bytes do. */
#include "unit/aws/codec_world.h"

#include <math.h>

static const char *const protocols[] = {"json", "query", "ec2", "rest-json", "rest-xml"};

static const char full_thing[] =
    "{\"count\":-7,\"big_count\":9007199254740993,\"ratio\":0.1,\"is_on\":false,"
    "\"data\":\"AAEC/w==\",\"created_at\":1398796238,\"seen_at\":1398796239,"
    "\"password\":\"p<&>\\\"w\",\"label\":\"\\u00e4 \\ud83d\\ude39\\r\\n\\t+%=&\","
    "\"names\":[\"a\",\"b,c\",\"\"],\"inner\":{\"count\":2147483647,\"inner\":{\"is_on\":true}}}";

/* Base64 text in a test's value becomes the bytes it stands for, as a client holds them. */
static void set_blob(world *w, mb_value *thing) {
  mb_value *data = mb_map_get(thing, "data");
  assert_int_equal(mb_value_set_bytes(w->arena, data, MB_TYPE_BLOB, "\0\1\2\377", 4), 0);
}

static mb_value *sample(world *w, bool input) {
  char text[2048];
  snprintf(text, sizeof text,
           "{%s\"the_thing\":%s,\"things\":[%s,{\"count\":1}],"
           "\"tag_map\":{\"k1\":\"v1\",\"k 2\":\"\"},\"choice\":{\"two\":2}}",
           input ? "\"thing_name\":\"a/b c\"," : "", full_thing, full_thing);
  mb_value *value = world_json(w, text);
  set_blob(w, mb_map_get(value, "the_thing"));
  set_blob(w, mb_list_at(mb_map_get(value, "things"), 0));
  return value;
}

static void check_same(world *w, const mb_value *expected, const mb_value *got) {
  if (!mb_value_equal(expected, got)) {
    fail_msg("%s\nis not\n%s", world_text(w, got), world_text(w, expected));
  }
}

static void requests_survive_the_wire(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
    world w;
    mb_http_request request;
    mb_value got;
    world_open(&w, protocols[i], "");
    const mb_operation *operation = world_operation(&w, "PutThing");
    mb_value *input = sample(&w, true);
    assert_int_equal(
        mb_codec_encode_request(&w.codec, w.arena, operation, input, &request, &w.error), 0);
    assert_ptr_equal(mb_codec_route(&w.codec, &request), operation);
    if (mb_codec_decode_request(&w.codec, w.arena, operation, &request, &got, &w.error) != 0) {
      fail_msg("%s: %s", protocols[i], w.error.message);
    }
    check_same(&w, input, &got);
    world_close(&w);
  }
}

static void answers_survive_the_wire(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
    world w;
    mb_http_response response;
    mb_value got;
    world_open(&w, protocols[i], "");
    const mb_operation *operation = world_operation(&w, "PutThing");
    mb_value *output = sample(&w, false);
    assert_int_equal(mb_codec_encode_response(&w.codec, w.arena, operation, output, "req-1",
                                              &response, &w.error),
                     0);
    assert_int_equal(response.status, 200);
    assert_string_equal(mb_codec_request_id(&w.codec, &response), "req-1");
    if (mb_codec_decode_response(&w.codec, w.arena, operation, &response, &got, &w.error) != 0) {
      fail_msg("%s: %s", protocols[i], w.error.message);
    }
    check_same(&w, output, &got);
    world_close(&w);
  }
}

static void errors_survive_the_wire(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
    world w;
    mb_http_response response;
    mb_service_error got;
    world_open(&w, protocols[i], "");
    const mb_operation *operation = world_operation(&w, "PutThing");
    mb_value *fields = world_json(&w, "{\"resource\":\"t-1\"}");
    assert_int_equal(mb_codec_encode_error(&w.codec, w.arena, operation, "NoSuchThing",
                                           "It's <gone>", 0, fields, "req-2", &response, &w.error),
                     0);
    assert_int_equal(response.status, 404);
    assert_int_equal(mb_codec_decode_error(&w.codec, w.arena, operation, &response, &got, &w.error),
                     0);
    bool json = strstr(protocols[i], "json") != NULL;
    assert_string_equal(got.code, json ? "NoSuchThing" : "Thing.NotFound");
    assert_string_equal(got.shape_name, "NoSuchThing");
    assert_string_equal(got.message, "It's <gone>");
    assert_string_equal(got.request_id, "req-2");
    assert_string_equal(mb_value_string(mb_map_get(&got.fields, "resource")), "t-1");
    assert_string_equal(mb_value_string(mb_map_get(&got.fields, "message")), "It's <gone>");
    world_close(&w);
  }
}

static void an_unmodelled_error_survives_the_wire(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
    world w;
    mb_http_response response;
    mb_service_error got;
    world_open(&w, protocols[i], "");
    assert_int_equal(mb_codec_encode_error(&w.codec, w.arena, NULL, "Throttling", "Slow down", 503,
                                           NULL, "", &response, &w.error),
                     0);
    assert_int_equal(mb_codec_decode_error(&w.codec, w.arena, NULL, &response, &got, &w.error), 0);
    assert_int_equal(response.status, 503);
    assert_string_equal(got.code, "Throttling");
    assert_string_equal(got.message, "Slow down");
    assert_string_equal(got.shape_name, "");
    assert_null(got.shape);
    world_close(&w);
  }
}

static void the_request_of_json_is_exact(void **state) {
  world w;
  mb_http_request request;
  (void)state;
  world_open(&w, "json", "\"awsQueryCompatible\":{},");
  mb_value *input = world_json(&w, "{\"thing_name\":\"ab\",\"the_thing\":{\"count\":2.0,"
                                   "\"label\":\"x\",\"data\":\"hi\",\"ratio\":\"NaN\"},"
                                   "\"tag_map\":null}");
  assert_int_equal(mb_codec_encode_request(&w.codec, w.arena, world_operation(&w, "put_thing"),
                                           input, &request, &w.error),
                   0);
  assert_string_equal(request.body, "{\"ThingName\":\"ab\",\"theThing\":{\"Count\":2,"
                                    "\"wireLabel\":\"x\",\"data\":\"aGk=\",\"ratio\":\"NaN\"}}");
  assert_string_equal(mb_headers_get(&request.headers, "x-amz-target"), "ThingService.PutThing");
  assert_string_equal(mb_headers_get(&request.headers, "content-type"),
                      "application/x-amz-json-1.1");
  assert_string_equal(mb_headers_get(&request.headers, "x-amzn-query-mode"), "true");
  world_close(&w);
}

static void an_operation_without_input_still_sends_a_body(void **state) {
  world w;
  mb_http_request request;
  (void)state;
  world_open(&w, "json", "");
  assert_int_equal(mb_codec_encode_request(&w.codec, w.arena, world_operation(&w, "send_nothing"),
                                           NULL, &request, &w.error),
                   0);
  assert_string_equal(request.body, "{}");
  world_close(&w);
}

static void tokens_are_filled_once(void **state) {
  world w;
  (void)state;
  world_open(&w, "json", "");
  const mb_operation *operation = world_operation(&w, "put_thing");
  mb_value *input = world_json(&w, "{\"thing_name\":\"ab\"}");
  assert_int_equal(mb_codec_fill_tokens(&w.codec, w.arena, operation, input, &w.error), 0);
  assert_string_equal(mb_value_string(mb_map_get(input, "client_token")),
                      "00000000-0000-4000-8000-000000000000");
  mb_value *own = world_json(&w, "{\"clientToken\":\"mine\"}");
  assert_int_equal(mb_codec_fill_tokens(&w.codec, w.arena, operation, own, &w.error), 0);
  assert_int_equal(mb_value_count(own), 1);
  world_close(&w);
}

static void blobs_may_be_given_as_base64(void **state) {
  world w;
  mb_http_request request;
  (void)state;
  world_open(&w, "json", "");
  w.codec.blobs_are_base64 = true;
  const mb_operation *operation = world_operation(&w, "put_thing");
  mb_value *input = world_json(&w, "{\"the_thing\":{\"data\":\"aGk\"}}");
  assert_int_equal(mb_codec_encode_request(&w.codec, w.arena, operation, input, &request, &w.error),
                   0);
  assert_string_equal(request.body, "{\"theThing\":{\"data\":\"aGk=\"}}");
  input = world_json(&w, "{\"the_thing\":{\"data\":\"a*k\"}}");
  assert_int_equal(mb_codec_encode_request(&w.codec, w.arena, operation, input, &request, &w.error),
                   -1);
  assert_string_equal(w.error.message, "data: this is not base64");
  world_close(&w);
}

static int encode_host(world *w, const char *zone, mb_http_request *request) {
  mb_value *input = mb_value_new_map(w->arena);
  assert_int_equal(mb_value_set_string(w->arena, mb_map_put(w->arena, input, "zone"), zone), 0);
  return mb_codec_encode_request(&w->codec, w->arena, world_operation(w, "find_host"), input,
                                 request, &w->error);
}

static void host_labels_are_checked(void **state) {
  world w;
  mb_http_request request;
  (void)state;
  world_open(&w, "json", "");
  assert_int_equal(encode_host(&w, "eu-1", &request), 0);
  assert_string_equal(request.host_prefix, "eu-1.data-");
  assert_int_equal(encode_host(&w, "", &request), -1);
  assert_int_equal(encode_host(&w, "evil.example/", &request), -1);
  assert_int_equal(encode_host(&w, "a@b", &request), -1);
  assert_non_null(strstr(w.error.message, "host name"));
  world_close(&w);
}

static void labels_must_not_be_empty(void **state) {
  world w;
  mb_http_request request;
  (void)state;
  world_open(&w, "rest-json", "");
  const mb_operation *operation = world_operation(&w, "put_thing");
  assert_int_equal(mb_codec_encode_request(&w.codec, w.arena, operation,
                                           world_json(&w, "{\"thing_name\":\"\"}"), &request,
                                           &w.error),
                   -1);
  assert_int_equal(mb_codec_encode_request(&w.codec, w.arena, operation, NULL, &request, &w.error),
                   -1);
  assert_string_equal(w.error.code, "MissingArgument");
  world_close(&w);
}

/* ---- reading ---- */

static int decode(world *w, const char *body, mb_value *out) {
  mb_http_response response = world_response(w, 200, body, NULL, NULL);
  return mb_codec_decode_response(&w->codec, w->arena, world_operation(w, "put_thing"), &response,
                                  out, &w->error);
}

static void names_are_as_asked_for(void **state) {
  world w;
  mb_value got;
  (void)state;
  world_open(&w, "json", "");
  assert_int_equal(decode(&w, "{\"theThing\":{\"wireLabel\":\"x\"}}", &got), 0);
  assert_string_equal(world_text(&w, &got), "{\"the_thing\":{\"label\":\"x\"}}");
  w.codec.names = MB_NAMES_MODEL;
  assert_int_equal(decode(&w, "{\"theThing\":{\"wireLabel\":\"x\"}}", &got), 0);
  assert_string_equal(world_text(&w, &got), "{\"theThing\":{\"label\":\"x\"}}");
  world_close(&w);
}

static void nulls_and_strangers_are_dropped(void **state) {
  world w;
  mb_value got;
  (void)state;
  world_open(&w, "json", "");
  assert_int_equal(decode(&w,
                          "{\"new\":{\"a\":[1,{\"b\":2}]},\"theThing\":null,\"texts\":[\"a\",null],"
                          "\"dense\":{\"a\":null,\"b\":\"c\"},"
                          "\"choice\":{\"__type\":\"x\",\"three\":[3]}}",
                          &got),
                   0);
  assert_string_equal(
      world_text(&w, &got),
      "{\"texts\":[\"a\",null],\"dense\":{\"b\":\"c\"},\"choice\":{\"three\":[3]}}");
  world_close(&w);
}

static void numbers_keep_64_bits(void **state) {
  world w;
  mb_value got;
  static const char *const bodies[][2] = {
      {"json", "{\"theThing\":{\"bigCount\":9007199254740993}}"},
      {"query", "<R><PutThingResult><theThing><bigCount>9007199254740993</bigCount></theThing>"
                "</PutThingResult></R>"}};
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    world_open(&w, bodies[i][0], "");
    assert_int_equal(decode(&w, bodies[i][1], &got), 0);
    const mb_value *count = mb_map_get(mb_map_get(&got, "the_thing"), "big_count");
    assert_int_equal(mb_value_type(count), MB_TYPE_INTEGER);
    assert_true(mb_value_integer(count) == 9007199254740993);
    world_close(&w);
  }
}

static void times_are_read_in_any_form(void **state) {
  world w;
  mb_value got;
  static const char *const times[] = {"1398796238",
                                      "1398796238.0",
                                      "\"1398796238\"",
                                      "1.398796238e9",
                                      "\"2014-04-29T18:30:38Z\"",
                                      "\"2014-04-29T20:30:38+02:00\"",
                                      "\"Tue, 29 Apr 2014 18:30:38 GMT\""};
  (void)state;
  world_open(&w, "json", "");
  for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
    char body[128];
    snprintf(body, sizeof body, "{\"theThing\":{\"createdAt\":%s}}", times[i]);
    assert_int_equal(decode(&w, body, &got), 0);
    const mb_value *time = mb_map_get(mb_map_get(&got, "the_thing"), "created_at");
    assert_int_equal(mb_value_type(time), MB_TYPE_INTEGER);
    assert_true(mb_value_integer(time) == 1398796238);
  }
  assert_int_equal(decode(&w, "{\"theThing\":{\"createdAt\":1.25}}", &got), 0);
  const mb_value *fraction = mb_map_get(mb_map_get(&got, "the_thing"), "created_at");
  assert_true(mb_value_number(fraction) == 1.25);
  world_close(&w);
}

static void sensitive_members_are_secret(void **state) {
  world w;
  mb_value got;
  (void)state;
  world_open(&w, "json", "");
  assert_int_equal(decode(&w, "{\"theThing\":{\"password\":\"p\",\"wireLabel\":\"l\"}}", &got), 0);
  const mb_value *thing = mb_map_get(&got, "the_thing");
  assert_true(mb_value_is_secret(mb_map_get(thing, "password")));
  assert_false(mb_value_is_secret(mb_map_get(thing, "label")));
  assert_false(mb_value_is_secret(thing));
  world_close(&w);
}

static void unreadable_answers_are_told(void **state) {
  static const char *const bodies[][2] = {
      {"json", "{\"theThing\":"},
      {"json", "[]"},
      {"json", "{} x"},
      {"json", "{\"theThing\":7}"},
      {"json", "{\"theThing\":{\"Count\":2.5}}"},
      {"json", "{\"theThing\":{\"data\":\"*\"}}"},
      {"json", "{\"things\":[{\"names\":\"x\"}]}"},
      {"query", "<R><theThing>"},
      {"query", "<R/><S/>"},
      {"query", "<!DOCTYPE r [<!ENTITY a \"b\">]><r>&a;</r>"},
      {"ec2", "<R><theThing><isOn>maybe</isOn></theThing></R>"},
      {"rest-xml", "<R><theThing><createdAt>soon</createdAt></theThing></R>"},
      {"rest-json", "<html>"}};
  (void)state;
  for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
    world w;
    mb_value got;
    world_open(&w, bodies[i][0], "");
    if (decode(&w, bodies[i][1], &got) == 0) {
      fail_msg("%s was read as %s", bodies[i][1], world_text(&w, &got));
    }
    assert_int_equal(w.error.kind, MB_ERROR_NETWORK);
    assert_string_equal(w.error.code, "UnreadableResponse");
    world_close(&w);
  }
}

static void deep_xml_is_refused(void **state) {
  world w;
  mb_value got;
  char body[8192] = "";
  (void)state;
  world_open(&w, "query", "");
  for (int i = 0; i < 1000; i++) {
    strcat(body, "<inner>");
  }
  assert_int_equal(decode(&w, body, &got), -1);
  assert_non_null(strstr(w.error.message, "nested too deeply"));
  world_close(&w);
}

static void an_empty_body_is_an_empty_answer(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
    world w;
    mb_value got;
    world_open(&w, protocols[i], "");
    assert_int_equal(decode(&w, "", &got), 0);
    assert_int_equal(mb_value_type(&got), MB_TYPE_MAP);
    assert_int_equal(mb_value_count(&got), 0);
    world_close(&w);
  }
}

static void line_breaks_do_not_reach_headers(void **state) {
  world w;
  mb_http_response response;
  (void)state;
  world_open(&w, "rest-json", "");
  assert_int_equal(mb_codec_encode_error(&w.codec, w.arena, NULL, "Bad\r\nX-Evil: 1", "", 400, NULL,
                                         "", &response, &w.error),
                   -1);
  world_close(&w);
}

static void routes_are_exact(void **state) {
  world w;
  mb_http_request request = {.method = "POST", .path = "/", .query = ""};
  (void)state;
  world_open(&w, "query", "");
  request.body = "Version=1&Action=PutThing";
  request.body_size = strlen(request.body);
  assert_ptr_equal(mb_codec_route(&w.codec, &request), world_operation(&w, "PutThing"));
  request.body = "Action=put_thing";
  request.body_size = strlen(request.body);
  assert_null(mb_codec_route(&w.codec, &request));
  world_close(&w);
  world_open(&w, "rest-json", "");
  request = (mb_http_request){.method = "PUT", .path = "/things/a%2Fb", .query = ""};
  assert_ptr_equal(mb_codec_route(&w.codec, &request), world_operation(&w, "PutThing"));
  request.path = "/things/a/"; /* as some clients write the path of a bucket */
  assert_ptr_equal(mb_codec_route(&w.codec, &request), world_operation(&w, "PutThing"));
  request.path = "/things/a/b";
  assert_null(mb_codec_route(&w.codec, &request));
  request.path = "/things/";
  assert_null(mb_codec_route(&w.codec, &request));
  world_close(&w);
}

/* ---- spoilt bytes ---- */

static void spoil(char *bytes, size_t size, uint32_t *seed) {
  static const char odd[] = "<>{}[]\"\\/&;%=.,:\0\1\377eE-+09nt";
  for (int i = 0; i < 3; i++) {
    *seed = *seed * 1664525u + 1013904223u;
    bytes[(*seed >> 8) % size] = odd[*seed % (sizeof odd - 1)];
  }
}

/* What comes out does not matter, as long as it is a value or an error and nothing breaks. */
static void spoilt_bytes_do_no_harm(void **state) {
  uint32_t seed = 1;
  (void)state;
  for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
    world w;
    mb_http_response response;
    mb_http_request request;
    world_open(&w, protocols[i], "");
    const mb_operation *operation = world_operation(&w, "PutThing");
    assert_int_equal(mb_codec_encode_response(&w.codec, w.arena, operation, sample(&w, false), "r",
                                              &response, &w.error),
                     0);
    assert_int_equal(
        mb_codec_encode_request(&w.codec, w.arena, operation, sample(&w, true), &request, &w.error),
        0);
    for (int round = 0; round < 3000; round++) {
      mb_value got;
      mb_service_error service_error;
      mb_arena *arena = mb_arena_new(0);
      char *answer = test_calloc(1, response.body_size + 1);
      char *asked = test_calloc(1, request.body_size + 1);
      memcpy(answer, response.body, response.body_size);
      memcpy(asked, request.body, request.body_size);
      spoil(answer, response.body_size, &seed);
      spoil(asked, request.body_size, &seed);
      mb_http_response spoilt = {200, response.headers, answer, response.body_size};
      mb_http_request sent = request;
      sent.body = asked;
      int read = mb_codec_decode_response(&w.codec, arena, operation, &spoilt, &got, &w.error);
      assert_true(read == 0 || strcmp(w.error.code, "UnreadableResponse") == 0);
      read = mb_codec_decode_request(&w.codec, arena, operation, &sent, &got, &w.error);
      assert_true(read == 0 || strcmp(w.error.code, "SerializationException") == 0);
      spoilt.status = 500;
      assert_int_equal(
          mb_codec_decode_error(&w.codec, arena, operation, &spoilt, &service_error, &w.error), 0);
      assert_true(*service_error.code != '\0');
      mb_arena_free(arena);
      test_free(answer);
      test_free(asked);
    }
    world_close(&w);
  }
}

/* ---- running out of memory ---- */

typedef struct hunger {
  world *w;
  const mb_value *input, *output; /* made beforehand: they are not what is tested */
} hunger;

static int there_and_back(const hunger *h, mb_arena *arena) {
  mb_http_request request;
  mb_http_response response;
  mb_service_error service_error;
  mb_value got;
  const mb_codec *codec = &h->w->codec;
  const mb_operation *operation = mb_model_operation(codec->model, "PutThing");
  mb_error *error = &h->w->error;
  if (mb_codec_encode_request(codec, arena, operation, h->input, &request, error) != 0 ||
      mb_codec_decode_request(codec, arena, operation, &request, &got, error) != 0 ||
      mb_codec_encode_response(codec, arena, operation, h->output, "r", &response, error) != 0 ||
      mb_codec_decode_response(codec, arena, operation, &response, &got, error) != 0 ||
      !mb_value_equal(h->output, &got) ||
      mb_codec_encode_error(codec, arena, operation, "NoSuchThing", "m", 0, NULL, "r", &response,
                            error) != 0 ||
      mb_codec_decode_error(codec, arena, operation, &response, &service_error, error) != 0) {
    return -1;
  }
  return strcmp(service_error.message, "m") == 0 ? 0 : -1;
}

/* The arena is given a little more at each run, so that each of its allocations fails once. */
static void a_full_arena_is_survived(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
    world w;
    world_open(&w, protocols[i], "");
    hunger h = {&w, sample(&w, true), sample(&w, false)};
    int result = -1;
    for (size_t limit = 64; result != 0; limit += 64) {
      assert_true(limit < 1 << 20);
      mb_arena *arena = mb_arena_new(limit);
      result = arena != NULL ? there_and_back(&h, arena) : -1;
      if (result != 0 && arena != NULL) {
        assert_int_equal(w.error.kind, MB_ERROR_MEMORY);
      }
      mb_arena_free(arena);
    }
    world_close(&w);
  }
}

static int hungry_run(void *payload) {
  const hunger *h = payload;
  mb_arena *arena = mb_arena_new(0);
  int result = arena != NULL ? there_and_back(h, arena) : -1;
  mb_arena_free(arena);
  return result;
}

static void failed_allocations_are_survived(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
    world w;
    world_open(&w, protocols[i], "");
    hunger h = {&w, sample(&w, true), sample(&w, false)};
    check_allocation_failures(hungry_run, &h);
    world_close(&w);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(requests_survive_the_wire),
      cmocka_unit_test(answers_survive_the_wire),
      cmocka_unit_test(errors_survive_the_wire),
      cmocka_unit_test(an_unmodelled_error_survives_the_wire),
      cmocka_unit_test(the_request_of_json_is_exact),
      cmocka_unit_test(an_operation_without_input_still_sends_a_body),
      cmocka_unit_test(tokens_are_filled_once),
      cmocka_unit_test(blobs_may_be_given_as_base64),
      cmocka_unit_test(host_labels_are_checked),
      cmocka_unit_test(labels_must_not_be_empty),
      cmocka_unit_test(names_are_as_asked_for),
      cmocka_unit_test(nulls_and_strangers_are_dropped),
      cmocka_unit_test(numbers_keep_64_bits),
      cmocka_unit_test(times_are_read_in_any_form),
      cmocka_unit_test(sensitive_members_are_secret),
      cmocka_unit_test(unreadable_answers_are_told),
      cmocka_unit_test(deep_xml_is_refused),
      cmocka_unit_test(an_empty_body_is_an_empty_answer),
      cmocka_unit_test(line_breaks_do_not_reach_headers),
      cmocka_unit_test(routes_are_exact),
      cmocka_unit_test(spoilt_bytes_do_no_harm),
      cmocka_unit_test(a_full_arena_is_survived),
      cmocka_unit_test(failed_allocations_are_survived),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
