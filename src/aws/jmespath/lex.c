/* Splits a JMESPath expression into tokens. */
#include "aws/jmespath/ast.h"
#include "base/text.h"
#include <string.h>

typedef struct lexer {
  mb_arena *arena;
  const char *start, *at, *end;
  mb_error *error;
} lexer;

static int lex_fail(const lexer *lex, const char *at, const char *problem) {
  return mb_error_set(lex->error, MB_ERROR_USAGE, "syntax",
                      "The JMESPath expression \"%.300s\" is wrong at character %zu: %s",
                      lex->start, (size_t)(at - lex->start) + 1, problem);
}

static bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static int lex_name(lexer *lex, mb_jp_token *out) {
  const char *from = lex->at;
  while (is_name_start(*lex->at) || is_digit(*lex->at))
    lex->at++;
  out->type = MB_JP_NAME;
  out->size = (size_t)(lex->at - from);
  out->text = mb_arena_strndup(lex->arena, from, out->size);
  return out->text ? 0 : mb_error_memory(lex->error);
}

static int lex_number(lexer *lex, mb_jp_token *out) {
  const char *from = lex->at;
  if (*lex->at == '-')
    lex->at++;
  const char *digits = lex->at;
  while (is_digit(*lex->at))
    lex->at++;
  if (lex->at == digits)
    return lex_fail(lex, from, "a '-' must be followed by digits");
  out->type = MB_JP_NUMBER;
  if (mb_parse_integer(from, (size_t)(lex->at - from), &out->number))
    return lex_fail(lex, from, "the number does not fit into 64 bits");
  return 0;
}

/* Moves past the closing `quote`, over escaped ones. -1 when there is none. */
static int find_end(lexer *lex, char quote, const char **from, size_t *size) {
  const char *opening = lex->at++;
  *from = lex->at;
  while (lex->at < lex->end && *lex->at != quote)
    lex->at += *lex->at == '\\' && lex->at + 1 < lex->end ? 2 : 1;
  if (lex->at >= lex->end)
    return lex_fail(lex, opening, "what opens here is never closed");
  *size = (size_t)(lex->at - *from);
  lex->at++;
  return 0;
}

static int lex_quoted(lexer *lex, mb_jp_token *out) {
  const char *from;
  size_t size = 0;
  mb_value *name;
  mb_error ignored;
  if (find_end(lex, '"', &from, &size))
    return -1;
  if (mb_value_from_json(lex->arena, &name, from - 1, size + 2, &ignored)) {
    if (ignored.kind == MB_ERROR_MEMORY)
      return mb_error_memory(lex->error);
    return lex_fail(lex, from - 1, "the quoted name is not a valid JSON string");
  }
  out->type = MB_JP_QUOTED;
  out->text = mb_value_bytes(name, &out->size);
  return 0;
}

/* Copies with `\quote` turned into `quote`; other escapes stay. */
static char *unescape(lexer *lex, char quote, const char *from, size_t size, size_t *out_size) {
  char *copy = mb_arena_alloc(lex->arena, size + 1);
  size_t used = 0;
  if (!copy)
    return NULL;
  for (size_t i = 0; i < size; i++) {
    if (from[i] == '\\' && i + 1 < size && from[i + 1] == quote)
      i++;
    copy[used++] = from[i];
  }
  copy[used] = '\0';
  *out_size = used;
  return copy;
}

static int set_text(lexer *lex, mb_jp_token *out, const char *text, size_t size) {
  mb_value *value = mb_value_new(lex->arena);
  if (!value)
    return mb_error_memory(lex->error);
  mb_value_borrow(value, MB_TYPE_STRING, text, size);
  out->value = value;
  return 0;
}

static int lex_raw_string(lexer *lex, mb_jp_token *out) {
  const char *from;
  size_t size = 0;
  if (find_end(lex, '\'', &from, &size))
    return -1;
  const char *text = unescape(lex, '\'', from, size, &size);
  out->type = MB_JP_LITERAL;
  return text ? set_text(lex, out, text, size) : mb_error_memory(lex->error);
}

/* A bare word between backticks stands for a string: older tools wrote `running` without quotes,
 * and people still do. What starts like JSON, or holds a quote, must be JSON. */
static bool is_bare_word(const char *text, size_t size) {
  return size > 0 && !strchr("[]{}", *text) && !memchr(text, '"', size);
}

static size_t count_space(const char *text, size_t size) {
  size_t count = 0;
  while (count < size && strchr(" \t\n\r", text[count]))
    count++;
  return count;
}

static int lex_literal(lexer *lex, mb_jp_token *out) {
  const char *from;
  size_t size = 0;
  mb_value *value;
  mb_error problem;
  if (find_end(lex, '`', &from, &size))
    return -1;
  const char *text = unescape(lex, '`', from, size, &size);
  if (!text)
    return mb_error_memory(lex->error);
  out->type = MB_JP_LITERAL;
  if (!mb_value_from_json(lex->arena, &value, text, size, &problem)) {
    out->value = value;
    return 0;
  }
  if (problem.kind == MB_ERROR_MEMORY)
    return mb_error_memory(lex->error);
  size_t space = count_space(text, size);
  if (!is_bare_word(text + space, size - space))
    return lex_fail(lex, from - 1, "the text between backticks is not JSON");
  return set_text(lex, out, text + space, size - space);
}

/* Operators: the longer spelling first. */
static const struct {
  char text[3];
  unsigned char type;
} operators[] = {
    {"||", MB_JP_OR},    {"&&", MB_JP_AND},     {"==", MB_JP_EQ},      {"!=", MB_JP_NE},
    {"<=", MB_JP_LE},    {">=", MB_JP_GE},      {"[]", MB_JP_FLATTEN}, {"[?", MB_JP_FILTER},
    {"|", MB_JP_PIPE},   {"&", MB_JP_EXPREF},   {"!", MB_JP_NOT},      {"<", MB_JP_LT},
    {">", MB_JP_GT},     {"[", MB_JP_LBRACKET}, {"]", MB_JP_RBRACKET}, {"{", MB_JP_LBRACE},
    {"}", MB_JP_RBRACE}, {"(", MB_JP_LPAREN},   {")", MB_JP_RPAREN},   {".", MB_JP_DOT},
    {"*", MB_JP_STAR},   {",", MB_JP_COMMA},    {":", MB_JP_COLON},    {"@", MB_JP_CURRENT},
};

static int lex_operator(lexer *lex, mb_jp_token *out) {
  for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
    if (!mb_text_starts(lex->at, operators[i].text))
      continue;
    out->type = (mb_jp_token_type)operators[i].type;
    lex->at += strlen(operators[i].text);
    return 0;
  }
  return lex_fail(lex, lex->at,
                  *lex->at == '=' ? "equality is written ==" : "this character means nothing here");
}

static int lex_token(lexer *lex, mb_jp_token *out) {
  char c = *lex->at;
  if (is_name_start(c))
    return lex_name(lex, out);
  if (is_digit(c) || c == '-')
    return lex_number(lex, out);
  if (c == '"')
    return lex_quoted(lex, out);
  if (c == '\'')
    return lex_raw_string(lex, out);
  if (c == '`')
    return lex_literal(lex, out);
  return lex_operator(lex, out);
}

static void skip_space(lexer *lex) {
  while (*lex->at == ' ' || *lex->at == '\t' || *lex->at == '\n' || *lex->at == '\r')
    lex->at++;
}

mb_jp_token *mb_jp_tokens(mb_arena *arena, const char *text, mb_error *error) {
  size_t size = strlen(text), count = 0, capacity = 16;
  lexer lex = {.arena = arena, .start = text, .at = text, .end = text + size, .error = error};
  if (size > MB_JP_TEXT_MAX) {
    lex_fail(&lex, text + MB_JP_TEXT_MAX, "it is longer than 65536 bytes");
    return NULL;
  }
  mb_jp_token *tokens = mb_arena_alloc(arena, capacity * sizeof *tokens);
  for (; tokens; count++) {
    if (count == capacity) {
      tokens =
          mb_arena_grow(arena, tokens, capacity * sizeof *tokens, 2 * capacity * sizeof *tokens);
      capacity *= 2;
      if (!tokens)
        break;
    }
    skip_space(&lex);
    memset(&tokens[count], 0, sizeof *tokens);
    tokens[count].offset = (size_t)(lex.at - text);
    if (lex.at == lex.end)
      return tokens; /* the zeroed token is MB_JP_END */
    if (lex_token(&lex, &tokens[count]))
      return NULL;
  }
  mb_error_memory(error);
  return NULL;
}
