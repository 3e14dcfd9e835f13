/* Packing a draft: operations, paginators and waiters put in order, every name resolved. */
#include "aws/model/pack.h"

#include "aws/model/builder.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_keys(const void *a, const void *b) {
  const mb_sort_key *left = a, *right = b;
  if (left->rank != right->rank)
    return left->rank < right->rank ? -1 : 1;
  int order = strcmp(left->text, right->text);
  if (order != 0)
    return order;
  return left->index < right->index ? -1 : left->index > right->index;
}

void mb_sort_keys(mb_sort_key *keys, size_t count) {
  if (count > 1)
    qsort(keys, count, sizeof *keys, compare_keys);
}

int mb_packer_table(mb_packer *packer, mb_table table, uint32_t count) {
  size_t size = mb_table_kinds[table].record_size;
  packer->tables[table] = mb_arena_zero(packer->draft->arena, count * size + 1);
  packer->counts[table] = count;
  return packer->tables[table] ? 0 : mb_error_memory(packer->error);
}

int mb_packer_fail(mb_packer *packer, uint32_t line, const char *format, ...) {
  char message[512];
  va_list list;
  va_start(list, format);
  vsnprintf(message, sizeof message, format, list);
  va_end(list);
  if (line > 0)
    return mb_error_set(packer->error, MB_ERROR_USAGE, "InvalidModel", "line %lu: %s",
                        (unsigned long)line, message);
  return mb_error_set(packer->error, MB_ERROR_USAGE, "InvalidModel", "%s", message);
}

mb_text mb_pack_snake_name(mb_packer *packer, mb_text name) {
  mb_model_snake_case(&packer->scratch, mb_draft_string_at(packer->draft, name));
  return mb_draft_buffer(packer->draft, &packer->scratch);
}

mb_text mb_pack_snake_expression(mb_packer *packer, mb_text expression) {
  mb_model_snake_expression(&packer->scratch, mb_draft_string_at(packer->draft, expression));
  return mb_draft_buffer(packer->draft, &packer->scratch);
}

static const char *text_of(const mb_packer *packer, mb_text text) {
  return mb_draft_string_at(packer->draft, text);
}

/* ---- operations ------------------------------------------------------------------------------ */

static int resolve_shape(mb_packer *packer, uint32_t *index, const mb_draft_operation *from,
                         mb_text name) {
  *index = MB_NO_INDEX;
  if (name == 0)
    return 0;
  if (name < packer->name_count && packer->shape_of[name] > 0) {
    *index = packer->shape_of[name] - 1;
    return 0;
  }
  return mb_packer_fail(packer, from->line, "operation %s names shape %s, which is not there",
                        text_of(packer, from->record.name), text_of(packer, name));
}

static int resolve_body(mb_packer *packer, uint32_t *index, const mb_draft_operation *from,
                        mb_text name) {
  if (resolve_shape(packer, index, from, name) != 0)
    return -1;
  const mb_shape *shapes = packer->tables[MB_TABLE_SHAPES];
  if (*index == MB_NO_INDEX || shapes[*index].type == MB_SHAPE_STRUCTURE)
    return 0;
  return mb_packer_fail(packer, from->line, "operation %s takes or gives %s, not a structure",
                        text_of(packer, from->record.name), text_of(packer, name));
}

/* Copies an operation's errors to the table, behind those already there. */
static int place_errors(mb_packer *packer, mb_operation *operation, const mb_draft_operation *from,
                        uint32_t *used) {
  const mb_draft_error *errors = packer->draft->errors.items;
  uint32_t *table = packer->tables[MB_TABLE_ERRORS];
  operation->errors = *used;
  for (uint32_t i = 0; i < operation->error_count; i++) {
    const mb_draft_error *error = &errors[from->record.errors + i];
    if (error->shape >= packer->name_count || packer->shape_of[error->shape] == 0)
      return mb_packer_fail(packer, error->line,
                            "operation %s lists the error %s, which is not there",
                            text_of(packer, operation->name), text_of(packer, error->shape));
    table[(*used)++] = packer->shape_of[error->shape] - 1;
  }
  return 0;
}

/* {"Param": "Path.To[*].Member"} with the paths in snake_case. */
static int translate_context(mb_packer *packer, mb_operation *operation, uint32_t line) {
  const char *source = text_of(packer, operation->operation_context);
  mb_arena *arena = packer->draft->arena;
  mb_value *map = NULL;
  if (*source == '\0')
    return 0;
  if (mb_value_from_json(arena, &map, source, strlen(source), packer->error) != 0)
    return packer->error && packer->error->kind == MB_ERROR_MEMORY
               ? -1
               : mb_packer_fail(packer, line, "the context of operation %s is not JSON",
                                text_of(packer, operation->name));
  for (size_t i = 0; i < mb_value_count(map); i++) {
    mb_value *path = mb_map_value_at(map, i);
    mb_model_snake_expression(&packer->scratch, mb_value_string(path));
    bool failed = packer->scratch.failed ||
                  mb_value_set_string(arena, path, mb_buffer_text(&packer->scratch)) != 0;
    mb_buffer_clear(&packer->scratch);
    if (failed)
      return mb_error_memory(packer->error);
  }
  mb_json_write_value(&packer->scratch, map, 0, true);
  operation->operation_context = mb_draft_buffer(packer->draft, &packer->scratch);
  return 0;
}

static int place_operation(mb_packer *packer, uint32_t index, const mb_draft_operation *from,
                           uint32_t *errors) {
  mb_operation *operation = (mb_operation *)packer->tables[MB_TABLE_OPERATIONS] + index;
  mb_text *source = (mb_text *)packer->tables[MB_TABLE_OPERATION_SOURCES] + index;
  memcpy(operation, &from->record, sizeof *operation);
  *source = operation->operation_context;
  operation->snake = mb_pack_snake_name(packer, operation->name);
  if (resolve_body(packer, &operation->input, from, from->record.input) != 0 ||
      resolve_body(packer, &operation->output, from, from->record.output) != 0 ||
      place_errors(packer, operation, from, errors) != 0)
    return -1;
  if (operation->input != MB_NO_INDEX)
    operation->flags |= MB_OPERATION_HAS_INPUT;
  if (operation->output != MB_NO_INDEX)
    operation->flags |= MB_OPERATION_HAS_OUTPUT;
  packer->operation_of[operation->name] = index + 1;
  return translate_context(packer, operation, from->line);
}

static int order_operations_by_snake(mb_packer *packer, mb_sort_key *keys) {
  const mb_operation *operations = packer->tables[MB_TABLE_OPERATIONS];
  uint32_t *order = packer->tables[MB_TABLE_OPERATIONS_BY_SNAKE];
  uint32_t count = packer->counts[MB_TABLE_OPERATIONS];
  for (uint32_t i = 0; i < count; i++)
    keys[i] = (mb_sort_key){.index = i, .text = text_of(packer, operations[i].snake)};
  mb_sort_keys(keys, count);
  for (uint32_t i = 0; i < count; i++) {
    if (i > 0 && strcmp(keys[i].text, keys[i - 1].text) == 0)
      return mb_packer_fail(packer, 0, "operations %s and %s have one name in snake_case",
                            text_of(packer, operations[keys[i - 1].index].name),
                            text_of(packer, operations[keys[i].index].name));
    order[i] = keys[i].index;
  }
  return 0;
}

int mb_pack_operations(mb_packer *packer) {
  mb_draft *draft = packer->draft;
  const mb_draft_operation *from = draft->operations.items;
  uint32_t count = draft->operations.count, errors = 0;
  mb_sort_key *keys = mb_arena_zero(draft->arena, (count + 1) * sizeof *keys);
  if (!keys)
    return mb_error_memory(packer->error);
  if (mb_packer_table(packer, MB_TABLE_OPERATIONS, count) != 0 ||
      mb_packer_table(packer, MB_TABLE_OPERATION_SOURCES, count) != 0 ||
      mb_packer_table(packer, MB_TABLE_OPERATIONS_BY_SNAKE, count) != 0 ||
      mb_packer_table(packer, MB_TABLE_ERRORS, draft->errors.count) != 0)
    return -1;
  for (uint32_t i = 0; i < count; i++)
    keys[i] = (mb_sort_key){.index = i, .text = text_of(packer, from[i].record.name)};
  mb_sort_keys(keys, count);
  for (uint32_t i = 0; i < count; i++) {
    const mb_draft_operation *operation = &from[keys[i].index];
    if (*keys[i].text == '\0')
      return mb_packer_fail(packer, operation->line, "an operation has no name");
    if (i > 0 && strcmp(keys[i].text, keys[i - 1].text) == 0)
      return mb_packer_fail(packer, operation->line, "operation %s is there twice", keys[i].text);
    if (place_operation(packer, i, operation, &errors) != 0)
      return -1;
  }
  return order_operations_by_snake(packer, keys);
}

static int find_operation(mb_packer *packer, uint32_t *index, mb_text name, uint32_t line) {
  if (name == 0 || name >= packer->name_count || packer->operation_of[name] == 0)
    return mb_packer_fail(packer, line, "there is no operation %s", text_of(packer, name));
  *index = packer->operation_of[name] - 1;
  return 0;
}

/* ---- paginators ------------------------------------------------------------------------------ */

static void place_paginator(mb_packer *packer, uint32_t index, const mb_draft_paginator *from) {
  mb_paginator *paginator = (mb_paginator *)packer->tables[MB_TABLE_PAGINATORS] + index;
  mb_paginator_source *source =
      (mb_paginator_source *)packer->tables[MB_TABLE_PAGINATOR_SOURCES] + index;
  mb_text snake[MB_PAGE_FIELDS];
  for (int field = 0; field < MB_PAGE_FIELDS; field++)
    snake[field] = mb_pack_snake_expression(packer, from->source.fields[field]);
  *source = from->source;
  paginator->input_tokens = snake[MB_PAGE_INPUT];
  paginator->output_tokens = snake[MB_PAGE_OUTPUT];
  paginator->result_keys = snake[MB_PAGE_RESULT];
  paginator->more_results = snake[MB_PAGE_MORE];
  paginator->limit_key = snake[MB_PAGE_LIMIT];
  paginator->non_aggregate = snake[MB_PAGE_OTHER];
  paginator->derived = from->derived;
}

/* Notes for each operation which of the draft's paginators is its own (index plus one). */
static int match_paginators(mb_packer *packer, uint32_t *own) {
  const mb_draft_paginator *from = packer->draft->paginators.items;
  for (uint32_t i = 0; i < packer->draft->paginators.count; i++) {
    uint32_t index = 0;
    if (find_operation(packer, &index, from[i].operation, from[i].line) != 0)
      return -1;
    if (own[index])
      return mb_packer_fail(packer, from[i].line, "operation %s has two paginators",
                            text_of(packer, from[i].operation));
    own[index] = i + 1;
  }
  return 0;
}

int mb_pack_paginators(mb_packer *packer) {
  mb_draft *draft = packer->draft;
  mb_operation *operations = packer->tables[MB_TABLE_OPERATIONS];
  uint32_t count = packer->counts[MB_TABLE_OPERATIONS], used = 0;
  uint32_t *own = mb_arena_zero(draft->arena, (count + 1) * sizeof *own);
  if (!own)
    return mb_error_memory(packer->error);
  if (match_paginators(packer, own) != 0)
    return -1;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t before = draft->paginators.count;
    if (!own[i])
      mb_derive_paginator(packer, &operations[i]);
    if (draft->paginators.count > before)
      own[i] = draft->paginators.count;
  }
  if (mb_packer_table(packer, MB_TABLE_PAGINATORS, draft->paginators.count) != 0 ||
      mb_packer_table(packer, MB_TABLE_PAGINATOR_SOURCES, draft->paginators.count) != 0)
    return -1;
  const mb_draft_paginator *from = draft->paginators.items;
  for (uint32_t i = 0; i < count; i++) {
    if (!own[i])
      continue;
    operations[i].paginator = used;
    place_paginator(packer, used++, &from[own[i] - 1]);
  }
  return 0;
}

/* ---- waiters --------------------------------------------------------------------------------- */

static int place_waiter(mb_packer *packer, uint32_t index, const mb_draft_waiter *from,
                        uint32_t *used) {
  mb_waiter *waiter = (mb_waiter *)packer->tables[MB_TABLE_WAITERS] + index;
  mb_acceptor *acceptors = packer->tables[MB_TABLE_ACCEPTORS];
  mb_text *sources = packer->tables[MB_TABLE_ACCEPTOR_SOURCES];
  const mb_acceptor *given = packer->draft->acceptors.items;
  memcpy(waiter, &from->record, sizeof *waiter);
  waiter->snake = mb_pack_snake_name(packer, waiter->name);
  waiter->acceptors = *used;
  for (uint32_t i = 0; i < waiter->acceptor_count; i++, (*used)++) {
    memcpy(&acceptors[*used], &given[from->record.acceptors + i], sizeof *acceptors);
    sources[*used] = acceptors[*used].argument;
    acceptors[*used].argument = mb_pack_snake_expression(packer, sources[*used]);
  }
  return find_operation(packer, &waiter->operation, from->record.operation, from->line);
}

int mb_pack_waiters(mb_packer *packer) {
  mb_draft *draft = packer->draft;
  const mb_draft_waiter *from = draft->waiters.items;
  uint32_t count = draft->waiters.count, used = 0;
  mb_sort_key *keys = mb_arena_zero(draft->arena, (count + 1) * sizeof *keys);
  if (!keys)
    return mb_error_memory(packer->error);
  if (mb_packer_table(packer, MB_TABLE_WAITERS, count) != 0 ||
      mb_packer_table(packer, MB_TABLE_ACCEPTORS, draft->acceptors.count) != 0 ||
      mb_packer_table(packer, MB_TABLE_ACCEPTOR_SOURCES, draft->acceptors.count) != 0)
    return -1;
  for (uint32_t i = 0; i < count; i++)
    keys[i] = (mb_sort_key){.index = i, .text = text_of(packer, from[i].record.name)};
  mb_sort_keys(keys, count);
  for (uint32_t i = 0; i < count; i++) {
    const mb_draft_waiter *waiter = &from[keys[i].index];
    if (*keys[i].text == '\0')
      return mb_packer_fail(packer, waiter->line, "a waiter has no name");
    if (i > 0 && strcmp(keys[i].text, keys[i - 1].text) == 0)
      return mb_packer_fail(packer, waiter->line, "waiter %s is there twice", keys[i].text);
    if (place_waiter(packer, i, waiter, &used) != 0)
      return -1;
  }
  return 0;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int pack_tables(mb_packer *packer, mb_buffer *out) {
  mb_draft *draft = packer->draft;
  packer->name_count = draft->texts.count + 1;
  packer->shape_of = mb_arena_zero(draft->arena, packer->name_count * sizeof(uint32_t));
  packer->operation_of = mb_arena_zero(draft->arena, packer->name_count * sizeof(uint32_t));
  if (!packer->shape_of || !packer->operation_of)
    return mb_error_memory(packer->error);
  if (mb_pack_shapes(packer) != 0 || mb_pack_operations(packer) != 0 ||
      mb_pack_paginators(packer) != 0 || mb_pack_waiters(packer) != 0)
    return -1;
  return draft->failed ? mb_error_memory(packer->error) : mb_pack_write(packer, out);
}

int mb_draft_pack(mb_draft *draft, mb_buffer *out, mb_buffer *warnings, mb_error *error) {
  mb_packer packer = {.draft = draft, .warnings = warnings, .error = error};
  if (draft->failed)
    return mb_error_memory(error);
  if (out->size != 0)
    return mb_error_set(error, MB_ERROR_INTERNAL, "BufferNotEmpty",
                        "a model is packed into an empty buffer only");
  mb_buffer_init(&packer.scratch, MB_MODEL_SIZE_LIMIT);
  int result = pack_tables(&packer, out);
  mb_buffer_dispose(&packer.scratch);
  /* A name that could not be stored looks like one that is missing; the cause is what counts. */
  return result != 0 && draft->failed ? mb_error_memory(error) : result;
}
