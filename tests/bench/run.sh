#!/bin/sh
# Timings, side by side in one run, as ratios (judge by those, not by the milliseconds). Everything is
# on loopback. Rows whose reference is not installed are left out and said so.
#
# usage: run.sh BUILD_DIRECTORY        ROUNDS=7 by default
set -eu
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
rounds=${ROUNDS:-7}
MOONBOOK_BENCH=1 "$here/../../.ci/setup.sh"
cmake --build "$build" --target bench_measure bench_server bench_floor moonbook_command >/dev/null
tools=$build/tests/bench
moonbook=$build/moonbook
work=$(mktemp -d)
pids=""
cleanup() {
  for pid in $pids; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT INT TERM

export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=secret AWS_REGION=eu-west-1
export AWS_DEFAULT_REGION=eu-west-1 AWS_EC2_METADATA_DISABLED=true AWS_PAGER= HOME=$work
export AWS_CONFIG_FILE=$work/none AWS_SHARED_CREDENTIALS_FILE=$work/none
unset AWS_PROFILE AWS_ENDPOINT_URL AWS_SESSION_TOKEN AWS_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR 2>/dev/null || true

python3 "$here/answer.py" >"$work/answer.json"
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
serve() { # PORT DELAY
  "$tools/server" "$1" "$work/answer.json" "$2" >"$work/server.$1" &
  pids="$pids $!"
  while ! grep -q ready "$work/server.$1" 2>/dev/null; do sleep 0.05; done
}
near=$(port); serve "$near" 0
far=$(port); serve "$far" 20

# A TLS front of our own certificate authority, trusted through a hashed directory with the system's.
tls=""
if command -v nginx >/dev/null && command -v openssl >/dev/null; then
  tls=$(port)
  mkdir "$work/ca"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=bench \
    -addext subjectAltName=IP:127.0.0.1 -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
  find /etc/ssl/certs -maxdepth 1 -name '*.pem' -exec cp -L {} "$work/ca/" \;
  cp "$work/cert.pem" "$work/ca/bench.pem"
  openssl rehash "$work/ca"
  cat /etc/ssl/certs/ca-certificates.crt "$work/cert.pem" >"$work/bundle.pem"
  cat >"$work/nginx.conf" <<X
pid $work/nginx.pid; error_log $work/error.log; daemon off; worker_processes 1;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 100000;
  client_body_temp_path $work/a; proxy_temp_path $work/b; fastcgi_temp_path $work/c;
  uwsgi_temp_path $work/d; scgi_temp_path $work/e;
  upstream near { server 127.0.0.1:$near; keepalive 16; }
  server { listen 127.0.0.1:$tls ssl; ssl_certificate $work/cert.pem;
    ssl_certificate_key $work/key.pem;
    location / { proxy_pass http://near; proxy_http_version 1.1; proxy_set_header Connection ""; } } }
X
  nginx -c "$work/nginx.conf" 2>/dev/null &
  pids="$pids $!"
  sleep 0.5
fi

: >"$work/results"
measure() { "$tools/measure" "$rounds" >>"$work/results"; }
row() { printf '%s\t%s\n' "$1" "$2"; }
have() { command -v "$1" >/dev/null 2>&1; }
boto=""
[ -n "${MOONBOOK_VENV:-}" ] || MOONBOOK_VENV=$here/../../.venv
[ -x "$MOONBOOK_VENV/bin/python" ] && boto="$MOONBOOK_VENV/bin/python $here/boto.py"
run="$moonbook run --quiet --runbooks $here/runbooks --endpoint-url"

{
  row "start.moonbook" "exec $moonbook version"
  have aws && row "start.aws" "exec aws --version"
} | measure
[ -z "$tls" ] || {
  row "https.floor" "exec $tools/floor https://127.0.0.1:$tls/ 1 1 $work/ca"
  row "https.moonbook" "SSL_CERT_DIR=$work/ca exec $moonbook call ecs.describe_services --cluster prod --services service-00001 --endpoint-url https://127.0.0.1:$tls"
  have aws && row "https.aws" "AWS_CA_BUNDLE=$work/bundle.pem exec aws ecs describe-services --cluster prod --services service-00001 --endpoint-url https://127.0.0.1:$tls"
} | measure
{
  row "sequential.floor" "exec $tools/floor http://127.0.0.1:$near/ 1000 1"
  row "sequential.moonbook" "exec $run http://127.0.0.1:$near bench/sequential"
  [ -n "$boto" ] && row "sequential.boto3" "exec $boto http://127.0.0.1:$near 1000 1"
} | measure
{
  row "far64.floor" "exec $tools/floor http://127.0.0.1:$far/ 1000 64"
  row "far64.moonbook" "exec $run http://127.0.0.1:$far bench/concurrent --in_flight 64"
  row "far256.floor" "exec $tools/floor http://127.0.0.1:$far/ 1000 256"
  row "far256.moonbook" "exec $run http://127.0.0.1:$far bench/concurrent --in_flight 256"
} | measure
python3 "$here/ratios.py" "$work/results"
