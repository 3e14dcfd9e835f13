/* The control interface of the server: GET /_moonbook/ says what there is, POST /_moonbook/NAME
 * runs a command with a JSON object as its argument. */
#include "sim/control.h"
#include "base/json.h"
#include <string.h>

static const char prefix[] = "/_moonbook";

bool mb_sim_is_control(const mb_http_request *request) {
  return mb_text_starts(request->path, prefix);
}

static int write_json(mb_arena *arena, int status, const mb_value *value, sim_answer *out,
                      mb_error *error) {
  out->response = (mb_http_response){.status = status};
  char *text = mb_value_to_json(arena, value, 2, true);
  char *line = text ? mb_arena_printf(arena, "%s\n", text) : NULL;
  if (!line || mb_headers_add(arena, &out->response.headers, "Content-Type", "application/json"))
    return mb_error_memory(error);
  out->response.body = line;
  out->response.body_size = strlen(line);
  return 0;
}

static int put_text(mb_arena *arena, mb_value *map, const char *key, const char *text) {
  if (!*text)
    return 0;
  mb_value *value = mb_map_put(arena, map, key);
  return value && mb_value_set_string(arena, value, text) == 0 ? 0 : -1;
}

static int write_problem(mb_arena *arena, int status, const mb_error *problem, sim_answer *out,
                         mb_error *error) {
  mb_value *map = mb_value_new_map(arena);
  mb_value *about = map ? mb_map_put(arena, map, "error") : NULL;
  if (problem->kind == MB_ERROR_MEMORY || !about)
    return mb_error_memory(error);
  mb_value_set_map(about);
  if (put_text(arena, about, "code", problem->code) ||
      put_text(arena, about, "message", problem->message) ||
      put_text(arena, about, "next", problem->next) ||
      put_text(arena, about, "where", problem->where))
    return mb_error_memory(error);
  return write_json(arena, status, map, out, error);
}

static int refuse(mb_arena *arena, int status, const char *text, sim_answer *out, mb_error *error) {
  mb_error problem;
  mb_error_set(&problem, MB_ERROR_USAGE, "BadRequest", "%s", text);
  mb_error_next(&problem, "GET /_moonbook/ lists the commands; POST /_moonbook/NAME runs one with "
                          "a JSON object as its argument");
  return write_problem(arena, status, &problem, out, error);
}

static int show_help(mb_sim *sim, mb_arena *arena, sim_answer *out, mb_error *error) {
  mb_error problem;
  const mb_value *commands;
  mb_value *map = mb_value_new_map(arena);
  mb_error_clear(&problem);
  if (!map || put_text(arena, map, "help",
                       "POST /_moonbook/NAME with a JSON object as its argument runs a command"))
    return mb_error_memory(error);
  if (mb_sim_ask(sim, arena, "commands", NULL, 0, &commands, &problem))
    return write_problem(arena, 500, &problem, out, error);
  mb_value *now = mb_map_put(arena, map, "now");
  if (!now)
    return mb_error_memory(error);
  mb_value_set_number(now, mb_sim_now(sim));
  mb_value *list = mb_map_put(arena, map, "commands");
  if (!list || mb_value_copy(arena, list, commands))
    return mb_error_memory(error);
  return write_json(arena, 200, map, out, error);
}

static int run_command(mb_sim *sim, mb_arena *arena, const char *name,
                       const mb_http_request *request, sim_answer *out, mb_error *error) {
  mb_error problem;
  mb_value *args = mb_value_new_map(arena);
  const mb_value *result;
  mb_error_clear(&problem);
  if (!args)
    return mb_error_memory(error);
  if (request->body_size &&
      mb_value_from_json(arena, &args, request->body, request->body_size, &problem))
    return write_problem(arena, 400, &problem, out, error);
  if (mb_sim_control(sim, arena, name, args, &result, &problem))
    return write_problem(arena, 400, &problem, out, error);
  if (!result) {
    result = mb_value_new_map(arena);
    if (!result)
      return mb_error_memory(error);
  }
  return write_json(arena, 200, result, out, error);
}

int mb_sim_handle_control(mb_sim *sim, mb_arena *arena, const mb_http_request *request,
                          sim_answer *out, mb_error *error) {
  const char *name = request->path + strlen(prefix);
  *out = (sim_answer){.response = {.status = 500, .body = ""}};
  name += *name == '/';
  /* A page in a browser can send requests here, but not without saying so. */
  if (mb_headers_get(&request->headers, "Origin"))
    return refuse(arena, 403, "the control interface does not answer pages of a browser", out,
                  error);
  if (!*name && strcmp(request->method, "GET") == 0)
    return show_help(sim, arena, out, error);
  if (!*name || strchr(name, '/'))
    return refuse(arena, 404, "there is no such command", out, error);
  if (strcmp(request->method, "POST") != 0)
    return refuse(arena, 405, "a command is run with POST", out, error);
  return run_command(sim, arena, name, request, out, error);
}
