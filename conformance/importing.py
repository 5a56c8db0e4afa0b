"""Objects that exist become those of a stack: by `[[import]]` and by the command `import`, each type that can be imported."""
import agreement
import cloud
import types_stack
from cases import actions, hand_over
from refactoring import described, instances
from report import nothing, same
from steps import swap
from tools import Terraform, Terrane

MEMBERS = ('[resource.aws_iam_group_membership.members]\nname  = "members"\ngroup = "${aws_iam_group.readers.name}"\n'
           'users = ["${aws_iam_user.first.name}"]\n')
TABLE = ('[resource.aws_dynamodb_table.table]\nname = "types"\nbilling_mode = "PAY_PER_REQUEST"\nhash_key = "Id"\n'
         'attribute = [{ name = "Id", type = "S" }]\n')

# What an object is imported by, where it is not its `id`. A group's membership can't be imported.
IDS = {
    "aws_iam_group_policy_attachment": "{group}/{policy_arn}",
    "aws_iam_role_policy_attachment": "{role}/{policy_arn}",
    "aws_iam_user_policy_attachment": "{user}/{policy_arn}",
    "aws_iam_user_group_membership": "{user}/{groups[0]}",
}


# What AWS does not tell, so that only the first apply after an import notes it.
UNTOLD = {"deletion_window_in_days", "bypass_policy_lockout_safety_check"}


def importing(report, scratch, moto):
    env = cloud.environment(moto.endpoint)
    terraform, terrane = Terraform(scratch / "terraform", env), Terrane(scratch / "terrane", types_stack.STACK, env)
    spec = swap(MEMBERS, TABLE)(terrane.spec.read_text())
    terrane.spec.write_text(spec)
    terrane.apply()
    ids = {name: IDS.get(kind, "{id}").format(**i["attributes"]) for name, _, kind, i in instances(terrane.state)}
    terrane.state.unlink()
    blocks = "".join(f"[[import]]\nto = '{address}'\nid = '{id}'\n" for address, id in ids.items())
    terrane.spec.write_text(spec + blocks)
    terraform.give(terrane.folder)
    theirs, ours = terraform.plan(), terrane.plan()
    terraform.apply_plan()
    for address in sorted(ids):
        with report.case(f"Both plan the same import: {address}"):
            one, other = (agreement.managed(plan)[address] for plan in (theirs, ours))
            same(other["change"].get("importing"), one["change"]["importing"], "importing")
            nothing(agreement.resource(address, one, other, terraform.values()[0][address]))
    hand_over(terraform.state, terrane.state)
    with report.case("Terrane finds nothing to change in what Terraform imported"):
        nothing(terrane.nothing_to_do())
    by_terraform = described(terrane.state)
    terrane.state.unlink()
    with report.case("Terrane imports the same as Terraform"):
        terrane.apply()
        compare(described(terrane.state), by_terraform)
    by_block = described(terrane.state)
    hand_over(terrane.state, terraform.state)
    with report.case("Terraform finds nothing to change in what Terrane imported"):
        nothing(terraform.nothing_to_do())
    terrane.state.unlink()
    terrane.spec.write_text(spec)
    for address, id in ids.items():
        with report.case(f"The command imports what the block does: {address}"):
            terrane("import", address, id)
            same(attributes(described(terrane.state), address), attributes(by_block, address), "state")
    with report.case("Terrane finds nothing to change in what Terraform's command imported"):
        terraform.state.unlink()
        terraform.give(terrane.folder)
        terraform("import", "-input=false", "-no-color", "aws_iam_role.role", ids["aws_iam_role.role"])
        hand_over(terraform.state, terrane.state)
        same(actions(terrane.plan("-target=aws_iam_role.role")), {}, "Terrane's actions")


def attributes(states, address):
    """Of one object, as far as an import can know them."""
    return {k: v for name, found in states.items() if name[0] == address for k, v in found[0].items() if k not in UNTOLD}


def compare(ours, theirs):
    nothing([f"{name}: {ours.get(name)}\n  Terraform: {theirs[name]}" for name in theirs if ours.get(name) != theirs[name]])
