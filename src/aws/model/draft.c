/* Drafts: interned texts and growing lists of records, all in one arena. */
#include "aws/model/draft.h"

#include <string.h>

mb_draft *mb_draft_new(void) {
  mb_arena *arena = mb_arena_new(0);
  mb_draft *draft = arena ? mb_arena_zero(arena, sizeof *draft) : NULL;
  if (!draft) {
    if (arena)
      mb_arena_free(arena);
    return NULL;
  }
  draft->arena = arena;
  return draft;
}

void mb_draft_free(mb_draft *draft) {
  if (draft)
    mb_arena_free(draft->arena);
}

/* Adds a zeroed record; NULL (and the draft failed) when memory has run out. */
static void *list_add(mb_draft *draft, mb_draft_list *list, size_t record_size) {
  if (draft->failed)
    return NULL;
  if (list->count == list->capacity) {
    uint32_t capacity = list->capacity ? list->capacity * 2 : 32;
    void *items = list->count >= UINT32_MAX / 4
                      ? NULL
                      : mb_arena_grow(draft->arena, list->items, list->capacity * record_size,
                                      capacity * record_size);
    if (!items) {
      draft->failed = true;
      return NULL;
    }
    list->items = items;
    list->capacity = capacity;
  }
  void *record = (char *)list->items + list->count++ * record_size;
  memset(record, 0, record_size);
  return record;
}

/* ---- texts ----------------------------------------------------------------------------------- */

/* FNV-1a. The texts come from files the user chose; a flood of equal hashes only costs time. */
static uint32_t hash_text(const char *text, size_t size) {
  uint32_t hash = 2166136261U;
  for (size_t i = 0; i < size; i++)
    hash = (hash ^ (unsigned char)text[i]) * 16777619U;
  return hash;
}

const char *mb_draft_string_at(const mb_draft *draft, mb_text text) {
  if (text == 0 || text > draft->texts.count)
    return "";
  return ((const char *const *)draft->texts.items)[text - 1];
}

/* The slot where the text is, or where it belongs. There is always an empty slot. */
static uint32_t *find_slot(const mb_draft *draft, const char *text, size_t size) {
  uint32_t at = hash_text(text, size) & (draft->slot_count - 1);
  while (draft->slots[at] != 0) {
    const char *found = mb_draft_string_at(draft, draft->slots[at]);
    if (strncmp(found, text, size) == 0 && found[size] == '\0')
      break;
    at = (at + 1) & (draft->slot_count - 1);
  }
  return &draft->slots[at];
}

static void grow_slots(mb_draft *draft) {
  uint32_t count = draft->slot_count ? draft->slot_count * 2 : 1024;
  uint32_t *slots = mb_arena_zero(draft->arena, count * sizeof *slots);
  if (!slots) {
    draft->failed = true;
    return;
  }
  draft->slots = slots;
  draft->slot_count = count;
  for (mb_text text = 1; text <= draft->texts.count; text++) {
    const char *string = mb_draft_string_at(draft, text);
    *find_slot(draft, string, strlen(string)) = text;
  }
}

mb_text mb_draft_text(mb_draft *draft, const char *text, size_t size) {
  if (size == 0 || draft->failed)
    return 0;
  if (draft->texts.count >= draft->slot_count / 2)
    grow_slots(draft);
  if (draft->failed)
    return 0;
  uint32_t *slot = find_slot(draft, text, size);
  if (*slot)
    return *slot;
  char *copy = mb_arena_strndup(draft->arena, text, size);
  const char **place = copy ? list_add(draft, &draft->texts, sizeof *place) : NULL;
  if (!place) {
    draft->failed = true;
    return 0;
  }
  *place = copy;
  *slot = draft->texts.count;
  return *slot;
}

mb_text mb_draft_string(mb_draft *draft, const char *text) {
  return text ? mb_draft_text(draft, text, strlen(text)) : 0;
}

mb_text mb_draft_buffer(mb_draft *draft, mb_buffer *buffer) {
  if (buffer->failed)
    draft->failed = true;
  mb_text text = buffer->failed ? 0 : mb_draft_string(draft, mb_buffer_text(buffer));
  mb_buffer_clear(buffer);
  return text;
}

/* ---- records --------------------------------------------------------------------------------- */

static void *newest(const mb_draft_list *list, size_t record_size) {
  return list->count ? (char *)list->items + (list->count - 1) * record_size : NULL;
}

mb_draft_shape *mb_draft_newest_shape(mb_draft *draft) {
  return newest(&draft->shapes, sizeof(mb_draft_shape));
}

mb_draft_shape *mb_draft_add_shape(mb_draft *draft, const char *name) {
  mb_text text = mb_draft_string(draft, name);
  mb_draft_shape *shape = list_add(draft, &draft->shapes, sizeof *shape);
  if (!shape)
    shape = memset(&draft->spare.shape, 0, sizeof *shape);
  shape->record.name = text;
  shape->record.members = draft->members.count;
  shape->record.payload = MB_NO_INDEX;
  return shape;
}

mb_draft_member *mb_draft_add_member(mb_draft *draft, const char *name) {
  mb_text text = mb_draft_string(draft, name);
  mb_draft_member *member = list_add(draft, &draft->members, sizeof *member);
  mb_draft_shape *shape = mb_draft_newest_shape(draft);
  if (!member)
    member = memset(&draft->spare.member, 0, sizeof *member);
  else if (shape)
    shape->record.member_count++;
  member->record.name = text;
  member->record.wire = text;
  return member;
}

mb_draft_operation *mb_draft_add_operation(mb_draft *draft, const char *name) {
  mb_text text = mb_draft_string(draft, name);
  mb_text method = mb_draft_string(draft, "POST");
  mb_text uri = mb_draft_string(draft, "/");
  mb_draft_operation *operation = list_add(draft, &draft->operations, sizeof *operation);
  if (!operation)
    operation = memset(&draft->spare.operation, 0, sizeof *operation);
  operation->record.name = text;
  operation->record.method = method;
  operation->record.uri = uri;
  operation->record.response_status = 200;
  operation->record.errors = draft->errors.count;
  operation->record.paginator = MB_NO_INDEX;
  return operation;
}

mb_draft_error *mb_draft_add_error(mb_draft *draft, const char *shape) {
  mb_text text = mb_draft_string(draft, shape);
  mb_draft_error *error = list_add(draft, &draft->errors, sizeof *error);
  mb_draft_operation *operation = newest(&draft->operations, sizeof *operation);
  if (!error)
    error = memset(&draft->spare.error, 0, sizeof *error);
  else if (operation)
    operation->record.error_count++;
  error->shape = text;
  return error;
}

mb_draft_paginator *mb_draft_add_paginator(mb_draft *draft, const char *operation) {
  mb_text text = mb_draft_string(draft, operation);
  mb_draft_paginator *paginator = list_add(draft, &draft->paginators, sizeof *paginator);
  if (!paginator)
    paginator = memset(&draft->spare.paginator, 0, sizeof *paginator);
  paginator->operation = text;
  return paginator;
}

mb_draft_waiter *mb_draft_add_waiter(mb_draft *draft, const char *name) {
  mb_text text = mb_draft_string(draft, name);
  mb_draft_waiter *waiter = list_add(draft, &draft->waiters, sizeof *waiter);
  if (!waiter)
    waiter = memset(&draft->spare.waiter, 0, sizeof *waiter);
  waiter->record.name = text;
  waiter->record.acceptors = draft->acceptors.count;
  return waiter;
}

mb_acceptor *mb_draft_add_acceptor(mb_draft *draft) {
  mb_acceptor *acceptor = list_add(draft, &draft->acceptors, sizeof *acceptor);
  mb_draft_waiter *waiter = newest(&draft->waiters, sizeof *waiter);
  if (!acceptor)
    acceptor = memset(&draft->spare.acceptor, 0, sizeof *acceptor);
  else if (waiter)
    waiter->record.acceptor_count++;
  return acceptor;
}
