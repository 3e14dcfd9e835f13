/* Runs a fuzz target over the files of a folder: the corpus as a test, with any compiler.
 *
 * usage: TARGET FOLDER */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { LARGEST = 1 << 20 };

static int replay(const char *folder, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  uint8_t *data = malloc(LARGEST);
  if (!file || !data) {
    perror(path);
    exit(1);
  }
  size_t size = fread(data, 1, LARGEST, file);
  fclose(file);
  LLVMFuzzerTestOneInput(data, size);
  free(data);
  return 1;
}

int main(int argc, char **argv) {
  DIR *directory = argc == 2 ? opendir(argv[1]) : NULL;
  int count = 0;
  if (!directory) {
    fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    count += entry->d_name[0] != '.' ? replay(argv[1], entry->d_name) : 0;
  }
  closedir(directory);
  printf("%d inputs\n", count);
  return count > 0 ? 0 : 1;
}
