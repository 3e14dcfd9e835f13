/* Paginators that the model's own list lacks: an operation that lists something, takes a token and
 * gives back a token of the very same type is followed in the usual way. */
#include "aws/model/pack.h"

#include <string.h>

static const char *const token_pairs[][2] = {
    {"nextToken", "nextToken"},
    {"NextToken", "NextToken"},
    {"Marker", "NextMarker"},
    {"NextMarker", "NextMarker"},
    {"Marker", "Marker"},
    {"marker", "nextMarker"},
    {"marker", "marker"},
    {"nextMarker", "nextMarker"},
    {"nextPageToken", "nextPageToken"},
    {"NextPageToken", "NextPageToken"},
    {"pageToken", "nextPageToken"},
    {"PageToken", "NextPageToken"},
};

static const char *const limit_names[] = {"maxResults", "MaxResults", "limit",      "Limit",
                                          "maxItems",   "MaxItems",   "MaxRecords", "maxRecords",
                                          "pageSize",   "PageSize"};

static const char *const list_verbs[] = {"List",   "Describe", "Get",   "Search", "Lookup",
                                         "Filter", "Find",     "Query", "Scan",   "BatchGet"};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const mb_shape *shape_at(const mb_packer *packer, uint32_t index) {
  return (const mb_shape *)packer->tables[MB_TABLE_SHAPES] + index;
}

static const mb_member *member_at(const mb_packer *packer, const mb_shape *shape, uint32_t index) {
  return (const mb_member *)packer->tables[MB_TABLE_MEMBERS] + shape->members + index;
}

static const mb_member *find_member(const mb_packer *packer, const mb_shape *shape,
                                    const char *name) {
  for (uint32_t i = 0; i < shape->member_count; i++) {
    const mb_member *member = member_at(packer, shape, i);
    if (strcmp(mb_draft_string_at(packer->draft, member->name), name) == 0)
      return member;
  }
  return NULL;
}

static uint8_t type_of(const mb_packer *packer, const mb_member *member) {
  return shape_at(packer, member->shape)->type;
}

static bool is_listing(const char *name) {
  for (size_t i = 0; i < COUNT_OF(list_verbs); i++)
    if (strncmp(name, list_verbs[i], strlen(list_verbs[i])) == 0)
      return true;
  return false;
}

/* The pair whose members are there and strings of one shape; -1 when there is none. */
static int find_tokens(const mb_packer *packer, const mb_shape *input, const mb_shape *output) {
  for (size_t i = 0; i < COUNT_OF(token_pairs); i++) {
    const mb_member *in = find_member(packer, input, token_pairs[i][0]);
    const mb_member *out = find_member(packer, output, token_pairs[i][1]);
    if (in && out && in->shape == out->shape && type_of(packer, in) == MB_SHAPE_STRING)
      return (int)i;
  }
  return -1;
}

static void add_results(mb_packer *packer, const mb_shape *output, mb_shape_type type) {
  for (uint32_t i = 0; i < output->member_count; i++) {
    const mb_member *member = member_at(packer, output, i);
    if (type_of(packer, member) != type)
      continue;
    if (packer->scratch.size > 0)
      mb_buffer_add_char(&packer->scratch, '\n');
    mb_buffer_add_text(&packer->scratch, mb_draft_string_at(packer->draft, member->name));
  }
}

static const char *find_limit(const mb_packer *packer, const mb_shape *input) {
  for (size_t i = 0; i < COUNT_OF(limit_names); i++) {
    const mb_member *member = find_member(packer, input, limit_names[i]);
    if (member &&
        (type_of(packer, member) == MB_SHAPE_INTEGER || type_of(packer, member) == MB_SHAPE_LONG))
      return limit_names[i];
  }
  return NULL;
}

static const char *find_more(const mb_packer *packer, const mb_shape *output) {
  const mb_member *member = find_member(packer, output, "IsTruncated");
  return member && type_of(packer, member) == MB_SHAPE_BOOLEAN ? "IsTruncated" : NULL;
}

void mb_derive_paginator(mb_packer *packer, const mb_operation *operation) {
  mb_draft *draft = packer->draft;
  if (operation->input == MB_NO_INDEX || operation->output == MB_NO_INDEX ||
      !is_listing(mb_draft_string_at(draft, operation->name)))
    return;
  const mb_shape *input = shape_at(packer, operation->input);
  const mb_shape *output = shape_at(packer, operation->output);
  int pair = find_tokens(packer, input, output);
  if (pair < 0)
    return;
  add_results(packer, output, MB_SHAPE_LIST);
  add_results(packer, output, MB_SHAPE_MAP);
  mb_text results = mb_draft_buffer(draft, &packer->scratch);
  if (results == 0)
    return;
  mb_paginator_source source = {{0}};
  source.fields[MB_PAGE_INPUT] = mb_draft_string(draft, token_pairs[pair][0]);
  source.fields[MB_PAGE_OUTPUT] = mb_draft_string(draft, token_pairs[pair][1]);
  source.fields[MB_PAGE_RESULT] = results;
  source.fields[MB_PAGE_MORE] = mb_draft_string(draft, find_more(packer, output));
  source.fields[MB_PAGE_LIMIT] = mb_draft_string(draft, find_limit(packer, input));
  mb_draft_paginator *paginator =
      mb_draft_add_paginator(draft, mb_draft_string_at(draft, operation->name));
  paginator->source = source;
  paginator->derived = 1;
}
