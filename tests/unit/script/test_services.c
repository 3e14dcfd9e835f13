/* Operations of AWS from Lua: results, pages, partial failures and secrets, over a transport that
 * answers from a list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "script/script.h"
#include <cmocka.h>
#include <string.h>

typedef struct fixture {
  mb_transport transport;
  mb_system system;
  mb_engine engine;
  mb_script *script;
  mb_arena *arena;
  mb_transfer *waiting[16];
  size_t waiting_count;
  const char *const *answers; /* in the order of the requests */
  size_t requests;
  char bodies[4096]; /* of the requests, one after another */
  mb_buffer log;
} fixture;

static const char *fake_getenv(void *payload, const char *name) {
  (void)payload;
  if (strcmp(name, "AWS_ACCESS_KEY_ID") == 0 || strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0)
    return "test";
  return strcmp(name, "AWS_REGION") == 0 ? "eu-central-1" : NULL;
}

static int fake_start(void *payload, mb_transfer *transfer, const mb_http_request *request) {
  fixture *f = payload;
  if (f->waiting_count == 16 || strlen(f->bodies) + request->body_size + 1 > sizeof f->bodies)
    return -1;
  strncat(f->bodies, request->body ? request->body : "", request->body_size);
  f->waiting[f->waiting_count++] = transfer;
  return 0;
}

static void fake_cancel(void *payload, mb_transfer *transfer) {
  fixture *f = payload;
  for (size_t i = 0; i < f->waiting_count; i++)
    if (f->waiting[i] == transfer)
      f->waiting[i] = f->waiting[--f->waiting_count];
}

static bool fake_wait(void *payload, int64_t until_ns) {
  fixture *f = payload;
  (void)until_ns;
  if (f->waiting_count == 0)
    return false;
  mb_transfer *transfer = f->waiting[0];
  memmove(f->waiting, f->waiting + 1, --f->waiting_count * sizeof f->waiting[0]);
  const char *body = f->answers[f->requests++];
  mb_transfer_result result = {.sent = true, .response = {.status = 200}};
  mb_headers_add(mb_transfer_arena(transfer), &result.response.headers, "x-amzn-RequestId", "id-1");
  mb_headers_add(mb_transfer_arena(transfer), &result.response.headers, "Content-Type",
                 "application/x-amz-json-1.1");
  result.response.body = body;
  result.response.body_size = strlen(body);
  mb_transfer_finish(transfer, &result);
  return true;
}

static int permit(void *payload, const mb_binding *binding, const mb_value *args, int step,
                  const char *where, mb_arena *arena, const mb_value **instead, mb_error *error) {
  (void)payload, (void)binding, (void)args, (void)step, (void)where, (void)arena;
  (void)instead, (void)error;
  return 0;
}

static void log_line(void *payload, const char *level, const char *message,
                     const mb_value *fields) {
  (void)level, (void)fields;
  mb_buffer_addf(&((fixture *)payload)->log, "%s\n", message);
}

static void call_started(void *payload, uint64_t call, const mb_binding *binding,
                         const mb_value *args, const char *where) {
  fixture *f = payload;
  (void)call, (void)where;
  const char *text = mb_value_to_json(f->arena, args, 0, false);
  mb_buffer_addf(&f->log, "%s %s\n", binding->primitive.name, text ? text : "?");
}

static int set_up(void **state) {
  static fixture f;
  static const mb_settings_options settings;
  mb_error error;
  memset(&f, 0, sizeof f);
  mb_buffer_init(&f.log, 65536);
  f.transport = (mb_transport){&f, fake_start, fake_cancel, fake_wait};
  f.system = (mb_system){
      .payload = &f, .getenv = fake_getenv, .transport = &f.transport, .root = "/nonexistent"};
  f.arena = mb_arena_new(0);
  if (mb_engine_init(&f.engine, &f.system, &settings, 0, &error) != 0)
    return -1;
  const mb_script_hooks hooks = {
      .payload = &f, .permit = permit, .call_started = call_started, .log = log_line};
  mb_script_options options = {.engine = &f.engine, .hooks = &hooks};
  f.script = mb_script_new(&options, &error);
  *state = &f;
  return f.script ? 0 : -1;
}

static int tear_down(void **state) {
  fixture *f = *state;
  mb_script_free(f->script);
  mb_engine_dispose(&f->engine);
  mb_arena_free(f->arena);
  mb_buffer_dispose(&f->log);
  return 0;
}

static int run(fixture *f, const char *text, const char *const *answers, mb_error *error) {
  mb_error_clear(error);
  f->answers = answers;
  if (mb_script_load(f->script, "r.lua", text, strlen(text), error) != 0)
    fail_msg("%s", error->message);
  return mb_script_call(f->script, "plan", NULL, NULL, 0, f->arena, NULL, error);
}

static void runs_well(fixture *f, const char *text, const char *const *answers) {
  mb_error error;
  if (run(f, text, answers, &error) != 0)
    fail_msg("%s at %s: %s", error.code, error.where, error.message);
}

static const char *const two_pages[] = {"{\"serviceArns\":[\"a\",\"b\"],\"nextToken\":\"T\"}",
                                        "{\"serviceArns\":[\"c\"]}"};

static void pages_gives_one_page_after_another(void **state) {
  fixture *f = *state;
  runs_well(f,
            "return { plan = function()\n"
            "  local seen = {}\n"
            "  for page in pages(ecs.list_services, { cluster = 'x' }) do\n"
            "    seen[#seen + 1] = table.concat(page.service_arns, '+')\n"
            "  end\n"
            "  assert(table.concat(seen, ' ') == 'a+b c', table.concat(seen, ' '))\n"
            "end }",
            two_pages);
  assert_int_equal(f->requests, 2);
  assert_non_null(strstr(f->bodies, "\"nextToken\":\"T\""));
}

static void all_merges_the_pages(void **state) {
  fixture *f = *state;
  runs_well(f,
            "return { plan = function()\n"
            "  local got = all(ecs.list_services, { cluster = 'x' })\n"
            "  assert(table.concat(got.service_arns, '+') == 'a+b+c')\n"
            "end }",
            two_pages);
  assert_int_equal(f->requests, 2);
}

static void a_plain_call_gives_one_page(void **state) {
  fixture *f = *state;
  runs_well(f,
            "return { plan = function()\n"
            "  local got = ecs.list_services{ cluster = 'x' }\n"
            "  assert(#got.service_arns == 2 and got.next_token == 'T')\n"
            "end }",
            two_pages);
  assert_int_equal(f->requests, 1);
}

static void ecs_failures_are_not_success(void **state) {
  fixture *f = *state;
  static const char *const answers[] = {
      "{\"services\":[],\"failures\":[{\"arn\":\"arn:x\",\"reason\":\"MISSING\"}]}"};
  mb_error error;
  assert_int_equal(run(f,
                       "return { plan = function()\n"
                       "  return ecs.describe_services{ cluster = 'x', services = { 'y' } }\n"
                       "end }",
                       answers, &error),
                   -1);
  assert_string_equal(error.operation, "ecs.describe_services");
  assert_string_equal(error.where, "r.lua:2");
  assert_string_equal(error.request_id, "id-1");
  assert_non_null(strstr(error.message, "arn:x"));
}

static void what_was_found_beside_a_failure_can_be_looked_at(void **state) {
  fixture *f = *state;
  static const char *const answers[] = {
      "{\"services\":[{\"serviceName\":\"there\"}],"
      "\"failures\":[{\"arn\":\"arn:x\",\"reason\":\"MISSING\"}]}"};
  runs_well(f,
            "return { plan = function()\n"
            "  local got, err = attempt(ecs.describe_services, { services = { 'there', 'x' } })\n"
            "  assert(got == nil and err.code == 'MISSING')\n"
            "  assert(err.output.services[1].service_name == 'there')\n"
            "  assert(err.output.failures[1].arn == 'arn:x')\n"
            "end }",
            answers);
}

static void a_sensitive_member_is_a_secret(void **state) {
  fixture *f = *state;
  static const char *const answers[] = {"{\"Name\":\"n\",\"SecretString\":\"hunter2\"}"};
  runs_well(f,
            "return { plan = function()\n"
            "  local got = secretsmanager.get_secret_value{ secret_id = 'n' }\n"
            "  print(got.name, got.secret_string, 'pw=' .. got.secret_string)\n"
            "  assert(reveal(got.secret_string) == 'hunter2')\n"
            "end }",
            answers);
  assert_null(strstr(mb_buffer_text(&f->log), "hunter2"));
  assert_non_null(strstr(mb_buffer_text(&f->log), "[secret]"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* The runbook has it as plain text; the model knows that it is a secret. */
static void a_sensitive_argument_is_sent_and_never_told(void **state) {
  fixture *f = *state;
  static const char *const answers[] = {"{\"Name\":\"n\"}", "{}", NULL};
  mb_error error;
  int status = run(f,
                   "return { plan = function()\n"
                   "  secretsmanager.create_secret{ name = 'n', SecretString = 'hunter2' }\n"
                   "  ecs.register_task_definition{ family = 'web', container_definitions = { {\n"
                   "    name = 'web', environment = { { name = 'KEY', value = 'hunter3' } } } } }\n"
                   "end }",
                   answers, &error);
  if (status != 0)
    fail_msg("%s", error.message);
  const char *log = mb_buffer_text(&f->log);
  assert_null(strstr(log, "hunter"));
  assert_non_null(strstr(log, "\"name\":\"KEY\""));
  assert_non_null(strstr(f->bodies, "hunter2"));
  assert_non_null(strstr(f->bodies, "hunter3"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(pages_gives_one_page_after_another),
      TEST(all_merges_the_pages),
      TEST(a_plain_call_gives_one_page),
      TEST(ecs_failures_are_not_success),
      TEST(what_was_found_beside_a_failure_can_be_looked_at),
      TEST(a_sensitive_member_is_a_secret),
      TEST(a_sensitive_argument_is_sent_and_never_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
