/* Loose git objects, looked over before libgit2 reads them. */
#ifndef MB_SOURCE_LOOSE_H
#define MB_SOURCE_LOOSE_H

#include <moonbook/error.h>
#include <stddef.h>

/* Whether the object with that id, 40 digits, is sound and of at most `limit` bytes, if it is a
 * loose one of `repository`, a path that ends in '/'. 0 also when there is no such file, or -1. */
int mb_loose_check(const char *repository, const char *id, size_t limit, const char *shown,
                   mb_error *error);

#endif
