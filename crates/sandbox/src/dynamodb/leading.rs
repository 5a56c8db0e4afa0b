//! The partition keys that a call names, for the condition key `dynamodb:LeadingKeys`.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html>

use serde_json::{Map, Value};

/// The values of the partition key `key` that a request on one table names; none where it names no key, as a scan.
pub(super) fn keys(key: &str, request: &Map<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    for part in ["Key", "Item"] {
        found.extend(request.get(part).and_then(|part| part.get(key)).and_then(text));
    }
    for key_of_many in request.get("Keys").and_then(Value::as_array).into_iter().flatten() {
        found.extend(key_of_many.get(key).and_then(text));
    }
    found.extend(queried(key, request));
    found
}

/// The same for the writes of a batch.
pub(super) fn keys_of_writes(key: &str, writes: &Value) -> Vec<String> {
    let requests = writes.as_array().into_iter().flatten().filter_map(Value::as_object);
    let parts = requests.flat_map(|request| request.values()).filter_map(Value::as_object);
    parts.flat_map(|part| keys(key, part)).collect()
}

/// A key's value as text, whatever its type.
fn text(value: &Value) -> Option<String> {
    let (_, inner) = value.as_object()?.iter().next()?;
    inner.as_str().map(str::to_owned)
}

/// The partition key of a query: `#k = :v` somewhere in its condition, or the older `KeyConditions`.
fn queried(key: &str, request: &Map<String, Value>) -> Option<String> {
    if let Some(condition) = request.get("KeyConditions").and_then(|conditions| conditions.get(key)) {
        return condition.get("AttributeValueList")?.get(0).and_then(text);
    }
    let condition = request.get("KeyConditionExpression")?.as_str()?;
    let spaced = condition.replace('=', " = ").replace(['(', ')'], " ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let named = |word: &str| match word.strip_prefix('#') {
        Some(_) => {
            request.get("ExpressionAttributeNames").and_then(|names| names.get(word)?.as_str()) == Some(key)
        }
        None => word == key,
    };
    words.windows(3).find_map(|window| match window {
        [name, "=", value] if named(name) => {
            request.get("ExpressionAttributeValues").and_then(|values| values.get(*value)).and_then(text)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(request: Value) -> Vec<String> {
        keys("k", request.as_object().unwrap())
    }

    #[test]
    fn keys_are_found_where_each_operation_has_them() {
        assert_eq!(of(json!({ "Key": { "k": { "S": "a" }, "r": { "N": "1" } } })), ["a"]);
        assert_eq!(of(json!({ "Item": { "k": { "N": "7" }, "x": { "S": "y" } } })), ["7"]);
        assert_eq!(of(json!({ "Keys": [{ "k": { "S": "a" } }, { "k": { "S": "b" } }] })), ["a", "b"]);
        let values = json!({ ":v": { "S": "a" } });
        for (condition, names) in [
            ("k = :v", json!({})),
            ("(#p=:v)AND r > :r", json!({ "#p": "k" })),
            ("r = :r AND k=:v", json!({})),
        ] {
            let query = json!({
                "KeyConditionExpression": condition,
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": values,
            });
            assert_eq!(of(query), ["a"], "{condition}");
        }
        let old = json!({ "KeyConditions": { "k": { "AttributeValueList": [{ "S": "a" }], "ComparisonOperator": "EQ" } } });
        assert_eq!(of(old), ["a"]);
        assert!(of(json!({ "TableName": "t" })).is_empty());
        assert!(of(json!({ "KeyConditionExpression": "", "Key": 3, "Keys": {} })).is_empty());
        let writes = json!([{ "PutRequest": { "Item": { "k": { "S": "a" } } } }, { "DeleteRequest": { "Key": { "k": { "S": "b" } } } }]);
        assert_eq!(keys_of_writes("k", &writes), ["a", "b"]);
    }
}
