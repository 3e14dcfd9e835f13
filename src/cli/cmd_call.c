/* moonbook call: one primitive, JSON in and out. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_LIMIT = 64 * 1024 * 1024 };

/* ---- input ---- */

static int unreadable(const char *name, const char *why, mb_error *error) {
  mb_error_set(error, MB_ERROR_USAGE, "UnreadableInput", "--input: %s: %s", name, why);
  return mb_error_next(error, "write --input '{...}', --input @FILE, or --input - for standard "
                              "input");
}

static int read_stream(mb_arena *arena, FILE *stream, const char *name, char **out, size_t *size,
                       mb_error *error) {
  size_t capacity = 64 * 1024, used = 0;
  char *text = malloc(capacity);
  while (text != NULL) {
    used += fread(text + used, 1, capacity - used, stream);
    if (used < capacity || capacity >= INPUT_LIMIT) {
      break;
    }
    char *grown = realloc(text, capacity *= 2);
    if (grown == NULL) {
      free(text);
    }
    text = grown;
  }
  mb_value *copy = text ? mb_value_new(arena) : NULL;
  int failed = 0;
  if (copy == NULL || mb_value_set_bytes(arena, copy, MB_TYPE_STRING, text, used)) {
    failed = mb_error_memory(error);
  } else if (ferror(stream) || used >= INPUT_LIMIT) {
    failed = unreadable(name, ferror(stream) ? strerror(errno) : "more than 64 MiB", error);
  } else {
    *out = (char *)(uintptr_t)mb_value_bytes(copy, size);
  }
  free(text);
  return failed;
}

/* --input: JSON itself, @FILE, or - for standard input. */
static int read_input(mb_arena *arena, const char *input, mb_value **out, mb_error *error) {
  char *text = NULL;
  size_t size = 0;
  int failed = 0;
  if (strcmp(input, "-") == 0) {
    failed = read_stream(arena, stdin, "standard input", &text, &size, error);
  } else if (*input == '@') {
    FILE *file = fopen(input + 1, "rb");
    if (file == NULL) {
      return unreadable(input + 1, strerror(errno), error);
    }
    failed = read_stream(arena, file, input + 1, &text, &size, error);
    fclose(file);
  } else {
    text = (char *)(uintptr_t)input;
    size = strlen(input);
  }
  mb_error why;
  if (!failed && mb_value_from_json(arena, out, text, size, &why)) {
    failed = why.kind == MB_ERROR_MEMORY
                 ? mb_error_memory(error)
                 : mb_error_set(error, MB_ERROR_USAGE, "BadInput", "--input: %s", why.message);
  }
  if (!failed && mb_value_type(*out) != MB_TYPE_MAP) {
    failed = mb_error_set(error, MB_ERROR_USAGE, "BadInput",
                          "--input: expected a JSON object of arguments, got a %s",
                          mb_type_name(mb_value_type(*out)));
  }
  return failed;
}

/* ---- text to typed values, by what the primitive declares ---- */

/* "--desired-count" and "--desired_count" are the same argument. */
static void argument_name(char *out, size_t size, const char *name) {
  snprintf(out, size, "%s", name);
  for (char *at = out; *at; at++) {
    if (*at == '-') {
      *at = '_';
    }
  }
}

static const char *declared(const mb_value *help, const char *name, const char *field) {
  const mb_value *arguments = mb_map_get(help, "arguments");
  for (size_t i = 0; i < mb_value_count(arguments); i++) {
    const mb_value *argument = mb_list_at(arguments, i);
    if (strcmp(cli_text(argument, "name"), name) == 0) {
      return cli_text(argument, field);
    }
  }
  return ""; /* unknown: the call itself says so, with the nearest name */
}

static int parse_json_value(mb_arena *arena, const char *name, const char *text, mb_value *out,
                            mb_error *error) {
  mb_value *parsed = NULL;
  mb_error why;
  if (mb_value_from_json(arena, &parsed, text, strlen(text), &why)) {
    mb_error_set(error, MB_ERROR_USAGE, "BadArgument", "--%s: not JSON: %s", name, why.message);
    return mb_error_next(error, "write a structure as JSON, e.g. --%s '{\"key\": \"value\"}'",
                         name);
  }
  return mb_value_copy(arena, out, parsed) ? mb_error_memory(error) : 0;
}

static int set_number(mb_value *out, const char *name, const char *text, bool integer,
                      mb_error *error) {
  char *end = NULL;
  errno = 0;
  if (integer) {
    long long number = strtoll(text, &end, 10);
    mb_value_set_integer(out, number);
  } else {
    mb_value_set_number(out, strtod(text, &end));
  }
  if (errno != 0 || end == text || *end != '\0') {
    return mb_error_set(error, MB_ERROR_USAGE, "BadArgument", "--%s: \"%s\" is not %s", name, text,
                        integer ? "a whole number" : "a number");
  }
  return 0;
}

static int set_boolean(mb_value *out, const char *name, const char *text, mb_error *error) {
  bool yes = text == NULL || strcmp(text, "true") == 0;
  if (!yes && strcmp(text, "false") != 0) {
    return mb_error_set(error, MB_ERROR_USAGE, "BadArgument",
                        "--%s: \"%s\" is neither true nor false", name, text);
  }
  mb_value_set_boolean(out, yes);
  return 0;
}

static bool is_json_container(const char *text) {
  return *text == '[' || *text == '{';
}

/* What a list or a map is made of, from its declaration: "list of Tag {key, value}" gives "key,
 * value". "" when its parts are plain. */
static const char *members_of(const char *doc, char *out, size_t size) {
  const char *open = strchr(doc, '{');
  size_t length = open ? strcspn(open + 1, "}") : 0;
  snprintf(out, size, "%.*s", (int)length, open ? open + 1 : "");
  return out;
}

/* Text where a structure is wanted: says what one looks like, with its own first member. */
static int want_structure(const char *name, const char *doc, const char *text, mb_error *error) {
  char members[160];
  if (*members_of(doc, members, sizeof members) == '\0') {
    return 0;
  }
  mb_error_set(error, MB_ERROR_USAGE, "BadArgument",
               "--%s: \"%.80s\" is not JSON, and each is a structure of %s", name, text, members);
  return mb_error_next(error, "write --%s '{\"%.*s\": ...}', once for each", name,
                       (int)strcspn(members, ", "), members);
}

/* One value of a list: text unless it is plainly JSON or a number where no text is expected. */
static int add_item(mb_arena *arena, mb_value *list, const char *name, const char *text,
                    mb_error *error) {
  if (mb_value_type(list) != MB_TYPE_LIST) {
    mb_value_set_list(list);
  }
  mb_value *item = mb_list_add(arena, list);
  if (item == NULL) {
    return mb_error_memory(error);
  }
  if (is_json_container(text)) {
    return parse_json_value(arena, name, text, item, error);
  }
  return mb_value_set_string(arena, item, text) ? mb_error_memory(error) : 0;
}

static int set_argument(mb_arena *arena, mb_value *out, const char *name, const mb_value *help,
                        const char *text, mb_error *error) {
  const char *type = declared(help, name, "type");
  if (strcmp(type, "boolean") == 0) {
    return set_boolean(out, name, text, error);
  }
  if (text == NULL) {
    return mb_error_set(error, MB_ERROR_USAGE, "BadArgument", "--%s needs a value", name);
  }
  if (strcmp(type, "integer") == 0 || strcmp(type, "number") == 0) {
    return set_number(out, name, text, strcmp(type, "integer") == 0, error);
  }
  bool list = strncmp(type, "list", 4) == 0;
  if (list && !is_json_container(text) &&
      want_structure(name, declared(help, name, "doc"), text, error)) {
    return -1;
  }
  if (list && *text != '[') {
    return add_item(arena, out, name, text, error);
  }
  if (list || strcmp(type, "map") == 0 || (strcmp(type, "any") == 0 && is_json_container(text))) {
    return parse_json_value(arena, name, text, out, error);
  }
  return mb_value_set_string(arena, out, text) ? mb_error_memory(error) : 0;
}

static int build_arguments(mb_arena *arena, const cli_options *options, const mb_value *help,
                           mb_value **out, mb_error *error) {
  *out = mb_value_new_map(arena);
  if (*out == NULL) {
    return mb_error_memory(error);
  }
  if (options->input && read_input(arena, options->input, out, error)) {
    return -1;
  }
  for (size_t i = 0; i < options->named_count; i++) {
    char name[128];
    argument_name(name, sizeof name, options->named[i].name);
    mb_value *place = mb_map_put(arena, *out, name);
    if (place == NULL) {
      return mb_error_memory(error);
    }
    if (set_argument(arena, place, name, help, options->named[i].value, error)) {
      return -1;
    }
  }
  return 0;
}

/* ---- the command ---- */

static int call_primitive(mb_host *host, mb_arena *arena, const cli_options *options,
                          const char *name, mb_error *error) {
  const mb_value *help = NULL;
  const mb_value *result = NULL;
  mb_value *args = NULL;
  if (*name == '\0') {
    mb_error_set(error, MB_ERROR_USAGE, "MissingName", "no primitive was named");
    return mb_error_next(error, "moonbook help primitives lists the namespaces");
  }
  if (mb_host_help(host, arena, name, &help, error)) {
    return -1;
  }
  if (mb_map_get(help, "arguments") == NULL) {
    mb_error_set(error, MB_ERROR_USAGE, "NotAPrimitive", "%s is a namespace, not a primitive",
                 name);
    return mb_error_next(error, "moonbook help %s lists what it has", name);
  }
  if (build_arguments(arena, options, help, &args, error) ||
      mb_host_call(host, arena, name, args, options->all_pages, &result, error)) {
    if (error->kind == MB_ERROR_USAGE && *error->next == '\0') {
      mb_error_next(error, "moonbook help %.100s shows what it takes", name);
    }
    return -1;
  }
  return result ? cli_print_json(result, options->show_secrets,
                                 options->output == CLI_OUTPUT_NDJSON ? 0 : 2)
                : 0;
}

int cli_call(const cli_options *options) {
  mb_error error;
  if (options->word_count < 2) {
    mb_error_set(&error, MB_ERROR_USAGE, "MissingName", "call what?");
    mb_error_next(&error, "moonbook call ecs.list_clusters; moonbook help primitives lists the "
                          "namespaces");
    cli_report_error(&error);
    return CLI_USAGE;
  }
  int code = CLI_OK;
  mb_host *host = cli_host(options, &code);
  if (host == NULL) {
    return code;
  }
  mb_arena *arena = mb_arena_new(0);
  mb_error_memory(&error);
  if (arena == NULL || call_primitive(host, arena, options, options->words[1], &error)) {
    cli_report_error(&error);
    code = mb_verdict_exit_code(mb_verdict_of_error(&error));
  }
  mb_arena_free(arena);
  mb_host_free(host);
  return code;
}
