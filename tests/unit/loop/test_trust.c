/* Which authorities and proxies are chosen, and lists of headers. */
#include "base/memory.h"
#include "base/system.h"
#include "loop/http.h"
#include "loop/trouble.h"
#include "loop/trust.h"
#include "unit/check.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct environment {
  const char *const (*pairs)[2];
  char root[64];
} environment;

static const char *look_up(void *payload, const char *name) {
  const environment *of = payload;
  for (size_t i = 0; of->pairs && of->pairs[i][0]; i++) {
    if (strcmp(of->pairs[i][0], name) == 0) {
      return of->pairs[i][1];
    }
  }
  return NULL;
}

static int make_root(void **state) {
  environment *of = calloc(1, sizeof *of);
  *state = of;
  strcpy(of->root, "/tmp/moonbook-test-XXXXXX");
  return mkdtemp(of->root) ? 0 : -1;
}

static void make(const environment *of, const char *path, bool folder) {
  char full[256];
  snprintf(full, sizeof full, "%s%s", of->root, path);
  if (folder) {
    assert_int_equal(mkdir(full, 0700), 0);
  } else {
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fclose(file);
  }
}

static int remove_root(void **state) {
  static const char *const paths[] = {"/etc/ssl/certs/ca-certificates.crt",
                                      "/etc/ssl/certs/0a1b2c3d.0",
                                      "/etc/ssl/certs/readme.txt",
                                      "/etc/ssl/certs",
                                      "/etc/ssl",
                                      "/etc",
                                      ""};
  environment *of = *state;
  for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
    char full[256];
    snprintf(full, sizeof full, "%s%s", of->root, paths[i]);
    remove(full);
  }
  free(of);
  return 0;
}

static mb_system machine_of(environment *of) {
  mb_system given = {.payload = of, .getenv = look_up, .root = of->root};
  mb_system system;
  mb_system_complete(&system, &given);
  return system;
}

static void check_trust(environment *of, const char *file, const char *directory) {
  mb_system system = machine_of(of);
  mb_trust trust;
  assert_int_equal(mb_trust_find(&trust, &system), 0);
  assert_int_equal(trust.file != NULL, file != NULL);
  assert_int_equal(trust.directory != NULL, directory != NULL);
  if (file) {
    assert_non_null(strstr(trust.file, file));
  }
  if (directory) {
    assert_non_null(strstr(trust.directory, directory));
  }
  mb_trust_dispose(&trust);
}

static void hashed_directory_comes_before_the_bundle(void **state) {
  environment *of = *state;
  check_trust(of, NULL, NULL);
  make(of, "/etc", true);
  make(of, "/etc/ssl", true);
  make(of, "/etc/ssl/certs", true);
  make(of, "/etc/ssl/certs/ca-certificates.crt", false);
  make(of, "/etc/ssl/certs/readme.txt", false);
  check_trust(of, "/etc/ssl/certs/ca-certificates.crt", NULL);
  make(of, "/etc/ssl/certs/0a1b2c3d.0", false);
  check_trust(of, NULL, "/etc/ssl/certs");
}

static void environment_names_the_authorities(void **state) {
  static const char *const only_file[][2] = {{"SSL_CERT_FILE", "/x/ca.pem"}, {NULL, NULL}};
  static const char *const both[][2] = {
      {"SSL_CERT_FILE", "/x/ca.pem"}, {"SSL_CERT_DIR", "/y"}, {NULL, NULL}};
  static const char *const inside[][2] = {
      {"SSL_CERT_FILE", "/y/ca.pem"}, {"SSL_CERT_DIR", "/y/"}, {NULL, NULL}};
  static const char *const beside[][2] = {
      {"SSL_CERT_FILE", "/yy/ca.pem"}, {"SSL_CERT_DIR", "/y"}, {NULL, NULL}};
  environment *of = *state;
  of->pairs = only_file;
  check_trust(of, "/x/ca.pem", NULL);
  of->pairs = both;
  check_trust(of, "/x/ca.pem", "/y");
  of->pairs = inside;
  check_trust(of, "/y/ca.pem", NULL);
  of->pairs = beside;
  check_trust(of, "/yy/ca.pem", "/y");
}

static void named_bundle_may_be_a_directory(void **state) {
  environment *of = *state;
  mb_trust trust;
  assert_int_equal(mb_trust_of_path(&trust, of->root), 0);
  assert_string_equal(trust.directory, of->root);
  assert_null(trust.file);
  mb_trust_dispose(&trust);
  assert_int_equal(mb_trust_of_path(&trust, "/no/such/bundle"), 0);
  assert_string_equal(trust.file, "/no/such/bundle");
  mb_trust_dispose(&trust);
}

static void proxies_prefer_lower_case_and_fall_back(void **state) {
  static const char *const pairs[][2] = {{"https_proxy", "http://a"},
                                         {"HTTPS_PROXY", "http://b"},
                                         {"ALL_PROXY", "http://c"},
                                         {"NO_PROXY", "localhost"},
                                         {NULL, NULL}};
  environment *of = *state;
  of->pairs = pairs;
  mb_system system = machine_of(of);
  mb_proxies proxies;
  assert_int_equal(mb_proxies_find(&proxies, &system), 0);
  assert_string_equal(proxies.https, "http://a");
  assert_string_equal(proxies.http, "http://c");
  assert_string_equal(proxies.except, "localhost");
  mb_proxies_dispose(&proxies);
}

static void headers_are_found_replaced_and_removed(void **state) {
  mb_arena *arena = mb_arena_new(0);
  mb_headers headers = {0};
  (void)state;
  assert_int_equal(mb_headers_add(arena, &headers, "Host", "a"), 0);
  assert_int_equal(mb_headers_add(arena, &headers, "X-Two", "1"), 0);
  assert_int_equal(mb_headers_add(arena, &headers, "x-two", "2"), 0);
  assert_string_equal(mb_headers_get(&headers, "X-TWO"), "1");
  assert_int_equal(mb_headers_set(arena, &headers, "X-two", "3"), 0);
  assert_int_equal(headers.count, 2);
  assert_string_equal(mb_headers_get(&headers, "x-two"), "3");
  mb_headers_remove(&headers, "HOST");
  assert_null(mb_headers_get(&headers, "Host"));
  mb_arena_free(arena);
}

static void headers_cannot_break_out_of_their_line(void **state) {
  mb_arena *arena = mb_arena_new(0);
  mb_headers headers = {0};
  (void)state;
  assert_int_equal(mb_headers_add(arena, &headers, "X", "a\r\nEvil: b"), -1);
  assert_int_equal(mb_headers_add(arena, &headers, "X", "a\nb"), -1);
  assert_int_equal(mb_headers_add(arena, &headers, "X\r", "a"), -1);
  assert_int_equal(mb_headers_add_sized(arena, &headers, "X", 1, "a\0b", 3), -1);
  assert_int_equal(mb_headers_add(arena, &headers, "", "a"), -1);
  assert_int_equal(mb_headers_set(arena, &headers, "X", "a\nb"), -1);
  assert_int_equal(headers.count, 0);
  mb_arena_free(arena);
}

static void places_have_ports_and_no_users(void **state) {
  static const char *const pairs[][2] = {{"http://host/path", "host:80"},
                                         {"https://host?x=http://other", "host:443"},
                                         {"https://u:p@host:8443/a@b", "host:8443"},
                                         {"http://[::1]:9/", "[::1]:9"},
                                         {"http://[::1]/", "[::1]:80"},
                                         {"", ":80"}};
  char place[MB_PLACE_SIZE];
  char url[2000] = "https://";
  (void)state;
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
    mb_url_place(pairs[i][0], place);
    assert_string_equal(place, pairs[i][1]);
  }
  memset(url + 8, 'h', sizeof url - 9);
  mb_url_place(url, place);
  assert_true(strlen(place) < MB_PLACE_SIZE);
}

#define with_root(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(void) {
  const struct CMUnitTest tests[] = {
      with_root(hashed_directory_comes_before_the_bundle),
      with_root(environment_names_the_authorities),
      with_root(named_bundle_may_be_a_directory),
      with_root(proxies_prefer_lower_case_and_fall_back),
      cmocka_unit_test(headers_are_found_replaced_and_removed),
      cmocka_unit_test(headers_cannot_break_out_of_their_line),
      cmocka_unit_test(places_have_ports_and_no_users),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
