/* One request, from bytes to bytes: whose it is, who sends it, what it asks for, and what the world
 * says to that. The same for a server and in process. */
#include "sim/route.h"
#include <stdio.h>
#include <string.h>

/* A request on its way. */
typedef struct exchange {
  mb_sim *sim;
  mb_arena *arena;
  const mb_http_request *request;
  sim_answer *out;
  mb_error *error;
  sim_signature signature;
  const sim_service *service;
  const mb_operation *operation;
  mb_protocol protocol; /* that the request speaks */
  mb_codec codec;
  char id[40]; /* of the request */
} exchange;

/* ---- answering with an error ---- */

/* An error of the service in its own protocol. */
static int refuse(exchange *x, const char *code, int status, const char *message,
                  const mb_value *fields) {
  return mb_codec_encode_error(&x->codec, x->arena, x->operation, code, message, status, fields,
                               x->id, &x->out->response, x->error);
}

/* An error of nobody's: JSON, which people can read as well. */
static int refuse_plainly(exchange *x, int status, const char *code, const char *message) {
  mb_value *body = mb_value_new_map(x->arena);
  mb_value *type = body ? mb_map_put(x->arena, body, "__type") : NULL;
  if (!type || mb_value_set_string(x->arena, type, code))
    return mb_error_memory(x->error);
  mb_value *text = mb_map_put(x->arena, body, "message");
  if (!text || mb_value_set_string(x->arena, text, message))
    return mb_error_memory(x->error);
  mb_http_response *response = &x->out->response;
  *response = (mb_http_response){.status = status};
  response->body = mb_value_to_json(x->arena, body, 0, true);
  if (!response->body ||
      mb_headers_add(x->arena, &response->headers, "Content-Type", "application/json"))
    return mb_error_memory(x->error);
  response->body_size = strlen(response->body);
  return 0;
}

static bool speaks_json(const exchange *x) {
  return x->protocol == MB_PROTOCOL_JSON || x->protocol == MB_PROTOCOL_REST_JSON;
}

/* ---- a defect of the simulator's ---- */

static int report_defect(exchange *x, const mb_error *problem) {
  char text[3072];
  snprintf(text, sizeof text, "the simulator failed%s%s: %s", problem->where[0] ? " at " : "",
           problem->where, problem->message);
  if (problem->kind == MB_ERROR_MEMORY)
    return mb_error_memory(x->error);
  const char *code = x->service && speaks_json(x) ? "InternalFailure" : "InternalError";
  return x->service ? refuse(x, code, 500, text, NULL)
                    : refuse_plainly(x, 500, "InternalFailure", text);
}

/* ---- signatures ---- */

/* The secret of the key: temporary ones are known to the world, any other has the configured one.
 */
static int find_secret(exchange *x, const char **secret) {
  mb_value *key = mb_value_new_string(x->arena, x->signature.access_key);
  const mb_value *args[] = {key};
  const mb_value *found;
  if (!key)
    return mb_error_memory(x->error);
  if (mb_sim_ask(x->sim, x->arena, "secret", args, 1, &found, x->error))
    return -1;
  *secret = mb_value_type(found) == MB_TYPE_STRING ? mb_value_string(found)
                                                   : x->sim->options.secret_access_key;
  return 0;
}

/* 1 to go on, 0 when the request was refused, -1 with an error. */
static int authenticate(exchange *x) {
  const char *secret = NULL;
  if (!x->sim->options.secret_access_key || (x->operation->flags & MB_OPERATION_UNSIGNED) ||
      x->service->about.unsigned_all)
    return 1;
  if (!x->signature.present)
    return refuse(
        x, speaks_json(x) ? "MissingAuthenticationTokenException" : "MissingAuthenticationToken",
        speaks_json(x) ? 400 : 403, "Missing Authentication Token", NULL);
  if (find_secret(x, &secret))
    return -1;
  int right = mb_sim_check_signature(x->arena, x->request, &x->signature, secret, x->error);
  if (right)
    return right;
  return refuse(x, speaks_json(x) ? "InvalidSignatureException" : "SignatureDoesNotMatch",
                speaks_json(x) ? 400 : 403,
                "The request signature we calculated does not match the signature you provided. "
                "Check your AWS Secret Access Key and signing method. Consult the service "
                "documentation for details.",
                NULL);
}

/* ---- the operation ---- */

static int unknown_operation(exchange *x) {
  const char *target = mb_headers_get(&x->request->headers, "X-Amz-Target");
  const char *text =
      mb_arena_printf(x->arena, "%s has no operation for this request (%s)",
                      x->service->about.service_id, target ? target : x->request->path);
  if (!text)
    return mb_error_memory(x->error);
  bool json = speaks_json(x);
  return refuse(x, json ? "UnknownOperationException" : "InvalidAction", 400, text, NULL);
}

/* What the service calls an input that does not fit its model. */
static const char *invalid_code(const exchange *x) {
  static const char *const codes[] = {"ValidationException", "InvalidParameterException",
                                      "InvalidParameterValueException", "InvalidRequestException"};
  for (size_t i = 0; speaks_json(x) && i < sizeof codes / sizeof *codes; i++)
    for (uint32_t n = 0; n < x->operation->error_count; n++) {
      const mb_shape *shape = mb_model_error_at(x->service->model, x->operation, n);
      if (strcmp(mb_model_text(x->service->model, shape->name), codes[i]) == 0)
        return codes[i];
    }
  return speaks_json(x) ? "ValidationException" : "ValidationError";
}

/* 1 with the input, 0 when it was refused, -1 with an error. */
static int read_input(exchange *x, const mb_value **input) {
  mb_error problem;
  mb_error_clear(&problem);
  mb_value *value = mb_value_new(x->arena);
  if (!value)
    return mb_error_memory(x->error);
  *input = value;
  if (mb_codec_decode_request(&x->codec, x->arena, x->operation, x->request, value, &problem)) {
    if (problem.kind == MB_ERROR_MEMORY)
      return mb_error_memory(x->error);
    return refuse(x, speaks_json(x) ? "SerializationException" : "MalformedInput", 400,
                  problem.message, NULL);
  }
  if (mb_codec_validate(&x->codec, x->operation, value, &problem) == 0)
    return 1;
  if (problem.kind == MB_ERROR_MEMORY)
    return mb_error_memory(x->error);
  return refuse(x, invalid_code(x), 400, problem.message, NULL);
}

static mb_value *put(exchange *x, mb_value *map, const char *key, const char *text) {
  mb_value *value = mb_map_put(x->arena, map, key);
  return value && mb_value_set_string(x->arena, value, text) == 0 ? value : NULL;
}

static const mb_value *describe_caller(exchange *x) {
  mb_value *caller = mb_value_new_map(x->arena);
  const char *date = mb_headers_get(&x->request->headers, "X-Amz-Date");
  double signed_at;
  if (!caller || !put(x, caller, "request_id", x->id) ||
      !put(x, caller, "access_key", x->signature.access_key) ||
      !put(x, caller, "region", x->signature.region))
    return NULL;
  if (date && mb_time_parse(date, strlen(date), &signed_at) == 0) {
    mb_value *time = mb_map_put(x->arena, caller, "signed_at");
    if (!time)
      return NULL;
    mb_value_set_number(time, signed_at);
  }
  return caller;
}

static int ask_world(exchange *x, const mb_value *input, const mb_value **result,
                     mb_error *problem) {
  const mb_value *caller = describe_caller(x);
  mb_value *service = mb_value_new_string(x->arena, x->service->about.namespace_);
  mb_value *operation =
      mb_value_new_string(x->arena, mb_model_text(x->service->model, x->operation->snake));
  if (!caller || !service || !operation)
    return mb_error_memory(problem);
  const mb_value *args[] = {service, operation, input, caller};
  return mb_sim_ask(x->sim, x->arena, "call", args, 4, result, problem);
}

/* What the faults say about the way back. */
static void read_faults(sim_answer *out, const mb_value *result) {
  const mb_value *truncate = mb_map_get(result, "truncate");
  out->latency = mb_value_number(mb_map_get(result, "latency"));
  out->reset = mb_value_boolean(mb_map_get(result, "reset"));
  out->truncated = mb_value_type(truncate) == MB_TYPE_INTEGER;
  out->keep =
      out->truncated && mb_value_integer(truncate) > 0 ? (size_t)mb_value_integer(truncate) : 0;
}

static int answer_raw(exchange *x, const mb_value *raw) {
  mb_http_response *response = &x->out->response;
  int64_t status = mb_value_integer(mb_map_get(raw, "status"));
  *response = (mb_http_response){.status = status >= 100 && status <= 599 ? (int)status : 200};
  response->body = mb_value_bytes(mb_map_get(raw, "body"), &response->body_size);
  const mb_value *headers = mb_map_get(raw, "headers");
  for (size_t i = 0; i < mb_value_count(headers); i++) {
    const char *value = mb_value_string(mb_map_value_at(headers, i));
    if (mb_headers_add(x->arena, &response->headers, mb_map_key_at(headers, i), value))
      return mb_error_memory(x->error);
  }
  return 0;
}

static int write_answer(exchange *x, const mb_value *result) {
  const mb_value *failure = mb_map_get(result, "error");
  const mb_value *raw = mb_map_get(result, "raw");
  mb_error problem;
  mb_error_clear(&problem);
  read_faults(x->out, result);
  if (x->out->reset)
    return 0;
  if (raw)
    return answer_raw(x, raw);
  if (failure)
    return refuse(x, mb_value_string(mb_map_get(failure, "code")),
                  (int)mb_value_integer(mb_map_get(failure, "status")),
                  mb_value_string(mb_map_get(failure, "message")), mb_map_get(failure, "fields"));
  if (mb_codec_encode_response(&x->codec, x->arena, x->operation, mb_map_get(result, "output"),
                               x->id, &x->out->response, &problem) == 0)
    return 0;
  return report_defect(x, &problem);
}

/* The service's clock, which a fault may have set wrong. A world that runs faster than the real
 * clock tells the real time here: clients take a Date far from their own for skew, and try
 * everything again.
 */
static double service_clock(exchange *x, const mb_value *stated) {
  double world = mb_sim_now(x->sim);
  double off = stated ? mb_value_number(stated) - world : 0;
  bool real = x->sim->options.clock == MB_SIM_CLOCK_REAL;
  return (real ? (double)mb_wall_ns(&x->sim->real) / 1e9 : world) + off;
}

static int add_date(exchange *x, const mb_value *result) {
  double now = service_clock(x, mb_map_get(result, "date"));
  mb_buffer text = MB_BUFFER_INIT(64);
  mb_time_add(&text, (double)(int64_t)now, MB_TIME_HTTP);
  int failed = text.failed ||
               mb_headers_set(x->arena, &x->out->response.headers, "Date", mb_buffer_text(&text));
  mb_buffer_dispose(&text);
  return failed ? mb_error_memory(x->error) : 0;
}

static int do_operation(exchange *x) {
  const mb_value *input = NULL, *result = NULL;
  mb_error problem;
  mb_error_clear(&problem);
  int go_on = authenticate(x);
  if (go_on > 0)
    go_on = read_input(x, &input);
  if (go_on <= 0)
    return go_on;
  if (ask_world(x, input, &result, &problem))
    return report_defect(x, &problem);
  return write_answer(x, result) ? -1 : add_date(x, result);
}

/* ---- what is no AWS call ---- */

static int nobodys(exchange *x) {
  const char *host = mb_headers_get(&x->request->headers, "Host");
  const char *target = mb_headers_get(&x->request->headers, "X-Amz-Target");
  const char *text = mb_arena_printf(
      x->arena, "nothing in the simulated world answers %s %s%s (service \"%s\"%s%s)",
      x->request->method, host ? host : "", x->request->path, x->signature.service,
      target ? ", target " : "", target ? target : "");
  if (!text)
    return mb_error_memory(x->error);
  bool aws = x->signature.present || target;
  return refuse_plainly(x, aws ? 501 : 404, aws ? "NotSimulated" : "NotFound", text);
}

static int do_http(exchange *x) {
  mb_error problem;
  mb_error_clear(&problem);
  const mb_value *request =
      mb_sim_describe_request(x->arena, x->request, x->signature.access_key, x->error);
  const mb_value *answer;
  if (!request)
    return -1;
  const mb_value *args[] = {request};
  if (mb_sim_ask(x->sim, x->arena, "http", args, 1, &answer, &problem))
    return report_defect(x, &problem);
  if (mb_value_type(answer) != MB_TYPE_MAP)
    return nobodys(x);
  read_faults(x->out, answer);
  return x->out->reset ? 0 : answer_raw(x, answer);
}

/* ---- the whole ---- */

int mb_sim_handle(mb_sim *sim, mb_arena *arena, const mb_http_request *request, sim_answer *out,
                  mb_error *error) {
  exchange x = {.sim = sim, .arena = arena, .request = request, .out = out, .error = error};
  *out = (sim_answer){.response = {.status = 500, .body = ""}};
  if (mb_uuid(&sim->system, x.id) || mb_sim_read_signature(arena, request, &x.signature, error))
    return mb_error_memory(error);
  mb_error problem;
  mb_error_clear(&problem);
  if (mb_sim_catch_up(sim, &problem))
    return report_defect(&x, &problem);
  x.service = mb_sim_find_service(sim, request, &x.signature);
  if (!x.service)
    return do_http(&x);
  x.protocol = mb_sim_protocol(x.service, request);
  x.codec = (mb_codec){.model = x.service->model,
                       .system = &sim->system,
                       .protocol = x.protocol == x.service->about.protocol ? 0 : x.protocol};
  x.operation = mb_codec_route(&x.codec, request);
  return x.operation ? do_operation(&x) : unknown_operation(&x);
}
