/* What the fuzz targets share. Each target is one file with LLVMFuzzerTestOneInput: libFuzzer
 * drives it
 * (`make fuzz`), and replay.c runs it over the checked-in corpus in every test run. */
#ifndef MB_TESTS_FUZZ_FUZZ_H
#define MB_TESTS_FUZZ_FUZZ_H

#include "aws/codec/codec.h"
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A service of each protocol, by the first byte of an input. */
static inline const mb_model *fuzz_model(uint8_t choice) {
  static const char *const names[] = {"ecs", "dynamodb", "elbv2", "ec2",
                                      "sso", "s3",       "iam",   "cloudwatch"};
  return mb_model_find(names[choice % 8]);
}

#endif
