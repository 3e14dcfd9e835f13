/* Walks compiled endpoint rules: the first endpoint or error whose conditions all hold. */
#include "aws/endpoint/ruleset.h"
#include <string.h>

/* Nothing that came out of a document nests deeper than its JSON did, so the recursions here are
 * bounded by the reader's MB_JSON_DEPTH. */

static const mb_value *fail(mb_rule_run *run, const char *problem, const char *what) {
  run->failed = true;
  mb_error_set(run->error, MB_ERROR_USAGE, "EndpointError", "%s%s", problem, what);
  return NULL;
}

static const mb_value *out_of_memory(mb_rule_run *run) {
  run->failed = true;
  mb_error_memory(run->error);
  return NULL;
}

/* ---- values ---- */

static const mb_value *item_at(const mb_value *list, int64_t index) {
  if (mb_value_type(list) != MB_TYPE_LIST)
    return NULL;
  if (index < 0)
    index += list->count;
  return index >= 0 && index < list->count ? &list->as.items[index] : NULL;
}

const mb_value *mb_rule_attribute(const mb_value *value, const mb_rule_step *steps, size_t count) {
  for (size_t i = 0; i < count && value; i++) {
    if (steps[i].name)
      value = mb_map_get_sized(value, steps[i].name, steps[i].name_size);
    if (value && steps[i].has_index)
      value = item_at(value, steps[i].index);
  }
  return value && value->type != MB_TYPE_NULL ? value : NULL;
}

/* The text that a piece of a template stands for. */
static const char *piece_text(mb_rule_run *run, const mb_rule_piece *piece, size_t *size) {
  if (piece->slot == MB_RULE_NO_SLOT) {
    *size = piece->size;
    return piece->text;
  }
  const mb_value *value =
      mb_rule_attribute(run->slots[piece->slot], piece->steps, piece->step_count);
  if (value && value->type == MB_TYPE_STRING)
    return mb_value_bytes(value, size);
  if (value && value->type == MB_TYPE_BOOLEAN) {
    *size = value->as.boolean ? 4 : 5;
    return value->as.boolean ? "true" : "false";
  }
  fail(run, "The endpoint rules put something into a text that is not set or no text: ",
       run->ruleset->slots[piece->slot]);
  return NULL;
}

static const mb_value *template_value(mb_rule_run *run, const mb_rule_node *node) {
  size_t total = 0, size = 0, used = 0;
  for (uint32_t i = 0; i < node->count; i++) {
    if (!piece_text(run, &node->as.pieces[i], &size))
      return NULL;
    total += size;
  }
  char *text = mb_arena_alloc(run->arena, total + 1);
  mb_value *value = mb_value_new(run->arena);
  if (!text || !value)
    return out_of_memory(run);
  for (uint32_t i = 0; i < node->count; i++) {
    const char *piece = piece_text(run, &node->as.pieces[i], &size);
    memcpy(text + used, piece, size);
    used += size;
  }
  text[total] = '\0';
  mb_value_borrow(value, MB_TYPE_STRING, text, total);
  return value;
}

static const mb_value *call_value(mb_rule_run *run, const mb_rule_node *node) {
  mb_rule_call call = {.run = run, .node = node};
  for (uint32_t i = 0; i < node->count; i++) {
    call.arguments[i] = mb_rule_value(run, &node->items[i]);
    if (run->failed || (!call.arguments[i] && !node->function->unset_allowed))
      return NULL;
  }
  const mb_value *value = node->function->call(&call);
  return run->failed || (value && value->type == MB_TYPE_NULL) ? NULL : value;
}

static const mb_value *list_value(mb_rule_run *run, const mb_rule_node *node) {
  mb_value *list = mb_value_new_list(run->arena);
  for (uint32_t i = 0; list && i < node->count; i++) {
    const mb_value *item = mb_rule_value(run, &node->items[i]);
    if (run->failed)
      return NULL;
    mb_value *slot = mb_list_add(run->arena, list);
    if (!slot || (item && mb_value_copy(run->arena, slot, item)))
      return out_of_memory(run);
  }
  return list ? list : out_of_memory(run);
}

static const mb_value *map_value(mb_rule_run *run, const mb_rule_node *node) {
  mb_value *map = mb_value_new_map(run->arena);
  for (uint32_t i = 0; map && i < node->count; i++) {
    const mb_value *item = mb_rule_value(run, &node->items[i]);
    if (run->failed)
      return NULL;
    mb_value *slot = mb_map_put(run->arena, map, node->keys[i]);
    if (!slot || (item && mb_value_copy(run->arena, slot, item)))
      return out_of_memory(run);
  }
  return map ? map : out_of_memory(run);
}

const mb_value *mb_rule_value(mb_rule_run *run, const mb_rule_node *node) {
  switch (node->kind) {
  case MB_RULE_LITERAL:
    return node->as.literal.type == MB_TYPE_NULL ? NULL : &node->as.literal;
  case MB_RULE_REFERENCE:
    return run->slots[node->slot];
  case MB_RULE_TEMPLATE:
    return template_value(run, node);
  case MB_RULE_CALL:
    return call_value(run, node);
  case MB_RULE_LIST:
    return list_value(run, node);
  default:
    return map_value(run, node);
  }
}

/* ---- rules ---- */

/* Whether one condition holds; keeps its result where that has a name. */
static bool condition_holds(mb_rule_run *run, const mb_rule_node *node) {
  const mb_value *value = mb_rule_value(run, node);
  if (run->failed || !value || (value->type == MB_TYPE_BOOLEAN && !value->as.boolean))
    return false;
  if (node->assign == MB_RULE_NO_SLOT)
    return true;
  if (run->slots[node->assign]) {
    fail(run, "The endpoint rules set a name twice: ", run->ruleset->slots[node->assign]);
    return false;
  }
  run->slots[node->assign] = value;
  return true;
}

/* Forgets what the first `count` conditions have set: names are not seen by the next rule. */
static void forget(mb_rule_run *run, const mb_rule *rule, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    if (rule->conditions[i].assign != MB_RULE_NO_SLOT)
      run->slots[rule->conditions[i].assign] = NULL;
}

static const mb_rule *walk(mb_rule_run *run, const mb_rule *rules, size_t count);

/* The endpoint or error that a rule leads to, its names still set; NULL when it leads nowhere. */
static const mb_rule *enter(mb_rule_run *run, const mb_rule *rule) {
  uint32_t held = 0;
  while (held < rule->condition_count && condition_holds(run, &rule->conditions[held]))
    held++;
  const mb_rule *found = NULL;
  if (held == rule->condition_count && !run->failed)
    found = rule->kind == MB_RULE_TREE ? walk(run, rule->rules, rule->rule_count) : rule;
  if (!found)
    forget(run, rule, held);
  return found;
}

static const mb_rule *walk(mb_rule_run *run, const mb_rule *rules, size_t count) {
  for (size_t i = 0; i < count && !run->failed; i++) {
    const mb_rule *found = enter(run, &rules[i]);
    if (found)
      return found;
  }
  return NULL;
}

/* ---- parameters and result ---- */

static int set_parameter(mb_rule_run *run, const mb_rule_parameter *parameter,
                         const mb_value *params) {
  const mb_value *value = mb_map_get(params, parameter->name);
  if (mb_value_type(value) == MB_TYPE_NULL)
    value = parameter->fallback;
  if (!value && parameter->required) {
    mb_error_set(run->error, MB_ERROR_USAGE, "EndpointError",
                 "No endpoint can be found without a value for %s", parameter->name);
    return -1;
  }
  if (value && value->type != parameter->type)
    return mb_error_set(run->error, MB_ERROR_USAGE, "EndpointError",
                        "The endpoint parameter %s must be a %s, not a %s", parameter->name,
                        mb_type_name(parameter->type), mb_type_name(value->type));
  run->slots[parameter->slot] = value;
  return 0;
}

static int start(mb_rule_run *run, const mb_value *params) {
  const mb_ruleset *ruleset = run->ruleset;
  run->slots = mb_arena_zero(run->arena, (ruleset->slot_count + 1) * sizeof *run->slots);
  if (!run->slots)
    return mb_error_memory(run->error);
  for (size_t i = 0; i < ruleset->parameter_count; i++)
    if (set_parameter(run, &ruleset->parameters[i], params))
      return -1;
  return 0;
}

static const char *rule_text(mb_rule_run *run, const mb_rule *rule) {
  const mb_value *text = mb_rule_value(run, &rule->text);
  if (run->failed)
    return NULL;
  if (mb_value_type(text) != MB_TYPE_STRING) {
    fail(run, "The endpoint rules give a URL or a message that is no text", "");
    return NULL;
  }
  return mb_value_string(text);
}

static const mb_value *map_or_empty(mb_rule_run *run, const mb_rule_node *node) {
  if (node)
    return mb_rule_value(run, node);
  const mb_value *empty = mb_value_new_map(run->arena);
  return empty ? empty : out_of_memory(run);
}

static int take_endpoint(mb_rule_run *run, const mb_rule *rule, mb_endpoint *out) {
  const char *url = rule_text(run, rule);
  if (!url)
    return -1;
  out->url = mb_arena_strdup(run->arena, url);
  if (!out->url)
    return mb_error_memory(run->error);
  out->properties = map_or_empty(run, rule->properties);
  if (run->failed)
    return -1;
  out->headers = map_or_empty(run, rule->headers);
  return run->failed ? -1 : 0;
}

int mb_ruleset_resolve(const mb_ruleset *ruleset, mb_arena *arena, const mb_value *params,
                       mb_endpoint *out, mb_error *error) {
  mb_rule_run run = {.ruleset = ruleset, .arena = arena, .error = error};
  if (start(&run, params))
    return -1;
  const mb_rule *rule = walk(&run, ruleset->rules, ruleset->rule_count);
  if (run.failed)
    return -1;
  if (!rule)
    return mb_error_set(error, MB_ERROR_USAGE, "EndpointError",
                        "No endpoint rule fits these parameters");
  if (rule->kind == MB_RULE_ENDPOINT)
    return take_endpoint(&run, rule, out);
  const char *message = rule_text(&run, rule);
  return message ? mb_error_set(error, MB_ERROR_USAGE, "EndpointError", "%s", message) : -1;
}
