//! A decision in AWS's words.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>

use crate::decide::{Answer, Decision, Layer};

impl Layer {
    /// The clause that AWS ends its message with, for an action.
    pub fn clause(&self, action: &str) -> String {
        let silent = match self {
            Layer::ExplicitDeny { kind, .. } => {
                let wording = kind.wording();
                let article = if wording.starts_with('i') { "an" } else { "a" };
                return format!("with an explicit deny in {article} {wording}");
            }
            Layer::ServiceControlPolicy => "service control policy",
            Layer::ResourcePolicy | Layer::KeyPolicy => "resource-based policy",
            Layer::NoIdentityStatement | Layer::KeyIam => "identity-based policy",
            Layer::Boundary => "permissions boundary",
            Layer::SessionPolicy => "session policy",
            Layer::TrustPolicy => "role trust policy",
        };
        format!("because no {silent} allows the {action} action")
    }
}

impl Decision {
    /// The message of an access-denied error; `None` if the request is allowed.
    pub fn message(&self) -> Option<String> {
        let clause = match &self.answer {
            Answer::Allowed => return None,
            Answer::Denied(layer) => layer.clause(&self.action),
            Answer::Depends(facts) => format!("because it depends on {}", facts.join(", ")),
        };
        Some(format!(
            "User: {} is not authorized to perform: {} on resource: {} {clause}",
            self.caller, self.action, self.resource
        ))
    }
}
