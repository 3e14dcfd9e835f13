#!/bin/sh
# Real clients against the simulator: run.sh MOONBOOK TOOLS. Installs the pinned clients into the folder
# TOOLS, then runs them.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
"$here/install.sh" "$2"
python=$2/python/bin/python
[ -x "$python" ] && [ ! -e "$2/missing/python" ] || python=python3
exec "$python" "$here/clients.py" "$1" "$2"
