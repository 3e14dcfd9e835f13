/* Values. */
#include "base/value.h"
#include "unit/check.h"

#include <math.h>
#include <stdio.h>

static void readers_accept_null_and_the_wrong_type(void **state) {
  mb_arena *arena = mb_arena_new(0);
  mb_value *text = mb_value_new_string(arena, "12");
  size_t size = 99;
  (void)state;
  assert_int_equal(mb_value_type(NULL), MB_TYPE_NULL);
  assert_false(mb_value_boolean(text));
  assert_int_equal(mb_value_integer(text), 0);
  assert_true(mb_value_number(NULL) == 0);
  assert_string_equal(mb_value_string(NULL), "");
  assert_string_equal(mb_value_bytes(mb_value_new_list(arena), &size), "");
  assert_int_equal(size, 0);
  assert_int_equal(mb_value_count(text), 0);
  assert_null(mb_list_at(text, 0));
  assert_null(mb_map_get(text, "key"));
  assert_null(mb_map_get(NULL, "key"));
  assert_null(mb_map_key_at(text, 0));
  assert_null(mb_map_value_at(NULL, 0));
  assert_null(mb_list_add(arena, text));
  assert_null(mb_map_put(arena, text, "key"));
  assert_false(mb_value_is_secret(NULL));
  mb_arena_free(arena);
}

static void doubles_become_integers_without_overflow(void **state) {
  mb_value value;
  (void)state;
  mb_value_set_number(&value, 1e300);
  assert_true(mb_value_integer(&value) == INT64_MAX);
  mb_value_set_number(&value, -INFINITY);
  assert_true(mb_value_integer(&value) == INT64_MIN);
  mb_value_set_number(&value, NAN);
  assert_int_equal(mb_value_integer(&value), 0);
  mb_value_set_number(&value, -1.9);
  assert_int_equal(mb_value_integer(&value), -1);
}

static void maps_keep_order_and_find_keys_at_every_size(void **state) {
  mb_arena *arena = mb_arena_new(0);
  mb_value *map = mb_value_new_map(arena);
  char key[32];
  (void)state;
  for (int i = 0; i < 5000; i++) {
    snprintf(key, sizeof key, "key-%d", i);
    assert_null(mb_map_get(map, key));
    mb_value_set_integer(mb_map_put(arena, map, key), i);
    if (i % 3 == 0) { /* puts that find the key do not add one */
      mb_value_set_integer(mb_map_put(arena, map, key), i);
    }
  }
  assert_int_equal(mb_value_count(map), 5000);
  for (int i = 0; i < 5000; i++) {
    snprintf(key, sizeof key, "key-%d", i);
    assert_int_equal(mb_value_integer(mb_map_get(map, key)), i);
    assert_string_equal(mb_map_key_at(map, (size_t)i), key);
  }
  assert_null(mb_map_get(map, "key-5000"));
  mb_arena_free(arena);
}

static void entries_added_without_looking_are_found(void **state) {
  static const char *const keys[] = {"a", "b", "c"};
  static char names[60][16];
  mb_arena *arena = mb_arena_new(0);
  mb_value *map = mb_value_new_map(arena);
  (void)state;
  for (int i = 0; i < 60; i++) {
    snprintf(names[i], sizeof names[i], "n%d", i);
    mb_value_set_integer(mb_map_put(arena, map, names[i]), i);
  }
  for (int i = 0; i < 3; i++) {
    mb_value_set_integer(mb_map_add_static(arena, map, keys[i], 1), 100 + i);
  }
  assert_int_equal(mb_value_integer(mb_map_get(map, "b")), 101);
  assert_int_equal(mb_value_integer(mb_map_get(map, "n59")), 59);
  assert_ptr_equal(mb_map_put(arena, map, "c"), mb_map_get(map, "c"));
  assert_int_equal(mb_value_count(map), 63);
  mb_arena_free(arena);
}

static void keys_may_hold_nul(void **state) {
  mb_arena *arena = mb_arena_new(0);
  mb_value *map = mb_value_new_map(arena);
  (void)state;
  mb_value_set_integer(mb_map_put_sized(arena, map, "a\0b", 3), 1);
  mb_value_set_integer(mb_map_put_sized(arena, map, "a\0c", 3), 2);
  assert_int_equal(mb_value_integer(mb_map_get_sized(map, "a\0b", 3)), 1);
  assert_null(mb_map_get(map, "a"));
  mb_arena_free(arena);
}

static void equality_is_deep_and_numeric(void **state) {
  mb_arena *arena = mb_arena_new(0);
  mb_value *a;
  mb_value *b;
  (void)state;
  assert_int_equal(mb_value_from_json(arena, &a, "{\"x\":[1,2.5],\"y\":null}", 22, NULL), 0);
  assert_int_equal(mb_value_from_json(arena, &b, "{\"y\":null,\"x\":[1.0,2.5]}", 24, NULL), 0);
  assert_true(mb_value_equal(a, b));
  mb_value_set_integer(mb_list_at(mb_map_get(b, "x"), 0), 2);
  assert_false(mb_value_equal(a, b));
  mb_value big;
  mb_value near_big;
  mb_value_set_integer(&big, 9007199254740993);
  mb_value_set_number(&near_big, 9007199254740992.0);
  assert_false(mb_value_equal(&big, &near_big));
  assert_false(mb_value_equal(mb_value_new_string(arena, "1"), mb_value_new_string(arena, "2")));
  mb_arena_free(arena);
}

static void copies_do_not_share(void **state) {
  mb_arena *from = mb_arena_new(0);
  mb_arena *to = mb_arena_new(0);
  mb_value *original;
  mb_value copy;
  (void)state;
  static const char text[] = "{\"a\":[1,\"two\",{\"b\":true}],\"s\":\"x\"}";
  assert_int_equal(mb_value_from_json(from, &original, text, sizeof text - 1, NULL), 0);
  mb_value_set_secret(mb_map_get(original, "s"), true);
  assert_int_equal(mb_value_copy(to, &copy, original), 0);
  assert_true(mb_value_equal(original, &copy));
  mb_arena_free(from);
  assert_string_equal(mb_value_string(mb_list_at(mb_map_get(&copy, "a"), 1)), "two");
  assert_true(mb_value_is_secret(mb_map_get(&copy, "s")));
  mb_arena_free(to);
}

static void too_deep_a_tree_is_refused_not_followed(void **state) {
  mb_arena *arena = mb_arena_new(0);
  mb_value *top = mb_value_new_list(arena);
  mb_value *at = top;
  mb_value copy;
  (void)state;
  for (int i = 0; i < 100000; i++) {
    at = mb_list_add(arena, at);
    mb_value_set_list(at);
  }
  assert_int_equal(mb_value_copy(arena, &copy, top), -1);
  assert_false(mb_value_equal(top, top));
  assert_null(mb_value_to_json(arena, top, 0, true));
  mb_arena_free(arena);
}

static int build(void *payload) {
  mb_arena *arena = mb_arena_new(0);
  int result = -1;
  (void)payload;
  if (arena) {
    mb_value *map = mb_value_new_map(arena);
    result = map ? 0 : -1;
    for (int i = 0; i < 1000 && result == 0; i++) {
      char key[16];
      snprintf(key, sizeof key, "%d", i);
      mb_value *list = mb_map_put(arena, map, key);
      if (list) {
        mb_value_set_list(list);
      }
      result = list && mb_list_add(arena, list) ? 0 : -1;
    }
    mb_value copy;
    if (result == 0 && (mb_value_copy(arena, &copy, map) != 0 || !mb_value_equal(map, &copy) ||
                        !mb_value_to_json(arena, map, 2, false))) {
      result = -1;
    }
    mb_arena_free(arena);
  }
  return result;
}

/* A hash index that is full has no end to a search: looks for a missing key at every size. */
static void a_missing_key_is_missed_at_every_size(void **state) {
  (void)state;
  mb_arena *arena = mb_arena_new(0);
  mb_value *map = mb_value_new_map(arena);
  for (int i = 0; i < 1100; i++) {
    char key[32];
    snprintf(key, sizeof key, "key%d", i);
    assert_null(mb_map_get(map, "missing"));
    assert_non_null(mb_map_put(arena, map, key));
    assert_null(mb_map_get(map, "missing"));
  }
  assert_int_equal(mb_value_count(map), 1100);
  mb_arena_free(arena);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  check_allocation_failures(build, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(readers_accept_null_and_the_wrong_type),
      cmocka_unit_test(doubles_become_integers_without_overflow),
      cmocka_unit_test(maps_keep_order_and_find_keys_at_every_size),
      cmocka_unit_test(entries_added_without_looking_are_found),
      cmocka_unit_test(keys_may_hold_nul),
      cmocka_unit_test(equality_is_deep_and_numeric),
      cmocka_unit_test(copies_do_not_share),
      cmocka_unit_test(too_deep_a_tree_is_refused_not_followed),
      cmocka_unit_test(a_missing_key_is_missed_at_every_size),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
