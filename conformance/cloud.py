"""A fake AWS for one run: moto's server on a free loopback port, and what can be asked of it.

Used by the conformance suite and by the benchmarks. Nothing here leaves 127.0.0.1.
"""
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

PROXY = Path(__file__).resolve().parent.parent / "bench" / "proxy.py"
REGION = "eu-west-3"


def available():
    """Why moto cannot be used here, or None when it can."""
    probe = subprocess.run([sys.executable, "-c", "import moto.server, boto3, flask"], capture_output=True)
    return None if probe.returncode == 0 else f"moto[server] and boto3 are not installed for {sys.executable}"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, process, seconds=60):
    """Return when something accepts connections on `port`; fail when `process` ends before that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with {process.returncode} before it listened on {port}")
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on {port} after {seconds} s")


def environment(endpoint, **more):
    """The caller's environment with every AWS setting pointing at `endpoint` and at nothing else."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_", "TERRANE_VAR_"))}
    return env | {
        "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true", "NO_COLOR": "1"} | more


class Moto:
    """moto's server, empty at the start and gone at the end of the `with`."""

    def __enter__(self):
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-p", str(self.port)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for_port(self.port, self.process)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    @property
    def direct(self):
        """Where moto itself is reached."""
        return f"http://127.0.0.1:{self.port}"

    def reset(self):
        """Forget every object of every service."""
        request = urllib.request.Request(f"{self.direct}/moto-api/reset", method="POST")
        urllib.request.urlopen(request, timeout=60).close()

    def client(self, service):
        return client(service, self.direct)

    def inventory(self):
        return inventory(self.direct)


class Behind(Moto):
    """moto with the proxy of the benchmarks in front, which counts, delays and breaks calls. `endpoint` is the proxy's, and what
    the suite itself does goes past it."""

    def __enter__(self):
        super().__enter__()
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        self.proxy = subprocess.Popen(
            [sys.executable, str(PROXY), "--port", str(port), "--upstream", str(self.port)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for_port(port, self.proxy)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.proxy.kill()
        self.proxy.wait()
        super().__exit__()

    def control(self, method, what):
        request = urllib.request.Request(f"{self.endpoint}/_proxy/{what}", method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


def client(service, endpoint, key="test", secret="test"):
    """A boto3 client of `endpoint` that does not retry."""
    import boto3
    from botocore.config import Config
    return boto3.client(service, region_name=REGION, endpoint_url=endpoint, aws_access_key_id=key,
                        aws_secret_access_key=secret, config=Config(retries={"max_attempts": 1}))


def inventory(endpoint, key="test", secret="test"):
    """What exists: {kind: sorted names}. AWS's own keys do not count, nor do keys that wait for deletion."""
    kms, tables, iam = (client(s, endpoint, key, secret) for s in ("kms", "dynamodb", "iam"))

    def pages(service, operation, field, **arguments):
        found = service.get_paginator(operation).paginate(**arguments)
        return [item for page in found for item in page[field]]

    aliases = pages(kms, "list_aliases", "Aliases")
    described = [kms.describe_key(KeyId=k["KeyId"])["KeyMetadata"] for k in pages(kms, "list_keys", "Keys")]
    users = [u["UserName"] for u in pages(iam, "list_users", "Users")]
    attached = [(u, p["PolicyArn"]) for u in users
                for p in pages(iam, "list_attached_user_policies", "AttachedPolicies", UserName=u)]
    found = {
        "key": [m["KeyId"] for m in described if m["KeyManager"] == "CUSTOMER" and m["KeyState"] != "PendingDeletion"
                and not aws_owned(m["KeyId"], aliases)],
        "alias": [a["AliasName"] for a in aliases if not a["AliasName"].startswith("alias/aws/")],
        "table": pages(tables, "list_tables", "TableNames"),
        "policy": [p["Arn"] for p in pages(iam, "list_policies", "Policies", Scope="Local")],
        "user": users,
        "attachment": [f"{user}|{policy}" for user, policy in attached],
    }
    return {kind: sorted(names) for kind, names in found.items()}


def aws_owned(key_id, aliases):
    """moto makes the keys behind alias/aws/* when aliases are listed, and calls them customer keys."""
    return any(a.get("TargetKeyId") == key_id and a["AliasName"].startswith("alias/aws/") for a in aliases)
