//! Objects that are there already where others of the same name would be made: found while planning, not in the middle of
//! an apply.

use std::collections::BTreeSet;

use terrane_model::{Action, Address, Diagnostic, Mode as ResourceMode};

use super::{Builder, Need, Wish};
use crate::access::secrets;
use crate::plan::Mode;

impl Builder<'_, '_> {
    /// Asks for every object that is going to be made under a name of the spec's choice whether there is one, and reports
    /// those that are. A name that an object of this state has is left alone: it is that object's, however this plan ends.
    pub(super) fn look_for_existing(&mut self) {
        if !self.input.options.look_for_existing || self.input.options.mode != Mode::Normal {
            return;
        }
        let mut wanted = Vec::new();
        for change in &self.changes {
            let makes = change.action == Action::Create || change.action.is_replace();
            let resource = &change.address.resource;
            if !makes || change.deposed.is_some() || resource.mode != ResourceMode::Managed {
                continue;
            }
            let identity = self.input.catalog.resource(&resource.type_name).map(|kind| kind.identity());
            let Some(identity) = identity.filter(|identity| identity.is_chosen) else { continue };
            let id = change.after.as_ref().and_then(|after| identity.import_id(after));
            wanted.extend(id.map(|id| (change.address.clone(), change.provider.clone(), id)));
        }
        if wanted.is_empty() {
            return;
        }
        let held = self.held();
        let planned = self.changes.iter().filter_map(|change| change.after.as_ref());
        let secrets = secrets(self.input, &self.refreshed, planned);
        for (address, provider, id) in wanted {
            if held.contains(&(provider.state_name(), address.resource.type_name.to_string(), id.clone())) {
                continue;
            }
            match self.input.observed.existing.get(&address) {
                Some((looked_for, true)) if *looked_for == id => {
                    let Ok(behind) = self.behind(&address, &id) else { continue };
                    let mut error = exists_already(&address, &id, behind);
                    secrets.hide_in(&mut error.detail);
                    let span = self.input.spec.resource(&address.resource).map(|spec| spec.span);
                    self.error(error.at(span));
                }
                Some((looked_for, false)) if *looked_for == id => {}
                _ => self.ask(Need { address, provider, what: Wish::Existing { id } }),
            }
        }
    }

    /// Provider, type and import id of every object that this state has or had when it was read.
    fn held(&self) -> BTreeSet<(String, String, String)> {
        let mut held = BTreeSet::new();
        for snapshot in [self.input.snapshot, &self.refreshed] {
            for (address, resource, instance) in snapshot.instances() {
                let type_name = &address.resource.type_name;
                let Some(kind) = self.input.catalog.resource(type_name) else { continue };
                let identity = kind.identity();
                for object in instance.current.iter().chain(instance.deposed.values()) {
                    let text = |name: &&str| object.attributes.get(*name).and_then(serde_json::Value::as_str);
                    let parts: Option<Vec<&str>> = identity.attributes.iter().map(text).collect();
                    let id = parts.map(|parts| parts.join(identity.separator));
                    held.extend(id.map(|id| (resource.provider.clone(), type_name.to_string(), id)));
                }
            }
        }
        held
    }
}

fn exists_already(address: &Address, id: &str, behind: Option<(Address, String)>) -> Diagnostic {
    let there = format!(
        "`{address}` would be created, and there is an object `{id}` of this type already, which this state does not have."
    );
    let entry = import_entry(address, id);
    let detail = match behind {
        None => format!("{there} To import it, add:\n\n{entry}"),
        Some((other, its_id)) => format!(
            "{there} It is a name for `{its_id}`, which is pending deletion: imported as `{other}`, it is brought back, and \
             what it has encrypted stays readable. To import both, add:\n\n{}\n\n{entry}",
            import_entry(&other, &its_id)
        ),
    };
    Diagnostic::error("exists-already", "Object exists already", detail)
        .about(address)
        .hint("Import it, rename this one in the spec, or delete the other one if nobody needs it.")
}

/// The entry that imports an object, ready to be pasted into the spec.
pub fn import_entry(address: &Address, id: &str) -> String {
    format!("[[import]]\nto = {}\nid = {}", literal(&address.to_string()), literal(&id.replace("${", "$${")))
}

fn literal(text: &str) -> String {
    match text.contains(['\'', '\n', '\r']) || text.chars().any(char::is_control) {
        false if text.contains(['"', '\\']) => format!("'{text}'"),
        _ => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_can_be_pasted() {
        let address: Address = r#"aws_dynamodb_table.t["a"]"#.parse().unwrap();
        let text = "[[import]]\nto = 'aws_dynamodb_table.t[\"a\"]'\nid = \"Post\"";
        assert_eq!(import_entry(&address, "Post"), text);
        assert!(import_entry(&address, "a${b}").ends_with("id = \"a$${b}\""));
    }
}
