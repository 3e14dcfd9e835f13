/* The models that are part of the binary. */
#include "base/embedded.h"
#include "aws/model/model.h"

#include <string.h>

#define FOLDER     "models/"
#define PARTITIONS "models/partitions.json"

/* "sso-oidc" is as good as "sso_oidc": people know the first from the AWS command line. */
const mb_model *mb_model_find(const char *name) {
  char path[128];
  size_t length = name ? strlen(name) : 0;
  if (length == 0 || length + sizeof FOLDER > sizeof path || strchr(name, '.'))
    return NULL;
  memcpy(path, FOLDER, sizeof FOLDER - 1);
  for (size_t i = 0; i <= length; i++)
    path[sizeof FOLDER - 1 + i] = name[i] == '-' ? '_' : name[i];
  const mb_embedded_file *file = mb_embedded_find(path);
  return file ? mb_model_open(file->data, file->size) : NULL;
}

size_t mb_model_names(const char **names, size_t capacity) {
  size_t count = 0, found = 0;
  const mb_embedded_file *files = mb_embedded_below(FOLDER, &count);
  for (size_t i = 0; files && i < count; i++) {
    if (strcmp(files[i].path, PARTITIONS) == 0)
      continue;
    if (names && found < capacity)
      names[found] = files[i].path + sizeof FOLDER - 1;
    found++;
  }
  return found;
}

const char *mb_model_partitions(size_t *size) {
  const mb_embedded_file *file = mb_embedded_find(PARTITIONS);
  if (size)
    *size = file ? file->size : 0;
  return file ? file->data : NULL;
}
