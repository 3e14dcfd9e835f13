"""Runs real clients against `moonbook sim`: clients.py MOONBOOK TOOLS.

MOONBOOK is the program, TOOLS the folder that install.sh filled. Closes with "N passed, N failed,
N skipped"; in CI (CI or MOONBOOK_CI set) what was skipped has failed.
"""
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import cdk  # noqa: E402: found by the line above
import registry  # noqa: E402
from report import Report  # noqa: E402
from simulated import Server, environment  # noqa: E402


def the_cli(tools, server):
    """The AWS CLI on a server, as a function of its words that gives exit code and text."""
    program = str(tools / "python" / "bin" / "aws")

    def run(*words):
        command = [program, "--endpoint-url", server.endpoint, "--output", "json", *words]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300)
        return done.returncode, done.stdout + done.stderr
    return run


def why_missing(tools, name):
    """Why install.sh could not install something, or None."""
    note = tools / "missing" / name
    return note.read_text().strip() if note.exists() else None


def sdk(report, moonbook, tools):
    import paginators  # they need boto3
    import shop
    import waiters
    for label, part in (("waiters", waiters), ("paginators", paginators)):
        report.part(label)
        with Server(moonbook, "--speed", "100", scenario=shop.SCENARIO) as server:
            outside = part.run(report, shop.Shop(server), the_cli(tools, server))
        report.close()
        report.outside(label, outside)


def registries(report, moonbook, tools):
    report.part("registry")
    found = {"crane": str(tools / "bin" / "crane"), "skopeo": shutil.which("skopeo")}
    for name in list(found):
        if why := why_missing(tools, name):
            report.skip(name, why)
            del found[name]
    with Server(moonbook, scenario=registry.SCENARIO) as server:
        registry.run(report, server, the_cli(tools, server), found)


def stacks(report, moonbook, tools):
    report.part("cdk")
    if why := why_missing(tools, "cdk"):
        report.skip("the CDK", why)
        return
    with Server(moonbook, "--speed", "30", scenario=cdk.SCENARIO) as server:
        cdk.run(report, server, tools / "cdk" / "node_modules")


def main():
    moonbook, tools = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]).resolve()
    report = Report()
    if why := why_missing(tools, "python"):
        report.skip("boto3 and the AWS CLI, and what needs them for the registry", why)
    else:
        sdk(report, moonbook, tools)
        registries(report, moonbook, tools)
    stacks(report, moonbook, tools)
    report.close()
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    in_ci = os.environ.get("MOONBOOK_CI") or os.environ.get("CI")
    return 1 if report.failed or not report.passed or in_ci and report.skipped else 0


if __name__ == "__main__":
    sys.exit(main())
