//! One object: what becomes of it, with its header, as a plan and a state show it.

use std::fmt::Write as _;

use terrane_model::schema::FormKind;
use terrane_model::{Action, Address, Mode, Path, Schema, Value};

use super::difference::block::compare_block;
use super::difference::{Body, Difference, Forced};
use super::paint::Paint;
use super::policy;
use super::tree_text::{Style, write};
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
    let mut tree = compare_block(&schema.block, before, after, &Forced::new(replace_paths));
    explain_policies(schema, before, after, &mut tree);
    let style = Style::changes(paint);
    let mut out = style.glyph(action);
    header(&mut out, address);
    write(&mut out, &tree, 0, style);
    out.push('\n');
    out
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

/// Says of each policy that changes what changes in it, beside the two texts.
fn explain_policies(schema: &Schema, before: Option<&Value>, after: Option<&Value>, tree: &mut Difference) {
    let Body::Block { attributes, .. } = &mut tree.body else { return };
    for attribute in &schema.block.attributes {
        if !attribute.form.is_some_and(|form| form.kind == FormKind::Policy) {
            continue;
        }
        let text = |value: Option<&Value>| value?.get(attribute.name)?.as_str().map(str::to_owned);
        let (Some(old), Some(new)) = (text(before), text(after)) else { continue };
        if let Some(difference) = attributes.get_mut(attribute.name)
            && matches!(difference.body, Body::Json { .. })
        {
            difference.footnotes.extend(policy::lines(&old, &new).into_iter().map(|text| line(&text)));
        }
    }
}
