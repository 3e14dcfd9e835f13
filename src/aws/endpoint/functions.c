/* The functions of endpoint rules. Each gets its arguments evaluated and gives a value, or NULL for
 * unset. */
#include "aws/endpoint/ruleset.h"
#include "base/text.h"
#include <string.h>

typedef const mb_value *result;

static const mb_value yes = {.type = MB_TYPE_BOOLEAN, .as.boolean = true};
static const mb_value no = {.type = MB_TYPE_BOOLEAN, .as.boolean = false};

static result boolean(bool truth) {
  return truth ? &yes : &no;
}

static result out_of_memory(mb_rule_call *call) {
  call->run->failed = true;
  mb_error_memory(call->run->error);
  return NULL;
}

static result string(mb_rule_call *call, const char *text, size_t size) {
  mb_value *value = mb_value_new(call->run->arena);
  if (!value || mb_value_set_bytes(call->run->arena, value, MB_TYPE_STRING, text, size))
    return out_of_memory(call);
  return value;
}

/* An argument as text, or NULL when it is something else. */
static const char *text_of(const mb_rule_call *call, size_t index, size_t *size) {
  const mb_value *value = call->arguments[index];
  return value && value->type == MB_TYPE_STRING ? mb_value_bytes(value, size) : NULL;
}

static bool is_true(const mb_value *value) {
  return value && value->type == MB_TYPE_BOOLEAN && value->as.boolean;
}

/* ---- logic ---- */

static result call_is_set(mb_rule_call *call) {
  return boolean(call->arguments[0] != NULL);
}

static result call_not(mb_rule_call *call) {
  return boolean(!call->arguments[0] ||
                 (call->arguments[0]->type == MB_TYPE_BOOLEAN && !call->arguments[0]->as.boolean));
}

static result call_equals(mb_rule_call *call) {
  const mb_value *a = call->arguments[0], *b = call->arguments[1];
  return boolean(a->type == b->type && mb_value_equal(a, b));
}

static result call_get_attr(mb_rule_call *call) {
  return mb_rule_attribute(call->arguments[0], call->node->as.steps, call->node->step_count);
}

static result call_coalesce(mb_rule_call *call) {
  for (uint32_t i = 0; i < call->node->count; i++)
    if (call->arguments[i])
      return call->arguments[i];
  return NULL;
}

static result call_ite(mb_rule_call *call) {
  return call->arguments[is_true(call->arguments[0]) ? 1 : 2];
}

/* ---- text ---- */

static bool is_ascii(const char *text, size_t size) {
  for (size_t i = 0; i < size; i++)
    if ((unsigned char)text[i] > 127)
      return false;
  return true;
}

/* substring(text, start, stop, from the end) */
static result call_substring(mb_rule_call *call) {
  size_t size;
  const char *text = text_of(call, 0, &size);
  int64_t start = mb_value_integer(call->arguments[1]), stop = mb_value_integer(call->arguments[2]);
  if (!text || start < 0 || start >= stop || (uint64_t)stop > size || !is_ascii(text, size))
    return NULL;
  size_t from = is_true(call->arguments[3]) ? size - (size_t)stop : (size_t)start;
  return string(call, text + from, (size_t)(stop - start));
}

static result call_uri_encode(mb_rule_call *call) {
  size_t size;
  const char *text = text_of(call, 0, &size);
  if (!text)
    return NULL;
  mb_buffer encoded = MB_BUFFER_INIT(3 * size + 1);
  mb_text_add_uri(&encoded, text, size, "");
  result value =
      encoded.failed ? out_of_memory(call) : string(call, mb_buffer_text(&encoded), encoded.size);
  mb_buffer_dispose(&encoded);
  return value;
}

static int add_string(mb_rule_call *call, mb_value *list, const char *text, size_t size) {
  mb_value *item = mb_list_add(call->run->arena, list);
  if (!item || mb_value_set_bytes(call->run->arena, item, MB_TYPE_STRING, text, size)) {
    out_of_memory(call);
    return -1;
  }
  return 0;
}

/* split(text, delimiter, most parts or 0) */
static result call_split(mb_rule_call *call) {
  size_t size, mark_size;
  const char *at = text_of(call, 0, &size), *mark = text_of(call, 1, &mark_size);
  int64_t most = mb_value_integer(call->arguments[2]);
  if (!at || !mark || mark_size == 0 || most < 0)
    return NULL;
  mb_value *list = mb_value_new_list(call->run->arena);
  if (!list)
    return out_of_memory(call);
  for (const char *end = at + size;;) {
    bool last = most > 0 && (int64_t)list->count == most - 1;
    const char *stop = last ? NULL : memmem(at, (size_t)(end - at), mark, mark_size);
    if (add_string(call, list, at, (size_t)((stop ? stop : end) - at)))
      return NULL;
    if (!stop)
      return list;
    at = stop + mark_size;
  }
}

/* ---- host names ---- */

static bool is_label_character(char c, bool upper_allowed) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         (upper_allowed && c >= 'A' && c <= 'Z');
}

static bool is_label(const char *text, size_t size, bool upper_allowed) {
  if (size < 1 || size > 63 || text[0] == '-' || text[size - 1] == '-')
    return false;
  for (size_t i = 0; i < size; i++)
    if (!is_label_character(text[i], upper_allowed))
      return false;
  return true;
}

/* One label, or several with dots between them. */
static bool is_host(const char *text, size_t size, bool dots_allowed, bool upper_allowed) {
  const char *end = text + size;
  if (!dots_allowed)
    return is_label(text, size, upper_allowed);
  for (;;) {
    const char *dot = memchr(text, '.', (size_t)(end - text));
    if (!is_label(text, (size_t)((dot ? dot : end) - text), upper_allowed))
      return false;
    if (!dot)
      return true;
    text = dot + 1;
  }
}

static bool is_ipv4(const char *text, size_t size) {
  const char *end = text + size;
  for (int part = 0; part < 4; part++) {
    int value = 0, digits = 0;
    for (; text < end && *text >= '0' && *text <= '9' && digits < 3; text++, digits++)
      value = value * 10 + (*text - '0');
    if (digits == 0 || value > 255)
      return false;
    if (part < 3 && (text == end || *text++ != '.'))
      return false;
  }
  return text == end;
}

static result call_is_valid_host_label(mb_rule_call *call) {
  size_t size;
  const char *text = text_of(call, 0, &size);
  return boolean(text && is_host(text, size, is_true(call->arguments[1]), true));
}

static result call_is_virtual_hostable(mb_rule_call *call) {
  size_t size;
  const char *text = text_of(call, 0, &size);
  return boolean(text && size >= 3 && size <= 63 && !is_ipv4(text, size) &&
                 is_host(text, size, is_true(call->arguments[1]), false));
}

/* ---- parseURL ---- */

static int put_text(mb_rule_call *call, mb_value *map, const char *name, const char *text,
                    size_t size) {
  mb_value *slot = mb_map_add_static(call->run->arena, map, name, strlen(name));
  if (!slot || mb_value_set_bytes(call->run->arena, slot, MB_TYPE_STRING, text, size)) {
    out_of_memory(call);
    return -1;
  }
  return 0;
}

/* The size of the host in "host[:port]", or 0 when host or port are not right. */
static size_t host_size(const char *authority, size_t size) {
  const char *at = memrchr(authority, '@', size);
  size_t skip = at ? (size_t)(at - authority) + 1 : 0;
  const char *host = authority + skip, *end = authority + size;
  const char *bracket = host < end && *host == '[' ? memchr(host, ']', size - skip) : NULL;
  if (host < end && *host == '[' && !bracket)
    return 0;
  const char *stop = bracket ? bracket + 1 : memchr(host, ':', size - skip);
  stop = stop ? stop : end;
  int64_t port = 0;
  if (stop < end &&
      (*stop != ':' ||
       (end - stop > 1 &&
        (stop[1] == '-' || stop[1] == '+' ||
         mb_parse_integer(stop + 1, (size_t)(end - stop) - 1, &port) || port > 65535))))
    return 0;
  return (size_t)(stop - host);
}

static bool is_ip(const char *authority, size_t size) {
  const char *at = memrchr(authority, '@', size);
  const char *host = at ? at + 1 : authority;
  size_t length = host_size(authority, size);
  return length > 0 && (*host == '[' || is_ipv4(host, length));
}

/* The path with a slash at its end. */
static int put_normalized(mb_rule_call *call, mb_value *map, const char *path, size_t size) {
  bool slash = size == 0 || path[size - 1] != '/';
  const char *text = mb_arena_printf(call->run->arena, "%.*s%s", (int)size, path, slash ? "/" : "");
  if (!text) {
    out_of_memory(call);
    return -1;
  }
  return put_text(call, map, "normalizedPath", text, size + (slash ? 1 : 0));
}

static result call_parse_url(mb_rule_call *call) {
  size_t size;
  const char *text = text_of(call, 0, &size);
  if (!text || size > 8192 || strlen(text) != size || strpbrk(text, "?#"))
    return NULL;
  const char *mark = strstr(text, "://");
  char scheme[6] = "";
  if (!mark || mark - text > 5)
    return NULL;
  memcpy(scheme, text, (size_t)(mark - text));
  if (mb_text_equal_ci(scheme, "https"))
    memcpy(scheme, "https", 6);
  else if (mb_text_equal_ci(scheme, "http"))
    memcpy(scheme, "http", 5);
  else
    return NULL;
  const char *authority = mark + 3;
  size_t authority_size = strcspn(authority, "/");
  const char *path = authority + authority_size;
  if (host_size(authority, authority_size) == 0)
    return NULL;
  mb_value *map = mb_value_new_map(call->run->arena);
  if (!map)
    return out_of_memory(call);
  if (put_text(call, map, "scheme", scheme, strlen(scheme)) ||
      put_text(call, map, "authority", authority, authority_size) ||
      put_text(call, map, "path", path, strlen(path)) ||
      put_normalized(call, map, path, strlen(path)))
    return NULL;
  mb_value *slot = mb_map_add_static(call->run->arena, map, "isIp", 4);
  if (!slot)
    return out_of_memory(call);
  mb_value_set_boolean(slot, is_ip(authority, authority_size));
  return map;
}

/* ---- ARNs and partitions ---- */

/* Without a region it is the first partition, as for a region that none claims. */
static result call_partition(mb_rule_call *call) {
  size_t size;
  const char *region = text_of(call, 0, &size);
  return mb_partition_of(call->run->ruleset, region ? region : "");
}

/* The resource's parts, divided by ':' or '/'. */
static int put_resource(mb_rule_call *call, mb_value *arn, const char *text, size_t size) {
  mb_value *slot = mb_map_add_static(call->run->arena, arn, "resourceId", 10);
  if (!slot) {
    out_of_memory(call);
    return -1;
  }
  mb_value_set_list(slot);
  for (size_t from = 0, at = 0; at <= size; at++) {
    if (at < size && text[at] != ':' && text[at] != '/')
      continue;
    if (add_string(call, slot, text + from, at - from))
      return -1;
    from = at + 1;
  }
  return 0;
}

/* arn:partition:service:region:account:resource */
static result call_parse_arn(mb_rule_call *call) {
  static const char *const names[] = {"partition", "service", "region", "accountId"};
  size_t size;
  const char *at = text_of(call, 0, &size);
  if (!at || size < 4 || memcmp(at, "arn:", 4) != 0)
    return NULL;
  const char *end = at + size;
  mb_value *arn = mb_value_new_map(call->run->arena);
  if (!arn)
    return out_of_memory(call);
  at += 4;
  for (size_t i = 0; i < 4; i++) {
    const char *stop = memchr(at, ':', (size_t)(end - at));
    if (!stop || (i < 2 && stop == at))
      return NULL;
    if (put_text(call, arn, names[i], at, (size_t)(stop - at)))
      return NULL;
    at = stop + 1;
  }
  if (at == end || put_resource(call, arn, at, (size_t)(end - at)))
    return NULL;
  return arn;
}

/* ---- the table ---- */

static const mb_rule_function functions[] = {
    {"booleanEquals", call_equals, 2, 2, false},
    {"stringEquals", call_equals, 2, 2, false},
    {"getAttr", call_get_attr, 2, 2, false},
    {"isSet", call_is_set, 1, 1, true},
    {"not", call_not, 1, 1, true},
    {"aws.partition", call_partition, 1, 1, true},
    {"substring", call_substring, 4, 4, false},
    {"isValidHostLabel", call_is_valid_host_label, 2, 2, true},
    {"parseURL", call_parse_url, 1, 1, false},
    {"aws.parseArn", call_parse_arn, 1, 1, false},
    {"aws.isVirtualHostableS3Bucket", call_is_virtual_hostable, 2, 2, true},
    {"uriEncode", call_uri_encode, 1, 1, false},
    {"coalesce", call_coalesce, 1, 4, true},
    {"ite", call_ite, 3, 3, true},
    {"split", call_split, 3, 3, false},
};

const mb_rule_function *mb_rule_function_find(const char *name, size_t size) {
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
    if (strlen(functions[i].name) == size && memcmp(functions[i].name, name, size) == 0)
      return &functions[i];
  return NULL;
}
