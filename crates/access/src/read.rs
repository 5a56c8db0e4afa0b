//! Reads the estate from the objects of a stack, by the names of the AWS provider's attributes.

mod principals;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrane_iam::{Document, Grant, GrantConstraint};

use crate::estate::{Encryption, Estate, Item, Key, Policy, Table};
use value::{Text, documents, field, is_true, pairs, tags, text, texts};

/// The text of the policy that a key has when none is given: it leaves everything to the account's IAM policies.
///
/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html>
pub fn first_key_policy(partition: &str, account: &str) -> String {
    let statement = format!(
        r#"{{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{{"AWS":"arn:{partition}:iam::{account}:root"}},"Action":"kms:*","Resource":"*"}}"#
    );
    format!(r#"{{"Version":"2012-10-17","Id":"key-default-1","Statement":[{statement}]}}"#)
}

/// The objects of a stack by type.
pub(crate) struct Items<'a> {
    by_type: BTreeMap<&'a str, Vec<Item<'a>>>,
    /// Policies and attachments of users, roles and groups: their places by type and holder, where nothing stands for one
    /// that is not known.
    held: BTreeMap<&'a str, BTreeMap<Option<String>, Vec<usize>>>,
}

impl<'a> Items<'a> {
    fn new(all: Vec<Item<'a>>) -> Items<'a> {
        let mut by_type: BTreeMap<&str, Vec<Item<'_>>> = BTreeMap::new();
        for item in all {
            by_type.entry(item.type_name).or_default().push(item);
        }
        let mut held: BTreeMap<&str, BTreeMap<Option<String>, Vec<usize>>> = BTreeMap::new();
        for (type_name, items) in &by_type {
            let Some(kind) = ["user", "role", "group"].into_iter().find(|kind| {
                let rest = type_name.strip_prefix("aws_iam_").and_then(|rest| rest.strip_prefix(kind));
                matches!(rest, Some("_policy" | "_policy_attachment"))
            }) else {
                continue;
            };
            let by_holder = held.entry(type_name).or_default();
            for (place, item) in items.iter().enumerate() {
                match text(item.value, kind) {
                    Text::Known(holder) => by_holder.entry(Some(holder)).or_default().push(place),
                    Text::Unknown => by_holder.entry(None).or_default().push(place),
                    Text::Absent => {}
                }
            }
        }
        Items { by_type, held }
    }

    /// The policies or attachments that are, or may be, a holder's: all of them for one whose name is not known.
    pub(crate) fn held_by(&self, type_name: &str, holder: Option<&str>) -> Vec<&Item<'a>> {
        let Some(by_holder) = self.held.get(type_name) else { return vec![] };
        let mut places: Vec<usize> = match holder {
            Some(holder) => {
                let own = by_holder.get(&Some(holder.to_owned()));
                own.into_iter().chain(by_holder.get(&None)).flatten().copied().collect()
            }
            None => by_holder.values().flatten().copied().collect(),
        };
        places.sort_unstable();
        let items = self.of(type_name);
        places.into_iter().filter_map(|place| items.get(place)).collect()
    }

    pub(crate) fn of(&self, type_name: &str) -> &[Item<'a>] {
        self.by_type.get(type_name).map(Vec::as_slice).unwrap_or_default()
    }
}

pub(crate) fn policy(item: &Item<'_>, attribute: &str) -> Policy {
    let document = match text(item.value, attribute) {
        Text::Known(text) => Document::parse(&text).ok().map(Arc::new),
        Text::Absent | Text::Unknown => None,
    };
    Policy { document, ..Policy::unknown(item.address, item.place) }
}

pub(crate) fn estate(items: Vec<Item<'_>>, account: Option<&str>) -> Estate {
    let items = Items::new(items);
    let all = items.by_type.values().flatten();
    let accounts: BTreeSet<String> = all.filter_map(account_of).chain(account.map(str::to_owned)).collect();
    let first = || items.by_type.values().flatten().find_map(account_of);
    let account = account.map(str::to_owned).or_else(first);
    let mut estate = Estate { account, accounts, ..Estate::default() };
    estate.keys = keys(&items, estate.account.as_deref());
    estate.aliases = aliases(&items);
    tables(&items, &mut estate);
    principals::read(&items, &mut estate);
    estate.arns = addresses(&items);
    estate.index();
    estate
}

/// Somebody whom a question names by an ARN, and nothing in the stack does.
pub(crate) fn stranger(arn: &str, estate: &Estate) -> Option<crate::estate::Principal> {
    principals::stranger(
        &("AWS".to_owned(), arn.to_owned()),
        &|account| estate.is_own(account),
        &BTreeSet::new(),
    )
}

/// The account that an object is in: that of its ARN, else that of its provider.
pub(crate) fn account_of(item: &Item<'_>) -> Option<String> {
    let arn = text(item.value, "arn").known();
    let field = arn.as_deref().and_then(|arn| arn.split(':').nth(4));
    field.filter(|field| field.len() == 12).or(item.account).map(str::to_owned)
}

/// Whether two objects may be in one account: they are not where both accounts are known and differ.
pub(crate) fn may_share(one: Option<&str>, other: Option<&str>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

/// The ARNs of the keys of the stack's aliases.
fn aliases(items: &Items<'_>) -> BTreeMap<String, String> {
    let one = |alias: &Item<'_>| {
        let key = text(alias.value, "target_key_arn").known().or_else(|| {
            let id = text(alias.value, "target_key_id").known()?;
            let is_key = |key: &&Item<'_>| text(key.value, "key_id").known().as_deref() == Some(&id);
            let key = items.of("aws_kms_key").iter().find(is_key);
            key.and_then(|key| text(key.value, "arn").known())
                .or_else(|| id.starts_with("arn:").then_some(id))
        });
        Some((text(alias.value, "arn").known()?, key?))
    };
    items.of("aws_kms_alias").iter().filter_map(one).collect()
}

fn addresses(items: &Items<'_>) -> BTreeMap<String, String> {
    let all = items.by_type.values().flatten();
    all.filter_map(|item| Some((item.address.to_owned(), text(item.value, "arn").known()?))).collect()
}

fn keys(items: &Items<'_>, account: Option<&str>) -> Vec<Key> {
    let mut keys: Vec<(Key, String)> = Vec::new();
    for item in items.of("aws_kms_key") {
        // An ARN that is not known can't be told from another; the address stands for it.
        let arn = text(item.value, "arn").known().unwrap_or_else(|| item.address.to_owned());
        let id = text(item.value, "key_id").known().unwrap_or_default();
        let mut policy = policy(item, "policy");
        let absent = matches!(text(item.value, "policy"), Text::Absent);
        let own = account_of(item);
        if let (true, Some(account)) = (absent, own.as_deref().or(account)) {
            let partition = arn.strip_prefix("arn:").and_then(|rest| rest.split(':').next());
            let text = first_key_policy(partition.unwrap_or("aws"), account);
            policy.document = Document::parse(&text).ok().map(Arc::new);
        }
        let (grants, tags) = (vec![], tags(item.value));
        keys.push((Key { address: Some(item.address.to_owned()), arn, policy, grants, tags }, id));
    }
    for item in items.of("aws_kms_key_policy") {
        let named = text(item.value, "key_id");
        for (key, id) in &mut keys {
            match about(key, id, &named) {
                Some(true) => key.policy = policy(item, "policy"),
                Some(false) => {}
                // It may be this key's.
                None => key.policy.document = None,
            }
        }
    }
    for item in items.of("aws_kms_grant") {
        let named = text(item.value, "key_id");
        for (key, id) in &mut keys {
            match about(key, id, &named) {
                Some(true) => key.grants.push(grant(item)),
                Some(false) => {}
                None => key.grants.push(Grant { grantee: Text::Unknown.or_open(), ..grant(item) }),
            }
        }
    }
    keys.into_iter().map(|(key, _)| key).collect()
}

/// Whether an object that names a key is about this one; nothing when that can't be told.
fn about(key: &Key, id: &str, named: &Text) -> Option<bool> {
    match named {
        Text::Known(named) => Some(key.arn == *named || (!id.is_empty() && id == named)),
        Text::Absent => Some(false),
        Text::Unknown => None,
    }
}

/// Operations that a grant can be for, where it is not known for which it is.
const GRANTABLE: [&str; 8] = [
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
    "CreateGrant",
    "DescribeKey",
];

/// A grant; where something of it is not known, to somebody who is not known, so that what hangs on it stays open.
fn grant(item: &Item<'_>) -> Grant {
    let blocks = field(item.value, "constraints");
    let constraints = blocks.map(terrane_model::Value::elements).unwrap_or_default();
    let mut open = blocks.is_some_and(|value| !value.is_wholly_known());
    let constraint = constraints.first().and_then(|block| {
        let of = |name: &str| pairs(block, name).filter(|pairs| !pairs.is_empty());
        let equals = of("encryption_context_equals").map(GrantConstraint::Equals);
        equals.or_else(|| of("encryption_context_subset").map(GrantConstraint::Subset))
    });
    let operations = texts(item.value, "operations").unwrap_or_else(|| {
        open = true;
        GRANTABLE.map(str::to_owned).to_vec()
    });
    let grantee = if open { Text::Unknown } else { text(item.value, "grantee_principal") };
    Grant { id: item.address.to_owned(), grantee: grantee.or_open(), operations, constraint }
}

fn tables(items: &Items<'_>, estate: &mut Estate) {
    for item in items.of("aws_dynamodb_table") {
        let arn = text(item.value, "arn").known().unwrap_or_else(|| item.address.to_owned());
        let encryption = encryption(item, estate);
        let sure = documents(items, "aws_dynamodb_resource_policy", "resource_arn", &arn).next();
        let policy = sure.map(|item| policy(item, "policy")).or_else(|| {
            let all = items.of("aws_dynamodb_resource_policy").iter();
            let mut open = all.filter(|item| text(item.value, "resource_arn") == Text::Unknown);
            open.next().map(|item| Policy::unknown(item.address, item.place))
        });
        let tags = tags(item.value);
        estate.tables.push(Table { address: item.address.to_owned(), arn, encryption, policy, tags });
    }
}

fn encryption(item: &Item<'_>, estate: &mut Estate) -> Encryption {
    let blocks = match field(item.value, "server_side_encryption") {
        Some(value) if value.is_unknown() => return Encryption::Unknown,
        Some(value) => value.elements(),
        None => return Encryption::ByDynamoDb,
    };
    let Some(block) = blocks.first() else { return Encryption::ByDynamoDb };
    if field(block, "enabled").is_some_and(terrane_model::Value::is_unknown) {
        return Encryption::Unknown;
    }
    if !is_true(block, "enabled") {
        return Encryption::ByDynamoDb;
    }
    let named = match text(block, "kms_key_arn") {
        Text::Known(named) if !named.is_empty() => named,
        Text::Unknown => return Encryption::Unknown,
        Text::Known(_) | Text::Absent => return Encryption::ByAccountsKey,
    };
    if named.ends_with("alias/aws/dynamodb") {
        return Encryption::ByAccountsKey;
    }
    let target = estate.aliases.get(&named).cloned();
    let named = target.unwrap_or(named);
    let known = estate.keys.iter().position(|key| key.arn == named);
    let number = known.unwrap_or_else(|| {
        // A key of somebody else: what its policy says is not known here.
        let policy = Policy::unknown(named.clone(), None);
        let (grants, tags) = (vec![], None);
        estate.keys.push(Key { address: None, arn: named, policy, grants, tags });
        estate.keys.len() - 1
    });
    Encryption::By(number)
}
