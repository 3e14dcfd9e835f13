/* Which addresses are link-local, in all their forms. */
#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* The first two bytes in network order. */
static bool ipv4_is_link_local(const unsigned char *bytes) {
  return bytes[0] == 169 && bytes[1] == 254;
}

bool mb_ipv6_is_link_local(const unsigned char bytes[16]) {
  static const unsigned char zero[10] = {0};
  static const unsigned char nat64[12] = {0, 0x64, 0xff, 0x9b};
  if (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) {
    return true;
  }
  if (bytes[0] == 0xfd && bytes[1] == 0 && bytes[2] == 0x0e && bytes[3] == 0xc2) {
    return true;
  }
  bool mapped = memcmp(bytes, zero, 10) == 0 &&
                ((bytes[10] == 0xff && bytes[11] == 0xff) || (bytes[10] == 0 && bytes[11] == 0));
  if (mapped || memcmp(bytes, nat64, 12) == 0) {
    return ipv4_is_link_local(bytes + 12);
  }
  return bytes[0] == 0x20 && bytes[1] == 0x02 && ipv4_is_link_local(bytes + 2);
}

bool mb_address_is_link_local(const struct sockaddr *address) {
  if (address->sa_family == AF_INET) {
    struct sockaddr_in ipv4;
    memcpy(&ipv4, address, sizeof ipv4);
    return ipv4_is_link_local((const unsigned char *)&ipv4.sin_addr);
  }
  if (address->sa_family == AF_INET6) {
    struct sockaddr_in6 ipv6;
    memcpy(&ipv6, address, sizeof ipv6);
    return mb_ipv6_is_link_local(ipv6.sin6_addr.s6_addr);
  }
  return false;
}
