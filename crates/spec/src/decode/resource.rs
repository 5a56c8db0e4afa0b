//! `[resource.TYPE.NAME]` and `[data.TYPE.NAME]`.

use std::collections::btree_map::Entry as Slot;
use std::sync::Arc;

use terrane_expr::{Expr, ObjectKey};
use terrane_model::{Diagnostic, Mode, Span};

use super::{COMMENT, Decoder, header};
use crate::module::{Provider, ResourceKey};
use crate::resource::{Lifecycle, Resource};
use crate::toml::{Content, Entry, Table};

/// Arguments that a resource of any type has.
const META: [&str; 5] = ["count", "depends_on", "for_each", "lifecycle", "provider"];

impl Decoder {
    pub(super) fn resources(&mut self, table: &str, entry: &Entry) {
        let mode = if table == "data" { Mode::Data } else { Mode::Managed };
        let Some(types) = self.table(&entry.node, table) else { return };
        for (type_name, entry) in &types.entries {
            let Some(names) = self.table(&entry.node, &format!("{table}.{type_name}")) else { continue };
            for (name, entry) in &names.entries {
                self.name(name, entry.key, if mode == Mode::Data { "data source" } else { "resource" });
                let Some(inside) = self.table(&entry.node, &format!("{table}.{type_name}.{name}")) else {
                    continue;
                };
                let (resource, arguments) = self.resource(mode, type_name, name, inside, header(entry));
                let key = ResourceKey { mode, type_name: type_name.clone(), name: name.clone() };
                match self.module.resources.entry(key) {
                    Slot::Vacant(slot) => {
                        self.arguments.insert(slot.key().clone(), arguments);
                        slot.insert(resource);
                    }
                    Slot::Occupied(slot) => {
                        let (what, first) = (slot.key().to_string(), slot.get().span);
                        self.duplicate(&what, resource.span, first);
                    }
                }
            }
        }
    }

    pub(super) fn resource(
        &mut self,
        mode: Mode,
        type_name: &Arc<str>,
        name: &Arc<str>,
        table: &Table,
        span: Span,
    ) -> (Resource, Vec<(Arc<str>, Expr)>) {
        for refused in ["provisioner", "connection"] {
            if let Some(entry) = table.get(refused) {
                self.refuse(
                    entry,
                    format!("`{refused}` is not supported: a plan could not show what it does."),
                );
            }
        }
        let without: Vec<&str> = META.into_iter().chain(["provisioner", "connection", COMMENT]).collect();
        let (items, places) = self.items(table, span, &without);
        let arguments = items.iter().filter_map(|(key, value)| match key {
            ObjectKey::Name(name, _) => Some((name.clone(), value.clone())),
            ObjectKey::Computed(_) => None,
        });
        let arguments = arguments.collect();
        let body = Expr::object(items, span);
        let count = self.optional_expr(table, "count");
        let for_each = self.optional_expr(table, "for_each");
        self.only_one_repetition(table);
        let resource = Resource {
            mode,
            type_name: type_name.clone(),
            name: name.clone(),
            span,
            count,
            for_each,
            depends_on: self.depends_on(table),
            provider: table.get("provider").and_then(|e| self.provider_ref(&e.node)),
            lifecycle: match table.get("lifecycle") {
                Some(entry) => self.lifecycle(mode, entry),
                None => Lifecycle::default(),
            },
            body,
            places,
        };
        (resource, arguments)
    }

    /// Refuses a table with both `count` and `for_each`.
    pub(super) fn only_one_repetition(&mut self, table: &Table) {
        if let (Some(count), Some(for_each)) = (table.get("count"), table.get("for_each")) {
            let detail = "`count` and `for_each` exclude each other. Keep one of them.";
            self.report(
                Diagnostic::error("count-and-for-each", "Both count and for_each", detail)
                    .at(for_each.key)
                    .with_related(count.key, "count is set here"),
            );
        }
    }

    pub(super) fn providers(&mut self, entry: &Entry) {
        let Some(names) = self.table(&entry.node, "provider") else { return };
        for (name, entry) in &names.entries {
            let one = matches!(entry.node.content, Content::Table(_));
            for (inside, span) in self.tables(&entry.node, &format!("provider.{name}")) {
                let span = if one { header(entry) } else { span };
                self.provider(name, inside, span);
            }
        }
        self.module.providers.sort_by(|a, b| (&a.name, &a.alias).cmp(&(&b.name, &b.alias)));
    }

    fn provider(&mut self, name: &Arc<str>, table: &Table, span: Span) {
        let alias = self.optional_text(table, "alias").map(|(alias, span)| {
            self.name(&alias, span, "provider's alias");
            alias
        });
        let (body, places) = self.block(table, span, &["alias", "version", COMMENT]);
        let first =
            self.module.providers.iter().find(|p| p.name == *name && p.alias == alias).map(|p| p.span);
        match (first, &alias) {
            (None, _) => {
                self.module.providers.push(Provider { name: name.clone(), alias, body, places, span })
            }
            (Some(first), Some(alias)) => {
                self.duplicate(&format!("provider.{name}, alias {alias}"), span, first)
            }
            (Some(first), None) => {
                let detail = format!(
                    "`provider.{name}` is declared twice without an `alias`. Give the second one an alias, or take it \
                     out."
                );
                self.report(
                    Diagnostic::error("duplicate-name", "Duplicate name", detail)
                        .at(span)
                        .with_related(first, "first declared here"),
                );
            }
        }
    }
}
