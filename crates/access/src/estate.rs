//! The estate: every principal, policy, key and table of a stack, as far as its values say.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use terrane_iam::managed::AwsManaged;
use terrane_iam::{Caller, Document, Grant, NamedPolicy};
use terrane_model::Value;

use crate::organization::Organization;

/// One object of a stack: its address, its type and its value.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// The address, such as `aws_iam_user.reader`.
    pub address: &'a str,
    /// The type, such as `aws_iam_user`.
    pub type_name: &'a str,
    /// The object, in the shape of the type's schema. Unknown parts are those that nobody can know yet.
    pub value: &'a Value,
    /// Where it is declared, such as `terrane.toml:12`.
    pub place: Option<&'a str>,
    /// The account that its provider works in, where that is known.
    pub account: Option<&'a str>,
}

/// A policy of the estate.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The address of the resource that declares it, or the ARN of one that is not of this stack.
    pub name: String,
    /// The document; nothing when its text is not known.
    pub document: Option<Arc<Document>>,
    /// Where it is declared.
    pub place: Option<Arc<str>>,
    /// The policy of AWS's whose text this is: it may be known for the actions of some services only.
    pub by_aws: Option<&'static AwsManaged>,
}

impl Policy {
    /// A policy of which only the name is known.
    pub fn unknown(name: impl Into<String>, place: Option<&str>) -> Policy {
        Policy { name: name.into(), document: None, place: place.map(Arc::from), by_aws: None }
    }

    /// The policy, whatever the action.
    pub(crate) fn whole(&self) -> NamedPolicy<'_> {
        match &self.document {
            Some(document) => NamedPolicy::new(self.name.clone(), document),
            None => NamedPolicy::unknown(self.name.clone()),
        }
    }

    /// The policy as far as it speaks of an action.
    pub(crate) fn about(&self, action: &str) -> NamedPolicy<'_> {
        let whole = self.by_aws.is_none_or(|policy| policy.is_whole_for(action));
        match &self.document {
            Some(document) if whole => NamedPolicy::new(self.name.clone(), document),
            _ => NamedPolicy::unknown(self.name.clone()),
        }
    }
}

/// What kind of principal it is, and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Anybody at all, without an account of AWS.
    Public,
    /// Another account, or somebody in one.
    OtherAccount,
    /// A service of AWS.
    Service,
    /// The root user of the stack's account.
    Root,
    /// A user or role of the stack.
    Managed,
    /// Somebody of the same account whom only a policy names: their own policies are not known here.
    Named,
}

/// Somebody who may ask.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The ARN of the user or role (not of a session), the name of a service, or `*`.
    pub arn: String,
    /// The address of the resource, when it is one of the stack.
    pub address: Option<String>,
    /// As whom they ask.
    pub caller: Caller,
    /// Where they come from.
    pub origin: Origin,
    /// Inline and attached policies.
    pub identity: Vec<Policy>,
    /// The policies of groups, by the name of the group.
    pub groups: Vec<(String, Vec<Policy>)>,
    /// The permissions boundary.
    pub boundary: Option<Policy>,
    /// The trust policy of a role.
    pub trust: Option<Policy>,
    /// Tags, for `aws:PrincipalTag`; nothing when they are not known.
    pub tags: Option<Vec<(String, String)>>,
}

impl Principal {
    /// How people know them: the address where there is one, else the ARN.
    pub fn label(&self) -> &str {
        self.address.as_deref().unwrap_or(&self.arn)
    }
}

/// A customer-managed key.
#[derive(Clone, Debug)]
pub struct Key {
    /// The address of the resource; nothing for one that only an ARN names.
    pub address: Option<String>,
    /// The ARN.
    pub arn: String,
    /// The policy.
    pub policy: Policy,
    /// Grants that are in force.
    pub grants: Vec<Grant>,
    /// Its tags; nothing when they are not known.
    pub tags: Option<Vec<(String, String)>>,
}

/// How the items of a table are encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// By a key that AWS owns: no right on a key is asked of anybody.
    ByDynamoDb,
    /// By the key that AWS manages for DynamoDB in the account: it lets everybody of the account through, and nobody else.
    ByAccountsKey,
    /// By a key of the estate: its number in [`Estate::keys`].
    By(usize),
    /// It can't be told by which key.
    Unknown,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// The address of the resource.
    pub address: String,
    /// The ARN.
    pub arn: String,
    /// How its items are encrypted.
    pub encryption: Encryption,
    /// The policy attached to the table.
    pub policy: Option<Policy>,
    /// Its tags; nothing when they are not known.
    pub tags: Option<Vec<(String, String)>>,
}

/// What an ARN is in an estate, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Table(usize),
    Key(usize),
    Principal(usize),
}

/// Everything that bears on access in a stack.
#[derive(Clone, Debug, Default)]
pub struct Estate {
    /// The account that the stack lives in: of several that of the provider's default configuration.
    pub account: Option<String>,
    /// All accounts that objects of the stack are in.
    pub accounts: BTreeSet<String>,
    /// Principals, sorted by origin and ARN. Anybody, the root user and everybody whom a policy names are among them.
    pub principals: Vec<Principal>,
    /// Keys.
    pub keys: Vec<Key>,
    /// Tables.
    pub tables: Vec<Table>,
    /// What the organization of the account lets it do.
    pub organization: Organization,
    /// What is where, by ARN.
    pub(crate) places: HashMap<String, Place>,
    /// The ARNs of keys by the ARNs of their aliases.
    pub(crate) aliases: BTreeMap<String, String>,
    /// Addresses of objects that can be named in questions, with their ARNs.
    pub(crate) arns: BTreeMap<String, String>,
    /// Principals that a policy names, that are of the stack's account, and that the stack does not have.
    pub strangers: BTreeSet<String>,
}

/// Types that would bear on access and are not read: what they attach, or that they take others away, is not seen.
pub const UNREAD: &[&str] = &[
    "aws_iam_group_policies_exclusive",
    "aws_iam_group_policy_attachments_exclusive",
    "aws_iam_openid_connect_provider",
    "aws_iam_policy_attachment",
    "aws_iam_role_policies_exclusive",
    "aws_iam_role_policy_attachments_exclusive",
    "aws_iam_saml_provider",
    "aws_iam_service_linked_role",
    "aws_iam_user_policies_exclusive",
    "aws_iam_user_policy_attachments_exclusive",
    "aws_kms_external_key",
    "aws_kms_replica_external_key",
    "aws_kms_replica_key",
    "aws_organizations_policy",
    "aws_organizations_policy_attachment",
];

/// The types that bear on access.
pub const TYPES: &[&str] = &[
    "aws_dynamodb_resource_policy",
    "aws_dynamodb_table",
    "aws_iam_group",
    "aws_iam_group_membership",
    "aws_iam_group_policy",
    "aws_iam_group_policy_attachment",
    "aws_iam_policy",
    "aws_iam_role",
    "aws_iam_role_policy",
    "aws_iam_role_policy_attachment",
    "aws_iam_user",
    "aws_iam_user_group_membership",
    "aws_iam_user_policy",
    "aws_iam_user_policy_attachment",
    "aws_kms_alias",
    "aws_kms_grant",
    "aws_kms_key",
    "aws_kms_key_policy",
];

impl Estate {
    /// Reads the estate from the objects of a stack. `account` is the account that the stack is applied in.
    pub fn new<'a>(items: impl IntoIterator<Item = Item<'a>>, account: Option<&str>) -> Estate {
        crate::read::estate(items.into_iter().collect(), account)
    }

    /// The principal with an ARN or address; sessions of a role are the role.
    pub fn principal(&self, name: &str) -> Option<&Principal> {
        self.principals.iter().find(|p| p.arn == name || p.address.as_deref() == Some(name))
    }

    /// Whether somebody's account is one of the stack's.
    pub(crate) fn is_own(&self, account: &str) -> bool {
        self.accounts.contains(account)
    }

    /// The ARN that an address or an ARN stands for.
    pub fn arn_of<'n>(&'n self, name: &'n str) -> Option<&'n str> {
        match self.arns.get(name) {
            Some(arn) => Some(arn),
            None => (name.starts_with("arn:") || name == "*").then_some(name),
        }
    }

    /// The addresses that can be named in questions.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.arns.keys().map(String::as_str)
    }

    /// How people know a resource: the address where there is one, else the ARN.
    pub fn label_of<'n>(&'n self, arn: &'n str) -> &'n str {
        let label = match self.places.get(arn) {
            Some(Place::Table(number)) => self.tables.get(*number).map(|table| table.address.as_str()),
            Some(Place::Key(number)) => self.keys.get(*number).and_then(|key| key.address.as_deref()),
            Some(Place::Principal(number)) => self.principals.get(*number).map(Principal::label),
            None => None,
        };
        label.unwrap_or(arn)
    }

    /// Notes what is where; to be done when everything is there.
    pub(crate) fn index(&mut self) {
        let principals =
            self.principals.iter().enumerate().map(|(n, p)| (p.arn.clone(), Place::Principal(n)));
        let keys = self.keys.iter().enumerate().map(|(n, key)| (key.arn.clone(), Place::Key(n)));
        let tables = self.tables.iter().enumerate().map(|(n, table)| (table.arn.clone(), Place::Table(n)));
        self.places = principals.chain(keys).chain(tables).collect();
    }

    /// Where a policy of a decision's chain is declared, by the name that the chain gives it.
    pub fn place_of(&self, policy: &str) -> Option<&str> {
        let own = self.principals.iter().flat_map(|p| {
            let groups = p.groups.iter().flat_map(|(_, policies)| policies);
            p.identity.iter().chain(groups).chain(&p.boundary).chain(&p.trust)
        });
        let keys = self.keys.iter().find(|key| key.arn == policy).map(|key| &key.policy);
        let tables = self.tables.iter().filter_map(|table| table.policy.as_ref());
        let own = own.chain(self.organization.policies());
        keys.or_else(|| own.chain(tables).find(|p| p.name == policy)).and_then(|p| p.place.as_deref())
    }
}
