//! Users and groups that got another name in this run, for what is deleted afterwards and has only their old one.
//!
//! What hangs on a user goes before the user is renamed, except where its successor is made first: then it is deleted when
//! its user has the new name, and by the old one it would pass for gone. Its successor may be the very same thing by then,
//! such as an attachment of the same policy, which must stay.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Holder;

/// What happened to names in this run.
#[derive(Debug, Default)]
pub(crate) struct Renamed(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// New names by old ones. One step: a name that is free again may be another's new one.
    names: BTreeMap<(Holder, String), String>,
    /// What was put on whom.
    made: BTreeSet<(Holder, String, String)>,
}

impl Renamed {
    /// Notes a new name.
    pub(super) fn note(&self, holder: Holder, old: &str, new: &str) {
        if old != new {
            self.inner().names.insert((holder, old.to_owned()), new.to_owned());
        }
    }

    /// Notes that something was put on a user, role or group.
    pub(super) fn made(&self, holder: Holder, name: &str, what: &str) {
        self.inner().made.insert((holder, name.to_owned(), what.to_owned()));
    }

    /// The name by which something is to be taken off; nothing where its successor has its place.
    pub(super) fn by_now(&self, holder: Holder, name: &str, what: &str) -> Option<String> {
        let new = self.name(holder, name);
        (new == name || !self.is_made(holder, &new, what)).then_some(new)
    }

    /// The name that somebody goes by now.
    pub(super) fn name(&self, holder: Holder, name: &str) -> String {
        let new = self.inner().names.get(&(holder, name.to_owned())).cloned();
        new.unwrap_or_else(|| name.to_owned())
    }

    /// Whether something was put on a user, role or group in this run.
    pub(super) fn is_made(&self, holder: Holder, name: &str, what: &str) -> bool {
        self.inner().made.contains(&(holder, name.to_owned(), what.to_owned()))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_name_counts_for_what_was_there_before() {
        let names = Renamed::default();
        let by_now = |name, what| names.by_now(Holder::User, name, what);
        assert_eq!(by_now("a", "key").as_deref(), Some("a"));
        names.note(Holder::User, "a", "b");
        names.note(Holder::User, "c", "a");
        assert_eq!(by_now("a", "key").as_deref(), Some("b"));
        assert_eq!(by_now("c", "key").as_deref(), Some("a"));
        assert_eq!(names.by_now(Holder::Group, "a", "key").as_deref(), Some("a"));
    }

    #[test]
    fn a_successor_in_the_same_place_stays() {
        let names = Renamed::default();
        names.made(Holder::User, "b", "own");
        assert_eq!(names.by_now(Holder::User, "b", "own").as_deref(), Some("b"), "it was not renamed");
        names.note(Holder::User, "a", "b");
        assert_eq!(names.by_now(Holder::User, "a", "own"), None);
        assert_eq!(names.by_now(Holder::User, "a", "other").as_deref(), Some("b"));
    }
}
