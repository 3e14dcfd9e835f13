/* The shared config and credentials files, as every AWS tool reads them (spec/aws-client.md 2.3).
 */
#ifndef MB_AWS_CONFIG_PROFILE_H
#define MB_AWS_CONFIG_PROFILE_H

#include "base/value.h"
#include <moonbook/error.h>

/* Parses and merges both texts (either may be NULL) into
 * {profiles: {name: {key: text or {key: text}}}, "sso-session": {...}, services: {...}}.
 * Errors are of kind USAGE; the message says what is wrong and names file and line. */
int mb_profiles_parse(mb_arena *arena, const char *config, size_t config_size,
                      const char *config_name, const char *credentials, size_t credentials_size,
                      const char *credentials_name, mb_value *out, mb_error *error);

#endif
