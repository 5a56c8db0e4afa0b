//! What a resource type looks like: typed data from which state shape, validation, diff, docs and JSON Schema follow.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::address::Mode;
use crate::path::Path;
use crate::ty::{Field, Type};
use crate::value::Value;

/// The schema of one resource type or data source.
#[derive(Debug)]
pub struct Schema {
    /// The type's name, such as `aws_kms_key`.
    pub type_name: &'static str,
    /// Managed resource or data source.
    pub mode: Mode,
    /// Version of the state shape, stored with each instance.
    pub version: u64,
    /// One sentence: which object it is.
    pub summary: &'static str,
    /// Arguments and attributes.
    pub block: Block,
    /// Operations with a time limit that the spec can set, and the default limits.
    pub timeouts: Vec<(Operation, Duration)>,
    ty: OnceLock<Type>,
}

/// An operation that takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Making an object.
    Create,
    /// Reading an object.
    Read,
    /// Changing an object.
    Update,
    /// Deleting an object.
    Delete,
}

impl Operation {
    /// The name in a `timeouts` table.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Create => "create",
            Operation::Read => "read",
            Operation::Update => "update",
            Operation::Delete => "delete",
        }
    }
}

/// Attributes and nested blocks.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// Attributes, sorted by name.
    pub attributes: Vec<Attribute>,
    /// Nested blocks, sorted by name.
    pub blocks: Vec<NestedBlock>,
}

/// Who sets an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The spec must set it.
    Required,
    /// The spec may set it; absent, it is null or the default.
    Optional,
    /// The spec may set it; absent, the provider does, and the prior value is kept.
    OptionalComputed,
    /// Only the provider sets it.
    Computed,
}

/// One attribute.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// Who sets it.
    pub presence: Presence,
    /// A change means a new object.
    pub force_new: bool,
    /// Never shown.
    pub sensitive: bool,
    /// Planned where the spec leaves it out.
    pub default: Option<Value>,
    /// Bounds of the value, or of each element of a collection.
    pub checks: Vec<Check>,
    /// When two different texts mean the same.
    pub form: Option<&'static NormalForm>,
    /// Attributes or blocks of the same block that exclude it.
    pub conflicts_with: &'static [&'static str],
    /// Attributes or blocks of the same block that it needs.
    pub required_with: &'static [&'static str],
    /// Why it should not be used.
    pub deprecated: Option<&'static str>,
    /// Why an object can't be made with it here.
    pub unsupported: Option<&'static str>,
    /// What it is, one sentence.
    pub doc: &'static str,
}

/// How many of a nested block there are, and how they compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// At most one, kept as an object (`timeouts`).
    Single,
    /// In order.
    List,
    /// Without order.
    Set,
}

/// A nested block.
#[derive(Clone, Debug)]
pub struct NestedBlock {
    /// Its name.
    pub name: &'static str,
    /// How it repeats.
    pub nesting: Nesting,
    /// The smallest number of blocks.
    pub min: usize,
    /// The largest number of blocks.
    pub max: Option<usize>,
    /// Absent in the spec, the prior value is kept and a new object's is unknown.
    pub computed: bool,
    /// Any change inside means a new object.
    pub force_new: bool,
    /// The attributes that tell two elements of a set apart; empty: all.
    pub identity: &'static [&'static str],
    /// Blocks or attributes beside it that exclude it.
    pub conflicts_with: &'static [&'static str],
    /// Why an object can't be made with it here.
    pub unsupported: Option<&'static str>,
    /// What is inside.
    pub block: Block,
    /// What it is, one sentence.
    pub doc: &'static str,
}

/// A rule by which two values mean the same, and the text that state holds.
#[derive(Debug)]
pub struct NormalForm {
    /// What kind of text it is.
    pub kind: FormKind,
    /// Whether the two texts mean the same.
    pub equivalent: fn(&str, &str) -> bool,
    /// The form in which a configured text is planned and stored.
    pub normalise: fn(&str) -> String,
}

/// Kinds of text with a normal form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormKind {
    /// JSON.
    Json,
    /// An IAM-style policy document.
    Policy,
    /// Something else.
    Other,
}

/// A bound of a known, non-null value. Applies to each element of a collection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Check {
    /// Number of characters.
    Length(usize, usize),
    /// Smallest and largest number.
    Range(i64, i64),
    /// No fraction.
    Whole,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// Matches a regular expression; the second text says what that means.
    Pattern(&'static str, &'static str),
    /// Does not begin so.
    NotPrefix(&'static str),
    /// An Amazon Resource Name, or empty.
    Arn,
    /// JSON text.
    Json,
    /// A JSON object without duplicate keys, as a policy document must be.
    PolicyJson,
    /// A time in RFC 3339.
    Rfc3339,
    /// A duration such as `30m`.
    Duration,
    /// Nothing but the empty text.
    Empty,
}

impl Schema {
    /// A schema without time limits; attributes and blocks get sorted.
    pub fn new(type_name: &'static str, mode: Mode, summary: &'static str, block: Block) -> Schema {
        Schema {
            type_name,
            mode,
            version: 0,
            summary,
            block: block.sorted(),
            timeouts: vec![],
            ty: OnceLock::new(),
        }
    }

    /// Sets the version of the state shape.
    #[must_use]
    pub fn version(mut self, version: u64) -> Schema {
        self.version = version;
        self
    }

    /// Adds a `timeouts` block with these defaults.
    #[must_use]
    pub fn timeouts(mut self, timeouts: &[(Operation, Duration)]) -> Schema {
        self.timeouts = timeouts.to_vec();
        let attributes = timeouts
            .iter()
            .map(|(op, _)| {
                optional(op.name(), Type::String).check(Check::Duration).doc("A duration such as `30m`.")
            })
            .collect();
        let block = Block { attributes, blocks: vec![] };
        let single = NestedBlock {
            nesting: Nesting::Single,
            max: Some(1),
            ..nested("timeouts", Nesting::Single, block).doc("How long operations may take.")
        };
        self.block.blocks.push(single);
        self.block = self.block.sorted();
        self
    }

    /// The object type of the state: every attribute and block, absent ones null or empty.
    pub fn ty(&self) -> &Type {
        self.ty.get_or_init(|| self.block.ty())
    }

    /// The default time limit of an operation.
    pub fn default_timeout(&self, operation: Operation) -> Option<Duration> {
        self.timeouts.iter().find(|(op, _)| *op == operation).map(|(_, d)| *d)
    }

    /// The attribute that a path leads to; steps into elements are skipped.
    pub fn attribute(&self, path: &Path) -> Option<&Attribute> {
        let mut block = &self.block;
        for step in &path.0 {
            let crate::path::Step::Attribute(name) = step else { continue };
            if let Some(attribute) = block.attribute(name) {
                return Some(attribute);
            }
            block = &block.nested(name)?.block;
        }
        None
    }
}

impl Block {
    fn sorted(mut self) -> Block {
        self.attributes.sort_by_key(|a| a.name);
        self.blocks.sort_by_key(|b| b.name);
        self
    }

    /// The attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|a| a.name == name)
    }

    /// The nested block of this name.
    pub fn nested(&self, name: &str) -> Option<&NestedBlock> {
        self.blocks.iter().find(|b| b.name == name)
    }

    /// Names of all attributes and blocks.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.attributes.iter().map(|a| a.name).chain(self.blocks.iter().map(|b| b.name))
    }

    /// What an object can't be made with here, by name, and why.
    pub fn unsupported(&self) -> impl Iterator<Item = (&'static str, &'static str)> + '_ {
        let attributes = self.attributes.iter().map(|a| (a.name, a.unsupported));
        let blocks = self.blocks.iter().map(|b| (b.name, b.unsupported));
        attributes.chain(blocks).filter_map(|(name, why)| Some((name, why?)))
    }

    /// The object type.
    pub fn ty(&self) -> Type {
        let field = |ty| Field { ty, optional: false };
        let attributes = self.attributes.iter().map(|a| (Arc::from(a.name), field(a.ty.clone())));
        let blocks = self.blocks.iter().map(|b| (Arc::from(b.name), field(b.ty())));
        Type::Object(Arc::new(attributes.chain(blocks).collect::<BTreeMap<_, _>>()))
    }
}

impl NestedBlock {
    /// The type of all blocks of this name together.
    pub fn ty(&self) -> Type {
        match self.nesting {
            Nesting::Single => self.block.ty(),
            Nesting::List => Type::list(self.block.ty()),
            Nesting::Set => Type::set(self.block.ty()),
        }
    }

    /// At most `max` blocks.
    #[must_use]
    pub fn max(mut self, max: usize) -> NestedBlock {
        self.max = Some(max);
        self
    }

    /// At least `min` blocks.
    #[must_use]
    pub fn min(mut self, min: usize) -> NestedBlock {
        self.min = min;
        self
    }

    /// Absent in the spec, the prior value is kept.
    #[must_use]
    pub fn computed(mut self) -> NestedBlock {
        self.computed = true;
        self
    }

    /// A change inside means a new object.
    #[must_use]
    pub fn force_new(mut self) -> NestedBlock {
        self.force_new = true;
        self
    }

    /// The attributes that tell elements apart.
    #[must_use]
    pub fn identity(mut self, names: &'static [&'static str]) -> NestedBlock {
        self.identity = names;
        self
    }

    /// What excludes it.
    #[must_use]
    pub fn conflicts_with(mut self, names: &'static [&'static str]) -> NestedBlock {
        self.conflicts_with = names;
        self
    }

    /// Why an object can't be made with it here.
    #[must_use]
    pub fn unsupported(mut self, why: &'static str) -> NestedBlock {
        self.unsupported = Some(why);
        self
    }

    /// Describes it.
    #[must_use]
    pub fn doc(mut self, doc: &'static str) -> NestedBlock {
        self.doc = doc;
        self
    }
}

impl Attribute {
    fn new(name: &'static str, ty: Type, presence: Presence) -> Attribute {
        Attribute {
            name,
            ty,
            presence,
            force_new: false,
            sensitive: false,
            default: None,
            checks: vec![],
            form: None,
            conflicts_with: &[],
            required_with: &[],
            deprecated: None,
            unsupported: None,
            doc: "",
        }
    }

    /// Whether the provider may set it.
    pub fn is_computed(&self) -> bool {
        matches!(self.presence, Presence::Computed | Presence::OptionalComputed)
    }

    /// A change means a new object.
    #[must_use]
    pub fn force_new(mut self) -> Attribute {
        self.force_new = true;
        self
    }

    /// Never shown.
    #[must_use]
    pub fn sensitive(mut self) -> Attribute {
        self.sensitive = true;
        self
    }

    /// Planned where the spec leaves it out.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Attribute {
        self.default = Some(value.into());
        self
    }

    /// Adds a bound.
    #[must_use]
    pub fn check(mut self, check: Check) -> Attribute {
        self.checks.push(check);
        self
    }

    /// Sets the rule of equivalence.
    #[must_use]
    pub fn form(mut self, form: &'static NormalForm) -> Attribute {
        self.form = Some(form);
        self
    }

    /// What excludes it.
    #[must_use]
    pub fn conflicts_with(mut self, names: &'static [&'static str]) -> Attribute {
        self.conflicts_with = names;
        self
    }

    /// What it needs beside it.
    #[must_use]
    pub fn required_with(mut self, names: &'static [&'static str]) -> Attribute {
        self.required_with = names;
        self
    }

    /// Why it should not be used.
    #[must_use]
    pub fn deprecated(mut self, why: &'static str) -> Attribute {
        self.deprecated = Some(why);
        self
    }

    /// Why an object can't be made with it here.
    #[must_use]
    pub fn unsupported(mut self, why: &'static str) -> Attribute {
        self.unsupported = Some(why);
        self
    }

    /// Describes it.
    #[must_use]
    pub fn doc(mut self, doc: &'static str) -> Attribute {
        self.doc = doc;
        self
    }
}

/// An attribute that the spec must set.
pub fn required(name: &'static str, ty: Type) -> Attribute {
    Attribute::new(name, ty, Presence::Required)
}

/// An attribute that the spec may set.
pub fn optional(name: &'static str, ty: Type) -> Attribute {
    Attribute::new(name, ty, Presence::Optional)
}

/// An attribute that the spec may set and else the provider does.
pub fn optional_computed(name: &'static str, ty: Type) -> Attribute {
    Attribute::new(name, ty, Presence::OptionalComputed)
}

/// An attribute that only the provider sets.
pub fn computed(name: &'static str, ty: Type) -> Attribute {
    Attribute::new(name, ty, Presence::Computed)
}

/// A nested block.
pub fn nested(name: &'static str, nesting: Nesting, block: Block) -> NestedBlock {
    NestedBlock {
        name,
        nesting,
        min: 0,
        max: None,
        computed: false,
        force_new: false,
        identity: &[],
        conflicts_with: &[],
        unsupported: None,
        block: block.sorted(),
        doc: "",
    }
}

/// A block of attributes and nested blocks.
pub fn block(attributes: impl Into<Vec<Attribute>>, blocks: impl Into<Vec<NestedBlock>>) -> Block {
    Block { attributes: attributes.into(), blocks: blocks.into() }.sorted()
}

/// Where schemas are looked up by those that check a spec.
pub trait Schemas {
    /// The schema of a resource type or data source.
    fn schema(&self, mode: Mode, type_name: &str) -> Option<&Schema>;
    /// The schema of a provider's configuration.
    fn provider(&self, name: &str) -> Option<&Block>;
    /// Names of all types of a mode, sorted.
    fn names(&self, mode: Mode) -> Vec<&'static str>;
    /// Names of all providers, sorted.
    fn provider_names(&self) -> Vec<&'static str>;
}
