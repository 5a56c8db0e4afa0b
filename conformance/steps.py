"""The life of the example stack, step by step: each step is an edit of the spec, or something done behind both tools'
backs, with the actions that Terrane must plan for it. Steps build on one another, in this order."""
import re
from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class Step:
    """`edit` takes the spec's text to the next one; `behind` gets the cloud and does something nobody is told of.
    `actions` is what Terrane plans for it, by address; what is not named stays as it is. `unsettled` says why no plan
    can be asked for directly after the step."""
    name: str
    actions: dict
    edit: Callable[[str], str] = lambda text: text
    behind: Callable = lambda cloud: None
    unsettled: str = ""


def swap(old, new, count=1):
    """An edit that replaces `old`, which must occur exactly `count` times."""
    def edit(text):
        if text.count(old) != count:
            raise ValueError(f"expected {count} times in the spec, found {text.count(old)} times: {old!r}")
        return text.replace(old, new)
    return edit


def drop(pattern):
    """An edit that removes the lines that match a pattern."""
    def edit(text):
        kept = [line for line in text.splitlines(keepends=True) if not re.match(pattern, line)]
        if len(kept) == text.count("\n"):
            raise ValueError(f"no line of the spec matches {pattern!r}")
        return "".join(kept)
    return edit


def both(*edits):
    def edit(text):
        for one in edits:
            text = one(text)
        return text
    return edit


def delete_table(cloud):
    cloud.client("dynamodb").delete_table(TableName="Post")


KEY = "aws_kms_key.db_key"
POLICY = "aws_iam_policy.dynamodb_read_write"
USER = "aws_iam_user.test_user"
ATTACHMENT = "aws_iam_user_policy_attachment.test_user_dynamodb"


def tables(action, *names):
    return {f'aws_dynamodb_table.tables["{name}"]': action for name in names}


FOUR = ("Comment", "ContentCatalog", "Forum", "Post")
FIVE = (*FOUR, "Tag")

STEPS = (
    Step("create", tables("create", *FOUR) | dict.fromkeys((KEY, POLICY, USER, ATTACHMENT), "create")),
    Step("a new description of the key", {KEY: "update"},
         swap("KMS key for database encryption", "The key of the four tables")),
    Step("another table capacity", tables("update", *FOUR),
         swap("read_capacity  = 1", "read_capacity  = 2")),
    Step("one more action in the policy of the user", {POLICY: "update"},
         swap('"dynamodb:Scan"]', '"dynamodb:Scan", "dynamodb:BatchGetItem"]')),
    Step("one more action in the policy of the key", {KEY: "update"},
         swap('"kms:DescribeKey"]', '"kms:DescribeKey", "kms:CreateGrant"]')),
    Step("tags on the user", {USER: "update"},
         swap('name = "${var.test_user_name}"',
              'name = "${var.test_user_name}"\ntags = { Team = "storage", Purpose = "proof" }')),
    Step("another value of a tag", {USER: "update"},
         swap('Team = "storage"', 'Team = "security"')),
    Step("a fifth table", tables("create", "Tag") | {POLICY: "update"},
         swap("Comment        =", 'Tag            = { pk = "Label", pk_type = "S" }\nComment        =')),
    Step("another hash key", tables("replace", "Forum"),
         swap('Forum          = { pk = "Name"', 'Forum          = { pk = "Title"')),
    Step("another name of the policy", {POLICY: "replace", ATTACHMENT: "replace"},
         swap('"${var.project_name}-policy"', '"${var.project_name}-read-write"')),
    Step("a table deleted by somebody else", tables("create", "Post"), behind=delete_table),
    Step("on-demand billing", tables("update", *FIVE),
         both(swap('"PROVISIONED"', '"PAY_PER_REQUEST"'), drop(r"(read|write)_capacity\s")),
         unsettled="moto goes on showing the capacity of a table that went on-demand, where AWS shows 0, and the "
                   "provider's own check refuses that"),
    Step("provisioned billing again", tables("update", *FIVE),
         swap('"PAY_PER_REQUEST"', '"PROVISIONED"\nread_capacity  = 1\nwrite_capacity = 1')),
    Step("one table fewer", tables("delete", "Tag") | {POLICY: "update"}, drop(r"Tag\s")),
)
DESTROY = tables("delete", *FOUR) | dict.fromkeys((KEY, POLICY, USER, ATTACHMENT), "delete")
