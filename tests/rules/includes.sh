#!/bin/sh
# Who may include whom (docs/architecture.md). A folder may include itself, what its line allows, and
# moonbook/*.h; a library's headers belong to the one folder that wraps it.
set -eu
cd "$1"
failed=0

complain() {
  echo "$1"
  failed=1
}

allowed() {
  case $1 in
  base) echo "base" ;;
  loop) echo "loop base" ;;
  aws) echo "aws loop base" ;;
  image) echo "image aws loop base" ;;
  source) echo "source base" ;;
  call) echo "call aws loop base" ;;
  primitives) echo "primitives call image source base" ;;
  script) echo "script call base" ;;
  run) echo "run script call source base" ;;
  sim) echo "sim script aws loop base" ;;
  cli) echo "cli" ;;
  *) echo "" ;;
  esac
}

for folder in src/*/; do
  name=$(basename "$folder")
  may=$(allowed "$name")
  [ -n "$may" ] || complain "src/$name: a folder that the rules do not know; add its line here and in docs/architecture.md"
  grep -rHno '#include "[^"]*"' --include='*.[ch]' "$folder" >/tmp/includes.$$ || true
  while IFS=: read -r file line text; do
    path=${text#*\"}
    case $path in
    */*) from=${path%%/*} ;;
    *) from=$name ;; # beside the file itself
    esac
    case " $may " in
    *" $from "*) ;;
    *) complain "$file:$line: src/$name may not include $path" ;;
    esac
  done </tmp/includes.$$
  rm -f /tmp/includes.$$
done

# only FOLDER HEADER-PATTERN: no other folder includes these headers.
only() {
  grep -rHn "#include <$2" --include='*.[ch]' src include | grep -v "^src/$1" >/tmp/only.$$ || true
  while read -r line; do
    complain "$line: only src/$1 may include <$2...>"
  done </tmp/only.$$
  rm -f /tmp/only.$$
}
only script/lua_api.h 'l\(ua\|auxlib\|ualib\)'
only loop/ 'curl/'
only source/ 'git2'
only base/digest.c 'openssl/'
only sim/httpd.h 'microhttpd'
only aws/ 'expat'
only aws/credentials/document.c 'cjson'
only '\(aws/codec/compress.c\|source/loose.c\)' 'zlib'

exit $failed
