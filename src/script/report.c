/* What a runbook tells: check, log, progress, table_of, confirm, print; and now, reveal, json. */
#include "base/system.h"
#include "script/state.h"
#include <string.h>

/* A line for people: bounded, without NULs, valid UTF-8. The sinks make it safe for themselves. */
static const char *line_at(lua_State *L, int index, mb_arena *arena) {
  size_t size;
  const char *text = mb_lua_tostring(L, index, &size);
  bool cut = size > MB_SCRIPT_LINE_MAX;
  if (cut)
    size = MB_SCRIPT_LINE_MAX;
  while (cut && size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
    size--;
  char *line = mb_arena_alloc(arena, size + 16);
  if (!line) {
    mb_error error;
    mb_error_memory(&error);
    mb_lua_raise(L, &error);
    return NULL;
  }
  bool valid = mb_utf8_valid(text, size);
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)text[i];
    line[i] = c == 0 || (!valid && c >= 0x80) ? '?' : text[i];
  }
  memcpy(line + size, cut ? " ... (cut)" : "", cut ? 11 : 1);
  lua_settop(L, -2);
  return line;
}

static const mb_value *value_at(lua_State *L, int index, mb_arena *arena, const char *label) {
  return lua_isnoneornil(L, index) ? NULL : mb_lua_read_value(L, index, arena, label);
}

/* Counts a line; false when the run has had as many as it may. */
static bool may_tell(unsigned *count) {
  if (*count >= MB_SCRIPT_LINES_MAX)
    return false;
  ++*count;
  return true;
}

/* ---- log ---- */

/* Stack: arena, level, message, fields. */
static int log_body(lua_State *L) {
  mb_script *script = mb_script_of(L);
  mb_arena *arena = lua_touserdata(L, 1);
  const char *level = lua_tostring(L, 2);
  const char *message = line_at(L, 3, arena);
  const mb_value *fields = value_at(L, 4, arena, "the fields");
  if (script->log_lines == MB_SCRIPT_LINES_MAX - 1) {
    script->log_lines++;
    level = "warn";
    message = "the run has logged 10,000 lines; further lines are left out";
    fields = NULL;
  } else if (!may_tell(&script->log_lines)) {
    return 0;
  }
  if (script->hooks.log)
    script->hooks.log(script->hooks.payload, level, message, fields);
  return 0;
}

static int log_line(lua_State *L, const char *level) {
  luaL_checkany(L, 1);
  lua_settop(L, 2);
  lua_pushstring(L, level);
  lua_insert(L, 1);
  return mb_lua_with_arena(L, log_body);
}

static int log_debug(lua_State *L) {
  return log_line(L, "debug");
}

static int log_info(lua_State *L) {
  return log_line(L, "info");
}

static int log_warn(lua_State *L) {
  return log_line(L, "warn");
}

static int log_error(lua_State *L) {
  return log_line(L, "error");
}

/* print(...): the values, with tabs between, as log.info. */
static int report_print(lua_State *L) {
  int count = lua_gettop(L);
  luaL_checkstack(L, 2 * count + 4, "too many values");
  lua_pushliteral(L, "");
  for (int i = 1; i <= count; i++) {
    size_t size;
    if (i > 1)
      lua_pushliteral(L, "\t");
    mb_lua_tostring(L, i, &size);
    lua_concat(L, i > 1 ? 3 : 2);
  }
  lua_replace(L, 1);
  lua_settop(L, 1);
  return log_line(L, "info");
}

/* ---- progress, table_of ---- */

static int progress_body(lua_State *L) {
  mb_script *script = mb_script_of(L);
  mb_arena *arena = lua_touserdata(L, 1);
  const char *message = line_at(L, 2, arena);
  const mb_value *fields = value_at(L, 3, arena, "the fields");
  if (may_tell(&script->progress_lines) && script->hooks.progress)
    script->hooks.progress(script->hooks.payload, message, fields);
  return 0;
}

static int report_progress(lua_State *L) {
  luaL_checkany(L, 1);
  lua_settop(L, 2);
  return mb_lua_with_arena(L, progress_body);
}

static int table_body(lua_State *L) {
  mb_script *script = mb_script_of(L);
  mb_arena *arena = lua_touserdata(L, 1);
  const mb_value *columns = mb_lua_read_value(L, 2, arena, "the columns");
  const mb_value *rows = mb_lua_read_value(L, 3, arena, "the rows");
  if (mb_value_count(rows) > MB_SCRIPT_LINES_MAX)
    return luaL_error(L, "a table has at most %d rows", MB_SCRIPT_LINES_MAX);
  if (!may_tell(&script->table_count))
    return luaL_error(L, "a run shows at most %d tables", MB_SCRIPT_LINES_MAX);
  if (script->hooks.table)
    script->hooks.table(script->hooks.payload, columns, rows);
  return 0;
}

static int report_table(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  return mb_lua_with_arena(L, table_body);
}

/* ---- check, confirm ---- */

/* Stack: arena, name, ok, message, evidence. */
static int check_body(lua_State *L) {
  mb_script *script = mb_script_of(L);
  mb_arena *arena = lua_touserdata(L, 1);
  const char *name = line_at(L, 2, arena);
  const char *message = lua_isnil(L, 4) ? "" : line_at(L, 4, arena);
  const mb_value *evidence = value_at(L, 5, arena, "the evidence");
  if (!may_tell(&script->check_count))
    return luaL_error(L, "a run makes at most %d checks", MB_SCRIPT_LINES_MAX);
  if (script->hooks.check)
    script->hooks.check(script->hooks.payload, name, lua_toboolean(L, 3), message, evidence);
  lua_pushboolean(L, lua_toboolean(L, 3));
  return 1;
}

/* check{ name =, ok =, message =, evidence = } becomes check(name, ok, message, evidence). */
static void spread_check(lua_State *L) {
  static const char *const names[] = {"name", "ok", "message", "evidence"};
  lua_settop(L, 1);
  for (int i = 0; i < 4; i++) {
    lua_pushstring(L, names[i]);
    lua_rawget(L, 1);
  }
  lua_remove(L, 1);
}

static int report_check(lua_State *L) {
  bool has_ok = lua_gettop(L) > 1;
  if (lua_istable(L, 1)) {
    spread_check(L);
    has_ok = !lua_isnil(L, 2);
  }
  if (lua_type(L, 1) != LUA_TSTRING || !has_ok)
    return luaL_error(L, "check takes a name and whether it holds: check(\"tasks run\", running == "
                         "desired, message, evidence)");
  lua_settop(L, 4);
  return mb_lua_with_arena(L, check_body);
}

static int confirm_body(lua_State *L) {
  mb_script *script = mb_script_of(L);
  const char *question = line_at(L, 2, lua_touserdata(L, 1));
  bool yes = script->hooks.confirm && script->hooks.confirm(script->hooks.payload, question);
  script->slice_start = mb_monotonic_ns(&script->engine->system); /* a person's time is not ours */
  lua_pushboolean(L, yes);
  return 1;
}

static int report_confirm(lua_State *L) {
  luaL_checktype(L, 1, LUA_TSTRING);
  lua_settop(L, 1);
  return mb_lua_with_arena(L, confirm_body);
}

/* ---- small things ---- */

static int report_now(lua_State *L) {
  lua_pushnumber(L, (lua_Number)mb_wall_ns(&mb_script_of(L)->engine->system) / 1e9);
  return 1;
}

/* reveal(secret): its text. Text is passed through. */
static int report_reveal(lua_State *L) {
  size_t size;
  const char *text = mb_lua_to_secret(L, 1, &size);
  if (!text)
    text = luaL_checklstring(L, 1, &size);
  lua_pushlstring(L, text, size);
  return 1;
}

static const mb_lua_function report_functions[] = {
    {"print", report_print},     {"progress", report_progress},
    {"table_of", report_table},  {"check", report_check},
    {"confirm", report_confirm}, {"now", report_now},
    {"reveal", report_reveal},   {NULL, NULL},
};

static const mb_lua_function log_functions[] = {
    {"debug", log_debug}, {"info", log_info}, {"warn", log_warn},
    {"error", log_error}, {NULL, NULL},
};

void mb_lua_add_report(lua_State *L) {
  mb_lua_add_functions(L, report_functions);
}

void mb_lua_push_log_library(lua_State *L) {
  lua_createtable(L, 0, 4);
  mb_lua_add_functions(L, log_functions);
}

/* ---- json ---- */

static bool holds_secret(const mb_value *value) {
  if (value->secret)
    return true;
  for (uint32_t i = 0; i < value->count; i++) { /* as deep as the conversion allowed */
    const mb_value *part = value->type == MB_TYPE_LIST  ? &value->as.items[i]
                           : value->type == MB_TYPE_MAP ? &value->as.entries[i].value
                                                        : NULL;
    if (part && holds_secret(part))
      return true;
  }
  return false;
}

/* Stack: arena, value, indent. What holds a secret becomes one. */
static int encode_body(lua_State *L) {
  mb_arena *arena = lua_touserdata(L, 1);
  lua_Integer indent = luaL_optinteger(L, 3, 0);
  luaL_argcheck(L, indent >= 0 && indent <= 8, 2, "an indent is 0 to 8 spaces");
  const mb_value *value = mb_lua_read_value(L, 2, arena, "the value");
  const char *text = mb_value_to_json(arena, value, (int)indent, true);
  if (!text) {
    mb_error error;
    mb_error_memory(&error);
    return mb_lua_raise(L, &error);
  }
  if (holds_secret(value))
    mb_lua_push_secret(L, text, strlen(text));
  else
    lua_pushstring(L, text);
  return 1;
}

static int json_encode(lua_State *L) {
  luaL_checkany(L, 1);
  lua_settop(L, 2);
  return mb_lua_with_arena(L, encode_body);
}

static int decode_body(lua_State *L) {
  mb_arena *arena = lua_touserdata(L, 1);
  size_t size;
  mb_error error;
  mb_value *value;
  const char *secret = mb_lua_to_secret(L, 2, &size);
  const char *text = secret ? secret : lua_tolstring(L, 2, &size);
  mb_error_clear(&error);
  mb_lua_tick(L, size / 8);
  if (mb_value_from_json(arena, &value, text, size, &error) != 0)
    return mb_lua_raise(L, &error);
  mb_value_set_secret(value, secret != NULL); /* every text in it becomes a secret */
  mb_lua_push_value(L, value);
  return 1;
}

static int json_decode(lua_State *L) {
  size_t size;
  if (lua_type(L, 1) != LUA_TSTRING && !mb_lua_to_secret(L, 1, &size))
    return luaL_error(L, "json.decode takes text, not a %s", luaL_typename(L, 1));
  lua_settop(L, 1);
  return mb_lua_with_arena(L, decode_body);
}

static const mb_lua_function json_functions[] = {
    {"encode", json_encode}, {"decode", json_decode}, {NULL, NULL}};

void mb_lua_push_json_library(lua_State *L) {
  lua_createtable(L, 0, 2);
  mb_lua_add_functions(L, json_functions);
}
