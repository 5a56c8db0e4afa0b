"""Runs named cases, prints each with its result and time, and counts them. A failing case does not stop the others."""
import contextlib
import time
import traceback


class Wrong(AssertionError):
    """What was found is not what has to be."""


class Report:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    @contextlib.contextmanager
    def case(self, name):
        start = time.monotonic()
        try:
            yield
        except Exception as e:  # noqa: BLE001 - whatever it was, it is this case's failure
            self.failed += 1
            self.line("FAIL", name, start)
            said = str(e) if isinstance(e, Wrong) or type(e).__name__ == "Failed" else traceback.format_exc()
            print("\n".join("        " + line for line in said.splitlines()), flush=True)
        else:
            self.passed += 1
            self.line("PASS", name, start)

    def skip(self, name, why):
        self.skipped += 1
        print(f"SKIP  {name}: {why}", flush=True)

    @staticmethod
    def line(result, name, start):
        print(f"{result}  {name} ({time.monotonic() - start:.1f} s)", flush=True)

    def close(self):
        """Print the count and return the exit status."""
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        return 1 if self.failed else 0


def nothing(found):
    """Fail with what was found, unless nothing was."""
    if found:
        raise Wrong(found if isinstance(found, str) else "\n".join(found))


def same(found, wanted, what):
    if found != wanted:
        raise Wrong(f"{what}: {found!r}, wanted {wanted!r}")
