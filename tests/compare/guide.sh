#!/bin/sh
# The shell commands of the ECS deployment guide, with the AWS CLI's own wait after each: what a person does who has
# nothing but the CLI.
#   guide.sh deploy CLUSTER SERVICE CONTAINER IMAGE
#   guide.sh restart CLUSTER SERVICE
#   guide.sh rollback CLUSTER SERVICE [TASK-DEFINITION]
set -eu
action=$1 cluster=$2 service=$3

# A new revision of the service's task definition, with another image.
register() {
  current=$(aws ecs describe-services --cluster "$cluster" --services "$service" \
    --query 'services[0].taskDefinition' --output text)
  aws ecs describe-task-definition --task-definition "$current" --query taskDefinition --output json >definition.json
  python3 - "$1" "$2" <<'END'
import json
import sys

definition = json.load(open("definition.json"))
for name in ("taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt",
             "registeredBy", "deregisteredAt"):
    definition.pop(name, None)
for container in definition["containerDefinitions"]:
    if container["name"] == sys.argv[1]:
        container["image"] = sys.argv[2]
json.dump(definition, open("definition.json", "w"))
END
  aws ecs register-task-definition --cli-input-json file://definition.json \
    --query taskDefinition.taskDefinitionArn --output text
}

case $action in
deploy)
  definition=$(register "$4" "$5")
  aws ecs update-service --cluster "$cluster" --service "$service" --task-definition "$definition" \
    --force-new-deployment >update.json
  ;;
restart)
  aws ecs update-service --cluster "$cluster" --service "$service" --force-new-deployment >update.json
  ;;
rollback)
  PREVIOUS_TASK_DEF=${4:-$(aws ecs describe-services \
    --cluster "$cluster" \
    --services "$service" \
    --query 'services[0].deployments[1].taskDefinition' \
    --output text)}
  aws ecs update-service \
    --cluster "$cluster" \
    --service "$service" \
    --task-definition "$PREVIOUS_TASK_DEF" \
    --force-new-deployment >update.json
  ;;
esac
aws ecs wait services-stable --cluster "$cluster" --services "$service"
