#!/bin/sh
# Runs the tests that talk to moto over the wire: run.sh PATH-OF-MOONBOOK. moto comes from the virtual
# environment in MOONBOOK_VENV (.venv of this repository when unset), else from PATH. Without it the
# tests are skipped (77), which in CI is a failure.
set -u
moonbook=$1
here=$(cd "$(dirname "$0")" && pwd)
venv=${MOONBOOK_VENV:-$here/../../.venv}

if [ -x "$venv/bin/moto_server" ]; then
  server=$venv/bin/moto_server
  python=$venv/bin/python3
else
  server=$(command -v moto_server || true)
  python=$(command -v python3 || true)
fi
if [ -z "$server" ] || [ -z "$python" ]; then
  reason="moto_server is neither in $venv nor in PATH; \"make venv\" installs it"
  if [ "${CI:-}" = true ]; then
    echo "failed: $reason"
    exit 1
  fi
  echo "skipped: $reason"
  echo "0 passed, 0 failed, 1 skipped"
  exit 77
fi
exec "$python" "$here/wire.py" "$moonbook" "$server"
