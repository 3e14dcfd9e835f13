/* The words of the text form. */
#include "aws/model/text.h"

#include <stddef.h>

const mb_word_fact mb_word_facts[] = {{"id", MB_SERVICE_ID},
                                      {"api", MB_SERVICE_API_VERSION},
                                      {"endpoint", MB_SERVICE_ENDPOINT_PREFIX},
                                      {"signing", MB_SERVICE_SIGNING_NAME},
                                      {"target", MB_SERVICE_TARGET_PREFIX},
                                      {"json", MB_SERVICE_JSON_VERSION},
                                      {"xmlns", MB_SERVICE_XML_NAMESPACE},
                                      {"rules", MB_SERVICE_RULES},
                                      {NULL, MB_SERVICE_TEXT_COUNT}};

const mb_word_flag mb_word_service_flags[] = {{"query-compatible", MB_SERVICE_QUERY_COMPATIBLE},
                                              {"query-mode", MB_SERVICE_QUERY_MODE},
                                              {"unsigned", MB_SERVICE_UNSIGNED},
                                              {NULL, 0}};

const mb_word_flag mb_word_shape_flags[] = {{"union", MB_SHAPE_UNION},
                                            {"sensitive", MB_SHAPE_SENSITIVE},
                                            {"flattened", MB_SHAPE_FLATTENED},
                                            {"error", MB_SHAPE_ERROR},
                                            {"sender-fault", MB_SHAPE_SENDER_FAULT},
                                            {"retryable", MB_SHAPE_RETRYABLE},
                                            {"throttling", MB_SHAPE_THROTTLING},
                                            {"streaming", MB_SHAPE_STREAMING},
                                            {"event-stream", MB_SHAPE_EVENT_STREAM},
                                            {"wrapper", MB_SHAPE_WRAPPER},
                                            {"json-value", MB_SHAPE_JSON_VALUE},
                                            {"sparse", MB_SHAPE_SPARSE},
                                            {NULL, 0}};

const mb_word_field mb_word_shape_fields[] = {{"name", offsetof(mb_shape, xml_name), ""},
                                              {"xmlns", offsetof(mb_shape, xml_namespace), ""},
                                              {"xml-prefix", offsetof(mb_shape, xml_prefix), ""},
                                              {"code", offsetof(mb_shape, error_code), ""},
                                              {NULL, 0, NULL}};

const mb_word_flag mb_word_member_flags[] = {{"!", MB_MEMBER_REQUIRED},
                                             {"token", MB_MEMBER_IDEMPOTENCY_TOKEN},
                                             {"flattened", MB_MEMBER_FLATTENED},
                                             {"attribute", MB_MEMBER_XML_ATTRIBUTE},
                                             {"streaming", MB_MEMBER_STREAMING},
                                             {"json-value", MB_MEMBER_JSON_VALUE},
                                             {"host-label", MB_MEMBER_HOST_LABEL},
                                             {"deprecated", MB_MEMBER_DEPRECATED},
                                             {"event-payload", MB_MEMBER_EVENT_PAYLOAD},
                                             {"event-header", MB_MEMBER_EVENT_HEADER},
                                             {"sensitive", MB_MEMBER_SENSITIVE},
                                             {NULL, 0}};

const mb_word_field mb_word_member_fields[] = {{"query", offsetof(mb_member, query_name), ""},
                                               {"xmlns", offsetof(mb_member, xml_namespace), ""},
                                               {"xml-prefix", offsetof(mb_member, xml_prefix), ""},
                                               {"context", offsetof(mb_member, context_param), ""},
                                               {NULL, 0, NULL}};

const mb_word_flag mb_word_operation_flags[] = {
    {"readonly", MB_OPERATION_READ_ONLY},
    {"idempotent", MB_OPERATION_IDEMPOTENT},
    {"unsigned", MB_OPERATION_UNSIGNED},
    {"unsigned-payload", MB_OPERATION_UNSIGNED_PAYLOAD},
    {"deprecated", MB_OPERATION_DEPRECATED},
    {"checksum-required", MB_OPERATION_CHECKSUM_REQUIRED},
    {"compress", MB_OPERATION_COMPRESS},
    {"bearer", MB_OPERATION_BEARER},
    {NULL, 0}};

const mb_word_field mb_word_operation_fields[] = {
    {"method", offsetof(mb_operation, method), "POST"},
    {"uri", offsetof(mb_operation, uri), "/"},
    {"name", offsetof(mb_operation, input_name), ""},
    {"xmlns", offsetof(mb_operation, input_namespace), ""},
    {"xml-prefix", offsetof(mb_operation, input_prefix), ""},
    {"host", offsetof(mb_operation, host_prefix), ""},
    {"context", offsetof(mb_operation, static_context), ""},
    {"paths", offsetof(mb_operation, operation_context), ""},
    {"checksum", offsetof(mb_operation, checksum), ""},
    {NULL, 0, NULL}};

const char *const mb_word_paginator_fields[] = {"input", "output", "result", "more",
                                                "limit", "other",  NULL};
