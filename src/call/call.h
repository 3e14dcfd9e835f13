/* One running primitive: checked arguments, the work under way, its result. The public half is in
 * moonbook/primitive.h. */
#ifndef MB_CALL_CALL_H
#define MB_CALL_CALL_H

#include "call/engine.h"

typedef struct mb_call_options {
  bool pages;           /* follow every page of a listing and merge */
  bool blobs_are_base64;
  double timeout_seconds; /* 0: the engine's */
  void (*on_progress)(const char *message, void *payload); /* waits say where they stand; or NULL */
  /* Called once when the call has ended, from mb_loop_turn or before mb_call_start returns. The
   * result or error is valid until the callback returns; the call is gone afterwards. */
  void (*on_end)(mb_call *call, const mb_value *result, const mb_error *error, void *payload);
  void *payload;
} mb_call_options;

/* Checks the arguments against the declaration (unknown, missing, mistyped: USAGE, with the nearest
 * name). Converts durations. 0, or -1. */
int mb_call_check(mb_engine *engine, const mb_binding *binding, mb_arena *arena,
                  const mb_value *args, mb_error *error);

/* Starts a checked call in `arena`, which owns arguments and result and must live until on_end has
 * returned. NULL when it has already ended. */
mb_call *mb_call_start(mb_engine *engine, const mb_binding *binding, mb_arena *arena,
                       const mb_value *args, const mb_call_options *options);
void mb_call_cancel(mb_call *call); /* no on_end follows; the call is gone */

const mb_binding *mb_call_binding(const mb_call *call);
mb_engine *mb_call_engine(const mb_call *call);
/* The last attempt's request id ("" if none) and how many requests were sent; in on_end. */
const char *mb_call_request_id(const mb_call *call);
int mb_call_attempts(const mb_call *call);
/* Hosts that http.* may reach, NULL: any (the `moonbook call` command); set by the run. A list of
 * patterns: "example.com", "*.example.com". */
void mb_engine_set_hosts(mb_engine *engine, const mb_value *hosts);

#endif
