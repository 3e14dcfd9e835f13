/* The engine: loop, client and the table of primitives. Making one opens no file and no library;
 * models are looked at when one of their operations is first asked for. */
#include "call/engine.h"

#include "base/memory.h"
#include "base/text.h"
#include "call/declare.h"
#include "call/registry.h"
#include <string.h>

#define FIRST_SLOTS 64

/* Globals of the Lua environment that a namespace of that name would hide. */
static const char *const reserved_names[] = {
    "arg",   "args",     "attempt",  "check",    "confirm", "coroutine", "debug",     "each",
    "error", "io",       "ipairs",   "json",     "load",    "log",       "math",      "moonbook",
    "next",  "os",       "package",  "pairs",    "pcall",   "print",     "progress",  "require",
    "run",   "select",   "series",   "sleep",    "step",    "string",    "table",     "table_of",
    "time",  "together", "tonumber", "tostring", "type",    "utf8",      "wait_until"};

/* ---- the table ---- */

static uint32_t name_hash(const char *name) {
  uint32_t hash = 2166136261u; /* FNV-1a: names come from models and embedders, not from enemies */
  for (const char *at = name; *at; at++)
    hash = (hash ^ (unsigned char)*at) * 16777619u;
  return hash;
}

static mb_binding **slot_of(mb_binding **slots, size_t capacity, const char *name) {
  size_t index = name_hash(name) & (capacity - 1);
  while (slots[index] && strcmp(slots[index]->primitive.name, name) != 0)
    index = (index + 1) & (capacity - 1);
  return &slots[index];
}

static int grow_slots(struct mb_registry *registry) {
  size_t capacity = registry->capacity ? registry->capacity * 2 : FIRST_SLOTS;
  mb_binding **slots = mb_alloc_zero(capacity, sizeof(*slots));
  if (!slots)
    return -1;
  for (size_t i = 0; i < registry->capacity; i++) {
    if (registry->slots[i])
      *slot_of(slots, capacity, registry->slots[i]->primitive.name) = registry->slots[i];
  }
  mb_free(registry->slots);
  registry->slots = slots;
  registry->capacity = capacity;
  return 0;
}

int mb_registry_put(struct mb_registry *registry, mb_binding *binding) {
  if ((registry->count + 1) * 4 > registry->capacity * 3 && grow_slots(registry) != 0)
    return -1;
  *slot_of(registry->slots, registry->capacity, binding->primitive.name) = binding;
  registry->count++;
  return 0;
}

static mb_binding *known_binding(const struct mb_registry *registry, const char *name) {
  return registry->capacity ? *slot_of(registry->slots, registry->capacity, name) : NULL;
}

/* ---- checking a declaration ---- */

static int declaration_fault(const mb_primitive *primitive, const char *what, mb_error *error) {
  char quoted[96];
  mb_error_set(error, MB_ERROR_USAGE, "BadDeclaration", "the primitive \"%s\" cannot be added: %s",
               mb_name_quote(quoted, sizeof quoted, primitive->name ? primitive->name : ""), what);
  return mb_error_next(error, "correct its declaration (moonbook/primitive.h)");
}

static bool is_word(const char *text, size_t size) {
  if (size == 0 || text[0] < 'a' || text[0] > 'z')
    return false;
  for (size_t i = 0; i < size; i++) {
    char c = text[i];
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
      return false;
  }
  return true;
}

static bool is_line(const char *text) {
  return text && *text && !strpbrk(text, "\r\n");
}

size_t mb_name_space_size(const char *name) {
  const char *dot = strchr(name, '.');
  if (!dot || !is_word(name, (size_t)(dot - name)) || !is_word(dot + 1, strlen(dot + 1)))
    return 0;
  return (size_t)(dot - name);
}

static const char *argument_fault(const mb_argument *arguments, const mb_argument *argument) {
  if (!is_word(argument->name, strlen(argument->name)))
    return "an argument's name is not snake_case";
  if (argument->type < MB_ARGUMENT_STRING || argument->type > MB_ARGUMENT_ANY)
    return "an argument has no type";
  if (!is_line(argument->doc))
    return "an argument has no doc, or one of several lines";
  for (const mb_argument *other = arguments; other != argument; other++) {
    if (strcmp(other->name, argument->name) == 0)
      return "two arguments have the same name";
  }
  return NULL;
}

/* A write that is declared as safe to repeat blindly would break every resume. */
static bool recovery_fits(mb_effect effect, mb_recovery recovery) {
  if (effect == MB_EFFECT_READS)
    return true;
  return recovery >= MB_RECOVERY_TOKEN;
}

static const char *primitive_fault(const mb_primitive *primitive) {
  if (!primitive->name || mb_name_space_size(primitive->name) == 0)
    return "its name is not of the form namespace.verb_noun in snake_case";
  if (!is_line(primitive->summary) || mb_text_ends(primitive->summary, "."))
    return "its summary must be one line without a full stop";
  if (!is_line(primitive->results))
    return "it does not say in one line what it gives back";
  if (primitive->effect < MB_EFFECT_READS || primitive->effect > MB_EFFECT_DESTROYS)
    return "it has no effect";
  if (primitive->recovery < MB_RECOVERY_PURE || primitive->recovery > MB_RECOVERY_WAIT)
    return "it has no recovery class";
  if (!recovery_fits(primitive->effect, primitive->recovery))
    return "a primitive that writes cannot recover as pure, value or read";
  if (!is_line(primitive->since))
    return "it does not say since which version it exists";
  if (!primitive->start)
    return "it has no start function";
  const char *fault = NULL;
  for (const mb_argument *a = primitive->arguments; !fault && a && a->name; a++)
    fault = argument_fault(primitive->arguments, a);
  return fault;
}

static bool is_reserved(const char *name, size_t size) {
  for (size_t i = 0; i < sizeof reserved_names / sizeof *reserved_names; i++) {
    if (strlen(reserved_names[i]) == size && memcmp(reserved_names[i], name, size) == 0)
      return true;
  }
  return false;
}

static bool is_curated(const char *name, size_t size) {
  for (const mb_primitive *const *at = mb_curated_primitives; *at; at++) {
    if (mb_name_space_size((*at)->name) == size && memcmp((*at)->name, name, size) == 0)
      return true;
  }
  return false;
}

static bool is_service(const char *name, size_t size) {
  char space[64];
  if (size >= sizeof space)
    return false;
  memcpy(space, name, size);
  space[size] = 0;
  return mb_model_find(space) != NULL;
}

/* ---- adding ---- */

static int grow_added(struct mb_registry *registry) {
  if (registry->added_count < registry->added_capacity)
    return 0;
  size_t capacity = registry->added_capacity ? registry->added_capacity * 2 : 16;
  mb_binding **added = mb_realloc(registry->added, capacity * sizeof(*added));
  if (!added)
    return -1;
  registry->added = added;
  registry->added_capacity = capacity;
  return 0;
}

static void insert_added(struct mb_registry *registry, mb_binding *binding) {
  size_t at = registry->added_count++;
  for (; at > 0; at--) {
    if (strcmp(registry->added[at - 1]->primitive.name, binding->primitive.name) < 0)
      break;
    registry->added[at] = registry->added[at - 1];
  }
  registry->added[at] = binding;
}

/* What was remembered of namespaces may be out of date once a primitive is added. */
static void forget_names(struct mb_registry *registry) {
  registry->namespaces = NULL; /* their memory is the arena's */
}

static int add_primitive(mb_engine *engine, const mb_primitive *primitive, void *payload,
                         mb_error *error) {
  struct mb_registry *registry = engine->registry;
  const char *fault = primitive_fault(primitive);
  if (fault)
    return declaration_fault(primitive, fault, error);
  if (known_binding(registry, primitive->name))
    return declaration_fault(primitive, "there is one of that name already", error);
  mb_binding *binding = mb_arena_zero(registry->arena, sizeof *binding);
  if (!binding || grow_added(registry) != 0)
    return mb_error_memory(error);
  binding->primitive = *primitive;
  binding->payload = payload;
  if (mb_registry_put(registry, binding) != 0)
    return mb_error_memory(error);
  insert_added(registry, binding);
  forget_names(registry);
  return 0;
}

int mb_engine_add(mb_engine *engine, const mb_primitive *primitive, void *payload,
                  mb_error *error) {
  size_t size = primitive->name ? mb_name_space_size(primitive->name) : 0;
  if (size > 0 && is_reserved(primitive->name, size))
    return declaration_fault(primitive, "its namespace is a name of the Lua environment", error);
  if (size > 0 && (is_curated(primitive->name, size) || is_service(primitive->name, size)))
    return declaration_fault(primitive, "its namespace belongs to moonbook", error);
  return add_primitive(engine, primitive, payload, error);
}

/* ---- life ---- */

static int init_registry(mb_engine *engine, mb_error *error) {
  engine->registry = mb_alloc_zero(1, sizeof *engine->registry);
  if (!engine->registry)
    return mb_error_memory(error);
  engine->registry->arena = mb_arena_new(0);
  if (!engine->registry->arena)
    return mb_error_memory(error);
  for (const mb_primitive *const *at = mb_curated_primitives; *at; at++) {
    if (add_primitive(engine, *at, NULL, error) != 0)
      return -1;
  }
  return 0;
}

int mb_engine_init(mb_engine *engine, const mb_system *system, const mb_settings_options *settings,
                   double call_timeout_seconds, mb_error *error) {
  memset(engine, 0, sizeof *engine);
  mb_system_complete(&engine->system, system);
  engine->call_timeout_seconds = call_timeout_seconds > 0 ? call_timeout_seconds : 120;
  engine->loop = mb_loop_new(&engine->system, error);
  if (engine->loop)
    engine->aws = mb_aws_new(engine->loop, settings, error);
  if (!engine->aws || init_registry(engine, error) != 0) {
    mb_engine_dispose(engine);
    return -1;
  }
  return 0;
}

void mb_engine_dispose(mb_engine *engine) {
  struct mb_registry *registry = engine->registry;
  if (registry)
    mb_calls_drop(registry);
  if (engine->aws)
    mb_aws_free(engine->aws);
  if (engine->loop)
    mb_loop_free(engine->loop);
  if (registry) {
    mb_arena_free(registry->arena);
    mb_free(registry->slots);
    mb_free(registry->added);
    mb_free(registry);
  }
  memset(engine, 0, sizeof *engine);
}

/* ---- finding ---- */

static const mb_waiter *find_waiter(const mb_model *model, const char *snake) {
  for (size_t i = 0; i < mb_model_waiter_count(model); i++) {
    const mb_waiter *waiter = mb_model_waiter_at(model, i);
    if (strcmp(mb_model_text(model, waiter->snake), snake) == 0)
      return waiter;
  }
  return NULL;
}

/* The operation or waiter a name stands for. Only snake_case is a name: `uses`, the journal and the
 * policy must see one spelling. */
static bool find_in_model(const mb_model *model, const char *verb, const mb_operation **operation,
                          const mb_waiter **waiter) {
  *waiter = NULL;
  *operation = mb_model_operation(model, verb);
  if (*operation)
    return strcmp(mb_model_text(model, (*operation)->snake), verb) == 0;
  if (!mb_text_starts(verb, MB_WAITER_PREFIX))
    return false;
  *waiter = find_waiter(model, verb + strlen(MB_WAITER_PREFIX));
  if (*waiter)
    *operation = mb_model_waiter_operation(model, *waiter);
  return *waiter && *operation;
}

static const mb_binding *bind(mb_engine *engine, const char *name, const mb_model *model,
                              const mb_operation *operation, const mb_waiter *waiter,
                              mb_error *error) {
  mb_arena *arena = engine->registry->arena;
  char *kept = mb_arena_strdup(arena, name);
  mb_binding *binding = kept ? mb_declare(arena, kept, model, operation, waiter) : NULL;
  if (!binding || mb_registry_put(engine->registry, binding) != 0) {
    mb_error_memory(error);
    return NULL;
  }
  return binding;
}

const mb_binding *mb_engine_find(mb_engine *engine, const char *name, mb_error *error) {
  const mb_binding *known = known_binding(engine->registry, name);
  if (known)
    return known;
  size_t size = mb_name_space_size(name);
  bool memory = false;
  mb_namespace *space = size ? mb_namespace_find(engine, name, size, &memory) : NULL;
  if (memory) {
    mb_error_memory(error);
    return NULL;
  }
  const mb_operation *operation;
  const mb_waiter *waiter;
  if (space && space->model && find_in_model(space->model, name + size + 1, &operation, &waiter))
    return bind(engine, name, space->model, operation, waiter, error);
  mb_error problem;
  mb_error_clear(&problem);
  const mb_binding *composed = size ? mb_composed_find(engine, name, &problem) : NULL;
  if (composed)
    return composed;
  if (problem.kind == MB_OK)
    mb_name_unknown(engine, name, error);
  else if (error)
    *error = problem;
  return NULL;
}
