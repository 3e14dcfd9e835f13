#!/bin/sh
# Runs the tests of a build directory and closes with "N passed, N failed, N skipped". In CI a
# skipped test is a failure: nothing may go unchecked and look green.
set -u
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")/.." && pwd)
# Nothing of the caller's may reach a test, least of all real credentials.
for name in $(env | sed -n 's/^\(AWS_[A-Za-z0-9_]*\)=.*/\1/p'); do unset "$name"; done
unset MOONBOOK_PATH MOONBOOK_NO_COLOR NO_COLOR CLICOLOR_FORCE
export MOONBOOK_VENV="$here/.venv"
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

rm -f "$build/test-report.xml"
ctest --test-dir "$build" --no-tests=error -j "$(nproc)" --output-junit "$build/test-report.xml" \
  >"$build/test-output.txt" 2>&1
exec python3 "$here/tests/report.py" "$build/test-report.xml" "$build/test-output.txt"
