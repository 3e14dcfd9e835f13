/* One running primitive: checked arguments, the work under way, its result. The public half is in
 * moonbook/primitive.h. */
#ifndef MB_CALL_CALL_H
#define MB_CALL_CALL_H

#include "call/engine.h"

typedef struct mb_call_options {
  bool pages; /* follow every page of a listing and merge */
  bool blobs_are_base64;
  double timeout_seconds; /* 0: the engine's */
  /* Waits say where they stand ("attempt 3 of 40"); or NULL. Must not cancel the call. */
  void (*on_progress)(const char *message, void *payload);
  /* Called once when the call has ended, from mb_loop_turn or before mb_call_start returns. It has
   * failed when there is an error; a result beside it is an answer that was a success in part.
   * Both are valid until the callback returns; the call is gone afterwards. */
  void (*on_end)(mb_call *call, const mb_value *result, const mb_error *error, void *payload);
  void *payload;
} mb_call_options;

/* Checks the arguments against the declaration (unknown, missing, mistyped: USAGE, with the nearest
 * name). Nothing is changed: mb_call_start turns the text of durations into seconds. `args` may be
 * NULL for none. 0, or -1. */
int mb_call_check(mb_engine *engine, const mb_binding *binding, mb_arena *arena,
                  const mb_value *args, mb_error *error);

/* Marks the arguments that the service's model calls sensitive as secret, however they were given,
 * before anybody is told of the call. */
void mb_call_mark_secrets(mb_engine *engine, const mb_binding *binding, mb_value *args);

/* Starts a checked call in `arena`, which owns arguments and result and must live until on_end has
 * returned. NULL when it has already ended. Its deadline is the nearest of options' timeout (the
 * engine's when 0) and the call's own argument `timeout`; a wait has none but those two. */
mb_call *mb_call_start(mb_engine *engine, const mb_binding *binding, mb_arena *arena,
                       const mb_value *args, const mb_call_options *options);
void mb_call_cancel(mb_call *call); /* no on_end follows; the call is gone */

const mb_binding *mb_call_binding(const mb_call *call);
mb_engine *mb_call_engine(const mb_call *call);
/* The last attempt's request id ("" if none) and how many requests were sent; in on_end, where the
 * call may be NULL (memory ran out before there was one). */
const char *mb_call_request_id(const mb_call *call);
int mb_call_attempts(const mb_call *call);
/* Hosts that http.* may reach, NULL: any (the `moonbook call` command); set by the run. A list of
 * patterns: "example.com", "*.example.com", either with ":port". The list is borrowed until it is
 * replaced; an empty one allows nothing. */
void mb_engine_set_hosts(mb_engine *engine, const mb_value *hosts);
const mb_value *mb_engine_hosts(const mb_engine *engine);

/* ---- for primitives ---- */

/* Notes what mb_call_request_id and mb_call_attempts give. */
/* Ends a call whose answer was a success in part: the error, and the answer to look at. */
void mb_call_fail_in_part(mb_call *call, const mb_value *output, const mb_error *error);
void mb_call_set_trace(mb_call *call, const char *request_id, int attempts);
/* Tells whoever listens where a wait stands. */
void mb_call_progress(mb_call *call, const char *message);
const mb_call_options *mb_call_get_options(const mb_call *call);
const mb_value *mb_call_arguments(const mb_call *call); /* a map, or NULL */
int64_t mb_call_deadline(const mb_call *call);          /* monotonic ns, 0: none */

#endif
