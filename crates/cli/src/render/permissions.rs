//! Permissions as an IAM policy document.

use serde_json::{Map, Value as Json, json};
use terrane_plan::permissions::{Needed, statements};

/// The document.
pub fn policy(needed: &[Needed]) -> Json {
    let statements = statements(needed).into_iter().map(|statement| {
        let mut said = Map::new();
        said.insert("Sid".to_owned(), statement.sid.into());
        said.insert("Effect".to_owned(), "Allow".into());
        said.insert("Action".to_owned(), one_or_many(statement.actions));
        said.insert("Resource".to_owned(), one_or_many(statement.resources));
        if let Some((operator, key, values)) = statement.condition {
            said.insert("Condition".to_owned(), json!({ operator: { key: one_or_many(values) } }));
        }
        Json::Object(said)
    });
    json!({ "Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>() })
}

fn one_or_many(mut texts: Vec<String>) -> Json {
    match texts.as_mut_slice() {
        [one] => std::mem::take(one).into(),
        _ => texts.into(),
    }
}
