//! Names that stand twice in one JSON object. A reader that keeps one of them silently drops what the author wrote.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::parse::pointer_step;

/// The places and names of all second uses; nothing for a text that is not JSON.
pub(super) fn duplicates(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(text);
    let walk = Walk { pointer: String::new(), found: &mut found };
    match walk.deserialize(&mut reader) {
        Ok(()) => found,
        Err(_) => Vec::new(),
    }
}

struct Walk<'f> {
    pointer: String,
    found: &'f mut Vec<(String, String)>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut index = 0_usize;
        while let Some(()) = items
            .next_element_seed(Walk { pointer: format!("{}/{index}", self.pointer), found: self.found })?
        {
            index = index.saturating_add(1);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = members.next_key::<String>()? {
            let pointer = format!("{}/{}", self.pointer, pointer_step(&name));
            if names.contains(&name) {
                self.found.push((pointer.clone(), name.clone()));
            }
            names.insert(name);
            members.next_value_seed(Walk { pointer, found: self.found })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::duplicates;

    #[test]
    fn second_uses_are_found_at_any_depth() {
        let text = r#"{"a":1,"b":[{"c":1.5,"c":null}],"a":{"a":"x"},"d":[true,-3]}"#;
        let places: Vec<String> = duplicates(text).into_iter().map(|(pointer, _)| pointer).collect();
        assert_eq!(places, ["/b/0/c", "/a"]);
    }

    #[test]
    fn broken_text_has_none() {
        assert_eq!(duplicates(r#"{"a":1,"a":"#), []);
    }
}
