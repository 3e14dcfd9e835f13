#!/bin/sh
# Sets up the tools below build/compare, at pinned versions, and compares them: run.sh BUILD [OPTION ...]. Options are
# those of compare.py, e.g. --only rollback --tool moonbook; with any of them docs/comparison.md is left alone.
set -eu
build=$(cd "$1" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$root/build/compare

# A virtual environment of its own for each tool: they want different versions of the same libraries.
provide() {
  stamp=$work/$1/.requirements
  if ! cmp -s "$here/requirements-$1.txt" "$stamp"; then
    echo "compare: installing $1"
    python3 -m venv --clear "$work/$1"
    "$work/$1/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements-$1.txt"
    cp "$here/requirements-$1.txt" "$stamp"
  fi
}

export PYTHONDONTWRITEBYTECODE=1
mkdir -p "$work"
provide aws
provide ecs-deploy
rm -rf "$work/runs"
if [ $# -eq 0 ]; then
  set -- --document "$root/docs/comparison.md" --results "$work/results.json"
fi
exec python3 "$here/compare.py" --moonbook "$build/moonbook" --clock "$build/tests/compare/libclient_clock.so" \
  --aws "$work/aws" --ecs-deploy "$work/ecs-deploy" --work "$work/runs" "$@"
