//! Point-in-time recovery.

use serde::Deserialize;
use serde_json::json;

use super::records::{Backups, Table};
use super::{access, find};
use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

const LONGEST_DAYS: i64 = 35;
/// How long before now the latest restorable moment lies.
const BEHIND_MILLIS: i64 = 5 * 60 * 1000;

/// The table, or the refusal that these two operations have for a missing one.
fn existing(visit: &Visit<'_>, name: &str) -> Result<Table, Refusal> {
    find::table(visit, name)?
        .ok_or_else(|| Refusal::new("TableNotFoundException", format!("Table not found: {name}")))
}

pub(super) fn describe(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let name = find::name_in(visit, &find::body(visit)?)?;
    access::table(visit, "dynamodb:DescribeContinuousBackups", &name)?;
    let table = existing(visit, &name)?;
    Ok(answer(visit, &table))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    point_in_time_recovery_specification: Specification,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Specification {
    point_in_time_recovery_enabled: bool,
    recovery_period_in_days: Option<i64>,
}

pub(super) fn update(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: Input = visit.call.json()?;
    let name = find::name_in(visit, &find::body(visit)?)?;
    access::table(visit, "dynamodb:UpdateContinuousBackups", &name)?;
    let mut table = existing(visit, &name)?;
    if table.phase.at(visit.now).is_some() {
        let message = format!("Backups are being enabled for the table: {name}. Please retry later");
        return Err(Refusal::new("ContinuousBackupsUnavailableException", message));
    }
    let specification = input.point_in_time_recovery_specification;
    let days = specification.recovery_period_in_days;
    if days.is_some_and(|days| !(1..=LONGEST_DAYS).contains(&days)) {
        return Err(Refusal::validation(format!(
            "1 validation error detected: Value '{}' at 'pointInTimeRecoverySpecification.recoveryPeriodInDays' failed to satisfy constraint: Member must have value between 1 and {LONGEST_DAYS}",
            days.unwrap_or_default()
        )));
    }
    table.backups = if specification.point_in_time_recovery_enabled {
        let old = table.backups.take();
        let period_days = days.or(old.as_ref().map(|old| old.period_days)).unwrap_or(LONGEST_DAYS);
        Some(Backups { since: old.map_or(visit.now, |old| old.since), period_days })
    } else if days.is_some() {
        return Err(Refusal::validation(
            "Recovery period can only be specified when point in time recovery is enabled",
        ));
    } else {
        None
    };
    visit.store.put(&table)?;
    Ok(answer(visit, &table))
}

fn answer(visit: &Visit<'_>, table: &Table) -> Reply {
    let recovery = match &table.backups {
        None => json!({ "PointInTimeRecoveryStatus": "DISABLED" }),
        Some(backups) => {
            let earliest = backups.since.max(visit.now.plus_days(-backups.period_days));
            let latest = crate::clock::Moment((visit.now.0 - BEHIND_MILLIS).max(earliest.0));
            json!({
                "PointInTimeRecoveryStatus": "ENABLED",
                "RecoveryPeriodInDays": backups.period_days,
                "EarliestRestorableDateTime": earliest.epoch_seconds(),
                "LatestRestorableDateTime": latest.epoch_seconds(),
            })
        }
    };
    json!({
        "ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": recovery,
        }
    })
    .into()
}
