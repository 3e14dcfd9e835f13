/* Which values of inputs and answers are secrets: those the model marks sensitive, less a few that
 * it marks too widely. */
#include "aws/codec/internal.h"
#include <string.h>

bool mb_secret_member(const mb_coding *c, const mb_member *ref) {
  return (ref->flags & MB_MEMBER_SENSITIVE) != 0 ||
         (mb_coding_shape(c, ref)->flags & MB_SHAPE_SENSITIVE) != 0;
}

/* The mark goes on what can be read, not on containers: a sensitive structure stays a structure
 * whose members can be handed on one by one. */
void mb_secret_mark(mb_value *value, bool inherited) {
  mb_type type = mb_value_type(value);
  if (inherited && type != MB_TYPE_NULL && type != MB_TYPE_LIST && type != MB_TYPE_MAP) {
    mb_value_set_secret(value, true);
  }
}

typedef struct relaxed {
  const char *service, *shape;
  const char *value, *kind; /* members by the model's names; no kind: never a secret */
  const char *plain[2];     /* of `kind`: then `value` is no secret */
} relaxed;

/* Systems Manager calls every parameter's value sensitive because a SecureString's is; the two
 * plain types are configuration that runbooks compare and print. ECS calls the whole environment of
 * a container sensitive: its values may be, its names say which variable is meant. */
static const relaxed relaxed_members[] = {
    {"ssm", "Parameter", "Value", "Type", {"String", "StringList"}},
    {"ssm", "ParameterHistory", "Value", "Type", {"String", "StringList"}},
    {"ecs", "KeyValuePair", "name", NULL, {NULL, NULL}},
};

static mb_value *member_value(const mb_coding *c, const mb_shape *shape, mb_value *structure,
                              const char *name) {
  const mb_member *member = mb_model_member(c->model, shape, name, strlen(name));
  return member != NULL ? mb_map_get(structure, mb_coding_name(c, member)) : NULL;
}

static bool is_plain(const mb_coding *c, const relaxed *rule, const mb_shape *shape,
                     mb_value *structure) {
  if (rule->kind == NULL) {
    return true;
  }
  const char *kind = mb_value_string(member_value(c, shape, structure, rule->kind));
  return strcmp(kind, rule->plain[0]) == 0 || strcmp(kind, rule->plain[1]) == 0;
}

void mb_secret_relax(const mb_coding *c, const mb_shape *shape, mb_value *structure) {
  for (size_t i = 0; i < sizeof(relaxed_members) / sizeof(relaxed_members[0]); i++) {
    const relaxed *rule = &relaxed_members[i];
    if (strcmp(c->service.namespace_, rule->service) != 0 ||
        strcmp(mb_coding_text(c, shape->name), rule->shape) != 0) {
      continue;
    }
    mb_value *value = member_value(c, shape, structure, rule->value);
    if (value != NULL && is_plain(c, rule, shape, structure)) {
      mb_value_set_secret(value, false);
    }
  }
}

/* ---- inputs ---- */

static void mark_member(mb_coding *c, const mb_member *ref, bool secret, mb_value *value);

static void mark_structure(mb_coding *c, const mb_shape *shape, bool secret, mb_value *value) {
  for (uint32_t i = 0; mb_value_type(value) == MB_TYPE_MAP && i < value->count; i++) {
    mb_entry *entry = &value->as.entries[i];
    const mb_member *member = mb_coding_entry(c, shape, entry);
    if (member != NULL) {
      mark_member(c, member, secret, &entry->value);
    }
  }
  mb_secret_relax(c, shape, value);
}

/* Lists, and maps whose keys are the caller's: every element is one of `ref`. */
static void mark_elements(mb_coding *c, const mb_member *ref, bool secret, mb_value *value) {
  bool list = mb_value_type(value) == MB_TYPE_LIST;
  for (uint32_t i = 0; i < mb_value_count(value); i++) {
    mark_member(c, ref, secret, list ? &value->as.items[i] : &value->as.entries[i].value);
  }
}

/* An input may be as deep as it likes until it is checked: the depth is bounded here too, and what
 * lies deeper cannot be sent. */
static void mark_member(mb_coding *c, const mb_member *ref, bool secret, mb_value *value) {
  const mb_shape *shape = mb_coding_shape(c, ref);
  secret = secret || mb_secret_member(c, ref);
  mb_secret_mark(value, secret);
  if (c->depth >= MB_CODEC_DEPTH) {
    return;
  }
  c->depth++;
  if (shape->type == MB_SHAPE_STRUCTURE) {
    mark_structure(c, shape, secret, value);
  } else if (shape->type == MB_SHAPE_LIST) {
    mark_elements(c, mb_model_members(c->model, shape), secret, value);
  } else if (shape->type == MB_SHAPE_MAP) {
    mark_elements(c, mb_model_members(c->model, shape) + 1, secret, value);
  }
  c->depth--;
}

void mb_codec_mark_secrets(const mb_codec *codec, const mb_operation *operation, mb_value *input) {
  mb_coding c;
  if (operation->input == MB_NO_INDEX) {
    return;
  }
  mb_coding_init(&c, codec, NULL, NULL);
  mark_structure(&c, mb_model_shape(c.model, operation->input), false, input);
}
