//! What a resource type remembers of an object beside its attributes, kept in the state.
//!
//! It sits beside the mark of [`protection`](crate::protection), in the instance's `private`, and for the same reason. It
//! only saves calls: where `private` is of another shape, nothing is remembered.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use crate::protection::encoded;
use crate::snapshot::Object;

/// The key of the note.
const KEY: &str = "terrane_note";

impl Object {
    /// What is remembered of it.
    pub fn note(&self) -> Option<String> {
        let map = self.private_map()?;
        let value = STANDARD.decode(map.get(KEY)?.as_str()?).ok()?;
        serde_json::from_slice(&value).ok()
    }

    /// Sets what is remembered of it.
    pub fn remember(&mut self, note: Option<&str>) {
        let Some(mut map) = self.private_map() else { return };
        let value = note.map(|text| Json::from(STANDARD.encode(Json::from(text).to_string())));
        if map.get(KEY) == value.as_ref() {
            return;
        }
        match value {
            Some(value) => drop(map.insert(KEY.to_owned(), value)),
            None => drop(map.remove(KEY)),
        }
        self.private = (!map.is_empty()).then(|| encoded(map));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_and_goes_and_leaves_the_rest_of_private_alone() {
        let theirs = STANDARD.encode(r#"{"schema_version":"1"}"#);
        let mut object = Object { private: Some(theirs.clone()), ..Object::default() };
        object.protect(true);
        object.remember(Some("v3 \"quoted\""));
        assert_eq!(object.note().as_deref(), Some("v3 \"quoted\""));
        assert!(object.is_protected());
        object.protect(false);
        assert_eq!(object.note().as_deref(), Some("v3 \"quoted\""));
        object.remember(None);
        assert_eq!((object.note(), object.private), (None, Some(theirs)));
    }

    #[test]
    fn an_object_without_private_has_none_again_afterwards() {
        let mut object = Object::default();
        object.remember(None);
        assert_eq!(object, Object::default());
        object.remember(Some("v1"));
        assert_eq!(object.note().as_deref(), Some("v1"));
        object.remember(None);
        assert_eq!(object, Object::default());
    }

    #[test]
    fn private_of_another_shape_is_left_alone() {
        for private in ["bnVsbA", "W10=", "?"] {
            let mut object = Object { private: Some(private.into()), ..Object::default() };
            let before = object.clone();
            object.remember(Some("v1"));
            assert_eq!((object.note(), object), (None, before));
        }
    }

    #[test]
    fn a_note_that_is_no_text_says_nothing() {
        for value in ["MQ==", "?", ""] {
            let private = STANDARD.encode(format!(r#"{{"terrane_note":"{value}"}}"#));
            assert_eq!(Object { private: Some(private), ..Object::default() }.note(), None);
        }
    }
}
