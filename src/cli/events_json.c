/* A run as one JSON object per line. The first line carries the version of this form. */
#include "cli.h"

enum { NDJSON_VERSION = 1 };

void cli_show_event_json(const mb_event *event, void *payload) {
  (void)payload;
  mb_arena *arena = mb_arena_new(0);
  mb_value *line = arena ? mb_value_new_map(arena) : NULL;
  mb_value *place;
  bool ok = line != NULL;
  if (ok && event->type == MB_EVENT_RUN_STARTED) {
    ok = (place = mb_map_put(arena, line, "format")) != NULL;
    if (ok) {
      mb_value_set_integer(place, NDJSON_VERSION);
    }
  }
  ok = ok && (place = mb_map_put(arena, line, "type")) != NULL &&
       mb_value_set_string(arena, place, mb_event_type_name(event->type)) == 0;
  ok = ok && (place = mb_map_put(arena, line, "sequence")) != NULL;
  if (ok) {
    mb_value_set_integer(place, (int64_t)event->sequence);
    ok = (place = mb_map_put(arena, line, "time")) != NULL;
  }
  if (ok) {
    mb_value_set_number(place, (double)event->wall_ns / 1e9);
    ok = (place = mb_map_put(arena, line, "data")) != NULL &&
         (event->data == NULL || mb_value_copy(arena, place, event->data) == 0);
  }
  if (ok) {
    cli_print_json(line, false, 0);
    fflush(stdout);
  } else {
    mb_error error;
    mb_error_memory(&error);
    cli_report_error(&error);
  }
  mb_arena_free(arena);
}
