/* Forms, read: what a server makes of the request bodies of the query and ec2 protocols. */
#include "aws/codec/internal.h"
#include <string.h>

#define FORM_PAIRS_MAXIMUM 20000
#define FORM_DEPTH         64

/* One dotted name: "Filters.member.2.Values" is four nodes deep. */
typedef struct form_node {
  const char *name;
  const char *value; /* NULL when no pair ends here */
  size_t size;
  struct form_node *first, *last, *next;
  struct form_node *recent; /* the child found last: pairs come grouped */
} form_node;

static int read_any(mb_coding *c, const mb_member *ref, const form_node *node, mb_value *out);

static form_node *find_child(const form_node *node, const char *name, size_t size) {
  form_node *child = node->recent;
  if (child != NULL && strlen(child->name) == size && memcmp(child->name, name, size) == 0) {
    return child;
  }
  for (child = node->first; child != NULL; child = child->next) {
    if (strlen(child->name) == size && memcmp(child->name, name, size) == 0) {
      return child;
    }
  }
  return NULL;
}

static form_node *child_of(mb_arena *arena, form_node *node, const char *name, size_t size) {
  form_node *child = find_child(node, name, size);
  if (child == NULL) {
    child = mb_arena_zero(arena, sizeof(*child));
    char *copy = mb_arena_strndup(arena, name, size);
    if (child == NULL || copy == NULL) {
      return NULL;
    }
    child->name = copy;
    if (node->last != NULL) {
      node->last->next = child;
    } else {
      node->first = child;
    }
    node->last = child;
  }
  node->recent = child;
  return child;
}

static form_node *open_path(mb_coding *c, form_node *root, const char *name) {
  form_node *node = root;
  for (int depth = 0; depth < FORM_DEPTH; depth++) {
    size_t size = strcspn(name, ".");
    node = child_of(c->arena, node, name, size);
    if (node == NULL) {
      mb_error_memory(c->error);
      return NULL;
    }
    if (name[size] == '\0') {
      return node;
    }
    name += size + 1;
  }
  mb_coding_unreadable(c, "a name has more than %d parts", FORM_DEPTH);
  return NULL;
}

static int add_pair(mb_coding *c, form_node *root, const char *pair, size_t size) {
  const char *equals = memchr(pair, '=', size);
  size_t name_size = equals != NULL ? (size_t)(equals - pair) : size;
  size_t plain_size;
  const char *name = mb_coding_percent(c, pair, name_size, true, &plain_size);
  if (name == NULL) {
    return -1;
  }
  const char *value = "";
  if (equals != NULL) {
    value = mb_coding_percent(c, equals + 1, size - name_size - 1, true, &plain_size);
  }
  if (value == NULL) {
    return -1;
  }
  form_node *node = open_path(c, root, name);
  if (node == NULL) {
    return -1;
  }
  node->value = value;
  node->size = equals != NULL ? plain_size : 0;
  return 0;
}

static int parse(mb_coding *c, form_node *root, const char *body, size_t size) {
  const char *end = body + size;
  size_t pairs = 0;
  while (body < end) {
    const char *stop = memchr(body, '&', (size_t)(end - body));
    stop = stop != NULL ? stop : end;
    if (++pairs > FORM_PAIRS_MAXIMUM) {
      return mb_coding_unreadable(c, "the form holds more than %d pairs", FORM_PAIRS_MAXIMUM);
    }
    if (stop > body && add_pair(c, root, body, (size_t)(stop - body)) != 0) {
      return -1;
    }
    body = stop + (stop < end);
  }
  return 0;
}

/* ---- from the tree to values ---- */

static const form_node *named_child(const form_node *node, const char *name) {
  return node != NULL ? find_child(node, name, strlen(name)) : NULL;
}

/* The child whose name is the number that follows `after`; NULL when there is none. Numbers may
 * have gaps, and clients need not send them in order. */
static const form_node *next_number(const form_node *node, int64_t after, int64_t *number) {
  const form_node *best = NULL;
  for (const form_node *child = node->first; child != NULL; child = child->next) {
    int64_t n;
    if (mb_parse_integer(child->name, strlen(child->name), &n) == 0 && n > after &&
        (best == NULL || n < *number)) {
      best = child;
      *number = n;
      if (n == after + 1) {
        break;
      }
    }
  }
  return best;
}

static int read_structure(mb_coding *c, const mb_shape *shape, const form_node *node,
                          mb_value *out) {
  const mb_member *members = mb_model_members(c->model, shape);
  mb_buffer name;
  int result = 0;
  mb_value_set_map(out);
  mb_buffer_init(&name, MB_CODEC_HEAD_MAXIMUM);
  for (uint32_t i = 0; result == 0 && i < shape->member_count; i++) {
    const mb_shape *target = mb_coding_shape(c, &members[i]);
    mb_buffer_truncate(&name, 0);
    if (c->service.protocol == MB_PROTOCOL_QUERY && target->type == MB_SHAPE_LIST &&
        mb_is_flat(target, &members[i])) {
      mb_buffer_add_text(&name, mb_flat_name(c, &members[i], target));
    } else {
      mb_form_add_name(c, &name, &members[i]);
    }
    if (name.failed) {
      result = mb_error_memory(c->error);
      break;
    }
    const form_node *child = named_child(node, mb_buffer_text(&name));
    if (child == NULL) {
      continue;
    }
    mb_value *value = mb_coding_add(c, out, &members[i]);
    result = value != NULL ? read_any(c, &members[i], child, value) : -1;
  }
  mb_buffer_dispose(&name);
  return result;
}

static int read_items(mb_coding *c, const mb_shape *shape, const form_node *node, mb_value *out) {
  const mb_member *item = mb_model_members(c->model, shape);
  int64_t number = 0;
  for (const form_node *child = next_number(node, 0, &number); child != NULL;
       child = next_number(node, number, &number)) {
    mb_value *value = mb_coding_add_item(c, out);
    if (value == NULL || read_any(c, item, child, value) != 0) {
      return -1;
    }
  }
  return 0;
}

static int read_list(mb_coding *c, const mb_member *ref, const mb_shape *shape,
                     const form_node *node, mb_value *out) {
  const mb_member *item = mb_model_members(c->model, shape);
  mb_value_set_list(out);
  if (c->service.protocol == MB_PROTOCOL_QUERY && !mb_is_flat(shape, ref)) {
    bool named = (item->flags & MB_MEMBER_HAS_WIRE) != 0;
    const form_node *inner = named_child(node, named ? mb_coding_text(c, item->wire) : "member");
    node = inner != NULL ? inner : named_child(node, "member");
  }
  return node != NULL ? read_items(c, shape, node, out) : 0;
}

static const char *part_name(const mb_coding *c, const mb_member *part, const char *usual) {
  return (part->flags & MB_MEMBER_HAS_WIRE) != 0 ? mb_coding_text(c, part->wire) : usual;
}

static int read_map(mb_coding *c, const mb_member *ref, const mb_shape *shape,
                    const form_node *node, mb_value *out) {
  const mb_member *parts = mb_model_members(c->model, shape);
  mb_value_set_map(out);
  if (!mb_is_flat(shape, ref)) {
    node = named_child(node, "entry");
  }
  int64_t number = 0;
  const form_node *child = node != NULL ? next_number(node, 0, &number) : NULL;
  for (; child != NULL; child = next_number(node, number, &number)) {
    const form_node *key = named_child(child, part_name(c, &parts[0], "key"));
    const form_node *item = named_child(child, part_name(c, &parts[1], "value"));
    if (key == NULL || key->value == NULL) {
      return mb_coding_unreadable(c, "an entry of %s has no key", mb_coding_text(c, ref->wire));
    }
    mb_value *value = mb_coding_add_key(c, out, key->value, key->size);
    if (value == NULL || (item != NULL && read_any(c, &parts[1], item, value) != 0)) {
      return -1;
    }
  }
  return 0;
}

/* The depth is bounded by the depth of the names. */
static int read_any(mb_coding *c, const mb_member *ref, const form_node *node, mb_value *out) {
  const mb_shape *shape = mb_coding_shape(c, ref);
  switch ((mb_shape_type)shape->type) {
  case MB_SHAPE_STRUCTURE:
    return read_structure(c, shape, node, out);
  case MB_SHAPE_LIST:
    return read_list(c, ref, shape, node, out);
  case MB_SHAPE_MAP:
    return read_map(c, ref, shape, node, out);
  default:
    break;
  }
  if (node->value == NULL) {
    return mb_coding_unreadable(c, "%s is not a plain value", mb_coding_text(c, ref->wire));
  }
  if (mb_scalar_read(c, ref, node->value, node->size, out) != 0) {
    return -1;
  }
  mb_secret_mark(out, mb_secret_member(c, ref));
  return 0;
}

int mb_form_read_request(mb_coding *c, const mb_operation *operation, const char *body, size_t size,
                         mb_value *out) {
  form_node root = {.name = ""};
  if (operation->input == MB_NO_INDEX || size == 0) {
    return 0;
  }
  if (parse(c, &root, body, size) != 0) {
    return -1;
  }
  return read_structure(c, mb_model_shape(c->model, operation->input), &root, out);
}
