/* The client's side: answers and error answers of any service, whatever the network made of them.
 *
 * An input is a byte that chooses the service, two that choose the operation, one whose lowest bit
 * says whether it is an error, then the body. */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 4) {
    return 0;
  }
  mb_arena *arena = mb_arena_new((size_t)64 << 20);
  mb_codec codec = {.model = fuzz_model(data[0])};
  size_t choice = (size_t)(data[1] | data[2] << 8) % mb_model_operation_count(codec.model);
  const mb_operation *operation = mb_model_operation_at(codec.model, choice);
  char *body = arena ? mb_arena_strndup(arena, (const char *)data + 4, size - 4) : NULL;
  mb_http_response response = {
      .status = data[3] & 1 ? 400 : 200, .body = body, .body_size = size - 4};
  mb_service_error service_error;
  mb_value out;
  mb_error error;
  if (body && response.status == 200) {
    mb_codec_decode_response(&codec, arena, operation, &response, &out, &error);
  } else if (body) {
    mb_codec_decode_error(&codec, arena, operation, &response, &service_error, &error);
  }
  mb_arena_free(arena);
  return 0;
}
