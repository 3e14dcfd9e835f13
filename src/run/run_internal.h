/* The inside of a run, shared by the files that resolve, execute, watch and report it. */
#ifndef MB_RUN_RUN_INTERNAL_H
#define MB_RUN_RUN_INTERNAL_H

#include "base/buffer.h"
#include "run/host_internal.h"
#include "script/script.h"
#include <moonbook/run.h>
#include <stdatomic.h>

typedef enum mb_phase {
  MB_PHASE_NONE = 0,
  MB_PHASE_PLAN,
  MB_PHASE_APPLY,
  MB_PHASE_VERIFY,
  MB_PHASE_DIAGNOSE,
  MB_PHASE_UNDO
} mb_phase;

/* How the run, or its undo, ended. All zero while it has not. */
typedef struct mb_ending {
  mb_verdict verdict;
  mb_error error;           /* MB_OK: no error ended it */
  const char *message;      /* one sentence or a few; NULL: none of its own yet */
  const char *sentence;     /* the message without what stays changed; NULL: the message itself */
  const char *cause;        /* a code that the runbook gave, or NULL */
  const mb_value *evidence; /* list of lines, or NULL */
  const mb_value *details;  /* plain data for machines, or NULL */
  const mb_value *next;     /* list of commands, or NULL */
} mb_ending;

struct mb_run {
  mb_host *host;
  mb_arena *arena; /* everything of the run that outlives one event */
  mb_run_options
      options; /* of its pointers only callbacks and payloads are used after mb_run_new */
  mb_bundle bundle;
  mb_manifest manifest;
  mb_engine *engine;
  const mb_value *environment; /* of mb_project_environment, or NULL */
  mb_value *args;
  mb_value *info;          /* what the script gets as `run` */
  const mb_value *changes; /* lines, expanded */
  const mb_value *hosts;   /* what http.* may reach, expanded */
  const char *phrase;      /* to be typed, or NULL */
  char id[40];

  /* Read by mb_run_cancel, from anywhere. */
  _Atomic(mb_script *) script;
  atomic_int cancels;       /* counted anew for the undo */
  atomic_int writes;        /* writing calls that were started */
  mb_script *script_before; /* the undo's, which others may still have in hand, or NULL */

  mb_phase phase;
  int64_t started_ns;  /* monotonic */
  int64_t deadline_ns; /* monotonic; INT64_MAX: none */
  mb_timer *timer;
  bool timed_out;
  bool executed;
  int writes_in_flight;
  uint64_t sequence; /* of the last event */
  uint64_t calls;
  uint64_t last_call;   /* number of the latest */
  uint64_t call_offset; /* of the script's own numbers, which begin anew with the undo */
  bool told_finished;   /* the last event was sent */
  bool has_undo;
  bool event_lost;    /* memory ran out while an event was made */
  int steps;          /* begun */
  size_t undo_from;   /* how many of step_log came before the undo */
  mb_value *step_log; /* list of {name, ok?}: ok is absent of one that has not ended */
  size_t checks_passed, checks_failed;
  mb_value *failed_checks; /* list of names */

  const mb_value *plan, *applied, *result;
  mb_ending end;
  mb_ending before_undo; /* how it had ended when undo() was called */
  mb_error undo_error;   /* that ended undo() */
  const char *undo;      /* skipped, done or incomplete; NULL: there was nothing to undo */
  const mb_value *next_after_writes; /* named by the plan, for an end that names nothing */
};

/* ---- phases.c ---- */
/* Loads the runbook and goes through its phases until there is a verdict. */
void mb_run_phases(mb_run *run);
/* Loads the runbook into a script of its own, which becomes the run's. 0, or -1. */
int mb_run_load(mb_run *run, mb_error *error);
/* Calls the function of a phase with args, plan and applied, as many as it takes. 0, or -1 after
 * ending the run. */
int mb_run_call_phase(mb_run *run, mb_phase phase, size_t arg_count, const mb_value **result);
const char *mb_phase_name(mb_phase phase);
/* Moves the run's deadline, also while a phase is under way. */
void mb_run_extend(mb_run *run, int64_t nanoseconds);

/* Begins the run's time: from now, as long as options or manifest give it. */
void mb_run_set_deadline(mb_run *run);

/* ---- undo.c ---- */
/* Undoes what an ended run has done, when it ended badly, its runbook can, and it is wanted. */
void mb_run_undo(mb_run *run);

/* ---- outcome.c ---- */
/* Ends the run: a verdict with a sentence about it (printf), unless it has ended already. */
void mb_run_end(mb_run *run, mb_verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Ends the run with an error of the phase under way. */
void mb_run_end_error(mb_run *run, const mb_error *error);
/* What plan() returned: ends the run when it says nothing_to_do or refuse. */
void mb_run_take_plan(mb_run *run, const mb_value *plan);
/* What apply(), verify() or diagnose() returned: ends the run when it names a verdict. */
void mb_run_take_outcome(mb_run *run, const mb_value *result);
/* Ends the run as check_failed when a check has failed. */
void mb_run_take_checks(mb_run *run);
/* Copies text as what the run ended with; the verdict's summary when memory has run out. */
void mb_run_set_message(mb_run *run, const char *text);
/* Appends how steps of step_log ended, from the one at `from` up to the one before `to`, after
 * `lead`; nothing when there are none. */
void mb_run_add_steps(mb_buffer *text, const mb_run *run, const char *lead, size_t from, size_t to);
/* Ends the run as done. */
void mb_run_end_done(mb_run *run);

/* ---- hooks.c ---- */
mb_script_hooks mb_run_hooks(mb_run *run);
/* Asks the operator, with the time that takes given back to the run's deadline. */
bool mb_run_ask(mb_run *run, const mb_value *plan, const mb_value *changes, const char *phrase);

/* ---- events.c ---- */
/* An event being built. Every function below may be called after a failure; the event is then not
 * sent and the run notes that one was lost. */
typedef struct mb_event_draft {
  mb_run *run;
  mb_arena *arena; /* NULL: nobody listens, or no memory */
  mb_value *data;
  bool failed;
} mb_event_draft;

void mb_event_open(mb_event_draft *draft, mb_run *run);
void mb_event_text(mb_event_draft *draft, const char *key, const char *text); /* NULL: leaves out */
void mb_event_integer(mb_event_draft *draft, const char *key, int64_t integer);
void mb_event_number(mb_event_draft *draft, const char *key, double number);
void mb_event_boolean(mb_event_draft *draft, const char *key, bool boolean);
void mb_event_value(mb_event_draft *draft, const char *key, const mb_value *value);
void mb_event_error(mb_event_draft *draft, const char *key, const mb_error *error);
void mb_event_send(mb_event_draft *draft, mb_event_type type);

/* The map of an error: kind, code, message, and what else is known. -1 when memory has run out. */
int mb_error_to_value(mb_arena *arena, mb_value *out, const mb_error *error);

/* How the run ended: verdict, exit_code, message, cause?, evidence?, details?, error?. */
void mb_event_ending(mb_event_draft *draft);
void mb_run_tell_started(mb_run *run);
void mb_run_tell_finished(mb_run *run);

#endif
