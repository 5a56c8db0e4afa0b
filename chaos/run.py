#!/usr/bin/env python3
"""Kill a tool, or let its cloud misbehave, and count what is lost.

    run.py [--kills 100] [--only kills,signals,faults] [--tools terrane,terraform] [--seed 1] [--into docs/reliability.md]

kills    SIGKILL to the whole process group at random moments of an apply (two thirds) and of a destroy (one third),
         counted from the first change asked for; then the same command once more
signals  SIGINT, SIGTERM, both twice, and the sequence by which CI services cancel a job
faults   20 % of the calls throttled; 5 % answered with 500; 5 % of connections cut; 5 % of answers lost; all of it

The cloud is moto behind the proxy of bench/, each call with latency before and after it is carried out, so that a kill
finds calls that were not begun, were carried out and not answered, or were answered and not yet written down. After
each trial the cloud is compared with the state and the stack. Ends with 1 when Terrane lost, doubled or could not
finish anything.
"""
import argparse
import json
import random
import signal
import sys
import tempfile
from pathlib import Path

import report
import trial
from contestants import ALL, Cloud, absent

FAULTS = {
    "throttled": {"throttle": 0.2}, "500": {"fault": 0.05}, "connection cut": {"reset": 0.05},
    "answer lost": {"lose": 0.05}, "all of it": {"throttle": 0.2, "fault": 0.05, "reset": 0.03, "lose": 0.05},
}
SIGNALS = {
    "SIGINT": ((signal.SIGINT, 0),), "SIGTERM": ((signal.SIGTERM, 0),),
    "SIGINT twice": ((signal.SIGINT, 0), (signal.SIGINT, 0.05)), "CI cancels": trial.CANCELLED,
}


class Chaos:
    def __init__(self, options, scratch):
        self.options, self.scratch, self.rows = options, scratch, []
        self.random = random.Random(options.seed)

    def note(self, **row):
        self.rows.append(row)
        if self.options.out:
            with open(self.options.out, "a") as f:
                f.write(json.dumps(row) + "\n")
        again = row.get("again", {})
        print(json.dumps({k: v for k, v in row.items() if k not in ("again", "tail")} | {"again": {
            k: v for k, v in again.items() if k != "tail"}}), file=sys.stderr, flush=True)
        for tail in filter(None, (again.get("tail"), row.get("tail"))):
            print(tail, file=sys.stderr, flush=True)

    def with_stack(self, name, what):
        with Cloud() as cloud:
            cloud.latency_ms = self.options.latency
            cloud.control("POST", f"config?latency_ms={self.options.latency}&seed={self.options.seed}")
            stack = trial.Stack(name, cloud, self.scratch / f"{name}-{what}", self.options.n)
            yield from getattr(self, what)(stack)

    def lengths(self, stack):
        stack.empty()
        apply = stack.length("apply")
        stack.cloud.control("POST", "reset")
        return {"apply": apply, "destroy": stack.length("destroy")}

    def before(self, stack, step):
        stack.empty()
        if step == "destroy":
            made = stack.run("apply")
            if made["exit"]:
                raise RuntimeError(f"the stack could not be made: {made['tail']}")
            stack.cloud.control("POST", "reset")

    def kills(self, stack):
        lengths = self.lengths(stack)
        for number in range(self.options.kills):
            step = "destroy" if number % 3 == 2 else "apply"
            self.before(stack, step)
            yield {"trial": f"SIGKILL in {step}"} | stack.struck(step, self.random.random() * lengths[step], trial.KILL)

    def signals(self, stack):
        lengths = self.lengths(stack)
        for name, blows in SIGNALS.items():
            for step in ("apply", "destroy"):
                self.before(stack, step)
                slow = blows is trial.CANCELLED
                yield {"trial": f"{name} in {step}"} | stack.struck(step, lengths[step] / 2, blows, slow)

    def faults(self, stack):
        for name, shares in FAULTS.items():
            stack.empty()
            for step in ("apply", "destroy"):
                stack.cloud.control("POST", "config?" + "&".join(f"{k}={v}" for k, v in shares.items()))
                stack.cloud.control("POST", "reset")
                row = stack.run(step)
                injected = stack.cloud.control("GET", "stats")["injected"]
                found = stack.left(step == "destroy")
                stack.cloud.control("POST", "config?throttle=0&fault=0&reset=0&lose=0")
                again = {"exit": 0, "wall_s": 0} | found
                if row["exit"]:  # what a user would do
                    again = stack.run(step) | stack.left(step == "destroy")
                yield {"trial": f"{name} in {step}", "injected": injected} | row | {"found": found, "again": again}


def main():
    commas = lambda text: text.split(",")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="kills of Terrane; a tenth of it of Terraform, at least 10")
    parser.add_argument("--only", type=commas, default=["kills", "signals", "faults"])
    parser.add_argument("--tools", type=commas, default=list(ALL))
    parser.add_argument("--n", type=int, default=24, help="resources of the stack")
    parser.add_argument("--latency", type=int, default=30, help="milliseconds per call")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", help="also write one line of JSON per trial to this file")
    parser.add_argument("--into", help="put the table into this file of Markdown")
    options = parser.parse_args()
    missing = {name: why for name in options.tools if (why := absent(name))}
    for name, why in missing.items():
        print(f"chaos: SKIPPED {name}: {why}", file=sys.stderr)
    if "terrane" in missing:
        return 1
    with tempfile.TemporaryDirectory(prefix="terrane-chaos-") as scratch:
        chaos = Chaos(options, Path(scratch))
        kills = options.kills
        for name in (name for name in options.tools if name not in missing):
            options.kills = kills if name == "terrane" else min(kills, max(10, kills // 10))
            for what in options.only:
                for row in chaos.with_stack(name, what):
                    chaos.note(tool=name, part=what, **row)
    table = report.of(chaos.rows, options, missing)
    print(table)
    if options.into:
        report.into(options.into, table)
    return 1 if report.losses(chaos.rows, "terrane") else 0


if __name__ == "__main__":
    sys.exit(main())
