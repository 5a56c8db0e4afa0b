"""One run of a tool that something happens to, and what is left of it."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "bench"), str(HERE.parent / "conformance")]

import contestants  # noqa: E402
import generate  # noqa: E402
import inventory  # noqa: E402
from measure import kill_session, session_members  # noqa: E402

CAP_SECONDS = 900
SLOW_MS = 6000
STATE = {"terrane": Path("state") / "default.tfstate", "terraform": Path("terraform.tfstate")}


class Stack:
    """A tool in a folder, with a generated stack of `n` AWS resources and a cloud for it alone."""

    def __init__(self, name, cloud, folder, n):
        self.name, self.cloud, self.n = name, cloud, n
        self.tool = contestants.ALL[name](folder, cloud.endpoint)
        self.tool.give(generate.cells(n))
        self.wanted = generate.cells_made(n)

    def empty(self):
        """Forgets the cloud's objects and the tool's state; what is configured of the proxy stays."""
        self.cloud.control("POST", "config?throttle=0&fault=0&reset=0&lose=0")
        self.cloud.reset()
        for path in (self.tool.folder / STATE[self.name]).parent.glob("*tfstate*"):
            path.unlink()
        for path in (self.tool.folder / STATE[self.name]).parent.glob(".*tfstate*"):
            path.unlink()
        self.cloud.control("POST", "reset")

    def start(self, step):
        command = [self.tool.binary if self.name == "terrane" else "terraform", *self.tool.commands[step]]
        with (self.tool.folder / "out.log").open("wb") as out:
            return subprocess.Popen([str(c) for c in command], cwd=self.tool.folder, env=self.tool.env,
                                    stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                    start_new_session=True)

    def run(self, step):
        """Exit status, seconds, and the end of what it wrote when it failed."""
        start = time.monotonic()
        process = self.start(step)
        try:
            status = process.wait(CAP_SECONDS)
        except subprocess.TimeoutExpired:
            kill_session(process.pid)
            status = process.wait()
        row = {"exit": status, "wall_s": round(time.monotonic() - start, 2)}
        if status:
            row["tail"] = (self.tool.folder / "out.log").read_text(errors="replace")[-2000:]
        return row

    def left(self, gone=False):
        """What differs between cloud, state and the stack (or, when it is to be gone, nothing)."""
        state, readable = inventory.of_state(self.tool.folder / STATE[self.name])
        wanted = dict.fromkeys(self.wanted, 0) if gone else self.wanted
        return inventory.compare(self.cloud.inventory(), state, wanted) | {"state_readable": readable}

    def changes_so_far(self):
        calls = self.cloud.control("GET", "stats")["by_operation"]
        reads = ("Get", "List", "Describe")
        return sum(n for name, n in calls.items() if not name.partition(".")[2].startswith(reads))

    def first_change(self, process):
        """Waits until the run has asked for its first change, so that start-up and plan do not blur the moment."""
        while process.poll() is None and not self.changes_so_far():
            time.sleep(0.01)

    def length(self, step):
        """Seconds from the first change of an undisturbed run to its end."""
        process = self.start(step)
        self.first_change(process)
        start = time.monotonic()
        if process.wait(CAP_SECONDS):
            raise RuntimeError((self.tool.folder / "out.log").read_text(errors="replace"))
        return time.monotonic() - start

    def struck(self, step, after, blows, slow=False):
        """A run that gets each blow (signal, seconds to wait before it) once `after` seconds have passed since its first
        change; then what is left, and the same command again. `slow`: from the first change on a call takes seconds, so
        that a gentle stop can't be done before the next blow."""
        process = self.start(step)
        self.first_change(process)
        if slow:
            self.cloud.control("POST", f"config?latency_ms={SLOW_MS}")
        time.sleep(after)
        before = self.changes_so_far()
        start = time.monotonic()
        for number, pause in blows:
            ended = wait(process, pause)
            if ended:
                break
            os.killpg(process.pid, number)
        status = process.wait(CAP_SECONDS)
        row = {"after_s": round(after, 3), "changes_before": before, "exit": status,
               "stop_s": round(time.monotonic() - start, 2), "left_running": len(session_members(process.pid))}
        kill_session(process.pid)
        self.cloud.control("POST", f"config?latency_ms={self.cloud.latency_ms}")
        time.sleep((SLOW_MS if slow else 2.5 * self.cloud.latency_ms) / 1000)  # calls on their way arrive
        gone = step == "destroy"
        row["found"] = self.left(gone)
        row["again"] = self.run(step) | self.left(gone)
        return row


def wait(process, seconds):
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


KILL = ((signal.SIGKILL, 0),)
# What a CI service does to a job that is cancelled: it asks, insists, and ends it.
CANCELLED = ((signal.SIGINT, 0), (signal.SIGTERM, 7.5), (signal.SIGKILL, 2.5))
