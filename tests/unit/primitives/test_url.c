/* URLs: what is accepted, what it means, and which hosts are refused in whatever spelling. */
#include "primitives/url.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static mb_arena *arena;

static int set_up(void **state) {
  arena = mb_arena_new(0);
  return arena ? 0 : -1;
}

static int tear_down(void **state) {
  mb_arena_free(arena);
  return 0;
}

static mb_url parse(const char *text) {
  mb_url url;
  mb_error error;
  if (mb_url_parse(arena, text, &url, &error) != 0)
    fail_msg("%s: %s", text, error.message);
  return url;
}

static void reads_as(const char *text, const char *expected) {
  mb_url url = parse(text);
  assert_string_equal(mb_url_text(arena, &url), expected);
}

static void urls_are_rebuilt_from_what_was_read(void **state) {
  reads_as("http://example.com", "http://example.com/");
  reads_as("HTTPS://Example.COM:443/A?b=C#d", "https://example.com/A?b=C");
  reads_as("http://example.com.:8080/x", "http://example.com:8080/x");
  reads_as("http://example.com:?q", "http://example.com/?q");
  reads_as("http://[::1]:8080/", "http://[::1]:8080/");
  reads_as("http://[0:0::0001]", "http://[::1]/");
  reads_as("http://127.1/", "http://127.0.0.1/");
  reads_as("http://0x7f000001/", "http://127.0.0.1/");
  reads_as("http://017700000001/", "http://127.0.0.1/");
  reads_as("http://999.1.1.1.example/", "http://999.1.1.1.example/");
}

static void bad_urls_are_refused(void **state) {
  static const char *const bad[] = {"",
                                    "example.com",
                                    "ftp://example.com/",
                                    "file:///etc/passwd",
                                    "http://",
                                    "http:///path",
                                    "http://user@example.com/",
                                    "http://good.com@evil.com/",
                                    "http://good.com\\@evil.com/",
                                    "http://a b/",
                                    "http://a/\r\nHost: b",
                                    "http://a/\x01",
                                    "http://ex\xc3\xa4mple.com/",
                                    "http://a:0/",
                                    "http://a:65536/",
                                    "http://a:80x/",
                                    "http://a:99999999999999999999/",
                                    "http://[::1/",
                                    "http://[::1]x/",
                                    "http://[fe80::1%25eth0]/",
                                    "http://[gg::1]/",
                                    "http://a%2eb/",
                                    "http://a,b/",
                                    "http://."};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    mb_url url;
    mb_error error;
    if (mb_url_parse(arena, bad[i], &url, &error) == 0)
      fail_msg("accepted: %s", bad[i]);
    assert_int_equal(error.kind, MB_ERROR_USAGE);
  }
}

static void link_local_addresses_are_seen_in_every_spelling(void **state) {
  static const char *const local[] = {"http://169.254.169.254/latest/meta-data/",
                                      "http://169.254.170.2/v2/credentials",
                                      "http://169.254.169.254./",
                                      "http://2852039166/",
                                      "http://0xa9fea9fe/",
                                      "http://0xA9.0xFE.0xA9.0xFE/",
                                      "http://0251.0376.0251.0376/",
                                      "http://169.254.43518/",
                                      "http://169.16689662/",
                                      "http://025177524776/",
                                      "http://[fd00:ec2::254]/",
                                      "http://[fd00:ec2::23]/",
                                      "http://[fe80::1]/",
                                      "http://[febf::1]/",
                                      "http://[::ffff:169.254.169.254]/",
                                      "http://[::ffff:a9fe:a9fe]/",
                                      "http://[::169.254.169.254]/",
                                      "http://[64:ff9b::a9fe:a9fe]/",
                                      "http://[2002:a9fe:a9fe::1]/",
                                      "http://instance-data/latest",
                                      "http://INSTANCE-DATA.ec2.internal/"};
  for (size_t i = 0; i < sizeof local / sizeof *local; i++) {
    mb_url url = parse(local[i]);
    if (!mb_url_is_link_local(&url))
      fail_msg("not seen: %s", local[i]);
  }
}

static void other_addresses_are_not_link_local(void **state) {
  static const char *const others[] = {"http://169.253.169.254/",
                                       "http://169.255.0.1/",
                                       "http://127.0.0.1/",
                                       "http://10.0.0.1/",
                                       "http://[::1]/",
                                       "http://[fd00:ec3::1]/",
                                       "http://[fec0::1]/",
                                       "http://example.com/",
                                       "http://169.254.169.254.example.com/",
                                       "http://[2001:db8::1]/",
                                       "http://[::ffff:127.0.0.1]/"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    mb_url url = parse(others[i]);
    if (mb_url_is_link_local(&url))
      fail_msg("seen: %s", others[i]);
  }
}

static void resolves_to(const char *base, const char *location, const char *expected) {
  mb_url from = parse(base), to;
  mb_error error;
  if (mb_url_resolve(arena, &from, location, &to, &error) != 0)
    fail_msg("%s + %s: %s", base, location, error.message);
  assert_string_equal(mb_url_text(arena, &to), expected);
}

static void locations_are_resolved(void **state) {
  resolves_to("https://a.com/x/y?q", "https://b.com/", "https://b.com/");
  resolves_to("https://a.com/x/y?q", "//b.com/z", "https://b.com/z");
  resolves_to("https://a.com:8443/x/y?q", "/z?w#f", "https://a.com:8443/z?w");
  resolves_to("https://a.com/x/y?q=/", "z", "https://a.com/x/z");
  resolves_to("https://a.com/x/y?q", "?r", "https://a.com/x/y?r");
  resolves_to("https://a.com/x/y?q", "", "https://a.com/x/y?q");
}

static void a_location_of_another_scheme_is_refused(void **state) {
  mb_url from = parse("https://a.com/"), to;
  mb_error error;
  assert_int_equal(mb_url_resolve(arena, &from, "file:///etc/passwd", &to, &error), -1);
  assert_int_equal(mb_url_resolve(arena, &from, "javascript:1", &to, &error), -1);
  assert_int_equal(mb_url_resolve(arena, &from, "/a\r\nb", &to, &error), -1);
}

static bool matches(const char *text, const char *pattern) {
  mb_url url = parse(text);
  return mb_url_matches(&url, pattern);
}

static void patterns_match_whole_names_only(void **state) {
  assert_true(matches("http://example.com/", "example.com"));
  assert_true(matches("http://EXAMPLE.com/", "Example.Com."));
  assert_false(matches("http://evil-example.com/", "example.com"));
  assert_false(matches("http://example.com.evil.org/", "example.com"));
  assert_true(matches("http://a.example.com/", "*.example.com"));
  assert_true(matches("http://a.b.example.com/", "*.example.com"));
  assert_false(matches("http://example.com/", "*.example.com"));
  assert_false(matches("http://aexample.com/", "*.example.com"));
  assert_true(matches("http://[::1]:8080/", "[::1]"));
  assert_true(matches("http://[::1]:8080/", "::1"));
  assert_true(matches("http://[::1]:8080/", "[::1]:8080"));
  assert_false(matches("http://[::1]:8081/", "[::1]:8080"));
  assert_false(matches("http://[::2]/", "[::1]"));
  assert_false(matches("http://a.com/", "*"));
  assert_false(matches("http://a.com/", "*."));
  assert_false(matches("http://a.com/", ""));
  assert_true(matches("http://a.com:8080/", "a.com"));
  assert_true(matches("http://a.com:8080/", "a.com:8080"));
  assert_false(matches("http://a.com/", "a.com:8080"));
  assert_true(matches("https://x.a.com/", "*.a.com:443"));
  assert_true(matches("http://[::1]:80/", "::1"));
  assert_true(matches("http://127.1/", "127.0.0.1"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(urls_are_rebuilt_from_what_was_read),
      TEST(bad_urls_are_refused),
      TEST(link_local_addresses_are_seen_in_every_spelling),
      TEST(other_addresses_are_not_link_local),
      TEST(locations_are_resolved),
      TEST(a_location_of_another_scheme_is_refused),
      TEST(patterns_match_whole_names_only),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
