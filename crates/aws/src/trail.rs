//! CloudTrail's event history: the management events of 90 days, found by a resource or by a user's name.
//!
//! `LookupEvents` takes two requests a second of an account in a region; so requests are paced, also where one page follows the
//! other. <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>

use std::time::{Duration, SystemTime};

use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use aws_smithy_types::DateTime;
use serde_json::Value as Json;
use terrane_provider::Error;
use tokio::time::Instant;

use crate::client::Clients;
use crate::error::failed;

/// The time between two requests.
pub const PACE: Duration = Duration::from_millis(500);

/// What events are found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By<'a> {
    /// The name or ARN of a resource.
    Resource(&'a str),
    /// The name of a user or of a role's session.
    User(&'a str),
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its id.
    pub id: String,
    /// When, in seconds since 1970.
    pub at: i64,
    /// The event as CloudTrail recorded it.
    pub record: Json,
}

/// Lets requests go out one after the other.
#[derive(Debug)]
pub struct Pace {
    every: Duration,
    next: Option<Instant>,
}

impl Pace {
    /// With so much time between two requests.
    pub fn new(every: Duration) -> Pace {
        Pace { every, next: None }
    }

    async fn wait(&mut self) {
        if let Some(next) = self.next {
            tokio::time::sleep_until(next).await;
        }
        self.next = Some(Instant::now() + self.every);
    }
}

/// All events since then, with clients in their region.
///
/// # Errors
/// What CloudTrail has to say.
pub async fn look_up(
    clients: &Clients,
    by: By<'_>,
    since: SystemTime,
    pace: &mut Pace,
) -> Result<Vec<Event>, Error> {
    const OPERATION: &str = "cloudtrail:LookupEvents";
    let (key, value) = match by {
        By::Resource(name) => (LookupAttributeKey::ResourceName, name),
        By::User(name) => (LookupAttributeKey::Username, name),
    };
    let attribute = LookupAttribute::builder().attribute_key(key).attribute_value(value).build();
    let attribute = attribute.map_err(|error| Error::bug(OPERATION, error.to_string()))?;
    let (mut found, mut token) = (Vec::new(), None);
    loop {
        pace.wait().await;
        let look = clients.cloudtrail().lookup_events().lookup_attributes(attribute.clone());
        let look = look.start_time(DateTime::from(since)).set_next_token(token.take());
        let page = look.send().await.map_err(failed(OPERATION))?;
        token = page.next_token.filter(|token| !token.is_empty());
        found.extend(page.events.into_iter().flatten().filter_map(|event| {
            Some(Event {
                id: event.event_id?,
                at: event.event_time?.secs(),
                record: serde_json::from_str(&event.cloud_trail_event?).ok()?,
            })
        }));
        if token.is_none() {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Cloud;

    #[tokio::test(start_paused = true)]
    async fn pages_are_followed_and_paced() {
        let page = |id: &str, more: &str| {
            format!(
                r#"{{"Events":[{{"EventId":"{id}","EventTime":1795464000.0,"CloudTrailEvent":"{{\"eventName\":\"Decrypt\"}}"}}]{more}}}"#
            )
        };
        let cloud = Cloud::default()
            .answer("LookupEvents", &page("a", r#","NextToken":"t""#))
            .answer("LookupEvents", &page("b", ""));
        let session = cloud.clone().session();
        let (start, mut pace) = (Instant::now(), Pace::new(PACE));
        let arn = "arn:aws:kms:eu-west-3:123456789012:key/1";
        let clients: &Clients = session.clients().unwrap();
        let events = look_up(clients, By::Resource(arn), SystemTime::UNIX_EPOCH, &mut pace).await.unwrap();
        let ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
        assert_eq!(ids, ["a", "b"]);
        assert_eq!(events[0].record["eventName"], "Decrypt");
        assert!(start.elapsed() >= PACE && start.elapsed() < PACE * 2, "{:?}", start.elapsed());
        assert!(cloud.requests("LookupEvents")[1].contains(r#""NextToken":"t""#));
    }
}
