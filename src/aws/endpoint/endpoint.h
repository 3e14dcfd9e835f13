/* Endpoint rules: which URL a call goes to and how it is signed (spec/aws-client.md 1.3, 2.4). */
#ifndef MB_AWS_ENDPOINT_ENDPOINT_H
#define MB_AWS_ENDPOINT_ENDPOINT_H

#include "base/value.h"
#include <moonbook/error.h>

typedef struct mb_ruleset mb_ruleset; /* parsed rules and partitions; lives in its arena */

/* Parses a ruleset (JSON text) and the partitions document. NULL on failure. */
mb_ruleset *mb_ruleset_new(mb_arena *arena, const char *rules, size_t rules_size,
                           const char *partitions, size_t partitions_size, mb_error *error);

typedef struct mb_endpoint {
  const char *url;
  const mb_value *properties; /* map; authSchemes and others */
  const mb_value *headers;    /* map of lists of strings */
} mb_endpoint;

/* Evaluates the rules over `params`, a map by rule parameter name ("Region", "UseFIPS", ...);
 * declared defaults are filled in and required ones demanded. On failure the error's message is the
 * ruleset's own text, kind USAGE, code "EndpointError". */
int mb_ruleset_resolve(const mb_ruleset *ruleset, mb_arena *arena, const mb_value *params,
                       mb_endpoint *out, mb_error *error);

/* The partition of a region: a map {name, dnsSuffix, dualStackDnsSuffix, implicitGlobalRegion,
 * ...}. */
const mb_value *mb_ruleset_partition(const mb_ruleset *ruleset, mb_arena *arena,
                                     const char *region);

#endif
