/* One call from beginning to end. It is prepared once (validated, tokens filled, endpoint found,
 * encoded); then each attempt asks for credentials, signs, sends and looks at the answer, until one
 * succeeds, a failure is final, or the deadline passes.
 *
 * A call ends in exactly one of finish_* (with the callback) or dispose (without); both free it, so
 * nothing may touch a call after a function that can end it. */
#include "aws/client_internal.h"
#include "base/memory.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

#define SECOND_NS             INT64_C(1000000000)
#define READ_TIMEOUT_SECONDS  60
#define SKEW_WORTH_CORRECTING (240 * SECOND_NS)

typedef struct single_call {
  mb_aws_call base;
  mb_arena *arena;
  mb_aws_request request;
  const char *features;
  mb_aws_callback callback;
  void *payload;

  mb_service_entry *service; /* all four are set by prepare */
  mb_target *target;
  mb_codec codec;
  mb_http_request http;

  mb_transfer_options options;
  int max_attempts;
  int attempts;
  int last_cost;          /* of the last retry, 0: none yet */
  bool refresh;           /* the next attempt wants fresh credentials */
  bool refreshed, skewed; /* each is done once per call */
  int64_t signed_at_ns;   /* what the last signature took for the time */
  char invocation[37];

  mb_credentials_request *asking; /* at most one of these three is under way, but for the timer of
                                     the deadline, which runs beside `asking` */
  mb_transfer *transfer;
  mb_timer *timer;
} single_call;

static void begin_attempt(single_call *call);

/* ---- the end ---- */

static void free_call(single_call *call) {
  mb_aws_call_unlink(&call->base);
  mb_free(call);
}

static void dispose(mb_aws_call *base) {
  single_call *call = (single_call *)base;
  if (call->asking)
    mb_credentials_cancel(call->asking);
  if (call->transfer)
    mb_transfer_cancel(call->transfer);
  mb_timer_cancel(call->timer);
  free_call(call);
}

static void end(single_call *call, mb_aws_result *result) {
  mb_aws_callback callback = call->callback;
  void *payload = call->payload;
  result->attempts = call->attempts;
  if (!result->request_id)
    result->request_id = "";
  if (!result->error_shape)
    result->error_shape = "";
  free_call(call);
  callback(result, payload);
}

static mb_error_context context_of(const single_call *call) {
  mb_error_context context = {.service = call->service,
                              .model = call->request.model,
                              .operation = call->request.operation,
                              .attempts = call->attempts};
  context.region = call->request.region ? call->request.region : call->base.aws->settings.region;
  if (call->target)
    context.endpoint = mb_arena_printf(call->arena, "%s%s%s", call->target->scheme,
                                       call->target->authority, call->target->base_path);
  return context;
}

/* Ends a call with an error that is complete but for who was called. */
static void finish_failed(single_call *call, const mb_error *error) {
  mb_error_context context = context_of(call);
  mb_aws_result result = {.failed = true, .error = *error, .status = error->status};
  mb_aws_complete_error(&context, &result.error);
  end(call, &result);
}

static void finish_memory(single_call *call) {
  mb_error error;
  mb_error_memory(&error);
  finish_failed(call, &error);
}

/* The deadline has passed, or would pass before anything more could be tried. `last` is what the
 * last attempt came to, or NULL. */
static void finish_late(single_call *call, const mb_error *last) {
  mb_error error;
  if (last && last->kind != MB_ERROR_TIMEOUT)
    mb_error_set(&error, MB_ERROR_TIMEOUT, "DeadlinePassed",
                 "the time given to the call was used up after %d attempts; the last one failed "
                 "with %s: %s",
                 call->attempts, last->code, last->message);
  else if (call->attempts == 0)
    mb_error_set(&error, MB_ERROR_TIMEOUT, "DeadlinePassed",
                 "the time given to the call was used up before credentials were there");
  else
    mb_error_set(&error, MB_ERROR_TIMEOUT, "DeadlinePassed",
                 "the time given to the call was used up without an answer (attempt %d)",
                 call->attempts);
  mb_error_next(&error, "give the call more time, or find out why the service is slow to answer");
  if (last) {
    error.status = last->status;
    mb_text_copy(error.request_id, sizeof error.request_id, last->request_id);
  }
  error.retryable = true;
  finish_failed(call, &error);
}

/* ---- after a failed attempt ---- */

static void on_backoff_over(void *payload) {
  single_call *call = payload;
  call->timer = NULL;
  begin_attempt(call);
}

static void retry_after(single_call *call, double seconds, const mb_error *failure) {
  mb_aws *aws = call->base.aws;
  int64_t at = mb_loop_now(aws->loop) + (int64_t)(seconds * (double)SECOND_NS);
  if (call->request.deadline_ns && at >= call->request.deadline_ns) {
    finish_late(call, failure);
    return;
  }
  aws->counts.retries++;
  call->timer = mb_loop_timer(aws->loop, at, on_backoff_over, call);
  if (!call->timer)
    finish_memory(call);
}

/* Tries again if the failure is worth it and the quota allows, else ends with `result`. */
static void retry_or_end(single_call *call, mb_aws_result *result, mb_retry_class retry_class,
                         const char *hint) {
  mb_aws *aws = call->base.aws;
  const char *name = call->service->service.namespace_;
  int cost = mb_retry_cost(retry_class);
  if (retry_class == MB_RETRY_THROTTLED)
    aws->counts.throttled++;
  if (retry_class == MB_RETRY_NO || call->attempts >= call->max_attempts) {
    end(call, result);
  } else if (!mb_retry_take(&aws->quota, cost)) {
    size_t used = strlen(result->error.message);
    snprintf(result->error.message + used, sizeof result->error.message - used,
             " (not tried again: too many calls are failing)");
    end(call, result);
  } else {
    call->last_cost = cost;
    retry_after(
        call, mb_retry_delay(retry_class, name, call->attempts, mb_random_unit(aws->system), hint),
        &result->error);
  }
}

/* ---- clock skew ---- */

static bool is_one_of(const char *code, const char *const *codes) {
  for (; *codes; codes++) {
    if (strcmp(code, *codes) == 0)
      return true;
  }
  return false;
}

/* When an answer says, or may mean, that our clock is wrong, takes the server's time for the truth.
 * A wrong key gives some of the same codes: then the times agree and nothing is corrected. */
static bool correct_skew(single_call *call, const char *code, const mb_http_response *response) {
  static const char *const certain[] = {"RequestTimeTooSkewed", "RequestExpired",
                                        "RequestInTheFuture", NULL};
  static const char *const possible[] = {"InvalidSignatureException", "SignatureDoesNotMatch",
                                         "AuthFailure", NULL};
  mb_aws *aws = call->base.aws;
  const char *date = mb_headers_get(&response->headers, "Date");
  bool sure = is_one_of(code, certain);
  double seconds;
  if (call->skewed || !date || (!sure && !is_one_of(code, possible)))
    return false;
  if (mb_time_parse(date, strlen(date), &seconds) != 0 || !(seconds > 0 && seconds < 8e9))
    return false;
  int64_t server_ns = (int64_t)seconds * SECOND_NS;
  int64_t off = server_ns - call->signed_at_ns;
  if (!sure && off > -SKEW_WORTH_CORRECTING && off < SKEW_WORTH_CORRECTING)
    return false;
  aws->skew_ns = server_ns - mb_wall_ns(aws->system);
  call->skewed = true;
  return true;
}

/* ---- answers ---- */

/* S3 tells where a bucket really is; following it by ourselves would sign for a place nobody named.
 */
static void explain_bucket_region(const single_call *call, const mb_http_response *response,
                                  mb_error *error) {
  const char *region = mb_headers_get(&response->headers, "x-amz-bucket-region");
  if (region && call->target && strcmp(region, call->target->signing_region) != 0)
    mb_error_next(error, "the bucket is in %.40s: call it with that region", region);
}

/* Once the clock has been corrected, an error about it says by how much. */
static void explain_skew(const single_call *call, const char *code, mb_error *error) {
  int64_t skew = call->base.aws->skew_ns;
  int64_t seconds = (skew + (skew < 0 ? -SECOND_NS : SECOND_NS) / 2) / SECOND_NS;
  if (call->skewed && (strstr(code, "Signature") || strstr(code, "Request")))
    mb_error_next(error, "this machine's clock is %lld seconds %s AWS's: set it right",
                  (long long)(seconds < 0 ? -seconds : seconds),
                  seconds < 0 ? "ahead of" : "behind");
}

static void answered_with_error(single_call *call, const mb_http_response *response) {
  mb_service_error answer;
  mb_aws_result result = {.failed = true, .status = response->status};
  if (mb_codec_decode_error(&call->codec, call->arena, call->request.operation, response, &answer,
                            &result.error) != 0) {
    finish_failed(call, &result.error);
    return;
  }
  mb_error_context context = context_of(call);
  mb_aws_service_error(&context, &answer, response->status, &result.error);
  result.error_fields = &answer.fields;
  result.error_shape = answer.shape_name;
  result.request_id = answer.request_id;
  explain_bucket_region(call, response, &result.error);
  explain_skew(call, answer.code, &result.error);
  bool more = call->attempts < call->max_attempts;
  if (more && mb_aws_is_expired_code(answer.code) && !call->refreshed &&
      !call->request.credentials) {
    call->refresh = call->refreshed = true;
    retry_after(call, 0, &result.error);
  } else if (more && correct_skew(call, answer.code, response)) {
    retry_after(call, 0, &result.error);
  } else {
    retry_or_end(call, &result, mb_retry_classify(response->status, answer.code, answer.shape),
                 mb_headers_get(&response->headers, "x-amz-retry-after"));
  }
}

/* A body that arrived damaged: worth another attempt, unlike one that is whole and unreadable. */
static void answered_damaged(single_call *call, const mb_http_response *response) {
  mb_error_context context = context_of(call);
  mb_aws_result result = {.failed = true, .status = response->status};
  mb_error_set(&result.error, MB_ERROR_NETWORK, "DamagedResponse",
               "the answer's checksum does not fit its body");
  result.error.retryable = true;
  result.error.status = response->status;
  result.request_id = mb_codec_request_id(&call->codec, response);
  mb_text_copy(result.error.request_id, sizeof result.error.request_id, result.request_id);
  mb_aws_explain_failure(&context, call->service->custom_endpoint != NULL, &result.error);
  retry_or_end(call, &result, MB_RETRY_TRANSIENT, NULL);
}

static void answered_well(single_call *call, const mb_http_response *response) {
  mb_aws *aws = call->base.aws;
  mb_error error;
  mb_value *output = mb_value_new(call->arena);
  mb_aws_result result = {.status = response->status, .output = output};
  result.request_id = mb_codec_request_id(&call->codec, response);
  if (!output) {
    finish_memory(call);
    return;
  }
  if (mb_codec_decode_response(&call->codec, call->arena, call->request.operation, response, output,
                               &error) != 0) {
    error.status = response->status;
    error.retryable = (call->request.operation->flags & MB_OPERATION_READ_ONLY) != 0;
    if (error.kind == MB_ERROR_NETWORK)
      mb_error_next(&error, error.retryable
                                ? "check that the endpoint is the service's own, and what stands "
                                  "between (proxy, sign-in page)"
                                : "the change may have been made: look before you try again; then "
                                  "check that the endpoint is the service's own");
    mb_text_copy(error.request_id, sizeof error.request_id, result.request_id);
    finish_failed(call, &error);
    return;
  }
  mb_retry_give(&aws->quota, call->last_cost);
  end(call, &result);
}

/* An error document after a 200 counts as a 500. Objects may look like one: they stream, and are
 * left alone. */
static bool is_hidden_error(const single_call *call, const mb_http_response *response) {
  const mb_model *model = call->request.model;
  const mb_operation *operation = call->request.operation;
  if (!mb_codec_is_hidden_error(&call->codec, response))
    return false;
  if (operation->output == MB_NO_INDEX)
    return true;
  uint32_t payload = mb_model_shape(model, operation->output)->payload;
  return payload == MB_NO_INDEX ||
         !(mb_model_member_at(model, payload)->flags & MB_MEMBER_STREAMING);
}

static void on_answer(const mb_transfer_result *answer, void *payload) {
  single_call *call = payload;
  call->transfer = NULL;
  if (answer->failed) {
    mb_aws_result result = {.failed = true, .error = answer->error};
    mb_error_context context = context_of(call);
    int64_t deadline = call->request.deadline_ns;
    if (deadline && mb_loop_now(call->base.aws->loop) >= deadline) {
      finish_late(call, &answer->error);
      return;
    }
    mb_aws_explain_failure(&context, call->service->custom_endpoint != NULL, &result.error);
    retry_or_end(call, &result, answer->error.retryable ? MB_RETRY_TRANSIENT : MB_RETRY_NO, NULL);
  } else if (!mb_aws_body_is_whole(&answer->response)) {
    answered_damaged(call, &answer->response);
  } else if (is_hidden_error(call, &answer->response)) {
    mb_http_response response = answer->response;
    response.status = 500;
    answered_with_error(call, &response);
  } else if (answer->response.status >= 200 && answer->response.status < 300) {
    answered_well(call, &answer->response);
  } else {
    answered_with_error(call, &answer->response);
  }
}

/* ---- one attempt ---- */

static void send_request(single_call *call) {
  mb_aws *aws = call->base.aws;
  mb_error error;
  call->attempts++;
  aws->counts.attempts++;
  mb_transfer *transfer = mb_loop_transfer(aws->loop, call->arena, &call->http, &call->options,
                                           on_answer, call, &error);
  call->transfer = transfer;
  if (!transfer)
    finish_failed(call, &error);
}

static bool is_unsigned(const single_call *call) {
  return (call->request.operation->flags & MB_OPERATION_UNSIGNED) ||
         call->service->service.unsigned_all || call->target->unsigned_;
}

static void sign_and_send(single_call *call, const mb_credentials *credentials) {
  mb_aws *aws = call->base.aws;
  const mb_target *target = call->target;
  mb_error error;
  bool is_s3 = strcmp(call->service->service.namespace_, "s3") == 0;
  bool unhashed =
      target->secure && (call->request.operation->flags & MB_OPERATION_UNSIGNED_PAYLOAD);
  call->signed_at_ns = mb_wall_ns(aws->system) + aws->skew_ns;
  mb_signing signing = {.access_key_id = credentials->access_key_id,
                        .secret_access_key = credentials->secret_access_key,
                        .session_token = credentials->session_token,
                        .region = target->signing_region,
                        .service = target->signing_name,
                        .time = call->signed_at_ns / SECOND_NS,
                        .double_encode = target->double_encode,
                        .normalize = target->double_encode,
                        .content_sha256 = is_s3 || unhashed,
                        .payload_hash = unhashed ? "UNSIGNED-PAYLOAD" : NULL};
  if (!*credentials->session_token)
    mb_headers_remove(&call->http.headers, "X-Amz-Security-Token");
  if (mb_sigv4_sign(call->arena, &call->http, &signing, target->signing_key, NULL, &error) != 0)
    finish_failed(call, &error);
  else
    send_request(call);
}

static void on_credentials(const mb_credentials *credentials, const mb_error *error,
                           void *payload) {
  single_call *call = payload;
  call->asking = NULL;
  mb_timer_cancel(call->timer);
  call->timer = NULL;
  if (credentials)
    sign_and_send(call, credentials);
  else
    finish_failed(call, error);
}

static void on_deadline(void *payload) {
  single_call *call = payload;
  call->timer = NULL;
  mb_credentials_cancel(call->asking);
  call->asking = NULL;
  finish_late(call, NULL);
}

static void ask_for_credentials(single_call *call) {
  mb_aws *aws = call->base.aws;
  mb_error error;
  bool refresh = call->refresh;
  mb_credentials_chain *chain = mb_aws_chain(aws, &error);
  if (!chain) {
    finish_failed(call, &error);
    return;
  }
  call->refresh = false;
  int64_t deadline = call->request.deadline_ns;
  mb_credentials_set_deadline(chain, deadline);
  mb_credentials_request *asking = mb_credentials_get(chain, refresh, on_credentials, call);
  if (!asking)
    return; /* answered already: the call may be gone */
  call->asking = asking;
  if (!deadline)
    return;
  call->timer = mb_loop_timer(aws->loop, deadline, on_deadline, call);
  if (!call->timer) {
    mb_credentials_cancel(asking);
    call->asking = NULL;
    finish_memory(call);
  }
}

static int set_retry_header(single_call *call) {
  mb_aws *aws = call->base.aws;
  char text[80], until[17];
  int attempt = call->attempts + 1;
  if (attempt == 1) {
    snprintf(text, sizeof text, "attempt=1; max=%d", call->max_attempts);
  } else {
    mb_time_amz(until, (mb_wall_ns(aws->system) + aws->skew_ns) / SECOND_NS + READ_TIMEOUT_SECONDS);
    snprintf(text, sizeof text, "ttl=%s; attempt=%d; max=%d", until, attempt, call->max_attempts);
  }
  return mb_headers_set(call->arena, &call->http.headers, "amz-sdk-request", text);
}

static void begin_attempt(single_call *call) {
  int64_t deadline = call->request.deadline_ns;
  if (deadline && mb_loop_now(call->base.aws->loop) >= deadline)
    finish_late(call, NULL);
  else if (set_retry_header(call) != 0)
    finish_memory(call);
  else if (is_unsigned(call))
    send_request(call);
  else if (call->request.credentials)
    sign_and_send(call, call->request.credentials);
  else
    ask_for_credentials(call);
}

/* ---- preparing ---- */

static bool has_token_member(const mb_model *model, const mb_operation *operation) {
  if (operation->input == MB_NO_INDEX)
    return false;
  const mb_shape *shape = mb_model_shape(model, operation->input);
  const mb_member *members = mb_model_members(model, shape);
  for (uint32_t i = 0; i < shape->member_count; i++) {
    if (members[i].flags & MB_MEMBER_IDEMPOTENCY_TOKEN)
      return true;
  }
  return false;
}

/* Tokens go into a copy of the input's top level: the caller's input is not ours to change. They
 * are filled once, so that every attempt carries the same. */
static int fill_tokens(single_call *call, mb_error *error) {
  mb_aws_request *request = &call->request;
  const mb_value *from = request->input;
  if (!has_token_member(request->model, request->operation))
    return 0;
  mb_value *input = mb_value_new_map(call->arena);
  if (!input)
    return mb_error_memory(error);
  for (size_t i = 0; i < mb_value_count(from); i++) {
    const mb_entry *entry = &from->as.entries[i];
    mb_value *value = mb_map_add_static(call->arena, input, entry->key, entry->key_size);
    if (!value)
      return mb_error_memory(error);
    *value = entry->value;
  }
  request->input = input;
  return mb_codec_fill_tokens(&call->codec, call->arena, request->operation, input, error);
}

static int refuse_unspoken(const single_call *call, mb_error *error) {
  if (call->service->service.protocol == MB_PROTOCOL_CBOR)
    return mb_error_set(error, MB_ERROR_USAGE, "UnsupportedProtocol",
                        "%s speaks only CBOR, which moonbook does not",
                        call->service->service.namespace_);
  if (call->request.operation->flags & MB_OPERATION_BEARER)
    return mb_error_set(error, MB_ERROR_USAGE, "UnsupportedSigning",
                        "this operation wants a bearer token, which moonbook does not have");
  return 0;
}

static int build_url(single_call *call, mb_error *error) {
  const mb_target *target = call->target;
  mb_http_request *http = &call->http;
  const char *prefix =
      http->host_prefix && !target->local && !call->base.aws->settings.disable_host_prefix
          ? http->host_prefix
          : "";
  const char *path = http->path;
  if (*target->base_path)
    path = mb_arena_printf(call->arena, "%s%s", target->base_path, path);
  if (!path)
    return mb_error_memory(error);
  http->path = path;
  http->url =
      mb_arena_printf(call->arena, "%s%s%s%s%s%s", target->scheme, prefix, target->authority, path,
                      http->query && *http->query ? "?" : "", http->query ? http->query : "");
  return http->url ? 0 : mb_error_memory(error);
}

static int add_endpoint_headers(single_call *call) {
  const mb_value *headers = call->target->headers;
  for (size_t i = 0; i < mb_value_count(headers); i++) {
    const mb_value *list = mb_map_value_at(headers, i);
    for (size_t j = 0; j < mb_value_count(list); j++) {
      if (mb_headers_add(call->arena, &call->http.headers, mb_map_key_at(headers, i),
                         mb_value_string(mb_list_at(list, j))) != 0)
        return -1;
    }
  }
  return 0;
}

static int add_headers(single_call *call, mb_error *error) {
  const mb_aws *aws = call->base.aws;
  mb_headers *headers = &call->http.headers;
  char features[16] = "";
  if (call->features)
    snprintf(features, sizeof features, ",%s", call->features);
  const char *agent = mb_arena_printf(call->arena, "%s%s%s%s", aws->agent_head, features,
                                      call->service->custom_endpoint ? ",N" : "", aws->agent_tail);
  if (mb_uuid(aws->system, call->invocation) != 0)
    return mb_error_set(error, MB_ERROR_INTERNAL, "NoRandomness",
                        "the system gave no random bytes for the call's id");
  if (!agent || mb_headers_set(call->arena, headers, "User-Agent", agent) != 0 ||
      mb_headers_set(call->arena, headers, "amz-sdk-invocation-id", call->invocation) != 0 ||
      (aws->trace_id &&
       mb_headers_set(call->arena, headers, "X-Amzn-Trace-Id", aws->trace_id) != 0) ||
      add_endpoint_headers(call) != 0)
    return mb_error_memory(error);
  return 0;
}

/* In the order that keeps every later step honest: what is encoded has been checked and has its
 * tokens, and what is signed later is complete. */
static int prepare(single_call *call, mb_error *error) {
  mb_aws *aws = call->base.aws;
  mb_aws_request *request = &call->request;
  const mb_operation *operation = request->operation;
  call->codec = (mb_codec){.model = request->model,
                           .system = aws->system,
                           .names = request->names,
                           .allow_unknown = request->skip_validation,
                           .blobs_are_base64 = request->blobs_are_base64};
  if (!request->skip_validation &&
      mb_codec_validate(&call->codec, operation, request->input, error) != 0)
    return -1;
  if (fill_tokens(call, error) != 0 || !mb_aws_settings(aws, error) ||
      mb_aws_service(aws, request->model, &call->service, error) != 0 ||
      refuse_unspoken(call, error) != 0 ||
      mb_aws_target(aws, call->arena, call->service, request, &call->target, error) != 0)
    return -1;
  call->max_attempts =
      mb_retry_max_attempts(call->service->service.namespace_, aws->settings.max_attempts);
  if (!aws->settings.disable_compression)
    call->codec.compress_minimum = aws->settings.compress_minimum;
  call->options.deadline_ns = request->deadline_ns;
  call->options.ca_bundle = aws->settings.ca_bundle;
  if (mb_codec_encode_request(&call->codec, call->arena, operation, request->input, &call->http,
                              error) != 0 ||
      build_url(call, error) != 0 ||
      mb_aws_add_checksum(call->arena, request->model, operation, request->input, &call->http,
                          error) != 0)
    return -1;
  return add_headers(call, error);
}

void mb_aws_launch(mb_aws *aws, mb_arena *arena, const mb_aws_request *request,
                   const char *features, mb_aws_callback callback, void *payload,
                   mb_aws_call **owner) {
  mb_error error;
  single_call *call = mb_alloc_zero(1, sizeof *call);
  *owner = NULL;
  if (!call) {
    mb_aws_refuse(request, NULL, callback, payload);
    return;
  }
  mb_aws_call_link(&call->base, aws, owner, dispose);
  aws->counts.calls++;
  call->arena = arena;
  call->request = *request;
  call->features = features;
  call->callback = callback;
  call->payload = payload;
  if (prepare(call, &error) != 0)
    finish_failed(call, &error);
  else
    begin_attempt(call);
}
