//! Keys that nobody could manage any more.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#allow-root-enable-iam>

use terrane_iam::Answer;

use crate::estate::{Estate, Key, Origin};
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
