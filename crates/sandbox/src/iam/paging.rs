//! Long lists in pages: `MaxItems` and `Marker` in, `IsTruncated` and `Marker` out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::check;
use crate::store::Document;
use crate::visit::Visit;
use crate::wire::{Form, Refusal, Xml};

/// Which page of a list is asked for.
#[derive(Debug)]
pub(super) struct Paging {
    after: Option<String>,
    limit: usize,
}

impl Paging {
    pub(super) fn of(form: &Form) -> Result<Paging, Refusal> {
        let limit = match form.text("MaxItems") {
            None => 100,
            Some(text) => text.parse().ok().filter(|limit| (1..=1000).contains(limit)).ok_or_else(|| {
                check::invalid(format!(
                    "1 validation error detected: Value '{text}' at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000"
                ))
            })?,
        };
        let after = form
            .text("Marker")
            .map(|marker| {
                STANDARD
                    .decode(marker)
                    .ok()
                    .and_then(|bytes| String::from_utf8(bytes).ok())
                    .ok_or_else(|| check::invalid("Invalid Marker."))
            })
            .transpose()?;
        Ok(Paging { after, limit })
    }
}

/// One page.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// The key of the last item, if more follow.
    last: Option<String>,
}

impl<T> Page<T> {
    /// Says whether and where the list goes on.
    pub(super) fn finish(&self, xml: &mut Xml) {
        xml.text("IsTruncated", self.last.is_some());
        xml.optional("Marker", self.last.as_ref().map(|last| STANDARD.encode(last)));
    }
}

/// A page of the stored documents whose keys begin with `prefix` and that `keep` takes.
pub(super) fn stored<D: Document>(
    visit: &Visit<'_>,
    prefix: &str,
    keep: impl Fn(&D) -> bool,
) -> Result<Page<D>, Refusal> {
    let paging = Paging::of(visit.form())?;
    let mut after = paging.after;
    let mut items: Vec<D> = Vec::new();
    loop {
        let batch = visit.store.list::<D>(prefix, after.as_deref(), paging.limit + 1)?;
        let complete = batch.len() <= paging.limit;
        after = batch.last().map(Document::key).or(after);
        items.extend(batch.into_iter().filter(&keep));
        if complete || items.len() > paging.limit {
            break;
        }
    }
    Ok(cut(items, paging.limit, Document::key))
}

/// A page of items that are at hand, ordered by `key`.
pub(super) fn at_hand<T>(
    visit: &Visit<'_>,
    mut items: Vec<T>,
    key: impl Fn(&T) -> String,
) -> Result<Page<T>, Refusal> {
    let paging = Paging::of(visit.form())?;
    items.sort_by_cached_key(&key);
    if let Some(after) = &paging.after {
        items.retain(|item| key(item) > *after);
    }
    Ok(cut(items, paging.limit, key))
}

fn cut<T>(mut items: Vec<T>, limit: usize, key: impl Fn(&T) -> String) -> Page<T> {
    let more = items.len() > limit;
    items.truncate(limit);
    let last = items.last().filter(|_| more).map(key);
    Page { items, last }
}
