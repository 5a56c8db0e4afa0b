//! What a resource and each of its instances is called: `module.a["x"].aws_dynamodb_table.tables["Post"]`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The key of one instance of a resource or module with `count` or `for_each`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// An index of `count`, from 0.
    Index(u64),
    /// A key of `for_each`.
    Name(Arc<str>),
}

/// Declared as `resource` or as `data`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// An object that Terrane makes, changes and deletes.
    Managed,
    /// An object that is only read.
    Data,
}

/// One step of a module path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleStep {
    /// The name of the module call.
    pub name: Arc<str>,
    /// The key of the call's instance.
    pub key: Option<Key>,
}

/// The way from the root module to a module instance. Empty: the root module.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModulePath(pub Arc<[ModuleStep]>);

impl ModulePath {
    /// The root module.
    pub fn root() -> ModulePath {
        ModulePath::default()
    }

    /// Whether it is the root module.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// A module called from this one.
    #[must_use]
    pub fn child(&self, name: impl Into<Arc<str>>, key: Option<Key>) -> ModulePath {
        let step = ModuleStep { name: name.into(), key };
        ModulePath(self.0.iter().cloned().chain([step]).collect())
    }
}

/// A resource without instance key. Ordered as Terraform lists resources: module, mode, type, name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceAddress {
    /// The module instance that it is declared in.
    pub module: ModulePath,
    /// Managed or data.
    pub mode: Mode,
    /// The resource type, such as `aws_kms_key`.
    pub type_name: Arc<str>,
    /// The name in the spec.
    pub name: Arc<str>,
}

impl ResourceAddress {
    /// A managed resource of the root module.
    pub fn managed(type_name: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> ResourceAddress {
        ResourceAddress {
            module: ModulePath::root(),
            mode: Mode::Managed,
            type_name: type_name.into(),
            name: name.into(),
        }
    }

    /// A data source of the root module.
    pub fn data(type_name: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> ResourceAddress {
        ResourceAddress { mode: Mode::Data, ..ResourceAddress::managed(type_name, name) }
    }

    /// The instance with this key.
    pub fn instance(&self, key: Option<Key>) -> Address {
        Address { resource: self.clone(), key }
    }
}

/// One instance of a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The resource.
    pub resource: ResourceAddress,
    /// The instance's key, where the resource has `count` or `for_each`.
    pub key: Option<Key>,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Index(i) => write!(f, "[{i}]"),
            Key::Name(name) => {
                f.write_str("[\"")?;
                let mut rest = name.chars().peekable();
                while let Some(c) = rest.next() {
                    match c {
                        '"' => f.write_str("\\\"")?,
                        '\\' => f.write_str("\\\\")?,
                        '\n' => f.write_str("\\n")?,
                        '\r' => f.write_str("\\r")?,
                        '\t' => f.write_str("\\t")?,
                        // A template would begin here.
                        '$' | '%' if rest.peek() == Some(&'{') => write!(f, "{c}{c}")?,
                        c => write!(f, "{c}")?,
                    }
                }
                f.write_str("\"]")
            }
        }
    }
}

impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            write!(f, "{}module.{}", if i > 0 { "." } else { "" }, step.name)?;
            if let Some(key) = &step.key {
                write!(f, "{key}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for ResourceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        let data = if self.mode == Mode::Data { "data." } else { "" };
        write!(f, "{data}{}.{}", self.type_name, self.name)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.resource)?;
        self.key.as_ref().map_or(Ok(()), |key| write!(f, "{key}"))
    }
}

/// A text that is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no resource address: {why}")]
pub struct BadAddress {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Address, BadAddress> {
        let bad = |why| BadAddress { text: text.to_owned(), why };
        let mut rest = text;
        let mut module = Vec::new();
        let mut mode = Mode::Managed;
        loop {
            let (word, key, tail) = segment(rest).ok_or_else(|| bad("it is not finished"))?;
            match word {
                "module" if key.is_none() => {
                    let (name, key, tail) = segment(tail).ok_or_else(|| bad("`module` needs a name"))?;
                    module.push(ModuleStep { name: name.into(), key });
                    rest = tail;
                    continue;
                }
                "data" if key.is_none() && mode == Mode::Managed => {
                    mode = Mode::Data;
                    rest = tail;
                    continue;
                }
                _ => {}
            }
            if key.is_some() {
                return Err(bad("a key may only follow a name"));
            }
            let (name, key, tail) = segment(tail).ok_or_else(|| bad("a type needs a name behind it"))?;
            if !tail.is_empty() {
                return Err(bad("there is more text behind it"));
            }
            let resource = ResourceAddress {
                module: ModulePath(module.into()),
                mode,
                type_name: word.into(),
                name: name.into(),
            };
            return Ok(Address { resource, key });
        }
    }
}

/// Takes `name`, `name[0]` or `name["key"]` and a following dot from the front.
pub(crate) fn segment(text: &str) -> Option<(&str, Option<Key>, &str)> {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (name, mut rest) = text.split_at_checked(end)?;
    let good = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(good) {
        return None;
    }
    let mut key = None;
    if let Some(inside) = rest.strip_prefix('[') {
        if let Some(quoted) = inside.strip_prefix('"') {
            let (k, tail) = quoted_key(quoted)?;
            key = Some(Key::Name(k.into()));
            rest = tail.strip_prefix(']')?;
        } else {
            let (digits, tail) = inside.split_once(']')?;
            key = Some(Key::Index(digits.parse().ok()?));
            rest = tail;
        }
    }
    match rest.strip_prefix('.') {
        Some(tail) if !tail.is_empty() => Some((name, key, tail)),
        None if rest.is_empty() => Some((name, key, "")),
        _ => None,
    }
}

fn quoted_key(text: &str) -> Option<(String, &str)> {
    let mut key = String::new();
    let mut chars = text.char_indices();
    while let Some((i, c)) = chars.next() {
        match c {
            '"' => return Some((key, text.get(i + 1..)?)),
            '$' | '%' if text.get(i + 1..).is_some_and(|rest| rest.starts_with(&format!("{c}{{"))) => {
                key.push(c);
                chars.next();
            }
            '\\' => key.push(match chars.next()?.1 {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                c @ ('"' | '\\') => c,
                _ => return None,
            }),
            c => key.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_that_are_no_addresses() {
        for text in
            ["", "a", "a.", ".a", "a.b.c", "a.b[", "a.b[x]", "a.b[\"x]", "a[0].b", "module.m", "a.b[-1]"]
        {
            assert!(text.parse::<Address>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_data_source_in_a_module_instance() {
        let text = r#"module.a[0].module.b["x.y"].data.aws_region.here["q\"\\"]"#;
        let address: Address = text.parse().unwrap();
        assert_eq!(address.resource.mode, Mode::Data);
        assert_eq!(address.key, Some(Key::Name("q\"\\".into())));
        assert_eq!(address.to_string(), text);
    }

    #[test]
    fn templates_in_keys_are_escaped_as_terraform_does() {
        let address = ResourceAddress::managed("a", "b").instance(Some(Key::Name("x${y}%{z}$".into())));
        assert_eq!(address.to_string(), r#"a.b["x$${y}%%{z}$"]"#);
        assert_eq!(address.to_string().parse::<Address>().unwrap(), address);
    }

    proptest! {
        #[test]
        fn reading_what_was_written_gives_the_same(name in "[a-z_][a-z0-9_-]{0,8}", key in proptest::option::of("([$%{}\"\\\\]|.){0,12}"), index in 0u64..9) {
            let resource = ResourceAddress::managed("aws_kms_key", name.as_str());
            let module = ModulePath::root().child("m", Some(Key::Index(index)));
            let resource = ResourceAddress { module, ..resource };
            let address = resource.instance(key.map(|k| Key::Name(k.into())));
            prop_assert_eq!(address.to_string().parse::<Address>().unwrap(), address);
        }

        #[test]
        fn reading_never_panics(text in ".*") {
            let _ = text.parse::<Address>();
        }
    }
}
