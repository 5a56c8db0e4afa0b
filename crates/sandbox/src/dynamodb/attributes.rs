//! Which attributes a request names: the condition key `dynamodb:Attributes`.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html>

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The names of the top-level attributes that a request on one table names: of its key and its item, those that it asks for,
/// and those that its conditions and updates speak of.
pub(super) fn named(request: &Map<String, Value>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for part in ["Key", "Item", "KeyConditions", "AttributeUpdates", "Expected", "QueryFilter", "ScanFilter"]
    {
        found.extend(request.get(part).and_then(Value::as_object).into_iter().flat_map(Map::keys).cloned());
    }
    for keys in request.get("Keys").and_then(Value::as_array).into_iter().flatten() {
        found.extend(keys.as_object().into_iter().flat_map(Map::keys).cloned());
    }
    let asked_for = request.get("AttributesToGet").and_then(Value::as_array).into_iter().flatten();
    found.extend(asked_for.filter_map(Value::as_str).map(str::to_owned));
    for part in [
        "ProjectionExpression",
        "KeyConditionExpression",
        "FilterExpression",
        "ConditionExpression",
        "UpdateExpression",
    ] {
        if let Some(expression) = request.get(part).and_then(Value::as_str) {
            found.extend(in_expression(expression, request.get("ExpressionAttributeNames")));
        }
    }
    found
}

/// The same for the writes of a batch.
pub(super) fn named_in_writes(writes: &Value) -> BTreeSet<String> {
    let requests = writes.as_array().into_iter().flatten().filter_map(Value::as_object);
    requests.flat_map(Map::values).filter_map(Value::as_object).flat_map(named).collect()
}

/// Words of the expressions' language that are no attributes.
const WORDS: [&str; 9] = ["ADD", "AND", "BETWEEN", "DELETE", "IN", "NOT", "OR", "REMOVE", "SET"];

fn in_expression(expression: &str, names: Option<&Value>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut rest = expression;
    let part_of_name = |letter: char| letter.is_alphanumeric() || "_#:-.[]".contains(letter);
    while let Some(start) = rest.find(part_of_name) {
        let from = rest.get(start..).unwrap_or_default();
        let end = from.find(|letter| !part_of_name(letter)).unwrap_or(from.len());
        let (word, behind) = from.split_at_checked(end).unwrap_or((from, ""));
        rest = behind;
        // A function, or a value.
        let other =
            behind.trim_start().starts_with('(') && !WORDS.iter().any(|w| w.eq_ignore_ascii_case(word));
        if other || word.starts_with(|letter: char| letter == ':' || letter == '-' || letter.is_numeric()) {
            continue;
        }
        let top = word.split(['.', '[']).next().unwrap_or_default();
        if top.is_empty() || WORDS.iter().any(|known| known.eq_ignore_ascii_case(top)) {
            continue;
        }
        let named = match top.starts_with('#') {
            true => names.and_then(|names| names.get(top)).and_then(Value::as_str).unwrap_or(top),
            false => top,
        };
        found.insert(named.to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(request: Value) -> Vec<String> {
        named(request.as_object().unwrap()).into_iter().collect()
    }

    #[test]
    fn attributes_are_found_where_each_operation_names_them() {
        assert_eq!(
            of(
                json!({ "Key": { "k": { "S": "a" } }, "ProjectionExpression": "#n, b.c[0]", "ExpressionAttributeNames": { "#n": "Name" } })
            ),
            ["Name", "b", "k"]
        );
        assert_eq!(
            of(
                json!({ "Item": { "k": {}, "x": {} }, "ConditionExpression": "attribute_not_exists(y) AND NOT (z = :v)" })
            ),
            ["k", "x", "y", "z"]
        );
        assert_eq!(
            of(
                json!({ "Key": { "k": {} }, "UpdateExpression": "SET a = if_not_exists(b, :x) + :y REMOVE c ADD d :n" })
            ),
            ["a", "b", "c", "d", "k"]
        );
        assert_eq!(
            of(
                json!({ "KeyConditionExpression": "k = :k AND begins_with(r, :r)", "AttributesToGet": ["z"] })
            ),
            ["k", "r", "z"]
        );
        assert_eq!(of(json!({ "FilterExpression": "a BETWEEN :x AND :y OR b IN (:z)" })), ["a", "b"]);
        assert!(of(json!({ "TableName": "t", "ProjectionExpression": "", "Key": 3 })).is_empty());
        assert!(of(json!({ "ProjectionExpression": "((( - # .. [ ] ö" })).len() < 4);
        let writes = json!([{ "PutRequest": { "Item": { "k": {}, "v": {} } } }]);
        assert_eq!(named_in_writes(&writes).into_iter().collect::<Vec<_>>(), ["k", "v"]);
    }
}
