/* The inside of endpoint rules: what the compiler makes and the evaluator walks. */
#ifndef MB_AWS_ENDPOINT_RULESET_H
#define MB_AWS_ENDPOINT_RULESET_H

#include "aws/endpoint/endpoint.h"
#include "base/value.h"

#define MB_RULE_SLOTS_MAX 512 /* parameters and assigned names of one ruleset */
#define MB_RULE_NO_SLOT   UINT32_MAX

typedef struct mb_rule_node mb_rule_node;

/* One step of an attribute path: a name, an index, or a name with an index. */
typedef struct mb_rule_step {
  const char *name; /* NULL: index only */
  uint32_t name_size;
  bool has_index;
  int32_t index; /* negative: from the end */
} mb_rule_step;

/* A piece of a template: text, or a value reached from a slot. */
typedef struct mb_rule_piece {
  const char *text;
  size_t size;
  uint32_t slot; /* MB_RULE_NO_SLOT: text */
  const mb_rule_step *steps;
  uint32_t step_count;
} mb_rule_piece;

typedef struct mb_rule_call mb_rule_call; /* a function under evaluation; see functions.c */

typedef struct mb_rule_function {
  const char *name;
  const mb_value *(*call)(mb_rule_call *call);
  int minimum, maximum; /* arguments */
  bool unset_allowed;   /* called even when an argument is unset; else it gives unset itself */
} mb_rule_function;

typedef enum mb_rule_node_kind {
  MB_RULE_LITERAL = 1,
  MB_RULE_REFERENCE,
  MB_RULE_TEMPLATE,
  MB_RULE_CALL,
  MB_RULE_LIST,
  MB_RULE_MAP
} mb_rule_node_kind;

/* Anything that gives a value. */
struct mb_rule_node {
  mb_rule_node_kind kind;
  uint32_t slot;       /* of a reference */
  uint32_t count;      /* items or pieces */
  uint32_t step_count; /* of getAttr's path */
  uint32_t assign;     /* of a condition's call: the slot that keeps the result */
  const mb_rule_function *function;
  mb_rule_node *items; /* arguments of a call, items of a list or map */
  const char **keys;   /* of a map */
  union {
    mb_value literal;
    const mb_rule_piece *pieces;
    const mb_rule_step *steps; /* of getAttr */
  } as;
};

typedef enum mb_rule_kind { MB_RULE_TREE = 1, MB_RULE_ENDPOINT, MB_RULE_ERROR } mb_rule_kind;

typedef struct mb_rule mb_rule;
struct mb_rule {
  mb_rule_kind kind;
  mb_rule_node *conditions;
  uint32_t condition_count, rule_count;
  mb_rule *rules;    /* of a tree */
  mb_rule_node text; /* an endpoint's URL, an error's message */
  mb_rule_node *properties, *headers;
};

typedef struct mb_rule_parameter {
  const char *name;
  uint32_t slot;
  mb_type type; /* STRING, BOOLEAN or LIST */
  bool required;
  const mb_value *fallback; /* the default, or NULL */
} mb_rule_parameter;

typedef struct mb_partition {
  mb_value outputs; /* with "name" */
  const char *pattern;
  const char **regions;
  size_t region_count;
} mb_partition;

struct mb_ruleset {
  mb_rule_parameter *parameters;
  size_t parameter_count;
  mb_rule *rules;
  size_t rule_count;
  const char **slots; /* their names */
  size_t slot_count;
  mb_partition *partitions;
  size_t partition_count;
};

/* One resolution under way. */
typedef struct mb_rule_run {
  const mb_ruleset *ruleset;
  mb_arena *arena;
  mb_error *error;
  const mb_value **slots; /* NULL: unset */
  bool failed;            /* the error is set; what was returned means nothing */
} mb_rule_run;

struct mb_rule_call {
  mb_rule_run *run;
  const mb_rule_node *node;
  const mb_value *arguments[4];
};

const mb_rule_function *mb_rule_function_find(const char *name, size_t size);
const mb_value *mb_rule_attribute(const mb_value *value, const mb_rule_step *steps, size_t count);

/* Gives the value of a node, or NULL for unset or when the run has failed. */
const mb_value *mb_rule_value(mb_rule_run *run, const mb_rule_node *node);

/* Reads the partitions document. 0, or -1. */
int mb_partitions_parse(mb_arena *arena, mb_ruleset *out, const char *text, size_t size,
                        mb_error *error);
const mb_value *mb_partition_of(const mb_ruleset *ruleset, const char *region);

#endif
