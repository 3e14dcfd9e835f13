/* Runs a runbook with a full garbage collection before every allocation: whatever C code of ours
 * holds without an anchor is gone at once, and the address sanitizer says so. */
#include "script/state.h"
#include <stdio.h>
#include <string.h>

/* Refuses every allocation once: Lua answers by collecting everything and asking again. */
static void *reluctant(void *payload, void *pointer, size_t old_size, size_t new_size) {
  static bool refused;
  bool grows = new_size > (pointer ? old_size : 0);
  if (grows && !refused) {
    refused = true;
    return NULL;
  }
  if (grows)
    refused = false;
  return mb_script_allocate(payload, pointer, old_size, new_size);
}

static const char source[] =
    "local M = {}\n"
    "M.__index = M\n"
    "M.__tostring = function(self) return 'M' .. self.n end\n"
    "return { plan = function(run, args)\n"
    "  local words = {}\n"
    "  for w, n in ('one=1, two=2, three=3'):gmatch('(%w+)=(%d)') do words[w] = tonumber(n) end\n"
    "  local keys = {}\n"
    "  for k, v in pairs(words) do keys[#keys + 1] = k .. v end\n"
    "  table.sort(keys, function(a, b) return a > b end)\n"
    "  local text = ('abc'):gsub('%w', function(c) return c .. #keys end)\n"
    "  local m = setmetatable({ n = 5 }, M)\n"
    "  local r = together{\n"
    "    a = function() sleep(0) return { tostring(m) } end,\n"
    "    b = function() return each({ 1, 2, 3 }, function(v) sleep(0) return v * 2 end) end,\n"
    "  }\n"
    "  local _, err = attempt(function() step('s', function() error('x' .. text) end) end)\n"
    "  local back = json.decode(json.encode{ keys = keys, r = r, where = err.where, m = "
    "err.message })\n"
    "  log.info(string.format('%s %5.1f %q', back.r.a[1], 2.5, text), back)\n"
    "  check('c', back.r.b[3] == 6, 'm', { 'e' })\n"
    "  return { text = text, keys = keys, last = wait_until{ check = function() return err.code "
    "end } }\n"
    "end }\n";

int main(void) {
  static const mb_settings_options settings;
  static const char wanted[] = "{\"keys\":[\"two2\",\"three3\",\"one1\"],\"last\":\"ScriptError\","
                               "\"text\":\"a3b3c3\"}";
  mb_engine engine;
  mb_error error;
  mb_error_clear(&error);
  if (mb_engine_init(&engine, NULL, &settings, 0, &error) != 0)
    return 2;
  mb_script_options options = {.engine = &engine};
  mb_script *script = mb_script_new(&options, &error);
  mb_arena *arena = mb_arena_new(0);
  if (!script || !arena)
    return 2;
  lua_setallocf(script->L, reluctant, script);
  const mb_value *result = NULL;
  int status = mb_script_load(script, "r.lua", source, sizeof source - 1, &error);
  if (status == 0)
    status = mb_script_call(script, "plan", NULL, NULL, 0, arena, &result, &error);
  const char *got = status == 0 ? mb_value_to_json(arena, result, 0, true) : "";
  bool good = status == 0 && strcmp(got, wanted) == 0;
  if (!good)
    fprintf(stderr, "%s %s at %s: %s\n", got, error.code, error.where, error.message);
  mb_script_free(script);
  mb_arena_free(arena);
  mb_engine_dispose(&engine);
  return good ? 0 : 1;
}
