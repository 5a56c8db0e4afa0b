//! `[terrane]` and `[terraform]`.

use std::sync::Arc;

use terrane_model::{Diagnostic, Selector, Span};

use super::{Decoder, header};
use crate::settings::{
    Backend, BackendKind, Encryption, Engine, Limits, LintIgnore, Organization, RequiredVersion,
};
use crate::toml::{Content, Entry, Table};
use crate::version::Requirement;

/// The arguments that limit an account.
const LIMITS: [&str; 3] = ["management_account", "resource_control_policies", "service_control_policies"];

impl Decoder {
    pub(super) fn terrane(&mut self, entry: &Entry) {
        let Some(table) = self.table(&entry.node, "terrane") else { return };
        self.only(table, "terrane", &["access", "backend", "encryption", "lint", "required_version"]);
        self.required_version(table, Engine::Terrane);
        self.backend(table, header(entry));
        self.encryption(table);
        self.organization(table);
        self.lint(table);
    }

    fn organization(&mut self, table: &Table) {
        let Some(entry) = table.get("access") else { return };
        let span = header(entry);
        let Some(inside) = self.table(&entry.node, "terrane.access") else { return };
        let known = [&["accounts", "check_deployer", "organization_id"], LIMITS.as_slice()].concat();
        self.only(inside, "terrane.access", &known);
        let organization = Organization {
            id: self.optional_text(inside, "organization_id").map(|(id, _)| id),
            own: self.limits(inside, span),
            accounts: self.accounts(inside),
            span,
        };
        match self.module.settings.organization.as_ref().map(|first| first.span) {
            Some(first) => self.duplicate("terrane.access", span, first),
            None => {
                self.module.settings.check_deployer = self.flag(inside, "check_deployer");
                self.module.settings.organization = Some(organization);
            }
        }
    }

    /// The limits of accounts by their digits.
    fn accounts(&mut self, table: &Table) -> Vec<(Arc<str>, Limits)> {
        let Some(entry) = table.get("accounts") else { return vec![] };
        let Some(inside) = self.table(&entry.node, "terrane.access.accounts") else { return vec![] };
        let mut accounts = Vec::new();
        for (name, entry) in &inside.entries {
            let label = format!("terrane.access.accounts.{name}");
            if name.len() != 12 || !name.bytes().all(|byte| byte.is_ascii_digit()) {
                let detail = format!("`{name}` is not an account: it must have twelve digits.");
                self.report(Diagnostic::error("invalid-account", "Invalid account", detail).at(entry.key));
                continue;
            }
            let Some(limits) = self.table(&entry.node, &label) else { continue };
            self.only(limits, &label, &LIMITS);
            accounts.push((name.clone(), self.limits(limits, header(entry))));
        }
        accounts
    }

    fn limits(&mut self, table: &Table, span: Span) -> Limits {
        Limits {
            service_control: self.levels(table, "service_control_policies"),
            resource_control: self.levels(table, "resource_control_policies").into_iter().flatten().collect(),
            management_account: self.flag(table, "management_account").unwrap_or(false),
            span,
        }
    }

    /// Names of files: a list of texts is one level, a list of lists has a level in each.
    fn levels(&mut self, table: &Table, name: &str) -> Vec<Vec<(Arc<str>, Span)>> {
        let Some(entry) = table.get(name) else { return vec![] };
        let Content::Array(items) = &entry.node.content else {
            let detail = format!(
                "`{name}` must be a list of files, or of lists of files for the levels of the organization, from its root to \
                 the account."
            );
            self.report(Diagnostic::error("wrong-type", "Wrong type", detail).at(entry.node.span));
            return vec![];
        };
        let has_levels = items.iter().any(|item| matches!(item.content, Content::Array(_)));
        if !has_levels {
            return vec![items.iter().filter_map(|item| self.text(item, name)).collect()];
        }
        let mut levels = Vec::new();
        for item in items {
            match &item.content {
                Content::Array(files) => {
                    levels.push(files.iter().filter_map(|file| self.text(file, name)).collect());
                }
                _ => {
                    let detail =
                        format!("`{name}` has lists for levels, so each of its elements must be a list.");
                    self.report(Diagnostic::error("wrong-type", "Wrong type", detail).at(item.span));
                }
            }
        }
        levels
    }

    fn lint(&mut self, table: &Table) {
        let Some(entry) = table.get("lint") else { return };
        let Some(inside) = self.table(&entry.node, "lint") else { return };
        self.only(inside, "lint", &["ignore"]);
        let Some(ignore) = inside.get("ignore") else { return };
        for (table, span) in self.tables(&ignore.node, "ignore") {
            self.only(table, "ignore", &["address", "id", "reason"]);
            for name in ["address", "id", "reason"] {
                if table.get(name).is_none() {
                    self.missing(name, "ignore", span);
                }
            }
            let id = self.optional_text(table, "id");
            let address = self.optional_text(table, "address");
            let reason = self.optional_text(table, "reason");
            let (Some(id), Some((address, address_span)), Some((reason, reason_span))) =
                (id, address, reason)
            else {
                continue;
            };
            if reason.trim().is_empty() {
                let detail = "`reason` says why a finding is meant to be so. It must not be empty.";
                self.report(
                    Diagnostic::error("invalid-value", "Value out of bounds", detail).at(reason_span),
                );
            }
            match address.parse::<Selector>() {
                Ok(selector) => {
                    let address = (selector, address_span);
                    self.module.settings.lint_ignores.push(LintIgnore { id, address, reason, span });
                }
                Err(error) => {
                    let error = Diagnostic::error("invalid-address", "Invalid address", format!("{error}."));
                    self.report(error.at(address_span));
                }
            }
        }
    }

    fn encryption(&mut self, table: &Table) {
        let Some(entry) = table.get("encryption") else { return };
        let span = header(entry);
        let Some(inside) = self.table(&entry.node, "encryption") else { return };
        for (name, entry) in &inside.entries {
            self.literal_only(&entry.node, name);
        }
        let (body, places) = self.block(inside, span, &[]);
        match self.module.settings.encryption.as_ref().map(|e| e.span) {
            Some(first) => self.duplicate("encryption", span, first),
            None => self.module.settings.encryption = Some(Encryption { body, places, span }),
        }
    }

    pub(super) fn terraform(&mut self, entry: &Entry) {
        for (table, span) in self.tables(&entry.node, "terraform") {
            self.only(
                table,
                "terraform",
                &[
                    "backend",
                    "cloud",
                    "experiments",
                    "language",
                    "provider_meta",
                    "required_providers",
                    "required_version",
                ],
            );
            self.required_version(table, Engine::Terraform);
            self.backend(table, span);
            if let Some(cloud) = table.get("cloud") {
                let detail = "`cloud` has no effect: the state is kept by the backend, which `[terrane.backend]` says.";
                self.report(
                    Diagnostic::warning("without-effect", "Setting without effect", detail).at(cloud.key),
                );
            }
        }
    }

    fn required_version(&mut self, table: &Table, engine: Engine) {
        let Some((text, span)) = self.optional_text(table, "required_version") else { return };
        match text.parse::<Requirement>() {
            Ok(requirement) => {
                self.module.settings.required_versions.push(RequiredVersion { requirement, engine, span });
            }
            Err(error) => {
                let detail = format!(
                    "`{text}` is no version requirement: {error}. Write one such as `>= 0.1.0, < 2.0.0`."
                );
                self.report(
                    Diagnostic::error("invalid-version", "Invalid version requirement", detail).at(span),
                );
            }
        }
    }

    fn backend(&mut self, table: &Table, span: Span) {
        let Some(entry) = table.get("backend") else { return };
        let Some(kinds) = self.table(&entry.node, "backend") else { return };
        for (name, entry) in &kinds.entries {
            for (inside, span) in self.tables(&entry.node, &format!("backend.{name}")) {
                let kind = match &**name {
                    "local" => {
                        self.only(inside, "backend.local", &["path", "workspace_dir"]);
                        BackendKind::Local {
                            path: self.optional_text(inside, "path"),
                            workspace_dir: self.optional_text(inside, "workspace_dir"),
                        }
                    }
                    "s3" => {
                        for (name, entry) in &inside.entries {
                            self.literal_only(&entry.node, name);
                        }
                        let (body, places) = self.block(inside, span, &[]);
                        BackendKind::S3 { body, places }
                    }
                    _ => {
                        let detail = format!("There is no backend `{name}`. There are `local` and `s3`.");
                        self.report(
                            Diagnostic::error("unknown-backend", "Unknown backend", detail).at(entry.key),
                        );
                        continue;
                    }
                };
                match self.module.settings.backend.as_ref().map(|b| b.span) {
                    Some(first) => self.duplicate("backend", span, first),
                    None => self.module.settings.backend = Some(Backend { kind, span }),
                }
            }
        }
        self.module.settings.span.get_or_insert(span);
    }

    /// Refuses expressions: the state is read before anything can be referred to.
    fn literal_only(&mut self, node: &crate::toml::Node, what: &str) {
        let before = self.found.len();
        let literal = self.expr(node).as_literal().is_some();
        self.found.truncate(before); // what is wrong inside is reported where the body is read
        if !literal {
            let detail = format!(
                "`{what}` must be a fixed value: the state is read before anything can be referred to."
            );
            self.report(
                Diagnostic::error("not-fixed", "Expression where a fixed value is needed", detail)
                    .at(node.span),
            );
        }
    }
}
