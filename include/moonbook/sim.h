/* The simulator: an AWS to rehearse on, in this process or as a server for any client.
 *
 *     mb_sim *sim;
 *     mb_sim_new(&sim, &options, &error);
 *     host_options.system = mb_sim_system(sim);      rehearse in this process, in virtual time
 *     mb_sim_serve(sim, 4566, &error);               or answer real clients on loopback
 */
#ifndef MOONBOOK_SIM_H
#define MOONBOOK_SIM_H

#include <moonbook/host.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mb_sim mb_sim;

/* How the simulated clock runs while nobody asks it to move. */
typedef enum mb_sim_clock {
  MB_SIM_CLOCK_JUMP = 0, /* to the next thing that happens, when everybody waits (in process) */
  MB_SIM_CLOCK_REAL,     /* with the real one, `speed` times as fast */
  MB_SIM_CLOCK_STEP      /* only when told to, by the control interface */
} mb_sim_clock;

typedef struct mb_sim_options {
  unsigned version; /* MB_SIM_OPTIONS_VERSION */
  const char
      *scenario; /* a stock scenario's name ("service"), a file's path, or NULL: an empty world */
  const char *state; /* file to load the world from when it exists, and to save it to; or NULL */
  uint64_t seed;     /* same seed, same world; 0: 1 */
  mb_sim_clock clock;
  double speed;                  /* of MB_SIM_CLOCK_REAL; 0: 1 */
  const char *region;            /* NULL: "eu-west-1" */
  const char *account;           /* NULL: "123456789012" */
  const char *secret_access_key; /* verify signatures made with this; NULL: take any */
  double start;                  /* the world's first moment, seconds since 1970; 0: 2026-01-01 */
} mb_sim_options;
/* Credentials that a verifying simulator takes when no other secret was set, and that hosts in this
 * process are given. */
#define MB_SIM_ACCESS_KEY_ID     "AKIASIMULATED0000000"
#define MB_SIM_SECRET_ACCESS_KEY "simulated-secret-access-key"
#define MB_SIM_OPTIONS_VERSION   1
#define MB_SIM_OPTIONS_INIT                                                                        \
  { .version = MB_SIM_OPTIONS_VERSION }

/* Makes a world. -1 with what is wrong in the scenario or state file, file and line named. */
int mb_sim_new(mb_sim **out, const mb_sim_options *options, mb_error *error);
void mb_sim_free(mb_sim *sim);

/* The machine as a host in this process should see it: the simulated clock, a transport that ends
 * in the world, and credentials that work. Owned by the simulator, which must outlive the host. */
const mb_system *mb_sim_system(mb_sim *sim);

/* Answers on 127.0.0.1:`port` until mb_sim_stop is called (0: any free port; `*bound` gets it; may
 * be NULL). `on_ready` (may be NULL) is called once it listens. */
int mb_sim_serve(mb_sim *sim, int port, int *bound, void (*on_ready)(int port, void *payload),
                 void *payload, mb_error *error);
void mb_sim_stop(mb_sim *sim); /* from a signal handler or another thread */

/* Saves the world to the options' `state` file; nothing when there is none. A server does so by
 * itself when it stops. */
int mb_sim_save(mb_sim *sim, mb_error *error);

/* Moves the simulated clock; seconds. */
int mb_sim_advance(mb_sim *sim, double seconds, mb_error *error);
double mb_sim_now(mb_sim *sim);

/* Runs a command of the control interface: the name of a function of lua/sim/control.lua with its
 * argument (a map). For specs, the server's /_moonbook/ paths, and tests. */
int mb_sim_control(mb_sim *sim, mb_arena *arena, const char *command, const mb_value *args,
                   const mb_value **result, mb_error *error);

#ifdef __cplusplus
}
#endif
#endif
