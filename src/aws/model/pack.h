/* Between the parts of the packer: tables being filled, with texts still as the draft's numbers. */
#ifndef MB_AWS_MODEL_PACK_H
#define MB_AWS_MODEL_PACK_H

#include "aws/model/draft.h"

typedef struct mb_packer {
  mb_draft *draft;
  mb_buffer *warnings; /* may be NULL */
  mb_error *error;
  mb_buffer scratch;
  uint32_t *shape_of;     /* by number of a name: index plus one */
  uint32_t *operation_of; /* the same */
  uint32_t name_count;    /* length of both */
  void *tables[MB_TABLE_COUNT];
  uint32_t counts[MB_TABLE_COUNT];
} mb_packer;

/* Sorting records by a text: `rank` goes before the text, `index` settles ties. */
typedef struct mb_sort_key {
  uint32_t rank, index;
  const char *text;
} mb_sort_key;

void mb_sort_keys(mb_sort_key *keys, size_t count);

/* Makes room for a table of zeroed records. 0, or -1. */
int mb_packer_table(mb_packer *packer, mb_table table, uint32_t count);
/* Fills the error, naming the line unless it is 0. Returns -1. */
int mb_packer_fail(mb_packer *packer, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Fills the tables of shapes and members, of operations, of paginators, and of waiters, in this
 * order. Each returns 0 or -1. */
int mb_pack_shapes(mb_packer *packer);
int mb_pack_operations(mb_packer *packer);
int mb_pack_paginators(mb_packer *packer);
int mb_pack_waiters(mb_packer *packer);

/* If the operation lists something page by page, adds a paginator for it to the draft. */
void mb_derive_paginator(mb_packer *packer, const mb_operation *operation);

/* Lays out the strings and writes the block. 0, or -1. */
int mb_pack_write(mb_packer *packer, mb_buffer *out);

/* The snake_case of a name or of an expression, as a text of the draft. */
mb_text mb_pack_snake_name(mb_packer *packer, mb_text name);
mb_text mb_pack_snake_expression(mb_packer *packer, mb_text expression);

#endif
