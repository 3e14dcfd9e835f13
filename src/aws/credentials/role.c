/* Roles: a profile with a role_arn, whose source may be a profile with a role again. The whole way
 * is worked out from the files first; then the credentials at its far end are fetched, and STS is
 * asked hop by hop on the way back. */
#include "aws/client_internal.h"
#include "aws/credentials/provider.h"
#include "base/digest.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

#define MAX_HOPS        16
#define STS_DEADLINE_NS (INT64_C(60) * 1000000000)

typedef struct role_state {
  const char *hops[MAX_HOPS]; /* profiles with a role_arn, the one asked for first */
  size_t count;               /* how many are left to assume: from the last to the first */
  const mb_provider *base;    /* where the first credentials come from */
  const char *base_profile;
  mb_fetch *base_fetch;
  mb_aws_call *sts;
  mb_credentials current;
} role_state;

static int claims(const mb_provider_context *context, const char *profile, char *why,
                  size_t why_size, mb_error *error) {
  if (!mb_settings_get(context->settings, profile, "role_arn"))
    snprintf(why, why_size, "profile %s has no role_arn", profile);
  else if (mb_settings_get(context->settings, profile, "web_identity_token_file"))
    snprintf(why, why_size, "profile %s has a web_identity_token_file", profile);
  else
    return 1;
  return 0;
}

/* ---- the way ---- */

static int fail(mb_error *error, const char *next, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(mb_error *error, const char *next, const char *format, ...) {
  char message[1024];
  va_list list;
  va_start(list, format);
  vsnprintf(message, sizeof message, format, list);
  va_end(list);
  mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials", "%s", message);
  return mb_error_next(error, "%s", next);
}

static int fail_loop(const role_state *state, const char *again, mb_error *error) {
  mb_buffer path = MB_BUFFER_INIT(800);
  for (size_t i = 0; i < state->count; i++)
    mb_buffer_addf(&path, "%s -> ", state->hops[i]);
  mb_buffer_add_text(&path, again);
  fail(error, "give one of these profiles keys of its own, or another source_profile",
       "the source profiles go round in a loop: %s", path.failed ? again : mb_buffer_text(&path));
  mb_buffer_dispose(&path);
  return -1;
}

static bool has_keys(const mb_settings *settings, const char *profile) {
  return mb_settings_get(settings, profile, "aws_access_key_id") ||
         mb_settings_get(settings, profile, "aws_secret_access_key");
}

/* The provider of a profile that has no role: its keys, else what else it says. */
static int find_base(const mb_provider_context *context, role_state *state, const char *profile,
                     mb_error *error) {
  static const mb_provider *const providers[] = {&mb_provider_credentials_file,
                                                 &mb_provider_config_file,
                                                 &mb_provider_web_identity,
                                                 &mb_provider_sso,
                                                 &mb_provider_login,
                                                 &mb_provider_process};
  char why[256];
  for (size_t i = 0; i < sizeof providers / sizeof *providers; i++) {
    int status = providers[i]->claims(context, profile, why, sizeof why, error);
    if (status < 0)
      return -1;
    if (status > 0) {
      state->base = providers[i];
      state->base_profile = profile;
      return 0;
    }
  }
  return fail(error, "give it keys, a role_arn or a credential_process",
              "profile %s, the source of profile %s, says nothing about credentials", profile,
              state->hops[state->count - 1]);
}

static int find_named_source(role_state *state, const char *profile, const char *source,
                             mb_error *error) {
  state->base_profile = profile;
  if (strcmp(source, "Environment") == 0)
    state->base = &mb_provider_environment;
  else if (strcmp(source, "EcsContainer") == 0)
    state->base = &mb_provider_container;
  else if (strcmp(source, "Ec2InstanceMetadata") == 0)
    return fail(
        error, "use a source_profile, or credential_source = Environment or EcsContainer",
        "profile %s has credential_source = Ec2InstanceMetadata, which is not supported yet",
        profile);
  else
    return fail(error, "it is Environment, EcsContainer or Ec2InstanceMetadata",
                "profile %s has credential_source = %.80s, which is not known", profile, source);
  return 0;
}

static bool was_visited(const role_state *state, const char *profile) {
  for (size_t i = 0; i < state->count; i++) {
    if (strcmp(state->hops[i], profile) == 0)
      return true;
  }
  return false;
}

static int check_hop(const mb_settings *settings, const char *profile, mb_error *error) {
  bool source = mb_settings_get(settings, profile, "source_profile") != NULL;
  bool named = mb_settings_get(settings, profile, "credential_source") != NULL;
  if (mb_settings_get(settings, profile, "mfa_serial"))
    return fail(
        error,
        "get a session yourself with 'aws sts assume-role ... --token-code' and set its keys",
        "profile %s has an mfa_serial, and moonbook does not ask for MFA codes yet", profile);
  if (source && named)
    return fail(error, "remove one of the two",
                "profile %s has both source_profile and credential_source", profile);
  if (!source && !named)
    return fail(error, "say whose credentials assume the role: add source_profile = ...",
                "profile %s has a role_arn but neither source_profile nor credential_source",
                profile);
  return 0;
}

/* Follows source_profile from hop to hop until something gives credentials. */
static int find_way(const mb_provider_context *context, const char *profile, role_state *state,
                    mb_error *error) {
  const mb_settings *settings = context->settings;
  for (;;) {
    const char *named = mb_settings_get(settings, profile, "credential_source");
    const char *source = mb_settings_get(settings, profile, "source_profile");
    if (check_hop(settings, profile, error) != 0)
      return -1;
    if (state->count == MAX_HOPS)
      return fail(error, "shorten it", "the chain of source profiles is longer than %d", MAX_HOPS);
    state->hops[state->count++] = profile;
    if (named)
      return find_named_source(state, profile, named, error);
    if (!mb_settings_profile(settings, source))
      return fail(error, "add it to the config or credentials file, or correct source_profile",
                  "profile %s has source_profile = %.80s, and there is no such profile", profile,
                  source);
    bool itself = strcmp(source, profile) == 0;
    if (was_visited(state, source) && !(itself && has_keys(settings, source)))
      return fail_loop(state, source, error);
    /* A source's own keys come before its role. */
    if (has_keys(settings, source) || !mb_settings_get(settings, source, "role_arn") ||
        mb_settings_get(settings, source, "web_identity_token_file"))
      return find_base(context, state, source, error);
    profile = source;
  }
}

/* ---- asking STS ---- */

static int put_text(mb_arena *arena, mb_value *map, const char *key, const char *text) {
  mb_value *value = mb_map_put(arena, map, key);
  return value ? mb_value_set_string(arena, value, text) : -1;
}

static mb_value *build_input(mb_fetch *fetch, const char *profile) {
  const mb_settings *settings = fetch->context->settings;
  const char *session = mb_settings_get(settings, profile, "role_session_name");
  const char *external = mb_settings_get(settings, profile, "external_id");
  const char *duration = mb_settings_get(settings, profile, "duration_seconds");
  char made[48];
  int64_t seconds;
  mb_value *input = mb_value_new_map(fetch->arena);
  if (!session) {
    snprintf(made, sizeof made, "moonbook-%lld",
             (long long)(mb_wall_ns(fetch->context->system) / 1000000000));
    session = made;
  }
  if (!input ||
      put_text(fetch->arena, input, "role_arn", mb_settings_get(settings, profile, "role_arn")) !=
          0 ||
      put_text(fetch->arena, input, "role_session_name", session) != 0 ||
      (external && put_text(fetch->arena, input, "external_id", external) != 0))
    return NULL;
  if (duration && mb_parse_integer(duration, strlen(duration), &seconds) == 0) {
    mb_value *value = mb_map_put(fetch->arena, input, "duration_seconds");
    if (!value)
      return NULL;
    mb_value_set_integer(value, seconds);
  }
  return input;
}

/* "arn:aws:sts::123456789012:assumed-role/..." to "123456789012". */
static void take_account(const char *arn, char *out, size_t out_size) {
  for (int i = 0; i < 4 && arn; i++) {
    arn = strchr(arn, ':');
    arn = arn ? arn + 1 : NULL;
  }
  size_t size = arn ? strspn(arn, "0123456789") : 0;
  out[0] = '\0';
  if (size > 0 && size < out_size && arn[size] == ':') {
    memcpy(out, arn, size);
    out[size] = '\0';
  }
}

static const char *member(const mb_value *map, const char *key) {
  return mb_value_string(mb_map_get(map, key));
}

static int read_output(const mb_value *output, const char *profile, mb_credentials *out,
                       mb_error *error) {
  static const char from[] = "the answer of sts.assume_role";
  const mb_value *keys = mb_map_get(output, "credentials");
  mb_credentials_wipe(out);
  if (!*member(keys, "access_key_id") || !*member(keys, "secret_access_key"))
    return mb_error_set(error, MB_ERROR_CREDENTIALS, "NoCredentials", "%s holds no keys", from);
  snprintf(out->source, sizeof out->source, "role of profile %s", profile);
  out->expires = mb_value_number(mb_map_get(keys, "expiration"));
  take_account(member(mb_map_get(output, "assumed_role_user"), "arn"), out->account_id,
               sizeof out->account_id);
  if (MB_CREDENTIALS_SET(out->access_key_id, member(keys, "access_key_id"), "AccessKeyId", from,
                         error) != 0 ||
      MB_CREDENTIALS_SET(out->secret_access_key, member(keys, "secret_access_key"),
                         "SecretAccessKey", from, error) != 0)
    return -1;
  return MB_CREDENTIALS_SET(out->session_token, member(keys, "session_token"), "SessionToken", from,
                            error);
}

static void assume_next(mb_fetch *fetch);

static void end_failed(mb_fetch *fetch, const mb_error *error) {
  role_state *state = fetch->state;
  mb_credentials_wipe(&state->current);
  mb_fetch_end(fetch, NULL, error);
}

static void on_assumed(const mb_aws_result *result, void *payload) {
  mb_fetch *fetch = payload;
  role_state *state = fetch->state;
  const char *profile = state->hops[state->count - 1];
  mb_error error;
  if (result->failed) {
    if (result->error.kind == MB_ERROR_MEMORY) {
      end_failed(fetch, &result->error);
      return;
    }
    fail(&error, result->error.next,
         "the role %.200s of profile %s could not be assumed: %s: %.600s",
         mb_settings_get(fetch->context->settings, profile, "role_arn"), profile,
         result->error.code, result->error.message);
    error.retryable = result->error.retryable;
    error.status = result->error.status;
    mb_text_copy(error.request_id, sizeof error.request_id, result->error.request_id);
    end_failed(fetch, &error);
    return;
  }
  state->count--;
  if (read_output(result->output, profile, &state->current, &error) != 0)
    end_failed(fetch, &error);
  else
    assume_next(fetch);
}

static void assume_next(mb_fetch *fetch) {
  role_state *state = fetch->state;
  const mb_provider_context *context = fetch->context;
  mb_error error;
  if (state->count == 0) {
    mb_credentials done = state->current;
    mb_credentials_wipe(&state->current);
    mb_fetch_end(fetch, &done, NULL);
    mb_credentials_wipe(&done);
    return;
  }
  const mb_model *sts = mb_model_find("sts");
  mb_aws_request request = {.model = sts, .region = context->settings->region};
  request.operation = sts ? mb_model_operation(sts, "assume_role") : NULL;
  if (!request.operation) {
    mb_error_set(&error, MB_ERROR_INTERNAL, "NoModel", "the model of sts is not built in");
    end_failed(fetch, &error);
    return;
  }
  request.input = build_input(fetch, state->hops[state->count - 1]);
  request.credentials = &state->current;
  request.deadline_ns = mb_loop_now(context->loop) + STS_DEADLINE_NS;
  if (!request.input) {
    mb_error_memory(&error);
    end_failed(fetch, &error);
    return;
  }
  mb_aws_launch(context->aws, fetch->arena, &request, NULL, on_assumed, fetch, &state->sts);
}

static void on_base(const mb_credentials *credentials, const mb_error *error, void *payload) {
  mb_fetch *fetch = payload;
  role_state *state = fetch->state;
  if (!credentials) {
    end_failed(fetch, error);
    return;
  }
  state->current = *credentials;
  assume_next(fetch);
}

static void cancel(mb_fetch *fetch) {
  role_state *state = fetch->state;
  mb_fetch_cancel(state->base_fetch);
  mb_aws_cancel(state->sts);
  mb_credentials_wipe(&state->current);
}

static int fetch_role(mb_fetch *fetch, mb_credentials *out, mb_error *error) {
  role_state *state = mb_arena_zero(fetch->arena, sizeof *state);
  if (!state)
    return mb_error_memory(error);
  if (find_way(fetch->context, fetch->profile, state, error) != 0)
    return -1;
  fetch->state = state;
  fetch->cancel = cancel;
  mb_fetch_start(fetch->context, state->base, state->base_profile, on_base, fetch,
                 &state->base_fetch);
  return MB_FETCH_PENDING;
}

const mb_provider mb_provider_role = {.name = "role", .claims = claims, .fetch = fetch_role};
