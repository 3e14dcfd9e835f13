/* Writing a model as text: the form that is checked in.
 *
 * One fact per line, so that a newer botocore shows as a small difference. The first line is
 * `moonbook-model 1 NAMESPACE BOTOCORE`. Then come, in this order and each at the start of a line:
 *
 *   id, api, endpoint, signing, target, json, xmlns TEXT   the service's own words
 *   protocol NAME, flags WORD...
 *   structure|list|map|string|... NAME [ATTRIBUTE...]      a shape; its members follow, one a line
 *    NAME SHAPE [ATTRIBUTE...]                             (a list has `member`, a map `key`,
 * `value`) operation NAME INPUT OUTPUT [ATTRIBUTE...]             `-` where there is none errors
 * SHAPE... paginator OPERATION                                    input, output, result, more,
 * limit, other result EXPRESSION waiter NAME OPERATION SECONDS ATTEMPTS STATE MATCHER EXPECTED
 * [EXPRESSION]                   EXPECTED is JSON rules JSON the endpoint rules, without their
 * prose
 *
 * A member's shape is `.` when it has the member's name with a capital first letter; an input or
 * output
 * `+Request` is named after the operation with that ending. An attribute is a word of text_words.c
 * or `key=value`. Of members, `!` is required, `@header` a place other than the body, and the name
 * on the wire is `=name`, or `^` when it is given and the same, or `~` when only the case of its
 * first letter differs. White space, control characters and
 * `%` inside a value are written as %XX. Lines that are empty or start with `#` say nothing.
 *
 * Only facts are written: snake_case names, translated expressions and derived paginators are made
 * again when the text is packed. */
#include "aws/model/text.h"

#include "aws/model/builder.h"
#include "aws/model/names.h"

#include <string.h>

static void add_escaped(mb_buffer *out, const char *text, bool keep_spaces) {
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c < ' ' || c == '%' || c == 0x7f || (c == ' ' && !keep_spaces))
      mb_buffer_addf(out, "%%%c%c", "0123456789ABCDEF"[c >> 4], "0123456789ABCDEF"[c & 15]);
    else
      mb_buffer_add_char(out, *text);
  }
}

static void add_word(mb_buffer *out, const char *text) {
  mb_buffer_add_char(out, ' ');
  add_escaped(out, text, false);
}

static void add_flags(mb_buffer *out, const mb_word_flag *words, uint32_t flags) {
  for (; words->word; words++)
    if (flags & words->flag)
      mb_buffer_addf(out, " %s", words->word);
}

static void add_attribute(mb_buffer *out, const char *key, const char *value) {
  mb_buffer_addf(out, " %s=", key);
  add_escaped(out, value, false);
}

static void add_fields(mb_buffer *out, const mb_model *model, const mb_word_field *fields,
                       const void *record) {
  for (; fields->key; fields++) {
    mb_text text;
    memcpy(&text, (const char *)record + fields->offset, sizeof text);
    if (strcmp(mb_model_text(model, text), fields->usual) != 0)
      add_attribute(out, fields->key, mb_model_text(model, text));
  }
}

/* ---- the service ----------------------------------------------------------------------------- */

static void write_fact(mb_buffer *out, const mb_model *model, const mb_word_fact *fact) {
  const char *text = mb_model_text(model, model->service[fact->place]);
  bool usual = fact->place == MB_SERVICE_SIGNING_NAME &&
               strcmp(text, mb_model_text(model, model->service[MB_SERVICE_ENDPOINT_PREFIX])) == 0;
  if (*text == '\0' || usual)
    return;
  mb_buffer_addf(out, "%s ", fact->word);
  add_escaped(out, text, true);
  mb_buffer_add_char(out, '\n');
}

static void write_service(mb_buffer *out, const mb_model *model) {
  mb_buffer_add_text(out, MB_MODEL_TEXT_HEADER " " MB_MODEL_TEXT_VERSION);
  add_word(out, mb_model_text(model, model->service[MB_SERVICE_NAMESPACE]));
  add_word(out, mb_model_text(model, model->service[MB_SERVICE_BOTOCORE]));
  mb_buffer_add_char(out, '\n');
  for (const mb_word_fact *fact = mb_word_facts; fact->word; fact++)
    if (fact->place != MB_SERVICE_RULES)
      write_fact(out, model, fact);
  if (model->protocol >= MB_PROTOCOL_JSON && model->protocol <= MB_PROTOCOL_CBOR)
    mb_buffer_addf(out, "protocol %s\n", mb_protocol_names[model->protocol - 1]);
  if (model->flags) {
    mb_buffer_add_text(out, "flags");
    add_flags(out, mb_word_service_flags, model->flags);
    mb_buffer_add_char(out, '\n');
  }
}

/* ---- shapes ---------------------------------------------------------------------------------- */

static void add_wire(mb_buffer *out, const mb_model *model, const mb_member *member) {
  const char *name = mb_model_text(model, member->name);
  const char *wire = mb_model_text(model, member->wire);
  if (!(member->flags & MB_MEMBER_HAS_WIRE))
    return;
  bool letters = ((name[0] | 0x20) >= 'a' && (name[0] | 0x20) <= 'z');
  if (strcmp(name, wire) == 0) {
    mb_buffer_add_text(out, " ^");
  } else if (letters && wire[0] == (name[0] ^ 0x20) && strcmp(name + 1, wire + 1) == 0) {
    mb_buffer_add_text(out, " ~");
  } else {
    mb_buffer_add_text(out, " =");
    add_escaped(out, wire, false);
  }
}

static void add_format(mb_buffer *out, uint8_t format) {
  if (format > 0 && format <= MB_TIMESTAMP_HTTP)
    add_attribute(out, "format", mb_timestamp_format_names[format]);
}

/* The name of a member's shape, or "." when it is the member's own with a capital first letter. */
static void add_member_shape(mb_buffer *out, const char *member, const char *shape) {
  bool lower = member[0] >= 'a' && member[0] <= 'z';
  char first = lower ? (char)(member[0] ^ 0x20) : member[0];
  bool same = first != '\0' && shape[0] == first && strcmp(member + 1, shape + 1) == 0;
  add_word(out, same ? "." : shape);
}

static void write_member(mb_buffer *out, const mb_model *model, const mb_member *member) {
  const mb_shape *shape = mb_model_shape(model, member->shape);
  add_word(out, mb_model_text(model, member->name));
  add_member_shape(out, mb_model_text(model, member->name),
                   shape ? mb_model_text(model, shape->name) : "");
  if (member->location > 0 && member->location <= MB_LOCATION_STATUS)
    mb_buffer_addf(out, " @%s", mb_location_names[member->location]);
  add_wire(out, model, member);
  add_flags(out, mb_word_member_flags, member->flags);
  add_format(out, member->format);
  add_fields(out, model, mb_word_member_fields, member);
  mb_buffer_add_char(out, '\n');
}

static void write_shape(mb_buffer *out, const mb_model *model, const mb_shape *shape) {
  const mb_member *members = mb_model_members(model, shape);
  const mb_member *payload = mb_model_member_at(model, shape->payload);
  bool known = shape->type >= MB_SHAPE_STRUCTURE && shape->type <= MB_SHAPE_DOCUMENT;
  mb_buffer_add_text(out, known ? mb_shape_type_names[shape->type - 1] : "unknown");
  add_word(out, mb_model_text(model, shape->name));
  add_flags(out, mb_word_shape_flags, shape->flags);
  add_format(out, shape->format);
  if (payload)
    add_attribute(out, "payload", mb_model_text(model, payload->name));
  if (shape->flags & MB_SHAPE_HAS_MIN)
    mb_buffer_addf(out, " min=%lld", (long long)shape->min);
  if (shape->error_status)
    mb_buffer_addf(out, " status=%lu", (unsigned long)shape->error_status);
  add_fields(out, model, mb_word_shape_fields, shape);
  mb_buffer_add_char(out, '\n');
  for (uint32_t i = 0; members && i < shape->member_count; i++)
    write_member(out, model, &members[i]);
}

/* ---- operations ------------------------------------------------------------------------------ */

static void add_wrapper(mb_buffer *out, const mb_model *model, const mb_operation *operation) {
  const char *name = mb_model_text(model, operation->name);
  const char *wrapper = mb_model_text(model, operation->result_wrapper);
  size_t size = strlen(name);
  if (strncmp(wrapper, name, size) == 0 && strcmp(wrapper + size, "Result") == 0)
    mb_buffer_add_text(out, " wrapper");
  else if (*wrapper)
    add_attribute(out, "wrapper", wrapper);
}

static void write_errors(mb_buffer *out, const mb_model *model, const mb_operation *operation) {
  if (operation->error_count == 0)
    return;
  mb_buffer_add_text(out, " errors");
  for (uint32_t i = 0; i < operation->error_count; i++) {
    const mb_shape *shape = mb_model_error_at(model, operation, i);
    if (!shape) /* a damaged block may promise any number of them */
      break;
    add_word(out, mb_model_text(model, shape->name));
  }
  mb_buffer_add_char(out, '\n');
}

/* "-" for none, "+Request" for the operation's name with that ending, else the shape's name. */
static void add_body(mb_buffer *out, const mb_model *model, const mb_operation *operation,
                     uint32_t shape_index) {
  const mb_shape *shape = mb_model_shape(model, shape_index);
  const char *name = mb_model_text(model, operation->name);
  const char *text = shape ? mb_model_text(model, shape->name) : "-";
  size_t size = strlen(name);
  if (strncmp(text, name, size) != 0) {
    add_word(out, text);
    return;
  }
  mb_buffer_add_text(out, " +");
  add_escaped(out, text + size, false);
}

static void write_operation(mb_buffer *out, const mb_model *model, uint32_t index) {
  mb_operation operation = *mb_model_operation_at(model, index);
  const mb_text *source = mb_packed_record(model, MB_TABLE_OPERATION_SOURCES, index);
  operation.operation_context = *source;
  mb_buffer_add_text(out, "operation");
  add_word(out, mb_model_text(model, operation.name));
  add_body(out, model, &operation, operation.input);
  add_body(out, model, &operation, operation.output);
  add_flags(out, mb_word_operation_flags, operation.flags);
  add_wrapper(out, model, &operation);
  if (operation.response_status != 200)
    mb_buffer_addf(out, " status=%lu", (unsigned long)operation.response_status);
  add_fields(out, model, mb_word_operation_fields, &operation);
  mb_buffer_add_char(out, '\n');
  write_errors(out, model, &operation);
}

/* ---- paginators and waiters ------------------------------------------------------------------ */

/* One line per expression of a newline-separated list. */
static void write_expressions(mb_buffer *out, const char *word, const char *list) {
  while (*list) {
    const char *end = strchr(list, '\n');
    size_t size = end ? (size_t)(end - list) : strlen(list);
    mb_buffer_addf(out, " %s ", word);
    for (size_t i = 0; i < size; i++) {
      char one[2] = {list[i], '\0'};
      add_escaped(out, one, true);
    }
    mb_buffer_add_char(out, '\n');
    list = end ? end + 1 : list + size;
  }
}

static void write_paginator(mb_buffer *out, const mb_model *model, const mb_operation *operation) {
  const mb_paginator *paginator = mb_model_paginator(model, operation);
  if (!paginator || paginator->derived)
    return;
  const mb_paginator_source *source =
      mb_packed_record(model, MB_TABLE_PAGINATOR_SOURCES, operation->paginator);
  mb_buffer_add_text(out, "paginator");
  add_word(out, mb_model_text(model, operation->name));
  mb_buffer_add_char(out, '\n');
  for (int field = 0; field < MB_PAGE_FIELDS; field++)
    write_expressions(out, mb_word_paginator_fields[field],
                      mb_model_text(model, source->fields[field]));
}

static void write_acceptor(mb_buffer *out, const mb_model *model, const mb_waiter *waiter,
                           uint32_t index) {
  const mb_acceptor *acceptor = &mb_model_acceptors(model, waiter)[index];
  const mb_text *source =
      mb_packed_record(model, MB_TABLE_ACCEPTOR_SOURCES, waiter->acceptors + index);
  const char *argument = mb_model_text(model, *source);
  const char *expected = mb_model_text(model, acceptor->expected);
  if (acceptor->state < MB_ACCEPTOR_SUCCESS || acceptor->state > MB_ACCEPTOR_RETRY ||
      acceptor->matcher < MB_MATCHER_PATH || acceptor->matcher > MB_MATCHER_ERROR)
    return;
  mb_buffer_addf(out, " %s %s", mb_state_names[acceptor->state - 1],
                 mb_matcher_names[acceptor->matcher - 1]);
  add_word(out, *expected ? expected : "-");
  if (*argument) {
    mb_buffer_add_char(out, ' ');
    add_escaped(out, argument, true);
  }
  mb_buffer_add_char(out, '\n');
}

static void write_waiter(mb_buffer *out, const mb_model *model, const mb_waiter *waiter) {
  const mb_operation *operation = mb_model_waiter_operation(model, waiter);
  const mb_acceptor *acceptors = mb_model_acceptors(model, waiter);
  mb_buffer_add_text(out, "waiter");
  add_word(out, mb_model_text(model, waiter->name));
  add_word(out, operation ? mb_model_text(model, operation->name) : "-");
  mb_buffer_addf(out, " %lu %lu\n", (unsigned long)waiter->delay_seconds,
                 (unsigned long)waiter->max_attempts);
  for (uint32_t i = 0; acceptors && i < waiter->acceptor_count; i++)
    write_acceptor(out, model, waiter, i);
}

int mb_model_write_text(mb_buffer *out, const mb_model *model, mb_error *error) {
  uint32_t operations = (uint32_t)mb_model_operation_count(model);
  write_service(out, model);
  for (uint32_t i = 0; i < model->tables[MB_TABLE_SHAPES].count; i++)
    write_shape(out, model, mb_model_shape(model, i));
  for (uint32_t i = 0; i < operations; i++)
    write_operation(out, model, i);
  for (uint32_t i = 0; i < operations; i++)
    write_paginator(out, model, mb_model_operation_at(model, i));
  for (size_t i = 0; i < mb_model_waiter_count(model); i++)
    write_waiter(out, model, mb_model_waiter_at(model, i));
  for (const mb_word_fact *fact = mb_word_facts; fact->word; fact++)
    if (fact->place == MB_SERVICE_RULES)
      write_fact(out, model, fact);
  if (out->failed && out->too_large)
    return mb_error_set(error, MB_ERROR_USAGE, "InvalidModel",
                        "the model's text is larger than its buffer");
  return out->failed ? mb_error_memory(error) : 0;
}
