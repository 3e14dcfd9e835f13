/* Digests from OpenSSL 3, loaded when first used. Most of what a short digest costs in OpenSSL 3 is
 * looking the algorithm up, so each is fetched once, and each thread keeps a context. */
#include "base/digest.h"
#include "base/shared.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

typedef struct crypto_api {
  EVP_MD *(*fetch)(OSSL_LIB_CTX *, const char *, const char *);
  EVP_MD_CTX *(*context_new)(void);
  void (*context_free)(EVP_MD_CTX *);
  int (*init)(EVP_MD_CTX *, const EVP_MD *, const OSSL_PARAM *);
  int (*update)(EVP_MD_CTX *, const void *, size_t);
  int (*final)(EVP_MD_CTX *, unsigned char *, unsigned *);
} crypto_api;

static crypto_api api;
static EVP_MD *sha256; /* kept until the process ends, as the library is */
static atomic_bool loaded;
static pthread_mutex_t load_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t context_key; /* frees a thread's context when it ends */
static _Thread_local EVP_MD_CTX *kept_context;

/* The name of the first function that is missing, or NULL. */
static const char *find_symbols(void *library) {
  const mb_symbol wanted[] = {
      {"EVP_MD_fetch", &api.fetch},           {"EVP_MD_CTX_new", &api.context_new},
      {"EVP_MD_CTX_free", &api.context_free}, {"EVP_DigestInit_ex2", &api.init},
      {"EVP_DigestUpdate", &api.update},      {"EVP_DigestFinal_ex", &api.final},
  };
  return mb_shared_find(library, wanted, sizeof wanted / sizeof wanted[0]);
}

static void free_context(void *context) {
  api.context_free(context);
}

static int load(mb_error *error) {
  const char *why;
  void *library = mb_shared_open("libcrypto.so.3", &why);
  if (!library) {
    mb_error_set(error, MB_ERROR_INTERNAL, "NoOpenSsl", "OpenSSL 3 cannot be loaded: %s", why);
    return mb_error_next(error, "install OpenSSL 3 (the package libssl3)");
  }
  if (find_symbols(library)) {
    return mb_error_set(error, MB_ERROR_INTERNAL, "NoOpenSsl",
                        "libcrypto.so.3 lacks functions of OpenSSL 3.0");
  }
  sha256 = api.fetch(NULL, "SHA256", NULL);
  if (!sha256) {
    return mb_error_set(error, MB_ERROR_INTERNAL, "NoOpenSsl", "OpenSSL offers no SHA-256");
  }
  if (pthread_key_create(&context_key, free_context) != 0) {
    return mb_error_memory(error);
  }
  return 0;
}

int mb_digest_load(mb_error *error) {
  int failed = 0;
  if (atomic_load_explicit(&loaded, memory_order_acquire)) {
    return 0;
  }
  pthread_mutex_lock(&load_lock);
  if (!atomic_load_explicit(&loaded, memory_order_relaxed)) {
    failed = load(error);
    if (!failed) {
      atomic_store_explicit(&loaded, true, memory_order_release);
    }
  }
  pthread_mutex_unlock(&load_lock);
  return failed;
}

/* This thread's context, or NULL. */
static EVP_MD_CTX *get_context(void) {
  if (kept_context) {
    return kept_context;
  }
  if (!atomic_load_explicit(&loaded, memory_order_acquire)) {
    return NULL;
  }
  EVP_MD_CTX *made = api.context_new();
  if (made && pthread_setspecific(context_key, made) != 0) {
    api.context_free(made);
    made = NULL;
  }
  kept_context = made;
  return made;
}

typedef struct span {
  const void *data;
  size_t size;
} span;

/* One SHA-256 over two pieces. */
static int hash_spans(span first, span second, unsigned char out[MB_SHA256_SIZE]) {
  EVP_MD_CTX *context = get_context();
  if (!context || api.init(context, sha256, NULL) != 1 ||
      api.update(context, first.data, first.size) != 1 ||
      (second.size && api.update(context, second.data, second.size) != 1) ||
      api.final(context, out, NULL) != 1) {
    return -1;
  }
  return 0;
}

int mb_sha256(const void *data, size_t size, unsigned char out[MB_SHA256_SIZE]) {
  return hash_spans((span){size ? data : "", size}, (span){NULL, 0}, out);
}

/* HMAC as RFC 2104 has it: cheaper on a kept digest context than OpenSSL's own. */
int mb_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
                   unsigned char out[MB_SHA256_SIZE]) {
  enum { BLOCK = 64 };
  unsigned char padded[BLOCK] = {0};
  unsigned char inner[MB_SHA256_SIZE];
  int failed = 0;
  if (key_size > BLOCK) {
    failed = mb_sha256(key, key_size, padded);
  } else if (key_size) {
    memcpy(padded, key, key_size);
  }
  for (int i = 0; i < BLOCK; i++) {
    padded[i] ^= 0x36;
  }
  failed = failed ? -1 : hash_spans((span){padded, BLOCK}, (span){data, size}, inner);
  for (int i = 0; i < BLOCK; i++) {
    padded[i] ^= 0x36 ^ 0x5c;
  }
  failed = failed ? -1 : hash_spans((span){padded, BLOCK}, (span){inner, sizeof inner}, out);
  mb_wipe(padded, sizeof padded);
  mb_wipe(inner, sizeof inner);
  return failed;
}

typedef struct rare_digest {
  const char *name;
  EVP_MD *_Atomic fetched;
} rare_digest;

/* For the digests that few calls need. A second thread that fetches at the same moment keeps the
 * first one's result; its own stays with OpenSSL, once. */
static int hash_rarely(rare_digest *digest, const void *data, size_t size, unsigned char *out) {
  if (!atomic_load_explicit(&loaded, memory_order_acquire)) {
    return -1;
  }
  EVP_MD *md = atomic_load(&digest->fetched);
  if (!md) {
    md = api.fetch(NULL, digest->name, NULL);
    atomic_store(&digest->fetched, md);
  }
  EVP_MD_CTX *context = md ? api.context_new() : NULL;
  if (!context) {
    return -1;
  }
  bool made = api.init(context, md, NULL) == 1 &&
              api.update(context, size ? data : "", size) == 1 &&
              api.final(context, out, NULL) == 1;
  api.context_free(context);
  return made ? 0 : -1;
}

int mb_sha1(const void *data, size_t size, unsigned char out[MB_SHA1_SIZE]) {
  static rare_digest digest = {"SHA1", NULL};
  return hash_rarely(&digest, data, size, out);
}

int mb_md5(const void *data, size_t size, unsigned char out[16]) {
  static rare_digest digest = {"MD5", NULL};
  return hash_rarely(&digest, data, size, out);
}

void mb_wipe(void *data, size_t size) {
  if (size) {
    explicit_bzero(data, size);
  }
}
