#!/bin/sh
# Prints the ARN of the demo's target group.
"$1" call elbv2.describe_target_groups --names aistudio-dev |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["target_groups"][0]["target_group_arn"])'
