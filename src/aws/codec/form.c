/* Forms, written: the request bodies of the query and ec2 protocols. */
#include "aws/codec/internal.h"
#include <string.h>

typedef struct form_writing {
  mb_coding *c;
  mb_buffer *out;
  mb_buffer name; /* of the value being written: "Filters.member.2.Values" */
  bool ec2;
} form_writing;

static int write_any(form_writing *w, const mb_member *ref, const mb_value *value);

bool mb_is_flat(const mb_shape *shape, const mb_member *ref) {
  return (shape->flags & MB_SHAPE_FLATTENED) != 0 || (ref->flags & MB_MEMBER_FLATTENED) != 0;
}

/* Where the list itself is declared flattened, its items' own name is the one that repeats; where
 * only one use of it is, that use's name is. */
const char *mb_flat_name(const mb_coding *c, const mb_member *ref, const mb_shape *list) {
  const mb_member *item = mb_model_members(c->model, list);
  bool use = (ref->flags & (MB_MEMBER_HAS_WIRE | MB_MEMBER_FLATTENED)) != 0;
  if (!use && list->type == MB_SHAPE_LIST && (item->flags & MB_MEMBER_HAS_WIRE) != 0) {
    return mb_coding_text(c, item->wire);
  }
  return mb_coding_text(c, ref->wire);
}

void mb_form_add_name(const mb_coding *c, mb_buffer *out, const mb_member *member) {
  const char *name = mb_coding_text(c, member->wire);
  if (c->service.protocol == MB_PROTOCOL_EC2) {
    const char *own = mb_coding_text(c, member->query_name);
    if (*own != '\0') {
      mb_buffer_add_text(out, own);
      return;
    }
    char first = *name;
    mb_buffer_add_char(out, first >= 'a' && first <= 'z' ? (char)(first - 'a' + 'A') : first);
    name += first != '\0';
  }
  mb_buffer_add_text(out, name);
}

static void add_pair(form_writing *w, const char *value, size_t size) {
  mb_buffer_add_char(w->out, '&');
  mb_text_add_uri(w->out, mb_buffer_text(&w->name), w->name.size, "");
  mb_buffer_add_char(w->out, '=');
  mb_text_add_uri(w->out, value, size, "");
}

static int write_scalar(form_writing *w, const mb_member *ref, const mb_value *value) {
  mb_buffer text;
  mb_buffer_init(&text, MB_CODEC_BODY_MAXIMUM);
  int result = mb_scalar_write(w->c, &text, ref, value, MB_TIMESTAMP_ISO);
  if (text.failed) {
    result = mb_error_memory(w->c->error);
  } else if (result == 0) {
    add_pair(w, mb_buffer_text(&text), text.size);
  }
  mb_buffer_dispose(&text);
  return result;
}

static int write_structure(form_writing *w, const mb_shape *shape, const mb_value *value) {
  size_t mark = w->name.size;
  for (size_t i = 0; mb_value_type(value) == MB_TYPE_MAP && i < value->count; i++) {
    const mb_entry *entry = &value->as.entries[i];
    if (entry->value.type == MB_TYPE_NULL) {
      continue;
    }
    const mb_member *member = mb_coding_entry(w->c, shape, entry);
    if (member == NULL) {
      return mb_coding_unknown(w->c, shape, entry->key, entry->key);
    }
    if (mark > 0) {
      mb_buffer_add_char(&w->name, '.');
    }
    mb_form_add_name(w->c, &w->name, member);
    int result = write_any(w, member, &entry->value);
    mb_buffer_truncate(&w->name, mark);
    if (result != 0) {
      return -1;
    }
  }
  return 0;
}

/* Replaces the last part of the name being built. */
static void rename_last(mb_buffer *name, const char *last) {
  size_t size = name->size;
  while (size > 0 && name->data[size - 1] != '.') {
    size--;
  }
  mb_buffer_truncate(name, size);
  mb_buffer_add_text(name, last);
}

static void name_items(form_writing *w, const mb_member *ref, const mb_shape *shape) {
  const mb_member *item = mb_model_members(w->c->model, shape);
  if (w->ec2) {
    return; /* every list is flat and keeps its own name */
  }
  if (mb_is_flat(shape, ref)) {
    const char *flat = mb_flat_name(w->c, ref, shape);
    if (strcmp(flat, mb_coding_text(w->c, ref->wire)) != 0) {
      rename_last(&w->name, flat);
    }
    return;
  }
  mb_buffer_add_char(&w->name, '.');
  bool named = (item->flags & MB_MEMBER_HAS_WIRE) != 0;
  mb_buffer_add_text(&w->name, named ? mb_coding_text(w->c, item->wire) : "member");
}

static int write_list(form_writing *w, const mb_member *ref, const mb_shape *shape,
                      const mb_value *value) {
  if (!mb_coding_is_list(value)) {
    return mb_coding_expected(w->c, mb_coding_name(w->c, ref), "a list", value);
  }
  if (value->count == 0) {
    if (!w->ec2) {
      add_pair(w, "", 0); /* query says that a list is empty; ec2 cannot */
    }
    return 0;
  }
  name_items(w, ref, shape);
  const mb_member *item = mb_model_members(w->c->model, shape);
  size_t mark = w->name.size;
  for (size_t i = 0; i < value->count; i++) {
    const mb_value *element = mb_list_at(value, i);
    mb_buffer_addf(&w->name, ".%zu", i + 1);
    if (mb_value_type(element) != MB_TYPE_NULL && write_any(w, item, element) != 0) {
      return -1;
    }
    mb_buffer_truncate(&w->name, mark);
  }
  return 0;
}

static int write_pair(form_writing *w, const mb_member *parts, const mb_entry *entry) {
  size_t mark = w->name.size;
  mb_value key;
  mb_value_borrow(&key, MB_TYPE_STRING, entry->key, entry->key_size);
  const char *names[2] = {"key", "value"};
  const mb_value *values[2] = {&key, &entry->value};
  for (int i = 0; i < 2; i++) {
    bool named = (parts[i].flags & MB_MEMBER_HAS_WIRE) != 0;
    mb_buffer_add_char(&w->name, '.');
    mb_buffer_add_text(&w->name, named ? mb_coding_text(w->c, parts[i].wire) : names[i]);
    if (mb_value_type(values[i]) != MB_TYPE_NULL && write_any(w, &parts[i], values[i]) != 0) {
      return -1;
    }
    mb_buffer_truncate(&w->name, mark);
  }
  return 0;
}

static int write_map(form_writing *w, const mb_member *ref, const mb_shape *shape,
                     const mb_value *value) {
  if (!mb_coding_is_map(value)) {
    return mb_coding_expected(w->c, mb_coding_name(w->c, ref), "a map", value);
  }
  if (!mb_is_flat(shape, ref)) {
    mb_buffer_add_text(&w->name, ".entry");
  }
  size_t mark = w->name.size;
  for (size_t i = 0; i < value->count; i++) {
    mb_buffer_addf(&w->name, ".%zu", i + 1);
    if (write_pair(w, mb_model_members(w->c->model, shape), &value->as.entries[i]) != 0) {
      return -1;
    }
    mb_buffer_truncate(&w->name, mark);
  }
  return 0;
}

static int write_container(form_writing *w, const mb_member *ref, const mb_shape *shape,
                           const mb_value *value) {
  if (mb_coding_descend(w->c) != 0) {
    return -1;
  }
  int result;
  if (shape->type == MB_SHAPE_LIST) {
    result = write_list(w, ref, shape, value);
  } else if (shape->type == MB_SHAPE_MAP) {
    result = write_map(w, ref, shape, value);
  } else if (!mb_coding_is_map(value)) {
    result = mb_coding_expected(w->c, mb_coding_name(w->c, ref), "a map", value);
  } else {
    result = write_structure(w, shape, value);
  }
  w->c->depth--;
  return result;
}

static int write_any(form_writing *w, const mb_member *ref, const mb_value *value) {
  const mb_shape *shape = mb_coding_shape(w->c, ref);
  if (shape->type == MB_SHAPE_STRUCTURE || shape->type == MB_SHAPE_LIST ||
      shape->type == MB_SHAPE_MAP) {
    return write_container(w, ref, shape, value);
  }
  return write_scalar(w, ref, value);
}

static int write_form(mb_coding *c, const mb_operation *operation, const mb_value *input,
                      mb_buffer *body) {
  form_writing w = {.c = c, .out = body, .ec2 = c->service.protocol == MB_PROTOCOL_EC2};
  mb_buffer_init(&w.name, MB_CODEC_HEAD_MAXIMUM);
  mb_buffer_addf(body, "Action=%s&Version=%s", mb_coding_text(c, operation->name),
                 c->service.api_version);
  int result = 0;
  if (operation->input != MB_NO_INDEX) {
    result = write_structure(&w, mb_model_shape(c->model, operation->input), input);
  }
  if (result == 0 && w.name.failed) {
    result = mb_error_memory(c->error);
  }
  mb_buffer_dispose(&w.name);
  return result;
}

int mb_form_write_request(mb_coding *c, const mb_operation *operation, const mb_value *input,
                          mb_http_request *out) {
  mb_buffer body;
  mb_buffer_init(&body, MB_CODEC_BODY_MAXIMUM);
  int result = write_form(c, operation, input, &body);
  char *taken = mb_coding_take(c, &body, &out->body_size);
  if (result != 0 || taken == NULL) {
    return -1;
  }
  out->body = taken;
  return mb_coding_header(c, &out->headers, "Content-Type",
                          "application/x-www-form-urlencoded; charset=utf-8");
}
