//! Objects that the spec imports: which instance each becomes, and what was found of it.

use std::collections::BTreeMap;

use terrane_model::convert::convert;
use terrane_model::{Address, Diagnostic, Diagnostics, Key, Kind, ModulePath, ResourceAddress, Type, Value};
use terrane_provider::{Identity, ResourceType, catalog};
use terrane_spec::Spec;
use terrane_spec::statement::{Import, NamedBy};
use terrane_state::{Object, Snapshot};

use super::{Builder, Need, Wish, provider_of};
use crate::codec::encode;
use crate::expand::{Wanted, instances};
use crate::graph::Graph;
use crate::plan::ProviderKey;
use crate::world::{InstanceScope, evaluate_in};

/// The entry that an instance is imported by.
#[derive(Clone)]
pub(super) struct Importing {
    /// Its place among the imports of the spec.
    entry: usize,
    /// The element of `for_each` that it stands for.
    element: Wanted,
}

/// An instance that can't be planned now: something was asked for, or an error was noted.
pub(super) struct Unplanned;

/// The imports of the spec by the resource that they lead to.
pub(super) fn entries(spec: &Spec) -> BTreeMap<ResourceAddress, Vec<usize>> {
    let mut entries: BTreeMap<ResourceAddress, Vec<usize>> = BTreeMap::new();
    for (i, import) in spec.root.imports.iter().enumerate() {
        entries.entry(import.address.resource.clone()).or_default().push(i);
    }
    entries
}

/// The code of the message that there is no object to import.
pub(super) const NOT_FOUND: &str = "import-not-found";

impl<'s> Builder<'_, 's> {
    /// Notes which of the wanted instances of a resource are imported.
    pub(super) fn imports_of(&mut self, resource: &ResourceAddress, wanted: &[Wanted]) {
        let spec = self.input.spec;
        for entry in self.entries.get(resource).cloned().unwrap_or_default() {
            let Some(import) = spec.root.imports.get(entry) else { continue };
            let targets = match self.targets(import) {
                Ok(targets) => targets,
                Err(errors) => {
                    self.diagnostics.extend(errors);
                    continue;
                }
            };
            for (about, element) in targets {
                if wanted.binary_search_by(|w| w.key.cmp(&about.key)).is_err() {
                    let detail =
                        format!("There is no instance `{about}` that the object could be imported to.");
                    let error = Diagnostic::error("undeclared-instance", "Undeclared instance", detail)
                        .at(import.to_span)
                        .hint(
                            "The key of an import is one that `count` or `for_each` of the resource gives.",
                        );
                    self.error(error);
                } else if let Some(other) = self.importing.get(&about).map(|i| i.entry) {
                    let detail = format!("`{about}` has an import already. One object has one import.");
                    let error = Diagnostic::error("ambiguous-import", "Ambiguous import", detail);
                    let other = spec.root.imports.get(other).map(|other| other.to_span);
                    self.error(match other {
                        Some(other) => error.at(import.to_span).with_related(other, "the other one"),
                        None => error.at(import.to_span),
                    });
                } else {
                    self.importing.insert(about, Importing { entry, element });
                }
            }
        }
    }

    /// The instances that an entry leads to.
    fn targets(&self, import: &Import) -> Result<Vec<(Address, Wanted)>, Diagnostics> {
        let elements = instances(None, import.for_each.as_ref(), &self.world.scope())?;
        let target = |element: Wanted| {
            let key = match &import.key {
                None => import.address.key.clone(),
                Some(key) => {
                    let value = evaluate_in(&self.scope_of(&element), key)?;
                    Some(instance_key(&value).map_err(|detail| vec![invalid(detail).at(key.span())])?)
                }
            };
            Ok((import.address.resource.instance(key), element))
        };
        elements.into_iter().map(target).collect()
    }

    fn scope_of<'w>(&'w self, element: &'w Wanted) -> InstanceScope<'w, 's> {
        self.world.instance_scope(&ModulePath::root(), element.key.as_ref(), element.each_value.as_ref())
    }

    /// Puts the object that an instance is imported from into the refreshed state. Gives the import id; nothing for an
    /// instance that is not imported, or that is managed already.
    pub(super) fn import(
        &mut self,
        kind: &dyn ResourceType,
        about: &Address,
    ) -> Result<Option<String>, Unplanned> {
        let spec = self.input.spec;
        let Some(importing) = self.importing.get(about).cloned() else { return Ok(None) };
        let Some(import) = spec.root.imports.get(importing.entry) else { return Ok(None) };
        if self.input.snapshot.get(about).is_some() || self.refreshed.get(about).is_some() {
            return Ok(None);
        }
        let provider = provider_of(spec, &about.resource);
        self.same_provider(import, &provider, about)?;
        let id = match self.import_id(kind, import, &importing.element) {
            Ok(Some(id)) => id,
            Ok(None) => {
                self.unknown_id(import, about);
                return Err(Unplanned);
            }
            Err(errors) => {
                self.diagnostics.extend(errors.into_iter().map(|e| e.about(about)));
                return Err(Unplanned);
            }
        };
        let found = match self.input.observed.imports.get(about) {
            Some((looked_for, found)) if *looked_for == id => found.clone(),
            _ => {
                self.ask(Need { address: about.clone(), provider, what: Wish::Import { id } });
                return Err(Unplanned);
            }
        };
        let Some(object) = found else {
            self.error(not_found(import, about, &id));
            return Err(Unplanned);
        };
        if let Some(other) = held_by(&self.refreshed, kind.identity(), &object, &provider, about) {
            self.error(already_managed(import, about, &id, &other));
            return Err(Unplanned);
        }
        if !self.put_imported(kind, about, &provider, &object) {
            return Err(Unplanned);
        }
        Ok(Some(id))
    }

    /// An imported object that stays as it is: the state has it with what the spec says of its secrecy.
    pub(super) fn keep_imported(&mut self, kind: &dyn ResourceType, about: &Address, object: &Value) {
        let provider = provider_of(self.input.spec, &about.resource);
        self.put_imported(kind, about, &provider, object);
    }

    pub(super) fn put_imported(
        &mut self,
        kind: &dyn ResourceType,
        about: &Address,
        provider: &ProviderKey,
        object: &Value,
    ) -> bool {
        match state_object(self.input.spec, self.graph, kind, about, object) {
            Ok(object) => {
                self.refreshed.put(about, &provider.state_name(), object);
                true
            }
            Err(error) => {
                self.error(error);
                false
            }
        }
    }

    /// The import id that an entry gives for an element; nothing while it is unknown.
    pub(super) fn import_id(
        &self,
        kind: &dyn ResourceType,
        import: &Import,
        element: &Wanted,
    ) -> Result<Option<String>, Diagnostics> {
        let span = import.named_by.expr().span();
        let value = evaluate_in(&self.scope_of(element), import.named_by.expr())?;
        let refuse = |detail: String| Err(vec![invalid(detail).at(span)]);
        if value.marks_deep().sensitive {
            return refuse("What an object is imported by is shown, and this is sensitive.".into());
        }
        if !value.is_wholly_known() {
            return Ok(None);
        }
        match &import.named_by {
            NamedBy::Id(_) => match convert(&value, &Type::String).ok().as_ref().and_then(Value::as_str) {
                Some("") => refuse("The id is empty.".into()),
                Some(id) => Ok(Some(id.to_owned())),
                None => refuse("The id is null, or no text.".into()),
            },
            NamedBy::Identity(_) => match by_identity(kind.identity(), &value) {
                Ok(id) => Ok(Some(id)),
                Err(detail) => refuse(format!("`{}`: {detail}", kind.schema().type_name)),
            },
        }
    }

    /// An id that is unknown for good; while something is still to be read, the next round will tell.
    pub(super) fn unknown_id(&mut self, import: &Import, about: &Address) {
        if !self.needs.is_empty() {
            return;
        }
        let detail = format!(
            "What `{about}` is to be imported by depends on something that is known only after apply. It must be known \
             while planning."
        );
        let error = Diagnostic::error("unknown-import-id", "Unknown import id", detail)
            .at(import.named_by.expr().span())
            .about(about)
            .hint("Write the id down, or apply first what it depends on.");
        self.error(error);
    }

    fn same_provider(
        &mut self,
        import: &Import,
        provider: &ProviderKey,
        about: &Address,
    ) -> Result<(), Unplanned> {
        let Some(named) = &import.provider else { return Ok(()) };
        let key = ProviderKey { name: named.name.clone(), alias: named.alias.clone() };
        if key == *provider {
            return Ok(());
        }
        let detail =
            format!("`{about}` uses the provider configuration `{provider}`, and the import says `{key}`.");
        let error = Diagnostic::error("invalid-import", "Invalid import", detail).at(named.span).about(about);
        self.error(error.hint("Leave `provider` out: the resource's is taken."));
        Err(Unplanned)
    }
}

/// Another address under which the state has the object already.
pub fn held_by(
    state: &Snapshot,
    identity: Identity,
    object: &Value,
    provider: &ProviderKey,
    about: &Address,
) -> Option<Address> {
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    let arn = text("arn");
    let provider = provider.state_name();
    state.current().find_map(|(other, its_provider, held)| {
        if other == *about || other.resource.type_name != about.resource.type_name {
            return None;
        }
        let its = |name: &str| held.attributes.get(name).and_then(serde_json::Value::as_str);
        let same = match (arn, its("arn")) {
            (Some(arn), Some(its)) => arn == its,
            _ => {
                its_provider == provider
                    && identity.attributes.iter().all(|name| text(name).is_some() && text(name) == its(name))
            }
        };
        same.then_some(other)
    })
}

/// The provider configuration that an object is read with which no resource is for: the one that the import names, or the
/// default one of its type.
pub fn provider_of_undeclared(import: &Import) -> ProviderKey {
    match &import.provider {
        Some(named) => ProviderKey { name: named.name.clone(), alias: named.alias.clone() },
        None => ProviderKey::default_of(catalog::provider_of(&import.address.resource.type_name)),
    }
}

/// An imported object as the state has it.
///
/// # Errors
/// A bug of the resource type: parts of the object are unknown.
pub fn state_object(
    spec: &Spec,
    graph: &Graph,
    kind: &dyn ResourceType,
    about: &Address,
    object: &Value,
) -> Result<Object, Diagnostic> {
    let schema = kind.schema();
    let Some((attributes, sensitive)) = encode(schema, object) else {
        let detail = "Importing the object gave a value with unknown parts. This is a bug in Terrane; please report \
                      it with the resource type.";
        return Err(Diagnostic::error("provider-bug", "Incomplete object", detail).about(about));
    };
    let first = spec.resource(&about.resource).is_some_and(|spec| spec.lifecycle.create_before_destroy);
    Ok(Object {
        attributes,
        sensitive,
        schema_version: schema.version,
        dependencies: graph.lasting_needs(&about.resource),
        create_before_destroy: first,
        ..Object::default()
    })
}

/// That an import id leads to nothing.
pub(super) fn not_found(import: &Import, about: &Address, id: &str) -> Diagnostic {
    let detail = format!(
        "There is no object with the id `{id}` that `{about}` could be imported from. Only what exists can be imported."
    );
    Diagnostic::error(NOT_FOUND, "Object to import not found", detail)
        .at(import.named_by.expr().span())
        .about(about)
        .hint("Check the id, and the provider's region and account; or take the import out, to create a new object.")
}

/// That the state has the object to import under another address.
pub(super) fn already_managed(import: &Import, about: &Address, id: &str, other: &Address) -> Diagnostic {
    let detail = format!("`{id}` is managed already, as `{other}`. One object has one address.");
    Diagnostic::error("already-managed", "Object managed already", detail)
        .at(import.named_by.expr().span())
        .about(about)
        .hint(format!(
            "`terrane state mv` gives it the new address; `terrane state rm` makes `{other}` let go of it."
        ))
}

fn invalid(detail: String) -> Diagnostic {
    Diagnostic::error("invalid-import", "Invalid import", detail)
}

/// The key of an instance from the value of an expression.
fn instance_key(value: &Value) -> Result<Key, String> {
    if value.marks().sensitive {
        return Err("The key is sensitive. It is part of the address and can't be hidden.".into());
    }
    match value.kind() {
        Kind::String(name) => Ok(Key::Name(name.clone())),
        Kind::Number(number) => match number.to_i64().and_then(|n| u64::try_from(n).ok()) {
            Some(index) => Ok(Key::Index(index)),
            None => Err(format!("The key is `{number}`, and must be a text, or a whole number from 0 on.")),
        },
        Kind::Unknown(_) => Err("The key depends on something that is known only after apply.".into()),
        _ => Err("The key must be a text, or a whole number from 0 on.".into()),
    }
}

/// The import id for an `identity` table, or what is wrong with it.
fn by_identity(identity: Identity, given: &Value) -> Result<String, String> {
    let wanted = identity.attributes.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
    let wrong = || format!("an identity of this type consists of {wanted}, each a text that is not empty.");
    let others =
        given.entries().into_iter().flatten().any(|(name, _)| !identity.attributes.contains(&name.as_ref()));
    match identity.import_id(given) {
        Some(id) if !others => Ok(id),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_texts_or_whole_numbers() {
        assert_eq!(instance_key(&Value::from("a")), Ok(Key::Name("a".into())));
        assert_eq!(instance_key(&Value::from(2)), Ok(Key::Index(2)));
        let bad = [
            Value::from(-1),
            Value::from(true),
            Value::null(Type::String),
            Value::unknown(Type::String),
            Value::from("a").sensitive(),
        ];
        for value in bad {
            assert!(instance_key(&value).is_err(), "{value:?}");
        }
    }

    #[test]
    fn an_identity_has_all_parts_and_no_others() {
        let identity = Identity::joined(&["user", "policy_arn"], "/");
        let whole = Value::object([("user", Value::from("u")), ("policy_arn", Value::from("arn"))]);
        assert_eq!(by_identity(identity, &whole).as_deref(), Ok("u/arn"));
        let more = Value::object(
            [("user", "u"), ("policy_arn", "arn"), ("x", "y")].map(|(k, v)| (k, Value::from(v))),
        );
        for bad in [more, Value::object([("user", Value::from("u"))]), Value::from("u")] {
            assert!(by_identity(identity, &bad).unwrap_err().contains("`user` and `policy_arn`"));
        }
    }
}
