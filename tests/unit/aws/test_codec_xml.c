/* Text in XML bodies: XML 1.0 cannot carry every text, and what it cannot is refused with its place
 * rather than sent broken. */
#include "codec_world.h"

/* Strings with all their bytes, NULs included. */
typedef struct sample {
  const char *bytes;
  size_t size;
} sample;
#define TEXT(literal)                                                                              \
  { literal, sizeof(literal) - 1 }

static const sample impossible[] = {
    TEXT("a\0b"),             /* a control character, like the next two */
    TEXT("\x01"),             /* */
    TEXT("tail\x1f"),         /* */
    TEXT("\x80"),             /* a continuation of nothing */
    TEXT("caf\xe9"),          /* Latin-1 */
    TEXT("\xc3"),             /* cut short */
    TEXT("\xc0\xaf"),         /* overlong */
    TEXT("\xed\xa0\x80"),     /* a surrogate */
    TEXT("\xf4\x90\x80\x80"), /* beyond U+10FFFF */
    TEXT("\xef\xbf\xbe"),     /* U+FFFE */
    TEXT("\xef\xbf\xbf"),     /* U+FFFF */
};

static const sample possible[] = {
    TEXT(""),
    TEXT("<&>\"' ]]>"),
    TEXT("tab\tline\nreturn\r end"),
    TEXT("\x7f"),
    TEXT("\xc2\x85 \xe2\x80\xa8"),    /* line separators of Unicode */
    TEXT("\xed\x9f\xbf\xee\x80\x80"), /* either side of the surrogates */
    TEXT("\xef\xbf\xbd"),             /* U+FFFD */
    TEXT("\xf0\x9f\x8c\x99 \xf4\x8f\xbf\xbf"),
};

/* `pattern` is JSON in which one string is "@": that becomes `with`. */
static mb_value *with_text(world *w, const char *pattern, sample with) {
  mb_value *input = world_json(w, pattern);
  mb_value *stack[64] = {input};
  for (size_t depth = 1; depth > 0;) {
    mb_value *value = stack[--depth];
    size_t count = value->type == MB_TYPE_MAP || value->type == MB_TYPE_LIST ? value->count : 0;
    if (value->type == MB_TYPE_STRING && strcmp(mb_value_string(value), "@") == 0) {
      mb_value_borrow(value, MB_TYPE_STRING, with.bytes, with.size);
      return input;
    }
    for (size_t i = 0; i < count; i++) {
      assert_true(depth < 64);
      stack[depth++] =
          value->type == MB_TYPE_LIST ? &value->as.items[i] : &value->as.entries[i].value;
    }
  }
  fail_msg("%s holds no \"@\"", pattern);
  return NULL;
}

static int encode(world *w, const char *operation, const char *pattern, sample with,
                  mb_http_request *out) {
  return mb_codec_encode_request(&w->codec, w->arena, world_operation(w, operation),
                                 with_text(w, pattern, with), out, &w->error);
}

static void text_that_xml_cannot_carry_is_refused(void **state) {
  world w;
  mb_http_request request;
  world_open(&w, "rest-xml", "");
  for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
    if (encode(&w, "put_thing", "{\"thing_name\":\"ab\",\"the_thing\":{\"label\":\"@\"}}",
               impossible[i], &request) == 0) {
      fail_msg("text %zu went out: %s", i, (const char *)request.body);
    }
    assert_int_equal(w.error.kind, MB_ERROR_USAGE);
    assert_string_equal(w.error.code, "InvalidArgument");
    assert_ptr_equal(strstr(w.error.message, "the_thing.label: it holds "), w.error.message);
    assert_true(w.error.next[0] != '\0');
  }
  world_close(&w);
}

static void text_that_xml_can_carry_arrives_as_it_was(void **state) {
  world w;
  mb_http_request request;
  mb_value got;
  size_t size;
  world_open(&w, "rest-xml", "");
  for (size_t i = 0; i < sizeof possible / sizeof possible[0]; i++) {
    if (encode(&w, "put_thing", "{\"thing_name\":\"ab\",\"the_thing\":{\"label\":\"@\"}}",
               possible[i], &request) != 0 ||
        mb_codec_decode_request(&w.codec, w.arena, world_operation(&w, "put_thing"), &request, &got,
                                &w.error) != 0) {
      fail_msg("text %zu: %s", i, w.error.message);
    }
    const char *text = mb_value_bytes(mb_map_get(mb_map_get(&got, "the_thing"), "label"), &size);
    assert_int_equal(size, possible[i].size);
    assert_memory_equal(text, possible[i].bytes, size);
  }
  world_close(&w);
}

static void the_message_names_the_place(void **state) {
  static const char *const cases[][2] = {
      {"{\"thing_name\":\"ab\",\"choice\":{\"one\":\"@\"}}", "choice.one: "},
      {"{\"thing_name\":\"ab\",\"things\":[{},{\"names\":[\"a\",\"b\",\"@\"]}]}",
       "things[1].names[2]: "},
      {"{\"thing_name\":\"ab\",\"tag_map\":{\"Team\":\"x\",\"Stage\":\"@\"}}", "tag_map.Stage: "},
      {"{\"ThingName\":\"ab\",\"theThing\":{\"inner\":{\"label\":\"@\"}}}",
       "theThing.inner.label: "}};
  world w;
  mb_http_request request;
  world_open(&w, "rest-xml", "");
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_int_equal(encode(&w, "put_thing", cases[i][0], impossible[1], &request), -1);
    if (strncmp(w.error.message, cases[i][1], strlen(cases[i][1])) != 0) {
      fail_msg("%s is not at %s", w.error.message, cases[i][1]);
    }
  }
  world_close(&w);
}

static void a_key_of_a_map_is_looked_at_as_well(void **state) {
  world w;
  mb_http_request request;
  world_open(&w, "rest-xml", "");
  mb_value *input = world_json(&w, "{\"thing_name\":\"ab\",\"tag_map\":{}}");
  mb_value *tags = mb_map_get(input, "tag_map");
  mb_value_set_string(w.arena, mb_map_put(w.arena, tags, "caf\xe9"), "x");
  assert_int_equal(mb_codec_encode_request(&w.codec, w.arena, world_operation(&w, "put_thing"),
                                           input, &request, &w.error),
                   -1);
  assert_int_equal(w.error.kind, MB_ERROR_USAGE);
  assert_ptr_equal(strstr(w.error.message, "tag_map.caf"), w.error.message);
  assert_non_null(strstr(w.error.message, "not UTF-8"));
  assert_null(strchr(w.error.message, '\xe9')); /* the message itself stays text */
  world_close(&w);
}

static void payloads_and_attributes_are_looked_at_as_well(void **state) {
  static const char *const cases[][3] = {
      {"put_bucket_tagging",
       "{\"bucket\":\"b\",\"tagging\":{\"tag_set\":[{\"key\":\"k\",\"value\":\"@\"}]}}",
       "tagging.tag_set[0].value: "},
      {"put_bucket_acl",
       "{\"bucket\":\"b\",\"access_control_policy\":{\"grants\":[{\"grantee\":{\"type\":\"@\"}}]}}",
       "access_control_policy.grants[0].grantee.type: "}};
  world w;
  mb_http_request request;
  world_open(&w, "rest-xml", "");
  w.codec.model = mb_model_find("s3");
  assert_non_null(w.codec.model);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_int_equal(encode(&w, cases[i][0], cases[i][1], impossible[4], &request), -1);
    if (strncmp(w.error.message, cases[i][2], strlen(cases[i][2])) != 0) {
      fail_msg("%s is not at %s", w.error.message, cases[i][2]);
    }
  }
  world_close(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_that_xml_cannot_carry_is_refused),
      cmocka_unit_test(text_that_xml_can_carry_arrives_as_it_was),
      cmocka_unit_test(the_message_names_the_place),
      cmocka_unit_test(a_key_of_a_map_is_looked_at_as_well),
      cmocka_unit_test(payloads_and_attributes_are_looked_at_as_well),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
