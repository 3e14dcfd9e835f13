/* Between the parts of the reader of botocore's documents. */
#ifndef MB_AWS_MODEL_BOTOCORE_H
#define MB_AWS_MODEL_BOTOCORE_H

#include "aws/model/draft.h"

typedef struct mb_botocore {
  mb_draft *draft;
  mb_arena *arena;     /* of the parsed documents */
  mb_buffer *warnings; /* may be NULL */
  mb_error *error;
  mb_buffer scratch;
  bool bearer; /* operations that say nothing else send a bearer token */
} mb_botocore;

typedef struct mb_model_documents {
  const char *name_space, *botocore;
  const char *service, *paginators, *waiters, *rules; /* JSON; the last three may be NULL */
  size_t service_size, paginators_size, waiters_size, rules_size;
} mb_model_documents;

int mb_botocore_shapes(mb_botocore *in, const mb_value *shapes);
int mb_botocore_operations(mb_botocore *in, const mb_value *operations);

/* The string of a key, or NULL when it is missing or something else. */
const char *mb_botocore_string(const mb_value *map, const char *key);
bool mb_botocore_true(const mb_value *map, const char *key);
mb_text mb_botocore_text(mb_botocore *in, const mb_value *map, const char *key);
/* A value as JSON text; NULL is "". */
mb_text mb_botocore_json(mb_botocore *in, const mb_value *value);
/* "xmlNamespace": a string, or an object of `uri` and `prefix`. Untouched when missing. */
void mb_botocore_namespace(mb_botocore *in, const mb_value *map, mb_text *uri, mb_text *prefix);
bool mb_botocore_listed(const char *name, const char *const *names); /* NULL-terminated */
void mb_botocore_warn_unknown(mb_botocore *in, const mb_value *map, const char *const *known,
                              const char *where, const char *name);
int mb_botocore_fail(mb_botocore *in, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
