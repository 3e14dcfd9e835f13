/* The layout of a packed model: a header, then tables of records, the last one the strings. Only
 * this folder knows it. Every table starts at a multiple of 8 bytes. */
#ifndef MB_AWS_MODEL_PACKED_H
#define MB_AWS_MODEL_PACKED_H

#include "aws/model/model.h"

#define MB_PACKED_MAGIC   "mbmodel"
#define MB_PACKED_VERSION 1U
#define MB_PACKED_ALIGN   8U

typedef enum mb_table {
  MB_TABLE_SHAPES = 0, /* in name order */
  MB_TABLE_MEMBERS,    /* those of a shape side by side, in declared order */
  MB_TABLE_BY_SNAKE,   /* per shape: positions of its members in the order of their snake names */
  MB_TABLE_BY_NAME,    /* the same, by the model's own name */
  MB_TABLE_BY_WIRE,    /* the same, body members first, by name on the wire */
  MB_TABLE_OPERATIONS, /* in name order */
  MB_TABLE_OPERATIONS_BY_SNAKE,
  MB_TABLE_OPERATION_SOURCES, /* operationContextParams with the model's own names */
  MB_TABLE_ERRORS,            /* shape indexes, those of an operation side by side */
  MB_TABLE_EXCEPTIONS,        /* shape indexes of every exception, in the order of their codes */
  MB_TABLE_PAGINATORS,        /* in the order of their operations */
  MB_TABLE_PAGINATOR_SOURCES, /* the expressions with the model's own names */
  MB_TABLE_WAITERS,           /* in name order */
  MB_TABLE_ACCEPTORS,
  MB_TABLE_ACCEPTOR_SOURCES,
  MB_TABLE_STRINGS, /* starts and ends with a NUL */
  MB_TABLE_COUNT
} mb_table;

typedef enum mb_service_text {
  MB_SERVICE_NAMESPACE = 0,
  MB_SERVICE_ID,
  MB_SERVICE_ENDPOINT_PREFIX,
  MB_SERVICE_SIGNING_NAME,
  MB_SERVICE_TARGET_PREFIX,
  MB_SERVICE_API_VERSION,
  MB_SERVICE_JSON_VERSION,
  MB_SERVICE_XML_NAMESPACE,
  MB_SERVICE_BOTOCORE,
  MB_SERVICE_RULES,
  MB_SERVICE_TEXT_COUNT
} mb_service_text;

enum { /* mb_model.flags */
       MB_SERVICE_QUERY_COMPATIBLE = 1 << 0,
       MB_SERVICE_QUERY_MODE = 1 << 1,
       MB_SERVICE_UNSIGNED = 1 << 2
};

typedef struct mb_span {
  uint32_t offset; /* in bytes, from the start of the block */
  uint32_t count;  /* of records */
} mb_span;

struct mb_model {
  char magic[8];
  uint32_t version;
  uint32_t size; /* of the whole block */
  uint32_t protocol;
  uint32_t flags;
  mb_text service[MB_SERVICE_TEXT_COUNT];
  mb_span tables[MB_TABLE_COUNT];
};

/* A paginator's fields in the order of the struct mb_paginator. */
typedef enum mb_paginator_field {
  MB_PAGE_INPUT = 0,
  MB_PAGE_OUTPUT,
  MB_PAGE_RESULT,
  MB_PAGE_MORE,
  MB_PAGE_LIMIT,
  MB_PAGE_OTHER,
  MB_PAGE_FIELDS
} mb_paginator_field;

typedef struct mb_paginator_source {
  mb_text fields[MB_PAGE_FIELDS]; /* newline-separated where there are several */
} mb_paginator_source;

typedef struct mb_table_kind {
  uint8_t record_size;
  uint8_t text_count;
  uint8_t texts[12]; /* where in a record the texts are */
} mb_table_kind;

extern const mb_table_kind mb_table_kinds[MB_TABLE_COUNT];

/* A record of a table, or NULL when the index is out of range. */
const void *mb_packed_record(const mb_model *model, mb_table table, uint32_t index);

#endif
