/* A made-up service with every kind of shape, in whichever protocol a test asks for. */
#ifndef TESTS_UNIT_AWS_CODEC_WORLD_H
#define TESTS_UNIT_AWS_CODEC_WORLD_H

#include "aws/codec/codec.h"
#include "aws/model/builder.h"
#include "unit/check.h"

#include <stdio.h>

static const char world_operations[] =
    "\"PutThing\":{\"name\":\"PutThing\",\"http\":{\"method\":\"PUT\",\"requestUri\":\"%s\"},"
    "\"input\":{\"shape\":\"PutThingRequest\"},"
    "\"output\":{\"shape\":\"PutThingResponse\",\"resultWrapper\":\"PutThingResult\"},"
    "\"errors\":[{\"shape\":\"NoSuchThing\"}]},"
    "\"SendNothing\":{\"name\":\"SendNothing\",\"http\":{\"method\":\"POST\",\"requestUri\":\"%s\"}"
    "},"
    "\"FindHost\":{\"name\":\"FindHost\",\"http\":{\"method\":\"POST\",\"requestUri\":\"%s\"},"
    "\"input\":{\"shape\":\"FindHostRequest\"},\"endpoint\":{\"hostPrefix\":\"{Zone}.data-\"}}";

static const char world_shapes[] =
    "\"PutThingRequest\":{\"type\":\"structure\",\"required\":[\"ThingName\"],\"members\":{"
    "\"ThingName\":{\"shape\":\"Name\"%s},"
    "\"clientToken\":{\"shape\":\"String\",\"idempotencyToken\":true},"
    "\"theThing\":{\"shape\":\"Thing\"},"
    "\"things\":{\"shape\":\"Things\"},"
    "\"tagMap\":{\"shape\":\"TagMap\"},"
    "\"choice\":{\"shape\":\"Choice\"}}},"
    "\"PutThingResponse\":{\"type\":\"structure\",\"members\":{"
    "\"theThing\":{\"shape\":\"Thing\"},\"things\":{\"shape\":\"Things\"},"
    "\"tagMap\":{\"shape\":\"TagMap\"},\"choice\":{\"shape\":\"Choice\"},"
    "\"dense\":{\"shape\":\"TagMap\"},\"texts\":{\"shape\":\"Strings\"}}},"
    "\"FindHostRequest\":{\"type\":\"structure\",\"required\":[\"Zone\"],\"members\":{"
    "\"Zone\":{\"shape\":\"String\",\"hostLabel\":true}}},"
    "\"Thing\":{\"type\":\"structure\",\"members\":{"
    "\"Count\":{\"shape\":\"Integer\"},\"bigCount\":{\"shape\":\"Long\"},"
    "\"ratio\":{\"shape\":\"Double\"},\"isOn\":{\"shape\":\"Boolean\"},"
    "\"data\":{\"shape\":\"Blob\"},\"createdAt\":{\"shape\":\"Timestamp\"},"
    "\"seenAt\":{\"shape\":\"HttpTime\"},\"password\":{\"shape\":\"Secret\"},"
    "\"label\":{\"shape\":\"String\",\"locationName\":\"wireLabel\"},"
    "\"names\":{\"shape\":\"Strings\"},\"inner\":{\"shape\":\"Thing\"}}},"
    "\"Things\":{\"type\":\"list\",\"member\":{\"shape\":\"Thing\"}},"
    "\"Strings\":{\"type\":\"list\",\"member\":{\"shape\":\"String\"}},"
    "\"TagMap\":{\"type\":\"map\",\"key\":{\"shape\":\"String\"},\"value\":{\"shape\":\"String\"}},"
    "\"Choice\":{\"type\":\"structure\",\"union\":true,\"members\":{"
    "\"one\":{\"shape\":\"String\"},\"two\":{\"shape\":\"Integer\"}}},"
    "\"NoSuchThing\":{\"type\":\"structure\",\"exception\":true,"
    "\"error\":{\"code\":\"Thing.NotFound\",\"httpStatusCode\":404},\"members\":{"
    "\"message\":{\"shape\":\"String\"},\"resource\":{\"shape\":\"String\"}}},"
    "\"Name\":{\"type\":\"string\",\"min\":2},\"String\":{\"type\":\"string\"},"
    "\"Secret\":{\"type\":\"string\",\"sensitive\":true},\"Integer\":{\"type\":\"integer\"},"
    "\"Long\":{\"type\":\"long\"},\"Double\":{\"type\":\"double\"},"
    "\"Boolean\":{\"type\":\"boolean\"},\"Blob\":{\"type\":\"blob\"},"
    "\"Timestamp\":{\"type\":\"timestamp\"},"
    "\"HttpTime\":{\"type\":\"timestamp\",\"timestampFormat\":\"rfc822\"}";

typedef struct world {
  mb_buffer packed;
  mb_arena *arena;
  mb_system system;
  mb_codec codec;
  mb_error error;
} world;

static inline int world_random(void *payload, void *out, size_t size) {
  (void)payload;
  memset(out, 0, size);
  return 0;
}

static inline bool world_is_rest(const char *protocol) {
  return strncmp(protocol, "rest", 4) == 0;
}

/* `metadata` adds to the service's own: "", or members each followed by a comma. */
static inline void world_open(world *w, const char *protocol, const char *metadata) {
  static char shapes[8192], operations[2048], document[16384];
  bool rest = world_is_rest(protocol);
  *w = (world){.system = {.random = world_random}};
  snprintf(operations, sizeof operations, world_operations, rest ? "/things/{ThingName}" : "/",
           rest ? "/nothing" : "/", rest ? "/host" : "/");
  snprintf(shapes, sizeof shapes, world_shapes,
           rest ? ",\"location\":\"uri\",\"locationName\":\"ThingName\"" : "");
  snprintf(document, sizeof document,
           "{\"version\":\"2.0\",\"metadata\":{%s\"apiVersion\":\"2026-01-01\","
           "\"endpointPrefix\":\"things\",\"serviceId\":\"Things\",\"jsonVersion\":\"1.1\","
           "\"targetPrefix\":\"ThingService\",\"xmlNamespace\":\"https://things.example/doc/\","
           "\"protocol\":\"%s\"},\"operations\":{%s},\"shapes\":{%s}}",
           metadata, protocol, operations, shapes);
  mb_buffer_init(&w->packed, (size_t)1 << 20);
  w->arena = mb_arena_new(0);
  assert_non_null(w->arena);
  if (mb_model_from_botocore(&w->packed, "things", "0", document, strlen(document), NULL, 0, NULL,
                             0, NULL, 0, NULL, &w->error) != 0) {
    fail_msg("%s", w->error.message);
  }
  w->codec =
      (mb_codec){.model = mb_model_open(w->packed.data, w->packed.size), .system = &w->system};
  assert_non_null(w->codec.model);
}

static inline void world_close(world *w) {
  mb_arena_free(w->arena);
  mb_buffer_dispose(&w->packed);
}

static inline const mb_operation *world_operation(const world *w, const char *name) {
  const mb_operation *operation = mb_model_operation(w->codec.model, name);
  assert_non_null(operation);
  return operation;
}

static inline mb_value *world_json(world *w, const char *text) {
  mb_value *value;
  if (mb_value_from_json(w->arena, &value, text, strlen(text), &w->error) != 0) {
    fail_msg("%s", w->error.message);
  }
  return value;
}

static inline const char *world_text(world *w, const mb_value *value) {
  const char *text = mb_value_to_json(w->arena, value, 0, true);
  assert_non_null(text);
  return text;
}

/* Answers of a status and body, with one header if `name` is not NULL. */
static inline mb_http_response world_response(world *w, int status, const char *body,
                                              const char *name, const char *value) {
  mb_http_response response = {.status = status, .body = body, .body_size = strlen(body)};
  if (name != NULL) {
    assert_int_equal(mb_headers_add(w->arena, &response.headers, name, value), 0);
  }
  return response;
}

#endif
