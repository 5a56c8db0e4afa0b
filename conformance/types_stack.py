"""More resource types: a stack that has each of them, and its life as steps."""
import json
import tomllib

import cases
import to_tf_json
import tools
import types_beside
from report import nothing
from steps import Step, both, swap

STACK = tools.REPO / "conformance" / "stacks" / "types"

ALL = ("aws_iam_access_key.key", "aws_iam_group.readers", "aws_iam_group.renamed", "aws_iam_group.writers",
       "aws_iam_group_membership.members", "aws_iam_group_policy.inline", "aws_iam_group_policy_attachment.attached",
       "aws_iam_policy.read", "aws_iam_policy.write", "aws_iam_role.renamed", "aws_iam_role.role",
       "aws_iam_role_policy.inline", "aws_iam_role_policy_attachment.attached", "aws_iam_user.first",
       "aws_iam_user.second", "aws_iam_user_group_membership.groups", "aws_iam_user_policy.inline",
       "aws_kms_alias.alias", "aws_kms_grant.grant", "aws_kms_key.key", "aws_kms_key.other")


DENIED = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'


def gone(cloud):
    """What others delete, one of each type that can go without taking others along."""
    iam, kms = cloud.client("iam"), cloud.client("kms")
    read = next(p["Arn"] for p in iam.list_policies(Scope="Local")["Policies"] if p["PolicyName"] == "types-write")
    iam.delete_role_policy(RoleName="types-role", PolicyName="other")
    iam.delete_user_policy(UserName="types-first", PolicyName="other")
    iam.delete_group_policy(GroupName="types-readers", PolicyName="other")
    iam.detach_role_policy(RoleName="types-role", PolicyArn=read)
    iam.detach_group_policy(GroupName="types-readers", PolicyArn=read)
    key = iam.list_access_keys(UserName="types-second")["AccessKeyMetadata"][0]
    iam.delete_access_key(UserName="types-second", AccessKeyId=key["AccessKeyId"])
    iam.delete_role(RoleName="types-after")
    iam.delete_group(GroupName="types-after")
    alias = next(a for a in kms.list_aliases()["Aliases"] if a["AliasName"] == "alias/others")
    kms.delete_alias(AliasName=alias["AliasName"])
    for key in kms.list_keys()["Keys"]:
        for grant in kms.list_grants(KeyId=key["KeyId"])["Grants"]:
            kms.revoke_grant(KeyId=key["KeyId"], GrantId=grant["GrantId"])


def changed(cloud):
    """What others change, in ways that both tools have to see."""
    iam = cloud.client("iam")
    iam.update_role(RoleName="types-role", Description="theirs", MaxSessionDuration=7200)
    iam.tag_role(RoleName="types-role", Tags=[{"Key": "Team", "Value": "theirs"}])
    iam.put_user_policy(UserName="types-first", PolicyName="other", PolicyDocument=DENIED)
    iam.add_user_to_group(GroupName="types-writers", UserName="types-second")
    iam.remove_user_from_group(GroupName="types-readers", UserName="types-first")
    key = iam.list_access_keys(UserName="types-second")["AccessKeyMetadata"][0]
    iam.update_access_key(UserName="types-second", AccessKeyId=key["AccessKeyId"], Status="Inactive")


def actions(action, *addresses):
    return dict.fromkeys(addresses, action)


INLINE = tuple(f"aws_iam_{holder}_policy.inline" for holder in ("group", "role", "user"))
ATTACHED = tuple(f"aws_iam_{holder}_policy_attachment.attached" for holder in ("group", "role"))
RENAMED = ("aws_iam_role.renamed", "aws_iam_group.renamed")

STEPS = (
    Step("every type: create", actions("create", *ALL)),
    Step("every type: changes in place",
         actions("update", "aws_iam_role.role", *INLINE, "aws_iam_group_membership.members",
                 "aws_iam_user_group_membership.groups", "aws_iam_access_key.key", "aws_kms_alias.alias"),
         both(swap('"reads"', '"reads and writes"'), swap('"storage"', '"security", On = "call"'),
              swap("policy = \"${local.read}\"\n\n[resource.aws_iam_user_policy", "policy = \"${local.write}\"\n\n[resource.aws_iam_user_policy"),
              swap("policy = \"${local.read}\"\n\n[resource.aws_iam_group_policy.", "policy = \"${local.write}\"\n\n[resource.aws_iam_group_policy."),
              swap("policy = \"${local.read}\"\n\n[resource.aws_iam_role_policy_attachment", "policy = \"${local.write}\"\n\n[resource.aws_iam_role_policy_attachment"),
              swap('users = ["${aws_iam_user.first.name}"]', 'users = ["${aws_iam_user.first.name}", "${aws_iam_user.second.name}"]'),
              swap('groups = ["${aws_iam_group.writers.name}"]', 'groups = ["${aws_iam_group.writers.name}", "${aws_iam_group.renamed.name}"]'),
              swap("[resource.aws_iam_access_key.key]\n", '[resource.aws_iam_access_key.key]\nstatus = "Inactive"\n'),
              swap('target_key_id = "${aws_kms_key.key.key_id}"', 'target_key_id = "${aws_kms_key.other.key_id}"'))),
    Step("every type: what can only be made anew",
         actions("replace", *INLINE, *ATTACHED, "aws_iam_role.renamed", "aws_iam_access_key.key", "aws_kms_alias.alias",
                 "aws_kms_grant.grant", "aws_iam_group_membership.members", "aws_iam_user_group_membership.groups"),
         both(swap('"inline"', '"other"', 3), swap('"${aws_iam_policy.read.arn}"', '"${aws_iam_policy.write.arn}"', 2),
              swap('name               = "types-before"', 'name               = "types-after"'),
              swap('status = "Inactive"\nuser = "${aws_iam_user.first.name}"', 'user = "${aws_iam_user.second.name}"'),
              swap('"alias/types"', '"alias/others"'), swap('"DescribeKey"]', '"GenerateDataKey"]'),
              swap('group = "${aws_iam_group.readers.name}"\nusers', 'group = "${aws_iam_group.writers.name}"\nusers'),
              swap('user   = "${aws_iam_user.second.name}"', 'user   = "${aws_iam_user.first.name}"'),
              swap('"${aws_iam_group.writers.name}", "${aws_iam_group.renamed.name}"', '"${aws_iam_group.readers.name}"'))),
    Step("every type: a group under another name and path, a role for another time", actions("update", *RENAMED),
         both(swap('name = "types-before"', 'name = "types-after"'), swap('"/teams/"', '"/guilds/"'),
              # moto forgets the description of a role whose duration is updated, and this one has none.
              swap("[resource.aws_iam_role.renamed]\n", "[resource.aws_iam_role.renamed]\nmax_session_duration = 43200\n"))),
    Step("every type: changed by somebody else",
         actions("update", "aws_iam_role.role", "aws_iam_user_policy.inline", "aws_iam_user_group_membership.groups",
                 "aws_iam_access_key.key"), behind=changed),
    Step("every type: deleted by somebody else",
         actions("create", *INLINE, *ATTACHED, *RENAMED, "aws_iam_access_key.key", "aws_kms_alias.alias",
                 "aws_kms_grant.grant"), behind=gone),
)
DESTROY = actions("delete", *ALL)


def types_by_terraform(report, scratch, moto):
    cases.terraform_walks(report, scratch, moto, STACK, STEPS, DESTROY)


def types_by_terrane(report, scratch, moto):
    with report.case("Every resource type is in a stack of the suite"):
        specs = [to_tf_json.spec_of(stack) for stack in (STACK, cases.EXAMPLE)]
        specs += [tomllib.loads(text) for _, texts in types_beside.CASES for text in texts]
        nothing(sorted(known_types() - {kind for spec in specs for kind in spec["resource"]} - {"terraform_data"}))
    cases.terrane_walks(report, scratch, moto, STACK, STEPS)


def known_types():
    """Terrane's resource types, from the schema that it gives to editors."""
    schema = json.loads(tools.run([tools.terrane_binary(), "schema"], ".", None)[1])
    return schema["properties"]["resource"]["properties"].keys() - {"//"}
