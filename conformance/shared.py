"""One state in a bucket, and both tools on it: places, locks and lock table are the same, and each respects the other."""
import hashlib
import json
import subprocess
import time

import cloud
from report import nothing, same
from tools import Failed, Terrane, run, terraform_environment

KEY = "net/terraform.tfstate"
SPEC = '[terraform.backend.s3]\n{}\n[resource.terraform_data.a]\ninput = "{}"\n[output.a]\nvalue = "${{terraform_data.a.output}}"\n'


class Both:
    """Terraform and Terrane on one stack whose state is in one bucket."""

    def __init__(self, folder, endpoint, env, **more):
        self.arguments = {
            "bucket": "states", "key": KEY, "region": env["AWS_REGION"], "use_path_style": True,
            "skip_credentials_validation": True, "skip_metadata_api_check": True,
            "skip_requesting_account_id": True, "endpoints": {"s3": endpoint, "dynamodb": endpoint}, **more}
        self.folder = folder
        stack = folder / "stack"
        stack.mkdir(parents=True)
        (stack / "terrane.toml").write_text(self.spec("one"))
        self.terrane = Terrane(folder / "terrane", stack, env)
        self.theirs = folder / "terraform"
        self.theirs.mkdir()
        self.env = terraform_environment(self.theirs, env)
        self.give("one")
        self.terraform("init", "-input=false", "-no-color")

    def spec(self, text):
        def toml(value):
            if isinstance(value, dict):
                return "{ " + ", ".join(f"{k} = {json.dumps(v)}" for k, v in value.items()) + " }"
            return json.dumps(value)
        return SPEC.format("\n".join(f"{k} = {toml(v)}" for k, v in self.arguments.items()), text)

    def give(self, text):
        """The same spec for both, with this input."""
        (self.folder / "terrane" / "terrane.toml").write_text(self.spec(text))
        main = {"terraform": {"backend": {"s3": self.arguments}},
                "resource": {"terraform_data": {"a": {"input": text}}},
                "output": {"a": {"value": "${terraform_data.a.output}"}}}
        (self.theirs / "main.tf.json").write_text(json.dumps(main))

    def terraform(self, *arguments, allowed=(0,)):
        return run(["terraform", *arguments], self.theirs, self.env, allowed)

    def terraform_applies(self):
        return self.terraform("apply", "-auto-approve", "-input=false", "-no-color")

    def terraform_finds_nothing(self):
        status, text = self.terraform("plan", "-input=false", "-no-color", "-detailed-exitcode", allowed=(0, 2))
        return None if status == 0 else text


def shared_state(report, scratch, moto):
    """Lock object, lock table, and both; the default workspace and another one."""
    env = cloud.environment(moto.endpoint)
    s3, dynamodb = moto.client("s3"), moto.client("dynamodb")
    for name, more in (("a lock object", {"use_lockfile": True}), ("a lock table", {"dynamodb_table": "locks"}),
                       ("both", {"use_lockfile": True, "dynamodb_table": "locks"})):
        moto.reset()
        s3.create_bucket(Bucket="states", CreateBucketConfiguration={"LocationConstraint": env["AWS_REGION"]})
        dynamodb.create_table(TableName="locks", BillingMode="PAY_PER_REQUEST",
                              AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
                              KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}])
        both = Both(scratch / name.replace(" ", "-"), moto.endpoint, env, **more)
        walk(report, both, s3, dynamodb, name)


def walk(report, both, s3, dynamodb, name):
    with report.case(f"Terraform finds nothing to change in Terrane's state in S3: {name}"):
        both.terrane.apply()
        nothing(both.terraform_finds_nothing())
    with report.case(f"Terrane finds nothing to change in Terraform's state in S3: {name}"):
        both.give("two")
        both.terraform_applies()
        nothing(both.terrane.nothing_to_do())
        same(both.terrane("output", "--raw", "a")[1], "two", "output")
    with report.case(f"Each takes the state on from the other: {name}"):
        both.give("three")
        both.terrane.apply()
        both.give("four")
        both.terraform_applies()
        both.give("five")
        both.terrane.apply()
        nothing(both.terraform_finds_nothing())
    with report.case(f"Terraform's lock keeps Terrane out, and Terrane's keeps Terraform out: {name}"):
        refused_by(both, s3, dynamodb)
    with report.case(f"Nothing is left locked: {name}"):
        same(leftovers(s3, dynamodb), [], "locks and journals")
    if "dynamodb_table" in both.arguments:
        with report.case(f"The digest is Terraform's: {name}"):
            state = s3.get_object(Bucket="states", Key=KEY)["Body"].read()
            item = dynamodb.get_item(TableName="locks", Key={"LockID": {"S": f"states/{KEY}-md5"}})["Item"]
            same(item["Digest"]["S"], hashlib.md5(state).hexdigest(), "Digest")  # noqa: S324 - what Terraform notes
    with report.case(f"Another workspace is in the same place for both: {name}"):
        both.terraform("workspace", "new", "prod", "-no-color")
        both.terraform_applies()
        both.terrane.env = both.terrane.env | {"TERRANE_WORKSPACE": "prod"}
        nothing(both.terrane.nothing_to_do())
        keys = [o["Key"] for o in s3.list_objects_v2(Bucket="states")["Contents"]]
        same(keys, [f"env:/prod/{KEY}", KEY], "objects")
        both.terrane.destroy()


def refused_by(both, s3, dynamodb):
    """Hold the lock of the one while the other tries."""
    marker, slow = both.folder / "go", {"provisioner": {"local-exec": {"command": f"while [ ! -e {both.folder}/go ]; do sleep 0.1; done"}}}
    main = json.loads((both.theirs / "main.tf.json").read_text())
    main["resource"]["terraform_data"]["slow"] = slow
    (both.theirs / "main.tf.json").write_text(json.dumps(main))
    held = subprocess.Popen(["terraform", "apply", "-auto-approve", "-input=false", "-no-color"], cwd=both.theirs,
                            env=both.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        wait_for(lambda: leftovers(s3, dynamodb))
        said = refusal(lambda: both.terrane.apply())
        for text in ("State locked", "OperationTypeApply", "It was taken", "force-unlock"):
            if text not in said:
                raise AssertionError(f"`{text}` is not in\n{said}")
    finally:
        marker.touch()
        held.communicate(timeout=60)
    same(held.returncode, 0, "Terraform's exit code")
    both.give("five")
    both.terraform_applies()
    # Terrane holds its lock while it asks; here it is held by the description that it writes.
    info = {"ID": "0-1", "Operation": "OperationTypeApply", "Info": "", "Who": "a@b", "Version": "0.1.0",
            "Created": "2026-01-01T00:00:00Z", "Path": f"states/{KEY}", "Process": "elsewhere/ns/1/1",
            "Renewed": "2026-01-01T00:00:00Z"}
    if both.arguments.get("use_lockfile"):
        s3.put_object(Bucket="states", Key=f"{KEY}.tflock", Body=json.dumps(info).encode())
    if both.arguments.get("dynamodb_table"):
        dynamodb.put_item(TableName="locks", Item={"LockID": {"S": f"states/{KEY}"}, "Info": {"S": json.dumps(info)}})
    said = refusal(both.terraform_applies)
    for text in ("Error acquiring the state lock", "0-1", "a@b"):
        if text not in said:
            raise AssertionError(f"`{text}` is not in\n{said}")
    both.terraform("force-unlock", "-force", "0-1")


def refusal(work):
    try:
        work()
    except Failed as error:
        return str(error)
    raise AssertionError("it was not refused")


def wait_for(there, seconds=30):
    until = time.monotonic() + seconds
    while not there():
        if time.monotonic() > until:
            raise AssertionError("nothing came")
        time.sleep(0.05)


def leftovers(s3, dynamodb):
    """Locks and journals."""
    keys = [o["Key"] for o in s3.list_objects_v2(Bucket="states").get("Contents", [])]
    items = [i["LockID"]["S"] for i in dynamodb.scan(TableName="locks")["Items"]]
    return [k for k in keys if not k.endswith(".tfstate")] + [i for i in items if not i.endswith("-md5")]
