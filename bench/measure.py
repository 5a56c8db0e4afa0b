"""One command, measured: wall time, CPU time and memory of its whole process tree. Linux only, since it reads /proc.

Wall is from spawn to exit. CPU is what the tree's processes used. Memory is the highest sum of the resident sizes of
the tree's processes, sampled every few milliseconds (pages shared by two of them count twice), or the kernel's own high
mark of the first process where that is higher. The rusage maximum is of no use: it starts at the size of this Python.
"""
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
CAP_SECONDS = 1800
CAP_BYTES = 12 << 30


def measure(command, folder, env, cap=CAP_SECONDS):
    """Run the command in a session of its own and return what it took. Output goes to `folder`/out.log."""
    log = Path(folder) / "out.log"
    with log.open("wb") as out:
        start = time.monotonic()
        process = subprocess.Popen([str(c) for c in command], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=subprocess.STDOUT, start_new_session=True)
    watch = Watch(process.pid, start + cap)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    watch.stop()
    row = {"exit": process.returncode, "wall_s": round(wall, 4), "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
           "memory_mb": round(watch.peak / 2**20, 1), "stopped": watch.stopped}
    if process.returncode:
        row["tail"] = log.read_text(errors="replace")[-1500:]
    return row


class Watch(threading.Thread):
    """Samples the memory of a session until told to stop, and kills the session when it passes a cap."""

    def __init__(self, session, end):
        super().__init__(daemon=True)
        self.session, self.end = session, end
        self.peak, self.stopped, self.over = 0, "", threading.Event()
        self.start()

    def run(self):
        rounds, members = 0, [self.session]
        while not self.over.is_set():
            if rounds % 20 == 19:
                members = session_members(self.session)
            rounds += 1
            self.peak = max(self.peak, high_mark(self.session), sum(map(resident, members)))
            if self.peak > CAP_BYTES or time.monotonic() > self.end:
                self.stopped = "memory cap" if self.peak > CAP_BYTES else "time cap"
                kill_session(self.session)
                return
            self.over.wait(0.001 if rounds < 100 else 0.01)

    def stop(self):
        self.over.set()
        self.join()


def session_members(session):
    members = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                members.append(int(entry))
    return members


def resident(pid):
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def high_mark(pid):
    """The kernel's VmHWM in bytes, or 0 when the process is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    marks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(marks[0]) * 1024 if marks else 0


def kill_session(session):
    for pid in session_members(session):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def cpu_of(pid):
    """CPU seconds that a running process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
