//! What the sandbox remembers of a table beside its keys and items, which the engine of the items keeps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Moment;
use crate::iam::Tag;
use crate::store::Document;

/// The deadline at which a table under deletion is gone.
pub(crate) const DELETION: &str = "dynamodb.deletion";

/// What is being done to a table or index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Work {
    Creating,
    Updating,
    Deleting,
}

impl Work {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Work::Creating => "CREATING",
            Work::Updating => "UPDATING",
            Work::Deleting => "DELETING",
        }
    }
}

/// Work that lasts until a moment; afterwards the table or index is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Phase {
    pub(crate) work: Work,
    pub(crate) until: Moment,
}

impl Phase {
    /// What is still being done.
    pub(crate) fn at(self, now: Moment) -> Option<Work> {
        (self.work == Work::Deleting || now < self.until).then_some(self.work)
    }
}

/// A table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) created: Moment,
    /// The name of the partition key.
    pub(crate) partition_key: String,
    pub(crate) phase: Phase,
    pub(crate) encryption: Option<Encryption>,
    pub(crate) indexes: BTreeMap<String, Index>,
    #[serde(default)]
    pub(crate) tags: Vec<Tag>,
    pub(crate) time_to_live: Option<TimeToLive>,
    pub(crate) backups: Option<Backups>,
    pub(crate) resource_policy: Option<ResourcePolicy>,
    /// What goes for the policy until its last change is known everywhere.
    #[serde(default)]
    pub(crate) resource_policy_before: Option<PolicyBefore>,
    /// When the table was last switched to on-demand.
    pub(crate) on_demand_since: Option<Moment>,
    pub(crate) class_changed: Option<Moment>,
    /// Names of indexes with contributor insights; the empty name is the table.
    #[serde(default)]
    pub(crate) insights: BTreeMap<String, Moment>,
    /// The last description of a table under deletion, whose items are gone already.
    pub(crate) last_description: Option<Value>,
}

/// Encryption with a key in KMS. Without it the table is under a key that AWS owns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Encryption {
    /// The key's id in the table's region.
    pub(crate) key: String,
    /// Whether the key is the account's own; else AWS manages it for DynamoDB.
    pub(crate) customer: bool,
    /// Until when a change of the encryption is under way.
    pub(crate) changing_until: Option<Moment>,
}

/// What a global secondary index has beyond its keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Index {
    pub(crate) phase: Phase,
    /// Provisioned read and write capacity; zero on demand.
    pub(crate) capacity: (i64, i64),
    pub(crate) on_demand: Option<Value>,
}

/// The attribute by which items expire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TimeToLive {
    pub(crate) attribute: String,
    pub(crate) enabled: bool,
    pub(crate) changing_until: Moment,
}

/// Point-in-time recovery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Backups {
    pub(crate) since: Moment,
    pub(crate) period_days: i64,
}

/// A policy attached to the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResourcePolicy {
    pub(crate) text: String,
    pub(crate) revision: String,
    /// The users and roles that it names, as it names them, each with the unique id.
    #[serde(default)]
    pub(crate) principals: Vec<(String, String)>,
}

/// A policy, or that there was none, and until when that goes on to count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PolicyBefore {
    pub(crate) policy: Option<ResourcePolicy>,
    pub(crate) until: Moment,
}

impl Table {
    /// The policy that counts at a moment.
    pub(crate) fn policy_at(&self, now: Moment) -> Option<&ResourcePolicy> {
        match &self.resource_policy_before {
            Some(before) if now < before.until => before.policy.as_ref(),
            _ => self.resource_policy.as_ref(),
        }
    }

    pub(crate) fn key_of(region: &str, name: &str) -> String {
        format!("{region}|{name}")
    }

    pub(crate) fn arn(&self, account: &str) -> String {
        format!("arn:aws:dynamodb:{}:{account}:table/{}", self.region, self.name)
    }
}

impl Document for Table {
    const KIND: &'static str = "dynamodb.table";

    fn key(&self) -> String {
        Table::key_of(&self.region, &self.name)
    }
}
