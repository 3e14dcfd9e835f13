/* Events: what a run tells whoever listens, in the order in which it happened. One stream feeds the
 * terminal, NDJSON and embedders alike. */
#ifndef MOONBOOK_EVENT_H
#define MOONBOOK_EVENT_H

#include <moonbook/value.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A closed list that only grows. Each comment names the fields of `data`. */
typedef enum mb_event_type {
  MB_EVENT_RUN_STARTED = 1, /* run, runbook, version, summary, kind, effect, environment?, args,
                               arguments: list of {name, type, is_default},
                               target{account?, region, endpoint?} */
  MB_EVENT_PHASE_STARTED,   /* phase: plan, apply, verify, diagnose, undo; of undo also verdict
                               and message: why it is undone */
  MB_EVENT_PHASE_FINISHED,  /* phase, seconds */
  MB_EVENT_PLAN_READY,   /* plan: what plan() returned; changes: list of lines, from the manifest */
  MB_EVENT_STEP_STARTED, /* step: number, name, where */
  MB_EVENT_STEP_FINISHED, /* step, name, seconds, ok, error? */
  MB_EVENT_CALL_STARTED,  /* call: number, operation, effect, args, where */
  MB_EVENT_CALL_FINISHED, /* call, operation, effect, ok, seconds, attempts, request_id?, error? */
  MB_EVENT_CHECK,         /* name, ok, message?, evidence? */
  MB_EVENT_PROGRESS,      /* message, done?, total?: where a wait stands */
  MB_EVENT_LOG,           /* level: debug, info, warn, error; message; fields? */
  MB_EVENT_TABLE,         /* columns, rows: something to show as a table */
  MB_EVENT_FINDING,       /* cause, evidence, confidence, treatment */
  MB_EVENT_RUN_FINISHED   /* verdict, exit_code, message, cause?: a code, evidence?: list of lines,
                             details?: any data, seconds, calls, result?, error?,
                             undo?: skipped, done, incomplete; absent when there was nothing to undo
                             or no undo(); undo_error?, next: list of commands */
} mb_event_type;

typedef struct mb_event {
  mb_event_type type;
  int64_t wall_ns;      /* nanoseconds since 1970-01-01 UTC */
  uint64_t sequence;    /* 1, 2, 3 within the run */
  const mb_value *data; /* a map, valid until the callback returns */
} mb_event;

/* Called for each event, from the thread that runs the host. It must not start another run. */
typedef void (*mb_event_callback)(const mb_event *event, void *payload);

/* The type's stable name, "step_started". Static. */
const char *mb_event_type_name(mb_event_type type);

#ifdef __cplusplus
}
#endif
#endif
