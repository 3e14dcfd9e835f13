/* URLs of people and of servers' redirects, read strictly: what is checked is what is sent. */
#ifndef MB_PRIMITIVES_URL_H
#define MB_PRIMITIVES_URL_H

#include "base/arena.h"
#include <moonbook/error.h>

typedef struct mb_url {
  bool https;
  const char *host; /* lower case, without brackets and final dot; addresses in their usual form */
  bool ipv6;        /* the host is an IPv6 address */
  int port;         /* the scheme's own when none is given */
  const char *rest; /* path and query, starts with '/' */
} mb_url;

/* Reads an absolute http or https URL. A fragment is dropped; user names, control characters,
 * spaces and characters beyond ASCII are refused. 0, or -1 with USAGE. */
int mb_url_parse(mb_arena *arena, const char *text, mb_url *out, mb_error *error);

/* Reads what a Location header says, which may be relative to `base`. */
int mb_url_resolve(mb_arena *arena, const mb_url *base, const char *location, mb_url *out,
                   mb_error *error);

/* The URL as text, or NULL when memory has run out. */
const char *mb_url_text(mb_arena *arena, const mb_url *url);

/* Whether the host is an address that only the machine itself may talk to: 169.254.0.0/16 in any
 * spelling, fe80::/10, fd00:ec2::/32, or a name that EC2 gives them. */
bool mb_url_is_link_local(const mb_url *url);

bool mb_url_same_origin(const mb_url *a, const mb_url *b);

/* "example.com", "*.example.com" (any name below it), either with ":port"; without regard to case.
 */
bool mb_url_matches(const mb_url *url, const char *pattern);

#endif
