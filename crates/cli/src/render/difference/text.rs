//! Texts: on one line, of several lines, and JSON.

use serde_json::Value as Json;
use similar::{ChangeTag, TextDiff};
use terrane_model::json::implied;
use terrane_model::{Action, Value};

use super::{Body, Difference, Forced, compare as compare_values};
use crate::render::value_text::quoted;

/// Longer texts are compared line by line only as far as this many bytes go; beyond, all of the old goes, all of the new comes.
const MOST_BYTES: usize = 1 << 20;

/// Compares two texts.
pub(super) fn compare(before: Option<&str>, after: Option<&str>) -> Difference {
    let action = match (before, after) {
        (None, Some(_)) => Action::Create,
        (Some(_), None) => Action::Delete,
        (before, after) if before == after => Action::NoOp,
        _ => Action::Update,
    };
    if let Some(body) = json(before, after) {
        return Difference::of(action, body);
    }
    if before.into_iter().chain(after).any(|text| text.contains('\n')) {
        return Difference::of(action, Body::Lines(lines(before, after)));
    }
    Difference::of(action, Body::Plain { before: before.map(quoted), after: after.map(quoted) })
}

/// Texts that both are a JSON object or array are compared by what they say.
fn json(before: Option<&str>, after: Option<&str>) -> Option<Body> {
    let read = |text: Option<&str>| text.map(structure).transpose();
    let (old, new) = (read(before).ok()?, read(after).ok()?);
    let inner = compare_values(old.as_ref(), new.as_ref(), &Forced::default());
    let layout_only = inner.is_same() && before != after;
    Some(Body::Json { inner: Box::new(inner), layout_only })
}

fn structure(text: &str) -> Result<Value, ()> {
    if !matches!(text.trim_start().chars().next(), Some('{' | '[')) {
        return Err(());
    }
    match serde_json::from_str::<Json>(text) {
        Ok(json @ (Json::Object(_) | Json::Array(_))) => Ok(implied(&json)),
        _ => Err(()),
    }
}

fn lines(before: Option<&str>, after: Option<&str>) -> Vec<(Action, String)> {
    let all = |action: Action, text: &str| -> Vec<(Action, String)> {
        text.trim_end_matches('\n').split('\n').map(|line| (action, line.to_owned())).collect()
    };
    match (before, after) {
        (Some(old), Some(new)) if old == new => all(Action::NoOp, new),
        (Some(old), Some(new)) if old.len() + new.len() > MOST_BYTES => {
            [all(Action::Delete, old), all(Action::Create, new)].concat()
        }
        (Some(old), Some(new)) => TextDiff::from_lines(old, new)
            .iter_all_changes()
            .map(|change| {
                let action = match change.tag() {
                    ChangeTag::Equal => Action::NoOp,
                    ChangeTag::Delete => Action::Delete,
                    ChangeTag::Insert => Action::Create,
                };
                (action, change.value().trim_end_matches('\n').to_owned())
            })
            .collect(),
        (Some(text), None) | (None, Some(text)) => all(Action::NoOp, text),
        (None, None) => vec![],
    }
}
