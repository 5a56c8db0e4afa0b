#!/usr/bin/env python3
"""Stacks of exactly N resources, for measuring.

One dict in the shape of Terraform's JSON configuration is the only source; it is written as HCL for Terraform (the
syntax its users write) and as TOML for Terrane.

    generate.py 1000 FOLDER --format hcl|toml             # KMS, DynamoDB and IAM, in cells of eight
    generate.py 5000 FOLDER --format toml --core chain    # terraform_data alone, no API behind it
    generate.py 1000 FOLDER --format toml --estate 100    # 1,000 users and roles, 100 tables, their policies and keys

A cell is a key, its alias, three tables, a policy, a user and an attachment; N mod 8 more tables are spread over them.
"""
import argparse
import json
import re
from pathlib import Path

ADMINISTER = ["kms:Create*", "kms:Describe*", "kms:Enable*", "kms:List*", "kms:Put*", "kms:Update*", "kms:Revoke*",
              "kms:Disable*", "kms:Get*", "kms:Delete*", "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"]
USE = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
TABLES = [("Catalog", {"Id": "N"}), ("Forum", {"Name": "S"}), ("Post", {"ForumName": "S", "Subject": "S"}),
          ("Comment", {"Id": "S", "CommentDateTime": "S"})]
SHAPES = ("fanout", "layers", "count", "chain")


def cells(n):
    """KMS, DynamoDB and IAM: n >= 8 resources."""
    count = n // 8
    extra = n - 8 * count
    spec = {"terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}},
            "provider": {"aws": [{"region": "eu-west-3"}]},
            "data": {"aws_caller_identity": {"current": {}}, "aws_iam_policy_document": {}},
            "resource": {}, "output": {"table_arns": {"value": []}}}
    for i in range(count):
        cell(spec, i, 3 + extra // count + (i < extra % count))
    return spec


def cell(spec, i, tables):
    def add(kind, name, body):
        spec["resource"].setdefault(kind, {})[name] = body

    me = "${data.aws_caller_identity.current.arn}"
    root = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:root"
    spec["data"]["aws_iam_policy_document"][f"k{i}"] = {"statement": [
        statement("EnableIAMUserPermissions", root, ["kms:*"]),
        statement("AllowKeyAdministrators", me, ADMINISTER), statement("AllowKeyUsers", me, USE)]}
    add("aws_kms_key", f"k{i}", {
        "description": f"KMS key {i} for database encryption", "deletion_window_in_days": 7,
        "enable_key_rotation": True, "policy": f"${{data.aws_iam_policy_document.k{i}.json}}"})
    add("aws_kms_alias", f"k{i}", {"name": f"alias/bench-{i}", "target_key_id": f"${{aws_kms_key.k{i}.key_id}}"})
    for j in range(tables):
        name, keys = TABLES[(i + j) % len(TABLES)]
        add("aws_dynamodb_table", f"t{i}_{j}", table(f"{name}-{i}-{j}", keys, f"${{aws_kms_key.k{i}.arn}}"))
    arns = [f"aws_dynamodb_table.t{i}_{j}.arn" for j in range(tables)]
    add("aws_iam_policy", f"p{i}", {"name": f"bench-{i}-policy", "policy": (
        '${jsonencode({\n    Version = "2012-10-17"\n    Statement = [{\n      Effect = "Allow"\n'
        '      Action = ["dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:Query"]\n'
        f"      Resource = [{', '.join(arns)}]\n    }}]\n  }})}}")})
    add("aws_iam_user", f"u{i}", {"name": f"bench-user-{i}"})
    add("aws_iam_user_policy_attachment", f"a{i}", {
        "user": f"${{aws_iam_user.u{i}.name}}", "policy_arn": f"${{aws_iam_policy.p{i}.arn}}"})
    spec["output"]["table_arns"]["value"] += [f"${{{arn}}}" for arn in arns]


def statement(sid, principal, actions):
    return {"sid": sid, "actions": actions, "resources": ["*"],
            "principals": [{"type": "AWS", "identifiers": [principal]}]}


def table(name, keys, key_arn):
    hash_key, *range_key = keys
    return {"name": name, "billing_mode": "PROVISIONED", "read_capacity": 1, "write_capacity": 1, "hash_key": hash_key,
            **({"range_key": range_key[0]} if range_key else {}),
            "attribute": [{"name": k, "type": t} for k, t in keys.items()],
            "server_side_encryption": [{"enabled": True, "kms_key_arn": key_arn}],
            "point_in_time_recovery": [{"enabled": True}]}


def cells_made(n):
    """How many of each kind cells(n) holds, under the names of the inventory."""
    count = n // 8
    return {"key": count, "alias": count, "table": n - 5 * count, "policy": count, "user": count, "attachment": count}


def estate(principals, tables):
    """Who can do what: users and roles (one in five), tables under ten keys, a policy for each table, and for every
    second user a policy of their own under a condition."""
    allow = lambda actions, resource: {"Effect": "Allow", "Action": actions, "Resource": resource}
    document = lambda *statements: json.dumps({"Version": "2012-10-17", "Statement": statements})
    trust = document({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"})
    keys = min(10, tables)
    made = {kind: {} for kind in ("aws_kms_key", "aws_dynamodb_table", "aws_iam_policy", "aws_iam_user", "aws_iam_role",
                                  "aws_iam_user_policy_attachment", "aws_iam_role_policy_attachment", "aws_iam_user_policy")}
    for i in range(keys):
        made["aws_kms_key"][f"k{i}"] = {"description": f"key {i}"}
    for i in range(tables):
        key = f"${{aws_kms_key.k{i % keys}.arn}}"
        made["aws_dynamodb_table"][f"t{i}"] = table(f"Table-{i}", {"Id": "S"}, key)
        made["aws_iam_policy"][f"p{i}"] = {"name": f"table-{i}", "policy": document(
            allow(["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"], f"${{aws_dynamodb_table.t{i}.arn}}"),
            allow(["kms:Decrypt", "kms:GenerateDataKey*"], key))}
    for i in range(principals):
        kind = "role" if i % 5 == 0 else "user"
        body = {"name": f"{kind}-{i}"} | ({"assume_role_policy": trust} if kind == "role" else {})
        made[f"aws_iam_{kind}"][f"a{i}"] = body
        made[f"aws_iam_{kind}_policy_attachment"][f"a{i}"] = {
            kind: f"${{aws_iam_{kind}.a{i}.name}}", "policy_arn": f"${{aws_iam_policy.p{i % tables}.arn}}"}
        if kind == "user" and i % 2:
            statement = allow(["dynamodb:UpdateItem", "dynamodb:DeleteItem"], f"${{aws_dynamodb_table.t{i * 7 % tables}.arn}}")
            statement["Condition"] = {"IpAddress": {"aws:SourceIp": f"10.{i % 256}.0.0/16"}}
            made["aws_iam_user_policy"][f"a{i}"] = {"name": "own", "user": f"${{aws_iam_user.a{i}.name}}", "policy": document(statement)}
    return {"provider": {"aws": [{"region": "eu-west-3"}]}, "resource": made}


def core(n, shape):
    """terraform_data alone: what graph, diff and state cost. fanout: all refer to the first; layers: ten layers, each
    resource to one of the layer before; chain: each to the one before; count: one resource with n - 1 instances."""
    if shape == "count":
        return {"resource": {"terraform_data": {
            "root": {"input": "root"},
            "r": {"count": n - 1, "input": "${terraform_data.root.output}-${count.index}"}}}}
    refers_to = {"chain": lambda i: i - 1, "fanout": lambda i: 0 if i else -1, "layers": lambda i: i - n // 10}[shape]
    return {"resource": {"terraform_data": {
        f"r{i}": {"input": f"root-{i}" if (j := refers_to(i)) < 0 else f"${{terraform_data.r{j}.id}}-{i}"}
        for i in range(n)}}}


# --- writers ---------------------------------------------------------------------------------------------------------

def is_blocks(value):
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def hcl_value(value):
    if isinstance(value, str):
        whole = re.fullmatch(r"\$\{((?:[^$]|\$(?!\{))*)\}", value, re.S)
        return whole[1] if whole else json.dumps(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(hcl_value, value)) + "]"
    return json.dumps(value)


def hcl_body(body, indent):
    pad = "  " * indent
    return "".join(
        "".join(f"{pad}{key} {{\n{hcl_body(block, indent + 1)}{pad}}}\n" for block in value) if is_blocks(value)
        else f"{pad}{key} = {hcl_value(value)}\n" for key, value in body.items())


def to_hcl(spec):
    out = []
    for kind, named in spec.items():
        if kind == "terraform":
            required = "".join(f'    {name} = {{ source = "{p["source"]}", version = "{p["version"]}" }}\n'
                               for name, p in named["required_providers"].items())
            out.append(f"terraform {{\n  required_providers {{\n{required}  }}\n}}\n")
        elif kind == "provider":
            out += [f'provider "{name}" {{\n{hcl_body(b, 1)}}}\n' for name, bodies in named.items() for b in bodies]
        elif kind == "output":
            out += [f'output "{name}" {{\n{hcl_body(body, 1)}}}\n' for name, body in named.items()]
        else:
            out += [f'{kind} "{label}" "{name}" {{\n{hcl_body(body, 1)}}}\n'
                    for label, bodies in named.items() for name, body in bodies.items()]
    return "".join(out)


def toml_value(value):
    if isinstance(value, str):
        return f"'''{value}'''" if "\n" in value else json.dumps(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return json.dumps(value)


def to_toml(body, path=(), header=""):
    plain = {k: v for k, v in body.items() if not isinstance(v, dict) and not is_blocks(v)}
    out = header if plain or not body or header.startswith("\n[[") else ""
    out += "".join(f"{key} = {toml_value(value)}\n" for key, value in plain.items())
    for key, value in body.items():
        name = ".".join((*path, key))
        if isinstance(value, dict):
            out += to_toml(value, (*path, key), f"\n[{name}]\n")
        elif is_blocks(value):
            out += "".join(to_toml(block, (*path, key), f"\n[[{name}]]\n") for block in value)
    return out


def write(spec, folder, form):
    """Write the spec into the folder as HCL or TOML and return the file."""
    name, text = {"hcl": ("main.tf", to_hcl), "toml": ("terrane.toml", to_toml)}[form]
    file = Path(folder) / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text(spec).lstrip())
    return file


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("n", type=int)
    parser.add_argument("folder")
    parser.add_argument("--format", choices=("hcl", "toml"), default="toml")
    parser.add_argument("--core", choices=SHAPES, help="terraform_data alone")
    parser.add_argument("--estate", type=int, metavar="TABLES", help="N principals and so many tables")
    a = parser.parse_args()
    if not a.core and not a.estate and a.n < 8:
        parser.error("N must be 8 or more")
    spec = core(a.n, a.core) if a.core else estate(a.n, a.estate) if a.estate else cells(a.n)
    print(write(spec, a.folder, a.format))
