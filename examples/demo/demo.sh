#!/bin/sh
# Shows the stock runbooks on a simulated AWS: first in process and in virtual time, where a deployment of
# three minutes takes a tenth of a second, then over real signed requests to `moonbook sim` on loopback. Needs no network and no account.
#
# usage: demo.sh MOONBOOK
set -eu
moonbook=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$(dirname "$0")"

work=$(mktemp -d)
pid=""
cleanup() {
  [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT INT TERM
# Nothing of the caller's, least of all credentials.
for name in $(env | sed -n 's/^\(AWS_[A-Za-z0-9_]*\)=.*/\1/p'); do unset "$name"; done

# One simulated world for the whole story, kept between the runs.
story="--sim=story.lua --state $work/world"

say() { printf '\n\n## %s\n' "$*"; }
# expect CODE ARGUMENTS...: runs moonbook and stops the demo when the exit code is another one.
expect() {
  wanted=$1
  shift
  printf '\n$ moonbook %s\n' "$*"
  code=0
  "$moonbook" "$@" || code=$?
  [ "$code" = "$wanted" ] || { echo "demo: exit code $code, expected $wanted" >&2; exit 1; }
}

say "A service that is well"
expect 0 run validate/service --env dev $story

say "A good image: looked over, deployed, followed to its end, and proved by its digest"
expect 0 run deploy/quick --env dev $story --image v2 --yes

say "A bad image: ECS rolls back, and moonbook neither calls that success nor leaves you to look for the cause"
expect 23 run deploy/quick --env dev $story --image v3 --yes

say "What really ran, and what one can go back to"
expect 0 run history/service --env dev $story

say "Back by hand: to what really ran before v2, never to v3"
expect 0 run rollback/ecs --env dev $story --yes
expect 0 run validate/service --env dev $story

say "What would make a deployment fail is found before anything is written"
expect 0 run deploy/preflight --env dev --sim
expect 10 run deploy/preflight --env dev --sim --image v9

say "Scaling keeps to the bounds of auto scaling"
expect 0 run scale/service --env dev --sim --desired-count 3 --yes
expect 30 run scale/service --env dev --sim --desired-count 9 --yes

say "The same AWS for any client: moonbook sim on loopback, sixty times as fast as the clock"
"$moonbook" sim --port 0 --speed 60 --scenario service --output ndjson >"$work/sim" &
pid=$!
tries=0
until [ -s "$work/sim" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || { echo "demo: the simulator did not start" >&2; exit 1; }
  sleep 0.1
done
AWS_ENDPOINT_URL=$(sed -n 's/.*"endpoint":"\([^"]*\)".*/\1/p' "$work/sim")
export AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID=demo AWS_SECRET_ACCESS_KEY=demo AWS_REGION=eu-west-1
export AWS_CONFIG_FILE="$work/none" AWS_SHARED_CREDENTIALS_FILE="$work/none"
printf '\n$ moonbook call ecs.list_services --cluster aistudio-dev\n'
"$moonbook" call ecs.list_services --cluster aistudio-dev
expect 0 run deploy/restart --env dev --yes

say "Read what is live, nothing secret of it, into a world; rehearse on that what is not dared yet"
expect 0 sim record --env dev -o "$work/live.json"
expect 0 run history/service --env dev "--sim=$work/live.json"
expect 0 run deploy/restart --env dev "--sim=$work/live.json" --yes

printf '\nThe demo is over; nothing was left running.\n'
