/* All of the library's memory comes from here, so that one hook serves embedders and the
 * allocation-failure sweep. Sizes are checked by the callers; a NULL return is always possible. */
#ifndef MB_BASE_MEMORY_H
#define MB_BASE_MEMORY_H

#include <moonbook/host.h>
#include <stddef.h>

void *mb_alloc(size_t size);                    /* not zeroed; size 0 gives a unique pointer */
void *mb_alloc_zero(size_t count, size_t size); /* checked for overflow */
void *mb_realloc(void *pointer, size_t size);
void mb_free(void *pointer); /* NULL is allowed */
char *mb_strdup(const char *text);

/* Frees after overwriting, for what held a secret. */
void mb_free_secret(void *pointer, size_t size);

#endif
