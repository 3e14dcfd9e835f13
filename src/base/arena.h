/* Arenas: memory that is freed all at once. mb_arena_new and mb_arena_free are public
 * (moonbook/value.h). Once an arena has refused an allocation it goes on refusing larger ones only:
 * callers check every result. */
#ifndef MB_BASE_ARENA_H
#define MB_BASE_ARENA_H

#include <moonbook/value.h>
#include <stdarg.h>

void *mb_arena_alloc(mb_arena *arena, size_t size); /* aligned for any type; not zeroed */
void *mb_arena_zero(mb_arena *arena, size_t size);
/* Grows the newest allocation in place when it can, else moves it. */
void *mb_arena_grow(mb_arena *arena, void *old, size_t old_size, size_t size);
char *mb_arena_strdup(mb_arena *arena, const char *text);
char *mb_arena_strndup(mb_arena *arena, const char *text, size_t size); /* adds a NUL */
char *mb_arena_printf(mb_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
size_t mb_arena_used(const mb_arena *arena);

#endif
