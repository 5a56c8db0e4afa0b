//! Managed policies attached to users, groups and roles.

use super::managed;
use super::records::{ATTACHMENT, BOUNDARY, EntityKind};
use super::{entity, group, paging};
use crate::visit::Visit;
use crate::wire::{Refusal, Reply, Xml};

pub(super) fn attach(visit: &Visit<'_>, kind: EntityKind) -> Result<Reply, Refusal> {
    let subject = entity::of_call(visit, kind)?;
    let arn = visit.argument("PolicyArn")?;
    managed::must_exist(visit, arn)?;
    let attached = visit.store.link(ATTACHMENT, &subject.id, arn)?;
    if attached && visit.store.targets(ATTACHMENT, &subject.id)?.len() > 10 {
        return Err(entity::limit(format!("Cannot exceed quota for PoliciesPer{}: 10", kind.title())));
    }
    Ok(Reply::Empty)
}

pub(super) fn detach(visit: &Visit<'_>, kind: EntityKind) -> Result<Reply, Refusal> {
    let subject = entity::of_call(visit, kind)?;
    let arn = visit.argument("PolicyArn")?;
    if visit.store.unlink(ATTACHMENT, &subject.id, arn)? {
        return Ok(Reply::Empty);
    }
    Err(entity::not_found(format!("Policy {arn} was not found.")))
}

pub(super) fn list(visit: &Visit<'_>, kind: EntityKind) -> Result<Reply, Refusal> {
    let subject = entity::of_call(visit, kind)?;
    let prefix = visit.form().text("PathPrefix").unwrap_or("/");
    let mut arns = visit.store.targets(ATTACHMENT, &subject.id)?;
    arns.retain(|arn| path_of(arn).starts_with(prefix));
    let page = paging::at_hand(visit, arns, Clone::clone)?;
    let mut xml = Xml::new();
    xml.list("AttachedPolicies", &page.items, |xml, arn| describe(xml, arn));
    page.finish(&mut xml);
    Ok(xml.into())
}

/// Name and ARN of an attached policy.
pub(super) fn describe(xml: &mut Xml, arn: &str) {
    xml.text("PolicyName", arn.rsplit('/').next().unwrap_or_default()).text("PolicyArn", arn);
}

/// `/a/b/` of `arn:aws:iam::1:policy/a/b/name`.
fn path_of(arn: &str) -> &str {
    let rest = arn.split_once(":policy").map(|(_, rest)| rest).unwrap_or_default();
    rest.rfind('/').and_then(|last| rest.get(..=last)).unwrap_or("/")
}

/// Lists whom a policy is attached to, or whose boundary it is.
pub(super) fn list_entities(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let arn = visit.argument("PolicyArn")?;
    managed::find(visit, arn)?;
    let link = match visit.form().text("PolicyUsageFilter") {
        Some("PermissionsBoundary") => BOUNDARY,
        _ => ATTACHMENT,
    };
    let filter = visit.form().text("EntityFilter");
    let prefix = visit.form().text("PathPrefix").unwrap_or("/");
    let mut entities = group::entities(visit, visit.store.sources(link, arn)?)?;
    entities.retain(|entity| {
        entity.path.starts_with(prefix) && filter.is_none_or(|kind| kind == entity.kind.title())
    });
    let page = paging::at_hand(visit, entities, |entity| format!("{}|{}", entity.kind.word(), entity.name))?;
    let mut xml = Xml::new();
    for kind in [EntityKind::Group, EntityKind::Role, EntityKind::User] {
        let title = kind.title();
        let of_kind: Vec<_> = page.items.iter().filter(|entity| entity.kind == kind).collect();
        xml.list(&format!("Policy{title}s"), &of_kind, |xml, entity| {
            xml.text(&format!("{title}Name"), &entity.name).text(&format!("{title}Id"), &entity.id);
        });
    }
    page.finish(&mut xml);
    Ok(xml.into())
}
