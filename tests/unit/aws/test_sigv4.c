/* Signing: published vectors, the key cache, signing again, and what is refused. */
#include "aws/sign/sigv4.h"
#include "unit/check.h"

#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static mb_arena *arena;

static int make_arena(void **state) {
  arena = mb_arena_new(0);
  return arena ? 0 : -1;
}

static int free_arena(void **state) {
  mb_arena_free(arena);
  return 0;
}

/* The keys of AWS's documentation; they open nothing. */
static mb_signing example(void) {
  return (mb_signing){.access_key_id = "AKIDEXAMPLE",
                      .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                      .region = "us-east-1",
                      .service = "service",
                      .time = 1440938160, /* 2015-08-30T12:36:00Z */
                      .double_encode = true,
                      .normalize = true,
                      .expires = 3600};
}

static mb_signing example_s3(void) {
  return (mb_signing){.access_key_id = "AKIAIOSFODNN7EXAMPLE",
                      .secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                      .region = "us-east-1",
                      .service = "s3",
                      .time = 1369353600, /* 2013-05-24T00:00:00Z */
                      .content_sha256 = true,
                      .expires = 86400};
}

static mb_http_request get(const char *host, const char *path, const char *query) {
  mb_http_request request = {.method = "GET", .path = path, .query = query};
  assert_int_equal(mb_headers_add(arena, &request.headers, "Host", host), 0);
  return request;
}

static void add(mb_http_request *request, const char *name, const char *value) {
  assert_int_equal(mb_headers_add(arena, &request->headers, name, value), 0);
}

static const char *sign(mb_http_request *request, const mb_signing *signing,
                        mb_signing_key *cache) {
  mb_error error;
  mb_signing_trace trace;
  if (mb_sigv4_sign(arena, request, signing, cache, &trace, &error))
    fail_msg("%s", error.message);
  return trace.signature;
}

/* The line of the canonical request with that number, from 0. */
static const char *canonical_line(mb_http_request *request, const mb_signing *signing, int number) {
  mb_error error;
  mb_signing_trace trace;
  if (mb_sigv4_sign(arena, request, signing, NULL, &trace, &error))
    fail_msg("%s", error.message);
  const char *line = trace.canonical_request;
  while (number-- > 0)
    line = strchr(line, '\n') + 1;
  return mb_arena_strndup(arena, line, strcspn(line, "\n"));
}

static size_t count_headers(const mb_http_request *request, const char *name) {
  size_t count = 0;
  for (size_t i = 0; i < request->headers.count; i++)
    count += strcasecmp(request->headers.items[i].name, name) == 0;
  return count;
}

/* ---- vectors from the documentation ---- */

static void documented_list_users_signature_comes_out(void **state) {
  mb_signing signing = example();
  signing.service = "iam";
  mb_http_request request = get("iam.amazonaws.com", "/", "Action=ListUsers&Version=2010-05-08");
  add(&request, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  assert_string_equal(sign(&request, &signing, NULL),
                      "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
  assert_string_equal(mb_headers_get(&request.headers, "Authorization"),
                      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request,"
                      " SignedHeaders=content-type;host;x-amz-date, Signature="
                      "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

static void documented_s3_get_signature_comes_out(void **state) {
  mb_signing signing = example_s3();
  mb_http_request request = get("examplebucket.s3.amazonaws.com", "/test.txt", "");
  add(&request, "Range", "bytes=0-9");
  assert_string_equal(sign(&request, &signing, NULL),
                      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  assert_string_equal(mb_headers_get(&request.headers, "X-Amz-Content-SHA256"), EMPTY_HASH);
}

static void documented_s3_presigned_url_comes_out(void **state) {
  mb_error error;
  mb_signing signing = example_s3();
  signing.payload_hash = "UNSIGNED-PAYLOAD";
  mb_http_request request = get("examplebucket.s3.amazonaws.com", "/test.txt", "");
  request.url = "https://examplebucket.s3.amazonaws.com/test.txt";
  assert_int_equal(mb_sigv4_presign(arena, &request, &signing, NULL, NULL, &error), 0);
  const char *signature = strstr(request.url, "&X-Amz-Signature=");
  assert_non_null(signature);
  assert_string_equal(signature,
                      "&X-Amz-Signature="
                      "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
  assert_string_equal(request.url + strlen("https://examplebucket.s3.amazonaws.com/test.txt?"),
                      request.query);
  assert_int_equal(count_headers(&request, "Authorization"), 0);
}

/* ---- the key cache ---- */

static void cached_key_gives_the_same_signature(void **state) {
  mb_signing_key cache = {0};
  mb_signing signing = example();
  mb_http_request request = get("example.amazonaws.com", "/", "");
  const char *fresh = sign(&request, &signing, NULL);
  assert_string_equal(sign(&request, &signing, &cache), fresh);
  assert_string_equal(cache.scope, "20150830/us-east-1/service/aws4_request");
  assert_string_equal(sign(&request, &signing, &cache), fresh);
}

static void cached_key_is_used_while_nothing_changes(void **state) {
  mb_signing_key cache = {0};
  mb_signing signing = example();
  mb_http_request request = get("example.amazonaws.com", "/", "");
  const char *right = sign(&request, &signing, &cache);
  cache.key[0] ^= 1;
  assert_string_not_equal(sign(&request, &signing, &cache), right);
}

/* Spoils the cached key, changes one thing, and expects the signature that no cache gives. */
static void expect_new_key(const mb_signing *changed) {
  mb_signing_key cache = {0};
  mb_signing signing = example();
  mb_http_request request = get("example.amazonaws.com", "/", "");
  sign(&request, &signing, &cache);
  cache.key[0] ^= 1;
  const char *wanted = sign(&request, changed, NULL);
  assert_string_equal(sign(&request, changed, &cache), wanted);
}

static void another_day_region_service_or_secret_derives_anew(void **state) {
  mb_signing changed = example();
  changed.time += 24 * 3600;
  expect_new_key(&changed);
  changed = example();
  changed.region = "eu-west-1";
  expect_new_key(&changed);
  changed = example();
  changed.service = "ecs";
  expect_new_key(&changed);
  changed = example();
  changed.secret_access_key = "another";
  expect_new_key(&changed);
}

static void scope_too_long_for_the_cache_still_signs(void **state) {
  mb_signing_key cache = {0};
  mb_signing signing = example();
  char region[400];
  memset(region, 'r', sizeof region - 1);
  region[sizeof region - 1] = '\0';
  signing.region = region;
  mb_http_request request = get("example.amazonaws.com", "/", "");
  const char *fresh = sign(&request, &signing, NULL);
  assert_string_equal(sign(&request, &signing, &cache), fresh);
  assert_string_equal(cache.scope, "");
}

static void disposed_key_holds_nothing(void **state) {
  mb_signing_key cache = {0}, empty = {0};
  mb_signing signing = example();
  mb_http_request request = get("example.amazonaws.com", "/", "");
  sign(&request, &signing, &cache);
  mb_signing_key_dispose(&cache);
  assert_memory_equal(&cache, &empty, sizeof cache);
}

/* ---- signing again ---- */

static void signing_again_replaces_what_the_first_left(void **state) {
  mb_signing signing = example();
  signing.session_token = "TOKEN";
  mb_http_request request = get("example.amazonaws.com", "/", "");
  sign(&request, &signing, NULL);
  assert_string_equal(mb_headers_get(&request.headers, "X-Amz-Security-Token"), "TOKEN");
  assert_non_null(strstr(mb_headers_get(&request.headers, "Authorization"),
                         "SignedHeaders=host;x-amz-date;x-amz-security-token,"));
  signing.session_token = NULL;
  signing.time += 300;
  sign(&request, &signing, NULL);
  assert_int_equal(count_headers(&request, "Authorization"), 1);
  assert_int_equal(count_headers(&request, "X-Amz-Date"), 1);
  assert_int_equal(count_headers(&request, "X-Amz-Security-Token"), 0);
  assert_string_equal(mb_headers_get(&request.headers, "X-Amz-Date"), "20150830T124100Z");
}

static void headers_that_the_way_may_change_are_not_signed(void **state) {
  mb_signing signing = example();
  mb_http_request request = get("example.amazonaws.com", "/", "");
  add(&request, "User-Agent", "moonbook");
  add(&request, "X-Amzn-Trace-Id", "Root=1");
  add(&request, "Expect", "100-continue");
  add(&request, "Connection", "close");
  add(&request, "amz-sdk-request", "attempt=1");
  sign(&request, &signing, NULL);
  assert_non_null(strstr(mb_headers_get(&request.headers, "Authorization"),
                         "SignedHeaders=amz-sdk-request;host;x-amz-date,"));
}

static void times_of_another_century_are_written_right(void **state) {
  mb_signing signing = example();
  signing.time = 4102444800; /* 2100-01-01 */
  mb_http_request request = get("example.amazonaws.com", "/", "");
  sign(&request, &signing, NULL);
  assert_string_equal(mb_headers_get(&request.headers, "X-Amz-Date"), "21000101T000000Z");
}

/* ---- normal forms ---- */

static void host_is_taken_from_the_url_in_its_normal_form(void **state) {
  static const char *const rows[][2] = {
      {"https://ECS.Us-East-1.amazonaws.com/", "ecs.us-east-1.amazonaws.com"},
      {"https://example.com:443/a", "example.com"},
      {"http://example.com:80", "example.com"},
      {"http://example.com:443/", "example.com:443"},
      {"https://example.com:8443/?a=b", "example.com:8443"},
      {"http://user:pass@localhost:4566/", "localhost:4566"},
      {"http://[fd00:ec2::254]/", "[fd00:ec2::254]"},
      {"http://[fd00:ec2::254]:8080/x", "[fd00:ec2::254]:8080"},
      {"http://[::1]:80", "[::1]"},
      {"http://example.com:/", "example.com"},
  };
  mb_signing signing = example();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    mb_http_request request = {.method = "GET", .url = rows[i][0], .path = "/", .query = ""};
    sign(&request, &signing, NULL);
    assert_string_equal(mb_headers_get(&request.headers, "Host"), rows[i][1]);
  }
}

static void path_is_normalized_and_encoded_twice(void **state) {
  static const char *const rows[][2] = {
      {"", "/"},
      {"/", "/"},
      {"//", "/"},
      {"/a//b/", "/a/b/"},
      {"/a/./b/../c", "/a/c"},
      {"/../../a", "/a"},
      {"/a/..", "/"},
      {"/...", "/..."},
      {"/a%20b", "/a%2520b"},
      {"/logs/%2Fecs%2Fapp", "/logs/%252Fecs%252Fapp"},
      {"/a:b@c", "/a%3Ab%40c"},
      {"/\xc3\xa9", "/%C3%A9"},
  };
  mb_signing signing = example();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    mb_http_request request = get("example.amazonaws.com", rows[i][0], "");
    assert_string_equal(canonical_line(&request, &signing, 1), rows[i][1]);
  }
}

static void s3_path_is_signed_as_sent(void **state) {
  static const char *const rows[][2] = {
      {"/a//b/../c", "/a//b/../c"}, {"/a%20b", "/a%20b"}, {"/100%", "/100%25"}, {"/a+b", "/a%2Bb"}};
  mb_signing signing = example_s3();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    mb_http_request request = get("b.s3.amazonaws.com", rows[i][0], "");
    assert_string_equal(canonical_line(&request, &signing, 1), rows[i][1]);
  }
}

static void query_is_sorted_by_key_then_value_and_keeps_repeats(void **state) {
  static const char *const rows[][2] = {
      {"b=2&a=1", "a=1&b=2"},
      {"a=2&a=1&a=2", "a=1&a=2&a=2"},
      {"Param-3=x&Param=y", "Param=y&Param-3=x"},
      {"acl", "acl="},
      {"a&b=", "a=&b="},
      {"a=b=c", "a=b%3Dc"},
      {"a=%7e&b=%2f", "a=~&b=%2F"},
      {"a=x+y&b=x%20y", "a=x%2By&b=x%20y"},
      {"a=100%&b=%zz", "a=100%25&b=%25zz"},
      {"&&a=1&&", "a=1"},
      {"B=1&a=2&A=3", "A=3&B=1&a=2"},
  };
  mb_signing signing = example();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    mb_http_request request = get("example.amazonaws.com", "/", rows[i][0]);
    assert_string_equal(canonical_line(&request, &signing, 2), rows[i][1]);
  }
}

static void header_values_lose_their_extra_blanks(void **state) {
  mb_signing signing = example();
  mb_http_request request = get("example.amazonaws.com", "/", "");
  add(&request, "A-Header", "  x \t y  ");
  add(&request, "a-header", "z");
  add(&request, "B", "");
  assert_string_equal(canonical_line(&request, &signing, 3), "a-header:x y,z");
  assert_string_equal(canonical_line(&request, &signing, 4), "b:");
}

/* ---- what is refused ---- */

static void expect_refused(const mb_signing *signing, mb_error_kind kind, const char *about) {
  mb_error error;
  mb_http_request request = get("example.amazonaws.com", "/", "");
  assert_int_equal(mb_sigv4_sign(arena, &request, signing, NULL, NULL, &error), -1);
  assert_int_equal(error.kind, kind);
  assert_non_null(strstr(error.message, about));
  assert_null(strstr(error.message, "wJalr"));
  assert_null(mb_headers_get(&request.headers, "Authorization"));
}

static void broken_credentials_are_refused_by_name(void **state) {
  mb_signing signing = example();
  signing.access_key_id = "AKID\n";
  expect_refused(&signing, MB_ERROR_CREDENTIALS, "access key id");
  signing = example();
  signing.secret_access_key = "wJalr secret";
  expect_refused(&signing, MB_ERROR_CREDENTIALS, "secret access key");
  signing = example();
  signing.secret_access_key = "";
  expect_refused(&signing, MB_ERROR_CREDENTIALS, "empty");
  signing = example();
  signing.session_token = "a\r\nX-Evil: 1";
  expect_refused(&signing, MB_ERROR_CREDENTIALS, "session token");
  signing = example();
  signing.region = NULL;
  expect_refused(&signing, MB_ERROR_CREDENTIALS, "region");
}

static void url_without_a_host_is_refused(void **state) {
  mb_error error;
  mb_signing signing = example();
  mb_http_request request = {.method = "GET", .url = "https:///x", .path = "/x", .query = ""};
  assert_int_equal(mb_sigv4_sign(arena, &request, &signing, NULL, NULL, &error), -1);
  assert_string_equal(error.code, "InvalidEndpoint");
  request.url = NULL;
  assert_int_equal(mb_sigv4_sign(arena, &request, &signing, NULL, NULL, &error), -1);
  assert_string_equal(error.code, "InvalidEndpoint");
}

static void presigned_url_lives_a_second_to_a_week(void **state) {
  static const int64_t bad[] = {0, -1, 604801, INT64_MAX, INT64_MIN};
  mb_error error;
  mb_signing signing = example();
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    mb_http_request request = get("example.amazonaws.com", "/", "");
    signing.expires = bad[i];
    assert_int_equal(mb_sigv4_presign(arena, &request, &signing, NULL, NULL, &error), -1);
    assert_string_equal(error.code, "InvalidExpiry");
    assert_string_equal(request.query, "");
  }
}

static void presigning_keeps_the_query_and_drops_old_signing_headers(void **state) {
  mb_error error;
  mb_signing signing = example();
  signing.session_token = "a/b";
  mb_http_request request = get("sts.amazonaws.com", "/", "Action=GetCallerIdentity");
  request.url = "https://sts.amazonaws.com/?Action=GetCallerIdentity";
  add(&request, "X-Amz-Date", "old");
  assert_int_equal(mb_sigv4_presign(arena, &request, &signing, NULL, NULL, &error), 0);
  assert_memory_equal(request.query, "Action=GetCallerIdentity&X-Amz-Algorithm=", 41);
  assert_non_null(strstr(request.query, "&X-Amz-Security-Token=a%2Fb&X-Amz-Signature="));
  assert_null(mb_headers_get(&request.headers, "X-Amz-Date"));
  assert_string_equal(strchr(request.url, '?') + 1, request.query);
}

/* ---- memory ---- */

static int sign_once(void *limit) {
  mb_error error = {0};
  mb_signing signing = example();
  signing.session_token = "TOKEN";
  signing.content_sha256 = true;
  mb_http_request request = {.method = "POST",
                             .url = "https://a.b/?x=1&y=2",
                             .path = "/p/q",
                             .query = "x=1&y=2",
                             .body = "body",
                             .body_size = 4};
  mb_http_request other = request;
  mb_arena *own = mb_arena_new(*(const size_t *)limit);
  if (!own)
    return -1;
  int result = mb_sigv4_sign(own, &request, &signing, NULL, NULL, &error);
  if (!result)
    result = mb_sigv4_presign(own, &other, &signing, NULL, NULL, &error);
  if (result)
    assert_int_equal(error.kind, MB_ERROR_MEMORY);
  mb_arena_free(own);
  return result;
}

static void every_allocation_of_signing_may_fail(void **state) {
  size_t unlimited = 0;
  check_allocation_failures(sign_once, &unlimited);
  check_arena_limits(sign_once);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(documented_list_users_signature_comes_out),
      cmocka_unit_test(documented_s3_get_signature_comes_out),
      cmocka_unit_test(documented_s3_presigned_url_comes_out),
      cmocka_unit_test(cached_key_gives_the_same_signature),
      cmocka_unit_test(cached_key_is_used_while_nothing_changes),
      cmocka_unit_test(another_day_region_service_or_secret_derives_anew),
      cmocka_unit_test(scope_too_long_for_the_cache_still_signs),
      cmocka_unit_test(disposed_key_holds_nothing),
      cmocka_unit_test(signing_again_replaces_what_the_first_left),
      cmocka_unit_test(headers_that_the_way_may_change_are_not_signed),
      cmocka_unit_test(times_of_another_century_are_written_right),
      cmocka_unit_test(host_is_taken_from_the_url_in_its_normal_form),
      cmocka_unit_test(path_is_normalized_and_encoded_twice),
      cmocka_unit_test(s3_path_is_signed_as_sent),
      cmocka_unit_test(query_is_sorted_by_key_then_value_and_keeps_repeats),
      cmocka_unit_test(header_values_lose_their_extra_blanks),
      cmocka_unit_test(broken_credentials_are_refused_by_name),
      cmocka_unit_test(url_without_a_host_is_refused),
      cmocka_unit_test(presigned_url_lives_a_second_to_a_week),
      cmocka_unit_test(presigning_keeps_the_query_and_drops_old_signing_headers),
      cmocka_unit_test(every_allocation_of_signing_may_fail),
  };
  return cmocka_run_group_tests(tests, make_arena, free_arena);
}
