//! Paths into attributes, as `sensitive_attributes` lists them.

use serde_json::{Value as Json, json};
use terrane_model::{Path, Step, json};

/// Reads a path; nothing when it is not one.
pub(crate) fn read(path: &Json) -> Option<Path> {
    path.as_array()?.iter().map(read_step).collect::<Option<_>>().map(Path)
}

fn read_step(step: &Json) -> Option<Step> {
    let value = step.get("value")?;
    match step.get("type")?.as_str()? {
        "get_attr" => Some(Step::Attribute(value.as_str()?.into())),
        "index" => {
            let (key, ty) = (value.get("value")?, value.get("type")?);
            match key {
                Json::String(name) if ty == "string" => Some(Step::Key(name.as_str().into())),
                Json::Number(n) if ty == "number" => Some(Step::Index(n.as_u64()?.try_into().ok()?)),
                _ => {
                    let element = json::from_json(key, &json::type_from_json(ty)?).ok()?;
                    Some(Step::Element(Box::new(element)))
                }
            }
        }
        _ => None,
    }
}

/// Writes a path, up to a set element that has no JSON: then what is around it is meant as a whole.
pub(crate) fn write(path: &Path) -> Json {
    path.0
        .iter()
        .map_while(|step| {
            Some(match step {
                Step::Attribute(name) => json!({"type": "get_attr", "value": name}),
                Step::Index(n) => json!({"type": "index", "value": {"value": n, "type": "number"}}),
                Step::Key(key) => json!({"type": "index", "value": {"value": key, "type": "string"}}),
                Step::Element(element) => json!({"type": "index", "value": {
                    "value": json::to_json(element)?,
                    "type": json::type_to_json(&element.ty()),
                }}),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrane_model::Value;

    #[test]
    fn every_kind_of_step_goes_there_and_back() {
        let path = Path(vec![
            Step::Attribute("a".into()),
            Step::Index(3),
            Step::Key("k".into()),
            Step::Element(Box::new(Value::object([("x", Value::from(true))]))),
        ]);
        assert_eq!(read(&write(&path)), Some(path));
        assert_eq!(read(&json!([])), Some(Path::default()));
    }

    #[test]
    fn what_is_no_path() {
        for bad in [
            json!(1),
            json!(["a"]),
            json!([{"type": "get_attr"}]),
            json!([{"type": "get_attr", "value": 1}]),
            json!([{"type": "other", "value": "a"}]),
            json!([{"type": "index", "value": 1}]),
            json!([{"type": "index", "value": {"value": -1, "type": "number"}}]),
            json!([{"type": "index", "value": {"value": 1.5, "type": "number"}}]),
            json!([{"type": "index", "value": {"value": "a", "type": "nonsense"}}]),
        ] {
            assert_eq!(read(&bad), None, "{bad}");
        }
    }
}
