/* The build's tool for service models.
 *
 *   mbmodel pack IN.model OUT.bin             the checked-in text to packed bytes (the build does
 * this) mbmodel import DATA OUT [SERVICE...]      botocore's data folder to text, one file per
 * service mbmodel dump FILE                         packed bytes, or text, back to text on standard
 * output mbmodel snake                             names on standard input, one a line, to
 * snake_case
 *
 * Exit code 0, 1 when something could not be done, 2 for wrong arguments. */
#include "aws/model/builder.h"
#include "aws/tools/import.h"
#include "base/system.h"

#include <stdio.h>
#include <string.h>

#define FILE_LIMIT ((size_t)256 << 20)

static int report(const char *what, const mb_error *error) {
  fprintf(stderr, "mbmodel: %s: %s\n", what, error->message);
  if (error->next[0])
    fprintf(stderr, "  %s\n", error->next);
  return 1;
}

static int usage(void) {
  fputs("usage: mbmodel pack IN.model OUT.bin\n"
        "       mbmodel import BOTOCORE_DATA_DIR OUT_DIR [SERVICE...]\n"
        "       mbmodel dump FILE\n"
        "       mbmodel snake < NAMES\n",
        stderr);
  return 2;
}

static int pack(mb_arena *arena, const char *in, const char *out) {
  mb_system system;
  mb_error error = {0};
  mb_buffer packed = MB_BUFFER_INIT(FILE_LIMIT);
  char *text = NULL;
  size_t size = 0;
  mb_system_complete(&system, NULL);
  if (mb_read_file(&system, arena, in, FILE_LIMIT, &text, &size, &error) != 0 ||
      mb_model_from_text(&packed, text, size, &error) != 0) {
    mb_buffer_dispose(&packed);
    return report(in, &error);
  }
  int result = mb_tool_write(out, packed.data, packed.size, &error);
  mb_buffer_dispose(&packed);
  return result == 0 ? 0 : report(out, &error);
}

static int dump_model(const mb_model *model, const char *path) {
  mb_error error = {0};
  mb_buffer text = MB_BUFFER_INIT(FILE_LIMIT);
  int result = mb_model_write_text(&text, model, &error);
  if (result == 0 &&
      (fwrite(mb_buffer_text(&text), 1, text.size, stdout) != text.size || fflush(stdout) != 0))
    result = mb_error_set(&error, MB_ERROR_IO, "WriteFailed", "standard output cannot be written");
  mb_buffer_dispose(&text);
  return result == 0 ? 0 : report(path, &error);
}

static int dump(mb_arena *arena, const char *path) {
  mb_system system;
  mb_error error = {0};
  mb_buffer packed = MB_BUFFER_INIT(FILE_LIMIT);
  char *data = NULL;
  size_t size = 0;
  mb_system_complete(&system, NULL);
  if (mb_read_file(&system, arena, path, FILE_LIMIT, &data, &size, &error) != 0)
    return report(path, &error);
  const mb_model *model = mb_model_open(data, size);
  if (!model && mb_model_from_text(&packed, data, size, &error) == 0)
    model = mb_model_open(packed.data, packed.size);
  int result = model ? dump_model(model, path) : report(path, &error);
  mb_buffer_dispose(&packed);
  return result;
}

static int snake(void) {
  char line[1024];
  while (fgets(line, sizeof line, stdin)) {
    mb_buffer out = MB_BUFFER_INIT(8192);
    line[strcspn(line, "\n")] = '\0';
    mb_model_snake_case(&out, line);
    puts(mb_buffer_text(&out));
    mb_buffer_dispose(&out);
  }
  return ferror(stdin) || fflush(stdout) != 0;
}

/* Goes on after a failure, so that one run tells everything that is wrong. */
static int import(mb_arena *arena, const char *data, const char *out, char **services,
                  size_t count) {
  mb_error error = {0};
  int failed = 0;
  if (count == 0 && mb_tool_services(arena, data, &services, &count, &error) != 0)
    return report(data, &error);
  for (size_t i = 0; i < count; i++)
    if (mb_tool_import(data, out, services[i], &error) != 0)
      failed = report(services[i], &error);
  if (mb_tool_import_partitions(data, out, &error) != 0)
    failed = report(data, &error);
  return failed;
}

static int run(mb_arena *arena, int argc, char **argv) {
  if (argc == 4 && strcmp(argv[1], "pack") == 0)
    return pack(arena, argv[2], argv[3]);
  if (argc >= 4 && strcmp(argv[1], "import") == 0)
    return import(arena, argv[2], argv[3], argv + 4, (size_t)argc - 4);
  if (argc == 3 && strcmp(argv[1], "dump") == 0)
    return dump(arena, argv[2]);
  if (argc == 2 && strcmp(argv[1], "snake") == 0)
    return snake();
  return usage();
}

int main(int argc, char **argv) {
  mb_arena *arena = mb_arena_new(0);
  if (!arena) {
    fputs("mbmodel: no memory\n", stderr);
    return 1;
  }
  int result = run(arena, argc, argv);
  mb_arena_free(arena);
  return result;
}
