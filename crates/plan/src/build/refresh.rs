//! Brings the snapshot up to date with what was observed, and notes what had changed outside.

use terrane_model::schema::Presence;
use terrane_model::{Address, Diagnostic, Mode as ResourceMode, Schema, Value};
use terrane_provider::ResourceType;
use terrane_state::Object;

use super::Builder;
use crate::codec::{decode, encode};
use crate::diff::changed_paths;
use crate::plan::{Drift, Mode};

impl Builder<'_, '_> {
    /// Takes what was observed over into the refreshed snapshot.
    pub(super) fn refresh(&mut self) -> Vec<Drift> {
        let (mut drift, moved) = (Vec::new(), self.moved);
        let seen = self.input.observed;
        for (key, found) in &seen.objects {
            let (observed, deposed) = key;
            // It was looked for under the address that the state has.
            let address = moved.now(observed);
            let previous_address = (address != observed).then(|| observed.clone());
            let prior = moved.snapshot.object(address, deposed.as_deref());
            let Some(prior) = prior.filter(|_| address.resource.mode == ResourceMode::Managed) else {
                continue;
            };
            let Some(resource) = self.input.catalog.resource(&address.resource.type_name) else { continue };
            let before = decode(resource.schema(), &prior.attributes, &prior.sensitive).ok();
            match found {
                None => {
                    match deposed {
                        None => self.refreshed.remove(address),
                        Some(key) => self.refreshed.remove_deposed(address, key),
                    };
                    if let Some(before) = before {
                        let address = address.clone();
                        drift.push(Drift { address, previous_address, before, after: None });
                    }
                }
                Some(after) => {
                    let Some((attributes, mut sensitive)) = encode(resource.schema(), after) else {
                        self.error(unreadable(address));
                        continue;
                    };
                    let all = self.input.options.mode == Mode::RefreshOnly;
                    let changed = before.filter(|before| drifted(resource.schema(), before, after, all));
                    if let Some(before) = changed {
                        let (address, after) = (address.clone(), Some(after.clone()));
                        drift.push(Drift { address, previous_address, before, after });
                    }
                    // AWS does not know what the spec calls a secret.
                    sensitive
                        .extend(prior.sensitive.iter().filter(|path| path.get(after).is_some()).cloned());
                    sensitive.sort();
                    sensitive.dedup();
                    let schema_version = resource.schema().version;
                    let mut object = Object { attributes, sensitive, schema_version, ..prior.clone() };
                    object.remember(seen.notes.get(key).map(String::as_str));
                    // What is as it was stays shared with the state as it was read.
                    if object == *prior {
                        continue;
                    }
                    let provider = self.refreshed.resource(&address.resource).map(|r| r.provider.clone());
                    let provider = provider.unwrap_or_default();
                    match deposed {
                        None => self.refreshed.put(address, &provider, object),
                        Some(key) => self.refreshed.put_deposed(address, &provider, key, object),
                    }
                }
            }
        }
        drift
    }

    /// The object of an instance as the refreshed snapshot has it. An error is noted when it can't be decoded.
    pub(super) fn prior_object(
        &mut self,
        resource: &dyn ResourceType,
        address: &Address,
        deposed: Option<&str>,
    ) -> Option<Value> {
        let object = self.refreshed.object(address, deposed)?;
        match decode(resource.schema(), &object.attributes, &object.sensitive) {
            Ok(value) => Some(value),
            Err(error) => {
                let detail = format!(
                    "The state has `{}` of this object as something else than the resource type expects: {}.",
                    error.path, error.detail
                );
                self.error(
                    Diagnostic::error("state-mismatch", "Unreadable object in the state", detail)
                        .about(address),
                );
                None
            }
        }
    }
}

/// Whether an object differs from what the state has. What AWS alone decides, such as a count of attachments, changes
/// freely and matters only to who asked for a refresh.
fn drifted(schema: &Schema, before: &Value, after: &Value, all: bool) -> bool {
    changed_paths(schema, before, after).iter().any(|path| {
        all || schema.attribute(path).is_none_or(|attribute| attribute.presence != Presence::Computed)
    })
}

fn unreadable(address: &Address) -> Diagnostic {
    let detail = "Reading the object gave a value with unknown parts. This is a bug in Terrane; please report it with \
                  the resource type.";
    Diagnostic::error("provider-bug", "Incomplete object", detail).about(address)
}
