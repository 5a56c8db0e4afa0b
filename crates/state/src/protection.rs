//! The mark of an object that must not be deleted, kept in the state so that it outlives the resource's declaration.
//!
//! It sits in the instance's `private`, which is the one place that Terraform hands on as it finds it when it reads an
//! object or plans it: a JSON object in base64, whose values are JSON in base64 where the newer kind of provider is to read
//! it. A `private` of any other shape is left alone, and the mark sits beside it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};

use crate::snapshot::Object;

/// The key of the mark.
const KEY: &str = "terrane_prevent_destroy";

/// `true`, as the value of a key in `private` is written.
const TRUE: &str = "dHJ1ZQ==";

impl Object {
    /// Whether it must not be deleted.
    pub fn is_protected(&self) -> bool {
        let inside = self.private_map().is_some_and(|map| map.contains_key(KEY));
        inside || self.other.contains_key(KEY)
    }

    /// Sets whether it must not be deleted.
    pub fn protect(&mut self, protected: bool) {
        if self.is_protected() == protected {
            return;
        }
        match (self.private_map(), protected) {
            (Some(mut map), true) => {
                map.insert(KEY.to_owned(), TRUE.into());
                self.private = Some(encoded(map));
            }
            (None, true) => drop(self.other.insert(KEY.to_owned(), true.into())),
            (map, false) => {
                self.other.remove(KEY);
                if let Some(mut map) = map.filter(|map| map.contains_key(KEY)) {
                    map.remove(KEY);
                    self.private = (!map.is_empty()).then(|| encoded(map));
                }
            }
        }
    }

    /// What `private` holds. Nothing when it is of another shape; empty when there is none.
    pub(crate) fn private_map(&self) -> Option<Map<String, Json>> {
        let Some(text) = &self.private else { return Some(Map::new()) };
        match serde_json::from_slice(&STANDARD.decode(text).ok()?).ok()? {
            Json::Object(map) => Some(map),
            Json::Null => Some(Map::new()),
            _ => None,
        }
    }
}

pub(crate) fn encoded(map: Map<String, Json>) -> String {
    STANDARD.encode(Json::Object(map).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_the_provider_keeps_stays() {
        let theirs = STANDARD.encode(r#"{"schema_version":"1","e2bfb730":{"create":600}}"#);
        let mut object = Object { private: Some(theirs.clone()), ..Object::default() };
        object.protect(true);
        let text = STANDARD.decode(object.private.clone().unwrap()).unwrap();
        let map: Json = serde_json::from_slice(&text).unwrap();
        assert_eq!(map["schema_version"], "1");
        assert_eq!(map[KEY], TRUE);
        assert!(object.is_protected());
        object.protect(false);
        assert_eq!(object.private, Some(theirs));
    }

    proptest! {
        #[test]
        fn the_mark_comes_and_goes_with_any_private(private in proptest::option::of("[ -~]{0,20}|bnVsbA==|W10=|e30=")) {
            let mut object = Object { private, ..Object::default() };
            let before = object.clone();
            prop_assert!(!object.is_protected());
            object.protect(true);
            prop_assert!(object.is_protected());
            let again = object.clone();
            object.protect(true);
            prop_assert_eq!(&object, &again);
            object.protect(false);
            prop_assert!(!object.is_protected());
            let same = object.private == before.private || before.private_map().is_some_and(|map| map.is_empty());
            prop_assert!(same && object.other == before.other);
        }
    }
}
