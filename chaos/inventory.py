"""What a tool's state says exists, under the same names as the cloud's own inventory, and the difference between both."""
import json

IDENTITY = {
    "aws_kms_key": ("key", lambda a: a["key_id"]),
    "aws_kms_alias": ("alias", lambda a: a["name"]),
    "aws_dynamodb_table": ("table", lambda a: a["name"]),
    "aws_iam_policy": ("policy", lambda a: a["arn"]),
    "aws_iam_user": ("user", lambda a: a["name"]),
    "aws_iam_user_policy_attachment": ("attachment", lambda a: f"{a['user']}|{a['policy_arn']}"),
}
KINDS = tuple(kind for kind, _ in IDENTITY.values())


def of_state(path):
    """({kind: sorted names}, whether the file could be read). No file: nothing."""
    found = {kind: [] for kind in KINDS}
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return found, True
    try:
        state = json.loads(text)
    except ValueError:
        return found, False
    for resource in state.get("resources", []):
        if resource["type"] in IDENTITY and resource["mode"] == "managed":
            kind, identity = IDENTITY[resource["type"]]
            objects = [i["attributes"] for i in resource["instances"] if i.get("attributes")]
            # An object that was begun and not made can stand in the state without its id.
            found[kind] += [name for name in map(identity, objects) if name]
    return {kind: sorted(names) for kind, names in found.items()}, True


def compare(cloud, state, wanted):
    """Counts over all kinds: what the state does not know, what is not there, what is there too often or not at all.

    `cloud` and `state` are {kind: names}; `wanted` is {kind: number of objects of the stack}.
    """
    def over(count):
        return sum(max(0, count(kind)) for kind in KINDS)

    return {
        "orphans": over(lambda k: len(set(cloud[k]) - set(state[k]))),
        "dangling": over(lambda k: len(set(state[k]) - set(cloud[k]))),
        "duplicates": over(lambda k: len(cloud[k]) - wanted[k]),
        "missing": over(lambda k: wanted[k] - len(cloud[k])),
    }
