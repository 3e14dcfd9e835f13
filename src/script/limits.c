/* Limits: memory, instructions, time between two primitives, and the request to stop; and the end
 * that no script can catch. */
#include "base/system.h"
#include "script/state.h"
#include <stdlib.h>
#include <string.h>

static const char fatal_mark = 'f';

/* Lua's allocator. Counts what is held, lets frees and shrinks through always, and refuses single
 * strings beyond MB_SCRIPT_STRING_MAX: that bounds the time of one comparison or copy in C, where
 * no hook can fire. (For a new object Lua passes its type in `old_size`.) */
void *mb_script_allocate(void *payload, void *pointer, size_t old_size, size_t new_size) {
  mb_script *script = payload;
  size_t held = pointer ? old_size : 0;
  if (new_size == 0) {
    mb_free(pointer);
    script->memory_used -= held;
    return NULL;
  }
  bool long_string = !pointer && old_size == LUA_TSTRING && new_size > script->string_limit + 64;
  size_t growth = new_size > held ? new_size - held : 0;
  if (long_string || growth > script->memory_limit ||
      script->memory_used > script->memory_limit - growth) {
    if (growth || long_string) {
      script->limit_was_hit = true;
      return NULL;
    }
  }
  void *moved = mb_realloc(pointer, new_size);
  if (!moved && growth) {
    script->limit_was_hit = false;
    return NULL;
  }
  script->memory_used = script->memory_used - held + new_size;
  if (script->memory_used > script->memory_peak)
    script->memory_peak = script->memory_used;
  return moved ? moved : pointer; /* a shrink that found no memory leaves the block as it is */
}

/* ---- the uncatchable end ---- */

bool mb_lua_is_fatal(lua_State *L, int index) {
  return lua_touserdata(L, index) == &fatal_mark;
}

_Noreturn void mb_lua_raise_fatal(lua_State *L) {
  mb_script_watch(L); /* from now on the hook fires at every instruction */
  lua_pushlightuserdata(L, (void *)(uintptr_t)&fatal_mark);
  lua_error(L);
  abort(); /* lua_error does not return; the compiler does not know */
}

static void limit_error(mb_script *script, const char *code, const char *what) {
  mb_error *error = &script->fatal_error;
  mb_error_set(error, MB_ERROR_LIMIT, code, "%s", what);
  mb_error_next(error, "look for a loop that does not end at the line named; limits can be raised "
                       "where the host is made");
}

/* Decides whether the script must end; fills fatal_error. */
static bool limit_is_reached(mb_script *script) {
  if (script->engine && atomic_load(&script->stop)) {
    mb_error_set(&script->fatal_error, MB_ERROR_CANCELLED, "Cancelled", "stopped on request");
    return true;
  }
  if (script->instructions > script->instruction_limit) {
    limit_error(script, "InstructionLimit", "the script ran more instructions than it may");
    return true;
  }
  if (!script->clock)
    return false;
  int64_t spent = mb_monotonic_ns(script->clock) - script->slice_start;
  if (spent <= script->slice_ns)
    return false;
  limit_error(script, "TimeLimit", "the script ran too long without calling a primitive");
  return true;
}

void mb_lua_check_limits(lua_State *L) {
  mb_script *script = mb_script_of(L);
  if (!script->fatal && limit_is_reached(script)) {
    script->fatal = true;
    mb_lua_where(L, script->fatal_error.where, sizeof script->fatal_error.where);
  }
  if (script->fatal)
    mb_lua_raise_fatal(L);
}

static void on_count(lua_State *L, lua_Debug *ar) {
  (void)ar;
  mb_script *script = mb_script_of(L);
  script->instructions += script->fatal ? 1 : MB_TICK_COUNT;
  mb_lua_check_limits(L);
}

void mb_script_watch(lua_State *L) {
  lua_sethook(L, on_count, LUA_MASKCOUNT, mb_script_of(L)->fatal ? 1 : MB_TICK_COUNT);
}

void mb_lua_tick(lua_State *L, size_t steps) {
  mb_script *script = mb_script_of(L);
  script->instructions += steps;
  script->countdown -= (int64_t)steps;
  if (script->countdown > 0)
    return;
  script->countdown = 1000;
  mb_lua_check_limits(L);
}
