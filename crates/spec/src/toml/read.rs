//! Reads one TOML file to its tree, with every error of the file.

use std::borrow::Cow;

use terrane_model::{Diagnostic, Diagnostics, FileId, Span};
use toml_parser::decoder::Encoding;
use toml_parser::parser::{EventReceiver, ValidateWhitespace, parse_document};
use toml_parser::{ErrorSink, Raw, Source};

use crate::toml::message::{Brackets, Errors, MOST_MESSAGES};
use crate::toml::scalar::scalar;
use crate::toml::tree::{Clash, Content, Form, Key, Node, Table};

/// Tables and arrays within each other. Deeper ones are refused, so that no later step can run out of stack.
const DEEPEST: usize = 100;

/// Reads a file. The tree holds what could be understood when there were errors.
pub fn read(file: FileId, text: &str) -> (Table, Diagnostics) {
    let source = Source::new(text);
    let tokens = source.lex().into_vec();
    let brackets = Brackets::default();
    let mut errors = Errors::new(file, source, &brackets);
    let mut reader = Reader {
        source,
        file,
        root: Table::new(Form::Header),
        header: None,
        lines: Vec::new(),
        keys: Vec::new(),
        pending: None,
        open: Vec::new(),
        found: Vec::new(),
        brackets: &brackets,
    };
    let mut checked = ValidateWhitespace::new(&mut reader, source);
    parse_document(&tokens, &mut checked, &mut errors);
    reader.finish_section();
    let mut found = errors.found;
    found.append(&mut reader.found);
    (reader.root, found)
}

/// A header `[path]` or `[[path]]`.
struct Header {
    path: Vec<Key>,
    repeated: bool,
    span: Span,
    closed: bool,
}

/// An array or inline table that is not closed yet.
struct Open {
    container: Container,
    span: Span,
    depth: usize,
}

enum Container {
    Array(Vec<Node>),
    /// The table, and the keys of the value that comes next.
    Table(Table, Option<Vec<Key>>),
}

struct Reader<'s> {
    source: Source<'s>,
    file: FileId,
    root: Table,
    header: Option<Header>,
    /// The lines under the header.
    lines: Vec<(Vec<Key>, Node)>,
    /// Keys read since the last `=`, comma or line.
    keys: Vec<Key>,
    /// The keys of the value that comes next, outside of braces and brackets.
    pending: Option<Vec<Key>>,
    open: Vec<Open>,
    /// What is wrong beyond the grammar.
    found: Diagnostics,
    brackets: &'s Brackets,
}

impl Reader<'_> {
    fn span(&self, span: toml_parser::Span) -> Span {
        Span::new(self.file, span.start(), span.end())
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if self.found.len() < MOST_MESSAGES {
            self.found.push(diagnostic);
        }
    }

    fn clash(&mut self, clash: &Clash) {
        let detail =
            format!("`{}` is already defined, as {}. TOML allows each key once.", clash.key.name, clash.was);
        self.report(
            Diagnostic::error("duplicate-key", "Duplicate key", detail)
                .at(clash.key.span)
                .with_related(clash.first, "first defined here"),
        );
    }

    /// Whether a value may lie at this depth.
    fn deep_enough(&mut self, depth: usize, span: Span) -> bool {
        if depth > DEEPEST {
            let detail = format!("Tables and arrays may be nested {DEEPEST} levels deep; this lies deeper.");
            self.report(Diagnostic::error("nested-too-deeply", "Nesting too deep", detail).at(span));
        }
        depth <= DEEPEST
    }

    /// How deep the next value lies.
    fn depth(&self) -> usize {
        match self.open.last() {
            Some(Open { container: Container::Table(_, Some(path)), depth, .. }) => depth + path.len(),
            Some(Open { depth, .. }) => depth + 1,
            None => {
                let header = self.header.as_ref().map_or(0, |h| h.path.len() + 1);
                header + self.pending.as_ref().map_or(0, Vec::len)
            }
        }
    }

    /// Puts a finished value where it belongs.
    fn value(&mut self, node: Node) {
        match self.open.last_mut() {
            Some(Open { container: Container::Array(elements), .. }) => elements.push(node),
            Some(Open { container: Container::Table(table, pending), .. }) => {
                let clash = pending.take().and_then(|path| table.set(&path, node).err());
                if let Some(clash) = clash {
                    self.clash(&clash);
                }
            }
            None => {
                if let Some(path) = self.pending.take() {
                    self.lines.push((path, node));
                }
            }
        }
    }

    fn open(&mut self, container: Container, span: toml_parser::Span) -> bool {
        let (depth, span) = (self.depth(), self.span(span));
        self.open.push(Open { container, span, depth });
        self.brackets.changed(self.open.len());
        self.deep_enough(depth, span)
    }

    fn close(&mut self, span: toml_parser::Span) {
        let Some(open) = self.open.pop() else { return };
        self.brackets.changed(self.open.len());
        let span = open.span.to(self.span(span));
        let content = match open.container {
            Container::Array(elements) => Content::Array(elements),
            Container::Table(table, _) => Content::Table(table),
        };
        self.value(Node { content, span });
    }

    fn header(&mut self, span: toml_parser::Span, repeated: bool) {
        self.finish_section();
        self.header = Some(Header { path: vec![], repeated, span: self.span(span), closed: false });
    }

    fn close_header(&mut self, span: toml_parser::Span) {
        let end = self.span(span);
        let path = std::mem::take(&mut self.keys);
        if let Some(header) = &mut self.header {
            header.path = path;
            header.span = header.span.to(end);
            header.closed = true;
        }
    }

    /// Moves the lines since the last header into the tree.
    fn finish_section(&mut self) {
        self.open.clear();
        self.brackets.changed(0);
        self.keys.clear();
        self.pending = None;
        let lines = std::mem::take(&mut self.lines);
        let mut clashes = Vec::new();
        let table = match self.header.take() {
            None => &mut self.root,
            Some(header) if !header.closed => return,
            Some(header) => {
                if !self.deep_enough(header.path.len(), header.span) {
                    return;
                }
                match self.root.open(&header.path, header.repeated, header.span) {
                    Ok(table) => table,
                    Err(clash) => {
                        self.clash(&clash);
                        return;
                    }
                }
            }
        };
        for (path, node) in lines {
            clashes.extend(table.set(&path, node).err());
        }
        for clash in clashes {
            self.clash(&clash);
        }
    }
}

impl EventReceiver for Reader<'_> {
    fn std_table_open(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.header(span, false);
    }

    fn std_table_close(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.close_header(span);
    }

    fn array_table_open(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.header(span, true);
    }

    fn array_table_close(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.close_header(span);
    }

    fn inline_table_open(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) -> bool {
        self.open(Container::Table(Table::new(Form::Inline), None), span)
    }

    fn inline_table_close(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.close(span);
    }

    fn array_open(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) -> bool {
        self.open(Container::Array(vec![]), span)
    }

    fn array_close(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.close(span);
    }

    fn simple_key(
        &mut self,
        span: toml_parser::Span,
        encoding: Option<Encoding>,
        errors: &mut dyn ErrorSink,
    ) {
        let Some(raw) = self.source.get(span).map(|raw| Raw::new_unchecked(raw.as_str(), encoding, span))
        else {
            return;
        };
        let mut name = Cow::Borrowed("");
        raw.decode_key(&mut name, errors);
        let key = Key { name: name.into(), span: self.span(span) };
        self.keys.push(key);
    }

    fn key_val_sep(&mut self, _: toml_parser::Span, _: &mut dyn ErrorSink) {
        let path = std::mem::take(&mut self.keys);
        let Some(last) = path.last().cloned() else { return };
        match self.open.last_mut() {
            Some(Open { container: Container::Table(_, pending), .. }) => *pending = Some(path),
            Some(_) => return,
            None => self.pending = Some(path),
        }
        let depth = self.depth();
        if !self.deep_enough(depth, last.span) {
            match self.open.last_mut() {
                Some(Open { container: Container::Table(_, pending), .. }) => *pending = None,
                _ => self.pending = None,
            }
        }
    }

    fn scalar(&mut self, span: toml_parser::Span, encoding: Option<Encoding>, errors: &mut dyn ErrorSink) {
        let Some(raw) = self.source.get(span).map(|raw| Raw::new_unchecked(raw.as_str(), encoding, span))
        else {
            return;
        };
        let span = self.span(span);
        let content = scalar(raw, encoding, span, errors);
        self.value(Node { content, span });
    }

    fn value_sep(&mut self, _: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.keys.clear();
    }

    fn newline(&mut self, _: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.keys.clear();
    }
}
