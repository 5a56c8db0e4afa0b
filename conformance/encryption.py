"""States that a KMS key encrypts: nothing of them can be read without it, and Terraform says so instead of writing over them."""
import json
import os
from pathlib import Path

import cloud
from report import Wrong, nothing, same
from shared import refusal
from tools import Terrane, run, terraform_environment

SECRET = "correct-horse-battery-staple"
SPEC = (f'[resource.terraform_data.a]\ninput = "{SECRET}"\n[resource.terraform_data.b]\ninput = "0"\n'
        f'[output.o]\nvalue = "${{terraform_data.a.output}}"\n')


def encryption(report, scratch, moto):
    env, kms, s3 = cloud.environment(moto.endpoint), moto.client("kms"), moto.client("s3")
    first, second = (kms.create_key(Description=name)["KeyMetadata"]["KeyId"] for name in ("first", "second"))
    kms.create_alias(AliasName="alias/states", TargetKeyId=first)
    s3.create_bucket(Bucket="states", CreateBucketConfiguration={"LocationConstraint": env["AWS_REGION"]})
    (scratch / "stack").mkdir()
    (scratch / "stack" / "terrane.toml").write_text(SPEC)
    terrane = Terrane(scratch / "terrane", scratch / "stack", env)
    with report.case("State, backup and plan hold nothing that can be read"):
        terrane.spec.write_text(SPEC + key("alias/states"))
        for _ in range(2):
            terrane.apply()
            change(terrane)
        terrane("plan", "--out", "next.plan")
        shut(terrane.folder)
        terrane("apply", "next.plan")
        same(terrane("output", "--raw", "o")[1], SECRET, "output")
        nothing(terrane.nothing_to_do())
    with report.case("Terraform refuses an encrypted state, and leaves it as it is"):
        by_terraform(scratch, terrane, env)
    with report.case("Another key does not open it, and nothing is written"):
        before, right = terrane.state.read_bytes(), terrane.spec.read_text()
        terrane.spec.write_text(right.replace("alias/states", second))
        said = refusal(terrane.apply)
        if "decrypt" not in said.lower() or SECRET in said:
            raise Wrong(f"The refusal says something else:\n{said}")
        same(terrane.state.read_bytes(), before, "state")
        terrane.spec.write_text(right)
    with report.case("A fallback rolls over to another key, which then does alone"):
        terrane.spec.write_text(terrane.spec.read_text().replace(key("alias/states"), key(second) + key(first, "fallback.")))
        nothing(terrane.nothing_to_do())
        change(terrane)
        terrane.apply()
        terrane.spec.write_text(terrane.spec.read_text().replace(key(first, "fallback."), ""))
        nothing(terrane.nothing_to_do())
        kms.schedule_key_deletion(KeyId=first, PendingWindowInDays=7)
        nothing(terrane.nothing_to_do())
    with report.case("A state in a bucket holds nothing that can be read, either"):
        backend = ('[terraform.backend.s3]\nbucket = "states"\nkey = "sealed"\nregion = "eu-west-3"\nuse_lockfile = true\n'
                   f'use_path_style = true\nskip_credentials_validation = true\nendpoints = {{ s3 = "{moto.endpoint}" }}\n')
        terrane.spec.write_text(backend + terrane.spec.read_text())
        terrane("state", "migrate")
        nothing(terrane.nothing_to_do())
        for item in s3.list_objects_v2(Bucket="states")["Contents"]:
            readable(item["Key"], s3.get_object(Bucket="states", Key=item["Key"])["Body"].read())
        same(SECRET in terrane("state", "pull")[1], True, "that `state pull` writes it in the clear")
    with report.case("Workspaces of an encrypted bucket are made, listed, taken into files and deleted, and none can be read"):
        workspaces(terrane, s3, backend)


def workspaces(terrane, s3, backend):
    def listed():
        return [line.strip("* ") for line in terrane("workspace", "list")[1].splitlines() if line.strip()]
    terrane("workspace", "new", "blue")
    terrane.apply()
    same(listed(), ["default", "blue"], "workspaces")
    stored = [item["Key"] for item in s3.list_objects_v2(Bucket="states")["Contents"]]
    same([name for name in stored if "blue" in name], ["env:/blue/sealed"], "objects of the workspace")
    for name in stored:
        readable(name, s3.get_object(Bucket="states", Key=name)["Body"].read())
    terrane.spec.write_text(terrane.spec.read_text().removeprefix(backend))
    terrane("state", "migrate")
    nothing(terrane.nothing_to_do())
    same(listed(), ["default", "blue"], "workspaces in files")
    shut(terrane.folder, "blue.tfstate")
    terrane("workspace", "select", "default")
    nothing(terrane.nothing_to_do())
    if "terraform_data.a" not in refusal(lambda: terrane("workspace", "delete", "blue")):
        raise Wrong("It is refused for something else.")
    terrane("workspace", "delete", "-force", "blue")
    same(listed(), ["default"], "workspaces left")


def key(id, fallback=""):
    return f'[terrane.encryption.{fallback}kms]\nkey_id = "{id}"\n'


def change(terrane):
    text = terrane.spec.read_text()
    old = next(n for n in "01234" if f'input = "{n}"' in text)
    terrane.spec.write_text(text.replace(f'input = "{old}"', f'input = "{int(old) + 1}"'))


def shut(folder, *more):
    """No file but the spec has the secret, and those that have states or plans are there."""
    files = [Path(place) / name for place, _, names in os.walk(folder) for name in names]
    for wanted in ("default.tfstate", *(more or ("default.tfstate.backup", "next.plan"))):
        same(wanted in [file.name for file in files], True, f"that there is {wanted}")
    for file in files:
        if file.name != "terrane.toml":
            readable(file.name, file.read_bytes())


def readable(name, text):
    if SECRET.encode() in text:
        raise Wrong(f"{name} has the secret in the clear.")


def by_terraform(scratch, terrane, env):
    theirs = scratch / "terraform"
    theirs.mkdir()
    env = terraform_environment(theirs, env)
    (theirs / "main.tf.json").write_text(json.dumps({"resource": {"terraform_data": {"a": {"input": SECRET}}}}))
    run(["terraform", "init", "-input=false", "-no-color"], theirs, env)
    state = theirs / "terraform.tfstate"
    state.write_bytes(terrane.state.read_bytes())
    said = refusal(lambda: run(["terraform", "apply", "-auto-approve", "-input=false", "-no-color"], theirs, env))
    if "state" not in said:
        raise Wrong(f"It is refused for something else:\n{said}")
    same(state.read_bytes(), terrane.state.read_bytes(), "state")
