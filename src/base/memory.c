/* The allocation hook and the few calls that go through it. */
#include "base/memory.h"
#include "base/digest.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *reallocate_default(void *payload, void *pointer, size_t size) {
  (void)payload;
  if (size == 0) {
    free(pointer);
    return NULL;
  }
  return realloc(pointer, size);
}

static mb_allocator allocator = {NULL, reallocate_default};

void mb_set_allocator(const mb_allocator *given) {
  if (given && given->reallocate) {
    allocator = *given;
  } else {
    allocator = (mb_allocator){NULL, reallocate_default};
  }
}

void *mb_alloc(size_t size) {
  return allocator.reallocate(allocator.payload, NULL, size ? size : 1);
}

void *mb_alloc_zero(size_t count, size_t size) {
  if (size != 0 && count > SIZE_MAX / size) {
    return NULL;
  }
  void *pointer = mb_alloc(count * size);
  if (pointer) {
    memset(pointer, 0, count * size);
  }
  return pointer;
}

void *mb_realloc(void *pointer, size_t size) {
  return allocator.reallocate(allocator.payload, pointer, size ? size : 1);
}

void mb_free(void *pointer) {
  if (pointer) {
    allocator.reallocate(allocator.payload, pointer, 0);
  }
}

char *mb_strdup(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = mb_alloc(size);
  if (copy) {
    memcpy(copy, text, size);
  }
  return copy;
}

void mb_free_secret(void *pointer, size_t size) {
  if (pointer) {
    mb_wipe(pointer, size);
    mb_free(pointer);
  }
}
