/* Waiters: looking again and again until the model's acceptors decide (spec/aws-client.md 2.8). */
#include "aws/client_internal.h"
#include "aws/jmespath/jmespath.h"
#include "base/memory.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

#define SECOND_NS         INT64_C(1000000000)
#define MAX_DELAY_SECONDS 86400.0

/* An acceptor made ready: its expression compiled, its expected value read. */
typedef struct ready_acceptor {
  const mb_acceptor *acceptor;
  mb_jmespath *expression; /* or NULL */
  mb_value *expected;
} ready_acceptor;

typedef struct wait_call {
  mb_aws_call base;
  mb_arena *arena;
  mb_arena *look_arena; /* of the look under way: many looks must not pile up */
  mb_aws_request request;
  const mb_waiter *waiter;
  mb_wait_options options;
  mb_aws_callback callback;
  void *payload;
  ready_acceptor *acceptors;
  int looks, attempts;
  mb_aws_call *look;
  mb_timer *timer;
} wait_call;

/* ---- the end ---- */

static void free_wait(wait_call *call) {
  mb_aws_call_unlink(&call->base);
  mb_arena_free(call->look_arena);
  mb_free(call);
}

static void dispose(mb_aws_call *base) {
  wait_call *call = (wait_call *)base;
  mb_aws_cancel(call->look);
  mb_timer_cancel(call->timer);
  free_wait(call);
}

/* Moves what the result points at from the look's arena to the caller's. 0, or -1. */
static int keep_result(wait_call *call, mb_aws_result *result) {
  mb_value *output = NULL, *fields = NULL;
  if (result->output) {
    output = mb_value_new(call->arena);
    if (!output || mb_value_copy(call->arena, output, result->output) != 0)
      return -1;
  }
  if (result->error_fields) {
    fields = mb_value_new(call->arena);
    if (!fields || mb_value_copy(call->arena, fields, result->error_fields) != 0)
      return -1;
  }
  const char *request_id = mb_arena_strdup(call->arena, result->request_id);
  const char *shape = mb_arena_strdup(call->arena, result->error_shape);
  if (!request_id || !shape)
    return -1;
  result->output = output;
  result->error_fields = fields;
  result->request_id = request_id;
  result->error_shape = shape;
  return 0;
}

static void end(wait_call *call, const mb_aws_result *last) {
  mb_aws_callback callback = call->callback;
  void *payload = call->payload;
  mb_aws_result result = *last;
  result.attempts = call->attempts;
  if (keep_result(call, &result) != 0) {
    result = (mb_aws_result){.failed = true, .request_id = "", .error_shape = ""};
    mb_error_memory(&result.error);
  }
  free_wait(call);
  callback(&result, payload);
}

/* Ends with an error of the waiter's own; `call` may have no answer at all. */
static void end_failed(wait_call *call, const mb_aws_result *last, const mb_error *error) {
  mb_aws_result result = {.request_id = "", .error_shape = ""};
  mb_error_context context = {.model = call->request.model,
                              .operation = call->request.operation,
                              .region = call->request.region ? call->request.region
                                                             : call->base.aws->settings.region,
                              .attempts = call->attempts};
  if (last)
    result = *last;
  result.failed = true;
  result.error = *error;
  mb_aws_complete_error(&context, &result.error);
  mb_text_copy(result.error.request_id, sizeof result.error.request_id, result.request_id);
  if (last && !last->failed)
    result.output = NULL;
  end(call, &result);
}

static const char *waiter_name(const wait_call *call) {
  return mb_model_text(call->request.model, call->waiter->snake);
}

static void end_late(wait_call *call, const mb_aws_result *last, const char *why) {
  mb_error error;
  mb_error_set(&error, MB_ERROR_TIMEOUT, "WaiterTimeout", "%s has not come about after %d looks%s",
               waiter_name(call), call->looks, why);
  mb_error_next(&error, "look at its state now; wait longer if it only needs time");
  error.retryable = true;
  end_failed(call, last, &error);
}

/* ---- acceptors ---- */

static bool matches_list(const ready_acceptor *ready, const mb_value *found, bool all) {
  size_t count = mb_value_type(found) == MB_TYPE_LIST ? mb_value_count(found) : 0;
  size_t equal = 0;
  for (size_t i = 0; i < count; i++)
    equal += mb_value_equal(mb_list_at(found, i), ready->expected);
  /* An empty list decides nothing: "every task runs" must not be true of no tasks. */
  return all ? count > 0 && equal == count : equal > 0;
}

static int matches_path(wait_call *call, const ready_acceptor *ready, const mb_value *output,
                        bool *out, mb_error *error) {
  mb_value found;
  *out = false;
  if (!ready->expression || !output)
    return 0;
  if (mb_jmespath_search(ready->expression, call->look_arena, output, &found, error) != 0)
    return -1;
  if (ready->acceptor->matcher == MB_MATCHER_PATH)
    *out = mb_value_equal(&found, ready->expected);
  else
    *out = matches_list(ready, &found, ready->acceptor->matcher == MB_MATCHER_PATH_ALL);
  return 0;
}

static bool matches_error(const ready_acceptor *ready, const mb_aws_result *result) {
  if (mb_value_type(ready->expected) == MB_TYPE_BOOLEAN)
    return mb_value_boolean(ready->expected) == result->failed;
  const char *expected = mb_value_string(ready->expected);
  return result->failed && *expected &&
         (strcmp(expected, result->error.code) == 0 || strcmp(expected, result->error_shape) == 0);
}

static int matches(wait_call *call, const ready_acceptor *ready, const mb_aws_result *result,
                   bool *out, mb_error *error) {
  switch (ready->acceptor->matcher) {
  case MB_MATCHER_STATUS:
    *out = mb_value_integer(ready->expected) == result->status;
    return 0;
  case MB_MATCHER_ERROR:
    *out = matches_error(ready, result);
    return 0;
  default:
    return matches_path(call, ready, result->failed ? NULL : result->output, out, error);
  }
}

/* The first acceptor in the model's order decides. `out` is NULL when none fits. */
static int find_acceptor(wait_call *call, const mb_aws_result *result, const ready_acceptor **out,
                         mb_error *error) {
  bool fits;
  *out = NULL;
  for (uint32_t i = 0; i < call->waiter->acceptor_count; i++) {
    if (matches(call, &call->acceptors[i], result, &fits, error) != 0)
      return -1;
    if (fits) {
      *out = &call->acceptors[i];
      return 0;
    }
  }
  return 0;
}

static int prepare_acceptors(wait_call *call, mb_error *error) {
  const mb_model *model = call->request.model;
  const mb_acceptor *acceptors = mb_model_acceptors(model, call->waiter);
  uint32_t count = call->waiter->acceptor_count;
  call->acceptors = mb_arena_zero(call->arena, (count + 1) * sizeof *call->acceptors);
  if (!call->acceptors)
    return mb_error_memory(error);
  for (uint32_t i = 0; i < count; i++) {
    ready_acceptor *ready = &call->acceptors[i];
    const char *expression = mb_model_text(model, acceptors[i].argument);
    const char *expected = mb_model_text(model, acceptors[i].expected);
    ready->acceptor = &acceptors[i];
    if (mb_value_from_json(call->arena, &ready->expected, expected, strlen(expected), error) != 0)
      return -1;
    if (*expression && !(ready->expression = mb_jmespath_compile(call->arena, expression, error)))
      return -1;
  }
  return 0;
}

/* ---- looking ---- */

static void look(wait_call *call);

static void on_pause_over(void *payload) {
  wait_call *call = payload;
  call->timer = NULL;
  look(call);
}

static void look_again(wait_call *call, const mb_aws_result *last) {
  mb_loop *loop = call->base.aws->loop;
  mb_error error;
  if (call->options.on_look)
    call->options.on_look(call->looks, last->failed ? NULL : last->output, call->payload);
  if (call->looks >= call->options.max_attempts) {
    end_late(call, last, "");
    return;
  }
  int64_t at = mb_loop_now(loop) + (int64_t)(call->options.delay_seconds * (double)SECOND_NS);
  if (call->request.deadline_ns && at >= call->request.deadline_ns) {
    end_late(call, last, ", and the time given to the wait is used up");
    return;
  }
  call->timer = mb_loop_timer(loop, at, on_pause_over, call);
  if (!call->timer) {
    mb_error_memory(&error);
    end_failed(call, last, &error);
  }
}

static void end_hopeless(wait_call *call, const mb_aws_result *last, const ready_acceptor *ready) {
  mb_error error;
  const mb_model *model = call->request.model;
  if (last->failed)
    mb_error_set(&error, MB_ERROR_AWS, "WaiterFailed", "%s will not come about: %s: %s",
                 waiter_name(call), last->error.code, last->error.message);
  else
    mb_error_set(&error, MB_ERROR_AWS, "WaiterFailed", "%s will not come about: %s is %s",
                 waiter_name(call), mb_model_text(model, ready->acceptor->argument),
                 mb_model_text(model, ready->acceptor->expected));
  error.status = last->status;
  end_failed(call, last, &error);
}

static void on_looked(const mb_aws_result *result, void *payload) {
  wait_call *call = payload;
  const ready_acceptor *ready = NULL;
  mb_error error;
  call->attempts += result->attempts;
  /* Only what a service answered can be what the model means; a broken wire cannot. */
  bool answered = !result->failed || result->status != 0;
  if (answered && find_acceptor(call, result, &ready, &error) != 0)
    end_failed(call, result, &error);
  else if (ready && ready->acceptor->state == MB_ACCEPTOR_FAILURE)
    end_hopeless(call, result, ready);
  else if (ready && ready->acceptor->state == MB_ACCEPTOR_SUCCESS) {
    mb_aws_result success = *result;
    success.failed = false;
    end(call, &success);
  } else if (!ready && result->failed)
    end(call, result);
  else
    look_again(call, result);
}

static void look(wait_call *call) {
  mb_error error;
  mb_arena_free(call->look_arena);
  call->look_arena = mb_arena_new(0);
  if (!call->look_arena) {
    mb_error_memory(&error);
    end_failed(call, NULL, &error);
    return;
  }
  call->looks++;
  mb_aws_launch(call->base.aws, call->look_arena, &call->request, "B", on_looked, call,
                &call->look);
}

static void fill_options(wait_call *call, const mb_wait_options *options) {
  if (options)
    call->options = *options;
  if (!(call->options.delay_seconds > 0))
    call->options.delay_seconds = call->waiter->delay_seconds;
  if (call->options.delay_seconds > MAX_DELAY_SECONDS)
    call->options.delay_seconds = MAX_DELAY_SECONDS;
  if (call->options.max_attempts <= 0)
    call->options.max_attempts = (int)call->waiter->max_attempts;
}

mb_aws_call *mb_aws_start_wait(mb_aws *aws, mb_arena *arena, const mb_model *model,
                               const mb_waiter *waiter, const mb_aws_request *request,
                               const mb_wait_options *options, mb_aws_callback callback,
                               void *payload) {
  mb_error error;
  mb_aws_call *handle = NULL;
  wait_call *call = mb_alloc_zero(1, sizeof *call);
  mb_aws_request looked = *request;
  looked.model = model;
  looked.operation = mb_model_waiter_operation(model, waiter);
  if (!call) {
    mb_aws_refuse(&looked, NULL, callback, payload);
    return NULL;
  }
  mb_aws_call_link(&call->base, aws, &handle, dispose);
  call->arena = arena;
  call->request = looked;
  call->request.names = MB_NAMES_SNAKE; /* the model's expressions are written in them */
  call->waiter = waiter;
  call->callback = callback;
  call->payload = payload;
  fill_options(call, options);
  if (prepare_acceptors(call, &error) != 0)
    end_failed(call, NULL, &error);
  else
    look(call);
  if (handle)
    handle->owner = NULL; /* `handle` is this function's: the caller keeps the pointer now */
  return handle;
}
