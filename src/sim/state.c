/* The world in a file: JSON, written whole to a neighbour and then moved over the old one. */
#include "base/json.h"
#include "sim/internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STATE_FORMAT 1

int mb_sim_load_state(mb_sim *sim, mb_arena *arena, const mb_value **saved, mb_error *error) {
  char *text;
  size_t size;
  mb_error problem;
  mb_error_clear(&problem);
  *saved = NULL;
  if (mb_read_file(&sim->real, arena, sim->options.state, MB_SIM_STATE_MAX, &text, &size,
                   &problem)) {
    if (problem.kind == MB_ERROR_NOT_FOUND)
      return 0;
    if (error)
      *error = problem;
    return -1;
  }
  mb_value *file;
  if (mb_value_from_json(arena, &file, text, size, &problem)) {
    mb_error_set(error, MB_ERROR_USAGE, "BadState", "%s is not a state of the simulator: %.1000s",
                 sim->options.state, problem.message);
    return mb_error_next(error, "name another file with --state, or remove this one");
  }
  const mb_value *world = mb_map_get(file, "world");
  if (mb_value_integer(mb_map_get(file, "moonbook_sim")) != STATE_FORMAT ||
      mb_value_type(world) != MB_TYPE_MAP) {
    mb_error_set(error, MB_ERROR_USAGE, "BadState",
                 "%s is not a state that this version of the simulator reads", sim->options.state);
    return mb_error_next(error, "name another file with --state, or remove this one");
  }
  if (mb_sim_unpack_bytes(arena, world)) {
    mb_error_set(error, MB_ERROR_USAGE, "BadState", "%s holds bytes that cannot be read",
                 sim->options.state);
    return mb_error_next(error, "name another file with --state, or remove this one");
  }
  *saved = world;
  return 0;
}

static int write_all(int file, const char *data, size_t size) {
  while (size > 0) {
    ssize_t written = write(file, data, size);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return -1;
    data += written;
    size -= (size_t)written;
  }
  return 0;
}

/* 0, or -1 with errno. */
static int replace_file(const char *path, const char *temporary, const char *text, size_t size) {
  int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0)
    return -1;
  bool written = write_all(file, text, size) == 0 && fsync(file) == 0;
  int kept = errno;
  if (close(file) != 0 && written) {
    written = false;
    kept = errno;
  }
  if (written && rename(temporary, path) == 0)
    return 0;
  kept = written ? errno : kept;
  unlink(temporary);
  errno = kept;
  return -1;
}

static char *state_text(mb_arena *arena, const mb_value *world, size_t *size) {
  mb_buffer text = MB_BUFFER_INIT(MB_SIM_STATE_MAX);
  mb_buffer_addf(&text, "{\"moonbook_sim\": %d, \"world\": ", STATE_FORMAT);
  mb_json_write_value(&text, world, 1, true);
  mb_buffer_add_text(&text, "}\n");
  char *copy = text.failed ? NULL : mb_arena_strndup(arena, text.data, text.size);
  *size = text.size;
  mb_buffer_dispose(&text);
  return copy;
}

static int save_in(mb_sim *sim, mb_arena *arena, mb_error *error) {
  const mb_value *world;
  size_t size;
  if (mb_sim_ask(sim, arena, "save", NULL, 0, &world, error))
    return -1;
  if (mb_sim_pack_bytes(arena, world))
    return mb_error_memory(error);
  char *text = state_text(arena, world, &size);
  char *temporary = mb_arena_printf(arena, "%s.new", sim->options.state);
  if (!text || !temporary)
    return mb_error_memory(error);
  if (replace_file(sim->options.state, temporary, text, size) == 0)
    return 0;
  char room[128];
  return mb_error_set(error, MB_ERROR_IO, "CannotWrite", "the state was not saved to %s: %s",
                      sim->options.state, strerror_r(errno, room, sizeof room));
}

int mb_sim_save(mb_sim *sim, mb_error *error) {
  if (!sim->options.state)
    return 0;
  mb_arena *arena = mb_arena_new(0);
  if (!arena)
    return mb_error_memory(error);
  int result = mb_sim_catch_up(sim, error) ? -1 : save_in(sim, arena, error);
  mb_arena_free(arena);
  return result;
}
