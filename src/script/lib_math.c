/* math and utf8: Lua's own functions where they are pure, and a random generator that gives the
 * same numbers for the same seed in every process and version. */
#include "script/state.h"
#include <math.h>

static const char *const math_names[] = {
    "abs", "ceil", "floor", "fmod", "max",  "min",  "modf", "sqrt", "exp",       "log",
    "sin", "cos",  "tan",   "asin", "acos", "atan", "ult",  "type", "tointeger", NULL,
};

static const char *const utf8_names[] = {"char", "codepoint", "codes", "len", "offset", NULL};

static uint64_t rotate_left(uint64_t x, int bits) {
  return (x << bits) | (x >> (64 - bits));
}

/* xoshiro256**, a public-domain generator. */
static uint64_t next_random(mb_script *script) {
  uint64_t *s = script->random_state;
  uint64_t result = rotate_left(s[1] * 5, 7) * 9;
  uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate_left(s[3], 45);
  return result;
}

/* An even choice of 0..range: draws again what would make some numbers likelier. */
static uint64_t random_below(mb_script *script, uint64_t range) {
  uint64_t mask = range;
  for (int bits = 1; bits < 64; bits *= 2)
    mask |= mask >> bits;
  uint64_t number = next_random(script) & mask;
  while (number > range)
    number = next_random(script) & mask;
  return number;
}

static int math_random(lua_State *L) {
  mb_script *script = mb_script_of(L);
  lua_Integer low = 1, high;
  switch (lua_gettop(L)) {
  case 0:
    lua_pushnumber(L, (lua_Number)(next_random(script) >> 11) * 0x1p-53);
    return 1;
  case 1:
    high = luaL_checkinteger(L, 1);
    break;
  case 2:
    low = luaL_checkinteger(L, 1);
    high = luaL_checkinteger(L, 2);
    break;
  default:
    return luaL_error(L, "math.random takes at most two numbers");
  }
  luaL_argcheck(L, low <= high, 1, "there is no number between the two");
  uint64_t range = (uint64_t)high - (uint64_t)low;
  lua_pushinteger(L, (lua_Integer)((uint64_t)low + random_below(script, range)));
  return 1;
}

void mb_lua_push_math_library(lua_State *L) {
  lua_createtable(L, 0, 28);
  lua_pushcfunction(L, luaopen_math);
  lua_call(L, 0, 1);
  mb_lua_pick(L, math_names);
  lua_pushcfunction(L, math_random);
  lua_setfield(L, -2, "random");
  lua_pushnumber(L, 3.141592653589793);
  lua_setfield(L, -2, "pi");
  lua_pushnumber(L, (lua_Number)HUGE_VAL);
  lua_setfield(L, -2, "huge");
  lua_pushinteger(L, LUA_MAXINTEGER);
  lua_setfield(L, -2, "maxinteger");
  lua_pushinteger(L, LUA_MININTEGER);
  lua_setfield(L, -2, "mininteger");
}

void mb_lua_push_utf8_library(lua_State *L) {
  lua_createtable(L, 0, 8);
  lua_pushcfunction(L, luaopen_utf8);
  lua_call(L, 0, 1);
  lua_pushliteral(L, "charpattern");
  lua_pushvalue(L, -1);
  lua_rawget(L, -3);
  lua_rawset(L, -4);
  mb_lua_pick(L, utf8_names);
}
