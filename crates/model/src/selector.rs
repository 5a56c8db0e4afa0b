//! What names some instances out of many: a module, a resource, an instance, or a glob over their addresses.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::address::{Address, Key, Mode, ModulePath, ModuleStep, ResourceAddress, segment};

/// A text that selects instances.
///
/// `module.a`, `module.a["x"]`, `aws_kms_key.k`, `data.aws_region.here` and `aws_kms_key.k[0]` name a module or resource with
/// all that is in it, or an instance. A step without a key stands for every key. A text with `*` (any text, dots included) or
/// `?` (one character) is a glob: it selects an instance when it fits the whole address of the instance, of its resource or
/// of a module around it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector {
    text: String,
    form: Form,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Module(ModulePath),
    Object(Address),
    Glob(Vec<char>),
}

/// A text that selects nothing that there could be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no address of a resource, an instance or a module")]
pub struct BadSelector {
    /// What was given.
    pub text: String,
}

impl Selector {
    /// Whether it is a pattern, not the name of one thing.
    pub fn is_glob(&self) -> bool {
        matches!(self.form, Form::Glob(_))
    }

    /// Whether the instance is selected.
    pub fn covers(&self, address: &Address) -> bool {
        match &self.form {
            Form::Module(path) => is_within(&address.resource.module, path),
            Form::Object(wanted) => {
                same_resource(&wanted.resource, &address.resource)
                    && is_same_length(&wanted.resource, &address.resource)
                    && is_within(&address.resource.module, &wanted.resource.module)
                    && (wanted.key.is_none() || wanted.key == address.key)
            }
            Form::Glob(pattern) => {
                let resource = &address.resource;
                fits(pattern, &address.to_string())
                    || (address.key.is_some() && fits(pattern, &resource.to_string()))
                    || self.covers_whole(&without_keys(resource))
                    || around(&resource.module).any(|module| fits(pattern, &module.to_string()))
            }
        }
    }

    /// Whether every instance of the resource is selected, whatever keys there are. The resource's module has no keys.
    pub fn covers_whole(&self, resource: &ResourceAddress) -> bool {
        match &self.form {
            Form::Module(path) => has_no_keys(path) && is_within(&resource.module, path),
            Form::Object(wanted) => {
                wanted.key.is_none()
                    && has_no_keys(&wanted.resource.module)
                    && is_same_length(&wanted.resource, resource)
                    && same_resource(&wanted.resource, resource)
                    && is_within(&resource.module, &wanted.resource.module)
            }
            Form::Glob(pattern) => {
                fits(pattern, &resource.to_string())
                    || around(&resource.module).any(|module| fits(pattern, &module.to_string()))
            }
        }
    }

    /// Whether some instance of the resource may be selected, depending on its keys. The resource's module has no keys.
    pub fn may_cover(&self, resource: &ResourceAddress) -> bool {
        match &self.form {
            Form::Module(path) => is_within(&resource.module, &keyless(path)),
            Form::Object(wanted) => without_keys(&wanted.resource) == *resource,
            Form::Glob(_) => true,
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Selector {
    type Err = BadSelector;

    fn from_str(text: &str) -> Result<Selector, BadSelector> {
        let bad = || BadSelector { text: text.to_owned() };
        let form = match () {
            () if text.is_empty() => return Err(bad()),
            () if text.contains(['*', '?']) => Form::Glob(text.chars().collect()),
            () => match text.parse::<Address>() {
                Ok(address) => Form::Object(address),
                Err(_) => Form::Module(module(text).ok_or_else(bad)?),
            },
        };
        Ok(Selector { text: text.to_owned(), form })
    }
}

/// `module.a["x"].module.b`.
fn module(text: &str) -> Option<ModulePath> {
    let mut steps: Vec<ModuleStep> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, None, tail) = segment(rest)? else { return None };
        if word != "module" {
            return None;
        }
        let (name, key, tail) = segment(tail)?;
        steps.push(ModuleStep { name: name.into(), key });
        rest = tail;
    }
    (!steps.is_empty()).then(|| ModulePath(steps.into()))
}

/// Whether a module is the named one or lies in it. A step without a key stands for every key.
fn is_within(module: &ModulePath, named: &ModulePath) -> bool {
    let same = |(step, named): (&ModuleStep, &ModuleStep)| {
        step.name == named.name && (named.key.is_none() || named.key == step.key)
    };
    module.0.len() >= named.0.len() && module.0.iter().zip(named.0.iter()).all(same)
}

fn is_same_length(one: &ResourceAddress, other: &ResourceAddress) -> bool {
    one.module.0.len() == other.module.0.len()
}

fn same_resource(one: &ResourceAddress, other: &ResourceAddress) -> bool {
    let parts = |r: &ResourceAddress| (r.mode, r.type_name.clone(), r.name.clone());
    let (a, b): ((Mode, Arc<str>, Arc<str>), _) = (parts(one), parts(other));
    a == b
}

fn has_no_keys(module: &ModulePath) -> bool {
    module.0.iter().all(|step| step.key.is_none())
}

fn keyless(module: &ModulePath) -> ModulePath {
    ModulePath(module.0.iter().map(|step| ModuleStep { name: step.name.clone(), key: None::<Key> }).collect())
}

fn without_keys(resource: &ResourceAddress) -> ResourceAddress {
    ResourceAddress { module: keyless(&resource.module), ..resource.clone() }
}

/// The module itself and those around it, but for the root module.
fn around(module: &ModulePath) -> impl Iterator<Item = ModulePath> {
    (1..=module.0.len()).map(|length| ModulePath(module.0.iter().take(length).cloned().collect()))
}

/// Whether a text is what a pattern describes. Takes time proportional to the product of both lengths at most.
fn fits(pattern: &[char], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where the last star is, and how much of the text it stands for so far.
    let mut star: Option<(usize, usize)> = None;
    while let Some(c) = text.get(t) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(wanted) if wanted == c || *wanted == '?' => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, t) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn covers(selector: &str, address: &str) -> bool {
        selector.parse::<Selector>().unwrap().covers(&address.parse().unwrap())
    }

    #[test]
    fn a_name_covers_what_belongs_to_it() {
        let address = r#"module.m["k"].module.n.aws_a.b["x"]"#;
        for selector in [
            address,
            r#"module.m["k"].module.n.aws_a.b"#,
            "module.m.module.n.aws_a.b",
            r#"module.m.module.n.aws_a.b["x"]"#,
            "module.m.module.n",
            r#"module.m["k"]"#,
            "module.m",
        ] {
            assert!(covers(selector, address), "{selector}");
        }
        for selector in [
            r#"module.m["k"].module.n.aws_a.b["y"]"#,
            r#"module.m["l"]"#,
            "module.n",
            "aws_a.b",
            "module.m.aws_a.b",
            "module.m.module.n.aws_a.bb",
            "module.m.module.n.data.aws_a.b",
        ] {
            assert!(!covers(selector, address), "{selector}");
        }
    }

    #[test]
    fn globs() {
        for (glob, yes, no) in [
            ("aws_a.*", "aws_a.b[0]", "aws_b.a"),
            ("aws_a.t*s", "aws_a.tables[\"Post\"]", "aws_a.table[\"Post\"]"),
            ("*[\"Post\"]", "module.m.aws_a.b[\"Post\"]", "aws_a.b[\"Posts\"]"),
            ("module.a.*", "module.a[1].aws_a.b", "module.ab.aws_a.b"),
            ("module.a?", "module.ab.aws_a.b", "module.a.aws_a.b"),
            ("module.*", "module.a[\"x\"].aws_a.b", "aws_a.b"),
            ("aws_a.b[?]", "aws_a.b[7]", "aws_a.b[17]"),
        ] {
            assert!(covers(glob, yes), "{glob} {yes}");
            assert!(!covers(glob, no), "{glob} {no}");
        }
        assert!(covers("**", "aws_a.b"));
    }

    #[test]
    fn what_is_known_without_keys() {
        let resource: Address = "module.m.aws_a.b".parse().unwrap();
        for (selector, whole, may) in [
            ("module.m", true, true),
            ("module.m[0]", false, true),
            ("module.m.aws_a.b", true, true),
            ("module.m.aws_a.b[0]", false, true),
            ("module.m.aws_a.c", false, false),
            ("module.n", false, false),
            ("module.m.*", true, true),
            ("*[0]", false, true),
        ] {
            let selector: Selector = selector.parse().unwrap();
            assert_eq!(selector.covers_whole(&resource.resource), whole, "{selector}");
            assert_eq!(selector.may_cover(&resource.resource), may, "{selector}");
        }
    }

    #[test]
    fn texts_that_select_nothing() {
        for text in ["", "a", "module", "module.", "module.a.b", "a.b.c", "a.b[x]", "module.a[0", "x y"] {
            assert!(text.parse::<Selector>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn an_address_selects_itself_and_its_resource(
            module in proptest::option::of((proptest::option::of(0u64..3), "[ab]")),
            name in "[ab]", key in proptest::option::of("([$%{}\"\\\\*?]|.){0,6}"), other in "[ab]"
        ) {
            let path = module.map(|(key, name)| ModulePath::root().child(name, key.map(Key::Index))).unwrap_or_default();
            let resource = ResourceAddress { module: path, ..ResourceAddress::managed("t", name.as_str()) };
            let address = resource.instance(key.map(|k| Key::Name(k.into())));
            let selector: Selector = address.to_string().parse().unwrap();
            prop_assert!(selector.covers(&address));
            prop_assert!(selector.may_cover(&without_keys(&resource)));
            let selector: Selector = resource.to_string().parse().unwrap();
            prop_assert!(selector.covers(&address));
            let whole: Selector = without_keys(&resource).to_string().parse().unwrap();
            prop_assert!(whole.covers_whole(&without_keys(&resource)) && whole.covers(&address));
            let elsewhere = ResourceAddress::managed("t", other.as_str()).instance(None);
            prop_assert_eq!(whole.covers(&elsewhere), without_keys(&resource) == elsewhere.resource);
        }

        #[test]
        fn reading_and_matching_never_panic(text in ".*", address in "[a*?.\\[\\]\"]{0,9}") {
            if let (Ok(selector), Ok(address)) = (text.parse::<Selector>(), address.parse::<Address>()) {
                let _ = selector.covers(&address);
            }
        }

        #[test]
        fn globs_agree_with_the_definition(pattern in "[ab*?]{0,7}", text in "[ab]{0,7}") {
            fn slow(p: &[char], t: &[char]) -> bool {
                match (p.split_first(), t.split_first()) {
                    (None, None) => true,
                    (Some(('*', rest)), _) => slow(rest, t) || t.split_first().is_some_and(|(_, tail)| slow(p, tail)),
                    (Some((c, rest)), Some((d, tail))) => (c == d || *c == '?') && slow(rest, tail),
                    _ => false,
                }
            }
            let pattern: Vec<char> = pattern.chars().collect();
            let chars: Vec<char> = text.chars().collect();
            prop_assert_eq!(fits(&pattern, &text), slow(&pattern, &chars));
        }
    }
}
