/* Small text tools. None depends on the locale. */
#ifndef MB_BASE_TEXT_H
#define MB_BASE_TEXT_H

#include "base/buffer.h"
#include "base/value.h"

bool mb_text_equal_ci(const char *a, const char *b); /* ASCII case ignored */
bool mb_text_starts(const char *text, const char *prefix);
bool mb_text_ends(const char *text, const char *suffix);
/* Copies with truncation at a UTF-8 boundary; always terminates. Returns false if cut. */
bool mb_text_copy(char *out, size_t out_size, const char *text);
bool mb_utf8_valid(const char *text, size_t size);

/* Appends `text` with control characters, ESC and bidirectional overrides made visible, so that it
 * can go to a terminal; newlines are kept only if `keep_newlines`. */
void mb_text_add_printable(mb_buffer *out, const char *text, size_t size, bool keep_newlines);

/* Percent-encodes everything but A-Z a-z 0-9 - . _ ~ and the characters of `keep`. */
void mb_text_add_uri(mb_buffer *out, const char *text, size_t size, const char *keep);

void mb_text_add_hex(mb_buffer *out, const void *data, size_t size);
void mb_text_add_base64(mb_buffer *out, const void *data, size_t size);
/* Decodes base64 (padding optional, white space refused) into the arena. -1 on a bad character. */
int mb_base64_decode(mb_arena *arena, const char *text, size_t size, const char **out,
                     size_t *out_size);

/* Locale-free number parsing of a whole string: decimal notation, and for mb_parse_number also
 * "NaN", "Infinity" and "-Infinity". 0, or -1. */
int mb_parse_integer(const char *text, size_t size, int64_t *out);
int mb_parse_number(const char *text, size_t size, double *out);
/* "90", "90s", "15m", "2h", "1.5h", "250ms", "7d" to seconds. 0, or -1. */
int mb_parse_duration(const char *text, double *seconds);

/* The nearest of `count` names by edit distance, or NULL when none is near enough to suggest. */
const char *mb_text_nearest(const char *text, const char *const *names, size_t count);
/* The same, incrementally: call for each candidate with `best` starting as NULL and `best_distance`
 * as SIZE_MAX. */
void mb_text_nearer(const char *text, const char *candidate, const char **best,
                    size_t *best_distance);

/* Time: seconds since 1970 (with a fraction) to and from text, all UTC. */
typedef enum mb_time_format { MB_TIME_ISO8601, MB_TIME_HTTP, MB_TIME_EPOCH } mb_time_format;
/* Writes e.g. 2026-11-23T14:00:00.5Z, or Mon, 23 Nov 2026 14:00:00 GMT, or 1795442400.5. */
void mb_time_add(mb_buffer *out, double seconds, mb_time_format format);
/* Reads any of the three forms (offsets, fractions, RFC 850 and asctime included). 0, or -1. */
int mb_time_parse(const char *text, size_t size, double *seconds);
/* "20261123T140000Z" for signing; out has 17 bytes. */
void mb_time_amz(char out[17], int64_t seconds);
void mb_time_civil(int64_t seconds, int *year, int *month, int *day, int *hour, int *minute,
                   int *second);

#endif
