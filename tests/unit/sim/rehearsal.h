/* A simulator and a host on it, for tests. */
#ifndef TESTS_UNIT_SIM_REHEARSAL_H
#define TESTS_UNIT_SIM_REHEARSAL_H

#include "unit/check.h"
#include <moonbook/moonbook.h>
#include <stdio.h>
#include <unistd.h>

typedef struct rehearsal {
  mb_sim *sim;
  mb_host *host;
  mb_arena *arena;
  mb_error error;
  const mb_value *result;
} rehearsal;

static inline void rehearsal_begin(rehearsal *r, const mb_sim_options *options) {
  mb_sim_options usual = MB_SIM_OPTIONS_INIT;
  mb_host_options host_options = MB_HOST_OPTIONS_INIT;
  memset(r, 0, sizeof *r);
  if (mb_sim_new(&r->sim, options ? options : &usual, &r->error) != 0) {
    fail_msg("%s %s: %s", r->error.code, r->error.where, r->error.message);
  }
  host_options.system = mb_sim_system(r->sim);
  host_options.settings = "";
  assert_int_equal(mb_host_new(&r->host, &host_options, &r->error), 0);
  r->arena = mb_arena_new(0);
  assert_non_null(r->arena);
}

static inline void rehearsal_end(rehearsal *r) {
  mb_arena_free(r->arena);
  mb_host_free(r->host);
  mb_sim_free(r->sim);
}

/* Calls a primitive with arguments in JSON. */
static inline int rehearsal_call(rehearsal *r, const char *primitive, const char *json) {
  mb_value *args = NULL;
  mb_error_clear(&r->error);
  assert_int_equal(mb_value_from_json(r->arena, &args, json, strlen(json), &r->error), 0);
  return mb_host_call(r->host, r->arena, primitive, args, false, &r->result, &r->error);
}

static inline const char *rehearsal_gives(rehearsal *r, const char *primitive, const char *json) {
  if (rehearsal_call(r, primitive, json) != 0) {
    fail_msg("%s: %s %s", primitive, r->error.code, r->error.message);
  }
  return mb_value_to_json(r->arena, r->result, 0, true);
}

/* Runs Lua text as a scenario file would be run, in a world of its own options. */
static inline void rehearsal_begin_with(rehearsal *r, const char *scenario) {
  char path[] = "/tmp/moonbook-scenario-XXXXXX.lua";
  int file = mkstemps(path, 4);
  assert_true(file >= 0);
  assert_int_equal(write(file, scenario, strlen(scenario)), (ssize_t)strlen(scenario));
  close(file);
  mb_sim_options options = MB_SIM_OPTIONS_INIT;
  options.scenario = path;
  rehearsal_begin(r, &options);
  unlink(path);
}

#endif
