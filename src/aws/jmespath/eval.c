/* Evaluates a JMESPath tree over a value. Results share what they hold with the data: nothing that
 * is only passed through is copied. */
#include "aws/jmespath/ast.h"
#include <string.h>

const mb_value mb_jp_null = {.type = MB_TYPE_NULL};
const mb_value mb_jp_true = {.type = MB_TYPE_BOOLEAN, .as.boolean = true};
const mb_value mb_jp_false = {.type = MB_TYPE_BOOLEAN, .as.boolean = false};

const mb_value *mb_jp_memory(mb_jp_search *search) {
  mb_error_memory(search->error);
  return NULL;
}

bool mb_jp_is_string(const mb_value *value) {
  return value->type == MB_TYPE_STRING || value->type == MB_TYPE_BLOB;
}

bool mb_jp_is_number(const mb_value *value) {
  return value->type == MB_TYPE_INTEGER || value->type == MB_TYPE_NUMBER;
}

int mb_jp_compare_numbers(const mb_value *a, const mb_value *b) {
  if (a->type == MB_TYPE_INTEGER && b->type == MB_TYPE_INTEGER)
    return (a->as.integer > b->as.integer) - (a->as.integer < b->as.integer);
  double left = mb_value_number(a), right = mb_value_number(b);
  return (left > right) - (left < right);
}

/* UTF-8 sorts by bytes as it does by code points. */
int mb_jp_compare_strings(const mb_value *a, const mb_value *b) {
  size_t a_size = a->as.bytes.size, b_size = b->as.bytes.size;
  size_t shorter = a_size < b_size ? a_size : b_size;
  int order = shorter ? memcmp(a->as.bytes.data, b->as.bytes.data, shorter) : 0;
  return order ? order : (a_size > b_size) - (a_size < b_size);
}

/* Counts one piece of work; a search that does too many is stopped. */
static int step(mb_jp_search *search) {
  if (++search->steps <= MB_JP_STEPS_MAX)
    return 0;
  return mb_error_set(search->error, MB_ERROR_LIMIT, "TooMuchWork",
                      "The JMESPath expression was stopped after %d steps", MB_JP_STEPS_MAX);
}

int mb_jp_list_push(mb_jp_search *search, mb_value *list, const mb_value *item) {
  if (step(search))
    return -1;
  mb_value *slot = mb_list_add(search->arena, list);
  if (!slot)
    return mb_error_memory(search->error);
  *slot = *item;
  return 0;
}

static bool is_true(const mb_value *value) {
  switch (value->type) {
  case MB_TYPE_NULL:
    return false;
  case MB_TYPE_BOOLEAN:
    return value->as.boolean;
  case MB_TYPE_STRING:
  case MB_TYPE_BLOB:
    return value->as.bytes.size > 0;
  case MB_TYPE_LIST:
  case MB_TYPE_MAP:
    return value->count > 0;
  default:
    return true;
  }
}

static const mb_value *boolean(bool truth) {
  return truth ? &mb_jp_true : &mb_jp_false;
}

static mb_value *new_list(mb_jp_search *search) {
  mb_value *list = mb_value_new_list(search->arena);
  if (!list)
    mb_jp_memory(search);
  return list;
}

/* ---- indexes and slices ---- */

static const mb_value *eval_index(const mb_value *list, int64_t index) {
  if (list->type != MB_TYPE_LIST)
    return &mb_jp_null;
  if (index < 0)
    index += list->count;
  return index >= 0 && index < list->count ? &list->as.items[index] : &mb_jp_null;
}

static int64_t slice_bound(int64_t bound, int64_t count, int64_t lowest, int64_t highest) {
  if (bound < 0)
    bound += count; /* cannot overflow: the signs differ */
  return bound < lowest ? lowest : bound > highest ? highest : bound;
}

static const mb_value *eval_slice(mb_jp_search *search, const mb_jp_node *node,
                                  const mb_value *list) {
  int64_t step = node->as.slice.step, count = list->count;
  if (list->type != MB_TYPE_LIST)
    return &mb_jp_null;
  mb_value *out = new_list(search);
  if (!out)
    return NULL;
  int64_t lowest = step > 0 ? 0 : -1, highest = step > 0 ? count : count - 1;
  int64_t at = step > 0 ? lowest : highest, stop = step > 0 ? highest : lowest;
  if (node->as.slice.has_start)
    at = slice_bound(node->as.slice.start, count, lowest, highest);
  if (node->as.slice.has_stop)
    stop = slice_bound(node->as.slice.stop, count, lowest, highest);
  if (step > count)
    step = count + 1; /* one item; keeps the additions below small */
  else if (step < -count)
    step = -count - 1;
  for (; step > 0 ? at < stop : at > stop; at += step)
    if (mb_jp_list_push(search, out, &list->as.items[at]))
      return NULL;
  return out;
}

/* ---- projections ---- */

/* Applies `right` to one item and keeps what is not null. */
static int project(mb_jp_search *search, const mb_jp_node *right, const mb_value *item,
                   mb_value *out) {
  const mb_value *result = mb_jp_eval(search, right, item);
  if (!result)
    return -1;
  return result->type == MB_TYPE_NULL ? 0 : mb_jp_list_push(search, out, result);
}

static const mb_value *eval_projection(mb_jp_search *search, const mb_jp_node *node,
                                       const mb_value *list) {
  if (list->type != MB_TYPE_LIST)
    return &mb_jp_null;
  mb_value *out = new_list(search);
  for (uint32_t i = 0; out && i < list->count; i++)
    if (project(search, node->right, &list->as.items[i], out))
      return NULL;
  return out;
}

static const mb_value *eval_value_projection(mb_jp_search *search, const mb_jp_node *node,
                                             const mb_value *map) {
  if (map->type != MB_TYPE_MAP)
    return &mb_jp_null;
  mb_value *out = new_list(search);
  for (uint32_t i = 0; out && i < map->count; i++)
    if (project(search, node->right, &map->as.entries[i].value, out))
      return NULL;
  return out;
}

static const mb_value *eval_filter(mb_jp_search *search, const mb_jp_node *node,
                                   const mb_value *list) {
  if (list->type != MB_TYPE_LIST)
    return &mb_jp_null;
  mb_value *out = new_list(search);
  for (uint32_t i = 0; out && i < list->count; i++) {
    const mb_value *item = &list->as.items[i];
    const mb_value *kept = mb_jp_eval(search, node->as.condition, item);
    if (!kept || (is_true(kept) && project(search, node->right, item, out)))
      return NULL;
  }
  return out;
}

static const mb_value *eval_flatten(mb_jp_search *search, const mb_value *list) {
  if (list->type != MB_TYPE_LIST)
    return &mb_jp_null;
  mb_value *out = new_list(search);
  for (uint32_t i = 0; out && i < list->count; i++) {
    const mb_value *item = &list->as.items[i];
    bool nested = item->type == MB_TYPE_LIST;
    for (uint32_t j = 0; j < (nested ? item->count : 1); j++)
      if (mb_jp_list_push(search, out, nested ? &item->as.items[j] : item))
        return NULL;
  }
  return out;
}

/* ---- the rest ---- */

static const mb_value *eval_compare(mb_jp_search *search, const mb_jp_node *node,
                                    const mb_value *left, const mb_value *data) {
  const mb_value *right = mb_jp_eval(search, node->right, data);
  if (!right)
    return NULL;
  mb_jp_token_type compare = node->as.compare;
  if (compare == MB_JP_EQ || compare == MB_JP_NE)
    return boolean(mb_value_equal(left, right) == (compare == MB_JP_EQ));
  if (!mb_jp_is_number(left) || !mb_jp_is_number(right))
    return &mb_jp_null; /* the language orders numbers only */
  int order = mb_jp_compare_numbers(left, right);
  switch (compare) {
  case MB_JP_LT:
    return boolean(order < 0);
  case MB_JP_LE:
    return boolean(order <= 0);
  case MB_JP_GT:
    return boolean(order > 0);
  default:
    return boolean(order >= 0);
  }
}

static const mb_value *eval_list(mb_jp_search *search, const mb_jp_node *node,
                                 const mb_value *data) {
  if (data->type == MB_TYPE_NULL)
    return &mb_jp_null;
  mb_value *out = new_list(search);
  for (size_t i = 0; out && i < node->as.many.count; i++) {
    const mb_value *item = mb_jp_eval(search, node->as.many.items[i], data);
    if (!item || mb_jp_list_push(search, out, item))
      return NULL;
  }
  return out;
}

static const mb_value *eval_map(mb_jp_search *search, const mb_jp_node *node,
                                const mb_value *data) {
  if (data->type == MB_TYPE_NULL)
    return &mb_jp_null;
  mb_value *out = mb_value_new_map(search->arena);
  if (!out)
    return mb_jp_memory(search);
  for (size_t i = 0; i + 1 < node->as.many.count; i += 2) {
    const mb_jp_node *name = node->as.many.items[i];
    const mb_value *item = mb_jp_eval(search, node->as.many.items[i + 1], data);
    if (!item)
      return NULL;
    mb_value *slot = mb_map_put_sized(search->arena, out, name->as.field.text, name->as.field.size);
    if (!slot)
      return mb_jp_memory(search);
    *slot = *item;
  }
  return out;
}

static const mb_value *eval_call(mb_jp_search *search, const mb_jp_node *node,
                                 const mb_value *data) {
  size_t count = node->as.many.count;
  mb_jp_argument *arguments = mb_arena_alloc(search->arena, (count + 1) * sizeof *arguments);
  if (!arguments)
    return mb_jp_memory(search);
  for (size_t i = 0; i < count; i++) {
    const mb_jp_node *item = node->as.many.items[i];
    arguments[i].expression = item->kind == MB_JP_NODE_EXPREF ? item->left : NULL;
    arguments[i].value = arguments[i].expression ? NULL : mb_jp_eval(search, item, data);
    if (!arguments[i].expression && !arguments[i].value)
      return NULL;
  }
  return mb_jp_function_call(search, node->as.many.function, arguments, count);
}

static const mb_value *eval_field(const mb_jp_node *node, const mb_value *data) {
  if (data->type != MB_TYPE_MAP)
    return &mb_jp_null;
  const mb_value *value = mb_map_get_sized(data, node->as.field.text, node->as.field.size);
  return value ? value : &mb_jp_null;
}

/* Nodes without a left side. */
static const mb_value *eval_leaf(mb_jp_search *search, const mb_jp_node *node,
                                 const mb_value *data) {
  switch (node->kind) {
  case MB_JP_NODE_FIELD:
    return eval_field(node, data);
  case MB_JP_NODE_LITERAL:
    return node->as.literal;
  case MB_JP_NODE_LIST:
    return eval_list(search, node, data);
  case MB_JP_NODE_MAP:
    return eval_map(search, node, data);
  case MB_JP_NODE_CALL:
    return eval_call(search, node, data);
  default:
    return data;
  }
}

const mb_value *mb_jp_eval(mb_jp_search *search, const mb_jp_node *node, const mb_value *data) {
  if (step(search))
    return NULL;
  if (!node->left)
    return eval_leaf(search, node, data);
  const mb_value *left = mb_jp_eval(search, node->left, data);
  if (!left)
    return NULL;
  switch (node->kind) {
  case MB_JP_NODE_INDEX:
    return eval_index(left, node->as.index);
  case MB_JP_NODE_SLICE:
    return eval_slice(search, node, left);
  case MB_JP_NODE_SUB:
    return mb_jp_eval(search, node->right, left);
  case MB_JP_NODE_PROJECTION:
    return eval_projection(search, node, left);
  case MB_JP_NODE_VALUE_PROJECTION:
    return eval_value_projection(search, node, left);
  case MB_JP_NODE_FILTER:
    return eval_filter(search, node, left);
  case MB_JP_NODE_FLATTEN:
    return eval_flatten(search, left);
  case MB_JP_NODE_OR:
    return is_true(left) ? left : mb_jp_eval(search, node->right, data);
  case MB_JP_NODE_AND:
    return is_true(left) ? mb_jp_eval(search, node->right, data) : left;
  case MB_JP_NODE_NOT:
    return boolean(!is_true(left));
  default:
    return eval_compare(search, node, left, data);
  }
}

int mb_jmespath_search(const mb_jmespath *compiled, mb_arena *arena, const mb_value *data,
                       mb_value *out, mb_error *error) {
  mb_jp_search search = {.arena = arena, .error = error};
  const mb_value *result = mb_jp_eval(&search, compiled->root, data ? data : &mb_jp_null);
  if (!result)
    return -1;
  *out = *result;
  return 0;
}
