#!/bin/sh
# Installs the Debian packages that building and testing need, when they are missing: directly as
# root, through sudo when it asks nothing, and otherwise says which command to run.
set -eu

packages="cmake ninja-build gcc g++ pkg-config make
  liblua5.4-dev libcurl4-openssl-dev libssl-dev libcjson-dev libexpat1-dev libgit2-dev zlib1g-dev
  libmicrohttpd-dev libcmocka-dev git lua5.4 python3-venv ca-certificates"
[ "${MOONBOOK_CI:-}" = "" ] || packages="$packages clang libclang-rt-14-dev clang-format awscli"
[ "${MOONBOOK_BENCH:-}" = "" ] || packages="$packages nginx-light awscli"
[ "${MOONBOOK_CONFORMANCE:-}" = "" ] || packages="$packages skopeo"

if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "setup: not a Debian system; install what these packages hold:" $packages >&2
  exit 0
fi

missing=""
for package in $packages; do
  state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
  case "$state" in
  ii*) ;;
  *) missing="$missing $package" ;;
  esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
  as_root=""
elif sudo -n true 2>/dev/null; then
  as_root="sudo -n"
else
  echo "setup: these packages are missing. Run:" >&2
  echo "  sudo apt-get install -y$missing" >&2
  exit 1
fi

echo "setup: installing$missing"
$as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
