/* The inside of JMESPath: tokens, the tree, and what the evaluator and its functions share. */
#ifndef MB_AWS_JMESPATH_AST_H
#define MB_AWS_JMESPATH_AST_H

#include "aws/jmespath/jmespath.h"
#include "base/value.h"

#define MB_JP_TEXT_MAX    (64 * 1024) /* bytes of an expression */
#define MB_JP_NESTING_MAX 200         /* expressions within expressions while parsing */
#define MB_JP_DEPTH_MAX   400         /* levels of the tree; long chains lean to the left */
#define MB_JP_STEPS_MAX   20000000    /* nodes evaluated and items listed in one search */

typedef enum mb_jp_token_type {
  MB_JP_END = 0,
  MB_JP_NAME,
  MB_JP_QUOTED,
  MB_JP_LITERAL,
  MB_JP_NUMBER,
  MB_JP_CURRENT,
  MB_JP_EXPREF,
  MB_JP_COLON,
  MB_JP_COMMA,
  MB_JP_RBRACKET,
  MB_JP_RPAREN,
  MB_JP_RBRACE,
  MB_JP_PIPE,
  MB_JP_OR,
  MB_JP_AND,
  MB_JP_EQ,
  MB_JP_NE,
  MB_JP_LT,
  MB_JP_LE,
  MB_JP_GT,
  MB_JP_GE,
  MB_JP_FLATTEN,
  MB_JP_STAR,
  MB_JP_FILTER,
  MB_JP_DOT,
  MB_JP_NOT,
  MB_JP_LBRACE,
  MB_JP_LBRACKET,
  MB_JP_LPAREN
} mb_jp_token_type;

typedef struct mb_jp_token {
  mb_jp_token_type type;
  size_t offset;
  const char *text; /* NAME, QUOTED: the name, NUL-terminated */
  size_t size;
  int64_t number;
  const mb_value *value; /* LITERAL */
} mb_jp_token;

/* Splits an expression into tokens, the last of which is MB_JP_END. NULL on failure. */
mb_jp_token *mb_jp_tokens(mb_arena *arena, const char *text, mb_error *error);

typedef enum mb_jp_kind {
  MB_JP_NODE_IDENTITY = 1,
  MB_JP_NODE_FIELD,
  MB_JP_NODE_LITERAL,
  MB_JP_NODE_INDEX,            /* left[number] */
  MB_JP_NODE_SLICE,            /* left[slice] */
  MB_JP_NODE_SUB,              /* left.right, and left | right */
  MB_JP_NODE_PROJECTION,       /* over a list */
  MB_JP_NODE_VALUE_PROJECTION, /* over the values of a map */
  MB_JP_NODE_FILTER,           /* left[?condition].right */
  MB_JP_NODE_FLATTEN,
  MB_JP_NODE_OR,
  MB_JP_NODE_AND,
  MB_JP_NODE_NOT,
  MB_JP_NODE_COMPARE,
  MB_JP_NODE_LIST,
  MB_JP_NODE_MAP,
  MB_JP_NODE_CALL,
  MB_JP_NODE_EXPREF
} mb_jp_kind;

typedef struct mb_jp_node mb_jp_node;
struct mb_jp_node {
  mb_jp_kind kind;
  unsigned depth;
  mb_jp_node *left, *right;
  union {
    struct {
      const char *text;
      size_t size;
    } field;
    const mb_value *literal;
    int64_t index;
    struct {
      int64_t start, stop, step;
      bool has_start, has_stop;
    } slice;
    mb_jp_node *condition; /* of a filter */
    mb_jp_token_type compare;
    struct {
      const struct mb_jp_function *function; /* of a call */
      mb_jp_node **items;                    /* of a map: name, expression, name, expression, ... */
      size_t count;
    } many;
  } as;
};

struct mb_jmespath {
  const mb_jp_node *root;
};

/* One search under way. */
typedef struct mb_jp_search {
  mb_arena *arena;
  mb_error *error;
  uint64_t steps;
} mb_jp_search;

/* An argument of a function: a value, or the expression behind '&'. */
typedef struct mb_jp_argument {
  const mb_value *value;
  const mb_jp_node *expression;
} mb_jp_argument;

/* What an argument may be; bits. */
enum {
  MB_JP_ANY_NUMBER = 1 << 0,
  MB_JP_ANY_STRING = 1 << 1,
  MB_JP_ANY_BOOLEAN = 1 << 2,
  MB_JP_ANY_LIST = 1 << 3,
  MB_JP_ANY_MAP = 1 << 4,
  MB_JP_ANY_NULL = 1 << 5,
  MB_JP_NUMBERS = 1 << 6, /* a list of numbers */
  MB_JP_STRINGS = 1 << 7, /* a list of strings */
  MB_JP_EXPRESSION = 1 << 8,
  MB_JP_ANY = (1 << 6) - 1
};

typedef struct mb_jp_function {
  const char *name;
  const mb_value *(*call)(mb_jp_search *, const mb_jp_argument *, size_t count);
  int minimum;
  int maximum; /* -1: any number, all like the last */
  unsigned arguments[2];
  bool keeps_secret; /* its text is made of its arguments' text */
} mb_jp_function;

const mb_jp_function *mb_jp_function_find(const char *name, size_t size);
/* Checks the types and calls. NULL with the error set on failure. */
const mb_value *mb_jp_function_call(mb_jp_search *search, const mb_jp_function *function,
                                    const mb_jp_argument *arguments, size_t count);

/* Evaluates a node. The result may lie in the data. NULL with the error set on failure. */
const mb_value *mb_jp_eval(mb_jp_search *search, const mb_jp_node *node, const mb_value *data);

extern const mb_value mb_jp_null;
extern const mb_value mb_jp_true;
extern const mb_value mb_jp_false;
bool mb_jp_is_string(const mb_value *value);
bool mb_jp_is_number(const mb_value *value);
int mb_jp_compare_numbers(const mb_value *a, const mb_value *b);
int mb_jp_compare_strings(const mb_value *a, const mb_value *b);
/* Adds a copy of `item` that shares what it holds. 0, or -1 with the error set. */
int mb_jp_list_push(mb_jp_search *search, mb_value *list, const mb_value *item);
const mb_value *mb_jp_memory(mb_jp_search *search); /* NULL, error set */

#endif
