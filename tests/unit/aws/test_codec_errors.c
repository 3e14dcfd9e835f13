/* The error normaliser: whatever a service answers, there is a code, and nothing hides the status.
 */
#include "unit/aws/codec_world.h"

typedef struct example {
  const char *protocol;
  int status;
  const char *header, *value; /* NULL: none */
  const char *body;
  const char *code, *shape, *message;
} example;

static const example examples[] = {
    /* the header comes first, in every spelling */
    {"json", 400, "x-amzn-ErrorType", "NoSuchThing", "", "NoSuchThing", "NoSuchThing",
     "Bad Request"},
    {"json", 500, "x-amzn-errortype", "NoSuchThing:http://x.example/y#z", "", "NoSuchThing",
     "NoSuchThing", "Internal Server Error"},
    {"json", 500, "x-amzn-errortype", "a.b#NoSuchThing:http://x/", "{}", "NoSuchThing",
     "NoSuchThing", ""},
    {"rest-json", 400, "x-amzn-errortype", "Header", "{\"code\":\"Body\"}", "Header", "", ""},
    /* then the body */
    {"json", 400, NULL, NULL, "{\"__type\":\"a.b#Gone\",\"message\":\"m\"}", "Gone", "", "m"},
    {"json", 400, NULL, NULL, "{\"code\":\"Gone\",\"Message\":\"M\"}", "Gone", "", "M"},
    {"json", 400, NULL, NULL, "{\"code\":7,\"message\":null}", "400", "", ""},
    {"rest-json", 400, NULL, NULL, "{\"error\":\"slow_down\",\"error_description\":\"Wait\"}",
     "slow_down", "", "Wait"},
    {"json", 400, NULL, NULL, "{\"__type\":\"Thing.NotFound\"}", "Thing.NotFound", "NoSuchThing",
     ""},
    /* XML, in its three envelopes */
    {"query", 404, NULL, NULL,
     "<ErrorResponse xmlns=\"x\"><Error><Type>Sender</Type><Code>Thing.NotFound</Code>"
     "<Message>gone</Message></Error><RequestId>r</RequestId></ErrorResponse>",
     "Thing.NotFound", "NoSuchThing", "gone"},
    {"ec2", 400, NULL, NULL,
     "<?xml version=\"1.0\"?><Response><Errors><Error><Code>Bad.Id</Code><Message>no</Message>"
     "</Error></Errors><RequestID>r</RequestID></Response>",
     "Bad.Id", "", "no"},
    {"rest-xml", 403, NULL, NULL,
     "<Error><Code>AccessDenied</Code><Message>Denied</Message><RequestId>r</RequestId>"
     "<HostId>h</HostId></Error>",
     "AccessDenied", "", "Denied"},
    /* bodies that are no error document */
    {"json", 503, NULL, NULL, "", "503", "", "Service Unavailable"},
    {"rest-xml", 404, NULL, NULL, "", "404", "", "Not Found"},
    {"json", 502, NULL, NULL, "<html><head><title>Bad\x1b gateway</title></head></html>", "502", "",
     NULL},
    {"query", 400, NULL, NULL, "no such\nhost", "400", "", NULL},
    {"json", 418, NULL, NULL, "[1,2]", "418", "", "[1,2]"},
    {"query", 500, NULL, NULL, "<a><b/></a>", "500", "", "<a><b/></a>"},
    {"json", 400, NULL, NULL, "{\"__type\":\"NoSuchThing\",\"resource\":{}}", "NoSuchThing",
     "NoSuchThing", ""},
};

static void every_body_gives_a_code(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
    const example *e = &examples[i];
    world w;
    mb_service_error got;
    world_open(&w, e->protocol, "");
    mb_http_response response = world_response(&w, e->status, e->body, e->header, e->value);
    assert_int_equal(mb_codec_decode_error(&w.codec, w.arena, world_operation(&w, "PutThing"),
                                           &response, &got, &w.error),
                     0);
    assert_string_equal(got.code, e->code);
    assert_string_equal(got.shape_name, e->shape);
    if (e->message != NULL) {
      assert_string_equal(got.message, e->message);
    }
    assert_null(strchr(got.message, '\x1b'));
    assert_null(strchr(got.message, '\n'));
    world_close(&w);
  }
}

static mb_service_error read_error(world *w, const char *protocol, const char *body,
                                   const char *header, const char *value) {
  mb_service_error got;
  world_open(w, protocol, "");
  mb_http_response response = world_response(w, 400, body, header, value);
  assert_int_equal(mb_codec_decode_error(&w->codec, w->arena, world_operation(w, "PutThing"),
                                         &response, &got, &w->error),
                   0);
  return got;
}

static void the_query_code_overrides_and_keeps_the_name(void **state) {
  world w;
  (void)state;
  mb_service_error got = read_error(&w, "json", "{\"__type\":\"x#NoSuchThing\"}",
                                    "x-amzn-query-error", "Thing.Lost;Sender");
  assert_string_equal(got.code, "Thing.Lost");
  assert_string_equal(got.shape_name, "NoSuchThing");
  world_close(&w);
  static const char *const bad[] = {";Sender", "NoFault", "A;B;C"};
  for (size_t i = 0; i < 3; i++) {
    got = read_error(&w, "json", "{\"__type\":\"x#NoSuchThing\"}", "x-amzn-query-error", bad[i]);
    assert_string_equal(got.code, "NoSuchThing");
    world_close(&w);
  }
}

static void request_ids_come_from_headers_or_bodies(void **state) {
  static const char *const names[] = {"x-amzn-RequestId", "x-amz-request-id"};
  world w;
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    mb_service_error got = read_error(&w, "rest-xml", "", names[i], "id-1");
    assert_string_equal(got.request_id, "id-1");
    world_close(&w);
  }
  mb_service_error got =
      read_error(&w, "query",
                 "<ErrorResponse><Error><Code>A</Code></Error><RequestId>id-2</RequestId>"
                 "</ErrorResponse>",
                 NULL, NULL);
  assert_string_equal(got.request_id, "id-2");
  world_close(&w);
  got = read_error(&w, "rest-xml",
                   "<Error><Code>A</Code><RequestId>id-3</RequestId><HostId>h</HostId></Error>",
                   NULL, NULL);
  assert_string_equal(got.request_id, "id-3");
  assert_string_equal(got.host_id, "h");
  world_close(&w);
}

static void the_message_is_among_the_members(void **state) {
  world w;
  (void)state;
  mb_service_error got = read_error(
      &w, "json", "{\"__type\":\"NoSuchThing\",\"Message\":\"M\",\"resource\":\"r\"}", NULL, NULL);
  assert_string_equal(mb_value_string(mb_map_get(&got.fields, "message")), "M");
  assert_string_equal(mb_value_string(mb_map_get(&got.fields, "resource")), "r");
  assert_non_null(got.shape);
  world_close(&w);
}

static void a_long_body_is_cut(void **state) {
  world w;
  static char body[100000];
  (void)state;
  memset(body, 'x', sizeof body - 1);
  mb_service_error got = read_error(&w, "json", body, NULL, NULL);
  assert_string_equal(got.code, "400");
  assert_true(strlen(got.message) <= 1024);
  world_close(&w);
}

static void an_error_in_a_200_is_found(void **state) {
  static const struct {
    const char *protocol, *body;
    int status;
    bool hidden;
  } cases[] = {
      {"rest-xml", "<Error><Code>InternalError</Code></Error>", 200, true},
      {"rest-xml", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\n<Error><Code>A</Code></Error>",
       200, true},
      {"rest-xml", "<CopyObjectResult/>", 200, false},
      {"rest-xml", "<ErrorDocument/>", 200, false},
      {"rest-xml", "", 200, false},
      {"rest-xml", "<?xml version", 200, false},
      {"rest-xml", "<Error><Code>A</Code></Error>", 400, false},
      {"query", "<Error><Code>A</Code></Error>", 200, false},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    world w;
    world_open(&w, cases[i].protocol, "");
    mb_http_response response = world_response(&w, cases[i].status, cases[i].body, NULL, NULL);
    assert_int_equal(mb_codec_is_hidden_error(&w.codec, &response), cases[i].hidden);
    world_close(&w);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_body_gives_a_code),
      cmocka_unit_test(the_query_code_overrides_and_keeps_the_name),
      cmocka_unit_test(request_ids_come_from_headers_or_bodies),
      cmocka_unit_test(the_message_is_among_the_members),
      cmocka_unit_test(a_long_body_is_cut),
      cmocka_unit_test(an_error_in_a_200_is_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
