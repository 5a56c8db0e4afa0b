//! Tags: planned with the provider's default tags, read without those that are left alone, changed by difference.
//!
//! `tags` is what the spec says, `tags_all` what the object carries: the default tags overlaid by `tags`, without the
//! keys that the provider is told to ignore. AWS's own tags (`aws:`) and the engine's marker never show in either.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_model::{Type, Unknown, Value};
use terrane_provider::{Certainty, Facts, Permissions, PlanRequest};

use crate::object::{is_zero, text_map};

/// The tag that finds an object without a name again, between its creation and its first place in a state.
pub const MARKER: &str = "terrane:operation";

/// Plans `tags` and `tags_all`. Values that are not known yet stay unknown one by one.
pub fn plan(request: &mut PlanRequest<'_>) {
    let config = request.config.get("tags").cloned().unwrap_or_else(|| Value::null(Type::map(Type::String)));
    if config.is_unknown() {
        request.set("tags", config);
        request.set("tags_all", unknown_map());
        return;
    }
    let given: BTreeMap<Arc<str>, Value> = config
        .entries()
        .into_iter()
        .flatten()
        .filter(|(_, v)| !v.is_null())
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let mut all: BTreeMap<Arc<str>, Value> = request
        .facts
        .default_tags
        .iter()
        .map(|(key, value)| (key.clone(), Value::string(value.clone())))
        .collect();
    all.extend(given.clone());
    all.retain(|key, _| !is_ignored(request.facts, key));

    let tags = match config.is_null() {
        true => config.clone(),
        false => Value::map(Type::String, given).with_marks(config.marks()),
    };
    let prior = request.prior.and_then(|prior| prior.get("tags"));
    match prior {
        Some(prior) if is_zero(prior) && is_zero(&tags) => request.set("tags", prior.clone()),
        _ => request.set("tags", tags),
    }
    request.set("tags_all", Value::map(Type::String, all).with_marks(config.marks_deep()));
}

fn unknown_map() -> Value {
    Value::unknown_with(Unknown::not_null(Type::map(Type::String)))
}

fn is_ignored(facts: &Facts, key: &str) -> bool {
    facts.ignored_tags.contains(key)
        || facts.ignored_tag_prefixes.iter().any(|prefix| key.starts_with(prefix.as_ref()))
}

/// The tags to send when an object is made.
pub fn wanted(planned: &Value) -> BTreeMap<String, String> {
    text_map(planned.get("tags_all"))
}

/// Puts the tags that an object carries into its state. `object` has the prior `tags`, or what was planned.
#[must_use]
pub fn observed(object: Value, remote: BTreeMap<String, String>, facts: &Facts, imported: bool) -> Value {
    let prior = text_map(object.get("tags"));
    let prior_is_null = object.get("tags").is_none_or(Value::is_null);
    let mut own: BTreeMap<String, String> =
        prior.iter().filter(|(key, _)| is_ignored(facts, key)).map(|(k, v)| (k.clone(), v.clone())).collect();
    let mut all = BTreeMap::new();
    for (key, value) in remote {
        if key.starts_with("aws:") || key == MARKER || is_ignored(facts, &key) {
            continue;
        }
        let is_default = facts.default_tags.get(key.as_str()).is_some_and(|default| **default == *value);
        if !is_default || prior.get(&key) == Some(&value) {
            own.insert(key.clone(), value.clone());
        }
        all.insert(key, value);
    }
    let tags = match own.is_empty() && prior_is_null && !imported {
        true => Value::null(Type::map(Type::String)),
        false => as_map(own),
    };
    object.with("tags", tags).with("tags_all", as_map(all))
}

/// The tags that an object of somebody else carries.
pub fn seen(remote: BTreeMap<String, String>, facts: &Facts) -> Value {
    let hidden = |key: &str| key.starts_with("aws:") || key == MARKER || is_ignored(facts, key);
    as_map(remote.into_iter().filter(|(key, _)| !hidden(key)).collect())
}

fn as_map(tags: BTreeMap<String, String>) -> Value {
    Value::map(Type::String, tags.into_iter().map(|(key, value)| (key, Value::from(value))))
}

/// What has to be untagged and tagged to get from one object's tags to another's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Keys to take off.
    pub remove: Vec<String>,
    /// Tags to put on; a changed value is only put on again.
    pub put: BTreeMap<String, String>,
}

/// The difference between `tags_all` of both objects.
pub fn change(prior: &Value, planned: &Value) -> Change {
    let before = text_map(prior.get("tags_all"));
    let after = text_map(planned.get("tags_all"));
    Change {
        remove: before.keys().filter(|key| !after.contains_key(*key)).cloned().collect(),
        put: after.into_iter().filter(|(key, value)| before.get(key) != Some(value)).collect(),
    }
}

/// The actions that change tags.
#[derive(Clone, Copy, Debug)]
pub struct TagCalls {
    /// Puts tags on, also when an object is made with tags.
    pub put: &'static str,
    /// Takes tags off.
    pub remove: &'static str,
}

/// The permissions that it takes to make an object with its tags, or to change them.
pub fn permissions(calls: &TagCalls, arn: &str, prior: Option<&Value>, planned: &Value) -> Permissions {
    let before = text_map(prior.and_then(|prior| prior.get("tags_all")));
    let none = Permissions::none();
    let after = planned.get("tags_all");
    if after.is_some_and(Value::is_unknown) {
        let put = none.perhaps_on(arn, &[calls.put]);
        return if before.is_empty() { put } else { put.perhaps_on(arn, &[calls.remove]) };
    }
    let after: BTreeMap<&str, &Value> =
        after.and_then(Value::entries).into_iter().flatten().map(|(k, v)| (k.as_ref(), v)).collect();
    let is_new = |key: &str| !before.contains_key(key);
    let other = |(key, value): &(&&str, &&Value)| before.get(**key).map(String::as_str) != value.as_str();
    let mut changed = after.iter().filter(other).peekable();
    let mut all = none;
    if changed.peek().is_some() {
        let certainty = match changed.any(|(key, value)| is_new(key) || value.as_str().is_some()) {
            true => Certainty::Sure,
            false => Certainty::Perhaps,
        };
        all = all.with(arn, &[calls.put], None, certainty);
    }
    match before.keys().any(|key| !after.contains_key(key.as_str())) {
        true => all.on(arn, &[calls.remove]),
        false => all,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn facts(defaults: &[(&str, &str)], ignored: &[&str], prefixes: &[&str]) -> Facts {
        Facts {
            default_tags: defaults.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            ignored_tags: ignored.iter().map(|k| (*k).into()).collect(),
            ignored_tag_prefixes: prefixes.iter().map(|k| (*k).into()).collect(),
            ..Facts::default()
        }
    }

    fn map(tags: &[(&str, &str)]) -> Value {
        Value::map(Type::String, tags.iter().map(|(k, v)| (*k, Value::from(*v))))
    }

    fn remote(tags: &[(&str, &str)]) -> BTreeMap<String, String> {
        tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn object(tags: Value) -> Value {
        Value::object([("tags", tags), ("tags_all", Value::unknown(Type::map(Type::String)))])
    }

    fn planned(config: Value, prior: Option<&Value>, facts: &Facts) -> (Value, Value) {
        let config = Value::object([("tags", config)]);
        let mut request = PlanRequest {
            prior,
            replaces: None,
            config: &config,
            planned: object(Value::null(Type::map(Type::String))),
            replace: vec![],
            keep: vec![],
            facts,
        };
        plan(&mut request);
        (request.planned("tags").cloned().unwrap(), request.planned("tags_all").cloned().unwrap())
    }

    #[test]
    fn planned_tags_overlay_the_defaults_and_leave_out_ignored_ones() {
        let facts = facts(&[("team", "a"), ("env", "test")], &["owner"], &["k8s:"]);
        let (tags, all) =
            planned(map(&[("env", "prod"), ("owner", "me"), ("k8s:x", "1"), ("n", "")]), None, &facts);
        assert_eq!(tags, map(&[("env", "prod"), ("owner", "me"), ("k8s:x", "1"), ("n", "")]));
        assert_eq!(all, map(&[("env", "prod"), ("n", ""), ("team", "a")]));
    }

    #[test]
    fn one_unknown_value_leaves_the_other_tags_known() {
        let config = Value::map(Type::String, [("a", Value::from("1")), ("b", Value::unknown(Type::String))]);
        let (_, all) = planned(config, None, &facts(&[("c", "2")], &[], &[]));
        assert_eq!(all.get("a"), Some(&Value::from("1")));
        assert!(all.get("b").is_some_and(Value::is_unknown));
        let (tags, all) = planned(Value::unknown(Type::map(Type::String)), None, &Facts::default());
        assert!(tags.is_unknown() && all.is_unknown());
    }

    #[test]
    fn absent_and_empty_tags_make_no_difference() {
        for (before, config) in [
            (map(&[]), Value::null(Type::map(Type::String))),
            (Value::null(Type::map(Type::String)), map(&[])),
        ] {
            let prior = object(before.clone());
            assert_eq!(planned(config, Some(&prior), &Facts::default()).0, before);
        }
    }

    #[test]
    fn null_values_are_dropped() {
        let config = Value::map(Type::String, [("a", Value::null(Type::String)), ("b", Value::from("1"))]);
        assert_eq!(planned(config, None, &Facts::default()), (map(&[("b", "1")]), map(&[("b", "1")])));
    }

    #[test]
    fn read_keeps_defaults_out_of_tags_unless_they_were_there() {
        let facts = facts(&[("team", "a"), ("env", "test")], &[], &[]);
        let got = remote(&[("team", "a"), ("env", "test"), ("x", "1"), ("aws:created", "y"), (MARKER, "m")]);
        let result = observed(object(map(&[("env", "test")])), got, &facts, false);
        assert_eq!(result.get("tags"), Some(&map(&[("env", "test"), ("x", "1")])));
        assert_eq!(result.get("tags_all"), Some(&map(&[("env", "test"), ("team", "a"), ("x", "1")])));
    }

    #[test]
    fn read_of_no_tags_keeps_null_and_import_gives_an_empty_map() {
        let null = Value::null(Type::map(Type::String));
        let read = observed(object(null.clone()), BTreeMap::new(), &Facts::default(), false);
        assert_eq!(read.get("tags"), Some(&null));
        let imported = observed(object(null), BTreeMap::new(), &Facts::default(), true);
        assert_eq!(imported.get("tags"), Some(&map(&[])));
    }

    #[test]
    fn an_ignored_key_stays_as_the_spec_has_it_and_is_never_taken_off() {
        let facts = facts(&[], &["owner"], &[]);
        let result = observed(object(map(&[("owner", "me")])), remote(&[("owner", "you")]), &facts, false);
        assert_eq!(result.get("tags"), Some(&map(&[("owner", "me")])));
        assert_eq!(result.get("tags_all"), Some(&map(&[])));
        let planned = object(map(&[])).with("tags_all", map(&[]));
        assert_eq!(change(&result, &planned), Change::default());
    }

    proptest! {
        #[test]
        fn a_change_leads_from_one_map_to_the_other(
            before in proptest::collection::btree_map("[a-d]", "[x-z]", 0..4),
            after in proptest::collection::btree_map("[a-d]", "[x-z]", 0..4),
        ) {
            let of = |tags: &BTreeMap<String, String>| Value::object([("tags_all", as_map(tags.clone()))]);
            let change = change(&of(&before), &of(&after));
            prop_assert!(change.remove.iter().all(|key| !change.put.contains_key(key)));
            let mut result = before;
            result.retain(|key, _| !change.remove.contains(key));
            result.extend(change.put);
            prop_assert_eq!(result, after);
        }
    }
}
