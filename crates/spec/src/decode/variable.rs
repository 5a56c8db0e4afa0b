//! `[variable.N]`.

use std::collections::btree_map::Entry as Slot;
use std::sync::Arc;

use terrane_expr::{Defaults, parse_type};
use terrane_model::{Diagnostic, Type, Value, convert};

use super::{Decoder, header};
use crate::toml::{Content, Entry, Node, Table};
use crate::variable::Variable;

/// Names that a call of the module could not set.
const RESERVED: [&str; 8] =
    ["count", "depends_on", "for_each", "lifecycle", "locals", "providers", "source", "version"];

impl Decoder {
    pub(super) fn variable(&mut self, name: &Arc<str>, entry: &Entry, table: &Table) {
        let what = format!("variable.{name}");
        let span = header(entry);
        self.only(
            table,
            &what,
            &["default", "description", "ephemeral", "nullable", "sensitive", "type", "validation"],
        );
        if RESERVED.contains(&&**name) {
            let detail =
                format!("`{name}` is an argument of every module call, so no variable can have this name.");
            self.report(Diagnostic::error("invalid-name", "Invalid name", detail).at(entry.key));
        }
        let declared = table.get("type").and_then(|e| self.constraint(&e.node));
        let takes_text = declared.as_ref().is_none_or(|(ty, _)| ty.is_primitive());
        let (ty, defaults) = declared.map_or((Type::Any, None), |(ty, defaults)| (ty, Some(defaults)));
        let mut variable = Variable {
            ty,
            defaults,
            takes_text,
            default: None,
            nullable: self.flag(table, "nullable").unwrap_or(true),
            sensitive: self.flag(table, "sensitive").unwrap_or(false),
            ephemeral: self.flag(table, "ephemeral").unwrap_or(false),
            description: self.optional_text(table, "description").map(|(text, _)| text),
            validations: self.conditions(table, "validation"),
            span,
        };
        variable.default = table.get("default").and_then(|e| self.default(name, &variable, &e.node));
        match self.module.variables.entry(name.clone()) {
            Slot::Vacant(slot) => {
                slot.insert(variable);
            }
            Slot::Occupied(slot) => {
                let first = slot.get().span;
                self.duplicate(&what, span, first);
            }
        }
    }

    fn constraint(&mut self, node: &Node) -> Option<(Type, Defaults)> {
        let Content::Text(text) = &node.content else {
            self.wrong_shape("type", "a text such as `\"list(string)\"`", node);
            return None;
        };
        // Converted specs may wrap the type into a template.
        let inner = text.decoded.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let (written, start) = inner.map_or((&*text.decoded, 0), |inner| (inner, 2));
        match parse_type(written, &text.origin_from(start)) {
            Ok(found) => Some(found),
            Err(found) => {
                self.found.extend(found);
                None
            }
        }
    }

    fn default(&mut self, name: &str, variable: &Variable, node: &Node) -> Option<Value> {
        let expr = self.expr(node);
        let Some(value) = crate::constant::constant(&expr, &mut self.found) else {
            let detail =
                format!("The default of `var.{name}` must be a fixed value: it can't refer to anything.");
            self.report(
                Diagnostic::error("not-fixed", "Expression where a fixed value is needed", detail)
                    .at(node.span),
            );
            return None;
        };
        if value.is_null() && !variable.nullable {
            let detail = format!("The default of `var.{name}` is null, and `nullable` is false.");
            self.report(Diagnostic::error("invalid-default", "Invalid default value", detail).at(node.span));
            return None;
        }
        match variable.convert(&value) {
            Ok(value) => Some(value),
            Err(error) => {
                let detail = format!(
                    "The default of `var.{name}` must be {}: {}{}.",
                    convert::article(&variable.ty),
                    crate::inputs::at_path(&error.path),
                    error.detail
                );
                self.report(
                    Diagnostic::error("invalid-default", "Invalid default value", detail).at(node.span),
                );
                None
            }
        }
    }
}
