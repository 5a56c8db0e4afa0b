//! A whole object of a schema.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_model::schema::{Attribute, Block, NestedBlock, Nesting};
use terrane_model::{Action, Step, Value};

use super::{Body, Difference, Forced, collection::any_change, compare};

/// Compares two objects of a block's shape.
pub fn compare_block(
    block: &Block,
    before: Option<&Value>,
    after: Option<&Value>,
    forced: &Forced<'_>,
) -> Difference {
    let mut attributes: BTreeMap<Arc<str>, Difference> = BTreeMap::new();
    for attribute in &block.attributes {
        let side = |value: Option<&Value>| part(value, attribute.name);
        if let Some(difference) =
            attribute_of(attribute, side(before), side(after), &forced.named(attribute.name))
        {
            attributes.insert(attribute.name.into(), difference);
        }
    }
    let mut blocks: BTreeMap<Arc<str>, Vec<Difference>> = BTreeMap::new();
    for nested in &block.blocks {
        let side = |value: Option<&Value>| part(value, nested.name);
        let all = nested_of(nested, side(before).as_ref(), side(after).as_ref(), &forced.named(nested.name));
        if !all.is_empty() {
            blocks.insert(nested.name.into(), all);
        }
    }
    let action = match (before, after) {
        (None, Some(_)) => Action::Create,
        (Some(_), None) => Action::Delete,
        _ if any_change(attributes.values()) || any_change(blocks.values().flatten()) => Action::Update,
        _ => Action::NoOp,
    };
    Difference { replace: forced.here(), ..Difference::of(action, Body::Block { attributes, blocks }) }
}

/// A part of an object. Everything in an unknown object is unknown; a null is none.
fn part(value: Option<&Value>, name: &str) -> Option<Value> {
    let value = value?;
    if value.is_unknown() {
        return Some(value.clone());
    }
    let marks = value.marks();
    value.get(name).filter(|v| !v.is_null()).map(|v| v.clone().with_marks(marks))
}

/// Nothing when it is not set at all. An empty text stands for "not set" in what AWS answers, so it is no change.
fn attribute_of(
    attribute: &Attribute,
    before: Option<Value>,
    after: Option<Value>,
    forced: &Forced<'_>,
) -> Option<Difference> {
    if before.is_none() && after.is_none() {
        return None;
    }
    let empty = |value: &Option<Value>| value.as_ref().is_none_or(|v| v.as_str() == Some(""));
    let mark = |value: Option<Value>| value.map(|v| if attribute.sensitive { v.sensitive() } else { v });
    if empty(&before) && empty(&after) {
        before.as_ref()?;
        let shown = mark(after.or(before));
        return Some(compare(shown.as_ref(), shown.as_ref(), &Forced::default()));
    }
    let given = |value: Option<Value>| value.filter(|v| v.as_str() != Some(""));
    let (before, after) = (mark(given(before)), mark(given(after)));
    Some(compare(before.as_ref(), after.as_ref(), forced))
}

fn nested_of(
    nested: &NestedBlock,
    before: Option<&Value>,
    after: Option<&Value>,
    forced: &Forced<'_>,
) -> Vec<Difference> {
    if after.is_some_and(Value::is_unknown) {
        let there = before.is_some_and(|b| nested.nesting == Nesting::Single || !b.elements().is_empty());
        let action = if there { Action::Update } else { Action::Create };
        let body = Body::Unknown { before: None };
        return vec![Difference { replace: forced.here(), ..Difference::of(action, body) }];
    }
    // What is said of all blocks together, such as that they are secret, is so of each.
    let marked = |of: Option<&Value>, element: Option<&Value>| {
        element.cloned().map(|element| element.with_marks(of.map(Value::marks).unwrap_or_default()))
    };
    let whole = forced.here();
    let one = |old: Option<&Value>, new: Option<&Value>, inside: &Forced<'_>| {
        let (old, new) = (marked(before, old), marked(after, new));
        let mut difference = compare_block(&nested.block, old.as_ref(), new.as_ref(), inside);
        difference.replace |= whole && difference.action != Action::NoOp;
        difference
    };
    match nested.nesting {
        Nesting::Single => match (before, after) {
            (None, None) => vec![],
            (before, after) => vec![one(before, after, forced)],
        },
        Nesting::List => {
            let olds = before.map_or(&[][..], Value::elements);
            let news = after.map_or(&[][..], Value::elements);
            (0..olds.len().max(news.len()))
                .map(|i| {
                    let inside = forced.child(|step| matches!(step, Step::Index(n) if *n == i));
                    one(olds.get(i), news.get(i), &inside)
                })
                .collect()
        }
        Nesting::Set => pairs(nested, before, after)
            .into_iter()
            .map(|(old, new)| {
                let named = |e: &Value| old == Some(e) || new == Some(e);
                let inside = forced.child(|step| matches!(step, Step::Element(e) if named(e)));
                one(old, new, &inside)
            })
            .collect(),
    }
}

/// The elements of two sets, those with the same identity together: by the attributes that the schema names, or as a whole.
fn pairs<'v>(
    nested: &NestedBlock,
    before: Option<&'v Value>,
    after: Option<&'v Value>,
) -> Vec<(Option<&'v Value>, Option<&'v Value>)> {
    let same = |old: &Value, new: &Value| match nested.identity.is_empty() {
        true => old == new,
        false => nested.identity.iter().all(|name| old.get(name) == new.get(name)),
    };
    let mut olds: Vec<&Value> = before.map_or(&[][..], Value::elements).iter().collect();
    let mut pairs = Vec::new();
    let mut come = Vec::new();
    for new in after.map_or(&[][..], Value::elements) {
        match olds.iter().position(|old| same(old, new)) {
            Some(i) => pairs.push((Some(olds.remove(i)), Some(new))),
            None => come.push((None, Some(new))),
        }
    }
    pairs.extend(olds.into_iter().map(|old| (Some(old), None)));
    pairs.extend(come);
    pairs.sort_by_key(|(old, new)| old.or(*new));
    pairs
}
