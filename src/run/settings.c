/* Reading moonbook.lua and expanding the names of an environment. */
#include "run/settings.h"

#include "base/buffer.h"
#include "base/text.h"
#include "run/fields.h"
#include "script/script.h"

#include <stdio.h>
#include <string.h>

#define SETTINGS_LIMIT (64 * 1024)

typedef struct name_rule {
  const char *name;
  const char *pattern; /* what it is when nobody says otherwise; NULL: absent */
} name_rule;

/* In an order in which each pattern only needs what stands before it. */
static const name_rule name_rules[] = {
    {"cluster", "{app}-{env}"},
    {"service", "{app}-{env}"},
    {"repository", "{app}-{env}"},
    {"log_group", "/ecs/{app}-{env}"},
    {"dashboard", "{app}-ecs-{env}"},
    {"parameter_prefix", "/{app}/{env}"},
    {"alb_dns_parameter", "{parameter_prefix}/alb-dns-name"},
    {"repository_uri_parameter", "{parameter_prefix}/ecr-repository-uri"},
    {"health_url", NULL},
    {"health_path", NULL},
};
#define NAME_RULE_COUNT (sizeof name_rules / sizeof name_rules[0])

#define NAMES                                                                                      \
  "cluster", "service", "repository", "log_group", "dashboard", "parameter_prefix",                \
      "alb_dns_parameter", "repository_uri_parameter", "health_url", "health_path"

static const char *const project_fields[] = {"app", "names", "environments", NULL};
static const char *const name_fields[] = {NAMES, NULL};
static const char *const environment_fields[] = {"region",    "profile", "endpoint_url",
                                                 "protected", NAMES,     NULL};
static const char *const setting_names[] = {NAMES, "region", "app", "environment", NULL};

const char *const *mb_setting_names(void) {
  return setting_names;
}

bool mb_setting_known(const char *name) {
  for (size_t i = 0; setting_names[i] != NULL; i++) {
    if (strcmp(setting_names[i], name) == 0) {
      return true;
    }
  }
  return false;
}

const mb_value *mb_setting_value(const mb_value *environment, const char *name) {
  const mb_value *value = mb_map_get(mb_map_get(environment, "names"), name);
  return value != NULL ? value : mb_map_get(environment, name);
}

/* ---- checking ----------------------------------------------------------------------------------
 */

static int check_names(const mb_value *map, const char *file, const char *path, mb_error *error) {
  for (size_t i = 0; i < NAME_RULE_COUNT; i++) {
    const char *text = NULL;
    if (mb_field_text(map, file, path, name_rules[i].name, &text, error) != 0) {
      return -1;
    }
    if (text != NULL && *text == 0) {
      return mb_field_fail(error, file, path, name_rules[i].name, "is empty");
    }
  }
  return 0;
}

static int check_environment(const char *file, const char *name, const mb_value *map,
                             mb_error *error) {
  char path[128];
  snprintf(path, sizeof path, "environments.%s", name);
  if (!mb_value_is_map(map)) {
    return mb_field_fail(error, file, path, "", "expected a table, got %s", mb_type_phrase(map));
  }
  snprintf(path, sizeof path, "environments.%s.", name);
  const char *text = NULL;
  bool flag = false;
  if (mb_fields_known(map, file, path, environment_fields, error) != 0 ||
      mb_field_text(map, file, path, "region", &text, error) != 0 ||
      mb_field_text(map, file, path, "profile", &text, error) != 0 ||
      mb_field_text(map, file, path, "endpoint_url", &text, error) != 0 ||
      mb_field_boolean(map, file, path, "protected", &flag, error) != 0) {
    return -1;
  }
  return check_names(map, file, path, error);
}

static int check_project(const char *file, const mb_value *data, mb_error *error) {
  const char *app = NULL;
  if (!mb_value_is_map(data)) {
    return mb_error_set(error, MB_ERROR_USAGE, "BadField", "%s: expected it to return a table",
                        file);
  }
  if (mb_fields_known(data, file, "", project_fields, error) != 0 ||
      mb_field_text(data, file, "", "app", &app, error) != 0) {
    return -1;
  }
  const mb_value *names = mb_map_get(data, "names");
  if (names != NULL) {
    if (!mb_value_is_map(names)) {
      return mb_field_fail(error, file, "", "names", "expected a table, got %s",
                           mb_type_phrase(names));
    }
    if (mb_fields_known(names, file, "names.", name_fields, error) != 0 ||
        check_names(names, file, "names.", error) != 0) {
      return -1;
    }
  }
  const mb_value *environments = mb_map_get(data, "environments");
  if (environments != NULL && !mb_value_is_map(environments)) {
    return mb_field_fail(error, file, "", "environments", "expected a table of names, got %s",
                         mb_type_phrase(environments));
  }
  for (size_t i = 0; i < mb_value_count(environments); i++) {
    if (check_environment(file, mb_map_key_at(environments, i), mb_map_value_at(environments, i),
                          error) != 0) {
      return -1;
    }
  }
  return 0;
}

int mb_project_read(mb_project *out, mb_arena *arena, const mb_system *system, const char *path,
                    mb_error *error) {
  char *text = NULL;
  size_t size = 0;
  mb_value *data = NULL;
  mb_error problem;
  *out = (mb_project){NULL, NULL};
  if (path != NULL && *path == 0) {
    return 0;
  }
  const char *file = path == NULL ? "moonbook.lua" : mb_arena_strdup(arena, path);
  if (file == NULL) {
    return mb_error_memory(error);
  }
  mb_error_clear(&problem);
  if (mb_read_file(system, arena, file, SETTINGS_LIMIT, &text, &size, &problem) != 0) {
    if (path == NULL && problem.kind == MB_ERROR_NOT_FOUND) {
      return 0;
    }
    if (error != NULL) {
      *error = problem;
    }
    return *problem.next ? -1
                         : mb_error_next(error, "--settings names the file; without it "
                                                "./moonbook.lua is read if it is there");
  }
  if (mb_script_read_data(arena, file, text, size, &data, error) != 0 ||
      check_project(file, data, error) != 0) {
    return -1;
  }
  *out = (mb_project){file, data};
  return 0;
}

/* ---- one environment ---------------------------------------------------------------------------
 */

typedef struct expansion {
  const char *app; /* or NULL */
  const char *env;
  const mb_value *names; /* those expanded so far */
} expansion;

static const char *look_up_name(void *payload, const char *name) {
  const expansion *known = payload;
  if (strcmp(name, "app") == 0) {
    return known->app;
  }
  if (strcmp(name, "env") == 0) {
    return known->env;
  }
  const mb_value *value = mb_map_get(known->names, name);
  return mb_value_type(value) == MB_TYPE_STRING ? mb_value_string(value) : NULL;
}

/* Puts one name into `names`: from the environment, else the project's `names`, else the pattern. A
 * pattern of ours that needs an `app` nobody gave is left out; one of the user's is an error. */
static int expand_name(const mb_project *project, mb_arena *arena, const name_rule *rule,
                       const mb_value *map, mb_value *names, expansion *known, mb_error *error) {
  const mb_value *given = mb_map_get(map, rule->name);
  if (given == NULL) {
    given = mb_map_get(mb_map_get(project->data, "names"), rule->name);
  }
  const char *pattern = given != NULL ? mb_value_string(given) : rule->pattern;
  if (pattern == NULL) {
    return 0;
  }
  const char *unknown = NULL;
  const char *text = mb_expand(arena, pattern, look_up_name, known, &unknown);
  if (text == NULL && unknown == NULL) {
    return mb_error_memory(error);
  }
  if (text == NULL) {
    return given == NULL
               ? 0
               : mb_field_fail(error, project->file, "", rule->name,
                               "\"%s\": nothing is known as {%s}; {app}, {env} and names that "
                               "stand before it can be used",
                               pattern, unknown);
  }
  mb_value *value = mb_map_put(arena, names, rule->name);
  if (value == NULL || mb_value_set_string(arena, value, text) != 0) {
    return mb_error_memory(error);
  }
  return 0;
}

static int copy_field(mb_arena *arena, mb_value *out, const mb_value *map, const char *name) {
  const mb_value *value = mb_map_get(map, name);
  if (value == NULL) {
    return 0;
  }
  mb_value *copy = mb_map_put(arena, out, name);
  return copy == NULL ? -1 : mb_value_copy(arena, copy, value);
}

/* Production asks for its name to be typed unless the file says otherwise. */
static bool is_protected(const char *name, const mb_value *map) {
  const mb_value *flag = mb_map_get(map, "protected");
  if (flag != NULL) {
    return mb_value_boolean(flag);
  }
  return strcmp(name, "prod") == 0 || strcmp(name, "production") == 0;
}

/* Names those there are, as far as they fit. */
static int tell_environments(const mb_value *environments, mb_error *error) {
  mb_buffer names = MB_BUFFER_INIT(400);
  size_t count = mb_value_count(environments);
  for (size_t i = 0; i < count; i++) {
    mb_buffer_addf(&names, "%s%s", i == 0 ? "" : ", ", mb_map_key_at(environments, i));
  }
  if (count > 0) {
    mb_error_next(error, "It has %s.", names.failed ? "too many to name" : mb_buffer_text(&names));
  } else {
    mb_error_next(error, "Add it to `environments` in that file.");
  }
  mb_buffer_dispose(&names);
  return -1;
}

static int unknown_environment(const mb_project *project, const char *name, mb_error *error) {
  if (project->data == NULL) {
    mb_error_set(error, MB_ERROR_USAGE, "UnknownEnvironment",
                 "no environment \"%s\": there is no moonbook.lua here", name);
    return mb_error_next(error,
                         "Write a moonbook.lua with app = \"...\" and environments = { %s = {} }, "
                         "or give the names as arguments.",
                         name);
  }
  const mb_value *environments = mb_map_get(project->data, "environments");
  const char *best = NULL;
  size_t distance = SIZE_MAX;
  for (size_t i = 0; i < mb_value_count(environments); i++) {
    mb_text_nearer(name, mb_map_key_at(environments, i), &best, &distance);
  }
  mb_error_set(error, MB_ERROR_USAGE, "UnknownEnvironment", "%s has no environment \"%s\"",
               project->file, name);
  return best == NULL ? tell_environments(environments, error)
                      : mb_error_next(error, "Did you mean \"%s\"?", best);
}

int mb_project_environment(const mb_project *project, mb_arena *arena, const char *name,
                           mb_value **out, mb_error *error) {
  const mb_value *map = mb_map_get(mb_map_get(project->data, "environments"), name);
  if (map == NULL) {
    return unknown_environment(project, name, error);
  }
  mb_value *result = mb_value_new_map(arena);
  mb_value *names = mb_value_new_map(arena);
  if (result == NULL || names == NULL) {
    return mb_error_memory(error);
  }
  const mb_value *app = mb_map_get(project->data, "app");
  expansion known = {app == NULL ? NULL : mb_value_string(app), name, names};
  for (size_t i = 0; i < NAME_RULE_COUNT; i++) {
    if (expand_name(project, arena, &name_rules[i], map, names, &known, error) != 0) {
      return -1;
    }
  }
  mb_value *value = mb_map_put(arena, result, "environment");
  if (value == NULL || mb_value_set_string(arena, value, name) != 0 ||
      copy_field(arena, result, project->data, "app") != 0 ||
      copy_field(arena, result, map, "region") != 0 ||
      copy_field(arena, result, map, "profile") != 0 ||
      copy_field(arena, result, map, "endpoint_url") != 0) {
    return mb_error_memory(error);
  }
  value = mb_map_put(arena, result, "protected");
  if (value == NULL) {
    return mb_error_memory(error);
  }
  mb_value_set_boolean(value, is_protected(name, map));
  value = mb_map_put(arena, result, "names");
  if (value == NULL || mb_value_copy(arena, value, names) != 0) {
    return mb_error_memory(error);
  }
  *out = result;
  return 0;
}
