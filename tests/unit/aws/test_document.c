/* Documents that hold credentials: what is read of them, and all that is refused. */
#include "aws/credentials/document.h"
#include "support/sweep.h"
#include "unit/check.h"
#include <stdio.h>

static mb_document *read_text(const char *text) {
  mb_document *document = NULL;
  mb_error error;
  if (mb_document_read(&document, text, strlen(text), &error) != 0)
    fail_msg("%s: %s", text, error.message);
  return document;
}

static mb_error refused_bytes(const char *text, size_t size) {
  mb_document *document = (mb_document *)&document;
  mb_error error;
  if (mb_document_read(&document, text, size, &error) == 0)
    fail_msg("taken: %s", text);
  assert_null(document);
  assert_int_equal(error.kind, MB_ERROR_USAGE);
  return error;
}

static void assert_refused(const char *text, const char *words) {
  mb_error error = refused_bytes(text, strlen(text));
  if (!strstr(error.message, words))
    fail_msg("\"%s\" is not in \"%s\" about %s", words, error.message, text);
}

static void members_are_read_by_their_exact_names(void **state) {
  double number = 0;
  mb_document *document = read_text("{\"Key\":\"a\",\"key\":\"b\",\"KEY\":1.5}");
  assert_string_equal(mb_document_text(document, "Key"), "a");
  assert_string_equal(mb_document_text(document, "key"), "b");
  assert_string_equal(mb_document_text(document, "kEY"), "");
  assert_true(mb_document_number(document, "KEY", &number));
  assert_true(number == 1.5);
  assert_false(mb_document_number(document, "key", &number));
  mb_document_free(document);
}

static void members_of_other_types_are_not_taken(void **state) {
  double number;
  mb_document *document = read_text(
      "{\"a\":1,\"b\":true,\"c\":null,\"d\":[\"x\"],\"e\":{\"f\":\"x\"},\"g\":\"1\",\"h\":\"\"}");
  for (const char *name = "abcdeh"; *name; name++) {
    char key[2] = {*name, 0};
    assert_string_equal(mb_document_text(document, key), "");
  }
  assert_string_equal(mb_document_text(document, "f"), "");
  for (const char *name = "bcdegh"; *name; name++) {
    char key[2] = {*name, 0};
    assert_false(mb_document_number(document, key, &number));
  }
  mb_document_free(document);
}

static void escapes_are_undone(void **state) {
  mb_document *document =
      read_text(" \r\n\t{\"a\\u0062\" : \"\\\"\\\\u0000\\/\\u00e4\\ud83d\\ude00\"} \n");
  assert_string_equal(mb_document_text(document, "ab"), "\"\\u0000/\xc3\xa4\xf0\x9f\x98\x80");
  mb_document_free(document);
}

static void what_stands_behind_a_document_is_refused(void **state) {
  assert_refused("{\"a\":\"b\"} x", "behind it");
  assert_refused("{\"a\":\"b\"}{\"a\":\"c\"}", "behind it");
  assert_refused("{}]", "behind it");
  assert_refused("{} \"", "behind it");
  refused_bytes("{}\0", 3);
}

static void members_of_the_same_name_are_refused(void **state) {
  assert_refused("{\"a\":\"b\",\"c\":1,\"a\":\"d\"}", "same name");
  assert_refused("{\"a\":\"b\",\"\\u0061\":\"d\"}", "same name");
}

static void what_would_cut_a_text_is_refused(void **state) {
  assert_refused("{\"a\":\"b\\u0000c\"}", "NUL");
  assert_refused("{\"a\\u0000\":\"b\"}", "NUL");
  assert_refused("{\"a\":\"\\\\\\u0000\"}", "NUL");
  static const char raw[] = "{\"a\":\"b\0c\"}";
  assert_non_null(strstr(refused_bytes(raw, sizeof raw - 1).message, "NUL"));
  assert_refused("{\"a\":\"b\nc\"}", "control");
  assert_refused("{\"a\":\x01 1}", "control");
}

static void text_that_is_not_utf8_is_refused(void **state) {
  assert_refused("{\"a\":\"\xff\"}", "UTF-8");
  assert_refused("{\"a\":\"\xc3\"}", "UTF-8");
  assert_refused("{\"a\":\"\xed\xa0\x80\"}", "UTF-8");
  assert_refused("{\"a\":\"\\ud83d\"}", "not JSON");
}

static void what_is_no_object_is_refused(void **state) {
  static const char *const bad[] = {"",    " ",     "{",         "}",          "{\"a\"}",
                                    "nul", "{a:1}", "{'a':1}",   "{\"a\":1,}", "{\"a\":}",
                                    "\"",  "{\"a",  "{\"a\":\"", "{\"a\":\"\\"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_refused(bad[i], "not JSON");
  assert_refused("[]", "not an object");
  assert_refused("\"{}\"", "not an object");
  assert_refused("null", "not an object");
}

static void no_prefix_of_a_document_is_read_beyond_its_end(void **state) {
  static const char text[] =
      "{\"a\":[1,-2.5e3,true,false,null,\"\\u00e4\\n\"],\"b\":{\"c\":\"d\"}}";
  for (size_t size = 0; size < sizeof text - 1; size++) {
    char *exact = malloc(size ? size : 1); /* so that the sanitizer sees one byte too many */
    assert_non_null(exact);
    memcpy(exact, text, size);
    refused_bytes(exact, size);
    free(exact);
  }
}

static void nesting_and_members_are_bounded(void **state) {
  char text[4096];
  size_t used = 0;
  used += (size_t)snprintf(text, sizeof text, "{\"a\":");
  memset(text + used, '[', 1000);
  memset(text + used + 1000, ']', 1000);
  snprintf(text + used + 2000, sizeof text - used - 2000, "}");
  assert_refused(text, "nested");
  used = 0;
  for (int i = 0; i < 101; i++)
    used += (size_t)snprintf(text + used, sizeof text - used, "%s\"k%d\":1", i ? "," : "{", i);
  snprintf(text + used, sizeof text - used, "}");
  assert_refused(text, "too many");
  mb_document_free(read_text("{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}"));
}

/* ---- memory ---- */

#define SECRET "wJalrXUtnFEMI/K7MDENG"

/* Looks at every block that is given back. */
static void *look_at_freed(void *payload, void *pointer, size_t size) {
  bool *seen = payload;
  if (size == 0) {
    *seen |= pointer && strstr(pointer, SECRET) != NULL;
    free(pointer);
    return NULL;
  }
  return pointer ? realloc(pointer, size) : calloc(1, size + 1); /* always terminated */
}

static void secrets_are_wiped_before_memory_is_given_back(void **state) {
  bool seen = false;
  mb_allocator hook = {&seen, look_at_freed};
  mb_set_allocator(&hook);
  mb_document *document =
      read_text("{\"a\":\"" SECRET "\",\"b\":{\"c\":[1,\"" SECRET "\"]},\"d\":\"x\"}");
  assert_string_equal(mb_document_text(document, "a"), SECRET);
  mb_document_free(document);
  mb_document *other;
  mb_error error;
  static const char trailing[] = "{\"a\":\"" SECRET "\"} x";
  assert_int_equal(mb_document_read(&other, trailing, sizeof trailing - 1, &error), -1);
  mb_set_allocator(NULL);
  assert_false(seen);
}

static void read_once(void *payload) {
  static const char text[] = "{\"a\":\"b\",\"c\":[1,2,{\"d\":\"\\u00e4\"}],\"e\":null}";
  mb_document *document = NULL;
  mb_error error;
  if (mb_document_read(&document, text, sizeof text - 1, &error) != 0)
    assert_int_equal(error.kind, MB_ERROR_MEMORY);
  mb_document_free(document);
}

static void every_refused_allocation_is_survived(void **state) {
  assert_true(sweep_run(read_once, NULL) > 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(members_are_read_by_their_exact_names),
      cmocka_unit_test(members_of_other_types_are_not_taken),
      cmocka_unit_test(escapes_are_undone),
      cmocka_unit_test(what_stands_behind_a_document_is_refused),
      cmocka_unit_test(members_of_the_same_name_are_refused),
      cmocka_unit_test(what_would_cut_a_text_is_refused),
      cmocka_unit_test(text_that_is_not_utf8_is_refused),
      cmocka_unit_test(what_is_no_object_is_refused),
      cmocka_unit_test(no_prefix_of_a_document_is_read_beyond_its_end),
      cmocka_unit_test(nesting_and_members_are_bounded),
      cmocka_unit_test(secrets_are_wiped_before_memory_is_given_back),
      cmocka_unit_test(every_refused_allocation_is_survived),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
