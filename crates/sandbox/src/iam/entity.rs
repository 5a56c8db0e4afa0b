//! What users, groups and roles have in common: being found, stored, renamed, described and deleted.

use super::check;
use super::records::{
    ATTACHMENT, BOUNDARY, Entity, EntityKind, InlinePolicy, MEMBERSHIP, PROFILE_ROLE, Tag, USER_KEY, UniqueId,
};
use crate::identity::Identity;
use crate::store::Document;
use crate::visit::Visit;
use crate::wire::{Refusal, Xml};

pub(super) fn no_such(kind: EntityKind, name: &str) -> Refusal {
    not_found(format!("The {} with name {name} cannot be found.", kind.word()))
}

pub(super) fn not_found(message: impl Into<String>) -> Refusal {
    Refusal::with_status(404, "NoSuchEntity", message)
}

pub(super) fn exists(message: impl Into<String>) -> Refusal {
    Refusal::with_status(409, "EntityAlreadyExists", message)
}

pub(super) fn conflict(message: impl Into<String>) -> Refusal {
    Refusal::with_status(409, "DeleteConflict", message)
}

pub(super) fn limit(message: impl Into<String>) -> Refusal {
    Refusal::with_status(409, "LimitExceeded", message)
}

/// The longest name of each kind.
pub(super) fn longest_name(kind: EntityKind) -> usize {
    match kind {
        EntityKind::User | EntityKind::Role => 64,
        EntityKind::Group => 128,
    }
}

/// The entity of a name.
pub(super) fn named(visit: &Visit<'_>, kind: EntityKind, name: &str) -> Result<Entity, Refusal> {
    visit
        .store
        .get::<Entity>(&Entity::key_of(kind, name))?
        .filter(|entity| entity.name == name)
        .ok_or_else(|| no_such(kind, name))
}

/// The entity that the call names in `UserName`, `RoleName` or `GroupName`.
pub(super) fn of_call(visit: &Visit<'_>, kind: EntityKind) -> Result<Entity, Refusal> {
    let field = format!("{}Name", kind.title());
    let name = visit.argument(&field)?;
    check::name(&field, name, longest_name(kind))?;
    named(visit, kind, name)
}

/// The user that the call names, or the caller if it names nobody.
pub(super) fn user_or_caller(visit: &Visit<'_>) -> Result<Entity, Refusal> {
    match (visit.form().text("UserName"), visit.caller) {
        (Some(_), _) => of_call(visit, EntityKind::User),
        (None, Identity::User(user)) => Ok(user.clone()),
        (None, _) => Err(check::invalid("Must specify userName when calling with non-User credentials")),
    }
}

/// A new entity from the arguments that all kinds share, not yet stored.
pub(super) fn new(visit: &Visit<'_>, kind: EntityKind) -> Result<Entity, Refusal> {
    let field = format!("{}Name", kind.title());
    let name = visit.argument(&field)?.to_owned();
    check::name(&field, &name, longest_name(kind))?;
    let path = visit.form().text("Path").unwrap_or("/").to_owned();
    check::path("Path", &path)?;
    unused(visit, kind, &name)?;
    Ok(Entity {
        kind,
        name,
        path,
        id: kind.new_id()?,
        created: visit.now,
        known_from: visit.known_from(),
        tags: check::tags(visit.form())?,
        boundary: None,
        role: None,
    })
}

/// Refuses a name that is taken.
pub(super) fn unused(visit: &Visit<'_>, kind: EntityKind, name: &str) -> Result<(), Refusal> {
    match visit.store.get::<Entity>(&Entity::key_of(kind, name))? {
        Some(_) => Err(exists(format!("{} with name {name} already exists.", kind.title()))),
        None => Ok(()),
    }
}

/// Stores an entity and makes it found by its unique id.
pub(crate) fn store(visit: &Visit<'_>, entity: &Entity) -> Result<(), Refusal> {
    visit.store.put(entity)?;
    visit.store.put(&UniqueId { id: entity.id.clone(), entity: entity.key() })?;
    Ok(())
}

/// Gives a user or group another name and path.
pub(super) fn rename(visit: &Visit<'_>, kind: EntityKind) -> Result<(), Refusal> {
    let mut entity = of_call(visit, kind)?;
    let old_key = entity.key();
    let field = format!("New{}Name", kind.title());
    if let Some(name) = visit.form().text(&field) {
        check::name(&field, name, longest_name(kind))?;
        if Entity::key_of(kind, name) != old_key {
            unused(visit, kind, name)?;
        }
        entity.name = name.to_owned();
    }
    if let Some(path) = visit.form().text("NewPath") {
        check::path("NewPath", path)?;
        entity.path = path.to_owned();
    }
    visit.store.delete::<Entity>(&old_key)?;
    store(visit, &entity)
}

/// Deletes an entity that nothing belongs to any more.
pub(super) fn delete(visit: &Visit<'_>, kind: EntityKind) -> Result<(), Refusal> {
    let entity = of_call(visit, kind)?;
    let store = visit.store;
    let id = entity.id.as_str();
    if !store.targets(USER_KEY, id)?.is_empty() {
        return Err(conflict("Cannot delete entity, must delete access keys first."));
    }
    if !store.targets(MEMBERSHIP, id)?.is_empty() || !store.sources(MEMBERSHIP, id)?.is_empty() {
        return Err(conflict("Cannot delete entity, must remove users from group first."));
    }
    if !store.sources(PROFILE_ROLE, id)?.is_empty() {
        return Err(conflict("Cannot delete entity, must remove roles from instance profile first."));
    }
    if !store.targets(ATTACHMENT, id)?.is_empty() {
        return Err(conflict("Cannot delete entity, must detach all policies first."));
    }
    if store.count::<InlinePolicy>(&format!("{id}|"))? > 0 {
        return Err(conflict("Cannot delete entity, must delete policies first."));
    }
    if let Some(boundary) = &entity.boundary {
        store.unlink(BOUNDARY, id, boundary)?;
    }
    store.delete::<Entity>(&entity.key())?;
    store.delete::<UniqueId>(id)?;
    Ok(())
}

/// The fields that describe an entity everywhere.
pub(super) fn describe(visit: &Visit<'_>, entity: &Entity, xml: &mut Xml) {
    let title = entity.kind.title();
    xml.text("Path", &entity.path)
        .text(&format!("{title}Name"), &entity.name)
        .text(&format!("{title}Id"), &entity.id)
        .text("Arn", entity.arn(visit.account()))
        .text("CreateDate", entity.created.iso());
}

/// The fields that only a description of one entity has.
pub(super) fn describe_more(entity: &Entity, xml: &mut Xml) {
    if let Some(arn) = &entity.boundary {
        xml.element("PermissionsBoundary", |xml| {
            xml.text("PermissionsBoundaryType", "Policy").text("PermissionsBoundaryArn", arn);
        });
    }
    if !entity.tags.is_empty() {
        describe_tags(&entity.tags, xml);
    }
}

pub(super) fn describe_tags(tags: &[Tag], xml: &mut Xml) {
    xml.list("Tags", tags, |xml, tag| {
        xml.text("Key", &tag.key).text("Value", &tag.value);
    });
}
