/* What is under way, while nothing else is written: on a terminal a line with a clock that is
 * redrawn every second; elsewhere a line now and then, so that a log shows that the run lives.
 *
 * A thread of its own ticks, because the run waits in the thread that executes it. It only ever
 * writes from here, under the lock that every other writer holds. */
#include "cli.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

enum { HEARTBEAT_SECONDS = 30, STATUS_SIZE = 512 };

static struct {
  pthread_mutex_t lock;
  pthread_cond_t stop_now;
  pthread_t thread;
  bool started, stopping, live, shown, paused;
  char what[STATUS_SIZE], message[STATUS_SIZE]; /* the step, and how it stands */
  int64_t since, written;                       /* monotonic seconds */
} status = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

static void erase(void) {
  if (status.shown) {
    fputs("\r\033[K", stdout);
    status.shown = false;
  }
}

static void draw(void) {
  char text[STATUS_SIZE * 2 + 64], line[sizeof text + 8], clock[32];
  if (status.paused || *status.what == '\0') {
    return;
  }
  int64_t passed = seconds_now() - status.since;
  snprintf(text, sizeof text, "%s%s%s", status.what, *status.message ? ": " : "", status.message);
  for (char *at = text; *at; at++) {
    *at = *at == '\n' || *at == '\r' || *at == '\t' ? ' ' : *at;
  }
  if (passed < 60) {
    snprintf(clock, sizeof clock, "%ds", (int)passed);
  } else {
    cli_duration(clock, sizeof clock, (double)passed);
  }
  erase();
  cli_printf(stdout, CLI_DIM, "  [%s] ", clock);
  int used = (int)strlen(clock) + 5;
  cli_put(stdout, CLI_DIM, cli_cut(line, sizeof line, text, cli_width(stdout) - 1 - used));
  fflush(stdout);
  status.shown = true;
}

static void beat(void) {
  char clock[32];
  int64_t now = seconds_now();
  if (status.paused || *status.what == '\0' || now - status.written < HEARTBEAT_SECONDS) {
    return;
  }
  char text[STATUS_SIZE * 2 + 64];
  snprintf(text, sizeof text, "%s%s%s (%s)", status.what, *status.message ? ": " : "",
           status.message, cli_duration(clock, sizeof clock, (double)(now - status.since)));
  cli_labelled(stdout, 2, CLI_DIM, "still", text);
  fflush(stdout);
  status.written = now;
}

static void *tick(void *unused) {
  (void)unused;
  struct timespec until;
  pthread_mutex_lock(&status.lock);
  clock_gettime(CLOCK_MONOTONIC, &until);
  while (!status.stopping) {
    until.tv_sec++;
    pthread_cond_timedwait(&status.stop_now, &status.lock, &until);
    if (status.stopping) {
      break;
    }
    if (status.live) {
      draw();
    } else {
      beat();
    }
  }
  pthread_mutex_unlock(&status.lock);
  return NULL;
}

/* Without a thread there is no clock and no heartbeat; the run is none the worse for it. */
void cli_status_start(void) {
  sigset_t all, before;
  pthread_condattr_t attributes;
  status.live = cli_is_live(stdout);
  status.since = status.written = seconds_now();
  if (pthread_condattr_init(&attributes) != 0) {
    return;
  }
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  if (pthread_cond_init(&status.stop_now, &attributes) == 0) {
    sigfillset(&all); /* signals are for the thread that runs the run */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    status.started = pthread_create(&status.thread, NULL, tick, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
  }
  pthread_condattr_destroy(&attributes);
}

void cli_status_stop(void) {
  if (!status.started) {
    return;
  }
  pthread_mutex_lock(&status.lock);
  status.stopping = true;
  erase();
  pthread_cond_signal(&status.stop_now);
  pthread_mutex_unlock(&status.lock);
  pthread_join(status.thread, NULL);
  pthread_cond_destroy(&status.stop_now);
  status.started = false;
}

void cli_output_begin(void) {
  pthread_mutex_lock(&status.lock);
}

void cli_output_line(void) {
  erase();
  status.written = seconds_now();
}

void cli_output_end(void) {
  fflush(stdout);
  pthread_mutex_unlock(&status.lock);
}

bool cli_status_live(void) {
  return status.live;
}

void cli_status_what(const char *what) {
  snprintf(status.what, sizeof status.what, "%s", what);
  status.message[0] = '\0';
  status.since = seconds_now();
  if (status.live) {
    draw();
  }
}

bool cli_status_message(const char *message) {
  char next[STATUS_SIZE];
  snprintf(next, sizeof next, "%s", message);
  bool changed = strcmp(next, status.message) != 0;
  memcpy(status.message, next, sizeof next);
  if (status.live) {
    draw();
  }
  return changed;
}

void cli_status_pause(bool paused) {
  pthread_mutex_lock(&status.lock);
  if (paused) {
    erase();
    fflush(stdout);
  }
  status.paused = paused;
  status.written = seconds_now();
  pthread_mutex_unlock(&status.lock);
}
