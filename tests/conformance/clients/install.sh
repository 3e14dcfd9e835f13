#!/bin/sh
# Installs the pinned clients into a folder: install.sh DIR. Nothing is installed outside of it, but for what
# the package managers cache. What cannot be had is no error here: DIR/missing/NAME then says why, and
# clients.py counts it as skipped.
#
#     DIR/python/   requirements.txt: boto3 and the AWS CLI
#     DIR/cdk/      package.json: the CDK CLI and its library
#     DIR/bin/      go-tools.txt
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
mkdir -p "$1/missing" "$1/bin" "$1/cdk"
to=$(CDPATH= cd -- "$1" && pwd)
rm -f "$to"/missing/*

# try NAME COMMAND...: runs it quietly; when it fails, the last of what it said is why NAME is missing.
try() {
  name=$1
  shift
  if "$@" >"$to/log" 2>&1; then
    return 0
  fi
  tail -n 3 "$to/log" | tr '\n' ' ' >"$to/missing/$name"
  echo "clients: $name cannot be installed: $(cat "$to/missing/$name")" >&2
  return 1
}

install_python() {
  cmp -s "$here/requirements.txt" "$to/python/requirements.txt" && return 0
  rm -rf "$to/python"
  echo "clients: installing boto3 and the AWS CLI"
  try python python3 -m venv "$to/python" || return 0
  try python "$to/python/bin/pip" install -q --disable-pip-version-check -r "$here/requirements.txt" || return 0
  cp "$here/requirements.txt" "$to/python/"
}

install_cdk() {
  [ -d "$to/cdk/node_modules" ] && cmp -s "$here/package.json" "$to/cdk/installed.json" && return 0
  rm -rf "$to/cdk/node_modules" "$to/cdk/installed.json"
  cp "$here/package.json" "$to/cdk/"
  echo "clients: installing the CDK"
  try cdk npm install --prefix "$to/cdk" --no-fund --no-audit --loglevel=error || return 0
  cp "$here/package.json" "$to/cdk/installed.json"
}

# install_go NAME PACKAGE@VERSION
install_go() {
  [ -x "$to/bin/$1" ] && [ "$(cat "$to/bin/$1.version" 2>/dev/null)" = "$2" ] && return 0
  rm -f "$to/bin/$1" "$to/bin/$1.version"
  echo "clients: installing $1"
  try "$1" env GOBIN="$to/bin" PATH="$PATH:/usr/local/go/bin" go install "$2" || return 0
  echo "$2" >"$to/bin/$1.version"
}

install_python
install_cdk
while read -r name package; do
  case $name in '' | '#'*) ;; *) install_go "$name" "$package" </dev/null ;; esac
done <"$here/go-tools.txt"
if ! command -v skopeo >/dev/null 2>&1; then
  echo "skopeo is not installed: .ci/setup.sh installs it when MOONBOOK_CONFORMANCE is set" >"$to/missing/skopeo"
fi
rm -f "$to/log"
