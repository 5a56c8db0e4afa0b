"""The two tools as the benchmark runs them, and the cloud that both talk to: moto behind the counting proxy."""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "conformance"))

import cloud  # noqa: E402
import generate  # noqa: E402
import to_tf_json  # noqa: E402
import tools  # noqa: E402
from measure import cpu_of, measure  # noqa: E402

EXAMPLE = tools.REPO / "examples" / "encrypted-tables"
NOWHERE = "http://127.0.0.1:9"


class Cloud(cloud.Behind):
    """The cloud that calls are counted of."""

    def moto_cpu(self):
        return cpu_of(self.process.pid)


class Terraform:
    name = "terraform"
    form = "hcl"
    commands = {
        "start": ("version",),
        "plan": ("plan", "-input=false", "-no-color", "-out=next.tfplan"),
        "apply": ("apply", "-input=false", "-no-color", "-auto-approve"),
        "noop": ("plan", "-input=false", "-no-color", "-detailed-exitcode"),
        "destroy": ("destroy", "-input=false", "-no-color", "-auto-approve"),
    }

    def __init__(self, folder, endpoint=NOWHERE):
        self.folder = folder
        folder.mkdir(parents=True)
        self.env = tools.terraform_environment(folder, cloud.environment(endpoint))

    def give(self, spec):
        """Take a generated stack, or the example when `spec` is None. Installing the provider is not measured."""
        if spec is None:
            to_tf_json.write(EXAMPLE, self.folder)
        else:
            generate.write(spec, self.folder, self.form)
        tools.run(["terraform", "init", "-input=false", "-no-color"], self.folder, self.env)

    def step(self, name):
        return measure(["terraform", *self.commands[name]], self.folder, self.env)

    def plan_json(self):
        return json.loads(tools.run(["terraform", "show", "-json", "next.tfplan"], self.folder, self.env)[1])

    @staticmethod
    def version():
        return json.loads(tools.run(["terraform", "version", "-json"], ".", cloud.environment(NOWHERE))[1])["terraform_version"]


class Terrane:
    name = "terrane"
    form = "toml"
    commands = {
        "start": ("version",),
        "plan": ("plan", "--out", "next.plan"),
        "apply": ("apply", "--auto-approve"),
        "noop": ("plan", "--detailed-exitcode"),
        "destroy": ("destroy", "--auto-approve"),
        "access": ("access", "matrix"),
    }

    def __init__(self, folder, endpoint=NOWHERE):
        self.folder, self.binary = folder, tools.terrane_binary()
        folder.mkdir(parents=True)
        self.env = cloud.environment(endpoint)

    def give(self, spec):
        if spec is None:
            for file in EXAMPLE.glob("*.toml"):
                (self.folder / file.name).write_bytes(file.read_bytes())
        else:
            generate.write(spec, self.folder, self.form)

    def step(self, name):
        return measure([self.binary, *self.commands[name]], self.folder, self.env)

    def plan_json(self):
        return json.loads(tools.run([self.binary, "show", "--json", "next.plan"], self.folder, self.env)[1])

    @staticmethod
    def version():
        return tools.run([tools.terrane_binary(), "version"], ".", cloud.environment(NOWHERE))[1].split("\n")[0]


ALL = {tool.name: tool for tool in (Terraform, Terrane)}


def absent(name):
    """Why the tool cannot be measured here, or None when it can."""
    if name == "terraform":
        return tools.terraform_absent()
    return None if tools.terrane_binary() else "the terrane binary is not built ($TERRANE_BIN names one)"
