"""The moonbook command against everything that can go wrong outside it: what a person types, what files
hold, and what answers on the network. usage: bad_input.py MOONBOOK [NAME ...]   (only those named so)

Each case runs the real command and looks at its exit code, at what it says, at how many requests a
server on loopback saw, at the memory it took and at the time. Nothing here leaves the machine.
"""

import contextlib
import json
import os
import queue
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import hostile

DONE, INTERNAL, USAGE, CREDENTIALS, DENIED, CHECK_FAILED = 0, 1, 2, 4, 5, 10
FAILED, TIMED_OUT, SCRIPT_ERROR, LIMIT, UNAVAILABLE, CANCELLED = 22, 40, 41, 42, 75, 130

MOST_SECONDS = 30
MOST_MEMORY = 100 * hostile.MEBIBYTE
MOST_MEMORY_SANITIZED = 600 * hostile.MEBIBYTE  # freed memory stays in quarantine
REPORTS = re.compile(rb"AddressSanitizer|LeakSanitizer|runtime error:|UndefinedBehaviorSanitizer")
CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]")


class Outcome:
    def __init__(self, code, out, err, seconds, memory):
        self.code, self.out, self.err, self.seconds, self.memory = code, out, err, seconds, memory


class Suite:
    def __init__(self, moonbook, folder):
        self.moonbook, self.folder = os.path.abspath(moonbook), folder
        self.server = hostile.Server()
        with open(moonbook, "rb") as binary:
            self.sanitized = b"__asan_init" in binary.read()
        self.cases, self.lock = [], threading.RLock()
        self.tags, self.homes = {}, 0
        self.passed = self.failed = 0

    def home(self):
        """An empty folder, where a case also runs."""
        with self.lock:
            self.homes += 1
            path = os.path.join(self.folder, "home%d" % self.homes)
        os.mkdir(path)
        return path

    def tag(self, name):
        with self.lock:
            return self.tags.setdefault(name, "t%d" % len(self.tags))

    def url(self, mode, name):
        self.seen(name).mode = mode
        return "http://127.0.0.1:%d/%s" % (self.server.port, self.tag(name))

    def seen(self, name):
        return self.server.of(self.tag(name))

    def environment(self, home, more=()):
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": home,
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI",
            "AWS_REGION": "eu-west-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                environment[name] = os.environ[name]
        for name, value in dict(more).items():
            environment.pop(name, None)
            if value is not None:
                environment[name] = value
        return environment

    def start(self, arguments, home, environment=(), **more):
        return subprocess.Popen([self.moonbook] + arguments, cwd=home, env=self.environment(home, environment),
                                stdin=more.pop("stdin", subprocess.DEVNULL), **more)

    def run(self, arguments, home, environment=(), **more):
        """Runs the command to its end, or kills it when it takes far too long."""
        begin = time.monotonic()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            more.setdefault("stdout", out)
            process = self.start(arguments, home, environment, stderr=err, **more)
            guard = threading.Timer(2 * MOST_SECONDS, process.kill)
            guard.start()
            _, status, usage = os.wait4(process.pid, 0)
            guard.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0), err.seek(0)
            return Outcome(process.returncode, out.read(), err.read(), time.monotonic() - begin, usage.ru_maxrss * 1024)

    def judge(self, name, outcome, expected):
        """What is wrong with it, or None."""
        text = outcome.out + outcome.err
        shown = text.decode("utf-8", "replace").lower()
        if REPORTS.search(text):
            return "a sanitizer reports something"
        codes = expected["exit"] if isinstance(expected["exit"], tuple) else (expected["exit"],)
        if outcome.code not in codes:
            return "exit code %s, expected %s" % (outcome.code, codes)
        for word in expected["says"]:
            if word.lower() not in shown:
                return "does not say %r" % word
        for word in expected["never"]:
            if word.lower() in shown:
                return "says %r" % word
        if CONTROL.search(text):
            return "passes control characters on to the terminal"
        if expected["next"] and not re.search(r"^ +next ", shown, re.M):
            return "gives no next step"
        if expected["exit"] not in (DONE,) and not expected["output"] and outcome.out:
            return "prints a result as well"
        if outcome.seconds > expected["seconds"]:
            return "took %.1f seconds, expected at most %.1f" % (outcome.seconds, expected["seconds"])
        most = MOST_MEMORY_SANITIZED if self.sanitized else MOST_MEMORY
        if outcome.memory > most:
            return "took %d MiB" % (outcome.memory // hostile.MEBIBYTE)
        return self.judge_requests(name, expected)

    def judge_requests(self, name, expected):
        seen = self.seen(name)
        if len(seen.requests) not in expected["requests"]:
            return "%d requests were made, expected %s" % (len(seen.requests), expected["requests"])
        if expected["check"]:
            return expected["check"](seen)
        return None

    # ---- making cases ----

    def case(self, name, body):
        assert name not in [known for known, _ in self.cases], name
        self.cases.append((name, body))

    def expect(self, name, arguments, exit, says=(), mode=None, requests=0, environment=(), prepare=None, next=True,
               never=(), seconds=MOST_SECONDS, output=False, check=None, **more):
        """One command, run to its end. `mode` is what the server does; "{url}" in arguments and values of the
        environment is its address. `prepare` may put files into the folder in which the command runs."""
        if exit == DONE:
            next = False
        requests = (requests,) if isinstance(requests, int) else requests
        expected = {"exit": exit, "says": says, "next": next, "never": never, "seconds": seconds, "output": output,
                    "requests": requests, "check": check}

        def body():
            home = self.home()
            url = self.url(mode or "ok", name)
            if prepare:
                prepare(home)
            fill = lambda text: text.replace("{url}", url).replace("{home}", home)
            settings = {"AWS_ENDPOINT_URL": "{url}", **dict(environment)}
            settings = {key: value and fill(value) for key, value in settings.items()}
            outcome = self.run([fill(argument) for argument in arguments], home, settings, **more)
            return self.judge(name, outcome, expected), outcome

        self.case(name, body)

    def call(self, name, mode, exit, says=(), requests=1, primitive="ecs.list_clusters", arguments=(), **more):
        """One call of a primitive, which takes nothing unless `arguments` says so."""
        self.expect(name, ["call", primitive, *arguments], exit, says, mode, requests, **more)

    # ---- running them ----

    def work(self, left, verbose):
        while True:
            try:
                name, body = left.get_nowait()
            except queue.Empty:
                return
            try:
                problem, outcome = body()
            except Exception as error:  # a case that cannot be run has failed
                problem, outcome = "could not be run: %r" % error, None
            with self.lock:
                self.passed += problem is None
                self.failed += problem is not None
                print("ok %s" % name if problem is None else "FAILED %s - %s" % (name, problem))
                if outcome and (problem or verbose):
                    print("  exit code %s, %.1f s, %d MiB, %d requests" % (
                        outcome.code, outcome.seconds, outcome.memory // hostile.MEBIBYTE,
                        len(self.seen(name).requests)))
                    for line in (outcome.out[-2000:] + outcome.err[-3000:]).decode("utf-8", "replace").split("\n"):
                        print("  | " + line)

    def run_all(self, wanted):
        left = queue.SimpleQueue()
        for name, body in self.cases:
            if not wanted or any(word in name for word in wanted):
                left.put((name, body))
        threads = [threading.Thread(target=self.work, args=(left, bool(wanted))) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.server.close()
        print("%d passed, %d failed, 0 skipped" % (self.passed, self.failed))
        return 0 if self.passed and not self.failed else 1


def write(home, path, text):
    full = os.path.join(home, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "wb") as out:
        out.write(text if isinstance(text, bytes) else text.replace("{home}", home).encode())


def files(**named):
    """Prepares a folder: moonbook_lua="..." writes moonbook.lua; a mapping `more` names paths."""
    paths = {"moonbook.lua": named.get("moonbook_lua"), ".aws/config": named.get("config"),
             ".aws/credentials": named.get("credentials"), **dict(named.get("more", ()))}

    def prepare(home):
        for path, text in paths.items():
            if text is not None:
                write(home, path, text)

    return prepare


# ---- what a person types ----

SETTINGS = 'return { app = "aistudio", environments = { dev = { region = "eu-west-1" }, prod = {} } }\n'
TARGET = ["--cluster", "c", "--service", "web"]


def command_line(s):
    def says(name, arguments, *words, **more):
        s.expect(name, arguments, more.pop("exit", USAGE), words, **more)

    says("unknown command", ["rn", "validate/service"], "rn", "run")
    says("unknown flag", ["list", "--colour", "never"], "--colour", "--color")
    says("unknown letter", ["list", "-z"], "-z")
    says("letter of another command", ["list", "-y"], "-y")
    says("flag without its value", ["list", "--settings"], "--settings", "needs a value")
    says("flag with a value it does not take", ["run", "validate/service", "--yes=maybe"], "--yes", "no value")
    says("unknown output", ["list", "--output", "xml"], "xml", "ndjson")
    says("unknown colour", ["list", "--color", "sometimes"], "sometimes", "never")
    says("empty endpoint", ["call", "ecs.list_clusters", "--endpoint-url", ""], "--endpoint-url", "empty")
    says("empty region", ["call", "ecs.list_clusters", "--region="], "--region", "empty")
    says("no duration", ["run", "validate/service", "--timeout", "soon"], "soon", "15m")
    says("endless duration", ["run", "validate/service", "--timeout", "inf"], "inf", "15m")
    says("one word too many", ["version", "now"], "now")
    says("twenty words too many", ["list"] + ["x"] * 20, "too many")
    says("no runbook", ["run"], "moonbook list")
    says("empty runbook", ["run", ""], "no runbook was named")
    says("unknown runbook", ["run", "validate/servic"], "validate/servic", "validate/service")
    says("unknown version", ["run", "validate/service@9"], "validate/service@1")
    says("runbook by path", ["run", "../../../etc/passwd"], "is not the name of a runbook")
    says("runbook of control characters", ["run", "\x1b[31mred\r\n"], "is not the name")
    says("runbook of 100,000 letters", ["run", "a/" * 50000], "name")
    says("show of an unknown runbook", ["show", "deploy/restrt"], "deploy/restart")
    says("help of an unknown namespace", ["help", "nonsense"], "nonsense")
    says("help of an unknown primitive", ["help", "ecs.describe_servces"], "describe_services")
    says("check of nothing", ["check", "{home}/absent"], "absent")
    says("check of an empty folder", ["check", "{home}"], "manifest.lua", next=False, output=True)
    says("settings that are not there", ["list", "--settings", "absent.lua"], "absent.lua")

    says("unknown argument", ["run", "validate/service", "--clustr", "c"], "clustr", "cluster")
    says("missing argument", ["run", "validate/service"], "cluster", "--env")
    says("argument that is no duration", ["run", "validate/service", *TARGET, "--health-timeout", "soon"], "health_timeout",
         "soon", "90s")
    says("argument that is no boolean", ["run", "validate/service", *TARGET, "--health-body", "maybe"], "health_body",
         "true or false")
    says("argument that is no integer", ["run", "scale/service", *TARGET, "--desired-count", "many"], "desired_count", "many")
    says("argument beyond 64 bits", ["run", "scale/service", *TARGET, "--desired-count", "99999999999999999999"], "desired_count", "999")
    says("argument given twice", ["run", "validate/service", *TARGET, "--cluster", "d"], "cluster")
    says("argument with a name of 100,000 letters", ["run", "validate/service", "--" + "a" * 100000, "1"], "no argument")
    says("unknown environment", ["run", "validate/service", "--env", "dve"], "dve", "dev",
         prepare=files(moonbook_lua=SETTINGS))
    says("environment far from any", ["run", "validate/service", "--env", "staging"], "dev", "prod",
         prepare=files(moonbook_lua=SETTINGS))
    says("environment without settings", ["run", "validate/service", "--env", "dev"], "moonbook.lua")
    says("environment of a call", ["call", "ecs.list_clusters", "--env", "dve"], "dev",
         prepare=files(moonbook_lua=SETTINGS))

    says("call of nothing", ["call"], "moonbook help")
    says("call of an empty name", ["call", ""], "no primitive was named")
    says("call of a namespace", ["call", "ecs"], "namespace")
    says("unknown primitive", ["call", "ecs.describe_servces"], "ecs.describe_services")
    says("unknown namespace", ["call", "esc.list_clusters"], "ecs")
    says("primitive of 100,000 letters", ["call", "ecs." + "a" * 100000], "no primitive")
    says("primitive of dots", ["call", "...."], "....")
    says("unknown member", ["call", "ecs.describe_services", "--clutser", "c"], "clutser", "cluster")
    says("unknown member deep inside", ["call", "ecs.update_service", "--input",
                                        '{"service": "w", "deployment_configuration": {"maximum_percnt": 3}}'],
         "deployment_configuration.maximum_percnt", "maximum_percent")
    says("missing member", ["call", "ecs.describe_services", "--cluster", "c"], "services", "required")
    says("member of the wrong type", ["call", "ecs.update_service", "--input", '{"service": 3}'], "service", "string")
    says("member that is no number", ["call", "ecs.update_service", "--service", "w", "--desired_count", "many"],
         "desired_count", "many")
    says("member beyond 32 bits", ["call", "ecs.update_service", "--service", "w", "--desired_count", "99999999999"],
         "desired_count")
    says("member without its value", ["call", "ecs.list_services", "--cluster"], "--cluster", "needs a value")
    says("member that is no JSON", ["call", "ecs.describe_services", "--services", '["a"'], "--services", "JSON")
    says("input that is no JSON", ["call", "ecs.update_service", "--input", '{"service": '], "--input", "column")
    says("input that is no object", ["call", "ecs.update_service", "--input", "[1]"], "--input", "object")
    says("input nested deeply", ["call", "ecs.update_service", "--input", "[" * 50000], "--input")
    says("input that is not there", ["call", "ecs.update_service", "--input", "@absent.json"], "absent.json")
    says("input that is a folder", ["call", "ecs.update_service", "--input", "@/"], "/")


# ---- files ----

def lua_settings(s):
    def refused(name, text, *words, **more):
        s.expect("moonbook.lua: " + name, ["run", "validate/service", "--env", "dev"], more.pop("exit", USAGE),
                 ("moonbook.lua",) + words, prepare=files(moonbook_lua=text), next=False, **more)

    refused("a syntax error", "return {\n  app = = 3\n}", ":2", "syntax")
    refused("calls a function", 'return { app = os.getenv("HOME") }', ":1", "plain data")
    refused("calls print", "print('hello')\nreturn {}", ":1", "plain data", never=("hello",))
    refused("loops for ever", "while true do end", ":1", "plain data", exit=LIMIT)
    refused("recurses for ever", "local function f() return f() + 1 end return f()", "plain data", exit=LIMIT)
    refused("grows for ever", 'local s = "a" for i = 1, 1e9 do s = s .. s end return { app = s }', "plain data",
            exit=LIMIT)
    refused("an unknown field", 'return { app = "a", enviroments = {} }', "enviroments", "environments")
    refused("a field of the wrong type", 'return { app = "a", environments = { dev = { region = 3 } } }',
            "environments.dev.region")
    refused("an unknown name in a pattern", 'return { app = "a", environments = { dev = { cluster = "{ap}-x" } } }',
            "{ap}")
    refused("returns nothing", "local a = 1")
    refused("bytecode", b"\x1bLua\x54\x00\x19\x93\r\n\x1a\n" + b"\x04\x08\x08" + b"\x00" * 64)
    refused("is 10 MB", "-- " + "a" * 10000000 + "\nreturn {}")
    refused("is binary", b"\x00\xff\xfe" * 1000)
    s.expect("a region of moonbook.lua that cannot be one", ["run", "validate/service", "--env", "dev"], USAGE,
             ("eu west 1", "region"), output=True, prepare=files(
                 moonbook_lua='return { app = "a", environments = { dev = { region = "eu west 1" } } }'))


MANIFEST = """return {
  name = "t/%s", version = "1.0.0", moonbook = 1, summary = "a test", kind = "%s", effect = "%s",
  uses = { %s },%s
}
"""


def runbook(name, body, kind="monitor", effect="reads", uses="", more="", manifest=None):
    """Prepares a folder of runbooks with one in it."""
    text = manifest if manifest is not None else MANIFEST % (name, kind, effect, uses, more)
    return files(more={"books/t/%s/v1/manifest.lua" % name: text, "books/t/%s/v1/runbook.lua" % name: body})


def runbooks(s):
    books = {"MOONBOOK_PATH": "{home}/books"}

    def refused(name, manifest, *words, body="return { verify = function() end }", exit=USAGE, **more):
        prepare = runbook("bad", body, manifest=manifest)
        s.expect("manifest: " + name, ["run", "t/bad"], exit, ("manifest.lua",) + words, prepare=prepare,
                 environment=books, next=False, **more)

    good = MANIFEST % ("bad", "monitor", "reads", "", "")
    refused("a syntax error", "return { name = }", ":1", "syntax")
    refused("runs something", "return { name = string.rep('a', 10) }", ":1", "plain data")
    refused("loops for ever", "while true do end", ":1", "plain data", exit=LIMIT)
    refused("an unknown field", good.replace("summary", "sumary"), "sumary", "summary")
    refused("the name of another", good.replace("t/bad", "t/other"), "t/other")
    refused("a version that is none", good.replace("1.0.0", "one"), "one")
    refused("an effect that is none", good.replace('"reads"', '"nothing"'), "nothing", "reads")
    refused("uses what is not there", good.replace("uses = {", 'uses = { "ecs.describe_servces"'), "describe_servces",
            "describe_services")
    refused("an argument of an unknown type", good.replace("uses", 'args = { { name = "a", type = "strin", doc = "d" } }, uses'),
            "strin", "string")
    refused("empty", "")

    def ends(name, body, exit, *words, **more):
        s.expect("runbook: " + name, ["run", "t/bad", *more.pop("arguments", ())], exit, words,
                 prepare=runbook("bad", body, **more.pop("of", {})), environment=books, output=True, next=False, **more)

    ends("a syntax error", "return { verify = function( }", SCRIPT_ERROR, "runbook.lua:1")
    ends("an error", "return { verify = function() local a = nil; return a.b end }", SCRIPT_ERROR, "runbook.lua:1")
    ends("loops for ever", "return { verify = function() while true do pcall(function() end) end end }", LIMIT,
         "runbook.lua:1")
    ends("grows for ever", "return { verify = function() local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t end"
         " end }", LIMIT)
    ends("uses what its manifest does not name", "return { verify = function() ecs.list_clusters {} end }",
         SCRIPT_ERROR, "ecs.list_clusters", "uses")
    ends("writes outside a step", "return { apply = function() ecs.update_service { service = 'a' } end }",
         SCRIPT_ERROR, "step", of={"kind": "maintain", "effect": "writes", "uses": '"ecs.update_service"',
                                   "more": ' changes = { "x" },'}, arguments=["--yes"])
    ends("an unknown member", "return { verify = function() ecs.list_clusters { a = 1 } end }", USAGE,
         "runbook.lua:1", "no member", of={"uses": '"ecs.list_clusters"'})
    s.expect("runbook: no such file", ["run", "t/bad"], SCRIPT_ERROR, ("runbook.lua", "missing"),
             environment=books, output=True, next=False,
             prepare=files(more={"books/t/bad/v1/manifest.lua": good}))
    s.expect("runbook: a folder that is not there", ["run", "t/bad"], USAGE, ("t/bad",),
             environment={"MOONBOOK_PATH": "/absent:::relative"})


def aws_files(s):
    none = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}

    def refused(name, exit, *words, config=None, credentials=None, requests=0, environment=(), arguments=(), extra=(),
                **more):
        s.expect("credentials: " + name, ["call", "ecs.list_clusters", *arguments], exit, words, requests=requests,
                 prepare=files(config=config, credentials=credentials, more=extra),
                 environment={**none, **dict(environment)}, **more)

    # The whole chain, each with its reason.
    refused("none anywhere", CREDENTIALS, "environment", "AWS_ACCESS_KEY_ID", ".aws/credentials", ".aws/config", "process",
            "container", "sso", "web identity")
    refused("half a pair in the environment", CREDENTIALS, "AWS_SECRET_ACCESS_KEY",
            environment={"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE"})
    refused("unknown profile", USAGE, "prdo", "prod", config="[profile prod]\nregion = eu-west-1\n",
            arguments=["--profile", "prdo"])
    refused("a config file that is no such file", (USAGE, CREDENTIALS), "line 1", config="this is no section\n")
    refused("a config file with an open bracket", (USAGE, CREDENTIALS), "line 2", config="\n[profile a\nregion = b\n")
    refused("a config file of bytes", (USAGE, CREDENTIALS), "config", config=b"\x00\xff\xfe" * 999)
    refused("half a pair in the file", CREDENTIALS, "aws_secret_access_key",
            credentials="[default]\naws_access_key_id = AKIDEXAMPLE\n")
    refused("a source_profile that is not there", CREDENTIALS, "absent",
            config="[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = absent\n")
    refused("source_profile in a circle", CREDENTIALS, "source_profile",
            config="[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = b\n"
                   "[profile b]\nrole_arn = arn:aws:iam::1:role/s\nsource_profile = default\n")

    def process(name, command, *words, exit=CREDENTIALS, **more):
        refused("credential_process " + name, exit, *words, config="[default]\ncredential_process = %s\n" % command, **more)

    process("that is not there", "/absent/program", "/absent/program")
    process("that fails", """sh -c "echo no ticket >&2; exit 3" """, "no ticket", "3")
    process("that is killed", """sh -c "kill -9 $$" """, "credential_process")
    process("that prints garbage", "echo these are no keys", "credential_process", "JSON")
    process("that prints a secret in garbage", "cat {home}/broken", "not JSON", never=("wJalr",),
            extra={"broken": '{"Version": 1, "SecretAccessKey": "wJalrXUtnFEMI'})
    process("that prints nothing", "true", "credential_process")
    process("that prints half", """echo '{"Version": 1, "AccessKeyId": "a"}'""", "SecretAccessKey")
    process("of another version", """echo '{"Version": 2, "AccessKeyId": "a", "SecretAccessKey": "b"}'""", "Version")
    process("that prints without end", "yes", "printed more than")
    process("that hangs", "sleep 600", "did not end within 2", arguments=["--timeout", "2s"], seconds=15)
    process("that expired", """echo '{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b", """
            """"Expiration": "2001-01-01T00:00:00Z"}'""", "expired")

    def container(name, mode, *words, exit=CREDENTIALS, requests=(1, 2, 3), **more):
        s.expect("credentials: container " + name, ["call", "ecs.list_clusters"], exit, words, mode, requests,
                 environment={**none, "AWS_CONTAINER_CREDENTIALS_FULL_URI": "{url}/v1"}, **more)

    container("garbage", "keys_garbage", "container")
    container("refuses", "keys_refused", "container", "404")
    container("storm", "storm", "container", "500", requests=(2, 3, 4, 5))
    container("closes", "close", "container", requests=(1, 2, 3, 4, 5))
    container("200 MB", "big", "container", requests=(1, 2, 3, 4, 5))
    s.expect("credentials: container elsewhere", ["call", "ecs.list_clusters"], CREDENTIALS, ("container",),
             environment={**none, "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://198.51.100.1/v1"})


def regions(s):
    s.expect("no region", ["call", "ecs.list_clusters"], USAGE, ("region", "--region", "AWS_REGION"),
             environment={"AWS_REGION": None})
    for name, region in [("words", "eu west 1"), ("a host", "evil.example/"), ("a line break", "eu-west-1\r\nX: y"),
                         ("an at sign", "a@127.0.0.1"), ("too long", "a" * 5000), ("not ASCII", "eu-wést-1")]:
        s.expect("region of " + name, ["call", "ecs.list_clusters", "--region", region], USAGE, ("region",))
        s.expect("region of the environment of " + name, ["call", "ecs.list_clusters"], USAGE, ("region",),
                 environment={"AWS_REGION": region, "AWS_ENDPOINT_URL": None})
    s.call("region of other credentials", "wrong_region", CREDENTIALS, ("valid region", "eu-west-1", "belong to this region"), requests=1)
    for name, url in [("no URL", "nonsense"), ("another scheme", "ftp://127.0.0.1/"), ("no host", "http://"),
                      ("a port too high", "http://127.0.0.1:99999/"), ("a space", "http://127.0.0.1:1 /"),
                      ("a port of letters", "http://127.0.0.1:http/"), ("a file", "file:///etc/passwd"),
                      ("a line break", "http://127.0.0.1:1/\r\nX: y")]:
        s.expect("endpoint of " + name, ["call", "ecs.list_clusters", "--endpoint-url", url], USAGE,
                 ("endpoint",), environment={"AWS_ENDPOINT_URL": None, "AWS_REGION": "xx-nowhere-1"})


# ---- what answers ----

def network(s):
    taken = hostile.refused_port()
    s.keep = taken
    s.call("refused connection", "ok", UNAVAILABLE, ("refused", "127.0.0.1:%d" % taken.getsockname()[1], "3 attempts"),
           requests=0, environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:%d" % taken.getsockname()[1]})
    s.call("closes before it answers", "close", UNAVAILABLE, ("without an answer", "3 attempts"), requests=3)
    s.call("resets the connection", "reset", UNAVAILABLE, ("3 attempts",), requests=3)
    s.call("truncated body", "truncated", UNAVAILABLE, ("before the answer was complete", "3 attempts"), requests=3)
    s.call("truncated headers", "half_headers", UNAVAILABLE, ("3 attempts",), requests=3)
    s.call("closed once", "closed_once", DONE, requests=2)
    s.call("no HTTP at all", "not_http", UNAVAILABLE, ("not HTTP",), requests=(1, 3))
    s.call("switching protocols", "switching", UNAVAILABLE, requests=(1, 3))

    readable = ("cannot be read", "HTTP 200", "endpoint is the service's own")
    s.call("garbage", "garbage", UNAVAILABLE, readable)
    s.call("garbage with 400", "garbage_error", FAILED, ("400",), next=False)
    s.call("empty body", "empty", DONE)
    s.call("HTML with 200", "html", UNAVAILABLE, readable)
    s.call("HTML with 502", "html_502", UNAVAILABLE, ("502", "3 attempts"), requests=3)
    s.call("a member of the wrong type", "wrong_type", UNAVAILABLE, ("clusterArns",) + readable)
    s.call("NUL in JSON", "nul", UNAVAILABLE, readable)
    s.call("bad UTF-8 in JSON", "bad_utf8", DONE, ("\ufffd",))
    s.call("more after the JSON", "trailing", UNAVAILABLE, readable)
    s.call("100,000 brackets", "deep", UNAVAILABLE, readable)
    s.call("100,000 brackets in an unknown member", "deep_unknown", UNAVAILABLE, ("too deep",) + readable)
    s.call("a number beyond doubles", "huge_number", UNAVAILABLE, primitive="ecs.describe_services",
           arguments=["--services", "a"])
    s.call("garbage instead of chunks", "chunked_garbage", UNAVAILABLE, requests=(1, 3))
    s.call("chunks cut off", "chunked_cut", UNAVAILABLE, ("3 attempts",), requests=3)
    s.call("compressed unasked", "gzip_bomb", UNAVAILABLE)
    s.call("nonsense headers", "odd_headers", UNAVAILABLE, ("not HTTP",))

    for name, mode in [("announced", "big"), ("unannounced", "big_unannounced"), ("chunked", "big_chunked"),
                       ("as an error", "big_error")]:
        s.call("200 MB " + name, mode, LIMIT, ("larger than",))
    s.call("endless headers", "endless_headers", LIMIT, ("headers", "larger than"))
    s.call("a header of 4 MB", "huge_header", LIMIT, ("headers", "larger than"))
    s.call("100 Continue for ever", "endless_interim", LIMIT, ("headers", "larger than"))

    for name, mode in [("drips", "drip"), ("never answers", "never")]:
        s.call(name, mode, TIMED_OUT, ("time",), arguments=["--timeout", "2s"], seconds=15)
    s.expect("never answers a run", ["run", "validate/service", *TARGET, "--timeout", "2s"], TIMED_OUT, ("time",), "never",
             requests=1, seconds=15, output=True, next=False)


def services(s):
    s.call("redirect", "redirect", FAILED, ("301", "redirects are not followed"))
    s.call("bucket in another region", "bucket_elsewhere", FAILED, ("eu-central-1",), primitive="s3.list_objects_v2",
           arguments=["--bucket", "b"])
    s.call("5xx storm", "storm", UNAVAILABLE, ("it rains", "HTTP 500", "3 attempts"), requests=3)
    s.call("5xx storm without a body", "storm_bare", UNAVAILABLE, ("HTTP 500", "3 attempts"), requests=3)
    s.call("503 storm", "storm_503", UNAVAILABLE, ("HTTP 503", "3 attempts"), requests=3)
    s.call("5xx storm of one attempt", "storm", UNAVAILABLE, ("1 attempt",), requests=1,
           environment={"AWS_MAX_ATTEMPTS": "1"})
    s.expect("5xx storm over a run", ["run", "validate/service", *TARGET], UNAVAILABLE, ("it rains",), "storm",
             requests=tuple(range(6, 16)), output=True)
    s.call("two bad answers, then a good one", "storm_twice", DONE, requests=3)
    s.call("throttled for ever", "throttled", UNAVAILABLE, ("Rate exceeded", "3 attempts"), requests=3)
    s.call("throttled twice", "throttled_twice", DONE, requests=3)
    s.call("429 without a word", "too_many_requests", UNAVAILABLE, ("429",), requests=1)
    s.call("asked to wait an hour", "retry_after", DONE, requests=2, seconds=15)
    s.call("asked to wait nonsense", "retry_after_garbage", DONE, requests=2)

    s.call("expired token", "expired", CREDENTIALS, ("ExpiredTokenException", "expired"), requests=(1, 2))
    s.call("denied", "denied", DENIED, ("AccessDeniedException", "ecs:ListClusters", "policy"))
    s.call("unknown key", "unrecognized", CREDENTIALS, ("UnrecognizedClientException", "get_caller_identity"))
    s.expect("denied in a run", ["run", "validate/service", *TARGET], DENIED, ("ecs:ListClusters",), "denied", requests=1,
             output=True)

    def corrected(seen):
        first, second = (request.headers["x-amz-date"] for request in seen.requests)
        hours = (time.mktime(time.strptime(second, "%Y%m%dT%H%M%SZ"))
                 - time.mktime(time.strptime(first, "%Y%m%dT%H%M%SZ"))) / 3600
        return None if 1.9 < hours < 2.1 else "the clock was moved by %.2f hours" % hours

    s.call("clock skew", "skewed", DONE, requests=2, check=corrected)
    s.call("clock skew told by the signature", "skewed_signature", DONE, requests=2, check=corrected)
    s.call("clock skew that stays", "skewed_always", CREDENTIALS, ("RequestTimeTooSkewed", "clock"), requests=2)
    s.call("clock skew of an absurd date", "skewed_absurdly", CREDENTIALS, ("clock",), requests=1)

    s.call("terminal escapes in a message", "escapes", FAILED, ("line one line two", "InvalidParameterException"), next=False)
    s.expect("terminal escapes in a run", ["run", "validate/service", *TARGET], FAILED, ("line one",), "escapes",
             requests=1, output=True, next=False)
    s.call("terminal escapes in a code", "escapes_in_code", FAILED, ("plain", "Parameter Exception"), next=False)
    s.call("a message of a megabyte", "long_message", FAILED, ("aaaa",), next=False)
    s.call("a signature in a message", "secret_echo", FAILED, ("made up",), never=("wJalrXUtnFEMI",), next=False)

    xml = {"primitive": "sts.get_caller_identity"}
    s.call("XML bomb", "xml_bomb", UNAVAILABLE, ("cannot be read", "line 1"), **xml)
    s.call("XML that asks for a file", "xml_file", UNAVAILABLE, ("type declaration is not allowed",), never=("root:",), **xml)
    s.call("XML 100,000 deep", "xml_deep", UNAVAILABLE, ("cannot be read", "line 1"), **xml)
    s.call("XML cut off", "xml_cut", UNAVAILABLE, ("cannot be read", "line 1"), **xml)
    s.call("XML error", "xml_error", FAILED, ("ValidationError", "no such thing"), next=False, **xml)
    s.call("JSON where XML belongs", "nul", UNAVAILABLE, ("cannot be read", "line 1"), **xml)


def tls(s):
    folder = os.path.join(s.folder, "tls")
    os.mkdir(folder)
    hostile.certificates(folder)
    s.tls = {name: hostile.tls_server(folder, name) for name in ("good", "wrong_name")}
    silent, babble = hostile.silent_server(), hostile.silent_server(b"\x16\x03\x01" + b"\xff" * 500)
    s.listeners = [silent, babble]

    def call(name, port, exit, *words, trust=None, on=None, requests=0, scheme="https", **more):
        def check(seen):
            made = len(on.of(s.tag(name)).requests) if on else 0
            return None if made == requests else "%d requests behind TLS, expected %d" % (made, requests)

        environment = {"AWS_ENDPOINT_URL": "%s://127.0.0.1:%d/%s" % (scheme, port, s.tag(name))}
        if trust:
            environment["AWS_CA_BUNDLE"] = os.path.join(folder, trust)
        s.call(name, "ok", exit, words, requests=0, environment=environment, check=check, **more)

    good, wrong = s.tls["good"], s.tls["wrong_name"]
    call("TLS: trusted", good.port, DONE, trust="good.pem", on=good, requests=1)
    call("TLS: self-signed certificate", good.port, UNAVAILABLE, "not trusted", "AWS_CA_BUNDLE", on=good)
    call("TLS: another's certificate authority", good.port, UNAVAILABLE, "not trusted", trust="wrong_name.pem", on=good)
    call("TLS: wrong host name", wrong.port, UNAVAILABLE, "not trusted", "127.0.0.1", trust="wrong_name.pem", on=wrong)
    call("TLS: http at an https port", good.port, UNAVAILABLE, scheme="http", on=good)
    call("TLS: https at an http port", s.server.port, UNAVAILABLE, "TLS")
    call("TLS: garbage for a handshake", babble.getsockname()[1], UNAVAILABLE, "TLS")
    call("TLS: no handshake at all", silent.getsockname()[1], TIMED_OUT, "time", arguments=["--timeout", "2s"], seconds=15)
    call("TLS: no such bundle", good.port, UNAVAILABLE, "absent.pem", trust="absent.pem", on=good)
    call("TLS: a bundle that is none", good.port, UNAVAILABLE, "good.key", trust="good.key", on=good)


# ---- output that goes nowhere, and signals ----

def output(s):
    def nowhere(name, arguments, make, **more):
        def body():
            home = s.home()
            stream, finish = make()
            with stream:
                outcome = s.run(arguments, home, {"AWS_ENDPOINT_URL": s.url("ok", name)}, stdout=stream)
            finish()
            expected = {"exit": INTERNAL, "says": ("standard output",), "next": False, "never": (), "output": False,
                        "seconds": MOST_SECONDS, "requests": more.get("requests", (0,)), "check": None}
            return s.judge(name, outcome, expected), outcome

        s.case(name, body)

    def full():
        return open("/dev/full", "wb"), lambda: None

    def closed():
        reader, writer = os.pipe()
        os.close(reader)
        return os.fdopen(writer, "wb"), lambda: None

    for name, make in [("a full disk", full), ("a closed pipe", closed)]:
        nowhere("version to " + name, ["version"], make)
        nowhere("list to " + name, ["list"], make)
        nowhere("call to " + name, ["call", "ecs.list_clusters"], make, requests=(1,))
        nowhere("run to " + name, ["run", "first/hello", "--runbooks", EXAMPLES], make)


EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "runbooks")

WAITING = """return { apply = function()
  step("Change it", function() ecs.update_service { cluster = "c", service = "web", desired_count = 2 } end)
  step("Wait for it", function() progress("waiting now") sleep(600) end)
end }"""
READING = """return { verify = function() ecs.list_clusters {} end }"""
SLEEPING = """return { verify = function() progress("waiting now") sleep(600) end }"""


class Reader:
    """Reads a process's output as it comes."""

    def __init__(self, process):
        self.process, self.text = process, b""

    def until(self, words, seconds=MOST_SECONDS):
        end = time.monotonic() + seconds
        while words not in self.text and time.monotonic() < end:
            ready, _, _ = select.select([self.process.stdout], [], [], 0.5)
            block = os.read(self.process.stdout.fileno(), 65536) if ready else None
            if block == b"":
                return False
            self.text += block or b""
        return words in self.text


def wait_for(condition, seconds=MOST_SECONDS):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def signals(s):
    writes = {"kind": "maintain", "effect": "writes", "uses": '"ecs.update_service"', "more": ' changes = { "x" },'}

    def stopped(name, body, actions, says, mode="ok", of=(), exit=CANCELLED, requests=(0,), never=(), ignored=None):
        """`actions` gets what is running, and sends signals to it."""

        def run():
            home = s.home()
            runbook("bad", body, **dict(of))(home)
            begin = time.monotonic()
            process = s.start(["run", "t/bad", "--yes"], home, {"MOONBOOK_PATH": home + "/books",
                              "AWS_ENDPOINT_URL": s.url(mode, name)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              preexec_fn=ignored and (lambda: signal.signal(ignored, signal.SIG_IGN)))
            reader = Reader(process)
            guard = threading.Timer(2 * MOST_SECONDS, process.kill)
            guard.start()
            problem = actions(process, reader, s.seen(name))
            rest = process.communicate()[0]
            guard.cancel()
            outcome = Outcome(process.returncode, reader.text + rest, b"", time.monotonic() - begin, 0)
            expected = {"exit": exit, "says": says, "next": False, "never": never, "output": True,
                        "seconds": MOST_SECONDS, "requests": requests, "check": None}
            return problem or s.judge(name, outcome, expected), outcome

        s.case(name, run)

    def when_waiting(*numbers):
        def actions(process, reader, seen):
            if not reader.until(b"waiting now"):
                return "never began to wait"
            for number in numbers:
                process.send_signal(number)
            return None

        return actions

    def when_asked(pause, *numbers):
        """Once a request has arrived that gets no answer."""

        def actions(process, reader, seen):
            if not wait_for(lambda: seen.requests):
                return "no request was made"
            for number in numbers:
                process.send_signal(number)
                time.sleep(pause)
            return None

        return actions

    stopped("SIGINT while reading", SLEEPING, when_waiting(signal.SIGINT), ("cancelled",), never=("stays as it is",))
    stopped("SIGTERM while reading", SLEEPING, when_waiting(signal.SIGTERM), ("cancelled",))
    stopped("SIGHUP while reading", SLEEPING, when_waiting(signal.SIGHUP), ("cancelled",))
    stopped("SIGHUP under nohup changes nothing", SLEEPING.replace("600", "1"), when_waiting(signal.SIGHUP),
            ("done",), exit=0, ignored=signal.SIGHUP)
    stopped("SIGINT during a call that only reads", READING, when_asked(0, signal.SIGINT), ("cancelled",), mode="never",
            of={"uses": '"ecs.list_clusters"'}, requests=(1,))
    stopped("SIGINT after a write", WAITING, when_waiting(signal.SIGINT),
            ("cancelled", '"Change it" is done', '"Wait for it"'), of=writes, requests=(1,))
    stopped("SIGTERM after a write", WAITING, when_waiting(signal.SIGTERM), ("cancelled", '"Change it" is done'),
            of=writes, requests=(1,))
    stopped("SIGINT twice after a write", WAITING, when_waiting(signal.SIGINT, signal.SIGINT),
            ("cancelled", '"Change it" is done'), of=writes, requests=(1,))
    stopped("SIGINT twice during a write", WAITING, when_asked(0.5, signal.SIGINT, signal.SIGINT),
            ("cancelled", '"Change it"'), mode="never", of=writes, requests=(1,))


# ---- counts, which do not vary ----

def counts(s):
    bench = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench", "runbooks")

    def most(connections, at_once):
        def check(seen):
            if len(seen.connections) > connections:
                return "%d connections, expected at most %d" % (len(seen.connections), connections)
            return None if seen.most <= at_once else "%d at once, expected at most %d" % (seen.most, at_once)

        return check

    s.expect("200 calls one after another take one connection",
             ["run", "bench/sequential", "--calls", "200", "--runbooks", bench], DONE, ("done",), "ok", 200, output=True,
             check=most(1, 1))
    s.expect("400 calls at once take as many connections as allowed",
             ["run", "bench/concurrent", "--calls", "400", "--in-flight", "16", "--runbooks", bench], DONE, ("done",),
             "slowly_ok", 400, output=True, check=most(16, 16))

    def asked(**wanted):
        def check(seen):
            made = {}
            for request in seen.requests:
                made[request.operation()] = made.get(request.operation(), 0) + 1
            made = {name.split("/")[0].replace("GET ", "GET"): count for name, count in made.items()}
            return None if made == wanted else "asked %r, expected %r" % (made, wanted)

        return check

    s.expect("validate/service asks once for each thing",
             ["run", "validate/service", *TARGET, "--health-url", "{url}/healthz"], DONE, ("done",), "ok", 5, output=True,
             check=asked(DescribeServices=1, ListTasks=1, DescribeTasks=1, DescribeTargetHealth=1, GET=1))

    def unused(seen):
        return None if s.idle.accepted == 0 else "%d connections were opened" % s.idle.accepted

    s.idle = hostile.Server()
    for arguments in (["version"], ["list"], ["help"], ["help", "ecs"], ["help", "ecs.describe_services"],
                      ["show", "validate/service"], ["check", EXAMPLES + "/monitor/cluster/v1"],
                      ["run", "first/hello", "--runbooks", EXAMPLES]):
        s.expect("%s opens no connection" % " ".join(arguments)[:40], arguments, DONE, requests=0, output=True, check=unused,
                 environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:%d" % s.idle.port})


def main(moonbook, *wanted):
    folder = tempfile.mkdtemp(prefix="moonbook-bad-input-")
    try:
        s = Suite(moonbook, folder)
        for add in (network, tls, signals, aws_files, counts, services, output, command_line, lua_settings, runbooks,
                    regions):
            add(s)
        return s.run_all(wanted)
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
