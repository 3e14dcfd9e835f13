/* The curated primitives: one line for each, and what their namespaces are for. */
#include "call/engine.h"
#include "primitives/primitives.h"

const mb_primitive *const mb_curated_primitives[] = {&mb_primitive_http_get, NULL};

const mb_namespace_doc mb_curated_namespaces[] = {
    {"http", "Requests to web servers that the manifest names in `hosts`"}, {NULL, NULL}};
