"""What is done to a part of a stack, or only to the state, and what goes wrong on the way: both tools from one state, to one
state. Plans are read as the lines that both write, which says what is done, why, and what is warned about."""
import json

from refactoring import Pair, described, hand_over, instances
from report import Wrong, nothing, same

BEFORE = ('[resource.aws_iam_user.a]\nname = "a"\ntags = { v = "1" }\n[resource.terraform_data.f]\ninput = "${aws_iam_user.a.tags.v}"\n'
          '[resource.aws_iam_user.b]\nname = "b"\n[resource.terraform_data.lone]\ninput = "1"\n'
          '[resource.terraform_data.g]\nlifecycle = { replace_triggered_by = ["terraform_data.lone"] }\n')
AFTER = BEFORE.replace('"1"', '"2"') + '[resource.aws_iam_user.c]\nname = "c"\n'
FLAGS = (
    ("-target=aws_iam_user.a",), ("-target=terraform_data.f",), ("-replace=aws_iam_user.b",),
    ("-target=terraform_data.f", "-replace=aws_iam_user.a"), ("-refresh=false",), ("-destroy", "-target=aws_iam_user.a"),
)
CHOSEN = ("-target=terraform_data.f", "-target=aws_iam_user.b", "-replace=aws_iam_user.b")
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]})
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]})
ABSENT = "arn:aws:iam::123456789012:policy/absent"


def policy(name, lifecycle):
    return f"[resource.aws_iam_policy.p]\nname = \"{name}\"\npolicy = '{DOCUMENT}'\nlifecycle = {{ {lifecycle} = true }}\n"


def lifecycle(report, scratch, moto):
    pair = Pair(scratch, moto)
    parts(report, pair)
    refreshing(report, pair)
    with report.case("Both refuse the same"):
        refusals(pair)
    for one, other in ((pair.terrane, pair.terraform), (pair.terraform, pair.terrane)):
        names = [type(tool).__name__ for tool in (one, other)]
        with report.case("{} can't delete what it replaced, and {} does it".format(*names)):
            deposed(pair, one, other)
    with report.case("Terrane fails in the middle of a creation, and Terraform makes it anew"):
        half_made(pair)
    with report.case("Terraform fails in the middle of a creation, and Terrane makes it anew"):
        half_made_by_terraform(pair)


def parts(report, pair):
    """Flags that choose: what is planned with each, and what some of them leave."""
    pair.anew()
    pair.give(BEFORE)
    apply(pair.terraform)
    hand_over(pair.terraform.state, pair.terrane.state)
    pair.give(AFTER)
    for flags in FLAGS:
        with report.case(f"Both plan the same with {' '.join(flags)}"):
            agree(pair, *flags)
    with report.case(f"Both leave the same after {' '.join(CHOSEN)}"):
        warned = [warnings(apply(pair.terraform, *CHOSEN))]
        by_terraform = described(pair.terraform.state)
        pair.anew()
        pair.terrane.spec.write_text(BEFORE)
        apply(pair.terrane)
        pair.terrane.spec.write_text(AFTER)
        warned.append(warnings(apply(pair.terrane, *CHOSEN)))
        same(described(pair.terrane.state), by_terraform, "Terrane's state")
        same(warned[1], warned[0], "what Terrane warns about")


def refreshing(report, pair):
    """From what `parts` left: others change and delete, and the state learns it alone."""
    iam = pair.moto.client("iam")
    iam.tag_user(UserName="a", Tags=[{"Key": "v", "Value": "theirs"}])
    iam.delete_user(UserName="b")
    hand_over(pair.terrane.state, pair.terraform.state)
    with report.case("Both see the same drift with -refresh-only"):
        found = agree(pair, "-refresh-only")
        same(sorted(found["drift"]), ["aws_iam_user.a", "aws_iam_user.b"], "drift")
    with report.case("Both bring the state to what is there with apply -refresh-only"):
        for tool in (pair.terraform, pair.terrane):
            apply(tool, "-refresh-only")
        same(described(pair.terrane.state), described(pair.terraform.state), "Terrane's state")
        same(pair.moto.inventory()["user"], ["a"], "users")
    with report.case("Both then plan the same to bring it back"):
        agree(pair)


# What Terrane calls what Terraform refuses or warns about.
CALLED = {
    "Postcondition not met": "Resource postcondition failed", "Precondition not met": "Resource precondition failed",
    "Protected object would be deleted": "Instance cannot be destroyed", "Check not met": "Check block assertion failed",
    "Object to import not found": "Cannot import non-existent remote object",
}
ABSENT_USER = ('[resource.aws_iam_user.absent]\nname = "absent"\n[[import]]\nto = "aws_iam_user.absent"\nid = "absent"\n')


def refusals(pair):
    """One plan with everything that it is refused for."""
    pair.anew()
    pair.give(policy("p1", "prevent_destroy"))
    pair.terrane.apply()
    hand_over(pair.terrane.state, pair.terraform.state)
    pair.give("[locals]\nno = false\n" + policy("p2", "prevent_destroy") + ABSENT_USER + (
        '[[resource.terraform_data.pre.lifecycle.precondition]]\ncondition = "${local.no}"\nerror_message = "No."\n'
        '[resource.terraform_data.post]\ninput = "x"\n[[resource.terraform_data.post.lifecycle.postcondition]]\n'
        'condition = \'${self.input == "y"}\'\nerror_message = "It is x."\n'
        '[[check.never.assert]]\ncondition = "${local.no}"\nerror_message = "Never."\n'))
    theirs, ours = (refused(tool) for tool in (pair.terraform, pair.terrane))
    ours = sorted((severity, CALLED.get(summary, summary)) for severity, summary in ours)
    same(len(theirs), 5, "what Terraform refuses and warns about")
    same(ours, theirs, "what Terrane says")


def table(name):
    return (f'[resource.aws_dynamodb_table.t]\nname = "{name}"\nbilling_mode = "PAY_PER_REQUEST"\nhash_key = "Id"\n'
            'deletion_protection_enabled = true\nattribute = [{ name = "Id", type = "S" }]\n'
            'lifecycle = { create_before_destroy = true }\n')


def deposed(pair, one, other):
    """A protected table can't be deleted. The new one is there, and the old one stays in the state until it can."""
    pair.anew()
    pair.give(table("old"))
    apply(one)
    pair.give(table("new"))
    apply(one, code=1)
    same(deposed_in(one), ["old"], "deposed objects")
    hand_over(one.state, other.state)
    same(told(lines(plan(other)))["planned"], {"aws_dynamodb_table.t": ["delete"]}, "planned")
    pair.moto.client("dynamodb").update_table(TableName="old", DeletionProtectionEnabled=False)
    apply(other)
    same(deposed_in(other), [], "deposed objects left")
    same(pair.moto.inventory()["table"], ["new"], "tables")
    hand_over(other.state, one.state)
    nothing(one.nothing_to_do())


def half_made(pair):
    """A role is made, and then can't get one of its policies. Terraform itself forgets such a role."""
    pair.anew()
    pair.give(f"[resource.aws_iam_role.r]\nname = \"r\"\nassume_role_policy = '{TRUST}'\nmanaged_policy_arns = [\"{ABSENT}\"]\n")
    apply(pair.terrane, code=1)
    same([(i["status"], i["attributes"]["id"]) for *_, i in instances(pair.terrane.state)], [("tainted", "r")], "the state")
    pair.moto.client("iam").create_policy(PolicyName="absent", PolicyDocument=DOCUMENT)
    made_anew(pair.terrane, pair.terraform, "aws_iam_role.r")
    attached = pair.moto.client("iam").list_attached_role_policies(RoleName="r")["AttachedPolicies"]
    same([policy["PolicyArn"] for policy in attached], [ABSENT], "policies of the role")


def half_made_by_terraform(pair):
    """An object is made, and then what Terraform runs for it fails."""
    pair.anew()
    pair.give('[resource.terraform_data.r]\ninput = "x"\n')
    main = pair.terraform.folder / "main.tf.json"
    given = json.loads(main.read_text())
    given["resource"]["terraform_data"]["r"]["provisioner"] = {"local-exec": {"command": "false"}}
    main.write_text(json.dumps(given))
    apply(pair.terraform, code=1)
    same([i["status"] for *_, i in instances(pair.terraform.state)], ["tainted"], "the state")
    pair.give(pair.terrane.spec.read_text())
    made_anew(pair.terraform, pair.terrane, "terraform_data.r")


def made_anew(one, other, address):
    hand_over(one.state, other.state)
    same(told(lines(plan(other)))["planned"], {address: ["replace", "tainted"]}, "planned")
    apply(other)
    hand_over(other.state, one.state)
    nothing(one.nothing_to_do())


# --- Both tools by the lines that they write ---------------------------------------------------------------------------

def plan(tool, *flags, code=0):
    how = ("plan", "-json") if type(tool).__name__ == "Terraform" else ("plan", "-json-stream")
    return tool(*how, "-input=false", *flags, allowed=(code,))[1]


def apply(tool, *flags, code=0):
    return lines(tool("apply", "-json", "-auto-approve", "-input=false", *flags, allowed=(code,))[1])


def lines(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def told(found):
    """What is planned and why, what has changed, and what is warned about."""
    def changes(kind):
        of_kind = [e["change"] for e in found if e["type"] == kind]
        return {c["resource"]["addr"]: [c["action"], *filter(None, [c.get("reason")])] for c in of_kind}
    return {"planned": changes("planned_change"), "drift": changes("resource_drift"), "warned": warnings(found)}


def warnings(found):
    return sorted(e["diagnostic"]["summary"] for e in found
                  if e["type"] == "diagnostic" and e["diagnostic"]["severity"] == "warning")


def agree(pair, *flags):
    theirs, ours = (told(lines(plan(tool, *flags))) for tool in (pair.terraform, pair.terrane))
    if not theirs["planned"] and not theirs["drift"]:
        raise Wrong("Terraform's plan says nothing about this case.")
    if "-refresh-only" not in flags:
        # Terraform tells a null that a refresh turns into an empty collection.
        del theirs["drift"], ours["drift"]
    # Terrane goes on saying that only a part was applied, until the rest is.
    ours["warned"] = [warning for warning in ours["warned"] if warning != "Last apply was limited"]
    same(ours, theirs, "Terrane says")
    return ours


def refused(tool):
    """Severity and summary of each message of a plan that is refused."""
    found = [e["diagnostic"] for e in lines(plan(tool, code=1)) if e["type"] == "diagnostic"]
    return sorted((d["severity"], d["summary"]) for d in found)


def deposed_in(tool):
    return [i["attributes"]["id"] for *_, i in instances(tool.state) if "deposed" in i]
