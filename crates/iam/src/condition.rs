//! Does a condition of a statement hold for a request?
//!
//! Values of one condition are alternatives; a negated operator asks that none matches. A missing key fails a condition,
//! except under a negated operator, `...IfExists`, `ForAllValues` and `Null`.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html>

use std::cmp::Ordering;

use crate::context::ContextValue;
use crate::document::Condition;
use crate::facts::Facts;
use crate::instant;
use crate::network;
use crate::operator::{Operator, Quantifier, Test};
use crate::pattern::{Match, Pattern, UNKNOWN, Wildcards, fold};
use crate::truth::Truth;

pub(crate) fn holds(condition: &Condition, variables: Variables, facts: &Facts<'_>) -> Truth {
    let Some(operator) = Operator::parse(&condition.operator) else {
        return Truth::depends_on(format!(
            "the condition operator {}, which AWS does not document",
            condition.operator
        ));
    };
    let found = facts.lookup(&condition.key);
    if operator.test == Test::Null {
        return null(condition, &found);
    }
    let values = match found {
        ContextValue::Unknown => return Truth::depends_on(&condition.key),
        ContextValue::Absent => Vec::new(),
        ContextValue::Values(values) => values,
    };
    let without_value = match operator.quantifier {
        Quantifier::ForAllValues => true,
        Quantifier::ForAnyValue => false,
        Quantifier::None => operator.negated,
    };
    if values.is_empty() {
        return (operator.if_exists || without_value).into();
    }
    let comparison = Comparison { operator, condition, variables, facts };
    if operator.quantifier != Quantifier::None && values.iter().all(|value| could_be_empty(value)) {
        // Texts that are empty are no values of a set, as if there were none:
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
        let empty = Truth::from(without_value);
        if values.iter().all(String::is_empty) {
            return empty;
        }
        // Of what is not known yet it can't be told whether it is empty.
        let filled = comparison.over(&values);
        return if filled == empty { empty } else { Truth::depends_on(&condition.key) };
    }
    comparison.over(&values)
}

/// A text that is empty, or may turn out to be.
fn could_be_empty(value: &str) -> bool {
    value.chars().all(|character| character == UNKNOWN)
}

impl Comparison<'_> {
    /// The values of the request together.
    fn over(&self, values: &[String]) -> Truth {
        let Comparison { operator, condition, .. } = self;
        let each = values.iter().map(|value| {
            let matched = Truth::any(condition.values.iter().map(|wanted| self.compare(value, wanted)));
            if operator.negated { matched.negate() } else { matched }
        });
        match operator.quantifier {
            Quantifier::ForAllValues => Truth::all(each),
            Quantifier::ForAnyValue => Truth::any(each),
            // Without a quantifier a negated operator asks that no value matches, any other that some value does.
            Quantifier::None if operator.negated => Truth::all(each),
            Quantifier::None => Truth::any(each),
        }
    }
}

/// Whether `${...}` in a document's text stands for a value of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variables {
    Replaced,
    Literal,
}

fn null(condition: &Condition, found: &ContextValue) -> Truth {
    let missing = match found {
        ContextValue::Unknown => return Truth::depends_on(&condition.key),
        ContextValue::Absent => true,
        ContextValue::Values(values) => values.is_empty(),
    };
    condition
        .values
        .iter()
        .any(|value| value.eq_ignore_ascii_case(if missing { "true" } else { "false" }))
        .into()
}

struct Comparison<'a> {
    operator: Operator,
    condition: &'a Condition,
    variables: Variables,
    facts: &'a Facts<'a>,
}

impl Comparison<'_> {
    fn compare(&self, value: &str, wanted: &str) -> Truth {
        match self.operator.test {
            Test::StringEquals => self.pattern(value, wanted, Wildcards::Literal),
            Test::StringLike => self.pattern(value, wanted, Wildcards::Active),
            Test::StringEqualsIgnoreCase => {
                let pattern = self.read(wanted, Wildcards::Literal).fold_case();
                self.judge(pattern.matches(&fold(value)), pattern)
            }
            Test::ArnLike => self.arn(value, wanted),
            Test::Bool => self.pattern(&fold(value), &fold_outside_variables(wanted), Wildcards::Literal),
            Test::Null => Truth::No,
            _ if value.contains(UNKNOWN) || wanted.contains(UNKNOWN) => {
                Truth::depends_on(&self.condition.key)
            }
            Test::BinaryEquals => (value == wanted).into(),
            Test::IpAddress => network::contains(wanted, value).unwrap_or(false).into(),
            Test::NumericEquals => numeric(value, wanted, Ordering::is_eq),
            Test::NumericLessThan => numeric(value, wanted, Ordering::is_lt),
            Test::NumericLessThanEquals => numeric(value, wanted, Ordering::is_le),
            Test::NumericGreaterThan => numeric(value, wanted, Ordering::is_gt),
            Test::NumericGreaterThanEquals => numeric(value, wanted, Ordering::is_ge),
            Test::DateEquals => date(value, wanted, Ordering::is_eq),
            Test::DateLessThan => date(value, wanted, Ordering::is_lt),
            Test::DateLessThanEquals => date(value, wanted, Ordering::is_le),
            Test::DateGreaterThan => date(value, wanted, Ordering::is_gt),
            Test::DateGreaterThanEquals => date(value, wanted, Ordering::is_ge),
        }
    }

    fn read(&self, wanted: &str, wildcards: Wildcards) -> Pattern {
        let lookup = |key: &str| self.facts.lookup(key);
        Pattern::new(wanted, wildcards, (self.variables == Variables::Replaced).then_some(&lookup))
    }

    fn pattern(&self, value: &str, wanted: &str, wildcards: Wildcards) -> Truth {
        let pattern = self.read(wanted, wildcards);
        self.judge(pattern.matches(value), pattern)
    }

    fn judge(&self, matched: Match, pattern: Pattern) -> Truth {
        match matched {
            Match::Yes => Truth::Yes,
            Match::No => Truth::No,
            Match::Maybe if pattern.unknown.is_empty() => Truth::depends_on(&self.condition.key),
            Match::Maybe => Truth::Depends(pattern.unknown),
        }
    }

    /// Compares two ARNs field by field, so that a wildcard stays within its field.
    fn arn(&self, value: &str, wanted: &str) -> Truth {
        if wanted == "*" {
            return Truth::Yes;
        }
        if value.contains(UNKNOWN) || wanted.contains(UNKNOWN) {
            // Which field a part belongs to is not known before it is filled in.
            return match self.pattern(value, wanted, Wildcards::Active) {
                Truth::No => Truth::No,
                _ => Truth::depends_on(&self.condition.key),
            };
        }
        let (value, wanted): (Vec<_>, Vec<_>) = (value.splitn(6, ':').collect(), arn_fields(wanted));
        if value.len() != 6 || wanted.len() != 6 {
            return Truth::No;
        }
        Truth::all(
            value.iter().zip(wanted).map(|(value, wanted)| self.pattern(value, wanted, Wildcards::Active)),
        )
    }
}

/// The fields of an ARN pattern, at most six; a colon within `${...}` parts nothing.
fn arn_fields(pattern: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let mut rest = pattern;
    while fields.len() < 5 {
        let mut inside = false;
        let colon = rest.char_indices().find(|(place, character)| {
            match character {
                '{' if rest.get(..*place).is_some_and(|before| before.ends_with('$')) => inside = true,
                '}' => inside = false,
                _ => {}
            }
            *character == ':' && !inside
        });
        let Some((field, after)) = colon.and_then(|(place, _)| rest.split_at_checked(place)) else { break };
        fields.push(field);
        rest = after.get(1..).unwrap_or_default();
    }
    fields.push(rest);
    fields
}

fn fold_outside_variables(text: &str) -> String {
    if text.contains("${") { text.to_owned() } else { fold(text) }
}

fn numeric(value: &str, wanted: &str, accepts: fn(Ordering) -> bool) -> Truth {
    let parse = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    match (parse(value), parse(wanted)) {
        (Some(value), Some(wanted)) => value.partial_cmp(&wanted).is_some_and(accepts).into(),
        _ => Truth::No,
    }
}

fn date(value: &str, wanted: &str, accepts: fn(Ordering) -> bool) -> Truth {
    match (instant::parse(value), instant::parse(wanted)) {
        (Some(value), Some(wanted)) => accepts(value.cmp(&wanted)).into(),
        _ => Truth::No,
    }
}
