/* Packing a draft: shapes and their members, and the orders in which members are found. */
#include "aws/model/pack.h"

#include <string.h>

#define MEMBER_LIMIT UINT16_MAX /* of one structure */

static const char *text_of(const mb_packer *packer, mb_text text) {
  return mb_draft_string_at(packer->draft, text);
}

/* ---- members --------------------------------------------------------------------------------- */

static bool snake_taken(const mb_member *members, uint32_t count, mb_text snake) {
  for (uint32_t i = 0; i < count; i++)
    if (members[i].snake == snake)
      return true;
  return false;
}

/* Two members of a structure must not share a name: the one declared later gets a number. */
static int rename_member(mb_packer *packer, const mb_shape *shape, mb_member *member) {
  mb_member *members = (mb_member *)packer->tables[MB_TABLE_MEMBERS] + shape->members;
  char *name = NULL;
  for (uint32_t number = 2; number < MEMBER_LIMIT; number++) {
    name = mb_arena_printf(packer->draft->arena, "%s_%lu", text_of(packer, member->snake),
                           (unsigned long)number);
    mb_text text = mb_draft_string(packer->draft, name);
    if (!name || packer->draft->failed)
      return mb_error_memory(packer->error);
    if (snake_taken(members, shape->member_count, text))
      continue;
    if (packer->warnings)
      mb_buffer_addf(packer->warnings, "%s.%s would be %s like another member; it becomes %s\n",
                     text_of(packer, shape->name), text_of(packer, member->name),
                     text_of(packer, member->snake), name);
    member->snake = text;
    return 0;
  }
  return mb_packer_fail(packer, 0, "too many members of %s share a name",
                        text_of(packer, shape->name));
}

static int separate_names(mb_packer *packer, const mb_shape *shape, mb_sort_key *keys) {
  mb_member *members = (mb_member *)packer->tables[MB_TABLE_MEMBERS] + shape->members;
  for (uint32_t i = 0; i < shape->member_count; i++)
    keys[i] = (mb_sort_key){.index = i, .text = text_of(packer, members[i].snake)};
  mb_sort_keys(keys, shape->member_count);
  for (uint32_t i = 1; i < shape->member_count; i++)
    if (strcmp(keys[i].text, keys[i - 1].text) == 0 &&
        rename_member(packer, shape, &members[keys[i].index]) != 0)
      return -1;
  return 0;
}

static mb_text ordering_text(const mb_member *member, mb_table table) {
  if (table == MB_TABLE_BY_SNAKE)
    return member->snake;
  return table == MB_TABLE_BY_NAME ? member->name : member->wire;
}

static void order_members(mb_packer *packer, const mb_shape *shape, mb_table table,
                          mb_sort_key *keys) {
  const mb_member *members = (mb_member *)packer->tables[MB_TABLE_MEMBERS] + shape->members;
  uint16_t *order = (uint16_t *)packer->tables[table] + shape->members;
  for (uint32_t i = 0; i < shape->member_count; i++) {
    bool last = table == MB_TABLE_BY_WIRE && members[i].location != MB_LOCATION_BODY;
    keys[i] = (mb_sort_key){
        .rank = last, .index = i, .text = text_of(packer, ordering_text(&members[i], table))};
  }
  mb_sort_keys(keys, shape->member_count);
  for (uint32_t i = 0; i < shape->member_count; i++)
    order[i] = (uint16_t)keys[i].index;
}

static int check_twice(mb_packer *packer, const mb_shape *shape, uint32_t line) {
  const mb_member *members = (mb_member *)packer->tables[MB_TABLE_MEMBERS] + shape->members;
  const uint16_t *order = (uint16_t *)packer->tables[MB_TABLE_BY_NAME] + shape->members;
  for (uint32_t i = 1; i < shape->member_count; i++)
    if (members[order[i]].name == members[order[i - 1]].name)
      return mb_packer_fail(packer, line, "member %s of %s is there twice",
                            text_of(packer, members[order[i]].name), text_of(packer, shape->name));
  return 0;
}

/* Copies a shape's members to where the shape says they begin, resolving the shapes they have. */
static int place_members(mb_packer *packer, const mb_shape *shape, const mb_draft_shape *from) {
  const mb_draft_member *given = packer->draft->members.items;
  mb_member *members = (mb_member *)packer->tables[MB_TABLE_MEMBERS] + shape->members;
  for (uint32_t i = 0; i < shape->member_count; i++) {
    const mb_draft_member *member = &given[from->record.members + i];
    mb_text name = member->record.shape;
    memcpy(&members[i], &member->record, sizeof *members);
    if (members[i].name == 0)
      return mb_packer_fail(packer, member->line, "a member of %s has no name",
                            text_of(packer, shape->name));
    if (name == 0 || name >= packer->name_count || packer->shape_of[name] == 0)
      return mb_packer_fail(packer, member->line,
                            "member %s of %s has the shape %s, which is not there",
                            text_of(packer, member->record.name), text_of(packer, shape->name),
                            name ? text_of(packer, name) : "(none)");
    members[i].shape = packer->shape_of[name] - 1;
    members[i].snake = mb_pack_snake_name(packer, members[i].name);
  }
  return 0;
}

/* ---- shapes ---------------------------------------------------------------------------------- */

static int check_member_count(mb_packer *packer, const mb_draft_shape *from) {
  uint32_t count = from->record.member_count;
  const char *name = text_of(packer, from->record.name);
  switch (from->record.type) {
  case MB_SHAPE_STRUCTURE:
    return count <= MEMBER_LIMIT
               ? 0
               : mb_packer_fail(packer, from->line, "structure %s has too many members", name);
  case MB_SHAPE_LIST:
    return count == 1 ? 0
                      : mb_packer_fail(packer, from->line, "list %s needs one member line", name);
  case MB_SHAPE_MAP:
    return count == 2 ? 0
                      : mb_packer_fail(packer, from->line,
                                       "map %s needs two lines, its key and its value", name);
  default:
    return count == 0 ? 0 : mb_packer_fail(packer, from->line, "shape %s has members", name);
  }
}

static int find_payload(mb_packer *packer, mb_shape *shape, const mb_draft_shape *from) {
  const mb_member *members = packer->tables[MB_TABLE_MEMBERS];
  shape->payload = MB_NO_INDEX;
  if (from->payload == 0)
    return 0;
  for (uint32_t i = 0; i < shape->member_count; i++)
    if (members[shape->members + i].name == from->payload)
      shape->payload = shape->members + i;
  if (shape->payload != MB_NO_INDEX)
    return 0;
  return mb_packer_fail(packer, from->line, "the payload %s of %s is not a member of it",
                        text_of(packer, from->payload), text_of(packer, shape->name));
}

static int place_shape(mb_packer *packer, uint32_t index, const mb_draft_shape *from,
                       uint32_t first_member, mb_sort_key *keys) {
  mb_shape *shape = (mb_shape *)packer->tables[MB_TABLE_SHAPES] + index;
  memcpy(shape, &from->record, sizeof *shape);
  shape->members = first_member;
  if (check_member_count(packer, from) != 0 || place_members(packer, shape, from) != 0 ||
      find_payload(packer, shape, from) != 0)
    return -1;
  if (separate_names(packer, shape, keys) != 0)
    return -1;
  order_members(packer, shape, MB_TABLE_BY_SNAKE, keys);
  order_members(packer, shape, MB_TABLE_BY_NAME, keys);
  order_members(packer, shape, MB_TABLE_BY_WIRE, keys);
  return check_twice(packer, shape, from->line);
}

/* Sorts the draft's shapes and numbers them, so that names can be resolved. */
static int number_shapes(mb_packer *packer, mb_sort_key *keys) {
  const mb_draft_shape *from = packer->draft->shapes.items;
  uint32_t count = packer->draft->shapes.count;
  for (uint32_t i = 0; i < count; i++)
    keys[i] = (mb_sort_key){.index = i, .text = text_of(packer, from[i].record.name)};
  mb_sort_keys(keys, count);
  for (uint32_t i = 0; i < count; i++) {
    if (*keys[i].text == '\0')
      return mb_packer_fail(packer, from[keys[i].index].line, "a shape has no name");
    if (i > 0 && strcmp(keys[i].text, keys[i - 1].text) == 0)
      return mb_packer_fail(packer, from[keys[i].index].line, "shape %s is there twice",
                            keys[i].text);
    packer->shape_of[from[keys[i].index].record.name] = i + 1;
  }
  return 0;
}

static uint32_t largest_structure(const mb_draft *draft) {
  const mb_draft_shape *from = draft->shapes.items;
  uint32_t largest = 0;
  for (uint32_t i = 0; i < draft->shapes.count; i++)
    if (from[i].record.member_count > largest)
      largest = from[i].record.member_count;
  return largest;
}

/* Every exception by its code, for answers that name one the operation does not list. */
static int order_exceptions(mb_packer *packer, mb_sort_key *keys) {
  const mb_shape *shapes = packer->tables[MB_TABLE_SHAPES];
  uint32_t count = 0;
  for (uint32_t i = 0; i < packer->counts[MB_TABLE_SHAPES]; i++) {
    if (!(shapes[i].flags & MB_SHAPE_ERROR))
      continue;
    mb_text code = shapes[i].error_code ? shapes[i].error_code : shapes[i].name;
    keys[count++] = (mb_sort_key){.index = i, .text = text_of(packer, code)};
  }
  mb_sort_keys(keys, count);
  if (mb_packer_table(packer, MB_TABLE_EXCEPTIONS, count) != 0)
    return -1;
  for (uint32_t i = 0; i < count; i++)
    ((uint32_t *)packer->tables[MB_TABLE_EXCEPTIONS])[i] = keys[i].index;
  return 0;
}

/* What an operation lists as an error is one, whether or not the shape says so. */
static void mark_exceptions(mb_packer *packer) {
  const mb_draft_error *errors = packer->draft->errors.items;
  mb_shape *shapes = packer->tables[MB_TABLE_SHAPES];
  for (uint32_t i = 0; i < packer->draft->errors.count; i++)
    if (errors[i].shape < packer->name_count && packer->shape_of[errors[i].shape] > 0)
      shapes[packer->shape_of[errors[i].shape] - 1].flags |= MB_SHAPE_ERROR;
}

int mb_pack_shapes(mb_packer *packer) {
  mb_draft *draft = packer->draft;
  const mb_draft_shape *from = draft->shapes.items;
  uint32_t count = draft->shapes.count, members = draft->members.count, first = 0;
  mb_sort_key *keys = mb_arena_zero(draft->arena, (count + 1) * sizeof *keys);
  mb_sort_key *inner =
      mb_arena_zero(draft->arena, ((size_t)largest_structure(draft) + 1) * sizeof *inner);
  if (!keys || !inner)
    return mb_error_memory(packer->error);
  if (mb_packer_table(packer, MB_TABLE_SHAPES, count) != 0 ||
      mb_packer_table(packer, MB_TABLE_MEMBERS, members) != 0 ||
      mb_packer_table(packer, MB_TABLE_BY_SNAKE, members) != 0 ||
      mb_packer_table(packer, MB_TABLE_BY_NAME, members) != 0 ||
      mb_packer_table(packer, MB_TABLE_BY_WIRE, members) != 0 || number_shapes(packer, keys) != 0)
    return -1;
  for (uint32_t i = 0; i < count; i++) {
    const mb_draft_shape *shape = &from[keys[i].index];
    if (place_shape(packer, i, shape, first, inner) != 0)
      return -1;
    first += shape->record.member_count;
  }
  mark_exceptions(packer);
  return order_exceptions(packer, keys);
}
