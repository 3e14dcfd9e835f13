/* Data files written in Lua: a manifest, moonbook.lua. Run in a state without any library, with so
 * few instructions that nothing but building a table can come of it. */
#include "script/state.h"
#include <string.h>

#define DATA_SIZE_MAX     65536
#define DATA_INSTRUCTIONS 100000
#define DATA_MEMORY       ((size_t)4 << 20)

typedef struct data_file {
  mb_arena *arena;
  const char *chunk_name, *source;
  size_t size;
  mb_value *out;
} data_file;

static int fail_usage(lua_State *L, const data_file *file, const char *problem) {
  mb_error error;
  mb_error_set(&error, MB_ERROR_USAGE, "BadDataFile", "%s %s", file->chunk_name, problem);
  mb_text_copy(error.where, sizeof error.where, file->chunk_name);
  return mb_lua_raise(L, &error);
}

static int read_body(lua_State *L) {
  data_file *file = lua_touserdata(L, 1);
  mb_lua_open_values(L);
  mb_lua_open_secrets(L);
  lua_createtable(L, 0, 0);
  mb_lua_load_text(L, file->chunk_name, file->source, file->size);
  lua_call(L, 0, 1);
  if (!lua_istable(L, -1))
    return fail_usage(L, file, "must return a table: return { ... }");
  file->out = mb_lua_read_value(L, -1, file->arena, "");
  return 0;
}

/* A bad data file is the user's mistake, whatever Lua calls it. */
static void make_usage(mb_error *error, const char *chunk_name) {
  if (!error)
    return;
  if (error->kind == MB_ERROR_SCRIPT) {
    error->kind = MB_ERROR_USAGE;
    if (strcmp(error->code, "ScriptError") == 0)
      mb_text_copy(error->code, sizeof error->code, "BadDataFile");
  }
  if (error->kind == MB_ERROR_LIMIT || strcmp(error->code, "BadDataFile") == 0)
    mb_error_next(error, "the file may only return a table of plain data");
  if (!error->where[0])
    mb_text_copy(error->where, sizeof error->where, chunk_name);
}

int mb_script_read_data(mb_arena *arena, const char *chunk_name, const char *source, size_t size,
                        mb_value **out, mb_error *error) {
  if (size > DATA_SIZE_MAX) {
    mb_error_set(error, MB_ERROR_USAGE, "TooLarge", "%s is larger than 64 KiB", chunk_name);
    return -1;
  }
  mb_script *script = mb_script_bare(error);
  if (!script)
    return -1;
  script->memory_limit = DATA_MEMORY;
  script->instruction_limit = DATA_INSTRUCTIONS;
  mb_text_copy(script->chunk_name, sizeof script->chunk_name, chunk_name);
  data_file file = {arena, chunk_name, source, size, NULL};
  int result = mb_script_protect(script, read_body, &file, error);
  mb_script_free(script);
  if (result != 0)
    make_usage(error, chunk_name);
  else
    *out = file.out;
  return result;
}
