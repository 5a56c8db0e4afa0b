//! Types of values: primitives, collections (one element type) and structures (a type per element).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The type of a value, or a constraint that a value must meet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Type {
    /// As a constraint: anything. As the type of an unknown or null value: not determined yet.
    Any,
    /// true or false.
    Bool,
    /// A number.
    Number,
    /// Unicode text.
    String,
    /// Ordered elements of one type.
    List(Arc<Type>),
    /// Distinct elements of one type, in a stable order.
    Set(Arc<Type>),
    /// Elements of one type by text key.
    Map(Arc<Type>),
    /// Ordered elements, each of its own type.
    Tuple(Arc<[Type]>),
    /// Named attributes, each of its own type.
    Object(Arc<BTreeMap<Arc<str>, Field>>),
}

/// One attribute of an object type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Field {
    /// The attribute's type.
    pub ty: Type,
    /// Whether the attribute may be left out (only in constraints).
    pub optional: bool,
}

impl Type {
    /// `list(element)`.
    pub fn list(element: Type) -> Type {
        Type::List(Arc::new(element))
    }

    /// `set(element)`.
    pub fn set(element: Type) -> Type {
        Type::Set(Arc::new(element))
    }

    /// `map(element)`.
    pub fn map(element: Type) -> Type {
        Type::Map(Arc::new(element))
    }

    /// `tuple([..])`.
    pub fn tuple(elements: impl IntoIterator<Item = Type>) -> Type {
        Type::Tuple(elements.into_iter().collect())
    }

    /// `object({..})` with all attributes required.
    pub fn object<N: Into<Arc<str>>>(fields: impl IntoIterator<Item = (N, Type)>) -> Type {
        Type::Object(Arc::new(
            fields.into_iter().map(|(n, ty)| (n.into(), Field { ty, optional: false })).collect(),
        ))
    }

    /// Bool, number or string.
    pub fn is_primitive(&self) -> bool {
        matches!(self, Type::Bool | Type::Number | Type::String)
    }

    /// List, set or map.
    pub fn is_collection(&self) -> bool {
        matches!(self, Type::List(_) | Type::Set(_) | Type::Map(_))
    }

    /// The element type of a collection.
    pub fn element(&self) -> Option<&Type> {
        match self {
            Type::List(e) | Type::Set(e) | Type::Map(e) => Some(e),
            _ => None,
        }
    }

    /// Whether [`Type::Any`] occurs anywhere inside.
    pub fn has_any(&self) -> bool {
        match self {
            Type::Any => true,
            Type::Bool | Type::Number | Type::String => false,
            Type::List(e) | Type::Set(e) | Type::Map(e) => e.has_any(),
            Type::Tuple(es) => es.iter().any(Type::has_any),
            Type::Object(fs) => fs.values().any(|f| f.ty.has_any()),
        }
    }

    /// A word or two for messages: `string`, `list of string`, `object`.
    pub fn friendly(&self) -> String {
        match self {
            Type::Any => "any value".into(),
            Type::Bool => "bool".into(),
            Type::Number => "number".into(),
            Type::String => "string".into(),
            Type::List(e) if **e == Type::Any => "list".into(),
            Type::Set(e) if **e == Type::Any => "set".into(),
            Type::Map(e) if **e == Type::Any => "map".into(),
            Type::List(e) => format!("list of {}", e.friendly()),
            Type::Set(e) => format!("set of {}", e.friendly()),
            Type::Map(e) => format!("map of {}", e.friendly()),
            Type::Tuple(_) => "tuple".into(),
            Type::Object(_) => "object".into(),
        }
    }
}

/// Writes the type as a type constraint is written: `map(object({ name = string }))`.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Any => f.write_str("any"),
            Type::Bool => f.write_str("bool"),
            Type::Number => f.write_str("number"),
            Type::String => f.write_str("string"),
            Type::List(e) => write!(f, "list({e})"),
            Type::Set(e) => write!(f, "set({e})"),
            Type::Map(e) => write!(f, "map({e})"),
            Type::Tuple(es) => {
                f.write_str("tuple([")?;
                for (i, e) in es.iter().enumerate() {
                    write!(f, "{}{e}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str("])")
            }
            Type::Object(fields) => {
                f.write_str("object({")?;
                for (i, (name, field)) in fields.iter().enumerate() {
                    let sep = if i > 0 { ", " } else { " " };
                    match field.optional {
                        true => write!(f, "{sep}{name} = optional({})", field.ty)?,
                        false => write!(f, "{sep}{name} = {}", field.ty)?,
                    }
                }
                f.write_str(if fields.is_empty() { "})" } else { " })" })
            }
        }
    }
}
