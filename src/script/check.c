/* Looking at a runbook without running it: its syntax, and the primitives it names. */
#include "script/state.h"
#include <string.h>

#define LOCALS_MAX 512

typedef enum token_type { TOKEN_END, TOKEN_NAME, TOKEN_SYMBOL, TOKEN_OTHER } token_type;

typedef struct token {
  token_type type;
  const char *text;
  size_t size;
  int line;
} token;

/* Reads Lua text that has compiled: every string and comment is closed. */
typedef struct lexer {
  const char *at, *end;
  int line;
} lexer;

typedef struct scan {
  lexer lexer;
  mb_arena *arena;
  mb_value *names;
  token locals[LOCALS_MAX]; /* names declared in the file: not namespaces */
  size_t local_count;
  bool failed;
} scan;

static bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static void advance(lexer *lex, size_t count) {
  for (; count > 0 && lex->at < lex->end; count--)
    if (*lex->at++ == '\n')
      lex->line++;
}

/* Skips "[==[ ... ]==]" if one begins here. */
static bool skip_long(lexer *lex) {
  const char *p = lex->at;
  if (p >= lex->end || *p != '[')
    return false;
  size_t level = 0;
  for (p++; p < lex->end && *p == '='; p++)
    level++;
  if (p >= lex->end || *p != '[')
    return false;
  advance(lex, level + 2);
  while (lex->at < lex->end) {
    const char *q = lex->at;
    size_t count = 0;
    if (*q++ == ']') {
      for (; q < lex->end && *q == '='; q++)
        count++;
      if (count == level && q < lex->end && *q == ']') {
        advance(lex, level + 2);
        return true;
      }
    }
    advance(lex, 1);
  }
  return true;
}

static void skip_quoted(lexer *lex) {
  char quote = *lex->at;
  advance(lex, 1);
  while (lex->at < lex->end && *lex->at != quote)
    advance(lex, *lex->at == '\\' ? 2 : 1);
  advance(lex, 1);
}

static void skip_blank(lexer *lex) {
  while (lex->at < lex->end) {
    if (*lex->at == ' ' || (*lex->at >= '\t' && *lex->at <= '\r')) {
      advance(lex, 1);
    } else if (*lex->at == '-' && lex->at + 1 < lex->end && lex->at[1] == '-') {
      advance(lex, 2);
      if (!skip_long(lex))
        while (lex->at < lex->end && *lex->at != '\n')
          advance(lex, 1);
    } else {
      return;
    }
  }
}

static token next_token(lexer *lex) {
  skip_blank(lex);
  token result = {TOKEN_END, lex->at, 0, lex->line};
  if (lex->at >= lex->end)
    return result;
  char c = *lex->at;
  if (is_name_char(c)) {
    result.type = c >= '0' && c <= '9' ? TOKEN_OTHER : TOKEN_NAME;
    bool number = result.type == TOKEN_OTHER;
    while (lex->at < lex->end && (is_name_char(*lex->at) || (number && *lex->at == '.')))
      advance(lex, 1);
  } else if (c == '"' || c == '\'') {
    result.type = TOKEN_OTHER;
    skip_quoted(lex);
  } else if (skip_long(lex)) {
    result.type = TOKEN_OTHER;
  } else {
    result.type = TOKEN_SYMBOL;
    size_t dots = 0; /* ".." and "..." are one symbol each */
    while (lex->at + dots < lex->end && lex->at[dots] == '.' && dots < 3)
      dots++;
    advance(lex, dots ? dots : 1);
  }
  result.size = (size_t)(lex->at - result.text);
  return result;
}

static bool token_is(const token *t, const char *text) {
  return t->size == strlen(text) && memcmp(t->text, text, t->size) == 0;
}

/* ---- names declared in the file ---- */

static void declare(scan *s, const token *name) {
  if (name->type == TOKEN_NAME && s->local_count < LOCALS_MAX)
    s->locals[s->local_count++] = *name;
}

static bool is_declared(const scan *s, const token *name) {
  for (size_t i = 0; i < s->local_count; i++)
    if (s->locals[i].size == name->size && memcmp(s->locals[i].text, name->text, name->size) == 0)
      return true;
  return false;
}

/* Declares "a, b <const>, c" up to '=', 'in', ')' or anything else. */
static token declare_list(scan *s, token t) {
  while (t.type == TOKEN_NAME && !token_is(&t, "function") && !token_is(&t, "in")) {
    declare(s, &t);
    t = next_token(&s->lexer);
    if (token_is(&t, "<")) {
      next_token(&s->lexer);
      next_token(&s->lexer);
      t = next_token(&s->lexer);
    }
    if (!token_is(&t, ","))
      break;
    t = next_token(&s->lexer);
  }
  return t;
}

static void find_locals(scan *s) {
  token t = next_token(&s->lexer);
  while (t.type != TOKEN_END) {
    bool local = token_is(&t, "local"), loop = token_is(&t, "for");
    bool function = token_is(&t, "function");
    t = next_token(&s->lexer);
    if ((local || loop) && t.type == TOKEN_NAME) {
      if (token_is(&t, "function")) {
        t = next_token(&s->lexer);
        declare(s, &t);
        function = true;
        t = next_token(&s->lexer);
      } else {
        t = declare_list(s, t);
      }
    }
    if (!function)
      continue;
    while (t.type != TOKEN_END && !token_is(&t, "("))
      t = next_token(&s->lexer);
    t = declare_list(s, next_token(&s->lexer));
  }
}

/* ---- uses ---- */

static bool is_own_library(const token *name) {
  static const char *const libraries[] = {"string", "table", "math", "utf8", "json", "log", "self"};
  for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++)
    if (token_is(name, libraries[i]))
      return true;
  return false;
}

static void add_use(scan *s, const token *space, const token *name) {
  mb_value *use = mb_list_add(s->arena, s->names);
  if (use)
    mb_value_set_map(use);
  char *text = mb_arena_printf(s->arena, "%.*s.%.*s", (int)space->size, space->text,
                               (int)name->size, name->text);
  mb_value *field = use && text ? mb_map_put(s->arena, use, "name") : NULL;
  if (!field || mb_value_set_string(s->arena, field, text) != 0) {
    s->failed = true;
    return;
  }
  field = mb_map_put(s->arena, use, "line");
  if (field)
    mb_value_set_integer(field, space->line);
  else
    s->failed = true;
}

static void find_uses(scan *s) {
  token before = {TOKEN_END, "", 0, 0};
  token t = next_token(&s->lexer);
  while (t.type != TOKEN_END && !s->failed) {
    token dot = next_token(&s->lexer);
    bool first = t.type == TOKEN_NAME && !token_is(&before, ".") && !token_is(&before, ":");
    before = t;
    if (!first || !token_is(&dot, ".")) {
      t = dot;
      continue;
    }
    token name = next_token(&s->lexer);
    if (name.type == TOKEN_NAME && !is_declared(s, &t) && !is_own_library(&t))
      add_use(s, &t, &name);
    before = name;
    t = next_token(&s->lexer);
  }
}

static int collect_uses(mb_arena *arena, const char *source, size_t size, mb_value *names,
                        mb_error *error) {
  scan *s = mb_alloc_zero(1, sizeof *s);
  if (!s)
    return mb_error_memory(error);
  s->arena = arena;
  s->names = names;
  s->lexer = (lexer){source, source + size, 1};
  find_locals(s);
  s->lexer = (lexer){source, source + size, 1};
  find_uses(s);
  bool failed = s->failed;
  mb_free(s);
  return failed ? mb_error_memory(error) : 0;
}

/* ---- syntax ---- */

typedef struct compiling {
  const char *chunk_name, *source;
  size_t size;
} compiling;

static int compile_body(lua_State *L) {
  const compiling *compile = lua_touserdata(L, 1);
  lua_createtable(L, 0, 0);
  mb_lua_load_text(L, compile->chunk_name, compile->source, compile->size);
  return 0;
}

int mb_script_check(mb_arena *arena, const char *chunk_name, const char *source, size_t size,
                    mb_value *names, mb_error *error) {
  mb_script *script = mb_script_bare(error);
  if (!script)
    return -1;
  compiling compile = {chunk_name, source, size};
  int result = mb_script_protect(script, compile_body, &compile, error);
  mb_script_free(script);
  if (result != 0 || !names)
    return result;
  return collect_uses(arena, source, size, names, error);
}
