/* Which certificate authorities TLS trusts, and through which proxies requests go. */
#ifndef MB_LOOP_TRUST_H
#define MB_LOOP_TRUST_H

#include <moonbook/host.h>

typedef struct mb_trust {
  char *file;      /* a bundle, or NULL */
  char *directory; /* hashed, or NULL */
} mb_trust;

/* Looks for the authorities: SSL_CERT_FILE and SSL_CERT_DIR if set; else a system directory of
 * hashed certificates, from which a handshake reads the one or two it needs; else a system bundle,
 * all of which is read (40 ms). Leaves both NULL when there is none. Returns 0,
 * or -1 without memory. Free with mb_trust_dispose. */
int mb_trust_find(mb_trust *trust, const mb_system *system);
/* The same for a path the user named, a bundle or a directory. */
int mb_trust_of_path(mb_trust *trust, const char *path);
void mb_trust_dispose(mb_trust *trust);

/* The proxies the environment names; NULL for none. */
typedef struct mb_proxies {
  char *http, *https, *except;
} mb_proxies;

int mb_proxies_find(mb_proxies *proxies, const mb_system *system);
void mb_proxies_dispose(mb_proxies *proxies);

#endif
