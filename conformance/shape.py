"""Do two documents have the same keys? Terraform's JSON against Terrane's, and what is known to differ.

Values are compared elsewhere (`agreement.py`); here it is the keys, so that a reader finds what it looks for.
"""
import re

# Below these keys stand values of resources, whose attributes `agreement.py` compares.
VALUES = {"values", "sensitive_values", "before", "after", "after_unknown", "before_sensitive", "after_sensitive"}

# Keys that only Terraform has, and why.
ONLY_TERRAFORM = {
    r"\.configuration\b.*\.constant_value": "the suite gives Terraform the spec in JSON, and there it counts a template "
                                            "as a constant text, beside its references",
    r"\.resource_drift\b.*": "Terraform tells a null that a refresh turns into an empty collection as drift",
    r"\.prior_state\.values\.outputs\b.*": "outputs that are known before the first apply: Terrane's state has those that "
                                           "were applied",
    r"\.prior_state\.values": "before a destroy Terraform reads data sources once more, into a state that may else be empty",
    r"\.output_changes\.\w+\.after_unknown": "known at plan",
}

# Keys that only Terrane has, and why.
ONLY_TERRANE = {
    r"\.generator\b.*": "which program wrote the file: `terraform_version` says only which shape it has",
    r"\.access\b.*": "assertions, and who gains and who loses access by the plan",
    r"\.losses\b.*": "what a deleted key takes away",
    r"\.possible_moves\b.*": "what looks like a rename",
    r"\.configuration\b.*\.expressions\.\w+(\[\])?(\.\w+(\.references)?)?": "blocks that an expression gives, which Terraform "
                                                                           "leaves out",
    r"\.resource_drift\b.*": "a destroy, too, says what was changed behind its back",
    r"\.planned_values\.outputs\.\w+\.(type|value)": "known at plan",
    r"\.output_changes\.\w+\.after": "known at plan",
    r"\.prior_state\..*\.depends_on": "data sources, too, say what they depend on",
    r"\.diagnostics\[\]\.(address|code)": "messages name the object and carry a stable code",
}


def keys(document, path=""):
    """The paths of all keys; elements of a list share one path."""
    if isinstance(document, dict):
        found = {f"{path}.{key}" for key in document}
        return found.union(*(keys(inner, f"{path}.{key}") for key, inner in document.items() if key not in VALUES or path in ("", ".prior_state")))
    if isinstance(document, list):
        return set().union(*(keys(inner, f"{path}[]") for inner in document))
    return set()


def differences(terraform, terrane):
    """Keys that the one has and the other has not, without those that are known to differ; one line each."""
    theirs, ours = keys(terraform), keys(terrane)
    return (unknown(theirs - ours, ONLY_TERRAFORM, "Terraform") + unknown(ours - theirs, ONLY_TERRANE, "Terrane"))


def unknown(found, known, whose):
    return [f"{key}: only {whose} has it" for key in sorted(found) if not any(re.fullmatch(p, key) for p in known)]
