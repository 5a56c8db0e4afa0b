//! What KMS remembers: keys, aliases and grants, each in its region.

use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::iam::{PrincipalPolicy, Tag};
use crate::store::{Document, Link};

/// The deadline at which a key is gone; its key is the key's.
pub(crate) const DELETION: &str = "kms.deletion";
/// The deadline at which a key's material is rotated.
pub(crate) const ROTATION: &str = "kms.rotation";

/// From an alias's key to its KMS key's.
pub(crate) const ALIAS_OF: Link = "kms.alias-of";

/// A KMS key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) region: String,
    pub(crate) id: String,
    pub(crate) created: Moment,
    pub(crate) description: String,
    pub(crate) enabled: bool,
    /// When it will be gone, if its deletion is scheduled.
    pub(crate) deletion: Option<Moment>,
    pub(crate) usage: String,
    pub(crate) spec: String,
    pub(crate) origin: String,
    pub(crate) multi_region: bool,
    /// The service that it belongs to, for a key that AWS manages.
    pub(crate) managed_by: Option<String>,
    pub(crate) policy: PrincipalPolicy,
    #[serde(default)]
    pub(crate) tags: Vec<Tag>,
    pub(crate) rotation: Option<Rotation>,
    /// The last rotation that was asked for by hand.
    pub(crate) rotated_on_demand: Option<Moment>,
    /// The key material, newest last; empty until imported, and for the kinds that the sandbox has no material for.
    pub(crate) materials: Vec<Material>,
}

/// Automatic rotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rotation {
    pub(crate) period_days: u32,
    pub(crate) next: Moment,
}

/// One generation of key material.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Material {
    pub(crate) id: String,
    /// Base64 of the bytes.
    pub(crate) secret: String,
    pub(crate) created: Moment,
    /// `AUTOMATIC` or `ON_DEMAND`; absent for the first.
    pub(crate) rotation: Option<String>,
}

impl Key {
    pub(crate) fn key_of(region: &str, id: &str) -> String {
        format!("{region}|{id}")
    }

    pub(crate) fn arn_of(region: &str, account: &str, id: &str) -> String {
        format!("arn:aws:kms:{region}:{account}:key/{id}")
    }

    pub(crate) fn arn(&self, account: &str) -> String {
        Key::arn_of(&self.region, account, &self.id)
    }

    /// The state as AWS names it.
    pub(crate) fn state(&self) -> &'static str {
        if self.deletion.is_some() {
            "PendingDeletion"
        } else if self.origin == "EXTERNAL" && self.materials.is_empty() {
            "PendingImport"
        } else if self.enabled {
            "Enabled"
        } else {
            "Disabled"
        }
    }

    pub(crate) fn is_symmetric(&self) -> bool {
        self.spec == "SYMMETRIC_DEFAULT"
    }
}

impl Document for Key {
    const KIND: &'static str = "kms.key";

    fn key(&self) -> String {
        Key::key_of(&self.region, &self.id)
    }
}

/// An alias.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Alias {
    pub(crate) region: String,
    /// With `alias/` in front.
    pub(crate) name: String,
    /// The key's id.
    pub(crate) target: String,
    pub(crate) created: Moment,
    pub(crate) updated: Moment,
}

impl Alias {
    pub(crate) fn key_of(region: &str, name: &str) -> String {
        format!("{region}|{name}")
    }

    pub(crate) fn arn(&self, account: &str) -> String {
        format!("arn:aws:kms:{}:{account}:{}", self.region, self.name)
    }
}

impl Document for Alias {
    const KIND: &'static str = "kms.alias";

    fn key(&self) -> String {
        Alias::key_of(&self.region, &self.name)
    }
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) region: String,
    /// The key's id.
    pub(crate) target: String,
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) name: Option<String>,
    pub(crate) grantee: Grantee,
    pub(crate) retiring: Option<Grantee>,
    pub(crate) operations: Vec<String>,
    pub(crate) constraints: Option<Constraints>,
    pub(crate) created: Moment,
}

/// A principal of a grant: its name, and its unique id if it is a user or role of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grantee {
    pub(crate) written: String,
    pub(crate) unique_id: Option<String>,
}

/// What the encryption context must look like for a grant to count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Constraints {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) encryption_context_equals: Option<std::collections::BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) encryption_context_subset: Option<std::collections::BTreeMap<String, String>>,
}

impl Grant {
    /// What the keys of all grants of a key begin with.
    pub(crate) fn prefix_of(key: &Key) -> String {
        format!("{}|{}|", key.region, key.id)
    }
}

impl Document for Grant {
    const KIND: &'static str = "kms.grant";

    fn key(&self) -> String {
        format!("{}|{}|{}", self.region, self.target, self.id)
    }
}
