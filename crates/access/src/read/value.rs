//! Attributes of objects, with what is not known kept apart from what is not there.

use terrane_iam::UNKNOWN;
use terrane_model::Value;

use super::Items;
use crate::estate::Item;

/// A text attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    Known(String),
    Absent,
    Unknown,
}

impl Text {
    pub(crate) fn known(self) -> Option<String> {
        match self {
            Text::Known(text) => Some(text),
            Text::Absent | Text::Unknown => None,
        }
    }

    /// The text, open where it is not known.
    pub(crate) fn or_open(self) -> String {
        match self {
            Text::Known(text) => text,
            Text::Absent => String::new(),
            Text::Unknown => UNKNOWN.to_string(),
        }
    }
}

pub(crate) fn field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.get(name).filter(|value| !value.is_null())
}

pub(crate) fn text(value: &Value, name: &str) -> Text {
    match field(value, name) {
        None => Text::Absent,
        Some(value) => match value.as_str() {
            Some(text) => Text::Known(text.to_owned()),
            None => Text::Unknown,
        },
    }
}

/// The texts of a list or set; nothing when some are not known.
pub(crate) fn texts(value: &Value, name: &str) -> Option<Vec<String>> {
    match field(value, name) {
        None => Some(vec![]),
        Some(value) if !value.is_wholly_known() => None,
        Some(value) => Some(value.elements().iter().filter_map(Value::as_str).map(str::to_owned).collect()),
    }
}

pub(crate) fn is_true(value: &Value, name: &str) -> bool {
    field(value, name).and_then(Value::as_bool) == Some(true)
}

/// The pairs of a map; nothing when some are not known.
pub(crate) fn pairs(value: &Value, name: &str) -> Option<Vec<(String, String)>> {
    match field(value, name) {
        None => Some(vec![]),
        Some(value) if !value.is_wholly_known() => None,
        Some(value) => {
            let entries = value.entries().into_iter().flatten();
            Some(entries.filter_map(|(k, v)| Some((k.to_string(), v.as_str()?.to_owned()))).collect())
        }
    }
}

/// The tags with the default ones.
pub(crate) fn tags(value: &Value) -> Option<Vec<(String, String)>> {
    match field(value, "tags_all") {
        Some(_) => pairs(value, "tags_all"),
        None => pairs(value, "tags"),
    }
}

/// Objects of a type whose attribute is this text.
pub(crate) fn documents<'i, 'a>(
    items: &'i Items<'a>,
    type_name: &str,
    attribute: &'i str,
    wanted: &'i str,
) -> impl Iterator<Item = &'i Item<'a>> {
    let all = items.of(type_name).iter();
    all.filter(move |item| text(item.value, attribute).known().as_deref() == Some(wanted))
}
