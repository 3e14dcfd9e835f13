/* Tests of the text form, of names in snake_case, and of packed bytes that are damaged. */
#include "aws/model/builder.h"
#include "unit/check.h"

static const char small_text[] = "moonbook-model 1 toy 1.0.0\n"
                                 "id Toy Service\n"
                                 "api 2020-01-01\n"
                                 "endpoint toy\n"
                                 "json 1.1\n"
                                 "protocol rest-json\n"
                                 "structure Boom error status=409 code=Toy.Boom sender-fault\n"
                                 " message Text\n"
                                 "structure ListToysRequest\n"
                                 " nextToken Text @querystring\n"
                                 " maxResults Count @querystring =max%20results\n"
                                 " clientToken Text token @header =x-token\n"
                                 "structure ListToysResponse payload=toys\n"
                                 " nextToken Text @header ^\n"
                                 " toys ToyList ! ~\n"
                                 " made Time format=rfc822\n"
                                 "structure Toy\n"
                                 " name Text !\n"
                                 " lists ToyMap\n"
                                 "string Text min=1 sensitive\n"
                                 "integer Count min=-5\n"
                                 "timestamp Time format=iso8601\n"
                                 "list ToyList flattened\n"
                                 " member Toy =toy\n"
                                 "map ToyMap\n"
                                 " key Text\n"
                                 " value ToyList\n"
                                 "operation ListToys +Request +Response method=GET uri=/toys/{a+}\n"
                                 " errors Boom\n"
                                 "operation Ping - - status=204 unsigned\n"
                                 "paginator ListToys\n"
                                 " input nextToken\n"
                                 " output nextToken\n"
                                 " result toys\n"
                                 " result other.thingNames\n"
                                 "waiter ToysThere ListToys 3 9\n"
                                 " success pathAny \"a%20b\" toys[].name\n"
                                 " retry error true\n"
                                 "rules {\"version\":\"1.0\",\"rules\":[]}\n";

static const mb_model *pack(mb_buffer *packed, const char *text) {
  mb_error error = {0};
  mb_buffer_init(packed, 1 << 24);
  if (mb_model_from_text(packed, text, strlen(text), &error) != 0) {
    print_error("%s\n", error.message);
    return NULL;
  }
  return mb_model_open(packed->data, packed->size);
}

/* The block's bytes must come back from its text. */
static void check_round_trip(const mb_model *model, size_t size) {
  mb_error error = {0};
  mb_buffer text = MB_BUFFER_INIT(1 << 24), again = MB_BUFFER_INIT(1 << 24);
  assert_int_equal(mb_model_write_text(&text, model, &error), 0);
  assert_int_equal(mb_model_from_text(&again, text.data, text.size, &error), 0);
  assert_int_equal(again.size, size);
  assert_memory_equal(again.data, model, size);
  mb_buffer_dispose(&text);
  mb_buffer_dispose(&again);
}

static void every_embedded_model_survives_the_round_trip(void **state) {
  (void)state;
  const char *names[256];
  size_t count = mb_model_names(names, 256);
  assert_true(count >= 30);
  for (size_t i = 0; i < count; i++) {
    const mb_model *model = mb_model_find(names[i]);
    uint32_t size = 0; /* the fourth word of the header */
    memcpy(&size, (const char *)model + 12, sizeof size);
    check_round_trip(model, size);
  }
}

static void a_small_text_survives_the_round_trip(void **state) {
  (void)state;
  mb_buffer packed;
  const mb_model *model = pack(&packed, small_text);
  assert_non_null(model);
  check_round_trip(model, packed.size);
  mb_buffer_dispose(&packed);
}

static void attributes_mean_what_they_say(void **state) {
  (void)state;
  mb_buffer packed;
  const mb_model *model = pack(&packed, small_text);
  assert_non_null(model);
  const mb_operation *list = mb_model_operation(model, "list_toys");
  assert_string_equal(mb_model_text(model, list->method), "GET");
  assert_string_equal(mb_model_text(model, list->uri), "/toys/{a+}");
  const mb_shape *input = mb_model_shape(model, list->input);
  const mb_member *member = mb_model_member(model, input, "max_results", 11);
  assert_string_equal(mb_model_text(model, member->wire), "max results");
  assert_int_equal(member->location, MB_LOCATION_QUERY);
  assert_int_equal(mb_model_shape(model, member->shape)->min, -5);
  member = mb_model_member(model, input, "clientToken", 11);
  assert_int_equal(member->flags, MB_MEMBER_IDEMPOTENCY_TOKEN | MB_MEMBER_HAS_WIRE);
  const mb_shape *output = mb_model_shape(model, list->output);
  member = mb_model_member_at(model, output->payload);
  assert_string_equal(mb_model_text(model, member->wire), "Toys");
  assert_int_equal(member->flags, MB_MEMBER_REQUIRED | MB_MEMBER_HAS_WIRE);
  member = mb_model_member(model, output, "made", 4);
  assert_int_equal(member->format, MB_TIMESTAMP_HTTP);
  assert_int_equal(mb_model_shape(model, member->shape)->format, MB_TIMESTAMP_ISO);
  const mb_shape *boom = mb_model_error_at(model, list, 0);
  assert_int_equal(boom->error_status, 409);
  assert_string_equal(mb_model_text(model, boom->error_code), "Toy.Boom");
  const mb_paginator *paginator = mb_model_paginator(model, list);
  assert_string_equal(mb_model_text(model, paginator->result_keys), "toys\nother.thing_names");
  const mb_waiter *waiter = mb_model_waiter_at(model, 0);
  assert_string_equal(mb_model_text(model, mb_model_acceptors(model, waiter)->expected), "\"a b\"");
  const mb_operation *ping = mb_model_operation(model, "Ping");
  assert_int_equal(ping->response_status, 204);
  assert_int_equal(ping->flags, MB_OPERATION_UNSIGNED);
  mb_buffer_dispose(&packed);
}

static void lines_end_with_or_without_a_newline(void **state) {
  (void)state;
  mb_buffer packed, again;
  char cut[sizeof small_text];
  memcpy(cut, small_text, sizeof cut);
  cut[strlen(cut) - 1] = '\0';
  assert_non_null(pack(&packed, small_text));
  assert_non_null(pack(&again, cut));
  assert_int_equal(packed.size, again.size);
  assert_memory_equal(packed.data, again.data, packed.size);
  mb_buffer_dispose(&packed);
  mb_buffer_dispose(&again);
}

#define HEADER "moonbook-model 1 toy 1.0.0\nprotocol json\n"

static void malformed_lines_are_told_with_their_number(void **state) {
  (void)state;
  static const struct {
    const char *text, *message;
  } cases[] = {
      {"", "line 1:"},
      {"hello\n", "line 1: this is not a service model"},
      {"moonbook-model 2 toy 1\n", "line 1: the text has format version 2"},
      {"moonbook-model 1 toy\n", "line 1: the first line needs"},
      {"moonbook-model 1 toy 1.0.0\nid Toy\n", "without a line that says the protocol"},
      {HEADER "protocol carrier-pigeon\n", "line 3: unknown protocol carrier-pigeon"},
      {HEADER "colour blue\n", "line 3: unknown word colour"},
      {HEADER " member Text\n", "line 3: the line begins with a space but belongs to nothing"},
      {HEADER "id\n", "line 3: id is empty"},
      {HEADER "id A\nid B\n", "line 4: id is empty, badly escaped or there twice"},
      {HEADER "id A%zz\n", "line 3: id is empty"},
      {HEADER "id A%00\n", "line 3: id is empty"},
      {HEADER "id A%4\n", "line 3: id is empty"},
      {HEADER "structure\n", "line 3: a shape without a name"},
      {HEADER "structure A shiny\n", "line 3: unknown word shiny"},
      {HEADER "structure A  union\n", "line 3: unknown word"},
      {HEADER "structure A\n b\n", "line 4: a member needs a name and a shape"},
      {HEADER "structure A\n b Nowhere\n", "line 4: member b of A has the shape Nowhere"},
      {HEADER "structure A\n b A @moon\n", "line 4: unknown word @moon"},
      {HEADER "structure A\n b A format=roman\n", "line 4: unknown timestamp format roman"},
      {HEADER "structure A\n b A\n b A\n", "line 3: member b of A is there twice"},
      {HEADER "structure A\nstructure A\n", "line 4: shape A is there twice"},
      {HEADER "structure A payload=b\n", "line 3: the payload b of A is not a member"},
      {HEADER "string A min=many\n", "line 3: many is not a number"},
      {HEADER "string A min=9223372036854775808\n", "line 3: 9223372036854775808 is not a number"},
      {HEADER "string A status=1000\n", "line 3: 1000 is not a number"},
      {HEADER "list A\n", "line 3: list A needs one member line"},
      {HEADER "map A\n key A\n", "line 3: map A needs two lines"},
      {HEADER "string A\n b A\n", "line 3: shape A has members"},
      {HEADER "operation A\n", "line 3: an operation needs"},
      {HEADER "operation A B -\n", "line 3: operation A names shape B"},
      {HEADER "string B\noperation A B -\n", "line 4: operation A takes or gives B, not a"},
      {HEADER "operation A - -\n errors B\n", "line 4: operation A lists the error B"},
      {HEADER "operation A - -\noperation A - -\n", "line 4: operation A is there twice"},
      {HEADER "operation A - - paths={\n", "line 3: the context of operation A"},
      {HEADER "paginator A\n", "line 3: there is no operation A"},
      {HEADER "operation A - -\npaginator A\npaginator A\n", "line 5: operation A has two"},
      {HEADER "operation A - -\npaginator A\n colour blue\n", "line 5: a paginator has lines"},
      {HEADER "waiter W A 1 2\n", "line 3: there is no operation A"},
      {HEADER "waiter W A 1 0\n", "line 3: 0 is not a number"},
      {HEADER "waiter W A\n", "line 3: nothing is not a number"},
      {HEADER "operation A - -\nwaiter W A 1 2\n win path true\n", "line 5: a waiter has lines"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    mb_error error = {0};
    mb_buffer packed = MB_BUFFER_INIT(1 << 20);
    assert_int_equal(mb_model_from_text(&packed, cases[i].text, strlen(cases[i].text), &error), -1);
    assert_int_equal(error.kind, MB_ERROR_USAGE);
    if (!strstr(error.message, cases[i].message))
      fail_msg("expected \"%s\" in \"%s\"", cases[i].message, error.message);
    mb_buffer_dispose(&packed);
  }
}

static void a_nul_in_the_text_is_refused(void **state) {
  (void)state;
  static const char text[] = HEADER "id A\0B\n";
  mb_error error = {0};
  mb_buffer packed = MB_BUFFER_INIT(1 << 20);
  assert_int_equal(mb_model_from_text(&packed, text, sizeof text - 1, &error), -1);
  mb_buffer_dispose(&packed);
}

static void a_model_that_outgrows_its_buffer_is_refused(void **state) {
  (void)state;
  mb_error error = {0};
  mb_buffer packed = MB_BUFFER_INIT(512);
  assert_int_equal(mb_model_from_text(&packed, small_text, strlen(small_text), &error), -1);
  assert_int_equal(error.kind, MB_ERROR_USAGE);
  mb_buffer_dispose(&packed);
}

static int pack_small(void *payload) {
  mb_error error = {0};
  mb_buffer packed = MB_BUFFER_INIT(1 << 20);
  (void)payload;
  int result = mb_model_from_text(&packed, small_text, strlen(small_text), &error);
  if (result != 0)
    assert_int_equal(error.kind, MB_ERROR_MEMORY);
  mb_buffer_dispose(&packed);
  return result;
}

static void reading_text_survives_every_allocation_failure(void **state) {
  (void)state;
  check_allocation_failures(pack_small, NULL);
}

/* ---- damaged blocks -------------------------------------------------------------------------- */

static void truncated_blocks_are_refused(void **state) {
  (void)state;
  mb_buffer packed;
  assert_non_null(pack(&packed, small_text));
  for (size_t size = 0; size < packed.size; size++)
    assert_null(mb_model_open(packed.data, size));
  assert_null(mb_model_open(NULL, packed.size));
  assert_null(mb_model_open(packed.data + 1, packed.size - 1));
  mb_buffer_dispose(&packed);
}

static void foreign_headers_are_refused(void **state) {
  (void)state;
  mb_buffer packed;
  assert_non_null(pack(&packed, small_text));
  for (size_t byte = 0; byte < 16; byte++) { /* magic, version, size */
    packed.data[byte] ^= 0x41;
    assert_null(mb_model_open(packed.data, packed.size));
    packed.data[byte] ^= 0x41;
  }
  packed.data[packed.size - 1] = 'x'; /* the strings must end */
  assert_null(mb_model_open(packed.data, packed.size));
  mb_buffer_dispose(&packed);
}

/* Reads all there is to read; the sanitizers see what goes wrong. */
static void walk(const mb_model *model) {
  mb_error error;
  mb_service service;
  mb_buffer text = MB_BUFFER_INIT(1 << 20);
  mb_model_service(model, &service);
  mb_model_write_text(&text, model, &error);
  mb_model_operation(model, "list_toys");
  mb_model_error_by_code(model, "Toy.Boom", 8);
  for (uint32_t i = 0; i < 12; i++) {
    const mb_shape *shape = mb_model_shape(model, i);
    if (!shape)
      continue;
    mb_model_member(model, shape, "max_results", 11);
    mb_model_member_by_wire(model, shape, "toy", 3);
  }
  for (size_t i = 0; i < 4; i++) {
    const mb_operation *operation = mb_model_operation_at(model, i);
    mb_model_paginator(model, operation);
    if (operation)
      mb_model_shape(model, operation->input);
  }
  mb_buffer_dispose(&text);
}

static void damaged_blocks_do_no_harm(void **state) {
  (void)state;
  static const uint32_t values[] = {0, 1, 0x7fffffff, 0xffffffff, 0x10000, 0xfffffff0};
  mb_buffer packed;
  size_t opened = 0;
  assert_non_null(pack(&packed, small_text));
  for (size_t at = 0; at + 4 <= packed.size; at += 4) {
    uint32_t kept;
    memcpy(&kept, packed.data + at, sizeof kept);
    for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
      memcpy(packed.data + at, &values[v], sizeof kept);
      const mb_model *model = mb_model_open(packed.data, packed.size);
      if (model)
        walk(model);
      opened += model != NULL;
    }
    memcpy(packed.data + at, &kept, sizeof kept);
  }
  assert_true(opened > 0);
  mb_buffer_dispose(&packed);
}

/* ---- names ----------------------------------------------------------------------------------- */

static void names_become_snake_case_as_in_botocore(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"DescribeServices", "describe_services"},
      {"ListWebACLs", "list_web_acls"},
      {"clusterArn", "cluster_arn"},
      {"GatewayARNs", "gateway_arns"},
      {"DBInstanceIdentifier", "db_instance_identifier"},
      {"EC2InstanceId", "ec2_instance_id"},
      {"Ipv6CIDRBlock", "ipv6_cidr_block"},
      {"UseS3ExpressControl", "use_s3_express_control"},
      {"already_snake", "already_snake"},
      {"HTTPCode_Target", "HTTPCode_Target"},
      {"CreateCachediSCSIVolume", "create_cached_iscsi_volume"},
      {"CachediSCSIVolumes", "cachedi_scsi_volumes"},
      {"ExecutePartiQLStatement", "execute_partiql_statement"},
      {"CreateOAuth2TokenWithIAM", "create_oauth2_token_with_iam"},
      {"OAuth2Properties", "o_auth2_properties"},
      {"SendWhatsAppMessage", "send_whatsapp_message"},
      {"ListHITs", "list_hits"},
      {"VPCs", "vpcs"},
      {"PrivateIPv4Address", "private_ipv4_address"},
      {"IPv6Address", "ipv6_address"},
      {"A", "a"},
      {"", ""}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    mb_buffer out = MB_BUFFER_INIT(4096);
    mb_model_snake_case(&out, cases[i][0]);
    assert_string_equal(mb_buffer_text(&out), cases[i][1]);
    mb_buffer_dispose(&out);
  }
}

static void very_long_names_keep_their_spelling(void **state) {
  (void)state;
  char name[1001];
  memset(name, 'A', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  mb_buffer out = MB_BUFFER_INIT(4096);
  mb_model_snake_case(&out, name);
  assert_string_equal(mb_buffer_text(&out), name);
  mb_buffer_clear(&out);
  mb_model_snake_expression(&out, name);
  assert_string_equal(mb_buffer_text(&out), name);
  mb_buffer_dispose(&out);
}

static void expressions_change_names_and_nothing_else(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"Reservations[].Instances[].State.Name", "reservations[].instances[].state.name"},
      {"length(Services[?Status=='ACTIVE'])", "length(services[?status=='ACTIVE'])"},
      {"starts_with(Name, 'It\\'s')", "starts_with(name, 'It\\'s')"},
      {"Items[?Size > `10`] | [0].\"Some Name\"", "items[?size > `10`] | [0].\"Some Name\""},
      {"\"KeyName\".Value", "\"key_name\".value"},
      {"\"Odd\\\"Name\"", "\"Odd\\\"Name\""},
      {"`{\"Key\": \"Value\"}`", "`{\"Key\": \"Value\"}`"},
      {"sort_by(Things, &CreatedAt)[-1]", "sort_by(things, &created_at)[-1]"},
      {"'unterminated Name", "'unterminated Name"},
      {"", ""}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    mb_buffer out = MB_BUFFER_INIT(4096);
    mb_model_snake_expression(&out, cases[i][0]);
    assert_string_equal(mb_buffer_text(&out), cases[i][1]);
    mb_buffer_dispose(&out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_embedded_model_survives_the_round_trip),
      cmocka_unit_test(a_small_text_survives_the_round_trip),
      cmocka_unit_test(attributes_mean_what_they_say),
      cmocka_unit_test(lines_end_with_or_without_a_newline),
      cmocka_unit_test(malformed_lines_are_told_with_their_number),
      cmocka_unit_test(a_nul_in_the_text_is_refused),
      cmocka_unit_test(a_model_that_outgrows_its_buffer_is_refused),
      cmocka_unit_test(reading_text_survives_every_allocation_failure),
      cmocka_unit_test(truncated_blocks_are_refused),
      cmocka_unit_test(foreign_headers_are_refused),
      cmocka_unit_test(damaged_blocks_do_no_harm),
      cmocka_unit_test(names_become_snake_case_as_in_botocore),
      cmocka_unit_test(very_long_names_keep_their_spelling),
      cmocka_unit_test(expressions_change_names_and_nothing_else),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
