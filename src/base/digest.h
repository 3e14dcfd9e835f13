/* SHA-256, HMAC-SHA-256, SHA-1 and random bytes from OpenSSL, which is loaded on first use:
 * commands that hash nothing do not pay for it. Thread-safe. */
#ifndef MB_BASE_DIGEST_H
#define MB_BASE_DIGEST_H

#include <moonbook/error.h>
#include <stddef.h>

#define MB_SHA256_SIZE 32
#define MB_SHA1_SIZE   20

/* Loads libcrypto unless that was done. 0, or -1 with what is missing. Every function below needs a
 * successful call first. */
int mb_digest_load(mb_error *error);

int mb_sha256(const void *data, size_t size, unsigned char out[MB_SHA256_SIZE]);
int mb_sha1(const void *data, size_t size, unsigned char out[MB_SHA1_SIZE]);
int mb_md5(const void *data, size_t size, unsigned char out[16]);
int mb_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
                   unsigned char out[MB_SHA256_SIZE]);
void mb_wipe(void *data, size_t size); /* not optimised away; needs no load */

#endif
