//! The tree of a TOML file, and the rules by which headers and dotted keys extend its tables.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::sync::Arc;

use terrane_model::{Number, Span};

use crate::toml::text::Text;

/// A value and where it stands. A table made by a header has the header's place; an implied one its key's.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub content: Content,
    /// Where it stands.
    pub span: Span,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Content {
    /// A string.
    Text(Text),
    /// An integer or a float.
    Number(Number),
    /// true or false.
    Bool(bool),
    /// A date or a time, as it is written.
    Datetime(Arc<str>),
    /// An array in brackets.
    Array(Vec<Node>),
    /// The tables of one `[[name]]`.
    Tables(Vec<Node>),
    /// A table.
    Table(Table),
    /// Something that could not be read, and was reported.
    Broken,
}

impl Content {
    /// What it is called in messages.
    pub fn describe(&self) -> &'static str {
        match self {
            Content::Text(_) => "a string",
            Content::Number(_) => "a number",
            Content::Bool(_) => "a bool",
            Content::Datetime(_) => "a date or time",
            Content::Array(_) => "an array",
            Content::Tables(_) => "an array of tables",
            Content::Table(_) => "a table",
            Content::Broken => "broken",
        }
    }
}

/// Keys and values.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The entries by name.
    pub entries: BTreeMap<Arc<str>, Entry>,
    form: Form,
}

/// A key and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where the key stands for the first time.
    pub key: Span,
    /// The value.
    pub node: Node,
}

/// How a table came about; it decides what may extend it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// By the header of a table inside it.
    #[default]
    Implied,
    /// By its own header.
    Header,
    /// By a dotted key.
    Dotted,
    /// In braces: closed.
    Inline,
}

/// A key with its place.
#[derive(Clone, Debug)]
pub struct Key {
    /// The decoded key.
    pub name: Arc<str>,
    /// Where it stands.
    pub span: Span,
}

/// Why a key can't be set.
#[derive(Clone, Debug)]
pub struct Clash {
    /// The key that comes second.
    pub key: Key,
    /// Where it was defined first.
    pub first: Span,
    /// What it was defined as first.
    pub was: &'static str,
}

impl Table {
    /// An empty table of a form.
    pub fn new(form: Form) -> Table {
        Table { entries: BTreeMap::new(), form }
    }

    /// Whether it has a header of its own.
    pub fn has_header(&self) -> bool {
        self.form == Form::Header
    }

    /// The value of a key.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// Sets `path.last = value` as a line `a.b.c = value` of this table does.
    pub fn set(&mut self, path: &[Key], value: Node) -> Result<(), Clash> {
        let Some((last, before)) = path.split_last() else { return Ok(()) };
        let mut table = self;
        for key in before {
            let entry = table.entries.entry(key.name.clone()).or_insert_with(|| empty(key, Form::Dotted));
            let clash = clash(key, entry);
            table = match &mut entry.node.content {
                Content::Table(inner) if matches!(inner.form, Form::Implied | Form::Dotted) => {
                    inner.form = Form::Dotted;
                    inner
                }
                _ => return Err(clash),
            };
        }
        match table.entries.entry(last.name.clone()) {
            Slot::Vacant(slot) => {
                slot.insert(Entry { key: last.span, node: value });
                Ok(())
            }
            Slot::Occupied(slot) => Err(clash(last, slot.get())),
        }
    }

    /// Opens the table of a header `[a.b.c]`, or a further one of `[[a.b.c]]`.
    pub fn open(&mut self, path: &[Key], repeated: bool, header: Span) -> Result<&mut Table, Clash> {
        let Some((last, before)) = path.split_last() else { return Ok(self) };
        let mut table = self;
        for key in before {
            let entry = table.entries.entry(key.name.clone()).or_insert_with(|| empty(key, Form::Implied));
            let clash = clash(key, entry);
            table = match &mut entry.node.content {
                Content::Table(inner) if inner.form != Form::Inline => inner,
                Content::Tables(all) => match all.last_mut().map(|n| &mut n.content) {
                    Some(Content::Table(inner)) => inner,
                    _ => return Err(clash),
                },
                _ => return Err(clash),
            };
        }
        let element = || Node { content: Content::Table(Table::new(Form::Header)), span: header };
        let entry = match table.entries.entry(last.name.clone()) {
            Slot::Vacant(slot) => {
                let content = if repeated {
                    Content::Tables(vec![])
                } else {
                    Content::Table(Table::new(Form::Implied))
                };
                slot.insert(Entry { key: last.span, node: Node { content, span: header } })
            }
            Slot::Occupied(slot) => slot.into_mut(),
        };
        let clash = clash(last, entry);
        match &mut entry.node.content {
            Content::Tables(all) if repeated => {
                all.push(element());
                match all.last_mut().map(|n| &mut n.content) {
                    Some(Content::Table(inner)) => Ok(inner),
                    _ => Err(clash),
                }
            }
            Content::Table(inner) if !repeated && inner.form == Form::Implied => {
                inner.form = Form::Header;
                entry.node.span = header;
                entry.key = last.span;
                Ok(inner)
            }
            _ => Err(clash),
        }
    }
}

fn empty(key: &Key, form: Form) -> Entry {
    Entry { key: key.span, node: Node { content: Content::Table(Table::new(form)), span: key.span } }
}

fn clash(key: &Key, entry: &Entry) -> Clash {
    Clash { key: key.clone(), first: entry.key, was: entry.node.content.describe() }
}
