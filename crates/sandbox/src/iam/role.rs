//! Roles: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html>.

use terrane_iam::PolicyUse;

use super::records::{Entity, EntityKind, PrincipalPolicy, RolePart};
use super::{boundary, check, entity, paging};
use crate::principals::{self, Missing};
use crate::visit::Visit;
use crate::wire::{Refusal, Reply, Xml, encode};

pub(super) fn create(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let mut role = entity::new(visit, EntityKind::Role)?;
    role.role = Some(RolePart {
        trust: trust(visit, "AssumeRolePolicyDocument")?,
        description: description(visit)?,
        max_session_seconds: max_session(visit)?.unwrap_or(3600),
        last_used: None,
    });
    boundary::set_from_call(visit, &mut role)?;
    entity::store(visit, &role)?;
    described(visit, &role)
}

fn trust(visit: &Visit<'_>, field: &str) -> Result<PrincipalPolicy, Refusal> {
    let text = visit.argument(field)?;
    let document = check::policy(text, PolicyUse::Trust)?;
    principals::bind(visit, text, &document)?.map_err(|Missing(kind, value)| {
        check::malformed(format!("Invalid principal in policy: \"{kind}\":\"{value}\""))
    })
}

fn description(visit: &Visit<'_>) -> Result<Option<String>, Refusal> {
    let text = visit.form().text("Description").filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.chars().count() > 1000) {
        return Err(check::invalid(
            "1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less than or equal to 1000",
        ));
    }
    Ok(text.map(str::to_owned))
}

fn max_session(visit: &Visit<'_>) -> Result<Option<u32>, Refusal> {
    let Some(text) = visit.form().text("MaxSessionDuration") else { return Ok(None) };
    let seconds = text.parse().ok().filter(|seconds| (3600..=43200).contains(seconds));
    seconds.map(Some).ok_or_else(|| {
        check::invalid(format!(
            "1 validation error detected: Value '{text}' at 'maxSessionDuration' failed to satisfy constraint: Member must have value between 3600 and 43200"
        ))
    })
}

pub(super) fn get(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    described(visit, &entity::of_call(visit, EntityKind::Role)?)
}

fn described(visit: &Visit<'_>, role: &Entity) -> Result<Reply, Refusal> {
    let mut inside = Xml::new();
    describe_all(visit, role, &mut inside)?;
    let mut xml = Xml::new();
    xml.raw("Role", inside);
    Ok(xml.into())
}

/// Everything about one role.
pub(super) fn describe_all(visit: &Visit<'_>, role: &Entity, xml: &mut Xml) -> Result<(), Refusal> {
    describe(visit, role, xml)?;
    entity::describe_more(role, xml);
    xml.element("RoleLastUsed", |xml| {
        if let Some((at, region)) = role.role.as_ref().and_then(|part| part.last_used.as_ref()) {
            xml.text("LastUsedDate", at.iso()).text("Region", region);
        }
    });
    Ok(())
}

fn describe(visit: &Visit<'_>, role: &Entity, xml: &mut Xml) -> Result<(), Refusal> {
    entity::describe(visit, role, xml);
    if let Some(part) = &role.role {
        xml.text("AssumeRolePolicyDocument", encode(&principals::rendered(visit, &part.trust)?));
        xml.optional("Description", part.description.as_ref());
        xml.text("MaxSessionDuration", part.max_session_seconds);
    }
    Ok(())
}

pub(super) fn list(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let prefix = visit.form().text("PathPrefix").unwrap_or("/");
    let page = paging::stored::<Entity>(visit, "role|", |role| role.path.starts_with(prefix))?;
    let mut members = Xml::new();
    for role in &page.items {
        let mut inside = Xml::new();
        describe(visit, role, &mut inside)?;
        members.raw("member", inside);
    }
    let mut xml = Xml::new();
    xml.raw("Roles", members);
    page.finish(&mut xml);
    Ok(xml.into())
}

/// Changes the description and the longest session.
pub(super) fn update(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let (text, seconds) = (description(visit)?, max_session(visit)?);
    change(visit, |part| {
        if visit.form().text("Description").is_some() {
            part.description = text;
        }
        part.max_session_seconds = seconds.unwrap_or(part.max_session_seconds);
    })?;
    Ok(Reply::Empty)
}

pub(super) fn update_description(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    visit.argument("Description")?;
    let text = description(visit)?;
    described(visit, &change(visit, |part| part.description = text)?)
}

pub(super) fn update_trust(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    entity::of_call(visit, EntityKind::Role)?;
    let policy = trust(visit, "PolicyDocument")?;
    change(visit, |part| part.trust = policy)?;
    Ok(Reply::Empty)
}

fn change(visit: &Visit<'_>, how: impl FnOnce(&mut RolePart)) -> Result<Entity, Refusal> {
    let mut role = entity::of_call(visit, EntityKind::Role)?;
    if let Some(part) = role.role.as_mut() {
        how(part);
    }
    visit.store.put(&role)?;
    Ok(role)
}

pub(super) fn delete(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    entity::delete(visit, EntityKind::Role)?;
    Ok(Reply::Empty)
}
