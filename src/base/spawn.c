/* Running a program and collecting what it prints. */
#include "base/spawn.h"
#include "base/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct child {
  pid_t pid;
  int exited;     /* a descriptor that becomes readable when it ends, or -1 */
  int streams[2]; /* what it prints; -1 once at the end */
  mb_buffer texts[2];
} child;

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void close_stream(int *stream) {
  if (*stream >= 0) {
    close(*stream);
    *stream = -1;
  }
}

/* ---- starting ---- */

static int fill_actions(posix_spawn_file_actions_t *actions, int out, int err) {
  int code = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
  code = code ? code : posix_spawn_file_actions_adddup2(actions, out, 1);
  code = code ? code : posix_spawn_file_actions_adddup2(actions, err, 2);
  return code ? code : posix_spawn_file_actions_addclosefrom_np(actions, 3);
}

/* Signals as a fresh process expects them, whatever the embedder blocks or ignores. */
static int fill_attributes(posix_spawnattr_t *attributes) {
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  int code = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                      POSIX_SPAWN_SETSIGDEF);
  code = code ? code : posix_spawnattr_setpgroup(attributes, 0);
  code = code ? code : posix_spawnattr_setsigmask(attributes, &none);
  return code ? code : posix_spawnattr_setsigdefault(attributes, &all);
}

static int spawn_with(child *made, const char *const *argv, int out, int err) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int code = posix_spawn_file_actions_init(&actions);
  if (code) {
    return code;
  }
  code = posix_spawnattr_init(&attributes);
  if (code == 0) {
    code = fill_actions(&actions, out, err);
    code = code ? code : fill_attributes(&attributes);
    /* argv is not changed by it; its type predates const. */
    char *const *arguments = (char *const *)(uintptr_t)argv;
    code =
        code ? code : posix_spawnp(&made->pid, argv[0], &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&actions);
  return code;
}

/* A pipe whose both ends are above the standard descriptors, so that dup2 in the child never finds
 * an end already in its place. */
static int open_pipe(int ends[2]) {
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return errno;
  }
  for (int i = 0; i < 2; i++) {
    int moved = fcntl(ends[i], F_DUPFD_CLOEXEC, 3);
    int code = errno;
    close(ends[i]);
    ends[i] = moved;
    if (moved < 0) {
      close_stream(&ends[1 - i]);
      return code;
    }
  }
  return 0;
}

static int start(child *made, const char *const *argv) {
  int out[2];
  int err[2];
  int code = open_pipe(out);
  if (code) {
    return code;
  }
  code = open_pipe(err);
  if (code) {
    close(out[0]);
    close(out[1]);
    return code;
  }
  code = spawn_with(made, argv, out[1], err[1]);
  close(out[1]);
  close(err[1]);
  made->streams[0] = out[0];
  made->streams[1] = err[0];
  if (code == 0) {
    made->exited = (int)syscall(SYS_pidfd_open, made->pid, 0);
  }
  return code;
}

/* ---- following ---- */

/* Takes what is there. Returns 0, or the error to end with. */
static int read_stream(child *from, int index) {
  char part[4096];
  ssize_t got = read(from->streams[index], part, sizeof part);
  if (got < 0) {
    return errno == EINTR || errno == EAGAIN ? 0 : errno;
  }
  if (got == 0) {
    close_stream(&from->streams[index]);
    return 0;
  }
  mb_buffer *text = &from->texts[index];
  mb_buffer_add(text, part, (size_t)got);
  return !text->failed ? 0 : text->too_large ? EMSGSIZE : ENOMEM;
}

/* One wait of at most `timeout` ms. Sets *ended when nothing more is to come: both streams have
 * ended, or the child has and they are empty. Whoever it left running keeps them open. */
static int follow_once(child *from, int timeout, bool *ended) {
  struct pollfd fds[3] = {
      {from->streams[0], POLLIN, 0}, {from->streams[1], POLLIN, 0}, {from->exited, POLLIN, 0}};
  int ready = poll(fds, 3, timeout);
  if (ready < 0) {
    return errno == EINTR ? 0 : errno;
  }
  int code = 0;
  for (int i = 0; i < 2 && code == 0; i++) {
    if (fds[i].revents) {
      code = read_stream(from, i);
    }
  }
  bool quiet = !fds[0].revents && !fds[1].revents;
  *ended = (from->streams[0] < 0 && from->streams[1] < 0) || (fds[2].revents && quiet);
  return code;
}

static int follow(child *from, int64_t deadline) {
  bool ended = false;
  int code = 0;
  while (!ended && code == 0) {
    int64_t left = deadline - now_ms();
    if (left <= 0) {
      return ETIMEDOUT;
    }
    code = follow_once(from, left > 60000 ? 60000 : (int)left, &ended);
  }
  return code;
}

/* Waits for the end, which a child that closed its output may put off. */
static int reap(child *from, int64_t deadline, int *status) {
  for (;;) {
    pid_t got = waitpid(from->pid, status, WNOHANG);
    if (got == from->pid) {
      return 0;
    }
    if (got < 0 && errno != EINTR) {
      return errno;
    }
    int64_t left = deadline - now_ms();
    if (left <= 0) {
      return ETIMEDOUT;
    }
    struct pollfd end = {from->exited, POLLIN, 0};
    poll(&end, 1, from->exited >= 0 ? (left > 60000 ? 60000 : (int)left) : 10);
  }
}

static void kill_child(child *from) {
  int status;
  kill(-from->pid, SIGKILL);
  while (waitpid(from->pid, &status, 0) < 0 && errno == EINTR) {
  }
}

static int keep_texts(child *from, mb_arena *arena, const char **output, const char **errors) {
  *output = mb_arena_strndup(arena, mb_buffer_text(&from->texts[0]), from->texts[0].size);
  *errors = mb_arena_strndup(arena, mb_buffer_text(&from->texts[1]), from->texts[1].size);
  return *output && *errors ? 0 : ENOMEM;
}

static int run(child *made, const char *const *argv, int timeout_ms, int *status) {
  int64_t deadline = timeout_ms > 0 ? now_ms() + timeout_ms : INT64_MAX;
  int code = start(made, argv);
  if (code) {
    return code;
  }
  code = follow(made, deadline);
  code = code ? code : reap(made, deadline, status);
  if (code) {
    kill_child(made);
  }
  return code;
}

int mb_spawn_real(void *payload, const char *const *argv, int timeout_ms, size_t output_limit,
                  mb_arena *arena, const char **output, const char **errors, int *status) {
  (void)payload;
  child made = {.exited = -1,
                .streams = {-1, -1},
                .texts = {MB_BUFFER_INIT(output_limit), MB_BUFFER_INIT(output_limit)}};
  int code = run(&made, argv, timeout_ms, status);
  code = code ? code : keep_texts(&made, arena, output, errors);
  for (int i = 0; i < 2; i++) {
    close_stream(&made.streams[i]);
    mb_buffer_dispose(&made.texts[i]);
  }
  close_stream(&made.exited);
  errno = code;
  return code ? -1 : 0;
}
