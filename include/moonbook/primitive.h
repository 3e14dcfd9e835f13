/* Primitives: the functions that Lua runbooks can call, declared as data.
 *
 * A primitive is one declaration and a function that starts the work. It never sees Lua: the
 * dispatcher checks the arguments against the declaration, makes an mb_call of them, and turns the
 * result or the error back into Lua. Everything that is shown or decided about a primitive (help,
 * editor stubs, `uses` checks, plan mode, the IAM policy) comes from the declaration.
 */
#ifndef MOONBOOK_PRIMITIVE_H
#define MOONBOOK_PRIMITIVE_H

#include <moonbook/error.h>
#include <moonbook/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mb_call mb_call;

/* What a primitive does to the world. */
typedef enum mb_effect {
  MB_EFFECT_READS = 1, /* changes nothing */
  MB_EFFECT_WRITES,    /* changes something that can be changed back */
  MB_EFFECT_DESTROYS   /* takes something away that may be gone for good */
} mb_effect;

/* What a resume does about a call whose answer was lost. */
typedef enum mb_recovery {
  MB_RECOVERY_PURE = 1, /* nothing outside: run again */
  MB_RECOVERY_VALUE,    /* a local reading: take the recorded one */
  MB_RECOVERY_READ,     /* a read of AWS: read again */
  MB_RECOVERY_TOKEN,    /* AWS drops repeats by an idempotency token: send again with the same */
  MB_RECOVERY_CONVERGE, /* sets a desired state: look, then send again or not */
  MB_RECOVERY_FIND,     /* makes a new thing that can be found by a mark: search first */
  MB_RECOVERY_ONCE,     /* cannot be told apart afterwards: never repeated, a person is asked */
  MB_RECOVERY_WAIT      /* waits: go on to the same deadline */
} mb_recovery;

/* The type of an argument. */
typedef enum mb_argument_type {
  MB_ARGUMENT_STRING = 1,
  MB_ARGUMENT_INTEGER,
  MB_ARGUMENT_NUMBER,
  MB_ARGUMENT_BOOLEAN,
  MB_ARGUMENT_DURATION, /* seconds as a number, or text such as "90s", "15m", "2h"; arrives as a
                           number */
  MB_ARGUMENT_LIST,     /* of anything */
  MB_ARGUMENT_STRINGS,  /* a list of strings */
  MB_ARGUMENT_MAP,
  MB_ARGUMENT_ANY
} mb_argument_type;

typedef struct mb_argument {
  const char *name;
  mb_argument_type type;
  bool required;
  const char *doc; /* one line; required of every argument */
} mb_argument;

/* One primitive. All text is static for as long as the host lives. */
typedef struct mb_primitive {
  const char *name;             /* "http.get": namespace, dot, snake_case verb and noun */
  const char *summary;          /* one line, without a full stop */
  const mb_argument *arguments; /* ends with an entry whose name is NULL; NULL: takes nothing */
  const char *results;          /* what it gives back, one line */
  mb_effect effect;
  mb_recovery recovery;
  const char *const *iam_actions; /* NULL-terminated, or NULL for none */
  const char *since;              /* moonbook version that introduced it */

  /* Starts the work. It must end, now or later, with exactly one of mb_call_succeed and
   * mb_call_fail, from the thread that runs the host. */
  void (*start)(mb_call *call, void *payload);

  /* Stops work that `start` left under way; NULL if it never does. After it returns the call is
   * gone and must not be touched. */
  void (*cancel)(mb_call *call, void *payload);
} mb_primitive;

/* The value of an argument, or NULL when it was not given. Owned by the call. */
const mb_value *mb_call_argument(const mb_call *call, const char *name);

/* The arena in which to build the result; it lives until the result has been handed over. */
mb_arena *mb_call_arena(mb_call *call);

/* A place for the primitive's own state of this call, NULL at first; `release` is called with it
 * when the call ends, however it ends. */
void mb_call_set_state(mb_call *call, void *state, void (*release)(void *state));
void *mb_call_state(const mb_call *call);

/* Ends the call with a result (NULL: nothing), which must live in the call's arena. */
void mb_call_succeed(mb_call *call, const mb_value *result);

/* Ends the call with an error, which is copied. */
void mb_call_fail(mb_call *call, const mb_error *error);

#ifdef __cplusplus
}
#endif
#endif
