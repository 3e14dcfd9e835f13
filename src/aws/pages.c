/* Listings: from one page to the next, and all pages as one answer. */
#include "aws/client_internal.h"
#include "aws/jmespath/jmespath.h"
#include "base/memory.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

#define MAX_TOKENS 8

/* Newline-separated lists, one entry at a time: copies the next into `arena` and moves `*at` past
 * it. NULL at the end; `*failed` when memory has run out. */
static const char *next_line(mb_arena *arena, const char **at, bool *failed) {
  size_t size = strcspn(*at, "\n");
  if (size == 0)
    return NULL;
  const char *line = mb_arena_strndup(arena, *at, size);
  *at += size + ((*at)[size] == '\n');
  *failed = line == NULL;
  return line;
}

static int evaluate(mb_arena *arena, const char *expression, const mb_value *data, mb_value *out,
                    mb_error *error) {
  mb_jmespath *compiled = mb_jmespath_compile(arena, expression, error);
  return compiled ? mb_jmespath_search(compiled, arena, data, out, error) : -1;
}

/* ---- one page to the next ---- */

/* An input member under whichever of its two names the input uses. */
static const mb_value *find_input(const mb_model *model, const mb_operation *operation,
                                  const mb_value *input, const char *snake, const char **key) {
  const mb_member *member =
      operation->input == MB_NO_INDEX
          ? NULL
          : mb_model_member(model, mb_model_shape(model, operation->input), snake, strlen(snake));
  const mb_value *value = mb_map_get(input, snake);
  *key = snake;
  if (!value && member) {
    const char *name = mb_model_text(model, member->name);
    value = mb_map_get(input, name);
    if (value)
      *key = name;
  }
  return value;
}

/* What ends a listing: null, an empty string, and the emptiness some services put there instead. */
static bool is_token(const mb_value *value) {
  mb_type type = mb_value_type(value);
  if (type == MB_TYPE_STRING)
    return *mb_value_string(value) != '\0';
  if (type == MB_TYPE_MAP || type == MB_TYPE_LIST)
    return mb_value_count(value) > 0;
  return type == MB_TYPE_INTEGER || type == MB_TYPE_NUMBER || type == MB_TYPE_BLOB;
}

typedef struct page_tokens {
  mb_value values[MAX_TOKENS];
  size_t count;
  bool any;
} page_tokens;

static int read_tokens(mb_arena *arena, const char *expressions, const mb_value *output,
                       page_tokens *out, mb_error *error) {
  const char *line;
  bool failed = false;
  memset(out, 0, sizeof *out);
  while (out->count < MAX_TOKENS && (line = next_line(arena, &expressions, &failed))) {
    if (evaluate(arena, line, output, &out->values[out->count], error) != 0)
      return -1;
    out->any |= is_token(&out->values[out->count++]);
  }
  return failed ? mb_error_memory(error) : 0;
}

static bool says_no_more(mb_arena *arena, const char *expression, const mb_value *output,
                         bool *failed, mb_error *error) {
  mb_value more;
  *failed = false;
  if (!*expression)
    return false;
  if (evaluate(arena, expression, output, &more, error) != 0) {
    *failed = true;
    return false;
  }
  return !mb_value_boolean(&more);
}

static int fill_next(mb_arena *arena, const mb_model *model, const mb_operation *operation,
                     const char *names, const mb_value *input, const page_tokens *tokens,
                     mb_value *next, mb_error *error) {
  const char *name, *key;
  bool failed = false, repeated = true;
  if (input ? mb_value_copy(arena, next, input) != 0 : (mb_value_set_map(next), false))
    return mb_error_memory(error);
  for (size_t i = 0; i < tokens->count && (name = next_line(arena, &names, &failed)); i++) {
    const mb_value *old = find_input(model, operation, input, name, &key);
    bool is_set = is_token(&tokens->values[i]);
    repeated &= is_set ? old && mb_value_equal(old, &tokens->values[i]) : !is_token(old);
    mb_value *value = mb_map_put(arena, next, key);
    if (!value)
      return mb_error_memory(error);
    mb_value_set_null(value);
    if (is_set && mb_value_copy(arena, value, &tokens->values[i]) != 0)
      return mb_error_memory(error);
  }
  if (failed)
    return mb_error_memory(error);
  if (!repeated)
    return 0;
  mb_error_set(error, MB_ERROR_AWS, "RepeatedToken",
               "the service gave the same token for the next page twice, so the listing would "
               "never end");
  return mb_error_next(error, "ask for single pages and stop where the token repeats");
}

bool mb_aws_next_page(mb_arena *arena, const mb_model *model, const mb_operation *operation,
                      const mb_value *input, const mb_value *output, mb_value *next,
                      mb_error *error) {
  const mb_paginator *paginator = mb_model_paginator(model, operation);
  page_tokens tokens;
  bool failed;
  mb_error_clear(error);
  if (!paginator ||
      says_no_more(arena, mb_model_text(model, paginator->more_results), output, &failed, error) ||
      failed)
    return false;
  if (read_tokens(arena, mb_model_text(model, paginator->output_tokens), output, &tokens, error) !=
          0 ||
      !tokens.any)
    return false;
  return fill_next(arena, model, operation, mb_model_text(model, paginator->input_tokens), input,
                   &tokens, next, error) == 0;
}

/* ---- all pages ---- */

typedef struct pages_call {
  mb_aws_call base;
  mb_arena *arena;
  mb_aws_request request;
  mb_aws_callback callback;
  void *payload;
  mb_aws_call *page; /* the call under way */
  mb_value input;    /* of that call, from the second page on */
  mb_value *merged;  /* NULL before the first page */
  int attempts;
} pages_call;

static void dispose(mb_aws_call *base) {
  pages_call *call = (pages_call *)base;
  mb_aws_cancel(call->page);
  mb_aws_call_unlink(&call->base);
  mb_free(call);
}

static void end(pages_call *call, mb_aws_result *result) {
  mb_aws_callback callback = call->callback;
  void *payload = call->payload;
  result->attempts = call->attempts;
  mb_aws_call_unlink(&call->base);
  mb_free(call);
  callback(result, payload);
}

static void end_failed(pages_call *call, const mb_aws_result *page, const mb_error *error) {
  mb_aws_result result = *page;
  mb_error_context context = {.model = call->request.model,
                              .operation = call->request.operation,
                              .region = call->request.region ? call->request.region
                                                             : call->base.aws->settings.region,
                              .attempts = call->attempts};
  result.failed = true;
  result.error = *error;
  result.output = NULL;
  mb_aws_complete_error(&context, &result.error);
  mb_text_copy(result.error.request_id, sizeof result.error.request_id, page->request_id);
  end(call, &result);
}

/* Walks a dotted path of names through maps; with `make`, adds what is missing. NULL when something
 * on the way is no map, or memory has run out. */
static mb_value *walk(mb_arena *arena, mb_value *at, const char *path, bool make) {
  while (*path) {
    size_t size = strcspn(path, ".");
    if (mb_value_type(at) == MB_TYPE_NULL && make)
      mb_value_set_map(at);
    if (mb_value_type(at) != MB_TYPE_MAP)
      return NULL;
    at = make ? mb_map_put_sized(arena, at, path, size) : mb_map_get_sized(at, path, size);
    if (!at)
      return NULL;
    path += size + (path[size] == '.');
  }
  return at;
}

static bool is_plain_path(const char *expression) {
  static const char names[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
  return strspn(expression, names) == strlen(expression);
}

static int append_items(mb_arena *arena, mb_value *into, const mb_value *from) {
  for (size_t i = 0; i < mb_value_count(from); i++) {
    mb_value *item = mb_list_add(arena, into);
    if (!item)
      return -1;
    *item = *mb_list_at(from, i); /* same arena: shared, not copied */
  }
  return 0;
}

/* Lists follow each other, counts add up, pieces of text follow each other. */
static int merge_value(mb_arena *arena, mb_value *into, const mb_value *from) {
  if (mb_value_type(into) == MB_TYPE_NULL) {
    *into = *from;
    return 0;
  }
  if (mb_value_type(into) != mb_value_type(from))
    return 0;
  if (mb_value_type(from) == MB_TYPE_LIST)
    return append_items(arena, into, from);
  if (mb_value_type(from) == MB_TYPE_INTEGER) {
    int64_t sum;
    if (!__builtin_add_overflow(mb_value_integer(into), mb_value_integer(from), &sum))
      mb_value_set_integer(into, sum);
    return 0;
  }
  if (mb_value_type(from) != MB_TYPE_STRING)
    return 0;
  size_t a_size, b_size;
  const char *a = mb_value_bytes(into, &a_size), *b = mb_value_bytes(from, &b_size);
  char *both = mb_arena_alloc(arena, a_size + b_size + 1);
  if (!both)
    return -1;
  memcpy(both, a, a_size);
  memcpy(both + a_size, b, b_size + 1);
  mb_value_borrow(into, MB_TYPE_STRING, both, a_size + b_size);
  return 0;
}

static int merge_page(pages_call *call, const mb_value *output) {
  const mb_model *model = call->request.model;
  const mb_paginator *paginator = mb_model_paginator(model, call->request.operation);
  const char *keys = mb_model_text(model, paginator->result_keys), *key;
  bool failed = false;
  while ((key = next_line(call->arena, &keys, &failed))) {
    mb_value *from =
        is_plain_path(key) ? walk(call->arena, (mb_value *)(uintptr_t)output, key, false) : NULL;
    if (mb_value_type(from) == MB_TYPE_NULL)
      continue;
    mb_value *into = walk(call->arena, call->merged, key, true);
    if (!into || merge_value(call->arena, into, from) != 0)
      return -1;
  }
  return failed ? -1 : 0;
}

/* The first page's token would only invite to ask for what has been merged already. */
static int drop_tokens(pages_call *call) {
  const mb_model *model = call->request.model;
  const mb_paginator *paginator = mb_model_paginator(model, call->request.operation);
  const char *lines = mb_model_text(model, paginator->output_tokens), *line;
  bool failed = false;
  while ((line = next_line(call->arena, &lines, &failed))) {
    mb_value *map = call->merged;
    for (uint32_t i = 0; map->type == MB_TYPE_MAP && i < map->count; i++) {
      if (strcmp(map->as.entries[i].key, line) != 0)
        continue;
      map->count--;
      memmove(&map->as.entries[i], &map->as.entries[i + 1],
              (map->count - i) * sizeof *map->as.entries);
      break;
    }
  }
  return failed ? -1 : 0;
}

static void fetch_page(pages_call *call);

static void on_page(const mb_aws_result *page, void *payload) {
  pages_call *call = payload;
  mb_aws_result result = *page;
  mb_error error;
  mb_value next;
  call->attempts += page->attempts;
  if (page->failed) {
    end(call, &result);
    return;
  }
  bool more = mb_aws_next_page(call->arena, call->request.model, call->request.operation,
                               call->request.input, page->output, &next, &error);
  if (!more && error.kind != MB_OK) {
    end_failed(call, page, &error);
    return;
  }
  int merged = 0;
  if (call->merged)
    merged = merge_page(call, page->output);
  else
    call->merged = (mb_value *)(uintptr_t)page->output; /* in our arena, and nobody else's */
  if (merged != 0 || (!more && drop_tokens(call) != 0)) {
    mb_error_memory(&error);
    end_failed(call, page, &error);
  } else if (more) {
    call->input = next;
    call->request.input = &call->input;
    fetch_page(call);
  } else {
    result.output = call->merged;
    end(call, &result);
  }
}

/* May end the listing: nothing may touch it afterwards. */
static void fetch_page(pages_call *call) {
  mb_aws_launch(call->base.aws, call->arena, &call->request, "C", on_page, call, &call->page);
}

static int check_listing(const mb_aws_request *request, mb_error *error) {
  if (!mb_model_paginator(request->model, request->operation)) {
    mb_error_set(error, MB_ERROR_USAGE, "NotPaginated", "%s is not a listing: it has no pages",
                 mb_model_text(request->model, request->operation->snake));
    return mb_error_next(error, "call it without asking for all pages");
  }
  if (request->names != MB_NAMES_SNAKE)
    return mb_error_set(error, MB_ERROR_USAGE, "NotPaginated",
                        "pages are followed by snake_case names only");
  return 0;
}

mb_aws_call *mb_aws_start_pages(mb_aws *aws, mb_arena *arena, const mb_aws_request *request,
                                mb_aws_callback callback, void *payload) {
  mb_error error;
  mb_aws_call *handle = NULL;
  if (check_listing(request, &error) != 0) {
    mb_aws_refuse(request, &error, callback, payload);
    return NULL;
  }
  pages_call *call = mb_alloc_zero(1, sizeof *call);
  if (!call) {
    mb_aws_refuse(request, NULL, callback, payload);
    return NULL;
  }
  mb_aws_call_link(&call->base, aws, &handle, dispose);
  call->arena = arena;
  call->request = *request;
  call->callback = callback;
  call->payload = payload;
  fetch_page(call);
  if (handle)
    handle->owner = NULL; /* `handle` is this function's: the caller keeps the pointer now */
  return handle;
}
