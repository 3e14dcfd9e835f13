"""Whether a tool told the truth: what its exit code claims, against what the simulated world says.

An exit code of 0 claims that what was asked for is so now. Any other claims that it is not, unless the tool says by
its words or its code that it does not know (its time was up, it could not read any more)."""
from tools import action_of

RIGHT, GREEN, RED, UNKNOWN = "right", "false green", "false red", "does not know"


def is_so(ending, truth):
    """Whether what was asked for is so: the wanted image runs, all of it and nothing else, at rest, and answers. A
    restart must have taken place as well. Who brought it about does not matter."""
    wanted = ending.get("wanted")
    runs = truth["images"] == [wanted] and truth["running"] == truth["desired"] and truth["serving"]
    if not wanted or truth["moving"] or not runs:
        return False
    if action_of(ending) == "restart":
        return truth["ended"] in ("deployed", "superseded")
    return truth["primary"] == wanted


def claim_of(tool, code, output):
    if code == 0:
        return "done"
    return "unknown" if code is None or tool.does_not_know(code, output) else "not done"


def verdict(ending, claim, at_exit, settled):
    if claim == "done":
        return RIGHT if is_so(ending, at_exit) else GREEN
    if claim == "unknown":
        return UNKNOWN
    came_about = is_so(ending, settled) and settled["ended"] in ("deployed", "undone")
    return RED if came_about else RIGHT


def judge(ending, tool, result, output):
    claim = claim_of(tool, result["exit_code"], output)
    return {"claim": claim, "told": verdict(ending, claim, result["at_exit"], result["settled"])}
