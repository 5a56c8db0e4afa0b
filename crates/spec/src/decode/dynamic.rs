//! `dynamic` blocks of converted specs, rewritten into the expression that a block may be given as.
//!
//! `dynamic.attribute = { for_each = X, content = { name = "${attribute.value}" } }` says the same as
//! `attribute = "${[for attribute in [for key, value in X : { key = key, value = value }] : { name = attribute.value }]}"`.
//! The expression is composed as text, so that the iterator's name is bound where the content is parsed, and each piece
//! of the text keeps its place in the file.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_expr::{Expr, OffsetMap, Origin, parse_expression};
use terrane_model::{FileId, Span, Type, Value};

use super::Decoder;
use super::body::is_template;
use crate::toml::{Content, Entry, Node, Table, Text};

/// One generator of blocks.
struct Generator<'t> {
    for_each: &'t Node,
    iterator: Arc<str>,
    content: &'t Node,
    key: Span,
}

impl Decoder {
    /// The blocks that the `dynamic` tables of a block stand for, by name, together with those that stand there as they
    /// are. Nothing when there is no `dynamic`.
    pub(super) fn dynamic_blocks(&mut self, table: &Table) -> Option<BTreeMap<Arc<str>, (Expr, Span)>> {
        let file = dynamic(table)?.key.file;
        let generators = self.generators(table);
        let mut found = BTreeMap::new();
        for (name, all) in &generators {
            let key = all.first().map(|g| g.key)?;
            let mut composer =
                Composer { decoder: self, text: String::new(), map: OffsetMap::linear(0), file };
            composer.blocks(table.get(name), all, key);
            let (text, origin) = (composer.text, Origin { file, map: composer.map });
            let expr = parse_expression(&text, &origin).unwrap_or_else(|errors| {
                self.found.extend(errors);
                Expr::literal(Value::unknown(Type::Any), key)
            });
            found.insert(name.clone(), (expr, key));
        }
        Some(found)
    }

    fn generators<'t>(&mut self, table: &'t Table) -> BTreeMap<Arc<str>, Vec<Generator<'t>>> {
        let mut found: BTreeMap<Arc<str>, Vec<Generator<'t>>> = BTreeMap::new();
        let Some(entry) = dynamic(table) else { return found };
        for (names, _) in self.tables(&entry.node, "dynamic") {
            for (name, entry) in &names.entries {
                for (inside, span) in self.tables(&entry.node, &format!("dynamic.{name}")) {
                    self.only(inside, &format!("dynamic.{name}"), &["content", "for_each", "iterator"]);
                    let iterator = match inside.get("iterator") {
                        Some(iterator) => self.text(&iterator.node, "iterator").map(|(text, span)| {
                            self.name(&text, span, "iterator");
                            text
                        }),
                        None => None,
                    };
                    let (Some(for_each), Some(content)) = (inside.get("for_each"), inside.get("content"))
                    else {
                        let missing = if inside.get("content").is_none() { "content" } else { "for_each" };
                        self.missing(missing, &format!("dynamic.{name}"), span);
                        continue;
                    };
                    if self.table(&content.node, "content").is_none() {
                        continue;
                    }
                    found.entry(name.clone()).or_default().push(Generator {
                        for_each: &for_each.node,
                        iterator: iterator.unwrap_or_else(|| name.clone()),
                        content: &content.node,
                        key: entry.key,
                    });
                }
            }
        }
        found
    }
}

/// The entry `dynamic` of a table, unless it is an argument that happens to have this name.
fn dynamic(table: &Table) -> Option<&Entry> {
    let entry = table.get("dynamic")?;
    let generates = |node: &Node| match &node.content {
        Content::Table(names) => {
            !names.entries.is_empty()
                && names.entries.values().all(|e| match &e.node.content {
                    Content::Table(inside) => {
                        inside.get("for_each").is_some() || inside.get("content").is_some()
                    }
                    Content::Tables(_) | Content::Array(_) => true,
                    _ => false,
                })
        }
        _ => false,
    };
    let found = match &entry.node.content {
        Content::Table(_) => generates(&entry.node),
        Content::Tables(all) | Content::Array(all) => !all.is_empty() && all.iter().all(generates),
        _ => false,
    };
    found.then_some(entry)
}

/// Writes an expression whose pieces come from several places of one file.
struct Composer<'d> {
    decoder: &'d mut Decoder,
    text: String,
    map: OffsetMap,
    file: FileId,
}

impl Composer<'_> {
    /// Text of our own; errors in it point to `place`.
    fn own(&mut self, text: &str, place: Span) {
        self.map.resume(self.text.len(), place.start as usize);
        self.text.push_str(text);
    }

    /// The bytes from `start` to `end` of a decoded text. One more byte must follow without a place of its own, so that
    /// places that end with the piece do so in the file, too.
    fn copied(&mut self, text: &Text, start: usize, end: usize) {
        let piece = text.decoded.get(start..end).unwrap_or_default();
        for (at, file) in text.runs_between(start, end) {
            self.map.resume(self.text.len() + at, file);
        }
        self.text.push_str(piece);
    }

    /// All blocks of one name: those that stand in the table, then those that are generated.
    fn blocks(&mut self, fixed: Option<&Entry>, generators: &[Generator<'_>], key: Span) {
        self.own("concat(", key);
        if let Some(entry) = fixed {
            match &entry.node.content {
                Content::Array(_) | Content::Tables(_) => self.value(&entry.node),
                Content::Table(_) => {
                    self.own("[", entry.key);
                    self.value(&entry.node);
                    self.own("]", entry.key);
                }
                _ => {
                    self.own("tolist(", entry.key);
                    self.value(&entry.node);
                    self.own(")", entry.key);
                }
            }
            self.own(", ", key);
        }
        for generator in generators {
            self.own(&format!("[for {} in [for key, value in ", generator.iterator), generator.key);
            self.value(generator.for_each);
            self.own(" : { key = key, value = value }] : ", generator.key);
            self.value(generator.content);
            self.own("], ", generator.key);
        }
        self.own("[])", key);
    }

    fn value(&mut self, node: &Node) {
        match &node.content {
            Content::Text(text) => self.template(text),
            Content::Number(number) => self.own(&format!("({number})"), node.span),
            Content::Bool(value) => self.own(if *value { "true" } else { "false" }, node.span),
            Content::Datetime(text) => self.quoted(text, node.span),
            Content::Array(elements) | Content::Tables(elements) => {
                self.own("[", node.span);
                for element in elements {
                    self.value(element);
                    self.own(", ", node.span);
                }
                self.own("]", node.span);
            }
            Content::Table(table) => self.table(table, node.span),
            Content::Broken => self.own("null", node.span),
        }
    }

    fn table(&mut self, table: &Table, span: Span) {
        let generators = self.decoder.generators(table);
        let has_dynamic = dynamic(table).is_some();
        self.own("{", span);
        for (name, entry) in &table.entries {
            if (has_dynamic && &**name == "dynamic") || generators.contains_key(name) {
                continue;
            }
            self.key(name, entry.key);
            self.value(&entry.node);
            self.own(", ", entry.key);
        }
        for (name, all) in &generators {
            let key = all.first().map_or(span, |g| g.key);
            self.key(name, key);
            self.blocks(table.get(name), all, key);
            self.own(", ", key);
        }
        self.own("}", span);
    }

    fn key(&mut self, name: &str, span: Span) {
        match is_template(name) {
            true => {
                let mark = mark(name);
                self.own(&format!("(trimsuffix(<<{mark}\n{name}\n{mark}\n, \"\\n\"))"), span);
            }
            false => self.quoted(name, span),
        }
        self.own(" = ", span);
    }

    /// A string of our own that says what `text` says.
    fn quoted(&mut self, text: &str, span: Span) {
        let mut quoted = String::from("\"");
        for (i, c) in text.char_indices() {
            match c {
                '"' | '\\' => quoted.extend(['\\', c]),
                '\n' => quoted.push_str("\\n"),
                '\r' => quoted.push_str("\\r"),
                '\t' => quoted.push_str("\\t"),
                '$' | '%' if text.get(i + 1..).is_some_and(|rest| rest.starts_with('{')) => {
                    quoted.extend([c, c])
                }
                c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
                c => quoted.push(c),
            }
        }
        quoted.push('"');
        self.own(&quoted, span);
    }

    fn template(&mut self, text: &Text) {
        let decoded = &text.decoded;
        if !is_template(decoded) {
            return self.quoted(decoded, text.span);
        }
        let inner = decoded.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        if let Some(inner) = inner
            && parse_expression(inner, &Origin::linear(self.file, 0)).is_ok()
        {
            // Inside of an object a line break would end the item, and a comment would go on to what follows.
            let alone = inner.contains(['\n', '#']) || inner.contains("//");
            if alone {
                self.own("(", text.span);
            }
            self.copied(text, 2, 2 + inner.len());
            match alone {
                true => {
                    self.text.push('\n');
                    self.own(")", text.span);
                }
                false => self.text.push(' '),
            }
            return;
        }
        // A heredoc takes the text as it is; the line break that ends it is taken off again.
        let mark = mark(decoded);
        self.own(&format!("trimsuffix(<<{mark}\n"), text.span);
        self.copied(text, 0, decoded.len());
        self.text.push('\n');
        self.own(&format!("{mark}\n, \"\\n\")"), text.span);
    }
}

/// A word that does not occur in a text, to end a heredoc of it.
fn mark(text: &str) -> String {
    (0..).map(|n| format!("TEXT{n}")).find(|mark| !text.contains(mark.as_str())).unwrap_or_default()
}
