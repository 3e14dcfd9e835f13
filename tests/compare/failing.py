"""The endings of deployments that fail, and by which words of a tool it is known that it has named the cause: how many
seconds go by from the tool's own write to these words, and to its verdict. What is wrong is wrong from the write on in
these worlds, but for the alarm, which fires 70 seconds after it."""
import re

# By the name of the ending; the same words for every tool.
WORDS = {
    "an image that is not in the registry does not get to run": r"CannotPull|not in its registry|does not have the image",
    "an image that is deleted before its tasks pull it is rolled back": r"CannotPull|not in its registry|Image not found",
    "an image for another processor is rolled back": r"CannotPull|architecture",
    "a secret that is denied to new tasks makes ECS roll back": r"ResourceInitialization|secret",
    "a secret that is gone makes ECS roll back": r"ResourceInitialization|secret",
    "a log group that is gone makes ECS roll back": r"ResourceInitialization|[Ll]og group",
    "an image without its entry point is rolled back": r"CannotStart|runc create failed|[Ee]ntry point",
    "an image that crashes is rolled back by the circuit breaker": r"exit code|[Ee]xited|no database",
    "an image that crashes is stopped by a circuit breaker that does not roll back": r"exit code|[Ee]xited|no database",
    "an image that crashes without a circuit breaker is tried for ever": r"exit code|[Ee]xited|no database",
    "an image that runs out of memory is rolled back": r"OutOfMemory|memory",
    "an image whose health page is missing is rolled back": r"[Hh]ealth check|unhealthy",
    "an alarm that fires meanwhile makes ECS roll back": r"aistudio-dev-high-cpu|of an alarm|alarm detected",
    "tasks that find no capacity are rolled back": r"[Cc]apacity",
    "percentages that leave no room make no progress": r"minimumHealthyPercent|deployment configuration",
    "a first deployment that is bad has nothing to go back to": r"exit code|[Ee]xited|no database",
    "an image that crashes never gets traffic": r"exit code|[Ee]xited|no database",
}

# Of these, the ones whose cause cannot come right however long one waits.
HOPELESS = tuple(WORDS)[:7] + ("percentages that leave no room make no progress",)


def are_known(endings):
    """Whether every ending named here is there: a new name must not make a row vanish."""
    missing = set(WORDS) - {ending["name"] for ending in endings}
    if missing:
        raise ValueError(f"failing.py names endings that are not there: {sorted(missing)}")


def first_write(calls):
    """When a list of calls of the simulator's journal first updated a service, or None."""
    return next((call["time"] for call in calls
                 if (call["service"], call["operation"]) == ("ecs", "update_service") and call["outcome"] == "ok"), None)


def said_at(notes, offset, ended):
    """When the byte at an offset of a tool's output was written, by the notes of clock.c: lines of a time and the size
    of the output then."""
    for line in notes.splitlines():
        time, size = line.split()
        if int(size) > offset:
            return float(time)
    return ended


def measure(name, output, notes, begun, ended, calls):
    """{write, cause, verdict}: whether the service was written to, and whole seconds from the write (from the first
    command when there was none) to the words that name the cause, None when they never came, and to the end."""
    written = first_write(calls)
    since = begun if written is None else written
    found = re.search(WORDS[name].encode(), output)
    cause = found and max(round(said_at(notes, found.start(), ended) - since), 0)
    return {"write": written is not None, "cause": cause, "verdict": round(ended - since)}
