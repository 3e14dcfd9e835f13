/* The partitions document: which partition a region belongs to, and its domain names. */
#include "aws/endpoint/region.h"
#include "aws/endpoint/ruleset.h"
#include "base/json.h"
#include <string.h>

static int invalid(mb_error *error, const char *problem, const char *what) {
  return mb_error_set(error, MB_ERROR_USAGE, "InvalidPartitions",
                      "The partitions document is not usable: %s%s", problem, what);
}

static int read_regions(mb_arena *arena, mb_partition *out, const mb_value *regions,
                        mb_error *error) {
  size_t count = mb_value_count(regions);
  out->regions = mb_arena_alloc(arena, (count + 1) * sizeof *out->regions);
  if (!out->regions)
    return mb_error_memory(error);
  for (size_t i = 0; i < count; i++) {
    out->regions[i] = mb_arena_strdup(arena, mb_map_key_at(regions, i));
    if (!out->regions[i])
      return mb_error_memory(error);
  }
  out->region_count = count;
  return 0;
}

static int read_partition(mb_arena *arena, mb_partition *out, const mb_value *from,
                          mb_error *error) {
  const mb_value *outputs = mb_map_get(from, "outputs"), *regions = mb_map_get(from, "regions");
  const char *name = mb_value_string(mb_map_get(from, "id"));
  const char *pattern = mb_value_string(mb_map_get(from, "regionRegex"));
  if (!*name || mb_value_type(outputs) != MB_TYPE_MAP || mb_value_type(regions) != MB_TYPE_MAP)
    return invalid(error, "a partition lacks id, outputs or regions: ", name);
  if (!mb_region_pattern_valid(pattern))
    return invalid(error, "a regionRegex that is not understood: ", pattern);
  out->pattern = mb_arena_strdup(arena, pattern);
  if (!out->pattern || mb_value_copy(arena, &out->outputs, outputs))
    return mb_error_memory(error);
  mb_value *slot = mb_map_put(arena, &out->outputs, "name");
  if (!slot || mb_value_set_string(arena, slot, name))
    return mb_error_memory(error);
  return read_regions(arena, out, regions, error);
}

static int read_partitions(mb_arena *arena, mb_ruleset *out, const mb_value *document,
                           mb_error *error) {
  const mb_value *list = mb_map_get(document, "partitions");
  size_t count = mb_value_count(list);
  if (mb_value_type(list) != MB_TYPE_LIST || count == 0)
    return invalid(error, "it lists no partitions", "");
  out->partitions = mb_arena_zero(arena, count * sizeof *out->partitions);
  if (!out->partitions)
    return mb_error_memory(error);
  out->partition_count = count;
  for (size_t i = 0; i < count; i++)
    if (read_partition(arena, &out->partitions[i], mb_list_at(list, i), error))
      return -1;
  return 0;
}

int mb_partitions_parse(mb_arena *arena, mb_ruleset *out, const char *text, size_t size,
                        mb_error *error) {
  mb_arena *scratch = mb_arena_new(0);
  mb_value *document;
  if (!scratch)
    return mb_error_memory(error);
  int result = mb_value_from_json(scratch, &document, text, size, error);
  if (!result)
    result = read_partitions(arena, out, document, error);
  mb_arena_free(scratch);
  return result;
}

const mb_value *mb_partition_of(const mb_ruleset *ruleset, const char *region) {
  for (size_t i = 0; i < ruleset->partition_count; i++)
    for (size_t j = 0; j < ruleset->partitions[i].region_count; j++)
      if (strcmp(ruleset->partitions[i].regions[j], region) == 0)
        return &ruleset->partitions[i].outputs;
  for (size_t i = 0; i < ruleset->partition_count; i++)
    if (mb_region_matches(ruleset->partitions[i].pattern, region))
      return &ruleset->partitions[i].outputs;
  return &ruleset->partitions[0].outputs;
}

const mb_value *mb_ruleset_partition(const mb_ruleset *ruleset, mb_arena *arena,
                                     const char *region) {
  return mb_partition_of(ruleset, region ? region : "");
}
