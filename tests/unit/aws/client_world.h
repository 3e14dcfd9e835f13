/* What the tests of the client share: a client on a fake machine, and calls that are run to their
 * end. Everything is static because each test is a program of its own. */
#ifndef TESTS_CLIENT_WORLD_H
#define TESTS_CLIENT_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/client_internal.h"
#include "support/fake_transport.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS     INT64_C(1000000)
#define SECOND (1000 * MS)

typedef struct world {
  fake_machine fake;
  mb_loop *loop;
  mb_aws *aws;
  mb_arena *arena;
  int ends; /* how often the callback came */
  mb_aws_result result;
} world;

static inline void world_open_with(world *w, const mb_settings_options *options) {
  mb_error error;
  w->loop = mb_loop_new(&w->fake.system, &error);
  assert_non_null(w->loop);
  w->aws = mb_aws_new(w->loop, options, &error);
  assert_non_null(w->aws);
  w->arena = mb_arena_new(0);
  assert_non_null(w->arena);
}

/* A client with keys and a region in the environment. */
static inline void world_init(world *w) {
  memset(w, 0, sizeof *w);
  fake_init(&w->fake);
  fake_setenv(&w->fake, "AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
  fake_setenv(&w->fake, "AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  fake_setenv(&w->fake, "AWS_REGION", "eu-west-1");
  world_open_with(w, NULL);
}

static inline void world_close(world *w) {
  mb_aws_free(w->aws);
  mb_loop_free(w->loop);
  mb_arena_free(w->arena);
  fake_dispose(&w->fake);
}

static inline void world_on_end(const mb_aws_result *result, void *payload) {
  world *w = payload;
  w->ends++;
  w->result = *result;
}

static inline mb_aws_request world_request(world *w, const char *service, const char *operation,
                                           const char *input) {
  mb_aws_request request = {.model = mb_model_find(service)};
  mb_error error;
  mb_value *value = NULL;
  assert_non_null(request.model);
  request.operation = mb_model_operation(request.model, operation);
  assert_non_null(request.operation);
  if (input && mb_value_from_json(w->arena, &value, input, strlen(input), &error) != 0)
    fail_msg("%s", error.message);
  request.input = value;
  return request;
}

/* Runs the loop until the callback has come. */
static inline const mb_aws_result *world_run(world *w) {
  while (w->ends == 0 && mb_loop_turn(w->loop, INT64_MAX)) {
  }
  assert_int_equal(w->ends, 1);
  w->ends = 0;
  return &w->result;
}

static inline const mb_aws_result *world_call(world *w, const char *service, const char *operation,
                                              const char *input) {
  mb_aws_request request = world_request(w, service, operation, input);
  mb_aws_start(w->aws, w->arena, &request, world_on_end, w);
  return world_run(w);
}

static inline const mb_aws_result *world_describe(world *w) {
  return world_call(w, "ecs", "describe_clusters", "{\"clusters\":[\"prod\"]}");
}

#define assert_contains(text, part)                                                                \
  do {                                                                                             \
    if (!strstr((text), (part)))                                                                   \
      fail_msg("'%s' does not hold '%s'", (text), (part));                                         \
  } while (0)

#endif
