"""Objects under other names, let go of, made anew, or protected: both tools from the same state, to the same state."""
import base64
import json
import tomllib

import agreement
import cloud
import to_tf_json
from changes import CASES, MODULES, ORDER, numbered, prefix, stacks, user
from report import Wrong, nothing, same
from tools import Terraform, Terrane

def refactoring(report, scratch, moto):
    pair = Pair(scratch, moto)
    before, after = stacks()
    theirs, ours = pair.plans(before, after)
    for i, (name, *_) in enumerate(CASES):
        with report.case(f"Both plan the same: {name}"):
            wanted = of_case(i, told(theirs))
            if not wanted:
                raise Wrong("Terraform's plan says nothing about this case.")
            same(of_case(i, told(ours)), wanted, "what is planned")
    with report.case("What is planned for objects under other names comes about"):
        done = [happened(pair.terraform("apply", "-input=false", "-json", "next.tfplan")[1])]
        nothing(agreement.differences(theirs, ours, pair.terraform.values()[0], {}))
    by_terraform, there = described(pair.terraform.state), pair.moto.inventory()
    with report.case("Terrane finds nothing to change after Terraform"):
        hand_over(pair.terraform.state, pair.terrane.state)
        nothing(pair.terrane.nothing_to_do())
    with report.case("Terrane alone leaves the same objects"):
        done.append(happened(pair.terrane_alone(before, after)))
        same(pair.moto.inventory(), there, "what there is")
    for name, *steps in ORDER:
        first, then = (step.replace("@", prefix(numbered()[name])) for step in steps)
        with report.case(f"Both keep to the order: {name}: {first}, {then}"):
            for tool, log in zip(("Terraform", "Terrane"), done, strict=True):
                ended, begun = log.index(f"{first} complete"), log.index(f"{then} start")
                if ended > begun:
                    raise Wrong(f"{tool} did not wait: {log}")
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


def happened(lines):
    """What began and what was done, from the lines of JSON of an apply."""
    found = [json.loads(line) for line in lines.splitlines() if line.startswith("{")]
    return [f"{e['hook']['resource']['addr']} {e['hook']['action']} {e['type'].removeprefix('apply_')}"
            for e in found if e["type"] in ("apply_start", "apply_complete")]


def hand_over(state, to):
    to.write_text(state.read_text())


class Pair:
    """Both tools on one stack."""

    def __init__(self, scratch, moto):
        env = cloud.environment(moto.endpoint)
        stack = scratch / "stack"
        for name, spec in MODULES.items():
            (stack / name).mkdir(parents=True)
            (stack / name / "terrane.toml").write_text(spec)
        (stack / "terrane.toml").write_text("")
        self.moto, self.terrane = moto, Terrane(scratch / "terrane", stack, env)
        self.terraform = Terraform(scratch / "terraform", env)
        for name, spec in MODULES.items():
            (self.terraform.folder / name).mkdir()
            to_tf_json.dump(self.terraform.folder / name / "main.tf.json", tomllib.loads(spec))

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
        """Applies both specs, and gives what was written about the second."""
        self.anew()
        self.terrane.spec.write_text(before)
        self.terrane.apply()
        self.terrane.spec.write_text(after)
        return self.terrane("apply", "--auto-approve", "--json")[1]

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
    chance = {"id", "unique_id", "policy_id"}

    def attributes(kind, found):
        return {k: v for k, v in filled(found).items() if (kind != "terraform_data" or k != "id") and k not in chance}
    return {(name, index): (attributes(kind, i["attributes"]), i.get("dependencies"), i.get("status"))
            for name, index, kind, i in instances(state)}


# Of an imported key Terraform's first update writes it down; it says nothing.
SAYS_NOTHING = ("bypass_policy_lockout_safety_check", False)


def filled(value):
    """A value without what is null or empty in it."""
    if isinstance(value, dict):
        kept = {k: filled(v) for k, v in value.items()}
        return {k: v for k, v in kept.items() if v not in (None, {}, []) and (k, v) != SAYS_NOTHING}
    return [filled(v) for v in value] if isinstance(value, list) else value


def marks(state):
    return {name: json.loads(base64.b64decode(i["private"])) for name, _, _, i in instances(state)}
