/* What the suites share: TAP output and reading of files. */
#include "mbconf.h"

#include "base/memory.h"
#include "base/system.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FILE_LIMIT (64u * 1024 * 1024)

static int number_of(const mbconf_report *report) {
  return report->passed + report->failed + report->skipped;
}

/* TAP is read by lines: a line break within a message would start a new one. */
static void print_diagnosis(const char *format, va_list arguments) {
  char text[16 * 1024];
  vsnprintf(text, sizeof text, format, arguments);
  for (char *line = text; line;) {
    char *end = strchr(line, '\n');
    if (end)
      *end = '\0';
    printf("#   %s\n", line);
    line = end ? end + 1 : NULL;
  }
}

void mbconf_case(mbconf_report *report, const char *id, bool ok, const char *format, ...) {
  va_list arguments;
  if (ok)
    report->passed++;
  else
    report->failed++;
  printf("%sok %d - %s\n", ok ? "" : "not ", number_of(report), id);
  if (ok)
    return;
  va_start(arguments, format);
  print_diagnosis(format, arguments);
  va_end(arguments);
}

void mbconf_skip(mbconf_report *report, const char *id, const char *reason) {
  report->skipped++;
  printf("ok %d - %s # SKIP %s\n", number_of(report), id, reason);
}

int mbconf_finish(mbconf_report *report) {
  printf("1..%d\n", number_of(report));
  printf("%d passed, %d failed, %d skipped\n", report->passed, report->failed, report->skipped);
  if (report->passed + report->failed == 0)
    fprintf(stderr, "mbconf: no case ran\n");
  return report->failed == 0 && report->passed > 0 ? 0 : 1;
}

char *mbconf_read(mb_arena *arena, const char *path, size_t *size) {
  mb_system system;
  mb_error error;
  char *text;
  mb_system_complete(&system, NULL);
  if (mb_read_file(&system, arena, path, FILE_LIMIT, &text, size, &error)) {
    fprintf(stderr, "mbconf: %s\n", error.message);
    return NULL;
  }
  return text;
}

mb_value *mbconf_read_json(mb_arena *arena, const char *path) {
  size_t size;
  mb_error error;
  mb_value *value;
  const char *text = mbconf_read(arena, path, &size);
  if (!text)
    return NULL;
  if (mb_value_from_json(arena, &value, text, size, &error)) {
    fprintf(stderr, "mbconf: %s: %s\n", path, error.message);
    return NULL;
  }
  return value;
}

char *mbconf_stem(mb_arena *arena, const char *path) {
  const char *slash = strrchr(path, '/');
  const char *name = slash ? slash + 1 : path;
  const char *dot = strrchr(name, '.');
  return mb_arena_strndup(arena, name, dot ? (size_t)(dot - name) : strlen(name));
}
