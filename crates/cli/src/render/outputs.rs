//! Outputs: what becomes of them in a plan, and what they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use terrane_model::Action;
use terrane_model::json::{to_json, type_to_json};
use terrane_plan::OutputChange;
use terrane_state::Output;

use super::difference::{Forced, compare};
use super::paint::Paint;
use super::tree_text::{Style, write_attribute};
use super::value_text::{expression, name};

/// The outputs that change. Empty when none does.
pub fn changes(outputs: &BTreeMap<Arc<str>, OutputChange>, paint: Paint) -> String {
    written(outputs, Style::changes(paint))
}

/// The outputs that change, as lines with a sign in the first column. Empty when none does.
pub fn margin_lines(outputs: &BTreeMap<Arc<str>, OutputChange>) -> String {
    written(outputs, Style::margin())
}

fn written(outputs: &BTreeMap<Arc<str>, OutputChange>, style: Style) -> String {
    let changing: Vec<_> = outputs.iter().filter(|(_, change)| change.action() != Action::NoOp).collect();
    let width = changing.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for (output, change) in changing {
        let mark = |value: &Option<terrane_model::Value>| {
            value.clone().map(|v| if change.sensitive { v.sensitive() } else { v })
        };
        let (before, after) = (mark(&change.before), mark(&change.after));
        let tree = compare(before.as_ref(), after.as_ref(), &Forced::default());
        write_attribute(&mut out, &name(output), width, &tree, 0, style);
    }
    out
}

/// All outputs, one after the other. Empty when there is none.
pub fn list(outputs: &BTreeMap<Arc<str>, Output>) -> String {
    outputs.iter().map(|(output, value)| format!("{output} = {}\n", shown(value))).collect()
}

/// One output's value.
pub fn shown(output: &Output) -> String {
    match output.sensitive {
        true => "<sensitive>".to_owned(),
        false => expression(&output.value),
    }
}

/// All outputs for tools. The value of a sensitive one is null: it is told only to who asks for it alone, and raw.
pub fn all_json(outputs: &BTreeMap<Arc<str>, Output>) -> Json {
    let one = |output: &Output| {
        json!({
            "sensitive": output.sensitive,
            "type": type_to_json(&output.value.ty()),
            "value": value_json(output),
        })
    };
    Json::Object(outputs.iter().map(|(name, output)| (name.to_string(), one(output))).collect::<Map<_, _>>())
}

/// One output's value for tools.
pub fn value_json(output: &Output) -> Json {
    match output.sensitive {
        true => Json::Null,
        false => to_json(&output.value).unwrap_or(Json::Null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrane_model::{Type, Value};

    #[test]
    fn what_changes_is_aligned_and_secrets_are_hidden() {
        let change = |before: Option<Value>, after: Option<Value>, sensitive| OutputChange {
            before,
            after,
            sensitive,
        };
        let outputs = BTreeMap::from([
            ("arns".into(), change(None, Some(Value::tuple([Value::unknown(Type::String)])), false)),
            ("gone".into(), change(Some(Value::from("x")), None, false)),
            ("password".into(), change(Some(Value::from("hunter1")), Some(Value::from("hunter2")), true)),
            ("same".into(), change(Some(Value::from(1)), Some(Value::from(1)), false)),
        ]);
        let text = "  + arns     = [\n      + (known after apply),\n    ]\n  - gone     = \"x\" -> null\n  \
                    ~ password = (sensitive value)\n";
        assert_eq!(changes(&outputs, Paint::default()), text);
    }

    #[test]
    fn a_sensitive_value_is_not_told() {
        let secret = Output { value: Value::from("hunter2"), sensitive: true };
        let outputs = BTreeMap::from([(Arc::from("s"), secret)]);
        assert_eq!(list(&outputs), "s = <sensitive>\n");
        let text = all_json(&outputs).to_string();
        assert_eq!(text, r#"{"s":{"sensitive":true,"type":"string","value":null}}"#);
    }
}
