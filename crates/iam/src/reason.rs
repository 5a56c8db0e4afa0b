//! Why a decision came out as it did: one line for each statement that was looked at.

use std::fmt;

use crate::document::Effect;

/// The kind of policy a statement stands in, by the part it plays in a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyKind {
    /// Attached to or inline in a user, group or role.
    Identity,
    /// A permissions boundary.
    Boundary,
    /// Given when the session was made.
    Session,
    /// Attached to the resource.
    Resource,
    /// A service control policy of the organization.
    ServiceControl,
    /// A resource control policy of the organization.
    ResourceControl,
    /// The policy of a KMS key.
    Key,
    /// The trust policy of a role.
    Trust,
    /// A grant on a KMS key, which is no policy but decides like one.
    Grant,
}

impl PolicyKind {
    /// The kind in AWS's words.
    pub fn wording(self) -> &'static str {
        match self {
            PolicyKind::Identity => "identity-based policy",
            PolicyKind::Boundary => "permissions boundary",
            PolicyKind::Session => "session policy",
            PolicyKind::Resource | PolicyKind::Key => "resource-based policy",
            PolicyKind::ServiceControl => "service control policy",
            PolicyKind::ResourceControl => "resource control policy",
            PolicyKind::Trust => "role trust policy",
            PolicyKind::Grant => "grant",
        }
    }
}

/// One statement and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The action that was asked for; a decision on a table may ask for several.
    pub action: String,
    /// The kind of policy.
    pub kind: PolicyKind,
    /// The policy's name as the caller of the engine gave it, or the grant's id.
    pub policy: String,
    /// The statement's place in the policy, counted from 0; `None` for a grant or a whole policy.
    pub statement: Option<usize>,
    /// The statement's Sid.
    pub sid: Option<String>,
    /// The statement's effect; `None` if it is not known.
    pub effect: Option<Effect>,
    /// Whether it applied, and why not.
    pub outcome: Outcome,
}

/// What came of one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It applies.
    Applies,
    /// It applies, and by naming the account leaves the decision to the account's IAM policies.
    HandsOverToIam,
    /// It applies if these facts are so.
    AppliesIf(Vec<String>),
    /// It is about another action.
    OtherAction,
    /// It is about another resource.
    OtherResource,
    /// It is about another principal.
    OtherPrincipal,
    /// This condition does not hold.
    ConditionFails {
        /// The operator as written.
        operator: String,
        /// The key as written.
        key: String,
    },
    /// The constraint of a grant does not hold.
    ConstraintFails,
    /// The policy's text is not known yet.
    TextUnknown,
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            PolicyKind::Key => "key policy",
            kind => kind.wording(),
        };
        write!(formatter, "{kind} {}", self.policy)?;
        match (&self.sid, self.statement) {
            (Some(sid), _) => write!(formatter, ", {sid}")?,
            (None, Some(index)) => write!(formatter, ", statement {}", index.saturating_add(1))?,
            (None, None) => {}
        }
        if let Some(effect) = self.effect {
            write!(formatter, " ({})", effect.as_str())?;
        }
        write!(formatter, ": {}", self.outcome)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Applies => write!(formatter, "applies"),
            Outcome::HandsOverToIam => write!(formatter, "leaves it to the account's IAM policies"),
            Outcome::AppliesIf(facts) => write!(formatter, "applies depending on {}", facts.join(", ")),
            Outcome::OtherAction => write!(formatter, "does not name the action"),
            Outcome::OtherResource => write!(formatter, "does not name the resource"),
            Outcome::OtherPrincipal => write!(formatter, "does not name the caller"),
            Outcome::ConditionFails { operator, key } => {
                write!(formatter, "its condition {operator} on {key} does not hold")
            }
            Outcome::ConstraintFails => write!(formatter, "its constraint does not hold"),
            Outcome::TextUnknown => write!(formatter, "not known yet"),
        }
    }
}
