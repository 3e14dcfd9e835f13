/* Reading documents with cJSON. It is lenient (NUL escapes cut a text, repeated members, raw
 * control characters, any nesting up to a thousand), so the text is looked over before it is
 * parsed. */
#include "aws/credentials/document.h"
#include "base/digest.h"
#include "base/memory.h"
#include "base/text.h"
#include <cjson/cJSON.h>
#include <pthread.h>
#include <string.h>

#define DEEPEST      32
#define MOST_MEMBERS 100

/* ---- cJSON's memory ---- */

static _Thread_local bool memory_refused; /* it does not tell that from bad JSON */

static void *document_alloc(size_t size) {
  void *made = mb_alloc(size);
  if (!made)
    memory_refused = true;
  return made;
}

static void use_our_memory(void) {
  cJSON_Hooks hooks = {.malloc_fn = document_alloc, .free_fn = mb_free};
  cJSON_InitHooks(&hooks);
}

/* Wipes the texts of an item and its members, DEEPEST levels down. Only texts are secrets. */
static void wipe(cJSON *item) {
  for (; item; item = item->next) {
    if (item->valuestring)
      mb_wipe(item->valuestring, strlen(item->valuestring));
    wipe(item->child);
  }
}

void mb_document_free(mb_document *document) {
  wipe(document);
  cJSON_Delete(document);
}

/* ---- what cJSON would let pass ---- */

typedef struct scanner {
  const char *at, *end;
  bool in_text;
  int depth;
} scanner;

/* Past a backslash: its character, and the digits of a NUL. */
static const char *scan_escape(scanner *s) {
  static const char nul[] = "u0000";
  if ((size_t)(s->end - s->at) >= sizeof nul - 1 && memcmp(s->at, nul, sizeof nul - 1) == 0)
    return "JSON with a NUL character in it";
  s->at += s->at < s->end;
  return NULL;
}

static const char *scan_one(scanner *s) {
  unsigned char c = (unsigned char)*s->at++;
  if (c < ' ' && (s->in_text || (c != '\t' && c != '\n' && c != '\r')))
    return c ? "JSON with a raw control character in it" : "JSON with a NUL character in it";
  if (c == '"')
    s->in_text = !s->in_text;
  else if (c == '\\' && s->in_text)
    return scan_escape(s);
  else if (!s->in_text && (c == '{' || c == '['))
    s->depth++;
  else if (!s->in_text && (c == '}' || c == ']'))
    s->depth--;
  return s->depth > DEEPEST ? "JSON that is nested too deeply" : NULL;
}

/* Why a text is refused, or NULL. */
static const char *scan_text(const char *text, size_t size) {
  scanner s = {.at = text, .end = text + size};
  const char *problem = mb_utf8_valid(text, size) ? NULL : "text that is not UTF-8";
  while (!problem && s.at < s.end)
    problem = scan_one(&s);
  return problem;
}

/* ---- reading ---- */

static const char *find_repeated(const mb_document *document) {
  int count = 0;
  for (const cJSON *item = document->child; item; item = item->next) {
    if (++count > MOST_MEMBERS)
      return "JSON with far too many members";
    for (const cJSON *other = item->next; other; other = other->next) {
      if (strcmp(item->string, other->string) == 0)
        return "JSON with two members of the same name";
    }
  }
  return NULL;
}

static mb_document *parse(const char *text, size_t size, const char **problem) {
  const char *end = NULL;
  *problem = scan_text(text, size);
  mb_document *document =
      *problem || size == 0 ? NULL : cJSON_ParseWithLengthOpts(text, size, &end, false);
  if (!document) {
    *problem = *problem ? *problem : "an answer that is not JSON";
    return NULL;
  }
  while (end < text + size && strchr(" \t\r\n", *end))
    end++;
  if (end < text + size)
    *problem = "JSON with something behind it";
  else if (!cJSON_IsObject(document))
    *problem = "JSON that is not an object";
  else
    *problem = find_repeated(document);
  return document;
}

int mb_document_read(mb_document **out, const char *text, size_t size, mb_error *error) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  const char *problem;
  pthread_once(&once, use_our_memory);
  memory_refused = false;
  mb_document *document = parse(text, size, &problem);
  *out = problem ? NULL : document;
  if (!problem)
    return 0;
  mb_document_free(document);
  return memory_refused ? mb_error_memory(error)
                        : mb_error_set(error, MB_ERROR_USAGE, "InvalidDocument", "%s", problem);
}

const char *mb_document_text(const mb_document *document, const char *name) {
  const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(document, name));
  return text ? text : "";
}

bool mb_document_number(const mb_document *document, const char *name, double *out) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(document, name);
  if (!cJSON_IsNumber(item))
    return false;
  *out = item->valuedouble;
  return true;
}
