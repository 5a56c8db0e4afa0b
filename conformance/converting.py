"""`terrane convert`: what it makes of Terraform's files means what they mean."""
import json
import shutil
from pathlib import Path

import cloud
import to_tf_json
from report import nothing, same
from tools import REPO, Terraform, run, terrane_binary

WRITTEN = Path(__file__).resolve().parent / "stacks" / "hcl"
AGAIN = [*sorted((REPO / "examples").glob("*/terrane.toml")), REPO / "conformance" / "stacks" / "types" / "terrane.toml"]


def converting(report, scratch, moto):
    """A stack in Terraform's language, from its state to the next one and back; and Terraform's JSON of other stacks."""
    env = cloud.environment(moto.endpoint)
    theirs = Terraform(scratch / "theirs", env)
    shutil.copytree(WRITTEN, theirs.folder, dirs_exist_ok=True)
    with report.case("Terraform applies a stack in its own language"):
        theirs("init", "-input=false", "-no-color")
        theirs("apply", "-auto-approve", "-input=false", "-no-color")
    ours = scratch / "ours"
    shutil.copytree(theirs.folder, ours, ignore=shutil.ignore_patterns(".terraform*", "terraform.rc"))

    def terrane(*arguments, allowed=(0,)):
        return run([terrane_binary(), "-C", ours, *arguments], ours, env, allowed)

    with report.case("Terrane converts it, and finds nothing to change in Terraform's state"):
        terrane("convert")
        for file in ours.rglob("*.tf*"):
            if file.name != "terraform.tfstate":
                file.unlink()
        terrane("fmt", "--check", "--recursive")
        nothing(left(terrane))
        status, said = terrane("output", "--json")
        same(said, theirs("output", "-json")[1], "the outputs")
    with report.case("another value of a variable: both plan the same, and Terraform finds nothing to change after Terrane"):
        change = ("-var=cost=true", "-var=readers=[\"dynamodb\"]")
        shutil.copy(theirs.state, theirs.folder / "before.tfstate")
        plan = [theirs.plan(*change), planned(terrane, ours, change)]
        same(*(sorted((c["address"], c["change"]["actions"]) for c in p["resource_changes"]
                      if c["change"]["actions"] != ["no-op"] and c["mode"] == "managed") for p in plan), "the actions")
        terrane("apply", "--auto-approve", *change)
        shutil.copy(ours / "terraform.tfstate", theirs.state)
        status, text = theirs("plan", "-input=false", "-no-color", "-detailed-exitcode", *change, allowed=(0, 2))
        nothing(None if status == 0 else text)
    with report.case("Terrane destroys it"):
        terrane("destroy", "--auto-approve", *change)
    for spec in AGAIN:
        with report.case(f"Terraform's JSON of {spec.parent.name} and back says the same"):
            there_and_back(spec.parent, scratch / "again" / spec.parent.name)


def left(terrane):
    status, text = terrane("plan", "--detailed-exitcode", allowed=(0, 2))
    return None if status == 0 and "No changes" in text else text


def planned(terrane, folder, arguments):
    terrane("plan", "--out", folder / "next.plan", *arguments)
    return json.loads(terrane("show", "--json", folder / "next.plan")[1])


def there_and_back(stack, folder):
    to_tf_json.write(stack, folder)
    wanted = to_tf_json.convert(to_tf_json.spec_of(stack))
    run([terrane_binary(), "convert", folder], folder, {}, (0,))
    same(to_tf_json.convert(to_tf_json.spec_of(folder)), wanted, "the converted spec")
