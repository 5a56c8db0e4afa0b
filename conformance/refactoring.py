"""Objects under other names, let go of, made anew, or protected: both tools from the same state, to the same state."""
import base64
import json

import agreement
import cloud
from report import Wrong, nothing, same
from tools import Terraform, Terrane

MODULE = ('[variable.name]\ntype = "string"\n[resource.aws_iam_user.this]\nname = "${var.name}"\n'
          '[resource.terraform_data.of]\ninput = "${aws_iam_user.this.arn}"\n')


def user(label, name):
    return f'[resource.aws_iam_user.{label}]\nname = "{name}"\n'


def follower(label):
    return f'[resource.terraform_data.@f]\ninput = "${{aws_iam_user.{label}.arn}}"\n'


def call(label, name):
    return f'[module.{label}]\nsource = "./m"\nname = "{name}"\n'


def moved(*pairs):
    return "".join(f"[[moved]]\nfrom = '{a}'\nto = '{b}'\n" for a, b in pairs)


def removed(address, destroy):
    return f"[[removed]]\nfrom = '{address}'\nlifecycle = {{ destroy = {str(destroy).lower()} }}\n"


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
)


def prefix(i):
    return f"c{i}_"


def refactoring(report, scratch, moto):
    pair = Pair(scratch, moto)
    before, after = ("".join(case[k].replace("@", prefix(i)) for i, case in enumerate(CASES)) for k in (1, 2))
    theirs, ours = pair.plans(before, after)
    for i, (name, *_) in enumerate(CASES):
        with report.case(f"Both plan the same: {name}"):
            wanted = of_case(i, told(theirs))
            if not wanted:
                raise Wrong("Terraform's plan says nothing about this case.")
            same(of_case(i, told(ours)), wanted, "what is planned")
    with report.case("What is planned for objects under other names comes about"):
        pair.terraform.apply_plan()
        nothing(agreement.differences(theirs, ours, pair.terraform.values()[0], {}))
    by_terraform, there = described(pair.terraform.state), pair.moto.inventory()
    with report.case("Terrane finds nothing to change after Terraform"):
        hand_over(pair.terraform.state, pair.terrane.state)
        nothing(pair.terrane.nothing_to_do())
    with report.case("Terrane alone leaves the same objects"):
        pair.terrane_alone(before, after)
        same(pair.moto.inventory(), there, "what there is")
    by_terrane = described(pair.terrane.state)
    for i, (name, *_) in enumerate(CASES):
        with report.case(f"Both come to the same state: {name}"):
            same(of_case(i, by_terrane), of_case(i, by_terraform), "Terrane's state")
    with report.case("Terraform finds nothing to change after Terrane"):
        hand_over(pair.terrane.state, pair.terraform.state)
        nothing(pair.terraform.nothing_to_do())
    with report.case("Objects that the one taints the other makes anew"):
        pair.taint()
    with report.case("Protection in the state means nothing to Terraform, which hands it on"):
        pair.protection()


def of_case(i, by_name):
    """The part of {address: anything} that one case is about."""
    return {name: value for name, value in by_name.items() if f".{prefix(i)}" in str(name)}


def hand_over(state, to):
    to.write_text(state.read_text())


class Pair:
    """Both tools on one stack."""

    def __init__(self, scratch, moto):
        env = cloud.environment(moto.endpoint)
        stack = scratch / "stack"
        (stack / "m").mkdir(parents=True)
        (stack / "terrane.toml").write_text("")
        (stack / "m" / "terrane.toml").write_text(MODULE)
        self.moto, self.terrane = moto, Terrane(scratch / "terrane", stack, env)
        self.terraform = Terraform(scratch / "terraform", env)
        module = {"variable": {"name": {"type": "string"}}, "resource": {
            "aws_iam_user": {"this": {"name": "${var.name}"}},
            "terraform_data": {"of": {"input": "${aws_iam_user.this.arn}"}}}}
        (self.terraform.folder / "m").mkdir()
        (self.terraform.folder / "m" / "main.tf.json").write_text(json.dumps(module))

    def anew(self):
        self.moto.reset()
        for state in (self.terrane.state, self.terraform.state):
            state.unlink(missing_ok=True)

    def give(self, spec):
        self.terrane.spec.write_text(spec)
        self.terraform.give(self.terrane.folder)
        # The modules that are called may be others now.
        self.terraform("init", "-input=false", "-no-color")

    def plans(self, before, after):
        """Both tools' plans for `after`, from the state that Terraform's apply of `before` left."""
        self.anew()
        self.give(before)
        self.terraform.plan()
        self.terraform.apply_plan()
        hand_over(self.terraform.state, self.terrane.state)
        self.give(after)
        return self.terraform.plan(), self.terrane.plan()

    def terrane_alone(self, before, after):
        self.anew()
        for spec in (before, after):
            self.terrane.spec.write_text(spec)
            self.terrane.apply()

    def taint(self):
        self.anew()
        self.give(user("a", "u"))
        self.terrane.apply()
        tainted = ("replace_because_tainted", ["delete", "create"])
        for one, other in ((self.terrane, self.terraform), (self.terraform, self.terrane)):
            said = one("taint", "aws_iam_user.a")[1]
            same(said.strip(), "Resource instance aws_iam_user.a has been marked as tainted.", "said")
            hand_over(one.state, other.state)
            plan = agreement.managed(other.plan())["aws_iam_user.a"]
            same((plan["action_reason"], plan["change"]["actions"]), tainted, "planned")
            said = other("untaint", "aws_iam_user.a")[1]
            same(said.strip(), "Resource instance aws_iam_user.a has been successfully untainted.", "said")
            hand_over(other.state, one.state)
            nothing(one.nothing_to_do())
        for tool in (self.terraform, self.terrane):
            same(tool("taint", "aws_iam_user.b", allowed=(0, 1))[0], 1, "status without an object")
            same(tool("taint", "-allow-missing", "aws_iam_user.b", allowed=(0, 1))[0], 0, "status that is allowed")

    def protection(self):
        self.anew()
        protected = user("a", "u") + "lifecycle = { prevent_destroy = true }\n"
        self.give(protected)
        self.terrane.apply()
        private = marks(self.terrane.state)
        same(list(private.values()), [{"terrane_prevent_destroy": "dHJ1ZQ=="}], "the mark")
        hand_over(self.terrane.state, self.terraform.state)
        nothing(self.terraform.nothing_to_do())
        self.terraform("apply", "-refresh-only", "-auto-approve", "-input=false", "-no-color")
        same(marks(self.terraform.state), private, "the mark after Terraform")
        hand_over(self.terraform.state, self.terrane.state)
        self.terrane.spec.write_text("")
        for command in (("plan",), ("destroy", "--auto-approve")):
            status = self.terrane(*command, allowed=(0, 1))[0]
            same(status, 1, f"status of {command[0]}")
        same(self.moto.inventory()["user"], ["u"], "users")
        self.terrane("destroy", "--auto-approve", "--allow-destroy", "aws_iam_user.a")
        if self.moto.inventory()["user"]:
            raise Wrong("The flag that names the user does not lift its protection.")


def told(plan):
    """{address: what is done, where it was, and why}, moves and what stays included."""
    return {a: (r["change"]["actions"], r.get("previous_address"), r.get("action_reason"))
            for a, r in agreement.managed(plan).items()}


def instances(state):
    for resource in json.loads(state.read_text())["resources"]:
        for instance in resource["instances"]:
            name = ".".join(filter(None, (resource.get("module"), resource["type"], resource["name"])))
            yield name, instance.get("index_key"), resource["type"], instance


def described(state):
    """What is in a state, without what another run makes otherwise."""
    chance = {"id", "unique_id"}

    def attributes(kind, found):
        return {k: v for k, v in found.items() if v not in (None, {}, []) and (kind != "terraform_data" or k != "id")
                and k not in chance}
    return {(name, index): (attributes(kind, i["attributes"]), i.get("dependencies"), i.get("status"))
            for name, index, kind, i in instances(state)}


def marks(state):
    return {name: json.loads(base64.b64decode(i["private"])) for name, _, _, i in instances(state)}
