/* The version of the library that is linked. */
#include <moonbook/version.h>

const char *mb_version(void) {
  return MB_VERSION;
}
