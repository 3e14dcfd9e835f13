#!/bin/sh
# Commands that need no network load neither libcurl nor OpenSSL nor libgit2: that is most of what
# starting costs.
set -eu
moonbook=$1
failed=0
for arguments in "version" "list" "help" "help ecs.describe_services" "show validate/service"; do
  loaded=$(LD_DEBUG=libs "$moonbook" $arguments 2>&1 >/dev/null | grep -oE 'lib(curl|crypto|ssl|git2|microhttpd)\.so[.0-9]*' | sort -u || true)
  if [ -n "$loaded" ]; then
    echo "moonbook $arguments loads $loaded"
    failed=1
  fi
done
exit $failed
