/* An AWS that says what a spec tells it to: each request is decoded from the wire with the server's
 * side of the codecs, matched against the spec's answers for that operation, and the answer goes
 * back over the same wire format. */
#ifndef TESTS_RUNBOOKS_SCRIPTED_AWS_H
#define TESTS_RUNBOOKS_SCRIPTED_AWS_H

#include "support/fake_transport.h"

#include <moonbook/value.h>

/* One entry of a spec's `answers`, and how far it has been used. */
typedef struct scripted_answer {
  const char *operation; /* "ecs.describe_services", or "http.get" */
  const mb_value *entry;
  int64_t times;    /* how often it may be given; 0: for ever */
  double seconds;   /* how long it is given after its first use; 0: no limit */
  bool optional;    /* need not be asked for */
  bool over;        /* used up: the next of the same operation is in force */
  int64_t used;     /* how often it was given */
  int64_t first_ns; /* when it was first given */
} scripted_answer;

typedef struct scripted_aws {
  fake_machine *fake;
  mb_arena *arena; /* of the spec */
  scripted_answer *answers;
  size_t count;
  char problem[2000]; /* the first thing that was not as the spec says, "" when all was */
} scripted_aws;

/* Reads `answers` (a list, or NULL) and puts itself in front of the fake machine's network. Fills
 * `problem` when an entry is malformed. */
void scripted_init(scripted_aws *aws, fake_machine *fake, mb_arena *arena, const mb_value *answers);

/* Whether every answer was asked for as often as it had to be; else fills `problem`. */
void scripted_finish(scripted_aws *aws);

/* Whether every member of `wanted` is in `got`, lists item by item. */
bool value_contains(const mb_value *got, const mb_value *wanted);

#endif
