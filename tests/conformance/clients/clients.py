"""Runs real clients against `moonbook sim`: clients.py MOONBOOK TOOLS.

MOONBOOK is the program, TOOLS the folder that install.sh filled. Closes with "N passed, N failed,
N skipped"; in CI (CI or MOONBOOK_CI set) what was skipped has failed.
"""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from report import Report  # noqa: E402: found by the line above
from simulated import Server, environment  # noqa: E402


def the_cli(tools, server):
    """The AWS CLI on a server, as a function of its words that gives exit code and text."""
    program = str(tools / "python" / "bin" / "aws")

    def run(*words):
        command = [program, "--endpoint-url", server.endpoint, "--output", "json", *words]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300)
        return done.returncode, done.stdout + done.stderr
    return run


def sdk(report, moonbook, tools):
    import paginators
    import shop
    import waiters
    for label, part in (("waiters", waiters), ("paginators", paginators)):
        report.part(label)
        with Server(moonbook, "--speed", "100", scenario=shop.SCENARIO) as server:
            outside = part.run(report, shop.Shop(server), the_cli(tools, server))
        report.close()
        report.outside(label, outside)


def main():
    moonbook, tools = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    report = Report()
    sdk(report, str(moonbook), tools)
    report.close()
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    in_ci = os.environ.get("MOONBOOK_CI") or os.environ.get("CI")
    return 1 if report.failed or not report.passed or in_ci and report.skipped else 0


if __name__ == "__main__":
    sys.exit(main())
