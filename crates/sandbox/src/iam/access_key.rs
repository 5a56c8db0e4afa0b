//! Access keys: at most two for a user, the secret told once.

use super::records::{AccessKey, USER_KEY};
use super::{check, entity, paging};
use crate::identity::entity_of;
use crate::ids;
use crate::visit::Visit;
use crate::wire::{Refusal, Reply, Xml};

const MOST_KEYS: usize = 2;

pub(super) fn create(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let user = entity::user_or_caller(visit)?;
    if visit.store.targets(USER_KEY, &user.id)?.len() >= MOST_KEYS {
        return Err(entity::limit("Cannot exceed quota for AccessKeysPerUser: 2"));
    }
    let key = AccessKey {
        id: ids::access_key_id("AKIA")?,
        secret: ids::secret_access_key()?,
        owner: user.id.clone(),
        active: true,
        created: visit.now,
        known_from: visit.known_from(),
        last_used: None,
    };
    visit.store.put(&key)?;
    visit.store.link(USER_KEY, &user.id, &key.id)?;
    let mut xml = Xml::new();
    xml.element("AccessKey", |xml| {
        describe(xml, &user.name, &key);
        xml.text("SecretAccessKey", &key.secret);
    });
    Ok(xml.into())
}

fn describe(xml: &mut Xml, user: &str, key: &AccessKey) {
    xml.text("UserName", user)
        .text("AccessKeyId", &key.id)
        .text("Status", if key.active { "Active" } else { "Inactive" })
        .text("CreateDate", key.created.iso());
}

/// The key that the call names, if it belongs to the user that the call names.
fn of_call(visit: &Visit<'_>) -> Result<AccessKey, Refusal> {
    let user = entity::user_or_caller(visit)?;
    let id = visit.argument("AccessKeyId")?;
    let found = visit.store.get::<AccessKey>(id)?.filter(|key| key.owner == user.id);
    found.ok_or_else(|| entity::not_found(format!("The Access Key with id {id} cannot be found.")))
}

pub(super) fn list(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let user = entity::user_or_caller(visit)?;
    let mut keys = Vec::new();
    for id in visit.store.targets(USER_KEY, &user.id)? {
        keys.extend(visit.store.get::<AccessKey>(&id)?);
    }
    let page = paging::at_hand(visit, keys, |key: &AccessKey| format!("{:020}|{}", key.created.0, key.id))?;
    let mut xml = Xml::new();
    xml.list("AccessKeyMetadata", &page.items, |xml, key| describe(xml, &user.name, key));
    page.finish(&mut xml);
    Ok(xml.into())
}

pub(super) fn update(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let mut key = of_call(visit)?;
    key.active = match visit.argument("Status")? {
        "Active" => true,
        "Inactive" => false,
        other => {
            return Err(check::invalid(format!(
                "1 validation error detected: Value '{other}' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]"
            )));
        }
    };
    visit.store.put(&key)?;
    Ok(Reply::Empty)
}

pub(super) fn delete(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let key = of_call(visit)?;
    visit.store.delete::<AccessKey>(&key.id)?;
    visit.store.unlink(USER_KEY, &key.owner, &key.id)?;
    Ok(Reply::Empty)
}

pub(super) fn last_used(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let id = visit.argument("AccessKeyId")?;
    let missing =
        || Refusal::with_status(403, "AccessDenied", format!("The Access Key with id {id} cannot be found."));
    let key = visit.store.get::<AccessKey>(id)?.ok_or_else(missing)?;
    let user = entity_of(visit.store, &key.owner)?.ok_or_else(missing)?;
    let mut xml = Xml::new();
    xml.text("UserName", &user.name).element("AccessKeyLastUsed", |xml| match &key.last_used {
        Some(used) => {
            xml.text("LastUsedDate", used.at.iso())
                .text("ServiceName", &used.service)
                .text("Region", &used.region);
        }
        None => {
            xml.text("ServiceName", "N/A").text("Region", "N/A");
        }
    });
    Ok(xml.into())
}
