/* Packing a draft: the strings laid out and the block written.
 *
 * A string that is the end of another one is kept inside it ("Name" in "ClusterName").
 * The layout depends on the set of strings alone, so equal models give equal bytes. */
#include "aws/model/pack.h"

#include <stdlib.h>
#include <string.h>

typedef struct string_place {
  const char *text;
  uint32_t length;
  mb_text number;
} string_place;

typedef struct layout {
  mb_packer *packer;
  uint32_t *offsets; /* by number of a text */
  unsigned char *used;
  string_place *places;
  uint32_t count;
  uint64_t string_bytes;
} layout;

/* Orders by the last characters first: a text's longer relatives follow right behind it. */
static int compare_ends(const void *a, const void *b) {
  const string_place *left = a, *right = b;
  uint32_t i = left->length, j = right->length;
  while (i > 0 && j > 0) {
    unsigned char x = (unsigned char)left->text[--i], y = (unsigned char)right->text[--j];
    if (x != y)
      return x < y ? -1 : 1;
  }
  return i > 0 ? 1 : (j > 0 ? -1 : 0);
}

static void mark_used(layout *at) {
  mb_packer *packer = at->packer;
  for (int i = 0; i < MB_SERVICE_TEXT_COUNT; i++)
    at->used[packer->draft->service[i]] = 1;
  for (int table = 0; table < MB_TABLE_COUNT; table++) {
    const mb_table_kind *kind = &mb_table_kinds[table];
    const char *record = packer->tables[table];
    for (uint32_t i = 0; i < packer->counts[table]; i++, record += kind->record_size)
      for (int t = 0; t < kind->text_count; t++) {
        mb_text text;
        memcpy(&text, record + kind->texts[t], sizeof text);
        at->used[text] = 1;
      }
  }
  at->used[0] = 0; /* "" is always there, at 0 */
}

static bool is_end_of(const string_place *shorter, const string_place *longer) {
  return shorter->length <= longer->length &&
         memcmp(longer->text + longer->length - shorter->length, shorter->text, shorter->length) ==
             0;
}

static void place_strings(layout *at) {
  const mb_draft *draft = at->packer->draft;
  for (mb_text text = 1; text <= draft->texts.count; text++) {
    if (!at->used[text])
      continue;
    const char *string = mb_draft_string_at(draft, text);
    at->places[at->count++] = (string_place){string, (uint32_t)strlen(string), text};
  }
  if (at->count > 1)
    qsort(at->places, at->count, sizeof *at->places, compare_ends);
  at->string_bytes = 1;
  for (uint32_t i = at->count; i-- > 0;) {
    const string_place *place = &at->places[i];
    const string_place *next = i + 1 < at->count ? place + 1 : NULL;
    if (next && is_end_of(place, next)) {
      at->offsets[place->number] = at->offsets[next->number] + next->length - place->length;
      continue;
    }
    at->offsets[place->number] = (uint32_t)at->string_bytes;
    at->string_bytes += (uint64_t)place->length + 1;
  }
}

static void pad(mb_buffer *out) {
  static const char zeros[MB_PACKED_ALIGN];
  size_t over = out->size % MB_PACKED_ALIGN;
  if (over)
    mb_buffer_add(out, zeros, MB_PACKED_ALIGN - over);
}

static void write_records(layout *at, mb_table table, mb_buffer *out) {
  const mb_table_kind *kind = &mb_table_kinds[table];
  const char *record = at->packer->tables[table];
  char copy[UINT8_MAX];
  for (uint32_t i = 0; i < at->packer->counts[table]; i++, record += kind->record_size) {
    memcpy(copy, record, kind->record_size);
    for (int t = 0; t < kind->text_count; t++) {
      mb_text text;
      memcpy(&text, copy + kind->texts[t], sizeof text);
      memcpy(copy + kind->texts[t], &at->offsets[text], sizeof text);
    }
    mb_buffer_add(out, copy, kind->record_size);
  }
}

static void write_strings(layout *at, mb_buffer *out) {
  mb_buffer_add_char(out, '\0');
  for (uint32_t i = at->count; i-- > 0;) {
    const string_place *place = &at->places[i];
    if (i + 1 == at->count || !is_end_of(place, place + 1))
      mb_buffer_add(out, place->text, (size_t)place->length + 1);
  }
}

/* Fills in where the tables lie; false when the whole is too large for its 32-bit offsets. */
static bool plan_tables(layout *at, mb_model *header) {
  uint64_t offset = sizeof *header;
  at->packer->counts[MB_TABLE_STRINGS] = (uint32_t)at->string_bytes;
  for (int table = 0; table < MB_TABLE_COUNT; table++) {
    offset = (offset + MB_PACKED_ALIGN - 1) / MB_PACKED_ALIGN * MB_PACKED_ALIGN;
    if (offset > MB_MODEL_SIZE_LIMIT)
      return false;
    header->tables[table] = (mb_span){(uint32_t)offset, at->packer->counts[table]};
    offset += (uint64_t)at->packer->counts[table] * mb_table_kinds[table].record_size;
  }
  header->size = (uint32_t)offset;
  return offset <= MB_MODEL_SIZE_LIMIT && at->string_bytes <= MB_MODEL_SIZE_LIMIT;
}

static int write_block(layout *at, mb_buffer *out) {
  mb_draft *draft = at->packer->draft;
  mb_model header = {.magic = MB_PACKED_MAGIC,
                     .version = MB_PACKED_VERSION,
                     .protocol = draft->protocol,
                     .flags = draft->flags};
  for (int i = 0; i < MB_SERVICE_TEXT_COUNT; i++)
    header.service[i] = at->offsets[draft->service[i]];
  if (!plan_tables(at, &header))
    return mb_packer_fail(at->packer, 0, "the model is too large: more than %u MiB when packed",
                          MB_MODEL_SIZE_LIMIT >> 20);
  mb_buffer_add(out, &header, sizeof header);
  for (int table = 0; table < MB_TABLE_STRINGS; table++) {
    pad(out);
    write_records(at, (mb_table)table, out);
  }
  pad(out);
  write_strings(at, out);
  if (out->failed && out->too_large)
    return mb_packer_fail(at->packer, 0, "the packed model has %lu bytes, more than its buffer",
                          (unsigned long)header.size);
  return out->failed ? mb_error_memory(at->packer->error) : 0;
}

int mb_pack_write(mb_packer *packer, mb_buffer *out) {
  mb_arena *arena = packer->draft->arena;
  size_t count = (size_t)packer->draft->texts.count + 1;
  layout at = {.packer = packer,
               .offsets = mb_arena_zero(arena, count * sizeof *at.offsets),
               .used = mb_arena_zero(arena, count),
               .places = mb_arena_zero(arena, count * sizeof *at.places)};
  if (!at.offsets || !at.used || !at.places)
    return mb_error_memory(packer->error);
  mark_used(&at);
  place_strings(&at);
  return write_block(&at, out);
}
