"""Turns measure's rows into ratios against the goals (spec/push-and-perf.md section 5)."""
import sys

rows = {}
for line in open(sys.argv[1]):
    label, wall, cpu, memory, failures = line.rstrip("\n").split("\t")
    rows[label] = (float(wall), float(cpu), float(memory), int(failures))
    print("%-22s wall %9.2f ms   cpu %9.2f ms   peak %6.1f MiB%s"
          % (label, float(wall), float(cpu), float(memory), "   FAILED" if int(failures) else ""))
print()

# (what, numerator, denominator, bound, "max" or "min")
goals = [
    ("version: times faster than aws --version", "start.aws", "start.moonbook", 200, "min"),
    ("one https call against the floor", "https.moonbook", "https.floor", 1.3, "max"),
    ("one https call: times faster than aws", "https.aws", "https.moonbook", 35, "min"),
    ("1,000 calls one after another against the floor", "sequential.moonbook", "sequential.floor", 1.4, "max"),
    ("1,000 calls: times faster than boto3", "sequential.boto3", "sequential.moonbook", 5, "min"),
    ("1,000 calls 20 ms away, 64 in flight, against the floor", "far64.moonbook", "far64.floor", 1.2, "max"),
    ("1,000 calls 20 ms away, 256 in flight, against the floor", "far256.moonbook", "far256.floor", 1.2, "max"),
]
missed = 0


def judge(what, value, bound, kind, unit):
    global missed
    good = value <= bound if kind == "max" else value >= bound
    missed += not good
    print("%-58s %8.2f%s  goal %s %g%s  %s"
          % (what, value, unit, "<=" if kind == "max" else ">=", bound, unit, "ok" if good else "MISSED"))


for what, top, bottom, bound, kind in goals:
    if top in rows and bottom in rows:
        judge(what, rows[top][0] / rows[bottom][0], bound, kind, "x")
    else:
        print("%-58s not measured: %s is not installed" % (what, top if top not in rows else bottom))
for what, label, bound in [("memory of version", "start.moonbook", 4),
                           ("memory of one call", "https.moonbook", 14)]:
    if label in rows:
        judge(what, rows[label][2], bound, "max", " MiB")
print("\n%d goals missed" % missed)
sys.exit(1 if missed or any(row[3] for row in rows.values()) else 0)
