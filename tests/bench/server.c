/* A loopback server with one fixed answer, for timings: the server must cost as little as it can.
 *
 * usage: server PORT BODY_FILE DELAY_MS
 *
 * Every request gets BODY_FILE as application/x-amz-json-1.1 after DELAY_MS, connections stay open.
 * Prints "ready" when it listens, and ends on SIGTERM.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 4096, REQUEST = 16384, QUEUE = 8192, BODY = 1 << 20 };

typedef struct connection {
  size_t used;
  char request[REQUEST];
} connection;

typedef struct answer { /* due answers, in order: the delay is the same for all */
  int fd;
  long long at_us;
} answer;

static connection *connections[CONNECTIONS];
static answer queue[QUEUE];
static size_t queue_head, queue_tail;
static char response[BODY + 512];
static size_t response_size;
static long long delay_us;

static long long now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void close_connection(int fd) {
  free(connections[fd]);
  connections[fd] = NULL;
  close(fd);
}

static void send_answer(int fd) {
  size_t sent = 0;
  while (sent < response_size) {
    ssize_t n = write(fd, response + sent, response_size - sent);
    if (n < 0 && errno == EAGAIN) {
      continue; /* the answer is small and the reader is waiting for it */
    }
    if (n <= 0) {
      return;
    }
    sent += (size_t)n;
  }
}

/* Bytes of the first whole request in the buffer, 0 when it is not all there. */
static size_t whole_request(connection *c) {
  c->request[c->used] = '\0';
  char *end = strstr(c->request, "\r\n\r\n");
  if (end == NULL) {
    return 0;
  }
  char *length = strcasestr(c->request, "\r\ncontent-length:");
  size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
  size_t size = (size_t)(end + 4 - c->request) + body;
  return size <= c->used ? size : 0;
}

static void read_requests(int fd) {
  connection *c = connections[fd];
  ssize_t n = read(fd, c->request + c->used, REQUEST - 1 - c->used);
  if (n <= 0) {
    close_connection(fd);
    return;
  }
  c->used += (size_t)n;
  for (size_t size; (size = whole_request(c)) > 0;) {
    memmove(c->request, c->request + size, c->used - size);
    c->used -= size;
    if (delay_us == 0) {
      send_answer(fd);
    } else {
      queue[queue_tail++ % QUEUE] = (answer){fd, now_us() + delay_us};
    }
  }
}

static void accept_connections(int listener, int poll) {
  for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
    if (fd >= CONNECTIONS || (connections[fd] = calloc(1, sizeof(connection))) == NULL) {
      close(fd);
      continue;
    }
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
  }
}

static int send_due_answers(void) {
  while (queue_head != queue_tail) {
    answer *a = &queue[queue_head % QUEUE];
    long long left = a->at_us - now_us();
    if (left > 0) {
      return (int)(left / 1000) + 1;
    }
    if (connections[a->fd]) {
      send_answer(a->fd);
    }
    queue_head++;
  }
  return -1;
}

static bool load_response(const char *path) {
  static char body[BODY];
  FILE *file = fopen(path, "rb");
  size_t size = file ? fread(body, 1, BODY, file) : 0;
  if (file) {
    fclose(file);
  }
  int head = snprintf(response, sizeof response,
                      "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n"
                      "x-amzn-RequestId: 00000000-0000-4000-8000-000000000000\r\n"
                      "Content-Length: %zu\r\n\r\n",
                      size);
  memcpy(response + head, body, size);
  response_size = (size_t)head + size;
  return size > 0 && size < BODY;
}

static int listen_on(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 1024)) {
    perror("server");
    return -1;
  }
  return fd;
}

int main(int argc, char **argv) {
  if (argc != 4 || !load_response(argv[2])) {
    fprintf(stderr, "usage: server PORT BODY_FILE DELAY_MS\n");
    return 2;
  }
  delay_us = strtol(argv[3], NULL, 10) * 1000;
  int listener = listen_on((int)strtol(argv[1], NULL, 10)), poll = epoll_create1(0);
  if (listener < 0 || poll < 0) {
    return 1;
  }
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  puts("ready");
  fflush(stdout);
  for (int wait = -1;;) {
    int count = epoll_wait(poll, events, 256, wait);
    for (int i = 0; i < count; i++) {
      if (events[i].data.fd == listener) {
        accept_connections(listener, poll);
      } else if (connections[events[i].data.fd]) {
        read_requests(events[i].data.fd);
      }
    }
    wait = send_due_answers();
  }
}
