/* What every unit test needs: cmocka, and an allocator that fails on demand. */
#ifndef TESTS_UNIT_CHECK_H
#define TESTS_UNIT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <moonbook/host.h>

/* Allocations left before one fails; negative: none fails. */
static inline long *failing_allocations_left(void) {
  static long left = -1;
  return &left;
}

static inline void *failing_reallocate(void *payload, void *pointer, size_t size) {
  long *left = payload;
  if (size == 0) {
    free(pointer);
    return NULL;
  }
  if (*left == 0) {
    return NULL;
  }
  if (*left > 0) {
    --*left;
  }
  return realloc(pointer, size);
}

/* Runs `work` with the first allocation failing, then the second, and so on, until it succeeds
 * with none having failed. `work` returns 0 on success and must release whatever it got. From the
 * one that fails, every later one fails too. */
static inline void check_allocation_failures(int (*work)(void *payload), void *payload) {
  long *left = failing_allocations_left();
  mb_allocator allocator = {left, failing_reallocate};
  mb_set_allocator(&allocator);
  long number = 0;
  int result = -1;
  while (result != 0) {
    assert_true(number < 100000);
    *left = number++;
    result = work(payload);
  }
  *left = -1;
  mb_set_allocator(NULL);
  assert_true(number > 1);
}

/* Runs `work` with `payload` pointing at a size_t, the limit of the arena it is to make: first a
 * tiny one, then larger ones, until it succeeds. Reaches allocations that share a chunk. */
static inline void check_arena_limits(int (*work)(void *payload)) {
  int result = -1;
  size_t limit = 1;
  for (; result != 0; limit += 64) {
    assert_true(limit < 64u * 1024 * 1024);
    result = work(&limit);
  }
  assert_true(limit > 65);
}

#endif
