/* XML bodies, both ways: answers of query and ec2, requests and answers of rest-xml. */
#include "aws/codec/internal.h"
#include "base/utf8.h"
#include <string.h>

/* ---- writing ---- */

static int write_any(mb_coding *c, mb_buffer *out, const char *name, const mb_member *ref,
                     const mb_value *value);

static void escape_one(mb_buffer *out, unsigned char byte, bool attribute) {
  switch (byte) {
  case '&':
    mb_buffer_add_text(out, "&amp;");
    break;
  case '<':
    mb_buffer_add_text(out, "&lt;");
    break;
  case '>':
    mb_buffer_add_text(out, "&gt;");
    break;
  case '"':
    mb_buffer_add_text(out, attribute ? "&quot;" : "\"");
    break;
  case '\r': /* would be read back as a newline */
    mb_buffer_add_text(out, "&#xD;");
    break;
  default: /* in an attribute, white space would be read back as a space */
    mb_buffer_addf(out, attribute ? "&#x%X;" : "%c", byte);
  }
}

static bool needs_escape(unsigned char byte, bool attribute) {
  return byte == '&' || byte == '<' || byte == '>' || byte == '\r' ||
         (attribute && (byte == '"' || byte == '\n' || byte == '\t'));
}

void mb_xml_escape(mb_buffer *out, const char *text, size_t size, bool attribute) {
  size_t start = 0;
  for (size_t i = 0; i < size; i++) {
    if (needs_escape((unsigned char)text[i], attribute)) {
      mb_buffer_add(out, text + start, i - start);
      escape_one(out, (unsigned char)text[i], attribute);
      start = i + 1;
    }
  }
  mb_buffer_add(out, text + start, size - start);
}

static void add_namespace(mb_buffer *out, const char *uri, const char *prefix) {
  if (*uri == '\0') {
    return;
  }
  mb_buffer_add_text(out, *prefix != '\0' ? " xmlns:" : " xmlns");
  mb_buffer_add_text(out, prefix);
  mb_buffer_add_text(out, "=\"");
  mb_xml_escape(out, uri, strlen(uri), true);
  mb_buffer_add_char(out, '"');
}

/* The namespace of one use of a shape, else the shape's own. */
static void add_own_namespace(mb_coding *c, mb_buffer *out, const mb_member *ref) {
  const mb_shape *shape = mb_coding_shape(c, ref);
  if (ref->xml_namespace != 0) {
    add_namespace(out, mb_coding_text(c, ref->xml_namespace), mb_coding_text(c, ref->xml_prefix));
  } else {
    add_namespace(out, mb_coding_text(c, shape->xml_namespace),
                  mb_coding_text(c, shape->xml_prefix));
  }
}

/* What XML 1.0 has no way to carry, not even escaped; NULL when it can carry the whole text. */
static const char *find_unspeakable(const char *text, size_t size) {
  for (size_t i = 0; i < size;) {
    uint32_t point = 0;
    size_t length = mb_utf8_read(text + i, size - i, &point);
    if (length == 0) {
      return "bytes that are not UTF-8";
    }
    if (point < ' ' && point != '\t' && point != '\n' && point != '\r') {
      return "a control character";
    }
    if (point == 0xFFFE || point == 0xFFFF) {
      return "a code point that is no character (U+FFFE or U+FFFF)";
    }
    i += length;
  }
  return NULL;
}

static int check_text(mb_coding *c, const mb_buffer *text) {
  const char *problem = find_unspeakable(mb_buffer_text(text), text->size);
  if (problem == NULL) {
    return 0;
  }
  mb_buffer place;
  mb_error_set(c->error, MB_ERROR_USAGE, "InvalidArgument",
               "%s: it holds %s, which XML cannot carry", mb_place_text(&place, c->at), problem);
  mb_buffer_dispose(&place);
  return mb_error_next(c->error, "take it out, or encode the text in a form the service knows");
}

static int add_scalar(mb_coding *c, mb_buffer *out, const mb_member *ref, const mb_value *value,
                      bool attribute) {
  mb_buffer text;
  mb_buffer_init(&text, MB_CODEC_BODY_MAXIMUM);
  int result = mb_scalar_write(c, &text, ref, value, MB_TIMESTAMP_ISO);
  if (text.failed) {
    result = mb_error_memory(c->error);
  } else if (result == 0) {
    result = check_text(c, &text);
  }
  if (result == 0) {
    mb_xml_escape(out, mb_buffer_text(&text), text.size, attribute);
  }
  mb_buffer_dispose(&text);
  return result;
}

/* Writes a part of a container, remembering for errors where in the value it stands. */
static int write_part(mb_coding *c, mb_buffer *out, const char *name, const mb_member *ref,
                      const mb_value *value, mb_place here) {
  here.up = c->at;
  c->at = &here;
  int result = write_any(c, out, name, ref, value);
  c->at = here.up;
  return result;
}

static int add_attributes(mb_coding *c, mb_buffer *out, const mb_shape *shape,
                          const mb_value *value) {
  const mb_member *members = mb_model_members(c->model, shape);
  for (uint32_t i = 0; i < shape->member_count; i++) {
    const mb_value *attribute = (members[i].flags & MB_MEMBER_XML_ATTRIBUTE) != 0
                                    ? mb_coding_get(c, value, &members[i])
                                    : NULL;
    if (attribute == NULL) {
      continue;
    }
    mb_buffer_addf(out, " %s=\"", mb_coding_text(c, members[i].wire));
    mb_place here = {c->at, mb_coding_name(c, &members[i]), 0};
    c->at = &here;
    int result = add_scalar(c, out, &members[i], attribute, true);
    c->at = here.up;
    if (result != 0) {
      return -1;
    }
    mb_buffer_add_char(out, '"');
  }
  return 0;
}

int mb_xml_body_write_members(mb_coding *c, mb_buffer *out, const mb_shape *shape,
                              const mb_value *value) {
  for (size_t i = 0; mb_value_type(value) == MB_TYPE_MAP && i < value->count; i++) {
    const mb_entry *entry = &value->as.entries[i];
    const mb_member *member = mb_coding_entry(c, shape, entry);
    if (entry->value.type == MB_TYPE_NULL) {
      continue;
    }
    if (member == NULL) {
      return mb_coding_unknown(c, shape, entry->key, entry->key);
    }
    if (member->location != MB_LOCATION_BODY || (member->flags & MB_MEMBER_XML_ATTRIBUTE) != 0) {
      continue;
    }
    mb_place here = {.name = entry->key};
    if (write_part(c, out, mb_coding_text(c, member->wire), member, &entry->value, here) != 0) {
      return -1;
    }
  }
  return 0;
}

int mb_xml_body_write(mb_coding *c, mb_buffer *out, const char *root, const char *xmlns,
                      const char *prefix, const mb_shape *shape, const mb_value *value) {
  mb_buffer_addf(out, "<%s", root);
  add_namespace(out, xmlns, prefix);
  if (add_attributes(c, out, shape, value) != 0) {
    return -1;
  }
  mb_buffer_add_char(out, '>');
  if (mb_xml_body_write_members(c, out, shape, value) != 0) {
    return -1;
  }
  mb_buffer_addf(out, "</%s>", root);
  return 0;
}

static int write_structure(mb_coding *c, mb_buffer *out, const char *name, const mb_member *ref,
                           const mb_shape *shape, const mb_value *value) {
  if (!mb_coding_is_map(value)) {
    return mb_coding_expected(c, mb_coding_name(c, ref), "a map", value);
  }
  bool own = ref->xml_namespace != 0;
  return mb_xml_body_write(
      c, out, name, mb_coding_text(c, own ? ref->xml_namespace : shape->xml_namespace),
      mb_coding_text(c, own ? ref->xml_prefix : shape->xml_prefix), shape, value);
}

static void open_element(mb_coding *c, mb_buffer *out, const char *name, const mb_member *ref) {
  mb_buffer_addf(out, "<%s", name);
  add_own_namespace(c, out, ref);
  mb_buffer_add_char(out, '>');
}

static const char *part_name(const mb_coding *c, const mb_member *part, const char *usual) {
  return (part->flags & MB_MEMBER_HAS_WIRE) != 0 ? mb_coding_text(c, part->wire) : usual;
}

static int write_list(mb_coding *c, mb_buffer *out, const char *name, const mb_member *ref,
                      const mb_shape *shape, const mb_value *value) {
  if (!mb_coding_is_list(value)) {
    return mb_coding_expected(c, mb_coding_name(c, ref), "a list", value);
  }
  const mb_member *item = mb_model_members(c->model, shape);
  bool flat = mb_is_flat(shape, ref);
  const char *item_name = flat ? mb_flat_name(c, ref, shape) : part_name(c, item, "member");
  if (!flat) {
    open_element(c, out, name, ref);
  }
  for (size_t i = 0; i < value->count; i++) {
    const mb_value *element = mb_list_at(value, i);
    if (mb_value_type(element) == MB_TYPE_NULL) {
      mb_buffer_addf(out, "<%s/>", item_name);
    } else if (write_part(c, out, item_name, item, element, (mb_place){.index = i}) != 0) {
      return -1;
    }
  }
  if (!flat) {
    mb_buffer_addf(out, "</%s>", name);
  }
  return 0;
}

static int write_pair(mb_coding *c, mb_buffer *out, const mb_member *parts, const mb_entry *entry) {
  mb_value key;
  mb_place here = {.name = entry->key};
  mb_value_borrow(&key, MB_TYPE_STRING, entry->key, entry->key_size);
  if (write_part(c, out, part_name(c, &parts[0], "key"), &parts[0], &key, here) != 0) {
    return -1;
  }
  if (entry->value.type == MB_TYPE_NULL) {
    return 0;
  }
  return write_part(c, out, part_name(c, &parts[1], "value"), &parts[1], &entry->value, here);
}

static int write_map(mb_coding *c, mb_buffer *out, const char *name, const mb_member *ref,
                     const mb_shape *shape, const mb_value *value) {
  if (!mb_coding_is_map(value)) {
    return mb_coding_expected(c, mb_coding_name(c, ref), "a map", value);
  }
  const mb_member *parts = mb_model_members(c->model, shape);
  bool flat = mb_is_flat(shape, ref);
  if (!flat) {
    open_element(c, out, name, ref);
  }
  for (size_t i = 0; i < value->count; i++) {
    if (flat) {
      open_element(c, out, name, ref);
    } else {
      mb_buffer_add_text(out, "<entry>");
    }
    if (write_pair(c, out, parts, &value->as.entries[i]) != 0) {
      return -1;
    }
    mb_buffer_addf(out, "</%s>", flat ? name : "entry");
  }
  if (!flat) {
    mb_buffer_addf(out, "</%s>", name);
  }
  return 0;
}

static int write_container(mb_coding *c, mb_buffer *out, const char *name, const mb_member *ref,
                           const mb_shape *shape, const mb_value *value) {
  if (mb_coding_descend(c) != 0) {
    return -1;
  }
  int result = shape->type == MB_SHAPE_LIST  ? write_list(c, out, name, ref, shape, value)
               : shape->type == MB_SHAPE_MAP ? write_map(c, out, name, ref, shape, value)
                                             : write_structure(c, out, name, ref, shape, value);
  c->depth--;
  return result;
}

static int write_any(mb_coding *c, mb_buffer *out, const char *name, const mb_member *ref,
                     const mb_value *value) {
  const mb_shape *shape = mb_coding_shape(c, ref);
  if (shape->type == MB_SHAPE_STRUCTURE || shape->type == MB_SHAPE_LIST ||
      shape->type == MB_SHAPE_MAP) {
    return write_container(c, out, name, ref, shape, value);
  }
  open_element(c, out, name, ref);
  if (add_scalar(c, out, ref, value, false) != 0) {
    return -1;
  }
  mb_buffer_addf(out, "</%s>", name);
  return 0;
}

/* ---- reading ---- */

static int read_any(mb_coding *c, const mb_member *ref, const mb_xml_node *node, bool secret,
                    mb_value *out);

static int read_attributes(mb_coding *c, const mb_shape *shape, const mb_xml_node *node,
                           bool secret, mb_value *out) {
  const mb_member *members = mb_model_members(c->model, shape);
  for (uint32_t i = 0; node->attributes != NULL && i < shape->member_count; i++) {
    const char *text = (members[i].flags & MB_MEMBER_XML_ATTRIBUTE) != 0
                           ? mb_xml_attribute_value(node, mb_coding_text(c, members[i].wire))
                           : NULL;
    if (text == NULL) {
      continue;
    }
    mb_value *value = mb_coding_add(c, out, &members[i]);
    if (value == NULL || mb_scalar_read(c, &members[i], text, strlen(text), value) != 0) {
      return -1;
    }
    mb_secret_mark(value, secret || mb_secret_member(c, &members[i]));
  }
  return 0;
}

/* The member an element belongs to: by its name, or as an item of a flattened list whose items
 * carry a name of their own. */
static const mb_member *find_member(const mb_coding *c, const mb_shape *shape,
                                    const mb_xml_node *node) {
  const mb_member *found = mb_model_member_by_wire(c->model, shape, node->name, strlen(node->name));
  if (found != NULL) {
    return found;
  }
  const mb_member *members = mb_model_members(c->model, shape);
  for (uint32_t i = 0; i < shape->member_count; i++) {
    const mb_shape *list = mb_coding_shape(c, &members[i]);
    bool flat = list->type == MB_SHAPE_LIST && mb_is_flat(list, &members[i]);
    const char *name =
        flat ? mb_flat_name(c, &members[i], list) : mb_coding_text(c, members[i].wire);
    bool elsewhere = members[i].location == MB_LOCATION_HEADER ||
                     members[i].location == MB_LOCATION_HEADERS ||
                     members[i].location == MB_LOCATION_STATUS;
    if (!elsewhere && strcmp(name, node->name) == 0) {
      return &members[i];
    }
  }
  return NULL;
}

static int read_entry(mb_coding *c, const mb_shape *map, const mb_xml_node *node, bool secret,
                      mb_value *out) {
  const mb_member *parts = mb_model_members(c->model, map);
  const mb_xml_node *key = mb_xml_child(node, part_name(c, &parts[0], "key"));
  const mb_xml_node *item = mb_xml_child(node, part_name(c, &parts[1], "value"));
  if (key == NULL) {
    return 0;
  }
  mb_value *value = mb_coding_add_key(c, out, key->text, key->size);
  if (value == NULL) {
    return -1;
  }
  return item != NULL ? read_any(c, &parts[1], item, secret, value) : 0;
}

static int read_item(mb_coding *c, const mb_shape *list, const mb_xml_node *node, bool secret,
                     mb_value *out) {
  mb_value *value = mb_coding_add_item(c, out);
  return value != NULL ? read_any(c, mb_model_members(c->model, list), node, secret, value) : -1;
}

/* All the elements of a flattened list or map, from the first one on. */
static int read_flat(mb_coding *c, const mb_member *member, const mb_shape *shape,
                     mb_xml_node *first, bool secret, mb_value *out) {
  bool list = shape->type == MB_SHAPE_LIST;
  secret = secret || mb_secret_member(c, member);
  if (list) {
    mb_value_set_list(out);
  } else {
    mb_value_set_map(out);
  }
  for (mb_xml_node *node = first; node != NULL; node = node->next) {
    if (node->taken || strcmp(node->name, first->name) != 0) {
      continue;
    }
    node->taken = true;
    int result =
        list ? read_item(c, shape, node, secret, out) : read_entry(c, shape, node, secret, out);
    if (result != 0) {
      return -1;
    }
  }
  return 0;
}

static int read_unknown(mb_coding *c, const mb_shape *shape, const mb_xml_node *node,
                        mb_value *out) {
  if ((shape->flags & MB_SHAPE_UNION) == 0) {
    return 0;
  }
  mb_value *value = mb_coding_add_key(c, out, node->name, strlen(node->name));
  if (value == NULL ||
      mb_value_set_bytes(c->arena, value, MB_TYPE_STRING, node->text, node->size) != 0) {
    return mb_error_memory(c->error);
  }
  return 0;
}

static bool is_container(const mb_shape *shape) {
  return shape->type == MB_SHAPE_STRUCTURE || shape->type == MB_SHAPE_LIST ||
         shape->type == MB_SHAPE_MAP;
}

/* An element that says nothing: a number, time or boolean without text, or an explicit nil. */
static bool is_void(const mb_shape *shape, const mb_xml_node *node) {
  const char *nil = mb_xml_attribute_value(node, "xsi:nil");
  if (nil != NULL && strcmp(nil, "true") == 0) {
    return true;
  }
  return !is_container(shape) && shape->type != MB_SHAPE_STRING && shape->type != MB_SHAPE_BLOB &&
         node->size == 0;
}

static int read_member(mb_coding *c, const mb_shape *shape, mb_xml_node *node, bool secret,
                       mb_value *out) {
  const mb_member *member = find_member(c, shape, node);
  if (member == NULL) {
    return read_unknown(c, shape, node, out);
  }
  const mb_shape *target = mb_coding_shape(c, member);
  bool again = mb_map_get(out, mb_coding_name(c, member)) != NULL;
  if (again || is_void(target, node) || (target->flags & MB_SHAPE_EVENT_STREAM) != 0) {
    return 0;
  }
  mb_value *value = mb_coding_add(c, out, member);
  if (value == NULL) {
    return -1;
  }
  bool flat =
      target->type != MB_SHAPE_STRUCTURE && is_container(target) && mb_is_flat(target, member);
  return flat ? read_flat(c, member, target, node, secret, value)
              : read_any(c, member, node, secret, value);
}

static int read_structure(mb_coding *c, const mb_shape *shape, const mb_xml_node *node, bool secret,
                          mb_value *out) {
  mb_value_set_map(out);
  if (read_attributes(c, shape, node, secret, out) != 0) {
    return -1;
  }
  for (mb_xml_node *child = node->first; child != NULL; child = child->next) {
    if (!child->taken && read_member(c, shape, child, secret, out) != 0) {
      return -1;
    }
  }
  mb_secret_relax(c, shape, out);
  return 0;
}

static int read_list(mb_coding *c, const mb_shape *shape, const mb_xml_node *node, bool secret,
                     mb_value *out) {
  mb_value_set_list(out);
  for (const mb_xml_node *child = node->first; child != NULL; child = child->next) {
    if (read_item(c, shape, child, secret, out) != 0) {
      return -1;
    }
  }
  return 0;
}

static int read_map(mb_coding *c, const mb_shape *shape, const mb_xml_node *node, bool secret,
                    mb_value *out) {
  mb_value_set_map(out);
  for (const mb_xml_node *child = node->first; child != NULL; child = child->next) {
    if (read_entry(c, shape, child, secret, out) != 0) {
      return -1;
    }
  }
  return 0;
}

/* The depth is bounded by the reader of the text. */
static int read_any(mb_coding *c, const mb_member *ref, const mb_xml_node *node, bool secret,
                    mb_value *out) {
  const mb_shape *shape = mb_coding_shape(c, ref);
  secret = secret || mb_secret_member(c, ref);
  switch ((mb_shape_type)shape->type) {
  case MB_SHAPE_STRUCTURE:
    return read_structure(c, shape, node, secret, out);
  case MB_SHAPE_LIST:
    return read_list(c, shape, node, secret, out);
  case MB_SHAPE_MAP:
    return read_map(c, shape, node, secret, out);
  default:
    break;
  }
  if (mb_scalar_read(c, ref, node->text, node->size, out) != 0) {
    return -1;
  }
  mb_secret_mark(out, secret);
  return 0;
}

/* An answer whose root is itself the one member's element: S3's <LocationConstraint>eu-west-1</>.
 */
static int read_bare_root(mb_coding *c, const mb_shape *shape, const mb_xml_node *node,
                          mb_value *out) {
  const mb_member *member =
      mb_model_member_by_wire(c->model, shape, node->name, strlen(node->name));
  if (member == NULL || is_container(mb_coding_shape(c, member))) {
    return 0;
  }
  mb_value *value = mb_coding_add(c, out, member);
  return value != NULL ? read_any(c, member, node, false, value) : -1;
}

int mb_xml_body_read(mb_coding *c, const mb_shape *shape, const mb_xml_node *node, mb_value *out) {
  mb_value_set_map(out);
  if (node->first == NULL && node->size > 0) {
    return read_bare_root(c, shape, node, out);
  }
  return read_structure(c, shape, node, (shape->flags & MB_SHAPE_SENSITIVE) != 0, out);
}
