/* The loop: what is due, and waiting for the next thing to be due. */
#include "base/memory.h"
#include "loop/internal.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

mb_loop *mb_loop_new(const mb_system *system, mb_error *error) {
  mb_loop *loop = mb_alloc_zero(1, sizeof *loop);
  if (!loop) {
    mb_error_memory(error);
    return NULL;
  }
  loop->system = *system;
  loop->wake_file = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (loop->wake_file < 0) {
    mb_error_set(error, MB_ERROR_IO, "NoDescriptor", "no descriptor for the event loop: %s",
                 strerror(errno));
    mb_error_next(error, "close some files or raise the limit (ulimit -n)");
    mb_free(loop);
    return NULL;
  }
  return loop;
}

void mb_loop_free(mb_loop *loop) {
  if (!loop) {
    return;
  }
  mb_transfer_free_all(loop);
  while (loop->timers.count > 0) {
    mb_timer_cancel(loop->timers.items[loop->timers.count - 1]);
  }
  mb_free(loop->timers.items);
  mb_courier_free(loop->courier);
  close(loop->wake_file);
  mb_free(loop);
}

const mb_system *mb_loop_system(const mb_loop *loop) {
  return &loop->system;
}

int64_t mb_loop_now(const mb_loop *loop) {
  return mb_monotonic_ns(&loop->system);
}

void mb_loop_get_counts(const mb_loop *loop, mb_loop_counts *out) {
  *out = loop->counts;
}

/* ---- waking ---- */

/* May run in a signal handler: touches nothing but the flag and the descriptor. */
void mb_loop_wake(mb_loop *loop) {
  int kept = errno;
  uint64_t one = 1;
  __atomic_store_n(&loop->woken, 1, __ATOMIC_SEQ_CST);
  /* Fails only when the counter is full, and then a wait ends just as well. */
  ssize_t written = write(loop->wake_file, &one, sizeof one);
  (void)written;
  errno = kept;
}

static bool take_wake(mb_loop *loop) {
  uint64_t count;
  if (!__atomic_exchange_n(&loop->woken, 0, __ATOMIC_SEQ_CST)) {
    return false;
  }
  ssize_t got = read(loop->wake_file, &count, sizeof count);
  (void)got;
  return true;
}

/* ---- waiting ---- */

/* Milliseconds from now until then, rounded up so as not to wake too early and spin. */
static int ms_until(mb_loop *loop, int64_t until) {
  if (until == INT64_MAX) {
    return -1;
  }
  int64_t now = mb_loop_now(loop);
  if (until <= now) {
    return 0;
  }
  int64_t ms = (until - now - 1) / 1000000 + 1;
  return ms > INT_MAX ? INT_MAX : (int)ms;
}

static void sleep_until(mb_loop *loop, int64_t until) {
  struct pollfd wake = {loop->wake_file, POLLIN, 0};
  poll(&wake, 1, ms_until(loop, until));
}

/* A transport that has nothing under way may still be the one that moves the clock; if it did not,
 * the clock is the real one and is slept on. */
static void wait_for_transport(mb_loop *loop, mb_transport *transport, int64_t until) {
  int64_t before = mb_loop_now(loop);
  bool busy = transport->wait(transport->payload, until);
  if (!busy && loop->finished.count == 0 && mb_loop_now(loop) == before && until > before) {
    sleep_until(loop, until);
  }
}

static void wait_until(mb_loop *loop, int64_t until) {
  if (loop->system.transport) {
    wait_for_transport(loop, loop->system.transport, until);
  } else if (loop->active.count > 0) {
    int timeout = ms_until(loop, until);
    mb_courier_wait(loop->courier, timeout < 0 ? INT_MAX : timeout);
  } else {
    sleep_until(loop, until);
  }
}

/* ---- delivering ---- */

static void fire_timer(mb_loop *loop, mb_timer *timer) {
  void (*fire)(void *payload) = timer->fire;
  void *payload = timer->payload;
  mb_timer_heap_remove(&loop->timers, timer);
  if (!timer->embedded) {
    mb_free(timer);
  }
  fire(payload);
}

/* Fires what is due, but nothing that was set meanwhile: a timer that sets itself again for the
 * same moment must not starve the rest. */
static bool fire_timers(mb_loop *loop) {
  bool fired = false;
  if (loop->timers.count == 0) {
    return false;
  }
  int64_t now = mb_loop_now(loop);
  uint64_t newest = loop->timers.sequence;
  while (loop->timers.count > 0) {
    mb_timer *next = loop->timers.items[0];
    if (next->at > now || next->sequence > newest) {
      break;
    }
    fired = true;
    fire_timer(loop, next);
  }
  return fired;
}

static bool deliver(mb_loop *loop) {
  bool any = false;
  /* As many as there are now: what the callbacks start and finish has its turn later. */
  for (size_t left = loop->finished.count; left > 0 && mb_transfer_deliver(loop); left--) {
    any = true;
  }
  return fire_timers(loop) || any;
}

static bool is_idle(const mb_loop *loop) {
  return loop->active.count == 0 && loop->finished.count == 0 && loop->timers.count == 0;
}

bool mb_loop_turn(mb_loop *loop, int64_t deadline_ns) {
  for (;;) {
    if (deliver(loop)) {
      return true;
    }
    if (deadline_ns == INT64_MAX && is_idle(loop)) {
      return false;
    }
    if (take_wake(loop)) {
      return true;
    }
    int64_t until = deadline_ns;
    if (loop->timers.count > 0 && loop->timers.items[0]->at < until) {
      until = loop->timers.items[0]->at;
    }
    bool passed = deadline_ns != INT64_MAX && deadline_ns <= mb_loop_now(loop);
    wait_until(loop, until);
    if (passed) {
      deliver(loop);
      return true;
    }
  }
}
