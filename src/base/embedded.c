/* Finding embedded files: the table is sorted by path. */
#include "base/embedded.h"

#include <string.h>

/* The first file whose path is not below `path` in byte order. */
static size_t lower_bound(const char *path) {
  size_t low = 0;
  size_t high = mb_embedded_file_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (strcmp(mb_embedded_files[middle].path, path) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

const mb_embedded_file *mb_embedded_find(const char *path) {
  size_t at = lower_bound(path);
  if (at < mb_embedded_file_count && strcmp(mb_embedded_files[at].path, path) == 0) {
    return &mb_embedded_files[at];
  }
  return NULL;
}

const mb_embedded_file *mb_embedded_below(const char *prefix, size_t *count) {
  size_t length = strlen(prefix);
  size_t first = lower_bound(prefix);
  size_t last = first;
  while (last < mb_embedded_file_count &&
         strncmp(mb_embedded_files[last].path, prefix, length) == 0) {
    last++;
  }
  *count = last - first;
  return last > first ? &mb_embedded_files[first] : NULL;
}
