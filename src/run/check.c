/* Checking a runbook folder without running it: what `moonbook check` finds. */
#include "run/host_internal.h"

#include "base/text.h"
#include "script/script.h"

#include <stdio.h>
#include <string.h>

#define MODULE_LIMIT 64

typedef struct checking {
  mb_host *host;
  mb_arena *arena;
  mb_engine *engine;
  const mb_bundle *bundle;
  mb_manifest *manifest;
  mb_value *findings;
  const char *modules[MODULE_LIMIT]; /* looked at, or about to be */
  size_t module_count;
} checking;

static int add_finding(mb_arena *arena, mb_value *findings, const char *severity, const char *file,
                       int64_t line, const char *message, mb_error *error) {
  mb_value *item = mb_list_add(arena, findings);
  if (item == NULL) {
    return mb_error_memory(error);
  }
  mb_value_set_map(item);
  if (mb_put_text(arena, item, "severity", severity) != 0 ||
      mb_put_text(arena, item, "file", file) != 0) {
    return mb_error_memory(error);
  }
  if (line > 0) {
    mb_value *put = mb_map_put(arena, item, "line");
    if (put == NULL) {
      return mb_error_memory(error);
    }
    mb_value_set_integer(put, line);
  }
  return mb_put_text(arena, item, "message", message) != 0 ? mb_error_memory(error) : 0;
}

/* The message without the file's name, which a finding has beside it. */
static const char *without_file(const char *message, const char *file) {
  size_t size = strlen(file);
  return strncmp(message, file, size) == 0 && strncmp(message + size, ": ", 2) == 0
             ? message + size + 2
             : message;
}

/* Turns an error into a finding, its next step put behind the message. Errors that are not about
 * the files are passed on. */
static int add_problem(mb_arena *arena, mb_value *findings, const char *file,
                       const mb_error *problem, mb_error *error) {
  char text[2600];
  if (problem->kind != MB_ERROR_USAGE && problem->kind != MB_ERROR_SCRIPT &&
      problem->kind != MB_ERROR_NOT_FOUND && problem->kind != MB_ERROR_LIMIT) {
    *error = *problem;
    return -1;
  }
  int64_t line = 0;
  const char *colon = strrchr(problem->where, ':');
  if (colon != NULL && mb_parse_integer(colon + 1, strlen(colon + 1), &line) != 0) {
    line = 0;
  }
  bool has_next = *problem->next != 0;
  snprintf(text, sizeof text, "%s%s%s%s", without_file(problem->message, file),
           has_next ? " (" : "", problem->next, has_next ? ")" : "");
  return add_finding(arena, findings, "error", file, line, text, error);
}

/* ---- primitives --------------------------------------------------------------------------------
 */

static bool is_namespace(const checking *check, const char *name) {
  const char *dot = strchr(name, '.');
  const char *name_space = mb_arena_strndup(check->arena, name, (size_t)(dot - name));
  return name_space != NULL && mb_engine_names(check->engine, name_space, NULL, 0) > 0;
}

static int check_name(checking *check, const char *file, const char *name, int64_t line,
                      mb_error *error) {
  char text[2600];
  mb_error problem;
  mb_error_clear(&problem);
  if (strchr(name, '.') == NULL || !is_namespace(check, name)) {
    return 0; /* a table of the runbook's own, or of Lua's library */
  }
  const mb_binding *binding = mb_engine_find(check->engine, name, &problem);
  if (binding == NULL) {
    bool has_next = *problem.next != 0;
    snprintf(text, sizeof text, "%s%s%s%s", problem.message, has_next ? " (" : "", problem.next,
             has_next ? ")" : "");
    return add_finding(check->arena, check->findings, "error", file, line, text, error);
  }
  if (!mb_manifest_allows(check->manifest, &binding->primitive)) {
    /* A module may hold functions that this runbook never calls. */
    bool own = strcmp(file, check->bundle->runbook_chunk) == 0;
    snprintf(text, sizeof text, "calls %s, which `uses` of the manifest does not declare%s", name,
             own ? "" : "; it is refused if the runbook gets there");
    return add_finding(check->arena, check->findings, own ? "error" : "warning", file, line, text,
                       error);
  }
  return 0;
}

/* ---- modules -----------------------------------------------------------------------------------
 */

static bool is_module_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

static void note_module(checking *check, const char *start, size_t size) {
  const char *name = mb_arena_strndup(check->arena, start, size);
  if (name == NULL || check->module_count == MODULE_LIMIT) {
    return;
  }
  for (size_t i = 0; i < check->module_count; i++) {
    if (strcmp(check->modules[i], name) == 0) {
      return;
    }
  }
  check->modules[check->module_count++] = name;
}

/* Notes every module that the text asks for by a literal name: require("x") and require "x". One in
 * a comment is looked at too, which does no harm. */
static void find_modules(checking *check, const char *source, size_t size) {
  const char *end = source + size;
  for (const char *at = source; (at = strstr(at, "require")) != NULL;) {
    at += strlen("require");
    at += strspn(at, " \t(");
    if (*at != '"' && *at != '\'') {
      continue;
    }
    const char *start = ++at;
    while (at < end && is_module_char(*at)) {
      at++;
    }
    if (at > start && at < end && *at == start[-1]) {
      note_module(check, start, (size_t)(at - start));
    }
  }
}

/* ---- files -------------------------------------------------------------------------------------
 */

static int check_source(checking *check, const char *file, const char *source, size_t size,
                        mb_error *error) {
  mb_error problem;
  mb_value *names = mb_value_new_list(check->arena);
  mb_error_clear(&problem);
  if (names == NULL) {
    return mb_error_memory(error);
  }
  if (mb_script_check(check->arena, file, source, size, names, &problem) != 0) {
    return add_problem(check->arena, check->findings, file, &problem, error);
  }
  for (size_t i = 0; i < mb_value_count(names); i++) {
    const mb_value *item = mb_list_at(names, i);
    if (check_name(check, file, mb_value_string(mb_map_get(item, "name")),
                   mb_value_integer(mb_map_get(item, "line")), error) != 0) {
      return -1;
    }
  }
  find_modules(check, source, size);
  return 0;
}

/* The list grows while it is walked: modules may require others. */
static int check_modules(checking *check, mb_error *error) {
  for (size_t i = 0; i < check->module_count; i++) {
    const char *source = NULL;
    const char *chunk = NULL;
    size_t size = 0;
    mb_error problem;
    mb_error_clear(&problem);
    if (mb_source_module(check->host->source, check->arena, check->bundle, check->modules[i],
                         &source, &size, &chunk, &problem) != 0) {
      if (add_problem(check->arena, check->findings, check->bundle->runbook_chunk, &problem,
                      error) != 0) {
        return -1;
      }
    } else if (check_source(check, chunk, source, size, error) != 0) {
      return -1;
    }
  }
  return 0;
}

static int check_runbook(checking *check, mb_error *error) {
  mb_error problem;
  mb_error_clear(&problem);
  if (mb_manifest_check_uses(check->manifest, check->arena, check->engine, &problem) != 0 &&
      add_problem(check->arena, check->findings, check->manifest->file, &problem, error) != 0) {
    return -1;
  }
  if (check->bundle->runbook == NULL) {
    return add_finding(check->arena, check->findings, "error", check->bundle->runbook_chunk, 0,
                       "the file is missing", error);
  }
  if (check_source(check, check->bundle->runbook_chunk, check->bundle->runbook,
                   check->bundle->runbook_size, error) != 0) {
    return -1;
  }
  return check_modules(check, error);
}

/* All that can be said of runbook.lua while nothing is known of what it may use. */
static int check_syntax(mb_arena *arena, const mb_bundle *bundle, mb_value *findings,
                        mb_error *error) {
  mb_error problem;
  mb_value *names = mb_value_new_list(arena);
  mb_error_clear(&problem);
  if (names == NULL) {
    return mb_error_memory(error);
  }
  if (bundle->runbook == NULL || mb_script_check(arena, bundle->runbook_chunk, bundle->runbook,
                                                 bundle->runbook_size, names, &problem) == 0) {
    return 0;
  }
  return add_problem(arena, findings, bundle->runbook_chunk, &problem, error);
}

int mb_host_check_runbook(mb_host *host, mb_arena *arena, const char *path, const mb_value **out,
                          mb_error *error) {
  mb_bundle bundle;
  mb_manifest manifest;
  mb_error problem;
  mb_value *findings = mb_value_new_list(arena);
  mb_engine *engine = NULL;
  *out = NULL;
  mb_error_clear(&problem);
  if (findings == NULL) {
    return mb_error_memory(error);
  }
  if (mb_source_open(&host->system, arena, path, &bundle, error) != 0 ||
      mb_host_engine(host, NULL, &engine, error) != 0) {
    return -1;
  }
  if (mb_manifest_read(&manifest, arena, &bundle, &problem) != 0) {
    if (add_problem(arena, findings, bundle.manifest_chunk, &problem, error) != 0 ||
        check_syntax(arena, &bundle, findings, error) != 0) {
      return -1;
    }
  } else {
    checking check = {.host = host,
                      .arena = arena,
                      .engine = engine,
                      .bundle = &bundle,
                      .manifest = &manifest,
                      .findings = findings};
    if (check_runbook(&check, error) != 0) {
      return -1;
    }
  }
  *out = findings;
  return 0;
}
