#!/usr/bin/env python3
"""Turn a Terrane spec into Terraform's JSON configuration, so that both tools can be given the same stack.

    to_tf_json.py STACK_FOLDER OUT_FOLDER

A spec has Terraform's JSON shape already, so most of it passes through untouched. What differs:
  - `[terrane]` and `[access]` are ours alone and are left out; the provider requirement is added;
  - TOML has no null, so a string that is exactly "${null}" becomes one;
  - a nested block given as one expression becomes a `dynamic` block, which Terraform needs for that.
Variable files become terraform.tfvars.json and *.auto.tfvars.json. Specs that spread an inline table over several
lines are TOML 1.1 and cannot be read by the parser used here.
"""
import json
import sys
import tomllib
from pathlib import Path

PROVIDER = {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}
OURS_ALONE = ("terrane", "access")

# The nested blocks that may be given as an expression, with the arguments of one element.
BLOCKS = {
    "aws_dynamodb_table": {
        "attribute": ("name", "type"),
        "global_secondary_index": ("name", "hash_key", "range_key", "projection_type", "non_key_attributes",
                                   "read_capacity", "write_capacity"),
        "local_secondary_index": ("name", "range_key", "projection_type", "non_key_attributes"),
        "server_side_encryption": ("enabled", "kms_key_arn"),
        "point_in_time_recovery": ("enabled",),
        "ttl": ("attribute_name", "enabled"),
    },
}
# Arguments that an element may leave out, read with a fallback so that Terraform takes them as not given.
OPTIONAL = {"range_key", "non_key_attributes", "read_capacity", "write_capacity", "kms_key_arn"}


def convert(spec):
    """The Terraform JSON configuration that means what the parsed spec means."""
    out = {k: with_nulls(v) for k, v in spec.items() if k not in OURS_ALONE}
    for types in (out.get("resource", {}), out.get("data", {})):
        for kind, by_name in types.items():
            for body in by_name.values():
                expressions_to_dynamic(BLOCKS.get(kind, {}), body)
    out.setdefault("terraform", {}).setdefault("required_providers", PROVIDER)
    return out


def with_nulls(value):
    if isinstance(value, dict):
        return {k: with_nulls(v) for k, v in value.items()}
    if isinstance(value, list):
        return [with_nulls(v) for v in value]
    return None if value == "${null}" else value


def expressions_to_dynamic(blocks, body):
    for block, arguments in blocks.items():
        if isinstance(body.get(block), str):
            content = {a: element_argument(block, a) for a in arguments}
            body.setdefault("dynamic", {})[block] = {"for_each": body.pop(block), "content": content}


def element_argument(block, argument):
    value = f"{block}.value.{argument}"
    return f"${{try({value}, null)}}" if argument in OPTIONAL else f"${{{value}}}"


def merge(specs):
    """One spec of several files: tables are merged, lists joined; what is said twice is an error."""
    out = {}
    for spec in specs:
        join(out, spec, "")
    return out


def join(into, more, path):
    for key, value in more.items():
        here = f"{path}.{key}".lstrip(".")
        if key not in into:
            into[key] = value
        elif isinstance(value, dict) and isinstance(into[key], dict):
            join(into[key], value, here)
        elif isinstance(value, list) and isinstance(into[key], list):
            into[key] = into[key] + value
        else:
            raise ValueError(f"`{here}` is given in two files")


def read(path):
    return tomllib.loads(path.read_text(encoding="utf-8"))


def spec_of(stack):
    """The merged spec of a stack's folder."""
    stack = Path(stack)
    files = [f for f in [stack / "terrane.toml", *sorted(stack.glob("*.terrane.toml"))] if f.exists()]
    if not files:
        raise FileNotFoundError(f"no terrane.toml in {stack}")
    return merge(map(read, files))


def write(stack, folder):
    """Write the converted stack and its variable files into `folder`, replacing an earlier conversion."""
    stack, folder = Path(stack), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for old in [*folder.glob("*.tf.json"), *folder.glob("*.tfvars.json")]:
        old.unlink()
    dump(folder / "main.tf.json", convert(spec_of(stack)))
    if (stack / "terrane.vars.toml").exists():
        dump(folder / "terraform.tfvars.json", with_nulls(read(stack / "terrane.vars.toml")))
    for file in stack.glob("*.auto.vars.toml"):
        name = file.name.removesuffix(".auto.vars.toml")
        dump(folder / f"{name}.auto.tfvars.json", with_nulls(read(file)))


def dump(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    write(sys.argv[1], sys.argv[2])
