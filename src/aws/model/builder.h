/* Making packed models: from botocore's JSON (the importer, and tests that bring their own shapes)
 * and from the checked-in text (the build). */
#ifndef MB_AWS_MODEL_BUILDER_H
#define MB_AWS_MODEL_BUILDER_H

#include "aws/model/model.h"
#include "base/buffer.h"

/* Packs botocore documents. `service` is service-2.json; the others may be NULL. `name_space` is
 * ours, `botocore` the version they come from. The block is appended to `out`; use it with
 * mb_model_open as long as the buffer lives. Names an unknown construct in `warnings` (newline
 * separated; may be NULL). 0, or -1. */
int mb_model_from_botocore(mb_buffer *out, const char *name_space, const char *botocore,
                           const char *service, size_t service_size, const char *paginators,
                           size_t paginators_size, const char *waiters, size_t waiters_size,
                           const char *rules, size_t rules_size, mb_buffer *warnings,
                           mb_error *error);

/* Writes a packed model as the compact text that is checked in, and reads it back. Text that came
 * from mb_model_write_text packs to the same bytes. The error names the line. */
int mb_model_write_text(mb_buffer *out, const mb_model *model, mb_error *error);
int mb_model_from_text(mb_buffer *out, const char *text, size_t size, mb_error *error);

/* botocore's snake_case of an operation's or member's name ("ListWebACLs" -> "list_web_acls"). */
void mb_model_snake_case(mb_buffer *out, const char *name);

/* Translates the member names of a JMESPath expression to snake_case. */
void mb_model_snake_expression(mb_buffer *out, const char *expression);

#endif
