/* What the host says about runbooks: the list, and one in full. */
#include "run/host_internal.h"

#include "run/fields.h"

#include <string.h>

static int check_exact_version(const mb_manifest *manifest, const char *version, mb_error *error) {
  if (version == NULL || strcmp(version, manifest->version) == 0) {
    return 0;
  }
  mb_error_set(error, MB_ERROR_NOT_FOUND, "UnknownVersion", "%s has version %s here, not %s",
               manifest->name, manifest->version, version);
  return mb_error_next(error, "Say %s@%d to take any version of that major.", manifest->name,
                       manifest->major);
}

int mb_host_find_runbook(mb_host *host, mb_arena *arena, const char *name, mb_bundle *bundle,
                         mb_manifest *manifest, mb_error *error) {
  const char *plain = NULL;
  const char *version = NULL;
  int major = 0;
  if (mb_runbook_name_split(arena, name, &plain, &major, &version, error) != 0 ||
      mb_source_find(host->source, arena, plain, major, bundle, error) != 0 ||
      mb_manifest_read(manifest, arena, bundle, error) != 0) {
    return -1;
  }
  return check_exact_version(manifest, version, error);
}

/* ---- the list ----------------------------------------------------------------------------------
 */

static int put_summary(mb_arena *arena, mb_value *out, const mb_manifest *manifest) {
  return mb_put_text(arena, out, "version", manifest->version) != 0 ||
                 mb_put_text(arena, out, "summary", manifest->summary) != 0 ||
                 mb_put_text(arena, out, "kind", manifest->kind) != 0 ||
                 mb_put_text(arena, out, "effect", mb_effect_name(manifest->effect)) != 0
             ? -1
             : 0;
}

static int list_bundle(mb_arena *arena, mb_value *out, const mb_bundle *bundle, mb_error *error) {
  mb_manifest manifest;
  mb_error problem;
  mb_error_clear(&problem);
  mb_value_set_map(out);
  if (mb_put_text(arena, out, "name", bundle->name) != 0 ||
      mb_put_text(arena, out, "source", bundle->origin) != 0) {
    return mb_error_memory(error);
  }
  mb_value *shadowed = mb_map_put(arena, out, "shadowed");
  if (shadowed == NULL) {
    return mb_error_memory(error);
  }
  mb_value_set_boolean(shadowed, bundle->shadowed);
  if (mb_manifest_read(&manifest, arena, bundle, &problem) != 0) {
    return problem.kind == MB_ERROR_MEMORY || mb_put_text(arena, out, "error", problem.message) != 0
               ? mb_error_memory(error)
               : 0;
  }
  return put_summary(arena, out, &manifest) != 0 ? mb_error_memory(error) : 0;
}

int mb_host_list_runbooks(mb_host *host, mb_arena *arena, const mb_value **out, mb_error *error) {
  mb_bundle *bundles = NULL;
  size_t count = 0;
  mb_value *list = mb_value_new_list(arena);
  *out = NULL;
  if (list == NULL) {
    return mb_error_memory(error);
  }
  if (mb_source_list(host->source, arena, &bundles, &count, error) != 0) {
    return -1;
  }
  for (size_t i = 0; i < count; i++) {
    mb_value *item = mb_list_add(arena, list);
    if (item == NULL) {
      return mb_error_memory(error);
    }
    if (list_bundle(arena, item, &bundles[i], error) != 0) {
      return -1;
    }
  }
  *out = list;
  return 0;
}

/* ---- one in full -------------------------------------------------------------------------------
 */

static int add_once(mb_arena *arena, mb_value *list, const char *text) {
  for (size_t i = 0; i < mb_value_count(list); i++) {
    if (strcmp(mb_value_string(mb_list_at(list, i)), text) == 0) {
      return 0;
    }
  }
  mb_value *item = mb_list_add(arena, list);
  return item == NULL ? -1 : mb_value_set_string(arena, item, text);
}

static int add_actions(mb_engine *engine, mb_arena *arena, mb_value *list, const char *name,
                       bool reads_only, mb_error *error) {
  const mb_binding *binding = mb_engine_find(engine, name, error);
  if (binding == NULL) {
    return -1;
  }
  const char *const *actions = binding->primitive.iam_actions;
  if (actions == NULL || (reads_only && binding->primitive.effect != MB_EFFECT_READS)) {
    return 0;
  }
  for (; *actions != NULL; actions++) {
    if (add_once(arena, list, *actions) != 0) {
      return mb_error_memory(error);
    }
  }
  return 0;
}

/* The actions of every reading primitive that "ecs.describe_*" matches. */
static int add_wildcard(mb_engine *engine, mb_arena *arena, mb_value *list, const char *pattern,
                        mb_error *error) {
  const char *dot = strchr(pattern, '.');
  const char *name_space = mb_arena_strndup(arena, pattern, (size_t)(dot - pattern));
  size_t count = name_space == NULL ? 0 : mb_engine_names(engine, name_space, NULL, 0);
  const char **names = mb_arena_alloc(arena, (count + 1) * sizeof *names);
  if (name_space == NULL || names == NULL) {
    return mb_error_memory(error);
  }
  count = mb_engine_names(engine, name_space, names, count);
  for (size_t i = 0; i < count; i++) {
    const char *last = strrchr(names[i], '.');
    const char *name =
        mb_arena_printf(arena, "%s.%s", name_space, last == NULL ? names[i] : last + 1);
    if (name == NULL) {
      return mb_error_memory(error);
    }
    if (mb_uses_match(pattern, name) && add_actions(engine, arena, list, name, true, error) != 0) {
      return -1;
    }
  }
  return 0;
}

static int put_actions(mb_host *host, mb_arena *arena, mb_value *out, const mb_manifest *manifest,
                       mb_error *error) {
  mb_engine *engine = NULL;
  mb_value *list = mb_value_new_list(arena);
  if (list == NULL) {
    return mb_error_memory(error);
  }
  if (mb_host_engine(host, NULL, &engine, error) != 0) {
    return -1;
  }
  for (size_t i = 0; i < mb_value_count(manifest->uses); i++) {
    const char *use = mb_value_string(mb_list_at(manifest->uses, i));
    int status = strchr(use, '*') != NULL ? add_wildcard(engine, arena, list, use, error)
                                          : add_actions(engine, arena, list, use, false, error);
    if (status != 0) {
      return -1;
    }
  }
  mb_value *put = mb_map_put(arena, out, "iam");
  return put == NULL || mb_value_copy(arena, put, list) != 0 ? mb_error_memory(error) : 0;
}

static int put_list(mb_arena *arena, mb_value *out, const char *key, const mb_value *list) {
  mb_value *put = mb_map_put(arena, out, key);
  if (put == NULL) {
    return -1;
  }
  mb_value_set_list(put);
  return list == NULL || mb_value_count(list) == 0 ? 0 : mb_value_copy(arena, put, list);
}

static int put_files(mb_arena *arena, mb_value *out, const mb_bundle *bundle) {
  mb_value *files = mb_value_new_map(arena);
  if (files == NULL || mb_put_text(arena, files, "manifest.lua", bundle->manifest) != 0 ||
      mb_put_text(arena, files, "runbook.lua", bundle->runbook) != 0) {
    return -1;
  }
  mb_value *put = mb_map_put(arena, out, "files");
  return put == NULL ? -1 : mb_value_copy(arena, put, files);
}

static int put_manifest(mb_arena *arena, mb_value *out, const mb_bundle *bundle,
                        const mb_manifest *manifest) {
  mb_value *args = mb_manifest_describe_args(manifest, arena);
  mb_value *level = NULL;
  if (args == NULL || mb_put_text(arena, out, "name", manifest->name) != 0 ||
      put_summary(arena, out, manifest) != 0 ||
      mb_put_text(arena, out, "source", bundle->origin) != 0 ||
      mb_put_text(arena, out, "confirm", manifest->confirm) != 0 ||
      (level = mb_map_put(arena, out, "moonbook")) == NULL) {
    return -1;
  }
  mb_value_set_integer(level, manifest->level);
  if (manifest->timeout_seconds > 0) {
    mb_value *timeout = mb_map_put(arena, out, "timeout");
    if (timeout == NULL) {
      return -1;
    }
    mb_value_set_number(timeout, manifest->timeout_seconds);
  }
  return put_list(arena, out, "uses", manifest->uses) != 0 ||
                 put_list(arena, out, "hosts", manifest->hosts) != 0 ||
                 put_list(arena, out, "args", args) != 0 ||
                 put_list(arena, out, "changes", manifest->changes) != 0
             ? -1
             : 0;
}

int mb_host_describe_runbook(mb_host *host, mb_arena *arena, const char *name, const mb_value **out,
                             mb_error *error) {
  mb_bundle bundle;
  mb_manifest manifest;
  mb_value *result = mb_value_new_map(arena);
  *out = NULL;
  if (result == NULL) {
    return mb_error_memory(error);
  }
  if (mb_host_find_runbook(host, arena, name, &bundle, &manifest, error) != 0) {
    return -1;
  }
  if (put_manifest(arena, result, &bundle, &manifest) != 0) {
    return mb_error_memory(error);
  }
  if (put_actions(host, arena, result, &manifest, error) != 0) {
    return -1;
  }
  if (put_files(arena, result, &bundle) != 0) {
    return mb_error_memory(error);
  }
  *out = result;
  return 0;
}
