/* The words of the text form, shared by its writer and its reader. */
#ifndef MB_AWS_MODEL_TEXT_H
#define MB_AWS_MODEL_TEXT_H

#include "aws/model/packed.h"

#define MB_MODEL_TEXT_HEADER  "moonbook-model"
#define MB_MODEL_TEXT_VERSION "1"

typedef struct mb_word_flag {
  const char *word;
  uint32_t flag;
} mb_word_flag;

/* A text of a record, written as `key=value` unless it has its usual value. */
typedef struct mb_word_field {
  const char *key;
  size_t offset;
  const char *usual;
} mb_word_field;

typedef struct mb_word_fact {
  const char *word;
  mb_service_text place;
} mb_word_fact;

/* Each ends with a NULL word or key. */
extern const mb_word_fact mb_word_facts[];
extern const mb_word_flag mb_word_service_flags[];
extern const mb_word_flag mb_word_shape_flags[];
extern const mb_word_field mb_word_shape_fields[];
extern const mb_word_flag mb_word_member_flags[];
extern const mb_word_field mb_word_member_fields[];
extern const mb_word_flag mb_word_operation_flags[];
extern const mb_word_field mb_word_operation_fields[];
extern const char *const mb_word_paginator_fields[]; /* by mb_paginator_field */

#endif
