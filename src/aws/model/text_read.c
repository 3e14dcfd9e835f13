/* Reading the text form of a model (described in text.c). Every line is checked, and what is wrong
 * is told with its line. */
#include "aws/model/draft.h"

#include "aws/model/builder.h"
#include "aws/model/names.h"
#include "aws/model/text.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

typedef enum block {
  BLOCK_NONE,
  BLOCK_SHAPE,
  BLOCK_OPERATION,
  BLOCK_PAGINATOR,
  BLOCK_WAITER
} block;

typedef struct reader {
  mb_draft *draft;
  mb_error *error;
  const char *at, *end; /* what is left of the line */
  uint32_t line;
  block block; /* what lines that begin with a space belong to */
  mb_draft_paginator *paginator;
} reader;

static int fail(reader *in, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(reader *in, const char *format, ...) {
  char message[512];
  va_list list;
  if (in->draft->failed)
    return mb_error_memory(in->error);
  va_start(list, format);
  vsnprintf(message, sizeof message, format, list);
  va_end(list);
  mb_error_set(in->error, MB_ERROR_USAGE, "InvalidModel", "line %lu: %s", (unsigned long)in->line,
               message);
  return mb_error_next(in->error, "Import the model again; src/aws/models/README.md says how");
}

/* ---- words ----------------------------------------------------------------------------------- */

static int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Copies text with its %XX undone. NULL when memory has run out or an escape is wrong. */
static const char *unescape(reader *in, const char *text, size_t size) {
  char *copy = mb_arena_alloc(in->draft->arena, size + 1);
  size_t used = 0;
  if (!copy) {
    in->draft->failed = true;
    return NULL;
  }
  for (size_t i = 0; i < size; i++) {
    if (text[i] != '%') {
      copy[used++] = text[i];
      continue;
    }
    int high = i + 2 < size ? hex_digit(text[i + 1]) : -1;
    int low = i + 2 < size ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0 || high + low == 0)
      return NULL;
    copy[used++] = (char)(high * 16 + low);
    i += 2;
  }
  copy[used] = '\0';
  return copy;
}

static bool more(const reader *in) {
  return in->at < in->end;
}

/* The next word of the line, NULL at its end (and for a word that is empty or badly escaped). */
static const char *take_word(reader *in) {
  const char *start = in->at;
  const char *space = start < in->end ? memchr(start, ' ', (size_t)(in->end - start)) : NULL;
  const char *end = space ? space : in->end;
  in->at = space ? space + 1 : in->end;
  return end > start ? unescape(in, start, (size_t)(end - start)) : NULL;
}

/* What is left of the line. */
static const char *take_rest(reader *in) {
  const char *start = in->at;
  in->at = in->end;
  return start < in->end ? unescape(in, start, (size_t)(in->end - start)) : NULL;
}

static int to_number(reader *in, const char *text, int64_t low, int64_t high, int64_t *out) {
  if (text && mb_parse_integer(text, strlen(text), out) == 0 && *out >= low && *out <= high)
    return 0;
  return fail(in, "%.80s is not a number that fits here", text ? text : "nothing");
}

static bool set_flag(const mb_word_flag *words, const char *word, uint32_t *flags) {
  for (; words->word; words++) {
    if (strcmp(words->word, word) == 0) {
      *flags |= words->flag;
      return true;
    }
  }
  return false;
}

/* The value behind `key=`, or NULL when the word has another key. */
static const char *value_of(const char *word, const char *key) {
  size_t size = strlen(key);
  return strncmp(word, key, size) == 0 && word[size] == '=' ? word + size + 1 : NULL;
}

static bool set_field(reader *in, const mb_word_field *fields, const char *word, void *record) {
  for (; fields->key; fields++) {
    const char *value = value_of(word, fields->key);
    if (!value)
      continue;
    mb_text text = mb_draft_string(in->draft, value);
    memcpy((char *)record + fields->offset, &text, sizeof text);
    return true;
  }
  return false;
}

static int unknown(reader *in, const char *word) {
  return fail(in, "unknown word %.80s", word ? word : "(none, or a bad escape)");
}

/* ---- shapes ---------------------------------------------------------------------------------- */

static int set_format(reader *in, const char *value, uint8_t *out) {
  int at = mb_name_position(mb_timestamp_format_names, value, strlen(value));
  if (at <= 0)
    return fail(in, "unknown timestamp format %.80s", value);
  *out = (uint8_t)at;
  return 0;
}

static int shape_number(reader *in, mb_shape *record, const char *word) {
  const char *min = value_of(word, "min"), *status = value_of(word, "status");
  int64_t number = 0;
  if (min) {
    record->flags |= MB_SHAPE_HAS_MIN;
    return to_number(in, min, INT64_MIN, INT64_MAX, &record->min);
  }
  if (!status)
    return unknown(in, word);
  if (to_number(in, status, 1, 999, &number) != 0)
    return -1;
  record->error_status = (uint32_t)number;
  return 0;
}

static int shape_attribute(reader *in, mb_draft_shape *made, const char *word) {
  const char *format = value_of(word, "format"), *payload = value_of(word, "payload");
  uint32_t flags = made->record.flags;
  if (set_flag(mb_word_shape_flags, word, &flags)) {
    made->record.flags = (uint16_t)flags;
    return 0;
  }
  if (set_field(in, mb_word_shape_fields, word, &made->record))
    return 0;
  if (format)
    return set_format(in, format, &made->record.format);
  if (!payload)
    return shape_number(in, &made->record, word);
  made->payload = mb_draft_string(in->draft, payload);
  return 0;
}

static int read_shape(reader *in, int type) {
  const char *name = take_word(in);
  if (!name)
    return fail(in, "a shape without a name");
  mb_draft_shape *made = mb_draft_add_shape(in->draft, name);
  made->record.type = (uint8_t)(type + 1);
  made->line = in->line;
  in->block = BLOCK_SHAPE;
  while (more(in)) {
    const char *word = take_word(in);
    if (!word)
      return unknown(in, word);
    if (shape_attribute(in, made, word) != 0)
      return -1;
  }
  return 0;
}

/* "^", "~" or "=name". */
static bool set_wire(reader *in, mb_member *record, const char *name, const char *word) {
  if (strcmp(word, "~") == 0) {
    char *toggled = mb_arena_strdup(in->draft->arena, name);
    if (toggled)
      toggled[0] = (char)(toggled[0] ^ 0x20);
    else
      in->draft->failed = true;
    record->wire = mb_draft_string(in->draft, toggled);
  } else if (word[0] == '=') {
    record->wire = mb_draft_string(in->draft, word + 1);
  } else if (strcmp(word, "^") != 0) {
    return false;
  }
  record->flags |= MB_MEMBER_HAS_WIRE;
  return true;
}

static int member_attribute(reader *in, mb_member *record, const char *name, const char *word) {
  uint32_t flags = record->flags;
  const char *format = value_of(word, "format");
  if (set_flag(mb_word_member_flags, word, &flags)) {
    record->flags = (uint16_t)flags;
    return 0;
  }
  if (set_wire(in, record, name, word) || set_field(in, mb_word_member_fields, word, record))
    return 0;
  if (format)
    return set_format(in, format, &record->format);
  int at = *word == '@' ? mb_name_position(mb_location_names, word + 1, strlen(word + 1)) : 0;
  if (at <= 0)
    return unknown(in, word);
  record->location = (uint8_t)at;
  return 0;
}

/* The shape a member names: "." is its own name with a capital first letter. */
static mb_text member_shape(reader *in, const char *name, const char *shape) {
  if (strcmp(shape, ".") != 0)
    return mb_draft_string(in->draft, shape);
  char *own = mb_arena_strdup(in->draft->arena, name);
  if (!own)
    in->draft->failed = true;
  else if (own[0] >= 'a' && own[0] <= 'z')
    own[0] = (char)(own[0] ^ 0x20);
  return mb_draft_string(in->draft, own);
}

static int read_member(reader *in) {
  const char *name = take_word(in), *shape = take_word(in);
  if (!name || !shape)
    return fail(in, "a member needs a name and a shape");
  mb_draft_member *made = mb_draft_add_member(in->draft, name);
  made->record.shape = member_shape(in, name, shape);
  made->line = in->line;
  while (more(in)) {
    const char *word = take_word(in);
    if (!word)
      return unknown(in, word);
    if (member_attribute(in, &made->record, name, word) != 0)
      return -1;
  }
  return 0;
}

/* ---- operations ------------------------------------------------------------------------------ */

static int operation_attribute(reader *in, mb_operation *record, const char *name,
                               const char *word) {
  const char *wrapper = value_of(word, "wrapper"), *status = value_of(word, "status");
  int64_t number = 0;
  if (set_flag(mb_word_operation_flags, word, &record->flags) ||
      set_field(in, mb_word_operation_fields, word, record))
    return 0;
  if (strcmp(word, "wrapper") == 0)
    wrapper = mb_arena_printf(in->draft->arena, "%sResult", name);
  if (wrapper) {
    record->result_wrapper = mb_draft_string(in->draft, wrapper);
    return 0;
  }
  if (!status)
    return unknown(in, word);
  if (to_number(in, status, 1, 999, &number) != 0)
    return -1;
  record->response_status = (uint32_t)number;
  return 0;
}

/* An input or output: "-" is none, "+Request" the operation's name with that ending. */
static mb_text body_shape(reader *in, const char *name, const char *word) {
  if (strcmp(word, "-") == 0)
    return 0;
  if (*word != '+')
    return mb_draft_string(in->draft, word);
  const char *full = mb_arena_printf(in->draft->arena, "%s%s", name, word + 1);
  if (!full)
    in->draft->failed = true;
  return mb_draft_string(in->draft, full);
}

static int read_operation(reader *in) {
  const char *name = take_word(in), *input = take_word(in), *output = take_word(in);
  if (!name || !input || !output)
    return fail(in, "an operation needs a name, an input and an output");
  mb_draft_operation *made = mb_draft_add_operation(in->draft, name);
  made->record.input = body_shape(in, name, input);
  made->record.output = body_shape(in, name, output);
  made->line = in->line;
  in->block = BLOCK_OPERATION;
  while (more(in)) {
    const char *word = take_word(in);
    if (!word)
      return unknown(in, word);
    if (operation_attribute(in, &made->record, name, word) != 0)
      return -1;
  }
  return 0;
}

static int read_errors(reader *in) {
  const char *word = take_word(in);
  if (!word || strcmp(word, "errors") != 0)
    return unknown(in, word);
  while (more(in)) {
    const char *shape = take_word(in);
    if (!shape)
      return unknown(in, shape);
    mb_draft_add_error(in->draft, shape)->line = in->line;
  }
  return 0;
}

/* ---- paginators and waiters ------------------------------------------------------------------ */

static int read_paginator(reader *in) {
  const char *name = take_word(in);
  if (!name || more(in))
    return fail(in, "a paginator has the name of its operation and nothing else");
  in->paginator = mb_draft_add_paginator(in->draft, name);
  in->paginator->line = in->line;
  in->block = BLOCK_PAGINATOR;
  return 0;
}

static int read_page_field(reader *in) {
  const char *word = take_word(in), *expression = take_rest(in);
  int field = word ? mb_name_position(mb_word_paginator_fields, word, strlen(word)) : -1;
  if (field < 0 || !expression)
    return fail(in, "a paginator has lines of input, output, result, more, limit and other");
  mb_text *place = &in->paginator->source.fields[field];
  if (*place)
    expression = mb_arena_printf(in->draft->arena, "%s\n%s", mb_draft_string_at(in->draft, *place),
                                 expression);
  if (!expression)
    in->draft->failed = true;
  *place = mb_draft_string(in->draft, expression);
  return 0;
}

static int read_waiter(reader *in) {
  const char *name = take_word(in), *operation = take_word(in);
  int64_t delay = 0, attempts = 0;
  if (!name || !operation)
    return fail(in, "a waiter needs a name and an operation");
  if (to_number(in, take_word(in), 0, UINT32_MAX, &delay) != 0 ||
      to_number(in, take_word(in), 1, UINT32_MAX, &attempts) != 0)
    return -1;
  if (more(in))
    return unknown(in, take_word(in));
  mb_draft_waiter *made = mb_draft_add_waiter(in->draft, name);
  made->record.operation = mb_draft_string(in->draft, operation);
  made->record.delay_seconds = (uint32_t)delay;
  made->record.max_attempts = (uint32_t)attempts;
  made->line = in->line;
  in->block = BLOCK_WAITER;
  return 0;
}

static int read_acceptor(reader *in) {
  const char *state = take_word(in), *matcher = take_word(in), *expected = take_word(in);
  const char *argument = take_rest(in);
  int state_at = state ? mb_name_position(mb_state_names, state, strlen(state)) : -1;
  int matcher_at = matcher ? mb_name_position(mb_matcher_names, matcher, strlen(matcher)) : -1;
  if (state_at < 0 || matcher_at < 0 || !expected)
    return fail(in, "a waiter has lines of a state, a matcher, what is expected, and where");
  mb_acceptor *made = mb_draft_add_acceptor(in->draft);
  made->state = (uint8_t)(state_at + 1);
  made->matcher = (uint8_t)(matcher_at + 1);
  made->expected = strcmp(expected, "-") == 0 ? 0 : mb_draft_string(in->draft, expected);
  made->argument = mb_draft_string(in->draft, argument);
  return 0;
}

/* ---- the service ----------------------------------------------------------------------------- */

static int read_header(reader *in) {
  const char *word = take_word(in), *version = take_word(in);
  if (!word || strcmp(word, MB_MODEL_TEXT_HEADER) != 0)
    return fail(in, "this is not a service model: the first line must start with "
                    "\"" MB_MODEL_TEXT_HEADER "\"");
  if (!version || strcmp(version, MB_MODEL_TEXT_VERSION) != 0)
    return fail(
        in, "the text has format version %.20s, this program reads version " MB_MODEL_TEXT_VERSION,
        version ? version : "(none)");
  const char *name = take_word(in), *botocore = take_word(in);
  if (!name || !botocore || more(in))
    return fail(in, "the first line needs the service's namespace and botocore's version");
  in->draft->service[MB_SERVICE_NAMESPACE] = mb_draft_string(in->draft, name);
  in->draft->service[MB_SERVICE_BOTOCORE] = mb_draft_string(in->draft, botocore);
  return 0;
}

static int read_protocol(reader *in) {
  const char *name = take_word(in);
  int at = name ? mb_name_position(mb_protocol_names, name, strlen(name)) : -1;
  if (at < 0 || more(in))
    return fail(in, "unknown protocol %.80s", name ? name : "(none)");
  in->draft->protocol = (uint32_t)at + 1;
  return 0;
}

static int read_service_flags(reader *in) {
  while (more(in)) {
    const char *word = take_word(in);
    if (!word || !set_flag(mb_word_service_flags, word, &in->draft->flags))
      return unknown(in, word);
  }
  return 0;
}

static int read_fact(reader *in, const char *word) {
  for (const mb_word_fact *fact = mb_word_facts; fact->word; fact++) {
    if (strcmp(fact->word, word) != 0)
      continue;
    const char *text = take_rest(in);
    mb_text *place = &in->draft->service[fact->place];
    if (!text || *place)
      return fail(in, "%s is empty, badly escaped or there twice", word);
    *place = mb_draft_string(in->draft, text);
    return 0;
  }
  return unknown(in, word);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int read_start(reader *in) {
  const char *word = take_word(in);
  in->block = BLOCK_NONE;
  if (!word)
    return unknown(in, word);
  int type = mb_name_position(mb_shape_type_names, word, strlen(word));
  if (type >= 0)
    return read_shape(in, type);
  if (strcmp(word, "operation") == 0)
    return read_operation(in);
  if (strcmp(word, "paginator") == 0)
    return read_paginator(in);
  if (strcmp(word, "waiter") == 0)
    return read_waiter(in);
  if (strcmp(word, "protocol") == 0)
    return read_protocol(in);
  if (strcmp(word, "flags") == 0)
    return read_service_flags(in);
  return read_fact(in, word);
}

static int read_line(reader *in) {
  if (in->line == 1)
    return read_header(in);
  if (in->at == in->end || *in->at == '#')
    return 0;
  if (*in->at != ' ')
    return read_start(in);
  in->at++;
  switch (in->block) {
  case BLOCK_SHAPE:
    return read_member(in);
  case BLOCK_OPERATION:
    return read_errors(in);
  case BLOCK_PAGINATOR:
    return read_page_field(in);
  case BLOCK_WAITER:
    return read_acceptor(in);
  default:
    return fail(in, "the line begins with a space but belongs to nothing");
  }
}

static int read_lines(reader *in, const char *text, size_t size) {
  const char *at = text, *end = text + size;
  if (size > MB_MODEL_SIZE_LIMIT || memchr(text, '\0', size))
    return mb_error_set(in->error, MB_ERROR_USAGE, "InvalidModel",
                        "the model's text is too large or holds a NUL");
  do {
    const char *newline = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
    in->at = at;
    in->end = newline ? newline : end;
    in->line++;
    if (read_line(in) != 0)
      return -1;
    at = newline ? newline + 1 : end;
  } while (at < end);
  if (in->draft->protocol == 0)
    return fail(in, "the text ends without a line that says the protocol");
  mb_text *service = in->draft->service;
  if (service[MB_SERVICE_SIGNING_NAME] == 0)
    service[MB_SERVICE_SIGNING_NAME] = service[MB_SERVICE_ENDPOINT_PREFIX];
  return 0;
}

int mb_model_from_text(mb_buffer *out, const char *text, size_t size, mb_error *error) {
  reader in = {.draft = mb_draft_new(), .error = error};
  if (!in.draft)
    return mb_error_memory(error);
  int result = read_lines(&in, text, size);
  if (result == 0)
    result = mb_draft_pack(in.draft, out, NULL, error);
  mb_draft_free(in.draft);
  return result;
}
