/* JMESPath: compiled once, evaluated over values. */
#ifndef MB_AWS_JMESPATH_JMESPATH_H
#define MB_AWS_JMESPATH_JMESPATH_H

#include "base/value.h"
#include <moonbook/error.h>

typedef struct mb_jmespath mb_jmespath; /* lives in the arena it was compiled into */

/* Error code is the compliance suite's: "syntax", "invalid-type", "invalid-value", "invalid-arity",
 * "unknown-function", and the message says where. */
mb_jmespath *mb_jmespath_compile(mb_arena *arena, const char *expression, mb_error *error);
/* Evaluates over `data`. The result shares what it only passes through: it lives as long as `data`
 * and `arena` both do, and is to be read, not changed. An expression that does too much work fails
 * with the kind LIMIT. */
int mb_jmespath_search(const mb_jmespath *compiled, mb_arena *arena, const mb_value *data,
                       mb_value *out, mb_error *error);

#endif
