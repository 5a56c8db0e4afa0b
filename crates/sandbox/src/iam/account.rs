//! The account as a whole: its alias, its summary, everything in one answer; and what the sandbox's users never have.

use serde::{Deserialize, Serialize};

use super::managed::{self, Found};
use super::records::{
    ATTACHMENT, Entity, EntityKind, InlinePolicy, InstanceProfile, MEMBERSHIP, ManagedPolicy, PROFILE_ROLE,
};
use super::{check, entity, group, instance_profile, paging, role, version};
use crate::store::Document;
use crate::visit::Visit;
use crate::wire::{Refusal, Reply, Xml, encode};

/// The account's alias, of which there is at most one.
#[derive(Debug, Serialize, Deserialize)]
struct Alias {
    name: String,
}

impl Document for Alias {
    const KIND: &'static str = "iam.account-alias";

    fn key(&self) -> String {
        String::new()
    }
}

pub(super) fn create_alias(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let name = visit.argument("AccountAlias")?.to_owned();
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(3..=63).contains(&name.len())
        || !name.bytes().all(fits)
        || name.starts_with('-')
        || name.ends_with('-')
    {
        return Err(check::invalid(format!(
            "1 validation error detected: Value '{name}' at 'accountAlias' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z0-9]([a-z0-9]|-(?!-)){{1,61}}[a-z0-9]"
        )));
    }
    visit.store.put(&Alias { name })?;
    Ok(Reply::Empty)
}

pub(super) fn delete_alias(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let name = visit.argument("AccountAlias")?;
    if visit.store.get::<Alias>("")?.is_none_or(|alias| alias.name != name) {
        return Err(entity::not_found(format!("The account alias {name} cannot be found.")));
    }
    visit.store.delete::<Alias>("")?;
    Ok(Reply::Empty)
}

pub(super) fn list_aliases(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let names: Vec<String> = visit.store.get::<Alias>("")?.into_iter().map(|alias| alias.name).collect();
    let mut xml = Xml::new();
    xml.texts("AccountAliases", &names).text("IsTruncated", false);
    Ok(xml.into())
}

pub(super) fn summary(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let store = visit.store;
    let entries = [
        ("Users", store.count::<Entity>("user|")?),
        ("UsersQuota", 5000),
        ("Groups", store.count::<Entity>("group|")?),
        ("GroupsQuota", 300),
        ("Roles", store.count::<Entity>("role|")?),
        ("RolesQuota", 1000),
        ("Policies", store.count::<ManagedPolicy>("")?),
        ("PoliciesQuota", 1500),
        ("PolicySizeQuota", terrane_iam::PolicyUse::Managed.size_limit()),
        ("VersionsPerPolicyQuota", 5),
        ("AccessKeysPerUserQuota", 2),
        ("AttachedPoliciesPerUserQuota", 10),
        ("AttachedPoliciesPerRoleQuota", 10),
        ("AttachedPoliciesPerGroupQuota", 10),
        ("GroupsPerUserQuota", 10),
        ("InstanceProfiles", store.count::<InstanceProfile>("")?),
        ("GlobalEndpointTokenVersion", 1),
        ("AccountMFAEnabled", 0),
        ("AccountAccessKeysPresent", 1),
        ("MFADevices", 0),
        ("ServerCertificates", 0),
    ];
    let mut xml = Xml::new();
    xml.element("SummaryMap", |xml| {
        for (key, value) in entries {
            xml.element("entry", |xml| {
                xml.text("key", key).text("value", value);
            });
        }
    });
    Ok(xml.into())
}

/// An entry of the account's details, of one of four kinds.
enum Detail {
    Entity(Entity),
    Policy(Found),
}

impl Detail {
    fn key(&self) -> String {
        match self {
            Detail::Entity(entity) => entity.key(),
            Detail::Policy(Found::Own(policy)) => format!("zz|{}", policy.arn),
            Detail::Policy(Found::Aws(policy)) => format!("zz|{}", policy.arn),
        }
    }
}

/// Users, groups, roles and policies with all that belongs to them, in pages.
pub(super) fn details(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let filters = visit.form().texts("Filter");
    let wanted = |name: &str| filters.is_empty() || filters.iter().any(|filter| filter == name);
    let mut all: Vec<Detail> = Vec::new();
    for (filter, prefix) in [("User", "user|"), ("Group", "group|"), ("Role", "role|")] {
        if wanted(filter) {
            all.extend(visit.store.all::<Entity>(prefix)?.into_iter().map(Detail::Entity));
        }
    }
    if wanted("LocalManagedPolicy") {
        let own = visit.store.all::<ManagedPolicy>("")?;
        all.extend(own.into_iter().map(|policy| Detail::Policy(Found::Own(policy))));
    }
    if wanted("AWSManagedPolicy") {
        for policy in terrane_iam::managed::ALL {
            if !visit.store.sources(ATTACHMENT, policy.arn)?.is_empty() {
                all.push(Detail::Policy(Found::Aws(policy)));
            }
        }
    }
    let page = paging::at_hand(visit, all, Detail::key)?;
    let (mut users, mut groups, mut roles, mut policies) = (Xml::new(), Xml::new(), Xml::new(), Xml::new());
    for detail in &page.items {
        match detail {
            Detail::Entity(entity) => {
                let list = match entity.kind {
                    EntityKind::User => &mut users,
                    EntityKind::Group => &mut groups,
                    EntityKind::Role => &mut roles,
                };
                list.raw("member", entity_detail(visit, entity)?);
            }
            Detail::Policy(policy) => {
                policies.raw("member", policy_detail(visit, policy)?);
            }
        }
    }
    let mut xml = Xml::new();
    xml.raw("UserDetailList", users)
        .raw("GroupDetailList", groups)
        .raw("RoleDetailList", roles)
        .raw("Policies", policies);
    page.finish(&mut xml);
    Ok(xml.into())
}

fn entity_detail(visit: &Visit<'_>, subject: &Entity) -> Result<Xml, Refusal> {
    let mut xml = Xml::new();
    match subject.kind {
        EntityKind::Role => role::describe_all(visit, subject, &mut xml)?,
        EntityKind::User | EntityKind::Group => {
            entity::describe(visit, subject, &mut xml);
            entity::describe_more(subject, &mut xml);
        }
    }
    let inline = visit.store.all::<InlinePolicy>(&format!("{}|", subject.id))?;
    xml.list(&format!("{}PolicyList", subject.kind.title()), &inline, |xml, policy| {
        xml.text("PolicyName", &policy.name).text("PolicyDocument", encode(&policy.document));
    });
    let attached = visit.store.targets(ATTACHMENT, &subject.id)?;
    xml.list("AttachedManagedPolicies", &attached, |xml, arn| super::attachment::describe(xml, arn));
    if subject.kind == EntityKind::User {
        let groups = group::entities(visit, visit.store.targets(MEMBERSHIP, &subject.id)?)?;
        let names: Vec<String> = groups.into_iter().map(|group| group.name).collect();
        xml.texts("GroupList", &names);
    }
    if subject.kind == EntityKind::Role {
        let mut profiles = Xml::new();
        for key in visit.store.sources(PROFILE_ROLE, &subject.id)? {
            if let Some(profile) = visit.store.get::<InstanceProfile>(&key)? {
                profiles.raw("member", instance_profile::describe(visit, &profile)?);
            }
        }
        xml.raw("InstanceProfileList", profiles);
    }
    Ok(xml)
}

fn policy_detail(visit: &Visit<'_>, policy: &Found) -> Result<Xml, Refusal> {
    let mut xml = Xml::new();
    managed::describe(visit, policy, &mut xml)?;
    let versions = match policy {
        Found::Own(own) => own
            .versions
            .iter()
            .map(|one| (one.number, one.document.clone(), one.created, one.number == own.default_version))
            .collect(),
        Found::Aws(aws) => vec![(1, aws.document.to_owned(), visit.now, true)],
    };
    xml.list("PolicyVersionList", &versions, |xml, (number, document, created, is_default)| {
        xml.text("Document", encode(document));
        version::describe(xml, *number, *is_default, *created);
    });
    Ok(xml)
}

/// A list of something that the sandbox has none of, for a user that must exist.
pub(super) fn none_of_user(visit: &Visit<'_>, list: &str) -> Result<Reply, Refusal> {
    entity::user_or_caller(visit)?;
    none(list)
}

/// A list of something that the sandbox has none of.
pub(super) fn none(list: &str) -> Result<Reply, Refusal> {
    let mut xml = Xml::new();
    xml.texts(list, &[]).text("IsTruncated", false);
    Ok(xml.into())
}

/// Users of the sandbox have no password.
pub(super) fn no_login_profile(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let user = entity::of_call(visit, EntityKind::User)?;
    Err(entity::not_found(format!("Login Profile for User {} cannot be found.", user.name)))
}
