/* Whether a failed attempt is worth another, when, and at what cost: standard mode with the numbers
 * of 2026 (spec/aws-client.md 2.5). */
#ifndef MB_AWS_RETRY_H
#define MB_AWS_RETRY_H

#include "aws/model/model.h"
#include <stdbool.h>

#define MB_RETRY_QUOTA 500 /* of one client, shared by all its calls */

typedef enum mb_retry_class {
  MB_RETRY_NO = 0,
  MB_RETRY_TRANSIENT,
  MB_RETRY_THROTTLED
} mb_retry_class;

/* What keeps a storm of failures from becoming a storm of retries: each retry takes from it, each
 * success gives back. */
typedef struct mb_retry_quota {
  int available;
} mb_retry_quota;

/* By an error answer. `shape` is the modelled exception, or NULL. */
mb_retry_class mb_retry_classify(int status, const char *code, const mb_shape *shape);
bool mb_retry_is_throttling_code(const char *code);

/* What a retry of this class costs. */
int mb_retry_cost(mb_retry_class retry_class);
/* Takes `cost`, or returns false and takes nothing. */
bool mb_retry_take(mb_retry_quota *quota, int cost);
/* After a success: gives back what the last retry took, or 1 when there was none. */
void mb_retry_give(mb_retry_quota *quota, int last_cost);

/* Attempts in all, the first included. `configured` 0: the service's own number. */
int mb_retry_max_attempts(const char *service, int configured);

/* Seconds to wait after failed attempt number `attempt` (from 1). `random` is in [0,1). `hint` is
 * the x-amz-retry-after header, or NULL. */
double mb_retry_delay(mb_retry_class retry_class, const char *service, int attempt, double random,
                      const char *hint);

#endif
