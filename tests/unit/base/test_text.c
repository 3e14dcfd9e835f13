/* Text, numbers, times, base64. */
#include "base/text.h"
#include "base/utf8.h"
#include "unit/check.h"

#include <math.h>

static void comparisons_ignore_only_ascii_case(void **state) {
  (void)state;
  assert_true(mb_text_equal_ci("Content-TYPE", "content-type"));
  assert_false(mb_text_equal_ci("content", "content-type"));
  assert_false(mb_text_equal_ci("[", "{"));
  assert_true(mb_text_starts("ecs.update", "ecs."));
  assert_false(mb_text_starts("ec", "ecs"));
  assert_true(mb_text_ends("file.lua", ".lua"));
  assert_false(mb_text_ends("lua", ".lua"));
}

static void copies_are_cut_between_characters(void **state) {
  char out[4];
  (void)state;
  assert_true(mb_text_copy(out, sizeof out, "abc"));
  assert_false(mb_text_copy(out, sizeof out, "ab\xc3\xa4"));
  assert_string_equal(out, "ab");
  assert_false(mb_text_copy(out, sizeof out, "\xf0\x9f\x98\x80"));
  assert_string_equal(out, "");
  assert_false(mb_text_copy(out, 0, "x"));
}

static void utf8_is_checked_strictly(void **state) {
  uint32_t point;
  (void)state;
  assert_true(mb_utf8_valid("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf", 14));
  assert_false(mb_utf8_valid("\xc0\x80", 2));
  assert_false(mb_utf8_valid("\xe0\x80\xaf", 3));
  assert_false(mb_utf8_valid("\xed\xa0\x80", 3));
  assert_false(mb_utf8_valid("\xf4\x90\x80\x80", 4));
  assert_false(mb_utf8_valid("\xf8\x88\x80\x80\x80", 5));
  assert_false(mb_utf8_valid("\x80", 1));
  assert_false(mb_utf8_valid("\xe2\x82", 2));
  for (uint32_t wanted = 1; wanted <= 0x10ffff; wanted += 37) {
    char text[4];
    if (wanted >= 0xd800 && wanted <= 0xdfff) {
      continue;
    }
    size_t length = mb_utf8_write(text, wanted);
    assert_int_equal(mb_utf8_read(text, length, &point), length);
    assert_int_equal(point, wanted);
  }
}

static void check_printable(const char *text, size_t size, bool newlines, const char *shown) {
  mb_buffer out = MB_BUFFER_INIT(1000);
  mb_text_add_printable(&out, text, size, newlines);
  assert_string_equal(mb_buffer_text(&out), shown);
  mb_buffer_dispose(&out);
}

static void terminals_are_protected(void **state) {
  (void)state;
  check_printable("ok \xc3\xa4\t.", 7, false, "ok \xc3\xa4\t.");
  check_printable("\x1b[31mred", 8, false, "\\x1b[31mred");
  check_printable("a\nb\r", 4, true, "a\nb\\r");
  check_printable("a\nb", 3, false, "a\\nb");
  check_printable("a\0b", 3, false, "a\\x00b");
  check_printable("\xe2\x80\xae"
                  "evil",
                  7, false, "\\u{202e}evil");
  check_printable("\xc2\x9b"
                  "31m",
                  5, false, "\\u{9b}31m");
  check_printable("\xff\xfe", 2, false, "\\xff\\xfe");
  check_printable("\x7f", 1, false, "\\x7f");
}

static void uri_encoding_keeps_only_what_it_may(void **state) {
  mb_buffer out = MB_BUFFER_INIT(1000);
  (void)state;
  mb_text_add_uri(&out, "aZ0-._~ /+\xc3\xa4%\0", 14, "/");
  assert_string_equal(mb_buffer_text(&out), "aZ0-._~%20/%2B%C3%A4%25%00");
  mb_buffer_dispose(&out);
}

static void base64_goes_both_ways(void **state) {
  static const char *const pairs[][2] = {{"", ""},
                                         {"f", "Zg=="},
                                         {"fo", "Zm8="},
                                         {"foo", "Zm9v"},
                                         {"foob", "Zm9vYg=="},
                                         {"fooba", "Zm9vYmE="},
                                         {"\xff\xfe", "//4="}};
  mb_arena *arena = mb_arena_new(0);
  (void)state;
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
    mb_buffer out = MB_BUFFER_INIT(100);
    const char *decoded;
    size_t size;
    mb_text_add_base64(&out, pairs[i][0], strlen(pairs[i][0]));
    assert_string_equal(mb_buffer_text(&out), pairs[i][1]);
    assert_int_equal(mb_base64_decode(arena, pairs[i][1], strlen(pairs[i][1]), &decoded, &size), 0);
    assert_int_equal(size, strlen(pairs[i][0]));
    assert_string_equal(decoded, pairs[i][0]);
    mb_buffer_dispose(&out);
  }
  mb_arena_free(arena);
}

static void bad_base64_is_refused(void **state) {
  static const char *const texts[] = {"A", "Zm9v!", "Zg=", "Z g=", "Zg==\n", "=", "====", "Zm9vY"};
  mb_arena *arena = mb_arena_new(0);
  const char *out;
  size_t size;
  (void)state;
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    assert_int_equal(mb_base64_decode(arena, texts[i], strlen(texts[i]), &out, &size), -1);
  }
  assert_int_equal(mb_base64_decode(arena, "Zg", 2, &out, &size), 0);
  assert_string_equal(out, "f");
  mb_arena_free(arena);
}

static void integers_are_read_to_their_limits(void **state) {
  int64_t value;
  (void)state;
  assert_int_equal(mb_parse_integer("9223372036854775807", 19, &value), 0);
  assert_true(value == INT64_MAX);
  assert_int_equal(mb_parse_integer("-9223372036854775808", 20, &value), 0);
  assert_true(value == INT64_MIN);
  assert_int_equal(mb_parse_integer("9223372036854775808", 19, &value), -1);
  assert_int_equal(mb_parse_integer("-9223372036854775809", 20, &value), -1);
  assert_int_equal(mb_parse_integer("18446744073709551616", 20, &value), -1);
  assert_int_equal(mb_parse_integer("", 0, &value), -1);
  assert_int_equal(mb_parse_integer("-", 1, &value), -1);
  assert_int_equal(mb_parse_integer(" 1", 2, &value), -1);
  assert_int_equal(mb_parse_integer("1x", 2, &value), -1);
}

static void numbers_are_decimal_only(void **state) {
  static const char *const bad[] = {"",   ".",   "-",   "1e",  "0x1p3", "1 ",
                                    " 1", "nan", "inf", "1,5", "1e5x",  "e5"};
  double value;
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_int_equal(mb_parse_number(bad[i], strlen(bad[i]), &value), -1);
  }
  assert_int_equal(mb_parse_number("-1.25e2", 7, &value), 0);
  assert_true(value == -125);
  assert_int_equal(mb_parse_number("-Infinity", 9, &value), 0);
  assert_true(isinf(value) && value < 0);
  assert_int_equal(mb_parse_number("NaN", 3, &value), 0);
  assert_true(isnan(value));
}

static void durations_have_units(void **state) {
  static const struct {
    const char *text;
    double seconds;
  } good[] = {{"90", 90},     {"90s", 90},     {"15m", 900},  {"2h", 7200},
              {"1.5h", 5400}, {"250ms", 0.25}, {"1d", 86400}, {"0", 0}};
  static const char *const bad[] = {"", "s", "-5s", "5 s", "5x", "1h30m", "5S", ".", "1e3"};
  double seconds;
  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    assert_int_equal(mb_parse_duration(good[i].text, &seconds), 0);
    assert_true(seconds == good[i].seconds);
  }
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_int_equal(mb_parse_duration(bad[i], &seconds), -1);
  }
}

static void suggestions_are_near(void **state) {
  static const char *const names[] = {"describe_services", "describe_clusters", "update_service"};
  (void)state;
  assert_string_equal(mb_text_nearest("describe_servcies", names, 3), "describe_services");
  assert_string_equal(mb_text_nearest("Update_Service", names, 3), "update_service");
  assert_null(mb_text_nearest("launch_rocket", names, 3));
  assert_null(mb_text_nearest("", names, 3));
}

/* ---- times ---- */

static void check_time(const char *text, double expected) {
  double seconds = -1;
  assert_int_equal(mb_time_parse(text, strlen(text), &seconds), 0);
  assert_true(fabs(seconds - expected) < 1e-6);
}

static void every_form_of_time_is_read(void **state) {
  (void)state;
  check_time("1970-01-01T00:00:00Z", 0);
  check_time("2026-11-23T14:00:00Z", 1795442400);
  check_time("2026-11-23T14:00:00.5Z", 1795442400.5);
  check_time("2026-11-23T15:30:00+01:30", 1795442400);
  check_time("2026-11-23T09:00:00-0500", 1795442400);
  check_time("2026-11-23 14:00:00", 1795442400);
  check_time("20261123T140000Z", 1795442400);
  check_time("2026-11-23", 1795392000);
  check_time("1969-12-31T23:59:59Z", -1);
  check_time("2000-02-29T12:00:00Z", 951825600);
  check_time("0001-01-01T00:00:00Z", -62135596800.0);
  check_time("9999-12-31T23:59:59Z", 253402300799.0);
  check_time("-0001-01-01T00:00:00Z", -62198755200.0);
  check_time("2016-12-31T23:59:60Z", 1483228800);
  check_time("Sun, 06 Nov 1994 08:49:37 GMT", 784111777);
  check_time("Sun, 06 Nov 1994 08:49:37.25 GMT", 784111777.25);
  check_time("Sunday, 06-Nov-94 08:49:37 GMT", 784111777);
  check_time("Sun Nov  6 08:49:37 1994", 784111777);
  check_time("1795442400", 1795442400);
  check_time("1795442400.123", 1795442400.123);
  check_time("1.7954424E9", 1795442400);
  check_time("-1.5", -1.5);
}

static void nonsense_is_no_time(void **state) {
  static const char *const texts[] = {"",
                                      "now",
                                      "NaN",
                                      "Infinity",
                                      "2026-13-01T00:00:00Z",
                                      "2026-02-29T00:00:00Z",
                                      "2026-01-32T00:00:00Z",
                                      "2026-01-00T00:00:00Z",
                                      "2026-01-01T24:00:00Z",
                                      "2026-01-01T00:60:00Z",
                                      "2026-01-01T00:00:00+25:00",
                                      "2026-01-01T00:00:00.Z",
                                      "2026-01-01T00:00:00Zx",
                                      "2026-01-01T",
                                      "2026-1-1",
                                      "Sun, 06 Foo 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "1900-02-29T00:00:00Z"};
  double seconds;
  (void)state;
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    assert_int_equal(mb_time_parse(texts[i], strlen(texts[i]), &seconds), -1);
  }
}

static void check_written(double seconds, mb_time_format format, const char *text) {
  mb_buffer out = MB_BUFFER_INIT(100);
  mb_time_add(&out, seconds, format);
  assert_string_equal(mb_buffer_text(&out), text);
  mb_buffer_dispose(&out);
}

static void times_are_written(void **state) {
  char amz[17];
  (void)state;
  check_written(1795442400, MB_TIME_ISO8601, "2026-11-23T14:00:00Z");
  check_written(1795442400.5, MB_TIME_ISO8601, "2026-11-23T14:00:00.5Z");
  check_written(1795442400.123, MB_TIME_ISO8601, "2026-11-23T14:00:00.123Z");
  check_written(-0.5, MB_TIME_ISO8601, "1969-12-31T23:59:59.5Z");
  check_written(0.9999999, MB_TIME_ISO8601, "1970-01-01T00:00:01Z");
  check_written(1795442400, MB_TIME_HTTP, "Mon, 23 Nov 2026 14:00:00 GMT");
  check_written(784111777, MB_TIME_HTTP, "Sun, 06 Nov 1994 08:49:37 GMT");
  check_written(1795442400, MB_TIME_EPOCH, "1795442400");
  check_written(1795442400.5, MB_TIME_EPOCH, "1795442400.5");
  check_written(-62198755200.0, MB_TIME_ISO8601, "-0001-01-01T00:00:00Z");
  check_written(1e300, MB_TIME_ISO8601, "9999-12-31T23:59:59Z");
  check_written(-1e300, MB_TIME_ISO8601, "-9999-01-01T00:00:00Z");
  mb_time_amz(amz, 1795442405);
  assert_string_equal(amz, "20261123T140005Z");
}

static void calendar_agrees_with_itself(void **state) {
  (void)state;
  for (int64_t day = -4371587; day < 2932896; day += 331) {
    int year, month, date, hour, minute, second;
    mb_time_civil(day * 86400 + 86399, &year, &month, &date, &hour, &minute, &second);
    assert_true(month >= 1 && month <= 12 && date >= 1 && date <= 31);
    assert_true(hour == 23 && minute == 59 && second == 59);
    mb_buffer out = MB_BUFFER_INIT(100);
    double back;
    mb_time_add(&out, (double)(day * 86400), MB_TIME_ISO8601);
    assert_int_equal(mb_time_parse(out.data, out.size, &back), 0);
    assert_true(back == (double)(day * 86400));
    mb_buffer_dispose(&out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(comparisons_ignore_only_ascii_case),
      cmocka_unit_test(copies_are_cut_between_characters),
      cmocka_unit_test(utf8_is_checked_strictly),
      cmocka_unit_test(terminals_are_protected),
      cmocka_unit_test(uri_encoding_keeps_only_what_it_may),
      cmocka_unit_test(base64_goes_both_ways),
      cmocka_unit_test(bad_base64_is_refused),
      cmocka_unit_test(integers_are_read_to_their_limits),
      cmocka_unit_test(numbers_are_decimal_only),
      cmocka_unit_test(durations_have_units),
      cmocka_unit_test(suggestions_are_near),
      cmocka_unit_test(every_form_of_time_is_read),
      cmocka_unit_test(nonsense_is_no_time),
      cmocka_unit_test(times_are_written),
      cmocka_unit_test(calendar_agrees_with_itself),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
