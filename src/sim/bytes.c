/* Bytes in a saved world. JSON has texts only, so what is not UTF-8 (layers of images, objects of
 * S3) is kept as {"$bytes": "base64"} in the file, and is bytes again when the file is read. */
#include "base/text.h"
#include "base/value.h"
#include "sim/internal.h"
#include <string.h>

#define MARK "$bytes"

static int pack_one(mb_arena *arena, mb_value *value) {
  size_t size;
  const char *data = mb_value_bytes(value, &size);
  mb_value_set_map(value);
  mb_value *packed = mb_map_put(arena, value, MARK);
  if (!packed)
    return -1;
  mb_value_borrow(packed, MB_TYPE_BLOB, data, size); /* the writer makes base64 of it */
  return 0;
}

static mb_value *part_at(const mb_value *tree, size_t index) {
  return mb_value_type(tree) == MB_TYPE_MAP ? mb_map_value_at(tree, index)
                                            : mb_list_at(tree, index);
}

static bool has_parts(const mb_value *value) {
  return mb_value_type(value) == MB_TYPE_MAP || mb_value_type(value) == MB_TYPE_LIST;
}

static int pack_parts(mb_arena *arena, const mb_value *tree, int depth) {
  if (depth >= MB_VALUE_DEPTH)
    return 0; /* the writer refuses it */
  size_t count = mb_value_count(tree);
  for (size_t i = 0; i < count; i++) {
    mb_value *part = part_at(tree, i);
    int failed = 0;
    if (mb_value_type(part) == MB_TYPE_BLOB)
      failed = pack_one(arena, part);
    else if (has_parts(part))
      failed = pack_parts(arena, part, depth + 1);
    if (failed)
      return -1;
  }
  return 0;
}

int mb_sim_pack_bytes(mb_arena *arena, const mb_value *world) {
  return has_parts(world) ? pack_parts(arena, world, 0) : 0;
}

/* The text of {"$bytes": text}, or NULL for any other value. */
static const mb_value *packed_text(const mb_value *value) {
  if (mb_value_type(value) != MB_TYPE_MAP || mb_value_count(value) != 1)
    return NULL;
  const mb_value *text = mb_map_get(value, MARK);
  return mb_value_type(text) == MB_TYPE_STRING ? text : NULL;
}

static int unpack_one(mb_arena *arena, mb_value *value, const mb_value *packed) {
  size_t size, length;
  const char *text = mb_value_bytes(packed, &length);
  const char *data;
  if (mb_base64_decode(arena, text, length, &data, &size) != 0)
    return -1;
  mb_value_borrow(value, MB_TYPE_BLOB, data, size);
  return 0;
}

static int unpack_parts(mb_arena *arena, const mb_value *tree, int depth) {
  size_t count = depth < MB_VALUE_DEPTH ? mb_value_count(tree) : 0;
  for (size_t i = 0; i < count; i++) {
    mb_value *part = part_at(tree, i);
    const mb_value *packed = packed_text(part);
    if (packed && unpack_one(arena, part, packed) != 0)
      return -1;
    if (!packed && has_parts(part) && unpack_parts(arena, part, depth + 1) != 0)
      return -1;
  }
  return 0;
}

int mb_sim_unpack_bytes(mb_arena *arena, const mb_value *world) {
  return has_parts(world) ? unpack_parts(arena, world, 0) : 0;
}
