#!/bin/sh
# What stands at the top, no leftovers, and no runbook without a spec for success and for failure.
set -eu
cd "$1"
failed=0
complain() {
  echo "$1"
  failed=1
}

for entry in $(git ls-files 2>/dev/null | sed 's|/.*||' | sort -u); do
  case $entry in
  CMakeLists.txt | CMakePresets.json | Makefile | LICENSE | README.md | CHANGELOG.md) ;;
  src | include | runbooks | lua | tests | examples | docs | .ci) ;;
  .gitignore | .clang-format | .clang-tidy) ;;
  *) complain "$entry: does not belong at the top" ;;
  esac
done

if grep -rnE '\b(TODO|FIXME|XXX|HACK)\b' --include='*.[ch]' --include='*.lua' --include='*.sh' \
  --exclude-dir=rules src include runbooks lua tests examples; then
  complain "a note to self was left behind"
fi
if grep -rnE '\b(strtok|gets|strcpy|strcat|sprintf|atoi|alloca|system|popen)\(' --include='*.c' src; then
  complain "a function that cannot be used safely"
fi

for manifest in $(find runbooks -name manifest.lua); do
  folder=$(dirname "$manifest")
  [ -f "$folder/runbook.lua" ] || complain "$folder has no runbook.lua"
  [ -d "$folder/tests" ] || complain "$folder has no tests"
done
exit $failed
