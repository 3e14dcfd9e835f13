/* Errors: what failed, why, and what to do next.
 *
 * Every function that can fail takes an `mb_error *` last, returns 0 (or a non-NULL pointer) on
 * success and -1 (or NULL) on failure, and fills the error only on failure. An error is a plain
 * struct of bounded strings: it owns nothing, needs no disposal, and can be filled when memory has
 * run out. There is no global or per-thread last error.
 */
#ifndef MOONBOOK_ERROR_H
#define MOONBOOK_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What sort of failure it is; a closed list. The kind decides the exit code when an error ends a
 * run; `code` below says exactly what happened. */
typedef enum mb_error_kind {
  MB_OK = 0,
  MB_ERROR_INTERNAL,    /* a defect in moonbook */
  MB_ERROR_MEMORY,      /* the machine, or a stated limit, has no more memory */
  MB_ERROR_USAGE,       /* bad arguments, unknown names, a malformed file of the user's */
  MB_ERROR_NOT_FOUND,   /* an unknown runbook, primitive, service or file */
  MB_ERROR_CREDENTIALS, /* credentials missing, expired or unusable */
  MB_ERROR_DENIED,      /* AWS said no: AccessDenied and its relatives */
  MB_ERROR_AWS,         /* any other error answer of a service */
  MB_ERROR_THROTTLED,   /* throttled, and still throttled after the last retry */
  MB_ERROR_NETWORK,     /* no connection, reset, TLS failure, truncated or unreadable answer */
  MB_ERROR_TIMEOUT,     /* a deadline passed */
  MB_ERROR_CANCELLED,   /* stopped on request */
  MB_ERROR_SCRIPT,      /* an error raised by Lua code */
  MB_ERROR_LIMIT,       /* a script used more time, memory or instructions than it may */
  MB_ERROR_REFUSED,     /* the host refused: undeclared primitive, write in a read-only phase */
  MB_ERROR_CHECK,       /* a check of a runbook failed */
  MB_ERROR_IO           /* a file or the terminal could not be read or written */
} mb_error_kind;

typedef struct mb_error {
  mb_error_kind kind;
  char
      code[96]; /* AWS's own code ("ClusterNotFoundException") or one of ours ("UnknownArgument") */
  char message[2048]; /* one line, in plain words, for a person */
  char next[512];     /* what to do about it, or "" */
  char operation[96]; /* the primitive at work, "ecs.describe_services", or "" */
  char where[256];    /* the runbook's "file:line", or "" */
  char region[32];
  char endpoint[256];  /* URL that was called, or "" */
  char request_id[96]; /* of the last attempt, or "" */
  int status;          /* HTTP status, 0 when there was no answer */
  int attempts;        /* requests sent for this call, 0 when none was */
  bool retryable;      /* the same call may well succeed later */
} mb_error;

/* Resets `error` to MB_OK. NULL is allowed. */
void mb_error_clear(mb_error *error);

/* Fills `error` with a kind, a code and a formatted message, clearing all else. Returns -1, so that
 * a function can `return mb_error_set(...)`. `error` may be NULL; text too long is cut at a
 * character boundary. */
int mb_error_set(mb_error *error, mb_error_kind kind, const char *code, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 4, 5)))
#endif
    ;

/* Sets what to do next. Returns -1. */
int mb_error_next(mb_error *error, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/* Fills `error` with MB_ERROR_MEMORY. Returns -1. */
int mb_error_memory(mb_error *error);

/* The nearest of `count` names by edit distance, or NULL when none is near enough to be what was
 * meant. For "did you mean". */
const char *mb_text_nearest(const char *text, const char *const *names, size_t count);

/* The kind's stable name in snake_case, "denied". Static. */
const char *mb_error_kind_name(mb_error_kind kind);

#ifdef __cplusplus
}
#endif
#endif
