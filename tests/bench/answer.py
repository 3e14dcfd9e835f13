"""Prints a DescribeServices answer of the size that real ones have (about 4.8 kB)."""
import json

arn = "arn:aws:ecs:eu-west-1:123456789012:"
deployment = {
    "id": "ecs-svc/1234567890123456789", "status": "PRIMARY",
    "taskDefinition": arn + "task-definition/web:42", "desiredCount": 4, "pendingCount": 0,
    "runningCount": 4, "failedTasks": 0, "createdAt": 1760000000.123, "updatedAt": 1760000100.456,
    "launchType": "FARGATE", "platformVersion": "1.4.0", "rolloutState": "COMPLETED",
    "rolloutStateReason": "ECS deployment ecs-svc/1234567890123456789 completed."}
service = {
    "serviceArn": arn + "service/prod/service-00001", "serviceName": "service-00001",
    "clusterArn": arn + "cluster/prod", "status": "ACTIVE", "desiredCount": 4, "runningCount": 4,
    "pendingCount": 0, "launchType": "FARGATE", "taskDefinition": arn + "task-definition/web:42",
    "deploymentConfiguration": {"maximumPercent": 200, "minimumHealthyPercent": 100,
                                "deploymentCircuitBreaker": {"enable": True, "rollback": True}},
    "deployments": [deployment],
    "events": [{"id": "00000000-0000-4000-8000-%012d" % i, "createdAt": 1760000000.5 - 21600 * i,
                "message": "(service service-00001) has reached a steady state."} for i in range(20)],
    "createdAt": 1750000000.0, "healthCheckGracePeriodSeconds": 60}
print(json.dumps({"services": [service], "failures": []}))
