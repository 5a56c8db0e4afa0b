//! The access key of a creation whose answer nobody saw: which one it is, and that nobody else's is taken for it.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_iam::types::AccessKeyMetadata;
use serde_json::{Value as Json, json};
use terrane_provider::{Cleared, Context, Error, ErrorKind};

use super::{delete, keys};
use crate::client::Clients;
use crate::error::{failed, present};

/// How far this machine's clock and that of AWS may be apart, in seconds: with more no request is accepted.
const CLOCKS_APART: i64 = 300;

/// How long after the survey the creation can still have taken place, in seconds.
const WINDOW: i64 = 600;

/// What is known before a key is made: the time, and the keys of the user.
pub async fn survey(cx: &Context<'_>, user: &str) -> Result<String, Error> {
    // A user that is not known everywhere yet has none.
    let before = present(keys(cx.session.clients()?, user).await)?.unwrap_or_default();
    let before: Vec<String> = before.into_iter().filter_map(|key| key.access_key_id).collect();
    let begun = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Ok(json!({ "begun": begun, "before": before }).to_string())
}

/// Deletes the one key that the creation can have made.
pub async fn clear(
    cx: &Context<'_>,
    user: &str,
    survey: &str,
    held: &BTreeSet<String>,
) -> Result<Cleared, Error> {
    let clients: &Clients = cx.session.clients()?;
    let Some((begun, before)) = read(survey) else { return Ok(Cleared::NotMade) };
    let all = present(keys(clients, user).await)?.unwrap_or_default();
    let new: Vec<(String, bool)> = all
        .iter()
        .filter_map(|key| Some((key.access_key_id.clone()?, is_of_the_time(key, begun))))
        .filter(|(id, _)| !held.contains(id) && !before.contains(id))
        .collect();
    let doubtful = |ids: &[(String, bool)], why: &str| {
        let ids: Vec<String> = ids.iter().map(|(id, _)| format!("`{id}`")).collect();
        Ok(Cleared::Doubtful(format!(
            "The user `{user}` has {} now, which this state does not have, {why}, so nothing was deleted. A key that nobody uses \
             can go: `aws iam delete-access-key --user-name {user} --access-key-id ID`.",
            ids.join(" and ")
        )))
    };
    let id = match new.as_slice() {
        [] => return Ok(Cleared::NotMade),
        // Somebody else made it, before or long after.
        [(_, false)] => return Ok(Cleared::NotMade),
        [(id, true)] => id,
        several => return doubtful(several, "and which of them that was can't be told"),
    };
    match was_used(clients, id).await {
        Ok(false) => {}
        Ok(true) => return doubtful(&new, "but which has been used, so that somebody knows its secret"),
        Err(error) if error.kind == ErrorKind::Denied => {
            return doubtful(&new, "and whether somebody uses it may not be asked");
        }
        Err(error) => return Err(error),
    }
    present(delete(clients, user, id).await)?;
    Ok(Cleared::Deleted(format!("The access key `{id}` of the user `{user}` was deleted.")))
}

fn read(survey: &str) -> Option<(i64, BTreeSet<String>)> {
    let survey: Json = serde_json::from_str(survey).ok()?;
    let before = survey.get("before")?.as_array()?;
    let before = before.iter().map(|id| id.as_str().map(str::to_owned)).collect::<Option<_>>()?;
    Some((survey.get("begun")?.as_i64()?, before))
}

fn is_of_the_time(key: &AccessKeyMetadata, begun: i64) -> bool {
    let made = key.create_date.as_ref().map(aws_smithy_types::DateTime::secs);
    made.is_some_and(|made| (begun - CLOCKS_APART..=begun + WINDOW + CLOCKS_APART).contains(&made))
}

/// Whether a key has ever signed something.
async fn was_used(clients: &Clients, id: &str) -> Result<bool, Error> {
    let answer = clients.iam().get_access_key_last_used().access_key_id(id).send().await;
    let answer = present(answer.map_err(failed("iam:GetAccessKeyLastUsed")))?;
    Ok(answer
        .and_then(|answer| answer.access_key_last_used)
        .is_some_and(|used| used.last_used_date.is_some()))
}
