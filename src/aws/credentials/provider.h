/* What a credentials provider is. To add one: a file with an mb_provider, a line in the table of
 * chain.c at its place in the order. */
#ifndef MB_AWS_CREDENTIALS_PROVIDER_H
#define MB_AWS_CREDENTIALS_PROVIDER_H

#include "aws/credentials/credentials.h"
#include "aws/credentials/document.h"

typedef struct mb_provider_context {
  const mb_settings *settings;
  const mb_system *system;
  mb_loop *loop;
  struct mb_aws *aws;
  int64_t deadline_ns; /* of whoever asked last, by the loop's clock; 0: none */
} mb_provider_context;

typedef void (*mb_fetch_callback)(const mb_credentials *credentials, const mb_error *error,
                                  void *payload);

/* One provider at work. */
typedef struct mb_fetch mb_fetch;
struct mb_fetch {
  const mb_provider_context *context;
  const char *profile;             /* whose properties count */
  mb_arena *arena;                 /* for the provider, as long as the fetch lives */
  void *state;                     /* the provider's own, in the arena */
  void (*cancel)(mb_fetch *fetch); /* stops what is under way; set when something is */

  mb_fetch_callback callback; /* the rest is fetch.c's */
  void *payload;
  mb_fetch **owner;
  bool starting, ended;
  bool failed;
  mb_credentials result;
  mb_error error;
};

#define MB_FETCH_PENDING 1

typedef struct mb_provider {
  const char *name; /* as the report of what was tried calls it */
  /* Whether it is configured, and so decides. 1; 0, with the reason in `why`; -1 with an error. */
  int (*claims)(const mb_provider_context *context, const char *profile, char *why, size_t why_size,
                mb_error *error);
  /* Gets credentials: 0 with `out` filled, -1 with an error, or MB_FETCH_PENDING, and then
   * mb_fetch_end is called once (which may be before this returns). */
  int (*fetch)(mb_fetch *fetch, mb_credentials *out, mb_error *error);
} mb_provider;

extern const mb_provider mb_provider_environment;
extern const mb_provider mb_provider_role;
extern const mb_provider mb_provider_web_identity;
extern const mb_provider mb_provider_sso;
extern const mb_provider mb_provider_credentials_file;
extern const mb_provider mb_provider_login;
extern const mb_provider mb_provider_process;
extern const mb_provider mb_provider_config_file;
extern const mb_provider mb_provider_container;
extern const mb_provider mb_provider_instance;

/* ---- fetch.c ---- */

/* Starts a fetch. `*owner` is the fetch while it is under way; the callback comes exactly once,
 * perhaps before this returns, unless the fetch is cancelled. */
void mb_fetch_start(const mb_provider_context *context, const mb_provider *provider,
                    const char *profile, mb_fetch_callback callback, void *payload,
                    mb_fetch **owner);
/* `credentials` NULL: failed with `error`. */
void mb_fetch_end(mb_fetch *fetch, const mb_credentials *credentials, const mb_error *error);
void mb_fetch_cancel(mb_fetch *fetch); /* NULL is allowed */

/* ---- common.c: filling credentials ---- */

/* Copies a text into a field of credentials; text that does not fit is an error, since a cut key is
 * a wrong key. `from` says where it was found. */
int mb_credentials_set(char *out, size_t out_size, const char *text, const char *name,
                       const char *from, mb_error *error);
#define MB_CREDENTIALS_SET(field, text, name, from, error)                                         \
  mb_credentials_set((field), sizeof(field), (text), (name), (from), (error))

/* Reads a document from a text that is wiped, whatever comes of it. `from` says whose answer it is.
 * Free with mb_document_free. */
int mb_credentials_read_document(mb_document **out, char *text, size_t size, const char *from,
                                 mb_error *error);
/* Takes {AccessKeyId, SecretAccessKey, <token_key>, Expiration, AccountId}. */
int mb_credentials_from_document(const mb_document *document, const char *token_key,
                                 const char *from, mb_credentials *out, mb_error *error);

#endif
