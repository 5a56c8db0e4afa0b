//! Permissions boundaries of users and roles.

use super::records::{BOUNDARY, Entity, EntityKind};
use super::{entity, managed};
use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

/// Takes the boundary that a create call names.
pub(super) fn set_from_call(visit: &Visit<'_>, subject: &mut Entity) -> Result<(), Refusal> {
    match visit.form().text("PermissionsBoundary") {
        Some(arn) => set(visit, subject, arn),
        None => Ok(()),
    }
}

fn set(visit: &Visit<'_>, subject: &mut Entity, arn: &str) -> Result<(), Refusal> {
    managed::must_exist(visit, arn)?;
    clear(visit, subject)?;
    visit.store.link(BOUNDARY, &subject.id, arn)?;
    subject.boundary = Some(arn.to_owned());
    Ok(())
}

fn clear(visit: &Visit<'_>, subject: &mut Entity) -> Result<(), Refusal> {
    if let Some(arn) = subject.boundary.take() {
        visit.store.unlink(BOUNDARY, &subject.id, &arn)?;
    }
    Ok(())
}

pub(super) fn put(visit: &Visit<'_>, kind: EntityKind) -> Result<Reply, Refusal> {
    let mut subject = entity::of_call(visit, kind)?;
    set(visit, &mut subject, visit.argument("PermissionsBoundary")?)?;
    visit.store.put(&subject)?;
    Ok(Reply::Empty)
}

pub(super) fn delete(visit: &Visit<'_>, kind: EntityKind) -> Result<Reply, Refusal> {
    let mut subject = entity::of_call(visit, kind)?;
    clear(visit, &mut subject)?;
    visit.store.put(&subject)?;
    Ok(Reply::Empty)
}
