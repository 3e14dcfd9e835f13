/* The inside of the client, shared by its own files (client*.c, endpoint_params.c, pages.c,
 * waiter.c) and by the credential providers that call STS. */
#ifndef MB_AWS_CLIENT_INTERNAL_H
#define MB_AWS_CLIENT_INTERNAL_H

#include "aws/client.h"
#include "aws/endpoint/endpoint.h"
#include "aws/retry.h"
#include "aws/sign/sigv4.h"

/* Where a call goes and how it is signed: one resolved endpoint. Kept per service and region, so
 * that only the first call to a place pays for the rules. */
typedef struct mb_target {
  struct mb_target *next;
  const char *key;       /* what it was resolved for */
  const char *scheme;    /* "https://" */
  const char *authority; /* host[:port] */
  const char *base_path; /* "" or "/stage", never ending in '/' */
  const char *signing_name, *signing_region;
  const mb_value *headers; /* of the endpoint: map of lists of strings, or NULL */
  bool unsigned_;          /* the endpoint asks for no signature */
  bool double_encode;
  bool secure;
  bool local;                  /* loopback or an address: nothing can be put before the host */
  mb_signing_key *signing_key; /* of its own, or the service's when it is not kept */
} mb_target;

/* What the client knows of one service; made when it is first called. */
typedef struct mb_service_entry {
  struct mb_service_entry *next;
  const mb_model *model;
  mb_service service;
  mb_arena *arena;
  mb_ruleset *ruleset;
  const char *custom_endpoint; /* or NULL: AWS's own */
  mb_target *targets;
  size_t target_count;
  mb_signing_key signing_key; /* for targets that are not kept */
} mb_service_entry;

struct mb_aws {
  mb_loop *loop;
  const mb_system *system;
  mb_arena *arena;
  mb_settings_options options; /* copied */
  bool loaded;
  mb_settings settings;
  mb_credentials_chain *chain; /* made by the first signed call */
  mb_service_entry *services;
  mb_retry_quota quota;
  int64_t skew_ns;        /* to add to the wall clock to get AWS's time */
  const char *agent_head; /* the user agent up to the feature list */
  const char *agent_tail; /* and after it */
  const char *trace_id;   /* of the Lambda function we run in, or NULL */
  mb_aws_call *calls;
  mb_aws_counts counts;
};

/* Something under way: one call, a listing, a wait. `owner` is where somebody keeps the pointer to
 * it; it is emptied when the call ends or is disposed of, so that nobody holds a dead call. */
struct mb_aws_call {
  mb_aws *aws;
  mb_aws_call *previous, *next;
  mb_aws_call **owner;
  void (*dispose)(mb_aws_call *call); /* stops what is under way and frees it */
};

void mb_aws_call_link(mb_aws_call *call, mb_aws *aws, mb_aws_call **owner,
                      void (*dispose)(mb_aws_call *call));
void mb_aws_call_unlink(mb_aws_call *call);

/* As mb_aws_start; `*owner` is the call as long as it is under way, NULL from before the callback
 * on. `features` are letters for the user agent ("B" in a waiter), or NULL. */
void mb_aws_launch(mb_aws *aws, mb_arena *arena, const mb_aws_request *request,
                   const char *features, mb_aws_callback callback, void *payload,
                   mb_aws_call **owner);

/* Ends a call before it began: calls back with `error`, or with MEMORY when that is NULL. */
void mb_aws_refuse(const mb_aws_request *request, const mb_error *error, mb_aws_callback callback,
                   void *payload);

/* The chain, made now if need be. */
mb_credentials_chain *mb_aws_chain(mb_aws *aws, mb_error *error);

/* ---- endpoint_params.c ---- */

int mb_aws_service(mb_aws *aws, const mb_model *model, mb_service_entry **out, mb_error *error);
/* Resolves where a call goes. The target lives as long as the client, or in `arena` when there are
 * too many to keep. */
int mb_aws_target(mb_aws *aws, mb_arena *arena, mb_service_entry *entry,
                  const mb_aws_request *request, mb_target **out, mb_error *error);
void mb_aws_service_free(mb_service_entry *entry);

/* ---- checksum.c ---- */

uint32_t mb_crc32(const void *data, size_t size);
/* Adds the checksum header an operation asks for. */
int mb_aws_add_checksum(mb_arena *arena, const mb_model *model, const mb_operation *operation,
                        const mb_value *input, mb_http_request *http, mb_error *error);
/* Whether a response's x-amz-crc32, if it has one, fits its body. */
bool mb_aws_body_is_whole(const mb_http_response *response);

/* ---- client_errors.c ---- */

/* Who called what: what every error of a call is completed with. */
typedef struct mb_error_context {
  const mb_service_entry *service; /* or NULL when it did not get so far */
  const mb_model *model;
  const mb_operation *operation;
  const char *region, *endpoint; /* or NULL */
  int attempts;
} mb_error_context;

void mb_aws_complete_error(const mb_error_context *context, mb_error *error);
/* Makes the error of an error answer. */
void mb_aws_service_error(const mb_error_context *context, const mb_service_error *answer,
                          int status, mb_error *error);
/* Adds to a failed transfer's error what may be done about it. */
void mb_aws_explain_failure(const mb_error_context *context, bool custom_endpoint, mb_error *error);
bool mb_aws_is_expired_code(const char *code);

#endif
