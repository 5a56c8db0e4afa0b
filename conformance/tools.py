"""The two tools under comparison, each in a folder of its own: `Terraform` and `Terrane`.

Terraform takes its provider from a filesystem mirror on this machine (nothing is downloaded); Terrane is the binary
of this repository.
"""
import functools
import json
import os
import shutil
import subprocess
from pathlib import Path

import to_tf_json

REPO = Path(__file__).resolve().parent.parent
PROVIDER = "registry.terraform.io/hashicorp/aws/5.100.0"
CAP_SECONDS = 600


class Failed(Exception):
    """A tool ended with a status that the caller did not allow."""


def run(command, folder, env, allowed=(0,)):
    """Run a command and return (status, output). Output is stdout alone when the status is allowed."""
    done = subprocess.run([str(c) for c in command], cwd=folder, env=env, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=CAP_SECONDS)
    if done.returncode not in allowed:
        line = " ".join(str(c) for c in command)
        raise Failed(f"`{line}` ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.returncode, done.stdout


# --- Terraform -------------------------------------------------------------------------------------------------------

@functools.cache
def mirror():
    """A folder that holds the provider in a mirror's layout: $TERRAFORM_PLUGIN_MIRROR, or a bounded search. None if absent."""
    given = os.environ.get("TERRAFORM_PLUGIN_MIRROR")
    if given:
        return Path(given) if (Path(given) / PROVIDER).is_dir() else None
    roots = [r for r in ("/opt", "/usr/local", "/usr/share", str(Path.home())) if Path(r).is_dir()]
    found = subprocess.run(
        ["find", *roots, "-maxdepth", "7", "-type", "d", "-path", f"*/{PROVIDER}", "-not", "-path", "*/.terraform/*"],
        capture_output=True, text=True, timeout=120).stdout.splitlines()
    return Path(found[0].removesuffix(PROVIDER)) if found else None


def terraform_absent():
    """Why Terraform cannot be used here, or None when it can."""
    if shutil.which("terraform") is None:
        return "terraform is not on PATH"
    if mirror() is None:
        return "no filesystem mirror of hashicorp/aws 5.100.0 ($TERRAFORM_PLUGIN_MIRROR names one)"
    return None


def terraform_environment(folder, env):
    """`env` for a Terraform that takes providers from the mirror alone and never asks anybody for a newer version."""
    settings = Path(folder) / "terraform.rc"
    settings.write_text('provider_installation {\n  filesystem_mirror {\n'
                        f'    path    = "{mirror()}"\n    include = ["*/*/*"]\n  }}\n}}\n')
    return env | {"TF_CLI_CONFIG_FILE": str(settings), "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}


class Terraform:
    """Terraform on a converted stack. The state is the file `state` in the folder."""

    def __init__(self, folder, env):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        self.env = terraform_environment(self.folder, env)
        self.state = self.folder / "terraform.tfstate"
        self.initialised = False

    def give(self, stack):
        """Take over the spec of a Terrane stack."""
        to_tf_json.write(stack, self.folder)
        if not self.initialised:
            self("init", "-input=false", "-no-color")
            self.initialised = True

    def __call__(self, *arguments, allowed=(0,)):
        return run(["terraform", *arguments], self.folder, self.env, allowed)

    def plan(self, *arguments):
        """The plan of the next apply, as Terraform's plan JSON."""
        self("plan", "-input=false", "-no-color", "-out=next.tfplan", *arguments)
        return json.loads(self("show", "-json", "next.tfplan")[1])

    def apply_plan(self):
        self("apply", "-input=false", "-no-color", "next.tfplan")

    def values(self):
        """{address: attribute values} of the state, and {output: value}. Read from the file: `show -json` says the same
        and starts the provider for it."""
        state = json.loads(self.state.read_text()) if self.state.exists() else {}
        outputs = {name: o["value"] for name, o in state.get("outputs", {}).items()}
        return {address: {k: plain(v) for k, v in i["attributes"].items()}
                for address, i in objects(state) if "deposed" not in i}, outputs

    def nothing_to_do(self):
        """None when a plan finds nothing to change, else what it wants to do."""
        status, text = self("plan", "-input=false", "-no-color", "-detailed-exitcode", allowed=(0, 2))
        return None if status == 0 and "No changes." in text else text


def plain(value):
    """The value of an attribute of any type, which the file has beside its type."""
    return value["value"] if isinstance(value, dict) and value.keys() == {"value", "type"} else value


def objects(state):
    """The address and the instance of each managed object in a state."""
    for resource in state.get("resources", []):
        if resource["mode"] == "managed":
            name = ".".join(filter(None, (resource.get("module"), resource["type"], resource["name"])))
            for instance in resource["instances"]:
                key = instance.get("index_key")
                yield name if key is None else f"{name}[{json.dumps(key)}]", instance


# --- Terrane ---------------------------------------------------------------------------------------------------------

def terrane_binary():
    """$TERRANE_BIN, or the newest of the release and the debug build. None if there is no binary."""
    if os.environ.get("TERRANE_BIN"):
        given = Path(os.environ["TERRANE_BIN"]).resolve()
        return given if given.is_file() else None
    target = Path(os.environ.get("CARGO_TARGET_DIR") or REPO / "target")
    built = [f for f in (target / "release" / "terrane", target / "debug" / "terrane") if f.is_file()]
    return max(built, key=lambda f: f.stat().st_mtime, default=None)


class Terrane:
    """Terrane on a copy of a stack. The state is the file `state` in the copy."""

    def __init__(self, folder, stack, env):
        self.folder = Path(folder)
        keep_out = shutil.ignore_patterns("state", ".terrane", "*.tfstate*")
        shutil.copytree(stack, self.folder, ignore=keep_out)
        self.env = env
        self.binary = terrane_binary()
        self.spec = self.folder / "terrane.toml"
        self.state = self.folder / "state" / "default.tfstate"
        self.state.parent.mkdir(exist_ok=True)

    def __call__(self, *arguments, allowed=(0,)):
        return run([self.binary, "-C", self.folder, *arguments], self.folder, self.env, allowed)

    def plan(self, *arguments):
        """The plan of the next apply, as Terraform's plan JSON."""
        file = self.folder / "next.plan"
        self("plan", "--out", file, *arguments)
        return json.loads(self("show", "--json", file)[1])

    def apply(self):
        return self("apply", "--auto-approve")[1]

    def destroy(self):
        return self("destroy", "--auto-approve")[1]

    def nothing_to_do(self):
        """None when a plan finds nothing to change, else what it wants to do."""
        status, text = self("plan", "--detailed-exitcode", allowed=(0, 2))
        return None if status == 0 and "No changes" in text else text
