/* The life of one call: started, under way, ended once.
 *
 * A primitive that leaves work under way must be able to stop it. One that cannot is told so at
 * once: its call ends with an error and stays behind without its caller, with a small arena of its
 * own, until the primitive ends it; that late answer is dropped. */
#include "call/call.h"

#include "base/arena.h"
#include "base/memory.h"
#include "base/text.h"
#include "call/arguments.h"
#include "call/registry.h"
#include <string.h>

#define SPARE_LIMIT ((size_t)16 << 20) /* what a call without a caller may still build */

struct mb_call {
  mb_engine *engine;
  const mb_binding *binding;
  mb_arena *arena;
  const mb_value *args;
  mb_call_options options;
  void *state;
  void (*release)(void *state);
  mb_timer *timer;
  int64_t started_ns, deadline_ns;
  char request_id[96];
  int attempts;
  bool starting; /* inside the primitive's start */
  bool ended;    /* result or error is settled; whatever comes later is ignored */
  bool left;     /* nobody waits for it any more */
  bool failed;
  mb_arena *spare; /* where a call that was left goes on building */
  const mb_value *result;
  mb_call *previous, *next;
  mb_error error; /* last: the rest is what is touched often */
};

/* ---- the list of calls ---- */

static void link_call(mb_call *call) {
  mb_call **head = &call->engine->registry->calls;
  call->next = *head;
  if (*head)
    (*head)->previous = call;
  *head = call;
}

static void unlink_call(mb_call *call) {
  if (call->next)
    call->next->previous = call->previous;
  if (call->previous)
    call->previous->next = call->next;
  else
    call->engine->registry->calls = call->next;
  call->next = call->previous = NULL;
}

/* ---- endings ---- */

static void release_state(mb_call *call) {
  void (*release)(void *) = call->release;
  void *state = call->state;
  call->release = NULL;
  call->state = NULL;
  if (release)
    release(state);
}

static void free_call(mb_call *call) {
  unlink_call(call);
  mb_timer_cancel(call->timer);
  release_state(call);
  mb_arena_free(call->spare);
  mb_free(call);
}

static void tell_end(mb_call *call) {
  if (call->options.on_end)
    call->options.on_end(call, call->result, call->failed ? &call->error : NULL,
                         call->options.payload);
}

/* The state goes first: it may lie in the caller's arena, which on_end may be the end of. */
static void finish_call(mb_call *call) {
  mb_timer_cancel(call->timer);
  call->timer = NULL;
  release_state(call);
  tell_end(call);
  free_call(call);
}

/* Stops the primitive's work. A primitive that ends the call while it is being cancelled is not
 * heard. */
static void stop_work(mb_call *call) {
  call->ended = true;
  if (call->binding->primitive.cancel)
    call->binding->primitive.cancel(call, call->binding->payload);
}

/* Ends a call whose work was stopped with the error in `call->error`. */
static void finish_stopped(mb_call *call) {
  call->failed = true;
  mb_text_copy(call->error.operation, sizeof call->error.operation, call->binding->primitive.name);
  finish_call(call);
}

/* Ends a call that nobody could ever stop, and cuts it off from its caller, whose arena may be gone
 * in a moment. */
static void leave_call(mb_call *call) {
  call->ended = call->failed = true;
  mb_error_set(&call->error, MB_ERROR_INTERNAL, "NotCancellable",
               "%s left work under way although it has no cancel function",
               call->binding->primitive.name);
  mb_error_next(&call->error, "give its declaration a cancel function, or end the call in start");
  tell_end(call);
  call->left = true;
  call->args = NULL;
  call->arena = call->spare = mb_arena_new(SPARE_LIMIT);
  memset(&call->options, 0, sizeof call->options);
}

static void settle(mb_call *call, const mb_value *result, const mb_error *error) {
  if (call->left) {
    free_call(call);
    return;
  }
  if (call->ended)
    return;
  call->ended = true;
  call->result = result;
  call->failed = error != NULL;
  if (error) {
    call->error = *error;
    if (!call->error.operation[0])
      mb_text_copy(call->error.operation, sizeof call->error.operation,
                   call->binding->primitive.name);
  }
  if (!call->starting)
    finish_call(call);
}

void mb_call_succeed(mb_call *call, const mb_value *result) {
  settle(call, result, NULL);
}

void mb_call_fail(mb_call *call, const mb_error *error) {
  settle(call, NULL, error);
}

void mb_call_fail_in_part(mb_call *call, const mb_value *output, const mb_error *error) {
  settle(call, output, error);
}

/* ---- deadlines ---- */

static void deadline_passed(void *payload) {
  mb_call *call = payload;
  call->timer = NULL; /* it has fired */
  stop_work(call);
  double seconds = (double)(call->deadline_ns - call->started_ns) / 1e9;
  mb_error_set(&call->error, MB_ERROR_TIMEOUT, "DeadlineExceeded",
               "%s did not finish within %g seconds", call->binding->primitive.name, seconds);
  mb_error_next(&call->error, "try again, or give it more time");
  call->error.retryable = call->binding->primitive.effect == MB_EFFECT_READS;
  finish_stopped(call);
}

static double own_timeout(const mb_call *call) {
  const mb_argument *argument = mb_arguments_find(&call->binding->primitive, "timeout");
  if (!argument || argument->type != MB_ARGUMENT_DURATION)
    return 0;
  return mb_value_number(mb_map_get(call->args, "timeout"));
}

static void set_deadline(mb_call *call) {
  double own = call->binding->operation ? 0 : own_timeout(call);
  double seconds = call->options.timeout_seconds;
  if (own > 0 && (seconds <= 0 || own < seconds))
    seconds = own;
  if (seconds <= 0 && call->binding->primitive.recovery != MB_RECOVERY_WAIT)
    seconds = call->engine->call_timeout_seconds;
  call->started_ns = mb_loop_now(call->engine->loop);
  if (seconds > MB_LONGEST_SECONDS)
    seconds = MB_LONGEST_SECONDS;
  if (seconds > 0)
    call->deadline_ns = call->started_ns + (int64_t)(seconds * 1e9);
}

/* False when memory has run out. The client keeps the deadline of operations itself, and says more
 * about it than we could. */
static bool watch_deadline(mb_call *call) {
  if (call->deadline_ns == 0 || call->binding->operation)
    return true;
  call->timer = mb_loop_timer(call->engine->loop, call->deadline_ns, deadline_passed, call);
  return call->timer != NULL;
}

/* ---- starting and cancelling ---- */

static mb_call *make_call(mb_engine *engine, const mb_binding *binding, mb_arena *arena,
                          const mb_value *args, const mb_call_options *options) {
  mb_call *call = mb_alloc_zero(1, sizeof *call);
  if (!call)
    return NULL;
  call->engine = engine;
  call->binding = binding;
  call->arena = arena;
  if (options)
    call->options = *options;
  if (mb_arguments_convert(arena, &binding->primitive, args, &call->args) != 0) {
    mb_free(call);
    return NULL;
  }
  link_call(call);
  return call;
}

mb_call *mb_call_start(mb_engine *engine, const mb_binding *binding, mb_arena *arena,
                       const mb_value *args, const mb_call_options *options) {
  mb_call *call = make_call(engine, binding, arena, args, options);
  if (!call) {
    mb_error error;
    mb_error_memory(&error);
    if (options && options->on_end)
      options->on_end(NULL, NULL, &error, options->payload);
    return NULL;
  }
  set_deadline(call);
  call->starting = true;
  binding->primitive.start(call, binding->payload);
  call->starting = false;
  if (call->ended) {
    finish_call(call);
    return NULL;
  }
  if (!binding->primitive.cancel) {
    leave_call(call);
    return NULL;
  }
  if (watch_deadline(call))
    return call;
  stop_work(call);
  mb_error_memory(&call->error);
  finish_stopped(call);
  return NULL;
}

void mb_call_cancel(mb_call *call) {
  if (!call || call->ended)
    return;
  stop_work(call);
  free_call(call);
}

void mb_calls_drop(struct mb_registry *registry) {
  while (registry->calls) {
    mb_call *call = registry->calls;
    if (!call->left)
      stop_work(call);
    free_call(call);
  }
}

/* ---- what a call knows ---- */

const mb_value *mb_call_argument(const mb_call *call, const char *name) {
  const mb_value *value = mb_map_get(call->args, name);
  return mb_value_type(value) == MB_TYPE_NULL ? NULL : value;
}

const mb_value *mb_call_arguments(const mb_call *call) {
  return call->args;
}

mb_arena *mb_call_arena(mb_call *call) {
  return call->arena;
}

void mb_call_set_state(mb_call *call, void *state, void (*release)(void *state)) {
  if (call->state != state)
    release_state(call);
  call->state = state;
  call->release = release;
}

void *mb_call_state(const mb_call *call) {
  return call->state;
}

const mb_binding *mb_call_binding(const mb_call *call) {
  return call->binding;
}

mb_engine *mb_call_engine(const mb_call *call) {
  return call->engine;
}

const mb_call_options *mb_call_get_options(const mb_call *call) {
  return &call->options;
}

int64_t mb_call_deadline(const mb_call *call) {
  return call->deadline_ns;
}

const char *mb_call_request_id(const mb_call *call) {
  return call ? call->request_id : "";
}

int mb_call_attempts(const mb_call *call) {
  return call ? call->attempts : 0;
}

void mb_call_set_trace(mb_call *call, const char *request_id, int attempts) {
  mb_text_copy(call->request_id, sizeof call->request_id, request_id ? request_id : "");
  call->attempts = attempts;
}

void mb_call_progress(mb_call *call, const char *message) {
  if (call->options.on_progress && !call->ended)
    call->options.on_progress(message, call->options.payload);
}

void mb_engine_set_hosts(mb_engine *engine, const mb_value *hosts) {
  engine->registry->hosts = hosts;
}

const mb_value *mb_engine_hosts(const mb_engine *engine) {
  return engine->registry->hosts;
}
