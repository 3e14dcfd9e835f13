"""The same calls by boto3. usage: boto.py URL CALLS THREADS"""
import sys
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config

url, calls, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
client = boto3.client("ecs", endpoint_url=url, config=Config(max_pool_connections=max(threads, 10)))


def call(_):
    answer = client.describe_services(cluster="prod", services=["service-00001"])
    assert answer["services"][0]["runningCount"] == 4


if threads > 1:
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(call, range(calls)))
else:
    for i in range(calls):
        call(i)
