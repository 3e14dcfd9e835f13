/* The real machine, and the seams to it. */
#include "base/system.h"
#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int64_t read_clock(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t real_wall_ns(void *payload) {
  (void)payload;
  return read_clock(CLOCK_REALTIME);
}

static int64_t real_monotonic_ns(void *payload) {
  (void)payload;
  return read_clock(CLOCK_MONOTONIC);
}

static int real_random(void *payload, void *out, size_t size) {
  (void)payload;
  unsigned char *at = out;
  while (size > 0) {
    ssize_t got = getrandom(at, size, 0);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return -1;
    }
    at += got;
    size -= (size_t)got;
  }
  return 0;
}

static const char *real_getenv(void *payload, const char *name) {
  (void)payload;
  return getenv(name);
}

void mb_system_complete(mb_system *out, const mb_system *given) {
  mb_system made = {0};
  if (given) {
    made = *given;
  }
  made.wall_ns = made.wall_ns ? made.wall_ns : real_wall_ns;
  made.monotonic_ns = made.monotonic_ns ? made.monotonic_ns : real_monotonic_ns;
  made.random = made.random ? made.random : real_random;
  made.getenv = made.getenv ? made.getenv : real_getenv;
  made.root = made.root ? made.root : "";
  made.spawn = made.spawn ? made.spawn : mb_spawn_real;
  *out = made;
}

int64_t mb_wall_ns(const mb_system *system) {
  return system->wall_ns(system->payload);
}

int64_t mb_monotonic_ns(const mb_system *system) {
  return system->monotonic_ns(system->payload);
}

/* Random numbers spread load here; without a source of them the middle is as good. */
double mb_random_unit(const mb_system *system) {
  uint64_t bits;
  if (system->random(system->payload, &bits, sizeof bits) != 0) {
    return 0.5;
  }
  return (double)(bits >> 11) / 9007199254740992.0;
}

int mb_uuid(const mb_system *system, char out[37]) {
  static const char digits[] = "0123456789abcdef";
  unsigned char bytes[16];
  out[0] = '\0';
  if (system->random(system->payload, bytes, sizeof bytes) != 0) {
    return -1;
  }
  bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
  bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
  char *at = out;
  for (int i = 0; i < 16; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      *at++ = '-';
    }
    *at++ = digits[bytes[i] >> 4];
    *at++ = digits[bytes[i] & 15];
  }
  *at = '\0';
  return 0;
}

const char *mb_getenv(const mb_system *system, const char *name) {
  const char *value = system->getenv(system->payload, name);
  return value && *value ? value : NULL;
}

/* ---- files ---- */

static int fail_file(mb_error *error, const char *path, int code) {
  if (code == ENOENT || code == ENOTDIR) {
    return mb_error_set(error, MB_ERROR_NOT_FOUND, "NoSuchFile", "%s: no such file", path);
  }
  char reason[128];
  const char *text = strerror_r(code, reason, sizeof reason);
  return mb_error_set(error, MB_ERROR_IO, "CannotRead", "%s: %s", path, text);
}

/* Reads to the end, at most `limit` bytes. Returns 0, -1 with errno, or -2 when there is more. */
static int read_all(int file, mb_arena *arena, size_t limit, size_t expected, char **out,
                    size_t *out_size) {
  size_t room = expected < limit ? expected + 2 : limit + 2;
  size_t size = 0;
  char *data = mb_arena_alloc(arena, room);
  while (data) {
    ssize_t got = read(file, data + size, room - size - 1);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return -1;
    }
    size += (size_t)got;
    if (size > limit) {
      return -2;
    }
    if (got == 0) {
      data[size] = '\0';
      *out = data;
      *out_size = size;
      return 0;
    }
    if (size + 1 == room) {
      size_t larger = room < limit / 2 ? room * 2 : limit + 2;
      data = mb_arena_grow(arena, data, room, larger);
      room = larger;
    }
  }
  errno = ENOMEM;
  return -1;
}

static int read_open_file(int file, mb_arena *arena, const char *path, size_t limit, char **out,
                          size_t *size, mb_error *error) {
  struct stat about;
  if (fstat(file, &about) != 0) {
    return fail_file(error, path, errno);
  }
  size_t expected = S_ISREG(about.st_mode) && about.st_size > 0 ? (size_t)about.st_size : 4094;
  int result = expected > limit && S_ISREG(about.st_mode)
                   ? -2
                   : read_all(file, arena, limit, expected, out, size);
  if (result == -2) {
    return mb_error_set(error, MB_ERROR_USAGE, "FileTooLarge", "%s is larger than %zu bytes", path,
                        limit);
  }
  if (result == -1 && errno == ENOMEM) {
    return mb_error_memory(error);
  }
  return result == 0 ? 0 : fail_file(error, path, errno);
}

int mb_read_file(const mb_system *system, mb_arena *arena, const char *path, size_t limit,
                 char **out, size_t *size, mb_error *error) {
  const char *root = path[0] == '/' && system->root ? system->root : "";
  char *full = mb_arena_printf(arena, "%s%s", root, path);
  if (!full) {
    return mb_error_memory(error);
  }
  if (limit > SIZE_MAX / 4) {
    limit = SIZE_MAX / 4;
  }
  int file = open(full, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (file < 0) {
    return fail_file(error, full, errno);
  }
  int result = read_open_file(file, arena, full, limit, out, size, error);
  close(file);
  return result;
}
