//! What an endpoint of a move covers: an address with open places, and what may stand in them.
//!
//! A statement in a module speaks for every instance of that module, and one about a whole resource or call for every
//! instance of it. The keys that an address has at these open places are the same before and after the move.

use std::fmt;
use std::sync::Arc;

use terrane_model::address::ModuleStep;
use terrane_model::{Address, Key, ModulePath, ResourceAddress};
use terrane_spec::statement::Endpoint;

/// A key, or any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Whatever key there is, also none.
    Open,
    /// This one, or none.
    Fixed(Option<Key>),
}

impl Place {
    fn fits(&self, key: Option<&Key>) -> bool {
        match self {
            Place::Open => true,
            Place::Fixed(fixed) => fixed.as_ref() == key,
        }
    }

    fn meets(&self, other: &Place) -> bool {
        match (self, other) {
            (Place::Fixed(a), Place::Fixed(b)) => a == b,
            _ => true,
        }
    }

    fn is_within(&self, other: &Place) -> bool {
        *other == Place::Open || self == other
    }
}

/// The addresses that an endpoint covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    module: Vec<(Arc<str>, Place)>,
    /// Type, name and key; nothing for a module.
    resource: Option<(Arc<str>, Arc<str>, Place)>,
}

impl Pattern {
    /// The two sides of a statement that stands in the module of these names.
    pub(super) fn pair(declaring: &[Arc<str>], from: &Endpoint, to: &Endpoint) -> (Pattern, Pattern) {
        // With a key on either side both sides are single instances; with none, all keys stay as they are.
        let whole = from_key(from).is_none() && from_key(to).is_none();
        (Pattern::new(declaring, from, whole), Pattern::new(declaring, to, whole))
    }

    fn new(declaring: &[Arc<str>], endpoint: &Endpoint, whole: bool) -> Pattern {
        let last = |key: &Option<Key>| if whole { Place::Open } else { Place::Fixed(key.clone()) };
        let mut module: Vec<(Arc<str>, Place)> =
            declaring.iter().map(|name| (name.clone(), Place::Open)).collect();
        let steps = |path: &ModulePath| -> Vec<(Arc<str>, Place)> {
            path.0.iter().map(|step| (step.name.clone(), Place::Fixed(step.key.clone()))).collect()
        };
        match endpoint {
            Endpoint::Resource(address) => {
                module.extend(steps(&address.resource.module));
                let ResourceAddress { type_name, name, .. } = &address.resource;
                let resource = Some((type_name.clone(), name.clone(), last(&address.key)));
                Pattern { module, resource }
            }
            Endpoint::Module(path) => {
                module.extend(steps(path));
                if let (Some((_, place)), Some(step)) = (module.last_mut(), path.0.last()) {
                    *place = last(&step.key);
                }
                Pattern { module, resource: None }
            }
        }
    }

    /// The keys at the open places, when this covers the address.
    fn open_keys<'a>(&self, address: &'a Address) -> Option<Vec<&'a Option<Key>>> {
        let steps = &address.resource.module.0;
        if self.resource.is_some() && steps.len() != self.module.len() || steps.len() < self.module.len() {
            return None;
        }
        let mut open = Vec::new();
        let mut take = |place: &Place, key: &'a Option<Key>| {
            if *place == Place::Open {
                open.push(key);
            }
            place.fits(key.as_ref())
        };
        for ((name, place), step) in self.module.iter().zip(steps.iter()) {
            if *name != step.name || !take(place, &step.key) {
                return None;
            }
        }
        if let Some((type_name, name, place)) = &self.resource {
            let resource = &address.resource;
            let same = *type_name == resource.type_name && *name == resource.name;
            if !same || !take(place, &address.key) {
                return None;
            }
        }
        Some(open)
    }

    /// Where an address that this covers is when `to` is the other side.
    pub(super) fn carry(&self, to: &Pattern, address: &Address) -> Option<Address> {
        let mut open = self.open_keys(address)?.into_iter();
        let mut key = |place: &Place| match place {
            Place::Open => open.next().cloned().flatten(),
            Place::Fixed(key) => key.clone(),
        };
        let mut module: Vec<ModuleStep> = to
            .module
            .iter()
            .map(|(name, place)| ModuleStep { name: name.clone(), key: key(place) })
            .collect();
        let mut moved = address.clone();
        match &to.resource {
            Some((type_name, name, place)) => {
                moved.key = key(place);
                moved.resource.type_name = type_name.clone();
                moved.resource.name = name.clone();
            }
            None => module.extend(address.resource.module.0.iter().skip(self.module.len()).cloned()),
        }
        moved.resource.module = ModulePath(module.into());
        Some(moved)
    }

    /// Whether something that this covers may be covered by the other one, or lie in a module that the other one covers.
    pub(super) fn may_lie_in(&self, other: &Pattern) -> bool {
        self.lies_in(other, Place::meets)
    }

    /// Whether everything that this covers is covered by the other one, or lies in a module that the other one covers.
    pub(super) fn surely_lies_in(&self, other: &Pattern) -> bool {
        self.lies_in(other, Place::is_within)
    }

    fn lies_in(&self, other: &Pattern, fits: fn(&Place, &Place) -> bool) -> bool {
        let prefix = self.module.len() >= other.module.len()
            && self.module.iter().zip(&other.module).all(|((a, x), (b, y))| a == b && fits(x, y));
        match (&self.resource, &other.resource) {
            _ if !prefix => false,
            (_, None) => true,
            (None, Some(_)) => false,
            (Some((t, n, x)), Some((u, m, y))) => {
                self.module.len() == other.module.len() && t == u && n == m && fits(x, y)
            }
        }
    }

    /// Whether both cover the same instances, as far as their texts say.
    pub(super) fn is_same(&self, other: &Pattern) -> bool {
        self == other
    }

    /// Whether this speaks of the resource, or of an instance of it.
    pub(super) fn selects(&self, resource: &ResourceAddress) -> bool {
        let Some((type_name, name, _)) = &self.resource else { return false };
        let steps = &resource.module.0;
        *type_name == resource.type_name
            && *name == resource.name
            && steps.len() == self.module.len()
            && self
                .module
                .iter()
                .zip(steps.iter())
                .all(|((name, place), step)| *name == step.name && place.fits(step.key.as_ref()))
    }
}

/// The key at the end of an endpoint.
fn from_key(endpoint: &Endpoint) -> Option<&Key> {
    match endpoint {
        Endpoint::Resource(address) => address.key.as_ref(),
        Endpoint::Module(path) => path.0.last().and_then(|step| step.key.as_ref()),
    }
}

/// As an address, with `[*]` at the open places inside.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = |f: &mut fmt::Formatter<'_>, place: &Place, last: bool| match place {
            Place::Open if !last => f.write_str("[*]"),
            Place::Open | Place::Fixed(None) => Ok(()),
            Place::Fixed(Some(key)) => write!(f, "{key}"),
        };
        let steps = self.module.len();
        for (i, (name, place)) in self.module.iter().enumerate() {
            write!(f, "{}module.{name}", if i > 0 { "." } else { "" })?;
            key(f, place, self.resource.is_none() && i + 1 == steps)?;
        }
        if let Some((type_name, name, place)) = &self.resource {
            write!(f, "{}{type_name}.{name}", if steps > 0 { "." } else { "" })?;
            key(f, place, true)?;
        }
        Ok(())
    }
}
