#!/bin/sh
# Makes .venv with moto and boto3 at pinned versions, for the tests and the demo that need an AWS to
# talk to. Where PyPI cannot be had it says so and goes on: the tests that need it then skip.
set -eu
cd "$(dirname "$0")/.."
stamp=.venv/requirements.txt
cmp -s tests/requirements.txt "$stamp" 2>/dev/null && exit 0
rm -rf .venv
if ! python3 -m venv .venv >/dev/null 2>&1; then
  echo "venv: python3 has no venv module; tests against moto will be skipped" >&2
  rm -rf .venv
  exit 0
fi
echo "venv: installing moto and boto3"
if .venv/bin/pip install -q --disable-pip-version-check -r tests/requirements.txt; then
  cp tests/requirements.txt "$stamp"
else
  echo "venv: PyPI cannot be reached; tests against moto will be skipped" >&2
  rm -rf .venv
fi
