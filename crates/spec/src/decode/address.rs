//! References, provider names, paths and addresses that stand in the spec as plain text.

use std::sync::Arc;

use terrane_expr::{Expr, Reference, parse_expression, parse_template};
use terrane_model::{Address, Diagnostic, Path, Span, Step};

use super::Decoder;
use crate::resource::{OwnKey, ProviderRef, Trigger};
use crate::statement::Endpoint;
use crate::toml::{Content, Node, Table, Text};

/// A reference with what follows it and its place.
pub(super) type Traversal = (Reference, Vec<Step>, Span);

impl Decoder {
    pub(super) fn depends_on(&mut self, table: &Table) -> Vec<(Reference, Span)> {
        let Some(entry) = table.get("depends_on") else { return vec![] };
        let mut found = Vec::new();
        for (reference, _, span) in self.traversals(&entry.node, "depends_on") {
            match reference {
                Reference::Resource { .. } | Reference::Module { .. } => found.push((reference, span)),
                other => {
                    let detail = format!(
                        "`{other}` can't be depended on. `depends_on` names resources, data sources and modules."
                    );
                    self.report(Diagnostic::error("invalid-reference", "Invalid reference", detail).at(span));
                }
            }
        }
        found
    }

    pub(super) fn triggers(&mut self, node: &Node) -> Vec<Trigger> {
        const WHAT: &str = "replace_triggered_by";
        let mut found = Vec::new();
        for element in self.elements(node, WHAT) {
            let Content::Text(text) = &element.content else { continue };
            let own = own_key(&text.decoded);
            let traversal = match &own {
                None => self.traversal(text, WHAT),
                // What follows the own key is no part of the reference, which has literal steps only.
                Some((_, head, tail)) => {
                    let head = text.beginning(head);
                    let Some(path) = parse_path(&format!("x{tail}")) else {
                        self.not_plain(text, WHAT);
                        continue;
                    };
                    let steps = path.0.into_iter().skip(1).collect();
                    self.traversal(&head, WHAT).map(|(reference, _, span)| (reference, steps, span))
                }
            };
            let Some((reference, steps, span)) = traversal else { continue };
            match reference {
                Reference::Resource { mode: terrane_model::Mode::Managed, .. } => {
                    let own_key = own.map(|(own_key, _, _)| own_key);
                    found.push(Trigger { reference, own_key, steps, span });
                }
                other => {
                    let detail = format!(
                        "`{other}` can't trigger a replacement. `replace_triggered_by` names resources and their \
                         attributes; wrap other values into a `terraform_data`."
                    );
                    self.report(Diagnostic::error("invalid-reference", "Invalid reference", detail).at(span));
                }
            }
        }
        found
    }

    /// A list of references: `["aws_kms_key.a"]`.
    fn traversals(&mut self, node: &Node, what: &str) -> Vec<Traversal> {
        let mut found = Vec::new();
        for element in self.elements(node, what) {
            if let Content::Text(text) = &element.content {
                found.extend(self.traversal(text, what));
            }
        }
        found
    }

    /// The texts of an array of references.
    fn elements<'n>(&mut self, node: &'n Node, what: &str) -> Vec<&'n Node> {
        let Content::Array(elements) = &node.content else {
            self.wrong_shape(what, "an array of references", node);
            return vec![];
        };
        let (texts, others): (Vec<&Node>, Vec<&Node>) =
            elements.iter().partition(|element| matches!(element.content, Content::Text(_)));
        for other in others {
            self.wrong_shape(what, "an array of references", other);
        }
        texts
    }

    /// `aws_kms_key.a` or `${aws_kms_key.a}`.
    fn traversal(&mut self, text: &Text, what: &str) -> Option<Traversal> {
        let parsed = match text.decoded.contains("${") {
            true => parse_template(&text.decoded, &text.origin()),
            false => parse_expression(&text.decoded, &text.origin()),
        };
        let expr = match parsed {
            Ok(expr) => expr,
            Err(found) => {
                self.found.extend(found);
                return None;
            }
        };
        let mut references = expr.references();
        let only = references.next().filter(|_| references.next().is_none());
        let written: String = text.decoded.chars().filter(|c| !c.is_whitespace()).collect();
        let written = written.strip_prefix("${").and_then(|w| w.strip_suffix('}')).unwrap_or(&written);
        let written = written.strip_prefix("resource.").unwrap_or(written);
        match only {
            Some((reference, span, steps)) if format!("{reference}{}", behind(&steps)) == *written => {
                Some((reference.clone(), steps, span))
            }
            _ => {
                self.not_plain(text, what);
                None
            }
        }
    }

    fn not_plain(&mut self, text: &Text, what: &str) {
        let detail = format!(
            "`{}` is not a plain reference. `{what}` takes references such as `aws_kms_key.main`.",
            text.decoded
        );
        self.report(Diagnostic::error("invalid-reference", "Invalid reference", detail).at(text.span));
    }

    /// `aws`, `aws.paris` or `${aws.paris}`.
    pub(super) fn provider_ref(&mut self, node: &Node) -> Option<ProviderRef> {
        let Content::Text(text) = &node.content else {
            self.wrong_shape("provider", "a text such as `aws.paris`", node);
            return None;
        };
        let plain = text.decoded.trim();
        let plain = plain.strip_prefix("${").and_then(|w| w.strip_suffix('}')).map_or(plain, str::trim);
        let mut parts = plain.split('.');
        let good = |part: &&str| {
            !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
        };
        let (name, alias) = (parts.next().filter(good), parts.next());
        match (name, alias, parts.next()) {
            (Some(name), alias, None) if alias.as_ref().is_none_or(good) => {
                Some(ProviderRef { name: name.into(), alias: alias.map(Arc::from), span: node.span })
            }
            _ => {
                let detail = format!("`{}` names no provider. Write `aws`, or `aws.ALIAS`.", text.decoded);
                self.report(
                    Diagnostic::error("invalid-reference", "Invalid reference", detail).at(node.span),
                );
                None
            }
        }
    }

    /// A path of arguments, as in `ignore_changes`: `tags["Name"]`.
    pub(super) fn path(&mut self, text: &Arc<str>, span: Span) -> Option<Path> {
        let path = parse_path(text);
        if path.is_none() {
            let detail =
                format!("`{text}` is no argument. Write `tags`, `tags[\"Name\"]` or `block[0].argument`.");
            self.report(Diagnostic::error("invalid-path", "Invalid argument path", detail).at(span));
        }
        path
    }

    /// An address or a module's path.
    pub(super) fn endpoint(&mut self, node: &Node, what: &str) -> Option<(Endpoint, Span)> {
        let (text, span) = self.text(node, what)?;
        let module = || match format!("{text}.x.x").parse::<Address>() {
            Ok(address) if !address.resource.module.is_root() => {
                Some(Endpoint::Module(address.resource.module))
            }
            _ => None,
        };
        let parsed = text.parse::<Address>().map(Endpoint::Resource).or_else(|error| module().ok_or(error));
        match parsed {
            Ok(endpoint) => Some((endpoint, span)),
            Err(error) => {
                let detail = format!("`{text}` is no address: {}.", error.why);
                self.report(Diagnostic::error("invalid-address", "Invalid address", detail).at(span));
                None
            }
        }
    }

    /// The address of an import, whose key may be an expression.
    pub(super) fn import_target(&mut self, node: &Node) -> Option<(Address, Option<Expr>)> {
        let Content::Text(text) = &node.content else {
            self.wrong_shape("to", "an address", node);
            return None;
        };
        let plain = text.decoded.trim();
        let plain = plain.strip_prefix("${").and_then(|w| w.strip_suffix('}')).map_or(plain, str::trim);
        if let Ok(address) = plain.parse::<Address>() {
            return Some((address, None));
        }
        let open = plain.rfind('[');
        let parts =
            open.and_then(|open| Some((plain.get(..open)?, plain.get(open + 1..)?.strip_suffix(']')?)));
        let address = parts.and_then(|(address, key)| Some((address.parse::<Address>().ok()?, key)));
        let Some((address, key)) = address.filter(|(address, _)| address.key.is_none()) else {
            let detail = format!("`{}` is no address of a resource.", text.decoded);
            self.report(Diagnostic::error("invalid-address", "Invalid address", detail).at(node.span));
            return None;
        };
        let start = text.decoded.rfind(key).unwrap_or(0);
        match parse_expression(key, &text.origin_from(start)) {
            Ok(key) => Some((address, Some(key))),
            Err(found) => {
                self.found.extend(found);
                None
            }
        }
    }
}

/// `[each.key]` or `[count.index]` in a text, with what is before it and what comes after.
fn own_key(text: &str) -> Option<(OwnKey, String, String)> {
    let written: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let written = written.strip_prefix("${").and_then(|w| w.strip_suffix('}')).unwrap_or(&written);
    [(OwnKey::Each, "[each.key]"), (OwnKey::Count, "[count.index]")].into_iter().find_map(|(own, key)| {
        let (head, tail) = written.split_once(key)?;
        Some((own, head.to_owned(), tail.to_owned()))
    })
}

/// Steps as they are written behind a reference.
fn behind(steps: &[Step]) -> String {
    let write = |step: &Step| match step {
        Step::Attribute(name) => format!(".{name}"),
        Step::Index(index) => format!("[{index}]"),
        Step::Key(key) => format!("[{key:?}]"),
        Step::Element(_) => String::new(),
    };
    steps.iter().map(write).collect()
}

/// Reads `name`, followed by any number of `.name`, `[0]` and `["key"]`.
fn parse_path(text: &str) -> Option<Path> {
    let mut steps = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, tail) = rest.split_at_checked(end)?;
        let good = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(good) {
            return None;
        }
        steps.push(Step::Attribute(name.into()));
        rest = tail;
        while let Some(inside) = rest.strip_prefix('[') {
            if let Some(quoted) = inside.strip_prefix('"') {
                let (key, tail) = quoted.split_once("\"]")?;
                steps.push(Step::Key(key.replace("\\\"", "\"").into()));
                rest = tail;
            } else {
                let (index, tail) = inside.split_once(']')?;
                steps.push(Step::Index(index.parse().ok()?));
                rest = tail;
            }
        }
        match rest.strip_prefix('.') {
            Some(tail) => rest = tail,
            None if rest.is_empty() => return Some(Path(steps)),
            None => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_or_refused() {
        for text in ["tags", "tags[\"a.b\"]", "attribute[0].name", "a.b.c"] {
            assert_eq!(parse_path(text).unwrap().to_string(), text);
        }
        for text in ["", ".", "a.", "a[", "a[x]", "a[\"x]", "a b", "a[0]b", "a[-1]"] {
            assert_eq!(parse_path(text), None, "{text:?}");
        }
    }
}
