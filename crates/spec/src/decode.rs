//! From the trees of the files to a [`Module`]: every table is looked at, and everything that is wrong is reported.
//!
//! What is decoded here is the shape alone. Whether names are declared and arguments exist is for `check`.

use std::sync::Arc;

use terrane_expr::Expr;
use terrane_model::nearest::nearest;
use terrane_model::{Diagnostic, Diagnostics, Kind, Span, Type, Value, convert};

use crate::check::Arguments;
use crate::module::Module;
use crate::toml::{Content, Entry, Node, Table};

mod address;
mod body;
mod calls;
mod dynamic;
mod lifecycle;
mod resource;
mod settings;
mod statement;
mod variable;

/// The tables that a file may have.
pub const TABLES: [&str; 14] = [
    "access",
    "check",
    "data",
    "import",
    "locals",
    "module",
    "moved",
    "output",
    "provider",
    "removed",
    "resource",
    "terraform",
    "terrane",
    "variable",
];

/// The key of a comment in specs that were converted from JSON.
const COMMENT: &str = "//";

/// Decodes the files of one module, one after the other.
#[derive(Default)]
pub struct Decoder {
    /// What was decoded.
    pub module: Module,
    /// What was wrong.
    pub found: Diagnostics,
    /// The arguments of the resources one by one.
    pub arguments: Arguments,
}

impl Decoder {
    /// Adds the tree of one file.
    pub fn file(&mut self, root: &Table) {
        for (name, entry) in &root.entries {
            match &**name {
                COMMENT => {}
                "resource" | "data" => self.resources(name, entry),
                "variable" => self.named(entry, name, Decoder::variable),
                "locals" => self.locals(entry),
                "provider" => self.providers(entry),
                "output" => self.named(entry, name, Decoder::output),
                "module" => self.named(entry, name, Decoder::module_call),
                "moved" => self.repeated(entry, name, Decoder::moved),
                "import" => self.repeated(entry, name, Decoder::import),
                "removed" => self.repeated(entry, name, Decoder::removed),
                "check" => self.named(entry, name, Decoder::check),
                "access" => self.named(entry, name, Decoder::access),
                "terrane" => self.terrane(entry),
                "terraform" => self.terraform(entry),
                _ => self.unknown_table(name, entry),
            }
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    fn unknown_table(&mut self, name: &str, entry: &Entry) {
        let near = nearest(name, TABLES);
        let mut detail = format!("There is no table `{name}` in a spec.");
        match near {
            Some(near) => detail.push_str(&format!(" Did you mean `{near}`?")),
            None => detail.push_str(&there_are(&TABLES)),
        }
        self.report(Diagnostic::error("unknown-table", "Unknown table", detail).at(entry.key));
    }

    /// Decodes each `[table.NAME]` of a table.
    fn named(&mut self, entry: &Entry, table: &str, decode: fn(&mut Decoder, &Arc<str>, &Entry, &Table)) {
        let Some(names) = self.table(&entry.node, table) else { return };
        for (name, entry) in &names.entries {
            self.name(name, entry.key, table);
            if let Some(inside) = self.table(&entry.node, &format!("{table}.{name}")) {
                decode(self, name, entry, inside);
            }
        }
    }

    /// Decodes each `[[table]]`.
    fn repeated(&mut self, entry: &Entry, table: &str, decode: fn(&mut Decoder, &Table, Span)) {
        for (inside, span) in self.tables(&entry.node, table) {
            decode(self, inside, span);
        }
    }

    fn locals(&mut self, entry: &Entry) {
        let tables = self.tables(&entry.node, "locals");
        let names =
            tables.into_iter().flat_map(|(table, _)| &table.entries).filter(|(name, _)| &***name != COMMENT);
        for (name, entry) in names {
            self.name(name, entry.key, "local");
            let expr = self.expr(&entry.node);
            let local = crate::module::Local { expr, span: entry.key };
            match self.module.locals.get(name).map(|first| first.span) {
                Some(first) => self.duplicate(&format!("local.{name}"), entry.key, first),
                None => {
                    self.module.locals.insert(name.clone(), local);
                }
            }
        }
    }

    /// Refuses a name that no reference could be written to.
    fn name(&mut self, name: &str, span: Span, what: &str) {
        let mut characters = name.chars();
        let first = characters.next().is_some_and(|c| c.is_alphabetic() || c == '_');
        if !first || !characters.all(|c| c.is_alphanumeric() || c == '_' || c == '-') {
            let detail = format!(
                "`{name}` can't be the name of a {what}. A name begins with a letter or an underscore, and goes on \
                 with letters, digits, underscores and hyphens."
            );
            self.report(Diagnostic::error("invalid-name", "Invalid name", detail).at(span));
        }
    }

    fn duplicate(&mut self, what: &str, span: Span, first: Span) {
        let detail = format!("`{what}` is declared twice. Rename one of the two, or take it out.");
        self.report(
            Diagnostic::error("duplicate-name", "Duplicate name", detail)
                .at(span)
                .with_related(first, "first declared here"),
        );
    }

    fn wrong_shape(&mut self, what: &str, needed: &str, node: &Node) {
        if matches!(node.content, Content::Broken) {
            return;
        }
        let detail = format!("`{what}` must be {needed}, and this is {}.", node.content.describe());
        self.report(Diagnostic::error("wrong-type", "Wrong type", detail).at(node.span));
    }

    /// The node as a table.
    fn table<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n Table> {
        match &node.content {
            Content::Table(table) => Some(table),
            // Converters write a block that occurs once as an array of one.
            Content::Tables(all) | Content::Array(all) => match all.as_slice() {
                [Node { content: Content::Table(table), .. }] => Some(table),
                _ => {
                    self.wrong_shape(what, "one table", node);
                    None
                }
            },
            _ => {
                self.wrong_shape(what, "a table", node);
                None
            }
        }
    }

    /// The node as one or several tables.
    fn tables<'n>(&mut self, node: &'n Node, what: &str) -> Vec<(&'n Table, Span)> {
        match &node.content {
            Content::Table(table) => vec![(table, node.span)],
            Content::Tables(all) | Content::Array(all) => {
                all.iter().filter_map(|n| Some((self.table(n, what)?, n.span))).collect()
            }
            _ => {
                self.wrong_shape(what, "a table or an array of tables", node);
                vec![]
            }
        }
    }

    /// Refuses keys that a table does not have.
    fn only(&mut self, table: &Table, what: &str, names: &[&str]) {
        let foreign = |name: &str| name != COMMENT && !names.contains(&name);
        for (name, entry) in table.entries.iter().filter(|(name, _)| foreign(name)) {
            let mut detail = format!("There is no argument named `{name}` in `{what}`.");
            match nearest(name, names.iter().copied()) {
                Some(near) => detail.push_str(&format!(" Did you mean `{near}`?")),
                None => detail.push_str(&there_are(names)),
            }
            self.report(Diagnostic::error("unknown-argument", "Unknown argument", detail).at(entry.key));
        }
    }

    /// A value that must be known without the rest of the spec, of a primitive type.
    fn fixed(&mut self, node: &Node, what: &str, ty: &Type) -> Option<Value> {
        let expr = self.expr(node);
        let Some(value) = expr.as_literal() else {
            let detail = format!(
                "`{what}` must be a fixed {}: it is read before anything can be referred to.",
                ty.friendly()
            );
            self.report(
                Diagnostic::error("not-fixed", "Expression where a fixed value is needed", detail)
                    .at(node.span),
            );
            return None;
        };
        match convert::convert(value, ty) {
            Ok(value) if value.is_unknown() || value.is_null() => None,
            Ok(value) => Some(value),
            Err(error) => {
                let detail = format!("`{what}` must be {}: {}.", convert::article(ty), error.detail);
                self.report(Diagnostic::error("wrong-type", "Wrong type", detail).at(node.span));
                None
            }
        }
    }

    /// A fixed text.
    fn text(&mut self, node: &Node, what: &str) -> Option<(Arc<str>, Span)> {
        match self.fixed(node, what, &Type::String)?.into_kind() {
            Kind::String(text) => Some((text, node.span)),
            _ => None,
        }
    }

    /// A fixed text of an optional argument.
    fn optional_text(&mut self, table: &Table, name: &str) -> Option<(Arc<str>, Span)> {
        self.text(&table.get(name)?.node, name)
    }

    /// A fixed truth value of an optional argument.
    fn flag(&mut self, table: &Table, name: &str) -> Option<bool> {
        self.fixed(&table.get(name)?.node, name, &Type::Bool)?.as_bool()
    }

    /// An optional argument.
    fn optional_expr(&mut self, table: &Table, name: &str) -> Option<Expr> {
        table.get(name).map(|entry| self.expr(&entry.node))
    }

    /// An argument that must be given.
    fn required_expr(&mut self, table: &Table, name: &str, what: &str, span: Span) -> Expr {
        match table.get(name) {
            Some(entry) => self.expr(&entry.node),
            None => {
                self.missing(name, what, span);
                Expr::literal(Value::unknown(Type::Any), span)
            }
        }
    }

    fn missing(&mut self, name: &str, what: &str, span: Span) {
        let detail = format!("`{what}` needs the argument `{name}`.");
        self.report(Diagnostic::error("missing-argument", "Missing argument", detail).at(span));
    }
}

/// ` There are ...`, as a sentence behind another one.
pub(crate) fn there_are(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    match quoted.split_last() {
        Some((last, before)) if !before.is_empty() => format!(" There are {} and {last}.", before.join(", ")),
        Some((last, _)) => format!(" There is {last}."),
        None => " There are none.".into(),
    }
}

/// The header of a table, or its key where it has no header of its own.
fn header(entry: &Entry) -> Span {
    match &entry.node.content {
        Content::Table(table) if table.has_header() => entry.node.span,
        Content::Tables(_) => entry.node.span,
        _ => entry.key,
    }
}
