/* The server, over real sockets on loopback: it runs in a thread of its own, and no other thread
 * touches the simulator. */
#include "sim/internal.h"
#include "unit/sim/rehearsal.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/socket.h>

typedef struct serving {
  mb_sim *sim;
  pthread_t thread;
  sem_t ready;
  int port, result;
  mb_error error;
} serving;

static void on_ready(int port, void *payload) {
  serving *s = payload;
  s->port = port;
  sem_post(&s->ready);
}

static void *serve(void *payload) {
  serving *s = payload;
  s->result = mb_sim_serve(s->sim, 0, NULL, on_ready, s, &s->error);
  sem_post(&s->ready); /* when it never got so far */
  return NULL;
}

static void start(serving *s, const mb_sim_options *options) {
  mb_sim_options usual = MB_SIM_OPTIONS_INIT;
  usual.clock = MB_SIM_CLOCK_STEP;
  memset(s, 0, sizeof *s);
  if (mb_sim_new(&s->sim, options ? options : &usual, &s->error) != 0) {
    fail_msg("%s: %s", s->error.where, s->error.message);
  }
  sem_init(&s->ready, 0, 0);
  assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
  sem_wait(&s->ready);
  assert_true(s->port > 0);
}

static void stop(serving *s) {
  mb_sim_stop(s->sim);
  pthread_join(s->thread, NULL);
  assert_int_equal(s->result, 0);
  mb_sim_free(s->sim);
  sem_destroy(&s->ready);
}

/* ---- a client ---- */

static int connect_to(const serving *s) {
  int file = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s->port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  struct timeval patience = {.tv_sec = 3}; /* so that a wrong answer fails, and does not hang */
  setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  assert_int_equal(connect(file, (struct sockaddr *)&address, sizeof address), 0);
  return file;
}

static void send_text(int file, const char *text) {
  size_t size = strlen(text);
  assert_int_equal(send(file, text, size, MSG_NOSIGNAL), (ssize_t)size);
}

/* Reads until `part` has come, or the connection ended. Returns how many bytes there are. */
static size_t read_until(int file, char *out, size_t room, const char *part) {
  size_t size = 0;
  out[0] = '\0';
  while (size + 1 < room && (!part || !strstr(out, part))) {
    ssize_t got = recv(file, out + size, room - size - 1, 0);
    if (got <= 0) {
      break;
    }
    size += (size_t)got;
    out[size] = '\0';
  }
  return size;
}

static void exchange(int file, const char *request, const char *part, char *out, size_t room) {
  send_text(file, request);
  read_until(file, out, room, part);
  if (!strstr(out, part)) {
    fail_msg("no %s in: %s", part, out);
  }
}

#define LIST                                                                                       \
  "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.1\r\n"             \
  "X-Amz-Target: AmazonEC2ContainerServiceV20141113.ListClusters\r\nContent-Length: 2\r\n\r\n{}"

static void command(const serving *s, const char *name, const char *json, const char *part) {
  char request[1024], answer[8192];
  int file = connect_to(s);
  snprintf(request, sizeof request,
           "POST /_moonbook/%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s", name,
           strlen(json), json);
  exchange(file, request, part, answer, sizeof answer);
  close(file);
}

/* ---- tests ---- */

static void one_connection_carries_many_requests(void **state) {
  (void)state;
  serving s;
  char answer[8192];
  start(&s, NULL);
  int file = connect_to(&s);
  for (int i = 0; i < 5; i++) {
    exchange(file, LIST, "\"clusterArns\"", answer, sizeof answer);
    assert_non_null(strstr(answer, "HTTP/1.1 200 OK"));
    assert_non_null(strstr(answer, "Date: Thu, 01 Jan 2026 00:00:00 GMT"));
  }
  close(file);
  stop(&s);
}

static void it_listens_on_loopback_only(void **state) {
  (void)state;
  serving s;
  start(&s, NULL);
  int file = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s.port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1); /* 127.0.0.2 would do on any address */
  assert_int_equal(connect(file, (struct sockaddr *)&address, sizeof address), -1);
  close(file);
  stop(&s);
}

static void a_taken_port_is_an_error_that_names_it(void **state) {
  (void)state;
  serving s;
  mb_sim *other;
  mb_error error;
  char port[16];
  mb_sim_options options = MB_SIM_OPTIONS_INIT;
  start(&s, NULL);
  mb_error_clear(&error);
  assert_int_equal(mb_sim_new(&other, &options, &error), 0);
  /* Listening at the same place is refused even with SO_REUSEADDR. */
  assert_int_equal(mb_sim_serve(other, s.port, NULL, NULL, NULL, &error), -1);
  assert_string_equal(error.code, "CannotListen");
  snprintf(port, sizeof port, ":%d", s.port);
  assert_non_null(strstr(error.message, port));
  mb_sim_free(other);
  stop(&s);
}

static void the_clock_moves_when_it_is_told_to(void **state) {
  (void)state;
  serving s;
  char answer[8192];
  start(&s, NULL);
  command(&s, "advance", "{\"time\": \"90s\"}", "\"now\": 1767225690");
  int file = connect_to(&s);
  exchange(file, LIST, "clusterArns", answer, sizeof answer);
  assert_non_null(strstr(answer, "Date: Thu, 01 Jan 2026 00:01:30 GMT"));
  close(file);
  stop(&s);
}

static void the_control_interface_says_what_it_has(void **state) {
  (void)state;
  serving s;
  char answer[16384];
  start(&s, NULL);
  int file = connect_to(&s);
  exchange(file, "GET /_moonbook/ HTTP/1.1\r\nHost: localhost\r\n\r\n", "\"advance\"", answer,
           sizeof answer);
  close(file);
  command(&s, "nope", "{}", "there is no command 'nope'");
  command(&s, "advance", "{", "InvalidJson");
  command(&s, "a/b", "{}", "404");
  stop(&s);
}

/* What a page in somebody's browser can send. */
static void a_browsers_page_cannot_reach_the_control_interface(void **state) {
  (void)state;
  serving s;
  char answer[4096];
  start(&s, NULL);
  int file = connect_to(&s);
  exchange(file,
           "POST /_moonbook/advance HTTP/1.1\r\nHost: localhost\r\nOrigin: http://example.com\r\n"
           "Content-Length: 14\r\n\r\n{\"seconds\":90}",
           "HTTP/1.1 403", answer, sizeof answer);
  close(file);
  command(&s, "now", "{}", "\"now\": 1767225600");
  stop(&s);
}

static void start_with(serving *s, const char *scenario) {
  char path[] = "/tmp/moonbook-scenario-XXXXXX.lua";
  int file = mkstemps(path, 4);
  assert_int_equal(write(file, scenario, strlen(scenario)), (ssize_t)strlen(scenario));
  close(file);
  mb_sim_options options = MB_SIM_OPTIONS_INIT;
  options.clock = MB_SIM_CLOCK_STEP;
  options.scenario = path;
  start(s, &options);
  unlink(path);
}

static void a_reset_breaks_the_connection(void **state) {
  (void)state;
  serving s;
  char answer[4096];
  start_with(&s, "require('sim.faults').rule(world, { kind = 'reset', service = 'ecs' })");
  int file = connect_to(&s);
  send_text(file, LIST);
  assert_int_equal(read_until(file, answer, sizeof answer, NULL), 0);
  close(file);
  stop(&s);
}

static void a_truncated_answer_ends_too_early(void **state) {
  (void)state;
  serving s;
  char answer[4096];
  start_with(&s, "require('sim.faults').rule(world, { kind = 'truncate', bytes = 7 })");
  int file = connect_to(&s);
  send_text(file, LIST);
  read_until(file, answer, sizeof answer, NULL);
  const char *body = strstr(answer, "\r\n\r\n");
  assert_non_null(body);
  assert_non_null(strstr(answer, "Content-Length: "));
  assert_string_equal(body + 4, "{\"clust");
  close(file);
  stop(&s);
}

static void a_body_beyond_all_bounds_is_refused(void **state) {
  (void)state;
  serving s;
  char answer[4096];
  size_t room = (size_t)1 << 20;
  char *block = calloc(1, room);
  start(&s, NULL);
  int file = connect_to(&s);
  send_text(file, "PUT /v2/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 157286400\r\n\r\n");
  for (size_t sent = 0; sent < 157286400;) {
    ssize_t part = send(file, block, room, MSG_NOSIGNAL);
    assert_true(part > 0);
    sent += (size_t)part;
  }
  read_until(file, answer, sizeof answer, "128 MiB");
  assert_non_null(strstr(answer, "HTTP/1.1 413"));
  close(file);
  free(block);
  stop(&s);
}

static void what_is_no_http_does_no_harm(void **state) {
  (void)state;
  static const char *const texts[] = {"\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02",
                                      "POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
                                      "GET /%zz?%%% HTTP/1.1\r\nHost: x\r\n\r\n"};
  serving s;
  char answer[4096];
  start(&s, NULL);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    int file = connect_to(&s);
    send_text(file, texts[i]);
    shutdown(file, SHUT_WR);
    read_until(file, answer, sizeof answer, NULL);
    close(file);
  }
  int file = connect_to(&s);
  exchange(file, LIST, "clusterArns", answer, sizeof answer);
  close(file);
  stop(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_connection_carries_many_requests),
      cmocka_unit_test(it_listens_on_loopback_only),
      cmocka_unit_test(a_taken_port_is_an_error_that_names_it),
      cmocka_unit_test(the_clock_moves_when_it_is_told_to),
      cmocka_unit_test(the_control_interface_says_what_it_has),
      cmocka_unit_test(a_browsers_page_cannot_reach_the_control_interface),
      cmocka_unit_test(a_reset_breaks_the_connection),
      cmocka_unit_test(a_truncated_answer_ends_too_early),
      cmocka_unit_test(a_body_beyond_all_bounds_is_refused),
      cmocka_unit_test(what_is_no_http_does_no_harm),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
