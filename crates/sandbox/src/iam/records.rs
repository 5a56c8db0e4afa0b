//! What IAM remembers: users, groups, roles, managed policies, inline policies and access keys.
//!
//! Whatever belongs to a user, group or role hangs on its unique id, so that renaming moves nothing.

use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::store::{Document, Link};

/// From a user's unique id to the groups' unique ids.
pub(crate) const MEMBERSHIP: Link = "iam.membership";
/// From an entity's unique id to the ARNs of the managed policies attached to it.
pub(crate) const ATTACHMENT: Link = "iam.attachment";
/// From an entity's unique id to the ARN of the managed policy that is its boundary.
pub(crate) const BOUNDARY: Link = "iam.boundary";
/// From a user's unique id to the ids of its access keys.
pub(crate) const USER_KEY: Link = "iam.user-key";
/// From an instance profile's name to the unique id of its role.
pub(crate) const PROFILE_ROLE: Link = "iam.profile-role";

/// A tag; AWS keeps their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// The three kinds that policies can be attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EntityKind {
    User,
    Role,
    Group,
}

impl EntityKind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            EntityKind::User => "user",
            EntityKind::Role => "role",
            EntityKind::Group => "group",
        }
    }

    /// `User`, `Role`, `Group`, as in names of operations and fields.
    pub(crate) fn title(self) -> &'static str {
        match self {
            EntityKind::User => "User",
            EntityKind::Role => "Role",
            EntityKind::Group => "Group",
        }
    }

    fn id_prefix(self) -> &'static str {
        match self {
            EntityKind::User => "AIDA",
            EntityKind::Role => "AROA",
            EntityKind::Group => "AGPA",
        }
    }

    /// A new unique id for one of this kind.
    pub(crate) fn new_id(self) -> Result<String, crate::ids::RandomnessMissing> {
        crate::ids::unique_id(self.id_prefix())
    }
}

/// A user, group or role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entity {
    pub(crate) kind: EntityKind,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) created: Moment,
    /// When the other services learn of it.
    pub(crate) known_from: Moment,
    #[serde(default)]
    pub(crate) tags: Vec<Tag>,
    /// The ARN of the permissions boundary.
    #[serde(default)]
    pub(crate) boundary: Option<String>,
    /// What only a role has.
    #[serde(default)]
    pub(crate) role: Option<RolePart>,
}

/// What a role has beyond the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RolePart {
    pub(crate) trust: PrincipalPolicy,
    pub(crate) description: Option<String>,
    pub(crate) max_session_seconds: u32,
    pub(crate) last_used: Option<(Moment, String)>,
}

impl Entity {
    /// The key of the entity of that kind and name; names are unique without regard to case.
    pub(crate) fn key_of(kind: EntityKind, name: &str) -> String {
        format!("{}|{}", kind.word(), name.to_ascii_lowercase())
    }

    pub(crate) fn arn(&self, account: &str) -> String {
        format!("arn:aws:iam::{account}:{}{}{}", self.kind.word(), self.path, self.name)
    }
}

impl Document for Entity {
    const KIND: &'static str = "iam.entity";

    fn key(&self) -> String {
        Entity::key_of(self.kind, &self.name)
    }
}

/// Finds the entity that has a unique id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct UniqueId {
    pub(crate) id: String,
    /// The entity's key.
    pub(crate) entity: String,
}

impl Document for UniqueId {
    const KIND: &'static str = "iam.unique-id";

    fn key(&self) -> String {
        self.id.clone()
    }
}

/// A policy with principals, as it was put; the principals' unique ids tell when one of them is gone or another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PrincipalPolicy {
    pub(crate) text: String,
    /// ARN in the text, and the unique id of the user or role that it meant.
    pub(crate) principals: Vec<(String, String)>,
}

/// A managed policy of the account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ManagedPolicy {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    pub(crate) created: Moment,
    pub(crate) updated: Moment,
    pub(crate) default_version: u32,
    pub(crate) next_version: u32,
    pub(crate) versions: Vec<PolicyVersion>,
    #[serde(default)]
    pub(crate) tags: Vec<Tag>,
}

/// One version of a managed policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PolicyVersion {
    pub(crate) number: u32,
    pub(crate) document: String,
    pub(crate) created: Moment,
}

impl ManagedPolicy {
    pub(crate) fn version(&self, number: u32) -> Option<&PolicyVersion> {
        self.versions.iter().find(|version| version.number == number)
    }

    /// The text in force.
    pub(crate) fn document(&self) -> &str {
        self.version(self.default_version).map(|version| version.document.as_str()).unwrap_or_default()
    }
}

impl Document for ManagedPolicy {
    const KIND: &'static str = "iam.policy";

    fn key(&self) -> String {
        self.name.to_ascii_lowercase()
    }
}

/// A policy that is part of a user, group or role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct InlinePolicy {
    /// The entity's unique id.
    pub(crate) owner: String,
    pub(crate) name: String,
    pub(crate) document: String,
}

impl Document for InlinePolicy {
    const KIND: &'static str = "iam.inline-policy";

    fn key(&self) -> String {
        format!("{}|{}", self.owner, self.name)
    }
}

/// A lasting access key of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) secret: String,
    /// The user's unique id.
    pub(crate) owner: String,
    pub(crate) active: bool,
    pub(crate) created: Moment,
    pub(crate) known_from: Moment,
    pub(crate) last_used: Option<LastUse>,
}

/// When and for what a key was used last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastUse {
    pub(crate) at: Moment,
    pub(crate) service: String,
    pub(crate) region: String,
}

impl Document for AccessKey {
    const KIND: &'static str = "iam.access-key";

    fn key(&self) -> String {
        self.id.clone()
    }
}

/// An instance profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct InstanceProfile {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) created: Moment,
    #[serde(default)]
    pub(crate) tags: Vec<Tag>,
}

impl Document for InstanceProfile {
    const KIND: &'static str = "iam.instance-profile";

    fn key(&self) -> String {
        self.name.to_ascii_lowercase()
    }
}
