/* The door to the world: a library state whose modules are the embedded files of lua/sim. */
#include "base/embedded.h"
#include "sim/internal.h"
#include <string.h>

#define HOST_MODULE    "sim.host"
#define CONSOLE_MODULE "sim.console"

/* "sim.facts.durations" is the embedded file lua/sim/facts/durations.lua. Names are checked by
 * require() itself. */
static int find_module(void *payload, const char *name, mb_arena *arena, const char **source,
                       size_t *size, const char **chunk_name, mb_error *error) {
  (void)payload;
  char *path = mb_arena_printf(arena, "lua/%s.lua", name);
  if (!path)
    return mb_error_memory(error);
  for (char *at = path + strlen("lua/"), *end = path + strlen(path) - strlen(".lua"); at < end;
       at++)
    *at = *at == '.' ? '/' : *at;
  const mb_embedded_file *file = mb_embedded_find(path);
  if (!file)
    return mb_error_set(error, MB_ERROR_NOT_FOUND, "NoModule", "there is no module '%s'", name);
  *source = file->data;
  *size = file->size;
  *chunk_name = path;
  return 0;
}

int mb_sim_ask(mb_sim *sim, mb_arena *arena, const char *name, const mb_value *const *args,
               size_t arg_count, const mb_value **result, mb_error *error) {
  return mb_library_call(sim->library, HOST_MODULE, name, args, arg_count, arena, result, error);
}

/* ---- making ---- */

static int put_text(mb_arena *arena, mb_value *map, const char *key, const char *text) {
  mb_value *value = mb_map_put(arena, map, key);
  return value && mb_value_set_string(arena, value, text) == 0 ? 0 : -1;
}

static mb_value *world_options(const mb_sim *sim, mb_arena *arena) {
  mb_value *map = mb_value_new_map(arena);
  mb_value *seed = map ? mb_map_put(arena, map, "seed") : NULL;
  if (!seed)
    return NULL;
  mb_value_set_integer(seed, (int64_t)(sim->options.seed & INT64_MAX));
  mb_value *now = sim->options.start > 0 ? mb_map_put(arena, map, "now") : NULL;
  if (now)
    mb_value_set_number(now, sim->options.start);
  else if (sim->options.start > 0)
    return NULL;
  if (put_text(arena, map, "region", sim->options.region) ||
      put_text(arena, map, "account", sim->options.account))
    return NULL;
  return map;
}

static int create_world(mb_sim *sim, mb_arena *arena, const mb_value *saved, mb_error *error) {
  const mb_value *options = world_options(sim, arena);
  if (!options)
    return mb_error_memory(error);
  const mb_value *args[] = {options, saved};
  const mb_value *now;
  if (mb_sim_ask(sim, arena, "create", args, 2, NULL, error) ||
      mb_sim_ask(sim, arena, "now", NULL, 0, &now, error))
    return -1;
  mb_sim_clock_init(sim, mb_value_number(now));
  return 0;
}

static bool is_stock_name(const char *name) {
  for (; *name; name++)
    if (!((*name >= 'a' && *name <= 'z') || (*name >= '0' && *name <= '9') || *name == '_'))
      return false;
  return true;
}

/* ---- recorded worlds ---- */

/* A recorded world is JSON, and no Lua file can begin like it. */
static bool is_recorded(const char *text, size_t size) {
  size_t at = 0;
  while (at < size && strchr(" \t\r\n", text[at]) && text[at])
    at++;
  return at < size && text[at] == '{';
}

static int bad_world(const char *path, const char *problem, mb_error *error) {
  mb_error_set(error, MB_ERROR_USAGE, "BadWorld", "%s: %s", path, problem);
  return mb_error_next(error, "moonbook sim record writes such files; docs/simulator.md says what "
                              "they hold");
}

/* The world is where it was recorded: hosts in this process call that region. */
static int take_region(mb_sim *sim, const char *path, const char *region, mb_error *error) {
  if (sim->region_given && strcmp(sim->options.region, region) != 0) {
    mb_error_set(error, MB_ERROR_USAGE, "OtherRegion",
                 "%s was recorded in %s, and the region asked for is %s", path, region,
                 sim->options.region);
    return mb_error_next(error, "leave the region out, or name %s", region);
  }
  sim->options.region = mb_arena_strdup(sim->arena, region);
  return sim->options.region ? 0 : mb_error_memory(error);
}

static int load_recorded(mb_sim *sim, mb_arena *arena, const char *path, const char *text,
                         size_t size, mb_error *error) {
  mb_value *file, *name = mb_value_new_string(arena, path);
  const mb_value *made = NULL;
  mb_error problem;
  mb_error_clear(&problem);
  if (!name)
    return mb_error_memory(error);
  if (mb_value_from_json(arena, &file, text, size, &problem))
    return problem.kind == MB_ERROR_MEMORY ? mb_error_memory(error)
                                           : bad_world(path, problem.message, error);
  const mb_value *args[] = {file, name};
  if (mb_sim_ask(sim, arena, "recorded", args, 2, &made, error))
    return -1;
  const mb_value *found = mb_map_get(made, "problem");
  return found ? bad_world(path, mb_value_string(found), error)
               : take_region(sim, path, mb_value_string(mb_map_get(made, "region")), error);
}

/* ---- scenarios ---- */

static int run_scenario_file(mb_sim *sim, mb_arena *arena, const char *path, mb_error *error) {
  char *source;
  size_t size;
  if (mb_read_file(&sim->real, arena, path, MB_SIM_SCENARIO_MAX, &source, &size, error))
    return -1;
  if (is_recorded(source, size))
    return load_recorded(sim, arena, path, source, size, error);
  return mb_library_run(sim->library, path, source, size, CONSOLE_MODULE, error);
}

/* Tells which stock scenarios there are. */
static int no_scenario(mb_arena *arena, const char *name, mb_error *error) {
  static const char folder[] = "lua/sim/scenarios/";
  size_t count = 0;
  const mb_embedded_file *files = mb_embedded_below(folder, &count);
  const char *names = "";
  for (size_t i = 0; names && i < count; i++) {
    const char *start = files[i].path + strlen(folder);
    int size = (int)strcspn(start, ".");
    names = mb_arena_printf(arena, "%s%s%.*s", names, i ? ", " : "", size, start);
  }
  mb_error_set(error, MB_ERROR_NOT_FOUND, "NoScenario", "there is no scenario \"%s\"", name);
  return mb_error_next(error, "name one of %s, or the path of a Lua file or a recorded world",
                       names && *names ? names : "the stock scenarios");
}

static int run_scenario(mb_sim *sim, mb_arena *arena, const char *name, mb_error *error) {
  if (!is_stock_name(name))
    return run_scenario_file(sim, arena, name, error);
  char *path = mb_arena_printf(arena, "lua/sim/scenarios/%s.lua", name);
  mb_value *text = mb_value_new_string(arena, name);
  if (!path || !text)
    return mb_error_memory(error);
  if (!mb_embedded_find(path))
    return no_scenario(arena, name, error);
  const mb_value *args[] = {text};
  return mb_sim_ask(sim, arena, "scenario", args, 1, NULL, error);
}

/* A scenario may have moved the clock, by waiting for what it set up. */
static int follow_world(mb_sim *sim, mb_arena *arena, mb_error *error) {
  const mb_value *now;
  if (mb_sim_ask(sim, arena, "now", NULL, 0, &now, error))
    return -1;
  mb_sim_clock_init(sim, mb_value_number(now));
  return 0;
}

static int open_in(mb_sim *sim, mb_arena *arena, mb_error *error) {
  const mb_value *saved = NULL;
  if (sim->options.state && mb_sim_load_state(sim, arena, &saved, error))
    return -1;
  if (create_world(sim, arena, saved, error))
    return -1;
  if (saved || !sim->options.scenario)
    return 0;
  if (run_scenario(sim, arena, sim->options.scenario, error))
    return -1;
  return follow_world(sim, arena, error);
}

int mb_sim_open_world(mb_sim *sim, mb_error *error) {
  mb_library_options options = {
      .module = find_module, .payload = sim, .native_module = "sim.native"};
  sim->library = mb_library_new(&options, error);
  mb_arena *arena = sim->library ? mb_arena_new(0) : NULL;
  if (!arena)
    return sim->library ? mb_error_memory(error) : -1;
  int result = open_in(sim, arena, error);
  mb_arena_free(arena);
  return result;
}

/* ---- commands ---- */

int mb_sim_control(mb_sim *sim, mb_arena *arena, const char *command, const mb_value *args,
                   const mb_value **result, mb_error *error) {
  mb_value *name = mb_value_new_string(arena, command);
  if (!name)
    return mb_error_memory(error);
  if (mb_sim_catch_up(sim, error))
    return -1;
  const mb_value *both[] = {name, args};
  const mb_value *now;
  if (mb_sim_ask(sim, arena, "control", both, 2, result, error) ||
      mb_sim_ask(sim, arena, "now", NULL, 0, &now, error))
    return -1;
  /* The command may have moved the world's clock. */
  int64_t ns = (int64_t)(mb_value_number(now) * 1e9) - sim->epoch_ns;
  mb_sim_clock_move(sim, ns);
  if (sim->caught_up_ns < ns)
    sim->caught_up_ns = ns;
  return 0;
}
