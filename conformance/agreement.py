"""Do two plans agree? Terraform's plan JSON against Terrane's, attribute by attribute.

The rule: Terrane has to say what Terraform says, except that it may know more. Where Terraform's plan has an unknown
value and Terrane's has a known one, the known one must be what the attribute holds after Terraform's apply. And where
Terraform plans an update only because it did not know a value that then turned out as before, Terrane may plan nothing.

Five more differences are none. Null and an empty collection are the same to the AWS provider: a refresh of Terraform
turns the one into the other; and so are null and false, of what an imported object has not yet. A null in Terraform's plan may be the very value that stands there after apply (a new
table's `table_class`). A table that goes on-demand keeps its old capacities in Terraform's plan though AWS sets them
to 0, which Terrane says. What follows from an argument that changes keeps its old value in Terraform's plan for some types
(`KEPT`); what Terrane says must be what comes out. And a sensitive value is null in Terrane's plan, with the same mark.
"""

UNKNOWN = type("Unknown", (), {"__repr__": lambda self: "(known after apply)"})()

# Nested blocks that are sets: their order in the JSON carries no meaning.
SETS = {"aws_dynamodb_table": {"attribute", "global_secondary_index", "replica"}}


# What the AWS provider forgets to plan anew when it follows from an argument that changes in place.
KEPT = {"aws_iam_group": {"id"}, "aws_kms_alias": {"target_key_arn"}}


def differences(terraform, terrane, final, final_outputs):
    """What the plans disagree on, one line each. `final`: {address: values} after Terraform's apply."""
    ours, theirs = managed(terrane), managed(terraform)
    found = [f"{a}: only in Terraform's plan, as {theirs[a]['change']['actions']}" for a in theirs if a not in ours]
    found += [f"{a}: only in Terrane's plan, as {ours[a]['change']['actions']}" for a in ours if a not in theirs]
    for address in sorted(theirs.keys() & ours.keys()):
        found += resource(address, theirs[address], ours[address], final.get(address))
    return found + outputs(terraform, terrane, final_outputs)


def managed(plan):
    return {r["address"]: r for r in plan.get("resource_changes", []) if r["mode"] == "managed"}


def resource(address, theirs, ours, final):
    sets = SETS.get(theirs["type"], set())
    t, o = theirs["change"], ours["change"]
    if t["actions"] != o["actions"]:
        if t["actions"] == ["update"] and o["actions"] == ["no-op"] and settled(final) == settled(o["after"]):
            return []
        return [f"{address}: Terraform plans {t['actions']}, Terrane {o['actions']}"]
    if t["actions"] == ["no-op"]:
        return []
    theirs_planned, ours_planned = planned(t), planned(o)
    if theirs["type"] == "aws_dynamodb_table" and (ours_planned or {}).get("billing_mode") == "PAY_PER_REQUEST":
        for name in ("read_capacity", "write_capacity"):
            if theirs_planned.get(name) == (t["before"] or {}).get(name) and ours_planned.get(name) == 0:
                theirs_planned[name] = 0
    for name in KEPT.get(theirs["type"], ()):
        if final and ours_planned and theirs_planned.get(name) == (t["before"] or {}).get(name):
            theirs_planned[name] = final[name]
    if isinstance(o.get("after_sensitive"), dict) and theirs_planned:
        for name in (name for name, mark in o["after_sensitive"].items() if mark is True and ours_planned[name] is None):
            ours_planned[name] = theirs_planned.get(name)
    found = list(compare(address, theirs_planned, ours_planned, final, sets))
    found += [f"{address}: {key}: Terraform {theirs_of!r}, Terrane {ours_of!r}" for key, theirs_of, ours_of in (
        ("replace_paths", paths(t), paths(o)),
        ("action_reason", theirs.get("action_reason"), ours.get("action_reason")),
        ("sensitive values", marked(t.get("after_sensitive")), marked(o.get("after_sensitive")))) if theirs_of != ours_of]
    return found


def settled(values):
    """The values without what says nothing: empty ones, and the count of attachments, which AWS alone changes."""
    return {k: v for k, v in (values or {}).items() if v not in (None, {}, []) and k != "attachment_count"}


def outputs(terraform, terrane, final):
    found = []
    theirs, ours = terraform.get("output_changes", {}), terrane.get("output_changes", {})
    for name in sorted(theirs.keys() | ours.keys()):
        if name not in theirs or name not in ours:
            found.append(f"output {name}: only in the plan of {'Terrane' if name in ours else 'Terraform'}")
            continue
        t, o = theirs[name], ours[name]
        knows_more = t["actions"] == ["update"] and o["actions"] == ["no-op"] and final.get(name) == o["after"]
        if t["actions"] != o["actions"] and not knows_more:
            found.append(f"output {name}: Terraform plans {t['actions']}, Terrane {o['actions']}")
        elif not knows_more:
            found += compare(f"output {name}", planned(t), planned(o), final.get(name), set())
    return found


def planned(change):
    """The value after the change, with UNKNOWN in each place that is known only after apply."""
    return overlay(change.get("after"), change.get("after_unknown"))


def overlay(after, unknown):
    if unknown is True:
        return UNKNOWN
    if isinstance(unknown, dict) and (unknown or isinstance(after, dict)):
        after = after or {}
        return {k: overlay(after.get(k), unknown.get(k)) for k in [*after, *(k for k in unknown if k not in after)]}
    if isinstance(unknown, list) and (unknown or isinstance(after, list)):
        after = after or []
        longest = max(len(after), len(unknown))
        at = lambda items, i: items[i] if i < len(items) else None
        return [overlay(at(after, i), at(unknown, i)) for i in range(longest)]
    return after


def compare(where, theirs, ours, final, sets):
    """Yield a line for each place where `ours` is not what `theirs` says, or not what came out."""
    if ours is UNKNOWN:
        if theirs is not UNKNOWN:
            yield f"{where}: Terraform knows {theirs!r}, Terrane does not"
    elif theirs is UNKNOWN:
        if holds_unknown(ours):
            yield from known_parts(where, ours, final)
        elif normal(where, ours, sets) != normal(where, final, sets):
            yield f"{where}: Terrane predicts {ours!r}, after apply it is {final!r}"
    elif isinstance(theirs, dict) and isinstance(ours, dict):
        for key in sorted(theirs.keys() | ours.keys()):
            after = final.get(key) if isinstance(final, dict) else None
            yield from compare(f"{where}.{key}", theirs.get(key), ours.get(key), after, sets)
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        theirs, ours, after = (normal(where, v, sets) for v in (theirs, ours, final))
        for i, (t, o) in enumerate(zip(theirs, ours)):
            came_out = after[i] if isinstance(after, list) and i < len(after) else None
            yield from compare(f"{where}[{i}]", t, o, came_out, sets)
    elif theirs in (None, {}, []) and (ours in (None, {}, []) or ours == final) or theirs is False and ours is None:
        return
    elif theirs != ours:
        yield f"{where}: Terraform plans {theirs!r}, Terrane {ours!r}"


def known_parts(where, ours, final):
    """Terraform knows nothing here and Terrane something: check the parts that it knows."""
    if ours is UNKNOWN:
        return
    if isinstance(ours, dict) and isinstance(final, dict):
        for key in ours:
            yield from known_parts(f"{where}.{key}", ours[key], final.get(key))
    elif isinstance(ours, list) and isinstance(final, list) and len(ours) == len(final):
        for i, (o, f) in enumerate(zip(ours, final)):
            yield from known_parts(f"{where}[{i}]", o, f)
    elif ours != final:
        yield f"{where}: Terrane predicts {ours!r}, after apply it is {final!r}"


def holds_unknown(value):
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is UNKNOWN or any(map(holds_unknown, inside))


def normal(where, value, sets):
    """A list in an order that does not depend on who wrote it, when the block is a set."""
    is_set = where.rpartition(".")[2] in sets
    return sorted(value, key=repr) if is_set and isinstance(value, list) else value


def paths(change):
    return sorted(map(str, change.get("replace_paths", [])))


def marked(sensitive, path=""):
    """The places that are marked sensitive."""
    if sensitive is True:
        return [path]
    items = sensitive.items() if isinstance(sensitive, dict) else enumerate(sensitive) if isinstance(sensitive, list) else ()
    return sorted(p for key, inner in items for p in marked(inner, f"{path}.{key}"))
