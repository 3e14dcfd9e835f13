/* Random values of real operations, through the wire and back: every embedded service, so every
 * protocol with all the odd shapes that AWS has. */
#include "base/text.h"
#include "unit/aws/codec_world.h"

#define ROUNDS    8
#define MAX_DEPTH 5
#define PER_MODEL 120 /* operations of one service, spread over all it has */

typedef struct maker {
  const mb_model *model;
  mb_service service;
  mb_arena *arena;
  uint64_t seed;
} maker;

static uint32_t roll(maker *m, uint32_t sides) {
  m->seed = m->seed * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(m->seed >> 33) % sides;
}

static bool make(maker *m, const mb_member *ref, int depth, mb_value *out);

/* Text that its place can carry: anything in a body, one visible line in a header. */
static void make_text(maker *m, const mb_member *ref, mb_value *out) {
  static const char *const body[] = {"plain",
                                     "",
                                     "two words",
                                     "<a href=\"x\">&amp;</a>",
                                     "\xc3\xa4\xf0\x9f\x98\xb9",
                                     "a\r\nb\tc",
                                     "  spaced  ",
                                     "100% + 1 = ?&",
                                     "\\ \" ' /",
                                     "[{}]"};
  static const char *const head[] = {"plain",       "two words",    "a,b",   "say \"hi\"",
                                     "back\\slash", "\xc3\xa4%+&=", "x/y/z", "a\\,\"b"};
  bool in_body = ref->location == MB_LOCATION_BODY;
  const char *text = in_body ? body[roll(m, 10)] : head[roll(m, 8)];
  if ((ref->flags & MB_MEMBER_HOST_LABEL) != 0) {
    text = "label-1";
  }
  assert_int_equal(mb_value_set_string(m->arena, out, text), 0);
}

static void make_time(maker *m, const mb_member *ref, mb_value *out) {
  const mb_shape *shape = mb_model_shape(m->model, ref->shape);
  bool whole = ref->location != MB_LOCATION_BODY || ref->format == MB_TIMESTAMP_HTTP ||
               shape->format == MB_TIMESTAMP_HTTP || roll(m, 2) == 0;
  if (whole) {
    mb_value_set_integer(out, (int64_t)roll(m, 4000000) * 1000 - 5000);
  } else {
    mb_value_set_number(out, (double)roll(m, 4000000) + 0.5);
  }
}

static void make_bytes(maker *m, mb_value *out) {
  unsigned char bytes[8];
  for (size_t i = 0; i < sizeof bytes; i++) {
    bytes[i] = (unsigned char)roll(m, 256);
  }
  assert_int_equal(mb_value_set_bytes(m->arena, out, MB_TYPE_BLOB, bytes, 1 + roll(m, 8)), 0);
}

static void make_scalar(maker *m, const mb_member *ref, mb_shape_type type, mb_value *out) {
  switch (type) {
  case MB_SHAPE_STRING:
    make_text(m, ref, out);
    break;
  case MB_SHAPE_BLOB:
    make_bytes(m, out);
    break;
  case MB_SHAPE_BOOLEAN:
    mb_value_set_boolean(out, roll(m, 2) == 0);
    break;
  case MB_SHAPE_INTEGER:
    mb_value_set_integer(out, (int64_t)roll(m, UINT32_MAX / 2) - 1000000000);
    break;
  case MB_SHAPE_LONG:
    mb_value_set_integer(out, (int64_t)(((uint64_t)roll(m, 1u << 31) << 33) | roll(m, 1000)));
    break;
  case MB_SHAPE_TIMESTAMP:
    make_time(m, ref, out);
    break;
  default:
    mb_value_set_number(out, (double)roll(m, 100000) / 1000 - 7);
  }
}

static bool make_list(maker *m, const mb_member *ref, const mb_shape *shape, int depth,
                      mb_value *out) {
  mb_member item = mb_model_members(m->model, shape)[0];
  item.location = ref->location;
  mb_value_set_list(out);
  for (uint32_t i = 1 + roll(m, 3); i > 0; i--) {
    mb_value *value = mb_list_add(m->arena, out);
    assert_non_null(value);
    if (!make(m, &item, depth + 1, value)) {
      return false;
    }
  }
  return true;
}

static bool make_map(maker *m, const mb_member *ref, const mb_shape *shape, int depth,
                     mb_value *out) {
  mb_member item = mb_model_members(m->model, shape)[1];
  item.location = ref->location;
  mb_value_set_map(out);
  for (uint32_t i = 1 + roll(m, 3); i > 0; i--) {
    char key[32];
    snprintf(key, sizeof key, ref->location == MB_LOCATION_BODY ? "k <%u>" : "key%u", i);
    mb_value *value = mb_map_put(m->arena, out, key);
    assert_non_null(value);
    if (!make(m, &item, depth + 1, value)) {
      return false;
    }
  }
  return true;
}

/* Members that an answer always has, or that cannot be told from absent ones, are always made. */
static bool wanted(maker *m, const mb_shape *shape, const mb_member *member, int depth) {
  uint32_t index = shape->members + (uint32_t)(member - mb_model_members(m->model, shape));
  if (depth == 0 && (shape->payload == index || member->location == MB_LOCATION_HEADERS ||
                     member->location == MB_LOCATION_STATUS)) {
    return true;
  }
  bool type = strcmp(mb_model_text(m->model, member->wire), "Content-Type") == 0;
  return type || (member->flags & MB_MEMBER_REQUIRED) != 0 || roll(m, 3) == 0;
}

static void drop_last(mb_value *map) {
  map->count--; /* its value turned out to be empty */
}

static void make_member(maker *m, const mb_member *member, int depth, bool payload, mb_value *out) {
  mb_value *value = mb_map_put(m->arena, out, mb_model_text(m->model, member->snake));
  assert_non_null(value);
  if (member->location == MB_LOCATION_STATUS) {
    mb_value_set_integer(value, 202);
    return;
  }
  mb_value made = {0};
  if (make(m, member, depth + 1, &made) || (payload && made.type == MB_TYPE_MAP)) {
    bool empty = payload && made.type == MB_TYPE_STRING && made.as.bytes.size == 0;
    if (empty) { /* an empty body is no body */
      assert_int_equal(mb_value_set_string(m->arena, &made, "text"), 0);
    }
    *mb_map_get(out, mb_model_text(m->model, member->snake)) = made;
  } else {
    drop_last(out);
  }
}

static bool make_structure(maker *m, const mb_shape *shape, int depth, mb_value *out) {
  const mb_member *members = mb_model_members(m->model, shape);
  bool one = (shape->flags & MB_SHAPE_UNION) != 0;
  uint32_t start = shape->member_count > 0 ? roll(m, shape->member_count) : 0;
  mb_value_set_map(out);
  for (uint32_t i = 0; i < shape->member_count; i++) {
    const mb_member *member = &members[(start + i) % shape->member_count];
    if (one ? out->count == 0 : wanted(m, shape, member, depth)) {
      bool payload = depth == 0 && shape->payload == shape->members + (uint32_t)(member - members);
      make_member(m, member, depth, payload, out);
    }
  }
  return out->count > 0;
}

/* False when the value came out empty: some protocols cannot tell an empty container from none. */
static bool make(maker *m, const mb_member *ref, int depth, mb_value *out) {
  const mb_shape *shape = mb_model_shape(m->model, ref->shape);
  bool container = shape->type == MB_SHAPE_STRUCTURE || shape->type == MB_SHAPE_LIST ||
                   shape->type == MB_SHAPE_MAP;
  if ((shape->flags & MB_SHAPE_EVENT_STREAM) != 0 || (container && depth > MAX_DEPTH)) {
    return false;
  }
  if (shape->type == MB_SHAPE_STRUCTURE) {
    return make_structure(m, shape, depth, out);
  }
  if (shape->type == MB_SHAPE_LIST) {
    return make_list(m, ref, shape, depth, out);
  }
  if (shape->type == MB_SHAPE_MAP) {
    return make_map(m, ref, shape, depth, out);
  }
  if (shape->type == MB_SHAPE_DOCUMENT) {
    mb_value_set_list(out);
    mb_value_set_integer(mb_list_add(m->arena, out), 1);
    mb_value_set_null(mb_list_add(m->arena, out));
    mb_value_set_map(mb_list_add(m->arena, out));
    return true;
  }
  make_scalar(m, ref, (mb_shape_type)shape->type, out);
  return true;
}

/* ---- the two ways ---- */

static void differ(const maker *m, const mb_operation *operation, const char *what,
                   const mb_value *expected, const mb_value *got) {
  print_error("%s.%s, %s:\n%s\nis not\n%s\n", m->service.namespace_,
              mb_model_text(m->model, operation->name), what,
              mb_value_to_json(m->arena, got, 0, true),
              mb_value_to_json(m->arena, expected, 0, true));
  fail();
}

static void fail_at(const maker *m, const mb_operation *operation, const mb_error *error) {
  fail_msg("%s.%s: %s", m->service.namespace_, mb_model_text(m->model, operation->name),
           error->message);
}

/* S3's rules put the bucket into the endpoint; here it goes back to where a server sees it. */
static void add_bucket(maker *m, const mb_operation *operation, mb_http_request *request) {
  const char *uri = mb_model_text(m->model, operation->uri);
  if (strcmp(m->service.service_id, "S3") != 0 || !mb_text_starts(uri, "/{Bucket}")) {
    return;
  }
  bool alone = uri[strlen("/{Bucket}")] != '/';
  request->path = mb_arena_printf(m->arena, "/bucket%s", alone ? "" : request->path);
  assert_non_null(request->path);
}

/* S3 has two listings of buckets that only the host tells apart. */
static bool same_address(const mb_model *model, const mb_operation *a, const mb_operation *b) {
  return b != NULL && a->method == b->method &&
         strcmp(mb_model_text(model, a->uri), mb_model_text(model, b->uri)) == 0 &&
         strcmp(mb_model_text(model, a->uri), "/") == 0;
}

static void request_there_and_back(maker *m, const mb_codec *codec, const mb_operation *operation) {
  mb_error error;
  mb_http_request request;
  mb_value input = {0}, got;
  if (operation->input == MB_NO_INDEX) {
    return;
  }
  make_structure(m, mb_model_shape(m->model, operation->input), 0, &input);
  mb_value *bucket = mb_map_get(&input, "bucket");
  if (bucket != NULL && strcmp(m->service.service_id, "S3") == 0) {
    assert_int_equal(mb_value_set_string(m->arena, bucket, "bucket"), 0);
  }
  if (mb_codec_encode_request(codec, m->arena, operation, &input, &request, &error) != 0) {
    fail_at(m, operation, &error);
  }
  add_bucket(m, operation, &request);
  if (mb_codec_decode_request(codec, m->arena, operation, &request, &got, &error) != 0) {
    fail_at(m, operation, &error);
  }
  if (!mb_value_equal(&input, &got)) {
    differ(m, operation, "the request", &input, &got);
  }
  const mb_operation *other = mb_codec_route(codec, &request);
  if (other != operation && !same_address(m->model, operation, other)) {
    fail_msg("%s.%s goes to %s", m->service.namespace_, mb_model_text(m->model, operation->name),
             other != NULL ? mb_model_text(m->model, other->name) : "nothing");
  }
}

static void answer_there_and_back(maker *m, const mb_codec *codec, const mb_operation *operation) {
  mb_error error;
  mb_http_response response;
  mb_value output = {0}, got;
  if (operation->output == MB_NO_INDEX) {
    return;
  }
  make_structure(m, mb_model_shape(m->model, operation->output), 0, &output);
  if (mb_codec_encode_response(codec, m->arena, operation, &output, "r", &response, &error) != 0 ||
      mb_codec_decode_response(codec, m->arena, operation, &response, &got, &error) != 0) {
    fail_at(m, operation, &error);
  }
  if (!mb_value_equal(&output, &got)) {
    differ(m, operation, "the answer", &output, &got);
  }
}

static void values_of_every_service_survive_the_wire(void **state) {
  const char *names[128];
  size_t count = mb_model_names(names, 128);
  (void)state;
  if (count == 0) {
    print_message("no service model is embedded\n");
    skip();
  }
  for (size_t i = 0; i < count && i < 128; i++) {
    mb_codec codec = {.model = mb_model_find(names[i])};
    assert_non_null(codec.model);
    size_t operations = mb_model_operation_count(codec.model);
    size_t step = operations / PER_MODEL + 1;
    for (size_t at = 0; at < operations * ROUNDS; at += step) {
      maker m = {.model = codec.model, .seed = at * 2654435761u + i, .arena = mb_arena_new(0)};
      assert_non_null(m.arena);
      mb_model_service(codec.model, &m.service);
      const mb_operation *operation = mb_model_operation_at(codec.model, at % operations);
      if ((operation->flags & MB_OPERATION_DEPRECATED) == 0) { /* S3's old ones are ambiguous */
        request_there_and_back(&m, &codec, operation);
        answer_there_and_back(&m, &codec, operation);
      }
      mb_arena_free(m.arena);
    }
  }
}

/* ---- secrets that the models mark too widely ---- */

static const mb_value *decode_parameter(mb_arena *arena, const char *type, mb_value *out) {
  mb_error error;
  mb_codec codec = {.model = mb_model_find("ssm")};
  char body[256];
  snprintf(body, sizeof body, "{\"Parameter\":{\"Type\":\"%s\",\"Value\":\"v\"}}", type);
  mb_http_response response = {.status = 200, .body = body, .body_size = strlen(body)};
  const mb_operation *operation = mb_model_operation(codec.model, "get_parameter");
  assert_non_null(operation);
  assert_int_equal(mb_codec_decode_response(&codec, arena, operation, &response, out, &error), 0);
  return mb_map_get(mb_map_get(out, "parameter"), "value");
}

static void only_secure_parameters_are_secret(void **state) {
  mb_value out;
  (void)state;
  if (mb_model_find("ssm") == NULL) {
    print_message("no service model is embedded\n");
    skip();
  }
  mb_arena *arena = mb_arena_new(0);
  assert_false(mb_value_is_secret(decode_parameter(arena, "String", &out)));
  assert_false(mb_value_is_secret(decode_parameter(arena, "StringList", &out)));
  assert_true(mb_value_is_secret(decode_parameter(arena, "SecureString", &out)));
  assert_true(mb_value_is_secret(decode_parameter(arena, "SomethingNew", &out)));
  mb_arena_free(arena);
}

/* An operator must see which variable a secret is the value of. */
static void a_variable_is_named_and_its_value_is_secret(void **state) {
  mb_value out;
  mb_error error;
  (void)state;
  mb_codec codec = {.model = mb_model_find("ecs")};
  if (codec.model == NULL) {
    print_message("no service model is embedded\n");
    skip();
  }
  static const char body[] = "{\"taskDefinition\":{\"containerDefinitions\":[{\"environment\":"
                             "[{\"name\":\"TOKEN\",\"value\":\"hunter2\"}]}]}}";
  mb_http_response response = {.status = 200, .body = body, .body_size = sizeof body - 1};
  mb_arena *arena = mb_arena_new(0);
  const mb_operation *operation = mb_model_operation(codec.model, "describe_task_definition");
  assert_int_equal(mb_codec_decode_response(&codec, arena, operation, &response, &out, &error), 0);
  const mb_value *definition = mb_map_get(&out, "task_definition");
  const mb_value *container = mb_list_at(mb_map_get(definition, "container_definitions"), 0);
  const mb_value *variable = mb_list_at(mb_map_get(container, "environment"), 0);
  assert_string_equal(mb_value_string(mb_map_get(variable, "name")), "TOKEN");
  assert_false(mb_value_is_secret(mb_map_get(variable, "name")));
  assert_true(mb_value_is_secret(mb_map_get(variable, "value")));
  mb_arena_free(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_of_every_service_survive_the_wire),
      cmocka_unit_test(only_secure_parameters_are_secret),
      cmocka_unit_test(a_variable_is_named_and_its_value_is_secret),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
