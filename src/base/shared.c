/* Loading libraries when they are first needed. */
#include "base/shared.h"

#include <dlfcn.h>
#include <string.h>

void *mb_shared_open(const char *soname, const char **why) {
  void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
  *why = NULL;
  if (!library) {
    const char *told = dlerror();
    *why = told ? told : soname;
  }
  return library;
}

const char *mb_shared_find(void *library, const mb_symbol *symbols, size_t count) {
  for (size_t i = 0; i < count; i++) {
    /* POSIX lets an object pointer hold a function's address; C has no cast for it. */
    void *found = dlsym(library, symbols[i].name);
    if (!found) {
      return symbols[i].name;
    }
    memcpy(symbols[i].slot, &found, sizeof found);
  }
  return NULL;
}
