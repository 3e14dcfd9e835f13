/* JMESPath beyond the compliance suite: hostile expressions, limits, secrets, numbers, memory. */
#include "aws/jmespath/jmespath.h"
#include "unit/check.h"

static mb_arena *arena;

static int make_arena(void **state) {
  arena = mb_arena_new(256u * 1024 * 1024);
  return arena ? 0 : -1;
}

static int free_arena(void **state) {
  mb_arena_free(arena);
  return 0;
}

static mb_value *json(const char *text) {
  mb_value *value;
  mb_error error;
  if (mb_value_from_json(arena, &value, text, strlen(text), &error))
    fail_msg("%s: %s", text, error.message);
  return value;
}

static int try_search(const char *expression, const mb_value *data, mb_value *out,
                      mb_error *error) {
  memset(error, 0, sizeof *error);
  const mb_jmespath *compiled = mb_jmespath_compile(arena, expression, error);
  return compiled ? mb_jmespath_search(compiled, arena, data, out, error) : -1;
}

static mb_value search(const char *expression, const mb_value *data) {
  mb_value out;
  mb_error error;
  if (try_search(expression, data, &out, &error))
    fail_msg("%s: %s: %s", expression, error.code, error.message);
  return out;
}

static void expect(const char *expression, const char *data, const char *wanted) {
  mb_value out = search(expression, json(data));
  assert_string_equal(mb_value_to_json(arena, &out, 0, true), wanted);
}

static void expect_error(const char *expression, const char *code) {
  mb_value out;
  mb_error error;
  assert_int_equal(try_search(expression, json("{\"a\": [1, \"x\"]}"), &out, &error), -1);
  assert_string_equal(error.code, code);
  assert_true(error.message[0] != '\0');
}

static char *repeat(const char *text, size_t count, const char *end) {
  size_t size = strlen(text);
  char *out = mb_arena_alloc(arena, size * count + strlen(end) + 1);
  assert_non_null(out);
  for (size_t i = 0; i < count; i++)
    memcpy(out + i * size, text, size);
  memcpy(out + size * count, end, strlen(end) + 1);
  return out;
}

/* ---- hostile expressions ---- */

static void deep_nesting_is_a_syntax_error_not_a_crash(void **state) {
  static const char *const pieces[] = {"(",  "[",   "{a:",   "!",    "a[?", "abs(", "[*].", "a.",
                                       "a|", "a||", "a[0].", "a[].", "*.",  "@==",  "map(&"};
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
    expect_error(repeat(pieces[i], 65000 / strlen(pieces[i]), "a"), "syntax");
  expect_error(repeat("[", 1, repeat("[0]", 21000, "")), "syntax");
}

static void an_expression_too_long_is_refused(void **state) {
  expect_error(repeat("a", 65537, ""), "syntax");
}

static void what_is_not_closed_is_a_syntax_error(void **state) {
  static const char *const rows[] = {
      "\"a",  "'a",   "`1",   "a[", "a[0",   "a[?b", "abs(", "{a:", "a.",   "'a\\'", "`\\`",
      "\"\\", "a[1:", "a[::", "&",  "-",     "a[-]", "[",    "a[*", "{",    "{a",    "{\"a\"",
      "(",    "",     "   ",  "=",  "a = b", "\x01", "\xff", "a b", "a..b", "[]a"};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    expect_error(rows[i], "syntax");
}

static void errors_name_the_place(void **state) {
  mb_value out;
  mb_error error;
  assert_int_equal(try_search("services[?status == ]", NULL, &out, &error), -1);
  assert_non_null(strstr(error.message, "character 21"));
}

static void an_expression_that_multiplies_is_stopped(void **state) {
  mb_value out;
  mb_error error;
  const char *doubling = repeat("[@,@][]|", 40, "length(@)");
  assert_int_equal(try_search(doubling, json("1"), &out, &error), -1);
  assert_true(error.kind == MB_ERROR_LIMIT || error.kind == MB_ERROR_MEMORY);
}

static void an_expression_that_works_too_long_is_stopped(void **state) {
  mb_value out;
  mb_error error;
  const char *items = repeat("`[", 1, repeat("1,", 99, "1]`"));
  const char *filter = "[?`false`]";
  for (int i = 0; i < 4; i++)
    filter = repeat("[?", 1, repeat(items, 1, repeat(filter, 1, "]")));
  assert_int_equal(try_search(repeat(items, 1, filter), NULL, &out, &error), -1);
  assert_int_equal(error.kind, MB_ERROR_LIMIT);
  assert_string_equal(error.code, "TooMuchWork");
}

static void expressions_stand_only_as_arguments(void **state) {
  expect_error("&a", "syntax");
  expect_error("[&a]", "syntax");
  expect_error("length(&a)", "invalid-type");
  expect_error("sort_by(a, a)", "invalid-type");
  expect_error("abs(a,)", "syntax");
}

/* ---- indexes and slices ---- */

static void huge_indexes_are_out_of_range_not_overflows(void **state) {
  expect("@[9223372036854775807]", "[1]", "null");
  expect("@[-9223372036854775808]", "[1]", "null");
  expect_error("a[9223372036854775808]", "syntax");
  expect_error("a[-9223372036854775809]", "syntax");
}

static void huge_slices_stay_within_the_list(void **state) {
  expect("@[-9223372036854775808:9223372036854775807]", "[1,2,3]", "[1,2,3]");
  expect("@[::9223372036854775807]", "[1,2,3]", "[1]");
  expect("@[::-9223372036854775808]", "[1,2,3]", "[3]");
  expect("@[9223372036854775807::-1]", "[1,2,3]", "[3,2,1]");
  expect("@[5:1]", "[1,2,3]", "[]");
  expect("@[:-5:-1]", "[1,2,3]", "[3,2,1]");
  expect("@[::]", "[]", "[]");
  expect("@[::-1]", "[]", "[]");
  expect_error("a[::0]", "invalid-value");
}

/* ---- numbers and text ---- */

static void integers_stay_exact(void **state) {
  expect("sum(@)", "[9007199254740993, 1]", "9007199254740994");
  expect("max(@)", "[9007199254740992, 9007199254740993]", "9007199254740993");
  expect("@[?@ > `9007199254740992`]", "[9007199254740992, 9007199254740993]",
         "[9007199254740993]");
  expect("abs(@)", "-9223372036854775807", "9223372036854775807");
  expect("to_number('9223372036854775807')", "0", "9223372036854775807");
  expect("ceil(@)", "1.5", "2");
  expect("floor(@)", "-1.5", "-2");
}

static void sums_that_overflow_become_doubles(void **state) {
  mb_value out = search("sum(@)", json("[9223372036854775807, 9223372036854775807]"));
  assert_int_equal(mb_value_type(&out), MB_TYPE_NUMBER);
  assert_true(mb_value_number(&out) > 1.8e19);
  out = search("abs(@)", json("-9223372036854775808"));
  assert_int_equal(mb_value_type(&out), MB_TYPE_NUMBER);
}

static void text_is_counted_and_turned_by_characters(void **state) {
  expect("length(@)", "\"a\\u00e9\\ud834\\udd1e\"", "3");
  expect("reverse(@)", "\"a\\u00e9\\ud834\\udd1e\"", "\"\xf0\x9d\x84\x9e\xc3\xa9\x61\"");
  expect("sort(@)", "[\"\\ud834\\udd1e\", \"\\uffee\", \"a\"]",
         "[\"a\",\"\xef\xbf\xae\",\"\xf0\x9d\x84\x9e\"]");
}

static void sorting_keeps_the_order_of_equals(void **state) {
  expect("sort_by(@, &k)[].v",
         "[{\"k\":2,\"v\":1},{\"k\":1,\"v\":2},{\"k\":2,\"v\":3},{\"k\":1,\"v\":4},"
         "{\"k\":1,\"v\":5}]",
         "[2,4,5,1,3]");
}

static void bare_words_between_backticks_are_strings(void **state) {
  expect("@[?s == `running`].n", "[{\"s\":\"running\",\"n\":1},{\"s\":\"x\",\"n\":2}]", "[1]");
  expect_error("a == ``", "syntax");
  expect_error("a == `[1`", "syntax");
  expect_error("a == `\"x`", "syntax");
}

static void names_with_nul_are_names_of_their_own(void **state) {
  expect("\"a\\u0000b\"", "{\"a\": 1, \"a\\u0000b\": 2}", "2");
}

static void null_data_gives_null(void **state) {
  mb_value out = search("a.b[0].c", NULL);
  assert_int_equal(mb_value_type(&out), MB_TYPE_NULL);
}

/* ---- secrets ---- */

static void text_made_of_a_secret_stays_secret(void **state) {
  static const char *const rows[] = {"p",
                                     "reverse(p)",
                                     "to_string(p)",
                                     "to_string(@)",
                                     "to_number(n)",
                                     "join('-', [q, p])",
                                     "[p][0]",
                                     "not_null(z, p)",
                                     "sort([p])[0]"};
  mb_value *data = json("{\"p\": \"hunter2\", \"q\": \"plain\", \"n\": \"42\"}");
  mb_value_set_secret(mb_map_get(data, "p"), true);
  mb_value_set_secret(mb_map_get(data, "n"), true);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    mb_value out = search(rows[i], data);
    assert_true(mb_value_is_secret(&out));
  }
  mb_value plain = search("join('-', [q, q])", data);
  assert_false(mb_value_is_secret(&plain));
  assert_false(mb_value_is_secret(mb_map_get(data, "q")));
}

/* ---- memory ---- */

static int search_once(void *limit) {
  static const char expression[] =
      "{a: x[?n > `1`].{m: n, t: 't'} | [0], b: sort_by(x, &n)[*].n, c: join(',', keys(@)), "
      "d: x[].n[], e: merge(x[0], x[1]), f: to_string(x), g: x[::-1], h: reverse('abc'), \"i\": "
      "*.n}";
  static const char text[] = "{\"x\": [{\"n\": 2}, {\"n\": 1}, {\"n\": 3}]}";
  mb_error error = {0};
  mb_value *data, out;
  int result = -1;
  mb_arena *own = mb_arena_new(*(const size_t *)limit);
  if (!own)
    return -1;
  const mb_jmespath *compiled = mb_jmespath_compile(own, expression, &error);
  if (compiled && !mb_value_from_json(own, &data, text, sizeof text - 1, &error))
    result = mb_jmespath_search(compiled, own, data, &out, &error);
  if (result)
    assert_int_equal(error.kind, MB_ERROR_MEMORY);
  mb_arena_free(own);
  return result;
}

static void every_allocation_of_a_search_may_fail(void **state) {
  size_t unlimited = 0;
  check_allocation_failures(search_once, &unlimited);
  check_arena_limits(search_once);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(deep_nesting_is_a_syntax_error_not_a_crash),
      cmocka_unit_test(an_expression_too_long_is_refused),
      cmocka_unit_test(what_is_not_closed_is_a_syntax_error),
      cmocka_unit_test(errors_name_the_place),
      cmocka_unit_test(an_expression_that_multiplies_is_stopped),
      cmocka_unit_test(an_expression_that_works_too_long_is_stopped),
      cmocka_unit_test(expressions_stand_only_as_arguments),
      cmocka_unit_test(huge_indexes_are_out_of_range_not_overflows),
      cmocka_unit_test(huge_slices_stay_within_the_list),
      cmocka_unit_test(integers_stay_exact),
      cmocka_unit_test(sums_that_overflow_become_doubles),
      cmocka_unit_test(text_is_counted_and_turned_by_characters),
      cmocka_unit_test(sorting_keeps_the_order_of_equals),
      cmocka_unit_test(bare_words_between_backticks_are_strings),
      cmocka_unit_test(names_with_nul_are_names_of_their_own),
      cmocka_unit_test(null_data_gives_null),
      cmocka_unit_test(text_made_of_a_secret_stays_secret),
      cmocka_unit_test(every_allocation_of_a_search_may_fail),
  };
  return cmocka_run_group_tests(tests, make_arena, free_arena);
}
