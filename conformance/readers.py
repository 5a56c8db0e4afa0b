"""Tools that read Terraform's plan JSON, and what they make of a plan: `Checkov` and `Compliance` (terraform-compliance).

Each lives in a virtual environment of its own under target/, made on first use; what can't be installed is said. The
verdicts of a plan are a dictionary: {what was looked at: "passed", "failed" or "skipped"}.
"""
import functools
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from tools import REPO, run

FEATURES = Path(__file__).parent / "features"
INSTALL_SECONDS = 600


class Reader:
    """A tool from PyPI in its own environment."""
    name = requirement = None

    @classmethod
    def home(cls):
        return Path(os.environ.get("CARGO_TARGET_DIR") or REPO / "target") / "readers" / cls.name

    @classmethod
    @functools.cache
    def absent(cls):
        """Why the tool can't be used here, or None when it can."""
        if cls.works():
            return None
        home = cls.home()
        print(f"readers: installing {cls.requirement} into {home}", flush=True)
        pip = [home / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", cls.requirement]
        for command in ([sys.executable, "-m", "venv", "--clear", home], pip):
            try:
                done = subprocess.run([str(c) for c in command], capture_output=True, text=True,
                                      stdin=subprocess.DEVNULL, timeout=INSTALL_SECONDS)
            except (OSError, subprocess.TimeoutExpired) as error:
                return f"{cls.requirement} could not be installed: {error}"
            if done.returncode:
                last = (done.stderr.strip() or "no message").splitlines()[-1]
                return f"{cls.requirement} could not be installed: {last}"
        return None if cls.works() else f"{cls.requirement} was installed and does not start"

    @classmethod
    def works(cls):
        command = cls.home() / "bin" / cls.name
        try:
            return command.is_file() and subprocess.run([command, "--version"], capture_output=True,
                                                        stdin=subprocess.DEVNULL, timeout=120).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False

    @classmethod
    def verdicts(cls, plan, scratch):
        """What the tool says of a plan (Terraform's plan JSON, as a dictionary)."""
        folder = Path(scratch)
        folder.mkdir(parents=True)
        file = folder / "plan.json"
        file.write_text(json.dumps(plan))
        return cls.read(file, folder)


class Checkov(Reader):
    name, requirement = "checkov", "checkov==3.3.*"

    @classmethod
    def read(cls, file, folder):
        command = [cls.home() / "bin" / "checkov", "--file", file, "--framework", "terraform_plan", "--skip-download",
                   "--output", "json", "--compact"]
        told = json.loads(run(command, folder, os.environ | {"LOG_LEVEL": "ERROR"}, allowed=(0, 1))[1])
        results = (told[0] if isinstance(told, list) else told)["results"]
        return {(check["resource"], check["check_id"]): verdict
                for verdict in ("passed", "failed", "skipped") for check in results[f"{verdict}_checks"]}


class Compliance(Reader):
    name, requirement = "terraform-compliance", "terraform-compliance==1.16.*"

    @classmethod
    def read(cls, file, folder):
        report = folder / "verdicts.xml"
        command = [cls.home() / "bin" / "terraform-compliance", "--planfile", file, "--features", FEATURES,
                   "--junit-xml", report, "--no-ansi"]
        run(command, folder, dict(os.environ), allowed=(0, 1))
        # A scenario that finds nothing to look at is told as one that passes, and counted as skipped.
        return {case.get("name"): "failed" if case.find("failure") is not None else "passed"
                for case in ElementTree.parse(report).iter("testcase")}


READERS = (Checkov, Compliance)


def disagreements(terraform, terrane, after):
    """Where verdicts differ, one line each. Terrane's plan may let a tool judge more, since it knows more; such a verdict
    must be the one that Terraform's plan after the apply gets."""
    found = [f"{what}: {terraform[what]} in Terraform's plan, {terrane.get(what, 'not looked at')} in Terrane's"
             for what in terraform if terraform[what] != terrane.get(what)]
    return found + [f"{what}: {terrane[what]} in Terrane's plan, and once it is applied {after.get(what, 'not looked at')}"
                    for what in terrane if what not in terraform and terrane[what] != after.get(what)]
