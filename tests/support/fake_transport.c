/* The machine that is not there. */
#include "support/fake_transport.h"
#include "base/text.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct fake_variable {
  struct fake_variable *next;
  char *name, *value;
} fake_variable;

typedef struct fake_pending {
  struct fake_pending *next;
  mb_transfer *transfer;
  int64_t due_ns; /* INT64_MAX: never */
  mb_transfer_result result;
} fake_pending;

/* A test that cannot get memory for itself has nothing to say. */
static void *need(void *pointer) {
  if (!pointer)
    abort();
  return pointer;
}

static char *copy(const void *data, size_t size) {
  char *out = need(malloc(size + 1));
  if (size)
    memcpy(out, data, size);
  out[size] = '\0';
  return out;
}

static char *copy_text(const char *text) {
  return copy(text ? text : "", text ? strlen(text) : 0);
}

/* ---- clock, randomness, environment ---- */

static int64_t wall(void *payload) {
  return ((fake_machine *)payload)->wall_ns;
}

static int64_t monotonic(void *payload) {
  return ((fake_machine *)payload)->monotonic_ns;
}

static void advance(fake_machine *fake, int64_t until_ns) {
  if (until_ns > fake->monotonic_ns) {
    fake->wall_ns += until_ns - fake->monotonic_ns;
    fake->monotonic_ns = until_ns;
  }
}

static int randomness(void *payload, void *out, size_t size) {
  fake_machine *fake = payload;
  unsigned char *bytes = out;
  memset(out, 0xff, size);
  for (size_t i = 0; fake->random_counts && i < size; i++) {
    fake->random_state = fake->random_state * 6364136223846793005u + 1442695040888963407u;
    bytes[i] = (unsigned char)(fake->random_state >> 56);
  }
  return 0;
}

static const char *get_variable(void *payload, const char *name) {
  for (fake_variable *v = ((fake_machine *)payload)->variables; v; v = v->next) {
    if (strcmp(v->name, name) == 0)
      return v->value;
  }
  return NULL;
}

void fake_setenv(fake_machine *fake, const char *name, const char *value) {
  fake_variable *v = fake->variables;
  while (v && strcmp(v->name, name) != 0)
    v = v->next;
  if (!v) {
    v = need(calloc(1, sizeof *v));
    v->name = copy_text(name);
    v->next = fake->variables;
    fake->variables = v;
  }
  free(v->value);
  v->value = value ? copy_text(value) : NULL;
}

/* ---- files and processes ---- */

void fake_write_file(fake_machine *fake, const char *path, const char *text) {
  char full[512];
  snprintf(full, sizeof full, "%s%s", fake->root, path);
  for (char *slash = strchr(full + strlen(fake->root) + 1, '/'); slash;
       slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    mkdir(full, 0700);
    *slash = '/';
  }
  FILE *file = need(fopen(full, "wb"));
  fwrite(text, 1, strlen(text), file);
  fclose(file);
}

static int run_program(void *payload, const char *const *argv, int timeout_ms, size_t output_limit,
                       mb_arena *arena, const char **output, const char **errors, int *status) {
  fake_machine *fake = payload;
  size_t used = 0;
  fake->spawned[0] = '\0';
  for (size_t i = 0; argv[i]; i++)
    used += (size_t)snprintf(fake->spawned + used, sizeof fake->spawned - used, "%s%s",
                             i ? "|" : "", argv[i]);
  *output = mb_arena_strdup(arena, fake->spawn_output ? fake->spawn_output : "");
  *errors = mb_arena_strdup(arena, fake->spawn_errors ? fake->spawn_errors : "");
  *status = fake->spawn_status;
  return *output && *errors ? fake->spawn_result : -1;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk) {
  return remove(path);
}

/* ---- recording ---- */

static void find_operation(fake_request *request) {
  const char *target = fake_header(request, "X-Amz-Target");
  const char *name = target ? strrchr(target, '.') : NULL;
  size_t size;
  if (name) {
    snprintf(request->operation, sizeof request->operation, "%s", name + 1);
    return;
  }
  name = strncmp(request->body, "Action=", 7) == 0 ? request->body + 7 : "";
  size = strcspn(name, "&");
  if (size < sizeof request->operation)
    memcpy(request->operation, name, size);
}

static const fake_request *record(fake_machine *fake, const mb_http_request *request) {
  fake->requests =
      need(realloc(fake->requests, (fake->request_count + 1) * sizeof *fake->requests));
  fake_request *out = &fake->requests[fake->request_count++];
  memset(out, 0, sizeof *out);
  out->method = copy_text(request->method);
  out->url = copy_text(request->url);
  out->body = copy(request->body, request->body_size);
  out->body_size = request->body_size;
  out->header_count = request->headers.count;
  out->headers = need(calloc(request->headers.count * 2 + 1, sizeof *out->headers));
  for (size_t i = 0; i < request->headers.count; i++) {
    out->headers[2 * i] = copy_text(request->headers.items[i].name);
    out->headers[2 * i + 1] = copy_text(request->headers.items[i].value);
  }
  out->at_ns = fake->monotonic_ns;
  find_operation(out);
  return out;
}

const char *fake_header(const fake_request *request, const char *name) {
  for (size_t i = 0; i < request->header_count; i++) {
    if (mb_text_equal_ci(request->headers[2 * i], name))
      return request->headers[2 * i + 1];
  }
  return NULL;
}

void fake_forget_requests(fake_machine *fake) {
  for (size_t i = 0; i < fake->request_count; i++) {
    fake_request *request = &fake->requests[i];
    for (size_t j = 0; j < 2 * request->header_count; j++)
      free(request->headers[j]);
    free(request->headers);
    free(request->method);
    free(request->url);
    free(request->body);
  }
  free(fake->requests);
  fake->requests = NULL;
  fake->request_count = 0;
}

/* ---- the network ---- */

static void add_pending(fake_machine *fake, mb_transfer *transfer, int64_t due,
                        const mb_transfer_result *result) {
  fake_pending *pending = need(calloc(1, sizeof *pending));
  fake_pending **at = &fake->pending;
  pending->transfer = transfer;
  pending->due_ns = due;
  pending->result = *result;
  while (*at && (*at)->due_ns <= due)
    at = &(*at)->next;
  pending->next = *at;
  *at = pending;
  fake->under_way++;
  if (fake->under_way > fake->most_under_way)
    fake->most_under_way = fake->under_way;
}

static int start(void *payload, mb_transfer *transfer, const mb_http_request *request) {
  fake_machine *fake = payload;
  mb_transfer_result result;
  memset(&result, 0, sizeof result);
  result.sent = true;
  record(fake, request);
  int status = fake->answer(fake->payload, request, mb_transfer_arena(transfer), &result);
  if (status < 0)
    return -1;
  add_pending(fake, transfer,
              status == FAKE_SILENCE ? INT64_MAX : fake->monotonic_ns + fake->latency_ns, &result);
  return 0;
}

static void cancel(void *payload, mb_transfer *transfer) {
  fake_machine *fake = payload;
  for (fake_pending **at = &fake->pending; *at; at = &(*at)->next) {
    fake_pending *pending = *at;
    if (pending->transfer != transfer)
      continue;
    *at = pending->next;
    free(pending);
    fake->under_way--;
    fake->cancelled++;
    return;
  }
}

static bool wait_for(void *payload, int64_t until_ns) {
  fake_machine *fake = payload;
  fake_pending *first = fake->pending;
  if (!first || first->due_ns == INT64_MAX || first->due_ns > until_ns) {
    if (until_ns != INT64_MAX)
      advance(fake, until_ns);
    return first != NULL;
  }
  advance(fake, first->due_ns);
  fake->pending = first->next;
  fake->under_way--;
  mb_transfer_finish(first->transfer, &first->result);
  free(first);
  return true;
}

/* ---- answers ---- */

int fake_reply(mb_arena *arena, mb_transfer_result *out, int status, const char *headers,
               const char *body) {
  mb_http_response *response = &out->response;
  out->failed = 0;
  response->status = status;
  response->body = mb_arena_strdup(arena, body ? body : "");
  if (!response->body)
    return -1;
  response->body_size = strlen(response->body);
  while (headers && *headers) {
    size_t size = strcspn(headers, "\n");
    const char *colon = memchr(headers, ':', size);
    char *name = mb_arena_strndup(arena, headers, colon ? (size_t)(colon - headers) : size);
    char *value = colon ? mb_arena_strndup(arena, colon + 2, size - (size_t)(colon - headers) - 2)
                        : mb_arena_strdup(arena, "");
    if (!name || !value || mb_headers_add(arena, &response->headers, name, value) != 0)
      return -1;
    headers += size + (headers[size] == '\n');
  }
  return 0;
}

int fake_fail(mb_transfer_result *out, mb_error_kind kind, const char *code) {
  out->failed = mb_error_set(&out->error, kind, code, "the fake network says %s", code);
  out->error.retryable = kind == MB_ERROR_NETWORK || kind == MB_ERROR_TIMEOUT;
  return 0;
}

static bool step_fits(const fake_machine *fake, size_t index, const fake_request *request) {
  const fake_step *step = &fake->steps[index];
  return (!fake->step_used[index] || step->forever) &&
         (!step->operation || strcmp(step->operation, request->operation) == 0);
}

static int play(void *payload, const mb_http_request *request, mb_arena *arena,
                mb_transfer_result *out) {
  fake_machine *fake = payload;
  const fake_request *recorded = &fake->requests[fake->request_count - 1];
  for (size_t i = 0; i < fake->step_count; i++) {
    const fake_step *step = &fake->steps[i];
    if (!step_fits(fake, i, recorded))
      continue;
    fake->step_used[i] = true;
    if (step->silence)
      return FAKE_SILENCE;
    if (step->status == 0)
      return fake_fail(out, step->failure, step->code);
    return fake_reply(arena, out, step->status, step->headers, step->body);
  }
  return fake_reply(arena, out, 418, NULL, "{\"__type\":\"NoStepLeft\"}");
}

void fake_play(fake_machine *fake, const fake_step *steps, size_t count) {
  free(fake->step_used);
  fake->step_used = need(calloc(count + 1, sizeof *fake->step_used));
  fake->steps = steps;
  fake->step_count = count;
  fake->answer = play;
  fake->payload = fake;
}

/* ---- life ---- */

void fake_init(fake_machine *fake) {
  memset(fake, 0, sizeof *fake);
  fake->wall_ns = INT64_C(1795442400) * 1000000000; /* 2026-11-23T14:00:00Z */
  fake->monotonic_ns = INT64_C(1000) * 1000000000;
  fake->latency_ns = 1000000;
  snprintf(fake->root, sizeof fake->root, "/tmp/moonbook-test-XXXXXX");
  need(mkdtemp(fake->root));
  fake->transport = (mb_transport){fake, start, cancel, wait_for};
  mb_system given = {.payload = fake,
                     .wall_ns = wall,
                     .monotonic_ns = monotonic,
                     .random = randomness,
                     .getenv = get_variable,
                     .root = fake->root,
                     .spawn = run_program,
                     .transport = &fake->transport};
  mb_system_complete(&fake->system, &given);
  fake_play(fake, NULL, 0);
}

void fake_dispose(fake_machine *fake) {
  fake_forget_requests(fake);
  while (fake->variables) {
    fake_variable *v = fake->variables;
    fake->variables = v->next;
    free(v->name);
    free(v->value);
    free(v);
  }
  while (fake->pending) {
    fake_pending *pending = fake->pending;
    fake->pending = pending->next;
    free(pending);
  }
  free(fake->step_used);
  nftw(fake->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
