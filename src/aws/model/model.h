/* Service models: what a service's operations and shapes are called and how they travel.
 *
 * A packed model is one block of memory: a header, tables of fixed-size records, and a string
 * table; records refer to each other by index and to text by offset, so a model is used where it
 * lies (in the binary) and opening one costs nothing. Models are checked in as text
 * (src/aws/models), packed by the build, and can also be packed at run time (model/builder.h).
 * Packed bytes are in the machine's own byte order and are never written to a file that another
 * machine reads.
 */
#ifndef MB_AWS_MODEL_MODEL_H
#define MB_AWS_MODEL_MODEL_H

#include "base/value.h"
#include <moonbook/error.h>

typedef uint32_t mb_text; /* offset into the string table; 0 is "" */
#define MB_NO_INDEX UINT32_MAX

typedef enum mb_protocol {
  MB_PROTOCOL_JSON = 1, /* json 1.0 and 1.1 */
  MB_PROTOCOL_QUERY,
  MB_PROTOCOL_EC2,
  MB_PROTOCOL_REST_JSON,
  MB_PROTOCOL_REST_XML,
  MB_PROTOCOL_CBOR /* known, not spoken */
} mb_protocol;

typedef enum mb_shape_type {
  MB_SHAPE_STRUCTURE = 1,
  MB_SHAPE_LIST,
  MB_SHAPE_MAP,
  MB_SHAPE_STRING,
  MB_SHAPE_BLOB,
  MB_SHAPE_BOOLEAN,
  MB_SHAPE_INTEGER, /* 32 bits and less */
  MB_SHAPE_LONG,
  MB_SHAPE_FLOAT,
  MB_SHAPE_DOUBLE,
  MB_SHAPE_TIMESTAMP,
  MB_SHAPE_DOCUMENT /* arbitrary JSON */
} mb_shape_type;

enum { /* mb_shape.flags */
       MB_SHAPE_UNION = 1 << 0,
       MB_SHAPE_SENSITIVE = 1 << 1,
       MB_SHAPE_FLATTENED = 1 << 2, /* list or map */
       MB_SHAPE_ERROR = 1 << 3,     /* an exception */
       MB_SHAPE_SENDER_FAULT = 1 << 4,
       MB_SHAPE_RETRYABLE = 1 << 5,
       MB_SHAPE_THROTTLING = 1 << 6,
       MB_SHAPE_STREAMING = 1 << 7,
       MB_SHAPE_EVENT_STREAM = 1 << 8,
       MB_SHAPE_WRAPPER = 1 << 9,  /* botocore's "wrapper" */
       MB_SHAPE_HAS_MIN = 1 << 10, /* `min` is a bound: length, or value of a number */
       MB_SHAPE_JSON_VALUE = 1 << 11,
       MB_SHAPE_SPARSE = 1 << 12
};

enum { /* mb_member.flags */
       MB_MEMBER_REQUIRED = 1 << 0,
       MB_MEMBER_IDEMPOTENCY_TOKEN = 1 << 1,
       MB_MEMBER_FLATTENED = 1 << 2,
       MB_MEMBER_XML_ATTRIBUTE = 1 << 3,
       MB_MEMBER_STREAMING = 1 << 4,
       MB_MEMBER_JSON_VALUE = 1 << 5,
       MB_MEMBER_HOST_LABEL = 1 << 6,
       MB_MEMBER_DEPRECATED = 1 << 7,
       MB_MEMBER_EVENT_PAYLOAD = 1 << 8,
       MB_MEMBER_EVENT_HEADER = 1 << 9,
       MB_MEMBER_HAS_WIRE = 1 << 10, /* a locationName was given */
       MB_MEMBER_SENSITIVE = 1 << 11
};

typedef enum mb_location {
  MB_LOCATION_BODY = 0,
  MB_LOCATION_URI,
  MB_LOCATION_QUERY, /* "querystring" */
  MB_LOCATION_HEADER,
  MB_LOCATION_HEADERS, /* a prefix map */
  MB_LOCATION_STATUS   /* "statusCode" */
} mb_location;

typedef enum mb_timestamp_format {
  MB_TIMESTAMP_DEFAULT = 0,
  MB_TIMESTAMP_EPOCH, /* unixTimestamp */
  MB_TIMESTAMP_ISO,   /* iso8601 */
  MB_TIMESTAMP_HTTP   /* rfc822 */
} mb_timestamp_format;

typedef struct mb_shape {
  mb_text name; /* "DescribeServicesRequest" */
  uint16_t flags;
  uint8_t type;     /* mb_shape_type */
  uint8_t format;   /* mb_timestamp_format of a timestamp */
  uint32_t members; /* first index into the member table; a list has 1 (its item, named "member"),
                       a map 2 (key, value), a structure any number in declared order */
  uint32_t member_count;
  uint32_t payload; /* index into the member table of the payload member, or MB_NO_INDEX */
  mb_text xml_name; /* locationName of the shape itself, or 0 */
  mb_text xml_namespace;
  mb_text xml_prefix;
  mb_text error_code;    /* of an exception: its code on the wire when not its name, or 0 */
  uint32_t error_status; /* HTTP status of an exception, or 0 */
  int64_t min;
} mb_shape;

typedef struct mb_member {
  mb_text name;       /* "clusterArn" */
  mb_text snake;      /* "cluster_arn" */
  mb_text wire;       /* locationName, else the name */
  mb_text query_name; /* ec2's queryName, or 0 */
  uint32_t shape;     /* index into the shape table */
  uint16_t flags;
  uint8_t location; /* mb_location */
  uint8_t format;   /* mb_timestamp_format of the member itself, over the shape's */
  mb_text xml_namespace;
  mb_text xml_prefix;
  mb_text context_param; /* endpoint rule parameter filled from this member, or 0 */
} mb_member;

enum { /* mb_operation.flags */
       MB_OPERATION_READ_ONLY = 1 << 0,
       MB_OPERATION_IDEMPOTENT = 1 << 1,
       MB_OPERATION_UNSIGNED = 1 << 2, /* authtype none */
       MB_OPERATION_UNSIGNED_PAYLOAD = 1 << 3,
       MB_OPERATION_DEPRECATED = 1 << 4,
       MB_OPERATION_CHECKSUM_REQUIRED = 1 << 5,
       MB_OPERATION_COMPRESS = 1 << 6, /* gzip request compression is modelled */
       MB_OPERATION_BEARER = 1 << 7,
       MB_OPERATION_HAS_INPUT = 1 << 8,
       MB_OPERATION_HAS_OUTPUT = 1 << 9
};

typedef struct mb_operation {
  mb_text name;  /* "DescribeServices" */
  mb_text snake; /* "describe_services" */
  mb_text method;
  mb_text uri;             /* "/{Bucket}/{Key+}?x=y" */
  uint32_t input, output;  /* shape indexes, or MB_NO_INDEX */
  mb_text input_name;      /* locationName of the input (root element of rest-xml), or 0 */
  mb_text input_namespace; /* XML namespace of the input reference, or 0 */
  mb_text input_prefix;
  mb_text result_wrapper;    /* query: "DescribeServicesResult", or 0 */
  mb_text host_prefix;       /* "data-" or "{Label}.", or 0 */
  mb_text static_context;    /* JSON text {"Param": value}, or 0 */
  mb_text operation_context; /* JSON text {"Param": "JMESPath over the input"}, or 0;
                                the names in it are snake_case */
  mb_text checksum;          /* JSON text of httpChecksum, or 0 */
  uint32_t response_status;  /* HTTP status of success, 200 unless stated */
  uint32_t flags;
  uint32_t errors; /* first index into the error table (of shape indexes) */
  uint32_t error_count;
  uint32_t paginator; /* index, or MB_NO_INDEX */
} mb_operation;

/* Expressions are JMESPath over snake_case names (the importer translates them). Lists of
 * expressions are newline-separated. */
typedef struct mb_paginator {
  mb_text input_tokens;  /* members of the input, snake_case */
  mb_text output_tokens; /* expressions */
  mb_text result_keys;   /* expressions; the first is the primary one */
  mb_text more_results;  /* expression, or 0 */
  mb_text limit_key;     /* input member, or 0 */
  mb_text non_aggregate; /* expressions, or 0 */
  uint32_t derived;      /* 1: from the shapes, not from botocore's list */
} mb_paginator;

typedef enum mb_matcher {
  MB_MATCHER_PATH = 1,
  MB_MATCHER_PATH_ALL,
  MB_MATCHER_PATH_ANY,
  MB_MATCHER_STATUS,
  MB_MATCHER_ERROR
} mb_matcher;

typedef enum mb_acceptor_state {
  MB_ACCEPTOR_SUCCESS = 1,
  MB_ACCEPTOR_FAILURE,
  MB_ACCEPTOR_RETRY
} mb_acceptor_state;

typedef struct mb_acceptor {
  uint8_t matcher, state;
  mb_text argument; /* expression, or 0 */
  mb_text expected; /* JSON text: "\"ACTIVE\"", "200", "true" */
} mb_acceptor;

typedef struct mb_waiter {
  mb_text name;  /* "ServicesStable" */
  mb_text snake; /* "services_stable" */
  uint32_t operation;
  uint32_t delay_seconds, max_attempts;
  uint32_t acceptors, acceptor_count;
} mb_waiter;

typedef struct mb_model mb_model; /* the packed block itself */

/* The service's own words. Never NULL; "" when absent. */
typedef struct mb_service {
  const char *namespace_; /* ours: "elbv2", "sso_oidc" (botocore's folder, '-' as '_') */
  const char *service_id; /* "Elastic Load Balancing v2" */
  const char *endpoint_prefix;
  const char *signing_name; /* endpoint prefix when the model has none */
  const char *target_prefix;
  const char *api_version;
  const char *json_version;
  const char *xml_namespace;
  const char *botocore;       /* version the model was imported from */
  const char *endpoint_rules; /* JSON text */
  mb_protocol protocol;
  bool query_compatible; /* awsQueryCompatible */
  bool query_mode;       /* the service also speaks query (CloudWatch) */
  bool unsigned_all;     /* metadata auth is noAuth */
} mb_service;

/* Finds an embedded model by namespace ("ecs", "sso_oidc" or "sso-oidc"). NULL when there is none.
 */
const mb_model *mb_model_find(const char *name);
/* Every embedded namespace in order; returns how many. `names` may be NULL. */
size_t mb_model_names(const char **names, size_t capacity);

/* Wraps packed bytes after checking magic, version and size. NULL when they are not a model. */
const mb_model *mb_model_open(const void *data, size_t size);

void mb_model_service(const mb_model *model, mb_service *out);
const char *mb_model_text(const mb_model *model, mb_text text);
size_t mb_model_operation_count(const mb_model *model);
const mb_operation *mb_model_operation_at(const mb_model *model, size_t index); /* in name order */
/* By "describe_services" or "DescribeServices". NULL when there is none. */
const mb_operation *mb_model_operation(const mb_model *model, const char *name);
const mb_shape *mb_model_shape(const mb_model *model, uint32_t index);
const mb_member *mb_model_members(const mb_model *model, const mb_shape *shape);
const mb_member *mb_model_member_at(const mb_model *model, uint32_t member_index);
/* A structure's member by name in either spelling (snake_case or the model's own). O(log n). */
const mb_member *mb_model_member(const mb_model *model, const mb_shape *shape, const char *name,
                                 size_t size);
/* A structure's body member by its name on the wire. O(log n). */
const mb_member *mb_model_member_by_wire(const mb_model *model, const mb_shape *shape,
                                         const char *wire, size_t size);
const mb_shape *mb_model_error_at(const mb_model *model, const mb_operation *operation,
                                  uint32_t index);
/* The exception of the service with this code on the wire, whatever operation may raise it. */
const mb_shape *mb_model_error_by_code(const mb_model *model, const char *code, size_t size);
const mb_paginator *mb_model_paginator(const mb_model *model, const mb_operation *operation);
size_t mb_model_waiter_count(const mb_model *model);
const mb_waiter *mb_model_waiter_at(const mb_model *model, size_t index);
const mb_acceptor *mb_model_acceptors(const mb_model *model, const mb_waiter *waiter);
const mb_operation *mb_model_waiter_operation(const mb_model *model, const mb_waiter *waiter);

/* The partitions document (JSON text), embedded beside the models. */
const char *mb_model_partitions(size_t *size);

#endif
