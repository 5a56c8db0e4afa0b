//! Rotation of key material, by the calendar and on demand.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html>

use serde::Deserialize;
use serde_json::{Value, json};

use super::authority::{key_context, may, may_plainly};
use super::key::{self, KeyOnly, must_be_customers, must_be_enabled, must_not_be_pending};
use super::records::{Key, ROTATION, Rotation};
use super::{find, page};
use crate::store::Document;
use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Enable {
    key_id: String,
    rotation_period_in_days: Option<u32>,
}

pub(super) fn enable(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: Enable = visit.call.json()?;
    let mut key = find::by_key_name(visit, &input.key_id)?;
    let mut context = key_context(visit, &key)?;
    if let Some(days) = input.rotation_period_in_days {
        context = context.with("kms:RotationPeriodInDays", days.to_string());
    }
    may(visit, &key, "kms:EnableKeyRotation", context)?;
    must_be_customers(visit, &key)?;
    must_rotate(visit, &key)?;
    must_be_enabled(visit, &key)?;
    let days = input.rotation_period_in_days.unwrap_or(365);
    if !(90..=2560).contains(&days) {
        return Err(Refusal::validation(format!(
            "1 validation error detected: Value '{days}' at 'rotationPeriodInDays' failed to satisfy constraint: Member must have value between 90 and 2560"
        )));
    }
    let next = visit.now.plus_days(i64::from(days));
    key.rotation = Some(Rotation { period_days: days, next });
    visit.store.put(&key)?;
    visit.store.set_deadline(ROTATION, &key.key(), next)?;
    Ok(Reply::Empty)
}

pub(super) fn disable(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let mut key = key::changed(visit, "kms:DisableKeyRotation")?;
    must_rotate(visit, &key)?;
    must_be_enabled(visit, &key)?;
    key.rotation = None;
    visit.store.put(&key)?;
    visit.store.clear_deadline(ROTATION, &key.key())?;
    Ok(Reply::Empty)
}

/// Refuses kinds of keys that are never rotated.
fn must_rotate(visit: &Visit<'_>, key: &Key) -> Result<(), Refusal> {
    if key.is_symmetric() && key.origin == "AWS_KMS" {
        return Ok(());
    }
    let message = format!("You cannot perform this operation on {}.", key.arn(visit.account()));
    Err(Refusal::new("UnsupportedOperationException", message))
}

pub(super) fn status(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: KeyOnly = visit.call.json()?;
    let key = find::by_key_name(visit, &input.key_id)?;
    may_plainly(visit, &key, "kms:GetKeyRotationStatus")?;
    must_not_be_pending(visit, &key)?;
    let mut status =
        json!({ "KeyId": key.arn(visit.account()), "KeyRotationEnabled": key.rotation.is_some() });
    if let (Some(rotation), Some(object)) = (&key.rotation, status.as_object_mut()) {
        object.insert("RotationPeriodInDays".to_owned(), rotation.period_days.into());
        if key.enabled {
            object.insert("NextRotationDate".to_owned(), rotation.next.epoch_seconds().into());
        }
    }
    Ok(status.into())
}

pub(super) fn rotate(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    const MOST_ON_DEMAND: usize = 25;
    let mut key = key::changed(visit, "kms:RotateKeyOnDemand")?;
    must_rotate(visit, &key)?;
    must_be_enabled(visit, &key)?;
    let done = key.materials.iter().filter(|one| one.rotation.as_deref() == Some("ON_DEMAND")).count();
    if done >= MOST_ON_DEMAND {
        return Err(Refusal::new("LimitExceededException", "The key was rotated on demand 25 times."));
    }
    key.materials.push(key::new_material(visit, 32, Some("ON_DEMAND"))?);
    key.rotated_on_demand = Some(visit.now);
    visit.store.put(&key)?;
    Ok(json!({ "KeyId": key.arn(visit.account()) }).into())
}

pub(super) fn list(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: KeyOnly = visit.call.json()?;
    let key = find::by_key_name(visit, &input.key_id)?;
    may_plainly(visit, &key, "kms:ListKeyRotations")?;
    must_rotate(visit, &key)?;
    let page = page::Asked::of(visit, 100, 1000)?;
    let mut rotations = Vec::new();
    for (number, material) in key.materials.iter().enumerate() {
        let position = format!("{number:08}");
        let after = page.after().is_none_or(|after| position.as_str() > after);
        if let (Some(kind), true) = (&material.rotation, after) {
            rotations.push((position, kind.clone(), material.created));
        }
    }
    Ok(page.answer(
        "Rotations",
        rotations,
        |(position, ..)| position.clone(),
        |(_, kind, date)| -> Value {
            json!({ "KeyId": key.id, "RotationDate": date.epoch_seconds(), "RotationType": kind })
        },
    ))
}

/// Rotates a key whose day has come.
pub(super) fn fall_due(visit: &Visit<'_>, mut key: Key) -> Result<(), Refusal> {
    let Some(rotation) = key.rotation.as_mut() else {
        return Ok(visit.store.clear_deadline(ROTATION, &key.key())?);
    };
    while rotation.next <= visit.now {
        rotation.next = rotation.next.plus_days(i64::from(rotation.period_days.max(1)));
    }
    let next = rotation.next;
    // A disabled key keeps its material and its days.
    if key.enabled {
        key.materials.push(key::new_material(visit, 32, Some("AUTOMATIC"))?);
    }
    visit.store.put(&key)?;
    visit.store.set_deadline(ROTATION, &key.key(), next)?;
    Ok(())
}
