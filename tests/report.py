"""Prints what failed and what was skipped in a ctest JUnit report, then the closing line.

usage: report.py REPORT OUTPUT    (OUTPUT is shown when there is no report)
"""
import os
import sys
import xml.etree.ElementTree as tree


def main(report, output):
    if not os.path.exists(report):
        print(open(output, errors="replace").read())
        print("0 passed, 1 failed, 0 skipped")
        return 1
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for case in tree.parse(report).getroot().iter("testcase"):
        outcome = {"run": "passed", "fail": "failed"}.get(case.get("status"), "skipped")
        counts[outcome] += 1
        if outcome == "passed":
            continue
        lines = (case.findtext("system-out") or "").strip().splitlines()
        print("%s %s" % (outcome.upper(), case.get("name")))
        for line in lines[-60:] if outcome == "failed" else lines[-2:]:
            print("    " + line)
    skips_fail = bool(os.environ.get("CI")) and counts["skipped"] > 0
    if skips_fail:
        print("in CI a skipped test is a failure")
    print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped" % counts)
    return 1 if counts["failed"] or skips_fail or not counts["passed"] else 0


sys.exit(main(*sys.argv[1:]))
