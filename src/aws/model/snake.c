/* snake_case as botocore makes it, so that names are those its users already know. Two differences:
 * a name that is nothing but an acronym in the plural ("VPCs") has no underscore before it, and
 * "IPv4" and "IPv6" are one word. */
#include "aws/model/builder.h"

#include <string.h>

#define NAME_MAX_SIZE 250 /* longer names keep their own spelling */

static bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static char to_lower(char c) {
  return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

/* Product names that count as one word inside a name that starts with a capital: the operations
 * named after them, not the members that begin with them. Each is spelt as a plain word instead. */
static const char *const compound_words[][2] = {
    {"WhatsApp", "Whatsapp"},
    {"PartiQL", "Partiql"},
    {"OAuth2", "Oauth2"},
    {"OTel", "Otel"},
    {"HITs", "Hits"},
    {"CachediSCSI", "CachedIscsi"},
    {"StorediSCSI", "StoredIscsi"},
};

static void flatten_compounds(char *name) {
  for (char *found = name; (found = strstr(found, "IPv")) != NULL; found++)
    found[1] = 'p';
  if (!is_upper(name[0]))
    return;
  for (size_t i = 0; i < sizeof compound_words / sizeof compound_words[0]; i++) {
    char *found = strstr(name + 1, compound_words[i][0]);
    if (found)
      memcpy(found, compound_words[i][1], strlen(compound_words[i][1]));
  }
}

/* "ListWebACLs" -> "ListWeb_acls": a final acronym in the plural is one word. */
static size_t split_plural_acronym(char *name, size_t length) {
  if (length < 3 || name[length - 1] != 's')
    return length;
  size_t start = length - 1;
  while (start > 0 && is_upper(name[start - 1]))
    start--;
  if (length - 1 - start < 2)
    return length;
  for (size_t i = start; i < length; i++)
    name[i] = to_lower(name[i]);
  if (start == 0)
    return length;
  memmove(name + start + 1, name + start, length - start + 1);
  name[start] = '_';
  return length + 1;
}

/* Puts an underscore before each capital that starts a word of lower-case letters. */
static size_t split_words(char *out, const char *name, size_t length) {
  size_t at = 0, used = 0;
  while (at < length) {
    out[used++] = name[at++];
    if (at + 1 >= length || !is_upper(name[at]) || !is_lower(name[at + 1]))
      continue;
    out[used++] = '_';
    out[used++] = name[at++];
    while (at < length && is_lower(name[at]))
      out[used++] = name[at++];
  }
  return used;
}

void mb_model_snake_case(mb_buffer *out, const char *name) {
  char plain[NAME_MAX_SIZE + 2], split[2 * NAME_MAX_SIZE + 4];
  size_t length = strlen(name);
  if (length > NAME_MAX_SIZE || strchr(name, '_')) {
    mb_buffer_add(out, name, length);
    return;
  }
  memcpy(plain, name, length + 1);
  flatten_compounds(plain);
  length = split_plural_acronym(plain, length);
  length = split_words(split, plain, length);
  for (size_t i = 0; i < length; i++) {
    mb_buffer_add_char(out, to_lower(split[i]));
    if (i + 1 < length && (is_lower(split[i]) || is_digit(split[i])) && is_upper(split[i + 1]))
      mb_buffer_add_char(out, '_');
  }
}

/* ---- expressions ----------------------------------------------------------------------------- */

static bool is_name(char c) {
  return is_lower(c) || is_upper(c) || is_digit(c) || c == '_';
}

/* The end of a token in quotes, just after the closing one (or the end of the text). */
static const char *quoted_end(const char *at) {
  char quote = *at++;
  while (*at && *at != quote)
    at += at[0] == '\\' && at[1] ? 2 : 1;
  return *at ? at + 1 : at;
}

static void add_snake(mb_buffer *out, const char *name, size_t size) {
  char copy[NAME_MAX_SIZE + 1];
  if (size > NAME_MAX_SIZE) {
    mb_buffer_add(out, name, size);
    return;
  }
  memcpy(copy, name, size);
  copy[size] = '\0';
  mb_model_snake_case(out, copy);
}

/* Copies a token in quotes; a name in double quotes is translated like one without. */
static const char *add_quoted(mb_buffer *out, const char *at) {
  const char *end = quoted_end(at);
  size_t size = (size_t)(end - at), names = 0;
  while (size >= 2 && names < size - 2 && is_name(at[1 + names]))
    names++;
  if (*at != '"' || size < 2 || names != size - 2 || end[-1] != '"') {
    mb_buffer_add(out, at, size);
    return end;
  }
  mb_buffer_add_char(out, '"');
  add_snake(out, at + 1, size - 2);
  mb_buffer_add_char(out, '"');
  return end;
}

void mb_model_snake_expression(mb_buffer *out, const char *expression) {
  const char *at = expression;
  while (*at) {
    if (*at == '\'' || *at == '`' || *at == '"') {
      at = add_quoted(out, at);
      continue;
    }
    const char *end = at;
    while (is_name(*end))
      end++;
    if (end == at) {
      mb_buffer_add_char(out, *at++);
      continue;
    }
    if (*end == '(') /* a function's name */
      mb_buffer_add(out, at, (size_t)(end - at));
    else
      add_snake(out, at, (size_t)(end - at));
    at = end;
  }
}
