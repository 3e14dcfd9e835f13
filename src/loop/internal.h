/* What the files of the loop share. */
#ifndef MB_LOOP_INTERNAL_H
#define MB_LOOP_INTERNAL_H

#include "loop/loop.h"

typedef struct mb_courier mb_courier; /* libcurl's side of the loop, courier.c */

struct mb_timer {
  mb_loop *loop;
  int64_t at;
  uint64_t sequence; /* of two timers for the same moment, the older fires first */
  size_t place;      /* in the heap */
  void (*fire)(void *payload);
  void *payload;
  bool embedded; /* part of a transfer, not to be freed */
};

typedef struct mb_timer_heap {
  mb_timer **items;
  size_t count, capacity;
  uint64_t sequence;
} mb_timer_heap;

/* 0, or -1 without memory. A timer taken out just before always fits again. */
int mb_timer_heap_add(mb_timer_heap *heap, mb_timer *timer);
void mb_timer_heap_remove(mb_timer_heap *heap, mb_timer *timer);

typedef enum transfer_state {
  TRANSFER_SPARE,   /* in the list of spare ones */
  TRANSFER_ACTIVE,  /* with libcurl or the transport */
  TRANSFER_FINISHED /* waits to be delivered */
} transfer_state;

struct mb_transfer {
  mb_loop *loop;
  mb_transfer *next, *previous; /* in the list of its state */
  transfer_state state;
  mb_arena *arena;
  const mb_http_request *request;
  mb_transfer_options options; /* with the defaults filled in */
  mb_transfer_callback callback;
  void *payload;
  mb_transfer_result result;
  mb_timer timer; /* for the deadline and for silence, whichever is nearer */
  bool timer_set;
  int64_t last_activity; /* monotonic ns */
  void *courier;         /* libcurl's part, kept while the transfer is spare */
};

typedef struct mb_transfer_list {
  mb_transfer *first, *last;
  size_t count;
} mb_transfer_list;

struct mb_loop {
  mb_system system;
  mb_timer_heap timers;
  mb_transfer_list active, finished, spare;
  mb_courier *courier; /* made by the first transfer that needs it */
  mb_loop_counts counts;
  int wake_file;
  int woken; /* touched by other threads and signal handlers: __atomic_* only */
};

/* transfer.c */
void mb_transfer_list_add(mb_transfer_list *list, mb_transfer *transfer);
void mb_transfer_list_remove(mb_transfer_list *list, mb_transfer *transfer);
bool mb_transfer_deliver(mb_loop *loop); /* one finished transfer; false when there is none */
/* Ends a transfer whose result is filled in. */
void mb_transfer_conclude(mb_transfer *transfer);
void mb_transfer_free_all(mb_loop *loop);

/* courier.c */
mb_courier *mb_courier_new(mb_loop *loop, mb_error *error);
void mb_courier_free(mb_courier *courier);
int mb_courier_start(mb_courier *courier, mb_transfer *transfer, mb_error *error);
/* Takes a transfer back from libcurl and records what it came to; its result is untouched. */
void mb_courier_stop(mb_courier *courier, mb_transfer *transfer);
/* True when bytes came or went since the last time this was asked. */
bool mb_courier_moved(mb_courier *courier, mb_transfer *transfer);
/* Waits until something happens, at most `timeout_ms`, and concludes what has ended. */
void mb_courier_wait(mb_courier *courier, int timeout_ms);
void mb_courier_release(mb_courier *courier, mb_transfer *transfer); /* frees its part for good */

#endif
