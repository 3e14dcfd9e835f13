"""What the moonbook command prints, with and without a terminal. Runbooks of its own, no network but a
simulated AWS on loopback.

usage: cli.py MOONBOOK GROUP
"""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

LIMIT = 60  # seconds after which a command that should have ended is given up

MANIFEST = """return {
  name = "%(name)s", version = "1.0.0", moonbook = 1, summary = "%(summary)s",
  kind = "%(kind)s", effect = "%(effect)s", uses = { %(uses)s },
  changes = { "Changes {thing} in a sentence that is long enough to have to wrap on a narrow terminal" },
  confirm = "{thing}/phrase",
  args = {
    { name = "thing", type = "string", default = "web", doc = "what to change" },
    { name = "wait", type = "duration", default = "20m", doc = "how long to wait" },
    { name = "desired_count", type = "integer", doc = "how many" },
  },
}
"""

RUNBOOKS = {
    "ops/checks": ("validate", "reads", "", """
return { verify = function(run, args)
  check("first", true, "fine")
  check("second", false, "a reason", { seen = 3 })
  for i = 1, args.desired_count or 0 do check("filler " .. i, true) end
end }"""),
    "ops/hostile": ("validate", "reads", "", """
return { verify = function(run, args)
  log.info("one\\ndone: forged\\27]0;title\\7\\27[2Jend")
  check("name\\nFAIL forged", true, "c1 \\u{9b}31m bidi \\u{202e}x ok \\u{fc}")
  progress("spin\\r\\27[2J\\nmore")
  table_of({ "a", "b" }, { { "x\\ny", "\\27[31mred" }, { "longer", "z" } })
end }"""),
    "ops/write": ("deploy", "writes", '"ecs.update_service"', """
return {
  plan = function(run, args) return {} end,
  apply = function(run, args) step("Nothing in truth", function() end) end,
}"""),
    "ops/waits": ("validate", "reads", "", """
return { verify = function(run, args)
  check("before", true)
  progress("a message that is far too long for a narrow terminal, \\u{fc}n\\u{ef}c\\u{f6}d\\u{e9} and all, " ..
    ("x"):rep(100))
  sleep(args.wait)
  check("after", true)
end }"""),
    "ops/fails": ("validate", "reads", "", """
return { verify = function(run, args)
  local lines = { "plain", "", "  indented: " .. ("word "):rep(30), "forged\\ndone: forged",
    "log \\27]0;title\\7\\27[2J \\u{9b}31m bidi \\u{202e}x del \\127 ok \\u{fc}" }
  for i = 1, args.desired_count or 0 do lines[#lines + 1] = "line " .. i end
  return { verdict = "failed", message = "It could not be pulled \\27[31m.", cause = "image_not_found",
    evidence = lines, details = { line = "\\27[2J \\u{9b}31m \\u{202e}" }, next = "moonbook run ops/checks" }
end }"""),
    "ops/undoes": ("deploy", "writes", '"ecs.update_service", "ecs.describe_services"', """
local place = { cluster = "aistudio-dev", service = "aistudio-dev" }
local function set(count)
  ecs.update_service { cluster = place.cluster, service = place.service, desired_count = count }
end
return {
  plan = function()
    local answer = ecs.describe_services { cluster = place.cluster, services = { place.service } }
    return { was = answer.services[1].desired_count, next = "moonbook run ops/by-hand" }
  end,
  apply = function(run, args, plan)
    step("One more", function() set(plan.was + 1) end)
    if args.thing == "waits" then
      progress("waiting for ever")
      sleep(args.wait)
    end
  end,
  verify = function(run, args) check("all is well", false) end,
  undo = function(run, args, plan)
    if args.thing == "sticks" then
      progress("stuck for ever")
      sleep(args.wait)
    end
    step("One less", function() set(plan.was) end)
    return { message = plan.was .. " wanted again" }
  end,
}"""),
    "ops/asks": ("deploy", "writes", '"ecs.update_service"', """
return {
  plan = function(run, args) return { refuse = confirm("Is the moon full?") and "it is" or "it is not" } end,
  apply = function(run, args) end,
}"""),
}

SPECS = """local function spec(name, undo, expect)
  return { name = name, world = "service", run = { runbook = "ops/undoes", undo = undo }, expect = expect }
end
return {
  spec("undone", true, { verdict = "failed_undone", message = "Undone: ",
    writes = { "ecs.update_service", "ecs.update_service" } }),
  spec("left", nil, { verdict = "check_failed", writes = { "ecs.update_service" } }),
}
"""

SETTINGS = """return { app = "shop", environments = {
  dev = { region = "eu-west-1" },
  safe = { region = "eu-west-1", protected = true },
} }"""


class Cli:
    def __init__(self, moonbook, folder):
        self.moonbook, self.folder, self.failures = moonbook, folder, 0
        self.environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": folder,
                            "TERM": "xterm", "MOONBOOK_PATH": folder, "AWS_EC2_METADATA_DISABLED": "true"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]
        for name, (kind, effect, uses, source) in RUNBOOKS.items():
            place = os.path.join(folder, name, "v1")
            os.makedirs(place)
            summary = "A runbook of the tests with a summary that does not fit on sixty columns"
            with open(os.path.join(place, "manifest.lua"), "w") as file:
                file.write(MANIFEST % {"name": name, "kind": kind, "effect": effect, "uses": uses,
                                       "summary": summary})
            with open(os.path.join(place, "runbook.lua"), "w") as file:
                file.write(source)
        with open(os.path.join(folder, "moonbook.lua"), "w") as file:
            file.write(SETTINGS)

    def expect(self, name, truth, output=b""):
        if truth:
            print("ok", name)
            return
        self.failures += 1
        print("FAILED", name)
        for line in output.splitlines():
            print("  |", ascii(line.decode("utf-8", "backslashreplace")))

    def plain(self, *arguments, environment=None):
        """Runs without a terminal. Gives exit code, stdout, stderr."""
        done = subprocess.run([self.moonbook, *arguments], cwd=self.folder, capture_output=True,
                              env={**self.environment, **(environment or {})},
                              stdin=subprocess.DEVNULL, timeout=LIMIT)
        return done.returncode, done.stdout, done.stderr

    def terminal(self, *arguments, columns=80, rows=40, environment=None, answers=()):
        """Runs on a terminal. `answers`: pairs of what to wait for and what to type, or a signal to
        send. Gives exit code and all that was written."""
        pid, master = pty.fork()
        if pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
                os.chdir(self.folder)
                os.execve(self.moonbook, [self.moonbook, *arguments],
                          {**self.environment, **(environment or {})})
            finally:
                os._exit(127)  # this process must not go on as a second test
        answers, seen, end = list(answers), b"", time.monotonic() + LIMIT
        from_here = 0
        while time.monotonic() < end:
            if not select.select([master], [], [], 0.2)[0]:
                continue
            try:
                data = os.read(master, 65536)
            except OSError:  # the other side has closed
                break
            if not data:
                break
            seen += data
            while answers and answers[0][0] in seen[from_here:]:
                wanted, typed = answers.pop(0)
                from_here = seen.index(wanted, from_here) + len(wanted)
                if isinstance(typed, bytes):
                    os.write(master, typed)
                else:
                    os.kill(pid, typed)
        else:
            os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
        os.close(master)
        return os.waitstatus_to_exitcode(status), seen


class Simulator:
    """A simulated AWS on loopback, for as long as the block lasts."""

    def __init__(self, t):
        self.t = t

    def __enter__(self):
        t = self.t
        self.process = subprocess.Popen([t.moonbook, "sim", "--port", "0", "--output", "ndjson",
                                         "--scenario", "service"], cwd=t.folder,
                                        env=t.environment, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        t.environment.update(AWS_ENDPOINT_URL=json.loads(self.process.stdout.readline())["endpoint"],
                             AWS_REGION="eu-west-1", AWS_ACCESS_KEY_ID="AKIDSIMULATED",
                             AWS_SECRET_ACCESS_KEY="simulated")
        return self

    def __exit__(self, *why):
        self.process.terminate()
        self.process.wait(LIMIT)
        self.process.stdout.close()

    def desired_count(self):
        _, out, _ = self.t.plain("call", "ecs.describe_services", "--cluster", "aistudio-dev",
                                 "--services", "aistudio-dev")
        return json.loads(out)["services"][0]["desired_count"]


def lines_of(output):
    return output.replace(b"\r\n", b"\n").split(b"\n")


def bare(output):
    """Without colours, and without what erases the status line."""
    return re.sub(rb"\x1b\[[0-9;]*[mK]", b"", output)


def visible(line):
    return len(bare(line).decode("utf-8", "replace"))


def plain(t):
    code, out, err = t.plain("run", "ops/checks", "--thing", "shop")
    t.expect("a failed check gives its exit code", code == 10, out + err)
    t.expect("no colour, no redrawing into a pipe", b"\x1b" not in out and b"\r" not in out, out)
    t.expect("what was chosen is shown, what is as always is not",
             b"\n  with     thing=shop\n" in out, out)
    t.expect("a passed check", b"\n  pass     first: fine\n" in out, out)
    t.expect("a failed check, with its evidence",
             b'\n  FAIL     second: a reason\n           {"seen":3}\n' in out, out)
    t.expect("the verdict begins a line", b"\ncheck_failed: 1 of 2 checks failed: second.  (" in out, out)
    t.expect("a failure on the same screen is told once", out.count(b"FAIL     second") == 1, out)
    code, out, _ = t.plain("run", "ops/checks", "--desired-count", "40")
    t.expect("a failure from long ago is told again below the verdict",
             out.count(b"FAIL     second: a reason") == 2
             and out.rindex(b"FAIL     second") > out.index(b"check_failed:"), out)
    code, out, _ = t.plain("run", "ops/checks", "-v")
    t.expect("-v shows every argument, durations as they are written", b"wait=20m" in out, out)
    code, out, err = t.plain("run", "ops/checks", "-q")
    t.expect("-q prints the verdict alone", out.startswith(b"check_failed: ") and not err, out + err)
    code, out, _ = t.plain("run", "ops/checks", "-o", "ndjson")
    events = [json.loads(line) for line in out.splitlines()]
    t.expect("ndjson: one event a line, the first with the format, the last with the verdict",
             events[0]["format"] == 1 and events[-1]["type"] == "run_finished"
             and events[-1]["data"]["exit_code"] == 10 == code, out)
    code, out, _ = t.plain("run", "ops/fails", "--desired-count", "55")
    end = out[out.index(b"\nfailed: "):]
    t.expect("below the verdict stand the cause, the evidence and what to do next",
             re.match(rb"\nfailed: .*\n  cause    image_not_found\n           plain\n *\n", end) is not None
             and end.endswith(b"\n           line 55\n  next     moonbook run ops/checks\n"), out)
    code, out, _ = t.plain("run", "ops/fails", "--desired-count", "57")
    t.expect("of much evidence the rest is counted", b"\n           line 55\n           "
             + "\u2026 and 2 more (--output ndjson has all)\n".encode() in out and b"line 56" not in out, out)
    _, out, _ = t.plain("run", "ops/fails", "--desired-count", "57", "-o", "ndjson")
    last = json.loads(out.splitlines()[-1])["data"]
    t.expect("ndjson has all evidence, as it was", len(last["evidence"]) == 62 and last["cause"] == "image_not_found"
             and last["details"]["line"] == "\x1b[2J \u009b31m \u202e", out)
    for variables, coloured in (({}, False), ({"CLICOLOR_FORCE": "1"}, True),
                                ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False)):
        _, out, _ = t.plain("run", "ops/checks", environment=variables)
        t.expect("colours into a pipe with %r: %r" % (variables, coloured), (b"\x1b[" in out) == coloured, out)
    _, out, _ = t.plain("run", "ops/checks", "--color=always", environment={"NO_COLOR": "1"})
    t.expect("--color=always is stronger than NO_COLOR", b"\x1b[1;31mcheck_failed\x1b[0m: " in out, out)
    t.expect("colours end before a line does", not re.search(rb"\x1b\[[1-9][0-9;]*m[^\x1b]*\n", out), out)
    code, out, err = t.plain("list", "--color=sometimes")
    t.expect("an unknown choice of colours is refused", code == 2 and b"sometimes" in err, err)


def terminal(t):
    code, out = t.terminal("run", "ops/checks", columns=60)
    t.expect("the exit code is the same on a terminal", code == 10, out)
    t.expect("coloured", b"\x1b[32mpass" in out and b"\x1b[1;31mFAIL" in out, out)
    t.expect("no line is wider than the terminal",
             all(visible(line.split(b"\r")[-1]) <= 60 for line in lines_of(out)), out)
    code, out = t.terminal("run", "ops/fails", columns=60)
    shown = [line.split(b"\r")[-1] for line in lines_of(bare(out))]
    words = [line for line in shown if line.strip() and not line.strip(b" ").strip(b"word ")]
    t.expect("evidence wraps between words, and goes on further in", code == 22 and len(words) >= 2
             and all(visible(line) <= 60 for line in shown) and b"".join(shown).count(b"word") == 30
             and all(line.startswith(b" " * 15 + b"word") for line in words), out)
    _, out = t.terminal("run", "ops/checks", environment={"NO_COLOR": "1"})
    t.expect("NO_COLOR", not re.search(rb"\x1b\[[0-9;]*m", out), out)
    _, out = t.terminal("run", "ops/checks", environment={"TERM": "dumb"})
    t.expect("a dumb terminal gets neither colours nor redrawing", b"\x1b" not in out, out)

    code, out = t.terminal("run", "ops/waits", "--wait", "3s", columns=60)
    drawn = re.findall(rb"\r\x1b\[K([^\r\n]*\[\d+s\][^\r\n]*)", out)
    t.expect("the clock moves while it waits", code == 0
             and len({re.search(rb"\[(\d+)s\]", line).group(1) for line in drawn}) >= 2, out)
    t.expect("the status line is cut, never wrapped, between characters",
             drawn and all(visible(line) < 60 for line in drawn)
             and all(line.decode("utf-8") is not None for line in drawn)
             and any("\u2026".encode() in line for line in drawn), out)
    t.expect("the status line is gone before the next line is written",
             re.search(rb"\r\x1b\[K[^\n]*pass[^\n]*after", out) is not None, out)

    code, out = t.terminal("run", "ops/waits", "--wait", "50s", answers=[(b"[1s]", b"\x03")])
    t.expect("Ctrl-C ends a wait, says so at once, and is no error",
             code == 130 and b"\nstopping\r\n" in out and b"cancelled: ops/waits was cancelled in verify." in bare(out)
             and b"error" not in out, out)
    _, out = t.terminal("list", columns=60)
    t.expect("list is cut at the terminal's edge", all(visible(line) < 60 for line in lines_of(out))
             and "\u2026".encode() in out and b"summary" in out, out)


def asking(t):
    code, out = t.terminal("run", "ops/write", answers=[(b"[y/N] ", b"n\n")])
    t.expect("no", code == 32 and b"nothing was written" in out, out)
    code, out = t.terminal("run", "ops/write", answers=[(b"[y/N] ", b"y\n")])
    t.expect("yes", code == 0, out)
    t.expect("the plan is shown before the question", b"plan" in out.split(b"[y/N]")[0]
             and b"Changes web" in out.split(b"[y/N]")[0], out)
    code, out = t.terminal("run", "ops/write", answers=[(b"[y/N] ", b"\x04")])
    t.expect("the end of input is no yes", code == 32, out)
    code, out = t.terminal("run", "ops/write", answers=[(b"[y/N] ", b"\x03")])
    t.expect("Ctrl-C at the question", code == 130 and b"nothing was written" in out
             and b"no terminal" not in out, out)
    code, out, err = t.plain("run", "ops/write", "--thing", "a b")
    t.expect("nobody to ask: refused, with the command that would not ask",
             code == 32 and b"  next     moonbook run ops/write --thing 'a b' --yes\n" in out, out + err)
    code, out, err = t.plain("run", "ops/write", "-o", "ndjson")
    t.expect("nobody to ask, in ndjson", code == 32 and b"moonbook run ops/write -o ndjson --yes" in err, err)
    code, out = t.terminal("run", "ops/write", "--no-input")
    t.expect("--no-input asks nothing", code == 32 and b"[y/N]" not in out and b"--yes" in out, out)
    code, out, _ = t.plain("run", "ops/write", "--yes")
    t.expect("--yes", code == 0, out)
    code, out, _ = t.plain("run", "ops/write", "--plan")
    t.expect("--plan asks nothing and writes nothing", code == 0 and b"nothing was written" in out
             and b"step" not in out, out)

    safe = ("run", "ops/write", "--env", "safe")
    code, out, _ = t.plain(*safe, "--yes")
    t.expect("--yes does not answer for a phrase",
             code == 32 and b"moonbook run ops/write --env safe --yes --confirm web/phrase\n" in out, out)
    code, out, _ = t.plain(*safe, "--confirm", "web/phrase")
    t.expect("--confirm with the phrase", code == 0, out)
    code, out, _ = t.plain(*safe, "--confirm", "web/phras")
    t.expect("--confirm with another", code == 32 and b"not the one" in out, out)
    code, out = t.terminal(*safe, answers=[(b"Type web/phrase to go on: ", b"y\n")])
    t.expect("a yes is no phrase", code == 32, out)
    code, out = t.terminal(*safe, answers=[(b"Type web/phrase to go on: ", b"web/phrase\n")])
    t.expect("the phrase typed", code == 0, out)
    code, out = t.terminal("run", "ops/asks", answers=[(b"[y/N] ", b"y\n")])
    t.expect("a runbook's own question is shown",
             code == 30 and b"Is the moon full?" in out.split(b"[y/N]")[0], out)


GO_ON, UNDO = b"Go on? [y/N] ", b"Undo what was done? [y/N] "


def undo(t):
    with Simulator(t) as world:
        undo_in(t, world)


def undo_in(t, world):
    was = world.desired_count()
    run = ("run", "ops/undoes", "--thing")
    code, out = t.terminal(*run, "fails", answers=[(GO_ON, b"y\n"), (UNDO, b"y\n")])
    t.expect("on a terminal how it ended is shown, and whether to undo is asked", code == 20
             and b"\ncheck_failed: 1 of 1 checks failed: all is well.\n" in bare(out).split(UNDO)[0].replace(b"\r", b""),
             out)
    t.expect("the verdict says what was undone", b"failed_undone: 1 of 1 checks failed: all is well. Undone: "
             in b" ".join(bare(out).split()), out)
    t.expect("what was undone is undone", world.desired_count() == was)
    code, out = t.terminal(*run, "fails", answers=[(GO_ON, b"y\n"), (UNDO, b"\n")])
    t.expect("no answer is no", code == 10 and b"undo     was not wanted" in bare(out)
             and b"next     moonbook run ops/by-hand" in bare(out) and world.desired_count() == was + 1, out)
    code, out = t.terminal(*run, "fails", "--yes")
    t.expect("--yes is no yes to an undo, and nobody is asked", code == 10 and UNDO not in out
             and b"--undo runs it" in out, out)
    code, out, _ = t.plain(*run, "fails", "--yes")
    t.expect("without a terminal nothing is undone unasked", code == 10 and b"--undo runs it" in out, out)
    before = world.desired_count()
    code, out, _ = t.plain(*run, "fails", "--yes", "--undo")
    t.expect("--undo undoes, and says why before it begins", code == 20 and world.desired_count() == before
             and out.index(b"  undo     1 of 1 checks failed: all is well.\n") < out.index(b"One less"), out)
    code, out, _ = t.plain(*run, "fails", "--yes", "--undo", "-o", "ndjson")
    events = [json.loads(line) for line in out.splitlines()]
    numbers = [e["data"]["call"] for e in events if e["type"] == "call_started"]
    t.expect("ndjson: undo is a phase, its calls are numbered on, and the last event says what became of it",
             [e["data"]["verdict"] for e in events if e["type"] == "phase_started" and e["data"]["phase"] == "undo"]
             == ["check_failed"] and numbers == list(range(1, len(numbers) + 1))
             and events[-1]["data"]["undo"] == "done", out)

    code, out = t.terminal(*run, "waits", answers=[(GO_ON, b"y\n"), (b"waiting for ever", b"\x03"), (UNDO, b"y\n")])
    t.expect("Ctrl-C after a write: whether to undo is asked", code == 20 and b"was cancelled in apply" in out
             and world.desired_count() == before, out)
    code, out = t.terminal(*run, "waits", answers=[(GO_ON, b"y\n"), (b"waiting for ever", b"\x03"), (UNDO, b"\x03")])
    t.expect("Ctrl-C at that question leaves at once", code == 130 and b"leaving at once" in out
             and world.desired_count() == before + 1, out)
    code, out = t.terminal(*run, "waits", "--yes", "--undo", answers=[(b"waiting for ever", b"\x03")])
    t.expect("Ctrl-C with --undo undoes, and says so at once", code == 20 and b"\nstopping, then undoing; press" in out and UNDO not in out
             and world.desired_count() == before + 1, out)
    code, out = t.terminal(*run, "sticks", "--yes", "--undo", answers=[(b"stuck for ever", b"\x03")])
    t.expect("Ctrl-C during the undo stops it, and it is not called undone", code == 21
             and b"stopping the undo" in out and b"undo_incomplete: " in bare(out)
             and b"next     moonbook run ops/by-hand" in bare(out) and world.desired_count() == before + 2, out)
    with open(os.path.join(t.folder, "undo.spec.lua"), "w") as file:
        file.write(SPECS)
    code, out, _ = t.plain("test", "undo.spec.lua")
    t.expect("a spec undoes when it says so, and only then", code == 0 and b"2 passed" in out, out)
    code, out, _ = t.plain("run", "ops/write", "--yes", "--undo")
    t.expect("--undo is refused where it would do nothing", code == 2 and b"has no undo()" in out
             and b"step" not in out, out)


def escapes(t):
    for name, (code, out) in (("pipe", t.plain("run", "ops/hostile")[:2]),
                              ("terminal", t.terminal("run", "ops/hostile"))):
        shown = bare(out)
        t.expect(name + ": passes", code == 0, out)
        t.expect(name + ": no control sequence of the runbook's gets through",
                 b"\x1b" not in shown and b"\x07" not in shown and b"\xc2\x9b" not in shown
                 and b"\xe2\x80\xae" not in shown, out)
        t.expect(name + ": they are shown instead", b"\\x1b]0;title\\x07\\x1b[2Jend" in shown, out)
        t.expect(name + ": other characters are left alone", "ok \u00fc".encode() in shown, out)
        t.expect(name + ": no line of the runbook's own begins at the left edge",
                 not any(line.startswith((b"done: forged", b"FAIL forged")) for line in lines_of(shown)), out)
        t.expect(name + ": a table's cell is one line", b"  x y     \\x1b[31mred" in shown, out)


    for name, (code, out) in (("pipe", t.plain("run", "ops/fails")[:2]),
                              ("terminal", t.terminal("run", "ops/fails"))):
        shown = bare(out)
        t.expect(name + ": no control sequence in evidence or message gets through", code == 22
                 and not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]", shown.decode()), out)
        t.expect(name + ": they are shown instead", b"log \\x1b]0;title\\x07\\x1b[2J" in shown
                 and "ok \u00fc".encode() in shown, out)
        t.expect(name + ": no line of the evidence begins at the left edge",
                 not any(line.startswith(b"done: forged") for line in lines_of(shown)), out)
    out = t.plain("run", "ops/fails", "-o", "ndjson")[1]
    t.expect("ndjson: what acts on a terminal is escaped",
             not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out.decode())
             and b"\\u009b31m" in out and b"\\u202e" in out and b"\\u007f" in out, out)


def help_(t):
    code, out, _ = t.plain("run", "ops/checks", "--help")
    t.expect("--help of a runbook lists its arguments as they are typed",
             code == 0 and b"\n  --desired-count integer  how many\n" in out
             and b"(default 20m)" in out, out)
    code, out, _ = t.plain("help", "primitives")
    t.expect("help primitives shows counts",
             code == 0 and re.search(rb"^ecs +\d+  ", out, re.M) is not None, out)
    code, out, _ = t.plain("list")
    rows = [line.split() for line in out.splitlines()]
    t.expect("list prints one row for each runbook and nothing else into a pipe",
             code == 0 and rows[0][0] == b"ops/asks" and len({line.index(b" 1.0.0") for line in out.splitlines()}) == 1,
             out)
    code, out, _ = t.plain("show", "ops/checks")
    t.expect("show has the description before the source in a pipe",
             code == 0 and 0 < out.index(b"arguments") < out.index(b"-- manifest.lua"), out)
    code, out, err = t.plain()
    t.expect("no command: what there is, and a usage error", code == 2 and b"moonbook list" in out, out)
    os.makedirs(os.path.join(t.folder, "broken", "v1"))
    for name, text in (("manifest.lua", 'return { name = "broken", colour = "red" }'), ("runbook.lua", "return {")):
        with open(os.path.join(t.folder, "broken", "v1", name), "w") as file:
            file.write(text)
    code, out, _ = t.plain("check", "broken/v1")
    t.expect("check tells the mistakes of both files, each with its name once",
             code == 2 and b"manifest.lua: error: colour: unknown field" in out
             and b"runbook.lua:1: error: " in out and b"2 errors, 0 warnings" in out, out)


SCALE = """local function scale(count)
  return { runbook = "scale/service", args = { cluster = "aistudio-dev", service = "aistudio-dev", desired_count = count } }
end
local once = { ["ecs.update_service"] = 1 }
local never = { ["ecs.update_service"] = 0 }
"""


def specs(t):
    def test(text):
        with open(os.path.join(t.folder, "a.spec.lua"), "w") as file:
            file.write(SCALE + text)
        return t.plain("test", "a.spec.lua")

    code, out, _ = test("""return { { name = "runs", runs = {
      { run = scale(2), expect = { calls = once } },
      { run = scale(2), expect = { verdict = "nothing_to_do", calls = never } },
    } } }""")
    t.expect("the runs of a spec share a world, and each has its own calls counted", code == 0 and b"1 passed" in out, out)
    code, out, _ = test("""return { { name = "runs", runs = {
      { run = scale(9), expect = { verdict = "done" } }, { run = scale(1), expect = { verdict = "done" } },
    } } }""")
    t.expect("what did not come true is told with the number of its run",
             code == 10 and b"#   run 1: verdict: got \"refused" not in out
             and b"#   run 1: verdict: got refused_by_plan, expected done" in out
             and b"#   run 2: verdict: got nothing_to_do, expected done" in out, out)
    code, out, _ = test("""return { { name = "runs", runs = {
      { run = scale(9) }, { run = scale(1), expect = { verdict = "nothing_to_do" } } } } }""")
    t.expect("how a run without expect ends is not looked at", code == 0, out)
    code, out, _ = test("""return { { name = "runs", runs = { { run = scale(1) } } } }""")
    t.expect("a spec whose last run expects nothing is refused", code == 10 and b"the last one needs 'expect'" in out, out)
    code, out, _ = test("""return { { name = "runs", runs = { { run = scale(1), expect = {} } }, run = scale(1) } }""")
    t.expect("a spec has one run or several, not both", code == 10 and b"no 'run' or 'expect' beside it" in out, out)
    code, out, _ = test("""return { { name = "n", each = { 1, 3 }, world = { "service", { "deny_calls", {
        action = "ecs:DescribeServices", skip = "$each" } } },
      run = scale(2), expect = { verdict = "denied", calls = { ["ecs.describe_services"] = 4 } } } }""")
    t.expect("each makes a test of its own for every number, in a world that has it",
             code == 10 and b"a.spec.lua: n [1]" in out and b"ok 2 - a.spec.lua: n [3]" in out
             and b"1 passed, 1 failed" in out and b"got 2, expected 4" in out, out)
    code, out, _ = test("""return {
      { name = "a", run = scale(1), expect = { verdict = { "done", "nothing_to_do" } } },
      { name = "b", run = scale(1), expect = { verdict = { "done", "failed" } } } }""")
    t.expect("of a list of verdicts any will do, and no other", b"1 passed, 1 failed" in out and b"not ok 2" in out, out)


def main():
    groups = {"plain": plain, "terminal": terminal, "asking": asking, "undo": undo, "escapes": escapes,
              "help": help_, "specs": specs}
    moonbook, group = os.path.abspath(sys.argv[1]), sys.argv[2]
    with tempfile.TemporaryDirectory() as folder:
        cli = Cli(moonbook, folder)
        groups[group](cli)
        return 1 if cli.failures else 0


sys.exit(main())
