//! Objects that a state had and whose deletion was begun: where the spec wants one like it again, it is brought back, since a
//! new one would not open what the old one opens.
//!
//! Before such an object is deleted, the state notes its address and id in Terrane's own part. A plan that would make an
//! object at that address looks at the old one first; so it does where another object of the state is a name for an
//! object that is not in the state. Nothing is asked as long as no such object is to be made.

use serde_json::{Value as Json, json};
use terrane_model::{Action, Address, Diagnostic, Value};
use terrane_provider::{Catalog, ResourceType};
use terrane_spec::{Resource, Spec};
use terrane_state::{Object, Snapshot};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::existing::import_entry;
use super::import::{Unplanned, held_by};
use super::instance::ignoring;
use super::{Builder, Need, Wish, provider_of};
use crate::codec::decode;
use crate::diff::plan_object;
use crate::graph::node_of;
use crate::moves::moves;
use crate::plan::{Change, ProviderKey};

/// The key in Terrane's own part of a state.
const PART: &str = "deleted";

/// For how many days more than planned an object is looked for: the plan may have been carried out later than it was made.
const LATE: i64 = 30;

/// An object that the state had, and that was deleted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Note {
    address: Address,
    /// As the state names it.
    provider: String,
    id: String,
    /// The day from which on there is no use in looking for it.
    until: Option<String>,
}

/// How an object comes into question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// The state deleted it.
    Deleted,
    /// An object of the state is a name for it.
    Named,
}

impl Builder<'_, '_> {
    /// Takes an object back that was at this address before, if its deletion is pending and the spec wants one like it.
    /// Gives its id.
    pub(super) fn predecessor(
        &mut self,
        kind: &dyn ResourceType,
        about: &Address,
        spec: &Resource,
        config: &Value,
    ) -> Result<Option<String>, Unplanned> {
        let is_new = self.moved.snapshot.get(about).is_none() && self.refreshed.get(about).is_none();
        if !is_new || !kind.can_be_brought_back() || self.input.options.replace.contains(about) {
            return Ok(None);
        }
        let provider = provider_of(self.input.spec, &about.resource);
        let candidates = self.candidates(about, &provider);
        if candidates.is_empty() || self.triggered(spec, about) {
            return Ok(None);
        }
        for (id, origin) in candidates {
            let of = (about.clone(), id.clone());
            let found = match self.input.observed.recoverable.get(&of) {
                Some(Ok(found)) => found.clone(),
                Some(Err(why)) => {
                    let warning = not_seen(about, &id, why);
                    self.error(warning);
                    None
                }
                None => {
                    self.ask(Need { address: about.clone(), provider, what: Wish::Recoverable { id } });
                    return Err(Unplanned);
                }
            };
            let Some(object) = found else { continue };
            if held_by(&self.refreshed, kind.identity(), &object, &provider, about).is_some() {
                continue;
            }
            let wanted = ignoring(&spec.lifecycle.ignore_changes, config.clone(), &object);
            let facts = self.facts(&provider);
            let planned = plan_object(kind, Some(&object), &wanted, &facts);
            if !planned.is_ok_and(|planned| planned.replace.is_empty()) {
                continue;
            }
            if kind.is_pending_deletion(&object) {
                return match self.put_imported(kind, about, &provider, &object) {
                    true => Ok(Some(id)),
                    false => Err(Unplanned),
                };
            }
            if origin == Origin::Deleted {
                let warning = brought_back(about, &id);
                self.error(warning);
            }
        }
        Ok(None)
    }

    /// The ids of what was at an address before, the likeliest first.
    fn candidates(&self, about: &Address, provider: &ProviderKey) -> Vec<(String, Origin)> {
        let provider = provider.state_name();
        let noted = self.notes.iter().filter(|note| note.address == *about && note.provider == provider);
        let noted = noted.filter(|note| !is_past(note, self.input.functions.plan_time.as_deref()));
        let mut all: Vec<(String, Origin)> = noted.map(|note| (note.id.clone(), Origin::Deleted)).collect();
        for (other, its_provider, object) in self.refreshed.current() {
            let is_beside = other.key == about.key && other.resource.module == about.resource.module;
            if !is_beside || its_provider != provider {
                continue;
            }
            let Some(kind) = self.input.catalog.resource(&other.resource.type_name) else { continue };
            let named = || {
                let value = decode(kind.schema(), &object.attributes, &object.sensitive).ok()?;
                kind.names(&value.unmark_deep().0)
            };
            if !self.graph.lasting_needs(&other.resource).contains(&node_of(&about.resource)) {
                continue;
            }
            let Some((type_name, id)) = named() else { continue };
            if type_name == &*about.resource.type_name && all.iter().all(|(known, _)| *known != id) {
                all.push((id, Origin::Named));
            }
        }
        all
    }

    /// For an object that exists already and that is a name for another one: where the plan would make that other one
    /// anew though it is pending deletion, its address and id.
    pub(super) fn behind(
        &mut self,
        about: &Address,
        id: &str,
    ) -> Result<Option<(Address, String)>, Unplanned> {
        let Some(change) = self.changes.iter().find(|change| change.address == *about).cloned() else {
            return Ok(None);
        };
        let Some(kind) = self.input.catalog.resource(&about.resource.type_name).cloned() else {
            return Ok(None);
        };
        let made = |other: &&Change| {
            other.action == Action::Create
                && other.provider == change.provider
                && other.address.key == about.key
                && other.address.resource.module == about.resource.module
                && change.dependencies.contains(&node_of(&other.address.resource))
        };
        let made: Vec<Address> =
            self.changes.iter().filter(made).map(|other| other.address.clone()).collect();
        if made.is_empty() || !kind.is_name() {
            return Ok(None);
        }
        let Some(name) = self.seen(about, &change.provider, id)? else { return Ok(None) };
        let Some((type_name, other)) = kind.names(&name.unmark_deep().0) else { return Ok(None) };
        let Some(target) = made.into_iter().find(|address| *address.resource.type_name == *type_name) else {
            return Ok(None);
        };
        let Some(object) = self.seen(&target, &change.provider, &other)? else { return Ok(None) };
        let kind = self.input.catalog.resource(type_name);
        let is_pending = kind.is_some_and(|kind| kind.is_pending_deletion(&object));
        Ok(is_pending.then_some((target, other)))
    }

    /// An object as it was found, by its import id; asks for it first. What can't be looked at counts as not there.
    fn seen(
        &mut self,
        about: &Address,
        provider: &ProviderKey,
        id: &str,
    ) -> Result<Option<Value>, Unplanned> {
        match self.input.observed.recoverable.get(&(about.clone(), id.to_owned())) {
            Some(found) => Ok(found.as_ref().ok().cloned().flatten()),
            None => {
                let what = Wish::Recoverable { id: id.to_owned() };
                self.ask(Need { address: about.clone(), provider: provider.clone(), what });
                Err(Unplanned)
            }
        }
    }
}

/// That an object may be pending deletion, and may not be looked at.
fn not_seen(about: &Address, id: &str, why: &Diagnostic) -> Diagnostic {
    let detail = format!(
        "`{about}` is going to be made anew. The object that it was before, `{id}`, may be pending deletion, and then it could \
         be brought back; but it could not be looked at. {}",
        why.detail
    );
    Diagnostic::warning("predecessor-unknown", "Earlier object could not be looked at", detail).about(about)
}

/// That somebody else brought an object back, so that it may be theirs now.
fn brought_back(about: &Address, id: &str) -> Diagnostic {
    let detail = format!(
        "`{about}` is going to be made anew. The object that it was before, `{id}`, was deleted by an earlier run, and somebody \
         has brought it back since. To go on with that one, add:\n\n{}",
        import_entry(about, id)
    );
    Diagnostic::warning("brought-back", "Deleted object was brought back", detail).about(about)
}

/// What a state deleted, under the addresses that the spec gives it now.
pub(super) fn notes(spec: &Spec, state: &Snapshot) -> Vec<Note> {
    let text = |entry: &Json, name: &str| entry.get(name).and_then(Json::as_str).map(str::to_owned);
    let read = |entry: &Json| {
        Some(Note {
            address: text(entry, "address")?.parse().ok()?,
            provider: text(entry, "provider")?,
            id: text(entry, "id")?,
            until: text(entry, "until"),
        })
    };
    let entries = state.terrane.get(PART).and_then(Json::as_array).into_iter().flatten();
    let mut notes: Vec<Note> = entries.filter_map(read).collect();
    if notes.is_empty() {
        return notes;
    }
    let mut there = Snapshot::empty(state.lineage.clone());
    for note in &notes {
        there.put(&note.address, &note.provider, Object::default());
    }
    // Moves that can't be made of what is gone are no matter.
    if let Ok(moves) = moves(spec, &there) {
        notes.iter_mut().for_each(|note| note.address = moves.now(&note.address).clone());
    }
    notes
}

/// Notes in the state what is going to be deleted and can be brought back, and forgets what has a successor or is past.
pub(super) fn note(
    state: &mut Snapshot,
    mut notes: Vec<Note>,
    changes: &[Change],
    catalog: &Catalog,
    now: Option<&str>,
) {
    if changes.is_empty() {
        return;
    }
    for change in changes.iter().filter(|change| change.deposed.is_none()) {
        let Some(kind) = catalog.resource(&change.address.resource.type_name) else { continue };
        let going = change.before.as_ref().filter(|_| change.action == Action::Delete);
        let days = going.and_then(|object| kind.days_until_lost(object));
        let id = going.and_then(|object| object.get("id")).and_then(Value::as_str);
        if change.after.is_some() {
            let taken = change.importing.as_deref();
            notes.retain(|note| note.address != change.address && Some(note.id.as_str()) != taken);
        }
        if let (Some(days), Some(id)) = (days, id) {
            notes.retain(|note| note.address != change.address);
            notes.push(Note {
                address: change.address.clone(),
                provider: change.provider.state_name(),
                id: id.to_owned(),
                until: now.and_then(|now| later(now, i64::from(days) + LATE)),
            });
        }
    }
    notes.retain(|note| !is_past(note, now));
    match notes.is_empty() {
        true => drop(state.terrane.shift_remove(PART)),
        false => drop(state.terrane.insert(PART.to_owned(), notes.iter().map(Note::to_json).collect())),
    }
}

impl Note {
    fn to_json(&self) -> Json {
        json!({
            "address": self.address.to_string(),
            "provider": self.provider,
            "id": self.id,
            "until": self.until,
        })
    }
}

/// Whether the object is gone for good by now.
fn is_past(note: &Note, now: Option<&str>) -> bool {
    let today = now.and_then(|now| later(now, 0));
    matches!((&note.until, today), (Some(until), Some(today)) if *until < today)
}

/// The day so many days after a moment.
fn later(moment: &str, days: i64) -> Option<String> {
    let then = OffsetDateTime::parse(moment, &Rfc3339).ok()?.checked_add(Duration::days(days))?;
    Some(then.date().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider() -> ProviderKey {
        ProviderKey::default_of("aws")
    }

    fn note_of(address: &str, id: &str) -> Note {
        Note {
            address: address.parse().unwrap(),
            provider: provider().state_name(),
            id: id.to_owned(),
            until: Some("2026-12-31".to_owned()),
        }
    }

    fn spec(text: &str) -> Spec {
        let parsed = terrane_spec::parse(vec![("terrane.toml".to_owned(), text.as_bytes().to_vec())]);
        terrane_spec::check(parsed, &catalog(), &terrane_expr::FunctionContext::closed()).unwrap()
    }

    fn catalog() -> Catalog {
        let mut catalog = Catalog::default();
        catalog.add_resource(std::sync::Arc::new(terrane_provider::terraform_data::TerraformData));
        catalog
    }

    fn state(notes: &[Note]) -> Snapshot {
        let mut state = Snapshot::empty("l");
        state.terrane.insert(PART.to_owned(), notes.iter().map(Note::to_json).collect());
        state
    }

    #[test]
    fn what_a_state_deleted_is_known_by_address_and_provider() {
        let noted = [note_of("terraform_data.a[\"x\"]", "k1"), note_of("terraform_data.b", "k2")];
        assert_eq!(notes(&spec(""), &state(&noted)), noted);
        let mut broken = state(&noted);
        broken
            .terrane
            .insert(PART.to_owned(), json!([{ "address": "?" }, 1, { "address": "aws_a.b", "id": "i" }]));
        assert_eq!(notes(&spec(""), &broken), []);
        broken.terrane.insert(PART.to_owned(), json!("none"));
        assert_eq!(notes(&spec(""), &broken), []);
    }

    #[test]
    fn notes_follow_what_is_moved() {
        let noted = [note_of("terraform_data.old", "k1"), note_of("terraform_data.n", "k2")];
        let text = "[[moved]]\nfrom = \"terraform_data.old\"\nto = \"terraform_data.new\"\n\
                    [resource.terraform_data.new]\n[resource.terraform_data.n]\ncount = 1\n";
        let addresses: Vec<String> =
            notes(&spec(text), &state(&noted)).iter().map(|note| note.address.to_string()).collect();
        assert_eq!(addresses, ["terraform_data.new", "terraform_data.n[0]"]);
    }

    #[test]
    fn notes_that_are_past_are_forgotten() {
        let note = note_of("aws_kms_key.a", "k1");
        for (now, past) in [
            (Some("2026-12-31T10:00:00Z"), false),
            (Some("2027-01-01T00:00:00Z"), true),
            (Some("soon"), false),
            (None, false),
        ] {
            assert_eq!(is_past(&note, now), past, "{now:?}");
        }
        assert!(!is_past(&Note { until: None, ..note }, Some("2099-01-01T00:00:00Z")));
    }

    #[test]
    fn what_may_not_be_looked_at_is_told_and_made_anew() {
        let why = Diagnostic::error("aws-denied", "Permission denied", "Could not look. It is denied.");
        let warning = not_seen(&"aws_kms_key.a".parse().unwrap(), "k1", &why);
        assert!(!warning.is_error());
        assert!(
            warning.detail.contains("`k1`") && warning.detail.ends_with("It is denied."),
            "{}",
            warning.detail
        );
    }

    #[test]
    fn what_somebody_brought_back_is_left_to_them() {
        let warning = brought_back(&"aws_kms_key.a".parse().unwrap(), "k1");
        assert!(
            warning.detail.contains("[[import]]\nto = \"aws_kms_key.a\"\nid = \"k1\""),
            "{}",
            warning.detail
        );
        assert!(!warning.is_error());
    }
}
