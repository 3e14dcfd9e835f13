/* Arenas: a chain of chunks, each larger than the one before, of which only the newest is filled.
 *
 * What was written is wiped before it is given back: requests carry session tokens and answers
 * carry secrets, and no caller could say which of its arenas never saw one. */
#include "base/arena.h"
#include "base/digest.h"
#include "base/format.h"
#include "base/memory.h"

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { ALIGNMENT = alignof(max_align_t), FIRST_CHUNK = 4 * 1024, LAST_CHUNK = 256 * 1024 };

typedef struct chunk {
  struct chunk *older;
  size_t size; /* of the space after the header */
  size_t used;
  size_t touched; /* the most that was ever used */
} chunk;

enum { HEADER = (sizeof(chunk) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT };

struct mb_arena {
  chunk *newest;
  char *last; /* the newest allocation, which alone can grow in place */
  size_t next_chunk;
  size_t used;
  size_t limit;
};

mb_arena *mb_arena_new(size_t limit) {
  mb_arena *arena = mb_alloc_zero(1, sizeof *arena);
  if (arena) {
    arena->next_chunk = FIRST_CHUNK;
    arena->limit = limit ? limit : SIZE_MAX;
  }
  return arena;
}

static char *chunk_space(chunk *of) {
  return (char *)of + HEADER;
}

static void wipe_chunk(chunk *of) {
  mb_wipe(chunk_space(of), of->touched);
}

static void set_used(chunk *of, size_t used) {
  of->used = used;
  of->touched = used > of->touched ? used : of->touched;
}

void mb_arena_free(mb_arena *arena) {
  if (!arena) {
    return;
  }
  chunk *at = arena->newest;
  while (at) {
    chunk *older = at->older;
    wipe_chunk(at);
    mb_free(at);
    at = older;
  }
  mb_free(arena);
}

size_t mb_arena_used(const mb_arena *arena) {
  return arena->used;
}

/* Rounds up; 0 when that overflows. */
static size_t round_size(size_t size) {
  if (size > SIZE_MAX / 2) {
    return 0;
  }
  size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  return rounded ? rounded : ALIGNMENT;
}

static bool may_add(const mb_arena *arena, size_t size) {
  return size <= arena->limit && arena->used <= arena->limit - size;
}

static chunk *add_chunk(mb_arena *arena, size_t least) {
  size_t size = arena->next_chunk - HEADER;
  if (size < least) {
    size = least;
  }
  chunk *made = mb_alloc(HEADER + size);
  if (!made) {
    return NULL;
  }
  made->older = arena->newest;
  made->size = size;
  made->used = made->touched = 0;
  arena->newest = made;
  if (arena->next_chunk < LAST_CHUNK) {
    arena->next_chunk *= 2;
  }
  return made;
}

void *mb_arena_alloc(mb_arena *arena, size_t size) {
  size_t rounded = round_size(size);
  if (rounded == 0 || !may_add(arena, rounded)) {
    return NULL;
  }
  chunk *in = arena->newest;
  if (!in || in->size - in->used < rounded) {
    in = add_chunk(arena, rounded);
    if (!in) {
      return NULL;
    }
  }
  arena->last = chunk_space(in) + in->used;
  set_used(in, in->used + rounded);
  arena->used += rounded;
  return arena->last;
}

void *mb_arena_zero(mb_arena *arena, size_t size) {
  void *made = mb_arena_alloc(arena, size);
  if (made) {
    memset(made, 0, size);
  }
  return made;
}

/* A small chunk moves in sight, so that it can be wiped. What is larger than a chunk ever starts
 * out is left to realloc, which need not hold it twice. */
static chunk *resize_chunk(chunk *old, size_t rounded) {
  if (old->size > LAST_CHUNK) {
    return mb_realloc(old, HEADER + rounded);
  }
  chunk *grown = mb_alloc(HEADER + rounded);
  if (grown) {
    memcpy(grown, old, HEADER + old->used);
    wipe_chunk(old);
    mb_free(old);
  }
  return grown;
}

/* Resizes the chunk whose only content is the newest allocation, so that something large that
 * grows step by step does not leave all its former selves behind. */
static void *grow_chunk(mb_arena *arena, size_t rounded) {
  chunk *grown = resize_chunk(arena->newest, rounded);
  if (!grown) {
    return NULL;
  }
  grown->size = rounded;
  arena->newest = grown;
  arena->last = chunk_space(grown);
  return grown;
}

static void *grow_newest(mb_arena *arena, size_t rounded) {
  chunk *in = arena->newest;
  size_t start = (size_t)(arena->last - chunk_space(in));
  size_t held = in->used - start;
  if (rounded > held && !may_add(arena, rounded - held)) {
    return NULL;
  }
  if (rounded > in->size - start && (start != 0 || !grow_chunk(arena, rounded))) {
    return NULL;
  }
  set_used(arena->newest, start + rounded);
  arena->used = arena->used - held + rounded;
  return arena->last;
}

void *mb_arena_grow(mb_arena *arena, void *old, size_t old_size, size_t size) {
  size_t rounded = round_size(size);
  if (rounded == 0) {
    return NULL;
  }
  if (old && old == arena->last) {
    void *grown = grow_newest(arena, rounded);
    if (grown) {
      return grown;
    }
  } else if (old && size <= old_size) {
    return old;
  }
  void *made = mb_arena_alloc(arena, size);
  if (made && old) {
    memcpy(made, old, old_size < size ? old_size : size);
  }
  return made;
}

char *mb_arena_strdup(mb_arena *arena, const char *text) {
  return mb_arena_strndup(arena, text, strlen(text));
}

char *mb_arena_strndup(mb_arena *arena, const char *text, size_t size) {
  if (size == SIZE_MAX) {
    return NULL;
  }
  char *copy = mb_arena_alloc(arena, size + 1);
  if (copy) {
    if (size) {
      memcpy(copy, text, size);
    }
    copy[size] = '\0';
  }
  return copy;
}

char *mb_arena_printf(mb_arena *arena, const char *format, ...) {
  char small[256];
  va_list arguments;
  va_start(arguments, format);
  int length = mb_format_text(small, sizeof small, format, arguments);
  va_end(arguments);
  if (length < 0) {
    return NULL;
  }
  if ((size_t)length < sizeof small) {
    return mb_arena_strndup(arena, small, (size_t)length);
  }
  char *out = mb_arena_alloc(arena, (size_t)length + 1);
  if (out) {
    va_start(arguments, format);
    mb_format_text(out, (size_t)length + 1, format, arguments);
    va_end(arguments);
  }
  return out;
}
