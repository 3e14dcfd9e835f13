/* Whole rehearsals: a stock runbook rolls a service of ten tasks over, again and again in one
 * process. MOONBOOK_REHEARSALS says how often (else 20). */
#include "unit/sim/rehearsal.h"
#include <stdlib.h>

static const char scenario[] =
    "service { app = 'shop', env = 'dev', desired = 10, image = 'shop:v1', "
    "load_balancer = true }\n";

typedef struct counting {
  size_t live;
} counting;

static void *count_blocks(void *payload, void *pointer, size_t size) {
  counting *count = payload;
  if (size == 0) {
    count->live -= pointer != NULL;
    free(pointer);
    return NULL;
  }
  void *made = realloc(pointer, size);
  count->live += made && !pointer;
  return made;
}

typedef struct story {
  char *text; /* every event, as JSON */
  size_t size, room;
  int64_t first_ns, last_ns;
} story;

static void tell(const mb_event *event, void *payload) {
  story *s = payload;
  mb_arena *arena = mb_arena_new(0);
  const char *line = mb_value_to_json(arena, event->data, 0, true);
  size_t size = strlen(line);
  if (s->size + size + 2 > s->room) {
    s->room = (s->size + size + 2) * 2;
    s->text = realloc(s->text, s->room);
    assert_non_null(s->text);
  }
  memcpy(s->text + s->size, line, size);
  s->size += size;
  s->text[s->size++] = '\n';
  s->text[s->size] = '\0';
  s->first_ns = s->first_ns ? s->first_ns : event->wall_ns;
  s->last_ns = event->wall_ns;
  mb_arena_free(arena);
}

static mb_verdict rehearse(story *s) {
  rehearsal r;
  mb_run *run = NULL;
  mb_value *args = NULL;
  const char *json = "{\"cluster\":\"shop-dev\",\"service\":\"shop-dev\"}";
  rehearsal_begin_with(&r, scenario);
  assert_int_equal(mb_value_from_json(r.arena, &args, json, strlen(json), &r.error), 0);
  mb_run_options options = MB_RUN_OPTIONS_INIT;
  options.runbook = "deploy/restart";
  options.args = args;
  options.assume_yes = true;
  options.on_event = s ? tell : NULL;
  options.event_payload = s;
  if (mb_run_new(&run, r.host, &options, &r.error) != 0) {
    fail_msg("%s", r.error.message);
  }
  mb_verdict verdict = mb_run_execute(run);
  mb_run_free(run);
  rehearsal_end(&r);
  return verdict;
}

static void a_rollout_is_followed_to_its_end_in_virtual_time(void **state) {
  (void)state;
  story s = {0};
  assert_int_equal(rehearse(&s), MB_VERDICT_DONE);
  assert_non_null(strstr(s.text, "10 of 10"));
  double seconds = (double)(s.last_ns - s.first_ns) / 1e9;
  assert_true(seconds > 60 && seconds < 1800);
  free(s.text);
}

static void the_same_rehearsal_tells_the_same_story(void **state) {
  (void)state;
  story first = {0}, again = {0};
  rehearse(&first);
  rehearse(&again);
  assert_string_equal(first.text, again.text);
  free(first.text);
  free(again.text);
}

static void rehearsals_leave_nothing_behind(void **state) {
  (void)state;
  const char *wanted = getenv("MOONBOOK_REHEARSALS");
  long count = wanted ? strtol(wanted, NULL, 10) : 20;
  counting blocks = {0};
  const mb_allocator allocator = {&blocks, count_blocks};
  rehearse(NULL); /* what is kept for ever is made by the first */
  mb_set_allocator(&allocator);
  for (long i = 0; i < count; i++) {
    if (rehearse(NULL) != MB_VERDICT_DONE || blocks.live != 0) {
      fail_msg("rehearsal %ld left %zu blocks", i, blocks.live);
    }
  }
  mb_set_allocator(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_rollout_is_followed_to_its_end_in_virtual_time),
      cmocka_unit_test(the_same_rehearsal_tells_the_same_story),
      cmocka_unit_test(rehearsals_leave_nothing_behind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
