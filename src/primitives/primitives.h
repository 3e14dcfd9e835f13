/* The curated primitives, one file per Lua namespace. */
#ifndef MB_PRIMITIVES_PRIMITIVES_H
#define MB_PRIMITIVES_PRIMITIVES_H

#include <moonbook/primitive.h>

extern const mb_primitive mb_primitive_http_get;

#endif
