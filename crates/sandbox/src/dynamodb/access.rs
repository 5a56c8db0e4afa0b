//! Who may do what with tables and their items, with the right on the table's key that goes with it.

use terrane_iam::{Answer, Context, NamedPolicy, Request, answer_table_access, decide_table_access};

use super::encryption;
use super::find;
use super::records::Table;
use super::resource_policy;
use crate::authorize;
use crate::iam::Tag;
use crate::kms;
use crate::policies::CallerPolicies;
use crate::trail::{self, Through};
use crate::visit::Visit;
use crate::wire::{Refusal, Service};

/// Refuses an action on a table that touches no item. The table need not exist.
pub(super) fn table(visit: &Visit<'_>, action: &str, name: &str) -> Result<(), Refusal> {
    with_context(visit, action, name, Context::complete())
}

/// The same with condition keys of the call.
pub(super) fn with_context(
    visit: &Visit<'_>,
    action: &str,
    name: &str,
    context: Context,
) -> Result<(), Refusal> {
    let arn = visit.regional_arn("dynamodb", &format!("table/{name}"));
    weigh(visit, action, &arn, find::table(visit, name)?.as_ref(), None, context)
}

/// Refuses an action on a table that touches no item, as the table would be.
pub(super) fn proposed(visit: &Visit<'_>, action: &str, table: &Table) -> Result<(), Refusal> {
    weigh(visit, action, &table.arn(visit.account()), Some(table), None, Context::complete())
}

/// Refuses an action that is on no table.
pub(super) fn account(visit: &Visit<'_>, action: &str) -> Result<(), Refusal> {
    authorize::identity(visit, action, "*", Context::complete())
}

/// Refuses the making of a table, under a key of the account or without.
pub(super) fn create(
    visit: &Visit<'_>,
    name: &str,
    key: Option<&kms::Key>,
    tags: &[Tag],
) -> Result<(), Refusal> {
    let arn = visit.regional_arn("dynamodb", &format!("table/{name}"));
    let mut context = Context::complete();
    for tag in tags {
        context = context.with(&format!("aws:RequestTag/{}", tag.key), &tag.value);
    }
    if !tags.is_empty() {
        context = context.with_all("aws:TagKeys", tags.iter().map(|tag| &tag.key));
        // <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Tagging.Operations.html>
        weigh(visit, "dynamodb:TagResource", &arn, None, None, context.clone())?;
    }
    weigh(visit, "dynamodb:CreateTable", &arn, None, key, context)
}

/// Refuses the putting of an existing table under a key of the account, which takes the same rights on the key as making it
/// there.
pub(super) fn move_to_key(visit: &Visit<'_>, key: &kms::Key) -> Result<(), Refusal> {
    for action in ["kms:DescribeKey", "kms:CreateGrant"] {
        kms::may_through(visit, key, action, "dynamodb").map_err(through_kms)?;
    }
    Ok(())
}

/// Refuses the use of a table's items, by the table or one of its indexes.
pub(super) fn items(
    visit: &Visit<'_>,
    action: &str,
    name: &str,
    index: Option<&str>,
    context: Context,
) -> Result<(), Refusal> {
    let index = index.map(|index| format!("/index/{index}")).unwrap_or_default();
    let arn = visit.regional_arn("dynamodb", &format!("table/{name}{index}"));
    let found = find::table(visit, name)?;
    let key = match &found {
        Some(table) => encryption::customer_key(visit, table)?,
        None => None,
    };
    let authority = key.as_ref().and_then(|key| key.key.as_ref());
    weigh(visit, action, &arn, found.as_ref(), authority, context)?;
    match (found, key) {
        (Some(table), Some(key)) if !key.usable => Err(encryption::inaccessible(&table)),
        _ => Ok(()),
    }
}

fn weigh(
    visit: &Visit<'_>,
    action: &str,
    arn: &str,
    table: Option<&Table>,
    key: Option<&kms::Key>,
    mut context: Context,
) -> Result<(), Refusal> {
    let table_arn = arn.split_once("/index/").map_or(arn, |(table, _)| table);
    visit.seen.resource(trail::TABLE, table_arn);
    let policies = CallerPolicies::of(visit.caller, visit.store, visit.policies)?;
    let caller = authorize::caller(visit);
    let mut sources = policies.sources(&caller, action, &visit.options.organization);
    let resource_policy = match table.and_then(|table| table.policy_at(visit.now)) {
        Some(policy) => Some(visit.policies.document(&resource_policy::rendered(visit, policy)?)?),
        None => None,
    };
    sources.resource = resource_policy.as_deref().map(|document| NamedPolicy::new(arn, document));
    for tag in table.map(|table| table.tags.as_slice()).unwrap_or_default() {
        context = context.with(&format!("aws:ResourceTag/{}", tag.key), &tag.value);
    }
    let context = authorize::surroundings(visit, context);
    let request = Request { caller: &caller, action, resource: arn, context };
    let authority = key.map(|key| kms::Authority::of(visit, key)).transpose()?;
    let key = authority.as_ref().map(kms::Authority::as_key);
    // An open answer only comes of rights that DynamoDB is not known to ask of its callers; the sandbox does not ask for them.
    match answer_table_access(&request, &sources, key.as_ref(), visit.region()) {
        Answer::Allowed | Answer::Depends(_) => {
            if let Some(authority) = &authority {
                visit.seen.through(asked(table_arn, authority, "Decrypt", None));
            }
            return Ok(());
        }
        Answer::Denied(_) => {}
    }
    let decision = decide_table_access(&request, &sources, key.as_ref(), visit.region());
    let message = decision.message().unwrap_or_default();
    if let Some(authority) = authority.as_ref().filter(|_| decision.action.starts_with("kms:")) {
        let operation = kms::operation(&decision.action);
        visit.seen.through(asked(table_arn, authority, operation, Some(message.clone())));
    }
    let refusal = authorize::denied(Service::DynamoDb, message);
    Err(if decision.action.starts_with("kms:") { through_kms(refusal) } else { refusal })
}

/// What DynamoDB asks of a table's key in the caller's name.
fn asked(table: &str, authority: &kms::Authority, operation: &str, refusal: Option<String>) -> Through {
    let name = table.split_once(":table/").map(|(_, name)| name.to_owned());
    Through {
        service: "dynamodb",
        operation: operation.to_owned(),
        key: authority.arn.clone(),
        table: name,
        refusal,
    }
}

/// How DynamoDB passes on that KMS has refused.
fn through_kms(refusal: Refusal) -> Refusal {
    Refusal { message: format!("KMS key access denied error: {}", refusal.message), ..refusal }
}
