//! `[[removed]]`: resources and modules that are not in the spec any more, and whether their objects are deleted or only let
//! go of.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_model::{Address, Diagnostic, Diagnostics, ModulePath, ResourceAddress};
use terrane_spec::Spec;
use terrane_spec::module::ResourceKey;
use terrane_spec::statement::{Endpoint, Removed};

use crate::graph::{names_of, node_of};
use crate::world::key_of;

/// What an entry speaks of, seen from the root module and without keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Module(Vec<Arc<str>>),
    Resource(Vec<Arc<str>>, ResourceKey),
}

impl What {
    fn of(declaring: &[Arc<str>], endpoint: &Endpoint) -> What {
        let within = |path: &ModulePath| [declaring, &names_of(path)].concat();
        match endpoint {
            Endpoint::Module(path) => What::Module(within(path)),
            Endpoint::Resource(address) => {
                What::Resource(within(&address.resource.module), key_of(&address.resource))
            }
        }
    }

    fn covers(&self, resource: &ResourceAddress) -> bool {
        let names = names_of(&resource.module);
        match self {
            What::Module(module) => names.starts_with(module),
            What::Resource(module, key) => *module == *names && *key == key_of(resource),
        }
    }

    /// How closely it is said: an entry about a resource goes before one about the module around it.
    fn depth(&self) -> usize {
        match self {
            What::Module(names) => names.len(),
            What::Resource(names, _) => names.len() + 1,
        }
    }
}

fn all(spec: &Spec) -> impl Iterator<Item = (What, &Removed)> {
    spec.all_modules().flat_map(|(names, module)| {
        module.removed.iter().map(move |removed| (What::of(names, &removed.from.0), removed))
    })
}

/// The entry that speaks of an instance that the spec does not declare; the closest one, where there are several.
pub fn removal<'s>(spec: &'s Spec, address: &Address) -> Option<&'s Removed> {
    let resource = node_of(&address.resource);
    if spec.resource(&resource).is_some() {
        return None;
    }
    let covering = all(spec).filter(|(what, _)| what.covers(&resource));
    covering.max_by_key(|(what, _)| what.depth()).map(|(_, removed)| removed)
}

/// What is wrong with the entries of a spec: what they speak of is still declared, or they contradict each other.
pub fn check(spec: &Spec) -> Diagnostics {
    let mut found = Diagnostics::new();
    let mut seen: BTreeMap<What, &Removed> = BTreeMap::new();
    for (what, removed) in all(spec) {
        let declared = match &what {
            What::Module(names) => names
                .split_last()
                .and_then(|(name, parents)| spec.module(parents)?.modules.get(name).map(|call| call.span)),
            What::Resource(names, key) => {
                spec.module(names).and_then(|module| module.resources.get(key)).map(|resource| resource.span)
            }
        };
        let from = &removed.from;
        if let Some(span) = declared {
            let detail = format!("`{}` is said to be removed, and it is still declared.", from.0);
            found.push(
                Diagnostic::error("removed-still-declared", "Removed resource still declared", detail)
                    .at(from.1)
                    .with_related(span, "declared here")
                    .hint("Take the declaration out, or the `[[removed]]`."),
            );
        }
        if let Some(first) = seen.insert(what, removed).filter(|first| first.destroy != removed.destroy) {
            let detail = format!(
                "One entry says that the objects of `{}` are deleted, another one that they are only let go of.",
                from.0
            );
            found.push(
                Diagnostic::error("ambiguous-removal", "Ambiguous removal", detail)
                    .at(from.1)
                    .with_related(first.from.1, "the other one"),
            );
        }
    }
    found
}
