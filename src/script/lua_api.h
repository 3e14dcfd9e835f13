/* The only file that includes Lua's headers, and the place for differences between its versions. */
#ifndef MB_SCRIPT_LUA_API_H
#define MB_SCRIPT_LUA_API_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#if LUA_VERSION_NUM != 504
#error "moonbook is written for Lua 5.4"
#endif

#endif
