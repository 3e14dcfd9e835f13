/* The words of enumerations. */
#include "aws/model/names.h"

#include <string.h>

const char *const mb_matcher_names[] = {"path", "pathAll", "pathAny", "status", "error", NULL};
const char *const mb_state_names[] = {"success", "failure", "retry", NULL};
const char *const mb_protocol_names[] = {
    "json", "query", "ec2", "rest-json", "rest-xml", "smithy-rpc-v2-cbor", NULL};
const char *const mb_shape_type_names[] = {"structure", "list",     "map",  "string", "blob",
                                           "boolean",   "integer",  "long", "float",  "double",
                                           "timestamp", "document", NULL};
const char *const mb_location_names[] = {"",        "uri",        "querystring", "header",
                                         "headers", "statusCode", NULL};
const char *const mb_timestamp_format_names[] = {"", "unixTimestamp", "iso8601", "rfc822", NULL};

int mb_name_position(const char *const *names, const char *word, size_t size) {
  for (int i = 0; names[i]; i++)
    if (strlen(names[i]) == size && memcmp(names[i], word, size) == 0)
      return i;
  return -1;
}
