"""Runs named cases, writes each with its result and time, and counts them. A failing case does not stop the others."""
import contextlib
import sys
import time
import traceback


class Wrong(AssertionError):
    """What was found is not what has to be."""


class Report:
    """`out` is where it is written: groups that run beside one another each have a text of their own."""

    def __init__(self, out=sys.stdout):
        self.passed = self.failed = self.skipped = 0
        self.out = out

    def add(self, other):
        """Counts what another report has, whose text is written already."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    @contextlib.contextmanager
    def case(self, name):
        start = time.monotonic()
        try:
            yield
        except Exception as e:  # noqa: BLE001 - whatever it was, it is this case's failure
            self.failed += 1
            self.line("FAIL", name, start)
            said = str(e) if isinstance(e, Wrong) or type(e).__name__ == "Failed" else traceback.format_exc()
            self.say("\n".join("        " + line for line in said.splitlines()))
        else:
            self.passed += 1
            self.line("PASS", name, start)

    def skip(self, name, why):
        self.skipped += 1
        self.say(f"SKIP  {name}: {why}")

    def line(self, result, name, start):
        self.say(f"{result}  {name} ({time.monotonic() - start:.1f} s)")

    def say(self, text):
        print(text, file=self.out, flush=True)

    def close(self):
        """Print the count and return the exit status."""
        self.say(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        return 1 if self.failed else 0


def nothing(found):
    """Fail with what was found, unless nothing was."""
    if found:
        raise Wrong(found if isinstance(found, str) else "\n".join(found))


def same(found, wanted, what):
    if found != wanted:
        raise Wrong(f"{what}: {found!r}, wanted {wanted!r}")
