/* The life of one fetch: started, under way, and ended or cancelled exactly once. */
#include "aws/credentials/provider.h"
#include "base/memory.h"
#include <string.h>

static void free_fetch(mb_fetch *fetch) {
  if (fetch->owner)
    *fetch->owner = NULL;
  mb_arena_free(fetch->arena);
  mb_free_secret(fetch, sizeof *fetch);
}

static void deliver(mb_fetch *fetch) {
  mb_fetch_callback callback = fetch->callback;
  void *payload = fetch->payload;
  bool failed = fetch->failed;
  mb_error error;
  mb_credentials result = fetch->result;
  if (failed)
    error = fetch->error;
  free_fetch(fetch);
  if (failed)
    callback(NULL, &error, payload);
  else
    callback(&result, NULL, payload);
  mb_credentials_wipe(&result);
}

void mb_fetch_end(mb_fetch *fetch, const mb_credentials *credentials, const mb_error *error) {
  fetch->ended = true;
  fetch->failed = credentials == NULL;
  if (credentials)
    fetch->result = *credentials;
  else
    fetch->error = *error;
  /* While the provider is still in its own fetch function, the fetch must outlive it. */
  if (!fetch->starting)
    deliver(fetch);
}

void mb_fetch_start(const mb_provider_context *context, const mb_provider *provider,
                    const char *profile, mb_fetch_callback callback, void *payload,
                    mb_fetch **owner) {
  mb_fetch *fetch = mb_alloc_zero(1, sizeof *fetch);
  mb_arena *arena = fetch ? mb_arena_new((size_t)16 << 20) : NULL;
  *owner = NULL;
  if (!arena) {
    mb_error error;
    mb_free(fetch);
    mb_error_memory(&error);
    callback(NULL, &error, payload);
    return;
  }
  fetch->context = context;
  fetch->profile = profile;
  fetch->arena = arena;
  fetch->callback = callback;
  fetch->payload = payload;
  fetch->owner = owner;
  fetch->starting = true;
  *owner = fetch;
  int status = provider->fetch(fetch, &fetch->result, &fetch->error);
  fetch->starting = false;
  if (status == MB_FETCH_PENDING && !fetch->ended)
    return;
  if (status != MB_FETCH_PENDING)
    fetch->failed = status != 0;
  deliver(fetch);
}

void mb_fetch_cancel(mb_fetch *fetch) {
  if (!fetch)
    return;
  if (fetch->cancel)
    fetch->cancel(fetch);
  free_fetch(fetch);
}
