//! `try`, `can`, `coalesce`, `coalescelist`, `one`: choosing among values and failures.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_model::convert::{convert, unify};
use terrane_model::{Kind, Span, Type, Value};

use super::{Fault, Given, Outcome, unknown};
use crate::ast::{Call, Expr, Node, ObjectKey, Part, Postfix, PostfixStep};
use crate::eval::{Env, Evaluated, failure, undetermined, unknown_bool};

/// Whether an argument succeeds or fails for good, or that can't be told yet.
enum Attempt {
    Value(Value),
    Failed,
    Undecided,
}

/// `try(expressions...)`: the first argument that evaluates without failure.
pub(super) fn try_(env: &Env<'_>, call: &Call, span: Span) -> Evaluated {
    let mut failures = Vec::new();
    for argument in &call.arguments {
        match env.attempt(argument)? {
            (Attempt::Value(value), _) => return Ok(value),
            (Attempt::Undecided, _) => return Ok(Value::unknown(Type::Any)),
            (Attempt::Failed, why) => failures.extend(why),
        }
    }
    let detail = match failures.first() {
        Some(first) => format!("All arguments of `try` failed, the first one so: {first}"),
        None => "`try` needs at least one argument.".to_owned(),
    };
    Err(failure("function-failed", "Failed function", detail, span))
}

/// `can(expression)`: whether it evaluates without failure.
pub(super) fn can(env: &Env<'_>, call: &Call, span: Span) -> Evaluated {
    let [argument] = &*call.arguments else {
        let detail = "`can` takes one expression.";
        return Err(failure("missing-arguments", "Missing arguments of a function", detail, span));
    };
    Ok(match env.attempt(argument)?.0 {
        Attempt::Value(_) => Value::bool(true),
        Attempt::Failed => Value::bool(false),
        Attempt::Undecided => unknown_bool(),
    })
}

impl Env<'_> {
    /// Evaluates an argument of `try` or `can`. While something in it is unknown it is undecided, unless it is a mere path
    /// whose last value alone is unknown: that has been found, whatever it will be.
    fn attempt(&self, expr: &Expr) -> Result<(Attempt, Option<String>), Box<crate::eval::Failure>> {
        if self.hangs_on_unknown(expr) && !self.is_found_path(expr) {
            // A reference to nothing is reported all the same.
            return match self.eval(expr) {
                Err(failed) if failed.fatal => Err(failed),
                _ => Ok((Attempt::Undecided, None)),
            };
        }
        match self.eval(expr) {
            Ok(value) => Ok((Attempt::Value(value), None)),
            Err(failed) if failed.fatal => Err(failed),
            Err(failed) => Ok((Attempt::Failed, failed.diagnostics.into_iter().next().map(|d| d.detail))),
        }
    }

    /// Whether a value that the expression may use is not wholly known.
    fn hangs_on_unknown(&self, expr: &Expr) -> bool {
        match &expr.node {
            Node::Literal(_) => false,
            Node::Reference(_) | Node::Variable(_) => {
                self.eval(expr).is_ok_and(|value| !value.is_wholly_known())
            }
            Node::Array(elements) => self.any_hangs(elements.iter()),
            Node::Object(items) => items.iter().any(|(key, value)| {
                matches!(key, ObjectKey::Computed(key) if self.hangs_on_unknown(key))
                    || self.hangs_on_unknown(value)
            }),
            Node::Template(parts) => {
                parts.iter().any(|p| matches!(p, Part::Value(e) | Part::Join(e) if self.hangs_on_unknown(e)))
            }
            Node::Steps(base, steps) => self.path_hangs_on_unknown(base, steps),
            Node::Conditional(c) => self.any_hangs([&c.condition, &c.yes, &c.no]),
            Node::Unary(_, operand) => self.hangs_on_unknown(operand),
            Node::Binary(first, rest) => {
                self.hangs_on_unknown(first) || self.any_hangs(rest.iter().map(|(_, e)| e))
            }
            Node::Call(call) => self.any_hangs(call.arguments.iter()),
            Node::For(node) => self.any_hangs(
                [&node.collection, &node.value].into_iter().chain(&node.key).chain(&node.condition),
            ),
        }
    }

    fn any_hangs<'x>(&self, exprs: impl IntoIterator<Item = &'x Expr>) -> bool {
        exprs.into_iter().any(|e| self.hangs_on_unknown(e))
    }

    fn path_hangs_on_unknown(&self, base: &Expr, steps: &[Postfix]) -> bool {
        let literal = steps.iter().take_while(|s| is_literal_step(s)).count();
        let (head, tail) = steps.split_at_checked(literal).unwrap_or((steps, &[]));
        let is_name = matches!(base.node, Node::Reference(_) | Node::Variable(_));
        let start = match is_name {
            true => self.eval(base).and_then(|value| self.steps(value, head)),
            false => return self.hangs_on_unknown(base) || self.steps_hang_on_unknown(steps),
        };
        start.is_ok_and(|value| !value.is_wholly_known()) || self.steps_hang_on_unknown(tail)
    }

    fn steps_hang_on_unknown(&self, steps: &[Postfix]) -> bool {
        steps.iter().any(|s| match &s.step {
            PostfixStep::Attribute(_) => false,
            PostfixStep::Index(index) => self.hangs_on_unknown(index),
            PostfixStep::Splat(each) => self.steps_hang_on_unknown(each),
        })
    }

    /// Whether the expression is a name and steps that lead through known values alone, or through values whose attributes
    /// are known from their type.
    fn is_found_path(&self, expr: &Expr) -> bool {
        let Node::Steps(base, steps) = &expr.node else { return false };
        if !matches!(base.node, Node::Reference(_) | Node::Variable(_)) {
            return false;
        }
        let Ok(mut value) = self.eval(base) else { return false };
        for step in steps {
            let certain = match value.kind() {
                Kind::Unknown(unknown) => {
                    unknown.not_null && matches!(unknown.ty, Type::Object(_) | Type::Tuple(_))
                }
                _ => true,
            };
            if !certain || !is_literal_step(step) {
                return false;
            }
            match self.steps(value, std::slice::from_ref(step)) {
                Ok(next) => value = next,
                Err(_) => return false,
            }
        }
        true
    }
}

fn is_literal_step(step: &Postfix) -> bool {
    match &step.step {
        PostfixStep::Attribute(_) => true,
        PostfixStep::Index(index) => index.as_literal().is_some(),
        PostfixStep::Splat(_) => false,
    }
}

/// `coalesce(vals...)`: the first that is neither null nor "".
pub(super) fn coalesce(given: &Given<'_>) -> Outcome {
    let types: Vec<Type> = given.values.iter().map(Value::ty).collect();
    let open = given.values.iter().any(|v| v.is_unknown() && v.ty() == Type::Any);
    let common = if open { Some(Type::Any) } else { unify(&types) };
    let Some(common) = common else {
        return Err(Fault::new("its arguments have no type in common"));
    };
    for value in given.values {
        let value = convert(value, &common).map_err(|e| Fault::new(e.detail))?;
        match value.kind() {
            Kind::Unknown(_) => return Ok(unknown(common)),
            Kind::Null(_) => {}
            Kind::String(text) if text.is_empty() => {}
            _ => return Ok(value),
        }
    }
    Err(Fault::new("all arguments are null or empty text"))
}

/// `coalescelist(vals...)`: the first list that has elements.
pub(super) fn coalesce_list(given: &Given<'_>) -> Outcome {
    for value in given.values {
        match value.kind() {
            Kind::List(_, elements) | Kind::Tuple(elements) if !elements.is_empty() => {
                return Ok(value.clone());
            }
            Kind::List(..) | Kind::Tuple(_) => {}
            Kind::Unknown(_) => return Ok(undetermined()),
            Kind::Null(_) => return Err(Fault::new("an argument is null")),
            _ => return Err(Fault::new("its arguments must be lists or tuples")),
        }
    }
    Err(Fault::new("all arguments are empty"))
}

/// `one(list)`: the only element, or null.
pub(super) fn one(given: &Given<'_>) -> Outcome {
    let value = given.value(0)?;
    let marks = value.marks();
    let too_many = || Fault::at(0, "there is more than one element");
    let result = match value.kind() {
        Kind::Set(_, elements) if elements.len() > 1 && !value.is_wholly_known() => {
            Value::unknown(one_type(given.values))
        }
        Kind::List(element, elements) | Kind::Set(element, elements) => match &**elements {
            [] => Value::null(element.clone()),
            [only] => only.clone(),
            _ => return Err(too_many()),
        },
        Kind::Tuple(elements) => match &**elements {
            [] => Value::null(Type::Any),
            [only] => only.clone(),
            _ => return Err(too_many()),
        },
        Kind::Unknown(unknown) => match &unknown.ty {
            Type::Any | Type::List(_) | Type::Set(_) => match unknown.min_len > 1 {
                true => return Err(too_many()),
                false => Value::unknown(one_type(given.values)),
            },
            Type::Tuple(types) if types.len() > 1 => return Err(too_many()),
            Type::Tuple(_) => Value::unknown(one_type(given.values)),
            _ => return Err(Fault::at(0, "a list, set or tuple is needed")),
        },
        _ => return Err(Fault::at(0, "a list, set or tuple is needed")),
    };
    Ok(result.with_marks(marks))
}

pub(super) fn one_type(given: &[Value]) -> Type {
    match given.first().map(Value::ty) {
        Some(Type::List(element) | Type::Set(element)) => (*element).clone(),
        Some(Type::Tuple(types)) => types.first().cloned().unwrap_or(Type::Any),
        _ => Type::Any,
    }
}

/// The entries of an object or map, as the variables of a template.
pub(super) fn variables(value: &Value) -> Option<BTreeMap<Arc<str>, Value>> {
    let marks = value.marks();
    let entries = value.entries()?;
    Some(entries.iter().map(|(name, v)| (name.clone(), v.clone().with_marks(marks))).collect())
}
