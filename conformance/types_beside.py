"""Types beyond the example's: each spec is planned by both tools, applied by one, and found settled by the other."""
import agreement
import cloud
from report import Wrong, nothing, same
from tools import Terraform, Terrane

TABLE = ('[resource.aws_dynamodb_table.t]\nname = "@t"\nhash_key = "k"\nbilling_mode = "PAY_PER_REQUEST"\n'
         'attribute = [{ name = "k", type = "S" }]\n')


def document(*statements):
    return '{"Version":"2012-10-17","Statement":[' + ",".join(statements) + "]}"


def statement(principal, action, resource="*"):
    return (f'{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{principal}:root"}},"Action":"{action}",'
            f'"Resource":"{resource}"}}')


def table_policy(action, more=""):
    text = document(statement("210987654321", action, "${aws_dynamodb_table.t.arn}"))
    return TABLE + ("[resource.aws_dynamodb_resource_policy.p]\nresource_arn = '${aws_dynamodb_table.t.arn}'\n"
                    f"policy = '{text}'\n{more}")


KEY = '[resource.aws_kms_key.k]\n'
ROOT = statement("123456789012", "kms:*")


def key_policy(*more):
    return KEY + f"[resource.aws_kms_key_policy.p]\nkey_id = '${{aws_kms_key.k.id}}'\npolicy = '{document(ROOT, *more)}'\n"


def item(text):
    keys = "table_name = '${aws_dynamodb_table.t.name}'\nhash_key = '${aws_dynamodb_table.t.hash_key}'\n"
    return TABLE + f"[resource.aws_dynamodb_table_item.i]\n{keys}item = '{text}'\n"


MADE = KEY + TABLE + ('[resource.aws_kms_alias.a]\nname = "alias/@a"\ntarget_key_id = "${aws_kms_key.k.key_id}"\n'
                      '[resource.aws_iam_user.u]\nname = "@u"\npath = "/t/"\ntags = { a = "b" }\n'
                      '[resource.aws_iam_role.r]\nname = "@r"\nassume_role_policy = \'{"Version":"2012-10-17","Statement":'
                      '[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}}]}\'\n'
                      f"[resource.aws_iam_policy.p]\nname = '@p'\npolicy = '"
                      + document('{"Effect":"Allow","Action":"kms:*","Resource":"*"}') + "'\n")
LOOKED_UP = {"aws_kms_key": 'key_id = "alias/@a"', "aws_kms_alias": 'name = "alias/@a"',
             "aws_dynamodb_table": 'name = "@t"', "aws_iam_user": 'user_name = "@u"', "aws_iam_role": 'name = "@r"',
             "aws_iam_policy": 'name = "@p"'}
# Whatever a data source says is an output, which the other tool must find as it is.
LOOKED = MADE + "".join(f"[data.{kind}.d]\n{named}\n[output.{kind}]\nvalue = '${{data.{kind}.d}}'\n"
                        for kind, named in LOOKED_UP.items())


# What it is about, and the specs one after the other.
CASES = (
    ("what is looked up", (MADE, LOOKED)),
    ("the policy of a key", (key_policy(), key_policy(statement("123456789012", "kms:Decrypt")), KEY)),
    # Not in its key: for that Terraform plans the id that the item had.
    ("an item of a table", (item('{"k":{"S":"a"},"n":{"N":"1"}}'), item('{"n":{"N":"2"},"k":{"S":"a"},"b":{"S":"x"}}'),
                            item('{"k":{"S":"a"}}'), TABLE)),
    ("the policy of a table", (table_policy("dynamodb:GetItem"), table_policy("dynamodb:Query"),
                               table_policy("dynamodb:Query", "confirm_remove_self_resource_access = true\n"), TABLE)),
)


def types(report, scratch, moto):
    """Either tool carries out the life of the objects; before each step both plan the same, and after it the other one
    finds nothing to change."""
    for number, (name, specs) in enumerate(CASES):
        for leader in ("Terraform", "Terrane"):
            moto.reset()
            walk(report, scratch / f"{number}-{leader}", moto, f"{name}, by {leader}", specs, leader)


def walk(report, scratch, moto, name, specs, leader):
    env = cloud.environment(moto.endpoint)
    stack = scratch / "stack"
    stack.mkdir(parents=True)
    (stack / "terrane.toml").write_text("")
    terrane, terraform = Terrane(scratch / "terrane", stack, env), Terraform(scratch / "terraform", env)
    for step, spec in enumerate(specs, start=1):
        terrane.spec.write_text(spec.replace("@", "c_"))
        terraform.give(terrane.folder)
        if leader == "Terraform":
            theirs, ours = terraform.plan(), terrane.plan()
            terraform.apply_plan()
            final, outputs = terraform.values()
            with report.case(f"Both plan the same: {name}, step {step}"):
                if not agreement.managed(theirs):
                    raise Wrong("Terraform's plan says nothing about this case.")
                nothing(agreement.differences(theirs, ours, final, outputs))
            terrane.state.write_text(terraform.state.read_text())
            with report.case(f"Terrane finds nothing to change after Terraform: {name}, step {step}"):
                nothing(terrane.nothing_to_do())
        else:
            terrane.apply()
            terraform.state.write_text(terrane.state.read_text())
            with report.case(f"Neither finds anything to change after Terrane: {name}, step {step}"):
                nothing(terrane.nothing_to_do())
                nothing(terraform.nothing_to_do())
    with report.case(f"Nothing is left after the other one's destroy: {name}"):
        if leader == "Terraform":
            terrane.destroy()
        else:
            terraform("destroy", "-auto-approve", "-input=false", "-no-color")
        same(moto.inventory()["table"], [], "tables")
