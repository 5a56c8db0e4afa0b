//! One object: what becomes of it, with its header, as a plan and a state show it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use terrane_model::schema::FormKind;
use terrane_model::{Action, Address, Mode, Path, Schema, Step, Value};

use super::difference::block::compare_block;
use super::difference::{Body, Difference, Forced};
use super::paint::Paint;
use super::policy;
use super::tree_text::{Style, margin, write};
use super::value_text::{line, quoted};

/// The object before and after, with the glyph of its action. Ends with a line break.
pub fn change(
    schema: &Schema,
    address: &Address,
    action: Action,
    before: Option<&Value>,
    after: Option<&Value>,
    replace_paths: &[Path],
    paint: Paint,
) -> String {
    // What is let go of stays as it is.
    let after = if action == Action::Forget { before } else { after };
    let mut tree = compare_block(&schema.block, before, after, &Forced::new(replace_paths));
    explain_policies(schema, before, after, &mut tree);
    let style = Style::changes(paint);
    let mut out = style.glyph(action);
    header(&mut out, address);
    write(&mut out, &tree, 0, style);
    out.push('\n');
    out
}

/// An object that is taken over as it is, with everything that it has.
pub fn imported(schema: &Schema, address: &Address, value: &Value, paint: Paint) -> String {
    let tree = compare_block(&schema.block, Some(value), Some(value), &Forced::default());
    let style = Style::whole(paint);
    let mut out = style.glyph(Action::NoOp);
    header(&mut out, address);
    write(&mut out, &tree, 0, style);
    out.push('\n');
    out
}

/// The object before and after as lines with a sign in the first column, policies by statement.
pub fn margin_lines(
    schema: &Schema,
    address: &Address,
    action: Action,
    before: Option<&Value>,
    after: Option<&Value>,
    replace_paths: &[Path],
) -> String {
    let mut tree = compare_block(&schema.block, before, after, &Forced::new(replace_paths));
    if let Body::Block { attributes, .. } = &mut tree.body {
        for (name, difference) in policies(schema, attributes) {
            let text = |value: Option<&Value>| value?.get(name)?.as_str().map(str::to_owned);
            let (old, new) = (text(before), text(after));
            if !difference.is_same()
                && let Some(body) = policy::statements(old.as_deref(), new.as_deref())
            {
                difference.body = body;
            }
        }
    }
    let sign = if action.is_replace() { Action::NoOp } else { action };
    let mut out = format!("{} ", margin(sign));
    header(&mut out, address);
    write(&mut out, &tree, 0, Style::margin());
    out.push('\n');
    out
}

/// The attributes and blocks that change, each with whether it forces a new object.
pub fn changed(
    schema: &Schema,
    before: Option<&Value>,
    after: Option<&Value>,
    replace_paths: &[Path],
) -> Vec<(String, bool)> {
    let tree = compare_block(&schema.block, before, after, &Forced::new(replace_paths));
    let Body::Block { attributes, blocks } = tree.body else { return vec![] };
    let forced = |name: &str| {
        replace_paths.iter().any(|path| {
            matches!(path.0.first(), Some(Step::Attribute(first) | Step::Key(first)) if first.as_ref() == name)
        })
    };
    let attributes = attributes.iter().filter(|(_, difference)| !difference.is_same()).map(|(name, _)| name);
    let blocks = blocks.iter().filter(|(_, all)| !all.iter().all(Difference::is_same)).map(|(name, _)| name);
    attributes.chain(blocks).map(|name| (name.to_string(), forced(name))).collect()
}

/// An object as the state has it.
pub fn state(schema: &Schema, address: &Address, value: &Value, paint: Paint) -> String {
    let tree = compare_block(&schema.block, Some(value), Some(value), &Forced::default());
    let mut out = String::new();
    header(&mut out, address);
    write(&mut out, &tree, 0, Style::state(paint));
    out.push('\n');
    out
}

fn header(out: &mut String, address: &Address) {
    let kind = match address.resource.mode {
        Mode::Managed => "resource",
        Mode::Data => "data",
    };
    // Writing into a text cannot fail.
    let _ = write!(out, "{kind} {} {} ", quoted(&address.resource.type_name), quoted(&address.resource.name));
}

/// The attributes that are policies and shown as such: not hidden, and not unknown.
fn policies<'d>(
    schema: &'d Schema,
    attributes: &'d mut BTreeMap<Arc<str>, Difference>,
) -> impl Iterator<Item = (&'d str, &'d mut Difference)> {
    let is_policy = |name: &str| {
        schema
            .block
            .attributes
            .iter()
            .any(|a| a.name == name && a.form.is_some_and(|form| form.kind == FormKind::Policy))
    };
    attributes
        .iter_mut()
        .map(|(name, difference)| (name.as_ref(), difference))
        .filter(move |(name, difference)| is_policy(name) && matches!(difference.body, Body::Json { .. }))
}

/// Says of each policy that changes what changes in it, beside the two texts.
fn explain_policies(schema: &Schema, before: Option<&Value>, after: Option<&Value>, tree: &mut Difference) {
    let Body::Block { attributes, .. } = &mut tree.body else { return };
    for (name, difference) in policies(schema, attributes) {
        let text = |value: Option<&Value>| value?.get(name)?.as_str().map(str::to_owned);
        if let (Some(old), Some(new)) = (text(before), text(after)) {
            difference.footnotes.extend(policy::lines(&old, &new).into_iter().map(|text| line(&text)));
        }
    }
}
