//! Tags of users, roles, managed policies and instance profiles.

use super::records::{EntityKind, InstanceProfile, Tag};
use super::{check, entity, instance_profile, managed, paging};
use crate::visit::Visit;
use crate::wire::{Refusal, Reply, Xml};

/// What carries tags.
#[derive(Clone, Copy)]
pub(super) enum Tagged {
    Entity(EntityKind),
    Policy,
    Profile,
}

pub(super) fn tag(visit: &Visit<'_>, what: Tagged) -> Result<Reply, Refusal> {
    let added = check::tags(visit.form())?;
    change(visit, what, |tags| {
        for tag in added {
            match tags.iter_mut().find(|old| old.key.eq_ignore_ascii_case(&tag.key)) {
                Some(old) => *old = tag,
                None => tags.push(tag),
            }
        }
    })
}

pub(super) fn untag(visit: &Visit<'_>, what: Tagged) -> Result<Reply, Refusal> {
    let keys = visit.form().texts("TagKeys");
    change(visit, what, |tags| tags.retain(|tag| !keys.contains(&tag.key)))
}

fn change(visit: &Visit<'_>, what: Tagged, how: impl FnOnce(&mut Vec<Tag>)) -> Result<Reply, Refusal> {
    match what {
        Tagged::Entity(kind) => {
            let mut subject = entity::of_call(visit, kind)?;
            how(&mut subject.tags);
            check::too_many(&subject.tags)?;
            visit.store.put(&subject)?;
        }
        Tagged::Policy => {
            let mut policy = managed::own(visit, visit.argument("PolicyArn")?)?;
            how(&mut policy.tags);
            check::too_many(&policy.tags)?;
            visit.store.put(&policy)?;
        }
        Tagged::Profile => {
            let mut profile: InstanceProfile = instance_profile::of_call(visit)?;
            how(&mut profile.tags);
            check::too_many(&profile.tags)?;
            visit.store.put(&profile)?;
        }
    }
    Ok(Reply::Empty)
}

pub(super) fn list(visit: &Visit<'_>, what: Tagged) -> Result<Reply, Refusal> {
    let tags = match what {
        Tagged::Entity(kind) => entity::of_call(visit, kind)?.tags,
        Tagged::Policy => managed::own(visit, visit.argument("PolicyArn")?)?.tags,
        Tagged::Profile => instance_profile::of_call(visit)?.tags,
    };
    let page = paging::at_hand(visit, tags, |tag| tag.key.clone())?;
    let mut xml = Xml::new();
    entity::describe_tags(&page.items, &mut xml);
    page.finish(&mut xml);
    Ok(xml.into())
}
