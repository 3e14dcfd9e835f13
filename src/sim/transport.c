/* Requests of a host in this process. An answer is worked out at once and delivered a little later
 * by the simulated clock, which moves when everybody waits. */
#include "sim/internal.h"
#include <string.h>
#include <time.h>

struct sim_pending {
  sim_pending *next;
  mb_transfer *transfer;
  int64_t due_ns;
  mb_transfer_result result;
};

/* ---- the request, completed ---- */

/* Fills in what only the URL says: host, path and query. */
static int complete_request(mb_arena *arena, const mb_http_request *given, mb_http_request *out) {
  *out = *given;
  const char *url = given->url ? given->url : "";
  const char *scheme = strstr(url, "://");
  const char *authority = scheme ? scheme + 3 : url;
  size_t host_size = strcspn(authority, "/?#");
  const char *rest = authority + host_size;
  size_t path_size = strcspn(rest, "?#");
  const char *query = rest[path_size] == '?' ? rest + path_size + 1 : "";
  out->path = path_size ? mb_arena_strndup(arena, rest, path_size) : "/";
  out->query = mb_arena_strndup(arena, query, strcspn(query, "#"));
  out->method = given->method ? given->method : "GET";
  char *host = mb_arena_strndup(arena, authority, host_size);
  if (!out->path || !out->query || !host)
    return -1;
  if (mb_headers_get(&given->headers, "Host"))
    return 0;
  /* The list is the sender's: a longer one needs a place of its own. */
  out->headers = (mb_headers){0};
  for (size_t i = 0; i < given->headers.count; i++)
    if (mb_headers_add(arena, &out->headers, given->headers.items[i].name,
                       given->headers.items[i].value))
      return -1;
  return mb_headers_add(arena, &out->headers, "Host", host);
}

/* ---- answering ---- */

static void break_connection(mb_transfer_result *result, const mb_http_request *request,
                             const char *code, const char *what) {
  const char *host = mb_headers_get(&request->headers, "Host");
  result->failed =
      mb_error_set(&result->error, MB_ERROR_NETWORK, code, "%s: %s", host ? host : "?", what);
  result->error.retryable = true;
}

static void answer(mb_sim *sim, sim_pending *pending, const mb_http_request *request) {
  mb_arena *arena = mb_transfer_arena(pending->transfer);
  mb_transfer_result *result = &pending->result;
  mb_http_request whole;
  sim_answer given = {.latency = 0};
  result->sent = true;
  if (complete_request(arena, request, &whole)) {
    result->failed = mb_error_memory(&result->error);
    return;
  }
  if (mb_sim_handle(sim, arena, &whole, &given, &result->error)) {
    result->failed = -1;
    return;
  }
  if (given.latency > 0)
    pending->due_ns += (int64_t)(given.latency * 1e9);
  if (given.reset)
    break_connection(result, &whole, "ConnectionLost", "the connection was reset");
  else if (given.truncated)
    break_connection(result, &whole, "AnswerTruncated", "the answer ended too early");
  else
    result->response = given.response;
}

static void enqueue(mb_sim *sim, sim_pending *pending) {
  sim_pending **at = &sim->pending;
  while (*at && (*at)->due_ns <= pending->due_ns)
    at = &(*at)->next;
  pending->next = *at;
  *at = pending;
}

static int transport_start(void *payload, mb_transfer *transfer, const mb_http_request *request) {
  mb_sim *sim = payload;
  sim_pending *pending = mb_alloc_zero(1, sizeof *pending);
  if (!pending)
    return -1;
  pending->transfer = transfer;
  pending->due_ns = mb_sim_clock_ns(sim) + (int64_t)(MB_SIM_LATENCY * 1e9);
  answer(sim, pending, request);
  enqueue(sim, pending);
  return 0;
}

static void transport_cancel(void *payload, mb_transfer *transfer) {
  mb_sim *sim = payload;
  for (sim_pending **at = &sim->pending; *at; at = &(*at)->next) {
    sim_pending *found = *at;
    if (found->transfer != transfer)
      continue;
    *at = found->next;
    mb_free(found);
    return;
  }
}

/* ---- waiting ---- */

/* Sleeps by the real clock; a signal ends it early. */
static void sleep_real(mb_sim *sim, int64_t to_ns) {
  double speed = sim->options.speed > 0 ? sim->options.speed : 1;
  double seconds = (double)(to_ns - mb_sim_clock_ns(sim)) / 1e9 / speed;
  if (!(seconds > 0))
    return;
  seconds = seconds < 3600 ? seconds : 3600;
  struct timespec time = {.tv_sec = (time_t)seconds};
  time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
  nanosleep(&time, NULL);
}

static void let_time_pass(mb_sim *sim, int64_t to_ns) {
  if (sim->options.clock == MB_SIM_CLOCK_REAL)
    sleep_real(sim, to_ns);
  else
    mb_sim_clock_move(sim, to_ns); /* everybody waits: nothing else could move the clock */
}

static void deliver_due(mb_sim *sim) {
  int64_t now = mb_sim_clock_ns(sim);
  while (sim->pending && sim->pending->due_ns <= now) {
    sim_pending *first = sim->pending;
    sim->pending = first->next;
    mb_transfer_finish(first->transfer, &first->result);
    mb_free(first);
  }
}

static bool transport_wait(void *payload, int64_t until_ns) {
  mb_sim *sim = payload;
  bool busy = sim->pending != NULL;
  int64_t next = busy && sim->pending->due_ns < until_ns ? sim->pending->due_ns : until_ns;
  if (next == INT64_MAX)
    return false;
  let_time_pass(sim, next);
  deliver_due(sim);
  return busy;
}

void mb_sim_transport_init(mb_sim *sim) {
  sim->transport = (mb_transport){
      .payload = sim, .start = transport_start, .cancel = transport_cancel, .wait = transport_wait};
}

void mb_sim_transport_dispose(mb_sim *sim) {
  while (sim->pending) {
    sim_pending *first = sim->pending;
    sim->pending = first->next;
    mb_free(first);
  }
}
