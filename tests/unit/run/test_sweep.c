/* Memory that runs out anywhere in a run: no crash, no leak, and never a success that is not one.
 *
 * A whole run (host, project settings, manifest, plan, a write, following it, checks) is repeated
 * with one allocation refused, the 1st, the 2nd, the 3rd ..., and every later one granted. */
#include "support/fake_transport.h"

#include <moonbook/moonbook.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t allocations, refused_at;
static long held; /* blocks */

static void *allocate(void *payload, void *pointer, size_t size) {
  if (size == 0) {
    held -= pointer != NULL;
    free(pointer);
    return NULL;
  }
  if (++allocations == refused_at) {
    return NULL;
  }
  void *result = realloc(pointer, size);
  held += pointer == NULL && result != NULL;
  return result;
}

#define SERVICE(deployments)                                                                       \
  "{\"services\":[{\"serviceName\":\"web\",\"status\":\"ACTIVE\",\"desiredCount\":1,"              \
  "\"runningCount\":1,\"deployments\":[" deployments "]}]}"
#define OLD                                                                                        \
  "{\"id\":\"ecs-svc/1\",\"status\":\"PRIMARY\",\"rolloutState\":\"COMPLETED\","                   \
  "\"desiredCount\":1,\"runningCount\":1,\"createdAt\":1795440000}"
#define OURS(state, running)                                                                       \
  "{\"id\":\"ecs-svc/2\",\"status\":\"PRIMARY\",\"rolloutState\":\"" state "\","                   \
  "\"desiredCount\":1,\"runningCount\":" running ",\"createdAt\":1795442401}"

static const char updated[] = "{\"service\":{\"serviceName\":\"web\",\"deployments\":["
                              "{\"id\":\"ecs-svc/2\",\"status\":\"PRIMARY\",\"rolloutState\":"
                              "\"IN_PROGRESS\",\"createdAt\":1795442401}]}}";

/* Service deployments may not be read here, so the service's own list is followed. */
static const fake_step steps[] = {
    {.operation = "DescribeServices", .status = 200, .body = SERVICE(OLD)},
    {.operation = "DescribeServices", .status = 200, .body = SERVICE(OLD)},
    {.operation = "UpdateService", .status = 200, .body = updated},
    {.operation = "DescribeServices", .status = 200, .body = SERVICE(OURS("IN_PROGRESS", "0"))},
    {.operation = "ListServiceDeployments",
     .status = 400,
     .body = "{\"__type\":\"AccessDeniedException\",\"message\":\"no\"}"},
    {.operation = "DescribeServices",
     .status = 200,
     .body = SERVICE(OURS("COMPLETED", "1")),
     .forever = true},
};

typedef struct told_run {
  bool finished;
  bool finished_well;
} told_run;

static void listen(const mb_event *event, void *payload) {
  told_run *told = payload;
  if (event->type == MB_EVENT_RUN_FINISHED) {
    told->finished = true;
    told->finished_well = mb_value_integer(mb_map_get(event->data, "exit_code")) == 0;
  }
}

static mb_verdict run_once(mb_error *error, told_run *told) {
  fake_machine fake;
  mb_host *host = NULL;
  mb_run *run = NULL;
  mb_verdict verdict = MB_VERDICT_NONE;
  memset(told, 0, sizeof *told);
  mb_error_clear(error);
  fake_init(&fake);
  fake.random_counts = true;
  fake_setenv(&fake, "AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
  fake_setenv(&fake, "AWS_SECRET_ACCESS_KEY", "example");
  fake_write_file(&fake, "/moonbook.lua",
                  "return { app = \"a\", environments = { dev = { region = \"eu-west-1\","
                  " service = \"web\" } } }");
  fake_play(&fake, steps, sizeof steps / sizeof steps[0]);
  mb_host_options host_options = MB_HOST_OPTIONS_INIT;
  host_options.system = &fake.system;
  host_options.settings = "/moonbook.lua";
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.runbook = "deploy/restart";
  options.environment = "dev";
  options.assume_yes = true;
  options.on_event = listen;
  options.event_payload = told;
  if (mb_host_new(&host, &host_options, error) == 0 &&
      mb_run_new(&run, host, &options, error) == 0) {
    verdict = mb_run_execute(run);
    *error = *mb_run_error(run);
    assert_true(strlen(mb_run_message(run)) > 0);
  }
  mb_run_free(run);
  mb_host_free(host);
  fake_dispose(&fake);
  return verdict;
}

/* Each of the first allocations is refused, when everything is made and read, and then one of
 * eleven: most of what follows is Lua's own, and a run takes a while. */
enum { EACH_BELOW = 1500, STRIDE = 11 };

/* What a refused allocation may lead to. A client may well carry on after one (a retry), so success
 * is allowed if the run told it. */
static void judge(size_t at, mb_verdict verdict, const mb_error *error, const told_run *told) {
  if (held != 0) {
    fail_msg("allocation %zu: %ld blocks leaked (%s)", at, held, error->message);
  }
  if (verdict == MB_VERDICT_DONE) {
    assert_true(told->finished_well);
    return;
  }
  assert_false(told->finished_well);
  if (error->kind == MB_OK || error->message[0] == 0) {
    fail_msg("allocation %zu: ended as %s without an error", at, mb_verdict_name(verdict));
  }
}

static void memory_that_runs_out_is_an_error_and_no_leak(void **state) {
  mb_allocator counting = {NULL, allocate};
  mb_error error;
  told_run told;
  mb_set_allocator(&counting);
  refused_at = 0;
  assert_int_equal(run_once(&error, &told), MB_VERDICT_DONE);
  assert_int_equal(held, 0);
  size_t total = allocations;
  size_t failed_runs = 0;
  for (size_t at = 1; at <= total; at += at < EACH_BELOW ? 1 : STRIDE) {
    allocations = 0;
    refused_at = at;
    mb_verdict verdict = run_once(&error, &told);
    judge(at, verdict, &error, &told);
    failed_runs += verdict != MB_VERDICT_DONE;
  }
  mb_set_allocator(NULL);
  print_message("%zu allocations, %zu runs ended by one that was refused\n", total, failed_runs);
  assert_true(failed_runs > 50);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory_that_runs_out_is_an_error_and_no_leak),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
