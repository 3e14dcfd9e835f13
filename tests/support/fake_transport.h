/* A machine that is not there: clock, randomness, environment, files, child processes and a
 * network, all under a test's control. Time is virtual and moves only while the loop waits, so a
 * test of an hour of retries takes no time and always goes the same way.
 *
 *     fake_machine fake;
 *     fake_init(&fake);
 *     fake_setenv(&fake, "AWS_REGION", "eu-west-1");
 *     fake.answer = my_answer;            // or fake_play(&fake, steps, count)
 *     mb_loop *loop = mb_loop_new(&fake.system, &error);
 *
 * Its own memory does not come from the library's allocator, so that allocation-failure sweeps do
 * not fail the test's own side. */
#ifndef TESTS_SUPPORT_FAKE_TRANSPORT_H
#define TESTS_SUPPORT_FAKE_TRANSPORT_H

#include "loop/loop.h"

/* What came over the network, copied. */
typedef struct fake_request {
  char *method, *url, *body;
  size_t body_size;
  char **headers; /* name, value, name, value, ... */
  size_t header_count;
  char operation[96]; /* of X-Amz-Target or Action=, "" when it has neither */
  int64_t at_ns;      /* by the virtual monotonic clock */
} fake_request;

#define FAKE_SILENCE 1

/* Answers a request: 0 with `out` filled (its texts in `arena`), FAKE_SILENCE to let it hang, -1 to
 * refuse it. */
typedef int (*fake_answer)(void *payload, const mb_http_request *request, mb_arena *arena,
                           mb_transfer_result *out);

/* One prepared answer. */
typedef struct fake_step {
  const char *operation; /* only for this one; NULL: any */
  int status;            /* 0: no answer but `failure` */
  const char *body;
  const char *headers;   /* "Name: value\nName: value", or NULL */
  mb_error_kind failure; /* MB_ERROR_NETWORK, ...; with status 0 */
  const char *code;      /* of the failure */
  bool silence;
  bool forever; /* stays for all that follow */
} fake_step;

typedef struct fake_machine {
  mb_system system; /* complete: give this to the loop */
  mb_transport transport;
  int64_t wall_ns, monotonic_ns;
  int64_t latency_ns; /* from request to answer */
  bool random_counts; /* false: every random byte is 0xff, and so the unit random almost 1 */
  uint64_t random_state;

  fake_answer answer;
  void *payload;

  fake_request *requests;
  size_t request_count;
  size_t cancelled; /* transfers taken back */
  size_t under_way, most_under_way;

  /* What spawn gives; `spawned` is the last command line, words separated by '|'. */
  const char *spawn_output, *spawn_errors;
  int spawn_status, spawn_result;
  char spawned[1024];

  const fake_step *steps; /* of fake_play */
  size_t step_count;
  bool *step_used;

  char root[64]; /* a temporary folder that stands for "/" */
  struct fake_variable *variables;
  struct fake_pending *pending;
} fake_machine;

void fake_init(fake_machine *fake);
void fake_dispose(fake_machine *fake);
void fake_setenv(fake_machine *fake, const char *name, const char *value); /* NULL: unset */
void fake_write_file(fake_machine *fake, const char *path, const char *text);
void fake_forget_requests(fake_machine *fake);

/* Answers from a list: each step once, in order, for the operation it names. When none is left the
 * answer is a 418. `steps` is borrowed. */
void fake_play(fake_machine *fake, const fake_step *steps, size_t count);

/* A recorded request's header, or NULL. */
const char *fake_header(const fake_request *request, const char *name);

/* For answer functions. */
int fake_reply(mb_arena *arena, mb_transfer_result *out, int status, const char *headers,
               const char *body);
int fake_fail(mb_transfer_result *out, mb_error_kind kind, const char *code);

#endif
