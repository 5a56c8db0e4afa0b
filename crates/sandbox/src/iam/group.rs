//! Groups and their members: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Group.html>.

use super::records::{Entity, EntityKind, MEMBERSHIP};
use super::{entity, paging};
use crate::identity::entity_of;
use crate::visit::Visit;
use crate::wire::{Refusal, Reply, Xml};

pub(super) fn create(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let group = entity::new(visit, EntityKind::Group)?;
    entity::store(visit, &group)?;
    let mut xml = Xml::new();
    xml.element("Group", |xml| entity::describe(visit, &group, xml));
    Ok(xml.into())
}

/// Describes a group and lists its members.
pub(super) fn get(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let group = entity::of_call(visit, EntityKind::Group)?;
    let members = entities(visit, visit.store.sources(MEMBERSHIP, &group.id)?)?;
    let page = paging::at_hand(visit, members, |user| user.name.to_ascii_lowercase())?;
    let mut xml = Xml::new();
    xml.element("Group", |xml| entity::describe(visit, &group, xml));
    xml.list("Users", &page.items, |xml, user| entity::describe(visit, user, xml));
    page.finish(&mut xml);
    Ok(xml.into())
}

pub(super) fn list(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let prefix = visit.form().text("PathPrefix").unwrap_or("/");
    let page = paging::stored::<Entity>(visit, "group|", |group| group.path.starts_with(prefix))?;
    let mut xml = Xml::new();
    xml.list("Groups", &page.items, |xml, group| entity::describe(visit, group, xml));
    page.finish(&mut xml);
    Ok(xml.into())
}

pub(super) fn update(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    entity::rename(visit, EntityKind::Group)?;
    Ok(Reply::Empty)
}

pub(super) fn delete(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    entity::delete(visit, EntityKind::Group)?;
    Ok(Reply::Empty)
}

pub(super) fn add_user(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let group = entity::of_call(visit, EntityKind::Group)?;
    let user = entity::of_call(visit, EntityKind::User)?;
    let added = visit.store.link(MEMBERSHIP, &user.id, &group.id)?;
    if added && visit.store.targets(MEMBERSHIP, &user.id)?.len() > 10 {
        return Err(entity::limit("Cannot exceed quota for GroupsPerUser: 10"));
    }
    Ok(Reply::Empty)
}

pub(super) fn remove_user(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let group = entity::of_call(visit, EntityKind::Group)?;
    let user = entity::of_call(visit, EntityKind::User)?;
    visit.store.unlink(MEMBERSHIP, &user.id, &group.id)?;
    Ok(Reply::Empty)
}

pub(super) fn list_of_user(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let user = entity::of_call(visit, EntityKind::User)?;
    let groups = entities(visit, visit.store.targets(MEMBERSHIP, &user.id)?)?;
    let page = paging::at_hand(visit, groups, |group| group.name.to_ascii_lowercase())?;
    let mut xml = Xml::new();
    xml.list("Groups", &page.items, |xml, group| entity::describe(visit, group, xml));
    page.finish(&mut xml);
    Ok(xml.into())
}

/// The entities of these unique ids.
pub(super) fn entities(visit: &Visit<'_>, ids: Vec<String>) -> Result<Vec<Entity>, Refusal> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(entity_of(visit.store, &id)?);
    }
    Ok(found)
}
