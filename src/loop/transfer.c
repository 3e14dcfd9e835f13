/* Transfers, whoever carries them: starting, deadlines, delivery, cancelling. */
#include "base/memory.h"
#include "loop/internal.h"
#include "loop/trouble.h"

#include <stdint.h>
#include <string.h>

enum { SPARE_LIMIT = 256 };

/* ---- lists ---- */

void mb_transfer_list_add(mb_transfer_list *list, mb_transfer *transfer) {
  transfer->next = NULL;
  transfer->previous = list->last;
  if (list->last) {
    list->last->next = transfer;
  } else {
    list->first = transfer;
  }
  list->last = transfer;
  list->count++;
}

void mb_transfer_list_remove(mb_transfer_list *list, mb_transfer *transfer) {
  if (transfer->previous) {
    transfer->previous->next = transfer->next;
  } else {
    list->first = transfer->next;
  }
  if (transfer->next) {
    transfer->next->previous = transfer->previous;
  } else {
    list->last = transfer->previous;
  }
  list->count--;
}

/* ---- life ---- */

static void free_transfer(mb_loop *loop, mb_transfer *transfer) {
  if (loop->courier) {
    mb_courier_release(loop->courier, transfer);
  }
  mb_free(transfer);
}

/* Takes a spare one, which brings its libcurl handle along, or makes one. */
static mb_transfer *take_transfer(mb_loop *loop) {
  mb_transfer *transfer = loop->spare.last;
  if (transfer) {
    mb_transfer_list_remove(&loop->spare, transfer);
    return transfer;
  }
  transfer = mb_alloc_zero(1, sizeof *transfer);
  if (transfer) {
    transfer->loop = loop;
  }
  return transfer;
}

static void put_back(mb_transfer *transfer) {
  mb_loop *loop = transfer->loop;
  if (loop->spare.count >= SPARE_LIMIT) {
    free_transfer(loop, transfer);
    return;
  }
  transfer->state = TRANSFER_SPARE;
  mb_transfer_list_add(&loop->spare, transfer);
}

static void free_list(mb_loop *loop, mb_transfer_list *list) {
  while (list->first) {
    mb_transfer *transfer = list->first;
    mb_transfer_list_remove(list, transfer);
    free_transfer(loop, transfer);
  }
}

void mb_transfer_free_all(mb_loop *loop) {
  while (loop->active.first) {
    mb_transfer_cancel(loop->active.first);
  }
  while (loop->finished.first) {
    mb_transfer_cancel(loop->finished.first);
  }
  free_list(loop, &loop->spare);
}

/* ---- deadlines ---- */

static void clear_timer(mb_transfer *transfer) {
  if (transfer->timer_set) {
    mb_timer_heap_remove(&transfer->loop->timers, &transfer->timer);
    transfer->timer_set = false;
  }
}

static int64_t add_ms(int64_t ns, int64_t ms) {
  return ms > (INT64_MAX - ns) / 1000000 ? INT64_MAX : ns + ms * 1000000;
}

static int set_timer(mb_transfer *transfer) {
  int64_t silent = add_ms(transfer->last_activity, transfer->options.idle_timeout_ms);
  int64_t deadline = transfer->options.deadline_ns;
  transfer->timer.at = deadline != 0 && deadline < silent ? deadline : silent;
  if (mb_timer_heap_add(&transfer->loop->timers, &transfer->timer) != 0) {
    return -1;
  }
  transfer->timer_set = true;
  return 0;
}

/* Stops whoever carries the transfer. */
static void stop(mb_transfer *transfer) {
  mb_loop *loop = transfer->loop;
  if (loop->system.transport) {
    loop->system.transport->cancel(loop->system.transport->payload, transfer);
    transfer->result.sent = true; /* a transport does not say */
  } else {
    mb_courier_stop(loop->courier, transfer);
  }
}

static void fail_late(mb_transfer *transfer, bool deadline) {
  mb_error *error = &transfer->result.error;
  char place[MB_PLACE_SIZE];
  mb_url_place(transfer->request->url, place);
  stop(transfer);
  if (deadline) {
    mb_error_set(error, MB_ERROR_TIMEOUT, "DeadlinePassed",
                 "no complete answer from %s before the deadline", place);
  } else {
    mb_error_set(error, MB_ERROR_TIMEOUT, "NoAnswer", "%s was silent for %.1f seconds", place,
                 (double)transfer->options.idle_timeout_ms / 1000);
    error->retryable = true;
  }
  transfer->result.failed = -1;
  mb_transfer_conclude(transfer);
}

static void timer_fired(void *payload) {
  mb_transfer *transfer = payload;
  mb_loop *loop = transfer->loop;
  int64_t now = mb_loop_now(loop);
  transfer->timer_set = false;
  bool deadline = transfer->options.deadline_ns != 0 && now >= transfer->options.deadline_ns;
  if (!deadline && loop->courier && mb_courier_moved(loop->courier, transfer)) {
    transfer->last_activity = now;
  }
  bool silent = now >= add_ms(transfer->last_activity, transfer->options.idle_timeout_ms);
  if (deadline || silent) {
    fail_late(transfer, deadline);
  } else if (set_timer(transfer) != 0) {
    stop(transfer);
    transfer->result.failed = mb_error_memory(&transfer->result.error);
    mb_transfer_conclude(transfer);
  }
}

/* ---- starting ---- */

static void fill_options(mb_transfer_options *out, const mb_transfer_options *given) {
  *out = given ? *given : (mb_transfer_options){0};
  if (out->connect_timeout_ms <= 0) {
    out->connect_timeout_ms = 3100;
  }
  if (out->idle_timeout_ms <= 0) {
    out->idle_timeout_ms = 60000;
  }
  if (out->response_limit == 0) {
    out->response_limit = (size_t)64 * 1024 * 1024;
  }
}

/* Hands the transfer over. A transport that refuses ends it, which is told from the next turn. */
static int hand_over(mb_transfer *transfer, mb_error *error) {
  mb_loop *loop = transfer->loop;
  mb_transport *transport = loop->system.transport;
  if (transport) {
    if (transport->start(transport->payload, transfer, transfer->request) != 0 &&
        transfer->state == TRANSFER_ACTIVE) {
      transfer->result.failed = mb_error_set(&transfer->result.error, MB_ERROR_NETWORK, "NotSent",
                                             "the transport refused the request");
      mb_transfer_conclude(transfer);
    }
    return 0;
  }
  if (!loop->courier) {
    loop->courier = mb_courier_new(loop, error);
  }
  return loop->courier ? mb_courier_start(loop->courier, transfer, error) : -1;
}

mb_transfer *mb_loop_transfer(mb_loop *loop, mb_arena *arena, const mb_http_request *request,
                              const mb_transfer_options *options, mb_transfer_callback callback,
                              void *payload, mb_error *error) {
  mb_transfer *transfer = take_transfer(loop);
  if (!transfer) {
    mb_error_memory(error);
    return NULL;
  }
  transfer->arena = arena;
  transfer->request = request;
  fill_options(&transfer->options, options);
  transfer->callback = callback;
  transfer->payload = payload;
  memset(&transfer->result, 0, sizeof transfer->result);
  transfer->result.response.body = "";
  transfer->timer =
      (mb_timer){.loop = loop, .fire = timer_fired, .payload = transfer, .embedded = true};
  transfer->last_activity = mb_loop_now(loop);
  if (set_timer(transfer) != 0) {
    put_back(transfer);
    mb_error_memory(error);
    return NULL;
  }
  transfer->state = TRANSFER_ACTIVE;
  mb_transfer_list_add(&loop->active, transfer);
  if (hand_over(transfer, error) != 0) {
    mb_transfer_list_remove(&loop->active, transfer);
    clear_timer(transfer);
    put_back(transfer);
    return NULL;
  }
  loop->counts.requests++;
  return transfer;
}

/* ---- ending ---- */

void mb_transfer_conclude(mb_transfer *transfer) {
  mb_loop *loop = transfer->loop;
  clear_timer(transfer);
  mb_transfer_list_remove(&loop->active, transfer);
  transfer->state = TRANSFER_FINISHED;
  mb_transfer_list_add(&loop->finished, transfer);
}

bool mb_transfer_deliver(mb_loop *loop) {
  mb_transfer *transfer = loop->finished.first;
  if (!transfer) {
    return false;
  }
  mb_transfer_list_remove(&loop->finished, transfer);
  transfer->callback(&transfer->result, transfer->payload);
  put_back(transfer);
  return true;
}

void mb_transfer_cancel(mb_transfer *transfer) {
  mb_loop *loop = transfer->loop;
  if (transfer->state == TRANSFER_FINISHED) {
    mb_transfer_list_remove(&loop->finished, transfer);
  } else {
    stop(transfer);
    clear_timer(transfer);
    mb_transfer_list_remove(&loop->active, transfer);
  }
  put_back(transfer);
}

void mb_transfer_finish(mb_transfer *transfer, const mb_transfer_result *result) {
  transfer->result = *result;
  mb_http_response *response = &transfer->result.response;
  if (!response->body) {
    response->body = "";
    response->body_size = 0;
  }
  if (!result->failed && response->body_size > transfer->options.response_limit) {
    if (transfer->options.cut_response) {
      response->body_size = transfer->options.response_limit;
      transfer->result.cut = true;
    } else {
      transfer->result.failed =
          mb_error_set(&transfer->result.error, MB_ERROR_LIMIT, "AnswerTooLarge",
                       "the answer is larger than %zu bytes", transfer->options.response_limit);
    }
  }
  mb_transfer_conclude(transfer);
}

mb_arena *mb_transfer_arena(mb_transfer *transfer) {
  return transfer->arena;
}
