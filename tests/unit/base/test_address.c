/* Which addresses are link-local. */
#include "base/address.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static bool is_local(const char *text) {
  union {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
  } address;
  memset(&address, 0, sizeof address);
  if (inet_pton(AF_INET, text, &address.ipv4.sin_addr) == 1) {
    address.ipv4.sin_family = AF_INET;
  } else {
    assert_int_equal(inet_pton(AF_INET6, text, &address.ipv6.sin6_addr), 1);
    address.ipv6.sin6_family = AF_INET6;
  }
  return mb_address_is_link_local(&address.any);
}

static void link_local_addresses_are_known(void **state) {
  static const char *const local[] = {"169.254.0.0",
                                      "169.254.169.254",
                                      "169.254.170.2",
                                      "169.254.255.255",
                                      "fe80::",
                                      "fe80::1",
                                      "febf:ffff::",
                                      "fd00:ec2::254",
                                      "fd00:ec2:1::1",
                                      "::ffff:169.254.169.254",
                                      "::169.254.169.254",
                                      "64:ff9b::169.254.169.254",
                                      "2002:a9fe:a9fe::"};
  for (size_t i = 0; i < sizeof local / sizeof *local; i++) {
    if (!is_local(local[i]))
      fail_msg("%s", local[i]);
  }
}

static void other_addresses_are_not(void **state) {
  static const char *const others[] = {"169.253.255.255",
                                       "169.255.0.0",
                                       "127.0.0.1",
                                       "10.0.0.1",
                                       "0.0.0.0",
                                       "::1",
                                       "::",
                                       "fe7f:ffff::",
                                       "fec0::",
                                       "fd00:ec1::",
                                       "::ffff:127.0.0.1",
                                       "2002:a9fd::",
                                       "64:ff9b::1.2.3.4"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    if (is_local(others[i]))
      fail_msg("%s", others[i]);
  }
}

static void other_families_are_not(void **state) {
  struct sockaddr unknown = {.sa_family = AF_UNIX};
  assert_false(mb_address_is_link_local(&unknown));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(link_local_addresses_are_known),
      cmocka_unit_test(other_addresses_are_not),
      cmocka_unit_test(other_families_are_not),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
