/* A small HTTP server on the loopback that also behaves badly, by the path it is asked for. */
#ifndef TESTS_UNIT_LOOP_SERVER_H
#define TESTS_UNIT_LOOP_SERVER_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SERVER_CONNECTIONS = 128, SERVER_REQUEST = 64 * 1024 };

typedef struct server {
  int listener;
  int port;
  pthread_t thread;
  pthread_t threads[SERVER_CONNECTIONS];
  int files[SERVER_CONNECTIONS];
  int connections;
  atomic_int requests;
} server;

typedef struct server_connection {
  server *of;
  int file;
} server_connection;

static inline bool server_send(int file, const char *data, size_t size) {
  while (size > 0) {
    ssize_t sent = send(file, data, size, MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    data += sent;
    size -= (size_t)sent;
  }
  return true;
}

static inline bool server_send_text(int file, const char *text) {
  return server_send(file, text, strlen(text));
}

static inline bool server_answer(int file, const char *body, size_t size) {
  char head[100];
  snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nX-Test: yes\r\nContent-Length: %zu\r\n\r\n",
           size);
  return server_send_text(file, head) && server_send(file, body, size);
}

/* Reads one request. Returns its size with the body, or 0 at the end. */
static inline size_t server_read(int file, char *request) {
  size_t size = 0;
  while (size < SERVER_REQUEST - 1) {
    ssize_t got = recv(file, request + size, SERVER_REQUEST - 1 - size, 0);
    if (got <= 0) {
      return 0;
    }
    size += (size_t)got;
    request[size] = '\0';
    char *end = strstr(request, "\r\n\r\n");
    char *length = strstr(request, "Content-Length: ");
    size_t body = end && length && length < end ? (size_t)atol(length + 16) : 0;
    if (end && size >= (size_t)(end + 4 - request) + body) {
      return size;
    }
  }
  return 0;
}

/* Nothing until the other side goes. */
static inline void server_hang(int file) {
  char byte;
  while (recv(file, &byte, 1, 0) > 0) {
  }
}

static inline void server_flood(int file, const char *head, const char *part) {
  bool more = server_send_text(file, head);
  while (more) {
    more = server_send_text(file, part);
  }
}

/* Returns true when the connection goes on. */
static inline bool server_serve(int file, const char *request, size_t size) {
  const char *path = strchr(request, ' ');
  path = path ? path + 1 : "";
  if (strncmp(path, "/ok", 3) == 0) {
    return server_answer(file, "hello", 5);
  }
  if (strncmp(path, "/echo", 5) == 0) {
    return server_answer(file, request, size);
  }
  if (strncmp(path, "/head", 5) == 0) {
    return server_send_text(file, "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n");
  }
  if (strncmp(path, "/once", 5) == 0) { /* says keep-alive and goes */
    server_answer(file, "once", 4);
    return false;
  }
  if (strncmp(path, "/truncate", 9) == 0) {
    server_send_text(file, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
    return false;
  }
  if (strncmp(path, "/cut-chunk", 10) == 0) {
    server_send_text(file, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nonly this");
    return false;
  }
  if (strncmp(path, "/garbage", 8) == 0) {
    server_send_text(file, "\x01\x02 what is this\r\n\r\n");
    return false;
  }
  if (strncmp(path, "/announced", 10) == 0) {
    server_send_text(file, "HTTP/1.1 200 OK\r\nContent-Length: 209715200\r\n\r\n");
    server_hang(file);
  } else if (strncmp(path, "/endless", 8) == 0) {
    server_flood(file, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                 "40\r\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n");
  } else if (strncmp(path, "/headers", 8) == 0) {
    server_flood(file, "HTTP/1.1 200 OK\r\n",
                 "X-Long: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n");
  } else if (strncmp(path, "/hang", 5) == 0) {
    server_hang(file);
  } else if (strncmp(path, "/redirect", 9) == 0) {
    return server_send_text(file, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nX-First: yes\r\n"
                                  "Content-Length: 3\r\n\r\nold");
  } else if (strncmp(path, "/interim", 8) == 0) {
    return server_send_text(file, "HTTP/1.1 103 Early Hints\r\nX-Hint: yes\r\n\r\n"
                                  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  } else if (strncmp(path, "/trailer", 8) == 0) {
    return server_send_text(file, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "0\r\nHTTP/1.1 500 Bad: x\r\n\r\n");
  } else if (strncmp(path, "/large", 6) == 0) {
    char *body = malloc(3000000);
    memset(body, 'L', 3000000);
    bool sent = server_answer(file, body, 3000000);
    free(body);
    return sent;
  }
  return false; /* "/close": without an answer */
}

static inline void *server_connection_run(void *payload) {
  server_connection connection = *(server_connection *)payload;
  char *request = malloc(SERVER_REQUEST);
  size_t size;
  free(payload);
  while ((size = server_read(connection.file, request)) > 0) {
    atomic_fetch_add(&connection.of->requests, 1);
    if (!server_serve(connection.file, request, size)) {
      break;
    }
  }
  shutdown(connection.file, SHUT_RDWR);
  free(request);
  return NULL;
}

static inline void *server_run(void *payload) {
  server *of = payload;
  while (of->connections < SERVER_CONNECTIONS) {
    int file = accept(of->listener, NULL, NULL);
    if (file < 0) {
      break;
    }
    int one = 1; /* head and body are sent apart, and must not wait for each other */
    setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    server_connection *connection = malloc(sizeof *connection);
    *connection = (server_connection){of, file};
    of->files[of->connections] = file;
    pthread_create(&of->threads[of->connections], NULL, server_connection_run, connection);
    of->connections++;
  }
  return NULL;
}

static inline bool server_start(server *of) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t size = sizeof address;
  memset(of, 0, sizeof *of);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  of->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(of->listener, (struct sockaddr *)&address, size) != 0 || listen(of->listener, 64) != 0 ||
      getsockname(of->listener, (struct sockaddr *)&address, &size) != 0) {
    return false;
  }
  of->port = ntohs(address.sin_port);
  return pthread_create(&of->thread, NULL, server_run, of) == 0;
}

static inline void server_stop(server *of) {
  shutdown(of->listener, SHUT_RDWR);
  pthread_join(of->thread, NULL);
  close(of->listener);
  for (int i = 0; i < of->connections; i++) {
    shutdown(of->files[i], SHUT_RDWR);
    pthread_join(of->threads[i], NULL);
    close(of->files[i]);
  }
}

#endif
