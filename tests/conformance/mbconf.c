/* mbconf: runs public conformance suites against the library.
 *
 *     mbconf protocol input|output FILE...
 *     mbconf sigv4 DIR
 *     mbconf endpoint MODELDIR FILE...
 *     mbconf jmespath FILE...
 *     mbconf profile FILE
 *
 * Prints TAP, and as its last line "N passed, N failed, N skipped". Exits with 0 when cases ran and
 * none failed, 1 otherwise (a file that cannot be read, or that holds no case, counts as a
 * failure), 2 for a wrong command line. The suites are not part of the project.
 */
#include "mbconf.h"

#include <stdio.h>
#include <string.h>

static const struct suite {
  const char *name, *usage;
  int minimum; /* arguments */
  int (*run)(int argc, char **argv);
} suites[] = {
    {"protocol", "input|output FILE...", 2, mbconf_protocol},
    {"sigv4", "DIR", 1, mbconf_sigv4},
    {"endpoint", "MODELDIR FILE...", 2, mbconf_endpoint},
    {"jmespath", "FILE...", 1, mbconf_jmespath},
    {"profile", "FILE", 1, mbconf_profile},
};

static int usage(void) {
  fprintf(stderr, "usage:\n");
  for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
    fprintf(stderr, "  mbconf %s %s\n", suites[i].name, suites[i].usage);
  return 2;
}

int main(int argc, char **argv) {
  for (size_t i = 0; argc > 1 && i < sizeof suites / sizeof *suites; i++)
    if (strcmp(argv[1], suites[i].name) == 0 && argc - 2 >= suites[i].minimum)
      return suites[i].run(argc - 2, argv + 2);
  return usage();
}
