"""The commands around states and workspaces: both tools get the same ones, one after the other, and must answer the same and
leave the same state. Nothing but `terraform_data` is in them, so no provider is started."""
import json
import re

import cloud
from report import Wrong, nothing, same
from tools import Terrane, objects, run, terraform_environment

SPEC = ('[resource.terraform_data.a]\ncount = 2\ninput = "${count.index}"\n[resource.terraform_data.b]\n'
        'input = "${terraform_data.a[0].output}"\n[output.b]\nvalue = "${terraform_data.b.output}"\n')
MAIN = {"resource": {"terraform_data": {"a": {"count": 2, "input": "${count.index}"},
                                        "b": {"input": "${terraform_data.a[0].output}"}}},
        "output": {"b": {"value": "${terraform_data.b.output}"}}}

# What is typed, and the exit code. Where that is 0, what is written is compared, too, but for moves of more than one object:
# Terraform tells them as one, Terrane each. And Terraform forgets what depended on what was moved to or from an instance or a
# module, until the next run; Terrane keeps it.
MANY = WARNS = None  # done, and told otherwise
STATE = (
    ("state list", 0), ("state list terraform_data.a", 0), ("state list terraform_data.x", 1),
    ("state show -no-color terraform_data.b", 0), ("state show -no-color terraform_data.x", 1),
    ("state mv -dry-run terraform_data.b terraform_data.c", 0),
    ("state mv terraform_data.b terraform_data.c", 0), ("state mv terraform_data.c module.m.terraform_data.c", 0),
    ("state mv module.m module.n", MANY), ("state mv module.n.terraform_data.c terraform_data.b", 0),
    ("state mv terraform_data.a[0] terraform_data.single", 0), ("state mv terraform_data.single terraform_data.a[0]", 0),
    ("state mv terraform_data.a terraform_data.z", MANY), ("state mv terraform_data.b terraform_data.z[1]", 1),
    ("state mv terraform_data.x terraform_data.y", 1), ("state mv terraform_data.z module.deep[0].terraform_data.z", MANY),
    ("state list module.deep", 0), ("state mv module.deep[0] module.deep[\"k\"]", MANY),
    ("state rm -dry-run module.deep[\"k\"].terraform_data.z[0]", 0), ("state rm module.deep[\"k\"].terraform_data.z[0]", 0),
    ("state rm terraform_data.x", 1), ("state rm module.deep", 0), ("state list", 0),
    ("state replace-provider -auto-approve hashicorp/aws example.com/a/aws", 0),
    ("taint terraform_data.b", 0), ("untaint terraform_data.b", 0), ("untaint terraform_data.b", 1),
    ("force-unlock -force 5", 1),
)
WORKSPACES = (
    ("workspace list", 0), ("workspace show", 0), ("workspace new blue", 0), ("workspace list", 0), ("workspace show", 0),
    ("workspace new blue", 1), ("workspace select default", 0), ("workspace select red", 1),
    ("workspace select -or-create red", 0), ("workspace delete red", 1), ("workspace select blue", 0),
    ("workspace select blue", 0), ("workspace delete red", 0), ("workspace delete red", 1), ("workspace delete default", 1),
    ("workspace new with/slash", 1), ("workspace list", 0),
)


class Both:
    """Both tools on the same objects, without a provider to start."""

    def __init__(self, scratch):
        env = cloud.environment("http://127.0.0.1:9")
        stack = scratch / "stack"
        stack.mkdir()
        (stack / "terrane.toml").write_text(SPEC)
        self.terrane = Terrane(scratch / "terrane", stack, env)
        self.theirs = scratch / "terraform"
        self.theirs.mkdir()
        self.env = terraform_environment(self.theirs, env)
        (self.theirs / "main.tf.json").write_text(json.dumps(MAIN))
        self.terraform("init", "-input=false", "-no-color")
        self.terraform("apply", "-auto-approve", "-input=false", "-no-color")
        self.state = self.theirs / "terraform.tfstate"
        self.terrane.state.write_text(self.state.read_text())

    def terraform(self, *arguments, allowed=(0,)):
        return run(["terraform", *arguments], self.theirs, self.env, allowed)

    def answers(self, line):
        """What each says, Terraform first."""
        words = line.split()
        return [tool(*words, allowed=(0, 1, 2)) for tool in (self.terraform, self.terrane)]

    def states(self):
        return [objects_of(state) for state in (self.state, self.terrane.state)]


def commands(report, scratch):
    """`state`, `taint`, `workspace`."""
    both = Both(scratch)
    for line, code in STATE:
        with report.case(f"Both answer and do the same: {line}"):
            agree(both, line, code)
            agreed(both, "Terrane's state")
    with report.case("Both write the same state with `state pull`"):
        theirs, ours = (json.loads(said) for _, said in both.answers("state pull"))
        same(sorted(ours.keys() - {"terrane"}), sorted(theirs), "keys")
        same(as_known(contents(ours), contents(theirs)), contents(theirs), "objects")
    with report.case("Both take and refuse the same states with `state push`"):
        push(both)
    for line, code in WORKSPACES:
        with report.case(f"Both answer the same: {line}"):
            agree(both, line, code)
    with report.case("Each takes over what is in a workspace of the other"):
        in_a_workspace(both)


def agree(both, line, code):
    (their_code, theirs), (our_code, ours) = both.answers(line)
    same(their_code, code or 0, "Terraform's exit code")
    same(our_code, code or 0, "Terrane's exit code")
    if code == 0:
        same(told(ours), told(theirs), "Terrane says")


def told(text):
    """A text as both mean it: neither who says it nor how it is laid out and coloured."""
    return re.sub(r"(\x1b\[[0-9;]*m|\s)+", " ", text.replace("terrane", "terraform").replace("Terrane", "Terraform")).strip()


def agreed(both, what):
    theirs, ours = both.states()
    same(as_known(ours, theirs), theirs, what)


def as_known(ours, theirs):
    """Our objects without the dependencies that Terraform has forgotten."""
    forgotten = {address for address, (_, needs, _) in theirs.items() if not needs}
    return {address: (attributes, None if address in forgotten else needs, status)
            for address, (attributes, needs, status) in ours.items()}


def push(both):
    """A later serial is taken; an older one and another lineage are refused unless that is asked for."""
    folder = both.theirs
    base = json.loads(both.state.read_text())

    def file(name, **more):
        (folder / name).write_text(json.dumps(base | more))
        return str(folder / name)

    later = file("later.json", serial=base["serial"] + 20, resources=base["resources"][:1])
    older, foreign = file("older.json", serial=1, resources=[]), file("foreign.json", lineage="another", serial=99)
    for words, code in ((("push", later), 0), (("push", older), 1), (("push", foreign), 1), (("push", "-force", older), 0),
                        (("push", later), 0), (("push", str(folder / "none.json")), 1)):
        for tool in (both.terraform, both.terrane):
            same(tool("state", *words, allowed=(0, 1))[0], code, f"exit code of {words}")
        agreed(both, f"state after {words}")


def in_a_workspace(both):
    """Their files lie elsewhere and are the same otherwise."""
    theirs, ours = both.theirs / "terraform.tfstate.d" / "blue" / "terraform.tfstate", both.terrane.state.with_name("blue.tfstate")
    both.terraform("apply", "-auto-approve", "-input=false", "-no-color")
    ours.write_text(theirs.read_text())
    nothing(both.terrane.nothing_to_do())
    for line, code in (("workspace select default", 0), ("workspace delete blue", 1)):
        agree(both, line, code)
    both.terrane("workspace", "select", "blue")
    both.terrane("destroy", "--auto-approve")
    both.terrane.apply()
    both.terraform("workspace", "select", "blue")
    theirs.write_text(ours.read_text())
    status, said = both.terraform("plan", "-input=false", "-no-color", "-detailed-exitcode", allowed=(0, 2))
    if status:
        raise Wrong(said)
    # What is warned about, Terraform writes between what it answers.
    for line, code in (("workspace select default", 0), ("workspace delete -force blue", WARNS), ("workspace list", 0)):
        agree(both, line, code)


def objects_of(file):
    return contents(json.loads(file.read_text()))


def contents(state):
    """What is where, and what it depends on."""
    return {address: (i["attributes"], i.get("dependencies") or None, i.get("status")) for address, i in objects(state)}
