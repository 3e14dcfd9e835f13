/* UTF-8, byte by byte. */
#include "base/utf8.h"
#include "base/text.h"

size_t mb_utf8_read(const char *text, size_t size, uint32_t *point) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const unsigned char *at = (const unsigned char *)text;
  if (size == 0) {
    return 0;
  }
  size_t length = at[0] < 0x80 ? 1 : at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
  if ((at[0] >= 0x80 && at[0] < 0xc2) || at[0] > 0xf4 || length > size) {
    return 0;
  }
  uint32_t value = length == 1 ? at[0] : at[0] & (0x7fu >> length);
  for (size_t i = 1; i < length; i++) {
    if ((at[i] & 0xc0) != 0x80) {
      return 0;
    }
    value = value << 6 | (at[i] & 0x3f);
  }
  if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
    return 0;
  }
  if (point) {
    *point = value;
  }
  return length;
}

size_t mb_utf8_write(char *out, uint32_t point) {
  if (point < 0x80) {
    out[0] = (char)point;
    return 1;
  }
  size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
  for (size_t i = length - 1; i > 0; i--) {
    out[i] = (char)(0x80 | (point & 0x3f));
    point >>= 6;
  }
  out[0] = (char)(lead[length] | point);
  return length;
}

bool mb_utf8_valid(const char *text, size_t size) {
  size_t at = 0;
  while (at < size) {
    size_t length = mb_utf8_read(text + at, size - at, NULL);
    if (length == 0) {
      return false;
    }
    at += length;
  }
  return true;
}
