/* Addresses that only the machine itself may talk to: credentials and metadata live there. */
#ifndef MB_BASE_ADDRESS_H
#define MB_BASE_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* 169.254.0.0/16, fe80::/10, fd00:ec2::/32, and the IPv6 forms that carry the first: mapped,
 * compatible, NAT64 and 6to4. */
bool mb_address_is_link_local(const struct sockaddr *address);
bool mb_ipv6_is_link_local(const unsigned char bytes[16]);

#endif
