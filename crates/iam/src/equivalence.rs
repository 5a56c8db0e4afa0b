//! Do two policy texts mean the same to the AWS provider?
//!
//! The rule is a structural one, the same that the provider uses to keep a configured text in the state although AWS
//! answers with another spelling. It is not about what the policies allow: `"*"` and `{"AWS":"*"}` differ here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::parse::{self, field};

/// Compares two policy texts. Order of statements and of list elements, the shapes "text" and "list of one", spaces, and
/// an account's id against its root ARN make no difference. A text that is not JSON equals nothing, not even itself, but
/// for the empty text, which counts as `{}`.
pub fn equivalent(a: &str, b: &str) -> bool {
    match (Policy::read(a), Policy::read(b)) {
        (Some(a), Some(b)) => a.equals(&b),
        _ => false,
    }
}

#[derive(Debug)]
struct Policy {
    version: String,
    id: String,
    statements: Vec<Statement>,
}

#[derive(Debug)]
struct Statement {
    sid: String,
    effect: String,
    /// `Action`, `NotAction`, `Resource`, `NotResource`, each sorted.
    lists: [Vec<String>; 4],
    conditions: Option<Conditions>,
    principals: Principals,
    not_principals: Principals,
}

/// Values by operator and by key.
type Conditions = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// Identifiers by type, sorted by type.
#[derive(Debug)]
struct Principals(Vec<(String, Vec<String>)>);

impl Policy {
    fn read(text: &str) -> Option<Policy> {
        let text = text.trim();
        if text.is_empty() {
            return Some(Policy { version: String::new(), id: String::new(), statements: Vec::new() });
        }
        let value = match parse::json(text).ok()? {
            Value::Array(items) if items.len() < 2 => items.into_iter().next().unwrap_or(Value::Null),
            other => other,
        };
        let nothing = Map::new();
        let object = if value.is_null() { &nothing } else { value.as_object()? };
        let statements = match field(object, "Statement") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => items.iter().map(Statement::read).collect::<Option<_>>()?,
            Some(single) => vec![Statement::read(single)?],
        };
        Some(Policy { version: text_of(object, "Version")?, id: text_of(object, "Id")?, statements })
    }

    fn equals(&self, other: &Policy) -> bool {
        // Several equal statements may pair with the same one: only the number of statements is counted.
        let covered = |these: &[Statement], those: &[Statement]| {
            these.iter().all(|one| those.iter().any(|another| one.equals(another)))
        };
        self.version == other.version
            && self.id == other.id
            && self.statements.len() == other.statements.len()
            && covered(&self.statements, &other.statements)
            && covered(&other.statements, &self.statements)
    }
}

impl Statement {
    fn read(value: &Value) -> Option<Statement> {
        let object = value.as_object()?;
        Some(Statement {
            sid: text_of(object, "Sid")?,
            effect: text_of(object, "Effect")?,
            lists: [
                list_of(object, "Action")?,
                list_of(object, "NotAction")?,
                list_of(object, "Resource")?,
                list_of(object, "NotResource")?,
            ],
            conditions: conditions_of(object)?,
            principals: Principals::read(field(object, "Principal"))?,
            not_principals: Principals::read(field(object, "NotPrincipal"))?,
        })
    }

    fn equals(&self, other: &Statement) -> bool {
        self.sid == other.sid
            && self.effect.eq_ignore_ascii_case(&other.effect)
            && self.lists == other.lists
            && self.conditions == other.conditions
            && self.principals.equals(&other.principals)
            && self.not_principals.equals(&other.not_principals)
    }
}

impl Principals {
    /// Reads the element. The provider takes any text, a missing element and an object that lists nobody for one another.
    /// No valid policy can have the one for the other: `"*"` is the only text, identity policies name no principal, and
    /// resource policies must.
    fn read(value: Option<&Value>) -> Option<Principals> {
        let kinds = match value {
            None | Some(Value::Null | Value::String(_)) => return Some(Principals(Vec::new())),
            Some(value) => value.as_object()?,
        };
        let mut read = Vec::new();
        for (kind, value) in kinds {
            let identifiers = texts(value)?;
            if !identifiers.is_empty() {
                read.push((kind.clone(), identifiers));
            }
        }
        read.sort();
        Some(Principals(read))
    }

    fn equals(&self, other: &Principals) -> bool {
        self.0.len() == other.0.len()
            && self.0.iter().zip(&other.0).all(|((kind, ours), (other, theirs))| {
                kind == other && ours.len() == theirs.len() && all_found(ours, theirs)
            })
    }
}

fn all_found(ours: &[String], theirs: &[String]) -> bool {
    ours.iter().all(|one| theirs.iter().any(|other| same_principal(one, other)))
}

/// AWS answers with the root ARN where an account's id was put.
fn same_principal(left: &str, right: &str) -> bool {
    let is_root_of = |arn: &str, account: &str| {
        account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && arn.strip_prefix("arn:").and_then(|rest| rest.split_once(":iam::")).is_some_and(
                |(partition, rest)| !partition.contains(':') && rest.strip_suffix(":root") == Some(account),
            )
    };
    left == right || is_root_of(left, right) || is_root_of(right, left)
}

fn text_of(object: &Map<String, Value>, name: &str) -> Option<String> {
    match field(object, name) {
        None | Some(Value::Null) => Some(String::new()),
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => None,
    }
}

fn list_of(object: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    let mut list = match field(object, name) {
        None | Some(Value::Null) => Vec::new(),
        Some(value) => texts(value)?,
    };
    list.sort();
    Some(list)
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => items.iter().map(scalar).collect(),
        single => scalar(single).map(|text| vec![text]),
    }
}

/// `Some(None)` without the element, which differs from an empty one.
fn conditions_of(object: &Map<String, Value>) -> Option<Option<Conditions>> {
    let operators = match field(object, "Condition") {
        None | Some(Value::Null) => return Some(None),
        Some(value) => value.as_object()?,
    };
    let mut read = Conditions::new();
    for (operator, keys) in operators {
        let mut lines = BTreeMap::new();
        for (key, value) in keys.as_object()? {
            let values = match value {
                Value::Array(items) => items.iter().map(scalar).collect::<Option<_>>()?,
                single => BTreeSet::from([scalar(single)?]),
            };
            lines.insert(key.clone(), values);
        }
        read.insert(operator.clone(), lines);
    }
    Some(Some(read))
}

/// A value as text; numbers by value, so that `5.0` is `5`.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => {
            let plain = number.as_f64().filter(|number| number.is_finite());
            Some(plain.map_or_else(|| number.to_string(), |plain| plain.to_string()))
        }
        other => parse::scalar(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(statements: &str) -> String {
        format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#)
    }

    fn statement(rest: &str) -> String {
        policy(&format!(r#"[{{"Effect":"Allow",{rest}}}]"#))
    }

    #[test]
    fn nothing_is_an_empty_object() {
        for (a, b) in [
            ("", "{}"),
            (" \n", "[{}]"),
            ("{}", "{\"Statement\":[]}"),
            ("{}", "{\"Id\":\"\"}"),
            ("[]", "null"),
        ] {
            assert!(equivalent(a, b) && equivalent(b, a), "{a} {b}");
        }
        assert!(!equivalent("{}", &policy("[]")));
    }

    #[test]
    fn what_is_no_json_equals_nothing() {
        for text in ["{", "x", "[{},{}]", "1", r#"{"Statement":["x"]}"#] {
            assert!(!equivalent(text, text), "{text}");
        }
    }

    #[test]
    fn spellings_that_are_the_same() {
        let reference = statement(r#""Action":["a:b","a:c"],"Resource":"*""#);
        for text in [
            statement(r#""Action":["a:c","a:b"],"Resource":["*"]"#),
            policy(r#"{"Effect":"allow","Resource":"*","Action":["a:b","a:c"],"Comment":"x"}"#),
            format!("[ {} ]", statement(r#""Action":["a:b","a:c"],"Resource":"*","NotAction":[]"#)),
        ] {
            assert!(equivalent(&reference, &text) && equivalent(&text, &reference), "{text}");
        }
    }

    #[test]
    fn spellings_that_differ() {
        let reference = statement(r#""Sid":"S","Action":["a:b","a:c"],"Resource":"*""#);
        for text in [
            statement(r#""Sid":"S","Action":["a:b","a:C"],"Resource":"*""#),
            statement(r#""Sid":"S","Action":["a:b","a:c","a:c"],"Resource":"*""#),
            statement(r#""Sid":"s","Action":["a:b","a:c"],"Resource":"*""#),
            statement(r#""Sid":"S","Action":["a:b","a:c"],"Resource":"*","Principal":{"AWS":"*"}"#),
            reference.replace("2012", "2008"),
            reference.replace("Allow", "Deny"),
            reference.replace(r#"{"Version""#, r#"{"Id":"x","Version""#),
        ] {
            assert!(!equivalent(&reference, &text) && !equivalent(&text, &reference), "{text}");
        }
    }

    #[test]
    fn equal_statements_pair_with_the_same_one() {
        let (a, b) = (r#"{"Sid":"A","Effect":"Allow"}"#, r#"{"Sid":"B","Effect":"Allow"}"#);
        let of = |list: [&str; 3]| policy(&format!("[{}]", list.join(",")));
        assert!(equivalent(&of([a, b, a]), &of([b, a, b])));
        assert!(!equivalent(&of([a, a, a]), &of([a, a, b])));
        assert!(!equivalent(&policy(&format!("[{a}]")), &policy(&format!("[{a},{a}]"))));
    }

    #[test]
    fn conditions_compare_as_sets_of_texts() {
        let of = |condition: &str| statement(&format!(r#""Condition":{condition}"#));
        let reference = of(r#"{"Bool":{"k":"true"},"NumericEquals":{"n":["5","6"]}}"#);
        assert!(equivalent(&reference, &of(r#"{"NumericEquals":{"n":[6,5,5.0]},"Bool":{"k":[true]}}"#)));
        assert!(!equivalent(&reference, &of(r#"{"Bool":{"k":"true"}}"#)));
        assert!(!equivalent(&reference, &of(r#"{"bool":{"k":"true"},"NumericEquals":{"n":["5","6"]}}"#)));
        assert!(!equivalent(&reference, &of(r#"{"Bool":{"k":"true"},"NumericEquals":{"n":["5"]}}"#)));
    }

    #[test]
    fn principals() {
        let of = |principal: &str| statement(&format!(r#""Principal":{principal}"#));
        let same = |a: &str, b: &str| equivalent(&of(a), &of(b));
        assert!(same(r#"{"AWS":["1","2"],"Service":[]}"#, r#"{"AWS":["2","1"]}"#));
        assert!(same(r#"{"AWS":"111111111111"}"#, r#"{"AWS":["arn:aws-cn:iam::111111111111:root"]}"#));
        assert!(same(r#"{"AWS":"arn:aws:iam::111111111111:root"}"#, r#"{"AWS":"111111111111"}"#));
        assert!(!same(r#"{"AWS":"11111111111"}"#, r#"{"AWS":"arn:aws:iam::11111111111:root"}"#));
        assert!(!same(r#""*""#, r#"{"AWS":"*"}"#));
        assert!(!same(r#"{"AWS":["1","2"]}"#, r#"{"AWS":["1"]}"#));
        assert!(!same(r#"{"AWS":"arn:aws:iam::111111111111:role/r"}"#, r#"{"AWS":"AROAX"}"#));
        assert!(same(r#"{"AWS":["1","1"]}"#, r#"{"AWS":["1","1"]}"#));
    }
}
