/* The world over HTTP, on loopback. One thread, one loop: libmicrohttpd's descriptors, answers that
 * are held back for a while, and the wish to stop. */
#include "base/buffer.h"
#include "sim/control.h"
#include "sim/httpd.h"
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define CONNECTIONS_MAX   256u
#define IDLE_SECONDS      120u
#define CONNECTION_MEMORY ((size_t)64 << 10)

typedef struct sim_server sim_server;
typedef struct server_request server_request;

struct sim_server {
  mb_sim *sim;
  const mb_httpd_api *api;
  struct MHD_Daemon *daemon;
  server_request *held; /* answers that wait for their moment */
};

struct server_request {
  sim_server *server;
  server_request *next_held;
  mb_arena *arena;
  const char *uri; /* as sent */
  mb_buffer body;
  bool begun, answered, broken;
  bool head;      /* the answer has no body, and may still name a length */
  int64_t due_ns; /* by the real clock */
  sim_answer answer;
  struct MHD_Connection *connection;
};

/* ---- a request's life ---- */

/* Called with the request line, before anything is decoded; what it gives becomes the request's
 * state. */
static void *begin_request(void *payload, const char *uri, struct MHD_Connection *connection) {
  sim_server *server = payload;
  server_request *request = mb_alloc_zero(1, sizeof *request);
  if (!request)
    return NULL;
  request->server = server;
  request->connection = connection;
  request->arena = mb_arena_new(0);
  request->uri = request->arena ? mb_arena_strdup(request->arena, uri) : NULL;
  mb_buffer_init(&request->body, MB_SIM_REQUEST_MAX);
  if (request->uri)
    return request;
  mb_arena_free(request->arena);
  mb_free(request);
  return NULL;
}

static void take_from_held(server_request *request) {
  for (server_request **at = &request->server->held; *at; at = &(*at)->next_held)
    if (*at == request) {
      *at = request->next_held;
      return;
    }
}

static void end_request(void *payload, struct MHD_Connection *connection, void **state,
                        enum MHD_RequestTerminationCode code) {
  (void)payload, (void)connection, (void)code;
  server_request *request = *state;
  if (!request)
    return;
  take_from_held(request);
  mb_buffer_dispose(&request->body);
  mb_arena_free(request->arena);
  mb_free(request);
  *state = NULL;
}

/* ---- reading ---- */

typedef struct header_reading {
  mb_arena *arena;
  mb_headers *headers;
  bool failed;
} header_reading;

static enum MHD_Result add_header(void *payload, enum MHD_ValueKind kind, const char *key,
                                  const char *value) {
  (void)kind;
  header_reading *read = payload;
  if (mb_headers_add(read->arena, read->headers, key, value ? value : ""))
    read->failed = true;
  return MHD_YES;
}

static int build_request(server_request *request, const char *method, mb_http_request *out) {
  const mb_httpd_api *api = request->server->api;
  mb_arena *arena = request->arena;
  size_t path_size = strcspn(request->uri, "?");
  const char *rest = request->uri[path_size] == '?' ? request->uri + path_size + 1 : "";
  *out = (mb_http_request){.url = request->uri, .query = rest};
  out->method = mb_arena_strdup(arena, method);
  out->path = mb_arena_strndup(arena, request->uri, path_size);
  header_reading read = {arena, &out->headers, false};
  api->get_connection_values(request->connection, MHD_HEADER_KIND, add_header, &read);
  out->body = mb_buffer_text(&request->body);
  out->body_size = request->body.size;
  return out->method && out->path && !read.failed ? 0 : -1;
}

/* ---- answering ---- */

static int too_large(server_request *request) {
  static const char text[] = "{\"__type\": \"RequestEntityTooLarge\", \"message\": \"the simulator "
                             "takes at most 128 MiB at once\"}\n";
  request->answer.response =
      (mb_http_response){.status = 413, .body = text, .body_size = sizeof text - 1};
  return 0;
}

static int work_out_answer(server_request *request, const char *method) {
  mb_sim *sim = request->server->sim;
  mb_http_request whole;
  mb_error error;
  mb_error_clear(&error);
  if (request->body.failed)
    return request->body.too_large ? too_large(request) : -1;
  if (build_request(request, method, &whole))
    return -1;
  if (mb_sim_is_control(&whole))
    return mb_sim_handle_control(sim, request->arena, &whole, &request->answer, &error);
  if (sim->options.clock == MB_SIM_CLOCK_JUMP && mb_sim_settle(sim, &error))
    return -1;
  return mb_sim_handle(sim, request->arena, &whole, &request->answer, &error);
}

static enum MHD_Result reset_connection(server_request *request) {
  const union MHD_ConnectionInfo *info = request->server->api->get_connection_info(
      request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  struct linger hard = {.l_onoff = 1, .l_linger = 0};
  if (info)
    setsockopt(info->connect_fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  return MHD_NO;
}

/* Gives a body up to where it is to break off. */
static ssize_t read_part(void *payload, uint64_t position, char *out, size_t room) {
  const server_request *request = payload;
  const sim_answer *answer = &request->answer;
  if (position >= answer->keep)
    return MHD_CONTENT_READER_END_WITH_ERROR;
  size_t left = answer->keep - (size_t)position;
  size_t size = left < room ? left : room;
  memcpy(out, answer->response.body + position, size);
  return (ssize_t)size;
}

static ssize_t read_nothing(void *payload, uint64_t position, char *out, size_t room) {
  (void)payload, (void)position, (void)out, (void)room;
  return MHD_CONTENT_READER_END_OF_STREAM;
}

/* The length that the answer to a HEAD names; -1 when it names none. */
static int64_t stated_length(const server_request *request) {
  const mb_http_response *response = &request->answer.response;
  const char *text = mb_headers_get(&response->headers, "Content-Length");
  int64_t length;
  if (!request->head || response->body_size || !text ||
      mb_parse_integer(text, strlen(text), &length) || length < 0)
    return -1;
  return length;
}

static struct MHD_Response *make_response(server_request *request) {
  const mb_httpd_api *api = request->server->api;
  const mb_http_response *response = &request->answer.response;
  int64_t length = stated_length(request);
  if (length >= 0)
    return api->create_response_from_callback((uint64_t)length, 1024, read_nothing, request, NULL);
  if (request->answer.truncated && request->answer.keep < response->body_size)
    return api->create_response_from_callback(response->body_size, 4096, read_part, request, NULL);
  return api->create_response_from_buffer(response->body_size, (void *)(uintptr_t)response->body,
                                          MHD_RESPMEM_MUST_COPY);
}

static enum MHD_Result send_answer(server_request *request) {
  const mb_httpd_api *api = request->server->api;
  const mb_http_response *response = &request->answer.response;
  if (request->broken || request->answer.reset)
    return reset_connection(request);
  struct MHD_Response *made = make_response(request);
  if (!made)
    return MHD_NO;
  for (size_t i = 0; i < response->headers.count; i++) {
    const mb_header *header = &response->headers.items[i];
    if (!mb_text_equal_ci(header->name, "Content-Length"))
      api->add_response_header(made, header->name, header->value);
  }
  enum MHD_Result result =
      api->queue_response(request->connection, (unsigned)response->status, made);
  api->destroy_response(made);
  return result;
}

static enum MHD_Result hold_answer(server_request *request) {
  mb_sim *sim = request->server->sim;
  double speed = sim->options.speed > 0 ? sim->options.speed : 1;
  double seconds = request->answer.latency / speed;
  seconds = seconds < 3600 ? seconds : 3600;
  request->due_ns = mb_monotonic_ns(&sim->real) + (int64_t)(seconds * 1e9);
  request->next_held = request->server->held;
  request->server->held = request;
  request->server->api->suspend_connection(request->connection);
  return MHD_YES;
}

static enum MHD_Result on_request(void *payload, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state) {
  (void)payload, (void)connection, (void)url, (void)version;
  server_request *request = *state;
  if (!request)
    return MHD_NO; /* there was no memory for it */
  if (!request->begun) {
    request->begun = true;
    return MHD_YES;
  }
  if (*size) {
    mb_buffer_add(&request->body, data, *size);
    *size = 0;
    return MHD_YES;
  }
  if (request->answered)
    return send_answer(request);
  request->answered = true;
  request->head = strcmp(method, "HEAD") == 0;
  request->broken = work_out_answer(request, method) != 0;
  bool real = request->server->sim->options.clock == MB_SIM_CLOCK_REAL;
  if (!request->broken && real && request->answer.latency > 0)
    return hold_answer(request);
  return send_answer(request);
}

/* ---- the loop ---- */

static void release_held(sim_server *server) {
  int64_t now = mb_monotonic_ns(&server->sim->real);
  for (server_request **at = &server->held; *at;) {
    server_request *request = *at;
    if (request->due_ns > now) {
      at = &request->next_held;
      continue;
    }
    *at = request->next_held;
    server->api->resume_connection(request->connection);
  }
}

/* Milliseconds until something must be done; -1: not before somebody calls. */
static int next_timeout(sim_server *server) {
  MHD_UNSIGNED_LONG_LONG idle;
  int64_t ms = -1;
  if (server->api->get_timeout(server->daemon, &idle) == MHD_YES)
    ms = idle < 60000 ? (int64_t)idle : 60000;
  int64_t now = mb_monotonic_ns(&server->sim->real);
  for (const server_request *request = server->held; request; request = request->next_held) {
    int64_t left = request->due_ns > now ? (request->due_ns - now) / 1000000 + 1 : 0;
    ms = ms < 0 || left < ms ? left : ms;
  }
  return (int)ms;
}

static void loop(sim_server *server) {
  const union MHD_DaemonInfo *info =
      server->api->get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
  struct pollfd files[] = {{.fd = info->epoll_fd, .events = POLLIN},
                           {.fd = server->sim->wake_file, .events = POLLIN}};
  while (!atomic_load(&server->sim->stopping)) {
    poll(files, 2, next_timeout(server));
    release_held(server);
    server->api->run(server->daemon);
  }
}

/* ---- starting and stopping ---- */

/* Paths and queries stay as they were sent: signatures are made over them. */
static size_t keep_escapes(void *payload, struct MHD_Connection *connection, char *text) {
  (void)payload, (void)connection;
  return strlen(text);
}

static void ignore_log(void *payload, const char *format, va_list arguments) {
  (void)payload, (void)format, (void)arguments;
}

static int start(sim_server *server, int port, mb_error *error) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_port = htons((uint16_t)port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  errno = 0;
  server->daemon = server->api->start_daemon(
      MHD_USE_EPOLL | MHD_USE_ERROR_LOG | MHD_USE_SUPPRESS_DATE_NO_CLOCK | MHD_ALLOW_SUSPEND_RESUME,
      (uint16_t)port, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, ignore_log, NULL,
      MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_URI_LOG_CALLBACK, begin_request,
      server, MHD_OPTION_NOTIFY_COMPLETED, end_request, server, MHD_OPTION_UNESCAPE_CALLBACK,
      keep_escapes, NULL, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
      MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      CONNECTION_MEMORY, MHD_OPTION_END);
  if (server->daemon)
    return 0;
  char room[128];
  int code = errno;
  mb_error_set(error, MB_ERROR_IO, "CannotListen",
               "the simulator cannot listen on 127.0.0.1:%d: %s", port,
               code ? strerror_r(code, room, sizeof room) : "libmicrohttpd refused");
  return mb_error_next(error, code == EADDRINUSE ? "choose another port with --port, or stop what "
                                                   "listens there"
                                                 : "choose another port with --port");
}

static int bound_port(const sim_server *server) {
  const union MHD_DaemonInfo *info =
      server->api->get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
  return info ? info->port : 0;
}

/* A suspended connection cannot be closed. */
static void stop(sim_server *server) {
  while (server->held) {
    server_request *request = server->held;
    server->held = request->next_held;
    request->broken = true;
    server->api->resume_connection(request->connection);
  }
  server->api->run(server->daemon);
  server->api->stop_daemon(server->daemon);
}

int mb_sim_serve(mb_sim *sim, int port, int *bound, void (*on_ready)(int port, void *payload),
                 void *payload, mb_error *error) {
  sim_server server = {.sim = sim, .api = mb_httpd_load(error)};
  if (!server.api)
    return -1;
  if (port < 0 || port > 65535)
    return mb_error_set(error, MB_ERROR_USAGE, "BadPort", "%d is not a port", port);
  if (start(&server, port, error))
    return -1;
  int listens = bound_port(&server);
  if (bound)
    *bound = listens;
  if (on_ready)
    on_ready(listens, payload);
  loop(&server);
  stop(&server);
  return mb_sim_save(sim, error);
}

void mb_sim_stop(mb_sim *sim) {
  int kept = errno;
  uint64_t one = 1;
  atomic_store(&sim->stopping, true);
  ssize_t written = write(sim->wake_file, &one, sizeof one);
  (void)written;
  errno = kept;
}
