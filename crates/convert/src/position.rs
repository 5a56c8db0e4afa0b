//! What an argument holds, by where it stands: Terraform reads most as expressions, and some as addresses or names.

/// How an argument is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// An expression.
    Expression,
    /// The text itself: an address, a type, a keyword.
    Verbatim,
    /// A list of such texts, or one keyword.
    List,
    /// A type, in which a new line may separate.
    Type,
    /// An object whose values are such texts.
    Map,
    /// An object in which `configuration_aliases` is such a list.
    Requirement,
}

/// How the argument `name` of a block is read. `path` holds the kinds of the blocks around it from the outermost one, without
/// their labels.
pub(crate) fn reading(path: &[&str], name: &str) -> Reading {
    match (path, name) {
        (["resource" | "data" | "ephemeral" | "module" | "output", ..], "depends_on") => Reading::List,
        (["resource" | "data" | "ephemeral"], "provider") => Reading::Verbatim,
        (["check", "data"], "provider") => Reading::Verbatim,
        (["check", "data"], "depends_on") => Reading::List,
        (["resource" | "data", "lifecycle"], "ignore_changes" | "replace_triggered_by") => Reading::List,
        (["resource", "provisioner"], "when" | "on_failure") => Reading::Verbatim,
        (["module"], "providers") => Reading::Map,
        (["variable"], "type") => Reading::Type,
        (["moved"], "from" | "to") | (["removed"], "from") | (["import"], "to" | "provider") => {
            Reading::Verbatim
        }
        (["terraform", "required_providers"], _) => Reading::Requirement,
        ([.., "dynamic"], "iterator") => Reading::Verbatim,
        _ => Reading::Expression,
    }
}

/// How many labels a block of this kind has. `None`: as many as it is written with.
pub(crate) fn labels(path: &[&str], kind: &str) -> Option<usize> {
    match (path, kind) {
        ([] | ["check"], "resource" | "data" | "ephemeral") => Some(2),
        ([], "variable" | "output" | "module" | "provider" | "check") => Some(1),
        ([], "locals" | "terraform" | "moved" | "removed" | "import") => Some(0),
        _ => None,
    }
}
