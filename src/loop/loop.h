/* The event loop: transfers, timers, child processes. One thread, callbacks from mb_loop_turn only.
 *
 * Nothing here blocks but mb_loop_turn, and that only until the next thing happens. With a fake
 * transport and clock the same loop runs in virtual time: the transport's `wait` moves the clock.
 */
#ifndef MB_LOOP_LOOP_H
#define MB_LOOP_LOOP_H

#include "base/system.h"
#include "loop/http.h"

typedef struct mb_loop mb_loop;
typedef struct mb_transfer mb_transfer;
typedef struct mb_timer mb_timer;

/* `system` is borrowed (and complete: mb_system_complete). libcurl is loaded by the first transfer,
 * not here. */
mb_loop *mb_loop_new(const mb_system *system, mb_error *error);
void mb_loop_free(mb_loop *loop); /* cancels what is under way, without callbacks */
const mb_system *mb_loop_system(const mb_loop *loop);
int64_t mb_loop_now(const mb_loop *loop); /* monotonic ns */

/* Waits for and delivers at least one event, or returns when `deadline_ns` (monotonic; INT64_MAX:
 * never) passes or mb_loop_wake is called. Returns false when nothing is under way at all and the
 * deadline is INT64_MAX. */
bool mb_loop_turn(mb_loop *loop, int64_t deadline_ns);
/* Makes a waiting mb_loop_turn return; safe in a signal handler and from other threads. */
void mb_loop_wake(mb_loop *loop);

/* ---- timers ---- */
mb_timer *mb_loop_timer(mb_loop *loop, int64_t at_ns, void (*fire)(void *payload), void *payload);
void mb_timer_cancel(mb_timer *timer); /* NULL is allowed; not after it fired */

/* ---- transfers ---- */
typedef struct mb_transfer_options {
  int64_t connect_timeout_ms; /* 0: 3100 (spec/aws-client.md 2.5, defaults_mode standard) */
  int64_t idle_timeout_ms;    /* no byte in either direction for so long; 0: 60000 */
  int64_t deadline_ns;        /* monotonic; 0: none */
  size_t response_limit;      /* bytes of body; 0: 64 MiB. More ends the transfer with an error. */
  bool no_proxy;              /* metadata and container endpoints never go through a proxy */
  bool follow_redirects;      /* never with credentials; default off */
  bool cut_response; /* a body over the limit ends the transfer well, with `cut` in the result */
  bool refuse_link_local; /* never connects to 169.254.0.0/16, fe80::/10 or fd00:ec2::/32, whatever
                             a name resolves to: REFUSED, "AddressRefused" (spec/sandbox.md 83) */
  const char *ca_bundle;  /* file, or NULL: SSL_CERT_FILE, the hashed directory, the bundle */
} mb_transfer_options;

/* What a transfer came to. On failure `error` is NETWORK, TIMEOUT, LIMIT or MEMORY with what was
 * tried ("connection refused by 127.0.0.1:4566"); `sent` says whether a byte may have left. */
typedef struct mb_transfer_result {
  int failed;
  mb_error error;
  bool sent;
  bool cut;                  /* the body is longer than what is here (cut_response) */
  mb_http_response response; /* lives in the arena given to mb_loop_transfer */
} mb_transfer_result;

typedef void (*mb_transfer_callback)(const mb_transfer_result *result, void *payload);

/* Starts an exchange. `request` and `options` must stay valid until it ends. Returns NULL only when
 * memory has run out or libcurl cannot be loaded (see error); otherwise the callback is called
 * exactly once, from mb_loop_turn, unless the transfer is cancelled before. */
mb_transfer *mb_loop_transfer(mb_loop *loop, mb_arena *arena, const mb_http_request *request,
                              const mb_transfer_options *options, mb_transfer_callback callback,
                              void *payload, mb_error *error);
void mb_transfer_cancel(mb_transfer *transfer); /* no callback follows; the transfer is gone */

/* ---- counts, for tests that guard what must not vary ---- */
typedef struct mb_loop_counts {
  uint64_t requests;    /* transfers started */
  uint64_t connections; /* opened */
  uint64_t resent;      /* requests libcurl repeated by itself on a dead connection */
} mb_loop_counts;
void mb_loop_get_counts(const mb_loop *loop, mb_loop_counts *out);

/* How requests travel, when not by libcurl: tests, and the simulator in process. */
typedef struct mb_transport mb_transport;
struct mb_transport {
  void *payload;
  /* Takes a request; answers later from `wait` through mb_transfer_finish. 0, or -1. */
  int (*start)(void *payload, mb_transfer *transfer, const mb_http_request *request);
  void (*cancel)(void *payload, mb_transfer *transfer);
  /* Called when the loop has nothing else to do: delivers answers, or moves the clock to
   * `until_ns` (INT64_MAX: there is no timer). Returns false when it has nothing under way. */
  bool (*wait)(void *payload, int64_t until_ns);
};
/* For transports: ends a transfer; `result` is copied, its response must live in
 * mb_transfer_arena. */
void mb_transfer_finish(mb_transfer *transfer, const mb_transfer_result *result);
mb_arena *mb_transfer_arena(mb_transfer *transfer);

#endif
