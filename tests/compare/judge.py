"""Whether a tool told the truth: what its exit code claims, against what the simulated world says.

An exit code of 0 claims that what was asked for is so now. Any other claims that it is not so and does not come to be,
unless the tool says, by its words or its code, that it does not know: its time was up, it could not read any
more, or somebody else has to decide."""
from tools import action_of

RIGHT = "right"
FALSE_GREEN = "false green"    # said success, and it was not so and never came to be
EARLY_GREEN = "early green"    # said success before it was so; it came about later
FALSE_RED = "false red"        # said failure, and it came about all the same
UNKNOWN = "does not know"
KINDS = (RIGHT, UNKNOWN, EARLY_GREEN, FALSE_GREEN, FALSE_RED)


def is_so(ending, truth):
    """Whether what was asked for is so: the wanted image runs, all of it and nothing else, at rest, and answers. A
    restart must have taken place as well. Who brought it about does not matter. Where the traffic alone is asked for,
    that all of it goes to the wanted image."""
    wanted = ending.get("wanted")
    if ending["run"].get("args", {}).get("goal") == "traffic_shifted":
        return truth["receiving"] == [wanted] and truth.get("most_traffic") == 100 and truth["serving"]
    images = list(truth["images"] or [])  # an empty list is an empty object here
    runs = images == [wanted] and truth["running"] == truth["desired"] and truth["serving"]
    if not wanted or truth["moving"] or not runs:
        return False
    if action_of(ending) == "restart":
        return truth["ended"] in ("deployed", "superseded")
    return truth["primary"] == wanted


def claim_of(tool, code, output, at_exit):
    """"done", "not done" or "unknown". Who could not even begin knows that it is not done."""
    if code == 0:
        return "done"
    begun = at_exit["ended"] != "nothing_changed"
    return "unknown" if code is None or begun and tool.does_not_know(code, output) else "not done"


def told(ending, claim, at_exit, settled):
    """One of KINDS."""
    if claim == "unknown":
        return UNKNOWN
    if claim == "done":
        return RIGHT if is_so(ending, at_exit) else EARLY_GREEN if came_about(ending, settled) else FALSE_GREEN
    return FALSE_RED if came_about(ending, settled) else RIGHT


def came_about(ending, settled):
    """Whether what the tool itself began brought what was asked for."""
    return is_so(ending, settled) and settled["ended"] in ("deployed", "undone")


def judge(ending, tool, result, output):
    claim = claim_of(tool, result["exit_code"], output, result["at_exit"])
    return {"claim": claim, "told": told(ending, claim, result["at_exit"], result["settled"]),
            "achieved": is_so(ending, result["settled"])}
