/* JSON documents that hold credentials: what a credential process prints and a container endpoint
 * answers. Strict where a lenient reader would have to guess, and wiped when freed. */
#ifndef MB_AWS_CREDENTIALS_DOCUMENT_H
#define MB_AWS_CREDENTIALS_DOCUMENT_H

#include <moonbook/error.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct cJSON mb_document;

/* Reads an object. Refused with MB_ERROR_USAGE and a message that completes "it gave ...": anything
 * behind it, members of the same name, texts with a NUL (they would be cut) or raw control
 * characters, invalid UTF-8. Free with mb_document_free. 0, or -1. */
int mb_document_read(mb_document **out, const char *text, size_t size, mb_error *error);

/* A member's text; "" when it is absent or of another type. Names are compared exactly. */
const char *mb_document_text(const mb_document *document, const char *name);
/* A member's number; false when it is absent or of another type. */
bool mb_document_number(const mb_document *document, const char *name, double *out);

/* Wipes every text in it, then frees it. NULL is allowed. */
void mb_document_free(mb_document *document);

#endif
