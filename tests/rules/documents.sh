#!/bin/sh
# Generated documents say what the program says.
set -eu
cd "$1"
moonbook=$2
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
docs/generate.sh "$moonbook" "$temporary"
failed=0
for file in "$temporary"/*; do
  name=$(basename "$file")
  diff -u "docs/$name" "$file" || {
    echo "docs/$name is out of date; run: make docs"
    failed=1
  }
done
exit $failed
