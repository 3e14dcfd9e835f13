/* The Signature Version 4 suite: one folder per case with context.json, request.txt and, for the
 * header and the query form each, canonical request, string to sign, signature and signed request.
 * The stages are compared one by one, so that a failure says which of them is wrong. */
#include "mbconf.h"

#include "aws/sign/sigv4.h"
#include "base/text.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- raw requests ---- */

/* Takes a line off `*at`, without its line break; NULL at the end. */
static char *take_line(mb_arena *arena, const char **at, const char *end) {
  if (*at >= end)
    return NULL;
  const char *stop = memchr(*at, '\n', (size_t)(end - *at));
  const char *next = stop ? stop + 1 : end;
  stop = stop ? stop : end;
  if (stop > *at && stop[-1] == '\r')
    stop--;
  char *line = mb_arena_strndup(arena, *at, (size_t)(stop - *at));
  *at = next;
  return line;
}

/* "GET /a path?a=b HTTP/1.1": the target may hold blanks. */
static int parse_request_line(mb_arena *arena, char *line, mb_http_request *out) {
  char *target = line ? strchr(line, ' ') : NULL;
  char *version = target ? strrchr(line, ' ') : NULL;
  if (!target || version <= target)
    return -1;
  *target++ = '\0';
  *version = '\0';
  char *query = strchr(target, '?');
  if (query)
    *query++ = '\0';
  out->method = line;
  out->path = target;
  out->query = query ? query : "";
  return 0;
}

/* Adds a header; a folded line has been joined to it with a blank. */
static int add_header(mb_arena *arena, mb_http_request *out, char *line) {
  char *colon = strchr(line, ':');
  if (!colon)
    return -1;
  *colon = '\0';
  return mb_headers_add(arena, &out->headers, line, colon + 1);
}

static int parse_headers(mb_arena *arena, const char **at, const char *end, mb_http_request *out) {
  char *pending = NULL, *line;
  while ((line = take_line(arena, at, end)) && *line) {
    if (pending && (*line == ' ' || *line == '\t')) {
      pending = mb_arena_printf(arena, "%s%s", pending, line);
      if (!pending)
        return -1;
      continue;
    }
    if (pending && add_header(arena, out, pending))
      return -1;
    pending = line;
  }
  return pending ? add_header(arena, out, pending) : 0;
}

static int parse_request(mb_arena *arena, const char *text, size_t size, mb_http_request *out) {
  const char *at = text, *end = text + size;
  memset(out, 0, sizeof *out);
  if (parse_request_line(arena, take_line(arena, &at, end), out) ||
      parse_headers(arena, &at, end, out))
    return -1;
  out->body = at;
  out->body_size = (size_t)(end - at);
  return 0;
}

/* ---- comparing ---- */

/* The value without the blanks that do not count. */
static const char *squeeze(mb_arena *arena, const char *value) {
  char *out = mb_arena_strdup(arena, value), *to = out;
  for (const char *c = value; out && *c; c++) {
    bool blank = *c == ' ' || *c == '\t';
    bool edge = to == out || to[-1] == ' ';
    if (!blank || !edge)
      *to++ = blank ? ' ' : *c;
  }
  if (out && to > out && to[-1] == ' ')
    to--;
  if (out)
    *to = '\0';
  return out ? out : "";
}

/* The header of that name that comes after `skip` others of it. */
static const char *nth_header(const mb_headers *headers, const char *name, size_t skip) {
  for (size_t i = 0; i < headers->count; i++)
    if (mb_text_equal_ci(headers->items[i].name, name) && skip-- == 0)
      return headers->items[i].value;
  return NULL;
}

/* Headers count as the same whatever the order of different names. */
static bool same_headers(mb_arena *arena, const mb_headers *wanted, const mb_headers *actual) {
  if (wanted->count != actual->count)
    return false;
  for (size_t i = 0; i < wanted->count; i++) {
    size_t before = 0;
    for (size_t j = 0; j < i; j++)
      before += mb_text_equal_ci(wanted->items[j].name, wanted->items[i].name);
    const char *value = nth_header(actual, wanted->items[i].name, before);
    if (!value || strcmp(squeeze(arena, value), squeeze(arena, wanted->items[i].value)) != 0)
      return false;
  }
  return true;
}

static bool same_request(mb_arena *arena, const mb_http_request *wanted,
                         const mb_http_request *actual) {
  return strcmp(wanted->method, actual->method) == 0 && strcmp(wanted->path, actual->path) == 0 &&
         strcmp(wanted->query, actual->query) == 0 && wanted->body_size == actual->body_size &&
         memcmp(wanted->body, actual->body, wanted->body_size) == 0 &&
         same_headers(arena, &wanted->headers, &actual->headers);
}

static const char *request_text(mb_arena *arena, const mb_http_request *request) {
  const char *text =
      mb_arena_printf(arena, "%s %s?%s", request->method, request->path, request->query);
  for (size_t i = 0; text && i < request->headers.count; i++)
    text = mb_arena_printf(arena, "%s\n%s:%s", text, request->headers.items[i].name,
                           request->headers.items[i].value);
  return text ? text : "";
}

/* ---- cases ---- */

typedef struct sigv4_case {
  mbconf_report *report;
  mb_arena *arena;
  const char *folder, *name;
  mb_signing signing;
} sigv4_case;

static int read_context(sigv4_case *test) {
  double time;
  const char *path = mb_arena_printf(test->arena, "%s/context.json", test->folder);
  const mb_value *context = path ? mbconf_read_json(test->arena, path) : NULL;
  const mb_value *credentials = mb_map_get(context, "credentials");
  const char *stamp = mb_value_string(mb_map_get(context, "timestamp"));
  const mb_value *normalize = mb_map_get(context, "normalize");
  const mb_value *expires = mb_map_get(context, "expiration_in_seconds");
  if (!context || mb_time_parse(stamp, strlen(stamp), &time))
    return -1;
  test->signing = (mb_signing){
      .access_key_id = mb_value_string(mb_map_get(credentials, "access_key_id")),
      .secret_access_key = mb_value_string(mb_map_get(credentials, "secret_access_key")),
      .session_token = mb_value_string(mb_map_get(credentials, "token")),
      .region = mb_value_string(mb_map_get(context, "region")),
      .service = mb_value_string(mb_map_get(context, "service")),
      .time = (int64_t)time,
      .double_encode = true,
      .normalize = normalize ? mb_value_boolean(normalize) : true,
      .content_sha256 = mb_value_boolean(mb_map_get(context, "sign_body")),
      .omit_session_token = mb_value_boolean(mb_map_get(context, "omit_session_token")),
      .expires = expires ? mb_value_integer(expires) : 3600,
  };
  return 0;
}

/* NULL, without a message, when there is no such file. */
static const char *expected(const sigv4_case *test, const char *form, const char *stage,
                            size_t *size) {
  struct stat status;
  const char *path = mb_arena_printf(test->arena, "%s/%s-%s.txt", test->folder, form, stage);
  return path && stat(path, &status) == 0 ? mbconf_read(test->arena, path, size) : NULL;
}

static void check_stage(const sigv4_case *test, const char *form, const char *stage,
                        const char *actual) {
  char id[512];
  size_t size;
  const char *wanted = expected(test, form, stage, &size);
  snprintf(id, sizeof id, "sigv4 %s %s %s", test->name, form, stage);
  if (!wanted) {
    mbconf_skip(test->report, id, "the case has no such file");
    return;
  }
  while (size > 0 && (wanted[size - 1] == '\n' || wanted[size - 1] == '\r'))
    size--;
  mbconf_case(test->report, id, strlen(actual) == size && memcmp(actual, wanted, size) == 0,
              "expected\n%.*s\ngot\n%s", (int)size, wanted, actual);
}

static void check_request(const sigv4_case *test, const char *form, const mb_http_request *actual) {
  char id[512];
  size_t size;
  mb_http_request wanted;
  const char *text = expected(test, form, "signed-request", &size);
  snprintf(id, sizeof id, "sigv4 %s %s signed-request", test->name, form);
  if (!text) {
    mbconf_skip(test->report, id, "the case has no such file");
    return;
  }
  bool parsed = parse_request(test->arena, text, size, &wanted) == 0;
  mbconf_case(test->report, id, parsed && same_request(test->arena, &wanted, actual),
              "expected\n%s\ngot\n%s", text, request_text(test->arena, actual));
}

static void run_form(const sigv4_case *test, const char *form, const char *text, size_t size) {
  mb_error error;
  mb_http_request request;
  mb_signing_trace trace = {"", "", ""};
  char id[512];
  int status = parse_request(test->arena, text, size, &request);
  if (status)
    mb_error_set(&error, MB_ERROR_USAGE, "BadRequest", "request.txt is not a request");
  else if (strcmp(form, "header") == 0)
    status = mb_sigv4_sign(test->arena, &request, &test->signing, NULL, &trace, &error);
  else
    status = mb_sigv4_presign(test->arena, &request, &test->signing, NULL, &trace, &error);
  if (status) {
    snprintf(id, sizeof id, "sigv4 %s %s", test->name, form);
    mbconf_case(test->report, id, false, "%s", error.message);
    return;
  }
  check_stage(test, form, "canonical-request", trace.canonical_request);
  check_stage(test, form, "string-to-sign", trace.string_to_sign);
  check_stage(test, form, "signature", trace.signature);
  check_request(test, form, &request);
}

static void run_case(mbconf_report *report, const char *folder, const char *name) {
  mb_arena *arena = mb_arena_new(0);
  sigv4_case test = {.report = report, .arena = arena, .folder = folder, .name = name};
  size_t size;
  const char *path = arena ? mb_arena_printf(arena, "%s/request.txt", folder) : NULL;
  const char *text = path ? mbconf_read(arena, path, &size) : NULL;
  if (!text || read_context(&test)) {
    mbconf_case(report, folder, false, "request.txt or context.json cannot be read");
  } else {
    run_form(&test, "header", text, size);
    run_form(&test, "query", text, size);
  }
  mb_arena_free(arena);
}

/* ---- folders ---- */

static bool is_case(const char *folder) {
  char path[4096 + sizeof "/request.txt"];
  struct stat status;
  snprintf(path, sizeof path, "%s/request.txt", folder);
  return stat(path, &status) == 0;
}

static void run_folder(mbconf_report *report, const char *folder) {
  struct dirent **names;
  int count = scandir(folder, &names, NULL, alphasort);
  for (int i = 0; i < count; i++) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
    if (names[i]->d_name[0] != '.' && is_case(path))
      run_case(report, path, names[i]->d_name);
    free(names[i]);
  }
  if (count >= 0)
    free(names);
  else
    perror(folder);
}

int mbconf_sigv4(int argc, char **argv) {
  mbconf_report report = {0};
  for (int i = 0; i < argc; i++) {
    const char *slash = strrchr(argv[i], '/');
    int before = report.passed + report.failed;
    if (is_case(argv[i]))
      run_case(&report, argv[i], slash && slash[1] ? slash + 1 : argv[i]);
    else
      run_folder(&report, argv[i]);
    if (report.passed + report.failed == before)
      mbconf_case(&report, argv[i], false, "the folder cannot be read or holds no cases");
  }
  return mbconf_finish(&report);
}
