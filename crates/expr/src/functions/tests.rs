//! Tests of what all functions have in common.

use terrane_model::{Diagnostic, FileId, Kind, Span, Type, Unknown, Value};

use super::function_names;
use crate::ast::{Call, Expr, Node};
use crate::eval::evaluate;
use crate::origin::Origin;
use crate::parse::parse_expression;
use crate::reference::Reference;
use crate::scope::{FunctionContext, Scope};

/// A scope with one unknown of each kind and nothing else.
struct Plan(FunctionContext);

impl Scope for Plan {
    fn resolve(&self, reference: &Reference, _: Span) -> Result<Value, Diagnostic> {
        let Reference::Variable(name) = reference else {
            return Err(Diagnostic::error("undeclared", "Undeclared", "There is no such thing."));
        };
        Ok(match &**name {
            "any" => Value::unknown(Type::Any),
            "text" => Value::unknown(Type::String),
            "arn" => {
                Value::unknown_with(Unknown { prefix: "arn:aws:".into(), ..Unknown::not_null(Type::String) })
            }
            "list" => Value::unknown(Type::list(Type::String)),
            "pair" => Value::unknown_with(Unknown {
                min_len: 2,
                max_len: Some(2),
                ..Unknown::not_null(Type::list(Type::String))
            }),
            "secret" => Value::from("s3cr3t").sensitive(),
            "object" => Value::object([("known", Value::from("k")), ("id", Value::unknown(Type::String))]),
            _ => return Err(Diagnostic::error("undeclared", "Undeclared", "There is no such variable.")),
        })
    }

    fn functions(&self) -> &FunctionContext {
        &self.0
    }
}

fn plan() -> Plan {
    Plan(FunctionContext::closed())
}

/// Calls a function on values.
pub(super) fn call(name: &str, values: &[Value]) -> Result<Value, String> {
    let span = Span::new(FileId(0), 0, 0);
    let call = Call {
        name: name.into(),
        name_span: span,
        arguments: values.iter().map(|v| Expr::literal(v.clone(), span)).collect(),
        expand_last: false,
    };
    let expr = Expr::new(Node::Call(Box::new(call)), span);
    evaluate(&expr, &plan()).map_err(|problems| problems.into_iter().map(|p| p.detail).collect())
}

/// Evaluates an expression over the unknowns above.
fn eval(text: &str) -> Result<Value, String> {
    let origin = Origin::linear(FileId(0), 0);
    let joined = |problems: Vec<Diagnostic>| problems.into_iter().map(|p| p.detail).collect::<String>();
    evaluate(&parse_expression(text, &origin).map_err(joined)?, &plan()).map_err(joined)
}

/// The value as the console prints it.
fn shown(text: &str) -> String {
    eval(text).map_or_else(|why| format!("refused: {why}"), |value| crate::print_value(&value))
}

#[test]
fn the_table_is_sorted_and_complete() {
    let names: Vec<&str> = function_names().collect();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    // Those of Terraform 1.11, without the two that exist only to fail, and three of the AWS provider, and `type`.
    assert_eq!(names.len(), 118 + 3 + 1);
}

#[test]
fn wrong_calls_are_explained() {
    assert!(shown("uper(\"a\")").contains("Did you mean `upper`?"));
    assert!(shown("upper()").contains("`upper(str)` needs the argument `str`"));
    assert!(shown("upper(\"a\", \"b\")").contains("takes 1 arguments, and there are 2"));
    assert!(shown("upper(null)").contains("`str` of `upper` must not be null"));
    assert!(shown("upper([1])").contains("a string is needed, and this is a tuple"));
    assert!(shown("join(\",\", [\"a\", [1]])").contains("at `[1]`"));
    assert!(shown("list(1)").contains("tolist"));
    assert!(shown("plantimestamp()").contains("outside a plan"));
}

#[test]
fn messages_never_hold_secrets() {
    for text in [
        "tonumber(var.secret)",
        "parseint(var.secret, 10)",
        "file(var.secret)",
        "{ a = 1 }[var.secret]",
        "tomap({ a = 1 })[var.secret]",
        "formatdate(\"YYYY\", var.secret)",
    ] {
        let message = shown(text);
        assert!(message.starts_with("refused: ") && !message.contains("s3cr3t"), "{text}: {message}");
    }
}

#[test]
fn what_is_known_of_unknowns_answers() {
    for (text, printed) in [
        ("length(var.pair)", "2"),
        ("length([var.any, 1])", "2"),
        ("startswith(var.arn, \"arn:\")", "true"),
        ("startswith(var.arn, \"urn\")", "false"),
        ("startswith(var.arn, \"arn:aws:kms\")", "(known after apply)"),
        ("var.arn == null", "false"),
        ("var.text == null", "(known after apply)"),
        ("\"x-${var.text}\" == null", "false"),
        ("startswith(\"x-${var.text}\", \"x-\")", "true"),
        ("startswith(jsonencode({ a = 1, b = var.arn }), \"{\\\"a\\\":1,\")", "true"),
        ("keys({ a = var.any, b = 1 })", "[\n  \"a\",\n  \"b\",\n]"),
        ("try(var.object.known, 1)", "\"k\""),
        ("can(var.object.id)", "true"),
        ("can(var.object.other)", "false"),
        ("try(var.any.x, 1)", "(known after apply)"),
        ("upper(var.text) == null", "false"),
        ("coalesce(\"a\", var.text)", "\"a\""),
        ("[for x in var.list : x]", "(known after apply)"),
        ("length(var.list)", "(known after apply)"),
        ("false && var.any", "false"),
        ("timestamp()", "(known after apply)"),
        ("uuid()", "(known after apply)"),
        ("sort([\"b\", var.text])", "(known after apply)"),
        ("length(sort([\"b\", var.text]))", "2"),
        ("length(toset([var.text, var.text]))", "(known after apply)"),
        ("length(toset([var.text]))", "1"),
        ("toset([var.any])", "toset([\n  (known after apply),\n])"),
        ("toset([var.any, 1])", "(known after apply)"),
        ("setunion([\"a\"], [var.text])", "toset([\n  \"a\",\n  (known after apply),\n])"),
        ("var.arn[*] == []", "false"),
        ("length(var.arn[*])", "1"),
    ] {
        assert_eq!(shown(text), printed, "{text}");
    }
}

#[test]
fn types_of_unknown_results() {
    for (text, ty) in [
        ("upper(var.any)", "string"),
        ("split(\",\", var.text)", "list(string)"),
        ("var.list[0]", "string"),
        ("var.any + 1", "number"),
        ("var.any == \"x\" ? 1 : 2", "number"),
        ("concat(var.list, var.list)", "list(string)"),
        ("regex(\"(a)(b)\", var.text)", "tuple([string, string])"),
        ("merge({ a = 1 }, var.any)", "any"),
        ("keys(var.any)", "any"),
        ("toset(var.list)", "set(string)"),
    ] {
        let value = eval(text).unwrap();
        assert!(matches!(value.kind(), Kind::Unknown(_)), "{text}");
        assert_eq!(value.ty().to_string(), ty, "{text}");
    }
}

#[test]
fn marks_stay_where_they_belong() {
    for (text, printed) in [
        ("[upper(var.secret), \"a\"]", "[\n  (sensitive value),\n  \"a\",\n]"),
        ("length(var.secret)", "(sensitive value)"),
        ("length([var.secret])", "1"),
        ("merge({ a = var.secret }, { b = 1 }).b", "1"),
        ("lookup({ a = var.secret, b = 1 }, \"b\")", "1"),
        ("contains([var.secret], \"x\")", "(sensitive value)"),
        ("element([var.secret, \"b\"], 1)", "\"b\""),
        ("can(tonumber(var.secret))", "false"),
        ("upper(var.any)", "(known after apply)"),
        ("toset([var.secret, \"a\"])", "(sensitive value)"),
        ("values({ a = var.secret, b = 1 })[1]", "1"),
    ] {
        assert_eq!(shown(text), printed, "{text}");
    }
}

#[test]
fn values_are_not_nested_without_end() {
    // A tuple around a tuple around a tuple, as a chain of local values can make it.
    let mut value = Value::from("core");
    for _ in 0..crate::eval::MAX_VALUE_DEPTH - 1 {
        value = Value::tuple([value]);
    }
    assert!(call("tolist", &[value.clone()]).is_ok());
    let deeper = call("tolist", &[Value::tuple([value])]).unwrap_err();
    assert!(deeper.contains("levels deep"), "{deeper}");
}

#[test]
fn results_are_bounded() {
    for text in [
        "indent(100000000000, \"a\\nb\")",
        "format(\"%1000000000d\", 1)",
        "range(1e300)",
        "setproduct(range(1000), range(1000), range(1000))",
        "replace(join(\"\", [for i in range(1024) : \"a\"]), \"\", format(\"%65536s\", \"x\"))",
        "bcrypt(\"x\", 31)",
        "parseint(format(\"%65536d\", 1), 10)",
        "jsondecode(join(\"\", [for i in range(1024) : \"[\"]))",
    ] {
        assert!(shown(text).starts_with("refused: "), "{text}");
    }
}
