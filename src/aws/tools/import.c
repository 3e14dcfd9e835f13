/* Importing botocore's data folder: DATA/<service>/<api version>/{service-2, paginators-1,
 * waiters-2, endpoint-rule-set-1}.json, the patches beside them, and DATA/partitions.json.
 *
 * The files must not be compressed; import.sh unpacks an installed botocore and says which version
 * it is, in DATA/botocore.version. */
#include "aws/tools/import.h"

#include "aws/model/builder.h"
#include "base/json.h"
#include "base/system.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT  ((size_t)256 << 20)
#define MERGE_DEPTH 50

typedef struct importer {
  mb_arena *arena; /* of one service */
  mb_system system;
  const char *data, *out, *service;
  const char *folder; /* DATA/<service>/<version> */
  mb_error *error;
} importer;

int mb_tool_write(const char *path, const void *data, size_t size, mb_error *error) {
  char temporary[4096];
  if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
    return mb_error_set(error, MB_ERROR_USAGE, "PathTooLong", "the path is too long");
  FILE *file = fopen(temporary, "wb");
  if (!file)
    return mb_error_set(error, MB_ERROR_IO, "WriteFailed", "%s cannot be created", temporary);
  bool written = size == 0 || fwrite(data, 1, size, file) == size;
  if (fclose(file) != 0 || !written || rename(temporary, path) != 0) {
    remove(temporary);
    return mb_error_set(error, MB_ERROR_IO, "WriteFailed", "%s cannot be written", path);
  }
  return 0;
}

/* ---- folders --------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder, sorted, without those that begin with a dot or an underscore. */
static int list_folder(mb_arena *arena, const char *path, char ***out, size_t *count,
                       mb_error *error) {
  DIR *folder = opendir(path);
  char **names = NULL;
  size_t used = 0, room = 0;
  bool memory = true;
  if (!folder)
    return mb_error_set(error, MB_ERROR_NOT_FOUND, "NoSuchFolder", "there is no folder %s", path);
  for (struct dirent *entry; memory && (entry = readdir(folder));) {
    if (entry->d_name[0] == '.' || entry->d_name[0] == '_')
      continue;
    if (used == room) {
      names = mb_arena_grow(arena, names, room * sizeof *names, (room + 64) * sizeof *names);
      room += 64;
    }
    char *name = names ? mb_arena_strdup(arena, entry->d_name) : NULL;
    memory = name != NULL;
    if (memory)
      names[used++] = name;
  }
  closedir(folder);
  if (!memory)
    return mb_error_memory(error);
  if (used > 1)
    qsort(names, used, sizeof *names, compare_names);
  *out = names;
  *count = used;
  return 0;
}

/* Reads FOLDER/NAME; *text stays NULL when there is no such file. */
static int read_optional(importer *in, const char *folder, const char *name, char **text,
                         size_t *size) {
  char *path = mb_arena_printf(in->arena, "%s/%s", folder, name);
  *text = NULL;
  *size = 0;
  if (!path)
    return mb_error_memory(in->error);
  int result = mb_read_file(&in->system, in->arena, path, FILE_LIMIT, text, size, in->error);
  if (result == 0 || !in->error || in->error->kind != MB_ERROR_NOT_FOUND)
    return result;
  *text = NULL;
  return 0;
}

/* API versions are dates: the last one that has a service document is the newest. */
static int find_version(importer *in) {
  char **versions = NULL, *text = NULL;
  size_t count = 0, size = 0;
  char *path = mb_arena_printf(in->arena, "%s/%s", in->data, in->service);
  if (!path)
    return mb_error_memory(in->error);
  if (list_folder(in->arena, path, &versions, &count, in->error) != 0)
    return -1;
  while (count-- > 0) {
    char *folder = mb_arena_printf(in->arena, "%s/%s", path, versions[count]);
    if (!folder)
      return mb_error_memory(in->error);
    in->folder = folder;
    if (read_optional(in, folder, "service-2.json", &text, &size) != 0)
      return -1;
    if (text)
      return 0;
  }
  mb_error_set(in->error, MB_ERROR_NOT_FOUND, "NoServiceModel", "%s holds no service-2.json", path);
  return mb_error_next(in->error, "If the files end in .gz, use src/aws/tools/import.sh");
}

/* ---- patches --------------------------------------------------------------------------------- */

/* Puts `from` into `into`: objects are merged, anything else is replaced. */
static int merge(mb_arena *arena, mb_value *into, const mb_value *from, int depth) {
  if (depth > MERGE_DEPTH || mb_value_type(from) != MB_TYPE_MAP)
    return depth > MERGE_DEPTH ? -1 : mb_value_copy(arena, into, from);
  if (mb_value_type(into) != MB_TYPE_MAP)
    mb_value_set_map(into);
  for (size_t i = 0; i < mb_value_count(from); i++) {
    mb_value *entry = mb_map_put(arena, into, mb_map_key_at(from, i));
    if (!entry || merge(arena, entry, mb_map_value_at(from, i), depth + 1) != 0)
      return -1;
  }
  return 0;
}

/* Reads a document and merges the patch that may lie beside it. */
static int read_patched(importer *in, const char *name, char **text, size_t *size) {
  mb_value *document = NULL, *patch = NULL;
  char *extra = NULL, *plain = mb_arena_printf(in->arena, "%s.json", name);
  char *patched = mb_arena_printf(in->arena, "%s.sdk-extras.json", name);
  size_t extra_size = 0;
  if (!plain || !patched)
    return mb_error_memory(in->error);
  if (read_optional(in, in->folder, plain, text, size) != 0 ||
      read_optional(in, in->folder, patched, &extra, &extra_size) != 0)
    return -1;
  if (!extra)
    return 0;
  if (!*text) {
    *text = "{}";
    *size = 2;
  }
  if (mb_value_from_json(in->arena, &document, *text, *size, in->error) != 0 ||
      mb_value_from_json(in->arena, &patch, extra, extra_size, in->error) != 0)
    return -1;
  if (merge(in->arena, document, mb_map_get(patch, "merge"), 0) != 0)
    return mb_error_memory(in->error);
  *text = mb_value_to_json(in->arena, document, 0, true);
  *size = *text ? strlen(*text) : 0;
  return *text ? 0 : mb_error_memory(in->error);
}

/* ---- one service ----------------------------------------------------------------------------- */

static int read_version(importer *in, char **version) {
  size_t size = 0;
  if (read_optional(in, in->data, "botocore.version", version, &size) != 0)
    return -1;
  if (!*version) {
    mb_error_set(in->error, MB_ERROR_NOT_FOUND, "NoVersion",
                 "%s holds no file botocore.version with the version in it", in->data);
    return mb_error_next(in->error, "src/aws/tools/import.sh makes one");
  }
  (*version)[strcspn(*version, " \r\n")] = '\0';
  return 0;
}

static char *namespace_of(mb_arena *arena, const char *service) {
  char *name = mb_arena_strdup(arena, service);
  for (char *at = name; at && *at; at++)
    if (*at == '-')
      *at = '_';
  return name;
}

static int write_model(importer *in, const char *name, const mb_buffer *packed) {
  mb_buffer text = MB_BUFFER_INIT(FILE_LIMIT);
  char *path = mb_arena_printf(in->arena, "%s/%s.model", in->out, name);
  const mb_model *model = mb_model_open(packed->data, packed->size);
  int result = -1;
  if (!path)
    mb_error_memory(in->error);
  else if (!model)
    mb_error_set(in->error, MB_ERROR_INTERNAL, "InvalidModel", "the packed model is damaged");
  else if (mb_model_write_text(&text, model, in->error) == 0)
    result = mb_tool_write(path, text.data, text.size, in->error);
  mb_buffer_dispose(&text);
  return result;
}

static int import_documents(importer *in, mb_buffer *packed, mb_buffer *warnings) {
  char *service, *paginators, *waiters, *rules, *version;
  size_t service_size, paginators_size, waiters_size, rules_size;
  const char *name = namespace_of(in->arena, in->service);
  if (!name)
    return mb_error_memory(in->error);
  if (read_version(in, &version) != 0 || find_version(in) != 0 ||
      read_patched(in, "service-2", &service, &service_size) != 0 ||
      read_patched(in, "paginators-1", &paginators, &paginators_size) != 0 ||
      read_patched(in, "waiters-2", &waiters, &waiters_size) != 0 ||
      read_patched(in, "endpoint-rule-set-1", &rules, &rules_size) != 0)
    return -1;
  if (mb_model_from_botocore(packed, name, version, service, service_size, paginators,
                             paginators_size, waiters, waiters_size, rules, rules_size, warnings,
                             in->error) != 0)
    return -1;
  return write_model(in, name, packed);
}

static void print_warnings(const char *service, const mb_buffer *warnings) {
  const char *at = mb_buffer_text(warnings);
  while (*at) {
    size_t size = strcspn(at, "\n");
    fprintf(stderr, "%s: warning: %.*s\n", service, (int)size, at);
    at += size + (at[size] == '\n');
  }
}

int mb_tool_import(const char *data, const char *out, const char *service, mb_error *error) {
  mb_buffer packed = MB_BUFFER_INIT(FILE_LIMIT), warnings = MB_BUFFER_INIT(1 << 20);
  importer in = {.data = data, .out = out, .service = service, .error = error};
  in.arena = mb_arena_new(0);
  if (!in.arena)
    return mb_error_memory(error);
  mb_system_complete(&in.system, NULL);
  int result = import_documents(&in, &packed, &warnings);
  print_warnings(service, &warnings);
  mb_buffer_dispose(&packed);
  mb_buffer_dispose(&warnings);
  mb_arena_free(in.arena);
  return result;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static int import_partitions(importer *in) {
  char *text = NULL, *path = mb_arena_printf(in->arena, "%s/partitions.json", in->out);
  mb_value *document = NULL;
  size_t size = 0;
  if (!path)
    return mb_error_memory(in->error);
  if (read_optional(in, in->data, "partitions.json", &text, &size) != 0)
    return -1;
  if (!text)
    return mb_error_set(in->error, MB_ERROR_NOT_FOUND, "NoPartitions",
                        "%s holds no partitions.json", in->data);
  if (mb_value_from_json(in->arena, &document, text, size, in->error) != 0)
    return -1;
  char *small = mb_value_to_json(in->arena, document, 0, true);
  return small ? mb_tool_write(path, small, strlen(small), in->error) : mb_error_memory(in->error);
}

int mb_tool_import_partitions(const char *data, const char *out, mb_error *error) {
  importer in = {.data = data, .out = out, .arena = mb_arena_new(0), .error = error};
  if (!in.arena)
    return mb_error_memory(error);
  mb_system_complete(&in.system, NULL);
  int result = import_partitions(&in);
  mb_arena_free(in.arena);
  return result;
}

int mb_tool_services(mb_arena *arena, const char *data, char ***out, size_t *count,
                     mb_error *error) {
  char **names = NULL;
  size_t listed = 0, used = 0;
  if (list_folder(arena, data, &names, &listed, error) != 0)
    return -1;
  for (size_t i = 0; i < listed; i++)
    if (!strchr(names[i], '.')) /* what has an ending is a file */
      names[used++] = names[i];
  *out = names;
  *count = used;
  return 0;
}
