//! What is known about a request besides caller, action and resource: the condition keys.

use std::collections::BTreeMap;

/// The value of a condition key in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextValue {
    /// The key is there with these values; one for a single-valued key. Text may hold [`crate::UNKNOWN`].
    Values(Vec<String>),
    /// Whether the key is there, and with what value, is not known.
    Unknown,
    /// The key is surely not there.
    Absent,
}

/// The condition keys of a request. Names are matched without regard to case.
///
/// Keys that follow from the caller, the action and the resource (`aws:PrincipalArn`, `aws:PrincipalAccount`,
/// `aws:username`, `aws:ResourceAccount`, `kms:CallerAccount`, ...) need not be given; a given one wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// By the name in lower case, with the name as it was given.
    entries: BTreeMap<String, (String, ContextValue)>,
    complete: bool,
    /// Beginnings of names, in lower case, of which all keys are given.
    closed: Vec<String>,
}

impl Context {
    /// A context in which every key that is not given is absent: a real request, seen whole.
    pub fn complete() -> Context {
        Context { entries: BTreeMap::new(), complete: true, closed: Vec::new() }
    }

    /// A context in which a key that is not given may have any value or none: a request that is only imagined.
    pub fn partial() -> Context {
        Context { entries: BTreeMap::new(), complete: false, closed: Vec::new() }
    }

    /// The same, but a key that is not given may have any value or none.
    #[must_use]
    pub fn into_partial(mut self) -> Context {
        self.complete = false;
        self
    }

    /// Adds a key with one value.
    #[must_use]
    pub fn with(self, key: &str, value: impl Into<String>) -> Context {
        self.with_value(key, ContextValue::Values(vec![value.into()]))
    }

    /// Adds a key with several values.
    #[must_use]
    pub fn with_all<T: Into<String>>(self, key: &str, values: impl IntoIterator<Item = T>) -> Context {
        self.with_value(key, ContextValue::Values(values.into_iter().map(Into::into).collect()))
    }

    /// Adds a key in any of its three forms.
    #[must_use]
    pub fn with_value(mut self, key: &str, value: ContextValue) -> Context {
        self.set(key, value);
        self
    }

    /// Says that of the keys that begin so, such as `aws:PrincipalTag/`, all are given: any other is absent.
    #[must_use]
    pub fn closing(mut self, beginning: &str) -> Context {
        self.closed.push(beginning.to_ascii_lowercase());
        self
    }

    /// Sets a key, replacing what was there.
    pub fn set(&mut self, key: &str, value: ContextValue) {
        self.entries.insert(key.to_ascii_lowercase(), (key.to_owned(), value));
    }

    /// The given entry of a key; `None` if it was not given.
    pub fn get(&self, key: &str) -> Option<&ContextValue> {
        self.entries.get(&key.to_ascii_lowercase()).map(|(_, value)| value)
    }

    /// Forgets the given keys that start with a prefix, which must be in lower case.
    pub(crate) fn remove_prefix(&mut self, prefix: &str) {
        self.entries.retain(|lower, _| !lower.starts_with(prefix));
        self.closed.retain(|lower| !lower.starts_with(prefix));
    }

    /// What a key, in lower case, that is neither given nor derived counts as.
    pub(crate) fn fallback(&self, lower: &str) -> ContextValue {
        let absent = self.complete || self.closed.iter().any(|closed| lower.starts_with(closed.as_str()));
        if absent { ContextValue::Absent } else { ContextValue::Unknown }
    }

    /// The given keys that start with a prefix, which must be in lower case: the rest of the name as it was given, and
    /// the value.
    pub(crate) fn with_prefix<'c>(
        &'c self,
        prefix: &'c str,
    ) -> impl Iterator<Item = (&'c str, &'c ContextValue)> + 'c {
        self.entries
            .range(prefix.to_owned()..)
            .take_while(move |(lower, _)| lower.starts_with(prefix))
            .filter_map(move |(_, (name, value))| name.get(prefix.len()..).map(|rest| (rest, value)))
    }

    /// True if nothing besides the given keys can be there.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_kept_as_given() {
        let context = Context::complete().with("kms:EncryptionContext:Name", "x").with("kms:Other", "y");
        assert_eq!(context.get("KMS:encryptioncontext:NAME"), Some(&ContextValue::Values(vec!["x".into()])));
        let pairs: Vec<_> = context.with_prefix("kms:encryptioncontext:").map(|(name, _)| name).collect();
        assert_eq!(pairs, ["Name"]);
    }

    #[test]
    fn what_is_not_given_is_absent_or_unknown() {
        assert_eq!(Context::complete().fallback("a:b"), ContextValue::Absent);
        assert_eq!(Context::partial().fallback("a:b"), ContextValue::Unknown);
        let closed = Context::partial().closing("aws:PrincipalTag/");
        assert_eq!(closed.fallback("aws:principaltag/team"), ContextValue::Absent);
        assert_eq!(closed.fallback("aws:sourceip"), ContextValue::Unknown);
    }
}
