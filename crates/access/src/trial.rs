//! What really happened, laid beside what was asserted and what was proved.
//!
//! AWS tells in the text of a refusal which action was refused and, for the most part, at which layer:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>.

use terrane_iam::Answer;

use crate::claim::Claim;
use crate::question::{Answered, layer_name};

/// What came of a real call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Real {
    /// The caller was let in.
    Allowed,
    /// The caller was refused.
    Refused(Refusal),
    /// Neither showed.
    Unclear,
}

/// What a refusal says about who refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The action that was refused, which need not be the one that was called: `kms:Decrypt` for a read of a table.
    pub action: String,
    /// The layer, by the name that specs give it; nothing where AWS does not say.
    pub layer: Option<&'static str>,
}

/// What AWS writes about a key to callers who may not know of it.
const OF_A_KEY: [&str; 3] = ["KMS key access denied", "customer master key", "kms:"];

/// Services that `by` can name.
const SERVICES: [&str; 4] = ["dynamodb", "iam", "kms", "sts"];

impl Refusal {
    /// Reads the message that came back for a call of this action.
    pub fn read(called: &str, message: &str) -> Refusal {
        let named = message.split_once("not authorized to perform: ").map(|(_, rest)| rest);
        let named = named.and_then(|rest| rest.split([' ', ',']).next()).filter(|name| name.contains(':'));
        let action = match named {
            Some(name) => name.trim_end_matches('.').to_owned(),
            None if OF_A_KEY.iter().any(|words| message.contains(words)) && !called.starts_with("kms:") => {
                "kms:Decrypt".to_owned()
            }
            None => called.to_owned(),
        };
        let layer = layer(&action, message);
        Refusal { action, layer }
    }

    /// The service that refused, such as `kms`.
    pub fn service(&self) -> &str {
        self.action.split(':').next().unwrap_or_default()
    }

    /// Whether it was refused by a service or at a layer of this name; nothing where the refusal does not say.
    pub fn is_by(&self, by: &str) -> Option<bool> {
        if self.service() == by {
            return Some(true);
        }
        match (self.layer, by) {
            (Some("identity-policy"), "iam") => Some(true),
            (Some(layer), _) => Some(layer == by),
            (None, "iam") if self.service() == "kms" => Some(false),
            (None, "iam") => None,
            (None, _) if SERVICES.contains(&by) => Some(false),
            (None, _) => None,
        }
    }
}

fn layer(action: &str, message: &str) -> Option<&'static str> {
    let says = |words: &str| message.contains(words);
    let of_key = action.starts_with("kms:");
    Some(match () {
        () if says("explicit deny") => "explicit-deny",
        () if says("no identity-based policy allows") && of_key => "key-iam",
        () if says("no identity-based policy allows") => "identity-policy",
        () if says("role trust policy") => "trust-policy",
        () if says("no resource-based policy allows") && of_key => "key-policy",
        () if says("no resource-based policy allows") && action == "sts:AssumeRole" => "trust-policy",
        () if says("no resource-based policy allows") => "resource-policy",
        () if says("no permissions boundary allows") => "permissions-boundary",
        () if says("no session policy allows") => "session-policy",
        () if says("no service control policy allows") => "service-control-policy",
        () if says("no resource control policy allows") => "resource-control-policy",
        () => return None,
    })
}

impl Real {
    /// Whether it is as the assertion says. Where AWS does not say who refused, any refusal is.
    pub fn is_as_asserted(&self, claim: &Claim) -> bool {
        match (self, claim.allowed) {
            (Real::Allowed, allowed) => allowed,
            (Real::Refused(refusal), false) => {
                claim.by.as_deref().and_then(|by| refusal.is_by(by)).unwrap_or(true)
            }
            (Real::Refused(_), true) | (Real::Unclear, _) => false,
        }
    }

    /// Whether it is as the proof says; an answer that depends on something leaves both open.
    pub fn is_as_proved(&self, proof: &Answered) -> bool {
        match (self, &proof.answer) {
            (Real::Unclear, _) => false,
            (_, Answer::Depends(_)) | (Real::Allowed, Answer::Allowed) => true,
            (Real::Refused(refusal), Answer::Denied(proved)) => {
                let same = refusal.layer.is_none_or(|layer| layer == layer_name(proved));
                refusal.service() == proof.service() && same
            }
            (Real::Refused(_), Answer::Allowed) | (Real::Allowed, Answer::Denied(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use terrane_iam::Layer;

    use super::*;

    fn claim(allowed: bool, by: Option<&str>) -> Claim {
        Claim {
            name: "a".to_owned(),
            description: None,
            principals: vec![],
            actions: vec![],
            resources: vec![],
            context: vec![],
            allowed,
            by: by.map(str::to_owned),
            accept_depends: false,
            unknown: vec![],
        }
    }

    fn proof(answer: Answer, action: &str) -> Answered {
        Answered { answer, action: action.to_owned(), resource: String::new(), chain: vec![] }
    }

    const READ: &str = "dynamodb:GetItem";
    const BY_KMS: &str = "KMS key access denied error: User: arn:aws:iam::123456789012:user/ann is not authorized to perform: \
        kms:Decrypt on resource: arn:aws:kms:eu-west-3:123456789012:key/1 because no identity-based policy allows the kms:Decrypt action";
    const BY_IAM: &str = "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: dynamodb:GetItem on resource: \
        arn:aws:dynamodb:eu-west-3:123456789012:table/Post because no identity-based policy allows the dynamodb:GetItem action";

    #[test]
    fn the_refused_action_and_the_layer_are_read_from_the_message() {
        let read = |called: &str, message: &str| {
            let refusal = Refusal::read(called, message);
            (refusal.action, refusal.layer)
        };
        assert_eq!(read(READ, BY_KMS), ("kms:Decrypt".to_owned(), Some("key-iam")));
        assert_eq!(read(READ, BY_IAM), (READ.to_owned(), Some("identity-policy")));
        let denied = BY_IAM.replace(
            "because no identity-based policy allows the dynamodb:GetItem action",
            "with an explicit deny in a permissions boundary",
        );
        assert_eq!(read(READ, &denied), (READ.to_owned(), Some("explicit-deny")));
        let hidden = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you \
            are not allowed to access.";
        assert_eq!(read(READ, hidden), ("kms:Decrypt".to_owned(), None));
        assert_eq!(read("sts:AssumeRole", "no"), ("sts:AssumeRole".to_owned(), None));
        let trust = "because no role trust policy allows the sts:AssumeRole action";
        assert_eq!(read("sts:AssumeRole", trust).1, Some("trust-policy"));
    }

    #[test]
    fn a_refusal_by_somebody_else_is_not_what_was_asserted() {
        let by_kms = Real::Refused(Refusal::read(READ, BY_KMS));
        let by_iam = Real::Refused(Refusal::read(READ, BY_IAM));
        for by in [None, Some("kms"), Some("key-iam")] {
            assert!(by_kms.is_as_asserted(&claim(false, by)), "{by:?}");
        }
        for by in ["iam", "dynamodb", "identity-policy", "key-policy", "explicit-deny"] {
            assert!(!by_kms.is_as_asserted(&claim(false, Some(by))), "{by}");
        }
        for by in ["iam", "dynamodb", "identity-policy"] {
            assert!(by_iam.is_as_asserted(&claim(false, Some(by))), "{by}");
        }
        assert!(!by_iam.is_as_asserted(&claim(false, Some("kms"))));
        assert!(
            !by_iam.is_as_asserted(&claim(true, None)) && !Real::Unclear.is_as_asserted(&claim(false, None))
        );
        assert!(
            Real::Allowed.is_as_asserted(&claim(true, None))
                && !Real::Allowed.is_as_asserted(&claim(false, None))
        );
    }

    #[test]
    fn where_the_layer_is_not_told_any_of_the_service_will_do() {
        let silent =
            Real::Refused(Refusal::read(READ, "You are not allowed to use the customer master key."));
        assert!(silent.is_as_asserted(&claim(false, Some("kms"))));
        assert!(silent.is_as_asserted(&claim(false, Some("key-iam"))));
        assert!(!silent.is_as_asserted(&claim(false, Some("dynamodb"))));
        assert!(!silent.is_as_asserted(&claim(false, Some("iam"))));
    }

    #[test]
    fn reality_is_laid_beside_the_proof() {
        let by_kms = Real::Refused(Refusal::read(READ, BY_KMS));
        assert!(by_kms.is_as_proved(&proof(Answer::Denied(Layer::KeyIam), "kms:Decrypt")));
        assert!(!by_kms.is_as_proved(&proof(Answer::Denied(Layer::KeyPolicy), "kms:Decrypt")));
        assert!(!by_kms.is_as_proved(&proof(Answer::Denied(Layer::NoIdentityStatement), READ)));
        assert!(!by_kms.is_as_proved(&proof(Answer::Allowed, READ)));
        let open = proof(Answer::Depends(vec!["x".to_owned()]), READ);
        assert!(by_kms.is_as_proved(&open) && Real::Allowed.is_as_proved(&open));
        assert!(!Real::Unclear.is_as_proved(&open));
    }
}
