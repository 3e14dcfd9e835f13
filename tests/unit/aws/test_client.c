/* One call: what goes out, what comes back, and what an error says. */
#include "client_world.h"

static world w;

static int open_world(void **state) {
  world_init(&w);
  return 0;
}

static int close_world(void **state) {
  world_close(&w);
  return 0;
}

static void a_call_is_signed_sent_and_decoded(void **state) {
  static const fake_step steps[] = {
      {.operation = "DescribeClusters",
       .status = 200,
       .headers = "x-amzn-requestid: r-1",
       .body = "{\"clusters\":[{\"clusterName\":\"prod\",\"runningTasksCount\":3}],\"failures\":[]}"}};
  fake_play(&w.fake, steps, 1);
  const mb_aws_result *result = world_describe(&w);
  if (result->failed)
    fail_msg("%s: %s", result->error.code, result->error.message);
  const mb_value *cluster = mb_list_at(mb_map_get(result->output, "clusters"), 0);
  assert_string_equal(mb_value_string(mb_map_get(cluster, "cluster_name")), "prod");
  assert_int_equal(mb_value_integer(mb_map_get(cluster, "running_tasks_count")), 3);
  assert_string_equal(result->request_id, "r-1");
  assert_int_equal(result->attempts, 1);
  assert_int_equal(result->status, 200);

  const fake_request *request = &w.fake.requests[0];
  assert_string_equal(request->url, "https://ecs.eu-west-1.amazonaws.com/");
  assert_string_equal(request->method, "POST");
  assert_string_equal(request->body, "{\"clusters\":[\"prod\"]}");
  assert_contains(fake_header(request, "Authorization"),
                  "Credential=AKIDEXAMPLE/20261123/eu-west-1/ecs/aws4_request");
  assert_contains(fake_header(request, "Authorization"), "amz-sdk-invocation-id;amz-sdk-request");
  assert_string_equal(fake_header(request, "X-Amz-Date"), "20261123T140000Z");
  assert_string_equal(fake_header(request, "amz-sdk-request"), "attempt=1; max=3");
  assert_int_equal(strlen(fake_header(request, "amz-sdk-invocation-id")), 36);
  assert_null(fake_header(request, "X-Amz-Security-Token"));
  assert_contains(fake_header(request, "User-Agent"), "moonbook/0.1.0 ua/2.1 os/linux#");
  assert_contains(fake_header(request, "User-Agent"), " m/E cfg/retry-mode#standard");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_call_is_signed_sent_and_decoded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
