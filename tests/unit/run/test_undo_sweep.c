/* Memory that runs out anywhere in an undo: no leak, and never said to be undone when it is not.
 *
 * A run that fails is repeated with the 1st, 2nd, 3rd ... allocation refused that follows its
 * failure, and every later one granted. */
#include "unit/run/fence.h"

#include <stdlib.h>

static size_t allocations, refused_at, failed_at;
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

static const char book[] =
    BOOK("function r.plan() return { was = \"red\" } end\n"
         "function r.apply() step(\"Paint\", function() fence.paint_it{} end) end\n"
         "function r.verify() return { verdict = \"failed\", message = \"m\", next = { \"a\" },\n"
         "evidence = { \"one\" } } end\n"
         "function r.undo(run, args, plan)\n"
         "step(\"Back\", function() fence.paint_it{} end)\n"
         "return { message = plan.was, evidence = { \"two\" } } end\n");

typedef struct ending_told {
  char verdict[32], undo[32];
} ending_told;

static void listen(const mb_event *event, void *payload) {
  ending_told *told = payload;
  const char *phase = mb_value_string(mb_map_get(event->data, "phase"));
  if (event->type == MB_EVENT_PHASE_FINISHED && strcmp(phase, "verify") == 0) {
    failed_at = allocations;
  } else if (event->type == MB_EVENT_RUN_FINISHED) {
    snprintf(told->verdict, sizeof told->verdict, "%s",
             mb_value_string(mb_map_get(event->data, "verdict")));
    snprintf(told->undo, sizeof told->undo, "%s", mb_value_string(mb_map_get(event->data, "undo")));
  }
}

static mb_verdict run_once(ending_told *told) {
  fake_machine fake;
  mb_host *host = NULL;
  mb_run *run = NULL;
  mb_error error;
  mb_verdict verdict = MB_VERDICT_NONE;
  memset(told, 0, sizeof *told);
  allocations = 0;
  writes_made = 0;
  fake_init(&fake);
  fake_setenv(&fake, "AWS_REGION", "eu-west-1");
  fake_write_file(&fake, "/books/paint/fence/v1/manifest.lua", MANIFEST_WRITES);
  fake_write_file(&fake, "/books/paint/fence/v1/runbook.lua", book);
  mb_host_options host_options = MB_HOST_OPTIONS_INIT;
  host_options.system = &fake.system;
  host_options.settings = "";
  host_options.runbook_path = "/books";
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.runbook = "paint/fence";
  options.assume_yes = options.undo = true;
  options.on_event = listen;
  options.event_payload = told;
  if (mb_host_new(&host, &host_options, &error) == 0 &&
      mb_host_add_primitive(host, &look, NULL, &error) == 0 &&
      mb_host_add_primitive(host, &paint, NULL, &error) == 0 &&
      mb_host_add_primitive(host, &fail_to_paint, NULL, &error) == 0 &&
      mb_run_new(&run, host, &options, &error) == 0) {
    verdict = mb_run_execute(run);
  }
  mb_run_free(run);
  mb_host_free(host);
  fake_dispose(&fake);
  return verdict;
}

static void memory_that_runs_out_makes_an_undo_incomplete(void **state) {
  mb_allocator counting = {NULL, allocate};
  ending_told told;
  mb_set_allocator(&counting);
  refused_at = 0;
  assert_int_equal(run_once(&told), MB_VERDICT_FAILED_UNDONE);
  assert_int_equal(held, 0);
  size_t total = allocations;
  size_t incomplete = 0;
  for (size_t at = failed_at + 1; at <= total; at++) {
    refused_at = at;
    mb_verdict verdict = run_once(&told);
    if (held != 0) {
      fail_msg("allocation %zu: %ld blocks leaked", at, held);
    }
    if (verdict == MB_VERDICT_FAILED_UNDONE) {
      assert_int_equal(writes_made, 2);
    } else {
      assert_int_equal(verdict, MB_VERDICT_UNDO_INCOMPLETE);
      incomplete++;
    }
    assert_string_equal(told.verdict, mb_verdict_name(verdict));
    assert_string_equal(told.undo, verdict == MB_VERDICT_FAILED_UNDONE ? "done" : "incomplete");
  }
  mb_set_allocator(NULL);
  print_message("%zu allocations, %zu undos ended by one that was refused\n", total - failed_at,
                incomplete);
  assert_true(incomplete > 20);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory_that_runs_out_makes_an_undo_incomplete),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
