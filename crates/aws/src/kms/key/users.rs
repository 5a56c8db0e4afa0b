//! What uses a key: aliases and grants, and the tables of its account and region that it encrypts.
//!
//! DynamoDB names the key of a table in its description alone, so every table is described, once for all keys that are asked
//! about within moments. It also has a grant on the key
//! for each table, whose constraints name the table: where tables may not be listed, these tell at least which there are.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html>

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::{PointInTimeRecoveryStatus, SseStatus, TableDescription, TableStatus};
use aws_sdk_kms::types::GrantListEntry;
use futures::stream::{self, StreamExt};
use terrane_model::Value;
use terrane_provider::{Context, Error, ErrorKind, Extent, Holds, User, Users};

use crate::client::Clients;
use crate::error::failed;
use crate::object::{elements, filled, first, flag, needed};

/// How many tables are described at once.
const AT_ONCE: usize = 16;

/// How old a survey of the tables may be for what a plan says.
const WHILE_PLANNING: Duration = Duration::from_secs(60);

/// How old it may be where a key is about to be deleted.
const BEFORE_DELETION: Duration = Duration::from_secs(5);

/// What a grant of DynamoDB says about the table that it is for.
const TABLE_OF_GRANT: &str = "aws:dynamodb:tableName";

/// What AWS says of who uses the key.
pub async fn look(cx: &Context<'_>, key: &Value, extent: Extent) -> Result<Users, Error> {
    let clients: &Clients = cx.session.clients()?;
    let mut users = Users::default();
    let tables = tables(clients, needed(key, "arn", "dynamodb:ListTables")?, extent, &mut users).await?;
    if extent == Extent::Data && tables == Seen::Whole {
        return Ok(users);
    }
    let id = needed(key, "id", "kms:ListGrants")?;
    let grants = clients.kms().list_grants().key_id(id).into_paginator().items().send();
    let grants = grants.collect::<Result<Vec<_>, _>>().await.map_err(failed("kms:ListGrants"));
    match told(grants, "Grants of the key could not be listed", &mut users)? {
        None => {}
        Some(grants) => {
            for grant in grants {
                users.found.extend(of_grant(cx, &grant, tables));
            }
        }
    }
    if extent == Extent::All {
        let aliases = clients.kms().list_aliases().key_id(id).into_paginator().items().send();
        let aliases = aliases.collect::<Result<Vec<_>, _>>().await.map_err(failed("kms:ListAliases"));
        let aliases = told(aliases, "Aliases of the key could not be listed", &mut users)?;
        let user = |alias: aws_sdk_kms::types::AliasListEntry| {
            let name = alias.alias_name?;
            let id = alias.alias_arn.unwrap_or_else(|| name.clone());
            Some(User { what: "alias".to_owned(), name, id, holds: Holds::Nothing })
        };
        users.found.extend(aliases.into_iter().flatten().filter_map(user));
    }
    Ok(users)
}

/// How much of the account's tables was seen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Whole,
    Part,
}

/// The answer; or nothing and a note where it may not be asked for.
fn told<T>(answer: Result<T, Error>, what: &str, users: &mut Users) -> Result<Option<T>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if is_refusal(&error) => {
            users.not_looked_at.push(not_told(what, &error));
            Ok(None)
        }
        // The key is gone, or its tables are.
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_refusal(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Denied | ErrorKind::Invalid)
}

fn not_told(what: &str, error: &Error) -> String {
    format!("{what}: {}.", error.message.trim_end_matches('.'))
}

/// Which tables of the account and region are encrypted by which key, as they were at a moment. Many keys of one plan ask
/// this together.
#[derive(Debug)]
pub struct Survey {
    began: Instant,
    /// The names of the tables with their ARNs, by the ARN of their key.
    tables: BTreeMap<String, Vec<(String, String)>>,
    /// Why there is no list of tables.
    unlisted: Option<Error>,
    /// The tables that may not be described.
    closed: Vec<String>,
}

impl Survey {
    async fn make(clients: &Clients) -> Result<Survey, Error> {
        let mut survey =
            Survey { began: Instant::now(), tables: BTreeMap::new(), unlisted: None, closed: Vec::new() };
        let names = clients.dynamodb().list_tables().into_paginator().items().send();
        let names = names.collect::<Result<Vec<_>, _>>().await.map_err(failed("dynamodb:ListTables"));
        let names = match names {
            Ok(names) => names,
            Err(error) if is_refusal(&error) => {
                survey.unlisted = Some(error);
                return Ok(survey);
            }
            Err(error) => return Err(error),
        };
        let mut looks = stream::iter(names)
            .map(|name| async move {
                let table = described(clients, &name).await;
                (name, table)
            })
            .buffered(AT_ONCE);
        while let Some((name, found)) = looks.next().await {
            match found {
                Ok(None) => {}
                Ok(Some(table)) => {
                    if let Some(key) = key_of(&table) {
                        let arn = table.table_arn.clone().unwrap_or_else(|| name.clone());
                        survey.tables.entry(key.to_owned()).or_default().push((name, arn));
                    }
                }
                Err(error) if matches!(error.kind, ErrorKind::Denied) => survey.closed.push(name),
                Err(error) => return Err(error),
            }
        }
        Ok(survey)
    }
}

/// The tables that a key encrypts. What is not encrypted by it in a survey of the last seconds is taken not to be now, either;
/// what is, is described again.
async fn tables(clients: &Clients, arn: &str, extent: Extent, users: &mut Users) -> Result<Seen, Error> {
    let age = match extent {
        Extent::All => WHILE_PLANNING,
        Extent::Data => BEFORE_DELETION,
    };
    let (found, is_fresh, seen) = {
        // Whoever comes while one is made waits for it.
        let mut survey = clients.kms_cache.survey.lock().await;
        let recent = survey.take().filter(|survey| survey.began.elapsed() < age);
        let is_fresh = recent.is_none() || extent == Extent::All;
        let survey = survey.insert(match recent {
            Some(recent) => recent,
            None => Survey::make(clients).await?,
        });
        let seen = match (&survey.unlisted, survey.closed.as_slice()) {
            (Some(error), _) => {
                users.not_looked_at.push(not_told("Tables could not be listed", error));
                Seen::Part
            }
            (None, []) => Seen::Whole,
            (None, [one]) => {
                users.not_looked_at.push(format!("The table `{one}` may not be described."));
                Seen::Part
            }
            (None, [one, more @ ..]) => {
                let more = more.len();
                users.not_looked_at.push(format!("The table `{one}` and {more} more may not be described."));
                Seen::Part
            }
        };
        (survey.tables.get(arn).cloned().unwrap_or_default(), is_fresh, seen)
    };
    let mut looks = stream::iter(found)
        .map(|(name, id)| async move {
            let uses = is_fresh || described(clients, &name).await?.as_ref().and_then(key_of) == Some(arn);
            Ok(if uses { Some(table(clients, name, id).await) } else { None })
        })
        .buffered(AT_ONCE);
    while let Some(found) = looks.next().await {
        users.found.extend(found?);
    }
    Ok(seen)
}

/// A table that is there and is not on its way out.
async fn described(clients: &Clients, name: &str) -> Result<Option<TableDescription>, Error> {
    let answer = clients.dynamodb().describe_table().table_name(name).send().await;
    match answer.map_err(failed("dynamodb:DescribeTable")) {
        Ok(answer) => Ok(answer.table.filter(|table| table.table_status != Some(TableStatus::Deleting))),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The ARN of the key that encrypts a table.
fn key_of(table: &TableDescription) -> Option<&str> {
    let sse = table.sse_description.as_ref().filter(|sse| sse.status != Some(SseStatus::Disabled))?;
    sse.kms_master_key_arn.as_deref()
}

/// A table as a user of its key. Where it may not be asked whether there are backups, they are taken to be on.
async fn table(clients: &Clients, name: String, id: String) -> User {
    let backups = clients.dynamodb().describe_continuous_backups().table_name(&name).send().await;
    let recovery = backups.ok().and_then(|answer| {
        let described = answer.continuous_backups_description?.point_in_time_recovery_description?;
        described.point_in_time_recovery_status
    });
    let holds = match recovery {
        Some(PointInTimeRecoveryStatus::Disabled) => Holds::Data,
        _ => Holds::DataAndBackups,
    };
    User { what: "table".to_owned(), name, id, holds }
}

/// A grant as a user. Those of DynamoDB stand for their tables.
fn of_grant(cx: &Context<'_>, grant: &GrantListEntry, tables: Seen) -> Option<User> {
    let contexts = grant.constraints.iter().flat_map(|constraints| {
        [&constraints.encryption_context_subset, &constraints.encryption_context_equals]
    });
    if let Some(table) = contexts.flatten().find_map(|context| context.get(TABLE_OF_GRANT)) {
        if tables == Seen::Whole {
            return None;
        }
        let facts = &cx.session.facts;
        let account = facts.account.as_deref().unwrap_or_default();
        let id = format!("arn:{}:dynamodb:{}:{account}:table/{table}", facts.partition, facts.region);
        let (what, name) = ("table".to_owned(), table.clone());
        return Some(User { what, name, id, holds: Holds::DataAndBackups });
    }
    let id = grant.grant_id.as_deref()?;
    let name = grant.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(id);
    let to = grant.grantee_principal.as_deref().unwrap_or("somebody");
    let name = format!("{name} to {to}");
    Some(User { what: "grant".to_owned(), name, id: id.to_owned(), holds: Holds::Nothing })
}

/// The user that an object of the state is of the key.
pub fn of_state(key: &Value, type_name: &str, other: &Value) -> Option<User> {
    let is_key = |named: Option<&str>| {
        named.is_some_and(|named| Some(named) == filled(key, "arn") || Some(named) == filled(key, "key_id"))
    };
    let id = filled(other, "arn").or_else(|| filled(other, "id"))?.to_owned();
    let user = |what: &str, name: &str, holds| {
        Some(User { what: what.to_owned(), name: name.to_owned(), id: id.clone(), holds })
    };
    match type_name {
        "aws_dynamodb_table" => {
            let own = first(other, "server_side_encryption")
                .is_some_and(|sse| flag(sse, "enabled") && is_key(filled(sse, "kms_key_arn")));
            let replica =
                elements(other, "replica").iter().any(|replica| is_key(filled(replica, "kms_key_arn")));
            if !own && !replica {
                return None;
            }
            let backed_up =
                first(other, "point_in_time_recovery").is_some_and(|recovery| flag(recovery, "enabled"));
            let holds = if backed_up { Holds::DataAndBackups } else { Holds::Data };
            user("table", filled(other, "name").unwrap_or_default(), holds)
        }
        "aws_kms_alias" if is_key(filled(other, "target_key_id")) => {
            user("alias", filled(other, "name").unwrap_or_default(), Holds::Nothing)
        }
        "aws_kms_grant" if is_key(filled(other, "key_id")) => {
            let to = filled(other, "grantee_principal").unwrap_or_default();
            let name = filled(other, "name").or_else(|| filled(other, "grant_id")).unwrap_or_default();
            let id = filled(other, "grant_id").unwrap_or(&id).to_owned();
            Some(User {
                what: "grant".to_owned(),
                name: format!("{name} to {to}"),
                id,
                holds: Holds::Nothing,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
