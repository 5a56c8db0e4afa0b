#!/usr/bin/env python3
"""Measure Terrane beside Terraform, in one run on one endpoint, and print the table of the project's bars.

    run.py [--quick] [--only PART,...] [--tools terraform,terrane] [--out RESULTS.jsonl] [--into docs/benchmarks.md]

Parts: start, stack, fleet, core, chain, growth and access (Terrane alone). --quick takes smaller sizes, for a look: its numbers
are not the bars' numbers, and the table says so. Every measurement is a line of JSON in --out; table.py makes the
table of it again.
"""
import argparse
import json
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path

import contestants
import generate
import table
from contestants import Cloud

SIZES = {
    "full": {"starts": 20, "stack_runs": 5, "fleet": 1000, "core": 5000, "chain": 1000,
             "growth": (1000, 5000, 10000, 50000), "growth_runs": 3, "access": (1000, 100), "access_runs": 5},
    "quick": {"starts": 5, "stack_runs": 1, "fleet": 80, "core": 500, "chain": 100, "growth": (500, 1000, 2000),
              "growth_runs": 1, "access": (100, 20), "access_runs": 2},
}
FLEET_LATENCY_MS = 30


class Run:
    def __init__(self, names, sizes, out):
        self.names, self.sizes, self.out = names, sizes, Path(out)
        self.scratch = Path(tempfile.mkdtemp(prefix="terrane-bench-"))
        self.count = 0

    def tool(self, name, endpoint=contestants.NOWHERE):
        self.count += 1
        return contestants.ALL[name](self.scratch / f"{name}-{self.count}", endpoint)

    def emit(self, **row):
        self.out.parent.mkdir(parents=True, exist_ok=True)
        with self.out.open("a") as f:
            f.write(json.dumps(row) + "\n")
        shown = {k: v for k, v in row.items() if k not in ("by_operation", "tail")}
        print(json.dumps(shown), file=sys.stderr, flush=True)
        if row.get("exit"):
            print(row.get("tail", ""), file=sys.stderr, flush=True)

    # --- the parts ---------------------------------------------------------------------------------------------------

    def start(self):
        """The time until the smallest command has answered."""
        tools = [self.tool(name) for name in self.names]
        for repeat in range(self.sizes["starts"]):
            for tool in tools:
                self.emit(part="start", tool=tool.name, step="start", n=0, repeat=repeat, **tool.step("start"))

    def stack(self):
        """The example stack, no latency added: plan, apply, plan again, destroy."""
        for repeat in range(self.sizes["stack_runs"]):
            for name in self.names:
                self.life("stack", name, None, 8, 0, repeat, {"key": 1, "alias": 0, "table": 4, "policy": 1, "user": 1,
                                                              "attachment": 1})

    def fleet(self):
        """Many AWS resources, each call with the latency of a real region."""
        n = self.sizes["fleet"]
        for name in self.names:
            self.life("fleet", name, generate.cells(n), n, FLEET_LATENCY_MS, 0, generate.cells_made(n))

    def life(self, part, name, spec, n, latency, repeat, made):
        with Cloud() as cloud:
            tool = self.tool(name, cloud.endpoint)
            tool.give(spec)
            cloud.control("POST", f"config?latency_ms={latency}")
            for step in ("plan", "apply", "noop", "destroy"):
                cloud.control("POST", "reset")
                moto = cloud.moto_cpu()
                row = tool.step(step)
                row |= cloud.control("GET", "stats") | {"moto_cpu_s": round(cloud.moto_cpu() - moto, 2)}
                if step == "plan" and row["exit"] == 0:
                    row["unknown"] = unknown_values(tool.plan_json())
                if step in ("apply", "destroy"):
                    have = {kind: len(names) for kind, names in cloud.inventory().items()}
                    row["as_wanted"] = have == (made if step == "apply" else dict.fromkeys(made, 0))
                self.emit(part=part, tool=name, step=step, n=n, latency_ms=latency, repeat=repeat, **row)
                if row["exit"]:
                    return

    def core(self):
        """terraform_data alone, all referring to the first one."""
        self.without_cloud("core", self.names, self.sizes["core"], "fanout")

    def chain(self):
        """terraform_data alone, each referring to the one before."""
        self.without_cloud("chain", self.names, self.sizes["chain"], "chain")

    def growth(self):
        """How time and memory grow, for Terrane alone."""
        for repeat in range(self.sizes["growth_runs"]):
            for n in self.sizes["growth"]:
                self.without_cloud("growth", [name for name in self.names if name == "terrane"], n, "fanout", repeat)

    def access(self):
        """The matrix of everybody and everything, for Terrane alone: planned in the sandbox, which is in the process."""
        principals, tables = self.sizes["access"]
        for name in [name for name in self.names if name == "terrane"]:
            for repeat in range(self.sizes["access_runs"]):
                tool = self.tool(name)
                tool.env = tool.env | {"TERRANE_SANDBOX": "1"}
                tool.give(generate.estate(principals, tables))
                row = tool.step("access")
                self.emit(part="access", tool=name, step="access", n=principals, tables=tables, repeat=repeat, **row)
                shutil.rmtree(tool.folder)

    def without_cloud(self, part, names, n, shape, repeat=0):
        for name in names:
            tool = self.tool(name)
            tool.give(generate.core(n, shape))
            for step in ("plan", "apply", "noop", "destroy"):
                row = tool.step(step)
                self.emit(part=part, tool=name, step=step, n=n, shape=shape, repeat=repeat, **row)
                if row["exit"]:
                    break
            shutil.rmtree(tool.folder)


PARTS = ("start", "stack", "fleet", "core", "chain", "growth", "access")


def unknown_values(plan):
    """How many values of resources and outputs the plan leaves open."""
    def leaves(mark):
        inner = mark.values() if isinstance(mark, dict) else mark if isinstance(mark, list) else ()
        return (mark is True) + sum(map(leaves, inner))

    changes = [r["change"] for r in plan.get("resource_changes", []) if r["mode"] == "managed"]
    return sum(leaves(c.get("after_unknown")) for c in [*changes, *plan.get("output_changes", {}).values()])


def circumstances(names, size):
    """What a reader has to know about the run."""
    cpu = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    return {"part": "run", "size": size, "date": time.strftime("%Y-%m-%d", time.gmtime()), "cores": len(cpu),
            "cpu": cpu[0] if cpu else platform.machine(), "kernel": platform.release(),
            "versions": {name: contestants.ALL[name].version() for name in names}}


def main():
    commas = lambda text: text.split(",")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller sizes")
    parser.add_argument("--only", type=commas, default=PARTS, help="parts to measure")
    parser.add_argument("--tools", type=commas, default=list(contestants.ALL), help="tools to measure")
    parser.add_argument("--out", default="target/bench/results.jsonl", help="where the measurements go; begun anew")
    parser.add_argument("--into", help="a Markdown file in which to replace the table")
    a = parser.parse_args()
    unknown = set(a.only) - set(PARTS) | set(a.tools) - set(contestants.ALL)
    if unknown:
        parser.error(f"no such part or tool: {', '.join(sorted(unknown))}")
    reasons = {name: contestants.absent(name) for name in a.tools}
    for name, why in reasons.items():
        if why:
            print(f"*** SKIPPED: {name} is not measured: {why} ***", file=sys.stderr)
    names = [name for name in a.tools if not reasons[name]]
    lacking = contestants.cloud.available()
    parts = [p for p in PARTS if p in a.only and not (lacking and p in ("stack", "fleet"))]
    if lacking:
        print(f"*** SKIPPED: stack and fleet: {lacking} ***", file=sys.stderr)
    size = "quick" if a.quick else "full"
    Path(a.out).unlink(missing_ok=True)
    run = Run(names, SIZES[size], a.out)
    run.emit(**circumstances(names, size))
    try:
        for part in parts:
            getattr(run, part)()
    finally:
        shutil.rmtree(run.scratch, ignore_errors=True)
    text = table.of(table.read(a.out))
    print(text)
    if a.into:
        table.replace(Path(a.into), text)


if __name__ == "__main__":
    main()
