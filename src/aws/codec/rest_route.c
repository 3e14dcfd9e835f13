/* HTTP requests, read: labels and parameters out of paths and queries, and which operation a
 * request asks for. A server's side of the rest protocols. */
#include "aws/codec/internal.h"
#include <string.h>

/* A path against a template. Every label's text is given to `on_label`, which may be NULL. */
typedef struct path_match {
  const char *template, *path;
  int (*on_label)(void *payload, const char *label, size_t label_size, const char *text,
                  size_t size);
  void *payload;
  size_t literals; /* characters that matched as they stand */
} path_match;

static size_t template_size(const char *template) {
  return strcspn(template, "?");
}

/* How much of the path a greedy label takes: all but what the rest of the template must match. */
static size_t greedy_size(const char *path, const char *rest, size_t rest_size) {
  size_t size = strlen(path);
  if (rest_size == 0 || rest_size > size) {
    return rest_size == 0 ? size : 0;
  }
  return strncmp(path + size - rest_size, rest, rest_size) == 0 ? size - rest_size : 0;
}

/* 1: matches; 0: does not; -1: a label was refused. */
static int match_path(path_match *m) {
  const char *at = m->template;
  const char *end = at + template_size(at);
  const char *path = m->path;
  while (at < end) {
    const char *close = *at == '{' ? memchr(at, '}', (size_t)(end - at)) : NULL;
    if (close == NULL) {
      if (*path++ != *at++) {
        return 0;
      }
      m->literals++;
      continue;
    }
    bool greedy = close[-1] == '+';
    size_t size =
        greedy ? greedy_size(path, close + 1, (size_t)(end - close - 1)) : strcspn(path, "/");
    if (size == 0) {
      return 0;
    }
    if (m->on_label != NULL &&
        m->on_label(m->payload, at + 1, (size_t)(close - at - 1) - greedy, path, size) != 0) {
      return -1;
    }
    path += size;
    at = close + 1;
  }
  /* Some clients end the path of a bucket with a slash. */
  return *path == '\0' || strcmp(path, "/") == 0;
}

typedef struct request_reading {
  mb_coding *c;
  const mb_operation *operation;
  const mb_shape *shape;
  const mb_http_request *request;
  mb_value *out;
} request_reading;

static int read_label(void *payload, const char *label, size_t label_size, const char *text,
                      size_t size) {
  request_reading *r = payload;
  const mb_member *member = mb_rest_member(r->c, r->shape, MB_LOCATION_URI, label, label_size);
  size_t plain_size;
  char *plain = mb_coding_percent(r->c, text, size, false, &plain_size);
  if (plain == NULL) {
    return -1;
  }
  if (member == NULL) {
    return 0;
  }
  mb_value *value = mb_coding_add(r->c, r->out, member);
  return value != NULL ? mb_scalar_read(r->c, member, plain, plain_size, value) : -1;
}

static int read_parameter(request_reading *r, const mb_member *member, const char *text,
                          size_t size) {
  const mb_shape *shape = mb_coding_shape(r->c, member);
  mb_value *value = mb_map_get(r->out, mb_coding_name(r->c, member));
  if (value == NULL) {
    value = mb_coding_add(r->c, r->out, member);
    if (value == NULL) {
      return -1;
    }
    if (shape->type == MB_SHAPE_LIST) {
      mb_value_set_list(value);
    }
  }
  if (shape->type != MB_SHAPE_LIST) {
    return mb_scalar_read(r->c, member, text, size, value);
  }
  return mb_rest_add_item(r->c, mb_model_members(r->c->model, shape), text, size, value);
}

/* A parameter that no member claims goes to the member that takes them all, if there is one. */
static int read_free_parameter(request_reading *r, const char *name, size_t name_size,
                               const char *text, size_t size) {
  const mb_member *members = mb_model_members(r->c->model, r->shape);
  for (uint32_t i = 0; i < r->shape->member_count; i++) {
    const mb_shape *shape = mb_coding_shape(r->c, &members[i]);
    if (members[i].location != MB_LOCATION_QUERY || shape->type != MB_SHAPE_MAP) {
      continue;
    }
    mb_value *map = mb_map_get(r->out, mb_coding_name(r->c, &members[i]));
    if (map == NULL) {
      map = mb_coding_add(r->c, r->out, &members[i]);
      if (map == NULL) {
        return -1;
      }
      mb_value_set_map(map);
    }
    const mb_member *item = mb_model_members(r->c->model, shape) + 1;
    const mb_shape *target = mb_coding_shape(r->c, item);
    mb_value *value = mb_map_get_sized(map, name, name_size);
    if (value == NULL) {
      value = mb_coding_add_key(r->c, map, name, name_size);
      if (value == NULL) {
        return -1;
      }
      if (target->type == MB_SHAPE_LIST) {
        mb_value_set_list(value);
      }
    }
    return target->type == MB_SHAPE_LIST
               ? mb_rest_add_item(r->c, mb_model_members(r->c->model, target), text, size, value)
               : mb_scalar_read(r->c, item, text, size, value);
  }
  return 0;
}

/* Whether a template's constant query ("?list-type=2&acl") holds a name, and with which value. */
static bool constant_has(const char *constant, const char *name, size_t size) {
  while (constant != NULL && *constant != '\0') {
    size_t part = strcspn(constant, "&");
    size_t key = strcspn(constant, "=&");
    if (key == size && memcmp(constant, name, size) == 0) {
      return true;
    }
    constant += part + (constant[part] == '&');
  }
  return false;
}

static int read_pair(request_reading *r, const char *pair, size_t size) {
  const char *equals = memchr(pair, '=', size);
  size_t key = equals != NULL ? (size_t)(equals - pair) : size;
  size_t name_size, text_size = 0;
  char *name = mb_coding_percent(r->c, pair, key, true, &name_size);
  char *text = name == NULL
                   ? NULL
                   : mb_coding_percent(r->c, equals != NULL ? equals + 1 : "",
                                       equals != NULL ? size - key - 1 : 0, true, &text_size);
  if (text == NULL) {
    return -1;
  }
  const mb_member *member = mb_rest_member(r->c, r->shape, MB_LOCATION_QUERY, name, name_size);
  if (member != NULL && mb_coding_shape(r->c, member)->type != MB_SHAPE_MAP) {
    return read_parameter(r, member, text, text_size);
  }
  const char *constant = strchr(mb_coding_text(r->c, r->operation->uri), '?');
  if (constant != NULL && constant_has(constant + 1, name, name_size)) {
    return 0;
  }
  return read_free_parameter(r, name, name_size, text, text_size);
}

static int read_query(request_reading *r) {
  const char *at = r->request->query != NULL ? r->request->query : "";
  while (*at != '\0') {
    size_t size = strcspn(at, "&");
    if (size > 0 && read_pair(r, at, size) != 0) {
      return -1;
    }
    at += size + (at[size] == '&');
  }
  return 0;
}

int mb_rest_read_request(mb_coding *c, const mb_operation *operation,
                         const mb_http_request *request, mb_value *out) {
  if (operation->input == MB_NO_INDEX) {
    return 0;
  }
  const mb_shape *shape = mb_model_shape(c->model, operation->input);
  request_reading r = {c, operation, shape, request, out};
  if (mb_rest_read_body(c, shape, request->body, request->body_size, out) != 0) {
    return -1;
  }
  path_match match = {.template = mb_coding_text(c, operation->uri),
                      .path = request->path,
                      .on_label = read_label,
                      .payload = &r};
  int matched = match_path(&match);
  if (matched != 1) {
    return matched == 0 ? mb_coding_unreadable(c, "the path is not that of %s",
                                               mb_coding_text(c, operation->name))
                        : -1;
  }
  if (read_query(&r) != 0) {
    return -1;
  }
  return mb_rest_read_headers(c, shape, &request->headers, 0, out);
}

/* ---- routing ---- */

static bool query_has(const char *query, const char *name, size_t size, const char *value,
                      size_t value_size) {
  for (const char *at = query; at != NULL && *at != '\0';) {
    size_t part = strcspn(at, "&");
    size_t key = strcspn(at, "=&");
    size_t rest = part > key ? part - key - 1 : 0;
    bool same = value == NULL || (rest == value_size && memcmp(at + key + 1, value, rest) == 0);
    if (key == size && memcmp(at, name, size) == 0 && (same || value_size == 0)) {
      return true;
    }
    at += part + (at[part] == '&');
  }
  return false;
}

/* How many of a template's constant parameters the query holds; -1 when one is missing. */
static int match_constants(const char *uri, const char *query) {
  const char *at = strchr(uri, '?');
  int count = 0;
  for (at = at != NULL ? at + 1 : ""; *at != '\0';) {
    size_t part = strcspn(at, "&");
    size_t key = strcspn(at, "=&");
    const char *value = part > key ? at + key + 1 : "";
    if (!query_has(query, at, key, value, part > key ? part - key - 1 : 0)) {
      return -1;
    }
    count++;
    at += part + (at[part] == '&');
  }
  return count;
}

/* How many required parameters and headers of an operation a request holds; -1 when it lacks one.
 * Tells UploadPart from PutObject, and CopyObject from both. */
static int match_required(const mb_coding *c, const mb_operation *operation,
                          const mb_http_request *request) {
  if (operation->input == MB_NO_INDEX) {
    return 0;
  }
  const mb_shape *shape = mb_model_shape(c->model, operation->input);
  int count = 0;
  for (uint32_t i = 0; i < shape->member_count; i++) {
    const mb_member *member = &mb_model_members(c->model, shape)[i];
    const char *wire = mb_coding_text(c, member->wire);
    if ((member->flags & MB_MEMBER_REQUIRED) == 0 ||
        (member->location != MB_LOCATION_QUERY && member->location != MB_LOCATION_HEADER)) {
      continue;
    }
    bool there = member->location == MB_LOCATION_HEADER
                     ? mb_headers_get(&request->headers, wire) != NULL
                     : query_has(request->query, wire, strlen(wire), NULL, 0);
    if (!there) {
      return -1;
    }
    count++;
  }
  return count;
}

/* How well an operation fits a request: -1 not at all. */
static int64_t fitness(const mb_coding *c, const mb_operation *operation,
                       const mb_http_request *request) {
  const char *uri = mb_coding_text(c, operation->uri);
  if (strcmp(mb_coding_text(c, operation->method), request->method) != 0) {
    return -1;
  }
  path_match match = {.template = uri, .path = request->path};
  if (match_path(&match) != 1) {
    return -1;
  }
  int constants = match_constants(uri, request->query);
  int required = constants >= 0 ? match_required(c, operation, request) : -1;
  if (constants < 0 || required < 0) {
    return -1;
  }
  int64_t narrow = strchr(uri, '+') == NULL ? 2 : 0;
  int64_t current = (operation->flags & MB_OPERATION_DEPRECATED) == 0 ? 1 : 0;
  return (int64_t)constants * 1000000000 + (int64_t)required * 1000000 +
         (int64_t)match.literals * 4 + narrow + current;
}

const mb_operation *mb_rest_route(const mb_coding *c, const mb_http_request *request) {
  const mb_operation *best = NULL;
  int64_t best_fitness = -1;
  size_t count = mb_model_operation_count(c->model);
  for (size_t i = 0; i < count; i++) {
    const mb_operation *operation = mb_model_operation_at(c->model, i);
    int64_t fits = fitness(c, operation, request);
    if (fits > best_fitness) {
      best = operation;
      best_fitness = fits;
    }
  }
  return best;
}
