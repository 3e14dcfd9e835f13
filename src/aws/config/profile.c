/* Parses the shared config and credentials files. They look like INI files, but have rules of their
 * own: values go on over indented lines, an empty value may have named values of its own below it,
 * and what a section is called depends on the file. A name that is not allowed is skipped with what
 * belongs to it; a line that makes no sense is an error. */
#include "aws/config/profile.h"

#include "base/text.h"
#include <string.h>

typedef struct span {
  const char *at, *end;
} span;

typedef struct parser {
  mb_arena *arena;
  mb_error *error;
  const char *file;
  int line;
  bool is_credentials;
  mb_value *profiles, *sso_sessions, *services;
  mb_value *plain_default;  /* [default] of the config file, which [profile default] replaces */
  bool has_profile_default; /* [profile default] was there */
  bool in_section;          /* a section has begun ... */
  mb_value *section;        /* ... and this is it; NULL: one that is skipped */
  bool in_property;         /* a property has begun ... */
  mb_value *property;       /* ... and this is it; NULL: one that is skipped */
  bool has_sub_properties;  /* its value is empty: indented lines define named values */
  size_t property_capacity; /* of the text of a continued value */
} parser;

static int problem(parser *p, const char *what) {
  mb_error_set(p->error, MB_ERROR_USAGE, "InvalidProfileFile", "%s, line %d: %s", p->file, p->line,
               what);
  return mb_error_next(p->error, "Correct that line of the file");
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static span trim(span text) {
  while (text.at < text.end && is_blank(*text.at))
    text.at++;
  while (text.at < text.end && is_blank(text.end[-1]))
    text.end--;
  return text;
}

static size_t size_of(span text) {
  return (size_t)(text.end - text.at);
}

static bool equals(span text, const char *word) {
  return size_of(text) == strlen(word) && memcmp(text.at, word, size_of(text)) == 0;
}

static bool is_name(span text) {
  for (const char *c = text.at; c < text.end; c++) {
    bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
    if (!letter && !(*c >= '0' && *c <= '9') && (!*c || !strchr("_-/.%@:+", *c)))
      return false;
  }
  return text.at < text.end;
}

/* ---- sections ---- */

static int enter(parser *p, mb_value *sections, span name) {
  p->section = mb_map_put_sized(p->arena, sections, name.at, size_of(name));
  if (!p->section)
    return mb_error_memory(p->error);
  if (mb_value_type(p->section) == MB_TYPE_NULL)
    mb_value_set_map(p->section);
  return 0;
}

/* A name in quotes may hold anything but control characters: that is how the AWS CLI reads it. */
static bool unquote(span *name) {
  if (size_of(*name) < 3 || (*name->at != '"' && *name->at != '\'') || name->end[-1] != *name->at)
    return false;
  for (const char *c = name->at; c < name->end; c++)
    if ((unsigned char)*c < ' ')
      return false;
  name->at++;
  name->end--;
  return true;
}

/* [profile NAME], [sso-session NAME] or [services NAME] of the config file. */
static int enter_typed(parser *p, span type, span name) {
  if (!is_name(name) && !unquote(&name))
    return 0;
  if (equals(type, "profile")) {
    p->has_profile_default = p->has_profile_default || equals(name, "default");
    return enter(p, p->profiles, name);
  }
  if (equals(type, "sso-session"))
    return enter(p, p->sso_sessions, name);
  return equals(type, "services") ? enter(p, p->services, name) : 0;
}

static int enter_config_section(parser *p, span title) {
  span type = title;
  if (equals(title, "default")) {
    if (mb_value_type(p->plain_default) == MB_TYPE_NULL)
      mb_value_set_map(p->plain_default);
    p->section = p->plain_default;
    return 0;
  }
  while (type.at < type.end && !is_blank(*type.at))
    type.at++;
  span name = trim((span){type.at, title.end});
  return enter_typed(p, (span){title.at, type.at}, name);
}

/* Comments may follow a section without a blank between. */
static int parse_section(parser *p, span line) {
  for (const char *c = line.at; c < line.end; c++) {
    if (*c == '#' || *c == ';') {
      line.end = c;
      break;
    }
  }
  line = trim(line);
  if (line.end[-1] != ']')
    return problem(p, "Section definition must end with ']'");
  p->in_section = true;
  p->in_property = false;
  p->section = NULL;
  span title = trim((span){line.at + 1, line.end - 1});
  if (!p->is_credentials)
    return enter_config_section(p, title);
  return is_name(title) || unquote(&title) ? enter(p, p->profiles, title) : 0;
}

/* ---- properties ---- */

/* Cuts a comment off: '#' or ';' after a blank. One next to the value belongs to it. */
static span without_comment(span line) {
  for (const char *c = line.at + 1; c < line.end; c++) {
    if ((*c == '#' || *c == ';') && is_blank(c[-1])) {
      line.end = c;
      break;
    }
  }
  return line;
}

/* Splits "name = value". */
static int split(parser *p, span line, const char *where, span *name, span *value) {
  char what[96];
  const char *equal = memchr(line.at, '=', size_of(line));
  const char *wrong = NULL;
  if (!equal)
    wrong = "Expected an '=' sign defining a property";
  *name = trim((span){line.at, equal ? equal : line.at});
  *value = trim((span){equal ? equal + 1 : line.end, line.end});
  if (equal && name->at == name->end)
    wrong = "Property did not have a name";
  if (!wrong)
    return 0;
  size_t size = strlen(wrong);
  memcpy(what, wrong, size);
  mb_text_copy(what + size, sizeof what - size, where);
  return problem(p, what);
}

static bool is_secret(const char *name) {
  return strcmp(name, "aws_secret_access_key") == 0 || strcmp(name, "aws_session_token") == 0 ||
         strcmp(name, "aws_security_token") == 0;
}

/* Sets a property of `map`, whose name counts without regard to case. NULL in `out`: skipped. */
static int put(parser *p, mb_value *map, span name, span value, mb_value **out) {
  *out = NULL;
  if (!is_name(name))
    return 0;
  char *lower = mb_arena_strndup(p->arena, name.at, size_of(name));
  if (!lower)
    return mb_error_memory(p->error);
  for (char *c = lower; *c; c++)
    *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + ('a' - 'A')) : *c;
  mb_value *slot = mb_map_put(p->arena, map, lower);
  if (!slot || mb_value_set_bytes(p->arena, slot, MB_TYPE_STRING, value.at, size_of(value)))
    return mb_error_memory(p->error);
  mb_value_set_secret(slot, is_secret(lower));
  *out = slot;
  return 0;
}

static int parse_property(parser *p, span line) {
  span name, value;
  if (!p->in_section)
    return problem(p, "Expected a section definition");
  if (!p->section)
    return 0;
  if (split(p, without_comment(line), "", &name, &value))
    return -1;
  p->in_property = true;
  p->has_sub_properties = value.at == value.end;
  p->property_capacity = 0;
  return put(p, p->section, name, value, &p->property);
}

/* Adds an indented line to a value. Room is doubled, so that many lines stay cheap. */
static int continue_value(parser *p, span line) {
  size_t size, extra = size_of(line) + 1;
  const char *old = mb_value_bytes(p->property, &size);
  char *text = (char *)old;
  bool secret = mb_value_is_secret(p->property);
  if (size + extra + 1 > p->property_capacity) {
    p->property_capacity = 2 * (size + extra + 1);
    text = mb_arena_alloc(p->arena, p->property_capacity);
    if (!text)
      return mb_error_memory(p->error);
    memcpy(text, old, size);
  }
  text[size] = '\n';
  memcpy(text + size + 1, line.at, extra - 1);
  text[size + extra] = '\0';
  mb_value_borrow(p->property, MB_TYPE_STRING, text, size + extra);
  mb_value_set_secret(p->property, secret);
  return 0;
}

/* A named value below a property whose own value is empty. */
static int parse_sub_property(parser *p, span line) {
  span name, value;
  mb_value *ignored;
  if (split(p, line, " in sub-property", &name, &value))
    return -1;
  if (mb_value_type(p->property) != MB_TYPE_MAP)
    mb_value_set_map(p->property);
  return put(p, p->property, name, value, &ignored);
}

static int parse_indented(parser *p, span line) {
  if (!p->in_section)
    return problem(p, "Expected a section definition");
  if (!p->section)
    return 0;
  if (!p->in_property)
    return problem(p, "Expected a property definition, found continuation");
  if (!p->property)
    return 0;
  line = trim(line);
  return p->has_sub_properties ? parse_sub_property(p, line) : continue_value(p, line);
}

/* ---- files ---- */

static int parse_line(parser *p, span line) {
  span text = trim(line);
  if (text.at == text.end || *text.at == '#' || *text.at == ';')
    return 0;
  if (is_blank(*line.at))
    return parse_indented(p, line);
  return *line.at == '[' ? parse_section(p, line) : parse_property(p, line);
}

static int parse_file(parser *p, const char *text, size_t size, const char *name) {
  const char *end = text + size;
  p->file = name;
  p->line = 0;
  p->in_section = p->in_property = false;
  if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
    text += 3; /* a byte order mark, as some editors write it */
  while (text < end) {
    const char *stop = memchr(text, '\n', (size_t)(end - text));
    stop = stop ? stop : end;
    p->line++;
    if (parse_line(p, (span){text, stop}))
      return -1;
    text = stop + 1;
  }
  return 0;
}

/* [default] counts unless there is [profile default]. */
static int take_plain_default(parser *p) {
  if (p->has_profile_default || mb_value_type(p->plain_default) != MB_TYPE_MAP)
    return 0;
  mb_value *slot = mb_map_put(p->arena, p->profiles, "default");
  if (!slot)
    return mb_error_memory(p->error);
  *slot = *p->plain_default;
  return 0;
}

static mb_value *add_sections(parser *p, mb_value *out, const char *name) {
  mb_value *value = mb_value_new_map(p->arena);
  mb_value *slot = value ? mb_map_put(p->arena, out, name) : NULL;
  return slot ? value : NULL;
}

int mb_profiles_parse(mb_arena *arena, const char *config, size_t config_size,
                      const char *config_name, const char *credentials, size_t credentials_size,
                      const char *credentials_name, mb_value *out, mb_error *error) {
  parser p = {.arena = arena, .error = error};
  mb_value_set_map(out);
  p.profiles = add_sections(&p, out, "profiles");
  p.sso_sessions = add_sections(&p, out, "sso-session");
  p.services = add_sections(&p, out, "services");
  p.plain_default = mb_value_new(arena);
  if (!p.profiles || !p.sso_sessions || !p.services || !p.plain_default)
    return mb_error_memory(error);
  if (config && parse_file(&p, config, config_size, config_name ? config_name : "config file"))
    return -1;
  if (take_plain_default(&p))
    return -1;
  p.is_credentials = true;
  if (credentials && parse_file(&p, credentials, credentials_size,
                                credentials_name ? credentials_name : "credentials file"))
    return -1;
  *mb_map_get(out, "profiles") = *p.profiles;
  *mb_map_get(out, "sso-session") = *p.sso_sessions;
  *mb_map_get(out, "services") = *p.services;
  return 0;
}
