//! What tells an object of a type from all others of its account and region.

use terrane_model::Value;

/// The attributes that name an object, and how an import id is written from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The attributes, in the order of the import id.
    pub attributes: &'static [&'static str],
    /// What stands between their values in the import id.
    pub separator: &'static str,
    /// Whether they follow from the spec, and a second object can't have the same: then one that would be made may be there
    /// already.
    pub is_chosen: bool,
    /// The attributes that no two objects share, where that are other ones.
    pub unique: Option<&'static [&'static str]>,
}

impl Identity {
    /// The id that the service invents.
    pub const INVENTED: Identity =
        Identity { attributes: &["id"], separator: "", is_chosen: false, unique: None };

    /// One attribute that follows from the spec and that no two objects share.
    pub const fn chosen(attribute: &'static [&'static str; 1]) -> Identity {
        Identity { attributes: attribute, separator: "", is_chosen: true, unique: None }
    }

    /// Several attributes, written with a text between them.
    pub const fn joined(attributes: &'static [&'static str], separator: &'static str) -> Identity {
        Identity { attributes, separator, is_chosen: false, unique: None }
    }

    /// The import id of an object; nothing while a part of it is unknown or empty.
    pub fn import_id(&self, object: &Value) -> Option<String> {
        joined(self.attributes, object, self.separator)
    }

    /// The attributes that no two objects share.
    pub fn unique(&self) -> &'static [&'static str] {
        self.unique.unwrap_or(self.attributes)
    }

    /// The name that no two objects share; nothing while a part of it is unknown or empty.
    pub fn name(&self, object: &Value) -> Option<String> {
        joined(self.unique(), object, self.separator)
    }
}

fn joined(attributes: &[&str], object: &Value, separator: &str) -> Option<String> {
    let part = |name: &&str| object.get(name)?.as_str().filter(|text| !text.is_empty());
    Some(attributes.iter().map(part).collect::<Option<Vec<&str>>>()?.join(separator))
}

#[cfg(test)]
mod tests {
    use terrane_model::Type;

    use super::*;

    #[test]
    fn the_import_id_is_written_from_all_parts_or_not_at_all() {
        let identity = Identity::joined(&["user", "policy_arn"], "/");
        let object = Value::object([("user", Value::from("u")), ("policy_arn", Value::from("arn:p"))]);
        assert_eq!(identity.import_id(&object).as_deref(), Some("u/arn:p"));
        for bad in [Value::unknown(Type::String), Value::null(Type::String), Value::from("")] {
            assert_eq!(identity.import_id(&object.clone().with("user", bad)), None);
        }
        assert_eq!(Identity::INVENTED.import_id(&object), None);
    }

    #[test]
    fn what_is_unique_may_be_less_than_the_import_id() {
        let identity = Identity { unique: Some(&["name"]), ..Identity::chosen(&["arn"]) };
        let object = Value::object([("arn", Value::from("arn:p")), ("name", Value::from("p"))]);
        assert_eq!(identity.name(&object).as_deref(), Some("p"));
        assert_eq!(Identity::chosen(&["arn"]).name(&object).as_deref(), Some("arn:p"));
    }
}
