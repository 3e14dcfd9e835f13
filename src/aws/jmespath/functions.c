/* The functions of JMESPath. One table says what each takes; types are checked before a call. */
#include "aws/jmespath/ast.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/text.h"
#include <math.h>
#include <string.h>

#define TEXT_MAX (256u * 1024 * 1024) /* bytes of a string that a function makes */

typedef const mb_value *result;

static mb_value *new_value(mb_jp_search *search) {
  mb_value *value = mb_value_new(search->arena);
  if (!value)
    mb_jp_memory(search);
  return value;
}

static mb_value *new_list(mb_jp_search *search) {
  mb_value *list = mb_value_new_list(search->arena);
  if (!list)
    mb_jp_memory(search);
  return list;
}

static result boolean(bool truth) {
  return truth ? &mb_jp_true : &mb_jp_false;
}

static result number(mb_jp_search *search, double amount) {
  mb_value *value = new_value(search);
  if (value)
    mb_value_set_number(value, amount);
  return value;
}

static result integer(mb_jp_search *search, int64_t amount) {
  mb_value *value = new_value(search);
  if (value)
    mb_value_set_integer(value, amount);
  return value;
}

static result string(mb_jp_search *search, const char *text, size_t size) {
  mb_value *value = new_value(search);
  if (value && mb_value_set_bytes(search->arena, value, MB_TYPE_STRING, text, size))
    return mb_jp_memory(search);
  return value;
}

/* Takes over what a buffer holds. */
static result string_of_buffer(mb_jp_search *search, mb_buffer *text) {
  bool too_large = text->too_large;
  result value = text->failed ? NULL : string(search, mb_buffer_text(text), text->size);
  bool failed = text->failed;
  mb_buffer_dispose(text);
  if (failed && too_large) {
    mb_error_set(search->error, MB_ERROR_LIMIT, "TooMuchText",
                 "The JMESPath expression makes a string of more than %u bytes", TEXT_MAX);
    return NULL;
  }
  return failed ? mb_jp_memory(search) : value;
}

static result type_problem(mb_jp_search *search, const char *message) {
  mb_error_set(search->error, MB_ERROR_USAGE, "invalid-type", "%s", message);
  return NULL;
}

/* ---- numbers ---- */

static result call_abs(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  const mb_value *value = a[0].value;
  if (value->type == MB_TYPE_INTEGER && value->as.integer != INT64_MIN)
    return value->as.integer < 0 ? integer(search, -value->as.integer) : value;
  return number(search, fabs(mb_value_number(value)));
}

/* An integer where it fits, as people expect of ceil and floor. */
static result whole(mb_jp_search *search, double amount) {
  if (amount >= -9007199254740992.0 && amount <= 9007199254740992.0)
    return integer(search, (int64_t)amount);
  return number(search, amount);
}

static result call_ceil(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  if (a[0].value->type == MB_TYPE_INTEGER)
    return a[0].value;
  return whole(search, ceil(a[0].value->as.number));
}

static result call_floor(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  if (a[0].value->type == MB_TYPE_INTEGER)
    return a[0].value;
  return whole(search, floor(a[0].value->as.number));
}

/* Exact as long as everything is an integer and fits. */
static result call_sum(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  const mb_value *list = a[0].value;
  double total = 0;
  int64_t exact = 0;
  bool is_exact = true;
  for (uint32_t i = 0; i < list->count; i++) {
    const mb_value *item = &list->as.items[i];
    is_exact = is_exact && item->type == MB_TYPE_INTEGER &&
               !__builtin_add_overflow(exact, item->as.integer, &exact);
    total += mb_value_number(item);
  }
  return is_exact ? integer(search, exact) : number(search, total);
}

static result call_avg(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  const mb_value *list = a[0].value;
  double total = 0;
  if (list->count == 0)
    return &mb_jp_null;
  for (uint32_t i = 0; i < list->count; i++)
    total += mb_value_number(&list->as.items[i]);
  return number(search, total / list->count);
}

static result call_to_number(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  const mb_value *value = a[0].value;
  int64_t exact;
  double amount;
  if (mb_jp_is_number(value))
    return value;
  if (!mb_jp_is_string(value))
    return &mb_jp_null;
  if (!mb_parse_integer(value->as.bytes.data, value->as.bytes.size, &exact))
    return integer(search, exact);
  if (!mb_parse_number(value->as.bytes.data, value->as.bytes.size, &amount) && isfinite(amount))
    return number(search, amount);
  return &mb_jp_null;
}

/* ---- strings ---- */

static bool has_part(const mb_value *text, const mb_value *part) {
  if (part->as.bytes.size == 0)
    return true;
  return memmem(text->as.bytes.data, text->as.bytes.size, part->as.bytes.data,
                part->as.bytes.size) != NULL;
}

static result call_contains(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  const mb_value *subject = a[0].value, *wanted = a[1].value;
  if (subject->type != MB_TYPE_LIST)
    return boolean(mb_jp_is_string(wanted) && has_part(subject, wanted));
  for (uint32_t i = 0; i < subject->count; i++)
    if (mb_value_equal(&subject->as.items[i], wanted))
      return &mb_jp_true;
  return &mb_jp_false;
}

static bool part_is_at(const mb_value *text, const mb_value *part, size_t offset) {
  return part->as.bytes.size == 0 ||
         memcmp(text->as.bytes.data + offset, part->as.bytes.data, part->as.bytes.size) == 0;
}

static result call_starts_with(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  return boolean(a[1].value->as.bytes.size <= a[0].value->as.bytes.size &&
                 part_is_at(a[0].value, a[1].value, 0));
}

static result call_ends_with(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  size_t size = a[0].value->as.bytes.size, part = a[1].value->as.bytes.size;
  return boolean(part <= size && part_is_at(a[0].value, a[1].value, size - part));
}

static result call_join(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  const mb_value *glue = a[0].value, *list = a[1].value;
  mb_buffer text = MB_BUFFER_INIT(TEXT_MAX);
  for (uint32_t i = 0; i < list->count; i++) {
    if (i > 0)
      mb_buffer_add(&text, glue->as.bytes.data, glue->as.bytes.size);
    mb_buffer_add(&text, list->as.items[i].as.bytes.data, list->as.items[i].as.bytes.size);
  }
  return string_of_buffer(search, &text);
}

static bool starts_character(char c) {
  return ((unsigned char)c & 0xc0) != 0x80;
}

static int64_t count_characters(const mb_value *text) {
  int64_t count = 0;
  for (size_t i = 0; i < text->as.bytes.size; i++)
    count += starts_character(text->as.bytes.data[i]);
  return count;
}

static result call_length(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  const mb_value *value = a[0].value;
  return integer(search, mb_jp_is_string(value) ? count_characters(value) : value->count);
}

/* Reverses characters, keeping the bytes of each in order. */
static result reverse_text(mb_jp_search *search, const mb_value *text) {
  size_t size = text->as.bytes.size, used = 0;
  const char *data = text->as.bytes.data;
  char *copy = mb_arena_alloc(search->arena, size + 1);
  mb_value *value = copy ? new_value(search) : NULL;
  if (!value)
    return mb_jp_memory(search);
  for (size_t end = size; end > 0;) {
    size_t start = end - 1;
    while (start > 0 && !starts_character(data[start]))
      start--;
    memcpy(copy + used, data + start, end - start);
    used += end - start;
    end = start;
  }
  copy[size] = '\0';
  mb_value_borrow(value, MB_TYPE_STRING, copy, size);
  return value;
}

static result call_reverse(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  const mb_value *list = a[0].value;
  if (list->type != MB_TYPE_LIST)
    return reverse_text(search, list);
  mb_value *out = new_list(search);
  for (uint32_t i = list->count; out && i > 0; i--)
    if (mb_jp_list_push(search, out, &list->as.items[i - 1]))
      return NULL;
  return out;
}

static result call_to_string(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  if (mb_jp_is_string(a[0].value))
    return a[0].value;
  mb_buffer text = MB_BUFFER_INIT(TEXT_MAX);
  mb_json_write_value(&text, a[0].value, 0, true); /* the result is marked secret if it must be */
  return string_of_buffer(search, &text);
}

/* ---- lists and maps ---- */

static result call_keys(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  const mb_value *map = a[0].value;
  mb_value *out = new_list(search);
  for (uint32_t i = 0; out && i < map->count; i++) {
    mb_value *slot = mb_list_add(search->arena, out);
    if (!slot)
      return mb_jp_memory(search);
    mb_value_borrow(slot, MB_TYPE_STRING, map->as.entries[i].key, map->as.entries[i].key_size);
  }
  return out;
}

static result call_values(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  const mb_value *map = a[0].value;
  mb_value *out = new_list(search);
  for (uint32_t i = 0; out && i < map->count; i++)
    if (mb_jp_list_push(search, out, &map->as.entries[i].value))
      return NULL;
  return out;
}

static result call_merge(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  mb_value *out = mb_value_new_map(search->arena);
  if (!out)
    return mb_jp_memory(search);
  for (size_t i = 0; i < count; i++) {
    for (uint32_t j = 0; j < a[i].value->count; j++) {
      const mb_entry *entry = &a[i].value->as.entries[j];
      mb_value *slot = mb_map_put_sized(search->arena, out, entry->key, entry->key_size);
      if (!slot)
        return mb_jp_memory(search);
      *slot = entry->value;
    }
  }
  return out;
}

static result call_map(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  const mb_value *list = a[1].value;
  mb_value *out = new_list(search);
  for (uint32_t i = 0; out && i < list->count; i++) {
    result item = mb_jp_eval(search, a[0].expression, &list->as.items[i]);
    if (!item || mb_jp_list_push(search, out, item))
      return NULL;
  }
  return out;
}

static result call_not_null(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (a[i].value->type != MB_TYPE_NULL)
      return a[i].value;
  return &mb_jp_null;
}

static result call_to_array(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  if (a[0].value->type == MB_TYPE_LIST)
    return a[0].value;
  mb_value *out = new_list(search);
  return out && !mb_jp_list_push(search, out, a[0].value) ? out : NULL;
}

static result call_type(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  static const char *const names[] = {
      [MB_TYPE_NULL] = "null",     [MB_TYPE_BOOLEAN] = "boolean", [MB_TYPE_INTEGER] = "number",
      [MB_TYPE_NUMBER] = "number", [MB_TYPE_STRING] = "string",   [MB_TYPE_BLOB] = "string",
      [MB_TYPE_LIST] = "array",    [MB_TYPE_MAP] = "object",
  };
  const char *name = names[a[0].value->type];
  return string(search, name, strlen(name));
}

/* ---- order ---- */

typedef struct keyed {
  const mb_value *key, *item;
} keyed;

static int compare_keys(const keyed *a, const keyed *b) {
  return mb_jp_is_string(a->key) ? mb_jp_compare_strings(a->key, b->key)
                                 : mb_jp_compare_numbers(a->key, b->key);
}

/* The keys of all items: themselves, or what `expression` gives; all strings or all numbers. */
static keyed *find_keys(mb_jp_search *search, const mb_value *list, const mb_jp_node *expression) {
  keyed *keys = mb_arena_alloc(search->arena, 2 * ((size_t)list->count + 1) * sizeof *keys);
  if (!keys)
    mb_jp_memory(search);
  for (uint32_t i = 0; keys && i < list->count; i++) {
    keys[i].item = &list->as.items[i];
    keys[i].key = expression ? mb_jp_eval(search, expression, keys[i].item) : keys[i].item;
    if (!keys[i].key)
      return NULL;
    bool fits = mb_jp_is_string(keys[i].key) || mb_jp_is_number(keys[i].key);
    if (!fits || mb_jp_is_string(keys[i].key) != mb_jp_is_string(keys[0].key)) {
      type_problem(search, "What is put in order must be all numbers or all strings");
      return NULL;
    }
  }
  return keys;
}

static void merge_runs(keyed *out, const keyed *in, size_t middle, size_t end) {
  size_t left = 0, right = middle;
  for (size_t at = 0; at < end; at++) {
    bool take_left = left < middle && (right >= end || compare_keys(&in[left], &in[right]) <= 0);
    out[at] = take_left ? in[left++] : in[right++];
  }
}

/* A merge sort, because equal items must keep their order; `keys` has as much room again. */
static keyed *sort_keys(keyed *keys, size_t count) {
  keyed *from = keys, *to = keys + count;
  for (size_t width = 1; width < count; width *= 2) {
    for (size_t at = 0; at < count; at += 2 * width) {
      size_t middle = at + width < count ? width : count - at;
      size_t end = at + 2 * width < count ? 2 * width : count - at;
      merge_runs(to + at, from + at, middle, end);
    }
    keyed *swap = from;
    from = to;
    to = swap;
  }
  return from;
}

static result sort_by(mb_jp_search *search, const mb_value *list, const mb_jp_node *expression) {
  keyed *keys = find_keys(search, list, expression);
  mb_value *out = keys ? new_list(search) : NULL;
  keys = out ? sort_keys(keys, list->count) : NULL;
  for (uint32_t i = 0; out && i < list->count; i++)
    if (mb_jp_list_push(search, out, keys[i].item))
      return NULL;
  return out;
}

static result call_sort(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  return sort_by(search, a[0].value, NULL);
}

static result call_sort_by(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  return sort_by(search, a[0].value, a[1].expression);
}

/* The first of the largest, or of the smallest with `sign` -1. */
static result extreme(mb_jp_search *search, const mb_value *list, const mb_jp_node *expression,
                      int sign) {
  const keyed *keys = find_keys(search, list, expression), *best = keys;
  if (!keys)
    return NULL;
  for (uint32_t i = 1; i < list->count; i++)
    if (sign * compare_keys(&keys[i], best) > 0)
      best = &keys[i];
  return list->count ? best->item : &mb_jp_null;
}

static result call_max(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  return extreme(search, a[0].value, NULL, 1);
}

static result call_min(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  return extreme(search, a[0].value, NULL, -1);
}

static result call_max_by(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  return extreme(search, a[0].value, a[1].expression, 1);
}

static result call_min_by(mb_jp_search *search, const mb_jp_argument *a, size_t count) {
  return extreme(search, a[0].value, a[1].expression, -1);
}

/* ---- the table ---- */

#define ORDERED (MB_JP_NUMBERS | MB_JP_STRINGS)
#define SIZED   (MB_JP_ANY_STRING | MB_JP_ANY_LIST | MB_JP_ANY_MAP)

static const mb_jp_function functions[] = {
    {"abs", call_abs, 1, 1, {MB_JP_ANY_NUMBER}, false},
    {"avg", call_avg, 1, 1, {MB_JP_NUMBERS}, false},
    {"ceil", call_ceil, 1, 1, {MB_JP_ANY_NUMBER}, false},
    {"contains", call_contains, 2, 2, {MB_JP_ANY_STRING | MB_JP_ANY_LIST, MB_JP_ANY}, false},
    {"ends_with", call_ends_with, 2, 2, {MB_JP_ANY_STRING, MB_JP_ANY_STRING}, false},
    {"floor", call_floor, 1, 1, {MB_JP_ANY_NUMBER}, false},
    {"join", call_join, 2, 2, {MB_JP_ANY_STRING, MB_JP_STRINGS}, true},
    {"keys", call_keys, 1, 1, {MB_JP_ANY_MAP}, false},
    {"length", call_length, 1, 1, {SIZED}, false},
    {"map", call_map, 2, 2, {MB_JP_EXPRESSION, MB_JP_ANY_LIST}, false},
    {"max", call_max, 1, 1, {ORDERED}, false},
    {"max_by", call_max_by, 2, 2, {MB_JP_ANY_LIST, MB_JP_EXPRESSION}, false},
    {"merge", call_merge, 1, -1, {MB_JP_ANY_MAP, MB_JP_ANY_MAP}, false},
    {"min", call_min, 1, 1, {ORDERED}, false},
    {"min_by", call_min_by, 2, 2, {MB_JP_ANY_LIST, MB_JP_EXPRESSION}, false},
    {"not_null", call_not_null, 1, -1, {MB_JP_ANY, MB_JP_ANY}, false},
    {"reverse", call_reverse, 1, 1, {MB_JP_ANY_STRING | MB_JP_ANY_LIST}, true},
    {"sort", call_sort, 1, 1, {ORDERED}, false},
    {"sort_by", call_sort_by, 2, 2, {MB_JP_ANY_LIST, MB_JP_EXPRESSION}, false},
    {"starts_with", call_starts_with, 2, 2, {MB_JP_ANY_STRING, MB_JP_ANY_STRING}, false},
    {"sum", call_sum, 1, 1, {MB_JP_NUMBERS}, false},
    {"to_array", call_to_array, 1, 1, {MB_JP_ANY}, false},
    {"to_number", call_to_number, 1, 1, {MB_JP_ANY}, true},
    {"to_string", call_to_string, 1, 1, {MB_JP_ANY}, true},
    {"type", call_type, 1, 1, {MB_JP_ANY}, false},
    {"values", call_values, 1, 1, {MB_JP_ANY_MAP}, false},
};

const mb_jp_function *mb_jp_function_find(const char *name, size_t size) {
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
    if (strlen(functions[i].name) == size && memcmp(functions[i].name, name, size) == 0)
      return &functions[i];
  return NULL;
}

static bool all_items(const mb_value *list, bool (*is)(const mb_value *)) {
  for (uint32_t i = 0; i < list->count; i++)
    if (!is(&list->as.items[i]))
      return false;
  return true;
}

static bool argument_fits(const mb_jp_argument *argument, unsigned wanted) {
  static const unsigned char bits[] = {
      [MB_TYPE_NULL] = MB_JP_ANY_NULL,      [MB_TYPE_BOOLEAN] = MB_JP_ANY_BOOLEAN,
      [MB_TYPE_INTEGER] = MB_JP_ANY_NUMBER, [MB_TYPE_NUMBER] = MB_JP_ANY_NUMBER,
      [MB_TYPE_STRING] = MB_JP_ANY_STRING,  [MB_TYPE_BLOB] = MB_JP_ANY_STRING,
      [MB_TYPE_LIST] = MB_JP_ANY_LIST,      [MB_TYPE_MAP] = MB_JP_ANY_MAP,
  };
  if (argument->expression)
    return wanted & MB_JP_EXPRESSION;
  const mb_value *value = argument->value;
  if (wanted & bits[value->type])
    return true;
  if (value->type != MB_TYPE_LIST)
    return false;
  return ((wanted & MB_JP_NUMBERS) && all_items(value, mb_jp_is_number)) ||
         ((wanted & MB_JP_STRINGS) && all_items(value, mb_jp_is_string));
}

/* `depth` bounds the walk; what lies deeper counts as secret, to be on the safe side. */
static bool holds_secret(const mb_value *value, int depth) {
  if (value->secret || depth == 0)
    return true;
  for (uint32_t i = 0; value->type == MB_TYPE_LIST && i < value->count; i++)
    if (holds_secret(&value->as.items[i], depth - 1))
      return true;
  for (uint32_t i = 0; value->type == MB_TYPE_MAP && i < value->count; i++)
    if (holds_secret(&value->as.entries[i].value, depth - 1))
      return true;
  return false;
}

/* Text made of a secret is one too. */
static result keep_secret(mb_jp_search *search, const mb_jp_argument *arguments, size_t count,
                          result value) {
  bool secret = false;
  for (size_t i = 0; i < count && !secret; i++)
    secret = holds_secret(arguments[i].value, MB_JSON_DEPTH + 1);
  if (!secret || value->secret || value->type == MB_TYPE_LIST || value->type == MB_TYPE_NULL)
    return value;
  mb_value *copy = new_value(search);
  if (!copy)
    return NULL;
  *copy = *value;
  mb_value_set_secret(copy, true);
  return copy;
}

const mb_value *mb_jp_function_call(mb_jp_search *search, const mb_jp_function *function,
                                    const mb_jp_argument *arguments, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (argument_fits(&arguments[i], function->arguments[i > 0]))
      continue;
    mb_error_set(search->error, MB_ERROR_USAGE, "invalid-type",
                 "Argument %zu of the JMESPath function %s() has the wrong type: %s", i + 1,
                 function->name,
                 arguments[i].expression ? "an expression (&)"
                                         : mb_type_name(mb_value_type(arguments[i].value)));
    return NULL;
  }
  result value = function->call(search, arguments, count);
  return value && function->keeps_secret ? keep_secret(search, arguments, count, value) : value;
}
