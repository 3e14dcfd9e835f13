/* An allocation-failure sweep: runs a function again and again, each time with the next allocation
 * refused, until it runs through without a refusal. Each time everything it took must be given
 * back. Only the library's memory counts; a test's own malloc is left alone. */
#ifndef TESTS_SUPPORT_SWEEP_H
#define TESTS_SUPPORT_SWEEP_H

#include <moonbook/host.h>
#include <stdbool.h>
#include <stdlib.h>

typedef struct sweep {
  long until_refusal; /* allocations that still succeed; below 0: all */
  long live;          /* blocks given and not yet returned */
  bool refused;
} sweep;

static inline void *sweep_reallocate(void *payload, void *pointer, size_t size) {
  sweep *of = payload;
  if (size == 0) {
    of->live -= pointer != NULL;
    free(pointer);
    return NULL;
  }
  if (of->until_refusal == 0) {
    of->refused = true;
    return NULL; /* and so for all that follow */
  }
  if (of->until_refusal > 0)
    of->until_refusal--;
  void *made = realloc(pointer, size);
  if (made && !pointer)
    of->live++;
  return made;
}

/* Returns how many runs it took, or -1 when a run left memory behind. */
static inline long sweep_run(void (*body)(void *payload), void *payload) {
  for (long n = 0;; n++) {
    sweep state = {.until_refusal = n};
    mb_allocator hook = {.payload = &state, .reallocate = sweep_reallocate};
    mb_set_allocator(&hook);
    body(payload);
    mb_set_allocator(NULL);
    if (state.live != 0)
      return -1;
    if (!state.refused)
      return n + 1;
  }
}

#endif
