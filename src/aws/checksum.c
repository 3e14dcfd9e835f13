/* Checksums of bodies: the CRC-32 that S3 and a few others want with a request, and the one
 * DynamoDB sends with an answer. */
#include "aws/client_internal.h"
#include "base/digest.h"
#include "base/text.h"
#include <string.h>

/* The reflected polynomial of IEEE 802.3, half a byte at a time: small, and fast enough for bodies
 * that have been built in memory anyway. */
static const uint32_t crc_table[16] = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};

uint32_t mb_crc32(const void *data, size_t size) {
  const unsigned char *bytes = data;
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < size; i++) {
    crc ^= bytes[i];
    crc = (crc >> 4) ^ crc_table[crc & 15];
    crc = (crc >> 4) ^ crc_table[crc & 15];
  }
  return ~crc;
}

bool mb_aws_body_is_whole(const mb_http_response *response) {
  const char *expected = mb_headers_get(&response->headers, "x-amz-crc32");
  int64_t number;
  if (!expected || mb_parse_integer(expected, strlen(expected), &number) != 0)
    return true;
  return number == (int64_t)mb_crc32(response->body, response->body_size);
}

static bool has_checksum_header(const mb_headers *headers) {
  static const char prefix[] = "x-amz-checksum-";
  for (size_t i = 0; i < headers->count; i++) {
    char start[sizeof prefix];
    mb_text_copy(start, sizeof start, headers->items[i].name);
    if (mb_text_equal_ci(start, prefix))
      return true;
  }
  return false;
}

static int digest_body(const char *algorithm, const mb_http_request *http, unsigned char *out,
                       size_t *size, mb_error *error) {
  if (strcmp(algorithm, "CRC32") == 0) {
    uint32_t crc = mb_crc32(http->body, http->body_size);
    for (int i = 0; i < 4; i++)
      out[i] = (unsigned char)(crc >> (24 - 8 * i));
    *size = 4;
    return 0;
  }
  bool sha256 = strcmp(algorithm, "SHA256") == 0;
  if (!sha256 && strcmp(algorithm, "SHA1") != 0) {
    mb_error_set(error, MB_ERROR_USAGE, "UnsupportedChecksum",
                 "the checksum algorithm '%s' is not supported", algorithm);
    return mb_error_next(error, "use CRC32, SHA1 or SHA256, or leave it out");
  }
  if (mb_digest_load(error) != 0)
    return -1;
  *size = sha256 ? MB_SHA256_SIZE : MB_SHA1_SIZE;
  int failed = sha256 ? mb_sha256(http->body, http->body_size, out)
                      : mb_sha1(http->body, http->body_size, out);
  return failed ? mb_error_set(error, MB_ERROR_INTERNAL, "DigestFailed",
                               "OpenSSL could not compute a %s checksum", algorithm)
                : 0;
}

static int set_checksum_header(mb_arena *arena, const char *algorithm, mb_http_request *http,
                               mb_error *error) {
  unsigned char digest[MB_SHA256_SIZE];
  size_t size = 0;
  char name[40] = "x-amz-checksum-";
  size_t at = strlen(name);
  if (digest_body(algorithm, http, digest, &size, error) != 0)
    return -1;
  for (const char *c = algorithm; *c && at + 1 < sizeof name; c++)
    name[at++] = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
  name[at] = '\0';
  mb_buffer text = MB_BUFFER_INIT(128);
  mb_text_add_base64(&text, digest, size);
  int failed =
      text.failed || mb_headers_set(arena, &http->headers, name, mb_buffer_text(&text)) != 0;
  mb_buffer_dispose(&text);
  return failed ? mb_error_memory(error) : 0;
}

/* The algorithm the input names, in either spelling of the member, or NULL. */
static const char *algorithm_of_input(const mb_model *model, const mb_operation *operation,
                                      const mb_value *input, const char *member_name) {
  if (!*member_name || operation->input == MB_NO_INDEX)
    return NULL;
  const mb_member *member = mb_model_member(model, mb_model_shape(model, operation->input),
                                            member_name, strlen(member_name));
  if (!member)
    return NULL;
  const mb_value *value = mb_map_get(input, mb_model_text(model, member->snake));
  if (!value)
    value = mb_map_get(input, mb_model_text(model, member->name));
  return *mb_value_string(value) ? mb_value_string(value) : NULL;
}

int mb_aws_add_checksum(mb_arena *arena, const mb_model *model, const mb_operation *operation,
                        const mb_value *input, mb_http_request *http, mb_error *error) {
  const char *json = mb_model_text(model, operation->checksum);
  bool required = (operation->flags & MB_OPERATION_CHECKSUM_REQUIRED) != 0;
  mb_value *rules = NULL;
  if ((!required && !*json) || has_checksum_header(&http->headers))
    return 0;
  if (*json && mb_value_from_json(arena, &rules, json, strlen(json), error) != 0)
    return -1;
  const char *member = mb_value_string(mb_map_get(rules, "requestAlgorithmMember"));
  required |= mb_value_boolean(mb_map_get(rules, "requestChecksumRequired"));
  if (!required && !*member)
    return 0;
  const char *algorithm = algorithm_of_input(model, operation, input, member);
  if (!algorithm) {
    algorithm = "CRC32";
    if (*member &&
        mb_headers_set(arena, &http->headers, "x-amz-sdk-checksum-algorithm", algorithm) != 0)
      return mb_error_memory(error);
  }
  return set_checksum_header(arena, algorithm, http, error);
}
