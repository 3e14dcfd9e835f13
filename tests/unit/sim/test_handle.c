/* Requests from bytes to bytes: signatures, protocols, and what nobody answers. */
#include "aws/sign/sigv4.h"
#include "sim/internal.h"
#include "unit/sim/rehearsal.h"

#define SECRET "a-secret-of-this-test"

typedef struct exchange {
  mb_sim *sim;
  mb_arena *arena;
  mb_error error;
  mb_http_request request;
  sim_answer answer;
} exchange;

static void begin(exchange *x, const char *secret) {
  mb_sim_options options = MB_SIM_OPTIONS_INIT;
  options.secret_access_key = secret;
  memset(x, 0, sizeof *x);
  if (mb_sim_new(&x->sim, &options, &x->error) != 0) {
    fail_msg("%s: %s", x->error.where, x->error.message);
  }
  x->arena = mb_arena_new(0);
  x->request = (mb_http_request){.method = "POST", .path = "/", .query = ""};
  mb_headers_add(x->arena, &x->request.headers, "Host", "127.0.0.1:4566");
}

static void end(exchange *x) {
  mb_arena_free(x->arena);
  mb_sim_free(x->sim);
}

static void add(exchange *x, const char *name, const char *value) {
  assert_int_equal(mb_headers_add(x->arena, &x->request.headers, name, value), 0);
}

static void set_body(exchange *x, const char *type, const char *body) {
  add(x, "Content-Type", type);
  x->request.body = body;
  x->request.body_size = strlen(body);
}

static mb_signing signing_for(exchange *x, const char *service, const char *secret) {
  return (mb_signing){.access_key_id = "AKIATEST",
                      .secret_access_key = secret,
                      .region = "eu-west-1",
                      .service = service,
                      .time = (int64_t)mb_sim_now(x->sim),
                      .double_encode = true,
                      .normalize = true};
}

static void sign(exchange *x, const char *service, const char *secret) {
  mb_signing signing = signing_for(x, service, secret);
  assert_int_equal(mb_sigv4_sign(x->arena, &x->request, &signing, NULL, NULL, &x->error), 0);
}

static void handle(exchange *x) {
  mb_error_clear(&x->error);
  if (mb_sim_handle(x->sim, x->arena, &x->request, &x->answer, &x->error) != 0) {
    fail_msg("%s", x->error.message);
  }
}

static void answers(exchange *x, int status, const char *part) {
  handle(x);
  const char *body = x->answer.response.body;
  if (x->answer.response.status != status || !strstr(body, part)) {
    fail_msg("%d %s, not %d with %s", x->answer.response.status, body, status, part);
  }
}

static void list_clusters(exchange *x) {
  add(x, "X-Amz-Target", "AmazonEC2ContainerServiceV20141113.ListClusters");
  set_body(x, "application/x-amz-json-1.1", "{}");
}

static void get_caller(exchange *x) {
  set_body(x, "application/x-www-form-urlencoded; charset=utf-8",
           "Action=GetCallerIdentity&Version=2011-06-15");
}

/* ---- signatures ---- */

static void a_right_signature_is_accepted(void **state) {
  (void)state;
  exchange x;
  begin(&x, SECRET);
  list_clusters(&x);
  sign(&x, "ecs", SECRET);
  answers(&x, 200, "clusterArns");
  end(&x);
}

static void a_wrong_secret_is_told_in_the_services_words(void **state) {
  (void)state;
  exchange x;
  begin(&x, SECRET);
  list_clusters(&x);
  sign(&x, "ecs", "another-secret");
  answers(&x, 400, "InvalidSignatureException");
  end(&x);
  begin(&x, SECRET);
  get_caller(&x);
  sign(&x, "sts", "another-secret");
  answers(&x, 403, "<Code>SignatureDoesNotMatch</Code>");
  end(&x);
}

static void what_was_changed_on_the_way_is_refused(void **state) {
  (void)state;
  exchange x;
  begin(&x, SECRET);
  list_clusters(&x);
  sign(&x, "ecs", SECRET);
  x.request.body = "{\"maxResults\":5}";
  x.request.body_size = strlen(x.request.body);
  answers(&x, 400, "InvalidSignatureException");
  end(&x);
  begin(&x, SECRET);
  list_clusters(&x);
  sign(&x, "ecs", SECRET);
  mb_headers_set(x.arena, &x.request.headers, "X-Amz-Target",
                 "AmazonEC2ContainerServiceV20141113.ListServices");
  answers(&x, 400, "InvalidSignatureException");
  end(&x);
}

static void a_missing_signature_is_refused(void **state) {
  (void)state;
  exchange x;
  begin(&x, SECRET);
  list_clusters(&x);
  answers(&x, 400, "MissingAuthenticationTokenException");
  end(&x);
  begin(&x, SECRET);
  get_caller(&x);
  answers(&x, 403, "<Code>MissingAuthenticationToken</Code>");
  end(&x);
}

static void any_signature_will_do_when_none_is_verified(void **state) {
  (void)state;
  exchange x;
  begin(&x, NULL);
  list_clusters(&x);
  sign(&x, "ecs", "whatever");
  answers(&x, 200, "clusterArns");
  end(&x);
}

static void presign(exchange *x, const char *secret) {
  mb_signing signing = signing_for(x, "sts", secret);
  signing.expires = 60;
  signing.payload_hash = "UNSIGNED-PAYLOAD";
  x->request.method = "GET";
  x->request.url = "http://127.0.0.1:4566/";
  x->request.query = "Action=GetCallerIdentity&Version=2011-06-15";
  assert_int_equal(mb_sigv4_presign(x->arena, &x->request, &signing, NULL, NULL, &x->error), 0);
}

static void a_presigned_url_is_verified_too(void **state) {
  (void)state;
  exchange x;
  begin(&x, SECRET);
  presign(&x, SECRET);
  answers(&x, 200, "<Account>123456789012</Account>");
  end(&x);
  begin(&x, SECRET);
  presign(&x, "another-secret");
  answers(&x, 403, "SignatureDoesNotMatch");
  end(&x);
}

/* ---- protocols ---- */

static void a_json_service_may_be_asked_in_query(void **state) {
  (void)state;
  exchange x;
  begin(&x, NULL);
  set_body(&x, "application/x-www-form-urlencoded; charset=utf-8",
           "Action=PutMetricData&Version=2010-08-01&Namespace=App&MetricData.member.1.MetricName="
           "Jobs&MetricData.member.1.Value=3");
  sign(&x, "monitoring", "whatever");
  answers(&x, 200,
          "<PutMetricDataResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/"
          "\"><ResponseMetadata>");
  end(&x);
  begin(&x, NULL);
  set_body(&x, "application/x-www-form-urlencoded", "Action=ListMetrics&Version=2010-08-01");
  sign(&x, "monitoring", "whatever");
  answers(&x, 200, "<ListMetricsResult>");
  end(&x);
}

static void an_unknown_operation_is_named(void **state) {
  (void)state;
  exchange x;
  begin(&x, NULL);
  add(&x, "X-Amz-Target", "AmazonEC2ContainerServiceV20141113.ListClouds");
  set_body(&x, "application/x-amz-json-1.1", "{}");
  answers(&x, 400, "ListClouds");
  assert_non_null(strstr(x.answer.response.body, "UnknownOperationException"));
  end(&x);
  begin(&x, NULL);
  add(&x, "X-Amz-Target", "Unheard_Of.Thing");
  set_body(&x, "application/x-amz-json-1.1", "{}");
  answers(&x, 501, "Unheard_Of.Thing");
  end(&x);
}

static void bad_input_is_refused_before_it_reaches_the_world(void **state) {
  (void)state;
  static const char *const bodies[][2] = {{"{\"services\":", "SerializationException"},
                                          {"{\"services\":\"web\"}", "SerializationException"},
                                          {"{}", "services"},
                                          {"\xff\xfe", "SerializationException"}};
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    exchange x;
    begin(&x, NULL);
    add(&x, "X-Amz-Target", "AmazonEC2ContainerServiceV20141113.DescribeServices");
    set_body(&x, "application/x-amz-json-1.1", bodies[i][0]);
    answers(&x, 400, bodies[i][1]);
    end(&x);
  }
}

static void every_answer_has_a_request_id_and_a_date(void **state) {
  (void)state;
  exchange x;
  begin(&x, NULL);
  list_clusters(&x);
  handle(&x);
  assert_int_equal(strlen(mb_headers_get(&x.answer.response.headers, "x-amzn-RequestId")), 36);
  assert_string_equal(mb_headers_get(&x.answer.response.headers, "Date"),
                      "Thu, 01 Jan 2026 00:00:00 GMT");
  end(&x);
}

/* ---- what is no AWS call ---- */

static void the_registry_has_a_door_of_its_own(void **state) {
  (void)state;
  exchange x;
  begin(&x, NULL);
  x.request.method = "GET";
  x.request.path = "/v2/";
  handle(&x);
  assert_int_equal(x.answer.response.status, 401);
  assert_non_null(mb_headers_get(&x.answer.response.headers, "WWW-Authenticate"));
  end(&x);
}

static void what_nobody_answers_is_not_found(void **state) {
  (void)state;
  exchange x;
  begin(&x, NULL);
  x.request.method = "GET";
  x.request.path = "/some/where";
  answers(&x, 404, "nothing in the simulated world answers GET 127.0.0.1:4566/some/where");
  end(&x);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_right_signature_is_accepted),
      cmocka_unit_test(a_wrong_secret_is_told_in_the_services_words),
      cmocka_unit_test(what_was_changed_on_the_way_is_refused),
      cmocka_unit_test(a_missing_signature_is_refused),
      cmocka_unit_test(any_signature_will_do_when_none_is_verified),
      cmocka_unit_test(a_presigned_url_is_verified_too),
      cmocka_unit_test(a_json_service_may_be_asked_in_query),
      cmocka_unit_test(an_unknown_operation_is_named),
      cmocka_unit_test(bad_input_is_refused_before_it_reaches_the_world),
      cmocka_unit_test(every_answer_has_a_request_id_and_a_date),
      cmocka_unit_test(the_registry_has_a_door_of_its_own),
      cmocka_unit_test(what_nobody_answers_is_not_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
