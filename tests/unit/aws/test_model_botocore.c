/* Tests of reading botocore's documents. */
#include "aws/model/builder.h"
#include "unit/check.h"

#include <stdio.h>

typedef struct made {
  mb_buffer packed, warnings;
  mb_error error;
  const mb_model *model; /* NULL when it was refused */
} made;

static void make(made *out, const char *service, const char *paginators, const char *waiters,
                 const char *rules) {
  memset(out, 0, sizeof *out);
  mb_buffer_init(&out->packed, 1 << 20);
  mb_buffer_init(&out->warnings, 1 << 16);
  int result = mb_model_from_botocore(&out->packed, "toy", "1.0.0", service, strlen(service),
                                      paginators, paginators ? strlen(paginators) : 0, waiters,
                                      waiters ? strlen(waiters) : 0, rules,
                                      rules ? strlen(rules) : 0, &out->warnings, &out->error);
  out->model = result == 0 ? mb_model_open(out->packed.data, out->packed.size) : NULL;
}

static void drop(made *out) {
  mb_buffer_dispose(&out->packed);
  mb_buffer_dispose(&out->warnings);
}

static const mb_shape *shape_named(const mb_model *model, const char *name) {
  const mb_shape *shape;
  for (uint32_t i = 0; (shape = mb_model_shape(model, i)) != NULL; i++)
    if (strcmp(mb_model_text(model, shape->name), name) == 0)
      return shape;
  fail_msg("no shape %s", name);
  return NULL;
}

static const mb_member *member_named(const mb_model *model, const char *shape, const char *name) {
  const mb_member *member = mb_model_member(model, shape_named(model, shape), name, strlen(name));
  assert_non_null(member);
  return member;
}

#define META "\"metadata\":{\"protocol\":\"json\",\"endpointPrefix\":\"toy\"}"
#define S    "{\"type\":\"string\"}"

static void missing_sections_are_empty(void **state) {
  (void)state;
  made m;
  make(&m, "{" META "}", NULL, NULL, NULL);
  assert_non_null(m.model);
  assert_int_equal(mb_model_operation_count(m.model), 0);
  assert_null(mb_model_shape(m.model, 0));
  drop(&m);
  make(&m, "{" META ",\"operations\":{\"Ping\":{\"name\":\"Ping\"}}}", NULL, NULL, NULL);
  assert_non_null(m.model);
  const mb_operation *ping = mb_model_operation(m.model, "ping");
  assert_int_equal(ping->input, MB_NO_INDEX);
  assert_int_equal(ping->output, MB_NO_INDEX);
  assert_string_equal(mb_model_text(m.model, ping->method), "POST");
  assert_string_equal(mb_model_text(m.model, ping->uri), "/");
  assert_int_equal(ping->response_status, 200);
  drop(&m);
}

static void protocols_are_chosen_in_our_order(void **state) {
  (void)state;
  static const struct {
    const char *metadata;
    int protocol;
    bool query_mode;
  } cases[] = {
      {"{\"protocol\":\"query\"}", MB_PROTOCOL_QUERY, false},
      {"{\"protocol\":\"query\",\"protocols\":[\"query\",\"json\"]}", MB_PROTOCOL_JSON, true},
      {"{\"protocol\":\"smithy-rpc-v2-cbor\",\"protocols\":[\"smithy-rpc-v2-cbor\",\"json\","
       "\"query\"]}",
       MB_PROTOCOL_JSON, true},
      {"{\"protocol\":\"json\",\"protocols\":[\"smithy-rpc-v2-cbor\"]}", MB_PROTOCOL_CBOR, false},
      {"{\"protocol\":\"rest-xml\",\"protocols\":[]}", MB_PROTOCOL_REST_XML, false},
      {"{\"protocol\":\"ec2\"}", MB_PROTOCOL_EC2, false},
      {"{\"protocol\":\"rest-json\"}", MB_PROTOCOL_REST_JSON, false},
      {"{\"protocol\":\"telepathy\"}", 0, false},
      {"{}", 0, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[512];
    made m;
    snprintf(text, sizeof text, "{\"metadata\":%s}", cases[i].metadata);
    make(&m, text, NULL, NULL, NULL);
    assert_int_equal(m.model != NULL, cases[i].protocol != 0);
    if (m.model) {
      mb_service service;
      mb_model_service(m.model, &service);
      assert_int_equal(service.protocol, cases[i].protocol);
      assert_int_equal(service.query_mode, cases[i].query_mode);
    }
    drop(&m);
  }
}

static const char constructs[] =
    "{\"metadata\":{\"protocol\":\"rest-xml\",\"xmlNamespace\":{\"uri\":\"http://n\"},"
    "\"auth\":[\"smithy.api#httpBearerAuth\"],\"awsQueryCompatible\":{}},\"shapes\":{"
    "\"In\":{\"type\":\"structure\",\"required\":[\"A\"],\"payload\":\"B\",\"members\":{"
    "\"A\":{\"shape\":\"T\",\"location\":\"headers\",\"locationName\":\"\"},"
    "\"B\":{\"shape\":\"Blob\",\"streaming\":true},"
    "\"C\":{\"shape\":\"L\",\"flattened\":true,\"locationName\":\"c\",\"queryName\":\"Q\"},"
    "\"D\":{\"shape\":\"T\",\"xmlAttribute\":true,\"jsonvalue\":true,\"hostLabel\":true,"
    "\"xmlNamespace\":{\"prefix\":\"xsi\",\"uri\":\"http://x\"}},"
    "\"E\":{\"shape\":\"When\",\"timestampFormat\":\"unixTimestamp\"},"
    "\"F\":{\"shape\":\"Doc\",\"contextParam\":{\"name\":\"Bucket\"},\"deprecated\":true},"
    "\"G\":{\"shape\":\"T\",\"location\":\"statusCode\",\"idempotencyToken\":true}}},"
    "\"Ev\":{\"type\":\"structure\",\"eventstream\":true,\"members\":{\"P\":{\"shape\":\"Blob\","
    "\"eventpayload\":true},\"H\":{\"shape\":\"T\",\"eventheader\":true}}},"
    "\"Err\":{\"type\":\"structure\",\"members\":{},\"exception\":true,\"error\":{\"code\":\"E.1\","
    "\"httpStatusCode\":429,\"senderFault\":true},\"retryable\":{\"throttling\":true}},"
    "\"U\":{\"type\":\"structure\",\"union\":true,\"sensitive\":true,\"members\":{}},"
    "\"Doc\":{\"type\":\"structure\",\"document\":true,\"members\":{}},"
    "\"L\":{\"type\":\"list\",\"sparse\":true,\"min\":1,\"member\":{\"shape\":\"T\","
    "\"locationName\":\"i\"}},"
    "\"M\":{\"type\":\"map\",\"flattened\":true,\"key\":{\"shape\":\"T\",\"locationName\":\"k\"},"
    "\"value\":{\"shape\":\"T\"}},"
    "\"T\":{\"type\":\"string\",\"locationName\":\"t\",\"xmlNamespace\":\"http://t\"},"
    "\"Blob\":{\"type\":\"blob\",\"streaming\":true},"
    "\"When\":{\"type\":\"timestamp\",\"timestampFormat\":\"rfc822\"}},"
    "\"operations\":{\"Do\":{\"name\":\"Do\",\"http\":{\"method\":\"PUT\",\"requestUri\":\"/x?y\","
    "\"responseCode\":201},\"input\":{\"shape\":\"In\",\"locationName\":\"Root\",\"xmlNamespace\":"
    "{\"uri\":\"http://r\",\"prefix\":\"p\"}},\"output\":{\"shape\":\"Ev\",\"resultWrapper\":"
    "\"DoIt\"},\"errors\":[{\"shape\":\"Err\"}],\"endpoint\":{\"hostPrefix\":\"data-\"},"
    "\"staticContextParams\":{\"S\":{\"value\":[1,true]}},\"operationContextParams\":{\"K\":{"
    "\"path\":\"SomeList[*].KeyName\"}},\"httpChecksum\":{\"requestChecksumRequired\":true},"
    "\"requestcompression\":{\"encodings\":[\"gzip\"]},\"readonly\":true,\"idempotent\":true,"
    "\"deprecated\":true,\"unsignedPayload\":true},"
    "\"Open\":{\"name\":\"Open\",\"auth\":[\"smithy.api#noAuth\"]},"
    "\"Both\":{\"name\":\"Both\",\"auth\":[\"aws.auth#sigv4\",\"smithy.api#noAuth\"]},"
    "\"Body\":{\"name\":\"Body\",\"authtype\":\"v4-unsigned-body\"}}}";

static void every_construct_of_members_is_read(void **state) {
  (void)state;
  made m;
  make(&m, constructs, NULL, NULL, NULL);
  assert_non_null(m.model);
  assert_string_equal(mb_buffer_text(&m.warnings), "");
  const mb_member *member = member_named(m.model, "In", "a");
  assert_int_equal(member->flags, MB_MEMBER_REQUIRED | MB_MEMBER_HAS_WIRE);
  assert_int_equal(member->location, MB_LOCATION_HEADERS);
  assert_string_equal(mb_model_text(m.model, member->wire), "");
  member = member_named(m.model, "In", "b");
  assert_int_equal(member->flags, MB_MEMBER_STREAMING);
  assert_ptr_equal(mb_model_member_at(m.model, shape_named(m.model, "In")->payload), member);
  member = member_named(m.model, "In", "c");
  assert_int_equal(member->flags, MB_MEMBER_FLATTENED | MB_MEMBER_HAS_WIRE);
  assert_string_equal(mb_model_text(m.model, member->query_name), "Q");
  member = member_named(m.model, "In", "d");
  assert_int_equal(member->flags,
                   MB_MEMBER_XML_ATTRIBUTE | MB_MEMBER_JSON_VALUE | MB_MEMBER_HOST_LABEL);
  assert_string_equal(mb_model_text(m.model, member->xml_prefix), "xsi");
  assert_string_equal(mb_model_text(m.model, member->xml_namespace), "http://x");
  assert_int_equal(member_named(m.model, "In", "e")->format, MB_TIMESTAMP_EPOCH);
  member = member_named(m.model, "In", "f");
  assert_int_equal(member->flags, MB_MEMBER_DEPRECATED);
  assert_string_equal(mb_model_text(m.model, member->context_param), "Bucket");
  member = member_named(m.model, "In", "g");
  assert_int_equal(member->location, MB_LOCATION_STATUS);
  assert_int_equal(member->flags, MB_MEMBER_IDEMPOTENCY_TOKEN);
  assert_int_equal(member_named(m.model, "Ev", "p")->flags, MB_MEMBER_EVENT_PAYLOAD);
  assert_int_equal(member_named(m.model, "Ev", "h")->flags, MB_MEMBER_EVENT_HEADER);
  drop(&m);
}

static void every_construct_of_shapes_is_read(void **state) {
  (void)state;
  made m;
  make(&m, constructs, NULL, NULL, NULL);
  assert_non_null(m.model);
  assert_int_equal(shape_named(m.model, "Doc")->type, MB_SHAPE_DOCUMENT);
  assert_int_equal(shape_named(m.model, "U")->flags, MB_SHAPE_UNION | MB_SHAPE_SENSITIVE);
  assert_int_equal(shape_named(m.model, "Ev")->flags, MB_SHAPE_EVENT_STREAM);
  assert_int_equal(shape_named(m.model, "Blob")->flags, MB_SHAPE_STREAMING);
  assert_int_equal(shape_named(m.model, "When")->format, MB_TIMESTAMP_HTTP);
  const mb_shape *list = shape_named(m.model, "L");
  assert_int_equal(list->flags, MB_SHAPE_SPARSE | MB_SHAPE_HAS_MIN);
  assert_int_equal(list->min, 1);
  assert_string_equal(mb_model_text(m.model, mb_model_members(m.model, list)->wire), "i");
  const mb_shape *map = shape_named(m.model, "M");
  assert_int_equal(map->flags, MB_SHAPE_FLATTENED);
  assert_string_equal(mb_model_text(m.model, mb_model_members(m.model, map)[0].wire), "k");
  assert_string_equal(mb_model_text(m.model, mb_model_members(m.model, map)[1].wire), "value");
  const mb_shape *text = shape_named(m.model, "T");
  assert_string_equal(mb_model_text(m.model, text->xml_name), "t");
  assert_string_equal(mb_model_text(m.model, text->xml_namespace), "http://t");
  const mb_shape *error = mb_model_error_by_code(m.model, "E.1", 3);
  assert_ptr_equal(error, shape_named(m.model, "Err"));
  assert_int_equal(error->error_status, 429);
  assert_int_equal(error->flags, MB_SHAPE_ERROR | MB_SHAPE_SENDER_FAULT | MB_SHAPE_RETRYABLE |
                                     MB_SHAPE_THROTTLING);
  drop(&m);
}

static void every_construct_of_operations_is_read(void **state) {
  (void)state;
  made m;
  mb_service service;
  make(&m, constructs, NULL, NULL, NULL);
  assert_non_null(m.model);
  mb_model_service(m.model, &service);
  assert_true(service.query_compatible);
  assert_string_equal(service.xml_namespace, "http://n");
  const mb_operation *o = mb_model_operation(m.model, "do");
  assert_int_equal(o->flags, MB_OPERATION_READ_ONLY | MB_OPERATION_IDEMPOTENT |
                                 MB_OPERATION_UNSIGNED_PAYLOAD | MB_OPERATION_DEPRECATED |
                                 MB_OPERATION_CHECKSUM_REQUIRED | MB_OPERATION_COMPRESS |
                                 MB_OPERATION_BEARER | MB_OPERATION_HAS_INPUT |
                                 MB_OPERATION_HAS_OUTPUT);
  assert_string_equal(mb_model_text(m.model, o->method), "PUT");
  assert_string_equal(mb_model_text(m.model, o->uri), "/x?y");
  assert_int_equal(o->response_status, 201);
  assert_string_equal(mb_model_text(m.model, o->input_name), "Root");
  assert_string_equal(mb_model_text(m.model, o->input_namespace), "http://r");
  assert_string_equal(mb_model_text(m.model, o->input_prefix), "p");
  assert_string_equal(mb_model_text(m.model, o->result_wrapper), "DoIt");
  assert_string_equal(mb_model_text(m.model, o->host_prefix), "data-");
  assert_string_equal(mb_model_text(m.model, o->static_context), "{\"S\":[1,true]}");
  assert_string_equal(mb_model_text(m.model, o->operation_context),
                      "{\"K\":\"some_list[*].key_name\"}");
  assert_string_equal(mb_model_text(m.model, o->checksum), "{\"requestChecksumRequired\":true}");
  assert_int_equal(mb_model_operation(m.model, "open")->flags, MB_OPERATION_UNSIGNED);
  assert_int_equal(mb_model_operation(m.model, "both")->flags, 0);
  assert_int_equal(mb_model_operation(m.model, "body")->flags, MB_OPERATION_UNSIGNED_PAYLOAD);
  drop(&m);
}

static void unknown_keys_are_told(void **state) {
  (void)state;
  made m;
  make(&m,
       "{\"metadata\":{\"protocol\":\"json\",\"colour\":1},\"moods\":{},\"shapes\":{\"A\":{"
       "\"type\":\"structure\",\"smell\":1,\"members\":{\"b\":{\"shape\":\"A\",\"taste\":1,"
       "\"location\":\"moon\"}}}},\"operations\":{\"Do\":{\"name\":\"Do\",\"sound\":1}}}",
       "{\"pagination\":{\"Do\":{\"input_token\":\"a\",\"output_token\":\"b\",\"result_key\":\"c\","
       "\"touch\":1}}}",
       NULL, NULL);
  assert_non_null(m.model);
  const char *text = mb_buffer_text(&m.warnings);
  static const char *const words[] = {"colour", "moods", "smell", "taste", "unknown location moon",
                                      "sound",  "touch"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (!strstr(text, words[i]))
      fail_msg("no warning about %s in %s", words[i], text);
  drop(&m);
}

static void names_that_collapse_are_kept_apart_and_told(void **state) {
  (void)state;
  made m;
  make(&m,
       "{" META ",\"shapes\":{\"T\":" S ",\"A\":{\"type\":\"structure\",\"members\":{"
       "\"fooBar\":{\"shape\":\"T\"},\"FooBar\":{\"shape\":\"T\"},\"foo_bar\":{\"shape\":\"T\"},"
       "\"foo_bar_2\":{\"shape\":\"T\"}}}}}",
       NULL, NULL, NULL);
  assert_non_null(m.model);
  const mb_member *first = member_named(m.model, "A", "foo_bar");
  assert_string_equal(mb_model_text(m.model, first->name), "fooBar");
  assert_string_equal(mb_model_text(m.model, member_named(m.model, "A", "foo_bar_2")->name),
                      "foo_bar_2");
  assert_string_equal(mb_model_text(m.model, member_named(m.model, "A", "foo_bar_3")->name),
                      "FooBar");
  assert_string_equal(mb_model_text(m.model, member_named(m.model, "A", "foo_bar_4")->name),
                      "foo_bar");
  assert_string_equal(mb_model_text(m.model, member_named(m.model, "A", "FooBar")->name), "FooBar");
  assert_non_null(strstr(mb_buffer_text(&m.warnings), "A.FooBar would be foo_bar"));
  drop(&m);
}

static void broken_documents_are_refused_with_a_reason(void **state) {
  (void)state;
  static const struct {
    const char *service, *message;
  } cases[] = {
      {"{", "service:"},
      {"[]", "service: the document is not an object"},
      {"{" META "} x", "service:"},
      {"{" META ",\"shapes\":{\"A\":{}}}", "shape A: unknown or missing type"},
      {"{" META ",\"shapes\":{\"A\":{\"type\":\"quark\"}}}", "shape A: unknown"},
      {"{" META ",\"shapes\":{\"A\":{\"type\":\"list\"}}}", "member member of A has the shape"},
      {"{" META ",\"shapes\":{\"A\":{\"type\":\"list\",\"member\":{\"shape\":\"B\"}}}}",
       "has the shape B, which is not there"},
      {"{" META ",\"shapes\":{\"\":" S "}}", "a shape has no name"},
      {"{" META ",\"operations\":{\"A\":{\"input\":{\"shape\":\"B\"}}}}",
       "operation A names shape B"},
      {"{" META ",\"operations\":{\"A\":{\"errors\":[{}]}}}", "an error without a shape"},
      {"{" META ",\"operations\":{\"AbC\":{},\"abC\":{}}}", "have one name in snake_case"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    made m;
    make(&m, cases[i].service, NULL, NULL, NULL);
    assert_null(m.model);
    if (!strstr(m.error.message, cases[i].message))
      fail_msg("expected \"%s\" in \"%s\"", cases[i].message, m.error.message);
    drop(&m);
  }
}

#define LISTING(verb, in_token, out_token, out_type)                                               \
  "{" META ",\"shapes\":{\"T\":" S ",\"N\":{\"type\":\"integer\"},\"Other\":" S                    \
  ",\"L\":{\"type\":\"list\",\"member\":{\"shape\":\"T\"}},"                                       \
  "\"In\":{\"type\":\"structure\",\"members\":{\"" in_token "\":{\"shape\":\"T\"},"                \
  "\"Limit\":{\"shape\":\"N\"}}},"                                                                 \
  "\"Out\":{\"type\":\"structure\",\"members\":{\"Names\":{\"shape\":\"L\"},\"" out_token          \
  "\":{\"shape\":\"" out_type "\"}}}},\"operations\":{\"" verb                                     \
  "Things\":{\"input\":{\"shape\":\"In\"},\"output\":{\"shape\":\"Out\"}}}}"

static void only_true_token_pairs_give_a_paginator(void **state) {
  (void)state;
  static const struct {
    const char *service, *operation;
    bool derived;
  } cases[] = {
      {LISTING("List", "NextToken", "NextToken", "T"), "list_things", true},
      {LISTING("List", "Marker", "NextMarker", "T"), "list_things", true},
      {LISTING("List", "NextToken", "NextToken", "Other"), "list_things", false},
      {LISTING("List", "NextToken", "NextMarker", "T"), "list_things", false},
      {LISTING("List", "NextToken", "NextToken", "L"), "list_things", false},
      {LISTING("Delete", "NextToken", "NextToken", "T"), "delete_things", false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    made m;
    make(&m, cases[i].service, NULL, NULL, NULL);
    assert_non_null(m.model);
    const mb_operation *operation = mb_model_operation(m.model, cases[i].operation);
    const mb_paginator *paginator = mb_model_paginator(m.model, operation);
    assert_int_equal(paginator != NULL, cases[i].derived);
    if (paginator) {
      assert_int_equal(paginator->derived, 1);
      assert_string_equal(mb_model_text(m.model, paginator->result_keys), "names");
      assert_string_equal(mb_model_text(m.model, paginator->limit_key), "limit");
    }
    drop(&m);
  }
}

static void rules_lose_their_prose_alone(void **state) {
  (void)state;
  made m;
  mb_service service;
  make(&m, "{" META "}", NULL, NULL,
       "{\"parameters\":{\"Region\":{\"type\":\"string\",\"documentation\":\"words\"}},"
       "\"rules\":[{\"error\":\"stays\",\"documentation\":\"goes\"}]}");
  assert_non_null(m.model);
  mb_model_service(m.model, &service);
  assert_string_equal(service.endpoint_rules, "{\"parameters\":{\"Region\":{\"type\":\"string\"}},"
                                              "\"rules\":[{\"error\":\"stays\"}]}");
  drop(&m);
}

static void waiters_are_checked(void **state) {
  (void)state;
  static const char service[] = "{" META ",\"operations\":{\"Get\":{}}}";
  static const char *const bad[] = {
      "{\"waiters\":{\"W\":{\"operation\":\"Nope\",\"delay\":1,\"maxAttempts\":1}}}",
      "{\"waiters\":{\"W\":{\"operation\":\"Get\",\"delay\":-1,\"maxAttempts\":1}}}",
      "{\"waiters\":{\"W\":{\"operation\":\"Get\",\"delay\":1,\"maxAttempts\":0}}}",
      ("{\"waiters\":{\"W\":{\"operation\":\"Get\",\"delay\":1,\"maxAttempts\":1,\"acceptors\":"
       "[{\"matcher\":\"guess\",\"state\":\"success\",\"expected\":1}]}}}")};
  made m;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    make(&m, service, NULL, bad[i], NULL);
    assert_null(m.model);
    drop(&m);
  }
  make(&m, service, NULL,
       "{\"waiters\":{\"W\":{\"operation\":\"Get\",\"delay\":2,\"maxAttempts\":3,\"acceptors\":"
       "[{\"matcher\":\"status\",\"state\":\"retry\",\"expected\":404}]}}}",
       NULL);
  assert_non_null(m.model);
  const mb_waiter *waiter = mb_model_waiter_at(m.model, 0);
  const mb_acceptor *acceptor = mb_model_acceptors(m.model, waiter);
  assert_int_equal(acceptor->matcher, MB_MATCHER_STATUS);
  assert_int_equal(acceptor->state, MB_ACCEPTOR_RETRY);
  assert_string_equal(mb_model_text(m.model, acceptor->expected), "404");
  drop(&m);
}

static int read_constructs(void *payload) {
  mb_error error = {0};
  mb_buffer packed = MB_BUFFER_INIT(1 << 20), warnings = MB_BUFFER_INIT(1 << 16);
  (void)payload;
  int result = mb_model_from_botocore(&packed, "toy", "1", constructs, strlen(constructs), NULL, 0,
                                      NULL, 0, NULL, 0, &warnings, &error);
  if (result != 0)
    assert_int_equal(error.kind, MB_ERROR_MEMORY);
  mb_buffer_dispose(&packed);
  mb_buffer_dispose(&warnings);
  return result;
}

static void reading_documents_survives_every_allocation_failure(void **state) {
  (void)state;
  check_allocation_failures(read_constructs, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(missing_sections_are_empty),
      cmocka_unit_test(protocols_are_chosen_in_our_order),
      cmocka_unit_test(every_construct_of_members_is_read),
      cmocka_unit_test(every_construct_of_shapes_is_read),
      cmocka_unit_test(every_construct_of_operations_is_read),
      cmocka_unit_test(unknown_keys_are_told),
      cmocka_unit_test(names_that_collapse_are_kept_apart_and_told),
      cmocka_unit_test(broken_documents_are_refused_with_a_reason),
      cmocka_unit_test(only_true_token_pairs_give_a_paginator),
      cmocka_unit_test(rules_lose_their_prose_alone),
      cmocka_unit_test(waiters_are_checked),
      cmocka_unit_test(reading_documents_survives_every_allocation_failure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
