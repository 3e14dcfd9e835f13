/* Reads a ruleset, a JSON document, straight into the nodes that the evaluator walks. Names become
 * slots, templates become pieces, attribute paths become steps, so that resolving an endpoint looks
 * nothing up by name but the parameters. */
#include "aws/endpoint/ruleset.h"
#include "base/json.h"
#include "base/text.h"
#include <string.h>

typedef struct compiler {
  mb_json_reader reader;
  mb_arena *arena;
  mb_ruleset *ruleset;
  mb_error *error;
} compiler;

typedef struct key {
  const char *text;
  size_t size;
} key;

static int invalid(compiler *c, const char *problem) {
  return mb_error_set(c->error, MB_ERROR_USAGE, "InvalidRules",
                      "The endpoint rules are not usable near byte %zu: %s",
                      (size_t)(c->reader.at - c->reader.start), problem);
}

/* Fails for a token that was not expected. */
static int unexpected(compiler *c, mb_json_token token, const char *wanted) {
  return token == MB_JSON_ERROR ? mb_json_fail(&c->reader, c->error) : invalid(c, wanted);
}

static bool is(const char *text, size_t size, const char *name) {
  return strlen(name) == size && memcmp(text, name, size) == 0;
}

static int skip(compiler *c, mb_json_token first) {
  return mb_json_skip(&c->reader, first) ? mb_json_fail(&c->reader, c->error) : 0;
}

/* ---- objects and lists of the document ---- */

typedef int (*member_reader)(compiler *c, key name, mb_json_token first, void *out);

/* Calls `member` with the first token of each member's value. */
static int read_object(compiler *c, mb_json_token first, member_reader member, void *out) {
  if (first != MB_JSON_OBJECT)
    return unexpected(c, first, "an object is expected");
  for (;;) {
    mb_json_token token = mb_json_next(&c->reader);
    if (token == MB_JSON_OBJECT_END)
      return 0;
    if (token != MB_JSON_KEY)
      return unexpected(c, token, "a member is expected");
    key name = {c->reader.text, c->reader.size};
    token = mb_json_next(&c->reader);
    if (token == MB_JSON_ERROR)
      return mb_json_fail(&c->reader, c->error);
    if (member(c, name, token, out))
      return -1;
  }
}

typedef struct growing {
  void *items;
  size_t count, capacity, item_size;
} growing;

/* A zeroed new item at the end; NULL when memory has run out. */
static void *grow(compiler *c, growing *list) {
  if (list->count == list->capacity) {
    size_t capacity = list->capacity ? 2 * list->capacity : 4;
    void *items = mb_arena_grow(c->arena, list->items, list->capacity * list->item_size,
                                capacity * list->item_size);
    if (!items) {
      mb_error_memory(c->error);
      return NULL;
    }
    list->items = items;
    list->capacity = capacity;
  }
  char *item = (char *)list->items + list->count++ * list->item_size;
  memset(item, 0, list->item_size);
  return item;
}

typedef int (*item_reader)(compiler *c, mb_json_token first, void *item);

static int read_array(compiler *c, mb_json_token first, item_reader read, growing *out) {
  if (first != MB_JSON_ARRAY)
    return unexpected(c, first, "a list is expected");
  for (;;) {
    mb_json_token token = mb_json_next(&c->reader);
    if (token == MB_JSON_ARRAY_END)
      return 0;
    if (token == MB_JSON_ERROR)
      return mb_json_fail(&c->reader, c->error);
    void *item = grow(c, out);
    if (!item || read(c, token, item))
      return -1;
  }
}

static int read_text(compiler *c, mb_json_token token, char **out, size_t *size) {
  if (token != MB_JSON_STRING)
    return unexpected(c, token, "text is expected");
  *out = mb_arena_strndup(c->arena, c->reader.text, c->reader.size);
  *size = c->reader.size;
  return *out ? 0 : mb_error_memory(c->error);
}

/* ---- slots ---- */

static int find_slot(compiler *c, const char *name, size_t size, uint32_t *out) {
  mb_ruleset *ruleset = c->ruleset;
  for (size_t i = 0; i < ruleset->slot_count; i++) {
    if (is(name, size, ruleset->slots[i])) {
      *out = (uint32_t)i;
      return 0;
    }
  }
  if (ruleset->slot_count == MB_RULE_SLOTS_MAX)
    return invalid(c, "too many names");
  const char *copy = mb_arena_strndup(c->arena, name, size);
  if (!copy)
    return mb_error_memory(c->error);
  *out = (uint32_t)ruleset->slot_count;
  ruleset->slots[ruleset->slot_count++] = copy;
  return 0;
}

/* ---- attribute paths and templates ---- */

/* "[3]" or "[-1]" at the end of a step. */
static int parse_step_index(compiler *c, const char *from, const char *end, mb_rule_step *out) {
  int64_t index;
  if (end[-1] != ']' || mb_parse_integer(from + 1, (size_t)(end - from) - 2, &index) ||
      index > INT32_MAX || index < INT32_MIN)
    return invalid(c, "an attribute path with a bad index");
  out->has_index = true;
  out->index = (int32_t)index;
  return 0;
}

static int parse_step(compiler *c, const char *from, const char *end, mb_rule_step *out) {
  const char *bracket = memchr(from, '[', (size_t)(end - from));
  const char *stop = bracket ? bracket : end;
  if (from == end || (bracket && parse_step_index(c, bracket, end, out)))
    return from == end ? invalid(c, "an attribute path with an empty part") : -1;
  if (stop == from)
    return 0;
  out->name_size = (uint32_t)(stop - from);
  out->name = mb_arena_strndup(c->arena, from, out->name_size);
  return out->name ? 0 : mb_error_memory(c->error);
}

/* Splits at `separator`: "resourceId[0]", "a.b", or "a#b" within templates. */
static int parse_steps(compiler *c, const char *text, size_t size, char separator,
                       const mb_rule_step **out, uint32_t *count) {
  growing steps = {.item_size = sizeof(mb_rule_step)};
  const char *end = text + size;
  for (const char *at = text; at <= end;) {
    const char *stop = at < end ? memchr(at, separator, (size_t)(end - at)) : NULL;
    stop = stop ? stop : end;
    mb_rule_step *step = grow(c, &steps);
    if (!step || parse_step(c, at, stop, step))
      return -1;
    at = stop + 1;
  }
  *out = steps.items;
  *count = (uint32_t)steps.count;
  return 0;
}

/* "Region" or "url#authority", between the braces. */
static int parse_placeholder(compiler *c, const char *text, size_t size, mb_rule_piece *out) {
  const char *mark = memchr(text, '#', size);
  size_t name = mark ? (size_t)(mark - text) : size;
  if (name == 0)
    return invalid(c, "a template with an empty name");
  if (find_slot(c, text, name, &out->slot))
    return -1;
  return mark ? parse_steps(c, mark + 1, size - name - 1, '#', &out->steps, &out->step_count) : 0;
}

/* Adds text up to the next brace; "{{" and "}}" stand for one. Returns where it ends. */
static const char *parse_plain(compiler *c, growing *pieces, const char *at, const char *end) {
  const char *stop = at;
  while (stop < end && *stop != '{' && *stop != '}')
    stop++;
  bool doubled = stop < end && stop + 1 < end && stop[1] == *stop;
  size_t size = (size_t)(stop - at) + (doubled ? 1 : 0);
  if (size > 0) {
    mb_rule_piece *piece = grow(c, pieces);
    if (!piece)
      return NULL;
    *piece = (mb_rule_piece){.text = at, .size = size, .slot = MB_RULE_NO_SLOT};
  }
  return stop + (doubled ? 2 : 0);
}

/* Makes a literal of text without braces, a template of any other. */
static int parse_template(compiler *c, const char *text, size_t size, mb_rule_node *out) {
  growing pieces = {.item_size = sizeof(mb_rule_piece)};
  const char *end = text + size;
  out->kind = MB_RULE_LITERAL;
  mb_value_borrow(&out->as.literal, MB_TYPE_STRING, text, size);
  if (!memchr(text, '{', size) && !memchr(text, '}', size))
    return 0;
  for (const char *at = text; at < end;) {
    at = parse_plain(c, &pieces, at, end);
    if (!at)
      return -1;
    if (at == end || (*at != '{' && *at != '}') || (at + 1 < end && at[1] == *at))
      continue;
    const char *close = *at == '{' ? memchr(at, '}', (size_t)(end - at)) : NULL;
    if (!close)
      return invalid(c, "a template with an unpaired brace");
    mb_rule_piece *piece = grow(c, &pieces);
    if (!piece || parse_placeholder(c, at + 1, (size_t)(close - at) - 1, piece))
      return -1;
    at = close + 1;
  }
  out->kind = MB_RULE_TEMPLATE;
  out->as.pieces = pieces.items;
  out->count = (uint32_t)pieces.count;
  return 0;
}

/* ---- values ---- */

static int read_value(compiler *c, mb_json_token first, void *item);

/* What an object that is a value can be: {"ref": name} or {"fn": name, "argv": [...]}. */
typedef struct object_value {
  mb_rule_node *node;
  growing arguments;
  bool is_reference;
} object_value;

static int read_function_name(compiler *c, mb_json_token token, mb_rule_node *node) {
  if (token != MB_JSON_STRING)
    return unexpected(c, token, "a function's name is expected");
  node->function = mb_rule_function_find(c->reader.text, c->reader.size);
  if (node->function)
    return 0;
  mb_error_set(c->error, MB_ERROR_USAGE, "InvalidRules",
               "The endpoint rules use a function that is not known: %.*s",
               (int)(c->reader.size < 80 ? c->reader.size : 80), c->reader.text);
  return mb_error_next(c->error, "Update moonbook, or the model");
}

static int read_value_member(compiler *c, key name, mb_json_token first, void *out) {
  object_value *value = out;
  if (is(name.text, name.size, "fn"))
    return read_function_name(c, first, value->node);
  if (is(name.text, name.size, "argv"))
    return read_array(c, first, read_value, &value->arguments);
  bool is_reference = is(name.text, name.size, "ref");
  if (!is_reference && !is(name.text, name.size, "assign"))
    return skip(c, first);
  if (first != MB_JSON_STRING)
    return unexpected(c, first, "a name is expected");
  value->is_reference = value->is_reference || is_reference;
  return find_slot(c, c->reader.text, c->reader.size,
                   is_reference ? &value->node->slot : &value->node->assign);
}

/* getAttr's path is text: it is taken apart here. */
static int compile_path(compiler *c, mb_rule_node *node) {
  size_t size;
  mb_rule_node *path = &node->items[1];
  if (path->kind != MB_RULE_LITERAL || path->as.literal.type != MB_TYPE_STRING)
    return invalid(c, "getAttr needs a path as text");
  const char *text = mb_value_bytes(&path->as.literal, &size);
  return parse_steps(c, text, size, '.', &node->as.steps, &node->step_count);
}

static int finish_call(compiler *c, object_value *value) {
  mb_rule_node *node = value->node;
  if (!node->function)
    return invalid(c, "an object that is neither a reference nor a function");
  size_t count = value->arguments.count;
  if (count < (size_t)node->function->minimum || count > (size_t)node->function->maximum)
    return invalid(c, "a function with too few or too many arguments");
  node->kind = MB_RULE_CALL;
  node->items = value->arguments.items;
  node->count = (uint32_t)count;
  return 0;
}

static int read_object_value(compiler *c, mb_json_token first, mb_rule_node *out) {
  object_value value = {.node = out, .arguments = {.item_size = sizeof(mb_rule_node)}};
  out->assign = MB_RULE_NO_SLOT;
  if (read_object(c, first, read_value_member, &value))
    return -1;
  if (value.is_reference) {
    out->kind = MB_RULE_REFERENCE;
    return 0;
  }
  if (finish_call(c, &value))
    return -1;
  return strcmp(out->function->name, "getAttr") == 0 ? compile_path(c, out) : 0;
}

static int read_string_value(compiler *c, mb_json_token first, mb_rule_node *out) {
  char *text;
  size_t size;
  return read_text(c, first, &text, &size) ? -1 : parse_template(c, text, size, out);
}

static int read_literal(compiler *c, mb_json_token first, mb_rule_node *out) {
  out->kind = MB_RULE_LITERAL;
  return mb_json_read_value(&c->reader, first, &out->as.literal)
             ? mb_json_fail(&c->reader, c->error)
             : 0;
}

static int read_value(compiler *c, mb_json_token first, void *item) {
  mb_rule_node *out = item;
  if (first == MB_JSON_OBJECT)
    return read_object_value(c, first, out);
  if (first == MB_JSON_STRING)
    return read_string_value(c, first, out);
  return read_literal(c, first, out);
}

/* ---- properties and headers ---- */

static int read_property(compiler *c, mb_json_token first, void *item);

typedef struct map_value {
  growing keys, items;
} map_value;

/* The place of a map's next item, its key copied. NULL without memory. */
static mb_rule_node *add_to_map(compiler *c, map_value *map, key name) {
  const char **slot = grow(c, &map->keys);
  if (!slot)
    return NULL;
  *slot = mb_arena_strndup(c->arena, name.text, name.size);
  if (!*slot) {
    mb_error_memory(c->error);
    return NULL;
  }
  return grow(c, &map->items);
}

static int read_map_member(compiler *c, key name, mb_json_token first, void *out) {
  mb_rule_node *item = add_to_map(c, out, name);
  return item ? read_property(c, first, item) : -1;
}

static int read_map(compiler *c, mb_json_token first, member_reader member, mb_rule_node *out) {
  map_value map = {{.item_size = sizeof(const char *)}, {.item_size = sizeof(mb_rule_node)}};
  if (read_object(c, first, member, &map))
    return -1;
  out->kind = MB_RULE_MAP;
  out->keys = map.keys.items;
  out->items = map.items.items;
  out->count = (uint32_t)map.items.count;
  return 0;
}

/* Properties are plain JSON whose texts are templates. */
static int read_property(compiler *c, mb_json_token first, void *item) {
  mb_rule_node *out = item;
  if (first == MB_JSON_OBJECT)
    return read_map(c, first, read_map_member, out);
  if (first != MB_JSON_ARRAY)
    return read_value(c, first, item);
  growing items = {.item_size = sizeof(mb_rule_node)};
  if (read_array(c, first, read_property, &items))
    return -1;
  out->kind = MB_RULE_LIST;
  out->items = items.items;
  out->count = (uint32_t)items.count;
  return 0;
}

/* Header values, unlike properties, may be references and functions. */
static int read_header(compiler *c, key name, mb_json_token first, void *out) {
  mb_rule_node *item = add_to_map(c, out, name);
  growing values = {.item_size = sizeof(mb_rule_node)};
  if (!item)
    return -1;
  if (read_array(c, first, read_value, &values))
    return -1;
  item->kind = MB_RULE_LIST;
  item->items = values.items;
  item->count = (uint32_t)values.count;
  return 0;
}

/* ---- rules ---- */

static mb_rule_node *new_node(compiler *c) {
  mb_rule_node *node = mb_arena_zero(c->arena, sizeof *node);
  if (!node)
    mb_error_memory(c->error);
  return node;
}

static int read_endpoint_member(compiler *c, key name, mb_json_token first, void *out) {
  mb_rule *rule = out;
  if (is(name.text, name.size, "url"))
    return read_value(c, first, &rule->text);
  if (is(name.text, name.size, "properties"))
    return (rule->properties = new_node(c)) ? read_map(c, first, read_map_member, rule->properties)
                                            : -1;
  if (is(name.text, name.size, "headers"))
    return (rule->headers = new_node(c)) ? read_map(c, first, read_header, rule->headers) : -1;
  return skip(c, first);
}

static int read_rule_type(compiler *c, mb_json_token token, mb_rule *rule) {
  if (token != MB_JSON_STRING)
    return unexpected(c, token, "a rule's type is expected");
  if (is(c->reader.text, c->reader.size, "tree"))
    rule->kind = MB_RULE_TREE;
  else if (is(c->reader.text, c->reader.size, "endpoint"))
    rule->kind = MB_RULE_ENDPOINT;
  else if (is(c->reader.text, c->reader.size, "error"))
    rule->kind = MB_RULE_ERROR;
  else
    return invalid(c, "a rule of unknown type");
  return 0;
}

static int read_condition(compiler *c, mb_json_token first, void *item) {
  mb_rule_node *node = item;
  if (read_object_value(c, first, node))
    return -1;
  return node->kind == MB_RULE_CALL ? 0 : invalid(c, "a condition must call a function");
}

static int read_rule(compiler *c, mb_json_token first, void *item);

static int read_rule_member(compiler *c, key name, mb_json_token first, void *out) {
  mb_rule *rule = out;
  growing list = {0};
  if (is(name.text, name.size, "type"))
    return read_rule_type(c, first, rule);
  if (is(name.text, name.size, "endpoint"))
    return read_object(c, first, read_endpoint_member, rule);
  if (is(name.text, name.size, "error"))
    return read_value(c, first, &rule->text);
  if (is(name.text, name.size, "conditions")) {
    list.item_size = sizeof(mb_rule_node);
    if (read_array(c, first, read_condition, &list))
      return -1;
    rule->conditions = list.items;
    rule->condition_count = (uint32_t)list.count;
    return 0;
  }
  if (!is(name.text, name.size, "rules"))
    return skip(c, first);
  list.item_size = sizeof(mb_rule);
  if (read_array(c, first, read_rule, &list))
    return -1;
  rule->rules = list.items;
  rule->rule_count = (uint32_t)list.count;
  return 0;
}

static int read_rule(compiler *c, mb_json_token first, void *item) {
  mb_rule *rule = item;
  if (read_object(c, first, read_rule_member, rule))
    return -1;
  if (!rule->kind)
    return invalid(c, "a rule without a type");
  if (rule->kind != MB_RULE_TREE && !rule->text.kind)
    return invalid(c, "a rule that gives neither an endpoint nor an error");
  return 0;
}

/* ---- parameters ---- */

static int read_parameter_type(compiler *c, mb_json_token token, mb_rule_parameter *out) {
  char name[16] = "";
  if (token != MB_JSON_STRING)
    return unexpected(c, token, "a parameter's type is expected");
  if (c->reader.size < sizeof name)
    memcpy(name, c->reader.text, c->reader.size);
  if (mb_text_equal_ci(name, "string"))
    out->type = MB_TYPE_STRING;
  else if (mb_text_equal_ci(name, "boolean"))
    out->type = MB_TYPE_BOOLEAN;
  else if (mb_text_equal_ci(name, "stringArray"))
    out->type = MB_TYPE_LIST;
  else
    return invalid(c, "a parameter of unknown type");
  return 0;
}

static int read_default(compiler *c, mb_json_token first, mb_rule_parameter *out) {
  mb_value *value = mb_value_new(c->arena);
  if (!value)
    return mb_error_memory(c->error);
  if (mb_json_read_value(&c->reader, first, value))
    return mb_json_fail(&c->reader, c->error);
  out->fallback = value;
  return 0;
}

static int read_parameter_member(compiler *c, key name, mb_json_token first, void *out) {
  mb_rule_parameter *parameter = out;
  if (is(name.text, name.size, "type"))
    return read_parameter_type(c, first, parameter);
  if (is(name.text, name.size, "default"))
    return read_default(c, first, parameter);
  if (!is(name.text, name.size, "required"))
    return skip(c, first);
  parameter->required = first == MB_JSON_TRUE;
  return first == MB_JSON_TRUE || first == MB_JSON_FALSE ? 0 : invalid(c, "required is a boolean");
}

static int read_parameter(compiler *c, key name, mb_json_token first, void *out) {
  mb_rule_parameter *parameter = grow(c, out);
  if (!parameter || find_slot(c, name.text, name.size, &parameter->slot))
    return -1;
  parameter->name = c->ruleset->slots[parameter->slot];
  if (read_object(c, first, read_parameter_member, parameter))
    return -1;
  if (parameter->type == MB_TYPE_NULL)
    return invalid(c, "a parameter without a type");
  if (parameter->fallback && parameter->fallback->type != parameter->type)
    return invalid(c, "a parameter whose default is of another type");
  return 0;
}

/* ---- the whole ---- */

static int read_ruleset_member(compiler *c, key name, mb_json_token first, void *out) {
  mb_ruleset *ruleset = out;
  growing list = {0};
  if (is(name.text, name.size, "parameters")) {
    list.item_size = sizeof(mb_rule_parameter);
    if (read_object(c, first, read_parameter, &list))
      return -1;
    ruleset->parameters = list.items;
    ruleset->parameter_count = list.count;
    return 0;
  }
  if (!is(name.text, name.size, "rules"))
    return skip(c, first);
  list.item_size = sizeof(mb_rule);
  if (read_array(c, first, read_rule, &list))
    return -1;
  ruleset->rules = list.items;
  ruleset->rule_count = list.count;
  return 0;
}

mb_ruleset *mb_ruleset_new(mb_arena *arena, const char *rules, size_t rules_size,
                           const char *partitions, size_t partitions_size, mb_error *error) {
  mb_ruleset *ruleset = mb_arena_zero(arena, sizeof *ruleset);
  compiler c = {.arena = arena, .ruleset = ruleset, .error = error};
  if (ruleset)
    ruleset->slots = mb_arena_alloc(arena, MB_RULE_SLOTS_MAX * sizeof *ruleset->slots);
  if (!ruleset || !ruleset->slots) {
    mb_error_memory(error);
    return NULL;
  }
  mb_json_reader_init(&c.reader, arena, rules, rules_size);
  if (read_object(&c, mb_json_next(&c.reader), read_ruleset_member, ruleset))
    return NULL;
  mb_json_token last = mb_json_next(&c.reader);
  if (last != MB_JSON_END) {
    unexpected(&c, last, "text after the end");
    return NULL;
  }
  return mb_partitions_parse(arena, ruleset, partitions, partitions_size, error) ? NULL : ruleset;
}
