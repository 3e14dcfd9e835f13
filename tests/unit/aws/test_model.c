/* Tests of the embedded models: finding things by every name they have, and refusing what is not a
 * model. */
#include "aws/model/builder.h"
#include "unit/check.h"

static const mb_model *model_of(const char *name) {
  const mb_model *model = mb_model_find(name);
  assert_non_null(model);
  return model;
}

static const mb_shape *input_of(const mb_model *model, const char *operation) {
  const mb_operation *found = mb_model_operation(model, operation);
  assert_non_null(found);
  const mb_shape *input = mb_model_shape(model, found->input);
  assert_non_null(input);
  return input;
}

static const mb_member *member_of(const mb_model *model, const mb_shape *shape, const char *name) {
  return mb_model_member(model, shape, name, strlen(name));
}

static const mb_member *on_the_wire(const mb_model *model, const mb_shape *shape,
                                    const char *name) {
  return mb_model_member_by_wire(model, shape, name, strlen(name));
}

#define assert_text(model, text, expected)                                                         \
  assert_string_equal(mb_model_text((model), (text)), (expected))

static void hyphen_and_underscore_name_the_same_service(void **state) {
  (void)state;
  assert_ptr_equal(model_of("sso-oidc"), model_of("sso_oidc"));
  assert_ptr_not_equal(model_of("sso"), model_of("sso_oidc"));
}

static void unknown_services_are_not_found(void **state) {
  (void)state;
  assert_null(mb_model_find("nosuch"));
  assert_null(mb_model_find(""));
  assert_null(mb_model_find(NULL));
  assert_null(mb_model_find("partitions.json"));
  assert_null(mb_model_find("../models/ecs"));
}

static void every_named_service_opens_under_its_own_name(void **state) {
  (void)state;
  const char *names[256];
  size_t count = mb_model_names(names, 256);
  assert_true(count >= 30 && count < 256);
  assert_int_equal(mb_model_names(NULL, 0), count);
  for (size_t i = 0; i < count; i++) {
    mb_service service;
    mb_model_service(model_of(names[i]), &service);
    assert_string_equal(service.namespace_, names[i]);
    assert_string_not_equal(service.endpoint_rules, "");
    assert_string_not_equal(service.signing_name, "");
    assert_true(mb_model_operation_count(model_of(names[i])) > 0);
    assert_true(i == 0 || strcmp(names[i - 1], names[i]) < 0);
  }
}

static void partitions_are_there(void **state) {
  (void)state;
  size_t size = 0;
  const char *text = mb_model_partitions(&size);
  assert_non_null(text);
  assert_int_equal(strlen(text), size);
  assert_non_null(strstr(text, "aws-us-gov"));
}

static void service_facts_are_the_models_own(void **state) {
  (void)state;
  mb_service service;
  mb_model_service(model_of("cloudwatch"), &service);
  assert_int_equal(service.protocol, MB_PROTOCOL_JSON);
  assert_true(service.query_mode && service.query_compatible);
  assert_string_equal(service.json_version, "1.0");
  assert_string_equal(service.signing_name, "monitoring");
  mb_model_service(model_of("elbv2"), &service);
  assert_int_equal(service.protocol, MB_PROTOCOL_QUERY);
  assert_string_equal(service.service_id, "Elastic Load Balancing v2");
  assert_string_equal(service.signing_name, "elasticloadbalancing");
  assert_false(service.query_mode);
  mb_model_service(model_of("sso"), &service);
  assert_string_equal(service.signing_name, "awsssoportal");
  mb_model_service(model_of("ec2"), &service);
  assert_int_equal(service.protocol, MB_PROTOCOL_EC2);
  mb_model_service(model_of("s3"), &service);
  assert_int_equal(service.protocol, MB_PROTOCOL_REST_XML);
}

static void operations_are_found_in_both_spellings(void **state) {
  (void)state;
  const char *names[256];
  size_t count = mb_model_names(names, 256);
  for (size_t i = 0; i < count; i++) {
    const mb_model *model = model_of(names[i]);
    for (size_t o = 0; o < mb_model_operation_count(model); o++) {
      const mb_operation *operation = mb_model_operation_at(model, o);
      assert_ptr_equal(mb_model_operation(model, mb_model_text(model, operation->name)), operation);
      assert_ptr_equal(mb_model_operation(model, mb_model_text(model, operation->snake)),
                       operation);
    }
    assert_null(mb_model_operation(model, "no_such_operation"));
    assert_null(mb_model_operation(model, ""));
  }
}

/* Checks every member of a shape; wire names count only in the body. */
static void check_members(const mb_model *model, const mb_shape *shape) {
  const mb_member *members = mb_model_members(model, shape);
  for (uint32_t i = 0; i < shape->member_count; i++) {
    const char *wire = mb_model_text(model, members[i].wire);
    assert_ptr_equal(member_of(model, shape, mb_model_text(model, members[i].name)), &members[i]);
    assert_ptr_equal(member_of(model, shape, mb_model_text(model, members[i].snake)), &members[i]);
    const mb_member *found = on_the_wire(model, shape, wire);
    if (members[i].location == MB_LOCATION_BODY) {
      assert_non_null(found);
      assert_text(model, found->wire, wire);
    } else if (found) {
      assert_int_equal(found->location, MB_LOCATION_BODY);
    }
    assert_non_null(mb_model_shape(model, members[i].shape));
  }
}

static void every_member_is_found_by_each_of_its_names(void **state) {
  (void)state;
  const char *names[256];
  size_t count = mb_model_names(names, 256);
  for (size_t i = 0; i < count; i++) {
    const mb_model *model = model_of(names[i]);
    const mb_shape *shape;
    for (uint32_t s = 0; (shape = mb_model_shape(model, s)) != NULL; s++)
      check_members(model, shape);
  }
}

static void member_names_need_no_terminator(void **state) {
  (void)state;
  const mb_model *model = model_of("ecs");
  const mb_shape *input = input_of(model, "update_service");
  const mb_member *found = mb_model_member(model, input, "desired_count_and_more", 13);
  assert_non_null(found);
  assert_text(model, found->name, "desiredCount");
  assert_null(mb_model_member(model, input, "desired_count", 12));
  assert_null(mb_model_member(model, input, "desired_count\0x", 15));
  assert_null(mb_model_member(model, input, "", 0));
}

static void members_outside_the_body_have_no_wire_name_in_it(void **state) {
  (void)state;
  const mb_model *model = model_of("s3");
  const mb_shape *input = input_of(model, "PutObject");
  const mb_member *bucket = member_of(model, input, "bucket");
  assert_non_null(bucket);
  assert_int_equal(bucket->location, MB_LOCATION_URI);
  assert_true(bucket->flags & MB_MEMBER_REQUIRED);
  assert_text(model, bucket->context_param, "Bucket");
  assert_null(on_the_wire(model, input, "Bucket"));
  const mb_member *body = mb_model_member_at(model, input->payload);
  assert_non_null(body);
  assert_text(model, body->name, "Body");
}

static void wire_names_differ_from_names_in_ec2(void **state) {
  (void)state;
  const mb_model *model = model_of("ec2");
  const mb_operation *operation = mb_model_operation(model, "describe_availability_zones");
  const mb_shape *output = mb_model_shape(model, operation->output);
  const mb_member *zones = on_the_wire(model, output, "availabilityZoneInfo");
  assert_non_null(zones);
  assert_text(model, zones->name, "AvailabilityZones");
  const mb_shape *list = mb_model_shape(model, zones->shape);
  assert_int_equal(list->type, MB_SHAPE_LIST);
  assert_text(model, mb_model_members(model, list)->wire, "item");
}

static void errors_are_found_by_operation_and_by_code(void **state) {
  (void)state;
  const mb_model *model = model_of("ecs");
  const mb_operation *operation = mb_model_operation(model, "update_service");
  bool found = false;
  for (uint32_t i = 0; i < operation->error_count; i++) {
    const mb_shape *error = mb_model_error_at(model, operation, i);
    assert_non_null(error);
    assert_true(error->flags & MB_SHAPE_ERROR);
    found = found || strcmp(mb_model_text(model, error->name), "ServiceNotFoundException") == 0;
  }
  assert_true(found);
  assert_null(mb_model_error_at(model, operation, operation->error_count));
  const mb_model *elb = model_of("elbv2");
  const mb_shape *code = mb_model_error_by_code(elb, "TargetGroupNotFound", 19);
  assert_non_null(code);
  assert_text(elb, code->name, "TargetGroupNotFoundException");
  assert_int_equal(code->error_status, 400);
  assert_null(mb_model_error_by_code(elb, "TargetGroupNotFound", 18));
}

static void ecs_paginators_are_botocores(void **state) {
  (void)state;
  const mb_model *model = model_of("ecs");
  const mb_paginator *p = mb_model_paginator(model, mb_model_operation(model, "list_services"));
  assert_non_null(p);
  assert_text(model, p->input_tokens, "next_token");
  assert_text(model, p->output_tokens, "next_token");
  assert_text(model, p->result_keys, "service_arns");
  assert_text(model, p->limit_key, "max_results");
  assert_int_equal(p->derived, 0);
  assert_null(mb_model_paginator(model, mb_model_operation(model, "update_service")));
}

static void listings_without_a_paginator_get_a_derived_one(void **state) {
  (void)state;
  const mb_model *ecs = model_of("ecs"), *waf = model_of("wafv2");
  const mb_paginator *p =
      mb_model_paginator(ecs, mb_model_operation(ecs, "describe_capacity_providers"));
  assert_non_null(p);
  assert_int_equal(p->derived, 1);
  assert_text(ecs, p->result_keys, "capacity_providers\nfailures");
  p = mb_model_paginator(waf, mb_model_operation(waf, "list_web_acls"));
  assert_non_null(p);
  assert_int_equal(p->derived, 1);
  assert_text(waf, p->input_tokens, "next_marker");
  assert_text(waf, p->output_tokens, "next_marker");
  assert_text(waf, p->result_keys, "web_acls");
  assert_text(waf, p->limit_key, "limit");
}

static void patches_beside_the_models_are_merged(void **state) {
  (void)state;
  mb_service service;
  mb_model_service(model_of("secretsmanager"), &service);
  assert_string_equal(service.service_id, "Secrets Manager");
  const mb_model *logs = model_of("logs");
  const mb_paginator *p =
      mb_model_paginator(logs, mb_model_operation(logs, "get_scheduled_query_history"));
  assert_non_null(p);
  assert_text(logs, p->non_aggregate, "name\nscheduled_query_arn");
}

static const mb_waiter *waiter_of(const mb_model *model, const char *snake) {
  for (size_t i = 0; i < mb_model_waiter_count(model); i++) {
    const mb_waiter *waiter = mb_model_waiter_at(model, i);
    if (strcmp(mb_model_text(model, waiter->snake), snake) == 0)
      return waiter;
  }
  return NULL;
}

static void ecs_waiters_speak_snake_case(void **state) {
  (void)state;
  const mb_model *model = model_of("ecs");
  const mb_waiter *waiter = waiter_of(model, "services_stable");
  assert_non_null(waiter);
  assert_int_equal(waiter->delay_seconds, 15);
  assert_int_equal(waiter->max_attempts, 40);
  assert_text(model, mb_model_waiter_operation(model, waiter)->snake, "describe_services");
  const mb_acceptor *acceptors = mb_model_acceptors(model, waiter);
  assert_int_equal(waiter->acceptor_count, 4);
  assert_int_equal(acceptors[0].state, MB_ACCEPTOR_FAILURE);
  assert_int_equal(acceptors[0].matcher, MB_MATCHER_PATH_ANY);
  assert_text(model, acceptors[0].expected, "\"MISSING\"");
  assert_text(model, acceptors[3].expected, "true");
  assert_text(model, acceptors[3].argument,
              "length(services[?!(length(deployments) == `1` && running_count == "
              "desired_count)]) == `0`");
  assert_null(mb_model_waiter_at(model, mb_model_waiter_count(model)));
}

static void context_parameters_are_json(void **state) {
  (void)state;
  const mb_model *model = model_of("dynamodb");
  const mb_operation *operation = mb_model_operation(model, "batch_get_item");
  assert_text(model, operation->operation_context, "{\"ResourceArnList\":\"keys(request_items)\"}");
  const mb_model *s3 = model_of("s3");
  assert_text(s3, mb_model_operation(s3, "create_bucket")->static_context,
              "{\"DisableAccessPoints\":true,\"UseS3ExpressControlEndpoint\":true}");
}

static void indexes_out_of_range_give_nothing(void **state) {
  (void)state;
  const mb_model *model = model_of("ecs");
  assert_null(mb_model_operation_at(model, mb_model_operation_count(model)));
  assert_null(mb_model_operation_at(model, SIZE_MAX));
  assert_null(mb_model_shape(model, MB_NO_INDEX));
  assert_null(mb_model_member_at(model, MB_NO_INDEX));
  assert_string_equal(mb_model_text(model, UINT32_MAX), "");
  assert_null(mb_model_members(model, NULL));
  assert_null(mb_model_paginator(model, NULL));
  assert_null(mb_model_acceptors(model, NULL));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hyphen_and_underscore_name_the_same_service),
      cmocka_unit_test(unknown_services_are_not_found),
      cmocka_unit_test(every_named_service_opens_under_its_own_name),
      cmocka_unit_test(partitions_are_there),
      cmocka_unit_test(service_facts_are_the_models_own),
      cmocka_unit_test(operations_are_found_in_both_spellings),
      cmocka_unit_test(every_member_is_found_by_each_of_its_names),
      cmocka_unit_test(member_names_need_no_terminator),
      cmocka_unit_test(members_outside_the_body_have_no_wire_name_in_it),
      cmocka_unit_test(wire_names_differ_from_names_in_ec2),
      cmocka_unit_test(errors_are_found_by_operation_and_by_code),
      cmocka_unit_test(ecs_paginators_are_botocores),
      cmocka_unit_test(listings_without_a_paginator_get_a_derived_one),
      cmocka_unit_test(patches_beside_the_models_are_merged),
      cmocka_unit_test(ecs_waiters_speak_snake_case),
      cmocka_unit_test(context_parameters_are_json),
      cmocka_unit_test(indexes_out_of_range_give_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
