"""A state in a bucket that moves, whose run dies on another machine, or that can't be written: what one tool left the other
goes on with."""
import json
import signal
import subprocess
import time

import cloud
from report import Wrong, nothing, same
from shared import KEY, Both, leftovers, refusal, wait_for
from tools import Terraform, Terrane, objects

USERS = 6
SAVING = f"^s3.PutObject /states/{KEY}$"


def shared_recovery(report, scratch, moto):
    env = cloud.environment(moto.direct)
    s3, dynamodb = moto.client("s3"), moto.client("dynamodb")

    def both(name, endpoint=moto.direct, **more):
        moto.reset()
        moto.control("POST", "config?reset=0&only=&latency_ms=0")
        s3.create_bucket(Bucket="states", CreateBucketConfiguration={"LocationConstraint": env["AWS_REGION"]})
        dynamodb.create_table(TableName="locks", BillingMode="PAY_PER_REQUEST",
                              AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
                              KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}])
        return Both(scratch / name, endpoint, env, use_lockfile=True, **more)

    migration(report, both("migration"), s3)
    with report.case("Both keep workspaces under the prefix that is chosen, and see each other's"):
        workspaces(both("prefix", workspace_key_prefix="teams"), s3)
    for saves, pushes in (("terrane", "terrane"), ("terrane", "terraform"), ("terraform", "terrane")):
        with report.case(f"What {saves} could not save is kept, and {pushes} pushes it"):
            unsaved(both(f"errored-{saves}-{pushes}", moto.endpoint), moto, s3, dynamodb, saves, pushes)
    with report.case("Another machine goes on after a run that was killed"):
        both("killed")
        killed(scratch, moto, s3, dynamodb)


def migration(report, both, s3):
    """From a file into the bucket and back. Terraform reads the state at each place."""
    in_s3 = both.terrane.spec.read_text()
    in_file = in_s3[in_s3.index("[resource"):]
    with report.case("`state migrate` takes a state into a bucket, where Terraform finds nothing to change"):
        both.terrane.spec.write_text(in_file)
        both.terrane.apply()
        lineage = json.loads(both.terrane.state.read_text())["lineage"]
        both.terrane.spec.write_text(in_s3)
        if "state migrate" not in refusal(both.terrane.apply):
            raise Wrong("A state that is elsewhere is not asked for.")
        both.terrane("state", "migrate")
        same(json.loads(s3.get_object(Bucket="states", Key=KEY)["Body"].read())["lineage"], lineage, "lineage")
        nothing(both.terraform_finds_nothing())
    with report.case("`state migrate` takes what Terraform made of it back into a file, where Terraform finds nothing to change"):
        both.give("two")
        both.terraform_applies()
        both.terrane.spec.write_text(in_file.replace('"one"', '"two"'))
        both.terrane("state", "migrate")
        nothing(both.terrane.nothing_to_do())
        same(json.loads(both.terrane.state.read_text())["lineage"], lineage, "lineage")
        same([o["Key"] for o in s3.list_objects_v2(Bucket="states")["Contents"]], [f"{KEY}.migrated"], "objects")
        main = json.loads((both.theirs / "main.tf.json").read_text())
        del main["terraform"]
        (both.theirs / "main.tf.json").write_text(json.dumps(main))
        (both.theirs / ".terraform" / "terraform.tfstate").unlink()
        both.terraform("init", "-input=false", "-no-color")
        (both.theirs / "terraform.tfstate").write_text(both.terrane.state.read_text())
        nothing(both.terraform_finds_nothing())


def workspaces(both, s3):
    def listed():
        theirs, ours = ([line.strip("* ") for line in tool("workspace", "list")[1].splitlines() if line.strip()]
                        for tool in (both.terraform, both.terrane))
        same(ours, theirs, "workspaces that Terrane lists")
        return ours
    both.terrane.apply()
    both.terrane("workspace", "new", "blue")
    both.terrane.apply()
    both.terraform("workspace", "select", "blue")
    nothing(both.terraform_finds_nothing())
    both.terraform("workspace", "new", "red")
    both.terraform_applies()
    same(listed(), ["default", "blue", "red"], "workspaces")
    same([o["Key"] for o in s3.list_objects_v2(Bucket="states")["Contents"]],
         [KEY, f"teams/blue/{KEY}", f"teams/red/{KEY}"], "objects")
    both.terrane("workspace", "select", "red")
    nothing(both.terrane.nothing_to_do())
    both.terraform("workspace", "select", "default")
    both.terraform("workspace", "delete", "-force", "blue")
    both.terrane.destroy()
    both.terrane("workspace", "select", "default")
    both.terrane("workspace", "delete", "red")
    same(listed(), ["default"], "workspaces left")


def unsaved(both, moto, s3, dynamodb, saves, pushes):
    """The network to the bucket breaks while the state is saved. Nothing that was made is forgotten."""
    both.terrane.apply()
    both.give("two")
    tools = {"terrane": both.terrane, "terraform": both.terraform}
    folders = {"terrane": both.terrane.folder, "terraform": both.theirs}
    moto.control("POST", f"config?reset=1&only={SAVING.replace('^', '%5E').replace(' ', '%20')}")
    quick = {"AWS_MAX_ATTEMPTS": "2"}
    both.env, both.terrane.env = both.env | quick, both.terrane.env | quick
    said = refusal(lambda: tools[saves]("apply", "-auto-approve", "-input=false", "-no-color"))
    moto.control("POST", "config?reset=0&only=")
    if "errored.tfstate" not in said:
        raise Wrong(f"Nothing is said of the file:\n{said}")
    file = folders[saves] / "errored.tfstate"
    kept = json.loads(file.read_text())
    same(kept["outputs"]["a"]["value"], "two", "what the file has")
    for item in s3.list_objects_v2(Bucket="states")["Contents"]:
        if item["Key"].endswith(".tflock"):
            locked = json.loads(s3.get_object(Bucket="states", Key=item["Key"])["Body"].read())
            tools[pushes]("force-unlock", "-force", locked["ID"])
    tools[pushes]("state", "push", str(file))
    nothing(both.terraform_finds_nothing())
    nothing(both.terrane.nothing_to_do())
    both.give("three")
    both.terrane.apply()
    nothing(both.terraform_finds_nothing())
    same(leftovers(s3, dynamodb), [], "locks and journals")


def killed(scratch, moto, s3, dynamodb):
    """The first machine dies in the middle of an apply; all that a second one has is the spec and the bucket."""
    spec = ('[terraform.backend.s3]\nbucket = "states"\nkey = "net/terraform.tfstate"\nregion = "eu-west-3"\nuse_lockfile = true\n'
            'use_path_style = true\nskip_credentials_validation = true\nskip_metadata_api_check = true\n'
            f'skip_requesting_account_id = true\nendpoints = {{ s3 = "{moto.direct}" }}\n'
            f'[resource.aws_iam_user.a]\ncount = {USERS}\nname = "u${{count.index}}"\n'
            '[resource.aws_kms_key.k]\ncount = 2\ndescription = "${aws_iam_user.a[0].name}"\ndeletion_window_in_days = 7\n')
    stack = scratch / "killed-stack"
    stack.mkdir()
    (stack / "terrane.toml").write_text(spec)
    first = Terrane(scratch / "first", stack, cloud.environment(moto.endpoint))
    second = Terrane(scratch / "second", stack, cloud.environment(moto.direct))
    moto.control("POST", "reset")
    moto.control("POST", "config?latency_ms=1500")
    process = subprocess.Popen([str(first.binary), "-C", str(first.folder), "apply", "--auto-approve", "--parallelism", "2"],
                               env=first.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: moto.control("GET", "stats")["by_operation"].get("iam.CreateUser", 0) > 2)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    moto.control("POST", "config?latency_ms=0")
    time.sleep(2)  # the calls that are under way arrive
    made = len(moto.inventory()["user"])
    if not 0 < made < USERS:
        raise Wrong(f"It was not killed in between: {made} of {USERS} users are there")
    # On the machine that runs this the lock's process is known to be gone.
    lock = json.loads(s3.get_object(Bucket="states", Key=f"{KEY}.tflock")["Body"].read())
    s3.put_object(Bucket="states", Key=f"{KEY}.tflock", Body=json.dumps(lock | {"Process": "elsewhere/ns/1/1"}).encode())
    if "State locked" not in refusal(second.apply):
        raise Wrong("The lock of the other machine is not respected.")
    second("force-unlock", "-force", lock["ID"])
    second.apply()
    nothing(second.nothing_to_do())
    there = moto.inventory()
    same((there["user"], len(there["key"])), ([f"u{i}" for i in range(USERS)], 2), "users and keys")
    same(leftovers(s3, dynamodb), [], "locks and journals")
    state = json.loads(s3.get_object(Bucket="states", Key=KEY)["Body"].read())
    same(len(list(objects(state))), USERS + 2, "objects in the state")
    terraform = Terraform(scratch / "killed-terraform", cloud.environment(moto.direct))
    terraform.give(second.folder)
    nothing(terraform.nothing_to_do())
