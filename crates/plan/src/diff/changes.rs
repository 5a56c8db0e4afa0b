//! When two values are the same, and where they are not.

use terrane_model::schema::{Block, NestedBlock, Nesting, NormalForm, Schema};
use terrane_model::value::Kind;
use terrane_model::{Path, Step, Value};

/// Whether two values of an attribute mean the same. Marks don't count. An unknown is the same as nothing.
pub fn same(form: Option<&NormalForm>, before: &Value, after: &Value) -> bool {
    if !before.marks_deep().any() && !after.marks_deep().any() {
        return same_plain(form, before, after);
    }
    same_plain(form, &before.clone().unmark_deep().0, &after.clone().unmark_deep().0)
}

fn same_plain(form: Option<&NormalForm>, before: &Value, after: &Value) -> bool {
    match (form, before.as_str(), after.as_str()) {
        (Some(form), Some(before), Some(after)) => before == after || (form.equivalent)(before, after),
        _ if !after.is_wholly_known() || !before.is_wholly_known() => false,
        _ => before == after || (before.is_null() && after.is_null()),
    }
}

/// Null, false, 0, an empty text or an empty collection: AWS and specs use them for "not set".
pub fn is_zero(value: &Value) -> bool {
    match value.kind() {
        Kind::Null(_) | Kind::Bool(false) => true,
        Kind::Number(n) => *n == 0.into(),
        Kind::String(s) => s.is_empty(),
        Kind::List(_, es) | Kind::Set(_, es) | Kind::Tuple(es) => es.is_empty(),
        Kind::Map(_, m) => m.is_empty(),
        Kind::Unknown(_) | Kind::Bool(true) | Kind::Object(_) => false,
    }
}

/// The paths at which an object changes, down to attributes of blocks.
pub fn changed_paths(schema: &Schema, before: &Value, after: &Value) -> Vec<Path> {
    let mut paths = Vec::new();
    block_changes(&schema.block, before, after, &Path::default(), &mut paths);
    paths
}

fn block_changes(block: &Block, before: &Value, after: &Value, path: &Path, paths: &mut Vec<Path>) {
    for attribute in &block.attributes {
        let (Some(old), Some(new)) = (before.get(attribute.name), after.get(attribute.name)) else {
            continue;
        };
        let nothing = is_zero(old) && is_zero(new);
        if !nothing && !same(attribute.form, old, new) {
            paths.push(path.child(Step::Attribute(attribute.name.into())));
        }
    }
    for nested in &block.blocks {
        let (Some(old), Some(new)) = (before.get(nested.name), after.get(nested.name)) else { continue };
        nested_changes(nested, old, new, &path.child(Step::Attribute(nested.name.into())), paths);
    }
}

fn nested_changes(nested: &NestedBlock, before: &Value, after: &Value, path: &Path, paths: &mut Vec<Path>) {
    if before == after || (is_zero(before) && is_zero(after)) {
        return;
    }
    if after.is_unknown() || before.is_null() != after.is_null() {
        paths.push(path.clone());
        return;
    }
    match nested.nesting {
        Nesting::Single => paths.push(path.clone()),
        Nesting::List => {
            let (olds, news) = (before.elements(), after.elements());
            if olds.len() != news.len() {
                paths.push(path.clone());
            }
            for (i, (old, new)) in olds.iter().zip(news).enumerate() {
                block_changes(&nested.block, old, new, &path.child(Step::Index(i)), paths);
            }
        }
        Nesting::Set => set_changes(nested, before, after, path, paths),
    }
}

fn set_changes(nested: &NestedBlock, before: &Value, after: &Value, path: &Path, paths: &mut Vec<Path>) {
    let unchanged = |element: &Value, others: &[Value]| {
        others.iter().any(|other| {
            let mut inner = Vec::new();
            block_changes(&nested.block, other, element, &Path::default(), &mut inner);
            inner.is_empty()
        })
    };
    for old in before.elements().iter().filter(|old| !unchanged(old, after.elements())) {
        paths.push(path.child(Step::Element(Box::new(old.clone()))));
    }
    for new in after.elements().iter().filter(|new| !unchanged(new, before.elements())) {
        paths.push(path.child(Step::Element(Box::new(new.clone()))));
    }
}
