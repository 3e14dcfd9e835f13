/* Every allocation of a whole call may fail: the call must then end once, in words, without a crash
 * or a leak (the sanitizer build sees those). */
#include "client_world.h"

static size_t allowed; /* allocations until every further one fails */
static size_t made;
static int64_t live;

static void *reallocate(void *payload, void *pointer, size_t size) {
  if (size == 0) {
    live -= pointer != NULL;
    free(pointer);
    return NULL;
  }
  if (made++ >= allowed)
    return NULL;
  live += pointer == NULL;
  return realloc(pointer, size);
}

static const mb_allocator allocator = {NULL, reallocate};

static const char role_config[] = "[default]\nrole_arn=arn:aws:iam::111111111111:role/R\n"
                                  "source_profile=base\n[profile base]\n"
                                  "credential_process=get 'the keys'\n";

static const fake_step steps[] = {
    {.operation = "AssumeRole",
     .status = 200,
     .body = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId>"
             "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
             "<Expiration>2026-11-23T15:00:00Z</Expiration></Credentials></AssumeRoleResult>"
             "</AssumeRoleResponse>",
     .forever = true},
    {.operation = "ListClusters", .status = 500, .body = ""},
    {.operation = "ListClusters",
     .status = 200,
     .body = "{\"clusterArns\":[\"a\"],\"nextToken\":\"1\"}"},
    {.operation = "ListClusters", .status = 200, .body = "{\"clusterArns\":[\"b\"]}"},
    {.operation = "RunTask", .status = 400, .body = "{\"__type\":\"AccessDeniedException\"}"},
    {.operation = "DescribeTasks",
     .status = 200,
     .body = "{\"failures\":[],\"tasks\":[{\"lastStatus\":\"PENDING\"}]}"},
    {.operation = "DescribeTasks",
     .status = 200,
     .body = "{\"failures\":[],\"tasks\":[{\"lastStatus\":\"RUNNING\"}]}"},
};

static int ends;
static bool last_failed, last_memory;

static void on_end(const mb_aws_result *result, void *payload) {
  ends++;
  last_failed = result->failed;
  last_memory = result->failed && result->error.kind == MB_ERROR_MEMORY;
  /* A transport that finds no memory for its answer refuses the request; nothing else but MEMORY
   * may come of it. */
  if (result->failed && !last_memory && result->error.kind != MB_ERROR_DENIED &&
      strcmp(result->error.code, "NotSent") != 0 && !strstr(result->error.message, "NotSent") &&
      !strstr(result->error.message, "refused the request") &&
      !strstr(result->error.message, "could not be started"))
    fail_msg("%s: %s", result->error.code, result->error.message);
}

static void run(mb_loop *loop, int expected) {
  while (ends < expected && mb_loop_turn(loop, INT64_MAX)) {
  }
  assert_int_equal(ends, expected);
}

static mb_aws_request request_for(const mb_model *model, const char *operation, mb_value *input) {
  mb_aws_request request = {.model = model, .input = input};
  request.operation = mb_model_operation(model, operation);
  return request;
}

/* A listing, a refused write and a wait on one client. True when all went as it should. */
static bool exercise(fake_machine *fake, size_t arena_limit) {
  mb_error error;
  mb_value *task = NULL, *tasks = NULL;
  bool whole = false;
  mb_loop *loop = mb_loop_new(&fake->system, &error);
  mb_aws *aws = loop ? mb_aws_new(loop, NULL, &error) : NULL;
  mb_arena *arena = mb_arena_new(arena_limit);
  const mb_model *model = mb_model_find("ecs");
  ends = 0;
  if (aws && arena &&
      mb_value_from_json(arena, &task, "{\"task_definition\":\"t\"}", 23, NULL) == 0 &&
      mb_value_from_json(arena, &tasks, "{\"tasks\":[\"t\"]}", 15, NULL) == 0) {
    mb_aws_request listing = request_for(model, "list_clusters", NULL);
    mb_aws_request write = request_for(model, "run_task", task);
    mb_aws_request look = {.input = tasks};
    const mb_waiter *waiter = NULL;
    for (size_t i = 0; i < mb_model_waiter_count(model); i++) {
      if (strcmp(mb_model_text(model, mb_model_waiter_at(model, i)->snake), "tasks_running") == 0)
        waiter = mb_model_waiter_at(model, i);
    }
    mb_aws_start_pages(aws, arena, &listing, on_end, NULL);
    run(loop, 1);
    whole = !last_failed;
    mb_aws_start(aws, arena, &write, on_end, NULL);
    run(loop, 2);
    whole &= last_failed && !last_memory;
    mb_aws_start_wait(aws, arena, model, waiter, &look, NULL, on_end, NULL);
    run(loop, 3);
    whole &= !last_failed;
  }
  mb_aws_free(aws);
  mb_loop_free(loop);
  mb_arena_free(arena);
  return whole;
}

static void open_machine(fake_machine *fake) {
  fake_init(fake);
  fake_setenv(fake, "HOME", "/h");
  fake_setenv(fake, "AWS_REGION", "eu-west-1");
  fake_write_file(fake, "/h/.aws/config", role_config);
  fake->spawn_output = "{\"Version\":1,\"AccessKeyId\":\"P\",\"SecretAccessKey\":\"s\"}";
}

static bool try_once(fake_machine *fake, size_t arena_limit) {
  fake_play(fake, steps, sizeof steps / sizeof *steps);
  fake_forget_requests(fake);
  made = 0;
  live = 0;
  bool whole = exercise(fake, arena_limit);
  if (live != 0)
    fail_msg("%lld blocks are left (limits %zu, %zu)", (long long)live, allowed, arena_limit);
  assert_int_equal(fake->under_way, 0);
  return whole;
}

static void every_block_may_be_refused(void **state) {
  fake_machine fake;
  bool whole = false;
  open_machine(&fake);
  mb_set_allocator(&allocator);
  for (allowed = 0; !whole && allowed < 20000; allowed++)
    whole = try_once(&fake, 0);
  mb_set_allocator(NULL);
  fake_dispose(&fake);
  assert_true(whole);
  assert_true(allowed > 40); /* else the sweep has not swept */
}

/* Blocks are large; inside them, a limit on the call's arena makes the single pieces fail. */
static void every_piece_of_the_calls_arena_may_be_refused(void **state) {
  fake_machine fake;
  bool whole = false;
  size_t limit;
  open_machine(&fake);
  allowed = SIZE_MAX;
  mb_set_allocator(&allocator);
  for (limit = 64; !whole && limit < 1000000; limit += 48)
    whole = try_once(&fake, limit);
  mb_set_allocator(NULL);
  fake_dispose(&fake);
  assert_true(whole);
  assert_true(limit > 4000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_block_may_be_refused),
      cmocka_unit_test(every_piece_of_the_calls_arena_may_be_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
