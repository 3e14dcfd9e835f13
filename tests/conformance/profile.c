/* The profile file suite: {tests: [{name, input: {configFile?, credentialsFile?}, output}]}, where
 * the output is {profiles?, ssoSessions?} or {errorContaining}. */
#include "mbconf.h"

#include "aws/config/profile.h"
#include <stdio.h>
#include <string.h>

static const char *text_of(const mb_value *map, const char *name, size_t *size) {
  const mb_value *value = mb_map_get(map, name);
  *size = 0;
  return value ? mb_value_bytes(value, size) : NULL;
}

/* Whether the part named `wanted_name` of the expected output is the part `name` of the actual. */
static bool same_part(const mb_value *output, const char *wanted_name, const mb_value *actual,
                      const char *name) {
  const mb_value *wanted = mb_map_get(output, wanted_name);
  return !wanted || mb_value_equal(wanted, mb_map_get(actual, name));
}

static void run_case(mbconf_report *report, mb_arena *arena, const char *id, const mb_value *test) {
  mb_value actual = {0};
  mb_error error = {0};
  size_t config_size, credentials_size;
  const mb_value *input = mb_map_get(test, "input"), *output = mb_map_get(test, "output");
  const char *config = text_of(input, "configFile", &config_size);
  const char *credentials = text_of(input, "credentialsFile", &credentials_size);
  const mb_value *wanted_error = mb_map_get(output, "errorContaining");
  int status = mb_profiles_parse(arena, config, config_size, "config", credentials,
                                 credentials_size, "credentials", &actual, &error);
  bool ok;
  if (wanted_error)
    ok = status && strstr(error.message, mb_value_string(wanted_error));
  else
    ok = !status && mb_value_count(output) > 0 &&
         same_part(output, "profiles", &actual, "profiles") &&
         same_part(output, "ssoSessions", &actual, "sso-session");
  mbconf_case(report, id, ok, "expected %s\ngot %s", mb_value_to_json(arena, output, 0, true),
              status ? error.message : mb_value_to_json(arena, &actual, 0, true));
}

int mbconf_profile(int argc, char **argv) {
  mbconf_report report = {0};
  char id[512];
  for (int i = 0; i < argc; i++) {
    mb_arena *arena = mb_arena_new(0);
    const mb_value *file = arena ? mbconf_read_json(arena, argv[i]) : NULL;
    const mb_value *tests = mb_map_get(file, "tests");
    for (size_t j = 0; j < mb_value_count(tests); j++) {
      const mb_value *test = mb_list_at(tests, j);
      snprintf(id, sizeof id, "profile %zu %s", j, mb_value_string(mb_map_get(test, "name")));
      run_case(&report, arena, id, test);
    }
    if (mb_value_count(tests) == 0)
      mbconf_case(&report, argv[i], false, "the file cannot be read or holds no cases");
    mb_arena_free(arena);
  }
  return mbconf_finish(&report);
}
