//! `[[moved]]`, `[[import]]`, `[[removed]]`, `[check.N]` and `[access.N]`.

use std::collections::btree_map::Entry as Slot;
use std::sync::Arc;

use terrane_model::{Diagnostic, Mode, Span};

use super::{Decoder, header};
use crate::resource::Resource;
use crate::statement::{Access, Check, Endpoint, Expectation, Import, Moved, NamedBy, Removed};
use crate::toml::{Entry, Table};

impl Decoder {
    pub(super) fn moved(&mut self, table: &Table, span: Span) {
        self.only(table, "moved", &["from", "to"]);
        let from = self.required_endpoint(table, "from", "moved", span);
        let to = self.required_endpoint(table, "to", "moved", span);
        let (Some(from), Some(to)) = (from, to) else { return };
        let why = match (&from.0, &to.0) {
            (Endpoint::Resource(a), Endpoint::Resource(b)) => {
                let same = a.resource.type_name == b.resource.type_name;
                match (a.resource.mode, b.resource.mode) {
                    (a, b) if a != b => Some("one of them is a data source, the other one is not"),
                    _ if !same => {
                        Some("they are of different types, and an object can't become one of another type")
                    }
                    // A data source is read anew in any case.
                    (Mode::Data, _) => return,
                    (Mode::Managed, _) => None,
                }
            }
            (Endpoint::Module(_), Endpoint::Module(_)) => None,
            _ => Some("one of them is a module, the other one is not"),
        };
        if let Some(why) = why {
            let detail = format!("`{}` can't move to `{}`: {why}.", from.0, to.0);
            self.report(Diagnostic::error("invalid-move", "Invalid move", detail).at(to.1));
            return;
        }
        self.module.moved.push(Moved { from, to, span });
    }

    pub(super) fn import(&mut self, table: &Table, span: Span) {
        self.only(table, "import", &["for_each", "id", "identity", "provider", "to"]);
        let named_by = self.named_by(table, span);
        let for_each = self.optional_expr(table, "for_each");
        let provider = table.get("provider").and_then(|e| self.provider_ref(&e.node));
        let Some(to) = table.get("to") else {
            self.missing("to", "import", span);
            return;
        };
        let Some((address, key)) = self.import_target(&to.node) else { return };
        if address.resource.mode == Mode::Data {
            let detail = format!("`{address}` is a data source. Only resources are imported.");
            self.report(Diagnostic::error("invalid-import", "Invalid import", detail).at(to.node.span));
            return;
        }
        let import = Import { address, key, to_span: to.node.span, named_by, for_each, provider, span };
        self.module.imports.push(import);
    }

    /// `id`, or else `identity`.
    fn named_by(&mut self, table: &Table, span: Span) -> NamedBy {
        let Some(identity) = table.get("identity") else {
            return NamedBy::Id(self.required_expr(table, "id", "import", span));
        };
        if let Some(id) = table.get("id") {
            let detail = "`id` and `identity` both say which object is meant. Keep one of them.";
            self.report(
                Diagnostic::error("conflicting-arguments", "Conflicting arguments", detail)
                    .at(identity.key)
                    .with_related(id.key, "the other one"),
            );
        }
        NamedBy::Identity(self.expr(&identity.node))
    }

    pub(super) fn removed(&mut self, table: &Table, span: Span) {
        self.only(table, "removed", &["from", "lifecycle"]);
        let from = self.required_endpoint(table, "from", "removed", span);
        let mut destroy = true;
        if let Some(entry) = table.get("lifecycle") {
            for (inside, _) in self.tables(&entry.node, "lifecycle") {
                self.only(inside, "lifecycle", &["destroy"]);
                destroy = self.flag(inside, "destroy").unwrap_or(destroy);
            }
        }
        let Some(from) = from else { return };
        let (keyed, data) = match &from.0 {
            Endpoint::Resource(address) => {
                let of_module = address.resource.module.0.iter().any(|step| step.key.is_some());
                (address.key.is_some() || of_module, address.resource.mode == Mode::Data)
            }
            Endpoint::Module(path) => (path.0.iter().any(|step| step.key.is_some()), false),
        };
        if keyed {
            let detail =
                format!("`{}` is one instance. `removed` speaks of a whole resource or module.", from.0);
            self.report(Diagnostic::error("invalid-address", "Invalid address", detail).at(from.1));
            return;
        }
        if data {
            let detail =
                format!("`{}` is a data source. There is nothing in AWS that could be removed.", from.0);
            self.report(Diagnostic::error("invalid-address", "Invalid address", detail).at(from.1));
            return;
        }
        self.module.removed.push(Removed { from, destroy, span });
    }

    fn required_endpoint(
        &mut self,
        table: &Table,
        name: &str,
        what: &str,
        span: Span,
    ) -> Option<(Endpoint, Span)> {
        match table.get(name) {
            Some(entry) => self.endpoint(&entry.node, name),
            None => {
                self.missing(name, what, span);
                None
            }
        }
    }

    pub(super) fn check(&mut self, name: &Arc<str>, entry: &Entry, table: &Table) {
        let what = format!("check.{name}");
        let span = header(entry);
        self.only(table, &what, &["assert", "data"]);
        if table.get("assert").is_none() {
            self.missing("assert", &what, span);
        }
        let data = table.get("data").and_then(|entry| self.scoped_data(entry));
        let check = Check { data, assertions: self.conditions(table, "assert"), span };
        match self.module.checks.entry(name.clone()) {
            Slot::Vacant(slot) => {
                slot.insert(check);
            }
            Slot::Occupied(slot) => {
                let first = slot.get().span;
                self.duplicate(&what, span, first);
            }
        }
    }

    /// The one data source of a check.
    fn scoped_data(&mut self, entry: &Entry) -> Option<Resource> {
        let mut found: Option<Resource> = None;
        for (type_name, entry) in &self.table(&entry.node, "data")?.entries {
            let Some(names) = self.table(&entry.node, &format!("data.{type_name}")) else { continue };
            for (name, entry) in &names.entries {
                self.name(name, entry.key, "data source");
                let Some(inside) = self.table(&entry.node, &format!("data.{type_name}.{name}")) else {
                    continue;
                };
                if let Some(first) = found.as_ref().map(|f| f.span) {
                    let detail = "A check reads at most one data source of its own.";
                    self.report(
                        Diagnostic::error("duplicate-name", "Duplicate name", detail)
                            .at(entry.key)
                            .with_related(first, "the first one"),
                    );
                    continue;
                }
                found = Some(self.resource(Mode::Data, type_name, name, inside, header(entry)).0);
            }
        }
        found
    }

    pub(super) fn access(&mut self, name: &Arc<str>, entry: &Entry, table: &Table) {
        let what = format!("access.{name}");
        let span = header(entry);
        self.only(
            table,
            &what,
            &[
                "accept_depends",
                "actions",
                "by",
                "context",
                "description",
                "expect",
                "for_each",
                "principal",
                "principals",
                "resources",
            ],
        );
        let expect = match table.get("expect") {
            None => {
                self.missing("expect", &what, span);
                None
            }
            Some(entry) => self.text(&entry.node, "expect"),
        };
        let expect = match expect.as_ref().map(|(text, span)| (&**text, *span)) {
            Some(("allowed", span)) => Some((Expectation::Allowed, span)),
            Some(("denied", span)) => Some((Expectation::Denied, span)),
            Some((other, span)) => {
                let detail = format!("`expect` must be `allowed` or `denied`; `{other}` is neither.");
                self.report(Diagnostic::error("invalid-value", "Value out of bounds", detail).at(span));
                None
            }
            None => None,
        };
        let principals = match (table.get("principal"), table.get("principals")) {
            (Some(_), Some(second)) => {
                let detail = "`principal` and `principals` say the same. Give one of them.";
                self.report(
                    Diagnostic::error("conflicting-arguments", "Conflicting arguments", detail)
                        .at(second.key),
                );
                "principals"
            }
            (None, Some(_)) => "principals",
            _ => "principal",
        };
        let access = Access {
            principals: self.required_expr(table, principals, &what, span),
            actions: self.required_expr(table, "actions", &what, span),
            resources: self.required_expr(table, "resources", &what, span),
            context: self.optional_expr(table, "context"),
            expect: expect.unwrap_or((Expectation::Denied, span)),
            by: self.optional_text(table, "by"),
            description: self.optional_text(table, "description").map(|(text, _)| text),
            for_each: self.optional_expr(table, "for_each"),
            accept_depends: self.flag(table, "accept_depends").unwrap_or(false),
            span,
        };
        match self.module.access.entry(name.clone()) {
            Slot::Vacant(slot) => {
                slot.insert(access);
            }
            Slot::Occupied(slot) => {
                let first = slot.get().span;
                self.duplicate(&what, span, first);
            }
        }
    }
}
