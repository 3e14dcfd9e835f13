#!/usr/bin/env python3
"""Drives deploy tools through the endings of tests/endings, each run in a simulated AWS of its own, and writes down
what the tool said and what the world says happened. See run.sh; docs/comparison.md is what comes of it."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import failing
import judge
import report
import tools

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HOURS = 4  # how long a deployment is followed after a tool has ended


class Simulator:
    """A fresh `moonbook sim` whose clock stands still until somebody moves it."""

    def __init__(self, moonbook, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = open(folder / "simulator.txt", "wb")
        self.process = subprocess.Popen(
            [moonbook, "sim", "--speed", "step", "--port", str(self.port), "--scenario", "empty"],
            stdout=self.log, stderr=self.log, env={"PATH": os.environ["PATH"]})
        self.wait_until_ready()

    def wait_until_ready(self):
        for _ in range(200):
            try:
                self.command("now")
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("the simulator does not answer")

    def command(self, name, **args):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/_moonbook/{name}", data=json.dumps(args).encode())
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{name}: {error.read().decode(errors='replace').strip()}") from error

    def settled(self):
        """The truth when no deployment is under way any more, or after hours."""
        truth = self.command("truth")
        for _ in range(HOURS * 60):
            if not truth["moving"]:
                break
            self.command("advance", time=60)
            truth = self.command("truth")
        return truth

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def environment(simulator, folder, clock, path):
    """What a tool finds: the simulator's address and its clock, credentials that are none, a home of its own."""
    return {
        "PATH": f"{path}:/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC",
        "HOME": str(folder), "TMPDIR": str(folder),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{simulator.port}", "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": "AKIACOMPARISON000000", "AWS_SECRET_ACCESS_KEY": "comparison",
        "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_PAGER": "",
        "LD_PRELOAD": str(clock), "MOONBOOK_SIM_PORT": str(simulator.port),
        "MOONBOOK_CLOCK_NOTES": str(folder.parent / "notes.txt"),
        "MOONBOOK_CLOCK_OUTPUT": str(folder.parent / "output.txt"),
    }


def run_tool(command, simulator, folder, options, path):
    work = folder / "work"
    work.mkdir()
    with open(folder / "output.txt", "wb") as output:
        process = subprocess.Popen(
            command, cwd=work, env=environment(simulator, work, options.clock, path), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            code = process.wait(options.patience)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            code = None
    return code, (folder / "output.txt").read_text(errors="replace")


def timing(ending, folder, begun, ended, calls):
    notes = folder / "notes.txt"
    return failing.measure(
        ending["name"], (folder / "output.txt").read_bytes(), notes.read_text() if notes.exists() else "", begun, ended,
        calls)


def one_run(ending, tool, options):
    """What came of one tool in one ending, as plain data."""
    result = {"ending": ending["name"], "file": ending["file"], "tool": tool.name}
    command = tool.command(ending)
    if command is None:
        return {**result, "left_out": "the tool has no such command"}
    if ending.get("again") and not tool.looks_first:
        return {**result, "left_out": "the world of an ending above"}
    folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=options.work))
    simulator = Simulator(options.moonbook, folder)
    try:
        simulator.command("spec_prepare", world=ending.get("world", "service"))
        begun = simulator.command("now")["now"]
        code, output = run_tool(command, simulator, folder, options, tool.path)
        calls, ended = simulator.command("calls"), simulator.command("now")["now"]
        if ending["name"] in failing.WORDS:
            result["failing"] = timing(ending, folder, begun, ended, calls)
        result.update(
            exit_code=code, seconds=round(ended - begun), calls=len(calls),
            words=tool.last_words(output), at_exit=simulator.command("truth"), settled=simulator.settled())
        if tool.is_missing(code, output):
            return {**result, "left_out": "no such runbook"}
        return {**result, **judge.judge(ending, tool, result, output)}
    finally:
        simulator.close()
        if not options.keep:
            shutil.rmtree(folder)


def read_endings(only):
    files = sorted(str(path) for path in (ROOT / "tests/endings").glob("*.spec.lua"))
    command = ["lua5.4", str(HERE / "endings.lua"), *files]
    text = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    return [ending for ending in json.loads(text) if not only or only in ending["name"]]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moonbook", required=True)
    parser.add_argument("--clock", required=True, help="clock.so")
    parser.add_argument("--aws", required=True, help="folder of the AWS CLI's virtual environment")
    parser.add_argument("--ecs-deploy", required=True, help="folder of ecs-deploy's virtual environment")
    parser.add_argument("--work", required=True, help="folder for what the runs leave behind")
    parser.add_argument("--results", help="write all results there as JSON")
    parser.add_argument("--document", help="write the comparison there")
    parser.add_argument("--only", help="endings whose name has this in it")
    parser.add_argument("--tool", help="this tool alone")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--patience", type=float, default=120, help="real seconds for one run of a tool")
    parser.add_argument("--keep", action="store_true", help="keep what each run printed")
    options = parser.parse_args()
    for name in ("moonbook", "clock", "aws", "ecs_deploy"):
        setattr(options, name, str(pathlib.Path(getattr(options, name)).resolve()))
    pathlib.Path(options.work).mkdir(parents=True, exist_ok=True)
    return options


def main():
    options = arguments()
    endings = read_endings(options.only)
    if not options.only:
        failing.are_known(endings)
    chosen = [tool for tool in tools.all_tools(options) if options.tool in (None, tool.name)]
    further = [tool for tool in tools.of_failures(options) if options.tool in (None, tool.name)]
    pairs = [(ending, tool) for ending in endings
             for tool in chosen + (further if ending["name"] in failing.WORDS else [])]
    results = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for result in pool.map(lambda pair: one_run(*pair, options), pairs):
            results.append(result)
            print(report.line(result), flush=True)
    if options.results:
        pathlib.Path(options.results).write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    if options.document:
        pathlib.Path(options.document).write_text(report.document(endings, chosen, further, results))
    print(report.summary_line(chosen + further, results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
