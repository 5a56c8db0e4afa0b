//! Lists, sets, maps and objects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use similar::{Algorithm, DiffTag, capture_diff_slices};
use terrane_model::{Action, Step, Value};

use super::{Body, Difference, Forced, compare, shape, whole};

/// Compares two lists or tuples: what stays is found first, and what lies between is paired where it can be compared.
pub(super) fn sequence(before: Option<&Value>, after: Option<&Value>, forced: &Forced<'_>) -> Difference {
    let olds = before.map_or(&[][..], Value::elements);
    let news = after.map_or(&[][..], Value::elements);
    let mut elements = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, olds, news) {
        let old = olds.get(op.old_range()).unwrap_or_default();
        let new = news.get(op.new_range()).unwrap_or_default();
        let first = op.new_range().start;
        match op.tag() {
            DiffTag::Equal => elements.extend(new.iter().zip(old).map(|(new, old)| {
                // Equal, but for unknown parts, which are never the same.
                compare(Some(old), Some(new), &Forced::default())
            })),
            _ => between(old, new, first, forced, &mut elements),
        }
    }
    let action = whole(before, after, &elements);
    Difference::of(action, Body::Elements { elements, neighbours: true })
}

fn between(
    olds: &[Value],
    news: &[Value],
    first: usize,
    forced: &Forced<'_>,
    elements: &mut Vec<Difference>,
) {
    let at = |i: usize| forced.child(|step| matches!(step, Step::Index(n) if *n == first + i));
    let mut gone: Vec<Difference> = Vec::new();
    let mut come: Vec<Difference> = Vec::new();
    for i in 0..olds.len().max(news.len()) {
        match (olds.get(i), news.get(i)) {
            (Some(old), Some(new)) if can_pair(old, new) => {
                elements.append(&mut gone);
                elements.append(&mut come);
                elements.push(compare(Some(old), Some(new), &at(i)));
            }
            (old, new) => {
                gone.extend(old.map(|old| compare(Some(old), None, &at(i))));
                come.extend(new.map(|new| compare(None, Some(new), &at(i))));
            }
        }
    }
    elements.append(&mut gone);
    elements.append(&mut come);
}

/// Structures are compared part by part; a scalar goes and another comes, unless the new one is not known yet.
fn can_pair(old: &Value, new: &Value) -> bool {
    let structure = |value: &Value| shape(value) >= 2;
    new.is_unknown() || (structure(old) && shape(old) == shape(new))
}

/// Compares two sets: an element is there or not.
pub(super) fn set(before: Option<&Value>, after: Option<&Value>, forced: &Forced<'_>) -> Difference {
    let olds: BTreeSet<&Value> = before.map_or(&[][..], Value::elements).iter().collect();
    let news: BTreeSet<&Value> = after.map_or(&[][..], Value::elements).iter().collect();
    let at = |element: &Value| forced.child(|step| matches!(step, Step::Element(e) if e.as_ref() == element));
    let elements: Vec<Difference> = olds
        .union(&news)
        .map(|element| {
            let side = |set: &BTreeSet<&Value>| set.contains(element).then_some(*element);
            compare(side(&olds), side(&news), &at(element))
        })
        .collect();
    let action = whole(before, after, &elements);
    Difference::of(action, Body::Elements { elements, neighbours: false })
}

/// Compares two maps or objects key by key.
pub(super) fn entries(
    before: Option<&Value>,
    after: Option<&Value>,
    forced: &Forced<'_>,
) -> BTreeMap<Arc<str>, Difference> {
    let olds = before.and_then(Value::entries);
    let news = after.and_then(Value::entries);
    let keys: BTreeSet<&Arc<str>> = olds.iter().chain(&news).flat_map(|entries| entries.keys()).collect();
    keys.into_iter()
        .map(|key| {
            let side =
                |entries: Option<&'_ BTreeMap<Arc<str>, Value>>| entries.and_then(|e| e.get(key)).cloned();
            let (old, new) = (side(olds), side(news));
            (key.clone(), compare(old.as_ref(), new.as_ref(), &forced.named(key)))
        })
        .collect()
}

/// The action of a group of blocks.
pub(super) fn any_change<'d>(parts: impl IntoIterator<Item = &'d Difference>) -> bool {
    parts.into_iter().any(|part| part.action != Action::NoOp)
}
