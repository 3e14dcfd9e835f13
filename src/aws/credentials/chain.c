/* The chain: which provider decides, one fetch for all who wait, and when to fetch again. */
#include "aws/client_internal.h"
#include "aws/credentials/provider.h"
#include "base/memory.h"
#include "base/text.h"
#include <string.h>

/* The order of the AWS CLI. The first that claims decides, for better or worse. */
static const mb_provider *const providers[] = {
    &mb_provider_environment,      &mb_provider_role,
    &mb_provider_web_identity,     &mb_provider_sso,
    &mb_provider_credentials_file, &mb_provider_login,
    &mb_provider_process,          &mb_provider_config_file,
    &mb_provider_container,        &mb_provider_instance};

#define PROVIDER_COUNT (sizeof providers / sizeof *providers)
#define SECOND_NS      INT64_C(1000000000)

#define ADVISORY_SECONDS  900 /* from here on a refresh is tried beside the calls */
#define MANDATORY_SECONDS 600 /* from here on calls wait for it */
/* Some sources give sets that are short-lived from the start, or the same one again until it is
 * replaced. A set this young is used as long as it is valid, lest every call ask anew. */
#define YOUNG_NS (60 * SECOND_NS)
/* How long after an attempt the next one beside the calls is made. */
#define PAUSE_NS (60 * SECOND_NS)

/* Somebody who waits. In one of the chain's two lists. */
struct mb_credentials_request {
  mb_credentials_chain *chain;
  mb_credentials_request *previous, *next;
  struct request_list *list;
  mb_credentials_callback callback;
  void *payload;
  bool *answered; /* tells mb_credentials_get that the answer came before it returned */
};

typedef struct request_list {
  mb_credentials_request *first, *last;
} request_list;

struct mb_credentials_chain {
  mb_provider_context context;
  mb_credentials cached; /* valid when `has` */
  bool has;
  int64_t fetched_ns; /* monotonic time of the cached set */
  int64_t tried_ns;   /* of the last attempt, good or bad */
  mb_fetch *fetch;    /* under way, or NULL */
  const mb_provider *current;
  char tried[1400]; /* who said no before it, and why */
  request_list waiting, answering;
};

/* ---- lists ---- */

static void append(request_list *list, mb_credentials_request *request) {
  request->list = list;
  request->previous = list->last;
  request->next = NULL;
  if (list->last)
    list->last->next = request;
  else
    list->first = request;
  list->last = request;
}

static void detach(mb_credentials_request *request) {
  request_list *list = request->list;
  if (request->previous)
    request->previous->next = request->next;
  else
    list->first = request->next;
  if (request->next)
    request->next->previous = request->previous;
  else
    list->last = request->previous;
}

/* ---- life ---- */

mb_credentials_chain *mb_credentials_chain_new(const mb_settings *settings, mb_loop *loop,
                                               struct mb_aws *aws, mb_error *error) {
  mb_credentials_chain *chain = mb_alloc_zero(1, sizeof *chain);
  if (!chain) {
    mb_error_memory(error);
    return NULL;
  }
  chain->context = (mb_provider_context){
      .settings = settings, .system = mb_loop_system(loop), .loop = loop, .aws = aws};
  return chain;
}

void mb_credentials_chain_free(mb_credentials_chain *chain) {
  if (!chain)
    return;
  mb_fetch_cancel(chain->fetch);
  while (chain->waiting.first)
    mb_credentials_cancel(chain->waiting.first);
  while (chain->answering.first)
    mb_credentials_cancel(chain->answering.first);
  mb_free_secret(chain, sizeof *chain);
}

void mb_credentials_cancel(mb_credentials_request *request) {
  if (!request)
    return;
  detach(request);
  mb_free(request);
}

/* ---- answering ---- */

/* Answers everybody who waits now. A callback may ask again, or cancel somebody else who waits. */
static void answer_all(mb_credentials_chain *chain, const mb_credentials *credentials,
                       const mb_error *error) {
  while (chain->waiting.first) {
    mb_credentials_request *request = chain->waiting.first;
    detach(request);
    append(&chain->answering, request);
  }
  while (chain->answering.first) {
    mb_credentials_request *request = chain->answering.first;
    mb_credentials_callback callback = request->callback;
    void *payload = request->payload;
    detach(request);
    if (request->answered)
      *request->answered = true;
    mb_free(request);
    callback(credentials, error, payload);
  }
}

static void add_tried(mb_credentials_chain *chain, const char *name, const char *why) {
  size_t used = strlen(chain->tried);
  mb_buffer text = MB_BUFFER_INIT(1024);
  mb_buffer_addf(&text, "%s%s: %s", used ? "; " : "", name, why);
  mb_text_copy(chain->tried + used, sizeof chain->tried - used, mb_buffer_text(&text));
  mb_buffer_dispose(&text);
}

/* Completes a failure with who was asked before, so that a person sees the whole way. */
static void report(const mb_credentials_chain *chain, const mb_error *cause, mb_error *out) {
  *out = *cause;
  if (cause->kind == MB_ERROR_MEMORY)
    return;
  mb_error_set(out, MB_ERROR_CREDENTIALS, *cause->code ? cause->code : "NoCredentials",
               "%s (tried in order: %s%s%s: failed)", cause->message, chain->tried,
               *chain->tried ? "; " : "", chain->current->name);
  mb_text_copy(out->next, sizeof out->next, cause->next);
  mb_text_copy(out->request_id, sizeof out->request_id, cause->request_id);
  out->status = cause->status;
  out->retryable = cause->retryable;
}

static void fail_all(mb_credentials_chain *chain, const mb_error *cause) {
  mb_error error;
  report(chain, cause, &error);
  answer_all(chain, NULL, &error);
}

static void fail_unconfigured(mb_credentials_chain *chain) {
  mb_error error;
  mb_error_set(&error, MB_ERROR_CREDENTIALS, "NoCredentials",
               "no AWS credentials were found. Tried: %s", chain->tried);
  mb_error_next(&error, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or choose a profile that "
                        "has credentials with --profile or AWS_PROFILE");
  answer_all(chain, NULL, &error);
}

/* ---- fetching ---- */

/* Seconds until a set expires by AWS's clock, or a very long time. */
static double seconds_left(const mb_credentials_chain *chain, const mb_credentials *credentials) {
  int64_t now = mb_wall_ns(chain->context.system);
  if (chain->context.aws)
    now += chain->context.aws->skew_ns;
  return credentials->expires > 0 ? credentials->expires - (double)now / (double)SECOND_NS : 1e12;
}

static void on_fetched(const mb_credentials *credentials, const mb_error *error, void *payload) {
  mb_credentials_chain *chain = payload;
  mb_error expired;
  if (credentials && seconds_left(chain, credentials) > 0) {
    mb_credentials answer = *credentials;
    chain->cached = answer;
    chain->has = true;
    chain->fetched_ns = mb_loop_now(chain->context.loop);
    answer_all(chain, &answer, NULL);
    mb_credentials_wipe(&answer);
    return;
  }
  if (credentials) {
    mb_error_set(&expired, MB_ERROR_CREDENTIALS, "NoCredentials",
                 "the credentials from %s have already expired", credentials->source);
    mb_error_next(&expired, "renew them where they come from, and check this machine's clock");
    error = &expired;
  }
  fail_all(chain, error);
}

static void start_fetch(mb_credentials_chain *chain) {
  const char *profile = chain->context.settings->profile;
  mb_error error;
  char why[512];
  chain->tried[0] = '\0';
  chain->tried_ns = mb_loop_now(chain->context.loop);
  for (size_t i = 0; i < PROVIDER_COUNT; i++) {
    chain->current = providers[i];
    int status = providers[i]->claims(&chain->context, profile, why, sizeof why, &error);
    if (status < 0) {
      fail_all(chain, &error);
      return;
    }
    if (status > 0) {
      mb_fetch_start(&chain->context, providers[i], profile, on_fetched, chain, &chain->fetch);
      return;
    }
    add_tried(chain, providers[i]->name, why);
  }
  fail_unconfigured(chain);
}

/* ---- asking ---- */

/* Whether what is kept will do. May start a refresh beside it, whose failure nobody hears of: the
 * set is still good, and if it stops being so the failure will be told then. */
static bool kept_will_do(mb_credentials_chain *chain) {
  int64_t now = mb_loop_now(chain->context.loop);
  double left = chain->has ? seconds_left(chain, &chain->cached) : 0;
  if (left <= 0)
    return false;
  if (left > ADVISORY_SECONDS || now - chain->fetched_ns < YOUNG_NS)
    return true;
  if (left <= MANDATORY_SECONDS)
    return false;
  if (!chain->fetch && now - chain->tried_ns >= PAUSE_NS)
    start_fetch(chain);
  return true;
}

void mb_credentials_set_deadline(mb_credentials_chain *chain, int64_t deadline_ns) {
  chain->context.deadline_ns = deadline_ns;
}

mb_credentials_request *mb_credentials_get(mb_credentials_chain *chain, bool refresh,
                                           mb_credentials_callback callback, void *payload) {
  bool answered = false;
  if (!refresh && kept_will_do(chain)) {
    callback(&chain->cached, NULL, payload);
    return NULL;
  }
  mb_credentials_request *request = mb_alloc_zero(1, sizeof *request);
  if (!request) {
    mb_error error;
    mb_error_memory(&error);
    callback(NULL, &error, payload);
    return NULL;
  }
  request->chain = chain;
  request->callback = callback;
  request->payload = payload;
  request->answered = &answered;
  append(&chain->waiting, request);
  if (!chain->fetch)
    start_fetch(chain);
  if (answered)
    return NULL;
  request->answered = NULL;
  return request;
}
