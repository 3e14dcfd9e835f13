/* Answers of 200 that are none. */
#ifndef MB_CALL_FAILURES_H
#define MB_CALL_FAILURES_H

#include "call/engine.h"

/* Looks for things that an operation says it could not do although it answered with success
 * (`failures` of ECS and ECR, `failed_entries` of EventBridge, `unsuccessful` of EC2). True, with
 * the error, when there are any. */
bool mb_failures_find(const mb_binding *binding, const mb_aws_result *result, mb_error *error);

#endif
