//! Which names are declared, and the nearest of them to one that is not.

use terrane_model::nearest::nearest;

use super::Checker;
use crate::module::ResourceKey;

impl Checker<'_, '_> {
    /// ` Did you mean ...?`, or nothing.
    pub(super) fn suggestion<'n>(
        &mut self,
        name: &str,
        candidates: impl IntoIterator<Item = &'n str>,
    ) -> String {
        if self.searches == 0 {
            return String::new();
        }
        self.searches -= 1;
        nearest(name, candidates).map_or_else(String::new, |near| format!(" Did you mean `{near}`?"))
    }

    /// The declared resource whose name is near, or else whose type is near and whose name is the same.
    pub(super) fn nearest_resource(&mut self, key: &ResourceKey) -> Option<ResourceKey> {
        self.searches = self.searches.checked_sub(1)?;
        let declared = || self.module.resources.keys().filter(|k| k.mode == key.mode);
        let of_type = declared().filter(|k| k.type_name == key.type_name).map(|k| &*k.name);
        if let Some(name) = nearest(&key.name, of_type) {
            return Some(ResourceKey { name: name.into(), ..key.clone() });
        }
        let of_name = declared().filter(|k| k.name == key.name).map(|k| &*k.type_name);
        let type_name = nearest(&key.type_name, of_name)?;
        Some(ResourceKey { type_name: type_name.into(), ..key.clone() })
    }
}
