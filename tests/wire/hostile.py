"""A server on loopback that misbehaves as asked, and counts.

The first part of a request's path says for which test it is: http://127.0.0.1:PORT/TAG is what a test gives
as its endpoint, having said before how TAG is to be answered. The path names no mode, lest an error that
quotes it seem to say what it does not. Everything is counted by TAG: requests, connections, how many were under
way at once, and what was sent. Modes are functions below named mode_*.
"""

import email.utils
import json
import os
import random
import socket
import ssl
import struct
import subprocess
import threading
import time

JSON = "application/x-amz-json-1.1"
MEBIBYTE = 1024 * 1024
ESCAPES = "\x1b[2J\x1b]0;owned\x07line one\nline two\r\x9b31m\u202e"


class Seen:
    """What arrived for one tag."""

    def __init__(self):
        self.mode = "ok"
        self.requests = []
        self.connections = set()
        self.now = self.most = 0


class Request:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.number = 0  # of this tag, from 1
        self.tag = ""

    def operation(self):
        target = self.headers.get("x-amz-target", "")
        if target:
            return target.split(".")[-1]
        for pair in self.body.decode("latin-1").split("&"):
            if pair.startswith("Action="):
                return pair[7:]
        return self.method + " " + self.path.split("?")[0]


class Server:
    """Plain, or behind TLS with `context`."""

    def __init__(self, context=None, backlog=512):
        self.context = context
        self.lock = threading.Lock()
        self.seen = {}
        self.accepted = 0
        self.stopped = threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def of(self, tag):
        with self.lock:
            return self.seen.setdefault(tag, Seen())

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self.serve, args=(connection, self.accepted), daemon=True).start()

    def serve(self, connection, number):
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            stream = connection.makefile("rb")
            while self.answer(connection, stream, number):
                pass
        except (OSError, ValueError):
            pass  # the client may leave at any moment; what it did is in the counts
        finally:
            connection.close()

    def answer(self, connection, stream, number):
        if not stream.peek(1)[:1].isalpha():  # no HTTP: the end, or a TLS handshake
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return False
        request = read_request(stream)
        if request is None:
            return False
        request.tag = request.path.split("/")[1].split("?")[0]
        seen = self.of(request.tag)
        with self.lock:
            seen.requests.append(request)
            seen.connections.add(number)
            seen.now += 1
            seen.most = max(seen.most, seen.now)
            request.number = len(seen.requests)
        try:
            return globals()["mode_" + seen.mode](connection, request, self) is not False
        finally:
            with self.lock:
                seen.now -= 1

    def close(self):
        self.stopped.set()
        self.socket.close()


def read_request(stream):
    words = stream.readline(65536).split()
    if len(words) < 3:
        return None
    headers = {}
    while True:
        line = stream.readline(65536).decode("latin-1").strip()
        if not line:
            break
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Request(words[0].decode(), words[1].decode("latin-1"), headers, body)


def reply(connection, status, body, kind=JSON, extra=()):
    if isinstance(body, str):
        body = body.encode("utf-8", "surrogateescape")
    lines = ["HTTP/1.1 %d Whatever" % status, "Content-Type: " + kind, "Content-Length: %d" % len(body),
             "x-amzn-RequestId: 00000000-test-request"]
    connection.sendall(("\r\n".join(lines + list(extra)) + "\r\n\r\n").encode("latin-1") + body)


def fail(connection, status, code, message="made up", extra=()):
    reply(connection, status, json.dumps({"__type": code, "message": message}), extra=extra)


def start(connection, *lines):
    connection.sendall(("HTTP/1.1 200 OK\r\nContent-Type: %s\r\n" % JSON
                        + "".join(line + "\r\n" for line in lines) + "\r\n").encode("latin-1"))


# ---- answers that are as they should be ----

SERVICE = {"serviceName": "web", "serviceArn": "arn:aws:ecs:eu-west-1:123456789012:service/c/web",
           "clusterArn": "arn:aws:ecs:eu-west-1:123456789012:cluster/c", "status": "ACTIVE",
           "desiredCount": 2, "runningCount": 2, "pendingCount": 0,
           "taskDefinition": "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:1",
           "loadBalancers": [{"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/t/1",
                              "containerName": "app", "containerPort": 80}],
           "deployments": [{"id": "ecs-svc/1", "status": "PRIMARY", "rolloutState": "COMPLETED",
                            "desiredCount": 2, "runningCount": 2}]}
TASKS = ["arn:aws:ecs:eu-west-1:123456789012:task/c/%d" % i for i in (1, 2, 3, 4)]
ANSWERS = {
    "ListClusters": {"clusterArns": []},
    "DescribeServices": {"services": [dict(SERVICE, runningCount=4, desiredCount=4)], "failures": []},
    "UpdateService": {"service": SERVICE},
    "ListTasks": {"taskArns": TASKS},
    "DescribeTasks": {"tasks": [{"taskArn": arn, "lastStatus": "RUNNING", "desiredStatus": "RUNNING",
                                 "healthStatus": "HEALTHY", "containers": []} for arn in TASKS], "failures": []},
}
TARGETS = "".join("<member><Target><Id>10.0.0.%d</Id><Port>80</Port></Target><TargetHealth><State>healthy</State>"
                  "</TargetHealth></member>" % i for i in (1, 2, 3, 4))
XML_ANSWERS = {
    "DescribeTargetHealth": "<TargetHealthDescriptions>%s</TargetHealthDescriptions>" % TARGETS,
    "GetCallerIdentity": "<Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/a</Arn>",
}


def mode_ok(connection, request, server):
    operation = request.operation()
    if operation in XML_ANSWERS:
        inner = XML_ANSWERS[operation]
        reply(connection, 200, "<{0}Response><{0}Result>{1}</{0}Result></{0}Response>".format(operation, inner),
              "text/xml")
    elif operation.startswith("GET "):
        reply(connection, 200, '{"status":"ok"}', "application/json")
    else:
        reply(connection, 200, json.dumps(ANSWERS.get(operation, {})))


def mode_slowly_ok(connection, request, server):
    """Long enough that calls which may be under way at once are."""
    time.sleep(0.02)
    mode_ok(connection, request, server)


# ---- bodies ----

def mode_close(connection, request, server):
    return False


def mode_reset(connection, request, server):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def mode_truncated(connection, request, server):
    start(connection, "Content-Length: 1000")
    connection.sendall(b'{"clusterArns": [')
    return False


def mode_half_headers(connection, request, server):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: appl")
    return False


def mode_garbage(connection, request, server):
    reply(connection, 200, random.Random(7).randbytes(4096))


def mode_garbage_error(connection, request, server):
    reply(connection, 400, random.Random(8).randbytes(4096))


def mode_not_http(connection, request, server):
    connection.sendall(random.Random(9).randbytes(4096))
    return False


def mode_empty(connection, request, server):
    reply(connection, 200, "")


def mode_html(connection, request, server):
    reply(connection, 200, "<!DOCTYPE html><html><body>Sign in to the hotel</body></html>", "text/html")


def mode_html_502(connection, request, server):
    reply(connection, 502, "<html><head><title>502 Bad Gateway</title></head></html>", "text/html")


def mode_wrong_type(connection, request, server):
    reply(connection, 200, '{"clusterArns": {"a": 1}}')


def mode_nul(connection, request, server):
    reply(connection, 200, b'{"clusterArns": ["a\x00b"]}')


def mode_bad_utf8(connection, request, server):
    reply(connection, 200, b'{"clusterArns": ["\xff\xfe\xc0\x80"]}')


def mode_trailing(connection, request, server):
    reply(connection, 200, '{"clusterArns": []} and more')


def mode_deep(connection, request, server):
    reply(connection, 200, '{"clusterArns": ' + "[" * 100000 + "]" * 100000 + "}")


def mode_deep_unknown(connection, request, server):
    reply(connection, 200, '{"other": ' + '{"a":' * 100000 + "1" + "}" * 100000 + "}")


def mode_huge_number(connection, request, server):
    reply(connection, 200, '{"services": [{"desiredCount": 1e99999, "createdAt": 1e308}], "failures": []}')


def mode_chunked_garbage(connection, request, server):
    start(connection, "Transfer-Encoding: chunked")
    connection.sendall(b"zzzz\r\nnot a chunk\r\n")
    return False


def mode_chunked_cut(connection, request, server):
    start(connection, "Transfer-Encoding: chunked")
    connection.sendall(b"ff\r\n{\"clusterArns\": [")
    return False


def mode_big(connection, request, server):
    start(connection, "Content-Length: %d" % (200 * MEBIBYTE))
    pour(connection, 200 * MEBIBYTE)
    return False


def mode_big_unannounced(connection, request, server):
    start(connection, "Connection: close")
    pour(connection, 200 * MEBIBYTE)
    return False


def mode_big_chunked(connection, request, server):
    start(connection, "Transfer-Encoding: chunked")
    block = b"10000\r\n" + b" " * 65536 + b"\r\n"
    for _ in range(200 * 16):
        connection.sendall(block)
    connection.sendall(b"0\r\n\r\n")
    return False


def mode_big_error(connection, request, server):
    connection.sendall(b"HTTP/1.1 400 No\r\nConnection: close\r\n\r\n")
    pour(connection, 200 * MEBIBYTE)
    return False


def mode_gzip_bomb(connection, request, server):
    """A gigabyte in a megabyte: nobody asked for compression, so it must stay what it is."""
    import zlib
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b" " * MEBIBYTE
    body = b"".join(packer.compress(block) for _ in range(256)) + packer.flush()
    reply(connection, 200, body, extra=["Content-Encoding: gzip"])


def pour(connection, size):
    block = b'{"clusterArns": ["' + b"a" * (65536 - 18)
    for _ in range(size // len(block)):
        connection.sendall(block)


def mode_endless_headers(connection, request, server):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    block = b"".join(b"X-Filler-%d: %s\r\n" % (i, b"a" * 100) for i in range(500))
    while not server.stopped.is_set():
        connection.sendall(block)


def mode_huge_header(connection, request, server):
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Filler: ")
    for _ in range(64):
        connection.sendall(b"a" * 65536)
    connection.sendall(b"\r\nContent-Length: 2\r\n\r\n{}")


def mode_endless_interim(connection, request, server):
    """100 Continue, for ever."""
    while not server.stopped.is_set():
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 500)


def mode_odd_headers(connection, request, server):
    connection.sendall(b"HTTP/1.1 200 OK\r\n: nameless\r\nno colon\r\nX-Nul: a\x00b\r\nContent-Length: 2\r\n\r\n{}")


def mode_drip(connection, request, server):
    start(connection, "Content-Length: 100000")
    while not server.stopped.wait(0.1):
        connection.sendall(b" ")


def mode_never(connection, request, server):
    server.stopped.wait(60)
    return False


def mode_switching(connection, request, server):
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
    return False


# ---- XML services ----

def mode_xml_bomb(connection, request, server):
    entities = '<!ENTITY a0 "aaaaaaaaaa">' + "".join(
        '<!ENTITY a%d "%s">' % (i, ("&a%d;" % (i - 1)) * 10) for i in range(1, 10))
    reply(connection, 200, "<?xml version='1.0'?><!DOCTYPE x [%s]><GetCallerIdentityResponse><GetCallerIdentityResult>"
          "<Account>&a9;</Account></GetCallerIdentityResult></GetCallerIdentityResponse>" % entities, "text/xml")


def mode_xml_file(connection, request, server):
    reply(connection, 200, "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/passwd'>]>"
          "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>&f;</Account></GetCallerIdentityResult>"
          "</GetCallerIdentityResponse>", "text/xml")


def mode_xml_deep(connection, request, server):
    reply(connection, 200, "<a>" * 100000 + "</a>" * 100000, "text/xml")


def mode_xml_cut(connection, request, server):
    reply(connection, 200, "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>1", "text/xml")


def mode_xml_error(connection, request, server):
    reply(connection, 400, "<ErrorResponse><Error><Code>ValidationError</Code><Message>no such thing</Message></Error>"
          "<RequestId>xml-request</RequestId></ErrorResponse>", "text/xml")


def mode_bucket_elsewhere(connection, request, server):
    reply(connection, 301, "<Error><Code>PermanentRedirect</Code><Message>use the specified endpoint</Message>"
          "<Endpoint>b.s3.eu-central-1.amazonaws.com</Endpoint></Error>", "application/xml",
          ["x-amz-bucket-region: eu-central-1"])


# ---- errors ----

def mode_redirect(connection, request, server):
    reply(connection, 301, "", extra=["Location: http://127.0.0.1:%d/%s/again" % (server.port, request.tag)])


def mode_storm(connection, request, server):
    fail(connection, 500, "InternalFailure", "it rains")


def mode_storm_503(connection, request, server):
    reply(connection, 503, "")


def mode_storm_bare(connection, request, server):
    connection.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")


def mode_throttled(connection, request, server):
    fail(connection, 400, "ThrottlingException", "Rate exceeded")


def mode_throttled_twice(connection, request, server):
    mode_throttled(connection, request, server) if request.number < 3 else mode_ok(connection, request, server)


def mode_storm_twice(connection, request, server):
    mode_storm(connection, request, server) if request.number < 3 else mode_ok(connection, request, server)


def mode_closed_once(connection, request, server):
    return False if request.number < 2 else mode_ok(connection, request, server)


def mode_retry_after(connection, request, server):
    """An hour is asked for; at most five seconds more than the backoff may be granted."""
    if request.number < 2:
        fail(connection, 503, "ServiceUnavailable", extra=["x-amz-retry-after: 3600000"])
    else:
        mode_ok(connection, request, server)


def mode_retry_after_garbage(connection, request, server):
    if request.number < 2:
        fail(connection, 503, "ServiceUnavailable", extra=["x-amz-retry-after: soon", "Retry-After: Thursday"])
    else:
        mode_ok(connection, request, server)


def mode_too_many_requests(connection, request, server):
    reply(connection, 429, "")


def mode_expired(connection, request, server):
    fail(connection, 400, "ExpiredTokenException", "The security token included in the request is expired")


def mode_denied(connection, request, server):
    fail(connection, 400, "AccessDeniedException", "User: arn:aws:iam::123456789012:user/a is not authorized to "
         "perform: ecs:ListClusters on resource: *")


def mode_unrecognized(connection, request, server):
    fail(connection, 400, "UnrecognizedClientException", "The security token included in the request is invalid.")


def mode_wrong_region(connection, request, server):
    fail(connection, 403, "InvalidSignatureException", "Credential should be scoped to a valid region.",
         ["Date: " + email.utils.formatdate(usegmt=True)])


def mode_skewed(connection, request, server):
    fail_skewed(connection, request, "RequestTimeTooSkewed", server)


def mode_skewed_signature(connection, request, server):
    fail_skewed(connection, request, "InvalidSignatureException", server)


def mode_skewed_always(connection, request, server):
    fail(connection, 403, "RequestTimeTooSkewed", "Signature expired", [two_hours_ahead()])


def mode_skewed_absurdly(connection, request, server):
    fail(connection, 403, "RequestTimeTooSkewed", "Signature expired",
         ["Date: Fri, 99 Foo 99999999 99:99:99 GMT"])


def two_hours_ahead():
    return "Date: " + email.utils.formatdate(time.time() + 7200, usegmt=True)


def fail_skewed(connection, request, code, server):
    if request.number < 2:
        fail(connection, 403, code, "Signature expired", [two_hours_ahead()])
    else:
        mode_ok(connection, request, server)


def mode_escapes(connection, request, server):
    fail(connection, 400, "InvalidParameterException", ESCAPES)


def mode_escapes_in_code(connection, request, server):
    fail(connection, 400, "Invalid\x1b[31mParameter\nException", "plain")


def mode_long_message(connection, request, server):
    fail(connection, 400, "InvalidParameterException" * 1000, "a" * 1000000)


def mode_secret_echo(connection, request, server):
    fail(connection, 400, "InvalidParameterException", "made up " + request.headers.get("authorization", ""))


# ---- credentials from a container's endpoint ----

def mode_keys(connection, request, server):
    reply(connection, 200, json.dumps({"AccessKeyId": "AKIDCONTAINER", "SecretAccessKey": "s", "Token": "t",
                                       "Expiration": "2099-01-01T00:00:00Z"}), "application/json")


def mode_keys_garbage(connection, request, server):
    reply(connection, 200, "these are no keys", "application/json")


def mode_keys_refused(connection, request, server):
    reply(connection, 404, '{"code": "NoSuchRole", "message": "no role here"}', "application/json")


# ---- TLS ----

def certificates(folder):
    """Two that sign themselves: good (for 127.0.0.1) and wrong_name."""
    for name, subject in [("good", "IP:127.0.0.1"), ("wrong_name", "DNS:elsewhere.example")]:
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                   "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=" + subject,
                   "-keyout", os.path.join(folder, name + ".key"), "-out", os.path.join(folder, name + ".pem")]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)


def tls_server(folder, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key"))
    return Server(context)


def silent_server(first=b""):
    """Accepts connections, says `first` and then nothing more. Gives the socket; close it to end it."""
    listener = socket.create_server(("127.0.0.1", 0))
    kept = []

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
                kept.append(connection)
                connection.sendall(first)
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    return listener


def refused_port():
    """A port that nothing listens at: bound, so that nobody else gets it, and never listened on."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    return taken
