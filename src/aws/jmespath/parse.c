/* Makes the tree of a JMESPath expression: a precedence-climbing parser over the tokens. */
#include "aws/jmespath/ast.h"
#include <stdarg.h>
#include <stdio.h>

typedef struct parser {
  mb_arena *arena;
  mb_error *error;
  const char *text;
  const mb_jp_token *at;
  unsigned nesting;
  /* The first thing that is wrong though the syntax is right: an unknown function, a wrong number
   * of arguments, a slice without a step. Reported only once all the syntax has proved right. */
  const mb_jp_token *late;
  const char *late_code;
  char late_problem[128];
} parser;

/* How tightly each token binds what stands left of it; tokens not listed end an expression. */
enum {
  POWER_PIPE = 1,
  POWER_OR,
  POWER_AND,
  POWER_COMPARE = 5,
  POWER_FLATTEN = 9,
  POWER_PROJECTION_ENDS = 10, /* what binds less than this ends a projection's right side */
  POWER_STAR = 20,
  POWER_FILTER,
  POWER_DOT = 40,
  POWER_NOT = 45,
  POWER_BRACKET = 55
};

static const unsigned char powers[] = {
    [MB_JP_PIPE] = POWER_PIPE,        [MB_JP_OR] = POWER_OR,
    [MB_JP_AND] = POWER_AND,          [MB_JP_EQ] = POWER_COMPARE,
    [MB_JP_NE] = POWER_COMPARE,       [MB_JP_LT] = POWER_COMPARE,
    [MB_JP_LE] = POWER_COMPARE,       [MB_JP_GT] = POWER_COMPARE,
    [MB_JP_GE] = POWER_COMPARE,       [MB_JP_FLATTEN] = POWER_FLATTEN,
    [MB_JP_FILTER] = POWER_FILTER,    [MB_JP_DOT] = POWER_DOT,
    [MB_JP_LBRACKET] = POWER_BRACKET, [MB_JP_LPAREN] = 0,
};

static mb_jp_node *parse_expression(parser *p, int power);

static mb_jp_node *parse_fail(parser *p, const char *code, const char *problem) {
  mb_error_set(p->error, MB_ERROR_USAGE, code,
               "The JMESPath expression \"%.300s\" is wrong at character %zu: %s", p->text,
               p->at->offset + 1, problem);
  return NULL;
}

static mb_jp_node *unexpected(parser *p) {
  return parse_fail(p, "syntax",
                    p->at->type == MB_JP_END ? "it ends too early" : "this is not expected here");
}

static void defer(parser *p, const mb_jp_token *at, const char *code, const char *format, ...) {
  va_list arguments;
  if (p->late)
    return;
  p->late = at;
  p->late_code = code;
  va_start(arguments, format);
  vsnprintf(p->late_problem, sizeof p->late_problem, format, arguments);
  va_end(arguments);
}

static bool accept(parser *p, mb_jp_token_type type) {
  if (p->at->type != type)
    return false;
  p->at++;
  return true;
}

static unsigned depth_of(const mb_jp_node *node) {
  return node ? node->depth : 0;
}

static mb_jp_node *deepen(parser *p, mb_jp_node *node, const mb_jp_node *child) {
  if (depth_of(child) >= node->depth)
    node->depth = depth_of(child) + 1;
  if (node->depth > MB_JP_DEPTH_MAX)
    return parse_fail(p, "syntax", "it is nested too deeply");
  return node;
}

static mb_jp_node *node_new(parser *p, mb_jp_kind kind, mb_jp_node *left, mb_jp_node *right) {
  mb_jp_node *node = mb_arena_zero(p->arena, sizeof *node);
  if (!node) {
    mb_error_memory(p->error);
    return NULL;
  }
  node->kind = kind;
  node->left = left;
  node->right = right;
  node->depth = 1;
  return deepen(p, node, left) ? deepen(p, node, right) : NULL;
}

static mb_jp_node *identity(parser *p) {
  return node_new(p, MB_JP_NODE_IDENTITY, NULL, NULL);
}

/* ---- lists of expressions ---- */

static int many_add(parser *p, mb_jp_node *node, mb_jp_node *item) {
  size_t count = node->as.many.count;
  if (!item)
    return -1;
  if (count == 0 || (count >= 4 && (count & (count - 1)) == 0)) {
    size_t capacity = count ? 2 * count : 4;
    node->as.many.items = mb_arena_grow(p->arena, node->as.many.items, count * sizeof(mb_jp_node *),
                                        capacity * sizeof(mb_jp_node *));
    if (!node->as.many.items)
      return mb_error_memory(p->error);
  }
  node->as.many.items[node->as.many.count++] = item;
  return deepen(p, node, item) ? 0 : -1;
}

/* After '[': expressions up to ']'. */
static mb_jp_node *parse_list(parser *p) {
  mb_jp_node *node = node_new(p, MB_JP_NODE_LIST, NULL, NULL);
  if (!node)
    return NULL;
  do {
    if (many_add(p, node, parse_expression(p, 0)))
      return NULL;
  } while (accept(p, MB_JP_COMMA));
  return accept(p, MB_JP_RBRACKET) ? node : unexpected(p);
}

static mb_jp_node *parse_field(parser *p, const mb_jp_token *name) {
  mb_jp_node *node = node_new(p, MB_JP_NODE_FIELD, NULL, NULL);
  if (!node)
    return NULL;
  node->as.field.text = name->text;
  node->as.field.size = name->size;
  return node;
}

/* After '{': "name: expression" pairs up to '}'. The items are name, expression, name, ... */
static mb_jp_node *parse_map(parser *p) {
  mb_jp_node *node = node_new(p, MB_JP_NODE_MAP, NULL, NULL);
  if (!node)
    return NULL;
  do {
    const mb_jp_token *name = p->at;
    if ((!accept(p, MB_JP_NAME) && !accept(p, MB_JP_QUOTED)) || !accept(p, MB_JP_COLON))
      return unexpected(p);
    if (many_add(p, node, parse_field(p, name)) || many_add(p, node, parse_expression(p, 0)))
      return NULL;
  } while (accept(p, MB_JP_COMMA));
  return accept(p, MB_JP_RBRACE) ? node : unexpected(p);
}

/* ---- calls ---- */

static mb_jp_node *parse_argument(parser *p) {
  if (!accept(p, MB_JP_EXPREF))
    return parse_expression(p, 0);
  mb_jp_node *inner = parse_expression(p, 0);
  return inner ? node_new(p, MB_JP_NODE_EXPREF, inner, NULL) : NULL;
}

static void check_call(parser *p, const mb_jp_node *call, const mb_jp_token *name) {
  const mb_jp_function *function = call->as.many.function;
  size_t count = call->as.many.count;
  if (!function)
    defer(p, name, "unknown-function", "there is no function of this name");
  else if (count < (size_t)function->minimum ||
           (function->maximum >= 0 && count > (size_t)function->maximum))
    defer(p, name, "invalid-arity", "%s() takes %s%d argument%s, not %zu", function->name,
          function->maximum < 0 ? "at least " : "", function->minimum,
          function->minimum == 1 ? "" : "s", count);
}

/* After "name(". */
static mb_jp_node *parse_call(parser *p, const mb_jp_token *name) {
  mb_jp_node *node = node_new(p, MB_JP_NODE_CALL, NULL, NULL);
  if (!node)
    return NULL;
  node->as.many.function = mb_jp_function_find(name->text, name->size);
  if (!accept(p, MB_JP_RPAREN)) {
    do {
      if (many_add(p, node, parse_argument(p)))
        return NULL;
    } while (accept(p, MB_JP_COMMA));
    if (!accept(p, MB_JP_RPAREN))
      return unexpected(p);
  }
  check_call(p, node, name);
  return node;
}

/* ---- projections, indexes, slices ---- */

/* What may follow a dot. */
static mb_jp_node *parse_after_dot(parser *p, int power) {
  switch (p->at->type) {
  case MB_JP_NAME:
  case MB_JP_QUOTED:
  case MB_JP_STAR:
    return parse_expression(p, power);
  case MB_JP_LBRACKET:
    p->at++;
    return parse_list(p);
  case MB_JP_LBRACE:
    p->at++;
    return parse_map(p);
  default:
    return unexpected(p);
  }
}

/* The right side of a projection: what is applied to each item. */
static mb_jp_node *parse_projected(parser *p, int power) {
  mb_jp_token_type type = p->at->type;
  if (type == MB_JP_LBRACKET || type == MB_JP_FILTER)
    return parse_expression(p, power);
  if (accept(p, MB_JP_DOT))
    return parse_after_dot(p, power);
  int binds = type < sizeof powers ? powers[type] : 0;
  return binds < POWER_PROJECTION_ENDS && type != MB_JP_STAR ? identity(p) : unexpected(p);
}

static mb_jp_node *parse_projection(parser *p, mb_jp_kind kind, mb_jp_node *left, int power) {
  mb_jp_node *right = left ? parse_projected(p, power) : NULL;
  return right ? node_new(p, kind, left, right) : NULL;
}

/* One of start, stop, step. */
static bool parse_slice_part(parser *p, int64_t *out) {
  if (p->at->type != MB_JP_NUMBER)
    return false;
  *out = p->at->number;
  p->at++;
  return true;
}

/* "start:stop:step]" */
static mb_jp_node *parse_slice(parser *p, mb_jp_node *left) {
  mb_jp_node *node = node_new(p, MB_JP_NODE_SLICE, left, NULL);
  if (!node)
    return NULL;
  node->as.slice.step = 1;
  node->as.slice.has_start = parse_slice_part(p, &node->as.slice.start);
  if (!accept(p, MB_JP_COLON))
    return unexpected(p);
  node->as.slice.has_stop = parse_slice_part(p, &node->as.slice.stop);
  if (accept(p, MB_JP_COLON))
    parse_slice_part(p, &node->as.slice.step);
  if (!accept(p, MB_JP_RBRACKET))
    return unexpected(p);
  if (node->as.slice.step == 0)
    defer(p, p->at - 1, "invalid-value", "the step of the slice that ends here must not be 0");
  return parse_projection(p, MB_JP_NODE_PROJECTION, node, POWER_STAR);
}

/* After '[' before a number or a colon. */
static mb_jp_node *parse_index(parser *p, mb_jp_node *left) {
  if (!left)
    return NULL;
  if (p->at->type == MB_JP_COLON || p->at[1].type == MB_JP_COLON)
    return parse_slice(p, left);
  mb_jp_node *node = node_new(p, MB_JP_NODE_INDEX, left, NULL);
  if (!node)
    return NULL;
  node->as.index = p->at->number;
  p->at++;
  return accept(p, MB_JP_RBRACKET) ? node : unexpected(p);
}

/* After '[' when it follows something, or when it may start an expression. */
static mb_jp_node *parse_bracket(parser *p, mb_jp_node *left, bool list_allowed) {
  if (p->at->type == MB_JP_NUMBER || p->at->type == MB_JP_COLON)
    return parse_index(p, left ? left : identity(p));
  if (p->at->type == MB_JP_STAR && p->at[1].type == MB_JP_RBRACKET) {
    p->at += 2;
    return parse_projection(p, MB_JP_NODE_PROJECTION, left ? left : identity(p), POWER_STAR);
  }
  return list_allowed ? parse_list(p) : unexpected(p);
}

/* After '[?'. */
static mb_jp_node *parse_filter(parser *p, mb_jp_node *left) {
  mb_jp_node *condition = left ? parse_expression(p, 0) : NULL;
  if (!condition)
    return NULL;
  if (!accept(p, MB_JP_RBRACKET))
    return unexpected(p);
  /* A flatten ends the filter's projection, so that it applies to the filtered list. */
  mb_jp_node *right = p->at->type == MB_JP_FLATTEN ? identity(p) : parse_projected(p, POWER_FILTER);
  mb_jp_node *node = right ? node_new(p, MB_JP_NODE_FILTER, left, right) : NULL;
  if (!node)
    return NULL;
  node->as.condition = condition;
  return deepen(p, node, condition);
}

/* After '[]'. */
static mb_jp_node *parse_flatten(parser *p, mb_jp_node *left) {
  mb_jp_node *flat = left ? node_new(p, MB_JP_NODE_FLATTEN, left, NULL) : NULL;
  return parse_projection(p, MB_JP_NODE_PROJECTION, flat, POWER_FLATTEN);
}

/* ---- expressions ---- */

static mb_jp_node *parse_name(parser *p, const mb_jp_token *token) {
  if (p->at->type != MB_JP_LPAREN)
    return parse_field(p, token);
  if (token->type == MB_JP_QUOTED)
    return parse_fail(p, "syntax", "a function's name is not quoted");
  p->at++;
  return parse_call(p, token);
}

static mb_jp_node *parse_group(parser *p) {
  mb_jp_node *inner = parse_expression(p, 0);
  if (!inner)
    return NULL;
  return accept(p, MB_JP_RPAREN) ? inner : unexpected(p);
}

static mb_jp_node *parse_not(parser *p) {
  mb_jp_node *inner = parse_expression(p, POWER_NOT);
  return inner ? node_new(p, MB_JP_NODE_NOT, inner, NULL) : NULL;
}

static mb_jp_node *parse_literal(parser *p, const mb_jp_token *token) {
  mb_jp_node *node = node_new(p, MB_JP_NODE_LITERAL, NULL, NULL);
  if (node)
    node->as.literal = token->value;
  return node;
}

/* What can start an expression. */
static mb_jp_node *parse_start(parser *p) {
  const mb_jp_token *token = p->at;
  if (token->type == MB_JP_END)
    return unexpected(p);
  p->at++;
  switch (token->type) {
  case MB_JP_NAME:
  case MB_JP_QUOTED:
    return parse_name(p, token);
  case MB_JP_LITERAL:
    return parse_literal(p, token);
  case MB_JP_CURRENT:
    return identity(p);
  case MB_JP_STAR:
    return parse_projection(p, MB_JP_NODE_VALUE_PROJECTION, identity(p), POWER_STAR);
  case MB_JP_FILTER:
    return parse_filter(p, identity(p));
  case MB_JP_FLATTEN:
    return parse_flatten(p, identity(p));
  case MB_JP_LBRACKET:
    return parse_bracket(p, NULL, true);
  case MB_JP_LBRACE:
    return parse_map(p);
  case MB_JP_LPAREN:
    return parse_group(p);
  case MB_JP_NOT:
    return parse_not(p);
  default:
    p->at--;
    return unexpected(p);
  }
}

static mb_jp_node *parse_dot(parser *p, mb_jp_node *left) {
  if (accept(p, MB_JP_STAR))
    return parse_projection(p, MB_JP_NODE_VALUE_PROJECTION, left, POWER_DOT);
  mb_jp_node *right = parse_after_dot(p, POWER_DOT);
  return right ? node_new(p, MB_JP_NODE_SUB, left, right) : NULL;
}

static mb_jp_node *parse_binary(parser *p, mb_jp_kind kind, mb_jp_node *left, int power) {
  mb_jp_node *right = parse_expression(p, power);
  return right ? node_new(p, kind, left, right) : NULL;
}

static mb_jp_node *parse_compare(parser *p, mb_jp_token_type operator_, mb_jp_node *left) {
  mb_jp_node *node = parse_binary(p, MB_JP_NODE_COMPARE, left, POWER_COMPARE);
  if (node)
    node->as.compare = operator_;
  return node;
}

/* What can go on after `left`; the token has just been taken. */
static mb_jp_node *parse_rest(parser *p, mb_jp_token_type type, mb_jp_node *left) {
  switch (type) {
  case MB_JP_DOT:
    return parse_dot(p, left);
  case MB_JP_PIPE:
    return parse_binary(p, MB_JP_NODE_SUB, left, POWER_PIPE);
  case MB_JP_OR:
    return parse_binary(p, MB_JP_NODE_OR, left, POWER_OR);
  case MB_JP_AND:
    return parse_binary(p, MB_JP_NODE_AND, left, POWER_AND);
  case MB_JP_FILTER:
    return parse_filter(p, left);
  case MB_JP_FLATTEN:
    return parse_flatten(p, left);
  case MB_JP_LBRACKET:
    return parse_bracket(p, left, false);
  default:
    return parse_compare(p, type, left);
  }
}

static mb_jp_node *parse_expression(parser *p, int power) {
  if (p->nesting >= MB_JP_NESTING_MAX)
    return parse_fail(p, "syntax", "it is nested too deeply");
  p->nesting++;
  mb_jp_node *left = parse_start(p);
  while (left) {
    mb_jp_token_type type = p->at->type;
    int binds = type < sizeof powers ? powers[type] : 0;
    if (binds <= power)
      break;
    p->at++;
    left = parse_rest(p, type, left);
  }
  p->nesting--;
  return left;
}

mb_jmespath *mb_jmespath_compile(mb_arena *arena, const char *expression, mb_error *error) {
  parser p = {.arena = arena, .error = error, .text = expression};
  p.at = mb_jp_tokens(arena, expression, error);
  if (!p.at)
    return NULL;
  mb_jp_node *root = parse_expression(&p, 0);
  if (root && p.at->type != MB_JP_END)
    root = unexpected(&p);
  if (root && p.late) {
    p.at = p.late;
    root = parse_fail(&p, p.late_code, p.late_problem);
  }
  mb_jmespath *compiled = root ? mb_arena_alloc(arena, sizeof *compiled) : NULL;
  if (compiled)
    compiled->root = root;
  else if (root)
    mb_error_memory(error);
  return compiled;
}
