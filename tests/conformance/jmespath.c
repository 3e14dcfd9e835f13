/* The JMESPath compliance suite: files of [{given, cases: [{expression, result | error | bench}]}].
 */
#include "mbconf.h"

#include "aws/jmespath/jmespath.h"
#include <stdio.h>
#include <string.h>

/* Compiles and evaluates. 0, or -1 with the error set. */
static int search(mb_arena *arena, const char *expression, const mb_value *given, mb_value *out,
                  mb_error *error) {
  const mb_jmespath *compiled = mb_jmespath_compile(arena, expression, error);
  return compiled ? mb_jmespath_search(compiled, arena, given, out, error) : -1;
}

static void run_case(mbconf_report *report, mb_arena *arena, const char *id, const mb_value *given,
                     const mb_value *test) {
  mb_value out = {0};
  mb_error error = {0};
  const char *expression = mb_value_string(mb_map_get(test, "expression"));
  const mb_value *wanted = mb_map_get(test, "error"), *result = mb_map_get(test, "result");
  int status = search(arena, expression, given, &out, &error);
  if (wanted) {
    bool ok = status && strcmp(error.code, mb_value_string(wanted)) == 0;
    mbconf_case(report, id, ok, "%s\nexpected the error %s\ngot %s: %s", expression,
                mb_value_string(wanted), status ? error.code : "a result", error.message);
    return;
  }
  if (status) {
    mbconf_case(report, id, false, "%s\n%s: %s", expression, error.code, error.message);
    return;
  }
  bool ok = mb_map_get(test, "bench") || mb_value_equal(&out, result);
  mbconf_case(report, id, ok, "%s\nexpected %s\ngot %s", expression,
              mb_value_to_json(arena, result, 0, true), mb_value_to_json(arena, &out, 0, true));
}

/* Returns how many cases there were, or -1. */
static int run_file(mbconf_report *report, const char *path) {
  int count = -1;
  char id[512];
  mb_arena *arena = mb_arena_new(0);
  const mb_value *groups = arena ? mbconf_read_json(arena, path) : NULL;
  const char *stem = groups ? mbconf_stem(arena, path) : NULL;
  for (size_t i = 0; stem && i < mb_value_count(groups); i++) {
    const mb_value *group = mb_list_at(groups, i), *cases = mb_map_get(group, "cases");
    for (size_t j = 0; j < mb_value_count(cases); j++) {
      const mb_value *test = mb_list_at(cases, j);
      snprintf(id, sizeof id, "jmespath %s %zu.%zu %s", stem, i, j,
               mb_value_string(mb_map_get(test, "expression")));
      for (char *c = id; *c; c++)
        if (*c == '\n' || *c == '#')
          *c = ' ';
      run_case(report, arena, id, mb_map_get(group, "given"), test);
      count = (count < 0 ? 0 : count) + 1;
    }
  }
  mb_arena_free(arena);
  return count;
}

int mbconf_jmespath(int argc, char **argv) {
  mbconf_report report = {0};
  for (int i = 0; i < argc; i++)
    if (run_file(&report, argv[i]) < 0)
      mbconf_case(&report, argv[i], false, "the file cannot be read or holds no cases");
  return mbconf_finish(&report);
}
