"""The cases. Each takes a `Report` and a scratch folder; all but the first need both tools and moto."""
import json
import subprocess

import agreement
import cloud
import readers
import shape
from report import Wrong, nothing, same
from steps import DESTROY, STEPS
from tools import REPO, Terraform, Terrane

EXAMPLE = REPO / "examples" / "encrypted-tables"
EMPTY = {"key": [], "alias": [], "table": [], "policy": [], "user": [], "attachment": []}


def actions(plan):
    """{address: action} of a plan, without what stays as it is."""
    named = {("delete", "create"): "replace", ("create", "delete"): "replace"}
    chosen = {a: tuple(r["change"]["actions"]) for a, r in agreement.managed(plan).items()}
    return {a: named.get(c, "+".join(c)) for a, c in chosen.items() if c != ("no-op",)}


def life(scratch, moto, stack, steps):
    """Yield each step with both tools, when the step's edit is made and nothing is planned yet."""
    env = cloud.environment(moto.endpoint)
    terraform = Terraform(scratch / "terraform", env)
    terrane = Terrane(scratch / "terrane", stack, env)
    for step in steps:
        step.behind(moto)
        terrane.spec.write_text(step.edit(terrane.spec.read_text()))
        terraform.give(terrane.folder)
        yield step, terraform, terrane


def terraform_walks(report, scratch, moto, stack=EXAMPLE, steps=STEPS, destroy=DESTROY):
    """Terraform carries out every step. Before it, both tools plan the step from the same state; after it, Terrane must
    find nothing to change in Terraform's state. At the end Terrane destroys what Terraform made."""
    for step, terraform, terrane in life(scratch, moto, stack, steps):
        hand_over(terraform.state, terrane.state)
        theirs, ours_of = terraform.plan(), outcome(terrane.plan)
        terraform.apply_plan()
        final, final_outputs = terraform.values()
        with report.case(f"Terrane plans what Terraform plans: {step.name}"):
            ours = ours_of()
            nothing(agreement.differences(theirs, ours, final, final_outputs))
            same(actions(ours), step.actions, "Terrane's actions")
        hand_over(terraform.state, terrane.state)
        after = f"Terrane finds nothing to change after Terraform: {step.name}"
        if step.unsettled:
            report.skip(after, step.unsettled)
            continue
        with report.case(after):
            nothing(terrane.nothing_to_do())
    with report.case("Terrane plans what Terraform plans: destroy"):
        theirs, ours = terraform.plan("-destroy"), terrane.plan("--destroy")
        nothing(agreement.differences(theirs, ours, {}, {}))
        same(actions(ours), destroy, "Terrane's actions")
    with report.case("Terrane destroys what Terraform made"):
        terrane.destroy()
        same(moto.inventory(), EMPTY, "left over")


def outcome(work):
    """Do the work now and give a function that returns its result, or raises what it raised, later."""
    try:
        result = work()
    except Exception as e:  # noqa: BLE001 - it is raised again inside the case that it belongs to
        error = e

        def again():
            raise error
        return again
    return lambda: result


def terrane_walks(report, scratch, moto, stack=EXAMPLE, steps=STEPS):
    """Terrane carries out every step; after each, both tools must find nothing to change. Terraform destroys in the end."""
    for step, terraform, terrane in life(scratch, moto, stack, steps):
        with report.case(f"Terrane applies, and finds nothing more to do: {step.name}"):
            terrane.apply()
            nothing("" if step.unsettled else terrane.nothing_to_do())
        after = f"Terraform finds nothing to change after Terrane: {step.name}"
        if step.unsettled:
            report.skip(after, step.unsettled)
            continue
        with report.case(after):
            hand_over(terrane.state, terraform.state)
            nothing(terraform.nothing_to_do())
    with report.case("Terraform destroys what Terrane made"):
        hand_over(terrane.state, terraform.state)
        terraform("destroy", "-auto-approve", "-input=false", "-no-color")
        same(moto.inventory(), EMPTY, "left over")


def plan_readers(report, scratch, moto):
    """What other tools read: the JSON of plans, states and validations has Terraform's keys, and tools that read plans come
    to the same verdicts on both."""
    env = cloud.environment(moto.endpoint)
    terraform, terrane = Terraform(scratch / "terraform", env), Terrane(scratch / "terrane", EXAMPLE, env)
    terraform.give(terrane.folder)
    new = terraform.plan(), terrane.plan()
    valid = both_validate(terraform, terrane)
    terraform.apply_plan()
    hand_over(terraform.state, terrane.state)
    after = terraform.plan(), terrane.plan()
    states = [json.loads(tool("show", flag)[1]) for tool, flag in ((terraform, "-json"), (terrane, "--json"))]
    destroy = terraform.plan("-destroy"), terrane.plan("--destroy")
    terrane.spec.write_text('[resource.aws_iam_user.x]\nnam = "x"\n')
    terraform.give(terrane.folder)
    invalid = both_validate(terraform, terrane)
    for name, (theirs, ours) in (("the plan of a new stack", new), ("the plan of no change", after),
                                 ("the plan of a destroy", destroy), ("the state", states), ("a validation", valid),
                                 ("a validation that fails", invalid)):
        with report.case(f"The JSON has Terraform's keys: {name}"):
            nothing(shape.differences(theirs, ours))
    with report.case("The state's JSON is Terraform's"):
        same(states[1], states[0], "state")
    for name, (theirs, ours) in (("a new stack", new), ("a destroy", destroy), ("no change", after)):
        with report.case(f"What changes depend on is told as Terraform tells it: {name}"):
            # Data sources are deleted from Terraform's state too, so what they refer to is relevant to its destroy.
            same(*(relevant(plan, with_data=name != "a destroy") for plan in (ours, theirs)), "relevant_attributes")
    for reader in readers.READERS:
        why = reader.absent()
        if why:
            report.skip(f"{reader.name} reads plans", why)
            print(f"\n*** SKIPPED: {why} ***\n", flush=True)
            continue
        final = reader.verdicts(after[0], scratch / f"{reader.name}-after-terraform")
        with report.case(f"{reader.name} judges Terrane's plan as Terraform's: a new stack"):
            theirs = reader.verdicts(new[0], scratch / f"{reader.name}-new-terraform")
            ours = reader.verdicts(new[1], scratch / f"{reader.name}-new-terrane")
            if not theirs or set(theirs.values()) == {"passed"}:
                raise Wrong(f"{reader.name} found nothing to object to: it does not look")
            nothing(readers.disagreements(theirs, ours, final))
        with report.case(f"{reader.name} judges Terrane's plan as Terraform's: no change"):
            ours = reader.verdicts(after[1], scratch / f"{reader.name}-after-terrane")
            nothing(readers.disagreements(final, ours, final))


def both_validate(*tools):
    return [json.loads(tool("validate", "-json", allowed=(0, 1))[1]) for tool in tools]


def relevant(plan, with_data):
    """`relevant_attributes` in an order of its own: that of the file says nothing."""
    entries = {(entry["resource"], *entry["attribute"]) for entry in plan.get("relevant_attributes", [])}
    return sorted(entry for entry in entries if with_data or not entry[0].startswith("data."))


def terrane_alone(report, scratch, moto):
    """Apply and destroy by Terrane, looked at through another client."""
    terrane = Terrane(scratch / "terrane", EXAMPLE, cloud.environment(moto.endpoint))
    with report.case("Terrane makes the whole stack"):
        terrane.apply()
        have = {kind: len(names) for kind, names in moto.inventory().items()}
        same(have, {"key": 1, "alias": 0, "table": 4, "policy": 1, "user": 1, "attachment": 1}, "made")
        arns = json.loads(terrane("output", "--json")[1])["table_arn"]["value"]
        same([arn.rpartition("/")[2] for arn in arns], ["Comment", "ContentCatalog", "Forum", "Post"], "tables")
    with report.case("Terrane destroys the whole stack, and the key waits for its deletion"):
        terrane.destroy()
        same(moto.inventory(), EMPTY, "left over")
        kms = moto.client("kms")
        states = [kms.describe_key(KeyId=k["KeyId"])["KeyMetadata"] for k in kms.list_keys()["Keys"]]
        waiting = [k for k in states if k["KeyState"] == "PendingDeletion"]
        same(len(waiting), 1, "keys that wait for their deletion")
        same(json.loads(terrane.state.read_text())["resources"], [], "resources in the state")


def sandbox(report, scratch):
    """Terraform, with its own AWS provider, against Terrane's embedded AWS."""
    terrane = Terrane(scratch / "terrane", EXAMPLE, cloud.environment("http://127.0.0.1:9"))
    port = cloud.free_port()
    command = [str(terrane.binary), "-C", str(terrane.folder), "sandbox", "serve", "--port", str(port)]
    log = (scratch / "sandbox.log").open("w")
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=terrane.env)
    try:
        cloud.wait_for_port(port, server)
        endpoint = f"http://127.0.0.1:{port}"
        before = cloud.inventory(endpoint)  # the sandbox has an administrator from the start
        terraform = Terraform(scratch / "terraform", cloud.environment(endpoint))
        terraform.give(EXAMPLE)
        with report.case("Terraform applies the stack in the sandbox"):
            terraform.plan()
            terraform.apply_plan()
        with report.case("Terraform then finds nothing to change in the sandbox"):
            nothing(terraform.nothing_to_do())
        with report.case("Terraform destroys the stack in the sandbox"):
            terraform("destroy", "-auto-approve", "-input=false", "-no-color")
            same(cloud.inventory(endpoint), before, "left over")
    finally:
        server.terminate()
        server.wait(30)
        log.close()


def hand_over(state, to):
    """The one tool's state becomes the other's."""
    to.unlink(missing_ok=True)
    if state.exists():
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(state.read_bytes())
