/* Libraries that are loaded when they are first needed: libcurl, OpenSSL, libgit2 and libmicrohttpd
 * cost more to load than the rest of an offline command together. Each keeps its own table of
 * functions. */
#ifndef MB_BASE_SHARED_H
#define MB_BASE_SHARED_H

#include <stdbool.h>
#include <stddef.h>

typedef struct mb_symbol {
  const char *name;
  void *slot; /* of a pointer to function, filled in */
} mb_symbol;

/* Opens a library by its SONAME and never closes it. NULL with dlerror's words, or the name, in
 * `*why` (borrowed until the next call on this thread). */
void *mb_shared_open(const char *soname, const char **why);

/* Fills every slot. The name of the first function that is missing, or NULL. */
const char *mb_shared_find(void *library, const mb_symbol *symbols, size_t count);

#endif
