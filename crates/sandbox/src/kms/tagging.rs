//! Tags of keys.

use serde::Deserialize;
use serde_json::json;

use super::authority::{key_context, may, may_plainly};
use super::key::{must_be_customers, must_not_be_pending};
use super::{find, page};
use crate::iam::Tag;
use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireTag {
    tag_key: String,
    #[serde(default)]
    tag_value: String,
}

/// The tags of a call, checked.
pub(super) fn checked(tags: Vec<WireTag>) -> Result<Vec<Tag>, Refusal> {
    let mut checked: Vec<Tag> = Vec::new();
    for WireTag { tag_key: key, tag_value: value } in tags {
        let fits = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
        let length = key.chars().count();
        if length == 0 || length > 128 || value.chars().count() > 256 {
            return Err(Refusal::validation(format!(
                "1 validation error detected: Value '{key}' at 'tags' failed to satisfy constraint: Member must have length between 1 and 128, its value at most 256"
            )));
        }
        if !key.chars().all(fits) || !value.chars().all(fits) || key.starts_with("aws:") {
            return Err(Refusal::new("TagException", "Tag is not valid"));
        }
        if checked.iter().any(|tag| tag.key == key) {
            return Err(Refusal::new("TagException", "Duplicate tag keys"));
        }
        checked.push(Tag { key, value });
    }
    too_many(&checked)?;
    Ok(checked)
}

fn too_many(tags: &[Tag]) -> Result<(), Refusal> {
    if tags.len() <= 50 { Ok(()) } else { Err(Refusal::new("TagException", "Too many tags")) }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagResource {
    key_id: String,
    tags: Vec<WireTag>,
}

pub(super) fn tag(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: TagResource = visit.call.json()?;
    let added = checked(input.tags)?;
    let mut key = find::by_key_name(visit, &input.key_id)?;
    let mut context = key_context(visit, &key)?.with_all("aws:TagKeys", added.iter().map(|tag| &tag.key));
    for tag in &added {
        context = context.with(&format!("aws:RequestTag/{}", tag.key), &tag.value);
    }
    may(visit, &key, "kms:TagResource", context)?;
    must_be_customers(visit, &key)?;
    must_not_be_pending(visit, &key)?;
    for tag in added {
        match key.tags.iter_mut().find(|old| old.key == tag.key) {
            Some(old) => *old = tag,
            None => key.tags.push(tag),
        }
    }
    too_many(&key.tags)?;
    visit.store.put(&key)?;
    Ok(Reply::Empty)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UntagResource {
    key_id: String,
    tag_keys: Vec<String>,
}

pub(super) fn untag(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: UntagResource = visit.call.json()?;
    let mut key = find::by_key_name(visit, &input.key_id)?;
    let context = key_context(visit, &key)?.with_all("aws:TagKeys", &input.tag_keys);
    may(visit, &key, "kms:UntagResource", context)?;
    must_be_customers(visit, &key)?;
    must_not_be_pending(visit, &key)?;
    key.tags.retain(|tag| !input.tag_keys.contains(&tag.key));
    visit.store.put(&key)?;
    Ok(Reply::Empty)
}

pub(super) fn list(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: super::key::KeyOnly = visit.call.json()?;
    let key = find::by_key_name(visit, &input.key_id)?;
    may_plainly(visit, &key, "kms:ListResourceTags")?;
    let page = page::Asked::of(visit, 50, 50)?;
    let mut tags = key.tags;
    tags.sort_by(|a, b| a.key.cmp(&b.key));
    tags.retain(|tag| page.after().is_none_or(|after| tag.key.as_str() > after));
    Ok(page.answer(
        "Tags",
        tags,
        |tag| tag.key.clone(),
        |tag| json!({ "TagKey": tag.key, "TagValue": tag.value }),
    ))
}
