/* Declarations of service operations and waiters, made from the models: what help, `uses`, plan
 * mode and the IAM policy see of them. */
#include "call/declare.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "call/arguments.h"
#include <string.h>

#define SINCE            "0.1.0" /* operations came with the first release */
#define SHOWN_MEMBERS    12      /* of a structure, in one line of doc */
#define DOC_LIMIT        4096    /* bytes of one line */
#define WAITER_ARGUMENTS 2       /* delay, max_attempts */

static const char *keep_text(mb_arena *arena, mb_buffer *buffer) {
  const char *text = NULL;
  if (!buffer->failed)
    text = mb_arena_strndup(arena, mb_buffer_text(buffer), buffer->size);
  mb_buffer_dispose(buffer);
  return text;
}

/* ---- types as text ---- */

static void add_members(mb_buffer *out, const mb_model *model, const mb_shape *shape) {
  const mb_member *members = mb_model_members(model, shape);
  mb_buffer_add_text(out, " {");
  for (uint32_t i = 0; i < shape->member_count && i < SHOWN_MEMBERS; i++) {
    if (i > 0)
      mb_buffer_add_text(out, ", ");
    mb_buffer_add_text(out, mb_model_text(model, members[i].snake));
  }
  mb_buffer_add_text(out, shape->member_count > SHOWN_MEMBERS ? ", ...}" : "}");
}

static const char *scalar_name(uint8_t type) {
  switch (type) {
  case MB_SHAPE_STRING:
    return "string";
  case MB_SHAPE_BLOB:
    return "bytes";
  case MB_SHAPE_BOOLEAN:
    return "boolean";
  case MB_SHAPE_INTEGER:
  case MB_SHAPE_LONG:
    return "integer";
  case MB_SHAPE_FLOAT:
  case MB_SHAPE_DOUBLE:
    return "number";
  case MB_SHAPE_TIMESTAMP:
    return "timestamp";
  default:
    return "any value";
  }
}

/* "list of Tag {key, value}", "map of string to string". Lists and maps nest; structures are named
 * with their members, one level deep. */
static void add_type(mb_buffer *out, const mb_model *model, uint32_t index, int depth) {
  const mb_shape *shape = mb_model_shape(model, index);
  const mb_member *members = mb_model_members(model, shape);
  if (shape->type == MB_SHAPE_STRUCTURE) {
    mb_buffer_add_text(out, mb_model_text(model, shape->name));
    if (depth < 2 && shape->member_count > 0)
      add_members(out, model, shape);
  } else if (shape->type == MB_SHAPE_LIST && depth < 4) {
    mb_buffer_add_text(out, "list of ");
    add_type(out, model, members[0].shape, depth + 1);
  } else if (shape->type == MB_SHAPE_MAP && depth < 4) {
    mb_buffer_add_text(out, "map of ");
    add_type(out, model, members[0].shape, depth + 1);
    mb_buffer_add_text(out, " to ");
    add_type(out, model, members[1].shape, depth + 1);
  } else {
    mb_buffer_add_text(out, shape->type == MB_SHAPE_LIST  ? "list"
                            : shape->type == MB_SHAPE_MAP ? "map"
                                                          : scalar_name(shape->type));
  }
}

static const char *argument_doc(mb_arena *arena, const mb_model *model, const mb_member *member) {
  mb_buffer doc = MB_BUFFER_INIT(DOC_LIMIT);
  const mb_shape *shape = mb_model_shape(model, member->shape);
  if (shape->type == MB_SHAPE_STRUCTURE)
    mb_buffer_add_text(&doc, shape->flags & MB_SHAPE_UNION ? "one of " : "structure ");
  add_type(&doc, model, member->shape, 0);
  if (shape->type == MB_SHAPE_TIMESTAMP)
    mb_buffer_add_text(&doc, ": seconds since 1970, or text such as 2026-11-23T14:00:00Z");
  if (member->flags & MB_MEMBER_IDEMPOTENCY_TOKEN)
    mb_buffer_add_text(&doc, " (filled in when absent: repeats with the same are dropped)");
  if (member->flags & MB_MEMBER_DEPRECATED)
    mb_buffer_add_text(&doc, " (deprecated)");
  return keep_text(arena, &doc);
}

static mb_argument_type argument_type(const mb_model *model, const mb_shape *shape) {
  switch (shape->type) {
  case MB_SHAPE_STRUCTURE:
  case MB_SHAPE_MAP:
    return MB_ARGUMENT_MAP;
  case MB_SHAPE_LIST: {
    const mb_member *item = mb_model_members(model, shape);
    bool strings = mb_model_shape(model, item->shape)->type == MB_SHAPE_STRING;
    return strings ? MB_ARGUMENT_STRINGS : MB_ARGUMENT_LIST;
  }
  case MB_SHAPE_STRING:
  case MB_SHAPE_BLOB:
    return MB_ARGUMENT_STRING;
  case MB_SHAPE_BOOLEAN:
    return MB_ARGUMENT_BOOLEAN;
  case MB_SHAPE_INTEGER:
  case MB_SHAPE_LONG:
    return MB_ARGUMENT_INTEGER;
  case MB_SHAPE_FLOAT:
  case MB_SHAPE_DOUBLE:
    return MB_ARGUMENT_NUMBER;
  default:
    return MB_ARGUMENT_ANY; /* timestamps: a number or text */
  }
}

/* ---- arguments and results ---- */

static int add_waiter_arguments(mb_arena *arena, const mb_waiter *waiter, mb_argument *out) {
  out[0].name = MB_ARGUMENT_DELAY;
  out[0].type = MB_ARGUMENT_DURATION;
  out[0].doc = mb_arena_printf(arena, "pause between two looks; %u seconds when absent",
                               (unsigned)waiter->delay_seconds);
  out[1].name = MB_ARGUMENT_ATTEMPTS;
  out[1].type = MB_ARGUMENT_INTEGER;
  out[1].doc = mb_arena_printf(arena, "looks before it gives up; %u when absent",
                               (unsigned)waiter->max_attempts);
  return out[0].doc && out[1].doc ? 0 : -1;
}

static const mb_argument *declare_arguments(mb_arena *arena, const mb_model *model,
                                            const mb_operation *operation,
                                            const mb_waiter *waiter) {
  const mb_shape *input =
      operation->input == MB_NO_INDEX ? NULL : mb_model_shape(model, operation->input);
  size_t count = input ? input->member_count : 0;
  mb_argument *arguments = mb_arena_zero(arena, (count + WAITER_ARGUMENTS + 1) * sizeof *arguments);
  if (!arguments)
    return NULL;
  for (size_t i = 0; i < count; i++) {
    const mb_member *member = &mb_model_members(model, input)[i];
    arguments[i].name = mb_model_text(model, member->snake);
    arguments[i].type = argument_type(model, mb_model_shape(model, member->shape));
    arguments[i].required = (member->flags & MB_MEMBER_REQUIRED) != 0;
    arguments[i].doc = argument_doc(arena, model, member);
    if (!arguments[i].doc)
      return NULL;
  }
  if (waiter && add_waiter_arguments(arena, waiter, arguments + count) != 0)
    return NULL;
  return arguments;
}

static const char *declare_results(mb_arena *arena, const mb_model *model,
                                   const mb_operation *operation) {
  const mb_shape *output =
      operation->output == MB_NO_INDEX ? NULL : mb_model_shape(model, operation->output);
  if (!output || output->member_count == 0)
    return "nothing";
  mb_buffer text = MB_BUFFER_INIT(DOC_LIMIT);
  const mb_member *members = mb_model_members(model, output);
  for (uint32_t i = 0; i < output->member_count; i++) {
    if (i > 0)
      mb_buffer_add_text(&text, ", ");
    mb_buffer_add_text(&text, mb_model_text(model, members[i].snake));
  }
  return keep_text(arena, &text);
}

const char *mb_declare_summary(mb_arena *arena, const mb_model *model,
                               const mb_operation *operation, const mb_waiter *waiter) {
  mb_service service;
  mb_model_service(model, &service);
  const char *name = mb_model_text(model, operation->name);
  if (!waiter)
    return mb_arena_printf(arena, "%s of %s%s", name, service.service_id,
                           operation->flags & MB_OPERATION_DEPRECATED ? " (deprecated)" : "");
  return mb_arena_printf(arena, "Waits for %s of %s: %s every %u seconds, at most %u times",
                         mb_model_text(model, waiter->name), service.service_id, name,
                         (unsigned)waiter->delay_seconds, (unsigned)waiter->max_attempts);
}

/* ---- the whole ---- */

mb_binding *mb_declare(mb_arena *arena, const char *name, const mb_model *model,
                       const mb_operation *operation, const mb_waiter *waiter) {
  mb_binding *binding = mb_arena_zero(arena, sizeof *binding);
  if (!binding)
    return NULL;
  binding->payload = binding;
  binding->model = model;
  binding->operation = operation;
  binding->waiter = waiter;
  binding->pages = !waiter && operation->paginator != MB_NO_INDEX;
  mb_primitive *primitive = &binding->primitive;
  primitive->name = name;
  primitive->since = SINCE;
  primitive->start = mb_operation_start;
  primitive->cancel = mb_operation_cancel;
  primitive->effect = mb_operation_effect(model, operation);
  primitive->recovery = waiter ? MB_RECOVERY_WAIT : mb_operation_recovery(model, operation);
  primitive->summary = mb_declare_summary(arena, model, operation, waiter);
  primitive->arguments = declare_arguments(arena, model, operation, waiter);
  primitive->results = declare_results(arena, model, operation);
  if (!primitive->summary || !primitive->arguments || !primitive->results ||
      mb_operation_actions(arena, model, operation, &primitive->iam_actions) != 0)
    return NULL;
  return binding;
}
