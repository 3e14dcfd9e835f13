/* The simulated clock. The world follows it lazily: whatever is due happens just before somebody
 * looks. */
#include "sim/internal.h"

#define NS_PER_SECOND 1000000000
#define PIECE_NS      (INT64_C(3600) * NS_PER_SECOND)
#define FAR_AWAY_NS   (INT64_MAX / 4) /* some 73 years */

static int64_t ns_of(double seconds) {
  if (!(seconds > 0))
    return 0;
  return seconds < (double)FAR_AWAY_NS / 1e9 ? (int64_t)(seconds * 1e9) : FAR_AWAY_NS;
}

static void restart_real(mb_sim *sim) {
  sim->real_start_ns = mb_monotonic_ns(&sim->real);
  sim->real_base_ns = sim->now_ns;
}

void mb_sim_clock_init(mb_sim *sim, double world_now) {
  sim->epoch_ns = ns_of(world_now);
  sim->now_ns = sim->caught_up_ns = 0;
  restart_real(sim);
}

int64_t mb_sim_clock_ns(mb_sim *sim) {
  if (sim->options.clock != MB_SIM_CLOCK_REAL)
    return sim->now_ns;
  int64_t passed = mb_monotonic_ns(&sim->real) - sim->real_start_ns;
  double speed = sim->options.speed > 0 ? sim->options.speed : 1;
  int64_t now = sim->real_base_ns + ns_of((double)passed / 1e9 * speed);
  if (now > sim->now_ns)
    sim->now_ns = now;
  return sim->now_ns;
}

void mb_sim_clock_move(mb_sim *sim, int64_t to_ns) {
  if (to_ns > FAR_AWAY_NS)
    to_ns = FAR_AWAY_NS;
  if (to_ns <= sim->now_ns)
    return;
  sim->now_ns = to_ns;
  restart_real(sim);
}

static double world_time(const mb_sim *sim, int64_t ns) {
  return (double)(sim->epoch_ns / 1000 + ns / 1000) / 1e6;
}

double mb_sim_now(mb_sim *sim) {
  return world_time(sim, mb_sim_clock_ns(sim));
}

static int advance_world(mb_sim *sim, int64_t to_ns, mb_error *error) {
  mb_arena *arena = mb_arena_new(0);
  mb_value *time = arena ? mb_value_new(arena) : NULL;
  if (!time) {
    mb_arena_free(arena);
    return mb_error_memory(error);
  }
  mb_value_set_number(time, world_time(sim, to_ns));
  const mb_value *args[] = {time};
  int result = mb_sim_ask(sim, arena, "advance_to", args, 1, NULL, error);
  mb_arena_free(arena);
  if (result == 0)
    sim->caught_up_ns = to_ns;
  return result;
}

/* In pieces, as one call into Lua may only take so long. */
int mb_sim_catch_up(mb_sim *sim, mb_error *error) {
  int64_t now = mb_sim_clock_ns(sim);
  while (sim->caught_up_ns < now) {
    int64_t left = now - sim->caught_up_ns;
    int64_t to = left > PIECE_NS ? sim->caught_up_ns + PIECE_NS : now;
    if (advance_world(sim, to, error))
      return -1;
  }
  return 0;
}

int mb_sim_advance(mb_sim *sim, double seconds, mb_error *error) {
  if (!(seconds >= 0) || seconds > 1e9)
    return mb_error_set(error, MB_ERROR_USAGE, "BadDuration",
                        "the clock moves forward by 0 to 1e9 seconds");
  mb_sim_clock_move(sim, mb_sim_clock_ns(sim) + ns_of(seconds));
  return mb_sim_catch_up(sim, error);
}

int mb_sim_settle(mb_sim *sim, mb_error *error) {
  mb_arena *arena = mb_arena_new(0);
  const mb_value *now = NULL;
  if (!arena)
    return mb_error_memory(error);
  int result = mb_sim_ask(sim, arena, "settle", NULL, 0, &now, error);
  if (result == 0) {
    int64_t ns = ns_of(mb_value_number(now)) - sim->epoch_ns;
    mb_sim_clock_move(sim, ns);
    if (sim->caught_up_ns < ns)
      sim->caught_up_ns = ns;
  }
  mb_arena_free(arena);
  return result;
}
