/* Timers: a binary heap in which the next to fire is first. */
#include "base/memory.h"
#include "loop/internal.h"

#include <stdint.h>

static bool is_before(const mb_timer *a, const mb_timer *b) {
  return a->at != b->at ? a->at < b->at : a->sequence < b->sequence;
}

static void put(mb_timer_heap *heap, size_t place, mb_timer *timer) {
  heap->items[place] = timer;
  timer->place = place;
}

static void sift_up(mb_timer_heap *heap, size_t place, mb_timer *timer) {
  while (place > 0) {
    size_t parent = (place - 1) / 2;
    if (!is_before(timer, heap->items[parent])) {
      break;
    }
    put(heap, place, heap->items[parent]);
    place = parent;
  }
  put(heap, place, timer);
}

static void sift_down(mb_timer_heap *heap, size_t place, mb_timer *timer) {
  for (;;) {
    size_t child = place * 2 + 1;
    if (child >= heap->count) {
      break;
    }
    if (child + 1 < heap->count && is_before(heap->items[child + 1], heap->items[child])) {
      child++;
    }
    if (!is_before(heap->items[child], timer)) {
      break;
    }
    put(heap, place, heap->items[child]);
    place = child;
  }
  put(heap, place, timer);
}

int mb_timer_heap_add(mb_timer_heap *heap, mb_timer *timer) {
  if (heap->count == heap->capacity) {
    size_t capacity = heap->capacity ? heap->capacity * 2 : 16;
    if (capacity > SIZE_MAX / 2 / sizeof *heap->items) {
      return -1;
    }
    mb_timer **items = mb_realloc(heap->items, capacity * sizeof *items);
    if (!items) {
      return -1;
    }
    heap->items = items;
    heap->capacity = capacity;
  }
  timer->sequence = ++heap->sequence;
  heap->count++;
  sift_up(heap, heap->count - 1, timer);
  return 0;
}

void mb_timer_heap_remove(mb_timer_heap *heap, mb_timer *timer) {
  size_t place = timer->place;
  mb_timer *last = heap->items[--heap->count];
  if (last == timer) {
    return;
  }
  if (place > 0 && is_before(last, heap->items[(place - 1) / 2])) {
    sift_up(heap, place, last);
  } else {
    sift_down(heap, place, last);
  }
}

mb_timer *mb_loop_timer(mb_loop *loop, int64_t at_ns, void (*fire)(void *payload), void *payload) {
  mb_timer *timer = mb_alloc(sizeof *timer);
  if (!timer) {
    return NULL;
  }
  *timer = (mb_timer){.loop = loop, .at = at_ns, .fire = fire, .payload = payload};
  if (mb_timer_heap_add(&loop->timers, timer) != 0) {
    mb_free(timer);
    return NULL;
  }
  return timer;
}

void mb_timer_cancel(mb_timer *timer) {
  if (timer) {
    mb_timer_heap_remove(&timer->loop->timers, timer);
    mb_free(timer);
  }
}
