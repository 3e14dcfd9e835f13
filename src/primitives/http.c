/* http.get: one request to a web server, within the hosts that the manifest names. */
#include "base/arena.h"
#include "base/memory.h"
#include "base/text.h"
#include "call/call.h"
#include "primitives/primitives.h"
#include "primitives/url.h"
#include <moonbook/version.h>
#include <string.h>

#define BODY_LIMIT     ((size_t)256 << 10)
#define MOST_REDIRECTS 5
#define SHOWN_BODY     200 /* bytes of an unexpected answer in the message */

typedef struct http_state {
  mb_call *call;
  mb_transfer *transfer;
  mb_http_request request;
  mb_transfer_options options;
  mb_url url;
  int64_t started_ns;
  int redirects;
} http_state;

static void release_http(void *state) {
  mb_free(state);
}

/* ---- what may be reached ---- */

static int refuse_address(const mb_url *url, mb_error *error) {
  mb_error_set(error, MB_ERROR_REFUSED, "AddressRefused",
               "http.get never reaches \"%s\": it is a link-local or metadata address", url->host);
  return mb_error_next(error, "credentials and metadata are read by moonbook itself, not by "
                              "runbooks");
}

/* The endpoint that gives this machine its credentials may stand on any address. */
static bool is_credentials_endpoint(mb_engine *engine, mb_arena *arena, const mb_url *url) {
  const char *text = mb_getenv(&engine->system, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  mb_url endpoint;
  if (!text || mb_url_parse(arena, text, &endpoint, NULL) != 0)
    return false;
  return endpoint.port == url->port && strcmp(endpoint.host, url->host) == 0;
}

static bool is_allowed(const mb_value *hosts, const mb_url *url) {
  if (!hosts)
    return true;
  for (size_t i = 0; mb_value_type(hosts) == MB_TYPE_LIST && i < mb_value_count(hosts); i++) {
    if (mb_url_matches(url, mb_value_string(mb_list_at(hosts, i))))
      return true;
  }
  return false;
}

static int permit_url(mb_call *call, const mb_url *url, mb_error *error) {
  mb_engine *engine = mb_call_engine(call);
  if (mb_url_is_link_local(url) || is_credentials_endpoint(engine, mb_call_arena(call), url))
    return refuse_address(url, error);
  if (is_allowed(mb_engine_hosts(engine), url))
    return 0;
  mb_error_set(error, MB_ERROR_REFUSED, "HostNotAllowed",
               "http.get may not reach \"%s\": the manifest's `hosts` does not name it", url->host);
  return mb_error_next(
      error, "add \"%s\" to `hosts` in manifest.lua if the runbook should reach it", url->host);
}

/* ---- the request ---- */

static bool is_header_name(const char *name) {
  static const char others[] = "!#$%&'*+-.^_`|~";
  if (!*name)
    return false;
  for (; *name; name++) {
    char c = *name;
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && !strchr(others, c))
      return false;
  }
  return true;
}

/* Headers that would change where the request goes or where it ends. */
static bool is_reserved_header(const char *name) {
  static const char *const names[] = {
      "connection", "content-length", "expect",  "host",
      "te",         "trailer",        "upgrade", "transfer-encoding"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (mb_text_equal_ci(name, names[i]))
      return true;
  }
  char start[7];
  return !mb_text_copy(start, sizeof start, name) && mb_text_equal_ci(start, "proxy-");
}

static bool is_header_value(const char *value, size_t size) {
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)value[i];
    if ((c < 0x20 && c != '\t') || c == 0x7f)
      return false;
  }
  return true;
}

static int header_fault(const char *name, const char *what, mb_error *error) {
  mb_buffer quoted = MB_BUFFER_INIT(512);
  size_t size = strlen(name);
  mb_text_add_printable(&quoted, name, size < 60 ? size : 60, false);
  mb_error_set(error, MB_ERROR_USAGE, "BadHeader", "http.get: the header \"%s\" %s",
               mb_buffer_text(&quoted), what);
  mb_buffer_dispose(&quoted);
  return mb_error_next(error, "correct `headers`, a map of names to strings");
}

static int add_header(mb_arena *arena, mb_headers *headers, const char *name, const mb_value *value,
                      mb_error *error) {
  size_t size;
  const char *text = mb_value_bytes(value, &size);
  if (!is_header_name(name))
    return header_fault(name, "has a name that no header may have", error);
  if (is_reserved_header(name))
    return header_fault(name, "is set by moonbook itself", error);
  if (mb_value_type(value) != MB_TYPE_STRING)
    return header_fault(name, "is not a string", error);
  if (!is_header_value(text, size))
    return header_fault(name, "holds a control character or a line break", error);
  return mb_headers_add(arena, headers, name, text) == 0 ? 0 : mb_error_memory(error);
}

static int add_headers(http_state *state, mb_error *error) {
  mb_arena *arena = mb_call_arena(state->call);
  const mb_value *given = mb_call_argument(state->call, "headers");
  mb_headers *headers = &state->request.headers;
  for (size_t i = 0; mb_value_type(given) == MB_TYPE_MAP && i < mb_value_count(given); i++) {
    if (add_header(arena, headers, mb_map_key_at(given, i), mb_map_value_at(given, i), error) != 0)
      return -1;
  }
  if (!mb_headers_get(headers, "User-Agent") &&
      mb_headers_add(arena, headers, "User-Agent", "moonbook/" MB_VERSION) != 0)
    return mb_error_memory(error);
  return 0;
}

static void http_done(const mb_transfer_result *result, void *payload);

static int send_request(http_state *state, mb_error *error) {
  mb_arena *arena = mb_call_arena(state->call);
  if (permit_url(state->call, &state->url, error) != 0)
    return -1;
  state->request.url = mb_url_text(arena, &state->url);
  if (!state->request.url)
    return mb_error_memory(error);
  state->transfer = mb_loop_transfer(mb_call_engine(state->call)->loop, arena, &state->request,
                                     &state->options, http_done, state, error);
  return state->transfer ? 0 : -1;
}

/* ---- the answer ---- */

static void fail_http(http_state *state, mb_error *error) {
  if (state->request.url)
    mb_text_copy(error->endpoint, sizeof error->endpoint, state->request.url);
  mb_call_set_trace(state->call, "", state->redirects + (state->request.url ? 1 : 0));
  error->attempts = mb_call_attempts(state->call);
  mb_call_fail(state->call, error);
}

static int put_headers(mb_arena *arena, mb_value *out, const mb_headers *headers) {
  mb_value_set_map(out);
  for (size_t i = 0; i < headers->count; i++) {
    char *name = mb_arena_strdup(arena, headers->items[i].name);
    if (!name)
      return -1;
    for (char *at = name; *at; at++)
      *at = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
    mb_value *value = mb_map_put(arena, out, name);
    if (!value)
      return -1;
    const char *text = headers->items[i].value;
    if (mb_value_type(value) == MB_TYPE_STRING)
      text = mb_arena_printf(arena, "%s, %s", mb_value_string(value), text);
    if (!text || mb_value_set_string(arena, value, text) != 0)
      return -1;
  }
  return 0;
}

/* Text when it is text: a character that was cut in two does not make it bytes. */
static int put_body(mb_arena *arena, mb_value *out, const char *body, size_t size, bool cut) {
  size_t shorter = size;
  for (int i = 0; cut && i < 3 && shorter > 0 && !mb_utf8_valid(body, shorter); i++)
    shorter--;
  if (mb_utf8_valid(body, shorter))
    return mb_value_set_bytes(arena, out, MB_TYPE_STRING, body, shorter);
  return mb_value_set_bytes(arena, out, MB_TYPE_BLOB, body, size);
}

static const mb_value *make_result(http_state *state, const mb_transfer_result *answer) {
  mb_arena *arena = mb_call_arena(state->call);
  const mb_http_response *response = &answer->response;
  mb_value *result = mb_value_new_map(arena), *value;
  if (!result || !(value = mb_map_put(arena, result, "status")))
    return NULL;
  mb_value_set_integer(value, response->status);
  if (!(value = mb_map_put(arena, result, "url")) ||
      mb_value_set_string(arena, value, state->request.url) != 0 ||
      !(value = mb_map_put(arena, result, "headers")) ||
      put_headers(arena, value, &response->headers) != 0)
    return NULL;
  bool cut = answer->cut || response->body_size > BODY_LIMIT;
  size_t size = response->body_size < BODY_LIMIT ? response->body_size : BODY_LIMIT;
  if (!(value = mb_map_put(arena, result, "body")) ||
      put_body(arena, value, response->body ? response->body : "", size, cut) != 0 ||
      !(value = mb_map_put(arena, result, "truncated")))
    return NULL;
  mb_value_set_boolean(value, cut);
  if (!(value = mb_map_put(arena, result, "seconds")))
    return NULL;
  int64_t now = mb_loop_now(mb_call_engine(state->call)->loop);
  mb_value_set_number(value, (double)(now - state->started_ns) / 1e9);
  return result;
}

static bool status_fits(http_state *state, const mb_http_response *response, mb_error *error) {
  const mb_value *expected = mb_call_argument(state->call, "expect_status");
  if (!expected || mb_value_integer(expected) == response->status)
    return true;
  mb_buffer body = MB_BUFFER_INIT(SHOWN_BODY * 8);
  size_t size = response->body_size < SHOWN_BODY ? response->body_size : SHOWN_BODY;
  mb_text_add_printable(&body, response->body ? response->body : "", size, false);
  mb_error_set(error, MB_ERROR_CHECK, "UnexpectedStatus", "%s answered %d, expected %lld%s%s",
               state->request.url, response->status, (long long)mb_value_integer(expected),
               body.size ? ": " : "", mb_buffer_text(&body));
  mb_buffer_dispose(&body);
  error->status = response->status;
  return false;
}

/* ---- redirects ---- */

static bool is_redirect(http_state *state, const mb_http_response *response) {
  int status = response->status;
  return mb_value_boolean(mb_call_argument(state->call, "follow_redirects")) &&
         (status == 301 || status == 302 || status == 303 || status == 307 || status == 308) &&
         mb_headers_get(&response->headers, "Location");
}

static int redirect_fault(mb_error *error, const char *code, const char *what, const char *host) {
  mb_error_set(error, MB_ERROR_REFUSED, code, "http.get does not follow the redirect to \"%s\": %s",
               host, what);
  return mb_error_next(error, "give the address it ends at, or look at the first answer without "
                              "follow_redirects");
}

/* Each hop is judged like a first request; headers, which may hold secrets, stay with the origin
 * they were given for. */
static int follow(http_state *state, const mb_http_response *response, mb_error *error) {
  mb_url next;
  const char *location = mb_headers_get(&response->headers, "Location");
  if (mb_url_resolve(mb_call_arena(state->call), &state->url, location, &next, error) != 0)
    return -1;
  if (state->redirects == MOST_REDIRECTS)
    return redirect_fault(error, "TooManyRedirects", "it is one too many", next.host);
  if (state->url.https && !next.https)
    return redirect_fault(error, "InsecureRedirect", "it leads from https to http", next.host);
  if (!mb_url_same_origin(&state->url, &next)) {
    state->request.headers = (mb_headers){.items = NULL};
    if (mb_headers_add(mb_call_arena(state->call), &state->request.headers, "User-Agent",
                       "moonbook/" MB_VERSION) != 0)
      return mb_error_memory(error);
  }
  state->redirects++;
  state->url = next;
  return send_request(state, error);
}

static void http_done(const mb_transfer_result *result, void *payload) {
  http_state *state = payload;
  mb_error error;
  state->transfer = NULL;
  mb_error_clear(&error);
  if (result->failed) {
    error = result->error;
    error.retryable = error.kind == MB_ERROR_NETWORK || error.kind == MB_ERROR_TIMEOUT;
    fail_http(state, &error);
    return;
  }
  if (is_redirect(state, &result->response)) {
    if (follow(state, &result->response, &error) != 0)
      fail_http(state, &error);
    return;
  }
  if (!status_fits(state, &result->response, &error)) {
    fail_http(state, &error);
    return;
  }
  const mb_value *made = make_result(state, result);
  if (!made) {
    mb_error_memory(&error);
    fail_http(state, &error);
    return;
  }
  mb_call_set_trace(state->call, "", state->redirects + 1);
  mb_call_succeed(state->call, made);
}

/* ---- the primitive ---- */

static int start_first(http_state *state, mb_error *error) {
  size_t size;
  const char *text = mb_value_bytes(mb_call_argument(state->call, "url"), &size);
  if (strlen(text) != size)
    return mb_error_set(error, MB_ERROR_USAGE, "BadUrl", "the URL holds a NUL byte");
  if (mb_url_parse(mb_call_arena(state->call), text, &state->url, error) != 0 ||
      add_headers(state, error) != 0)
    return -1;
  return send_request(state, error);
}

static void http_start(mb_call *call, void *payload) {
  mb_error error;
  mb_error_clear(&error);
  http_state *state = mb_alloc_zero(1, sizeof *state);
  if (!state) {
    mb_error_memory(&error);
    mb_call_fail(call, &error);
    return;
  }
  mb_call_set_state(call, state, release_http);
  state->call = call;
  state->request.method = "GET";
  state->options.response_limit = BODY_LIMIT;
  state->options.cut_response = true;
  state->options.refuse_link_local = true;
  state->started_ns = mb_loop_now(mb_call_engine(call)->loop);
  if (start_first(state, &error) != 0)
    fail_http(state, &error);
}

static void http_cancel(mb_call *call, void *payload) {
  http_state *state = mb_call_state(call);
  if (state && state->transfer)
    mb_transfer_cancel(state->transfer);
}

static const mb_argument get_arguments[] = {
    {"url", MB_ARGUMENT_STRING, true, "an http or https URL; its host must be in `hosts`"},
    {"headers", MB_ARGUMENT_MAP, false, "map of header names to strings"},
    {"timeout", MB_ARGUMENT_DURATION, false,
     "how long the whole request may take; 120 seconds when absent"},
    {"expect_status", MB_ARGUMENT_INTEGER, false, "any other status is an error"},
    {"follow_redirects", MB_ARGUMENT_BOOLEAN, false,
     "follow up to 5 redirects within `hosts`; without it a redirect is the answer"},
    {NULL, MB_ARGUMENT_ANY, false, NULL}};

const mb_primitive mb_primitive_http_get = {
    .name = "http.get",
    .summary = "Asks a web server for a page; an HTTP error status is a result, not an error",
    .arguments = get_arguments,
    .results = "status, url, headers (by lower-case name), body (at most 256 KiB), truncated, "
               "seconds",
    .effect = MB_EFFECT_READS,
    .recovery = MB_RECOVERY_READ,
    .since = "0.1.0",
    .start = http_start,
    .cancel = http_cancel};
