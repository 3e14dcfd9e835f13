/* Errors, digests, files, programs, embedded files. */
#include "base/buffer.h"
#include "base/digest.h"
#include "base/embedded.h"
#include "base/system.h"
#include "base/text.h"
#include "unit/check.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void check_hex(const unsigned char *data, size_t size, const char *hex) {
  mb_buffer out = MB_BUFFER_INIT(200);
  mb_text_add_hex(&out, data, size);
  assert_string_equal(mb_buffer_text(&out), hex);
  mb_buffer_dispose(&out);
}

static void digests_give_the_published_results(void **state) {
  unsigned char out[32];
  (void)state;
  assert_int_equal(mb_digest_load(NULL), 0);
  assert_int_equal(mb_sha256("abc", 3, out), 0);
  check_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert_int_equal(mb_sha256(NULL, 0, out), 0);
  check_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert_int_equal(mb_sha1("abc", 3, out), 0);
  check_hex(out, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
  assert_int_equal(mb_md5("abc", 3, out), 0);
  check_hex(out, 16, "900150983cd24fb0d6963f7d28e17f72");
}

/* RFC 4231, cases 2 and 6 (a key longer than a block). */
static void hmac_gives_the_published_results(void **state) {
  static const char text[] = "Test Using Larger Than Block-Size Key - Hash Key First";
  unsigned char key[131];
  unsigned char out[32];
  (void)state;
  assert_int_equal(mb_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, out), 0);
  check_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  memset(key, 0xaa, sizeof key);
  assert_int_equal(mb_hmac_sha256(key, sizeof key, text, sizeof text - 1, out), 0);
  check_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  assert_int_equal(mb_hmac_sha256("", 0, "", 0, out), 0);
  check_hex(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void *hash_in_thread(void *payload) {
  unsigned char out[32];
  bool *right = payload;
  *right = mb_digest_load(NULL) == 0;
  for (int i = 0; i < 1000 && *right; i++) {
    *right = mb_sha256("abc", 3, out) == 0 && out[0] == 0xba && out[31] == 0xad;
  }
  return NULL;
}

static void threads_hash_apart(void **state) {
  pthread_t threads[4];
  bool right[4];
  (void)state;
  for (int i = 0; i < 4; i++) {
    assert_int_equal(pthread_create(&threads[i], NULL, hash_in_thread, &right[i]), 0);
  }
  for (int i = 0; i < 4; i++) {
    pthread_join(threads[i], NULL);
    assert_true(right[i]);
  }
}

static void errors_are_bounded_single_lines(void **state) {
  static char text[5000];
  mb_error error;
  (void)state;
  memset(text, 'x', sizeof text - 1);
  assert_int_equal(mb_error_set(&error, MB_ERROR_AWS, "Code", "a\nb: %s", text), -1);
  assert_int_equal(error.kind, MB_ERROR_AWS);
  assert_int_equal(strlen(error.message), sizeof error.message - 1);
  assert_memory_equal(error.message, "a b: xxx", 8);
  assert_string_equal(error.next, "");
  mb_error_set(&error, MB_ERROR_AWS, "Code", "inner");
  mb_error_next(&error, "do %d", 7);
  mb_error_set(&error, MB_ERROR_USAGE, error.code, "outer: %s", error.message);
  assert_string_equal(error.message, "outer: inner");
  assert_string_equal(error.code, "Code");
  assert_string_equal(error.next, "");
  assert_int_equal(mb_error_set(NULL, MB_ERROR_AWS, "Code", "text"), -1);
  mb_error_clear(NULL);
  assert_string_equal(mb_error_kind_name(MB_ERROR_NOT_FOUND), "not_found");
}

/* ---- files ---- */

static char folder[64];

static int make_folder(void **state) {
  (void)state;
  strcpy(folder, "/tmp/moonbook-test-XXXXXX");
  return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
  char path[128];
  (void)state;
  snprintf(path, sizeof path, "%s/file", folder);
  unlink(path);
  return rmdir(folder);
}

static void write_file(const char *data, size_t size) {
  char path[128];
  snprintf(path, sizeof path, "%s/file", folder);
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, size, file), size);
  fclose(file);
}

static void files_are_read_below_the_root(void **state) {
  mb_system given = {.root = folder};
  mb_system system;
  mb_arena *arena = mb_arena_new(0);
  mb_error error;
  char *data;
  size_t size;
  (void)state;
  mb_system_complete(&system, &given);
  write_file("some\0text", 9);
  assert_int_equal(mb_read_file(&system, arena, "/file", 9, &data, &size, &error), 0);
  assert_int_equal(size, 9);
  assert_memory_equal(data, "some\0text", 10);
  assert_int_equal(mb_read_file(&system, arena, "/file", 8, &data, &size, &error), -1);
  assert_int_equal(error.kind, MB_ERROR_USAGE);
  assert_int_equal(mb_read_file(&system, arena, "/missing", 8, &data, &size, &error), -1);
  assert_int_equal(error.kind, MB_ERROR_NOT_FOUND);
  assert_non_null(strstr(error.message, "/missing"));
  assert_int_equal(mb_read_file(&system, arena, "/", 8, &data, &size, &error), -1);
  assert_int_equal(error.kind, MB_ERROR_IO);
  mb_arena_free(arena);
}

static void files_without_a_size_are_read(void **state) {
  mb_system system;
  mb_arena *arena = mb_arena_new(0);
  mb_error error;
  char *data;
  size_t size;
  (void)state;
  mb_system_complete(&system, NULL);
  assert_int_equal(mb_read_file(&system, arena, "/proc/self/status", 65536, &data, &size, &error),
                   0);
  assert_true(size > 0);
  assert_int_equal(strlen(data), size);
  assert_int_equal(mb_read_file(&system, arena, "/dev/zero", 65536, &data, &size, &error), -1);
  assert_string_equal(error.code, "FileTooLarge");
  mb_arena_free(arena);
}

/* ---- programs ---- */

typedef struct outcome {
  int result;
  int code; /* errno */
  const char *output, *errors;
  int status;
} outcome;

static outcome spawn(mb_arena *arena, const char *script, int timeout_ms, size_t limit) {
  const char *argv[] = {"sh", "-c", script, NULL};
  mb_system system;
  outcome made = {0};
  mb_system_complete(&system, NULL);
  made.result = system.spawn(system.payload, argv, timeout_ms, limit, arena, &made.output,
                             &made.errors, &made.status);
  made.code = errno;
  return made;
}

static void programs_give_output_errors_and_status(void **state) {
  mb_arena *arena = mb_arena_new(0);
  (void)state;
  outcome made = spawn(arena, "echo out; echo err >&2; cat; exit 3", 10000, 1000);
  assert_int_equal(made.result, 0);
  assert_string_equal(made.output, "out\n");
  assert_string_equal(made.errors, "err\n");
  assert_true(WIFEXITED(made.status) && WEXITSTATUS(made.status) == 3);
  mb_arena_free(arena);
}

static void programs_inherit_no_descriptors(void **state) {
  mb_arena *arena = mb_arena_new(0);
  (void)state;
  int extra = dup(1); /* without close-on-exec */
  assert_true(extra > 2);
  char script[100];
  snprintf(script, sizeof script, "if [ -e /proc/self/fd/%d ]; then echo leaked; fi", extra);
  outcome made = spawn(arena, script, 10000, 1000);
  close(extra);
  assert_int_equal(made.result, 0);
  assert_string_equal(made.output, "");
  mb_arena_free(arena);
}

static void programs_that_hang_are_killed_with_their_children(void **state) {
  mb_arena *arena = mb_arena_new(0);
  (void)state;
  outcome made = spawn(arena, "sleep 300 & echo $!; wait", 300, 1000);
  assert_int_equal(made.result, -1);
  assert_int_equal(made.code, ETIMEDOUT);
  assert_true(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
  mb_arena_free(arena);
}

static void programs_that_print_too_much_are_killed(void **state) {
  mb_arena *arena = mb_arena_new(0);
  (void)state;
  outcome made = spawn(arena, "yes", 30000, 100000);
  assert_int_equal(made.result, -1);
  assert_int_equal(made.code, EMSGSIZE);
  mb_arena_free(arena);
}

static void a_child_left_behind_does_not_hold_the_caller(void **state) {
  mb_arena *arena = mb_arena_new(0);
  (void)state;
  outcome made = spawn(arena, "sleep 60 & echo $!", 50000, 1000);
  assert_int_equal(made.result, 0);
  assert_int_equal(kill(atoi(made.output), SIGKILL), 0);
  mb_arena_free(arena);
}

static void missing_programs_are_reported(void **state) {
  const char *argv[] = {"/nonexistent/program", NULL};
  mb_arena *arena = mb_arena_new(0);
  mb_system system;
  const char *output;
  const char *errors;
  int status;
  (void)state;
  mb_system_complete(&system, NULL);
  assert_int_equal(system.spawn(NULL, argv, 1000, 100, arena, &output, &errors, &status), -1);
  assert_int_equal(errno, ENOENT);
  mb_arena_free(arena);
}

/* ---- the rest ---- */

static int count_up(void *payload, void *out, size_t size) {
  unsigned char *bytes = out;
  (void)payload;
  for (size_t i = 0; i < size; i++) {
    bytes[i] = (unsigned char)i;
  }
  return 0;
}

static int no_random(void *payload, void *out, size_t size) {
  (void)payload;
  (void)out;
  (void)size;
  return -1;
}

static void uuids_have_version_and_variant(void **state) {
  mb_system given = {.random = count_up};
  mb_system system;
  char text[37];
  (void)state;
  mb_system_complete(&system, &given);
  assert_int_equal(mb_uuid(&system, text), 0);
  assert_string_equal(text, "00010203-0405-4607-8809-0a0b0c0d0e0f");
  system.random = no_random;
  assert_int_equal(mb_uuid(&system, text), -1);
}

static void random_units_stay_below_one(void **state) {
  mb_system system;
  (void)state;
  mb_system_complete(&system, NULL);
  for (int i = 0; i < 1000; i++) {
    double unit = mb_random_unit(&system);
    assert_true(unit >= 0 && unit < 1);
  }
}

static void empty_variables_are_unset(void **state) {
  mb_system system;
  (void)state;
  mb_system_complete(&system, NULL);
  setenv("MOONBOOK_TEST", "", 1);
  assert_null(mb_getenv(&system, "MOONBOOK_TEST"));
  setenv("MOONBOOK_TEST", "x", 1);
  assert_string_equal(mb_getenv(&system, "MOONBOOK_TEST"), "x");
  unsetenv("MOONBOOK_TEST");
}

static void embedded_files_are_all_found(void **state) {
  size_t count;
  (void)state;
  for (size_t i = 0; i < mb_embedded_file_count; i++) {
    const mb_embedded_file *file = &mb_embedded_files[i];
    assert_ptr_equal(mb_embedded_find(file->path), file);
    assert_int_equal(((const char *)file->data)[file->size], 0);
  }
  assert_null(mb_embedded_find("no/such/file"));
  assert_null(mb_embedded_below("no/such/", &count));
  assert_int_equal(count, 0);
  mb_embedded_below("", &count);
  assert_int_equal(count, mb_embedded_file_count);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(digests_give_the_published_results),
      cmocka_unit_test(hmac_gives_the_published_results),
      cmocka_unit_test(threads_hash_apart),
      cmocka_unit_test(errors_are_bounded_single_lines),
      cmocka_unit_test_setup_teardown(files_are_read_below_the_root, make_folder, remove_folder),
      cmocka_unit_test(files_without_a_size_are_read),
      cmocka_unit_test(programs_give_output_errors_and_status),
      cmocka_unit_test(programs_inherit_no_descriptors),
      cmocka_unit_test(programs_that_hang_are_killed_with_their_children),
      cmocka_unit_test(programs_that_print_too_much_are_killed),
      cmocka_unit_test(a_child_left_behind_does_not_hold_the_caller),
      cmocka_unit_test(missing_programs_are_reported),
      cmocka_unit_test(uuids_have_version_and_variant),
      cmocka_unit_test(random_units_stay_below_one),
      cmocka_unit_test(empty_variables_are_unset),
      cmocka_unit_test(embedded_files_are_all_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
