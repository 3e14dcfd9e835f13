/* Arenas and buffers. */
#include "base/arena.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "unit/check.h"

#include <malloc.h>

static void allocations_are_aligned_and_apart(void **state) {
  mb_arena *arena = mb_arena_new(0);
  char *before = NULL;
  (void)state;
  for (size_t size = 0; size < 3000; size += 7) {
    char *at = mb_arena_alloc(arena, size);
    assert_non_null(at);
    assert_int_equal((uintptr_t)at % _Alignof(max_align_t), 0);
    assert_ptr_not_equal(at, before);
    memset(at, 0xaa, size);
    before = at;
  }
  mb_arena_free(arena);
}

static void limit_is_kept(void **state) {
  mb_arena *arena = mb_arena_new(1000);
  (void)state;
  assert_non_null(mb_arena_alloc(arena, 600));
  assert_null(mb_arena_alloc(arena, 600));
  assert_non_null(mb_arena_alloc(arena, 300));
  assert_true(mb_arena_used(arena) <= 1000);
  assert_null(mb_arena_alloc(arena, SIZE_MAX));
  assert_null(mb_arena_alloc(arena, SIZE_MAX - 8));
  mb_arena_free(arena);
}

static void newest_grows_in_place_and_others_move(void **state) {
  mb_arena *arena = mb_arena_new(0);
  (void)state;
  char *first = mb_arena_alloc(arena, 16);
  memcpy(first, "0123456789abcdef", 16);
  assert_ptr_equal(mb_arena_grow(arena, first, 16, 64), first);
  char *second = mb_arena_strdup(arena, "second");
  char *moved = mb_arena_grow(arena, first, 64, 128);
  assert_ptr_not_equal(moved, first);
  assert_memory_equal(moved, "0123456789abcdef", 16);
  assert_string_equal(second, "second");
  mb_arena_free(arena);
}

static void shrinking_the_newest_gives_room_back(void **state) {
  mb_arena *arena = mb_arena_new(0);
  (void)state;
  char *at = mb_arena_alloc(arena, 1024);
  size_t used = mb_arena_used(arena);
  assert_ptr_equal(mb_arena_grow(arena, at, 1024, 16), at);
  assert_true(mb_arena_used(arena) < used);
  mb_arena_free(arena);
}

/* 16 MiB reached by doubling fits under a limit of 20 MiB only if former selves are not kept. */
static void large_growth_leaves_nothing_behind(void **state) {
  mb_arena *arena = mb_arena_new((size_t)20 << 20);
  size_t size = (size_t)1 << 20;
  (void)state;
  assert_non_null(mb_arena_alloc(arena, 64));
  char *at = mb_arena_alloc(arena, size);
  assert_non_null(at);
  memset(at, 'x', size);
  for (; size < (size_t)16 << 20; size *= 2) {
    at = mb_arena_grow(arena, at, size, size * 2);
    assert_non_null(at);
    assert_int_equal(at[size - 1], 'x');
    memset(at + size, 'x', size);
  }
  mb_arena_free(arena);
}

static void printf_handles_short_and_long_text(void **state) {
  mb_arena *arena = mb_arena_new(0);
  char text[2000];
  (void)state;
  memset(text, 'y', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  assert_string_equal(mb_arena_printf(arena, "%d %s", 5, "five"), "5 five");
  assert_int_equal(strlen(mb_arena_printf(arena, "<%s>", text)), sizeof text + 1);
  mb_arena_free(arena);
}

static void buffer_refuses_more_than_its_maximum(void **state) {
  mb_buffer buffer = MB_BUFFER_INIT(10);
  (void)state;
  mb_buffer_add_text(&buffer, "0123456789");
  assert_false(buffer.failed);
  assert_string_equal(mb_buffer_text(&buffer), "0123456789");
  mb_buffer_add_char(&buffer, 'x');
  assert_true(buffer.failed && buffer.too_large);
  assert_null(buffer.data);
  mb_buffer_add_text(&buffer, "later");
  assert_int_equal(buffer.size, 0);
  mb_buffer_clear(&buffer);
  mb_buffer_addf(&buffer, "%s-%d", "a", 12);
  assert_string_equal(mb_buffer_text(&buffer), "a-12");
  mb_buffer_truncate(&buffer, 1);
  assert_string_equal(mb_buffer_text(&buffer), "a");
  mb_buffer_dispose(&buffer);
}

static void buffer_tells_memory_from_size(void **state) {
  long left = 0;
  mb_allocator none = {&left, failing_reallocate};
  mb_buffer buffer = MB_BUFFER_INIT(1000);
  (void)state;
  mb_set_allocator(&none);
  mb_buffer_add_text(&buffer, "text");
  mb_set_allocator(NULL);
  assert_true(buffer.failed);
  assert_false(buffer.too_large);
  mb_buffer_dispose(&buffer);
}

static void zeroed_allocation_checks_for_overflow(void **state) {
  (void)state;
  assert_null(mb_alloc_zero(SIZE_MAX / 2, 3));
  unsigned char *at = mb_alloc_zero(4, 4);
  for (int i = 0; i < 16; i++) {
    assert_int_equal(at[i], 0);
  }
  mb_free(at);
}

/* Looks into every block that is given back, or moved, for a password. */
static void *watching_reallocate(void *payload, void *pointer, size_t size) {
  bool *found = payload;
  size_t held = pointer ? malloc_usable_size(pointer) : 0;
  *found = *found || (held && memmem(pointer, held, "hunter2", 7));
  if (size == 0) {
    free(pointer);
    return NULL;
  }
  return realloc(pointer, size);
}

static void freed_memory_holds_no_secret(void **state) {
  bool found = false;
  mb_allocator watching = {&found, watching_reallocate};
  (void)state;
  mb_set_allocator(&watching);
  mb_arena *arena = mb_arena_new(0);
  char *text = mb_arena_strdup(arena, "hunter2");
  for (size_t size = 8; size < 100000; size *= 2) {
    text = mb_arena_grow(arena, text, size, size * 2);
    assert_non_null(text);
  }
  assert_non_null(mb_arena_alloc(arena, 100));
  char *shorter = mb_arena_strdup(arena, "this one is cut short: hunter2");
  assert_ptr_equal(mb_arena_grow(arena, shorter, 31, 4), shorter);
  mb_arena_free(arena);
  mb_set_allocator(NULL);
  assert_false(found);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(freed_memory_holds_no_secret),
      cmocka_unit_test(allocations_are_aligned_and_apart),
      cmocka_unit_test(limit_is_kept),
      cmocka_unit_test(newest_grows_in_place_and_others_move),
      cmocka_unit_test(shrinking_the_newest_gives_room_back),
      cmocka_unit_test(large_growth_leaves_nothing_behind),
      cmocka_unit_test(printf_handles_short_and_long_text),
      cmocka_unit_test(buffer_refuses_more_than_its_maximum),
      cmocka_unit_test(buffer_tells_memory_from_size),
      cmocka_unit_test(zeroed_allocation_checks_for_overflow),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
