//! Operators. `&&` and `||` look at their right side only when the left one does not decide.

use terrane_model::convert::convert;
use terrane_model::{Number, Span, Type, Unknown, Value};

use super::{Env, Evaluated, Failure, Failures, Truth, equal, failure, unknown_bool};
use crate::ast::{BinaryOperator, Expr, UnaryOperator};

impl Env<'_> {
    pub(super) fn unary(&self, operator: UnaryOperator, operand: &Expr) -> Evaluated {
        let ty = match operator {
            UnaryOperator::Negate => Type::Number,
            UnaryOperator::Not => Type::Bool,
        };
        let value = operand_of(self.eval(operand)?, &ty, operand.span)?;
        let marks = value.marks();
        let result = match operator {
            UnaryOperator::Negate => value.as_number().map(|n| Value::number(-n.clone())),
            UnaryOperator::Not => value.as_bool().map(|b| Value::bool(!b)),
        };
        Ok(result.unwrap_or_else(|| Value::unknown_with(Unknown::not_null(ty))).with_marks(marks))
    }

    pub(super) fn binary(&self, first: &Expr, rest: &[(BinaryOperator, Expr)]) -> Evaluated {
        let mut left = self.eval(first);
        let mut left_span = first.span;
        for (operator, right) in rest {
            left = match operator {
                BinaryOperator::And => self.logical(left?, left_span, right, false),
                BinaryOperator::Or => self.logical(left?, left_span, right, true),
                _ => {
                    let mut failures = Failures::default();
                    let (a, b) = (failures.note(left), failures.note(self.eval(right)));
                    failures.finish()?;
                    match (a, b) {
                        (Some(a), Some(b)) => operate(*operator, a, left_span, b, right.span),
                        _ => Ok(unknown_bool()),
                    }
                }
            };
            left_span = left_span.to(right.span);
        }
        left
    }

    /// `&&` or `||`; `decisive` is the value of one side that settles the result.
    fn logical(&self, left: Value, left_span: Span, right: &Expr, decisive: bool) -> Evaluated {
        let left = operand_of(left, &Type::Bool, left_span)?;
        if left.as_bool() == Some(decisive) {
            return Ok(left);
        }
        let checked = self.eval(right).and_then(|v| operand_of(v, &Type::Bool, right.span));
        let right = match checked {
            Ok(right) => right,
            // What is on the left may turn out to settle it, so that the right side is never asked.
            Err(failed) if left.is_unknown() && !failed.fatal => return Ok(left),
            Err(failed) => return Err(failed),
        };
        let marks = left.marks().union(right.marks());
        let result = match (left.as_bool(), right.as_bool()) {
            (_, Some(right)) if right == decisive => Value::bool(decisive),
            (Some(_), Some(_)) => Value::bool(!decisive),
            _ => unknown_bool(),
        };
        Ok(result.with_marks(marks))
    }
}

/// Brings an operand to the type that its operator works on.
fn operand_of(value: Value, ty: &Type, span: Span) -> Evaluated {
    if value.is_null() {
        return Err(failure(
            "null-operand",
            "Null operand",
            format!("This operator needs a {}, and the value is null.", ty.friendly()),
            span,
        ));
    }
    convert(&value, ty).map_err(|error| {
        failure(
            "invalid-operand",
            "Invalid operand",
            format!("The operand does not fit: {}.", error.detail),
            span,
        )
    })
}

fn operate(operator: BinaryOperator, a: Value, a_span: Span, b: Value, b_span: Span) -> Evaluated {
    if matches!(operator, BinaryOperator::Equal | BinaryOperator::NotEqual) {
        let marks = a.marks_deep().union(b.marks_deep());
        let result = match equal(&a, &b) {
            Truth::Unknown => unknown_bool(),
            truth => Value::bool((truth == Truth::True) == (operator == BinaryOperator::Equal)),
        };
        return Ok(result.with_marks(marks));
    }
    let a = operand_of(a, &Type::Number, a_span)?;
    let b = operand_of(b, &Type::Number, b_span)?;
    let marks = a.marks().union(b.marks());
    let result = match (a.as_number(), b.as_number()) {
        (Some(a), Some(b)) => calculate(operator, a, b).ok_or_else(|| no_result(a_span.to(b_span)))?,
        _ if is_comparison(operator) => unknown_bool(),
        _ => Value::unknown_with(Unknown::not_null(Type::Number)),
    };
    Ok(result.with_marks(marks))
}

fn is_comparison(operator: BinaryOperator) -> bool {
    matches!(
        operator,
        BinaryOperator::Less
            | BinaryOperator::LessOrEqual
            | BinaryOperator::Greater
            | BinaryOperator::GreaterOrEqual
    )
}

fn calculate(operator: BinaryOperator, a: &Number, b: &Number) -> Option<Value> {
    let number = match operator {
        BinaryOperator::Less => return Some(Value::bool(a < b)),
        BinaryOperator::LessOrEqual => return Some(Value::bool(a <= b)),
        BinaryOperator::Greater => return Some(Value::bool(a > b)),
        BinaryOperator::GreaterOrEqual => return Some(Value::bool(a >= b)),
        BinaryOperator::Add => a.checked_add(b),
        BinaryOperator::Subtract => a.checked_sub(b),
        BinaryOperator::Multiply => a.checked_mul(b),
        BinaryOperator::Divide => a.checked_div(b),
        BinaryOperator::Remainder => a.checked_rem(b),
        // These work on truth values and on any values.
        BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Equal | BinaryOperator::NotEqual => None,
    };
    number.map(Value::number)
}

fn no_result(span: Span) -> Box<Failure> {
    failure(
        "operation-failed",
        "Operation without a result",
        "The result is no number, as with zero divided by zero or infinity minus infinity.",
        span,
    )
}
