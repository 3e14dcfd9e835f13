"""Counting and printing what the clients' checks found."""
import textwrap


class Report:
    """All checks of a run, in parts; each part's summary is printed when the next one begins."""

    def __init__(self):
        self.passed, self.failed, self.skipped = 0, 0, 0
        self.label, self.before = None, (0, 0, 0)

    def part(self, label):
        """Begins a part, and closes the one before."""
        self.close()
        self.label, self.before = label, (self.passed, self.failed, self.skipped)

    def close(self):
        if self.label is not None:
            counts = [now - then for now, then in zip((self.passed, self.failed, self.skipped), self.before)]
            print(f"{self.label:<28} {counts[0]} passed, {counts[1]} failed, {counts[2]} skipped", flush=True)
        self.label = None

    def check(self, claim, ok, shown=""):
        """Counts one claim; `shown` is what was seen instead."""
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            print(f"not ok: {self.label}: {claim}: {str(shown)[:2000]}", flush=True)
        return ok

    def skip(self, what, why):
        """Counts what could not be run."""
        self.skipped += 1
        print(f"skipped: {what}: {why}", flush=True)

    @staticmethod
    def outside(what, names):
        """Lists what is outside of the simulated world, by service. `names`: service -> list of names."""
        count = sum(len(list_) for list_ in names.values())
        print(f"{count} {what} are not run, as their operations are not simulated:")
        for service, list_ in names.items():
            if list_:
                print(textwrap.fill(f"{service}: {', '.join(list_)}", 116, initial_indent="    ", subsequent_indent="      "))
