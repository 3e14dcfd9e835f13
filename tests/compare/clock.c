/* Lets a program live by the clock of a simulated AWS: preloaded (LD_PRELOAD) into a client of
 * `moonbook sim --speed step`, it answers every question for the time with the simulator's time,
 * and turns every wait of the program into a move of the simulator's clock. So a tool that polls
 * every fifteen seconds sees just what it would see in a real rollout, and a rollout of ten minutes
 * takes as long as the tool computes. Nothing of the tool is changed, and no interval is scaled.
 *
 * MOONBOOK_SIM_PORT names the simulator's port; without it everything is as ever. With
 * MOONBOOK_CLOCK_NOTES, a file, a line is added to it before each move of the clock: the time, and
 * the size of the file MOONBOOK_CLOCK_OUTPUT, to which the program writes. So it can be told when
 * the program said what.
 *
 * For programs of one thread, which all that are compared are. A wait for a socket to the simulator
 * on which an answer is due is a real wait: the world stands still while a request is on its way.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS          INT64_C(1000000000)
#define FILES       4096
#define REST_MS     10 /* the rest of an answer may come a moment after its beginning */
#define MONOTONIC_0 INT64_C(1700000000)

static int port;
static int64_t now_ns;
static bool watched[FILES]; /* sockets to the simulator */
static bool due[FILES];     /* of these, the ones on which an answer is due */

typedef void (*function)(void);

/* The C library's own function of this name; the other definition is here. */
#define REAL(name) ((__typeof__(&name))real(#name))

static function real(const char *name) {
  function found = NULL;
  void *address = dlsym(RTLD_NEXT, name);
  if (address == NULL) {
    fprintf(stderr, "clock: there is no function %s\n", name);
    abort();
  }
  memcpy(&found, &address, sizeof found); /* ISO C knows no cast for this */
  return found;
}

/* ---- the simulator ---- */

static int send_command(const char *command, const char *body) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  char text[512];
  int size = snprintf(text, sizeof text,
                      "POST /_moonbook/%s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
                      "Content-Length: %zu\r\n\r\n%s",
                      command, strlen(body), body);
  int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (file >= 0 && (REAL(connect)(file, (struct sockaddr *)&to, sizeof to) != 0 ||
                    REAL(send)(file, text, (size_t)size, MSG_NOSIGNAL) != size)) {
    REAL(close)(file);
    return -1;
  }
  return file;
}

/* What happened without the simulator would be no comparison. */
static void ask(const char *command, const char *body) {
  char text[4096];
  size_t size = 0;
  ssize_t got = 0;
  int file = send_command(command, body);
  while (file >= 0 && size < sizeof text - 1 &&
         (got = REAL(recv)(file, text + size, sizeof text - 1 - size, 0)) > 0) {
    size += (size_t)got;
  }
  text[size] = '\0';
  if (file >= 0) {
    REAL(close)(file);
  }
  const char *found = strstr(text, "\"now\":");
  if (found == NULL) {
    fprintf(stderr, "clock: the simulator on port %d gives no time: %s\n", port, text);
    _exit(99);
  }
  now_ns = (int64_t)(strtod(found + strlen("\"now\":"), NULL) * 1e6) * 1000;
}

static void note_output(void) {
  const char *notes = getenv("MOONBOOK_CLOCK_NOTES"), *output = getenv("MOONBOOK_CLOCK_OUTPUT");
  struct stat found;
  if (notes == NULL || output == NULL || stat(output, &found) != 0) {
    return;
  }
  FILE *file = fopen(notes, "ae");
  if (file == NULL) {
    fprintf(stderr, "clock: %s cannot be written: %s\n", notes, strerror(errno));
    _exit(99);
  }
  fprintf(file, "%.6f %lld\n", (double)now_ns / (double)NS, (long long)found.st_size);
  fclose(file);
}

static void move_to(int64_t time_ns) {
  char body[64];
  if (time_ns <= now_ns) {
    return;
  }
  note_output();
  int64_t us = (time_ns + 999) / 1000;
  snprintf(body, sizeof body, "{\"to\": %lld.%06lld}", (long long)(us / 1000000),
           (long long)(us % 1000000));
  ask("advance", body);
  now_ns = now_ns < time_ns ? time_ns : now_ns;
}

__attribute__((constructor)) static void begin(void) {
  const char *text = getenv("MOONBOOK_SIM_PORT");
  port = text ? atoi(text) : 0;
  if (port) {
    ask("now", "{}");
  }
}

/* ---- what time it is ---- */

static bool is_wall(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

static bool is_cpu(clockid_t clock) {
  return clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID || clock < 0;
}

static int64_t reading(clockid_t clock) {
  return is_wall(clock) ? now_ns : now_ns - MONOTONIC_0 * NS;
}

int clock_gettime(clockid_t clock, struct timespec *out) {
  if (!port || is_cpu(clock)) {
    return REAL(clock_gettime)(clock, out);
  }
  int64_t ns = reading(clock);
  *out = (struct timespec){.tv_sec = ns / NS, .tv_nsec = ns % NS};
  return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
  if (!port) {
    return REAL(gettimeofday)(out, zone);
  }
  *out = (struct timeval){.tv_sec = now_ns / NS, .tv_usec = now_ns % NS / 1000};
  return 0;
}

time_t time(time_t *out) {
  time_t seconds = port ? now_ns / NS : REAL(time)(NULL);
  if (out) {
    *out = seconds;
  }
  return seconds;
}

/* ---- chance ---- */

/* The same in every run, as the simulator's is, or the jitter of retries would make each run
 * another. */
ssize_t getrandom(void *out, size_t size, unsigned flags) {
  static uint64_t state = 88172645463325252u;
  unsigned char *bytes = out;
  if (!port) {
    return REAL(getrandom)(out, size, flags);
  }
  for (size_t i = 0; i < size; i++) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    bytes[i] = (unsigned char)(state >> 32);
  }
  return (ssize_t)size;
}

int getentropy(void *out, size_t size) {
  return getrandom(out, size, 0) == (ssize_t)size ? 0 : -1;
}

/* ---- sleeping ---- */

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted,
                    struct timespec *left) {
  if (!port || is_cpu(clock)) {
    return REAL(clock_nanosleep)(clock, flags, wanted, left);
  }
  int64_t ns = wanted->tv_sec * NS + wanted->tv_nsec;
  move_to(flags & TIMER_ABSTIME ? now_ns + ns - reading(clock) : now_ns + ns);
  return 0;
}

int nanosleep(const struct timespec *wanted, struct timespec *left) {
  return port ? clock_nanosleep(CLOCK_MONOTONIC, 0, wanted, left) : REAL(nanosleep)(wanted, left);
}

unsigned sleep(unsigned seconds) {
  if (!port) {
    return REAL(sleep)(seconds);
  }
  move_to(now_ns + seconds * NS);
  return 0;
}

int usleep(useconds_t us) {
  if (!port) {
    return REAL(usleep)(us);
  }
  move_to(now_ns + us * INT64_C(1000));
  return 0;
}

/* ---- waiting for files ---- */

static bool answer_is_due(void) {
  return memchr(due, true, sizeof due) != NULL;
}

int poll(struct pollfd *files, nfds_t count, int timeout_ms) {
  if (!port || timeout_ms == 0 || answer_is_due()) {
    return REAL(poll)(files, count, timeout_ms);
  }
  bool endless = timeout_ms < 0;
  int ready = REAL(poll)(files, count, endless ? -1 : REST_MS);
  if (ready != 0) {
    return ready;
  }
  move_to(now_ns + timeout_ms * INT64_C(1000000));
  return REAL(poll)(files, count, 0);
}

int __poll_chk(struct pollfd *files, nfds_t count, int timeout_ms, size_t size);
int __poll_chk(struct pollfd *files, nfds_t count, int timeout_ms, size_t size) {
  (void)size;
  return poll(files, count, timeout_ms);
}

/* Python before 3.11 sleeps by this; nobody here waits for files with it. */
int select(int count, fd_set *restrict in, fd_set *restrict out, fd_set *restrict odd,
           struct timeval *restrict timeout) {
  if (!port || count != 0 || timeout == NULL) {
    return REAL(select)(count, in, out, odd, timeout);
  }
  move_to(now_ns + timeout->tv_sec * NS + timeout->tv_usec * INT64_C(1000));
  return 0;
}

/* ---- on which sockets an answer is due ---- */

static bool is_watched(int file) {
  return port && file >= 0 && file < FILES && watched[file];
}

static void asked(int file) {
  if (is_watched(file)) {
    due[file] = true;
  }
}

static ssize_t answered(int file, ssize_t got) {
  bool waits = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
  if (is_watched(file) && !waits) {
    due[file] = false;
  }
  return got;
}

int connect(int file, const struct sockaddr *to, socklen_t size) {
  const struct sockaddr_in *v4 = (const void *)to;
  if (port && file < FILES && to->sa_family == AF_INET && ntohs(v4->sin_port) == port) {
    watched[file] = due[file] = true;
  }
  return REAL(connect)(file, to, size);
}

int close(int file) {
  if (is_watched(file)) {
    watched[file] = due[file] = false;
  }
  return REAL(close)(file);
}

ssize_t send(int file, const void *data, size_t size, int flags) {
  asked(file);
  return REAL(send)(file, data, size, flags);
}

ssize_t sendto(int file, const void *data, size_t size, int flags, const struct sockaddr *to,
               socklen_t to_size) {
  asked(file);
  return REAL(sendto)(file, data, size, flags, to, to_size);
}

ssize_t sendmsg(int file, const struct msghdr *message, int flags) {
  asked(file);
  return REAL(sendmsg)(file, message, flags);
}

ssize_t write(int file, const void *data, size_t size) {
  asked(file);
  return REAL(write)(file, data, size);
}

ssize_t recv(int file, void *data, size_t size, int flags) {
  return answered(file, REAL(recv)(file, data, size, flags));
}

ssize_t __recv_chk(int file, void *data, size_t size, size_t room, int flags);
ssize_t __recv_chk(int file, void *data, size_t size, size_t room, int flags) {
  (void)room;
  return recv(file, data, size, flags);
}

ssize_t recvfrom(int file, void *restrict data, size_t size, int flags,
                 struct sockaddr *restrict from, socklen_t *restrict from_size) {
  return answered(file, REAL(recvfrom)(file, data, size, flags, from, from_size));
}

ssize_t read(int file, void *data, size_t size) {
  return answered(file, REAL(read)(file, data, size));
}

ssize_t __read_chk(int file, void *data, size_t size, size_t room);
ssize_t __read_chk(int file, void *data, size_t size, size_t room) {
  (void)room;
  return read(file, data, size);
}
