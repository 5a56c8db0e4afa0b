//! The join of DynamoDB and KMS: who reads or writes a table that a customer-managed key encrypts needs the DynamoDB
//! action *and* rights of their own on the key, which DynamoDB uses on their behalf.
//!
//! DynamoDB decrypts the table's key for each caller (and keeps it for at most five minutes of idleness), so the caller's
//! right to `kms:Decrypt` is checked for reads and for writes alike. Tables under the AWS owned key need nothing of this,
//! and the policy of the AWS managed key lets every caller of the account through:
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html>,
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html>

use crate::caller::arn_account;
use crate::context::{Context, ContextValue};
use crate::decide::{Answer, Decision, PolicySources, Request, decision, facts, weigh};
use crate::key::{KeyAuthority, key_facts, weigh_key};
use crate::reason::Reason;
use crate::tally::Trace;

/// The KMS actions that a DynamoDB action needs of its caller on the table's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyNeeds {
    /// Needed for sure.
    pub surely: &'static [&'static str],
    /// Named by AWS among the permissions that use of the key takes, without saying for which calls. Where one is missing
    /// the answer stays open.
    pub perhaps: &'static [&'static str],
}

const READ: KeyNeeds = KeyNeeds { surely: &["kms:Decrypt"], perhaps: &[] };
const WRITE: KeyNeeds = KeyNeeds { surely: &["kms:Decrypt"], perhaps: &["kms:GenerateDataKey"] };
const MAKE: KeyNeeds = KeyNeeds {
    surely: &["kms:DescribeKey", "kms:CreateGrant"],
    perhaps: &["kms:Decrypt", "kms:GenerateDataKey", "kms:Encrypt"],
};
const NOTHING: KeyNeeds = KeyNeeds { surely: &[], perhaps: &[] };

/// Says what a DynamoDB action on a table under a customer-managed key needs of KMS; nothing for actions that touch no
/// item and no key, such as `dynamodb:DescribeTable`.
pub fn key_needs(action: &str) -> KeyNeeds {
    let operation = match action.split_once(':') {
        Some((service, operation)) if service.eq_ignore_ascii_case("dynamodb") => {
            operation.to_ascii_lowercase()
        }
        _ => return NOTHING,
    };
    match operation.as_str() {
        "getitem" | "batchgetitem" | "query" | "scan" | "conditioncheckitem" | "partiqlselect"
        | "getrecords" => READ,
        "putitem" | "updateitem" | "deleteitem" | "batchwriteitem" | "partiqlinsert" | "partiqlupdate"
        | "partiqldelete" => WRITE,
        "createtable" | "restoretablefrombackup" | "restoretabletopointintime" => MAKE,
        _ => NOTHING,
    }
}

/// Decides on a DynamoDB action on a table, with the table's customer-managed key if it has one.
///
/// Without a key, and for actions that need none, this is [`crate::decide`]. The decision's `action` and `resource` say
/// which of the needed permissions settled it: a refusal by KMS names the KMS action and the key.
pub fn decide_table_access(
    request: &Request<'_>,
    sources: &PolicySources<'_>,
    key: Option<&KeyAuthority<'_>>,
    region: &str,
) -> Decision {
    let settled = join(request, sources, key, region, Trace::kept);
    let table = facts(request, request.resource);
    let mut sum = decision(&table, settled.answer, Trace::dropped());
    sum.chain = settled.chain;
    if let (Some(action), Some(key)) = (settled.by_key, key) {
        action.clone_into(&mut sum.action);
        key.key_arn.clone_into(&mut sum.resource);
    }
    sum
}

/// Answers as [`decide_table_access`] does, without the chain: for asking very often.
pub fn answer_table_access(
    request: &Request<'_>,
    sources: &PolicySources<'_>,
    key: Option<&KeyAuthority<'_>>,
    region: &str,
) -> Answer {
    join(request, sources, key, region, Trace::dropped).answer
}

/// An answer, with the KMS action that it is about if it is not about the table.
struct Settled {
    answer: Answer,
    by_key: Option<&'static str>,
    chain: Vec<Reason>,
}

fn join(
    request: &Request<'_>,
    sources: &PolicySources<'_>,
    key: Option<&KeyAuthority<'_>>,
    region: &str,
    trace: fn() -> Trace,
) -> Settled {
    let mut on_table = trace();
    let answer = weigh(&facts(request, request.resource), sources, &mut on_table);
    let mut settled = Settled { answer, by_key: None, chain: on_table.into_reasons() };
    let needs = key_needs(request.action);
    let Some(key) = key.filter(|_| needs != NOTHING && !matches!(settled.answer, Answer::Denied(_))) else {
        return settled;
    };
    let mut asked = Request {
        caller: request.caller,
        action: request.action,
        resource: key.key_arn,
        context: context_for_key(request, region),
    };
    if arn_account(key.key_arn) != arn_account(request.resource) {
        // What organization the table is in says nothing about a key elsewhere.
        asked.context.remove_prefix("aws:resourceorg");
    }
    let needed = needs.surely.iter().map(|action| (*action, Need::Sure));
    for (action, need) in needed.chain(needs.perhaps.iter().map(|action| (*action, Need::Perhaps))) {
        asked.action = action;
        let mut on_key = trace();
        let answer = weigh_key(&key_facts(&asked, key), sources, key, &mut on_key);
        settled.chain.extend(on_key.into_reasons());
        let answer = match (need, answer) {
            (Need::Perhaps, Answer::Denied(_)) => Answer::Depends(vec![format!(
                "whether DynamoDB needs {action} of the caller for {}",
                request.action
            )]),
            (_, answer) => answer,
        };
        settled.also_needs(answer, action);
        if matches!(settled.answer, Answer::Denied(_)) {
            break;
        }
    }
    settled
}

#[derive(Debug, Clone, Copy)]
enum Need {
    Sure,
    Perhaps,
}

impl Settled {
    /// Takes in a further answer that must be yes too. The result is about what settled it, else about the first that is
    /// open.
    fn also_needs(&mut self, answer: Answer, action: &'static str) {
        match (&mut self.answer, answer) {
            (_, Answer::Allowed) | (Answer::Denied(_), _) => {}
            (Answer::Depends(ours), Answer::Depends(theirs)) => {
                let more: Vec<_> = theirs.into_iter().filter(|fact| !ours.contains(fact)).collect();
                ours.extend(more);
            }
            (_, answer) => {
                self.answer = answer;
                self.by_key = Some(action);
            }
        }
    }
}

/// The request that DynamoDB sends to KMS in the caller's name.
///
/// <https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service>,
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-calledvia>
fn context_for_key(request: &Request<'_>, region: &str) -> Context {
    let mut context = request.context.clone();
    // What was given about the table says nothing about the key.
    for of_table in
        ["dynamodb:", "kms:", "aws:resourcetag/", "aws:resourceaccount", "aws:requesttag/", "aws:tagkeys"]
    {
        context.remove_prefix(of_table);
    }
    let mut set = |key: &str, values: Vec<String>| context.set(key, ContextValue::Values(values));
    set("kms:ViaService", vec![format!("dynamodb.{region}.amazonaws.com")]);
    set("kms:GrantIsForAWSResource", vec!["true".to_owned()]);
    set("aws:ViaAWSService", vec!["true".to_owned()]);
    for key in ["aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast"] {
        set(key, vec!["dynamodb.amazonaws.com".to_owned()]);
    }
    let mut names = Vec::new();
    if let Some(table) = table_name(request.resource) {
        names.push(TABLE_NAME.to_owned());
        set(&format!("kms:EncryptionContext:{TABLE_NAME}"), vec![table.to_owned()]);
    }
    if let Some(account) = arn_account(request.resource) {
        names.push(SUBSCRIBER_ID.to_owned());
        set(&format!("kms:EncryptionContext:{SUBSCRIBER_ID}"), vec![account.to_owned()]);
    }
    set("kms:EncryptionContextKeys", names);
    context
}

const TABLE_NAME: &str = "aws:dynamodb:tableName";
const SUBSCRIBER_ID: &str = "aws:dynamodb:subscriberId";

/// The table's name from the ARN of the table or of one of its indexes or streams.
fn table_name(arn: &str) -> Option<&str> {
    let resource = arn.splitn(6, ':').nth(5)?;
    resource.strip_prefix("table/")?.split('/').next().filter(|name| !name.is_empty())
}
