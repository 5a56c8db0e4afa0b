//! Policies that are part of a user, group or role.

use terrane_iam::PolicyUse;

use super::records::{EntityKind, InlinePolicy};
use super::{check, entity, paging};
use crate::visit::Visit;
use crate::wire::{Refusal, Reply, Xml, encode};

/// What an inline policy of one of these is.
fn policy_use(kind: EntityKind) -> PolicyUse {
    match kind {
        EntityKind::User => PolicyUse::UserInline,
        EntityKind::Role => PolicyUse::RoleInline,
        EntityKind::Group => PolicyUse::GroupInline,
    }
}

pub(super) fn put(visit: &Visit<'_>, kind: EntityKind) -> Result<Reply, Refusal> {
    let subject = entity::of_call(visit, kind)?;
    let name = visit.argument("PolicyName")?;
    check::name("PolicyName", name, 128)?;
    let text = visit.argument("PolicyDocument")?;
    let policy_use = policy_use(kind);
    check::policy(text, policy_use)?;
    let others: usize = visit
        .store
        .all::<InlinePolicy>(&format!("{}|", subject.id))?
        .iter()
        .filter(|policy| policy.name != name)
        .map(|policy| policy_use.size_of(&policy.document))
        .sum();
    // The limit is on all of them together.
    if others + policy_use.size_of(text) > policy_use.size_limit() {
        return Err(check::too_large(policy_use));
    }
    visit.store.put(&InlinePolicy { owner: subject.id, name: name.to_owned(), document: text.to_owned() })?;
    Ok(Reply::Empty)
}

fn no_such(kind: EntityKind, name: &str) -> Refusal {
    entity::not_found(format!("The {} policy with name {name} cannot be found.", kind.word()))
}

pub(super) fn get(visit: &Visit<'_>, kind: EntityKind) -> Result<Reply, Refusal> {
    let subject = entity::of_call(visit, kind)?;
    let name = visit.argument("PolicyName")?;
    let found = visit.store.get::<InlinePolicy>(&format!("{}|{name}", subject.id))?;
    let policy = found.ok_or_else(|| no_such(kind, name))?;
    let mut xml = Xml::new();
    xml.text(&format!("{}Name", kind.title()), &subject.name)
        .text("PolicyName", name)
        .text("PolicyDocument", encode(&policy.document));
    Ok(xml.into())
}

pub(super) fn delete(visit: &Visit<'_>, kind: EntityKind) -> Result<Reply, Refusal> {
    let subject = entity::of_call(visit, kind)?;
    let name = visit.argument("PolicyName")?;
    if visit.store.delete::<InlinePolicy>(&format!("{}|{name}", subject.id))? {
        return Ok(Reply::Empty);
    }
    Err(no_such(kind, name))
}

pub(super) fn list(visit: &Visit<'_>, kind: EntityKind) -> Result<Reply, Refusal> {
    let subject = entity::of_call(visit, kind)?;
    let page = paging::stored::<InlinePolicy>(visit, &format!("{}|", subject.id), |_| true)?;
    let names: Vec<String> = page.items.iter().map(|policy| policy.name.clone()).collect();
    let mut xml = Xml::new();
    xml.texts("PolicyNames", &names);
    page.finish(&mut xml);
    Ok(xml.into())
}
