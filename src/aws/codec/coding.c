/* One coding job: names, containers, errors, and what every protocol's writer needs at its end. */
#include "aws/codec/internal.h"
#include "base/digest.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void mb_coding_init(mb_coding *c, const mb_codec *codec, mb_arena *arena, mb_error *error) {
  *c = (mb_coding){.codec = codec, .model = codec->model, .arena = arena, .error = error};
  mb_model_service(codec->model, &c->service);
  if (codec->protocol != 0) {
    c->service.protocol = codec->protocol;
  }
}

static void add_place(mb_buffer *out, const mb_place *at) {
  const mb_place *chain[MB_CODEC_DEPTH + 2];
  size_t count = 0;
  for (; at != NULL && count < sizeof(chain) / sizeof(chain[0]); at = at->up) {
    chain[count++] = at;
  }
  while (count-- > 0) {
    if (chain[count]->name == NULL) {
      mb_buffer_addf(out, "[%zu]", chain[count]->index);
      continue;
    }
    if (out->size > 0) {
      mb_buffer_add_char(out, '.');
    }
    mb_text_add_printable(out, chain[count]->name, strlen(chain[count]->name), false);
  }
}

const char *mb_place_text(mb_buffer *buffer, const mb_place *at) {
  mb_buffer_init(buffer, 1024);
  add_place(buffer, at);
  return buffer->failed || at == NULL ? "the input" : mb_buffer_text(buffer);
}

const char *mb_coding_name(const mb_coding *c, const mb_member *member) {
  return mb_coding_text(c, c->codec->names == MB_NAMES_SNAKE ? member->snake : member->name);
}

const mb_value *mb_coding_get(const mb_coding *c, const mb_value *map, const mb_member *member) {
  const mb_value *found = mb_map_get(map, mb_coding_text(c, member->snake));
  if (found == NULL) {
    found = mb_map_get(map, mb_coding_text(c, member->name));
  }
  return mb_value_type(found) == MB_TYPE_NULL ? NULL : found;
}

mb_value *mb_coding_add(mb_coding *c, mb_value *map, const mb_member *member) {
  const char *name = mb_coding_name(c, member);
  mb_value *value = mb_map_add_static(c->arena, map, name, strlen(name));
  if (value == NULL) {
    mb_error_memory(c->error);
  }
  return value;
}

mb_value *mb_coding_add_key(mb_coding *c, mb_value *map, const char *key, size_t size) {
  char *copy = mb_arena_strndup(c->arena, key, size);
  mb_value *value = copy != NULL ? mb_map_add_static(c->arena, map, copy, size) : NULL;
  if (value == NULL) {
    mb_error_memory(c->error);
  }
  return value;
}

mb_value *mb_coding_add_item(mb_coding *c, mb_value *list) {
  mb_value *value = mb_list_add(c->arena, list);
  if (value == NULL) {
    mb_error_memory(c->error);
  }
  return value;
}

bool mb_coding_is_map(const mb_value *value) {
  mb_type type = mb_value_type(value);
  return type == MB_TYPE_MAP || (type == MB_TYPE_LIST && value->count == 0);
}

bool mb_coding_is_list(const mb_value *value) {
  mb_type type = mb_value_type(value);
  return type == MB_TYPE_LIST || (type == MB_TYPE_MAP && value->count == 0);
}

const mb_member *mb_coding_entry(const mb_coding *c, const mb_shape *shape, const mb_entry *entry) {
  return mb_model_member(c->model, shape, entry->key, entry->key_size);
}

/* "an integer", "a string" */
static const char *article(const char *noun) {
  return strchr("aeiou", noun[0]) != NULL ? "an" : "a";
}

int mb_coding_expected(mb_coding *c, const char *what, const char *expected, const mb_value *got) {
  const char *type = mb_type_name(mb_value_type(got));
  return mb_error_set(c->error, MB_ERROR_USAGE, "InvalidArgument", "%s: expected %s, got %s %s",
                      what, expected, article(type), type);
}

int mb_coding_unreadable(mb_coding *c, const char *format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  if (c->server) {
    return mb_error_set(c->error, MB_ERROR_USAGE, "SerializationException",
                        "the request cannot be read: %s", text);
  }
  return mb_error_set(c->error, MB_ERROR_NETWORK, "UnreadableResponse",
                      "the answer cannot be read: %s", text);
}

int mb_coding_descend(mb_coding *c) {
  if (c->depth >= MB_CODEC_DEPTH) {
    return mb_error_set(c->error, MB_ERROR_USAGE, "InvalidArgument",
                        "the value is nested more than %d levels deep", MB_CODEC_DEPTH);
  }
  c->depth++;
  return 0;
}

static const char *nearest_member(const mb_coding *c, const mb_shape *shape, const char *key) {
  const mb_member *members = mb_model_members(c->model, shape);
  const char *best = NULL;
  size_t distance = SIZE_MAX;
  for (uint32_t i = 0; i < shape->member_count; i++) {
    mb_text name = c->codec->names == MB_NAMES_SNAKE ? members[i].snake : members[i].name;
    mb_text_nearer(key, mb_coding_text(c, name), &best, &distance);
  }
  return best;
}

int mb_coding_unknown(mb_coding *c, const mb_shape *shape, const char *where, const char *key) {
  const char *nearest = nearest_member(c, shape, key);
  mb_error_set(c->error, MB_ERROR_USAGE, "UnknownArgument", "%s: %s has no member of that name",
               where, mb_coding_text(c, shape->name));
  if (nearest != NULL) {
    return mb_error_next(c->error, "did you mean \"%s\"?", nearest);
  }
  return mb_error_next(c->error, "check the spelling; the model is botocore %s's",
                       c->service.botocore);
}

char *mb_coding_take(mb_coding *c, mb_buffer *buffer, size_t *size) {
  char *copy = NULL;
  if (buffer->too_large) {
    mb_error_set(c->error, MB_ERROR_USAGE, "RequestTooLarge",
                 "the message is larger than %zu bytes", buffer->maximum);
  } else if (buffer->failed ||
             (copy = mb_arena_strndup(c->arena, mb_buffer_text(buffer), buffer->size)) == NULL) {
    mb_error_memory(c->error);
  } else if (size != NULL) {
    *size = buffer->size;
  }
  if (buffer->data != NULL) {
    mb_wipe(buffer->data, buffer->size);
  }
  mb_buffer_dispose(buffer);
  return copy;
}

int mb_coding_base64(mb_coding *c, const char *text, size_t size, const char **data,
                     size_t *data_size) {
  if (mb_base64_decode(c->arena, text, size, data, data_size) == 0) {
    return 0;
  }
  /* It fails for either reason: whether there was room tells which. */
  return mb_arena_alloc(c->arena, size / 4 * 3 + 4) != NULL ? 1 : mb_error_memory(c->error);
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char *mb_coding_percent(mb_coding *c, const char *text, size_t size, bool form, size_t *out_size) {
  char *out = mb_arena_alloc(c->arena, size + 1);
  size_t used = 0;
  if (out == NULL) {
    mb_error_memory(c->error);
    return NULL;
  }
  for (size_t i = 0; i < size; i++) {
    if (text[i] != '%') {
      out[used++] = form && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    int high = size - i > 2 ? hex_digit(text[i + 1]) : -1;
    int low = size - i > 2 ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      mb_coding_unreadable(c, "there is a %% that begins no escape");
      return NULL;
    }
    out[used++] = (char)(high * 16 + low);
    i += 2;
  }
  out[used] = '\0';
  *out_size = used;
  return out;
}

int mb_coding_header(mb_coding *c, mb_headers *headers, const char *name, const char *value) {
  if (strpbrk(name, "\r\n") != NULL || strpbrk(value, "\r\n") != NULL) {
    return mb_error_set(c->error, MB_ERROR_USAGE, "InvalidArgument",
                        "the value for the header %s holds a line break", name);
  }
  return mb_headers_set(c->arena, headers, name, value) == 0 ? 0 : mb_error_memory(c->error);
}
