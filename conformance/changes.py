"""What the group `refactoring` is about: specs before and after a change, all of them parts of one stack, and the order in
which each change has to be carried out."""
import json

# The modules that specs call, in TOML. The second has other names for what the first has.
MODULE = ('[variable.name]\ntype = "string"\n[resource.aws_iam_user.this]\nname = "${var.name}"\n'
          '[resource.terraform_data.of]\ninput = "${aws_iam_user.this.arn}"\n')
MODULES = {"m": MODULE, "renamed": MODULE.replace("aws_iam_user.this", "aws_iam_user.that") + (
    '[[moved]]\nfrom = "aws_iam_user.this"\nto = "aws_iam_user.that"\n')}


def user(label, name):
    return f'[resource.aws_iam_user.{label}]\nname = "{name}"\n'


def follower(label):
    return f'[resource.terraform_data.@f]\ninput = "${{aws_iam_user.{label}.arn}}"\n'


def call(label, name, source="./m"):
    return f'[module.{label}]\nsource = "{source}"\nname = "{name}"\n'


def moved(*pairs):
    return "".join(f"[[moved]]\nfrom = '{a}'\nto = '{b}'\n" for a, b in pairs)


def removed(address, destroy):
    return f"[[removed]]\nfrom = '{address}'\nlifecycle = {{ destroy = {str(destroy).lower()} }}\n"


def toml(value):
    """A value as TOML writes it inside of a line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + " }"
    return "[" + ", ".join(map(toml, value)) + "]" if isinstance(value, list) else json.dumps(value)


def lifecycle(arguments):
    return f"lifecycle = {toml(arguments)}\n"


def tagged(value, more=""):
    return user("@a", "@u") + f'tags = {{ {", ".join(filter(None, (f"v = {json.dumps(value)}", more)))} }}\n'


def again(value):
    """An object that is made anew with each value."""
    return f'[resource.terraform_data.@a]\ntriggers_replace = "{value}"\n'


def trigger(on, more={}):
    """One that is made anew with another."""
    return "[resource.terraform_data.@f]\n" + lifecycle({"replace_triggered_by": [on], **more})


def policy(name, arguments):
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
    head = f"[resource.aws_iam_policy.@p]\nname = \"{name}\"\npolicy = '{json.dumps(document)}'\n"
    return head + (lifecycle(arguments) if arguments else "")


def attached(label):
    """A user who has the policy."""
    return user("@a", "@u") + ('[resource.aws_iam_user_policy_attachment.@f]\nuser = "${aws_iam_user.@a.name}"\n'
                               f'policy_arn = "${{aws_iam_policy.{label}.arn}}"\n')


FIRST = {"create_before_destroy": True}
HOLDS = {"precondition": [{"condition": "${local.yes}", "error_message": "never"}],
         "postcondition": [{"condition": '${self.arn != ""}', "error_message": "never"}]}
COUNT = '[resource.aws_iam_user.@a]\ncount = 2\nname = "@u${count.index}"\n'
EACH = "[resource.aws_iam_user.@a]\nfor_each = '${toset([\"@u0\", \"@u1\"])}'\nname = \"${each.key}\"\n"
KEYS = [("aws_iam_user.@a[0]", 'aws_iam_user.@a["@u0"]'), ("aws_iam_user.@a[1]", 'aws_iam_user.@a["@u1"]')]

# What it is about, the spec before, and the spec after. All of them are one stack: `@` stands for the case's own prefix.
CASES = (
    ("a resource, and what depends on it", user("@a", "@u") + follower("@a"),
     user("@b", "@u") + follower("@b") + moved(("aws_iam_user.@a", "aws_iam_user.@b"))),
    ("a resource that changes, too", user("@a", "@u"),
     user("@b", "@u") + 'tags = { a = "b" }\n' + moved(("aws_iam_user.@a", "aws_iam_user.@b"))),
    ("a chain, to an address that is not declared", user("@a", "@u"),
     moved(("aws_iam_user.@b", "aws_iam_user.@c"), ("aws_iam_user.@a", "aws_iam_user.@b"))),
    ("a module", call("@m", "@u"), call("@n", "@u") + moved(("module.@m", "module.@n"))),
    ("a module to an instance", call("@m", "@u0"),
     call("@m", "@u${count.index}") + "count = 2\n" + moved(("module.@m", "module.@m[0]"))),
    ("into a module", user("@a", "@u"), call("@m", "@u") + moved(("aws_iam_user.@a", "module.@m.aws_iam_user.this"))),
    ("out of a module", call("@m", "@u"), user("@a", "@u") + moved(("module.@m.aws_iam_user.this", "aws_iam_user.@a"))),
    ("count that comes", user("@a", "@u0"), COUNT),
    ("count that goes", COUNT, user("@a", "@u0")),
    ("from count to for_each", COUNT, EACH + moved(*KEYS)),
    ("from for_each to count", EACH, COUNT + moved(*[(b, a) for a, b in KEYS])),
    ("from none to for_each, one key of two", user("@a", "@u1"),
     EACH + moved(("aws_iam_user.@a", 'aws_iam_user.@a["@u1"]'))),
    ("removed and deleted", COUNT, removed("aws_iam_user.@a", True)),
    ("removed and let go of", COUNT, removed("aws_iam_user.@a", False)),
    ("a module, removed and let go of", call("@m", "@u"), removed("module.@m", False)),
    ("moved, and let go of there", user("@a", "@u"),
     moved(("aws_iam_user.@a", "aws_iam_user.@b")) + removed("aws_iam_user.@b", False)),
    ("moved inside a module", call("@m", "@u"), call("@m", "@u", "./renamed")),
    ("made anew when an argument of another changes", tagged("1") + trigger("aws_iam_user.@a.tags"),
     tagged("2") + trigger("aws_iam_user.@a.tags")),
    ("not made anew when another argument changes", tagged("1") + trigger("aws_iam_user.@a.path"),
     tagged("2") + trigger("aws_iam_user.@a.path")),
    ("made anew when another resource is", again("1") + trigger("terraform_data.@a"),
     again("2") + trigger("terraform_data.@a")),
    ("deleted, then made", policy("@p1", {}) + attached("@p"), policy("@p2", {}) + attached("@p")),
    ("made, then deleted", policy("@p1", FIRST) + attached("@p"), policy("@p2", FIRST) + attached("@p")),
    ("made first, for one that depends on it is", again("1") + trigger("terraform_data.@a", FIRST),
     again("2") + trigger("terraform_data.@a", FIRST)),
    ("arguments that are ignored", tagged("1") + lifecycle({"ignore_changes": ["tags"]}),
     tagged("2") + lifecycle({"ignore_changes": ["tags"]})),
    ("an element that is ignored", tagged("1") + lifecycle({"ignore_changes": ['tags["v"]']}),
     tagged("2", 'w = "new"') + lifecycle({"ignore_changes": ['tags["v"]']})),
    ("everything ignored", tagged("1") + lifecycle({"ignore_changes": "all"}),
     tagged("2") + lifecycle({"ignore_changes": "all"})),
    ("conditions that hold", tagged("1") + lifecycle(HOLDS), tagged("2") + lifecycle(HOLDS)),
)

# What is done by the end of the one before the other begins. The case is the one that is called so.
ORDER = (
    ("deleted, then made", "aws_iam_user_policy_attachment.@f delete", "aws_iam_policy.@p delete"),
    ("deleted, then made", "aws_iam_policy.@p delete", "aws_iam_policy.@p create"),
    ("deleted, then made", "aws_iam_policy.@p create", "aws_iam_user_policy_attachment.@f create"),
    ("made, then deleted", "aws_iam_policy.@p create", "aws_iam_user_policy_attachment.@f create"),
    ("made, then deleted", "aws_iam_user_policy_attachment.@f delete", "aws_iam_policy.@p delete"),
    ("made, then deleted", "aws_iam_policy.@p create", "aws_iam_policy.@p delete"),
    ("made first, for one that depends on it is", "terraform_data.@a create", "terraform_data.@f create"),
    ("made first, for one that depends on it is", "terraform_data.@f create", "terraform_data.@f delete"),
    ("made first, for one that depends on it is", "terraform_data.@f delete", "terraform_data.@a delete"),
    ("made anew when another resource is", "terraform_data.@f delete", "terraform_data.@a delete"),
    ("made anew when another resource is", "terraform_data.@a create", "terraform_data.@f create"),
)


def prefix(i):
    return f"c{i}_"


def numbered():
    """{name of the case: its number}"""
    return {case[0]: i for i, case in enumerate(CASES)}


def stacks():
    """The two specs: all cases before, and all cases after."""
    return ["[locals]\nyes = true\n" + "".join(case[k].replace("@", prefix(i)) for i, case in enumerate(CASES)) for k in (1, 2)]
