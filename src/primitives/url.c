/* Reading URLs. The URL that is sent is rebuilt from what was read here, so that no other reader
 * can see a different host in it. */
#include "primitives/url.h"

#include "base/address.h"
#include "base/text.h"
#include <arpa/inet.h>
#include <string.h>

#define LONGEST_URL  ((size_t)8 << 10)
#define LONGEST_HOST 253

static int fault(mb_error *error, const char *what) {
  mb_error_set(error, MB_ERROR_USAGE, "BadUrl", "the URL cannot be used: %s", what);
  return mb_error_next(error, "give one such as https://example.com/health");
}

/* `prefix` is in lower case. */
static bool starts_ci(const char *text, const char *prefix) {
  for (; *prefix; text++, prefix++) {
    char c = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
    if (c != *prefix)
      return false;
  }
  return true;
}

/* ---- hosts ---- */

/* One part of an IPv4 address as inet_aton reads it: decimal, 0x hexadecimal, 0 octal. */
static bool read_part(const char **at, uint64_t *out) {
  const char *text = *at;
  int base = 10;
  uint64_t value = 0;
  if (text[0] == '0' && text[1] == 'x') {
    base = 16;
    text += 2;
  } else if (text[0] == '0') {
    base = 8;
  }
  const char *first = text;
  for (; *text && *text != '.'; text++) {
    int digit = *text >= '0' && *text <= '9'   ? *text - '0'
                : *text >= 'a' && *text <= 'f' ? *text - 'a' + 10
                                               : 99;
    if (digit >= base || value > UINT32_MAX)
      return false;
    value = value * (uint64_t)base + (uint64_t)digit;
  }
  *at = text;
  *out = value;
  return text > first || base == 16;
}

/* Reads every spelling of an IPv4 address that resolvers take ("0xa9.254.43518", "2852039166"). */
static bool read_ipv4(const char *host, uint32_t *out) {
  uint64_t parts[4];
  int count = 0;
  for (const char *at = host;;) {
    if (count == 4 || !read_part(&at, &parts[count++]))
      return false;
    if (!*at)
      break;
    at++;
  }
  uint64_t address = 0;
  for (int i = 0; i + 1 < count; i++) {
    if (parts[i] > 255)
      return false;
    address |= parts[i] << (24 - 8 * i);
  }
  uint64_t last_limit = (uint64_t)1 << (8 * (5 - count));
  if (parts[count - 1] >= last_limit)
    return false;
  *out = (uint32_t)(address | parts[count - 1]);
  return true;
}

static bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

static int read_name(mb_arena *arena, const char *text, size_t size, mb_url *out, mb_error *error) {
  if (size > 0 && text[size - 1] == '.')
    size--; /* "example.com." is the same host */
  if (size == 0 || size > LONGEST_HOST)
    return fault(error, "its host is missing or too long");
  char *host = mb_arena_strndup(arena, text, size);
  if (!host)
    return mb_error_memory(error);
  for (char *at = host; *at; at++) {
    if (*at >= 'A' && *at <= 'Z')
      *at = (char)(*at - 'A' + 'a');
    if (!is_host_char(*at))
      return fault(error, "its host has a character that no host has");
  }
  out->host = host;
  uint32_t address;
  if (!read_ipv4(host, &address))
    return 0;
  out->host = mb_arena_printf(arena, "%u.%u.%u.%u", (unsigned)(address >> 24),
                              (unsigned)(address >> 16 & 255), (unsigned)(address >> 8 & 255),
                              (unsigned)(address & 255));
  return out->host ? 0 : mb_error_memory(error);
}

static int read_ipv6(mb_arena *arena, const char *text, size_t size, mb_url *out, mb_error *error) {
  char given[INET6_ADDRSTRLEN + 1], usual[INET6_ADDRSTRLEN];
  struct in6_addr address;
  if (size == 0 || size >= sizeof given)
    return fault(error, "its IPv6 address is not one");
  memcpy(given, text, size);
  given[size] = 0;
  if (inet_pton(AF_INET6, given, &address) != 1 ||
      !inet_ntop(AF_INET6, &address, usual, sizeof usual))
    return fault(error, "its IPv6 address is not one (zones are not taken)");
  out->ipv6 = true;
  out->host = mb_arena_strdup(arena, usual);
  return out->host ? 0 : mb_error_memory(error);
}

/* ---- authority and the rest ---- */

static int read_port(const char *text, size_t size, mb_url *out, mb_error *error) {
  int64_t port = 0;
  if (size == 0)
    return 0; /* "example.com:" */
  for (size_t i = 0; i < size; i++) {
    if (text[i] < '0' || text[i] > '9')
      return fault(error, "its port is not a number");
  }
  if (size > 5 || mb_parse_integer(text, size, &port) != 0 || port < 1 || port > 65535)
    return fault(error, "its port is not from 1 to 65535");
  out->port = (int)port;
  return 0;
}

static int read_authority(mb_arena *arena, const char *text, size_t size, mb_url *out,
                          mb_error *error) {
  if (memchr(text, '@', size))
    return fault(error, "it holds a user name; send an \"Authorization\" header instead");
  out->port = out->https ? 443 : 80;
  if (size > 0 && text[0] == '[') {
    const char *close = memchr(text, ']', size);
    if (!close)
      return fault(error, "its IPv6 address has no ']'");
    size_t inside = (size_t)(close - text) - 1, after = size - inside - 2;
    if (after > 0 && close[1] != ':')
      return fault(error, "something stands after its IPv6 address");
    if (read_ipv6(arena, text + 1, inside, out, error) != 0)
      return -1;
    return after > 0 ? read_port(close + 2, after - 1, out, error) : 0;
  }
  const char *colon = memchr(text, ':', size);
  size_t host = colon ? (size_t)(colon - text) : size;
  if (read_name(arena, text, host, out, error) != 0)
    return -1;
  return colon ? read_port(colon + 1, size - host - 1, out, error) : 0;
}

static int check_characters(const char *text, mb_error *error) {
  if (strlen(text) > LONGEST_URL)
    return fault(error, "it is longer than 8 KiB");
  for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
    if (*at <= 0x20 || *at == 0x7f)
      return fault(error, "it holds a space or a control character");
    if (*at > 0x7f)
      return fault(error, "it holds a character beyond ASCII; percent-encode it");
    if (*at == '\\')
      return fault(error, "it holds a backslash");
  }
  return 0;
}

static int read_rest(mb_arena *arena, const char *text, mb_url *out, mb_error *error) {
  size_t size = strcspn(text, "#");
  out->rest = mb_arena_printf(arena, "%s%.*s", text[0] == '/' ? "" : "/", (int)size, text);
  return out->rest ? 0 : mb_error_memory(error);
}

int mb_url_parse(mb_arena *arena, const char *text, mb_url *out, mb_error *error) {
  *out = (mb_url){.https = false};
  if (check_characters(text, error) != 0)
    return -1;
  if (starts_ci(text, "https://"))
    out->https = true;
  else if (!starts_ci(text, "http://"))
    return fault(error, "it does not begin with http:// or https://");
  text += out->https ? 8 : 7;
  size_t size = strcspn(text, "/?#");
  if (read_authority(arena, text, size, out, error) != 0)
    return -1;
  return read_rest(arena, text + size, out, error);
}

int mb_url_resolve(mb_arena *arena, const mb_url *base, const char *location, mb_url *out,
                   mb_error *error) {
  if (check_characters(location, error) != 0)
    return -1;
  if (strncmp(location, "//", 2) == 0) {
    const char *text = mb_arena_printf(arena, "%s:%s", base->https ? "https" : "http", location);
    return text ? mb_url_parse(arena, text, out, error) : mb_error_memory(error);
  }
  size_t scheme = strcspn(location, ":/?#");
  if (location[scheme] == ':')
    return mb_url_parse(arena, location, out, error);
  *out = *base;
  size_t path = strcspn(base->rest, "?");
  if (location[0] == '?')
    out->rest = mb_arena_printf(arena, "%.*s%.*s", (int)path, base->rest,
                                (int)strcspn(location, "#"), location);
  else if (location[0] == '/')
    return read_rest(arena, location, out, error);
  else if (location[0] && location[0] != '#') {
    while (path > 0 && base->rest[path - 1] != '/')
      path--;
    out->rest = mb_arena_printf(arena, "%.*s%.*s", (int)path, base->rest,
                                (int)strcspn(location, "#"), location);
  }
  return out->rest ? 0 : mb_error_memory(error);
}

const char *mb_url_text(mb_arena *arena, const mb_url *url) {
  const char *open = url->ipv6 ? "[" : "", *close = url->ipv6 ? "]" : "";
  const char *scheme = url->https ? "https" : "http";
  if (url->port == (url->https ? 443 : 80))
    return mb_arena_printf(arena, "%s://%s%s%s%s", scheme, open, url->host, close, url->rest);
  return mb_arena_printf(arena, "%s://%s%s%s:%d%s", scheme, open, url->host, close, url->port,
                         url->rest);
}

/* ---- judging hosts ---- */

static bool ipv4_is_link_local(uint32_t address) {
  return address >> 16 == 0xa9fe;
}

bool mb_url_is_link_local(const mb_url *url) {
  uint32_t address;
  struct in6_addr address6;
  if (url->ipv6)
    return inet_pton(AF_INET6, url->host, &address6) != 1 ||
           mb_ipv6_is_link_local(address6.s6_addr);
  if (read_ipv4(url->host, &address))
    return ipv4_is_link_local(address);
  return strcmp(url->host, "instance-data") == 0 ||
         mb_text_ends(url->host, "instance-data.ec2.internal");
}

bool mb_url_same_origin(const mb_url *a, const mb_url *b) {
  return a->https == b->https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

bool mb_url_matches(const mb_url *url, const char *pattern) {
  char host[LONGEST_HOST + 3];
  const char *close = *pattern == '[' ? strchr(pattern, ']') : NULL;
  const char *colon = close ? strchr(close, ':') : strrchr(pattern, ':');
  if (colon && !close && strchr(pattern, ':') != colon)
    colon = NULL; /* an IPv6 address without brackets */
  size_t size = colon ? (size_t)(colon - pattern) : strlen(pattern);
  if (close) {
    pattern++;
    size = (size_t)(close - pattern);
  }
  int64_t port;
  if (colon && (mb_parse_integer(colon + 1, strlen(colon + 1), &port) != 0 || port != url->port))
    return false;
  if (size == 0 || size >= sizeof host)
    return false;
  memcpy(host, pattern, size);
  host[size] = 0;
  if (host[size - 1] == '.')
    host[size - 1] = 0;
  if (strncmp(host, "*.", 2) != 0)
    return mb_text_equal_ci(host, url->host);
  size_t below = strlen(host) - 1, whole = strlen(url->host);
  return whole > below && below > 1 && mb_text_equal_ci(host + 1, url->host + whole - below);
}
