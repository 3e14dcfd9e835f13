/* Matching region names against the partitions' patterns. */
#ifndef MB_AWS_ENDPOINT_REGION_H
#define MB_AWS_ENDPOINT_REGION_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the pattern is one that mb_region_matches understands. */
bool mb_region_pattern_valid(const char *pattern);

/* Whether the whole of `region` matches. Knows literals, \w \d \s and escaped characters, '.',
 * [classes], (groups|alternatives), and the repetitions * + ?. Takes time proportional to the two
 * lengths multiplied, whatever the pattern. */
bool mb_region_matches(const char *pattern, const char *region);

#endif
