/* The retry policy: classes of failure, the quota and the delays. It keeps no clock and sends
 * nothing; client_call.c does. */
#include "aws/retry.h"
#include "base/text.h"
#include <string.h>

#define COST_TRANSIENT 14
#define COST_THROTTLED 5
#define MAX_DELAY      20.0
#define MAX_HINT_EXTRA 5.0 /* a server may ask for at most this much more than the backoff */

static const char *const throttling_codes[] = {"Throttling",
                                               "ThrottlingException",
                                               "ThrottledException",
                                               "RequestThrottledException",
                                               "TooManyRequestsException",
                                               "ProvisionedThroughputExceededException",
                                               "TransactionInProgressException",
                                               "RequestLimitExceeded",
                                               "BandwidthLimitExceeded",
                                               "LimitExceededException",
                                               "RequestThrottled",
                                               "SlowDown",
                                               "PriorRequestNotComplete",
                                               "EC2ThrottledException"};

static const char *const transient_codes[] = {"RequestTimeout", "RequestTimeoutException",
                                              "IDPCommunicationError"};

static bool is_one_of(const char *code, const char *const *codes, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (strcmp(code, codes[i]) == 0)
      return true;
  }
  return false;
}

bool mb_retry_is_throttling_code(const char *code) {
  return is_one_of(code, throttling_codes, sizeof throttling_codes / sizeof *throttling_codes);
}

mb_retry_class mb_retry_classify(int status, const char *code, const mb_shape *shape) {
  if (mb_retry_is_throttling_code(code))
    return MB_RETRY_THROTTLED;
  if (shape && (shape->flags & MB_SHAPE_RETRYABLE))
    return shape->flags & MB_SHAPE_THROTTLING ? MB_RETRY_THROTTLED : MB_RETRY_TRANSIENT;
  if (is_one_of(code, transient_codes, sizeof transient_codes / sizeof *transient_codes))
    return MB_RETRY_TRANSIENT;
  /* 429 alone is no reason to retry: the code decides. */
  if (status == 500 || status == 502 || status == 503 || status == 504)
    return MB_RETRY_TRANSIENT;
  return MB_RETRY_NO;
}

int mb_retry_cost(mb_retry_class retry_class) {
  return retry_class == MB_RETRY_THROTTLED ? COST_THROTTLED : COST_TRANSIENT;
}

bool mb_retry_take(mb_retry_quota *quota, int cost) {
  if (quota->available < cost)
    return false;
  quota->available -= cost;
  return true;
}

void mb_retry_give(mb_retry_quota *quota, int last_cost) {
  quota->available += last_cost > 0 ? last_cost : 1;
  if (quota->available > MB_RETRY_QUOTA)
    quota->available = MB_RETRY_QUOTA;
}

static bool is_dynamodb(const char *service) {
  return strcmp(service, "dynamodb") == 0 || strcmp(service, "dynamodbstreams") == 0;
}

int mb_retry_max_attempts(const char *service, int configured) {
  if (configured > 0)
    return configured;
  return is_dynamodb(service) ? 4 : 3;
}

static double base_delay(mb_retry_class retry_class, const char *service) {
  if (retry_class == MB_RETRY_THROTTLED)
    return 1.0;
  return is_dynamodb(service) ? 0.025 : 0.05;
}

/* The hint is a whole number of milliseconds; anything else is as if it were absent. */
static double apply_hint(double delay, const char *hint) {
  int64_t milliseconds;
  if (!hint || mb_parse_integer(hint, strlen(hint), &milliseconds) != 0 || milliseconds < 0)
    return delay;
  double asked = (double)milliseconds / 1000.0;
  if (asked < delay)
    return delay;
  return asked > delay + MAX_HINT_EXTRA ? delay + MAX_HINT_EXTRA : asked;
}

double mb_retry_delay(mb_retry_class retry_class, const char *service, int attempt, double random,
                      const char *hint) {
  double delay = base_delay(retry_class, service);
  for (int i = 1; i < attempt && delay < MAX_DELAY; i++)
    delay *= 2;
  if (delay > MAX_DELAY)
    delay = MAX_DELAY;
  return apply_hint(delay * random, hint);
}
