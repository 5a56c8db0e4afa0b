//! `[output.N]` and `[module.N]`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::sync::Arc;

use terrane_expr::{Expr, ObjectKey};

use super::{COMMENT, Decoder, header};
use crate::module::{ModuleCall, Output};
use crate::toml::{Entry, Table};

impl Decoder {
    pub(super) fn output(&mut self, name: &Arc<str>, entry: &Entry, table: &Table) {
        let what = format!("output.{name}");
        let span = header(entry);
        self.only(
            table,
            &what,
            &["depends_on", "description", "ephemeral", "precondition", "sensitive", "value"],
        );
        let output = Output {
            value: self.required_expr(table, "value", &what, span),
            description: self.optional_text(table, "description").map(|(text, _)| text),
            sensitive: self.flag(table, "sensitive").unwrap_or(false),
            ephemeral: self.flag(table, "ephemeral").unwrap_or(false),
            depends_on: self.depends_on(table),
            preconditions: self.conditions(table, "precondition"),
            span,
        };
        match self.module.outputs.entry(name.clone()) {
            Slot::Vacant(slot) => {
                slot.insert(output);
            }
            Slot::Occupied(slot) => {
                let first = slot.get().span;
                self.duplicate(&what, span, first);
            }
        }
    }

    pub(super) fn module_call(&mut self, name: &Arc<str>, entry: &Entry, table: &Table) {
        let what = format!("module.{name}");
        let span = header(entry);
        let meta = ["source", "version", "providers", "count", "for_each", "depends_on", COMMENT];
        let (items, places) = self.items(table, span, &meta);
        let named_inputs = items.iter().filter_map(|(key, expr)| match key {
            ObjectKey::Name(name, _) => Some((name.clone(), expr.clone())),
            _ => None,
        });
        let named_inputs = named_inputs.collect();
        let inputs = Expr::object(items, span);
        self.only_one_repetition(table);
        let source = self.optional_text(table, "source");
        if table.get("source").is_none() {
            self.missing("source", &what, span);
        }
        let call = ModuleCall {
            name: name.clone(),
            source: source.unwrap_or_else(|| ("".into(), span)),
            version: self.optional_text(table, "version"),
            inputs,
            named_inputs,
            places,
            providers: self.module_providers(table),
            count: self.optional_expr(table, "count"),
            for_each: self.optional_expr(table, "for_each"),
            depends_on: self.depends_on(table),
            span,
        };
        match self.module.modules.entry(name.clone()) {
            Slot::Vacant(slot) => {
                slot.insert(call);
            }
            Slot::Occupied(slot) => {
                let first = slot.get().span;
                self.duplicate(&what, span, first);
            }
        }
    }

    fn module_providers(&mut self, table: &Table) -> BTreeMap<Arc<str>, crate::resource::ProviderRef> {
        let mut found = BTreeMap::new();
        let Some(entry) = table.get("providers") else { return found };
        let Some(inside) = self.table(&entry.node, "providers") else { return found };
        for (name, entry) in &inside.entries {
            if let Some(provider) = self.provider_ref(&entry.node) {
                found.insert(name.clone(), provider);
            }
        }
        found
    }
}
