/* Texts that people and files bring: JSON, JMESPath, shared config files, times and numbers. The
 * first byte chooses. */
#include "tests/fuzz/fuzz.h"

#include "aws/config/profile.h"
#include "aws/jmespath/jmespath.h"
#include "base/text.h"
#include <string.h>

static void try_json(mb_arena *arena, const char *text, size_t size) {
  mb_value *value;
  mb_error error;
  if (mb_value_from_json(arena, &value, text, size, &error) == 0) {
    mb_value_to_json(arena, value, 2, true);
  }
}

static void try_jmespath(mb_arena *arena, const char *text) {
  static const char document[] =
      "{\"a\":[1,2,{\"b\":\"x\"}],\"c\":null,\"d\":\"2\",\"e\":[[1],[2,3]]}";
  mb_value *value, out;
  mb_error error;
  mb_jmespath *compiled = mb_jmespath_compile(arena, text, &error);
  if (compiled && mb_value_from_json(arena, &value, document, sizeof document - 1, &error) == 0) {
    mb_jmespath_search(compiled, arena, value, &out, &error);
  }
}

static void try_scalars(const char *text, size_t size) {
  double number;
  int64_t integer;
  mb_time_parse(text, size, &number);
  mb_parse_number(text, size, &number);
  mb_parse_integer(text, size, &integer);
  mb_parse_duration(text, &number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) {
    return 0;
  }
  mb_arena *arena = mb_arena_new((size_t)64 << 20);
  char *text = arena ? mb_arena_strndup(arena, (const char *)data + 1, size - 1) : NULL;
  mb_value out;
  mb_error error;
  if (text && data[0] % 4 == 0) {
    try_json(arena, text, size - 1);
  } else if (text && data[0] % 4 == 1) {
    try_jmespath(arena, text);
  } else if (text && data[0] % 4 == 2) {
    mb_profiles_parse(arena, text, size - 1, "config", text, size - 1, "credentials", &out, &error);
  } else if (text) {
    try_scalars(text, size - 1);
  }
  mb_arena_free(arena);
  return 0;
}
