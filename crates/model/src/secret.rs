//! Secrets in texts that are not ours: a service that refuses a value likes to quote it.

use std::collections::BTreeSet;

use crate::Value;

/// What stands in the place of a secret.
pub const HIDDEN: &str = "(sensitive value)";

/// Shorter texts would be found in every other word.
const SHORTEST: usize = 4;

/// Texts that must not be shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(BTreeSet<String>);

impl Secrets {
    /// Adds every text of the value that is sensitive, itself or by what it is inside of.
    pub fn learn(&mut self, value: &Value) {
        self.walk(value, false);
    }

    fn walk(&mut self, value: &Value, inside: bool) {
        let secret = inside || value.marks().sensitive;
        if let Some(text) = value.as_str().filter(|text| secret && text.len() >= SHORTEST) {
            self.0.insert(text.to_owned());
        }
        value.for_each_child(&mut |child| self.walk(child, secret));
    }

    /// The text with each secret hidden, the longest first: one may be a part of another.
    pub fn hide(&self, text: &str) -> String {
        let mut longest_first: Vec<&String> = self.0.iter().collect();
        longest_first.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        longest_first.into_iter().fold(text.to_owned(), |text, secret| match text.contains(secret) {
            true => text.replace(secret, HIDDEN),
            false => text,
        })
    }

    /// As [`Secrets::hide`], in place.
    pub fn hide_in(&self, text: &mut String) {
        if self.0.iter().any(|secret| text.contains(secret)) {
            *text = self.hide(text);
        }
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} secrets", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked_is_hidden_wherever_it_stands() {
        let mut secrets = Secrets::default();
        secrets.learn(&Value::object([
            ("name", Value::from("ann")),
            ("token", Value::from("abcd").sensitive()),
            ("all", Value::object([("of", Value::from("abcdefgh"))]).sensitive()),
            ("pin", Value::from("12").sensitive()),
        ]));
        assert_eq!(
            secrets.hide("ann's abcd, abcdefgh and 12"),
            "ann's (sensitive value), (sensitive value) and 12"
        );
        assert_eq!(format!("{secrets:?}"), "2 secrets");
        let mut text = "arn:x/abcd".to_owned();
        secrets.hide_in(&mut text);
        assert_eq!(text, "arn:x/(sensitive value)");
    }
}
