/* mbconf protocol input|output FILE...: requests to build and answers to read, for every protocol.
 *
 * A file is a list of suites; each becomes a model of one operation. An input case encodes its
 * params and compares the request, an output case decodes its response and compares the result. */
#include "mbconf.h"

#include "aws/codec/codec.h"
#include "aws/codec/xml_read.h"
#include "aws/model/builder.h"
#include "base/json.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMPRESS_MINIMUM 10240 /* what clients do unless told otherwise; the cases expect it */

typedef struct protocol_case {
  mbconf_report *report;
  mb_arena *arena;
  const mb_value *suite, *given;
  const char *id;
  mb_codec codec;
  mb_service service;
  const mb_operation *operation;
  const mb_value *test;
  char why[4096]; /* the first difference, "" when none */
} protocol_case;

/* ---- the seams ---- */

static int zeros(void *payload, void *out, size_t size) {
  (void)payload;
  memset(out, 0, size);
  return 0;
}

static const mb_system *test_system(void) {
  static const mb_system given = {.random = zeros};
  static mb_system system;
  mb_system_complete(&system, &given);
  return &system;
}

/* ---- differences ---- */

static void differ(protocol_case *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void differ(protocol_case *t, const char *format, ...) {
  va_list args;
  if (t->why[0] != '\0') {
    return;
  }
  va_start(args, format);
  vsnprintf(t->why, sizeof(t->why), format, args);
  va_end(args);
}

static const char *json_of(protocol_case *t, const mb_value *value) {
  const char *text = value != NULL ? mb_value_to_json(t->arena, value, 0, true) : "nothing";
  return text != NULL ? text : "?";
}

static const char *string_at(const mb_value *map, const char *key) {
  return mb_value_string(mb_map_get(map, key));
}

static bool same(const mb_value *expected, const mb_value *got);

static bool same_text(const mb_value *expected, const mb_value *got) {
  size_t size, got_size;
  const char *text = mb_value_bytes(expected, &size);
  if (mb_value_type(got) == MB_TYPE_NUMBER) { /* NaN and its friends */
    double number = mb_value_number(got);
    return (isnan(number) && strcmp(text, "NaN") == 0) ||
           (isinf(number) && strcmp(text, number > 0 ? "Infinity" : "-Infinity") == 0);
  }
  if (mb_value_type(got) != MB_TYPE_STRING && mb_value_type(got) != MB_TYPE_BLOB) {
    return false;
  }
  const char *bytes = mb_value_bytes(got, &got_size);
  return size == got_size && memcmp(text, bytes, size) == 0;
}

static bool same_map(const mb_value *expected, const mb_value *got) {
  if (mb_value_type(got) != MB_TYPE_MAP || mb_value_count(got) != mb_value_count(expected)) {
    return false;
  }
  for (size_t i = 0; i < mb_value_count(expected); i++) {
    const mb_value *other = mb_map_get(got, mb_map_key_at(expected, i));
    if (other == NULL || !same(mb_map_value_at(expected, i), other)) {
      return false;
    }
  }
  return true;
}

static bool same_list(const mb_value *expected, const mb_value *got) {
  if (mb_value_type(got) != MB_TYPE_LIST || mb_value_count(got) != mb_value_count(expected)) {
    return false;
  }
  for (size_t i = 0; i < mb_value_count(expected); i++) {
    if (!same(mb_list_at(expected, i), mb_list_at(got, i))) {
      return false;
    }
  }
  return true;
}

static bool same(const mb_value *expected, const mb_value *got) {
  switch (mb_value_type(expected)) {
  case MB_TYPE_STRING:
    return same_text(expected, got);
  case MB_TYPE_MAP:
    return same_map(expected, got);
  case MB_TYPE_LIST:
    return same_list(expected, got);
  default:
    return mb_value_equal(expected, got);
  }
}

/* ---- XML, compared as a tree ---- */

static bool same_node(const mb_xml_node *a, const mb_xml_node *b);

static size_t count_attributes(const mb_xml_node *node) {
  size_t count = 0;
  for (const mb_xml_attribute *at = node->attributes; at != NULL; at = at->next) {
    count++;
  }
  return count;
}

static bool same_attributes(const mb_xml_node *a, const mb_xml_node *b) {
  for (const mb_xml_attribute *at = a->attributes; at != NULL; at = at->next) {
    const char *other = mb_xml_attribute_value(b, at->name);
    if (other == NULL || strcmp(other, at->value) != 0) {
      return false;
    }
  }
  return count_attributes(a) == count_attributes(b);
}

static bool same_children(const mb_xml_node *a, const mb_xml_node *b) {
  const mb_xml_node *x = a->first, *y = b->first;
  while (x != NULL && y != NULL && same_node(x, y)) {
    x = x->next;
    y = y->next;
  }
  return x == NULL && y == NULL;
}

static bool same_node(const mb_xml_node *a, const mb_xml_node *b) {
  if (strcmp(a->name, b->name) != 0 || !same_attributes(a, b)) {
    return false;
  }
  if (a->first != NULL || b->first != NULL) {
    return same_children(a, b);
  }
  return strcmp(a->text, b->text) == 0;
}

static bool same_xml(protocol_case *t, const char *a, const char *b, size_t b_size) {
  const char *problem;
  unsigned long line;
  const mb_xml_node *x = mb_xml_read(t->arena, a, strlen(a), &problem, &line);
  const mb_xml_node *y = mb_xml_read(t->arena, b, b_size, &problem, &line);
  return x != NULL && y != NULL && same_node(x, y);
}

/* ---- input ---- */

static bool same_json(protocol_case *t, const char *a, const char *b, size_t b_size) {
  mb_value *x, *y;
  mb_error error;
  return mb_value_from_json(t->arena, &x, a, strlen(a), &error) == 0 &&
         mb_value_from_json(t->arena, &y, b, b_size, &error) == 0 && same(x, y);
}

static void compare_body(protocol_case *t, const mb_value *expected, const mb_http_request *got) {
  const mb_value *body = mb_map_get(expected, "body");
  if (body == NULL) {
    return;
  }
  const char *text = mb_value_string(body);
  const char *bytes = got->body != NULL ? got->body : "";
  bool json = t->service.protocol == MB_PROTOCOL_JSON ||
              (t->service.protocol == MB_PROTOCOL_REST_JSON && (*text == '{' || *text == '['));
  bool xml = t->service.protocol == MB_PROTOCOL_REST_XML && *text == '<';
  bool equal = json  ? same_json(t, text, bytes, got->body_size)
               : xml ? same_xml(t, text, bytes, got->body_size)
                     : strlen(text) == got->body_size && memcmp(text, bytes, got->body_size) == 0;
  if (!equal) {
    differ(t, "the body is %.*s, not %s", (int)got->body_size, bytes, text);
  }
}

static bool has_header(const mb_http_request *got, const char *name) {
  if (mb_text_equal_ci(name, "Content-Length")) { /* the transport adds it to every body */
    return got->body_size > 0;
  }
  return mb_headers_get(&got->headers, name) != NULL;
}

static void compare_headers(protocol_case *t, const mb_value *expected,
                            const mb_http_request *got) {
  const mb_value *headers = mb_map_get(expected, "headers");
  const mb_value *require = mb_map_get(expected, "requireHeaders");
  const mb_value *forbid = mb_map_get(expected, "forbidHeaders");
  for (size_t i = 0; i < mb_value_count(headers); i++) {
    const char *name = mb_map_key_at(headers, i);
    const char *value = mb_value_string(mb_map_value_at(headers, i));
    const char *mine = mb_headers_get(&got->headers, name);
    /* the charset is an addition of the form protocols that services accept */
    bool equal = mine != NULL && (strcmp(mine, value) == 0 ||
                                  (mb_text_equal_ci(name, "Content-Type") &&
                                   strncmp(mine, value, strlen(value)) == 0 &&
                                   strcmp(mine + strlen(value), "; charset=utf-8") == 0));
    if (!equal) {
      differ(t, "the header %s is %s, not %s", name, mine != NULL ? mine : "absent", value);
    }
  }
  for (size_t i = 0; i < mb_value_count(require); i++) {
    if (!has_header(got, mb_value_string(mb_list_at(require, i)))) {
      differ(t, "the header %s is missing", mb_value_string(mb_list_at(require, i)));
    }
  }
  for (size_t i = 0; i < mb_value_count(forbid); i++) {
    if (has_header(got, mb_value_string(mb_list_at(forbid, i)))) {
      differ(t, "the header %s is there", mb_value_string(mb_list_at(forbid, i)));
    }
  }
}

/* The path and host of the endpoint the suite gives, "" without one. */
static void split_endpoint(const char *endpoint, char *host, size_t host_size, const char **path) {
  const char *at = strstr(endpoint, "://");
  at = at != NULL ? at + 3 : endpoint;
  size_t size = strcspn(at, "/");
  snprintf(host, host_size, "%.*s", (int)size, at);
  *path = at + size;
}

static void compare_place(protocol_case *t, const mb_value *expected, const mb_http_request *got) {
  char host[256];
  const char *base;
  split_endpoint(string_at(t->suite, "clientEndpoint"), host, sizeof(host), &base);
  const char *mark = *got->query != '\0' ? "?" : "";
  const char *uri = mb_arena_printf(t->arena, "%s%s%s%s", base, got->path, mark, got->query);
  const char *full = mb_arena_printf(t->arena, "%s%s%s",
                                     got->host_prefix != NULL ? got->host_prefix : "", host, base);
  if (strcmp(got->method, string_at(expected, "method")) != 0) {
    differ(t, "the method is %s, not %s", got->method, string_at(expected, "method"));
  }
  if (mb_map_get(expected, "uri") != NULL && strcmp(uri, string_at(expected, "uri")) != 0) {
    differ(t, "the URI is %s, not %s", uri, string_at(expected, "uri"));
  }
  if (mb_map_get(expected, "host") != NULL && strcmp(full, string_at(expected, "host")) != 0) {
    differ(t, "the host is %s, not %s", full, string_at(expected, "host"));
  }
}

static void run_input(protocol_case *t) {
  mb_error error;
  mb_http_request request;
  mb_value *params = mb_map_get(t->test, "params");
  const mb_value *expected = mb_map_get(t->test, "serialized");
  if (mb_codec_validate(&t->codec, t->operation, params, &error) != 0 ||
      mb_codec_fill_tokens(&t->codec, t->arena, t->operation, params, &error) != 0 ||
      mb_codec_encode_request(&t->codec, t->arena, t->operation, params, &request, &error) != 0) {
    differ(t, "%s", error.message);
    return;
  }
  compare_place(t, expected, &request);
  compare_headers(t, expected, &request);
  compare_body(t, expected, &request);
}

/* ---- output ---- */

static void fill_response(protocol_case *t, mb_http_response *response) {
  const mb_value *given = mb_map_get(t->test, "response");
  const mb_value *headers = mb_map_get(given, "headers");
  *response = (mb_http_response){.body = ""};
  response->status = (int)mb_value_integer(mb_map_get(given, "status_code"));
  if (mb_map_get(given, "body") != NULL) {
    response->body = mb_value_bytes(mb_map_get(given, "body"), &response->body_size);
  }
  for (size_t i = 0; i < mb_value_count(headers); i++) {
    if (mb_headers_add(t->arena, &response->headers, mb_map_key_at(headers, i),
                       mb_value_string(mb_map_value_at(headers, i))) != 0) {
      differ(t, "the header %s cannot be set", mb_map_key_at(headers, i));
    }
  }
}

static void compare_error(protocol_case *t, const mb_service_error *got) {
  const mb_value *fields = mb_map_get(t->test, "error");
  const mb_value *message = mb_map_get(t->test, "errorMessage");
  if (strcmp(got->code, string_at(t->test, "errorCode")) != 0) {
    differ(t, "the code is %s, not %s", got->code, string_at(t->test, "errorCode"));
  }
  if (message != NULL && strcmp(got->message, mb_value_string(message)) != 0) {
    differ(t, "the message is %s, not %s", got->message, mb_value_string(message));
  }
  if (fields != NULL && !same(fields, &got->fields)) {
    differ(t, "the members are %s, not %s", json_of(t, &got->fields), json_of(t, fields));
  }
}

static void run_output(protocol_case *t) {
  mb_error error;
  mb_http_response response;
  fill_response(t, &response);
  if (mb_map_get(t->test, "errorCode") != NULL) {
    mb_service_error got;
    if (mb_codec_decode_error(&t->codec, t->arena, t->operation, &response, &got, &error) != 0) {
      differ(t, "%s", error.message);
      return;
    }
    compare_error(t, &got);
    return;
  }
  mb_value got;
  const mb_value *expected = mb_map_get(t->test, "result");
  if (mb_codec_decode_response(&t->codec, t->arena, t->operation, &response, &got, &error) != 0) {
    differ(t, "%s", error.message);
  } else if (!same(expected, &got)) {
    differ(t, "the result is %s, not %s", json_of(t, &got), json_of(t, expected));
  }
}

/* ---- suites ---- */

/* The document of a service with this one operation. */
static void write_model(mb_buffer *out, const mb_value *suite, const mb_value *given) {
  const char *name = string_at(given, "name");
  mb_buffer_add_text(out, "{\"version\":\"2.0\",\"metadata\":");
  mb_json_write_value(out, mb_map_get(suite, "metadata"), 0, true);
  mb_buffer_add_text(out, ",\"operations\":{");
  mb_json_write_string(out, name, strlen(name));
  mb_buffer_add_char(out, ':');
  mb_json_write_value(out, given, 0, true);
  mb_buffer_add_text(out, "},\"shapes\":");
  mb_json_write_value(out, mb_map_get(suite, "shapes"), 0, true);
  mb_buffer_add_char(out, '}');
}

static void run_with_model(protocol_case *t, bool input, const mb_buffer *packed) {
  t->codec = (mb_codec){.model = mb_model_open(packed->data, packed->size),
                        .system = test_system(),
                        .names = MB_NAMES_MODEL,
                        .compress_minimum = COMPRESS_MINIMUM};
  t->operation = t->codec.model != NULL
                     ? mb_model_operation(t->codec.model, string_at(t->given, "name"))
                     : NULL;
  if (t->operation == NULL) {
    differ(t, "the model has no such operation");
    return;
  }
  mb_model_service(t->codec.model, &t->service);
  if (input) {
    run_input(t);
  } else {
    run_output(t);
  }
}

static void run_case(mbconf_report *report, mb_arena *arena, bool input, const mb_value *suite,
                     const mb_value *test) {
  protocol_case t = {.report = report, .arena = arena, .suite = suite, .test = test};
  const char *protocol = string_at(mb_map_get(suite, "metadata"), "protocol");
  t.given = mb_map_get(test, "given");
  t.id = string_at(test, "id");
  if (strcmp(protocol, "smithy-rpc-v2-cbor") == 0) {
    mbconf_skip(report, t.id, "protocol not spoken");
    return;
  }
  mb_error error;
  mb_buffer document, packed;
  mb_buffer_init(&document, (size_t)16 << 20);
  mb_buffer_init(&packed, (size_t)64 << 20);
  write_model(&document, suite, t.given);
  if (mb_model_from_botocore(&packed, "test", "0", mb_buffer_text(&document), document.size, NULL,
                             0, NULL, 0, NULL, 0, NULL, &error) != 0) {
    differ(&t, "the model: %s", error.message);
  } else {
    run_with_model(&t, input, &packed);
  }
  mbconf_case(t.report, t.id, t.why[0] == '\0', "%s", t.why);
  mb_buffer_dispose(&document);
  mb_buffer_dispose(&packed);
}

static int run_file(mbconf_report *report, bool input, const char *path) {
  mb_arena *arena = mb_arena_new(0);
  const mb_value *suites = arena != NULL ? mbconf_read_json(arena, path) : NULL;
  if (suites == NULL) {
    mb_arena_free(arena);
    return -1;
  }
  mbconf_report before = *report;
  for (size_t i = 0; i < mb_value_count(suites); i++) {
    const mb_value *suite = mb_list_at(suites, i);
    const mb_value *cases = mb_map_get(suite, "cases");
    for (size_t j = 0; j < mb_value_count(cases); j++) {
      run_case(report, arena, input, suite, mb_list_at(cases, j));
    }
  }
  printf("# %s: %d passed, %d failed, %d skipped\n", path, report->passed - before.passed,
         report->failed - before.failed, report->skipped - before.skipped);
  mb_arena_free(arena);
  return 0;
}

int mbconf_protocol(int argc, char **argv) {
  mbconf_report report = {0};
  bool input = argc > 0 && strcmp(argv[0], "input") == 0;
  if (argc < 2 || (!input && strcmp(argv[0], "output") != 0)) {
    fprintf(stderr, "usage: mbconf protocol input|output FILE...\n");
    return 2;
  }
  for (int i = 1; i < argc; i++) {
    if (run_file(&report, input, argv[i]) != 0) {
      return 2;
    }
  }
  return mbconf_finish(&report);
}
