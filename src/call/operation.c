/* The one start and cancel behind every service operation and every waiter. */
#include "base/arena.h"
#include "base/memory.h"
#include "base/system.h"
#include "base/text.h"
#include "base/value.h"
#include "call/arguments.h"
#include "call/call.h"
#include "call/declare.h"
#include "call/failures.h"
#include <string.h>

typedef struct operation_state {
  mb_call *call;
  mb_aws_call *aws_call;
  mb_aws_request request;
  mb_wait_options wait;
} operation_state;

static void release_operation(void *state) {
  mb_free(state);
}

/* ---- ending ---- */

static void operation_ended(const mb_aws_result *result, void *payload) {
  operation_state *state = payload;
  mb_call *call = state->call;
  const mb_binding *binding = mb_call_binding(call);
  state->aws_call = NULL;
  mb_call_set_trace(call, result->request_id, result->attempts);
  mb_error error;
  if (result->failed) {
    error = result->error;
    mb_text_copy(error.operation, sizeof error.operation, binding->primitive.name);
    mb_call_fail(call, &error);
  } else if (!binding->waiter && mb_failures_find(binding, result, &error)) {
    const mb_settings *settings = mb_aws_settings(mb_call_engine(call)->aws, NULL);
    if (settings && settings->region)
      mb_text_copy(error.region, sizeof error.region, settings->region);
    mb_call_fail_in_part(call, result->output, &error);
  } else {
    mb_call_succeed(call, result->output);
  }
}

static void looked(int attempt, const mb_value *output, void *payload) {
  operation_state *state = payload;
  const mb_binding *binding = mb_call_binding(state->call);
  int most = state->wait.max_attempts;
  if (most <= 0)
    most = (int)binding->waiter->max_attempts;
  char message[64];
  mb_buffer text = MB_BUFFER_INIT(sizeof message);
  mb_buffer_addf(&text, "attempt %d of %d", attempt, most);
  mb_text_copy(message, sizeof message, mb_buffer_text(&text));
  mb_buffer_dispose(&text);
  mb_call_progress(state->call, message);
}

/* ---- input ---- */

/* A copy of the input with the token that makes AWS drop repeats, for services whose models do not
 * flag it: without it a retry after a lost answer could make a second thing. */
static const mb_value *with_token(mb_call *call, const mb_value *input, const char *member,
                                  mb_error *error) {
  if (mb_value_type(mb_map_get(input, member)) != MB_TYPE_NULL)
    return input;
  const mb_binding *binding = mb_call_binding(call);
  const mb_shape *shape = mb_model_shape(binding->model, binding->operation->input);
  const mb_member *found = mb_model_member(binding->model, shape, member, strlen(member));
  if (mb_value_type(mb_map_get(input, mb_model_text(binding->model, found->name))) != MB_TYPE_NULL)
    return input; /* given in the model's own spelling */
  char token[37];
  if (mb_uuid(&mb_call_engine(call)->system, token) != 0) {
    mb_error_set(error, MB_ERROR_INTERNAL, "NoRandomness", "the system gave no random bytes");
    return NULL;
  }
  mb_value *copy = mb_arguments_of_operation(mb_call_arena(call), input);
  mb_value *put = copy ? mb_map_put(mb_call_arena(call), copy, member) : NULL;
  if (put && mb_value_set_string(mb_call_arena(call), put, token) == 0)
    return copy;
  mb_error_memory(error);
  return NULL;
}

static int prepare_input(operation_state *state, mb_error *error) {
  mb_call *call = state->call;
  const mb_binding *binding = mb_call_binding(call);
  const mb_value *args = mb_call_arguments(call);
  state->request.input = mb_value_type(args) == MB_TYPE_MAP ? args : NULL;
  if (binding->waiter) {
    state->request.input = mb_arguments_of_operation(mb_call_arena(call), args);
    return state->request.input ? 0 : mb_error_memory(error);
  }
  const char *token = mb_operation_token(binding->model, binding->operation);
  if (!token)
    return 0;
  state->request.input = with_token(call, state->request.input, token, error);
  return state->request.input ? 0 : -1;
}

static void prepare_wait(operation_state *state) {
  const mb_binding *binding = mb_call_binding(state->call);
  state->wait.delay_seconds = mb_value_number(mb_call_argument(state->call, MB_ARGUMENT_DELAY));
  state->wait.max_attempts =
      (int)mb_value_integer(mb_call_argument(state->call, MB_ARGUMENT_ATTEMPTS));
  state->wait.on_look = looked;
  if (mb_call_get_options(state->call)->timeout_seconds > 0)
    return;
  /* Bounded all the same: each look may take as long as any other call. */
  double delay = state->wait.delay_seconds > 0 ? state->wait.delay_seconds
                                               : (double)binding->waiter->delay_seconds;
  double most = state->wait.max_attempts > 0 ? (double)state->wait.max_attempts
                                             : (double)binding->waiter->max_attempts;
  mb_engine *engine = mb_call_engine(state->call);
  double seconds = most * (delay + engine->call_timeout_seconds);
  if (seconds > MB_LONGEST_SECONDS)
    seconds = MB_LONGEST_SECONDS;
  state->request.deadline_ns = mb_loop_now(engine->loop) + (int64_t)(seconds * 1e9);
}

/* ---- the two functions of the declaration ---- */

static void start_under_way(operation_state *state) {
  mb_call *call = state->call;
  const mb_binding *binding = mb_call_binding(call);
  mb_aws *aws = mb_call_engine(call)->aws;
  mb_arena *arena = mb_call_arena(call);
  if (binding->waiter) {
    prepare_wait(state);
    state->aws_call = mb_aws_start_wait(aws, arena, binding->model, binding->waiter,
                                        &state->request, &state->wait, operation_ended, state);
  } else if (mb_call_get_options(call)->pages) {
    state->aws_call = mb_aws_start_pages(aws, arena, &state->request, operation_ended, state);
  } else {
    state->aws_call = mb_aws_start(aws, arena, &state->request, operation_ended, state);
  }
}

void mb_operation_start(mb_call *call, void *payload) {
  const mb_binding *binding = payload;
  mb_error error;
  operation_state *state = mb_alloc_zero(1, sizeof *state);
  if (!state) {
    mb_error_memory(&error);
    mb_call_fail(call, &error);
    return;
  }
  mb_call_set_state(call, state, release_operation);
  state->call = call;
  state->request.model = binding->model;
  state->request.operation = binding->operation;
  state->request.names = MB_NAMES_SNAKE;
  state->request.blobs_are_base64 = mb_call_get_options(call)->blobs_are_base64;
  state->request.deadline_ns = mb_call_deadline(call);
  if (prepare_input(state, &error) != 0) {
    mb_call_fail(call, &error);
    return;
  }
  start_under_way(state);
}

void mb_operation_cancel(mb_call *call, void *payload) {
  operation_state *state = mb_call_state(call);
  if (state && state->aws_call)
    mb_aws_cancel(state->aws_call);
}
