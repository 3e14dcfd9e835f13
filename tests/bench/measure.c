/* Times whole commands side by side. Reads lines "label<TAB>command" from standard input, runs
 * every command once per round, round after round (so that a busy moment of the machine hits all
 * alike), and prints per line: label, median wall ms, median CPU ms, peak MiB of resident memory.
 *
 * usage: measure ROUNDS < commands
 *
 * It stays small itself: a child's peak memory counts what it inherited when it was started.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

enum { LINES = 32, ROUNDS = 101, WIDTH = 2048, WORDS = 32 };

typedef struct series {
  char label[WIDTH];
  const char *command;
  double wall[ROUNDS], cpu[ROUNDS], memory;
  int failures;
} series;

extern char **environ;
static series all[LINES];

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, compare);
  return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static double ms(struct timeval t) {
  return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

/* "exec PROGRAM WORDS" without anything for a shell to do is started as it is: a shell in between
 * costs more than some of what is measured. */
static bool split_plain(const char *command, char *words, char **argv) {
  static const char prefix[] = "exec ";
  if (strncmp(command, prefix, sizeof prefix - 1) != 0 || strpbrk(command, "\"'$\\;|&<>=*?")) {
    return false;
  }
  snprintf(words, WIDTH, "%s", command + sizeof prefix - 1);
  int count = 0;
  for (char *at = words, *word; count < WORDS && (word = strsep(&at, " ")) != NULL;) {
    if (*word) {
      argv[count++] = word;
    }
  }
  argv[count] = NULL;
  return count > 0 && count < WORDS;
}

static int run_once(series *s, int slot) {
  char words[WIDTH], *plain[WORDS + 1];
  char *shell[] = {"sh", "-c", (char *)s->command, NULL};
  char **argv = split_plain(s->command, words, plain) ? plain : shell;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  pid_t pid;
  double start = now_ms();
  int failed = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed) {
    fprintf(stderr, "measure: %s: %s\n", s->command, strerror(failed));
    return -1;
  }
  int status;
  struct rusage usage;
  if (wait4(pid, &status, 0, &usage) != pid) {
    return -1;
  }
  double wall = now_ms() - start;
  s->failures += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
  if (slot >= 0) {
    s->wall[slot] = wall;
    s->cpu[slot] = ms(usage.ru_utime) + ms(usage.ru_stime);
    double memory = (double)usage.ru_maxrss / 1024;
    s->memory = memory > s->memory ? memory : s->memory;
  }
  return 0;
}

static int read_lines(void) {
  int count = 0;
  while (count < LINES && fgets(all[count].label, WIDTH, stdin)) {
    char *tab = strchr(all[count].label, '\t');
    if (tab == NULL) {
      continue;
    }
    all[count].label[strcspn(all[count].label, "\n")] = '\0';
    *tab = '\0';
    all[count++].command = tab + 1;
  }
  return count;
}

int main(int argc, char **argv) {
  int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 0;
  int count = read_lines();
  if (rounds < 1 || rounds > ROUNDS || count == 0) {
    fprintf(stderr, "usage: measure ROUNDS < lines of label<TAB>command\n");
    return 2;
  }
  for (int round = -1; round < rounds; round++) { /* round -1 warms up */
    for (int i = 0; i < count; i++) {
      if (run_once(&all[i], round)) {
        return 1;
      }
    }
  }
  int failures = 0;
  for (int i = 0; i < count; i++) {
    failures += all[i].failures;
    printf("%s\t%.2f\t%.2f\t%.1f\t%d\n", all[i].label, median(all[i].wall, rounds),
           median(all[i].cpu, rounds), all[i].memory, all[i].failures);
  }
  return failures ? 1 : 0;
}
