//! The type that several types have in common, and what that means for values whose type is not known yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::result_type;
use crate::ty::{Field, Type};
use crate::value::{Kind, Unknown, Value};

/// The type to which values of all these types can be brought without loss; nothing when there is none.
///
/// Text wins over numbers and truth values. Objects with the same attributes unify attribute by attribute, others become
/// maps; tuples of one length unify element by element, others become lists. [`Type::Any`] adapts to its neighbours.
pub fn unify(types: &[Type]) -> Option<Type> {
    let mut known: Vec<&Type> = types.iter().filter(|t| **t != Type::Any).collect();
    let Some(first) = known.first().copied() else { return Some(Type::Any) };
    if known.iter().all(|t| *t == first) {
        return Some(first.clone());
    }
    known.sort();
    known.dedup();
    let all = |f: fn(&Type) -> bool| known.iter().all(|t| f(t));
    if all(Type::is_primitive) {
        return known.contains(&&Type::String).then_some(Type::String);
    }
    if all(|t| matches!(t, Type::Object(_))) {
        return unify_objects(&known);
    }
    if all(|t| matches!(t, Type::Tuple(_))) {
        return unify_tuples(&known);
    }
    if all(|t| matches!(t, Type::Map(_) | Type::Object(_))) {
        return unify_contents(&known).map(Type::map);
    }
    if all(|t| matches!(t, Type::Set(_))) || all(|t| matches!(t, Type::Set(_) | Type::Tuple(_))) {
        return unify_contents(&known).map(Type::set);
    }
    if all(|t| matches!(t, Type::List(_) | Type::Set(_) | Type::Tuple(_))) {
        return unify_contents(&known).map(Type::list);
    }
    known.iter().find(|want| known.iter().all(|t| result_type(t, want).is_some())).map(|t| (*t).clone())
}

/// The common type of everything inside.
fn unify_contents(types: &[&Type]) -> Option<Type> {
    let mut inner = Vec::new();
    for ty in types {
        match ty {
            Type::List(e) | Type::Set(e) | Type::Map(e) => inner.push((**e).clone()),
            Type::Tuple(es) => inner.extend(es.iter().cloned()),
            Type::Object(fs) => inner.extend(fs.values().map(|f| f.ty.clone())),
            _ => return None,
        }
    }
    unify(&inner)
}

fn unify_objects(types: &[&Type]) -> Option<Type> {
    let all: Vec<&BTreeMap<Arc<str>, Field>> = types
        .iter()
        .filter_map(|t| match t {
            Type::Object(fs) => Some(&**fs),
            _ => None,
        })
        .collect();
    let first = all.first()?;
    if !all.iter().all(|fs| fs.keys().eq(first.keys())) {
        return unify_contents(types).map(Type::map);
    }
    let fields: Option<Vec<(Arc<str>, Type)>> = first
        .keys()
        .map(|name| {
            let across: Vec<Type> = all.iter().filter_map(|fs| fs.get(name)).map(|f| f.ty.clone()).collect();
            Some((name.clone(), unify(&across)?))
        })
        .collect();
    Some(Type::object(fields?))
}

fn unify_tuples(types: &[&Type]) -> Option<Type> {
    let all: Vec<&[Type]> = types
        .iter()
        .filter_map(|t| match t {
            Type::Tuple(es) => Some(&**es),
            _ => None,
        })
        .collect();
    let first = all.first()?;
    if !all.iter().all(|es| es.len() == first.len()) {
        return unify_contents(types).map(Type::list);
    }
    let elements: Option<Vec<Type>> = (0..first.len())
        .map(|i| {
            let across: Vec<Type> = all.iter().filter_map(|es| es.get(i)).cloned().collect();
            unify(&across)
        })
        .collect();
    Some(Type::tuple(elements?))
}

/// Whether the common type will still be this one when every unknown of open type has got its value: such an unknown
/// may only stand where text is asked for (nothing outranks text), or where nothing is known of the others either.
pub(super) fn settled(values: &[Value], common: &Type) -> bool {
    fn holds(value: &Value, ty: &Type) -> bool {
        match (value.kind(), ty) {
            (Kind::Unknown(u), ty) => !u.ty.has_any() || matches!(ty, Type::String | Type::Any),
            (_, Type::List(e) | Type::Set(e)) => value.elements().iter().all(|v| holds(v, e)),
            (_, Type::Map(e)) => value.entries().is_none_or(|m| m.values().all(|v| holds(v, e))),
            (Kind::Tuple(es), Type::Tuple(ts)) => es.iter().zip(ts.iter()).all(|(v, t)| holds(v, t)),
            (Kind::Object(vs), Type::Object(fs)) => {
                fs.iter().all(|(name, f)| vs.get(name).is_none_or(|v| holds(v, &f.ty)))
            }
            _ => true,
        }
    }
    values.iter().all(|v| holds(v, common))
}

/// The elements with their values forgotten: their type depends on a neighbour that is not known yet.
pub(super) fn all_unknown(values: &[Value]) -> Vec<Value> {
    values
        .iter()
        .map(|v| {
            let not_null = match v.kind() {
                Kind::Null(_) => return v.clone(),
                Kind::Unknown(u) => u.not_null,
                _ => true,
            };
            let marks = v.marks_deep();
            Value::unknown_with(Unknown { not_null, ..Unknown::of(Type::Any) }).with_marks(marks)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_wins_over_numbers_and_bools_and_nothing_else_does() {
        assert_eq!(unify(&[Type::Number, Type::Bool, Type::String]), Some(Type::String));
        assert_eq!(unify(&[Type::Number, Type::Bool]), None);
        assert_eq!(unify(&[Type::Any, Type::Number]), Some(Type::Number));
        assert_eq!(unify(&[]), Some(Type::Any));
        assert_eq!(unify(&[Type::String, Type::list(Type::String)]), None);
    }

    #[test]
    fn structures_meet_by_attribute_or_become_collections() {
        let a = Type::object([("a", Type::Number)]);
        let text_a = Type::object([("a", Type::String)]);
        let b = Type::object([("b", Type::Number)]);
        assert_eq!(unify(&[a.clone(), text_a.clone()]), Some(text_a.clone()));
        assert_eq!(unify(&[a.clone(), b.clone()]), Some(Type::map(Type::Number)));
        assert_eq!(unify(&[text_a, b]), Some(Type::map(Type::String)));
        let one = Type::tuple([Type::Number]);
        let two = Type::tuple([Type::Bool, Type::String]);
        assert_eq!(unify(&[one.clone(), two]), Some(Type::list(Type::String)));
        assert_eq!(unify(&[one.clone(), a]), None);
        assert_eq!(unify(&[one.clone(), Type::set(Type::String)]), Some(Type::set(Type::String)));
        assert_eq!(unify(&[one, Type::list(Type::String)]), Some(Type::list(Type::String)));
    }

    #[test]
    fn the_order_of_the_types_does_not_matter() {
        let types = [
            Type::list(Type::Number),
            Type::set(Type::String),
            Type::tuple([Type::Bool, Type::String]),
            Type::Any,
        ];
        let forward = unify(&types);
        let mut backward = types.to_vec();
        backward.reverse();
        assert_eq!(forward, unify(&backward));
        assert_eq!(forward, Some(Type::list(Type::String)));
    }
}
