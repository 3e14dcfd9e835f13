/* Lua's patterns: string.find, match, gmatch, gsub. The language is the manual's (6.4.1); the
 * matcher is our own because the one in Lua's library backtracks where no limit can reach it. Here
 * every step counts as an instruction, so a pattern that explodes ends like an endless loop. */
#include "script/state.h"
#include <string.h>

#define CAPTURES_MAX 32
#define DEPTH_MAX    200

enum { CAPTURE_OPEN = -1, CAPTURE_POSITION = -2 };

typedef struct matcher {
  lua_State *L;
  const char *text, *text_end;
  const char *pattern_end;
  int level; /* captures so far */
  int depth;
  struct {
    const char *start;
    ptrdiff_t size; /* or one of the two above */
  } captures[CAPTURES_MAX];
} matcher;

static const char *match_here(matcher *m, const char *at, const char *p);

/* ---- single characters ---- */

static bool is_upper(int c) {
  return c >= 'A' && c <= 'Z';
}

static bool is_lower(int c) {
  return c >= 'a' && c <= 'z';
}

static bool is_digit(int c) {
  return c >= '0' && c <= '9';
}

static bool is_graph(int c) {
  return c > ' ' && c < 127;
}

static bool is_space(int c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Whether `c` belongs to the class named by a letter ('a', or 'A' for its opposite). */
static bool in_class(int c, int name) {
  bool is;
  bool alpha = is_upper(c) || is_lower(c);
  switch (name | 32) {
  case 'a':
    is = alpha;
    break;
  case 'c':
    is = c < 32 || c == 127;
    break;
  case 'd':
    is = is_digit(c);
    break;
  case 'g':
    is = is_graph(c);
    break;
  case 'l':
    is = is_lower(c);
    break;
  case 'p':
    is = is_graph(c) && !alpha && !is_digit(c);
    break;
  case 's':
    is = is_space(c);
    break;
  case 'u':
    is = is_upper(c);
    break;
  case 'w':
    is = alpha || is_digit(c);
    break;
  case 'x':
    is = is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f');
    break;
  default:
    return name == c;
  }
  return is_upper(name) ? !is : is;
}

/* `p` stands on '['; `last` on the closing ']'. */
static bool in_set(int c, const char *p, const char *last) {
  bool inside = true;
  if (p[1] == '^') {
    inside = false;
    p++;
  }
  while (++p < last) {
    if (*p == '%') {
      p++;
      if (in_class(c, (unsigned char)*p))
        return inside;
    } else if (p[1] == '-' && p + 2 < last) {
      if ((unsigned char)p[0] <= c && c <= (unsigned char)p[2])
        return inside;
      p += 2;
    } else if ((unsigned char)*p == c) {
      return inside;
    }
  }
  return !inside;
}

/* The end of the single-character item that begins at `p`. */
static const char *item_end(matcher *m, const char *p) {
  if (*p == '%') {
    if (p + 1 == m->pattern_end)
      luaL_error(m->L, "malformed pattern: it ends with '%%'");
    return p + 2;
  }
  if (*p != '[')
    return p + 1;
  p++;
  if (p < m->pattern_end && *p == '^')
    p++;
  for (const char *first = p; p < m->pattern_end; p++) {
    if (*p == ']' && p > first)
      return p + 1;
    if (*p == '%')
      p++;
  }
  luaL_error(m->L, "malformed pattern: a '[' is not closed");
  return p;
}

static bool matches_one(const matcher *m, const char *at, const char *p, const char *end) {
  if (at >= m->text_end)
    return false;
  int c = (unsigned char)*at;
  switch (*p) {
  case '.':
    return true;
  case '%':
    return in_class(c, (unsigned char)p[1]);
  case '[':
    return in_set(c, p, end - 1);
  default:
    return (unsigned char)*p == c;
  }
}

/* ---- repetition ---- */

static const char *match_most(matcher *m, const char *at, const char *p, const char *end) {
  ptrdiff_t count = 0;
  while (matches_one(m, at + count, p, end)) {
    count++;
    mb_lua_tick(m->L, 1);
  }
  for (; count >= 0; count--) {
    const char *found = match_here(m, at + count, end + 1);
    if (found)
      return found;
  }
  return NULL;
}

static const char *match_fewest(matcher *m, const char *at, const char *p, const char *end) {
  for (;;) {
    const char *found = match_here(m, at, end + 1);
    if (found)
      return found;
    if (!matches_one(m, at, p, end))
      return NULL;
    at++;
  }
}

/* ---- captures ---- */

static const char *match_opening(matcher *m, const char *at, const char *p, ptrdiff_t kind) {
  if (m->level >= CAPTURES_MAX)
    luaL_error(m->L, "a pattern has at most %d captures", CAPTURES_MAX);
  m->captures[m->level].start = at;
  m->captures[m->level].size = kind;
  m->level++;
  const char *found = match_here(m, at, p);
  if (!found)
    m->level--;
  return found;
}

static const char *match_closing(matcher *m, const char *at, const char *p) {
  int level = m->level - 1;
  while (level >= 0 && m->captures[level].size != CAPTURE_OPEN)
    level--;
  if (level < 0)
    luaL_error(m->L, "malformed pattern: a ')' without its '('");
  m->captures[level].size = at - m->captures[level].start;
  const char *found = match_here(m, at, p);
  if (!found)
    m->captures[level].size = CAPTURE_OPEN;
  return found;
}

static const char *match_again(matcher *m, const char *at, int digit) {
  int level = digit - '1';
  if (level < 0 || level >= m->level || m->captures[level].size == CAPTURE_OPEN)
    luaL_error(m->L, "invalid capture index %%%d in a pattern", level + 1);
  ptrdiff_t size = m->captures[level].size;
  if (size == CAPTURE_POSITION)
    luaL_error(m->L, "a position capture cannot be matched again");
  mb_lua_tick(m->L, 1 + (size_t)size / 64);
  if (m->text_end - at < size || memcmp(m->captures[level].start, at, (size_t)size) != 0)
    return NULL;
  return at + size;
}

/* %bxy: a balanced stretch; `p` stands on x. */
static const char *match_balanced(matcher *m, const char *at, const char *p) {
  if (m->pattern_end - p < 2)
    luaL_error(m->L, "malformed pattern: %%b needs two characters");
  if (at >= m->text_end || *at != p[0])
    return NULL;
  size_t open = 1;
  for (at++; at < m->text_end; at++) {
    mb_lua_tick(m->L, 1);
    if (*at == p[1]) {
      if (--open == 0)
        return at + 1;
    } else if (*at == p[0]) {
      open++;
    }
  }
  return NULL;
}

/* %f[set]: between a character outside the set and one inside; `p` stands on '['. */
static const char *match_frontier(matcher *m, const char *at, const char *p) {
  if (p >= m->pattern_end || *p != '[')
    luaL_error(m->L, "malformed pattern: %%f needs a set");
  const char *end = item_end(m, p);
  int before = at == m->text ? 0 : (unsigned char)at[-1];
  int here = at == m->text_end ? 0 : (unsigned char)*at;
  return !in_set(before, p, end - 1) && in_set(here, p, end - 1) ? end : NULL;
}

/* ---- the matcher ---- */

typedef enum verdict { GO_ON, FOUND, LOST } verdict;

/* Items that begin with '(', ')', '$' or a special '%'. GO_ON with `*at` and `*p` moved, or done
 * with `*at` the end of the match. `*plain`: it was none of these. */
static verdict match_special(matcher *m, const char **at, const char **p, bool *plain) {
  const char *next = *p + 1;
  bool more = next < m->pattern_end;
  *plain = false;
  switch (**p) {
  case '(':
    if (more && *next == ')')
      *at = match_opening(m, *at, next + 1, CAPTURE_POSITION);
    else
      *at = match_opening(m, *at, next, CAPTURE_OPEN);
    return *at ? FOUND : LOST;
  case ')':
    *at = match_closing(m, *at, next);
    return *at ? FOUND : LOST;
  case '$':
    *plain = more;
    return more || *at == m->text_end ? (more ? GO_ON : FOUND) : LOST;
  case '%':
    break;
  default:
    *plain = true;
    return GO_ON;
  }
  if (more && *next == 'b') {
    *at = match_balanced(m, *at, next + 1);
    *p = next + 3;
  } else if (more && *next == 'f') {
    *p = match_frontier(m, *at, next + 1);
    return *p ? GO_ON : LOST;
  } else if (more && is_digit((unsigned char)*next)) {
    *at = match_again(m, *at, *next);
    *p = next + 1;
  } else {
    *plain = true;
  }
  return *at ? GO_ON : LOST;
}

/* One ordinary item with its suffix. */
static verdict match_item(matcher *m, const char **at, const char **p) {
  const char *end = item_end(m, *p);
  char suffix = end < m->pattern_end ? *end : '\0';
  const char *found;
  switch (suffix) {
  case '?':
    if (matches_one(m, *at, *p, end) && (found = match_here(m, *at + 1, end + 1)) != NULL) {
      *at = found;
      return FOUND;
    }
    *p = end + 1;
    return GO_ON;
  case '+':
    *at = matches_one(m, *at, *p, end) ? match_most(m, *at + 1, *p, end) : NULL;
    return *at ? FOUND : LOST;
  case '*':
    *at = match_most(m, *at, *p, end);
    return *at ? FOUND : LOST;
  case '-':
    *at = match_fewest(m, *at, *p, end);
    return *at ? FOUND : LOST;
  default:
    if (!matches_one(m, *at, *p, end))
      return LOST;
    ++*at;
    *p = end;
    return GO_ON;
  }
}

/* Matches the pattern from `p` on at `at`; gives the end of the match, or NULL. */
static const char *match_here(matcher *m, const char *at, const char *p) {
  verdict result = GO_ON;
  if (++m->depth > DEPTH_MAX)
    luaL_error(m->L, "the pattern is too complex");
  while (result == GO_ON) {
    bool plain;
    mb_lua_tick(m->L, 1);
    if (p >= m->pattern_end) {
      result = FOUND;
      break;
    }
    result = match_special(m, &at, &p, &plain);
    if (plain)
      result = match_item(m, &at, &p);
  }
  m->depth--;
  return result == FOUND ? at : NULL;
}

static void begin_match(matcher *m) {
  m->level = 0;
  m->depth = 0;
}

/* ---- results ---- */

static void push_capture(matcher *m, int index, const char *from, const char *to) {
  if (index >= m->level) {
    if (index != 0)
      luaL_error(m->L, "invalid capture index %%%d", index + 1);
    lua_pushlstring(m->L, from, (size_t)(to - from)); /* no captures: the whole match */
    return;
  }
  ptrdiff_t size = m->captures[index].size;
  if (size == CAPTURE_OPEN)
    luaL_error(m->L, "malformed pattern: a '(' is not closed");
  if (size == CAPTURE_POSITION)
    lua_pushinteger(m->L, (lua_Integer)(m->captures[index].start - m->text) + 1);
  else
    lua_pushlstring(m->L, m->captures[index].start, (size_t)size);
}

static int push_captures(matcher *m, const char *from, const char *to) {
  int count = m->level == 0 && from ? 1 : m->level;
  luaL_checkstack(m->L, count, "too many captures");
  for (int i = 0; i < count; i++)
    push_capture(m, i, from, to);
  return count;
}

/* ---- find, match ---- */

/* The start that `init` at `index` means, as an offset; past the end gives size + 1. */
static size_t start_at(lua_State *L, int index, size_t size) {
  lua_Integer init = luaL_optinteger(L, index, 1);
  if (init > 0)
    return (lua_Unsigned)init > size ? (init == (lua_Integer)size + 1 ? size : size + 1)
                                     : (size_t)init - 1;
  if (init == 0 || init < -(lua_Integer)size)
    return 0;
  return size - (size_t)-init;
}

static bool has_no_specials(const char *pattern, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (pattern[i] && strchr("^$*+?.([%-", pattern[i]))
      return false;
  return true;
}

static int find_plain(lua_State *L, const char *text, size_t size, const char *wanted,
                      size_t wanted_size, size_t start) {
  mb_lua_tick(L, (size - start) / 16 + 1);
  const char *found =
      wanted_size ? memmem(text + start, size - start, wanted, wanted_size) : text + start;
  if (!found) {
    lua_pushnil(L);
    return 1;
  }
  lua_pushinteger(L, (lua_Integer)(found - text) + 1);
  lua_pushinteger(L, (lua_Integer)(found - text) + (lua_Integer)wanted_size);
  return 2;
}

static int find_or_match(lua_State *L, bool find) {
  size_t size, pattern_size;
  const char *text = luaL_checklstring(L, 1, &size);
  const char *pattern = luaL_checklstring(L, 2, &pattern_size);
  size_t start = start_at(L, 3, size);
  if (start > size) {
    lua_pushnil(L);
    return 1;
  }
  if (find && (lua_toboolean(L, 4) || has_no_specials(pattern, pattern_size)))
    return find_plain(L, text, size, pattern, pattern_size, start);
  matcher m = {
      .L = L, .text = text, .text_end = text + size, .pattern_end = pattern + pattern_size};
  bool anchored = pattern_size > 0 && pattern[0] == '^';
  for (const char *at = text + start; at <= m.text_end; at++) {
    begin_match(&m);
    const char *end = match_here(&m, at, pattern + anchored);
    if (end && find) {
      lua_pushinteger(L, (lua_Integer)(at - text) + 1);
      lua_pushinteger(L, (lua_Integer)(end - text));
      return push_captures(&m, NULL, NULL) + 2;
    }
    if (end)
      return push_captures(&m, at, end);
    if (anchored)
      break;
  }
  lua_pushnil(L);
  return 1;
}

static int string_find(lua_State *L) {
  return find_or_match(L, true);
}

static int string_match(lua_State *L) {
  return find_or_match(L, false);
}

/* ---- gmatch ---- */

/* Upvalues: text, pattern, where to go on, the end of the last match (or -1). */
static int gmatch_next(lua_State *L) {
  size_t size, pattern_size;
  const char *text = lua_tolstring(L, lua_upvalueindex(1), &size);
  const char *pattern = lua_tolstring(L, lua_upvalueindex(2), &pattern_size);
  size_t start = (size_t)lua_tointeger(L, lua_upvalueindex(3));
  lua_Integer last = lua_tointeger(L, lua_upvalueindex(4));
  matcher m = {
      .L = L, .text = text, .text_end = text + size, .pattern_end = pattern + pattern_size};
  for (size_t at = start; at <= size; at++) {
    begin_match(&m);
    const char *end = match_here(&m, text + at, pattern);
    if (!end || end - text == last)
      continue;
    lua_pushinteger(L, (lua_Integer)(end - text));
    lua_pushvalue(L, -1);
    lua_replace(L, lua_upvalueindex(3));
    lua_replace(L, lua_upvalueindex(4));
    return push_captures(&m, text + at, end);
  }
  return 0;
}

static int string_gmatch(lua_State *L) {
  size_t size;
  luaL_checklstring(L, 1, &size);
  luaL_checkstring(L, 2);
  size_t start = start_at(L, 3, size);
  lua_settop(L, 2);
  lua_pushinteger(L, (lua_Integer)start);
  lua_pushinteger(L, -1);
  lua_pushcclosure(L, gmatch_next, 4);
  return 1;
}

/* ---- gsub ---- */

static void add_template(matcher *m, luaL_Buffer *buffer, const char *from, const char *to) {
  lua_State *L = m->L;
  size_t size;
  const char *template = lua_tolstring(L, 3, &size);
  for (size_t i = 0; i < size; i++) {
    if (template[i] != '%') {
      luaL_addchar(buffer, template[i]);
      continue;
    }
    i++;
    if (i < size && template[i] == '%') {
      luaL_addchar(buffer, '%');
    } else if (i < size && is_digit((unsigned char)template[i])) {
      if (template[i] == '0')
        lua_pushlstring(L, from, (size_t)(to - from));
      else
        push_capture(m, template[i] - '1', from, to);
      if (lua_isinteger(L, -1))
        lua_tostring(L, -1); /* a position */
      luaL_addvalue(buffer);
    } else {
      luaL_error(L, "invalid use of '%%' in the replacement");
    }
  }
}

/* Adds what stands for one match; false when the match stays as it is. */
static bool add_replacement(matcher *m, luaL_Buffer *buffer, const char *from, const char *to) {
  lua_State *L = m->L;
  switch (lua_type(L, 3)) {
  case LUA_TFUNCTION:
    lua_pushvalue(L, 3);
    lua_call(L, push_captures(m, from, to), 1);
    break;
  case LUA_TTABLE:
    push_capture(m, 0, from, to);
    lua_gettable(L, 3);
    break;
  default:
    add_template(m, buffer, from, to);
    return true;
  }
  if (!lua_toboolean(L, -1)) {
    lua_settop(L, -2);
    luaL_addlstring(buffer, from, (size_t)(to - from));
    return false;
  }
  if (lua_type(L, -1) != LUA_TSTRING && lua_type(L, -1) != LUA_TNUMBER)
    luaL_error(L, "a replacement must be text, not a %s", luaL_typename(L, -1));
  luaL_addvalue(buffer);
  return true;
}

static int string_gsub(lua_State *L) {
  size_t size, pattern_size;
  const char *text = luaL_checklstring(L, 1, &size);
  const char *pattern = luaL_checklstring(L, 2, &pattern_size);
  int type = lua_type(L, 3);
  luaL_argexpected(
      L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TTABLE || type == LUA_TFUNCTION,
      3, "string, table or function");
  lua_Integer limit = luaL_optinteger(L, 4, (lua_Integer)size + 1);
  bool anchored = pattern_size > 0 && pattern[0] == '^';
  matcher m = {
      .L = L, .text = text, .text_end = text + size, .pattern_end = pattern + pattern_size};
  lua_Integer count = 0;
  const char *at = text, *last = NULL;
  luaL_Buffer buffer;
  lua_settop(L, 3);
  luaL_buffinit(L, &buffer);
  while (count < limit) {
    begin_match(&m);
    const char *end = match_here(&m, at, pattern + anchored);
    if (end && end != last) {
      count++;
      add_replacement(&m, &buffer, at, end);
      at = last = end;
    } else if (at < m.text_end) {
      luaL_addchar(&buffer, *at++);
    } else {
      break;
    }
    if (luaL_bufflen(&buffer) > mb_script_of(L)->string_limit)
      return luaL_error(L, "the text would be longer than %d MiB",
                        (int)(mb_script_of(L)->string_limit >> 20));
    if (anchored)
      break;
  }
  luaL_addlstring(&buffer, at, (size_t)(m.text_end - at));
  luaL_pushresult(&buffer);
  lua_pushinteger(L, count);
  return 2;
}

const mb_lua_function mb_lua_pattern_functions[] = {
    {"find", string_find},
    {"match", string_match},
    {"gmatch", string_gmatch},
    {"gsub", string_gsub},
    {NULL, NULL},
};
