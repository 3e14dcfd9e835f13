/* Reading packed models. Nothing here allocates, and no index or offset is believed: the block may
 * have been made by anyone. */
#include "aws/model/packed.h"

#include <stddef.h>
#include <string.h>

#define TEXT_AT(type, field) (uint8_t) offsetof(type, field)

const mb_table_kind mb_table_kinds[MB_TABLE_COUNT] = {
    [MB_TABLE_SHAPES] = {sizeof(mb_shape),
                         5,
                         {TEXT_AT(mb_shape, name), TEXT_AT(mb_shape, xml_name),
                          TEXT_AT(mb_shape, xml_namespace), TEXT_AT(mb_shape, xml_prefix),
                          TEXT_AT(mb_shape, error_code)}},
    [MB_TABLE_MEMBERS] = {sizeof(mb_member),
                          7,
                          {TEXT_AT(mb_member, name), TEXT_AT(mb_member, snake),
                           TEXT_AT(mb_member, wire), TEXT_AT(mb_member, query_name),
                           TEXT_AT(mb_member, xml_namespace), TEXT_AT(mb_member, xml_prefix),
                           TEXT_AT(mb_member, context_param)}},
    [MB_TABLE_BY_SNAKE] = {sizeof(uint16_t), 0, {0}},
    [MB_TABLE_BY_NAME] = {sizeof(uint16_t), 0, {0}},
    [MB_TABLE_BY_WIRE] = {sizeof(uint16_t), 0, {0}},
    [MB_TABLE_OPERATIONS] =
        {sizeof(mb_operation),
         12,
         {TEXT_AT(mb_operation, name), TEXT_AT(mb_operation, snake), TEXT_AT(mb_operation, method),
          TEXT_AT(mb_operation, uri), TEXT_AT(mb_operation, input_name),
          TEXT_AT(mb_operation, input_namespace), TEXT_AT(mb_operation, input_prefix),
          TEXT_AT(mb_operation, result_wrapper), TEXT_AT(mb_operation, host_prefix),
          TEXT_AT(mb_operation, static_context), TEXT_AT(mb_operation, operation_context),
          TEXT_AT(mb_operation, checksum)}},
    [MB_TABLE_OPERATIONS_BY_SNAKE] = {sizeof(uint32_t), 0, {0}},
    [MB_TABLE_OPERATION_SOURCES] = {sizeof(mb_text), 1, {0}},
    [MB_TABLE_ERRORS] = {sizeof(uint32_t), 0, {0}},
    [MB_TABLE_EXCEPTIONS] = {sizeof(uint32_t), 0, {0}},
    [MB_TABLE_PAGINATORS] = {sizeof(mb_paginator),
                             6,
                             {TEXT_AT(mb_paginator, input_tokens),
                              TEXT_AT(mb_paginator, output_tokens),
                              TEXT_AT(mb_paginator, result_keys),
                              TEXT_AT(mb_paginator, more_results), TEXT_AT(mb_paginator, limit_key),
                              TEXT_AT(mb_paginator, non_aggregate)}},
    [MB_TABLE_PAGINATOR_SOURCES] = {sizeof(mb_paginator_source), 6, {0, 4, 8, 12, 16, 20}},
    [MB_TABLE_WAITERS] = {sizeof(mb_waiter),
                          2,
                          {TEXT_AT(mb_waiter, name), TEXT_AT(mb_waiter, snake)}},
    [MB_TABLE_ACCEPTORS] = {sizeof(mb_acceptor),
                            2,
                            {TEXT_AT(mb_acceptor, argument), TEXT_AT(mb_acceptor, expected)}},
    [MB_TABLE_ACCEPTOR_SOURCES] = {sizeof(mb_text), 1, {0}},
    [MB_TABLE_STRINGS] = {1, 0, {0}},
};

/* ---- the block ------------------------------------------------------------------------------- */

static bool table_fits(const mb_model *model, mb_table table) {
  const mb_span *span = &model->tables[table];
  uint64_t bytes = (uint64_t)span->count * mb_table_kinds[table].record_size;
  return span->offset >= sizeof *model && span->offset % MB_PACKED_ALIGN == 0 &&
         span->offset <= model->size && bytes <= model->size - span->offset;
}

/* Tables that run side by side must be of one length, so that one check of an index serves both. */
static bool lengths_agree(const mb_model *model) {
  const mb_span *t = model->tables;
  uint32_t members = t[MB_TABLE_MEMBERS].count;
  uint32_t operations = t[MB_TABLE_OPERATIONS].count;
  return t[MB_TABLE_BY_SNAKE].count == members && t[MB_TABLE_BY_NAME].count == members &&
         t[MB_TABLE_BY_WIRE].count == members &&
         t[MB_TABLE_OPERATIONS_BY_SNAKE].count == operations &&
         t[MB_TABLE_OPERATION_SOURCES].count == operations &&
         t[MB_TABLE_PAGINATOR_SOURCES].count == t[MB_TABLE_PAGINATORS].count &&
         t[MB_TABLE_ACCEPTOR_SOURCES].count == t[MB_TABLE_ACCEPTORS].count;
}

const mb_model *mb_model_open(const void *data, size_t size) {
  const mb_model *model = data;
  if (!data || (uintptr_t)data % MB_PACKED_ALIGN != 0 || size < sizeof *model)
    return NULL;
  if (memcmp(model->magic, MB_PACKED_MAGIC, sizeof model->magic) != 0 ||
      model->version != MB_PACKED_VERSION || model->size != size)
    return NULL;
  for (int table = 0; table < MB_TABLE_COUNT; table++)
    if (!table_fits(model, (mb_table)table))
      return NULL;
  const mb_span *strings = &model->tables[MB_TABLE_STRINGS];
  const char *first = (const char *)data + strings->offset;
  if (strings->count == 0 || first[0] != '\0' || first[strings->count - 1] != '\0')
    return NULL;
  return lengths_agree(model) ? model : NULL;
}

const void *mb_packed_record(const mb_model *model, mb_table table, uint32_t index) {
  const mb_span *span = &model->tables[table];
  if (index >= span->count)
    return NULL;
  return (const char *)model + span->offset + (size_t)index * mb_table_kinds[table].record_size;
}

const char *mb_model_text(const mb_model *model, mb_text text) {
  const char *found = mb_packed_record(model, MB_TABLE_STRINGS, text);
  return found ? found : "";
}

void mb_model_service(const mb_model *model, mb_service *out) {
  const mb_text *texts = model->service;
  *out = (mb_service){
      .namespace_ = mb_model_text(model, texts[MB_SERVICE_NAMESPACE]),
      .service_id = mb_model_text(model, texts[MB_SERVICE_ID]),
      .endpoint_prefix = mb_model_text(model, texts[MB_SERVICE_ENDPOINT_PREFIX]),
      .signing_name = mb_model_text(model, texts[MB_SERVICE_SIGNING_NAME]),
      .target_prefix = mb_model_text(model, texts[MB_SERVICE_TARGET_PREFIX]),
      .api_version = mb_model_text(model, texts[MB_SERVICE_API_VERSION]),
      .json_version = mb_model_text(model, texts[MB_SERVICE_JSON_VERSION]),
      .xml_namespace = mb_model_text(model, texts[MB_SERVICE_XML_NAMESPACE]),
      .botocore = mb_model_text(model, texts[MB_SERVICE_BOTOCORE]),
      .endpoint_rules = mb_model_text(model, texts[MB_SERVICE_RULES]),
      .protocol = (mb_protocol)model->protocol,
      .query_compatible = (model->flags & MB_SERVICE_QUERY_COMPATIBLE) != 0,
      .query_mode = (model->flags & MB_SERVICE_QUERY_MODE) != 0,
      .unsigned_all = (model->flags & MB_SERVICE_UNSIGNED) != 0,
  };
}

/* ---- finding by name ------------------------------------------------------------------------- */

/* Orders a NUL-terminated text against a key that need not be terminated. */
static int compare_key(const char *text, const char *key, size_t size) {
  size_t length = strlen(text);
  int order = memcmp(text, key, length < size ? length : size);
  if (order != 0)
    return order;
  return length < size ? -1 : length > size;
}

size_t mb_model_operation_count(const mb_model *model) {
  return model->tables[MB_TABLE_OPERATIONS].count;
}

const mb_operation *mb_model_operation_at(const mb_model *model, size_t index) {
  return index > UINT32_MAX ? NULL : mb_packed_record(model, MB_TABLE_OPERATIONS, (uint32_t)index);
}

static const mb_operation *operation_in_order(const mb_model *model, bool snake, size_t position) {
  if (!snake)
    return mb_model_operation_at(model, position);
  const uint32_t *index = mb_packed_record(model, MB_TABLE_OPERATIONS_BY_SNAKE, (uint32_t)position);
  return index ? mb_model_operation_at(model, *index) : NULL;
}

static const mb_operation *find_operation(const mb_model *model, bool snake, const char *name) {
  size_t low = 0, high = mb_model_operation_count(model);
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const mb_operation *operation = operation_in_order(model, snake, middle);
    if (!operation)
      return NULL;
    int order = strcmp(mb_model_text(model, snake ? operation->snake : operation->name), name);
    if (order == 0)
      return operation;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

const mb_operation *mb_model_operation(const mb_model *model, const char *name) {
  const mb_operation *found = find_operation(model, true, name);
  return found ? found : find_operation(model, false, name);
}

const mb_shape *mb_model_shape(const mb_model *model, uint32_t index) {
  return mb_packed_record(model, MB_TABLE_SHAPES, index);
}

const mb_member *mb_model_member_at(const mb_model *model, uint32_t member_index) {
  return mb_packed_record(model, MB_TABLE_MEMBERS, member_index);
}

const mb_member *mb_model_members(const mb_model *model, const mb_shape *shape) {
  uint32_t total = model->tables[MB_TABLE_MEMBERS].count;
  if (!shape || shape->member_count == 0 || shape->members > total ||
      shape->member_count > total - shape->members)
    return NULL;
  return mb_model_member_at(model, shape->members);
}

/* Orders one member against a key. Members that are not in the body come after all that are. */
static int compare_member(const mb_model *model, mb_table table, const mb_member *member,
                          const char *key, size_t size) {
  if (table == MB_TABLE_BY_WIRE && member->location != MB_LOCATION_BODY)
    return 1;
  mb_text text = table == MB_TABLE_BY_SNAKE  ? member->snake
                 : table == MB_TABLE_BY_NAME ? member->name
                                             : member->wire;
  return compare_key(mb_model_text(model, text), key, size);
}

static const mb_member *find_member(const mb_model *model, const mb_shape *shape, mb_table table,
                                    const char *key, size_t size) {
  const mb_member *members = mb_model_members(model, shape);
  if (!members)
    return NULL;
  const uint16_t *order = mb_packed_record(model, table, shape->members);
  uint32_t low = 0, high = shape->member_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (order[middle] >= shape->member_count)
      return NULL;
    const mb_member *member = &members[order[middle]];
    int found = compare_member(model, table, member, key, size);
    if (found == 0)
      return member;
    if (found < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

const mb_member *mb_model_member(const mb_model *model, const mb_shape *shape, const char *name,
                                 size_t size) {
  const mb_member *found = find_member(model, shape, MB_TABLE_BY_SNAKE, name, size);
  return found ? found : find_member(model, shape, MB_TABLE_BY_NAME, name, size);
}

const mb_member *mb_model_member_by_wire(const mb_model *model, const mb_shape *shape,
                                         const char *wire, size_t size) {
  return find_member(model, shape, MB_TABLE_BY_WIRE, wire, size);
}

/* ---- errors, paginators, waiters ------------------------------------------------------------- */

const mb_shape *mb_model_error_at(const mb_model *model, const mb_operation *operation,
                                  uint32_t index) {
  if (!operation || index >= operation->error_count || operation->errors > UINT32_MAX - index)
    return NULL;
  const uint32_t *shape = mb_packed_record(model, MB_TABLE_ERRORS, operation->errors + index);
  return shape ? mb_model_shape(model, *shape) : NULL;
}

const mb_shape *mb_model_error_by_code(const mb_model *model, const char *code, size_t size) {
  uint32_t low = 0, high = model->tables[MB_TABLE_EXCEPTIONS].count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    const uint32_t *index = mb_packed_record(model, MB_TABLE_EXCEPTIONS, middle);
    const mb_shape *shape = index ? mb_model_shape(model, *index) : NULL;
    if (!shape)
      return NULL;
    const char *text = mb_model_text(model, shape->error_code ? shape->error_code : shape->name);
    int order = compare_key(text, code, size);
    if (order == 0)
      return shape;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

const mb_paginator *mb_model_paginator(const mb_model *model, const mb_operation *operation) {
  return operation ? mb_packed_record(model, MB_TABLE_PAGINATORS, operation->paginator) : NULL;
}

size_t mb_model_waiter_count(const mb_model *model) {
  return model->tables[MB_TABLE_WAITERS].count;
}

const mb_waiter *mb_model_waiter_at(const mb_model *model, size_t index) {
  return index > UINT32_MAX ? NULL : mb_packed_record(model, MB_TABLE_WAITERS, (uint32_t)index);
}

const mb_acceptor *mb_model_acceptors(const mb_model *model, const mb_waiter *waiter) {
  uint32_t total = model->tables[MB_TABLE_ACCEPTORS].count;
  if (!waiter || waiter->acceptor_count == 0 || waiter->acceptors > total ||
      waiter->acceptor_count > total - waiter->acceptors)
    return NULL;
  return mb_packed_record(model, MB_TABLE_ACCEPTORS, waiter->acceptors);
}

const mb_operation *mb_model_waiter_operation(const mb_model *model, const mb_waiter *waiter) {
  return waiter ? mb_model_operation_at(model, waiter->operation) : NULL;
}
