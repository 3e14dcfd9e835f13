/* The words of enumerations, as botocore and our text spell them. Each list ends with NULL; the
 * first word is the enumerator 1, except that locations and timestamp formats begin with "" (0). */
#ifndef MB_AWS_MODEL_NAMES_H
#define MB_AWS_MODEL_NAMES_H

#include <stddef.h>

extern const char *const mb_matcher_names[];
extern const char *const mb_state_names[];
extern const char *const mb_protocol_names[];
extern const char *const mb_shape_type_names[];
extern const char *const mb_location_names[];         /* from 0 */
extern const char *const mb_timestamp_format_names[]; /* from 0 */

/* The position of a word (of `size` bytes), or -1. */
int mb_name_position(const char *const *names, const char *word, size_t size);

#endif
