/* A model being built: what the readers (botocore's JSON, our text) found, before it is packed.
 *
 * A draft lives in an arena of its own. When memory runs out the draft is marked failed and hands
 * out spare records, so that readers fill in freely and check once, at the end. Texts are numbers
 * given by mb_draft_text; equal texts have equal numbers. Records refer to shapes and operations by
 * the number of their name until the draft is packed. */
#ifndef MB_AWS_MODEL_DRAFT_H
#define MB_AWS_MODEL_DRAFT_H

#include "aws/model/packed.h"
#include "base/arena.h"
#include "base/buffer.h"

#define MB_MODEL_SIZE_LIMIT (256U << 20) /* of a packed model, and of what it is made from */

typedef struct mb_draft_shape {
  mb_shape record; /* `members` counts from the draft's first member */
  mb_text payload; /* name of the payload member, or 0 */
  uint32_t line;   /* of the text, 0 when not from text */
} mb_draft_shape;

typedef struct mb_draft_member {
  mb_member record; /* `shape` is the number of the shape's name */
  uint32_t line;
} mb_draft_member;

typedef struct mb_draft_operation {
  mb_operation record; /* `input`, `output`: numbers of names; `errors`: first in draft->errors */
  uint32_t line;
} mb_draft_operation;

typedef struct mb_draft_error {
  mb_text shape;
  uint32_t line;
} mb_draft_error;

typedef struct mb_draft_paginator {
  mb_text operation;
  mb_paginator_source source;
  uint32_t derived;
  uint32_t line;
} mb_draft_paginator;

typedef struct mb_draft_waiter {
  mb_waiter record; /* `operation` is the number of its name */
  uint32_t line;
} mb_draft_waiter;

typedef struct mb_draft_list {
  void *items;
  uint32_t count, capacity;
} mb_draft_list;

typedef struct mb_draft {
  mb_arena *arena;
  mb_draft_list texts; /* const char * */
  uint32_t *slots;     /* of the hash table: number of a text plus one */
  uint32_t slot_count;
  mb_text service[MB_SERVICE_TEXT_COUNT];
  uint32_t protocol, flags;
  mb_draft_list shapes, members, operations, errors, paginators, waiters;
  mb_draft_list acceptors; /* mb_acceptor, the argument as written in the source */
  bool failed;
  union {
    mb_draft_shape shape;
    mb_draft_member member;
    mb_draft_operation operation;
    mb_draft_error error;
    mb_draft_paginator paginator;
    mb_draft_waiter waiter;
    mb_acceptor acceptor;
  } spare;
} mb_draft;

mb_draft *mb_draft_new(void); /* NULL when memory has run out */
void mb_draft_free(mb_draft *draft);

/* The number of a text; 0 is "". The bytes are copied and must hold no NUL. */
mb_text mb_draft_text(mb_draft *draft, const char *text, size_t size);
mb_text mb_draft_string(mb_draft *draft, const char *text);  /* NUL-terminated; NULL is "" */
mb_text mb_draft_buffer(mb_draft *draft, mb_buffer *buffer); /* empties the buffer */
const char *mb_draft_string_at(const mb_draft *draft, mb_text text);

/* Each adds a zeroed record and is valid until the next of its kind is added; never NULL. Members
 * belong to the newest shape, errors to the newest operation, acceptors to the newest waiter. */
mb_draft_shape *mb_draft_add_shape(mb_draft *draft, const char *name);
mb_draft_member *mb_draft_add_member(mb_draft *draft, const char *name);
mb_draft_operation *mb_draft_add_operation(mb_draft *draft, const char *name);
mb_draft_error *mb_draft_add_error(mb_draft *draft, const char *shape);
mb_draft_paginator *mb_draft_add_paginator(mb_draft *draft, const char *operation);
mb_draft_waiter *mb_draft_add_waiter(mb_draft *draft, const char *name);
mb_acceptor *mb_draft_add_acceptor(mb_draft *draft);
mb_draft_shape *mb_draft_newest_shape(mb_draft *draft); /* NULL when there is none */

/* Packs the draft and appends it to `out`, which must be empty: derives names in snake_case,
 * translated expressions and paginators, puts everything in order and resolves every name. Names
 * that had to be changed are told in `warnings` (may be NULL). 0, or -1. */
int mb_draft_pack(mb_draft *draft, mb_buffer *out, mb_buffer *warnings, mb_error *error);

#endif
