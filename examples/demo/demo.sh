#!/bin/sh
# Runs the stock runbooks against moto on loopback, over real signed requests. See README.md for what
# this shows and what it cannot: moto never starts or replaces a task.
#
# usage: demo.sh MOONBOOK
set -eu
moonbook=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
here=$(cd "$(dirname "$0")" && pwd)
venv=$here/../../.venv
if [ ! -x "$venv/bin/moto_server" ]; then
  echo "demo: moto is not installed (PyPI could not be reached); there is no server to run against" >&2
  exit 1
fi

work=$(mktemp -d)
pids=""
cleanup() {
  for pid in $pids; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT INT TERM

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Dummy credentials and an explicit endpoint: nothing can reach a real account.
for name in $(env | sed -n 's/^\(AWS_[A-Za-z0-9_]*\)=.*/\1/p'); do unset "$name"; done
export AWS_ACCESS_KEY_ID=demo AWS_SECRET_ACCESS_KEY=demo AWS_REGION=eu-west-1
export AWS_CONFIG_FILE="$work/none" AWS_SHARED_CREDENTIALS_FILE="$work/none"
export AWS_EC2_METADATA_DISABLED=true
aws_port=$(free_port)
app_port=$(free_port)
export AWS_ENDPOINT_URL="http://127.0.0.1:$aws_port"

# moto reports this many tasks of a new service as running; it starts none.
MOTO_ECS_SERVICE_RUNNING=1 "$venv/bin/moto_server" -H 127.0.0.1 -p "$aws_port" >"$work/moto.log" 2>&1 &
pids="$pids $!"
# The application's health URL, as a load balancer would answer it.
mkdir -p "$work/app/api"
echo '{"status":"ok"}' >"$work/app/api/healthz"
python3 -m http.server "$app_port" --bind 127.0.0.1 --directory "$work/app" >"$work/app.log" 2>&1 &
pids="$pids $!"
tries=0
until python3 -c "import socket; [socket.create_connection(('127.0.0.1', p), 1) for p in ($aws_port, $app_port)]" 2>/dev/null; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || { cat "$work/moto.log" >&2; exit 1; }
  sleep 0.1
done

MOONBOOK=$moonbook "$here/seed.sh"

# The project's settings. The health URL is given since there is no load balancer to ask.
cat >"$work/moonbook.lua" <<X
return {
  app = "aistudio",
  environments = {
    dev = { region = "eu-west-1", health_url = "http://127.0.0.1:$app_port/api/healthz" },
  },
}
X
cd "$work"

title() { printf '\n$ moonbook %s\n' "$*"; }
# expect CODE ARGUMENTS...: runs moonbook and stops the demo if the exit code is another one.
expect() {
  wanted=$1
  shift
  title "$@"
  code=0
  "$moonbook" "$@" || code=$?
  [ "$code" = "$wanted" ] || { echo "demo: exit code $code, expected $wanted" >&2; exit 1; }
}

expect 0 list
expect 0 run validate/service --env dev
expect 0 run deploy/restart --env dev --yes
expect 0 run scale/service --env dev --desired-count 2 --yes
expect 0 run scale/service --env dev --desired-count 2 --yes

printf '\nNow the application stops answering, and its target is taken out:\n'
rm "$work/app/api/healthz"
"$moonbook" call elbv2.deregister_targets --target_group_arn "$("$here/target_group.sh" "$moonbook")" \
  --targets '[{"id": "10.0.0.10"}]' >/dev/null
expect 10 run validate/service --env dev

printf '\nThe demo ran on moto at %s and is over; nothing was left running.\n' "$AWS_ENDPOINT_URL"
