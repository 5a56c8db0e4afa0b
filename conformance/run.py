#!/usr/bin/env python3
"""The conformance suite: Terrane beside Terraform on the same stack, state and cloud.

    run.py [--require] [--only WORD]

It finds for itself what it needs and skips, loudly, what it cannot run: Terraform on PATH, a filesystem mirror of
hashicorp/aws ($TERRAFORM_PLUGIN_MIRROR or a bounded search), moto[server] and boto3 for this Python, and the terrane
binary ($TERRANE_BIN or target/{release,debug}/terrane). With --require a missing tool is a failure.
"""
import argparse
import sys
import tempfile
import unittest
from pathlib import Path

import cases
import cloud
import readers
import refactoring
import shared
import tools
import types_beside
from report import Report, Wrong

GROUPS = (cases.terraform_walks, cases.terrane_walks, cases.terrane_alone, cases.plan_readers, refactoring.refactoring,
          shared.shared_state, types_beside.types, cases.sandbox)


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


def compare(report, only):
    for group in GROUPS:
        name = group.__name__
        if only and only not in name:
            continue
        print(f"\n-- {name}", flush=True)
        with tempfile.TemporaryDirectory(prefix=f"terrane-{name}-") as scratch:
            try:
                if group is cases.sandbox:
                    group(report, Path(scratch))
                else:
                    with cloud.Moto() as moto:
                        group(report, Path(scratch), moto)
            except Exception as e:  # noqa: BLE001 - what stopped a group is reported, and the next group runs
                with report.case(f"{name} could not go on"):
                    raise e


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--require", action="store_true", help="fail when a tool is missing")
    parser.add_argument("--only", help="only the groups whose name contains this")
    arguments = parser.parse_args()
    report = Report()
    unit_tests(report)
    absent = missing()
    if not absent:
        compare(report, arguments.only)
    for group in GROUPS if absent else ():
        report.skip(group.__name__, "; ".join(absent))
    if absent:
        print(f"\n*** SKIPPED: the comparison with Terraform did not run: {'; '.join(absent)} ***", flush=True)
    ran = not absent and (not arguments.only or arguments.only in cases.plan_readers.__name__)
    lacking = [reader for reader in readers.READERS if reader.absent()] if ran else []
    status = report.close()
    return 1 if (absent or lacking) and arguments.require else status


if __name__ == "__main__":
    sys.exit(main())
