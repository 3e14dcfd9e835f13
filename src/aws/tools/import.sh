#!/bin/sh
# Imports service models from an installed (or unpacked) botocore into src/aws/models.
#
#   src/aws/tools/import.sh MBMODEL BOTOCORE [OUT]
#
# MBMODEL is the built tool, BOTOCORE the package's folder (the one that holds data/ and
# __init__.py), OUT the folder to write, src/aws/models by default. Which services is said by
# SERVICES below; "SERVICES=all" in the environment takes every one.
set -eu

usage() {
  echo "usage: $0 MBMODEL BOTOCORE_PACKAGE_DIR [OUT_DIR]" >&2
  exit 2
}

[ $# -ge 2 ] || usage
tool=$1
package=$2
out=${3:-$(dirname "$0")/../models}
SERVICES=${SERVICES:-"acm application-autoscaling ce cloudformation cloudtrail cloudwatch codedeploy
  dynamodb ec2 ecr ecs elbv2 events iam kms lambda logs pricing resourcegroupstaggingapi route53 s3
  secretsmanager servicediscovery signin sns ssm sso sso-oidc sts wafv2"}

[ -x "$tool" ] || { echo "$0: $tool is not a program" >&2; exit 1; }
[ -d "$package/data" ] || { echo "$0: $package holds no folder data" >&2; exit 1; }
version=$(sed -n "s/^__version__ = '\(.*\)'$/\1/p" "$package/__init__.py")
[ -n "$version" ] || { echo "$0: $package/__init__.py does not say its version" >&2; exit 1; }
if [ "$SERVICES" = all ]; then
  SERVICES=$(cd "$package/data" && for d in */; do [ "$d" = __pycache__/ ] || echo "${d%/}"; done)
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
echo "$version" >"$work/botocore.version"
cp "$package/data/partitions.json" "$work/"
for service in $SERVICES; do
  [ -d "$package/data/$service" ] || { echo "$0: botocore has no service $service" >&2; exit 1; }
  cp -R "$package/data/$service" "$work/$service"
done
find "$work" -name '*.gz' -exec gzip -d {} +
mkdir -p "$out"
# shellcheck disable=SC2086  # the list is meant to be split
"$tool" import "$work" "$out" $SERVICES
