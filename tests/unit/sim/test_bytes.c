/* Bytes of a world survive the file that it is saved to. */
#include "base/json.h"
#include "base/value.h"
#include "sim/internal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char layer[] = "\x1f\x8b\x00\xff layer";

/* {"state": {"blobs": [layer, "text"]}} */
static mb_value *world_with_layer(mb_arena *arena) {
  mb_value *world = mb_value_new_map(arena);
  mb_value *state = mb_map_put(arena, world, "state");
  mb_value_set_map(state);
  mb_value *blobs = mb_map_put(arena, state, "blobs");
  mb_value_set_list(blobs);
  assert_int_equal(
      mb_value_set_bytes(arena, mb_list_add(arena, blobs), MB_TYPE_BLOB, layer, sizeof layer - 1),
      0);
  assert_int_equal(mb_value_set_string(arena, mb_list_add(arena, blobs), "text"), 0);
  return world;
}

static void bytes_come_back_from_the_file(void **unused) {
  (void)unused;
  mb_arena *arena = mb_arena_new(0);
  mb_value *world = world_with_layer(arena);
  assert_int_equal(mb_sim_pack_bytes(arena, world), 0);
  char *text = mb_value_to_json(arena, world, 0, true);
  assert_string_equal(text, "{\"state\":{\"blobs\":[{\"$bytes\":\"H4sA/yBsYXllcg==\"},\"text\"]}}");
  mb_value *read;
  mb_error error;
  assert_int_equal(mb_value_from_json(arena, &read, text, strlen(text), &error), 0);
  assert_int_equal(mb_sim_unpack_bytes(arena, read), 0);
  assert_true(mb_value_equal(read, world_with_layer(arena)));
  mb_arena_free(arena);
}

static void bytes_that_are_not_base64_are_refused(void **unused) {
  (void)unused;
  mb_arena *arena = mb_arena_new(0);
  mb_value *read;
  mb_error error;
  static const char text[] = "{\"a\":[{\"$bytes\":\"!\"}]}";
  assert_int_equal(mb_value_from_json(arena, &read, text, strlen(text), &error), 0);
  assert_int_equal(mb_sim_unpack_bytes(arena, read), -1);
  mb_arena_free(arena);
}

static void maps_that_only_look_alike_are_left(void **unused) {
  (void)unused;
  mb_arena *arena = mb_arena_new(0);
  mb_value *read;
  mb_error error;
  static const char text[] = "{\"a\":{\"$bytes\":1},\"b\":{\"$bytes\":\"eA==\",\"c\":1}}";
  assert_int_equal(mb_value_from_json(arena, &read, text, strlen(text), &error), 0);
  assert_int_equal(mb_sim_unpack_bytes(arena, read), 0);
  assert_string_equal(mb_value_to_json(arena, read, 0, true), text);
  mb_arena_free(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bytes_come_back_from_the_file),
      cmocka_unit_test(bytes_that_are_not_base64_are_refused),
      cmocka_unit_test(maps_that_only_look_alike_are_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
