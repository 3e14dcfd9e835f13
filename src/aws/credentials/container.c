/* The container endpoint: the credentials of an ECS task or an EKS pod, over HTTP from an address
 * next door. Never through a proxy, and over plain http only from the addresses known to be local,
 * since the answer is a secret. */
#include "aws/credentials/provider.h"
#include "base/text.h"
#include <string.h>

#define MAX_ATTEMPTS 3
#define TIMEOUT_MS   2000
#define PAUSE_NS     INT64_C(1000000000)
#define TOKEN_LIMIT  ((size_t)64 << 10)
#define ANSWER_LIMIT ((size_t)64 << 10)

typedef struct container_state {
  mb_http_request request;
  mb_transfer_options options;
  mb_transfer *transfer;
  mb_timer *timer;
  int attempts;
} container_state;

static int claims(const mb_provider_context *context, const char *profile, char *why,
                  size_t why_size, mb_error *error) {
  if (mb_getenv(context->system, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") ||
      mb_getenv(context->system, "AWS_CONTAINER_CREDENTIALS_FULL_URI"))
    return 1;
  mb_text_copy(why, why_size,
               "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor ..._FULL_URI is set");
  return 0;
}

static int refuse(mb_error *error, const char *format, const char *what) {
  char message[512];
  mb_buffer text = MB_BUFFER_INIT(sizeof message - 1);
  for (const char *c = format; *c; c++) {
    if (*c == '@')
      mb_text_add_printable(&text, what, strnlen(what, 200), false);
    else
      mb_buffer_add_char(&text, *c);
  }
  mb_text_copy(message, sizeof message, mb_buffer_text(&text));
  mb_buffer_dispose(&text);
  mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials", "%s", message);
  return mb_error_next(error, "correct the variable, or unset it");
}

/* ---- where to ask ---- */

static bool is_loopback_address(const char *host) {
  return mb_text_starts(host, "127.") && strspn(host, "0123456789.") == strlen(host);
}

static bool may_use_http(const char *host) {
  static const char *const hosts[] = {"localhost",      "169.254.170.2", "169.254.170.23",
                                      "[fd00:ec2::23]", "[::1]",         NULL};
  for (size_t i = 0; hosts[i]; i++) {
    if (mb_text_equal_ci(host, hosts[i]))
      return true;
  }
  return is_loopback_address(host);
}

/* The host of a URL without its port. User names in URLs are refused: they are how one address is
 * made to look like another. */
static bool take_host(const char *url, char *out, size_t out_size) {
  const char *host = strstr(url, "://");
  if (!host)
    return false;
  host += 3;
  size_t authority = strcspn(host, "/?#");
  size_t size = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#");
  if (authority == 0 || size == 0 || size > authority || size >= out_size ||
      memchr(host, '@', authority) || memchr(host, '\\', authority))
    return false;
  memcpy(out, host, size);
  out[size] = '\0';
  return true;
}

static int check_full_uri(const char *url, mb_error *error) {
  char host[256];
  if (strcspn(url, " \t\r\n") != strlen(url) || !take_host(url, host, sizeof host))
    return refuse(error,
                  "AWS_CONTAINER_CREDENTIALS_FULL_URI is '@', which is not a URL with a host", url);
  if (mb_text_starts(url, "https://"))
    return 0;
  if (!mb_text_starts(url, "http://"))
    return refuse(
        error, "AWS_CONTAINER_CREDENTIALS_FULL_URI is '@', which is neither http nor https", url);
  if (may_use_http(host))
    return 0;
  return refuse(error,
                "AWS_CONTAINER_CREDENTIALS_FULL_URI names the host '@', which may be asked over "
                "https only (plain http: loopback, 169.254.170.2, 169.254.170.23, [fd00:ec2::23])",
                host);
}

static int find_url(mb_fetch *fetch, const char **out, mb_error *error) {
  const mb_system *system = fetch->context->system;
  const char *relative = mb_getenv(system, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const char *full = mb_getenv(system, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (!relative && !full)
    return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials",
                        "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor "
                        "AWS_CONTAINER_CREDENTIALS_FULL_URI is set");
  if (!relative) {
    *out = mb_arena_strdup(fetch->arena, full);
    if (!*out)
      return mb_error_memory(error);
    return check_full_uri(full, error);
  }
  if (*relative != '/' || strcspn(relative, " \t\r\n") != strlen(relative))
    return refuse(error,
                  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is '@', which is not a path that starts "
                  "with '/'",
                  relative);
  *out = mb_arena_printf(fetch->arena, "http://169.254.170.2%s", relative);
  return *out ? 0 : mb_error_memory(error);
}

/* ---- the token ---- */

/* The file is read anew for every fetch, because it is replaced from time to time. */
static int find_token(mb_fetch *fetch, const char **out, mb_error *error) {
  const mb_system *system = fetch->context->system;
  const char *path = mb_getenv(system, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  const char *token = mb_getenv(system, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  char *text = NULL;
  size_t size = 0;
  mb_error problem;
  if (path && mb_read_file(system, fetch->arena, path, TOKEN_LIMIT, &text, &size, &problem) != 0) {
    if (problem.kind == MB_ERROR_MEMORY)
      return mb_error_memory(error);
    return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials",
                        "the token file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: %s",
                        problem.message);
  }
  if (path && memchr(text, 0, size))
    return refuse(error, "the token file @ holds a zero byte", path);
  *out = path ? text : token;
  if (*out && strcspn(*out, "\r\n") != strlen(*out))
    return refuse(error, "the token in @ holds a line break, and would break the request",
                  path ? path : "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  return 0;
}

static int build_request(mb_fetch *fetch, container_state *state, mb_error *error) {
  const char *url = NULL, *token = NULL;
  mb_http_request *request = &state->request;
  if (find_url(fetch, &url, error) != 0 || find_token(fetch, &token, error) != 0)
    return -1;
  request->method = "GET";
  request->url = url;
  request->path = "/";
  request->query = "";
  if (mb_headers_add(fetch->arena, &request->headers, "Accept", "application/json") != 0 ||
      (token && mb_headers_add(fetch->arena, &request->headers, "Authorization", token) != 0))
    return mb_error_memory(error);
  state->options.no_proxy = true;
  state->options.connect_timeout_ms = TIMEOUT_MS;
  state->options.idle_timeout_ms = TIMEOUT_MS;
  state->options.response_limit = ANSWER_LIMIT;
  state->options.ca_bundle = fetch->context->settings->ca_bundle;
  return 0;
}

/* ---- asking ---- */

static int ask(mb_fetch *fetch, mb_error *error);

static void on_pause_over(void *payload) {
  mb_fetch *fetch = payload;
  container_state *state = fetch->state;
  mb_error error;
  state->timer = NULL;
  if (ask(fetch, &error) != 0)
    mb_fetch_end(fetch, NULL, &error);
}

static void retry_or_end(mb_fetch *fetch, bool worth_it, const mb_error *error) {
  container_state *state = fetch->state;
  mb_error final;
  if (worth_it && state->attempts < MAX_ATTEMPTS) {
    mb_loop *loop = fetch->context->loop;
    state->timer = mb_loop_timer(loop, mb_loop_now(loop) + PAUSE_NS, on_pause_over, fetch);
    if (state->timer)
      return;
    mb_error_memory(&final);
  } else if (error->kind == MB_ERROR_MEMORY) {
    mb_error_memory(&final);
  } else {
    mb_error_set(&final, MB_ERROR_CREDENTIALS, "NoCredentials",
                 "the container endpoint %.200s failed (attempt %d of %d): %s", state->request.url,
                 state->attempts, MAX_ATTEMPTS, error->message);
    final.retryable = worth_it;
    mb_error_next(&final, "is this process running in the task or pod whose variables it has?");
  }
  mb_fetch_end(fetch, NULL, &final);
}

/* A refusal often says why in a "message" or "Message". */
static void describe_refusal(const mb_http_response *response, mb_error *error) {
  mb_document *document = NULL;
  mb_error ignored;
  const char *words = "";
  if (mb_document_read(&document, response->body, response->body_size, &ignored) == 0) {
    words = mb_document_text(document, "message");
    if (!*words)
      words = mb_document_text(document, "Message");
  }
  mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials", "HTTP status %d%s%.300s",
               response->status, *words ? ": " : "", words);
  mb_document_free(document);
}

static int read_credentials(const mb_http_response *response, mb_credentials *out,
                            mb_error *error) {
  mb_document *document = NULL;
  if (mb_credentials_read_document(&document, (char *)(uintptr_t)response->body,
                                   response->body_size, "it", error) != 0)
    return -1;
  int status = mb_credentials_from_document(document, "Token", "it", out, error);
  mb_document_free(document);
  return status;
}

static void on_answer(const mb_transfer_result *answer, void *payload) {
  mb_fetch *fetch = payload;
  container_state *state = fetch->state;
  const mb_http_response *response = &answer->response;
  mb_error error;
  state->transfer = NULL;
  if (answer->failed) {
    retry_or_end(fetch, answer->error.kind != MB_ERROR_MEMORY, &answer->error);
    return;
  }
  if (response->status != 200) {
    describe_refusal(response, &error);
    retry_or_end(fetch, response->status >= 500 || response->status == 429, &error);
    return;
  }
  mb_credentials credentials = {.source = "container endpoint"};
  if (read_credentials(response, &credentials, &error) != 0)
    retry_or_end(fetch, error.kind != MB_ERROR_MEMORY, &error);
  else
    mb_fetch_end(fetch, &credentials, NULL);
  mb_credentials_wipe(&credentials);
}

static int ask(mb_fetch *fetch, mb_error *error) {
  container_state *state = fetch->state;
  mb_loop *loop = fetch->context->loop;
  state->attempts++;
  state->options.deadline_ns = mb_loop_now(loop) + TIMEOUT_MS * INT64_C(1000000);
  state->transfer = mb_loop_transfer(loop, fetch->arena, &state->request, &state->options,
                                     on_answer, fetch, error);
  return state->transfer ? 0 : -1;
}

static void cancel(mb_fetch *fetch) {
  container_state *state = fetch->state;
  if (state->transfer)
    mb_transfer_cancel(state->transfer);
  mb_timer_cancel(state->timer);
}

static int fetch_container(mb_fetch *fetch, mb_credentials *out, mb_error *error) {
  container_state *state = mb_arena_zero(fetch->arena, sizeof *state);
  if (!state)
    return mb_error_memory(error);
  fetch->state = state;
  if (build_request(fetch, state, error) != 0 || ask(fetch, error) != 0)
    return -1;
  fetch->cancel = cancel;
  return MB_FETCH_PENDING;
}

const mb_provider mb_provider_container = {
    .name = "container endpoint", .claims = claims, .fetch = fetch_container};
