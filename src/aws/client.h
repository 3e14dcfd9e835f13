/* One AWS call from value to value: validate, fill tokens, resolve the endpoint, encode, and per
 * attempt credentials, signature, send, decode, classify, retry (spec/aws-client.md 2). */
#ifndef MB_AWS_CLIENT_H
#define MB_AWS_CLIENT_H

#include "aws/codec/codec.h"
#include "aws/config/settings.h"
#include "aws/credentials/credentials.h"
#include "loop/loop.h"

typedef struct mb_aws mb_aws;           /* settings, credentials, retry quota, endpoints, skew */
typedef struct mb_aws_call mb_aws_call; /* one operation under way */

/* `loop` is borrowed. Reads no file and no environment until the first call needs them. */
mb_aws *mb_aws_new(mb_loop *loop, const mb_settings_options *options, mb_error *error);
void mb_aws_free(mb_aws *aws); /* cancels calls under way, without callbacks */

/* The settings, loaded now if they were not. NULL with an error when a file is malformed. */
const mb_settings *mb_aws_settings(mb_aws *aws, mb_error *error);

typedef struct mb_aws_request {
  const mb_model *model;
  const mb_operation *operation;
  const mb_value *input; /* map or NULL; borrowed until the call ends */
  mb_names names;        /* of the input's and the output's members */
  const char *region;    /* NULL: the settings' */
  bool blobs_are_base64;
  bool skip_validation;
  int64_t deadline_ns;               /* monotonic, all attempts included; 0: none */
  const mb_credentials *credentials; /* NULL: the chain's; used for chained roles */
} mb_aws_request;

typedef struct mb_aws_result {
  bool failed;
  mb_error error;               /* when failed: everything a person needs */
  const mb_value *output;       /* when not failed: a map in the call's arena */
  const mb_value *error_fields; /* modelled members of a service error, or NULL */
  const char *error_shape;      /* the modelled exception's name, "" if none */
  const char *request_id;       /* of the last attempt, "" if none */
  int status;
  int attempts;
} mb_aws_result;

typedef void (*mb_aws_callback)(const mb_aws_result *result, void *payload);

/* Starts a call; the callback comes exactly once, from mb_loop_turn or before this returns (then
 * the result is NULL). The output lives in `arena`. */
mb_aws_call *mb_aws_start(mb_aws *aws, mb_arena *arena, const mb_aws_request *request,
                          mb_aws_callback callback, void *payload);
void mb_aws_cancel(mb_aws_call *call); /* no callback follows */

/* Every page of a listing, merged (result keys concatenated). Also for operations whose paginator
 * is derived. Fails with USAGE "NotPaginated" when there is none, and when a token repeats. */
mb_aws_call *mb_aws_start_pages(mb_aws *aws, mb_arena *arena, const mb_aws_request *request,
                                mb_aws_callback callback, void *payload);

/* The input of the next page: a copy of `input` with the tokens of `output` put in; false when
 * there is no next page (or, with `error` set, when a token repeats). */
bool mb_aws_next_page(mb_arena *arena, const mb_model *model, const mb_operation *operation,
                      const mb_value *input, const mb_value *output, mb_value *next,
                      mb_error *error);

/* A waiter. `delay_seconds` and `max_attempts` 0 take the model's. `on_look` (may be NULL) is told
 * after each look that did not decide. On failure the error's code is "WaiterFailed" (a state that
 * will never succeed), "WaiterTimeout" (TIMEOUT), or the call's own. */
typedef struct mb_wait_options {
  double delay_seconds;
  int max_attempts;
  void (*on_look)(int attempt, const mb_value *output, void *payload);
} mb_wait_options;
mb_aws_call *mb_aws_start_wait(mb_aws *aws, mb_arena *arena, const mb_model *model,
                               const mb_waiter *waiter, const mb_aws_request *request,
                               const mb_wait_options *options, mb_aws_callback callback,
                               void *payload);

/* Counts since the client was made. */
typedef struct mb_aws_counts {
  uint64_t calls, attempts, retries, throttled;
} mb_aws_counts;
void mb_aws_get_counts(const mb_aws *aws, mb_aws_counts *out);

#endif
