/* From what went wrong in a call to an error a person can act upon: its kind, who was asked, and
 * what to do next. */
#include "aws/client_internal.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

static const char *const expired_codes[] = {"ExpiredToken", "ExpiredTokenException"};

static const char *const credential_codes[] = {"InvalidClientTokenId",
                                               "UnrecognizedClientException",
                                               "InvalidSignatureException",
                                               "SignatureDoesNotMatch",
                                               "AuthFailure",
                                               "InvalidAccessKeyId",
                                               "MissingAuthenticationToken",
                                               "MissingAuthenticationTokenException",
                                               "IncompleteSignature",
                                               "IncompleteSignatureException",
                                               "InvalidToken",
                                               "TokenRefreshRequired",
                                               "RequestExpired",
                                               "RequestInTheFuture",
                                               "RequestTimeTooSkewed",
                                               "MissingSecurityHeader"};

static const char *const denied_codes[] = {
    "UnauthorizedOperation", "NotAuthorized",     "NotAuthorizedException",
    "AuthorizationError",    "Forbidden",         "ForbiddenException",
    "OptInRequired",         "UnauthorizedAccess"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool is_one_of(const char *code, const char *const *codes, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (strcmp(code, codes[i]) == 0)
      return true;
  }
  return false;
}

bool mb_aws_is_expired_code(const char *code) {
  return is_one_of(code, expired_codes, COUNT(expired_codes));
}

static mb_error_kind kind_of(const char *code, int status) {
  if (mb_aws_is_expired_code(code) || is_one_of(code, credential_codes, COUNT(credential_codes)))
    return MB_ERROR_CREDENTIALS;
  if (mb_text_starts(code, "AccessDenied") || is_one_of(code, denied_codes, COUNT(denied_codes)))
    return MB_ERROR_DENIED;
  if (mb_retry_is_throttling_code(code) || status == 429)
    return MB_ERROR_THROTTLED;
  if (status == 401)
    return MB_ERROR_CREDENTIALS;
  return status == 403 ? MB_ERROR_DENIED : MB_ERROR_AWS;
}

/* ---- what to do next ---- */

/* IAM names a service by its signing name, CloudWatch excepted. */
static const char *iam_prefix(const mb_service *service) {
  return strcmp(service->signing_name, "monitoring") == 0 ? "cloudwatch" : service->signing_name;
}

/* The action of "... is not authorized to perform: ecs:DescribeServices on resource: ...": IAM's
 * own words beat what the operation's name suggests. */
static bool action_of_message(const char *message, char *out, size_t out_size) {
  static const char marker[] = "to perform: ";
  const char *found = strstr(message, marker);
  if (!found)
    return false;
  found += sizeof marker - 1;
  size_t size = strspn(found, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-:");
  while (size > 0 && found[size - 1] == ':')
    size--;
  if (size == 0 || size >= out_size || !memchr(found, ':', size))
    return false;
  memcpy(out, found, size);
  out[size] = '\0';
  return true;
}

static void next_when_denied(const mb_error_context *context, mb_error *error) {
  char action[128];
  if (action_of_message(error->message, action, sizeof action))
    mb_error_next(error, "allow %s to the role or user that calls, in its IAM policy", action);
  else if (context->service)
    mb_error_next(error, "allow %s:%s to the role or user that calls, in its IAM policy",
                  iam_prefix(&context->service->service),
                  mb_model_text(context->model, context->operation->name));
}

static void next_when_refused(mb_error *error) {
  if (mb_aws_is_expired_code(error->code))
    mb_error_next(error, "log in again, or refresh the credentials where they come from");
  else if (strcmp(error->code, "RequestTimeTooSkewed") == 0 ||
           strcmp(error->code, "RequestExpired") == 0 ||
           strcmp(error->code, "RequestInTheFuture") == 0)
    mb_error_next(error, "set this machine's clock: AWS accepts a few minutes of difference");
  else
    mb_error_next(error, "check which credentials are in use (sts.get_caller_identity) and that "
                         "they belong to this region and partition");
}

static void next_when_throttled(mb_error *error) {
  if (strcmp(error->code, "LimitExceededException") == 0)
    mb_error_next(error, "this may be a quota of the account rather than a rate: see Service "
                         "Quotas, or try again later");
  else
    mb_error_next(error, "try again in a little while, with fewer calls at a time");
}

/* ---- making errors ---- */

void mb_aws_complete_error(const mb_error_context *context, mb_error *error) {
  mb_service service;
  mb_model_service(context->model, &service);
  snprintf(error->operation, sizeof error->operation, "%s.%s", service.namespace_,
           mb_model_text(context->model, context->operation->snake));
  if (context->region)
    mb_text_copy(error->region, sizeof error->region, context->region);
  if (context->endpoint)
    mb_text_copy(error->endpoint, sizeof error->endpoint, context->endpoint);
  error->attempts = context->attempts;
}

/* What services say may hold line breaks; an error's message and code are one line each. */
static void flatten(char *text) {
  char *out = text;
  for (const char *in = text; *in; in++) {
    bool space = *in == '\n' || *in == '\r' || *in == '\t' || *in == ' ';
    if (space && out > text && out[-1] == ' ')
      continue;
    *out++ = space ? ' ' : *in;
  }
  *out = '\0';
}

void mb_aws_service_error(const mb_error_context *context, const mb_service_error *answer,
                          int status, mb_error *error) {
  mb_error_kind kind = kind_of(answer->code, status);
  if (*answer->message)
    mb_error_set(error, kind, answer->code, "%s", answer->message);
  else
    mb_error_set(error, kind, answer->code,
                 "the service answered %s (HTTP status %d) and said no more", answer->code, status);
  flatten(error->message);
  flatten(error->code);
  error->status = status;
  mb_text_copy(error->request_id, sizeof error->request_id, answer->request_id);
  error->retryable = mb_retry_classify(status, answer->code, answer->shape) != MB_RETRY_NO;
  if (kind == MB_ERROR_DENIED)
    next_when_denied(context, error);
  else if (kind == MB_ERROR_CREDENTIALS)
    next_when_refused(error);
  else if (kind == MB_ERROR_THROTTLED)
    next_when_throttled(error);
  else if (status >= 500)
    mb_error_next(error, "the trouble is on the service's side: try again in a little while");
  else if (status < 400)
    mb_error_next(error, "check the endpoint: services answer calls themselves, and redirects are "
                         "not followed");
  mb_aws_complete_error(context, error);
}

void mb_aws_explain_failure(const mb_error_context *context, bool custom_endpoint,
                            mb_error *error) {
  mb_aws_complete_error(context, error);
  if (strcmp(error->code, "HostNotFound") == 0 && !custom_endpoint)
    mb_error_next(error,
                  "check that '%s' is an AWS region that has this service, and that names "
                  "can be looked up here",
                  error->region);
  else if (strcmp(error->code, "ConnectionRefused") == 0 && custom_endpoint)
    mb_error_next(error,
                  "check that something listens at %s; it comes from --endpoint-url, "
                  "AWS_ENDPOINT_URL or the profile",
                  error->endpoint);
  else if (!*error->next && error->kind != MB_ERROR_MEMORY && error->kind != MB_ERROR_LIMIT)
    mb_error_next(error, "check the way to %s (proxy, firewall, VPC endpoints)", error->endpoint);
}
