/* What the declarations of service operations say: a property over every embedded model, and the
 * ones that matter most by name. */
#include "base/text.h"
#include "call/call.h"
#include "call/declare.h"
#include "support/fake_transport.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static fake_machine fake;
static mb_engine engine;

static int set_up(void **state) {
  mb_error error;
  fake_init(&fake);
  return mb_engine_init(&engine, &fake.system, NULL, 0, &error);
}

static int tear_down(void **state) {
  mb_engine_dispose(&engine);
  fake_dispose(&fake);
  return 0;
}

static const mb_primitive *find(const char *name) {
  mb_error error;
  const mb_binding *binding = mb_engine_find(&engine, name, &error);
  if (!binding)
    fail_msg("%s: %s", name, error.message);
  return &binding->primitive;
}

/* ---- every operation of every model ---- */

static void for_each_operation(void (*check)(const mb_binding *binding)) {
  const char *spaces[512], *names[2048];
  mb_error error;
  size_t count = mb_engine_namespaces(&engine, spaces, 512), seen = 0;
  for (size_t i = 0; i < count; i++) {
    size_t inside = mb_engine_names(&engine, spaces[i], names, 2048);
    for (size_t k = 0; k < inside; k++) {
      const mb_binding *binding = mb_engine_find(&engine, names[k], &error);
      assert_non_null(binding);
      if (binding->operation) {
        check(binding);
        seen++;
      }
    }
  }
  assert_true(seen > 100); /* there are models at all */
}

static bool is_line(const char *text) {
  return text && *text && !strpbrk(text, "\r\n") && strlen(text) < 4096;
}

static void check_complete(const mb_binding *binding) {
  const mb_primitive *p = &binding->primitive;
  if (!is_line(p->summary) || mb_text_ends(p->summary, ".") || !is_line(p->results) ||
      !is_line(p->since) || !p->start || !p->cancel || !p->arguments)
    fail_msg("%s: incomplete", p->name);
  if (p->effect < MB_EFFECT_READS || p->effect > MB_EFFECT_DESTROYS)
    fail_msg("%s: effect", p->name);
  if (p->recovery < MB_RECOVERY_PURE || p->recovery > MB_RECOVERY_WAIT)
    fail_msg("%s: recovery", p->name);
  for (const mb_argument *a = p->arguments; a->name; a++) {
    if (!is_line(a->doc) || a->type < MB_ARGUMENT_STRING || a->type > MB_ARGUMENT_ANY)
      fail_msg("%s: argument %s", p->name, a->name);
    for (const mb_argument *b = p->arguments; b != a; b++) {
      if (strcmp(a->name, b->name) == 0)
        fail_msg("%s: two arguments %s", p->name, a->name);
    }
  }
}

static void every_operation_has_a_complete_declaration(void **state) {
  for_each_operation(check_complete);
}

static void check_action(const mb_binding *binding) {
  const mb_primitive *p = &binding->primitive;
  mb_service service;
  mb_model_service(binding->model, &service);
  if (service.unsigned_all || (binding->operation->flags & MB_OPERATION_UNSIGNED)) {
    assert_null(p->iam_actions);
    return;
  }
  if (!p->iam_actions || !p->iam_actions[0])
    fail_msg("%s: no IAM action", p->name);
  for (const char *const *at = p->iam_actions; *at; at++) {
    const char *colon = strchr(*at, ':');
    if (!colon || colon == *at || !colon[1] || strchr(colon + 1, ':') || strchr(*at, ' '))
      fail_msg("%s: %s is no IAM action", p->name, *at);
  }
}

static void every_signed_operation_names_its_action(void **state) {
  for_each_operation(check_action);
}

static bool has_verb(const mb_binding *binding, const char *verb) {
  const char *snake = mb_model_text(binding->model, binding->operation->snake);
  if (mb_text_starts(snake, "batch_"))
    snake += strlen("batch_");
  size_t size = strlen(verb);
  return strncmp(snake, verb, size) == 0 && snake[size] == '_';
}

static void check_effect(const mb_binding *binding) {
  static const char *const taking[] = {"delete", "terminate", "purge", "destroy", "release"};
  static const char *const writing[] = {"create", "update", "put",    "modify", "register", "run",
                                        "stop",   "set",    "attach", "remove", "revoke",   "tag"};
  const mb_primitive *p = &binding->primitive;
  for (size_t i = 0; i < sizeof taking / sizeof *taking; i++) {
    if (has_verb(binding, taking[i]) && p->effect != MB_EFFECT_DESTROYS)
      fail_msg("%s: %s", p->name, mb_effect_name(p->effect));
  }
  for (size_t i = 0; i < sizeof writing / sizeof *writing; i++) {
    bool known =
        strcmp(p->name, "s3.create_session") == 0 || strcmp(p->name, "logs.stop_query") == 0;
    if (has_verb(binding, writing[i]) && p->effect == MB_EFFECT_READS && !known)
      fail_msg("%s: reads", p->name);
  }
  if (binding->waiter && p->effect != MB_EFFECT_READS)
    fail_msg("%s: a waiter only looks", p->name);
}

static void what_takes_away_never_reads(void **state) {
  for_each_operation(check_effect);
}

static void check_recovery(const mb_binding *binding) {
  const mb_primitive *p = &binding->primitive;
  mb_recovery expected = binding->waiter ? MB_RECOVERY_WAIT : MB_RECOVERY_READ;
  if (p->effect == MB_EFFECT_READS && p->recovery != expected)
    fail_msg("%s: reads, but %s", p->name, mb_recovery_name(p->recovery));
  if (p->effect != MB_EFFECT_READS && p->recovery < MB_RECOVERY_TOKEN)
    fail_msg("%s: writes, but %s", p->name, mb_recovery_name(p->recovery));
  if (p->recovery != MB_RECOVERY_TOKEN)
    return;
  const mb_shape *input = mb_model_shape(binding->model, binding->operation->input);
  bool filled = mb_operation_token(binding->model, binding->operation) != NULL;
  for (uint32_t i = 0; i < input->member_count; i++)
    filled = filled ||
             (mb_model_members(binding->model, input)[i].flags & MB_MEMBER_IDEMPOTENCY_TOKEN) != 0;
  if (!filled)
    fail_msg("%s: token, but nothing fills one in", p->name);
}

static void recovery_fits_the_effect_and_tokens_exist(void **state) {
  for_each_operation(check_recovery);
}

/* ---- by name ---- */

static void effects_by_name(void **state) {
  static const struct {
    const char *name;
    mb_effect effect;
    mb_recovery recovery;
  } expected[] = {
      {"ecs.describe_services", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"ecs.list_tasks", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"ecs.get_task_protection", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"ecs.discover_poll_endpoint", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"ecs.update_service", MB_EFFECT_WRITES, MB_RECOVERY_CONVERGE},
      {"ecs.stop_service_deployment", MB_EFFECT_WRITES, MB_RECOVERY_CONVERGE},
      {"ecs.create_service", MB_EFFECT_WRITES, MB_RECOVERY_TOKEN},
      {"ecs.create_task_set", MB_EFFECT_WRITES, MB_RECOVERY_TOKEN},
      {"ecs.run_task", MB_EFFECT_WRITES, MB_RECOVERY_TOKEN},
      {"ecs.register_task_definition", MB_EFFECT_WRITES, MB_RECOVERY_FIND},
      {"ecs.execute_command", MB_EFFECT_WRITES, MB_RECOVERY_ONCE},
      {"ecs.put_cluster_capacity_providers", MB_EFFECT_WRITES, MB_RECOVERY_CONVERGE},
      {"ecs.tag_resource", MB_EFFECT_WRITES, MB_RECOVERY_CONVERGE},
      {"ecs.stop_task", MB_EFFECT_DESTROYS, MB_RECOVERY_CONVERGE},
      {"ecs.delete_service", MB_EFFECT_DESTROYS, MB_RECOVERY_CONVERGE},
      {"ecs.deregister_task_definition", MB_EFFECT_DESTROYS, MB_RECOVERY_CONVERGE},
      {"ecs.wait_for_services_stable", MB_EFFECT_READS, MB_RECOVERY_WAIT},
      {"ecr.get_authorization_token", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"ecr.batch_get_image", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"ecr.batch_check_layer_availability", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"ecr.batch_delete_image", MB_EFFECT_DESTROYS, MB_RECOVERY_CONVERGE},
      {"ecr.put_image", MB_EFFECT_WRITES, MB_RECOVERY_CONVERGE},
      {"elbv2.register_targets", MB_EFFECT_WRITES, MB_RECOVERY_CONVERGE},
      {"elbv2.deregister_targets", MB_EFFECT_WRITES, MB_RECOVERY_CONVERGE},
      {"elbv2.modify_listener", MB_EFFECT_WRITES, MB_RECOVERY_CONVERGE},
      {"elbv2.modify_rule", MB_EFFECT_WRITES, MB_RECOVERY_CONVERGE},
      {"logs.filter_log_events", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"logs.start_query", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"logs.stop_query", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"logs.get_query_results", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"logs.put_log_events", MB_EFFECT_WRITES, MB_RECOVERY_ONCE},
      {"cloudwatch.get_metric_data", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"cloudwatch.put_metric_data", MB_EFFECT_WRITES, MB_RECOVERY_ONCE},
      {"ssm.get_parameter", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"ssm.put_parameter", MB_EFFECT_WRITES, MB_RECOVERY_CONVERGE},
      {"ssm.send_command", MB_EFFECT_WRITES, MB_RECOVERY_ONCE},
      {"secretsmanager.get_secret_value", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"secretsmanager.put_secret_value", MB_EFFECT_WRITES, MB_RECOVERY_TOKEN},
      {"sts.assume_role", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"sts.get_caller_identity", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"application_autoscaling.put_scaling_policy", MB_EFFECT_WRITES, MB_RECOVERY_CONVERGE},
      {"iam.simulate_principal_policy", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"iam.create_access_key", MB_EFFECT_WRITES, MB_RECOVERY_ONCE},
      {"ec2.run_instances", MB_EFFECT_WRITES, MB_RECOVERY_TOKEN},
      {"ec2.terminate_instances", MB_EFFECT_DESTROYS, MB_RECOVERY_CONVERGE},
      {"ec2.release_address", MB_EFFECT_DESTROYS, MB_RECOVERY_CONVERGE},
      {"ec2.get_flow_logs_integration_template", MB_EFFECT_WRITES, MB_RECOVERY_ONCE},
      {"ec2.revoke_security_group_ingress", MB_EFFECT_WRITES, MB_RECOVERY_CONVERGE},
      {"s3.get_object", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"s3.head_object", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"s3.list_objects_v2", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"s3.select_object_content", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"s3.put_object", MB_EFFECT_WRITES, MB_RECOVERY_CONVERGE},
      {"s3.delete_objects", MB_EFFECT_DESTROYS, MB_RECOVERY_CONVERGE},
      {"s3.abort_multipart_upload", MB_EFFECT_DESTROYS, MB_RECOVERY_CONVERGE},
      {"dynamodb.query", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"dynamodb.scan", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"dynamodb.batch_get_item", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"dynamodb.transact_get_items", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"dynamodb.transact_write_items", MB_EFFECT_WRITES, MB_RECOVERY_TOKEN},
      {"dynamodb.execute_statement", MB_EFFECT_WRITES, MB_RECOVERY_ONCE},
      {"dynamodb.update_item", MB_EFFECT_WRITES, MB_RECOVERY_ONCE},
      {"events.put_events", MB_EFFECT_WRITES, MB_RECOVERY_ONCE},
      {"events.put_rule", MB_EFFECT_WRITES, MB_RECOVERY_CONVERGE},
      {"cloudformation.detect_stack_drift", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"cloudformation.update_stack", MB_EFFECT_WRITES, MB_RECOVERY_TOKEN},
      {"cloudformation.validate_template", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"codedeploy.batch_get_deployments", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"wafv2.check_capacity", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"acm.revoke_certificate", MB_EFFECT_DESTROYS, MB_RECOVERY_CONVERGE},
      {"cloudtrail.start_query", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"kms.decrypt", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"kms.generate_data_key", MB_EFFECT_READS, MB_RECOVERY_READ},
      {"kms.schedule_key_deletion", MB_EFFECT_DESTROYS, MB_RECOVERY_CONVERGE},
      {"lambda.invoke", MB_EFFECT_WRITES, MB_RECOVERY_ONCE},
      {"sns.publish", MB_EFFECT_WRITES, MB_RECOVERY_ONCE},
  };
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    const mb_primitive *p = find(expected[i].name);
    if (p->effect != expected[i].effect || p->recovery != expected[i].recovery)
      fail_msg("%s: %s, %s", p->name, mb_effect_name(p->effect), mb_recovery_name(p->recovery));
  }
}

static void actions_by_name(void **state) {
  static const struct {
    const char *name, *first, *second;
  } expected[] = {
      {"ecs.describe_services", "ecs:DescribeServices", NULL},
      {"ecs.wait_for_services_stable", "ecs:DescribeServices", NULL},
      {"ecs.register_task_definition", "ecs:RegisterTaskDefinition", "iam:PassRole"},
      {"cloudwatch.get_metric_data", "cloudwatch:GetMetricData", NULL},
      {"elbv2.describe_target_health", "elasticloadbalancing:DescribeTargetHealth", NULL},
      {"application_autoscaling.put_scaling_policy", "application-autoscaling:PutScalingPolicy",
       NULL},
      {"s3.list_objects_v2", "s3:ListBucket", NULL},
      {"s3.head_bucket", "s3:ListBucket", NULL},
      {"s3.head_object", "s3:GetObject", NULL},
      {"s3.list_buckets", "s3:ListAllMyBuckets", NULL},
      {"s3.copy_object", "s3:GetObject", "s3:PutObject"},
      {"dynamodb.transact_get_items", "dynamodb:GetItem", NULL},
      {"logs.filter_log_events", "logs:FilterLogEvents", NULL},
      {"wafv2.list_web_acls", "wafv2:ListWebACLs", NULL},
      {"lambda.invoke", "lambda:InvokeFunction", NULL},
      {"resourcegroupstaggingapi.get_resources", "tag:GetResources", NULL},
  };
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    const mb_primitive *p = find(expected[i].name);
    assert_non_null(p->iam_actions);
    assert_string_equal(p->iam_actions[0], expected[i].first);
    if (expected[i].second)
      assert_string_equal(p->iam_actions[1], expected[i].second);
    else
      assert_null(p->iam_actions[1]);
  }
  assert_null(find("sso.get_role_credentials")->iam_actions);
}

static const mb_argument *argument(const char *primitive, const char *name) {
  for (const mb_argument *a = find(primitive)->arguments; a->name; a++) {
    if (strcmp(a->name, name) == 0)
      return a;
  }
  fail_msg("%s has no %s", primitive, name);
  return NULL;
}

static void arguments_by_name(void **state) {
  assert_int_equal(argument("ecs.describe_services", "services")->type, MB_ARGUMENT_STRINGS);
  assert_true(argument("ecs.describe_services", "services")->required);
  assert_string_equal(argument("ecs.describe_services", "services")->doc, "list of string");
  assert_false(argument("ecs.describe_services", "cluster")->required);
  assert_int_equal(argument("ecs.update_service", "desired_count")->type, MB_ARGUMENT_INTEGER);
  assert_int_equal(argument("ecs.update_service", "force_new_deployment")->type,
                   MB_ARGUMENT_BOOLEAN);
  assert_string_equal(argument("ecs.tag_resource", "tags")->doc, "list of Tag {key, value}");
  assert_int_equal(argument("ecs.tag_resource", "tags")->type, MB_ARGUMENT_LIST);
  assert_int_equal(argument("cloudwatch.get_metric_data", "start_time")->type, MB_ARGUMENT_ANY);
  assert_int_equal(argument("ecs.wait_for_services_stable", "delay")->type, MB_ARGUMENT_DURATION);
  assert_int_equal(argument("ecs.wait_for_services_stable", "max_attempts")->type,
                   MB_ARGUMENT_INTEGER);
  assert_true(argument("ecs.wait_for_services_stable", "services")->required);
  assert_string_equal(find("ecs.describe_services")->results, "services, failures");
  assert_string_equal(find("ecs.describe_services")->summary, "DescribeServices of ECS");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_operation_has_a_complete_declaration),
      cmocka_unit_test(every_signed_operation_names_its_action),
      cmocka_unit_test(what_takes_away_never_reads),
      cmocka_unit_test(recovery_fits_the_effect_and_tokens_exist),
      cmocka_unit_test(effects_by_name),
      cmocka_unit_test(actions_by_name),
      cmocka_unit_test(arguments_by_name),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
