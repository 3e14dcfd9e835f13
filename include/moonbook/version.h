/* The version of the library and of the interface that runbooks are written against. */
#ifndef MOONBOOK_VERSION_H
#define MOONBOOK_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

#define MB_VERSION_MAJOR 0
#define MB_VERSION_MINOR 1
#define MB_VERSION_PATCH 0
#define MB_VERSION       "0.1.0"

/* The level of the Lua interface this host serves. A manifest's `moonbook` field names the level
 * it needs; levels only ever add, so a host serves every level up to its own. */
#define MB_API_LEVEL 1

/* Returns MB_VERSION of the library that is linked, as a static string. */
const char *mb_version(void);

#ifdef __cplusplus
}
#endif
#endif
