//! Keys that nobody could manage any more, and keys from which a plan shuts out who carries it out.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#allow-root-enable-iam>

use terrane_iam::Answer;

use crate::estate::{Estate, Key, Origin, Principal};
use crate::question::Question;

/// The right by which everything else about a key can be put right again.
pub const MANAGING: &str = "kms:PutKeyPolicy";

/// The keys of the stack of which surely nobody could change the policy: neither somebody of the stack, nor somebody whom
/// the key's policy names, nor the account's administrators through IAM policies. AWS's support alone can help then.
pub fn unmanageable(estate: &Estate) -> Vec<&Key> {
    let nobody = |key: &&Key| {
        let who = estate.principals.iter().filter(|p| !matches!(p.origin, Origin::Public | Origin::Service));
        let mut answers = who.map(|principal| {
            let question = Question { principal, action: MANAGING, resource: &key.arn, context: &[] };
            estate.ask(&question).answer
        });
        answers.all(|answer| matches!(answer, Answer::Denied(_)))
    };
    estate.keys.iter().filter(|key| key.address.is_some()).filter(nobody).collect()
}

/// The rights by which somebody can take back what they did to a key: its old policy, and, for one that is new, its end.
pub const UNDOING: [&str; 2] = ["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"];

/// Of the keys with these addresses, those that the caller can, or may be able to, manage before and surely can't after, with the
/// rights that get lost.
pub fn shut_out<'e>(
    before: &Estate,
    after: &'e Estate,
    caller: &str,
    is_changed: &dyn Fn(&str) -> bool,
) -> Vec<(&'e Key, Vec<&'static str>)> {
    let denied = |estate: &Estate, principal: &Principal, action: &str, resource: &str| {
        let question = Question { principal, action, resource, context: &[] };
        matches!(estate.ask(&question).answer, Answer::Denied(_))
    };
    let (earlier, later) = (before.caller(caller), after.caller(caller));
    let mut found = Vec::new();
    for key in after.keys.iter().filter(|key| key.address.as_deref().is_some_and(is_changed)) {
        let Some(old) = before.keys.iter().find(|old| old.address == key.address) else { continue };
        let lost: Vec<&str> = UNDOING
            .into_iter()
            .filter(|action| {
                !denied(before, &earlier, action, &old.arn) && denied(after, &later, action, &key.arn)
            })
            .collect();
        if !lost.is_empty() {
            found.push((key, lost));
        }
    }
    found
}
