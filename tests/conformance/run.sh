#!/bin/sh
# Runs every conformance suite over a folder of them and prints a summary.
#
#     run.sh CORPUS [MBCONF [MODELDIR]]
#
# CORPUS has the folders protocol/input, protocol/output, sigv4, endpoint, jmespath and profile; one
# that is missing is skipped, and said so. The cases themselves go to OUT (environment; a temporary
# folder unless set), one TAP file per suite; what failed is printed. Exits with 0 when cases ran and
# none failed.
set -u

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH= cd -- "$here/../.." && pwd)

if [ $# -lt 1 ] || [ ! -d "$1" ]; then
  echo "usage: run.sh CORPUS [MBCONF [MODELDIR]]: CORPUS must be a folder of suites" >&2
  exit 2
fi
corpus=$1
mbconf=${2:-}
models=${3:-$root/src/aws/models}
if [ -z "$mbconf" ]; then
  for build in dev release sanitize; do
    candidate=$root/build/$build/tests/conformance/mbconf
    if [ -x "$candidate" ]; then
      mbconf=$candidate
      break
    fi
  done
fi
if [ ! -x "$mbconf" ]; then
  echo "run.sh: mbconf is not built; run: cmake --preset dev && cmake --build --preset dev" >&2
  exit 2
fi

out=${OUT:-}
if [ -z "$out" ]; then
  out=$(mktemp -d) || exit 2
  trap 'rm -rf "$out"' EXIT
fi
mkdir -p "$out" || exit 2

passed=0 failed=0 skipped=0 broken=0

# suite LABEL ARGUMENTS...: runs one, prints what failed and its summary, adds it up.
suite() {
  label=$1
  shift
  tap=$out/$(printf %s "$label" | tr ' ' -).tap
  status=0
  "$mbconf" "$@" >"$tap" || status=$?
  last=$(tail -n 1 "$tap")
  counts=$(printf '%s\n' "$last" |
    sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p')
  if [ -z "$counts" ]; then
    printf '%-16s broke off (exit code %s)\n' "$label" "$status"
    broken=1
    return
  fi
  # shellcheck disable=SC2086
  set -- $counts
  grep '^not ok' "$tap"
  printf '%-16s %s\n' "$label" "$last"
  passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
  if [ "$status" -ne 0 ] && [ "$2" -eq 0 ]; then
    echo "  exit code $status although nothing failed"
    broken=1
  fi
}

# files LABEL FOLDER ARGUMENTS...: a suite over every .json file of a folder.
files() {
  label=$1 folder=$corpus/$2
  shift 2
  set -- "$@" "$folder"/*.json
  for last_file in "$@"; do :; done
  if [ ! -f "$last_file" ]; then
    printf '%-16s not in this corpus\n' "$label"
    return
  fi
  suite "$label" "$@"
}

files "protocol input" protocol/input protocol input
files "protocol output" protocol/output protocol output
if [ -d "$corpus/sigv4" ]; then
  suite sigv4 sigv4 "$corpus/sigv4"
else
  printf '%-16s not in this corpus\n' sigv4
fi
files endpoint endpoint endpoint "$models"
files jmespath jmespath jmespath
files profile profile profile

total=$((passed + failed + skipped))
echo "$total cases ran"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$broken" -eq 0 ] && [ "$passed" -gt 0 ]
