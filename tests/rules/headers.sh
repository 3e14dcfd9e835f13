#!/bin/sh
# Every header compiles alone: the public ones as C11 and as C++17, ours as C11.
set -eu
cd "$1"
cc=$2
cxx=$3
failed=0
for header in include/moonbook/*.h; do
  echo "#include <${header#include/}>" >/tmp/header.$$.c
  cp /tmp/header.$$.c /tmp/header.$$.cc
  "$cc" -std=c11 -Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only /tmp/header.$$.c || failed=1
  "$cxx" -std=c++17 -Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only /tmp/header.$$.cc || failed=1
done
lua=$(pkg-config --cflags lua5.4)
for header in $(find src -name '*.h'); do
  echo "#include \"${header#src/}\"" >/tmp/header.$$.c
  "$cc" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -Iinclude -Isrc $lua -fsyntax-only \
    /tmp/header.$$.c || { echo "$header does not compile alone"; failed=1; }
done
rm -f /tmp/header.$$.c /tmp/header.$$.cc
exit $failed
