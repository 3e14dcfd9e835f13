/* Addresses that a transfer may not connect to, through the real libcurl: nothing is sent. */
#include "base/system.h"
#include "loop/loop.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

typedef struct heard {
  int ends;
  mb_transfer_result result;
} heard;

static void on_end(const mb_transfer_result *result, void *payload) {
  heard *h = payload;
  h->ends++;
  h->result = *result;
}

static const char *no_variable(void *payload, const char *name) {
  return NULL; /* no proxy of the machine's may stand between */
}

static heard fetch(const char *url, bool refuse) {
  heard h = {.ends = 0};
  mb_system system;
  mb_error error;
  mb_system_complete(&system, NULL);
  system.getenv = no_variable;
  mb_loop *loop = mb_loop_new(&system, &error);
  mb_arena *arena = mb_arena_new(0);
  mb_http_request request = {.method = "GET", .url = url};
  mb_transfer_options options = {.refuse_link_local = refuse};
  assert_non_null(loop);
  assert_non_null(mb_loop_transfer(loop, arena, &request, &options, on_end, &h, &error));
  while (h.ends == 0 && mb_loop_turn(loop, INT64_MAX)) {
  }
  assert_int_equal(h.ends, 1);
  mb_loop_free(loop);
  mb_arena_free(arena);
  return h;
}

static void link_local_addresses_are_refused_when_connecting(void **state) {
  static const char *const urls[] = {"http://169.254.169.254/latest", "http://0xa9fea9fe/",
                                     "http://[::ffff:169.254.169.254]/", "http://[fd00:ec2::254]/"};
  for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
    heard h = fetch(urls[i], true);
    assert_true(h.result.failed);
    if (h.result.error.kind != MB_ERROR_REFUSED)
      fail_msg("%s: %s", urls[i], h.result.error.message);
    assert_string_equal(h.result.error.code, "AddressRefused");
    assert_false(h.result.sent);
  }
}

static void loopback_is_not_refused(void **state) {
  heard h = fetch("http://127.0.0.1:1/", true);
  assert_true(h.result.failed);
  assert_int_equal(h.result.error.kind, MB_ERROR_NETWORK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(link_local_addresses_are_refused_when_connecting),
      cmocka_unit_test(loopback_is_not_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
