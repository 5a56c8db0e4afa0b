//! Items as DynamoDB writes them in JSON: each value in an object with one key, its type.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

/// Attributes by name.
pub type Item = BTreeMap<String, AttributeValue>;

/// Deeper values than this DynamoDB does not take either.
const DEEPEST: usize = 32;

/// Reads an item.
///
/// # Errors
/// What is wrong with it, as a clause.
pub fn parse(text: &str) -> Result<Item, String> {
    let json: Json = serde_json::from_str(text).map_err(|error| format!("it is no JSON ({error})"))?;
    let Json::Object(attributes) = json else {
        return Err("it is no object of attributes".to_owned());
    };
    attributes.iter().map(|(name, value)| Ok((name.clone(), attribute(name, value, 0)?))).collect()
}

fn attribute(name: &str, json: &Json, depth: usize) -> Result<AttributeValue, String> {
    if depth > DEEPEST {
        return Err(format!("`{name}` is nested too deeply"));
    }
    let typed = json.as_object().filter(|object| object.len() == 1).and_then(|object| object.iter().next());
    let Some((kind, value)) = typed else {
        return Err(format!("`{name}` is no object with one type such as `{{\"S\": \"text\"}}`"));
    };
    let misfit = |wanted: &str| format!("`{name}` is said to be `{kind}` and is not {wanted}");
    let text = |value: &Json| value.as_str().map(str::to_owned).ok_or_else(|| misfit("text"));
    let texts = |value: &Json| -> Result<Vec<String>, String> {
        value.as_array().ok_or_else(|| misfit("a list"))?.iter().map(text).collect()
    };
    let number = |text: String| match decimal(&text) {
        Some(_) => Ok(text),
        None => Err(misfit("a number in a text")),
    };
    let blob = |text: String| match STANDARD.decode(text) {
        Ok(bytes) => Ok(Blob::new(bytes)),
        Err(_) => Err(misfit("base64")),
    };
    Ok(match kind.as_str() {
        "S" => AttributeValue::S(text(value)?),
        "N" => AttributeValue::N(number(text(value)?)?),
        "B" => AttributeValue::B(blob(text(value)?)?),
        "SS" => AttributeValue::Ss(texts(value)?),
        "NS" => AttributeValue::Ns(texts(value)?.into_iter().map(number).collect::<Result<_, _>>()?),
        "BS" => AttributeValue::Bs(texts(value)?.into_iter().map(blob).collect::<Result<_, _>>()?),
        "BOOL" => AttributeValue::Bool(value.as_bool().ok_or_else(|| misfit("`true` or `false`"))?),
        "NULL" => AttributeValue::Null(value.as_bool().ok_or_else(|| misfit("`true` or `false`"))?),
        "L" => {
            let elements = value.as_array().ok_or_else(|| misfit("a list"))?;
            let elements = elements.iter().map(|element| attribute(name, element, depth + 1));
            AttributeValue::L(elements.collect::<Result<_, _>>()?)
        }
        "M" => {
            let fields = value.as_object().ok_or_else(|| misfit("an object"))?;
            let fields =
                fields.iter().map(|(name, value)| Ok((name.clone(), attribute(name, value, depth + 1)?)));
            AttributeValue::M(fields.collect::<Result<_, String>>()?)
        }
        other => return Err(format!("`{name}` has the type `{other}`, which there is not")),
    })
}

/// Whether two items say the same: a number may be written otherwise, and a set has no order.
pub fn same(a: &Item, b: &Item) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|((x, a), (y, b))| x == y && same_value(a, b))
}

/// Whether two values say the same.
pub fn same_value(a: &AttributeValue, b: &AttributeValue) -> bool {
    use AttributeValue::{Bs, L, M, N, Ns, Ss};
    let sorted = |texts: &[String]| texts.iter().cloned().collect::<BTreeSet<_>>();
    let numbers = |texts: &[String]| texts.iter().map(|text| decimal(text)).collect::<BTreeSet<_>>();
    let blobs = |blobs: &[Blob]| blobs.iter().map(|blob| blob.as_ref().to_vec()).collect::<BTreeSet<_>>();
    match (a, b) {
        (N(a), N(b)) => decimal(a) == decimal(b),
        (Ss(a), Ss(b)) => sorted(a) == sorted(b),
        (Ns(a), Ns(b)) => numbers(a) == numbers(b),
        (Bs(a), Bs(b)) => blobs(a) == blobs(b),
        (L(a), L(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b)),
        (M(a), M(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same_value(a, b)))
        }
        _ => a == b,
    }
}

/// A decimal number, however it is written: whether it is negative, its digits without zeros around them, and the power of ten.
fn decimal(text: &str) -> Option<(bool, String, i64)> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, power) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let power = power.parse::<i64>().ok()?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let digits = digits.trim_start_matches('0');
    let short = digits.trim_end_matches('0');
    if short.is_empty() {
        return Some((false, String::new(), 0));
    }
    let power = power.checked_add(i64::try_from(digits.len() - short.len()).ok()?)?;
    Some((negative, short.to_owned(), power))
}

/// Writes an item, names in order.
pub fn write(item: &Item) -> String {
    let fields: Map<String, Json> = item.iter().map(|(name, value)| (name.clone(), to_json(value))).collect();
    Json::Object(fields).to_string()
}

fn to_json(value: &AttributeValue) -> Json {
    let bytes = |blob: &Blob| STANDARD.encode(blob.as_ref());
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(text) => json!({ "N": text }),
        AttributeValue::B(blob) => json!({ "B": bytes(blob) }),
        AttributeValue::Ss(texts) => json!({ "SS": texts }),
        AttributeValue::Ns(texts) => json!({ "NS": texts }),
        AttributeValue::Bs(blobs) => json!({ "BS": blobs.iter().map(bytes).collect::<Vec<_>>() }),
        AttributeValue::Bool(flag) => json!({ "BOOL": flag }),
        AttributeValue::Null(flag) => json!({ "NULL": flag }),
        AttributeValue::L(elements) => json!({ "L": elements.iter().map(to_json).collect::<Vec<_>>() }),
        AttributeValue::M(fields) => {
            let fields: BTreeMap<_, _> = fields.iter().map(|(name, value)| (name, to_json(value))).collect();
            json!({ "M": fields })
        }
        _ => Json::Null,
    }
}

/// The value of a key attribute in an id.
pub fn key_text(value: &AttributeValue) -> Option<String> {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => Some(text.clone()),
        AttributeValue::B(blob) => Some(STANDARD.encode(blob.as_ref())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &str = r#"{"b":{"B":"AQI="},"bs":{"BS":["AQI="]},"f":{"BOOL":true},"l":{"L":[{"N":"1"},{"NULL":true}]},"m":{"M":{"x":{"S":"y"}}},"n":{"N":"1.50"},"ns":{"NS":["1","2"]},"s":{"S":"é"},"ss":{"SS":["a"]}}"#;

    #[test]
    fn every_type_is_read_and_written() {
        assert_eq!(write(&parse(ALL).unwrap()), ALL);
    }

    #[test]
    fn numbers_and_sets_are_the_same_however_they_are_written() {
        for (a, b, same) in [
            (r#"{"N":"1.50"}"#, r#"{"N":"1.5"}"#, true),
            (r#"{"N":"-0"}"#, r#"{"N":"0.00"}"#, true),
            (r#"{"N":"15e-1"}"#, r#"{"N":"+01.5"}"#, true),
            (r#"{"N":"100"}"#, r#"{"N":"1E2"}"#, true),
            (r#"{"N":"1"}"#, r#"{"N":"-1"}"#, false),
            (r#"{"N":"10"}"#, r#"{"N":"1"}"#, false),
            (r#"{"N":"1"}"#, r#"{"S":"1"}"#, false),
            (r#"{"SS":["a","b"]}"#, r#"{"SS":["b","a"]}"#, true),
            (r#"{"NS":["2","1.0"]}"#, r#"{"NS":["1","2"]}"#, true),
            (r#"{"BS":["AQI=","AA=="]}"#, r#"{"BS":["AA==","AQI="]}"#, true),
            (r#"{"L":[{"S":"a"},{"S":"b"}]}"#, r#"{"L":[{"S":"b"},{"S":"a"}]}"#, false),
            (r#"{"M":{"x":{"N":"1.0"}}}"#, r#"{"M":{"x":{"N":"1"}}}"#, true),
            (r#"{"M":{"x":{"N":"1"}}}"#, r#"{"M":{"y":{"N":"1"}}}"#, false),
        ] {
            let item = |value: &str| parse(&format!(r#"{{"a":{value}}}"#)).unwrap();
            assert_eq!(super::same(&item(a), &item(b)), same, "{a} {b}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_the_attribute() {
        for (text, why) in [
            ("[]", "no object of attributes"),
            ("{", "no JSON"),
            (r#"{"a": "b"}"#, "`a` is no object with one type"),
            (r#"{"a": {"S": "b", "N": "1"}}"#, "`a` is no object with one type"),
            (r#"{"a": {"N": 1}}"#, "`a` is said to be `N` and is not text"),
            (r#"{"a": {"N": "x"}}"#, "not a number in a text"),
            (r#"{"a": {"N": "1e"}}"#, "not a number in a text"),
            (r#"{"a": {"N": "nan"}}"#, "not a number in a text"),
            (r#"{"a": {"B": "%"}}"#, "not base64"),
            (r#"{"a": {"M": {"b": {"Q": 1}}}}"#, "`b` has the type `Q`"),
        ] {
            let got = parse(text).unwrap_err();
            assert!(got.contains(why), "{text}: {got}");
        }
        let deep = format!(r#"{{"a":{}{{"S":""}}{}}}"#, r#"{"L":["#.repeat(40), "]}".repeat(40));
        assert!(parse(&deep).unwrap_err().contains("too deeply"));
    }
}
