/* Loose git objects, looked over before libgit2 reads them: libgit2 1.5 never ends on one that was
 * cut short, and writes beyond its buffer for one that is longer than it says. */
#include "source/loose.h"
#include "base/text.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#define LONGEST_HEADER 32 /* "commit 1048576" and its NUL */

typedef struct inflating {
  z_stream zip;
  FILE *file;
  unsigned char in[4096];
  char header[LONGEST_HEADER];
  size_t header_size, total;
} inflating;

/* Keeps what comes before the first NUL, and counts all. */
static void take_output(inflating *of, const char *out, size_t size) {
  size_t room = sizeof of->header - 1 - of->header_size;
  if (of->total == of->header_size && room > 0) {
    size_t kept = size < room ? size : room;
    memcpy(of->header + of->header_size, out, kept);
    of->header_size += kept;
  }
  of->total += size;
}

/* Zlib's code: Z_STREAM_END when all went well. Ends when more than `limit` bytes came out. */
static int inflate_all(inflating *of, size_t limit) {
  int code = Z_OK;
  while (code == Z_OK && of->total <= limit) {
    char out[8192];
    if (of->zip.avail_in == 0) {
      of->zip.next_in = of->in;
      of->zip.avail_in = (uInt)fread(of->in, 1, sizeof of->in, of->file);
    }
    of->zip.next_out = (unsigned char *)out;
    of->zip.avail_out = sizeof out;
    code = inflate(&of->zip, Z_NO_FLUSH); /* Z_BUF_ERROR once there is no more to read */
    take_output(of, out, sizeof out - of->zip.avail_out);
  }
  return code;
}

/* Whether the header tells the size of what follows it. */
static bool size_is_true(const inflating *of) {
  const char *end = memchr(of->header, 0, of->header_size);
  const char *space = end ? strchr(of->header, ' ') : NULL;
  int64_t size;
  return space && mb_parse_integer(space + 1, (size_t)(end - space - 1), &size) == 0 && size >= 0 &&
         (uint64_t)size == of->total - (size_t)(end - of->header) - 1;
}

static int check_file(FILE *file, size_t limit, const char *shown, mb_error *error) {
  inflating of = {.file = file};
  if (inflateInit(&of.zip) != Z_OK)
    return mb_error_memory(error);
  int code = inflate_all(&of, limit + LONGEST_HEADER);
  inflateEnd(&of.zip);
  if (code == Z_MEM_ERROR)
    return mb_error_memory(error);
  if (of.total > limit + LONGEST_HEADER)
    return mb_error_set(error, MB_ERROR_USAGE, "FileTooLarge", "%s is larger than %zu bytes", shown,
                        limit);
  if (code == Z_STREAM_END && size_is_true(&of))
    return 0;
  mb_error_set(error, MB_ERROR_IO, "CannotRead", "%s: its git object is damaged", shown);
  return mb_error_next(error, "git fsck says what else is; a fresh clone mends it");
}

int mb_loose_check(const char *repository, const char *id, size_t limit, const char *shown,
                   mb_error *error) {
  char path[PATH_MAX], reason[128];
  int size = snprintf(path, sizeof path, "%sobjects/%.2s/%s", repository, id, id + 2);
  if (size < 0 || (size_t)size >= sizeof path)
    return mb_error_set(error, MB_ERROR_IO, "CannotRead", "%s: its path is too long", shown);
  FILE *file = fopen(path, "rbe");
  if (!file)
    return errno == ENOENT || errno == ENOTDIR
               ? 0
               : mb_error_set(error, MB_ERROR_IO, "CannotRead", "%s: %s", shown,
                              strerror_r(errno, reason, sizeof reason));
  int status = check_file(file, limit, shown, error);
  fclose(file);
  return status;
}
