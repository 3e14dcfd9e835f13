/* Calling a composed primitive without a run: its Lua body gets a state of its own, in which it may
 * only read. */
#include "run/host_internal.h"
#include "script/script.h"

#include <stdio.h>

/* Nothing of a composed primitive writes; its declaration was checked for that. */
static int permit(void *payload, const mb_binding *binding, const mb_value *args, int step,
                  const char *where, mb_arena *arena, const mb_value **instead, mb_error *error) {
  (void)payload, (void)args, (void)step, (void)arena, (void)instead;
  if (binding->primitive.effect == MB_EFFECT_READS) {
    return 0;
  }
  return mb_error_set(error, MB_ERROR_REFUSED, "WriteInRead", "%s: %s %s, where only reads belong",
                      where, binding->primitive.name, mb_effect_name(binding->primitive.effect));
}

static int find_module(void *payload, const char *name, mb_arena *arena, const char **source,
                       size_t *size, const char **chunk_name, mb_error *error) {
  mb_host *host = payload;
  return mb_source_module(host->source, arena, NULL, name, source, size, chunk_name, error);
}

static mb_script *open_script(mb_host *host, mb_engine *engine, const char *name, mb_error *error) {
  const mb_host_options *options = &host->options;
  const mb_script_hooks hooks = {.payload = host, .permit = permit, .module = find_module};
  const mb_script_options script_options = {.engine = engine,
                                            .hooks = &hooks,
                                            .memory_limit = options->memory_limit,
                                            .instruction_limit = options->instruction_limit,
                                            .slice_seconds = options->slice_seconds};
  char source[256];
  int size = snprintf(source, sizeof source,
                      "return { diagnose = function(_, args) return { %s(args) } end }", name);
  mb_script *script = mb_script_new(&script_options, error);
  if (script != NULL && mb_script_load(script, name, source, (size_t)size, error) != 0) {
    mb_script_free(script);
    return NULL;
  }
  return script;
}

int mb_host_call_composed(mb_host *host, mb_engine *engine, mb_arena *arena,
                          const mb_binding *binding, const mb_value *args, const mb_value **result,
                          mb_error *error) {
  mb_value *none = mb_value_new_map(arena);
  if (none == NULL) {
    return mb_error_memory(error);
  }
  mb_script *script = open_script(host, engine, binding->primitive.name, error);
  if (script == NULL) {
    return -1;
  }
  const mb_value *given = args != NULL ? args : none;
  const mb_value *list = NULL;
  int status = mb_script_call(script, "diagnose", none, &given, 1, arena, &list, error);
  mb_script_free(script);
  if (status == 0) {
    *result = mb_list_at(list, 0);
  }
  return status;
}
