#!/usr/bin/env python3
"""The conformance suite: Terrane beside Terraform on the same stack, state and cloud.

    run.py [--require] [--only WORD] [--beside N]

It finds for itself what it needs and skips, loudly, what it cannot run: Terraform on PATH, a filesystem mirror of
hashicorp/aws ($TERRAFORM_PLUGIN_MIRROR or a bounded search), moto[server] and boto3 for this Python, and the terrane
binary ($TERRANE_BIN or target/{release,debug}/terrane). With --require a missing tool is a failure.
"""
import argparse
import io
import os
import sys
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import cases
import cloud
import commands
import converting
import encryption
import importing
import lifecycle
import readers
import recovery
import refactoring
import shared
import tools
import types_beside
import types_stack
from report import Report, Wrong

# Each with the cloud that it needs. The longest come first, since groups run beside one another.
GROUPS = {
    types_stack.types_by_terraform: cloud.Moto, cases.terraform_walks: cloud.Moto, lifecycle.lifecycle: cloud.Moto,
    types_beside.types: cloud.Moto, cases.terrane_walks: cloud.Moto, refactoring.refactoring: cloud.Moto,
    types_stack.types_by_terrane: cloud.Moto, recovery.shared_recovery: cloud.Behind, importing.importing: cloud.Moto,
    cases.plan_readers: cloud.Moto, shared.shared_state: cloud.Moto, cases.sandbox: None, commands.commands: None,
    encryption.encryption: cloud.Moto, converting.converting: cloud.Moto, cases.terrane_alone: cloud.Moto,
}


def missing():
    """What the comparison cannot run without and is not here."""
    no_binary = None if tools.terrane_binary() else "the terrane binary is not built ($TERRANE_BIN names one)"
    return [why for why in (tools.terraform_absent(), cloud.available(), no_binary) if why]


def unit_tests(report):
    """The suite's own parts, which need no tool."""
    for test in flat(unittest.defaultTestLoader.discover(str(Path(__file__).parent), "test_*.py")):
        with report.case(test.id()):
            result = unittest.TestResult()
            test.run(result)
            for _, trace in result.failures + result.errors:
                raise Wrong(trace)


def flat(tests):
    for test in tests:
        if isinstance(test, unittest.TestSuite):
            yield from flat(test)
        else:
            yield test


def compare(report, only, beside):
    """The groups, `beside` of them at a time: each has its own cloud and folder, and its text is written when it is done."""
    chosen = [group for group in GROUPS if not only or only in group.__name__]
    with ThreadPoolExecutor(beside) as pool:
        for done in as_completed([pool.submit(carry_out, group) for group in chosen]):
            found = done.result()
            print(found.out.getvalue(), end="", flush=True)
            report.add(found)


def carry_out(group):
    """One group, and what is to be written about it."""
    report, start = Report(io.StringIO()), time.monotonic()
    name = group.__name__
    report.say(f"\n-- {name}")
    with tempfile.TemporaryDirectory(prefix=f"terrane-{name}-") as scratch:
        try:
            if GROUPS[group] is None:
                group(report, Path(scratch))
            else:
                with GROUPS[group]() as moto:
                    group(report, Path(scratch), moto)
        except Exception as e:  # noqa: BLE001 - what stopped a group is reported, and the next group runs
            with report.case(f"{name} could not go on"):
                raise e
    report.say(f"-- {name} took {time.monotonic() - start:.0f} s")
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--require", action="store_true", help="fail when a tool is missing")
    parser.add_argument("--only", help="only the groups whose name contains this")
    # Most of a group's time Terraform's provider waits for what it made to settle, so a core has room for two.
    beside = min(2 * (os.cpu_count() or 1), 6)
    parser.add_argument("--beside", type=int, default=beside, help="how many groups at a time")
    arguments = parser.parse_args()
    # Most of the time is Terraform's provider, which starts for each command and collects garbage from its schemas: with more
    # room for it a command takes a third less. What the tools do is the same; the benchmarks do without.
    os.environ.setdefault("GOGC", "400")
    report, start = Report(), time.monotonic()
    unit_tests(report)
    absent = missing()
    if not absent:
        compare(report, arguments.only, arguments.beside)
    for group in GROUPS if absent else ():
        report.skip(group.__name__, "; ".join(absent))
    if absent:
        print(f"\n*** SKIPPED: the comparison with Terraform did not run: {'; '.join(absent)} ***", flush=True)
    ran = not absent and (not arguments.only or arguments.only in cases.plan_readers.__name__)
    lacking = [reader for reader in readers.READERS if reader.absent()] if ran else []
    print(f"it took {time.monotonic() - start:.0f} s, {arguments.beside} groups at a time", flush=True)
    status = report.close()
    return 1 if (absent or lacking) and arguments.require else status


if __name__ == "__main__":
    sys.exit(main())
