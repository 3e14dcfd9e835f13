/* Declarations of service operations and waiters, made from their models. */
#ifndef MB_CALL_DECLARE_H
#define MB_CALL_DECLARE_H

#include "call/engine.h"

/* What an operation does to the world, what a resume does about it, and which IAM actions it needs.
 * The tables behind these are in effects.c and actions.c. */
mb_effect mb_operation_effect(const mb_model *model, const mb_operation *operation);
mb_recovery mb_operation_recovery(const mb_model *model, const mb_operation *operation);
/* A NULL-terminated list in `arena`; *out is NULL for an operation that nobody can be denied. */
int mb_operation_actions(mb_arena *arena, const mb_model *model, const mb_operation *operation,
                         const char *const **out);
/* The input member that makes AWS drop repeats although the model does not say so ("client_token"
 * of ecs.create_service), or NULL. */
const char *mb_operation_token(const mb_model *model, const mb_operation *operation);

/* One line of summary in `arena`, NULL when memory has run out. `waiter` may be NULL. */
const char *mb_declare_summary(mb_arena *arena, const mb_model *model,
                               const mb_operation *operation, const mb_waiter *waiter);

/* The whole binding of an operation, or of a waiter; `name` is kept. NULL when memory has run
 * out. */
mb_binding *mb_declare(mb_arena *arena, const char *name, const mb_model *model,
                       const mb_operation *operation, const mb_waiter *waiter);

/* The functions behind every operation and waiter; `payload` is the binding. In operation.c. */
void mb_operation_start(mb_call *call, void *payload);
void mb_operation_cancel(mb_call *call, void *payload);

#define MB_WAITER_PREFIX "wait_for_"

#endif
