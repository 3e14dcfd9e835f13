/* The client itself: its settings, its credentials chain, and the list of what is under way. One
 * call's life is in client_call.c. */
#include "aws/client.h"
#include "aws/client_internal.h"
#include "base/memory.h"
#include "base/text.h"
#include <moonbook/version.h>
#include <string.h>
#include <sys/utsname.h>

static int copy_option(mb_arena *arena, const char *from, const char **out) {
  *out = from ? mb_arena_strdup(arena, from) : NULL;
  return from && !*out ? -1 : 0;
}

mb_aws *mb_aws_new(mb_loop *loop, const mb_settings_options *options, mb_error *error) {
  mb_aws *aws = mb_alloc_zero(1, sizeof *aws);
  mb_arena *arena = aws ? mb_arena_new(0) : NULL;
  if (!arena) {
    mb_free(aws);
    mb_error_memory(error);
    return NULL;
  }
  aws->loop = loop;
  aws->system = mb_loop_system(loop);
  aws->arena = arena;
  aws->quota.available = MB_RETRY_QUOTA;
  if (options && (copy_option(arena, options->profile, &aws->options.profile) != 0 ||
                  copy_option(arena, options->region, &aws->options.region) != 0 ||
                  copy_option(arena, options->endpoint_url, &aws->options.endpoint_url) != 0)) {
    mb_aws_free(aws);
    mb_error_memory(error);
    return NULL;
  }
  return aws;
}

void mb_aws_free(mb_aws *aws) {
  if (!aws)
    return;
  /* The calls go before the chain: they take back what they asked of it. */
  while (aws->calls)
    aws->calls->dispose(aws->calls);
  mb_credentials_chain_free(aws->chain);
  while (aws->services) {
    mb_service_entry *entry = aws->services;
    aws->services = entry->next;
    mb_aws_service_free(entry);
  }
  if (aws->loaded)
    mb_settings_dispose(&aws->settings);
  mb_arena_free(aws->arena);
  mb_free(aws);
}

/* ---- the user agent ---- */

/* Appends one component, with everything a header may not hold there replaced. */
static void add_component(mb_buffer *out, const char *text) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "!$%&'*+-.^_`|~,";
  for (; *text; text++)
    mb_buffer_add_char(out, strchr(allowed, *text) ? *text : '-');
}

static int keep_text(mb_arena *arena, mb_buffer *from, const char **out, mb_error *error) {
  *out = from->failed ? NULL : mb_arena_strdup(arena, mb_buffer_text(from));
  mb_buffer_dispose(from);
  return *out ? 0 : mb_error_memory(error);
}

static int make_agent(mb_aws *aws, mb_error *error) {
  struct utsname machine;
  mb_buffer head = MB_BUFFER_INIT(1024), tail = MB_BUFFER_INIT(1024);
  const char *place = mb_getenv(aws->system, "AWS_EXECUTION_ENV");
  mb_buffer_add_text(&head, "moonbook/" MB_VERSION " ua/2.1");
  if (uname(&machine) == 0) {
    mb_buffer_add_text(&head, " os/linux#");
    add_component(&head, machine.release);
    mb_buffer_add_text(&head, " md/arch#");
    add_component(&head, machine.machine);
  }
  mb_buffer_add_text(&head, " lang/c#11");
  if (place) {
    mb_buffer_add_text(&head, " exec-env/");
    add_component(&head, place);
  }
  mb_buffer_add_text(&head, " m/E");
  mb_buffer_add_text(&tail, " cfg/retry-mode#standard");
  if (aws->settings.app_id) {
    mb_buffer_add_text(&tail, " app/");
    add_component(&tail, aws->settings.app_id);
  }
  if (keep_text(aws->arena, &head, &aws->agent_head, error) != 0) {
    mb_buffer_dispose(&tail);
    return -1;
  }
  return keep_text(aws->arena, &tail, &aws->agent_tail, error);
}

/* Inside a Lambda function its trace id is passed on, so that a function that calls itself over and
 * over can be noticed. */
static int make_trace_id(mb_aws *aws, mb_error *error) {
  const char *trace = mb_getenv(aws->system, "_X_AMZN_TRACE_ID");
  mb_buffer text = MB_BUFFER_INIT(4096);
  if (!trace || !mb_getenv(aws->system, "AWS_LAMBDA_FUNCTION_NAME"))
    return 0;
  mb_text_add_uri(&text, trace, strlen(trace), "=;:+&[]{}\"',");
  return keep_text(aws->arena, &text, &aws->trace_id, error);
}

/* ---- settings and credentials ---- */

const mb_settings *mb_aws_settings(mb_aws *aws, mb_error *error) {
  if (aws->loaded)
    return &aws->settings;
  if (mb_settings_load(&aws->settings, aws->system, &aws->options, error) != 0)
    return NULL;
  if (make_agent(aws, error) != 0 || make_trace_id(aws, error) != 0) {
    mb_settings_dispose(&aws->settings);
    return NULL;
  }
  aws->loaded = true;
  return &aws->settings;
}

mb_credentials_chain *mb_aws_chain(mb_aws *aws, mb_error *error) {
  if (!aws->chain)
    aws->chain = mb_credentials_chain_new(&aws->settings, aws->loop, aws, error);
  return aws->chain;
}

void mb_aws_get_counts(const mb_aws *aws, mb_aws_counts *out) {
  *out = aws->counts;
}

/* ---- what is under way ---- */

void mb_aws_call_link(mb_aws_call *call, mb_aws *aws, mb_aws_call **owner,
                      void (*dispose)(mb_aws_call *call)) {
  call->aws = aws;
  call->owner = owner;
  call->dispose = dispose;
  call->previous = NULL;
  call->next = aws->calls;
  if (call->next)
    call->next->previous = call;
  aws->calls = call;
  if (owner)
    *owner = call;
}

void mb_aws_call_unlink(mb_aws_call *call) {
  if (call->previous)
    call->previous->next = call->next;
  else
    call->aws->calls = call->next;
  if (call->next)
    call->next->previous = call->previous;
  if (call->owner)
    *call->owner = NULL;
}

void mb_aws_cancel(mb_aws_call *call) {
  if (call)
    call->dispose(call);
}

mb_aws_call *mb_aws_start(mb_aws *aws, mb_arena *arena, const mb_aws_request *request,
                          mb_aws_callback callback, void *payload) {
  mb_aws_call *call = NULL;
  mb_aws_launch(aws, arena, request, NULL, callback, payload, &call);
  if (call)
    call->owner = NULL; /* `call` is this function's: the caller keeps the pointer now */
  return call;
}

void mb_aws_refuse(const mb_aws_request *request, const mb_error *error, mb_aws_callback callback,
                   void *payload) {
  mb_aws_result result = {.failed = true, .error_shape = "", .request_id = ""};
  if (error)
    result.error = *error;
  else
    mb_error_memory(&result.error);
  mb_error_context context = {.model = request->model, .operation = request->operation};
  mb_aws_complete_error(&context, &result.error);
  callback(&result, payload);
}
