//! Brings what a spec says into the shape of a schema, and checks it against the schema's bounds.
//!
//! [`conform`] takes the object that the body of a resource evaluates to and gives the *config* value: every attribute
//! and block of the schema present, typed, absent ones null or empty. [`check`] finds what the schema forbids in it.
//! Unknown parts pass: they are checked again when they are known.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use regex::Regex;

use crate::convert::convert;
use crate::nearest::nearest;
use crate::path::{Path, Step};
use crate::schema::{Attribute, Block, Check, NestedBlock, Nesting, Presence};
use crate::ty::Type;
use crate::value::{Kind, Value};

/// One thing that is wrong with a value, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub path: Path,
    /// A stable name, such as `unknown-argument`.
    pub code: &'static str,
    /// A noun phrase.
    pub summary: &'static str,
    /// Sentences: what, why, what to do.
    pub detail: String,
}

/// Brings an evaluated body into the shape of a block. Reports every misfit, and gives the value without the misfits.
pub fn conform(body: &Value, block: &Block) -> (Value, Vec<Problem>) {
    let mut problems = Vec::new();
    let value = conform_block(body, block, &Path::default(), &mut problems);
    (value, problems)
}

fn conform_block(body: &Value, block: &Block, path: &Path, problems: &mut Vec<Problem>) -> Value {
    if let Kind::Unknown(_) = body.kind() {
        return Value::unknown(block.ty()).with_marks(body.marks());
    }
    let Some(given) = body.entries() else {
        problems.push(Problem {
            path: path.clone(),
            code: "wrong-type",
            summary: "Wrong type of a block",
            detail: format!("A block is a table of arguments; this is {}.", article(&body.ty())),
        });
        return absent_block(block);
    };
    for name in given.keys() {
        if block.attribute(name).is_none() && block.nested(name).is_none() {
            problems.push(unknown_argument(name, block, path));
        }
    }
    let mut fields: Vec<(Arc<str>, Value)> = Vec::new();
    for attribute in &block.attributes {
        let here = path.child(Step::Attribute(attribute.name.into()));
        let mut value = match given.get(attribute.name) {
            None => Value::null(attribute.ty.clone()),
            Some(v) => convert(v, &attribute.ty).unwrap_or_else(|error| {
                let mut path = here.clone();
                path.0.extend(error.path.0);
                problems.push(Problem {
                    path,
                    code: "wrong-type",
                    summary: "Wrong type of an argument",
                    detail: format!(
                        "The argument `{}` must be {}: {}.",
                        attribute.name,
                        article(&attribute.ty),
                        error.detail
                    ),
                });
                Value::null(attribute.ty.clone())
            }),
        };
        if attribute.presence == Presence::Computed && !value.is_null() {
            problems.push(Problem {
                path: here,
                code: "read-only-argument",
                summary: "Value for a read-only attribute",
                detail: format!(
                    "`{}` is set by AWS and can't be given in the spec. Take the line out.",
                    attribute.name
                ),
            });
            value = Value::null(attribute.ty.clone());
        }
        fields.push((attribute.name.into(), value));
    }
    for nested in &block.blocks {
        let here = path.child(Step::Attribute(nested.name.into()));
        fields.push((nested.name.into(), conform_nested(given.get(nested.name), nested, &here, problems)));
    }
    Value::object(fields).with_marks(body.marks())
}

fn conform_nested(
    given: Option<&Value>,
    nested: &NestedBlock,
    path: &Path,
    problems: &mut Vec<Problem>,
) -> Value {
    let element = nested.block.ty();
    let Some(given) = given.filter(|v| !v.is_null()) else {
        return match nested.nesting {
            Nesting::Single => Value::null(element),
            Nesting::List => Value::list(element, []),
            Nesting::Set => Value::set(element, []),
        };
    };
    if given.is_unknown() {
        return Value::unknown(nested.ty()).with_marks(given.marks());
    }
    let bodies: Vec<(Path, &Value)> = match given.kind() {
        Kind::Object(_) | Kind::Map(..) => vec![(path.clone(), given)],
        Kind::Tuple(es) | Kind::List(_, es) | Kind::Set(_, es) => {
            es.iter().enumerate().map(|(i, v)| (path.child(Step::Index(i)), v)).collect()
        }
        _ => {
            problems.push(Problem {
                path: path.clone(),
                code: "wrong-type",
                summary: "Wrong type of a block",
                detail: format!(
                    "`{}` is a block: a table, or an array of tables; this is {}.",
                    nested.name,
                    article(&given.ty())
                ),
            });
            vec![]
        }
    };
    let bodies: Vec<_> = bodies.into_iter().filter(|(_, v)| !v.is_null()).collect();
    let limit = if nested.nesting == Nesting::Single { Some(1) } else { nested.max };
    if let Some(max) = limit.filter(|max| bodies.len() > *max) {
        problems.push(Problem {
            path: path.clone(),
            code: "too-many-blocks",
            summary: "Too many blocks",
            detail: format!("At most {max} `{}` block is allowed; there are {}.", nested.name, bodies.len()),
        });
    }
    if bodies.len() < nested.min {
        problems.push(Problem {
            path: path.clone(),
            code: "too-few-blocks",
            summary: "Missing block",
            detail: format!("At least {} `{}` block is needed.", nested.min, nested.name),
        });
    }
    let mut values = bodies.iter().map(|(at, v)| conform_block(v, &nested.block, at, problems));
    match nested.nesting {
        Nesting::Single => values.next().unwrap_or_else(|| Value::null(element.clone())),
        Nesting::List => Value::list(element.clone(), values.collect::<Vec<_>>()),
        Nesting::Set => Value::set(element.clone(), values.collect::<Vec<_>>()),
    }
}

fn absent_block(block: &Block) -> Value {
    conform_block(&Value::object::<&str>([]), block, &Path::default(), &mut Vec::new())
}

fn unknown_argument(name: &str, block: &Block, path: &Path) -> Problem {
    let mut detail = match path.0.is_empty() {
        true => format!("There is no argument named `{name}` here."),
        false => format!("There is no argument named `{name}` in `{path}`."),
    };
    let settable =
        block.names().filter(|n| block.attribute(n).is_none_or(|a| a.presence != Presence::Computed));
    if let Some(near) = nearest(name, settable) {
        detail.push_str(&format!(" Did you mean `{near}`?"));
    }
    Problem {
        path: path.child(Step::Attribute(name.into())),
        code: "unknown-argument",
        summary: "Unknown argument",
        detail,
    }
}

/// Finds everything in a conformed value that the schema forbids: missing and conflicting arguments, bounds.
pub fn check(config: &Value, block: &Block) -> Vec<Problem> {
    let mut problems = Vec::new();
    check_block(config, block, &Path::default(), &mut problems);
    problems
}

fn check_block(config: &Value, block: &Block, path: &Path, problems: &mut Vec<Problem>) {
    let Some(fields) = config.entries() else { return };
    let is_set = |name: &str| fields.get(name).is_some_and(is_given);
    for attribute in &block.attributes {
        let Some(value) = fields.get(attribute.name) else { continue };
        let here = path.child(Step::Attribute(attribute.name.into()));
        if attribute.presence == Presence::Required && value.is_null() {
            problems.push(Problem {
                path: here.clone(),
                code: "missing-argument",
                summary: "Missing argument",
                detail: format!("The argument `{}` is required, and it is not set.", attribute.name),
            });
        }
        if is_given(value) {
            exclusions(attribute.name, attribute.conflicts_with, &is_set, &here, problems);
            for other in attribute.required_with.iter().filter(|o| !is_set(o)) {
                problems.push(Problem {
                    path: here.clone(),
                    code: "missing-companion",
                    summary: "Missing companion argument",
                    detail: format!("`{}` needs `{other}` to be set as well.", attribute.name),
                });
            }
        }
        check_value(value, attribute, &here, problems);
    }
    for nested in &block.blocks {
        let Some(value) = fields.get(nested.name) else { continue };
        let here = path.child(Step::Attribute(nested.name.into()));
        if is_given(value) {
            exclusions(nested.name, nested.conflicts_with, &is_set, &here, problems);
        }
        match nested.nesting {
            Nesting::Single => check_block(value, &nested.block, &here, problems),
            _ => {
                for (i, element) in value.elements().iter().enumerate() {
                    check_block(element, &nested.block, &here.child(Step::Index(i)), problems);
                }
            }
        }
    }
}

/// Not null, not an empty list of blocks.
fn is_given(value: &Value) -> bool {
    match value.kind() {
        Kind::Null(_) => false,
        Kind::List(_, es) | Kind::Set(_, es) => !es.is_empty(),
        _ => true,
    }
}

fn exclusions(
    name: &str,
    others: &[&str],
    is_set: &dyn Fn(&str) -> bool,
    path: &Path,
    problems: &mut Vec<Problem>,
) {
    for other in others.iter().filter(|o| is_set(o)) {
        problems.push(Problem {
            path: path.clone(),
            code: "conflicting-arguments",
            summary: "Conflicting arguments",
            detail: format!("`{name}` and `{other}` exclude each other. Keep one of them."),
        });
    }
}

fn check_value(value: &Value, attribute: &Attribute, path: &Path, problems: &mut Vec<Problem>) {
    match value.kind() {
        Kind::Null(_) | Kind::Unknown(_) => {}
        Kind::List(_, es) | Kind::Set(_, es) => {
            for (i, e) in es.iter().enumerate() {
                check_value(e, attribute, &path.child(Step::Index(i)), problems);
            }
        }
        Kind::Map(..) | Kind::Object(_) | Kind::Tuple(_) => {}
        Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => {
            let hidden = attribute.sensitive || value.marks().sensitive;
            for rule in &attribute.checks {
                if let Err(must) = rule.holds(value) {
                    let got = match value.kind() {
                        _ if hidden => "the value (hidden, since it is sensitive)".to_owned(),
                        Kind::String(s) => format!("`{}`", shorten(s)),
                        Kind::Number(n) => format!("`{n}`"),
                        _ => "the value".to_owned(),
                    };
                    problems.push(Problem {
                        path: path.clone(),
                        code: "invalid-value",
                        summary: "Value out of bounds",
                        detail: format!("`{}` must {must}; {got} does not.", attribute.name),
                    });
                }
            }
        }
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((i, _)) => format!("{}…", text.get(..i).unwrap_or_default()),
        None => text.to_owned(),
    }
}

impl Check {
    /// Whether the value keeps the bound; else what it must do, to follow the word "must".
    pub fn holds(&self, value: &Value) -> Result<(), String> {
        let text = value.as_str();
        let ok = match (self, text) {
            (Check::Length(min, max), Some(s)) => (*min..=*max).contains(&s.chars().count()),
            (Check::Range(min, max), _) => {
                value.as_number().is_none_or(|n| *n >= (*min).into() && *n <= (*max).into())
            }
            (Check::Whole, _) => value.as_number().is_none_or(|n| n.is_whole()),
            (Check::OneOf(options), Some(s)) => options.contains(&s),
            (Check::Pattern(pattern, _), Some(s)) => matches(pattern, s),
            (Check::NotPrefix(prefix), Some(s)) => !s.starts_with(prefix),
            (Check::Arn, Some(s)) => is_arn(s),
            (Check::Json, Some(s)) => serde_json::from_str::<serde::de::IgnoredAny>(s).is_ok(),
            (Check::PolicyJson, Some(s)) => return policy_json(s),
            (Check::Rfc3339, Some(s)) => matches(RFC3339, s),
            (Check::Duration, Some(s)) => parse_duration(s).is_some(),
            (Check::Empty, Some(s)) => s.is_empty(),
            (_, None) => true,
        };
        if ok { Ok(()) } else { Err(self.must()) }
    }

    fn must(&self) -> String {
        match self {
            Check::Length(min, max) => format!("have {min} to {max} characters"),
            Check::Range(min, max) => format!("lie between {min} and {max}"),
            Check::Whole => "be a whole number".into(),
            Check::OneOf(options) => {
                let quoted: Vec<String> = options.iter().map(|o| format!("`{o}`")).collect();
                format!("be one of {}", quoted.join(", "))
            }
            Check::Pattern(_, says) => (*says).into(),
            Check::NotPrefix(prefix) => format!("not begin with `{prefix}`"),
            Check::Arn => "be an ARN (`arn:partition:service:region:account:resource`)".into(),
            Check::Json => "be JSON".into(),
            Check::PolicyJson => "be a policy document: one JSON object".into(),
            Check::Rfc3339 => "be a time such as `2026-01-31T12:00:00Z`".into(),
            Check::Duration => "be a duration such as `30m` or `1h30m`".into(),
            Check::Empty => "be empty".into(),
        }
    }
}

const RFC3339: &str = r"^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$";
const ARN_PARTITION: &str = r"^aws(-[a-z]+)*$";
const ARN_REGION: &str = r"^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$";
const ARN_ACCOUNT: &str = r"^(aws|aws-managed|third-party|aws-marketplace|\d{12}|cw.{10})$";

/// Whether the text matches; each pattern is compiled once. A pattern that does not compile matches nothing.
fn matches(pattern: &'static str, text: &str) -> bool {
    static COMPILED: Mutex<BTreeMap<&'static str, Option<Regex>>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let regex = compiled.entry(pattern).or_insert_with(|| Regex::new(pattern).ok());
    regex.as_ref().is_some_and(|r| r.is_match(text))
}

fn is_arn(text: &str) -> bool {
    if text.is_empty() {
        return true;
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [prefix, partition, service, region, account, resource] = parts.as_slice() else { return false };
    *prefix == "arn"
        && matches(ARN_PARTITION, partition)
        && !service.is_empty()
        && (region.is_empty() || matches(ARN_REGION, region))
        && (account.is_empty() || matches(ARN_ACCOUNT, account))
        && !resource.is_empty()
}

fn policy_json(text: &str) -> Result<(), String> {
    match crate::duplicate::duplicate_key(text) {
        Err(_) => Err(Check::PolicyJson.must()),
        Ok(_) if !text.trim_start().starts_with('{') => Err(Check::PolicyJson.must()),
        Ok(Some(key)) => Err(format!("not give the key `{key}` twice in one JSON object")),
        Ok(None) => Ok(()),
    }
}

/// Reads a duration in Go's syntax (`1h30m`, `90s`, `1.5h`). Negative ones are refused.
pub fn parse_duration(text: &str) -> Option<std::time::Duration> {
    if text == "0" {
        return Some(std::time::Duration::ZERO);
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut seconds = 0f64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (digits, tail) = rest.split_at_checked(end)?;
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(unit_end)?;
        let scale = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        seconds += digits.parse::<f64>().ok()? * scale;
        rest = tail;
    }
    std::time::Duration::try_from_secs_f64(seconds).ok()
}

fn article(ty: &Type) -> String {
    let name = ty.friendly();
    match name.chars().next() {
        Some('a' | 'e' | 'i' | 'o' | 'u') if !name.starts_with("any") => format!("an {name}"),
        _ if name.starts_with("any") => name,
        _ => format!("a {name}"),
    }
}
