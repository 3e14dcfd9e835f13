/* Which IAM actions an operation needs: the signing name and the operation's own name, but for
 * those that AWS's authorisation names otherwise. */
#include "base/arena.h"
#include "call/declare.h"
#include <string.h>

#define MOST_ACTIONS 4

/* IAM's prefix where it is not the signing name. */
static const struct {
  const char *signing_name, *prefix;
} prefixes[] = {{"monitoring", "cloudwatch"}, {"tagging", "tag"}, {"awsssoportal", "sso"}};

typedef struct action_exception {
  const char *space, *operation; /* AWS's spelling */
  const char *actions;           /* separated by a space; "" for none */
} action_exception;

static const action_exception action_exceptions[] = {
    {"dynamodb", "BatchExecuteStatement",
     "dynamodb:PartiQLSelect dynamodb:PartiQLInsert dynamodb:PartiQLUpdate dynamodb:PartiQLDelete"},
    {"dynamodb", "ExecuteStatement",
     "dynamodb:PartiQLSelect dynamodb:PartiQLInsert dynamodb:PartiQLUpdate dynamodb:PartiQLDelete"},
    {"dynamodb", "ExecuteTransaction",
     "dynamodb:PartiQLSelect dynamodb:PartiQLInsert dynamodb:PartiQLUpdate dynamodb:PartiQLDelete"},
    {"dynamodb", "TransactGetItems", "dynamodb:GetItem"},
    {"dynamodb", "TransactWriteItems",
     "dynamodb:ConditionCheckItem dynamodb:DeleteItem dynamodb:PutItem dynamodb:UpdateItem"},
    {"ecs", "RegisterTaskDefinition", "ecs:RegisterTaskDefinition iam:PassRole"},
    {"ecs", "RunTask", "ecs:RunTask iam:PassRole"},
    {"ecs", "StartTask", "ecs:StartTask iam:PassRole"},
    {"kms", "ReEncrypt", "kms:ReEncryptFrom kms:ReEncryptTo"},
    {"lambda", "GetLayerVersionByArn", "lambda:GetLayerVersion"},
    {"lambda", "Invoke", "lambda:InvokeFunction"},
    {"lambda", "InvokeWithResponseStream", "lambda:InvokeFunction"},
    {"s3", "CompleteMultipartUpload", "s3:PutObject"},
    {"s3", "CopyObject", "s3:GetObject s3:PutObject"},
    {"s3", "CreateMultipartUpload", "s3:PutObject"},
    {"s3", "CreateSession", "s3express:CreateSession"},
    {"s3", "DeleteBucketAnalyticsConfiguration", "s3:PutAnalyticsConfiguration"},
    {"s3", "DeleteBucketCors", "s3:PutBucketCORS"},
    {"s3", "DeleteBucketEncryption", "s3:PutEncryptionConfiguration"},
    {"s3", "DeleteBucketIntelligentTieringConfiguration", "s3:PutIntelligentTieringConfiguration"},
    {"s3", "DeleteBucketInventoryConfiguration", "s3:PutInventoryConfiguration"},
    {"s3", "DeleteBucketLifecycle", "s3:PutLifecycleConfiguration"},
    {"s3", "DeleteBucketMetricsConfiguration", "s3:PutMetricsConfiguration"},
    {"s3", "DeleteBucketOwnershipControls", "s3:PutBucketOwnershipControls"},
    {"s3", "DeleteBucketReplication", "s3:PutReplicationConfiguration"},
    {"s3", "DeleteBucketTagging", "s3:PutBucketTagging"},
    {"s3", "DeleteObjects", "s3:DeleteObject"},
    {"s3", "DeletePublicAccessBlock", "s3:PutBucketPublicAccessBlock"},
    {"s3", "GetBucketAccelerateConfiguration", "s3:GetAccelerateConfiguration"},
    {"s3", "GetBucketAnalyticsConfiguration", "s3:GetAnalyticsConfiguration"},
    {"s3", "GetBucketCors", "s3:GetBucketCORS"},
    {"s3", "GetBucketEncryption", "s3:GetEncryptionConfiguration"},
    {"s3", "GetBucketIntelligentTieringConfiguration", "s3:GetIntelligentTieringConfiguration"},
    {"s3", "GetBucketInventoryConfiguration", "s3:GetInventoryConfiguration"},
    {"s3", "GetBucketLifecycle", "s3:GetLifecycleConfiguration"},
    {"s3", "GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration"},
    {"s3", "GetBucketMetricsConfiguration", "s3:GetMetricsConfiguration"},
    {"s3", "GetBucketNotificationConfiguration", "s3:GetBucketNotification"},
    {"s3", "GetBucketReplication", "s3:GetReplicationConfiguration"},
    {"s3", "GetObjectAttributes", "s3:GetObject s3:GetObjectAttributes"},
    {"s3", "GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration"},
    {"s3", "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"},
    {"s3", "HeadBucket", "s3:ListBucket"},
    {"s3", "HeadObject", "s3:GetObject"},
    {"s3", "ListBucketAnalyticsConfigurations", "s3:GetAnalyticsConfiguration"},
    {"s3", "ListBucketIntelligentTieringConfigurations", "s3:GetIntelligentTieringConfiguration"},
    {"s3", "ListBucketInventoryConfigurations", "s3:GetInventoryConfiguration"},
    {"s3", "ListBucketMetricsConfigurations", "s3:GetMetricsConfiguration"},
    {"s3", "ListBuckets", "s3:ListAllMyBuckets"},
    {"s3", "ListDirectoryBuckets", "s3express:ListAllMyDirectoryBuckets"},
    {"s3", "ListMultipartUploads", "s3:ListBucketMultipartUploads"},
    {"s3", "ListObjectVersions", "s3:ListBucketVersions"},
    {"s3", "ListObjects", "s3:ListBucket"},
    {"s3", "ListObjectsV2", "s3:ListBucket"},
    {"s3", "ListParts", "s3:ListMultipartUploadParts"},
    {"s3", "PutBucketAccelerateConfiguration", "s3:PutAccelerateConfiguration"},
    {"s3", "PutBucketAnalyticsConfiguration", "s3:PutAnalyticsConfiguration"},
    {"s3", "PutBucketCors", "s3:PutBucketCORS"},
    {"s3", "PutBucketEncryption", "s3:PutEncryptionConfiguration"},
    {"s3", "PutBucketIntelligentTieringConfiguration", "s3:PutIntelligentTieringConfiguration"},
    {"s3", "PutBucketInventoryConfiguration", "s3:PutInventoryConfiguration"},
    {"s3", "PutBucketLifecycle", "s3:PutLifecycleConfiguration"},
    {"s3", "PutBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration"},
    {"s3", "PutBucketMetricsConfiguration", "s3:PutMetricsConfiguration"},
    {"s3", "PutBucketNotificationConfiguration", "s3:PutBucketNotification"},
    {"s3", "PutBucketReplication", "s3:PutReplicationConfiguration"},
    {"s3", "PutObjectLockConfiguration", "s3:PutBucketObjectLockConfiguration"},
    {"s3", "PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock"},
    {"s3", "SelectObjectContent", "s3:GetObject"},
    {"s3", "UploadPart", "s3:PutObject"},
    {"s3", "UploadPartCopy", "s3:GetObject s3:PutObject"},
    {"s3", "WriteGetObjectResponse", "s3-object-lambda:WriteGetObjectResponse"},
    {"secretsmanager", "BatchGetSecretValue",
     "secretsmanager:BatchGetSecretValue secretsmanager:GetSecretValue"},
    {"sns", "PublishBatch", "sns:Publish"},
};

static const char *find_exception(const char *space, const char *operation) {
  for (size_t i = 0; i < sizeof action_exceptions / sizeof *action_exceptions; i++) {
    const action_exception *at = &action_exceptions[i];
    if (strcmp(at->space, space) == 0 && strcmp(at->operation, operation) == 0)
      return at->actions;
  }
  return NULL;
}

static const char *prefix_of(const char *signing_name) {
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
    if (strcmp(prefixes[i].signing_name, signing_name) == 0)
      return prefixes[i].prefix;
  }
  return signing_name;
}

static int split_actions(mb_arena *arena, const char *text, const char **actions) {
  size_t count = 0;
  while (*text && count < MOST_ACTIONS) {
    size_t size = strcspn(text, " ");
    actions[count] = mb_arena_strndup(arena, text, size);
    if (!actions[count++])
      return -1;
    text += size + (text[size] == ' ');
  }
  return 0;
}

int mb_operation_actions(mb_arena *arena, const mb_model *model, const mb_operation *operation,
                         const char *const **out) {
  *out = NULL;
  mb_service service;
  mb_model_service(model, &service);
  const char *name = mb_model_text(model, operation->name);
  const char *special = find_exception(service.namespace_, name);
  if (service.unsigned_all || (operation->flags & MB_OPERATION_UNSIGNED) || (special && !*special))
    return 0; /* IAM has no say in what is not signed */
  const char **actions = mb_arena_zero(arena, (MOST_ACTIONS + 1) * sizeof *actions);
  if (!actions)
    return -1;
  if (special) {
    if (split_actions(arena, special, actions) != 0)
      return -1;
  } else {
    actions[0] = mb_arena_printf(arena, "%s:%s", prefix_of(service.signing_name), name);
    if (!actions[0])
      return -1;
  }
  *out = actions;
  return 0;
}
