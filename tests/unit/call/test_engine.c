/* The table of primitives: what can be added, how names are found, what help says. */
#include "base/text.h"
#include "call/call.h"
#include "call/declare.h"
#include "support/fake_transport.h"
#include "support/sweep.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef struct stage {
  fake_machine fake;
  mb_engine engine;
  mb_arena *arena;
} stage;

static int set_up(void **state) {
  static stage s;
  mb_error error;
  memset(&s, 0, sizeof s);
  fake_init(&s.fake);
  s.arena = mb_arena_new(0);
  *state = &s;
  return s.arena && mb_engine_init(&s.engine, &s.fake.system, NULL, 0, &error) == 0 ? 0 : -1;
}

static int tear_down(void **state) {
  stage *s = *state;
  mb_engine_dispose(&s->engine);
  mb_arena_free(s->arena);
  fake_dispose(&s->fake);
  return 0;
}

static void start_nothing(mb_call *call, void *payload) {
  mb_call_succeed(call, NULL);
}

static const mb_argument one_argument[] = {{"name", MB_ARGUMENT_STRING, true, "a name"},
                                           {NULL, MB_ARGUMENT_ANY, false, NULL}};

static const mb_primitive sound = {.name = "shop.list_orders",
                                   .summary = "Lists orders",
                                   .arguments = one_argument,
                                   .results = "orders",
                                   .effect = MB_EFFECT_READS,
                                   .recovery = MB_RECOVERY_READ,
                                   .since = "2.0",
                                   .start = start_nothing};

/* ---- adding ---- */

static void a_sound_declaration_is_added_and_found(void **state) {
  stage *s = *state;
  mb_error error;
  int payload = 0;
  assert_int_equal(mb_engine_add(&s->engine, &sound, &payload, &error), 0);
  const mb_binding *binding = mb_engine_find(&s->engine, "shop.list_orders", &error);
  assert_non_null(binding);
  assert_ptr_equal(binding->payload, &payload);
  assert_null(binding->model);
  assert_string_equal(mb_engine_namespace_summary(&s->engine, "shop"), "1 primitive");
}

static void refused(stage *s, const mb_primitive *primitive, const char *why) {
  mb_error error;
  mb_error_clear(&error);
  if (mb_engine_add(&s->engine, primitive, NULL, &error) == 0)
    fail_msg("added although: %s", why);
  assert_int_equal(error.kind, MB_ERROR_USAGE);
  assert_string_equal(error.code, "BadDeclaration");
  assert_non_null(strstr(error.message, why));
}

static void renamed(stage *s, const char *name, const char *why) {
  mb_primitive changed = sound;
  changed.name = name;
  refused(s, &changed, why);
}

static void bad_names_are_refused(void **state) {
  stage *s = *state;
  renamed(s, NULL, "namespace.verb_noun");
  renamed(s, "", "namespace.verb_noun");
  renamed(s, "orders", "namespace.verb_noun");
  renamed(s, "shop.", "namespace.verb_noun");
  renamed(s, ".list", "namespace.verb_noun");
  renamed(s, "shop.ListOrders", "namespace.verb_noun");
  renamed(s, "shop.list.orders", "namespace.verb_noun");
  renamed(s, "shop.list-orders", "namespace.verb_noun");
  renamed(s, "9shop.list", "namespace.verb_noun");
  renamed(s, "string.format", "Lua environment");
  renamed(s, "log.info", "Lua environment");
  renamed(s, "http.post", "belongs to moonbook");
  renamed(s, "http.get", "belongs to moonbook");
  renamed(s, "ecs.follow", "belongs to moonbook");
  mb_error error;
  assert_int_equal(mb_engine_add(&s->engine, &sound, NULL, &error), 0);
  refused(s, &sound, "already");
}

static void every_field_is_checked(void **state) {
  stage *s = *state;
  static const mb_argument nameless_doc[] = {{"a", MB_ARGUMENT_STRING, true, NULL},
                                             {NULL, MB_ARGUMENT_ANY, false, NULL}};
  static const mb_argument twice[] = {{"a", MB_ARGUMENT_STRING, true, "x"},
                                      {"a", MB_ARGUMENT_STRING, true, "x"},
                                      {NULL, MB_ARGUMENT_ANY, false, NULL}};
  static const mb_argument camel[] = {{"aB", MB_ARGUMENT_STRING, true, "x"},
                                      {NULL, MB_ARGUMENT_ANY, false, NULL}};
  static const mb_argument typeless[] = {{"a", (mb_argument_type)0, true, "x"},
                                         {NULL, MB_ARGUMENT_ANY, false, NULL}};
  mb_primitive p = sound;
  p.summary = NULL;
  refused(s, &p, "summary");
  p = sound;
  p.summary = "Ends with a stop.";
  refused(s, &p, "summary");
  p = sound;
  p.summary = "two\nlines";
  refused(s, &p, "summary");
  p = sound;
  p.results = "";
  refused(s, &p, "gives back");
  p = sound;
  p.effect = (mb_effect)0;
  refused(s, &p, "effect");
  p = sound;
  p.recovery = (mb_recovery)99;
  refused(s, &p, "recovery");
  p = sound;
  p.effect = MB_EFFECT_WRITES;
  refused(s, &p, "cannot recover");
  p = sound;
  p.since = NULL;
  refused(s, &p, "since");
  p = sound;
  p.start = NULL;
  refused(s, &p, "start");
  p = sound;
  p.arguments = nameless_doc;
  refused(s, &p, "doc");
  p.arguments = twice;
  refused(s, &p, "same name");
  p.arguments = camel;
  refused(s, &p, "snake_case");
  p.arguments = typeless;
  refused(s, &p, "type");
}

static void many_primitives_stay_findable(void **state) {
  stage *s = *state;
  static char names[300][32];
  mb_error error;
  const char *listed[300];
  for (int i = 0; i < 300; i++) {
    mb_primitive p = sound;
    snprintf(names[i], sizeof names[i], "bulk.do_%03d", (i * 7) % 300);
    p.name = names[i];
    assert_int_equal(mb_engine_add(&s->engine, &p, NULL, &error), 0);
  }
  for (int i = 0; i < 300; i++)
    assert_non_null(mb_engine_find(&s->engine, names[i], &error));
  assert_int_equal(mb_engine_names(&s->engine, "bulk", listed, 300), 300);
  for (int i = 1; i < 300; i++)
    assert_true(strcmp(listed[i - 1], listed[i]) < 0);
}

/* ---- finding ---- */

static mb_error missed(stage *s, const char *name) {
  mb_error error;
  mb_error_clear(&error);
  if (mb_engine_find(&s->engine, name, &error))
    fail_msg("found: %s", name);
  assert_int_equal(error.kind, MB_ERROR_NOT_FOUND);
  assert_string_equal(error.code, "UnknownPrimitive");
  assert_null(strchr(error.message, '\x1b'));
  assert_null(strchr(error.message, '\n'));
  return error;
}

static void unknown_names_suggest_the_nearest(void **state) {
  stage *s = *state;
  assert_non_null(strstr(missed(s, "http.gett").next, "http.get"));
  assert_non_null(strstr(missed(s, "htpp.get").next, "\"http\""));
  assert_non_null(strstr(missed(s, "ecs.descibe_services").next, "ecs.describe_services"));
  assert_non_null(strstr(missed(s, "ecs.DescribeServices").next, "ecs.describe_services"));
  assert_non_null(strstr(missed(s, "ecss.describe_services").next, "\"ecs\""));
  assert_non_null(strstr(missed(s, "sso-oidc.create_token").next, "sso_oidc"));
  assert_non_null(strstr(missed(s, "ECS.describe_services").next, "\"ecs\""));
  assert_non_null(
      strstr(missed(s, "ecs.wait_for_service_stable").next, "ecs.wait_for_services_stable"));
}

static void hostile_names_are_only_unknown(void **state) {
  stage *s = *state;
  static char long_name[100000];
  memset(long_name, 'a', sizeof long_name - 1);
  missed(s, long_name);
  long_name[60000] = '.';
  missed(s, long_name);
  memcpy(long_name, "http.", 5);
  missed(s, long_name);
  missed(s, "");
  missed(s, ".");
  missed(s, "..");
  missed(s, "http.");
  missed(s, "http..get");
  missed(s, "http.get.x");
  missed(s, "\x1b[2J.x\ny");
  missed(s, "../models/ecs.x");
  memset(long_name, 0, sizeof long_name);
  for (size_t i = 0; i < 200; i++)
    memcpy(long_name + 2 * i, "\xc3\xa4", 2);
  mb_error error = missed(s, long_name);
  assert_true(mb_utf8_valid(error.message, strlen(error.message)));
  missed(s, "partitions.json");
  missed(s, "ecs.wait_for_");
}

static void a_found_binding_is_the_same_each_time(void **state) {
  stage *s = *state;
  mb_error error;
  const mb_binding *first = mb_engine_find(&s->engine, "ecs.describe_services", &error);
  assert_non_null(first);
  assert_ptr_equal(first, mb_engine_find(&s->engine, "ecs.describe_services", &error));
  assert_string_equal(first->primitive.name, "ecs.describe_services");
}

/* ---- listing and help ---- */

static void namespaces_are_in_order_and_whole(void **state) {
  stage *s = *state;
  const char *names[512];
  mb_error error;
  assert_int_equal(mb_engine_add(&s->engine, &sound, NULL, &error), 0);
  size_t count = mb_engine_namespaces(&s->engine, names, 512);
  assert_int_equal(count, mb_model_names(NULL, 0) + 2);
  assert_int_equal(count, mb_engine_namespaces(&s->engine, NULL, 0));
  for (size_t i = 0; i < count; i++) {
    assert_true(i == 0 || strcmp(names[i - 1], names[i]) < 0);
    assert_true(*mb_engine_namespace_summary(&s->engine, names[i]) != 0);
    assert_true(mb_engine_names(&s->engine, names[i], NULL, 0) > 0);
  }
  assert_int_equal(mb_engine_names(&s->engine, "absent", NULL, 0), 0);
  assert_string_equal(mb_engine_namespace_summary(&s->engine, "absent"), "");
}

static void every_name_is_found(void **state) {
  stage *s = *state;
  const char *spaces[512], *names[2048];
  mb_error error;
  size_t count = mb_engine_namespaces(&s->engine, spaces, 512);
  for (size_t i = 0; i < count; i++) {
    size_t inside = mb_engine_names(&s->engine, spaces[i], names, 2048);
    assert_true(inside <= 2048);
    for (size_t k = 0; k < inside; k++) {
      const mb_binding *binding = mb_engine_find(&s->engine, names[k], &error);
      if (!binding)
        fail_msg("%s: %s", names[k], error.message);
      assert_string_equal(binding->primitive.name, names[k]);
    }
  }
}

static mb_value *help(stage *s, const char *name) {
  mb_error error;
  mb_value *out = mb_value_new(s->arena);
  if (mb_engine_help(&s->engine, s->arena, name, out, &error) != 0)
    fail_msg("%s: %s", name ? name : "", error.message);
  return out;
}

static void help_lists_namespaces(void **state) {
  stage *s = *state;
  const mb_value *list = help(s, NULL);
  assert_int_equal(mb_value_count(list), mb_engine_namespaces(&s->engine, NULL, 0));
  assert_true(mb_value_equal(list, help(s, "")));
  bool seen = false;
  for (size_t i = 0; i < mb_value_count(list); i++) {
    const mb_value *item = mb_list_at(list, i);
    const char *name = mb_value_string(mb_map_get(item, "name"));
    assert_int_equal(mb_value_integer(mb_map_get(item, "count")),
                     mb_engine_names(&s->engine, name, NULL, 0));
    if (strcmp(name, "ecs") == 0) {
      assert_true(mb_text_starts(mb_value_string(mb_map_get(item, "summary")), "ECS, "));
      seen = true;
    }
  }
  assert_true(seen);
}

static void help_lists_a_namespace(void **state) {
  stage *s = *state;
  const mb_value *ecs = help(s, "ecs");
  const mb_value *list = mb_map_get(ecs, "primitives");
  assert_string_equal(mb_value_string(mb_map_get(ecs, "name")), "ecs");
  assert_int_equal(mb_value_count(list), mb_engine_names(&s->engine, "ecs", NULL, 0));
  for (size_t i = 0; i < mb_value_count(list); i++) {
    mb_error error;
    const mb_value *item = mb_list_at(list, i);
    const mb_binding *binding =
        mb_engine_find(&s->engine, mb_value_string(mb_map_get(item, "name")), &error);
    assert_non_null(binding);
    assert_string_equal(mb_value_string(mb_map_get(item, "summary")), binding->primitive.summary);
    assert_string_equal(mb_value_string(mb_map_get(item, "effect")),
                        mb_effect_name(binding->primitive.effect));
  }
  const mb_value *http = help(s, "http");
  assert_int_equal(mb_value_count(mb_map_get(http, "primitives")), 1);
}

static void help_shows_a_primitive(void **state) {
  stage *s = *state;
  const mb_value *one = help(s, "ecs.update_service");
  assert_string_equal(mb_value_string(mb_map_get(one, "effect")), "writes");
  assert_string_equal(mb_value_string(mb_map_get(one, "recovery")), "converge");
  assert_string_equal(mb_value_string(mb_map_get(one, "since")), "0.1.0");
  assert_string_equal(mb_value_string(mb_list_at(mb_map_get(one, "iam"), 0)), "ecs:UpdateService");
  const mb_value *arguments = mb_map_get(one, "arguments");
  bool seen = false;
  for (size_t i = 0; i < mb_value_count(arguments); i++) {
    const mb_value *argument = mb_list_at(arguments, i);
    if (strcmp(mb_value_string(mb_map_get(argument, "name")), "network_configuration") != 0)
      continue;
    seen = true;
    assert_string_equal(mb_value_string(mb_map_get(argument, "type")), "map");
    assert_false(mb_value_boolean(mb_map_get(argument, "required")));
    assert_string_equal(mb_value_string(mb_map_get(argument, "doc")),
                        "structure NetworkConfiguration {awsvpc_configuration}");
  }
  assert_true(seen);
}

static void help_about_nothing_suggests(void **state) {
  stage *s = *state;
  mb_error error;
  mb_value *out = mb_value_new(s->arena);
  assert_int_equal(mb_engine_help(&s->engine, s->arena, "ecss", out, &error), -1);
  assert_int_equal(error.kind, MB_ERROR_NOT_FOUND);
  assert_non_null(strstr(error.next, "\"ecs\""));
  assert_int_equal(mb_engine_help(&s->engine, s->arena, "ecs.nothing_like_it", out, &error), -1);
}

static void help_once(void *payload) {
  stage *s = payload;
  mb_error error;
  mb_engine engine;
  mb_arena *arena = mb_arena_new(0);
  mb_value *out = arena ? mb_value_new(arena) : NULL;
  mb_error_clear(&error);
  if (out && mb_engine_init(&engine, &s->fake.system, NULL, 0, &error) == 0) {
    if (mb_engine_help(&engine, arena, "", out, &error) != 0 ||
        mb_engine_help(&engine, arena, "sts", out, &error) != 0 ||
        mb_engine_help(&engine, arena, "sts.assume_role", out, &error) != 0)
      assert_int_equal(error.kind, MB_ERROR_MEMORY);
    mb_engine_find(&engine, "sts.asume_role", &error);
    mb_engine_dispose(&engine);
  }
  mb_arena_free(arena);
}

static void every_refused_allocation_is_survived(void **state) {
  assert_true(sweep_run(help_once, *state) > 10);
}

static void making_an_engine_sends_and_reads_nothing(void **state) {
  stage *s = *state;
  mb_loop_counts counts;
  mb_loop_get_counts(s->engine.loop, &counts);
  assert_int_equal(counts.requests, 0);
  assert_int_equal(s->fake.request_count, 0);
  assert_string_equal(s->fake.spawned, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_sound_declaration_is_added_and_found),
      TEST(bad_names_are_refused),
      TEST(every_field_is_checked),
      TEST(many_primitives_stay_findable),
      TEST(unknown_names_suggest_the_nearest),
      TEST(hostile_names_are_only_unknown),
      TEST(a_found_binding_is_the_same_each_time),
      TEST(namespaces_are_in_order_and_whole),
      TEST(every_name_is_found),
      TEST(help_lists_namespaces),
      TEST(help_lists_a_namespace),
      TEST(help_shows_a_primitive),
      TEST(help_about_nothing_suggests),
      TEST(every_refused_allocation_is_survived),
      TEST(making_an_engine_sends_and_reads_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
