/* Reading and writing JSON. */
#include "base/json.h"
#include "unit/check.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>

/* Reads and writes back on one line. */
static char *round_trip(mb_arena *arena, const char *text, size_t size) {
  mb_value *value;
  mb_error error;
  if (mb_value_from_json(arena, &value, text, size, &error) != 0) {
    return mb_arena_printf(arena, "%s", error.message);
  }
  return mb_value_to_json(arena, value, 0, true);
}

static void check_reads(const char *text, const char *written) {
  mb_arena *arena = mb_arena_new(0);
  /* An exact copy on the heap, so that a read past the end is found. */
  size_t size = strlen(text);
  char *copy = malloc(size ? size : 1);
  memcpy(copy, text, size);
  assert_string_equal(round_trip(arena, copy, size), written);
  free(copy);
  mb_arena_free(arena);
}

static void check_refuses(const char *text, const char *problem) {
  mb_arena *arena = mb_arena_new(0);
  mb_value *value;
  mb_error error = {0};
  size_t size = strlen(text);
  char *copy = malloc(size ? size : 1);
  memcpy(copy, text, size);
  assert_int_equal(mb_value_from_json(arena, &value, copy, size, &error), -1);
  assert_int_equal(error.kind, MB_ERROR_USAGE);
  assert_string_equal(error.code, "InvalidJson");
  assert_non_null(strstr(error.message, problem));
  free(copy);
  mb_arena_free(arena);
}

static void well_formed_text_is_read(void **state) {
  (void)state;
  check_reads("null", "null");
  check_reads(" [ ] ", "[]");
  check_reads("{}", "{}");
  check_reads("[true,false,null,[1],{\"a\":{}}]", "[true,false,null,[1],{\"a\":{}}]");
  check_reads("\"plain text that is longer than a word\"",
              "\"plain text that is longer than a word\"");
  check_reads("{\"a\":1,\"a\":2}", "{\"a\":2}");
  check_reads("\t{\r\n\"a\" : [ 1 , 2 ] }\n", "{\"a\":[1,2]}");
}

static void malformed_text_is_refused(void **state) {
  static const char *const texts[] = {"",           " ",           "[",
                                      "{",          "]",           "[1",
                                      "[1,]",       "[,1]",        "[1 2]",
                                      "{\"a\"}",    "{\"a\":}",    "{\"a\":1,}",
                                      "{a:1}",      "{\"a\" 1}",   "{1:2}",
                                      "tru",        "nul",         "True",
                                      "nan",        "NaN",         "Infinity",
                                      "01",         "-",           "+1",
                                      "1.",         ".5",          "1e",
                                      "1e+",        "-01",         "0x10",
                                      "1.5.2",      "\"open",      "\"\\x\"",
                                      "\"\\u12\"",  "\"\\u12g4\"", "\"\\",
                                      "\"a\nb\"",   "'a'",         "[1]]",
                                      "1 2",        "{}{}",        "/*c*/1",
                                      "[1}",        "{\"a\":1]",   "\xef\xbb\xbf{}",
                                      "\"\\u\"",    "\"\x1f\"",    "[\"a\",\n\"b\"",
                                      "{\"a\":1,,}"};
  (void)state;
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    check_refuses(texts[i], "invalid JSON at line");
  }
}

static void place_of_the_problem_is_named(void **state) {
  (void)state;
  check_refuses("{\n  \"a\": 1,\n  b: 2\n}", "line 3, column 3: a key in quotes");
  check_refuses("[\"\xc3\xa4\xc3\xb6\", x]", "line 1, column 8: ");
  check_refuses("[1] x", "line 1, column 5: text after the end");
}

static void numbers_keep_their_value(void **state) {
  (void)state;
  check_reads("[0,-0,-1,9223372036854775807,-9223372036854775808]",
              "[0,0,-1,9223372036854775807,-9223372036854775808]");
  check_reads("9223372036854775808", "9.223372036854776e+18");
  check_reads("[0.1,1.5,-2.5e3,1e-7,123456789.125,5e-324,1.7976931348623157e308]",
              "[0.1,1.5,-2500,1e-07,123456789.125,5e-324,1.7976931348623157e+308]");
  check_reads("0.30000000000000004", "0.30000000000000004");
}

static void type_of_a_number_is_kept(void **state) {
  mb_arena *arena = mb_arena_new(0);
  mb_value *list;
  static const char text[] = "[12, 12.0, 1e2, 99999999999999999999]";
  (void)state;
  assert_int_equal(mb_value_from_json(arena, &list, text, sizeof text - 1, NULL), 0);
  assert_int_equal(mb_value_type(mb_list_at(list, 0)), MB_TYPE_INTEGER);
  assert_int_equal(mb_value_type(mb_list_at(list, 1)), MB_TYPE_NUMBER);
  assert_int_equal(mb_value_type(mb_list_at(list, 2)), MB_TYPE_NUMBER);
  assert_int_equal(mb_value_type(mb_list_at(list, 3)), MB_TYPE_NUMBER);
  assert_true(mb_value_number(mb_list_at(list, 3)) == 1e20);
  mb_arena_free(arena);
}

static void strings_are_decoded(void **state) {
  (void)state;
  check_reads("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\"");
  check_reads("\"\\u00e4\\u20ac\\ud83d\\ude00\"", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
  check_reads("\"a\\u0000b\"", "\"a\\u0000b\"");
  check_reads("\"\\u001f\x7f\"", "\"\\u001f\x7f\"");
}

static void nul_in_a_string_survives(void **state) {
  mb_arena *arena = mb_arena_new(0);
  mb_value *value;
  size_t size;
  (void)state;
  assert_int_equal(mb_value_from_json(arena, &value, "\"a\\u0000b\"", 10, NULL), 0);
  const char *bytes = mb_value_bytes(value, &size);
  assert_int_equal(size, 3);
  assert_memory_equal(bytes, "a\0b", 4);
  mb_arena_free(arena);
}

static void bad_text_becomes_the_replacement_character(void **state) {
  (void)state;
  check_reads("\"\\ud800\"", "\"\xef\xbf\xbd\"");
  check_reads("\"\\ud800x\"", "\"\xef\xbf\xbdx\"");
  check_reads("\"\\udc00\\ud800\\u0041\"", "\"\xef\xbf\xbd\xef\xbf\xbd"
                                           "A\"");
  check_reads("\"a\xff"
              "b\"",
              "\"a\xef\xbf\xbd"
              "b\"");
  check_reads("\"\xc0\xaf\"", "\"\xef\xbf\xbd\xef\xbf\xbd\"");
  check_reads("\"\xed\xa0\x80\"", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
  check_reads("\"\xe2\x82\"", "\"\xef\xbf\xbd\xef\xbf\xbd\"");
  check_reads("{\"\xff\":1}", "{\"\xef\xbf\xbd\":1}");
}

static void depth_is_bounded(void **state) {
  char text[2 * MB_JSON_DEPTH + 10];
  mb_arena *arena = mb_arena_new(0);
  mb_value *value;
  (void)state;
  memset(text, '[', MB_JSON_DEPTH);
  memset(text + MB_JSON_DEPTH, ']', MB_JSON_DEPTH);
  assert_int_equal(mb_value_from_json(arena, &value, text, 2 * MB_JSON_DEPTH, NULL), 0);
  memset(text, '[', MB_JSON_DEPTH + 1);
  memset(text + MB_JSON_DEPTH + 1, ']', MB_JSON_DEPTH + 1);
  mb_error error;
  assert_int_equal(mb_value_from_json(arena, &value, text, 2 * MB_JSON_DEPTH + 2, &error), -1);
  assert_non_null(strstr(error.message, "too deeply"));
  mb_arena_free(arena);
}

static void reader_pulls_and_skips(void **state) {
  static const char text[] =
      "{\"skip\":{\"deep\":[1,\"\\n\",{}]},\"also\":3,\"keep\":\"v\\u0041\"}";
  mb_arena *arena = mb_arena_new(0);
  mb_json_reader reader;
  (void)state;
  mb_json_reader_init(&reader, arena, text, sizeof text - 1);
  assert_int_equal(mb_json_next(&reader), MB_JSON_OBJECT);
  assert_int_equal(mb_json_next(&reader), MB_JSON_KEY);
  assert_memory_equal(reader.text, "skip", reader.size);
  assert_false(reader.text_owned);
  assert_int_equal(mb_json_skip(&reader, mb_json_next(&reader)), 0);
  assert_int_equal(mb_json_next(&reader), MB_JSON_KEY);
  assert_int_equal(mb_json_skip(&reader, mb_json_next(&reader)), 0);
  assert_int_equal(mb_json_next(&reader), MB_JSON_KEY);
  assert_int_equal(mb_json_next(&reader), MB_JSON_STRING);
  assert_true(reader.text_owned);
  assert_string_equal(reader.text, "vA");
  assert_int_equal(mb_json_next(&reader), MB_JSON_OBJECT_END);
  assert_int_equal(mb_json_next(&reader), MB_JSON_END);
  assert_int_equal(mb_json_next(&reader), MB_JSON_END);
  mb_arena_free(arena);
}

static void skipping_finds_errors_too(void **state) {
  mb_json_reader reader;
  (void)state;
  mb_json_reader_init(&reader, NULL, "[[1,2}]", 7);
  assert_int_equal(mb_json_next(&reader), MB_JSON_ARRAY);
  assert_int_equal(mb_json_skip(&reader, mb_json_next(&reader)), -1);
  assert_int_equal(mb_json_next(&reader), MB_JSON_ERROR);
}

static void indented_text_is_laid_out(void **state) {
  mb_arena *arena = mb_arena_new(0);
  mb_value *value;
  (void)state;
  assert_int_equal(mb_value_from_json(arena, &value, "{\"a\":[1,2],\"b\":{}}", 18, NULL), 0);
  assert_string_equal(mb_value_to_json(arena, value, 2, false),
                      "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}");
  mb_arena_free(arena);
}

static void secrets_are_shown_only_on_demand(void **state) {
  mb_arena *arena = mb_arena_new(0);
  mb_value *map = mb_value_new_map(arena);
  mb_value *password = mb_map_put(arena, map, "p");
  (void)state;
  mb_value_set_string(arena, password, "hunter2");
  mb_value_set_secret(password, true);
  assert_string_equal(mb_value_to_json(arena, map, 0, false), "{\"p\":\"[secret]\"}");
  assert_string_equal(mb_value_to_json(arena, map, 0, true), "{\"p\":\"hunter2\"}");
  mb_arena_free(arena);
}

static void blobs_and_odd_doubles_are_written(void **state) {
  mb_arena *arena = mb_arena_new(0);
  mb_value *list = mb_value_new_list(arena);
  (void)state;
  mb_value_set_bytes(arena, mb_list_add(arena, list), MB_TYPE_BLOB, "\0\xff", 2);
  mb_value_set_number(mb_list_add(arena, list), NAN);
  mb_value_set_number(mb_list_add(arena, list), -INFINITY);
  mb_value_set_number(mb_list_add(arena, list), -0.0);
  assert_string_equal(mb_value_to_json(arena, list, 0, false),
                      "[\"AP8=\",\"NaN\",\"-Infinity\",-0]");
  mb_arena_free(arena);
}

/* Skipped where the machine has no locale with a decimal comma. */
static void decimal_comma_changes_nothing(void **state) {
  static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR"};
  bool set = false;
  (void)state;
  for (size_t i = 0; i < sizeof names / sizeof names[0] && !set; i++) {
    set = setlocale(LC_ALL, names[i]) != NULL;
  }
  if (!set) {
    skip();
  }
  check_reads("[1.5,1e-3]", "[1.5,0.001]");
  setlocale(LC_ALL, "C");
}

static int parse(void *payload) {
  static const char text[] = "{\"list\":[1,2,3,\"\\u0041\"],\"number\":"
                             "1.000000000000000000000000000000000000000000000000000000000000000000"
                             "0000000000000000000000000000000000000000000000000000000000000000001}";
  mb_arena *arena = mb_arena_new(0);
  mb_value *value;
  int result = -1;
  (void)payload;
  if (arena) {
    result = mb_value_from_json(arena, &value, text, sizeof text - 1, NULL);
    result = result == 0 && mb_value_to_json(arena, value, 2, false) ? 0 : -1;
    mb_arena_free(arena);
  }
  return result;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  check_allocation_failures(parse, NULL);
}

/* Every prefix of a document is refused, and none is read past its end. */
static void every_truncation_is_refused(void **state) {
  static const char text[] =
      "{\"a\":[1,-2.5e+3,\"\\u00e4\\ud83d\\ude00\xc3\xa4\",true,false,null],\"b\":{\"c\":\"d\"}}";
  (void)state;
  for (size_t size = 0; size < sizeof text - 1; size++) {
    mb_arena *arena = mb_arena_new(0);
    mb_value *value;
    char *copy = malloc(size ? size : 1);
    memcpy(copy, text, size);
    assert_int_equal(mb_value_from_json(arena, &value, copy, size, NULL), -1);
    free(copy);
    mb_arena_free(arena);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(well_formed_text_is_read),
      cmocka_unit_test(malformed_text_is_refused),
      cmocka_unit_test(place_of_the_problem_is_named),
      cmocka_unit_test(numbers_keep_their_value),
      cmocka_unit_test(type_of_a_number_is_kept),
      cmocka_unit_test(strings_are_decoded),
      cmocka_unit_test(nul_in_a_string_survives),
      cmocka_unit_test(bad_text_becomes_the_replacement_character),
      cmocka_unit_test(depth_is_bounded),
      cmocka_unit_test(reader_pulls_and_skips),
      cmocka_unit_test(skipping_finds_errors_too),
      cmocka_unit_test(indented_text_is_laid_out),
      cmocka_unit_test(secrets_are_shown_only_on_demand),
      cmocka_unit_test(blobs_and_odd_doubles_are_written),
      cmocka_unit_test(decimal_comma_changes_nothing),
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(every_truncation_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
