//! Long lists in pages: `Limit` and `Marker` in, `Truncated` and `NextMarker` out.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

/// Which page is asked for.
#[derive(Debug)]
pub(super) struct Asked {
    after: Option<String>,
    limit: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    limit: Option<usize>,
    marker: Option<String>,
}

impl Asked {
    pub(super) fn of(visit: &Visit<'_>, usual: usize, most: usize) -> Result<Asked, Refusal> {
        let input: Input = visit.call.json()?;
        let limit = input.limit.unwrap_or(usual);
        if !(1..=most).contains(&limit) {
            return Err(Refusal::validation(format!(
                "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must have value between 1 and {most}"
            )));
        }
        let after = input
            .marker
            .map(|marker| {
                let bytes = URL_SAFE_NO_PAD.decode(marker).ok();
                bytes
                    .and_then(|bytes| String::from_utf8(bytes).ok())
                    .ok_or_else(|| Refusal::new("InvalidMarkerException", "Could not deserialize marker"))
            })
            .transpose()?;
        Ok(Asked { after, limit })
    }

    pub(super) fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// The page of `items`, which are in order, all after the marker, and one more than the page if there are more.
    pub(super) fn answer<T>(
        &self,
        name: &str,
        mut items: Vec<T>,
        key: impl Fn(&T) -> String,
        shown: impl Fn(&T) -> Value,
    ) -> Reply {
        let truncated = items.len() > self.limit;
        items.truncate(self.limit);
        let mut answer = json!({ name: items.iter().map(shown).collect::<Vec<_>>(), "Truncated": truncated });
        if let (true, Some(last), Some(object)) = (truncated, items.last(), answer.as_object_mut()) {
            object.insert("NextMarker".to_owned(), URL_SAFE_NO_PAD.encode(key(last)).into());
        }
        answer.into()
    }
}
