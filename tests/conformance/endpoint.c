/* The endpoint rule suite: files named after their service, {testCases: [{documentation, params,
 * expect: {endpoint: {url, properties, headers}} | {error}}]}. The rules come from the service's
 * model, MODELDIR/SERVICE.model, or alone from MODELDIR/SERVICE.rules.json; the partitions from
 * MODELDIR/partitions.json. */
#include "mbconf.h"

#include "aws/endpoint/endpoint.h"
#include "aws/model/builder.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The ruleset's text; it may lie in `packed`, which the caller disposes of. */
static const char *find_rules(mb_arena *arena, const char *folder, const char *service,
                              mb_buffer *packed, size_t *size) {
  mb_error error;
  mb_service words;
  const char *path = mb_arena_printf(arena, "%s/%s.rules.json", folder, service);
  if (!path || access(path, R_OK) == 0)
    return path ? mbconf_read(arena, path, size) : NULL;
  path = mb_arena_printf(arena, "%s/%s.model", folder, service);
  const char *text = path ? mbconf_read(arena, path, size) : NULL;
  if (!text)
    return NULL;
  if (mb_model_from_text(packed, text, *size, &error)) {
    fprintf(stderr, "mbconf: %s: %s\n", path, error.message);
    return NULL;
  }
  const mb_model *model = mb_model_open(packed->data, packed->size);
  if (!model)
    return NULL;
  mb_model_service(model, &words);
  *size = strlen(words.endpoint_rules);
  return words.endpoint_rules;
}

static mb_ruleset *load(mb_arena *arena, const char *folder, const char *service) {
  mb_error error;
  size_t rules_size = 0, partitions_size = 0;
  mb_buffer packed = MB_BUFFER_INIT(64u * 1024 * 1024);
  mb_ruleset *ruleset = NULL;
  const char *path = mb_arena_printf(arena, "%s/partitions.json", folder);
  const char *partitions = path ? mbconf_read(arena, path, &partitions_size) : NULL;
  const char *rules = partitions ? find_rules(arena, folder, service, &packed, &rules_size) : NULL;
  if (rules) {
    ruleset = mb_ruleset_new(arena, rules, rules_size, partitions, partitions_size, &error);
    if (!ruleset)
      fprintf(stderr, "mbconf: %s: %s\n", service, error.message);
  }
  mb_buffer_dispose(&packed);
  return ruleset;
}

/* A missing map is an empty one. */
static bool same_map(const mb_value *wanted, const mb_value *actual) {
  return mb_value_count(wanted) == 0 ? mb_value_count(actual) == 0 : mb_value_equal(wanted, actual);
}

static void check_endpoint(mbconf_report *report, mb_arena *arena, const char *id,
                           const mb_value *wanted, const mb_endpoint *actual) {
  const char *url = mb_value_string(mb_map_get(wanted, "url"));
  bool ok = strcmp(url, actual->url) == 0 &&
            same_map(mb_map_get(wanted, "properties"), actual->properties) &&
            same_map(mb_map_get(wanted, "headers"), actual->headers);
  mbconf_case(report, id, ok, "expected %s\ngot %s\nproperties %s\nheaders %s",
              mb_value_to_json(arena, wanted, 0, true), actual->url,
              mb_value_to_json(arena, actual->properties, 0, true),
              mb_value_to_json(arena, actual->headers, 0, true));
}

static void run_case(mbconf_report *report, mb_arena *arena, const char *id,
                     const mb_ruleset *ruleset, const mb_value *test) {
  mb_error error = {0};
  mb_endpoint endpoint = {0};
  const mb_value *expect = mb_map_get(test, "expect");
  const mb_value *wanted = mb_map_get(expect, "endpoint");
  const mb_value *wanted_error = mb_map_get(expect, "error");
  int status = mb_ruleset_resolve(ruleset, arena, mb_map_get(test, "params"), &endpoint, &error);
  if (wanted && !status) {
    check_endpoint(report, arena, id, wanted, &endpoint);
    return;
  }
  bool ok = status && wanted_error && strcmp(error.message, mb_value_string(wanted_error)) == 0;
  mbconf_case(report, id, ok, "expected %s\ngot %s", mb_value_to_json(arena, expect, 0, true),
              status ? error.message : endpoint.url);
}

static void run_file(mbconf_report *report, mb_arena *arena, const char *folder, const char *path) {
  char id[512];
  char *service = mbconf_stem(arena, path);
  for (char *c = service; c && *c; c++)
    *c = *c == '-' ? '_' : *c;
  const mb_value *file = service ? mbconf_read_json(arena, path) : NULL;
  const mb_value *tests = mb_map_get(file, "testCases");
  const mb_ruleset *ruleset = tests ? load(arena, folder, service) : NULL;
  if (!ruleset || mb_value_count(tests) == 0) {
    mbconf_case(report, path, false, "the rules or the file cannot be read, or hold no cases");
    return;
  }
  for (size_t i = 0; i < mb_value_count(tests); i++) {
    const mb_value *test = mb_list_at(tests, i);
    snprintf(id, sizeof id, "endpoint %s %zu %s", service, i,
             mb_value_string(mb_map_get(test, "documentation")));
    for (char *c = id; *c; c++)
      if (*c == '\n' || *c == '#')
        *c = ' ';
    run_case(report, arena, id, ruleset, test);
  }
}

int mbconf_endpoint(int argc, char **argv) {
  mbconf_report report = {0};
  for (int i = 1; i < argc; i++) {
    mb_arena *arena = mb_arena_new(0);
    if (arena)
      run_file(&report, arena, argv[0], argv[i]);
    else
      mbconf_case(&report, argv[i], false, "out of memory");
    mb_arena_free(arena);
  }
  return mbconf_finish(&report);
}
