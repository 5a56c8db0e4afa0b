#!/usr/bin/env python3
"""The table of the project's bars, as Markdown, from the measurements of run.py.

    table.py RESULTS.jsonl [--into docs/benchmarks.md]

A number is the median of its runs, with the lowest and highest where there were several. A bar that a measurement
meets is marked `met`; one that it misses, `missed`.
"""
import argparse
import json
import math
import re
import statistics
from pathlib import Path

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"

# What is measured, of which step, what of it, and how small Terrane's share of Terraform's has to be.
BARS = (
    ("stack", "noop", "wall_s", 20, "plan without changes, the example stack: time"),
    ("stack", "noop", "calls", 2, "… API calls"),
    ("stack", "noop", "memory_mb", 10, "… memory"),
    ("stack", "apply", "wall_s", 4, "apply of the stack: time"),
    ("stack", "destroy", "wall_s", 4, "destroy of the stack: time"),
    ("fleet", "noop", "wall_s", 5, "plan without changes, {n} AWS resources, 30 ms a call: time"),
    ("fleet", "noop", "calls", 2, "… API calls"),
    ("core", "apply", "wall_s", 50, "{n} `terraform_data`: apply, time"),
    ("core", "destroy", "wall_s", 50, "… destroy, time"),
    ("chain", "plan", "wall_s", 20, "{n} `terraform_data` in one chain: plan, time"),
    ("chain", "noop", "wall_s", 20, "… plan without changes, time"),
    ("chain", "destroy", "wall_s", 20, "… destroy, time"),
    ("chain", "destroy", "memory_mb", 10, "… destroy, memory"),
)
STRAIGHT = 1.1  # a growth exponent up to this counts as linear
START_MS, START_MB = 20, 30
ACCESS_S, ACCESS_MB = 2, 300


def read(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def of(rows):
    """The whole Markdown of a run."""
    runs = [r for r in rows if r["part"] == "run"]
    lines = [*map(heading, runs), "", "| what | Terraform | Terrane | ratio | bar | |", "|---|--:|--:|--:|--:|---|"]
    lines += filter(None, [start(rows, "wall_s", 1000, "ms", START_MS, "start (`version`): time"),
                           start(rows, "memory_mb", 1, "MB", START_MB, "… memory")])
    lines += filter(None, (compared(rows, *bar) for bar in BARS))
    lines += filter(None, [unknown(rows), access(rows, "wall_s", "s", ACCESS_S, "time"),
                           access(rows, "memory_mb", "MB", ACCESS_MB, "memory")])
    lines += growth([r for r in rows if r["part"] == "growth"])
    return "\n".join(lines + failures(rows)) + "\n"


def heading(run):
    number = lambda name, version: re.sub(rf"^{name}\s+v?", "", version, flags=re.IGNORECASE).strip()
    versions = ", ".join(f"{name} {number(name, version)}" for name, version in run["versions"].items())
    note = "" if run["size"] == "full" else " **Small sizes, for a look: not the numbers of the bars.**"
    return f"Measured on {run['date']}: {run['cores']} cores ({run['cpu']}), Linux {run['kernel']}; {versions}.{note}"


def values(rows, part, step, tool, what):
    found = [r for r in rows if r["part"] == part and r.get("step") == step and r["tool"] == tool]
    return [r[what] for r in found if r["exit"] == 0 and r.get("as_wanted", True)]


def start(rows, what, factor, unit, bar, name):
    theirs, ours = ([factor * v for v in values(rows, "start", "start", tool, what)] for tool in ("terraform", "terrane"))
    if not theirs and not ours:
        return None
    verdict = "" if not ours else "met" if statistics.median(ours) < bar else "missed"
    return row(name, number(theirs, unit), number(ours, unit), "", f"under {bar} {unit}", verdict)


def access(rows, what, unit, bar, name):
    ours = values(rows, "access", "access", "terrane", what)
    if not ours:
        return None
    first = next(r for r in rows if r["part"] == "access")
    if what == "wall_s":
        name = f"`access matrix`, {first['n']:,} principals, {first['tables']:,} tables, all actions: {name}"
    else:
        name = f"… {name}"
    verdict = "met" if statistics.median(ours) < bar else "missed"
    return row(name, "", number(ours, unit), "", f"under {bar} {unit}", verdict)


def compared(rows, part, step, what, bar, name):
    theirs, ours = (values(rows, part, step, tool, what) for tool in ("terraform", "terrane"))
    if not theirs and not ours:
        return None
    n = next(r["n"] for r in rows if r["part"] == part)
    unit = {"wall_s": "s", "memory_mb": "MB", "calls": ""}[what]
    shown, verdict = ratio(theirs, ours, bar)
    return row(name.format(n=f"{n:,}"), number(theirs, unit), number(ours, unit), shown, f"1/{bar}", verdict)


def ratio(theirs, ours, bar):
    """How many times less Terrane takes, and whether the bar is met."""
    if not theirs or not ours:
        return "", "not compared"
    times = statistics.median(theirs) / max(statistics.median(ours), 1e-9)
    return f"1/{times:.1f}", "met" if times >= bar else "missed"


def unknown(rows):
    theirs, ours = (values(rows, "stack", "plan", tool, "unknown") for tool in ("terraform", "terrane"))
    if not theirs and not ours:
        return None
    shown, verdict = ratio(theirs, ours, 2)
    return row("values unknown in the plan of the stack", number(theirs, ""), number(ours, ""), shown, "1/2", verdict)


def growth(rows):
    """One line per size, with the medians of its runs, and the exponent with which each step grows between the two
    largest: 1 is linear."""
    if not rows:
        return []
    sizes = sorted({r["n"] for r in rows})
    steps = ("plan", "apply", "noop", "destroy")
    lines = ["", "Growth of Terrane, `terraform_data`, time in s / memory in MB:", "",
             "| resources | " + " | ".join(steps) + " |", "|--:|" + "--:|" * len(steps)]
    done = {}
    for r in rows:
        if r["exit"] == 0:
            done.setdefault((r["n"], r["step"]), []).append(r)
    cells = {cell: {what: statistics.median(r[what] for r in runs) for what in ("wall_s", "memory_mb")}
             for cell, runs in done.items()}
    for n in sizes:
        shown = [f"{cells[n, s]['wall_s']:.2f} / {cells[n, s]['memory_mb']:.0f}" if (n, s) in cells else "failed"
                 for s in steps]
        lines.append(f"| {n:,} | " + " | ".join(shown) + " |")
    exponents = {what: [exponent(cells, sizes, s, what) for s in steps] for what in ("wall_s", "memory_mb")}
    if not any(None in of_steps for of_steps in exponents.values()):
        exponents = {what: max(of_steps) for what, of_steps in exponents.items()}
        worst = max(exponents.values())
        verdict = "met" if worst <= STRAIGHT else "missed"
        lines += ["", f"Highest growth exponent between the two largest: time {exponents['wall_s']:.2f}, memory {exponents['memory_mb']:.2f} "
                      f"(bar: linear, that is up to {STRAIGHT}: {verdict})."]
    return lines


def exponent(cells, sizes, step, what):
    if len(sizes) < 2 or any((n, step) not in cells for n in sizes[-2:]):
        return None
    low, high = sizes[-2:]
    return math.log(cells[high, step][what] / cells[low, step][what]) / math.log(high / low)


def failures(rows):
    """Runs that do not count, since the command failed or left something else than it should have."""
    bad = [r for r in rows if r.get("exit") or r.get("as_wanted") is False]
    lines = [f"- {r['tool']}, {r['part']} of {r['n']}, {r['step']}: " + (r.get("stopped") or (
        f"exit {r['exit']}" if r.get("exit") else "what exists afterwards is not what should")) for r in bad]
    return ["", "Not counted:", *lines] if lines else []


def number(found, unit):
    if not found:
        return "not measured"
    digits = 0 if unit in ("", "MB") else 1 if unit == "ms" else 2
    show = lambda v: f"{v:,.{digits}f}"
    spread = f" ({show(min(found))}–{show(max(found))})" if len(found) > 1 and unit else ""
    return f"{show(statistics.median(found))}{' ' + unit if unit else ''}{spread}"


def row(*cells):
    return "| " + " | ".join(cells) + " |"


def replace(file, text):
    """Put the table between the markers of a Markdown file."""
    old = file.read_text()
    before, _, rest = old.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise SystemExit(f"{file} has no {BEGIN} … {END}")
    file.write_text(f"{before}{BEGIN}\n{text}{END}{after}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results")
    parser.add_argument("--into", help="a Markdown file in which to replace the table")
    a = parser.parse_args()
    made = of(read(a.results))
    print(made)
    if a.into:
        replace(Path(a.into), made)
