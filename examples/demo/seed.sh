#!/bin/sh
# Fills an empty moto with the service of the deployment guide, environment dev, by `moonbook call`.
set -eu
call() { "$MOONBOOK" call "$@"; }
value() { python3 -c "import json, sys; data = json.load(sys.stdin); print(eval(sys.argv[1], {}, {'data': data}))" "$1"; }
quiet() { call "$@" >/dev/null; }

quiet ecs.create_cluster --cluster_name aistudio-dev
vpc=$(call ec2.describe_vpcs | value 'data["vpcs"][0]["vpc_id"]')
subnets=$(call ec2.describe_subnets | value '",".join("\"%s\"" % s["subnet_id"] for s in data["subnets"][:2])')
group=$(call elbv2.create_target_group --name aistudio-dev --protocol HTTP --port 3000 \
  --target_type ip --vpc_id "$vpc" --health_check_path /api/healthz |
  value 'data["target_groups"][0]["target_group_arn"]')
quiet elbv2.create_load_balancer --name aistudio-dev --subnets "[$subnets]"
quiet elbv2.register_targets --target_group_arn "$group" --targets '[{"id": "10.0.0.10"}]'
quiet ecs.register_task_definition --family aistudio-dev --network_mode awsvpc \
  --requires_compatibilities FARGATE --cpu 512 --memory 1024 \
  --container_definitions '[{"name": "app", "image": "aistudio-dev:latest", "memory": 1024, "port_mappings": [{"container_port": 3000}]}]'
quiet ecs.create_service --cluster aistudio-dev --service_name aistudio-dev \
  --task_definition aistudio-dev --desired_count 1 --launch_type FARGATE \
  --load_balancers "[{\"target_group_arn\": \"$group\", \"container_name\": \"app\", \"container_port\": 3000}]"
# moto starts no task of a service; a task run by hand stands in for it. Left alone it would move on by
# one state, towards its end, each time somebody looks at it.
python3 - "$AWS_ENDPOINT_URL" <<'PYTHON'
import json, sys, urllib.request
body = {"model_name": "ecs::task", "transition": {"progression": "manual", "times": 1000}}
urllib.request.urlopen(sys.argv[1] + "/moto-api/state-manager/set-transition", json.dumps(body).encode())
PYTHON
security=$(call ec2.describe_security_groups | value 'data["security_groups"][0]["group_id"]')
quiet ecs.run_task --cluster aistudio-dev --task_definition aistudio-dev --launch_type FARGATE \
  --network_configuration "{\"awsvpc_configuration\": {\"subnets\": [$subnets], \"security_groups\": [\"$security\"]}}"
