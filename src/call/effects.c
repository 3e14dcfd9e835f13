/* What operations do to the world and how a resume settles them: the one place that knows.
 *
 * Models say little of this, so it follows from an operation's verb, with exceptions by name. The
 * rules err to the careful side: an unknown verb writes, and what is not known to be repeatable is
 * never repeated. What to check when a model is added: its verbs, and its Get and Create operations
 * against the access level that AWS documents for the action.
 *
 * "Destroys" means that the same caller cannot put the thing back: a security group's rule, a tag
 * or a target's registration can be given again, a volume or a stopped task cannot. Operations that
 * carry code or statements (ecs.execute_command, ssm.send_command, dynamodb.execute_statement) can
 * do anything; they count as writes that are never repeated by themselves. */
#include "base/text.h"
#include "call/declare.h"
#include <string.h>

/* ---- tables ---- */

/* Verbs as the first word of an operation's name in snake_case. Verbs in none of these lists write,
 * once. */
static const char *const reading_verbs[] = {
    "check",  "decode", "describe", "detect", "discover", "estimate", "filter",
    "get",    "head",   "list",     "lookup", "preview",  "query",    "scan",
    "search", "select", "simulate", "test",   "validate", NULL};

static const char *const destroying_verbs[] = {"abort",     "delete", "deprovision", "deregister",
                                               "destroy",   "expire", "purge",       "release",
                                               "terminate", NULL};

/* Writes that set a state: done twice, they leave what they leave when done once. */
static const char *const converging_verbs[] = {
    "activate", "add",        "assign",    "associate", "attach",       "authorize", "cancel",
    "continue", "deactivate", "detach",    "disable",   "disassociate", "enable",    "label",
    "modify",   "monitor",    "move",      "put",       "reject",       "remove",    "replace",
    "reset",    "restore",    "revoke",    "set",       "skip",         "stop",      "tag",
    "unassign", "unlabel",    "unmonitor", "untag",     "update",       NULL};

typedef struct effect_exception {
  const char *name; /* ends with '*': every name that starts so */
  mb_effect effect;
} effect_exception;

static const effect_exception effect_exceptions[] = {
    /* These look but are named otherwise. */
    {"acm.export_certificate", MB_EFFECT_READS},
    {"cloudformation.detect_*", MB_EFFECT_READS},
    {"cloudtrail.cancel_query", MB_EFFECT_READS},
    {"cloudtrail.generate_query", MB_EFFECT_READS},
    {"cloudtrail.start_query", MB_EFFECT_READS},
    {"ec2.export_client_vpn_client_*", MB_EFFECT_READS},
    {"ec2.export_verified_access_instance_client_configuration", MB_EFFECT_READS},
    {"iam.generate_*", MB_EFFECT_READS}, /* reports about what is; AWS calls them reads */
    {"kms.decrypt", MB_EFFECT_READS},    /* a key is used, nothing changes */
    {"kms.derive_shared_secret", MB_EFFECT_READS},
    {"kms.encrypt", MB_EFFECT_READS},
    {"kms.generate_*", MB_EFFECT_READS},
    {"kms.re_encrypt", MB_EFFECT_READS},
    {"kms.sign", MB_EFFECT_READS},
    {"kms.verify*", MB_EFFECT_READS},
    {"logs.start_live_tail", MB_EFFECT_READS},
    {"logs.start_query", MB_EFFECT_READS},
    {"logs.stop_query", MB_EFFECT_READS},
    {"s3.create_session", MB_EFFECT_READS}, /* credentials, as sts gives them */
    {"sts.*", MB_EFFECT_READS},
    {"dynamodb.transact_get_items", MB_EFFECT_READS},
    {"wafv2.generate_mobile_sdk_release_url", MB_EFFECT_READS},
    /* These are named like reads and are none. */
    {"cloudformation.test_type", MB_EFFECT_WRITES},
    {"ec2.get_flow_logs_integration_template", MB_EFFECT_WRITES}, /* puts a file into a bucket */
    /* What these take away can be given again. */
    {"ec2.deregister_instance_event_notification_attributes", MB_EFFECT_WRITES},
    {"ec2.deregister_transit_gateway_multicast_group_*", MB_EFFECT_WRITES},
    {"elbv2.deregister_targets", MB_EFFECT_WRITES},
    {"servicediscovery.deregister_instance", MB_EFFECT_WRITES},
    {"ssm.deregister_patch_baseline_for_patch_group", MB_EFFECT_WRITES},
    {"ecr.deregister_pull_time_update_exclusion", MB_EFFECT_WRITES},
    /* What these take away cannot. */
    {"acm.revoke_*", MB_EFFECT_DESTROYS},
    {"ec2.cancel_capacity_reservation*", MB_EFFECT_DESTROYS},
    {"ec2.cancel_spot_*", MB_EFFECT_DESTROYS},
    {"ecs.stop_task", MB_EFFECT_DESTROYS},
    {"iam.reset_service_specific_credential", MB_EFFECT_DESTROYS},
    {"kms.schedule_key_deletion", MB_EFFECT_DESTROYS},
    {"lambda.stop_durable_execution", MB_EFFECT_DESTROYS},
    {NULL, MB_EFFECT_WRITES}};

typedef struct recovery_exception {
  const char *name;
  mb_recovery recovery;
} recovery_exception;

static const recovery_exception recovery_exceptions[] = {
    /* Named after a state, but each call makes or counts something anew. */
    {"cloudwatch.put_metric_data", MB_RECOVERY_ONCE},
    {"dynamodb.update_item", MB_RECOVERY_ONCE}, /* may add to a number or a list */
    {"ecr.put_account_setting", MB_RECOVERY_CONVERGE},
    {"events.put_events", MB_RECOVERY_ONCE},
    {"events.put_partner_events", MB_RECOVERY_ONCE},
    {"iam.reset_service_specific_credential", MB_RECOVERY_ONCE},
    {"logs.put_log_events", MB_RECOVERY_ONCE},
    {"ssm.update_document", MB_RECOVERY_ONCE}, /* a new version each time */
    {"cloudformation.record_handler_progress", MB_RECOVERY_ONCE},
    {"ec2.restore_*", MB_RECOVERY_ONCE},
    {"dynamodb.restore_*", MB_RECOVERY_ONCE},
    /* Makes a new thing each time, which can be found by its tags. */
    {"ecs.register_daemon_task_definition", MB_RECOVERY_FIND},
    {"ecs.register_task_definition", MB_RECOVERY_FIND},
    /* Named by their caller: a second one finds the first. */
    {"application_autoscaling.register_scalable_target", MB_RECOVERY_CONVERGE},
    {"codedeploy.register_on_premises_instance", MB_RECOVERY_CONVERGE},
    {"dynamodb.batch_write_item", MB_RECOVERY_CONVERGE},
    {"dynamodb.create_table", MB_RECOVERY_CONVERGE},
    {"ec2.reboot_instances", MB_RECOVERY_ONCE},
    {"ec2.start_instances", MB_RECOVERY_CONVERGE},
    {"ecr.create_repository", MB_RECOVERY_CONVERGE},
    {"ecs.create_capacity_provider", MB_RECOVERY_CONVERGE},
    {"ecs.create_cluster", MB_RECOVERY_CONVERGE},
    {"elbv2.create_load_balancer", MB_RECOVERY_CONVERGE},
    {"elbv2.create_target_group", MB_RECOVERY_CONVERGE},
    {"elbv2.register_targets", MB_RECOVERY_CONVERGE},
    {"iam.create_group", MB_RECOVERY_CONVERGE},
    {"iam.create_instance_profile", MB_RECOVERY_CONVERGE},
    {"iam.create_role", MB_RECOVERY_CONVERGE},
    {"iam.create_user", MB_RECOVERY_CONVERGE},
    {"logs.create_log_group", MB_RECOVERY_CONVERGE},
    {"logs.create_log_stream", MB_RECOVERY_CONVERGE},
    {"kms.schedule_key_deletion", MB_RECOVERY_CONVERGE},
    {"route53.change_resource_record_sets", MB_RECOVERY_CONVERGE},
    {"s3.copy_object", MB_RECOVERY_CONVERGE},
    {"s3.create_bucket", MB_RECOVERY_CONVERGE},
    {"s3.upload_part*", MB_RECOVERY_CONVERGE},
    {"servicediscovery.register_instance", MB_RECOVERY_CONVERGE},
    {"sns.subscribe", MB_RECOVERY_CONVERGE},
    {"sns.unsubscribe", MB_RECOVERY_CONVERGE},
    {NULL, MB_RECOVERY_ONCE}};

/* ---- looking things up ---- */

static bool first_word_in(const char *name, const char *const *words) {
  size_t size = strcspn(name, "_");
  for (; *words; words++) {
    if (strlen(*words) == size && memcmp(*words, name, size) == 0)
      return true;
  }
  return false;
}

/* "ecs.stop_task" against a table's name, which may end with '*'. */
static bool name_matches(const char *pattern, const char *space, const char *snake) {
  size_t size = strlen(space);
  if (strncmp(pattern, space, size) != 0 || pattern[size] != '.')
    return false;
  pattern += size + 1;
  size = strlen(pattern);
  if (size > 0 && pattern[size - 1] == '*')
    return strncmp(pattern, snake, size - 1) == 0;
  return strcmp(pattern, snake) == 0;
}

/* The verb that says what a batch does is its second word. */
static const char *telling_words(const char *snake) {
  if (mb_text_starts(snake, "batch_"))
    return snake + strlen("batch_");
  return snake;
}

static mb_effect effect_of_verb(const mb_operation *operation, const char *snake) {
  const char *words = telling_words(snake);
  if (first_word_in(words, destroying_verbs))
    return MB_EFFECT_DESTROYS;
  if (first_word_in(words, reading_verbs) || (operation->flags & MB_OPERATION_READ_ONLY))
    return MB_EFFECT_READS;
  return MB_EFFECT_WRITES;
}

mb_effect mb_operation_effect(const mb_model *model, const mb_operation *operation) {
  mb_service service;
  mb_model_service(model, &service);
  const char *snake = mb_model_text(model, operation->snake);
  for (const effect_exception *at = effect_exceptions; at->name; at++) {
    if (name_matches(at->name, service.namespace_, snake))
      return at->effect;
  }
  return effect_of_verb(operation, snake);
}

/* ---- recovery ---- */

static bool has_flagged_token(const mb_model *model, const mb_shape *input) {
  const mb_member *members = mb_model_members(model, input);
  for (uint32_t i = 0; i < input->member_count; i++) {
    if (members[i].flags & MB_MEMBER_IDEMPOTENCY_TOKEN)
      return true;
  }
  return false;
}

/* Models flag few of the tokens that services honour. */
const char *mb_operation_token(const mb_model *model, const mb_operation *operation) {
  static const char *const names[] = {"client_token", "client_request_token"};
  if (operation->input == MB_NO_INDEX || mb_operation_effect(model, operation) == MB_EFFECT_READS ||
      mb_operation_recovery(model, operation) != MB_RECOVERY_TOKEN)
    return NULL;
  const mb_shape *input = mb_model_shape(model, operation->input);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const mb_member *member = mb_model_member(model, input, names[i], strlen(names[i]));
    if (!member || (member->flags & MB_MEMBER_IDEMPOTENCY_TOKEN))
      continue;
    if (mb_model_shape(model, member->shape)->type == MB_SHAPE_STRING)
      return names[i];
  }
  return NULL;
}

static bool has_token(const mb_model *model, const mb_operation *operation) {
  if (operation->input == MB_NO_INDEX)
    return false;
  const mb_shape *input = mb_model_shape(model, operation->input);
  return has_flagged_token(model, input) ||
         mb_model_member(model, input, "client_token", strlen("client_token")) ||
         mb_model_member(model, input, "client_request_token", strlen("client_request_token"));
}

mb_recovery mb_operation_recovery(const mb_model *model, const mb_operation *operation) {
  if (mb_operation_effect(model, operation) == MB_EFFECT_READS)
    return MB_RECOVERY_READ;
  mb_service service;
  mb_model_service(model, &service);
  const char *snake = mb_model_text(model, operation->snake);
  for (const recovery_exception *at = recovery_exceptions; at->name; at++) {
    if (name_matches(at->name, service.namespace_, snake))
      return at->recovery;
  }
  if (has_token(model, operation))
    return MB_RECOVERY_TOKEN;
  const char *words = telling_words(snake);
  if (first_word_in(words, converging_verbs) || first_word_in(words, destroying_verbs))
    return MB_RECOVERY_CONVERGE; /* a second removal finds nothing left */
  return MB_RECOVERY_ONCE;
}

/* ---- names ---- */

const char *mb_effect_name(mb_effect effect) {
  switch (effect) {
  case MB_EFFECT_READS:
    return "reads";
  case MB_EFFECT_WRITES:
    return "writes";
  case MB_EFFECT_DESTROYS:
    return "destroys";
  }
  return "unknown";
}

const char *mb_recovery_name(mb_recovery recovery) {
  switch (recovery) {
  case MB_RECOVERY_PURE:
    return "pure";
  case MB_RECOVERY_VALUE:
    return "value";
  case MB_RECOVERY_READ:
    return "read";
  case MB_RECOVERY_TOKEN:
    return "token";
  case MB_RECOVERY_CONVERGE:
    return "converge";
  case MB_RECOVERY_FIND:
    return "find";
  case MB_RECOVERY_ONCE:
    return "once";
  case MB_RECOVERY_WAIT:
    return "wait";
  }
  return "unknown";
}
