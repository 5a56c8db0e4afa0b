//! Type constraints of variables: `map(object({ pk = string, rk = optional(string, "id") }))`.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_model::convert::convert;
use terrane_model::nearest::nearest;
use terrane_model::ty::Field;
use terrane_model::{Diagnostic, Diagnostics, Kind, Span, Type, Value};

use crate::ast::{Call, Expr, Node, ObjectKey};
use crate::origin::Origin;
use crate::parse::parse_closed_expression;

/// Defaults of optional attributes, by where they stand in the type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Defaults {
    /// Of attributes of this object.
    attributes: BTreeMap<Arc<str>, Value>,
    /// Inside attributes of this object.
    inside: BTreeMap<Arc<str>, Defaults>,
    /// Inside the elements of this tuple.
    elements: Vec<Defaults>,
    /// Inside each element of this collection.
    each: Option<Box<Defaults>>,
}

/// Parses a type constraint. Defaults are converted to the type of their attribute.
///
/// # Errors
/// When the text is no type constraint.
pub fn parse_type(text: &str, origin: &Origin) -> Result<(Type, Defaults), Diagnostics> {
    let expr = parse_closed_expression(text, origin)?;
    let mut problems = Vec::new();
    let parsed = read_type(&expr, &mut problems);
    if problems.is_empty() { Ok(parsed) } else { Err(problems) }
}

const WORDS: [&str; 4] = ["any", "bool", "number", "string"];
const CONSTRUCTORS: [&str; 5] = ["list", "map", "object", "set", "tuple"];

fn invalid(detail: impl Into<String>, span: Span) -> Diagnostic {
    Diagnostic::error("invalid-type", "Invalid type", detail).at(span)
}

/// Any stands for what could not be read.
fn read_type(expr: &Expr, problems: &mut Diagnostics) -> (Type, Defaults) {
    let ty = match &expr.node {
        Node::Variable(name) => match &**name {
            "any" => Type::Any,
            "bool" => Type::Bool,
            "number" => Type::Number,
            "string" => Type::String,
            "list" | "map" | "set" => {
                let detail = format!(
                    "`{name}` needs the type of its elements: `{name}(string)`, for example, or `{name}(any)`."
                );
                problems.push(invalid(detail, expr.span()));
                Type::Any
            }
            "object" | "tuple" => {
                let example =
                    if &**name == "object" { "object({ name = string })" } else { "tuple([string, number])" };
                let detail = format!("`{name}` needs the types of what is in it: `{example}`, for example.");
                problems.push(invalid(detail, expr.span()));
                Type::Any
            }
            _ => {
                problems.push(unknown_type(name, expr.span()));
                Type::Any
            }
        },
        Node::Call(call) => return read_call(call, expr.span(), problems),
        Node::Literal(value) if value.as_str().is_some() => {
            let detail = "The name of a type stands without quotes of its own.";
            problems.push(invalid(detail, expr.span()));
            Type::Any
        }
        _ => {
            problems
                .push(invalid("A type is expected here, such as `string` or `list(string)`.", expr.span()));
            Type::Any
        }
    };
    (ty, Defaults::default())
}

fn unknown_type(name: &str, span: Span) -> Diagnostic {
    let mut detail = format!("There is no type `{name}`.");
    match nearest(name, WORDS.into_iter().chain(CONSTRUCTORS)) {
        Some(near) => detail.push_str(&format!(" Did you mean `{near}`?")),
        None => detail.push_str(
            " The types are `string`, `number`, `bool`, `any`, and `list`, `set`, `map`, `object` and `tuple` of others.",
        ),
    }
    invalid(detail, span)
}

fn read_call(call: &Call, span: Span, problems: &mut Diagnostics) -> (Type, Defaults) {
    let nothing = (Type::Any, Defaults::default());
    let [argument] = &*call.arguments else {
        problems.push(match &*call.name {
            "optional" => misplaced_optional(span),
            name if CONSTRUCTORS.contains(&name) => {
                invalid(format!("`{name}` takes one argument, and there are {}.", call.arguments.len()), span)
            }
            name => unknown_type(name, call.name_span),
        });
        return nothing;
    };
    let collection = |make: fn(Type) -> Type, problems: &mut Diagnostics| {
        let (element, inner) = read_type(argument, problems);
        let each = (!inner.is_empty()).then(|| Box::new(inner));
        (make(element), Defaults { each, ..Defaults::default() })
    };
    match &*call.name {
        "list" => collection(Type::list, problems),
        "set" => collection(Type::set, problems),
        "map" => collection(Type::map, problems),
        "tuple" => read_tuple(argument, problems),
        "object" => read_object(argument, problems),
        "optional" => {
            problems.push(misplaced_optional(span));
            nothing
        }
        name => {
            problems.push(unknown_type(name, call.name_span));
            nothing
        }
    }
}

fn misplaced_optional(span: Span) -> Diagnostic {
    invalid("`optional` can only be the type of an attribute of `object({ ... })`.", span)
}

fn read_tuple(argument: &Expr, problems: &mut Diagnostics) -> (Type, Defaults) {
    let elements: &[Expr] = match &argument.node {
        Node::Array(elements) => elements,
        Node::Literal(value) if matches!(value.kind(), Kind::Tuple(es) if es.is_empty()) => &[],
        _ => {
            let detail = "`tuple` takes the types of its elements in brackets: `tuple([string, number])`.";
            problems.push(invalid(detail, argument.span()));
            &[]
        }
    };
    let (types, elements): (Vec<Type>, Vec<Defaults>) =
        elements.iter().map(|e| read_type(e, problems)).unzip();
    let elements = if elements.iter().all(Defaults::is_empty) { Vec::new() } else { elements };
    (Type::tuple(types), Defaults { elements, ..Defaults::default() })
}

fn read_object(argument: &Expr, problems: &mut Diagnostics) -> (Type, Defaults) {
    let items: &[(ObjectKey, Expr)] = match &argument.node {
        Node::Object(items) => items,
        Node::Literal(value) if matches!(value.kind(), Kind::Object(fields) if fields.is_empty()) => &[],
        _ => {
            let detail = "`object` takes its attributes in braces: `object({ name = string })`.";
            problems.push(invalid(detail, argument.span()));
            &[]
        }
    };
    let mut fields = BTreeMap::new();
    let mut defaults = Defaults::default();
    for (key, item) in items {
        let name = match key {
            ObjectKey::Name(name, _) => name.clone(),
            ObjectKey::Computed(key) => match key.as_literal().and_then(Value::as_str) {
                Some(name) => name.into(),
                None => {
                    problems.push(invalid("The name of an attribute is expected here.", key.span()));
                    continue;
                }
            },
        };
        let (field, inner, default) = read_field(item, problems);
        if let Some(default) = default {
            defaults.attributes.insert(name.clone(), default);
        }
        if !inner.is_empty() {
            defaults.inside.insert(name.clone(), inner);
        }
        fields.insert(name, field);
    }
    (Type::Object(Arc::new(fields)), defaults)
}

fn read_field(item: &Expr, problems: &mut Diagnostics) -> (Field, Defaults, Option<Value>) {
    let Node::Call(call) = &item.node else {
        let (ty, inner) = read_type(item, problems);
        return (Field { ty, optional: false }, inner, None);
    };
    if &*call.name != "optional" {
        let (ty, inner) = read_type(item, problems);
        return (Field { ty, optional: false }, inner, None);
    }
    let (Some(ty), None) = (call.arguments.first(), call.arguments.get(2)) else {
        let detail = "`optional` takes a type and, if you like, a default: `optional(string, \"none\")`.";
        problems.push(invalid(detail, item.span()));
        return (Field { ty: Type::Any, optional: true }, Defaults::default(), None);
    };
    let (ty, inner) = read_type(ty, problems);
    let default = call.arguments.get(1).and_then(|default| read_default(default, &ty, &inner, problems));
    (Field { ty, optional: true }, inner, default)
}

/// Evaluates a default, which can refer to nothing, and brings it to its type.
fn read_default(default: &Expr, ty: &Type, inner: &Defaults, problems: &mut Diagnostics) -> Option<Value> {
    struct Nothing(crate::scope::FunctionContext);
    impl crate::scope::Scope for Nothing {
        fn resolve(&self, _: &crate::reference::Reference, _: Span) -> Result<Value, Diagnostic> {
            Err(Diagnostic::error("invalid-default", "Invalid default", "A default can't refer to anything."))
        }
        fn functions(&self) -> &crate::scope::FunctionContext {
            &self.0
        }
    }
    let scope = Nothing(crate::scope::FunctionContext::closed());
    let value = match crate::eval::evaluate(default, &scope) {
        Ok(value) => inner.apply(&value),
        Err(failed) => {
            problems.extend(failed);
            return None;
        }
    };
    match convert(&value, ty) {
        Ok(value) => Some(value),
        Err(error) => {
            let detail = format!("The default does not fit its type `{ty}`: {}.", error.detail);
            problems.push(Diagnostic::error("invalid-default", "Invalid default", detail).at(default.span()));
            None
        }
    }
}

impl Defaults {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Defaults::default()
    }

    /// Fills optional attributes that are absent or null, at every depth. To be done before the conversion to the type.
    pub fn apply(&self, value: &Value) -> Value {
        if self.is_empty() || value.is_null() || value.is_unknown() {
            return value.clone();
        }
        let filled = match value.kind() {
            Kind::Object(entries) | Kind::Map(_, entries) if self.each.is_none() => {
                Value::object(self.filled(entries))
            }
            Kind::Tuple(elements) if !self.elements.is_empty() => {
                let nothing = Defaults::default();
                let defaults = self.elements.iter().chain(std::iter::repeat(&nothing));
                Value::tuple(elements.iter().zip(defaults).map(|(v, d)| d.apply(v)))
            }
            // Elements whose attributes were filled may differ in type until they are converted.
            _ => match &self.each {
                None => return value.clone(),
                Some(each) => match value.kind() {
                    Kind::List(_, es) | Kind::Set(_, es) | Kind::Tuple(es) => {
                        Value::tuple(es.iter().map(|v| each.apply(v)))
                    }
                    Kind::Map(_, entries) | Kind::Object(entries) => {
                        Value::object(entries.iter().map(|(k, v)| (k.clone(), each.apply(v))))
                    }
                    _ => return value.clone(),
                },
            },
        };
        filled.with_marks(value.marks())
    }

    fn filled(&self, entries: &BTreeMap<Arc<str>, Value>) -> BTreeMap<Arc<str>, Value> {
        let mut filled = entries.clone();
        for (name, default) in &self.attributes {
            if filled.get(name).is_none_or(Value::is_null) {
                filled.insert(name.clone(), default.clone());
            }
        }
        for (name, inner) in &self.inside {
            if let Some(value) = filled.get_mut(name) {
                *value = inner.apply(value);
            }
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrane_model::FileId;

    fn origin() -> Origin {
        Origin::linear(FileId(0), 0)
    }

    fn shown(text: &str) -> String {
        match parse_type(text, &origin()) {
            Ok((ty, _)) => ty.to_string(),
            Err(problems) => problems.into_iter().map(|p| p.detail).collect::<Vec<_>>().join(" / "),
        }
    }

    #[test]
    fn types_print_as_they_are_written() {
        for text in [
            "string",
            "list(number)",
            "map(any)",
            "set(string)",
            "tuple([string, list(bool)])",
            "tuple([])",
            "object({})",
            "map(object({ pk = string, rk = optional(string) }))",
        ] {
            assert_eq!(shown(text), text);
        }
        assert_eq!(
            shown("object({\n  a = string\n  b = optional(number, 80)\n})"),
            "object({ a = string, b = optional(number) })"
        );
    }

    #[test]
    fn what_is_no_type_is_refused_with_advice() {
        assert!(shown("strin").contains("`string`"));
        assert!(shown("list").contains("`list(string)`"));
        assert!(shown("\"string\"").contains("without quotes"));
        assert!(shown("optional(string)").contains("only be the type of an attribute"));
        assert!(shown("list(string, number)").contains("one argument"));
        assert!(shown("object(string)").contains("in braces"));
        assert!(shown("1 + 2").contains("A type is expected"));
        assert!(shown("object({ a = optional(number, \"x\") })").contains("does not fit its type `number`"));
        let both = shown("object({ a = strin, b = numbr })");
        assert!(both.contains("`strin`") && both.contains("`numbr`"), "{both}");
    }

    #[test]
    fn defaults_fill_absent_and_null_attributes_at_every_depth() {
        let text = "map(object({ name = string, port = optional(number, 80), tags = optional(object({ env = optional(string, \"dev\") }), {}) }))";
        let (ty, defaults) = parse_type(text, &origin()).unwrap();
        let given = Value::object([
            ("a", Value::object([("name", Value::from("n")), ("port", Value::null(Type::Any))])),
            (
                "b",
                Value::object([
                    ("name", Value::from("m")),
                    ("tags", Value::object([("env", Value::from("x"))])),
                ]),
            ),
        ]);
        let filled = convert(&defaults.apply(&given), &ty).unwrap();
        let a = filled.get("a").unwrap();
        assert_eq!(a.get("port"), Some(&Value::number(80)));
        assert_eq!(a.get("tags"), Some(&Value::object([("env", Value::from("dev"))])));
        assert_eq!(filled.get("b").unwrap().get("tags").unwrap().get("env"), Some(&Value::from("x")));
    }
}
