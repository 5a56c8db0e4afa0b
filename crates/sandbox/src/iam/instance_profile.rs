//! Instance profiles: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_InstanceProfile.html>.

use super::records::{EntityKind, InstanceProfile, PROFILE_ROLE};
use super::{check, entity, group, paging, role};
use crate::ids;
use crate::store::Document;
use crate::visit::Visit;
use crate::wire::{Refusal, Reply, Xml};

pub(super) fn of_call(visit: &Visit<'_>) -> Result<InstanceProfile, Refusal> {
    let name = visit.argument("InstanceProfileName")?;
    check::name("InstanceProfileName", name, 128)?;
    let found = visit.store.get::<InstanceProfile>(&name.to_ascii_lowercase())?;
    found
        .filter(|profile| profile.name == name)
        .ok_or_else(|| entity::not_found(format!("Instance Profile {name} cannot be found.")))
}

pub(super) fn create(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let name = visit.argument("InstanceProfileName")?.to_owned();
    check::name("InstanceProfileName", &name, 128)?;
    let path = visit.form().text("Path").unwrap_or("/").to_owned();
    check::path("Path", &path)?;
    if visit.store.get::<InstanceProfile>(&name.to_ascii_lowercase())?.is_some() {
        return Err(entity::exists(format!("Instance Profile {name} already exists.")));
    }
    let profile = InstanceProfile {
        name,
        path,
        id: ids::unique_id("AIPA")?,
        created: visit.now,
        tags: check::tags(visit.form())?,
    };
    visit.store.put(&profile)?;
    described(visit, &profile)
}

pub(super) fn get(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    described(visit, &of_call(visit)?)
}

fn described(visit: &Visit<'_>, profile: &InstanceProfile) -> Result<Reply, Refusal> {
    let mut xml = Xml::new();
    xml.raw("InstanceProfile", describe(visit, profile)?);
    Ok(xml.into())
}

pub(super) fn describe(visit: &Visit<'_>, profile: &InstanceProfile) -> Result<Xml, Refusal> {
    let mut xml = Xml::new();
    xml.text("Path", &profile.path)
        .text("InstanceProfileName", &profile.name)
        .text("InstanceProfileId", &profile.id)
        .text("Arn", visit.iam_arn(&format!("instance-profile{}{}", profile.path, profile.name)))
        .text("CreateDate", profile.created.iso());
    let mut roles = Xml::new();
    for found in group::entities(visit, visit.store.targets(PROFILE_ROLE, &profile.key())?)? {
        let mut inside = Xml::new();
        role::describe_all(visit, &found, &mut inside)?;
        roles.raw("member", inside);
    }
    xml.raw("Roles", roles);
    if !profile.tags.is_empty() {
        entity::describe_tags(&profile.tags, &mut xml);
    }
    Ok(xml)
}

pub(super) fn list(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let prefix = visit.form().text("PathPrefix").unwrap_or("/");
    let page = paging::stored::<InstanceProfile>(visit, "", |profile| profile.path.starts_with(prefix))?;
    listed(visit, &page)
}

pub(super) fn list_of_role(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let role = entity::of_call(visit, EntityKind::Role)?;
    let mut profiles = Vec::new();
    for key in visit.store.sources(PROFILE_ROLE, &role.id)? {
        profiles.extend(visit.store.get::<InstanceProfile>(&key)?);
    }
    let page = paging::at_hand(visit, profiles, InstanceProfile::key)?;
    listed(visit, &page)
}

fn listed(visit: &Visit<'_>, page: &paging::Page<InstanceProfile>) -> Result<Reply, Refusal> {
    let mut members = Xml::new();
    for profile in &page.items {
        members.raw("member", describe(visit, profile)?);
    }
    let mut xml = Xml::new();
    xml.raw("InstanceProfiles", members);
    page.finish(&mut xml);
    Ok(xml.into())
}

pub(super) fn add_role(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let profile = of_call(visit)?;
    let role = entity::of_call(visit, EntityKind::Role)?;
    if !visit.store.targets(PROFILE_ROLE, &profile.key())?.is_empty() {
        return Err(entity::limit("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"));
    }
    visit.store.link(PROFILE_ROLE, &profile.key(), &role.id)?;
    Ok(Reply::Empty)
}

pub(super) fn remove_role(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let profile = of_call(visit)?;
    let role = entity::of_call(visit, EntityKind::Role)?;
    if visit.store.unlink(PROFILE_ROLE, &profile.key(), &role.id)? {
        return Ok(Reply::Empty);
    }
    Err(entity::no_such(EntityKind::Role, &role.name))
}

pub(super) fn delete(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let profile = of_call(visit)?;
    if !visit.store.targets(PROFILE_ROLE, &profile.key())?.is_empty() {
        return Err(entity::conflict("Cannot delete entity, must remove roles from instance profile first."));
    }
    visit.store.delete::<InstanceProfile>(&profile.key())?;
    Ok(Reply::Empty)
}
