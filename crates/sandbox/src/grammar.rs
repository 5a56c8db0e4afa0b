//! Policies as they are taken in: read, if AWS would take them.

use terrane_iam::{Document, Location, PolicyUse, Rule, Violation, validate};

/// Reads a policy for a use.
///
/// # Errors
/// The first rule that the policy breaks.
pub(crate) fn accepted(text: &str, policy_use: PolicyUse) -> Result<Document, Violation> {
    if let Some(violation) = validate(text, policy_use).into_iter().next() {
        return Err(violation);
    }
    Document::parse(text).map_err(|error| Violation {
        rule: Rule::Syntax,
        message: error.message,
        location: Location::Pointer(String::new()),
    })
}
