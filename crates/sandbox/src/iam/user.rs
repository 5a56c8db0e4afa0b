//! Users: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html>.

use super::records::{Entity, EntityKind};
use super::{boundary, entity, paging};
use crate::visit::Visit;
use crate::wire::{Refusal, Reply, Xml};

pub(super) fn create(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let mut user = entity::new(visit, EntityKind::User)?;
    boundary::set_from_call(visit, &mut user)?;
    entity::store(visit, &user)?;
    Ok(described(visit, &user))
}

pub(super) fn get(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    if visit.form().text("UserName").is_none() && matches!(visit.caller, crate::identity::Identity::Root) {
        let mut xml = Xml::new();
        xml.element("User", |xml| {
            xml.text("UserId", visit.account())
                .text("Arn", visit.iam_arn("root"))
                .text("CreateDate", visit.now.iso());
        });
        return Ok(xml.into());
    }
    Ok(described(visit, &entity::user_or_caller(visit)?))
}

fn described(visit: &Visit<'_>, user: &Entity) -> Reply {
    let mut xml = Xml::new();
    xml.element("User", |xml| {
        entity::describe(visit, user, xml);
        entity::describe_more(user, xml);
    });
    xml.into()
}

pub(super) fn list(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let prefix = visit.form().text("PathPrefix").unwrap_or("/");
    let page = paging::stored::<Entity>(visit, "user|", |user| user.path.starts_with(prefix))?;
    let mut xml = Xml::new();
    xml.list("Users", &page.items, |xml, user| entity::describe(visit, user, xml));
    page.finish(&mut xml);
    Ok(xml.into())
}

pub(super) fn update(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    entity::rename(visit, EntityKind::User)?;
    Ok(Reply::Empty)
}

pub(super) fn delete(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    entity::delete(visit, EntityKind::User)?;
    Ok(Reply::Empty)
}
