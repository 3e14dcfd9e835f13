/* The machine as a host in this process sees it: the simulated clock, randomness that repeats,
 * credentials that work, and nothing of the real environment that could lead to a real account. */
#include "sim/internal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int64_t simulated_wall(void *payload) {
  mb_sim *sim = payload;
  return sim->epoch_ns + mb_sim_clock_ns(sim);
}

static int64_t simulated_monotonic(void *payload) {
  return mb_sim_clock_ns(payload);
}

/* splitmix64; apart from the world's own, which only what happens in the world may advance. */
int mb_sim_random(void *payload, void *out, size_t size) {
  mb_sim *sim = payload;
  unsigned char *at = out;
  while (size > 0) {
    sim->random_state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = sim->random_state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    size_t part = size < sizeof z ? size : sizeof z;
    memcpy(at, &z, part);
    at += part;
    size -= part;
  }
  return 0;
}

static const char *simulated_getenv(void *payload, const char *name) {
  static const char *const harmless[] = {"MOONBOOK_PATH", "TERM", "LANG", "NO_COLOR", "PATH"};
  const mb_sim *sim = payload;
  if (strcmp(name, "AWS_ACCESS_KEY_ID") == 0)
    return MB_SIM_ACCESS_KEY_ID;
  if (strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0)
    return sim->options.secret_access_key ? sim->options.secret_access_key
                                          : MB_SIM_SECRET_ACCESS_KEY;
  if (strcmp(name, "AWS_REGION") == 0)
    return sim->options.region;
  if (strcmp(name, "AWS_EC2_METADATA_DISABLED") == 0)
    return "true";
  for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
    if (strcmp(name, harmless[i]) == 0)
      return getenv(name);
  return NULL;
}

/* No program of the user's runs in a rehearsal. */
static int simulated_spawn(void *payload, const char *const *argv, int timeout_ms,
                           size_t output_limit, mb_arena *arena, const char **output,
                           const char **errors, int *status) {
  (void)payload, (void)argv, (void)timeout_ms, (void)output_limit, (void)arena;
  (void)output, (void)errors, (void)status;
  errno = EPERM;
  return -1;
}

void mb_sim_system_init(mb_sim *sim) {
  sim->system = (mb_system){
      .payload = sim,
      .wall_ns = simulated_wall,
      .monotonic_ns = simulated_monotonic,
      .random = mb_sim_random,
      .getenv = simulated_getenv,
      .spawn = simulated_spawn,
      .transport = &sim->transport,
      .simulated = true,
  };
}

const mb_system *mb_sim_system(mb_sim *sim) {
  return &sim->system;
}
