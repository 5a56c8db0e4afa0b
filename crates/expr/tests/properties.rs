//! Properties of evaluation over random expressions: nothing panics or runs away, and what is said while some inputs are
//! unknown still holds when they are filled in.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use terrane_expr::{
    Expr, FunctionContext, Origin, Reference, Scope, evaluate, function_names, parse_expression, print_value,
};
use terrane_model::convert::convert;
use terrane_model::{Diagnostic, Diagnostics, FileId, Kind, Span, Type, Unknown, Value};

/// The variables of the expressions: text, numbers, collections and structures, some of them null.
fn inputs() -> BTreeMap<&'static str, Value> {
    let s = Value::from;
    BTreeMap::from([
        ("s", s("text")),
        ("n", Value::number(2)),
        ("b", Value::bool(true)),
        ("digits", s("3")),
        ("none", Value::null(Type::String)),
        ("ls", Value::list(Type::String, [s("a"), s("b"), s("a")])),
        ("ln", Value::list(Type::Number, [Value::number(3), Value::number(1)])),
        ("ss", Value::set(Type::String, [s("x"), s("y")])),
        ("ms", Value::map(Type::String, [("k", s("v")), ("l", s("w"))])),
        ("t", Value::tuple([s("a"), Value::number(1), Value::bool(false)])),
        (
            "o",
            Value::object([
                ("a", s("x")),
                ("n", Value::number(5)),
                ("l", Value::list(Type::String, [s("z")])),
            ]),
        ),
        (
            "objects",
            Value::list(
                Type::object([("id", Type::Number), ("name", Type::String)]),
                [Value::object([("id", Value::number(1)), ("name", s("one"))])],
            ),
        ),
    ])
}

struct Inputs {
    values: BTreeMap<&'static str, Value>,
    functions: FunctionContext,
}

impl Inputs {
    fn new(values: BTreeMap<&'static str, Value>) -> Inputs {
        Inputs { values, functions: FunctionContext::closed() }
    }

    fn run(&self, expr: &Expr) -> Result<Value, Diagnostics> {
        evaluate(expr, self)
    }
}

impl Scope for Inputs {
    fn resolve(&self, reference: &Reference, _: Span) -> Result<Value, Diagnostic> {
        let missing = || Diagnostic::error("undeclared", "Undeclared", format!("There is no `{reference}`."));
        let Reference::Variable(name) = reference else { return Err(missing()) };
        self.values.get(&**name).cloned().ok_or_else(missing)
    }

    fn functions(&self) -> &FunctionContext {
        &self.functions
    }
}

/// Text of a random expression.
fn expression() -> impl Strategy<Value = String> {
    let variable = prop::sample::select(vec![
        "s", "n", "b", "digits", "none", "ls", "ln", "ss", "ms", "t", "o", "objects",
    ])
    .prop_map(|name| format!("var.{name}"));
    let literal = prop::sample::select(vec![
        "0",
        "1",
        "-1",
        "2.5",
        "1e30",
        "\"\"",
        "\"a\"",
        "\"3\"",
        "true",
        "false",
        "null",
        "[]",
        "{}",
        "\"x-\"",
        "\"2020-01-01T00:00:00Z\"",
        "\"10.0.0.0/8\"",
        "\"%s\"",
        "\"[a-z]+\"",
        "var.o.a",
        "var.ls[0]",
        "var.objects[*].name",
    ])
    .prop_map(str::to_owned);
    let leaf = prop_oneof![variable, literal];
    let functions: Vec<&str> = function_names().filter(|n| *n != "bcrypt").collect();
    leaf.prop_recursive(4, 40, 4, move |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||"]);
        let call = prop::sample::select(functions.clone());
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, o, b)| format!("({a} {o} {b})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(c, a, b)| format!("({c} ? {a} : {b})")),
            (call, prop::collection::vec(inner.clone(), 0..4))
                .prop_map(|(name, arguments)| format!("{name}({})", arguments.join(", "))),
            prop::collection::vec(inner.clone(), 0..3).prop_map(|es| format!("[{}]", es.join(", "))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{ k = {a}, j = {b} }}")),
            (inner.clone(), inner.clone()).prop_map(|(k, v)| format!("{{ ({k}) = {v} }}")),
            (inner.clone(), inner.clone()).prop_map(|(a, i)| format!("{a}[{i}]")),
            inner.clone().prop_map(|a| format!("{a}[*]")),
            inner.clone().prop_map(|a| format!("{a}.k")),
            inner.clone().prop_map(|a| format!("\"x-${{{a}}}-y\"")),
            (inner.clone(), inner.clone())
                .prop_map(|(c, a)| format!("\"%{{ if {c} }}${{{a}}}%{{ endif }}\"")),
            (inner.clone(), inner.clone()).prop_map(|(c, v)| format!("[for k, x in {c} : [k, x, {v}]]")),
            (inner.clone(), inner.clone()).prop_map(|(c, v)| format!("[for x in {c} : x if {v} == x]")),
            (inner.clone(), inner.clone()).prop_map(|(c, v)| format!("{{ for k, x in {c} : k => {v} }}")),
            inner.clone().prop_map(|c| format!("{{ for k, x in {c} : x => k... }}")),
            inner.prop_map(|a| format!("(!{a})")),
        ]
    })
}

/// What may be said of a value before it is known: its type, perhaps that it is not null, how it begins, how long it is.
fn forgotten(value: &Value, how_much: u8) -> Value {
    if how_much == 0 {
        return Value::unknown(value.ty());
    }
    let mut unknown = Unknown { not_null: !value.is_null(), ..Unknown::of(value.ty()) };
    match value.kind() {
        Kind::String(text) => unknown.prefix = text.chars().take(2).collect::<String>().into(),
        Kind::List(_, elements) | Kind::Set(_, elements) => unknown.min_len = elements.len().min(1),
        Kind::Map(_, entries) => {
            unknown.min_len = entries.len();
            unknown.max_len = Some(entries.len());
        }
        _ => {}
    }
    Value::unknown_with(unknown)
}

/// Whether what was said before is true of what came out.
fn holds(before: &Value, after: &Value) -> Result<(), String> {
    // A condition brings the side that it takes to the type of both, but leaves it as it is when the other side is of
    // open type or fails for itself. So the type may still change, but not what it says.
    holds_exactly(before, after)
        .or_else(|why| convert(before, &after.ty()).map_or(Err(why), |b| holds_exactly(&b, after)))
        .or_else(|why| convert(after, &before.ty()).map_or(Err(why), |a| holds_exactly(before, &a)))
}

fn holds_exactly(before: &Value, after: &Value) -> Result<(), String> {
    let fails =
        |why: &str| Err(format!("{why}: {} before, {} after", print_value(before), print_value(after)));
    match before.kind() {
        // Of which type null is does not matter to it.
        Kind::Null(_) if after.is_null() => Ok(()),
        Kind::Unknown(u) => {
            if u.not_null && after.is_null() {
                return fails("null");
            }
            if convert(after, &u.ty).is_err() {
                return Err(format!("type: {} before, {} after", u.ty, after.ty()));
            }
            if let (false, Some(text)) = (u.prefix.is_empty(), after.as_str())
                && !text.starts_with(&*u.prefix)
            {
                return Err(format!("prefix: {} before, {text} after", u.prefix));
            }
            let length = match after.kind() {
                Kind::List(_, es) | Kind::Set(_, es) => Some(es.len()),
                Kind::Map(_, m) => Some(m.len()),
                _ => None,
            };
            match length.is_some_and(|n| n < u.min_len || u.max_len.is_some_and(|max| n > max)) {
                true => fails("length"),
                false => Ok(()),
            }
        }
        Kind::Set(..) if !before.is_wholly_known() => match after.kind() {
            Kind::Set(_, es) => {
                let missing = before.elements().iter().find(|v| v.is_wholly_known() && !es.contains(v));
                missing.map_or(Ok(()), |_| fails("element of a set"))
            }
            _ => fails("set"),
        },
        Kind::List(_, a) | Kind::Set(_, a) | Kind::Tuple(a) => {
            let same = std::mem::discriminant(before.kind()) == std::mem::discriminant(after.kind());
            if !same || a.len() != after.elements().len() {
                return fails("shape");
            }
            a.iter().zip(after.elements()).try_for_each(|(a, b)| holds(a, b))
        }
        Kind::Map(_, a) | Kind::Object(a) => {
            let same = std::mem::discriminant(before.kind()) == std::mem::discriminant(after.kind());
            match after.entries() {
                Some(b) if same && a.keys().eq(b.keys()) => {
                    a.values().zip(b.values()).try_for_each(|(a, b)| holds(a, b))
                }
                _ => fails("keys"),
            }
        }
        _ if before == after => Ok(()),
        _ => fails("value"),
    }
}

/// Some thousand cases, or more where `PROPTEST_CASES` says so. A failing input is printed, and no file is written.
fn config() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.max(4_000), failure_persistence: None, ..usual }
}

fn parse(text: &str) -> Expr {
    parse_expression(text, &Origin::linear(FileId(0), 0))
        .unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn filling_in_unknowns_never_contradicts(text in expression(), mask in prop::collection::vec(0u8..6, 12)) {
        let expr = parse(&text);
        let known = inputs();
        let mut partly = known.clone();
        for ((_, value), how) in partly.iter_mut().zip(&mask) {
            if *how < 2 {
                *value = forgotten(value, *how);
            }
        }
        let before = Inputs::new(partly).run(&expr);
        let after = Inputs::new(known).run(&expr);
        match (before, after) {
            (Ok(before), Ok(after)) => {
                let verdict = holds(&before, &after);
                prop_assert!(verdict.is_ok(), "{}\n{}", text, verdict.unwrap_err());
            }
            // Sides of a condition whose types can't agree are refused early, though one may have failed by itself later.
            (Err(before), Ok(_)) if before.iter().any(|p| p.code == "inconsistent-results") => {}
            (Err(before), Ok(after)) => {
                prop_assert!(false, "{}\nrefused before: {:?}\nbut then {:?}", text, before, after);
            }
            (_, Err(_)) => {}
        }
    }

    #[test]
    fn nothing_panics_on_any_mixture(text in expression(), mask in prop::collection::vec(0u8..6, 12)) {
        let expr = parse(&text);
        let mut values = inputs();
        for ((_, value), how) in values.iter_mut().zip(&mask) {
            *value = match how {
                0 => Value::unknown(Type::Any),
                1 => value.clone().sensitive(),
                2 => Value::null(Type::Any),
                _ => value.clone(),
            };
        }
        let scope = Inputs::new(values);
        if let Ok(value) = scope.run(&expr) {
            print_value(&value);
        }
        // What is wrong is told without secrets, and with a place.
        if let Err(problems) = scope.run(&expr) {
            prop_assert!(problems.iter().all(|p| p.span.is_some() && !p.detail.is_empty()));
        }
    }

    #[test]
    fn what_hangs_on_a_secret_is_secret(text in expression()) {
        // The secret is text that no expression holds by itself.
        let expr = parse(&text);
        let secret = "hunter2-hunter2";
        let mut values = inputs();
        values.insert("s", Value::from(secret).sensitive());
        values.insert("ls", Value::list(Type::String, [Value::from(secret).sensitive(), Value::from("b")]));
        values.insert("ms", Value::map(Type::String, [("k", Value::from(secret))]).sensitive());
        let shown = match Inputs::new(values).run(&expr) {
            Ok(value) => print_value(&value),
            Err(problems) => format!("{problems:?}"),
        };
        let reveals = shown.contains(secret) || shown.contains(&secret.to_uppercase());
        let takes_off = text.contains("nonsensitive");
        prop_assert!(takes_off || !reveals, "{} shows {}", text, shown);
    }
}

#[test]
fn values_are_shared_and_not_copied() {
    // A large collection goes through references, attributes and literals without being copied.
    let large = Value::list(Type::Number, (0..100_000).map(Value::number));
    let mut values = inputs();
    values.insert("o", Value::object([("large", large.clone())]));
    let scope = Inputs::new(values);
    let value = scope.run(&parse("[var.o.large, { a = var.o.large }]")).unwrap_or_else(|e| panic!("{e:?}"));
    let Some(Kind::List(_, elements)) = value.index(0).map(Value::kind) else { panic!("{value:?}") };
    let Kind::List(_, original) = large.kind() else { panic!("a list") };
    assert!(Arc::ptr_eq(elements, original));
}
