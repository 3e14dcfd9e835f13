/* What the simulator's files share. */
#ifndef MB_SIM_INTERNAL_H
#define MB_SIM_INTERNAL_H

#include "aws/codec/codec.h"
#include "base/memory.h"
#include "base/system.h"
#include "base/text.h"
#include "loop/loop.h"
#include "script/library.h"
#include <moonbook/sim.h>
#include <stdatomic.h>

#define MB_SIM_SERVICES     64
#define MB_SIM_REQUEST_MAX  ((size_t)128 << 20) /* bytes of one request's body */
#define MB_SIM_STATE_MAX    ((size_t)512 << 20)
#define MB_SIM_SCENARIO_MAX ((size_t)64 << 20) /* a recorded world may be large */
#define MB_SIM_LATENCY      0.02               /* seconds from request to answer, in process */

typedef struct sim_service {
  const mb_model *model;
  mb_service about;
} sim_service;

typedef struct sim_pending sim_pending; /* transport.c */

struct mb_sim {
  mb_arena *arena; /* the options' texts */
  mb_sim_options options;
  bool region_given; /* by whoever made the simulator */
  mb_library *library;
  mb_system real;   /* the machine, for files and the real clock */
  mb_system system; /* what hosts in this process see */
  mb_transport transport;
  sim_pending *pending; /* answers under way, earliest first */

  int64_t epoch_ns;      /* the world's time when the clock stood at 0 */
  int64_t now_ns;        /* the clock: nanoseconds since then */
  int64_t real_start_ns; /* of the real clock, for MB_SIM_CLOCK_REAL */
  int64_t real_base_ns;  /* `now_ns` at that moment */
  int64_t caught_up_ns;  /* how far the world has come */

  uint64_t random_state;
  sim_service services[MB_SIM_SERVICES];
  size_t service_count;
  atomic_bool stopping;
  int wake_file; /* ends a waiting server */
};

/* ---- world.c: the one door to Lua ---- */
/* Calls a function of lua/sim/host.lua; `result` (may be NULL) is made in `arena`. */
int mb_sim_ask(mb_sim *sim, mb_arena *arena, const char *name, const mb_value *const *args,
               size_t arg_count, const mb_value **result, mb_error *error);
int mb_sim_open_world(mb_sim *sim, mb_error *error);

/* ---- clock.c ---- */
void mb_sim_clock_init(mb_sim *sim, double world_now);
int64_t mb_sim_clock_ns(mb_sim *sim); /* nanoseconds since the simulation began */
void mb_sim_clock_move(mb_sim *sim, int64_t to_ns);
/* Lets everything happen in the world that is due by now. */
int mb_sim_catch_up(mb_sim *sim, mb_error *error);
/* In MB_SIM_CLOCK_JUMP, for a server: moves on until nothing is being rolled out. */
int mb_sim_settle(mb_sim *sim, mb_error *error);

/* ---- system.c ---- */
void mb_sim_system_init(mb_sim *sim);
int mb_sim_random(void *payload, void *out, size_t size);

/* ---- transport.c ---- */
void mb_sim_transport_init(mb_sim *sim);
void mb_sim_transport_dispose(mb_sim *sim);

/* ---- handle.c ---- */
typedef struct sim_answer {
  mb_http_response response;
  double latency; /* seconds more than usual */
  bool reset;     /* the connection breaks instead of an answer */
  bool truncated; /* the connection breaks after `keep` bytes of the body */
  size_t keep;
} sim_answer;

/* One request of any kind; always gives some answer unless memory has run out. Everything of the
 * request lives in `arena`: the URL's parts and a Host header must be filled in. */
int mb_sim_handle(mb_sim *sim, mb_arena *arena, const mb_http_request *request, sim_answer *out,
                  mb_error *error);

/* ---- request.c ---- */
/* Decodes %XX. NULL without memory. */
char *mb_sim_decode(mb_arena *arena, const char *text, size_t size);
/* What lua/sim modules are told of a request that is no AWS call (docs/simulator.md). */
const mb_value *mb_sim_describe_request(mb_arena *arena, const mb_http_request *request,
                                        const char *access_key, mb_error *error);

/* ---- signature.c ---- */
/* What an Authorization header, or the parameters of a presigned URL, say. */
typedef struct sim_signature {
  bool present, presigned;
  const char *access_key, *day, *region, *service, *signed_headers, *signature;
} sim_signature;
int mb_sim_read_signature(mb_arena *arena, const mb_http_request *request, sim_signature *out,
                          mb_error *error);
/* 1 when the signature is right, 0 when it is not, -1 with an error. */
int mb_sim_check_signature(mb_arena *arena, const mb_http_request *request,
                           const sim_signature *signature, const char *secret, mb_error *error);

/* ---- state.c ---- */
/* Reads the file of options.state into `*saved`; NULL when there is none. */
int mb_sim_load_state(mb_sim *sim, mb_arena *arena, const mb_value **saved, mb_error *error);

/* ---- bytes.c ---- */
/* Makes bytes inside a world what a file can hold, in place. -1 when memory has run out. */
int mb_sim_pack_bytes(mb_arena *arena, const mb_value *world);
/* Takes that back. -1 when what should be base64 is not, or memory has run out. */
int mb_sim_unpack_bytes(mb_arena *arena, const mb_value *world);

#endif
