/* What the check of an input refuses, and how it says so. */
#include "unit/aws/codec_world.h"

static void refuses(const char *input, const char *code, const char *message, const char *next) {
  world w;
  world_open(&w, "json", "");
  mb_value *value = world_json(&w, input);
  int result = mb_codec_validate(&w.codec, world_operation(&w, "put_thing"), value, &w.error);
  assert_int_equal(result, -1);
  assert_int_equal(w.error.kind, MB_ERROR_USAGE);
  assert_string_equal(w.error.code, code);
  assert_string_equal(w.error.message, message);
  assert_string_equal(w.error.next, next);
  world_close(&w);
}

static void accepts(const char *input) {
  world w;
  world_open(&w, "json", "");
  mb_value *value = world_json(&w, input);
  if (mb_codec_validate(&w.codec, world_operation(&w, "put_thing"), value, &w.error) != 0) {
    fail_msg("%s", w.error.message);
  }
  world_close(&w);
}

static void the_message_names_the_place(void **state) {
  (void)state;
  refuses("{\"thing_name\":\"ab\",\"things\":[{},{},{\"names\":[\"a\",7]}]}", "InvalidArgument",
          "things[2].names[1]: expected a string, got an integer", "");
  refuses("{\"thing_name\":\"ab\",\"things\":{\"a\":1}}", "InvalidArgument",
          "things: expected a list, got a map", "");
  refuses("{\"thing_name\":\"ab\",\"tag_map\":{\"k\":true}}", "InvalidArgument",
          "tag_map.k: expected a string, got a boolean", "");
  refuses("{\"thing_name\":\"ab\",\"the_thing\":{\"is_on\":\"yes\"}}", "InvalidArgument",
          "the_thing.is_on: expected true or false, got a string", "");
}

static void an_unknown_member_suggests_the_nearest(void **state) {
  (void)state;
  refuses("{\"thing_name\":\"ab\",\"the_thing\":{\"labell\":\"x\"}}", "UnknownArgument",
          "the_thing.labell: Thing has no member of that name", "did you mean \"label\"?");
}

static void required_members_are_asked_for(void **state) {
  (void)state;
  refuses("{}", "MissingArgument", "thing_name: this is required", "");
  refuses("{\"thing_name\":null}", "MissingArgument", "thing_name: this is required", "");
}

static void both_spellings_are_accepted_but_not_together(void **state) {
  (void)state;
  accepts("{\"ThingName\":\"ab\",\"the_thing\":{\"Count\":1,\"bigCount\":2}}");
  refuses("{\"thing_name\":\"ab\",\"ThingName\":\"cd\"}", "InvalidArgument",
          "ThingName: this is given twice, in two spellings", "");
}

static void integers_are_whole_and_in_range(void **state) {
  (void)state;
  accepts("{\"thing_name\":\"ab\",\"the_thing\":{\"count\":2.0}}");
  accepts("{\"thing_name\":\"ab\",\"the_thing\":{\"count\":-2147483648}}");
  accepts("{\"thing_name\":\"ab\",\"the_thing\":{\"big_count\":9223372036854775807}}");
  refuses("{\"thing_name\":\"ab\",\"the_thing\":{\"count\":2.5}}", "InvalidArgument",
          "the_thing.count: expected an integer, got a number that is not whole or too large", "");
  refuses("{\"thing_name\":\"ab\",\"the_thing\":{\"count\":2147483648}}", "InvalidArgument",
          "the_thing.count: the number does not fit 32 bits", "");
  refuses("{\"thing_name\":\"ab\",\"the_thing\":{\"big_count\":9223372036854775808}}",
          "InvalidArgument",
          "the_thing.big_count: expected an integer, got a number that is not whole or too large",
          "");
}

static void lengths_count_characters(void **state) {
  (void)state;
  accepts("{\"thing_name\":\"\\u00e4\\u00f6\"}");
  refuses("{\"thing_name\":\"\\u00e4\"}", "InvalidArgument",
          "thing_name: the length must be at least 2", "");
}

static void a_union_takes_exactly_one_member(void **state) {
  (void)state;
  accepts("{\"thing_name\":\"ab\",\"choice\":{\"one\":\"x\",\"two\":null}}");
  refuses("{\"thing_name\":\"ab\",\"choice\":{\"one\":\"x\",\"two\":2}}", "InvalidArgument",
          "choice: exactly one member must be given", "");
  refuses("{\"thing_name\":\"ab\",\"choice\":{}}", "InvalidArgument",
          "choice: exactly one member must be given", "");
}

static void times_are_numbers_or_dates(void **state) {
  (void)state;
  accepts("{\"thing_name\":\"ab\",\"the_thing\":{\"created_at\":1.5}}");
  accepts("{\"thing_name\":\"ab\",\"the_thing\":{\"created_at\":\"2026-11-23T14:00:00+01:00\"}}");
  refuses("{\"thing_name\":\"ab\",\"the_thing\":{\"created_at\":\"yesterday\"}}", "InvalidArgument",
          "the_thing.created_at: expected a time (seconds since 1970, or a date), got a string",
          "");
  refuses("{\"thing_name\":\"ab\",\"the_thing\":{\"created_at\":1e300}}", "InvalidArgument",
          "the_thing.created_at: expected a time (seconds since 1970, or a date), got a number",
          "");
}

static void an_empty_table_is_a_list_or_a_map(void **state) {
  (void)state;
  accepts("{\"thing_name\":\"ab\",\"things\":{},\"tag_map\":[],\"the_thing\":[]}");
}

static void nesting_is_bounded(void **state) {
  world w;
  (void)state;
  world_open(&w, "json", "");
  mb_value *input = world_json(&w, "{\"thing_name\":\"ab\"}");
  mb_value *at = mb_map_put(w.arena, input, "the_thing");
  for (int i = 0; i < 500; i++) {
    mb_value_set_map(at);
    at = mb_map_put(w.arena, at, "inner");
    assert_non_null(at);
  }
  mb_value_set_map(at);
  const mb_operation *operation = world_operation(&w, "put_thing");
  assert_int_equal(mb_codec_validate(&w.codec, operation, input, &w.error), -1);
  mb_http_request request;
  assert_int_equal(mb_codec_encode_request(&w.codec, w.arena, operation, input, &request, &w.error),
                   -1);
  assert_non_null(strstr(w.error.message, "100 levels"));
  world_close(&w);
}

static void unknown_members_pass_when_allowed(void **state) {
  world w;
  mb_http_request request;
  (void)state;
  world_open(&w, "json", "");
  w.codec.allow_unknown = true;
  mb_value *input = world_json(&w, "{\"thing_name\":\"ab\",\"brandNew\":{\"x\":[1]}}");
  const mb_operation *operation = world_operation(&w, "put_thing");
  assert_int_equal(mb_codec_validate(&w.codec, operation, input, &w.error), 0);
  assert_int_equal(mb_codec_encode_request(&w.codec, w.arena, operation, input, &request, &w.error),
                   0);
  assert_string_equal(request.body, "{\"ThingName\":\"ab\",\"brandNew\":{\"x\":[1]}}");
  world_close(&w);
}

static void an_operation_without_input_takes_none(void **state) {
  world w;
  (void)state;
  world_open(&w, "json", "");
  const mb_operation *operation = world_operation(&w, "send_nothing");
  assert_int_equal(mb_codec_validate(&w.codec, operation, NULL, &w.error), 0);
  assert_int_equal(mb_codec_validate(&w.codec, operation, world_json(&w, "{\"a\":1}"), &w.error),
                   -1);
  assert_string_equal(w.error.message, "SendNothing takes no arguments");
  world_close(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_message_names_the_place),
      cmocka_unit_test(an_unknown_member_suggests_the_nearest),
      cmocka_unit_test(required_members_are_asked_for),
      cmocka_unit_test(both_spellings_are_accepted_but_not_together),
      cmocka_unit_test(integers_are_whole_and_in_range),
      cmocka_unit_test(lengths_count_characters),
      cmocka_unit_test(a_union_takes_exactly_one_member),
      cmocka_unit_test(times_are_numbers_or_dates),
      cmocka_unit_test(an_empty_table_is_a_list_or_a_map),
      cmocka_unit_test(nesting_is_bounded),
      cmocka_unit_test(unknown_members_pass_when_allowed),
      cmocka_unit_test(an_operation_without_input_takes_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
