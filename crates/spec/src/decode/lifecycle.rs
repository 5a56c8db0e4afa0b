//! `lifecycle` and conditions.

use terrane_model::{Diagnostic, Mode, Span};

use super::Decoder;
use crate::condition::Condition;
use crate::resource::{IgnoreChanges, Lifecycle};
use crate::toml::{Content, Entry, Node, Table};

impl Decoder {
    pub(super) fn lifecycle(&mut self, mode: Mode, entry: &Entry) -> Lifecycle {
        let tables = self.tables(&entry.node, "lifecycle");
        if let [_, (_, second), ..] = tables.as_slice() {
            let detail = "A resource has one `lifecycle` table. Put all settings into it.";
            self.report(Diagnostic::error("duplicate-name", "Duplicate name", detail).at(*second));
        }
        let Some((table, span)) = tables.into_iter().next() else { return Lifecycle::default() };
        match mode {
            Mode::Managed => self.only(
                table,
                "lifecycle",
                &[
                    "create_before_destroy",
                    "ignore_changes",
                    "postcondition",
                    "precondition",
                    "prevent_destroy",
                    "replace_triggered_by",
                ],
            ),
            Mode::Data => self.only(table, "lifecycle", &["postcondition", "precondition"]),
        }
        Lifecycle {
            create_before_destroy: self.flag(table, "create_before_destroy").unwrap_or(false),
            prevent_destroy: match self.flag(table, "prevent_destroy") {
                Some(true) => table.get("prevent_destroy").map(|e| e.node.span),
                _ => None,
            },
            ignore_changes: table
                .get("ignore_changes")
                .map_or_else(IgnoreChanges::default, |e| self.ignore_changes(&e.node)),
            replace_triggered_by: table
                .get("replace_triggered_by")
                .map_or_else(Vec::new, |e| self.triggers(&e.node)),
            preconditions: self.conditions(table, "precondition"),
            postconditions: self.conditions(table, "postcondition"),
            span: Some(span),
        }
    }

    fn ignore_changes(&mut self, node: &Node) -> IgnoreChanges {
        match &node.content {
            Content::Text(text) if &*text.decoded == "all" => IgnoreChanges::All(node.span),
            Content::Array(elements) => {
                if let [Node { content: Content::Text(text), .. }] = elements.as_slice()
                    && &*text.decoded == "all"
                {
                    return IgnoreChanges::All(node.span);
                }
                let mut paths = Vec::new();
                for element in elements {
                    if let Some((text, span)) = self.text(element, "ignore_changes") {
                        paths.extend(self.path(&text, span).map(|path| (path, span)));
                    }
                }
                IgnoreChanges::Paths(paths)
            }
            _ => {
                self.wrong_shape("ignore_changes", "an array of argument names, or `\"all\"`", node);
                IgnoreChanges::default()
            }
        }
    }

    /// The conditions of a table: `precondition`, `postcondition`, `validation` or `assert`.
    pub(super) fn conditions(&mut self, table: &Table, name: &str) -> Vec<Condition> {
        let Some(entry) = table.get(name) else { return vec![] };
        let tables = self.tables(&entry.node, name);
        tables.into_iter().map(|(table, span)| self.condition(table, name, span)).collect()
    }

    fn condition(&mut self, table: &Table, name: &str, span: Span) -> Condition {
        self.only(table, name, &["condition", "error_message"]);
        Condition {
            condition: self.required_expr(table, "condition", name, span),
            error_message: self.required_expr(table, "error_message", name, span),
            span,
        }
    }
}
