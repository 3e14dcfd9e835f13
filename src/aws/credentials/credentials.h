/* Credentials: who we are to AWS. Providers are asked in order; the first that is configured
 * decides, for better or worse (spec/aws-client.md 2.2). */
#ifndef MB_AWS_CREDENTIALS_CREDENTIALS_H
#define MB_AWS_CREDENTIALS_CREDENTIALS_H

#include "aws/config/settings.h"
#include "loop/loop.h"

/* One immutable set. Wipe with mb_credentials_wipe. */
typedef struct mb_credentials {
  char access_key_id[160];
  char secret_access_key[256];
  char session_token[4096];
  char account_id[16];
  double expires;   /* seconds since 1970, 0: never */
  char source[160]; /* for people: "environment", "profile dev (~/.aws/credentials)" */
} mb_credentials;
void mb_credentials_wipe(mb_credentials *credentials);

typedef struct mb_credentials_chain mb_credentials_chain;
struct mb_aws; /* calls STS on the chain's behalf */

/* `settings`, `loop` and `aws` are borrowed and must outlive the chain. */
mb_credentials_chain *mb_credentials_chain_new(const mb_settings *settings, mb_loop *loop,
                                               struct mb_aws *aws, mb_error *error);
void mb_credentials_chain_free(mb_credentials_chain *chain);

/* Called once with credentials (valid until it returns), or with an error that names every provider
 * tried and why it said no. May be called before mb_credentials_get returns. */
typedef void (*mb_credentials_callback)(const mb_credentials *credentials, const mb_error *error,
                                        void *payload);
typedef struct mb_credentials_request mb_credentials_request;

/* When whoever asks next has no use for credentials any more, by the loop's clock; 0: never. What
 * cannot be waited for beside other things, such as a program, is stopped then. */
void mb_credentials_set_deadline(mb_credentials_chain *chain, int64_t deadline_ns);

/* Asks for credentials; concurrent requests share one fetch. `refresh` forces a new fetch (after
 * ExpiredToken). Returns NULL when the answer came at once (or memory ran out, told through the
 * callback). */
mb_credentials_request *mb_credentials_get(mb_credentials_chain *chain, bool refresh,
                                           mb_credentials_callback callback, void *payload);
void mb_credentials_cancel(mb_credentials_request *request); /* no callback follows */

#endif
