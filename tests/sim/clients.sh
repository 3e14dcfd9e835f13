#!/bin/sh
# Real clients against the server: clients.sh PATH-OF-MOONBOOK. Debian's AWS CLI, and boto3 of the
# virtual environment in MOONBOOK_VENV (.venv of this repository when unset). Skipped (77) where there
# is neither.
set -u
moonbook=$1
here=$(cd "$(dirname "$0")" && pwd)
venv=${MOONBOOK_VENV:-$here/../../.venv}
python=$venv/bin/python3
[ -x "$python" ] || python=$(command -v python3 || true)
if [ -z "$python" ]; then
  echo "skipped: there is no python3"
  exit 77
fi
exec "$python" "$here/clients.py" "$moonbook"
